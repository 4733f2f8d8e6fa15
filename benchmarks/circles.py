"""Time the circles of the example county against an exact union of buffers: ``python benchmarks/circles.py``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely

from coverage.circles import circles, merged_circles, reached_lines
from coverage.raster import around
from coverage.search import reach
from coverage.snap import snap
from coverage.stats import coverage
from geodata.examples.county import write_county
from geodata.region import Prepared
from geodata.roads import Geometries
from geodata.store import open_region

REPEATS = 5
DEFINITIONS = (("medical", "walk"), ("medical", "drive"), ("emergency", "response"))


def least_s(work: Callable[[], object], *, repeats: int = REPEATS) -> float:
    """Least seconds of a few runs."""
    seconds = []
    for _ in range(repeats):
        started_s = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started_s)
    return min(seconds)


def row(prepared: Prepared, service: str, definition_id: str) -> str:
    """One markdown row: the roads that all facilities reach, widened in both ways, and the whole questions."""
    definition = prepared.services.service(service).definition(definition_id)
    network = prepared.network_of(definition)
    facilities = coverage(prepared.region, definition, network).facilities
    gates = snap(network, facilities.entrance, np.zeros(len(facilities.entrance), dtype=np.int64), 1)
    minutes = definition.rural.minutes
    assert minutes is not None  # noqa: S101 — of the definitions above
    found = reach(network, gates, direction=definition.direction, limit=minutes * 60_000)
    lines, width_m = reached_lines(network, gates, found, 0), definition.beside_m
    exact_s, ours_s = (least_s(lambda widen=widen: widen(lines, width_m)) for widen in (union_of_buffers, around))
    exact, ours = union_of_buffers(lines, width_m), around(lines, width_m)
    likeness = exact.intersection(ours).area / exact.union(ours).area
    merged_s = least_s(lambda: merged_circles(definition, network, facilities))
    one_s = least_s(lambda: merged_circles(definition, network, facilities.take(np.arange(1))))
    each_s = least_s(lambda: circles(definition, network, facilities), repeats=1)
    return (
        f"| {service} / {definition_id}, {width_m:.0f} m | {len(lines):,} | {exact_s:.2f} | {ours_s:.2f} | {likeness:.3f} "
        f"| {merged_s:.2f} | {one_s:.2f} | {each_s:.2f} ({len(facilities)}) |"
    )


def union_of_buffers(lines: Geometries, width_m: float) -> shapely.Geometry:
    """Draw the area within a width of the lines, exactly."""
    return shapely.union_all(shapely.buffer(lines, width_m))


def print_table() -> None:
    """Print one markdown row a definition."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = open_region(write_county(Path(folder)))
    print("| definition, width | reached pieces | union of buffers s | raster s | IoU | all merged s | one s | each (facilities) s |")
    print("|---|---|---|---|---|---|---|---|")
    for service, definition_id in DEFINITIONS:
        print(row(prepared, service, definition_id))


if __name__ == "__main__":
    print_table()
