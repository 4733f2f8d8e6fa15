"""Where the vehicles of a replay stand, and how long they need to every place and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coverage.search import start_delay_ms
from coverage.snap import WaysOn, snap, snap_facilities
from coverage.travel_times import nearest_facility, times_between
from geodata.model import RESOURCES, Facilities, Region
from geodata.network import Network
from geodata.pack import read_only
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from geodata.standards import Direction, ServiceDefinition
from scenarios.referral import KINDS
from scenarios.replay.core import NO_WAY, Drives

UNSTATED = 1  # vehicles at a point whose number is not stated


@dataclass(frozen=True, eq=False)
class Stations:
    """The points of a definition that are open on the region's day, by id.

    Attributes
    ----------
    facilities : Facilities
    vehicles : (points,) int64
    assumed : (points,) bool
        Neither given nor in the table: one.
    """

    facilities: Facilities
    vehicles: Ints
    assumed: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def stations(region: Region, definition: ServiceDefinition, vehicles: Mapping[str, int] | None) -> Stations:
    """Find the points and their vehicles: as given by id, else of the facility table, else one."""
    places = region.facilities
    mine = np.flatnonzero(places.of_kinds(definition.kinds) & places.open_on(region.date))
    points = places.take(np.array(sorted(mine, key=lambda at: places.id[at]), dtype=np.int64))
    stated = points.resources[:, RESOURCES.index("vehicles")].copy()
    if vehicles is not None:
        given = [np.nan if hidden else vehicles.get(one, np.nan) for one, hidden in zip(points.id, points.restricted, strict=True)]
        stated = np.where(np.isnan(given), stated, given)
    assumed = np.isnan(stated)
    return Stations(points, np.where(assumed, UNSTATED, np.floor(stated)).astype(np.int64), assumed)


@dataclass(frozen=True, eq=False)
class Roundtrips:
    """The drives of a replay, and which places are off the network."""

    drives: Drives
    off_network: Bools


def roundtrips(prepared: Prepared, definition: ServiceDefinition, points: Stations, spots: Floats) -> Roundtrips:
    """Find how long the vehicles of each point need to every spot, and back from it and from the hospital nearest to it.

    The nearest hospital is that with the least drive from the spot; where there is none the vehicle returns from the spot. Where no way
    leads back, the way out stands for it.

    Parameters
    ----------
    prepared : Prepared
    definition : ServiceDefinition
        Of response, from the facility.
    points : Stations
    spots : (spots, 2) float64, degrees WGS84
    """
    network, facilities = prepared.network_of(definition), points.facilities
    targets, gates = ways_of(network, spots), snap_facilities(network, facilities)
    turnout = start_delay_ms(definition, facilities) - handling_ms(definition) * (start_delay_ms(definition, facilities) > 0)
    out = drive_ms(network, gates, targets, direction="from_facility")
    back = _or_else(drive_ms(network, gates, targets, direction="to_facility"), out)
    hospital, wards = nearest_hospital(prepared, network, targets)
    home = drive_ms(network, gates, wards, direction="to_facility") if wards.count else back[:0]
    from_hospital = _or_else(np.where((hospital >= 0)[:, None], np.vstack([home, back[:1] * 0 + NO_WAY])[hospital], NO_WAY), back)
    go = np.where(out == NO_WAY, NO_WAY, out + turnout)
    return Roundtrips(Drives(go, np.stack([back, from_hospital])), targets.off_network)


def handling_ms(definition: ServiceDefinition) -> int:
    """Milliseconds from the call until a vehicle can be sent."""
    return round(definition.call_handling_s * 1000)


def ways_of(network: Network, spots: Floats) -> WaysOn:
    """Find the ways of spots onto a network, a place each."""
    return snap(network, spots, np.arange(len(spots)), len(spots))


def nearest_hospital(prepared: Prepared, network: Network, spots: WaysOn) -> tuple[Ints, WaysOn]:
    """Find the hospital that is the fastest to reach from each spot, -1 if none, and the ways of the hospitals."""
    places = prepared.region.facilities
    able = np.flatnonzero(places.of_kinds(KINDS) & places.open_on(prepared.region.date))
    wards = snap_facilities(network, places.take(np.array(sorted(able, key=lambda at: places.id[at]), dtype=np.int64)))
    if wards.count == 0:
        return np.full(spots.count, -1), wards
    return nearest_facility(network, wards, spots, direction="to_facility")[0], wards


def drive_ms(network: Network, gates: WaysOn, spots: WaysOn, *, direction: Direction) -> Ints:
    """(spots, facilities) drive and access in ms, ``NO_WAY`` where there is none."""
    table = np.full((spots.count, gates.count), NO_WAY, dtype=np.int64)
    if gates.count and spots.count:
        found = times_between(network, gates, spots, direction=direction)
        table[found.demand, found.facility] = found.cost
    return table


def _or_else(table: Ints, other: Ints) -> Ints:
    return np.where(table == NO_WAY, other, table)
