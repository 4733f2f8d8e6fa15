"""Where the people of a county live: from a settlement table or a raster, with the totals of its townships kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import InputError, Problem, first_few
from geodata.extent import Bounds, far_away, swapped
from geodata.frontage import frontage_m, gathered
from geodata.model import OUTSIDE, Demand, Zones
from geodata.population import read_raster, spread
from geodata.region_file import DemandBlock
from geodata.roads import Floats, Roads
from geodata.tables.names import match_zones


def rows_by_zone(table: pd.DataFrame, zones: gpd.GeoDataFrame, name: str) -> pd.DataFrame:
    """Put the rows of a table with a column `zone` (code or name) into the order of the zones, one row each.

    Raises
    ------
    InputError
        Rows of no township, two rows of one, or a township without a row.
    """
    code, problems = _codes(table["zone"], zones, name)
    known = code.dropna()
    if known.duplicated().any():
        named = first_few(dict.fromkeys(known[known.duplicated()]))
        problems.append(Problem(f"{name}：乡镇重复：{named}。", f"{name}: townships named twice: {named}."))
    missing = zones["id"][~zones["id"].isin(known)]
    if len(missing):
        named = first_few(missing)
        problems.append(Problem(f"{name}：缺少乡镇：{named}。", f"{name}: townships without a row: {named}."))
    if problems:
        raise InputError(*problems)
    return table.set_axis(code, axis="index").loc[list(zones["id"])]


def as_settlements(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Settlements as a table has them: points, each a settlement of its own unless the table says of which it is a part."""
    if isinstance(frame, gpd.GeoDataFrame) and not (frame.geom_type.dropna() == "Point").all():
        raise InputError(Problem(f"{name}：聚落应为点（经度、纬度）。", f"{name}: settlements must be points (lon, lat)."))
    if "settlement" not in frame:
        return frame
    return frame.assign(settlement=frame["settlement"].where(frame["settlement"] != "", frame["id"]))


def read_cells(block: DemandBlock, folder: Path, within: Bounds | None) -> gpd.GeoDataFrame | None:
    """Read the raster by which the township totals may be spread over the settlements; None if there is none."""
    return None if block.spread_raster is None else read_raster(folder / block.spread_raster, within=within)


def place_demand(
    frame: gpd.GeoDataFrame,
    zones: Zones,
    bounds: Bounds,
    block: DemandBlock,
    *,
    roads: Roads | None = None,
    cells: gpd.GeoDataFrame | None = None,
) -> Demand:
    """Build the demand, its zones matched by code or name, its totals those of the township table if there is one.

    Parameters
    ----------
    frame : GeoDataFrame
        Of :func:`read_demand`, rows with a place only.
    zones : Zones
    bounds : (west, south, east, north)
        Where a settlement may lie.
    block : DemandBlock
    roads : Roads, optional
        For the spread by built frontage.
    cells : GeoDataFrame, optional
        Of :func:`read_cells`.
    """
    name = block.path.name
    problems = [] if block.raster else swapped(frame, bounds, name)
    if "zone" in frame:
        problems = problems or far_away(frame, bounds, name)
        code, unknown = _codes(frame["zone"], zones, name)
        problems += unknown
        frame = frame.assign(zone=code)
    counted = "people" in frame and bool(frame["people"].any())
    share = frame.get("old_share")
    frame = frame if counted else frame.assign(people=0.0, old=np.nan)
    problems += _impossible_ages(frame, name)
    if problems:
        raise InputError(*problems)
    demand = Demand.from_geodataframe(frame, zones)
    if np.isfinite(zones.people).any():
        demand = _with_totals(demand, zones, name, _weights(demand, zones, block, roads=roads, cells=cells))
    elif not counted or (block.spread and not block.raster):
        raise InputError(
            Problem(
                f"{name}：没有乡镇人口表 [population]，村（社区）须有人口列，且不能用 spread 分摊。",
                f"{name}: without township totals ([population]) the settlements need a column of people, and spread nothing.",
            )
        )
    else:
        demand = replace(demand, old=aged(demand, demand.people))
    if share is not None:
        of_one = replace(demand, people=np.ones(len(demand)), old=np.array(share, dtype=np.float64))
        demand = replace(demand, old=aged(of_one, demand.people))
    if not demand.people[demand.inside].sum() > 0:
        raise InputError(
            Problem(f"{name}：县内没有一个人，请检查坐标与乡镇界。", f"{name}: nobody lives inside the zones: check coordinates and zones.")
        )
    return demand


