"""From the nodes that facilities reach to travel times at the demand, sparse: absent means unreachable within the limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.search import Links, Reach, Weight, links, part_ms
from coverage.snap import WaysOn
from geodata.pack import read_only
from geodata.roads import NEVER, Floats, Ints, Network
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
        The other cost along the same way, without delay; all 0 unless asked for.
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


def travel_times(
    network: Network,
    reached: Reach,
    origins: WaysOn,
    targets: WaysOn,
    *,
    delay_ms: Ints | None = None,
    reached_second: Ints | None = None,
) -> TravelTimes:
    """Bring what each facility reaches to the demand points.

    Parameters
    ----------
    network : Network
    reached : Reach
        From ``search.reach`` with the same network, origins and delay.
    origins, targets : WaysOn
        Of the facilities and of the demand.
    delay_ms : (facilities,) int64, optional
        As given to ``search.reach``.
    reached_second : (reached,) int64, optional
        From ``search.second_cost``, if the second cost is wanted too.

    Returns
    -------
    TravelTimes
    """
    last = _by_node(links(network, targets, leaving=reached.direction == "to_facility"), network.node_count)
    near = direct(network, origins, targets, reached.direction)
    order = np.argsort(near.tail, kind="stable")
    near_first = np.searchsorted(near.tail[order], np.arange(origins.count + 1))
    second = np.zeros(len(reached.node), dtype=np.int64) if reached_second is None else reached_second
    rows = []
    for facility in range(origins.count):
        mine = reached.of(facility)
        delay = int(delay_ms[facility]) if delay_ms is not None and reached.weight == "time" else 0
        leg, at = last.onward(reached.node[mine])
        here = order[near_first[facility] : near_first[facility + 1]]
        place = np.concatenate([last.place[leg], near.head[here]])
        cost = np.concatenate([reached.cost[mine][at] + last.cost(reached.weight)[leg], near.cost(reached.weight)[here] + delay])
        other = _other(reached.weight)
        also = np.concatenate([second[mine][at] + last.cost(other)[leg], near.cost(other)[here]]) if reached_second is not None else cost * 0
        rows.append(_best(place, cost, also, reached.limit, targets.count))
    empty = np.zeros(0, dtype=np.int64)
    demand, cost, also = (np.concatenate([empty, *column]) for column in zip(*rows, strict=True)) if rows else (empty, empty, empty)
    first = np.cumsum([0, *(len(row[0]) for row in rows)], dtype=np.int64)
    return TravelTimes(reached.weight, first, demand, cost, also)


def nearest_facility(
    network: Network,
    node_facility: Ints,
    node_cost: Floats,
    origins: WaysOn,
    targets: WaysOn,
    *,
    direction: Direction,
    weight: Weight = "time",
    delay_ms: Ints | None = None,
) -> tuple[Ints, Floats]:
    """Bring the nearest facility of each node (``search.nearest``) to the demand: facility (-1: none) and cost in ms or mm (inf)."""
    last = links(network, targets, leaving=direction == "to_facility")
    near = direct(network, origins, targets, direction)
    delay = delay_ms[near.tail] if delay_ms is not None and weight == "time" else 0
    place = np.concatenate([last.tail, near.head])
    facility = np.concatenate([node_facility[last.head], near.tail])
    cost = np.concatenate([node_cost[last.head] + last.cost(weight), near.cost(weight) + delay])
    order = np.lexsort((facility, cost, place))
    which, first = np.unique(place[order], return_index=True)
    best_facility, best_cost = np.full(targets.count, -1), np.full(targets.count, np.inf)
    best_facility[which], best_cost[which] = facility[order][first], cost[order][first]
    best_facility[np.isinf(best_cost)] = -1
    return best_facility, best_cost


def direct(network: Network, origins: WaysOn, targets: WaysOn, direction: Direction) -> Links:
    """Ways that pass no node, from facility (tail) to demand point (head): along one piece, or none at all at the same place."""
    start_row, end_row = _join(origins.piece, targets.piece)
    piece = origins.piece[start_row]
    facility_at, demand_at = origins.offset_mm[start_row], targets.offset_mm[end_row]
    begin, finish = (facility_at, demand_at) if direction == "from_facility" else (demand_at, facility_at)
    one_way = np.where(finish >= begin, network.forward_ms[piece], network.backward_ms[piece])
    one_way = np.where((finish == begin) & (one_way == NEVER), 0, one_way)
    along_mm = np.abs(finish - begin)
    ms = part_ms(one_way, along_mm, network.length_mm[piece]) + origins.leg_ms[start_row] + targets.leg_ms[end_row]
    mm = along_mm + origins.leg_mm[start_row] + targets.leg_mm[end_row]
    open_ = one_way != NEVER
    same_start, same_end = _join(*_place_numbers(origins, targets))
    zero = np.zeros(len(same_start), dtype=np.int64)
    return Links(
        np.concatenate([origins.place[start_row][open_], origins.owner[same_start]]),
        np.concatenate([targets.place[end_row][open_], targets.owner[same_end]]),
        np.concatenate([ms[open_], zero]),
        np.concatenate([mm[open_], zero]),
    )


@dataclass(frozen=True, eq=False)
class _LastLegs:
    """Legs between nodes and demand points, sorted by node."""

    first: Ints
    place: Ints
    ms: Ints
    mm: Ints

    def cost(self, weight: Weight) -> Ints:
        return self.ms if weight == "time" else self.mm

    def onward(self, nodes: Ints) -> tuple[Ints, Ints]:
        """All legs from these nodes, and for each the position of its node in `nodes`."""
        count = self.first[nodes + 1] - self.first[nodes]
        at = np.repeat(np.arange(len(nodes)), count)
        return np.arange(len(at)) + np.repeat(self.first[nodes] - (np.cumsum(count) - count), count), at


def _by_node(legs: Links, node_count: int) -> _LastLegs:
    order = np.argsort(legs.head, kind="stable")
    first = np.searchsorted(legs.head[order], np.arange(node_count + 1))
    return _LastLegs(first, legs.tail[order], legs.ms[order], legs.mm[order])


def _best(place: Ints, cost: Ints, second: Ints, limit: float, count: int) -> tuple[Ints, Ints, Ints]:
    """The least cost of each place within the limit, and of equal ones the least second cost."""
    best, best_second = np.full(count, _MOST), np.full(count, _MOST)
    np.minimum.at(best, place, cost)
    chosen = cost == best[place]
    np.minimum.at(best_second, place[chosen], second[chosen])
    within = np.flatnonzero(best <= min(limit, _MOST - 1))
    return within, best[within], best_second[within]


def _other(weight: Weight) -> Weight:
    return "distance" if weight == "time" else "time"


def _join(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of rows with equal keys."""
    order = np.argsort(right, kind="stable")
    low, high = (np.searchsorted(right[order], left, side=side) for side in ("left", "right"))
    count = high - low
    left_row = np.repeat(np.arange(len(left)), count)
    right_row = order[np.arange(len(left_row)) + np.repeat(low - (np.cumsum(count) - count), count)]
    return left_row, right_row


def _place_numbers(origins: WaysOn, targets: WaysOn) -> tuple[Ints, Ints]:
    """One number for each distinct coordinate pair, for the points of both."""
    both = np.rint(np.concatenate([origins.lonlat, targets.lonlat]) * _DEGREES).astype(np.int64)
    number = np.unique(both, axis=0, return_inverse=True)[1].reshape(-1)
    return number[: len(origins.lonlat)], number[len(origins.lonlat) :]
