"""A replay as text, tables, JSON and sheets: how fast, how many wait, how busy the vehicles are, as they are and after a plan."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import numpy as np
import pandas as pd

from geodata.region import Prepared
from scenarios.call_study import FEW
from scenarios.output.call_report import ENOUGH_SHOWN, FEW_SHOWN
from scenarios.output.legend import BEFORE_AFTER_WORDS, CLASS_WORDS, OUTSIDE_WORDS, both
from scenarios.output.replay_words import (
    CHANGE_WORDS,
    FIGURE_WORDS,
    GROUP_WORDS,
    LANGUAGES,
    NAME,
    asked_said,
    played_json,
    remarks,
    theory_said,
)
from scenarios.output.report import align, definition_json, people, percent, provenance, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet
from scenarios.output.time_words import basis, cause_words, minutes, minutes_cell, study_title
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer
from scenarios.replay.replay import SIDES, Replay

MOST_SHOWN: Final = 10


def replay_text(prepared: Prepared, result: Replay) -> str:
    """Lay out what was played, the figures before and after, the points, and whom nobody reaches, in both languages."""
    said = [*basis(prepared, result.definition), *asked_said(result)]
    parts = [
        study_title(prepared, NAME, result.definition),
        "\n".join(f"{head}：{line}" for head, line in said),
        _figures_text(result),
        "■ 各点 points\n\n" + _points_text(result),
        "\n".join(theory_said(result)),
    ]
    if len(result.unreached):
        parts.append("■ 无车可达 not reached\n\n" + _unreached_text(result))
    parts.append("■ 说明 remarks\n\n" + "\n".join(f"· {zh}\n  {en}" for zh, en in remarks(prepared, result)))
    return "\n\n".join(part for part in parts if part) + "\n"


def shared_figures(result: Replay) -> pd.DataFrame:
    """The figures as they may be shared: of a log none of a class with fewer than five calls."""
    table = result.figures.copy()
    calls = table[table["figure"] == "calls"].set_index("group")["before"]
    few = [group for group, count in calls.items() if result.played.source == "log" and 0 < count < FEW]
    table.loc[table["group"].isin(few), table.columns[2:]] = np.nan
    return table


def shared_unreached(result: Replay) -> pd.DataFrame:
    """The settlements that nobody reaches as they may be shared: of a log "<5" for fewer than five calls."""
    table = result.unreached.copy()
    for column in ("calls_before", "calls_after") if result.played.source == "log" else ():
        calls = result.unreached[column]
        few, rest = (calls > 0) & (calls < FEW), calls[calls >= FEW].sort_values(kind="stable")
        table[column] = calls.astype(object).mask(few, FEW_SHOWN)
        if few.sum() == 1:  # it would be what is left of the sum
            table.loc[rest.index[:1], column] = ENOUGH_SHOWN
    return table


def _columns_shown(result: Replay) -> tuple[str, ...]:
    return SIDES[:1] if result.scenario is None else (*SIDES, "change")


def _figures_text(result: Replay) -> str:
    columns, words = _columns_shown(result), BEFORE_AFTER_WORDS | {"change": CHANGE_WORDS}
    heads = ["", "", *(head for name in columns for head in (both(words[name]), "95 %"))]
    lines = []
    for row in shared_figures(result).to_dict("records"):
        cells = [both(FIGURE_WORDS[row["figure"]]), both(GROUP_WORDS[row["group"]])]
        for name in columns:
            shown = functools.partial(_figure, row["figure"], result, signed=name == "change")
            low, high = shown(row[f"{name}_low"]), shown(row[f"{name}_high"])
            cells += [shown(row[name]), "–" if "–" in (low, high) else f"{low} … {high}"]
        lines.append(cells)
    return align(heads, lines)


def _figure(figure: str, result: Replay, value: float, *, signed: bool) -> str:
    """A figure for people: shares in percent (their change in percentage points), minutes and calls to a tenth, calls of a log whole."""
    if math.isnan(value):
        return "–"
    sign = "+" if signed else ""
    if _is_share(figure):
        return f"{value * 100:{sign}.1f} {'pp' if signed else '%'}"
    whole = figure.endswith("calls") and result.played.source == "log"
    if figure.endswith("minutes") and not signed:
        return minutes(value)
    return f"{value:{sign},.0f}" if whole else f"{value:{sign},.1f}"


def _is_share(figure: str) -> bool:
    return figure.startswith("share") or figure == "utilisation"


def _points_text(result: Replay) -> str:
    heads = ["", "站点 point", "编码 id", "车辆 vehicles", "出车 runs", "占用率 utilisation", "95 %"]
    lines = []
    for row in result.by_point.to_dict("records"):
        name = f"{row['name']}（{both(OUTSIDE_WORDS)}）" if row["external"] else row["name"]
        count = f"{row['vehicles']}{'*' if row['assumed'] else ''}"
        low, high = percent(row["utilisation_low"]), percent(row["utilisation_high"])
        interval = "–" if "–" in (low, high) else f"{low} … {high}"
        figures = [count, people(row["runs"]), percent(row["utilisation"]), interval]
        lines.append([both(BEFORE_AFTER_WORDS[row["side"]]), name, row["id"], *figures])
    if not lines:
        return "没有可列出的站点 no point that may be listed"
    star = "\n* 未写车辆数，按 1 辆 none stated: 1" if result.by_point["assumed"].any() else ""
    return align(heads, lines) + star


def _unreached_text(result: Replay) -> str:
    table, names = shared_unreached(result), _columns_shown(result)[:2]
    heads = ["村居 place", "乡镇 township", "类别 class", "原因 cause", *(both(BEFORE_AFTER_WORDS[name]) for name in names)]
    lines = [
        [
            *(row["name"] or "–", row["zone"] or "–", both(CLASS_WORDS[row["class"]]), cause_words(row["cause"])),
            *(_count(row[f"calls_{name}"], result) for name in names),
        ]
        for row in table.to_dict("records")
    ]
    more = f"\n… 共 {len(lines)} 处 places" if len(lines) > MOST_SHOWN else ""
    return align(heads, lines[:MOST_SHOWN]) + more


def _count(value: str | float, result: Replay) -> str:
    if isinstance(value, str):
        return value
    return people(value) if result.played.source == "log" else f"{value:,.1f}"


def replay_json(prepared: Prepared, service_id: str, result: Replay) -> dict[str, Any]:
    """All of it for programs, with parameters and sources."""
    return provenance(prepared, [result.definition]) | {
        "service": service_id,
        "definitions": {service_id: definition_json(result.definition)},
        "question": _question_json(result),
        "scenario": None if result.scenario is None else result.scenario.model_dump(exclude_none=True),
        "played": played_json(result),
        "fleet": rows(result.fleet),
        "figures": rows(shared_figures(result)),
        "by_point": rows(result.by_point),
        "unreached": rows(shared_unreached(result)),
        "remarks": [dict(zip(LANGUAGES, words, strict=True)) for words in remarks(prepared, result)],
    }


def _question_json(result: Replay) -> dict[str, Any]:
    terms = dict(result.terms.__dict__)
    if result.played.source == "log":  # it has its own days and places, and is played once
        terms = {name: value for name, value in terms.items() if name not in {"days", "runs", "weigh"}}
    return terms | {"dispatch": "nearest free vehicle by time; first come, first served"}


def replay_files(prepared: Prepared, service_id: str, result: Replay) -> dict[str, Writer]:
    """Lay out replay.csv (figures), replay_points.csv, replay_unreached.csv, replay.xlsx and replay.json."""
    return {
        "replay.csv": csv_writer(shared_figures(result)),
        "replay_points.csv": csv_writer(result.by_point),
        "replay_unreached.csv": csv_writer(shared_unreached(result)),
        "replay.xlsx": bytes_writer(lambda: write_sheets(prepared, _sheets(prepared, service_id, result))),
        "replay.json": json_writer(functools.partial(replay_json, prepared, service_id, result)),
    }


def _sheets(prepared: Prepared, service_id: str, result: Replay) -> list[Sheet]:
    title = f"120 回放：{result.definition.name_zh}"
    about: list[list[Cell]] = [[head, line] for head, line in asked_said(result)]
    about += [["说明 remark", both(words)] for words in remarks(prepared, result)]
    return [
        about_sheet(prepared, {service_id: result.definition}, about),
        Sheet("指标", title, _figure_columns(result), _figure_rows(result)),
        Sheet("各点", title, _POINT_COLUMNS, _point_rows(result)),
        Sheet("无车可达", title, _unreached_columns(result), _unreached_rows(result)),
    ]


def _figure_columns(result: Replay) -> list[Column]:
    words = BEFORE_AFTER_WORDS | {"change": CHANGE_WORDS}
    columns = [Column("指标", "figure", "text", 34), Column("类别", "class", "text", 12)]
    for name in _columns_shown(result):
        columns += [Column(*words[name], "tenth"), Column("95 % 下限", "low", "tenth"), Column("95 % 上限", "high", "tenth")]
    return columns


def _figure_rows(result: Replay) -> list[list[Cell]]:
    """A column holds calls, minutes and shares alike: shares in percent, as their names then say."""
    lines: list[list[Cell]] = []
    for row in shared_figures(result).to_dict("records"):
        figure, share = row["figure"], _is_share(row["figure"])
        cells: list[Cell] = [both(FIGURE_WORDS[figure]) + (" %" if share else ""), both(GROUP_WORDS[row["group"]])]
        for name in _columns_shown(result):
            values = [row[f"{name}{suffix}"] * (100 if share else 1) for suffix in ("", "_low", "_high")]
            cells += [minutes_cell(value) if figure.endswith("minutes") and name != "change" else value for value in values]
        lines.append(cells)
    return lines


_POINT_COLUMNS: Final = (
    *(Column("状态", "state", "text", 12), Column("站点", "point", "text", 28), Column("编码", "id", "text", 16)),
    *(Column("县外", "outside", "text", 8), Column("车辆", "vehicles"), Column("未写\n按 1 辆", "assumed", "text", 10)),
    *(Column("出车", "runs"), Column("占用率", "utilisation", "share"), Column("95 % 下限", "low", "share")),
    Column("95 % 上限", "high", "share"),
)


def _point_rows(result: Replay) -> list[list[Cell]]:
    said = {True: "是 yes", False: "否 no"}
    return [
        [
            *(both(BEFORE_AFTER_WORDS[row["side"]]), row["name"], row["id"], said[row["external"]], row["vehicles"]),
            *(said[row["assumed"]], row["runs"], row["utilisation"], row["utilisation_low"], row["utilisation_high"]),
        ]
        for row in result.by_point.to_dict("records")
    ]


def _unreached_columns(result: Replay) -> list[Column]:
    columns = [Column("村居", "place", "text", 20), Column("乡镇", "township", "text", 14), Column("类别", "class", "text", 12)]
    columns += [Column("原因", "cause", "text", 30)]
    columns += [Column(f"{BEFORE_AFTER_WORDS[name][0]}\n呼救", f"calls {name}", "tenth") for name in _columns_shown(result)[:2]]
    return [*columns, Column("编码", "id", "text", 16)]


def _unreached_rows(result: Replay) -> list[list[Cell]]:
    return [
        [
            *(row["name"], row["zone"], both(CLASS_WORDS[row["class"]]), cause_words(row["cause"])),
            *(row[f"calls_{name}"] for name in _columns_shown(result)[:2]),
            row["id"],
        ]
        for row in shared_unreached(result).to_dict("records")
    ]
