"""Towns that look grown: avenues drawn by hand, the land between them cut into blocks, small in the old core and large at the rim."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from geodata.examples.curves import largest_polygon, spline, warp
from geodata.examples.facts import Indices, Points
from geodata.examples.land import Land
from geodata.examples.towns import FOOTWAY, LIVING, RESIDENTIAL, TERTIARY, UNCLASSIFIED, WATERSIDE_M, StreetPlan, plan_of

STEP_M, SHORE_STREET_M, SNAP_M, BEYOND_M, STUMP_M, FAR_M = 85.0, 60.0, 42.0, 1.5, 3.0, 400.0
BENDS = ((750.0, 15.0), (2600.0, 55.0))
UNEVEN, LANE_SHARE, FOOTWAY_SHARE = 0.4, 0.42, 0.45
BLOCK_M2 = (5_000.0, 80_000.0)


@dataclass(frozen=True, slots=True)
class Avenue:
    """A street that is drawn first: its label, its grade, its course in metres, and whether traffic runs one way along it."""

    label: str
    grade: int
    course: Points
    one_way: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """How a town fills between its avenues: the land it covers, usual blocks at core and rim, the share of streets never built."""

    built: shapely.Polygon
    core_m2: float
    rim_m2: float
    unbuilt: float


def grow(rng: np.random.Generator, centre: Points, avenues: tuple[Avenue, ...], growth: Growth, land: Land) -> StreetPlan:
    """Grow a town: avenues, a street along the shore if it lies at one, and the streets, lanes and footways between them.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    centre : ndarray, shape (2,)
        The central crossing, in metres; an avenue passes it.
    avenues : tuple of Avenue
        Streets that are drawn first.
    growth : Growth
        The land, water not yet taken out, and sizes of blocks.
    land : Land
        Its water, where no street may be.

    Returns
    -------
    StreetPlan
        One connected piece that holds the central crossing, with its blocks.
    """
    west, south, east, north = growth.built.bounds
    water = shapely.clip_by_rect(land.water, west - FAR_M, south - FAR_M, east + FAR_M, north + FAR_M)
    shore = water.buffer(WATERSIDE_M + 2 * BENDS[0][1], quad_segs=2)
    dry = largest_polygon(growth.built.difference(shore))
    drawn = [replace(avenue, course=part) for avenue in avenues for part in _inside(avenue.course, dry)]
    quay = shapely.line_merge(dry.exterior.intersection(shore.buffer(1.0)))
    quays = [part for part in shapely.get_parts(quay) if part.length > SHORE_STREET_M]
    drawn += [Avenue("shore", TERTIARY, shapely.get_coordinates(part.simplify(20.0))) for part in quays]
    reach_m = float(np.sqrt(dry.area / np.pi))
    first = len(drawn)
    drawn += _streets(rng, dry, drawn, (centre, reach_m), growth)
    points, pairs, owner = _noded(drawn)
    grade = np.array([drawn[row].grade for row in owner])
    kept = (rng.random(len(pairs)) >= growth.unbuilt) | (owner < first)
    bend = warp(rng, BENDS)
    points = bend.of(points) - (bend.of(centre[None, :]) - centre)
    flow = np.array([int(drawn[row].one_way) for row in owner])
    label = tuple(drawn[row].label for row, keep in zip(owner, kept.tolist(), strict=True) if keep)
    middle = int(np.argmin(np.hypot(*(points - centre).T)))
    plan = plan_of(points, (pairs[kept], grade[kept], flow[kept]), middle, land, label)
    return replace(plan, blocks=_blocks(plan))


def market_town(rng: np.random.Generator, centre: Points, radius_m: float, land: Land) -> StreetPlan:
    """Grow a township's seat: a bent main street, a street across, an old street askew, all within a long blob.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    centre : ndarray, shape (2,)
        The crossing of main street and cross street, in metres.
    radius_m : float
        Mean radius of the town.
    land : Land
        Its water.

    Returns
    -------
    StreetPlan
        Labels of the three are ``main``, ``cross`` and ``old``.
    """
    turn = rng.uniform(0, np.pi)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    angles = np.linspace(0, 2 * np.pi, 11)[:-1]
    rim = radius_m * rng.uniform(0.82, 1.18, (10, 1)) * np.column_stack((1.25 * np.cos(angles), 0.85 * np.sin(angles)))
    built = largest_polygon(shapely.Polygon(centre + spline(rim @ axes, 90.0, closed=True)))

    def street(across: float, along: tuple[float, ...], askew: float, sway: float) -> Points:
        local = np.array([(at, across + askew * at + rng.uniform(-sway, sway) * (at != 0)) for at in along]) * radius_m
        return centre + spline(local @ axes, STEP_M)

    far, skew = (-1.9, -0.9, 0.0, 0.8, 1.9), rng.uniform(-0.2, 0.2)
    main, old = street(0.0, far, 0.0, 0.16), street(rng.choice([-0.42, 0.42]), far, rng.uniform(0.12, 0.3) * rng.choice([-1, 1]), 0.1)
    crossing = np.array([(skew * at + rng.uniform(-0.1, 0.1) * (at != 0), at) for at in far]) * radius_m
    cross = centre + spline(crossing @ axes, STEP_M)
    avenues = (Avenue("main", TERTIARY, main), Avenue("cross", UNCLASSIFIED, cross), Avenue("old", RESIDENTIAL, old))
    return grow(rng, centre, avenues, Growth(built, 17_000.0, 42_000.0, 0.1), land)


def _inside(course: Points, area: shapely.Polygon) -> list[Points]:
    parts = shapely.get_parts(shapely.LineString(course).intersection(area))
    return [shapely.get_coordinates(part) for part in parts if part.length > SHORE_STREET_M]


def _streets(
    rng: np.random.Generator, dry: shapely.Polygon, drawn: list[Avenue], core: tuple[Points, float], growth: Growth
) -> list[Avenue]:
    """Cut each block across its longer side, again and again, until it is about as large as is usual where it lies."""
    centre, reach_m = core
    whole = shapely.union_all([dry.exterior, *(shapely.LineString(avenue.course) for avenue in drawn)])
    blocks = list(shapely.get_parts(shapely.polygonize(shapely.get_parts(whole))))
    ends: list[Points] = []
    streets: list[Avenue] = []
    while blocks:
        block = blocks.pop()
        away = float(np.hypot(*(shapely.get_coordinates(block.centroid)[0] - centre))) / reach_m
        usual = (growth.core_m2 + (growth.rim_m2 - growth.core_m2) * min(1.0, away)) * np.exp(rng.normal(0, UNEVEN))
        if block.area < usual or (block.area < 2 * usual and rng.random() > LANE_SHARE):
            continue
        cut = _cut(rng, block, ends)
        parts = [part for part in _parted(block, cut) if part.area > 0.1 * usual]
        if len(parts) > 1:
            small = block.area < 2 * usual
            grade = RESIDENTIAL if not small else FOOTWAY if rng.random() < FOOTWAY_SHARE else LIVING
            streets.append(Avenue(f"street {len(streets)}", grade, cut))
            ends.extend(cut)
            blocks.extend([] if small else parts)
    return streets


def _cut(rng: np.random.Generator, block: shapely.Polygon, ends: list[Points]) -> Points:
    """Draw a line across the longer side, not quite in the middle and not quite square, to street ends that are near."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block))
    long, short = corners[1] - corners[0], corners[3] - corners[0]
    if np.hypot(*long) < np.hypot(*short):
        long, short = short, long
    turn = rng.normal(0, 0.1)
    direction = np.array([short[0] * np.cos(turn) - short[1] * np.sin(turn), short[0] * np.sin(turn) + short[1] * np.cos(turn)])
    middle = corners[0] + np.clip(rng.normal(0.5, 0.09), 0.3, 0.7) * long + 0.5 * short
    inside = shapely.get_parts(shapely.LineString([middle - 2 * direction, middle + 2 * direction]).intersection(block))
    cut: Points = shapely.get_coordinates(max(inside, key=shapely.length))
    if ends:
        gap, nearest = cKDTree(ends).query(cut)
        near = gap < SNAP_M
        on_edge = shapely.distance(shapely.points(np.array(ends)[nearest]), block.exterior) < 1.0
        snapped = np.where((near & on_edge)[:, None], np.array(ends)[nearest], cut)
        if (snapped[0] != snapped[-1]).any():
            cut = snapped
    return cut


