"""What is said of a replay: what was played, how long vehicles are held, how sure the figures are."""

from __future__ import annotations

import math
from typing import Any, Final

from geodata.region import Prepared
from scenarios.call_study import FEW
from scenarios.output.call_report import ENOUGH_SHOWN, FEW_SHOWN, few
from scenarios.output.legend import BEFORE_AFTER_WORDS, CLASS_WORDS, Words, both, limit_words
from scenarios.output.report import percent
from scenarios.output.speed_words import hour_said
from scenarios.output.time_words import minutes
from scenarios.replay.figures import LEAST_DAYS, RESAMPLES
from scenarios.replay.replay import Replay
from scenarios.replay.theory import erlang_c
from scenarios.siting.region.weights import Weigh

NAME: Final[Words] = ("120 回放", "replay of calls")
GROUP_WORDS: Final[dict[str, Words]] = {"all": ("全部", "all")} | CLASS_WORDS
FIGURE_WORDS: Final[dict[str, Words]] = {
    "calls": ("呼救（次）", "calls"),
    "median_minutes": ("反应中位数（分钟）", "median response, min"),
    "p90_minutes": ("反应 90 %（分钟）", "90th percentile, min"),
    "share_within": ("时限内占比", "within the limits"),
    "unreached_calls": ("无车可达（次）", "not reached"),
    "waiting_calls": ("等车（次）", "calls waiting"),
    "share_waiting": ("等车占比", "share waiting"),
    "wait_minutes": ("等车平均（分钟）", "mean wait, min"),
    "share_not_nearest": ("非最近点出车占比", "not from the nearest point"),
    "utilisation": ("车辆占用率", "utilisation of vehicles"),
}
THEORY: Final[Words] = (
    "对照排队论（Erlang C）：假如呼救全天均匀随机，所有车都能立即去任何地方，平均在外的车 ÷ 车辆 → 等车占比",
    "Against queueing theory (Erlang C): calls evenly at random, any vehicle for any call: vehicles out ÷ vehicles → share waiting",
)
LANGUAGES: Final = ("zh", "en")
CHANGE_WORDS: Final[Words] = ("变化", "change")
WEIGH_WORDS: Final[dict[Weigh, Words]] = {
    "residents": ("常住人口", "residents"),
    "old": ("65 岁及以上的人", "people of 65 and over"),
    "calls": ("记录中的呼救", "calls of the 120 log"),
}
REMARKS: Final[tuple[Words, ...]] = (
    (
        "派车：呼救受理后，派当时空闲、最先能到的车；都不空闲时排队，先来先派，等最早空出、能到那里的车。",
        "Dispatch: the free vehicle that is there first; if none is free the call waits, first come, first served, for the first that is.",
    ),
    (
        "反应 = 受理 + 等车 + 出车 + 行车与步入。占用 = 出车 + 行车 + 现场 + 送院与交接 + 返回；回到本点才算空闲，途中不改派。",
        (
            "Response = call handling + waiting + turnout + drive and access. A vehicle is out for turnout, drive, scene, transport, "
            "handing over and the way back; it is free when back at its point, and never sent on from the road."
        ),
    ),
    (
        "返回按路网计：从距现场最近的医院（未送院的从现场）回到本点。各点的车只应答本县呼救，县外点原有的任务不知，按没有计。",
        (
            "The way back is driven from the hospital nearest to the scene (from the scene, if nobody is taken to one). Vehicles answer "
            "calls of this county only: what else those outside the county do is not known and left aside."
        ),
    ),
    (
        "中位数与 90% 按全部呼救，无车可达的也在内，达不到时写“–”；等车平均只算等车的。途中取消的占用车辆，不计反应。",
        (
            "Median and 90 % are of all calls, those not reached too, a dash where so many are not; the mean wait is of those who wait. "
            "A call that is cancelled on the way holds a vehicle and has no response."
        ),
    ),
    ("不列出的站点计入各项合计。", "Points that are not listed count in every sum."),
)
FEW_REMARK: Final[Words] = (
    f"记录中不足 {FEW} 次的呼救可能指向个人：写 {FEW_SHOWN}，不给该类的数字；只有一处不足 {FEW} 次时，次少的一处写 {ENOUGH_SHOWN}。",
    f"Fewer than {FEW} calls of a log may point to a person: {FEW_SHOWN}, no figures of that class; beside the only one: {ENOUGH_SHOWN}.",
)


