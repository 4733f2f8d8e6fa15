"""``circle15 referral``."""

from __future__ import annotations

import argparse

from scenarios.commands.common import asked, progress, say
from scenarios.output.referral_report import referral_files, referral_json, referral_text
from scenarios.output.writers import json_text, write_files
from scenarios.referral import referral_study


def run(arguments: argparse.Namespace) -> None:
    """Follow the chain from the call to the hospital's door for every settlement."""
    question = asked(arguments)
    prepared, service = question.prepared, question.service_id
    progress("正在计算待命点、现场与医院之间的时间 ……", "Computing the times between standby points, scenes and hospitals …")
    study = referral_study(
        prepared,
        question.definition,
        kinds=_listed(arguments.kinds),
        beds=arguments.beds,
        hospitals=_listed(arguments.hospitals),
        scene_minutes=arguments.scene,
        within_minutes=arguments.within,
    )
    if arguments.out:
        for path in write_files(arguments.out, referral_files(prepared, service, study)):
            say(str(path))
    print(json_text(referral_json(prepared, service, study)) if arguments.json else referral_text(prepared, study), end="")


def _listed(text: str | None) -> list[str] | None:
    """What stands between commas; None where nothing was asked."""
    return None if text is None else [one for part in text.split(",") if (one := part.strip())]
