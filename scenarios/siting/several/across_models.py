"""Which answer is good whatever is asked: the plan of each model, valued by every model; one has the largest least share of the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from scenarios.siting.models import site
from scenarios.siting.question import Asked, Model, Numbers, Terms
from scenarios.siting.result import SitingResult
from scenarios.siting.several.robust import frequencies
from scenarios.siting.stop import Stop
from scenarios.siting.worth import sense, value

Progress = Callable[[str, str], None]


class View(NamedTuple):
    """A column of the table: a stage of a model."""

    model: Model
    stage: str


@dataclass(frozen=True, kw_only=True, eq=False)
class AcrossModels:
    """The plan of each model, seen by every model.

    Attributes
    ----------
    models : tuple of str
        Those that have a plan.
    results : tuple of SitingResult
        The best plan of each.
    views : tuple of View
    achieved : (plans, views) float64
        nan where a plan does not meet what the model demands.
    share : (plans, views) float64
        Of the best that the model itself achieves (of a cost: the best cost as a share of the plan's); 1 is as good. It may exceed 1 in a
        stage that is not the model's first.
    robust : int
        The plan whose least share is largest; of equal ones the first.
    chosen : tuple of (str, int)
        In how many plans each candidate is, most first, then by id; those that are there anyway left out.
    without : tuple of str
        Models that have no plan: what they demand cannot be met with as many sites.
    """

    models: tuple[Model, ...]
    results: tuple[SitingResult, ...]
    views: tuple[View, ...]
    achieved: Numbers
    share: Numbers
    robust: int
    chosen: tuple[tuple[str, int], ...]
    without: tuple[Model, ...]


def across_models(questions: Mapping[Model, tuple[Asked, Terms]], *, stop: Stop, progress: Progress) -> AcrossModels:
    """Ask every model, and value each one's plan by all of them.

    Parameters
    ----------
    questions : mapping of str to (Asked, Terms)
        By model; all have the same candidates, and the same number of sites. Not lscp nor partial, which choose the number themselves.
    stop : Stop
    progress : callable
        Told of each model, in Chinese and English.

    Raises
    ------
    OptionError
        What is asked lacks something.
    ValueError
        No model has a plan.
    """
    results: dict[Model, SitingResult] = {}
    for at, (model, (asked, terms)) in enumerate(questions.items()):
        progress(f"模型 {model} ……", f"model {model} …")
        results[model] = site(asked, model, terms, stop=stop.within(stop.left_s / (len(questions) - at)))
    found = {model: result for model, result in results.items() if result.stages}
    if not found:
        msg = "no model has a plan"
        raise ValueError(msg)
    views = tuple(View(model, stage.name) for model, result in found.items() for stage in result.stages)
    best = np.array([stage.objective for result in found.values() for stage in result.stages])
    achieved = np.array([_seen(questions, found, plan, stop) for plan in found])
    senses = np.array([sense(view.model, view.stage) for view in views])
    share = _shares(achieved, best, senses)
    least = np.where(np.isnan(share), 0.0, share).min(axis=1)
    sites = next(iter(questions.values()))[0].sites
    return AcrossModels(
        models=tuple(found),
        results=tuple(found.values()),
        views=views,
        achieved=achieved,
        share=share,
        robust=int(np.argmax(least >= least.max() - 1e-12)),
        chosen=frequencies(sites, list(found.values())),
        without=tuple(model for model in questions if model not in found),
    )


def _seen(questions: Mapping[Model, tuple[Asked, Terms]], found: Mapping[Model, SitingResult], plan: Model, stop: Stop) -> list[float]:
    """What the plan of a model achieves, as each model sees it; its vehicles are spread anew where a fleet is spread."""
    told = []
    for model, own in found.items():
        asked, terms = questions[model]
        seen: Sequence[float] = value(asked, model, terms, found[plan].sites)
        if plan == model:
            seen = [stage.objective for stage in own.stages]
        elif asked.sites.fleet is not None or model in {"bacop1", "dsm"}:
            again = site(_held(asked, found[plan].sites), model, terms, stop=Stop(cancelled=stop.cancelled))
            seen = [stage.objective for stage in again.stages] or [math.nan] * len(own.stages)
        told += list(seen)
    return told


def _held(asked: Asked, chosen: Sequence[str]) -> Asked:
    """The same question with these sites and no others."""
    is_chosen = np.isin(np.array(asked.sites.id, dtype=object), list(chosen))
    return replace(asked, sites=replace(asked.sites, fixed=is_chosen, total=len(chosen), movable=np.zeros_like(is_chosen)))


def _shares(achieved: Numbers, best: Numbers, senses: Numbers) -> Numbers:
    """Of the best, whichever way is better; 1 where both are nothing."""
    part, whole = np.where(senses > 0, achieved, best), np.where(senses > 0, best, achieved)
    share = np.divide(part, whole, out=np.where(part == whole, 1.0, 0.0), where=whole != 0)
    return np.asarray(np.where(np.isnan(achieved), np.nan, share))
