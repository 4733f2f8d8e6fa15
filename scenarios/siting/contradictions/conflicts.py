"""Why a question has no answer: a set of demands that contradict each other, and no longer do when any one of them is dropped.

First whole kinds of demands are dropped one after another as long as the rest contradicts itself (a deletion filter); then each kind that
is left is narrowed to the sites or demand points that it takes (QuickXplain, Junker 2004, AAAI-04, 167-172). Whether demands can be met
together is decided by the solver, over the rules of the choice (``rules``) and what the model must cover.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

import numpy as np
from scipy.sparse import csr_array, vstack

from scenarios.siting.contradictions.demands import KINDS, Demand, Demands, Kind, demands_of
from scenarios.siting.contradictions.words import Group, Nearest, Possible, conflict_words
from scenarios.siting.milp import Program, maximise
from scenarios.siting.question import Asked, Model, Numbers, Terms
from scenarios.siting.result import Conflict
from scenarios.siting.stop import Stop

MOST_TRIALS: Final = 400  # of the solver, to narrow one kind; one that takes more is named as a whole
ADVICE_S: Final = 10.0  # to find what number would do
# Where a number of sites contradicts nothing but these, fewer sites do so too; where nothing but those, more sites do.
MORE_HELPS: Final[frozenset[Kind]] = frozenset({"sites", "fixed", "movable", "cover", "share"})
FEWER_HELPS: Final[frozenset[Kind]] = frozenset({"sites", "forbidden", "apart", "budget"})


class _UndecidedError(Exception):
    """It took too long, or too many trials."""


def conflicts(asked: Asked, model: Model, terms: Terms, stop: Stop) -> tuple[Conflict, ...]:
    """Find demands that contradict each other, and no longer do when any one of them is dropped.

    Demand that no candidate can cover demands nothing: it is no reason for a contradiction.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms
    stop : Stop
        When it ends, kinds of demands that are not yet narrowed are named as a whole.

    Returns
    -------
    tuple of Conflict
        One a kind of demand; each of its sites or demand points is needed for the contradiction (of ``apart`` they come two by two).
        Without ids it is all demands of the kind together. Where a number is among them, the words say which number would do, if
        one does. Empty if all demands can be met together, or if that was not decided in time.
    """
    demands = demands_of(asked, model, terms)
    if _can_be_met(demands, demands.demands, stop) is not False:
        return ()
    groups = _narrowed(demands, _kinds(demands, stop), stop)
    kinds = frozenset(group.kind for group in groups)
    return tuple(conflict_words(asked, model, terms, demands, group, _possible(demands, group.kind, kinds, stop)) for group in groups)


def _can_be_met(demands: Demands, some: Sequence[Demand], stop: Stop) -> bool | None:
    """Whether these demands can be met together; None: not decided in time."""
    found = maximise(demands.only(some), stop)
    return True if found.values is not None else False if found.status == "infeasible" else None


def _kinds(demands: Demands, stop: Stop) -> list[Kind]:
    """The kinds that contradict each other: those hardest to understand are dropped first, if they can be."""
    left = [kind for kind in KINDS if any(one.kind == kind for one in demands.demands)]
    for kind in reversed(KINDS):
        fewer = [one for one in left if one != kind]
        if kind in left and _can_be_met(demands, [one for one in demands.demands if one.kind in fewer], stop) is False:
            left = fewer
    return left


def _narrowed(demands: Demands, kinds: Sequence[Kind], stop: Stop) -> list[Group]:
    """Narrow one kind after another, the others as they are by then: what is needed of one stays needed when another is narrowed."""
    by_kind = {kind: tuple(one for one in demands.demands if one.kind == kind) for kind in kinds}
    groups = []
    for kind in kinds:
        others = [one for other in kinds if other != kind for one in by_kind[other]]
        ask = _asking(demands, stop)
        try:
            by_kind[kind] = tuple(_needed(others, list(by_kind[kind]), ask))
            groups.append(Group(kind, by_kind[kind], is_whole=False))
        except _UndecidedError:
            groups.append(Group(kind, by_kind[kind], is_whole=True))
    return groups


def _asking(demands: Demands, stop: Stop) -> Callable[[list[Demand]], bool]:
    """Whether some demands contradict each other, asked no more often than is reasonable."""
    trials = count(1)

    def ask(some: list[Demand]) -> bool:
        met = _can_be_met(demands, some, stop) if next(trials) <= MOST_TRIALS else None
        if met is None:
            raise _UndecidedError
        return not met

    return ask


def _needed(given: list[Demand], some: list[Demand], ask: Callable[[list[Demand]], bool], *, changed: bool = False) -> list[Demand]:
    """QuickXplain: which of `some` are needed for a contradiction with those given; `changed`: more are given than at the last look."""
    if changed and ask(given):
        return []
    if len(some) == 1:
        return some
    half = len(some) // 2
    first, second = some[:half], some[half:]
    of_second = _needed(given + first, second, ask, changed=True)
    return _needed(given + of_second, first, ask, changed=bool(of_second)) + of_second


def _possible(demands: Demands, kind: Kind, kinds: frozenset[Kind], stop: Stop) -> Possible:
    """Which numbers of a demand would do if all other demands stay; `kinds`: those it contradicts, and itself."""
    if kind not in demands.measure:
        return Possible()
    row = demands.measure[kind]
    at = next(one.row for one in demands.demands if one.kind == kind)
    others = demands.only(one for one in demands.demands if one.kind != kind)
    asked = demands.program.row_upper[at] if kind == "budget" else demands.program.row_lower[at]
    step = 1.0 if kind in {"sites", "fleet"} else 0.0
    stop = stop.within(ADVICE_S)
    nothing, of_sites = Nearest(None, is_sure=True), kind == "sites" and len(kinds) > 1
    no_fewer, no_more = of_sites and kinds <= MORE_HELPS, of_sites and kinds <= FEWER_HELPS
    below = nothing if kind == "budget" or no_fewer else _largest(others, row, asked - step, stop, whole=step > 0)
    above = nothing if kind == "share" or no_more else _largest(others, -row, -asked - step, stop, whole=step > 0)
    return Possible(below, above._replace(number=None if above.number is None else -above.number))


def _largest(program: Program, row: Numbers, most: float, stop: Stop, *, whole: bool) -> Nearest:
    """The largest value of a row that is no more than `most`; when stopped, what it is at most."""
    found = maximise(
        replace(
            program,
            gain=row,
            rows=csr_array(vstack([program.rows, csr_array(row[None, :])], format="csr")),
            row_lower=np.append(program.row_lower, -np.inf),
            row_upper=np.append(program.row_upper, most),
        ),
        stop,
    )
    if found.status == "infeasible":
        return Nearest(None, is_sure=True)
    is_sure, value = found.status == "optimal", min(found.bound, most)
    if not is_sure and not whole and value >= most:  # nothing is known but what was asked for
        return Nearest(None, is_sure=False)
    return Nearest(float(np.floor(value + 1e-6)) if whole else float(value), is_sure)
