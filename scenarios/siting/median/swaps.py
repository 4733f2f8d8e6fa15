"""Good plans for the p-median: greedy, then swaps as long as one helps.

The vertex substitution of Teitz & Bart 1968 (doi:10.1287/opre.16.5.955), each step the best swap of all, found from sums that are kept up
to date as Whitaker 1983 and Resende & Werneck 2007 (doi:10.1016/j.ejor.2005.05.028) do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.median.keep import Rules
from scenarios.siting.median.loops import OUTSIDE, Rows, Served, Worth, affected, among, nearest, room, serve, weigh
from scenarios.siting.question import Ints, Mask, Numbers
from scenarios.siting.stop import Stop

NEAR_SHARE: Final = 3  # nearest candidates kept ready: so many times those that a site would serve if all served alike
LEAST_NEAR: Final = 48
SAMPLE: Final = 1_000_000  # costs that a first plan is made from, about
SAME_SHARE: Final = 1e-12  # a swap must save more than this share of the total: less is rounding


@dataclass(frozen=True, eq=False)
class Choice:
    """Choose `need` open candidates so that people pay least, each the least of `outside` and the costs to the chosen.

    Attributes
    ----------
    rows : Rows
        Costs a person, candidates in order.
    people, outside : (demand,) float64
    is_open : (candidates,) bool
    need : int
    near : Rows
        The nearest open candidates of each demand point, nearest first, costs times people.
    cap : (demand,) float64
        No open candidate that costs less than this a person is missing from `near`.
    rules : Rules
        What a plan must keep besides.
    """

    rows: Rows
    people: Numbers
    outside: Numbers
    is_open: Mask
    need: int
    near: Rows
    cap: Numbers
    rules: Rules

    @classmethod
    def of(cls, rows: Rows, people: Numbers, outside: Numbers, is_open: Mask, need: int, rules: Rules) -> Choice:  # noqa: PLR0917
        """Sort the nearest candidates of each demand point."""
        enough = max(LEAST_NEAR, NEAR_SHARE * is_open.size // max(need, 1))
        kept, cap = room(rows, outside, is_open, enough)
        start = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
        near = Rows(start, np.empty(start[-1], dtype=np.int32), np.empty(start[-1]))
        nearest(rows, people, cap, is_open, near)
        return cls(rows, people, outside, is_open, need, near, cap, rules)

    def some(self, every: int) -> Choice:
        """Keep one demand point of so many."""
        if every == 1:
            return self
        first, at, cost = self.rows
        kept = csr_array((cost, at, first), shape=(self.people.size, self.is_open.size))[::every]
        return Choice.of(
            Rows(kept.indptr.astype(np.int64), kept.indices, kept.data),
            self.people[::every],
            self.outside[::every],
            self.is_open,
            self.need,
            self.rules,
        )

    def among(self, sites: Ints) -> Choice:
        """Leave only some candidates (sorted positions) to choose from."""
        number = np.full(self.is_open.size, -1)
        number[sites] = np.arange(sites.size)
        return Choice.of(
            among(self.rows, number), self.people, self.outside, np.ones(sites.size, dtype=np.bool_), self.need, self.rules.among(sites)
        )

    def cost_of(self, chosen: Ints) -> float:
        """What everybody pays in all, exactly rounded."""
        return math.fsum(self.serve(chosen).one_cost)

    def serve(self, chosen: Ints) -> Served:
        """Who is nearest and second to each demand point."""
        count = self.people.size
        served = Served(np.empty(count, np.int64), np.empty(count), np.empty(count, np.int64), np.empty(count))
        serve(self.rows, self.people, self.outside, chosen, np.arange(count), served)
        return served


def begin(choice: Choice, known: Ints, stop: Stop) -> Ints:
    """Make a plan for some of the demand points, all if they are few: greedy, which is never stopped, then swaps.

    Where the greedy plan does not keep the rules, swaps begin from a plan that is known to.
    """
    some = choice.some(max(1, choice.rows.at.size // SAMPLE))
    first = greedy(some)
    return improve(some, first if choice.rules.allow(first) else known, stop)[0]


def greedy(choice: Choice) -> Ints:
    """Add the candidate that saves most, until there are enough; of equal ones the first."""
    swaps = _Swaps.of(choice, np.full(choice.need, OUTSIDE, dtype=np.int64))
    for place in range(choice.need):
        swaps.make(place, int(np.where(swaps.may_come(), swaps.worth.gain, -np.inf).argmax()))
    return swaps.chosen


def improve(choice: Choice, start: Ints, stop: Stop) -> tuple[Ints, float]:
    """Make the best swap as long as there is one that saves something; the plan (sorted) and its cost."""
    swaps = _Swaps.of(choice, start.copy())
    cost = math.fsum(swaps.served.one_cost)
    best, best_cost = np.sort(start), cost
    while stop.reason is None and choice.need:
        site, place = swaps.best(SAME_SHARE * cost)
        if site == OUTSIDE:
            break
        swaps.make(place, site)
        cost = math.fsum(swaps.served.one_cost)
        if not cost < best_cost:
            break
        best, best_cost = np.sort(swaps.chosen), cost
    return best, best_cost


def tidy(choice: Choice, chosen: Ints) -> Ints:
    """Exchange candidates for smaller ones as long as nothing is lost: of equal plans one with small ids is given."""
    swaps = _Swaps.of(choice, chosen.copy())
    cost = math.fsum(swaps.served.one_cost)
    while choice.need:
        is_equal = swaps.saves() == 0.0
        is_equal &= np.arange(choice.is_open.size)[:, None] < swaps.chosen[None, :]
        place = int(np.where(is_equal.any(axis=0), swaps.chosen, -1).argmax())
        if not is_equal[:, place].any():
            break
        before = swaps.chosen.copy()
        swaps.make(place, int(is_equal[:, place].argmax()))
        if math.fsum(swaps.served.one_cost) != cost or not choice.rules.allow(swaps.chosen):  # sums of fractions may not be equal after all
            return np.sort(before)
    return np.sort(swaps.chosen)


@dataclass(frozen=True, eq=False)
class _Swaps:
    """A plan, who serves whom under it, and what each swap would save; kept up to date in place."""

    choice: Choice
    chosen: Ints
    served: Served
    worth: Worth

    @classmethod
    def of(cls, choice: Choice, chosen: Ints) -> _Swaps:
        count, everybody = choice.is_open.size, np.arange(choice.people.size)
        worth = Worth(np.zeros(count), np.zeros(choice.need), np.zeros((count, choice.need)))
        swaps = cls(choice, chosen, choice.serve(chosen), worth)
        swaps._weigh(everybody, 1.0)
        return swaps

    def may_come(self) -> Mask:
        """(candidates,) bool: open, and not chosen yet."""
        free = self.choice.is_open.copy()
        free[self.chosen[self.chosen != OUTSIDE]] = False
        return free

    def saves(self) -> Numbers:
        """(candidates, places): what the total falls by if the candidate comes and the one at the place goes."""
        saves = self.worth.gain[:, None] - self.worth.loss[None, :] + self.worth.extra
        saves[~self.may_come()] = -np.inf
        return saves

    def best(self, least: float) -> tuple[int, int]:
        """Find the swap that saves most and keeps the rules: who comes, and at which place; OUTSIDE if none saves more than the least."""
        saves = self.saves()
        if not self.choice.rules.binding:
            site, place = divmod(int(saves.argmax()), self.choice.need)
            return (site, place) if saves[site, place] > least else (OUTSIDE, OUTSIDE)
        helps = np.flatnonzero(saves.ravel() > least)
        for at in helps[np.argsort(-saves.ravel()[helps], kind="stable")]:
            site, place = divmod(int(at), self.choice.need)
            plan = self.chosen.copy()
            plan[place] = site
            if self.choice.rules.allow(plan):
                return site, place
        return OUTSIDE, OUTSIDE

    def make(self, place: int, site: int) -> None:
        """Put `site` at `place` instead of what is there."""
        choice = self.choice
        leaves = place if self.chosen[place] != OUTSIDE else OUTSIDE - 1  # nobody is served from an empty place
        changed = affected(choice.rows, choice.people, self.served, leaves, site)
        self._weigh(changed, -1.0)
        self.chosen[place] = site
        serve(choice.rows, choice.people, choice.outside, self.chosen, changed, self.served)
        self._weigh(changed, 1.0)

    def _weigh(self, persons: Ints, sign: float) -> None:
        choice = self.choice
        weigh(choice.rows, choice.near, choice.cap, choice.people, self.served, persons, sign, self.worth)
