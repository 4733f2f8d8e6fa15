"""Changes of a scenario to the roads: closed, added, faster or slower; each applied to a copy, all problems told at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import shapely
from pydantic import AfterValidator, Field, PositiveFloat

from coverage.cuts import touching
from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.roads import Bools, Ints, Roads
from geodata.toml import Strict
from geodata.ways.added import JOIN_M, add_lines, plane_scale
from geodata.ways.osm_tags import enterable, permissions
from geodata.ways.pieces import Piece
from scenarios.roadworks import RoadWorks

POLE_DEG = 90


def _latitude(value: float) -> float:
    if abs(value) > POLE_DEG:
        zh, en = (
            f"纬度 {value:g} 超出 ±{POLE_DEG}：是不是经纬度写反了？",
            f"A latitude of {value:g} is beyond ±{POLE_DEG}: were lon and lat swapped?",
        )
        raise InputError(Problem(f"{zh}经度在前。", f"{en} The longitude stands first."))
    return value


Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, AfterValidator(_latitude)]
LonLat = tuple[Longitude, Latitude]
Ring = Annotated[tuple[LonLat, ...], Field(min_length=4)]
Rings = Annotated[tuple[Ring, ...], Field(min_length=1)]
MOST_KMH = 200.0


class Polygon(Strict):
    """An area as GeoJSON has it: an outer ring, then those of islands."""

    type: Literal["Polygon"] = "Polygon"
    coordinates: Rings


class MultiPolygon(Strict):
    """Several areas."""

    type: Literal["MultiPolygon"] = "MultiPolygon"
    coordinates: Annotated[tuple[Rings, ...], Field(min_length=1)]


Area = Annotated[Polygon | MultiPolygon, Field(discriminator="type")]


class CloseRoad(Strict):
    """Roads that nobody can travel: ways by their OSM id (or the id of a road that the scenario adds), and all that touch an area."""

    do: Literal["close_road"] = "close_road"
    ways: tuple[int | str, ...] = ()
    area: Area | None = None


class AddRoad(Strict):
    """A new road along a line; it meets the roads that are there where it crosses them, ends on them, or passes a junction.

    `highway` is the class as in OSM. One-way runs in the order of the line. Without `kmh` the class decides how fast it is.
    """

    do: Literal["add_road"] = "add_road"
    id: Annotated[str, Field(min_length=1)]
    name: str = ""
    highway: str
    oneway: bool = False
    kmh: Annotated[PositiveFloat, Field(le=MOST_KMH)] | None = None
    line: Annotated[tuple[LonLat, ...], Field(min_length=2)]


class SetSpeed(Strict):
    """Another driving speed, both ways and at every hour: of ways by id, or of all roads of a name."""

    do: Literal["set_speed"] = "set_speed"
    ways: tuple[int | str, ...] = ()
    name: str = ""
    kmh: Annotated[PositiveFloat, Field(le=MOST_KMH)]


RoadChange = CloseRoad | AddRoad | SetSpeed


@dataclass(frozen=True, eq=False)
class _NewRoad:
    """A road that the scenario adds, and the areas that closed what touches them since."""

    id: str
    line: shapely.LineString
    piece: Piece
    closed_in: tuple[shapely.Geometry, ...] = ()


@dataclass(frozen=True, eq=False)
class _Draft:
    """The roads after some of the changes."""

    roads: Roads
    closed: Bools
    new: tuple[_NewRoad, ...] = ()
    kmh: tuple[tuple[int, float], ...] = ()


@lru_cache(maxsize=4)  # a page asks for the same roads after every click
def road_works(roads: Roads, changes: tuple[tuple[int, RoadChange], ...]) -> RoadWorks:
    """Apply changes, each with its number in the scenario, to roads.

    Raises
    ------
    OptionError
        Changes that do not fit; all of them at once.
    """
    draft, problems = _Draft(roads, np.zeros(len(roads), dtype=bool)), []
    for number, change in changes:
        try:
            draft = _CHANGES[change.do](draft, change)
        except OptionError as error:
            problems += numbered(number, error)
    problems += _lonely(draft)
    if problems:
        raise OptionError(*problems)
    return _finished(draft)


def numbered(number: int, error: OptionError) -> list[Problem]:
    """The problems of a change with its number."""
    return [Problem(f"第 {number} 项改动：{one.zh}", f"Change {number}: {one.en}") for one in error.problems]


def area_of(area: Polygon | MultiPolygon) -> shapely.Geometry:
    """The area as a valid geometry, WGS84."""
    rings = (area.coordinates,) if isinstance(area, Polygon) else area.coordinates
    polygons = [shapely.Polygon(outer, islands) for outer, *islands in rings]
    return shapely.make_valid(shapely.union_all(shapely.make_valid(np.array(polygons), method="structure", keep_collapsed=False)))


def _close(draft: _Draft, change: CloseRoad) -> _Draft:
    if not change.ways and change.area is None:
        raise OptionError(Problem("关闭道路须给出 ways 或 area。", "Closing roads needs ways or area."))
    ids, own = _named(draft, change.ways)
    closed = draft.closed | np.isin(draft.roads.way_id, ids)
    new = tuple(road for road in draft.new if road.id not in own)
    if change.area is not None:
        area = area_of(change.area)
        closed |= touching(draft.roads, area)
        new = tuple(replace(road, closed_in=(*road.closed_in, area)) for road in new)
    return replace(draft, closed=closed, new=new)


def _add(draft: _Draft, change: AddRoad) -> _Draft:
    if change.id in {*(road.id for road in draft.new), *map(str, np.unique(draft.roads.way_id).tolist())}:
        raise OptionError(Problem(f"编码 {change.id} 已被使用。", f"The id {change.id!r} is in use."))
    tags = {"highway": change.highway, "oneway": "yes" if change.oneway else "no"}
    if permissions(tags) == 0:
        zh = f"{change.id}：没有道路等级“{change.highway}”，可用如 primary、secondary、tertiary、unclassified、residential。"
        en = f"{change.id!r}: no class of road {change.highway!r}; use such as primary, secondary, tertiary, unclassified, residential."
        raise OptionError(Problem(zh, en))
    line, kmh = shapely.LineString(change.line), math.nan if change.kmh is None else change.kmh
    if shapely.transform(line, lambda degrees: degrees * plane_scale(draft.roads)).length <= 2 * JOIN_M:
        zh, en = f"{change.id}：长度须超过 {2 * JOIN_M:.0f} 米。", f"{change.id!r}: must be longer than {2 * JOIN_M:.0f} m."
        raise OptionError(Problem(zh, en))
    taken = [0, int(draft.roads.way_id.min()), *(road.piece.way_id for road in draft.new)]
    piece = Piece(min(taken) - 1, change.highway, change.name, permissions(tags), (kmh, kmh), enterable(tags), bridge=False)
    return replace(draft, new=(*draft.new, _NewRoad(change.id, line, piece)))


def _lonely(draft: _Draft) -> list[Problem]:
    """Complain of new roads that meet neither a road nor another new one."""
    if not draft.new:
        return []
    scale, problems = plane_scale(draft.roads), []
    new = [shapely.transform(road.line, lambda degrees: degrees * scale) for road in draft.new]
    tree = shapely.STRtree(draft.roads.lines(draft.roads.lonlat * scale))
    for at, (road, line) in enumerate(zip(draft.new, new, strict=True)):
        away = min(
            float(tree.query_nearest(line, return_distance=True)[1][0]), *(line.distance(one) for one in new[:at] + new[at + 1 :]), np.inf
        )
        if away > JOIN_M:
            zh = f"新建道路 {road.id} 不与任何道路相接（最近的在 {away:,.0f} 米外）。请检查坐标（经度在前，WGS84）。"
            en = f"The new road {road.id!r} meets no road (the nearest is {away:,.0f} m away). Check its lon, lat (WGS84)."
            problems.append(Problem(zh, en))
    return problems


def _set_speed(draft: _Draft, change: SetSpeed) -> _Draft:
    if bool(change.ways) == bool(change.name):
        raise OptionError(Problem("设置车速须给出 ways 或 name 之一。", "Setting a speed needs either ways or name."))
    ids, own = _named(draft, change.ways)
    found = {*ids.tolist(), *(road.piece.way_id for road in draft.new if road.id in own)}
    if change.name:
        names = np.array(draft.roads.road_names, dtype=str)[draft.roads.name]
        found |= {*draft.roads.way_id[names == change.name].tolist(), *(r.piece.way_id for r in draft.new if r.piece.name == change.name)}
        if not found:
            raise OptionError(Problem(f"没有名为“{change.name}”的道路。", f"There is no road named {change.name!r}."))
    kept = tuple((way, kmh) for way, kmh in draft.kmh if way not in found)
    return replace(draft, kmh=tuple(sorted({*kept, *((way, change.kmh) for way in found)})))


_CHANGES: dict[str, Callable[[_Draft, Any], _Draft]] = {"close_road": _close, "add_road": _add, "set_speed": _set_speed}


def _named(draft: _Draft, ways: tuple[int | str, ...]) -> tuple[Ints, set[str]]:
    """OSM ids, and ids of roads that the scenario added, that some ways are."""
    own = {str(way) for way in ways} & {road.id for road in draft.new}
    others = [str(way) for way in ways if str(way) not in own]
    known = set(draft.roads.way_id.tolist()) if others else set()
    ids = [int(way) for way in others if way.lstrip("-").isascii() and way.lstrip("-").isdecimal() and int(way) in known]
    missing = first_few(way for way in others if way not in set(map(str, ids)))
    if missing:
        raise OptionError(Problem(f"没有编号为 {missing} 的道路（OSM way id）。", f"There is no road with the way id {missing}."))
    return np.array(ids, dtype=np.int64), own


def _finished(draft: _Draft) -> RoadWorks:
    """Join the new roads to the others, now that it is known which there are."""
    new = sorted(draft.new, key=lambda road: road.id)
    if not new:
        nothing = np.full(len(draft.roads), -1)
        return RoadWorks(draft.roads, nothing, nothing, draft.closed, (), draft.kmh)
    added = add_lines(draft.roads, [road.line for road in new], [road.piece for road in new])
    closed = np.zeros(len(added.roads), dtype=bool)
    closed[: len(draft.roads)] = draft.closed
    parts = added.whole >= 0
    closed[parts] = closed[added.whole[parts]]
    for at, road in enumerate(new):
        for area in road.closed_in:
            closed |= (added.line == at) & touching(added.roads, area)
    return RoadWorks(added.roads, added.whole, added.line, closed, tuple(road.id for road in new), draft.kmh)
