"""What is left of a covering problem: the candidates that may still be chosen, and the rows that differ in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scenarios.siting.covering import loops
from scenarios.siting.covering.loops import Matrix
from scenarios.siting.milp import SEED

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]
Items = NDArray[np.int32]
Marks = NDArray[np.int8]

SAME_SHARE: Final = 0.5e-9  # of all people, where they are fractions: plans that differ by less are equal
WHOLE_UP_TO_PEOPLE: Final = 1e8  # more are treated as fractions: half a person would be lost in rounding


@dataclass(frozen=True, eq=False)
class Scale:
    """How people are counted.

    Attributes
    ----------
    gains : (levels + 1,) float64
        What one more cover is worth to a row of each level, per person; ends with 0.
    is_whole : bool
        Whether every plan gains a whole number.
    margin : float
        More than rounding can take from a bound.
    same : float
        Plans that differ by less are equal.
    """

    gains: Numbers
    is_whole: bool
    margin: float
    same: float

    @property
    def slack(self) -> float:
        """What a bound computed must exceed a plan by, for a better plan to be possible."""
        return (1.0 if self.is_whole else self.same) - self.margin

    def gain(self, level: Ints) -> Numbers:
        """What one more cover is worth to rows of these levels, per person."""
        return self.gains[np.minimum(level, self.gains.size - 1)]


class Left(NamedTuple):
    """What is left to decide: rows (first, column) and columns (start, item) of the same matrix.

    Attributes
    ----------
    people, multiplier : (rows,) float64
    level : (rows,) int64
        How many of `taken` cover each row.
    candidate, taken : int64
        Positions, in the question, of the columns, and of those chosen already.
    free : int
        How many more to choose.
    base : float
        People gained by `taken`.
    """

    first: Ints
    column: Items
    start: Ints
    item: Items
    people: Numbers
    multiplier: Numbers
    level: Ints
    candidate: Ints
    taken: Ints
    free: int
    base: float


def merge(covers: Any, people: Numbers) -> tuple[csr_array, Numbers]:  # noqa: ANN401  scipy has no types
    """Add up the people of rows that the same candidates cover.

    Parameters
    ----------
    covers : sparse CSR, shape (demand, candidates), sorted indices
    people : (demand,) float64

    Returns
    -------
    rows : CSR, shape (merged, candidates)
        In an order that does not depend on that of the input.
    people : (merged,) float64
        Summed in an order that does not depend on that of the input.
    """
    return merge_alike(covers, people, np.zeros(people.size, dtype=np.int64))[:2]


def merge_alike(covers: Any, people: Numbers, label: Ints) -> tuple[csr_array, Numbers, Ints]:  # noqa: ANN401  scipy has no types
    """Add up the people of rows that the same candidates cover and that have the same label, 0 or more; the labels as well."""
    first, column = covers.indptr.astype(np.int64), covers.indices.astype(np.int32)
    order, heads = _groups(first, column, label, people, covers.shape[1])
    firsts = order[heads]
    first, column = loops.some_rows(first, column, firsts)
    rows = csr_array((np.ones(column.size, dtype=covers.dtype), column, first), shape=(firsts.size, covers.shape[1]))
    return rows, _summed(people[order], heads), label[firsts]


def _groups(first: Ints, column: Items, level: Ints, people: Numbers, columns: int) -> tuple[Ints, Ints]:
    """Order rows so that identical ones are neighbours, and tell where each group of them begins.

    Neighbours are compared item by item; should two different rows have the same key, at worst some rows stay unmerged.
    """
    key_of = np.random.default_rng(SEED).integers(0, 2**64, columns + 1, dtype=np.uint64)
    keys = level.astype(np.uint64) * key_of[columns]
    loops.mix_keys(first, column, key_of, keys)
    order = np.lexsort((people, keys))
    return order, np.flatnonzero(~loops.same_as_before(first, column, level, order))


def _summed(values: Numbers, heads: Ints) -> Numbers:
    return np.add.reduceat(values, heads) if values.size else values


def scale_of(people: Numbers, gains: Sequence[float], shape: tuple[int, int]) -> Scale:
    """Tell how people are counted in a question of this shape."""
    worth = np.array([*gains, 0.0])
    total = math.fsum(people) * math.fsum(gains)
    is_whole = total <= WHOLE_UP_TO_PEOPLE and bool((people == np.floor(people)).all() and (worth == np.floor(worth)).all())
    return Scale(worth, is_whole, margin=4.0 * np.finfo(np.float64).eps * (sum(shape) + 1) * total, same=SAME_SHARE * total)


def left_of(
    rows: Any,  # noqa: ANN401  scipy has no types
    people: Numbers,
    scale: Scale,
    *,
    always: Mask,
    free: int,
    level: Ints | None = None,
) -> Left:
    """Make ready a question: :func:`scenarios.siting.covering.reduce.best_cover` has its terms."""
    columns = rows.shape[1]
    first, column = rows.indptr.astype(np.int64), rows.indices.astype(np.int32)
    level = np.zeros(people.size, dtype=np.int64) if level is None else level.astype(np.int64)
    worth = np.concatenate([[0.0], np.cumsum(scale.gains)])
    everything = Left(
        first,
        column,
        *loops.turned(first, column, columns),
        people=np.array(people, dtype=np.float64),
        multiplier=people * scale.gain(level) / 2.0,
        level=level,
        candidate=np.arange(columns),
        taken=np.zeros(0, dtype=np.int64),
        free=min(free + int(always.sum()), columns),
        base=math.fsum(people * worth[np.minimum(level, worth.size - 1)]),
    )
    return without(everything, always.astype(np.int8), scale)


def without(left: Left, mark: Marks, scale: Scale) -> Left:
    """Take the columns that are marked 1, leave out those marked -1, and make one of the rows that no longer differ."""
    level, base = left.level.copy(), left.base
    for one in np.flatnonzero(mark == 1):
        rows = left.item[left.start[one] : left.start[one + 1]]
        base += float(left.people[rows] @ scale.gain(level[rows]))
        level[rows] += 1
    first, column = _with_columns(left, mark == 0)
    matters = np.flatnonzero((np.diff(first) > 0) & (left.people * scale.gain(level) > 0))
    people, level = left.people[matters], level[matters]
    multiplier = np.minimum(left.multiplier[matters], people * scale.gain(level))
    first, column = loops.some_rows(first, column, matters)
    kept = left.candidate[mark == 0]
    order, heads = _groups(first, column, level, people, kept.size)
    first, column = loops.some_rows(first, column, order[heads])
    return Left(
        first,
        column,
        *loops.turned(first, column, kept.size),
        people=_summed(people[order], heads),
        multiplier=_summed(multiplier[order], heads),
        level=level[order[heads]],
        candidate=kept,
        taken=np.concatenate([left.taken, left.candidate[mark == 1]]),
        free=left.free - int((mark == 1).sum()),
        base=base,
    )


def _with_columns(left: Left, kept: Mask) -> tuple[Ints, Items]:
    new = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    return loops.some_columns(left.first, left.column, new)


def matrix_of(left: Left, scale: Scale) -> Matrix:
    """What the compiled loops work on."""
    return Matrix(left.first, left.column, left.start, left.item, left.people, scale.gains, left.level)


def plain_bound(left: Left, scale: Scale) -> float:
    """Bound at once: every row covered as often as it counts, or the best columns as if they shared no row."""
    still = np.cumsum(scale.gains[::-1])[::-1]
    gain = np.empty(left.candidate.size)
    loops.sums(left.start, left.item, left.people * scale.gain(left.level), gain)
    alone = math.fsum(np.sort(gain)[::-1][: left.free])
    return left.base + min(math.fsum(left.people * still[left.level]), alone)
