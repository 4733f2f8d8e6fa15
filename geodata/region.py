"""One ``region.toml`` → one Region: the description checked as a whole, then every file read, all problems reported at once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geodata.calls import Calls
from geodata.columns import ZONES, Column, facility_columns
from geodata.demand import place_demand, read_demand, township_people
from geodata.errors import InputError, Problem, first_few, os_reason
from geodata.extent import Bounds, swapped, widened
from geodata.model import Facilities, Region, Source, Zones
from geodata.region_file import FacilitiesBlock, RegionFile, read_region_file
from geodata.road_files import read_road_files
from geodata.roads import Network, build_network
from geodata.standards import Mode, Services, Speeds, read_services, read_speeds
from geodata.tables import read_table

__all__ = ["Prepared", "read_region", "read_region_file", "sha256"]

Result = TypeVar("Result")
MOST_DISTORTION = 0.005  # of lengths by the projected CRS, anywhere in the county


@dataclass(frozen=True, eq=False)
class Prepared:
    """A region with the rules to ask about it; networks are built when first needed."""

    region: Region
    services: Services
    speeds: Speeds
    _networks: dict[str, Network] = field(default_factory=dict)

    def network(self, mode: Mode) -> Network:
        """Return the network of a mode, built once."""
        if mode not in self._networks:
            self._networks[mode] = build_network(self.region.roads, mode, self.speeds, self.region.crs)
        return self._networks[mode]


@dataclass
class _Attempts:
    """Try every file, keep all problems."""

    problems: list[Problem] = field(default_factory=list)

    def __call__(self, read: Callable[[], Result]) -> Result | None:
        try:
            return read()
        except InputError as error:
            self.problems += error.problems
            return None


def read_region(path: Path) -> Region:
    """Read region.toml and every file it names.

    Parameters
    ----------
    path : Path
        region.toml, or the folder that holds it.

    Raises
    ------
    InputError
        All problems of the description, or all problems of the files, at once.
    """
    described = read_region_file(path)
    folder = path if path.is_dir() else path.parent
    attempt = _Attempts()
    services = attempt(lambda: read_services(folder / described.services if described.services else None))
    attempt(lambda: read_speeds(folder / described.speeds if described.speeds else None))
    townships = attempt(lambda: _read_zones(described, folder))
    bounds = attempt(lambda: _bounds(townships, described)) if townships is not None else None
    roads = attempt(lambda: read_road_files(described.roads, folder, within=bounds))
    settlements = attempt(lambda: read_demand(described.demand, folder, within=bounds))
    zones = attempt(lambda: _with_people(townships, described, folder)) if townships is not None else None
    demand = None
    if zones is not None and bounds is not None and settlements is not None:
        demand = attempt(lambda: place_demand(settlements, zones, bounds, described.demand))
    places = attempt(lambda: _read_facilities(described, folder, services, bounds)) if services else None
    if zones is None or roads is None or demand is None or places is None or attempt.problems:
        raise InputError(*dict.fromkeys(attempt.problems))
    rows = {"roads": [roads.highway_ways], "zones": [len(zones.id)], "population": [len(zones.id)], "demand": [len(demand)]}
    rows["facilities"] = places.groupby("block").size().tolist()
    crs = described.crs or zones.to_geodataframe().estimate_utm_crs().to_string()
    return Region(
        name=described.name,
        illustrative=described.illustrative,
        date=described.date,
        crs=crs,
        roads=roads,
        zones=zones,
        demand=demand,
        facilities=Facilities.from_geodataframe(places, zones, crs),
        people_source=_people_source(described),
        sources=_sources(described, folder, rows),
        tables=(),
        row_notes=(),
        calls=Calls.none(),
        county_people=math.nan,
        county_registered=math.nan,
    )


def _sources(described: RegionFile, folder: Path, rows: dict[str, list[int]]) -> tuple[Source, ...]:
    return tuple(
        Source(role, file.name, sha256(file), rows[role].pop(0) if role in rows else 0, source)
        for role, file, source in described.files(folder)
    )


def sha256(path: Path) -> str:
    """Sha256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(Problem(f"无法读取 {path}（{os_reason(error).zh}）。", f"Cannot read {path} ({os_reason(error).en}).")) from error


def _people_source(described: RegionFile) -> str:
    zh, en = ("人口栅格", "raster cells") if described.demand.raster else ("聚落表", "settlement table")
    spread_zh, spread_en = f"乡镇总数按{zh}分摊，总数不变", f"township totals spread over the {en} (largest remainder)"
    return f"{spread_zh} {spread_en}" if described.population else f"{zh} {en}"


