"""Roads from OpenStreetMap files (.osm.pbf .osm .osm.gz .osm.bz2), read by pyosmium.

The ways first, then the nodes they name, so that the order of objects in the file does not matter; mapped water, which an access leg may
not cross, along with them. Ids may be negative (drawn in an editor); of an object that occurs twice the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import osmium
import shapely
from osmium.filter import IdFilter, KeyFilter
from osmium.osm import Node, Relation, Way

from geodata.errors import InputError, Problem
from geodata.extent import Bounds
from geodata.roads import Bools, Floats, Geometries, Ints, Roads
from geodata.ways.osm_tags import Tags, blocked_modes, enterable, is_bridge, is_water_area, is_water_line, maxspeed_kmh, permissions
from geodata.ways.osm_turns import TURN_KEYS, Restriction, keep_clear, take_turns
from geodata.ways.pieces import coded, keep_within, lengths_mm

FORMATS = {".osm.pbf": "pbf", ".pbf": "pbf", ".osm": "osm", ".xml": "osm", ".osm.gz": "osm.gz", ".osm.bz2": "osm.bz2"}
Blocked = npt.NDArray[np.uint8]

# Tags that only describe; they do not part one meaning from another.
_DESCRIBING = ("name", "alt_name", "old_name", "loc_name", "ref", "source", "note", "addr", "wiki", "surface", "lanes", "lit", "width")
_HIGHEST_ID = 1 << 31  # beyond it osmium's filter on ids, a bitmap, takes more than a set of them: up to 1.6 GB for the node ids of today
_DAMAGE = (RuntimeError, ValueError, OSError, MemoryError, ArithmeticError, LookupError, osmium.InvalidLocationError)
_Object = TypeVar("_Object", Node, Way, Relation)


class _Meaning(NamedTuple):
    """What the tags of a way mean."""

    permit: int
    maxspeed_kmh: tuple[float, float]
    unread_maxspeed: tuple[str, ...]
    enterable: bool
    bridge: bool


class _Road(NamedTuple):
    nodes: list[int]
    road_class: str
    name: str
    meaning: _Meaning


@dataclass
class _Ways:
    """The ways of a file that matter, by id."""

    roads: dict[int, _Road] = field(default_factory=dict)
    water_lines: dict[int, list[int]] = field(default_factory=dict)
    water_areas: list[list[list[int]]] = field(default_factory=list)
    highways: set[int] = field(default_factory=set)
    unread_maxspeed: set[str] = field(default_factory=set)
    restrictions: dict[int, Restriction] = field(default_factory=dict)

    def forget(self, way_id: int) -> None:
        """Make room for a newer version of a way, or for none."""
        self.highways.discard(way_id)
        self.roads.pop(way_id, None)
        self.water_lines.pop(way_id, None)


class _Nodes(NamedTuple):
    """The nodes that the ways name: sorted ids, lon and lat (nan where the file lacks the node), one blocked bit a mode."""

    id: Ints
    lonlat: Floats
    blocked: Blocked

    def course(self, refs: list[int]) -> Floats:
        """Coordinates of these nodes."""
        return self.lonlat[np.searchsorted(self.id, np.array(refs, dtype=np.int64))]


def read_roads(path: Path, *, within: Bounds | None = None) -> Roads:
    """Read every road that somebody may walk, cycle or drive on.

    Parameters
    ----------
    path : Path
        An OSM file; its ending tells its format.
    within : (west, south, east, north), optional
        Keep only the pieces whose bounding box meets this one, in degrees.

    Returns
    -------
    Roads

    Raises
    ------
    InputError
        The file is missing, of another format, cut off, without roads, or without roads near `within`.
    """
    file = _open(path)
    with _readable(path):
        ways = _read_ways(file)
        if not ways.roads:
            raise InputError(
                Problem(
                    f"{path.name}：文件中没有可通行的道路（highway 标签）。请换一份含道路的 OSM 文件。",
                    f"{path.name}: the file holds no passable road (tag highway). Use an OSM file with roads.",
                )
            )
        nodes = _read_nodes(file, ways)
    roads = _cut(ways, nodes)
    if len(roads) == 0:
        raise InputError(
            Problem(
                f"{path.name}：道路的坐标点（node）不在文件中。请导出含节点的完整 OSM 文件。",
                f"{path.name}: the nodes of its roads are not in the file. Export a complete OSM file, with nodes.",
            )
        )
    turns, left = take_turns(ways.restrictions, {way_id: road.nodes for way_id, road in ways.roads.items()})
    turns, notes = keep_clear(replace(roads, turns=turns), left, path.name)
    roads = replace(roads, turns=turns, notes=notes)
    return roads if within is None else keep_within(roads, path.name, within)


def _open(path: Path) -> osmium.io.File:
    if path.is_dir():
        raise InputError(Problem(f"{path} 是文件夹，不是路网文件。", f"{path} is a folder, not a road file."))
    if not path.is_file():
        raise InputError(Problem(f"找不到路网文件 {path}。", f"Road file {path} does not exist."))
    name = path.name.lower()
    ending = next((ending for ending in FORMATS if name.endswith(ending)), None)
    if ending is None:
        raise InputError(
            Problem(
                f"{path.name}：不是可读的路网格式；可读的有 {' '.join(FORMATS)}。",
                f"{path.name}: not a road format that can be read; these can: {' '.join(FORMATS)}.",
            )
        )
    if path.stat().st_size == 0:
        raise InputError(
            Problem(f"{path.name}：文件是空的，请重新下载或导出。", f"{path.name}: the file is empty: download or export it again.")
        )
    return osmium.io.File(str(path), FORMATS[ending])


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(
            Problem(
                f"{path.name}：无法作为 OSM 数据读取（{error}）。文件可能不完整或不是 OSM 文件，请重新下载或导出。",
                f"{path.name}: cannot be read as OSM data ({error}). It may be cut off or no OSM file: download or export it again.",
            )
        ) from error


def _objects(
    file: osmium.io.File, kind: type[_Object], *, keys: tuple[str, ...] = (), ids: Iterable[int] | None = None
) -> Iterator[_Object]:
    """Objects of one kind that have one of the keys, or one of the ids."""
    bits = {Node: osmium.osm.NODE, Way: osmium.osm.WAY, Relation: osmium.osm.RELATION}[kind]
    processor = osmium.FileProcessor(file, bits)
    if keys:
        processor = processor.with_filter(KeyFilter(*keys))
    wanted = None if ids is None else set(ids)
    if wanted and min(wanted) >= 0 and max(wanted) < _HIGHEST_ID:
        processor, wanted = processor.with_filter(IdFilter(wanted)), None
    for thing in processor:
        if isinstance(thing, kind) and (wanted is None or thing.id in wanted):
            yield thing


def _tags(thing: Node | Way | Relation) -> Tags:
    return {tag.k: tag.v for tag in thing.tags}


def _read_ways(file: osmium.io.File) -> _Ways:
    ways = _Ways()
    closed: dict[int, list[int]] = {}
    for way in _objects(file, Way, keys=("highway", "waterway", "natural", "landuse")):
        ways.forget(way.id)
        closed.pop(way.id, None)
        if way.deleted:
            continue
        tags, nodes = _tags(way), [node.ref for node in way.nodes]
        _add_road(ways, way.id, tags, nodes)
        if is_water_line(tags):
            ways.water_lines[way.id] = nodes
        if is_water_area(tags):
            closed[way.id] = nodes
    lakes, ways.restrictions = _read_relations(file)
    ways.water_areas = [[nodes] for nodes in closed.values()] + _read_multipolygons(file, lakes)
    return ways


def _add_road(ways: _Ways, way_id: int, tags: Tags, nodes: list[int]) -> None:
    if "highway" not in tags:
        return
    ways.highways.add(way_id)
    meaning = _meaning(frozenset(item for item in tags.items() if not item[0].startswith(_DESCRIBING)))
    if meaning.permit and nodes:
        ways.roads[way_id] = _Road(nodes, tags["highway"], tags.get("name", ""), meaning)
        ways.unread_maxspeed.update(meaning.unread_maxspeed)


@lru_cache(maxsize=10_000)  # most ways of a file are tagged alike
def _meaning(items: frozenset[tuple[str, str]]) -> _Meaning:
    tags = dict(items)
    forward, backward, unread = maxspeed_kmh(tags)
    return _Meaning(permissions(tags), (forward, backward), unread, enterable(tags), is_bridge(tags))


def _read_relations(file: osmium.io.File) -> tuple[dict[int, list[int]], dict[int, Restriction]]:
    """Lakes and wide rivers drawn as relations, by their ways; and turn restrictions."""
    lakes: dict[int, list[int]] = {}
    restrictions: dict[int, Restriction] = {}
    for relation in _objects(file, Relation, keys=("waterway", "natural", "landuse", *TURN_KEYS)):
        lakes.pop(relation.id, None)
        restrictions.pop(relation.id, None)
        if relation.deleted:
            continue
        tags = _tags(relation)
        if tags.get("type") == "multipolygon" and is_water_area(tags):
            lakes[relation.id] = [member.ref for member in relation.members if member.type == "w"]
        if tags.get("type") == "restriction":
            restrictions[relation.id] = Restriction(tags, [(member.type, member.ref, member.role) for member in relation.members])
    return lakes, restrictions


def _read_multipolygons(file: osmium.io.File, relations: dict[int, list[int]]) -> list[list[list[int]]]:
    """The nodes of the ways of relations; those with a way outside the file are left out."""
    members = set(chain.from_iterable(relations.values()))
    found = {way.id: [node.ref for node in way.nodes] for way in _objects(file, Way, ids=members) if not way.deleted} if members else {}
    return [[found[member] for member in rings] for rings in relations.values() if rings and found.keys() >= set(rings)]


def _read_nodes(file: osmium.io.File, ways: _Ways) -> _Nodes:
    courses = chain((road.nodes for road in ways.roads.values()), ways.water_lines.values(), *ways.water_areas)
    wanted = np.unique(np.fromiter(chain.from_iterable(courses), dtype=np.int64))
    ids, lon, lat, barriers = [], [], [], {}
    for node in _objects(file, Node, ids=wanted.tolist()):
        location = node.location
        valid = not node.deleted and location.valid()
        ids.append(node.id)
        lon.append(location.lon if valid else np.nan)
        lat.append(location.lat if valid else np.nan)
        if valid and "barrier" in node.tags:
            barriers[node.id] = blocked_modes(_tags(node))
    lonlat = np.full((len(wanted), 2), np.nan)
    lonlat[np.searchsorted(wanted, np.array(ids, dtype=np.int64))] = np.column_stack([lon, lat])
    blocked = np.zeros(len(wanted), dtype=np.uint8)
    blocked[np.searchsorted(wanted, np.array(list(barriers), dtype=np.int64))] = list(barriers.values())
    return _Nodes(wanted, lonlat, blocked)


def _water(ways: _Ways, nodes: _Nodes) -> Geometries:
    """Rivers, canals and coasts as lines, in parts where the file lacks nodes; lakes and wide rivers as areas, where they are complete."""
    found: list[shapely.Geometry] = []
    for refs in ways.water_lines.values():
        course = nodes.course(refs)
        gaps = np.flatnonzero(np.isnan(course[:, 0]))
        parts = [part[np.isfinite(part[:, 0])] for part in np.split(course, gaps)]
        found += [shapely.LineString(part) for part in parts if len(np.unique(part, axis=0)) > 1]
    for rings in ways.water_areas:
        found += _area([nodes.course(refs) for refs in rings])
    return np.array(found, dtype=object)


def _area(courses: list[Floats]) -> list[shapely.Geometry]:
    """Areas between closed rings, islands left out; none where a ring is not closed, crosses itself or lacks a node."""
    if any(len(course) <= 1 or np.isnan(course).any() for course in courses):
        return []
    areas, *flaws = shapely.polygonize_full([shapely.LineString(course) for course in courses])
    if areas.is_empty or not all(flaw.is_empty for flaw in flaws):
        return []
    return [shapely.build_area(shapely.MultiLineString(courses))]


def _cut(ways: _Ways, nodes: _Nodes) -> Roads:
    """Cut the roads into pieces at junctions, barriers and gaps in the data."""
    roads = list(ways.roads.values())
    vertex = np.searchsorted(nodes.id, np.fromiter(chain.from_iterable(road.nodes for road in roads), dtype=np.int64))
    way = np.repeat(np.arange(len(roads)), [len(road.nodes) for road in roads])
    known = np.isfinite(nodes.lonlat[vertex, 0])
    joint = (np.bincount(vertex, minlength=len(nodes.id)) > 1) | (nodes.blocked > 0)
    first, last = _pieces(way, vertex, known, joint)
    size = last - first + 1
    first_vertex = np.concatenate([[0], np.cumsum(size)])
    course = nodes.lonlat[vertex[np.arange(first_vertex[-1]) + np.repeat(first - first_vertex[:-1], size)]]
    node, ends_at = np.unique(np.concatenate([vertex[first], vertex[last]]), return_inverse=True)
    piece_way = way[first]
    class_names, road_class = coded([road.road_class for road in roads])
    road_names, name = coded([road.name for road in roads])
    return Roads(
        lonlat=course,
        first_vertex=first_vertex,
        tail=ends_at[: len(first)],
        head=ends_at[len(first) :],
        node_id=nodes.id[node],
        way_id=np.array(list(ways.roads), dtype=np.int64)[piece_way],
        road_class=road_class[piece_way],
        class_names=class_names,
        name=name[piece_way],
        road_names=road_names,
        permit=np.array([road.meaning.permit for road in roads], dtype=np.uint8)[piece_way],
        maxspeed_kmh=np.array([road.meaning.maxspeed_kmh for road in roads], dtype=np.float64)[piece_way],
        enterable=np.array([road.meaning.enterable for road in roads], dtype=bool)[piece_way],
        bridge=np.array([road.meaning.bridge for road in roads], dtype=bool)[piece_way],
        blocked=nodes.blocked[node],
        length_mm=lengths_mm(course, first_vertex),
        water=_water(ways, nodes),
        ways_of_file=(len(ways.highways),),
        missing_nodes=int((~known).sum()),
        unread_maxspeed=tuple(sorted(ways.unread_maxspeed)),
    )


def _pieces(way: Ints, vertex: Ints, known: Bools, joint: Bools) -> tuple[Ints, Ints]:
    """Positions of the first and last vertex of each piece, in the list of all vertices of all ways."""
    segment = (way[:-1] == way[1:]) & known[:-1] & known[1:] & (vertex[:-1] != vertex[1:])
    if len(segment) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    begins = segment & np.concatenate([[True], ~segment[:-1] | joint[vertex[1:-1]]])
    ends = segment & np.concatenate([~segment[1:] | joint[vertex[1:-1]], [True]])
    return np.flatnonzero(begins), np.flatnonzero(ends) + 1
