"""New lines joined to roads that are there: where they cross, end on, or pass within a few metres of a junction.

The pieces that are there stay whole, and those that are joined between their ends are given a second time, in parts: nobody loses a way,
were it by a rounded millisecond, so that a new road never lowers anybody's access.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations, pairwise, product
from typing import Any

import numpy as np
import shapely
from shapely import ops

from geodata.extent import KM_PER_DEGREE
from geodata.roads import Bools, Floats, Geometries, Ints, Roads
from geodata.ways.pieces import Piece, build_roads, cut_pieces

JOIN_M = 10.0  # a line drawn on a map ends so near to the road it is meant to meet
_PIECE_FIELDS = ("way_id", "permit", "maxspeed_kmh", "enterable", "bridge", "length_mm")


@dataclass(frozen=True, eq=False)
class Added:
    """Roads with new lines.

    Attributes
    ----------
    roads : Roads
        First the pieces that were there, as they were; then parts of some of them; then the pieces of the lines.
    whole : (pieces,) int64
        The piece that a part is part of; -1 for the others.
    line : (pieces,) int64
        The line that a piece belongs to; -1 for the others.
    """

    roads: Roads
    whole: Ints
    line: Ints


@dataclass(frozen=True)
class _Joint:
    """Where a line meets something: how far along the line, and at which node (the new ones are numbered later)."""

    along_m: float
    node: tuple[str, int]  # ("node", position), ("cut", number), ("cross", number) or ("end", number)


def add_lines(roads: Roads, lines: Sequence[shapely.LineString], pieces: Sequence[Piece]) -> Added:
    """Join new lines to roads, and to one another.

    A line is joined to a junction or dead end within ``JOIN_M`` metres of it, to a road that it crosses, and where it ends within
    ``JOIN_M`` of a road. It passes over or under motorways, tunnels and bridges; a motorway or a tunnel is joined at its own ends only.

    Parameters
    ----------
    roads : Roads
    lines : sequence of LineStrings, WGS84
    pieces : sequence of Piece
        What each line is.

    Returns
    -------
    Added
    """
    scale = plane_scale(roads)
    plane = [shapely.transform(line, lambda degrees: degrees * scale) for line in lines]
    old = roads.lines(roads.lonlat * scale)
    joints, cuts = _joints_with_roads(roads, old, plane, [piece.enterable for piece in pieces])
    for number, (one, other, where) in enumerate(_crossings(plane, [piece.enterable for piece in pieces])):
        for line in (one, other):
            joints[line].append(_Joint(float(shapely.line_locate_point(plane[line], where)), ("cross", number)))
    runs = [_run(number, line.length, found) for number, (line, found) in enumerate(zip(plane, joints, strict=True))]
    cut, parts, whole, cut_node = _cut(roads, old, cuts)
    node = _numbered(roads, cut_node, runs)
    stretches = [(at, a, b) for at, run in enumerate(runs) for a, b in pairwise(run)]
    courses = [shapely.transform(_stretch(plane[at], a, b), lambda metres: metres / scale) for at, a, b in stretches]
    ends = np.array([(node[a.node], node[b.node]) for _, a, b in stretches], dtype=np.int64).reshape(-1, 2)
    new = build_roads(np.array([*courses, None], dtype=object)[:-1], ends, [pieces[at] for at, _, _ in stretches])
    both = _behind(_behind(roads, cut, parts, cut.tail[parts], cut.head[parts]), new, np.arange(len(new)), *ends.T)
    of_line = np.array([at for at, _, _ in stretches], dtype=np.int64)
    none = np.full(len(roads), -1)
    return Added(
        roads=_with_nodes(both),
        whole=np.concatenate([none, whole, np.full(len(new), -1)]),
        line=np.concatenate([none, np.full(len(whole), -1), of_line]),
    )


def plane_scale(roads: Roads) -> Floats:
    """Metres a degree of longitude and latitude at the middle of the roads: exact enough for a few metres."""
    return KM_PER_DEGREE * 1000 * np.array([np.cos(np.radians(roads.lonlat[:, 1].mean())), 1.0])


def _joints_with_roads(
    roads: Roads, old: Geometries, plane: Sequence[shapely.LineString], enterable: Sequence[bool]
) -> tuple[list[list[_Joint]], list[tuple[int, float]]]:
    """Joints of each line with the roads, and where these have to be cut: piece, and metres from its start."""
    tree = shapely.STRtree(old)
    entered = np.zeros(len(roads.node_id), dtype=bool)
    entered[np.concatenate([roads.tail[roads.enterable], roads.head[roads.enterable]])] = True
    joints: list[list[_Joint]] = []
    cuts: list[tuple[int, float]] = []
    for line, open_ in zip(plane, enterable, strict=True):
        near = np.sort(tree.query(line, predicate="dwithin", distance=JOIN_M))
        found = _at_nodes(roads, near, old, line, entered if open_ else None)
        for piece in near.tolist():
            if roads.enterable[piece] and not roads.bridge[piece]:
                for along, at in _on_piece(line, old[piece], crosses=open_):
                    found.append(_Joint(along, ("cut", len(cuts))))
                    cuts.append((piece, at))
        joints.append(found)
    return joints, cuts


def _at_nodes(roads: Roads, near: Ints, old: Geometries, line: shapely.LineString, entered: Bools | None) -> list[_Joint]:
    """Joints at junctions and dead ends beside a line; a motorway (`entered` None) has them at its ends only, with any sort of road."""
    nodes = np.concatenate([roads.tail[near], roads.head[near]])
    places = np.concatenate([shapely.get_point(old[near], 0), shapely.get_point(old[near], -1)])
    node, first = np.unique(nodes, return_index=True)
    place = places[first]
    close = shapely.distance(place, line if entered is not None else line.boundary) <= JOIN_M
    if entered is not None:
        close &= entered[node]
    along = shapely.line_locate_point(line, place[close])
    return [_Joint(at, ("node", one)) for at, one in zip(along.tolist(), node[close].tolist(), strict=True)]


def _on_piece(line: shapely.LineString, piece: shapely.LineString, *, crosses: bool) -> list[tuple[float, float]]:
    """Where a line meets a piece, but for the piece's own ends: metres along the line, and along the piece; each place once."""
    met = [(float(shapely.line_locate_point(piece, place)), place) for place in _meeting(line, piece, crosses=crosses)]
    meets = line if crosses else line.boundary
    at_ends = [shapely.get_point(piece, end).distance(meets) <= JOIN_M for end in (0, -1)]  # a joint at a node
    found: list[tuple[float, float]] = []
    for at, place in sorted(met, key=lambda one: one[0]):
        beside_end = (at <= JOIN_M and at_ends[0]) or (piece.length - at <= JOIN_M and at_ends[1])
        if not beside_end and not any(at - before <= JOIN_M for _, before in found):
            found.append((float(shapely.line_locate_point(line, place)), at))
    return found


