"""docs/comoros.py, the whole line on real input: three islands that no road joins, one of them here without any facility."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import shapely

from geodata.region import Prepared

SCRIPT = Path(__file__).resolve().parent.parent / "docs" / "comoros.py"
MWALI_PEOPLE = 64_338.9


@pytest.fixture(scope="module")
def said(comoros: Prepared, comoros_script: ModuleType, data_file: Callable[[str], Path]) -> dict:
    """What the script says of the islands without the facilities of Mwali; they are read, and not read again."""
    data, out = data_file("comoros/comoros.osm.pbf").parent, io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out):
        patch.setattr(comoros_script, "open_region", lambda _path: without_facilities(comoros, "Mwali"))
        patch.setattr(sys, "argv", [str(SCRIPT), str(data), "--json"])
        assert comoros_script.main() == 0
    return json.loads(out.getvalue())


def without_facilities(prepared: Prepared, island: str) -> Prepared:
    region = prepared.region
    at = shapely.points(region.facilities.entrance[region.facilities.first_entrance[:-1]])
    there = shapely.within(at, region.zones.geometry[region.zones.name.index(island)].buffer(0.01))
    assert there.any()
    return replace(prepared, region=replace(region, facilities=region.facilities.take(np.flatnonzero(~there))))


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
