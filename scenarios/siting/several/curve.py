"""How much each number of sites achieves, from those that are there anyway upwards, each number on its own; and where the knee is.

The knee is the number at which the curve stands highest above the straight line from its first point to its last, both axes scaled to
0–1 (Kneedle: Satopää, Albrecht, Irwin & Raghavan 2011, doi:10.1109/ICDCSW.2011.20, without smoothing, for the curve is exact). It depends
on where the curve ends: that is said with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from geodata.errors import OptionError, Problem
from scenarios.siting.models import NUMBER_FOUND, site
from scenarios.siting.question import Asked, Model, Terms
from scenarios.siting.result import SitingResult, StageValue
from scenarios.siting.stop import Stop
from scenarios.siting.worth import SAME_SHARE, best_one_more, sense, value

Progress = Callable[[str, str], None]
Ended = Literal["most", "all", "candidates", "infeasible", "time", "cancelled"]

TURNS_LEFT: Final = 5  # a number of sites may take one part in so many of the time left
FEWEST_FOR_KNEE: Final = 3


@dataclass(frozen=True, kw_only=True)
class CurveStep:
    """The best choice of one number of sites.

    Attributes
    ----------
    sites : int
        In all; kept and forced ones count.
    result : SitingResult
    gains : tuple of float
        By stage, what is achieved beyond the step before: more people, or less cost. Empty at the first.
    plain : SitingResult or None
        lexicographic: as many sites chosen by the last stage alone (mclp), to show what the stages before it cost.
    plain_values : tuple of float
        By stage, what that choice achieves.
    """

    sites: int
    result: SitingResult
    gains: tuple[float, ...] = ()
    plain: SitingResult | None = None
    plain_values: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What every number of sites achieves.

    Attributes
    ----------
    model : str
    steps : tuple of CurveStep
        From the fewest sites to the most; without a gap.
    ceiling : tuple of float
        By stage, what all candidates that are not forbidden would achieve together.
    knees : tuple of (int or None)
        By stage, the number of sites at the knee; None for a curve of fewer than three points, or one that does not bend downwards.
    ended : str
        Why there is no next step: ``most`` were asked for; ``all`` that can be achieved is; the ``candidates`` run out; more are
        ``infeasible``; the ``time`` ran out; ``cancelled``.
    """

    model: Model
    steps: tuple[CurveStep, ...]
    ceiling: tuple[float, ...]
    knees: tuple[int | None, ...]
    ended: Ended

    @property
    def results(self) -> dict[int, SitingResult]:
        """The best choice of each number of sites."""
        return {step.sites: step.result for step in self.steps}


def fewest_sites(asked: Asked) -> int:
    """How many sites are there whatever is chosen: kept and forced ones, and those that may move but not go; at least 1."""
    sites = asked.sites
    return max(1, int((sites.counted & (sites.fixed | sites.movable)).sum()))


def most_sites(asked: Asked) -> int:
    """How many sites can be chosen at most, spacing and budget aside."""
    sites = asked.sites
    free = int((sites.counted & ~sites.forbidden).sum())
    return free if sites.fleet is None else min(free, sites.fleet)


def coverage_curve(asked: Asked, model: Model, terms: Terms, *, most: int | None, stop: Stop, progress: Progress) -> Curve:
    """Choose the best sites for every number of them.

    Parameters
    ----------
    asked : Asked
        Its total does not matter.
    model : str
        Not lscp nor partial, which choose the number themselves.
    terms : Terms
    most : int or None
        The largest number; until nothing more is achieved unless given.
    stop : Stop
        For the whole curve: steps that were computed stay.
    progress : callable
        Told of each step, in Chinese and English.

    Returns
    -------
    Curve
        A search that stopped early never shows less than the choice of one site fewer and the best site beside it; what bounds a number
        of sites bounds the smaller ones.

    Raises
    ------
    OptionError
        The model chooses the number itself, or `most` is less than the sites that are there anyway.
    """
    first, limit = fewest_sites(asked), most_sites(asked)
    _check(model, first, most)
    last = limit if most is None else min(most, limit)
    usable = asked.sites.counted & ~asked.sites.forbidden
    ceiling = value(asked, model, terms, [one for one, may in zip(asked.sites.id, usable, strict=True) if may])
    steps: list[CurveStep] = []
    ended: Ended = "most" if most is not None and most <= limit else "candidates"
    for number in range(first, max(first, last) + 1):  # at least one, that tells what contradicts what
        progress(f"{number} 个点 ……", f"{number} sites …")
        here = stop.within(stop.left_s / min(max(first, last) + 1 - number, TURNS_LEFT))
        try:
            step = _step(asked, model, terms, steps, number=number, stop=here)
        except OptionError:  # no plan was found in time
            if not steps:
                raise
            ended = stop.reason or "time"
            break
        if step.result.status == "infeasible" and any(one.result.status != "infeasible" for one in steps):
            ended = "infeasible"
            break
        steps.append(step)
        if stop.reason is not None:
            ended = stop.reason
            break
        if most is None and _is_all(asked, model, steps, ceiling):
            ended = "all"
            break
    told = tuple(_tightened(asked, model, steps))
    return Curve(model=model, steps=told, ceiling=ceiling, knees=_knees(model, told), ended=ended)