def asked_said(result: Replay) -> list[tuple[str, str]]:
    """What was played, and how long vehicles are held."""
    asked = [("时限 limits", both(limit_words(result.definition))), ("呼救 calls", both(calls_said(result)))]
    asked += [("占用时间 time held", both(held_said(result)))]
    if result.played.observed_calls >= FEW:
        asked.append(("记录中的反应 response in the log", both(_observed_said(result))))
    if result.scenario is not None:
        asked.append(("方案 plan", result.scenario.name or "–"))
    for row in result.fleet.to_dict("records"):
        zh, en = f"{row['points']} 个点，{row['vehicles']} 辆车", f"{row['points']} points, {row['vehicles']} vehicles"
        if row["assumed"]:
            zh, en = f"{zh}（{row['assumed']} 个点未写车辆数，按 1 辆）", f"{en} ({row['assumed']} points state none: 1 each)"
        if row["external"]:
            zh, en = f"{zh}，其中县外 {row['external']} 个点", f"{en}, {row['external']} of the points outside the county"
        asked.append((both(BEFORE_AFTER_WORDS[row["side"]]), both((zh, en))))
    return asked


def calls_said(result: Replay) -> Words:
    """Which calls were played, and which were not."""
    return _log_said(result) if result.played.source == "log" else _made_up_said(result)


def _log_said(result: Replay) -> Words:
    played = result.played
    zh = f"120 记录 {played.first_day} 起 {played.days} 天，{played.records:,} 行，回放 {played.calls:,} 次呼救"
    zh += f"；未回放：派车前取消 {few(played.cancelled_before)} 行，地点不明 {few(played.without_place)} 行"
    zh += f"；途中取消 {few(played.cancelled_on_way)} 行"
    en = f"120 log of {played.days} days from {played.first_day}, {played.records:,} rows, {played.calls:,} calls played; not played: "
    en += f"cancelled before a vehicle left {few(played.cancelled_before)}, place unknown {few(played.without_place)}; "
    en += f"cancelled on the way {few(played.cancelled_on_way)}"
    if played.no_settlement:
        zh += f"；不属于任何村（社区）、按农村时限的 {few(played.no_settlement)} 次"
        en += f"; of no settlement, held against the rural limit {few(played.no_settlement)}"
    return zh, en


def _made_up_said(result: Replay) -> Words:
    played, terms = result.played, result.terms
    when = ("按 120 记录的钟点", "by the hours of the 120 log") if played.profile == "log" else ("各钟点相同", "evenly over the day")
    zh, en = WEIGH_WORDS[played.weigh or "residents"]
    what = f"{terms.per_day:g}"
    return (
        f"随机产生：每天 {what} 次（泊松，{when[0]}），地点按{zh}，{played.days} 天 × {played.runs} 遍，种子 {terms.seed}",
        f"made up: {what} a day (Poisson, {when[1]}), places by {en}, {played.days} days × {played.runs} runs, seed {terms.seed}",
    )


