"""What a study is asked on the page: which studies there are, which fit a definition, and the few terms that each cannot do without."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from geodata.errors import Problem
from geodata.model import RESOURCES
from geodata.region import Prepared
from geodata.standards import ServiceDefinition, default_services
from scenarios.model import Scenario

Study = Literal["equity", "access", "capacity", "sensitivity", "flood", "referral", "surge"]
CAPACITY: Final = "capacity"
SAMPLING: Final = "sampling_site"


@dataclass(frozen=True)
class Equity:
    """The time to the nearest facility needs no terms."""


@dataclass(frozen=True)
class Access:
    """What is shared among the people: "capacity" or one of ``geodata.model.RESOURCES``."""

    supply: str


@dataclass(frozen=True)
class Capacity:
    """What room is counted in, how many people one unit is for (None: by the norms), what facilities count for that do not state it."""

    unit: str
    per_unit: float | None = None
    unstated: Literal["none", "unlimited"] | None = None


@dataclass(frozen=True)
class Sensitivity:
    """The swings stand in ``scenarios.sensitivity``."""


@dataclass(frozen=True)
class Cuts:
    """Ways that are cut (OSM way ids as they are written), a flooded area, and whether each bridge is cut alone.

    Attributes
    ----------
    ways : str
    area_type : str
        How the name of the area's file ends, such as ".geojson"; "" without an area.
    area_sha256 : str
        Stands for the file when two questions are compared.
    area : bytes
    bridges : bool
    """

    ways: str = ""
    area_type: str = ""
    area_sha256: str = ""
    area: bytes = field(default=b"", repr=False, compare=False)
    bridges: bool = True


@dataclass(frozen=True)
class Chain:
    """Minutes on the scene (None: of the 120 log), and the limit of the whole chain in minutes (None: the usual)."""

    scene: float | None = None
    within: float | None = None


@dataclass(frozen=True)
class Surge:
    """People that a lane serves in an hour, hours the points are open, the share of people who come, lanes of points that state none."""

    rate: float | None
    hours: float | None
    share: float = 1.0
    lanes: int | None = None


Terms = Equity | Access | Capacity | Sensitivity | Cuts | Chain | Surge


@dataclass(frozen=True)
class Question:
    """What a study is asked of a region: the service and the definition in view, the scenario in view, the terms."""

    service_id: str
    definition: ServiceDefinition
    scenario: Scenario
    terms: Terms


def unfit(study: Study, definition: ServiceDefinition) -> Problem | None:
    """Say why a study has nothing to say of a definition, and which it is for; None if it fits."""
    timed = all(limit.minutes is not None for limit in definition.limits.values())
    if study == "referral" and not (timed and definition.mode == "drive" and definition.direction == "from_facility"):
        return Problem(
            "急救全程须从急救点出发：请在左上选“院前急救”的“急救反应”，或其他驾车、从站点到现场、按分钟计的口径。",
            "The chain starts at an ambulance point: choose “pre-hospital emergency care”, “response”, at the top left, or another "
            "definition by car, from the station, in minutes.",
        )
    if study == "access" and not timed:
        return Problem(
            "可达性按分钟分段递减：请在左上选一个按分钟计的口径。",
            "Accessibility declines by steps of minutes: choose a definition in minutes at the top left.",
        )
    if study == "surge" and set(definition.kinds) & (set(default_services().kinds) - {SAMPLING}):
        return Problem(
            "应急点按通道排队：请在左上选采样一类、机构规模为通道数的服务，如“15分钟采样圈”。",
            "People queue at lanes: choose a service whose capacity is lanes at the top left, such as the sampling circle.",
        )
    return None


def units_stated(prepared: Prepared, definition: ServiceDefinition) -> tuple[str, ...]:
    """Units that some facility of a definition states, of those that may be shown; all there are if none states any."""
    places, region = prepared.region.facilities, prepared.region
    counted = np.flatnonzero(places.of_kinds(definition.kinds) & places.open_on(region.date) & ~places.restricted)
    stated = {CAPACITY: places.capacity} | {name: places.resources[:, at] for at, name in enumerate(RESOURCES)}
    return tuple(name for name, amount in stated.items() if np.nansum(amount[counted]) > 0) or tuple(stated)


def as_the_command(prepared: Prepared, service_id: str, definition: ServiceDefinition, *, limits: bool = True) -> ServiceDefinition:
    """Build the definition in view as the options of a command do, so that both write the same bytes.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    definition : ServiceDefinition
        In view: of the service, perhaps with other minutes and an hour.
    limits : bool
        Whether other minutes play a part.
    """
    own = prepared.services.service(service_id).definition(definition.id)
    minutes = definition.urban.minutes
    if limits and minutes is not None and minutes != own.urban.minutes:
        own = own.with_minutes(minutes)
    return own if definition.hour is None else own.at_hour(definition.hour)