def _read_zones(described: RegionFile, folder: Path) -> gpd.GeoDataFrame:
    block = described.zones
    frame = read_table(folder / block.file, ZONES, headers=block.columns, layer=block.layer, sheet=block.sheet)
    name = block.file.name
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputError(Problem(f"{name}：乡镇界应为面。", f"{name}: zones must be polygons."))
    frame = frame.set_geometry(shapely.make_valid(np.array(frame.geometry), method="structure", keep_collapsed=False), crs="EPSG:4326")
    if frame.is_empty.any():
        rows = first_few(frame.index[frame.is_empty])
        raise InputError(Problem(f"{name}：乡镇界没有面积，行：{rows}。", f"{name}: zones without area, rows: {rows}."))
    return frame.assign(name=frame["name"].where(frame["name"] != "", frame["id"]) if "name" in frame else frame["id"])


def _with_people(townships: gpd.GeoDataFrame, described: RegionFile, folder: Path) -> Zones:
    if described.population is None:
        return Zones.from_geodataframe(townships)
    return Zones.from_geodataframe(townships.assign(people=township_people(described.population, folder, townships)))


def _bounds(townships: gpd.GeoDataFrame, described: RegionFile) -> Bounds:
    """Everything within the buffer around the county; refused where the projected CRS is made for another part of the world."""
    west, south, east, north = townships.total_bounds.tolist()
    area = described.crs_area
    if area is not None and not shapely.box(*area).intersects(shapely.box(west, south, east, north)):
        used, has = (", ".join(f"{degree:.3f}" for degree in box) for box in (area, (west, south, east, north)))
        raise InputError(
            Problem(
                f"crs = {described.crs} 适用于（{used}），本县在（{has}，西南东北）。请换坐标系，或删去 crs 由程序选定。",
                f"crs {described.crs!r} is for ({used}), the county lies at ({has}; west, south, east, north). "
                "Choose another, or leave crs out.",
            )
        )
    corners = [(west, south), (west, north), (east, south), (east, north)]
    if described.crs is not None:
        factors = [pyproj.Proj(described.crs).get_factors(*corner) for corner in corners]
        scales = [scale for one in factors for scale in (one.meridional_scale, one.parallel_scale)]
        if not all(abs(scale - 1) <= MOST_DISTORTION for scale in scales):
            worst = max(scales, key=lambda scale: abs(scale - 1))
            raise InputError(
                Problem(
                    f"crs = {described.crs} 在本县把长度放大为 {worst:.4f} 倍，不能用来量距离。请换坐标系，或删去 crs 由程序选定。",
                    f"crs {described.crs!r} scales lengths by {worst:.4f} here and cannot measure them. Choose another, or leave crs out.",
                )
            )
    return widened((west, south, east, north), described.buffer_km)


def _read_facilities(described: RegionFile, folder: Path, services: Services, bounds: Bounds | None) -> gpd.GeoDataFrame:
    attempt, columns = _Attempts(), facility_columns(services.kinds)
    frames = [attempt(partial(_read_block, block, folder, columns, bounds)) for block in described.facilities]
    if attempt.problems:
        raise InputError(*attempt.problems)
    frames = [frame.assign(block=at) for at, frame in enumerate(frames) if frame is not None]
    joined = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs="EPSG:4326")
    twice = joined[joined["id"].duplicated(keep=False)].sort_values("id", kind="stable")
    if len(twice):
        named = first_few(f"{row.id} ({row.file})" for row in twice.itertuples())
        raise InputError(Problem(f"设施编码重复：{named}。", f"Duplicate facility ids: {named}."))
    return joined


def _read_block(block: FacilitiesBlock, folder: Path, columns: tuple[Column, ...], bounds: Bounds | None) -> gpd.GeoDataFrame:
    """One table of facilities; one far outside the county is external and stays, unless its lon and lat changed places."""
    constants = {"kind": block.kind} if block.kind else {}
    frame = read_table(folder / block.file, columns, headers=block.columns, constants=constants, sheet=block.sheet, layer=block.layer)
    problems = swapped(frame, bounds, block.file.name) if bounds else []
    if problems:
        raise InputError(*problems)
    return _complete(frame).assign(file=block.file.name)


def _complete(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give a table every column of a facility, and say eligibility in one."""
    absent = {"name": "", "open_from": "", "open_to": "", "eligible_for": "", "restricted": False, "emergency": False}
    for column, value in (absent | {"capacity": np.nan, "turnout_s": np.nan, "entrances": None}).items():
        if column not in frame:
            frame[column] = value
    frame["entrances"] = frame["entrances"].astype(object)
    frame["name"] = frame["name"].where(frame["name"] != "", frame["id"])
    eligible = zip(frame["eligible_for"], frame["emergency"], strict=True)
    frame["eligible_for"] = [f"{services} emergency".strip() if more else services for services, more in eligible]
    return frame
