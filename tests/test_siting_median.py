"""The p-median against brute force, the literature, and the promises a planner relies on."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.check import check_plan
from scenarios.siting.median import p_median
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.result import Plan
from scenarios.siting.stop import Stop

OPTIMA = {"pmed1": 5819, "pmed6": 7824, "pmed11": 7696, "pmed16": 8162, "pmed21": 9138}


def asked_of(costs: np.ndarray, people: np.ndarray, sites: Sites) -> Asked:
    """`costs` are infinite where there is no route."""
    row, column = np.nonzero(np.isfinite(costs))
    cost = csr_array((costs[row, column], (row, column)), shape=costs.shape)
    near = csr_array(costs.shape, dtype=np.bool_)
    demand = tuple(f"D{at:04d}" for at in range(len(people)))
    return Asked(sites=sites, demand=demand, people=people, near=near, cost=cost, has_route=np.isfinite(costs).any(axis=1))


def solve(asked: Asked, stop: Stop | None = None) -> Plan:
    plan = p_median(asked, Terms(), stop or Stop())
    if plan.status != "infeasible":
        check_plan(asked, "p-median", Terms(), plan)
    return plan


def value(costs: np.ndarray, people: np.ndarray, chosen: list[int]) -> tuple[float, float]:
    """Minus the people reached, and the cost: what is made small, in turn."""
    least = costs[:, chosen].min(axis=1, initial=np.inf)
    has = np.isfinite(least) & (people > 0)
    return -math.fsum(people[has]), math.fsum(people[has] * least[has])


def keeps(sites: Sites, plan: set[int]) -> bool:
    counted = {at for at in plan if sites.counted[at]}
    gone = [at for at in np.flatnonzero(sites.movable) if at not in plan]
    instead = [[at for at in plan if sites.replaces[gone_at, at]] for gone_at in gone]
    return (
        (sites.total is None or len(counted) == sites.total)
        and not any(sites.forbidden[at] for at in counted)
        and not any(a in plan and b in plan for a, b in sites.apart)
        and (sites.budget is None or math.fsum(sites.price[list(counted)]) <= sites.budget)
        and _can_match(instead)
    )


def _can_match(choices: list[list[int]]) -> bool:
    if not choices:
        return True
    return any(_can_match([[one for one in rest if one != taken] for rest in choices[1:]]) for taken in choices[0])


def best_by_brute_force(costs: np.ndarray, people: np.ndarray, sites: Sites) -> tuple[float, float] | None:
    always = set(np.flatnonzero(sites.always).tolist())
    rest = [at for at in range(len(sites)) if at not in always]
    plans = [always | set(some) for count in range(len(rest) + 1) for some in combinations(rest, count)]
    values = [value(costs, people, sorted(plan)) for plan in plans if keeps(sites, plan)]
    if not values:
        return None
    most = min(reached for reached, _ in values)
    return min((one for one in values if one[0] <= most + 1e-9 * abs(most)), key=lambda one: one[1])


@st.composite
def questions(draw: st.DrawFn, *, is_plain: bool) -> tuple[np.ndarray, np.ndarray, Sites]:
    n_sites, n_demand = draw(st.integers(1, 7)), draw(st.integers(1, 10))
    costs = st.sampled_from([0.0, 1.0, 2.0, 5.0, math.inf]) | st.integers(0, 4_000_000).map(float) | st.floats(0.001, 90.0)
    cost = np.array(draw(st.lists(costs, min_size=n_sites * n_demand, max_size=n_sites * n_demand))).reshape(n_demand, n_sites)
    weights = st.integers(0, 50).map(float) | st.just(0.0) | st.floats(0.01, 900.0)
    people = np.array(draw(st.lists(weights, min_size=n_demand, max_size=n_demand)))
    ids = [f"S{at}" for at in range(n_sites)]
    kind = draw(st.lists(st.sampled_from("ooooooxfb"), min_size=n_sites, max_size=n_sites))
    fixed, forbidden, background = ([one for one, said in zip(ids, kind, strict=True) if said == which] for which in "fxb")
    open_count = kind.count("o")
    total = len(fixed) + draw(st.integers(0, open_count))
    if total == 0:
        total, fixed, forbidden, background = 1, [], [], []
    rules = {}
    if not is_plain:
        pairs = [(a, b) for a in range(n_sites) for b in range(a) if kind[a] == kind[b] == "o"]
        rules["apart"] = np.array(draw(st.lists(st.sampled_from(pairs), max_size=2, unique=True)) if pairs else [], np.int64).reshape(-1, 2)
        rules["price"] = np.array(draw(st.lists(st.integers(0, 5).map(float), min_size=n_sites, max_size=n_sites)))
        rules["budget"] = draw(st.none() | st.integers(0, 12).map(float))
        rules["movable"] = [one for one, said in zip(ids, kind, strict=True) if said == "o" and draw(st.booleans())][:2]
        rules["replaces"] = csr_array(
            np.array(draw(st.lists(st.booleans(), min_size=n_sites**2, max_size=n_sites**2))).reshape(n_sites, n_sites)
        )
    return cost, people, Sites.of(ids, total=total, fixed=fixed, forbidden=forbidden, background=background, **rules)


def check_against_brute_force(question: tuple[np.ndarray, np.ndarray, Sites]) -> None:
    costs, people, sites = question
    best, plan = best_by_brute_force(costs, people, sites), solve(asked_of(costs, people, sites))
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.stages[0].objective == pytest.approx(-best[0], rel=1e-9)
    assert plan.stages[1].objective == pytest.approx(best[1], rel=1e-8, abs=1e-9)
    assert plan.stages[1].bound == plan.stages[1].objective


@settings(deadline=None)  # the first call compiles
@given(question=questions(is_plain=True))
def test_no_plan_is_better_than_the_one_found(question):
    check_against_brute_force(question)


@settings(deadline=None)  # the first call compiles
@given(question=questions(is_plain=False))
def test_no_plan_that_keeps_spacing_budget_and_moves_is_better(question):
    check_against_brute_force(question)
