"""docs/comoros.py, the whole line on real input: three islands that no road joins, one of them here without any facility."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "comoros.py"
MWALI_PEOPLE = 64_338.9


@pytest.fixture(scope="module")
def said(data_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> dict:
    folder = tmp_path_factory.mktemp("comoros")
    for name in ("comoros.osm.pbf", "worldpop_2020.tif", "islands.gpkg"):
        (folder / name).symlink_to(data_file(f"comoros/{name}"))
    points, islands = gpd.read_file(data_file("comoros/health_points.gpkg")), gpd.read_file(data_file("comoros/islands.gpkg"))
    mwali = islands.loc[islands["NAME_1"] == "Mwali"].geometry.union_all().buffer(0.01)
    points[~points.within(mwali)].to_file(folder / "health_points.gpkg")
    done = subprocess.run([sys.executable, str(SCRIPT), str(folder), "--json"], capture_output=True, check=False, cwd=SCRIPT.parent.parent)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_counts_are_those_of_the_files(said: dict) -> None:
    assert said["highway_ways"] == 4_378
    assert said["people_raster"] == pytest.approx(869_595.0, abs=0.1)
    assert said["people_in_zones"] == pytest.approx(845_399.1, abs=0.1)
    assert said["people_in_zones"] + said["people_outside"] == pytest.approx(said["people_raster"], abs=0.1)


def test_nobody_on_an_island_without_a_facility_is_reached_and_all_of_them_are_accounted_for(said: dict) -> None:
    mwali = next(row for row in said["coverage"] if row["zone"] == "Mwali")
    assert mwali["people"] == pytest.approx(MWALI_PEOPLE, abs=0.1)
    assert mwali["covered_people"] == 0
    why = {cause: people for cause, people in said["unreachable_why"].items() if cause.startswith("Mwali")}
    assert set(why) == {"Mwali: cut_off", "Mwali: off_network"}
    assert sum(why.values()) == pytest.approx(MWALI_PEOPLE, abs=0.2)
    assert said["unreachable"] == pytest.approx(sum(said["unreachable_why"].values()), abs=0.5)


def test_five_sites_are_proven_best(said: dict) -> None:
    assert len(said["sites"]) == 5
    assert said["siting"]["status"] == "optimal"
    assert said["siting"]["objective"] == said["siting"]["bound"]


def test_the_script_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], capture_output=True, check=False, cwd=SCRIPT.parent.parent)
    assert done.returncode == 2
    assert "comoros.osm.pbf" in done.stderr.decode()
