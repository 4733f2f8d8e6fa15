"""What the app keeps between reruns: the prepared region and results, keyed by fingerprint, never by content."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from coverage.circles import merged_circles
from coverage.stats import CoverageResult, coverage
from geodata.errors import Circle15Error, Problem
from geodata.growth import grown
from geodata.model import Facilities, Region
from geodata.norms import Norms, read_norms
from geodata.pack import fingerprint
from geodata.region import Prepared
from geodata.region_file import RegionFile, read_region_file
from geodata.standards import ServiceDefinition
from geodata.store import input_fingerprint, open_region
from scenarios.app.session import Year
from scenarios.audit.check import Audit, check_region
from scenarios.audit.finding import audit_layer
from scenarios.compare import Comparison, compare
from scenarios.model import Scenario, with_scenario
from scenarios.norms import NormsReport, norms_report
from scenarios.output import weblayers
from scenarios.output.weblayers import Layer
from scenarios.output.webtables import findings_of
from scenarios.siting.region.alternatives import choosable as choosable_places
from scenarios.siting.region.choice import Choice
from scenarios.studies.terms import Question

if TYPE_CHECKING:
    from scenarios.studies.answer import Answer as StudyAnswer

Answer = TypeVar("Answer")
_desk = ThreadPoolExecutor(max_workers=1, thread_name_prefix="circle15")


def _in_one_thread(work: Callable[[], Answer]) -> Answer:
    """Work for all visitors in one thread that stays: pyproj makes its transformers anew in every thread, and a rerun is a new one."""
    return _desk.submit(work).result()


def region(path: Path) -> Prepared:
    """Open the region at a path; it is read anew when any of its files changed."""
    path = path / "region.toml" if path.is_dir() else path
    described = read_region_file(path)
    files = [path, *(file for _, file, _ in described.files(path.parent) if file.is_file())]
    stamps = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return _region(str(path), _fingerprint(stamps, path, described))


@st.cache_resource(max_entries=4, show_spinner=False)
def _fingerprint(stamps: tuple[tuple[str, int, int], ...], _path: Path, _described: RegionFile) -> str:  # noqa: ARG001 — the stamps are the key
    return input_fingerprint(_path, _described)


@st.cache_resource(max_entries=2, show_spinner=False)
def _region(path: str, fingerprint: str) -> Prepared:  # noqa: ARG001 — the fingerprint is the key
    return open_region(Path(path))


def _key(prepared: Prepared) -> str:
    """The region and the rules that results follow from."""
    return prepared.region.fingerprint + prepared.services.model_dump_json() + prepared.speeds.model_dump_json()


def in_year(prepared: Prepared, year: Year | None) -> Prepared:
    """The region with the people of a target year; the roads, and the networks on them, are the same."""
    return prepared if year is None else replace(prepared, region=_grown(prepared.region.fingerprint, year, prepared))


@st.cache_resource(max_entries=8, show_spinner=False)
def _grown(key: str, year: Year, _prepared: Prepared) -> Region:  # noqa: ARG001
    return grown(_prepared.region, year.year, year.variant)


def covered(prepared: Prepared, definition: ServiceDefinition) -> CoverageResult:
    """Coverage under a definition."""
    return _covered(_key(prepared), definition.model_dump_json(), prepared, definition)


@st.cache_resource(max_entries=32, show_spinner=False)
def _covered(key: str, said: str, _prepared: Prepared, _definition: ServiceDefinition) -> CoverageResult:  # noqa: ARG001
    return _in_one_thread(lambda: coverage(_prepared.region, _definition, _prepared.network_of(_definition)))


def compared(prepared: Prepared, definition: ServiceDefinition, scenario: Scenario) -> Comparison:
    """Coverage before and after a scenario."""
    return _compared(_key(prepared), definition.model_dump_json(), scenario.model_dump_json(), prepared, definition, scenario)


@st.cache_resource(max_entries=32, show_spinner=False)
def _compared(key: str, said: str, changes: str, _prepared: Prepared, _definition: ServiceDefinition, _scenario: Scenario) -> Comparison:  # noqa: ARG001
    before = covered(_prepared, _definition)
    return _in_one_thread(lambda: compare(_prepared, _scenario, _definition, before=before))


def choosable(
    prepared: Prepared,
    service_id: str,
    definition: ServiceDefinition,
    *,
    scenario: Scenario,
    candidates: tuple[str, ...],
    points: Facilities | None,
) -> dict[str, str]:
    """Names by id of the places that siting may choose among, on top of a scenario; none if they cannot be told."""
    asked = service_id, definition.id, candidates, "" if points is None else fingerprint(points)
    return _choosable(_key(prepared), scenario.model_dump_json(), asked, prepared, scenario, points)


@st.cache_resource(max_entries=16, show_spinner=False)
def _choosable(
    key: str,  # noqa: ARG001
    changes: str,  # noqa: ARG001
    asked: tuple[str, str, tuple[str, ...], str],
    _prepared: Prepared,
    _scenario: Scenario,
    _points: Facilities | None,
) -> dict[str, str]:
    service_id, definition_id, candidates, _ = asked
    try:
        choice = Choice(model="lscp", candidates=candidates, points=_points)
        return choosable_places(with_scenario(_prepared, _scenario), service_id, definition_id, choice)
    except Circle15Error:  # told when points are asked for
        return {}


def circle_layer(prepared: Prepared, result: CoverageResult, roads: Scenario) -> Layer:
    """The merged circle of the facilities of a result, on the roads of a scenario."""
    said = result.definition.model_dump_json() + roads.model_dump_json()
    return _circle_layer(_key(prepared), said, fingerprint(result.facilities), result)


@st.cache_resource(max_entries=32, show_spinner=False)
def _circle_layer(key: str, said: str, places: str, _result: CoverageResult) -> Layer:  # noqa: ARG001
    return _in_one_thread(lambda: weblayers.circle_layer(merged_circles(_result.definition, _result.network, _result.facilities)))


def place_layer(prepared: Prepared, facilities: Facilities) -> Layer:
    """The facilities of a definition."""
    return _place_layer(_key(prepared), fingerprint(facilities), prepared, facilities)


@st.cache_resource(max_entries=16, show_spinner=False)
def _place_layer(key: str, places: str, _prepared: Prepared, _facilities: Facilities) -> Layer:  # noqa: ARG001
    return _in_one_thread(lambda: weblayers.place_layer(_prepared.services, _facilities))


def base_layer(prepared: Prepared) -> Layer:
    """The ground of the map: townships, water, roads."""
    return _base_layer(prepared.region.fingerprint, prepared)


@st.cache_resource(max_entries=4, show_spinner=False)
def _base_layer(key: str, _prepared: Prepared) -> Layer:  # noqa: ARG001
    return _in_one_thread(lambda: weblayers.base_layer(_prepared.region))


def audit(prepared: Prepared) -> Audit:
    """What is doubtful in the data of a region."""
    return _audit(_key(prepared), prepared)


@st.cache_resource(max_entries=4, show_spinner=False)
def _audit(key: str, _prepared: Prepared) -> Audit:  # noqa: ARG001
    return _in_one_thread(lambda: check_region(_prepared))


def finding_layer(prepared: Prepared, code: str) -> Layer | None:
    """Where the findings of a kind are; None if there are none."""
    return _finding_layer(_key(prepared), code, prepared)


@st.cache_resource(max_entries=16, show_spinner=False)
def _finding_layer(key: str, code: str, _prepared: Prepared) -> Layer | None:  # noqa: ARG001
    shown = findings_of(audit(_prepared).findings, code)
    return audit_layer(shown) if shown else None


def norms(prepared: Prepared, path: Path) -> NormsReport:
    """The region held against norms and indicators, those that region.toml names among them."""
    held = _held(prepared, path)
    return _norms(_key(prepared), held.model_dump_json(), prepared, held)


def _held(prepared: Prepared, path: Path) -> Norms:
    own = read_region_file(path).norms
    return read_norms(path.parent / own if own else None, prepared.services)


@st.cache_resource(max_entries=8, show_spinner=False)
def _norms(key: str, said: str, _prepared: Prepared, _held: Norms) -> NormsReport:  # noqa: ARG001
    return _in_one_thread(lambda: norms_report(_prepared, _held))


def study_key(prepared: Prepared, question: Question) -> str:
    """What the answer of a study follows from, norms apart."""
    asked = question.service_id, question.definition.model_dump_json(), question.scenario.model_dump_json(), question.terms
    return _key(prepared) + repr(asked)


def studied(prepared: Prepared, path: Path, question: Question) -> StudyAnswer | tuple[Problem, ...]:
    """The answer of a study, or what is wrong with the question."""
    try:
        held = _held(prepared, path)
    except Circle15Error as error:  # a bureau's own norms.toml
        return error.problems
    return _studied(study_key(prepared, question), held.model_dump_json(), prepared, question, held)


@st.cache_resource(max_entries=16, show_spinner=False)
def _studied(key: str, said: str, _prepared: Prepared, _question: Question, _held: Norms) -> StudyAnswer | tuple[Problem, ...]:  # noqa: ARG001
    run = import_module("scenarios.studies.run")  # when it is asked for: the page opens without it
    try:
        found: StudyAnswer = run.answer(_prepared, _question, _held)
    except Circle15Error as error:
        return error.problems
    return found
