"""What the app keeps between reruns: the prepared region and results, keyed by fingerprint, never by content."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from coverage.stats import CoverageResult, coverage
from geodata.region import Prepared, read_region_file
from geodata.standards import ServiceDefinition
from geodata.store import input_fingerprint, open_region
from scenarios.siting.standby import StandbyPlan, site_standby


def region(path: Path) -> Prepared:
    """Open the region at a path; it is read anew when any of its files changed."""
    path = path / "region.toml" if path.is_dir() else path
    return _region(str(path), input_fingerprint(path, read_region_file(path)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _region(path: str, fingerprint: str) -> Prepared:  # noqa: ARG001 — the fingerprint is the key
    return open_region(Path(path))


def covered(prepared: Prepared, definition: ServiceDefinition, service_id: str) -> CoverageResult:
    """Coverage under a definition."""
    return _covered(prepared.region.fingerprint, service_id, definition.model_dump_json(), prepared, definition)


@st.cache_resource(max_entries=32, show_spinner=False)
def _covered(fingerprint: str, service_id: str, said: str, _prepared: Prepared, _definition: ServiceDefinition) -> CoverageResult:  # noqa: ARG001
    return coverage(_prepared.region, _definition, _prepared.network(_definition.mode))


def sited(prepared: Prepared, service_id: str, sites: int) -> StandbyPlan:
    """The default plan of a number of standby points."""
    return _sited(prepared.region.fingerprint, service_id, sites, prepared)


@st.cache_resource(max_entries=16, show_spinner=False)
def _sited(fingerprint: str, service_id: str, sites: int, _prepared: Prepared) -> StandbyPlan:  # noqa: ARG001
    return site_standby(_prepared, service_id, sites=sites)
