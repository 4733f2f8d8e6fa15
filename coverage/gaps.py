"""The gap list: settlements out of reach, with the nearest facility, how far it is, and why that is too far."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from coverage.search import Weight, start_delay_ms
from coverage.serving import MS_PER_MINUTE
from coverage.snap import MAX_SNAP_M, WaysOn
from coverage.tables import place_columns
from coverage.travel_times import nearest_facility
from geodata.model import Facilities, Region
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints, great_circle_m
from geodata.standards import ServiceDefinition

TOO_FAR, OFF_NETWORK, CUT_OFF, NO_FACILITY = "too_far", "off_network", "cut_off", "no_facility"
CAUSES = {
    TOO_FAR: ("有路可达，但超过时限", "a route exists, but it is beyond the limit"),
    OFF_NETWORK: (
        f"{MAX_SNAP_M:.0f} 米内没有可用的道路，或被水面、高速公路隔开（也可能是地图缺路）",
        f"no usable road within {MAX_SNAP_M:.0f} m, or only beyond water or a motorway (a road may be missing from the map)",
    ),
    CUT_OFF: ("有路，但与任何此类机构都不连通", "on a road, but no route leads to any such facility"),
    NO_FACILITY: ("没有此类机构", "there is no such facility"),
}
AS_NEAR = 4  # how many entrances are compared, so that one of equally near facilities is not left to chance
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
    *,
    covered: Bools,
    demand_ways: WaysOn,
    facility_ways: WaysOn,
) -> pd.DataFrame:
    """List the demand points inside the county that are not covered, most people first.

    Restricted facilities count for coverage but are never named here: the nearest one that may be shown is; of equally near ones the
    first by id.

    Returns
    -------
    DataFrame
        Columns of :data:`COLUMNS`. `nearest_minutes` and `nearest_network_m` each along its own best way to the nearest facility by that
        measure, filled as the definition has such a limit; the facility named is the nearest by the first measure of the definition.
        `road_m` is the straight distance to the nearest usable road. `cause` is a key of :data:`CAUSES`.
    """
    demand = region.demand
    gap = np.flatnonzero(demand.inside & ~covered)
    gap = gap[np.lexsort((np.array(demand.id, dtype=str)[gap], -demand.people[gap]))]
    shown = np.array(sorted(np.flatnonzero(~facilities.restricted), key=lambda at: facilities.id[at]), dtype=np.int64)
    places, gates, homes = facilities.take(shown), facility_ways.take(shown), demand_ways.take(gap)
    by_minutes, by_metres = (any(getattr(limit, measure) for limit in definition.limits.values()) for measure in ("minutes", "network_m"))
    straight, straight_m = _nearest_straight(gates, demand.lonlat[gap])
    nowhere = np.full(len(gap), -1), np.full(len(gap), np.inf)
    search = functools.partial(
        nearest_facility, network, gates, homes, direction=definition.direction, delay_ms=start_delay_ms(definition, places)
    )
    fastest, ms = search(weight="time") if by_minutes else nowhere
    shortest, mm = search(weight="distance") if by_metres else nowhere
    named = fastest if by_minutes else shortest if by_metres else straight
    reached = named >= 0
    if len(places) < len(facilities):  # a restricted facility is not named, but it may be what is too far
        weight: Weight = "time" if by_minutes else "distance"
        every = nearest_facility(network, facility_ways, homes, direction=definition.direction, weight=weight)[0]
        reached |= (every >= 0) if by_minutes or by_metres else True
    cause = np.select([len(facilities) == 0, reached, homes.off_network], [NO_FACILITY, TOO_FAR, OFF_NETWORK], CUT_OFF)
    named = np.where(named < 0, straight, named)  # unreachable: still say which is nearest as the crow flies
    columns = {
        **place_columns(region.zones, demand, gap),
        "cause": cause,
        "nearest_id": np.array([*places.id, ""], dtype=object)[named],
        "nearest_name": np.array([*places.name, ""], dtype=object)[named],
        "nearest_minutes": _finite(ms / MS_PER_MINUTE),
        "nearest_network_m": _finite(mm / 1000),
        "nearest_straight_m": straight_m,
        "road_m": _finite(homes.road_m),
    }
    return pd.DataFrame(columns, columns=list(COLUMNS)).astype(COLUMNS)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _nearest_straight(gates: WaysOn, lonlat: Floats) -> tuple[Ints, Floats]:
    """Nearest facility of each point as the crow flies, by any of its entrances, to the millimetre; of equally near ones the first."""
    if len(gates.lonlat) == 0:
        return np.full(len(lonlat), -1), np.full(len(lonlat), np.nan)
    few = range(1, min(AS_NEAR, len(gates.lonlat)) + 1)
    at = KDTree(_on_sphere(gates.lonlat)).query(_on_sphere(lonlat), k=few)[1]
    mm = np.rint(great_circle_m(np.repeat(lonlat, len(few), axis=0), gates.lonlat[at.ravel()]) * 1000).reshape(at.shape)
    first = np.lexsort((gates.owner[at], mm))[:, :1]
    return np.take_along_axis(gates.owner[at], first, axis=1)[:, 0], np.take_along_axis(mm, first, axis=1)[:, 0] / 1000


def _on_sphere(lonlat: Floats) -> Floats:
    """Points of the unit sphere: the nearest by chord is the nearest by great circle."""
    lon, lat = np.radians(lonlat).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
