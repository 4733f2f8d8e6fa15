"""The fastest way from one place to many, and how far it runs on each class of road.

One search from the place keeps the link by which each node was reached. Lengths by class are then summed from link to link towards the
place, all nodes at once: after k rounds each node holds the sum of its last 2^k links.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from coverage.search import part_ms
from coverage.snap import WaysOn
from geodata.network import NEVER, Network
from geodata.roads import Floats, Ints, Roads, forward_bit


@dataclass(frozen=True, eq=False)
class Routes:
    """Fastest ways from one place.

    Attributes
    ----------
    ms : (targets,) float64
        Milliseconds; inf where no way leads, and where the way starts and ends on one piece of road, which passes no node.
    class_mm : (targets, classes) float64
        Millimetres on each class of road; 0 where no way leads.
    access_mm : (targets,) float64
        Millimetres of the legs between both places and the road.
    """

    ms: Floats
    class_mm: Floats
    access_mm: Floats


@dataclass(frozen=True, eq=False)
class _Legs:
    """Directed links with the piece each runs on; `access_mm` is beside the road."""

    tail: Ints
    head: Ints
    ms: Ints
    mm: Ints
    piece: Ints
    access_mm: Ints

    def take(self, which: Ints) -> _Legs:
        return _Legs(*(getattr(self, name)[which] for name in ("tail", "head", "ms", "mm", "piece", "access_mm")))


def network_pieces(roads: Roads, network: Network) -> Ints:
    """Which of the roads' pieces each piece of a network is."""
    bit = forward_bit(network.mode)
    return np.flatnonzero(roads.permit & (bit | bit << 1))


def routes(network: Network, piece_class: Ints, class_count: int, origin: WaysOn, targets: WaysOn) -> Routes:
    """Find the fastest way from one place to each of many.

    Parameters
    ----------
    network : Network
    piece_class : (pieces,) int64
        Class of each piece.
    class_count : int
    origin, targets : WaysOn
        Of the one place, and of the many.

    Returns
    -------
    Routes
    """
    root = network.node_count
    inner = _both_ways(network)
    first = _ends(network, origin, leaving=True)
    legs = _fastest(_joined(inner, _Legs(np.full_like(first.tail, root), first.head, first.ms, first.mm, first.piece, first.access_mm)))
    row = np.concatenate([[0], np.cumsum(np.bincount(legs.tail, minlength=root + 1))])
    graph = csr_array((legs.ms.astype(np.float64), legs.head, row), shape=(root + 1, root + 1))
    cost, before = dijkstra(graph, indices=root, return_predecessors=True)
    before = np.where(before < 0, root, before).astype(np.int64)
    sums = np.zeros((root + 1, class_count + 1))
    reached = np.flatnonzero(np.isfinite(cost[:root]))
    by_ends = legs.tail * (root + 1) + legs.head
    link = np.searchsorted(by_ends, before[reached] * (root + 1) + reached)
    sums[reached, piece_class[legs.piece[link]]] = legs.mm[link]
    sums[reached, class_count] = legs.access_mm[link]
    while (before != root).any():
        sums += sums[before]
        before = before[before]
    last = _ends(network, targets, leaving=False)
    total = cost[last.head] + last.ms
    total[np.isin(last.piece, origin.piece)] = np.inf
    order = np.lexsort((last.piece, total, last.tail))
    place, at = np.unique(last.tail[order], return_index=True)
    best = order[at]
    place, best = place[np.isfinite(total[best])], best[np.isfinite(total[best])]
    ms, mm = np.full(targets.count, np.inf), np.zeros((targets.count, class_count + 1))
    ms[place], mm[place] = total[best], sums[last.head[best]]
    np.add.at(mm, (place, piece_class[last.piece[best]]), last.mm[best])
    mm[place, class_count] += last.access_mm[best]
    return Routes(ms, mm[:, :class_count], mm[:, class_count])


def _both_ways(network: Network) -> _Legs:
    pieces, zero = np.arange(len(network)), np.zeros(len(network), dtype=np.int64)
    there = _Legs(network.start, network.end, network.forward_ms, network.length_mm, pieces, zero)
    back = _Legs(network.end, network.start, network.backward_ms, network.length_mm, pieces, zero)
    return _joined(*(legs.take(np.flatnonzero(legs.ms != NEVER)) for legs in (there, back)))


def _ends(network: Network, ways: WaysOn, *, leaving: bool) -> _Legs:
    """Links between places (tail) and the ends of the pieces they step onto (head)."""
    piece, at = ways.piece, ways.offset_mm
    length = network.length_mm[piece]
    to_end, to_start = (network.forward_ms[piece], network.backward_ms[piece])[:: 1 if leaving else -1]
    parts = (
        (network.end[piece], to_end, to_end - part_ms(to_end, at, length), length - at),
        (network.start[piece], to_start, part_ms(to_start, at, length), at),
    )
    return _joined(
        *(
            _Legs(ways.place, node, ms + ways.leg_ms, mm, piece, ways.leg_mm).take(np.flatnonzero(whole != NEVER))
            for node, whole, ms, mm in parts
        )
    )


def _joined(*several: _Legs) -> _Legs:
    return _Legs(*(np.concatenate([getattr(one, name) for one in several]) for name in ("tail", "head", "ms", "mm", "piece", "access_mm")))


def _fastest(legs: _Legs) -> _Legs:
    """Of several links between the same two ends only the fastest, of equal ones the shorter; sorted by tail, head."""
    legs = legs.take(np.lexsort((legs.piece, legs.mm, legs.ms, legs.head, legs.tail)))
    new = np.ones(len(legs.tail), dtype=bool)
    new[1:] = (legs.tail[1:] != legs.tail[:-1]) | (legs.head[1:] != legs.head[:-1])
    return legs.take(np.flatnonzero(new))
