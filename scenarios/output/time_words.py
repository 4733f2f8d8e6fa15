"""What every study of times says alike: of what it is, how minutes are written, and why somebody is not reached."""

from __future__ import annotations

import math
from typing import Final

from coverage.gaps import CAUSES
from coverage.studies.trips import NOT_LISTED
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.output.legend import (
    CAUSE_WORDS,
    DIRECTION_WORDS,
    ILLUSTRATIVE,
    MODE_WORDS,
    PEOPLE_WORDS,
    Words,
    both,
    kind_words,
)
from scenarios.output.report import round_up

TIME_CAUSES: Final[dict[str, Words]] = CAUSES | {NOT_LISTED: ("只有不列出的机构可达", "reached only from a facility that is not listed")}
_CAUSES_SHORT: Final[dict[str, Words]] = CAUSE_WORDS | {NOT_LISTED: TIME_CAUSES[NOT_LISTED]}
TIME_REMARKS: Final[tuple[Words, ...]] = (
    (
        "不可达的人单列，不给时间：平均只算可达的人；中位数与 90% 按全部人口，达不到时写“–”。",
        (
            "People without any way are counted apart and given no time: means are of those reached; the median and 90 % are of all "
            "people, a dash where so many are not reached."
        ),
    ),
    (
        "不列出的机构计入各项合计；各村（社区）一行只到可列出的最近机构。",
        "Facilities that are not listed count in every sum; the row of a settlement goes to the nearest that may be listed.",
    ),
    ("分钟向上取到十分之一。", "Minutes are rounded up to a tenth."),
)


def study_title(prepared: Prepared, name: Words, definition: ServiceDefinition) -> str:
    """Say of which region, by which definition, for which day a study is, and whence its people."""
    region = prepared.region
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    said = f"{region.name}{mark} · {both(name)} · {definition.name_zh} {definition.name_en} · {region.date}"
    return f"{said}\n{both(PEOPLE_WORDS)}: {region.people_source}"


def minutes(value: float) -> str:
    """Write minutes: up to the next tenth; a dash where there is no time."""
    return "–" if math.isnan(value) else f"{round_up(value):,.1f}"


def minutes_cell(value: float) -> float:
    """Minutes for a sheet."""
    return value if math.isnan(value) else round_up(value)


def cause_words(cause: str) -> str:
    """Say in few words why there is no way; nothing where there is one."""
    return both(_CAUSES_SHORT[cause]) if cause else ""


def basis(prepared: Prepared, definition: ServiceDefinition) -> list[tuple[str, str]]:
    """What the times of a definition rest on: which facilities, how it travels, at which speeds, and who says so."""
    kinds, way = kind_words(prepared), prepared.speeds.of(definition.mode)
    return [
        ("计入机构 facilities", "、".join(both(kinds[kind]) for kind in definition.kinds)),
        ("出行 travel", travel_said(definition)),
        ("来源 source", f"{definition.source} [{definition.status}]"),
        ("速度 speeds", f"{way.source} [{way.status}]"),
    ]


def travel_said(definition: ServiceDefinition) -> str:
    """Say how a definition travels: mode, direction, hour, and what passes before the vehicle moves."""
    said = f"{both(MODE_WORDS[definition.mode])}，{both(DIRECTION_WORDS[definition.direction])}"
    if definition.hour is not None:
        said += f"，{definition.hour} 时 at {definition.hour}:00"
    if definition.call_handling_s or definition.turnout_s:
        said += f"；受理 call handling {definition.call_handling_s:g} s + 出车 turnout {definition.turnout_s:g} s"
        said += "（站点有自己的则用之 or a point's own）"
    return said
