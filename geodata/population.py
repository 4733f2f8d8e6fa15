"""People: rasters as demand, and township totals kept exactly when they are spread over settlements."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.errors import RasterioError, WindowError
from rasterio.features import geometry_window
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from geodata.errors import InputError, Problem
from geodata.extent import Bounds
from geodata.roads import Floats, Ints


def read_raster(path: Path, *, within: Bounds | None = None) -> gpd.GeoDataFrame:
    """Read a population raster (people per cell, such as WorldPop) as one point a populated cell, at its centre.

    Parameters
    ----------
    path : Path
        Any raster that GDAL reads; its first band.
    within : (west, south, east, north), optional
        Read only the part around this box of degrees: the raster of a whole country need not fit into memory.

    Returns
    -------
    GeoDataFrame, WGS84
        id (``r<row>c<column>``, counted in the whole raster), people (float), settlement ("": a cell is no settlement), geometry.

    Raises
    ------
    InputError
        Missing or unreadable file, no CRS, negative people, nobody at all.
    """
    people, first, transform, crs = _read_cells(path, within)
    people = np.nan_to_num(people, posinf=-np.inf)
    if (people < 0).any():
        worst = people.min()
        zh = f"{path.name}：有负的或无穷的人口（{worst}），请检查无数据值。"
        raise InputError(Problem(zh, f"{path.name}: negative or infinite people ({worst}): is its nodata value set?"))
    at = np.nonzero(people)
    if len(at[0]) == 0:
        raise InputError(Problem(f"{path.name}：本县范围内没有一个人。", f"{path.name}: there is nobody in it, or none in the region."))
    row, column = at[0] + first[0], at[1] + first[1]
    x = transform.c + transform.a * (column + 0.5) + transform.b * (row + 0.5)
    y = transform.f + transform.d * (column + 0.5) + transform.e * (row + 0.5)
    lon, lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    columns = {"id": [f"r{r}c{c}" for r, c in zip(row, column, strict=True)], "people": people[at], "settlement": ""}
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def _read_cells(path: Path, within: Bounds | None) -> tuple[Floats, tuple[int, int], rasterio.Affine, rasterio.crs.CRS]:
    """People of each cell, 0 where there is no data; row and column of the first one; and where cells lie."""
    if not path.is_file():
        raise InputError(Problem(f"找不到人口栅格 {path}。", f"Population raster {path} does not exist."))
    try:
        with warnings.catch_warnings(action="ignore"), rasterio.open(path) as raster:  # rasterio warns of its own inner workings
            if raster.crs is None:
                raise InputError(Problem(f"{path.name}：栅格没有坐标系。", f"{path.name}: the raster has no CRS."))
            window = _window(raster, within, path.name)
            people = raster.read(1, masked=True, window=window).astype(np.float64).filled(0.0)
            return people, (int(window.row_off), int(window.col_off)), raster.transform, raster.crs
    except (RasterioError, OSError) as error:
        raise InputError(
            Problem(f"{path.name}：无法作为栅格读取（{error}）。", f"{path.name}: cannot be read as a raster ({error}).")
        ) from error


def _window(raster: rasterio.DatasetReader, within: Bounds | None, name: str) -> Window:
    """Whole cells around the bounds; the whole raster if there are none."""
    whole = Window(0, 0, raster.width, raster.height)
    if within is None:
        return whole
    box = transform_bounds("EPSG:4326", raster.crs, *within)
    try:
        return geometry_window(raster, [shapely.box(*box)]).round_offsets()
    except WindowError as error:
        has, wants = (", ".join(f"{edge:.3f}" for edge in bounds) for bounds in (raster.bounds, box))
        raise InputError(
            Problem(
                f"{name}：栅格（{has}）与本县范围（{wants}，西南东北）不相交。",
                f"{name}: the raster ({has}) does not touch the region ({wants}; west, south, east, north).",
            )
        ) from error


def spread(totals: Floats, zone: Ints, weight: Floats) -> Floats:
    """Spread whole-number totals of zones over points in proportion to a weight, in whole people, each total kept exactly.

    Largest remainder (Hamilton): every point gets the whole part of its share, and the people left over go to the largest fractions,
    ties to the earlier point. Where a zone's weights are all 0 its points share equally. What a total has beyond whole people goes to the
    next point in line.

    Parameters
    ----------
    totals : (zones,) float64
        Whole numbers, as a rule; nan keeps the weights of that zone as they are.
    zone : (points,) int64
        Zone of each point; -1 for none (the weight is kept).
    weight : (points,) float64, not negative

    Returns
    -------
    (points,) float64

    Examples
    --------
    >>> spread(np.array([10.0]), np.array([0, 0, 0]), np.array([1.0, 1.0, 1.0])).tolist()
    [4.0, 3.0, 3.0]
    """
    people = weight.astype(np.float64).copy()
    for at, total in enumerate(totals):
        mine = np.flatnonzero(zone == at)
        if np.isnan(total) or len(mine) == 0:
            continue
        parts = weight[mine] / max(weight[mine].max(), 1e-300) if weight[mine].any() else np.ones(len(mine))
        exact = total * parts / parts.sum()
        whole = np.floor(exact)
        order = np.lexsort((np.arange(len(mine)), whole - exact))
        left = math.floor(total) - int(whole.sum())
        whole[order[:left]] += 1
        whole[order[left % len(order)]] += total - math.floor(total)
        people[mine] = whole
    return people
