"""One ``region.toml`` → one Region: the description checked as a whole, then every file read, all problems reported at once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely
from pydantic import Field, model_validator

from geodata.errors import InputError, Problem, first_few
from geodata.model import Demand, Facilities, Region, Source, Zones
from geodata.osm import Bounds, read_roads
from geodata.population import read_raster, spread
from geodata.roads import Floats, Network, Roads, build_network
from geodata.standards import Mode, Services, Speeds, read_services, read_speeds
from geodata.tables import SETTLEMENTS, TOWNSHIP_PEOPLE, ZONES, facility_columns, read_table
from geodata.toml import Strict, read_toml

KM_PER_DEGREE = 111.195
Result = TypeVar("Result")


class RoadsBlock(Strict):
    """[roads]: an OSM file."""

    file: Path
    source: str = ""


class TableBlock(Strict):
    """A table: which sheet or layer, and the user's own headers (our name = header in the file)."""

    file: Path
    sheet: str | None = None
    layer: str | None = None
    columns: dict[str, str] = {}
    source: str = ""


class FacilitiesBlock(TableBlock):
    """[[facilities]]: `kind` stands for every row, where the table has no such column."""

    kind: str | None = None


class DemandBlock(Strict):
    """[demand]: a table of settlements, or a population raster."""

    file: Path | None = None
    raster: Path | None = None
    sheet: str | None = None
    layer: str | None = None
    columns: dict[str, str] = {}
    source: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> DemandBlock:
        if (self.file is None) == (self.raster is None):
            raise InputError(Problem("file（聚落表）与 raster（人口栅格）须且只须给出一个。", "Give either file (settlements) or raster, one of the two."))
        return self


class RegionFile(Strict):
    """The whole of region.toml. Paths are relative to its folder."""

    name: str
    illustrative: bool = False
    date: dt.date
    crs: str | None = None
    buffer_km: Annotated[float, Field(ge=0, le=200)] = 20
    roads: RoadsBlock
    zones: TableBlock
    population: TableBlock | None = None
    demand: DemandBlock
    facilities: Annotated[tuple[FacilitiesBlock, ...], Field(min_length=1)]
    services: Path | None = None
    speeds: Path | None = None

    @model_validator(mode="after")
    def _metric_crs(self) -> RegionFile:
        if self.crs is not None:
            try:
                crs = pyproj.CRS.from_user_input(self.crs)
            except pyproj.exceptions.CRSError as error:
                raise InputError(Problem(f"未知的坐标系 crs = {self.crs}。", f"Unknown crs {self.crs!r}.")) from error
            if not crs.is_projected or crs.axis_info[0].unit_name not in {"metre", "meter"}:
                raise InputError(Problem(f"crs = {self.crs} 不是以米为单位的投影坐标系。", f"crs {self.crs!r} is not projected in metres."))
        return self

    def files(self, folder: Path) -> list[tuple[str, Path, str]]:
        """Role, path and stated source of every input file."""
        demand_file = self.demand.raster or self.demand.file
        files = [("roads", self.roads.file, self.roads.source), ("zones", self.zones.file, self.zones.source)]
        files += [("population", self.population.file, self.population.source)] if self.population else []
        files += [("demand", demand_file, self.demand.source)] if demand_file else []
        files += [("facilities", block.file, block.source) for block in self.facilities]
        files += [(role, path, "") for role, path in (("services", self.services), ("speeds", self.speeds)) if path]
        return [(role, folder / path, source) for role, path, source in files]


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

    def stop_if_any(self) -> None:
        if self.problems:
            raise InputError(*dict.fromkeys(self.problems))


def read_region_file(path: Path) -> RegionFile:
    """Read and check region.toml itself."""
    if path.is_dir():
        path /= "region.toml"
    return read_toml(path, RegionFile)


