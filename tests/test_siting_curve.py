"""The curve, the build order and the plan by year against brute force, and the promises a planner relies on."""

from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from geodata.errors import OptionError
from scenarios.siting.models import site
from scenarios.siting.question import Asked, Model, Sites, Terms
from scenarios.siting.result import SitingResult, StageValue
from scenarios.siting.several import curve as curve_module
from scenarios.siting.several.build_order import MOST_EXACT, build_order
from scenarios.siting.several.curve import Curve, coverage_curve, knee
from scenarios.siting.several.years import by_year
from scenarios.siting.stop import Stop
from scenarios.siting.worth import value

FEW = settings(max_examples=10, deadline=None)
BUSY = 0.25


def question(near: np.ndarray, people: np.ndarray, *, fixed: tuple[str, ...] = (), wide: np.ndarray | None = None) -> Asked:
    demand, candidates = near.shape
    return Asked(
        sites=Sites.of([f"c{at}" for at in range(candidates)], fixed=fixed),
        demand=tuple(f"d{at}" for at in range(demand)),
        people=people.astype(np.float64),
        near=csr_array(near.astype(np.bool_)),
        wide=csr_array((near | wide).astype(np.bool_)) if wide is not None else None,
        has_route=np.ones(demand, dtype=np.bool_),
    )


@st.composite
def questions(draw: st.DrawFn, candidates: int = 6) -> Asked:
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    demand = draw(st.integers(1, 10))
    near, wide = rng.random((2, demand, candidates)) < draw(st.floats(0.1, 0.6))
    return question(near, rng.integers(0, 40, demand), fixed=("c2",) if draw(st.booleans()) else (), wide=wide)


def terms_of(asked: Asked) -> Terms:
    return Terms(busy=np.full(len(asked.sites), BUSY), alpha=0.7)


def whole_curve(asked: Asked, model: Model = "mclp", most: int | None = None, stop: Stop | None = None) -> Curve:
    return coverage_curve(asked, model, terms_of(asked), most=most, stop=stop or Stop(), progress=lambda *_: None)


def every_plan(asked: Asked, sites: int) -> list[tuple[str, ...]]:
    fixed = {one for one, is_fixed in zip(asked.sites.id, asked.sites.fixed, strict=True) if is_fixed}
    return [plan for plan in combinations(asked.sites.id, sites) if fixed <= set(plan)]


def best_by_brute_force(asked: Asked, model: Model, sites: int) -> tuple[float, ...]:
    return max(value(asked, model, terms_of(asked), plan) for plan in every_plan(asked, sites))


def achieved(result: SitingResult) -> tuple[float, ...]:
    return tuple(stage.objective for stage in result.stages)


@FEW
@given(questions(), st.sampled_from(["mclp", "lexicographic", "bacop2", "mexclp"]))
def test_every_number_of_sites_has_its_best_choice(asked, model):
    curve = whole_curve(asked, model)
    assert [step.sites for step in curve.steps] == list(range(1, len(curve.steps) + 1))
    for step in curve.steps:
        assert step.result.status == "optimal"
        assert achieved(step.result) == pytest.approx(best_by_brute_force(asked, model, step.sites), abs=1e-6)


@FEW
@given(questions(), st.sampled_from(["mclp", "lexicographic", "bacop2"]))
def test_the_curve_ends_where_no_number_of_sites_achieves_more(asked, model):
    curve = whole_curve(asked, model)
    assert curve.ended in {"all", "candidates"}
    assert achieved(curve.steps[-1].result) == pytest.approx(best_by_brute_force(asked, model, len(asked.sites)), abs=1e-6)
    assert curve.ceiling == pytest.approx(achieved(curve.steps[-1].result), abs=1e-6)


@FEW
@given(questions())
def test_the_price_of_the_backstop_is_never_negative(asked):
    for step in whole_curve(asked, "lexicographic").steps:
        assert step.plain_values[1] == step.plain.objective >= step.result.stages[1].objective
        assert step.plain_values[0] <= step.result.stages[0].objective


def test_the_curve_begins_with_the_sites_that_are_there_anyway():
    near = np.eye(4, dtype=bool)
    curve = whole_curve(question(near, np.array([8, 4, 2, 1]), fixed=("c3", "c2")))
    assert [(step.sites, step.result.objective, step.gains) for step in curve.steps] == [(2, 3, ()), (3, 11, (8,)), (4, 15, (4,))]


def test_the_curve_goes_as_far_as_is_asked():
    asked = question(np.eye(4, dtype=bool), np.array([8, 4, 2, 1]))
    assert (len(whole_curve(asked, most=2).steps), whole_curve(asked, most=2).ended) == (2, "most")
    assert (len(whole_curve(asked, most=9).steps), whole_curve(asked, most=9).ended) == (4, "candidates")


def test_a_forbidden_site_is_not_waited_for():
    """c0 may not be chosen: the curve ends when c1 and c2 serve all that can be served, and what all achieve leaves c0 out."""
    asked = question(np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 1]], dtype=bool), np.array([8, 4, 2]))
    curve = whole_curve(replace(asked, sites=replace(asked.sites, forbidden=np.array([True, False, False, False]))))
    assert (curve.ceiling, curve.ended, len(curve.steps)) == ((6,), "all", 2)


