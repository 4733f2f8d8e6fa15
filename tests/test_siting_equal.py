"""Equal optima: all of them, and only they, against brute force under every model."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.equals import equal
from scenarios.siting.equals.equal import equal_optima
from scenarios.siting.flow import served_within
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.result import Plan, StageValue
from scenarios.siting.stop import Stop

MANY = 1000


def people_of(asked, covers, at, least=1):
    return math.fsum(asked.people[np.asarray(covers.todense()) @ at >= least])


def covering_worth(asked, model, terms, at):
    near, people = np.asarray(asked.near.todense()).astype(float), asked.people
    once, twice = people_of(asked, asked.near, at), people_of(asked, asked.near, at, 2)
    must = np.asarray((asked.wide if model == "dsm" else asked.near).todense()).astype(float)
    missed = ((must @ at == 0) & must.any(axis=1)).any()
    if (model in {"lscp", "bacop1", "dsm"} and missed) or (model == "dsm" and once < terms.alpha * math.fsum(people[must.any(axis=1)])):
        return None
    return {
        "lexicographic": lambda: (people_of(asked, asked.wide, at), once),
        "mclp": lambda: (once,),
        "partial": lambda: (once,),
        "cmclp": lambda: (served_within(asked.near, people, terms.capacity, at > 0),),
        "lscp": lambda: (0.0,),
        "bacop1": lambda: (twice,),
        "dsm": lambda: (twice,),
        "bacop2": lambda: (terms.alpha * once + (1 - terms.alpha) * twice,),
        "mexclp": lambda: (math.fsum(people * (1 - np.prod(np.where(near > 0, terms.busy**at, 1.0), axis=1))),),
    }[model]()


def worth(asked, model, terms, at):
    """The stages of a choice (more is better), or None if the model's demands are not met; written down from the definitions."""
    if model not in {"p-median", "p-center"}:
        return covering_worth(asked, model, terms, at)
    cost = np.full(asked.cost.shape, np.inf)
    routes = asked.cost.tocoo()
    cost[routes.row, routes.col] = routes.data
    nearest = cost[:, at > 0].min(axis=1, initial=np.inf)
    weight = asked.people if model == "p-median" or terms.weighted else np.ones(len(asked.people))
    reached = np.isfinite(nearest) & (weight > 0)
    each = weight[reached] * nearest[reached]
    return math.fsum(weight[reached]), -math.fsum(each) if model == "p-median" else -max(each.tolist(), default=0.0)


def brute_force(asked, model, terms, count):
    """All best choices of so many sites, with their stages."""
    ids = sorted(asked.sites.id)
    best, found = None, []
    for some in combinations([one for one in ids if not asked.sites.background[asked.sites.id.index(one)]], count):
        chosen = np.isin(asked.sites.id, some) | asked.sites.background
        far = asked.sites.apart
        if (asked.sites.fixed & ~chosen).any() or (asked.sites.forbidden & chosen).any() or chosen[far].all(axis=1).any():
            continue
        stages = worth(asked, model, terms, np.where(chosen, asked.sites.vehicles, 0))
        if stages is None:
            continue
        rounded = tuple(round(stage, 6) for stage in stages)
        if best is None or rounded > best:
            best, found = rounded, []
        if rounded == best:
            found.append((some, stages))
    return found


def plan_of(asked, model, found):
    some, stages = found
    signed = tuple(StageValue(f"{number}", abs(value), abs(value)) for number, value in enumerate(stages))
    if model == "lscp":
        signed = (StageValue("sites", len(some), len(some)),)
    if model == "partial":
        signed = (StageValue("sites", len(some), len(some)), *signed)
    return Plan(some, tuple(int(asked.sites.vehicles[asked.sites.id.index(one)]) for one in some), "optimal", signed, "by hand")


