"""Chosen sites as plain data, tables and text: which, instead of which, why no others, and who is out of reach. Pure, no files."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from coverage.gaps import CAUSES
from geodata.region import Prepared
from geodata.roads import Floats
from scenarios.output.legend import ILLUSTRATIVE, PEOPLE_WORDS, STATE_WORDS, both, range_said
from scenarios.output.report import (
    align,
    change_columns,
    columns_text,
    definition_json,
    people,
    people_not_counted,
    percent,
    provenance,
    rows,
)
from scenarios.output.speed_words import hour_said
from scenarios.siting.region.candidates import entrances_of
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.standby import RegionPlan
from scenarios.siting.region.weights import COUNTED
from scenarios.siting.region.words import proof
from scenarios.siting.words import MODEL_WORDS

MOST_EQUAL = 10  # as many other choices as a terminal shows
EQUAL_WORDS: Final = ("选择同样好的方案", "choices that are exactly as good")
OUT_OF_REACH_WORDS: Final = ("任何候选点都不在时限内", "within the limits of no candidate")
# The terms of a choice that are told wherever they were given, by name.
_TERM_WORDS: Final = {
    "fixed": "必选 forced in",
    "forbidden": "禁选 forbidden",
    "closable": "可撤销 closable",
    "movable": "可迁走 movable",
    "move_within_km": "迁址不超过（公里） move within km",
    "candidates": "候选点来源 candidates from",
    "spacing_m": "最小间距（米） spacing m",
    "budget": "费用上限 budget",
    "vehicles": "每点车辆 vehicles at each",
    "fleet": "车辆总数 vehicles in all",
    "busy": "繁忙率 busy share",
    "capacity": "每点能力 capacity",
    "share": "覆盖比例 share",
    "alpha": "alpha",
    "wide_minutes": "第二时限（分钟） wider limit min",
}


def site_json(prepared: Prepared, service: str, plan: RegionPlan) -> dict[str, Any]:
    """All of a siting run; wall-clock seconds stand apart from the result."""
    zh, en = proof(plan)
    said = provenance(prepared, [plan.definition])
    said["definitions"] = {service: definition_json(plan.definition)}
    result = plan.result.to_json()
    seconds = result.pop("seconds")
    settlements = {one for one, settlement in zip(prepared.region.demand.id, prepared.region.demand.settlement, strict=True) if settlement}
    result["new_sites"] = [site for site, new in zip(plan.sites.id, plan.is_new, strict=True) if new]
    result["unreachable"] = [one for one in plan.result.unreachable if one in settlements]
    result["beyond_limit"] = [one for one in plan.result.beyond if one in settlements]
    return said | {
        "question": _question(service, plan),
        **result,
        "moved": [
            {"id": plan.question.places.id[one.stood], "to": plan.question.places.id[one.stands], "km": round(one.km, 3)}
            for one in plan.moved
        ],
        "closed": list(plan.closed.id),
        "backstop": _backstop(plan),
        "people_beyond_backstop_of_every_candidate": plan.beyond_all_people,
        "settlements_beyond_backstop_of_every_candidate": list(plan.beyond_backstop),
        "proof": {"zh": zh, "en": en},
        "notes": [{"zh": zh, "en": en} for zh, en in plan.notes],
        "site_list": rows(site_table(plan)),
        "before": rows(plan.before),
        "after": rows(plan.after),
        "people_no_longer_within_limits": plan.lost_people,
        "out_of_reach": rows(plan.out_of_reach),
        "seconds": seconds,
    }


def _question(service: str, plan: RegionPlan) -> dict[str, Any]:
    choice, units = plan.choice, COUNTED[plan.weigh][1]
    said: dict[str, Any] = {
        "service": service,
        "model": choice.model,
        "sites": len(plan.result.sites),
        "fixed": list(plan.result.fixed),
        "candidates": plan.candidates,
        "weigh": plan.weigh,
        "terms": terms_json(choice),
    }
    if plan.backstop is not None:
        said["first"] = f"fewest {units} beyond {plan.backstop_minutes:g} minutes"
        said["then"] = f"most {units} within the limits of definition {plan.definition.id!r}"
    return said


def terms_json(choice: Choice) -> dict[str, object]:
    """The terms of a choice that were given, by name, for programs."""
    return {name: _plain(value) for name, value in given_terms(choice).items()}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(sorted(value.items()))
    return list(value) if isinstance(value, tuple) else value


def _backstop(plan: RegionPlan) -> dict[str, float] | None:
    """The wider limit, where the model asks for it first."""
    if plan.backstop is None:
        return None
    return {"minutes": plan.backstop_minutes, "within": plan.backstop.objective, "bound": plan.backstop.bound}


def given_terms(choice: Choice) -> dict[str, Any]:
    """The terms of a choice that were given, by name: what stands beside a result so that it can be had again."""
    nothing = Choice(sites=1)
    terms = {name: getattr(choice, name) for name in _TERM_WORDS if getattr(choice, name) not in (getattr(nothing, name), ())}
    area = {name: True for name in ("within", "exclude") if getattr(choice, name) is not None}
    points = {"points": len(choice.points)} if choice.points is not None else {}
    return terms | area | points


def term_lines(plan: RegionPlan) -> list[tuple[str, str]]:
    """The model and the terms given, each with its value, and the price of the plan, for people."""
    lines = choice_lines(plan.choice)
    if has_prices(plan):
        lines.append(("新点费用合计 price of the new points", f"{prices_of(plan).sum():,.10g}"))
    return lines


def choice_lines(choice: Choice) -> list[tuple[str, str]]:
    """The model and the terms given, each with its value, for people."""
    lines = [("模型 model", both(MODEL_WORDS[choice.model]))]
    if choice.weigh != "residents":
        lines.append(("按什么计 counted", both(COUNTED[choice.weigh])))
    for name, value in given_terms(choice).items():
        if name in _TERM_WORDS:
            lines.append((_TERM_WORDS[name], _said(value)))
    if choice.points is not None:
        lines.append(("点文件或地图上的候选点 points given", f"{len(choice.points):,}"))
    if choice.within is not None:
        lines.append(("候选范围 area", "限于指定的面内 inside the polygons given"))
    if choice.exclude is not None:
        lines.append(("排除范围 ruled out", "指定的面内不设点 not inside the polygons given"))
    return lines


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return "，".join(f"{one} {number:,.10g}" for one, number in sorted(value.items()))
    if isinstance(value, tuple):
        return "，".join(value)
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)


def has_prices(plan: RegionPlan) -> bool:
    """Whether prices were given."""
    return bool(plan.question.asked.sites.price.any())


def prices_of(plan: RegionPlan) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(sites,) prices of the chosen points; 0 for those that exist."""
    return np.asarray(plan.question.asked.sites.price[plan.chosen])


