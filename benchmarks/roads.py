"""Time reading a large road file: ``python benchmarks/roads.py FILE.osm.pbf``. One process, so that its peak memory is its own."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import osmium
import shapely

from geodata.network import build_network
from geodata.standards import MODES, default_speeds
from geodata.store import open_region
from geodata.ways.osm import read_roads

REOPENED = 5
REGION = """name = "Porto"
date = 2026-01-01
crs = "EPSG:32629"
[roads]
file = "ROADS"
[zones]
file = "zones.geojson"
[demand]
file = "people.csv"
[[facilities]]
file = "clinics.csv"
"""


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


def time_opening(path: Path) -> tuple[float, float]:
    """Seconds to prepare a region of these roads and next to nothing else, and to open the prepared region again (the median of five)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "region.toml").write_text(REGION.replace("ROADS", str(path)), encoding="utf-8")
        (folder / "people.csv").write_text("id,name,lon,lat,people\nD1,Porto,-8.61,41.15,1000\n", encoding="utf-8")
        (folder / "clinics.csv").write_text("id,name,kind,lon,lat\nF1,Clinic,hospital,-8.61,41.15\n", encoding="utf-8")
        zone = gpd.GeoDataFrame({"id": ["Z"], "name": ["Porto"]}, geometry=[shapely.box(-8.7, 41.1, -8.5, 41.2)], crs=4326)
        zone.to_file(folder / "zones.geojson")
        seconds = []
        for _ in range(1 + REOPENED):
            started_s = time.perf_counter()
            open_region(folder)
            seconds.append(time.perf_counter() - started_s)
    return seconds[0], sorted(seconds[1:])[REOPENED // 2]


def peak_gb() -> float:
    """Most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def print_table(path: Path) -> None:
    """Print one markdown row."""
    imported_gb = peak_gb()
    started_s = time.process_time()
    bare_s = time_bare_pass(path)
    bare_cpu_s = time.process_time() - started_s
    bare_gb = peak_gb()
    started_s = time.process_time()
    seconds = time_networks(path)
    cpu_s = time.process_time() - started_s
    total_s = sum(seconds[name] for name in ("read", *MODES))
    networks_gb = peak_gb()
    first_s, again_s = time_opening(path)
    modes = " · ".join(f"{seconds[f'{mode} pieces']:,.0f} in {seconds[mode]:.1f} s" for mode in MODES)
    print("| file | pyosmium bare pass s | read roads s | pieces: walk · bike · drive | three modes, all s | CPU s | CPU ÷ bare pass |")
    print("|---|---|---|---|---|---|---|")
    print(f"| {path.name} | {bare_s:.1f} | {seconds['read']:.1f} | {modes} | {total_s:.1f} | {cpu_s:.1f} | {cpu_s / bare_cpu_s:.1f}× |")
    print("\n| peak GB: libraries imported | bare pass | three modes | region prepared s | opened again s |\n|---|---|---|---|---|")
    print(f"| {imported_gb:.2f} | {bare_gb:.2f} | {networks_gb:.2f} | {first_s:.2f} | {again_s:.2f} |")


if __name__ == "__main__":
    print_table(Path(sys.argv[1]))
