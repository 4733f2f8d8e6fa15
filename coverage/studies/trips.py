"""Trips: how long everybody needs to the nearest facility, as all are counted, without those outside the county, and as may be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.gaps import CUT_OFF, NO_FACILITY, OFF_NETWORK
from coverage.serving import MS_PER_MINUTE
from coverage.snap import WaysOn, snap_facilities
from coverage.travel_times import nearest_facility
from geodata.model import Facilities
from geodata.network import Network
from geodata.pack import read_only
from geodata.roads import Bools, Floats, Ints
from geodata.standards import Direction

NOT_LISTED = "not_listed"  # somebody serves the place, but nobody who may be named


@dataclass(frozen=True, eq=False)
class Trips:
    """The fastest trip between every demand point and a facility, without any limit; inf where there is none.

    Attributes
    ----------
    facilities : Facilities
        All that count.
    nearest, ms : (points,) int64 and float64
        The nearest of all, a position in `facilities` (of equally near ones the first by id; -1 if none), and the time: the basis of
        every sum.
    ms_without_external : (points,) float64
        To the nearest inside the county.
    shown, shown_ms : (points,) int64 and float64
        The nearest that may be shown: even the time of a restricted facility would tell where it stands.
    """

    facilities: Facilities
    nearest: Ints
    ms: Floats
    ms_without_external: Floats
    shown: Ints
    shown_ms: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def trips(
    network: Network,
    facilities: Facilities,
    homes: WaysOn,
    *,
    direction: Direction,
    delay_ms: Ints | None = None,
) -> Trips:
    """Find the nearest facility of every demand point, three times: of all, of those inside, of those that may be shown.

    Parameters
    ----------
    network : Network
    facilities : Facilities
    homes : WaysOn
        Of the demand.
    direction : "to_facility" or "from_facility"
    delay_ms : (facilities,) int64, optional
        In ms, before a vehicle moves: counted in every time.
    """
    gates = snap_facilities(network, facilities)

    def nearest_of(mine: Bools) -> tuple[Ints, Floats]:
        which = np.array(sorted(np.flatnonzero(mine), key=lambda at: facilities.id[at]), dtype=np.int64)
        late = None if delay_ms is None else delay_ms[which]
        at, ms = nearest_facility(network, gates.take(which), homes, direction=direction, delay_ms=late)
        return np.append(which, -1)[at], ms

    every = nearest_of(np.ones(len(facilities), dtype=bool))
    inside = nearest_of(~facilities.external) if facilities.external.any() else every
    shown = nearest_of(~facilities.restricted) if facilities.restricted.any() else every
    return Trips(facilities, *every, inside[1], *shown)


def causes(trip: Trips, homes: WaysOn) -> list[str]:
    """Say why a place is not reached, a key of ``coverage.gaps.CAUSES`` or ``NOT_LISTED``; "" where a facility that may be shown does."""
    reached, listed = np.isfinite(trip.ms), np.isfinite(trip.shown_ms)
    none = np.full(len(reached), len(trip.facilities) == 0)
    words: list[str] = np.select([listed, reached, none, homes.off_network], ["", NOT_LISTED, NO_FACILITY, OFF_NETWORK], CUT_OFF).tolist()
    return words


def minutes_of(ms: Floats) -> Floats:
    """Minutes of milliseconds; nan where there is no time."""
    return np.where(np.isfinite(ms), ms / MS_PER_MINUTE, np.nan)
