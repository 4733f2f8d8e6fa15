"""Coordinates of the rows of a table → points and shapes in WGS84, each row in the datum that region.toml states for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyproj
import shapely

from geodata.datum.convert import is_projected, read_coordinates, to_wgs84
from geodata.errors import Problem
from geodata.extent import Bounds
from geodata.roads import Floats, Geometries
from geodata.tables.cells import BLANKS, plain
from geodata.tables.rejects import Fault

_SAID = (
    ("gcj02", "gcj-?02|火星|高德|腾讯|amap"),
    ("bd09", "bd-?09|百度|baidu"),
    ("wgs84", "wgs-?84|gps"),
    ("cgcs2000", "cgcs-?2000|国家2000|2000国家"),
)
_BETWEEN = re.compile(r"[,，;；、|]|(?<=[\dEN度分秒°'\"′″])\s+(?=[\d东北EN])")


@dataclass(frozen=True, eq=False)
class Places:
    """Where the rows of a table are.

    Attributes
    ----------
    shapes : (rows,) geometries
        In WGS84, or as written where no datum is declared; None for a row without coordinates or with wrong ones.
    faults : list of Fault
    problems : list of Problem
        What has to be settled before the table can be read; no file is named in it, and it ends without a stop.
    notes : list of Problem
    """

    shapes: Geometries
    faults: list[Fault] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def datum_in_header(remarks: str) -> str | None:
    """The datum that a header states, such as 经度（GCJ-02）.

    >>> datum_in_header("经度(高德)")
    'gcj02'
    """
    return next((datum for datum, words in _SAID if re.search(words, remarks)), None)


def read_cells(x: Sequence[str], y: Sequence[str], rows: Sequence[int], datums: Sequence[str | None], bounds: Bounds | None) -> Places:
    """Read cells of longitude and latitude, or metres; each row in its own datum.

    Parameters
    ----------
    x, y : sequence of str
    rows : sequence of int
        As the user sees them.
    datums : sequence
        Of each row; None where none is declared.
    bounds : tuple, optional
        Where the county lies, in degrees.
    """
    places = Places(np.full(len(rows), None, dtype=object))
    lonlat = np.full((len(rows), 2), np.nan)
    for datum in dict.fromkeys(datums):
        mine = [at for at, one in enumerate(datums) if one == datum]
        cells = [["" if plain(given[at]) in BLANKS else given[at] for at in mine] for given in (x, y)]
        read = read_coordinates(*cells, datum=datum, bounds=bounds)
        if read.problem is not None:
            places.problems.append(read.problem)
            continue
        lonlat[mine] = read.lonlat
        places.faults.extend(_fault(rows[mine[at]], why) for at, why in read.rejected.items())
        places.notes.extend([read.note] if read.note else [])
    there = np.isfinite(lonlat).all(axis=1)
    places.shapes[there] = shapely.points(lonlat[there])
    return places


def _fault(row: int, why: Problem) -> Fault:
    zh, _, shown = why.zh.removesuffix("）").partition("（")
    return Fault(row, shown, zh, why.en.partition(" (")[0])


def split_pairs(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Both halves of cells such as 116.24,28.38, longitude first: in mainland China it is the larger number."""
    halves = [_halves(cell) for cell in cells]
    numbers = [[re.search(r"\d+", half) for half in pair] for pair in halves]
    swapped = [int(a[0]) < int(b[0]) for a, b in numbers if a and b]
    if sum(swapped) * 2 > len(swapped):
        halves = [(b, a) for a, b in halves]
    return [a for a, _ in halves], [b for _, b in halves]


def _halves(cell: str) -> tuple[str, str]:
    parts = [part for part in _BETWEEN.split(cell.strip("()（）[] ")) if part.strip()]
    return (parts[0], parts[1]) if len(parts) == len("xy") else (cell, cell if plain(cell) in BLANKS else "")


def read_shapes(shapes: Geometries, crs: str, rows: Sequence[int], datums: Sequence[str | None], bounds: Bounds | None) -> Places:
    """Bring shapes to WGS84: from the CRS of their file, unless region.toml declares a datum."""
    places, given = Places(np.full(len(rows), None, dtype=object)), [shape is not None for shape in shapes]
    for datum in dict.fromkeys(datums):
        mine = np.array([at for at, one in enumerate(datums) if one == datum and given[at]], dtype=np.int64)
        if len(mine) == 0:
            continue
        stated = crs and not (datum and is_projected(datum))
        flat = _to_degrees(shapes[mine], crs) if stated else shapes[mine]
        centre = shapely.get_coordinates(shapely.point_on_surface(flat))
        x, y = ([repr(value) for value in axis.tolist()] for axis in centre.T)
        read = read_coordinates(x, y, datum=datum, bounds=bounds)
        if read.problem is not None:
            places.problems.append(read.problem)
            continue
        places.faults.extend(_fault(rows[mine[at]], why) for at, why in read.rejected.items())
        right = np.array([at for at in range(len(mine)) if at not in read.rejected], dtype=np.int64)
        places.shapes[mine[right]] = _converted(flat[right], datum) if datum else flat[right]
    return places


def _to_degrees(shapes: Geometries, crs: str) -> Geometries:
    change = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def moved(at: Floats) -> Floats:
        return np.column_stack(change.transform(*at.T))

    return np.asarray(shapely.transform(shapes, moved))


def _converted(shapes: Geometries, datum: str) -> Geometries:
    def moved(at: Floats) -> Floats:
        return to_wgs84(at[:, 0], at[:, 1], datum)

    return np.asarray(shapely.transform(shapes, moved))


def convert_gates(gates: Sequence[shapely.MultiPoint | None], datums: Sequence[str | None]) -> list[shapely.MultiPoint | None]:
    """Bring gates, always in degrees, to WGS84; beside metres they are taken as WGS84 already."""
    return [
        None if gate is None else gate if datum is None or is_projected(datum) else _converted(np.array([gate], dtype=object), datum)[0]
        for gate, datum in zip(gates, datums, strict=True)
    ]


def datums_of(rows: Sequence[int], datum: str | None, exceptions: Mapping[str, Sequence[int]]) -> list[str | None]:
    """The datum of each row: the table's, unless the row is listed under another."""
    own = {row: other for other, numbers in exceptions.items() for row in numbers}
    return [own.get(row, datum) for row in rows]
