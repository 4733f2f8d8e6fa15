"""Time the questions a planner asks of the example county: ``python benchmarks/county.py``. networkx answers one beside us."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import networkx as nx

from coverage.search import edges, reach
from coverage.snap import snap_facilities
from coverage.stats import coverage
from geodata.examples.county import write_county
from geodata.region import Prepared
from geodata.store import open_region
from scenarios.siting.region.standby import site_standby

REPEATS = 5


def time_figures(prepared: Prepared, service: str, definition_id: str) -> tuple[float, float]:
    """Least and median seconds from a definition to its township table and gap list."""
    definition = prepared.services.service(service).definition(definition_id)
    network = prepared.network_of(definition)
    seconds = []
    for _ in range(REPEATS):
        started_s = time.perf_counter()
        coverage(prepared.region, definition, network)
        seconds.append(time.perf_counter() - started_s)
    return min(seconds), sorted(seconds)[REPEATS // 2]


def time_reach(prepared: Prepared, *, sources: int) -> tuple[float, float]:
    """Milliseconds a source for 15 minutes by car, ours and networkx with a cutoff; both must reach the same nodes."""
    network = prepared.network("drive")
    ways = snap_facilities(network, prepared.region.facilities)
    started_s = time.perf_counter()
    ours = reach(network, ways, direction="from_facility", limit=900_000.0)
    ours_ms = (time.perf_counter() - started_s) / ways.count * 1000
    links = edges(network, "from_facility")
    graph = nx.DiGraph()
    for tail, head, ms in sorted(zip(links.tail.tolist(), links.head.tolist(), links.ms.tolist(), strict=True), reverse=True):
        graph.add_edge(tail, head, ms=ms)  # of parallel edges the fastest is added last, and stays
    starts = [int(ours.node[ours.of(facility)][ours.cost[ours.of(facility)].argmin()]) for facility in range(sources)]
    started_s = time.perf_counter()
    for start in starts:
        nx.single_source_dijkstra_path_length(graph, start, cutoff=900_000, weight="ms")
    return ours_ms, (time.perf_counter() - started_s) / sources * 1000


def print_table() -> None:
    """Print one markdown row a question."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_county(Path(folder))
        started_s = time.perf_counter()
        open_region(path)
        first_s = time.perf_counter() - started_s
        started_s = time.perf_counter()
        prepared = open_region(path)
        again_s = time.perf_counter() - started_s
    print("| question on the example county | seconds, least | median |")
    print("|---|---|---|")
    print(f"| open the region, first time | {first_s:.2f} | |\n| open it again | {again_s:.2f} | |")
    for service, definition_id in (("medical", "walk"), ("medical", "drive"), ("fitness", "bike"), ("emergency", "response")):
        least_s, median_s = time_figures(prepared, service, definition_id)
        print(f"| {service} / {definition_id}: township table and gaps | {least_s:.2f} | {median_s:.2f} |")
    started_s = time.perf_counter()
    site_standby(prepared, "emergency", sites=5)
    print(f"| five standby points, travel times included | {time.perf_counter() - started_s:.2f} | |")
    ours_ms, networkx_ms = time_reach(prepared, sources=20)
    print(f"\nBounded search, 15 minutes by car, per source: ours (scipy) {ours_ms:.1f} ms, networkx with cutoff {networkx_ms:.1f} ms.")


if __name__ == "__main__":
    print_table()
