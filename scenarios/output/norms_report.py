"""A region held against norms, as text, tables, JSON, sheets: every figure with its formula, document and standing."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.norms import COVERAGE, Norm
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.norms import UNROUNDED, NormsReport, Timing, required_of, timing
from scenarios.norms import Status as Standing
from scenarios.output.legend import ILLUSTRATIVE, ILLUSTRATIVE_SAID, UNREVIEWED, Words, both
from scenarios.output.report import align, definition_json, people, percent, provenance, rows
from scenarios.output.sheets import Cell, Column, Sheet
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

STATUS_WORDS: Final[dict[Standing, Words]] = {
    "short": ("不足", "short"),
    "unknown": ("无法判断", "cannot be told"),
    "met": ("达到", "met"),
    "none": ("此处不要求", "nothing required here"),
    "no_figure": ("文件未给数值", "the document gives no figure"),
    "reported": ("规划报告的数字（不是要求）", "figures that a plan reports, no requirement"),
}
TIMING_WORDS: Final[dict[Timing, Words]] = {
    "in_force": ("现行", "in force"),
    "due": ("期限未到", "not yet due"),
    "passed": ("期限已到", "due by now"),
    "expired": ("已失效", "expired"),
    "future": ("尚未生效", "not yet in force"),
}
FORCE_WORDS: Final = {
    "binding": ("约束性", "binding"),
    "expected": ("预期性", "expected"),
    "unstated": ("未注明", "not stated"),
    "reported": ("报告", "reported"),
}
CHECKED_WORDS: Final = {"V": ("已读原文", "read"), "S": ("转引", "secondary"), "M": ("待核", "unchecked")}
AREA_WORDS: Final = {"county": ("县", "county"), "district": ("市辖区", "city district")}
UNIT_WORDS: Final = {
    "people": ("人", "people"),
    "sites": ("个", "sites"),
    "beds": ("张", "beds"),
    "staff": ("人", "staff"),
    "vehicles": ("辆", "vehicles"),
    "m2": ("㎡", "m²"),
    "places": ("个", "places"),
    "settlements": ("个村居", "settlements"),
    "calls": ("次", "calls"),
    "townships": ("个乡镇", "townships"),
    "circles": ("个", "circles"),
    "min": ("分钟", "min"),
    "share": ("", ""),
}
MOST_TOWNSHIPS: Final = 5
_PARTS: Final = (*COVERAGE, "turnout")  # shown as a share of their base


def formula(norm: Norm, total: Any, factor: float | None) -> str:  # noqa: ANN401 — a row of pandas
    """How the requirement of the whole is reckoned, with its numbers."""
    if norm.value is None:
        return "–"
    if norm.unit in UNROUNDED:
        return f"{'≤' if norm.sense == 'at_most' else '≥'} {norm.value:g}"
    if norm.measure == "floor_area_each":
        return f"{_number(total['base'])} × (≥ {norm.value:,g} m²)"
    times = f" × {factor:g}" if factor is not None else ""
    per = f" ÷ {'–'.join(f'{one:,g}' for one in sorted(norm.per))}" if norm.per != (1.0,) else ""
    reckoned = f"⌈{norm.value:g} × {_number(total['base'])}{times}{per}⌉"
    return f"Σ 乡镇 {reckoned}" if norm.scope == "township" else reckoned


def totals_table(prepared: Prepared, report: NormsReport) -> pd.DataFrame:
    """One row a norm: what it says, by which document, required, present, shortfall of the whole, and how sure all that is."""
    said = []
    for key, total in report.totals.iterrows():
        norm = report.norms[str(key)]
        figures = {
            name: total[name] for name in ("base", "required", "required_most", "present", "stated", "of", "shortfall", "shortfall_most")
        }
        labels = {
            "key": key,
            "name_zh": norm.name_zh,
            "name_en": norm.name_en,
            "scope": norm.scope,
            "measure": norm.measure,
            "unit": norm.unit,
        }
        said.append(
            labels
            | {"value": math.nan if norm.value is None else norm.value, "per": "–".join(f"{one:g}" for one in sorted(norm.per))}
            | {"formula": formula(norm, total, report.factors.get(str(key)))}
            | figures
            | {"rate": _rate(norm, total), "status": total["status"], "timing": timing(norm, prepared.region.date)}
            | {"force": norm.force, "checked": norm.status, "date": norm.date or "", "by": norm.by or "", "expiry": norm.expiry or ""}
            | {"document": norm.document, "clause": norm.clause, "note": norm.note, "conflicts": " ".join(norm.conflicts)}
            | {"yields_to": norm.yields_to if norm.yields_to in report.norms else ""}
            | {"missing_zh": total["missing_zh"], "missing_en": total["missing_en"]}
        )
    return pd.DataFrame(said)


def _rate(norm: Norm, total: Any) -> float:  # noqa: ANN401 — a row of pandas
    """What is there for every `per` of the base, to be held against the norm's value."""
    if not total["base"] > 0 or len(norm.per) > 1 or (norm.base != "people" and norm.measure not in _PARTS):
        return math.nan
    return float(total["present"] / total["base"] * norm.per[0])


