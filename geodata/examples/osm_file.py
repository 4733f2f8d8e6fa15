"""Write a drawing as an OSM extract: nodes, ways and relations, sorted, with positive ids."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import osmium
import shapely
from osmium.osm import mutable

from geodata.examples.drawing import Drawing, Way
from geodata.examples.facts import Points, to_degrees
from geodata.examples.land import Land

FIRST_NODE, FIRST_WAY, FIRST_RELATION = 1_000_001, 500_001, 9_001
GENERATOR = "circle15 example (illustrative 示意)"


def draw_water(drawing: Drawing, land: Land, river_name: str) -> None:
    """Add lakes, the island's shore, the river's surface and its course to the drawing.

    Parameters
    ----------
    drawing : Drawing
        Changed in place; a lake with an island becomes a multipolygon relation.
    land : Land
        The water.
    river_name : str
        Name of the river.
    """
    for name, lake in land.lakes.items():
        tags = {"natural": "water", "water": "lake", "name": name, "note": "示意"}
        if not lake.interiors:
            drawing.add_line(_ring(lake.exterior), tags, closed=True)
            continue
        outer = drawing.add_line(_ring(lake.exterior), {}, closed=True)
        inner = [drawing.add_line(_ring(hole), {"place": "island", "note": "示意"}, closed=True) for hole in lake.interiors]
        drawing.relations.append(([(outer, "outer"), *((way, "inner") for way in inner)], {"type": "multipolygon", **tags}))
    surface = {"natural": "water", "water": "river", "name": river_name, "note": "示意"}
    drawing.add_line(_ring(land.river.exterior), surface, closed=True)
    drawing.add_line(land.river_line, {"waterway": "river", "name": river_name, "note": "示意"})


def write_osm(drawing: Drawing, path: Path) -> None:
    """Write all nodes in use, ways and relations; the suffix of the path decides the format.

    Parameters
    ----------
    drawing : Drawing
        The map.
    path : pathlib.Path
        File to write or replace.
    """
    places = to_degrees(drawing.points)
    ways = [_clean(way, places) for way in drawing.ways]
    used = sorted({node for way in ways for node in way.nodes})
    number = {node: FIRST_NODE + order for order, node in enumerate(used)}
    header = osmium.io.Header()
    header.set("generator", GENERATOR)
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for node in used:
            lon, lat = places[node].tolist()
            tags = drawing.node_tags.get(node, {})
            writer.add_node(mutable.Node(id=number[node], version=1, visible=True, location=(lon, lat), tags=tags))
        for order, way in enumerate(ways):
            nodes = [number[node] for node in way.nodes]
            writer.add_way(mutable.Way(id=FIRST_WAY + order, version=1, visible=True, nodes=nodes, tags=way.tags))
        for order, (members, tags) in enumerate(drawing.relations):
            parts = [("w", FIRST_WAY + way, role) for way, role in members]
            writer.add_relation(mutable.Relation(id=FIRST_RELATION + order, version=1, visible=True, members=parts, tags=tags))


def _ring(ring: shapely.LinearRing) -> Points:
    corners: Points = shapely.get_coordinates(ring)[:-1]
    return corners


def _clean(way: Way, places: Points) -> Way:
    """Drop a node that repeats the one before it."""
    nodes = [way.nodes[0]]
    nodes.extend(node for before, node in zip(way.nodes, way.nodes[1:], strict=False) if node != before)
    if not np.isfinite(places[nodes]).all():
        raise AssertionError("a node of the example has no place")
    return Way(nodes, way.tags)
