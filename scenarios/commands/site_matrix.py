"""``circle15 site --matrix``."""

from __future__ import annotations

import argparse
import csv

from geodata.errors import OptionError, Problem
from scenarios.commands.common import say
from scenarios.output.od_report import od_text
from scenarios.output.writers import json_text
from scenarios.siting.stop import Stop
from scenarios.siting.tables.od import OdQuestion, site_from_matrix
from scenarios.siting.tables.od_table import has_people
from scenarios.siting.words import contradiction

OF_A_REGION = (
    "region",
    "closable",
    "movable",
    "move_within",
    "candidates",
    "within",
    "exclude",
    "spacing",
    "weigh",
    "service",
    "definition",
    "hour",
    "year",
    "growth",
    "out",
    "files",
)


def run(arguments: argparse.Namespace) -> int:
    """Choose sites on an OD table: 0, or 2 if what is demanded contradicts itself."""
    question = _question(arguments)
    result = site_from_matrix(
        arguments.matrix, arguments.demand, question, stop=Stop.after(arguments.time_limit), equals=arguments.equal or 0
    )
    is_infeasible = result.status == "infeasible"
    if arguments.json:
        print(json_text(result.to_json()), end="")
    if is_infeasible:
        for words in contradiction(result):
            say(words)
    elif not arguments.json:
        print(od_text(result, has_people=has_people(arguments.demand), has_limit=question.limit is not None), end="")
    return 2 if is_infeasible else 0


def ids_in(text: str) -> tuple[str, ...]:
    """Ids separated by commas; one that holds a comma stands in double quotes, as in a csv.

    >>> ids_in('H1, "a, b",007')
    ('H1', 'a, b', '007')
    """
    cells = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(cell.strip() for cell in cells if cell.strip())


def _question(arguments: argparse.Namespace) -> OdQuestion:
    """Make a question of the options; all that is wrong with them at once."""
    problems = [*_of_a_region(arguments), *_wrong(arguments)]
    try:
        question = OdQuestion(
            model=arguments.model or "mclp",
            cost=arguments.cost or "minutes",
            demand_side=arguments.demand_side,
            sites=arguments.sites,
            fixed=ids_in(arguments.fixed),
            forbidden=ids_in(arguments.forbid),
            limit=arguments.limit,
            limit2=arguments.limit2,
            share=arguments.share,
            alpha=arguments.alpha,
            busy=arguments.busy,
            vehicles=arguments.vehicles,
            fleet=arguments.fleet,
            capacity=arguments.capacity,
            prices=arguments.prices,
            budget=arguments.budget,
            weighted=arguments.weighted,
        )
    except OptionError as error:
        raise OptionError(*problems, *error.problems) from None
    if problems:
        raise OptionError(*problems)
    return question


def _of_a_region(arguments: argparse.Namespace) -> list[Problem]:
    """Options that say something of a region."""
    names = [name for name in OF_A_REGION if getattr(arguments, name) is not None and getattr(arguments, name) != ""]
    given = ", ".join("REGION" if name == "region" else f"--{name.replace('_', '-')}" for name in names)
    if not given:
        return []
    return [Problem(f"{given} 不能与 --matrix（OD 表）一起使用。", f"{given} cannot be used with an OD table (--matrix).")]


def _wrong(arguments: argparse.Namespace) -> list[Problem]:
    problems = []
    if arguments.demand is None:
        problems.append(Problem("--matrix 须有 --demand（需求方的编码与人口）。", "--matrix needs --demand: ids and people of the demand."))
    if arguments.busy == "log":
        zh = "--busy log 取自地区的 120 记录；用 OD 表时请写一个数，或文件（id,busy）。"
        problems.append(Problem(zh, "--busy log is of a region's 120 log; with an OD table give a number or a file (id,busy)."))
    for name, value in (("time-limit", arguments.time_limit), ("equal", arguments.equal)):
        if value is not None and not value > 0:
            problems.append(Problem(f"--{name} 须大于 0，现为 {value}。", f"--{name} must be more than 0, not {value}."))
    return problems
