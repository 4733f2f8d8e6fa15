"""What p-median and p-center begin with: costs in the order of ids, and first of all the most demand that has a route to a chosen site."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.covering.blocks import SAME_SHARE, SAME_WHOLE_PEOPLE, Covering
from scenarios.siting.covering.cover import cover
from scenarios.siting.question import Asked, CoverStage, Ints, Mask, Numbers, Sites
from scenarios.siting.result import Plan, StageValue, Status
from scenarios.siting.stop import Stop

EXACT_UP_TO: Final = 2.0**53  # whole numbers below are exact in float64


@dataclass(frozen=True, eq=False)
class CostTable:
    """Demand points that count and can be reached, and what it costs to reach them.

    Attributes
    ----------
    sites : Sites
        In the order of ids; one vehicle each.
    cost : (demand, candidates) sparse float64
        Sorted by demand id and candidate; each demand point has a usable candidate.
    weight : (demand,) float64
        How much each demand point counts, more than 0.
    """

    sites: Sites
    cost: csr_array
    weight: Numbers

    @classmethod
    def of(cls, asked: Asked, weight: Numbers) -> CostTable:
        """Sort a question by ids; leave out who does not count and who has no route to any usable candidate."""
        by_id, by_demand = _order(asked.sites.id), _order(asked.demand)
        sites = replace(asked.sites.take(by_id), vehicles=np.ones(len(by_id), dtype=np.int64))
        empty = csr_array((len(by_demand), len(by_id)))
        cost = empty if asked.cost is None else csr_array(asked.cost, dtype=np.float64)
        cost = cost if _is_sorted(by_demand) and _is_sorted(by_id) else csr_array(cost[by_demand][:, by_id])
        weight = weight[by_demand]
        counts = (_routes(cost, ~sites.forbidden | sites.background) > 0) & (weight > 0)
        if not counts.all():
            cost, weight = csr_array(cost[np.flatnonzero(counts)]), weight[counts]
        if not cost.has_sorted_indices:
            cost = cost.sorted_indices()
        return cls(sites, cost, weight)

    @property
    def usable(self) -> Mask:
        """(candidates,) bool: may be chosen, or is there anyway."""
        return ~self.sites.forbidden | self.sites.background

    @property
    def same_weight(self) -> float:
        """What differs by less than this has the same weight."""
        whole = bool((self.weight == np.floor(self.weight)).all())
        return SAME_WHOLE_PEOPLE if whole else SAME_SHARE * math.fsum(self.weight)

    def least(self, chosen: Mask) -> Numbers:
        """(demand,) what it costs to reach the nearest of some candidates; infinite without a route."""
        if not self.weight.size:
            return np.zeros(0)
        return np.asarray(np.minimum.reduceat(np.where(chosen[self.cost.indices], self.cost.data, np.inf), self.cost.indptr[:-1]))

    def reached(self, chosen: Mask) -> float:
        """The weight of who has a route to some candidates."""
        return math.fsum(self.weight[np.isfinite(self.least(chosen))])


class Reached(NamedTuple):
    """The plan that reaches most, and how sure that is.

    Attributes
    ----------
    chosen : (candidates,) bool
        Fixed and background sites included.
    weight, bound : float
        Reached by it, and what no plan can beat.
    status : "optimal", "feasible" or "infeasible"
    """

    chosen: Mask
    weight: float
    bound: float
    status: Status

    @property
    def stage(self) -> StageValue:
        """The first stage of an answer."""
        return StageValue("reached", self.weight, self.bound)


def most_reached(table: CostTable, stop: Stop) -> Reached:
    """Choose sites to which the most demand has a route, whatever it costs."""
    sites, usable = table.sites, table.usable
    is_sure = np.isfinite(table.least(sites.always))
    if sites.total is not None:  # at least one is chosen: whoever has a route to all of them is reached
        is_sure |= _routes(table.cost, usable) == usable.sum()
    if is_sure.all() and is_plain(sites):
        chosen = sites.always.copy()
        chosen[np.flatnonzero(usable & ~chosen)[: int(sites.total or 0) - int(sites.fixed.sum())]] = True
        weight = table.reached(chosen)
        return Reached(chosen, weight, weight, "optimal")
    routes = csr_array(table.cost[np.flatnonzero(~is_sure)], copy=True)
    routes.data = np.ones_like(routes.data)
    plan: Plan = cover(Covering(sites=sites, stages=(CoverStage("reached", routes.astype(np.bool_), table.weight[~is_sure]),)), stop)
    if plan.status == "infeasible":
        return Reached(np.zeros(len(sites), dtype=np.bool_), 0.0, 0.0, "infeasible")
    chosen = sites.background | np.isin(np.array(sites.id, dtype=object), list(plan.chosen))
    weight, value = table.reached(chosen), plan.stages[-1]
    return Reached(chosen, weight, weight if plan.status == "optimal" else weight + (value.bound - value.objective), plan.status)


def is_plain(sites: Sites) -> bool:
    """Whether nothing but a number of sites, with fixed and forbidden ones, binds the choice."""
    bound_by = sites.budget is not None or sites.fleet is not None or bool(sites.apart.size) or bool(sites.movable.any())
    return sites.total is not None and not bound_by


def plan_of(table: CostTable, chosen: Mask, stages: tuple[StageValue, ...], *, is_proven: bool, method: str) -> Plan:
    """Name the chosen sites that count."""
    named = np.flatnonzero(chosen & table.sites.counted)
    status: Status = "optimal" if is_proven else "feasible"
    return Plan(tuple(table.sites.id[at] for at in named), (1,) * len(named), status, stages, method)


def _order(ids: tuple[str, ...]) -> Ints:
    return np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)


def _is_sorted(order: Ints) -> bool:
    return bool((order == np.arange(order.size)).all())


def _routes(cost: csr_array, usable: Mask) -> Numbers:
    """(demand,) how many of the usable candidates each has a route to."""
    ones = csr_array((np.ones(cost.nnz), cost.indices, cost.indptr), shape=cost.shape)
    return np.asarray(ones @ usable.astype(np.float64))
