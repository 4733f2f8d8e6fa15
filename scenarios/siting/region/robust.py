"""On a region: the same question at other hours, speeds, people, with roads cut, and by other models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np

from geodata.demand import aged
from geodata.errors import InputError, OptionError, Problem
from geodata.growth import VARIANT_WORDS, grown
from geodata.hours import measured_at
from geodata.model import GROWTH
from geodata.network import Network
from geodata.region import Prepared
from geodata.roads import Floats
from geodata.standards import Mode, ModeSpeeds
from scenarios.model import Scenario, with_scenario
from scenarios.output.legend import SPREAD_WORDS
from scenarios.road_changes import CloseRoad
from scenarios.sensitivity import SWINGS, at_speed
from scenarios.siting.models import NUMBER_FOUND
from scenarios.siting.question import Asked, Model, Terms
from scenarios.siting.region.choice import OF_VEHICLES, OF_WIDE, Choice
from scenarios.siting.region.question import RegionQuestion, ask
from scenarios.siting.several.across_models import AcrossModels, across_models
from scenarios.siting.several.robust import Robust, Situation, robust_plan
from scenarios.siting.stop import Stop

Progress = Callable[[str, str], None]
Words = tuple[str, str]
Over = Literal["hours", "speed", "population", "models", "roads"]
OVER: Final[tuple[Over, ...]] = get_args(Over)
COMPARED: Final[tuple[Model, ...]] = ("lexicographic", "mclp", "p-median", "p-center", "bacop2", "mexclp", "bacop1", "dsm", "cmclp")
TERMS_OF: Final[dict[Model, tuple[str, ...]]] = {"mexclp": ("busy",), "bacop2": ("alpha",), "dsm": ("alpha",), "cmclp": ("capacity",)}
SAME_TRAFFIC: Final = 0.01  # hours whose factors differ less are one situation: no log tells them apart
FIRST_COVER: Final = 0.5  # bacop2, unless given: first and second cover weigh the same


@dataclass(frozen=True, kw_only=True, eq=False)
class Circumstances:
    """What is to differ.

    Attributes
    ----------
    today : Prepared
        The region before it is grown to a target year.
    over : tuple of str
    cut : tuple of int or str
        Ids of ways, cut each alone.
    year : int or None
        Target year: its people are the low, central and high variants of growth.
    growth : str
        The variant that is assumed.
    terms : mapping
        `busy`, `alpha`, `capacity` as of a :class:`Choice`, for the models that need them.
    """

    today: Prepared
    over: tuple[Over, ...] = OVER
    cut: tuple[int | str, ...] = ()
    year: int | None = None
    growth: str = "central"
    terms: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionRobust:
    """How plans stand in other circumstances.

    Attributes
    ----------
    service_id : str
    question : RegionQuestion
        As assumed.
    robust : Robust
        Its first situation is what is assumed.
    models : AcrossModels or None
    left_out : tuple of (zh, en)
        What was asked for and could not differ, and why.
    """

    service_id: str
    question: RegionQuestion
    robust: Robust
    models: AcrossModels | None
    left_out: tuple[Words, ...]


def region_robust(
    prepared: Prepared,
    service_id: str,
    choice: Choice,
    circumstances: Circumstances,
    *,
    definition_id: str | None,
    stop: Stop,
    progress: Progress,
) -> RegionRobust:
    """Find the plan that is good whatever happens, and how the plan of each situation stands in all others.

    Parameters
    ----------
    prepared : Prepared
        As assumed, in the target year if there is one.
    service_id : str
        A service with a siting rule, such as ``emergency``.
    choice : Choice
    circumstances : Circumstances
    definition_id : str or None
        The service's first unless given.
    stop : Stop
        Half of its time is for the situations, half for the models.
    progress : callable
        Told of each step, in Chinese and English.

    Raises
    ------
    OptionError
        The question cannot be asked, or the model chooses the number of points itself.
    """
    refuse_number_found(choice.model)
    question = ask(prepared, service_id, definition_id, choice)
    assumed = replace(choice, hour=question.definition.hour)
    left_out: list[Words] = []
    found = [_Variant("现有假定", "as assumed", prepared, choice), *_variants(prepared, assumed, circumstances, left_out)]
    asked = [question.asked]
    for one in found[1:]:
        progress(f"计算情形：{one.zh} ……", f"computing the situation: {one.en} …")
        asked.append(ask(one.prepared, service_id, definition_id, one.choice).asked)
    situations = [Situation(variant.zh, variant.en, one) for variant, one in zip(found, asked, strict=True)]
    for_situations = stop.within(stop.left_s / 2) if "models" in circumstances.over else stop
    robust = robust_plan(situations, choice.model, question.terms, stop=for_situations, progress=progress)
    models = None
    if "models" in circumstances.over:
        questions = dict(_models((prepared, service_id, definition_id), choice, circumstances.terms, left_out))
        models = across_models(questions, stop=stop, progress=progress)
    return RegionRobust(service_id=service_id, question=question, robust=robust, models=models, left_out=tuple(left_out))


def refuse_number_found(model: Model) -> None:
    """Refuse a model that chooses the number of points itself.

    Raises
    ------
    OptionError
    """
    if model in NUMBER_FOUND:
        zh = f"模型 {model} 自己决定点数，各情形的方案不能相互比较：请给出 --sites，用 mclp 或 lexicographic。"
        en = f"Model {model} chooses the number of points itself, so that plans cannot be compared: give --sites, with mclp."
        raise OptionError(Problem(zh, en))


class _Variant(NamedTuple):
    zh: str
    en: str
    prepared: Prepared
    choice: Choice


def _variants(here: Prepared, choice: Choice, circumstances: Circumstances, left_out: list[Words]) -> Iterator[_Variant]:
    """Everything that is to differ, one thing at a time; what cannot differ is told in `left_out`."""
    if "hours" in circumstances.over:
        yield from _hours(here, choice, left_out)
    if "speed" in circumstances.over:
        for factor in SWINGS["speed"]:
            yield _Variant(f"全部速度 × {factor:g}", f"every speed × {factor:g}", _at_speed(here, factor), choice)
    if "population" in circumstances.over:
        yield from _populations(here, choice, circumstances, left_out)
    if "roads" in circumstances.over:
        for way in circumstances.cut:
            cut = Scenario(region=here.region.name, changes=(CloseRoad(ways=(way,)),))
            yield _Variant(f"道路 {way} 断开", f"road {way} cut", with_scenario(here, cut), choice)
        if not circumstances.cut:
            left_out.append(("没有断开道路：请用 --cut 写出道路编号。", "No road was cut: name ways by --cut."))


def _hours(here: Prepared, choice: Choice, left_out: list[Words]) -> Iterator[_Variant]:
    """Each traffic that is known, at the first of its hours, but for the traffic that is assumed; named by all of its hours."""
    speeds = here.speeds.drive
    groups: list[tuple[Floats, list[int]]] = [(_traffic(speeds, choice.hour), [])]
    for hour in speeds.hours:
        traffic = _traffic(speeds, hour)
        same = next((hours for one, hours in groups if np.allclose(traffic, one, rtol=SAME_TRAFFIC, atol=0.0, equal_nan=True)), None)
        if same is None:
            groups.append((traffic, [hour]))
        else:
            same.append(hour)
    for _, hours in groups[1:]:
        zh, en = _hours_said(hours)
        yield _Variant(f"{zh}车速", f"speeds at {en}", here, replace(choice, hour=hours[0]))
    if not speeds.hours:
        zh = "车速文件没有分钟点的车速，钟点没有变动。"
        left_out.append((zh, "The speeds know nothing of hours of the day: hours do not differ."))


def _traffic(speeds: ModeSpeeds, hour: int | None) -> Floats:
    """All factors and measured speeds of an hour: where they are the same, travel times are."""
    classes = sorted({*speeds.classes, *(name for factor in speeds.factors for name in factor.classes)})
    measured = [measured_at(one, hour) for one in (*speeds.ways.values(), *speeds.names.values())]
    factors = [speeds.factor(road_class, hour) for road_class in [*classes, ""]]  # "": a class that is not named
    return np.array([*factors, *measured])


def _hours_said(hours: Sequence[int]) -> Words:
    """Hours as spans, the last hour of each not among them: 7-9, and 22-2 past midnight."""
    some = set(hours)
    starts = [hour for hour in hours if (hour - 1) % 24 not in some] or [0]
    spans = []
    for start in starts:
        length = next((one for one in range(1, 24) if (start + one) % 24 not in some), 24)
        end = start + length
        spans.append(f"{start}-{end if end <= 24 else end - 24}")  # noqa: PLR2004  hours of a day
    return f"{'、'.join(spans)} 时", f"{', '.join(spans)} o'clock"


def _at_speed(here: Prepared, factor: float) -> Prepared:
    def build(_: Prepared, mode: Mode, hour: int | None) -> Network:
        return at_speed(here.network(mode, hour), factor)

    return replace(here, build=build)


def _populations(here: Prepared, choice: Choice, circumstances: Circumstances, left_out: list[Words]) -> Iterator[_Variant]:
    """The other ways to spread the people, and the other variants of growth."""
    if choice.weigh == "calls":
        left_out.append(("按呼救计，人口没有变动。", "Calls are weighed: the people do not differ."))
        return
    demand = here.region.demand
    for at, name in list(enumerate(demand.spread_names))[1:]:
        people = demand.spreads[at]
        other = replace(demand, people=people, old=aged(demand, people))
        zh, en = SPREAD_WORDS[name]
        spread = replace(here, region=replace(here.region, demand=other))
        yield _Variant(f"人口改按{zh}分摊", f"people spread by {en}", spread, choice)
    for variant in GROWTH:
        if circumstances.year is not None and variant != circumstances.growth:
            zh, en = VARIANT_WORDS[variant]
            other_growth = replace(here, region=grown(circumstances.today.region, circumstances.year, variant))
            yield _Variant(f"人口增长{zh}", f"growth: {en}", other_growth, choice)
    if circumstances.year is None and len(demand.spread_names) == 1:
        zh = "人口只有一种分摊，也没有规划年（--year），人口没有变动。"
        left_out.append((zh, "The people are spread in one way only, and there is no target year (--year): people do not differ."))


def _models(
    where: tuple[Prepared, str, str | None], choice: Choice, given: Mapping[str, Any], left_out: list[Words]
) -> Iterator[tuple[Model, tuple[Asked, Terms]]]:
    """The question of every model that can be asked; those that lack a term are told in `left_out`."""
    for model in COMPARED:
        try:
            question = ask(*where, _of_model(where[0], choice, given, model))
        except (OptionError, InputError) as error:
            reason = error.problems[0]
            left_out.append((f"未用模型 {model}：{reason.zh}", f"Model {model} was not asked: {reason.en}"))
            continue
        yield model, (question.asked, question.terms)


def _of_model(here: Prepared, choice: Choice, given: Mapping[str, Any], model: Model) -> Choice:
    """The same question by another model, without the terms that belong to others only."""
    if model == choice.model:
        return choice
    busy = "log" if len(here.region.calls) else None
    usual: dict[Model, dict[str, Any]] = {"bacop2": {"alpha": FIRST_COVER}, "mexclp": {"busy": busy}}
    mine = usual.get(model, {}) | {name: given[name] for name in TERMS_OF.get(model, ()) if given.get(name) is not None}
    no_terms: dict[str, Any] = dict.fromkeys(("share", "alpha", "busy", "capacity"))
    counts = model in OF_VEHICLES
    vehicles = {"vehicles": choice.vehicles if counts else None, "fleet": choice.fleet if counts else None}
    wide = {"wide_minutes": choice.wide_minutes if model in OF_WIDE else None}
    return replace(choice, **(no_terms | mine | vehicles | wide | {"model": model, "weighted": False}))
