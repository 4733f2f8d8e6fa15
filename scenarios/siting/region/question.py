"""A siting question asked of a region: who can be served by which place, as plain data for the models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from coverage.search import Weight, start_delay_ms
from coverage.serving import question, served
from coverage.snap import WaysOn, snap_demand, snap_facilities
from coverage.travel_times import nearest_facility, times_between
from geodata.errors import OptionError, Problem, first_few
from geodata.model import Facilities
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from geodata.standards import Limit, ServiceDefinition
from scenarios.output.speed_words import hour_said
from scenarios.siting.models import check_ids
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.region.candidates import near_pairs, new_places
from scenarios.siting.region.choice import ALL, ELIGIBLE, OF_COST, OF_WIDE, Choice
from scenarios.siting.region.cut_off import people_cut_off
from scenarios.siting.region.terms import terms_of, vehicles_at
from scenarios.siting.region.weights import weights
from scenarios.siting.words import Words

M_PER_KM = 1000


@dataclass(frozen=True, eq=False)
class RegionQuestion:
    """What a choice asks of a region.

    Attributes
    ----------
    choice : Choice
    asked : Asked
        Its demand are the points inside the county at which anything is weighed.
    terms : Terms
    definition, backstop : ServiceDefinition
        The definition in the traffic of the hour asked for, and the wider limit.
    places : Facilities
        The candidates of ``asked.sites``: points that exist, then new places, then those that serve anyway.
    existing : (places,) bool
        Serve today.
    counted : (points of asked,) int64
        Where they stand in the region's demand.
    ways : tuple of WaysOn
        Of the region's demand points and of the places, on the network of the definition.
    within, within_backstop : (demand points of the region, places) sparse bool
    cut_off : (places,) float64
        People whom a place reaches that no road connects with the main network; nan for places on it, and as the crow flies.
    notes : tuple of (zh, en)
        What was left out of the candidates, and why; what else is to be known of the question.
    """

    choice: Choice
    asked: Asked
    terms: Terms
    definition: ServiceDefinition
    backstop: ServiceDefinition
    places: Facilities
    existing: Bools
    counted: Ints
    ways: tuple[WaysOn, WaysOn]
    within: csr_array
    within_backstop: csr_array
    cut_off: Floats
    notes: tuple[Words, ...]

    @property
    def free(self) -> Bools:
        """(places,) bool: those that may be chosen or not."""
        sites = self.asked.sites
        return np.asarray(~sites.always & ~sites.forbidden)


def ask(prepared: Prepared, service_id: str, definition_id: str | None, choice: Choice) -> RegionQuestion:
    """Look up in a region what a choice asks.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
        A service with a siting rule, such as ``emergency``.
    definition_id : str or None
        The service's first unless given.
    choice : Choice

    Raises
    ------
    OptionError
        There is no siting rule for the service, or the choice names what the region does not have.
    InputError
        What is to be weighed or read from the 120 log is not there.
    """
    definition, backstop = definitions(prepared, service_id, definition_id, choice)
    people = weights(prepared, choice.weigh)
    roles = _roles(prepared, service_id, definition, choice)
    places = roles.places
    sites = _sites(prepared, roles, definition.kinds, choice)
    counted_ids = [one for one, is_counted in zip(sites.id, sites.counted, strict=True) if is_counted]
    check_ids(counted_ids, sites=choice.sites, fixed=[one for one, is_fixed in zip(sites.id, sites.fixed, strict=True) if is_fixed])
    is_point = places.of_kinds(definition.kinds)
    terms, notes = terms_of(prepared, places, is_point, roles.background, choice=choice, total=math.fsum(people))
    demand = prepared.region.demand
    counted = np.flatnonzero(people > 0)
    ways = {}
    for mode, network in {one.mode: prepared.network_of(one) for one in (definition, backstop)}.items():
        ways[mode] = snap_demand(network, demand), snap_facilities(network, places)
    within, within_backstop = (_within(prepared, one, places, ways[one.mode]) for one in (definition, backstop))
    mine = ways[definition.mode][0].take(counted), ways[definition.mode][1]
    cut_off = _cut_off(prepared, definition, people[counted], mine)
    return RegionQuestion(
        choice=choice,
        asked=Asked(
            sites=sites,
            demand=tuple(demand.id[at] for at in counted),
            people=people[counted],
            near=csr_array(within[counted]),
            wide=csr_array(within_backstop[counted]) if choice.model in OF_WIDE else None,
            cost=_costs(prepared, definition, places, mine) if choice.model in OF_COST else None,
            has_route=_has_route(prepared, definition, mine),
            names=dict(zip((*demand.id, *places.id), (*demand.name, *places.name), strict=True)),
        ),
        terms=terms,
        definition=definition,
        backstop=backstop,
        places=places,
        existing=roles.existing,
        counted=counted,
        ways=ways[definition.mode],
        within=within,
        within_backstop=within_backstop,
        cut_off=cut_off,
        notes=(*roles.notes, *notes, *_notes(sites, cut_off, roles.existing, choice), *_of_hour(prepared, definition)),
    )


def _cut_off(prepared: Prepared, definition: ServiceDefinition, people: Floats, ways: tuple[WaysOn, WaysOn]) -> Floats:
    """People of the places that are cut off; nan for the others."""
    if measure_of(definition) is None:
        return np.full(ways[1].count, np.nan)
    return people_cut_off(prepared.network_of(definition), ways[0], people, ways[1])


def _notes(sites: Sites, cut_off: Floats, existing: Bools, choice: Choice) -> tuple[Words, ...]:
    """What a planner should know of the candidates before the answer: some are cut off, or none can be paid for."""
    may_come, notes = ~existing & ~sites.always & ~sites.forbidden, []
    apart = int((may_come & ~np.isnan(cut_off)).sum())
    if apart and choice.model in OF_COST:
        zh = f"注意：{apart:,} 个候选点不与主要路网连通。本模型先使没有路线的人最少，可能在这些孤立的地方各设一点；"
        en = f"Mind: {apart:,} candidates are cut off from the main roads. This model first has the fewest without a route, and may put "
        end = ("请先补上缺的道路，或用 --forbid 除去它们。", "a point into each: add the missing roads, or leave them out by --forbid.")
        notes.append((zh + end[0], en + end[1]))
    if sites.budget is not None and may_come.any() and math.fsum(sites.price[sites.fixed]) + sites.price[may_come].min() > sites.budget:
        least, unit = f"{sites.price[may_come].min():,.10g}", choice.price_unit
        zh = f"预算 {sites.budget:,.10g}{_spaced(unit) or ' '}不够新设任何一个候选点（最便宜的须 {least}{_spaced(unit)}）。"
        en = (
            f"The budget of {sites.budget:,.10g}{_spaced(unit)} does not pay for any candidate (the cheapest costs {least}{_spaced(unit)})."
        )
        notes.append((zh, en))
    return tuple(notes)


def _spaced(unit: str) -> str:
    return f" {unit}" if unit else ""


def _of_hour(prepared: Prepared, definition: ServiceDefinition) -> list[Words]:
    """Say it where nothing is known of the hour asked for: the traffic is then that of the whole day."""
    hours = prepared.speeds.of(definition.mode).hours
    words = None if definition.hour in hours else hour_said(prepared.speeds, definition)
    return [words] if words else []


def definitions(
    prepared: Prepared, service_id: str, definition_id: str | None, choice: Choice
) -> tuple[ServiceDefinition, ServiceDefinition]:
    """Find the definition asked for, and the wider limit: the same for every definition of a service but for the hour."""
    service = prepared.services.service(service_id)
    definition = service.definition(definition_id)
    definition = definition if choice.hour is None else definition.at_hour(choice.hour)
    if service.siting is None:
        able = ", ".join(name for name, one in prepared.services.services.items() if one.siting)
        zh = f"{service.name_zh}（{service_id}）没有选址规则，可选址的服务：{able}。"
        raise OptionError(Problem(zh, f"There is no siting rule for {service_id!r}, only for: {able}."))
    wide = Limit(minutes=service.siting.backstop_minutes if choice.wide_minutes is None else choice.wide_minutes)
    return definition, service.definition(None).model_copy(update={"urban": wide, "rural": wide, "hour": definition.hour})


class _Roles(NamedTuple):
    """All places (those that exist, new ones, those that serve anyway), and who has which role."""

    places: Facilities
    existing: Bools
    fixed: Bools
    movable: Bools
    background: Bools
    notes: tuple[Words, ...]


def _roles(prepared: Prepared, service_id: str, definition: ServiceDefinition, choice: Choice) -> _Roles:
    facilities = prepared.region.facilities
    is_open = facilities.open_on(prepared.region.date)
    serves = facilities.of_kinds(definition.kinds) & is_open
    background = serves & (facilities.restricted | facilities.external & ~_named(facilities, choice.fixed))
    standing = serves & ~background
    new = new_places(prepared, service_id, definition, choice, standing=standing)
    old, anyway = (facilities.take(np.flatnonzero(some)) for some in (standing, background))
    places = old.joined(new.places).joined(anyway)
    is_old, is_anyway = np.arange(len(places)) < len(old), np.arange(len(places)) >= len(places) - len(anyway)
    problems = [*_unknown(facilities, is_open, new.places.id, choice), *_not_standing(old, choice)]
    if problems:
        raise OptionError(*problems)
    forced = _named(places, choice.fixed) & ~is_anyway
    loose = is_old & ~forced
    movable = loose & ((choice.movable == ALL) & ~_named(places, choice.closable) | _named(places, choice.movable))
    closable = loose & ~movable & ((choice.closable == ALL) | _named(places, choice.closable))
    return _Roles(places, is_old | is_anyway, is_old & ~movable & ~closable | forced, movable, is_anyway, new.notes)


def _named(places: Facilities, ids: Sequence[str]) -> Bools:
    wanted = set(ids)
    return np.fromiter((one in wanted for one in places.id), dtype=np.bool_, count=len(places))


def _unknown(facilities: Facilities, is_open: Bools, new: Sequence[str], choice: Choice) -> list[Problem]:
    """Ids that are neither facilities that may be shown nor candidates, and forced facilities that are not there on the day."""
    shown = {one for one, hidden in zip(facilities.id, facilities.restricted, strict=True) if not hidden}
    known, problems = shown | set(new) | set(() if choice.points is None else choice.points.id), []
    by_site = {"--prices": choice.prices, "--vehicles": choice.vehicles, "--busy": choice.busy, "--capacity": choice.capacity}
    named = {"--fixed": choice.fixed, "--forbid": choice.forbidden} | {
        option: tuple(given) for option, given in by_site.items() if isinstance(given, Mapping)
    }
    for option, ids in named.items():
        if unknown := sorted(set(ids) - known):
            zh = f"{option}：找不到这些点：{first_few(unknown)}。请写机构编码（机构表的编码列）或候选点的编码。"
            en = f"{option}: there are no such points: {first_few(unknown)}. Name them by id, as in the facility table, or as a candidate."
            by_name = _by_name(facilities, unknown)
            problems.append(Problem(zh + by_name.zh, en + by_name.en))
    shut = {one for one, there in zip(facilities.id, is_open, strict=True) if not there}
    if closed := sorted(set(choice.fixed) & shown & shut):
        zh = f"固定点在该日期未启用：{first_few(closed)}。"
        problems.append(Problem(zh, f"Facilities to keep are not open on the region's date: {first_few(closed)}."))
    return problems


def _by_name(facilities: Facilities, unknown: Sequence[str]) -> Problem:
    """Say the id of what is a facility's name, where only one has it and it may be shown."""
    ids: dict[str, list[str]] = {}
    for one, name, hidden in zip(facilities.id, facilities.name, facilities.restricted, strict=True):
        if not hidden:
            ids.setdefault(name, []).append(one)
    meant = [(name, ids[name][0]) for name in unknown if len(ids.get(name, ())) == 1]
    if not meant:
        return Problem("", "")
    zh, en = first_few(f"{name} 的编码是 {one}" for name, one in meant), first_few(f"{name} is {one}" for name, one in meant)
    return Problem(f"{zh}。", f" By id, {en}.")