def norms_text(prepared: Prepared, report: NormsReport) -> str:
    """Lay out the norms by how they stand, for people to read, in both languages."""
    region, table = prepared.region, totals_table(prepared, report)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    area, how = AREA_WORDS[report.area.kind], report.area.how
    text = [f"{region.name}{mark} · 标准与规划指标 norms and plan indicators · {region.date} · {region.people_source}"]
    text += [f"按{area[0]}（{how.zh}） as a {area[1]} ({how.en})"]
    text += [_factor_line(report, key) for key in report.factors]
    current = ~table["timing"].isin(["expired", "future"])
    for status, words in STATUS_WORDS.items():
        chosen = table[current & (table["status"] == status)]
        if len(chosen):
            text += ["", f"■ {both(words)}（{len(chosen)}）", ""]
            text += [_waiting(report, chosen) if status == "unknown" else _figures(report, chosen)]
    lapsed = table[~current]
    if len(lapsed):
        text += [
            "",
            f"■ 已失效或尚未生效，仅供参考 expired or not yet in force, for reference（{len(lapsed)}）",
            "",
            _figures(report, lapsed),
        ]
    text += ["", *_township_lines(report, table[current & (table["status"] == "short")]), *_remarks(report)]
    return "\n".join(text).rstrip() + "\n"


def _factor_line(report: NormsReport, key: str) -> str:
    """The visible switch: what the requirement is by one factor and the other."""
    norm, total = report.norms[key], report.totals.loc[key]
    used = report.factors[key]
    asked = ", ".join(f"× {factor:g} → {_at_factor(norm, total['base'], factor)}" for factor in sorted({1.0, norm.county_factor, used}))
    return f"{norm.name_zh}：人口基数 × {used:g}（--ambulance-base） {norm.name_en}: people × {used:g}; {asked}"


def _at_factor(norm: Norm, base: float, factor: float) -> str:
    return _number(float(required_of(norm, np.array([base * factor]), max(norm.per))[0]))


def _figures(report: NormsReport, chosen: pd.DataFrame) -> str:
    heads = [
        "指标 norm",
        "键 key",
        "算式 formula",
        "应有 required",
        "现有 present",
        "缺口 short",
        "每 per",
        "性质 force",
        "依据",
        "年限 by",
    ]
    return align(heads, [_cells(report.norms[row["key"]], row) for row in chosen.to_dict("records")])


def _cells(norm: Norm, row: dict[Any, Any]) -> list[str]:
    unit = UNIT_WORDS[norm.unit][0]
    low = "≥ " if row["stated"] < row["of"] and not math.isnan(row["present"]) else ""
    rate = "–" if math.isnan(row["rate"]) else f"{row['rate']:,.2f} / {max(norm.per):,g}"
    if norm.measure in _PARTS:
        rate = percent(row["rate"])
    most = "" if row["required"] == row["required_most"] or math.isnan(row["required"]) else f"–{_number(row['required_most'])}"
    end = f"{norm.by or norm.expiry or ''}{' ' + TIMING_WORDS[row['timing']][0] if row['timing'] != 'in_force' else ''}".strip()
    wanted = "–" if math.isnan(row["required"]) else f"{_number(row['required'])}{most} {unit}".rstrip()
    there = "–" if math.isnan(row["present"]) else f"{low}{_number(row['present'])}"
    return [
        norm.name_zh,
        row["key"],
        row["formula"],
        wanted,
        there,
        _number(row["shortfall"]),
        rate,
        FORCE_WORDS[norm.force][0],
        norm.status,
        end,
    ]


