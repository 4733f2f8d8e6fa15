"""Capacity-limited service as text, tables, JSON, sheets: every figure with its formula and source, with and without external."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

from coverage.studies.capacity import CapacityResult
from geodata.region import Prepared
from scenarios.capacity import PerUnit
from scenarios.output.access_report import SUPPLY_WORDS
from scenarios.output.legend import (
    CLASS_WORDS,
    ILLUSTRATIVE,
    OUTSIDE_WORDS,
    PEOPLE_WORDS,
    RANGE_WORDS,
    Words,
    both,
    kind_words,
    limit_words,
    range_said,
)
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, provenance, round_up, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet, table_sheet
from scenarios.output.speed_words import hour_said
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

METHOD: Final = (
    "先使得到服务的人最多（最大流），再使总出行时间（或距离）最小（运输问题，整数人，最优性逐次核验）",
    "first the most people served (maximum flow), then the least total travel (transportation problem, whole people, proven each time)",
)
SOURCES: Final = "Ford & Fulkerson 1956, doi:10.4153/CJM-1956-045-5; Hoffman & Kruskal, doi:10.1515/9781400881987-014"
UNSTATED_WORDS: Final = {None: ("–", "–"), "none": ("按没有能力计", "count as none"), "unlimited": ("按不受限计", "count as unlimited")}
BEST_SAID: Final = (
    "这是能力所及的上限，不是居民实际去向的预测。",
    "A bound on what the facilities could do, no forecast of who goes where.",
)
SHARED_OUT_SAID: Final = (
    "全县得到服务的总人数是确定的；由哪个乡镇、城镇还是农村得到，则取总数同样多时总出行最少的分法：某乡镇或“农村”少甚至 0 人，不是发现。",
    "Which township, urban or rural, is served follows from least total travel among equally large totals: few or none is no finding.",
)
GAIN_SAID: Final = (
    "“多一个单位”：只在该机构增加、其余不变时，全县多服务的人数（精确）；各机构的数不能相加。",
    "One more unit: people served more in all if only this facility grows (exact); figures of two facilities must not be added up.",
)
OUTSIDE_SAID: Final = (
    "县外居民不占用能力：县外机构以及县界附近机构的能力被高估，请对照“不含县外”。",
    "People outside take no room here: room beyond and near the border is overstated; compare the figures without external.",
)
MOST_SHOWN: Final = 10


def capacity_text(prepared: Prepared, service_id: str, result: CapacityResult, per_unit: PerUnit) -> str:
    """Lay out who is served by township, and where more room serves most, for people to read, in both languages."""
    region, definition = prepared.region, result.definition
    named = prepared.services.service(service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    lines = [
        f"{region.name}{mark} · 能力有限时的服务 service with limited capacity · {title} · {region.date}",
        f"{both(PEOPLE_WORDS)}: {region.people_source}",
        *(f"{head}: {said}" for head, said in _parameters(result, per_unit)),
        "",
        _zone_lines(result),
        both(SHARED_OUT_SAID),
        "",
        _gain_lines(prepared, result),
        "",
        *(f"· {both(words)}" for words in [BEST_SAID, GAIN_SAID, *_remarks(prepared, result)]),
    ]
    return "\n".join(lines) + "\n"


def _parameters(result: CapacityResult, per_unit: PerUnit) -> list[tuple[str, str]]:
    definition, terms = result.definition, result.terms
    unstated = f"；{result.unstated} 个机构未说明 do not state it：{both(UNSTATED_WORDS[terms.unstated])}" if result.unstated else ""
    return [
        ("口径 definition", f"{both(limit_words(definition))}；{definition.source} [{definition.status}]"),
        ("能力 room", f"{both(SUPPLY_WORDS[terms.unit])} × {terms.people_per_unit:,.6g} 人 people{unstated}"),
        ("每单位人数 people per unit", f"{per_unit.said.zh} {per_unit.said.en}"),
        ("算法 method", both(METHOD)),
        ("来源 source", SOURCES),
    ]


def _zone_lines(result: CapacityResult) -> str:
    heads = ["乡镇 township", "人口 people", "得到服务 served", "占比 share", "可达但无余量 over capacity", "够不到 out of reach"]
    heads += ["不含县外：得到服务 w/o external", "占比 share", "无余量 over", "够不到 out"]
    table = []
    for row in result.by_zone.to_dict("records"):
        cells = [row["zone"], people(row["people"])]
        for suffix in ("", "_without_external"):
            cells += [people(row["served" + suffix]), percent(row["share_served" + suffix])]
            cells += [people(row["over_capacity" + suffix]), people(row["out_of_reach" + suffix])]
        table.append(cells)
    return align(heads, table)


def _gain_lines(prepared: Prepared, result: CapacityResult) -> str:
    """Where one more unit serves most, or that none would."""
    helped = result.facilities[result.facilities["gain_most"] > 0]
    if helped.empty:
        return "再增加能力也不会多服务一人。 No more room anywhere would serve anybody more."
    stated = helped[helped["units"].notna()]
    kinds = kind_words(prepared)
    heads = ["机构 facility", "类别 kind", "现有 units", "可服务 room", "已用 load", "时限内人口 in reach", "多一个单位 one more unit"]
    heads += ["还可增加 units that help", "共多服务 people in all"]
    table = []
    for row in stated.head(MOST_SHOWN).itertuples(index=False):
        cells = [row.name, kinds[row.kind][0], f"{row.units:,.10g}", *(people(one) for one in (row.room, row.load, row.in_reach))]
        table.append([*cells, f"+{people(row.gain_one_unit)}", people(row.units_that_help), f"+{people(row.gain_most)}"])
    count = f"{len(stated):,} 个机构 facilities"
    if len(stated) < len(helped):
        count += f"；另有 {len(helped) - len(stated):,} 个未说明能力的见文件 those that do not state it: in the files"
    tied = "".join(f"{both(words)}\n" for words in ties_said(result))
    return f"■ 多一个单位最有用之处 where one more unit serves most（{count}）\n{tied}\n{align(heads, table)}"


def ties_said(result: CapacityResult) -> list[Words]:
    """Say how many facilities one more unit is equally good at, and by what they are listed then; nothing if one is best."""
    gain = result.facilities["gain_most"].clip(upper=result.terms.people_per_unit)  # 121 or 122 people is rounding: room is whole people
    best = result.facilities[(gain == gain.max()) & (gain > 0)]
    if len(best) < 2:  # noqa: PLR2004 — a tie
        return []
    count, silent = f"{len(best):,}", int(best["units"].isna().sum())
    zh, en = (f"（其中 {silent:,} 家未说明能力）", f" ({silent:,} of them state no capacity)") if silent else ("", "")
    return [
        (
            f"{count} 家并列{zh}：再加一个单位，放在哪家都一样（相差 1 人只是取整）。以下按继续增加共能多服务的人数排列。",
            f"{count} tie{en}: one more unit serves as many at any of them (1 more or less is rounding). Listed by what more would serve.",
        )
    ]


def _remarks(prepared: Prepared, result: CapacityResult) -> list[Words]:
    """What must be known before a figure is believed."""
    said: list[Words] = []
    if not math.isnan(result.mean_cost):
        mean = f"{round_up(result.mean_cost):,.1f} 分钟 min" if result.measure == "minutes" else f"{result.mean_cost:,.0f} m"
        said.append((f"得到服务的人平均 {mean}", "on average, of those served"))
    if result.load_not_shown:
        said.append(
            (f"不列名的机构服务 {people(result.load_not_shown)} 人。", f"{people(result.load_not_shown)} are served at places not shown.")
        )
    if result.facilities["external"].any() or (result.by_zone["served"] != result.by_zone["served_without_external"]).any():
        said.append(OUTSIDE_SAID)
    spread = range_said(prepared.region.demand)
    if spread is not None:
        low, high = people(result.served_low), people(result.served_high)
        said.append((f"全县得到服务的人数{RANGE_WORDS[0]}：{low}–{high}。{spread[0]}", f"Served in all: {low}–{high}. {spread[1]}"))
    return [*said, *(words for words in (hour_said(prepared.speeds, result.definition), *people_not_counted(prepared.region)) if words)]


def said_always(result: CapacityResult) -> list[Words]:
    """What the table of townships and that of facilities can and cannot say, where they stand without the text around them."""
    return [BEST_SAID, SHARED_OUT_SAID, GAIN_SAID, *ties_said(result)]


def capacity_json(prepared: Prepared, service_id: str, result: CapacityResult, per_unit: PerUnit) -> dict[str, Any]:
    """All of it for programs: parameters and sources, then the tables."""
    terms = result.terms
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "method": {"zh": METHOD[0], "en": METHOD[1], "sources": SOURCES},
        "unit": terms.unit,
        "people_per_unit": terms.people_per_unit,
        "people_per_unit_source": {"zh": per_unit.said.zh, "en": per_unit.said.en},
        "unstated": {"facilities": result.unstated, "count_as": terms.unstated},
        "remarks": [{"zh": zh, "en": en} for zh, en in said_always(result)],
        "total": rows(result.by_zone[result.by_zone["row"] == "total"])[0],
        "served_low": result.served_low,
        "served_high": result.served_high,
        "load_not_shown": result.load_not_shown,
        "measure": result.measure,
        "mean_cost": None if math.isnan(result.mean_cost) else result.mean_cost,
        "by_zone": rows(result.by_zone),
        "facilities": rows(result.facilities),
        "places": rows(result.places),
    }


def capacity_files(prepared: Prepared, service_id: str, result: CapacityResult, per_unit: PerUnit) -> dict[str, Writer]:
    """Lay out capacity_by_township.csv, capacity.csv (settlements), capacity_facilities.csv, capacity.xlsx and capacity.json."""
    return {
        "capacity_by_township.csv": csv_writer(result.by_zone),
        "capacity.csv": csv_writer(result.places),
        "capacity_facilities.csv": csv_writer(result.facilities),
        "capacity.xlsx": bytes_writer(lambda: write_sheets(prepared, capacity_sheets(prepared, service_id, result, per_unit))),
        "capacity.json": json_writer(functools.partial(capacity_json, prepared, service_id, result, per_unit)),
    }


def capacity_sheets(prepared: Prepared, service_id: str, result: CapacityResult, per_unit: PerUnit) -> list[Sheet]:
    """Lay out what the figures mean, then townships, facilities, settlements."""
    title = f"能力有限时的服务：{prepared.services.service(service_id).name_zh} · {result.definition.name_zh}"
    about: list[list[Cell]] = [list(line) for line in _parameters(result, per_unit)]
    about += [["说明 remark", both(words)] for words in [*said_always(result), *_remarks(prepared, result)]]
    kinds = kind_words(prepared)
    outside = [both(OUTSIDE_WORDS) if one else "" for one in result.facilities["external"]]
    facilities = result.facilities.assign(kind=[both(kinds[kind]) for kind in result.facilities["kind"]], external=outside)
    places = result.places.assign(**{"class": [both(CLASS_WORDS[one]) for one in result.places["class"]]})
    sums = frozenset(at for at, row in enumerate(result.by_zone["row"]) if row != "zone")
    return [
        about_sheet(prepared, {service_id: result.definition}, about),
        table_sheet("分乡镇", title, _ZONE_COLUMNS, result.by_zone, sums),
        table_sheet("机构", title, _FACILITY_COLUMNS, facilities),
        table_sheet("村居", title, _PLACE_COLUMNS, places),
    ]


_PARTS: Final = {
    "served": Column("得到服务", "served"),
    "over_capacity": Column("可达但无余量", "over capacity", width=14),
    "out_of_reach": Column("够不到", "out of reach"),
}
_PARTS_INSIDE: Final = {
    "served_without_external": Column("得到服务\n（不含县外）", "without external", width=14),
    "over_capacity_without_external": Column("可达但无余量\n（不含县外）", "without external", width=16),
    "out_of_reach_without_external": Column("够不到\n（不含县外）", "without external", width=14),
}
_ZONE_COLUMNS: Final = {
    "zone": Column("乡镇", "township", "text", 24),
    "people": Column("人口", "people"),
    **_PARTS,
    "share_served": Column("得到服务占比", "share served", "share", 14),
    **_PARTS_INSIDE,
    "share_served_without_external": Column("占比\n（不含县外）", "without external", "share", 14),
}
_FACILITY_COLUMNS: Final = {
    "name": Column("机构", "facility", "text", 28),
    "kind": Column("类别", "kind", "text", 24),
    "external": Column("县外", "outside", "text", 16),
    "units": Column("现有单位", "units", "figure"),
    "room": Column("可服务人数", "room"),
    "load": Column("已用", "load"),
    "share_used": Column("使用率", "share used", "share"),
    "in_reach": Column("时限内人口\n（机构间重复）", "people in reach (overlaps)", width=16),
    "gain_one_unit": Column("多一个单位\n多服务", "one more unit", width=14),
    "units_that_help": Column("还可增加单位", "units that help", width=14),
    "gain_most": Column("共多服务", "people in all"),
    "load_without_external": Column("已用\n（不含县外）", "load without external", width=14),
    "id": Column("编码", "id", "text", 16),
}
_PLACE_COLUMNS: Final = {
    "name": Column("村居", "place", "text", 20),
    "zone": Column("乡镇", "township", "text", 14),
    "class": Column("类别", "class", "text", 12),
    "people": Column("人口", "people"),
    **_PARTS,
    **_PARTS_INSIDE,
    "id": Column("编码", "id", "text", 16),
}
