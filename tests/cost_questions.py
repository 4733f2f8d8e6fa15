"""Random siting questions about costs, small enough for brute force, and the plans that keep their rules."""

import math
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scenarios.siting.question import Asked, Sites

Costs = NDArray[np.float64]
Question = tuple[Costs, Costs, Sites]  # costs (infinite where there is no route), people, sites


def asked_of(costs: Costs, people: Costs, sites: Sites) -> Asked:
    """`costs` are infinite where there is no route."""
    row, column = np.nonzero(np.isfinite(costs))
    cost = csr_array((costs[row, column], (row, column)), shape=costs.shape)
    near = csr_array(costs.shape, dtype=np.bool_)
    demand = tuple(f"D{at:04d}" for at in range(len(people)))
    return Asked(sites=sites, demand=demand, people=people, near=near, cost=cost, has_route=np.isfinite(costs).any(axis=1))


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


def plans(sites: Sites) -> Iterator[list[int]]:
    """All that keep the rules."""
    always = set(np.flatnonzero(sites.always).tolist())
    rest = [at for at in range(len(sites)) if at not in always]
    every = (always | set(some) for count in range(len(rest) + 1) for some in combinations(rest, count))
    return (sorted(plan) for plan in every if keeps(sites, plan))


def best_by_brute_force(question: Question, value) -> tuple[float, float] | None:
    """The least of `value` (costs, people, chosen) → what is made small, in turn; None if no plan keeps the rules."""
    costs, people, sites = question
    values = [value(costs, people, plan) for plan in plans(sites)]
    least = min((first for first, _ in values), default=0.0)
    return min((one for one in values if one[0] <= least + 1e-9 * abs(least)), key=lambda one: one[1], default=None)


def shuffled(question: Question, rng: np.random.Generator) -> tuple[Asked, Asked]:
    """The same question twice, the second in another order."""
    costs, people, sites = question
    asked = asked_of(costs, people, sites)
    by_demand, by_site = rng.permutation(len(people)), rng.permutation(len(sites))
    return asked, Asked(
        sites=sites.take(by_site),
        demand=tuple(asked.demand[at] for at in by_demand),
        people=people[by_demand],
        near=asked.near,
        cost=csr_array(csr_array(asked.cost)[by_demand][:, by_site]),
        has_route=asked.has_route[by_demand],
    )


@st.composite
def questions(draw: st.DrawFn, *, is_plain: bool) -> Question:
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
        rules["price"][[said == "b" for said in kind]] = 0.0
        rules["budget"] = draw(st.none() | st.integers(0, 12).map(float))
        rules["movable"] = [one for one, said in zip(ids, kind, strict=True) if said == "o" and draw(st.booleans())][:2]
        rules["replaces"] = csr_array(
            np.array(draw(st.lists(st.booleans(), min_size=n_sites**2, max_size=n_sites**2))).reshape(n_sites, n_sites)
        )
    if rules.get("budget") is not None and draw(st.booleans()):
        total = None  # as many as there is money for
    return cost, people, Sites.of(ids, total=total, fixed=fixed, forbidden=forbidden, background=background, **rules)
