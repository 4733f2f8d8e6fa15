"""Cut roads and bridges as text, tables, JSON, sheets and layers: who loses a service, and which bridge matters most."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.flood import CUT_OFF, FLOODED, LOST, NO_ACCESS, BridgeStudy, Flood
from scenarios.output.legend import CLASS_WORDS, ILLUSTRATIVE, PEOPLE_WORDS, Words, both, kind_words, range_said
from scenarios.output.report import align, definition_json, people, people_not_counted, percent, provenance, round_up, rows
from scenarios.output.sheets import Cell, Column, Sheet, about_sheet
from scenarios.output.speed_words import hour_said
from scenarios.output.workbook import write_sheets
from scenarios.output.writers import Writer, bytes_writer, csv_writer, geopackage_writer, json_writer

MOST_SHOWN: Final = 10
STATES: Final[dict[str, Words]] = {
    FLOODED: ("被淹", "flooded"),
    CUT_OFF: ("完全断路", "cut off"),
    LOST: ("失去服务，仍有路", "loses the service, a way remains"),
    NO_ACCESS: ("道路全断", "all its roads are cut"),
}
METHOD: Final[tuple[Words, ...]] = (
    (
        "断路：指定编号的道路，以及与淹没范围相接的每一段道路（路口到路口）整段不通；原来走哪些路上网，现在仍走哪些，不改走更远的路。",
        "Cut: the ways named, and every piece of road (from junction to junction) that touches the area; nobody steps onto a farther road.",
    ),
    (
        "被淹：村居点在范围内，或机构的所有出入口在范围内；被淹的机构不提供服务，被淹的居民不计为覆盖。",
        "Flooded: a home in the area, or a facility all of whose entrances are; that facility serves nobody, that home is not served.",
    ),
    (
        "完全断路：原来有路可到此类机构，现在一个也到不了（不论时限）。",
        "Cut off: a way led to such a facility before, and none does now, whatever the limit.",
    ),
)
BRIDGE_METHOD: Final[tuple[Words, ...]] = (
    (
        "逐座只断一座桥，重新计算，其余照旧；多走的时间按到最近机构计，只计仍有路可走的人。",
        "Each bridge is cut alone and all is computed anew; extra time is to the nearest facility, of people who still have a way.",
    ),
    (
        "来源：路段重要性，Jenelius、Petersen、Mattsson 2006，doi:10.1016/j.tra.2005.11.003。",
        "Source: importance of a link, Jenelius, Petersen & Mattsson 2006, doi:10.1016/j.tra.2005.11.003.",
    ),
    (
        "同一编号的道路、同名且相接的桥段算一座；跨路的立交桥也在内。",
        "Pieces of one way, and touching pieces of one name, are one bridge; bridges over roads are among them.",
    ),
)
AFTER_CUT: Final = (
    "桥梁在断路、淹没之后的路网上排序：先断上述道路，再逐座另断一座；已断的桥不列，被淹的居民不计。",
    "Ranked on the roads that remain: those above are cut, then one bridge more; bridges already cut and people in the flood are left out.",
)
NO_TAGS: Final = (
    "路网中没有桥的标签（bridge=*）：以下是跨越水面的路段，各算一处。",
    "The roads have no bridge tags (bridge=*): these are the pieces that cross mapped water, each by itself.",
)


BRIDGE_WORDS: Final = ("关键桥梁", "bridges that matter")
AFTER_WORDS: Final = ("断路之后的关键桥梁", "bridges that matter once the roads above are cut")


def flood_text(prepared: Prepared, service_id: str, study: Flood) -> str:
    """Lay out who loses what, by township and settlement, for people to read, in both languages."""
    lines = [
        *_head(prepared, service_id, study.definition, ("断路与淹没", "cut roads and floods")),
        f"断路 cut: {len(study.closed):,} 条 ways，{study.closed['km'].sum():,.1f} km",
        *_totals(study.by_zone.iloc[-1]),
        "",
        _zone_lines(study),
        _place_lines(study),
        _facility_lines(prepared, study),
        *(f"· {both(words)}" for words in [*METHOD, *_general(prepared, study.definition)]),
    ]
    return "\n".join(lines) + "\n"


def _totals(total: Any) -> list[str]:  # noqa: ANN401 — a row of pandas
    """What it comes to in the whole county."""
    shares, inner = (
        " → ".join(percent(total[f"share_people{which}_{side}"]) for side in ("before", "after")) for which in ("", "_without_external")
    )
    covered = " → ".join(people(total[f"covered_people_{side}"]) for side in ("before", "after"))
    spread = _people_range(total["lost_people_low"], total["lost_people_high"])
    ranged = f"（{spread}）" if total["lost_people_low"] != total["lost_people_high"] else ""
    lost, drowned, lost_inner = (people(total[name]) for name in ("lost_people", "flooded_lost_people", "lost_people_without_external"))
    return [
        f"覆盖 covered: {covered}（{shares}；不含县外 w/o external {inner}）",
        f"失去服务 lose it: {lost} 人 people{ranged}，其中住处被淹 of whom flooded {drowned}；不含县外 w/o external {lost_inner}",
        f"被淹 flooded: {people(total['flooded_people'])} 人 people；完全断路 cut off: {people(total['cut_off_people'])} 人 people",
    ]


def bridge_text(prepared: Prepared, service_id: str, study: BridgeStudy) -> str:
    """Lay out the bridges that matter most, for people to read, in both languages."""
    table = study.table
    heads = ["", "桥 bridge", "编号 way id", "长 m", "失去服务 lose it", "不含县外 w/o ext.", "断路 cut off"]
    heads += ["绕行人数 longer way", "人·分钟 person-min", "最多多走 worst +min", "何处 where"]
    matter = table[(table["lost_people"] > 0) | (table["cut_off_people"] > 0) | (table["longer_people"] > 0)]
    shown = [
        [
            str(number),
            f"{row.name_ or row.highway}{'（跨水 over water）' * row.over_water}",
            str(row.way_id),
            f"{row.m:,.0f}",
            *(people(value) for value in (row.lost_people, row.lost_people_without_external, row.cut_off_people, row.longer_people)),
            f"{row.person_minutes:,.0f}",
            f"{row.worst_minutes:,.1f}",
            row.worst,
        ]
        for number, row in enumerate(matter.head(MOST_SHOWN).rename(columns={"name": "name_"}).itertuples(index=False), 1)
    ]
    counted = f"桥 bridges: {len(table):,}；断了会使人绕行、断路或失去服务的 that matter: {len(matter):,}"
    lines = [
        *_head(prepared, service_id, study.definition, AFTER_WORDS if study.after_cut else BRIDGE_WORDS),
        *(both(words) for words in bridge_remarks(study)),
        counted,
        "",
        align(heads, shown) if shown else "断任何一座都不影响本口径。 None of them changes anything under this definition.",
        "",
        *(f"· {both(words)}" for words in [*BRIDGE_METHOD, *_general(prepared, study.definition)]),
    ]
    return "\n".join(lines) + "\n"


def bridge_remarks(study: BridgeStudy) -> list[Words]:
    """Say on what roads the bridges are ranked, and what stands in for bridges, where that is not plain."""
    return [*([AFTER_CUT] if study.after_cut else []), *([NO_TAGS] if not study.tagged else [])]


def _head(prepared: Prepared, service_id: str, definition: ServiceDefinition, study: Words) -> list[str]:
    region, named = prepared.region, prepared.services.service(service_id)
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    title = f"{named.name_zh} {named.name_en} · {definition.name_zh} {definition.name_en}"
    return [
        f"{region.name}{mark} · {both(study)} · {title} · {region.date}",
        f"{both(PEOPLE_WORDS)}: {region.people_source}；口径来源 source: {definition.source} [{definition.status}]",
    ]


def _general(prepared: Prepared, definition: ServiceDefinition) -> list[Words]:
    hour, spread = hour_said(prepared.speeds, definition), range_said(prepared.region.demand)
    return [words for words in (hour, spread, *people_not_counted(prepared.region)) if words]


def _zone_lines(study: Flood) -> str:
    table = study.by_zone
    hit = table[(table["row"] != "zone") | (table["lost_people"] + table["flooded_people"] + table["cut_off_people"] > 0)]
    heads = ["乡镇 township", "人口 people", "断路前 before", "断路后 after", "失去 lose it", "被淹 flooded", "断路 cut off", "占比 share"]
    shown = [
        [
            row["zone"],
            *(people(row[name]) for name in ("people", "covered_people_before", "covered_people_after", "lost_people", "flooded_people")),
            people(row["cut_off_people"]),
            f"{percent(row['share_people_before'])} → {percent(row['share_people_after'])}",
        ]
        for row in hit.to_dict("records")
    ]
    return align(heads, shown)


def _place_lines(study: Flood) -> str:
    if study.places.empty:
        return "\n没有村居受影响。 No settlement is affected.\n"
    counts = "，".join(
        f"{both(STATES[state])} {(study.places['state'] == state).sum():,}" for state in (FLOODED, CUT_OFF, LOST) if state in STATES
    )
    heads = ["聚落 place", "乡镇 township", "人口 people", "状态 state", "此前分钟 before", "此后 after"]
    shown = [
        [row.name_, row.zone, people(row.people), both(STATES[row.state]), _minutes(row.minutes_before), _minutes(row.minutes_after)]
        for row in study.places.head(MOST_SHOWN).rename(columns={"name": "name_"}).itertuples(index=False)
    ]
    return f"\n受影响的村居 places hit: {counts}；人口最多的 {len(shown)} 处 the largest:\n\n{align(heads, shown)}\n"


def _facility_lines(prepared: Prepared, study: Flood) -> str:
    if study.facilities.empty:
        return "没有机构被淹或道路全断。 No facility is flooded or without any road.\n"
    kinds = kind_words(prepared)
    heads = ["机构 facility", "类别 kind", "状态 state", "此前时限内人口 people within before"]
    shown = [
        [row.name_, both(kinds[row.kind]), both(STATES[row.state]), people(row.people)]
        for row in study.facilities.sort_values(["people", "id"], ascending=[False, True])
        .head(MOST_SHOWN)
        .rename(columns={"name": "name_"})
        .itertuples(index=False)
    ]
    return f"被淹或道路全断的机构 facilities hit: {len(study.facilities):,}\n\n{align(heads, shown)}\n"


def _minutes(value: float) -> str:
    return "–" if math.isnan(value) else f"{round_up(value):,.1f}"


def flood_json(prepared: Prepared, service_id: str, study: Flood | None, bridges: BridgeStudy | None) -> dict[str, Any]:
    """All of it for programs: parameters and sources, then the tables."""
    definitions = _definitions(service_id, study, bridges)
    said = provenance(prepared, list(definitions.values())) | {"service": service_id}
    said["definitions"] = {name: definition_json(one) for name, one in definitions.items()}
    if study is not None:
        said["method"] = [{"zh": zh, "en": en} for zh, en in METHOD]
        said |= {"total": rows(study.by_zone.tail(1))[0], "by_zone": rows(study.by_zone), "places": rows(study.places)}
        said |= {"facilities": rows(study.facilities), "closed": rows(_plain(study.closed))}
    if bridges is not None:
        said["bridge_method"] = [{"zh": zh, "en": en} for zh, en in BRIDGE_METHOD]
        said |= {"bridges_after_cut": bridges.after_cut, "bridges_tagged": bridges.tagged, "bridges": rows(_plain(bridges.table))}
    return said


def _definitions(service_id: str, study: Flood | None, bridges: BridgeStudy | None) -> dict[str, ServiceDefinition]:
    """The definition that was asked about: one of the two studies is always there."""
    return dict.fromkeys([service_id], next(one.definition for one in (study, bridges) if one is not None))


def flood_files(prepared: Prepared, service_id: str, study: Flood | None, bridges: BridgeStudy | None) -> dict[str, Writer]:
    """Lay out flood.csv (townships), flood_places.csv, flood_facilities.csv, bridges.csv, flood.xlsx, flood.json and flood.gpkg."""
    files: dict[str, Writer] = {}
    if study is not None:
        files |= {"flood.csv": csv_writer(study.by_zone), "flood_places.csv": csv_writer(study.places)}
        files |= {"flood_facilities.csv": csv_writer(study.facilities)}
    if bridges is not None:
        files["bridges.csv"] = csv_writer(_plain(bridges.table))
    return files | {
        "flood.xlsx": bytes_writer(lambda: write_sheets(prepared, flood_sheets(prepared, service_id, study, bridges))),
        "flood.json": json_writer(functools.partial(flood_json, prepared, service_id, study, bridges)),
        "flood.gpkg": geopackage_writer(lambda: flood_layers(study, bridges)),
    }


def flood_layers(study: Flood | None, bridges: BridgeStudy | None) -> dict[str, gpd.GeoDataFrame]:
    """Build the layers of flood.gpkg: the cut roads, the places and facilities hit, the bridges; those that are not empty."""
    layers: dict[str, gpd.GeoDataFrame] = {}
    if study is not None:
        layers |= {"cut_roads": study.closed, "places": _points(study.places), "facilities": _points(study.facilities)}
    if bridges is not None:
        layers["bridges"] = bridges.table
    return {name: layer for name, layer in layers.items() if len(layer)}


def _points(table: pd.DataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(table.drop(columns=["lon", "lat"]), geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs="EPSG:4326")


def _plain(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """A table of roads without their course, but with a place on them."""
    at = shapely.get_coordinates(shapely.line_interpolate_point(shapely.get_geometry(np.array(table.geometry), 0), 0.5, normalized=True))
    return pd.DataFrame(table.drop(columns="geometry")).assign(lon=at[:, 0].round(6), lat=at[:, 1].round(6))


def flood_sheets(prepared: Prepared, service_id: str, study: Flood | None, bridges: BridgeStudy | None) -> list[Sheet]:
    """Lay out what the figures mean, then townships, places, facilities and cut roads, and the bridges."""
    said = [*(METHOD if study else ()), *((*BRIDGE_METHOD, *bridge_remarks(bridges)) if bridges else ())]
    sheets = [about_sheet(prepared, _definitions(service_id, study, bridges), [["算法 method", both(words)] for words in said])]
    if study is not None:
        kinds = kind_words(prepared)
        classes, states = [both(CLASS_WORDS[one]) for one in study.places["class"]], [both(STATES[one]) for one in study.places["state"]]
        places = study.places.assign(**{"class": classes, "state": states})
        named = {
            "kind": [both(kinds[one]) for one in study.facilities["kind"]],
            "state": [both(STATES[one]) for one in study.facilities["state"]],
        }
        hit = study.facilities.assign(**named)
        lost = zip(study.by_zone["lost_people_low"], study.by_zone["lost_people_high"], strict=True)
        zones = study.by_zone.assign(range=[_people_range(low, high) for low, high in lost])
        sums = frozenset(at for at, row in enumerate(zones["row"]) if row != "zone")
        sheets += [
            _sheet("分乡镇", _ZONE_COLUMNS, zones, sums),
            _sheet("村居", _PLACE_COLUMNS, places),
            _sheet("机构", _FACILITY_COLUMNS, hit),
            _sheet("断路", _ROAD_COLUMNS, _plain(study.closed).astype({"way_id": str})),
        ]
    if bridges is not None:
        wet = ["是 yes" if wet else "否 no" for wet in bridges.table["over_water"]]
        name = "断路后的桥梁" if bridges.after_cut else "桥梁"
        sheets.append(_sheet(name, _BRIDGE_COLUMNS, _plain(bridges.table).assign(over_water=wet)))
    return sheets


def _people_range(low: float, high: float) -> str:
    """Write people as a range; one number where both are the same."""
    return people(low) if low == high else f"{people(low)}–{people(high)}"


def _sheet(name: str, columns: dict[str, Column], table: pd.DataFrame, bold: frozenset[int] = frozenset()) -> Sheet:
    cells: list[list[Cell]] = [[_cell(row[key]) for key in columns] for row in table.to_dict("records")]
    return Sheet(name, f"断路与桥梁 · {name}", tuple(columns.values()), cells, bold)


def _cell(value: Any) -> Cell:  # noqa: ANN401 — any cell of pandas
    return value if isinstance(value, str) else float(value)


_ZONE_COLUMNS: Final = {
    "zone": Column("乡镇", "township", "text", 14),
    "people": Column("人口", "people"),
    "covered_people_before": Column("断路前覆盖", "covered before", width=14),
    "covered_people_after": Column("断路后覆盖", "covered after", width=14),
    "share_people_before": Column("断路前占比", "share before", "share"),
    "share_people_after": Column("断路后占比", "share after", "share"),
    "lost_people": Column("失去服务", "lose it"),
    "range": Column("区间", "range", "text", 16),
    "flooded_lost_people": Column("其中被淹", "of whom flooded", width=14),
    "flooded_people": Column("被淹人口", "flooded"),
    "cut_off_people": Column("完全断路人口", "cut off", width=14),
    "lost_people_without_external": Column("失去服务\n（不含县外）", "lose it, without external", width=16),
}
_PLACE_COLUMNS: Final = {
    "name": Column("村居", "place", "text", 20),
    "zone": Column("乡镇", "township", "text", 14),
    "class": Column("类别", "class", "text", 12),
    "people": Column("人口", "people"),
    "state": Column("状态", "state", "text", 24),
    "minutes_before": Column("断路前分钟", "minutes before", "tenth"),
    "minutes_after": Column("断路后分钟", "minutes after", "tenth"),
    "lon": Column("经度", "lon", "degree"),
    "lat": Column("纬度", "lat", "degree"),
    "id": Column("编码", "id", "text", 16),
}
_FACILITY_COLUMNS: Final = {
    "name": Column("机构", "facility", "text", 28),
    "kind": Column("类别", "kind", "text", 24),
    "state": Column("状态", "state", "text", 26),
    "people": Column("此前时限内人口", "people within before", width=16),
    "lon": Column("经度", "lon", "degree"),
    "lat": Column("纬度", "lat", "degree"),
    "id": Column("编码", "id", "text", 16),
}
_ROAD_COLUMNS: Final = {
    "name": Column("道路", "road", "text", 24),
    "highway": Column("等级", "class", "text", 16),
    "km": Column("公里", "km", "figure"),
    "way_id": Column("编号", "way id", "text", 16),
    "lon": Column("经度", "lon", "degree"),
    "lat": Column("纬度", "lat", "degree"),
}
_BRIDGE_COLUMNS: Final = {
    "name": Column("桥（路）", "bridge (road)", "text", 24),
    "highway": Column("等级", "class", "text", 16),
    "over_water": Column("跨水", "over water", "text", 10),
    "m": Column("长（米）", "m"),
    "lost_people": Column("失去服务", "lose the service", width=14),
    "lost_people_without_external": Column("失去服务\n（不含县外）", "without external", width=14),
    "cut_off_people": Column("完全断路", "cut off"),
    "longer_people": Column("绕行人数", "people with a longer way", width=14),
    "person_minutes": Column("人·分钟", "person-minutes", width=14),
    "worst_minutes": Column("最多多走\n分钟", "worst, minutes more", "tenth", 14),
    "worst": Column("何处", "where", "text", 18),
    "way_ids": Column("编号", "way ids", "text", 24),
    "lon": Column("经度", "lon", "degree"),
    "lat": Column("纬度", "lat", "degree"),
}