def site_table(plan: RegionPlan) -> pd.DataFrame:
    """One row a chosen point.

    Returns
    -------
    DataFrame
        id, name, kind, new, lon, lat (of its first entrance), covered_people (residents within its limits), uncovered_today (those of them
        who are within the limits of no point today), vehicles (if the model counts them), price (if any were given), instead_of (the
        point whose place it takes).
    """
    sites, at = plan.sites, entrances_of(plan.sites)
    table = pd.DataFrame({"id": sites.id, "name": sites.name, "kind": sites.kind, "new": plan.is_new, "lon": at[:, 0], "lat": at[:, 1]})
    table["covered_people"], table["uncovered_today"] = _people_of_each(plan)
    if plan.counts_vehicles:
        table["vehicles"] = plan.vehicles
    if has_prices(plan):
        table["price"] = prices_of(plan)
    instead = {one.stands: plan.question.places.id[one.stood] for one in plan.moved}
    table["instead_of"] = [instead.get(one, "") for one in plan.chosen.tolist()]
    return table


def _people_of_each(plan: RegionPlan) -> tuple[Floats, Floats]:
    """(sites,) residents of the county within the limits of each chosen point, and those of them who are within no limits today."""
    demand, question = plan.people, plan.question
    covers = question.within[:, plan.chosen].T
    today = np.asarray(question.within[:, np.flatnonzero(question.existing)].sum(axis=1) > 0)
    return covers @ demand, covers @ np.where(today, 0.0, demand)


def equal_table(plan: RegionPlan) -> pd.DataFrame:
    """One row a choice that is exactly as good: its number, the points it leaves out and those it takes instead, by name and id."""
    places = plan.question.places
    name = dict(zip(places.id, places.name, strict=True))
    mine = set(plan.result.sites)

    def named(ids: Iterable[str]) -> str:
        return "，".join(f"{name[one]}（{one}）" for one in sorted(ids))

    table = [
        {"number": n, "without": named(mine - set(other)), "instead": named(set(other) - mine)}
        for n, other in enumerate(plan.result.equal, 1)
    ]
    return pd.DataFrame(table, columns=["number", "without", "instead"])


def before_and_after(plan: RegionPlan) -> pd.DataFrame:
    """Set the tables of a plan side by side: a row as in both, what differs ``_before`` and ``_after``."""
    same = ["row", "zone_id", "zone", "people", "settlements", "old"]
    return plan.before.merge(plan.after, on=same, suffixes=("_before", "_after"), validate="one_to_one")


