"""The p-median: the least people times cost to the nearest of a given number of sites.

Hakimi 1964 (doi:10.1287/opre.12.3.450); ReVelle & Swain 1970 (doi:10.1111/j.1538-4632.1970.tb00142.x). First of all the most people have a
route to a chosen site at all; among the plans that reach them the least cost is looked for. A number of sites is searched by swaps and a
Lagrangian bound (``median_swaps``, ``median_bound``), with further rules too (``median_keep``); a budget without a number is given to the
solver (``median_rules``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from scenarios.siting.costs import EXACT_UP_TO, CostTable, Reached, most_reached, plan_of
from scenarios.siting.covering.blocks import SAME_SHARE
from scenarios.siting.median.bound import prove
from scenarios.siting.median.keep import Rules
from scenarios.siting.median.loops import Rows
from scenarios.siting.median.rules import least_cost
from scenarios.siting.median.swaps import Choice, begin, tidy
from scenarios.siting.question import Asked, Mask, Numbers, Terms
from scenarios.siting.result import Plan, StageValue
from scenarios.siting.stop import Stop

METHOD: Final = "vertex substitution, Lagrangian bound, branch and bound"
METHOD_RULES: Final = "radius formulation, HiGHS"
CHARGE: Final = 16.0  # for being without a route, times the largest cost, to begin with; raised until nobody prefers it


def p_median(asked: Asked, terms: Terms, stop: Stop) -> Plan:
    """Choose the sites to which people's costs add up to least.

    Parameters
    ----------
    asked : Asked
        `cost` has an entry where there is a route; who has none to any usable candidate, and who counts nothing, is left out.
    terms : Terms
        Not asked.
    stop : Stop

    Returns
    -------
    Plan
        Its stages: ``reached``, the people who have a route to a chosen site, and ``cost``, people times cost, whose bound is below it.
    """
    del terms
    table = CostTable.of(asked, asked.people)
    reached = most_reached(table, stop)
    if reached.status == "infeasible":
        return Plan((), (), "infeasible", (), METHOD)
    if table.sites.total is not None and table.sites.fleet is None:
        found, method = _by_number(table, reached, stop), METHOD
    else:
        found, method = _Found(*least_cost(table, reached, stop)), METHOD_RULES
    is_proven = found.is_proven and reached.status == "optimal"
    cost = _cost(table, found.chosen)
    value = StageValue("cost", cost, cost if is_proven else min(found.bound, cost))
    first = StageValue("reached", table.reached(found.chosen), max(reached.bound, reached.weight))
    return plan_of(table, found.chosen, (first, value), is_proven=is_proven, method=method)


@dataclass(frozen=True, eq=False)
class _Found:
    """A plan, what no plan can beat, and whether they meet."""

    chosen: Mask
    bound: float
    is_proven: bool


def _cost(table: CostTable, chosen: Mask) -> float:
    least = table.least(chosen)
    has = np.isfinite(least)
    return math.fsum(table.weight[has] * least[has])


def _by_number(table: CostTable, reached: Reached, stop: Stop) -> _Found:
    """Search with a charge for being without a route, high enough that the best plan reaches as many as any can.

    At any charge, the least cost with charges, less the charges that no plan can avoid, bounds the cost of the plans that reach most.
    """
    if not table.weight.size:
        return _Found(reached.chosen, 0.0, is_proven=True)
    unreached = math.fsum(table.weight) - reached.weight
    best, best_cost, bound = reached.chosen, _cost(table, reached.chosen), 0.0
    charge = CHARGE * max(float(table.cost.data.max()), 1.0)
    while True:
        found = _with_charge(table, charge, best, stop)
        lacks = reached.weight - table.reached(found.chosen)
        cost = _cost(table, found.chosen)
        if lacks < table.same_weight and (cost < best_cost or best is reached.chosen):
            best, best_cost = found.chosen, cost
        bound = max(bound, found.bound - charge * unreached)
        if stop.reason is not None or lacks < table.same_weight:
            return _Found(best, bound, is_proven=found.is_proven and best is found.chosen)
        charge = max(CHARGE * charge, 2.0 * (best_cost - cost) / lacks)


def _with_charge(table: CostTable, charge: float, known: Mask, stop: Stop) -> _Found:
    """Solve with a charge a person for being without a route, from a plan that keeps the rules."""
    sites, cost = table.sites, table.cost
    dearest = np.maximum.reduceat(cost.data, cost.indptr[:-1])
    is_open = ~sites.forbidden & ~sites.always
    rows = Rows(cost.indptr.astype(np.int64), cost.indices, cost.data)
    opens = np.add.reduceat(is_open[cost.indices].astype(np.int64), cost.indptr[:-1])
    settled = table.least(sites.always)
    outside = np.where((opens == is_open.sum()) & is_open.any(), dearest, charge)
    outside = np.minimum(outside, settled)
    choice = Choice.of(rows, table.weight, outside, is_open, int(sites.total or 0) - int(sites.fixed.sum()), Rules.of(sites))
    is_whole = _is_whole(table.weight) and _is_whole(outside) and _is_whole(cost.data)
    is_whole = is_whole and math.fsum(table.weight * outside) < EXACT_UP_TO
    start, chosen = begin(choice, np.flatnonzero(known & ~sites.always), stop), sites.always.copy()
    chosen[start] = True
    same = 0.0 if is_whole else SAME_SHARE * _cost(table, chosen)
    proof = prove(choice, start, same=same, stop=stop)
    chosen = sites.always.copy()
    chosen[tidy(choice, proof.chosen) if proof.is_closed else proof.chosen] = True
    return _Found(chosen, proof.bound, is_proven=proof.is_closed)


def _is_whole(numbers: Numbers) -> bool:
    return bool((numbers == np.floor(numbers)).all())
