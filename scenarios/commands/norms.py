"""``circle15 norms``."""

from __future__ import annotations

import argparse

from geodata.norms import read_norms
from geodata.region_file import read_region_file
from geodata.store import open_region
from scenarios.commands.common import in_year, progress, say
from scenarios.norms import norms_report
from scenarios.output.norms_report import norms_files, norms_json, norms_text
from scenarios.output.writers import json_text, write_files


def run(arguments: argparse.Namespace) -> None:
    """Hold a region against norms and plan indicators: required, present, shortfall."""
    folder = arguments.region if arguments.region.is_dir() else arguments.region.parent
    own = read_region_file(arguments.region).norms
    prepared = in_year(arguments, open_region(arguments.region, progress=progress))
    norms = read_norms(folder / own if own else None, prepared.services)
    progress("正在对照标准与指标 ……", "Holding the region against norms …")
    report = norms_report(prepared, norms, area=arguments.area, ambulance_base=arguments.ambulance_base)
    if arguments.out:
        for path in write_files(arguments.out, norms_files(prepared, report)):
            say(str(path))
    print(json_text(norms_json(prepared, report)) if arguments.json else norms_text(prepared, report), end="")