def _meeting(line: shapely.LineString, other: shapely.LineString, *, crosses: bool) -> list[shapely.Point]:
    """Ends of a line beside another, and where it crosses it; of a stretch that they share its corners."""
    ends = [end for end in shapely.get_parts(line.boundary) if end.distance(other) <= JOIN_M]
    return ends + list(shapely.points(shapely.get_coordinates(shapely.intersection(line, other)))) * crosses


def _crossings(plane: Sequence[shapely.LineString], enterable: Sequence[bool]) -> list[tuple[int, int, shapely.Point]]:
    """Where new lines meet one another: both lines, and the place, each once."""
    found: list[tuple[int, int, shapely.Point]] = []
    for one, other in combinations(range(len(plane)), 2):
        crosses = enterable[one] and enterable[other]
        places = _meeting(plane[one], plane[other], crosses=crosses) + _meeting(plane[other], plane[one], crosses=False)
        mine: list[shapely.Point] = []
        for place in sorted(places, key=lambda at: (at.x, at.y)):
            if all(place.distance(before) > JOIN_M for before in mine):
                mine.append(place)
        found += [(one, other, place) for place in mine]
    return found


def _run(number: int, length_m: float, joints: Sequence[_Joint]) -> list[_Joint]:
    """Joints along a line, with its own ends where none is near them."""
    run = sorted(joints, key=lambda joint: (joint.along_m, joint.node))
    if not run or run[0].along_m > JOIN_M:
        run.insert(0, _Joint(0.0, ("end", 2 * number)))
    if len(run) == 1 or run[-1].along_m < length_m - JOIN_M:
        run.append(_Joint(length_m, ("end", 2 * number + 1)))
    return run


def _cut(roads: Roads, old: Geometries, cuts: Sequence[tuple[int, float]]) -> tuple[Roads, Ints, Ints, Ints]:
    """Roads cut in parts: which of their pieces are parts, the piece that each is part of, and the node of each cut."""
    piece = np.array([one for one, _ in cuts], dtype=np.int64)
    if len(piece) == 0:
        return roads, piece, piece, piece
    segment, share = zip(*(_place_on(old[one], at) for one, at in cuts), strict=True)
    cut, node = cut_pieces(roads, roads.first_vertex[piece] + segment, np.array(share))
    times = np.bincount(piece, minlength=len(roads))
    of = np.repeat(np.arange(len(roads)), 1 + times)
    parts = np.flatnonzero(times[of] > 0)
    return cut, parts, of[parts], node


