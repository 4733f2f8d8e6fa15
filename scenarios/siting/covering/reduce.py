"""Large covering problems, proven: a good plan, a bound on all plans, what the bound decides, and a search through what is left.

    maximise    Σ people_i · F(n_i),   n_i = chosen candidates that cover row i,   F concave,   a number of candidates chosen

1. Greedy, then exchange (Teitz & Bart 1968, doi:10.1287/opre.16.5.955): a good plan.
2. A multiplier a row, what a cover of it is worth, splits the problem: every row takes the covers that are worth more to it than they cost,
   every candidate earns the multipliers of its rows, the best earners are taken (Galvão & ReVelle 1996, doi:10.1016/0377-2217(94)00159-6).
   The sum bounds all plans, whatever the multipliers. They are improved by steps against a smoothed subgradient, whose average is a
   fractional plan that tells which candidates to try (Barahona & Anbil 2000, doi:10.1007/s101070050002). This is the bound of the linear
   relaxation, and of its Benders decomposition (Cordeau, Furini & Ljubić 2019, doi:10.1016/j.ejor.2018.12.021), without its program.
3. A candidate without which, or with which, the bound falls to the best plan is decided. Rows that differ in decided candidates only
   become one: what is left shrinks by an order of magnitude or two, and 2 goes on with it.
4. What remains is searched: the candidate that the fractional plan is least sure of is chosen, and left out, the best bound first.

Every sum that proves something is made in float64, and what rounding may have taken from it is added (`Scale.margin`).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.siting.covering import loops
from scenarios.siting.covering.loops import Choice, Descent
from scenarios.siting.covering.remainder import Left, Scale, left_of, matrix_of, plain_bound, scale_of, without
from scenarios.siting.stop import Stop

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

_ROUNDS: Final = 5  # of multipliers between two looks at the clock
_LOOKS: Final = 5  # before it is asked what they brought
_DECIDED_SHARE: Final = 0.1  # of the candidates, to make a smaller problem
_HELD_ITEMS: Final = 100_000_000  # of open problems, some 16 bytes each: above it, the newest is searched first, so that few stay open


class _Known(NamedTuple):
    """A plan: what it gains, and the positions of its candidates in the question."""

    people: float
    candidates: Ints


class _Pace(NamedTuple):
    """When to give up improving multipliers."""

    warm: int  # batches before it may give up
    enough: float  # what may be left of the gap after a batch that was worth it
    patience: int  # batches in turn that were not


_ROOT: Final = _Pace(warm=4, enough=0.97, patience=2)
_NODE: Final = _Pace(warm=0, enough=0.8, patience=1)
_LENGTH: Final = 0.1  # of the first steps, as a share of the gap over the subgradient's norm
_LONGER: Final = 8.0  # the first steps in half a problem than the last in the whole


class _Settled(NamedTuple):
    """A problem as far as its bound decides it: None left if no better plan is in it; how often each column was chosen; the last step."""

    left: Left | None
    bound: float
    share: Numbers
    length: float


def best_cover(
    rows: Any,  # noqa: ANN401  scipy has no types
    people: Numbers,
    gains: Sequence[float],
    *,
    always: Mask,
    free: int,
    stop: Stop,
    start: Mask | None = None,
    level: Ints | None = None,
) -> tuple[Mask, float]:
    """Choose the candidates that gain the most people, and bound what any choice could.

    Parameters
    ----------
    rows : sparse CSR, shape (demand, candidates), sorted indices
        An entry where the candidate covers the row. Identical rows are best merged first: ``remainder.merge``.
    people : (demand,) float64
    gains : sequence of float
        What the first, second, … cover is worth, per person; no more than the one before.
    always : (candidates,) bool
        Chosen in any case.
    free : int
        How many more to choose; no more than there are.
    stop : Stop
        When to end; the best plan so far is returned, with a valid bound.
    start : (candidates,) bool, optional
        A good plan to begin from, of a question that was much the same.

    level : (demand,) int64, optional
        How many cover each row anyway, besides the candidates; what these gain counts.

    Returns
    -------
    chosen : (candidates,) bool
        With `always`. The same question has the same answer, unless it is stopped.
    bound : float
        No plan gains more people. A proven plan meets it where people are whole (no more than 1e8 of them, whole gains), and comes within
        1e-9 of all people otherwise.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> rows = csr_array(np.array([[1, 0, 1], [1, 0, 0], [0, 1, 1]]))
    >>> nobody = np.zeros(3, dtype=np.bool_)
    >>> chosen, bound = best_cover(rows, np.array([4.0, 2.0, 1.0]), (1.0,), always=nobody, free=1, stop=Stop())
    >>> chosen.tolist(), bound
    ([True, False, False], 6.0)
    """
    scale = scale_of(people, gains, rows.shape)
    left = left_of(rows, people, scale, always=always, free=free, level=level)
    begin = np.zeros(0, dtype=np.int64) if start is None else np.flatnonzero(start[left.candidate])[: left.free]
    known = _plan_from(left, begin, scale, stop)
    known, bound = _search(left, known, scale, stop)
    chosen = always.copy()
    chosen[known.candidates] = True
    return chosen, bound


def _plan_from(left: Left, begin: Ints, scale: Scale, stop: Stop) -> _Known:
    """From these columns, add the best in turn, then exchange as long as that gains anything."""
    matrix = matrix_of(left, scale)
    choice = Choice(left.level.copy(), np.empty(left.candidate.size), np.zeros(left.candidate.size, dtype=np.bool_))
    loops.sums(left.start, left.item, left.people * scale.gain(left.level), choice.gain)
    loops.add_best(left.free, begin, matrix, choice)
    while stop.reason is None and loops.exchange(matrix, choice, scale.same / 2.0):
        pass
    people = left.base + loops.value(choice.level - left.level, left.people, scale.gains, left.level)
    return _known(left, np.flatnonzero(choice.chosen), people)


def _known(left: Left, columns: Ints, people: float) -> _Known:
    return _Known(people, np.sort(np.concatenate([left.taken, left.candidate[columns]])))


def _better(one: _Known, other: _Known) -> _Known:
    return other if other.people > one.people else one


def _settle(left: Left, known: _Known, bound: float, pace: _Pace, length: float, *, scale: Scale, stop: Stop) -> tuple[_Settled, _Known]:
    """Improve the multipliers, take and leave out what they decide, until nothing is left or little is gained by it."""
    descent, batch, tired = _begin(left, length, np.zeros(left.candidate.size)), 0, 0
    while 1 < left.free < left.candidate.size and left.people.size:
        gap = bound - known.people
        known = _descend(left, known, descent, scale=scale, stop=stop)
        bound = min(bound, left.base + descent.state[0])
        if bound < known.people + scale.slack:
            return _Settled(None, bound, descent.share, 0.0), known
        batch += 1
        decided = np.count_nonzero(descent.mark)
        is_much = decided > _DECIDED_SHARE * left.candidate.size
        was_worth_it = is_much or batch <= pace.warm or bound - known.people <= pace.enough * gap
        tired = 0 if was_worth_it else tired + 1
        is_over = tired == pace.patience or stop.reason is not None
        left = left._replace(multiplier=descent.best_multiplier)
        if is_much or (is_over and decided):
            left = without(left, descent.mark, scale)
            descent = _begin(left, descent.state[3], descent.share[descent.mark == 0])
        if is_over and 1 < left.free < left.candidate.size and left.people.size:
            return _Settled(left, bound, descent.share, descent.state[3]), known
    if left.free <= left.candidate.size:
        known = _better(known, _plan_from(left, np.zeros(0, dtype=np.int64), scale, stop))
    return _Settled(None, bound, descent.share, 0.0), known


def _begin(left: Left, length: float, share: Numbers) -> Descent:
    rows, columns = left.people.size, left.candidate.size
    return Descent(
        left.multiplier.copy(),
        left.multiplier.copy(),
        np.zeros(rows),
        share,
        np.zeros(columns, dtype=np.int8),
        np.zeros(left.free, dtype=np.int64),
        np.array([math.inf, 0.0, 0.0, length, 0.0]),
    )


def _descend(left: Left, known: _Known, descent: Descent, *, scale: Scale, stop: Stop) -> _Known:
    """Improve the multipliers for a batch of rounds; plans met on the way, or the one that the fractional plan suggests, may be better."""
    matrix = matrix_of(left, scale)
    for _ in range(_LOOKS):
        descent.state[1:3] = known.people - left.base, scale.slack
        is_better, is_done = loops.descend(_ROUNDS, matrix, descent)
        if is_better:
            known = _known(left, descent.plan, left.base + descent.state[1])
        if is_done or stop.reason is not None:
            break
    likely = np.sort(np.argsort(-descent.share, kind="stable")[: left.free])
    if np.isin(left.candidate[likely], known.candidates).all():
        return known
    return _better(known, _plan_from(left, likely, scale, stop))


class _Open(NamedTuple):
    """A problem to search: that of its parent with a column taken (1) or left out (-1). They compare by bound, then by age."""

    lowest_first: float  # -bound
    number: int
    left: Left
    column: int
    mark: int
    length: float


def _search(left: Left, known: _Known, scale: Scale, stop: Stop) -> tuple[_Known, float]:
    """Decide, then split what is left, the best bound first; the best plan, and a bound on all plans."""
    bound = plain_bound(left, scale)
    waiting: list[_Open] = []
    if stop.reason is None:
        settled, known = _settle(left, known, bound, _ROOT, _LENGTH, scale=scale, stop=stop)
        _split(waiting, settled, 0)
        bound = -math.inf
    number = 0
    while waiting and stop.reason is None:
        one = _next(waiting)
        if -one.lowest_first < known.people + scale.slack:
            continue
        number += 2
        mark = np.zeros(one.left.candidate.size, dtype=np.int8)
        mark[one.column] = one.mark
        half = without(one.left, mark, scale)
        settled, known = _settle(half, known, -one.lowest_first, _NODE, one.length, scale=scale, stop=stop)
        _split(waiting, settled, number)
    bound = max([bound, *(-one.lowest_first for one in waiting)])
    if bound < known.people + scale.slack:
        return known, known.people + (0.0 if scale.is_whole else scale.same)
    return known, float(math.floor(bound + scale.margin)) if scale.is_whole else bound + scale.margin


def _split(waiting: list[_Open], settled: _Settled, number: int) -> None:
    """Put both halves of a problem on the heap: with and without the column that the fractional plan is least sure of."""
    if settled.left is not None:
        column, length = int(np.argmin(np.abs(settled.share - 0.5))), min(_LENGTH, _LONGER * settled.length)
        for child, mark in enumerate((-1, 1)):
            heapq.heappush(waiting, _Open(-settled.bound, number + child, settled.left, column, mark, length))


def _next(waiting: list[_Open]) -> _Open:
    """Take the best bound, or the newest where too much is held."""
    if sum(one.left.item.size for one in waiting) <= _HELD_ITEMS:
        return heapq.heappop(waiting)
    newest = max(range(len(waiting)), key=lambda at: waiting[at].number)
    waiting[newest], waiting[-1] = waiting[-1], waiting[newest]
    one = waiting.pop()
    heapq.heapify(waiting)
    return one
