"""Coordinates as tables hold them → longitude and latitude in WGS84: datums, degrees-minutes-seconds, Gauss–Krüger metres, changed columns.

Conversion only; which datum an undeclared table is in is a matter of evidence (``geodata.datum.evidence``) and of asking.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyproj

from geodata.datum.gcj02 import bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_bd09, wgs84_to_gcj02
from geodata.errors import Problem
from geodata.extent import Bounds, widened
from geodata.roads import Bools, Floats

UNDECLARED = "undeclared"  # degrees as written, their datum not stated
MOST_LON, MOST_LAT = 180.0, 90.0
_FROM: dict[str, Callable[[Floats], Floats]] = {"wgs84": np.copy, "cgcs2000": np.copy, "gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}
_INTO: dict[str, Callable[[Floats], Floats]] = {"wgs84": np.copy, "cgcs2000": np.copy, "gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}
_BLANK = {"", "-", "–", "—", "——", "/", "无", "暂无"}
_MARGIN_KM = 50.0  # around the county; the next central meridian is 200 km away or more
_SIX_PREFIX, _THREE_PREFIX = range(13, 24), range(25, 46)  # zone numbers before the easting, of CGCS2000 in China
_FIRST_SIX, _FIRST_THREE, _FIRST_CENTRAL = 4491, 4513, 4534  # EPSG codes of zone 13, of zone 25, of the meridian 75° E without prefix

_SIGNS = {"N": 1, "E": 1, "S": -1, "W": -1, "北纬": 1, "东经": 1, "南纬": -1, "西经": -1}
_TYPED = str.maketrans(
    {**dict.fromkeys("º˚∘", "°"), **dict.fromkeys("′‘’＇`´", "'"), **dict.fromkeys("″“”", '"'), **dict.fromkeys("‐‑‒–—−", "-")}
)
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?(e[+-]\d+)?|[+-]?\.\d+", re.IGNORECASE)
_MARKS = re.compile(
    r"""(?P<sign>[+-]?)(?P<d>\d{1,3})
        (?:\s*[°度d]\s*(?:(?P<m>\d{1,2}(?:\.\d*)?)\s*(?:['分]|$)\s*(?:(?P<s>\d{1,2}(?:\.\d*)?)\s*(?:"|秒|$))?)?  # 116°14′36.2″
          |(?P<sep>\s*[:-]\s*|\s+)(?P<m2>\d{1,2})(?P=sep)(?P<s2>\d{1,2}(?:\.\d*)?)                            # 116-14-36.2
          |:(?P<m3>\d{1,2}(?:\.\d*)?))                                                                         # 116:14.6
    """,
    re.VERBOSE,
)


def to_wgs84(x: Floats, y: Floats, datum: str) -> Floats:
    """Longitude and latitude in WGS84 of coordinates in a datum.

    Parameters
    ----------
    x, y : (points,) float64
        Longitude and latitude, or easting and northing in metres.
    datum : str
        One of ``region_file.DATUMS``, or a coordinate system that pyproj knows ("EPSG:4527"). CGCS2000 is WGS84 for this work.

    Returns
    -------
    (points, 2) float64
        Degrees; nan where a place has no coordinates, or the numbers are none of the system.
    """
    if datum in _FROM:
        return _FROM[datum](np.column_stack([x, y]))
    lonlat = np.column_stack(_transformer(datum, "EPSG:4326").transform(x, y))
    return np.where(np.isfinite(lonlat), lonlat, np.nan)


def from_wgs84(lonlat: Floats, datum: str) -> Floats:
    """Coordinates in a datum, as :func:`to_wgs84` takes them, of places in WGS84."""
    if datum in _INTO:
        return _INTO[datum](lonlat)
    return np.column_stack(_transformer("EPSG:4326", datum).transform(*lonlat.T))


@cache
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def is_projected(datum: str) -> bool:
    """Whether the coordinates of a datum are metres, not degrees."""
    return datum not in _FROM and pyproj.CRS.from_user_input(datum).is_projected


def parse_degrees(text: str) -> float:
    """Degrees of a cell: decimal, or degrees-minutes-seconds in any of the usual notations.

    A plain number is taken as it stands, whatever its size: 116.1436 is no packed minutes and seconds, and metres stay metres.

    >>> [round(parse_degrees(cell), 4) for cell in ("116°14′36.2″E", "北纬２８度22分55秒", "116-14-36.2", "73°W", "116.1436")]
    [116.2434, 28.3819, 116.2434, -73.0, 116.1436]

    Raises
    ------
    ValueError
        The cell is none of these, or has 60 minutes or seconds or more.
    """
    marked = text.translate(_TYPED).replace("''", '"')
    plain, hemisphere = _without_hemisphere(unicodedata.normalize("NFKC", marked).strip())
    if _NUMBER.fullmatch(plain):
        degrees = float(plain.replace(",", ""))
    elif match := _MARKS.fullmatch(plain):
        minutes, seconds = (float(next((match[key] for key in keys if match[key]), 0)) for keys in (("m", "m2", "m3"), ("s", "s2")))
        degrees = float(match["d"]) + minutes / 60 + seconds / 3600
        if minutes >= 60 or seconds >= 60 or degrees > MOST_LON:  # noqa: PLR2004 — sixty to the degree
            raise ValueError(text)
        degrees *= -1 if match["sign"] == "-" else 1
    elif re.fullmatch(r"[+-]?\d+\.\d*[°度]", plain):
        degrees = float(plain[:-1])
    else:
        raise ValueError(text)
    if hemisphere and plain[0] in "+-":
        raise ValueError(text)
    return degrees * (hemisphere or 1)


def _without_hemisphere(text: str) -> tuple[str, int]:
    """Cut N, E, 北纬, … off either end; 0 if there is none."""
    for mark, sign in _SIGNS.items():
        if text.upper().startswith(mark):
            return text[len(mark) :].lstrip(" :"), sign
        if text.upper().endswith(mark):
            return text[: -len(mark)].rstrip(), sign
    return text, 0


def projected_candidates(x: Floats, y: Floats, bounds: Bounds) -> list[tuple[int, bool]]:
    """Which CGCS2000 Gauss–Krüger systems put most of these metres into the county.

    A zone number before the easting names the system. Without one the county's place decides, and a 6-degree zone is not told from the
    3-degree zone with the same central meridian, whose numbers are the same: the latter is given.

    Parameters
    ----------
    x, y : (points,) float64
        Easting and northing in either order: many Chinese tables call the northing X.
    bounds : tuple
        West, south, east, north of the county in degrees; 50 km around it count as well.

    Returns
    -------
    list of (EPSG code, swapped)
        The best first; `swapped` says that `x` is the northing. Empty if none fits.
    """
    west, south, east, north = widened(bounds, _MARGIN_KM)
    found = []
    for swapped in (False, True):
        easting, northing = (y, x) if swapped else (x, y)
        for code in _codes(easting, (west + east) / 2):
            lon, lat = to_wgs84(easting, northing, f"EPSG:{code}").T
            share = np.mean((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)) if len(lon) else 0.0
            if share > 1 / 2:
                found.append((-share, swapped, code))
    return [(code, swapped) for _, swapped, code in sorted(found)]


def _codes(easting: Floats, lon: float) -> list[int]:
    """EPSG codes that eastings of this size near a longitude may belong to."""
    if len(easting) == 0:
        return []
    zone = int(np.median(easting) // 1e6)
    if zone in _SIX_PREFIX:
        return [_FIRST_SIX + zone - _SIX_PREFIX.start]
    if zone in _THREE_PREFIX:
        return [_FIRST_THREE + zone - _THREE_PREFIX.start]
    nearest = round((lon - 75) / 3)
    return [_FIRST_CENTRAL + at for at in range(nearest - 2, nearest + 3) if zone == 0 and 0 <= at < len(_THREE_PREFIX)]


@dataclass(frozen=True, eq=False)
class Coordinates:
    """The coordinate cells of a table, read.

    Attributes
    ----------
    lonlat : (rows, 2) float64
        WGS84 if the datum is declared, degrees as written if it is not; nan for a row without coordinates, and for a rejected one.
    used : str
        The declared datum, ``UNDECLARED``, or "" where nothing could be read (see `problem`).
    rejected : dict
        Position of a row → why its cells are no coordinates. Both cells blank is no reason: such a row has no coordinates.
    problem : Problem, optional
        What the planner has to write into region.toml before the table can be used. No file is named in it, and it ends without a stop.
    note : Problem, optional
        What was understood without asking: X was the northing.
    """

    lonlat: Floats
    used: str
    rejected: dict[int, Problem]
    problem: Problem | None = None
    note: Problem | None = None


def read_coordinates(x_cells: Sequence[str], y_cells: Sequence[str], *, datum: str | None, bounds: Bounds | None) -> Coordinates:
    """Read two columns of coordinates: longitude and latitude, or easting and northing in either order.

    The declared datum counts. Degrees without one stay as written, for the evidence. Metres without one are recognised by their size, and
    proposed: a county is not put anywhere by a guess. Columns in which lon and lat changed places are recognised by the county's bounds.

    Parameters
    ----------
    x_cells, y_cells : sequence of str
        Cells as text; the first is meant to be the longitude or easting.
    datum : str, optional
        As declared in region.toml.
    bounds : tuple, optional
        West, south, east, north of the county in degrees.
    """
    xy, rejected = _numbers(x_cells, y_cells)
    read = np.flatnonzero(np.isfinite(xy[:, 0]))
    degrees = bool(np.median(np.abs(xy[read]).max(axis=1)) <= MOST_LON) if len(read) else datum is None or not is_projected(datum)
    if datum is not None and is_projected(datum) != (not degrees):
        return Coordinates(np.full_like(xy, np.nan), "", rejected, _other_size(datum, xy[read], bounds))
    if degrees:
        return _degrees(xy, datum, bounds, rejected)
    if datum is None:
        return Coordinates(np.full_like(xy, np.nan), "", rejected, _proposal(xy[read], bounds))
    return _metres(xy, datum, bounds, rejected)


def _numbers(x_cells: Sequence[str], y_cells: Sequence[str]) -> tuple[Floats, dict[int, Problem]]:
    """Both numbers of each row, nan where there are none, and why not."""
    xy, rejected = np.full((len(x_cells), 2), np.nan), {}
    for row, cells in enumerate(zip(x_cells, y_cells, strict=True)):
        blank = [cell.strip() in _BLANK for cell in cells]
        if all(blank):
            continue
        given = " , ".join(cells)
        try:
            numbers = [math.nan if empty else parse_degrees(cell) for cell, empty in zip(cells, blank, strict=True)]
        except ValueError:
            rejected[row] = Problem(f"坐标无法读出（{given}）", f"the coordinates cannot be read ({given})")
            continue
        if any(blank):
            rejected[row] = Problem(f"坐标只有一半（{given}）", f"half of the coordinates is missing ({given})")
        elif numbers == [0, 0]:
            rejected[row] = Problem("坐标为 0,0", "the coordinates are 0,0")
        else:
            xy[row] = numbers
    return xy, rejected


def _degrees(xy: Floats, datum: str | None, bounds: Bounds | None, rejected: dict[int, Problem]) -> Coordinates:
    """Degrees; whole columns that changed places are a problem, single rows are rejected."""
    changed = _changed(xy, bounds)
    given = np.isfinite(xy[:, 0])
    problem = None
    if given.any() and changed[given].mean() > 1 / 2:
        xy, changed = xy[:, ::-1], _changed(xy[:, ::-1], bounds)
        problem = Problem(
            '经度与纬度两列似乎互换了：请改表头，或在 region.toml 中写明 columns = { lon = "…", lat = "…" }',
            'The columns of lon and lat seem to be swapped: mend the headers, or write columns = { lon = "…", lat = "…" } into region.toml',
        )
    no_degrees = (np.abs(xy[:, 0]) > MOST_LON) | (np.abs(xy[:, 1]) > MOST_LAT)
    for row in np.flatnonzero(changed | no_degrees).tolist():
        shown = f"{xy[row, 0]:.10g}, {xy[row, 1]:.10g}"
        if changed[row]:
            rejected[row] = Problem(f"经度与纬度似乎互换了（{shown}）", f"lon and lat seem to be swapped ({shown})")
        else:
            rejected[row] = Problem(f"坐标不是经纬度（{shown}）", f"the coordinates are no degrees ({shown})")
    xy = np.where((changed | no_degrees)[:, None], np.nan, xy)
    lonlat = xy if datum is None else to_wgs84(xy[:, 0], xy[:, 1], datum)
    return Coordinates(lonlat, datum or UNDECLARED, dict(sorted(rejected.items())), problem)


def _changed(xy: Floats, bounds: Bounds | None) -> Bools:
    """Which rows make sense only if lon and lat changed places."""
    if bounds is None:
        return np.asarray((np.abs(xy[:, 1]) > MOST_LAT) & (np.abs(xy[:, 1]) <= MOST_LON) & (np.abs(xy[:, 0]) <= MOST_LAT))
    return _within(xy[:, ::-1], bounds) & ~_within(xy, bounds)


def _within(lonlat: Floats, bounds: Bounds) -> Bools:
    west, south, east, north = widened(bounds, _MARGIN_KM)
    lon, lat = lonlat.T
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def _metres(xy: Floats, datum: str, bounds: Bounds | None, rejected: dict[int, Problem]) -> Coordinates:
    """Metres in a declared system, in the order that lies in the county."""
    x, y = xy.T
    lonlat, other = to_wgs84(x, y, datum), to_wgs84(y, x, datum)
    note = None
    if bounds is not None and _within(other, bounds).sum() > _within(lonlat, bounds).sum():
        lonlat, note = other, Problem("X 列为北坐标、Y 列为东坐标", "X is the northing, Y the easting")
    for row in np.flatnonzero(np.isfinite(x) & ~np.isfinite(lonlat[:, 0])).tolist():
        shown = f"{xy[row, 0]:.12g}, {xy[row, 1]:.12g}"
        rejected[row] = Problem(f"坐标不在 {datum} 的范围内（{shown}）", f"the coordinates are outside {datum} ({shown})")
    return Coordinates(lonlat, datum, dict(sorted(rejected.items())), note=note)


def _proposal(xy: Floats, bounds: Bounds | None) -> Problem:
    """What to write for metres of an undeclared system."""
    fitting = list(dict.fromkeys(code for code, _ in projected_candidates(xy[:, 0], xy[:, 1], bounds))) if bounds is not None else []
    shown = f"{xy[0, 0]:.12g}, {xy[0, 1]:.12g}"
    if not fitting:
        return Problem(
            f'坐标是以米为单位的平面坐标（{shown}），未能认出坐标系：请在 region.toml 中写明，如 datum = "EPSG:4527"',
            f'The coordinates are metres ({shown}) of a system not recognised: state it in region.toml, like datum = "EPSG:4527"',
        )
    line, name = f'datum = "EPSG:{fitting[0]}"', pyproj.CRS.from_epsg(fitting[0]).name
    return Problem(
        f"坐标是以米为单位的平面坐标（{shown}），按数值大小应为 {name}：确认后请在 region.toml 中写 {line}"
        "（1980 西安、1954 北京坐标系的数值看起来一样，位置相差约百米，请核对）",
        f"The coordinates are metres ({shown}), by their size those of {name}: if that is so, write {line} into region.toml "
        "(Xi'an 1980 and Beijing 1954 look the same and lie about a hundred metres off: make sure)",
    )


def _other_size(datum: str, xy: Floats, bounds: Bounds | None) -> Problem:
    """Refuse a declared datum that the size of the numbers contradicts."""
    if is_projected(datum):
        shown = f"{xy[0, 0]:.10g}, {xy[0, 1]:.10g}"
        return Problem(
            f"datum = {datum} 以米为单位，表中却是度（{shown}）：请改正 datum",
            f"datum {datum!r} is in metres, the table in degrees ({shown}): mend the datum",
        )
    proposal = _proposal(xy, bounds)
    return Problem(f"datum = {datum} 以度为单位，不符。{proposal.zh}", f"datum {datum!r} is in degrees, which does not fit. {proposal.en}")
