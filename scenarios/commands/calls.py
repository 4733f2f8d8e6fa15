"""``circle15 calls``."""

from __future__ import annotations

import argparse

from geodata.store import open_region
from scenarios.call_study import call_study
from scenarios.commands.common import progress, say
from scenarios.output.call_files import call_files, calls_json
from scenarios.output.call_report import calls_text
from scenarios.output.writers import json_text, write_files


def run(arguments: argparse.Namespace) -> None:
    """Say what the 120 log tells."""
    prepared = open_region(arguments.region, progress=progress)
    study = call_study(prepared, vehicles=arguments.vehicles)
    if arguments.out:
        for path in write_files(arguments.out, call_files(prepared, study)):
            say(str(path))
    print(json_text(calls_json(prepared, study)) if arguments.json else calls_text(prepared, study), end="")
