"""One ``region.toml`` → one Region: the description checked as a whole, then every file read, all problems reported at once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geodata.calls.log import read_calls
from geodata.calls.model import Calls
from geodata.demand import as_settlements, place_demand, read_cells, rows_by_zone
from geodata.errors import InputError, Problem, first_few, os_reason
from geodata.extent import Bounds, swapped, widened
from geodata.growth import growth_rates
from geodata.ledger import Ledger
from geodata.model import GROWTH, Demand, Facilities, Region, Source, Zones
from geodata.network import Network, build_network
from geodata.norms import read_norms
from geodata.places import Ground, Seats, lonlat_of, seats_of, settle, tell_renamed, weigh_log, weigh_roads
from geodata.population import read_raster
from geodata.region_file import RegionFile, read_region_file
from geodata.roads import Roads
from geodata.standards import Mode, ServiceDefinition, Services, Speeds, read_services, read_speeds
from geodata.tables.columns import SETTLEMENTS, TOWNSHIP_PEOPLE, ZONES, facility_columns
from geodata.tables.names import match_zones
from geodata.ways.files import is_osm, read_road_files

__all__ = ["Prepared", "read_region", "read_region_file", "sha256"]

_SPREAD_WORDS = {
    "people": ("聚落表人口", "settlement table's people"),
    "frontage": ("村居旁道路长度", "built frontage"),
    "raster": ("人口栅格", "population raster"),
}
_REGISTERED = ("按户籍人口（region.toml 指定）", "registered people, as region.toml says")
MOST_DISTORTION = 0.005  # of lengths by the projected CRS, anywhere in the county


@dataclass(frozen=True, eq=False)
class Prepared:
    """A region with the rules to ask about it; networks are built when first needed, and shared by copies with its roads and speeds.

    Attributes
    ----------
    region : Region
    services : Services
    speeds : Speeds
    build : callable, optional
        Makes the network of a mode and an hour where a scenario changes the roads; ``build_network`` on the region's roads unless given.
    """

    region: Region
    services: Services
    speeds: Speeds
    _networks: dict[tuple[Mode, int | None], Network] = field(default_factory=dict)
    _built_of: tuple[Roads, Speeds, Builder | None] | None = None
    build: Builder | None = None

    def __post_init__(self) -> None:
        """Begin without networks where ``replace`` brought other roads or speeds."""
        mine, before = (self.region.roads, self.speeds, self.build), self._built_of
        if before is None or before[0] is not mine[0] or before[1] != mine[1] or before[2] is not mine[2]:
            object.__setattr__(self, "_networks", {})
            object.__setattr__(self, "_built_of", mine)

    def network(self, mode: Mode, hour: int | None = None) -> Network:
        """Return the network of a mode in the traffic of an hour (None, or nothing known of that hour: free flow), built once."""
        known = hour if hour in self.speeds.of(mode).hours else None
        if (mode, known) not in self._networks:
            self._networks[mode, known] = (self.build or _build)(self, mode, known)
        return self._networks[mode, known]

    def network_of(self, definition: ServiceDefinition) -> Network:
        """Return the network that a definition is measured on."""
        return self.network(definition.mode, definition.hour)


Builder = Callable[[Prepared, Mode, int | None], Network]


def _build(prepared: Prepared, mode: Mode, hour: int | None) -> Network:
    return build_network(prepared.region.roads, mode, prepared.speeds, prepared.region.crs, hour=hour)


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
    UnconfirmedError
        Nothing is wrong, but the data suggest something that the planner has to confirm.
    """
    region, ledger = survey(path)
    ledger.raise_problems()
    if region is None:
        raise AssertionError  # a region that cannot be made has a problem
    return region


