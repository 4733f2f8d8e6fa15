"""The search: from each facility, every node of the network within a limit (Dijkstra, bounded, by scipy).

Costs are whole milliseconds (weight "time") or millimetres ("distance"); sums are exact, the limit is inclusive. A place on a piece has a
whole-millisecond position on it, so that the two parts of a piece always add up to the whole, and passing a place costs nothing.
Each facility enters the graph as one extra node joined to the nodes that its ways on lead to, so that one search serves all its entrances.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from coverage.snap import WaysOn
from geodata.model import Facilities
from geodata.network import NEVER, Network
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Ints
from geodata.standards import Direction, ServiceDefinition

Weight = Literal["time", "distance"]
CELLS_AT_ONCE = 8_000_000  # of the dense answer of scipy: 64 MB


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
    node, cost : (reached,) int64
        Nodes in ascending order, and their cost in ms or mm.
    """

    weight: Weight
    direction: Direction
    limit: float
    delay_ms: Ints
    first: Ints
    node: Ints
    cost: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def of(self, facility: int) -> slice:
        """Rows of one facility."""
        return slice(int(self.first[facility]), int(self.first[facility + 1]))


@dataclass(frozen=True, eq=False)
class Links:
    """Directed links with both costs: the edges of a network, or the links between places and nodes."""

    tail: Ints
    head: Ints
    ms: Ints
    mm: Ints

    def cost(self, weight: Weight) -> Ints:
        """The cost of a weight."""
        return self.ms if weight == "time" else self.mm

    def take(self, which: Ints | Bools) -> Links:
        """Only these links."""
        return Links(self.tail[which], self.head[which], self.ms[which], self.mm[which])


def other_weight(weight: Weight) -> Weight:
    """The weight that is not this one."""
    return "distance" if weight == "time" else "time"


def joined(*several: Links) -> Links:
    """All these links, in this order."""
    return Links(*(np.concatenate([getattr(one, name) for one in several]) for name in ("tail", "head", "ms", "mm")))


def edges(network: Network, direction: Direction) -> Links:
    """Directed edges as the search walks them: reversed if people travel to the facility."""
    there = Links(network.start, network.end, network.forward_ms, network.length_mm)
    back = Links(network.end, network.start, network.backward_ms, network.length_mm)
    both = joined(there.take(there.ms != NEVER), back.take(back.ms != NEVER))
    return both if direction == "from_facility" else Links(both.head, both.tail, both.ms, both.mm)


