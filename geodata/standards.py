"""Service definitions (口径) and travel speeds, read from ``defaults/*.toml`` and from a bureau's own files, which override by name."""

from __future__ import annotations

import itertools
import math
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, PositiveFloat, model_validator

from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.hours import FREE, Hour, Measured, SpeedFactor, bad_hour, hours_of
from geodata.toml import Strict, read_toml

Mode = Literal["walk", "bike", "drive"]
MODES: tuple[Mode, ...] = get_args(Mode)
Direction = Literal["to_facility", "from_facility"]
Status = Literal["V", "S", "M"]
Share = Annotated[float, Field(gt=0, le=1)]

DEFAULTS = Path(__file__).parent / "defaults"


class Limit(Strict):
    """How far is near enough; all that are given must hold, each on its own best way, and the limit itself counts as within."""

    minutes: PositiveFloat | None = None
    network_m: PositiveFloat | None = None
    straight_m: PositiveFloat | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Limit:
        if self.minutes is self.network_m is self.straight_m is None:
            raise InputError(
                Problem("至少要给出 minutes、network_m、straight_m 之一。", "Give at least one of minutes, network_m, straight_m.")
            )
        return self

    @property
    def text(self) -> str:
        """The limit in short: ``15 min``, ``5000 m by road``."""
        parts = [(self.minutes, "min"), (self.network_m, "m by road"), (self.straight_m, "m straight")]
        return " + ".join(f"{value:g} {unit}" for value, unit in parts if value is not None)


class ServiceDefinition(Strict):
    """One way to say that a settlement is served: kinds of facility, mode, direction, limits by settlement class.

    Attributes
    ----------
    urban, rural : Limit
        The limit for settlements of each class.
    settlement_share : float
        A settlement counts as covered when at least this share of its people is.
    hour : int, optional
        Hour of the day, 0-23, whose traffic holds (factors of ``Speeds``); the usual speeds, the day's average, unless given.
    beside_m : float
        How far a drawn circle reaches beside a reached road, in metres; a picture only.
    call_handling_s, turnout_s : float
        Seconds before the vehicle moves; a facility's own turnout replaces `turnout_s`.
    """

    id: str
    name_zh: str
    name_en: str
    kinds: Annotated[tuple[str, ...], Field(min_length=1)]
    mode: Mode
    direction: Direction = "to_facility"
    urban: Limit
    rural: Limit
    settlement_share: Share = 0.9
    hour: Hour | None = None
    beside_m: PositiveFloat = 60
    call_handling_s: Annotated[float, Field(ge=0)] = 0
    turnout_s: Annotated[float, Field(ge=0)] = 0
    source: str
    status: Status
    note: str = ""

    @property
    def limits(self) -> dict[str, Limit]:
        """The limit of each settlement class."""
        return {"urban": self.urban, "rural": self.rural}

    @property
    def limit_text(self) -> str:
        """The limits in short, for tables: ``urban 15 min; rural 30 min``."""
        said = {name: limit.text for name, limit in self.limits.items()}
        return said["urban"] if self.urban == self.rural else "; ".join(f"{name} {text}" for name, text in said.items())

    def with_minutes(self, minutes: float) -> ServiceDefinition:
        """Build the same definition with another number of minutes in both classes."""
        if not 0 < minutes < math.inf:
            raise OptionError(
                Problem(f"时限必须大于 0 分钟（给出 {minutes}）。", f"The limit must be more than 0 minutes (given: {minutes}).")
            )
        if self.urban.minutes is None or self.rural.minutes is None:
            raise OptionError(
                Problem(
                    f"口径“{self.name_zh}”不是按分钟计的，不能改时限。", f"Definition {self.id!r} has no minutes that could be changed."
                )
            )
        limits = {name: limit.model_copy(update={"minutes": minutes}) for name, limit in self.limits.items()}
        names = {
            "name_zh": f"{self.name_zh}，时限改为 {minutes:g} 分钟",
            "name_en": f"{self.name_en}, limit changed to {minutes:g} minutes",
        }
        return self.model_copy(update=limits | names)

    def at_hour(self, hour: int) -> ServiceDefinition:
        """Build the same definition in the traffic of an hour of the day."""
        if hour not in range(24):
            raise OptionError(bad_hour(hour))
        if hour == self.hour:
            return self
        return self.model_copy(update={"hour": hour, "name_zh": f"{self.name_zh}，{hour} 时", "name_en": f"{self.name_en}, at {hour}:00"})


