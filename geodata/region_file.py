"""What ``region.toml`` may say, checked as a whole before any file is read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, Literal

import pyproj
from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, model_validator

from geodata.errors import InputError, Problem
from geodata.extent import Bounds
from geodata.toml import Strict, read_toml

DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")


def _known_datum(datum: str) -> str:
    """One of DATUMS, or a coordinate system such as EPSG:4527."""
    if datum in DATUMS:
        return datum
    try:
        pyproj.CRS.from_user_input(datum)
    except pyproj.exceptions.CRSError as error:
        known = ", ".join(DATUMS)
        raise InputError(
            Problem(
                f"未知的坐标系 {datum}；可用：{known}，或 EPSG:4527 之类。",
                f"Unknown datum {datum!r}; use {known}, or the like of EPSG:4527.",
            )
        ) from error
    return datum


Datum = Annotated[str, AfterValidator(_known_datum)]


class RoadsBlock(Strict):
    """[roads] or [[roads]]: an OSM file, a bureau's link table or shapefile, or a GraphML saved by osmnx.

    `columns`, `classes`, `directions` map a link table: our name = its header, its class = an OSM highway class, its code = both, forward,
    backward or closed. Ends of links within `tolerance_m` are one node, unless the table has node ids.
    """

    file: Path
    source: str = ""
    layer: str | None = None
    datum: Datum | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    classes: dict[str, str] = Field(default_factory=dict)
    directions: dict[str, Literal["both", "forward", "backward", "closed"]] = Field(default_factory=dict)
    length_unit: Literal["m", "km"] = "m"
    tolerance_m: Annotated[float, Field(ge=0, le=100)] = 1.0


class TableBlock(Strict):
    """A table: which sheet or layer, the user's own headers (our name = header in the file), and what the planner has confirmed.

    Attributes
    ----------
    datum : str, optional
        What the coordinates are; found from the evidence and asked if not given.
    datum_rows : dict
        Rows in another datum, by number as the user sees them: ``{ gcj02 = "3-9, 12" }``.
    mended : Path, optional
        A table of rows given back and mended (``circle15 tables REGION --rejected DIR``): each takes the place of the row of its number.
    bad_rows : "stop" or "leave_out"
        Whether a row that cannot be read stops the reading, or is left out and listed.
    """

    file: Path
    sheet: str | None = None
    layer: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    datum: Datum | None = None
    datum_rows: dict[Datum, str] = Field(default_factory=dict)
    mended: Path | None = None
    bad_rows: Literal["stop", "leave_out"] = "stop"


class PlacesBlock(TableBlock):
    """A table of places. Rows without coordinates are listed, or put at the seat of their village or township if `unlocated` says so."""

    unlocated: Literal["list", "seat"] = "list"


class PopulationBlock(TableBlock):
    """[population]: people by township; the county's own published totals, to see whether the townships add up to them."""

    county_total: PositiveFloat | None = None
    registered_total: PositiveFloat | None = None


class FacilitiesBlock(PlacesBlock):
    """[[facilities]]: `kind` stands for every row, where the table has no such column."""

    kind: str | None = None


class GrowthBlock(Strict):
    """[growth]: yearly growth of the residents as shares, for all townships, or a table by township (低, 中, 高)."""

    low: Annotated[float, Field(gt=-1, lt=1)] | None = None
    central: Annotated[float, Field(gt=-1, lt=1)] | None = None
    high: Annotated[float, Field(gt=-1, lt=1)] | None = None
    file: Path | None = None
    sheet: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    source: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> GrowthBlock:
        all_given = None not in (self.low, self.central, self.high)
        none_given = self.low is self.central is self.high is None
        if not (none_given if self.file else all_given):
            raise InputError(
                Problem(
                    "须给出 low、central、high 三个年均增长率（小数），或给出 file（分乡镇的表），二者取一。",
                    "Give low, central and high as shares a year, or a file by township, one of the two.",
                )
            )
        return self


class DemandBlock(Strict):
    """[demand]: a table of settlements, or a population raster.

    `spread` is the central way to spread the township totals over the settlements: by the table's own `people`, by built frontage, or by
    `spread_raster`; the others that the data allows give the range from low to high.
    """

    file: Path | None = None
    raster: Path | None = None
    sheet: str | None = None
    layer: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    datum: Datum | None = None
    datum_rows: dict[Datum, str] = Field(default_factory=dict)
    mended: Path | None = None
    bad_rows: Literal["stop", "leave_out"] = "stop"
    unlocated: Literal["list", "seat"] = "list"
    spread: Literal["people", "frontage", "raster"] | None = None
    spread_raster: Path | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> DemandBlock:
        if (self.file is None) == (self.raster is None):
            raise InputError(
                Problem(
                    "file（聚落表）与 raster（人口栅格）须且只须给出一个。", "Give either file (settlements) or raster, one of the two."
                )
            )
        return self

    @property
    def path(self) -> Path:
        """The file, whichever it is."""
        return self.file or self.raster or Path()

    @property
    def table(self) -> PlacesBlock:
        """The settlements as a table of places; not for a raster."""
        return PlacesBlock(**self.model_dump(include=set(PlacesBlock.model_fields)))


def as_list(block: Any) -> Any:  # noqa: ANN401 — what TOML may hold
    """[roads] is one block, [[roads]] several."""
    return [block] if isinstance(block, dict) else block


class RegionFile(Strict):
    """The whole of region.toml. Paths are relative to its folder."""

    name: str
    illustrative: bool = False
    date: dt.date
    crs: str | None = None
    buffer_km: Annotated[float, Field(ge=0, le=200)] = 20
    roads: Annotated[tuple[RoadsBlock, ...], Field(min_length=1), BeforeValidator(as_list)]
    zones: TableBlock
    population: PopulationBlock | None = None
    growth: GrowthBlock | None = None
    demand: DemandBlock
    facilities: Annotated[tuple[FacilitiesBlock, ...], Field(min_length=1)]
    calls: PlacesBlock | None = None
    services: Path | None = None
    speeds: Path | None = None
    norms: Path | None = None

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

    @property
    def crs_area(self) -> Bounds | None:
        """Where `crs` is meant to be used, in degrees; None if that is not known."""
        area = pyproj.CRS.from_user_input(self.crs).area_of_use if self.crs else None
        return area.bounds if area else None

    def files(self, folder: Path) -> list[tuple[str, Path, str]]:
        """Role, path and stated source of every input file."""
        files = [("roads", block.file, block.source) for block in self.roads]
        files += [("zones", self.zones.file, self.zones.source)]
        files += [("population", self.population.file, self.population.source)] if self.population else []
        files += [("growth", self.growth.file, self.growth.source)] if self.growth and self.growth.file else []
        files += [("demand", self.demand.path, self.demand.source)]
        files += [("spread", self.demand.spread_raster, "")] if self.demand.spread_raster else []
        files += [("facilities", block.file, block.source) for block in self.facilities]
        files += [("calls", self.calls.file, self.calls.source)] if self.calls else []
        tables = (self.zones, self.population, self.demand, *self.facilities, self.calls)
        files += [("mended", table.mended, "") for table in tables if table and table.mended]
        own = (("services", self.services), ("speeds", self.speeds), ("norms", self.norms))
        files += [(role, path, "") for role, path in own if path]
        return [(role, folder / path, source) for role, path, source in files]


def read_region_file(path: Path) -> RegionFile:
    """Read and check region.toml itself."""
    return read_toml(path / "region.toml" if path.is_dir() else path, RegionFile)
