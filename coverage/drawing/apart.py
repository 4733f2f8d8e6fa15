"""Cutting a shape between lines: each part of it to the owner of the nearest line.

Lines are sampled; between the samples of two owners the edge of their Voronoi cells (Voronoi 1908, doi:10.1515/crll.1908.134.198) is where
both are equally near. Only lines that have another's within reach matter, so that the work goes with the borders, not with the roads.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.lib.stride_tricks import sliding_window_view
from scipy.spatial import Voronoi

from geodata.roads import Bools, Floats, Geometries, Ints

_REACH = 1.6  # widths: a drawn circle ends nearer to its lines than that (``raster.around``)
_SAMPLES = 4  # a width
_FRAME = 10  # widths around all the lines


def apart(shape: shapely.Geometry, lines: Geometries, owner: Ints, width_m: float) -> tuple[Ints, Geometries]:
    """Cut a shape into parts, one for each owner of lines.

    Parameters
    ----------
    shape : Polygon or MultiPolygon
        In a projected CRS, nowhere farther than 1.6 widths from the lines.
    lines : (lines,) LineStrings
    owner : (lines,) int64
    width_m : float

    Returns
    -------
    owners : (parts,) int64
        Ascending; an owner that is nowhere the nearest has no part.
    parts : (parts,) Polygons or MultiPolygons
        They touch, do not overlap, and are together the shape. Where lines of two owners lie nearer to each other than a quarter of the
        width, the border between them may run beside the exact one by as much.
    """
    if shapely.is_empty(shape):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=object)
    borders = _borders(lines, owner, width_m)
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all([shapely.boundary(shape), *borders])]))
    inner = shapely.point_on_surface(faces)
    shapely.prepare(shape)
    kept = shapely.contains(shape, inner)
    faces, inner = faces[kept], inner[kept]
    face, line = shapely.STRtree(lines).query_nearest(inner)
    mine = np.full(len(faces), owner.max())
    np.minimum.at(mine, face, owner[line])
    owners = np.unique(mine)
    parts = [shapely.coverage_union_all(faces[mine == one]) for one in owners]
    return owners, np.asarray(shapely.normalize(parts))


def _borders(lines: Geometries, owner: Ints, width_m: float) -> Geometries:
    """Short lines, equally near to lines of two owners, and to no other; where both are within reach."""
    points, whose = _samples(lines, owner, width_m / _SAMPLES)
    mixed = _mixed(points, whose, 2 * _REACH * width_m)
    points, whose = points[mixed], whose[mixed]
    if len(points) == 0:
        return np.zeros(0, dtype=object)
    south_west, north_east = points.min(axis=0), points.max(axis=0)
    frame = shapely.get_coordinates(shapely.box(*(south_west - _FRAME * width_m), *(north_east + _FRAME * width_m)))[:4]
    cells = Voronoi(np.concatenate([points, frame]) - south_west)  # the frame: no border that matters goes on for ever
    left, right = cells.ridge_points.T
    sides = np.array(cells.ridge_vertices)
    whose = np.append(whose, [-1] * len(frame))
    between = (whose[left] != whose[right]) & (whose[left] >= 0) & (whose[right] >= 0)
    borders = shapely.linestrings(cells.vertices[sides[between]] + south_west)
    near = shapely.distance(borders, shapely.points(points[left[between]])) <= _REACH * width_m
    return np.asarray(borders[near])


def _mixed(points: Floats, whose: Ints, within_m: float) -> Bools:
    """Which points may have a point of another owner within a distance: told by squares of that size, and the squares around."""
    column, row = np.floor((points - points.min(axis=0)) / within_m).astype(np.int64).T
    low = np.full((row.max() + 3, column.max() + 3), whose.max())  # a square of nobody's all around
    high = np.zeros_like(low)
    np.minimum.at(low, (row + 1, column + 1), whose)
    np.maximum.at(high, (row + 1, column + 1), whose)
    least, most = sliding_window_view(low, (3, 3)).min(axis=(2, 3)), sliding_window_view(high, (3, 3)).max(axis=(2, 3))
    return np.asarray((least < most)[row, column])


def _samples(lines: Geometries, owner: Ints, apart_m: float) -> tuple[Floats, Ints]:
    """Points in the middle of equal steps along each line, and whose they are."""
    count = np.maximum(1, np.ceil(shapely.length(lines) / apart_m)).astype(np.int64)
    line = np.repeat(np.arange(len(lines)), count)
    number = np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count)
    points = shapely.line_interpolate_point(lines[line], (number + 0.5) / count[line], normalized=True)
    return shapely.get_coordinates(points), owner[line]
