"""Proof for the p-median: a Lagrangian bound, candidates ruled in or out by it, and a search over what is left.

Every demand point is given a price that it pays to be served at all. At any prices, the sum of the prices and of what the best `need`
candidates are worth at them is a lower bound (Cornuéjols, Fisher & Nemhauser 1977, doi:10.1287/mnsc.23.8.789). A subgradient raises it. A
candidate whose opening would lift the bound to the best plan is ruled out, one whose closing would is ruled in; the search branches on
the rest. Bounds are sums of float64; what rounding can hide is taken off before anything is called proven.
"""

from __future__ import annotations

import heapq
import itertools
import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from scenarios.siting.median.keep import Rules
from scenarios.siting.median.loops import Ascent, Rows, ascend, lower_caps, strike
from scenarios.siting.median.swaps import Choice, improve
from scenarios.siting.question import Ints, Mask, Numbers
from scenarios.siting.stop import Stop

ROUNDS: Final = 20  # of the ascent between looks at what can be ruled out
ROOT_TURNS: Final = 40
THOROUGH: Final = 8  # turns at the root whose plan is improved by swaps
NEARLY: Final = 0.002
OFTEN, OFTEN_MORE = 4, 20  # so many of the candidates opened most often, times the number of sites, and more, are mixed with a plan
NODE_TURNS: Final = 4
PACE: Final = 0.5  # of the way to the best plan's cost, along the first steps
LEAST_TURN: Final = 0.02  # of the gap: a turn that raises the bound by less is the last, branching does more
LEAST_SCALE: Final = 1e-3  # of the mean price: so freely even the least price moves
LEAST_STRUCK: Final = 0.1  # of the candidates: fewer are not worth sorting anew


class Proof(NamedTuple):
    """The best plan (sorted positions), its cost, a number that no plan can beat, whether they meet, and how many branches it took."""

    chosen: Ints
    cost: float
    bound: float
    is_closed: bool
    branches: int


def prove(choice: Choice, start: Ints, *, same: float, stop: Stop) -> Proof:
    """Search until no better plan can exist, or until it must stop.

    Parameters
    ----------
    choice : Choice
    start : (need,) int64
        A plan to begin with: positions of candidates.
    same : float
        Plans that differ by no more than this are the same; 0 if every plan's cost is a whole number: then bounds are rounded up.
    stop : Stop
    """
    best = _Best(choice, np.sort(start), choice.cost_of(start), same)
    root = _Core.of(choice)
    first = _climb(best, root, _first_prices(choice, best), 0.0, ROOT_TURNS, stop)
    branches, number, open_branches = 1, itertools.count(), []
    if first is not None:
        open_branches = [(first.bound, next(number), first)]
    while open_branches and stop.reason is None:
        bound, _, parent = heapq.heappop(open_branches)
        if best.is_closed(bound):
            continue
        for core in _children(parent, choice.rules):
            branches += 1
            if (child := _climb(best, core, parent.price, bound, NODE_TURNS, stop)) is not None:
                heapq.heappush(open_branches, (child.bound, next(number), child))
    bound = min([best.cost, *(bound for bound, _, _ in open_branches)])
    return Proof(best.chosen, best.cost, best.whole(bound), best.is_closed(bound), branches)


@dataclass(eq=False)
class _Best:
    """The best plan so far."""

    choice: Choice
    chosen: Ints
    cost: float
    same: float
    known: set[bytes] = field(default_factory=set)

    def offer(self, chosen: Ints, stop: Stop) -> None:
        """Take a plan if it is better, and what swaps make of it."""
        chosen = np.sort(chosen)
        if self._is_known(chosen):
            return
        if not self.choice.rules.allow(chosen):
            return
        cost = self.choice.cost_of(chosen)
        if cost < self.cost:
            self.chosen, self.cost = improve(self.choice, chosen, stop)

    def mix(self, chosen: Ints, often: Ints, stop: Stop) -> None:
        """Make a plan of a new one, the best one and candidates that were often opened; improve it with all if it is near the best."""
        sites = np.unique(np.concatenate([chosen, often, self.chosen]))
        if self._is_known(sites):
            return
        start = np.sort(chosen) if self.choice.rules.allow(chosen) else self.chosen
        few, cost = improve(self.choice.among(sites), np.searchsorted(sites, start), stop)
        if cost < self.cost * (1.0 + NEARLY) and not self._is_known(sites[few]):
            found, cost = improve(self.choice, sites[few], stop)
            if cost < self.cost:
                self.chosen, self.cost = found, cost

    def _is_known(self, sites: Ints) -> bool:
        """Whether these were looked at before; they are from now on."""
        key = sites.tobytes()
        was_known = key in self.known
        self.known.add(key)
        return was_known

    def whole(self, bound: float) -> float:
        """Round a bound up if all plans cost whole numbers."""
        return min(math.ceil(bound), self.cost) if self.same == 0.0 else bound

    def is_closed(self, bound: float) -> bool:
        """Whether a bound leaves no room for a better plan."""
        return self.whole(bound) >= self.cost - self.same