def _not_standing(old: Facilities, choice: Choice) -> list[Problem]:
    """What may be closed or moved must be a point that exists inside the county."""
    problems = []
    for option, ids in (("--closable", choice.closable), ("--movable", choice.movable)):
        if wrong := sorted(set(ids) - set(old.id) - set(ALL)):
            has = first_few(f"{one} {name}" for one, name in sorted(zip(old.id, old.name, strict=True))) or "–"
            zh = f"{option}：{first_few(wrong)} 不是县内现有的点。现有的点：{has}。"
            problems.append(Problem(zh, f"{option}: {first_few(wrong)}: no existing points of the county. There are: {has}."))
    may_go = set(old.id if ALL in {choice.closable, choice.movable} else (*choice.closable, *choice.movable))
    if kept := first_few(sorted((set(choice.forbidden) & set(old.id)) - may_go - set(choice.fixed))):
        zh = f"--forbid：{kept} 是现有的点，现有的点默认保留。要撤销，请在 --closable 中也写上；要迁走，请写在 --movable 中。"
        en = f"--forbid: {kept}: existing points, which are kept. To close them, name them by --closable too; to move them, by --movable."
        problems.append(Problem(zh, en))
    return problems


def _sites(prepared: Prepared, roles: _Roles, kinds: Sequence[str], choice: Choice) -> Sites:
    """The rules of the choice over the places."""
    places, new = roles.places, ~roles.existing
    free = new & ~roles.fixed & ~_named(places, choice.forbidden)
    kept = int((roles.fixed | roles.movable).sum())
    if choice.sites is not None and choice.sites > kept and not new.any() and choice.candidates == (ELIGIBLE,):
        zh = "没有可选的候选点：请在机构表的“可设急救点”列写“是”，或用 --candidates 指定候选点。"
        en = "There is no candidate to choose: write yes in the column emergency (可设急救点) of a facility, or say which by --candidates."
        raise OptionError(Problem(zh, en))
    _refuse_unpriced([one for one, may_come in zip(places.id, new & ~_named(places, choice.forbidden), strict=True) if may_come], choice)
    return Sites(
        id=places.id,
        total=choice.sites,
        fixed=roles.fixed,
        forbidden=_named(places, choice.forbidden) & ~roles.background,
        background=roles.background,
        movable=roles.movable,
        replaces=_replaces(prepared, roles, free | new & roles.fixed, choice),
        apart=_apart(prepared, roles, choice),
        price=np.where(new, [choice.prices.get(one, 0.0) for one in places.id], 0.0),
        budget=choice.budget,
        vehicles=vehicles_at(places, places.of_kinds(kinds), roles.background, choice),
        fleet=choice.fleet,
    )


