"""Places where a new point may stand: facilities of the region, its settlements, its roads, places of a file or of a click.

Facilities of the region that are open, inside the county and not restricted; settlements and roads inside the county. All of them stand
where the area asked for allows it; what is left out is counted and told. Straight distances are compared in whole projected millimetres.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from coverage.snap import projected
from geodata.errors import OptionError, Problem, first_few
from geodata.model import OUTSIDE, Facilities, Region
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints, forward_bit
from geodata.standards import Mode, ServiceDefinition
from scenarios.siting.region.choice import ELIGIBLE, SETTLEMENTS, Choice, road_metres
from scenarios.siting.words import Words

MM_PER_M = 1000
_SAME_PLACE = 7  # decimals of a degree: a centimetre


class NewPlaces(NamedTuple):
    """Where new points may stand, the forced ones among them, and what was left out."""

    places: Facilities
    forced: Bools
    notes: tuple[Words, ...]


def new_places(prepared: Prepared, service_id: str, definition: ServiceDefinition, choice: Choice, *, standing: Bools) -> NewPlaces:
    """Collect the places where new points may stand.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    definition : ServiceDefinition
    choice : Choice
    standing : (facilities,) bool
        Facilities of the region that give the service already: no new places.

    Raises
    ------
    OptionError
        Unknown kinds or ids, repeated ids, forced places where none may stand; all at once.
    """
    region = prepared.region
    problems = _unknown_kinds(prepared, choice)
    own, is_wanted = _own_places(prepared, service_id, choice, standing)
    made = _made_places(prepared, definition, choice)
    problems += _repeated(region.facilities, made)
    if problems:
        raise OptionError(*problems)
    made, twice = _once_each(made, region.facilities.take(np.flatnonzero(standing | is_wanted)), choice.fixed)
    places = own.joined(made)
    forced = np.isin(np.array(places.id, dtype=object), list(choice.fixed))
    kept, notes = _allowed(places, forced, choice)
    if named := first_few(f"{one} {name}" for one, name in _forced_anyway(own, service_id, choice)):
        zh = f"--fixed 指定的 {named} 在机构表中没有写为可设点，按指定采用。"
        notes.append((zh, f"Forced in by --fixed although the facility table does not say that they may host a point: {named}."))
    if twice:
        notes.append((f"{twice:,} 个候选点与另一个同在一处，只计一次。", f"{twice:,} candidates at the same place as another count once."))
    return NewPlaces(places.take(np.flatnonzero(kept)), forced[kept], tuple(notes))


def settlement_places(region: Region) -> Facilities:
    """One place for each settlement inside the county, where most of its people are: its id is ``V:`` and that of the demand point."""
    demand = region.demand
    named = np.flatnonzero(demand.inside & (np.array(demand.settlement, dtype=str) != ""))
    order = sorted(named.tolist(), key=lambda at: (demand.zone[at], demand.settlement[at], -demand.people[at], demand.id[at]))
    first: dict[tuple[int, str], int] = {}
    for at in order:
        first.setdefault((int(demand.zone[at]), demand.settlement[at]), at)
    chosen = sorted(first.values(), key=demand.id.__getitem__)
    ids, names = [f"V:{demand.id[at]}" for at in chosen], [demand.name[at] for at in chosen]
    return places_at(region, ids, names, demand.lonlat[np.array(chosen, dtype=np.int64)])


def road_places(prepared: Prepared, mode: Mode, every_m: float) -> Facilities:
    """Places along the roads that a mode may use and step onto, inside the county.

    Every way is walked from its beginning, a place each `every_m`; of two places nearer to each other than half of that in a straight line
    the one on the slower class of road is left out, then that of the higher way id. The id is ``R:``, way id, ``+``, metres along the way.
    """
    region, roads = prepared.region, prepared.region.roads
    either_way = forward_bit(mode) | forward_bit(mode) << 1
    usable = (roads.permit & either_way > 0) & roads.enterable
    order = np.argsort(roads.way_id, kind="stable")
    length, every = roads.length_mm[order], round(every_m * MM_PER_M)
    run = np.cumsum(length) - length
    first = np.flatnonzero(np.diff(roads.way_id[order], prepend=roads.way_id[order][:1] - 1))
    begin = run - np.repeat(run[first], np.diff(np.append(first, len(order))))
    least = -(-begin // every)
    count = np.where(usable[order], -(-(begin + length) // every) - least, 0)
    piece = np.repeat(np.arange(len(order)), count)
    along = every * (np.arange(len(piece)) - np.repeat(np.cumsum(count) - count, count) + least[piece])
    lonlat = _along(region, order[piece], (along - begin[piece]) / length[piece])
    inside = np.flatnonzero(region.zones.locate(lonlat) != OUTSIDE)
    speeds = prepared.speeds.of(mode)
    kmh = np.array([speeds.classes.get(name, speeds.kmh) for name in roads.class_names])[roads.road_class[order[piece[inside]]]]
    inside = inside[np.argsort(-kmh, kind="stable")]
    kept = np.sort(inside[_thinned(projected(lonlat[inside], region.crs), every_m / 2)])
    ids = [f"R:{roads.way_id[order[piece[at]]]}+{along[at] / MM_PER_M:g}" for at in kept]
    names = [_road_name(region, int(order[piece[at]]), along[at] / MM_PER_M) for at in kept]
    return places_at(region, ids, names, lonlat[kept])


def places_at(region: Region, ids: Sequence[str], names: Sequence[str], lonlat: Floats) -> Facilities:
    """Places at points in degrees, of no kind yet."""
    columns = {"id": list(ids), "name": list(names), "kind": [""] * len(ids)}
    frame = gpd.GeoDataFrame(columns, geometry=shapely.points(np.asarray(lonlat).reshape(-1, 2)), crs="EPSG:4326")
    return Facilities.from_geodataframe(frame, region.zones, region.crs)


def entrances_of(places: Facilities) -> Floats:
    """(places, 2) degrees of the first entrance of each place."""
    return places.entrance[places.first_entrance[:-1]]


def near_pairs(region: Region, one: Facilities, other: Facilities, limit_m: float, *, inclusive: bool) -> tuple[Ints, Ints, Floats]:
    """Pairs of places within a straight distance of each other, and the metres between their first entrances.

    Returns
    -------
    one, other : (pairs,) int64
    metres : (pairs,) float64
    """
    here, there = (projected(entrances_of(some), region.crs) for some in (one, other))
    at, near = shapely.STRtree(there).query(here, predicate="dwithin", distance=limit_m + 1 / MM_PER_M)
    mm = np.rint(shapely.distance(here[at], there[near]) * MM_PER_M)
    limit_mm = np.rint(limit_m * MM_PER_M)
    keep = mm <= limit_mm if inclusive else mm < limit_mm
    order = np.lexsort((near[keep], at[keep]))
    return at[keep][order], near[keep][order], mm[keep][order] / MM_PER_M


def _unknown_kinds(prepared: Prepared, choice: Choice) -> list[Problem]:
    known = prepared.services.kinds
    wrong = [one for one in choice.candidates if one not in {ELIGIBLE, SETTLEMENTS} and not road_metres(one) and one not in known]
    if not wrong:
        return []
    listed = ", ".join([ELIGIBLE, SETTLEMENTS, "roads:2000", *known])
    zh = f"--candidates：没有 {first_few(wrong)}；可选：{listed}，或点文件的路径。"
    return [Problem(zh, f"--candidates: no {first_few(wrong)}; there are: {listed}, or the path of a file of points.")]


def _own_places(prepared: Prepared, service_id: str, choice: Choice, standing: Bools) -> tuple[Facilities, Bools]:
    """Facilities of the region that may host a new point, those that must among them."""
    facilities = prepared.region.facilities
    wanted = facilities.of_kinds(choice.candidates)
    if ELIGIBLE in choice.candidates:
        wanted |= facilities.eligible(service_id)
    forced = np.isin(np.array(facilities.id, dtype=object), list(choice.fixed))
    shown = facilities.open_on(prepared.region.date) & ~facilities.restricted
    which = (wanted & ~facilities.external | forced) & shown & ~standing
    return facilities.take(np.flatnonzero(which)), which


def _forced_anyway(own: Facilities, service_id: str, choice: Choice) -> list[tuple[str, str]]:
    """Ids and names of facilities that must host a point though neither the table nor a kind asked for says that they may."""
    unasked = ~(own.eligible(service_id) | own.of_kinds(choice.candidates))
    return sorted((own.id[at], own.name[at]) for at in np.flatnonzero(unasked))


def _made_places(prepared: Prepared, definition: ServiceDefinition, choice: Choice) -> Facilities:
    """Places that are no facilities of the region, as points of the last kind that the definition names."""
    region = prepared.region
    parts = [places_at(region, (), (), np.zeros((0, 2)))]
    if choice.points is not None:
        points = choice.points
        parts.append(points.take(np.array(sorted(range(len(points)), key=points.id.__getitem__), dtype=np.int64)))
    if SETTLEMENTS in choice.candidates:
        parts.append(settlement_places(region))
    parts += [road_places(prepared, definition.mode, metres) for metres in sorted(filter(None, map(road_metres, choice.candidates)))]
    made = parts[0]
    for part in parts[1:]:
        made = made.joined(part)
    return replace(made, kind=(definition.kinds[-1],) * len(made))


def _repeated(facilities: Facilities, made: Facilities) -> list[Problem]:
    seen = set(facilities.id)
    twice = [one for one in made.id if one in seen or seen.add(one)]  # type: ignore[func-returns-value]  # add returns None
    if not twice:
        return []
    zh = f"候选点的编码已被使用或重复：{first_few(twice)}。请换一个编码。"
    return [Problem(zh, f"Ids of candidates that are in use or repeated: {first_few(twice)}. Give them others.")]


def _once_each(made: Facilities, own: Facilities, fixed: Sequence[str]) -> tuple[Facilities, int]:
    """Without those that stand where a facility or an earlier one stands; a forced one stays. How many were left out."""
    taken = set(map(tuple, np.round(entrances_of(own), _SAME_PLACE).tolist()))
    kept = []
    for at, here in enumerate(map(tuple, np.round(entrances_of(made), _SAME_PLACE).tolist())):
        if here not in taken or made.id[at] in fixed:
            kept.append(at)
        taken.add(here)
    return made.take(np.array(kept, dtype=np.int64)), len(made) - len(kept)


def _allowed(places: Facilities, forced: Bools, choice: Choice) -> tuple[Bools, list[Words]]:
    """Which places stand where they may, and how many do not and why; a forced one that may not is refused."""
    lonlat = entrances_of(places)
    reasons: list[tuple[Bools, Words]] = [(places.external & ~forced, ("在县界之外", "outside the county"))]
    for area, inside, words in (
        (choice.within, True, ("不在指定范围内", "outside the area asked for")),
        (choice.exclude, False, ("在排除范围内", "in an area that is ruled out")),
    ):
        if area is not None:
            shapely.prepare(area)
            reasons.append((shapely.intersects_xy(area, *lonlat.T) != inside, words))
    kept, notes, problems = np.ones(len(places), dtype=bool), [], []
    for is_out, (zh, en) in reasons:
        if named := [places.id[at] for at in np.flatnonzero(is_out & forced)]:
            problems.append(Problem(f"指定的点{zh}：{first_few(named)}。", f"Points that are forced in, but {en}: {first_few(named)}."))
        if count := int((is_out & kept).sum()):
            notes.append((f"{count:,} 个候选点{zh}，未采用。", f"{count:,} candidates {en} are left out."))
        kept &= ~is_out
    if problems:
        raise OptionError(*problems)
    return kept, notes


def _along(region: Region, piece: Ints, share: Floats) -> Floats:
    """Degrees of places at a share of the length of pieces."""
    roads = region.roads
    lines: Any = shapely.linestrings(roads.lonlat, indices=np.repeat(np.arange(len(roads)), np.diff(roads.first_vertex)))
    return np.asarray(shapely.get_coordinates(shapely.line_interpolate_point(lines[piece], share, normalized=True)))


def _thinned(points: Any, apart_m: float) -> Ints:  # noqa: ANN401 — an array of points
    """Positions of the points that are kept when each one that is nearer than so much to an earlier one is left out."""
    tree, gone, kept = shapely.STRtree(points), np.zeros(len(points), dtype=bool), []
    for at in range(len(points)):
        if not gone[at]:
            kept.append(at)
            near = tree.query(points[at], predicate="dwithin", distance=apart_m)
            gone[near[np.rint(shapely.distance(points[at], points[near]) * MM_PER_M) < np.rint(apart_m * MM_PER_M)]] = True
    return np.array(kept, dtype=np.int64)


def _road_name(region: Region, piece: int, along_m: float) -> str:
    roads = region.roads
    name = roads.road_names[roads.name[piece]] or f"道路 road {roads.way_id[piece]}"
    return f"{name} +{along_m / MM_PER_M:g} km"