def test_a_cancelled_curve_keeps_the_steps_it_has():
    stop = Stop()

    def cancel_after_two(_zh: str, en: str) -> None:
        if en.startswith("2 "):
            stop.cancelled.set()

    asked = question(np.eye(4, dtype=bool), np.array([8, 4, 2, 1]))
    curve = coverage_curve(asked, "mclp", Terms(), most=None, stop=stop, progress=cancel_after_two)
    assert curve.ended == "cancelled"
    assert [step.sites for step in curve.steps] == [1, 2]
    assert curve.steps[0].result.status == "optimal"


def test_a_search_that_stopped_shows_no_less_than_one_site_fewer_and_the_best_beside_it(monkeypatch):
    """c0 alone serves 8; the search for two is stopped with the worst two, which serve 3, and a bound of 14."""

    def stopped_at_two(asked: Asked, model: Model, terms: Terms, *, stop: Stop) -> SitingResult:
        result = site(asked, model, terms, stop=stop)
        if asked.sites.total != 2 or asked.sites.fixed.any():
            return result
        worst = {"sites": ("c2", "c3"), "stages": (StageValue("people", 3, 14),), "objective": 3, "bound": 14}
        return SitingResult(**{**vars(result), **worst, "status": "feasible", "stopped": "time"})

    monkeypatch.setattr(curve_module, "site", stopped_at_two)
    two = whole_curve(question(np.eye(4, dtype=bool), np.array([8, 4, 2, 1])), most=2).steps[1].result
    assert (two.sites, two.objective, two.bound, two.status, two.stopped) == (("c0", "c1"), 12, 14, "feasible", "time")
    assert two.fixed == ()


def test_what_bounds_a_number_of_sites_bounds_the_smaller_ones(monkeypatch):
    """Both candidates serve the same 8 people: two sites serve 8, proven, so one site that serves 8 is proven too."""

    def unproven_for_one(asked: Asked, model: Model, terms: Terms, *, stop: Stop) -> SitingResult:
        result = site(asked, model, terms, stop=stop)
        if asked.sites.total != 1:
            return result
        loose = {"stages": (StageValue("people", 8, 10),), "bound": 10, "status": "feasible", "stopped": "time"}
        return SitingResult(**{**vars(result), **loose})

    monkeypatch.setattr(curve_module, "site", unproven_for_one)
    one = whole_curve(question(np.ones((1, 2), dtype=bool), np.array([8])), most=2).steps[0].result
    assert (one.status, one.bound, one.stopped) == ("optimal", 8, None)


def test_a_model_that_chooses_the_number_has_no_curve():
    asked = question(np.eye(2, dtype=bool), np.array([1, 2]))
    with pytest.raises(OptionError, match="mclp"):
        whole_curve(asked, "lscp")
    with pytest.raises(OptionError, match="--most 1"):
        whole_curve(question(np.eye(2, dtype=bool), np.array([1, 2]), fixed=("c0", "c1")), most=1)


def test_the_knee_is_highest_above_the_line_from_end_to_end():
    assert knee([1, 2, 3, 4, 5], [50, 80, 90, 95, 100]) == 2
    assert knee([3, 4, 5], [0, 9, 10]) == 4


def test_a_straight_line_a_flat_one_and_two_points_have_no_knee():
    assert knee([1, 2, 3], [1, 2, 3]) is None
    assert knee([1, 2, 3], [5, 5, 5]) is None
    assert knee([1, 2], [1, 2]) is None
    assert knee([1, 2, 3], [0, 1, 10]) is None


# The build order


def sums_of(asked: Asked, model: Model, order: tuple[str, ...], standing: tuple[str, ...]) -> tuple[float, ...]:
    terms = terms_of(asked)
    steps = [value(asked, model, terms, (*standing, *order[: at + 1])) for at in range(len(order))]
    return tuple(sum(stage) for stage in zip(*steps, strict=True))


@FEW
@given(questions(), st.sampled_from(["mclp", "lexicographic", "bacop2", "mexclp"]))
def test_no_order_of_the_new_sites_serves_more_on_the_way(asked, model):
    curve = whole_curve(asked, model, most=5)
    plan = curve.steps[-1].result
    order = build_order(asked, model, terms_of(asked), plan, best=curve.results)
    told = tuple(step.site for step in order.steps)
    assert sorted(told) == sorted(set(plan.sites) - set(order.standing))
    assert order.exact
    if told:
        best = max(sums_of(asked, model, one, order.standing) for one in permutations(told))
        assert sums_of(asked, model, told, order.standing) == pytest.approx(best, abs=1e-6)


@FEW
@given(questions(), st.sampled_from(["mclp", "lexicographic"]))
def test_building_on_is_never_better_than_choosing_anew(asked, model):
    curve = whole_curve(asked, model)
    for step in build_order(asked, model, terms_of(asked), curve.steps[-1].result, best=curve.results).steps:
        assert step.stages <= tuple(stage.objective for stage in step.best)
        assert step.best == curve.results[step.sites].stages


