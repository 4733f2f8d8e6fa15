"""Plans over situations and models, as text, JSON, files, sheets."""

from __future__ import annotations

import functools
import math
from typing import Any

import pandas as pd

from geodata.region import Prepared
from scenarios.output.legend import Words, both
from scenarios.output.report import align, definition_json, provenance, rows
from scenarios.output.robust_tables import (
    METHOD,
    ROBUST_WORDS,
    chosen_table,
    model_table,
    models_said,
    new_points,
    plan_name,
    regret_table,
    robust_said,
    situation_table,
)
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet, table_sheet
from scenarios.output.stage_words import (
    STATUS_WORDS,
    amount,
    closing_lines,
    head_lines,
    place_names,
    question_json,
    question_lines,
    said_json,
    stage_words,
    stages_json,
)
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer
from scenarios.siting.region.robust import RegionRobust
from scenarios.siting.words import MODEL_WORDS


def robust_text(prepared: Prepared, result: RegionRobust) -> str:
    """Lay out the situations, the regrets, the robust plan, the models for people to read, in both languages."""
    parts = ["\n".join(head_lines(prepared, result.service_id, result.question, ROBUST_WORDS))]
    parts += ["■ 情形 situations", _situation_lines(result)]
    if len(result.robust.situations) > 1:
        for stage in range(len(result.robust.stages)):
            parts += [f"■ 遗憾 regret：{_word(result, stage)}", _regret_lines(result, stage)]
        parts += ["■ 稳健方案 the robust plan", _plan_line(result), _bullets(robust_said(result))]
    parts += ["■ 各候选点入选的次数 how often each candidate is chosen", _chosen_lines(result)]
    if result.models is not None:
        parts += ["■ 各模型 models", _model_lines(result), _bullets(models_said(result))]
    parts.append("\n".join([_bullets([*METHOD, *result.left_out]), *closing_lines(prepared, result.question)]))
    return "\n\n".join(parts) + "\n"


def _bullets(said: list[Words]) -> str:
    return "\n".join(f"· {both(words)}" for words in said)


def _word(result: RegionRobust, stage: int) -> str:
    return both(stage_words(result.question, result.robust.model, result.robust.stages[stage]))


def _situation_lines(result: RegionRobust) -> str:
    heads = [
        "",
        "情形 situation",
        *(f"最好 best: {_word(result, at)}" for at in range(len(result.robust.stages))),
        "证明 proof",
        "新点 new",
    ]
    lines = []
    for row in situation_table(result).to_dict("records"):
        values = [amount(row[name]) for name in result.robust.stages]
        lines.append([str(row["situation"]), f"{row['zh']} {row['en']}", *values, STATUS_WORDS[row["status"]][0], row["new"]])
    return align(heads, lines)


def _regret_lines(result: RegionRobust, stage: int) -> str:
    """A row a plan, a column a situation; situations with the same best plan share a row."""
    table, count = regret_table(result), len(result.robust.situations)
    mine = table[table["stage"] == result.robust.stages[stage]]
    heads = ["方案 plan", *(f"情形 {at}" for at in range(1, count + 1)), "最大 largest"]
    lines = []
    for plan, some in mine.groupby("plan", sort=False):
        if name := plan_name(result, int(plan)):
            lines.append([name, *(amount(one) for one in some["regret"]), amount(some["regret"].max())])
    return align(heads, lines)


def _plan_line(result: RegionRobust) -> str:
    names = place_names(result.question)
    new = new_points(result, result.robust.plan.sites)
    listed = "，".join(f"{names[one]}（{one}）" for one in new) or "–"
    return f"{len(result.robust.plan.sites)} 个点 points，新点 new {len(new)}：{listed}"


def _chosen_lines(result: RegionRobust) -> str:
    count, models = len(result.robust.situations), result.models
    heads = ["点 point", "编码 id", f"情形 situations（共 of {count}）"]
    heads += [f"模型 models（共 of {len(models.models)}）"] if models else []
    heads.append("稳健方案 robust")
    lines = []
    for row in chosen_table(result).to_dict("records"):
        counts = [str(row["situations"]), *([str(row["models"])] if models else [])]
        lines.append([row["name"], row["id"], *counts, "✓" if row["robust"] else ""])
    return align(heads, lines)


def _model_lines(result: RegionRobust) -> str:
    """A row a plan, a column a stage of a model: shares of the best; then the plan's new points."""
    if result.models is None:
        return ""
    table = model_table(result)
    views = list(dict.fromkeys(zip(table["model"], table["stage"], strict=True)))
    heads = ["方案 plan of"]
    heads += [f"{model}: {stage_words(result.question, model, stage)[0]}" for model, stage in views] + ["新点 new"]
    new = {one: new_points(result, found.sites) for one, found in zip(result.models.models, result.models.results, strict=True)}
    lines = []
    for (plan, is_robust), some in table.groupby(["plan", "robust"], sort=False):
        shares = ["–" if math.isnan(one) else f"{one:.1%}" for one in some["share"]]
        lines.append([f"{MODEL_WORDS[plan][0]} {plan}{' ◀' if is_robust else ''}", *shares, "，".join(new[plan])])
    return align(heads, lines)


