"""In which order to build the new sites of a plan, so that most people are served on the way; and what it costs to build on.

The order is best for the sum over its steps of what is achieved after each (people-years, if a site is built a year), the most important
stage first. Up to 15 new sites it is exact: dynamic programming over their 2ⁿ parts (Held & Karp 1962, doi:10.1137/0110015, without the
distances). Beyond that the best next site is taken at each step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse.csgraph import maximum_bipartite_matching

from scenarios.siting.question import Asked, Ints, Mask, Model, Numbers, Terms
from scenarios.siting.result import SitingResult, StageValue
from scenarios.siting.worth import Goal, goals_on_the_way

MOST_EXACT: Final = 15  # new sites
MOST_EXACT_FLOWS: Final = 7  # where each part is a flow of its own


class BuildStep(NamedTuple):
    """A site that is built, and what is achieved then.

    Attributes
    ----------
    site : str
    instead : str or None
        The site whose place it takes, which stands until then.
    sites : int
        In all, then.
    stages : tuple of float
        What is achieved then.
    best : tuple of StageValue
        What as many sites could achieve at best, were they chosen anew; empty where that is not known.
    """

    site: str
    instead: str | None
    sites: int
    stages: tuple[float, ...]
    best: tuple[StageValue, ...]


@dataclass(frozen=True, kw_only=True)
class BuildOrder:
    """The new sites of a plan in the order in which to build them.

    Attributes
    ----------
    model : str
    standing : tuple of str
        The plan's sites that are there already, sorted.
    stages : tuple of str
        Names of what is achieved, the most important first.
    before : tuple of float
        What is achieved before the first is built.
    steps : tuple of BuildStep
    exact : bool
        Whether no order is better; otherwise the best next site was taken at each step.
    """

    model: Model
    standing: tuple[str, ...]
    stages: tuple[str, ...]
    before: tuple[float, ...]
    steps: tuple[BuildStep, ...]
    exact: bool


def build_order(
    asked: Asked,
    model: Model,
    terms: Terms,
    plan: SitingResult,
    *,
    standing: Collection[str] | None = None,
    best: Mapping[int, SitingResult] | None = None,
) -> BuildOrder:
    """Put the new sites of a plan in the order that serves most on the way; of equal orders the one with the smaller ids first.

    Parameters
    ----------
    asked : Asked
    model : str
        What is achieved after each step is what this model makes best.
    terms : Terms
    plan : SitingResult
        With its vehicles.
    standing : collection of str, optional
        Sites that are there already; the fixed and movable ones unless given. One that the plan moves stands until its successor does; one
        that it closes is gone from the start.
    best : mapping of int to SitingResult, optional
        The best choice of each number of sites (``Curve.results``), against which each step is held.

    Returns
    -------
    BuildOrder
        Never better than `best` at any number of sites: that is what building on costs.
    """
    parts = _parts(asked, plan, standing)
    goals = goals_on_the_way(asked, model, terms, _vehicles(asked, plan))
    most = MOST_EXACT_FLOWS if model == "cmclp" else MOST_EXACT
    exact = len(parts.new) <= most
    order = _best_order(goals, parts) if exact else _greedy_order(goals, parts)
    steps = []
    for done in range(1, len(order) + 1):
        here = parts.after(order[:done])
        number = int(asked.sites.counted[here].sum())
        found = (best or {}).get(number)
        steps.append(
            BuildStep(
                site=asked.sites.id[parts.new[order[done - 1]]],
                instead=None if parts.instead[order[done - 1]] < 0 else asked.sites.id[parts.instead[order[done - 1]]],
                sites=number,
                stages=tuple(goal.of(here) for goal in goals),
                best=found.stages if found else (),
            )
        )
    return BuildOrder(
        model=model,
        standing=tuple(sorted(asked.sites.id[at] for at in parts.base if asked.sites.counted[at])),
        stages=tuple(goal.name for goal in goals),
        before=tuple(goal.of(parts.after([])) for goal in goals),
        steps=tuple(steps),
        exact=exact,
    )


class _Parts(NamedTuple):
    """Positions of the sites that are there from the start, of the new ones by id, of those that stand until each new one does (or -1)."""

    base: Ints
    new: Ints
    instead: Ints

    def after(self, built: Sequence[int]) -> Ints:
        """Which sites there are when some of the new ones are built."""
        is_built = np.isin(np.arange(len(self.new)), built)
        waiting = self.instead[~is_built]
        return np.concatenate([self.base, self.new[is_built], waiting[waiting >= 0]])


def _parts(asked: Asked, plan: SitingResult, standing: Collection[str] | None) -> _Parts:
    sites = asked.sites
    ids = np.array(sites.id, dtype=object)
    chosen = np.isin(ids, list(plan.sites))
    there = sites.fixed | sites.movable if standing is None else np.isin(ids, list(standing))
    new = np.array(sorted(np.flatnonzero(chosen & ~there), key=lambda at: sites.id[at]), dtype=np.int64)
    return _Parts(np.flatnonzero(chosen & there | sites.background), new, _moved(asked, chosen, new))


def _moved(asked: Asked, chosen: Mask, new: Ints) -> Ints:
    """Which movable site each new one replaces: any pairing that the rules allow."""
    instead = np.full(len(new), -1, dtype=np.int64)
    gone = np.array(sorted(np.flatnonzero(asked.sites.movable & ~chosen), key=lambda at: asked.sites.id[at]), dtype=np.int64)
    if len(gone) and len(new):
        allowed = asked.sites.replaces[gone][:, new]
        of_gone = maximum_bipartite_matching(allowed.astype(np.int8), perm_type="column")
        instead[of_gone[of_gone >= 0]] = gone[of_gone >= 0]
    return instead


def _vehicles(asked: Asked, plan: SitingResult) -> Ints:
    count = asked.sites.vehicles.copy()
    number = {one: at for at, one in enumerate(asked.sites.id)}
    for one, vehicles in zip(plan.sites, plan.vehicles, strict=False):
        count[number[one]] = vehicles
    return count


def _best_order(goals: Sequence[Goal], parts: _Parts) -> list[int]:
    """Work backwards from the whole plan: the best sum of what is achieved from each part on, then the way that has it."""
    count = len(parts.new)
    values = [goal.sense * goal.of_parts(parts.base, parts.new, parts.instead) for goal in goals]
    same = [goal.same * max(count, 1) for goal in goals]
    onward = [np.zeros(2**count) for _ in goals]
    every = np.arange(2**count)
    size = np.bitwise_count(every)
    for built in range(count - 1, -1, -1):
        now = every[size == built]
        best = _best_next(now, values, onward, same)[1]
        for stage, achieved in zip(onward, best, strict=True):
            stage[now] = achieved
    order, here = [], 0
    for _ in range(count):
        following = int(_best_next(np.array([here]), values, onward, same)[0][0])
        order.append(following)
        here |= 1 << following
    return order


def _best_next(now: Ints, values: Sequence[Numbers], onward: Sequence[Numbers], same: Sequence[float]) -> tuple[Ints, list[Numbers]]:
    """Find the site to build next from each part, and the sums by stage from there on; stages in turn, of equal sites the first."""
    count = int(values[0].size).bit_length() - 1
    bit = 1 << np.arange(count)
    is_left = (now[:, None] & bit) == 0
    then = now[:, None] | bit
    sums = [np.where(is_left, value[then] + rest[then], -np.inf) for value, rest in zip(values, onward, strict=True)]
    among = is_left
    for stage, margin in zip(sums, same, strict=True):
        top = np.where(among, stage, -np.inf).max(axis=1, keepdims=True)
        among = among & (stage >= top - margin)
    following = among.argmax(axis=1)
    return following, [stage[np.arange(len(now)), following] for stage in sums]


def _greedy_order(goals: Sequence[Goal], parts: _Parts) -> list[int]:
    """Take the site that achieves most at each step."""
    order: list[int] = []
    left = list(range(len(parts.new)))
    while left:
        achieved = np.array([[goal.sense * goal.of(parts.after([*order, one])) for goal in goals] for one in left])
        among = np.ones(len(left), dtype=np.bool_)
        for stage, goal in enumerate(goals):
            among &= achieved[:, stage] >= achieved[among, stage].max() - goal.same
        order.append(left.pop(int(among.argmax())))
    return order
