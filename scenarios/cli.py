"""The command line: what may be asked. Tables for people, ``--json`` for programs, everything else on stderr.

Exit code 0, or 2 with a line for each thing that is wrong and what to do, or 130 if interrupted. The commands themselves stand in
``scenarios.commands``, a module each, brought when it is asked: the libraries take seconds, help and the app's server need none of them.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

from geodata.errors import Circle15Error, OptionError, Problem
from geodata.standards import MODES
from scenarios import cli_siting


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the program's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    logging.basicConfig(format="circle15: %(message)s", level=logging.WARNING)
    try:
        arguments = _parser().parse_args(argv)
        return arguments.run(arguments) or 0
    except Circle15Error as error:
        for line in str(error).splitlines():
            _say(line)
        return 2
    except KeyboardInterrupt:
        _say("已取消。 / Cancelled.")
        return 130
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(text: str) -> None:
    print(f"circle15: {text}", file=sys.stderr)


def _command(name: str) -> Callable[[argparse.Namespace], int | None]:
    def run(arguments: argparse.Namespace) -> int | None:
        code: int | None = import_module(f"scenarios.commands.{name}").run(arguments)
        return code

    return run


class _Parser(argparse.ArgumentParser):
    """argparse, whose complaints are errors like all others."""

    def error(self, message: str) -> NoReturn:
        """Complain in one paragraph."""
        raise OptionError(Problem(f"命令有误：{message}。用法见 {self.prog} --help。", f"{message}. See {self.prog} --help."))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="circle15", description="十五分钟服务圈与急救待命点规划 · 15-minute service circles and standby points")
    parser.add_argument("--version", action="version", version=f"circle15 {version('circle15')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    example = commands.add_parser("example", help="生成示例县 · write the example county")
    example.add_argument("folder", type=Path, metavar="DIR")
    example.add_argument("--seed", type=int, default=15)
    example.add_argument("--messy", action="store_true", help="像各科室交来的那样 · as the offices hand it in")
    example.set_defaults(run=_command("example"))

    check = commands.add_parser("check", help="检查一个地区的数据 · what a region holds and what is doubtful in it")
    check.add_argument("region", type=Path, metavar="REGION", help="region.toml 或其所在文件夹 · region.toml or its folder")
    check.add_argument("--out", type=Path, metavar="DIR", help="把发现写成表和图层 · write the findings as a table and layers")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_command("check"))

    app = commands.add_parser("app", help="打开应用 · open the app")
    app.add_argument("region", type=Path, metavar="REGION", nargs="?", default=Path("region.toml"))
    app.add_argument("--port", type=int, default=None)
    app.set_defaults(run=_app)

    cover = commands.add_parser("coverage", help="服务圈与覆盖率 · circles and coverage by township")
    cover.add_argument("region", type=Path, metavar="REGION")
    cover.add_argument("--service", help="medical, fitness, sampling, emergency；默认全部 · all unless given")
    cover.add_argument("--definition", help="口径，默认为该服务的第一个 · the service's first unless given")
    cover.add_argument("--minutes", type=float, help="代替口径中的分钟数 · instead of the definition's minutes")
    cover.add_argument("--scenario", type=Path, metavar="FILE", help="情景文件（.json）：前后对比 · before and after a scenario")
    _add_hour(cover)
    _add_year(cover)
    _add_out(cover)
    cover.add_argument("--json", action="store_true")
    cover.set_defaults(run=_command("coverage"))

    _add_siting(commands)
    _add_matrix(commands)
    _add_tables(commands)
    _add_norms(commands)
    _add_explain(commands)
    _add_calls(commands)
    _add_fetch(commands)
    _add_capacity(commands)
    _add_surge(commands)
    _add_access(commands)
    _add_referral(commands)
    _add_equity(commands)
    _add_sensitivity(commands)
    _add_flood(commands)
    return parser


def _add_question(commands: Any, name: str, said: str) -> argparse.ArgumentParser:  # noqa: ANN401 — argparse's own type is private
    """What every study asks: which region, service and definition, in which scenario, year and hour, and where the answer goes."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=said)
    command.add_argument("region", type=Path, metavar="REGION")
    command.add_argument("--service", required=True, help="medical, fitness, sampling, emergency …")
    command.add_argument("--definition", help="口径，默认为该服务的第一个 · the service's first unless given")
    command.add_argument("--minutes", type=float, help="代替口径中的分钟数 · instead of the definition's minutes")
    command.add_argument("--scenario", type=Path, metavar="FILE", help="情景文件（.json）· a scenario")
    _add_hour(command)
    _add_year(command)
    command.add_argument("--out", type=Path, metavar="DIR", help="写成 csv、xlsx、json · write as files")
    command.add_argument("--json", action="store_true")
    command.set_defaults(run=_command(name))
    return command