def _waiting(report: NormsReport, chosen: pd.DataFrame) -> str:
    """What is asked for, and which input is missing to tell."""
    lines = []
    for row in chosen.to_dict("records"):
        norm = report.norms[row["key"]]
        cells = _cells(norm, row)
        at_most = f"；至多缺 at most short {_number(row['shortfall'])}" if not math.isnan(row["shortfall"]) else ""
        lines += [f"· {norm.name_zh} {norm.name_en}（{row['key']}）：应有 required {cells[3]}，现有 present {cells[4]}{at_most}"]
        lines += [f"    缺：{row['missing_zh']}", f"    missing: {row['missing_en']}"]
    return "\n".join(lines)


def _township_lines(report: NormsReport, short: pd.DataFrame) -> list[str]:
    """Where most is lacking, for the norms that can be told township by township."""
    lines = []
    for key in short["key"]:
        norm = report.norms[key]
        mine = report.rows[(report.rows["key"] == key) & (report.rows["row"] == "zone") & (report.rows["shortfall"] > 0)]
        if (norm.scope == "township" or norm.measure in COVERAGE) and len(mine):
            worst = mine.sort_values(["shortfall", "zone_id"], ascending=[False, True]).head(MOST_TOWNSHIPS)
            named = "、".join(f"{row.zone} {_number(row.shortfall)}" for row in worst.itertuples())
            lines.append(f"· {norm.name_zh}：{named}（共 {len(mine)} 个乡镇 townships）")
    return ["■ 缺口最大的乡镇 townships that lack most", "", *lines, ""] if lines else []


def _remarks(report: NormsReport) -> list[str]:
    """Contradictions, which norm comes first, notes, and what was left out."""
    lines = []
    for key, norm in report.norms.items():
        others = [one for one in norm.conflicts if one in report.norms and (key < one or key not in report.norms[one].conflicts)]
        lines += [
            f"· 不一致，均保留 contradiction, both kept: {norm.name_zh} ↔ {report.norms[one].name_zh}（{key}, {one}）" for one in others
        ]
        if norm.yields_to in report.norms:
            first = report.norms[norm.yields_to]
            lines.append(f"· {norm.name_zh}：与“{first.name_zh}”并列，以后者为先 {key}: beside {norm.yields_to}, which comes first")
    if report.elsewhere:
        lines.append(
            f"· 另有 {len(report.elsewhere)} 条属于其他地区或另一类地区，未列 {len(report.elsewhere)} norms of other places left out"
        )
    lines += [
        "· 依据：V 已读原文，S 转引，M 待核 standing: V read in a primary source, S secondary only, M unchecked",
        "· 应有数向上取整；乡镇之和可大于全县数 requirements are rounded up; those of the townships may add up to more than the whole",
        "· 只计县内、当日开放的机构 only facilities inside that are open on the day",
    ]
    notes = dict.fromkeys(f"· {norm.name_zh}：{norm.note}" for norm in report.norms.values() if norm.note)
    return ["■ 说明 remarks", "", *lines, *notes]


def norms_json(prepared: Prepared, report: NormsReport) -> dict[str, Any]:
    """All of it for programs: parameters and sources, the norms with their documents, a row a norm, and the rows by township."""
    used = _definitions(prepared, report)
    said = provenance(prepared, list(used.values()))
    return said | {
        "definitions": {name: definition_json(definition) for name, definition in used.items()},
        "area": {"kind": report.area.kind, "sure": report.area.sure, "zh": report.area.how.zh, "en": report.area.how.en},
        "ambulance_base": report.ambulance_base,
        "factors": report.factors,
        "elsewhere": list(report.elsewhere),
        "norms": rows(totals_table(prepared, report)),
        "by_zone": rows(report.rows),
    }


def _definitions(prepared: Prepared, report: NormsReport) -> dict[str, ServiceDefinition]:
    """The definitions that coverage norms were held by, as far as they exist."""
    asked = {(norm.service, norm.definition) for norm in report.norms.values() if norm.measure in COVERAGE}
    services = prepared.services.services
    known = {f"{service}/{one.id}": one for service, name in sorted(asked) for one in services[service].definitions if one.id == name}
    return dict(sorted(known.items()))


def norms_files(prepared: Prepared, report: NormsReport) -> dict[str, Writer]:
    """Lay out norms.csv, norms_by_township.csv, norms.xlsx and norms.json."""
    return {
        "norms.csv": csv_writer(totals_table(prepared, report)),
        "norms_by_township.csv": csv_writer(report.rows),
        "norms.xlsx": bytes_writer(lambda: write_sheets(prepared, norms_sheets(prepared, report))),
        "norms.json": json_writer(functools.partial(norms_json, prepared, report)),
    }


