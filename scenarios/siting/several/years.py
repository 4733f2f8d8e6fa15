"""A plan that is built over years, nothing taken back: the most people-years served, against the best plan of each year alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import block_array, block_diag, csr_array, vstack

from geodata.errors import OptionError, Problem
from scenarios.siting.milp import Program, maximise
from scenarios.siting.models import site
from scenarios.siting.question import Asked, Mask, Model, Numbers, Terms
from scenarios.siting.result import SitingResult, StageValue, Status
from scenarios.siting.several.build_order import build_order
from scenarios.siting.several.curve import with_total
from scenarios.siting.several.robust import aligned
from scenarios.siting.several.shared_cover import Floors, SharedCover, choices_of, cover_program, shared_cover
from scenarios.siting.stop import Stop
from scenarios.siting.worth import SAME_SHARE, sense, value

MOST_PATTERNS: Final = 20_000  # sets of candidates times years, up to which one program is tried
PARTS_OF_TIME: Final = 3  # of the time left, that the best plan of a year alone may take
COVERS: Final[dict[Model, tuple[str, ...]]] = {"mclp": ("near",), "lexicographic": ("wide", "near")}
PROGRAM: Final = "one program over all years (HiGHS)"
FROM_ORDER: Final = "the best plan of the last year, in its best build order"


class Milestone(NamedTuple):
    """What stands in a year.

    Attributes
    ----------
    year, years : int
        From when, and for how many years, up to the next milestone; the last counts one year.
    sites, new : tuple of str
        All of them, and those that are new since the milestone before; sorted.
    stages : tuple of float
        What they achieve for the people of that year.
    best : SitingResult
        The best choice of as many sites for that year alone.
    """

    year: int
    years: int
    sites: tuple[str, ...]
    new: tuple[str, ...]
    stages: tuple[float, ...]
    best: SitingResult


@dataclass(frozen=True, kw_only=True)
class YearPlan:
    """Sites by year.

    Attributes
    ----------
    milestones : tuple of Milestone
    status : "optimal" or "feasible"
        ``optimal``: no plan that takes nothing back serves more people-years, stage by stage.
    stages : tuple of StageValue
        People-years, and what no such plan can beat.
    method : str
    """

    milestones: tuple[Milestone, ...]
    status: Status
    stages: tuple[StageValue, ...]
    method: str


def by_year(
    asked: Mapping[int, Asked],
    model: Model,
    terms: Terms,
    totals: Mapping[int, int],
    *,
    stop: Stop,
    standing: Collection[str] | None = None,
) -> YearPlan:
    """Choose the sites of each year, those of a year kept in all later ones, so that most people-years are served.

    Parameters
    ----------
    asked : mapping of int to Asked
        By year: the same candidates and rules, the people of that year.
    model : str
        For mclp and lexicographic one exact program, if it is small enough; otherwise the last year's best plan, in its best build order.
    terms : Terms
    totals : mapping of int to int
        By year, how many sites in all.
    stop : Stop
    standing : collection of str, optional
        Sites that are there already; the fixed and movable ones unless given.

    Raises
    ------
    OptionError
        A later year has fewer sites than an earlier one, or there is no plan of a year at all.
    """
    years = sorted(totals)
    check_totals(totals)
    same, terms = aligned([asked[year] for year in years], terms)
    asked = dict(zip(years, same, strict=True))
    best = {}
    for year in years:
        best[year] = site(with_total(asked[year], totals[year]), model, terms, stop=stop.within(stop.left_s / PARTS_OF_TIME))
        if best[year].status == "infeasible":
            zh = f"{year} 年没有符合全部要求的 {totals[year]} 个点：请核对总数、预算与间距。"
            en = f"No {totals[year]} sites meet all that is demanded for {year}: check the total, the budget and the spacing."
            raise OptionError(Problem(zh, en))
    first = asked[years[0]].sites
    there = set(standing if standing is not None else np.array(first.id, dtype=object)[first.fixed | first.movable])
    question = _Question([asked[year] for year in years], [totals[year] for year in years], _spans(years), model, terms, there)
    plans, bounds = _from_order(question, best[years[-1]]), None
    if _is_small(question):
        plans, bounds = _solve(question, plans, stop)
    return _told(question, years, plans, bounds, best)


@dataclass(frozen=True, eq=False)
class _Question:
    asked: Sequence[Asked]
    totals: Sequence[int]
    spans: Sequence[int]
    model: Model
    terms: Terms
    standing: Collection[str]

    def people_years(self, plans: Sequence[Mask]) -> tuple[float, ...]:
        """By stage, of all years."""
        return tuple(
            math.fsum(span * one for span, one in zip(self.spans, stage, strict=True))
            for stage in zip(*(self.value(at, plan) for at, plan in enumerate(plans)), strict=True)
        )

    def value(self, at: int, plan: Mask) -> tuple[float, ...]:
        """What a plan achieves in a year, by stage."""
        return value(self.asked[at], self.model, self.terms, self.ids(plan))

    def ids(self, plan: Mask) -> tuple[str, ...]:
        """The sites of a plan that count, sorted."""
        sites = self.asked[0].sites
        return tuple(sorted(sites.id[at] for at in np.flatnonzero(plan & sites.counted)))


def check_totals(totals: Mapping[int, int]) -> None:
    """Refuse totals by year that fall, before anything is computed.

    Raises
    ------
    OptionError
        A later year has fewer sites than an earlier one.
    """
    for year, later in pairwise(sorted(totals)):
        if totals[later] < totals[year]:
            zh = f"--by-year：{later} 年 {totals[later]} 个点，少于 {year} 年的 {totals[year]} 个：已建的点不撤，请改正。"
            en = f"--by-year: {totals[later]} sites in {later}, {totals[year]} in {year}: what is built is not taken back, mend the totals."
            raise OptionError(Problem(zh, en))


def _spans(years: Sequence[int]) -> list[int]:
    return [*(later - year for year, later in pairwise(years)), 1]


def _from_order(question: _Question, last: SitingResult) -> list[Mask]:
    """Cut the best build order of the last year's plan at each year's total."""
    asked = question.asked[-1]
    order = build_order(asked, question.model, question.terms, last)  # what may be closed is built when it is needed
    ids = np.array(asked.sites.id, dtype=object)
    plans = []
    for total in question.totals:
        here = set(order.standing) | {step.instead for step in order.steps if step.instead}
        for step in order.steps:
            if step.sites <= total:
                here = here - {step.instead} | {step.site}
        plans.append(np.isin(ids, list(here)) | asked.sites.background)
    return plans


def _is_small(question: _Question) -> bool:
    sites = question.asked[0].sites
    if question.model not in COVERS or sites.fleet is not None or sites.movable.any():
        return False
    return sum(sum(one.near.shape[:1]) for one in question.asked) * len(COVERS[question.model]) <= MOST_PATTERNS


def _solve(question: _Question, start: list[Mask], stop: Stop) -> tuple[list[Mask], list[float]]:
    """Maximise the people-years of each stage in turn, over all years at once."""
    count, years = len(question.asked[0].sites), len(question.asked)
    covers = [
        shared_cover([getattr(one, name) for one in question.asked], [one.people for one in question.asked], question.asked[0].sites)
        for name in COVERS[question.model]
    ]
    choices, width = _choices(question)
    reach = csr_array(vstack([_reach(cover, width, years) for cover in covers], format="csr"))
    worth = [np.concatenate([span * cover.people[at] for at, span in enumerate(question.spans)]) for cover in covers]
    settled = [float(np.dot(question.spans, cover.settled_people)) for cover in covers]
    best, bounds = start, []
    for stage in range(len(covers)):
        achieved = question.people_years(best)
        same = [SAME_SHARE * max(one, 1.0) for one in achieved]
        least = np.array([achieved[at] - same[at] - settled[at] for at in range(stage)])
        padded = [_padded(worth, at) for at in range(stage)]
        floors = Floors(people=csr_array(np.array(padded).reshape(stage, reach.shape[0])), slack=np.zeros(stage), least=least)
        program = cover_program(choices, reach, _padded(worth, stage), floors, slack_gain=0.0)
        solution = maximise(program, stop)
        if solution.values is not None:
            x = solution.values[: years * width].reshape(years, width)[:, :count]
            found = list(x > 0.5)  # noqa: PLR2004  binary
            values = question.people_years(found)
            if all(values[at] >= achieved[at] - same[at] for at in range(stage)) and values[stage] > achieved[stage] + same[stage]:
                best = found
        bounds.append(solution.bound + settled[stage])
    return best, bounds


def _padded(worth: Sequence[Numbers], stage: int) -> Numbers:
    """What each pattern is worth in one stage; nothing in the others."""
    return np.concatenate([one if at == stage else np.zeros(len(one)) for at, one in enumerate(worth)])


def _reach(cover: SharedCover, width: int, years: int) -> csr_array:
    """The patterns of each year, covered by the sites of that year."""
    wide = csr_array((cover.rows.data, cover.rows.indices, cover.rows.indptr), shape=(cover.rows.shape[0], width))
    return csr_array(block_diag([wide] * years, format="csr"))


def _choices(question: _Question) -> tuple[Program, int]:
    """The rules of every year, and that what is built stays; and how many variables a year has."""
    parts = [choices_of(replace(question.asked[0].sites, total=total)) for total in question.totals]
    width, years = len(parts[0].lower), len(parts)
    named = np.flatnonzero(question.asked[0].sites.counted)
    one = csr_array((np.ones(len(named)), (np.arange(len(named)), named)), shape=(len(named), width))
    rows = [block_diag([part.rows for part in parts], format="csr")]
    signs = {0: one, 1: -one}
    rows += [block_array([[signs.get(k - at, csr_array(one.shape)) for k in range(years)]], format="csr") for at in range(years - 1)]
    stays = (years - 1) * len(named)
    return Program(
        gain=np.zeros(years * width),
        lower=np.concatenate([part.lower for part in parts]),
        upper=np.concatenate([part.upper for part in parts]),
        integer=np.concatenate([part.integer for part in parts]),
        rows=csr_array(vstack(rows, format="csr")),
        row_lower=np.concatenate([*(part.row_lower for part in parts), np.full(stays, -np.inf)]),
        row_upper=np.concatenate([*(part.row_upper for part in parts), np.zeros(stays)]),
    ), width


def _told(
    question: _Question, years: Sequence[int], plans: Sequence[Mask], bounds: Sequence[float] | None, best: Mapping[int, SitingResult]
) -> YearPlan:
    """Put what was found in words of the result; without bounds nothing is proven."""
    achieved = question.people_years(plans)
    stages = tuple(_stage(question, best, achieved, bounds, at) for at in range(len(achieved)))
    proven = all(stage.objective == stage.bound for stage in stages)
    milestones = []
    before = set(question.standing)
    for at, (year, plan) in enumerate(zip(years, plans, strict=True)):
        ids = question.ids(plan)
        new = tuple(one for one in ids if one not in before)
        milestones.append(Milestone(year, question.spans[at], ids, new, question.value(at, plan), best[year]))
        before |= set(ids)
    method = FROM_ORDER if bounds is None else PROGRAM
    return YearPlan(milestones=tuple(milestones), status="optimal" if proven else "feasible", stages=stages, method=method)


def _stage(
    question: _Question, best: Mapping[int, SitingResult], achieved: Sequence[float], bounds: Sequence[float] | None, at: int
) -> StageValue:
    """A stage of all years with its bound: that of the program, or what each year alone could achieve if the stages before do so."""
    alone = [
        math.fsum(span * one.stages[stage].bound for span, one in zip(question.spans, best.values(), strict=True))
        for stage in range(len(achieved))
    ]
    name, margin = best[min(best)].stages[at].name, 2 * SAME_SHARE * max(abs(achieved[at]), 1.0)
    up = sense(question.model, name)
    known = [] if bounds is None else [bounds[at]]
    if all(abs(alone[stage] - achieved[stage]) <= margin for stage in range(at)):
        known.append(alone[at])
    bound = min((up * one for one in known), default=math.inf) * up
    if not math.isfinite(bound):  # nothing is known: everybody, or no cost at all
        bound = math.fsum(span * one.total for span, one in zip(question.spans, best.values(), strict=True)) if up > 0 else 0.0
    return StageValue(name, achieved[at], achieved[at] if up * (bound - achieved[at]) <= margin else bound)