def _add_hour(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--hour",
        type=int,
        metavar="0-23",
        help="该小时的车速，默认全天平均车速 · speeds of that hour; unless given, usual speeds, the day's average",
    )


def _add_year(command: argparse.ArgumentParser) -> None:
    said = (
        "规划年：按 [growth] 推算人口，机构与标准按该年同日计 · target year: people grown by [growth], facilities and norms as on that day"
    )
    command.add_argument("--year", type=int, help=said)
    command.add_argument("--growth", choices=["low", "central", "high"], help="增长方案，默认 central · variant of growth")


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, metavar="DIR", help="把结果写成文件 · write the results as files")
    kinds = "csv,gpkg,json,xlsx,html,png,folium"
    command.add_argument("--files", metavar="KINDS", help=f"只要其中几种，默认全部 · only some of {kinds}; all unless given")
    command.add_argument("--lang", choices=["zh", "en"], default="zh", help="地图的语言 · language of the maps")


def _add_siting(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    site = commands.add_parser("site", help="选址 · choose sites, on a region or on an OD table")
    cli_siting.add_site(site, _add_hour, _add_year, _add_out)
    site.set_defaults(run=_command("site"))
    curve = commands.add_parser("curve", help="建几个点、先建哪个 · how many points, and which first")
    cli_siting.add_curve(curve, _add_hour, _add_year, _add_out)
    curve.set_defaults(run=_command("curve"))
    robust = commands.add_parser("robust", help="各种情形下都不差的方案 · the plan that is good whatever happens")
    cli_siting.add_robust(robust, _add_hour, _add_year, _add_out)
    robust.set_defaults(run=_command("robust"))
    replay = commands.add_parser("replay", help="用 120 记录检验方案 · play the 120 log against a plan")
    cli_siting.add_replay(replay, _add_hour, _add_year)
    replay.set_defaults(run=_command("replay"))


def _add_matrix(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    matrix = commands.add_parser("matrix", help="出行时间表 · travel times between points")
    roads_help = (
        "OSM、.graphml、路段表（.shp .gpkg .geojson .csv），或含 [roads] 的 .toml · OSM, GraphML, a link table, or a .toml with [roads]"
    )
    matrix.add_argument("roads", type=Path, metavar="ROADS", help=roads_help)
    matrix.add_argument("--mode", required=True, choices=MODES)
    matrix.add_argument("--weight", default="time", choices=["time", "distance"])
    matrix.add_argument(
        "--from", dest="origins", type=Path, required=True, metavar="POINTS", help="id,lon,lat 或矢量文件 · or a vector file"
    )
    matrix.add_argument("--to", dest="destinations", type=Path, required=True, metavar="POINTS")
    matrix.add_argument("--limit-minutes", type=float)
    matrix.add_argument("--max-snap", type=float, default=1000, metavar="METRES")
    matrix.add_argument("--no-access-leg", dest="access_leg", action="store_false")
    matrix.add_argument("--speeds", type=Path, metavar="FILE", help="车速文件，默认用程序自带的 · speeds.toml; the program's unless given")
    _add_hour(matrix)
    matrix.add_argument("--out", type=Path, required=True, metavar="OD.csv|parquet")
    matrix.set_defaults(run=_command("matrix"))


def _add_tables(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    tables = commands.add_parser("tables", help="各表是怎样读的，并确认 · how each table is read, and confirm it")
    tables.add_argument("region", type=Path, metavar="REGION")
    tables.add_argument(
        "--rejected", type=Path, metavar="DIR", help="把读不了的行写成表，改好再读 · write the rows that cannot be read, to mend"
    )
    tables.add_argument("--confirm", action="store_true", help="把建议写入 region.toml · write what is proposed into region.toml")
    tables.add_argument("--json", action="store_true")
    tables.set_defaults(run=_command("tables"))


def _add_norms(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    norms = commands.add_parser("norms", help="对照标准与规划指标：应有、现有、缺口 · required, present, shortfall by norm")
    norms.add_argument("region", type=Path, metavar="REGION")
    norms.add_argument(
        "--ambulance-base", type=float, metavar="FACTOR", help="县的救护车人口基数倍数，1 或 3 · factor on a county's people"
    )
    norms.add_argument("--area", choices=["county", "district"], help="县或市辖区，默认看名称 · by the region's name unless given")
    _add_year(norms)
    norms.add_argument("--out", type=Path, metavar="DIR", help="写成 csv、xlsx、json · write as files")
    norms.add_argument("--json", action="store_true")
    norms.set_defaults(run=_command("norms"))


def _add_explain(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    explain = commands.add_parser("explain", help="两个口径的数字为何不同 · why two definitions give different figures")
    explain.add_argument("region", type=Path, metavar="REGION")
    explain.add_argument("--service", required=True)
    explain.add_argument("--definition", metavar="A", help="口径，默认为该服务的第一个 · the service's first unless given")
    explain.add_argument("--against", required=True, metavar="B")
    explain.add_argument("--published", metavar="PERCENT", help="已公布的占比，看哪个口径相符 · a published share to reconcile")
    explain.add_argument("--out", type=Path, metavar="DIR")
    explain.add_argument("--json", action="store_true")
    explain.set_defaults(run=_command("explain"))


def _add_calls(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    calls = commands.add_parser("calls", help="120 记录：车速、出动、占用、呼救分布 · what the 120 log tells")
    calls.add_argument("region", type=Path, metavar="REGION")
    calls.add_argument(
        "--vehicles", type=float, metavar="N", help="同时在岗的救护车 · ambulances on duty at once; the facilities' unless given"
    )
    calls.add_argument("--out", type=Path, metavar="DIR", help="写成 csv、xlsx、json 和 speeds.toml · write as files")
    calls.add_argument("--json", action="store_true")
    calls.set_defaults(run=_command("calls"))


def _add_fetch(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    fetch = commands.add_parser("fetch", help="从 OSM 取一个县的数据 · a county's data from OSM")
    fetch.add_argument("place", metavar="PLACE", nargs="?", help="如“进贤县, 江西” · such as “进贤县, 江西”")
    fetch.add_argument("folder", type=Path, metavar="DIR")
    fetch.add_argument("--pbf", type=Path, metavar="FILE", help="离线：省或全国的 .osm.pbf · offline, from an extract")
    fetch.add_argument("--boundary", type=Path, metavar="FILE", help="县界（矢量文件） · the county's boundary")
    fetch.add_argument("--buffer-km", type=float, default=20)
    fetch.add_argument("--overpass", metavar="URL", help="另一个 Overpass 服务 · another Overpass server")
    fetch.add_argument("--nominatim", metavar="URL", help="另一个 Nominatim 服务 · another Nominatim server")
    fetch.set_defaults(run=_command("fetch"))


def _add_capacity(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    capacity = _add_question(commands, "capacity", "能力有限时谁得到服务 · who is served where capacity is limited")
    said = "能力的单位，默认 capacity（床位、㎡等）· what room is counted in: capacity (beds, m² …), physicians, nurses …"
    capacity.add_argument("--unit", default="capacity", metavar="COLUMN", help=said)
    said = "每单位服务多少人，默认按标准 · people that one unit is for; by the norms unless given"
    capacity.add_argument("--per-unit", type=float, metavar="PEOPLE", help=said)
    said = "未说明能力的机构怎样计 · what facilities count for that do not state it"
    capacity.add_argument("--unstated", choices=["none", "unlimited"], help=said)


def _add_surge(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    surge = _add_question(commands, "surge", "应急采样：分片、通道、排队 · surge points: assignment, lanes, waiting")
    surge.add_argument(
        "--rate", type=float, required=True, metavar="PEOPLE", help="每通道每小时人数 · people that a lane serves in an hour"
    )
    surge.add_argument("--hours", type=float, required=True, help="开放小时 · how long the points are open")
    surge.add_argument("--share", type=float, default=1.0, help="受检人口比例，默认 1 · of the people, who comes; 1 unless given")
    surge.add_argument(
        "--assign", choices=["nearest", "balanced"], default="nearest", help="就近，或使最后完成最早 · nearest, or earliest last finish"
    )
    surge.add_argument(
        "--arrivals",
        type=Path,
        metavar="FILE.csv",
        help="到达比例：小时,比例（hour,share），首行为开放后第一小时，默认均匀 · profile, first row = opening; even unless given",
    )
    surge.add_argument("--wait", type=float, default=30.0, metavar="MINUTES", help="等候上限，默认 30 · longest wait; 30 unless given")
    surge.add_argument("--lanes", type=int, metavar="N", help="未说明通道的点按几条 · lanes of points that do not state them")


def _add_access(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    access = _add_question(commands, "access", "两步移动搜寻法的可达性 · floating catchment accessibility (E2SFCA)")
    said = "分给居民的供给 · what is shared: capacity, physicians, nurses, pharmacists, general_practitioners, tcm_physicians, vehicles …"
    access.add_argument("--supply", required=True, metavar="COLUMN", help=said)
    said = "分钟:权重，默认按时限三等分 1、0.68、0.22 · minutes:weight; thirds of the limit with 1, 0.68, 0.22 unless given"
    access.add_argument("--steps", metavar="5:1,10:0.68,15:0.22", help=said)


def _add_referral(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    referral = _add_question(commands, "referral", "待命点→现场→医院的全程时间 · standby point, scene, capable hospital")
    referral.add_argument("--kinds", metavar="KINDS", help="能够收治的类别，默认 hospital · kinds that can receive; hospital unless given")
    referral.add_argument("--beds", type=float, metavar="N", help="床位至少 N 张 · only those with at least N beds")
    referral.add_argument("--hospitals", metavar="IDS", help="指名医院，代替前两项 · these and no others, separated by commas")
    referral.add_argument(
        "--scene", type=float, metavar="MINUTES", help="现场时间，默认取 120 记录的中位数 · on the scene; of the 120 log unless given"
    )
    referral.add_argument("--within", type=float, metavar="MINUTES", help="全程时限，默认 60 · of the whole chain; 60 unless given")


def _add_equity(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    _add_question(commands, "equity", "公平性：最差的乡镇与一成居民 · who is worst off")


def _add_sensitivity(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    _add_question(commands, "sensitivity", "假定变动时结果变多少 · how far the answer moves with its assumptions")


def _add_flood(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    flood = _add_question(commands, "flood", "断路、淹没与关键桥梁 · cut roads, floods, the bridge that matters most")
    flood.add_argument(
        "--ways", default="", metavar="IDS", help="断开的道路（OSM way id），逗号分隔 · ways that are cut, separated by commas"
    )
    flood.add_argument(
        "--area", type=Path, metavar="FILE", help="淹没范围（面，任何矢量文件） · the flooded area: polygons of any vector file"
    )
    flood.add_argument("--bridges", action="store_true", help="逐座断桥，按损失排序 · cut each bridge alone, and rank them")


def _app(arguments: argparse.Namespace) -> None:
    region = arguments.region / "region.toml" if arguments.region.is_dir() else arguments.region
    if not region.is_file():
        raise OptionError(Problem(f"没有文件 {region}。", f"There is no file {region}."))
    import_module("scenarios.app.serve").serve(region, port=arguments.port)