def robust_json(prepared: Prepared, result: RegionRobust) -> dict[str, Any]:
    """All of it for programs: parameters and sources, the tables, the robust plan; wall-clock seconds stand apart."""
    robust, question = result.robust, result.question
    said = [*METHOD, *robust_said(result), *models_said(result)]
    return provenance(prepared, [question.definition]) | {
        "service": result.service_id,
        "definitions": {result.service_id: definition_json(question.definition)},
        "question": question_json(result.service_id, question),
        "model": robust.model,
        "stages": stages_json(question, robust.model, list(robust.stages)),
        "situations": rows(situation_table(result)),
        "regrets": rows(regret_table(result)),
        "robust_plan": {
            "sites": list(robust.plan.sites),
            "new_sites": new_points(result, robust.plan.sites),
            "status": robust.plan.status,
            "largest_regrets": [stage._asdict() for stage in robust.plan.regrets],
            "method": robust.plan.method,
        },
        "candidates": rows(chosen_table(result)),
        "models": rows(model_table(result)),
        "left_out": said_json(list(result.left_out)),
        "said": said_json(said),
        "seconds": round(math.fsum(one.seconds for one in robust.results), 3),
    }


def robust_files(prepared: Prepared, result: RegionRobust) -> dict[str, Writer]:
    """Lay out robust.csv (regrets), robust_situations.csv, robust_sites.csv, robust_models.csv, robust.xlsx and robust.json."""
    tables = {
        "robust.csv": regret_table(result),
        "robust_situations.csv": situation_table(result),
        "robust_sites.csv": chosen_table(result),
        "robust_models.csv": model_table(result),
    }
    files = {name: csv_writer(table) for name, table in tables.items() if len(table)}
    said = {name: value for name, value in robust_json(prepared, result).items() if name != "seconds"}
    return files | {
        "robust.xlsx": bytes_writer(functools.partial(_workbook, prepared, result)),
        "robust.json": json_writer(lambda: said),
    }


def _workbook(prepared: Prepared, result: RegionRobust) -> bytes:
    return write_sheets(prepared, robust_sheets(prepared, result))


def robust_sheets(prepared: Prepared, result: RegionRobust) -> list[Sheet]:
    """Lay out what the figures mean, the situations, the regrets, the candidates, the models."""
    title = f"{prepared.services.service(result.service_id).name_zh} · {result.question.definition.name_zh}"
    about: list[list[Cell]] = [list(line) for line in question_lines(result.question)]
    said = [*METHOD, *robust_said(result), *models_said(result), *result.left_out]
    about.append([both(ROBUST_WORDS), _plan_line(result)])
    about += [["说明 remark", both(words)] for words in said]
    situations = situation_table(result)
    situations["status"] = [both(STATUS_WORDS[one]) for one in situations["status"]]
    stages = {
        name: Column(f"最好方案：\n{stage_words(result.question, result.robust.model, name)[0]}", name, "figure", 16)
        for name in result.robust.stages
    }
    columns = {"situation": Column("序号", "no.", width=6), "zh": Column("情形", "situation", "text", 28), "en": _EN}
    columns |= stages | {"status": Column("证明", "proof", "text", 18), "new": Column("新点", "new", "text", 50)}
    chosen = chosen_table(result)
    chosen["robust"] = ["✓" if one else "" for one in chosen["robust"]]
    sheets = [
        about_sheet(prepared, {result.service_id: result.question.definition}, about),
        table_sheet("情形", title, columns, situations),
        *_regret_sheets(result, title),
        table_sheet("候选点", title, {key: column for key, column in _CHOSEN_COLUMNS.items() if key in chosen}, chosen),
    ]
    return [*sheets, _model_sheet(result, title)] if result.models is not None else sheets


_EN = Column("英文", "in English", "text", 28)
_CHOSEN_COLUMNS = {
    "name": Column("点", "point", "text", 24),
    "id": Column("编码", "id", "text", 16),
    "situations": Column("入选的情形数", "situations"),
    "models": Column("入选的模型数", "models"),
    "robust": Column("稳健方案", "robust plan", "text"),
}


def _regret_sheets(result: RegionRobust, title: str) -> list[Sheet]:
    """A sheet a stage: a row a plan, a column a situation."""
    table, sheets = regret_table(result), []
    for name in result.robust.stages:
        wide = table[table["stage"] == name].pivot_table(index="plan", columns="situation", values="regret", sort=False)
        wide = wide.reset_index()
        wide["largest"] = wide.drop(columns="plan").max(axis=1)
        wide["plan"] = [plan_name(result, int(one)) for one in wide["plan"]]
        wide = wide[wide["plan"] != ""]
        columns: dict[Any, Column] = {"plan": Column("方案", "plan", "text", 34)}
        columns |= {at: Column(f"情形 {at}", f"situation {at}", "figure") for at in range(1, len(result.robust.situations) + 1)}
        columns["largest"] = Column("最大遗憾", "largest regret", "figure")
        words = stage_words(result.question, result.robust.model, name)[0]
        sheets.append(table_sheet(f"遗憾 {words}", title, columns, wide))
    return sheets


def _model_sheet(result: RegionRobust, title: str) -> Sheet:
    table = model_table(result)
    shown = pd.DataFrame(
        {
            "plan": [f"{MODEL_WORDS[one][0]} {one}" for one in table["plan"]],
            "model": [f"{MODEL_WORDS[one][0]} {one}" for one in table["model"]],
            "stage": [stage_words(result.question, m, s)[0] for m, s in zip(table["model"], table["stage"], strict=True)],
            "achieved": table["achieved"],
            "share": table["share"],
            "robust": ["✓" if one else "" for one in table["robust"]],
        }
    )
    columns = {
        "plan": Column("方案", "plan of", "text", 30),
        "model": Column("按哪个模型看", "as seen by", "text", 30),
        "stage": Column("目标", "goal", "text", 22),
        "achieved": Column("达到", "achieved", "figure", 14),
        "share": Column("占最好值", "share of the best", "share"),
        "robust": Column("最不依赖模型", "robust", "text"),
    }
    return table_sheet("模型", title, columns, shown)