def survey(path: Path) -> tuple[Region | None, Ledger]:
    """Read region.toml and every file it names, and tell of all that was read.

    Returns
    -------
    Region, or None if something stands in the way
    Ledger
        Problems, questions, and how each table was read.
    """
    described = read_region_file(path)
    folder = path if path.is_dir() else path.parent
    ledger = Ledger()
    services = ledger(lambda: read_services(folder / described.services if described.services else None))
    ledger(lambda: read_speeds(folder / described.speeds if described.speeds else None))
    if described.norms and services:
        ledger(partial(read_norms, folder / described.norms, services))
    townships = _read_zones(described, folder, ledger)
    bounds = ledger(lambda: _bounds(townships, described)) if townships is not None else None
    roads = ledger(lambda: read_road_files(described.roads, folder, within=bounds))
    zones = _with_people(townships, described, folder, ledger) if townships is not None else None
    ground = None
    if zones is not None and bounds is not None and roads is not None:
        ground = Ground(roads, described.crs or zones.to_geodataframe().estimate_utm_crs().to_string(), zones, bounds)
    settlements, seats = _read_settlements(described, folder, ground, ledger)
    places = _read_facilities(described, folder, services, ground, ledger, seats=seats) if services else None
    if ground is None or settlements is None:
        return None, ledger
    if places is not None and len(described.roads) == 1 and described.roads[0].datum is None and not is_osm(described.roads[0].file):
        weigh_roads(lonlat_of(settlements, places), described.roads[0].file.name, ground, ledger)
    demand = ledger(partial(_place_demand, settlements, described, folder, ground))
    calls = _read_calls(described, folder, ground, demand, ledger) if demand is not None else Calls.none()
    if demand is None or places is None or ledger.problems or ledger.questions:
        return None, ledger
    rows = {role: [len(ground.zones.id)] for role in ("zones", "population", "growth")} | {
        "demand": [len(demand)],
        "roads": list(ground.roads.ways_of_file),
    }
    rows |= {"facilities": [int((places["block"] == at).sum()) for at in range(len(described.facilities))], "calls": [len(calls)]}
    totals = described.population
    region = Region(
        name=described.name,
        illustrative=described.illustrative,
        date=described.date,
        crs=ground.crs,
        roads=ground.roads,
        zones=ground.zones,
        demand=demand,
        facilities=Facilities.from_geodataframe(places, ground.zones, ground.crs),
        people_source=_people_source(described, demand),
        sources=_sources(described, folder, rows),
        tables=tuple(ledger.tables),
        row_notes=tuple(ledger.rows),
        calls=calls,
        county_people=math.nan if totals is None or totals.county_total is None else totals.county_total,
        county_registered=math.nan if totals is None or totals.registered_total is None else totals.registered_total,
    )
    return region, ledger


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


def _people_source(described: RegionFile, demand: Demand) -> str:
    zh, en = ("人口栅格", "raster cells") if described.demand.raster else ("聚落表", "settlement table")
    if described.population is None:
        return f"{zh} {en}"
    zh, en = _SPREAD_WORDS.get(demand.spread_names[0], (zh, en)) if not described.demand.raster else (zh, en)
    spread_zh, spread_en = f"乡镇总数按{zh}分摊，总数不变", f"township totals spread over the {en} (largest remainder)"
    registered = "people" in described.population.columns and "户籍" in described.population.columns["people"]
    return f"{spread_zh} {spread_en}" + (f"；{_REGISTERED[0]} {_REGISTERED[1]}" if registered else "")


def _read_zones(described: RegionFile, folder: Path, ledger: Ledger) -> gpd.GeoDataFrame | None:
    loaded = ledger.load(("zones", 0), described.zones, folder, ZONES)
    if loaded is None:
        return None
    ledger.tell(loaded)
    return ledger(partial(_as_zones, loaded.table.frame, described.zones.file.name))


