"""Calls: a 120 log without anything personal, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.pack import read_only
from geodata.roads import Floats, Ints

STAMPS = ("received", "dispatched", "departed", "arrived", "left_scene", "at_hospital", "finished")
MISSING = -1  # a stamp that the log does not have


@dataclass(frozen=True, eq=False)
class Calls:
    """Emergency calls with a place and the moments of their vehicle (METHOD.md, emergency response).

    Attributes
    ----------
    row : (calls,) int64
        As the user sees it in the log.
    lonlat : (calls, 2) float64, degrees WGS84
        nan where the call has no place.
    settlement : (calls,) int64
        Position in the region's demand of the place it was put at by name; -1 if by coordinates, or nowhere.
    stamp_s : (calls, 7) int64
        Seconds since 1970-01-01 in the log's own local time, in the order of ``STAMPS``; MISSING where blank.
    base, outcome : (calls,) int64
        Positions in `bases` and `outcomes`.
    dropped : tuple of str
        Headers of the columns that were left out because they may name a person.
    """

    row: Ints
    lonlat: Floats
    settlement: Ints
    stamp_s: Ints
    base: Ints
    bases: tuple[str, ...]
    outcome: Ints
    outcomes: tuple[str, ...]
    dropped: tuple[str, ...]

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the calls."""
        return len(self.row)

    @classmethod
    def none(cls) -> Calls:
        """No log."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, np.zeros((0, 2)), nothing, np.zeros((0, len(STAMPS)), dtype=np.int64), nothing, (), nothing, (), ())
