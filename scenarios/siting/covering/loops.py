"""The compiled loops of large covering problems, and nothing else: what they mean is told in ``scenarios.siting.covering.reduce``.

Rows are merged demand points, columns are candidates; both directions of the matrix are given, as first positions and items. A row that
`level` chosen candidates cover already gains ``gains[level]`` per person by one more; `gains` ends with a 0 that holds ever after.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from coverage.compiled import compiled

Floats = NDArray[np.float64]
Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Bools = NDArray[np.bool_]
Keys = NDArray[np.uint64]
Marks = NDArray[np.int8]


class Matrix(NamedTuple):
    """Both directions of the matrix, what the rows count, and how often each is covered already."""

    first: Int64  # of a row, in column
    column: Int32
    start: Int64  # of a column, in item
    item: Int32
    people: Floats
    gains: Floats
    level: Int64


class Choice(NamedTuple):
    """A plan in the making: how often it covers each row, what each candidate would gain, and which are chosen."""

    level: Int64
    gain: Floats
    chosen: Bools


class Descent(NamedTuple):
    """What :func:`descend` goes on with, and what it has found.

    Attributes
    ----------
    multiplier, best_multiplier, direction : (rows,) float64
    share : (columns,) float64
        How often each was chosen lately: a fractional plan.
    mark : (columns,) int8
        1: every better plan has it. -1: none has it.
    plan : (free,) int64
        Columns of the best plan, if it was found here.
    state : (5,) float64
        The bound, the best plan's people, how much better another must be, the length of a step, the rounds without progress.
    """

    multiplier: Floats
    best_multiplier: Floats
    direction: Floats
    share: Floats
    mark: Marks
    plan: Int64
    state: Floats


_MEMORY = 0.1  # weight of the newest subgradient in the direction, and of the newest plan in the fractional one
_PROGRESS = 1e-4  # of the gap, at least, for a round to count as progress
_STALLED = 8  # rounds without progress, until steps become shorter
_SHORTER = 0.7


@compiled
def mix_keys(first: Int64, column: Int32, key_of: Keys, keys: Keys) -> None:
    """Mix the keys of each row's columns into the row's key."""
    for row in range(first.size - 1):
        mixed = keys[row]
        for at in range(first[row], first[row + 1]):
            mixed ^= key_of[column[at]]
        keys[row] = mixed


@compiled
def same_as_before(first: Int64, column: Int32, level: Int64, order: Int64) -> Bools:
    """Whether each row, in this order, has the same columns and level as the one before."""
    same = np.zeros(order.size, dtype=np.bool_)
    for place in range(1, order.size):
        one, other = order[place - 1], order[place]
        count = first[one + 1] - first[one]
        if level[one] != level[other] or count != first[other + 1] - first[other]:
            continue
        equal = True
        for step in range(count):
            if column[first[one] + step] != column[first[other] + step]:
                equal = False
                break
        same[place] = equal
    return same


@compiled
def some_rows(first: Int64, column: Int32, which: Int64) -> tuple[Int64, Int32]:
    """Copy some rows, one after the other."""
    new_first = np.zeros(which.size + 1, dtype=np.int64)
    for place in range(which.size):
        new_first[place + 1] = new_first[place] + first[which[place] + 1] - first[which[place]]
    copied = np.empty(new_first[-1], dtype=np.int32)
    for place in range(which.size):
        shift = new_first[place] - first[which[place]]
        for at in range(first[which[place]], first[which[place] + 1]):
            copied[at + shift] = column[at]
    return new_first, copied


@compiled
def some_columns(first: Int64, column: Int32, new_column: Int32) -> tuple[Int64, Int32]:
    """Copy the rows without the columns whose new number is negative."""
    new_first, copied = np.zeros(first.size, dtype=np.int64), np.empty(column.size, dtype=np.int32)
    count = 0
    for row in range(first.size - 1):
        for at in range(first[row], first[row + 1]):
            new = new_column[column[at]]
            if new >= 0:
                copied[count] = new
                count += 1
        new_first[row + 1] = count
    return new_first, copied[:count].copy()


@compiled
def turned(first: Int64, column: Int32, columns: int) -> tuple[Int64, Int32]:
    """The rows of each column, in order."""
    start = np.zeros(columns + 1, dtype=np.int64)
    for at in range(column.size):
        start[column[at] + 1] += 1
    for one in range(columns):
        start[one + 1] += start[one]
    free = start[:-1].copy()
    item = np.empty(column.size, dtype=np.int32)
    for row in range(first.size - 1):
        for at in range(first[row], first[row + 1]):
            one = column[at]
            item[free[one]] = row
            free[one] += 1
    return start, item


@compiled
def sums(start: Int64, item: Int32, value: Floats, total: Floats) -> None:
    """Add up the values of each column's rows."""
    for one in range(start.size - 1):
        collected = 0.0
        for at in range(start[one], start[one + 1]):
            collected += value[item[at]]
        total[one] = collected


