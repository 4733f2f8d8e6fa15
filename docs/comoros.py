"""The true line on real input: Comoros, three islands that no road joins.

    python docs/comoros.py DATA [--json]

DATA holds comoros.osm.pbf (OpenStreetMap), worldpop_2020.tif (people per 100 m cell), health_points.gpkg and islands.gpkg.
Driving to a hospital, clinic or doctor within 15 minutes, and five ambulance standby points at hospitals.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path

import geopandas as gpd

from coverage.gaps import CUT_OFF, NO_FACILITY, OFF_NETWORK
from coverage.stats import coverage
from geodata.errors import Circle15Error, InputError, Problem
from geodata.region import Prepared
from geodata.store import open_region
from scenarios.output.report import coverage_text, rows
from scenarios.output.site_report import site_table, site_text
from scenarios.output.writers import json_text
from scenarios.siting.region.standby import site_standby

KINDS = {"hospital": "hospital", "clinic": "community_health_centre", "doctors": "community_health_station"}  # pharmacies treat nobody
REGION = """
name = "Comoros"
date = 2021-01-01
[roads]
file = "{data}/comoros.osm.pbf"
source = "OpenStreetMap contributors, 2021"
[zones]
file = "{data}/islands.gpkg"
columns = {{ id = "GID_1", name = "NAME_1" }}
source = "GADM"
[demand]
raster = "{data}/worldpop_2020.tif"
source = "WorldPop 2020, 100 m"
[[facilities]]
file = "health.gpkg"
source = "OpenStreetMap contributors, 2021"
"""


def main() -> int:
    """Run the line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        data = next((folder for folder in (arguments.data, arguments.data / "comoros") if (folder / "comoros.osm.pbf").is_file()), None)
        if data is None:
            where = arguments.data
            raise InputError(Problem(f"{where} 中没有 comoros.osm.pbf。", f"There is no comoros.osm.pbf in {where}."))
        with tempfile.TemporaryDirectory() as folder:
            prepared = open_region(describe(data.resolve(), Path(folder)))
        figures(prepared, as_json=arguments.json)
    except Circle15Error as error:
        print(f"comoros: {error}", file=sys.stderr)
        return 2
    return 0


def describe(data: Path, folder: Path) -> Path:
    """Write region.toml and the facility table; ids are the rows of the health points, counted from 1."""
    points = gpd.read_file(data / "health_points.gpkg")
    points["id"] = [f"H{row:02d}" for row in range(1, len(points) + 1)]
    points["kind"] = points["amenity"].map(KINDS)
    points["emergency"] = ["yes" if kind == "hospital" else "no" for kind in points["kind"]]
    points[points["kind"].notna()][["id", "name", "kind", "emergency", "geometry"]].to_file(folder / "health.gpkg")
    path = folder / "region.toml"
    path.write_text(REGION.format(data=data.as_posix()), encoding="utf-8")
    return path


def figures(prepared: Prepared, *, as_json: bool) -> None:
    """Coverage and standby points, as JSON or for people."""
    region = prepared.region
    definition = prepared.services.service("medical").definition("drive")
    result = coverage(region, definition, prepared.network("drive"))
    plan = site_standby(prepared, "emergency", sites=5)
    lost = result.gaps[result.gaps["cause"].isin([OFF_NETWORK, CUT_OFF, NO_FACILITY])]
    by_cause = {f"{zone}: {cause}": round(math.fsum(group), 1) for (zone, cause), group in lost.groupby(["zone", "cause"])["people"]}
    if not as_json:
        print(coverage_text(prepared, "medical", result), site_text(prepared, plan), sep="\n")
        print("无路可达 unreachable:", *(f"{which} {people:,.1f}" for which, people in by_cause.items()), sep="\n  ")
        return
    said = {
        "highway_ways": region.roads.highway_ways,
        "people_raster": round(math.fsum(region.demand.people), 1),
        "people_in_zones": round(math.fsum(region.demand.people[region.demand.inside]), 1),
        "people_outside": round(math.fsum(region.demand.people[~region.demand.inside]), 1),
        "unreachable": round(math.fsum(lost["people"]), 1),
        "unreachable_why": by_cause,
        "coverage": rows(result.by_zone),
        "sites": rows(site_table(plan)),
        "siting": plan.result.to_json(),
    }
    print(json_text(said), end="")


if __name__ == "__main__":
    sys.exit(main())
