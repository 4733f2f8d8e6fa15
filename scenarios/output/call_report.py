"""What the 120 log tells, as text and tables: figures of fewer than five calls are withheld in all of them."""

from __future__ import annotations

import itertools
import math
from typing import Final

import pandas as pd

from geodata.calls.model import Calls
from geodata.region import Prepared
from scenarios.call_speeds import BANDS
from scenarios.call_study import FEW, CallStudy
from scenarios.output.legend import ILLUSTRATIVE, both
from scenarios.output.report import align, people, percent

FEW_SHOWN: Final = f"<{FEW}"
ENOUGH_SHOWN: Final = f"≥{FEW}"  # withheld, so that the one small count beside it cannot be found by subtraction
FEW_SAID: Final = (
    f"不足 {FEW} 次的呼救可能指向个人：只写 {FEW_SHOWN}，不给比率和时间；同一乡镇只有一处不足 {FEW} 次时，次少的一处写 {ENOUGH_SHOWN}。",
    f"Fewer than {FEW} calls may point to a person: {FEW_SHOWN}, no rates or times; beside the only one of a township: {ENOUGH_SHOWN}.",
)
LEG_WORDS: Final = {
    "dispatch": ("受理到派车", "call to dispatch"),
    "turnout": ("派车到出车", "turnout"),
    "travel": ("出车到现场", "travel to scene"),
    "scene": ("现场停留", "at the scene"),
    "transport": ("送往医院", "transport"),
    "handover_return": ("交接与返回", "handover and return"),
    "response": ("受理到现场（反应时间）", "response: call to scene"),
    "service": ("派车到完成（占用时间）", "service: dispatch to finish"),
}
PLACED_WORDS: Final = {
    "coordinates": ("按坐标定位", "by coordinates"),
    "settlement": ("按村（社区）名定位", "by settlement name"),
    "township": ("只知乡镇", "township only"),
    "nowhere": ("无法定位", "nowhere"),
}
OUTCOME_WORDS: Final = {
    "delivered": ("送达医院", "delivered"),
    "treated": ("现场处置", "treated on scene"),
    "empty": ("空车返回", "empty"),
    "cancelled": ("取消", "cancelled"),
    "unknown": ("未写明", "not stated"),
}
BAND_WORDS: Final = {"peak": ("高峰", "peak"), "day": ("平时", "day"), "night": ("夜间", "night")}
CONFIDENCE_WORDS: Final = {"good": ("可靠", "good"), "fair": ("尚可", "fair"), "weak": ("粗略", "weak"), "none": ("不足", "too little")}
VEHICLES_FROM: Final = {
    "given": ("给定", "given"),
    "facilities": ("机构表", "from the facility tables"),
    "unknown": ("未知", "unknown"),
}
NO_VEHICLES: Final = (
    "车辆数未知，算不出占用率 ρ：在机构表中填“救护车”列，或用 --vehicles 给出。",
    "The number of vehicles is not known, hence no busy share ρ: fill the column 救护车 of the facilities, or give --vehicles.",
)
NO_SPEEDS: Final = (
    "车速：能定线的车次不足 30，未拟合。出车单位须与机构表中的名称一致，且有出车与到达时间。",
    "Speeds: fewer than 30 runs can be routed, none fitted. Bases must go by the names of facilities, with departure and arrival.",
)
TAGGED_SAID: Final = (
    "“有限速”指标有 maxspeed 的公里占比：那里按限速行车，不用等级车速；占 90% 以上的等级和可信度不足的等级，不写入 speeds.toml。",
    "Tagged: share of kilometres with a maxspeed, which holds there; classes above 90 % and weak ones are not written to speeds.toml.",
)
TURNOUT_NORM: Final = ("国家院前急救标准：95% 在 3 分钟内出车", "norm: 95 % turn out within 3 minutes")
_TOP: Final = 10


def withheld(table: pd.DataFrame, count: str, figures: list[str]) -> pd.DataFrame:
    """Write counts from 1 to 4 as "<5" and leave out the figures that rest on them; 0 stays."""
    few = (table[count] > 0) & (table[count] < FEW)
    shown = table.assign(**{count: table[count].astype(object).where(~few, FEW_SHOWN)})
    return shown.assign(**{name: shown[name].astype(object).where(table[count] >= FEW, None) for name in figures})


