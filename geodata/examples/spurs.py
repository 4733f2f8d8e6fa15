"""Small ways and things on ways: lanes in towns, field tracks, park paths, the greenway, a ferry, barriers and speed signs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from geodata.examples.curves import wander
from geodata.examples.drawing import Drawing, Way, segments
from geodata.examples.facts import Facts, Points, to_degrees, to_plane
from geodata.examples.ground import Ground
from geodata.examples.grounds import SportsPlace
from geodata.examples.land import Land
from geodata.examples.people import Peopled

TRACKS, LANE_SHARE, GATE_SHARE, BOLLARD_SHARE = 320, 0.26, 0.12, 0.07
PATH_SHARE, PRIVATE_SHARE = 0.15, 0.4
REMOTE_M, SAME_PLACE_M, MOST_ROUNDS = 1250.0, 0.3, 6
LANES = (("living_street", 0.45), ("service", 0.4), ("footway", 0.15))
SIGNS = {"trunk": ("60", 0.3), "primary": ("60", 0.25), "secondary": ("40", 0.15), "tertiary": ("40", 0.06)}


def draw_spurs(drawing: Drawing, land: Land, people: Peopled, grounds: list[SportsPlace], rng: np.random.Generator) -> None:
    """Add lanes, tracks and paths to the drawing, and join all ways where they cross.

    Parameters
    ----------
    drawing : Drawing
        Changed in place.
    land : Land
        Water and expressway, which no spur crosses.
    people : Peopled
        Towns, which have lanes, and remote villages, which have tracks of their own.
    grounds : list of SportsPlace
        Parks, which have paths, and the greenway.
    rng : numpy.random.Generator
        Source of randomness.
    """
    towns = shapely.union_all([shapely.MultiPoint(plan.points).convex_hull.buffer(20) for plan in people.towns.values()])
    _lanes(drawing, towns, grounds, rng)
    _tracks(drawing, land, people, towns, rng)
    _paths(drawing, land, grounds)
    join_crossings(drawing)


def join_crossings(drawing: Drawing) -> None:
    """Give ways that cross on the level a common node."""
    drawing.points = [(x, y) for x, y in to_plane(to_degrees(drawing.points)).tolist()]
    for _ in range(MOST_ROUNDS):
        if not _crossings_joined(drawing):
            return


def _crossings_joined(drawing: Drawing) -> int:
    """Join ways where they cross; the new nodes bend them by a centimetre or so, which may make them cross anew."""
    ways = [at for at, way in enumerate(drawing.ways) if "highway" in way.tags and "bridge" not in way.tags]
    lines, owner = segments(drawing, ways)
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    inserts: dict[tuple[int, int], list[int]] = {}
    for one, two in sorted(zip(first.tolist(), second.tolist(), strict=True)):
        if one < two:
            _join(drawing, (tuple(owner[one].tolist()), tuple(owner[two].tolist())), lines[[one, two]], inserts)
    for (way, at), nodes in sorted(inserts.items(), reverse=True):
        line = drawing.ways[way].nodes
        start = drawing.at(line[at : at + 1])[0]
        nodes.sort(key=lambda node: float(np.hypot(*(drawing.at([node])[0] - start))))
        line[at + 1 : at + 1] = [node for node in dict.fromkeys(nodes) if node not in line[at : at + 2]]
    return len(inserts)


def _join(
    drawing: Drawing,
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    lines: npt.NDArray[np.object_],
    inserts: dict[tuple[int, int], list[int]],
) -> None:
    ends = [drawing.ways[way].nodes[at : at + 2] for way, at in sides]
    if set(ends[0]) & set(ends[1]):
        return
    spot = shapely.get_coordinates(shapely.intersection(lines[0], lines[1]))[0]
    known = [node for node in ends[0] + ends[1] if np.hypot(*(drawing.at([node])[0] - spot)) < SAME_PLACE_M]
    node = known[0] if known else drawing.add_node(to_plane(to_degrees(spot))[0])
    for way, at in sides:
        inserts.setdefault((way, at), []).append(node)


def _lanes(drawing: Drawing, towns: shapely.Geometry, grounds: list[SportsPlace], rng: np.random.Generator) -> None:
    """Dead-end lanes from the middle of streets into the blocks, save where a park or school fills the block."""
    shapely.prepare(towns)
    fenced = shapely.union_all([place.shape for place in grounds if isinstance(place.shape, shapely.Polygon)]).buffer(8)
    shapely.prepare(fenced)
    for way in list(drawing.ways):
        if way.tags["highway"] not in {"residential", "tertiary", "secondary"} or "bridge" in way.tags or "junction" in way.tags:
            continue
        line = drawing.at(way.nodes)
        inside = shapely.contains_xy(towns, line[:, 0], line[:, 1])
        for at in range(1, len(way.nodes) - 1):
            if inside[at] and rng.random() < LANE_SHARE:
                _lane(drawing, way.nodes[at], line[at + 1] - line[at - 1], fenced, rng)


def _lane(drawing: Drawing, node: int, along: Points, fenced: shapely.Geometry, rng: np.random.Generator) -> None:
    across = np.array([-along[1], along[0]]) / np.hypot(*along) * rng.choice([-1, 1])
    start = drawing.at([node])[0]
    depth = rng.uniform(42, 78)
    line = start + across * np.array([[0.5 * depth], [depth]]) + rng.normal(0, 3, (2, 2))
    kind = rng.choice([name for name, _ in LANES], p=[share for _, share in LANES])
    sign = rng.random()
    if shapely.intersects(fenced, shapely.LineString([start, *line])):
        return
    nodes = [node, *(drawing.add_node(point) for point in line)]
    if sign < GATE_SHARE and kind != "footway":
        drawing.node_tags[nodes[1]] = {"barrier": "gate", "access": "private"}
    elif sign < GATE_SHARE + BOLLARD_SHARE:
        drawing.node_tags[nodes[1]] = {"barrier": "bollard"}
    drawing.ways.append(Way(nodes, {"highway": str(kind)}))


def _tracks(drawing: Drawing, land: Land, people: Peopled, towns: shapely.Geometry, rng: np.random.Generator) -> None:
    """Field tracks from village roads, and those of the remote villages, which meet no road."""
    remote = [np.array([s.x, s.y]) for s in people.settlements if s.remote]
    closed = shapely.union_all([*(shapely.Point(spot).buffer(REMOTE_M) for spot in remote), towns])
    limits = land.outline.buffer(1000).difference(closed).difference(shapely.LineString(land.expressway).buffer(90))
    starts = sorted({node for way in drawing.ways if way.tags["highway"] in {"unclassified", "residential"} for node in way.nodes})
    for node in rng.choice(starts, TRACKS, replace=False).tolist():
        _track(drawing, node, land, limits, rng)
    for spot in remote:
        own = sorted(
            {node for way in drawing.ways if way.tags["highway"] == "track" for node in way.nodes},
            key=lambda node: float(np.hypot(*(drawing.at([node])[0] - spot))),
        )
        for node in own[:3]:
            _track(drawing, node, land, shapely.Point(spot).buffer(420), rng)


def _track(drawing: Drawing, node: int, land: Land, limits: shapely.Geometry, rng: np.random.Generator) -> None:
    path = wander(rng, drawing.at([node])[0], rng.uniform(0, 2 * np.pi), (int(rng.integers(4, 10)), 85.0))
    kind = "path" if rng.random() < PATH_SHARE else "track"
    good = shapely.contains_xy(limits, path[:, 0], path[:, 1]) & ~land.is_near_water(path, 45.0)
    length = len(good) if good.all() else int(np.argmin(good))
    gate = rng.random() < GATE_SHARE
    if length >= 3:  # noqa: PLR2004 - shorter is a driveway
        nodes = [node, *(drawing.add_node(point) for point in path[1:length])]
        drawing.ways.append(Way(nodes, {"highway": kind} | ({"tracktype": "grade4"} if kind == "track" else {})))
        if gate:
            drawing.node_tags[nodes[1]] = {"barrier": "gate"} | ({"access": "private"} if rng.random() < PRIVATE_SHARE else {})


def _paths(drawing: Drawing, land: Land, grounds: list[SportsPlace]) -> None:
    """Paths through parks from gate to gate, the greenway itself, and the ways from their gates to the nearest street."""
    streets = sorted({node for way in drawing.ways if way.tags["highway"] not in {"track", "path"} for node in way.nodes})
    tree = cKDTree(drawing.at(streets))
    for place in grounds:
        if place.kind not in {"park", "greenway"}:
            continue
        gates = [drawing.add_node(gate, {"entrance": "yes"}) for gate in place.gates]
        for order, (gate, spot) in enumerate(zip(gates, place.gates, strict=True)):
            nearest = streets[int(tree.query(spot)[1])]
            link = shapely.LineString([spot, drawing.at([nearest])[0]])
            if not land.cross_shore(np.array([link], dtype=object))[0]:
                drawing.ways.append(Way([nearest, gate], {"highway": "steps" if order == 1 and place.kind == "park" else "footway"}))
        if place.kind == "park":
            middle = drawing.add_node(place.gates.mean(axis=0))
            drawing.ways.extend(Way([gate, middle], {"highway": "footway"}) for gate in gates)
        else:
            line = shapely.get_coordinates(place.shape)
            along = shapely.line_locate_point(place.shape, shapely.points(line))
            at_gate = shapely.line_locate_point(place.shape, shapely.points(place.gates))
            nodes = [drawing.add_node(point) for point in line] + gates
            onward = np.argsort(np.concatenate((along, at_gate)), kind="stable")
            tags = {"highway": "cycleway", "foot": "designated", "name": place.name, "note": "示意"}
            drawing.ways.append(Way([nodes[index] for index in onward], tags))


def draw_ferry(facts: Facts, drawing: Drawing, land: Land, laid: tuple[Ground, dict[int, int]], people: Peopled) -> None:
    """Add the ferry over the lake by way of the island; no road reader takes it for a road."""
    ground, node_of = laid
    code = {township.name: township.code for township in facts.townships}
    island = next(s for s in people.settlements if s.remote and shapely.contains_xy(land.island, s.x, s.y))
    used = sorted(node_of)
    courses = []
    for seat, marks in zip(("三阳集乡", "三里乡"), facts.sketch["ferry_marks"], strict=True):
        shore = shapely.Point(ground.points[ground.place[code[seat]]])
        beach = shapely.get_coordinates(shapely.shortest_line(land.lakes["军山湖"], shore))[0]
        nearest = used[int(np.argmin(np.hypot(*(ground.points[used] - beach).T)))]
        courses.append([node_of[nearest], drawing.add_node(beach), *map(drawing.add_node, to_plane(marks[::-1]))])
    nodes = [*courses[0], node_of[ground.place[island.code]], *courses[1][::-1]]
    drawing.ways.append(Way(nodes, {"route": "ferry", "name": "军山湖渡口", "note": "示意", "foot": "yes", "motor_vehicle": "yes"}))


def post_speeds(drawing: Drawing, people: Peopled, rng: np.random.Generator) -> None:
    """Put a speed limit on a few main roads; most have none, as in the map of a real county."""
    town = shapely.union_all([shapely.MultiPoint(plan.points).convex_hull for plan in people.towns.values()])
    for way in drawing.ways:
        speed, share = SIGNS.get(way.tags.get("highway", ""), ("", 0.0))
        if rng.random() < share:
            x, y = drawing.at(way.nodes)[len(way.nodes) // 2]
            way.tags["maxspeed"] = "CN:urban" if shapely.contains_xy(town, x, y) else speed
