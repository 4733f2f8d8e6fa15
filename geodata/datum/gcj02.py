"""GCJ-02 and BD-09, the coordinates of Chinese web maps, and the way back to WGS84.

GCJ-02 (AMap, Tencent) shifts WGS84 by some hundreds of metres; BD-09 (Baidu) shifts GCJ-02 once more. Neither was published by its maker;
the formulas are the ones in general use, held to the vectors of FACTS.md. All functions take and return rows of longitude, latitude in
degrees; a row with nan stays nan.
"""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np
import shapely

from geodata.roads import Bools, Floats
from geodata.standards import DEFAULTS

_AXIS_M = 6_378_245.0  # Krasovsky's ellipsoid, on which the shift is reckoned
_ECCENTRICITY2 = 0.00669342162296594323
_BAIDU_WAVE = np.pi * 3000 / 180
_BAIDU_SHIFT: Floats = np.array([0.0065, 0.006])
_ROUNDS = 8  # of the inverse: each leaves less than 1/400 of the error


@cache
def mainland() -> shapely.Polygon:
    """Where GCJ-02 differs from WGS84: a simplified outline, source and status in defaults/mainland.toml."""
    outline = tomllib.loads((DEFAULTS / "mainland.toml").read_text(encoding="utf-8"))["outline"]
    polygon = shapely.Polygon(outline)
    shapely.prepare(polygon)
    return polygon


def in_mainland(lonlat: Floats) -> Bools:
    """Which places lie where GCJ-02 differs from WGS84."""
    return np.asarray(shapely.intersects_xy(mainland(), *lonlat.T), dtype=np.bool_)


def wgs84_to_gcj02(lonlat: Floats) -> Floats:
    """Shift WGS84 as AMap and Tencent do; outside mainland China nothing changes.

    >>> wgs84_to_gcj02(np.array([[116.377817, 39.911954], [126.98, 37.57]])).round(6).tolist()
    [[116.384047, 39.913345], [126.98, 37.57]]
    """
    return np.where(in_mainland(lonlat)[:, None], lonlat + _shift(lonlat), lonlat)


def gcj02_to_wgs84(lonlat: Floats) -> Floats:
    """Undo :func:`wgs84_to_gcj02` to well below a millimetre.

    The shift is undone first and only then asked whether the place lies in mainland China, so that nothing flips between the rounds. A
    place just beyond the outline whose position could also be that of a shifted one within is taken for the one within.
    """
    found = lonlat
    for _ in range(_ROUNDS):
        found = lonlat - _shift(found)
    return np.where(in_mainland(found)[:, None], found, lonlat)


def gcj02_to_bd09(lonlat: Floats) -> Floats:
    """Shift GCJ-02 as Baidu does, wherever it is.

    >>> gcj02_to_bd09(np.array([[128.543, 37.065]])).round(6).tolist()
    [[128.549447, 37.071134]]
    """
    lon, lat = lonlat.T
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BAIDU_WAVE)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BAIDU_WAVE)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) + _BAIDU_SHIFT


def bd09_to_gcj02(lonlat: Floats) -> Floats:
    """Baidu to GCJ-02 by the formula in general use, up to a metre beside the exact inverse that :func:`bd09_to_wgs84` takes."""
    lon, lat = (lonlat - _BAIDU_SHIFT).T
    radius = np.hypot(lon, lat) - 2e-5 * np.sin(lat * _BAIDU_WAVE)
    angle = np.arctan2(lat, lon) - 3e-6 * np.cos(lon * _BAIDU_WAVE)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def wgs84_to_bd09(lonlat: Floats) -> Floats:
    """Shift WGS84 as Baidu does; its second shift holds outside mainland China, too."""
    return gcj02_to_bd09(wgs84_to_gcj02(lonlat))


def bd09_to_wgs84(lonlat: Floats) -> Floats:
    """Undo :func:`wgs84_to_bd09` to well below a millimetre."""
    gcj02 = lonlat - _BAIDU_SHIFT
    for _ in range(_ROUNDS):
        gcj02 = gcj02 + lonlat - gcj02_to_bd09(gcj02)
    return gcj02_to_wgs84(gcj02)


def _shift(lonlat: Floats) -> Floats:
    """The GCJ-02 shift in degrees at places in WGS84, wherever they are."""
    lon, lat = lonlat.T
    x, y = lon - 105.0, lat - 35.0
    short = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x))
    north_m += 2 / 3 * (short + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi / 3 * y))
    north_m += 2 / 3 * (160 * np.sin(np.pi / 12 * y) + 320 * np.sin(np.pi / 30 * y))
    east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x))
    east_m += 2 / 3 * (short + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi / 3 * x))
    east_m += 2 / 3 * (150 * np.sin(np.pi / 12 * x) + 300 * np.sin(np.pi / 30 * x))
    flat = 1 - _ECCENTRICITY2 * np.sin(np.radians(lat)) ** 2
    meridian_m = _AXIS_M * (1 - _ECCENTRICITY2) / flat**1.5
    parallel_m = _AXIS_M / np.sqrt(flat) * np.cos(np.radians(lat))
    return np.column_stack([np.degrees(east_m / parallel_m), np.degrees(north_m / meridian_m)])
