"""The covering models of the literature, each as one covering question (``cover``).

- lexicographic: METHOD.md's default, first the most people within the wide limit (the fewest beyond it), then the most within the limits.
- mclp: maximal covering location problem. Church & ReVelle 1974, doi:10.1007/BF01942293.
- lscp: location set covering problem, the fewest sites that cover every demand point. Toregas, Swain, ReVelle & Bergman 1971,
  doi:10.1287/opre.19.6.1363.
- partial: the fewest sites that cover a share of the people (partial set covering; Daskin & Owen 1999, Geographical
  Analysis 31, 217–235), and of these choices the one that covers most.
- bacop1, bacop2: backup coverage. Hogan & ReVelle 1986, doi:10.1287/mnsc.32.11.1434. The first covers everything once and the most
  people twice; the second weighs first and second cover, and demands neither.
- mexclp: maximum expected covering. Daskin 1983, doi:10.1287/trsc.17.1.48; busy shares may differ by site.
- dsm: double standard model. Gendreau, Laporte & Semet 1997, doi:10.1016/S0966-8349(97)00015-6: everything within the wide limit, a share α
  within the first one, and the most people covered twice within the first one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.center.cover import fewest_columns
from scenarios.siting.covering.blocks import SAME_SHARE, Block, Covering, block_of, enough, gains_of, served_people, sorted_by_id
from scenarios.siting.covering.cover import METHOD, PATIENCE_S, cover
from scenarios.siting.covering.exchange import with_small_ids
from scenarios.siting.covering.program import any_plan, fewest
from scenarios.siting.question import Asked, CoverStage, Ints, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.result import Plan, StageValue
from scenarios.siting.stop import Stop

NOTHING: Final = 1e-13  # what a further vehicle is worth at last, per person
SITES: Final = "sites"
FIRST_LOOK_S: Final = 1.0
MOST_CELLS: Final = 100_000_000  # of a dense set covering question: bytes


def covering_of(asked: Asked, model: Model, terms: Terms) -> Covering:
    """Build the covering question that a model asks; for lscp and partial with the number of sites of `asked.sites`."""
    return _QUESTIONS[model](asked, terms)


def coverable(covers: csr_array, sites: Sites) -> Mask:
    """(demand,) bool: whom any candidate that may be chosen covers."""
    usable = ~sites.forbidden | sites.background
    return np.asarray(csr_array(covers, dtype=np.float64) @ usable.astype(np.float64) > 0)


def solve_covering(model: Model) -> Callable[[Asked, Terms, Stop], Plan]:
    """Find the function that solves a covering model."""
    special = {"lscp": _lscp, "partial": _partial}
    return special.get(model, lambda asked, terms, stop: cover(covering_of(asked, model, terms), stop))


def _stage(asked: Asked, name: str = "people", gains: tuple[float, ...] = (1.0,)) -> CoverStage:
    return CoverStage(name, asked.near, asked.people, gains)


def _wide(asked: Asked) -> csr_array:
    if asked.wide is None:
        msg = "the model needs a second limit"
        raise ValueError(msg)
    return asked.wide


def _lexicographic(asked: Asked, _terms: Terms) -> Covering:
    backstop = CoverStage("backstop", _wide(asked), asked.people)
    return Covering(sites=asked.sites, stages=(backstop, _stage(asked, "limits")))


def _mclp(asked: Asked, _terms: Terms) -> Covering:
    return Covering(sites=asked.sites, stages=(_stage(asked),))


def _everybody(asked: Asked, _terms: Terms) -> Covering:
    return Covering(sites=asked.sites, stages=(_stage(asked),), must=_must(asked, asked.near))


def _must(asked: Asked, covers: csr_array) -> csr_array:
    """The rows that must be covered: all whom any candidate can cover."""
    return csr_array(covers[np.flatnonzero(coverable(covers, asked.sites))])


def _bacop1(asked: Asked, _terms: Terms) -> Covering:
    stage = _stage(asked, "twice", (0.0, 1.0))
    return Covering(sites=asked.sites, stages=(stage,), must=_must(asked, asked.near))


def _bacop2(asked: Asked, terms: Terms) -> Covering:
    first = 0.5 if terms.alpha is None else terms.alpha
    return Covering(sites=asked.sites, stages=(_stage(asked, "weighted cover", (first, 1.0 - first)),))


def _mexclp(asked: Asked, terms: Terms) -> Covering:
    busy = np.zeros(len(asked.sites)) if terms.busy is None else terms.busy
    usable = ~asked.sites.forbidden | asked.sites.background
    shares = np.unique(busy[usable])
    if len(shares) > 1:
        return Covering(sites=asked.sites, stages=(CoverStage("expected", asked.near, asked.people, busy=busy),))
    share = float(shares[0]) if len(shares) else 0.0
    gains = tuple((1.0 - share) * share**level for level in range(_most_vehicles(asked)) if level == 0 or share**level > NOTHING)
    return Covering(sites=asked.sites, stages=(_stage(asked, "expected", gains),))


def _most_vehicles(asked: Asked) -> int:
    """How many vehicles can ever cover one point."""
    sites = asked.sites
    if sites.fleet is not None:
        anyway = int(sites.vehicles[sites.background].sum())
        return max(1, sites.fleet + anyway)
    rows = csr_array(asked.near, dtype=np.float64) @ sites.vehicles.astype(np.float64)
    most = float(rows.max(initial=1.0))
    if sites.total is not None:
        free = np.sort(sites.vehicles[~sites.background])[::-1][: sites.total].sum()
        most = min(most, float(free + sites.vehicles[sites.background].sum()))
    return max(1, int(most))


def _dsm(asked: Asked, terms: Terms) -> Covering:
    wide = _wide(asked)
    taking_part = math.fsum(asked.people[coverable(wide, asked.sites)])
    floor = (_stage(asked, "once"), (terms.alpha or 0.0) * taking_part)
    return Covering(sites=asked.sites, stages=(_stage(asked, "twice", (0.0, 1.0)),), must=_must(asked, wide), floor=floor)


_QUESTIONS: Final[dict[Model, Callable[[Asked, Terms], Covering]]] = {
    "lexicographic": _lexicographic,
    "mclp": _mclp,
    "lscp": _everybody,
    "partial": _mclp,
    "bacop1": _bacop1,
    "bacop2": _bacop2,
    "mexclp": _mexclp,
    "dsm": _dsm,
}


def _lscp(asked: Asked, terms: Terms, stop: Stop) -> Plan:
    """The fewest sites (the least price, where there are prices) that cover everybody who can be covered."""
    question, ids = sorted_by_id(_everybody(asked, terms))
    found: Numbers | None
    found, bound = _fewest_sites(question, stop) if _is_only_a_number(question) else _least_price(question, stop)
    if found is None and bound < math.inf:
        found = any_plan(question, Stop.after(PATIENCE_S)).vehicles
    if found is None:
        return Plan((), (), "infeasible", (), METHOD)
    is_chosen = with_small_ids(question, (), (), np.rint(found)) > 0
    price = question.sites.price if question.sites.price.any() else question.sites.counted.astype(np.float64)
    value, whole = math.fsum(price[is_chosen]), bool((price == np.floor(price)).all())
    bound = math.ceil(bound - 1e-6) if whole else bound
    proven = value - bound < (0.5 if whole else SAME_SHARE * max(value, 1.0))
    shown = np.flatnonzero(is_chosen & question.sites.counted)
    stage = StageValue(SITES if price is not question.sites.price else "price", value, value if proven else min(bound, value))
    vehicles = tuple(int(question.sites.vehicles[at]) for at in shown)
    return Plan(tuple(ids[at] for at in shown), vehicles, "optimal" if proven else "feasible", (stage,), METHOD)


def _is_only_a_number(question: Covering) -> bool:
    """Whether the number of sites counts, no rule but fixed and forbidden ones binds the choice, and the question is not too large."""
    size = 0 if question.must is None else question.must.shape[0] * question.must.shape[1]
    return replace(question.sites, total=0).is_plain and not question.sites.price.any() and size <= MOST_CELLS


def _fewest_sites(question: Covering, stop: Stop) -> tuple[Numbers, float]:
    """The choice of fewest sites, or of few if it was stopped, and a number that no fewer can do."""
    sites = question.sites
    free = np.flatnonzero(~sites.always & ~sites.forbidden)
    must = csr_array(question.must, dtype=np.float64)
    left = csr_array(must[np.flatnonzero(must @ sites.always.astype(np.float64) == 0)][:, free])
    columns, least = fewest_columns(csr_array(left, dtype=np.bool_).toarray(), stop)
    chosen = sites.always.astype(np.float64)
    chosen[free[_one_after_another(left) if columns is None else columns]] = 1.0
    return chosen, float(least + int(sites.fixed.sum()))


def _one_after_another(covers: csr_array) -> Ints:
    """Columns that cover every row, each the one that covers most of what is left: when there is no time for fewer."""
    is_open, chosen = np.ones(covers.shape[0]), []
    while is_open.any():
        chosen.append(int(np.argmax(covers.T @ is_open)))
        is_open[covers[:, [chosen[-1]]].toarray().ravel() > 0] = 0.0
    return np.array(chosen, dtype=np.int64)


def _least_price(question: Covering, stop: Stop) -> tuple[Numbers | None, float]:
    """The cheapest choice (of fewest sites, where nothing has a price) under any rules; an infinite bound if nothing is feasible."""
    solution = fewest(question, stop)
    if solution.status == "infeasible":
        return None, math.inf
    bound = -solution.bound if math.isfinite(solution.bound) else 0.0
    return (None if solution.values is None else solution.values[: len(question.sites)]), bound


def _partial(asked: Asked, terms: Terms, stop: Stop) -> Plan:
    """Maximal covering for one number of sites after another: the fewest that reach the share, one fewer proven not to."""
    question, _ = sorted_by_id(_mclp(asked, terms))
    block = block_of(question.stages[0], question.sites)
    within_reach = coverable(asked.near, asked.sites)
    goal = enough(block, min(math.fsum(asked.people) * (terms.share or 0.0), math.fsum(asked.people[within_reach])))
    least, number = _numbers(block, question.sites, goal)
    best: Plan | None = None
    while least <= number <= int(asked.sites.counted.sum()):
        plan = _decided(_with_total(asked, number), terms, goal, stop)
        value = plan.stages[0] if plan.stages else None
        if value is not None and value.objective > goal:
            best, number = plan, number - 1
        elif value is not None and value.bound > goal:  # stopped, and nobody knows
            best = best or plan
            break
        else:
            least, number = number + 1, number + 1
            if best is not None or (value is None and number > int(asked.sites.fixed.sum()) + 1):
                break
    if best is None:
        return Plan((), (), "infeasible", (), METHOD)
    found = len(best.chosen)
    if best.status == "feasible":
        best = _larger(best, cover(_mclp(_with_total(asked, found), terms), stop))
    proven = found == least and best.stages[0].objective > goal
    stages = (StageValue(SITES, found, min(least, found)), *best.stages)
    return best._replace(status=best.status if proven else "feasible", stages=stages)


def _with_total(asked: Asked, number: int) -> Asked:
    return replace(asked, sites=replace(asked.sites, total=number))


def _decided(asked: Asked, terms: Terms, goal: float, stop: Stop) -> Plan:
    """Search, longer and longer, until it is known whether so many sites reach the goal; they need not be the best ones."""
    seconds = FIRST_LOOK_S
    while True:
        plan = cover(_mclp(asked, terms), stop.within(seconds))
        if not plan.stages or plan.stages[0].objective > goal or plan.stages[0].bound <= goal or stop.reason is not None:
            return plan
        seconds *= 4


def _larger(one: Plan, other: Plan) -> Plan:
    """The plan that serves more, with the better bound."""
    bound = min(one.stages[0].bound, other.stages[0].bound)
    plan = other if other.stages[0].objective >= one.stages[0].objective else one
    value = plan.stages[0]
    return plan._replace(stages=(value._replace(bound=max(bound, value.objective)),))


def _numbers(block: Block, sites: Sites, goal: float) -> tuple[int, int]:
    """How many sites it takes at least, as if no two shared anybody, and how many are enough if one is added greedily after another."""
    chosen, fixed = sites.always.astype(np.float64), int(sites.fixed.sum())
    alone, served = np.sort(gains_of(block, chosen))[::-1], served_people(block, chosen)
    most = served + np.concatenate([[0.0], np.cumsum(alone)])
    least, enough = fixed + int(np.searchsorted(most, goal, side="right")), fixed
    while served <= goal and enough < int(sites.counted.sum()):
        chosen[np.lexsort((-gains_of(block, chosen), (chosen > 0) | sites.forbidden))[0]] = 1.0
        served, enough = served_people(block, chosen), enough + 1
    return min(least, enough), enough
