"""What the app keeps between reruns: the prepared region and results, keyed by fingerprint, never by content."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from coverage.stats import CoverageResult, coverage
from geodata.region import Prepared
from geodata.region_file import RegionFile, read_region_file
from geodata.standards import ServiceDefinition
from geodata.store import input_fingerprint, open_region
from scenarios.siting.standby import StandbyPlan, site_standby


def region(path: Path) -> Prepared:
    """Open the region at a path; it is read anew when any of its files changed."""
    path = path / "region.toml" if path.is_dir() else path
    described = read_region_file(path)
    files = [path, *(file for _, file, _ in described.files(path.parent) if file.is_file())]
    stamps = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return _region(str(path), _fingerprint(stamps, path, described))


@st.cache_data(max_entries=4, show_spinner=False)
def _fingerprint(stamps: tuple[tuple[str, int, int], ...], _path: Path, _described: RegionFile) -> str:  # noqa: ARG001 — the stamps are the key
    return input_fingerprint(_path, _described)


@st.cache_resource(max_entries=2, show_spinner=False)
def _region(path: str, fingerprint: str) -> Prepared:  # noqa: ARG001 — the fingerprint is the key
    return open_region(Path(path))


def _key(prepared: Prepared) -> str:
    """The region and the rules that results follow from."""
    return prepared.region.fingerprint + prepared.services.model_dump_json() + prepared.speeds.model_dump_json()


def covered(prepared: Prepared, definition: ServiceDefinition) -> CoverageResult:
    """Coverage under a definition."""
    return _covered(_key(prepared), definition.model_dump_json(), prepared, definition)


@st.cache_resource(max_entries=32, show_spinner=False)
def _covered(key: str, said: str, _prepared: Prepared, _definition: ServiceDefinition) -> CoverageResult:  # noqa: ARG001
    return coverage(_prepared.region, _definition, _prepared.network(_definition.mode))


def sited(prepared: Prepared, service_id: str, sites: int) -> StandbyPlan:
    """The default plan of a number of standby points."""
    return _sited(_key(prepared), service_id, sites, prepared)


@st.cache_resource(max_entries=16, show_spinner=False)
def _sited(key: str, service_id: str, sites: int, _prepared: Prepared) -> StandbyPlan:  # noqa: ARG001
    return site_standby(_prepared, service_id, sites=sites)
