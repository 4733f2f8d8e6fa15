"""Ways onto the network: every road piece near a place, with the leg between the place and the road.

METHOD, "Point to road": each permitted piece within `access_radius_m` is a way on; if there is none, the nearest within `max_snap_m`;
beyond that the place is off the network. A leg that crosses mapped water or a motorway does not count. Lengths are compared in whole
millimetres, so that a place at exactly 300 m is within.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import shapely

from geodata.model import Demand, Facilities
from geodata.network import Network, transformer, travel_ms
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Geometries, Ints

ACCESS_RADIUS_M = 300.0
MAX_SNAP_M = 1000.0
_AREA = 2  # dimension of a polygon
_POINTS_AT_ONCE = 20_000  # of those that look for a road far off: bounds the memory


@dataclass(frozen=True, eq=False)
class WaysOn:
    """Where places step onto a network; a place may have several points (entrances).

    Attributes
    ----------
    lonlat : (points, 2) float64
    owner : (points,) int64
        The place each point belongs to, 0..count-1.
    count : int
        Number of places.
    place, piece : (ways,) int64
        One row a way on: which place, onto which piece of the network.
    offset_mm : (ways,) int64
        Where on the piece, from its start.
    leg_mm, leg_ms : (ways,) int64
        The access leg as charged: straight length times the detour factor, and its time.
    road_m : (places,) float64
        Straight length of the shortest way on (beyond the access radius: far from the road); without any, to the nearest usable road,
        inf if there is none at all.
    """

    lonlat: Floats
    owner: Ints
    count: int
    place: Ints
    piece: Ints
    offset_mm: Ints
    leg_mm: Ints
    leg_ms: Ints
    road_m: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    @cached_property
    def off_network(self) -> Bools:
        """Which places have no way on."""
        return np.asarray(np.bincount(self.place, minlength=self.count) == 0)

    def take(self, places: Ints) -> WaysOn:
        """Only these places, renumbered in this order."""
        number = np.full(self.count + 1, -1)
        number[places] = np.arange(len(places))
        point, way = number[self.owner] >= 0, number[self.place] >= 0
        return WaysOn(
            lonlat=self.lonlat[point],
            owner=number[self.owner[point]],
            count=len(places),
            place=number[self.place[way]],
            piece=self.piece[way],
            offset_mm=self.offset_mm[way],
            leg_mm=self.leg_mm[way],
            leg_ms=self.leg_ms[way],
            road_m=self.road_m[places],
        )


def snap_demand(network: Network, demand: Demand, *, access_radius_m: float = ACCESS_RADIUS_M) -> WaysOn:
    """Find the ways on of every demand point."""
    return snap(network, demand.lonlat, np.arange(len(demand)), len(demand), access_radius_m=access_radius_m)


def snap_facilities(network: Network, facilities: Facilities, *, access_radius_m: float = ACCESS_RADIUS_M) -> WaysOn:
    """Find the ways on of every facility, through each of its entrances."""
    owner = np.repeat(np.arange(len(facilities)), np.diff(facilities.first_entrance))
    return snap(network, facilities.entrance, owner, len(facilities), access_radius_m=access_radius_m)


def snap(
    network: Network,
    lonlat: Floats,
    owner: Ints,
    count: int,
    *,
    access_radius_m: float = ACCESS_RADIUS_M,
    max_snap_m: float = MAX_SNAP_M,
    access_leg: bool = True,
) -> WaysOn:
    """Find the ways of places onto a network; those that there were without the pieces that a scenario adds are among them.

    Parameters
    ----------
    network : Network
    lonlat : (points, 2) float64, degrees
    owner : (points,) int64
        The place each point belongs to.
    count : int
        Number of places.
    access_radius_m, max_snap_m : float
        See the module's first lines; both inclusive.
    access_leg : bool
        False: the single nearest permitted piece (motorways and tunnels too; several only if equally near), and nothing charged for the
        leg.

    Returns
    -------
    WaysOn
    """
    points = projected(lonlat, network.crs)
    usable = network.enterable if access_leg else np.ones(len(network), dtype=bool)
    near_m = min(access_radius_m, max_snap_m) if access_leg else 0.0
    legs = _permitted(network, points, owner, usable, near_m=near_m, max_snap_m=max_snap_m, access_leg=access_leg)
    if network.added.any():
        before = _permitted(network, points, owner, usable & ~network.added, near_m=near_m, max_snap_m=max_snap_m, access_leg=access_leg)
        legs = _Legs(*np.unique(np.column_stack(_joined(legs, before)), axis=0).T)
    order = np.lexsort((legs.piece, owner[legs.point]))
    point, piece, straight_mm = (column[order] for column in legs)
    along_m = np.nan_to_num(shapely.line_locate_point(network.lines[piece], points[point]))
    leg_mm = np.rint(straight_mm * network.access_detour).astype(np.int64) * access_leg
    return WaysOn(
        lonlat=lonlat,
        owner=owner,
        count=count,
        place=owner[point],
        piece=piece,
        offset_mm=network.offset_mm(piece, along_m),
        leg_mm=leg_mm,
        leg_ms=travel_ms(leg_mm, network.access_kmh),
        road_m=_road_m(network, points, owner, count, legs=legs, usable=usable),
    )


def projected(lonlat: Floats, crs: str) -> Geometries:
    """Points in a projected CRS, from degrees."""
    return np.asarray(shapely.points(*transformer(crs).transform(*lonlat.T)))


class _Legs(NamedTuple):
    """Straight legs from points to pieces, in whole millimetres."""

    point: Ints
    piece: Ints
    mm: Ints


def _permitted(
    network: Network, points: Geometries, owner: Ints, usable: Bools, *, near_m: float, max_snap_m: float, access_leg: bool
) -> _Legs:
    """The legs that METHOD allows: all the near ones, or the nearest far one of a place that has no near one."""
    near = _legs(network, points, np.arange(len(points)), near_m, usable=usable, clear=access_leg)
    near = near if access_leg else _nearest_of(near)
    has_near = np.zeros(owner.max(initial=-1) + 1, dtype=bool)
    has_near[owner[near.point]] = True
    lonely = np.flatnonzero(~has_near[owner])
    parts = [lonely[start : start + _POINTS_AT_ONCE] for start in range(0, len(lonely), _POINTS_AT_ONCE)]
    return _joined(near, *(_nearest_of(_legs(network, points, part, max_snap_m, usable=usable, clear=access_leg)) for part in parts))


def _legs(network: Network, points: Geometries, which: Ints, radius_m: float, *, usable: Bools, clear: bool) -> _Legs:
    """All legs from these points to usable pieces within a radius, inclusive; `clear`: only those that cross no obstacle."""
    position, piece = network.tree.query(points[which], predicate="dwithin", distance=radius_m + 0.001)
    point, piece = which[position[usable[piece]]], piece[usable[piece]]
    mm = np.rint(shapely.distance(points[point], network.lines[piece]) * 1000).astype(np.int64)
    keep = mm <= radius_m * 1000
    if clear:
        near_obstacle = np.zeros(len(points), dtype=bool)
        near_obstacle[which[shapely.STRtree(points[which]).query(network.obstacles, predicate="dwithin", distance=radius_m)[1]]] = True
        doubtful = np.flatnonzero(keep & (mm > 0) & near_obstacle[point])
        keep[doubtful] = ~_crossing(network, points[point[doubtful]], network.lines[piece[doubtful]])
    return _Legs(point[keep], piece[keep], mm[keep])


def _crossing(network: Network, points: Geometries, lines: Geometries) -> Bools:
    """Which legs cross an obstacle; water that the point itself stands in does not count."""
    crossing = np.zeros(len(points), dtype=bool)
    legs = shapely.get_coordinates(shapely.shortest_line(points, lines)).reshape(-1, 2, 2)
    inner = legs + (legs[:, ::-1] - legs) * 0.001  # a leg may touch what it starts or ends at
    tree = shapely.STRtree(shapely.linestrings(inner))
    obstacle, leg = tree.query(network.obstacles, predicate="intersects")
    wading = shapely.get_dimensions(network.obstacles[obstacle]) == _AREA
    shapely.prepare(network.obstacles)
    wading[wading] = shapely.intersects(network.obstacles[obstacle[wading]], points[leg[wading]])
    crossing[leg[~wading]] = True
    return crossing


def _nearest_of(legs: _Legs) -> _Legs:
    """The shortest leg of each point, all of them if several are equally short: the order of the roads decides nothing."""
    least = np.full(legs.point.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(least, legs.point, legs.mm)
    keep = legs.mm == least[legs.point]
    return _Legs(legs.point[keep], legs.piece[keep], legs.mm[keep])


def _joined(*several: _Legs) -> _Legs:
    return _Legs(*(np.concatenate(columns) for columns in zip(*several, strict=True)))


def _road_m(network: Network, points: Geometries, owner: Ints, count: int, *, legs: _Legs, usable: Bools) -> Floats:
    """Length of the shortest leg; for a place without any, the distance to the nearest usable road, however far."""
    road_m = np.full(count, np.inf)
    np.minimum.at(road_m, owner[legs.point], legs.mm / 1000)
    lost = np.flatnonzero(np.isinf(road_m[owner]))
    if len(lost) and usable.any():
        pieces = network.lines[usable]
        found, metres = shapely.STRtree(pieces).query_nearest(points[lost], all_matches=False, return_distance=True)
        np.minimum.at(road_m, owner[lost[found[0]]], np.rint(metres * 1000) / 1000)
    return road_m