def test_of_equal_orders_the_smaller_ids_come_first():
    asked = question(np.eye(3, dtype=bool), np.array([5, 5, 5]))
    order = build_order(asked, "mclp", Terms(), whole_curve(asked).steps[-1].result)
    assert [step.site for step in order.steps] == ["c0", "c1", "c2"]
    assert order.before == (0.0,)


def test_a_site_that_moves_stands_until_its_successor_does():
    """c0 (5 people) gives way to c1 (7) or stays; c2 (6) is new: built first, it adds 6 to the 5, while c1 would add 2."""
    asked = question(np.eye(3, dtype=bool), np.array([5, 7, 6]))
    replaces = csr_array(np.array([[False, True, False], [False] * 3, [False] * 3]))
    moving = Asked(
        sites=Sites.of(asked.sites.id, total=2, movable=["c0"], replaces=replaces),
        demand=asked.demand,
        people=asked.people,
        near=asked.near,
        has_route=asked.has_route,
    )
    plan = site(moving, "mclp", Terms(), stop=Stop())
    assert plan.sites == ("c1", "c2")
    order = build_order(moving, "mclp", Terms(), plan)
    assert order.before == (5.0,)
    assert [(step.site, step.instead, step.sites, step.stages) for step in order.steps] == [
        ("c2", None, 2, (11.0,)),
        ("c1", "c0", 2, (13.0,)),
    ]


def test_beyond_fifteen_new_sites_the_best_next_one_is_taken_and_that_is_said():
    people = np.arange(MOST_EXACT + 1) + 1
    asked = question(np.eye(len(people), dtype=bool), people)
    plan = site(Asked(**{**vars(asked), "sites": Sites.of(asked.sites.id, total=len(people))}), "mclp", Terms(), stop=Stop())
    order = build_order(asked, "mclp", Terms(), plan)
    assert not order.exact
    assert [step.site for step in order.steps] == [f"c{at}" for at in reversed(range(len(people)))]


# By year


def with_people(asked: Asked, people: np.ndarray) -> Asked:
    return Asked(**{**vars(asked), "people": people})


@FEW
@given(questions(candidates=5), st.integers(0, 1000), st.sampled_from(["mclp", "lexicographic"]))
def test_no_plan_that_takes_nothing_back_serves_more_people_years(asked, seed, model):
    later = with_people(asked, np.random.default_rng(seed).integers(0, 40, len(asked.people)).astype(np.float64))
    plan = by_year({2026: asked, 2029: later}, model, Terms(), {2026: 2, 2029: 3}, stop=Stop())
    first, last = plan.milestones
    assert (first.years, last.years, plan.status) == (3, 1, "optimal")
    assert set(first.sites) <= set(last.sites)
    assert last.new == tuple(sorted(set(last.sites) - set(first.sites)))
    best = max(
        tuple(3 * a + b for a, b in zip(value(asked, model, Terms(), early), value(later, model, Terms(), late), strict=True))
        for early in every_plan(asked, 2)
        for late in every_plan(asked, 3)
        if set(early) <= set(late)
    )
    assert tuple(stage.objective for stage in plan.stages) == pytest.approx(best, abs=1e-6)
    for one in plan.milestones:
        assert one.stages <= achieved(one.best)


@FEW
@given(questions(candidates=5), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(asked, random):
    columns = np.array(random.sample(range(5), 5))
    near, wide = (csr_array(of[:, columns]) for of in (asked.near, asked.wide))
    other = replace(asked, sites=asked.sites.take(columns), near=near, wide=wide)
    plans = [by_year({2026: one, 2029: one}, "lexicographic", Terms(), {2026: 2, 2029: 3}, stop=Stop()) for one in (asked, other)]
    assert [one.sites for one in plans[0].milestones] == [one.sites for one in plans[1].milestones]
    curves = [whole_curve(one) for one in (asked, other)]
    orders = [build_order(one, "mclp", Terms(), curve.steps[-1].result) for one, curve in zip((asked, other), curves, strict=True)]
    assert orders[0] == orders[1]


def test_another_model_is_built_in_the_order_of_its_last_plan():
    asked = question(np.eye(4, dtype=bool), np.array([8, 4, 2, 1]))
    plan = by_year({2026: asked, 2030: asked}, "mexclp", terms_of(asked), {2026: 1, 2030: 2}, stop=Stop())
    assert [one.sites for one in plan.milestones] == [("c0",), ("c0", "c1")]
    assert plan.method.startswith("the best plan of the last year")
    assert plan.status == "optimal"  # every year has what it could have alone


def test_fewer_sites_in_a_later_year_are_refused():
    asked = question(np.eye(2, dtype=bool), np.array([2, 1]))
    with pytest.raises(OptionError, match="2028"):
        by_year({2026: asked, 2028: asked}, "mclp", Terms(), {2026: 2, 2028: 1}, stop=Stop())
