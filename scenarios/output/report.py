"""Results as plain data, tables and text: pure, no files. Every figure comes with its parameters and sources."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import pandas as pd

from coverage.gaps import CAUSES
from coverage.snap import ACCESS_RADIUS_M, MAX_SNAP_M
from coverage.stats import CoverageResult
from geodata.region import Prepared
from geodata.standards import Mode, ServiceDefinition
from scenarios.compare import Comparison
from scenarios.output.legend import CHANGE_WORDS, ILLUSTRATIVE, NO_FACILITIES, STATE_WORDS, both
from scenarios.siting.standby import StandbyPlan, proof

ROUNDING = 1e-6
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
        "sources": [source.__dict__ for source in region.sources],
        "parameters": {
            "access_radius_m": ACCESS_RADIUS_M,
            "max_snap_m": MAX_SNAP_M,
            "speeds": {mode: prepared.speeds.of(mode).model_dump() for mode in modes},
        },
    }


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
            service: {name: rows(getattr(one, name)) for name in ("by_zone", "changed", "sites")} for service, one in comparisons.items()
        }
    return said | {
        "people_outside": math.fsum(region.demand.people[~region.demand.inside]),
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


def site_json(prepared: Prepared, service: str, plan: StandbyPlan) -> dict[str, Any]:
    """All of a siting run; wall-clock seconds stand apart from the result."""
    zh, en = proof(plan)
    said = provenance(prepared, [plan.definition])
    said["definitions"] = {service: definition_json(plan.definition)}
    result = plan.result.to_json()
    seconds = result.pop("seconds")
    result["new_sites"] = [site for site, new in zip(plan.sites.id, plan.is_new, strict=True) if new]
    result["settlements_beyond_backstop_of_every_candidate"] = result.pop("unreachable")
    return said | {
        "question": {
            "service": service,
            "sites": len(plan.result.sites),
            "fixed": list(plan.result.fixed),
            "candidates": plan.candidates,
            "first": f"fewest people beyond {plan.backstop_minutes:g} minutes",
            "then": f"most people within the limits of definition {plan.definition.id!r}",
        },
        **result,
        "backstop": {"minutes": plan.backstop_minutes, "within": plan.backstop.objective, "bound": plan.backstop.bound},
        "people_beyond_backstop_of_every_candidate": plan.beyond_all_people,
        "proof": {"zh": zh, "en": en},
        "site_list": rows(site_table(plan)),
        "before": rows(plan.before),
        "after": rows(plan.after),
        "seconds": seconds,
    }


def site_table(plan: StandbyPlan) -> pd.DataFrame:
    """One row a chosen point: id, name, kind, new, lon, lat (of its first entrance)."""
    sites = plan.sites
    at = sites.entrance[sites.first_entrance[:-1]]
    columns = {"id": sites.id, "name": sites.name, "kind": sites.kind, "new": plan.is_new, "lon": at[:, 0], "lat": at[:, 1]}
    return pd.DataFrame(columns)


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
    definition = result.definition
    named = prepared.services.service(service)
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    mark = f" [{both(ILLUSTRATIVE)}]" if prepared.region.illustrative else ""
    table = [
        [
            row.zone,
            *(people(row.people), people(row.covered_people), percent(row.share_people), percent(row.share_people_without_external)),
            *(people(row.settlements), people(row.covered_settlements), percent(row.share_settlements)),
        ]
        for row in result.by_zone.itertuples()
    ]
    heads = [
        "乡镇 township",
        "人口 people",
        "覆盖人口 covered",
        "占比 share",
        "不含县外 w/o external",
        "村居 settlements",
        "覆盖 covered",
        "占比 share",
    ]
    gaps = result.gaps.head(10)
    listed = [
        [row.name, row.zone, people(row.people), CAUSES[row.cause][0], row.nearest_name, _measure(row), f"{row.road_m:,.0f} m"]
        for row in gaps.itertuples(index=False)
    ]
    text = f"{prepared.region.name}{mark} · {title} · {prepared.region.date}\n\n{align(heads, table)}\n"
    if len(result.facilities) == 0:
        text += f"\n{both(NO_FACILITIES)}\n"
    outside = math.fsum(prepared.region.demand.people[~prepared.region.demand.inside])
    if outside:
        text += f"\n另有 {people(outside)} 人在县界之外，不计。 {people(outside)} more people live outside and are not counted.\n"
    if len(result.gaps):
        lost = f"{len(result.gaps):,} 处 places, {people(result.gaps['people'].sum())} 人 people"
        names = ["聚落 place", "乡镇 township", "人口 people", "原因 cause", "最近机构 nearest", "到达 reach", "距道路 to road"]
        text += f"\n未覆盖 out of reach: {lost}; 人口最多的 {len(gaps)} 处 the largest:\n\n{align(names, listed)}\n"
    return text


def comparison_text(comparison: Comparison) -> str:
    """Lay out before and after by township, and what the scenario changed, in both languages."""
    table = [
        [
            row.zone,
            *(people(row.people), people(row.covered_people_before), people(row.covered_people_after)),
            *(people(row.gained_people), people(row.lost_people), percent(row.share_people_before), percent(row.share_people_after)),
        ]
        for row in comparison.by_zone.itertuples()
    ]
    heads = ["乡镇 township", "人口 people", "现状人数 before", "方案人数 after", *map(both, CHANGE_WORDS.values()), "现状占比", "方案占比"]
    changes = [[row.name, row.id, *STATE_WORDS[row.state], people(row.people)] for row in comparison.sites.itertuples()]
    sites = align(["站点 site", "编码 id", "", "", "时限内人口 people within"], changes) if changes else "情景没有改动此类机构。 No change."
    return f"情景对比 before and after: {comparison.scenario.name}\n\n{sites}\n\n{align(heads, table)}\n"


def _measure(row: Any) -> str:  # noqa: ANN401 — a named tuple of pandas
    if not math.isnan(row.nearest_minutes):
        return f"{round_up(row.nearest_minutes):,.1f} min"
    if not math.isnan(row.nearest_network_m):
        return f"{row.nearest_network_m:,.0f} m"
    return f"({row.nearest_straight_m:,.0f} m)" if not math.isnan(row.nearest_straight_m) else "–"


def site_text(prepared: Prepared, plan: StandbyPlan) -> str:
    """Lay out the chosen points, before and after by township, and the proof, in both languages."""
    mark = f" [{both(ILLUSTRATIVE)}]" if prepared.region.illustrative else ""
    chosen = [
        [str(n), name, one, both(STATE_WORDS["new" if new else "kept"])]
        for n, (name, one, new) in enumerate(zip(plan.sites.name, plan.sites.id, plan.is_new, strict=True), 1)
    ]
    compared = plan.before.merge(plan.after, on=["row", "zone_id", "zone", "people"], suffixes=("_before", "_after"))
    table = [
        [
            row.zone,
            *(people(row.people), people(row.covered_people_before), people(row.covered_people_after)),
            *(percent(row.share_people_before), percent(row.share_people_after)),
        ]
        for row in compared.itertuples()
    ]
    before, after = (table["covered_people"].iloc[-1] for table in (plan.before_backstop, plan.after_backstop))
    backstop = f"{plan.backstop_minutes:g} 分钟以内 within {plan.backstop_minutes:g} minutes: {people(before)} → {people(after)}"
    heads = ["乡镇 township", "人口 people", "现状人数 before", "方案人数 after", "现状占比 before", "方案占比 after"]
    zh, en = proof(plan)
    title = f"{prepared.region.name}{mark} · {plan.definition.name_zh} {plan.definition.name_en} · {prepared.region.date}"
    return f"{title}\n\n{align(['', '站点 site', '编码 id', ''], chosen)}\n\n{align(heads, table)}\n\n{backstop}\n\n{zh}\n{en}\n"


def round_up(minutes: float) -> float:
    """Minutes to the next tenth, so that what is beyond 15 minutes never reads 15.0."""
    return math.ceil(minutes * 10 - ROUNDING) / 10


def people(value: float) -> str:
    """Write a number of people: whole, thousands set off."""
    return f"{value:,.0f}"


def percent(share: float) -> str:
    """Write a share of 0–1 as percent; a dash where there is nobody."""
    return "–" if math.isnan(share) else f"{share * 100:.1f} %"


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
