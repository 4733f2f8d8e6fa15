"""Maximal covering: the most people served by a given number of sites, proven.

The maximal covering location problem (Church & ReVelle 1974, doi:10.1007/BF01942293), exactly, by HiGHS on one sparse model:

    maximise    Σ people_i · y_i
    subject to  y_i ≤ Σ x_j over the candidates j that cover i,    Σ x_j = sites,    x_j = 1 where fixed,    x, y ∈ {0, 1}

Several stages are answered in order of importance (lexicographically): each is maximised among the plans that are best in all
stages before it. METHOD.md's standby points are two stages, the rural backstop and then the limits by class.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from geodata.errors import OptionError, Problem, first_few
from scenarios.siting.check import check_plan
from scenarios.siting.question import CoverStage, Numbers
from scenarios.siting.result import StageValue, Status

Mask = NDArray[np.bool_]

# Two plans that differ by less than this share of all people are the same plan, where people are fractions (raster cells): 0.001
# person in a million. It must exceed what the solver's own tolerances (1e-9 on integers and rows, see _SOLVER) can hide, or a later
# stage would cut off the very plan that the stage before found; anything below a hundredth of a person would do for planning.
SAME_SHARE = 1e-9
# Whole people cannot differ by less than 1, so half a person separates equal from worse, with the widest margin on both sides. That
# holds while the solver's tolerances hide much less than half a person; larger totals than this (no county) are treated as fractions.
SAME_WHOLE_PEOPLE = 0.5
WHOLE_UP_TO_PEOPLE = 1e8
# Fractional people are handed to the solver in units (a power of two, hence exact) in which all of them are about a million:
# its tolerances are absolute, and would otherwise be coarse for small weights and unreachable for large ones.
TOTAL_UNITS_LOG2 = 20
LEAST_PEOPLE = 1e-200  # a smaller total is taken for this one, so that the unit stays a finite float

_SOLVER = {
    "output_flag": False,
    "threads": 1,
    "random_seed": 15,
    "mip_rel_gap": 0.0,
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
}


class CoverPlan(NamedTuple):
    """The chosen sites (sorted ids), whether that is proven best, and the figures of each stage."""

    chosen: tuple[str, ...]
    status: Status
    stages: tuple[StageValue, ...]


def solve(
    stages: Sequence[CoverStage],
    *,
    candidate_ids: Sequence[str],
    sites: int,
    fixed: Sequence[str] = (),
    time_limit_s: float | None = None,
) -> CoverPlan:
    """Choose exactly `sites` candidates, fixed ones included, that serve the most people.

    The order of candidates and demand points does not change the answer: the model is built from sorted ids, in one thread, with a
    fixed seed. Demand that no candidate covers stays unserved and makes nothing infeasible.

    Parameters
    ----------
    stages : sequence of CoverStage
        The most important first; one stage is the plain covering problem. All have the same candidates.
    candidate_ids : sequence of str
        One per column of each stage's `covers`.
    sites : int
        How many sites in total.
    fixed : sequence of str
        Candidates that are chosen in any case.
    time_limit_s : float, optional
        Wall-clock seconds for all stages together; none unless given.

    Returns
    -------
    CoverPlan
        ``optimal``: no plan is better, to the last person (to 1e-9 of all people where they are fractions or above 1e8). ``feasible``: the
        time ran out; each stage's bound holds for all plans that serve at least as many in the stages before.

    Raises
    ------
    OptionError
        If the sites asked for cannot be had: see :func:`check_question`.

    Examples
    --------
    >>> covers = sparse.csr_array(np.array([[True, False], [False, True], [False, True]]))
    >>> solve([CoverStage("people", covers, np.array([5.0, 1.0, 2.0]))], candidate_ids=["east", "west"], sites=1)
    CoverPlan(chosen=('east',), status='optimal', stages=(StageValue(name='people', objective=5.0, bound=5.0),))
    """
    check_question(candidate_ids, sites=sites, fixed=fixed)
    order = np.array(sorted(range(len(candidate_ids)), key=candidate_ids.__getitem__), dtype=np.int64)
    ids = [candidate_ids[position] for position in order]
    is_fixed = np.isin(np.array(ids, dtype=object), list(fixed))
    blocks = [_block(stage, order, is_fixed) for stage in stages]
    is_chosen, bounds = _best_in_turn(blocks, is_fixed, sites, math.inf if time_limit_s is None else time_limit_s)
    chosen = tuple(np.array(ids, dtype=object)[is_chosen])
    people = check_plan(
        stages,
        candidate_ids=candidate_ids,
        sites=sites,
        fixed=fixed,
        chosen=chosen,
        claimed_people=[_served(block, is_chosen) for block in blocks],
    )
    proven = [bound - _served(block, is_chosen) < block.same_people for block, bound in zip(blocks, bounds, strict=True)]
    figures = tuple(
        StageValue(stage.name, served, served if is_proven else max(bound, served))
        for stage, served, bound, is_proven in zip(stages, people, bounds, proven, strict=True)
    )
    return CoverPlan(chosen, "optimal" if all(proven) else "feasible", figures)


def check_question(candidate_ids: Sequence[str], *, sites: int, fixed: Sequence[str], source: str = "") -> None:
    """Refuse a number of sites that cannot be chosen, all reasons at once.

    Parameters
    ----------
    candidate_ids : sequence of str
        All that may be chosen.
    sites : int
        How many sites in total.
    fixed : sequence of str
        Candidates that are chosen in any case.
    source : str
        Where the candidates come from (a file's name), for the message.

    Raises
    ------
    OptionError
        If sites < 1, there are fewer candidates or more fixed sites than that, a fixed id is unknown, or a candidate appears twice.
    """
    known, kept = set(candidate_ids), set(fixed)
    zh_in, en_in = (f"{source} 中", f" in {source}") if source else ("", "")
    problems = []
    if sites < 1:
        problems.append(Problem(f"站点总数须至少为 1，现为 {sites}。", f"The number of sites must be at least 1, not {sites}."))
    if len(known) < len(candidate_ids):
        problems.append(Problem(f"{zh_in}候选点编号有重复：请去重。", f"Candidate ids are repeated{en_in}: keep each once."))
    if sites > len(known):
        zh = f"要选 {sites} 个站点，但{zh_in}只有 {len(known)} 个候选点：请减少站点或增加候选点。"
        en = f"{sites} sites are asked for, but there are only {len(known)} candidates{en_in}: ask for fewer, or add candidates."
        problems.append(Problem(zh, en))
    if 1 <= sites < len(kept):
        zh = f"站点总数 {sites} 少于固定点 {len(kept)} 个：总数包括固定点，请增大总数。"
        en = f"{sites} sites in total are fewer than the {len(kept)} fixed ones, which count towards the total: ask for more."
        problems.append(Problem(zh, en))
    if unknown := sorted(kept - known):
        zh = (
            f"固定点不在{zh_in}候选点之列：{first_few(unknown)}。候选点有：{first_few(sorted(known))}。"
            "请改正编号（编号是文本，007 与 7 不同）。"
        )
        en = (
            f"Fixed sites that are not among the candidates{en_in}: {first_few(unknown)}. Candidates are: {first_few(sorted(known))}. "
            "Correct the ids (they are text: 007 is not 7)."
        )
        problems.append(Problem(zh, en))
    if problems:
        raise OptionError(*problems)


@dataclass(frozen=True, eq=False)
class _Block:
    """A stage as the model sees it: what the fixed sites leave open, identical demand rows merged."""

    rows: Any  # CSR of ones, merged demand × candidates sorted by id, rows in a canonical order
    people: Numbers  # per merged row
    base_people: float  # served by the fixed sites already
    same_people: float  # plans closer than this are equal
    scale: float  # from people to the solver's units
    is_whole: bool


def _block(stage: CoverStage, order: NDArray[np.int64], is_fixed: Mask) -> _Block:
    covers = sparse.csr_array(stage.covers, dtype=bool)[:, order].sorted_indices()
    covers.eliminate_zeros()
    is_based = (covers @ is_fixed.astype(np.float64)) > 0
    is_open = ~is_based & (np.diff(covers.indptr) > 0) & (stage.people > 0)
    rows, people = _merge(covers[is_open], stage.people[is_open])
    total = max(math.fsum(stage.people), LEAST_PEOPLE)
    is_whole = total <= WHOLE_UP_TO_PEOPLE and bool((stage.people == np.floor(stage.people)).all())
    return _Block(
        rows=rows,
        people=people,
        base_people=math.fsum(stage.people[is_based]),
        same_people=SAME_WHOLE_PEOPLE if is_whole else SAME_SHARE * total,
        scale=1.0 if is_whole else 2.0 ** (TOTAL_UNITS_LOG2 - math.frexp(total)[1]),
        is_whole=is_whole,
    )


def _merge(covers: Any, people: Numbers) -> tuple[Any, Numbers]:  # noqa: ANN401  scipy has no types
    """Add up the people of demand points that the same candidates cover; order the rows by those candidates, not by the input."""
    indices, starts = covers.indices.astype(np.int32), covers.indptr
    keys = [indices[start:end].tobytes() for start, end in pairwise(starts)]
    firsts = {key: row for row, key in enumerate(keys)}
    ordered = sorted(firsts)
    group_of = {key: group for group, key in enumerate(ordered)}
    groups = np.array([group_of[key] for key in keys], dtype=np.int64)
    by_size = np.lexsort((people, groups))  # a sum of floats depends on its order: fix that too
    merged = np.bincount(groups[by_size], weights=people[by_size], minlength=len(ordered))
    return covers[[firsts[key] for key in ordered]].astype(np.float64), merged.astype(np.float64)


def _best_in_turn(blocks: Sequence[_Block], is_fixed: Mask, sites: int, time_limit_s: float) -> tuple[Mask, list[float]]:
    """Maximise each block among the plans that are best in those before; return the plan and each block's bound, in people."""
    deadline_s = time.monotonic() + time_limit_s
    best = _greedy(blocks, is_fixed, sites)
    bounds: list[float] = []
    for stage, block in enumerate(blocks):
        bound = _plain_bound(block, sites - int(is_fixed.sum()))
        left_s = deadline_s - time.monotonic()
        if bound - _served(block, best) >= block.same_people and left_s > 0:
            floors = [_served(earlier, best) - earlier.same_people for earlier in blocks[:stage]]
            found, solver_bound = _maximise(blocks[: stage + 1], floors, is_fixed, sites, left_s)
            bound = min(bound, solver_bound)
            # A plan that slips through the solver's tolerances is not taken: the bound then says honestly that a gap is left.
            keeps = all(_served(earlier, found) > floor for earlier, floor in zip(blocks, floors, strict=False))
            if found.sum() == sites and keeps and _served(block, found) > _served(block, best):
                best = found
        bounds.append(bound)
    return best, bounds


def _served(block: _Block, is_chosen: Mask) -> float:
    return block.base_people + math.fsum(block.people[(block.rows @ is_chosen.astype(np.float64)) > 0])


def _plain_bound(block: _Block, free_sites: int) -> float:
    """Bound without a solver: everybody who can be served, or the best sites as if they shared nobody."""
    gains = np.sort(block.rows.T @ block.people)[::-1]
    return block.base_people + min(math.fsum(block.people), math.fsum(gains[:free_sites]))


def _greedy(blocks: Sequence[_Block], is_fixed: Mask, sites: int) -> Mask:
    """Add the site that gains most, first stage first, ties to the smaller id: a good plan, so that there always is one."""
    is_chosen = is_fixed.copy()
    left = [block.people.copy() for block in blocks]
    for _ in range(sites - int(is_fixed.sum())):
        gains = [block.rows.T @ people for block, people in zip(blocks, left, strict=True)]
        ranking = np.lexsort((*(-gain for gain in reversed(gains)), is_chosen))
        site = ranking[0]
        is_chosen[site] = True
        for block, people in zip(blocks, left, strict=True):
            people[block.rows[:, [site]].toarray().ravel() > 0] = 0.0
    return is_chosen


def _maximise(blocks: Sequence[_Block], floors: Sequence[float], is_fixed: Mask, sites: int, time_limit_s: float) -> tuple[Mask, float]:
    """Ask HiGHS for the best plan in the last block that keeps the floors of the others; an empty plan if it found none in time."""
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy has no types
    for option, value in _SOLVER.items():
        solver.setOptionValue(option, value)
    solver.setOptionValue("time_limit", time_limit_s)
    _pass_model(solver, blocks, floors, is_fixed, sites)
    solver.run()
    status = solver.getModelStatus()
    if status not in {highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit}:
        msg = f"HiGHS stopped with {solver.modelStatusToString(status)}; the question always has an answer"
        raise RuntimeError(msg)
    goal, info = blocks[-1], solver.getInfo()
    columns = np.asarray(solver.getSolution().col_value, dtype=np.float64)[: is_fixed.size]
    is_chosen = columns > 0.5 if columns.size else np.zeros(is_fixed.size, dtype=np.bool_)  # noqa: PLR2004  binary
    bound = goal.base_people + info.mip_dual_bound / goal.scale
    if goal.is_whole and math.isfinite(bound):
        bound = math.floor(bound + max(1e-6, SAME_SHARE * bound))
    return is_chosen, bound


def _pass_model(solver: highspy.Highs, blocks: Sequence[_Block], floors: Sequence[float], is_fixed: Mask, sites: int) -> None:
    """Hand over the whole model as arrays: columns x then y block by block; rows: the number of sites, y ≤ Σ x, the floors."""
    n_sites, sizes = is_fixed.size, [block.people.size for block in blocks]
    n_demand, n_floors = sum(sizes), len(floors)
    weights = [block.people * block.scale for block in blocks]
    grid: list[list[Any]] = [
        [sparse.csr_array(np.ones((1, n_sites))), sparse.csr_array((1, n_demand))],
        [-sparse.vstack([block.rows for block in blocks]), sparse.eye_array(n_demand)],
    ]
    if n_floors:
        earlier = sparse.block_diag([weight[None, :] for weight in weights[:-1]])
        grid.append([None, sparse.hstack([earlier, sparse.csr_array((n_floors, sizes[-1]))])])
    matrix = sparse.block_array(grid, format="csr")
    at_least = [(floor - block.base_people) * block.scale for floor, block in zip(floors, blocks, strict=False)]
    endless = np.full(n_demand, -highspy.kHighsInf), np.full(n_floors, highspy.kHighsInf)
    solver.passModel(
        n_sites + n_demand,
        matrix.shape[0],
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMaximize),
        0.0,
        np.concatenate([np.zeros(n_sites + n_demand - sizes[-1]), weights[-1]]),
        np.concatenate([is_fixed.astype(np.float64), np.zeros(n_demand)]),
        np.ones(n_sites + n_demand),
        np.concatenate([[sites], endless[0], at_least]),
        np.concatenate([[sites], np.zeros(n_demand), endless[1]]),
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        np.full(n_sites + n_demand, int(highspy.HighsVarType.kInteger), dtype=np.int32),
    )
