"""The land of the example county: its outline, lakes, river, expressway corridor and township boundaries.

All shapes lie on the drawing plane in metres, save ``Land.zones``, which are in degrees as they are written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, Voronoi

from geodata.examples.curves import Noise, Warp, chaikin, largest_polygon, noise, spline, warp
from geodata.examples.facts import Facts, Indices, Points, to_degrees, to_plane

WARP_SCALES = ((6000.0, 380.0), (2200.0, 210.0), (700.0, 70.0), (330.0, 26.0))
CELL_M = 450.0
WATER_IS_WIDER = 2.5
COUNTY_TOWN_M = 3300.0
SAME_LINE_M = 1e-3


@dataclass(frozen=True, slots=True)
class Land:
    """What nature and the county's boundary prescribe."""

    outline: shapely.Polygon
    lakes: dict[str, shapely.Polygon]
    island: shapely.Polygon
    river: shapely.Polygon
    river_line: Points
    water: shapely.Geometry
    expressway: Points
    zones: dict[str, shapely.Polygon]
    townships: dict[str, shapely.Polygon]
    shore: shapely.STRtree

    def is_near_water(self, points: Points, within_m: float) -> npt.NDArray[np.bool_]:
        """Whether each point, shape (n, 2) in metres, lies in the water or within a distance of it."""
        near: npt.NDArray[np.bool_] = shapely.contains_xy(self.water, points[:, 0], points[:, 1])
        near[np.unique(self.shore.query(shapely.points(points), predicate="dwithin", distance=within_m)[0])] = True
        return near

    def cross_shore(self, lines: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
        """Whether each line crosses or touches the edge of the water."""
        crossing = np.zeros(len(lines), dtype=np.bool_)
        crossing[np.unique(self.shore.query(lines, predicate="intersects")[0])] = True
        return crossing


def draw_land(facts: Facts, rng: np.random.Generator) -> Land:
    """Draw boundaries and water after the sketch.

    Parameters
    ----------
    facts : Facts
        The sketch and the seats of the townships.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Land
        The outline fills the county's real extent exactly; the townships tile it without gap or overlap.
    """
    bend = warp(rng, WARP_SCALES)
    outline = _outline(facts, bend)
    centre = facts.sketch["island"]
    island = _warped(shapely.Point(to_plane(centre[:2])[0]).buffer(centre[2]), bend)
    lakes = {name: _lake(arms, bend) for name, arms in facts.lakes.items()}
    lakes = {name: largest_polygon(lake.difference(island)) if lake.contains(island) else lake for name, lake in lakes.items()}
    course = shapely.LineString(Warp(bend.layers[:2]).of(spline(to_plane(facts.sketch["river"]), 150.0))).simplify(8.0)
    river_line = shapely.get_coordinates(course)
    river = largest_polygon(course.buffer(facts.sketch["river_half_width_m"], cap_style="flat").simplify(8.0))
    water = shapely.union_all([*lakes.values(), river])
    expressway = spline(bend.of(to_plane(facts.sketch["expressway"])), 180.0)
    zones = _zones(facts, outline, water, rng)
    townships = {code: shapely.transform(zone, to_plane) for code, zone in zones.items()}
    shapely.prepare(water)
    shore = shapely.STRtree(sides(shapely.boundary(water)))
    return Land(outline, lakes, island, river, river_line, water, expressway, zones, townships, shore)


def scatter(rng: np.random.Generator, area: shapely.Geometry, spacing_m: float) -> Points:
    """Strew points evenly but not regularly over an area: a hexagonal lattice, each point jittered.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    area : shapely.Geometry
        Polygon or polygons in metres.
    spacing_m : float
        Distance between neighbours.

    Returns
    -------
    ndarray, shape (n, 2)
        Points inside the area, from south-west to north-east.
    """
    west, south, east, north = area.bounds
    row_m = spacing_m * np.sqrt(0.75)
    columns, rows = np.meshgrid(np.arange(west, east, spacing_m), np.arange(south, north, row_m))
    columns[1::2] += spacing_m / 2
    points = np.column_stack((columns.ravel(), rows.ravel()))
    points += rng.uniform(-0.3, 0.3, points.shape) * spacing_m
    shapely.prepare(area)
    inside: Points = points[shapely.contains_xy(area, points[:, 0], points[:, 1])]
    return inside


def sides(lines: shapely.Geometry) -> npt.NDArray[np.object_]:
    """Take lines apart into their straight sides."""
    coordinates, part = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    inner = part[1:] == part[:-1]
    straight: npt.NDArray[np.object_] = shapely.linestrings(np.stack((coordinates[:-1], coordinates[1:]), axis=1)[inner])
    return straight


def neighbours(points: Points) -> Indices:
    """Pairs of points that are neighbours in the Delaunay triangulation, sorted, shape (m, 2)."""
    triangles = Delaunay(points).simplices
    pairs = np.sort(np.vstack((triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [0, 2]])), axis=1)
    unique: Indices = np.unique(pairs, axis=0).astype(np.int64)
    return unique


def _outline(facts: Facts, bend: Warp) -> shapely.Polygon:
    ring = bend.of(spline(to_plane(facts.sketch["outline"]), 160.0, closed=True))
    shape = largest_polygon(shapely.Polygon(ring))
    west, south, east, north = shape.bounds
    corners = to_plane([facts.extent[:2], facts.extent[2:]])
    scale = (corners[1] - corners[0]) / (east - west, north - south)
    fitted = shapely.transform(shape, lambda xy: to_plane(to_degrees((xy - (west, south)) * scale + corners[0])))
    return shapely.Polygon(fitted.exterior)


