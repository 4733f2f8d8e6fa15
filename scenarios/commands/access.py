"""``circle15 access``."""

from __future__ import annotations

import argparse

from coverage.studies.floating import Step, floating_access
from geodata.errors import OptionError, Problem
from scenarios.commands.common import asked, progress, say
from scenarios.output.access_report import access_files, access_json, access_text
from scenarios.output.writers import json_text, write_files


def run(arguments: argparse.Namespace) -> None:
    """Tell how much supply there is for the people of each township and settlement."""
    steps = read_steps(arguments.steps) if arguments.steps is not None else None
    question = asked(arguments)
    prepared, definition = question.prepared, question.definition
    progress("正在计算可达性 ……", "Computing accessibility …")
    result = floating_access(prepared.region, definition, prepared.network_of(definition), supply=arguments.supply, steps=steps)
    if arguments.out:
        for path in write_files(arguments.out, access_files(prepared, question.service_id, result)):
            say(str(path))
    said = access_json(prepared, question.service_id, result) if arguments.json else None
    print(access_text(prepared, question.service_id, result) if said is None else json_text(said), end="")


def read_steps(text: str) -> tuple[Step, ...]:
    """Read steps as they are written on the command line.

    >>> read_steps("5:1,10:0.68")
    (Step(minutes=5.0, weight=1.0), Step(minutes=10.0, weight=0.68))
    """
    try:
        pairs = [one.split(":") for one in text.split(",")]
        return tuple(Step(float(minutes), float(weight)) for minutes, weight in pairs)
    except ValueError as error:
        zh = f"--steps 应写成 分钟:权重，以逗号分隔，如 5:1,10:0.68,15:0.22（给出 {text}）。"
        en = f"--steps are minutes:weight, separated by commas, such as 5:1,10:0.68,15:0.22 (given: {text})."
        raise OptionError(Problem(zh, en)) from error
