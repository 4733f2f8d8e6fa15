"""On a region: how many points, in which order, by which year."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from geodata.errors import OptionError, Problem
from geodata.growth import grown
from geodata.region import Prepared
from geodata.roads import Floats
from scenarios.siting.question import Asked
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.question import RegionQuestion, ask
from scenarios.siting.region.weights import weights
from scenarios.siting.several.build_order import BuildOrder, build_order
from scenarios.siting.several.curve import Curve, coverage_curve, fewest_sites, most_sites
from scenarios.siting.several.years import YearPlan, by_year
from scenarios.siting.stop import Stop
from scenarios.siting.words import contradiction

Progress = Callable[[str, str], None]


class Years(NamedTuple):
    """How many points in all by year, and how the people grow until then."""

    totals: Mapping[int, int]
    growth: str


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionCurve:
    """What a region gains by each point.

    Attributes
    ----------
    service_id : str
    question : RegionQuestion
        Its number of points plays no part.
    curve : Curve
    order : BuildOrder
        Of the plan of `order_sites` points.
    order_sites : int
    order_why : str
        Why that number: ``sites`` or ``most`` were asked for, it is the ``knee``, or the ``end`` of the curve.
    years : YearPlan or None
    growth : str or None
        How the people of the years grow.
    """

    service_id: str
    question: RegionQuestion
    curve: Curve
    order: BuildOrder
    order_sites: int
    order_why: str
    years: YearPlan | None
    growth: str | None


def region_curve(
    prepared: Prepared,
    service_id: str,
    choice: Choice,
    *,
    definition_id: str | None,
    most: int | None,
    order_sites: int | None,
    years: Years | None,
    stop: Stop,
    progress: Progress,
) -> RegionCurve:
    """Choose the best points of a service for every number of them, then the order in which to build them.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
        A service with a siting rule, such as ``emergency``.
    choice : Choice
        Its number of points plays no part.
    definition_id : str or None
        The service's first unless given.
    most : int or None
        The largest number of points; until nothing more is gained unless given.
    order_sites : int or None
        The number of points whose plan is put in order; `most`, or the knee of the curve, unless given.
    years : Years or None
        By year, how many points in all.
    stop : Stop
        Of its time, half is for the curve if years are asked for.
    progress : callable
        Told of each step, in Chinese and English.

    Raises
    ------
    OptionError
        The question cannot be asked: see :func:`scenarios.siting.region.question.ask` and ``coverage_curve``; or no number of points has a
        plan, with what contradicts what.
    """
    if most is not None and order_sites is not None and order_sites > most:
        zh = f"--sites {order_sites} 大于 --most {most}：请增大 --most。"
        raise OptionError(Problem(zh, f"--sites {order_sites} is more than --most {most}: ask for more."))
    people_of = {} if years is None else _people_of(prepared, choice, years)
    question = ask(prepared, service_id, definition_id, choice)
    asked, model, terms = question.asked, choice.model, question.terms
    if years is not None:
        _check_years(asked, years)
    for_curve = stop.within(stop.left_s / 2) if years else stop
    curve = coverage_curve(asked, model, terms, most=most, stop=for_curve, progress=progress)
    if not any(step.result.stages for step in curve.steps):
        raise OptionError(Problem(*contradiction(curve.steps[-1].result)))
    number, why = _order_of(order_sites, most, curve)
    standing = [one for one, stands in zip(question.places.id, question.existing, strict=True) if stands]
    order = build_order(asked, model, terms, curve.results[number], standing=standing, best=curve.results)
    return RegionCurve(
        service_id=service_id,
        question=question,
        curve=curve,
        order=order,
        order_sites=number,
        order_why=why,
        years=None if years is None else _by_year(question, people_of, years, standing=standing, stop=stop, progress=progress),
        growth=None if years is None else years.growth,
    )


def _by_year(
    question: RegionQuestion, people_of: Mapping[int, Floats], years: Years, *, standing: Sequence[str], stop: Stop, progress: Progress
) -> YearPlan:
    """Build over the years, with the people of each."""
    progress("求分年方案 ……", "the plan by year …")
    of_years = {year: replace(question.asked, people=people[question.counted]) for year, people in people_of.items()}
    return by_year(of_years, question.choice.model, question.terms, years.totals, standing=standing, stop=stop)


def _check_years(asked: Asked, years: Years) -> None:
    """Refuse, before the curve is computed, numbers of points that no year can have."""
    least, most = fewest_sites(asked), most_sites(asked)
    for year, total in sorted(years.totals.items()):
        if not least <= total <= most:
            zh = f"--by-year：{year} 年 {total} 个点；已有、必选的点和候选点合计，只能是 {least} 到 {most} 个。"
            en = f"--by-year: {total} points in {year}; with those there anyway and the candidates it can be {least} to {most}."
            raise OptionError(Problem(zh, en))


def _people_of(prepared: Prepared, choice: Choice, years: Years) -> dict[int, Floats]:
    """What is weighed at every demand point in each year; the facilities stay those of the region's date."""
    told = {}
    for year in sorted(years.totals):
        region = grown(prepared.region, year, years.growth)
        told[year] = weights(replace(prepared, region=region), choice.weigh)
    return told


def _order_of(asked_for: int | None, most: int | None, curve: Curve) -> tuple[int, str]:
    """The number of points whose plan is put in order, and why."""
    known = [step.sites for step in curve.steps if step.result.stages]
    for number, why in ((asked_for, "sites"), (most, "most"), (curve.knees[-1], "knee")):
        if number in known:
            return number, why
    return known[-1], "end"
