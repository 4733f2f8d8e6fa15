"""Results as plain data, tables and text: pure, no files. Every figure comes with its parameters and sources."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from coverage.gaps import CAUSES
from coverage.snap import ACCESS_RADIUS_M, MAX_SNAP_M
from coverage.stats import CoverageResult
from geodata.model import Demand, Region
from geodata.region import Prepared
from geodata.standards import Mode, ServiceDefinition
from scenarios.compare import Comparison
from scenarios.output.legend import (
    CHANGE_WORDS,
    ILLUSTRATIVE,
    NO_FACILITIES,
    PEOPLE_WORDS,
    RANGE_WORDS,
    ROAD_WORDS,
    STATE_WORDS,
    Words,
    both,
    range_said,
)
from scenarios.output.speed_words import hour_said

ROUNDING = 1e-6
MOST_ROADS = 10
SHA_SHOWN = 16  # characters of a file's hash that people are shown


def provenance(prepared: Prepared, definitions: Sequence[ServiceDefinition]) -> dict[str, Any]:
    """Collect what every number rests on: sources, fingerprints, parameters."""
    region = prepared.region
    modes: list[Mode] = sorted({definition.mode for definition in definitions})
    return {
        "program": f"circle15 {version('circle15')}",
        "region": region.name,
        "illustrative": region.illustrative,
        "date": region.date.isoformat(),
        "crs": region.crs,
        "region_fingerprint": region.fingerprint,
        "people_source": region.people_source,
        "spreads": list(region.demand.spread_names),
        "sources": [source.__dict__ for source in region.sources],
        "parameters": {
            "access_radius_m": ACCESS_RADIUS_M,
            "max_snap_m": MAX_SNAP_M,
            "speeds": {mode: prepared.speeds.of(mode).model_dump() for mode in modes},
        },
    }


class WithoutPlace(NamedTuple):
    """Settlements of the table that stand nowhere, and their people who are counted nowhere; `unknown` have no number of people."""

    rows: int
    people: float
    unknown: int


def without_place(region: Region) -> WithoutPlace:
    """Count the settlements that have no coordinates or could not be read; their people are counted elsewhere if the totals are kept."""
    notes = [note for note in region.row_notes if note.role == "demand" and note.what in {"unlocated", "left_out"}]
    if np.isfinite(region.zones.people).all():
        return WithoutPlace(len(notes), 0.0, 0)
    people = math.fsum(note.people for note in notes if note.people > 0)
    return WithoutPlace(len(notes), people, sum(note.people < 0 for note in notes))


def people_not_counted(region: Region) -> list[Words]:
    """Say who is in no figure: people outside the county, and settlements without a place."""
    said, missing = [], without_place(region)
    if outside := math.fsum(region.demand.people[~region.demand.inside]):
        said.append(
            (f"另有 {people(outside)} 人在县界之外，不计。", f"{people(outside)} more people live outside and are not counted."),
        )
    if missing.rows:
        zh, en = f"另有 {missing.rows:,} 个村（社区）没有位置", f"{missing.rows:,} more settlements have no place"
        if missing.people or missing.unknown:
            more = (f"（{missing.unknown:,} 个人数不明）", f" ({missing.unknown:,} of unknown size)") if missing.unknown else ("", "")
            said.append(
                (f"{zh}：{people(missing.people)} 人{more[0]}未计入。", f"{en}: {people(missing.people)} people{more[1]}, not counted.")
            )
        else:
            said.append((f"{zh}；乡镇总数由有位置的村（社区）分担。", f"{en}; the others bear the totals of their townships."))
    return said


def definition_json(definition: ServiceDefinition) -> dict[str, Any]:
    """A definition with its source, without the limits that it does not have."""
    return definition.model_dump(exclude_none=True)


def coverage_json(
    prepared: Prepared, results: Mapping[str, CoverageResult], comparisons: Mapping[str, Comparison] | None = None
) -> dict[str, Any]:
    """All of a coverage run: parameters and sources, for each service its table and gaps, and what a scenario changed."""
    said = provenance(prepared, [result.definition for result in results.values()])
    said["definitions"] = {service: definition_json(result.definition) for service, result in results.items()}
    region = prepared.region
    if comparisons:
        said["scenario"] = next(iter(comparisons.values())).scenario.model_dump(exclude_none=True)
        said["comparisons"] = {
            service: {name: rows(getattr(one, name)) for name in ("by_zone", "changed", "sites")}
            | {"roads": rows(pd.DataFrame(one.roads.drop(columns="geometry")))}
            for service, one in comparisons.items()
        }
    return said | {
        "people_outside": math.fsum(region.demand.people[~region.demand.inside]),
        "people_unlocated": without_place(region).people,
        "services": {
            service: {
                "definition": result.definition.id,
                "facilities_shown": int((~result.facilities.restricted).sum()),
                "facilities_external": int(result.facilities.external.sum()),
                "total": rows(result.by_zone[result.by_zone["row"] == "total"])[0],
                "by_zone": rows(result.by_zone),
                "people_by_cause": {cause: math.fsum(people) for cause, people in sorted(result.gaps.groupby("cause")["people"])},
                "gaps": rows(result.gaps),
            }
            for service, result in results.items()
        },
    }


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """A table as JSON rows: nan becomes null, whole people stay whole."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:  # noqa: ANN401 — any cell
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    return value


