"""Whether so many sites can cover every demand point: set covering, reduced until little is left for the solver.

Rows that ask for more than another row does are implied by it; candidates that cover less than another one are never needed; a row with one
candidate decides (Toregas & ReVelle 1972). Demand points of which no two share a candidate need a site each. A local search finds covers
(Gao, Weise & Li 2015, doi:10.1016/j.ejor.2015.05.038); that there are none is proven by the linear relaxation, or by the solver.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack

from scenarios.siting.center.loops import Bits, Incidence, find_cover, least_rows
from scenarios.siting.milp import SEED, Program, Solution, maximise
from scenarios.siting.question import Ints, Mask
from scenarios.siting.stop import Stop

CHOSEN: Final = 0.5
SURE: Final = 1e-6  # by which a relaxed number of sites must exceed a whole one
STEPS: Final = 8_000  # of the local search, between two looks at the clock
ROUNDS: Final = 5


class Answer(NamedTuple):
    """Candidates that cover everything (sorted positions, at most so many), None if not found; and whether there are none."""

    chosen: Ints | None
    is_impossible: bool


UNKNOWN: Final = Answer(None, is_impossible=False)
IMPOSSIBLE: Final = Answer(None, is_impossible=True)


@dataclass(frozen=True, eq=False)
class Cover:
    """Cover every row with at most `most` columns; what is left of the question after reductions.

    Attributes
    ----------
    rows : (rows, columns) bool
        Which columns cover each row.
    columns : (columns,) int64
        Their positions in the question as it was asked.
    taken : int64
        Positions of the columns that every cover has.
    most : int
        How many more columns there may be.
    """

    rows: Mask
    columns: Ints
    taken: Ints
    most: int

    @classmethod
    def of(cls, covers: Mask, most: int) -> Cover:
        """Reduce a question: (demand, candidates) bool, and how many columns there may be."""
        columns, taken = np.arange(covers.shape[1]), []
        while True:
            size = covers.shape
            covers = covers[_least(covers)]
            kept = _least(~covers.T)  # a column that covers less than another: its complement contains the other's
            covers, columns = covers[:, kept], columns[kept]
            alone = np.unique(covers[covers.sum(axis=1) == 1].argmax(axis=1)) if covers.size else np.zeros(0, dtype=np.int64)
            taken.extend(columns[alone].tolist())
            rest = np.setdiff1d(np.arange(columns.size), alone)
            covers, columns = covers[~covers[:, alone].any(axis=1)][:, rest], columns[rest]
            if covers.shape == size or not covers.size:
                return cls(covers, columns, np.array(sorted(taken), dtype=np.int64), most - len(taken))

    @property
    def settled(self) -> Answer | None:
        """The answer, if the reductions gave it."""
        if not self.rows.shape[0]:
            return self._with(np.zeros(0, dtype=np.int64)) if self.most >= 0 else IMPOSSIBLE
        return IMPOSSIBLE if self.most <= 0 or not self.rows.any(axis=1).all() or self._disjoint() > self.most else None

    def search(self, rounds: int, stop: Stop) -> Answer:
        """Look for a cover by exchanges, so many rounds; the same question has the same answer."""
        row_of, column_of = np.nonzero(self.rows)
        by_column = np.argsort(column_of, kind="stable")
        incidence = Incidence(
            _starts(row_of, self.rows.shape[0]), column_of, _starts(column_of, self.rows.shape[1]), np.ascontiguousarray(row_of[by_column])
        )
        chosen = self._greedy()
        for turn in range(rounds):
            is_cover, chosen = find_cover(incidence, chosen, STEPS, SEED + turn)
            if is_cover:
                return self._with(chosen)
            if stop.reason is not None:
                break
        return UNKNOWN

    def relax(self, stop: Stop) -> Answer:
        """Tell whether even parts of columns cannot do it."""
        solution = self._fewest(stop, integer=False)
        is_sure = solution.status == "infeasible" or (solution.status == "optimal" and -solution.bound > self.most + SURE)
        return IMPOSSIBLE if is_sure else UNKNOWN

    def solve(self, stop: Stop) -> Answer:
        """Find a cover, or prove that there is none."""
        solution = self._fewest(stop, integer=True)
        if solution.values is None:
            return Answer(None, is_impossible=solution.status == "infeasible")
        return self._with(np.flatnonzero(solution.values > CHOSEN))

    def least(self, stop: Stop) -> int:
        """How many columns it takes at least, by the linear relaxation."""
        if not self.rows.shape[0]:
            return self.taken.size
        solution = self._fewest(stop, integer=False)
        relaxed = math.ceil(-solution.bound - SURE) if solution.status == "optimal" else 0
        return self.taken.size + max(relaxed, self._disjoint())

    def _with(self, chosen: Ints) -> Answer:
        return Answer(np.sort(np.concatenate([self.taken, self.columns[chosen]])), is_impossible=False)

    def _greedy(self) -> Ints:
        """Take the column that covers most of what is left, rows with few columns counting more, until there are as many as may be."""
        weight = 1.0 / self.rows.sum(axis=1)
        is_open, by_column = np.ones(weight.size, dtype=np.bool_), csr_array(self.rows.T, dtype=np.float64)
        chosen: list[int] = []
        for _ in range(min(self.most, self.columns.size)):
            gain = by_column @ (weight * is_open)
            gain[chosen] = -1.0
            chosen.append(int(gain.argmax()))
            is_open &= ~self.rows[:, chosen[-1]]
        return np.array(chosen, dtype=np.int64)

    def _disjoint(self) -> int:
        """How many rows, taken in turn, share no column: so many are needed at least."""
        used, count = np.zeros(self.rows.shape[1], dtype=np.bool_), 0
        for row in self.rows[np.argsort(self.rows.sum(axis=1), kind="stable")]:
            if not (row & used).any():
                used |= row
                count += 1
        return count

    def _fewest(self, stop: Stop, *, integer: bool) -> Solution:
        height, width = self.rows.shape
        covers, all_columns = csr_array(self.rows, dtype=np.float64), csr_array(np.ones((1, width)))
        program = Program(
            gain=-np.ones(width),
            lower=np.zeros(width),
            upper=np.ones(width),
            integer=np.full(width, integer),
            rows=csr_array(vstack([covers, all_columns], format="csr")),
            row_lower=np.concatenate([np.ones(height), [-np.inf]]),
            row_upper=np.concatenate([np.full(height, np.inf), [float(self.most) if integer else np.inf]]),
        )
        return maximise(program, stop)


def fewest_columns(covers: Mask, stop: Stop) -> tuple[Ints | None, int]:
    """Find the fewest columns that cover every row, and a number that no fewer can do; each row must have a column.

    Covers of more and more columns are looked for from what the linear relaxation allows upwards; the solver then proves that one column
    fewer is too few, or finds it.
    """
    question, found = Cover.of(covers, covers.shape[1]), None
    least = count = question.least(stop)
    while found is None and stop.reason is None:
        smaller = replace(question, most=count - question.taken.size)
        answer = smaller.settled or smaller.search(ROUNDS, stop)
        found, count = (answer.chosen, count) if answer.chosen is not None else (None, count + 1)
    while found is not None and found.size > least and stop.reason is None:
        answer = replace(question, most=found.size - 1 - question.taken.size).solve(stop)
        if answer.is_impossible:
            least = found.size
        elif answer.chosen is not None:
            found = answer.chosen
    return found, least


def _starts(sorted_ids: Ints, count: int) -> Ints:
    return np.concatenate([[0], np.cumsum(np.bincount(sorted_ids, minlength=count))]).astype(np.int64)


def _packed(rows: Mask) -> Bits:
    """Each row as 64-bit words."""
    wide = np.zeros((rows.shape[0], -(-rows.shape[1] // 64) * 64), dtype=np.bool_)
    wide[:, : rows.shape[1]] = rows
    return np.packbits(wide, axis=1).view(np.uint64)


def _least(rows: Mask) -> Ints:
    """Rows that contain no other row, in order; of equal ones the first."""
    order = np.argsort(rows.sum(axis=1), kind="stable")
    return np.sort(least_rows(_packed(rows), order))
