"""The county's boundary: which place is meant, and the area it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geodata.errors import InputError, Problem
from geodata.extent import Bounds

_POLYGONS = ("Polygon", "MultiPolygon")


@dataclass(frozen=True, eq=False)
class Boundary:
    """A county's name and area.

    Attributes
    ----------
    area : Polygon or MultiPolygon, degrees WGS84
    source : str
        Where it comes from.
    relation : int, optional
        Its number in OSM.
    parts : GeoDataFrame, optional
        id, name, geometry: the areas of a boundary file that has several. They are the zones.
    """

    name: str
    area: shapely.Geometry
    source: str
    relation: int | None = None
    parts: gpd.GeoDataFrame | None = None

    @property
    def bounds(self) -> Bounds:
        """The box around it."""
        west, south, east, north = self.area.bounds
        return west, south, east, north


def relation_number(place: str) -> int | None:
    """The number of a place given as R123 or relation/123.

    >>> relation_number("R1324"), relation_number("进贤县")
    (1324, None)
    """
    found = re.fullmatch(r"(?:[rR]|relation/)(\d+)", place.strip())
    return int(found[1]) if found else None


def short_name(place: str) -> str:
    """The first part of a place's name.

    >>> short_name("进贤县, 江西")
    '进贤县'
    """
    return re.split(r"[,，]", place, maxsplit=1)[0].strip()


def read_boundary(path: Path, place: str | None) -> Boundary:
    """Read a county's boundary from a vector file; several areas in it are kept as its zones.

    Parameters
    ----------
    path : Path
        Anything that GDAL reads, with a coordinate system.
    place : str, optional
        The county's name; the file's own name unless given.
    """
    if not path.is_file():
        raise InputError(Problem(f"找不到县界文件 {path}。", f"Boundary file {path} does not exist."))
    try:
        frame = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError(
            Problem(f"{path.name}：无法作为矢量文件读取（{error}）。", f"{path.name}: cannot be read as a vector file ({error}).")
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty or not frame.geom_type.isin(_POLYGONS).all():
        raise InputError(Problem(f"{path.name}：县界应为面。", f"{path.name}: the boundary must be polygons."))
    if frame.crs is None:
        raise InputError(Problem(f"{path.name}：没有坐标系，请先定义。", f"{path.name}: it has no CRS; define one first."))
    shapes = shapely.make_valid(np.array(frame.to_crs("EPSG:4326").geometry), method="structure", keep_collapsed=False)
    parts = gpd.GeoDataFrame({"id": _numbers(len(frame)), "name": _names(frame)}, geometry=shapes, crs="EPSG:4326")
    name = short_name(place) if place else path.stem
    return Boundary(name, shapely.union_all(shapes), source=path.name, parts=parts if len(parts) > 1 else None)


def _numbers(count: int) -> list[str]:
    return [f"Z{number:02d}" for number in range(1, count + 1)]


def _names(frame: gpd.GeoDataFrame) -> list[str]:
    """Names from the first column that has one for every area, all different; a number where there is no such column."""
    for header in frame.columns:
        cells = frame[header]
        if re.search(r"name|名|乡镇", str(header), re.IGNORECASE) and cells.notna().all() and cells.is_unique:
            return [str(cell) for cell in cells]
    return _numbers(len(frame))
