"""Fixtures every test may ask for: the example county, real data, a Chinese font, an environment without the caller's settings."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from geodata.errors import FontError
from geodata.examples.county import write_county
from geodata.examples.messy import mess_up

REPOSITORY = Path(__file__).resolve().parent.parent
SETTINGS = ("CIRCLE15_FONT", "CIRCLE15_LANG", "CIRCLE15_REGION")


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


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


def _absent(reason: str) -> None:
    if os.environ.get("CIRCLE15_REQUIRE_DATA") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example county, freshly written: the path of its region.toml."""
    return write_county(tmp_path_factory.mktemp("example"))


@pytest.fixture
def messy(example: Path, tmp_path: Path) -> Path:
    """The example county as its offices would hand it in, nothing confirmed: the path of its region.toml."""
    folder = tmp_path / "messy"
    shutil.copytree(example.parent, folder, ignore=shutil.ignore_patterns(".circle15"))
    mess_up(folder, "进贤县（示意）", np.random.default_rng(15))
    return folder / "region.toml"


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
