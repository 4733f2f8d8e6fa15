"""A county out of a province's or country's extract, streaming by pyosmium: what does not lie near the county is never kept.

The file is gone through several times: relations, nodes near the county, the ways that touch them, the ways that complete a touched
relation (a lake that reaches far out is taken whole), and the nodes that these still lack. A filter on node ids would be a bitmap over all
ids that OSM ever gave (1.5 GB); what is near takes a fraction.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import osmium
from osmium.filter import KeyFilter

from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.extent import Bounds
from geodata.fetch.boundary import Boundary, relation_number, short_name
from geodata.fetch.elements import Elements, Relation, Way, all_nodes
from geodata.fetch.tags import is_administrative, is_turn, name_of, names_of, tag_table
from geodata.roads import Bools, Floats, Ints
from geodata.ways.osm import FORMATS
from geodata.ways.osm_tags import Tags, is_water_area
from geodata.ways.osm_turns import TURN_KEYS

Say = Callable[[str, str], None]
_Object = TypeVar("_Object", osmium.osm.Node, osmium.osm.Way, osmium.osm.Relation)
_DAMAGE = (RuntimeError, ValueError, OSError, MemoryError, LookupError, osmium.InvalidLocationError)
_TO_DEGREES = 1e-7
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NODE_KEYS = ("barrier", "entrance")  # gates and bollards: kept with the roads and outlines that they stand on


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Say of a damaged or missing file, in our words, that it cannot be read."""
    if not path.is_file() or not path.name.lower().endswith(tuple(FORMATS)):
        known = " ".join(FORMATS)
        raise InputError(
            Problem(
                f"{path}：没有这个文件，或不是 OSM 文件（{known}）。", f"{path}: there is no such file, or it is not an OSM file ({known})."
            )
        )
    try:
        yield
    except (InputError, OptionError):
        raise
    except _DAMAGE as error:
        raise InputError(
            Problem(
                f"{path.name}：无法作为 OSM 数据读取（{error}）。文件可能不完整，请重新下载。",
                f"{path.name}: cannot be read as OSM data ({error}). It may be cut off: download it again.",
            )
        ) from error


def find_boundary(path: Path, place: str) -> Boundary:
    """Find the administrative boundary that has the place's first part as a name, or the number R123.

    Raises
    ------
    OptionError
        There is none, or there are several: they are listed.
    InputError
        The file lacks a part of the boundary.
    """
    number, name = relation_number(place), short_name(place)
    with readable(path):
        known = {relation: taken for relation, taken in _relations(path, ("boundary",)) if is_administrative(taken.tags)}
        found = {number: known[number]} if number in known else _named(known, name)
        if len(found) != 1:
            raise _ambiguous(path, place, found)
        [(relation, taken)] = found.items()
        ways = dict(_ways(path, wanted=set(taken.ways)))
        nodes = _nodes_of(path, all_nodes(ways.values()))
    shape = Elements(nodes.id, nodes.lonlat, {}, ways, found, dt.date.min).relation_shape(taken)
    if shape is None:
        raise InputError(
            Problem(
                f"{path.name}：边界 R{relation}（{place}）在文件中不完整。请用更大范围的文件，或用 --boundary 给出县界。",
                f"{path.name}: boundary R{relation} ({place}) is not complete in the file. Use a wider extract, or give it by --boundary.",
            )
        )
    return Boundary(name_of(taken.tags) or place, shape, source=f"OpenStreetMap R{relation}", relation=relation)


def _named(known: dict[int, Relation], name: str) -> dict[int, Relation]:
    """Those that have the name, else those in whose names it is a word (“موهيلي Mwali”)."""
    whole = {number: one for number, one in known.items() if name in names_of(one.tags)}
    return whole or {number: one for number, one in known.items() if any(name in full.split() for full in names_of(one.tags))}


