"""The ground of every map: shapes with fewer corners, roads in groups, where a name has most room."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from geodata.model import Region
from geodata.roads import Geometries
from scenarios.output.legend import road_group

Bounds = tuple[float, float, float, float]  # west, south, east, north

_SIMPLIFY_M = 5.0
_ZONE_SIMPLIFY_M = 15.0


def zone_shapes(region: Region) -> tuple[Geometries, Geometries]:
    """Give the townships in degrees, with fewer corners and borders that still touch, and the points of their names."""
    metric = np.array(gpd.GeoSeries(region.zones.geometry, crs="EPSG:4326").to_crs(region.crs), dtype=object)
    labels = np.array([label_point(shape, tolerance_m=50) for shape in metric], dtype=object)
    return _degrees(shapely.coverage_simplify(metric, _ZONE_SIMPLIFY_M), region), _degrees(labels, region)


def label_point(shape: shapely.Geometry, *, tolerance_m: float) -> shapely.Point:
    """Find the middle of the widest part of a shape in metres, where a name has most room."""
    widest = max(shapely.get_parts(shape), key=shapely.area)
    return shapely.get_point(shapely.maximum_inscribed_circle(widest, tolerance=tolerance_m), 0)


def water_shapes(region: Region) -> tuple[Geometries, Geometries]:
    """Give areas and lines of water with fewer corners."""
    shapes = simplified(region.roads.water, region)
    area = shapely.get_dimensions(shapes) == 2  # noqa: PLR2004 — the dimension of a polygon
    return shapes[area], shapes[~area]


def road_groups(region: Region) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Give the group of each road piece, see :data:`scenarios.output.legend.ROADS`."""
    return np.array([road_group(name) for name in region.roads.class_names], dtype=str)[region.roads.road_class]


def road_lines(region: Region, group: str, *, within: shapely.Geometry | None = None) -> Geometries:
    """Give the roads of a group, or those that touch an area, as few long lines with fewer corners."""
    lines = region.roads.lines()[road_groups(region) == group]
    lines = lines if within is None else lines[shapely.intersects(lines, within)]
    joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines))) if len(lines) else lines
    return simplified(joined, region)


def simplified(shapes: Geometries, region: Region) -> Geometries:
    """Leave out corners that nobody would see: five metres on the ground."""
    metric = gpd.GeoSeries(list(shapes), crs="EPSG:4326").to_crs(region.crs)
    return _degrees(np.array(metric.simplify(_SIMPLIFY_M), dtype=object), region)


def _degrees(metric: Geometries, region: Region) -> Geometries:
    return np.array(gpd.GeoSeries(list(metric), crs=region.crs).to_crs("EPSG:4326"), dtype=object)
