"""``circle15 sensitivity``."""

from __future__ import annotations

import argparse

from scenarios.commands.common import asked, progress, say
from scenarios.output.sensitivity_report import sensitivity_files, sensitivity_json, sensitivity_text
from scenarios.output.writers import json_text, write_files
from scenarios.sensitivity import sensitivity


def run(arguments: argparse.Namespace) -> None:
    """Tell how far a coverage figure moves with what it assumes."""
    question = asked(arguments)
    prepared, service_id = question.prepared, question.service_id
    progress("正在逐项变动假定并重算 ……", "Varying one assumption after another …")
    result = sensitivity(prepared, question.definition)
    if arguments.out:
        for path in write_files(arguments.out, sensitivity_files(prepared, service_id, result)):
            say(str(path))
    said = json_text(sensitivity_json(prepared, service_id, result)) if arguments.json else sensitivity_text(prepared, service_id, result)
    print(said, end="")