def site_text(prepared: Prepared, plan: RegionPlan) -> str:
    """Lay out the chosen points, before and after by township, the proof, and what else is to be known, in both languages."""
    mark = f" [{both(ILLUSTRATIVE)}]" if prepared.region.illustrative else ""
    table = columns_text(change_columns(prepared.region.demand, {}), before_and_after(plan))
    before, after = (table["covered_people"].iloc[-1] for table in (plan.before_backstop, plan.after_backstop))
    backstop = f"{plan.backstop_minutes:g} 分钟以内 within {plan.backstop_minutes:g} minutes: {people(before)} → {people(after)}"
    title = f"{prepared.region.name}{mark} · {plan.definition.name_zh} {plan.definition.name_en} · {prepared.region.date}"
    title += f"\n{both(PEOPLE_WORDS)}: {prepared.region.people_source}"
    title += "".join(f"\n{name}: {value}" for name, value in term_lines(plan))
    hour, spread = hour_said(prepared.speeds, plan.definition), range_said(prepared.region.demand)
    said = [both(words) for words in [hour, spread, *people_not_counted(prepared.region)] if words]
    counted = [": ".join(line) for line in (*counted_lines(plan), *lost_lines(plan))]
    parts = [title, _chosen_text(plan), *_given_up(plan), table, *said, "\n".join([backstop, *counted]), "\n".join(proof(plan))]
    parts += ["\n".join(words) for words in plan.notes]
    return "\n\n".join([*parts, *_out_of_reach_text(plan), *_equal_text(plan)]) + "\n"


def shows_vehicles(plan: RegionPlan) -> bool:
    """Whether the number of vehicles says anything."""
    return plan.counts_vehicles


def _chosen_text(plan: RegionPlan) -> str:
    heads = ["", "站点 site", "编码 id", ""]
    lines = [
        [str(n), name, one, both(STATE_WORDS["new" if new else "kept"])]
        for n, (name, one, new) in enumerate(zip(plan.sites.name, plan.sites.id, plan.is_new, strict=True), 1)
    ]
    if shows_vehicles(plan):
        heads.append("车辆 vehicles")
        lines = [[*line, str(vehicles)] for line, vehicles in zip(lines, plan.vehicles, strict=True)]
    if has_prices(plan):
        heads.append("费用 price")
        lines = [[*line, f"{price:,.10g}"] for line, price in zip(lines, prices_of(plan), strict=True)]
    return align(heads, lines)


def given_up_lines(plan: RegionPlan) -> list[tuple[str, str]]:
    """What becomes of existing points that are moved or closed."""
    places = plan.question.places
    name = [f"{name}（{one}）" for name, one in zip(places.name, places.id, strict=True)]
    lines = [("迁址 moved", f"{name[one.stood]} → {name[one.stands]}，{one.km:,.1f} km") for one in plan.moved]
    return lines + [("撤销 closed", f"{name}（{one}）") for name, one in zip(plan.closed.name, plan.closed.id, strict=True)]


def _given_up(plan: RegionPlan) -> list[str]:
    lines = given_up_lines(plan)
    return ["\n".join(f"{what}: {said}" for what, said in lines)] if lines else []


def counted_lines(plan: RegionPlan) -> list[tuple[str, str]]:
    """What is counted, if it is not residents: today, with the plan, and how many there are."""
    if plan.weigh == "residents":
        return []
    asked, question = plan.question.asked, plan.question
    today = np.asarray(question.within[question.counted][:, np.flatnonzero(question.existing)].sum(axis=1) > 0)
    counts = [math.fsum(asked.people[covered]) for covered in (today, plan.covered_after[question.counted])]
    before, after = (f"{people(count)}（{percent(count / plan.result.total)}）" for count in counts)
    return [("符合口径 within the limits", f"{before} → {after}，共 of {people(plan.result.total)} {both(COUNTED[plan.weigh])}")]


def lost_lines(plan: RegionPlan) -> list[tuple[str, str]]:
    """How many residents are within the limits today and no longer with the plan, if any."""
    return [("不再符合口径 no longer within the limits", f"{people(plan.lost_people)} 人 people")] if plan.lost_people > 0 else []


def out_of_reach_said(plan: RegionPlan) -> str:
    """How many places and people no candidate serves within the limits, by cause; "" if there are none."""
    table = plan.out_of_reach
    if table.empty:
        return ""
    causes = [
        f"{both(CAUSES[cause])}: {len(mine):,} 处 places, {people(math.fsum(mine['people']))} 人 people"
        for cause, mine in table.groupby("cause")
    ]
    total = f"{len(table):,} 处 places, {people(math.fsum(table['people']))} 人 people"
    return f"{both(OUT_OF_REACH_WORDS)}: {total}（{'；'.join(causes)}）"


def _out_of_reach_text(plan: RegionPlan) -> list[str]:
    said = out_of_reach_said(plan)
    return [said] if said else []


def equal_said(plan: RegionPlan) -> str:
    """How many other choices are as good; "" where none were looked for."""
    count, complete = len(plan.result.equal), plan.result.equal_complete
    if not count:
        return "没有同样好的其他方案。 No other choice is as good." if complete else ""
    more = "" if complete else "（可能还有 there may be more）"
    return f"{both(EQUAL_WORDS)}: {count:,}{more}"


def _equal_text(plan: RegionPlan) -> list[str]:
    said = equal_said(plan)
    if not plan.result.equal:
        return [said] if said else []
    shown = equal_table(plan).head(MOST_EQUAL)
    lines = [[f"{row.number}", row.without, row.instead] for row in shown.itertuples(index=False)]
    return [f"{said}\n\n{align(['', '换下 without', '换上 instead'], lines)}"]
