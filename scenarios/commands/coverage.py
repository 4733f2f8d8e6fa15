"""``circle15 coverage``."""

from __future__ import annotations

import argparse
import functools

from coverage import stats
from coverage.stats import CoverageResult
from geodata.errors import InputError, OptionError, Problem
from geodata.region import Prepared
from geodata.store import open_region
from scenarios.commands.common import as_asked, file_kinds, in_year, progress, say, warn_of_traffic, write
from scenarios.compare import Comparison, compare
from scenarios.model import Scenario, read_scenario
from scenarios.output.export import coverage_files
from scenarios.output.report import comparison_text, coverage_json, coverage_text
from scenarios.output.writers import json_text


def run(arguments: argparse.Namespace) -> None:
    """Print coverage by township and the gaps; before and after, if there is a scenario."""
    if arguments.definition and not arguments.service:
        raise OptionError(Problem("--definition 须与 --service 一起使用。", "--definition goes with --service."))
    file_kinds(arguments)  # what is wrong with the question is told before the work
    scenario = read_scenario(arguments.scenario) if arguments.scenario else None
    prepared = in_year(arguments, open_region(arguments.region, progress=progress))
    results, comparisons = _results(arguments, prepared, scenario)
    warn_of_traffic(prepared, [result.definition for result in results.values()])
    if arguments.out:
        progress("正在绘制服务圈并写文件 ……", "Drawing circles and writing files …")
        write(arguments, functools.partial(coverage_files, prepared, results, comparisons=comparisons))
    if arguments.json:
        print(json_text(coverage_json(prepared, results, comparisons)), end="")
        return
    for name, result in results.items():
        print(coverage_text(prepared, name, result))
        if name in comparisons:
            print(comparison_text(comparisons[name], prepared.region.demand))


def _results(
    arguments: argparse.Namespace, prepared: Prepared, scenario: Scenario | None
) -> tuple[dict[str, CoverageResult], dict[str, Comparison]]:
    """Coverage of each service wanted, and its comparison if there is a scenario."""
    results: dict[str, CoverageResult] = {}
    comparisons: dict[str, Comparison] = {}
    for name in [arguments.service] if arguments.service else prepared.services.services:
        definition = prepared.services.service(name).definition(arguments.definition)
        definition = as_asked(arguments, definition)
        progress(f"正在计算 {definition.name_zh} ……", f"Computing {name}: {definition.name_en} …")
        try:
            network = prepared.network_of(definition)
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