def read_region(path: Path) -> Region:
    """Read region.toml and every file it names.

    Raises
    ------
    InputError
        All problems of the description, or all problems of the files, at once.
    """
    described, folder = read_region_file(path), path.parent
    attempt = _Attempts()
    services = attempt(lambda: read_services(folder / described.services if described.services else None))
    attempt(lambda: read_speeds(folder / described.speeds if described.speeds else None))
    zones = attempt(lambda: _read_zones(described, folder))
    demand_frame = attempt(lambda: _read_demand_frame(described.demand, folder))
    places = attempt(lambda: _read_facility_frames(described, folder, services)) if services else None
    bounds = _bounds(zones, described.buffer_km) if zones else None
    roads = attempt(lambda: read_roads(folder / described.roads.file, within=bounds))
    if zones is None or demand_frame is None or places is None or roads is None or bounds is None:
        attempt.stop_if_any()
        raise AssertionError  # one of them was not read, so there is a problem
    crs = described.crs or _metric_crs(zones)
    demand = attempt(lambda: _place_demand(demand_frame, zones, bounds, described.demand))
    facilities = attempt(lambda: Facilities.from_geodataframe(places, zones, crs))
    attempt.stop_if_any()
    if demand is None or facilities is None:
        raise AssertionError
    counts = {"roads": [roads.highway_ways], "zones": [len(zones.id)], "population": [len(zones.id)], "demand": [len(demand)]}
    counts["facilities"] = [int((places["block"] == block).sum()) for block in range(len(described.facilities))]
    sources = tuple(
        Source(role, file.name, sha256(file), counts[role].pop(0) if role in counts else 0, source)
        for role, file, source in described.files(folder)
    )
    return Region(
        name=described.name,
        illustrative=described.illustrative,
        date=described.date,
        crs=crs,
        roads=roads,
        zones=zones,
        demand=demand,
        facilities=facilities,
        people_source=_people_source(described),
        sources=sources,
    )


def sha256(path: Path) -> str:
    """Sha256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(Problem(f"无法读取 {path}（{error.strerror}）。", f"Cannot read {path} ({error.strerror}).")) from error


def _people_source(described: RegionFile) -> str:
    base = "raster cells" if described.demand.raster else "settlement table"
    return f"township totals spread over the {base} (largest remainder)" if described.population else base


def _read_zones(described: RegionFile, folder: Path) -> Zones:
    block = described.zones
    frame = read_table(folder / block.file, ZONES, headers=block.columns, layer=block.layer, sheet=block.sheet)
    polygonal = isinstance(frame, gpd.GeoDataFrame) and frame.geom_type.isin(["Polygon", "MultiPolygon"]).all()
    if not polygonal:
        raise InputError(Problem(f"{block.file}：乡镇界应为面。", f"{block.file}: zones must be polygons."))
    frame = frame.set_geometry(shapely.make_valid(np.array(frame.geometry)), crs="EPSG:4326")
    if "name" not in frame:
        frame["name"] = frame["id"]
    if described.population:
        frame["people"] = _township_people(described.population, folder, frame)
    return Zones.from_geodataframe(frame)


def _township_people(block: TableBlock, folder: Path, zones: gpd.GeoDataFrame) -> Floats:
    """People of each zone, matched by code or else by name; a township without a row or a row without a township is an error."""
    table = read_table(folder / block.file, TOWNSHIP_PEOPLE, headers=block.columns, sheet=block.sheet, layer=block.layer)
    code_of = dict(zip(zones["name"], zones["id"], strict=True)) | dict(zip(zones["id"], zones["id"], strict=True))
    code = table["zone"].map(code_of)
    problems = []
    if code.isna().any():
        named = first_few(f"{row} ({table['zone'][row]})" for row in table.index[code.isna()])
        problems.append(Problem(f"{block.file}：找不到这些行的乡镇：{named}。", f"{block.file}: rows of no known township: {named}."))
    if code.dropna().duplicated().any():
        named = first_few(code.dropna()[code.dropna().duplicated()])
        problems.append(Problem(f"{block.file}：乡镇重复：{named}。", f"{block.file}: townships named twice: {named}."))
    missing = [zone_id for zone_id in zones["id"] if zone_id not in set(code)]
    if missing:
        problems.append(Problem(f"{block.file}：缺少乡镇：{first_few(missing)}。", f"{block.file}: townships without a row: {first_few(missing)}."))
    if problems:
        raise InputError(*problems)
    return np.array(pd.Series(table["people"].to_numpy(), index=code)[zones["id"]], dtype=np.float64)


def _read_demand_frame(block: DemandBlock, folder: Path) -> gpd.GeoDataFrame:
    if block.raster:
        return read_raster(folder / block.raster)
    if block.file is None:
        raise AssertionError
    frame = read_table(folder / block.file, SETTLEMENTS, headers=block.columns, sheet=block.sheet, layer=block.layer)
    return _only_points(frame, str(block.file))


def _only_points(frame: pd.DataFrame, name: str) -> gpd.GeoDataFrame:
    if not isinstance(frame, gpd.GeoDataFrame) or not (frame.geom_type == "Point").all():
        raise InputError(Problem(f"{name}：聚落应为点（经度、纬度）。", f"{name}: settlements must be points (lon, lat)."))
    return frame


def _read_facility_frames(described: RegionFile, folder: Path, services: Services) -> gpd.GeoDataFrame:
    attempt, frames = _Attempts(), []
    for at, block in enumerate(described.facilities):
        constants = {"kind": block.kind} if block.kind else {}
        read = lambda block=block, constants=constants: read_table(  # noqa: E731 — bound to this block
            folder / block.file,
            facility_columns(services.kind_ids()),
            headers=block.columns,
            constants=constants,
            sheet=block.sheet,
            layer=block.layer,
        )
        frame = attempt(read)
        if frame is not None:
            frames.append(frame.assign(file=block.file.name, block=at))
    attempt.stop_if_any()
    joined = pd.concat(frames, ignore_index=True)
    twice = joined["id"].duplicated(keep=False)
    if twice.any():
        named = first_few(f"{row.id} ({row.file})" for row in joined[twice].sort_values("id").itertuples())
        raise InputError(Problem(f"设施编码重复：{named}。", f"Duplicate facility ids: {named}."))
    return _complete_facilities(gpd.GeoDataFrame(joined, geometry="geometry", crs="EPSG:4326"))


def _complete_facilities(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Fill what a table did not have, and say eligibility in one column."""
    names = frame["name"] if "name" in frame else frame["id"]
    frame["name"] = names.where(names.notna() & (names != ""), frame["id"])
    for column in ("open_from", "open_to", "eligible_for"):
        frame[column] = frame[column].fillna("") if column in frame else ""
    for column in ("restricted", "emergency"):
        frame[column] = frame[column].eq(True) if column in frame else False  # noqa: FBT003 — a comparison
    frame["eligible_for"] = [f"{text} emergency".strip() if more else text for text, more in zip(frame["eligible_for"], frame["emergency"], strict=True)]
    if "entrances" in frame:
        frame["entrances"] = [gates if isinstance(gates, shapely.Geometry) else None for gates in frame["entrances"]]
    return frame


