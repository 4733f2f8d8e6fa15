"""What the stages of a siting model are called, and how their values are written: people, minutes, person-minutes."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from geodata.region import Prepared
from scenarios.output.legend import ILLUSTRATIVE, PEOPLE_WORDS, Words, both, range_said
from scenarios.output.report import people_not_counted
from scenarios.output.sheets import Cell, Column
from scenarios.output.site_report import choice_lines, terms_json
from scenarios.output.speed_words import hour_said
from scenarios.siting.question import Model
from scenarios.siting.region.question import RegionQuestion, measure_of
from scenarios.siting.region.weights import COUNTED
from scenarios.siting.worth import REACHED, sense

MS_PER_MINUTE: Final = 60_000.0
MM_PER_M: Final = 1000.0
_WORDS: Final[dict[str, Words]] = {
    "limits": ("符合口径", "within the limits"),
    "people": ("符合口径", "within the limits"),
    "served": ("按能力服务", "served within capacity"),
    "once": ("覆盖一次", "covered once"),
    "twice": ("覆盖两次", "covered twice"),
    "weighted cover": ("加权覆盖", "weighted cover"),
    "expected": ("期望覆盖", "expected cover"),
    REACHED: ("有路可达", "with a route"),
}
STATUS_WORDS: Final[dict[str, Words]] = {
    "optimal": ("已证明", "proven"),
    "feasible": ("未证明", "not proven"),
    "infeasible": ("无解", "no choice"),
}


def stage_words(question: RegionQuestion, model: Model, stage: str) -> Words:
    """Name a stage, with the unit of its values where they are no people."""
    if stage == "backstop":
        minutes = question.backstop.rural.minutes or 0.0
        return f"{minutes:g} 分钟内", f"within {minutes:g} min"
    if stage == REACHED and not are_people(question, model, stage):
        return "有路可达的地方", "places with a route"
    if stage in _WORDS:
        return _WORDS[stage]
    by_time = measure_of(question.definition) == "time"
    unit = ("分钟", "min") if by_time else ("米", "m")
    counted = COUNTED[question.choice.weigh]
    if model == "p-median":
        return f"总路程（{counted[0]}·{unit[0]}）", f"total ({counted[1]} × {unit[1]})"
    if question.choice.weighted:  # a product, no distance
        return f"单处最大（{counted[0]}×{unit[0]}）", f"largest at one place ({counted[1]} × {unit[1]})"
    return f"最远（{unit[0]}）", f"farthest ({unit[1]})"


def gain_words(model: Model, stage: str) -> Words:
    """What a better value of a stage is called: more people, or less cost."""
    return ("增加", "gain") if sense(model, stage) > 0 else ("减少", "less")


def stage_unit(question: RegionQuestion, model: Model, stage: str) -> float:
    """What a value of a stage is divided by before people read it."""
    if sense(model, stage) > 0:
        return 1.0
    return MS_PER_MINUTE if measure_of(question.definition) == "time" else MM_PER_M


def are_people(question: RegionQuestion, model: Model, stage: str) -> bool:
    """Whether a stage counts people, or what else is weighed: no costs, nor the places of an unweighted p-center."""
    return sense(model, stage) > 0 and (model != "p-center" or question.choice.weighted)


def amount(value: float) -> str:
    """Write a value: whole from a hundred on, four figures below where it is a fraction; never -0."""
    value += 0.0
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:,.4g}"  # noqa: PLR2004  as people read


def head_lines(prepared: Prepared, service_id: str, question: RegionQuestion, what: Words) -> list[str]:
    """Say what was asked of which region: the head of a text."""
    region, definition, named = prepared.region, question.definition, prepared.services.service(service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    return [
        f"{region.name}{mark} · {both(what)} · {title} · {region.date}",
        f"{both(PEOPLE_WORDS)}: {region.people_source}",
        *(": ".join(line) for line in question_lines(question)),
    ]


def question_lines(question: RegionQuestion) -> list[tuple[str, str]]:
    """The model, the terms given and how many candidates there are, each with its value."""
    choice, sites = question.choice, question.asked.sites
    free, kept = int(question.free.sum()), int((sites.fixed & sites.counted).sum())
    lines = [
        *choice_lines(choice),
        ("候选点 candidates", f"{free:,}（另有保留、指定的点 kept and forced: {kept:,}）"),
    ]
    anyway = int(sites.background.sum())
    if anyway:
        lines.append(("照常服务而不计入总数 serve anyway, not counted", f"{anyway:,}"))
    return lines


def closing_lines(prepared: Prepared, question: RegionQuestion) -> list[str]:
    """What must be known before a figure is believed: hours, ranges, people without a place, candidates left out."""
    said = [hour_said(prepared.speeds, question.definition), range_said(prepared.region.demand), *question.notes]
    return [f"· {both(words)}" for words in dict.fromkeys([*said, *people_not_counted(prepared.region)]) if words]


def place_names(question: RegionQuestion) -> dict[str, str]:
    """Names of the places by id."""
    return dict(zip(question.places.id, question.places.name, strict=True))


def cells(table: pd.DataFrame, columns: dict[str, Column]) -> list[list[Cell]]:
    """Rows of a sheet: some columns of a table, by their keys."""
    return [[row[key] for key in columns] for row in table.to_dict("records")]


def said_json(lines: list[Words]) -> dict[str, Any]:
    """Sentences by language."""
    return {"zh": [zh for zh, _ in lines], "en": [en for _, en in lines]}


def stages_json(question: RegionQuestion, model: Model, stages: list[str]) -> list[dict[str, str]]:
    """Stages by name, with what they are called."""
    named = ((name, *stage_words(question, model, name)) for name in stages)
    return [{"name": name, "zh": zh, "en": en} for name, zh, en in named]


def question_json(service_id: str, question: RegionQuestion) -> dict[str, Any]:
    """What was asked, for programs."""
    choice, sites = question.choice, question.asked.sites
    return {
        "service": service_id,
        "definition": question.definition.id,
        "model": choice.model,
        "weigh": choice.weigh,
        "candidates": int(question.free.sum()),
        "fixed": sorted(one for one, fixed in zip(sites.id, sites.fixed & sites.counted, strict=True) if fixed),
        "terms": terms_json(choice),
    }
