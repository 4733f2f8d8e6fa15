"""What stands on the sheets of a workbook: pure tables, each with its columns in both languages; `workbook` writes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import shapely

from coverage.gaps import CAUSES
from coverage.stats import CoverageResult
from geodata.model import OUTSIDE, Demand
from geodata.region import Prepared
from geodata.roads import Floats
from geodata.standards import ServiceDefinition
from scenarios.compare import Comparison
from scenarios.output.legend import (
    CHANGE_WORDS,
    CLASS_WORDS,
    DIRECTION_WORDS,
    ILLUSTRATIVE_SAID,
    MODE_WORDS,
    OUTSIDE_WORDS,
    RANGE_WORDS,
    ROLE_WORDS,
    ROW_WORDS,
    STATE_WORDS,
    UNREVIEWED,
    both,
    kind_words,
    limit_words,
    range_said,
    way_words,
)
from scenarios.output.report import (
    SHA_SHOWN,
    old_known,
    people_not_counted,
    percent_range,
    provenance,
    round_up,
)
from scenarios.output.shares import catchment_layer
from scenarios.output.speed_words import hour_said

Cell = str | float | None
Form = Literal["text", "count", "share", "tenth", "figure", "degree"]


@dataclass(frozen=True)
class Column:
    """One column of a sheet: its head in both languages, what its cells are, its width in characters."""

    zh: str
    en: str
    form: Form = "count"
    width: float = 12


@dataclass(frozen=True)
class Chart:
    """A line chart below the table of a sheet: columns by position, along one of them; `mark` is a row that is marked (the knee)."""

    title: str
    along: int
    columns: Sequence[int]
    mark: int | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet before it is written; `bold` tells the rows of sums, from 0; they stand last."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    bold: frozenset[int] = field(default_factory=frozenset)
    chart: Chart | None = None


def table_sheet(name: str, title: str, columns: Mapping[str, Column], table: pd.DataFrame, bold: frozenset[int] = frozenset()) -> Sheet:
    """Lay out some columns of a table, by their keys."""
    cells: list[list[Cell]] = [[row[key] for key in columns] for row in table.to_dict("records")]
    return Sheet(name, f"{title} · {name}", tuple(columns.values()), cells, bold)


def coverage_sheets(prepared: Prepared, results: Mapping[str, CoverageResult], comparisons: Mapping[str, Comparison]) -> list[Sheet]:
    """Lay out coverage: what the numbers mean, then townships, gaps and facilities of each service, then what a scenario changes."""
    definitions = {service: result.definition for service, result in results.items()}
    sheets = [about_sheet(prepared, definitions, [*MEANINGS, _CATCHMENT_MEANING])]
    for service, result in results.items():
        name = prepared.services.service(service).name_zh
        title = f"{name} · {result.definition.name_zh}"
        sheets += [
            _zone_sheet(prepared.region.demand, name, title, result),
            gap_sheet(f"未覆盖 {name}", f"未覆盖村居：{title}", result.definition, result.gaps),
            _facility_sheet(prepared, name, title, result),
            _catchment_sheet(prepared.region.demand, name, title, result),
        ]
    for service, comparison in comparisons.items():
        sheets += _comparison_sheets(prepared, service, comparison)
    return sheets


PLACE: Final = Column("村居", "place", "text", 20)
TOWNSHIP: Final = Column("乡镇", "township", "text", 14)
ID: Final = Column("编码", "id", "text", 16)
PEOPLE: Final = Column("人口", "people")
LON, LAT = Column("经度\n（WGS84）", "lon", "degree"), Column("纬度\n（WGS84）", "lat", "degree")
_RANGE: Final = Column("覆盖率区间", "range of share", "text", 15)
_BEFORE_AFTER: Final = (
    Column("乡镇", "township", "text", 24),
    PEOPLE,
    Column("现状覆盖人口", "covered before", width=14),
    Column("方案覆盖人口", "covered after", width=14),
    Column("现状覆盖率", "share before", "share"),
    Column("方案覆盖率", "share after", "share"),
    Column("现状覆盖村居", "places before", width=14),
    Column("方案覆盖村居", "places after", width=14),
)
_RANGE_AFTER: Final = Column("方案覆盖率区间", "range of share after", "text", 17)
_GAINED_LOST: Final = (Column("新覆盖人口", "gained people"), Column("不再覆盖人口", "lost people", width=14))
_CHANGED_COLUMNS: Final = (PLACE, TOWNSHIP, PEOPLE, Column("变化", "change", "text", 18), LON, LAT, ID)
_CHANGED_SITES: Final = (
    *(Column("机构", "facility", "text", 28), Column("类别", "kind", "text", 18), _CHANGED_COLUMNS[3]),
    *(Column("时限内人口", "people within", width=16), LON, LAT, ID),
)
ABOUT_COLUMNS: Final = (Column("项目", "item", "text", 30), Column("内容", "content", "text", 100))


def _zone_sheet(demand: Demand, name: str, title: str, result: CoverageResult) -> Sheet:
    """Build the township table, with a range if there is one and 65 and over if they are known."""
    columns: dict[Column, str] = {
        TOWNSHIP: "zone",
        PEOPLE: "people",
        Column("覆盖人口", "covered people"): "covered_people",
        Column("人口覆盖率", "share of people", "share"): "share_people",
        **({_RANGE: "range"} if range_said(demand) else {}),
        Column("村居数", "places"): "settlements",
        Column("覆盖村居", "covered places"): "covered_settlements",
        Column("村居覆盖率", "share of places", "share"): "share_settlements",
        Column("不含县外机构\n覆盖人口", "without external", width=15): "covered_people_without_external",
        Column("不含县外机构\n人口覆盖率", "without external", "share", 15): "share_people_without_external",
    }
    if old_known(result.by_zone):
        columns[Column("65岁及以上\n人口", "65 and over", width=14)] = "old"
        columns[Column("65岁及以上\n覆盖率", "share of 65+", "share", 14)] = "share_old"
    rows = [row | {"range": percent_range(row["share_people_low"], row["share_people_high"])} for row in result.by_zone.to_dict("records")]
    cells = [[row[key] for key in columns.values()] for row in rows]
    return Sheet(f"分乡镇 {name}", f"分乡镇覆盖情况：{title}", tuple(columns), cells, sums(result.by_zone["row"]))


def before_after_columns(demand: Demand, *more: Column) -> tuple[Column, ...]:
    """Columns of a table of before and after, with a range if there is one."""
    return (*_BEFORE_AFTER, *more, *([_RANGE_AFTER] if range_said(demand) else []))


def before_after_rows(demand: Demand, table: Sequence[Mapping[str, Any]], more: Sequence[str] = ()) -> list[list[Cell]]:
    """Lay out a table of before and after, in the columns of `before_after_columns`."""
    people = ["covered_people_before", "covered_people_after", "share_people_before", "share_people_after"]
    names = ["zone", "people", *people, "covered_settlements_before", "covered_settlements_after", *more]
    rows = [[row[name] for name in names] for row in table]
    if range_said(demand):
        ranges = [percent_range(row["share_people_low_after"], row["share_people_high_after"]) for row in table]
        rows = [[*row, said] for row, said in zip(rows, ranges, strict=True)]
    return rows


def sums(row: Iterable[str]) -> frozenset[int]:
    """Tell which rows of a table of townships are sums."""
    return frozenset(at for at, kind in enumerate(row) if kind != "zone")


def gap_sheet(name: str, title: str, definition: ServiceDefinition, gaps: pd.DataFrame) -> Sheet:
    """Build the gap list, with the measures that the definition has a limit for."""
    limits = definition.limits.values()
    columns = [PLACE, TOWNSHIP, Column("类别", "class", "text", 12), PEOPLE]
    columns += [Column("原因", "cause", "text", 34), Column("原因（英文）", "cause in English", "text", 34)]
    columns += [Column("最近机构", "nearest facility", "text", 26)]
    if any(limit.minutes for limit in limits):
        columns.append(Column("到最近机构\n分钟", "minutes", "tenth"))
    if any(limit.network_m for limit in limits):
        columns.append(Column("到最近机构\n沿道路米数", "metres by road"))
    columns += [Column("到最近机构\n直线米数", "metres straight"), Column("距道路米数", "metres to road"), ID]
    rows: list[list[Cell]] = []
    for gap in gaps.to_dict("records"):
        row = [gap["name"], gap["zone"], both(CLASS_WORDS[gap["class"]]), gap["people"], *CAUSES[gap["cause"]], gap["nearest_name"]]
        if any(limit.minutes for limit in limits):
            row.append(gap["nearest_minutes"] if math.isnan(gap["nearest_minutes"]) else round_up(gap["nearest_minutes"]))
        if any(limit.network_m for limit in limits):
            row.append(gap["nearest_network_m"])
        rows.append([*row, gap["nearest_straight_m"], gap["road_m"], gap["id"]])
    return Sheet(name, title, columns, rows)


def _facility_sheet(prepared: Prepared, name: str, title: str, result: CoverageResult) -> Sheet:
    """Build the list of facilities that were counted and may be shown."""
    region = prepared.region
    shown = result.facilities.to_geodataframe()
    people = (region.demand.people * region.demand.inside) @ result.covers
    at = shapely.point_on_surface(np.array(shown.geometry, dtype=object))
    columns = {
        "name": shown["name"],
        "kind": [both(kind_words(prepared)[kind]) for kind in shown["kind"]],
        "zone": townships(prepared, shapely.get_coordinates(at)),
        "people": np.asarray(people)[~result.facilities.restricted],
        "capacity": shown["capacity"],
        "lon": shapely.get_x(at),
        "lat": shapely.get_y(at),
        "open_from": shown["open_from"],
        "open_to": shown["open_to"],
        "id": shown["id"],
    }
    heads = [Column("机构", "facility", "text", 28), Column("类别", "kind", "text", 24), TOWNSHIP]
    heads += [Column("可达人口\n（机构间重复）", "people in reach (overlaps)", width=16), Column("规模", "capacity")]
    heads += [LON, LAT, Column("启用", "open from", "text"), Column("停用", "open to", "text"), ID]
    rows = [list(row) for row in zip(*(list(column) for column in columns.values()), strict=True)]
    return Sheet(f"机构 {name}", f"计入的机构：{title}", heads, rows)


def _catchment_sheet(demand: Demand, name: str, title: str, result: CoverageResult) -> Sheet:
    """Build the list of catchments, each person once; the areas of two limits overlap and have no sum."""
    layer = catchment_layer(result.served, result.facilities, demand)
    several = bool((layer["class"] != "all").any())
    columns: dict[Column, list[Cell]] = {
        Column("机构", "facility", "text", 28): [*layer["facility"], both(ROW_WORDS["total"])],
        **({Column("时限类别", "limit of", "text", 12): [*(both(CLASS_WORDS[one]) for one in layer["class"]), ""]} if several else {}),
        Column("面积\n（平方公里）", "area km²", "figure"): [*layer["area_km2"], None if several else layer["area_km2"].sum()],
        PEOPLE: [*layer["people"], layer["people"].sum()],
        Column("村居数", "places"): [*layer["settlements"], int(layer["settlements"].sum())],
        ID: [*layer["facility_id"], ""],
    }
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return Sheet(f"片区 {name}", f"各机构片区 catchments：{title}", tuple(columns), rows, frozenset({len(layer)}))


def townships(prepared: Prepared, lonlat: Floats) -> list[str]:
    """Name the township that each place lies in."""
    zones = prepared.region.zones
    return [both(OUTSIDE_WORDS) if at == OUTSIDE else zones.name[at] for at in zones.locate(lonlat)]


def _comparison_sheets(prepared: Prepared, service: str, comparison: Comparison) -> list[Sheet]:
    name = prepared.services.service(service).name_zh
    title = f"{comparison.scenario.name} · {name} · {comparison.after.definition.name_zh}".removeprefix(" · ")
    kinds = kind_words(prepared)
    by_zone = comparison.by_zone
    changed: list[list[Cell]] = [
        [row.name, row.zone, row.people, both(CHANGE_WORDS[row.change]), row.lon, row.lat, row.id]
        for row in comparison.changed.itertuples(index=False)
    ]
    sites: list[list[Cell]] = [
        [row.name, both(kinds[row.kind]), both(STATE_WORDS[row.state]), row.people, row.lon, row.lat, row.id]
        for row in comparison.sites.itertuples(index=False)
    ]
    demand = prepared.region.demand
    compared = before_after_rows(demand, by_zone.to_dict("records"), ("gained_people", "lost_people"))
    return [
        Sheet(f"情景对比 {name}", f"情景对比：{title}", before_after_columns(demand, *_GAINED_LOST), compared, sums(by_zone["row"])),
        Sheet(f"变化村居 {name}", f"覆盖有变化的村居：{title}", _CHANGED_COLUMNS, changed),
        Sheet(f"情景机构 {name}", f"情景中变动的机构：{title}", _CHANGED_SITES, sites),
    ]


# 说明: what the numbers rest on


def about_sheet(prepared: Prepared, definitions: Mapping[str, ServiceDefinition], meanings: Sequence[Sequence[Cell]]) -> Sheet:
    """Lay out what the numbers of a workbook rest on: definitions, what is meant by each figure, parameters, sources."""
    region = prepared.region
    rows: list[list[Cell]] = [["地区 region", region.name], ["日期 date", region.date.isoformat()]]
    if region.illustrative:
        rows.append(["数据性质 data", both(ILLUSTRATIVE_SAID)])
    rows.append(["使用范围 use", both(UNREVIEWED)])
    for service, definition in definitions.items():
        named = prepared.services.service(service)
        rows += [[f"口径 definition：{named.name_zh} {named.name_en}", "\n".join(_definition_lines(prepared, definition))]]
    rows += [list(meaning) for meaning in meanings]
    if said := range_said(region.demand):
        rows.append([both(RANGE_WORDS), both(said)])
    rows += [["不计的人口 people not counted", both(words)] for words in people_not_counted(region)]
    return Sheet("说明", "说明", ABOUT_COLUMNS, rows + _provenance_rows(prepared, definitions))


MEANINGS: Final[list[list[Cell]]] = [
    [
        "人口 people",
        "县界内的常住人口，按居民点计，不按圈的面积计 residents inside the county, counted where they live, not by a circle's area",
    ],
    [
        "覆盖人口 covered people",
        "到任一计入机构都符合全部时限的人口，含县外机构 people within every limit of any facility counted, external ones included",
    ],
    ["覆盖率 share", "覆盖人口 ÷ 人口；“–”表示没有居民 covered people ÷ people; a dash where nobody lives"],
    [
        "覆盖村居 covered places",
        "覆盖人口达到口径所列比例的村（社区） villages and communities whose share of people within reaches the definition's",
    ],
    ["不含县外 without external", "只算县内机构 facilities inside the county only"],
    ["可达人口 people in reach", "一个机构时限内的人口；机构之间重复，不能相加 of one facility; they overlap and must not be added up"],
    ["分钟 minutes", "向上取到十分之一，15.0 表示不超过 15 分钟 rounded up to a tenth: 15.0 is never more than 15"],
]


_CATCHMENT_MEANING: Final[list[Cell]] = [
    "片区 catchments",
    (
        "服务圈按最近的机构切开，同样近的归编码靠前的一家。覆盖人口每人只计一次，计在最近的列名机构；村居计在其覆盖人口最多的一片。"
        "合计是列名机构合起来的覆盖人口：不公开的机构不占片，它服务的人归最近的列名机构，列名机构都够不着的不在其内 "
        "the circle cut by which facility is nearest, of equally near ones the first by id. Covered people are counted once, with the "
        "nearest facility listed, a place where most of its covered people are. The sum is whom the listed facilities cover together: "
        "restricted ones have no catchment, whom they serve is with the nearest one listed, or with none if none reaches them"
    ),
]


def _definition_lines(prepared: Prepared, definition: ServiceDefinition) -> Iterator[str]:
    kinds = kind_words(prepared)
    yield f"{definition.name_zh} {definition.name_en}"
    yield f"时限 limit：{both(limit_words(definition))}"
    if any(way_words(definition)):
        yield f"方式 mode：{both(way_words(definition))}，{both(DIRECTION_WORDS[definition.direction])}"
    if hour := hour_said(prepared.speeds, definition):
        yield f"钟点 hour：{both(hour)}"
    yield "计入机构 kinds：" + "、".join(both(kinds[kind]) for kind in definition.kinds)
    yield f"村居计为覆盖 a place counts from：{definition.settlement_share:.0%}"
    if definition.call_handling_s or definition.turnout_s:
        yield f"出车前 before driving：受理 call {definition.call_handling_s:g} s + 出车 turnout {definition.turnout_s:g} s"
    yield f"来源 source：{definition.source} [{definition.status}]"
    if definition.note:
        yield f"备注 note：{definition.note}"


def _provenance_rows(prepared: Prepared, definitions: Mapping[str, ServiceDefinition]) -> list[list[Cell]]:
    said = provenance(prepared, list(definitions.values()))
    parameters = said["parameters"]
    rows: list[list[Cell]] = [
        ["上路距离 access radius", f"{parameters['access_radius_m']:g} m；最远 at most {parameters['max_snap_m']:g} m"],
    ]
    for mode, speeds in parameters["speeds"].items():
        classes = "，".join(f"{name} {kmh:g}" for name, kmh in speeds["classes"].items())
        text = f"{speeds['kmh']:g} km/h（{classes}）" if classes else f"{speeds['kmh']:g} km/h"
        leg = f"上路 to the road {speeds['access_kmh']:g} km/h × {speeds['access_detour']:g}"
        rows.append([f"速度 speed：{both(MODE_WORDS[mode])}", f"{text}；{leg}；{speeds['source']} [{speeds['status']}]"])
    rows.append(["人口来源 people", said["people_source"]])
    rows += [
        [
            f"{both(ROLE_WORDS[source['role']])}：{source['file']}",
            f"{source['note']}；{source['rows']:,} 行 rows；sha256 {source['sha256'][:SHA_SHOWN]}",
        ]
        for source in said["sources"]
    ]
    rows += [["坐标系 crs", said["crs"]], ["地区指纹 fingerprint", said["region_fingerprint"]], ["程序 program", said["program"]]]
    return rows
