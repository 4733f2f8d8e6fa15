"""The p-center: whoever is farthest from a given number of sites is as near as can be.

Hakimi 1964 (doi:10.1287/opre.12.3.450). The least radius within which so many sites cover everybody is looked for by bisection over the
costs there are, each radius a set covering question (Minieka 1970, doi:10.1137/1012016; Daskin 1995, doi:10.1002/9781118032343). First of
all the most demand points have a route to a chosen site at all; who cannot be reached sets no radius.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.center.cover import Answer, Cover
from scenarios.siting.costs import CostTable, Reached, is_plain, most_reached, plan_of
from scenarios.siting.covering.blocks import Covering
from scenarios.siting.covering.program import any_plan
from scenarios.siting.question import Asked, CoverStage, Mask, Numbers, Terms
from scenarios.siting.result import Plan, StageValue
from scenarios.siting.stop import Stop

METHOD: Final = "bisection over the costs, each a set covering question, HiGHS"
FEW, MANY = 1, 8  # rounds of the local search, to find a plan soon, and before the solver is asked


def p_center(asked: Asked, terms: Terms, stop: Stop) -> Plan:
    """Choose the sites from which the largest cost is least.

    Parameters
    ----------
    asked : Asked
        `cost` has an entry where there is a route; who has none to any usable candidate is left out.
    terms : Terms
        `weighted`: costs times people, and people are counted; otherwise every demand point counts as 1, also one of nobody.
    stop : Stop

    Returns
    -------
    Plan
        Its stages: ``reached``, the demand points (people if weighted) with a route to a chosen site, and ``cost``, the largest cost of
        these, whose bound is below.
    """
    table = CostTable.of(asked, asked.people if terms.weighted else np.ones(len(asked.demand)))
    if terms.weighted:
        weights = np.repeat(table.weight, np.diff(table.cost.indptr))
        table = replace(table, cost=csr_array((table.cost.data * weights, table.cost.indices, table.cost.indptr), shape=table.cost.shape))
    reached = most_reached(table, stop)
    if reached.status == "infeasible":
        return Plan((), (), "infeasible", (), METHOD)
    found = _search(table, reached, stop)
    is_proven = found.bound == found.radius and reached.status == "optimal"
    first = StageValue("reached", table.reached(found.chosen), max(reached.bound, reached.weight))
    value = StageValue("cost", found.radius, found.bound)
    return plan_of(table, found.chosen, (first, value), is_proven=is_proven, method=METHOD)


class _Found(NamedTuple):
    """A plan, its radius, and the radius that none is below."""

    chosen: Mask
    radius: float
    bound: float


def _radius(table: CostTable, chosen: Mask) -> float:
    least = table.least(chosen)
    return float(np.max(least[np.isfinite(least)], initial=0.0))


def _search(table: CostTable, reached: Reached, stop: Stop) -> _Found:
    """Find the least of the costs there are within which all are served who can be."""
    everybody = math.fsum(table.weight) - reached.weight < table.same_weight
    low = float(np.max(table.least(table.usable), initial=0.0)) if everybody else 0.0
    radius = _radius(table, reached.chosen)
    radii = np.unique(table.cost.data[(table.cost.data >= low) & (table.cost.data <= radius)])
    left = _Left(table, radii, reached.chosen, 0, max(radii.size - 1, 0))
    if everybody and is_plain(table.sites):
        left = _by_number(left, stop)
    else:
        left = _halve(left, _by_rules(table, reached, everybody=everybody), stop)
    radius = _radius(table, left.best)
    best = _tidied(table, left.best, radius) if is_plain(table.sites) else left.best
    return _Found(best, radius, float(radii[left.first]) if radii.size else radius)


def _tidied(table: CostTable, chosen: Mask, radius: float) -> Mask:
    """Exchange sites for smaller ones as long as the same demand is within the radius: of equal plans one with small ids is given."""
    sites, cost, chosen = table.sites, table.cost, chosen.copy()
    near = csr_array(((cost.data <= radius).astype(np.float64), cost.indices, cost.indptr), shape=cost.shape)
    for at in np.flatnonzero(chosen & ~sites.always)[::-1]:
        alone = np.flatnonzero((near @ chosen == 1.0) & (near[:, [at]].toarray().ravel() > 0))
        serves = near[alone].sum(axis=0) == alone.size
        instead = np.flatnonzero(serves & ~chosen & ~sites.forbidden)
        if instead.size and instead[0] < at:
            chosen[at], chosen[instead[0]] = False, True
    return chosen


@dataclass(frozen=True, eq=False)
class _Left:
    """What the least radius may still be: one of ``radii[first : last + 1]``. The plan `best` has the last of them."""

    table: CostTable
    radii: Numbers
    best: Mask
    first: int
    last: int

    def told(self, at: int, answer: Answer) -> _Left:
        """Take an answer for one of the radii; the same if it is not known."""
        if answer.chosen is not None:
            best = self.table.sites.always.copy()
            best[answer.chosen] = True
            last = int(np.searchsorted(self.radii, _radius(self.table, best)))
            return replace(self, best=best, last=min(last, at))
        return replace(self, first=at + 1) if answer.is_impossible else self


Ask = Callable[[float, Stop], Answer]


def _halve(left: _Left, ask: Ask, stop: Stop, *, unknown_is: Literal["end", "too small", "large enough"] = "end") -> _Left:
    """Ask for the radius in the middle, until one is left."""
    first, last = left.first, left.last
    while first < last and stop.reason is None:
        middle = (first + last) // 2
        answer = ask(float(left.radii[middle]), stop)
        left = left.told(middle, answer)
        is_known = answer.chosen is not None or answer.is_impossible
        if not is_known and unknown_is == "end":
            break
        first = max(left.first, first if is_known or unknown_is == "large enough" else middle + 1)
        last = min(left.last, last if is_known or unknown_is == "too small" else middle)
    return left


def _by_number(left: _Left, stop: Stop) -> _Left:
    """Plans by local search, radii ruled out by linear relaxation; then the largest that is neither, until there is none, by the solver."""
    asked = _AnyNumber(left.table)
    left = _halve(left, lambda radius, stop: asked.answer(radius, lambda cover: cover.search(FEW, stop)), stop, unknown_is="too small")
    left = _halve(left, lambda radius, stop: asked.answer(radius, lambda cover: cover.relax(stop)), stop, unknown_is="large enough")
    while left.first < left.last and stop.reason is None:
        at, before = left.last - 1, left  # if this one is too small, all are
        radius = float(left.radii[at])
        left = left.told(at, asked.answer(radius, lambda cover: cover.search(MANY, stop)))
        if left is before:
            left = left.told(at, asked.answer(radius, lambda cover: cover.solve(stop)))
        if left is before:
            break
    return left


@dataclass(frozen=True, eq=False)
class _AnyNumber:
    """Questions of a number of sites alone; the reduced question of the last radius is kept."""

    table: CostTable

    def answer(self, radius: float, ask: Callable[[Cover], Answer]) -> Answer:
        """Ask within a radius, unless the reductions answer."""
        sites, cost = self.table.sites, self.table.cost
        row, within = np.repeat(np.arange(cost.shape[0]), np.diff(cost.indptr)), cost.data <= radius
        covers = np.zeros(cost.shape, dtype=np.bool_)
        covers[row[within], cost.indices[within]] = True
        open_sites = np.flatnonzero(~sites.forbidden & ~sites.always)
        need = int(sites.total or 0) - int(sites.fixed.sum())
        cover = Cover.of(covers[~covers[:, sites.always].any(axis=1)][:, open_sites], need)
        answer = cover.settled or ask(cover)
        if answer.chosen is None:
            return answer
        rest = np.setdiff1d(np.arange(open_sites.size), answer.chosen)  # there are to be so many: the first of the others
        return Answer(open_sites[np.concatenate([answer.chosen, rest[: need - answer.chosen.size]])], is_impossible=False)


def _by_rules(table: CostTable, reached: Reached, *, everybody: bool) -> Ask:
    """Ask the solver whether some plan that keeps the rules reaches within a radius as many as can be reached at all."""

    def ask(radius: float, stop: Stop) -> Answer:
        near = table.cost.copy()
        near.data = (near.data <= radius).astype(np.float64)
        near.eliminate_zeros()
        near = csr_array(near, dtype=np.bool_)
        floor = None if everybody else (CoverStage("within", near, table.weight), reached.weight)
        found = any_plan(Covering(sites=table.sites, stages=(), must=near if everybody else None, floor=floor), stop)
        return Answer(None if found.vehicles is None else np.flatnonzero(found.vehicles > 0), is_impossible=found.is_infeasible)

    return ask
