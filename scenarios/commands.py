"""What each command does: it asks one library function, then prints or writes."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from coverage import stats
from coverage.stats import CoverageResult
from geodata.errors import FontError, InputError, OptionError, OutputError, Problem, first_few, os_reason
from geodata.region import Prepared
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


def say(text: str) -> None:
    """Say something beside the answer."""
    print(f"circle15: {text}", file=sys.stderr)


def progress(zh: str, en: str) -> None:
    """Say what is being done."""
    say(f"{zh} / {en}")


def example(arguments: argparse.Namespace) -> None:
    """Write the example county and prepare it."""
    from geodata.examples.county import write_county  # noqa: PLC0415 — no other command needs it

    try:
        path = write_county(arguments.folder, seed=arguments.seed)
    except OSError as error:
        where = arguments.folder
        raise OutputError(
            Problem(f"无法写入 {where}（{os_reason(error).zh}）。", f"Cannot write to {where} ({os_reason(error).en}).")
        ) from error
    open_region(path, progress=progress)
    print(path)


def check(arguments: argparse.Namespace) -> None:
    """Say what a region holds, and what is doubtful in it."""
    said = check_region(open_region(arguments.region, progress=progress))
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


def coverage(arguments: argparse.Namespace) -> None:
    """Print coverage by township and the gaps; before and after, if there is a scenario."""
    if arguments.definition and not arguments.service:
        raise OptionError(Problem("--definition 须与 --service 一起使用。", "--definition goes with --service."))
    _file_kinds(arguments)  # what is wrong with the question is told before the work
    scenario = read_scenario(arguments.scenario) if arguments.scenario else None
    prepared = open_region(arguments.region, progress=progress)
    results, comparisons = _results(arguments, prepared, scenario)
    if arguments.out:
        progress("正在绘制服务圈并写文件 ……", "Drawing circles and writing files …")
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
        progress(f"正在计算 {definition.name_zh} ……", f"Computing {name}: {definition.name_en} …")
        try:
            network = prepared.network(definition.mode)
        except InputError as error:
            if arguments.service:
                raise
            say(str(error))  # one mode without roads does not silence the other services
            continue
        if scenario is None:
            results[name] = stats.coverage(prepared.region, definition, network)
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
        say(str(error))
        kinds = tuple(kind for kind in kinds if kind != "png")
        paths = write_files(arguments.out, files(kinds=kinds, language=arguments.lang))
    for path in paths:
        say(str(path))


def site(arguments: argparse.Namespace) -> None:
    """Choose sites, on a region or on an OD table."""
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
    prepared = open_region(arguments.region, progress=progress)
    progress("正在选址 ……", "Choosing sites …")
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


def matrix(arguments: argparse.Namespace) -> None:
    """Write travel times between points."""
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
        say=progress,
    )
    write_table(table.pairs, arguments.out)
    for point in rows(table.off_network):
        away = f"{point['road_m']:,.0f} m"
        progress(
            f"{point['side']} {point['id']}：距最近的可用道路 {away}，没有结果行",
            f"{point['side']} {point['id']}: {away} from any permitted road, no rows",
        )
    progress(f"{len(table.pairs)} 个可达点对写入 {arguments.out}", f"{len(table.pairs)} reachable pairs written to {arguments.out}")
