"""Numbers of each place that some models ask for: vehicles, busy shares, capacities; from the question, the tables, the 120 log."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from geodata.errors import OptionError, Problem, first_few
from geodata.model import RESOURCES, Facilities
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from scenarios.call_study import call_study
from scenarios.siting.choice import OF_VEHICLES, Choice
from scenarios.siting.question import Terms

_VEHICLES = RESOURCES.index("vehicles")


def vehicles_at(places: Facilities, is_point: Bools, background: Bools, choice: Choice) -> Ints:
    """Vehicles at each place; with a fleet the most that can stand there.

    As the question says, else as the table says of a point (not of a facility that may host one: its vehicles are its own), else 1.
    Of background points as the table says.
    """
    if choice.model not in OF_VEHICLES:
        return np.ones(len(places), dtype=np.int64)
    stated = np.where(is_point & (places.resources[:, _VEHICLES] >= 1), np.floor(places.resources[:, _VEHICLES]), np.nan)
    usual = choice.fleet if choice.fleet is not None else 1
    said: Floats = np.full(len(places), np.nan)
    if isinstance(choice.vehicles, Mapping):
        said = np.array([choice.vehicles.get(one, np.nan) for one in places.id], dtype=np.float64)
    elif choice.vehicles is not None:
        said = np.full(len(places), float(choice.vehicles))
    if choice.fleet is None:
        said = np.where(np.isnan(said), stated, said)
    said = np.where(background, stated, said)
    return np.where(np.isnan(said), np.where(background, 1, usual), said).astype(np.int64)


def terms_of(prepared: Prepared, places: Facilities, background: Bools, choice: Choice, total: float) -> Terms:
    """What the model asks beside the sites; `total` is all that is weighed, which background points can serve.

    Raises
    ------
    OptionError
        A place has no busy share or no capacity where the model needs one.
    InputError
        There is no 120 log to take busy shares from.
    """
    return Terms(
        share=choice.share,
        alpha=choice.alpha,
        busy=_busy(prepared, places, background, choice) if choice.model == "mexclp" else None,
        capacity=_capacity(places, background, choice, total) if choice.model == "cmclp" else None,
        weighted=choice.weighted,
    )


def _busy(prepared: Prepared, places: Facilities, background: Bools, choice: Choice) -> Floats:
    """Busy share of each place; of background ones of which nothing is known the largest of the others, to be cautious."""
    given = _busy_of_log(prepared, places) if choice.busy == "log" else _numbers(places, choice.busy)
    _refuse_missing(places, np.isnan(given) & ~background, "--busy", ("繁忙率", "busy share"))
    return np.where(np.isnan(given), np.nanmax(given), given)


def _busy_of_log(prepared: Prepared, places: Facilities) -> Floats:
    """Of a base its own share, of other places that of all vehicles together."""
    study = call_study(prepared)
    own = dict(zip(study.by_base["facility"], study.by_base["share"], strict=True))
    shares = np.array([own.get(one, math.nan) for one in places.id])
    shares = np.where(np.isnan(shares), study.busy.share, shares)
    if np.isnan(study.busy.share):
        zh = "120 记录没有车辆数，算不出繁忙率：请在机构表中填写救护车数，或用 --busy 给出一个数。"
        en = "The 120 log tells no vehicles, hence no busy share: fill them in in the facility table, or give --busy a number."
        raise OptionError(Problem(zh, en))
    if full := [f"{one} ({share:.0%})" for one, share in zip(places.id, shares, strict=True) if share >= 1]:
        zh = f"按 120 记录，这些点的车辆忙不过来（繁忙率不小于 100%）：{first_few(full)}。请核对车辆数，或用 --busy 给出繁忙率。"
        en = f"By the 120 log the vehicles of these points are never free: {first_few(full)}. Check their number, or give --busy."
        raise OptionError(Problem(zh, en))
    return shares


def _capacity(places: Facilities, background: Bools, choice: Choice, total: float) -> Floats:
    """People whom each place can serve; background ones serve whoever comes."""
    given = _numbers(places, choice.capacity)
    if choice.points is not None:
        own = dict(zip(choice.points.id, choice.points.capacity.tolist(), strict=True))
        of_file = np.array([own.get(one, math.nan) for one in places.id])
        given = np.where(np.isnan(of_file), given, of_file)
    _refuse_missing(places, np.isnan(given) & ~background, "--capacity", ("服务能力", "capacity"))
    return np.where(background & np.isnan(given), total, given)


def _numbers(places: Facilities, given: float | Mapping[str, float] | str | None) -> Floats:
    """One number for all, or of each place, nan where none is given."""
    if isinstance(given, Mapping):
        return np.array([given.get(one, math.nan) for one in places.id], dtype=np.float64)
    return np.full(len(places), math.nan if given is None or isinstance(given, str) else given)


def _refuse_missing(places: Facilities, missing: Bools, option: str, words: tuple[str, str]) -> None:
    if missing.any():
        named = first_few(places.id[at] for at in np.flatnonzero(missing))
        zh = f"这些点没有{words[0]}：{named}。请在 {option} 的表中补上。"
        raise OptionError(Problem(zh, f"These points have no {words[1]}: {named}. Add them to the table of {option}."))
