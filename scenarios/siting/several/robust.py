"""Plans over several situations: what each loses where it was not made for, the plan that loses least at worst, which sites return.

The regret of a plan in a situation is how much more the best plan for that situation achieves there. The min-max-regret plan has the
smallest largest regret of all choices: min R subject to best_s − achieved_s(x) ≤ R for every situation s (Kouvelis & Yu 1997, Robust
Discrete Optimization and Its Applications, doi:10.1007/978-1-4757-2620-6), one program with a covering block of merged rows a situation.
Of several stages the most important first: the least largest regret in the first, then in the next among the choices that have it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array, vstack

from geodata.errors import OptionError, Problem
from scenarios.siting.milp import Program, maximise
from scenarios.siting.models import site
from scenarios.siting.question import Asked, Ints, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.result import SitingResult, StageValue, Status
from scenarios.siting.several.shared_cover import Floors, SharedCover, choices_of, cover_program, shared_cover
from scenarios.siting.stop import Stop
from scenarios.siting.words import contradiction
from scenarios.siting.worth import SAME_SHARE, goals, sense, value

Progress = Callable[[str, str], None]

COVERS: Final[dict[Model, tuple[str, ...]]] = {"mclp": ("near",), "lexicographic": ("wide", "near")}
PROGRAM: Final = "one program over all situations (HiGHS)"
EVERY: Final = "every choice compared in every situation"
OF_PLANS: Final = "the best among the plans of the situations"
MOST_CHOICES: Final = 5_000  # up to which all are compared
HAVE_DEMANDS: Final[frozenset[Model]] = frozenset({"bacop1", "dsm"})  # which not every choice meets


class Situation(NamedTuple):
    """A question under other circumstances: other hours, speeds, people, roads; the same candidates and rules.

    Attributes
    ----------
    zh, en : str
        What is different.
    asked : Asked
    """

    zh: str
    en: str
    asked: Asked


@dataclass(frozen=True, kw_only=True)
class RobustPlan:
    """The plan whose largest regret is smallest.

    Attributes
    ----------
    sites : tuple of str
        Sorted; background ones left out.
    regrets : tuple of StageValue
        By stage, its largest regret, and the number below which no plan's largest regret can be; the most important stage first.
    status : "optimal" or "feasible"
        ``optimal``: no choice has a smaller largest regret.
    method : str
    """

    sites: tuple[str, ...]
    regrets: tuple[StageValue, ...]
    status: Status
    method: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Robust:
    """Every situation's best plan, in every situation.

    Attributes
    ----------
    model : str
    situations : tuple of Situation
    results : tuple of SitingResult
        The best plan of each.
    stages : tuple of str
        The most important first.
    achieved : (plans, situations, stages) float64
        What each plan achieves in each situation; the last plan is the robust one, those before are of the situations in their order.
    regret : (plans, situations, stages) float64
        How much more (of a cost: less) the situation's own best plan achieves. In a stage that is not the first it may be negative.
    plan : RobustPlan
    chosen : tuple of (str, int)
        In how many situations' best plans each candidate is, most first, then by id; those that are there anyway left out.
    """

    model: Model
    situations: tuple[Situation, ...]
    results: tuple[SitingResult, ...]
    stages: tuple[str, ...]
    achieved: Numbers
    regret: Numbers
    plan: RobustPlan
    chosen: tuple[tuple[str, int], ...]


def robust_plan(situations: Sequence[Situation], model: Model, terms: Terms, *, stop: Stop, progress: Progress) -> Robust:
    """Find the best plan of each situation, and the one whose largest regret over all of them is smallest.

    Parameters
    ----------
    situations : sequence of Situation
        The first is how things are assumed to be. Candidates that are not in all of them are left out of all: see :func:`aligned`.
    model : str
        Proven for mclp and lexicographic, unless a fleet is spread; for most others where there are no more than 5,000 choices, which are
        all compared; otherwise the best among the plans of the situations.
    terms : Terms
    stop : Stop
        Half of its time is for the situations' own plans.
    progress : callable
        Told of each step, in Chinese and English.

    Raises
    ------
    OptionError
        What is asked lacks something, or contradicts itself in a situation.
    """
    same, terms = aligned([one.asked for one in situations], terms)
    situations = [one._replace(asked=asked) for one, asked in zip(situations, same, strict=True)]
    results = []
    for at, one in enumerate(situations):
        progress(f"情形 {at + 1}／{len(situations)}：{one.zh} ……", f"situation {at + 1} of {len(situations)}: {one.en} …")
        share = 2 * (len(situations) - at)
        results.append(site(one.asked, model, terms, stop=stop.within(stop.left_s / share)))
        if not results[-1].stages:
            zh, en = contradiction(results[-1])
            raise OptionError(Problem(f"情形“{one.zh}”{zh}", f"Situation {one.en!r}: {en}"))
    progress("求最大遗憾最小的方案 ……", "the plan whose largest regret is smallest …")
    stages = tuple(stage.name for stage in results[0].stages)
    asked = _Regrets(situations, model, terms, stages, np.array([[stage.objective for stage in one.stages] for one in results]))
    plan = _min_max(asked, results, stop)
    plans = [(one.sites, one.vehicles) for one in results]
    vehicles = tuple(int(one) for one in _vehicles(situations[0].asked.sites, plan.sites, plans))
    achieved = np.array([asked.achieved(*one) for one in [*plans, (plan.sites, vehicles)]])
    return Robust(
        model=model,
        situations=tuple(situations),
        results=tuple(results),
        stages=stages,
        achieved=achieved,
        regret=asked.regret(achieved),
        plan=plan,
        chosen=frequencies(situations[0].asked.sites, results),
    )


def aligned(questions: Sequence[Asked], terms: Terms) -> tuple[list[Asked], Terms]:
    """Keep only the candidates that all questions have, sorted by id, so that the order of the input changes nothing.

    Parameters
    ----------
    questions : sequence of Asked
        A road that is cut takes candidates along it away.
    terms : Terms
        Of the first question.

    Returns
    -------
    list of Asked, Terms
    """
    ids = sorted(set(questions[0].sites.id).intersection(*(one.sites.id for one in questions)))
    told = []
    for one in questions:
        order = _positions(one, ids)
        matrices = {name: None if (of := getattr(one, name)) is None else csr_array(of[:, order]) for name in ("near", "wide", "cost")}
        told.append(replace(one, sites=one.sites.take(order), **matrices))  # type: ignore[arg-type]  # near is never None
    first = _positions(questions[0], ids)
    busy, capacity = (None if one is None else one[first] for one in (terms.busy, terms.capacity))
    return told, replace(terms, busy=busy, capacity=capacity)


def _positions(question: Asked, ids: Sequence[str]) -> Ints:
    number = {name: at for at, name in enumerate(question.sites.id)}
    return np.array([number[name] for name in ids], dtype=np.int64)


def frequencies(sites: Sites, results: Sequence[SitingResult]) -> tuple[tuple[str, int], ...]:
    """In how many plans each candidate is, most first, then by id; those that are there anyway left out."""
    anyway = {one for one, always in zip(sites.id, sites.always, strict=True) if always}
    counts = Counter(one for result in results for one in result.sites if one not in anyway)
    return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _vehicles(sites: Sites, chosen: Sequence[str], plans: Sequence[tuple[tuple[str, ...], tuple[int, ...]]]) -> list[int]:
    """Vehicles at the chosen sites: those of the plan it is, or as many as the sites have."""
    for ids, vehicles in plans:
        if ids == tuple(chosen):
            return list(vehicles)
    number = {one: at for at, one in enumerate(sites.id)}
    return [int(sites.vehicles[number[one]]) for one in chosen]


@dataclass(frozen=True, eq=False)
class _Regrets:
    """The situations and what is best in each, (situations, stages)."""

    situations: Sequence[Situation]
    model: Model
    terms: Terms
    stages: tuple[str, ...]
    best: Numbers

    def achieved(self, chosen: Sequence[str], vehicles: Sequence[int]) -> Numbers:
        """(situations, stages) what a plan achieves."""
        return np.array([value(one.asked, self.model, self.terms, chosen, vehicles) for one in self.situations])

    def regret(self, achieved: Numbers) -> Numbers:
        """(…, situations, stages) how much more the best plans achieve."""
        return np.asarray((self.best - achieved) * self.senses + 0.0)  # no -0

    @property
    def senses(self) -> Numbers:
        """(stages,) 1 where more is better, -1 where less is."""
        return np.array([sense(self.model, one) for one in self.stages], dtype=np.float64)

    @property
    def same(self) -> float:
        """Regrets nearer than this are equal."""
        return SAME_SHARE * max(1.0, *(math.fsum(one.asked.people) for one in self.situations))

    def largest(self, chosen: Sequence[str], vehicles: Sequence[int]) -> tuple[float, ...]:
        """By stage, the largest regret of a plan."""
        regret = self.regret(self.achieved(chosen, vehicles))
        return tuple(float(one) for one in regret.max(axis=0))


def _min_max(asked: _Regrets, results: Sequence[SitingResult], stop: Stop) -> RobustPlan:
    """Begin with the best of the situations' plans, then ask the program stage by stage."""
    sites, model = asked.situations[0].asked.sites, asked.model
    start = min(results, key=lambda one: (_rounded(asked, asked.largest(one.sites, one.vehicles)), one.sites))
    largest, chosen = asked.largest(start.sites, start.vehicles), start.sites
    least = (0.0, *(-math.inf for _ in asked.stages[1:]))
    method = OF_PLANS
    if model in COVERS and sites.fleet is None:
        chosen, least = _solve(asked, _mask(sites, chosen), stop)
        largest, method = asked.largest(chosen, ()), PROGRAM
    elif (every := _every_choice(asked, stop)) is not None:
        chosen = every
        least = largest = asked.largest(chosen, ())
        method = EVERY
    proven = [top - bound <= 2 * asked.same for top, bound in zip(largest, least, strict=True)]
    regrets = tuple(
        StageValue(name, top, top if sure else _finite(asked, bound, at))
        for at, (name, top, bound, sure) in enumerate(zip(asked.stages, largest, least, proven, strict=True))
    )
    return RobustPlan(sites=chosen, regrets=regrets, status="optimal" if all(proven) else "feasible", method=method)