@compiled
def take(one: int, step: int, matrix: Matrix, choice: Choice) -> None:
    """Choose a candidate (step 1) or give it up (step -1)."""
    first, column, start, item, people, gains, _ = matrix
    level, gain, chosen = choice
    last = gains.size - 1
    chosen[one] = step > 0
    for at in range(start[one], start[one + 1]):
        row = item[at]
        before = gains[min(level[row], last)]
        level[row] += step
        change = (gains[min(level[row], last)] - before) * people[row]
        if change != 0.0:
            for other in range(first[row], first[row + 1]):
                gain[column[other]] += change


@compiled
def best_free(gain: Floats, chosen: Bools) -> int:
    """The candidate not chosen that gains most, the first of equal ones; -1 if all are chosen."""
    best = -1
    for one in range(gain.size):
        if not chosen[one] and (best < 0 or gain[one] > gain[best]):
            best = one
    return best


@compiled
def add_best(total: int, begin: Int64, matrix: Matrix, choice: Choice) -> None:
    """Choose these candidates, then in turn the one that gains most, up to a total."""
    for place in range(total):
        one = begin[place] if place < begin.size else best_free(choice.gain, choice.chosen)
        take(one, 1, matrix, choice)


@compiled
def exchange(matrix: Matrix, choice: Choice, least: float) -> int:
    """Give up each chosen candidate in turn for the best other one, if that gains more than `least`; how many were replaced."""
    replaced = 0
    for one in np.flatnonzero(choice.chosen):
        take(int(one), -1, matrix, choice)
        best = best_free(choice.gain, choice.chosen)
        if choice.gain[best] > choice.gain[one] + least:
            replaced += 1
            take(best, 1, matrix, choice)
        else:
            take(int(one), 1, matrix, choice)
    return replaced


@compiled
def find_largest(value: Floats, places: Int64) -> None:
    """Find the places of the largest values, the first of equal ones, the largest first."""
    count = 0
    for one in range(value.size):
        if count == places.size and value[one] <= value[places[count - 1]]:
            continue
        at = count if count < places.size else count - 1
        while at > 0 and value[one] > value[places[at - 1]]:
            places[at] = places[at - 1]
            at -= 1
        places[at] = one
        count = min(count + 1, places.size)


@compiled
def value(covered: Int64, people: Floats, gains: Floats, level: Int64) -> float:
    """What rows gain that are covered so many times more."""
    last, total = gains.size - 1, 0.0
    for row in range(people.size):
        for step in range(level[row], min(level[row] + covered[row], last)):
            total += people[row] * gains[step]
    return total


@compiled
def cover_rows(top: Int64, start: Int64, item: Int32, covered: Int64) -> None:
    """Count how many of the chosen candidates cover each row."""
    covered[:] = 0
    for one in top:
        for at in range(start[one], start[one + 1]):
            covered[item[at]] += 1


