"""The p-median against brute force, and the promises a planner relies on."""

import math

import numpy as np
import pytest
from cost_questions import Costs, Question, asked_of, best_by_brute_force, questions, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.check import check_plan
from scenarios.siting.median.median import p_median
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.result import Plan
from scenarios.siting.stop import Stop


def solve(asked: Asked, stop: Stop | None = None) -> Plan:
    plan = p_median(asked, Terms(), stop or Stop())
    if plan.status != "infeasible":
        check_plan(asked, "p-median", Terms(), plan)
    return plan


def value(costs: Costs, people: Costs, chosen: list[int]) -> tuple[float, float]:
    """Minus the people reached, and the cost: what is made small, in turn."""
    least = costs[:, chosen].min(axis=1, initial=np.inf)
    has = np.isfinite(least) & (people > 0)
    return -math.fsum(people[has]), math.fsum(people[has] * least[has])


def check_against_brute_force(question: Question) -> None:
    best, plan = best_by_brute_force(question, value), solve(asked_of(*question))
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


@settings(deadline=None, max_examples=60)
@given(question=questions(is_plain=False))
def test_no_plan_that_keeps_spacing_budget_and_moves_is_better(question):
    check_against_brute_force(question)


@settings(deadline=None, max_examples=30)
@given(question=questions(is_plain=True), seed=st.integers(0, 99))
def test_another_order_of_the_same_question_changes_nothing(question, seed):
    one, other = shuffled(question, np.random.default_rng(seed))
    assert solve(one) == solve(other)


def town(n_sites: int, n_demand: int, *, islands: int = 1, seed: int = 15) -> tuple[Costs, Costs]:
    """Whole milliseconds between places of a square; none between islands."""
    rng = np.random.default_rng(seed)
    demand, sites = rng.uniform(0, 60, (n_demand, 2)), rng.uniform(0, 60, (n_sites, 2))
    cost = np.floor(np.hypot(*(demand[:, None, :] - sites[None, :, :]).transpose(2, 0, 1)) * 60_000)
    apart = (np.arange(n_demand) % islands)[:, None] != (np.arange(n_sites) % islands)[None, :]
    return np.where(apart, np.inf, cost), np.floor(rng.lognormal(4, 1, n_demand)) + 1.0


def asked_for(total: int, costs: Costs, people: Costs, **rules: object) -> Asked:
    return asked_of(costs, people, Sites.of([f"S{at:03d}" for at in range(costs.shape[1])], total=total, **rules))


def test_every_island_has_a_site_before_anything_else():
    costs, people = town(40, 300, islands=4)
    plan = solve(asked_for(4, costs, people))
    assert plan.status == "optimal"
    assert sorted(int(one[1:]) % 4 for one in plan.chosen) == [0, 1, 2, 3]
    alone = [solve(asked_for(1, costs[at::4, at::4], people[at::4])).stages[1].objective for at in range(4)]
    assert plan.stages[1].objective == sum(alone)


def test_the_most_people_are_reached_where_not_every_island_can_have_a_site():
    costs, people = town(40, 300, islands=4)
    plan = solve(asked_for(3, costs, people))
    by_island = sorted(people[at::4].sum() for at in range(4))
    assert plan.stages[0].objective == sum(by_island[1:])


def test_one_site_more_is_never_worse():
    costs, people = town(40, 200)
    assert all(np.diff([solve(asked_for(total, costs, people)).stages[1].objective for total in (1, 2, 5, 8, 40)]) < 0)


def test_the_one_site_is_where_the_costs_add_up_to_least():
    costs, people = town(60, 200)
    assert solve(asked_for(1, costs, people)).stages[1].objective == (people @ costs).min()


def test_a_larger_town_is_solved_to_proof():
    costs, people = town(150, 900)
    plan = solve(asked_for(12, costs, people))
    assert plan.status == "optimal"
    assert (plan.vehicles, len(plan.chosen)) == ((1,) * 12, 12)


def test_spacing_a_budget_and_moves_are_kept_in_a_larger_town():
    costs, people = town(60, 400)
    free = solve(asked_for(6, costs, people))
    first, second = (int(one[1:]) for one in free.chosen[:2])
    near = costs[:60].argsort(axis=1)[:, 1:9]
    replaces = csr_array((np.ones(near.size, dtype=np.bool_), near.ravel(), np.arange(0, near.size + 1, 8)), shape=(60, 60))
    rules = {"apart": np.array([[first, second]]), "price": np.arange(60) % 7 + 1.0, "budget": 20.0}
    moved = {"movable": ["S003", "S017", "S040"], "replaces": replaces}
    for some in ({"apart": rules["apart"]}, rules, moved, rules | moved):
        plan = solve(asked_for(6, costs, people, **some))
        assert plan.status == "optimal"
        assert plan.stages[1].objective >= free.stages[1].objective


def test_stopped_at_once_there_is_a_plan_with_an_honest_bound():
    costs, people = town(60, 300)
    now, best = solve(asked_for(6, costs, people), Stop.after(0)), solve(asked_for(6, costs, people))
    assert now.status == "feasible"
    assert now.stages[1].bound <= best.stages[1].objective <= now.stages[1].objective
    assert len(now.chosen) == 6


def test_of_equal_plans_the_one_with_small_ids_is_given():
    costs = np.array([[5.0, 5.0, 5.0, 9.0, 9.0], [9.0, 9.0, 9.0, 2.0, 2.0]])
    assert solve(asked_for(2, costs, np.ones(2))).chosen == ("S000", "S003")


def test_a_cost_of_nothing_is_a_route():
    cost = csr_array((np.array([0.0, 3.0]), (np.array([0, 1]), np.array([0, 1]))), shape=(2, 2))
    asked = asked_for(1, np.zeros((2, 2)), np.array([5.0, 2.0]))
    plan = solve(Asked(sites=asked.sites, demand=asked.demand, people=asked.people, near=asked.near, cost=cost, has_route=asked.has_route))
    assert (plan.chosen, plan.stages[0].objective, plan.stages[1].objective) == (("S000",), 5.0, 0.0)


def test_nobody_to_serve_is_no_contradiction():
    plan = solve(asked_for(2, np.full((3, 4), np.inf), np.ones(3)))
    assert (plan.status, plan.stages[1].objective, len(plan.chosen)) == ("optimal", 0.0, 2)