def coverage_text(prepared: Prepared, service: str, result: CoverageResult) -> str:
    """Lay out the township table and the largest gaps for people to read, in both languages."""
    definition, region = result.definition, prepared.region
    named = prepared.services.service(service)
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    text = f"{region.name}{mark} · {title} · {region.date}\n{both(PEOPLE_WORDS)}: {region.people_source}\n\n"
    text += f"{columns_text(_coverage_columns(region.demand, result.by_zone), result.by_zone)}\n"
    if len(result.facilities) == 0:
        text += f"\n{both(NO_FACILITIES)}\n"
    said = [hour_said(prepared.speeds, definition), range_said(region.demand), *people_not_counted(region)]
    text += "".join(f"\n{both(words)}\n" for words in said if words)
    if len(result.gaps):
        lost = f"{len(result.gaps):,} 处 places, {people(result.gaps['people'].sum())} 人 people"
        names = ["聚落 place", "乡镇 township", "人口 people", "原因 cause", "最近机构 nearest", "到达 reach", "距道路 to road"]
        listed = [
            [row.name, row.zone, people(row.people), CAUSES[row.cause][0], row.nearest_name, _measure(row), f"{row.road_m:,.0f} m"]
            for row in result.gaps.head(10).itertuples(index=False)
        ]
        text += f"\n未覆盖 out of reach: {lost}; 人口最多的 {len(listed)} 处 the largest:\n\n{align(names, listed)}\n"
    return text


Shown = Callable[[Any], str]  # a cell of a row, a named tuple of pandas


def _coverage_columns(demand: Demand, by_zone: pd.DataFrame) -> dict[str, Shown]:
    """What a table of coverage shows, by heading: a range if there is one, 65 and over if they are known."""
    columns: dict[str, Shown] = {
        "乡镇 township": lambda row: str(row.zone),
        "人口 people": lambda row: people(row.people),
        "覆盖人口 covered": lambda row: people(row.covered_people),
        "占比 share": lambda row: percent(row.share_people),
    }
    if range_said(demand):
        columns[both(RANGE_WORDS)] = lambda row: percent_range(row.share_people_low, row.share_people_high)
    columns["不含县外 w/o external"] = lambda row: percent(row.share_people_without_external)
    if old_known(by_zone):
        columns["65岁以上占比 share of 65+"] = lambda row: percent(row.share_old)
    return columns | {
        "村居 settlements": lambda row: people(row.settlements),
        "覆盖 covered": lambda row: people(row.covered_settlements),
        "占比 share ": lambda row: percent(row.share_settlements),
    }


def change_columns(demand: Demand, changes: Mapping[str, Shown]) -> dict[str, Shown]:
    """What a table of before and after shows, by heading."""
    columns: dict[str, Shown] = {
        "乡镇 township": lambda row: str(row.zone),
        "人口 people": lambda row: people(row.people),
        "现状人数 before": lambda row: people(row.covered_people_before),
        "方案人数 after": lambda row: people(row.covered_people_after),
        **changes,
        "现状占比 before": lambda row: percent(row.share_people_before),
        "方案占比 after": lambda row: percent(row.share_people_after),
    }
    if range_said(demand):
        columns[f"方案{both(RANGE_WORDS)}"] = lambda row: percent_range(row.share_people_low_after, row.share_people_high_after)
    return columns


