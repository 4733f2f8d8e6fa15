"""``circle15 surge``."""

from __future__ import annotations

import argparse

from coverage.studies.surge import SurgeTerms, surge
from scenarios.commands.common import asked, progress, say
from scenarios.output.surge_report import surge_files, surge_json, surge_text
from scenarios.output.writers import json_text, write_files
from scenarios.surge import read_arrivals


def run(arguments: argparse.Namespace) -> None:
    """Send communities to surge points; tell who is done in time, how long the queues are, where lanes are short."""
    terms = SurgeTerms(
        rate=arguments.rate,
        hours=arguments.hours,
        share=arguments.share,
        assign=arguments.assign,
        arrivals=None if arguments.arrivals is None else read_arrivals(arguments.arrivals),
        wait_min=arguments.wait,
        lanes=arguments.lanes,
    )
    question = asked(arguments)
    prepared, service = question.prepared, question.service_id
    progress("正在分派村（社区）并计算排队 ……", "Sending communities to points and computing queues …")
    result = surge(prepared.region, question.definition, prepared.network_of(question.definition), terms)
    if arguments.out:
        for path in write_files(arguments.out, surge_files(prepared, service, result)):
            say(str(path))
    print(json_text(surge_json(prepared, service, result)) if arguments.json else surge_text(prepared, service, result), end="")
