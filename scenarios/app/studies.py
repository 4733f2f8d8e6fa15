"""Studies of what is in view: one is chosen, its few terms filled in, and it runs when the button is pressed, never before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import streamlit as st

from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.app import cache, component, session
from scenarios.app.asking import complain, select
from scenarios.app.i18n import words
from scenarios.output.access_report import SUPPLY_WORDS
from scenarios.output.legend import Language
from scenarios.studies.terms import Access, Capacity, Chain, Cuts, Equity, Question, Sensitivity, Study, Surge, Terms, unfit, units_stated
from scenarios.studies.words import ABOUT, STUDY_WORDS, TERM_WORDS, UNSTATED_WORDS, on_the_page

if TYPE_CHECKING:
    from scenarios.studies.answer import Answer

AREA_TYPES: Final = ("geojson", "json", "gpkg")
EVERYBODY: Final = 100.0
USUAL_WITHIN: Final = 60.0
_ASKED: Final = "studied"
_PRESSED: Final = "study-pressed"


@st.fragment
def show(prepared: Prepared, path: Path, service_id: str, definition: ServiceDefinition, language: Language) -> None:
    """Offer the studies of the definition in view, in the scenario, year and hour in view."""
    say = words(language)
    box = st.expander(say["studies"], key=f"studies-{language}", on_change="rerun")
    if not box.open:
        return
    with box:
        study = cast("Study", select(say["study"], {str(one): said for one, said in STUDY_WORDS.items()}, "study", language))
        st.text(ABOUT[study][language == "en"])
        if reason := unfit(study, definition):
            st.info(reason.zh if language == "zh" else reason.en)
            return
        question = Question(service_id, definition, session.scenario(), _ASK[study](prepared, definition, language))
        asked, before = cache.study_key(prepared, question), st.session_state.setdefault(_ASKED, {})
        st.button(say["study_run"], key=f"study-run-{study}", type="primary", on_click=_press, args=(study,))
        if st.session_state.pop(_PRESSED, None) == study:
            before[study] = asked
        if before.get(study) == asked:
            _answer(prepared, path, question, language)
        elif study in before:
            st.info(say["study_stale"])


def _press(study: Study) -> None:
    """Note the button: the run that follows asks with what then stands in the terms, even if another one comes before it."""
    st.session_state[_PRESSED] = study


def _answer(prepared: Prepared, path: Path, question: Question, language: Language) -> None:
    """Compute what was asked, unless it is there already, and show it or what is wrong with it."""
    say, at = words(language), language == "en"
    with st.spinner(say["study_running"], show_time=True):
        answer = cache.studied(prepared, path, question)
    if isinstance(answer, tuple):
        complain(on_the_page(answer), language, "not_computed")
        return
    _figures(answer, language)
    for finding in answer.findings:
        st.text(finding[at])
    for number, grid in enumerate(answer.grids):
        st.markdown(f"**{grid.title[at]}**")
        component.table(grid.table(language), key=f"study-{answer.file}-{number}")
    st.download_button(say["study_file"], answer.workbook, answer.file, on_click="ignore", key=f"file-{answer.file}")
    st.markdown(f"**{say['study_notes']}**")
    st.text("\n".join(f"· {note[at]}" for note in answer.notes))


def _figures(answer: Answer, language: Language) -> None:
    """The figures beside each other; all of it our own words and numbers, for both lines may be rendered."""
    at = language == "en"
    for cell, figure in zip(st.columns(len(answer.figures)), answer.figures, strict=True):
        cell.metric(figure.label[at], figure.value[at])
        cell.caption(figure.below[at])  # not the metric's own second line, which is cut off where the desk is narrow


def _access(prepared: Prepared, definition: ServiceDefinition, language: Language) -> Access:
    return Access(_unit("--supply", prepared, definition, language))


def _capacity(prepared: Prepared, definition: ServiceDefinition, language: Language) -> Capacity:
    cells = st.columns(3, gap="small")
    with cells[0]:
        unit = _unit("--unit", prepared, definition, language)
    with cells[1]:
        per_unit = _amount("--per-unit", language, key=f"per-unit-{unit}", empty="by_norms")
    with cells[2]:
        unstated = select(_label("--unstated", language), UNSTATED_WORDS, "unstated", language, words(language)["unstated_help"])
    return Capacity(unit, per_unit, cast("Any", unstated or None))


def _cuts(_prepared: Prepared, _definition: ServiceDefinition, language: Language) -> Cuts:
    say = words(language)
    left, right = st.columns(2, gap="small")
    ways = left.text_input(_label("--ways", language), st.session_state.get("ways", ""), key=f"ways-{language}", help=say["ways_help"])
    st.session_state["ways"] = ways
    bridges = left.checkbox(
        _label("--bridges", language), st.session_state.get("bridges", True), key=f"bridges-{language}", help=say["bridges_help"]
    )
    st.session_state["bridges"] = bridges
    given = right.file_uploader(_label("--area", language), AREA_TYPES, key="area", help=say["area_help"])
    if given is None:
        return Cuts(ways, bridges=bridges)
    content = given.getvalue()
    ending = next(one for one in AREA_TYPES if given.name.lower().endswith(one))
    return Cuts(ways, f".{ending}", hashlib.sha256(content).hexdigest(), content, bridges)


def _chain(_prepared: Prepared, _definition: ServiceDefinition, language: Language) -> Chain:
    left, right = st.columns(2, gap="small")
    with left:
        scene = _amount("--scene", language, empty="of_log")
    with right:
        within = _amount("--within", language, default=USUAL_WITHIN)
    return Chain(scene, within)


def _surge(_prepared: Prepared, _definition: ServiceDefinition, language: Language) -> Surge:
    cells = st.columns(4, gap="small")
    with cells[0]:
        rate = _amount("--rate", language, empty="to_fill")
    with cells[1]:
        hours = _amount("--hours", language, empty="to_fill")
    with cells[2]:
        share = _amount("--share", language, default=EVERYBODY, most=EVERYBODY)
    with cells[3]:
        lanes = _amount("--lanes", language, empty="none_given")
    return Surge(rate, hours, EVERYBODY / 100 if share is None else share / 100, None if lanes is None else int(lanes))


_ASK: Final[dict[Study, Callable[[Prepared, ServiceDefinition, Language], Terms]]] = {
    "equity": lambda *_: Equity(),
    "sensitivity": lambda *_: Sensitivity(),
    "access": _access,
    "capacity": _capacity,
    "flood": _cuts,
    "referral": _chain,
    "surge": _surge,
}


def _label(option: str, language: Language) -> str:
    return TERM_WORDS[option][language == "en"]


def _unit(option: str, prepared: Prepared, definition: ServiceDefinition, language: Language) -> str:
    """Choose among the units that facilities of the definition state."""
    names = {one: SUPPLY_WORDS[one] for one in units_stated(prepared, definition)}
    about = words(language)["supply_help" if option == "--supply" else "unit_help"]
    return select(_label(option, language), names, option, language, about)


def _amount(
    option: str, language: Language, *, key: str = "", default: float | None = None, most: float | None = None, empty: str = ""
) -> float | None:
    """Ask for a number that may be left empty; it outlives a change of language."""
    say, key = words(language), key or option.removeprefix("--")
    about, hint = say[f"{option.removeprefix('--')}_help"], say[empty] if empty else None
    before = st.session_state.get(f"term-{key}", default)
    chosen: float | None = st.number_input(
        _label(option, language), 0.0, most, before, key=f"{key}-{language}", help=about, placeholder=hint, format="%g", step=1.0
    )
    st.session_state[f"term-{key}"] = chosen
    return chosen
