"""Circles: the reached road, cut where the limit falls, widened by a stated width. Holes and islands stay.

Three kinds (METHOD, "Circle"): of each facility, merged, and the merged one cut into catchments, each place to its nearest facility.

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

from coverage.drawing.raster import around
from coverage.drawing.stretches import Doors, Search, reached_stretches
from coverage.search import Reach, Weight, nearest, reach, start_delay_ms
from coverage.serving import MM_PER_M, MS_PER_MINUTE
from coverage.snap import WaysOn, projected, snap_facilities
from geodata.model import Facilities
from geodata.network import Network
from geodata.roads import Geometries, Ints
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


def catchments(definition: ServiceDefinition, network: Network, facilities: Facilities) -> gpd.GeoDataFrame:
    """Cut the merged circle into one part a facility: each place to the facility that is nearest along the reached road beside it.

    The parts touch, do not overlap, and are together the merged circle. Nearest by the first measure of the limit (minutes, call handling
    and turnout included; else metres by road; else straight metres), of equally near facilities the first by id; along a piece of road the
    border lies where both are equally near, beside the road half-way to the next road of another part.

    Restricted facilities are left out altogether, as from the merged circle: a share without a name would tell where they are.

    Returns
    -------
    GeoDataFrame, WGS84
        As :func:`circles`, without merged rows; a facility that is nowhere the nearest has no row.
    """
    from coverage.drawing.apart import apart  # noqa: PLC0415 — scipy.spatial takes its time, and most who draw circles cut none

    in_order = facilities.take(np.array(sorted(range(len(facilities)), key=facilities.id.__getitem__), dtype=np.int64))
    shown, ways, delay_ms = _leaving(definition, network, in_order)
    frames = []
    for name, limit in _classes(definition).items():
        merged = _merged(limit, definition, network, ways, delay_ms)[0]
        owners, parts = apart(merged, *_nearest_lines(limit, definition, network, ways, delay_ms))
        said = {"facility_id": [shown.id[owner] for owner in owners], "facility": [shown.name[owner] for owner in owners]}
        frames.append(_frame(network, said, name, parts))
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
    for weight, most in _searches(limit):
        found = reach(network, ways, direction=definition.direction, weight=weight, limit=most, delay_ms=delay_ms)
        parts.append(_around_roads(network, ways, found, definition.beside_m))
    if limit.straight_m is not None:
        parts.append(_around_entrances(network, ways, limit.straight_m))
    if len(parts) == 1:
        return parts[0]
    return np.asarray(shapely.buffer(functools.reduce(shapely.intersection, parts), 0))  # areas only, not where they merely touch


def _searches(limit: Limit) -> list[tuple[Weight, float]]:
    """What is searched along the roads, with the limit in ms or mm."""
    measures: list[tuple[Weight, float | None, int]] = [("time", limit.minutes, MS_PER_MINUTE), ("distance", limit.network_m, MM_PER_M)]
    return [(weight, float(np.rint(most * units))) for weight, most, units in measures if most is not None]


def _nearest_lines(
    limit: Limit, definition: ServiceDefinition, network: Network, ways: WaysOn, delay_ms: Ints
) -> tuple[Geometries, Ints, float]:
    """The reached road, or the entrances where only straight metres count; whose each line is; how far a circle reaches beside it."""
    searches = _searches(limit)
    if not searches:
        entrances = projected(ways.lonlat, network.crs)
        return np.asarray(shapely.shortest_line(entrances, entrances)), ways.owner, float(limit.straight_m or 0)
    weight, most = searches[0]
    facility, cost = nearest(network, ways, direction=definition.direction, weight=weight, delay_ms=delay_ms)
    count = max(1, ways.count)
    key = np.where(cost <= most, cost * count + facility, np.inf)
    leg = ways.leg_ms + delay_ms[ways.place] if weight == "time" else ways.leg_mm
    doors = Doors(ways.piece, ways.offset_mm, leg * count + ways.place)
    found = reached_stretches(network, Search(definition.direction, weight, most, count), key, doors)
    return found.lines(network), found.owner, definition.beside_m


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
    cost = np.full(network.node_count, np.inf)
    cost[found.node[found.of(facility)]] = found.cost[found.of(facility)]
    mine = np.flatnonzero(ways.place == facility)
    leg = (ways.leg_ms if found.weight == "time" else ways.leg_mm)[mine] + found.delay_ms[facility]
    doors = Doors(ways.piece[mine], ways.offset_mm[mine], leg)
    return reached_stretches(network, Search(found.direction, found.weight, found.limit, 1), cost, doors).lines(network)