def _ambiguous(path: Path, place: str, found: dict[int, Relation]) -> OptionError:
    if not found:
        return OptionError(
            Problem(
                f"{path.name} 中没有名为“{place}”的行政边界。请核对名称，或用 --boundary 给出县界。",
                f"{path.name} has no administrative boundary named {place!r}. Check the name, or give the boundary by --boundary.",
            )
        )
    listed = first_few(f"R{number} {name_of(one.tags)} (admin_level {one.tags.get('admin_level', '?')})" for number, one in found.items())
    return OptionError(
        Problem(f"“{place}”有多个：{listed}。请用编号代替名称，如 R123。", f"{place!r} is several: {listed}. Give the number as PLACE.")
    )


def read_elements(path: Path, *, within: Bounds, core: Bounds, say: Say) -> Elements:
    """Take what matters near a county out of an OSM file.

    Parameters
    ----------
    path : Path
        An OSM file of any size.
    within : Bounds
        The county with its buffer: roads, water and facilities are taken here.
    core : Bounds
        The county alone: buildings, settlements and residential land are taken here.
    say : callable
        Told, in both languages, what is being done.
    """
    table = tag_table()
    with readable(path):
        say("1/4 边界、湖泊、转向限制（关系）……", "1/4 boundaries, lakes and turn restrictions (relations) …")
        relations = {number: one for number, one in _relations(path, (*table.keys, "boundary", *TURN_KEYS)) if _is_of_ours(one.tags)}
        say("2/4 县域附近的点……", "2/4 nodes near the county …")
        near = _nodes_within(path, within)
        say("3/4 道路、水系、设施、建筑……", "3/4 roads, water, facilities, buildings …")
        ids = set(near.id.tolist())
        ways = {
            number: way
            for number, way in _ways(path, keys=table.keys, near=ids)
            if table.is_needed_in_buffer(way.tags) or near.has(way.nodes[0], core)
        }
        touched = {number for number, _ in _ways(path, wanted=_members(relations), near=ids)}
        relations = {number: one for number, one in relations.items() if not touched.isdisjoint(one.ways)}
        ways |= dict(_ways(path, wanted=_members(relations) - ways.keys()))
        say("4/4 补全伸出范围的道路与水面……", "4/4 completing roads and water that reach out …")
        nodes = _completed(path, near, np.union1d(all_nodes(ways.values()), np.array(sorted(near.tags), dtype=np.int64)))
        date = _date(path)
    return Elements(nodes.id, nodes.lonlat, near.tags, dict(sorted(ways.items())), dict(sorted(relations.items())), date)


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Nodes: sorted ids, degrees, and the tags of those that have one that matters."""

    id: Ints
    lonlat: Floats
    tags: dict[int, Tags]

    def has(self, node: int, bounds: Bounds) -> bool:
        """Tell whether a node is one of these, and within bounds."""
        at = int(np.searchsorted(self.id, node))
        if at == len(self.id) or self.id[at] != node:
            return False
        (lon, lat), (west, south, east, north) = self.lonlat[at], bounds
        return bool(west <= lon <= east and south <= lat <= north)


def _is_of_ours(tags: Tags) -> bool:
    if is_turn(tags):
        return True
    if is_administrative(tags):
        return tags.get("admin_level") in tag_table().townships.levels
    return tags.get("type") == "multipolygon" and (is_water_area(tags) or tag_table().rule(tags) is not None or tag_table().is_local(tags))


def _members(relations: dict[int, Relation]) -> set[int]:
    return {member for relation in relations.values() for member in relation.ways}


def _objects(path: Path, kind: type[_Object], keys: tuple[str, ...] = ()) -> Iterator[_Object]:
    bits = {osmium.osm.Node: osmium.osm.NODE, osmium.osm.Way: osmium.osm.WAY, osmium.osm.Relation: osmium.osm.RELATION}[kind]
    processor = osmium.FileProcessor(path, bits)
    for thing in processor.with_filter(KeyFilter(*keys)) if keys else processor:
        if isinstance(thing, kind):
            yield thing


def _relations(path: Path, keys: tuple[str, ...]) -> Iterator[tuple[int, Relation]]:
    for thing in _objects(path, osmium.osm.Relation, keys):
        if not thing.deleted:
            members = tuple((member.type, member.ref, member.role) for member in thing.members)
            yield thing.id, Relation(members, dict(thing.tags))


def _ways(
    path: Path, *, keys: tuple[str, ...] = (), wanted: AbstractSet[int] | None = None, near: AbstractSet[int] | None = None
) -> Iterator[tuple[int, Way]]:
    """Ways that have one of the keys, or one of the ids, and that have one of the nodes."""
    if wanted is not None and not wanted:
        return
    for thing in _objects(path, osmium.osm.Way, keys):
        if thing.deleted or (wanted is not None and thing.id not in wanted):
            continue
        nodes = [node.ref for node in thing.nodes]
        if nodes and (near is None or not near.isdisjoint(nodes)):
            yield thing.id, Way(np.array(nodes, dtype=np.int64), dict(thing.tags))


def _among(nodes: Ints, known: Ints) -> Bools:
    """Which nodes are known; `known` is sorted."""
    if len(known) == 0:
        return np.zeros(len(nodes), dtype=bool)
    return np.asarray(known[np.minimum(np.searchsorted(known, nodes), len(known) - 1)] == nodes)


def _nodes_within(path: Path, bounds: Bounds) -> _Nodes:
    west, south, east, north = (round(degree / _TO_DEGREES) for degree in bounds)
    keys = {*tag_table().keys, *NODE_KEYS}
    ids, xs, ys = array("q"), array("i"), array("i")
    tags: dict[int, Tags] = {}
    for node in _objects(path, osmium.osm.Node):
        place = node.location
        x, y = place.x, place.y
        if west <= x <= east and south <= y <= north:
            ids.append(node.id)
            xs.append(x)
            ys.append(y)
            if len(node.tags) and not keys.isdisjoint(tag.k for tag in node.tags):
                tags[node.id] = dict(node.tags)
    return _sorted(ids, xs, ys, tags)


def _sorted(ids: array[int], xs: array[int], ys: array[int], tags: dict[int, Tags]) -> _Nodes:
    """Nodes in the order of their ids; of one that occurs twice the last."""
    number = np.frombuffer(ids, dtype=np.int64) if ids else np.zeros(0, dtype=np.int64)
    order = np.argsort(number, kind="stable")
    last = np.append(np.diff(number[order]) != 0, [True])[: len(order)]
    order = order[last]
    lonlat = np.column_stack([np.array(xs, dtype=np.int64), np.array(ys, dtype=np.int64)])[order] * _TO_DEGREES
    return _Nodes(number[order], np.round(lonlat, 7), tags)


def _completed(path: Path, near: _Nodes, wanted: Ints) -> _Nodes:
    """The nodes wanted, those that are not near read from the file."""
    there = _among(wanted, near.id)
    kept = np.searchsorted(near.id, wanted[there])
    far = _nodes_of(path, wanted[~there])
    order = np.argsort(number := np.concatenate([near.id[kept], far.id]), kind="stable")
    return _Nodes(number[order], np.concatenate([near.lonlat[kept], far.lonlat])[order], near.tags)


def _nodes_of(path: Path, wanted: Ints) -> _Nodes:
    left = set(wanted.tolist())
    ids, xs, ys = array("q"), array("i"), array("i")
    if left:
        for node in _objects(path, osmium.osm.Node):
            if node.id in left and node.location.valid():
                ids.append(node.id)
                xs.append(node.location.x)
                ys.append(node.location.y)
    return _sorted(ids, xs, ys, {})


def _date(path: Path) -> dt.date:
    """The day that the file's header states, else that of the last change of a way, else that of the file."""
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        stated = reader.header().get("osmosis_replication_timestamp")
    if stated:
        return dt.datetime.fromisoformat(stated).date()
    last = max((way.timestamp for way in _objects(path, osmium.osm.Way)), default=_EPOCH)
    return (last if last > _EPOCH else dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)).date()