@st.composite
def questions(draw, vehicles=1):
    count, demand = draw(st.integers(2, 6)), draw(st.integers(1, 7))
    ids = draw(st.permutations([f"{number:02d}" for number in range(count)]))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    near = random.random((demand, count)) < draw(st.sampled_from([0.3, 0.6]))
    wide = near | (random.random((demand, count)) < 0.3)
    people = random.choice(draw(st.sampled_from([[1.0], [0.0, 1.0, 2.0], [0.1, 0.3]])), demand)
    total = draw(st.integers(1, count - 1))
    pairs = [pair for pair in combinations(range(count), 2) if random.random() < 0.1]
    sites = Sites.of(
        ids,
        total=total,
        fixed=ids[: draw(st.integers(0, total - 1))],
        forbidden=ids[count - 1 :] if draw(st.booleans()) and total < count - 1 else (),
        apart=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        vehicles=random.integers(1, vehicles + 1, count),
    )
    sites = replace(sites, apart=sites.apart[~(sites.fixed[sites.apart].all(axis=1))])
    kept = np.nonzero(random.random((demand, count)) < 0.8)
    cost = csr_array((random.integers(0, 4, len(kept[0])).astype(float), kept), shape=(demand, count))
    terms = Terms(
        alpha=0.5,
        busy=np.full(count, 0.5) if draw(st.booleans()) else random.choice([0.0, 0.25, 0.5], count),
        capacity=random.integers(0, 5, count).astype(float),
        weighted=draw(st.booleans()),
    )
    asked = Asked(
        sites=sites,
        demand=tuple(f"d{number}" for number in range(demand)),
        people=people,
        near=csr_array(near),
        wide=csr_array(wide),
        cost=cost,
        has_route=np.ones(demand, dtype=np.bool_),
    )
    return asked, terms


ALL = ["lexicographic", "mclp", "cmclp", "lscp", "partial", "p-median", "p-center", "bacop1", "bacop2", "mexclp", "dsm"]


@pytest.mark.parametrize("model", ALL)
@settings(max_examples=15, deadline=None)
@given(question=questions(vehicles=2), several=st.booleans())
def test_all_equal_choices_are_found_and_no_other(model, question, several):
    asked, terms = question
    if not several or model in {"p-median", "p-center", "cmclp"}:
        asked = replace(asked, sites=replace(asked.sites, vehicles=np.ones_like(asked.sites.vehicles)))
    best = brute_force(asked, model, terms, asked.sites.total)
    if best:
        plan = plan_of(asked, model, best[-1])
        choices, complete = equal_optima(asked, model, terms, plan, MANY, Stop())
        assert choices == tuple(some for some, _ in best[:-1])
        assert complete


@pytest.mark.parametrize("model", ["mclp", "bacop2", "lexicographic"])
@pytest.mark.parametrize("seed", range(4))
def test_no_equal_choice_is_lost_where_a_bound_rules_sites_out(model, seed):
    random = np.random.default_rng(seed)
    places, homes = np.round(random.random((14, 2)), 1), np.round(random.random((40, 2)), 1)
    far = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1))
    sites = Sites.of([f"{number:02d}" for number in range(14)], total=3, fixed=["03"], background=["05"])
    people = random.integers(0, 3, 40).astype(float)
    demand = tuple(f"d{number}" for number in range(40))
    asked = Asked(sites=sites, demand=demand, people=people, near=csr_array(far < 0.3), wide=csr_array(far < 0.5))
    terms = Terms(alpha=0.75)
    best = brute_force(asked, model, terms, 3)
    choices, complete = equal_optima(asked, model, terms, plan_of(asked, model, best[-1]), MANY, Stop())
    assert (choices, complete) == (tuple(some for some, _ in best[:-1]), True)


def island(number):
    """A town whose only two candidates, a and b, both serve it."""
    return [f"{number}a", f"{number}b"]


def islands(count, **rules):
    ids = [one for number in range(count) for one in island(number)]
    near = np.kron(np.eye(count), np.ones((1, 2))) > 0
    sites = Sites.of(ids, total=count, **rules)
    return Asked(sites=sites, demand=tuple(map(str, range(count))), people=np.full(count, 4.0), near=csr_array(near))


def first_of(asked):
    chosen = asked.sites.id[::2]
    return Plan(chosen, (1,) * len(chosen), "optimal", (StageValue("people", 4.0 * len(chosen), 4.0 * len(chosen)),), "by hand")


def test_two_candidates_at_each_of_three_towns_are_eight_equal_choices():
    asked = islands(3)
    choices, complete = equal_optima(asked, "mclp", Terms(), first_of(asked), 20, Stop())
    assert (len(choices), complete) == (7, True)
    assert choices[0] == ("0a", "1a", "2b")