def _place_on(line: shapely.LineString, at_m: float) -> tuple[int, float]:
    """The segment of a line, and the share of it, so many metres from its start."""
    step = np.hypot(*np.diff(shapely.get_coordinates(line), axis=0).T)
    run = np.concatenate([[0.0], np.cumsum(step)])
    segment = min(int(np.searchsorted(run, at_m, side="right")) - 1, len(step) - 1)
    return segment, float(np.clip((at_m - run[segment]) / max(step[segment], 1e-9), 0.0, 1.0))


def _numbered(roads: Roads, cut_node: Ints, runs: Sequence[Sequence[_Joint]]) -> dict[tuple[str, int], int]:
    """Positions of the nodes that the lines run between."""
    named = {joint.node for run in runs for joint in run}
    known = {("cut", number): node for number, node in enumerate(cut_node.tolist())}
    known |= {one: one[1] for one in named if one[0] == "node"}
    new = sorted(named - known.keys())
    return known | {one: len(roads.node_id) + len(cut_node) + at for at, one in enumerate(new)}


def _stretch(line: shapely.LineString, a: _Joint, b: _Joint) -> shapely.LineString:
    """The line between two joints."""
    part = ops.substring(line, a.along_m, b.along_m)
    return part if part.geom_type == "LineString" else shapely.LineString([part, part])


def _behind(roads: Roads, more: Roads, rows: Ints, tail: Ints, head: Ints) -> Roads:
    """Roads with some pieces of others behind their own, between these nodes."""
    class_names, road_names = (
        (*mine, *sorted(set(others) - set(mine)))
        for mine, others in ((roads.class_names, more.class_names), (roads.road_names, more.road_names))
    )
    size = np.diff(more.first_vertex)[rows]
    vertices = list(chain.from_iterable(range(more.first_vertex[row], more.first_vertex[row + 1]) for row in rows.tolist()))
    columns: dict[str, Any] = {field: np.concatenate([getattr(roads, field), getattr(more, field)[rows]]) for field in _PIECE_FIELDS}
    return replace(
        roads,
        lonlat=np.concatenate([roads.lonlat, more.lonlat[vertices].reshape(-1, 2)]),
        first_vertex=np.concatenate([roads.first_vertex, roads.first_vertex[-1] + np.cumsum(size)]),
        tail=np.concatenate([roads.tail, tail]),
        head=np.concatenate([roads.head, head]),
        class_names=class_names,
        road_class=np.concatenate([roads.road_class, _codes(more.class_names, class_names)[more.road_class[rows]]]),
        road_names=road_names,
        name=np.concatenate([roads.name, _codes(more.road_names, road_names)[more.name[rows]]]),
        **columns,
    )


def _codes(names: Sequence[str], known: Sequence[str]) -> Ints:
    return np.array([known.index(name) for name in names], dtype=np.int64)


def _with_nodes(roads: Roads) -> Roads:
    """Roads whose pieces end at new nodes, with these among the nodes."""
    more = max(int(roads.tail.max()), int(roads.head.max())) + 1 - len(roads.node_id)
    new_id = int(roads.node_id.max()) + 1 + np.arange(more)
    return replace(
        roads,
        node_id=np.concatenate([roads.node_id, new_id]),
        blocked=np.concatenate([roads.blocked, np.zeros(more, dtype=np.uint8)]),
    )


def with_parts(runs: Ints, first: Ints, parts: Mapping[int, Sequence[int]]) -> tuple[Ints, Ints]:
    """Forbidden sequences of runs (``geodata.turns.forbidden_runs``), and again with parts of pieces in place of the pieces.

    Parameters
    ----------
    runs, first : int64
        Sequence i is ``runs[first[i]:first[i + 1]]``, of whole pieces.
    parts : mapping of piece to pieces
        In the order along the piece.

    Returns
    -------
    runs : int64
    first : int64
    """
    found: list[tuple[int, ...]] = []
    for start, end in pairwise(first.tolist()):
        sequence = runs[start:end].tolist()
        chains = [_driven(run, parts) for run in sequence]
        into = [chains[0][-1:], *chains[1:-1], chains[-1][:1]]  # one who comes from a part, or turns into one, may not do so either
        found += [tuple(chain(*one)) for one in product(*({(run,), more} for run, more in zip(sequence, into, strict=True)))]
    found = sorted(set(found))
    return np.array(list(chain(*found)), dtype=np.int64), np.cumsum([0, *map(len, found)], dtype=np.int64)


def _driven(run: int, parts: Mapping[int, Sequence[int]]) -> tuple[int, ...]:
    """The runs along the parts of a piece, in the order in which they are driven."""
    piece, against = divmod(run, 2)
    along = [2 * part + against for part in parts.get(piece, (piece,))]
    return tuple(along[:: -1 if against else 1])
