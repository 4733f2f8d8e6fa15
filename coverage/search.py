"""The search: from each facility, every node of the network within a limit; the nearest facilities of every node; fastest ways.

Costs are whole milliseconds (weight "time") or millimetres ("distance"); sums are exact, the limit is inclusive. A place on a piece has a
whole-millisecond position on it, so that the two parts of a piece always add up to the whole, and passing a place costs nothing.
One engine, ``coverage.kernels``, answers every question; a facility's ways on are the seeds of its search.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import current_thread, local
from typing import Literal, TypeVar

import numpy as np

from coverage.graph import FAR, Grouped, Seeds
from coverage.snap import WaysOn
from geodata.model import Facilities
from geodata.network import Groups, Network
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Ints
from geodata.standards import Direction, ServiceDefinition

Weight = Literal["time", "distance"]
AT_ONCE = 16  # facilities searched together: bounds the memory of what is not kept; more are no faster
_MOST_BUCKETS = 1 << 12  # what lies farther ahead goes around with the ring
_BUCKETS_A_LINK = 4  # the mean link crosses so many: measured, flat around it
_THREADS = "circle15-search"
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, eq=False)
class Reach:
    """The nodes each facility reaches within the limit.

    Attributes
    ----------
    weight, direction, limit
        What was searched; `limit` in ms or mm, inf for none.
    delay_ms : (facilities,) int64
        In ms, counted in `cost`: call handling and turnout; 0 for weight "distance".
    first : (facilities + 1,) int64
        Facility f reaches ``node[first[f]:first[f + 1]]``.
    node : (reached,) int64
        Nodes and copies of the network, each once a facility, in no order that means anything, but always the same.
    cost : (reached,) int64
        In ms or mm.
    second : (reached,) int64
        The other cost, without any delay, along the same way (of equally good ways the least); empty unless asked for.
    """

    weight: Weight
    direction: Direction
    limit: float
    delay_ms: Ints
    first: Ints
    node: Ints
    cost: Ints
    second: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def of(self, facility: int) -> slice:
        """Rows of one facility."""
        return slice(int(self.first[facility]), int(self.first[facility + 1]))


@dataclass(frozen=True, eq=False)
class Links:
    """Links between places (tail) and nodes, or other places (head), with both costs.

    `way` is the way on by which the place at the tail steps onto the road; -1 where it does not.
    """

    tail: Ints
    head: Ints
    ms: Ints
    mm: Ints
    way: Ints

    def cost(self, weight: Weight) -> Ints:
        """The cost of a weight."""
        return self.ms if weight == "time" else self.mm

    def take(self, which: Ints | Bools) -> Links:
        """Only these links."""
        return Links(self.tail[which], self.head[which], self.ms[which], self.mm[which], self.way[which])


def other_weight(weight: Weight) -> Weight:
    """The weight that is not this one."""
    return "distance" if weight == "time" else "time"


def joined(*several: Links) -> Links:
    """All these links, in this order."""
    return Links(*(np.concatenate([getattr(one, name) for one in several]) for name in ("tail", "head", "ms", "mm", "way")))


def links(network: Network, ways: WaysOn, *, leaving: bool) -> Links:
    """Links between places (tail) and nodes (head): the leg and the part of the piece up to each end that may be travelled.

    `leaving` tells whether the traveller leaves the place or arrives at it: they differ on one-way pieces, and where turns are
    restricted. A place at the very end of a piece is at the node, whichever way the piece runs.
    """
    piece, at, length = ways.piece, ways.offset_mm, network.length_mm[ways.piece]
    towards_end, towards_start = (network.forward_ms[piece], network.backward_ms[piece])[:: 1 if leaving else -1]
    forward = 2 * piece  # the run towards the end, for one who leaves
    to_end, to_start = towards_end - part_ms(towards_end, at, length), part_ms(towards_start, at, length)
    return joined(
        _side(network, ways, network.end[piece], forward + (not leaving), to_end, length - at, leaving=leaving),
        _side(network, ways, network.start[piece], forward + leaving, to_start, at, leaving=leaving),
    )


def _side(  # noqa: PLR0917 — the columns of the links
    network: Network, ways: WaysOn, node: Ints, run: Ints, ms: Ints, mm: Ints, *, leaving: bool
) -> Links:
    """Links of places to one end of their pieces; none where the run between them is not permitted."""
    here = mm == 0
    if leaving:
        way = np.flatnonzero(here | network.permitted[run])
        door = np.where(here, node, network.entered.ravel()[run])[way]
    else:
        inner, end = np.flatnonzero(~here), np.flatnonzero(here)
        link, which = members(network.links_of_run, run[inner])
        copy, beside = members(network.copies, node[end])
        way, door = np.concatenate([inner[which], end[beside]]), np.concatenate([network.tail[link], copy])
    return Links(ways.place[way], door, np.where(here, 0, ms)[way] + ways.leg_ms[way], mm[way] + ways.leg_mm[way], way)


def members(groups: Groups, which: Ints) -> tuple[Ints, Ints]:
    """All members of these groups, and for each the position in `which` of its group."""
    at, group = runs(groups.first[which], groups.first[which + 1])
    return groups.member[at], group


def runs(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """The numbers low[i] to high[i] - 1 of every i in turn, and for each its i."""
    count = high - low
    which = np.repeat(np.arange(len(count)), count)
    return np.arange(len(which)) + np.repeat(low - (np.cumsum(count) - count), count), which


def start_delay_ms(definition: ServiceDefinition, facilities: Facilities) -> Ints:
    """Milliseconds before each facility's vehicle moves: call handling and its own or the definition's turnout."""
    turnout_s = np.where(np.isnan(facilities.turnout_s), definition.turnout_s, facilities.turnout_s)
    moves = definition.turnout_s > 0 or definition.call_handling_s > 0
    return np.rint((definition.call_handling_s + turnout_s) * 1000 * moves).astype(np.int64)


def part_ms(whole_ms: Ints, part_mm: Ints, length_mm: Ints) -> Ints:
    """Whole milliseconds from the start of a piece to a place on it; 0 on a piece without length."""
    return np.rint(whole_ms * part_mm / np.maximum(length_mm, 1)).astype(np.int64)


def reach(
    network: Network,
    origins: WaysOn,
    *,
    direction: Direction,
    weight: Weight = "time",
    limit: float = np.inf,
    delay_ms: Ints | None = None,
    second: bool = False,
) -> Reach:
    """Find every node within a limit of each facility.

    Parameters
    ----------
    network : Network
    origins : WaysOn
        Of the facilities.
    direction : "to_facility" or "from_facility"
        A patient drives to the clinic, an ambulance comes from its point.
    weight : "time" or "distance"
    limit : float
        In ms or mm, inclusive.
    delay_ms : (facilities,) int64, optional
        In ms, added to every time: call handling and turnout.
    second : bool
        Also find the cost that is not minimised, along the same way.

    Returns
    -------
    Reach
    """
    from coverage import kernels  # noqa: PLC0415 — numba takes a second to import: only a search pays it

    delay_ms = delays(origins, weight, delay_ms)
    graph, seeds = walked(network, direction, weight), _seeds(network, origins, direction, weight, delay_ms)
    most = whole_limit(limit)

    def some(start: int) -> tuple[Ints, Ints, Ints, Ints]:
        mine = _of_sources(seeds, start, start + AT_ONCE)
        return kernels.reach_many(graph, mine, most, *_buckets(network, weight, mine), _far(network.node_count), paired=second)

    return Reach(weight, direction, limit, delay_ms, *_in_a_row(list(side_by_side(some, range(0, origins.count, AT_ONCE)))))


def nearest(
    network: Network, origins: WaysOn, *, direction: Direction, weight: Weight = "time", delay_ms: Ints | None = None
) -> tuple[Ints, Floats]:
    """Find the nearest facility of every node without a limit: its position (-1: none) and the cost in ms or mm (inf: none).

    Of equally near facilities the first: one search from all of them at once, whose second cost is the facility's position.
    """
    from coverage import kernels  # noqa: PLC0415 — numba takes a second to import: only a search pays it

    graph = walked(network, direction, weight)
    seeds = _seeds(network, origins, direction, weight, delays(origins, weight, delay_ms))
    facility = np.repeat(np.arange(origins.count), np.diff(seeds.first))
    together = Seeds(seeds.first[[0, -1]], seeds.node, seeds.cost, facility)
    cost, owner, _ = kernels.tree(graph._replace(other=np.zeros_like(graph.other)), together, *_buckets(network, weight, together))
    reached = cost != FAR
    return np.where(reached, owner, -1), np.where(reached, cost, np.inf)


def nearest_two(
    network: Network, origins: WaysOn, *, direction: Direction, weight: Weight = "time", delay_ms: Ints | None = None
) -> tuple[Ints, Floats]:
    """Find the nearest facility of every node and the second nearest, which serves if that one is closed or busy.

    Returns
    -------
    facility : (node_count, 2) int64
        Position, -1 for none; of equally near facilities the first.
    cost : (node_count, 2) float64
        In ms or mm, inf for none.
    """
    from coverage import kernels  # noqa: PLC0415 — numba takes a second to import: only a search pays it

    graph = walked(network, direction, weight)
    seeds = _seeds(network, origins, direction, weight, delays(origins, weight, delay_ms))
    cost, facility = kernels.nearest_two(graph, seeds, *_buckets(network, weight, seeds))
    return facility, np.where(cost == FAR, np.inf, cost)


def tree(network: Network, origin: WaysOn, *, direction: Direction = "from_facility") -> tuple[Ints, Ints, Links]:
    """Find the fastest way from one place to every node, of equal ones the shortest.

    Returns
    -------
    ms : (node_count,) int64
        ``graph.FAR`` for unreachable.
    link : (node_count,) int64
        The network's link by which each node is reached; -1 - i where that is the i-th of the links between the place and the road.
    ends : Links
        The links between the place and the road.
    """
    from coverage import kernels  # noqa: PLC0415 — numba takes a second to import: only a search pays it

    adjacency = network.outward if direction == "from_facility" else network.inward
    ends = links(network, origin, leaving=direction == "from_facility")
    seeds = Seeds(np.array([0, len(ends.tail)]), ends.head.astype(np.uint32), ends.ms, ends.mm)
    graph = walked(network, direction, "time")
    ms, _, row = kernels.tree(graph, seeds, *_buckets(network, "time", seeds))
    return ms, np.where(row >= 0, adjacency.link[np.maximum(row, 0)], row), ends


def costs_at_ends(network: Network, direction: Direction, node_cost: Floats) -> tuple[Floats, Floats]:
    """What it costs to be at the start, and at the end, of each piece, and to go on along it, as the search walks: inf where it cannot.

    Parameters
    ----------
    network : Network
    direction : "to_facility" or "from_facility"
        Towards a facility the search walks pieces against the traveller.
    node_cost : (node_count,) float64
        inf where not reached.

    Returns
    -------
    at_start : (pieces,) float64
    at_end : (pieces,) float64
    """
    outward = direction == "from_facility"
    cost = np.full(2 * len(network), np.inf)
    np.minimum.at(cost, network.run if outward else network.run ^ 1, node_cost[network.tail if outward else network.head])
    return cost[::2], cost[1::2]


def delays(origins: WaysOn, weight: Weight, delay_ms: Ints | None) -> Ints:
    """The delays that count: none for metres."""
    return np.zeros(origins.count, dtype=np.int64) if delay_ms is None or weight == "distance" else delay_ms


def whole_limit(limit: float) -> int:
    """The limit as a whole number."""
    return FAR - 1 if limit >= FAR else int(limit)


def side_by_side(work: Callable[[int], _Answer], starts: range) -> Iterator[_Answer]:
    """Answers of the blocks of a long work in their order, on all cores: the compiled loops let go of Python's lock.

    Whoever stops waiting cancels what has not begun. Work of one block, and work inside such work, needs no threads.
    """
    if len(starts) <= 1 or current_thread().name.startswith(_THREADS):
        yield from map(work, starts)
    else:
        yield from _pool().map(work, starts)


@cache
def _pool() -> ThreadPoolExecutor:
    """The threads of all searches: making them takes longer than a small search."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix=_THREADS)


