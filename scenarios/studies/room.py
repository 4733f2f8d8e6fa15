"""Answers about room: supply for people, limited capacity, lanes of surge points."""

from __future__ import annotations

import math
from typing import Final

from coverage.studies.capacity import CapacityResult, capacity
from coverage.studies.capacity import Terms as Room
from coverage.studies.floating import AccessResult, default_steps, floating_access
from coverage.studies.surge import SurgeResult, SurgeTerms, surge
from geodata.errors import OptionError, Problem
from geodata.norms import Norms
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.capacity import people_per_unit
from scenarios.output import access_report, capacity_report, surge_report
from scenarios.output.access_report import SUPPLY_WORDS
from scenarios.output.legend import Words, kind_words
from scenarios.output.report import people, percent
from scenarios.output.time_words import minutes
from scenarios.studies.answer import (
    INNER,
    MOST_NAMED,
    MOST_ROWS,
    Answer,
    Figure,
    Grid,
    amount,
    grid,
    joined,
    listed,
    persons,
    question_notes,
    ranged,
    same,
    shown,
    source_note,
    supply,
    time_said,
    total,
    without,
    word,
    workbook_of,
    zone_grid,
)
from scenarios.studies.terms import Access, Capacity, Surge
from scenarios.studies.words import UNSTATED_WORDS, on_the_page

WAIT_FROM: Final[Words] = (
    "等候上限 30 分钟：江西 2022 年常态化采样 [S]，历史口径",
    "the longest wait, 30 minutes: regular sampling in Jiangxi, 2022 [S], historical",
)
QUEUE: Final = (
    "capacity = lanes × rate × hours; wait W(t) = max(s ≤ t) n[A(t) − A(s)] ÷ (lanes × rate) − (t − s); finish = max(s) s + n[1 − A(s)] ÷ "
    "(lanes × rate); A(t): the share of a point's n people that has come t hours after opening"
)


def access_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition, terms: Access) -> Answer:
    """Say how much supply there is for 1,000 people."""
    result = floating_access(prepared.region, definition, prepared.network_of(definition), supply=terms.supply)
    least = result.by_zone[(result.by_zone["row"] == "zone") & (result.by_zone["people"] > 0)]
    least = least.sort_values([f"per_1000{INNER}", "zone_id"]).head(MOST_NAMED)
    named = listed(f"{row['zone']} {supply(row[f'per_1000{INNER}'])}" for row in least.to_dict("records"))
    columns = [
        shown("人口", "People", "people"),
        shown("每千人（不含县外）", "For 1,000, without external", f"per_1000{INNER}", write=supply),
        shown("可达性比", "Ratio", f"ratio{INNER}", write=supply),
        shown("每千人（含县外）", "With external", "per_1000", write=supply),
        shown("可达性比", "Ratio", "ratio", write=supply),
        shown("无供给人口", "With none", "people_none"),
        shown("占比", "Share", "share_none", write=percent),
        shown("占比（不含县外）", "Share without external", f"share_none{INNER}", write=percent),
    ]
    return Answer(
        _access_figures(prepared, result),
        ((f"每千人最少的乡镇（不含县外）：{named[0]}", f"Townships with the least for 1,000 (without external): {named[1]}"),),
        (zone_grid(columns, result.by_zone),),
        (*question_notes(prepared, definition), *_access_notes(result)),
        *workbook_of(access_report.access_files(prepared, service_id, result)),
    )


def _access_figures(prepared: Prepared, result: AccessResult) -> tuple[Figure, ...]:
    every, what, silent = total(result.by_zone), SUPPLY_WORDS[result.supply], len(result.unstated) + result.unstated_not_shown
    span = ranged(prepared, supply(every[f"per_1000_low{INNER}"]), supply(every[f"per_1000_high{INNER}"]))
    return (
        Figure(
            (f"每千人{what[0]}（不含县外）", f"For 1,000, without external: {what[1]}"),
            same(supply(every[f"per_1000{INNER}"])),
            joined(span, (f"含县外 {supply(every.per_1000)}", f"with external {supply(every.per_1000)}")),
        ),
        Figure(
            ("时限内没有供给的人", "People with none within reach"),
            persons(every.people_none),
            joined(same(percent(every.share_none)), without(percent(every[f"share_none{INNER}"]))),
        ),
        Figure(
            ("供给合计（至少）", "Supply in all, at least") if silent else ("供给合计", "Supply in all"),
            same(supply(result.supply_total)),
            (f"{silent} 个机构未说明，按 0 计", f"{silent} facilities state none and count as 0"),
        ),
    )


