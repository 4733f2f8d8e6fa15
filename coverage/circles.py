"""Circles: the reached road, cut where the limit falls, widened by a stated width. Holes and islands stay.

A circle is a picture. People are counted at the people (``coverage.stats``), so a covered settlement may lie just outside the drawn edge.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from coverage.search import Reach, delay_ms, reach
from coverage.snap import WaysOn, snap_facilities
from geodata.model import Facilities
from geodata.roads import NEVER, Floats, Geometries, Ints, Network
from geodata.standards import Limit, ServiceDefinition

_QUARTER_SEGMENTS = 4  # of a rounded end: 16 corners a full circle
_SIMPLIFY_M = 2.0


def circles(definition: ServiceDefinition, network: Network, facilities: Facilities) -> gpd.GeoDataFrame:
    """Draw what each facility reaches, and all of them merged.

    Restricted facilities are left out.

    Returns
    -------
    GeoDataFrame, WGS84
        facility_id ("" for the merged circle), facility, class ("urban", "rural" or "all" where both limits are the same),
        area_km2, geometry. A facility that reaches nothing has no row.
    """
    shown = facilities.take(np.flatnonzero(~facilities.restricted))
    ways = snap_facilities(network, shown)
    same = definition.urban == definition.rural
    classes = {"all": definition.urban} if same else definition.limits
    frames = []
    for name, limit in classes.items():
        drawn = _within(limit, definition, network, shown, ways)
        merged = shapely.union_all(drawn)
        shapes = np.append(drawn, merged)
        frame = gpd.GeoDataFrame(
            {"facility_id": [*shown.id, ""], "facility": [*shown.name, "合并 merged"], "class": name, "area_km2": shapely.area(shapes) / 1e6},
            geometry=shapes,
            crs=network.crs,
        )
        frames.append(frame[~frame.geometry.is_empty])
    joined = gpd.GeoDataFrame(np.concatenate([frame.to_numpy() for frame in frames]), columns=frames[0].columns, geometry="geometry", crs=network.crs)
    return joined.astype({"area_km2": float}).to_crs("EPSG:4326").reset_index(drop=True)


def _within(limit: Limit, definition: ServiceDefinition, network: Network, facilities: Facilities, ways: WaysOn) -> Geometries:
    """One geometry a facility: where every part of the limit holds."""
    parts = []
    if limit.minutes is not None:
        ms = float(np.rint(limit.minutes * 60_000))
        found = reach(network, ways, direction=definition.direction, limit=ms, delay_ms=delay_ms(definition, facilities))
        parts.append(_around_roads(definition, network, ways, found, delay_ms(definition, facilities)))
    if limit.network_m is not None:
        found = reach(network, ways, direction=definition.direction, weight="distance", limit=float(np.rint(limit.network_m * 1000)))
        parts.append(_around_roads(definition, network, ways, found, np.zeros(len(facilities), dtype=np.int64)))
    if limit.straight_m is not None:
        parts.append(_around_entrances(network, ways, limit.straight_m))
    shape = parts[0]
    for other in parts[1:]:
        shape = shapely.intersection(shape, other)
    return shape


def _around_entrances(network: Network, ways: WaysOn, straight_m: float) -> Geometries:
    project = pyproj.Transformer.from_crs("EPSG:4326", network.crs, always_xy=True)
    discs = shapely.buffer(shapely.points(*project.transform(*ways.lonlat.T)), straight_m)
    return np.array([shapely.union_all(discs[ways.owner == place]) for place in range(ways.count)], dtype=object)


def _around_roads(definition: ServiceDefinition, network: Network, ways: WaysOn, found: Reach, delay: Ints) -> Geometries:
    shapes = []
    for facility in range(ways.count):
        lines = reached_lines(network, ways, found, facility, int(delay[facility]))
        thin = shapely.simplify(lines, _SIMPLIFY_M)
        shapes.append(shapely.union_all(shapely.buffer(thin, definition.beside_m, quad_segs=_QUARTER_SEGMENTS)))
    return np.array(shapes, dtype=object).reshape(-1)


def reached_lines(network: Network, ways: WaysOn, found: Reach, facility: int, delay: int = 0) -> Geometries:
    """Lines of every stretch of road that one facility reaches, in the network's CRS, cut where the limit falls.

    Along an outward search the stretch grows from each reached node in the permitted direction; towards a facility, against it.
    """
    outward = found.direction == "from_facility"
    by_time = found.weight == "time"
    forward = network.forward_ms if by_time else np.where(network.forward_ms == NEVER, NEVER, network.length_mm)
    backward = network.backward_ms if by_time else np.where(network.backward_ms == NEVER, NEVER, network.length_mm)
    from_start, from_end = (forward, backward) if outward else (backward, forward)
    cost = np.full(network.node_count, np.inf)
    cost[found.node[found.of(facility)]] = found.cost[found.of(facility)]
    low_share = _share(found.limit - cost[network.start], from_start)
    high_share = 1 - _share(found.limit - cost[network.end], from_end)
    whole = low_share >= high_share
    reached_low, reached_high = np.flatnonzero(~whole & (low_share > 0)), np.flatnonzero(~whole & (high_share < 1))
    piece, low, high = _around_ways_on(network, ways, found, facility, delay, from_start, from_end)
    return np.concatenate(
        [
            network.lines[whole],
            _stretch(network.lines[reached_low], np.zeros(len(reached_low)), low_share[reached_low]),
            _stretch(network.lines[reached_high], high_share[reached_high], np.ones(len(reached_high))),
            _stretch(network.lines[piece], low, high),
        ]
    )


def _share(left: Floats, whole: Ints) -> Floats:
    """Which share of a piece the rest of the limit covers; 0 where the direction is closed or the node not reached."""
    share = np.clip(left / np.maximum(whole, 1), 0, 1)
    return np.where((whole == NEVER) | (left < 0), 0.0, share)


def _around_ways_on(
    network: Network, ways: WaysOn, found: Reach, facility: int, delay: int, from_start: Ints, from_end: Ints
) -> tuple[Ints, Floats, Floats]:
    """Stretches of the pieces that the facility itself stands on: piece, and the shares of its length between which it is reached."""
    mine = ways.place == facility
    piece, at = ways.piece[mine], ways.offset_mm[mine] / np.maximum(network.length_mm[ways.piece[mine]], 1)
    left = found.limit - delay - (ways.leg_ms if found.weight == "time" else ways.leg_mm)[mine]
    high = np.minimum(1, at + _share(left, from_start[piece]))
    low = np.maximum(0, at - _share(left, from_end[piece]))
    stands = left >= 0
    return piece[stands], low[stands], high[stands]


def _stretch(lines: Geometries, low: Floats, high: Floats) -> Geometries:
    """Part of each line between two shares of its length, its corners kept."""
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(coordinates, axis=0, prepend=coordinates[:1]).T)
    first = np.searchsorted(line, np.arange(len(lines)))
    step[first] = 0.0
    run = np.cumsum(step)
    share = (run - run[first][line]) / np.maximum(shapely.length(lines), 1e-9)[line]
    inner = (share > low[line]) & (share < high[line])
    rows = np.arange(len(lines))
    ends = [shapely.get_coordinates(shapely.line_interpolate_point(lines, at, normalized=True)) for at in (low, high)]
    owner = np.concatenate([rows, line[inner], rows])
    order = np.lexsort((np.concatenate([low, share[inner], high]), owner))
    return np.asarray(shapely.linestrings(np.concatenate([ends[0], coordinates[inner], ends[1]])[order], indices=owner[order]))
