"""Where the people of a county live: from a settlement table or a raster, with the totals of its townships kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.columns import SETTLEMENTS, TOWNSHIP_PEOPLE
from geodata.errors import InputError, Problem, first_few
from geodata.extent import Bounds, far_away, swapped
from geodata.model import Demand, Zones
from geodata.population import read_raster, spread
from geodata.region_file import DemandBlock, TableBlock
from geodata.roads import Floats
from geodata.tables import read_table

UNKNOWN = "rows of no known township"


def township_people(block: TableBlock, folder: Path, zones: gpd.GeoDataFrame) -> Floats:
    """People of each zone, matched by code or else by name; a township without a row or a row without a township is an error."""
    table = read_table(folder / block.file, TOWNSHIP_PEOPLE, headers=block.columns, sheet=block.sheet, layer=block.layer)
    code, problems = _codes(table["zone"], zones, block.file.name)
    known = code.dropna()
    if known.duplicated().any():
        named = first_few(dict.fromkeys(known[known.duplicated()]))
        problems.append(Problem(f"{block.file.name}：乡镇重复：{named}。", f"{block.file.name}: townships named twice: {named}."))
    missing = zones["id"][~zones["id"].isin(known)]
    if len(missing):
        named = first_few(missing)
        problems.append(Problem(f"{block.file.name}：缺少乡镇：{named}。", f"{block.file.name}: townships without a row: {named}."))
    if problems:
        raise InputError(*problems)
    return np.array(pd.Series(table["people"].to_numpy(), index=code)[zones["id"]], dtype=np.float64)


def read_demand(block: DemandBlock, folder: Path, within: Bounds | None) -> gpd.GeoDataFrame:
    """Read the settlements, or the cells of a raster that lie `within` some degrees."""
    if block.raster is not None:
        return read_raster(folder / block.raster, within=within)
    frame = read_table(folder / block.path, SETTLEMENTS, headers=block.columns, sheet=block.sheet, layer=block.layer)
    if not isinstance(frame, gpd.GeoDataFrame) or not (frame.geom_type == "Point").all():
        name = block.path.name
        raise InputError(Problem(f"{name}：聚落应为点（经度、纬度）。", f"{name}: settlements must be points (lon, lat)."))
    if "settlement" in frame:
        frame["settlement"] = frame["settlement"].where(frame["settlement"] != "", frame["id"])
    return frame


def place_demand(frame: gpd.GeoDataFrame, zones: Zones, bounds: Bounds, block: DemandBlock) -> Demand:
    """Build the demand, its zones matched by code or name, its totals those of the township table if there is one."""
    name = block.path.name
    problems = [] if block.raster else swapped(frame, bounds, name)
    if "zone" in frame:
        problems = problems or far_away(frame, bounds, name)
        code, unknown = _codes(frame["zone"], zones, name)
        problems += unknown
        frame = frame.assign(zone=code)
    if problems:
        raise InputError(*problems)
    demand = Demand.from_geodataframe(frame, zones)
    if np.isfinite(zones.people).any():
        demand = _with_totals(demand, zones, name)
    if not demand.people[demand.inside].sum() > 0:
        raise InputError(
            Problem(f"{name}：县内没有一个人，请检查坐标与乡镇界。", f"{name}: nobody lives inside the zones: check coordinates and zones.")
        )
    return demand


def _codes(given: pd.Series, zones: Zones | gpd.GeoDataFrame, name: str) -> tuple[pd.Series, list[Problem]]:
    """Codes of townships given by code or else by name, nan where unknown, and the rows where they are."""
    names = list(zones.name)
    alone = {one: zone_id for one, zone_id in zip(names, zones.id, strict=True) if names.count(one) == 1}
    code = given.map(alone | dict(zip(zones.id, zones.id, strict=True)))
    problems = []
    for several in (True, False):
        rows = code.isna() & (given != "") & (given.isin(names) == several)
        if rows.any():
            named = first_few(f"{row} ({given[row]})" for row in given.index[rows])
            zh, en = ("有同名的乡镇，请填代码", "township names that are not unique, give the code") if several else ("找不到乡镇", UNKNOWN)
            problems.append(Problem(f"{name}：{zh}，行：{named}。", f"{name}: {en}: {named}."))
    return code, problems


def _with_totals(demand: Demand, zones: Zones, name: str) -> Demand:
    """Make the people of each township add up to its stated total."""
    empty = [zones.name[at] for at in np.flatnonzero(zones.people > 0) if not (demand.zone == at).any()]
    if empty:
        named = first_few(empty)
        raise InputError(
            Problem(f"{name}：这些乡镇有人口却没有聚落：{named}。", f"{name}: townships with people but no settlement: {named}.")
        )
    people = spread(zones.people, demand.zone, demand.people)
    return replace(demand, people=people, spreads=people[None, :]).peopled()