def _as_zones(frame: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Townships as valid polygons, each with a name."""
    if not isinstance(frame, gpd.GeoDataFrame) or not frame.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputError(Problem(f"{name}：乡镇界应为面。", f"{name}: zones must be polygons."))
    frame = frame.set_geometry(shapely.make_valid(np.array(frame.geometry), method="structure", keep_collapsed=False), crs="EPSG:4326")
    if frame.is_empty.any():
        rows = first_few(frame.index[frame.is_empty])
        raise InputError(Problem(f"{name}：乡镇界没有面积，行：{rows}。", f"{name}: zones without area, rows: {rows}."))
    return frame.assign(name=frame["name"].where(frame["name"] != "", frame["id"]) if "name" in frame else frame["id"])


def _with_people(townships: gpd.GeoDataFrame, described: RegionFile, folder: Path, ledger: Ledger) -> Zones | None:
    """Townships with their stated people, resident and registered apart, and their growth."""
    stated, wrong = townships, len(ledger.problems)
    if described.population is not None:
        loaded = ledger.load(("population", 0), described.population, folder, TOWNSHIP_PEOPLE)
        if loaded is not None:
            ledger.tell(loaded)
            found = ledger(partial(rows_by_zone, loaded.table.frame, townships, loaded.table.file))
            if found is not None:
                tell_renamed(match_zones(loaded.table.frame["zone"], townships["id"], townships["name"]).renamed, loaded, ledger)
                stated = stated.assign(**{name: found[name].to_numpy() for name in ("people", "registered") if name in found})
    if described.growth is not None:
        rates = ledger(partial(growth_rates, described.growth, folder, townships))
        if rates is not None:
            stated = stated.assign(**{f"growth_{variant}": rates[:, at] for at, variant in enumerate(GROWTH)})
    return Zones.from_geodataframe(stated) if len(ledger.problems) == wrong else None


def _read_settlements(
    described: RegionFile, folder: Path, ground: Ground | None, ledger: Ledger
) -> tuple[gpd.GeoDataFrame | None, Seats | None]:
    """Settlements that have a place, or the cells of a raster, which are no seats; without ground the table is only looked at."""
    block, bounds = described.demand, ground.bounds if ground else None
    if block.raster is not None:
        return ledger(partial(read_raster, folder / block.raster, within=bounds)), None
    loaded = ledger.load(("demand", 0), block.table, folder, SETTLEMENTS, bounds=bounds)
    frame = ledger(partial(as_settlements, loaded.table.frame, loaded.table.file)) if loaded else None
    if loaded is None or frame is None or ground is None:
        return None, None
    frame = settle(loaded, frame, block.table, ground, ledger)
    unsure = any(question.role == "demand" for question in ledger.questions)
    certain = ledger.tables[-1].verdict == "fits"
    return frame, None if unsure else seats_of(frame, ground.zones, certain=certain)


def _place_demand(settlements: gpd.GeoDataFrame, described: RegionFile, folder: Path, ground: Ground) -> Demand:
    cells = read_cells(described.demand, folder, ground.bounds)
    return place_demand(settlements, ground.zones, ground.bounds, described.demand, roads=ground.roads, cells=cells)


def _read_calls(described: RegionFile, folder: Path, ground: Ground, demand: Demand, ledger: Ledger) -> Calls:
    """Read the 120 log; the datum of its places is weighed like that of a table."""
    if described.calls is None:
        return Calls.none()
    log = ledger(partial(read_calls, described.calls, folder, demand, ground.zones, bounds=ground.bounds))
    if log is None:
        return Calls.none()
    weigh_log(log, described.calls, ground, ledger)
    return log.calls


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


def _read_facilities(
    described: RegionFile, folder: Path, services: Services, ground: Ground | None, ledger: Ledger, *, seats: Seats | None
) -> gpd.GeoDataFrame | None:
    columns, wrong, frames = facility_columns(services.kinds), len(ledger.problems), []
    for at, block in enumerate(described.facilities):
        constants = {"kind": block.kind} if block.kind else {}
        loaded = ledger.load(("facilities", at), block, folder, columns, constants=constants, bounds=ground.bounds if ground else None)
        if loaded is not None and ground is not None:
            frame = settle(loaded, loaded.table.frame, block, ground, ledger, seats=seats)
            ledger.problems += swapped(frame, ground.bounds, loaded.table.file)
            frames.append(_complete(frame).assign(block=at, file=loaded.table.file))
    if len(ledger.problems) > wrong or ground is None:
        return None
    joined = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs="EPSG:4326")
    twice = joined[joined["id"].duplicated(keep=False)].sort_values("id", kind="stable")
    if len(twice):
        named = first_few(f"{row.id} ({row.file})" for row in twice.itertuples())
        ledger.problems.append(Problem(f"设施编码重复：{named}。", f"Duplicate facility ids: {named}."))
        return None
    return joined


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
