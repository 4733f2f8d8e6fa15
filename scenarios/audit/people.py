"""Settlements and the numbers of people: implausible, repeated, misplaced, or not adding up."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import shapely

from geodata.errors import first_few
from geodata.model import Demand, Region, Zones
from geodata.roads import Bools, Floats
from scenarios.audit.finding import Finding, at_demand, found, marks, metric
from scenarios.output.report import people as people_text
from scenarios.output.report import percent

MOST_PEOPLE = 100_000.0  # in one settlement
FEWEST_SETTLEMENTS = 3  # of a township in which none should hold more than half
LEAST_PER_KM2, MOST_PER_KM2 = 1.0, 50_000.0
REGISTERED_GAP = 0.20
COUNTY_GAP = 0.001  # a published total may be rounded
SAME_PLACE_DEGREES = 1e-6
COARSE_DECIMALS = 3


def settlement_findings(region: Region) -> list[Finding]:
    """Find settlements that are misplaced, empty, too large, repeated or stacked; raster cells are no settlements."""
    demand, zones = region.demand, region.zones
    named = np.array([bool(text) for text in demand.settlement], dtype=bool)
    inside = named & demand.inside
    in_zone = np.bincount(demand.zone[inside], minlength=len(zones.id))
    total = np.bincount(demand.zone[inside], weights=demand.people[inside], minlength=len(zones.id))
    elsewhere = np.zeros(len(demand), dtype=bool)
    elsewhere[inside] = zones.locate(demand.lonlat[inside]) != demand.zone[inside]
    half = np.zeros(len(demand), dtype=bool)
    at = demand.zone[inside]
    half[inside] = (demand.people[inside] > total[at] / 2) & (in_zone[at] >= FEWEST_SETTLEMENTS)
    return [
        at_demand("nobody_urban", region, named & ~demand.urban.any()),
        at_demand("outside_zones", region, named & ~demand.inside),
        at_demand("other_zone", region, elsewhere),
        at_demand("no_people", region, inside & (demand.people == 0)),
        at_demand("crowded", region, inside & (demand.people > MOST_PEOPLE), most=MOST_PEOPLE),
        at_demand("half_of_zone", region, half),
        at_demand("repeated_settlement", region, inside & _repeated(demand)),
        at_demand("stacked_settlements", region, named & stacked(demand.lonlat)),
        at_demand("coarse_settlements", region, named & coarse(demand.lonlat)),
    ]


def _repeated(demand: Demand) -> Bools:
    """Tell which points share their name and township with another settlement; parts of one settlement are no repetition."""
    settlements = {(name, zone, one) for name, zone, one in zip(demand.name, demand.zone.tolist(), demand.settlement, strict=True)}
    count = Counter((name, zone) for name, zone, _ in settlements)
    return np.array([count[name, zone] > 1 for name, zone in zip(demand.name, demand.zone.tolist(), strict=True)], dtype=bool)


def stacked(lonlat: Floats) -> Bools:
    """Which points lie at exactly the place of another."""
    _, place, count = np.unique(np.rint(lonlat / SAME_PLACE_DEGREES), axis=0, return_inverse=True, return_counts=True)
    return np.asarray(count[place.ravel()] > 1)


def coarse(lonlat: Floats) -> Bools:
    """Which points are given with three decimals or fewer in both coordinates."""
    scaled = lonlat * 10**COARSE_DECIMALS
    return np.asarray((np.abs(scaled - np.rint(scaled)) < SAME_PLACE_DEGREES).all(axis=1))


def sum_findings(region: Region) -> list[Finding]:
    """Find townships whose people do not add up, are strangely dense, or are the registered ones."""
    zones, demand = region.zones, region.demand
    inside = demand.inside
    total = np.bincount(demand.zone[inside], weights=demand.people[inside], minlength=len(zones.id))
    residents = np.where(np.isnan(zones.people), total, zones.people)
    off = np.abs(total - zones.people) > 0.5  # noqa: PLR2004 — half a person; nan where none are stated
    km2 = shapely.area(metric(zones.geometry, region.crs)) / 1e6
    strange = (residents > MOST_PER_KM2 * km2) | (residents < LEAST_PER_KM2 * km2)
    dense = [f"{name} {people_text(one)}/km²" for name, one in zip(zones.name, residents / km2, strict=True)]
    return [
        _of_zones(
            "zone_sum",
            zones,
            off,
            np.abs(total - zones.people),
            [f"{name} {gap:+,.0f}" for name, gap in zip(zones.name, total - zones.people, strict=True)],
        ),
        _of_zones("odd_density", zones, strange, residents, dense, least=LEAST_PER_KM2, most=MOST_PER_KM2),
        *_registered(zones, residents),
        _county("residents", residents, region.county_people),
        _county("registered", zones.registered, region.county_registered),
    ]


def _of_zones(code: str, zones: Zones, mask: Bools, people: Floats, names: list[str], **said: Any) -> Finding:  # noqa: ANN401 — as `found`
    """A finding about townships, those with most people first."""
    order = np.flatnonzero(mask)[np.argsort(-people[mask], kind="stable")]
    where = marks([names[at] for at in order], zones.geometry[order], people[order])
    return found(code, len(order), people=math.fsum(where.people), first=first_few(where.name), where=where, **said)


def _registered(zones: Zones, residents: Floats) -> list[Finding]:
    """Compare registered people with residents, township by township."""
    both = np.isfinite(zones.registered)
    gap = np.where(both, zones.registered, residents) - residents
    same = both & (gap == 0) & (residents > 0)
    wide = both & (np.abs(gap) > REGISTERED_GAP * residents)
    share = math.fsum(zones.registered[both]) / max(math.fsum(residents[both]), 1.0)
    each = [
        f"{name} {percent(more / less) if less else '–'}" for name, more, less in zip(zones.name, zones.registered, residents, strict=True)
    ]
    equal = same if same.all() else np.zeros_like(same)
    return [
        _of_zones("registered_gap", zones, wide, np.abs(gap), each, share=share),
        _of_zones("registered_equal", zones, equal, residents, list(zones.name)),
    ]


def _county(which: str, by_zone: Floats, stated: float) -> Finding:
    """Compare the sum of the townships with the county's own published figure."""
    total = math.fsum(by_zone)  # nan if a township has none
    difference = total - stated
    off = abs(difference) > COUNTY_GAP * stated
    words = {"residents": ("常住人口", "residents"), "registered": ("户籍人口", "registered people")}[which]
    return found(
        "county_sum",
        int(off),
        people=abs(difference) if off else 0.0,
        first=f"{people_text(total)} / {people_text(stated)}" if off else "",
        which_zh=words[0],
        which_en=words[1],
        difference=difference if off else 0.0,
        share=difference / stated if off else 0.0,
    )


def by_township(region: Region, mask: Bools) -> str:
    """Name the townships of the people inside some demand points, those with most first."""
    demand, zones = region.demand, region.zones
    total = np.bincount(demand.zone[mask], weights=demand.people[mask], minlength=len(zones.id))
    return first_few(f"{zones.name[at]} ({people_text(total[at])})" for at in np.argsort(-total, kind="stable") if total[at] > 0)
