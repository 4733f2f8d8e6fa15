"""``circle15 flood``."""

from __future__ import annotations

import argparse

from geodata.errors import OptionError, Problem
from scenarios.commands.common import asked, progress, say
from scenarios.flood import bridge_study, flood, read_area, read_ways
from scenarios.output.flood_report import bridge_text, flood_files, flood_json, flood_text
from scenarios.output.writers import json_text, write_files


def run(arguments: argparse.Namespace) -> None:
    """Tell what cut roads cost, and which bridge matters most."""
    ways = read_ways(arguments.ways)
    area = read_area(arguments.area) if arguments.area else None
    if not (ways or arguments.area or arguments.bridges):
        zh = "请用 --ways 或 --area 指明断哪些路，或用 --bridges 逐座断桥。"
        raise OptionError(Problem(zh, "Say which roads are cut by --ways or --area, or ask for --bridges."))
    question = asked(arguments)
    prepared, definition, service = question.prepared, question.definition, question.service_id
    study = bridges = None
    if ways or area is not None:
        progress("正在计算断路的影响 ……", "Cutting the roads …")
        study = flood(prepared, definition, ways=ways, area=area)
    if arguments.bridges:
        progress("正在逐座断桥 ……", "Cutting each bridge …")
        bridges = bridge_study(prepared, definition, after=study)
    if arguments.out:
        for path in write_files(arguments.out, flood_files(prepared, service, study, bridges)):
            say(str(path))
    if arguments.json:
        print(json_text(flood_json(prepared, service, study, bridges)), end="")
        return
    texts = [] if study is None else [flood_text(prepared, service, study)]
    print("\n".join(texts + ([] if bridges is None else [bridge_text(prepared, service, bridges)])), end="")
