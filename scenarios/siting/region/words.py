"""Why these points: what was proven of a plan on a region, in sentences, Chinese and English."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from geodata.errors import first_few
from scenarios.siting.region.question import measure_of
from scenarios.siting.region.weights import COUNTED
from scenarios.siting.words import Units, Words
from scenarios.siting.words import proof as said

if TYPE_CHECKING:
    from scenarios.siting.region.standby import RegionPlan

MS_PER_MINUTE, MM_PER_M = 60_000, 1000


def proof(plan: RegionPlan) -> Words:
    """Say in Chinese and in English why no other points are better, or how far that is from proven."""
    begin_zh, begin_en = _beginning(plan)
    standing = tuple(one for one, is_new in zip(plan.sites.id, plan.is_new, strict=True) if not is_new)
    of_region = replace(plan.result, fixed=standing)  # whatever had to be chosen: new is what does not exist
    zh, en = _of_backstop(plan) if plan.choice.model == "lexicographic" else said(of_region, units_of(plan))
    mind_zh, mind_en = _cut_off(plan)
    return begin_zh + zh + mind_zh, begin_en + en + mind_en


def units_of(plan: RegionPlan) -> Units:
    """How people and costs of a plan are written; costs weighed by people are people times minutes or metres."""
    times = ("人·", "person-") if plan.choice.weighted else ("", "")
    by_time = measure_of(plan.definition) == "time"

    def cost(value: float) -> Words:
        shown = f"{value / MS_PER_MINUTE:,.2f}" if by_time else f"{value / MM_PER_M:,.0f}"
        zh, en = ("分钟", "minutes") if by_time else ("米", "metres")
        return f"{shown} {times[0]}{zh}", f"{shown} {times[1]}{en}"

    return Units(COUNTED[plan.weigh], cost)


def _beginning(plan: RegionPlan) -> Words:
    """What there was to choose from."""
    result, sites = plan.result, plan.question.asked.sites
    kept, new, total = int((~plan.is_new).sum()), int(plan.is_new.sum()), len(result.sites)
    forced = len(set(result.fixed) & {one for one, is_new in zip(plan.sites.id, plan.is_new, strict=True) if is_new})
    zh = f"从 {plan.candidates:,} 个候选点中选 {total - len(result.fixed)} 个"
    en = f"{total - len(result.fixed)} "
    is_free = not (plan.closed.id or plan.moved or sites.movable.any() or (plan.question.free & plan.question.existing).any())
    if is_free:
        zh += f"新点（另保留 {kept} 个、指定 {forced} 个，共 {total} 个）"
        en += f"new points out of {plan.candidates:,} candidates (with {kept} kept and {forced} forced, {total} in all)"
    else:
        moved, gone = len(plan.moved), len(plan.closed)
        zh += f"点（共 {total} 个：保留 {kept} 个、新设 {new - moved} 个、搬迁 {moved} 个；撤销 {gone} 个）"
        en += f"points out of {plan.candidates:,} candidates ({total} in all: {kept} kept, {new - moved} new, {moved} moved; {gone} closed)"
    if is_free and sites.is_plain:
        choices = f"{math.comb(plan.candidates, total - len(result.fixed)):,}"
        zh, en = f"{zh}，共有 {choices} 种选法。", f"{en}: {choices} choices. "
    else:
        zh, en = f"{zh}。", f"{en}. "
    if plan.background:
        zh += f"另有 {plan.background} 个县外或不公开的站点照常服务，不计入总数。"
        en += f"Another {plan.background} outside the county or not public go on serving and are not counted in the total. "
    of_budget = _of_budget(plan)
    return zh + of_budget[0], en + of_budget[1]


def _of_budget(plan: RegionPlan) -> Words:
    """What the choice costs, and that whatever is said of other choices is of those that can be paid for."""
    sites, unit = plan.question.asked.sites, plan.choice.price_unit
    if sites.budget is None:
        return "", ""
    budget, cost = (f"{one:,.10g}{f' {unit}' if unit else ''}" for one in (sites.budget, math.fsum(sites.price[plan.chosen])))
    return (
        f"本方案费用合计 {cost}；以下只与费用合计不超过 {budget}{'' if unit else ' '}的选法相比。",
        f"This choice costs {cost}; what follows compares it with the choices that cost no more than {budget}. ",
    )


def _cut_off(plan: RegionPlan) -> Words:
    """Warn of chosen new points that no road connects with the main network."""
    reached = plan.question.cut_off[plan.chosen]
    alone = [at for at in range(len(plan.chosen)) if plan.is_new[at] and not math.isnan(reached[at])]
    if not alone:
        return "", ""
    unit, units = COUNTED[plan.weigh]
    names = [f"{plan.sites.id[at]} {plan.sites.name[at]}" for at in alone]
    zh = first_few(f"{name}（{reached[at]:,.0f} {unit}）" for name, at in zip(names, alone, strict=True))
    en = first_few(f"{name} ({reached[at]:,.0f} {units})" for name, at in zip(names, alone, strict=True))
    return (
        f"注意：这些新点不与主要路网连通，车辆只能到达附近几处：{zh}。请核对路网，或改选别处。",
        f" Mind: these new points are cut off from the main roads; vehicles there reach only: {en}. Check the roads, or choose elsewhere.",
    )


def _of_backstop(plan: RegionPlan) -> Words:
    """METHOD's default: how many are beyond the backstop, and how many within the limits."""
    result, minutes, total = plan.result, f"{plan.backstop_minutes:g}", len(plan.result.sites)
    beyond, least = (f"{result.total - people:,.0f}" for people in plan.result.stages[0][1:])
    served, most = f"{result.served:,.0f}", f"{result.bound or math.nan:,.0f}"
    unit, units = COUNTED[plan.weigh]
    better = f" {total} 个点" if plan.question.asked.sites.budget is None else "选法"
    if result.status == "optimal":
        zh = (
            f"已证明：任何选法都至少有 {beyond} {unit}在 {minutes} 分钟之外，本方案正是 {beyond} {unit}；"
            f"在做到这一点的选法中，没有一种能让符合口径的超过 {served} {unit}。再没有更好的{better}。"
        )
        en = (
            f"Proven: every choice leaves at least {beyond} {units} beyond {minutes} minutes, and this one leaves exactly {beyond}; "
            f"of the choices that achieve this, none serves more than {served} {units} as the definition asks. No better choice exists."
        )
        return zh, en
    stopped_zh, stopped_en = _stopped(plan)
    more = f"{(result.bound or 0.0) / result.served - 1:.1%}" if result.served else "–"
    zh = f"{minutes} 分钟之外 {beyond} {unit}（下界 {least}），符合口径 {served} {unit}（上界 {most}，至多再多 {more}）。"
    en = f"{beyond} {units} beyond {minutes} minutes (bound {least}), {served} within the limits (bound {most}: at most {more} more)."
    return stopped_zh + zh, stopped_en + en


def _stopped(plan: RegionPlan) -> Words:
    said: dict[str | None, Words] = {
        "cancelled": ("求解被取消，未证明最优：", "Cancelled, not proven: "),
        "time": ("求解在时限内停止，未证明最优：", "Stopped at the time limit, not proven: "),
    }
    return said.get(plan.result.stopped, ("未证明最优：", "Not proven: "))
