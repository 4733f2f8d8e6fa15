"""The search: from each facility, every node of the network within a limit (Dijkstra, bounded, by scipy).

Costs are whole milliseconds (weight "time") or millimetres ("distance"); sums are exact, the limit is inclusive.
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
from geodata.pack import read_only
from geodata.roads import NEVER, Floats, Ints, Network
from geodata.standards import Direction, ServiceDefinition

Weight = Literal["time", "distance"]
_CELLS_AT_ONCE = 8_000_000  # of the dense answer of scipy: 64 MB


@dataclass(frozen=True, eq=False)
class Reach:
    """The nodes each facility reaches within the limit.

    Attributes
    ----------
    weight, direction, limit
        What was searched; `limit` in ms or mm, inf for none.
    first : (facilities + 1,) int64
        Facility f reaches ``node[first[f]:first[f + 1]]``.
    node, cost : (reached,) int64
        Nodes in ascending order, and their cost in ms or mm, the facility's own delay included.
    """

    weight: Weight
    direction: Direction
    limit: float
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


def edges(network: Network, direction: Direction) -> Links:
    """Directed edges as the search walks them: reversed if people travel to the facility."""
    forward, backward = network.forward_ms != NEVER, network.backward_ms != NEVER
    tail = np.concatenate([network.start[forward], network.end[backward]])
    head = np.concatenate([network.end[forward], network.start[backward]])
    ms = np.concatenate([network.forward_ms[forward], network.backward_ms[backward]])
    mm = np.concatenate([network.length_mm[forward], network.length_mm[backward]])
    return Links(tail, head, ms, mm) if direction == "from_facility" else Links(head, tail, ms, mm)


def links(network: Network, ways: WaysOn, *, leaving: bool) -> Links:
    """Links between places (tail) and nodes (head): the leg and the part of the piece up to each end that may be travelled.

    `leaving` tells whether the traveller leaves the place or arrives at it: they differ on one-way pieces.
    """
    piece, at = ways.piece, ways.offset_mm
    length = network.length_mm[piece]
    towards_end = network.forward_ms[piece] if leaving else network.backward_ms[piece]
    towards_start = network.backward_ms[piece] if leaving else network.forward_ms[piece]
    ends = [(network.end[piece], towards_end, length - at), (network.start[piece], towards_start, at)]
    parts = [
        (ways.place[open_], node[open_], (ways.leg_ms + part_ms(ms, rest, length))[open_], (ways.leg_mm + rest)[open_])
        for node, ms, rest in ends
        for open_ in [ms != NEVER]
    ]
    return Links(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def delay_ms(definition: ServiceDefinition, facilities: Facilities) -> Ints:
    """Milliseconds before each facility's vehicle moves: call handling and its own or the definition's turnout."""
    turnout_s = np.where(np.isnan(facilities.turnout_s), definition.turnout_s, facilities.turnout_s)
    moves = definition.turnout_s > 0 or definition.call_handling_s > 0
    return np.rint((definition.call_handling_s + turnout_s) * 1000 * moves).astype(np.int64)


def part_ms(whole_ms: Ints, part_mm: Ints, length_mm: Ints) -> Ints:
    """Whole milliseconds along a part of a piece; 0 on a piece without length."""
    return np.rint(whole_ms * (part_mm / np.maximum(length_mm, 1))).astype(np.int64)


def least(links_: Links, weight: Weight) -> Links:
    """Of the links between the same two ends only the cheapest, of equal ones the cheaper in the other cost; sorted by tail, head."""
    other: Weight = "distance" if weight == "time" else "time"
    order = np.lexsort((links_.cost(other), links_.cost(weight), links_.head, links_.tail))
    tail, head = links_.tail[order], links_.head[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    kept = order[new]
    return Links(links_.tail[kept], links_.head[kept], links_.ms[kept], links_.mm[kept])


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
        Added to every time: call handling and turnout.

    Returns
    -------
    Reach
    """
    graph, first_origin = _graph(network, origins, direction, weight, delay_ms)
    at_once = max(1, _CELLS_AT_ONCE // graph.shape[0])
    counts, nodes, costs = [], [], []
    for start in range(0, origins.count, at_once):
        sources = np.arange(start, min(start + at_once, origins.count)) + first_origin
        cost = np.asarray(dijkstra(graph, indices=sources, limit=limit))[:, :first_origin]
        row, node = np.nonzero(cost <= min(limit, np.finfo(np.float64).max))
        counts.append(np.bincount(row, minlength=len(sources)))
        nodes.append(node)
        costs.append(cost[row, node].astype(np.int64))
    empty = [np.zeros(0, dtype=np.int64)]
    first = np.concatenate([[0], np.cumsum(np.concatenate(counts or empty))])
    return Reach(weight, direction, limit, first, np.concatenate(nodes or empty), np.concatenate(costs or empty))


def nearest(network: Network, origins: WaysOn, *, direction: Direction, weight: Weight = "time", delay_ms: Ints | None = None) -> tuple[Ints, Floats]:
    """Find the nearest facility of every node without a limit: its position (-1: none) and the cost in ms or mm (inf: none)."""
    graph, first_origin = _graph(network, origins, direction, weight, delay_ms)
    if origins.count == 0:
        return np.full(first_origin, -1), np.full(first_origin, np.inf)
    sources = np.arange(origins.count) + first_origin
    cost, _, source = dijkstra(graph, indices=sources, min_only=True, return_predecessors=True)
    facility = np.where(np.isfinite(cost), source - first_origin, -1)
    return facility[:first_origin].astype(np.int64), np.asarray(cost[:first_origin])


def second_cost(network: Network, origins: WaysOn, reached: Reach) -> Ints:
    """Metres of the fastest way (or time of the shortest): the cost that was not minimised, along the chosen way to each reached node.

    Of several ways that are equally good the one with the least second cost is chosen, so that the answer does not depend on the order
    of the roads. Found by a search in that cost over the links that lie on some best way.
    """
    other: Weight = "distance" if reached.weight == "time" else "time"
    roads = edges(network, reached.direction)
    seeds = links(network, origins, leaving=reached.direction == "from_facility")
    answer = np.zeros(len(reached.node), dtype=np.int64)
    for facility in range(origins.count):
        rows, mine = reached.of(facility), seeds.tail == facility
        best = np.full(network.node_count + 1, np.inf)
        best[reached.node[rows]] = reached.cost[rows]
        best[-1] = 0.0
        tail = np.concatenate([roads.tail, np.full(mine.sum(), network.node_count)])
        head = np.concatenate([roads.head, seeds.head[mine]])
        cost = np.concatenate([roads.cost(reached.weight), seeds.cost(reached.weight)[mine]])
        second = np.concatenate([roads.cost(other), seeds.cost(other)[mine]])
        best_way = np.isfinite(best[head]) & (best[tail] + cost == best[head])
        on_way = least(Links(tail[best_way], head[best_way], second[best_way], second[best_way]), "time")
        graph = _sparse(on_way.tail, on_way.head, on_way.ms, network.node_count + 1)
        answer[rows] = dijkstra(graph, indices=network.node_count)[reached.node[rows]].astype(np.int64)
    return answer


def _graph(network: Network, origins: WaysOn, direction: Direction, weight: Weight, delay_ms: Ints | None) -> tuple[csr_array, int]:
    """Build the graph with one extra node a facility, and tell the first of these."""
    roads = edges(network, direction)
    seeds = links(network, origins, leaving=direction == "from_facility")
    delay = delay_ms[seeds.tail] if delay_ms is not None and weight == "time" else 0
    tail = np.concatenate([roads.tail, seeds.tail + network.node_count])
    head = np.concatenate([roads.head, seeds.head])
    cost = np.concatenate([roads.cost(weight), seeds.cost(weight) + delay])
    kept = least(Links(tail, head, cost, cost), "time")
    return _sparse(kept.tail, kept.head, kept.ms, network.node_count + origins.count), network.node_count


def _sparse(tail: Ints, head: Ints, cost: Ints, size: int) -> csr_array:
    """Build a matrix from links sorted by tail, head, each pair once (a sparse constructor would add parallel ones up)."""
    row = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=size))])
    return csr_array((cost.astype(np.float64), head, row), shape=(size, size))
