"""Capacity-limited service: who is served, who is in reach of a place without room, who is out of reach; where more room helps most.

Everybody may be served within the definition's limits only, at a facility with room: its capacity (beds, m², staff …) × people per unit.
What is told is the most that any way of sharing people out can reach, and of those ways one of least total time (``allocate``):
a bound on what the facilities could do, not a forecast of who will go where.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from coverage.serving import MM_PER_M, MS_PER_MINUTE, Measure
from coverage.studies.allocate import Allocation, allocate, gains, most_served
from coverage.studies.pairs import counted_by_id, inside_by_id, pairs_within, whole_people
from coverage.tables import groups, place_columns
from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.model import RESOURCES, Demand, Facilities, Region, Zones
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition

Unstated = Literal["none", "unlimited"]
UNSTATED: Final[tuple[Unstated, ...]] = get_args(Unstated)
CAPACITY: Final = "capacity"
UNITS: Final = (CAPACITY, *RESOURCES)
UNLIMITED: Final = np.iinfo(np.int64).max
ROUNDING: Final = 1e-9  # 3 beds for 100 people each are room for 300
PARTS: Final = ("served", "over_capacity", "out_of_reach")
WITHOUT_EXTERNAL: Final = "_without_external"


def check_unit(unit: str) -> None:
    """Refuse what room cannot be counted in.

    Raises
    ------
    OptionError
        It is neither "capacity" nor one of ``RESOURCES``.
    """
    if unit not in UNITS:
        known = ", ".join(UNITS)
        raise OptionError(Problem(f"没有单位“{unit}”；可选：{known}。", f"No unit {unit!r}; there are: {known}."))


@dataclass(frozen=True)
class Terms:
    """What room is reckoned from.

    Attributes
    ----------
    unit : str
        "capacity" (the kind's own: beds, m², lanes) or one of ``RESOURCES``.
    people_per_unit : float
        How many people one unit is for.
    unstated : "none", "unlimited" or None
        What a facility counts for that does not state it; None if there must be none.

    Raises
    ------
    OptionError
        The unit is unknown, or the people are not a number above 0.
    """

    unit: str
    people_per_unit: float
    unstated: Unstated | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be reckoned with."""
        check_unit(self.unit)
        if not 0 < self.people_per_unit < math.inf:
            zh, en = "每单位服务的人数须大于 0", "The people that one unit is for must be above 0"
            raise OptionError(Problem(f"{zh}（给出 {self.people_per_unit}）。", f"{en} (given: {self.people_per_unit})."))

    def amount(self, facilities: Facilities) -> Floats:
        """Units of each facility; nan where not stated."""
        return facilities.capacity if self.unit == CAPACITY else facilities.resources[:, RESOURCES.index(self.unit)]

    def room(self, units: Floats) -> Ints:
        """Whole people for whom so many units are room; where the units are not stated, what the terms say."""
        stated = np.nan_to_num(units) * self.people_per_unit * (1 + ROUNDING)
        return np.where(np.isnan(units) & (self.unstated == "unlimited"), UNLIMITED, np.floor(stated).astype(np.int64))


@dataclass(frozen=True, eq=False)
class CapacityResult:
    """Who is served where capacity is limited.

    Attributes
    ----------
    definition : ServiceDefinition
    terms : Terms
    measure : "minutes", "network_m" or "straight_m"
        What the least total of is sought among the plans that serve most.
    by_zone : DataFrame
        A row a township, then all urban, all rural, and all: row, zone_id, zone, people; served, over_capacity, out_of_reach (people, the
        three add up exactly), share_served, and the same ``_without_external``.
    places : DataFrame
        A row a demand point inside, in the order of ids: id, name, zone_id, zone, class, people, the three parts, and the three
        ``_without_external``.
    facilities : DataFrame
        A row a facility that may be shown, first those that state the unit, of them those where more room helps most: id, name, kind,
        external, units (nan: not stated), room (people; nan: unlimited), load, share_used, in_reach (people within its limits; they
        overlap), gain_one_unit (people served more by one more unit here), units_that_help, gain_most (people served more by all of
        those), load_without_external.
    load_not_shown : int
        People served at restricted facilities.
    served_low, served_high : int
        Least and most people served in all, over the plausible ways to spread the people.
    mean_cost : float
        Mean minutes or metres of those served; nan if nobody is.
    unstated : int
        Facilities that do not state the unit.
    """

    definition: ServiceDefinition
    terms: Terms
    measure: Measure
    by_zone: pd.DataFrame
    places: pd.DataFrame
    facilities: pd.DataFrame
    load_not_shown: int
    served_low: int
    served_high: int
    mean_cost: float
    unstated: int


def capacity(region: Region, definition: ServiceDefinition, network: Network, terms: Terms) -> CapacityResult:
    """Compute who is served within the limits by facilities with room, by township, and where more room would serve most.

    Only people inside the county are shared out: those outside need no room here, so that facilities near the border, and still more
    those beyond it, are less full than they are.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
    network : Network
        Of the definition's mode and hour.
    terms : Terms

    Returns
    -------
    CapacityResult

    Raises
    ------
    InputError
        Facilities do not state the unit, and the terms do not say what they count for.
    """
    demand, facilities = inside_by_id(region.demand), counted_by_id(region, definition)
    units = terms.amount(facilities)
    _check_stated(facilities, units, terms)
    people, room = whole_people(demand.people, demand.zone), terms.room(units)
    pairs = pairs_within(definition, network, demand, facilities)
    plan = allocate(people, room, pairs)
    alone = allocate(people, room, pairs.take(~facilities.external[pairs.facility])) if facilities.external.any() else plan
    spreads = [most_served(whole_people(some, demand.zone), room, pairs) for some in demand.spreads]
    served, per_shown = int(plan.flow.sum()), MS_PER_MINUTE if pairs.measure == "minutes" else MM_PER_M
    return CapacityResult(
        definition=definition,
        terms=terms,
        measure=pairs.measure,
        by_zone=_by_zone(region.zones, demand, plan, alone),
        places=_places(region.zones, demand, plan, alone),
        facilities=_facility_table(facilities, units, terms, plan, alone),
        load_not_shown=int(plan.load[facilities.restricted].sum()),
        served_low=min(spreads),
        served_high=max(spreads),
        mean_cost=plan.cost / served / per_shown if served else math.nan,
        unstated=int(np.isnan(units).sum()),
    )


def _check_stated(facilities: Facilities, units: Floats, terms: Terms) -> None:
    """Refuse facilities that do not state the unit, unless it is said what they count for: neither answer is harmless."""
    silent = np.flatnonzero(np.isnan(units))
    if terms.unstated is not None or len(silent) == 0:
        return
    kinds = sorted({facilities.kind[at] for at in silent})
    counts = ", ".join(f"{kind} {sum(facilities.kind[at] == kind for at in silent)}" for kind in kinds)
    named = first_few("不列名 not shown" if facilities.restricted[at] else facilities.name[at] for at in silent)
    raise InputError(
        Problem(
            f"{len(silent)}/{len(facilities)} 个机构没有 {terms.unit}（{counts}）：{named}。请补上，或说明它们怎样计："
            "--unstated none（没有能力，稳妥）或 --unstated unlimited（不受限）。",
            f"{len(silent)} of {len(facilities)} facilities do not state {terms.unit} ({counts}): {named}. Fill it in, or say what they "
            "count for: --unstated none (no room: the cautious way) or --unstated unlimited.",
        )
    )


def _parts(plan: Allocation) -> dict[str, Ints]:
    """People of each point by what becomes of them; the three add up to its people."""
    return {part: getattr(plan, part) for part in PARTS}


def _by_zone(zones: Zones, demand: Demand, plan: Allocation, alone: Allocation) -> pd.DataFrame:
    labels = ("row", "zone_id", "zone")
    rows = groups(zones, demand.zone, demand.urban)
    return pd.DataFrame([dict(zip(labels, said, strict=True)) | _counts(plan, alone, which) for *said, which in rows])


def _counts(plan: Allocation, alone: Allocation, which: Bools) -> dict[str, float]:
    """Sums over the demand points `which`."""
    people = int(plan.people[which].sum())
    counts: dict[str, float] = {"people": people}
    for suffix, one in (("", plan), (WITHOUT_EXTERNAL, alone)):
        sums = {part + suffix: int(amount[which].sum()) for part, amount in _parts(one).items()}
        counts |= sums | {"share_served" + suffix: sums["served" + suffix] / people if people else math.nan}
    return counts


def _places(zones: Zones, demand: Demand, plan: Allocation, alone: Allocation) -> pd.DataFrame:
    columns = place_columns(zones, demand, np.arange(len(demand))) | {"people": plan.people}
    without = {part + WITHOUT_EXTERNAL: amount for part, amount in _parts(alone).items()}
    return pd.DataFrame({**columns, **_parts(plan), **without})


def _facility_table(facilities: Facilities, units: Floats, terms: Terms, plan: Allocation, alone: Allocation) -> pd.DataFrame:
    room, gain, pairs = terms.room(units), gains(plan), plan.pairs
    in_reach = np.bincount(pairs.facility, plan.people[pairs.point], minlength=pairs.facilities).astype(np.int64)
    one_more = terms.room(np.nan_to_num(units) + 1) - np.where(room == UNLIMITED, 0, room)
    limited = np.where(room == UNLIMITED, np.nan, room.astype(np.float64))
    table = pd.DataFrame(
        {
            "id": facilities.id,
            "name": facilities.name,
            "kind": facilities.kind,
            "external": facilities.external,
            "units": units,
            "room": limited,
            "load": plan.load,
            "share_used": np.divide(plan.load, limited, out=np.full(len(room), np.nan), where=limited > 0),
            "in_reach": in_reach,
            "gain_one_unit": np.minimum(one_more, gain),
            "units_that_help": _units_for(gain, units, terms),
            "gain_most": gain,
            "load_without_external": alone.load,
        }
    )
    one_unit = np.minimum(gain, terms.people_per_unit)  # not whole people: 122 or 121 is rounding
    order = np.lexsort((-gain, -one_unit, np.isnan(units)))
    return table.iloc[order[~facilities.restricted[order]]].reset_index(drop=True)


def _units_for(gain: Ints, units: Floats, terms: Terms) -> Ints:
    """Fewest whole units more that are room for so many people more."""
    there = np.nan_to_num(units)
    more = np.maximum(0, np.ceil(gain / terms.people_per_unit).astype(np.int64) - 1)
    while (lacks := terms.room(there + more) - terms.room(there) < gain).any():  # at most twice: room is whole people
        more += lacks
    return more