def refuse_number_found(model: Model) -> None:
    """Refuse a model that chooses the number of sites itself.

    Raises
    ------
    OptionError
    """
    if model in NUMBER_FOUND:
        zh = f"模型 {model} 自己决定点数，没有逐个点数的曲线：请用 mclp 或 lexicographic，在曲线上读出所需点数。"
        en = f"Model {model} chooses the number of sites itself: ask for the curve of mclp or lexicographic and read the number from it."
        raise OptionError(Problem(zh, en))


def _check(model: Model, first: int, most: int | None) -> None:
    refuse_number_found(model)
    if most is not None and most < first:
        zh = f"--most {most} 少于已有、必选的 {first} 个点：请增大。"
        raise OptionError(Problem(zh, f"--most {most} is less than the {first} sites that are there anyway: ask for more."))


def with_total(asked: Asked, number: int, fixed: Sequence[str] = ()) -> Asked:
    """The same question for a number of sites, some more of them fixed."""
    more = np.isin(np.array(asked.sites.id, dtype=object), list(fixed))
    return replace(asked, sites=replace(asked.sites, total=number, fixed=asked.sites.fixed | more))


def _step(asked: Asked, model: Model, terms: Terms, before: Sequence[CurveStep], *, number: int, stop: Stop) -> CurveStep:
    """Choose a number of sites, no worse than those of the step before and the best one beside them."""
    here = with_total(asked, number)
    result = site(here, model, terms, stop=stop)
    if before and result.status == "feasible" and before[-1].result.sites and _is_free(asked):
        result = _no_worse(here, model, terms, result, before[-1].result)
    if model != "lexicographic" or not result.sites:
        return CurveStep(sites=number, result=result, gains=_gains(model, before, result))
    plain = site(here, "mclp", terms, stop=stop)
    values = value(here, model, terms, plain.sites, plain.vehicles)
    return CurveStep(sites=number, result=result, gains=_gains(model, before, result), plain=plain, plain_values=values)


def _is_free(asked: Asked) -> bool:
    """Whether a site more can always be added: no budget, no fleet to spread, nothing that moves."""
    return asked.sites.budget is None and asked.sites.fleet is None and not asked.sites.movable.any()


def _no_worse(asked: Asked, model: Model, terms: Terms, stopped: SitingResult, before: SitingResult) -> SitingResult:
    """The choice of a search that was stopped, or one site fewer and the best one beside it if that is better; its bounds hold."""
    more = best_one_more(asked, model, terms, before.sites)
    if more is None:
        return stopped
    found = site(with_total(asked, len(before.sites) + 1, (*before.sites, more)), model, terms, stop=Stop())
    if found.status == "infeasible" or not is_better(model, found.stages, stopped.stages):
        return stopped
    bounds = [stage.bound for stage in stopped.stages]
    stages = tuple(stage._replace(bound=bound) for stage, bound in zip(found.stages, bounds, strict=True))
    same = {"status": stopped.status, "stopped": stopped.stopped, "fixed": stopped.fixed, "bound": stopped.bound}
    return replace(found, stages=stages, seconds=found.seconds + stopped.seconds, equal=(), equal_complete=False, **same)  # type: ignore[arg-type]


def is_better(model: Model, stages: Sequence[StageValue], than: Sequence[StageValue]) -> bool:
    """Whether what one choice achieves is better, the most important stage first."""
    for one, other in zip(stages, than, strict=True):
        difference = sense(model, one.name) * (one.objective - other.objective)
        if abs(difference) > SAME_SHARE * max(abs(one.objective), abs(other.objective)):
            return difference > 0
    return False


