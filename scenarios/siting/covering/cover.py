"""Covering, exactly: the most people served, once or several times, by chosen sites; in stages, the most important first.

All covering models are one program (HiGHS, one sparse model):

    maximise    Σ people_i · F(n_i),   n_i = vehicles at chosen candidates that cover demand point i
    subject to  the rules of the choice (``rules``), and where a model asks for it n_i ≥ 1, or a least number of people served

F grows by the stage's gains, vehicle by vehicle: (1) is maximal covering (Church & ReVelle 1974, doi:10.1007/BF01942293), (α, 1 − α) backup
coverage, (1 − q) qᵏ expected coverage. With a busy share of its own at each candidate F = 1 − Π busy, a concave function of Σ −ln busy,
which tangents bound from above: they are added where a plan was found until plan and bound meet.

Each stage is maximised among the plans that are best in all stages before it (lexicographically).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from geodata.errors import OptionError, Problem
from scenarios.siting.covering.blocks import (
    Block,
    Covering,
    block_of,
    counted_people,
    enough,
    gains_of,
    is_rising,
    served_people,
    sorted_by_id,
)
from scenarios.siting.covering.exchange import exchanged, with_small_ids
from scenarios.siting.covering.program import any_plan, best_of_last
from scenarios.siting.covering.reduce import best_cover
from scenarios.siting.question import Numbers, Sites
from scenarios.siting.result import Plan, StageValue
from scenarios.siting.stop import Stop

METHOD: Final = "greedy and exchange, Lagrangian or LP bound, HiGHS"
PATIENCE_S: Final = 30.0  # to find any plan at all after the time ran out


def cover(asked: Covering, stop: Stop) -> Plan:
    """Choose the sites that serve the most people, stage by stage.

    The order of candidates and demand points does not change the answer: the model is built from sorted ids, in one thread, with a
    fixed seed; among sites that can be exchanged without any loss the smaller id is taken. Demand that no candidate covers stays unserved
    and makes nothing infeasible, unless it is in `must`.

    Returns
    -------
    Plan
        ``optimal``: no plan is better, to the last person (to 1e-9 of all people where they are fractions or above 1e8). ``feasible``:
        it was stopped; each stage's bound holds for all plans that serve at least as many in the stages before.

    Raises
    ------
    OptionError
        It was stopped before any plan was found that meets the demands.
    """
    asked, ids = sorted_by_id(asked)
    blocks = [block_of(stage, asked.sites) for stage in asked.stages]
    found = _best_in_turn(asked, blocks, stop)
    if found is None:
        return Plan((), (), "infeasible", (), METHOD)
    vehicles, bounds = found
    held = [] if asked.floor is None else [(block_of(asked.floor[0], asked.sites), asked.floor[1])]
    vehicles = with_small_ids(asked, blocks, [(block, enough(block, people)) for block, people in held], vehicles)
    served = [served_people(block, vehicles) for block in blocks]
    proven = [bound - value < block.same_people for block, bound, value in zip(blocks, bounds, served, strict=True)]
    counted = [counted_people(stage, vehicles) for stage in asked.stages]
    stages = tuple(
        StageValue(stage.name, value, value if sure else max(bound, value))
        for stage, value, bound, sure in zip(asked.stages, counted, bounds, proven, strict=True)
    )
    shown = np.flatnonzero((vehicles > 0) & asked.sites.counted)
    how_many = tuple(int(vehicles[at]) for at in shown)
    return Plan(tuple(ids[at] for at in shown), how_many, "optimal" if all(proven) else "feasible", stages, METHOD)


def _best_in_turn(asked: Covering, blocks: Sequence[Block], stop: Stop) -> tuple[Numbers, list[float]] | None:
    """Maximise each block among the plans that are best in those before: vehicles, and each block's bound; None if nothing is feasible."""
    bounds: list[float] = []
    best: Numbers | None
    if _is_free(asked) and not (blocks[0].is_expected or is_rising(blocks[0])):
        best, bound = _by_bound(blocks[0], asked.sites, stop)
        bounds.append(bound)
    else:
        best = _greedy(blocks, asked.sites) if _is_free(asked) else _first_plan(asked)
    if best is None:
        return None
    held = [] if asked.floor is None else [block_of(asked.floor[0], asked.sites)]
    least = [enough(block, asked.floor[1]) for block in held if asked.floor is not None]
    for stage, block in list(enumerate(blocks))[len(bounds) :]:
        floors = [served_people(earlier, best) - earlier.same_people for earlier in blocks[:stage]]
        best = exchanged(asked, [*held, *blocks[: stage + 1]], [*least, *floors], best, stop)
        bound = _plain_bound(block, asked.sites)
        if bound - served_people(block, best) >= block.same_people and stop.reason is None:
            found, solver_bound = best_of_last(asked, blocks[: stage + 1], floors, best, stop)
            bound = min(bound, solver_bound)
            best = _better(blocks[: stage + 1], floors, best, found)
        bounds.append(bound)
    return best, bounds


