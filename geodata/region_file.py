"""What ``region.toml`` may say, checked as a whole before any file is read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import pyproj
from pydantic import Field, model_validator

from geodata.errors import InputError, Problem
from geodata.extent import Bounds
from geodata.toml import Strict, read_toml


class RoadsBlock(Strict):
    """[roads]: an OSM file."""

    file: Path
    source: str = ""


class TableBlock(Strict):
    """A table: which sheet or layer, and the user's own headers (our name = header in the file)."""

    file: Path
    sheet: str | None = None
    layer: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)
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
    columns: dict[str, str] = Field(default_factory=dict)
    source: str = ""

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

    @property
    def crs_area(self) -> Bounds | None:
        """Where `crs` is meant to be used, in degrees; None if that is not known."""
        area = pyproj.CRS.from_user_input(self.crs).area_of_use if self.crs else None
        return area.bounds if area else None

    def files(self, folder: Path) -> list[tuple[str, Path, str]]:
        """Role, path and stated source of every input file."""
        files = [("roads", self.roads.file, self.roads.source), ("zones", self.zones.file, self.zones.source)]
        files += [("population", self.population.file, self.population.source)] if self.population else []
        files += [("demand", self.demand.path, self.demand.source)]
        files += [("facilities", block.file, block.source) for block in self.facilities]
        files += [(role, path, "") for role, path in (("services", self.services), ("speeds", self.speeds)) if path]
        return [(role, folder / path, source) for role, path, source in files]


def read_region_file(path: Path) -> RegionFile:
    """Read and check region.toml itself."""
    return read_toml(path / "region.toml" if path.is_dir() else path, RegionFile)
