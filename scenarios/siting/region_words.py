"""Why these points: what was proven of a plan on a region, in sentences, Chinese and English."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from scenarios.siting.candidates import Words
from scenarios.siting.models import LEAST
from scenarios.siting.question import Model
from scenarios.siting.region_question import measure_of
from scenarios.siting.weights import COUNTED

if TYPE_CHECKING:
    from scenarios.siting.standby import RegionPlan

MS_PER_MINUTE, MM_PER_M = 60_000, 1000
MODEL_WORDS: Final[dict[Model, Words]] = {
    "lexicographic": ("先保底线、再多覆盖", "first the backstop, then the most covered"),
    "mclp": ("最大覆盖", "maximal covering"),
    "cmclp": ("有能力限制的最大覆盖", "capacitated maximal covering"),
    "lscp": ("最少点全覆盖", "set covering, the fewest points for all"),
    "partial": ("最少点覆盖一定比例", "partial covering, the fewest points for a share"),
    "p-median": ("平均路程最短", "p-median, the least mean way"),
    "p-center": ("最远路程最短", "p-center, the least longest way"),
    "bacop1": ("全覆盖下二次覆盖最多", "backup coverage 1"),
    "bacop2": ("一次与二次覆盖加权", "backup coverage 2"),
    "mexclp": ("期望覆盖最大（考虑车辆繁忙）", "maximal expected covering, with busy vehicles"),
    "dsm": ("双重标准", "double standard"),
}
_GOALS: Final[dict[Model, Words]] = {
    "mclp": ("符合口径的", "people served as the definition asks"),
    "cmclp": ("在能力之内服务到的", "people served within capacity"),
    "lscp": ("把能覆盖的地方全部覆盖所需", "points that cover every place that can be covered"),
    "partial": ("覆盖到所要求的比例所需", "points that cover the share asked for"),
    "p-median": ("平均路程", "the mean way"),
    "p-center": ("最远一处的路程", "the way to the farthest place"),
    "bacop1": ("在能覆盖的地方全部覆盖一次的前提下，覆盖两次的", "people covered twice, every place that can be being covered once"),
    "bacop2": ("一次与二次覆盖加权后的", "people covered, first and second cover weighed"),
    "mexclp": ("预计有空车按时到达的", "people expected to be served by a free vehicle in time"),
    "dsm": ("第一时限内覆盖两次的", "people covered twice within the first limit"),
}


def proof(plan: RegionPlan) -> Words:
    """Say in Chinese and in English why no other points are better, or how far that is from proven."""
    begin_zh, begin_en = _beginning(plan)
    zh, en = _of_backstop(plan) if plan.choice.model == "lexicographic" else _of_goal(plan)
    return begin_zh + zh, begin_en + en


def goal_said(plan: RegionPlan, value: float) -> Words:
    """Write a value of the model's objective with its unit."""
    model, unit = plan.choice.model, COUNTED[plan.weigh]
    if model in {"lscp", "partial"}:
        is_price = any(stage.name == "price" for stage in plan.result.stages)
        return (f"{value:,.10g}（费用）", f"{value:,.10g} (price)") if is_price else (f" {value:,.0f} 个点", f"{value:,.0f}")
    if model not in LEAST:
        return f" {value:,.0f} {unit[0]}", f"{value:,.0f} {unit[1]}"
    by_time = measure_of(plan.definition) == "time"
    shown, units = value / (MS_PER_MINUTE if by_time else MM_PER_M), ("分钟", "minutes") if by_time else ("米", "metres")
    if model == "p-median":
        return f" {_per_head(plan, shown):,.2f} {units[0]}", f"{_per_head(plan, shown):,.2f} {units[1]}"
    if plan.choice.weighted:
        return f" {shown:,.1f} {unit[0]}·{units[0]}", f"{shown:,.1f} {unit[1]} × {units[1]}"
    return f" {shown:,.2f} {units[0]}", f"{shown:,.2f} {units[1]}"


def _per_head(plan: RegionPlan, total: float) -> float:
    """Divide by the people whom the plan has a route to."""
    asked = plan.question.asked
    if asked.cost is None:
        return math.nan
    is_open = asked.sites.background.copy()
    is_open[plan.chosen] = True
    row = np.repeat(np.arange(len(asked.people)), np.diff(asked.cost.indptr))
    people = math.fsum(asked.people[np.unique(row[is_open[asked.cost.indices]])])
    return total / people if people else math.nan


