"""Numbers of each place that some models ask for: vehicles, busy shares, capacities; from the question, the tables, the 120 log."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from geodata.errors import OptionError, Problem, first_few
from geodata.model import RESOURCES, Facilities
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from scenarios.replay.busy import busy_shares
from scenarios.siting.question import Terms
from scenarios.siting.region.choice import OF_VEHICLES, Choice
from scenarios.siting.words import Words

_VEHICLES = RESOURCES.index("vehicles")


def vehicles_at(places: Facilities, is_point: Bools, background: Bools, choice: Choice) -> Ints:
    """Vehicles at each place; with a fleet the most that can stand there.

    As the question says, else as the table says of a point (not of a facility that may host one: its vehicles are its own), else 1.
    Of background points as the table says.
    """
    if choice.model not in OF_VEHICLES:
        return np.ones(len(places), dtype=np.int64)
    stated = _stated(places, is_point)
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


def _stated(places: Facilities, is_point: Bools) -> Floats:
    """Vehicles of points as the tables say; nan where they say nothing."""
    vehicles = np.floor(places.resources[:, _VEHICLES])
    return np.where(is_point & (vehicles >= 1), vehicles, np.nan)


def terms_of(
    prepared: Prepared, places: Facilities, is_point: Bools, background: Bools, *, choice: Choice, total: float
) -> tuple[Terms, tuple[Words, ...]]:
    """What the model asks beside the sites, and where it was taken from; `total` is all that is weighed.

    Raises
    ------
    OptionError
        A place has no busy share or no capacity where the model needs one, or the 120 log tells no busy shares.
    """
    busy, notes = None, tuple[Words, ...]()
    if choice.busy == "log":
        stands = (
            vehicles_at(places, is_point, background, choice) if choice.fleet is None else np.nan_to_num(_stated(places, is_point), nan=1)
        )
        found = busy_shares(prepared, places, stands.astype(np.int64), fleet=choice.fleet)
        busy, notes = found.share, ((found.zh, found.en),)
    elif choice.busy is not None:
        busy = _numbers(places, choice.busy)
        _refuse_missing(places, np.isnan(busy) & ~background, "--busy", ("繁忙率", "busy share"))
        busy = np.where(np.isnan(busy), np.nanmax(busy), busy)  # of those that serve anyway, unknown: the largest, to be cautious
    capacity = _capacity(places, background, choice, total) if choice.model == "cmclp" else None
    return Terms(share=choice.share, alpha=choice.alpha, busy=busy, capacity=capacity, weighted=choice.weighted), notes


def _capacity(places: Facilities, background: Bools, choice: Choice, total: float) -> Floats:
    """People whom each place can serve; background ones of which nothing is known serve whoever comes."""
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
