"""Time reading a large road file: ``python benchmarks/roads.py FILE.osm.pbf``. One process, so that its peak memory is its own."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import osmium

from geodata.network import build_network
from geodata.standards import MODES, default_speeds
from geodata.ways.osm import read_roads


def time_bare_pass(path: Path) -> float:
    """Seconds of pyosmium's own pass over the file, nothing kept: the floor."""
    started_s = time.perf_counter()
    for _ in osmium.FileProcessor(str(path)):
        pass
    return time.perf_counter() - started_s


def time_networks(path: Path) -> dict[str, float]:
    """Seconds to read the roads and to build each mode's network; counts beside them."""
    started_s = time.perf_counter()
    roads = read_roads(path)
    seconds = {"read": time.perf_counter() - started_s}
    for mode in MODES:
        started_s = time.perf_counter()
        network = build_network(roads, mode, default_speeds(), "EPSG:32629")
        seconds[mode] = time.perf_counter() - started_s
        seconds[f"{mode} pieces"] = len(network)
    return seconds


def print_table(path: Path) -> None:
    """Print one markdown row."""
    bare_s = time_bare_pass(path)
    seconds = time_networks(path)
    total_s = sum(seconds[name] for name in ("read", *MODES))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    modes = " · ".join(f"{seconds[f'{mode} pieces']:,.0f} in {seconds[mode]:.1f} s" for mode in MODES)
    print("| file | pyosmium bare pass s | read roads s | pieces: walk · bike · drive | three modes, all s | peak GB |")
    print("|---|---|---|---|---|---|")
    print(f"| {path.name} | {bare_s:.1f} | {seconds['read']:.1f} | {modes} | {total_s:.1f} | {peak_gb:.2f} |")


if __name__ == "__main__":
    print_table(Path(sys.argv[1]))