def _parted(block: shapely.Polygon, cut: Points) -> list[shapely.Polygon]:
    lines = shapely.union(block.exterior, shapely.LineString(_lengthened(cut)))
    return list(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))


def _lengthened(line: Points) -> Points:
    """Draw both ends a little further, so that they cross the streets they meet whatever is rounded."""
    start, end = line[0] - line[1], line[-1] - line[-2]
    return np.vstack((line[0] + start / np.hypot(*start) * BEYOND_M, line[1:-1], line[-1] + end / np.hypot(*end) * BEYOND_M))


def _noded(drawn: list[Avenue]) -> tuple[Points, Indices, npt.NDArray[np.int64]]:
    """Crossings, street pieces between them in the direction of their street, and the street each piece belongs to."""
    lines = np.array([shapely.LineString(_lengthened(avenue.course)) for avenue in drawn])
    pieces = shapely.get_parts(shapely.union_all(lines, grid_size=0.01))
    pieces = shapely.segmentize(pieces, STEP_M)
    owner = shapely.STRtree(lines).nearest(shapely.line_interpolate_point(pieces, 0.5, normalized=True))
    ends = shapely.points(np.array([shapely.get_coordinates(piece)[[0, -1]] for piece in pieces]))
    at = shapely.line_locate_point(lines[owner][:, None], ends)
    pieces = np.where(at[:, 0] > at[:, 1], shapely.reverse(pieces), pieces)
    number: dict[tuple[float, float], int] = {}
    pairs, owners = [], []
    for piece, street, length in zip(pieces, owner.tolist(), shapely.length(pieces).tolist(), strict=True):
        if length < STUMP_M:
            continue
        nodes = [number.setdefault((x, y), len(number)) for x, y in shapely.get_coordinates(piece).tolist()]
        pairs += list(pairwise(nodes))
        owners += [street] * (len(nodes) - 1)
    return np.array(list(number)), np.array(pairs), np.array(owners)


def _blocks(plan: StreetPlan) -> tuple[shapely.Polygon, ...]:
    lines = shapely.linestrings(plan.points[plan.streets])
    faces = shapely.get_parts(shapely.polygonize(lines))
    return tuple(face for face in faces if BLOCK_M2[0] < face.area < BLOCK_M2[1])
