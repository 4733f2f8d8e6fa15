"""The name ``coverage`` belongs to two projects; these tests hold our side of it, and keep the lock files fit for any machine.

coverage.py installs a top-level package of the same name. Were it installed beside us, which of the two an import finds would
depend on the order of sys.path; so it must never be, and our ``coverage`` folder must never be hidden by an ignore file.
"""

import importlib.metadata
import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pathspec import PathSpec

import coverage

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("coverage", "geodata", "scenarios")
LOCKS = ("requirements.lock", "requirements-dev.lock")
FOREIGN = ("coverage", "pytest-cov")


def pins(lock: str) -> dict[str, str]:
    lines = (REPOSITORY / lock).read_text(encoding="utf-8").splitlines()
    return dict(re.match(r"([\w.-]+)==(\S+)", line).groups() for line in lines if line[:1].isalnum())


def asked_for(lock: str) -> list[Requirement]:
    asked = PROJECT["build-system"]["requires"] + PROJECT["project"]["dependencies"]
    if lock == "requirements-dev.lock":
        asked = asked + PROJECT["dependency-groups"]["dev"]
    return [Requirement(text) for text in asked]


def package_files() -> list[str]:
    found = [path for package in PACKAGES for path in (REPOSITORY / package).rglob("*") if path.is_file()]
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in found if "__pycache__" not in path.parts)


def test_the_name_coverage_is_ours() -> None:
    assert Path(coverage.__file__).resolve() == REPOSITORY / "coverage" / "__init__.py"


def test_the_name_coverage_is_ours_from_any_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import coverage; print(coverage.__file__)"]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, encoding="utf-8").stdout.strip()
    assert Path(found).resolve() == REPOSITORY / "coverage" / "__init__.py"


@pytest.mark.parametrize("distribution", FOREIGN)
def test_coverage_py_is_not_installed_beside_us(distribution: str) -> None:
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.distribution(distribution)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_pyproject_asks_for_and_not_coverage_py(lock: str) -> None:
    pinned = pins(lock)
    assert not set(FOREIGN) & pinned.keys()
    wrong = [str(asked) for asked in asked_for(lock) if pinned.get(canonicalize_name(asked.name)) not in asked.specifier]
    assert not wrong, f"{lock} does not answer {wrong}: run `make lock`"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_folder(lock: str) -> None:
    allowed = re.compile(r"[a-z0-9][a-z0-9.-]*==\S+( ; [^@]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|#.*|    #.*")
    lines = (REPOSITORY / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not allowed.fullmatch(line)] == []
    assert [line for line in lines if "://" in line or "/" in line or "\\\\" in line] == []


def test_the_development_lock_agrees_with_the_runtime_lock() -> None:
    development = pins("requirements-dev.lock")
    assert {name: development.get(name) for name in pins("requirements.lock")} == pins("requirements.lock")


@pytest.mark.parametrize("ignore_file", [".gitignore", ".dockerignore"])
def test_no_ignore_file_hides_a_package(ignore_file: str) -> None:
    path = REPOSITORY / ignore_file
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    hidden = PathSpec.from_lines("gitignore", lines).match_files([*package_files(), "streamlit_app.py"])
    assert list(hidden) == []


def test_the_wheel_holds_every_file_of_the_packages() -> None:
    taken = {file.distribution_path.replace("\\", "/") for file in WheelBuilder(str(REPOSITORY)).recurse_included_files()}
    assert sorted(taken) == sorted([*package_files(), "streamlit_app.py"])


def test_the_installed_version_is_the_one_in_pyproject() -> None:
    assert importlib.metadata.version("circle15") == PROJECT["project"]["version"]
