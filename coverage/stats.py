"""Coverage by definition: who is within the limits, by township; who is not, and why. People are counted at the people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import csr_array, hstack

from coverage.cuts import ways_after
from coverage.gaps import gap_table
from coverage.search import Weight, start_delay_ms
from coverage.snap import WaysOn, projected, snap_demand, snap_facilities
from coverage.travel_times import times_between
from geodata.model import Demand, Facilities, Region, Zones
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints, great_circle_m
from geodata.standards import ServiceDefinition

MS_PER_MINUTE = 60_000
MM_PER_M = 1_000
ROUNDING = 1e-9  # a settlement with exactly the stated share of its people within is covered
ELLIPSOID = 1.01  # a projected distance and the great circle differ by less than this


@dataclass(frozen=True, eq=False)
class CoverageResult:
    """Who is served under one definition.

    Attributes
    ----------
    definition : ServiceDefinition
    facilities : Facilities
        Those counted: of the definition's kinds and open on the region's day.
    network : Network
        That it was measured on.
    demand_ways : WaysOn
        Of the demand points, onto the network.
    covers : (demand points, facilities) sparse bool
        Within every limit of the demand point's class.
    covered, covered_without_external : (demand points,) bool
        By any facility; by any facility inside the county.
    by_zone : DataFrame
        See :func:`zone_table`.
    gaps : DataFrame
        See :func:`coverage.gaps.gap_table`.
    """

    definition: ServiceDefinition
    facilities: Facilities
    network: Network
    demand_ways: WaysOn
    covers: csr_array
    covered: Bools
    covered_without_external: Bools
    by_zone: pd.DataFrame
    gaps: pd.DataFrame


def coverage(
    region: Region, definition: ServiceDefinition, network: Network, *, added: Bools | None = None, before: CoverageResult | None = None
) -> CoverageResult:
    """Compute who is served under a definition, by township, and who is not.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
    network : Network
        Of the definition's mode.
    added : (pieces,) bool, optional
        The pieces of the network that a scenario adds, see :func:`coverage.snap.snap`.
    before : CoverageResult, optional
        Of the same definition and demand. On the same network: a facility that stands as it did there is not searched anew. On a network
        that a scenario changed, behind whose pieces the `added` ones stand: only who lives near these is brought onto the roads anew.
    """
    counted = np.flatnonzero(region.facilities.of_kinds(definition.kinds) & region.facilities.open_on(region.date))
    facilities = region.facilities.take(counted)
    ways = {
        "demand_ways": _demand_ways(network, region.demand, added, before),
        "facility_ways": snap_facilities(network, facilities, added=added),
    }
    if before is None or before.network is not network:
        covers = within_limits(definition, network, region.demand, facilities, **ways)
    else:
        covers = _covers_after(before, network, region.demand, facilities, **ways)
    covered = covers.sum(axis=1) > 0
    inside = covers[:, np.flatnonzero(~facilities.external)].sum(axis=1) > 0
    return CoverageResult(
        definition=definition,
        facilities=facilities,
        network=network,
        demand_ways=ways["demand_ways"],
        covers=covers,
        covered=covered,
        covered_without_external=inside,
        by_zone=zone_table(region.zones, region.demand, covered, inside, definition.settlement_share),
        gaps=gap_table(region, definition, network, facilities, covered=covered, **ways),
    )


def _demand_ways(network: Network, demand: Demand, added: Bools | None, before: CoverageResult | None) -> WaysOn:
    """Ways on of the demand points; those of `before` as far as they are the same."""
    if before is None:
        return snap_demand(network, demand, added=added)
    if before.network is network or added is None or not added.any():
        return before.demand_ways
    return ways_after(before.demand_ways, network, added)


def _covers_after(
    before: CoverageResult, network: Network, demand: Demand, facilities: Facilities, *, demand_ways: WaysOn, facility_ways: WaysOn
) -> csr_array:
    """Whom each facility serves: one column each, taken from `before` where the facility stands as it did, searched where not."""
    column = {stand: at for at, stand in enumerate(_stands(before.facilities))}
    known = np.array([column.get(stand, -1) for stand in _stands(facilities)], dtype=np.int64)
    new = np.flatnonzero(known < 0)
    ways = {"demand_ways": demand_ways, "facility_ways": facility_ways.take(new)}
    searched = within_limits(before.definition, network, demand, facilities.take(new), **ways)
    known[new] = before.covers.shape[1] + np.arange(len(new))
    return hstack([before.covers, searched], format="csr")[:, known]


def _stands(facilities: Facilities) -> list[tuple[float, bytes]]:
    """What decides whom a facility serves: when its vehicle moves, and where it is entered."""
    first, turnout_s = facilities.first_entrance, np.nan_to_num(facilities.turnout_s, nan=-1.0)
    return [(turnout_s[at], facilities.entrance[first[at] : first[at + 1]].tobytes()) for at in range(len(facilities))]


def within_limits(
    definition: ServiceDefinition,
    network: Network,
    demand: Demand,
    facilities: Facilities,
    *,
    demand_ways: WaysOn | None = None,
    facility_ways: WaysOn | None = None,
) -> csr_array:
    """Tell which demand points each facility serves: every limit of the point's class holds, each on its own best way, inclusive.

    Returns
    -------
    (demand points, facilities) sparse array of bool
    """
    demand_ways = snap_demand(network, demand) if demand_ways is None else demand_ways
    facility_ways = snap_facilities(network, facilities) if facility_ways is None else facility_ways
    columns = max(1, len(facilities))
    stated, held = np.zeros(len(demand), dtype=np.int64), [np.zeros(0, dtype=np.int64)]
    for measure in ("minutes", "network_m", "straight_m"):
        urban, rural = (getattr(limit, measure) for limit in (definition.urban, definition.rural))
        if urban is None and rural is None:
            continue
        limits = np.where(demand.urban, urban, rural).astype(np.float64)  # None becomes nan, which nothing is within
        stated += ~np.isnan(limits)
        if measure == "straight_m":
            point, facility = _within_straight(network, demand_ways, facility_ways, limits)
        else:
            weight: Weight = "time" if measure == "minutes" else "distance"
            whole = np.rint(limits * (MS_PER_MINUTE if measure == "minutes" else MM_PER_M))
            delay = start_delay_ms(definition, facilities)
            largest = float(np.fmax.reduce(whole, initial=0.0))
            times = times_between(
                network, facility_ways, demand_ways, direction=definition.direction, weight=weight, limit=largest, delay_ms=delay
            )
            near = times.cost <= whole[times.demand]
            point, facility = times.demand[near], times.facility[near]
        held.append(point * columns + facility)
    keys, how_many = np.unique(np.concatenate(held), return_counts=True)
    at = np.divmod(keys[how_many == stated[keys // columns]], columns)
    return csr_array((np.ones(len(at[0]), dtype=bool), at), shape=(len(demand), len(facilities)))


def _within_straight(network: Network, demand_ways: WaysOn, facility_ways: WaysOn, limits_m: Floats) -> tuple[Ints, Ints]:
    """Pairs of demand point and facility within each point's limit in a straight line, by great circle and any entrance; each once."""
    homes, gates = projected(demand_ways.lonlat, network.crs), projected(facility_ways.lonlat, network.crs)
    largest = float(np.fmax.reduce(limits_m, initial=0.0)) * ELLIPSOID
    gate, home = shapely.STRtree(homes).query(gates, predicate="dwithin", distance=largest)
    point, facility = demand_ways.owner[home], facility_ways.owner[gate]
    near = great_circle_m(facility_ways.lonlat[gate], demand_ways.lonlat[home]) <= limits_m[point]
    pairs = np.unique(np.column_stack([point[near], facility[near]]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def zone_table(zones: Zones, demand: Demand, covered: Bools, covered_without_external: Bools, settlement_share: float) -> pd.DataFrame:
    """Count people and settlements covered, a row a township, then all urban, all rural, and all.

    Returns
    -------
    DataFrame
        row ("zone", "urban", "rural", "total"), zone_id, zone, people, covered_people, share_people, settlements, covered_settlements,
        share_settlements, and the covered columns again ``_without_external``. Shares are 0–1, nan where there is nobody.
        A settlement counts when at least `settlement_share` of its people is covered; raster cells are no settlements.
        Then covered_people and share_people again ``_low`` and ``_high``: the least and most of the row over ``demand.spreads``, so that
        the county's least is not the sum of the townships'. Last old, covered_old, share_old: people of 65 and over, nan where they
        are not known of every point with people.
    """
    inside = demand.inside
    rows = [("zone", zones.id[at], zones.name[at], demand.zone == at) for at in range(len(zones.id))]
    rows += [("urban", "", "城镇 urban", inside & demand.urban), ("rural", "", "农村 rural", inside & ~demand.urban)]
    rows += [("total", "", "合计 total", inside)]
    covered_by = {"": covered, "_without_external": covered_without_external}
    settlements = _settlements(demand, covered_by, settlement_share)
    return pd.DataFrame(
        [
            {
                "row": row,
                "zone_id": zone_id,
                "zone": zone,
                **_counts(demand, settlements, covered_by, which),
                **_range(demand, covered, which),
                **_old(demand, covered, which),
            }
            for row, zone_id, zone, which in rows
        ]
    )


def _counts(demand: Demand, settlements: _Settlements, covered_by: dict[str, Bools], which: Bools) -> dict[str, float]:
    """Sums over the demand points `which`."""
    homes = which[settlements.at]
    people, villages = math.fsum(demand.people[which]), int(homes.sum())
    counts: dict[str, float] = {"people": people, "settlements": villages}
    for suffix, mask in covered_by.items():
        served, reached = math.fsum(demand.people[which & mask]), int((homes & settlements.covered[suffix]).sum())
        counts |= {"covered_people" + suffix: served, "share_people" + suffix: _share(served, people)}
        counts |= {"covered_settlements" + suffix: reached, "share_settlements" + suffix: _share(reached, villages)}
    return counts


def _range(demand: Demand, covered: Bools, which: Bools) -> dict[str, float]:
    """Least and most over the spreads; a share is of the people whom the same spread puts there."""
    served = [math.fsum(people[which & covered]) for people in demand.spreads]
    shares = [_share(some, math.fsum(people[which])) for some, people in zip(served, demand.spreads, strict=True)]
    known = [share for share in shares if not math.isnan(share)] or [math.nan]
    return {
        "covered_people_low": min(served),
        "covered_people_high": max(served),
        "share_people_low": min(known),
        "share_people_high": max(known),
    }


def _old(demand: Demand, covered: Bools, which: Bools) -> dict[str, float]:
    """People of 65 and over."""
    homes = which & (demand.people > 0)
    old, served = (math.fsum(demand.old[some]) for some in (homes, homes & covered))
    if math.isnan(old):
        served = math.nan
    return {"old": old, "covered_old": served, "share_old": _share(served, old)}


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


class _Settlements(NamedTuple):
    """The settlements inside: the first point of each, and for each variant of coverage whether it counts as covered."""

    at: Ints
    covered: dict[str, Bools]


def _settlements(demand: Demand, covered_by: dict[str, Bools], share: float) -> _Settlements:
    """By the share of people covered; a settlement without people counts when all its points are covered."""
    names, number = np.unique(np.array(demand.settlement, dtype=str), return_inverse=True)
    mine = np.flatnonzero(demand.inside & (names[number] != ""))
    keys = demand.zone[mine] * len(names) + number[mine]  # villages of two townships may have one name
    _, first, member = np.unique(keys, return_index=True, return_inverse=True)
    people, points = np.bincount(member, demand.people[mine]), np.bincount(member)
    covered = {}
    for suffix, mask in covered_by.items():
        people_in, points_in = np.bincount(member, (demand.people * mask)[mine]), np.bincount(member, mask[mine])
        covered[suffix] = np.where(people > 0, people_in >= share * people * (1 - ROUNDING), points_in == points)
    return _Settlements(mine[first], covered)