def _place_demand(frame: gpd.GeoDataFrame, zones: Zones, bounds: Bounds, block: DemandBlock) -> Demand:
    """Build the demand, its zones matched by code or name, its totals those of the township table if there is one."""
    name = str(block.file or block.raster)
    problems = _far_away(frame, bounds, name)
    if "zone" in frame:
        code_of = {"": ""} | dict(zip(zones.name, zones.id, strict=True)) | dict(zip(zones.id, zones.id, strict=True))
        code = frame["zone"].map(code_of)
        if code.isna().any():
            named = first_few(f"{row} ({frame['zone'][row]})" for row in frame.index[code.isna()])
            problems.append(Problem(f"{name}：找不到这些行的乡镇：{named}。", f"{name}: rows of no known township: {named}."))
        frame = frame.assign(zone=code)
    if problems:
        raise InputError(*problems)
    demand = Demand.from_geodataframe(frame, zones)
    if np.isfinite(zones.people).any():
        empty = [zones.name[at] for at in np.flatnonzero(zones.people > 0) if not (demand.zone == at).any()]
        if empty:
            raise InputError(
                Problem(f"{name}：这些乡镇有人口却没有聚落：{first_few(empty)}。", f"{name}: townships with people but no settlement: {first_few(empty)}.")
            )
        people = spread(zones.people, demand.zone, demand.people)
        demand = Demand(demand.id, demand.name, demand.lonlat, people, demand.zone, demand.urban, demand.settlement)
    if not demand.people[demand.inside].sum() > 0:
        raise InputError(Problem(f"{name}：县内没有一个人，请检查坐标与乡镇界。", f"{name}: nobody lives inside the zones: check coordinates and zones."))
    return demand


def _far_away(frame: gpd.GeoDataFrame, bounds: Bounds, name: str) -> list[Problem]:
    """Settlements beyond the buffer; say so if swapping lon and lat would bring them home."""
    if "zone" not in frame:
        return []  # rasters and tables of a whole province are cut to the county
    west, south, east, north = bounds
    lon, lat = frame.geometry.x, frame.geometry.y
    away = ~(lon.between(west, east) & lat.between(south, north))
    if not away.any():
        return []
    rows = first_few(f"{row} ({lon[row]}, {lat[row]})" for row in frame.index[away])
    if (lat.between(west, east) & lon.between(south, north))[away].any():
        return [Problem(f"{name}：经度与纬度似乎互换了，行：{rows}。", f"{name}: lon and lat seem to be swapped, rows: {rows}.")]
    return [Problem(f"{name}：坐标远在县外，行：{rows}。", f"{name}: coordinates far outside the county, rows: {rows}.")]


def _bounds(zones: Zones, buffer_km: float) -> Bounds:
    west, south, east, north = shapely.total_bounds(zones.geometry).tolist()
    up = buffer_km / KM_PER_DEGREE
    across = up / max(0.01, float(np.cos(np.radians((south + north) / 2))))
    return west - across, south - up, east + across, north + up


def _metric_crs(zones: Zones) -> str:
    """The UTM zone of the county."""
    return str(zones.to_geodataframe().estimate_utm_crs().to_string())