def test_no_more_are_listed_than_were_asked_for_and_that_is_said():
    asked = islands(3)
    choices, complete = equal_optima(asked, "mclp", Terms(), first_of(asked), 6, Stop())
    assert (len(choices), complete) == (6, False)
    assert equal_optima(asked, "mclp", Terms(), first_of(asked), 7, Stop())[1]


def test_a_choice_that_no_single_exchange_leads_to_is_found_too():
    asked = islands(2)
    pairs = np.array([(0, 3), (1, 2)])  # a of the one town cannot be with b of the other
    asked = replace(asked, sites=replace(asked.sites, apart=pairs))
    assert equal_optima(asked, "mclp", Terms(), first_of(asked), 20, Stop()) == ((("0b", "1b"),), True)


@pytest.mark.parametrize("model", ["mclp", "cmclp", "lexicographic"])
def test_a_question_too_large_for_the_solver_is_searched_part_by_part(model, monkeypatch):
    monkeypatch.setattr(equal, "LARGE", 0)
    random = np.random.default_rng(7)
    near = random.random((9, 7)) < 0.4
    sites = Sites.of("abcdefg", total=3, apart=np.array([(0, 3), (1, 4), (2, 5)]))
    people, demand = np.ones(9), tuple(f"d{number}" for number in range(9))
    asked = Asked(sites=sites, demand=demand, people=people, near=csr_array(near), wide=csr_array(near | (random.random((9, 7)) < 0.3)))
    terms = Terms(capacity=np.full(7, 2.0))
    best = brute_force(asked, model, terms, 3)
    choices, complete = equal_optima(asked, model, terms, plan_of(asked, model, best[-1]), MANY, Stop())
    assert (choices, complete) == (tuple(some for some, _ in best[:-1]), True)


def test_a_proof_that_takes_too_long_is_not_claimed(monkeypatch):
    monkeypatch.setattr(equal, "LARGE", 0)
    monkeypatch.setattr(equal, "MOST_TRIALS", 2)
    asked = islands(3)
    choices, complete = equal_optima(asked, "mclp", Terms(), first_of(asked), 20, Stop())
    assert (len(choices), complete) == (7, False)


def test_a_search_that_is_stopped_says_that_there_may_be_more():
    asked = islands(3)
    assert equal_optima(asked, "mclp", Terms(), first_of(asked), 20, Stop.after(0)) == ((), False)


def test_where_vehicles_are_spread_places_count_and_not_how_they_are_spread():
    asked = islands(2)
    asked = replace(asked, sites=replace(asked.sites, fleet=3, vehicles=np.full(4, 2)))
    plan = first_of(asked)._replace(vehicles=(1, 2))
    choices, complete = equal_optima(asked, "mclp", Terms(), plan, 20, Stop())
    assert (choices, complete) == ((("0a", "1b"), ("0b", "1a"), ("0b", "1b")), True)


def test_with_a_budget_the_others_have_as_many_sites_and_fit_it_too():
    asked = islands(2)
    asked = replace(asked, sites=replace(asked.sites, total=None, budget=5.0, price=np.array([2.0, 3.0, 2.0, 4.0])))
    assert equal_optima(asked, "mclp", Terms(), first_of(asked), 20, Stop()) == ((("0b", "1a"),), True)


def test_a_site_that_must_be_replaced_nearby_is_exchanged_only_for_what_can_replace_it():
    asked = islands(2)
    replaces = csr_array((np.ones(1, dtype=np.bool_), ([0], [1])), shape=(4, 4))
    asked = replace(asked, sites=replace(asked.sites, movable=np.array([True, False, False, False]), replaces=replaces, total=1))
    plan = Plan(("0a",), (1,), "optimal", (StageValue("people", 4.0, 4.0),), "by hand")
    assert equal_optima(asked, "mclp", Terms(), plan, 20, Stop()) == ((("0b",),), True)


def test_the_order_of_the_input_changes_nothing():
    asked = islands(3)
    order = np.array([4, 1, 0, 5, 3, 2])
    turned = replace(asked, sites=asked.sites.take(order), near=csr_array(asked.near[::-1][:, order]), demand=asked.demand[::-1])
    assert equal_optima(turned, "mclp", Terms(), first_of(asked), 3, Stop()) == equal_optima(
        asked, "mclp", Terms(), first_of(asked), 3, Stop()
    )