def norms_sheets(prepared: Prepared, report: NormsReport) -> list[Sheet]:
    """Lay out what the figures mean, a row a norm, and a row a norm and township."""
    table = totals_table(prepared, report)
    named = {key: norm.name_zh for key, norm in report.norms.items()}
    by_zone = report.rows[(report.rows["row"] == "zone") & (report.rows["required"].fillna(0) > 0)]
    figures = ("required", "required_most", "present", "shortfall")
    listed = [
        [
            named[row["key"]],
            row["zone"],
            *(row[name] for name in figures),
            _standing(row["status"]),
            "" if row["held"] else "参考 for comparison",
        ]
        for row in by_zone.to_dict("records")
    ]
    return [
        Sheet(
            "说明",
            "标准与规划指标：说明",
            (Column("项目", "item", "text", 30), Column("内容", "content", "text", 100)),
            _about(prepared, report),
        ),
        Sheet("指标", "标准与规划指标", _TOTAL_COLUMNS, [_sheet_row(report.norms[row["key"]], row) for row in table.to_dict("records")]),
        Sheet("分乡镇", "标准与规划指标：分乡镇", _ZONE_COLUMNS, listed),
    ]


_TOTAL_COLUMNS: Final = (
    Column("指标", "norm", "text", 34),
    Column("算式", "formula", "text", 30),
    *(Column("应有", "required"), Column("应有（上限）", "of the stricter end"), Column("现有", "present"), Column("缺口", "shortfall")),
    Column("单位", "unit", "text", 12),
    Column("判断", "status", "text", 30),
    *(Column("给出数据的机构", "stated by"), Column("应给出的机构", "of")),
    Column("缺什么", "missing", "text", 40),
    *(Column("性质", "force", "text", 14), Column("依据核对", "checked", "text", 14), Column("时效", "timing", "text", 16)),
    Column("达标年", "by", "text", 8),
    *(Column("文件", "document", "text", 40), Column("条文", "clause", "text", 40), Column("备注", "note", "text", 50)),
)
_ZONE_COLUMNS: Final = (
    *(Column("指标", "norm", "text", 34), Column("乡镇", "township", "text", 14)),
    *(Column("应有", "required"), Column("应有（上限）", "of the stricter end"), Column("现有", "present"), Column("缺口", "shortfall")),
    *(Column("判断", "status", "text", 18), Column("参考", "for comparison", "text", 18)),
)


def _sheet_row(norm: Norm, row: dict[Any, Any]) -> list[Cell]:
    both_missing = "\n".join(filter(None, (row["missing_zh"], row["missing_en"])))
    return [
        f"{norm.name_zh}\n{norm.name_en}",
        *(row[name] for name in ("formula", "required", "required_most", "present", "shortfall")),
        *(both(UNIT_WORDS[norm.unit]), _bounded(row), float(row["stated"]), float(row["of"]), both_missing),
        *(both(FORCE_WORDS[norm.force]), both(CHECKED_WORDS[norm.status]), both(TIMING_WORDS[row["timing"]]), str(norm.by or "")),
        *(norm.document, norm.clause, norm.note),
    ]


def _bounded(row: dict[Any, Any]) -> str:
    """The standing, and that a sum which not all facilities state is a lower bound."""
    said = _standing(row["status"])
    partly = row["stated"] < row["of"] and not math.isnan(row["present"])
    return f"{said}\n现有为下限（≥），缺口为至多 present at least, short at most" if partly else said


def _standing(status: Standing) -> str:
    return both(STATUS_WORDS[status])


def _about(prepared: Prepared, report: NormsReport) -> Sequence[Sequence[Cell]]:
    region, area, how = prepared.region, AREA_WORDS[report.area.kind], report.area.how
    lines: list[list[Cell]] = [["地区 region", region.name], ["日期 date", region.date.isoformat()], ["人口 people", region.people_source]]
    lines += [[both(ILLUSTRATIVE), "\n".join(ILLUSTRATIVE_SAID)]] if region.illustrative else []
    lines += [["地区类别 kind of area", f"{both(area)}：{how.zh} {how.en}"]]
    lines += [["人口基数倍数 factor on the people", _factor_line(report, key)] for key in report.factors]
    lines += [["说明 remark", line.removeprefix("· ")] for line in _remarks(report)[2:]]
    return [*lines, ["", both(UNREVIEWED)]]


def _number(value: float) -> str:
    """A figure: whole where it is whole; a dash where it is not known."""
    if np.isnan(value):
        return "–"
    return people(value) if float(value).is_integer() or value >= 100 else f"{value:,.2f}"  # noqa: PLR2004 — parts of a person do not matter