def _refuse_unpriced(ids: Sequence[str], choice: Choice) -> None:
    """Refuse candidates without a price where prices decide: under a budget, and where the least price is asked for."""
    unpriced = first_few(one for one in ids if one not in choice.prices)
    if unpriced and (choice.budget is not None or (choice.prices and choice.model == "lscp")):
        zh = f"按费用选址时，每个候选点都须有费用；缺：{unpriced}。请用 --prices 补上。"
        en = f"Where prices decide, every candidate needs one; missing: {unpriced}. Add them by --prices."
        raise OptionError(Problem(zh, en))


def _replaces(prepared: Prepared, roles: _Roles, may_come: Bools, choice: Choice) -> csr_array:
    """Which new places may take the place of which movable points."""
    count, stays, comes = len(roles.places), np.flatnonzero(roles.movable), np.flatnonzero(may_come)
    far_m = np.inf if choice.move_within_km is None else choice.move_within_km * M_PER_KM
    if math.isinf(far_m):
        row, column = np.repeat(stays, len(comes)), np.tile(comes, len(stays))
    else:
        one, other, _ = near_pairs(prepared.region, roles.places.take(stays), roles.places.take(comes), far_m, inclusive=True)
        row, column = stays[one], comes[other]
    return csr_array((np.ones(len(row), dtype=np.bool_), (row, column)), shape=(count, count))


