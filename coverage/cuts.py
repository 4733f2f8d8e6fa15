"""Roads cut: a network on which some pieces cannot be travelled, and the ways on of a network to which pieces were added.

A closed piece stays where it is, and so does every way onto it: who has no other way on is cut off, and walks to no farther road instead.
Therefore closing a road never raises anybody's access, and adding one never lowers it (METHOD, "Point to road").
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from coverage.snap import MAX_SNAP_M, WaysOn, projected, snap
from geodata.network import NEVER, Network
from geodata.roads import Bools, Geometries, Ints, Roads


def cut(network: Network, closed: Bools) -> Network:
    """Close pieces to all traffic.

    Parameters
    ----------
    network : Network
    closed : (pieces,) bool

    Returns
    -------
    Network
        The same pieces and nodes, so that the ways onto the one are those onto the other.
    """
    kept = ~closed[network.run // 2]
    return replace(
        network,
        forward_ms=np.where(closed, NEVER, network.forward_ms),
        backward_ms=np.where(closed, NEVER, network.backward_ms),
        tail=network.tail[kept],
        head=network.head[kept],
        run=network.run[kept],
    )


def touching(roads: Roads, area: shapely.Geometry) -> Bools:
    """Tell which pieces touch an area (WGS84), were it with their last metre."""
    found = np.zeros(len(roads), dtype=bool)
    found[shapely.STRtree(roads.lines()).query(area, predicate="intersects")] = True
    return found


def ways_after(before: WaysOn, network: Network, added: Bools) -> WaysOn:
    """Ways on of the same places, each with a single point, when pieces were added behind those of their network.

    Only the places near the new pieces are looked at; the others step on where they did.

    Parameters
    ----------
    before : WaysOn
        Onto the network without the added pieces.
    network : Network
        Its first pieces are those of the network before.
    added : (pieces,) bool
    """
    near = _near(before, network, network.lines[added])
    if len(near) == 0:
        return before
    new = snap(network, before.lonlat[near], np.arange(len(near)), len(near), added=added)
    kept = ~np.isin(before.place, near)
    columns = {
        name: np.concatenate([getattr(before, name)[kept], getattr(new, name)]) for name in ("piece", "offset_mm", "leg_mm", "leg_ms")
    }
    place = np.concatenate([before.place[kept], near[new.place]])
    order = np.lexsort((columns["piece"], place))
    road_m = before.road_m.copy()
    road_m[near] = new.road_m
    return replace(before, place=place[order], road_m=road_m, **{name: column[order] for name, column in columns.items()})


def _near(ways: WaysOn, network: Network, lines: Geometries) -> Ints:
    """Places whose ways on, or the distance to a road, may change with new lines; without any way on, every one."""
    points = projected(ways.lonlat, network.crs)
    within = np.zeros(ways.count, dtype=bool)
    within[shapely.STRtree(points).query(lines, predicate="dwithin", distance=MAX_SNAP_M + 1)[1]] = True
    return np.flatnonzero(within | (ways.off_network & (len(lines) > 0)))