def columns_text(columns: Mapping[str, Shown], table: pd.DataFrame) -> str:
    """Lay out what is shown of each row of a table, for a terminal."""
    return align([head.rstrip() for head in columns], [[shown(row) for shown in columns.values()] for row in table.itertuples()])


def old_known(by_zone: pd.DataFrame) -> bool:
    """Whether the people of 65 and over are known anywhere."""
    return bool(by_zone.loc[by_zone["people"] > 0, "old"].notna().any())


def comparison_text(comparison: Comparison, demand: Demand) -> str:
    """Lay out before and after by township, and what the scenario changed, in both languages."""
    changed = {
        both(CHANGE_WORDS["gained"]): lambda row: people(row.gained_people),
        both(CHANGE_WORDS["lost"]): lambda row: people(row.lost_people),
    }
    table = columns_text(change_columns(demand, changed), comparison.by_zone)
    changes = [[row.name, row.id, *STATE_WORDS[row.state], people(row.people)] for row in comparison.sites.itertuples()]
    sites = align(["站点 site", "编码 id", "", "", "时限内人口 people within"], changes) if changes else ""
    roads = _road_lines(comparison)
    said = [part for part in (sites, roads) if part] or ["情景没有改动此类机构和道路。 No change."]
    return "\n\n".join([f"情景对比 before and after: {comparison.scenario.name}", *said, table]) + "\n"


def _road_lines(comparison: Comparison) -> str:
    """What the scenario changes on the roads: how much of each, and the longest of them."""
    roads = comparison.roads
    if roads.empty:
        return ""
    longest = roads.sort_values(["km", "id"], ascending=[False, True]).head(MOST_ROADS)
    listed = [
        [*ROAD_WORDS[row.change], row.id, row.name_ or row.highway, f"{row.km:,.1f}", "–" if math.isnan(row.kmh) else f"{row.kmh:g}"]
        for row in longest.rename(columns={"name": "name_"}).itertuples(index=False)
    ]
    heads = ["道路 roads", "", "编号 id", "名称 name", "km", "km/h"]
    return f"改动的道路 roads changed: {len(roads):,}，{roads['km'].sum():,.1f} km\n\n{align(heads, listed)}"


def _measure(row: Any) -> str:  # noqa: ANN401 — a named tuple of pandas
    if not math.isnan(row.nearest_minutes):
        return f"{round_up(row.nearest_minutes):,.1f} min"
    if not math.isnan(row.nearest_network_m):
        return f"{row.nearest_network_m:,.0f} m"
    return f"({row.nearest_straight_m:,.0f} m)" if not math.isnan(row.nearest_straight_m) else "–"


def round_up(minutes: float) -> float:
    """Minutes to the next tenth, so that what is beyond 15 minutes never reads 15.0."""
    return math.ceil(minutes * 10 - ROUNDING) / 10


def people(value: float) -> str:
    """Write a number of people: whole, thousands set off."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """Write a share of 0–1 as percent; a dash where there is nobody."""
    return "–" if math.isnan(share) else f"{share * 100:.1f} %"


def percent_range(low: float, high: float) -> str:
    """Write shares of 0–1 as a range of percent; one number where both read alike.

    >>> percent_range(0.741, 0.78), percent_range(1.0, 1.0)
    ('74.1–78.0 %', '100.0 %')
    """
    first, last = percent(low), percent(high)
    return last if first == last else f"{first.removesuffix(' %')}–{last}"


def align(heads: Sequence[str], table: Sequence[Sequence[str]]) -> str:
    """Lay out columns for a terminal, Chinese characters two cells wide; numbers to the right."""
    lines = [list(heads), *[list(row) for row in table]]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(heads))]
    numeric = [all(_numeric(row[at]) for row in table) for at in range(len(heads))]

    def cell(text: str, at: int) -> str:
        gap = " " * (widths[at] - _width(text))
        return gap + text if numeric[at] else text + gap

    return "\n".join("  ".join(cell(text, at) for at, text in enumerate(line)).rstrip() for line in lines)


def _numeric(text: str) -> bool:
    return text == "–" or text[:1].isdigit()


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