def settlement_table(study: CallStudy) -> pd.DataFrame:
    """Calls by settlement as they may be shared (``FEW_SAID``)."""
    table = study.by_settlement
    small = (table["calls"] > 0) & (table["calls"] < FEW)
    alone = table["zone"].map(small.groupby(table["zone"]).sum()) == 1
    rest = table[alone & ~small & (table["calls"] > 0)]
    beside = rest.sort_values(["calls", "id"]).drop_duplicates("zone").index
    shown = withheld(table.round({"people": 0, "per_1000": 2}), "calls", ["per_1000"])
    shown.loc[beside, ["calls", "per_1000"]] = [ENOUGH_SHOWN, None]
    return shown.sort_values(["zone", "id"], kind="stable", ignore_index=True)


def response_table(study: CallStudy) -> pd.DataFrame:
    """Response times by class and township as they may be shared."""
    return withheld(study.response, "calls", [name for name in study.response if name not in {"row", "name", "calls"}])


def calls_text(prepared: Prepared, study: CallStudy) -> str:
    """Lay out the study for a terminal, in both languages."""
    region = prepared.region
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    parts = [
        f"{region.name}{mark} · 120 记录 120 log · {study.counts.first_day} – {study.counts.last_day}（{study.counts.days} 天 days）",
        _counts_text(study, region.calls),
        _when_text(study),
        _legs_text(study),
        _response_text(study),
        _busy_text(study),
        _speeds_text(study),
        _where_text(study),
        both(FEW_SAID),
    ]
    return "\n\n".join(parts) + "\n"


def _counts_text(study: CallStudy, calls: Calls) -> str:
    counts = study.counts
    facts = [["记录（行） records", people(counts.records)], ["呼救 calls", people(counts.calls)], ["派出车次 runs", people(counts.runs)]]
    facts += [[f"  {both(PLACED_WORDS[name])}", few(counts.placed[name])] for name in PLACED_WORDS]
    facts += [["  县界以外 outside the county", few(counts.outside)]]
    facts += [[both(OUTCOME_WORDS[name]), few(counts.outcomes[name])] for name in OUTCOME_WORDS if counts.outcomes[name]]
    doubts = {
        "坐标远在县外，未用 coordinates far away, not used": counts.far,
        "地址与坐标相距 5 km 以上 address and coordinates more than 5 km apart": counts.disagree,
        "无法读取的时间 times that cannot be read": counts.unread,
        "次序颠倒的时间对 pairs of times out of order": int(study.legs["out_of_order"].sum()),
        "相隔 24 小时以上的时间对 pairs more than 24 h apart": int(study.legs["too_long"].sum()),
    }
    facts += [[name, people(count)] for name, count in doubts.items() if count]
    dropped = "、".join(calls.dropped) or "–"
    return f"{align(['项 fact', '数 count'], facts)}\n\n未读入的列（可能涉及个人） columns not read: {dropped}"


def _when_text(study: CallStudy) -> str:
    months = [[row.month, few(row.calls)] for row in study.by_month.itertuples()]
    hours = [[f"{row.hour:02d}–{row.hour + 1:02d}", few(row.calls)] for row in study.by_hour.itertuples()]
    blank = ["", ""]
    table = [[*a, *b, *c] for a, b, c in itertools.zip_longest(months, hours[:12], hours[12:], fillvalue=blank)]
    return align(["月 month", "呼救 calls", "时 hour", "呼救 calls", "时 hour", "呼救 calls"], table)


def _legs_text(study: CallStudy) -> str:
    table = [
        [both(LEG_WORDS[row.leg]), few(row.n), *(_minutes(s / 60, row.n) for s in (row.mean_s, row.p50_s, row.p90_s, row.p95_s))]
        for row in study.legs.itertuples()
    ]
    turnout = study.legs.set_index("leg").loc["turnout"]
    share = (
        f"{percent(turnout['share_within'])} 在 180 秒内出车 turn out within 180 s（{both(TURNOUT_NORM)}）" if turnout["n"] >= FEW else ""
    )
    heads = ["段（分钟） leg, minutes", "次数 n", "平均 mean", "中位 50 %", "90 %", "95 %"]
    return f"{align(heads, table)}\n{share}".rstrip()


def _response_text(study: CallStudy) -> str:
    names = {"total": "合计 total", "urban": "城镇 urban", "rural": "农村 rural"}
    table = [
        [
            names.get(row.name or row.row, row.name),
            few(row.calls),
            *(_minutes(value, row.calls) for value in (row.p50_min, row.p90_min, row.p95_min)),
            *(percent(share) if row.calls >= FEW else "–" for share in (row.share_15, row.share_30)),
        ]
        for row in study.response.itertuples()
    ]
    heads = ["反应时间（分钟） response, minutes", "呼救 calls", "中位 50 %", "90 %", "95 %", "≤ 15 min", "≤ 30 min"]
    return align(heads, table)


