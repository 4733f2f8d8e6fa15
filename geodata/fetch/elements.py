"""Nodes, ways and relations of OSM that were taken, wherever from, and the shapes they make."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
import shapely

from geodata.roads import Floats, Ints
from geodata.ways.osm_tags import Tags

_SHORTEST_RING = 4


class Way(NamedTuple):
    """A way: its nodes in order, and its tags."""

    nodes: Ints
    tags: Tags


class Relation(NamedTuple):
    """A relation: members as (type, id, role), and its tags."""

    members: tuple[tuple[str, int, str], ...]
    tags: Tags

    @property
    def ways(self) -> list[int]:
        """Its member ways."""
        return [member for kind, member, _ in self.members if kind == "w"]


class Placed(NamedTuple):
    """An object with tags and its shape: ``N7``, ``W7``, ``R7`` for node, way and relation 7."""

    id: str
    tags: Tags
    shape: shapely.Geometry


@dataclass(frozen=True, eq=False)
class Elements:
    """What was taken of OSM.

    Attributes
    ----------
    node_id : (nodes,) int64
        Sorted.
    lonlat : (nodes, 2) float64
    node_tags : dict
        Tags of the nodes that have any.
    ways, relations : dict
        By id.
    date : date
        The day whose state of the map this is, as far as the source says.
    """

    node_id: Ints
    lonlat: Floats
    node_tags: dict[int, Tags]
    ways: dict[int, Way]
    relations: dict[int, Relation]
    date: dt.date

    def course(self, nodes: Ints) -> Floats:
        """Coordinates of these nodes; nan where the node was not taken."""
        if len(self.node_id) == 0:
            return np.full((len(nodes), 2), np.nan)
        at = np.minimum(np.searchsorted(self.node_id, nodes), len(self.node_id) - 1)
        return np.where((self.node_id[at] == nodes)[:, None], self.lonlat[at], np.nan)

    def way_shape(self, way: Way, *, closed: bool) -> shapely.Geometry | None:
        """A polygon if the way is a ring and may be one (`closed`), else a line; None where nodes are missing."""
        course = self.course(way.nodes)
        if len(course) <= 1 or np.isnan(course).any() or (course == course[0]).all():
            return None
        if closed and len(course) >= _SHORTEST_RING and way.nodes[0] == way.nodes[-1]:
            area = shapely.Polygon(course)
            if not area.is_valid:
                area = shapely.make_valid(area, method="structure", keep_collapsed=False)
            return None if area.is_empty else area
        return shapely.LineString(course)

    def relation_shape(self, relation: Relation) -> shapely.Geometry | None:
        """The area between the rings of a multipolygon or boundary; None if a way or node is missing, or a ring is not closed."""
        members = relation.ways
        if not members or any(member not in self.ways for member in members):
            return None
        courses = [self.course(self.ways[member].nodes) for member in dict.fromkeys(members)]
        if any(len(course) <= 1 or np.isnan(course).any() for course in courses):
            return None
        areas, *flaws = shapely.polygonize_full([shapely.LineString(course) for course in courses])
        if areas.is_empty or not all(flaw.is_empty for flaw in flaws):
            return None
        return shapely.build_area(shapely.MultiLineString(courses))

    def placed(self) -> Iterable[Placed]:
        """Every tagged object that has a shape; rings are taken as areas unless they are roads. In order of type and id."""
        tagged = np.array(sorted(self.node_tags), dtype=np.int64)
        for node, place in zip(tagged.tolist(), self.course(tagged), strict=True):
            yield Placed(f"N{node}", self.node_tags[node], shapely.Point(place))
        for number, way in sorted(self.ways.items()):
            shape = self.way_shape(way, closed="highway" not in way.tags) if way.tags else None
            if shape is not None:
                yield Placed(f"W{number}", way.tags, shape)
        for number, relation in sorted(self.relations.items()):
            shape = self.relation_shape(relation) if relation.tags.get("type") == "multipolygon" else None
            if shape is not None:
                yield Placed(f"R{number}", relation.tags, shape)


def all_nodes(ways: Iterable[Way]) -> Ints:
    """Distinct nodes of ways, sorted."""
    return np.unique(np.fromiter(chain.from_iterable(way.nodes for way in ways), dtype=np.int64))
