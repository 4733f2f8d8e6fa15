"""The expressway: two one-way carriageways over everything they meet, and interchanges with the main roads."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.examples.curves import hermite
from geodata.examples.drawing import Drawing, Way, segments
from geodata.examples.facts import Facts, Indices, Points, to_plane
from geodata.examples.land import Land

HALF_MEDIAN_M, DECK_M, RAMP_M, FOOT_M, MIDDLE_M = 14.0, 45.0, 620.0, 110.0, 280.0
REF = "G60"


def draw_expressway(facts: Facts, land: Land, drawing: Drawing) -> None:
    """Add carriageways and interchanges to the drawing.

    Parameters
    ----------
    facts : Facts
        Name of the expressway and places of its interchanges.
    land : Land
        Its course and the water it bridges.
    drawing : Drawing
        Changed in place: all other roads are there already.
    """
    course = shapely.LineString(land.expressway)
    roads = [at for at, way in enumerate(drawing.ways) if "highway" in way.tags]
    ramps: dict[bool, list[tuple[float, int]]] = {True: [], False: []}
    first_ramp = len(drawing.ways)
    carriageways = {eastbound: _carriageway(course, eastbound) for eastbound in (True, False)}
    for name, spot in facts.interchanges.items():
        _interchange(drawing, (name, shapely.Point(to_plane(spot)[0])), carriageways, roads, ramps)
    sides, owner = segments(drawing, roads)
    tree = shapely.STRtree(sides)
    for ramp in range(first_ramp, len(drawing.ways)):
        _raise_ramp(drawing, ramp, tree, owner)
    for eastbound, line in carriageways.items():
        _pave(drawing, line, _decks(line, tree, land), ramps[eastbound], facts.sketch["expressway_name"])


def _carriageway(course: shapely.LineString, eastbound: bool) -> shapely.LineString:  # noqa: FBT001 - a private switch
    """Keep right: the eastbound lanes lie south of the middle."""
    side = shapely.offset_curve(course, -HALF_MEDIAN_M if eastbound else HALF_MEDIAN_M)
    line = shapely.segmentize(side, MIDDLE_M)
    return line if eastbound else shapely.reverse(line)


def _decks(line: shapely.LineString, roads: shapely.STRtree, land: Land) -> list[tuple[float, float]]:
    """Stretches of a carriageway, as distances from its start, that run on a bridge."""
    met = roads.geometries[roads.query(line, predicate="intersects")]
    spots = shapely.get_coordinates(shapely.intersection(met, line))
    wet = shapely.get_coordinates(shapely.intersection(line, land.water))
    spans = [(at - DECK_M, at + DECK_M) for at in shapely.line_locate_point(line, shapely.points(spots)).tolist()]
    if len(wet):
        reach = shapely.line_locate_point(line, shapely.points(wet))
        spans.append((float(reach.min()) - DECK_M, float(reach.max()) + DECK_M))
    merged: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((max(start, 1.0), min(end, line.length - 1.0)))
    return merged


def _pave(drawing: Drawing, line: shapely.LineString, decks: list[tuple[float, float]], ramps: list[tuple[float, int]], name: str) -> None:
    """Cut a carriageway into ways at the ends of its bridges; ramps share its nodes."""
    points = shapely.get_coordinates(line)
    stops = {float(at): drawing.add_node(point) for at, point in zip(_along(points), points, strict=True)}
    for at in [edge for deck in decks for edge in deck]:
        stops[at] = drawing.add_node(shapely.get_coordinates(line.interpolate(at))[0])
    stops |= dict(ramps)
    cuts = {edge for deck in decks for edge in deck}
    tags = {"highway": "motorway", "oneway": "yes", "name": name, "ref": REF, "note": "示意", "maxspeed": "120"}
    nodes: list[int] = []
    start = 0.0
    for at in sorted(stops):
        nodes.append(stops[at])
        if (at in cuts and len(nodes) > 1) or at == max(stops):
            raised = any(deck[0] <= (start + at) / 2 <= deck[1] for deck in decks)
            drawing.ways.append(Way(nodes, tags | ({"bridge": "yes", "layer": "1"} if raised else {})))
            nodes, start = [stops[at]], at


def _along(points: Points) -> Points:
    return np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))


def _interchange(
    drawing: Drawing,
    where: tuple[str, shapely.Point],
    carriageways: dict[bool, shapely.LineString],
    roads: list[int],
    ramps: dict[bool, list[tuple[float, int]]],
) -> None:
    """Join the carriageways to the main road that crosses nearest: four ramps, two feet."""
    name, spot = where
    main = [at for at in roads if drawing.ways[at].tags["highway"] in {"trunk", "primary", "secondary", "tertiary"}]
    lines = [shapely.LineString(drawing.at(drawing.ways[at].nodes)) for at in main]
    south = carriageways[True]
    crossing = [at for at, line in enumerate(lines) if line.intersects(south) and line.intersects(carriageways[False])]
    if not crossing:
        return
    road = min(crossing, key=lambda at: lines[at].distance(spot))
    for eastbound, lane in carriageways.items():
        foot = _foot(drawing, main[road], lane, carriageways[not eastbound])
        point = drawing.at([foot])[0]
        middle = lane.project(shapely.intersection(lines[road], lane))
        for leaving in (True, False):
            at = middle - RAMP_M if leaving else middle + RAMP_M
            gore = lane.interpolate(at)
            joint = drawing.add_node(shapely.get_coordinates(gore)[0], {"highway": "motorway_junction", "name": name} if leaving else None)
            ramps[eastbound].append((float(at), joint))
            drawing.ways.append(_ramp(drawing, (joint, foot), point, lane, (at, leaving)))


def _foot(drawing: Drawing, road: int, lane: shapely.LineString, other: shapely.LineString) -> int:
    """Node of the crossing road on the lane's own side of the expressway, about ``FOOT_M`` away from it."""
    nodes = drawing.ways[road].nodes
    spots = shapely.points(drawing.at(nodes))
    away, beyond = shapely.distance(spots, lane), shapely.distance(spots, other)
    score = np.where(away < beyond, np.abs(away - FOOT_M), np.inf)
    return nodes[int(np.argmin(score))]


def _ramp(drawing: Drawing, ends: tuple[int, int], foot: Points, lane: shapely.LineString, place: tuple[float, bool]) -> Way:
    joint, foot_node = ends
    at, leaving = place
    start = drawing.at([joint])[0]
    beside = shapely.get_coordinates(lane.interpolate(at + (50.0 if leaving else -50.0)))[0] - start
    pull = 0.9 * np.hypot(*(foot - start))
    tangent = beside / np.hypot(*beside) * pull
    line = hermite(start, foot, (tangent, (foot - start) * 0.5), np.linspace(0, 1, 8))[1:-1]
    middle = [drawing.add_node(point) for point in line]
    nodes = [joint, *middle, foot_node]
    return Way(nodes if leaving else nodes[::-1], {"highway": "motorway_link", "oneway": "yes"})


def _raise_ramp(drawing: Drawing, ramp: int, roads: shapely.STRtree, owner: Indices) -> None:
    """A ramp that crosses another road does so on a bridge."""
    way = drawing.ways[ramp]
    line = shapely.LineString(drawing.at(way.nodes))
    for hit in roads.query(line, predicate="intersects"):
        road, at = owner[hit]
        if not set(drawing.ways[road].nodes[at : at + 2]) & set(way.nodes):
            way.tags |= {"bridge": "yes", "layer": "1"}
