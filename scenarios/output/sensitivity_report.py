"""How far a coverage figure moves with its assumptions, as text, tables, JSON, sheets: the widest swing first."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import pandas as pd

from geodata.region import Prepared
from scenarios.output.legend import CHANGE_WORDS, CLASS_WORDS, ILLUSTRATIVE, PEOPLE_WORDS, SPREAD_WORDS, Words, both, range_said
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, percent_range, provenance, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet
from scenarios.output.speed_words import hour_said
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer
from scenarios.sensitivity import POPULATION, SWINGS, TOGETHER, Sensitivity

PARAMETER_WORDS: Final[dict[str, Words]] = {
    "speed": ("全部速度", "every speed"),
    "access_radius_m": ("上路距离", "access radius"),
    "minutes": ("时限（分钟）", "limit in minutes"),
    "metres": ("时限（米）", "limit in metres"),
    "turnout": ("出车时间", "turnout"),
    POPULATION: ("人口分摊", "spread of people"),
    TOGETHER: ("全部同时", "all together"),
}
SIDE_WORDS: Final = {"unfavourable": ("不利", "unfavourable"), "favourable": ("有利", "favourable")}
METHOD: Final[tuple[Words, ...]] = (
    (
        "每次只变一项假定，其余按基准，重新计算全部出行时间与覆盖；“全部同时”把各项不利值（有利值）放在一起。没有外推。",
        "One assumption is varied at a time, everything is computed anew; “all together” takes all values of a side at once.",
    ),
    (
        "全部速度：道路等级、maxspeed、实测和到路一段的速度同乘一个系数。出车时间：口径的与各机构自己的同乘。时间取整到毫秒。",
        "Every speed: by class, tagged, measured, on the leg to the road, times a factor; turnout: of the definition and each facility.",
    ),
    (
        "变动幅度为假定 [M]（速度 ±20 %，上路距离 150／500 米，时限 ±1 分钟或 ±10 %，出车 ±1/3），不是误差的概率。",
        "The swings are assumptions [M] (speed ± 20 %, radius 150 and 500 m, limit ± 1 min or ± 10 %, turnout ± 1/3), no probabilities.",
    ),
    (
        "来源：逐项变动、按幅度排列（龙卷风图），Borgonovo 2017，doi:10.1007/978-3-319-52259-3。",
        "Source: one at a time, the widest first (tornado diagram), Borgonovo 2017, doi:10.1007/978-3-319-52259-3.",
    ),
)
MOST_SHOWN: Final = 5
INNER: Final = "_without_external"
SIDES: Final = tuple(SIDE_WORDS)


def sensitivity_text(prepared: Prepared, service_id: str, result: Sensitivity) -> str:
    """Lay out the assumptions, the widest swing first, and which settlements they decide, in both languages."""
    region, definition = prepared.region, result.definition
    named = prepared.services.service(service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    lines = [
        f"{region.name}{mark} · 敏感性 sensitivity · {title} · {region.date}",
        f"{both(PEOPLE_WORDS)}: {region.people_source}",
        _base_line(result),
        "",
        _parameter_lines(result),
        "",
        *_flip_lines(result),
        "■ 分乡镇，全部同时 by township, all together",
        "",
        _zone_lines(result),
        "",
        *(f"· {both(words)}" for words in _remarks(prepared, result)),
    ]
    return "\n".join(lines) + "\n"


def _base_line(result: Sensitivity) -> str:
    inner = percent(result.share_people_without_external)
    covered = f"{people(result.covered_people)} / {people(result.people)} = {percent(result.share_people)}"
    return f"基准 base: {covered}（不含县外 w/o external {inner}）"


def _parameter_lines(result: Sensitivity) -> str:
    heads = ["假定 assumption", "不利 unfavourable", "基准 base", "有利 favourable", "覆盖人口 covered", "占比 share", "不含县外 w/o ext."]
    heads += ["幅度（百分点） swing", "不利时变动 moved", "有利时变动 moved"]
    table = []
    for row in result.parameters.to_dict("records"):
        low, high = SIDES
        covered = " – ".join(people(row[f"covered_people_{side}"]) for side in SIDES)
        inner = percent_range(row[f"share_people{INNER}_{low}"], row[f"share_people{INNER}_{high}"])
        cells = [both(PARAMETER_WORDS[row["parameter"]]), *_values(row), covered]
        cells += [percent_range(row[f"share_people_{low}"], row[f"share_people_{high}"]), inner, _points(row["swing"])]
        table.append([*cells, *(_moved(row, side) for side in SIDES)])
    return align(heads, table)


def _moved(row: dict[Any, Any], side: str) -> str:
    """Settlements whose answer changes, and their people; none where only the people move."""
    if row["parameter"] == POPULATION:
        return "–"
    return f"{row[f'settlements_{side}']:,.0f} 处 places, {people(row[f'moved_people_{side}'])}"


def _points(swing: float) -> str:
    return "–" if math.isnan(swing) else f"{swing * 100:.1f}"


def _values(row: dict[Any, Any]) -> list[str]:
    """The values of an assumption; ways to spread the people by name."""
    said = [str(row[f"value_{name}"]) for name in ("unfavourable", "base", "favourable")]
    return [SPREAD_WORDS[one][0] for one in said] if row["parameter"] == POPULATION else said


def _flip_lines(result: Sensitivity) -> list[str]:
    """For each assumption that decides settlements, those with most people."""
    lines = []
    for (parameter, side), some in result.flips.groupby(["parameter", "side"], sort=False):
        listed = "、".join(f"{row.name}（{row.zone}，{people(row.people)}）" for row in some.head(MOST_SHOWN).itertuples(index=False))
        more = f" 等 {len(some)} 处" if len(some) > MOST_SHOWN else ""
        lines.append(f"· {both(PARAMETER_WORDS[parameter])}，{both(SIDE_WORDS[side])}: {listed}{more}")
    return ["■ 由假定决定的村居（人口最多的） settlements that an assumption decides, most people first", "", *lines, ""] if lines else []


def _zone_lines(result: Sensitivity) -> str:
    heads = ["乡镇 township", "人口 people", "不利 unfavourable", "基准 base", "有利 favourable"]
    heads += ["不含县外：不利 w/o external", "基准 base", "有利 favourable"]
    table = []
    for row in result.by_zone.to_dict("records"):
        shares = [f"share_people{inner}{end}" for inner in ("", INNER) for end in ("_unfavourable", "", "_favourable")]
        table.append([row["zone"], people(row["people"]), *(percent(row[name]) for name in shares)])
    return align(heads, table)


def _remarks(prepared: Prepared, result: Sensitivity) -> list[Words]:
    """What was done, and what must be known before a figure is believed."""
    hour, spread = hour_said(prepared.speeds, result.definition), range_said(prepared.region.demand)
    return [*METHOD, *(words for words in (hour, spread, *people_not_counted(prepared.region)) if words)]


def sensitivity_json(prepared: Prepared, service_id: str, result: Sensitivity) -> dict[str, Any]:
    """All of it for programs: parameters and sources, the swings, then the tables."""
    figures = ("people", "covered_people", "share_people", "covered_people_without_external", "share_people_without_external")
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "method": {"zh": [zh for zh, _ in METHOD], "en": [en for _, en in METHOD]},
        "swings": {name: {"unfavourable": low, "favourable": high} for name, (low, high) in SWINGS.items()},
        "base": rows(pd.DataFrame([{name: getattr(result, name) for name in figures}]))[0],
        "parameters": rows(result.parameters),
        "flips": rows(result.flips),
        "by_zone": rows(result.by_zone),
    }


def sensitivity_files(prepared: Prepared, service_id: str, result: Sensitivity) -> dict[str, Writer]:
    """Lay out sensitivity.csv, sensitivity_settlements.csv, sensitivity_by_township.csv, sensitivity.xlsx and sensitivity.json."""
    return {
        "sensitivity.csv": csv_writer(result.parameters),
        "sensitivity_settlements.csv": csv_writer(result.flips),
        "sensitivity_by_township.csv": csv_writer(result.by_zone),
        "sensitivity.xlsx": bytes_writer(lambda: write_sheets(prepared, sensitivity_sheets(prepared, service_id, result))),
        "sensitivity.json": json_writer(functools.partial(sensitivity_json, prepared, service_id, result)),
    }


def sensitivity_sheets(prepared: Prepared, service_id: str, result: Sensitivity) -> list[Sheet]:
    """Lay out what the figures mean, then the assumptions, the settlements that they decide, and the townships."""
    title = f"敏感性：{prepared.services.service(service_id).name_zh} · {result.definition.name_zh}"
    about: list[list[Cell]] = [["基准 base", _base_line(result).partition(": ")[2]]]
    about += [["说明 remark", both(words)] for words in METHOD]
    flips = result.flips.assign(
        **{
            "parameter": [both(PARAMETER_WORDS[one]) for one in result.flips["parameter"]],
            "side": [both(SIDE_WORDS[one]) for one in result.flips["side"]],
            "change": [both(CHANGE_WORDS[one]) for one in result.flips["change"]],
            "class": [both(CLASS_WORDS[one]) for one in result.flips["class"]],
        }
    )
    sums = frozenset(at for at, row in enumerate(result.by_zone["row"]) if row != "zone")
    return [
        about_sheet(prepared, {service_id: result.definition}, about),
        Sheet(
            "假定", f"{title} · 假定", tuple(_PARAMETER_COLUMNS.values()), _parameter_cells(result), frozenset({len(result.parameters) - 1})
        ),
        Sheet("村居", f"{title} · 由假定决定的村居", tuple(_FLIP_COLUMNS.values()), _cells(flips, _FLIP_COLUMNS)),
        Sheet("分乡镇", f"{title} · 分乡镇，全部同时", tuple(_ZONE_COLUMNS.values()), _cells(result.by_zone, _ZONE_COLUMNS), sums),
    ]


def _parameter_cells(result: Sensitivity) -> list[list[Cell]]:
    values = ("value_unfavourable", "value_base", "value_favourable")
    table = result.parameters.assign(parameter=[both(PARAMETER_WORDS[one]) for one in result.parameters["parameter"]])
    table[list(values)] = [_values(row) for row in result.parameters.to_dict("records")]
    return _cells(table, _PARAMETER_COLUMNS)


def _cells(table: pd.DataFrame, columns: dict[str, Column]) -> list[list[Cell]]:
    return [[row[key] for key in columns] for row in table.to_dict("records")]


_PARAMETER_COLUMNS: Final = {
    "parameter": Column("假定", "assumption", "text", 26),
    "value_unfavourable": Column("不利值", "unfavourable", "text", 16),
    "value_base": Column("基准值", "base", "text", 16),
    "value_favourable": Column("有利值", "favourable", "text", 16),
    "covered_people_unfavourable": Column("不利时\n覆盖人口", "covered, unfavourable", width=14),
    "covered_people_favourable": Column("有利时\n覆盖人口", "covered, favourable", width=14),
    "share_people_unfavourable": Column("不利时\n覆盖率", "share, unfavourable", "share", 14),
    "share_people_favourable": Column("有利时\n覆盖率", "share, favourable", "share", 14),
    "swing": Column("幅度", "swing", "share"),
    "share_people_without_external_unfavourable": Column("不利时\n（不含县外）", "without external", "share", 14),
    "share_people_without_external_favourable": Column("有利时\n（不含县外）", "without external", "share", 14),
    "settlements_unfavourable": Column("不利时\n变动村居", "places moved", width=14),
    "moved_people_unfavourable": Column("其人口", "their people"),
    "settlements_favourable": Column("有利时\n变动村居", "places moved", width=14),
    "moved_people_favourable": Column("其人口", "their people"),
}
_FLIP_COLUMNS: Final = {
    "name": Column("村居", "place", "text", 20),
    "zone": Column("乡镇", "township", "text", 14),
    "class": Column("类别", "class", "text", 12),
    "people": Column("人口", "people"),
    "parameter": Column("假定", "assumption", "text", 26),
    "side": Column("取值", "value", "text", 18),
    "change": Column("变化", "change", "text", 18),
    "id": Column("编码", "id", "text", 16),
}
_ZONE_COLUMNS: Final = {
    "zone": Column("乡镇", "township", "text", 14),
    "people": Column("人口", "people"),
    "share_people_unfavourable": Column("不利", "unfavourable", "share"),
    "share_people": Column("基准", "base", "share"),
    "share_people_favourable": Column("有利", "favourable", "share"),
    "share_people_without_external_unfavourable": Column("不利\n（不含县外）", "without external", "share", 14),
    "share_people_without_external": Column("基准\n（不含县外）", "without external", "share", 14),
    "share_people_without_external_favourable": Column("有利\n（不含县外）", "without external", "share", 14),
}
