"""Built frontage: how much local road lies near each settlement of a township, where no better sign tells who lives where."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from geodata.model import OUTSIDE, Zones
from geodata.roads import EARTH_RADIUS_M, Floats, Ints, Roads, forward_bit, great_circle_m

LOCAL = frozenset({"residential", "living_street", "unclassified", "tertiary", "service", "road", "pedestrian"})  # houses stand along these
BIT_M = 50.0
NEAR_M = 500.0  # a road farther from every settlement leads through fields


def frontage_m(roads: Roads, zones: Zones, lonlat: Floats, zone: Ints) -> Floats:
    """Sum the walkable local road near each settlement: every bit of 50 m counts for the nearest one of its township within 500 m.

    Parameters
    ----------
    roads : Roads
    zones : Zones
    lonlat : (points, 2) float64
        Settlements, degrees.
    zone : (points,) int64
        Position of their township; nothing is gathered for OUTSIDE.

    Returns
    -------
    (points,) float64
        Metres. They tell settlements of one township apart; a block of flats has less frontage a head than a village. Where no road is
        mapped near a settlement (as a rule the map's fault) it has as much as the least of its township.
    """
    middle, metres = _bits(roads)
    frontage = gathered(middle, metres, zones, lonlat, zone, within_m=NEAR_M)
    for one in np.unique(zone[zone != OUTSIDE]):
        some = frontage[(zone == one) & (frontage > 0)]
        frontage[(zone == one) & (frontage == 0)] = some.min(initial=np.inf) if len(some) else 0.0
    return frontage


def gathered(at: Floats, mass: Floats, zones: Zones, lonlat: Floats, zone: Ints, *, within_m: float = np.inf) -> Floats:
    """Give the mass of many small places (bits of road, cells of a raster) to the nearest settlement of the township they lie in.

    Settlements at one place share alike. What lies outside every township, or farther than `within_m` from every settlement of its own,
    goes to nobody.
    """
    given, lies = np.zeros(len(lonlat)), zones.locate(at)
    for one in np.unique(lies[lies != OUTSIDE]):
        mine, here = np.flatnonzero(zone == one), lies == one
        if len(mine) == 0:
            continue
        places, place, sharing = np.unique(lonlat[mine], axis=0, return_inverse=True, return_counts=True)
        nearest = KDTree(_in_space_m(places)).query(_in_space_m(at[here]), distance_upper_bound=within_m)[1]
        near = nearest < len(places)
        given[mine] = (np.bincount(nearest[near], mass[here][near], minlength=len(places)) / sharing)[place]
    return given


def _in_space_m(lonlat: Floats) -> Floats:
    """Place points in space, in metres from the centre of the earth: straight distances between near ones are great-circle metres."""
    lon, lat = np.radians(lonlat).T
    return EARTH_RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def _bits(roads: Roads) -> tuple[Floats, Floats]:
    """Middle (degrees) and length (metres) of the bits of at most 50 m of the walkable local roads."""
    walk = forward_bit("walk")
    local = np.array([name in LOCAL for name in roads.class_names], dtype=bool)[roads.road_class]
    mine = roads.take(np.flatnonzero(local & (roads.permit & (walk | walk << 1) > 0)))
    within = np.ones(max(0, len(mine.lonlat) - 1), dtype=bool)
    within[mine.first_vertex[1:-1] - 1] = False  # from the end of a piece to the start of the next
    start, end = mine.lonlat[:-1][within], mine.lonlat[1:][within]
    metres = great_circle_m(start, end)
    bits = np.maximum(1, np.ceil(metres / BIT_M)).astype(np.int64)
    step = np.repeat(np.arange(len(bits)), bits)
    along = (np.arange(len(step)) - np.repeat(np.cumsum(bits) - bits, bits) + 0.5) / bits[step]
    return start[step] + (end - start)[step] * along[:, None], (metres / bits)[step]
