"""The command line: each command calls one library function. Tables for people, ``--json`` for programs, everything else on stderr.

Exit code 0, or 2 with one paragraph that says what is wrong and what to do, or 130 if interrupted.
"""

from __future__ import annotations

import argparse
import functools
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from coverage.stats import CoverageResult, coverage
from geodata.errors import Circle15Error, FontError, InputError, OptionError, OutputError, Problem, first_few, os_reason
from geodata.region import Prepared
from geodata.standards import MODES
from geodata.store import open_region
from scenarios.check import check_region
from scenarios.compare import Comparison, compare
from scenarios.model import Scenario, read_scenario
from scenarios.od import check_ending, od_table, write_table
from scenarios.output.export import FILE_KINDS, FileKind, Writer, coverage_files, json_text, site_files, write_files
from scenarios.output.report import align, comparison_text, coverage_json, coverage_text, people, rows, site_json, site_text
from scenarios.siting.od import site_from_matrix
from scenarios.siting.standby import site_standby

FACTS = {
    "region": "地区 region",
    "illustrative": "示意数据 illustrative",
    "date": "日期 date",
    "crs": "投影坐标系 crs",
    "fingerprint": "数据指纹 fingerprint",
    "zones": "乡镇 zones",
    "demand_points": "村（社区）或栅格单元 demand points",
    "people_inside": "县内人口 people inside",
    "people_outside": "县界外人口（不计） people outside",
    "people_source": "人口来源 people from",
    "facilities_by_kind": "各类机构 facilities",
    "road_pieces": "路段 road pieces",
    "road_km": "道路公里 road km",
}
STREAMLIT_OPTIONS = {
    "server.address": "127.0.0.1",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "theme.base": "light",
    "theme.primaryColor": "#1d5fa6",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the program's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    logging.basicConfig(format="circle15: %(message)s", level=logging.WARNING)
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
    except Circle15Error as error:
        _say(str(error))
        return 2
    except KeyboardInterrupt:
        _say("已取消。 / Cancelled.")
        return 130
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(text: str) -> None:
    print(f"circle15: {text}", file=sys.stderr)


def _progress(zh: str, en: str) -> None:
    _say(f"{zh} / {en}")


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
    example.set_defaults(run=_example)

    check = commands.add_parser("check", help="检查一个地区的数据 · what a region holds and what is doubtful in it")
    check.add_argument("region", type=Path, metavar="REGION", help="region.toml 或其所在文件夹 · region.toml or its folder")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_check)

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
    _add_out(cover)
    cover.add_argument("--json", action="store_true")
    cover.set_defaults(run=_coverage)

    _add_site(commands)
    _add_matrix(commands)
    return parser


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, metavar="DIR", help="把结果写成文件 · write the results as files")
    kinds = ",".join(FILE_KINDS)
    command.add_argument(
        "--files", metavar="KINDS", help=f"只要其中几种，逗号分隔 · only some of {kinds}, separated by commas; all unless given"
    )
    command.add_argument("--lang", choices=["zh", "en"], default="zh", help="地图的语言 · language of the maps")