def _apart(prepared: Prepared, roles: _Roles, choice: Choice) -> Ints:
    """Pairs that are too near each other, a new place in each; a restricted facility keeps none away: that would tell where it is."""
    if choice.spacing_m is None:
        return np.zeros((0, 2), dtype=np.int64)
    new, others = np.flatnonzero(~roles.existing), np.flatnonzero(~roles.places.restricted)
    one, other, _ = near_pairs(prepared.region, roles.places.take(new), roles.places.take(others), choice.spacing_m, inclusive=False)
    pairs = np.sort(np.column_stack([new[one], others[other]]), axis=1)
    return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)


def _within(prepared: Prepared, definition: ServiceDefinition, places: Facilities, ways: tuple[WaysOn, WaysOn]) -> csr_array:
    """Whom each place serves under a definition."""
    asked = question(definition, prepared.network_of(definition), prepared.region.demand, ways=ways[0])
    return served(asked, places, ways=ways[1]).covers


def _has_route(prepared: Prepared, definition: ServiceDefinition, ways: tuple[WaysOn, WaysOn]) -> Bools:
    """Which demand points any place can be reached from, or reaches, however far; as the crow flies everybody is."""
    if measure_of(definition) is None:
        return np.ones(ways[0].count, dtype=np.bool_)
    network, direction = prepared.network_of(definition), definition.direction
    return np.isfinite(nearest_facility(network, ways[1], ways[0], direction=direction, weight=measure_of(definition) or "time")[1])


def measure_of(definition: ServiceDefinition) -> Weight | None:
    """What a definition's costs are: time or distance along roads; None as the crow flies."""
    limits = (definition.urban, definition.rural)
    if any(limit.minutes is not None for limit in limits):
        return "time"
    return "distance" if any(limit.network_m is not None for limit in limits) else None


def _costs(prepared: Prepared, definition: ServiceDefinition, places: Facilities, ways: tuple[WaysOn, WaysOn]) -> csr_array:
    """(demand points, places) float64, ms or mm: the cost of each route, however far."""
    weight = measure_of(definition)
    if weight is None:
        zh = f"口径“{definition.name_zh}”按直线计，不能用 p-median、p-center。"
        raise OptionError(Problem(zh, f"Definition {definition.id!r} is as the crow flies: p-median and p-center need routes."))
    delay_ms = start_delay_ms(definition, places)
    network = prepared.network_of(definition)
    found = times_between(network, ways[1], ways[0], direction=definition.direction, weight=weight, delay_ms=delay_ms)
    return csr_array((found.cost.astype(np.float64), (found.demand, found.facility)), shape=(ways[0].count, len(places)))
