"""Roads from OpenStreetMap files (.osm.pbf .osm .osm.gz .osm.bz2), read by pyosmium.

Two passes: the ways with a highway tag, then the nodes they name, so that the order of objects in the file does not matter; and a third
for mapped water, which an access leg may not cross.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import osmium
import shapely
from osmium.filter import IdFilter, KeyFilter, TagFilter

from geodata.errors import InputError, Problem
from geodata.osm_tags import blocked_modes, enterable, maxspeed_kmh, permissions
from geodata.roads import Bools, Floats, Geometries, Ints, Roads, great_circle_m

ENDINGS = (".osm.pbf", ".pbf", ".osm", ".osm.gz", ".osm.bz2", ".xml")
Bounds = tuple[float, float, float, float]

_WATER_AREAS = (("natural", "water"), ("waterway", "riverbank"), ("landuse", "reservoir"))
_WATER_LINES = (("waterway", "river"), ("waterway", "canal"), ("natural", "coastline"))


@dataclass
class _Ways:
    """The road ways of a file as flat lists, a row a way."""

    way_id: list[int] = field(default_factory=list)
    permit: list[int] = field(default_factory=list)
    road_class: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    maxspeed: list[tuple[float, float]] = field(default_factory=list)
    enterable: list[bool] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    nodes: list[int] = field(default_factory=list)
    highway_ways: int = 0
    unread_maxspeed: set[str] = field(default_factory=set)


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
    _check_name(path)
    with _readable(path):
        ways = _read_ways(path)
        if not ways.nodes:
            raise InputError(
                Problem(
                    f"{path.name}：文件中没有可通行的道路（highway 标签）。请换一份含道路的 OSM 文件。",
                    f"{path.name}: the file holds no passable road (tag highway). Use an OSM file with roads.",
                )
            )
        refs = np.array(ways.nodes, dtype=np.int64)
        node_id = np.unique(refs)
        lonlat, blocked = _read_nodes(path, node_id)
        water = _read_water(path)
    vertex = np.searchsorted(node_id, refs)
    known = np.isfinite(lonlat[vertex, 0])
    roads = _cut(ways, vertex, known, node_id, lonlat, blocked, water)
    return _keep(roads, path, within)


def _check_name(path: Path) -> None:
    if not path.is_file():
        raise InputError(Problem(f"找不到路网文件 {path}。", f"Road file {path} does not exist."))
    if not path.name.lower().endswith(ENDINGS):
        raise InputError(
            Problem(
                f"{path.name}：不是可读的路网格式；可读的有 {' '.join(ENDINGS)}。",
                f"{path.name}: not a road format that can be read; these can: {' '.join(ENDINGS)}.",
            )
        )


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(
            Problem(
                f"{path.name}：无法作为 OSM 数据读取（{error}）。文件可能不完整或不是 OSM 文件，请重新下载或导出。",
                f"{path.name}: cannot be read as OSM data ({error}). It may be cut off or no OSM file: download or export it again.",
            )
        ) from error


def _read_ways(path: Path) -> _Ways:
    ways = _Ways()
    for way in osmium.FileProcessor(str(path), osmium.osm.WAY).with_filter(KeyFilter("highway")):
        if way.deleted:
            continue
        ways.highway_ways += 1
        tags = {tag.k: tag.v for tag in way.tags}
        permit = permissions(tags)
        if not permit:
            continue
        nodes = [node.ref for node in way.nodes]
        forward, backward, unread = maxspeed_kmh(tags)
        ways.way_id.append(way.id)
        ways.permit.append(permit)
        ways.road_class.append(tags["highway"])
        ways.name.append(tags.get("name", ""))
        ways.maxspeed.append((forward, backward))
        ways.enterable.append(enterable(tags))
        ways.size.append(len(nodes))
        ways.nodes.extend(nodes)
        ways.unread_maxspeed.update(unread)
    return ways


def _read_nodes(path: Path, node_id: Ints) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """Lon, lat (nan where the file lacks the node) and blocked bits of the nodes."""
    ids, lon, lat, barriers = [], [], [], {}
    for node in osmium.FileProcessor(str(path), osmium.osm.NODE).with_filter(IdFilter(node_id.tolist())):
        location = node.location
        if node.deleted or not location.valid():
            continue
        ids.append(node.id)
        lon.append(location.lon)
        lat.append(location.lat)
        if "barrier" in node.tags:
            barriers[node.id] = blocked_modes({tag.k: tag.v for tag in node.tags})
    lonlat = np.full((len(node_id), 2), np.nan)
    lonlat[np.searchsorted(node_id, np.array(ids, dtype=np.int64))] = np.column_stack([lon, lat])
    blocked = np.zeros(len(node_id), dtype=np.uint8)
    blocked[np.searchsorted(node_id, np.array(list(barriers), dtype=np.int64))] = list(barriers.values())
    return lonlat, blocked


def _read_water(path: Path) -> Geometries:
    """Lakes and wide rivers as polygons, rivers, canals and coastlines as lines."""
    factory = osmium.geom.WKBFactory()
    found: list[str] = []
    areas = TagFilter(*_WATER_AREAS)
    processor = osmium.FileProcessor(str(path)).with_areas(areas).with_filter(TagFilter(*_WATER_AREAS, *_WATER_LINES))
    for thing in processor:
        try:
            if thing.is_area():
                if any(thing.tags.get(key) == value for key, value in _WATER_AREAS):
                    found.append(factory.create_multipolygon(thing))
            elif thing.is_way() and any(thing.tags.get(key) == value for key, value in _WATER_LINES) and "tunnel" not in thing.tags:
                found.append(factory.create_linestring(thing))
        except (RuntimeError, osmium.InvalidLocationError):
            continue  # cut off at the edge of the extract: it has no geometry
    return np.array(shapely.from_wkb(np.array(found, dtype=object)), dtype=object).reshape(-1)


def _cut(
    ways: _Ways,
    vertex: Ints,
    known: Bools,
    node_id: Ints,
    lonlat: Floats,
    blocked: np.ndarray[tuple[int], np.dtype[np.uint8]],
    water: Geometries,
) -> Roads:
    """Cut the ways into pieces at junctions, barriers and gaps in the data."""
    way = np.repeat(np.arange(len(ways.size)), ways.size)
    joint = (np.bincount(vertex, minlength=len(node_id)) > 1) | (blocked > 0)
    segment = (way[:-1] == way[1:]) & known[:-1] & known[1:] & (vertex[:-1] != vertex[1:])
    begins = segment & np.concatenate([[True], ~segment[:-1] | joint[vertex[1:-1]]])
    ends = segment & np.concatenate([~segment[1:] | joint[vertex[1:-1]], [True]])
    first, last = np.flatnonzero(begins), np.flatnonzero(ends) + 1
    size = last - first + 1
    first_vertex = np.concatenate([[0], np.cumsum(size)])
    within_piece = np.arange(first_vertex[-1]) - np.repeat(first_vertex[:-1], size)
    course = lonlat[vertex[np.repeat(first, size) + within_piece]]
    step_m = np.append(great_circle_m(course[:-1], course[1:]), 0.0)
    step_m[first_vertex[1:] - 1] = 0.0  # no step from one piece to the next
    node, ends_at = np.unique(np.concatenate([vertex[first], vertex[last]]), return_inverse=True)
    piece_way = way[first]
    class_names, road_class = np.unique(np.array(ways.road_class, dtype=object).astype(str), return_inverse=True)
    road_names = sorted(set(ways.name))
    name_at = {name: position for position, name in enumerate(road_names)}
    return Roads(
        lonlat=course,
        first_vertex=first_vertex,
        tail=ends_at[: len(first)],
        head=ends_at[len(first) :],
        node_id=node_id[node],
        way_id=np.array(ways.way_id, dtype=np.int64)[piece_way],
        road_class=road_class[piece_way],
        class_names=tuple(class_names.tolist()),
        name=np.array([name_at[name] for name in ways.name], dtype=np.int64)[piece_way],
        road_names=tuple(road_names),
        permit=np.array(ways.permit, dtype=np.uint8)[piece_way],
        maxspeed_kmh=np.array(ways.maxspeed, dtype=np.float64).reshape(-1, 2)[piece_way],
        enterable=np.array(ways.enterable, dtype=bool)[piece_way],
        blocked=blocked[node],
        length_mm=np.rint(np.add.reduceat(step_m, first_vertex[:-1]) * 1000).astype(np.int64) if len(first) else np.zeros(0, np.int64),
        water=water,
        highway_ways=ways.highway_ways,
        missing_nodes=int((~known).sum()),
        unread_maxspeed=tuple(sorted(ways.unread_maxspeed)),
    )


def _keep(roads: Roads, path: Path, within: Bounds | None) -> Roads:
    """Only the pieces that meet `within`, and say so if there are none."""
    if len(roads) == 0:
        raise InputError(
            Problem(
                f"{path.name}：道路的坐标点（node）不在文件中。请导出含节点的完整 OSM 文件。",
                f"{path.name}: the nodes of its roads are not in the file. Export a complete OSM file, with nodes.",
            )
        )
    if within is None:
        return roads
    west, south, east, north = within
    starts = roads.first_vertex[:-1]
    low, high = np.minimum.reduceat(roads.lonlat, starts), np.maximum.reduceat(roads.lonlat, starts)
    near = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    if not near.any():
        has, wants = (", ".join(f"{degree:.3f}" for degree in bounds) for bounds in (roads.bounds, within))
        raise InputError(
            Problem(
                f"{path.name}：道路（{has}）与本县范围（{wants}，西南东北）不相交。请检查是否选错了文件，或坐标是否为 WGS84。",
                f"{path.name}: its roads ({has}) do not touch the region ({wants}; west, south, east, north). "
                "Is it the right file, and are the region's coordinates WGS84?",
            )
        )
    kept_water = roads.water[shapely.intersects(roads.water, shapely.box(*within))]
    return replace(roads.take(np.flatnonzero(near)), water=kept_water)
