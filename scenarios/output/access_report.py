"""Floating catchment accessibility as text, tables, JSON, sheets: every figure with its formula and source, with and without external."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import pandas as pd

from coverage.gaps import CAUSES
from coverage.studies.floating import AccessResult, default_steps
from geodata.region import Prepared
from scenarios.output.legend import CLASS_WORDS, ILLUSTRATIVE, PEOPLE_WORDS, RANGE_WORDS, Words, both, kind_words, range_said
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, provenance, round_up, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet, table_sheet
from scenarios.output.speed_words import hour_said
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

SUPPLY_WORDS: Final[dict[str, Words]] = {
    "capacity": ("规模（床位、㎡等）", "capacity (beds, m² …)"),
    "physicians": ("执业（助理）医师", "physicians"),
    "nurses": ("注册护士", "nurses"),
    "pharmacists": ("药师（士）", "pharmacists"),
    "general_practitioners": ("全科医生", "general practitioners"),
    "tcm_physicians": ("中医类医师", "TCM physicians"),
    "vehicles": ("车辆", "vehicles"),
    "floor_area_m2": ("业务用房面积（㎡）", "floor area (m²)"),
    "childcare_places": ("托位", "childcare places"),
}
METHOD: Final = (
    ("R_j = S_j ÷ Σ_k W_kj P_k", "A_i = Σ_j W_ij R_j"),
    (
        "两步移动搜寻法（E2SFCA）：先把机构 j 的供给 S 分给时限内的加权人口，再把村居 i 够得到的各机构的份额相加；时间按口径的方向单程计",
        "E2SFCA: the supply S of facility j is shared among the weighted people in reach; settlement i adds up the shares; one-way times",
    ),
)
SOURCES: Final = (
    "Luo & Qi 2009, doi:10.1016/j.healthplace.2009.06.002; Luo & Wang 2003, doi:10.1068/b29120;"
    " 可达性比 ratio: Wan et al. 2012, doi:10.1016/j.apgeog.2011.05.001"
)
WEIGHTS_FROM: Final = (
    "默认权重取自 Luo & Qi（0—10、10—20、20—30 分钟：1、0.68、0.22），按口径时限的三等分套用，属假定 [M]",
    "the default weights are those of Luo & Qi (0-10, 10-20, 20-30 minutes), put on thirds of the definition's limit: an assumption [M]",
)
RATIO_SAID: Final = (
    "可达性比 = 本行每千人 ÷ 全县平均：1 为平均，用于县内相互比较；不是达标与否。",
    "Ratio = the row's figure over the county's mean: 1 is average. It compares places with each other and is no norm.",
)
BEYOND_SAID: Final = (
    "县外机构的供给只分给已载入的居民（县外居民 {n} 人）：县外居民没有载入的，含县外的数字偏高，请以“不含县外”为准。",
    "Supply outside is shared only by people in the data ({n} outside). Where others are missing, read the figures without external.",
)
MOST_SHOWN: Final = 10
INNER: Final = "_without_external"


def supply_words(result: AccessResult) -> Words:
    """Name what is shared."""
    return SUPPLY_WORDS[result.supply]


def steps_said(result: AccessResult) -> str:
    """Say the steps of time and their weights."""
    return "，".join(f"≤ {step.minutes:g} min: {step.weight:g}" for step in result.steps)


def access_text(prepared: Prepared, service_id: str, result: AccessResult) -> str:
    """Lay out accessibility by township, and who has none, for people to read, in both languages."""
    region, definition = prepared.region, result.definition
    named = prepared.services.service(service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    lines = [
        f"{region.name}{mark} · 可达性 accessibility · {title} · {region.date}",
        f"{both(PEOPLE_WORDS)}: {region.people_source}",
        *_parameters(result),
        "",
        _zone_lines(prepared, result),
        "",
        *(f"· {both(words)}" for words in [*_remarks(result), *_general(prepared, result)]),
    ]
    return "\n".join(lines) + "\n" + _gap_lines(result)


def _parameters(result: AccessResult) -> list[str]:
    inner = math.fsum(result.by_facility.loc[result.by_facility["external"], "supply"].dropna())
    outside = f"，其中县外 of which outside {_number(inner)}" if inner else ""
    total = "至少 in all at least" if result.unstated or result.unstated_not_shown else " in all"
    return [
        f"供给 supply: {both(supply_words(result))}，合计{total} {_number(result.supply_total)}{outside}",
        f"分段权重 weights by time: {steps_said(result)}",
        f"算法 method: {'；'.join(METHOD[0])} · {both(METHOD[1])}",
        f"来源 source: {SOURCES}",
    ]


def _zone_lines(prepared: Prepared, result: AccessResult) -> str:
    ranged = range_said(prepared.region.demand) is not None
    heads = ["乡镇 township", "人口 people", "每千人（不含县外） per 1,000 w/o external"]
    heads += [both(RANGE_WORDS)] if ranged else []
    heads += [
        "可达性比 ratio",
        "每千人（含县外） with external",
        "比 ratio",
        "无供给人口 none in reach",
        "占比 share",
        "不含县外 w/o external",
    ]
    table = []
    for row in result.by_zone.to_dict("records"):
        cells = [row["zone"], people(row["people"]), _figure(row["per_1000" + INNER])]
        cells += [_range(row["per_1000_low" + INNER], row["per_1000_high" + INNER])] if ranged else []
        cells += [_figure(row["ratio" + INNER]), _figure(row["per_1000"]), _figure(row["ratio"])]
        table.append([*cells, people(row["people_none"]), percent(row["share_none"]), percent(row["share_none" + INNER])])
    return align(heads, table)


def _remarks(result: AccessResult) -> list[Words]:
    """What must be known of these figures before they are believed."""
    said = [RATIO_SAID, *([WEIGHTS_FROM] if result.steps == default_steps(result.definition) else [])]
    outside = result.by_facility[result.by_facility["external"] & (result.by_facility["supply"] > 0)]
    if len(outside):
        zh, en = BEYOND_SAID
        said.append((zh.format(n=people(result.people_outside)), en.format(n=people(result.people_outside))))
    if lost := result.supply_total - result.supply_in_reach:
        said.append((f"够不到任何人的供给：{_number(lost)}。", f"Supply that reaches nobody: {_number(lost)}."))
    return [*said, *unstated_said(result)]


def unstated_said(result: AccessResult) -> list[Words]:
    """Say how many facilities state no supply, of those not listed only their number; nothing if all do."""
    count, hidden, (zh, en) = len(result.unstated), result.unstated_not_shown, SUPPLY_WORDS[result.supply]
    named, least = "、".join(result.unstated[:5]), ("供给合计是至少数。", "The supply in all is at least this.")
    if count and hidden:
        said = f"{count} 个机构没有给出{zh}：{named} 等；另有 {hidden} 家不列名机构未给出。都按 0 计。"
        return [
            (
                said + least[0],
                f"{count} facilities do not state {en}, another {hidden} not listed state none: all count as none. {least[1]}",
            )
        ]
    if count:
        said = f"{count} 个机构没有给出{zh}，按 0 计：{named} 等。"
        return [(said + least[0], f"{count} facilities do not state {en} and count as none. {least[1]}")]
    if hidden:
        said = f"{hidden} 家不列名机构未给出{zh}，按 0 计。"
        return [(said + least[0], f"{hidden} not listed state no {en} and count as none. {least[1]}")]
    return []


def _general(prepared: Prepared, result: AccessResult) -> list[Words]:
    """What is said of every study: the hour, the range, who is not counted."""
    hour, spread = hour_said(prepared.speeds, result.definition), range_said(prepared.region.demand)
    return [words for words in (hour, spread, *people_not_counted(prepared.region)) if words]


def _gap_lines(result: AccessResult) -> str:
    if result.gaps.empty:
        return ""
    names = ["聚落 place", "乡镇 township", "人口 people", "原因 cause", "最近的有供给的机构 nearest with supply", "分钟 min"]
    shown = [
        [row.name, row.zone, people(row.people), CAUSES[row.cause][0], row.nearest_name, _minutes(row.nearest_minutes)]
        for row in result.gaps.head(MOST_SHOWN).itertuples(index=False)
    ]
    last = f"{result.steps[-1].minutes:g}"
    lost = f"{len(result.gaps):,} 处 places, {people(result.gaps['people'].sum())} 人 people"
    return f"\n{last} 分钟内没有供给 none within {last} min: {lost}; 人口最多的 {len(shown)} 处 the largest:\n\n{align(names, shown)}\n"


def access_json(prepared: Prepared, service_id: str, result: AccessResult) -> dict[str, Any]:
    """All of it for programs: parameters and sources, then the tables."""
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "method": {"formula": list(METHOD[0]), "zh": METHOD[1][0], "en": METHOD[1][1], "sources": SOURCES},
        "supply": result.supply,
        "steps": [{"minutes": step.minutes, "weight": step.weight} for step in result.steps],
        "supply_total": result.supply_total,
        "supply_in_reach": result.supply_in_reach,
        "unstated": list(result.unstated),
        "unstated_not_shown": result.unstated_not_shown,
        "people_outside": result.people_outside,
        "total": rows(result.by_zone[result.by_zone["row"] == "total"])[0],
        "by_zone": rows(result.by_zone),
        "settlements": rows(result.settlements),
        "facilities": rows(result.by_facility),
        "gaps": rows(result.gaps),
    }


def access_files(prepared: Prepared, service_id: str, result: AccessResult) -> dict[str, Writer]:
    """Lay out access_by_township.csv, access.csv (settlements), access_facilities.csv, access.xlsx and access.json."""
    return {
        "access_by_township.csv": csv_writer(result.by_zone),
        "access.csv": csv_writer(result.settlements),
        "access_facilities.csv": csv_writer(result.by_facility),
        "access.xlsx": bytes_writer(lambda: write_sheets(prepared, access_sheets(prepared, service_id, result))),
        "access.json": json_writer(functools.partial(access_json, prepared, service_id, result)),
    }


def access_sheets(prepared: Prepared, service_id: str, result: AccessResult) -> list[Sheet]:
    """Lay out what the figures mean, then townships, settlements, facilities, and who has none."""
    title = f"可达性：{prepared.services.service(service_id).name_zh} · {result.definition.name_zh} · {supply_words(result)[0]}"
    about: list[list[Cell]] = [_split(line) for line in _parameters(result)]
    about += [["说明 remark", both(words)] for words in _remarks(result)]
    kinds = kind_words(prepared)
    facilities = result.by_facility.assign(kind=[both(kinds[kind]) for kind in result.by_facility["kind"]])
    minutes = [one if math.isnan(one) else round_up(one) for one in result.gaps["nearest_minutes"]]
    causes = [both(CAUSES[cause]) for cause in result.gaps["cause"]]
    gaps = result.gaps.assign(cause=causes, nearest_minutes=minutes, **_class_words(result.gaps))
    sums = frozenset(at for at, row in enumerate(result.by_zone["row"]) if row != "zone")
    return [
        about_sheet(prepared, {service_id: result.definition}, about),
        table_sheet("分乡镇", title, _ZONE_COLUMNS, result.by_zone, sums),
        table_sheet("村居", title, _SETTLEMENT_COLUMNS, result.settlements.assign(**_class_words(result.settlements))),
        table_sheet("机构", title, _FACILITY_COLUMNS, facilities),
        table_sheet("无供给", title, _GAP_COLUMNS, gaps),
    ]


def _class_words(table: pd.DataFrame) -> dict[str, list[str]]:
    return {"class": [both(CLASS_WORDS[one]) for one in table["class"]]}


def _split(line: str) -> list[Cell]:
    head, _, rest = line.partition(": ")
    return [head, rest]


_PLACE: Final = {
    "name": Column("村居", "place", "text", 20),
    "zone": Column("乡镇", "township", "text", 14),
    "class": Column("类别", "class", "text", 12),
    "people": Column("人口", "people"),
}
_FIGURES: Final = {
    "per_1000_without_external": Column("每千人\n（不含县外）", "per 1,000 without external", "figure", 16),
    "per_1000_low_without_external": Column("最低\n（不含县外）", "low", "figure"),
    "per_1000_high_without_external": Column("最高\n（不含县外）", "high", "figure"),
    "ratio_without_external": Column("可达性比\n（不含县外）", "ratio without external", "figure", 14),
    "per_1000": Column("每千人\n（含县外）", "per 1,000 with external", "figure", 16),
    "per_1000_low": Column("最低\n（含县外）", "low", "figure"),
    "per_1000_high": Column("最高\n（含县外）", "high", "figure"),
    "ratio": Column("可达性比\n（含县外）", "ratio with external", "figure", 14),
}
_ZONE_COLUMNS: Final = {
    "zone": _PLACE["zone"],
    "people": _PLACE["people"],
    **_FIGURES,
    "people_none": Column("无供给人口", "people with none", width=14),
    "share_none": Column("占比", "share", "share"),
    "people_none_without_external": Column("无供给人口\n（不含县外）", "without external", width=14),
    "share_none_without_external": Column("占比\n（不含县外）", "without external", "share", 14),
}
_SETTLEMENT_COLUMNS: Final = {
    **_PLACE,
    "facilities": Column("够得到的机构", "facilities in reach", width=14),
    **_FIGURES,
    "id": Column("编码", "id", "text", 16),
}
_FACILITY_COLUMNS: Final = {
    "name": Column("机构", "facility", "text", 28),
    "kind": Column("类别", "kind", "text", 24),
    "supply": Column("供给", "supply"),
    "people": Column("时限内人口\n（机构间重复）", "people in reach (overlaps)", width=16),
    "weighted_people": Column("加权人口", "weighted people", width=14),
    "per_1000": Column("每千加权人口", "per 1,000 weighted", "figure", 14),
    "id": Column("编码", "id", "text", 16),
}
_GAP_COLUMNS: Final = {
    **_PLACE,
    "cause": Column("原因", "cause", "text", 50),
    "nearest_name": Column("最近的有供给的机构", "nearest with supply", "text", 26),
    "nearest_minutes": Column("分钟", "minutes", "tenth"),
    "id": Column("编码", "id", "text", 16),
}


def _figure(value: float) -> str:
    """Three digits that count, for doctors as for vehicles: 1,227, 3.78, 0.0152; a dash where nobody lives."""
    if math.isnan(value) or value == 0:
        return "–" if math.isnan(value) else "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _minutes(value: float) -> str:
    return "–" if math.isnan(value) else f"{round_up(value):,.1f}"


def _range(low: float, high: float) -> str:
    first, last = _figure(low), _figure(high)
    return first if first == last else f"{first}–{last}"


def _number(value: float) -> str:
    return f"{value:,.10g}"
