"""``circle15 replay``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from geodata.errors import InputError, OptionError, Problem
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from geodata.store import open_region
from scenarios.commands.common import in_year, progress, say, warn_of_traffic
from scenarios.model import Open, Scenario, read_scenario
from scenarios.output.replay_report import replay_files, replay_json, replay_text
from scenarios.output.writers import json_text, write_files
from scenarios.replay.replay import replay, replay_points
from scenarios.replay.terms import ReplayTerms
from scenarios.siting.tables.site_numbers import site_numbers


def run(arguments: argparse.Namespace) -> None:
    """Play the calls of a log, or made-up ones, against the points as they are, and against those of a scenario."""
    terms = _terms(arguments)
    scenario = read_scenario(arguments.scenario) if arguments.scenario else None
    prepared = in_year(arguments, open_region(arguments.region, progress=progress))
    service_id = arguments.service or "emergency"
    definition = prepared.services.service(service_id).definition(arguments.definition)
    if arguments.hour is not None:
        definition = definition.at_hour(arguments.hour)
    warn_of_traffic(prepared, [definition])
    vehicles = _vehicles(arguments, prepared, definition, scenario)
    progress("正在回放呼救 ……", "Playing the calls …")
    result = replay(prepared, definition, terms, scenario=scenario, vehicles=vehicles)
    if arguments.out:
        for path in write_files(arguments.out, replay_files(prepared, service_id, result)):
            say(str(path))
    print(json_text(replay_json(prepared, service_id, result)) if arguments.json else replay_text(prepared, result), end="")


def _terms(arguments: argparse.Namespace) -> ReplayTerms:
    """What the options say; days and runs are of made-up calls alone."""
    names = {"synthetic": "per_day", "scene": "scene_minutes", "after_scene": "after_scene_minutes"}
    names |= {name: name for name in ("days", "runs", "seed", "weigh")}
    given = {own: value for name, own in names.items() if (value := getattr(arguments, name)) is not None}
    if foreign := "、".join(f"--{name}" for name in ("days", "runs") if name in given and "per_day" not in given):
        zh, en = f"{foreign} 须与 --synthetic 一起使用：120 记录只有它自己的天数。", "a 120 log has its own days, and is played once."
        raise OptionError(Problem(zh, f"{foreign.replace('、', ', ')} goes with --synthetic: {en}"))
    return ReplayTerms(**given)


def _vehicles(
    arguments: argparse.Namespace, prepared: Prepared, definition: ServiceDefinition, scenario: Scenario | None
) -> Mapping[str, int] | None:
    """Vehicles of every point, before and after; None: of the facility table and the scenario.

    A table may name the points of a plan by the facilities that host them, as siting does.
    """
    if arguments.vehicles is None:
        return None
    points = replay_points(prepared, definition, scenario)
    hosts = {change.id: change.host for change in scenario.changes if isinstance(change, Open) and change.host} if scenario else {}
    hosted = [hosts.get(one, one) for one in points]
    try:
        numbers = site_numbers(arguments.vehicles, points, "vehicles")
    except InputError:
        if len(set(hosted)) < len(points) or hosted == list(points):
            raise
        numbers = site_numbers(arguments.vehicles, hosted, "vehicles")
    return {one: int(count) for one, count in zip(points, numbers, strict=True)}
