"""Hours of the day: how they are written, and what is known of the traffic of some of them."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, PositiveFloat, model_validator

from geodata.errors import InputError, Problem, first_few
from geodata.toml import Strict

Hour = Annotated[int, Field(ge=0, le=23)]
FREE = "free"  # the measured speed at hours that have none of their own
LEAST_FACTOR, MOST_FACTOR = 0.1, 2.0
LEAST_KMH, MOST_KMH = 1.0, 150.0


def bad_hour(hour: int) -> Problem:
    """Say that a number is no hour of the day."""
    return Problem(f"小时应为 0—23（给出 {hour}）。", f"The hour must be 0-23 (given: {hour}).")


def hours_of(text: str) -> frozenset[int]:
    """Hours of the day from one hour to another, the last not among them; past midnight if the last is the smaller.

    Raises
    ------
    InputError
        It is not two different hours with a hyphen between them.

    >>> sorted(hours_of("7-9")), sorted(hours_of("22-2"))
    ([7, 8], [0, 1, 22, 23])
    """
    found = re.fullmatch(r"(\d{1,2})-(\d{1,2})", text)
    first, last = map(int, found.groups()) if found else (0, 0)
    if first not in range(24) or last not in range(25) or first == last:
        raise InputError(
            Problem(
                f"“{text}”不是钟点：应如 7-9（七点到九点，不含九点）或 22-6（过夜）；全天写 0-24。",
                f"{text!r} are no hours: write 7-9 (from 7:00 until before 9:00) or 22-6 (overnight); the whole day is 0-24.",
            )
        )
    return frozenset(hour % 24 for hour in range(first, last if last > first else last + 24))


def _plausible_factor(value: float) -> float:
    """Refuse factors that no traffic has: a percentage, most likely."""
    if LEAST_FACTOR <= value <= MOST_FACTOR:
        return value
    share = value / 100
    guess = (f"是不是 {share:g}？", f" Did you mean {share:g}?") if LEAST_FACTOR <= share <= MOST_FACTOR else ("", "")
    raise InputError(
        Problem(
            f"系数 {value:g} 不在 {LEAST_FACTOR:g}—{MOST_FACTOR:g} 之间：系数是全天平均车速的倍数，85% 写作 0.85。{guess[0]}",
            f"A factor of {value:g} is not in {LEAST_FACTOR:g}-{MOST_FACTOR:g}: it multiplies the usual speeds (85 % is 0.85).{guess[1]}",
        )
    )


def _plausible_kmh(value: float) -> float:
    """Refuse measured speeds that nobody travels at on average."""
    if LEAST_KMH <= value <= MOST_KMH:
        return value
    raise InputError(
        Problem(
            f"实测车速 {value:g} 不在每小时 {LEAST_KMH:g}—{MOST_KMH:g} 公里之间：请核对单位（公里/小时）和小数点，或删去此项。",
            f"A measured speed of {value:g} is not within {LEAST_KMH:g}-{MOST_KMH:g} km/h: check unit and decimal point, or leave it out.",
        )
    )


class SpeedFactor(Strict):
    """Traffic of some hours, `to` not among them: class and tagged speeds times `factor`, of all classes of road unless some are given."""

    model_config = ConfigDict(serialize_by_alias=True)

    from_hour: Hour = Field(alias="from")
    to_hour: Annotated[int, Field(ge=0, le=24)] = Field(alias="to")
    factor: Annotated[PositiveFloat, AfterValidator(_plausible_factor)]
    classes: tuple[str, ...] = ()
    source: str

    @model_validator(mode="after")
    def _some_hours(self) -> SpeedFactor:
        hours_of(self.text)
        return self

    @property
    def text(self) -> str:
        """The hours as they are written: ``7-9``."""
        return f"{self.from_hour}-{self.to_hour}"

    @property
    def hours(self) -> frozenset[int]:
        """The hours of the day in which it holds."""
        return hours_of(self.text)

    def contradicts(self, other: SpeedFactor) -> bool:
        """Tell whether both say something of the same hour and class, and neither is the more specific."""
        both_general, shared = not self.classes and not other.classes, set(self.classes) & set(other.classes)
        return bool(self.hours & other.hours) and (both_general or bool(shared))


def _by_hours(value: Any) -> Any:  # noqa: ANN401 — whatever a TOML file has there
    """Take a number as the speed at every hour."""
    return {FREE: value} if isinstance(value, int | float) and not isinstance(value, bool) else value


def _hours_apart(value: dict[str, float]) -> dict[str, float]:
    """Refuse keys that are no hours, and hours that are named twice."""
    spans = {text: hours_of(text) for text in value if text != FREE}
    twice = [f"{a} / {b}" for a, b in itertools.combinations(spans, 2) if spans[a] & spans[b]]
    if twice:
        raise InputError(Problem(f"同一钟点给了两个车速：{first_few(twice)}。", f"Two speeds for the same hour: {first_few(twice)}."))
    return value


_Kmh = Annotated[PositiveFloat, AfterValidator(_plausible_kmh)]
Measured = Annotated[dict[str, _Kmh], BeforeValidator(_by_hours), AfterValidator(_hours_apart), Field(min_length=1)]


def measured_at(measured: Mapping[str, float], hour: int | None) -> float:
    """Pick the measured speed of an hour (None: the usual one) in km/h; nan where nothing was measured for it."""
    spans = (kmh for text, kmh in measured.items() if text != FREE and hour in hours_of(text))
    return next(spans, measured.get(FREE, math.nan))
