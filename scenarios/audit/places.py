"""Facilities: misplaced, doubled, without what norms need; those outside the county told apart from errors."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations

import numpy as np
import shapely

from geodata.errors import first_few
from geodata.model import OUTSIDE, RESOURCES, Facilities, Region, Zones
from geodata.places import BORDER_M
from geodata.region import Prepared
from geodata.roads import Floats
from scenarios.audit.finding import Finding, at_facilities, found, label, marks, metric
from scenarios.audit.people import SAME_PLACE_DEGREES, coarse

NEAR_M = 30.0
CAPACITY = {
    "beds": ("hospital", "township_health_centre", "community_health_centre"),
    "m²": ("sports_ground", "park", "school_ground"),
    "lanes": ("sampling_site",),
}
VEHICLES = ("emergency_centre", "standby_point")
_SUFFIX = re.compile("(街道办事处|街道|镇|民族乡|乡)$")
_FIRST, _LAST = "", "9999"  # before and after every ISO date


def facility_findings(prepared: Prepared) -> list[Finding]:
    """Find facilities that are beyond the roads, outside, closed, doubled, or not where their name says."""
    region = prepared.region
    places = region.facilities
    open_now = places.open_on(region.date)
    west, south, east, north = region.roads.bounds
    gate = places.entrance[places.first_entrance[:-1]]
    strange = places.external & ~((gate >= [west, south]) & (gate <= [east, north])).all(axis=1)
    none = [
        one for one, service in prepared.services.services.items() if not (places.of_kinds(service.definition(None).kinds) & open_now).any()
    ]
    return [
        found("no_facilities", len(none), first=first_few(none)),
        at_facilities("outside_roads", places, strange),
        at_facilities("external", places, places.external & ~strange),
        at_facilities("not_open", places, ~open_now, date=region.date),
        found("restricted", int(places.restricted.sum())),
        at_facilities("assumed_entrances", places, places.assumed_entrances),
        *_doubled(region),
        _other_township(region),
        *_precision(region),
        _without_capacity(_shown(places)),
    ]


def _shown(places: Facilities) -> Facilities:
    """All but the restricted ones, which no finding about single facilities may touch."""
    return places.take(np.flatnonzero(~places.restricted))


def _middle(places: Facilities) -> Floats:
    """One place in degrees for each facility."""
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(places.geometry)))


def _doubled(region: Region) -> list[Finding]:
    """The same facility twice: by name, or by place. Two sites of which one opens when the other closes are no double."""
    places = _shown(region.facilities)
    zone = region.zones.locate(_middle(places))
    groups = defaultdict(list)
    for at, key in enumerate(zip(places.name, places.kind, strict=True)):
        groups[key].append(at)
    near, far = np.zeros((2, len(places)), dtype=bool)
    for group in groups.values():
        for a, b in combinations(group, 2):
            if _at_once(places, a, b):
                (near if zone[a] == zone[b] else far)[[a, b]] = True
    return [
        at_facilities("duplicate_facilities", places, near),
        at_facilities("same_name_facilities", places, far & ~near),
        _near(places, region.crs),
    ]


def _at_once(places: Facilities, a: int, b: int) -> bool:
    """Whether there is a day on which both are open."""
    starts = max(places.open_from[a] or _FIRST, places.open_from[b] or _FIRST)
    return starts < min(places.open_to[a] or _LAST, places.open_to[b] or _LAST)


def _near(places: Facilities, crs: str) -> Finding:
    """Pairs of one kind, differently named, that stand almost at one place."""
    middle = shapely.points(_middle(places))
    points = metric(middle, crs)
    a, b = shapely.STRtree(points).query(points, predicate="dwithin", distance=NEAR_M)
    pairs = sorted(
        (int(i), int(j))
        for i, j in zip(a, b, strict=True)
        if i < j and places.kind[i] == places.kind[j] and places.name[i] != places.name[j] and _at_once(places, i, j)
    )
    metres = [shapely.distance(points[i], points[j]) for i, j in pairs]
    names = [f"{label(places, i)} = {label(places, j)} ({m:.0f} m)" for (i, j), m in zip(pairs, metres, strict=True)]
    where = marks(names, [middle[i] for i, _ in pairs])
    return found("near_facilities", len(pairs), where=where, near=NEAR_M)


def _other_township(region: Region) -> Finding:
    """Facilities whose name holds the name of a township in which they do not stand."""
    places, zones = _shown(region.facilities), region.zones
    middle = _middle(places)
    stands, points = zones.locate(middle), metric(shapely.points(middle), region.crs)
    shapes = metric(zones.geometry, region.crs)
    patterns = [_pattern(name) for name in zones.name]
    names, at = [], []
    for i, name in enumerate(places.name):
        said = _townships_in(name, patterns)
        if not said or stands[i] in said:
            continue
        zone = min(said, key=lambda one: (shapely.distance(points[i], shapes[one]), one))
        metres = float(shapely.distance(points[i], shapes[zone]))
        if metres > BORDER_M:
            names.append(f"{label(places, i)} @ {_zone_name(zones, int(stands[i]))} ({metres / 1000:.1f} km)")
            at.append(i)
    return found("other_township", len(at), where=marks(names, shapely.points(middle[at])), near=BORDER_M)


def _pattern(township: str) -> re.Pattern[str]:
    """The township's whole name, or its stem before 卫生院: 李渡镇…, 李渡中心卫生院."""
    stem = _SUFFIX.sub("", township)
    return re.compile(f"{re.escape(township)}|{re.escape(stem)}(中心)?卫生院" if len(stem) > 1 else re.escape(township))


