"""Floating catchment accessibility: how much supply there is for each settlement, where people compete for it (E2SFCA).

SOURCE: Luo & Qi 2009, doi:10.1016/j.healthplace.2009.06.002 (enhanced: weights by steps of time); Luo & Wang 2003, doi:10.1068/b29120
(the two steps; one step of weight 1 gives their method); Wan, Zhan, Zou & Chow 2012, doi:10.1016/j.apgeog.2011.05.001 (spatial access
ratio). Times are one-way, in the direction of the definition: a way there says nothing of the way back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from coverage.gaps import gap_table
from coverage.search import start_delay_ms
from coverage.serving import MS_PER_MINUTE
from coverage.snap import WaysOn, snap_demand, snap_facilities
from coverage.stats import counted
from coverage.tables import groups, place_columns
from coverage.travel_times import times_between
from geodata.errors import InputError, OptionError, Problem
from geodata.model import RESOURCES, Demand, Facilities, Region
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints
from geodata.standards import Limit, ServiceDefinition

SUPPLIES = ("capacity", *RESOURCES)
LUO_QI = (1.0, 0.68, 0.22)  # weights of 0-10, 10-20, 20-30 minutes in Luo & Qi 2009
PER = 1_000  # people


@dataclass(frozen=True)
class Step:
    """Up to so many minutes, inclusive, a facility and a settlement weigh so much to each other."""

    minutes: float
    weight: float


@dataclass(frozen=True, eq=False)
class AccessResult:
    """Accessibility of every settlement under one definition.

    Attributes
    ----------
    definition : ServiceDefinition
    supply : str
        What is shared among the people: one of :data:`SUPPLIES`.
    steps : tuple of Step
    settlements : DataFrame
        A row a demand point inside: id, name, zone_id, zone, class, people, facilities (in reach, with supply), per_1000 (supply for 1,000
        people), ratio (per_1000 over the county's mean: the spatial access ratio), per_1000_low and per_1000_high (over
        ``demand.spreads``), and these four again ``_without_external``.
    by_zone : DataFrame
        A row a township, then urban, rural, total: row, zone_id, zone, people, the same figures as means over the people of the row, then
        people_none, share_none (without any supply in reach), and these two again ``_without_external``. nan where nobody lives.
    by_facility : DataFrame
        A row a facility that may be shown: id, name, kind, external, supply (nan: not stated), people (in reach), weighted_people,
        per_1000 (supply for 1,000 weighted people, the ratio of the first step; nan where nobody is in reach).
    gaps : DataFrame
        Settlements without any supply in reach, and why: see :func:`coverage.gaps.gap_table`; the nearest is the nearest with supply.
    supply_total, supply_in_reach : float
        Of all facilities counted, restricted ones included; of those that reach anybody. The latter is what the people share:
        the sum over all demand points of people times access.
    unstated : tuple of str
        Names of facilities, as far as they may be shown, whose supply is not stated; they count as none.
    unstated_not_shown : int
        Restricted facilities whose supply is not stated; they count as none as well.
    people_outside : float
        People outside every township who compete for the supply, and are in no table.
    """

    definition: ServiceDefinition
    supply: str
    steps: tuple[Step, ...]
    settlements: pd.DataFrame
    by_zone: pd.DataFrame
    by_facility: pd.DataFrame
    gaps: pd.DataFrame
    supply_total: float
    supply_in_reach: float
    unstated: tuple[str, ...]
    unstated_not_shown: int
    people_outside: float


@dataclass(frozen=True, eq=False)
class Pairs:
    """Demand points and facilities within the last step of each other, one row a pair, with its weight."""

    point: Ints
    facility: Ints
    weight: Floats

    def take(self, which: Bools) -> Pairs:
        """Only these pairs."""
        return Pairs(self.point[which], self.facility[which], self.weight[which])


def two_steps(pairs: Pairs, supply: Floats, people: Floats) -> tuple[Floats, Floats]:
    """Share the supply of each facility among the weighted people in its reach, and add up what each point gets.

    Step 1: R_j = S_j / Σ_k W_kj P_k. Step 2: A_i = Σ_j W_ij R_j. Hence Σ_i P_i A_i = Σ S_j over the facilities that reach anybody.

    Parameters
    ----------
    pairs : Pairs
    supply : (facilities,) float64
    people : (points,) float64

    Returns
    -------
    (facilities,) float64
        R, supply per weighted person; 0 where nobody is in reach.
    (points,) float64
        A, supply per person.
    """
    weighted = np.bincount(pairs.facility, pairs.weight * people[pairs.point], minlength=len(supply))
    ratio = np.divide(supply, weighted, out=np.zeros(len(supply)), where=weighted > 0)
    return ratio, np.bincount(pairs.point, pairs.weight * ratio[pairs.facility], minlength=len(people)).astype(np.float64)


def default_steps(definition: ServiceDefinition) -> tuple[Step, ...]:
    """Thirds of the definition's (longer) limit with the weights of Luo & Qi: at 30 minutes their own steps.

    >>> from geodata.standards import default_services
    >>> [(step.minutes, step.weight) for step in default_steps(default_services().service("medical").definition("walk"))]
    [(5.0, 1.0), (10.0, 0.68), (15.0, 0.22)]
    """
    longest = max(limit.minutes or 0 for limit in definition.limits.values())
    return tuple(Step(longest * third / len(LUO_QI), weight) for third, weight in enumerate(LUO_QI, 1))


def floating_access(
    region: Region, definition: ServiceDefinition, network: Network, *, supply: str, steps: Sequence[Step] | None = None
) -> AccessResult:
    """Compute how much supply there is for the people of every settlement, shared with all who reach the same facilities.

    All demand points compete, those outside the county too; tables count those inside. Of the definition the kinds, the mode, the
    direction and the delays hold; the steps stand in place of its limits.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
    network : Network
        Of the definition's mode and hour.
    supply : str
        One of :data:`SUPPLIES`.
    steps : sequence of Step, optional
        Ascending minutes with weights that do not rise; :func:`default_steps` unless given.

    Raises
    ------
    OptionError
        The supply is unknown, the steps do not fit, or the definition has no minutes.
    InputError
        No facility of the kinds states such a supply.
    """
    _check(definition, supply)
    steps = tuple(steps) if steps is not None else default_steps(definition)
    _check_steps(steps)
    facilities = counted(region, definition)
    stated = _supply(facilities, supply)
    if not np.nansum(stated) > 0:
        raise _no_supply(definition, supply)
    demand, sums = region.demand, np.nan_to_num(stated)
    homes, gates = snap_demand(network, demand), snap_facilities(network, facilities)
    pairs = _pairs(definition, network, facilities, steps, homes=homes, gates=gates)
    ratio = two_steps(pairs, sums, demand.people)[0]
    useful = pairs.take(sums[pairs.facility] > 0)
    able = np.flatnonzero(sums > 0)
    figures = {
        "": _figures(pairs, sums, demand),
        "_without_external": _figures(pairs, np.where(facilities.external, 0.0, sums), demand),
    }
    return AccessResult(
        definition=definition,
        supply=supply,
        steps=steps,
        settlements=_settlements(region, figures, np.bincount(useful.point, minlength=len(demand))),
        by_zone=_by_zone(region, figures),
        by_facility=_by_facility(facilities, stated, ratio, pairs, demand.people),
        gaps=gap_table(
            region,
            _to_last(definition, steps),
            network,
            facilities.take(able),
            covered=figures[""].some,
            demand_ways=homes,
            facility_ways=gates.take(able),
        ),
        supply_total=math.fsum(sums),
        supply_in_reach=math.fsum(sums[ratio > 0]),
        unstated=tuple(facilities.name[at] for at in np.flatnonzero(np.isnan(stated) & ~facilities.restricted)),
        unstated_not_shown=int((np.isnan(stated) & facilities.restricted).sum()),
        people_outside=math.fsum(demand.people[~demand.inside]),
    )


def _supply(facilities: Facilities, supply: str) -> Floats:
    return facilities.capacity if supply == "capacity" else facilities.resources[:, RESOURCES.index(supply)]


def _pairs(
    definition: ServiceDefinition, network: Network, facilities: Facilities, steps: Sequence[Step], *, homes: WaysOn, gates: WaysOn
) -> Pairs:
    """Weigh every facility and demand point within the last step of each other by one-way time, delays included."""
    step_ms = np.rint([step.minutes * MS_PER_MINUTE for step in steps])
    delay_ms = start_delay_ms(definition, facilities)
    times = times_between(network, gates, homes, direction=definition.direction, limit=float(step_ms[-1]), delay_ms=delay_ms)
    weights = np.array([step.weight for step in steps])
    return Pairs(times.demand, times.facility, weights[np.searchsorted(step_ms, times.cost)])


@dataclass(frozen=True, eq=False)
class _Figures:
    """Supply per 1,000 people under each spread, (spreads, points), and whether any is in reach, (points,)."""

    per_1000: Floats
    some: Bools


def _figures(pairs: Pairs, supply: Floats, demand: Demand) -> _Figures:
    useful = pairs.point[supply[pairs.facility] > 0]
    per_1000 = np.array([two_steps(pairs, supply, people)[1] * PER for people in demand.spreads])
    return _Figures(per_1000, np.bincount(useful, minlength=len(demand)) > 0)


def _settlements(region: Region, figures: dict[str, _Figures], facilities: Ints) -> pd.DataFrame:
    demand = region.demand
    at = np.flatnonzero(demand.inside)
    columns: dict[str, Any] = {
        **place_columns(region.zones, demand, at),
        "facilities": facilities[at],
    }
    for suffix, one in figures.items():
        columns |= {
            f"per_1000{suffix}": one.per_1000[0, at],
            f"ratio{suffix}": one.per_1000[0, at] / (_mean(one.per_1000[0], demand.people, demand.inside) or math.nan),
            f"per_1000_low{suffix}": one.per_1000.min(axis=0)[at],
            f"per_1000_high{suffix}": one.per_1000.max(axis=0)[at],
        }
    return pd.DataFrame(columns)


def _by_zone(region: Region, figures: dict[str, _Figures]) -> pd.DataFrame:
    demand = region.demand
    said = []
    for row, zone_id, zone, which in groups(region.zones, demand.zone, demand.urban):
        people = math.fsum(demand.people[which])
        labels = {"row": row, "zone_id": zone_id, "zone": zone, "people": people}
        means = [_means(demand, one, which, suffix) for suffix, one in figures.items()]
        lost = {f"people_none{suffix}": math.fsum(demand.people[which & ~one.some]) for suffix, one in figures.items()}
        shares = {name.replace("people", "share"): none / (people or math.nan) for name, none in lost.items()}
        said.append(labels | means[0] | means[1] | lost | shares)
    return pd.DataFrame(said)


def _means(demand: Demand, figures: _Figures, which: Bools, suffix: str) -> dict[str, float]:
    """Means over the people of a row, central, low and high, and the ratio to the county's."""
    central, *others = (_mean(values, people, which) for values, people in zip(figures.per_1000, demand.spreads, strict=True))
    known = [value for value in (central, *others) if not math.isnan(value)] or [math.nan]
    county = _mean(figures.per_1000[0], demand.people, demand.inside)
    return {
        f"per_1000{suffix}": central,
        f"ratio{suffix}": central / (county or math.nan),
        f"per_1000_low{suffix}": min(known),
        f"per_1000_high{suffix}": max(known),
    }


