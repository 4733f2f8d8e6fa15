"""What any choice of sites is worth under a model, counted on the raw matrices: one choice, or all parts of one at once.

It shares no code with the searches that find plans. All parts of a plan of n sites are 2ⁿ choices: each demand point's state (how many
vehicles cover it, the busy shares multiplied, the least cost) is built for all of them by doubling, one site more at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from scipy.sparse import csc_array, csr_array

from scenarios.siting.covering.models import covering_of
from scenarios.siting.flow import served_within
from scenarios.siting.models import LEAST
from scenarios.siting.question import Asked, CoverStage, Ints, Model, Numbers, Terms

SAME_SHARE: Final = 1e-9  # of all people: choices nearer than this are equally good (cover.py says why)
MOST_CELLS: Final = 2**22  # states held at once: 32 MB
NEUTRAL: Final[dict[str, float]] = {"add": 0.0, "multiply": 1.0, "minimum": np.inf}
REACHED: Final = "reached"  # first stage of p-median and p-center: who has a route


@dataclass(frozen=True, eq=False)
class Measure:
    """One thing that a model makes as large, or as small, as it can.

    Attributes
    ----------
    name : str
        That of the stage.
    sense : 1 or -1
        Whether more is better, or less.
    people : (demand,) float64
    own : (demand, candidates) sparse float64
        What each candidate does to the state of each demand point; nothing where there is no entry.
    combine : "add", "multiply" or "minimum"
        How the states of several candidates become one.
    worth : callable
        From states to what a person is worth, elementwise.
    largest : bool
        The largest worth of any demand point counts, not the sum over people.
    """

    name: str
    sense: Literal[1, -1]
    people: Numbers
    own: csc_array
    combine: Literal["add", "multiply", "minimum"]
    worth: Callable[[Numbers], Numbers]
    largest: bool = False

    @property
    def same(self) -> float:
        """Differences smaller than this are none."""
        return SAME_SHARE * max(math.fsum(self.people), 1.0)

    def of(self, chosen: Ints) -> float:
        """What chosen candidates (positions) are worth together."""
        worth = self.worth(self._state(chosen))
        if self.largest:
            return float(worth.max(initial=0.0))
        return math.fsum(self.people * worth)

    def of_parts(self, base: Ints, new: Ints, instead: Ints) -> Numbers:
        """What every part of some new sites is worth, on top of others.

        Parameters
        ----------
        base : (sites,) int64
            Those that are there in any case.
        new : (n,) int64
        instead : (n,) int64
            The site that stands until the new one does, -1 where there is none.

        Returns
        -------
        (2 ** n,) float64
            At k: of the new sites whose bits are set in k (bit 0: the first).
        """
        combine = self._combine()
        told, people = _merged(np.column_stack([self._state(base), self._dense(new), self._dense(instead)]), self.people)
        values = np.zeros(2 ** len(new))
        step = max(1, MOST_CELLS // len(values))
        for at in range(0, len(told), step):
            some = told[at : at + step]
            state = some[:, :1]
            for site in range(len(new)):
                before, after = some[:, [1 + len(new) + site]], some[:, [1 + site]]
                state = np.hstack([combine(state, before), combine(state, after)])
            worth = self.worth(state)
            values = np.maximum(values, worth.max(axis=0, initial=0.0)) if self.largest else values + people[at : at + step] @ worth
        return values

    def with_one_more(self, chosen: Ints) -> Numbers:
        """(candidates,) what the chosen candidates are worth together with each one more, that is none of them."""
        state, combine = self._state(chosen), self._combine()
        worth, values = self.worth(state), np.zeros(self.own.shape[1])
        whole = math.fsum(self.people * worth)
        for column in range(len(values)):
            entries = slice(self.own.indptr[column], self.own.indptr[column + 1])
            at = self.own.indices[entries]
            then = self.worth(combine(state[at], self.own.data[entries]))
            if self.largest:
                rest = worth.copy()
                rest[at] = then
                values[column] = rest.max(initial=0.0)
            else:
                values[column] = whole + float((self.people[at] * (then - worth[at])).sum())
        return values

    def _combine(self) -> np.ufunc:
        return getattr(np, self.combine)  # type: ignore[no-any-return]  # one of three ufuncs

    def _state(self, chosen: Ints) -> Numbers:
        """(demand,) the state when these candidates are chosen."""
        combine, state = self._combine(), np.full(self.own.shape[0], NEUTRAL[self.combine])
        for column in chosen.tolist():
            entries = slice(self.own.indptr[column], self.own.indptr[column + 1])
            at = self.own.indices[entries]
            state[at] = combine(state[at], self.own.data[entries])
        return state

    def _dense(self, columns: Ints) -> Numbers:
        """Column by column what candidates do, the neutral element where nothing (and for a column of -1)."""
        dense = np.full((self.own.shape[0], len(columns)), NEUTRAL[self.combine])
        for at, column in enumerate(columns.tolist()):
            if column >= 0:
                entries = slice(self.own.indptr[column], self.own.indptr[column + 1])
                dense[self.own.indices[entries], at] = self.own.data[entries]
        return dense


def _merged(told: Numbers, people: Numbers) -> tuple[Numbers, Numbers]:
    """Take demand points together that the same sites serve alike; sorted, so that sums do not depend on the order of the input."""
    order = np.lexsort((people, *told.T[::-1]))
    unique, group = np.unique(told[order], axis=0, return_inverse=True)
    return unique, np.asarray(np.bincount(group.ravel(), weights=people[order], minlength=len(unique)), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Flow:
    """People served by sites of limited capacity: a flow for each choice (cmclp). As :class:`Measure` otherwise."""

    name: str
    near: csr_array
    people: Numbers
    capacity: Numbers
    sense: Literal[1] = 1

    @property
    def same(self) -> float:
        """Differences smaller than this are none."""
        return SAME_SHARE * max(math.fsum(self.people), 1.0)

    def of(self, chosen: Ints) -> float:
        """What chosen candidates (positions) serve together."""
        is_chosen = np.zeros(self.near.shape[1], dtype=np.bool_)
        is_chosen[chosen] = True
        return served_within(self.near, self.people, self.capacity, is_chosen)

    def with_one_more(self, chosen: Ints) -> Numbers:
        """(candidates,) what the chosen candidates serve together with each one more."""
        return np.array([self.of(np.append(chosen, one)) for one in range(self.near.shape[1])])

    def of_parts(self, base: Ints, new: Ints, instead: Ints) -> Numbers:
        """What every part of some new sites serves, as :meth:`Measure.of_parts`."""
        values = []
        for part in range(2 ** len(new)):
            is_built = (part >> np.arange(len(new))) & 1 == 1
            waiting = instead[~is_built]
            values.append(self.of(np.concatenate([base, new[is_built], waiting[waiting >= 0]])))
        return np.array(values)


Goal = Measure | Flow


def goals(asked: Asked, model: Model, terms: Terms, vehicles: Ints | None = None) -> tuple[Goal, ...]:
    """Tell what a model makes best, stage by stage, the most important first.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms
    vehicles : (candidates,) int64, optional
        At each candidate if it is chosen; those of ``asked.sites`` unless given.
    """
    if model in {"p-median", "p-center"}:
        return _of_costs(asked, model, terms)
    if model == "cmclp" and terms.capacity is not None:
        return (Flow("served", asked.near, asked.people, terms.capacity),)
    count = asked.sites.vehicles if vehicles is None else vehicles
    any_number = replace(asked, sites=replace(asked.sites, total=None))  # as many vehicles count as can ever cover a point
    return tuple(_of_stage(stage, count) for stage in covering_of(any_number, model, terms).stages)


def goals_on_the_way(asked: Asked, model: Model, terms: Terms, vehicles: Ints | None = None) -> tuple[Goal, ...]:
    """Tell what to make best while a plan is being built: what the model demands of the whole plan comes first.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms
    vehicles : (candidates,) int64, optional
        At each candidate if it is chosen; those of ``asked.sites`` unless given.
    """
    count = asked.sites.vehicles if vehicles is None else vehicles
    covers = {"once": asked.near} if model in {"bacop1", "dsm"} else {}
    if model == "dsm" and asked.wide is not None:
        covers = {"backstop": asked.wide} | covers
    demanded = (_of_stage(CoverStage(name, one, asked.people), count) for name, one in covers.items())
    return *demanded, *goals(asked, model, terms, vehicles)


def _of_stage(stage: CoverStage, vehicles: Ints) -> Measure:
    count = vehicles.astype(np.float64)
    own = csc_array(stage.covers, dtype=np.float64)
    own.eliminate_zeros()
    column = np.repeat(np.arange(own.shape[1]), np.diff(own.indptr))
    if stage.busy is not None:
        own.data = (stage.busy**count)[column]
        return Measure(stage.name, 1, stage.people, own, "multiply", lambda all_busy: 1.0 - all_busy)
    own.data = count[column]
    of_vehicles = np.concatenate([[0.0], np.cumsum(stage.gains)])
    last = len(stage.gains)
    return Measure(stage.name, 1, stage.people, own, "add", lambda n: of_vehicles[np.minimum(n.astype(np.int64), last)])


def _of_costs(asked: Asked, model: Model, terms: Terms) -> tuple[Measure, ...]:
    """Who has a route, then the cost: in all, or the largest."""
    cost = csc_array(asked.cost, dtype=np.float64)
    counted = asked.people if model == "p-median" or terms.weighted else np.ones(len(asked.people))  # p-center: places
    reached = Measure(REACHED, 1, counted, cost, "minimum", lambda state: np.isfinite(state).astype(np.float64))
    if terms.weighted and model == "p-center":
        cost = cost.copy()
        cost.data = cost.data * asked.people[cost.indices]
    largest = model == "p-center"
    return reached, Measure("cost", -1, asked.people, cost, "minimum", lambda state: np.where(np.isinf(state), 0.0, state), largest=largest)


def best_one_more(asked: Asked, model: Model, terms: Terms, chosen: Sequence[str]) -> str | None:
    """Find the site that is best beside chosen ones, of equal ones the smaller id; None if none may be added."""
    sites = asked.sites
    is_chosen = np.isin(np.array(sites.id, dtype=object), list(chosen)) | sites.background
    among = ~is_chosen & ~sites.forbidden
    for one, other in (sites.apart.T, sites.apart.T[::-1]):
        among[one[is_chosen[other]]] = False
    for goal in goals(asked, model, terms):
        values = goal.sense * goal.with_one_more(np.flatnonzero(is_chosen))
        if among.any():
            among &= values >= values[among].max() - goal.same
    return min((sites.id[at] for at in np.flatnonzero(among)), default=None)


def sense(model: Model, stage: str) -> Literal[1, -1]:
    """Whether a model makes a stage as large as it can (1), or as small (-1)."""
    return -1 if model in LEAST and stage != REACHED else 1


def value(asked: Asked, model: Model, terms: Terms, chosen: Sequence[str], vehicles: Sequence[int] = ()) -> tuple[float, ...]:
    """What a plan is worth under a model: a figure a stage, the most important first, background sites serving as always."""
    number = {one: at for at, one in enumerate(asked.sites.id)}
    here = np.array([number[one] for one in chosen], dtype=np.int64)
    everyone = np.union1d(here, np.flatnonzero(asked.sites.background))
    count = asked.sites.vehicles.copy()
    count[here[: len(vehicles)]] = vehicles
    return tuple(goal.of(everyone) for goal in goals(asked, model, terms, count))
