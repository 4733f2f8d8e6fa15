"""The search beside other libraries, on generated towns, in one process on one core: ``python benchmarks/engine.py``."""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")  # before any library reads them
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # our own threads too

from collections.abc import Callable, Sequence
from typing import Any

import networkx as nx
import numpy as np
import towns
from peers import PEERS, SOURCES, Graph, Peer, agree, as_networkx, matrix
from scipy.sparse import csgraph
from timing import Spread, exponent, in_turn

from coverage.search import nearest, nearest_two, reach
from geodata.roads import Ints
from geodata.standards import MODES, Mode

SIDES = {"20k": 150, "100k": 334, "500k": 748}
BIG = "500k"
NOT_AT_BIG = ("osmnx", "rustworkx", "pandana")  # minutes, or gigabytes
ONLY_DRIVE = "pandana, all pairs"  # five seconds a source on foot, and no cutoff either
LIMIT_MS = 15 * 60_000
ROUNDS = 5
FACILITIES = 50
MANY = (8, 64, 512)
SAID: dict[Mode, str] = {"drive": "drive", "bike": f"e-bike {towns.E_BIKE_KMH:.0f} km/h", "walk": "walk"}
OURS, SCIPY = (peer.name for peer in PEERS[:2])
NEAREST, NEAREST_TWO, SCIPY_NEAREST, NETWORKX_NEAREST = (
    "circle15 `nearest`",
    "circle15 `nearest_two`",
    "scipy `min_only`",
    "networkx `multi_source_dijkstra`",
)
WORDS = f"""CPU time on one core; {ROUNDS} rounds, the libraries in turn. Every library gets the same links, numbered along a Hilbert curve.
Before any time was taken, each had given the same nodes at the same times as ours, from every source that it was asked for
(of libraries without a cutoff: of the whole tree what lies within 15 minutes). Making each library's own graph is not counted.
pandana's `precompute` is left out: in a trial it took 26 s and 2 GB at 20k, 278 s and 9 GB at 100k, and saved a third of a query.
At {BIG}, libraries that would need minutes or gigabytes are not asked."""


def sources_of(graph: Graph, count: int) -> Ints:
    """Some nodes, always the same."""
    return np.random.default_rng(15).choice(graph.nodes, count, replace=False)


def checked(asked: Sequence[Peer], graph: Graph, sources: Ints) -> dict[str, Callable[[], object]]:
    """Make each library ready, and hold its answers against ours; what is to be timed."""
    works: dict[str, Callable[[], object]] = {}
    expected = []
    for peer in asked:
        mine = sources[: peer.sources]
        search = peer.prepare(graph, mine)
        found = search(LIMIT_MS)
        answers = [peer.read(found, at, LIMIT_MS) for at in range(len(mine))]
        expected = expected or answers
        if not all(map(agree, expected, answers)):
            raise SystemExit(f"{peer.name} does not agree with {asked[0].name}: no time is worth printing")
        works[peer.name] = lambda search=search: search(LIMIT_MS)
    return works


def bounded(graph: Graph, asked: Sequence[Peer]) -> tuple[dict[str, Spread], float]:
    """Seconds a source of every library, and the nodes that a source reaches."""
    sources = sources_of(graph, SOURCES)
    found = in_turn(checked(asked, graph, sources), rounds=ROUNDS)
    reached = reach(graph.network, towns.at_nodes(graph.network, sources), direction="from_facility", limit=LIMIT_MS)
    return {peer.name: found[peer.name].divided(peer.sources) for peer in asked}, len(reached.node) / SOURCES


def bounded_table(size: str, graphs: dict[Mode, Graph]) -> dict[Mode, dict[str, Spread]]:
    """Print a row a library, all modes side by side."""
    asked = [peer for peer in PEERS if size != BIG or not peer.name.startswith(NOT_AT_BIG)]
    found = {mode: bounded(graph, [peer for peer in asked if mode == "drive" or peer.name != ONLY_DRIVE]) for mode, graph in graphs.items()}
    drive = graphs["drive"]
    print(f"\n**{size}**: {drive.nodes:,} nodes, {len(drive.tail):,} directed links to drive along.")
    print("Reached from a source: " + ", ".join(f"{SAID[mode]} {nodes:,.0f} nodes" for mode, (_, nodes) in found.items()) + ".\n")
    print("| ms a source: median (least–most) |" + "".join(f" {SAID[mode]} | ÷ ours |" for mode in graphs) + " asked for | |")
    print("|---|" + "---|---|" * len(graphs) + "---|---|")
    for peer in asked:
        cells = "".join(cell(times.get(peer.name), times[OURS]) for times, _ in found.values())
        print(f"| {peer.name} |{cells} {peer.sources} | {peer.remark} |")
    return {mode: times for mode, (times, _) in found.items()}


