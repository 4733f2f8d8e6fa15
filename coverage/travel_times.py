"""From the nodes that facilities reach to travel times at the demand, sparse: absent means unreachable within the limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.search import Links, Reach, Weight, joined, links, nearest, other_weight, part_ms
from coverage.snap import WaysOn
from geodata.network import NEVER, Network
from geodata.pack import read_only
from geodata.roads import Floats, Ints
from geodata.standards import Direction

_DEGREES = 1e7  # coordinates equal to 1e-7 degrees (a centimetre) are the same place
_MOST = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class TravelTimes:
    """Costs between demand points and facilities, a run of rows for each facility; absent means not within the limit.

    Attributes
    ----------
    weight : "time" or "distance"
    first : (facilities + 1,) int64
        Facility f has the rows ``first[f]:first[f + 1]``.
    demand : (rows,) int64
        Ascending within a facility.
    cost : (rows,) int64
        Milliseconds (weight "time", any delay of the facility included) or millimetres ("distance").
    second : (rows,) int64
        The other cost along the same way, without any delay; all 0 unless asked for.
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


def travel_times(network: Network, reached: Reach, origins: WaysOn, targets: WaysOn, *, reached_second: Ints | None = None) -> TravelTimes:
    """Bring what each facility reaches to the demand points.

    Parameters
    ----------
    network : Network
    reached : Reach
        From ``search.reach`` with the same network and origins.
    origins, targets : WaysOn
        Of the facilities and of the demand.
    reached_second : (reached,) int64, optional
        From ``search.second_cost``, if the second cost is wanted too.

    Returns
    -------
    TravelTimes
    """
    weight, other = reached.weight, other_weight(reached.weight)
    last = _by_node(links(network, targets, leaving=reached.direction == "to_facility"), network.node_count)
    near = direct(network, origins, targets, reached.direction)
    near = near.take(np.argsort(near.tail, kind="stable"))
    near_first = np.searchsorted(near.tail, np.arange(origins.count + 1))
    second = np.zeros(len(reached.node), dtype=np.int64) if reached_second is None else reached_second
    rows = [(np.zeros(0, dtype=np.int64),) * 3]
    for facility in range(origins.count):
        mine, here = reached.of(facility), slice(near_first[facility], near_first[facility + 1])
        leg, at = last.onward(reached.node[mine])
        place = np.concatenate([last.legs.tail[leg], near.head[here]])
        cost = np.concatenate([reached.cost[mine][at] + last.legs.cost(weight)[leg], near.cost(weight)[here] + reached.delay_ms[facility]])
        also = np.concatenate([second[mine][at] + last.legs.cost(other)[leg], near.cost(other)[here]])
        rows.append(_best(place, cost, also * (reached_second is not None), reached.limit, targets.count))
    demand, cost, also = (np.concatenate(column) for column in zip(*rows, strict=True))
    first = np.cumsum([len(row[0]) for row in rows], dtype=np.int64)  # the first, empty row stands for 0
    return TravelTimes(weight, first, demand, cost, also)


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
    ).take((whole != NEVER) | (finish == begin))
    here, there = _join(*_place_numbers(origins, targets))
    zero = np.zeros(len(here), dtype=np.int64)
    same = Links(origins.owner[here], targets.owner[there], zero, zero)
    return joined(along, same.take(~origins.off_network[same.tail] & ~targets.off_network[same.head]))


@dataclass(frozen=True, eq=False)
class _LastLegs:
    """Legs between nodes and demand points, sorted by node: node n has the rows ``first[n]:first[n + 1]``."""

    first: Ints
    legs: Links

    def onward(self, nodes: Ints) -> tuple[Ints, Ints]:
        """All legs from these nodes, and for each the position of its node in `nodes`."""
        return _runs(self.first[nodes], self.first[nodes + 1])


def _by_node(legs: Links, node_count: int) -> _LastLegs:
    legs = legs.take(np.argsort(legs.head, kind="stable"))
    return _LastLegs(np.searchsorted(legs.head, np.arange(node_count + 1)), legs)


def _runs(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """The numbers low[i] to high[i] - 1 of every i in turn, and for each its i."""
    count = high - low
    which = np.repeat(np.arange(len(count)), count)
    return np.arange(len(which)) + np.repeat(low - (np.cumsum(count) - count), count), which


def _best(place: Ints, cost: Ints, second: Ints, limit: float, count: int) -> tuple[Ints, Ints, Ints]:
    """The least cost of each place within the limit, and of equal ones the least second cost."""
    best, best_second = np.full(count, _MOST), np.full(count, _MOST)
    np.minimum.at(best, place, cost)
    chosen = cost == best[place]
    np.minimum.at(best_second, place[chosen], second[chosen])
    within = np.flatnonzero(best <= min(limit, _MOST - 1))
    return within, best[within], best_second[within]


def _join(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of rows with equal keys."""
    order = np.argsort(right, kind="stable")
    low, high = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    at, left_row = _runs(low, high)
    return left_row, order[at]


def _place_numbers(origins: WaysOn, targets: WaysOn) -> tuple[Ints, Ints]:
    """One number for each distinct coordinate pair, for the points of both."""
    both = np.rint(np.concatenate([origins.lonlat, targets.lonlat]) * _DEGREES).astype(np.int64)
    number = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    return number[: len(origins.lonlat)], number[len(origins.lonlat) :]
