"""Roads cut: a network on which some pieces cannot be travelled, and the ways on of a network to which pieces were added.

A closed piece stays where it is, and so does every way onto it: who has no other way on is cut off, and walks to no farther road instead.
Therefore closing a road never raises anybody's access, and adding one never lowers it (METHOD, "Point to road").
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from coverage.snap import MAX_SNAP_M, WaysOn, projected, snap
from geodata.network import NEVER, Adjacency, Network
from geodata.roads import Bools, Geometries, Ints, Roads

_WAY_FIELDS = ("place", "piece", "offset_mm", "leg_mm", "leg_ms")


def cut(network: Network, closed: Bools) -> Network:
    """Close pieces to all traffic.

    Parameters
    ----------
    network : Network
    closed : (pieces,) bool

    Returns
    -------
    Network
        The same pieces, so that the ways onto the one are those onto the other. A closed piece ends at nodes of its own: standing at its
        end is no way onto the roads that meet there.
    """
    kept, gone = ~closed[network.run // 2], np.flatnonzero(closed)
    start, end, lone = network.start.copy(), network.end.copy(), network.node_count + np.arange(2 * len(gone))
    start[gone], end[gone] = lone.reshape(2, -1)
    after = replace(
        network,
        start=start,
        end=end,
        node_count=network.node_count + len(lone),
        copy_of=np.concatenate([network.copy_of, lone]),
        forward_ms=np.where(closed, NEVER, network.forward_ms),
        backward_ms=np.where(closed, NEVER, network.backward_ms),
        tail=network.tail[kept],
        head=network.head[kept],
        run=network.run[kept],
    )
    known = vars(network)  # what was derived from the network is not derived anew: it is most of the work when each bridge is cut in turn
    if "tree" in known:
        vars(after)["tree"] = known["tree"]
    vars(after).update({name: _without(known[name], kept, len(lone)) for name in ("outward", "inward") if name in known})
    return after


def _without(adjacency: Adjacency, kept: Bools, lone: int) -> Adjacency:
    """The links grouped by a node, without those that are not kept, and with some nodes more that have none."""
    rows = kept[adjacency.link]
    first = np.pad(np.concatenate([[0], np.cumsum(rows)])[adjacency.first], (0, lone), mode="edge")
    number = np.cumsum(kept) - 1
    return Adjacency(first, adjacency.node[rows], adjacency.ms[rows], adjacency.mm[rows], number[adjacency.link[rows]])


def touching(roads: Roads, area: shapely.Geometry) -> Bools:
    """Tell which pieces touch an area (WGS84), were it with their last metre."""
    found = np.zeros(len(roads), dtype=bool)
    found[shapely.STRtree(roads.lines()).query(area, predicate="intersects")] = True
    return found


def ways_after(before: WaysOn, network: Network) -> WaysOn:
    """Ways on of the same places, each with a single point, when pieces were added behind those of their network.

    Only the places near the new pieces are looked at; the others step on where they did.

    Parameters
    ----------
    before : WaysOn
        Onto the network without the added pieces.
    network : Network
        Its first pieces are those of the network before.
    """
    near = _near(before, network, network.lines[network.added])
    if len(near) == 0:
        return before
    new = snap(network, before.lonlat[near], np.arange(len(near)), len(near))
    kept = ~np.isin(before.place, near)
    more = replace(new, place=near[new.place])
    columns = {name: np.concatenate([getattr(before, name)[kept], getattr(more, name)]) for name in _WAY_FIELDS}
    order = np.lexsort((columns["piece"], columns["place"]))
    sorted_: dict[str, Any] = {name: column[order] for name, column in columns.items()}
    road_m = before.road_m.copy()
    road_m[near] = new.road_m
    return replace(before, road_m=road_m, **sorted_)


def _near(ways: WaysOn, network: Network, lines: Geometries) -> Ints:
    """Places whose ways on, or the distance to a road, may change with new lines; without any way on, every one."""
    points = projected(ways.lonlat, network.crs)
    within = np.zeros(ways.count, dtype=bool)
    within[shapely.STRtree(points).query(lines, predicate="dwithin", distance=MAX_SNAP_M + 1)[1]] = True
    return np.flatnonzero(within | (ways.off_network & (len(lines) > 0)))