class Siting(Strict):
    """The default siting question of a service: first the fewest people beyond the backstop, then the most within the limits."""

    backstop_minutes: PositiveFloat
    source: str
    status: Status


class Service(Strict):
    """A service with one or more named definitions; the first is the default."""

    name_zh: str
    name_en: str
    definitions: Annotated[tuple[ServiceDefinition, ...], Field(min_length=1)]
    siting: Siting | None = None

    @model_validator(mode="after")
    def _ids_differ(self) -> Service:
        ids = [definition.id for definition in self.definitions]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            named = first_few(twice)
            raise InputError(Problem(f"口径 id 重复：{named}。", f"Definition ids occur twice: {named}."))
        return self

    def definition(self, definition_id: str | None) -> ServiceDefinition:
        """Find a definition by id; the default if None."""
        if definition_id is None:
            return self.definitions[0]
        by_id = {definition.id: definition for definition in self.definitions}
        if definition_id not in by_id:
            known = ", ".join(by_id)
            raise OptionError(
                Problem(
                    f"{self.name_zh}没有口径“{definition_id}”；可选：{known}。", f"No definition {definition_id!r}; there are: {known}."
                )
            )
        return by_id[definition_id]


class Kind(Strict):
    """A kind of facility, by its name in both languages."""

    zh: str
    en: str


class Services(Strict):
    """All services and the kinds of facility that they speak of."""

    kinds: dict[str, Kind] = Field(default_factory=dict)
    services: dict[str, Service] = Field(default_factory=dict)

    def service(self, service_id: str) -> Service:
        """Find a service by id."""
        if service_id not in self.services:
            known = ", ".join(self.services)
            raise OptionError(Problem(f"没有服务“{service_id}”；可选：{known}。", f"No service {service_id!r}; there are: {known}."))
        return self.services[service_id]


WayId = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
RoadName = Annotated[str, Field(min_length=1)]


class ModeSpeeds(Strict):
    """Speeds of one mode: by class of road, by what was measured, and by hour of the day.

    A speed measured on a way holds before one measured on a road of its name, that before a tagged maxspeed, that before the speed of the
    class. Factors of an hour apply to class and tagged speeds, never to measured ones nor to the leg between a point and the road.

    Attributes
    ----------
    kmh : float
        In km/h, on a road whose class is not listed.
    access_kmh, access_detour : float
        Speed on the leg between a point and the road, and the factor on its straight length.
    classes : dict of float
        In km/h by class of road.
    factors : tuple of SpeedFactor
        Each from 0.1 to 2; one that names a class holds for it before one that names none.
    ways, names : dict of dict
        Measured, 1 to 150 km/h, by OSM way id (or link id), and by name of the road: at an hour ("7-9"), and otherwise ("free").
    """

    kmh: PositiveFloat
    access_kmh: PositiveFloat
    access_detour: Annotated[float, Field(ge=1)]
    classes: dict[str, PositiveFloat] = Field(default_factory=dict)
    factors: tuple[SpeedFactor, ...] = ()
    ways: dict[WayId, Measured] = Field(default_factory=dict)
    names: dict[RoadName, Measured] = Field(default_factory=dict)
    source: str
    status: Status

    @model_validator(mode="after")
    def _one_factor_an_hour(self) -> ModeSpeeds:
        pairs = [f"{a.text} / {b.text}" for a, b in itertools.combinations(self.factors, 2) if a.contradicts(b)]
        if pairs:
            named = first_few(pairs)
            raise InputError(
                Problem(
                    f"factors 中同一钟点、同一道路等级有两个系数：{named}。请把钟点或等级分开。",
                    f"Two factors for the same hour and class of road: {named}. Keep their hours or classes apart.",
                )
            )
        return self

    @property
    def hours(self) -> tuple[int, ...]:
        """The hours of the day of whose traffic something is known."""
        spans = [text for measured in (*self.ways.values(), *self.names.values()) for text in measured if text != FREE]
        known = [factor.hours for factor in self.factors] + [hours_of(text) for text in dict.fromkeys(spans)]
        return tuple(sorted(frozenset().union(*known)))

    def factor(self, road_class: str, hour: int | None) -> float:
        """Factor on the speed of a class of road at an hour; 1 if no hour is asked for, and where none is given."""
        holding = [one for one in self.factors if hour in one.hours]
        named = (one.factor for one in holding if road_class in one.classes)
        return next(named, next((one.factor for one in holding if not one.classes), 1.0))


