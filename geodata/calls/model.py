"""Calls: a 120 log without anything personal, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.pack import read_only
from geodata.roads import Bools, Floats, Ints

STAMPS = ("received", "dispatched", "departed", "arrived", "left_scene", "at_hospital", "finished")
RECEIVED, DISPATCHED, DEPARTED, ARRIVED, LEFT_SCENE, AT_HOSPITAL, FINISHED = range(len(STAMPS))
MISSING = -1  # a stamp that the log does not have
PLACED = ("nowhere", "township", "settlement", "coordinates")
NOWHERE, BY_TOWNSHIP, BY_SETTLEMENT, BY_COORDINATES = range(len(PLACED))
OUTCOMES = ("unknown", "delivered", "treated", "empty", "cancelled")
UNKNOWN, DELIVERED, TREATED, EMPTY, CANCELLED = range(len(OUTCOMES))


@dataclass(frozen=True, eq=False)
class Calls:
    """Emergency calls with a place and the moments of their vehicle (METHOD.md, emergency response).

    A record is a row of the log: one vehicle sent to one call. No name, number, age, illness or free text is here; a place is rounded to
    0.001 degrees (about 100 m), so that it tells a hamlet and not a house.

    Attributes
    ----------
    row : (records,) int64
        As the user sees it in the log.
    call : (records,) int64
        Records of one call (several vehicles) have the same number, 0..calls-1.
    lonlat : (records, 2) float64, degrees WGS84
        By coordinates, else of the settlement named; nan where neither is known.
    placed : (records,) int64
        How the place is known, a position in ``PLACED``; "township": its name alone, which is no place.
    settlement : (records,) int64
        Position in the region's demand of the settlement that the address names, whether or not it has coordinates; -1 if none.
    zone : (records,) int64
        Township: where it lies, else the one named; OUTSIDE (-1) if none.
    stamp_s : (records, 7) int64
        Seconds since 1970-01-01 in the log's own local time, in the order of ``STAMPS``; MISSING where blank or unreadable. As written:
        out of order or days apart where the log is.
    base : (records,) int64
        Position in `bases`; -1 where none is named, or one that fewer than five records name.
    outcome : (records,) int64
        Position in ``OUTCOMES``.
    far : (records,) bool
        Coordinates were given but lie beyond the region's roads, and were not used.
    unread : (7,) int64
        How many cells of each stamp could not be read.
    dropped : tuple of str
        Headers of the columns that were not read, most of them because they may name a person.
    """

    row: Ints
    call: Ints
    lonlat: Floats
    placed: Ints
    settlement: Ints
    zone: Ints
    stamp_s: Ints
    base: Ints
    bases: tuple[str, ...]
    outcome: Ints
    far: Bools
    unread: Ints
    dropped: tuple[str, ...]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the records."""
        return len(self.row)

    @classmethod
    def none(cls) -> Calls:
        """No log."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(
            row=nothing,
            call=nothing,
            lonlat=np.zeros((0, 2)),
            placed=nothing,
            settlement=nothing,
            zone=nothing,
            stamp_s=np.zeros((0, len(STAMPS)), dtype=np.int64),
            base=nothing,
            bases=(),
            outcome=nothing,
            far=np.zeros(0, dtype=bool),
            unread=np.zeros(len(STAMPS), dtype=np.int64),
            dropped=(),
        )
