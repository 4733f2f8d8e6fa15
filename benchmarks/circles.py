"""Time circles against an exact union of buffers: ``python benchmarks/circles.py``. Porto too, where CIRCLE15_DATA holds it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from coverage.circles import catchments, circles, merged_circles, reached_lines
from coverage.drawing.raster import around
from coverage.search import reach
from coverage.snap import snap
from coverage.stats import coverage
from geodata.examples.county import write_county
from geodata.model import Facilities, Zones
from geodata.network import Network, build_network
from geodata.roads import Geometries
from geodata.standards import ServiceDefinition, default_speeds, read_services
from geodata.store import open_region
from geodata.ways.osm import read_roads

REPEATS = 5
DEFINITIONS = (("medical", "walk"), ("medical", "drive"), ("emergency", "response"))
DATA = Path(os.environ.get("CIRCLE15_DATA") or Path(__file__).resolve().parent.parent.parent / "shared" / "data")
PORTO = DATA / "porto" / "porto.osm.pbf"
PORTO_SITES, PORTO_MINUTES = 40, 5

Case = tuple[str, ServiceDefinition, Network, Facilities]


def least_s(work: Callable[[], object], *, repeats: int = REPEATS) -> float:
    """Least seconds of a few runs."""
    seconds = []
    for _ in range(repeats):
        started_s = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started_s)
    return min(seconds)


def cases() -> Iterator[Case]:
    """Name, definition, network and facilities of each question."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = open_region(write_county(Path(folder)))
        for service, definition_id in DEFINITIONS:
            definition = prepared.services.service(service).definition(definition_id)
            network = prepared.network_of(definition)
            yield f"{service} / {definition_id}", definition, network, coverage(prepared.region, definition, network).facilities
    if PORTO.is_file():
        network = build_network(read_roads(PORTO), "drive", default_speeds(), "EPSG:32629")
        definition = read_services(None).service("medical").definition("drive").with_minutes(PORTO_MINUTES)
        yield f"Porto / drive, {PORTO_MINUTES} min", definition, network, sites_on(network)


def sites_on(network: Network) -> Facilities:
    """Facilities at the beginnings of pieces, drawn by lot from a seed."""
    lines = np.random.default_rng(15).choice(network.lines, PORTO_SITES, replace=False)
    points = gpd.GeoSeries(shapely.get_point(lines, 0), crs=network.crs).to_crs("EPSG:4326")
    names = [f"{number:02}" for number in range(len(points))]
    frame = gpd.GeoDataFrame({"id": names, "name": names, "kind": "hospital"}, geometry=points)
    everywhere = gpd.GeoDataFrame({"id": ["Z"], "name": ["Z"]}, geometry=[shapely.box(*points.total_bounds)], crs="EPSG:4326")
    return Facilities.from_geodataframe(frame, Zones.from_geodataframe(everywhere), network.crs)


def row(name: str, definition: ServiceDefinition, network: Network, facilities: Facilities) -> str:
    """One markdown row: the roads that all facilities reach, widened in both ways, and the whole questions."""
    gates = snap(network, facilities.entrance, np.zeros(len(facilities.entrance), dtype=np.int64), 1)
    minutes = definition.rural.minutes
    assert minutes is not None  # noqa: S101 — of the definitions above
    found = reach(network, gates, direction=definition.direction, limit=minutes * 60_000)
    lines, width_m = reached_lines(network, gates, found, 0), definition.beside_m
    exact_s, ours_s = least_s(lambda: union_of_buffers(lines, width_m), repeats=2), least_s(lambda: around(lines, width_m))
    exact, ours = union_of_buffers(lines, width_m), around(lines, width_m)
    likeness = exact.intersection(ours).area / exact.union(ours).area
    merged_s = least_s(lambda: merged_circles(definition, network, facilities))
    one_s = max(
        least_s(lambda at=at: merged_circles(definition, network, facilities.take(np.array([at])))) for at in range(min(5, len(facilities)))
    )
    apart_s, each_s = (least_s(lambda draw=draw: draw(definition, network, facilities), repeats=2) for draw in (catchments, circles))
    return (
        f"| {name}, {width_m:.0f} m | {len(lines):,} | {exact_s:.2f} | {ours_s:.3f} | {exact_s / ours_s:.0f} | {likeness:.3f} "
        f"| {merged_s:.2f} | {one_s:.2f} | {apart_s:.2f} | {each_s:.2f} ({len(facilities)}) |"
    )


def union_of_buffers(lines: Geometries, width_m: float) -> shapely.Geometry:
    """Draw the area within a width of the lines, exactly."""
    return shapely.union_all(shapely.buffer(lines, width_m))


def first_s() -> float:
    """Seconds of the first circle of this process: compiled code is compiled, or read from where it was kept."""
    street = np.array([shapely.LineString([(0, 0), (500, 100)])])
    return least_s(lambda: around(street, 60), repeats=1)


def print_table() -> None:
    """Print one markdown row a definition."""
    print(f"First outline of the process (compiled code read from disk, or made): {first_s():.2f} s.\n")
    print(
        "| definition, width | reached stretches | union of buffers s | raster s | × | IoU | all merged s | one s | catchments s "
        "| each (facilities) s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for case in cases():
        print(row(*case), flush=True)


if __name__ == "__main__":
    print_table()
