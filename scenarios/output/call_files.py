"""What the 120 log tells, as files: calls by settlement, speeds to be used, a workbook, and all of it for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import pandas as pd

from geodata.hours import FREE, SpeedFactor
from geodata.region import Prepared
from scenarios.call_speeds import BANDS, BandSpeed, ClassSpeed
from scenarios.call_study import FEW, CallStudy
from scenarios.output.call_report import (
    BAND_WORDS,
    CONFIDENCE_WORDS,
    FEW_SAID,
    LEG_WORDS,
    OUTCOME_WORDS,
    PLACED_WORDS,
    few,
    response_table,
    settlement_table,
    withheld,
)
from scenarios.output.legend import CLASS_WORDS, ILLUSTRATIVE, ILLUSTRATIVE_SAID, both
from scenarios.output.report import provenance, rows
from scenarios.output.sheets import Cell, Column, Sheet
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, json_writer

MOST_TAGGED: Final = 0.9  # where a class has maxspeeds nearly everywhere, its own speed is not used: it is not written
DECIMALS: Final = 4
_LEG_FIGURES: Final = ["mean_s", "p50_s", "p90_s", "p95_s"]
_PERCENTILES: Final = (("中位", "50 %"), ("90 %", "90 %"), ("95 %", "95 %"))


def call_files(prepared: Prepared, study: CallStudy) -> dict[str, Writer]:
    """Lay out the files: calls by settlement, a workbook, JSON, and speeds for ``speeds = `` in region.toml if they could be fitted."""
    files = {
        "calls_by_settlement.csv": csv_writer(settlement_table(study)),
        "calls.xlsx": bytes_writer(lambda: write_sheets(prepared, call_sheets(prepared, study))),
        "study.json": json_writer(lambda: calls_json(prepared, study)),
    }
    if study.speeds:
        files["speeds.toml"] = bytes_writer(lambda: speeds_toml(prepared, study).encode())
    return files


def calls_json(prepared: Prepared, study: CallStudy) -> dict[str, Any]:
    """All that the log tells, as it may be shared."""
    counts = asdict(study.counts)
    counts |= {name: _count(counts[name]) for name in ("cancelled", "outside")}
    for name in ("placed", "outcomes"):
        counts[name] = {one: _count(count) for one, count in counts[name].items()}
    speeds = None
    if study.speeds:
        fit = {name: value for name, value in asdict(study.speeds).items() if name != "classes"}
        speeds = fit | {"classes": [asdict(one) | {"confidence": one.confidence} for one in study.speeds.classes if one.runs >= FEW]}
    said = provenance(prepared, [])
    return said | {
        "few_zh": FEW_SAID[0],
        "few_en": FEW_SAID[1],
        "dropped_columns": list(prepared.region.calls.dropped),
        "counts": counts,
        "by_month": rows(withheld(study.by_month, "calls", [])),
        "by_hour": rows(withheld(study.by_hour, "calls", [])),
        "legs": rows(withheld(study.legs, "n", ["mean_s", "p50_s", "p90_s", "p95_s", "share_within"])),
        "response": rows(response_table(study)),
        "busy": _no_nan(asdict(study.busy)),
        "by_base": rows(withheld(study.by_base, "runs", ["service_min", "load", "share"])),
        "by_zone": rows(withheld(study.by_zone, "calls", ["per_1000"])),
        "by_settlement": rows(settlement_table(study)),
        "unassigned": _count(study.unassigned),
        "speeds": _no_nan(speeds),
    }


def speeds_toml(prepared: Prepared, study: CallStudy) -> str:
    """Write the fitted speeds as a bureau's own speeds file: driving only, the classes with too little as assumed before.

    Hours whose factor is known within 10 % get it; speeds measured on ways or named roads stay as they were.

    Raises
    ------
    ValueError
        No speeds were fitted.
    """
    fit, way, counts = study.speeds, prepared.speeds.drive, study.counts
    if fit is None:
        msg = "no speeds were fitted"
        raise ValueError(msg)
    fitted = {one.road_class: one for one in fit.classes if usable(one)}
    illustrative = prepared.region.illustrative
    mark = f"（{ILLUSTRATIVE[0]}）" if illustrative else ""
    period = f"{counts.first_day} – {counts.last_day}"
    source = (
        f"{prepared.region.name} 120 记录{mark} {period}，{fit.runs:,} 次出车拟合；其余等级沿用原值"
        f" · fitted to {fit.runs:,} runs of the 120 log{' (illustrative)' if illustrative else ''}, {period}; other classes as before"
    )
    lines = [
        '# 由 circle15 calls 从 120 记录拟合。在 region.toml 中写 speeds = "speeds.toml" 即用。',
        '# Fitted to the 120 log by circle15 calls. Write speeds = "speeds.toml" into region.toml to use it.',
        f"# 每次出车另有 {fit.constant_s:.0f} 秒与路程无关（起步、停车），不在车速之内，可计入出动时间。",
        f"# Each run has {fit.constant_s:.0f} s beside that depend on no distance; they are not in the speeds and may go into turnout.",
        "# classes 是全天的车速，factors 是各钟点的系数：--hour 8 即按 8 时计算。",
        "# The classes have the speeds of the whole day, the factors those of the hours: --hour 8 counts as at 8:00.",
        "",
        "[drive]",
        f"kmh = {way.kmh}",
        f"access_kmh = {way.access_kmh}",
        f"access_detour = {way.access_detour}",
        f"source = {_toml(source)}",
        f'status = "{"M" if illustrative else "V"}"',
        "",
        "[drive.classes]",
    ]
    for name in [*way.classes, *(one for one in fitted if one not in way.classes)]:
        one = fitted.get(name)
        if one is None:
            lines.append(f"{name} = {way.classes[name]}  # 沿用 as before")
        else:
            said = f"拟合 fitted {one.low_kmh:.1f}–{one.high_kmh:.1f}, n = {one.runs:,}, {one.km:,.0f} km; 原值 before {one.assumed_kmh:g}"
            lines.append(f"{name} = {one.kmh:.1f}  # {said}")
    bands = [factor for band, one in fit.band_speed.items() if one.good for factor in _factors(band, one, period)]
    lines += [line for factor in bands or way.factors for line in _factor_lines(factor)]
    for table, measured in (("ways", way.ways), ("names", way.names)):
        lines += ["", f"[drive.{table}]"] if measured else []
        lines += [f"{_toml(str(one))} = {_measured(kmh)}" for one, kmh in measured.items()]
    return "\n".join(lines) + "\n"


def _factors(band: str, speed: BandSpeed, period: str) -> list[SpeedFactor]:
    """The factor of an hour band, once for each stretch of its hours."""
    (zh, en), hours = BAND_WORDS[band], BANDS[band]
    source = f"120 记录 {period} {zh}与全天之比，{speed.runs:,} 次，{speed.low:.2f}–{speed.high:.2f} · {en} against the whole day, 120 log"
    starts = [hour for hour in hours if (hour - 1) % 24 not in hours]
    ends = [next(hour % 24 for hour in range(start, start + 24) if hour % 24 not in hours) for start in starts]
    said = {"factor": round(speed.factor, 3), "source": source}
    return [SpeedFactor.model_validate(said | {"from": start, "to": end}) for start, end in zip(starts, ends, strict=True)]


def _factor_lines(factor: SpeedFactor) -> list[str]:
    said = factor.model_dump(exclude_defaults=True)
    return ["", "[[drive.factors]]", *(f"{name} = {_toml(value)}" for name, value in said.items())]


def _toml(value: float | str | Sequence[str]) -> str:
    """A number, a text, or a list of texts as TOML; JSON writes them alike."""
    return json.dumps(value, ensure_ascii=False)


def _measured(kmh: Mapping[str, float]) -> str:
    """Speeds measured on a road as they may be written: a number, or a table by hours."""
    if set(kmh) == {FREE}:
        return f"{kmh[FREE]}"
    return "{ " + ", ".join(f"{_toml(hours)} = {value}" for hours, value in kmh.items()) + " }"


def usable(speed: ClassSpeed) -> bool:
    """Tell whether a fitted speed is good enough to be written: within 25 % to each side, on roads that mostly have no maxspeed."""
    return speed.confidence in {"good", "fair"} and speed.share_tagged <= MOST_TAGGED


def call_sheets(prepared: Prepared, study: CallStudy) -> list[Sheet]:
    """Lay out the study as sheets of a workbook."""
    sheets = [
        Sheet("说明", "120 记录", (Column("项目", "item", "text", 34), Column("内容", "content", "text", 100)), _about(prepared, study)),
        _leg_sheet(study),
        _response_sheet(study),
        _settlement_sheet(study),
    ]
    return [*sheets, _speed_sheet(study.speeds.classes)] if study.speeds else sheets


def _about(prepared: Prepared, study: CallStudy) -> list[list[Cell]]:
    counts, busy = study.counts, study.busy
    lines: list[list[Cell]] = [["地区 region", prepared.region.name]]
    lines += [["数据性质 data", both(ILLUSTRATIVE_SAID)]] if prepared.region.illustrative else []
    lines += [
        ["起止 period", f"{counts.first_day} – {counts.last_day}（{counts.days} 天 days）"],
        ["记录、呼救、车次 records, calls, runs", f"{counts.records:,}、{counts.calls:,}、{counts.runs:,}"],
        ["定位 places", "；".join(f"{both(PLACED_WORDS[name])} {few(counts.placed[name])}" for name in PLACED_WORDS)],
        ["结果 outcomes", "；".join(f"{both(OUTCOME_WORDS[name])} {few(counts.outcomes[name])}" for name in OUTCOME_WORDS)],
        ["平均同时在外 out at once on average", f"{busy.load:.2f} 辆 vehicles"],
        [
            "占用率 ρ busy share",
            "车辆数未知 vehicles not known" if pd.isna(busy.share) else f"{busy.share:.2f}（{busy.vehicles:g} 辆 vehicles）",
        ],
        ["未读入的列 columns not read", "、".join(prepared.region.calls.dropped)],
        ["少于 5 次 fewer than 5", both(FEW_SAID)],
    ]
    return lines


def _leg_sheet(study: CallStudy) -> Sheet:
    table = withheld(study.legs, "n", _LEG_FIGURES)
    columns = [Column("段", "leg", "text", 36), Column("次数", "n"), Column("平均分钟", "mean minutes", "tenth")]
    columns += [Column(f"{zh}\n分钟", f"{en}, minutes", "tenth") for zh, en in _PERCENTILES]
    columns += [Column("次序颠倒", "out of order"), Column("超过 24 小时", "more than 24 h", width=14)]
    body: list[list[Cell]] = [
        [
            both(LEG_WORDS[row["leg"]]),
            row["n"],
            *(None if row[name] is None else row[name] / 60 for name in _LEG_FIGURES),
            row["out_of_order"],
            row["too_long"],
        ]
        for row in rows(table)
    ]
    return Sheet("各段用时", "120 记录：各段用时", columns, body)


def _response_sheet(study: CallStudy) -> Sheet:
    words = CLASS_WORDS | {"": ("合计", "total")}
    columns = [Column("范围", "where", "text", 20), Column("呼救", "calls")]
    columns += [Column(f"{zh}\n分钟", f"{en}, minutes", "tenth") for zh, en in _PERCENTILES]
    columns += [Column("15 分钟内", "within 15 min", "share"), Column("30 分钟内", "within 30 min", "share")]
    body: list[list[Cell]] = [
        [both(words[row["name"]]) if row["name"] in words else row["name"], *(row[name] for name in list(row)[2:])]
        for row in rows(response_table(study))
    ]
    return Sheet("反应时间", "120 记录：受理到首车到达现场", columns, body)


def _settlement_sheet(study: CallStudy) -> Sheet:
    columns = (
        *(Column("编码", "id", "text", 16), Column("村居", "place", "text", 20), Column("乡镇", "township", "text", 14)),
        *(Column("人口", "people"), Column("呼救", "calls"), Column("每千人年", "per 1,000 a year", "tenth", 14)),
    )
    body: list[list[Cell]] = [list(row.values()) for row in rows(settlement_table(study))]
    return Sheet("村居呼救", "120 记录：各村（社区）呼救", columns, body)


def _speed_sheet(classes: Sequence[ClassSpeed]) -> Sheet:
    columns = [Column("道路等级", "class", "text", 18), Column("公里", "km"), Column("车次", "runs")]
    columns += [
        Column(zh, en, "tenth") for zh, en in (("拟合", "fitted km/h"), ("95% 下限", "low"), ("95% 上限", "high"), ("假定", "assumed"))
    ]
    columns += [
        Column("可信", "confidence", "text", 16),
        *(Column(zh, f"{en} km/h", "tenth") for zh, en in (BAND_WORDS[band] for band in BANDS)),
    ]
    columns += [Column("有限速的公里", "tagged km", "share", 14)]
    body: list[list[Cell]] = [
        [
            *(one.road_class, one.km, one.runs, one.kmh, one.low_kmh, one.high_kmh, one.assumed_kmh),
            both(CONFIDENCE_WORDS[one.confidence]),
            *(one.band_kmh[band] for band in BANDS),
            one.share_tagged,
        ]
        for one in classes
        if one.runs >= FEW
    ]
    return Sheet("车速", "120 记录：拟合车速", columns, body)


def _count(count: int) -> int | str:
    return few(count) if 0 < count < FEW else count


def _no_nan(value: Any) -> Any:  # noqa: ANN401 — data of any depth
    """Replace nan by None, as JSON has none, and round off what another processor may compute otherwise."""
    if isinstance(value, dict):
        return {name: _no_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_no_nan(one) for one in value]
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else round(value, DECIMALS)
