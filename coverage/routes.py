"""The fastest way from one place to many, and how far it runs on each class of road.

The search keeps the link by which each node was reached. Lengths by class are then summed from link to link towards the place, all nodes
at once: after k rounds each node holds the sum of its last 2^k links.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.graph import FAR
from coverage.search import Links, links, tree
from coverage.snap import WaysOn
from geodata.network import Network
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
    ms, link, first = tree(network, origin)
    root, reached = network.node_count, np.flatnonzero(ms != FAR)
    on_link, seed = reached[link[reached] >= 0], reached[link[reached] < 0]
    before = np.full(root + 1, root)
    before[on_link] = network.tail[link[on_link]]
    sums = np.zeros((root + 1, class_count + 1))
    piece = network.run[link[on_link]] // 2
    sums[on_link, piece_class[piece]] = network.length_mm[piece]
    _add_ends(sums, seed, first.take(-1 - link[seed]), origin, piece_class)
    while (before != root).any():
        sums += sums[before]
        before = before[before]
    last = links(network, targets, leaving=False)
    last_piece = targets.piece[last.way]
    total = np.where(ms[last.head] == FAR, np.inf, ms[last.head] + last.ms)
    total[np.isin(last_piece, origin.piece)] = np.inf
    order = np.lexsort((last_piece, total, last.tail))
    place, at = np.unique(last.tail[order], return_index=True)
    best = order[at]
    place, best = place[np.isfinite(total[best])], best[np.isfinite(total[best])]
    found, mm = np.full(targets.count, np.inf), np.zeros((targets.count, class_count + 1))
    found[place], mm[place] = total[best], sums[last.head[best]]
    _add_ends(mm, place, last.take(best), targets, piece_class)
    return Routes(found, mm[:, :class_count], mm[:, class_count])


def _add_ends(sums: Floats, rows: Ints, by: Links, ways: WaysOn, piece_class: Ints) -> None:
    """Add the links between a place and the road: the part along the piece to its class, the leg beside it to the last column."""
    leg_mm = ways.leg_mm[by.way]
    sums[rows, piece_class[ways.piece[by.way]]] += by.mm - leg_mm
    sums[rows, -1] += leg_mm
