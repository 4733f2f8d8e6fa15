"""Every covering model, under every rule, against all choices there are."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from scenarios.siting.check import check_plan
from scenarios.siting.covering.models import solve_covering
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.result import Plan
from scenarios.siting.stop import Stop

BY_NUMBER = ("lexicographic", "mclp", "bacop1", "bacop2", "mexclp", "dsm")
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def choices(sites: Sites) -> Iterator[np.ndarray]:
    """Every number of vehicles at every candidate that the rules allow, counted one by one."""
    count = len(sites)
    for picked in product([False, True], repeat=count):
        at = np.array(picked)
        if (sites.always & ~at).any() or (sites.forbidden & ~sites.background & at).any():
            continue
        counted = at & sites.counted
        if sites.total is not None and counted.sum() != sites.total:
            continue
        if any(at[a] and at[b] for a, b in sites.apart):
            continue
        if sites.budget is not None and sites.price[at].sum() > sites.budget:
            continue
        if not can_move(sites, at):
            continue
        if sites.fleet is None:
            yield np.where(at, sites.vehicles, 0)
            continue
        where = np.flatnonzero(counted)
        for standing in product(*(range(1, sites.vehicles[one] + 1) for one in where)):
            if sum(standing) == sites.fleet:
                vehicles = np.where(sites.background, sites.vehicles, 0)
                vehicles[where] = standing
                yield vehicles


def can_move(sites: Sites, at: np.ndarray) -> bool:
    gone = [one for one in range(len(sites)) if sites.movable[one] and not at[one]]
    takers = [[other for other in range(len(sites)) if sites.replaces.toarray()[one, other] and at[other]] for one in gone]
    return any(len(set(some)) == len(gone) for some in product(*takers))


def worth(asked: Asked, model: str, terms: Terms, vehicles: np.ndarray) -> tuple[float, ...] | None:
    """What a choice comes to, to be made large; None if it does not meet the demands."""
    near, people, usable = asked.near.toarray(), asked.people, ~asked.sites.forbidden | asked.sites.background
    times = near @ vehicles
    once, twice = people[times > 0].sum(), people[times > 1].sum()
    if model == "lexicographic":
        return people[asked.wide.toarray() @ vehicles > 0].sum(), once
    reached = near[:, usable].any(axis=1)
    if model in {"bacop1", "lscp"} and (times[reached] == 0).any():
        return None
    if model == "dsm":
        wide = asked.wide.toarray()
        taking_part = wide[:, usable].any(axis=1)
        if ((wide @ vehicles)[taking_part] == 0).any() or once < terms.alpha * people[taking_part].sum() - 1e-9:
            return None
    chosen = int(((vehicles > 0) & asked.sites.counted).sum())
    if model == "partial":
        return (-chosen, once) if once >= min(terms.share * people.sum(), people[reached].sum()) - 1e-9 else None
    out = np.prod(np.where(near, terms.busy[None, :] ** vehicles[None, :], 1.0), axis=1)
    spent = asked.sites.price[vehicles > 0].sum() if asked.sites.price.any() else chosen
    values = {"mclp": once, "bacop1": twice, "dsm": twice, "lscp": -spent, "mexclp": (people * (1 - out)).sum()}
    return (values.get(model, terms.alpha * once + (1 - terms.alpha) * twice),)


@st.composite
def asked_of(draw: st.DrawFn, *, plain: bool = False, number: bool = True) -> tuple[Asked, Terms]:
    count, points = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    bits = draw(st.lists(st.integers(0, 5), min_size=count * points, max_size=count * points))
    level = np.array(bits).reshape(points, count)
    people = np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, 9.0, 0.25]), min_size=points, max_size=points)))
    roles = np.array(draw(st.lists(st.sampled_from("......FXB"), min_size=count, max_size=count)))
    ids = draw(st.permutations([f"{at:02d}" for at in range(count)]))
    name = {role: [one for one, its in zip(ids, roles, strict=True) if its == role] for role in "FXB"}
    rules = {} if plain else draw(rules_of(count))
    total = draw(st.integers(1, count)) if number else None
    sites = Sites.of(ids, total=total, fixed=name["F"], forbidden=name["X"], background=name["B"], **rules)
    busy = np.array(draw(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.9]), min_size=count, max_size=count)))
    terms = Terms(share=draw(st.sampled_from([0.3, 0.8, 1.0])), alpha=draw(st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.0])), busy=busy)
    near, wide = (sparse.csr_array(level >= least) for least in (4, 2))
    demand = tuple(f"d{at}" for at in range(points))
    return Asked(sites=sites, demand=demand, people=people, near=near, wide=wide, has_route=(level > 0).any(axis=1)), terms


@st.composite
def rules_of(draw: st.DrawFn, count: int) -> dict[str, object]:
    """Some of the rules beyond a number of sites."""
    rules: dict[str, object] = {}
    if draw(st.booleans()):
        rules["apart"] = np.array(draw(st.lists(st.sampled_from([*combinations(range(count), 2)] or [(0, 0)]), max_size=2))).reshape(-1, 2)
        rules["apart"] = rules["apart"][rules["apart"][:, 0] != rules["apart"][:, 1]].astype(np.int64)
    if draw(st.booleans()):
        rules["price"] = np.array(draw(st.lists(st.integers(0, 3).map(float), min_size=count, max_size=count)))
        rules["budget"] = float(draw(st.integers(0, 8)))
    vehicles = np.array(draw(st.lists(st.integers(1, 3), min_size=count, max_size=count)), dtype=np.int64)
    kind = draw(st.sampled_from(["one", "several", "fleet"]))
    if kind != "one":
        rules["vehicles"] = vehicles
    if kind == "fleet":
        rules["fleet"] = draw(st.integers(1, 6))
    if draw(st.booleans()):
        takes = np.array(draw(st.lists(st.booleans(), min_size=count * count, max_size=count * count))).reshape(count, count)
        np.fill_diagonal(takes, val=False)
        rules["replaces"] = sparse.csr_array(takes)
        rules["movable"] = ["00"]
    return rules


def best_of_all(asked: Asked, model: str, terms: Terms) -> tuple[float, ...] | None:
    values = [worth(asked, model, terms, vehicles) for vehicles in choices(asked.sites)]
    return max((value for value in values if value is not None), default=None)


def said_of(plan: Plan, model: str) -> tuple[float, ...]:
    values = tuple(stage.objective for stage in plan.stages)
    return (-values[0], *values[1:]) if model in {"lscp", "partial"} else values


def assert_best(question: tuple[Asked, Terms], model: str) -> None:
    asked, terms = question
    plan, best = solve_covering(model)(asked, terms, Stop()), best_of_all(asked, model, terms)
    if best is None:
        assert plan.status == "infeasible"
        return
    assert plan.status == "optimal"
    assert said_of(plan, model) == pytest.approx(best, rel=0, abs=1e-6)
    assert all(stage.bound == pytest.approx(stage.objective, abs=1e-6) for stage in plan.stages)
    check_plan(asked, model, terms, plan)


@pytest.mark.parametrize("model", BY_NUMBER)
@given(data=st.data())
@QUICK
def test_a_model_finds_the_best_of_all_choices_that_the_rules_allow(model, data):
    question = data.draw(asked_of(plain=data.draw(st.booleans())))
    sites = question[0].sites
    if int((sites.fixed & sites.counted).sum()) <= sites.total <= int((~sites.forbidden & sites.counted).sum()):
        assert_best(question, model)


@pytest.mark.parametrize("model", ["lscp", "partial"])
@given(data=st.data())
@QUICK
def test_the_fewest_sites_are_the_fewest(model, data):
    asked, terms = data.draw(asked_of(plain=data.draw(st.booleans()), number=False))
    one_each = replace(asked.sites, vehicles=np.ones(len(asked.sites), dtype=np.int64), fleet=None)  # these models count no vehicles
    assert_best((replace(asked, sites=one_each), terms), model)