def _lake(arms: list[list[list[float]]], bend: Warp) -> shapely.Polygon:
    discs = []
    for arm in arms:
        table = np.asarray(arm)
        course = to_plane(table[:, :2])
        along = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(course, axis=0).T))))
        steps = np.arange(0, along[-1], 100.0)
        centres = np.column_stack([np.interp(steps, along, axis) for axis in course.T])
        discs.extend(shapely.buffer(shapely.points(centres), np.interp(steps, along, table[:, 2])))
    return _warped(largest_polygon(shapely.union_all(discs)), bend)


def _warped(shape: shapely.Polygon, bend: Warp) -> shapely.Polygon:
    dense = shapely.segmentize(shapely.Polygon(shape.exterior), 90.0)
    bent = largest_polygon(shapely.transform(dense, bend.of))
    return largest_polygon(shapely.Polygon(bent.exterior).simplify(12.0))


def _zones(facts: Facts, outline: shapely.Polygon, water: shapely.Geometry, rng: np.random.Generator) -> dict[str, shapely.Polygon]:
    seats = to_plane([township.seat for township in facts.townships])
    points = scatter(rng, outline.buffer(2 * CELL_M), CELL_M)
    villages = np.array([township.settlements - 0.6 * township.urban_settlements for township in facts.townships])
    owner = _owners(points, (seats, villages / villages.sum()), water, noise(rng, 5000.0))
    capital = next(row for row, township in enumerate(facts.townships) if township.name == facts.county_town)
    owner[np.hypot(*(points - seats[capital]).T) < COUNTY_TOWN_M] = capital
    cells = Voronoi(points)
    owners = owner[cells.ridge_points]
    ends = np.asarray(cells.ridge_vertices)
    borders = shapely.linestrings(cells.vertices[ends[(owners[:, 0] != owners[:, 1]) & (ends >= 0).all(axis=1)]])
    lines = shapely.union_all([*borders, outline.exterior])
    faces = [face for face in shapely.get_parts(shapely.polygonize([lines])) if outline.contains(face.representative_point())]
    merged = _merge_strays(faces, seats)
    arcs = shapely.get_parts(shapely.line_merge(shapely.union_all([face.boundary for face in merged])))
    natural = [_soften(arc, outline.exterior) for arc in arcs]
    found = shapely.get_parts(shapely.polygonize(natural))
    degrees = shapely.points(np.asarray([township.seat for township in facts.townships]))
    return {
        township.code: next(zone for zone in found if zone.contains(seat)) for township, seat in zip(facts.townships, degrees, strict=True)
    }


def _owners(points: Points, places: tuple[Points, Points], water: shapely.Geometry, relief: Noise) -> Indices:
    """Whose township each point is: the seat that is nearest over land, lakes being far to cross."""
    seats, targets = places
    pairs = neighbours(points)
    middles = points[pairs].mean(axis=1)
    wet = shapely.contains_xy(water, middles[:, 0], middles[:, 1])
    effort = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T) * np.exp(0.3 * relief.at(middles)) * (1 + WATER_IS_WIDER * wet)
    graph = coo_array((effort, (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points))).tocsr()
    starts = [int(np.argmin(np.hypot(*(points - seat).T))) for seat in seats]
    return _balanced(dijkstra(graph, directed=False, indices=starts), starts, targets)


def _balanced(distance: Points, starts: list[int], targets: Points) -> Indices:
    """Give each seat a head start until the areas come near their targets; no head start reaches another seat."""
    between = distance[:, starts] + np.diag(np.full(len(starts), np.inf))
    most = 0.42 * between.min(axis=1)
    ahead = np.zeros(len(starts))
    for _ in range(12):
        owners: Indices = np.argmin(distance - ahead[:, None], axis=0).astype(np.int64)
        share = np.bincount(owners, minlength=len(starts)) / distance.shape[1]
        ahead = np.clip(ahead + 2500 * np.log(targets / np.maximum(share, 1e-3)) * 0.3, -most, most)
    return owners


def _merge_strays(faces: list[shapely.Polygon], seats: Points) -> list[shapely.Polygon]:
    """Give pieces that the outline cut off from their seat to the neighbour with the longest common border."""
    homes = [next(index for index, face in enumerate(faces) if face.contains(shapely.Point(seat))) for seat in seats]
    towns = [faces[index] for index in homes]
    strays = [face for index, face in enumerate(faces) if index not in homes]
    while strays:
        shared = np.array([[stray.intersection(town).length for town in towns] for stray in strays])
        stray, town = divmod(int(np.argmax(shared)), len(towns))
        towns[town] = largest_polygon(shapely.union(towns[town], strays.pop(stray)))
    return towns


def _soften(arc: shapely.LineString, coast: shapely.LinearRing) -> shapely.LineString:
    """Round an inner border in degrees; leave the county's own boundary as it is."""
    points = shapely.get_coordinates(arc)
    middle = shapely.Point(points[len(points) // 2 - 1 : len(points) // 2 + 1].mean(axis=0))
    if coast.distance(middle) > SAME_LINE_M:
        points = shapely.get_coordinates(shapely.LineString(chaikin(points, 3)).simplify(5.0))
    return shapely.LineString(to_degrees(points))