def _every_choice(asked: _Regrets, stop: Stop) -> tuple[str, ...] | None:
    """Compare all choices there are; None if they are too many, if rules bind more than their number, or if it was stopped."""
    sites, model = asked.situations[0].asked.sites, asked.model
    free = np.array(sorted(np.flatnonzero(~sites.always & ~sites.forbidden), key=lambda at: sites.id[at]), dtype=np.int64)
    more = (sites.total or 0) - int((sites.always & sites.counted).sum())
    few = 0 <= more <= len(free) and math.comb(len(free), more) <= MOST_CHOICES
    bound = sites.budget is not None or sites.fleet is not None or sites.movable.any() or sites.apart.size or sites.total is None
    if not few or bound or model in HAVE_DEMANDS or model == "cmclp":
        return None
    of_each = [goals(one.asked, model, asked.terms) for one in asked.situations]
    anyway, choices, worst = np.flatnonzero(sites.always), list(combinations(free.tolist(), more)), []
    for choice in choices:
        if stop.reason is not None:
            return None
        here = np.concatenate([anyway, np.array(choice, dtype=np.int64)])
        worst.append(asked.regret(np.array([[goal.of(here) for goal in own] for own in of_each])).max(axis=0))
    among = np.ones(len(choices), dtype=np.bool_)
    for stage in np.array(worst).T:
        among &= stage <= stage[among].min() + asked.same
    is_chosen = sites.always.copy()
    is_chosen[list(choices[int(among.argmax())])] = True
    return _named(sites, is_chosen)


