"""What the first search costs: importing numba, compiling, and the compiled code found again on disk: ``python benchmarks/start.py``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS = 5
SEARCH = """
import time
import numpy as np
import towns
from coverage.search import nearest, reach
from coverage.travel_times import times_between
roads = towns.town(20)
network = towns.network(roads, "drive")
ways = towns.at_nodes(network, np.arange(3))
started_s = time.process_time()
reach(network, ways, direction="to_facility", limit=1e6)
nearest(network, ways, direction="to_facility")
times_between(network, ways, ways, direction="to_facility", limit=1e6)
print(time.process_time() - started_s)
"""
IMPORT_OURS = "import coverage.search, coverage.stats, scenarios.cli"


def children_s() -> float:
    """CPU seconds of all processes that were waited for."""
    used = os.times()
    return used.children_user + used.children_system


def run(code: str, cache: str) -> tuple[float, str]:
    """CPU seconds of a new process, and what it printed."""
    environment = os.environ | {"NUMBA_CACHE_DIR": cache, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])}
    started_s = children_s()
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)  # noqa: S603
    return children_s() - started_s, done.stdout.strip()


def median(seconds: list[float]) -> float:
    """The median."""
    return sorted(seconds)[len(seconds) // 2]


def print_table() -> None:
    """Print one markdown row a stage."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as filled:
        first = [float(run(SEARCH, empty)[1])]  # compiles, and leaves the compiled code there
        run(SEARCH, filled)
        later = [float(run(SEARCH, filled)[1]) for _ in range(ROUNDS)]
        imports = [run("import numpy, numba", filled)[0] - run("import numpy", filled)[0] for _ in range(ROUNDS)]
        light, loaded = zip(*(run(f"{IMPORT_OURS}, sys; print('numba' in sys.modules)", filled) for _ in range(ROUNDS)), strict=True)
    print("CPU seconds of new processes, on a town of 400 corners: `reach`, `nearest` and travel times, each once.\n")
    print("| | median s | worst |\n|---|---|---|")
    print(f"| first search after an installation: numba imported, all compiled | {first[0]:.2f} | |")
    print(f"| first search of a later process: numba imported, compiled code read from disk | {median(later):.2f} | {max(later):.2f} |")
    print(f"| of this, `import numba` | {median(imports):.2f} | {max(imports):.2f} |")
    says = "loaded" if "True" in loaded else "not loaded"
    print(f"| a process that imports our packages and does not search (numba: {says}) | {median(list(light)):.2f} | {max(light):.2f} |")


if __name__ == "__main__":
    print_table()
