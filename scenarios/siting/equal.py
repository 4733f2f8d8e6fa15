"""Other choices that are exactly as good as a plan: the planner takes the one that suits.

Found in two ways, in turn, until there are no more or as many as were asked for:

- from each choice known, every exchange of one site for another, all counted at once;
- the solver, on a program in which every stage must come to what the plan does and each choice known is ruled out (a no-good cut, Balas &
  Jeroslow 1972, doi:10.1137/0123007): what it finds is new, and when it finds nothing there is nothing left.

Each is recounted (``check``) before it is given. Choices differ in places, not in how vehicles are spread over them, and have as many sites
as the plan.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack
from scipy.sparse.csgraph import maximum_bipartite_matching

from scenarios.siting.blocks import Covering, block_of, counted_people, served_people
from scenarios.siting.capacitated import capacities, pinned_flows
from scenarios.siting.check import PlanMismatchError, check_plan
from scenarios.siting.cover_program import pinned
from scenarios.siting.covering_models import covering_of
from scenarios.siting.decided import decided
from scenarios.siting.flow import served_within
from scenarios.siting.milp import Program, maximise
from scenarios.siting.one_more import Costs, added_worth
from scenarios.siting.question import Asked, CoverStage, Ints, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.result import Plan
from scenarios.siting.rules import site_rows
from scenarios.siting.stop import Stop

LARGE: Final = 300_000  # entries of a program; a larger one is not given to the solver: exchanges only, never said to be complete
WRONG: Final = 50  # choices that the solver takes for equal and the recount does not (busy shares: tangents are above), before giving up
SAME_SHARE: Final = 1e-9  # what differs by less than this share of the whole is equal
SAME_COST: Final = 1e-12  # what cost times people may differ by, as a share, in two ways to multiply


def equal_optima(  # noqa: PLR0917  the door of models.site
    asked: Asked, model: Model, terms: Terms, plan: Plan, most: int, stop: Stop
) -> tuple[tuple[tuple[str, ...], ...], bool]:
    """Find other choices that are exactly as good as a plan in every stage.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms
    plan : Plan
        Proven best.
    most : int
        How many others to find.
    stop : Stop

    Returns
    -------
    choices : tuple of tuple of str
        Sorted, at most `most`, each of sorted ids, the plan itself not among them.
    complete : bool
        Whether it is proven that there are no others. False where there are more than `most`, where it was stopped, and for questions too
        large for the solver: then only what exchanges of one site after another lead to was found.
    """
    asked, terms = _sorted(_as_many(asked, model, plan), terms)
    first = np.isin(np.array(asked.sites.id, dtype=object), list(plan.chosen)) | asked.sites.background
    found, complete = _all_equal(_search(asked, model, terms, plan, stop), asked.sites, first, most, stop)
    named = sorted(tuple(asked.sites.id[at] for at in np.flatnonzero(one & asked.sites.counted)) for one in found)
    return tuple(named), complete


def _as_many(asked: Asked, model: Model, plan: Plan) -> Asked:
    """The question with as many sites as the plan has and, where the price was the goal, no dearer."""
    sites = replace(asked.sites, total=len(plan.chosen))
    if model == "lscp" and asked.sites.price.any():
        sites = replace(sites, budget=plan.stages[-1].objective)
    return replace(asked, sites=sites)


def _sorted(asked: Asked, terms: Terms) -> tuple[Asked, Terms]:
    """The same question in the order of the ids, of candidates and of demand."""
    column = np.array(sorted(range(len(asked.sites)), key=asked.sites.id.__getitem__), dtype=np.int64)
    row = np.array(sorted(range(len(asked.demand)), key=asked.demand.__getitem__), dtype=np.int64)

    def taken(matrix: csr_array) -> csr_array:
        return csr_array(matrix)[row][:, column]

    return replace(
        asked,
        sites=asked.sites.take(column),
        demand=tuple(asked.demand[at] for at in row),
        people=asked.people[row],
        near=taken(asked.near),
        wide=None if asked.wide is None else taken(asked.wide),
        cost=None if asked.cost is None else taken(asked.cost),
        has_route=asked.has_route[row] if len(asked.has_route) else asked.has_route,
    ), replace(
        terms,
        busy=None if terms.busy is None else terms.busy[column],
        capacity=None if terms.capacity is None else terms.capacity[column],
    )


@dataclass(frozen=True, eq=False)
class _Search:
    """How one question is searched.

    Attributes
    ----------
    others : callable
        With one site taken out: (candidates,) bool, which may take its place by what they are worth at most, rules of the choice aside.
    program : Program or None
        Whose feasible choices are equal ones; None where there is none small enough.
    is_equal : callable
        Recount of a choice and the vehicles at it.
    """

    others: Callable[[Mask], Mask]
    program: Program | None
    is_equal: Callable[[Mask, Numbers], bool]


def _search(asked: Asked, model: Model, terms: Terms, plan: Plan, stop: Stop) -> _Search:
    first = np.isin(np.array(asked.sites.id, dtype=object), list(plan.chosen)) | asked.sites.background
    vehicles = np.where(asked.sites.background, asked.sites.vehicles, 0).astype(np.float64)
    vehicles[[asked.sites.id.index(one) for one in plan.chosen]] = plan.vehicles

    def is_equal(chosen: Mask, at: Numbers) -> bool:
        shown = np.flatnonzero(chosen & asked.sites.counted)
        other = plan._replace(
            chosen=tuple(asked.sites.id[one] for one in shown), vehicles=tuple(int(at[one]) for one in shown), status="feasible"
        )
        try:
            check_plan(asked, model, terms, other)
        except PlanMismatchError:
            return False
        return True

    if model == "cmclp":
        return _flow_search(asked, terms, plan.stages[-1].objective, is_equal)
    if model == "p-median":
        return _median_search(asked, first, is_equal)
    question = _center(asked, terms, plan) if model == "p-center" else covering_of(asked, model, terms)
    return _cover_search(question, vehicles, is_equal, stop)


def _flow_search(asked: Asked, terms: Terms, goal: float, is_equal: Callable[[Mask, Numbers], bool]) -> _Search:
    capacity = capacities(asked.sites, terms)
    most = np.minimum(capacity, csr_array(asked.near, dtype=np.float64).T @ asked.people)
    same = SAME_SHARE * max(math.fsum(asked.people), 1.0)

    def others(chosen: Mask) -> Mask:
        if asked.sites.fleet is not None:  # a fleet would have to be spread anew
            return np.zeros(len(chosen), dtype=np.bool_)
        return np.asarray(served_within(csr_array(asked.near), asked.people, capacity, chosen) + most >= goal - same)

    return _Search(others, _if_small(pinned_flows(asked, terms, goal)) if asked.near.nnz <= LARGE else None, is_equal)


def _if_small(program: Program) -> Program | None:
    return program if program.rows.nnz <= LARGE else None


def _center(asked: Asked, terms: Terms, plan: Plan) -> Covering:
    """Cover as many within the best radius as have a route: p-center as a covering question."""
    weight = asked.people if terms.weighted else np.ones(len(asked.people))
    routes = csr_array(asked.cost)
    cost = routes.data * np.repeat(weight, np.diff(routes.indptr))
    within = cost <= plan.stages[-1].objective * (1 + SAME_COST)
    covers = csr_array((within, routes.indices, routes.indptr), shape=routes.shape, copy=True)
    covers.eliminate_zeros()
    return Covering(sites=asked.sites, stages=(CoverStage("radius", covers, weight),))


def _cover_search(question: Covering, vehicles: Numbers, is_equal: Callable[[Mask, Numbers], bool], stop: Stop) -> _Search:
    sites, blocks = question.sites, [block_of(stage, question.sites) for stage in question.stages]
    goals = [served_people(block, vehicles) for block in blocks]
    counted = [counted_people(stage, vehicles) for stage in question.stages]
    floor = None if question.floor is None else (block_of(question.floor[0], sites), question.floor[1])

    def others(chosen: Mask) -> Mask:
        if sites.fleet is not None:  # a fleet would have to be spread anew
            return np.zeros(len(sites), dtype=np.bool_)
        same = np.ones(len(sites), dtype=np.bool_)
        for block, goal in zip(blocks, goals, strict=True):
            same &= np.abs(added_worth(block, chosen, sites.vehicles) - goal) < block.same_people
        if floor is not None:
            same &= added_worth(floor[0], chosen, sites.vehicles) > floor[1] - floor[0].same_people
        if question.must is not None:
            missed = question.must[np.flatnonzero(question.must @ chosen.astype(np.float64) == 0)]
            same &= np.asarray(missed.sum(axis=0)) == missed.shape[0]
        return same

    def is_same(chosen: Mask, at: Numbers) -> bool:
        pairs = zip(question.stages, blocks, counted, strict=True)
        return all(abs(counted_people(stage, at) - value) < block.same_people for stage, block, value in pairs) and is_equal(chosen, at)

    return _Search(others, _pinned_cover(question, vehicles, stop), is_same)


def _pinned_cover(question: Covering, vehicles: Numbers, stop: Stop) -> Program | None:
    """The program of the choices as good, without the sites that a bound rules out; None if it is large all the same."""
    sites = question.sites
    for stage in question.stages:
        block = block_of(stage, sites)
        if sites.fleet is None and (sites.vehicles == 1).all():
            out, into = decided(block, sites, served_people(block, vehicles) - block.same_people, stop)
            sites = replace(sites, forbidden=sites.forbidden | out, fixed=sites.fixed | into)
    left = replace(question, sites=sites)
    small = sum(block_of(stage, sites).rows.nnz for stage in question.stages) <= LARGE
    return _if_small(pinned(left, vehicles)) if small else None


def _median_search(asked: Asked, first: Mask, is_equal: Callable[[Mask, Numbers], bool]) -> _Search:
    costs = Costs(csc_array(asked.cost), asked.people)
    goal = costs.total(first)
    same = SAME_SHARE * max(math.fsum(asked.people), 1.0), SAME_SHARE * max(goal[1], 1.0)

    def others(chosen: Mask) -> Mask:
        return np.logical_and(*(np.abs(now - best) <= least for now, best, least in zip(costs.added(chosen), goal, same, strict=True)))

    def is_same(chosen: Mask, at: Numbers) -> bool:
        return abs(costs.total(chosen)[0] - goal[0]) <= same[0] and is_equal(chosen, at)

    is_small = 3 * costs.routes.nnz <= LARGE
    return _Search(others, _pinned_median(asked, goal, same) if is_small else None, is_same)


def _pinned_median(asked: Asked, goal: tuple[float, float], same: tuple[float, float]) -> Program:
    """Who goes where: as many people reached, at a cost no higher, each by a chosen site."""
    rules, routes = site_rows(asked.sites), csr_array(asked.cost)
    row = np.repeat(np.arange(routes.shape[0]), np.diff(routes.indptr))
    width, count, edge = rules.lower.size, routes.nnz, np.arange(routes.nnz)
    people = asked.people[row]
    unit = max(goal[1], 1.0) / 1e6  # the solver's tolerances are absolute
    total = max(math.fsum(asked.people), 1.0)
    to_site = csr_array(
        (np.repeat([1.0, -1.0], count), (np.tile(edge, 2), np.concatenate([width + edge, routes.indices]))), shape=(count, width + count)
    )
    once = csr_array((np.ones(count), (row, width + edge)), shape=(routes.shape[0], width + count))
    sums = np.zeros((2, width + count))
    sums[0, width:], sums[1, width:] = people / total, routes.data * people / unit
    free = np.full(count + routes.shape[0], -np.inf)
    return Program(
        gain=np.zeros(width + count),
        lower=np.concatenate([rules.lower, np.zeros(count)]),
        upper=np.concatenate([rules.upper, np.ones(count)]),
        integer=np.concatenate([rules.integer, np.zeros(count, dtype=np.bool_)]),
        rows=csr_array(vstack([_widened(rules.rows, width + count), to_site, once, csr_array(sums)], format="csr")),
        row_lower=np.concatenate([rules.row_lower, free, [(goal[0] - same[0]) / total, -np.inf]]),
        row_upper=np.concatenate([rules.row_upper, np.zeros(count), np.ones(routes.shape[0]), [np.inf, (goal[1] + same[1]) / unit]]),
    )


def _widened(rows: csr_array, width: int) -> csr_array:
    return csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], width))


def _all_equal(search: _Search, sites: Sites, first: Mask, most: int, stop: Stop) -> tuple[list[Mask], bool]:
    """Exchange from each choice known, then ask the solver for another, until enough or nothing is left."""
    known: dict[bytes, Mask] = {first.tobytes(): first}
    waiting, wrong = deque([first]), list[Mask]()
    while True:
        while waiting and len(known) <= most + 1 and stop.reason is None:
            for other in _exchanged(search, sites, waiting.popleft()):
                if other.tobytes() not in known and search.is_equal(other, np.where(other, sites.vehicles, 0).astype(np.float64)):
                    known[other.tobytes()] = other
                    waiting.append(other)
                if len(known) > most + 1 or stop.reason is not None:
                    break
        others = list(known.values())[1:]
        if len(others) > most:
            return others[:most], False
        if search.program is None or stop.reason is not None or len(wrong) > WRONG:
            return others, False
        solution = maximise(_without(search.program, [*known.values(), *wrong], sites), stop)
        if solution.values is None:
            return others, solution.status == "infeasible"
        other, vehicles = _read(solution.values, sites)
        if search.is_equal(other, vehicles):
            known[other.tobytes()] = other
            waiting.append(other)
        else:
            wrong.append(other)


def _read(values: Numbers, sites: Sites) -> tuple[Mask, Numbers]:
    """The choice of a solution, and the vehicles at each site."""
    rules = site_rows(sites)
    choice = np.rint(values[: rules.lower.size])
    chosen = choice[: len(sites)] > 0
    return chosen, np.where(chosen, np.rint(rules.vehicles @ choice), 0.0)


def _exchanged(search: _Search, sites: Sites, chosen: Mask) -> Iterator[Mask]:
    """Every choice with one site exchanged that is worth the same and breaks no rule, in the order of the ids."""
    near = _neighbours(sites)
    for out in np.flatnonzero(chosen & ~sites.always):
        without = chosen.copy()
        without[out] = False
        free = ~chosen & ~sites.forbidden & (near @ without.astype(np.float64) == 0)
        if sites.budget is not None:
            free &= sites.price[without].sum() + sites.price <= sites.budget * (1 + SAME_SHARE)
        if not free.any():
            continue
        for into in np.flatnonzero(free & search.others(without)):
            other = without.copy()
            other[into] = True
            if _are_replaced(sites, other):
                yield other


def _are_replaced(sites: Sites, chosen: Mask) -> bool:
    """Whether each movable site that is given up has a chosen one of its own to take its place."""
    gone = np.flatnonzero(sites.movable & ~chosen)
    takes = csr_array(sites.replaces[gone][:, np.flatnonzero(chosen)], dtype=np.int32)
    return not len(gone) or bool((maximum_bipartite_matching(takes, perm_type="column") >= 0).all())


def _neighbours(sites: Sites) -> csr_array:
    """(candidates, candidates): which are too near each other."""
    one, other = sites.apart[:, 0], sites.apart[:, 1]
    both: tuple[Ints, Ints] = (np.concatenate([one, other]), np.concatenate([other, one]))
    return csr_array((np.ones(2 * len(one)), both), shape=(len(sites), len(sites)))


def _without(program: Program, known: list[Mask], sites: Sites) -> Program:
    """The program with each choice known ruled out: one of its sites at least is not chosen."""
    cuts = np.zeros((len(known), program.gain.size))
    for number, chosen in enumerate(known):
        cuts[number, : len(sites)] = chosen & ~sites.always
    return replace(
        program,
        rows=csr_array(vstack([program.rows, csr_array(cuts)], format="csr")),
        row_lower=np.concatenate([program.row_lower, np.full(len(known), -np.inf)]),
        row_upper=np.concatenate([program.row_upper, cuts.sum(axis=1) - 1.0]),
    )
