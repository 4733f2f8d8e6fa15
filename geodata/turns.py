"""Turn restrictions of OSM (type=restriction): what a driver may not do at a junction, by the ids of ways and nodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geodata.pack import read_only

_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Turns:
    """Restrictions for driving, by OSM ids, so that they outlive any cutting and choosing of pieces.

    Attributes
    ----------
    relation_id, from_way, to_way : (turns,) int64
    first_via : (turns + 1,) int64
        Restriction i leads through ``via[first_via[i]:first_via[i + 1]]``.
    via : (vias,) int64
        One node id, or the ids of one or more ways in their order.
    via_ways : (turns,) bool
        `via` holds ways, not a node.
    only : (turns,) bool
        True: having come from `from_way` this is the only way on (only_*); False: this way on is forbidden (no_*).
    """

    relation_id: _Ints
    from_way: _Ints
    to_way: _Ints
    first_via: _Ints
    via: _Ints
    via_ways: _Bools
    only: _Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the restrictions."""
        return len(self.from_way)

    @classmethod
    def none(cls) -> Turns:
        """No restrictions."""
        nothing, nobody = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        return cls(nothing, nothing, nothing, np.zeros(1, dtype=np.int64), nothing, nobody, nobody)
