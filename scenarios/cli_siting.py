"""What may be asked of siting on the command line: the options of ``site``, ``curve``, ``robust`` and ``replay``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

MODELS = ("lexicographic", "mclp", "cmclp", "lscp", "partial", "p-median", "p-center", "bacop1", "bacop2", "mexclp", "dsm")
Add = Callable[[argparse.ArgumentParser], None]


def add_model(command: argparse.ArgumentParser) -> None:
    """Which model, and the terms of some."""
    command.add_argument("--model", choices=MODELS, help="模型，见 docs/siting · the model, see docs/siting")
    command.add_argument("--sites", type=int, help="总数，含保留的点 · the TOTAL, kept and forced points included")
    command.add_argument("--fixed", default="", metavar="IDS", help="必须入选的点，逗号分隔 · forced in, separated by commas")
    command.add_argument("--forbid", default="", metavar="IDS", help="不得入选的点 · never chosen")
    command.add_argument("--share", type=float, metavar="0-1", help="partial：至少覆盖的人口比例 · share of the people to cover")
    said = "bacop2：第一次覆盖的权重；dsm：一级时限内的人口比例 · weight of the first cover; share within the first limit"
    command.add_argument("--alpha", type=float, metavar="0-1", help=said)
    said = "mexclp：车辆繁忙率，一个数、文件（id,busy）或 log（120 记录） · busy share: a number, a file, or log"
    command.add_argument("--busy", metavar="SHARE|FILE|log", help=said)
    command.add_argument("--vehicles", metavar="N|FILE", help="每点车辆数，一个数或文件（id,vehicles） · vehicles at each point")
    said = "车辆总数，由模型分到各点，每点至少一辆，至多 --vehicles · vehicles in all, spread by the model, at least one a point"
    command.add_argument("--fleet", type=int, metavar="N", help=said)
    said = "cmclp：每点可服务的人数，一个数或文件（id,capacity） · people each point can serve"
    command.add_argument("--capacity", metavar="N|FILE", help=said)
    command.add_argument("--limit2", type=float, metavar="COST", help="dsm、lexicographic 的第二个（较宽的）时限 · the wider limit")
    command.add_argument("--weighted", action="store_true", help="p-center：按人口加权 · weighted by people")
    command.add_argument("--budget", type=float, metavar="AMOUNT", help="费用上限，可代替 --sites · of the prices, may replace --sites")
    command.add_argument("--prices", type=Path, metavar="FILE", help="每点的费用（id,price） · the price of each point")
    command.add_argument(
        "--time-limit", type=float, metavar="SECONDS", help="求解时限，到时给出已找到的最好方案 · the best so far is given"
    )
    command.add_argument("--equal", type=int, metavar="N", help="列出至多 N 个同样好的方案 · list up to N choices that are exactly as good")


def add_places(command: argparse.ArgumentParser) -> None:
    """Where on a region points may stand."""
    said = "已有点可撤销：编码或 all · existing points that may be closed: ids or all"
    command.add_argument("--closable", default="", metavar="IDS|all", help=said)
    said = "已有点可迁走（由新点代替）：编码或 all · existing points that may move: ids or all"
    command.add_argument("--movable", default="", metavar="IDS|all", help=said)
    command.add_argument("--move-within", type=float, metavar="KM", help="迁址的最远直线距离 · how far a point may move, as the crow flies")
    said = (
        "候选点，可写多个：eligible（默认，机构表“可设”）、settlements（每个村、社区）、roads:2000（沿路每 2000 米）、机构类别，"
        "或点文件（id,name,lon,lat[,price,vehicles,capacity,turnout]） · candidates, one or several"
    )
    command.add_argument("--candidates", action="append", metavar="WHAT", help=said)
    command.add_argument("--within", type=Path, metavar="FILE", help="候选点须在这些面内 · candidates inside these polygons only")
    command.add_argument("--exclude", type=Path, metavar="FILE", help="候选点不得在这些面内 · no candidate inside these polygons")
    said = "新点与任何点的最小间距（直线） · least distance of a new point from any other, as the crow flies"
    command.add_argument("--spacing", type=float, metavar="METRES", help=said)
    _add_weigh(command)
    command.add_argument("--service", help="有选址规则的服务 · a service with a siting rule (emergency unless given)")
    command.add_argument("--definition", help="口径 · response (default), distance")


def _add_weigh(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--weigh", choices=["residents", "old", "calls"], help="按常住人口（默认）、65 岁及以上或 120 呼救 · what each settlement counts"
    )


def add_site(site: argparse.ArgumentParser, *more: Add) -> None:
    """Choose sites on a region or on an OD table."""
    site.add_argument("region", type=Path, metavar="REGION", nargs="?")
    for add in (add_model, add_places, *more):
        add(site)
    site.add_argument("--matrix", type=Path, metavar="OD", help="OD 表（csv 或 parquet），代替 REGION · an OD table instead of REGION")
    site.add_argument("--cost", metavar="minutes|metres|COLUMN", help="OD 表中的费用列 · the column of the cost")
    site.add_argument("--demand", type=Path, metavar="WEIGHTS.csv", help="编码与人口 · id[,people]; 1 each without people")
    site.add_argument("--demand-side", choices=["from", "to"], help="需求在 OD 表的哪一侧 · which side is the demand")
    site.add_argument("--limit", type=float, help="费用上限，含 · of the cost, inclusive")
    site.add_argument("--json", action="store_true")


def add_curve(curve: argparse.ArgumentParser, *more: Add) -> None:
    """How much each number of points serves, and in which order to build them."""
    curve.add_argument("region", type=Path, metavar="REGION")
    for add in (add_model, add_places, *more):
        add(curve)
    curve.add_argument("--most", type=int, metavar="N", help="算到几个点，默认到覆盖不再增加 · up to how many points; until none adds more")
    said = "分年建设：年:总数，如 2026:2,2028:4,2030:5 · by year: total points in each"
    curve.add_argument("--by-year", metavar="YEAR:N,…", help=said)
    curve.add_argument("--json", action="store_true")


def add_robust(robust: argparse.ArgumentParser, *more: Add) -> None:
    """Which plan is good whatever happens."""
    robust.add_argument("region", type=Path, metavar="REGION")
    for add in (add_model, add_places, *more):
        add(robust)
    said = "情形，逗号分隔，默认全部：hours、speed、population、models、roads · what may differ; all unless given"
    robust.add_argument("--over", metavar="WHAT", help=said)
    robust.add_argument("--cut", default="", metavar="IDS", help="roads：断开的道路（OSM way id） · ways that are cut, each alone")
    robust.add_argument("--json", action="store_true")


def add_replay(replay: argparse.ArgumentParser, *more: Add) -> None:
    """Play the calls of a log, or made-up ones, against the points."""
    replay.add_argument("region", type=Path, metavar="REGION")
    replay.add_argument("--service", help="默认 emergency · emergency unless given")
    replay.add_argument("--definition", help="口径 · response (default)")
    replay.add_argument("--scenario", type=Path, metavar="FILE", help="情景文件（.json），如选址所得的方案 · a scenario, such as a plan")
    said = "每点车辆数，一个数或文件（id,vehicles），默认按机构表，未写的 1 辆 · vehicles at each point; of the table, 1 where it is blank"
    replay.add_argument("--vehicles", metavar="N|FILE", help=said)
    said = "不用 120 记录，随机产生呼救：每天多少次 · made-up calls instead of the log: how many a day"
    replay.add_argument("--synthetic", type=float, metavar="PER_DAY", help=said)
    replay.add_argument("--days", type=int, help="随机呼救的天数，默认 365 · days of made-up calls; 365 unless given")
    replay.add_argument("--runs", type=int, help="重复次数，默认 20 · how often; 20 unless given")
    replay.add_argument("--seed", type=int, help="随机种子，默认 15 · 15 unless given")
    said = "现场分钟数，默认取 120 记录的中位数 · minutes on the scene; of the log unless given"
    replay.add_argument("--scene", type=float, metavar="MINUTES", help=said)
    said = "送院与交接合计的分钟数，默认取 120 记录 · minutes of transport and handover; of the log unless given"
    replay.add_argument("--after-scene", type=float, metavar="MINUTES", help=said)
    for add in (_add_weigh, *more):
        add(replay)
    replay.add_argument("--out", type=Path, metavar="DIR", help="写成 csv、xlsx、json · write as files")
    replay.add_argument("--json", action="store_true")
