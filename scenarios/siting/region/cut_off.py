"""Places that the main road network does not reach: a point there serves its own few places and nobody else."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from coverage.snap import WaysOn
from geodata.network import Network
from geodata.roads import Floats, Ints


def people_cut_off(network: Network, demand: WaysOn, people: Floats, places: WaysOn) -> Floats:
    """Count whom places can reach that hang together with no road of the main network, whatever the direction of the roads.

    The main network is the connected part of the roads beside which most people live.

    Parameters
    ----------
    network : Network
    demand : WaysOn
    people : (demand points,) float64
    places : WaysOn

    Returns
    -------
    (places,) float64
        People beside the roads that a place hangs together with; nan for places on the main network.
    """
    part = _parts(network)
    home, of_home = _parts_of(network, part, demand)
    weight = np.bincount(of_home, weights=people[home], minlength=part.max(initial=0) + 1)
    main = int(weight.argmax())
    place, of_place = _parts_of(network, part, places)
    found = np.bincount(place, weights=weight[of_place], minlength=places.count).astype(np.float64)
    found[place[of_place == main]] = np.nan
    return found


def _parts(network: Network) -> Ints:
    """(nodes,) int64: which connected part of the network each node is in."""
    nodes = np.arange(network.node_count)
    tail = np.concatenate([network.tail, network.start, nodes])  # a piece hangs together, and so do a node and its copies
    head = np.concatenate([network.head, network.end, network.copy_of])
    graph = csr_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(network.node_count, network.node_count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _parts_of(network: Network, part: Ints, ways: WaysOn) -> tuple[Ints, Ints]:
    """Pairs of a place and a part that it steps onto, each once."""
    pairs = np.unique(np.column_stack([ways.place, part[network.start[ways.piece]]]), axis=0)
    return pairs[:, 0], pairs[:, 1]