def _add_site(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    site = commands.add_parser("site", help="选址 · choose sites, on a region or on an OD table")
    site.add_argument("region", type=Path, metavar="REGION", nargs="?")
    site.add_argument("--service", help="有选址规则的服务 · a service with a siting rule (emergency unless given)")
    site.add_argument("--definition", help="口径 · response (default), distance")
    site.add_argument("--sites", type=int, required=True, help="总数，含保留的点 · the TOTAL, kept and forced points included")
    site.add_argument("--fixed", default="", metavar="IDS", help="必须入选的点，逗号分隔 · forced in, separated by commas")
    site.add_argument("--time-limit", type=float, metavar="SECONDS", help="求解时限 · for the solver; none unless given")
    _add_out(site)
    site.add_argument("--matrix", type=Path, metavar="OD", help="OD 表（csv 或 parquet），代替 REGION · an OD table instead of REGION")
    site.add_argument("--cost", metavar="minutes|metres|COLUMN", help="OD 表中的费用列 · the column of the cost")
    site.add_argument("--demand", type=Path, metavar="WEIGHTS.csv", help="编码与人口 · id[,people]; 1 each without people")
    site.add_argument("--demand-side", choices=["from", "to"], help="需求在 OD 表的哪一侧 · which side is the demand")
    site.add_argument("--model", choices=["mclp"], help="mclp：覆盖最多的人 · most people within the limit")
    site.add_argument("--limit", type=float, help="费用上限，含 · of the cost, inclusive")
    site.add_argument("--json", action="store_true")
    site.set_defaults(run=_site)


def _add_matrix(commands: Any) -> None:  # noqa: ANN401 — argparse's own type is private
    matrix = commands.add_parser("matrix", help="出行时间表 · travel times between points")
    matrix.add_argument("roads", type=Path, metavar="ROADS", help=".osm.pbf .osm .osm.gz .osm.bz2")
    matrix.add_argument("--mode", required=True, choices=MODES)
    matrix.add_argument("--weight", default="time", choices=["time", "distance"])
    matrix.add_argument(
        "--from", dest="origins", type=Path, required=True, metavar="POINTS", help="id,lon,lat 或矢量文件 · or a vector file"
    )
    matrix.add_argument("--to", dest="destinations", type=Path, required=True, metavar="POINTS")
    matrix.add_argument("--limit-minutes", type=float)
    matrix.add_argument("--max-snap", type=float, default=1000, metavar="METRES")
    matrix.add_argument("--no-access-leg", dest="access_leg", action="store_false")
    matrix.add_argument("--out", type=Path, required=True, metavar="OD.csv|parquet")
    matrix.set_defaults(run=_matrix)


def _example(arguments: argparse.Namespace) -> None:
    from geodata.examples.county import write_county  # noqa: PLC0415 — no other command needs it

    try:
        path = write_county(arguments.folder, seed=arguments.seed)
    except OSError as error:
        where = arguments.folder
        raise OutputError(
            Problem(f"无法写入 {where}（{os_reason(error).zh}）。", f"Cannot write to {where} ({os_reason(error).en}).")
        ) from error
    open_region(path, progress=_progress)
    print(path)


def _check(arguments: argparse.Namespace) -> None:
    said = check_region(open_region(arguments.region, progress=_progress))
    if arguments.json:
        print(json_text(said | {"findings": [finding.__dict__ for finding in said["findings"]]}), end="")
        return
    facts = said["facts"]
    print(
        align(
            ["文件 file", "角色 role", "行数 rows", "sha256", "来源 source"],
            [[s["file"], s["role"], str(s["rows"]), s["sha256"][:12], s["note"]] for s in facts["sources"]],
        )
    )
    print()
    print(align(["项 fact", ""], [[label, _shown(facts[name])] for name, label in FACTS.items()]))
    print()
    found = [[f.severity, f"{f.zh} {f.en}", str(f.count), people(f.people) if f.people else "–", f.first] for f in said["findings"]]
    print(
        align(["级别", "发现 finding", "数量 count", "人口 people", "例 first"], found)
        if found
        else "没有发现问题。 Nothing doubtful was found."
    )


def _shown(value: Any) -> str:  # noqa: ANN401 — any fact
    """A fact or figure for people: thousands set off, lists and counts in a row."""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)


def _app(arguments: argparse.Namespace) -> None:
    region = arguments.region / "region.toml" if arguments.region.is_dir() else arguments.region
    open_region(region, progress=_progress)  # a broken region is told here, in the terminal, and not only on the page
    entry = find_spec("streamlit_app")
    if entry is None or entry.origin is None:
        raise OptionError(Problem("安装不完整：缺少 streamlit_app.py。", "The installation is not complete: streamlit_app.py is missing."))
    options = STREAMLIT_OPTIONS | ({"server.port": str(arguments.port)} if arguments.port else {})
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    command = [sys.executable, "-P", "-m", "streamlit", "run", entry.origin, *flags]
    raise SystemExit(subprocess.call(command, env=os.environ | {"CIRCLE15_REGION": str(region.resolve())}))  # noqa: S603 — our own command


def _coverage(arguments: argparse.Namespace) -> None:
    if arguments.definition and not arguments.service:
        raise OptionError(Problem("--definition 须与 --service 一起使用。", "--definition goes with --service."))
    _file_kinds(arguments)  # what is wrong with the question is told before the work
    scenario = read_scenario(arguments.scenario) if arguments.scenario else None
    prepared = open_region(arguments.region, progress=_progress)
    results, comparisons = _results(arguments, prepared, scenario)
    if arguments.out:
        _progress("正在绘制服务圈并写文件 ……", "Drawing circles and writing files …")
        _write(arguments, functools.partial(coverage_files, prepared, results, comparisons=comparisons))
    if arguments.json:
        print(json_text(coverage_json(prepared, results, comparisons)), end="")
        return
    for name, result in results.items():
        print(coverage_text(prepared, name, result))
        if name in comparisons:
            print(comparison_text(comparisons[name]))


def _results(
    arguments: argparse.Namespace, prepared: Prepared, scenario: Scenario | None
) -> tuple[dict[str, CoverageResult], dict[str, Comparison]]:
    """Coverage of each service wanted, and its comparison if there is a scenario."""
    results: dict[str, CoverageResult] = {}
    comparisons: dict[str, Comparison] = {}
    for name in [arguments.service] if arguments.service else prepared.services.services:
        definition = prepared.services.service(name).definition(arguments.definition)
        if arguments.minutes is not None:
            definition = definition.with_minutes(arguments.minutes)
        _progress(f"正在计算 {definition.name_zh} ……", f"Computing {name}: {definition.name_en} …")
        try:
            network = prepared.network(definition.mode)
        except InputError as error:
            if arguments.service:
                raise
            _say(str(error))  # one mode without roads does not silence the other services
            continue
        if scenario is None:
            results[name] = coverage(prepared.region, definition, network)
        else:
            comparisons[name] = compare(prepared, scenario, definition)
            results[name] = comparisons[name].after
    if not results:
        raise InputError(Problem("没有一个服务可以计算。", "None of the services can be computed."))
    return results, comparisons


