"""Plans over several situations against brute force: the regret table, the min-max-regret plan, which sites return."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.models import site
from scenarios.siting.question import Asked, Model, Sites, Terms
from scenarios.siting.several import robust as module
from scenarios.siting.several.robust import Robust, Situation, aligned, robust_plan
from scenarios.siting.stop import Stop
from scenarios.siting.worth import value

FEW = settings(max_examples=10, deadline=None)


def asked_of(near: np.ndarray, people: np.ndarray, *, sites: int, fixed: tuple[str, ...] = (), wide: np.ndarray | None = None) -> Asked:
    demand, candidates = near.shape
    return Asked(
        sites=Sites.of([f"c{at}" for at in range(candidates)], total=sites, fixed=fixed),
        demand=tuple(f"d{at}" for at in range(demand)),
        people=people.astype(np.float64),
        near=csr_array(near.astype(np.bool_)),
        wide=None if wide is None else csr_array((near | wide).astype(np.bool_)),
        has_route=np.ones(demand, dtype=np.bool_),
    )


@st.composite
def situations(draw: st.DrawFn) -> list[Situation]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    demand, count, candidates, share = draw(st.integers(1, 8)), draw(st.integers(1, 4)), 6, draw(st.floats(0.1, 0.6))
    fixed, sites = ("c4",) if draw(st.booleans()) else (), draw(st.integers(1, 3))
    whole = draw(st.booleans())
    told = []
    for at in range(count):
        near, wide = rng.random((2, demand, candidates)) < share
        people = rng.integers(0, 40, demand) if whole else rng.random(demand) * 40
        told.append(Situation(f"情形 {at}", f"situation {at}", asked_of(near, people, sites=sites, fixed=fixed, wide=wide)))
    return told


def robust(some: list[Situation], model: Model = "mclp", terms: Terms | None = None) -> Robust:
    return robust_plan(some, model, terms or Terms(), stop=Stop(), progress=lambda *_: None)


def plans_of(asked: Asked) -> list[tuple[str, ...]]:
    fixed = {one for one, is_fixed in zip(asked.sites.id, asked.sites.fixed, strict=True) if is_fixed}
    return [plan for plan in combinations(asked.sites.id, asked.sites.total or 0) if fixed <= set(plan)]


def largest_regrets(some: list[Situation], model: Model, plan: tuple[str, ...]) -> tuple[float, ...]:
    """By stage, over the situations, rounded so that sums in another order are the same."""
    worst = []
    for one in some:
        best = max(value(one.asked, model, Terms(), other) for other in plans_of(one.asked))
        mine = value(one.asked, model, Terms(), plan)
        worst.append([round(top - got, 6) for top, got in zip(best, mine, strict=True)])
    return tuple(max(stage) for stage in zip(*worst, strict=True))


@FEW
@given(situations(), st.sampled_from(["mclp", "lexicographic"]))
def test_no_choice_has_a_smaller_largest_regret(some, model):
    found = robust(some, model)
    assert found.plan.status == "optimal"
    mine = largest_regrets(some, model, found.plan.sites)
    assert mine == min(largest_regrets(some, model, plan) for plan in plans_of(some[0].asked))
    assert tuple(one.objective for one in found.plan.regrets) == pytest.approx(mine, abs=1e-5)
    assert all(one.objective == one.bound for one in found.plan.regrets)


@FEW
@given(situations(), st.sampled_from(["mclp", "lexicographic"]))
def test_the_table_holds_what_each_plan_achieves_and_how_much_more_the_best_one_does(some, model):
    found = robust(some, model)
    plans = [*(one.sites for one in found.results), found.plan.sites]
    assert found.achieved.shape == found.regret.shape == (len(some) + 1, len(some), len(found.stages))
    for at, plan in enumerate(plans):
        for column, one in enumerate(some):
            assert tuple(found.achieved[at, column]) == pytest.approx(value(one.asked, model, Terms(), plan))
            best = [stage.objective for stage in found.results[column].stages]
            assert tuple(found.regret[at, column]) == pytest.approx(np.array(best) - found.achieved[at, column])
    assert (found.regret[:, :, 0] >= -1e-6).all()
    assert np.abs(found.regret[np.arange(len(some)), np.arange(len(some))]).max() == 0


@FEW
@given(situations(), st.sampled_from(["mclp", "lexicographic"]), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(some, model, random):
    shuffled = []
    for one in some:
        columns = np.array(random.sample(range(6), 6))
        rows = np.array(random.sample(range(len(one.asked.people)), len(one.asked.people)))
        near, wide = (csr_array(of[rows][:, columns]) for of in (one.asked.near, one.asked.wide))
        other = replace(one.asked, sites=one.asked.sites.take(columns), near=near, wide=wide, people=one.asked.people[rows])
        shuffled.append(one._replace(asked=other))
    assert robust(shuffled, model).plan == robust(some, model).plan


def two_towns() -> list[Situation]:
    """In the one situation c0 serves 10 and c1 nobody, in the other the reverse; c2 serves 7 in both."""
    east = asked_of(np.eye(3, dtype=bool), np.array([10, 0, 7]), sites=1)
    west = replace(east, people=np.array([0.0, 10.0, 7.0]))
    return [Situation("东", "east", east), Situation("西", "west", west)]


def test_the_robust_plan_may_be_best_in_no_situation():
    found = robust(two_towns())
    assert [one.sites for one in found.results] == [("c0",), ("c1",)]
    assert found.plan == (found.plan.__class__)(
        sites=("c2",), regrets=(("people", 3.0, 3.0),), status="optimal", method="one program over all situations (HiGHS)"
    )
    assert found.regret[:, :, 0].tolist() == [[0, 10], [10, 0], [3, 3]]


def test_sites_that_are_in_most_plans_come_first_and_fixed_ones_are_no_news():
    asked = asked_of(np.eye(4, dtype=bool), np.array([9, 8, 1, 0]), sites=3, fixed=("c3",))
    other = replace(asked, people=np.array([9.0, 1.0, 8.0, 0.0]))
    assert robust([Situation("甲", "a", asked), Situation("乙", "b", other)]).chosen == (("c0", 2), ("c1", 1), ("c2", 1))


def test_one_situation_has_no_regret():
    found = robust(two_towns()[:1])
    assert (found.plan.sites, found.plan.regrets[0].objective, found.plan.status) == (("c0",), 0, "optimal")


def test_of_another_model_every_choice_is_compared():
    """c2 serves 7 in both situations, expected 3.5 of it; the best plans serve 5 and are worth nothing in the other."""
    terms = Terms(busy=np.full(3, 0.5))
    found = robust(two_towns(), "mexclp", terms)
    assert found.plan.sites == ("c2",)
    assert (found.plan.regrets[0].objective, found.plan.regrets[0].bound, found.plan.status) == (1.5, 1.5, "optimal")
    assert found.plan.method == "every choice compared in every situation"


def test_where_choices_are_too_many_the_best_of_the_situations_plans_is_taken_and_that_is_said(monkeypatch):
    monkeypatch.setattr(module, "MOST_CHOICES", 2)
    found = robust(two_towns(), "mexclp", Terms(busy=np.full(3, 0.5)))
    assert found.plan.sites == ("c0",)
    assert (found.plan.regrets[0].objective, found.plan.status) == (5, "feasible")
    assert found.plan.method == "the best among the plans of the situations"


@FEW
@given(situations())
def test_the_program_and_the_comparison_of_all_choices_agree(some):
    by_program = robust(some, "mclp").plan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COVERS", {})
        compared = robust(some, "mclp").plan
    assert compared.status == "optimal"
    assert compared.regrets[0].objective == pytest.approx(by_program.regrets[0].objective, abs=1e-5)


def test_cancelled_at_once_it_still_gives_a_plan_and_a_bound_that_holds():
    stop = Stop()
    stop.cancelled.set()
    some = two_towns()
    found = robust_plan(some, "mclp", Terms(), stop=stop, progress=lambda *_: None)
    assert len(found.plan.sites) == 1
    assert found.plan.regrets[0].bound <= 3


def test_questions_keep_only_the_candidates_that_all_have():
    one = two_towns()[0].asked
    other = replace(one, sites=one.sites.take(np.array([2, 0])), near=csr_array(one.near[:, [2, 0]]))
    (first, second), terms = aligned([one, other], Terms(busy=np.array([0.1, 0.2, 0.3])))
    assert first.sites.id == second.sites.id == ("c0", "c2")
    assert (first.near.toarray() == second.near.toarray()).all()
    assert terms.busy is not None
    assert terms.busy.tolist() == [0.1, 0.3]
    assert site(second, "mclp", Terms(), stop=Stop()).sites == ("c0",)
