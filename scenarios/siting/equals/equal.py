"""Other choices that are exactly as good as a plan: the planner takes the one that suits.

Found in two ways, in turn, until there are no more or as many as were asked for:

- from each choice known, every exchange of one site for another, all counted at once;
- one that is new, or the proof that there is none. By the solver, on a program in which every stage must come to what the plan does and
  each choice known is ruled out (a no-good cut, Balas & Jeroslow 1972, doi:10.1137/0123007); or, where the program would be large or is not
  linear, by the model's own search in parts that hold no choice known (Lawler 1972, doi:10.1287/mnsc.18.7.401).

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

from geodata.errors import OptionError
from scenarios.siting.capacitated.capacitated import capacities, cmclp, pinned_flows
from scenarios.siting.check import PlanMismatchError, check_plan
from scenarios.siting.covering.blocks import Covering, block_of, counted_people, served_people
from scenarios.siting.covering.cover import cover
from scenarios.siting.covering.models import covering_of
from scenarios.siting.covering.program import pinned
from scenarios.siting.equals.decided import decided
from scenarios.siting.flow import served_within
from scenarios.siting.median.median import p_median
from scenarios.siting.milp import Program, maximise
from scenarios.siting.one_more import Costs, added_worth
from scenarios.siting.question import Asked, CoverStage, Ints, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.result import Plan
from scenarios.siting.rules import site_rows
from scenarios.siting.stop import Stop

LARGE: Final = 300_000  # entries of a program; a larger one is not given to the solver
MOST_TRIALS: Final = 60  # of the model's own search
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
        Whether it is proven that there are no others. False where there are more than `most`, where it was stopped, and where the proof
        would take the model's own search too many times.
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


Known = dict[bytes, Mask]
Another = Callable[[Known, Stop], tuple[Mask | None, bool]]
IsEqual = Callable[[Mask, Numbers], bool]


@dataclass(frozen=True, eq=False)
class _Search:
    """How one question is searched.

    Attributes
    ----------
    others : callable
        With one site taken out: (candidates,) bool, which may take its place by what they are worth at most, rules of the choice aside.
    another : callable
        One that is not among those known, or None: there is none, if the second says that this is proven.
    is_equal : callable
        Recount of a choice and the vehicles at it.
    """

    others: Callable[[Mask], Mask]
    another: Another
    is_equal: IsEqual


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


def _flow_search(asked: Asked, terms: Terms, goal: float, is_equal: IsEqual) -> _Search:
    capacity = capacities(asked.sites, terms)
    most = np.minimum(capacity, csr_array(asked.near, dtype=np.float64).T @ asked.people)
    same = SAME_SHARE * max(math.fsum(asked.people), 1.0)

    def others(chosen: Mask) -> Mask:
        if asked.sites.fleet is not None:  # a fleet would have to be spread anew
            return np.zeros(len(chosen), dtype=np.bool_)
        return np.asarray(served_within(csr_array(asked.near), asked.people, capacity, chosen) + most >= goal - same)

    if 2 * asked.near.nnz <= LARGE:
        return _Search(others, _by_program(pinned_flows(asked, terms, goal), asked.sites, is_equal), is_equal)
    return _Search(others, _by_parts(lambda sites, stop: cmclp(replace(asked, sites=sites), terms, stop), asked.sites, is_equal), is_equal)


def _center(asked: Asked, terms: Terms, plan: Plan) -> Covering:
    """Cover as many within the best radius as have a route: p-center as a covering question."""
    weight = asked.people if terms.weighted else np.ones(len(asked.people))
    routes = csr_array(asked.cost)
    cost = routes.data * np.repeat(weight, np.diff(routes.indptr))
    within = cost <= plan.stages[-1].objective * (1 + SAME_COST)
    covers = csr_array((within, routes.indices, routes.indptr), shape=routes.shape, copy=True)
    covers.eliminate_zeros()
    return Covering(sites=asked.sites, stages=(CoverStage("radius", covers, weight),))


def _cover_search(question: Covering, vehicles: Numbers, is_equal: IsEqual, stop: Stop) -> _Search:
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

    program = None if any(block.is_expected for block in blocks) else _pinned_cover(question, vehicles, stop)
    if program is not None:
        return _Search(others, _by_program(program, sites, is_same), is_same)
    return _Search(others, _by_parts(lambda some, until: cover(replace(question, sites=some), until), sites, is_same), is_same)


def _pinned_cover(question: Covering, vehicles: Numbers, stop: Stop) -> Program | None:
    """The program of the choices as good, without the sites that a bound rules out; None if it is large all the same."""
    sites = question.sites
    for stage in question.stages:
        block = block_of(stage, sites)
        if sites.fleet is None and (sites.vehicles == 1).all():
            out, into = decided(block, sites, served_people(block, vehicles) - block.same_people, stop)
            sites = replace(sites, forbidden=sites.forbidden | out, fixed=sites.fixed | into)
    if 2 * sum(block_of(stage, sites).rows.nnz for stage in question.stages) > LARGE:
        return None
    return pinned(replace(question, sites=sites), vehicles)


def _median_search(asked: Asked, first: Mask, is_equal: IsEqual) -> _Search:
    costs = Costs(csc_array(asked.cost), asked.people)
    goal = costs.total(first)
    same = SAME_SHARE * max(math.fsum(asked.people), 1.0), SAME_SHARE * max(goal[1], 1.0)

    def others(chosen: Mask) -> Mask:
        return np.logical_and(*(np.abs(now - best) <= least for now, best, least in zip(costs.added(chosen), goal, same, strict=True)))

    def is_same(chosen: Mask, at: Numbers) -> bool:
        return abs(costs.total(chosen)[0] - goal[0]) <= same[0] and is_equal(chosen, at)

    parts = _by_parts(lambda sites, stop: p_median(replace(asked, sites=sites), Terms(), stop), asked.sites, is_same)
    return _Search(others, parts, is_same)


def _all_equal(search: _Search, sites: Sites, first: Mask, most: int, stop: Stop) -> tuple[list[Mask], bool]:
    """Exchange from each choice known, then look for another, until enough or nothing is left."""
    known: Known = {first.tobytes(): first}
    waiting = deque([first])
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
        found, is_proven = search.another(known, stop)
        if found is None:
            return others, is_proven
        known[found.tobytes()] = found
        waiting.append(found)


def _by_program(program: Program, sites: Sites, is_equal: IsEqual) -> Another:
    """Ask the solver for a choice that is not known."""
    wrong: list[Mask] = []  # equal to within the solver's tolerances, and not by the recount

    def another(known: Known, stop: Stop) -> tuple[Mask | None, bool]:
        while True:
            solution = maximise(_without(program, [*known.values(), *wrong], sites), stop)
            if solution.values is None:
                return None, solution.status == "infeasible"
            chosen, vehicles = _read(solution.values, sites)
            if is_equal(chosen, vehicles):
                return chosen, True
            wrong.append(chosen)

    return another


def _by_parts(solve: Callable[[Sites, Stop], Plan], sites: Sites, is_equal: IsEqual) -> Another:
    """Split all choices at each one known, first site by first site: without it; with it but without the second; and so on."""
    nothing_in: set[bytes] = set()

    def another(known: Known, stop: Stop) -> tuple[Mask | None, bool]:
        waiting = [(sites.fixed, sites.forbidden & ~sites.background)]
        while waiting:
            fixed, forbidden = waiting.pop()
            key = fixed.tobytes() + forbidden.tobytes()
            held = next((one for one in known.values() if one[fixed].all() and not one[forbidden].any()), None)
            if held is not None:
                waiting += _parts(fixed, forbidden, np.flatnonzero(held & ~fixed & sites.counted))
            elif key not in nothing_in:
                if stop.reason is not None or len(nothing_in) >= MOST_TRIALS:
                    return None, False
                found, is_proven = _best_within(solve, replace(sites, fixed=fixed, forbidden=forbidden), stop)
                if not is_proven or (found is not None and is_equal(*found)):
                    return None if found is None else found[0], is_proven
                nothing_in.add(key)
        return None, True

    return another


def _parts(fixed: Mask, forbidden: Mask, at: Ints) -> list[tuple[Mask, Mask]]:
    """What is fixed and forbidden in each part: all choices but the one that has all of these sites."""
    parts = []
    for one in at:
        now = np.arange(len(fixed)) == one
        parts.append((fixed, forbidden | now))
        fixed = fixed | now
    return parts


def _best_within(solve: Callable[[Sites, Stop], Plan], sites: Sites, stop: Stop) -> tuple[tuple[Mask, Numbers] | None, bool]:
    """The best choice of a part with its vehicles (None: there is none), and whether that is proven."""
    if int((~sites.forbidden & sites.counted).sum()) < (sites.total or 0):
        return None, True
    try:
        plan = solve(sites, stop)
    except OptionError:  # it was stopped before it found any
        return None, False
    if plan.status != "optimal":
        return None, plan.status == "infeasible"
    vehicles = np.where(sites.background, sites.vehicles, 0).astype(np.float64)
    vehicles[[sites.id.index(one) for one in plan.chosen]] = plan.vehicles
    return (vehicles > 0, vehicles), True


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
