"""What a choice of sites is worth: all parts of a plan at once are what each of them is alone; models' plans seen by one another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.models import site
from scenarios.siting.question import Asked, Model, Sites, Terms
from scenarios.siting.several.across_models import across_models
from scenarios.siting.several.shared_cover import shared_cover
from scenarios.siting.stop import Stop
from scenarios.siting.worth import goals_on_the_way, value

FEW = settings(max_examples=10, deadline=None)
CANDIDATES = 6
MODELS: list[Model] = ["mclp", "lexicographic", "bacop1", "bacop2", "mexclp", "dsm", "cmclp", "p-median", "p-center"]


@st.composite
def questions(draw: st.DrawFn) -> tuple[Asked, Terms]:
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    demand = draw(st.integers(1, 8))
    cost = np.where(rng.random((demand, CANDIDATES)) < 0.7, rng.integers(0, 20, (demand, CANDIDATES)), -1)
    row, column = np.nonzero(cost >= 0)
    asked = Asked(
        sites=Sites.of(
            [f"c{at}" for at in range(CANDIDATES)], total=3, background=["c5"], vehicles=rng.integers(1, 3, CANDIDATES).astype(np.int64)
        ),
        demand=tuple(f"d{at}" for at in range(demand)),
        people=rng.integers(0, 40, demand).astype(np.float64),
        near=csr_array((cost >= 0) & (cost < 8)),
        wide=csr_array((cost >= 0) & (cost < 15)),
        cost=csr_array((cost[row, column].astype(np.float64), (row, column)), shape=cost.shape),
        has_route=(cost >= 0).any(axis=1),
    )
    return asked, Terms(busy=rng.random(CANDIDATES) * 0.9, alpha=0.6, capacity=rng.integers(5, 60, CANDIDATES).astype(np.float64))


@FEW
@given(questions(), st.sampled_from(MODELS))
def test_every_part_of_a_plan_is_worth_what_it_is_alone(question, model):
    asked, terms = question
    base, new, instead = np.array([5]), np.array([0, 2, 3]), np.array([-1, 1, -1])
    for goal in goals_on_the_way(asked, model, terms):
        values = goal.of_parts(base, new, instead)
        for part in range(8):
            is_built = (part >> np.arange(3)) & 1 == 1
            waiting = instead[~is_built]
            alone = goal.of(np.concatenate([base, new[is_built], waiting[waiting >= 0]]))
            assert values[part] == pytest.approx(alone, abs=1e-6)


@FEW
@given(questions(), st.sampled_from(MODELS))
def test_one_more_site_is_worth_what_it_is_together_with_the_others(question, model):
    asked, terms = question
    more = np.array([0, 2, 3, 4])
    for goal in goals_on_the_way(asked, model, terms):
        told = goal.with_one_more(np.array([1, 5]))
        assert told[more] == pytest.approx([goal.of(np.array([1, 5, one])) for one in more], abs=1e-6)


@FEW
@given(questions(), st.sampled_from([one for one in MODELS if one not in {"bacop1", "dsm"}]))
def test_a_plan_is_worth_what_its_model_says(question, model):
    asked, terms = question
    found = site(asked, model, terms, stop=Stop())
    told = value(asked, model, terms, found.sites, found.vehicles)
    assert told == pytest.approx([stage.objective for stage in found.stages], abs=1e-6)


@FEW
@given(st.lists(questions(), min_size=1, max_size=3), st.integers(0, 2**CANDIDATES - 1))
def test_questions_taken_together_serve_whom_each_serves_alone(some, chosen):
    asked = [one for one, _ in some]
    together = shared_cover([one.near for one in asked], [one.people for one in asked], asked[0].sites)
    is_chosen = ((chosen >> np.arange(CANDIDATES)) & 1 == 1) | asked[0].sites.background
    ids = [f"c{at}" for at in np.flatnonzero(is_chosen)]
    alone = [value(one, "mclp", Terms(), ids)[0] for one in asked]
    assert together.served(is_chosen.astype(np.float64)) == pytest.approx(alone, abs=1e-6)


# The models' plans, seen by one another


def town() -> Asked:
    """c0 and c1 each serve 10 in the town; c2 serves a village of 4 within the limit, c3 another of 3 within the wide one only."""
    near = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], dtype=bool)
    wide = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=bool)
    return Asked(
        sites=Sites.of(["c0", "c1", "c2", "c3"], total=2),
        demand=("town", "village", "hamlet"),
        people=np.array([10.0, 4.0, 3.0]),
        near=csr_array(near),
        wide=csr_array(wide),
        has_route=np.ones(3, dtype=bool),
    )


def test_each_plan_is_valued_by_every_model():
    half = Terms(alpha=0.25)
    found = across_models({"mclp": (town(), Terms()), "bacop2": (town(), half)}, stop=Stop(), progress=lambda *_: None)
    assert [one.sites for one in found.results] == [("c0", "c2"), ("c0", "c1")]
    assert [(view.model, view.stage) for view in found.views] == [("mclp", "people"), ("bacop2", "weighted cover")]
    assert found.achieved.tolist() == [[14, 3.5], [10, 10]]
    assert found.share == pytest.approx(np.array([[1, 0.35], [10 / 14, 1]]))
    assert found.robust == 1  # 71 % at worst, the other 35 %
    assert found.chosen == (("c0", 2), ("c1", 1), ("c2", 1))


def test_a_model_whose_demands_cannot_be_met_is_named():
    """Two points cannot cover town, village and hamlet within the wide limit, as dsm demands."""
    found = across_models({"mclp": (town(), Terms()), "dsm": (town(), Terms(alpha=0.1))}, stop=Stop(), progress=lambda *_: None)
    assert (found.models, found.without) == (("mclp",), ("dsm",))
