"""The answer about cut roads: who loses the service, who is cut off, and which bridge matters most."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
import shapely

from geodata.errors import OptionError, Problem
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.flood import BridgeStudy, Flood, bridge_study, flood, read_area, read_ways
from scenarios.output.flood_report import BRIDGE_METHOD, METHOD, bridge_remarks, flood_files
from scenarios.output.legend import Words
from scenarios.output.report import people
from scenarios.output.time_words import minutes
from scenarios.studies.answer import (
    INNER,
    MOST_NAMED,
    MOST_ROWS,
    Answer,
    Figure,
    Grid,
    from_to,
    grid,
    joined,
    listed,
    persons,
    question_notes,
    ranged,
    same,
    shown,
    total,
    without,
    word,
    workbook_of,
    zone_grid,
)
from scenarios.studies.terms import Cuts

_BRIDGE_COLUMNS = (
    shown("桥（路）", "Bridge (road)", "label", write=str),
    shown("编号", "Way id", "way_id", write=str),
    shown("跨水", "Over water", "wet", write=word),
    shown("失去服务", "Lose it", "lost_people"),
    shown("不含县外", "Without external", f"lost_people{INNER}"),
    shown("完全断路", "Cut off", "cut_off_people"),
    shown("绕行人数", "Longer way", "longer_people"),
    shown("人·分钟", "Person-minutes", "person_minutes"),
    shown("最多多走（分）", "Worst, min more", "worst_minutes", write=minutes),
    shown("何处", "Where", "worst", write=str),
)


def flood_answer(prepared: Prepared, service_id: str, definition: ServiceDefinition, terms: Cuts) -> Answer:
    """Say what cut roads cost, and which bridge matters most."""
    ways, area = read_ways(terms.ways), _area(terms)
    if not (ways or area is not None or terms.bridges):
        zh, en = "请填写 --ways、选择 --area，或勾选 --bridges。", "Fill in --ways, choose --area, or tick --bridges."
        raise OptionError(Problem(zh, en))
    study = flood(prepared, definition, ways=ways, area=area) if ways or area is not None else None
    bridges = bridge_study(prepared, definition, after=study) if terms.bridges else None
    return Answer(
        (*(_flood_figures(prepared, study) if study else _bridge_figures(bridges)),),
        _findings(bridges),
        (*([_zones(study)] if study else []), *([_bridges(bridges)] if bridges is not None and len(_that_matter(bridges)) else [])),
        (*question_notes(prepared, definition), *(METHOD if study else ()), *_bridge_notes(bridges)),
        *workbook_of(flood_files(prepared, service_id, study, bridges)),
    )


def _area(terms: Cuts) -> shapely.Geometry | None:
    """The area of a file that was handed in; its name is not used."""
    if not terms.area_type:
        return None
    with tempfile.TemporaryDirectory(prefix="circle15-") as folder:
        path = Path(folder) / f"area{terms.area_type}"
        path.write_bytes(terms.area)
        return read_area(path)


def _flood_figures(prepared: Prepared, study: Flood) -> tuple[Figure, ...]:
    every = total(study.by_zone)
    inner = from_to(every[f"share_people{INNER}_before"], every[f"share_people{INNER}_after"])
    drowned, cut, km = people(every.flooded_people), f"{len(study.closed):,}", f"{study.closed['km'].sum():,.1f}"
    span = ranged(prepared, people(every.lost_people_low), people(every.lost_people_high))
    return (
        Figure(
            ("失去服务的人", "People who lose the service"),
            persons(every.lost_people),
            joined(span, without(people(every[f"lost_people{INNER}"]))),
        ),
        Figure(("覆盖率", "Coverage"), same(from_to(every.share_people_before, every.share_people_after)), without(inner)),
        Figure(
            ("完全断路的人", "People cut off"),
            persons(every.cut_off_people),
            joined((f"被淹 {drowned} 人", f"{drowned} flooded"), (f"断路 {cut} 条、{km} 公里", f"ways cut: {cut}, {km} km")),
        ),
    )


def _bridge_figures(study: BridgeStudy | None) -> tuple[Figure, ...]:
    if study is None:
        return ()
    matter, worst = _that_matter(study), study.table.iloc[0]
    return (
        Figure(("桥", "Bridges"), same(f"{len(study.table):,}"), ("逐座只断一座", "each cut alone")),
        Figure(
            ("断了会有人受影响的", "That matter to anybody"),
            same(f"{len(matter):,}"),
            ("失去服务、断路或绕行", "service lost, cut off, or a longer way"),
        ),
        Figure(
            ("断最要紧的一座，失去服务", "Lose the service by the worst"),
            persons(worst.lost_people),
            joined(
                without(people(worst[f"lost_people{INNER}"])),
                (f"完全断路 {people(worst.cut_off_people)}", f"cut off {people(worst.cut_off_people)}"),
            ),
        ),
    )


def _that_matter(study: BridgeStudy) -> pd.DataFrame:
    table = study.table
    return table[(table["lost_people"] > 0) | (table["cut_off_people"] > 0) | (table["longer_people"] > 0)]


def _findings(study: BridgeStudy | None) -> tuple[Words, ...]:
    if study is None:
        return ()
    matter = _that_matter(study).head(MOST_NAMED)
    if matter.empty:
        return (("断任何一座都不影响本口径。", "No bridge changes anything under this definition."),)
    named = listed(f"{_label(row)}（{row['way_id']}） {people(row['lost_people'])}" for row in matter.to_dict("records"))
    return ((f"最要紧的桥（断了失去服务的人数）：{named[0]}", f"Bridges that matter most (people who lose the service): {named[1]}"),)


def _label(row: dict[str, object]) -> str:
    return str(row["name"] or row["highway"])


def _zones(study: Flood) -> Grid:
    columns = [
        shown("人口", "People", "people"),
        shown("覆盖率", "Coverage", "share_people_before", "share_people_after", write=from_to),
        shown("失去服务", "Lose it", "lost_people"),
        shown("其中被淹", "Of whom flooded", "flooded_lost_people"),
        shown("被淹人口", "Flooded", "flooded_people"),
        shown("完全断路", "Cut off", "cut_off_people"),
        shown("失去服务（不含县外）", "Lose it, without external", f"lost_people{INNER}"),
    ]
    return zone_grid(columns, study.by_zone)


def _bridges(study: BridgeStudy) -> Grid:
    table = _that_matter(study).head(MOST_ROWS)
    wet: list[Words] = [("是", "yes") if one else ("否", "no") for one in table["over_water"]]
    labels = [_label(row) for row in table.to_dict("records")]
    title = (
        ("断路之后最要紧的桥", "Bridges that matter most once these roads are cut")
        if study.after_cut
        else ("最要紧的桥", "Bridges that matter most")
    )
    return grid(title, _BRIDGE_COLUMNS, pd.DataFrame(table).assign(label=labels, wet=wet))


def _bridge_notes(study: BridgeStudy | None) -> list[Words]:
    return [] if study is None else [*BRIDGE_METHOD, *bridge_remarks(study)]
