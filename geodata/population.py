"""People: rasters as demand, and township totals kept exactly when they are spread over settlements."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
from rasterio.errors import RasterioIOError

from geodata.errors import InputError, Problem
from geodata.roads import Floats, Ints


def read_raster(path: Path) -> gpd.GeoDataFrame:
    """Read a population raster (people per cell, such as WorldPop) as one point a populated cell, at its centre.

    Returns
    -------
    GeoDataFrame, WGS84
        id (``r<row>c<column>``), people (float), settlement ("": a cell is no settlement), geometry.

    Raises
    ------
    InputError
        Missing or unreadable file, no CRS, negative people, nobody at all.
    """
    if not path.is_file():
        raise InputError(Problem(f"找不到人口栅格 {path}。", f"Population raster {path} does not exist."))
    try:
        with rasterio.open(path) as raster:
            people = raster.read(1, masked=True).astype(np.float64).filled(0.0)
            transform, crs = raster.transform, raster.crs
    except RasterioIOError as error:
        raise InputError(Problem(f"{path.name}：无法作为栅格读取（{error}）。", f"{path.name}: cannot be read as a raster ({error}).")) from error
    if crs is None:
        raise InputError(Problem(f"{path.name}：栅格没有坐标系。", f"{path.name}: the raster has no CRS."))
    people = np.nan_to_num(people)
    if (people < 0).any():
        worst = people.min()
        raise InputError(
            Problem(f"{path.name}：有负的人口（最小 {worst}），请检查无数据值。", f"{path.name}: negative people (least {worst}): is its nodata value set?")
        )
    row, column = np.nonzero(people)
    if len(row) == 0:
        raise InputError(Problem(f"{path.name}：没有一个人。", f"{path.name}: there is nobody in it."))
    x, y = transform * (column + 0.5, row + 0.5)
    lon, lat = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(x, y)
    ids = [f"r{r}c{c}" for r, c in zip(row, column, strict=True)]
    columns = {"id": ids, "people": people[row, column], "settlement": ""}
    return gpd.GeoDataFrame(columns, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def spread(totals: Floats, zone: Ints, weight: Floats) -> Floats:
    """Spread whole-number totals of zones over points in proportion to a weight, in whole people, each total kept exactly.

    Largest remainder (Hamilton): every point gets the whole part of its share, and the people left over go to the largest fractions,
    ties to the earlier point. Where a zone's weights are all 0 its points share equally.

    Parameters
    ----------
    totals : (zones,) float64
        Whole numbers; nan keeps the weights of that zone as they are.
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
        parts = weight[mine] if weight[mine].sum() > 0 else np.ones(len(mine))
        exact = total * parts / parts.sum()
        whole = np.floor(exact)
        left = round(total - whole.sum())
        whole[np.lexsort((np.arange(len(mine)), whole - exact))[:left]] += 1
        people[mine] = whole
    return people
