"""Coverage by definition: who is within the limits, by township; who is not, and why. People are counted at the people."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from coverage.cuts import ways_after
from coverage.gaps import gap_table
from coverage.serving import Served, chosen, closed, opened, question, served
from coverage.snap import WaysOn, snap_demand, snap_facilities
from coverage.tables import groups
from geodata.model import Demand, Facilities, Region, Zones
from geodata.network import Network
from geodata.roads import Bools, Ints
from geodata.standards import ServiceDefinition

ROUNDING = 1e-9  # a settlement with exactly the stated share of its people within is covered


@dataclass(frozen=True, eq=False)
class CoverageResult:
    """Who is served under one definition.

    Attributes
    ----------
    definition : ServiceDefinition
    facilities : Facilities
        Those counted: of the definition's kinds and open on the region's day.
    served : Served
        Whom each facility serves, on which network.
    covered, covered_without_external : (demand points,) bool
        By any facility; by any facility inside the county.
    by_zone : DataFrame
        See :func:`zone_table`.
    gaps : DataFrame
        See :func:`coverage.gaps.gap_table`.
    """

    definition: ServiceDefinition
    facilities: Facilities
    served: Served
    covered: Bools
    covered_without_external: Bools
    by_zone: pd.DataFrame
    gaps: pd.DataFrame

    @property
    def covers(self) -> csr_array:
        """(demand points, facilities) sparse bool: within every limit of the demand point's class."""
        return self.served.covers

    @property
    def network(self) -> Network:
        """The network it was measured on."""
        return self.served.question.network

    @property
    def demand_ways(self) -> WaysOn:
        """Ways of the demand points onto that network."""
        return self.served.question.ways


def coverage(region: Region, definition: ServiceDefinition, network: Network, *, before: CoverageResult | None = None) -> CoverageResult:
    """Compute who is served under a definition, by township, and who is not.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
    network : Network
        Of the definition's mode.
    before : CoverageResult, optional
        Of the same definition and demand. On the same network: a facility that stands as it did there is not searched anew. On a network
        that a scenario changed, behind whose pieces the added ones stand: only who lives near these is brought onto the roads anew.
    """
    facilities = counted(region, definition)
    facility_ways = snap_facilities(network, facilities)
    if before is not None and before.network is network:
        now = _served_after(before, facilities, facility_ways)
    else:
        asked = question(definition, network, region.demand, ways=_demand_ways(network, region.demand, before))
        now = served(asked, facilities, ways=facility_ways)
    covered, inside = now.covered, chosen(now, np.flatnonzero(~facilities.external)).covered
    ways = {"demand_ways": now.question.ways, "facility_ways": facility_ways}
    return CoverageResult(
        definition=definition,
        facilities=facilities,
        served=now,
        covered=covered,
        covered_without_external=inside,
        by_zone=zone_table(region.zones, region.demand, covered, inside, definition.settlement_share),
        gaps=gap_table(region, definition, network, facilities, covered=covered, **ways),
    )


def counted(region: Region, definition: ServiceDefinition) -> Facilities:
    """Take the facilities that a definition counts: of its kinds, and open on the region's day."""
    places = region.facilities
    return places.take(np.flatnonzero(places.of_kinds(definition.kinds) & places.open_on(region.date)))


def _demand_ways(network: Network, demand: Demand, before: CoverageResult | None) -> WaysOn:
    """Ways on of the demand points; those of `before` as far as they are the same."""
    if before is None:
        return snap_demand(network, demand)
    return ways_after(before.demand_ways, network)


def _served_after(before: CoverageResult, facilities: Facilities, ways: WaysOn) -> Served:
    """Whom each facility serves: what is gone is closed, what stands as it did is not searched anew, the rest is opened."""
    stood: dict[tuple[float, bytes], list[int]] = defaultdict(list)
    for at, stand in enumerate(_stands(before.facilities)):
        stood[stand].append(at)
    known = np.array([stood[stand].pop() if stood[stand] else -1 for stand in _stands(facilities)], dtype=np.int64)
    now = before.served
    gone = np.setdiff1d(np.arange(len(now.columns)), known)
    for at in gone[::-1].tolist():
        now = closed(now, at)
    new = np.flatnonzero(known < 0)
    now = opened(now, facilities.take(new), ways=ways.take(new))
    order = known - np.searchsorted(gone, known)
    order[new] = len(now.columns) - len(new) + np.arange(len(new))
    return replace(now, columns=tuple(now.columns[at] for at in order))


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
    return served(question(definition, network, demand, ways=demand_ways), facilities, ways=facility_ways).covers


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
            for row, zone_id, zone, which in groups(zones, demand.zone, demand.urban)
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