def links(network: Network, ways: WaysOn, *, leaving: bool) -> Links:
    """Links between places (tail) and nodes (head): the leg and the part of the piece up to each end that may be travelled.

    `leaving` tells whether the traveller leaves the place or arrives at it: they differ on one-way pieces. A place at the very end of a
    piece is at the node, whichever way the piece runs.
    """
    piece, at = ways.piece, ways.offset_mm
    length = network.length_mm[piece]
    towards_end, towards_start = (network.forward_ms[piece], network.backward_ms[piece])[:: 1 if leaving else -1]
    to_end = Links(ways.place, network.end[piece], towards_end - part_ms(towards_end, at, length), length - at)
    to_start = Links(ways.place, network.start[piece], part_ms(towards_start, at, length), at)
    open_ = [(whole != NEVER) | (link.mm == 0) for whole, link in ((towards_end, to_end), (towards_start, to_start))]
    parts = [
        Links(link.tail, link.head, np.where(link.mm == 0, 0, link.ms) + ways.leg_ms, link.mm + ways.leg_mm).take(may)
        for link, may in zip((to_end, to_start), open_, strict=True)
    ]
    return joined(*parts)


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

    Returns
    -------
    Reach
    """
    delay_ms = np.zeros(origins.count, dtype=np.int64) if delay_ms is None or weight == "distance" else delay_ms
    links_ = _best_links(network, origins, direction, weight, delay_ms)
    graph = _sparse(links_, links_.cost(weight), network.node_count + origins.count)
    at_once = max(1, CELLS_AT_ONCE // graph.shape[0])
    counts, nodes, costs = ([np.zeros(0, dtype=np.int64)] for _ in range(3))
    for start in range(0, origins.count, at_once):
        sources = np.arange(start, min(start + at_once, origins.count)) + network.node_count
        cost = dijkstra(graph, indices=sources, limit=limit)[:, : network.node_count]
        row, node = np.nonzero(np.isfinite(cost))
        counts.append(np.bincount(row, minlength=len(sources)))
        nodes.append(node)
        costs.append(cost[row, node].astype(np.int64))
    first = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    return Reach(weight, direction, limit, delay_ms, first, np.concatenate(nodes), np.concatenate(costs))


def nearest(
    network: Network, origins: WaysOn, *, direction: Direction, weight: Weight = "time", delay_ms: Ints | None = None
) -> tuple[Ints, Floats]:
    """Find the nearest facility of every node without a limit: its position (-1: none) and the cost in ms or mm (inf: none).

    Of equally near facilities the first: the search runs on cost × facilities + position, which orders by both at once.
    """
    if origins.count == 0:
        return np.full(network.node_count, -1), np.full(network.node_count, np.inf)
    delay_ms = np.zeros(origins.count, dtype=np.int64) if delay_ms is None or weight == "distance" else delay_ms
    links_ = _best_links(network, origins, direction, weight, delay_ms)
    cost = links_.cost(weight) * origins.count + np.maximum(links_.tail - network.node_count, 0)
    graph = _sparse(links_, cost, network.node_count + origins.count)
    found = dijkstra(graph, indices=np.arange(origins.count) + network.node_count, min_only=True)[: network.node_count]
    reached = np.isfinite(found)
    both = np.where(reached, found, 0).astype(np.int64)
    return np.where(reached, both % origins.count, -1), np.where(reached, both // origins.count, np.inf)


def second_cost(network: Network, origins: WaysOn, reached: Reach) -> Ints:
    """Metres of the fastest way (or time of the shortest): the cost that was not minimised, along the chosen way to each reached node.

    Of several ways that are equally good the one with the least second cost is chosen, so that the answer does not depend on the order
    of the roads. Found by a search in that cost over the links that lie on some best way.
    """
    links_ = _best_links(network, origins, reached.direction, reached.weight, reached.delay_ms)
    cost, size = links_.cost(reached.weight), network.node_count + origins.count
    answer = np.zeros(len(reached.node), dtype=np.int64)
    for facility in range(origins.count):
        rows = reached.of(facility)
        best = np.full(size, np.inf)
        best[reached.node[rows]] = reached.cost[rows]
        best[network.node_count + facility] = 0.0
        chosen = links_.take(np.isfinite(best[links_.head]) & (best[links_.tail] + cost == best[links_.head]))
        graph = _sparse(chosen, chosen.cost(other_weight(reached.weight)), size)
        answer[rows] = dijkstra(graph, indices=network.node_count + facility)[reached.node[rows]].astype(np.int64)
    return answer


def _best_links(network: Network, origins: WaysOn, direction: Direction, weight: Weight, delay_ms: Ints) -> Links:
    """The links that the search walks, facility f as node ``node_count + f``, its delay in the time of its links.

    Of several between the same two ends only the cheapest, of equal ones the cheaper in the other cost; sorted by tail, head.
    """
    seeds = links(network, origins, leaving=direction == "from_facility")
    seeds = Links(seeds.tail + network.node_count, seeds.head, seeds.ms + delay_ms[seeds.tail], seeds.mm)
    every = joined(edges(network, direction), seeds)
    every = every.take(np.lexsort((every.cost(other_weight(weight)), every.cost(weight), every.head, every.tail)))
    new = np.ones(len(every.tail), dtype=bool)
    new[1:] = (every.tail[1:] != every.tail[:-1]) | (every.head[1:] != every.head[:-1])
    return every.take(new)


def _sparse(links_: Links, cost: Ints, size: int) -> csr_array:
    """Build a matrix from links sorted by tail, head, each pair once (a sparse constructor would add parallel ones up)."""
    row = np.concatenate([[0], np.cumsum(np.bincount(links_.tail, minlength=size))])
    return csr_array((cost.astype(np.float64), links_.head, row), shape=(size, size))