def _beginning(plan: RegionPlan) -> Words:
    """What there was to choose from."""
    result, sites = plan.result, plan.question.asked.sites
    kept, new, total = int((~plan.is_new).sum()), int(plan.is_new.sum()), len(result.sites)
    forced = len(set(result.fixed) & {one for one, is_new in zip(plan.sites.id, plan.is_new, strict=True) if is_new})
    zh = f"从 {plan.candidates} 个候选点中选 {total - len(result.fixed)} 个"
    en = f"{total - len(result.fixed)} "
    is_free = not (plan.closed.id or plan.moved or sites.movable.any() or (plan.question.free & plan.question.existing).any())
    if is_free:
        zh += f"新点（另保留 {kept} 个、指定 {forced} 个，共 {total} 个）"
        en += f"new points out of {plan.candidates} candidates (with {kept} kept and {forced} forced, {total} in all)"
    else:
        gone = len(plan.closed)
        zh += f"点（共 {total} 个：保留 {kept} 个、新设 {new} 个；迁走 {len(plan.moved)} 个、撤销 {gone} 个）"
        en += f"points out of {plan.candidates} candidates ({total} in all: {kept} kept, {new} new; {len(plan.moved)} moved, {gone} closed)"
    if is_free and sites.is_plain:
        choices = f"{math.comb(plan.candidates, total - len(result.fixed)):,}"
        zh, en = f"{zh}，共有 {choices} 种选法。", f"{en}: {choices} choices. "
    else:
        zh, en = f"{zh}。", f"{en}. "
    if plan.background:
        zh += f"另有 {plan.background} 个县外或不公开的站点照常服务，不计入总数。"
        en += f"Another {plan.background} outside the county or not public go on serving and are not counted in the total. "
    return zh, en


def _of_backstop(plan: RegionPlan) -> Words:
    """METHOD's default: how many are beyond the backstop, and how many within the limits."""
    result, minutes, total = plan.result, f"{plan.backstop_minutes:g}", len(plan.result.sites)
    beyond, least = (f"{result.total - people:,.0f}" for people in plan.result.stages[0][1:])
    served, most = f"{result.served:,.0f}", f"{result.bound or math.nan:,.0f}"
    unit, units = COUNTED[plan.weigh]
    if result.status == "optimal":
        zh = (
            f"已证明：任何选法都至少有 {beyond} {unit}在 {minutes} 分钟之外，本方案正是 {beyond} {unit}；"
            f"在做到这一点的选法中，没有一种能让符合口径的超过 {served} {unit}。再没有更好的 {total} 个点。"
        )
        en = (
            f"Proven: every choice leaves at least {beyond} {units} beyond {minutes} minutes, and this one leaves exactly {beyond}; "
            f"of the choices that achieve this, none serves more than {served} {units} as the definition asks. No better choice exists."
        )
        return zh, en
    stopped_zh, stopped_en = _stopped(plan)
    zh = f"{minutes} 分钟之外 {beyond} {unit}（下界 {least}），符合口径 {served} {unit}（上界 {most}）。"
    en = f"{beyond} {units} beyond {minutes} minutes (bound {least}), {served} within the limits (bound {most})."
    return stopped_zh + zh, stopped_en + en


def _of_goal(plan: RegionPlan) -> Words:
    """The other models: what they are about, and that nothing is better, or how much better it could be."""
    result, model = plan.result, plan.choice.model
    goal_zh, goal_en = _GOALS[model]
    value, bound = (goal_said(plan, one) for one in (result.objective or 0.0, result.bound or 0.0))
    words_zh, words_en = f"{goal_zh}{value[0]}", f"{goal_en}: {value[1]}"
    if result.status == "optimal":
        most_zh, most_en = ("更少", "less") if model in LEAST else ("更多", "more")
        zh = f"{words_zh}。已证明：没有一种选法{most_zh}。再没有更好的 {len(result.sites)} 个点。"
        return zh, f"{words_en[:1].upper()}{words_en[1:]}. Proven: no choice gives {most_en}. No better choice exists."
    stopped_zh, stopped_en = _stopped(plan)
    word_zh, word_en = ("不会少于", "no choice gives less than") if model in LEAST else ("不会超过", "no choice gives more than")
    gap = f"{result.gap or 0.0:.1%}"
    zh = f"{stopped_zh}{words_zh}；任何选法都{word_zh}{bound[0]}，至多再好 {gap}。"
    return zh, f"{stopped_en}{words_en}; {word_en} {bound[1]}: at most {gap} better."


def _stopped(plan: RegionPlan) -> Words:
    said: dict[str | None, Words] = {
        "cancelled": ("求解被取消，未证明最优：", "Cancelled, not proven: "),
        "time": ("求解在时限内停止，未证明最优：", "Stopped at the time limit, not proven: "),
    }
    return said.get(plan.result.stopped, ("未证明最优：", "Not proven: "))