@compiled
def turn(matrix: Matrix, covered: Int64, descent: Descent) -> tuple[float, float]:
    """Turn the direction towards the newest subgradient; what the rows gain beyond their multipliers, and the direction's norm.

    A row takes as many covers as are worth more to it than its multiplier. What would lead out of the range of multipliers is no part of
    the norm, in which rows count by their people: all rows move alike, as shares of what a cover is worth to them.
    """
    people, gains, level, multiplier, direction = matrix.people, matrix.gains, matrix.level, descent.multiplier, descent.direction
    last, worth, norm = gains.size - 1, 0.0, 0.0
    for row in range(people.size):
        wanted = 0
        for step in range(level[row], last):
            rest = people[row] * gains[step] - multiplier[row]
            if rest <= 0.0:
                break
            worth += rest
            wanted += 1
        direction[row] += _MEMORY * (covered[row] - wanted - direction[row])
        falls, rises = direction[row] > 0.0, direction[row] < 0.0
        if (falls and multiplier[row] > 0.0) or (rises and multiplier[row] < people[row] * gains[level[row]]):
            norm += people[row] * direction[row] * direction[row]
    return worth, norm


@compiled
def move(matrix: Matrix, length: float, descent: Descent) -> None:
    """Move the multipliers against the direction, between 0 and what the next cover is worth."""
    people, gains, level, multiplier, direction = matrix.people, matrix.gains, matrix.level, descent.multiplier, descent.direction
    for row in range(people.size):
        moved = multiplier[row] - length * people[row] * direction[row]
        multiplier[row] = min(people[row] * gains[level[row]], max(0.0, moved))


@compiled
def decide(gain: Floats, top: Int64, bound: float, least: float, mark: Marks) -> int:
    """Mark the candidates that every plan worth at least `least` must have (1) or cannot have (-1); how many are marked.

    `top` are the candidates of the bound, and the next best as the last.
    """
    weakest, next_best = np.inf, gain[top[-1]] if mark[top[-1]] == 0 else -np.inf
    for one in top[:-1]:
        if mark[one] == 0:
            weakest = min(weakest, gain[one])
    for one in top[:-1]:
        if mark[one] == 0 and bound - gain[one] + next_best < least:
            mark[one] = 1
    for one in range(gain.size):
        if mark[one] == 0 and gain[one] <= weakest and bound - weakest + gain[one] < least:
            mark[one] = -1
    return int(np.count_nonzero(mark))


@compiled
def descend(rounds: int, matrix: Matrix, descent: Descent) -> tuple[bool, bool]:
    """Lower the bound by steps against a smoothed subgradient, and mark the candidates that it decides.

    Returns whether a better plan was found, and whether nothing is left to do, or so much decided that a smaller problem is worth making.
    """
    mark, plan, share = descent.mark, descent.plan, descent.share
    bound, best, slack, length, stall = descent.state
    is_better, is_done = False, False
    gain, score = np.empty(mark.size), np.empty(mark.size)
    covered = np.empty(matrix.people.size, dtype=np.int64)
    top = np.empty(plan.size + 1, dtype=np.int64)
    for _ in range(rounds):
        sums(matrix.start, matrix.item, descent.multiplier, gain)
        for one in range(mark.size):
            score[one] = gain[one] if mark[one] == 0 else mark[one] * np.inf
        find_largest(score, top)
        cover_rows(top[:-1], matrix.start, matrix.item, covered)
        worth, norm = turn(matrix, covered, descent)
        now = worth + gain[top[:-1]].sum()
        share *= 1.0 - _MEMORY
        share[top[:-1]] += _MEMORY
        found = value(covered, matrix.people, matrix.gains, matrix.level)
        if found > best:
            best, is_better = found, True
            plan[:] = top[:-1]
        is_progress = bound == np.inf or now < bound - _PROGRESS * (bound - best)
        stall = 0.0 if is_progress else stall + 1.0
        if now < bound:
            bound = now
            descent.best_multiplier[:] = descent.multiplier
        if bound < best + slack or norm == 0.0 or decide(gain, top, now, best + slack, mark) > mark.size // 4:
            is_done = True
            break
        if stall >= _STALLED:
            length, stall = length * _SHORTER, 0.0
            descent.multiplier[:] = descent.best_multiplier
        move(matrix, length * (now - best) / norm, descent)
    descent.state[:] = bound, best, slack, length, stall
    return is_better, is_done
