"""Other libraries asked the same as we: least costs from single sources on one directed graph, each as its documentation advises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import igraph
import networkit
import networkx as nx
import numpy as np
import pandana
import pandas as pd
import rustworkx
from scipy.sparse import csgraph, csr_array
from timing import quiet
from towns import at_nodes

from coverage.search import Reach, reach
from geodata.network import Network
from geodata.roads import Floats, Ints

S = 1000  # ms
SOURCES = 64


@dataclass(frozen=True, eq=False)
class Graph:
    """The links of a network as plain arrays, for all libraries alike: the nodes keep our order, along a Hilbert curve.

    Attributes
    ----------
    network : Network
    nodes : int
    tail, head, ms : (links,) int64
    """

    network: Network
    nodes: int
    tail: Ints
    head: Ints
    ms: Ints

    @classmethod
    def of(cls, network: Network) -> Graph:
        """Take the links of a network without turn restrictions, whose copies of nodes no other library has."""
        links = network.outward
        tail = np.repeat(np.arange(network.node_count), np.diff(links.first))
        return cls(network, network.node_count, tail, links.node.astype(np.int64), links.ms.astype(np.int64))


Answer = tuple[Ints, Ints | None]  # the nodes reached, ascending, and their costs in ms, None where the library gives none
Search = Callable[[int], Any]  # within a limit in ms
Read = Callable[[Any, int, int], Answer]  # from what the library gave, the position of a source and the limit


@dataclass(frozen=True)
class Peer:
    """A library's way to search.

    Attributes
    ----------
    name : str
    prepare : callable
        Graph, sources → search(limit in ms).
    read : callable
        One source's answer, as plain arrays: not timed.
    remark : str
    sources : int
        How many sources it is asked for at once: fewer where one takes long.
    """

    name: str
    prepare: Callable[[Graph, Ints], Search]
    read: Read
    remark: str = ""
    sources: int = SOURCES


def _ours(graph: Graph, sources: Ints) -> Search:
    ways = at_nodes(graph.network, sources)
    return lambda limit: reach(graph.network, ways, direction="from_facility", limit=limit)


def _read_ours(found: Reach, at: int, _limit: int) -> Answer:
    rows = found.of(at)
    order = np.argsort(found.node[rows])
    return found.node[rows][order], found.cost[rows][order]


def matrix(graph: Graph) -> csr_array:
    """The links as scipy wants them; there are no parallel ones that it would add up."""
    return csr_array((graph.ms.astype(np.float64), (graph.tail, graph.head)), shape=(graph.nodes, graph.nodes))


def _scipy(graph: Graph, sources: Ints) -> Search:
    links = matrix(graph)
    return lambda limit: csgraph.dijkstra(links, indices=sources, limit=limit)


def as_networkx(graph: Graph, kind: type[nx.DiGraph] = nx.DiGraph) -> nx.DiGraph:
    """The links as networkx wants them."""
    links = kind()
    links.add_nodes_from(range(graph.nodes))
    links.add_weighted_edges_from(zip(graph.tail.tolist(), graph.head.tolist(), graph.ms.tolist(), strict=True), weight="ms")
    return links


def _networkx(graph: Graph, sources: Ints) -> Search:
    links, starts = as_networkx(graph), sources.tolist()
    return lambda limit: [nx.single_source_dijkstra_path_length(links, start, cutoff=limit, weight="ms") for start in starts]


def _ego_graph(graph: Graph, sources: Ints) -> Search:
    links, starts = as_networkx(graph, nx.MultiDiGraph), sources.tolist()
    return lambda limit: [nx.ego_graph(links, start, radius=limit, distance="ms") for start in starts]


def _igraph(graph: Graph, sources: Ints) -> Search:
    links = igraph.Graph(n=graph.nodes, edges=np.column_stack([graph.tail, graph.head]), directed=True)
    ms, starts = graph.ms.tolist(), sources.tolist()
    return lambda _limit: links.distances(source=starts, weights=ms, algorithm="dijkstra")


def _networkit(graph: Graph, sources: Ints) -> Search:
    networkit.setNumberOfThreads(1)
    columns = (graph.ms.astype(np.float64), (graph.tail, graph.head))
    links = networkit.GraphFromCoo(columns, n=graph.nodes, weighted=True, directed=True)
    search, starts = networkit.distance.Dijkstra, sources.tolist()
    return lambda _limit: [search(links, start, storePaths=False).run().getDistances(asarray=True) for start in starts]


def _rustworkx(graph: Graph, sources: Ints) -> Search:
    links, starts = rustworkx.PyDiGraph(multigraph=False), sources.tolist()
    links.add_nodes_from(range(graph.nodes))
    links.extend_from_weighted_edge_list(list(zip(graph.tail.tolist(), graph.head.tolist(), graph.ms.tolist(), strict=True)))
    search = rustworkx.digraph_dijkstra_shortest_path_lengths
    return lambda _limit: [(start, search(links, start, float)) for start in starts]


@lru_cache(maxsize=1)  # its hierarchy takes long to make, and serves two ways to ask
def _as_pandana(graph: Graph) -> pandana.Network:
    nowhere = pd.Series(np.zeros(graph.nodes))  # coordinates serve only to find nodes by place
    seconds = pd.DataFrame({"s": (graph.ms + 0.5) / S})  # which it cuts to whole ms
    with quiet():
        return pandana.Network(nowhere, nowhere, pd.Series(graph.tail), pd.Series(graph.head), seconds, twoway=False)


def _pandana_range(graph: Graph, sources: Ints) -> Search:
    links = _as_pandana(graph)
    return lambda limit: links.nodes_in_range(sources, limit / S)


def _pandana_pairs(graph: Graph, sources: Ints) -> Search:
    links, everywhere = _as_pandana(graph), np.arange(graph.nodes)
    starts, ends = np.repeat(sources, graph.nodes), np.tile(everywhere, len(sources))
    return lambda _limit: np.split(np.array(links.shortest_path_lengths(starts, ends)), len(sources))


def _read_dense(found: Any, at: int, limit: int) -> Answer:  # noqa: ANN401 — a row a source, of any kind
    cost = np.asarray(found[at])
    nodes = np.flatnonzero(cost <= limit)
    return nodes, np.rint(cost[nodes]).astype(np.int64)


def _read_seconds(found: list[Floats], at: int, limit: int) -> Answer:
    return _read_dense([np.rint(found[at] * S)], 0, limit)


def _read_dict(found: list[dict[int, float]], at: int, limit: int) -> Answer:
    rows = sorted((node, cost) for node, cost in found[at].items() if cost <= limit)
    return np.array([node for node, _ in rows]), np.array([cost for _, cost in rows], dtype=np.int64)


def _read_pair(found: list[tuple[int, Any]], at: int, limit: int) -> Answer:
    start, others = found[at]
    return _read_dict([{start: 0.0, **others}], 0, limit)


def _read_graph(found: list[nx.MultiDiGraph], at: int, _limit: int) -> Answer:
    return np.array(sorted(found[at])), None


def _read_frame(found: pd.DataFrame, at: int, _limit: int) -> Answer:
    source = found["source"].drop_duplicates().iloc[at]
    rows = found[found["source"] == source].sort_values("destination")
    return rows["destination"].to_numpy(), np.rint(rows["s"].to_numpy() * S).astype(np.int64)


PEERS = (
    Peer("circle15", _ours, _read_ours, "`reach`: bounded, sparse, integer"),
    Peer("scipy `dijkstra(limit)`", _scipy, _read_dense, "a dense row a source"),
    Peer("networkx, cutoff", _networkx, _read_dict, sources=16),
    Peer("osmnx recipe (`ego_graph`)", _ego_graph, _read_graph, "nodes, no times; copies the subgraph", sources=4),
    Peer("igraph `distances`", _igraph, _read_dense, "no cutoff in the call", sources=4),
    Peer("networkit `Dijkstra`", _networkit, _read_dense, "no cutoff in the call", sources=4),
    Peer("rustworkx", _rustworkx, _read_pair, "no cutoff in the call", sources=4),
    Peer("pandana `nodes_in_range`", _pandana_range, _read_frame, "over its contraction hierarchy, not precomputed"),
    Peer("pandana, all pairs", _pandana_pairs, _read_seconds, "a query a pair of nodes", sources=1),
)


def agree(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same nodes at the same costs."""
    same = np.array_equal(one[0], other[0])
    return same and (one[1] is None or other[1] is None or np.array_equal(one[1], other[1]))