def _townships_in(name: str, patterns: list[re.Pattern[str]]) -> list[int]:
    """Townships that a name names; one whose name is only a part of a longer one (民和镇 in 新民和镇) is not meant."""
    spans = [(found.start(), found.end(), zone) for zone, pattern in enumerate(patterns) if (found := pattern.search(name))]
    return [zone for start, end, zone in spans if not any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in spans)]


def _zone_name(zones: Zones, zone: int) -> str:
    return "县外 outside" if zone == OUTSIDE else zones.name[zone]


def _precision(region: Region) -> list[Finding]:
    """Points at the place of another facility or of a settlement, or with few decimals."""
    places = _shown(region.facilities)
    point = shapely.get_type_id(places.geometry) == 0
    keys = [tuple(key) for key in np.rint(_middle(places) / SAME_PLACE_DEGREES).astype(np.int64).tolist()]
    kinds = defaultdict(set)
    for key, kind in zip(keys, places.kind, strict=True):
        kinds[key].add(kind)
    demand = region.demand
    named = np.array([bool(text) for text in demand.settlement], dtype=bool)
    homes = {tuple(key) for key in np.rint(demand.lonlat[named] / SAME_PLACE_DEGREES).astype(np.int64).tolist()}
    together = np.array([len(kinds[key]) > 1 for key in keys], dtype=bool)
    at_home = np.array([key in homes for key in keys], dtype=bool)
    return [
        at_facilities("stacked_facilities", places, point & together),
        at_facilities("at_settlement", places, point & at_home),
        at_facilities("coarse_facilities", places, point & coarse(_middle(places))),
    ]


def _without_capacity(places: Facilities) -> Finding:
    """Facilities that lack the number by which norms judge their kind, told by kind."""
    missing = np.isnan(places.capacity) & places.of_kinds([kind for kinds in CAPACITY.values() for kind in kinds])
    missing |= np.isnan(places.resources[:, RESOURCES.index("vehicles")]) & places.of_kinds(VEHICLES)
    units = {kind: unit for unit, kinds in (*CAPACITY.items(), ("vehicles", VEHICLES)) for kind in kinds}
    kind = np.array(places.kind, dtype=str)
    said = [f"{one} {(missing & (kind == one)).sum()}/{(kind == one).sum()} ({units[one]})" for one in sorted(set(kind[missing].tolist()))]
    at = np.flatnonzero(missing)
    where = marks([label(places, one) for one in at], places.geometry[at])
    return found("no_capacity", len(at), first=first_few(said), where=where)