def walked(network: Network, direction: Direction, weight: Weight) -> Grouped:
    """The links as the search walks them: reversed if people travel to the facility."""
    adjacency = network.outward if direction == "from_facility" else network.inward
    costs = (adjacency.ms, adjacency.mm)[:: 1 if weight == "time" else -1]
    return Grouped(adjacency.first, adjacency.node, *costs)


def _seeds(network: Network, origins: WaysOn, direction: Direction, weight: Weight, delay_ms: Ints) -> Seeds:
    ends = links(network, origins, leaving=direction == "from_facility")
    ends = ends.take(np.argsort(ends.tail, kind="stable"))
    first = np.searchsorted(ends.tail, np.arange(origins.count + 1))
    cost = ends.cost(weight) + delay_ms[ends.tail]
    return Seeds(first, ends.head.astype(np.uint32), cost, ends.cost(other_weight(weight)))


def _of_sources(seeds: Seeds, start: int, stop: int) -> Seeds:
    first = seeds.first[start : stop + 1]
    rows = slice(int(first[0]), int(first[-1]))
    return Seeds(first - first[0], seeds.node[rows], seeds.cost[rows], seeds.other[rows])


def _buckets(network: Network, weight: Weight, seeds: Seeds) -> tuple[int, int]:
    """How wide the buckets of the queue are, as a power of two, and how many hold what can wait at once, a power of two as well."""
    mean, largest = network.mean_and_largest[weight]
    spread = max(largest, int(np.ptp(seeds.cost)) if len(seeds.cost) else 0)
    shift = max(mean // _BUCKETS_A_LINK, 1).bit_length() - 1
    return shift, min(1 << ((spread >> shift) + 2).bit_length(), _MOST_BUCKETS)


_of_thread = local()


def _far(size: int) -> Ints:
    """The workspace of this thread, as every search leaves it: filling one takes longer than a small search."""
    far: Ints | None = getattr(_of_thread, "far", None)
    if far is None or len(far) < size:
        far = _of_thread.far = np.full(size, FAR)
    return far


def _in_a_row(parts: list[tuple[Ints, Ints, Ints, Ints]]) -> tuple[Ints, Ints, Ints, Ints]:
    """The rows of several blocks of sources as those of one."""
    first = np.cumsum(np.concatenate([[0], *(np.diff(part[0]) for part in parts)]), dtype=np.int64)
    node, cost, other = (np.concatenate([first[:0], *(part[column] for part in parts)]) for column in (1, 2, 3))
    return first, node, cost, other
