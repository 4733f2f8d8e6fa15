"""Siting on the page: asked for, sought in the background, stopped with the best so far, shown with its proof and what is as good."""

from __future__ import annotations

from typing import Final

import streamlit as st

from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.app import component, session
from scenarios.app import siting_form as form
from scenarios.app import siting_work as work
from scenarios.app.asking import complain
from scenarios.app.i18n import words
from scenarios.app.siting_form import Filled
from scenarios.app.siting_question import Question, is_same, question_said
from scenarios.compare import Comparison
from scenarios.output.curve_tables import curve_said
from scenarios.output.legend import Language
from scenarios.output.report import people
from scenarios.output.site_webtables import curve_steps, equal_choices, given_up, points_table
from scenarios.siting.models import NUMBER_FOUND
from scenarios.siting.region.standby import PLAN, RegionPlan
from scenarios.siting.region.words import proof
from scenarios.siting.words import MODEL_WORDS

POLL_S: Final = 1.0
_PRESSED: Final = "siting-pressed"


def box(prepared: Prepared, service_id: str, definition: ServiceDefinition, language: Language) -> Filled | None:
    """Ask for points, and give what the form says; the plan that is found becomes part of the scenario."""
    if prepared.services.service(service_id).siting is None:
        return None
    say = words(language)
    with st.container(border=True):
        st.markdown(f"**{say['standby']}**", help=say["sites_help"])
        goal, buttons = st.container(), st.container()  # buttons stand above lists of names, which shrink as they are left
        with goal:
            asked = form.goal(prepared, service_id, language)
        with st.expander(say["conditions"], key=f"siting-conditions-{language}"):
            own, clicked = work.own(), work.clicked(prepared, definition)
            filled = form.conditions(prepared, service_id, definition, language, asked=asked, own=own, clicked=clicked)
        with buttons:
            pressed = st.session_state.pop(_PRESSED, None)
            if pressed and work.task() is None:
                work.seek(prepared, service_id, definition, filled, for_every_number=pressed == "curve")
            _buttons(filled.question, language)
    return filled


def _buttons(now: Question, language: Language) -> None:
    """What can be sought; how that goes, and what came of it if it was no plan."""
    say, busy, model = words(language), work.task() is not None, now.fields["model"]
    st.button(say["solve"], key="solve", type="primary", width="stretch", on_click=_press, args=("solve",), disabled=busy)
    no_curve = busy or model in NUMBER_FOUND
    st.button(say["curve"], key="curve", width="stretch", on_click=_press, args=("curve",), disabled=no_curve)
    st.fragment(_under_way, run_every=POLL_S if busy else None)(language)
    if (wrong := work.wrong()) and wrong.question.definition == now.definition:
        complain(wrong.problems, language, "not_possible")
        _asked(wrong.question, now, language)
    if waiting := work.held():
        st.info(say["held"])
        st.text(question_said(waiting.question, language))
        st.button(say["take"], key="take", on_click=work.adopt, args=(waiting,))


def _press(button: str) -> None:
    """Note the button: the run that follows asks with what then stands in the form, however soon after the last key it was pressed."""
    st.session_state[_PRESSED] = button


def _under_way(language: Language) -> None:
    """How long it has been sought, and the switch that ends it."""
    task, say = work.task(), words(language)
    if task is None:
        return
    if task.done:
        st.rerun()
    told = task.said[-1][language == "en"] if task.said else ""
    said = say["solving"].format(passed=f"{task.passed_s:.0f}", limit=f"{task.limit_s:.0f}", said=told)
    st.progress(min(task.passed_s / task.limit_s, 1.0), said)
    stopping = task.stop.cancelled.is_set()
    st.button(
        say["cancelled" if stopping else "cancel"], key="cancel", on_click=task.stop.cancelled.set, disabled=stopping, width="stretch"
    )


def _asked(asked: Question, now: Question, language: Language) -> None:
    """What a result answers, and a mark once the form asks something else; as plain text, for names are in it."""
    with st.container():  # the mark comes and goes
        st.text(question_said(asked, language))
        if not is_same(asked, now):
            st.warning(words(language)["asked_before"])


def standing(prepared: Prepared, comparison: Comparison, filled: Filled | None, language: Language) -> RegionPlan | None:
    """The proof of the plan, and the plan while it stands; once it was changed, what that costs."""
    found = work.sited()
    if filled is None or found is None or found.plan.definition != comparison.after.definition:
        return None
    if found.prepared.region.fingerprint != prepared.region.fingerprint:
        st.info(words(language)["other_people"])
        return None
    if found.planned == session.scenario():
        _asked(found.question, filled.question, language)
        st.info(proof(found.plan)[language == "en"])
        return found.plan
    if any(one.startswith(PLAN) for one in session.scenario().opened):
        _asked(found.question, filled.question, language)
        served = found.plan.after["covered_people"].iloc[-1]
        more = comparison.by_zone["covered_people_after"].iloc[-1] - served
        st.info(words(language)["versus_plan"].format(more=f"{more:+,.0f}", served=people(served)))
    return None


def results(
    prepared: Prepared, definition: ServiceDefinition, filled: Filled | None, *, plan: RegionPlan | None, language: Language
) -> None:
    """The chosen points and the choices that are as good; what every number of points achieves; and the question of each."""
    if filled is None:
        return
    say, found, curved = words(language), work.sited(), work.curve(prepared, definition, filled.own)
    if plan is None and curved is None:
        return
    with st.expander(say["site_result"], expanded=True, key=f"site-result-{language}"):
        if plan is not None and found is not None:
            st.markdown(f"**{say['result_points']}**")
            _asked(found.question, filled.question, language)
            _points(plan, language)
            _equal(prepared, plan, language)
        if curved is not None:
            st.markdown(f"**{say['result_curve']}**")
            _asked(curved.question, filled.question.without("sites"), language)
            goal = MODEL_WORDS[curved.curve.curve.model][language == "en"]
            st.text("\n".join([say["curve_about"].format(goal=goal), *(one[language == "en"] for one in curve_said(curved.curve))]))
            component.table(curve_steps(curved.curve, language), key="curve-steps")


def _points(plan: RegionPlan, language: Language) -> None:
    """Whom the points serve, before and after, and which they are."""
    tables = {"before": plan.before, "after": plan.after, "wide_before": plan.before_backstop, "wide_after": plan.after_backstop}
    counted = {name: people(table["covered_people"].iloc[-1]) for name, table in tables.items()}
    st.text(words(language)["before_after"].format(minutes=f"{plan.backstop_minutes:g}", **counted))
    component.table(points_table(plan, language), key="plan-points")
    for said in given_up(plan, language):
        st.text(said)
    for note in plan.notes:
        st.text(note[language == "en"])


def _equal(prepared: Prepared, plan: RegionPlan, language: Language) -> None:
    """The choices that are exactly as good; one that is taken becomes the scenario."""
    say, result = words(language), plan.result
    if result.equal:
        st.text(say["equal_some" if result.equal_complete else "equal_more"].format(count=len(result.equal)))
        component.table(equal_choices(plan, prepared.region.demand, language), key="plan-equal", show=say["take"], on_choose=_take_equal)
    elif result.equal_complete:
        st.text(say["equal_none"])


def _take_equal(key: str) -> None:
    if key:
        work.adopt_equal(int(key))
