"""Recount every plan from the raw matrices, sharing no code with the models that found it.

A solver, a merge of rows or a rounding can be wrong without any sign of it; a recount on the numbers as they came in cannot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from scenarios.siting.flow import served_within
from scenarios.siting.question import Asked, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.result import Plan

SHARE_TOLERANCE: Final = 1e-9


class PlanMismatchError(AssertionError):
    """circle15 has contradicted itself: a fault of the program, never of the data."""


def check_plan(asked: Asked, model: Model, terms: Terms, plan: Plan) -> None:
    """Count again what the chosen sites achieve, and refuse a plan that is not what it claims to be.

    Parameters
    ----------
    asked : Asked
        The question as it was asked.
    model : str
    terms : Terms
    plan : Plan
        Feasible or optimal.

    Raises
    ------
    PlanMismatchError
        If a rule is broken, a demand not met, or a stage differs from the recount by more than 1e-9 of the whole.
    """
    vehicles = _vehicles(asked.sites, plan)
    for said, broken in _RULES.items():
        if broken(asked.sites, vehicles):
            msg = f"the plan breaks a rule: {said}; chosen: {', '.join(plan.chosen)}"
            raise PlanMismatchError(msg)
    recount = _recount(asked, model, terms, vehicles)
    whole = max(1.0, math.fsum(asked.people))
    claimed = [stage.objective for stage in plan.stages]
    for value, claim in zip(reversed(recount), reversed(claimed), strict=False):
        if not abs(value - claim) <= SHARE_TOLERANCE * max(whole, abs(value)):
            msg = f"{model}: the model claims {claim}, the recount is {value}"
            raise PlanMismatchError(msg)
    for stage in plan.stages:
        upwards = stage.name == "reached" or (model not in {"lscp", "p-median", "p-center"} and stage.name not in {"sites", "price"})
        if stage.bound < stage.objective if upwards else stage.bound > stage.objective:
            msg = f"{model}: stage {stage.name} is better ({stage.objective}) than its bound ({stage.bound})"
            raise PlanMismatchError(msg)


def covered(covers: csr_array, vehicles: Numbers) -> Numbers:
    """(demand,) vehicles that cover each point, when so many stand at each candidate."""
    return np.asarray(csr_array(covers, dtype=np.float64) @ vehicles)


def _vehicles(sites: Sites, plan: Plan) -> Numbers:
    """(candidates,) vehicles at each, those of background sites too."""
    position = {one: at for at, one in enumerate(sites.id)}
    if unknown := set(plan.chosen) - set(position):
        msg = f"the plan names sites that are no candidates: {sorted(unknown)}"
        raise PlanMismatchError(msg)
    if len(set(plan.chosen)) < len(plan.chosen):
        msg = "the plan names a site twice"
        raise PlanMismatchError(msg)
    found = np.where(sites.background, sites.vehicles, 0).astype(np.float64)
    found[[position[one] for one in plan.chosen]] = plan.vehicles
    return found


def _fleet_is_wrong(sites: Sites, vehicles: Numbers) -> bool:
    at = (vehicles > 0) & sites.counted
    if sites.fleet is None:
        return bool((vehicles[at] != sites.vehicles[at]).any())
    return bool((vehicles[at] > sites.vehicles[at]).any() or vehicles[sites.counted].sum() != sites.fleet)


def _move_is_wrong(sites: Sites, vehicles: Numbers) -> bool:
    """Whether some given-up movable sites have no chosen sites, one each, to take their places."""
    gone = np.flatnonzero(sites.movable & (vehicles == 0))
    if not len(gone):
        return False
    takes = csr_array(csr_array(sites.replaces, dtype=np.int32)[gone][:, np.flatnonzero(vehicles > 0)])
    takes.eliminate_zeros()
    matched = maximum_bipartite_matching(takes, perm_type="column")
    return bool((matched < 0).any())


_RULES: Final[dict[str, Callable[[Sites, Numbers], bool]]] = {
    "the number of sites": lambda sites, v: sites.total is not None and int(((v > 0) & sites.counted).sum()) != sites.total,
    "fixed sites": lambda sites, v: bool((v[sites.fixed] == 0).any()),
    "forbidden sites": lambda sites, v: bool((v[sites.forbidden & ~sites.background] > 0).any()),
    "spacing": lambda sites, v: bool((v[sites.apart] > 0).all(axis=1).any()),
    "the budget": lambda sites, v: sites.budget is not None and math.fsum(sites.price[v > 0]) > sites.budget * (1 + SHARE_TOLERANCE),
    "vehicles": _fleet_is_wrong,
    "moved sites": _move_is_wrong,
}


def _recount(asked: Asked, model: Model, terms: Terms, vehicles: Numbers) -> Sequence[float]:
    """What each stage of a model comes to; demands of the model that are not met are refused."""
    if model == "p-median":
        nearest, people = _nearest(asked, vehicles), asked.people
        reached = np.isfinite(nearest) & (people > 0)
        return [math.fsum(people[reached]), math.fsum(people[reached] * nearest[reached])]
    if model == "p-center":
        nearest = _nearest(asked, vehicles)
        weights = asked.people if terms.weighted else np.ones(len(asked.people))
        reached = np.isfinite(nearest) & (weights > 0)
        return [math.fsum(weights[reached]), float(np.max(nearest[reached] * weights[reached], initial=0.0))]
    times, people = covered(asked.near, vehicles), asked.people
    once, twice = math.fsum(people[times > 0]), math.fsum(people[times > 1])
    chosen = (vehicles > 0) & asked.sites.counted
    spent = math.fsum(asked.sites.price[chosen]) if asked.sites.price.any() else float(chosen.sum())
    if model in {"lscp", "bacop1"}:
        _must(asked, asked.near, times)
    if model == "dsm":
        _dsm(asked, terms, vehicles, once)
    first = 0.5 if terms.alpha is None else terms.alpha
    values: dict[Model, Callable[[], Sequence[float]]] = {
        "lexicographic": lambda: [_people(asked, asked.wide, vehicles), once],
        "mclp": lambda: [once],
        "cmclp": lambda: [served_within(asked.near, people, _capacity(asked, terms), vehicles > 0)],
        "lscp": lambda: [spent],
        "partial": lambda: [float(chosen.sum()), once],
        "bacop1": lambda: [twice],
        "bacop2": lambda: [first * once + (1.0 - first) * twice],
        "mexclp": lambda: [_expected(asked, terms, vehicles)],
        "dsm": lambda: [twice],
    }
    return values[model]()


def _nearest(asked: Asked, vehicles: Numbers) -> Numbers:
    """(demand,) cost of the nearest chosen site; infinite where there is no route."""
    found = np.full(len(asked.people), np.inf)
    routes = csr_array((len(asked.people), len(vehicles))) if asked.cost is None else csr_array(asked.cost)
    row = np.repeat(np.arange(len(asked.people)), np.diff(routes.indptr))
    is_open = vehicles[routes.indices] > 0
    np.minimum.at(found, row[is_open], routes.data[is_open])
    return found


def _people(asked: Asked, covers: csr_array | None, vehicles: Numbers) -> float:
    return 0.0 if covers is None else math.fsum(asked.people[covered(covers, vehicles) > 0])


def _capacity(asked: Asked, terms: Terms) -> Numbers:
    return np.full(len(asked.sites), np.inf) if terms.capacity is None else terms.capacity


def _expected(asked: Asked, terms: Terms, vehicles: Numbers) -> float:
    """People times the probability that some vehicle that covers them is free, vehicles being busy independently."""
    busy = np.zeros(len(asked.sites)) if terms.busy is None else terms.busy
    out = np.ones(len(asked.people))
    covers = csr_array(asked.near, dtype=np.bool_).tocsc()
    for at in np.flatnonzero(vehicles > 0):
        rows = covers.indices[covers.indptr[at] : covers.indptr[at + 1]][covers.data[covers.indptr[at] : covers.indptr[at + 1]]]
        out[rows] *= busy[at] ** vehicles[at]
    return math.fsum(asked.people * (1.0 - out))


def _must(asked: Asked, covers: csr_array | None, times: Numbers) -> None:
    usable = (~asked.sites.forbidden | asked.sites.background).astype(np.float64)
    missed: Mask = (times == 0) & (covered(csr_array(covers), usable) > 0)
    if missed.any():
        msg = f"{int(missed.sum())} demand points are not covered, which the model demands"
        raise PlanMismatchError(msg)


def _dsm(asked: Asked, terms: Terms, vehicles: Numbers, once: float) -> None:
    """Everybody who can be is within the wide limit, and the share within the first."""
    usable = (~asked.sites.forbidden | asked.sites.background).astype(np.float64)
    wide = csr_array(asked.wide)
    _must(asked, wide, covered(wide, vehicles))
    least = (terms.alpha or 0.0) * math.fsum(asked.people[covered(wide, usable) > 0])
    if once < least - SHARE_TOLERANCE * max(1.0, least):
        msg = f"{once} people are within the first limit; the model demands {least}"
        raise PlanMismatchError(msg)
