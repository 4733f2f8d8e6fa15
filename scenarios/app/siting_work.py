"""What is sought for a visitor: from the form to work in the background, from its answer into the scenario. Nothing is drawn here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from geodata.errors import Circle15Error, OptionError, Problem
from geodata.model import Facilities
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.app import session
from scenarios.app.background import Task, begin
from scenarios.app.siting_form import Filled
from scenarios.app.siting_question import Question
from scenarios.app.siting_words import in_words_of_the_page
from scenarios.model import Open, Scenario, with_scenario
from scenarios.siting.region.alternatives import taking, with_definition
from scenarios.siting.region.candidates import places_at
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.curve import RegionCurve, region_curve
from scenarios.siting.region.standby import PLAN, RegionPlan, plan_scenario, site_region

_TASK, _ASKED, _WRONG = "siting-task", "siting-asked", "siting-wrong"
_HELD, _SITED, _CURVE = "siting-held", "siting-found", "siting-curve"


class Sited(NamedTuple):
    """A plan, and the scenario around it.

    Attributes
    ----------
    shown : Scenario
        What was in view when it was asked for.
    own : Scenario
        That, without what an earlier plan had changed: what the plan was made on.
    planned : Scenario
        `own`, and what the plan changes.
    plan : RegionPlan
    prepared : Prepared
        The region without any scenario, in the year that was in view.
    question : Question
        What it answers.
    """

    shown: Scenario
    own: Scenario
    planned: Scenario
    plan: RegionPlan
    prepared: Prepared
    question: Question


class Curved(NamedTuple):
    """The best points for every number of them, the scenario they were sought on, the region without it, and what it answers."""

    own: Scenario
    curve: RegionCurve
    prepared: Prepared
    question: Question


class Wrong(NamedTuple):
    """A question that has no answer, and why."""

    question: Question
    problems: tuple[Problem, ...]


Found = Sited | Curved


def task() -> Task[Found] | None:
    """What is under way."""
    under_way: Task[Found] | None = st.session_state.get(_TASK)
    return under_way


def wrong() -> Wrong | None:
    """What was wrong with the question asked last."""
    last: Wrong | None = st.session_state.get(_WRONG)
    return last


def held() -> Sited | None:
    """A plan that was found after the scenario had been changed: whether to take it is for the visitor to say."""
    waiting: Sited | None = st.session_state.get(_HELD)
    return waiting


def sited() -> Sited | None:
    """The plan taken last."""
    last: Sited | None = st.session_state.get(_SITED)
    return last


def curve(prepared: Prepared, definition: ServiceDefinition, around: Scenario) -> Curved | None:
    """The curve sought last, if it is of what is in view: the limits, the people, and the scenario around."""
    last: Curved | None = st.session_state.get(_CURVE)
    if last is None or last.curve.question.definition != definition:
        return None
    return last if last.own == around and last.prepared.region.fingerprint == prepared.region.fingerprint else None


def bring_in() -> None:
    """Take what was found since: the scenario becomes the plan, unless it was changed meanwhile."""
    under_way = task()
    if under_way is None or not under_way.done:
        return
    del st.session_state[_TASK]
    try:
        found = under_way.answer()
    except Circle15Error as error:
        st.session_state[_WRONG] = Wrong(st.session_state[_ASKED], in_words_of_the_page(error.problems))
        return
    if isinstance(found, Curved):
        st.session_state[_CURVE] = found
    elif session.scenario() == found.shown:
        adopt(found)
    else:
        st.session_state[_HELD] = found


def adopt(found: Sited) -> None:
    """Go on with a plan."""
    st.session_state[_SITED] = found
    st.session_state.pop(_HELD, None)
    session.step(found.planned)


def adopt_equal(number: int) -> None:
    """Go on with a choice that is exactly as good as the plan taken last."""
    last = sited()
    if last is not None:
        plan = taking(_on(last.prepared, last.own), last.plan, number)
        adopt(last._replace(planned=last.own.then(*plan_scenario(last.prepared, plan).changes), plan=plan))


def own() -> Scenario:
    """The scenario in view, without what the plan taken last had changed."""
    now, last = session.scenario(), sited()
    changed = () if last is None else last.planned.changes[len(last.own.changes) :]
    kept = tuple(one for one in now.changes if one not in changed and not (one.do == "open" and one.id.startswith(PLAN)))
    return now.model_copy(update={"changes": kept})


def counts() -> dict[str, int]:
    """How many points the scenario in view opens, moves and closes."""
    last = sited()
    return counted(session.scenario(), None if last is None else last.plan)


def counted(scenario: Scenario, plan: RegionPlan | None) -> dict[str, int]:
    """How many points a scenario opens, moves and closes; a plan may move one by closing it and opening another, which is a move too."""
    made, ids = Counter(one.do for one in scenario.changes), {(one.do, getattr(one, "id", "")) for one in scenario.changes}
    both = 0
    if plan is not None:
        at = plan.question.places.id
        both = sum({("close", at[one.stood]), ("open", f"{PLAN}{at[one.stands]}")} <= ids for one in plan.moved)
    return {"open": made["open"] - both, "move": made["move"] + both, "close": made["close"] - both}


def clicked(prepared: Prepared, definition: ServiceDefinition) -> Facilities | None:
    """Points that the visitor added on the map, as candidates; while a plan that chose among such is in view, all those it chose from."""
    last, points = sited(), _added(session.scenario(), definition)
    if last is not None and last.plan.choice.points is not None and session.scenario() == last.planned:
        points = _added(last.shown, definition) or points
    if not points:
        return None
    lonlat = np.array([(one.lon, one.lat) for one in points], dtype=np.float64)
    return places_at(prepared.region, [one.id for one in points], [one.name for one in points], lonlat)


def _added(scenario: Scenario, definition: ServiceDefinition) -> list[Open]:
    return [one for one in scenario.changes if isinstance(one, Open) and one.host is None and one.kind in definition.kinds]


def _on(prepared: Prepared, scenario: Scenario) -> Prepared:
    return with_scenario(prepared, scenario)


def seek(prepared: Prepared, service_id: str, definition: ServiceDefinition, filled: Filled, *, for_every_number: bool) -> None:
    """Begin to seek what the form asks for: points, or the best points for every number of them."""
    shown, around, question, fields = session.scenario(), filled.own, filled.question, dict(filled.question.fields)
    for key in (_WRONG, _HELD, *((_CURVE,) if for_every_number else ())):
        st.session_state.pop(key, None)
    asked = with_definition(prepared, service_id, definition)

    def plan(task: Task[Found]) -> Sited:
        found = site_region(_on(asked, around), service_id, choice_of(fields), definition_id=definition.id, stop=task.stop)
        return Sited(shown, around, around.then(*plan_scenario(prepared, found).changes), found, prepared, question)

    def by_number(task: Task[Found]) -> Curved:
        choice = choice_of(fields | {"equals": 0})
        region, told = _on(asked, around), task.tell
        found = region_curve(
            region, service_id, choice, definition_id=definition.id, most=None, order_sites=None, years=None, stop=task.stop, progress=told
        )
        return Curved(around, found, prepared, question.without("sites"))

    st.session_state[_ASKED] = question
    st.session_state[_TASK] = begin(by_number if for_every_number else plan, limit_s=filled.limit_s)


def choice_of(fields: Mapping[str, Any]) -> Choice:
    """Make the choice of what the form says.

    Raises
    ------
    OptionError
        It cannot be asked; what the command reads from a table too is on the page to be filled in.
    """
    if fields["model"] == "cmclp" and fields.get("capacity") is None:
        raise OptionError(Problem("请填写 --capacity 。", "Fill in --capacity."))
    return Choice(**fields)
