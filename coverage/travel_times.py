"""From the nodes that facilities reach to travel times at the demand, sparse: absent means unreachable within the limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage import kernels
from coverage.search import (
    AT_ONCE,
    Links,
    Reach,
    Weight,
    delays,
    joined,
    links,
    nearest,
    other_weight,
    part_ms,
    reach,
    runs,
    side_by_side,
    whole_limit,
)
from coverage.snap import WaysOn
from geodata.network import NEVER, Network
from geodata.pack import read_only
from geodata.roads import Floats, Ints
from geodata.standards import Direction

_DEGREES = 1e7  # coordinates equal to 1e-7 degrees (a centimetre) are the same place


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Costs between demand points and facilities, a run of rows for each facility; absent means not within the limit.

    Attributes
    ----------
    weight : "time" or "distance"
    first : (facilities + 1,) int64
        Facility f has the rows ``first[f]:first[f + 1]``.
    demand : (rows,) int64
        Each point once a facility, in no order that means anything, but always the same.
    cost : (rows,) int64
        Milliseconds (weight "time", any delay of the facility included) or millimetres ("distance").
    second : (rows,) int64
        The other cost along the same way, without any delay; empty unless asked for.
    """

    weight: Weight
    first: Ints
    demand: Ints
    cost: Ints
    second: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    @property
    def facility(self) -> Ints:
        """The facility of each row."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


def travel_times(network: Network, reached: Reach, origins: WaysOn, targets: WaysOn) -> TravelTimes:
    """Bring what each facility reaches to the demand points.

    Parameters
    ----------
    network : Network
    reached : Reach
        From ``search.reach`` with the same network and origins; with its second cost, the answer has it too.
    origins, targets : WaysOn
        Of the facilities and of the demand.

    Returns
    -------
    TravelTimes
    """
    weight = reached.weight
    legs = links(network, targets, leaving=reached.direction == "to_facility")
    last = _by(legs.head, legs.tail, legs, weight, network.node_count)
    close = direct(network, origins, targets, reached.direction)
    near = _by(close.tail, close.head, close, weight, origins.count)
    rows = kernels.Links(reached.first, reached.node, reached.cost, reached.second)
    paired = len(reached.second) == len(reached.node)
    first, demand, cost, second = kernels.arrivals(
        rows, reached.delay_ms, last, near, whole_limit(reached.limit), targets.count, paired=paired
    )
    return TravelTimes(weight, first, demand, cost, second)


def times_between(
    network: Network,
    origins: WaysOn,
    targets: WaysOn,
    *,
    direction: Direction,
    weight: Weight = "time",
    limit: float = np.inf,
    delay_ms: Ints | None = None,
    second: bool = False,
) -> TravelTimes:
    """Travel times between facilities and demand points: :func:`search.reach` and :func:`travel_times` in one.

    What the facilities reach is not kept, so that memory holds the answer and little else. Parameters are those of both.
    """
    late = delays(origins, weight, delay_ms)

    def some(start: int) -> TravelTimes:
        which = np.arange(start, min(start + AT_ONCE, origins.count))
        mine = origins.take(which)
        found = reach(network, mine, direction=direction, weight=weight, limit=limit, delay_ms=late[which], second=second)
        return travel_times(network, found, mine, targets)

    return _in_a_row(weight, list(side_by_side(some, range(0, origins.count, AT_ONCE))))


def nearest_facility(
    network: Network, origins: WaysOn, targets: WaysOn, *, direction: Direction, weight: Weight = "time", delay_ms: Ints | None = None
) -> tuple[Ints, Floats]:
    """Find the nearest facility of every demand point without a limit: its position (-1: none) and the cost in ms or mm (inf: none).

    Of equally near facilities the first.
    """
    node_facility, node_cost = nearest(network, origins, direction=direction, weight=weight, delay_ms=delay_ms)
    last = links(network, targets, leaving=direction == "to_facility")
    near = direct(network, origins, targets, direction)
    late = delay_ms[near.tail] if delay_ms is not None and weight == "time" else 0
    place = np.concatenate([last.tail, near.head])
    facility = np.concatenate([node_facility[last.head], near.tail])
    cost = np.concatenate([node_cost[last.head] + last.cost(weight), near.cost(weight) + late])
    order = np.lexsort((facility, cost, place))
    order = order[np.isfinite(cost[order])]
    which, first = np.unique(place[order], return_index=True)
    best_facility, best_cost = np.full(targets.count, -1), np.full(targets.count, np.inf)
    best_facility[which], best_cost[which] = facility[order][first], cost[order][first]
    return best_facility, best_cost


def direct(network: Network, origins: WaysOn, targets: WaysOn, direction: Direction) -> Links:
    """Ways that pass no node, from facility (tail) to demand point (head): along one piece, or none at all at the same place.

    A place off the network has no ways at all, not even to itself: it is never given a time.
    """
    start_row, end_row = _join(origins.piece, targets.piece)
    piece = origins.piece[start_row]
    facility_at, demand_at = origins.offset_mm[start_row], targets.offset_mm[end_row]
    begin, finish = (facility_at, demand_at) if direction == "from_facility" else (demand_at, facility_at)
    whole, length = np.where(finish >= begin, network.forward_ms[piece], network.backward_ms[piece]), network.length_mm[piece]
    along = Links(
        origins.place[start_row],
        targets.place[end_row],
        np.abs(part_ms(whole, finish, length) - part_ms(whole, begin, length)) + origins.leg_ms[start_row] + targets.leg_ms[end_row],
        np.abs(finish - begin) + origins.leg_mm[start_row] + targets.leg_mm[end_row],
        start_row,
    ).take((whole != NEVER) | (finish == begin))
    here, there = _join(*_place_numbers(origins, targets))
    zero = np.zeros(len(here), dtype=np.int64)
    same = Links(origins.owner[here], targets.owner[there], zero, zero, zero - 1)
    return joined(along, same.take(~origins.off_network[same.tail] & ~targets.off_network[same.head]))


def _by(key: Ints, place: Ints, legs: Links, weight: Weight, count: int) -> kernels.Links:
    """Legs grouped by a key, 0..count-1."""
    order = np.lexsort((place, key))
    first = np.searchsorted(key[order], np.arange(count + 1))
    return kernels.Links(first, place[order].astype(np.uint32), legs.cost(weight)[order], legs.cost(other_weight(weight))[order])


def _in_a_row(weight: Weight, parts: list[TravelTimes]) -> TravelTimes:
    first = np.cumsum(np.concatenate([[0], *(np.diff(part.first) for part in parts)]), dtype=np.int64)
    empty = TravelTimes(weight, first[:1], first[:0], first[:0], first[:0])
    columns = {name: np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in ("demand", "cost", "second")}
    return TravelTimes(weight, first, **columns)


def _join(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of rows with equal keys."""
    order = np.argsort(right, kind="stable")
    low, high = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    at, left_row = runs(low, high)
    return left_row, order[at]


def _place_numbers(origins: WaysOn, targets: WaysOn) -> tuple[Ints, Ints]:
    """One number for each distinct coordinate pair, for the points of both."""
    both = np.rint(np.concatenate([origins.lonlat, targets.lonlat]) * _DEGREES).astype(np.int64)
    number = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    return number[: len(origins.lonlat)], number[len(origins.lonlat) :]
