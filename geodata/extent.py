"""The box of degrees that a region is read from, and the places that do not lie in it."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from geodata.errors import Problem, first_few

Bounds = tuple[float, float, float, float]  # west, south, east, north in degrees

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

KM_PER_DEGREE = 111.195
_LEAST_COSINE = 0.01  # nobody lives nearer to a pole


def widened(bounds: Bounds, buffer_km: float) -> Bounds:
    """Bounds with a buffer on every side.

    >>> [round(degree, 3) for degree in widened((116.0, 0.0, 117.0, 0.0), 111.195)]
    [115.0, -1.0, 118.0, 1.0]
    """
    west, south, east, north = bounds
    up = buffer_km / KM_PER_DEGREE
    across = up / max(_LEAST_COSINE, math.cos(math.radians((south + north) / 2)))
    return west - across, south - up, east + across, north + up


def swapped(frame: gpd.GeoDataFrame, bounds: Bounds, name: str) -> list[Problem]:
    """Report places that lie far outside, but would lie inside if lon and lat changed places."""
    lon, lat = _lonlat(frame)
    return _rows(
        ~_within(lon, lat, bounds) & _within(lat, lon, bounds), frame, name, "经度与纬度似乎互换了", "lon and lat seem to be swapped"
    )


def far_away(frame: gpd.GeoDataFrame, bounds: Bounds, name: str) -> list[Problem]:
    """Report places outside the bounds."""
    return _rows(~_within(*_lonlat(frame), bounds), frame, name, "坐标远在县外", "coordinates far outside the county")


def _lonlat(frame: gpd.GeoDataFrame) -> tuple[Floats, Floats]:
    centre = frame.representative_point()
    return centre.x.to_numpy(), centre.y.to_numpy()


def _within(lon: Floats, lat: Floats, bounds: Bounds) -> Bools:
    west, south, east, north = bounds
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _rows(bad: Bools, frame: gpd.GeoDataFrame, name: str, zh: str, en: str) -> list[Problem]:
    if not bad.any():
        return []
    centre = frame.representative_point()
    rows = first_few(f"{row} ({point.x:.6g}, {point.y:.6g})" for row, point in centre[bad].items())
    return [Problem(f"{name}：{zh}，行：{rows}。", f"{name}: {en}, rows: {rows}.")]