def spread_evenly(totals: Floats, demand: Demand, weight: Floats) -> Floats:
    """Spread totals of zones over the demand in whole people, ties by id: the order of the rows is of no matter."""
    order = np.argsort(np.array(demand.id, dtype=str), kind="stable")
    people = np.empty(len(demand))
    people[order] = spread(totals, demand.zone[order], weight[order])
    return people


def aged(demand: Demand, people: Floats) -> Floats:
    """People of 65 and over among other numbers of people, at the shares of the demand: whole where the people are whole.

    The sum of each zone is rounded and spread by largest remainder; nan where the share is not known.
    """
    share = np.divide(demand.old, demand.people, out=np.where(np.isnan(demand.old), np.nan, 0.0), where=demand.people > 0)
    old = share * people
    if not (people == np.floor(people)).all():
        return old
    known = np.flatnonzero(np.isfinite(old))
    zone = np.where(np.isin(np.arange(len(demand)), known), demand.zone, OUTSIDE)
    totals = np.rint(np.bincount(zone[known] + 1, old[known], minlength=1)[1:])
    return np.where(np.isnan(old), np.nan, np.minimum(people, spread_evenly(totals, replace(demand, zone=zone), np.nan_to_num(old))))


def _impossible_ages(frame: gpd.GeoDataFrame, name: str) -> list[Problem]:
    if "old" not in frame:
        return []
    more = frame[frame["old"] > frame["people"]]
    rows = first_few(f"{row.Index} ({row.old:,.10g} > {row.people:,.10g})" for row in more.itertuples())
    zh, en = "65 岁及以上人口多于人口", "more people of 65 and over than people"
    return [Problem(f"{name}：{zh}，行：{rows}。", f"{name}: {en}, rows: {rows}.")] if rows else []


def _weights(demand: Demand, zones: Zones, block: DemandBlock, *, roads: Roads | None, cells: gpd.GeoDataFrame | None) -> dict[str, Floats]:
    """By what the totals may be spread, the central way first: the table's own people, else a raster, else built frontage.

    Every way that the data allow is plausible, and widens the range. The cells of a raster are spread by their own people only.
    """
    name = block.path.name
    if block.raster:
        weights = {"raster": demand.people}
    else:
        weights = {"people": demand.people} if demand.people.any() else {}
        if cells is not None:
            at, people = shapely.get_coordinates(cells.geometry), cells["people"].to_numpy(dtype=np.float64)
            weights["raster"] = gathered(at, people, zones, demand.lonlat, demand.zone)
        if roads is not None:
            weights["frontage"] = frontage_m(roads, zones, demand.lonlat, demand.zone)
    central: str = block.spread or next(iter(weights), "")
    if central not in weights:
        missing = {
            "people": ("聚落表中没有人口数。", "the settlements have no people of their own."),
            "raster": ("请写明 spread_raster = 栅格文件。", "name the raster: spread_raster = …"),
            "frontage": ("没有可用的道路。", "there are no roads to go by."),
            "": ("没有可据以分摊的数据。", "there is nothing to spread the totals by."),
        }
        zh, en = missing[central]
        raise InputError(Problem(f"{name}：不能按 spread = {central} 分摊：{zh}", f"{name}: cannot spread by {central!r}: {en}"))
    return {one: weights[one] for one in sorted(weights, key=lambda one: one != central)}


def _codes(given: pd.Series, zones: Zones | gpd.GeoDataFrame, name: str) -> tuple[pd.Series, list[Problem]]:
    """Codes of townships given by code or name, nan where blank or unknown, and the rows where they are unknown."""
    match = match_zones(given, list(zones.id), list(zones.name))
    return match.code, [Problem(f"{name}：{problem.zh}。", f"{name}: {problem.en}.") for problem in match.problems]


def _with_totals(demand: Demand, zones: Zones, name: str, weights: Mapping[str, Floats]) -> Demand:
    """Make the people of each township add up to its stated total, under each way to spread it; elsewhere the people stay."""
    empty = [zones.name[at] for at in np.flatnonzero(zones.people > 0) if not (demand.zone == at).any()]
    if empty:
        named = first_few(empty)
        raise InputError(
            Problem(f"{name}：这些乡镇有人口却没有聚落：{named}。", f"{name}: townships with people but no settlement: {named}.")
        )
    stated = np.append(np.isfinite(zones.people), False)[demand.zone]  # OUTSIDE is the last
    spreads = np.stack([spread_evenly(zones.people, demand, np.where(stated, one, demand.people)) for one in weights.values()])
    people = spreads[0]
    return replace(demand, people=people, spread_names=tuple(weights), spreads=spreads, old=aged(demand, people)).peopled()
