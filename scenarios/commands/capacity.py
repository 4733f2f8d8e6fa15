"""``circle15 capacity``."""

from __future__ import annotations

import argparse

from coverage.studies.capacity import Terms, capacity
from geodata.norms import read_norms
from geodata.region_file import read_region_file
from scenarios.capacity import people_per_unit
from scenarios.commands.common import asked, progress, say
from scenarios.output.capacity_report import capacity_files, capacity_json, capacity_text
from scenarios.output.writers import json_text, write_files


def run(arguments: argparse.Namespace) -> None:
    """Tell who is served where each facility has room for so many people."""
    question = asked(arguments)
    prepared, definition, service = question.prepared, question.definition, question.service_id
    folder = arguments.region if arguments.region.is_dir() else arguments.region.parent
    own = read_region_file(arguments.region).norms
    norms = read_norms(folder / own if own else None, prepared.services)
    per_unit = people_per_unit(prepared, norms, definition, arguments.unit, asked=arguments.per_unit)
    terms = Terms(arguments.unit, per_unit.people, arguments.unstated)
    progress("正在分配有限的能力 ……", "Sharing out the room there is …")
    result = capacity(prepared.region, definition, prepared.network_of(definition), terms)
    if arguments.out:
        for path in write_files(arguments.out, capacity_files(prepared, service, result, per_unit)):
            say(str(path))
    said = capacity_json(prepared, service, result, per_unit) if arguments.json else None
    print(capacity_text(prepared, service, result, per_unit) if said is None else json_text(said), end="")
