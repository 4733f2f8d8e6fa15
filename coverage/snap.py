"""Ways onto the network: every road piece near a place, with the leg between the place and the road.

METHOD, "Point to road": each permitted piece within `access_radius_m` is a way on; if there is none, the nearest within `max_snap_m`; beyond
that the place is off the network. A leg that crosses mapped water or a motorway does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyproj
import shapely

from geodata.model import Demand, Facilities
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Geometries, Ints, Network, travel_ms

ACCESS_RADIUS_M = 300.0
MAX_SNAP_M = 1000.0
AREA = 2  # dimension of a polygon


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
        Straight length of the shortest way on (beyond the access radius: far from the road); without any, to the nearest usable road.
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

    @property
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


def snap_demand(network: Network, demand: Demand) -> WaysOn:
    """Find the ways on of every demand point."""
    return snap(network, demand.lonlat, np.arange(len(demand)), len(demand))


def snap_facilities(network: Network, facilities: Facilities) -> WaysOn:
    """Find the ways on of every facility, through each of its entrances."""
    owner = np.repeat(np.arange(len(facilities)), np.diff(facilities.first_entrance))
    return snap(network, facilities.entrance, owner, len(facilities))


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
    """Find the ways of places onto a network.

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
        False: the single nearest permitted piece (motorways and tunnels too), and nothing charged for the leg.

    Returns
    -------
    WaysOn
    """
    transformer = pyproj.Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    points = shapely.points(*transformer.transform(*lonlat.T))
    usable = network.enterable if access_leg else np.ones(len(network), dtype=bool)
    radius = min(access_radius_m, max_snap_m) if access_leg else 0.0
    near = _legs(network, points, np.arange(len(points)), radius, usable=usable, check_crossing=access_leg)
    lonely = np.setdiff1d(np.arange(len(points)), near.point)
    far = _nearest_of(_legs(network, points, lonely, max_snap_m, usable=usable, check_crossing=access_leg))
    point, piece, length_m = (np.concatenate(pair) for pair in zip(near.arrays(), far.arrays(), strict=True))
    if not access_leg:
        point, piece, length_m = _nearest_of(_Legs(point, piece, length_m)).arrays()
    keep = ~_superseded(owner, point, length_m, radius)
    point, piece, length_m = point[keep], piece[keep], length_m[keep]
    share = np.nan_to_num(shapely.line_locate_point(network.lines[piece], points[point], normalized=True))
    leg_mm = np.rint(length_m * 1000 * network.access_detour).astype(np.int64) * access_leg
    order = np.lexsort((piece, owner[point]))
    return WaysOn(
        lonlat=lonlat,
        owner=owner,
        count=count,
        place=owner[point][order],
        piece=piece[order],
        offset_mm=np.rint(share * network.length_mm[piece]).astype(np.int64)[order],
        leg_mm=leg_mm[order],
        leg_ms=travel_ms(leg_mm, network.access_kmh)[order],
        road_m=_nearest_road_m(network, points, owner, count, _Legs(point, piece, length_m), usable),
    )


@dataclass(frozen=True, eq=False)
class _Legs:
    point: Ints
    piece: Ints
    length_m: Floats

    def arrays(self) -> tuple[Ints, Ints, Floats]:
        return self.point, self.piece, self.length_m


def _legs(network: Network, points: Geometries, which: Ints, radius_m: float, *, usable: Bools, check_crossing: bool) -> _Legs:
    """All legs from these points to usable pieces within a radius."""
    position, piece = network.tree.query(points[which], predicate="dwithin", distance=radius_m)
    position, piece = position[usable[piece]], piece[usable[piece]]
    point = which[position]
    if check_crossing:
        near_obstacle = np.zeros(len(points), dtype=bool)
        near_obstacle[shapely.STRtree(points).query(network.obstacles, predicate="dwithin", distance=radius_m)[1]] = True
        doubtful = np.flatnonzero(near_obstacle[point])
        clear = np.ones(len(point), dtype=bool)
        clear[doubtful] = ~_crossing(network, points[point[doubtful]], network.lines[piece[doubtful]])
        point, piece = point[clear], piece[clear]
    return _Legs(point, piece, shapely.distance(points[point], network.lines[piece]))


def _crossing(network: Network, points: Geometries, lines: Geometries) -> Bools:
    """Which legs cross an obstacle; water that the point itself stands in does not count."""
    crossing = np.zeros(len(points), dtype=bool)
    if len(network.obstacles) == 0:
        return crossing
    legs = shapely.get_coordinates(shapely.shortest_line(points, lines)).reshape(-1, 2, 2)
    inner = legs + (legs[:, ::-1] - legs) * 0.001  # a leg may touch what it starts or ends at
    tree = shapely.STRtree(shapely.linestrings(inner))
    obstacle, leg = tree.query(network.obstacles, predicate="intersects")
    wading = shapely.get_dimensions(network.obstacles[obstacle]) == AREA
    shapely.prepare(network.obstacles)
    wading[wading] = shapely.intersects(network.obstacles[obstacle[wading]], points[leg[wading]])
    crossing[leg[~wading]] = True
    return crossing


def _nearest_of(legs: _Legs) -> _Legs:
    """The shortest leg of each point; of equal ones the first piece."""
    order = np.lexsort((legs.piece, legs.length_m, legs.point))
    first = order[np.unique(legs.point[order], return_index=True)[1]]
    return _Legs(legs.point[first], legs.piece[first], legs.length_m[first])


def _superseded(owner: Ints, point: Ints, length_m: Floats, radius_m: float) -> Bools:
    """Far ways on of places that have a near one through another entrance."""
    has_near = np.zeros(owner.max(initial=-1) + 1, dtype=bool)
    has_near[owner[point[length_m <= radius_m]]] = True
    return np.asarray((length_m > radius_m) & has_near[owner[point]])


def _nearest_road_m(network: Network, points: Geometries, owner: Ints, count: int, legs: _Legs, usable: Bools) -> Floats:
    """Length of the shortest leg; for a place without any, the distance to the nearest usable road, however far."""
    road_m = np.full(count, np.inf)
    np.minimum.at(road_m, owner[legs.point], legs.length_m)
    lost = np.flatnonzero(np.isinf(road_m[owner]))
    pieces = network.lines[usable]
    if len(pieces) and len(lost):
        _, metres = shapely.STRtree(pieces).query_nearest(points[lost], all_matches=False, return_distance=True)
        np.minimum.at(road_m, owner[lost], metres)
    return road_m
