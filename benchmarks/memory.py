"""1,000 facilities on 500,000 nodes: seconds and peak memory, in a process of its own: ``python benchmarks/memory.py``."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import towns

from coverage.search import reach
from coverage.snap import snap
from coverage.travel_times import times_between

SIDE = 748  # corners: 547,000 nodes
FACILITIES, DEMAND = 1_000, 20_000
LIMIT_MS = 15 * 60_000
GB = 1e6  # in kilobytes


def peak_gb() -> float:
    """Most memory that this process has held since it was last forgotten."""
    if not Path("/proc/self/status").is_file():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / GB
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines())
    return float(lines["VmHWM"].split()[0]) / GB


def print_table() -> None:
    """Print one markdown row a stage."""
    print(f"{FACILITIES:,} facilities, {DEMAND:,} demand points, 15 minutes by car; a process of its own.\n")
    print("| stage | CPU s | wall s | peak GB so far |\n|---|---|---|---|")
    started = time.perf_counter(), time.process_time()

    def told(stage: str) -> None:
        nonlocal started
        now = time.perf_counter(), time.process_time()
        print(f"| {stage} | {now[1] - started[1]:.2f} | {now[0] - started[0]:.2f} | {peak_gb():.2f} |")
        started = time.perf_counter(), time.process_time()

    told("libraries imported")
    roads = towns.town(SIDE)
    told(f"town made, {len(roads):,} pieces")
    network = towns.network(roads, "drive")
    told(f"network of {network.node_count:,} nodes")
    gates, homes = (
        snap(network, towns.places(roads, count, seed=seed), np.arange(count), count) for seed, count in enumerate((FACILITIES, DEMAND))
    )
    told("places brought onto the roads")
    times = times_between(network, gates, homes, direction="to_facility", limit=LIMIT_MS)
    told(f"travel times, {len(times.cost):,} pairs")
    del times
    found = reach(network, gates, direction="to_facility", limit=LIMIT_MS)
    told(f"`reach`, all nodes kept: {len(found.node):,}")


if __name__ == "__main__":
    print_table()