@dataclass(frozen=True, eq=False)
class _Core:
    """What is left to choose from: the nearest open candidates of each demand point, by demand point and by candidate.

    Attributes
    ----------
    near, turned : Rows
    cap : (demand,) float64
        What each demand point pays at most, times people.
    sites, opened : int64
        Positions in the choice: of what may still be chosen, of what is already.
    need : int
        How many more.
    """

    near: Rows
    turned: Rows
    cap: Numbers
    sites: Ints
    opened: Ints
    need: int

    @classmethod
    def of(cls, choice: Choice) -> _Core:
        """All open candidates, none opened."""
        sites = np.flatnonzero(choice.is_open)
        cap = choice.cap * choice.people
        near, turned = strike(choice.near, cap, _numbered(choice.is_open), sites.size)
        return cls(near, turned, cap, sites, np.zeros(0, dtype=np.int64), choice.need)

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to choose."""
        return self.need in {0, self.sites.size}

    def rule(self, is_in: Mask, is_out: Mask) -> _Core:
        """Open some, strike some."""
        cap, stays = self.cap.copy(), ~(is_in | is_out)
        lower_caps(self.near, is_in, cap)
        near, turned = strike(self.near, cap, _numbered(stays), int(stays.sum()))
        opened = np.concatenate([self.opened, self.sites[is_in]])
        return _Core(near, turned, cap, self.sites[stays], opened, self.need - int(is_in.sum()))


def _numbered(stays: Mask) -> Ints:
    return np.where(stays, np.cumsum(stays) - 1, -1)


@dataclass(frozen=True, eq=False)
class _Bounded:
    """What the ascent made of a branch: its bound, the prices that give it, how often each candidate was opened, the last plan."""

    core: _Core
    bound: float
    price: Numbers
    share: Numbers
    plan: Ints


def _first_prices(choice: Choice, best: _Best) -> Numbers:
    """Between the nearest and the second of a good plan."""
    served = choice.serve(best.chosen)
    cap = choice.cap * choice.people
    return np.minimum((served.one_cost + np.minimum(served.two_cost, cap)) / 2.0, cap)


def _climb(best: _Best, core: _Core, price: Numbers, bound: float, turns: int, stop: Stop) -> _Bounded | None:  # noqa: PLR0917  all are data
    """Raise the bound of a branch, ruling candidates in and out; None if nothing better than the best plan is in it."""
    rules, plan = best.choice.rules, best.chosen
    share, pace, step = np.full(core.sites.size, core.need / max(core.sites.size, 1)), PACE, np.zeros(price.size)
    for turn in range(turns):
        if (out := rules.excluded(core.opened, core.sites)).any():
            core, share = core.rule(np.zeros_like(out), out), share[~out]
        if core.sites.size < core.need or rules.is_hopeless(core.opened, core.sites):
            return None
        if core.is_settled or (stop.reason is not None and bound > 0.0):  # some bound there is to be
            break
        price = np.minimum(price, core.cap)
        scale = np.sqrt(np.maximum(price, LEAST_SCALE * price.mean()))
        ascent = Ascent(price.copy(), scale, price.copy(), np.zeros(core.sites.size), share, step)
        raised, pace = ascend(core.near, core.turned, core.cap, core.need, best.cost, pace, ROUNDS, ascent)
        price, reduced = ascent.best_price, ascent.best_reduced
        order = np.argsort(reduced, kind="stable")
        raised -= _hidden(price, reduced[order[: core.need]])
        plan = np.concatenate([core.opened, core.sites[order[: core.need]]])
        best.offer(plan, stop)
        if turns == ROOT_TURNS and 0 < turn <= THOROUGH:
            best.mix(plan, core.sites[np.argsort(-share, kind="stable")[: OFTEN * core.need + OFTEN_MORE]], stop)
        rise, bound = raised - bound, max(bound, raised)
        if best.is_closed(bound):
            return None
        is_in, is_out = _ruled(best, raised, reduced, order, core.need)
        if is_in.any() or is_out.sum() > LEAST_STRUCK * is_out.size:
            core, share = core.rule(is_in, is_out), share[~(is_in | is_out)]
        if turn and rise < LEAST_TURN * (best.cost - bound):
            break
    if core.is_settled:
        best.offer(np.concatenate([core.opened, core.sites[: core.need]]), stop)
        return None
    return _Bounded(core, bound, price, share, plan)


def _hidden(price: Numbers, reduced: Numbers) -> float:
    """Hold what rounding can hide in a bound: every number is a sum of at most so many terms of one sign."""
    terms = price.size + reduced.size + 8
    return 2.0 * terms * np.finfo(np.float64).eps * float(price.sum() - reduced.sum())


def _ruled(best: _Best, bound: float, reduced: Numbers, order: Ints, need: int) -> tuple[Mask, Mask]:
    """Which candidates every better plan has, and which none has."""
    least = best.cost - (best.same or 1.0)
    is_in, is_out = np.zeros(reduced.size, dtype=np.bool_), np.zeros(reduced.size, dtype=np.bool_)
    chosen, rest = order[:need], order[need:]
    is_out[rest] = bound + (reduced[rest] - reduced[chosen[-1]]) > least
    is_in[chosen] = bound + (reduced[rest[0]] - reduced[chosen]) > least
    return is_in, is_out


def _children(parent: _Bounded, rules: Rules) -> list[_Core]:
    """Branch on a candidate: once with it, once without.

    On one that stands in the way of the rules, if the last plan breaks any; otherwise on one that is opened about half the time.
    """
    core = parent.core
    asked = rules.in_question(parent.plan, core.sites)
    at = int(np.where(asked, parent.share, -1.0).argmax() if asked.any() else np.abs(parent.share - 0.5).argmin())
    this, none = np.arange(core.sites.size) == at, np.zeros(core.sites.size, dtype=np.bool_)
    return [core.rule(this, none), core.rule(none, this)]
