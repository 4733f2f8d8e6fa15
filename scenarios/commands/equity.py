"""``circle15 equity``."""

from __future__ import annotations

import argparse

from coverage.studies.equity import equity
from geodata.errors import OptionError, Problem
from scenarios.commands.common import asked, progress, say
from scenarios.output.equity_report import equity_files, equity_json, equity_text
from scenarios.output.writers import json_text, write_files


def run(arguments: argparse.Namespace) -> None:
    """Tell how unevenly the time to the nearest facility falls on people."""
    if arguments.minutes is not None:
        raise OptionError(
            Problem("公平性只看时间，不看时限：请去掉 --minutes。", "Equity is of times, no limit plays a part: leave --minutes out.")
        )
    question = asked(arguments)
    prepared, service = question.prepared, question.service_id
    progress("正在计算到最近机构的时间 ……", "Computing the time to the nearest facility …")
    result = equity(prepared.region, question.definition, prepared.network_of(question.definition))
    if arguments.out:
        for path in write_files(arguments.out, equity_files(prepared, service, result)):
            say(str(path))
    print(json_text(equity_json(prepared, service, result)) if arguments.json else equity_text(prepared, result), end="")