def _finite(asked: _Regrets, bound: float, stage: int) -> float:
    """A bound that can be written: where nothing is known, that everybody is served (nothing costs anything) everywhere."""
    if math.isfinite(bound):
        return bound
    if asked.senses[stage] < 0:
        return float(-asked.best[:, stage].max())
    return float(max(best - math.fsum(one.asked.people) for best, one in zip(asked.best[:, stage], asked.situations, strict=True)))


def _rounded(asked: _Regrets, regrets: Sequence[float]) -> tuple[float, ...]:
    return tuple(round(one / max(asked.same, 1e-12)) * asked.same for one in regrets)


def _mask(sites: Sites, chosen: Sequence[str]) -> Mask:
    return np.isin(np.array(sites.id, dtype=object), list(chosen)) | sites.background


def _named(sites: Sites, chosen: Mask) -> tuple[str, ...]:
    return tuple(sorted(sites.id[at] for at in np.flatnonzero(chosen & sites.counted)))


def _solve(asked: _Regrets, start: Mask, stop: Stop) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Minimise the largest regret of each stage in turn; return the plan, and below what no plan's can be."""
    sites = asked.situations[0].asked.sites
    of_stage = COVERS[asked.model]
    covers = [
        shared_cover([getattr(one.asked, name) for one in asked.situations], [one.asked.people for one in asked.situations], sites)
        for name in of_stage
    ]
    is_whole = all(bool((one.asked.people == np.floor(one.asked.people)).all()) for one in asked.situations)
    best, bounds = start, []
    for stage in range(len(covers)):
        held = asked.largest(_named(sites, best), ())
        program = _program(asked, covers, held[:stage], stage)
        solution = maximise(program, stop, start=_start(program, covers, best, held[stage]))
        if solution.values is not None:
            found = solution.values[: len(sites)] > 0.5  # noqa: PLR2004  binary
            largest = asked.largest(_named(sites, found), ())
            keeps = all(now <= then + asked.same for now, then in zip(largest[:stage], held, strict=False))
            if keeps and largest[stage] < held[stage] - asked.same:
                best = found
        least = -solution.bound
        bounds.append(math.ceil(least - 1e-6) if is_whole and math.isfinite(least) else least)
    return _named(sites, best), tuple(max(one, 0.0) if at == 0 else one for at, one in enumerate(bounds))