def held_said(result: Replay) -> Words:
    """How long vehicles are held, and who says so."""
    played = result.played
    from_ = {"given": ("给定", "given"), "log": ("取自 120 记录，每次各自的", "of the 120 log, each its own")}
    scene, after = f"{played.scene_minutes:.1f}", f"{played.after_minutes:.1f}"
    zh = f"现场平均 {scene} 分钟（{from_[played.scene_from][0]}），送院与交接平均 {after} 分钟（{from_[played.after_from][0]}）"
    en = f"on the scene {scene} min on average ({from_[played.scene_from][1]}), "
    en += f"transport and handing over {after} ({from_[played.after_from][1]})"
    if played.after_from == "log":
        zh += "；记录中无离开医院的时间：由离开现场至完成，减去从最近医院回原单位的车程"
        en += (
            "; the log does not tell when a vehicle leaves the hospital: from leaving the scene to the end, less the drive back to its base"
        )
    if played.scene_assumed or played.after_assumed:
        zh += f"；缺时间的 {played.scene_assumed:,}、{played.after_assumed:,} 次用中位数"
        en += f"; without the stamps {played.scene_assumed:,} and {played.after_assumed:,}: the median"
    if played.source == "synthetic":
        of = ("地点与时间取自记录中随机的一次", "place and times are those of a call of the log, drawn at random")
        if played.weigh != "calls":
            of = ("每次从中抽取，与地点无关", "drawn for each call whatever its place")
        if played.profile == "even":
            of = ("全部送院", "everybody is taken to a hospital")
        zh, en = f"{zh}；{of[0]}，不取消，各派一辆", f"{en}; {of[1]}, one vehicle each, none cancelled"
    return zh, en


def played_json(result: Replay) -> dict[str, Any]:
    """What was played, for programs; counts of a log that may point to a person are withheld."""
    withheld = ("cancelled_before", "without_place", "cancelled_on_way", "no_settlement")
    small = {name: FEW_SHOWN for name in withheld if 0 < getattr(result.played, name) < FEW}
    said = {"calls": calls_said(result), "held": held_said(result)}
    return (
        _without_nan(result.played.__dict__)
        | small
        | {f"{name}_said": dict(zip(LANGUAGES, words, strict=True)) for name, words in said.items()}
    )


def _without_nan(values: dict[str, Any]) -> dict[str, Any]:
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}


def _observed_said(result: Replay) -> Words:
    """What the log itself has, to hold the replay of the points as they are against."""
    played = result.played
    middle, most = minutes(played.observed_median_minutes), minutes(played.observed_p90_minutes)
    return (
        f"中位数 {middle} 分钟，90 % {most} 分钟（{played.observed_calls:,} 次；由当时出车的单位、按当时的派车）",
        f"median {middle} min, 90 % {most} min ({played.observed_calls:,} calls; from the bases and by the dispatch of the day)",
    )


def remarks(prepared: Prepared, result: Replay) -> list[Words]:
    """How vehicles are sent, what is counted, how sure the figures are."""
    hour = hour_said(prepared.speeds, result.definition)
    usual = ("车速为全天平均，不分钟点。", "Speeds are the usual ones, the day's average, whatever the hour.")
    if result.played.source == "synthetic":
        sure = (
            "数字为各遍的平均，95 % 区间为其平均的 Student 区间；同一遍的现状与方案用同样的呼救。",
            "Figures are means over the runs, with Student's 95 % interval of the mean; before and after have the same calls.",
        )
        return [*REMARKS, hour or usual, sure]
    draws, seed = f"{RESAMPLES:,}", result.terms.seed
    sure = (
        f"95 % 区间：把记录的各天有放回地抽 {draws} 次（种子 {seed}），取中间的 95 %；少于 {LEAST_DAYS} 天、或有的抽样算不出时不给。",
        f"95 %: the middle of {draws} draws of the log's days with replacement (seed {seed}); none where there is too little for it.",
    )
    return [*REMARKS, hour or usual, sure, FEW_REMARK]


def theory_said(result: Replay) -> list[str]:
    """One line a side: what Erlang's formula says of as many vehicles and as much to do."""
    figures = result.figures.set_index(["figure", "group"])
    lines = []
    for row in result.fleet.to_dict("records"):
        side, vehicles = row["side"], row["vehicles"]
        load = figures.loc[("utilisation", "all"), side] * vehicles
        waits = figures.loc[("share_waiting", "all"), side]
        if not math.isnan(load) and not math.isnan(waits):
            said = f"{load:.2f} ÷ {vehicles} → {percent(erlang_c(load, vehicles))}（回放 replay {percent(waits)}）"
            lines.append(f"{both(BEFORE_AFTER_WORDS[side])}：{said}")
    return [both(THEORY), *lines] if lines else []