def _gains(model: Model, before: Sequence[CurveStep], result: SitingResult) -> tuple[float, ...]:
    if not before or not before[-1].result.stages or not result.stages:
        return ()
    pairs = zip(result.stages, before[-1].result.stages, strict=True)
    return tuple(_gain(model, now, then) for now, then in pairs)


def _gain(model: Model, now: StageValue, then: StageValue) -> float:
    """How much better one value is than another; of what differs by rounding only, 0."""
    difference = sense(model, now.name) * (now.objective - then.objective)
    return difference if abs(difference) > SAME_SHARE * max(abs(now.objective), abs(then.objective)) else 0.0


def _is_all(asked: Asked, model: Model, steps: Sequence[CurveStep], ceiling: tuple[float, ...]) -> bool:
    """Whether no further site can achieve more: all candidates together do not, or one more, proven best, did not.

    The latter because each site adds the less the more there are (submodularity); that does not hold for the largest cost of p-center,
    nor where spacing or a budget keeps sites out.
    """
    result = steps[-1].result
    if not result.stages or result.status != "optimal":
        return False
    achieved = zip(result.stages, ceiling, strict=True)
    if all(abs(stage.objective - top) <= SAME_SHARE * max(abs(top), 1.0) for stage, top in achieved):
        return True
    gains = steps[-1].gains
    proven = len(steps) > 1 and steps[-2].result.status == "optimal"
    is_plain = with_total(asked, 1).sites.is_plain
    return proven and is_plain and model not in {"p-center", "cmclp"} and bool(gains) and not any(gains)


def _tightened(asked: Asked, model: Model, steps: Sequence[CurveStep]) -> list[CurveStep]:
    """Bound each number of sites by what bounds the next: fewer sites never achieve more, where nothing but their number binds.

    Of several stages that holds for the first; those after it may fall, as the first rises.
    """
    told = list(steps)
    free = asked.sites.budget is None and asked.sites.fleet is None and not asked.sites.apart.size and not asked.sites.movable.any()
    for at in range(len(told) - 2, -1, -1) if free else ():
        mine, more = told[at].result, told[at + 1].result
        if not (mine.stages and more.stages) or mine.status == "optimal":
            continue
        tighter = min if sense(model, mine.stages[0].name) > 0 else max
        stages = (mine.stages[0]._replace(bound=tighter(mine.stages[0].bound, more.stages[0].bound)), *mine.stages[1:])
        open_ = any(abs(one.bound - one.objective) > SAME_SHARE * max(abs(one.bound), 1.0) for one in stages)
        proof = {} if open_ else {"status": "optimal", "stopped": None}
        told[at] = replace(told[at], result=replace(mine, stages=stages, bound=stages[-1].bound, **proof))  # type: ignore[arg-type]
    return told


def _knees(model: Model, steps: Sequence[CurveStep]) -> tuple[int | None, ...]:
    known = [step for step in steps if step.result.stages]
    numbers = [step.sites for step in known]
    by_stage = zip(*(step.result.stages for step in known), strict=True)
    return tuple(knee(numbers, [sense(model, one.name) * one.objective for one in stages]) for stages in by_stage)


def knee(numbers: Sequence[int], values: Sequence[float]) -> int | None:
    """Find the number at which a curve stands highest above the line from its first point to its last, of equal ones the smallest.

    Parameters
    ----------
    numbers : sequence of int
        Ascending.
    values : sequence of float
        More is better.

    Returns
    -------
    int or None
        None for fewer than three points, a curve that does not rise, or one that nowhere stands above the line.

    Examples
    --------
    >>> knee([1, 2, 3, 4, 5], [50.0, 80.0, 90.0, 95.0, 100.0])
    2
    """
    if len(numbers) < FEWEST_FOR_KNEE or not values[-1] > values[0]:
        return None
    along = (np.array(numbers, dtype=np.float64) - numbers[0]) / (numbers[-1] - numbers[0])
    up = (np.array(values) - values[0]) / (values[-1] - values[0])
    above = up - along
    highest = float(above.max())
    return None if highest <= math.sqrt(SAME_SHARE) else int(numbers[int(np.argmax(above >= highest - SAME_SHARE))])
