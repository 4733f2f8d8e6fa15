"""From the nodes that facilities reach to travel times at the demand, sparse: absent means unreachable within the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coverage.graph import Grouped
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
    walked,
    whole_limit,
)
from coverage.snap import WaysOn
from geodata.network import NEVER, Network
from geodata.pack import read_only
from geodata.roads import Floats, Ints
from geodata.standards import Direction

_DEGREES = 1e7  # coordinates equal to 1e-7 degrees (a centimetre) are the same place
_NORTHS = 1_800_000_001  # of them from pole to pole


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


@dataclass(frozen=True, eq=False)
class Destinations:
    """Demand points made ready to be arrived at, for any number of questions.

    Attributes
    ----------
    network, direction, weight
        What is asked; `direction` as the facilities see it.
    ways : WaysOn
        Of the demand points.
    order : Order
        The demand points side by side in memory as the nodes beside them are.
    legs : Grouped
        From each node to the demand points beside it, the best of each pair.
    by_piece, by_place : Sorted
        The ways by the piece they lead onto, and the points by where they are.
    """

    network: Network
    direction: Direction
    weight: Weight
    ways: WaysOn
    order: Order
    legs: Grouped
    by_piece: Sorted
    by_place: Sorted


class Order(NamedTuple):
    """Another order of the demand points: the number of each, and the point of each number."""

    number: Ints
    point: Ints


class Sorted(NamedTuple):
    """Keys in ascending order, and the row of each."""

    key: Ints
    row: Ints

    @classmethod
    def of(cls, keys: Ints) -> Sorted:
        """Sort a column of keys."""
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], order)

    def matches(self, keys: Ints) -> tuple[Ints, Ints]:
        """All pairs of a position in `keys` and a row with the same key."""
        low, high = (np.searchsorted(self.key, keys, side=side) for side in ("left", "right"))
        at, position = runs(low, high)
        return position, self.row[at]


def destinations(network: Network, targets: WaysOn, *, direction: Direction, weight: Weight = "time") -> Destinations:
    """Make demand points ready to be arrived at: what a single search would spend most of its time on, once for all."""
    from coverage import kernels  # noqa: PLC0415 — numba takes a second to import: only a search pays it

    legs = links(network, targets, leaving=direction == "to_facility")
    costs = legs.cost(weight), legs.cost(other_weight(weight))
    of_place = kernels.grouped(targets.count, network.node_count, legs.tail, legs.head, *costs)
    kept = np.flatnonzero(kernels.useful(walked(network, direction, weight), of_place))
    place = np.repeat(np.arange(targets.count), np.diff(of_place.first))[kept]
    node, *costs_ = (np.asarray(column[kept], dtype=np.int64) for column in of_place[1:])
    order = _along_nodes(place, node, targets.count)
    best = kernels.grouped(network.node_count, targets.count, node, order.number[place], *costs_)
    return Destinations(
        network, direction, weight, targets, order, best, Sorted.of(targets.piece), Sorted.of(_place_number(targets.lonlat))
    )


def _along_nodes(place: Ints, node: Ints, count: int) -> Order:
    """Places in the order of the first node beside them: what a search reaches together is then read together."""
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, place, node)
    point = np.argsort(first, kind="stable")
    number = np.empty(count, dtype=np.int64)
    number[point] = np.arange(count)
    return Order(number, point)


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
    ready = destinations(network, targets, direction=reached.direction, weight=reached.weight)
    return _arrivals(ready, reached, origins, second=0 < len(reached.second) == len(reached.node))


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
    """Travel times between facilities and demand points: :func:`search.reach` and :func:`travel_times` in one; parameters as there."""
    ready = destinations(network, targets, direction=direction, weight=weight)
    return times_to(ready, origins, limit=limit, delay_ms=delay_ms, second=second)


def times_to(
    ready: Destinations, origins: WaysOn, *, limit: float = np.inf, delay_ms: Ints | None = None, second: bool = False
) -> TravelTimes:
    """Travel times between facilities and demand points that are ready: as :func:`times_between`, for one question after another.

    What the facilities reach is not kept, so that memory holds the answer and little else.
    """
    late = delays(origins, ready.weight, delay_ms)

    def some(start: int) -> TravelTimes:
        which = np.arange(start, min(start + AT_ONCE, origins.count))
        mine = origins if len(which) == origins.count else origins.take(which)
        found = reach(ready.network, mine, direction=ready.direction, weight=ready.weight, limit=limit, delay_ms=late[which], second=second)
        return _arrivals(ready, found, mine, second=second)

    return _in_a_row(ready.weight, list(side_by_side(some, range(0, origins.count, AT_ONCE))))


def _arrivals(ready: Destinations, reached: Reach, origins: WaysOn, *, second: bool) -> TravelTimes:
    from coverage import kernels  # noqa: PLC0415 — numba takes a second to import: only a search pays it

    near = _direct(ready, origins)
    costs = (near.cost(ready.weight), near.cost(other_weight(ready.weight)))
    close = kernels.grouped(origins.count, ready.ways.count, near.tail, ready.order.number[near.head], *costs)
    rows = Grouped(reached.first, reached.node, reached.cost, reached.second)
    first, number, cost, other = kernels.arrivals(
        rows, reached.delay_ms, ready.legs, close, whole_limit(reached.limit), ready.ways.count, paired=second
    )
    return TravelTimes(ready.weight, first, ready.order.point[number], cost, other)


def nearest_facility(
    network: Network, origins: WaysOn, targets: WaysOn, *, direction: Direction, weight: Weight = "time", delay_ms: Ints | None = None
) -> tuple[Ints, Floats]:
    """Find the nearest facility of every demand point without a limit: its position (-1: none) and the cost in ms or mm (inf: none).

    Of equally near facilities the first.
    """
    ready = destinations(network, targets, direction=direction, weight=weight)
    node_facility, node_cost = nearest(network, origins, direction=direction, weight=weight, delay_ms=delay_ms)
    near, last = _direct(ready, origins), ready.legs
    late = delays(origins, weight, delay_ms)[near.tail]
    node = np.repeat(np.arange(network.node_count), np.diff(last.first))
    place = np.concatenate([ready.order.point[last.head], near.head])
    facility = np.concatenate([node_facility[node], near.tail])
    cost = np.concatenate([node_cost[node] + last.cost, near.cost(weight) + late])
    order = np.lexsort((facility, cost, place))
    order = order[np.isfinite(cost[order])]
    which, first = np.unique(place[order], return_index=True)
    best_facility, best_cost = np.full(targets.count, -1), np.full(targets.count, np.inf)
    best_facility[which], best_cost[which] = facility[order][first], cost[order][first]
    return best_facility, best_cost


def _direct(ready: Destinations, origins: WaysOn) -> Links:
    """Ways that pass no node, from facility (tail) to demand point (head): along one piece, or none at all at the same place.

    A place off the network has no ways at all, not even to itself: it is never given a time.
    """
    network, targets = ready.network, ready.ways
    start_row, end_row = ready.by_piece.matches(origins.piece)
    piece = origins.piece[start_row]
    facility_at, demand_at = origins.offset_mm[start_row], targets.offset_mm[end_row]
    begin, finish = (facility_at, demand_at) if ready.direction == "from_facility" else (demand_at, facility_at)
    whole, length = np.where(finish >= begin, network.forward_ms[piece], network.backward_ms[piece]), network.length_mm[piece]
    along = Links(
        origins.place[start_row],
        targets.place[end_row],
        np.abs(part_ms(whole, finish, length) - part_ms(whole, begin, length)) + origins.leg_ms[start_row] + targets.leg_ms[end_row],
        np.abs(finish - begin) + origins.leg_mm[start_row] + targets.leg_mm[end_row],
        start_row,
    ).take((whole != NEVER) | (finish == begin))
    here, there = ready.by_place.matches(_place_number(origins.lonlat))
    zero = np.zeros(len(here), dtype=np.int64)
    same = Links(origins.owner[here], targets.owner[there], zero, zero, zero - 1)
    return joined(along, same.take(~origins.off_network[same.tail] & ~targets.off_network[same.head]))


def _place_number(lonlat: Floats) -> Ints:
    """One number for each distinct coordinate pair."""
    east, north = np.rint((lonlat + np.array([180.0, 90.0])) * _DEGREES).astype(np.int64).T
    return np.asarray(east * _NORTHS + north)


def _in_a_row(weight: Weight, parts: list[TravelTimes]) -> TravelTimes:
    first = np.cumsum(np.concatenate([[0], *(np.diff(part.first) for part in parts)]), dtype=np.int64)
    empty = TravelTimes(weight, first[:1], first[:0], first[:0], first[:0])
    columns = {name: np.concatenate([getattr(part, name) for part in (empty, *parts)]) for name in ("demand", "cost", "second")}
    return TravelTimes(weight, first, **columns)
