"""Candidate places from a planner's own file: a csv, a workbook, or any vector file, with prices, vehicles, capacities and turnout."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from geodata.datum.evidence import datum_evidence
from geodata.errors import InputError, Problem, first_few
from geodata.model import OUTSIDE, RESOURCES, Facilities, Region
from geodata.tables.cells import amount, text
from geodata.tables.columns import FEATURES, ID, LAT, LON, PERSONS, SECONDS, THINGS, Column
from geodata.tables.features import VECTOR_ENDINGS
from geodata.tables.load import read_table
from scenarios.siting.tables.site_numbers import COLUMNS
from scenarios.siting.words import Words

_NUMBERS: Final = ("price", "vehicles", "capacity", "turnout")
_COUNT: Final = ("不小于 0 的数字", "a number that is not negative")
_OWN: Final = (
    Column("name", ("name", "名称", "站点名称", "点位名称", "地点"), text, ("文字", "text")),
    replace(COLUMNS["price"], parse=amount({}, may_be_blank=True), required=False),
    replace(COLUMNS["vehicles"], parse=amount(THINGS, may_be_blank=True), required=False),
    replace(COLUMNS["capacity"], parse=amount(PERSONS, may_be_blank=True), required=False),
    Column("turnout", ("turnout", "turnout_s", "出动秒数", "出动时间"), amount(SECONDS, may_be_blank=True), _COUNT, units=SECONDS),
)


class CandidateFile(NamedTuple):
    """The places of a file, their prices where it states them, and what a planner should know of it."""

    places: Facilities
    prices: dict[str, float]
    notes: tuple[Words, ...]


def read_candidates(path: Path, region: Region) -> CandidateFile:
    """Read candidate places.

    Parameters
    ----------
    path : Path
        A csv or workbook with id (编码), lon (经度), lat (纬度), or any vector file: its features are numbered from 1 unless they have ids,
        lines and areas are taken at a point inside them. Columns name, price (费用), vehicles (车辆数), capacity (能力, in people) and
        turnout (出动秒数, in seconds) may be there.
    region : Region
        Coordinates are taken as WGS84; where they lie clearly better on its roads in another datum, that is noted.

    Raises
    ------
    InputError
        All that is wrong: row, column, value.
    """
    points = FEATURES if path.suffix.lower() in VECTOR_ENDINGS else (ID, LON, LAT)
    frame = read_table(path, (*points, *_OWN))
    if "id" not in frame:
        frame["id"] = [str(row) for row in frame.index]
    _refuse_vehicles(path, frame)
    frame = frame.set_geometry(frame.representative_point())
    number = {name: np.array(frame[name], dtype=np.float64) if name in frame else np.full(len(frame), np.nan) for name in _NUMBERS}
    columns = {
        "id": list(frame["id"]),
        "name": [name or one for name, one in zip(frame["name"], frame["id"], strict=True)] if "name" in frame else list(frame["id"]),
        "kind": [""] * len(frame),
        "capacity": number["capacity"],
        "turnout_s": number["turnout"],
    } | {name: number["vehicles"] if name == "vehicles" else np.full(len(frame), np.nan) for name in RESOURCES}
    places = Facilities.from_geodataframe(
        gpd.GeoDataFrame(columns, geometry=list(frame.geometry), crs="EPSG:4326"), region.zones, region.crs
    )
    prices = {one: price for one, price in zip(places.id, number["price"].tolist(), strict=True) if not math.isnan(price)}
    return CandidateFile(places, prices, _datum_note(path, places, region))


def _refuse_vehicles(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Refuse vehicles that are no whole number of 1 or more."""
    if "vehicles" not in frame:
        return
    wrong = frame["vehicles"].notna() & ~((frame["vehicles"] >= 1) & (frame["vehicles"] % 1 == 0))
    if named := first_few(f"{row} ({value:g})" for row, value in frame.loc[wrong, "vehicles"].items()):
        zh = f"{path.name} 第 {named} 行：车辆数须为不小于 1 的整数，或留空。"
        raise InputError(Problem(zh, f"{path.name}, row {named}: vehicles must be a whole number of 1 or more, or blank."))


def _datum_note(path: Path, places: Facilities, region: Region) -> tuple[Words, ...]:
    """Say it where points taken as WGS84 lie clearly better in another datum."""
    lonlat = shapely.get_coordinates(places.geometry)
    weighed = datum_evidence(lonlat, region.roads, region.crs, region.zones, np.full(len(places), OUTSIDE, dtype=np.int64))
    if weighed.verdict not in {"other", "mixed"}:
        return ()
    zh, en = weighed.text
    return ((f"注意 {path.name}：点按 WGS84 读取，但{zh}。请先换算成 WGS84。", f"Mind {path.name}: read as WGS84, but {en}: convert it."),)