def _program(asked: _Regrets, covers: Sequence[SharedCover], held: Sequence[float], stage: int) -> Program:
    """Ask for the least R such that no regret of a stage is larger, while those of the stages before are no larger than held."""
    sites, count = asked.situations[0].asked.sites, len(asked.situations)
    choices = choices_of(sites)
    width = len(choices.lower)
    rows = [csr_array((one.rows.data, one.rows.indices, one.rows.indptr), shape=(one.rows.shape[0], width)) for one in covers]
    sizes = [one.rows.shape[0] for one in covers]
    blocks, least, slack = [], [], []
    for at in range(stage + 1):
        around = np.zeros((count, sum(sizes[:at]))), np.zeros((count, sum(sizes[at + 1 :])))
        blocks.append(np.hstack([around[0], covers[at].people, around[1]]))
        allowed = 0.0 if at == stage else held[at] + asked.same
        least.append(asked.best[:, at] - covers[at].settled_people - allowed)
        slack.append(np.full(count, float(at == stage)))
    floors = Floors(people=csr_array(np.vstack(blocks)), slack=np.concatenate(slack), least=np.concatenate(least))
    return cover_program(choices, csr_array(vstack(rows, format="csr")), np.zeros(sum(sizes)), floors, slack_gain=-1.0)


def _start(program: Program, covers: Sequence[SharedCover], chosen: Mask, largest: float) -> Numbers | None:
    """A plan as values of the program; None where the rules have variables of their own."""
    x = chosen.astype(np.float64)
    covered = np.concatenate([(one.rows @ x > 0).astype(np.float64) for one in covers])
    if len(program.gain) != len(x) + len(covered) + 1:
        return None
    return np.concatenate([x, covered, [largest]])