def _is_free(asked: Covering) -> bool:
    """Whether nothing but a number of sites, fixed and forbidden ones, binds the choice."""
    return asked.sites.is_plain and asked.must is None and asked.floor is None


def _by_bound(block: Block, sites: Sites, stop: Stop) -> tuple[Numbers, float]:
    """Maximise one block without the solver (``reduce``), and bound it in people."""
    free = np.flatnonzero(~sites.always & ~sites.forbidden)
    rows = block.rows if len(free) == len(sites) else csr_array(block.rows[:, free])
    number, nobody = (sites.total or 0) - int(sites.fixed.sum()), np.zeros(len(free), dtype=np.bool_)
    level = np.rint(block.base).astype(np.int64)
    chosen, bound = best_cover(rows, block.people, block.gains, always=nobody, free=number, stop=stop, level=level)
    best = sites.always.astype(np.float64)
    best[free[chosen]] = 1.0
    return best, block.settled_people + bound


def _better(blocks: Sequence[Block], floors: Sequence[float], best: Numbers, found: Numbers) -> Numbers:
    """The better of two plans in the last block; one that slipped through the solver's tolerances is not taken: the bound then says so."""
    if not all(served_people(one, found) > floor for one, floor in zip(blocks, floors, strict=False)):
        return best
    return found if served_people(blocks[-1], found) > served_people(blocks[-1], best) else best


def _first_plan(asked: Covering) -> Numbers | None:
    """Any plan that meets the demands; None if none does."""
    found = any_plan(asked, Stop.after(PATIENCE_S))
    if found.vehicles is None and not found.is_infeasible:
        raise OptionError(
            Problem(
                "在时限内没有找到任何符合条件的方案：请放宽时限或条件。",
                "No plan that meets the demands was found in time: allow more time, or demand less.",
            )
        )
    return found.vehicles


def _plain_bound(block: Block, sites: Sites) -> float:
    """Bound without a solver: all cover there is at once, or the best sites as if they shared nobody."""
    everything = block.cover(np.where(sites.forbidden, 0.0, sites.vehicles.astype(np.float64)))
    most = block.people * np.maximum(block.worth(everything) - block.worth(block.base), 0.0)
    bound = math.fsum(most)
    if sites.is_plain and not is_rising(block):
        first = block.people * (block.worth(block.base + 1.0) - block.worth(block.base))
        alone = block.rows.T @ first if not block.is_expected else np.full(len(sites), np.inf)
        free = (sites.total or 0) - int(sites.fixed.sum())
        bound = min(bound, math.fsum(np.sort(alone)[::-1][:free])) if len(alone) else 0.0
    return block.settled_people + math.fsum(block.people * block.worth(block.base)) + bound


def _greedy(blocks: Sequence[Block], sites: Sites) -> Numbers:
    """Add the site that gains most, first stage first, ties to the smaller id: a good plan, so that there always is one."""
    chosen = sites.always.astype(np.float64)
    for _ in range((sites.total or 0) - int(sites.fixed.sum())):
        gains = [gains_of(block, chosen) for block in blocks]
        ranking = np.lexsort((*(-gain for gain in reversed(gains)), (chosen > 0) | sites.forbidden))
        chosen[ranking[0]] = 1.0
    return chosen
