"""Circles: the reached road, cut where the limit falls, widened by a stated width. Holes and islands stay.

A circle is a picture. People are counted at the people (``coverage.stats``), so a covered settlement may lie just outside the drawn edge.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from coverage.raster import around
from coverage.search import Reach, reach, start_delay_ms
from coverage.snap import WaysOn, projected, snap_facilities
from geodata.model import Facilities
from geodata.network import NEVER, Network
from geodata.roads import Floats, Geometries, Ints
from geodata.standards import Limit, ServiceDefinition

_MERGED = "合并 merged"


def circles(definition: ServiceDefinition, network: Network, facilities: Facilities) -> gpd.GeoDataFrame:
    """Draw what each facility reaches, and all of them merged.

    Restricted facilities are left out.

    Returns
    -------
    GeoDataFrame, WGS84
        facility_id ("" for the merged circle), facility, class ("urban", "rural" or "all" where both limits are the same),
        area_km2, geometry. A facility that reaches nothing has no row.
    """
    shown, ways, delay_ms = _leaving(definition, network, facilities)
    frames = []
    for name, limit in _classes(definition).items():
        each = _within(limit, definition, network, ways, delay_ms)
        merged = _merged(limit, definition, network, ways, delay_ms)
        frames.append(_frame(network, {"facility_id": [*shown.id, ""], "facility": [*shown.name, _MERGED]}, name, np.append(each, merged)))
    return pd.concat(frames, ignore_index=True)


def merged_circles(definition: ServiceDefinition, network: Network, facilities: Facilities) -> gpd.GeoDataFrame:
    """Draw what all facilities together reach: the merged rows of :func:`circles`, without drawing each facility.

    One search and one outline a class, so that a page can draw anew after every click. (Where minutes and metres both apply, each facility
    has to be drawn all the same: what one reaches in time and another within the distance, nobody reaches within both.)

    Returns
    -------
    GeoDataFrame, WGS84
        As :func:`circles`; no rows if nothing is reached.
    """
    _, ways, delay_ms = _leaving(definition, network, facilities)
    frames = [
        _frame(network, {"facility_id": [""], "facility": [_MERGED]}, name, _merged(limit, definition, network, ways, delay_ms))
        for name, limit in _classes(definition).items()
    ]
    return pd.concat(frames, ignore_index=True)


def _leaving(definition: ServiceDefinition, network: Network, facilities: Facilities) -> tuple[Facilities, WaysOn, Ints]:
    """Facilities that may be shown, their ways on, and how long each takes to leave."""
    shown = facilities.take(np.flatnonzero(~facilities.restricted))
    return shown, snap_facilities(network, shown), start_delay_ms(definition, shown)


def _classes(definition: ServiceDefinition) -> Mapping[str, Limit]:
    return {"all": definition.urban} if definition.urban == definition.rural else definition.limits


def _frame(network: Network, columns: Mapping[str, list[str]], class_: str, shapes: Geometries) -> gpd.GeoDataFrame:
    said = {**columns, "class": class_, "area_km2": shapely.area(shapes) / 1e6}
    frame = gpd.GeoDataFrame(said, geometry=shapes, crs=network.crs)
    return frame[~shapely.is_empty(shapes)].to_crs("EPSG:4326")


def _merged(limit: Limit, definition: ServiceDefinition, network: Network, ways: WaysOn, delay_ms: Ints) -> Geometries:
    """One geometry: where every part of the limit holds from some facility."""
    if sum(part is not None for part in (limit.minutes, limit.network_m, limit.straight_m)) > 1:
        return np.array([shapely.union_all(_within(limit, definition, network, ways, delay_ms))])
    one = replace(  # all facilities as the entrances of one, so that one search finds the least cost
        ways,
        owner=np.zeros_like(ways.owner),
        count=1,
        place=np.zeros_like(ways.place),
        leg_ms=ways.leg_ms + delay_ms[ways.place],
        road_m=np.min(ways.road_m, initial=np.inf, keepdims=True),
    )
    return _within(limit, definition, network, one, np.zeros(1, dtype=np.int64))


def _within(limit: Limit, definition: ServiceDefinition, network: Network, ways: WaysOn, delay_ms: Ints) -> Geometries:
    """One geometry a place: where every part of the limit holds."""
    parts = []
    if limit.minutes is not None:
        ms = float(np.rint(limit.minutes * 60_000))
        found = reach(network, ways, direction=definition.direction, limit=ms, delay_ms=delay_ms)
        parts.append(_around_roads(network, ways, found, definition.beside_m))
    if limit.network_m is not None:
        mm = float(np.rint(limit.network_m * 1000))
        found = reach(network, ways, direction=definition.direction, weight="distance", limit=mm)
        parts.append(_around_roads(network, ways, found, definition.beside_m))
    if limit.straight_m is not None:
        parts.append(_around_entrances(network, ways, limit.straight_m))
    return functools.reduce(shapely.intersection, parts)


def _around_entrances(network: Network, ways: WaysOn, straight_m: float) -> Geometries:
    discs = shapely.buffer(projected(ways.lonlat, network.crs), straight_m)
    return _column(shapely.union_all(discs[ways.owner == place]) for place in range(ways.count))


def _around_roads(network: Network, ways: WaysOn, found: Reach, beside_m: float) -> Geometries:
    return _column(around(reached_lines(network, ways, found, place), beside_m) for place in range(ways.count))


def _column(shapes: Iterable[shapely.Geometry]) -> Geometries:
    return np.array([*shapes, None], dtype=object)[:-1]  # an array of geometries, even of none


def reached_lines(network: Network, ways: WaysOn, found: Reach, facility: int) -> Geometries:
    """Lines of every stretch of road that one facility reaches, in the network's CRS, cut where the limit falls.

    Along an outward search the stretch grows from each reached node in the permitted direction; towards a facility, against it.
    """
    from_start, from_end = _costs_from_ends(network, found)
    cost = np.full(network.node_count, np.inf)
    cost[found.node[found.of(facility)]] = found.cost[found.of(facility)]
    low_share = _share(found.limit - cost[network.start], from_start)
    high_share = 1 - _share(found.limit - cost[network.end], from_end)
    whole = low_share >= high_share
    first_part, last_part = np.flatnonzero(~whole & (low_share > 0)), np.flatnonzero(~whole & (high_share < 1))
    piece, low, high = _around_ways_on(network, ways, found, facility)
    return np.concatenate(
        [
            network.lines[whole],
            _stretch(network.lines[first_part], np.zeros(len(first_part)), low_share[first_part]),
            _stretch(network.lines[last_part], high_share[last_part], np.ones(len(last_part))),
            _stretch(network.lines[piece], low, high),
        ]
    )


def _costs_from_ends(network: Network, found: Reach) -> tuple[Ints, Ints]:
    """Cost of each whole piece as the search walks it from its start, and from its end; NEVER where it may not."""
    forward, backward = network.forward_ms, network.backward_ms
    if found.weight == "distance":
        forward, backward = (np.where(ms == NEVER, NEVER, network.length_mm) for ms in (forward, backward))
    return (forward, backward) if found.direction == "from_facility" else (backward, forward)


def _share(left: Floats, whole: Ints) -> Floats:
    """Which share of a piece the rest of the limit covers; 0 where the direction is closed or the node not reached."""
    share = np.clip(left / np.maximum(whole, 1), 0, 1)
    return np.where((whole == NEVER) | (left < 0), 0.0, share)


def _around_ways_on(network: Network, ways: WaysOn, found: Reach, facility: int) -> tuple[Ints, Floats, Floats]:
    """Stretches of the pieces that the facility itself stands on: piece, and the shares of its length between which it is reached."""
    mine = np.flatnonzero(ways.place == facility)
    left = found.limit - found.delay_ms[facility] - (ways.leg_ms if found.weight == "time" else ways.leg_mm)[mine]
    mine, left = mine[left >= 0], left[left >= 0]
    piece = ways.piece[mine]
    at = ways.offset_mm[mine] / np.maximum(network.length_mm[piece], 1)
    from_start, from_end = _costs_from_ends(network, found)
    return piece, np.maximum(0, at - _share(left, from_end[piece])), np.minimum(1, at + _share(left, from_start[piece]))


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
