"""Sites on a region: METHOD's default question for standby points (急救待命点), or any model, answered and set before and after.

The default is lexicographic: first the fewest people beyond the backstop (30 minutes), then the most people within the definition's
limits, with `sites` points in total: the points that exist are kept, forced ones are in, the rest are chosen among the facilities eligible
for the service. Points outside the county, and restricted ones, go on serving people; they are neither counted in the total nor named.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import shapely
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from coverage.gaps import gap_table
from coverage.snap import projected
from coverage.stats import zone_table
from geodata.errors import OptionError, Problem
from geodata.model import RESOURCES, Facilities, Region
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition
from scenarios.model import AnyChange, Close, Equip, Move, Open, Scenario
from scenarios.siting import models
from scenarios.siting.region.candidates import entrances_of
from scenarios.siting.region.choice import OF_VEHICLES, Choice
from scenarios.siting.region.question import RegionQuestion, ask
from scenarios.siting.region.weights import Weigh
from scenarios.siting.region.words import proof as proof  # noqa: PLC0414  pages and reports take it from here
from scenarios.siting.result import SitingResult, StageValue
from scenarios.siting.stop import Stop
from scenarios.siting.words import MODEL_WORDS, Words, contradiction

PLAN = "plan-"  # the ids of a plan's points in a scenario begin so
M_PER_KM = 1000


class Moved(NamedTuple):
    """An existing point (positions in the places of the question) whose place a chosen one takes, and how far off in a straight line."""

    stood: int
    stands: int
    km: float


@dataclass(frozen=True, eq=False)
class RegionPlan:
    """The chosen points, why they are the best, and what they change.

    Attributes
    ----------
    question : RegionQuestion
        What was asked, with the choice and all candidates.
    result : SitingResult
        People are counted as `weigh` says.
    chosen : (sites,) int64
        Positions of the chosen points in ``question.places``: those that exist first, then by id.
    sites : Facilities
        The chosen points.
    is_new : (sites,) bool
    vehicles : (sites,) int64
    moved : tuple of Moved
    closed : Facilities
        Existing points that are given up, and whose place no other takes.
    before, after : DataFrame
        ``coverage.stats.zone_table`` with the points that exist, and with the plan.
    before_backstop, after_backstop : DataFrame
        The same for the backstop.
    covered_after : (demand points,) bool
    lost_people : float
        Residents of the county who are within the limits today and no longer with the plan.
    out_of_reach : DataFrame
        ``coverage.gaps.gap_table``: who is within the limits of no place, chosen or not, and why.
    beyond_backstop : tuple of str
        Settlements inside the county that no place, chosen or not, could reach within the backstop; sorted by id.
    beyond_all_people : float
        Residents whom no place could reach within the backstop.
    people : (demand points,) float64
        Residents; 0 outside the county.
    """

    question: RegionQuestion
    result: SitingResult
    chosen: Ints
    sites: Facilities
    is_new: Bools
    vehicles: Ints
    moved: tuple[Moved, ...]
    closed: Facilities
    before: pd.DataFrame
    after: pd.DataFrame
    before_backstop: pd.DataFrame
    after_backstop: pd.DataFrame
    covered_after: Bools
    lost_people: float
    out_of_reach: pd.DataFrame
    beyond_backstop: tuple[str, ...]
    beyond_all_people: float
    people: Floats

    @property
    def choice(self) -> Choice:
        """The question as it was asked."""
        return self.question.choice

    @property
    def definition(self) -> ServiceDefinition:
        """The limits, in the traffic of the hour asked for."""
        return self.question.definition

    @property
    def backstop_minutes(self) -> float:
        """Of the wider limit."""
        return self.question.backstop.urban.minutes or math.nan

    @property
    def backstop(self) -> StageValue | None:
        """People within the backstop, and the bound that no plan can beat, where the model asks for it first."""
        return next((stage for stage in self.result.stages if stage.name == "backstop"), None)

    @property
    def weigh(self) -> Weigh:
        """What `result` counts; the tables count residents."""
        return self.choice.weigh

    @property
    def candidates(self) -> int:
        """How many places there were to choose from, beside the kept and forced ones."""
        return int(self.question.free.sum())

    @property
    def background(self) -> int:
        """How many points outside the county or restricted serve anyway: neither counted nor named."""
        return int(self.question.asked.sites.background.sum())

    @property
    def counts_vehicles(self) -> bool:
        """Whether the model asks how many vehicles stand at a point; else `vehicles` says nothing."""
        return self.choice.model in OF_VEHICLES

    @property
    def notes(self) -> tuple[Words, ...]:
        """What was left out of the candidates, and why; and which chosen ones will not last."""
        return self.question.notes + _ending(self.sites)


def site_standby(
    prepared: Prepared,
    service_id: str,
    *,
    sites: int,
    definition_id: str | None = None,
    fixed: Sequence[str] = (),
    time_limit_s: float | None = None,
    weigh: Weigh = "residents",
    hour: int | None = None,
) -> RegionPlan:
    """Choose standby points by the default question: :func:`site_region` in short.

    Examples
    --------
    >>> plan = site_standby(county, "emergency", sites=5)  # doctest: +SKIP
    """
    choice = Choice(sites=sites, fixed=tuple(fixed), weigh=weigh, hour=hour)
    return site_region(prepared, service_id, choice, definition_id=definition_id, stop=Stop.after(time_limit_s))


def site_region(
    prepared: Prepared, service_id: str, choice: Choice, *, definition_id: str | None = None, stop: Stop | None = None
) -> RegionPlan:
    """Choose the points of a service.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
        A service with a siting rule, such as ``emergency``.
    choice : Choice
    definition_id : str, optional
        The service's default if not given.
    stop : Stop, optional
        When to end the search; the best so far is kept.

    Raises
    ------
    OptionError
        No siting rule for the service, unknown ids, a number of points that cannot be had; or what is demanded contradicts itself: then an
        irreducible set of demands is named.
    InputError
        What is to be weighed or read from the 120 log is not there.
    """
    started_s = time.monotonic()
    question = ask(prepared, service_id, definition_id, choice)
    return plan_of(prepared, question, answer(question, stop or Stop(), started_s))


def answer(question: RegionQuestion, stop: Stop, started_s: float) -> SitingResult:
    """Solve a question asked of a region; `started_s` is the reading of ``time.monotonic`` when its asking began.

    Raises
    ------
    OptionError
        What is demanded contradicts itself: an irreducible set of demands is named.
    """
    choice = question.choice
    found = models.site(question.asked, choice.model, question.terms, stop=stop, equals=choice.equals)
    if found.status == "infeasible":
        raise OptionError(Problem(*contradiction(found)))
    return replace(found, seconds=time.monotonic() - started_s)


def plan_of(prepared: Prepared, question: RegionQuestion, result: SitingResult) -> RegionPlan:
    """Set a result before and after on the region it was asked of."""
    region, places, sites = prepared.region, question.places, question.asked.sites
    vehicles = dict(zip(result.sites, result.vehicles, strict=True))
    chosen = np.array(
        sorted((at for at, one in enumerate(places.id) if one in vehicles), key=lambda at: (not question.existing[at], places.id[at])),
        dtype=np.int64,
    )
    given_up = np.setdiff1d(np.flatnonzero(question.existing & sites.counted), chosen)
    moved = _moved(region, question, given_up, chosen)
    gone = np.setdiff1d(given_up, [one.stood for one in moved])
    lost = region.demand.inside & ~_any(question.within_backstop, np.arange(len(places)))
    demand_ways, place_ways = question.ways
    return RegionPlan(
        question=question,
        result=result,
        chosen=chosen,
        sites=places.take(chosen),
        is_new=~question.existing[chosen],
        vehicles=np.array([vehicles[places.id[at]] for at in chosen], dtype=np.int64),
        moved=moved,
        closed=places.take(gone),
        out_of_reach=gap_table(
            region,
            question.definition,
            prepared.network_of(question.definition),
            places,
            covered=_any(question.within, np.arange(len(places))),
            demand_ways=demand_ways,
            facility_ways=place_ways,
        ),
        beyond_backstop=tuple(sorted(region.demand.id[at] for at in np.flatnonzero(lost) if region.demand.settlement[at])),
        beyond_all_people=math.fsum(region.demand.people[lost]),
        people=np.where(region.demand.inside, region.demand.people, 0.0),
        **_before_and_after(prepared, question, chosen),
    )


def plan_scenario(prepared: Prepared, plan: RegionPlan, language: Literal["zh", "en"] = "zh") -> Scenario:
    """Turn a plan into a scenario that opens, moves and closes points, so that both give the same figures.

    A new point stands in the facility that hosts it, if there is one, and is of the last kind that the definition names. Where the model
    counts vehicles, every point of the scenario has those of the plan.
    """
    region, places = prepared.region, plan.question.places
    changes: list[AnyChange] = [Close(id=one) for one in plan.closed.id]
    comes = {one.stands for one in plan.moved if _moves_as_it_is(places, one)}
    for one in plan.moved:
        lon, lat = entrances_of(places)[one.stands].tolist()
        changes.append(Move(id=places.id[one.stood], lon=lon, lat=lat) if one.stands in comes else Close(id=places.id[one.stood]))
    for at, vehicles in zip(plan.chosen.tolist(), plan.vehicles.tolist(), strict=True):
        if plan.question.existing[at] or at in comes:
            changes += _equipped(plan, at, vehicles)
        else:
            changes.append(_opened(region, plan, at, vehicles))
    zh, en = MODEL_WORDS[plan.choice.model]
    name = f"{zh}，{len(plan.sites)} 个点" if language == "zh" else f"{en}, {len(plan.sites)} sites"
    return Scenario(name=name, region=region.name, region_fingerprint=region.fingerprint, changes=tuple(changes))


def _ending(sites: Facilities) -> tuple[Words, ...]:
    """Which chosen points stand in a facility of which the table says when it will be given up."""
    ends = [one for one in zip(sites.name, sites.id, sites.open_to, strict=True) if one[-1]]
    if not ends:
        return ()
    zh = "、".join(f"{name}（{one}）自 {day} 起停用" for name, one, day in ends)
    en = ", ".join(f"{name} ({one}) from {day} on" for name, one, day in ends)
    return ((f"入选的点所在机构将停用：{zh}（机构表）。", f"Chosen, and no longer there by the facility table: {en}."),)


def _opened(region: Region, plan: RegionPlan, at: int, vehicles: int) -> Open:
    """A new point, in the facility that hosts it or at its own place."""
    places = plan.question.places
    one, (lon, lat), turnout_s = places.id[at], entrances_of(places)[at].tolist(), float(places.turnout_s[at])
    hosted = one in region.facilities.id
    return Open(
        id=f"{PLAN}{one}",
        name=places.name[at],
        kind=plan.definition.kinds[-1],
        host=one if hosted else None,
        lon=None if hosted else lon,
        lat=None if hosted else lat,
        turnout_s=None if hosted or math.isnan(turnout_s) else turnout_s,
        vehicles=vehicles if plan.counts_vehicles else None,
    )


def _equipped(plan: RegionPlan, at: int, vehicles: int) -> list[Equip]:
    """A point that exists or has moved, where the model gives it other vehicles than its table."""
    places = plan.question.places
    stood = at if plan.question.existing[at] else next(one.stood for one in plan.moved if one.stands == at)
    is_other = bool(places.resources[stood, RESOURCES.index("vehicles")] != vehicles)  # not stated is another number too
    return [Equip(id=places.id[stood], vehicles=vehicles)] if plan.counts_vehicles and is_other else []


def _moves_as_it_is(places: Facilities, moved: Moved) -> bool:
    """Whether the point at its new place is what a move makes of it: one entrance, and its own turnout."""
    turnout_s = np.nan_to_num(places.turnout_s[[moved.stood, moved.stands]], nan=-1.0)
    return bool(turnout_s[0] == turnout_s[1] and np.diff(places.first_entrance)[moved.stands] == 1)


def _moved(region: Region, question: RegionQuestion, given_up: Ints, chosen: Ints) -> tuple[Moved, ...]:
    """Which chosen point takes the place of which one that is given up: all in all the shortest ways, as the crow flies."""
    sites = question.asked.sites
    stood = given_up[sites.movable[given_up]]
    if not len(stood):
        return ()
    may = csr_array(sites.replaces)[stood][:, chosen].toarray()
    at = projected(entrances_of(question.places), region.crs)
    km = shapely.distance(at[stood][:, None], at[chosen][None, :]) / M_PER_KM
    row, column = linear_sum_assignment(np.where(may, km, 1e6))  # more than any way on earth
    return tuple(Moved(int(stood[i]), int(chosen[j]), float(km[i, j])) for i, j in zip(row, column, strict=True))


def _before_and_after(prepared: Prepared, question: RegionQuestion, chosen: Ints) -> dict[str, Any]:
    """Build the tables of the plan: with the points that exist, and with the chosen ones and those that serve anyway."""
    region, external = prepared.region, question.places.external
    existing = np.flatnonzero(question.existing)
    after = np.concatenate([chosen, np.flatnonzero(question.asked.sites.background)])
    tables = {
        f"{when}{suffix}": zone_table(
            region.zones, region.demand, _any(covers, which), _any(covers, which[~external[which]]), question.definition.settlement_share
        )
        for covers, suffix in ((question.within_backstop, "_backstop"), (question.within, ""))
        for when, which in (("before", existing), ("after", after))
    }
    covered = _any(question.within, after)
    lost = region.demand.inside & _any(question.within, existing) & ~covered
    return tables | {"covered_after": covered, "lost_people": math.fsum(region.demand.people[lost])}


def _any(covers: csr_array, columns: Ints) -> Bools:
    return np.asarray(covers[:, columns].sum(axis=1) > 0)