def _busy_text(study: CallStudy) -> str:
    busy = study.busy
    hour = f"{busy.busiest_hour:02d}–{busy.busiest_hour + 1:02d}"
    mean = f"{busy.runs_per_hour:.2f} 车次/小时 runs an hour × {busy.service_h * 60:.0f} 分钟 minutes = {busy.load:.2f}"
    usual = f"99% 的时间不超过 {busy.at_once_99} 辆 not exceeded in 99 % of the time；最多 {busy.most_at_once} 辆 most"
    lines = [
        f"同时在外 vehicles out at once: {mean} 辆（平均 on average）；{hour} 时最多 busiest hour: {busy.busiest_load:.2f} 辆；{usual}"
    ]
    if math.isnan(busy.vehicles):
        lines.append(both(NO_VEHICLES))
    else:
        source = both(VEHICLES_FROM[busy.vehicles_from])
        share = f"占用率 busy share ρ = {busy.load:.2f} ÷ {busy.vehicles:g} 辆 vehicles（{source}） = {busy.share:.2f}"
        lines.append(f"{share}；{hour} 时 {busy.busiest_share:.2f}")
    table = [
        [row.base, people(row.runs), f"{row.service_min:.0f}", f"{row.load:.2f}", "–" if math.isnan(row.share) else f"{row.share:.2f}"]
        for row in study.by_base.itertuples()
        if row.runs >= FEW
    ]
    heads = ["出车单位 base", "车次 runs", "占用分钟 minutes", "平均在外 out at once", "ρ"]
    return "\n".join([*lines, *(["", align(heads, table)] if table else [])])


def _speeds_text(study: CallStudy) -> str:
    fit = study.speeds
    if fit is None:
        return both(NO_SPEEDS)
    table = [
        [
            one.road_class,
            f"{one.km:,.0f}",
            people(one.runs),
            _kmh(one.kmh),
            "–" if math.isnan(one.kmh) else f"{one.low_kmh:.1f}–{one.high_kmh:.1f}",
            both(CONFIDENCE_WORDS[one.confidence]),
            f"{one.assumed_kmh:g}",
            *(_kmh(one.band_kmh[band]) for band in BANDS),
            percent(one.share_tagged),
        ]
        for one in fit.classes
        if one.runs >= FEW
    ]
    bands = [f"{both(BAND_WORDS[band])} km/h" for band in BANDS]
    heads = ["道路等级 class", "公里 km", "车次 n", "拟合 km/h", "95 %", "可信 confidence", "假定 assumed", *bands, "有限速 tagged"]
    said = {band: f"{both(BAND_WORDS[band])} ×{factor:.2f}（n = {fit.band_runs[band]:,}）" for band, factor in fit.band_factor.items()}
    factors = "；".join(said[band] for band, factor in fit.band_factor.items() if not math.isnan(factor))
    turnout = "用这些车速时请加进出动时间 add it to the turnout with these speeds"
    runs = f"{fit.runs:,} 次出车 runs（剔除离群 left out {fit.outliers:,}）；与路程无关 constant {fit.constant_s:.0f} s（{turnout}）"
    lines = [f"车速 speeds：{runs}；离散 spread ±{fit.spread:.0%}", f"用时相对全天 time against the whole day：{factors}", ""]
    return "\n".join([*lines, align(heads, table), both(TAGGED_SAID)])


def _where_text(study: CallStudy) -> str:
    zones = withheld(study.by_zone, "calls", ["per_1000"])
    table = [
        [row.zone, people(row.people), row.calls if isinstance(row.calls, str) else people(row.calls), _rate(row.per_1000)]
        for row in zones.itertuples()
    ]
    text = align(["乡镇 township", "人口 people", "呼救 calls", "每千人年 per 1,000 a year"], table)
    top = study.by_settlement[study.by_settlement["calls"] >= FEW].head(_TOP)
    if len(top):
        listed = [[row.name, row.zone, people(row.people), people(row.calls), _rate(row.per_1000)] for row in top.itertuples()]
        heads = ["村（社区） settlement", "乡镇 township", "人口 people", "呼救 calls", "每千人年 per 1,000 a year"]
        text += f"\n\n{align(heads, listed)}"
    return f"{text}\n不属于任何村（社区）的呼救 calls of no settlement: {few(study.unassigned)}"


def few(count: float) -> str:
    """Write a count, from 1 to 4 as "<5"."""
    return FEW_SHOWN if 0 < count < FEW else people(count)


def _minutes(value: float, count: int) -> str:
    return f"{value:.1f}" if count >= FEW else "–"


def _kmh(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.1f}"


def _rate(value: float | None) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.1f}"
