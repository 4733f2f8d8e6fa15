"""The curve of a siting question, the build order and the plan by year, as text, JSON, files, sheets with a chart."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

from geodata.region import Prepared
from scenarios.output.curve_tables import (
    METHOD,
    anew_words,
    curve_said,
    curve_table,
    order_said,
    order_table,
    stages_of,
    year_said,
    year_table,
)
from scenarios.output.legend import Words, both
from scenarios.output.report import align, definition_json, percent, provenance, rows
from scenarios.output.sheets import Cell, Chart, Column, Sheet, about_sheet, table_sheet
from scenarios.output.stage_words import (
    STATUS_WORDS,
    amount,
    closing_lines,
    gain_words,
    head_lines,
    question_json,
    question_lines,
    said_json,
    stage_unit,
    stage_words,
    stages_json,
)
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer
from scenarios.siting.region.curve import RegionCurve

ORDER_ANEW: Final[Words] = ("同样点数\n重新选", "chosen anew")
CURVE_WORDS: Final = ("建点数曲线", "coverage curve")
WHY_WORDS: Final[dict[str, Words]] = {
    "sites": ("所要求的点数", "as asked for"),
    "most": ("所要求的最大点数", "the most asked for"),
    "knee": ("拐点", "the knee"),
    "end": ("曲线终点", "the end of the curve"),
}


def curve_text(prepared: Prepared, result: RegionCurve) -> str:
    """Lay out the curve, the build order and the years for people to read, in both languages."""
    parts = ["\n".join(head_lines(prepared, result.service_id, result.question, CURVE_WORDS)), _curve_lines(result)]
    parts.append("\n".join(f"· {both(words)}" for words in curve_said(result)))
    if result.order.steps:
        parts += [_order_title(result), _order_lines(result), "\n".join(f"· {both(words)}" for words in order_said(result))]
    if result.years is not None:
        parts += ["■ 分年 by year", _year_lines(result, anew_words(prepared)), "\n".join(f"· {both(words)}" for words in year_said(result))]
    parts.append("\n".join([*(f"· {both(words)}" for words in METHOD), *closing_lines(prepared, result.question)]))
    return "\n\n".join(parts) + "\n"


def _word(result: RegionCurve, stage: str) -> str:
    return both(stage_words(result.question, result.curve.model, stage))


def _curve_lines(result: RegionCurve) -> str:
    table, stages = curve_table(result), stages_of(result)
    heads = ["点数 points", "新点 new"]
    for stage in stages:
        heads += [_word(result, stage), *(["占比 share"] if f"{stage}_share" in table else []), both(gain_words(result.curve.model, stage))]
    heads += ["人均 mean"] if "mean" in table else []
    heads.append("证明 proof")
    priced = "fewer_limits" in table
    if priced:
        heads += ["只求符合口径（mclp）：符合 limits", "兜底 backstop", "先兜底：少符合 fewer", "多兜底 more"]
    lines = []
    for row in table.to_dict("records"):
        line = [f"{row['sites']}{' ◀' if row['knee'] else ''}", str(row["new"])]
        for stage in stages:
            line.append(_shown(row.get(stage)))
            line += [percent(row[f"{stage}_share"])] if f"{stage}_share" in table else []
            line.append(_shown(row.get(f"{stage}_gain")))
        line += [_shown(row["mean"])] if "mean" in table else []
        line.append(_proof(row))
        line += [_shown(row[key]) for key in ("alone_limits", "alone_backstop", "fewer_limits", "more_backstop")] if priced else []
        lines.append(line)
    return align(heads, lines)


def _shown(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else amount(value)


def _proof(row: dict[Any, Any]) -> str:
    said = STATUS_WORDS[row["status"]][0]
    return f"{said}，差距 gap ≤ {row['gap']:.2%}" if row["status"] == "feasible" and not math.isnan(row["gap"]) else said


def _order_title(result: RegionCurve) -> str:
    why = WHY_WORDS[result.order_why]
    return f"■ 建设次序 build order：{result.order_sites} 个点 points（{both(why)}）"


def _order_lines(result: RegionCurve) -> str:
    table = order_table(result)
    moves = bool(table["instead_of"].any())
    stages = result.order.stages
    heads = ["次序 step", "点 point", "编码 id", *(["代替 instead of"] if moves else []), "点数 points"]
    for stage in stages:
        heads += [_word(result, stage), "重新选 chosen anew"]
    units = [stage_unit(result.question, result.curve.model, stage) for stage in stages]
    existing = {one for one, stands in zip(result.question.places.id, result.question.existing, strict=True) if stands}
    closes = existing - set(result.order.standing) - {step.instead for step in result.order.steps}
    closes -= {one for one, anyway in zip(result.question.places.id, result.question.asked.sites.background, strict=True) if anyway}
    named = f"（已撤 less {'，'.join(sorted(closes))}）" if closes else "（现状 as it is）"
    first = ["0", named, "", *([""] if moves else []), str(len(result.order.standing))]
    for value, unit in zip(result.order.before, units, strict=True):
        first += [_shown(value / unit), ""]
    lines = [first]
    for row in table.to_dict("records"):
        line = [str(row["step"]), row["name"], row["id"], *([row["instead_of"]] if moves else []), str(row["sites"])]
        for stage in stages:
            line += [_shown(row[stage]), _shown(row[f"{stage}_anew"])]
        lines.append(line)
    return align(heads, lines)


def _year_lines(result: RegionCurve, anew: Words) -> str:
    table, stages = year_table(result), stages_of(result)
    heads = ["年 year", "点数 points", "新点 new"]
    for stage in stages:
        heads += [_word(result, stage), both(anew)]
    lines = []
    for row in table.to_dict("records"):
        line = [str(row["year"]), str(row["sites"]), row["new"] or "–"]
        for stage in stages:
            line += [_shown(row[stage]), _shown(row[f"{stage}_anew"])]
        lines.append(line)
    return align(heads, lines)


def curve_json(prepared: Prepared, result: RegionCurve) -> dict[str, Any]:
    """All of it for programs: parameters and sources, the curve, the order, the years; wall-clock seconds stand apart."""
    question = result.question
    said = [*METHOD, *curve_said(result), *order_said(result), *year_said(result)]
    order, years = result.order, result.years
    return provenance(prepared, [question.definition]) | {
        "service": result.service_id,
        "definitions": {result.service_id: definition_json(question.definition)},
        "question": question_json(result.service_id, question),
        "model": result.curve.model,
        "stages": stages_json(question, result.curve.model, stages_of(result)),
        "curve": rows(curve_table(result)),
        "ceiling": dict(zip(stages_of(result), result.curve.ceiling, strict=False)),
        "knees": dict(zip(stages_of(result), result.curve.knees, strict=False)),
        "ended": result.curve.ended,
        "build_order": rows(order_table(result)),
        "build_order_of": {"sites": result.order_sites, "why": result.order_why, "proven": order.exact},
        "standing": list(order.standing),
        "by_year": None if years is None else rows(year_table(result)),
        "people_years": None if years is None else [stage._asdict() for stage in years.stages],
        "by_year_status": None if years is None else years.status,
        "by_year_method": None if years is None else years.method,
        "growth": result.growth,
        "said": said_json(said),
        "seconds": round(math.fsum(step.result.seconds for step in result.curve.steps), 3),
    }


def curve_files(prepared: Prepared, result: RegionCurve) -> dict[str, Writer]:
    """Lay out curve.csv, build_order.csv, by_year.csv, curve.xlsx and curve.json; without a table that is empty."""
    tables = {"curve.csv": curve_table(result), "build_order.csv": order_table(result), "by_year.csv": year_table(result)}
    files = {name: csv_writer(table) for name, table in tables.items() if len(table)}
    said = {name: value for name, value in curve_json(prepared, result).items() if name != "seconds"}
    return files | {
        "curve.xlsx": bytes_writer(functools.partial(_workbook, prepared, result)),
        "curve.json": json_writer(lambda: said),
    }


def _workbook(prepared: Prepared, result: RegionCurve) -> bytes:
    return write_sheets(prepared, curve_sheets(prepared, result))


def curve_sheets(prepared: Prepared, result: RegionCurve) -> list[Sheet]:
    """Lay out what the figures mean, the curve with its chart, the build order, the years."""
    title = f"{prepared.services.service(result.service_id).name_zh} · {result.question.definition.name_zh}"
    about: list[list[Cell]] = [list(line) for line in question_lines(result.question)]
    about += [["说明 remark", both(words)] for words in [*METHOD, *curve_said(result), *order_said(result), *year_said(result)]]
    return [
        about_sheet(prepared, {result.service_id: result.question.definition}, about),
        _curve_sheet(result, title),
        *_more_sheets(result, title, anew_words(prepared)),
    ]


def _curve_sheet(result: RegionCurve, title: str) -> Sheet:
    table, stages = curve_table(result), stages_of(result)
    table["status"] = [both(STATUS_WORDS[one]) for one in table["status"]]
    columns = {"sites": Column("点数", "points", width=8), "new": Column("新点", "new", width=8)}
    for stage in stages:
        zh, en = stage_words(result.question, result.curve.model, stage)
        columns[stage] = Column(zh, en, "figure", 14)
        if f"{stage}_share" in table:
            columns[f"{stage}_share"] = Column("占比", "share", "share")
        more_zh, more_en = gain_words(result.curve.model, stage)
        columns[f"{stage}_gain"] = Column(f"比少一点\n{more_zh}", more_en, "figure")
        columns[f"{stage}_bound"] = Column("界", "bound", "figure", 14)
    if "mean" in table:
        columns["mean"] = Column("人均", "mean", "figure")
    columns |= {"status": Column("证明", "proof", "text", 18)}
    if "fewer_limits" in table:
        columns["alone_limits"] = Column("只求符合口径时\n符合口径", "within limits, alone", "figure", 16)
        columns["alone_backstop"] = Column("只求符合口径时\n兜底时限内", "within backstop, alone", "figure", 16)
        columns["fewer_limits"] = Column("先兜底\n少符合口径", "fewer within limits", "figure", 14)
        columns["more_backstop"] = Column("先兜底\n多在时限内", "more within backstop", "figure", 14)
    columns["site_names"] = Column("入选的点", "chosen", "text", 60)
    columns["site_ids"] = Column("编码", "ids", "text", 60)
    keys = list(columns)
    lines = (
        [keys.index(stage) for stage in stages] if len({stage_unit(result.question, result.curve.model, s) for s in stages}) == 1 else []
    )
    knee = [at for at, is_knee in enumerate(table["knee"]) if is_knee]
    chart = (
        Chart("覆盖随点数的变化 by number of points", 0, lines or [keys.index(stages[-1])], knee[0] if knee else None) if stages else None
    )
    sheet = table_sheet("曲线", title, columns, table)
    return Sheet(sheet.name, sheet.title, sheet.columns, sheet.rows, chart=chart)


def _more_sheets(result: RegionCurve, title: str, of_years: Words) -> list[Sheet]:
    sheets = []
    if result.order.steps:
        columns = {
            "step": Column("次序", "step", width=8),
            "name": Column("点", "point", "text", 24),
            "id": Column("编码", "id", "text", 16),
        }
        columns |= {"instead_of": Column("代替", "instead of", "text", 16), "sites": Column("点数", "points", width=8)}
        sheets.append(table_sheet("建设次序", title, columns | _anew(result, list(result.order.stages), ORDER_ANEW), order_table(result)))
    if result.years is not None:
        columns = {
            "year": Column("年", "year", "text", 8),
            "years": Column("计几年", "years", width=8),
            "sites": Column("点数", "points", width=8),
        }
        columns |= {"new": Column("新点", "new", "text", 40), "new_ids": Column("编码", "ids", "text", 30)}
        table = year_table(result)
        table["year"] = table["year"].astype(str)
        sheets.append(table_sheet("分年", title, columns | _anew(result, stages_of(result), of_years), table))
    return sheets


def _anew(result: RegionCurve, stages: list[str], anew: Words) -> dict[str, Column]:
    columns = {}
    for stage in stages:
        zh, en = stage_words(result.question, result.curve.model, stage)
        columns[stage] = Column(zh, en, "figure", 14)
        columns[f"{stage}_anew"] = Column(*anew, "figure", 18)
    return columns
