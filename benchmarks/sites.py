"""One site more, moved or closed among 200,000 demand points: ``python benchmarks/sites.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import geopandas as gpd
import numpy as np
import shapely
import towns
from timing import Spread, figures, no_collection

from coverage.serving import Served, closed, opened, question, served
from geodata.model import Demand, Facilities, Zones
from geodata.roads import Roads
from geodata.standards import ServiceDefinition, default_services

SIDE = 334  # corners: 109,000 nodes
DEMAND, FACILITIES, CHANGES = 200_000, 50, 60


def county_of(roads: Roads) -> Zones:
    """One township that holds the whole town."""
    return Zones.from_geodataframe(
        gpd.GeoDataFrame({"id": ["Z"], "name": ["Z"]}, geometry=[shapely.box(*roads.bounds).buffer(0.1)], crs=4326)
    )


def demand_of(roads: Roads, zones: Zones) -> Demand:
    """Demand points scattered along the streets, one in three of them urban."""
    at, rng = towns.places(roads, DEMAND, seed=1), np.random.default_rng(2)
    columns = {"id": [f"D{i}" for i in range(DEMAND)], "people": rng.integers(1, 200, DEMAND), "urban": rng.random(DEMAND) < 1 / 3}
    return Demand.from_geodataframe(gpd.GeoDataFrame(columns, geometry=shapely.points(at), crs=4326), zones)


def facilities_of(roads: Roads, zones: Zones, kind: str, count: int) -> Facilities:
    """Facilities scattered along the streets."""
    ids = [f"F{i}" for i in range(count)]
    points = shapely.points(towns.places(roads, count, seed=3))
    return Facilities.from_geodataframe(
        gpd.GeoDataFrame({"id": ids, "name": ids, "kind": kind}, geometry=points, crs=4326), zones, towns.CRS
    )


def covered_people(demand: Demand, found: Served) -> float:
    """The figure that a planner waits for."""
    return float(demand.people[found.covered].sum())


def timed(work: Callable[[int], object], *, times: int = CHANGES) -> Spread:
    """CPU seconds of each change."""
    seconds = []
    with no_collection():
        for change in range(times):
            started_s = time.process_time()
            work(change)
            seconds.append(time.process_time() - started_s)
    return Spread(tuple(seconds))


def works_of(definition: ServiceDefinition, roads: Roads, zones: Zones, demand: Demand) -> dict[str, Callable[[int], object]]:
    """One site more, moved, closed: who is served then, and how many people are covered; and all sites searched anew."""
    everything = facilities_of(roads, zones, definition.kinds[0], FACILITIES + CHANGES)
    standing, more = everything.take(np.arange(FACILITIES)), [everything.take(np.array([FACILITIES + i])) for i in range(CHANGES)]
    asked = question(definition, towns.network(roads, definition.mode), demand)
    base = served(asked, standing)
    if not np.array_equal(opened(base, more[0]).times, served(asked, standing.joined(more[0])).times):
        raise SystemExit("one site more is not the same as all anew: no time is worth printing")
    return {
        "more": lambda change: covered_people(demand, opened(base, more[change])),
        "moved": lambda change: covered_people(demand, opened(closed(base, change % FACILITIES), more[change])),
        "closed": lambda change: covered_people(demand, closed(base, change % FACILITIES)),
        f"all {FACILITIES} anew": lambda _: covered_people(demand, served(asked, standing)),
    }


def rows(definition: ServiceDefinition, roads: Roads, zones: Zones, demand: Demand) -> Iterator[str]:
    """One markdown row a change."""
    for what, work in works_of(definition, roads, zones, demand).items():
        found = timed(work, times=3 if what.startswith("all") else CHANGES)
        p95 = figures(float(np.percentile(found.seconds, 95)) * 1000)
        yield f"| {definition.mode} | {what} | {len(found.seconds)} | {found.said()} | {p95} |"


def print_table() -> None:
    """Print one markdown row a definition and change."""
    roads = towns.town(SIDE)
    zones = county_of(roads)
    demand = demand_of(roads, zones)
    print(
        f"{DEMAND:,} demand points, {FACILITIES} facilities, 109,000 nodes; 15 minutes. From the place of a site, brought onto the roads,"
    )
    print("to the people covered; CPU ms.\n")
    print("| mode | sites | times | median (least–most) ms | 95 of 100 |\n|---|---|---|---|---|")
    for definition_id in ("walk", "drive"):
        definition = default_services().service("medical").definition(definition_id)
        print("\n".join(rows(definition, roads, zones, demand)))


if __name__ == "__main__":
    print_table()
