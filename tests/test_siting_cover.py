"""The covering model against brute force, and the promises a planner relies on."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from geodata.errors import Circle15Error, OptionError
from scenarios.siting.check import PlanMismatchError, check_plan
from scenarios.siting.covering.blocks import Covering
from scenarios.siting.covering.cover import cover
from scenarios.siting.models import check_ids
from scenarios.siting.question import Asked, CoverStage, Sites, Terms
from scenarios.siting.result import Plan, SitingResult, StageValue
from scenarios.siting.stop import Stop

TOLERANCE = 1e-9


class Found(NamedTuple):
    chosen: tuple[str, ...]
    status: str
    stages: tuple[StageValue, ...]


def solve(
    stages: list[CoverStage], *, candidate_ids: list[str], sites: int, fixed: Sequence[str] = (), seconds: float | None = None
) -> Found:
    check_ids(candidate_ids, sites=sites, fixed=fixed)
    plan = cover(Covering(sites=Sites.of(candidate_ids, total=sites, fixed=fixed), stages=tuple(stages)), Stop.after(seconds))
    return Found(plan.chosen, plan.status, plan.stages)


def stage(name: str, covers: list[list[int]], people: list[float]) -> CoverStage:
    return CoverStage(name, sparse.csr_array(np.array(covers, dtype=np.bool_)), np.array(people, dtype=np.float64))


def served_people(one: CoverStage, columns: tuple[int, ...]) -> float:
    return math.fsum(one.people[one.covers.toarray()[:, list(columns)].any(axis=1)])


def best_by_brute_force(stages: list[CoverStage], sites: int, fixed: tuple[int, ...]) -> list[float]:
    plans = [plan for plan in combinations(range(stages[0].covers.shape[1]), sites) if set(fixed) <= set(plan)]
    best = []
    for one in stages:
        best.append(max(served_people(one, plan) for plan in plans))
        plans = [plan for plan in plans if served_people(one, plan) >= best[-1] - TOLERANCE * one.people.sum()]
    return best


@st.composite
def questions(draw: st.DrawFn, n_stages: int) -> tuple[list[CoverStage], list[str], int, tuple[int, ...]]:
    n_candidates, n_demand = draw(st.integers(1, 7)), draw(st.integers(1, 12))
    whole = st.integers(0, 50).map(float)
    many = st.integers(0, 200).map(lambda number: number * 1e7)
    people = draw(st.sampled_from([whole, many, st.floats(1e-3, 1_000.0), st.floats(1e-12, 1e-6)]))
    stages = []
    for number in range(n_stages):
        bits = draw(st.lists(st.booleans(), min_size=n_candidates * n_demand, max_size=n_candidates * n_demand))
        covers = np.array(bits).reshape(n_demand, n_candidates)
        weights = draw(st.lists(people, min_size=n_demand, max_size=n_demand))
        stages.append(CoverStage(f"stage {number + 1}", sparse.csr_array(covers), np.array(weights)))
    sites = draw(st.integers(1, n_candidates))
    fixed = draw(st.permutations(range(n_candidates)))[: draw(st.integers(0, sites))]
    ids = draw(st.permutations([f"{number:03d}.00" for number in range(n_candidates)]))
    return stages, list(ids), sites, tuple(fixed)


def answer(question: tuple[list[CoverStage], list[str], int, tuple[int, ...]]) -> Found:
    stages, ids, sites, fixed = question
    return solve(stages, candidate_ids=ids, sites=sites, fixed=[ids[column] for column in fixed])


def assert_best(question: tuple[list[CoverStage], list[str], int, tuple[int, ...]]) -> None:
    stages, ids, sites, fixed = question
    plan = answer(question)
    assert plan.status == "optimal"
    assert len(plan.chosen) == sites
    assert list(plan.chosen) == sorted(set(plan.chosen))
    assert {ids[column] for column in fixed} <= set(plan.chosen)
    for one, value, best in zip(stages, plan.stages, best_by_brute_force(stages, sites, fixed), strict=True):
        assert value.objective == pytest.approx(best, rel=0, abs=TOLERANCE * one.people.sum())
        assert value.bound == value.objective


@given(questions(n_stages=1))
def test_the_best_plan_is_found_whatever_the_county(question):
    assert_best(question)


@given(questions(n_stages=2))
def test_the_second_stage_is_the_best_among_the_best_of_the_first(question):
    assert_best(question)


@given(questions(n_stages=2), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(question, random):
    stages, ids, sites, fixed = question
    columns = random.sample(range(len(ids)), len(ids))
    shuffled = []
    for one in stages:
        rows = random.sample(range(one.people.size), one.people.size)
        shuffled.append(CoverStage(one.name, one.covers[rows][:, columns], one.people[rows]))
    moved = tuple(columns.index(column) for column in fixed)
    assert answer((shuffled, [ids[column] for column in columns], sites, moved)) == answer(question)


@given(questions(n_stages=1))
def test_one_more_site_never_serves_fewer(question):
    stages, ids, sites, fixed = question
    if sites < len(ids):
        more = answer((stages, ids, sites + 1, fixed)).stages[0].objective
        assert more >= answer(question).stages[0].objective - TOLERANCE * stages[0].people.sum()


def test_asking_for_five_returns_five_even_when_two_serve_everybody():
    plan = solve([stage("people", [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]], [3, 4])], candidate_ids=list("abcdef"), sites=5)
    assert len(plan.chosen) == 5
    assert plan.stages[0] == ("people", 7, 7)


def test_a_fixed_site_that_serves_nobody_is_in_the_answer_and_counts():
    plan = solve([stage("people", [[1, 0], [1, 0]], [3, 4])], candidate_ids=["good", "useless"], sites=1, fixed=["useless"])
    assert plan == (("useless",), "optimal", (("people", 0, 0),))


def test_people_decide_and_not_the_number_of_villages():
    plan = solve([stage("people", [[1, 0], [1, 0], [1, 0], [0, 1]], [1, 1, 1, 4])], candidate_ids=["three", "one"], sites=1)
    assert plan.chosen == ("one",)


def test_the_backstop_comes_before_the_crowd_around_the_county_seat():
    seat, village = [1, 1, 0], [0, 0, 1]
    near = stage("limits", [seat, [1, 0, 0], village], [512, 256, 8])
    backstop = stage("backstop", [[1, 1, 0], [1, 1, 0], village], [512, 256, 8])
    ids = ["seat-a", "seat-b", "village"]
    assert solve([near], candidate_ids=ids, sites=1).chosen == ("seat-a",)
    plan = solve([backstop, near], candidate_ids=ids, sites=2)
    assert plan == (("seat-a", "village"), "optimal", (("backstop", 776, 776), ("limits", 776, 776)))


def test_a_village_nobody_reaches_makes_nothing_infeasible():
    plan = solve([stage("people", [[1, 0], [0, 0]], [5, 1_000])], candidate_ids=["a", "b"], sites=1)
    assert plan == (("a",), "optimal", (("people", 5, 5),))


def test_entries_stored_as_false_cover_nobody():
    covers = sparse.csr_array((np.array([True, False]), (np.array([0, 0]), np.array([0, 1]))), shape=(1, 2))
    plan = solve([CoverStage("people", covers, np.array([5.0]))], candidate_ids=["b", "a"], sites=1)
    assert plan.chosen == ("b",)


def test_next_to_nobody_is_still_a_number_of_people():
    assert solve([stage("people", [[1, 0], [0, 1]], [1e-320, 0])], candidate_ids=["a", "b"], sites=1).chosen == ("a",)


def test_tenths_of_people_add_up_to_exactly_the_total():
    people = np.full(30, 0.1)
    plan = solve([CoverStage("people", sparse.csr_array(np.ones((30, 2), dtype=np.bool_)), people)], candidate_ids=["a", "b"], sites=1)
    assert plan.stages[0].objective == math.fsum(people)


def hard_stages() -> list[CoverStage]:
    rng = np.random.default_rng(15)
    sites, demand = rng.uniform(0, 60, (60, 2)), rng.uniform(0, 60, (900, 2))
    km = np.hypot(*(demand[:, None, axis] - sites[None, :, axis] for axis in (0, 1)))
    people = np.floor(rng.lognormal(5, 1, 900))
    return [CoverStage(f"{limit} km", sparse.csr_array(km <= limit), people) for limit in (14, 8)]


def test_a_plan_that_ran_out_of_time_states_a_bound_that_holds():
    ids = [f"{number:02d}" for number in range(60)]
    hurried = solve(hard_stages(), candidate_ids=ids, sites=6, seconds=0.0)
    proven = solve(hard_stages(), candidate_ids=ids, sites=6)
    assert (hurried.status, proven.status) == ("feasible", "optimal")
    assert len(hurried.chosen) == 6
    first = 0
    assert hurried.stages[first].objective <= proven.stages[first].objective <= hurried.stages[first].bound
    assert all(value.objective <= value.bound for value in hurried.stages)


@pytest.mark.parametrize(
    ("sites", "fixed", "message"),
    [
        (0, [], "at least 1, not 0"),
        (4, [], "only 3 candidates"),
        (1, ["007", "7"], "fewer than the 2 fixed"),
        (2, ["08"], "not among the candidates: 08. Candidates are: 007, 7, 70"),
    ],
)
def test_sites_that_cannot_be_had_are_refused_in_words(sites, fixed, message):
    with pytest.raises(OptionError, match=message):
        solve([stage("people", [[1, 1, 1]], [1])], candidate_ids=["7", "70", "007"], sites=sites, fixed=fixed)


def test_all_that_is_wrong_with_a_question_is_said_at_once():
    with pytest.raises(OptionError) as caught:
        solve([stage("people", [[1]], [1])], candidate_ids=["a"], sites=0, fixed=["b"])
    assert len(caught.value.problems) == 2


def test_a_candidate_named_twice_is_refused():
    with pytest.raises(OptionError, match="repeated"):
        solve([stage("people", [[1, 0]], [1])], candidate_ids=["a", "a"], sites=1)


def test_people_that_do_not_fit_the_demand_are_refused():
    with pytest.raises(OptionError, match="needs one number of people"):
        stage("people", [[1]], [1, 2])
    with pytest.raises(OptionError, match="needs one number of people"):
        stage("people", [[1]], [-1])


@pytest.mark.parametrize(
    ("chosen", "fixed", "claimed", "message"),
    [
        (["a"], [], 3.0, "the number of sites"),
        (["a", "a"], [], 3.0, "names a site twice"),
        (["a", "b"], ["c"], 3.0, "fixed sites"),
        (["a", "z"], [], 3.0, "no candidates"),
        (["a", "b"], [], 4.0, "claims 4.0, the recount is 3.0"),
    ],
)
def test_the_checker_catches_a_plan_that_is_not_what_it_claims(chosen, fixed, claimed, message):
    near = sparse.csr_array(np.eye(3, dtype=np.bool_))
    asked = Asked(sites=Sites.of("abc", total=2, fixed=fixed), demand=tuple("xyz"), people=np.array([1.0, 2.0, 4.0]), near=near)
    plan = Plan(tuple(chosen), (1,) * len(chosen), "optimal", (StageValue("people", claimed, claimed),), "")
    with pytest.raises(PlanMismatchError, match=message) as caught:
        check_plan(asked, "mclp", Terms(), plan)
    assert not isinstance(caught.value, Circle15Error)


def test_the_checker_catches_a_moved_site_whose_place_nobody_takes():
    near, replaces = sparse.csr_array(np.eye(3, dtype=np.bool_)), sparse.csr_array(np.eye(3, k=1, dtype=np.bool_))
    sites = Sites.of("abc", total=1, movable="a", replaces=replaces)
    asked = Asked(sites=sites, demand=tuple("xyz"), people=np.array([1.0, 2.0, 4.0]), near=near)
    check_plan(asked, "mclp", Terms(), Plan(("b",), (1,), "optimal", (StageValue("people", 2.0, 2.0),), ""))
    with pytest.raises(PlanMismatchError, match="moved sites"):
        check_plan(asked, "mclp", Terms(), Plan(("c",), (1,), "optimal", (StageValue("people", 4.0, 4.0),), ""))


def test_json_has_the_keys_of_the_command_and_plain_whole_numbers():
    result = SitingResult(
        model="mclp",
        status="feasible",
        objective=90.0,
        bound=100.0,
        sites=("007", "7"),
        fixed=("7",),
        served=90.0,
        total=120.5,
        unreachable=("x",),
        seconds=0.12345,
    )
    assert result.to_json() == {
        "model": "mclp",
        "status": "feasible",
        "stopped": None,
        "objective": 90,
        "bound": 100,
        "gap": 0.1,
        "sites": ["007", "7"],
        "new_sites": ["007"],
        "vehicles": {},
        "served": 90,
        "total": 120.5,
        "unreachable": ["x"],
        "beyond_limit": [],
        "stages": [],
        "equal_optima": [],
        "equal_optima_complete": False,
        "conflict": [],
        "method": "",
        "seed": 15,
        "seconds": 0.123,
    }
    assert isinstance(result.to_json()["objective"], int)
