"""Maximal covering with capacities against brute force, and its recount against a linear program."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_array

from geodata.errors import OptionError
from scenarios.siting.capacitated.capacitated import cmclp
from scenarios.siting.flow import served_within
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.stop import Stop

ENDLESS = np.inf


def asked_of(sites, near, people):
    near = np.array(near, dtype=np.bool_)
    demand = tuple(f"d{number}" for number in range(len(near)))
    return Asked(sites=sites, demand=demand, people=np.array(people, dtype=np.float64), near=csr_array(near))


def served_by_linear_program(near, people, capacity, chosen):
    """The same flow, written as a linear program over every pair."""
    point, site = np.nonzero(near & chosen[None, :])
    if not len(point):
        return 0.0
    edge = np.arange(len(point))
    rows = csr_array(
        (np.ones(2 * len(edge)), (np.concatenate([point, len(near) + site]), np.tile(edge, 2))), shape=(sum(near.shape), len(edge))
    )
    total = max(people.sum(), 1e-9)  # the solver's tolerances are absolute
    most = np.concatenate([people, np.minimum(capacity, total)]) / total
    return -linprog(-np.ones(len(edge)), A_ub=rows, b_ub=most, method="highs").fun * total


@st.composite
def questions(draw):
    count, demand = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    near = random.random((demand, count)) < draw(st.sampled_from([0.2, 0.5]))
    unit = draw(st.sampled_from([1.0, 0.37, 1e-7]))
    people = random.integers(0, 30, demand) * unit
    capacity = np.where(random.random(count) < 0.2, ENDLESS, random.integers(0, 60, count) * unit)
    ids = draw(st.permutations([f"{number:02d}" for number in range(count)]))
    total = draw(st.integers(1, count))
    free = total < count and draw(st.booleans())
    sites = Sites.of(ids, total=total, fixed=ids[: draw(st.integers(0, total - 1))], forbidden=ids[-1:] if free else ())
    return asked_of(sites, near, people), capacity


def choices(sites):
    for some in combinations(range(len(sites)), sites.total):
        chosen = np.isin(np.arange(len(sites)), some)
        if (chosen & sites.counted).sum() == sites.total and not (sites.fixed & ~chosen).any() and not (sites.forbidden & chosen).any():
            yield chosen


@settings(max_examples=25, deadline=None)
@given(questions())
def test_the_most_people_are_served_whatever_the_county(question):
    asked, capacity = question
    near = np.asarray(asked.near.todense())
    best = max(served_by_linear_program(near, asked.people, capacity, chosen) for chosen in choices(asked.sites))
    plan = cmclp(asked, Terms(capacity=capacity), Stop())
    chosen = np.isin(asked.sites.id, plan.chosen)
    whole = max(asked.people.sum(), 1e-9)
    assert plan.status == "optimal"
    assert list(plan.chosen) == sorted(plan.chosen)
    assert plan.stages[0].objective == pytest.approx(best, abs=1e-7 * whole)
    assert plan.stages[0].objective == pytest.approx(served_within(asked.near, asked.people, capacity, chosen), abs=1e-9 * whole)


@settings(max_examples=25, deadline=None)
@given(questions())
def test_the_recount_is_the_largest_flow(question):
    asked, capacity = question
    near = np.asarray(asked.near.todense())
    for chosen in choices(asked.sites):
        recount = served_within(asked.near, asked.people, capacity, chosen)
        assert recount == pytest.approx(served_by_linear_program(near, asked.people, capacity, chosen), rel=1e-7, abs=1e-12)


@settings(max_examples=12, deadline=None)
@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(question, random):
    asked, capacity = question
    column = np.array(random.sample(range(len(asked.sites)), len(asked.sites)))
    row = np.array(random.sample(range(len(asked.demand)), len(asked.demand)))
    turned = replace(
        asked,
        sites=asked.sites.take(column),
        demand=tuple(asked.demand[at] for at in row),
        people=asked.people[row],
        near=csr_array(asked.near[row][:, column]),
    )
    assert cmclp(turned, Terms(capacity=capacity[column]), Stop()) == cmclp(asked, Terms(capacity=capacity), Stop())


@settings(max_examples=12, deadline=None)
@given(questions())
def test_stopped_at_once_there_is_a_plan_and_a_bound_that_holds(question):
    asked, capacity = question
    now = cmclp(asked, Terms(capacity=capacity), Stop.after(0))
    best = cmclp(asked, Terms(capacity=capacity), Stop()).stages[0].objective
    same = 1e-9 * max(asked.people.sum(), 1.0)
    assert now.stages[0].objective - same <= best <= now.stages[0].bound + same
    assert len(now.chosen) == asked.sites.total


def test_a_large_town_needs_two_small_stations_more_than_one_more_village_is_worth():
    near = [[1, 1, 0], [0, 0, 1]]
    asked = asked_of(Sites.of(["town 1", "town 2", "village"], total=2), near, [100, 30])
    assert cmclp(asked, Terms(capacity=np.full(3, 50.0)), Stop()).chosen == ("town 1", "town 2")
    assert cmclp(asked, Terms(capacity=np.full(3, 90.0)), Stop()).chosen == ("town 1", "village")


def test_of_sites_that_serve_as_many_the_smaller_ids_are_taken():
    near = np.repeat(np.eye(2), 3, axis=1)
    asked = asked_of(Sites.of(["c", "b", "a", "f", "e", "d"], total=3), near, [100, 100])
    assert cmclp(asked, Terms(capacity=np.full(6, 50.0)), Stop()).chosen == ("a", "b", "d")


def test_people_are_sent_to_the_other_site_where_that_makes_room():
    near = np.array([[1, 0], [1, 1], [0, 1]], dtype=np.bool_)
    people, capacity = np.array([4.0, 4.0, 1.0]), np.array([4.0, 5.0])
    assert served_within(csr_array(near), people, capacity, np.ones(2, dtype=np.bool_)) == 9


def test_a_background_site_serves_and_its_room_counts_though_it_is_neither_counted_nor_named():
    sites = Sites.of(["in", "out"], total=1, background=["out"])
    asked = asked_of(sites, [[1, 1]], [10])
    plan = cmclp(asked, Terms(capacity=np.array([3.0, 4.0])), Stop())
    assert (plan.chosen, plan.stages[0].objective) == (("in",), 7)
    plan = cmclp(asked, Terms(capacity=np.array([3.0, np.nan])), Stop())
    assert plan.stages[0].objective == 10


def test_spacing_budget_and_vehicles_bind_here_too():
    near = np.eye(4)
    sites = Sites.of("abcd", budget=5.0, price=np.array([3.0, 2.0, 3.0, 1.0]), apart=np.array([(0, 1)]), fleet=3, vehicles=np.full(4, 2))
    plan = cmclp(asked_of(sites, near, [9, 8, 7, 1]), Terms(capacity=np.array([5.0, 8.0, 9.0, 9.0])), Stop())
    assert (plan.chosen, sum(plan.vehicles), plan.stages[0].objective) == (("b", "c"), 3, 15)


@pytest.mark.parametrize("seed", range(4))
def test_sites_that_prices_rule_in_or_out_are_ruled_so_rightly(seed):
    random = np.random.default_rng(seed)
    places, homes = random.random((12, 2)), random.random((50, 2))
    near = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1)) < 0.35
    people, capacity = random.integers(1, 90, 50).astype(float), random.integers(100, 900, 12).astype(float)
    apart = np.array([(0, 1), (2, 3), (4, 5), (6, 7)])
    for pairs in (apart[:0], apart):
        asked = asked_of(Sites.of([f"{number:02d}" for number in range(12)], total=3, fixed=["08"], apart=pairs), near, people)
        best = max(served_within(asked.near, people, capacity, one) for one in choices(asked.sites) if not one[pairs].all(axis=1).any())
        plan = cmclp(asked, Terms(capacity=capacity), Stop())
        assert (plan.status, plan.stages[0].objective) == ("optimal", best)


def test_rules_that_contradict_each_other_are_infeasible():
    asked = asked_of(Sites.of("ab", total=2, apart=np.array([(0, 1)])), np.eye(2), [1, 1])
    assert cmclp(asked, Terms(capacity=np.ones(2)), Stop()).status == "infeasible"


def test_a_capacity_that_is_not_known_is_named():
    asked = asked_of(Sites.of(["a", "b", "c"], total=1), np.eye(3), [1, 1, 1])
    with pytest.raises(OptionError, match=r"b.*inf"):
        cmclp(asked, Terms(capacity=np.array([1.0, np.nan, 2.0])), Stop())
    with pytest.raises(OptionError, match="negative: c"):
        cmclp(asked, Terms(capacity=np.array([1.0, 1.0, -2.0])), Stop())


def test_without_limits_it_is_maximal_covering():
    random = np.random.default_rng(3)
    near, people = random.random((40, 8)) < 0.3, random.integers(1, 90, 40)
    asked = asked_of(Sites.of("abcdefgh", total=3), near, people)
    best = max(people[near[:, list(some)].any(axis=1)].sum() for some in combinations(range(8), 3))
    assert cmclp(asked, Terms(capacity=np.full(8, ENDLESS)), Stop()).stages[0].objective == best
