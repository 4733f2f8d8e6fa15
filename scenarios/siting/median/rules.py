"""The p-median under any rules of a choice, by the solver: the radius formulation.

For each demand point and each of its costs in turn a variable says whether nothing chosen is as near as that (Elloumi 2010,
doi:10.1007/s10878-008-9190-z; García, Labbé & Marín 2011, doi:10.1287/ijoc.1100.0418): with them the program is sparse and its bound is
that of the usual one.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from scenarios.siting.costs import CostTable, Reached
from scenarios.siting.covering.blocks import SAME_SHARE
from scenarios.siting.milp import Program, maximise
from scenarios.siting.question import Ints, Mask, Numbers
from scenarios.siting.rules import site_rows
from scenarios.siting.stop import Stop

UNITS: Final = 2.0**20  # all costs together, as the solver sees them: its tolerances are absolute
CHOSEN: Final = 0.5


class RuledPlan(NamedTuple):
    """Which candidates are chosen, what no plan can beat, and whether it is proven that this is the best."""

    chosen: Mask
    bound: float
    is_proven: bool


def least_cost(table: CostTable, reached: Reached, stop: Stop) -> RuledPlan:
    """Find the plan of least people times cost among those that keep the rules and reach as many as `reached`."""
    if not table.weight.size:
        return RuledPlan(reached.chosen, 0.0, is_proven=True)
    levels = _levels(table)
    scale = UNITS / max(math.fsum(table.weight * levels.last), 1e-200)
    unreached = math.fsum(table.weight) - reached.weight + table.same_weight / 2.0
    program = _program(table, levels, scale, unreached)
    solution = maximise(program, stop, start=reached.chosen.astype(np.float64))
    chosen = reached.chosen if solution.values is None else solution.values[: len(table.sites)] > CHOSEN
    if table.reached(chosen) < reached.weight - table.same_weight:  # slipped through the solver's tolerances
        chosen = reached.chosen
    bound = math.fsum(table.weight * levels.cost[levels.first]) - solution.bound / scale
    return RuledPlan(chosen, max(bound, 0.0) * (1.0 - SAME_SHARE), solution.status == "optimal" and chosen is not reached.chosen)


class _Levels(NamedTuple):
    """The different costs of each demand point in turn, up to that of the nearest site that is there anyway.

    Of each level its demand point and cost; of each demand point its first level and largest cost; of each entry that counts its level and
    candidate; of each level whether it is the last of a demand point that a site there anyway serves.
    """

    person: Ints
    cost: Numbers
    first: Ints
    last: Numbers
    entry_level: Ints
    entry_site: Ints
    is_settled: Mask


def _levels(table: CostTable) -> _Levels:
    settled = table.least(table.sites.always)
    person = np.repeat(np.arange(table.weight.size), np.diff(table.cost.indptr))
    counts = table.usable[table.cost.indices] & (table.cost.data <= settled[person])
    person, site, cost = person[counts], table.cost.indices[counts], table.cost.data[counts]
    order = np.lexsort((site, cost, person))
    person, site, cost = person[order], site[order], cost[order]
    is_new = np.concatenate([[True], (person[1:] != person[:-1]) | (cost[1:] != cost[:-1])])
    of_level = np.flatnonzero(is_new)
    first = np.flatnonzero(np.concatenate([[True], person[of_level][1:] != person[of_level][:-1]]))
    is_last = np.concatenate([person[of_level][1:] != person[of_level][:-1], [True]])
    last = cost[of_level][is_last]
    is_settled = is_last & np.isfinite(settled)[person[of_level]]
    return _Levels(person[of_level], cost[of_level], first, last, np.cumsum(is_new) - 1, site, is_settled)


def _program(table: CostTable, levels: _Levels, scale: float, unreached: float) -> Program:
    """Choose x; z of a level is 1 if nothing chosen is as near as that, and never more than that of the level before."""
    rules, count = site_rows(table.sites), levels.cost.size
    number, is_first = np.arange(count), np.zeros(count, dtype=np.bool_)
    is_first[levels.first] = True
    is_last = np.roll(is_first, -1)
    width = rules.lower.size
    serves = csr_array((np.ones(levels.entry_level.size), (levels.entry_level, levels.entry_site)), shape=(count, width))
    before = number[~is_first]
    chain = csr_array(
        (np.repeat([1.0, -1.0], [count, before.size]), (np.concatenate([number, before]), np.concatenate([number, before - 1]))),
        shape=(count, count),
    )
    weight = table.weight[levels.person] * scale
    step = np.where(is_last, -levels.cost, np.roll(levels.cost, -1) - levels.cost)
    alone = csr_array(
        (table.weight * (UNITS / math.fsum(table.weight)), (np.zeros(is_last.sum(), dtype=np.int64), number[is_last])), shape=(1, count)
    )
    rows = vstack(
        [
            hstack([rules.rows, csr_array((rules.rows.shape[0], count))]),
            hstack([serves, chain]),
            hstack([csr_array((1, width)), alone]),
        ],
        format="csr",
    )
    return Program(
        gain=np.concatenate([np.zeros(width), -weight * step]),
        lower=np.concatenate([rules.lower, np.zeros(count)]),
        upper=np.concatenate([rules.upper, np.where(levels.is_settled, 0.0, 1.0)]),
        integer=np.concatenate([rules.integer, np.zeros(count, dtype=np.bool_)]),
        rows=csr_array(rows),
        row_lower=np.concatenate([rules.row_lower, is_first.astype(np.float64), [-np.inf]]),
        row_upper=np.concatenate([rules.row_upper, np.full(count, np.inf), [unreached * (UNITS / math.fsum(table.weight))]]),
    )
