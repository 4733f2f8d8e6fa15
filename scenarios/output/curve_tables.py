"""The curve of a siting question, the build order and the plan by year: as tables, and what is to be said of them in sentences."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from geodata.growth import VARIANT_WORDS
from geodata.region import Prepared
from scenarios.output.legend import Words
from scenarios.output.stage_words import amount, are_people, place_names, stage_unit, stage_words
from scenarios.siting.region.curve import RegionCurve
from scenarios.siting.several.years import FROM_ORDER
from scenarios.siting.worth import REACHED, SAME_SHARE, sense

METHOD: Final[tuple[Words, ...]] = (
    (
        "每个点数各自重新选址，不是在前一步上加点；已有、指定的点计入总数。“增加”“减少”是与少一个点相比。",
        "Every number of points is chosen anew, not added to the step before; kept and forced points count. Gains: over one point fewer.",
    ),
    (
        "拐点：两轴化为 0–1，曲线在首尾连线之上最高处（Kneedle，Satopää 等 2011，doi:10.1109/ICDCSW.2011.20）；随曲线终点变动。",
        "Knee: both axes scaled to 0–1, where the curve is highest above the line between its ends (Kneedle); moves with its end.",
    ),
)
ORDER_METHOD: Final[dict[bool, Words]] = {
    True: (
        "建设次序已证明最优：没有另一种次序使各步之和更好（动态规划，Held 与 Karp 1962，doi:10.1137/0110015）。",
        "The build order is proven: no other one has a better sum over its steps (dynamic programming, Held & Karp 1962).",
    ),
    False: (
        "新点多于 15 个，建设次序每步取当时最好的一个，未证明最优。",
        "There are more than 15 new points: each step takes the best next one; the order is not proven.",
    ),
}
ENDED_WORDS: Final[dict[str, Words]] = {
    "most": ("算到所要求的点数。", "As far as was asked for."),
    "all": ("再加点不会更多。", "More points achieve no more."),
    "candidates": ("候选点已用完。", "The candidates run out."),
    "infeasible": ("再多一个点就不符合要求（间距、费用）。", "One more would break a rule (spacing, budget)."),
    "time": ("到时限停止，后面的点数没有算。", "Stopped at the time limit; larger numbers were not computed."),
    "cancelled": ("已取消，后面的点数没有算。", "Cancelled; larger numbers were not computed."),
}
YEAR_METHOD: Final[Words] = (
    "分年：先建的点不撤；按“人·年”最多来选，每年的人数计到下一个年份为止，末年计 1 年。",
    "By year: what is built stays; the most people-years, each year counting until the next, the last once.",
)
YEAR_FACILITIES: Final[Words] = (
    "分年只推算人口，机构按地区日期；site --year 则按那一年在用的机构，所以与这里的“当年重新选”可以不同。",
    "By year only the people are grown, facilities are of the region's date; site --year takes those in use that year and may differ.",
)


def curve_table(result: RegionCurve) -> pd.DataFrame:
    """One row a number of points: sites, new, status, gap, knee; by stage value, share, bound, gain; what mclp has beside lexicographic."""
    model, total = result.curve.model, math.fsum(result.question.asked.people)
    existing = {one for one, stands in zip(result.question.places.id, result.question.existing, strict=True) if stands}
    names, table, knee = place_names(result.question), [], result.curve.knees[-1] if result.curve.knees else None
    for step in result.curve.steps:
        found = step.result
        row: dict[str, Any] = {"sites": step.sites, "new": len(set(found.sites) - existing), "status": found.status}
        row |= {"gap": math.nan if found.gap is None else found.gap, "knee": step.sites == knee}
        gains = step.gains or (math.nan,) * len(found.stages)
        for stage, gain in zip(found.stages, gains, strict=True):
            unit = stage_unit(result.question, model, stage.name)
            row |= {stage.name: stage.objective / unit, f"{stage.name}_bound": stage.bound / unit, f"{stage.name}_gain": gain / unit}
            row |= {f"{stage.name}_share": stage.objective / total} if are_people(result.question, model, stage.name) and total else {}
        if model == "p-median" and found.stages and found.stages[0].objective:
            row |= {"mean": row["cost"] / found.stages[0].objective}
        if step.plain is not None:
            row |= {"alone_backstop": step.plain_values[0], "alone_limits": step.plain_values[1]}
            row |= {"fewer_limits": step.plain_values[1] - found.stages[1].objective}
            row |= {"more_backstop": found.stages[0].objective - step.plain_values[0]}
        table.append(row | {"site_ids": "，".join(found.sites), "site_names": "，".join(names[one] for one in found.sites)})
    return pd.DataFrame(table)


def order_table(result: RegionCurve) -> pd.DataFrame:
    """One row a step: step, id, name, instead_of, sites; by stage the value, and how much better as many points chosen anew would be."""
    names, model, table = place_names(result.question), result.curve.model, []
    for at, step in enumerate(result.order.steps, 1):
        row: dict[str, Any] = {"step": at, "id": step.site, "name": names[step.site], "instead_of": step.instead or "", "sites": step.sites}
        best = {stage.name: stage.objective for stage in step.best}
        for name, value in zip(result.order.stages, step.stages, strict=True):
            unit = stage_unit(result.question, model, name)
            row |= {name: value / unit, f"{name}_anew": best.get(name, math.nan) / unit}
        table.append(row)
    return pd.DataFrame(table)


def year_table(result: RegionCurve) -> pd.DataFrame:
    """One row a year: year, years, sites, new points; by stage the value, and that of the best plan for the year alone."""
    if result.years is None:
        return pd.DataFrame()
    names, model, table = place_names(result.question), result.curve.model, []
    for one in result.years.milestones:
        row: dict[str, Any] = {"year": one.year, "years": one.years, "sites": len(one.sites), "new": "，".join(names[n] for n in one.new)}
        row["new_ids"] = "，".join(one.new)
        for stage, value in zip(one.best.stages, one.stages, strict=True):
            unit = stage_unit(result.question, model, stage.name)
            row |= {stage.name: value / unit, f"{stage.name}_anew": stage.objective / unit}
        table.append(row)
    return pd.DataFrame(table)


def stages_of(result: RegionCurve) -> list[str]:
    """Names of the stages, the most important first; none where no number of points has a plan."""
    known = [step.result.stages for step in result.curve.steps if step.result.stages]
    return [stage.name for stage in known[0]] if known else []


def curve_said(result: RegionCurve) -> list[Words]:
    """The knee, where the curve ends, and why a stage may fall."""
    curve, stages = result.curve, stages_of(result)
    numbers = [step.sites for step in curve.steps if step.result.stages]
    said = []
    for stage, knee in zip(stages, curve.knees, strict=False):
        zh, en = stage_words(result.question, curve.model, stage)
        if knee is not None:
            words = f"拐点（{zh}）：{knee} 个点，曲线从 {numbers[0]} 到 {numbers[-1]} 个点。"
            said.append((words, f"Knee ({en}): {knee} points, of a curve from {numbers[0]} to {numbers[-1]}."))
        elif stage != REACHED:
            said.append((f"曲线没有拐点（{zh}）。", f"The curve has no knee ({en})."))
    if len({knee for knee in curve.knees if knee is not None}) > 1:
        zh, en = stage_words(result.question, curve.model, stages[-1])
        said.append((f"表中标出的是最后一个目标（{zh}）的拐点。", f"Marked in the table: the knee of the last goal ({en})."))
    said.append(ENDED_WORDS[curve.ended])
    unproven = [step.sites for step in curve.steps if step.result.status == "feasible"]
    if unproven:
        listed = "、".join(map(str, unproven))
        said.append(
            (
                f"未证明最优的点数：{listed}，“差距”是至多还能多出的比例。",
                f"Not proven best: {listed}; the gap is what is possible at most.",
            )
        )
    return said + _price_said(result)


def _price_said(result: RegionCurve) -> list[Words]:
    """lexicographic: the second stage may fall, and what putting the backstop first costs."""
    steps = [step for step in result.curve.steps if step.plain is not None and step.result.stages]
    if not steps:
        return []
    backstop = stage_words(result.question, result.curve.model, "backstop")
    zh = f"先求 {backstop[0]}的人最多是有代价的：与只求符合口径（mclp）的同样点数比，少多少人符合口径、多多少人得到兜底，见末两列。"
    en = (
        f"Putting {backstop[1]} first has a price: against as many points by mclp, how many fewer are within the limits, how many more are "
    )
    said = [(zh, f"{en}{backstop[1]}: the last two columns.")]
    falls = [step.sites for step in steps if step.gains and step.gains[1] < 0]
    if falls:
        listed = "、".join(map(str, falls))
        zh = f"点数为 {listed} 时符合口径的人反而减少：{backstop[0]}的人先求最多，选法整个变了。"
        said.append(
            (zh, f"At {listed} points fewer are within the limits: the most people {backstop[1]} come first and change the whole choice.")
        )
    return said


def order_said(result: RegionCurve) -> list[Words]:
    """Whether the order is proven, and where building on costs most."""
    said = [ORDER_METHOD[result.order.exact]]
    if result.question.asked.sites.fleet is not None:
        zh = "各步的车辆按最终方案停放，尚未建成的点没有车；“重新选”则已有全部车辆。"
        said.append((zh, "At each step vehicles stand as in the final plan, none where nothing is built yet; “chosen anew” has them all."))
    cost = [words for stage in result.order.stages for words in _anew_said(result, stage)]
    if cost:
        return said + cost
    zh, en = "按此次序建设，每一步都与同样点数重新选址一样好。", "Built in this order, every step is as good as as many points chosen anew."
    return [*said, (zh, en)]


def _anew_said(result: RegionCurve, stage: str) -> list[Words]:
    """At which steps a stage is worse than as many points chosen anew; at which it is better, since an earlier goal is worse."""
    table, (zh, en) = order_table(result), stage_words(result.question, result.curve.model, stage)
    known = table[[f"{stage}", f"{stage}_anew", "sites"]].dropna()
    more = {int(n): now - anew for now, anew, n in known.itertuples(index=False) if abs(now - anew) > SAME_SHARE * max(abs(anew), 1.0)}
    better = {n: one for n, one in more.items() if one * sense(result.curve.model, stage) > 0}
    worse = {n: one for n, one in more.items() if n not in better}
    said = []
    if worse:
        word = ("少", "less") if sense(result.curve.model, stage) > 0 else ("多", "more")
        words = f"在已建的点上加点，与同样点数重新选址相比，{zh}{word[0]}：{_listed(worse)[0]}。"
        said.append((words, f"Against as many points chosen anew, {en}, {word[1]}: {_listed(worse)[1]}."))
    if better:
        word = ("多", "more") if sense(result.curve.model, stage) > 0 else ("少", "less")
        words = f"这些步的{zh}反而比重新选址{word[0]}，因为重新选址先顾前面的目标：{_listed(better)[0]}。"
        said.append((words, f"{en}, {word[1]} than chosen anew, which puts an earlier goal first: {_listed(better)[1]}."))
    return said


def _listed(differences: dict[int, float]) -> Words:
    """Differences by number of points, in words."""
    zh = "、".join(f"{number} 个点 {amount(abs(one))}" for number, one in differences.items())
    return zh, ", ".join(f"{number}: {amount(abs(one))}" for number, one in differences.items())


def _order_and_years(result: RegionCurve) -> list[Words]:
    """Why the build order and the plan by year begin with different points, where they do."""
    if result.years is None:
        return []
    built, stands = set(result.order.standing), {}
    for step in result.order.steps:
        built = built - {step.instead} | {step.site}
        stands[step.sites] = set(built)
    if all(set(one.sites) == stands.get(len(one.sites), set(one.sites)) for one in result.years.milestones):
        return []
    most = len(result.years.milestones[-1].sites)
    zh = f"与建设次序不同：建设次序是对 {result.order_sites} 个点的方案排的，各步一样重；"
    zh = f"{zh}分年方案另行选点（末年 {most} 个），按每个年份的年数和人口计。"
    en = f"Differs from the build order: that is of the plan of {result.order_sites} points, each step weighs the same; by year points "
    return [(zh, f"{en}are chosen for the years ({most} in the last), which weigh as many years as they last, with their people.")]


def anew_words(prepared: Prepared) -> Words:
    """Head the figure of the best plan for a year alone: whose facilities it has."""
    return f"当年重新选（机构按 {prepared.region.date}）", f"anew, facilities of {prepared.region.date}"


def year_said(result: RegionCurve) -> list[Words]:
    """What the plan by year comes to, and whether that is proven."""
    if result.years is None:
        return []
    said, years = [YEAR_METHOD, YEAR_FACILITIES, *_order_and_years(result)], result.years
    zh, en = VARIANT_WORDS[result.growth or "central"]
    said.append((f"人口增长取{zh}。", f"Growth of the people: {en}."))
    for stage in years.stages:
        zh, en = stage_words(result.question, result.curve.model, stage.name)
        unit = stage_unit(result.question, result.curve.model, stage.name)
        value, bound = amount(stage.objective / unit), amount(stage.bound / unit)
        people = are_people(result.question, result.curve.model, stage.name)
        unit_zh, unit_en = (" 人·年", "people-years in all") if people else ("，各年乘以年数", "in all, each year times how long it lasts")
        said.append((f"{zh}合计 {value}{unit_zh}（界 {bound}）。", f"{en}: {value} {unit_en} (bound {bound})."))
    if years.method == FROM_ORDER:
        said.append(
            (
                "分年方案取末年最优方案的建设次序，未证明最优。",
                "The plan by year is the last year's best plan in its build order; not proven.",
            )
        )
    elif years.status == "optimal":
        said.append(("已证明：没有另一种只加不撤的分年方案更好。", "Proven: no other plan that takes nothing back is better."))
    return said
