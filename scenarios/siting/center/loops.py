"""The compiled loops of the p-center: rows that contain others, and a search for a cover. Told in ``scenarios.siting.center.cover``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverage.compiled import compiled
from scenarios.siting.question import Ints, Mask

Bits = NDArray[np.uint64]


class Incidence(NamedTuple):
    """Which columns each row has, and which rows each column has: the places ``row_first[i]:row_first[i + 1]``, and so on."""

    row_first: Ints
    column_of: Ints
    column_first: Ints
    row_of: Ints


class _State(NamedTuple):
    """Where a search stands.

    Of the rows: their weight, how often they are covered, their place among those not covered. Of the columns: score, last change, whether
    they are in, whether they may come in. The rows not covered, and how many these are.
    """

    weight: Ints
    times: Ints
    place: Ints
    score: Ints
    changed: Ints
    is_in: Mask
    may_come: Mask
    missed: Ints
    n_missed: Ints


@compiled
def least_rows(bits: Bits, order: Ints) -> Ints:
    """Rows, taken in this order, that contain none of those kept before them."""
    kept, count = np.empty(order.size, dtype=np.int64), 0
    words = bits.shape[1]
    for row in order:
        contains = False
        for at in range(count):
            other, word = kept[at], 0
            while word < words and bits[other, word] & ~bits[row, word] == 0:
                word += 1
            if word == words:
                contains = True
                break
        if not contains:
            kept[count] = row
            count += 1
    return kept[:count]


@compiled
def find_cover(incidence: Incidence, start: Ints, steps: int, seed: int) -> tuple[bool, Ints]:
    """Exchange columns until every row is covered, or so many steps are over: local search with row weights (Gao et al. 2015).

    A row that stays uncovered gains weight; the column leaves that loses least, and of those that cover an uncovered row the best comes.
    """
    row_first, column_of, column_first, _ = incidence
    rows, columns = row_first.size - 1, column_first.size - 1
    state = _State(
        np.ones(rows, dtype=np.int64),
        np.zeros(rows, dtype=np.int64),
        np.arange(rows),
        column_first[1:] - column_first[:-1],
        np.zeros(columns, dtype=np.int64),
        np.zeros(columns, dtype=np.bool_),
        np.ones(columns, dtype=np.bool_),
        np.arange(rows),
        np.array([rows]),
    )
    for column in start:
        _toggle(incidence, state, column)
    last, random = -1, seed
    for step in range(1, steps + 1):
        goes = _worst(state, last)
        if state.n_missed[0] == 0 or goes < 0:
            break
        _toggle(incidence, state, goes)
        state.changed[goes] = step
        state.may_come[goes] = False
        random = (random * 1103515245 + 12345) % 2147483648
        row = state.missed[(random >> 8) % state.n_missed[0]]
        comes = goes
        for entry in range(row_first[row], row_first[row + 1]):
            column = column_of[entry]
            if state.may_come[column] and (comes == goes or _is_better(state, column, comes)):
                comes = column
        _toggle(incidence, state, comes)
        state.changed[comes] = step
        last = comes
        for row in state.missed[: state.n_missed[0]]:
            state.weight[row] += 1
            for entry in range(row_first[row], row_first[row + 1]):
                state.score[column_of[entry]] += 1
    return bool(state.n_missed[0] == 0), np.flatnonzero(state.is_in)


@compiled
def _is_better(state: _State, column: int, best: int) -> bool:
    if best < 0 or state.score[column] > state.score[best]:
        return True
    return bool(state.score[column] == state.score[best] and state.changed[column] < state.changed[best])


@compiled
def _worst(state: _State, last_in: int) -> int:
    """Find the column in the cover that loses least, not the one that came last."""
    best = -1
    for column in range(state.is_in.size):
        if state.is_in[column] and column != last_in and _is_better(state, column, best):
            best = column
    return best


@compiled
def _toggle(incidence: Incidence, state: _State, column: int) -> None:
    """Put a column in or take it out; the score of a column is the weight it gains when it comes in, or minus what is lost when it goes."""
    row_first, column_of, column_first, row_of = incidence
    weight, times, place, score, _, is_in, may_come, missed, n_missed = state
    change = -1 if is_in[column] else 1
    score[column] = -score[column]
    is_in[column] = change > 0
    for at in range(column_first[column], column_first[column + 1]):
        row = row_of[at]
        times[row] += change
        more = max(times[row], times[row] - change)  # the larger of before and after
        if more == 1:
            if change > 0:
                n_missed[0] -= 1
                final = missed[n_missed[0]]
                missed[place[row]], place[final] = final, place[row]
            else:
                missed[n_missed[0]], place[row] = row, n_missed[0]
                n_missed[0] += 1
        if more > 2:  # noqa: PLR2004  no other column loses or gains by it
            continue
        for entry in range(row_first[row], row_first[row + 1]):
            other = column_of[entry]
            if other == column:
                continue
            may_come[other] = True
            if more == 1:
                score[other] -= change * weight[row]
            elif more == 2 and is_in[other]:  # noqa: PLR2004  it was, or is now, the only one of the row
                score[other] += change * weight[row]
