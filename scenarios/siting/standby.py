"""Standby points (急救待命点): METHOD's default question, answered exactly on a region.

First the fewest people beyond the backstop (30 minutes), then the most people within the definition's limits, with `sites` points in
total: the points that exist are kept, forced ones are in, the rest are chosen among the facilities eligible for the service.
Points outside the county, and restricted ones, go on serving people; they are neither counted in the total nor named.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from coverage.snap import snap_demand, snap_facilities
from coverage.stats import within_limits, zone_table
from geodata.errors import OptionError, Problem, first_few
from geodata.model import Facilities
from geodata.region import Prepared
from geodata.roads import Bools, Ints
from geodata.standards import Limit, ServiceDefinition
from scenarios.model import Open, Scenario
from scenarios.siting.cover import solve
from scenarios.siting.question import CoverStage
from scenarios.siting.result import SitingResult, StageValue
from scenarios.siting.weights import COUNTED, Weigh, weights

PLAN = "plan-"  # the ids of a plan's points in a scenario begin so


@dataclass(frozen=True, eq=False)
class StandbyPlan:
    """The chosen points, why they are the best, and what they change.

    Attributes
    ----------
    definition : ServiceDefinition
    backstop_minutes : float
    result : SitingResult
        Its objective is the people (or what else `weigh` says) within the limits; `unreachable` lists the settlements that no place could
        reach within the backstop.
    backstop : StageValue
        People within the backstop, and the bound that no plan can beat.
    sites : Facilities
        The chosen points, kept ones first, then by id.
    is_new : (sites,) bool
    candidates : int
        How many eligible places there were to choose from, beside the kept and forced ones.
    background : int
        Points outside the county or restricted: they serve, but are neither counted nor named.
    beyond_all_people : float
        People whom no place, chosen or not, could reach within the backstop.
    before, after : DataFrame
        ``coverage.stats.zone_table`` with the points that exist, and with the plan.
    before_backstop, after_backstop : DataFrame
        The same for the backstop.
    covered_after : (demand points,) bool
    weigh : "residents", "old" or "calls"
        What `result` and `backstop` count; the tables count residents.
    """

    definition: ServiceDefinition
    backstop_minutes: float
    result: SitingResult
    backstop: StageValue
    sites: Facilities
    is_new: Bools
    candidates: int
    background: int
    beyond_all_people: float
    before: pd.DataFrame
    after: pd.DataFrame
    before_backstop: pd.DataFrame
    after_backstop: pd.DataFrame
    covered_after: Bools
    weigh: Weigh


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
) -> StandbyPlan:
    """Choose the standby points of a service.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
        A service with a siting block, such as ``emergency``.
    sites : int
        The TOTAL number of points, kept and forced ones included.
    definition_id : str, optional
        The service's default if not given.
    fixed : sequence of str
        Ids of facilities that must be among the points.
    time_limit_s : float, optional
        Seconds for the solver; none unless given.
    weigh : "residents", "old" or "calls"
        What is counted at each settlement.
    hour : int, optional
        Hour of the day whose traffic holds; that of the definition unless given.

    Raises
    ------
    OptionError
        No siting question for the service, unknown or restricted fixed ids, more sites than there are places, fewer than are kept.
    """
    started = time.monotonic()
    region, (definition, backstop, minutes) = prepared.region, _definitions(prepared, service_id, definition_id, hour)
    asked = _ask(prepared, service_id, (backstop, definition), fixed)
    if sites > asked.kept == asked.choosable:
        zh = "没有可选的候选点：请在机构表的“可设急救点”列写“是”。"
        raise OptionError(Problem(zh, "There is no candidate to choose: write yes in the column emergency (可设急救点) of a facility."))
    people = weights(prepared, weigh)
    anyway = [_any(covers, np.arange(asked.choosable, len(asked.places))) for covers in asked.covers]
    stages = [
        CoverStage(name, covers[:, : asked.choosable], np.where(served, 0.0, people))
        for name, covers, served in zip(("backstop", "limits"), asked.covers, anyway, strict=True)
    ]
    ids = asked.places.id[: asked.choosable]
    plan = solve(stages, candidate_ids=ids, sites=sites, fixed=ids[: asked.kept], time_limit_s=time_limit_s)
    within_backstop, within = (
        StageValue(stage.name, stage.objective + math.fsum(people[served]), stage.bound + math.fsum(people[served]))
        for stage, served in zip(plan.stages, anyway, strict=True)
    )
    chosen = np.array([at for at, one in enumerate(ids) if one in plan.chosen], dtype=np.int64)
    lost = region.demand.inside & ~_any(asked.covers[0], np.arange(len(asked.places)))
    result = SitingResult(
        model="mclp, lexicographic",
        status=plan.status,
        objective=within.objective,
        bound=within.bound,
        sites=tuple(sorted(plan.chosen)),
        fixed=tuple(sorted(ids[: asked.kept])),
        served=within.objective,
        total=math.fsum(people),
        unreachable=tuple(sorted(region.demand.id[at] for at in np.flatnonzero(lost) if region.demand.settlement[at])),
        seconds=time.monotonic() - started,
    )
    return StandbyPlan(
        definition=definition,
        backstop_minutes=minutes,
        result=result,
        backstop=within_backstop,
        sites=asked.places.take(chosen),
        is_new=~asked.places.of_kinds(definition.kinds)[chosen],
        candidates=asked.choosable - asked.kept,
        background=len(asked.places) - asked.choosable,
        beyond_all_people=math.fsum(region.demand.people[lost]),
        weigh=weigh,
        **_before_and_after(prepared, definition, asked, chosen),
    )


def plan_scenario(prepared: Prepared, plan: StandbyPlan) -> Scenario:
    """Turn a plan into a scenario that opens its new points, each in the facility that hosts it, so that both give the same figures.

    A new point is of the last kind that the definition names.
    """
    kind, sites = plan.definition.kinds[-1], zip(plan.sites.id, plan.sites.name, plan.is_new, strict=True)
    points = tuple(Open(id=f"{PLAN}{one}", name=name, kind=kind, host=one) for one, name, new in sites if new)
    region = prepared.region
    return Scenario(region=region.name, region_fingerprint=region.fingerprint, changes=points)


class _Question(NamedTuple):
    """Kept and forced places first, then the free candidates, then those that serve without being counted; whom each covers.

    `covers` has one matrix of demand × places for the backstop and one for the limits.
    """

    places: Facilities
    kept: int
    choosable: int
    covers: tuple[csr_array, ...]


def _definitions(
    prepared: Prepared, service_id: str, definition_id: str | None, hour: int | None
) -> tuple[ServiceDefinition, ServiceDefinition, float]:
    """The definition asked for; the backstop, the same for every definition of a service but for the hour, and its minutes."""
    service = prepared.services.service(service_id)
    definition = service.definition(definition_id)
    definition = definition if hour is None else definition.at_hour(hour)
    if service.siting is None:
        able = ", ".join(name for name, one in prepared.services.services.items() if one.siting)
        zh = f"{service.name_zh}（{service_id}）没有选址规则，可选址的服务：{able}。"
        raise OptionError(Problem(zh, f"There is no siting rule for {service_id!r}, only for: {able}."))
    wide = Limit(minutes=service.siting.backstop_minutes)
    backstop = service.definition(None).model_copy(update={"urban": wide, "rural": wide, "hour": definition.hour})
    return definition, backstop, service.siting.backstop_minutes


def _ask(prepared: Prepared, service_id: str, definitions: tuple[ServiceDefinition, ServiceDefinition], fixed: Sequence[str]) -> _Question:
    facilities = prepared.region.facilities
    kept, background, free = _roles(facilities, facilities.open_on(prepared.region.date), definitions[1], service_id, fixed)
    places = facilities.take(np.concatenate([kept, free, background]))
    return _Question(places, len(kept), len(kept) + len(free), _covers(prepared, places, definitions))


def _before_and_after(prepared: Prepared, definition: ServiceDefinition, asked: _Question, chosen: Ints) -> dict[str, Any]:
    """Build the tables of the plan: with the points that exist, and with the chosen ones and those that serve anyway."""
    region, external = prepared.region, asked.places.external
    existing = np.flatnonzero(asked.places.of_kinds(definition.kinds))
    after = np.concatenate([chosen, np.arange(asked.choosable, len(asked.places))])
    tables = {
        f"{when}{suffix}": zone_table(
            region.zones, region.demand, _any(covers, which), _any(covers, which[~external[which]]), definition.settlement_share
        )
        for covers, suffix in zip(asked.covers, ("_backstop", ""), strict=True)
        for when, which in (("before", existing), ("after", after))
    }
    return tables | {"covered_after": _any(asked.covers[1], after)}


def _roles(
    facilities: Facilities, is_open: Bools, definition: ServiceDefinition, service_id: str, fixed: Sequence[str]
) -> tuple[Ints, Ints, Ints]:
    """Positions of the kept and forced points, of those that serve without being counted, and of the free candidates."""
    serves = facilities.of_kinds(definition.kinds) & is_open
    hidden = facilities.restricted | facilities.external
    known = {one: at for at, one in enumerate(facilities.id) if not facilities.restricted[at]}
    unknown = sorted(set(fixed) - set(known))
    closed = sorted(one for one in set(fixed) & set(known) if not is_open[known[one]])
    problems = []
    if unknown:
        problems.append(
            Problem(
                f"找不到指定的固定点：{first_few(unknown)}。请写机构编码（机构表的编码列）。",
                f"No such facility to keep: {first_few(unknown)}. Name them by id, as in the facility table.",
            )
        )
    if closed:
        problems.append(
            Problem(
                f"固定点在该日期未启用：{first_few(closed)}。",
                f"Facilities to keep are not open on the region's date: {first_few(closed)}.",
            )
        )
    if problems:
        raise OptionError(*problems)
    forced = np.zeros(len(facilities), dtype=bool)
    forced[[known[one] for one in fixed]] = True
    kept = serves & ~hidden | forced
    free = facilities.eligible(service_id) & is_open & ~hidden & ~kept
    background = serves & hidden & ~forced
    return tuple(np.flatnonzero(role) for role in (kept, background, free))  # type: ignore[return-value] # three of them


def _covers(prepared: Prepared, places: Facilities, definitions: Sequence[ServiceDefinition]) -> tuple[csr_array, ...]:
    """Whom each place serves under each definition; the ways on are found once a mode."""
    demand = prepared.region.demand
    ways = {}
    for mode, network in {one.mode: prepared.network_of(one) for one in definitions}.items():
        ways[mode] = {"demand_ways": snap_demand(network, demand), "facility_ways": snap_facilities(network, places)}
    return tuple(within_limits(one, prepared.network_of(one), demand, places, **ways[one.mode]) for one in definitions)


def _any(covers: csr_array, columns: Ints) -> Bools:
    return np.asarray(covers[:, columns].sum(axis=1) > 0)


def proof(plan: StandbyPlan) -> tuple[str, str]:
    """Say in Chinese and in English why no other points are better, or how far that is from proven."""
    result, new = plan.result, len(plan.result.sites) - len(plan.result.fixed)
    kept, total, minutes = int((~plan.is_new).sum()), len(result.sites), f"{plan.backstop_minutes:g}"
    forced = len(result.fixed) - kept
    choices = f"{math.comb(plan.candidates, new):,}"
    beyond, least = (f"{result.total - people:,.0f}" for people in (plan.backstop.objective, plan.backstop.bound))
    served, most = f"{result.served:,.0f}", f"{result.bound:,.0f}"
    unit, units = COUNTED[plan.weigh]
    zh = f"从 {plan.candidates} 个候选点中选 {new} 个新点（另保留 {kept} 个、指定 {forced} 个，共 {total} 个），共有 {choices} 种选法。"
    en = f"{new} new points out of {plan.candidates} candidates (with {kept} kept and {forced} forced, {total} in all): {choices} choices. "
    if plan.background:
        zh += f"另有 {plan.background} 个县外或不公开的站点照常服务，不计入总数。"
        en += f"Another {plan.background} outside the county or not public go on serving and are not counted in the total. "
    if result.status == "optimal":
        zh += (
            f"已证明：任何选法都至少有 {beyond} {unit}在 {minutes} 分钟之外，本方案正是 {beyond} {unit}；"
            f"在做到这一点的选法中，没有一种能让符合口径的超过 {served} {unit}。再没有更好的 {total} 个点。"
        )
        en += (
            f"Proven: every choice leaves at least {beyond} {units} beyond {minutes} minutes, and this one leaves exactly {beyond}; "
            f"of the choices that achieve this, none serves more than {served} {units} as the definition asks. No better choice exists."
        )
    else:
        zh += "求解在时限内停止，未证明最优："
        zh += f"{minutes} 分钟之外 {beyond} {unit}（下界 {least}），符合口径 {served} {unit}（上界 {most}）。"
        en += "Stopped at the time limit, not proven: "
        en += f"{beyond} {units} beyond {minutes} minutes (bound {least}), {served} within the limits (bound {most})."
    return zh, en
