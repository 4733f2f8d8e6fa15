"""The words of studies on the page: what each answers, what its terms are called, and errors that speak of the page, not of options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from geodata.errors import Problem
from scenarios.output.legend import Words
from scenarios.studies.terms import Study

STUDY_WORDS: Final[dict[Study, Words]] = {
    "equity": ("公平性：谁最差", "Equity: who is worst off"),
    "access": ("可达性：每千人有多少供给（E2SFCA）", "Accessibility: supply for 1,000 people (E2SFCA)"),
    "capacity": ("能力有限：谁得到服务", "Limited capacity: who is served"),
    "sensitivity": ("敏感性：假定变动时数字变多少", "Sensitivity: how far the figure moves"),
    "flood": ("断路、淹没与关键桥梁", "Cut roads, floods, bridges that matter"),
    "referral": ("急救全程：从呼救到医院", "From the call to the hospital"),
    "surge": ("应急采样：分派与排队", "Surge points: assignment and queues"),
}
ABOUT: Final[dict[Study, Words]] = {
    "equity": (
        "到最近机构的时间在居民中怎样分布：平均、最差的一成、最差的乡镇。不看时限。",
        "How the time to the nearest facility falls on people: the mean, the worst-off tenth, the worst township. No limit plays a part.",
    ),
    "access": (
        "每个机构的供给由够得到它的人分享，再按村（社区）相加：每千人有多少。",
        "Each facility's supply is shared among those who reach it, and added up: how much for 1,000 people.",
    ),
    "capacity": (
        "每个机构只能服务这么多人时，最多能服务多少人，谁够得到却没有余量，在哪里增加能力最有用。",
        "If each facility has room for so many: how many can be served at most, who reaches one without room, where more room helps most.",
    ),
    "sensitivity": (
        "速度、上路距离、时限、出车时间、人口分摊逐项变动，各自重算一次覆盖率，再全部同时变动。",
        "Speed, access radius, limit, turnout, spread of people: each varied alone, coverage computed anew; then all together.",
    ),
    "flood": (
        "道路中断后谁失去服务、谁完全断路；逐座断桥，看哪座最要紧。",
        "Who loses the service and who is cut off when roads are cut; each bridge cut alone: which matters most.",
    ),
    "referral": (
        "受理、出车、到现场、现场停留、送到能够收治的医院：每个村（社区）全程多少分钟。",
        "Call, turnout, drive out, time on the scene, drive to a capable hospital: how many minutes in all for each settlement.",
    ),
    "surge": (
        "每个村（社区）整体到时限内最近的点：能否按时做完，最长等候多少分钟，哪里缺通道。",
        "Each community goes whole to its nearest point: is it done in time, how long is the wait, where are lanes short.",
    ),
}
TERM_WORDS: Final[dict[str, Words]] = {  # by the option of the command that errors speak of
    "--supply": ("供给", "Supply"),
    "--unit": ("能力的单位", "Unit of capacity"),
    "--per-unit": ("每单位服务人数", "People per unit"),
    "--unstated": ("未说明能力的机构", "Facilities that state none"),
    "--ways": ("断开的道路（OSM 编号）", "Roads cut (OSM way ids)"),
    "--area": ("淹没范围（面）", "Flooded area (polygons)"),
    "--bridges": ("逐座断桥", "Cut each bridge alone"),
    "--scene": ("现场停留（分钟）", "On the scene (minutes)"),
    "--within": ("全程时限（分钟）", "Limit of the total (minutes)"),
    "--rate": ("每通道每小时人数", "People per lane and hour"),
    "--hours": ("开放小时", "Hours open"),
    "--share": ("受检比例（%）", "Share of people (%)"),
    "--lanes": ("未说明通道的点按几条", "Lanes of points that state none"),
}
UNSTATED_WORDS: Final[dict[str, Words]] = {
    "": ("须先补齐", "must be filled in"),
    "none": ("按没有能力计", "count as none"),
    "unlimited": ("按不受限计", "count as unlimited"),
}


def on_the_page(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Name the inputs of the page where a message names the options of a command.

    >>> on_the_page([Problem("请用 --per-unit 给出。", "say it with --per-unit.")])
    (Problem(zh='请用“每单位服务人数”给出。', en='say it with “People per unit”.'),)
    """
    return tuple(Problem(_said(one.zh, 0), _said(one.en, 1)) for one in problems)


def _said(text: str, language: int) -> str:
    """One message; Chinese quotation marks need no blanks around them."""
    values = {f"--unstated {value}": UNSTATED_WORDS[value][language] for value in ("none", "unlimited")}
    names = values | {option: words[language] for option, words in TERM_WORDS.items()}
    for option in sorted(names, key=len, reverse=True):
        text = text.replace(option, f"“{names[option]}”")
    return text.replace(" “", "“").replace("” ", "”") if language == 0 else text