def _file_kinds(arguments: argparse.Namespace) -> tuple[FileKind, ...]:
    """The kinds of file wanted, in the order of FILE_KINDS."""
    if arguments.files is None:
        return FILE_KINDS
    wanted = {one.strip() for one in arguments.files.split(",")}
    unknown, known = first_few(sorted(wanted - set(FILE_KINDS))), ",".join(FILE_KINDS)
    if unknown:
        raise OptionError(Problem(f"--files：没有 {unknown}；可选：{known}。", f"--files: no {unknown}; there are: {known}."))
    if arguments.out is None:
        raise OptionError(Problem("--files 须与 --out 一起使用。", "--files goes with --out."))
    return tuple(kind for kind in FILE_KINDS if kind in wanted)


def _write(arguments: argparse.Namespace, files: Callable[..., dict[str, Writer]]) -> None:
    """Write files; a machine without a Chinese font goes without pictures, unless they were asked for by name."""
    kinds = _file_kinds(arguments)
    try:
        paths = write_files(arguments.out, files(kinds=kinds, language=arguments.lang))
    except FontError as error:
        if arguments.files:
            raise
        _say(str(error))
        kinds = tuple(kind for kind in kinds if kind != "png")
        paths = write_files(arguments.out, files(kinds=kinds, language=arguments.lang))
    for path in paths:
        _say(str(path))


def _site(arguments: argparse.Namespace) -> None:
    fixed = [one.strip() for one in arguments.fixed.split(",") if one.strip()]
    _refuse_foreign(
        arguments,
        ("service", "definition", "time_limit", "out", "files")
        if arguments.matrix
        else ("cost", "demand", "demand_side", "model", "limit"),
    )
    if arguments.matrix:
        if arguments.region or arguments.demand is None or arguments.limit is None:
            raise OptionError(
                Problem("--matrix 须有 --demand 与 --limit，且不与 REGION 同用。", "--matrix needs --demand and --limit, and no REGION.")
            )
        result = site_from_matrix(
            arguments.matrix,
            arguments.demand,
            cost=arguments.cost or "minutes",
            model=arguments.model or "mclp",
            sites=arguments.sites,
            limit=arguments.limit,
            fixed=fixed,
            demand_side=arguments.demand_side,
        )
        said = result.to_json()
        print(
            json_text(said) if arguments.json else align(["", ""], [[key, _shown(value)] for key, value in said.items()]),
            end="\n" * (not arguments.json),
        )
        return
    if arguments.region is None:
        raise OptionError(Problem("请给出 REGION，或用 --matrix 给出 OD 表。", "Name a REGION, or an OD table by --matrix."))
    _file_kinds(arguments)  # what is wrong with the question is told before the work
    prepared = open_region(arguments.region, progress=_progress)
    _progress("正在选址 ……", "Choosing sites …")
    service = arguments.service or "emergency"
    plan = site_standby(
        prepared,
        service,
        sites=arguments.sites,
        definition_id=arguments.definition,
        fixed=fixed,
        time_limit_s=arguments.time_limit,
    )
    if arguments.out:
        _write(arguments, functools.partial(site_files, prepared, service, plan))
    print(json_text(site_json(prepared, service, plan)) if arguments.json else site_text(prepared, plan), end="")


def _refuse_foreign(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse the options of the other way to site, rather than pass them over."""
    given = ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None)
    if given:
        zh, en = ("OD 表", "an OD table (--matrix)") if arguments.matrix else ("REGION", "a REGION")
        raise OptionError(Problem(f"{given} 不能与 {zh} 一起使用。", f"{given} cannot be used with {en}."))


def _matrix(arguments: argparse.Namespace) -> None:
    check_ending(arguments.out)
    table = od_table(
        arguments.roads,
        arguments.origins,
        arguments.destinations,
        mode=arguments.mode,
        weight=arguments.weight,
        limit_minutes=arguments.limit_minutes,
        max_snap_m=arguments.max_snap,
        access_leg=arguments.access_leg,
        say=_progress,
    )
    write_table(table.pairs, arguments.out)
    for point in rows(table.off_network):
        away = f"{point['road_m']:,.0f} m"
        _progress(
            f"{point['side']} {point['id']}：距最近的可用道路 {away}，没有结果行",
            f"{point['side']} {point['id']}: {away} from any permitted road, no rows",
        )
    _progress(f"{len(table.pairs)} 个可达点对写入 {arguments.out}", f"{len(table.pairs)} reachable pairs written to {arguments.out}")
