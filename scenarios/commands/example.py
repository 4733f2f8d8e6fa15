"""``circle15 example``."""

from __future__ import annotations

import argparse

from geodata.errors import OutputError, Problem, os_reason
from geodata.examples.county import write_county
from geodata.store import open_region
from scenarios.commands.common import progress


def run(arguments: argparse.Namespace) -> None:
    """Write the example county and prepare it."""
    try:
        path = write_county(arguments.folder, seed=arguments.seed, messy=arguments.messy)
    except OSError as error:
        where = arguments.folder
        raise OutputError(
            Problem(f"无法写入 {where}（{os_reason(error).zh}）。", f"Cannot write to {where} ({os_reason(error).en}).")
        ) from error
    if not arguments.messy:  # what it asks is for the planner to confirm
        open_region(path, progress=progress)
    print(path)
