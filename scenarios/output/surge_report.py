"""Surge points as text, tables, JSON, sheets: who goes where, who is done in time, where lanes are short."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any, Final

import pandas as pd

from coverage.studies.surge import MOST_WAIT_MIN, Assign, Standing, SurgeResult
from geodata.region import Prepared
from scenarios.output.legend import CLASS_WORDS, ILLUSTRATIVE, OUTSIDE_WORDS, PEOPLE_WORDS, Words, both, limit_words
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, provenance, round_up, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet, table_sheet
from scenarios.output.speed_words import hour_said
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

METHOD: Final = (
    "能力 = 通道 × 速率 × 小时；等候 W(t) = max(s≤t) n[A(t)−A(s)] ÷ (通道×速率) − (t−s)；完成 = max(s) s + n[1−A(s)] ÷ (通道×速率)",
    "capacity = lanes × rate × hours; A(t) 到达比例: the share of a point's n people that has come t hours after opening 自开放起",
)
SOURCES: Final = "Newell 1982, doi:10.1007/978-94-009-5970-5; Lindley 1952, doi:10.1017/S0305004100027638"
BALANCED_SOURCE: Final = "Lenstra, Shmoys & Tardos 1990, doi:10.1007/BF01585745"
ASSIGN_WORDS: Final[dict[Assign, Words]] = {
    "nearest": ("每个村（社区）整体到时限内最近的点", "each community goes whole to its nearest point"),
    "balanced": (
        "每个村（社区）整体到一个点，使最后完成的点尽早完成，再使总出行最小",
        "each goes whole, the last finish as early as can be",
    ),
}
WAIT_SAID: Final = "排队不超过 30 分钟：江西 2022 年常态化采样 [S]，历史口径 queue at most 30 min: Jiangxi 2022 [S], historical"
DONE_SAID: Final = (
    "“按时”“不久候”按点计：一个点若有人超时，该点的人都不计入；“关门前做完”按人计。",
    "In time and wait kept count whole points: if one person is late there, nobody of the point counts; done by closing counts people.",
)
WHOLE_SAID: Final = (
    "通道数按各点现在分到的人计算；增开点位或改变分派会改变所需通道。",
    "Lanes needed are for the people whom each point has now: other points or another assignment need others.",
)
NO_NIGHT_SAID: Final = (
    "完成与等候的时间是开放后连续计的小时，夜间不停；若夜间关门，请按折合的开放日读。",
    "Finish and wait are hours after opening without a pause at night; if the points close at night, read the days of opening.",
)
STATE_WORDS: Final = {"assigned": ("已分派", "assigned"), "out_of_reach": ("够不到", "out of reach")}
MOST_SHOWN: Final = 12


def surge_text(prepared: Prepared, service_id: str, result: SurgeResult) -> str:
    """Lay out how the points do, by township and point, for people to read, in both languages."""
    region, definition = prepared.region, result.definition
    named = prepared.services.service(service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    lines = [
        f"{region.name}{mark} · 应急点 surge points · {title} · {region.date}",
        f"{both(PEOPLE_WORDS)}: {region.people_source}",
        *(f"{head}: {said}" for head, said in _parameters(result)),
        "",
        _standing_lines(result),
        "",
        _zone_lines(result),
        "",
        _site_lines(result),
        "",
        *(f"· {both(words)}" for words in _remarks(prepared, result)),
    ]
    return "\n".join(lines) + "\n"


def _parameters(result: SurgeResult) -> list[tuple[str, str]]:
    definition, terms = result.definition, result.terms
    come = "均匀到达 evenly" if terms.arrivals is None else f"按小时比例，共 {terms.arrivals.end:g} 小时 by an hourly profile"
    lanes = "" if terms.lanes is None else f"；未说明通道的点按 {terms.lanes} 条 lanes where not stated"
    asked = (
        f"{terms.rate:g} 人/通道·小时 people per lane and hour × {terms.hours:g} 小时 hours；受检比例 share {terms.share:g}；{come}{lanes}"
    )
    return [
        ("口径 definition", f"{both(limit_words(definition))}；{definition.source} [{definition.status}]"),
        ("设定 asked", asked),
        ("等候上限 longest wait", f"{terms.wait_min:g} 分钟 min" + (f"（{WAIT_SAID}）" if terms.wait_min == MOST_WAIT_MIN else "")),
        ("分派 assignment", both(ASSIGN_WORDS[terms.assign])),
        ("算法 method", both(METHOD)),
        ("来源 source", SOURCES + (f"; {BALANCED_SOURCE}" if terms.assign == "balanced" else "")),
    ]


def _standing_lines(result: SurgeResult) -> str:
    """Lay out the whole, with and without external points."""
    shown: dict[str, str] = {
        "people": "应检人数 people",
        "assigned": "有点可去 assigned",
        "out_of_reach": "够不到 out of reach",
        "done": "关门前做完 done by closing",
        "in_time": "所在点按时完成 at points in time",
        "wait_kept": "所在点不久候 at points that keep the wait",
        "points": "用到的点 points used",
        "late": "其中不能按时 late",
        "slow": "其中久候 wait too long",
        "last_finish_h": "最后完成（开放后小时，中间不停） last finish, hours without a pause",
        "worst_wait_min": "最长等候（分钟） worst wait, min",
        "lanes": "通道 lanes",
        "more_lanes": "还需通道（仅就有点可去的人） more lanes (only for people with a point within reach)",
    }
    both_ways = (result.standing, result.standing_without_external)
    table = [[said, *(_figure(one, name) for one in both_ways)] for name, said in shown.items()]
    if any(one.last_finish_h > result.terms.hours for one in both_ways):
        days = [_days(one, result.terms.hours) for one in both_ways]
        at = list(shown).index("last_finish_h") + 1
        table.insert(at, [f"折合开放日（每天 {result.terms.hours:g} 小时） in days of opening", *days])
    laid_out = align(["全县 in all", "含县外 with external", "不含县外 w/o external"], table)
    return "\n".join([laid_out, *(both(words) for words in standing_said(result))])


def _days(standing: Standing, hours: float) -> str:
    return "–" if math.isnan(standing.last_finish_h) else f"{round_up(standing.last_finish_h / hours):,.1f}"


def standing_said(result: SurgeResult) -> list[Words]:
    """Say for whom the lanes are, and that nobody sleeps in the hours until the last one is done."""
    standing = result.standing
    reached, every = people(standing.assigned), people(standing.people)
    said: list[Words] = []
    if standing.assigned < standing.people:
        said.append(
            (
                f"还需通道与完成时间仅就有点可去的 {reached} 人（应检 {every} 人），够不到的人不在内。",
                f"More lanes and the finish are only for the {reached} people (of {every}) who have a point within reach.",
            )
        )
    if standing.last_finish_h > result.terms.hours:
        said.append(NO_NIGHT_SAID)
    return said


def _figure(standing: Standing, name: str) -> str:
    value = getattr(standing, name)
    return ("–" if math.isnan(value) else f"{round_up(value):,.1f}") if name in {"last_finish_h", "worst_wait_min"} else people(value)


def _zone_lines(result: SurgeResult) -> str:
    heads = ["乡镇 township", "人数 people", "有点可去 assigned", "占比 share", "够不到 out of reach", "按时 in time", "不久候 wait kept"]
    heads += ["不含县外：有点可去 w/o external", "占比 share", "按时 in time"]
    table = []
    for row in result.by_zone.to_dict("records"):
        cells = [row["zone"], people(row["people"]), people(row["assigned"]), percent(row["share_assigned"]), people(row["out_of_reach"])]
        cells += [people(row["in_time"]), people(row["wait_kept"]), people(row["assigned_without_external"])]
        table.append([*cells, percent(row["share_assigned_without_external"]), people(row["in_time_without_external"])])
    return align(heads, table)


def _site_lines(result: SurgeResult) -> str:
    """Where lanes are short, or that none is."""
    short = result.sites[result.sites["more_lanes"] > 0]
    if short.empty:
        return "各点通道够用。 No point lacks lanes."
    heads = [
        "点 point",
        "通道 lanes",
        "村居 communities",
        "人数 people",
        "能力 capacity",
        "完成（小时） finish, h",
        "最长等候（分） wait, min",
    ]
    heads += ["按时需 to finish", "不久候需 to keep the wait", "还需 more"]
    table = []
    for row in short.head(MOST_SHOWN).itertuples(index=False):
        cells = [row.name, *(people(one) for one in (row.lanes, row.communities, row.people, row.capacity_people))]
        cells += [f"{round_up(row.finish_h):,.1f}", f"{round_up(row.worst_wait_min):,.1f}"]
        table.append([*cells, *(people(one) for one in (row.lanes_to_finish, row.lanes_to_keep_wait, row.more_lanes))])
    return f"■ 通道不足之处 where lanes are short（{len(short):,} 个点 points）\n\n{align(heads, table)}"


def _remarks(prepared: Prepared, result: SurgeResult) -> list[Words]:
    """What must be known before a figure is believed."""
    said = [DONE_SAID, WHOLE_SAID]
    if result.terms.assign == "balanced" and not math.isnan(result.least_last_finish_h):
        said.append(_bound(result))
    if result.people_not_shown:
        said.append((f"不列名的点有 {people(result.people_not_shown)} 人。", f"{people(result.people_not_shown)} go to points not shown."))
    return [*said, *(words for words in (hour_said(prepared.speeds, result.definition), *people_not_counted(prepared.region)) if words)]


def _bound(result: SurgeResult) -> Words:
    """Whether the assignment is proven to be best."""
    last, least = result.standing.last_finish_h, result.least_last_finish_h
    if math.isclose(last, least):
        return ("已证明：整村分派不可能更早完成。", "Proven: no assignment of whole communities finishes earlier.")
    return (
        f"未证明最优：任何整村分派的最后完成不早于 {least:,.2f} 小时（现为 {last:,.2f}）。",
        f"Not proven best: no assignment finishes before {least:,.2f} h (this one: {last:,.2f}).",
    )


def surge_json(prepared: Prepared, service_id: str, result: SurgeResult) -> dict[str, Any]:
    """All of it for programs: parameters and sources, then the tables."""
    terms = result.terms
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "method": {"zh": METHOD[0], "en": METHOD[1], "sources": SOURCES},
        "asked": {
            "people_per_lane_and_hour": terms.rate,
            "hours": terms.hours,
            "share": terms.share,
            "assign": terms.assign,
            "wait_min": terms.wait_min,
            "lanes_where_not_stated": terms.lanes,
            "arrivals": {"hour": terms.coming.hour.tolist(), "share": terms.coming.share.tolist()},
        },
        "standing": _standing_json(result.standing),
        "standing_without_external": _standing_json(result.standing_without_external),
        "least_last_finish_h": None if math.isnan(result.least_last_finish_h) else result.least_last_finish_h,
        "people_not_shown": result.people_not_shown,
        "remarks": [{"zh": zh, "en": en} for zh, en in standing_said(result)],
        "measure": result.measure,
        "by_zone": rows(result.by_zone),
        "points": rows(result.sites),
        "communities": rows(result.communities),
    }


def _standing_json(standing: Standing) -> dict[str, Any]:
    return rows(pd.DataFrame([dataclasses.asdict(standing)]))[0]


def surge_files(prepared: Prepared, service_id: str, result: SurgeResult) -> dict[str, Writer]:
    """Lay out surge_by_township.csv, surge_points.csv, surge.csv (communities), surge.xlsx and surge.json."""
    return {
        "surge_by_township.csv": csv_writer(result.by_zone),
        "surge_points.csv": csv_writer(result.sites),
        "surge.csv": csv_writer(result.communities),
        "surge.xlsx": bytes_writer(lambda: write_sheets(prepared, surge_sheets(prepared, service_id, result))),
        "surge.json": json_writer(functools.partial(surge_json, prepared, service_id, result)),
    }


def surge_sheets(prepared: Prepared, service_id: str, result: SurgeResult) -> list[Sheet]:
    """Lay out what the figures mean, then townships, points, communities."""
    title = f"应急点：{prepared.services.service(service_id).name_zh} · {result.definition.name_zh}"
    about: list[list[Cell]] = [list(line) for line in _parameters(result)]
    about += [["全县 in all", _standing_lines(result)]]
    about += [["说明 remark", both(words)] for words in _remarks(prepared, result)]
    far = "minutes" if result.measure == "minutes" else "metres"
    sites = result.sites.assign(
        in_time=["是 yes" if done else "否 no" for done in result.sites["in_time"]],
        external=[both(OUTSIDE_WORDS) if one else "" for one in result.sites["external"]],
    )
    communities = result.communities.assign(
        **{
            "class": [both(CLASS_WORDS[one]) for one in result.communities["class"]],
            "state": [both(STATE_WORDS[one]) for one in result.communities["state"]],
            "minutes": [one if math.isnan(one) else round_up(one) for one in result.communities[far]],
        }
    )
    sums = frozenset(at for at, row in enumerate(result.by_zone["row"]) if row != "zone")
    columns = _COMMUNITY_COLUMNS | ({} if far == "minutes" else {"minutes": Column("米", "metres")})
    return [
        about_sheet(prepared, {service_id: result.definition}, about),
        table_sheet("分乡镇", title, _ZONE_COLUMNS, result.by_zone, sums),
        table_sheet("点位", title, _SITE_COLUMNS, sites),
        table_sheet("村居", title, columns, communities),
    ]


_ZONE_COLUMNS: Final = {
    "zone": Column("乡镇", "township", "text", 24),
    "people": Column("应检人数", "people"),
    "assigned": Column("有点可去", "assigned"),
    "share_assigned": Column("占比", "share", "share"),
    "out_of_reach": Column("够不到", "out of reach"),
    "in_time": Column("所在点按时", "in time"),
    "wait_kept": Column("所在点不久候", "wait kept", width=14),
    "assigned_without_external": Column("有点可去\n（不含县外）", "without external", width=14),
    "share_assigned_without_external": Column("占比\n（不含县外）", "without external", "share", 14),
    "in_time_without_external": Column("按时\n（不含县外）", "without external", width=14),
    "wait_kept_without_external": Column("不久候\n（不含县外）", "without external", width=14),
}
_SITE_COLUMNS: Final = {
    "name": Column("点", "point", "text", 28),
    "external": Column("县外", "outside", "text", 16),
    "lanes": Column("通道", "lanes"),
    "communities": Column("村居", "communities"),
    "people": Column("人数", "people"),
    "done": Column("关门前做完", "done by closing", width=14),
    "capacity_people": Column("能力", "capacity"),
    "share_used": Column("使用率", "share used", "share"),
    "in_time": Column("按时", "in time", "text", 10),
    "finish_h": Column("完成\n（开放后小时，不停）", "finish, hours without a pause", "tenth", 18),
    "worst_wait_min": Column("最长等候（分）", "worst wait, min", "tenth", 14),
    "lanes_to_finish": Column("按时需通道", "lanes to finish", width=14),
    "lanes_to_keep_wait": Column("不久候需通道", "lanes to keep the wait", width=16),
    "more_lanes": Column("还需通道", "more lanes"),
    "id": Column("编码", "id", "text", 16),
}
_COMMUNITY_COLUMNS: Final = {
    "name": Column("村居", "community", "text", 20),
    "zone": Column("乡镇", "township", "text", 14),
    "class": Column("类别", "class", "text", 12),
    "people": Column("应检人数", "people"),
    "state": Column("状态", "state", "text", 22),
    "site_name": Column("去向", "point", "text", 28),
    "minutes": Column("分钟", "minutes", "tenth"),
    "id": Column("编码", "id", "text", 16),
}
