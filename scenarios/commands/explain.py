"""``circle15 explain``."""

from __future__ import annotations

import argparse
import math

from geodata.errors import OptionError, Problem
from geodata.store import open_region
from scenarios.commands.common import progress, say
from scenarios.explain import explain
from scenarios.output.explain_report import explain_files, explain_json, explain_text
from scenarios.output.writers import json_text, write_files

PERCENT = 100


def run(arguments: argparse.Namespace) -> None:
    """Say why two definitions give different figures, and which comes nearest to a published one."""
    prepared = open_region(arguments.region, progress=progress)
    progress("正在逐项对比口径 ……", "Comparing the definitions, ingredient by ingredient …")
    published = None if arguments.published is None else _share(arguments.published)
    said = explain(prepared, arguments.service, arguments.definition, arguments.against, published=published)
    if arguments.out:
        for path in write_files(arguments.out, explain_files(prepared, said)):
            say(str(path))
    print(json_text(explain_json(prepared, said)) if arguments.json else explain_text(prepared, said), end="")


def _share(text: str) -> float:
    """A share from what was published in percent: 95, 95%."""
    try:
        percent = float(text.strip().removesuffix("%").removesuffix("％"))
    except ValueError:
        percent = math.nan
    if not (percent == 0 or 1 < percent <= PERCENT):  # 0.95 may mean 95 %
        zh = f"--published 应为百分数，如 95 或 95%（给出 {text}）。"
        raise OptionError(Problem(zh, f"--published is a percentage such as 95 or 95% (given: {text})."))
    return percent / PERCENT