def cell(times: Spread | None, ours: Spread) -> str:
    """Milliseconds, and how many times ours; a dash for what was not asked."""
    return " – | – |" if times is None else f" {times.said()} | {times.times(ours)} |"


def nearest_works(graph: Graph, facilities: Ints, *, peers: bool) -> dict[str, Callable[[], Any]]:
    """The nearest facility of every node, and how far it is."""
    ways, links = towns.at_nodes(graph.network, facilities), matrix(graph)
    works: dict[str, Callable[[], Any]] = {
        NEAREST: lambda: nearest(graph.network, ways, direction="from_facility"),
        NEAREST_TWO: lambda: nearest_two(graph.network, ways, direction="from_facility"),
        SCIPY_NEAREST: lambda: csgraph.dijkstra(links, indices=facilities, min_only=True, return_predecessors=True),
    }
    if peers:
        net, starts = as_networkx(graph), facilities.tolist()
        works[NETWORKX_NEAREST] = lambda: nx.multi_source_dijkstra_path_length(net, starts, weight="ms")
    _, ours = works[NEAREST]()
    costs = [works[NEAREST_TWO]()[1][:, 0], works[SCIPY_NEAREST]()[0]]
    costs += [np.array([ms for _, ms in sorted(works[NETWORKX_NEAREST]().items())])] if peers else []
    if not all(np.array_equal(ours, other) for other in costs):
        raise SystemExit("the nearest facilities do not agree: no time is worth printing")
    return works


def nearest_table(size: str, graph: Graph) -> dict[str, Spread]:
    """Print a row a library."""
    found = in_turn(nearest_works(graph, sources_of(graph, FACILITIES), peers=size != BIG), rounds=ROUNDS)
    ours = found[NEAREST]
    for name, times in found.items():
        print(f"| {size} | {name} | {times.said()} | {times.times(ours)} |")
    return found


def scaling_in_facilities(graph: Graph) -> list[str]:
    """Rows: from so many facilities, all they reach, and the nearest of every node; by us and by scipy."""
    works: dict[str, Callable[[], object]] = {}
    links = matrix(graph)
    for count in MANY:
        facilities = sources_of(graph, count)
        ways = towns.at_nodes(graph.network, facilities)
        works |= {
            f"{OURS} `reach` {count}": lambda ways=ways: reach(graph.network, ways, direction="from_facility", limit=LIMIT_MS),
            f"{SCIPY} {count}": lambda some=facilities: csgraph.dijkstra(links, indices=some, limit=LIMIT_MS),
            f"{NEAREST} {count}": lambda ways=ways: nearest(graph.network, ways, direction="from_facility"),
            f"{SCIPY_NEAREST} {count}": lambda some=facilities: csgraph.dijkstra(links, indices=some, min_only=True),
        }
    found = in_turn(works, rounds=3)
    names = [name.removesuffix(f" {MANY[0]}") for name in works if name.endswith(f" {MANY[0]}")]
    return [scaling_row(name, "facilities", MANY, [found[f"{name} {count}"] for count in MANY]) for name in names]


def scaling_row(name: str, of: str, sizes: Sequence[float], found: Sequence[Spread]) -> str:
    """One markdown row: milliseconds at each size, and the exponent."""
    medians = [times.median for times in found]
    return f"| {name} | {of} | " + " · ".join(times.said() for times in found) + f" | {exponent(sizes, medians):.2f} |"


def print_tables() -> None:
    """Print all tables as markdown."""
    print(WORDS)
    print("\n### One to many, 15 minutes")
    graphs: dict[str, dict[Mode, Graph]] = {}
    bounded_found, nearest_found = {}, {}
    for size, side in SIDES.items():
        roads = towns.town(side)
        graphs[size] = {mode: Graph.of(towns.network(roads, mode)) for mode in reversed(MODES)}
        bounded_found[size] = bounded_table(size, graphs[size])
    print(f"\n### Nearest facility of every node\n\n{FACILITIES} facilities, drive, no limit.\n")
    print("| nodes | | ms: median (least–most) | ÷ ours |\n|---|---|---|---|")
    for size in SIDES:
        nearest_found[size] = nearest_table(size, graphs[size]["drive"])
    print("\n### Scaling\n\nmilliseconds = a · size ^ b, by least squares of the logarithms; drive.\n")
    print("| | size | ms at each: median (least–most) | b |\n|---|---|---|---|")
    nodes = [graphs[size]["drive"].nodes for size in SIDES]
    for name in (OURS, SCIPY):
        print(scaling_row(f"{name}, per source", "nodes", nodes, [found["drive"][name] for found in bounded_found.values()]))
    for name in (NEAREST, SCIPY_NEAREST):
        print(scaling_row(name, "nodes", nodes, [found[name] for found in nearest_found.values()]))
    print("\n".join(scaling_in_facilities(graphs["100k"]["drive"])))


if __name__ == "__main__":
    print_tables()
