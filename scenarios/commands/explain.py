"""``circle15 explain``."""

from __future__ import annotations

import argparse

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
    published = None if arguments.published is None else arguments.published / PERCENT
    said = explain(prepared, arguments.service, arguments.definition, arguments.against, published=published)
    if arguments.out:
        for path in write_files(arguments.out, explain_files(prepared, said)):
            say(str(path))
    print(json_text(explain_json(prepared, said)) if arguments.json else explain_text(prepared, said), end="")
