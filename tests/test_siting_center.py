"""The p-center against brute force, and the promises a planner relies on."""

import math
from itertools import combinations

import numpy as np
import pytest
from cost_questions import Costs, Question, asked_of, best_by_brute_force, questions, shuffled
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.siting.center.center import p_center
from scenarios.siting.center.cover import Cover
from scenarios.siting.check import check_plan
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.result import Plan
from scenarios.siting.stop import Stop


def solve(asked: Asked, *, weighted: bool = False, stop: Stop | None = None) -> Plan:
    plan = p_center(asked, Terms(weighted=weighted), stop or Stop())
    if plan.status != "infeasible":
        check_plan(asked, "p-center", Terms(weighted=weighted), plan)
    return plan


def value(costs: Costs, _: Costs, chosen: list[int]) -> tuple[float, float]:
    """Minus the demand points reached, and the largest cost: what is made small, in turn."""
    least = costs[:, chosen].min(axis=1, initial=np.inf)
    return -float(np.isfinite(least).sum()), float(np.max(least[np.isfinite(least)], initial=0.0))


def weighted_value(costs: Costs, people: Costs, chosen: list[int]) -> tuple[float, float]:
    """The same with people: who is nobody sets no radius."""
    least = costs[:, chosen].min(axis=1, initial=np.inf)
    has = np.isfinite(least) & (people > 0)
    return -math.fsum(people[has]), float(np.max(least[has] * people[has], initial=0.0))


def check_against_brute_force(question: Question, *, weighted: bool = False) -> None:
    best = best_by_brute_force(question, weighted_value if weighted else value)
    plan = solve(asked_of(*question), weighted=weighted)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert plan.stages[0].objective == pytest.approx(-best[0], rel=1e-9)
    assert plan.stages[1].objective == plan.stages[1].bound == best[1]


@settings(deadline=None)  # the first call compiles
@given(question=questions(is_plain=True), weighted=st.booleans())
def test_no_plan_is_better_than_the_one_found(question, weighted):
    check_against_brute_force(question, weighted=weighted)


@settings(deadline=None, max_examples=60)
@given(question=questions(is_plain=False), weighted=st.booleans())
def test_no_plan_that_keeps_spacing_budget_and_moves_is_better(question, weighted):
    check_against_brute_force(question, weighted=weighted)


@settings(deadline=None, max_examples=30)
@given(question=questions(is_plain=True), seed=st.integers(0, 99))
def test_another_order_of_the_same_question_changes_nothing(question, seed):
    one, other = shuffled(question, np.random.default_rng(seed))
    assert solve(one) == solve(other)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.lists(st.booleans(), min_size=9, max_size=9), min_size=1, max_size=14).map(np.array),
    most=st.integers(0, 6),
)
def test_reductions_search_relaxation_and_solver_never_contradict_each_other(rows, most):
    least = next((count for count in range(10) for some in combinations(range(9), count) if rows[:, list(some)].any(axis=1).all()), 99)
    cover = Cover.of(rows, most)
    answers = [cover.settled] if cover.settled else [cover.search(1, Stop()), cover.relax(Stop()), cover.solve(Stop())]
    assert answers[-1].is_impossible == (least > most)
    for answer in answers:
        assert not answer.is_impossible or least > most
        if answer.chosen is not None:
            assert rows[:, answer.chosen].any(axis=1).all()
            assert len(answer.chosen) <= most


def line(*places: float) -> Costs:
    return np.abs(np.array(places)[:, None] - np.array(places)[None, :])


def asked_for(total: int, costs: Costs, **rules: object) -> Asked:
    return asked_of(costs, np.ones(len(costs)), Sites.of([f"S{at:03d}" for at in range(costs.shape[1])], total=total, **rules))


def test_two_sites_on_a_line_are_in_the_middle_of_two_groups():
    plan = solve(asked_for(2, line(0, 1, 2, 10, 11, 12)))
    assert (plan.chosen, plan.stages[1].objective) == (("S001", "S004"), 1.0)


def test_more_sites_than_are_needed_are_still_as_many_as_asked_for():
    assert len(solve(asked_for(4, line(0, 0, 0, 5, 5))).chosen) == 4


def test_a_fixed_site_stays_and_the_others_are_placed_around_it():
    plan = solve(asked_for(2, line(0, 1, 2, 10, 11, 14), fixed=["S000"]))
    assert (plan.chosen, plan.stages[1].objective) == (("S000", "S004"), 3.0)


def test_of_equal_plans_the_one_with_small_ids_is_given():
    assert solve(asked_for(2, line(5, 5, 5, 9, 9))).chosen == ("S000", "S003")


def test_stopped_at_once_there_is_a_plan_with_an_honest_bound():
    rng = np.random.default_rng(15)
    demand, sites = rng.uniform(0, 60, (200, 2)), rng.uniform(0, 60, (40, 2))
    asked = asked_for(6, np.hypot(*(demand[:, None, :] - sites[None, :, :]).transpose(2, 0, 1)))
    now, best = solve(asked, stop=Stop.after(0)), solve(asked)
    assert (now.status, best.status) == ("feasible", "optimal")
    assert now.stages[1].bound <= best.stages[1].objective <= now.stages[1].objective
