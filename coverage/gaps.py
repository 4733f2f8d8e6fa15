"""The gap list: settlements out of reach, with the nearest facility, how far it is, and why that is too far."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from coverage.search import Weight, delay_ms, nearest
from coverage.snap import MAX_SNAP_M, WaysOn
from coverage.travel_times import nearest_facility
from geodata.model import CLASSES, Facilities, Region
from geodata.roads import Bools, Floats, Ints, Network, great_circle_m
from geodata.standards import ServiceDefinition

TOO_FAR, OFF_NETWORK, CUT_OFF, NO_FACILITY = "too_far", "off_network", "cut_off", "no_facility"
CAUSES = {
    TOO_FAR: ("有路可达，但超过时限", "a route exists, but it is beyond the limit"),
    OFF_NETWORK: (f"{MAX_SNAP_M:.0f} 米内没有可用的道路，或被水面、高速公路隔开（也可能是地图缺路）", f"no usable road within {MAX_SNAP_M:.0f} m, or only beyond water or a motorway (a road may be missing from the map)"),
    CUT_OFF: ("有路，但与任何此类机构都不连通", "on a road, but no route leads to any such facility"),
    NO_FACILITY: ("没有此类机构", "there is no such facility"),
}
COLUMNS = {
    "id": str,
    "name": str,
    "zone_id": str,
    "zone": str,
    "class": str,
    "people": float,
    "cause": str,
    "nearest_id": str,
    "nearest_name": str,
    "nearest_minutes": float,
    "nearest_network_m": float,
    "nearest_straight_m": float,
    "road_m": float,
}


def gap_table(
    region: Region,
    definition: ServiceDefinition,
    network: Network,
    facilities: Facilities,
    covered: Bools,
    demand_ways: WaysOn,
    facility_ways: WaysOn,
) -> pd.DataFrame:
    """List the demand points inside the county that are not covered, most people first.

    Restricted facilities count for coverage but are never named here: the nearest one that may be shown is.

    Returns
    -------
    DataFrame
        Columns of :data:`COLUMNS`. `nearest_minutes` and `nearest_network_m` each along its own best way to the nearest facility by that
        measure, filled as the definition has such a limit; the facility named is the nearest by the first measure of the definition.
        `road_m` is the straight distance to the nearest usable road. `cause` is a key of :data:`CAUSES`.
    """
    demand, zones = region.demand, region.zones
    gap = np.flatnonzero(demand.inside & ~covered)
    gap = gap[np.lexsort((np.array(demand.id, dtype=str)[gap], -demand.people[gap]))]
    shown = np.flatnonzero(~facilities.restricted)
    straight_facility, straight_m = _straight(facilities, shown, demand.lonlat[gap])
    limits = definition.limits.values()
    by_minutes, by_metres = any(limit.minutes for limit in limits), any(limit.network_m for limit in limits)
    nowhere = np.full(len(demand), -1), np.full(len(demand), np.inf)
    search = functools.partial(_nearest, definition, network, facilities, shown, demand_ways, facility_ways)
    minutes_facility, minutes = search("time") if by_minutes else nowhere
    metres_facility, metres = search("distance") if by_metres else nowhere
    named = minutes_facility[gap] if by_minutes else metres_facility[gap] if by_metres else straight_facility
    cause = np.full(len(gap), TOO_FAR, dtype=object)
    if by_minutes or by_metres:
        lost = named < 0
        cause[lost] = np.where(demand_ways.off_network[gap][lost], OFF_NETWORK, CUT_OFF)
    if len(shown) == 0:
        cause[:] = NO_FACILITY
    named = np.where(named < 0, straight_facility, named)  # unreachable: still say which is nearest as the crow flies
    ids, names = np.array([*facilities.id, ""], dtype=object), np.array([*facilities.name, ""], dtype=object)
    columns = {
        "id": np.array(demand.id, dtype=object)[gap],
        "name": np.array(demand.name, dtype=object)[gap],
        "zone_id": np.array(zones.id, dtype=object)[demand.zone[gap]],
        "zone": np.array(zones.name, dtype=object)[demand.zone[gap]],
        "class": np.where(demand.urban[gap], *CLASSES),
        "people": demand.people[gap],
        "cause": cause,
        "nearest_id": ids[named],
        "nearest_name": names[named],
        "nearest_minutes": _finite(minutes[gap] / 60_000),
        "nearest_network_m": _finite(metres[gap] / 1000),
        "nearest_straight_m": straight_m,
        "road_m": _finite(demand_ways.road_m[gap]),
    }
    return pd.DataFrame(columns, columns=list(COLUMNS)).astype(COLUMNS)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _nearest(
    definition: ServiceDefinition,
    network: Network,
    facilities: Facilities,
    shown: Ints,
    demand_ways: WaysOn,
    facility_ways: WaysOn,
    weight: Weight,
) -> tuple[Ints, Floats]:
    """Nearest facility that may be shown, and its cost, for every demand point."""
    ways = facility_ways.take(shown)
    delay = delay_ms(definition, facilities)[shown]
    at_node = nearest(network, ways, direction=definition.direction, weight=weight, delay_ms=delay)
    found, cost = nearest_facility(network, *at_node, ways, demand_ways, direction=definition.direction, weight=weight, delay_ms=delay)
    return np.append(shown, -1)[found], cost


def _straight(facilities: Facilities, shown: Ints, lonlat: Floats) -> tuple[Ints, Floats]:
    """Nearest facility that may be shown as the crow flies, for each point: by any of its entrances."""
    owner = np.repeat(np.arange(len(facilities)), np.diff(facilities.first_entrance))
    gates = np.flatnonzero(np.isin(owner, shown))
    if len(gates) == 0:
        return np.full(len(lonlat), -1), np.full(len(lonlat), np.nan)
    _, at = KDTree(_on_sphere(facilities.entrance[gates])).query(_on_sphere(lonlat))
    return owner[gates[at]], great_circle_m(lonlat, facilities.entrance[gates[at]])


def _on_sphere(lonlat: Floats) -> Floats:
    """Points of the unit sphere: the nearest by chord is the nearest by great circle."""
    lon, lat = np.radians(lonlat).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
