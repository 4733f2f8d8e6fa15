"""Pairs of demand point and facility within the limits, each with its cost: what the studies of capacity and surge share out.

People are whole here, and points and facilities stand in the order of their ids, so that neither a fraction nor the order of a table
decides who is served.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coverage.search import Weight, start_delay_ms
from coverage.serving import MEASURES, MM_PER_M, MS_PER_MINUTE, Measure
from coverage.snap import WaysOn, snap_demand, snap_facilities
from coverage.stats import counted, within_limits
from coverage.travel_times import times_between
from geodata.model import Demand, Facilities, Region
from geodata.network import Network
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Ints, great_circle_m
from geodata.standards import ServiceDefinition


@dataclass(frozen=True, eq=False)
class Pairs:
    """Who may be served where.

    Attributes
    ----------
    measure : "minutes", "network_m" or "straight_m"
        What `cost` measures.
    points, facilities : int
        How many there are, in a pair or not.
    point, facility : (pairs,) int64
        Sorted by point, then facility; each pair once.
    cost : (pairs,) int64
        Milliseconds (any delay of the facility included) or millimetres, each pair on its own best way.
    """

    measure: Measure
    points: int
    facilities: int
    point: Ints
    facility: Ints
    cost: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the pairs."""
        return len(self.point)

    def take(self, which: Ints | Bools) -> Pairs:
        """Only these pairs, of the same points and facilities."""
        return replace(self, point=self.point[which], facility=self.facility[which], cost=self.cost[which])

    @property
    def in_reach(self) -> Bools:
        """Which points are within the limits of any facility."""
        return np.bincount(self.point, minlength=self.points) > 0


def pairs_within(definition: ServiceDefinition, network: Network, demand: Demand, facilities: Facilities) -> Pairs:
    """Find the pairs within every limit, with their cost by the first measure that the definition has for both settlement classes.

    Where the classes are measured differently the straight distance stands in: the only cost that every pair has.
    """
    ways = {
        "demand_ways": snap_demand(network, demand),
        "facility_ways": snap_facilities(network, facilities),
    }
    covers = within_limits(definition, network, demand, facilities, **ways).tocoo()
    keys = np.sort(covers.row.astype(np.int64) * len(facilities) + covers.col)
    point, facility = np.divmod(keys, max(1, len(facilities)))
    measure: Measure = next((one for one in MEASURES if all(getattr(limit, one) for limit in definition.limits.values())), "straight_m")
    if measure == "straight_m":
        cost = _straight_mm(demand.lonlat, facilities, point, facility)
    else:
        cost = _along_roads(definition, network, facilities, keys, measure=measure, **ways)
    return Pairs(measure, len(demand), len(facilities), point, facility, cost)


def _along_roads(
    definition: ServiceDefinition,
    network: Network,
    facilities: Facilities,
    keys: Ints,
    *,
    measure: Measure,
    demand_ways: WaysOn,
    facility_ways: WaysOn,
) -> Ints:
    """Cost of the pairs ``point * facilities + facility``, all of which are within the largest limit."""
    weight: Weight = "time" if measure == "minutes" else "distance"
    unit = MS_PER_MINUTE if measure == "minutes" else MM_PER_M
    largest = max(round(getattr(limit, measure) * unit) for limit in definition.limits.values())
    delay_ms = start_delay_ms(definition, facilities)
    times = times_between(
        network, facility_ways, demand_ways, direction=definition.direction, weight=weight, limit=largest, delay_ms=delay_ms
    )
    of_row = times.demand * len(facilities) + times.facility
    order = np.argsort(of_row)
    return np.asarray(times.cost[order][np.searchsorted(of_row[order], keys)])


def _straight_mm(lonlat: Floats, facilities: Facilities, point: Ints, facility: Ints) -> Ints:
    """Great-circle millimetres to the nearest entrance of the facility of each pair."""
    if len(point) == 0:
        return np.zeros(0, dtype=np.int64)
    count = np.diff(facilities.first_entrance)[facility]
    first = np.cumsum(count) - count
    gate = np.arange(count.sum()) + np.repeat(facilities.first_entrance[facility] - first, count)
    metres = great_circle_m(np.repeat(lonlat[point], count, axis=0), facilities.entrance[gate])
    return np.asarray(np.rint(np.minimum.reduceat(metres, first) * MM_PER_M), dtype=np.int64)


def inside_by_id(demand: Demand) -> Demand:
    """Only the points inside the county, in the order of their ids."""
    at = np.array(sorted(np.flatnonzero(demand.inside), key=lambda one: demand.id[one]), dtype=np.int64)
    texts: dict[str, Any] = {name: tuple(getattr(demand, name)[one] for one in at) for name in ("id", "name", "settlement")}
    arrays: dict[str, Any] = {name: getattr(demand, name)[at] for name in ("lonlat", "people", "zone", "urban", "old")}
    return replace(demand, spreads=demand.spreads[:, at], **texts, **arrays)


def counted_by_id(region: Region, definition: ServiceDefinition) -> Facilities:
    """Facilities of the definition's kinds that are open on the region's day, in the order of their ids."""
    places = counted(region, definition)
    return places.take(np.array(sorted(range(len(places)), key=lambda one: places.id[one]), dtype=np.int64))


def whole_people(people: Floats, zone: Ints) -> Ints:
    """Round people to whole ones so that each zone keeps its total, rounded: those with the largest remainders are rounded up.

    Parameters
    ----------
    people : (points,) float64
        Raster cells hold parts of a person; whole numbers stay as they are.
    zone : (points,) int64
        Of equal remainders the first point is rounded up.

    Returns
    -------
    (points,) int64

    Examples
    --------
    >>> whole_people(np.array([0.5, 0.5, 0.4, 3.0]), np.array([0, 0, 0, 1])).tolist()
    [1, 0, 0, 3]
    """
    whole = np.floor(people).astype(np.int64)
    rest = people - whole
    for one in np.unique(zone[rest > 0]):
        mine = np.flatnonzero(zone == one)
        more = round(rest[mine].sum())
        whole[mine[np.argsort(-rest[mine], kind="stable")[:more]]] += 1
    return whole
