"""Fixtures every test may ask for: the example county, real data, a Chinese font, an environment without the caller's settings."""

import importlib.util
import io
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from types import ModuleType

import geopandas as gpd
import numpy as np
import pyproj.database
import pytest
from answers import Covered, Drawn
from hypothesis import settings

from coverage.circles import circles
from coverage.stats import CoverageResult, coverage
from geodata.errors import FontError
from geodata.examples.county import write_county
from geodata.examples.messy import mess_up
from geodata.region import Prepared
from geodata.roads import Roads
from geodata.store import FOLDER, open_region
from geodata.ways.osm import read_roads
from scenarios.cli import main

REPOSITORY = Path(__file__).resolve().parent.parent
settings.register_profile("untimed", deadline=None)  # a loaded machine is no fault of the program
settings.load_profile("untimed")
SETTINGS = ("CIRCLE15_FONT", "CIRCLE15_LANG", "CIRCLE15_REGION")


@pytest.fixture(scope="session", autouse=True)
def no_settings_of_the_caller() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in SETTINGS:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def systems_looked_up_once() -> Iterator[None]:
    """Which UTM zone a place is in: pyproj goes through its whole database for each answer, and every small county asks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyproj.database, "query_utm_crs_info", cache(pyproj.database.query_utm_crs_info))
        yield


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real input (Monaco, Comoros, Porto, …), never part of the repository."""
    folder = Path(os.environ.get("CIRCLE15_DATA") or REPOSITORY.parent / "shared" / "data").expanduser().resolve()
    if not folder.is_dir():
        _absent(f"no real data at {folder}: set CIRCLE15_DATA to the folder that holds it")
    return folder


@pytest.fixture(scope="session")
def data_file(data_dir: Path) -> Callable[[str], Path]:
    """``data_file("monaco/monaco.osm.pbf")`` is the path, or the test is skipped."""

    def find(name: str) -> Path:
        path = data_dir / name
        if not path.exists():
            _absent(f"{name} is not in {data_dir}")
        return path

    return find


@pytest.fixture(scope="session")
def comoros_roads(data_file: Callable[[str], Path]) -> Roads:
    """The roads of the Comoros, read once."""
    return read_roads(data_file("comoros/comoros.osm.pbf"))


@pytest.fixture(scope="session")
def comoros_script() -> ModuleType:
    """docs/comoros.py."""
    spec = importlib.util.spec_from_file_location("comoros", REPOSITORY / "docs" / "comoros.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.fixture(scope="session")
def comoros(comoros_script: ModuleType, data_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The region of docs/comoros.py, opened once."""
    data = [data_file(f"comoros/{name}") for name in ("comoros.osm.pbf", "worldpop_2020.tif", "islands.gpkg", "health_points.gpkg")]
    return open_region(comoros_script.describe(data[0].parent, tmp_path_factory.mktemp("comoros")))


def _absent(reason: str) -> None:
    if os.environ.get("CIRCLE15_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example county, freshly written: the path of its region.toml."""
    return write_county(tmp_path_factory.mktemp("example"))


@pytest.fixture(scope="session")
def other_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example county of another seed, written by the command, which says the path of its region.toml."""
    folder, said = tmp_path_factory.mktemp("other") / "县", io.StringIO()
    with redirect_stdout(said):
        assert main(["example", str(folder), "--seed", "1"]) == 0
    assert said.getvalue().strip() == str(folder / "region.toml")
    return folder / "region.toml"


@pytest.fixture(scope="session")
def prepared(example: Path) -> Prepared:
    """The example county, opened once; from then on its prepared form lies beside its region.toml."""
    return open_region(example)


@pytest.fixture(scope="session")
def covered(prepared: Prepared) -> Covered:
    """``covered("medical")``: the example county by the first definition of a service, computed once. Not to be changed."""

    @cache
    def cover(service: str) -> CoverageResult:
        definition = prepared.services.service(service).definition(None)
        return coverage(prepared.region, definition, prepared.network_of(definition))

    return cover


@pytest.fixture(scope="session")
def drawn(prepared: Prepared, covered: Covered) -> Drawn:
    """``drawn("medical")``: the circles of that result, drawn once. Not to be changed."""

    @cache
    def draw(service: str) -> gpd.GeoDataFrame:
        result = covered(service)
        return circles(result.definition, prepared.network_of(result.definition), result.facilities)

    return draw


@pytest.fixture(scope="session")
def messy_county(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example county as its offices would hand it in, nothing confirmed: the path of its region.toml. Not to be changed."""
    folder = tmp_path_factory.mktemp("messy") / "county"
    shutil.copytree(example.parent, folder, ignore=shutil.ignore_patterns(FOLDER))
    mess_up(folder, "进贤县（示意）", np.random.default_rng(15))
    return folder / "region.toml"


@pytest.fixture
def messy(messy_county: Path, tmp_path: Path) -> Path:
    """A copy of the messy county, to be changed."""
    return Path(shutil.copytree(messy_county.parent, tmp_path / "messy")) / "region.toml"


@pytest.fixture
def chinese_font(no_settings_of_the_caller: None) -> None:
    """A test that draws Chinese asks for it, and is skipped where no font has the characters; not on CI, which installs one."""
    from scenarios.output.fonts import find_font  # noqa: PLC0415 — matplotlib takes its time, and most tests draw nothing

    del no_settings_of_the_caller  # a font that CIRCLE15_FONT names would not be there in the test
    try:
        find_font("进贤县")
    except FontError:
        reason = "no font of this computer has 进贤县: install one (Debian, Ubuntu: fonts-noto-cjk)"
        if os.environ.get("CIRCLE15_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
