"""Origin–destination tables: time and length of the chosen way between every pair of two sets of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.search import Weight
from coverage.snap import MAX_SNAP_M, WaysOn, snap
from coverage.travel_times import times_between
from geodata.network import Network
from geodata.pack import read_only
from geodata.roads import Floats, Ints


@dataclass(frozen=True, eq=False)
class ODMatrix:
    """Reachable pairs, sorted by origin, then destination.

    Attributes
    ----------
    origin, destination : (pairs,) int64
        Positions among the points given.
    ms, mm : (pairs,) int64
        Time and length of the same chosen way, access legs included.
    off_origin_m, off_destination_m : (points,) float64
        Distance to the nearest road of points beyond `max_snap_m`; nan for points on the network.
    """

    origin: Ints
    destination: Ints
    ms: Ints
    mm: Ints
    off_origin_m: Floats
    off_destination_m: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def od_matrix(
    network: Network,
    origins: Floats,
    destinations: Floats,
    *,
    weight: Weight = "time",
    limit_ms: float = np.inf,
    max_snap_m: float = MAX_SNAP_M,
    access_leg: bool = True,
) -> ODMatrix:
    """Find the best way between every origin and every destination.

    Parameters
    ----------
    network : Network
    origins, destinations : (points, 2) float64
        Degrees WGS84.
    weight : "time" or "distance"
        What the chosen way minimises; of equal ones the least of the other.
    limit_ms : float
        Keep only pairs within this time, inclusive.
    max_snap_m : float
        A point farther from every permitted road has no pairs.
    access_leg : bool
        False: each point enters at the single nearest permitted piece, and nothing is charged for getting there.

    Returns
    -------
    ODMatrix
        Unreachable pairs are absent.
    """
    sides = [
        snap(network, lonlat, np.arange(len(lonlat)), len(lonlat), max_snap_m=max_snap_m, access_leg=access_leg)
        for lonlat in (origins, destinations)
    ]
    outward = len(origins) <= len(destinations)  # one search for each point of the smaller side
    sources, targets = sides if outward else reversed(sides)
    found = times_between(
        network,
        sources,
        targets,
        direction="from_facility" if outward else "to_facility",
        weight=weight,
        limit=limit_ms if weight == "time" else np.inf,
        second=True,
    )
    ms, mm = (found.cost, found.second) if weight == "time" else (found.second, found.cost)
    near = ms <= limit_ms
    source, target, ms, mm = found.facility[near], found.demand[near], ms[near], mm[near]
    origin, destination = (source, target) if outward else (target, source)
    order = np.lexsort((destination, origin))
    return ODMatrix(origin[order], destination[order], ms[order], mm[order], *(_off_network_m(side) for side in sides))


def _off_network_m(ways: WaysOn) -> Floats:
    return np.where(ways.off_network, ways.road_m, np.nan)