def _access_notes(result: AccessResult) -> list[Words]:
    steps = ", ".join(f"≤ {step.minutes:g} min: {step.weight:g}" for step in result.steps)
    outside, (zh, en) = people(result.people_outside), access_report.BEYOND_SAID
    return [
        (f"分段权重：{steps}", f"Weights by time: {steps}"),
        *([access_report.WEIGHTS_FROM] if result.steps == default_steps(result.definition) else []),
        ("；".join(access_report.METHOD[0]), "; ".join(access_report.METHOD[0])),
        access_report.METHOD[1],
        access_report.RATIO_SAID,
        *access_report.unstated_said(result),
        (zh.format(n=outside), en.format(n=outside)),
        source_note(access_report.SOURCES),
    ]


def capacity_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition, terms: Capacity, *, norms: Norms) -> Answer:
    """Say who is served where room is limited."""
    per_unit = people_per_unit(prepared, norms, definition, terms.unit, asked=terms.per_unit)
    result = capacity(prepared.region, definition, prepared.network_of(definition), Room(terms.unit, per_unit.people, terms.unstated))
    columns = [
        shown("人口", "People", "people"),
        shown("得到服务", "Served", "served"),
        shown("占比", "Share", "share_served", write=percent),
        shown("无余量", "No room", "over_capacity"),
        shown("够不到", "Out of reach", "out_of_reach"),
        shown("得到服务（不含县外）", "Served without external", f"served{INNER}"),
        shown("占比（不含县外）", "Share without external", f"share_served{INNER}", write=percent),
    ]
    what, said, room = SUPPLY_WORDS[terms.unit], on_the_page([per_unit.said])[0], f"{per_unit.people:,.6g}"
    notes = [
        (f"能力：{what[0]} × {room} 人；{said.zh}", f"Room: {what[1]} × {room} people; {said.en}"),
        *_unstated_note(result),
        capacity_report.METHOD,
        capacity_report.BEST_SAID,
        capacity_report.SHARED_OUT_SAID,
        capacity_report.GAIN_SAID,
        *capacity_report.ties_said(result),
        capacity_report.OUTSIDE_SAID,
        source_note(capacity_report.SOURCES),
    ]
    return Answer(
        _capacity_figures(prepared, result),
        (_best_place(result),),
        (zone_grid(columns, result.by_zone), *_gain_grid(prepared, result)),
        (*question_notes(prepared, definition), *notes),
        *workbook_of(capacity_report.capacity_files(prepared, service_id, result, per_unit)),
    )


def _capacity_figures(prepared: Prepared, result: CapacityResult) -> tuple[Figure, ...]:
    every = total(result.by_zone)
    labels = {
        "served": ("得到服务", "Served"),
        "over_capacity": ("够得到，但没有余量", "In reach of a place without room"),
        "out_of_reach": ("够不到", "Out of reach"),
    }
    spans = {"served": ranged(prepared, people(result.served_low), people(result.served_high))}
    return tuple(
        Figure(
            label,
            persons(every[name]),
            joined(same(_share(every[name], every.people)), spans.get(name, ("", "")), without(people(every[f"{name}{INNER}"]))),
        )
        for name, label in labels.items()
    )


def _share(part: float, whole: float) -> str:
    return percent(part / whole if whole else math.nan)


def _unstated_note(result: CapacityResult) -> list[Words]:
    if not result.unstated or result.terms.unstated is None:
        return []
    count, (zh, en) = f"{result.unstated:,}", UNSTATED_WORDS[result.terms.unstated]
    return [(f"{count} 个机构未说明能力，{zh}", f"{count} facilities do not state it: they {en}")]


def _best_place(result: CapacityResult) -> Words:
    """Say where one unit more serves most, or that it is the same at several."""
    if ties := capacity_report.ties_said(result):
        return ties[0]
    helped = result.facilities[(result.facilities["gain_one_unit"] > 0) & result.facilities["units"].notna()].head(MOST_NAMED)
    if helped.empty:
        return "再增加能力也不会多服务一人。", "No more room anywhere would serve anybody more."
    named = listed(f"{row.name} +{people(row.gain_one_unit)}" for row in helped.itertuples(index=False))
    return f"多一个单位最有用之处（多服务人数）：{named[0]}", f"Where one more unit serves most (people): {named[1]}"


def _gain_grid(prepared: Prepared, result: CapacityResult) -> list[Grid]:
    helped = result.facilities[(result.facilities["gain_most"] > 0) & result.facilities["units"].notna()].head(MOST_ROWS)
    kinds = kind_words(prepared)
    columns = [
        shown("机构", "Facility", "name", write=str),
        shown("类别", "Kind", "kind", write=word),
        shown("现有单位", "Units", "units", write=amount),
        shown("可服务", "Room", "room"),
        shown("已用", "Used", "load"),
        shown("时限内人口", "In reach", "in_reach"),
        shown("多一个单位", "One more unit", "gain_one_unit"),
        shown("还可增加单位", "Units that help", "units_that_help"),
        shown("共多服务", "People in all", "gain_most"),
    ]
    table = helped.assign(kind=[kinds[kind] for kind in helped["kind"]])
    return [grid(("增加能力最有用之处", "Where more room helps most"), columns, table)] if len(table) else []


