"""What the compiled loops of ``coverage.kernels`` are given: plain arrays. They stand here because numba takes a second to import."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FAR = np.iinfo(np.int64).max  # the cost of what is not reached

Int64 = npt.NDArray[np.int64]
Int32 = npt.NDArray[np.int32]
UInt32 = npt.NDArray[np.uint32]
Bools = npt.NDArray[np.bool_]


class Grouped(NamedTuple):
    """Links by the node they leave: node n has the rows ``first[n]:first[n + 1]``. `other` is the cost that is not minimised."""

    first: Int64
    head: UInt32 | Int64
    cost: Int64 | Int32
    other: Int64 | Int32


class Seeds(NamedTuple):
    """Where each source begins: source s has the rows ``first[s]:first[s + 1]``."""

    first: Int64
    node: UInt32
    cost: Int64
    other: Int64
