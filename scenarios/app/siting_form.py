"""What a planner says of a siting question: the goal in plain words, its few terms, and conditions that bind whatever the goal."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple, cast

import streamlit as st

from geodata.model import Facilities
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.app import cache
from scenarios.app.asking import number, optional, select, several
from scenarios.app.i18n import words
from scenarios.app.siting_question import Question
from scenarios.app.siting_words import CANDIDATE_WORDS, MODEL_ASKS, STAY_WORDS, TERM_WORDS, WEIGH_WORDS
from scenarios.model import Scenario
from scenarios.output.legend import Language
from scenarios.siting.models import NUMBER_FOUND
from scenarios.siting.question import Model
from scenarios.siting.region.choice import ALL, ELIGIBLE, OF_VEHICLES, OF_WIDE

MOST_SITES: Final = 200
USUAL_SITES: Final = 5
SOLVER_SECONDS: Final = 60
MOST_SECONDS: Final = 3600
EQUALS: Final = 20
PERCENT: Final = 100.0


class Filled(NamedTuple):
    """What the form says: the question, the scenario on which it is asked, and how long it may take."""

    question: Question
    own: Scenario
    limit_s: float


def goal(prepared: Prepared, service_id: str, language: Language) -> dict[str, Any]:
    """Ask for the goal, its terms, and the number of points."""
    say, at = words(language), language == "en"
    rule = prepared.services.service(service_id).siting
    minutes = "" if rule is None else f"{rule.backstop_minutes:g}"
    asks = {str(one): (zh.format(minutes=minutes), en.format(minutes=minutes)) for one, (zh, en) in MODEL_ASKS.items()}
    model = cast("Model", select(_label("--model", at), asks, "siting-model", language))
    fields: dict[str, Any] = {"model": model, "equals": EQUALS}
    if model not in NUMBER_FOUND:
        fields["sites"] = number(_label("--sites", at), USUAL_SITES, MOST_SITES, "sites", language, about=say["sites_help"])
    return fields | _terms(model, language)


def conditions(
    prepared: Prepared,
    service_id: str,
    definition: ServiceDefinition,
    language: Language,
    *,
    asked: dict[str, Any],
    own: Scenario,
    clicked: Facilities | None,
) -> Filled:
    """Ask for what binds whatever the goal; points that were clicked on the map may be candidates instead of part of `own`."""
    say, at, fields = words(language), language == "en", dict(asked)
    named = {one: said[at] for one, said in CANDIDATE_WORDS.items()}
    candidates = several(_label("--candidates", at), named, "siting-from", language, default=(ELIGIBLE,))
    fields["candidates"] = tuple(one for one in candidates if one != "clicked")
    if "clicked" in candidates and clicked is not None:
        fields["points"], own = clicked, own.without(*clicked.id)
    points = fields.get("points")
    names = cache.choosable(prepared, service_id, definition, scenario=own, candidates=fields["candidates"], points=points)
    fields["fixed"] = several(_label("--fixed", at), names, "siting-fixed", language, empty=say["by_name"])
    fields["forbidden"] = several(_label("--forbid", at), names, "siting-forbidden", language, empty=say["by_name"])
    fields |= _standing(language)
    fields["spacing_m"] = optional(_label("--spacing", at), "siting-spacing", language, empty=say["empty_none"]) or None
    if asked["model"] in OF_WIDE:
        fields["wide_minutes"] = optional(_label("--limit2", at), "siting-wide", language, empty=say["empty_rule"])
    fields["weigh"] = select(_label("--weigh", at), WEIGH_WORDS, "siting-weigh", language)
    limit_s = number(_label("--time-limit", at), SOLVER_SECONDS, MOST_SECONDS, "siting-seconds", language)
    rule = prepared.services.service(service_id).siting
    named = {one: names[one] for one in (*fields["fixed"], *fields["forbidden"])}
    return Filled(Question(fields, named, definition, math.nan if rule is None else rule.backstop_minutes), own, limit_s)


def _label(option: str, at: bool) -> str:  # noqa: FBT001  0 or 1, of a pair of words
    return TERM_WORDS[option][at]


def _terms(model: Model, language: Language) -> dict[str, Any]:
    """Ask for what only some goals need."""
    say, at = words(language), language == "en"
    fields: dict[str, Any] = {}
    if model == "partial":
        fields["share"] = _share("--share", 90.0, language)
    if model in {"bacop2", "dsm"}:
        fields["alpha"] = _share("--alpha", 50.0 if model == "bacop2" else 70.0, language, key=f"siting-alpha-{model}")
    if model == "mexclp":
        busy = _share("--busy", None, language, empty=say["empty_log"])
        fields["busy"] = "log" if busy is None else busy
    if model == "cmclp":
        fields["capacity"] = optional(_label("--capacity", at), "siting-capacity", language, whole=True, empty=say["to_fill"])
    if model in OF_VEHICLES:
        for name, empty in (("vehicles", "empty_table"), ("fleet", "empty_none")):
            given = optional(_label(f"--{name}", at), f"siting-{name}", language, whole=True, empty=say[empty])
            fields[name] = None if given is None else int(given)
    if model == "p-center":
        fields["weighted"] = st.checkbox(_label("--weighted", at), key="siting-weighted")
    return fields


def _share(option: str, default: float | None, language: Language, *, key: str = "", empty: str | None = None) -> float | None:
    """Ask for percent; a share 0–1."""
    key = key or f"siting-{option.removeprefix('--')}"
    given = optional(_label(option, language == "en"), key, language, default=default, most=PERCENT, empty=empty)
    return None if given is None else given / PERCENT


def _standing(language: Language) -> dict[str, Any]:
    """Ask what may become of the points that exist."""
    at = language == "en"
    stay = select(_label("--closable", at), STAY_WORDS, "siting-stay", language)
    if stay == "move":
        say = words(language)
        far = optional(_label("--move-within", at), "siting-move", language, empty=say["empty_none"])
        return {"movable": ALL, "move_within_km": far or None}
    return {"closable": ALL} if stay == "close" else {}