def surge_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition, terms: Surge) -> Answer:
    """Say whether surge points are done in time, how long people wait, where lanes are short."""
    if terms.rate is None or terms.hours is None:
        zh, en = "请填写 --rate 与 --hours：没有通行的默认值。", "Fill in --rate and --hours: there is no usual value for either."
        raise OptionError(Problem(zh, en))
    asked = SurgeTerms(rate=terms.rate, hours=terms.hours, share=terms.share, lanes=terms.lanes)
    result = surge(prepared.region, definition, prepared.network_of(definition), asked)
    columns = [
        shown("应检人数", "People", "people"),
        shown("有点可去", "Assigned", "assigned"),
        shown("占比", "Share", "share_assigned", write=percent),
        shown("够不到", "Out of reach", "out_of_reach"),
        shown("所在点按时", "At points in time", "in_time"),
        shown("所在点不久候", "At points that keep the wait", "wait_kept"),
        shown("有点可去（不含县外）", "Assigned without external", f"assigned{INNER}"),
        shown("按时（不含县外）", "In time without external", f"in_time{INNER}"),
    ]
    return Answer(
        _surge_figures(result),
        _surge_findings(result),
        (zone_grid(columns, result.by_zone), *_lane_grid(result)),
        (*question_notes(prepared, definition), *_surge_notes(result)),
        *workbook_of(surge_report.surge_files(prepared, service_id, result)),
    )


def _surge_figures(result: SurgeResult) -> tuple[Figure, ...]:
    every, inner = result.standing, result.standing_without_external
    lost = people(every.out_of_reach)
    return (
        Figure(
            ("关门前做完的人", "Done by closing"),
            persons(every.done),
            joined(
                (f"应检 {people(every.people)}", f"of {people(every.people)}"),
                (f"够不到 {lost}", f"out of reach {lost}"),
                without(people(inner.done)),
            ),
        ),
        Figure(("最长等候", "Longest wait"), time_said(every.worst_wait_min), without(minutes(inner.worst_wait_min))),
        Figure(
            ("还需通道", "Lanes lacking"),
            same(people(every.more_lanes)),
            joined((f"现有 {people(every.lanes)}", f"there are {people(every.lanes)}"), without(people(inner.more_lanes))),
        ),
    )


def _surge_findings(result: SurgeResult) -> tuple[Words, ...]:
    every, last = result.standing, minutes(result.standing.last_finish_h)
    return (
        (
            f"用到 {every.points} 个点：{every.late} 个不能按时，{every.slow} 个有人久候；最后一个点在开放后 {last} 小时做完。",
            f"{every.points} points are used: {every.late} late, {every.slow} with too long a wait; the last is done after {last} hours.",
        ),
        *surge_report.standing_said(result),
    )


def _lane_grid(result: SurgeResult) -> list[Grid]:
    short = result.sites[result.sites["more_lanes"] > 0].head(MOST_ROWS)
    columns = [
        shown("点", "Point", "name", write=str),
        shown("通道", "Lanes", "lanes"),
        shown("村居", "Communities", "communities"),
        shown("人数", "People", "people"),
        shown("能力", "Capacity", "capacity_people"),
        shown("完成（小时）", "Finish, hours", "finish_h", write=minutes),
        shown("最长等候（分）", "Wait, min", "worst_wait_min", write=minutes),
        shown("还需通道", "Lanes lacking", "more_lanes"),
    ]
    return [grid(("通道最缺之处", "Where lanes are shortest"), columns, short)] if len(short) else []


def _surge_notes(result: SurgeResult) -> list[Words]:
    terms = result.terms
    zh = f"每通道每小时 {terms.rate:g} 人 × {terms.hours:g} 小时；受检比例 {terms.share * 100:g} %；均匀到达"
    en = f"{terms.rate:g} people per lane and hour × {terms.hours:g} hours; {terms.share * 100:g} % of the people come, evenly"
    if terms.lanes is not None:
        zh, en = f"{zh}；未说明通道的点按 {terms.lanes} 条", f"{en}; {terms.lanes} lanes where a point states none"
    return [
        (zh, en),
        WAIT_FROM,
        (surge_report.METHOD[0], QUEUE),
        surge_report.ASSIGN_WORDS[terms.assign],
        surge_report.DONE_SAID,
        surge_report.WHOLE_SAID,
        source_note(surge_report.SOURCES),
    ]