class Speeds(Strict):
    """Speeds of the three modes."""

    walk: ModeSpeeds
    bike: ModeSpeeds
    drive: ModeSpeeds

    def of(self, mode: Mode) -> ModeSpeeds:
        """Look up the speeds of a mode."""
        return {"walk": self.walk, "bike": self.bike, "drive": self.drive}[mode]


@cache
def default_speeds() -> Speeds:
    """Read the speeds that circle15 ships."""
    return read_toml(DEFAULTS / "speeds.toml", Speeds)


@cache
def default_services() -> Services:
    """Read the services that circle15 ships."""
    return read_toml(DEFAULTS / "services.toml", Services)


def read_speeds(path: Path | None) -> Speeds:
    """Read the default speeds, the modes of a bureau's own file in place of the same modes; a mode without `kmh` adds to the default."""
    return default_speeds() if path is None else default_speeds().model_copy(update=dict(read_toml(path, _SomeSpeeds).given()))


def read_services(path: Path | None) -> Services:
    """Read the default services and kinds, those of a bureau's own file in place of the ones of the same name.

    Raises
    ------
    InputError
        The file does not fit, or a definition names a kind that is not listed.
    """
    own = Services() if path is None else read_toml(path, Services)
    base = default_services()
    merged = Services(kinds=base.kinds | own.kinds, services=base.services | own.services)
    unknown = [
        Problem(
            f"{path.name if path else 'services.toml'}：{service_id}.{definition.id}：未列出的机构类别 {kind}。",
            f"{path.name if path else 'services.toml'}: {service_id}.{definition.id}: kind {kind!r} is not listed under [kinds].",
        )
        for service_id, service in merged.services.items()
        for definition in service.definitions
        for kind in definition.kinds
        if kind not in merged.kinds
    ]
    if unknown:
        raise InputError(*unknown)
    return merged


class _SomeSpeeds(Strict):
    """A bureau's own speeds: any of the three modes."""

    walk: ModeSpeeds | None = None
    bike: ModeSpeeds | None = None
    drive: ModeSpeeds | None = None

    @model_validator(mode="before")
    @classmethod
    def _rest_as_shipped(cls, data: Any) -> Any:  # noqa: ANN401 — whatever a TOML file holds
        return {mode: _with_shipped(mode, block) for mode, block in data.items()} if isinstance(data, dict) else data

    def given(self) -> dict[str, ModeSpeeds]:
        return {mode: speeds for mode, speeds in (("walk", self.walk), ("bike", self.bike), ("drive", self.drive)) if speeds}


def _with_shipped(mode: str, block: Any) -> Any:  # noqa: ANN401 — whatever a TOML file holds
    """A block without `kmh` adds to the shipped speeds of its mode; its source stands before theirs."""
    if mode not in MODES or not isinstance(block, dict) or "kmh" in block:
        return block
    shipped = default_speeds().of(mode).model_dump()
    merged = shipped | block
    if isinstance(merged["classes"], dict):
        merged["classes"] = shipped["classes"] | merged["classes"]
    if "source" not in block:
        del merged["source"]  # what is added needs one of its own
    elif isinstance(block["source"], str):
        merged["source"] = f"{block['source']}；其余 the rest: {shipped['source']}"
    return merged
