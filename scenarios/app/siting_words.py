"""The words of siting on the page: models as the questions they answer, terms, and errors that speak of the page's inputs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from geodata.errors import Problem
from scenarios.siting.question import Model

Words = tuple[str, str]
MODEL_ASKS: Final[dict[Model, Words]] = {  # {minutes}: of the backstop
    "lexicographic": (
        "先使 {minutes} 分钟以外的人最少，再使达标的人最多（默认）",
        "fewest beyond {minutes} minutes, then most within the limits (default)",
    ),
    "mclp": ("达标的人最多", "most people within the limits"),
    "lscp": ("最少几个点，使够得着的人全部达标", "fewest points that serve everybody within reach"),
    "partial": ("最少几个点，使达标的人到一定比例", "fewest points for a share of the people"),
    "p-median": ("平均最近", "nearest on average"),
    "p-center": ("最远的人最近", "the farthest as near as can be"),
    "bacop1": ("人人达标，再使有两辆车够得着的人最多", "everybody within, then most with a second vehicle"),
    "bacop2": ("达标与有第二辆车，按权重兼顾", "within the limits and a second vehicle, weighed"),
    "mexclp": ("考虑车辆繁忙：有空闲车辆可派的人最多", "vehicles may be busy: most people with one that is free"),
    "dsm": (
        "双重标准：{minutes} 分钟内人人有车，达标到比例，有两辆车的人最多",
        "double standard: all in {minutes} min, a share within, most twice",
    ),
    "cmclp": ("每个点只能服务这么多人时，服务的人最多", "most people where each point has room for so many"),
}
STAY_WORDS: Final[dict[str, Words]] = {
    "keep": ("都保留", "all stay"),
    "close": ("可以撤销", "may be closed"),
    "move": ("可以迁走", "may be moved"),
}
CANDIDATE_WORDS: Final[dict[str, Words]] = {
    "eligible": ("可设的机构", "facilities that may host one"),
    "settlements": ("每个村、社区", "every settlement"),
    "clicked": ("我在地图上新增的点", "points I added on the map"),
}
WEIGH_WORDS: Final[dict[str, Words]] = {
    "residents": ("常住人口", "residents"),
    "old": ("65 岁及以上", "people of 65 and over"),
    "calls": ("120 呼救", "120 calls"),
}
TERM_WORDS: Final[dict[str, Words]] = {  # by the option of the command that errors speak of
    "--model": ("要什么", "Goal"),
    "--sites": ("总数（含保留的点）", "Total (kept points included)"),
    "--share": ("达标比例（%）", "Share of the people (%)"),
    "--alpha": ("比例或权重（%）", "Share or weight (%)"),
    "--busy": ("车辆繁忙率（%）", "Share of time busy (%)"),
    "--capacity": ("每点可服务的人数", "People each point can serve"),
    "--vehicles": ("每点车辆", "Vehicles at each point"),
    "--fleet": ("车辆总数", "Vehicles in all"),
    "--limit2": ("兜底时限（分钟）", "Backstop (minutes)"),
    "--weighted": ("按人数加权", "Weighted by people"),
    "--candidates": ("候选点", "Candidates"),
    "--fixed": ("必须有", "Must be among them"),
    "--forbid": ("不得有", "Must not be"),
    "--closable": ("现有的点", "Points that exist"),
    "--movable": ("现有的点", "Points that exist"),
    "--move-within": ("迁址不超过（公里）", "Moves of up to (km)"),
    "--spacing": ("新点间距至少（米）", "New points apart by (m)"),
    "--weigh": ("按什么计", "What counts"),
    "--time-limit": ("最长求解（秒）", "Time limit (s)"),
    "--most": ("算到几个点", "Up to how many points"),
}
SITING_WORDS: Final[dict[str, Words]] = {
    "standby": ("急救待命点选址", "Siting standby points"),
    "sites_help": (
        "先使 30 分钟（或该服务的兜底时限）以外的人最少，再使时限以内的人最多。您新增或拖动过的点保留，其余重新选。",
        "First the fewest people beyond 30 minutes (the backstop), then the most within the limits. Points you added or moved stay.",
    ),
    "solve": ("选址", "Choose sites"),
    "solving": ("正在选址，已 {passed} 秒（至多 {limit} 秒）", "Choosing sites: {passed} s (at most {limit} s)"),
    "curving": (
        "正在逐个点数求解，已 {passed} 秒（至多 {limit} 秒）：{said}",
        "One number after another: {passed} s (at most {limit} s): {said}",
    ),
    "cancel": ("停止，用目前最好的", "Stop, take the best so far"),
    "cancelled": ("正在停下……", "Stopping …"),
    "conditions": ("条件", "Conditions"),
    "not_possible": ("不能这样选址：", "These sites cannot be chosen:"),
    "held": (
        "已选出，但求解期间情景有了改动。采用即回到求解时的情景，再加上选出的点；可撤销。",
        "Chosen, but the scenario changed meanwhile. To take it: the scenario as it was then, with the points; it can be undone.",
    ),
    "take": ("采用", "Take it"),
    "other_people": (
        "选出的点是按另一年份（或方案）的人口选的，请重新选址。",
        "These sites were chosen for the people of another year or growth: choose again.",
    ),
    "versus_plan": (
        "选出的点已被改动。与选址结果（时限以内 {served} 人）相比：{more} 人。",
        "The chosen points were changed. Compared with the choice ({served} people within the limits): {more} people.",
    ),
    "site_result": ("选址结果：点 · 同样好的方案 · 建几个合适", "Chosen points · equally good choices · how many to build"),
    "asked_before": (
        "条件已改：这里仍是先前所问的结果，所问如上。要按现在的条件，请再按按钮求解。",
        "The conditions have changed: this still answers what was asked before, as stated. Press the button again to ask anew.",
    ),
    "result_points": ("选出的点", "Chosen points"),
    "result_curve": ("逐个点数", "Each number of points"),
    "before_after": (
        "时限以内：{before} → {after} 人；{minutes} 分钟以内：{wide_before} → {wide_after} 人。",
        "Within the limits: {before} → {after} people; within {minutes} minutes: {wide_before} → {wide_after}.",
    ),
    "equal_some": ("还有 {count} 个同样好的方案，可任选一个：", "Other choices that are exactly as good: {count}; take any:"),
    "equal_more": (
        "至少还有 {count} 个同样好的方案，可任选一个：",
        "Other choices that are exactly as good: at least {count}; take any:",
    ),
    "equal_none": ("已证明：没有同样好的其他方案。", "Proven: no other choice is as good."),
    "curve": ("建几个点合适？逐个点数求解", "How many? Solve for each number"),
    "curve_about": (
        "{goal}：每个点数各自重新选；“拐点”之后每多一个点增加得少。",
        "{goal}: each number is chosen anew. After the knee, each point more adds less.",
    ),
    "empty_table": ("空着：按机构表", "empty: of the table"),
    "empty_log": ("空着：取 120 记录", "empty: of the 120 log"),
    "empty_none": ("空着：不限", "empty: no such limit"),
    "to_fill": ("请填写", "to be filled in"),
    "empty_rule": ("空着：按该服务的规定", "empty: as the service says"),
    "by_name": ("按名称选择", "by name"),
}


def in_words_of_the_page(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Name the inputs of the page where a message names the options of the command.

    >>> in_words_of_the_page([Problem("请去掉 --sites；", "leave --sites out.")])
    (Problem(zh='请去掉“总数（含保留的点）”；', en='leave “Total (kept points included)” out.'),)
    """
    return tuple(Problem(_said(one.zh, 0).replace(" “", "“").replace("” ", "”"), _said(one.en, 1)) for one in problems)


def _said(text: str, language: int) -> str:
    for option in sorted(TERM_WORDS, key=len, reverse=True):
        text = text.replace(option, f"“{TERM_WORDS[option][language]}”")
    return text
