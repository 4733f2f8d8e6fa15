"""Tables of the page about a siting plan: the chosen points, choices that are exactly as good, what each number of points achieves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from geodata.model import Demand
from scenarios.output.curve_tables import curve_table, stages_of
from scenarios.output.legend import STATE_WORDS, Language, Words
from scenarios.output.report import people, percent
from scenarios.output.site_report import equal_table, shows_vehicles, site_table
from scenarios.output.stage_words import STATUS_WORDS, amount, gain_words, stage_words
from scenarios.output.webtables import Head, Row, Table
from scenarios.siting.region.curve import RegionCurve
from scenarios.siting.region.standby import RegionPlan

_POINT_HEADS: Final = (("点", "Point"), ("编码", "Id"), ("", ""), ("代替", "Instead of"), ("车辆", "Vehicles"))
_EQUAL_HEADS: Final = (("", ""), ("换下", "Without"), ("换上", "Instead"))
_SERVED_HEADS: Final = (("时限以内", "Within the limits"), ("{minutes} 分钟以内", "Within {minutes} minutes"))
_PRICE_HEADS: Final[dict[str, Words]] = {
    "fewer_limits": ("先兜底：少符合口径", "Backstop first: fewer within"),
    "more_backstop": ("先兜底：多得到兜底", "more within the backstop"),
}
_KNEE: Final[Words] = ("拐点", "knee")


def points_table(plan: RegionPlan, language: Language) -> Table:
    """One row a chosen point."""
    at, places = language == "en", plan.question.places
    name = dict(zip(places.id, places.name, strict=True))
    shown = [True, True, True, bool(plan.moved), shows_vehicles(plan)]
    rows = []
    for row, vehicles in zip(site_table(plan).itertuples(index=False), plan.vehicles.tolist(), strict=True):
        instead = name.get(row.instead_of, "")
        state = "moved" if row.instead_of else "new" if row.new else "kept"
        cells = (row.name, row.id, STATE_WORDS[state][at], instead, f"{vehicles:,}")
        rows.append(Row(tuple(cell for cell, is_shown in zip(cells, shown, strict=True) if is_shown)))
    heads = [Head(words[at], is_number=words == _POINT_HEADS[-1]) for words, is_shown in zip(_POINT_HEADS, shown, strict=True) if is_shown]
    return Table(tuple(heads), tuple(rows))


def given_up(plan: RegionPlan, language: Language) -> list[str]:
    """What becomes of existing points that are moved or closed."""
    at, places = language == "en", plan.question.places
    name = [f"{name}（{one}）" for name, one in zip(places.name, places.id, strict=True)]
    moved, closed = (STATE_WORDS[one][at] + ("：", ": ")[at] for one in ("moved", "closed"))
    lines = [f"{moved}{name[one.stood]} → {name[one.stands]} · {one.km:,.1f} km" for one in plan.moved]
    return lines + [f"{closed}{name}（{one}）" for name, one in zip(plan.closed.name, plan.closed.id, strict=True)]


def equal_choices(plan: RegionPlan, demand: Demand, language: Language) -> Table:
    """One row a choice that is exactly as good, with its position as the key.

    As good by what the model asks: whom each serves may differ, so each tells its people within the limits and within the backstop.

    Parameters
    ----------
    plan : RegionPlan
    demand : Demand
        Of the region that the plan was made on.
    language : {"zh", "en"}
    """
    at, rows = language == "en", []
    for row, sites in zip(equal_table(plan).itertuples(index=False), plan.result.equal, strict=True):
        counted = (people(one) for one in _served(plan, demand, sites))
        rows.append(Row((f"{row.number}", row.without, row.instead, *counted), f"{row.number - 1}"))
    minutes = f"{plan.backstop_minutes:g}"
    heads = [Head(words[at], is_number=False) for words in _EQUAL_HEADS]
    return Table((*heads, *(Head(words[at].format(minutes=minutes), is_number=True) for words in _SERVED_HEADS)), tuple(rows))


def _served(plan: RegionPlan, demand: Demand, sites: Iterable[str]) -> tuple[float, float]:
    """Residents within the limits, and within the backstop, of some points and of those that serve anyway."""
    question = plan.question
    columns = np.flatnonzero(np.isin(np.array(question.places.id, dtype=object), list(sites)) | question.asked.sites.background)
    reached = (demand.inside & (covers[:, columns].sum(axis=1) > 0) for covers in (question.within, question.within_backstop))
    within, backstop = (math.fsum(demand.people[some]) for some in reached)
    return within, backstop


def curve_steps(curve: RegionCurve, language: Language) -> Table:
    """One row a number of points: what it achieves, stage by stage, and how much more that is than one point fewer."""
    at, stages, table = language == "en", stages_of(curve), curve_table(curve)
    heads = [Head(("点数", "Points")[at], is_number=True)]
    for stage in stages:
        heads += [Head(stage_words(curve.question, curve.curve.model, stage)[at], is_number=True)]
        heads += [Head(("占比", "Share")[at], is_number=True)] if f"{stage}_share" in table else []
        heads += [Head(gain_words(curve.curve.model, stage)[at].capitalize(), is_number=True)]
    heads += [Head(("证明", "Proof")[at], is_number=False), Head("", is_number=False)]
    priced = [(name, words) for name, words in _PRICE_HEADS.items() if name in table]
    heads += [Head(words[at], is_number=True) for _, words in priced]
    rows = []
    for row in table.to_dict("records"):
        cells = [f"{row['sites']}"]
        for stage in stages:
            cells += [_amount(row[stage])]
            cells += [percent(row[f"{stage}_share"])] if f"{stage}_share" in table else []
            cells += [_amount(row[f"{stage}_gain"])]
        gap = f" ≤ {row['gap']:.2%}" if row["status"] == "feasible" else ""
        cells += [STATUS_WORDS[row["status"]][at] + gap, _KNEE[at] if row["knee"] else ""]
        cells += [_amount(row[name]) for name, _ in priced]
        rows.append(Row(tuple(cells)))
    return Table(tuple(heads), tuple(rows))


def _amount(value: float) -> str:
    return "–" if math.isnan(value) else amount(value)
