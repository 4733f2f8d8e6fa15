"""Townships that overlap, leave holes, or lie far from the others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.model import Demand, Zones
from geodata.roads import Bools, Floats, Geometries
from scenarios.audit.finding import Finding, degrees, found, marks, metric

LEAST_M2 = 1.0  # anything smaller is rounding
SLIVER_M2 = 10_000.0
SLIVER_WIDTH_M = 20.0
APART_M = 20_000.0
_AREA = 2  # dimension of a polygon

Texts = npt.NDArray[np.object_]


def zone_findings(zones: Zones, demand: Demand, crs: str) -> list[Finding]:
    """Overlaps, holes and slivers with the people in them, and parts far from the rest."""
    shapes = metric(zones.geometry, crs)
    pairs, overlaps = _overlaps(zones, shapes)
    beside, holes = _holes(zones, shapes)
    thin, small = _sliver(overlaps), _sliver(holes)
    slivers = np.concatenate([overlaps[thin], holes[small]])
    return [
        _of_area("zones_overlap", pairs[~thin], overlaps[~thin], demand, crs),
        _of_area("zone_holes", beside[~small], holes[~small], demand, crs),
        _of_area("zone_slivers", np.concatenate([pairs[thin], beside[small]]), slivers, demand, crs),
        _apart(zones, shapes, demand, crs),
    ]


def _overlaps(zones: Zones, shapes: Geometries) -> tuple[Texts, Geometries]:
    """What two townships both have, named after the two."""
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    a, b = a[a < b], b[a < b]
    common = shapely.intersection(shapes[a], shapes[b])
    large = shapely.area(common) >= LEAST_M2
    a, b, common = a[large], b[large], common[large]
    areas = np.array([_areas(shape) for shape in common], dtype=object)
    return np.array([f"{zones.name[i]} × {zones.name[j]} {_km2(one)}" for i, j, one in zip(a, b, areas, strict=True)], dtype=object), areas


def _km2(shape: shapely.Geometry) -> str:
    return f"{shapely.area(shape) / 1e6:,.2f} km²"


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    """Only the areas of an intersection, not the lines along which two townships touch."""
    parts = shapely.get_parts(shape)
    return shapely.multipolygons(parts[shapely.get_dimensions(parts) == _AREA])


def _holes(zones: Zones, shapes: Geometries) -> tuple[Texts, Geometries]:
    """Ground that belongs to no township though townships surround it, named after the nearest."""
    parts = shapely.get_parts(shapely.union_all(shapes))
    every = np.array([shapely.Polygon(ring) for part in parts for ring in part.interiors], dtype=object)
    holes = every[shapely.area(every) >= LEAST_M2]
    near = shapely.STRtree(shapes).nearest(holes) if len(holes) else holes
    return np.array([f"{zones.name[zone]} {_km2(hole)}" for zone, hole in zip(near, holes, strict=True)], dtype=object), holes


def _sliver(shapes: Geometries) -> Bools:
    area, around = shapely.area(shapes), shapely.length(shapes)
    return np.asarray((area < SLIVER_M2) | (2 * area < SLIVER_WIDTH_M * around))


def _of_area(code: str, names: Texts, shapes: Geometries, demand: Demand, crs: str, **said: Any) -> Finding:  # noqa: ANN401 — as `found`
    """A finding about areas, those with most people first, then the largest."""
    where = degrees(shapes, crs)
    people = _people_in(where, demand)
    order = np.lexsort((-shapely.area(shapes), -people))
    placed = marks([names[at] for at in order], where[order], people[order])
    return found(code, len(order), people=math.fsum(people), where=placed, **said)


def _people_in(shapes: Geometries, demand: Demand) -> Floats:
    people = np.zeros(len(shapes))
    shape, point = shapely.STRtree(shapely.points(demand.lonlat)).query(shapes, predicate="intersects")
    np.add.at(people, shape, demand.people[point])
    return people


def _apart(zones: Zones, shapes: Geometries, demand: Demand, crs: str) -> Finding:
    """Parts of townships in groups that lie far from the group with the most ground."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    a, b = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=APART_M)
    group = connected_components(coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(len(parts),) * 2), directed=False)[1]
    far = group != np.bincount(group, weights=shapely.area(parts)).argmax()
    name = np.array([f"{zones.name[at]} {_km2(part)}" for at, part in zip(owner[far], parts[far], strict=True)], dtype=object)
    return _of_area("zones_apart", name, parts[far], demand, crs, km=APART_M / 1000)