def _mean(values: Floats, people: Floats, which: Bools) -> float:
    """Mean over the people of some points; nan where nobody lives."""
    total = math.fsum(people[which])
    return math.fsum(values[which] * people[which]) / total if total else math.nan


def _by_facility(facilities: Facilities, stated: Floats, ratio: Floats, pairs: Pairs, people: Floats) -> pd.DataFrame:
    weighted = np.bincount(pairs.facility, pairs.weight * people[pairs.point], minlength=len(facilities))
    columns = {
        "id": facilities.id,
        "name": facilities.name,
        "kind": facilities.kind,
        "external": facilities.external,
        "supply": stated,
        "people": np.bincount(pairs.facility, people[pairs.point], minlength=len(facilities)),
        "weighted_people": weighted,
        "per_1000": np.where(np.isnan(stated) | (weighted == 0), math.nan, ratio * PER),
    }
    return pd.DataFrame(columns)[~facilities.restricted].reset_index(drop=True)


def _to_last(definition: ServiceDefinition, steps: Sequence[Step]) -> ServiceDefinition:
    """The definition with the last step for its limit."""
    limit = Limit(minutes=steps[-1].minutes)
    return definition.model_copy(update={"urban": limit, "rural": limit})


def _check(definition: ServiceDefinition, supply: str) -> None:
    problems = []
    if supply not in SUPPLIES:
        known = ", ".join(SUPPLIES)
        problems.append(Problem(f"没有“{supply}”这一项资源；可选：{known}。", f"No supply {supply!r}; there are: {known}."))
    if any(limit.minutes is None for limit in definition.limits.values()):
        zh = f"口径“{definition.name_zh}”不是按分钟计的，不能计算可达性：请换一个按分钟计的口径。"
        en = f"Definition {definition.id!r} has no minutes to take steps of: choose one that counts minutes."
        problems.append(Problem(zh, en))
    if problems:
        raise OptionError(*problems)


def _check_steps(steps: Sequence[Step]) -> None:
    minutes, weights = ([getattr(step, name) for step in steps] for name in ("minutes", "weight"))
    rising = bool(minutes) and minutes[0] > 0 and all(a < b for a, b in pairwise(minutes))
    falling = bool(weights) and weights[-1] > 0 and all(a >= b for a, b in pairwise(weights))
    if not (rising and falling and all(map(math.isfinite, (*minutes, *weights)))):
        said = ",".join(f"{step.minutes:g}:{step.weight:g}" for step in steps)
        zh = f"分段须按分钟递增、权重大于 0 且不递增，如 5:1,10:0.68,15:0.22（给出 {said}）。"
        en = f"Steps need ascending minutes and weights above 0 that do not rise, such as 5:1,10:0.68,15:0.22 (given: {said})."
        raise OptionError(Problem(zh, en))


def _no_supply(definition: ServiceDefinition, supply: str) -> InputError:
    zh = f"口径“{definition.name_zh}”的机构都没有给出 {supply}（或均为 0）：请在机构表中补上这一列，或换一项资源。"
    en = f"No facility of definition {definition.id!r} states {supply} above 0: add the column to its table, or choose another supply."
    return InputError(Problem(zh, en))
