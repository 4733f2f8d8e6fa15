"""Replay: calls of a 120 log, or made-up ones, played against the points of a region, and against those of a plan (METHOD.md, emergency).

Each call gets the vehicle that is free and reaches it first; if none is free it waits, first come, first served (``replay_core``).
response = call handling + waiting + turnout + drive + access. A vehicle is out from being sent until it is back at its base: turnout,
drive, scene, then transport, handing over and the drive back from the hospital, or the drive back from the scene.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coverage.gaps import CUT_OFF, NO_FACILITY, OFF_NETWORK
from coverage.serving import MS_PER_MINUTE
from geodata.errors import OptionError, Problem
from geodata.model import CLASSES
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition
from scenarios.model import Scenario, with_scenario
from scenarios.replay.core import Sent, play
from scenarios.replay.drives import Roundtrips, Stations, handling_ms, roundtrips, stations
from scenarios.replay.figures import NAMES, Sample, Told, sampled, told
from scenarios.replay.jobs import plays
from scenarios.replay.terms import Played, Plays, ReplayTerms

SIDES = ("before", "after")


@dataclass(frozen=True, eq=False)
class Replay:
    """What a replay tells, of the points as they are and of a plan.

    Attributes
    ----------
    definition : ServiceDefinition
    terms : ReplayTerms
    played : Played
    scenario : Scenario or None
    figures : DataFrame
        figure, group ("all", "urban", "rural") in the order of ``replay_figures.NAMES``; before, after, change (after − before), each with
        ``_low`` and ``_high``, its 95 % interval. Of made-up calls the mean over the runs. calls, unreached_calls, waiting_calls: of the
        log or a run. median_minutes, p90_minutes: response, the least observed that so many do not exceed, those not reached among them
        (nan where so many are not). share_within: of all calls. wait_minutes: mean of those who wait, beyond call handling.
        share_not_nearest: served from another point, because the vehicles of the nearest were out. utilisation: share of the time in
        which a vehicle is out. nan where there is nothing to tell, after and change without a scenario, low and high without an interval.
    by_point : DataFrame
        side ("before", "after"), id, name, external, vehicles, assumed (not stated: one), runs (vehicles sent, of the log or a run),
        utilisation, utilisation_low, utilisation_high (nan without vehicles). Without restricted points, which are in all sums.
    fleet : DataFrame
        side, vehicles (restricted points' too); points, of which assumed, external (without restricted ones).
    unreached : DataFrame
        Calls that no vehicle can reach, by settlement: id, name, zone ("" where a call belongs to none), class, cause (see
        ``coverage.gaps.CAUSES``), calls_before, calls_after (of the log or a run); most first.
    """

    definition: ServiceDefinition
    terms: ReplayTerms
    played: Played
    scenario: Scenario | None
    figures: pd.DataFrame
    by_point: pd.DataFrame
    fleet: pd.DataFrame
    unreached: pd.DataFrame


def replay(
    prepared: Prepared,
    definition: ServiceDefinition,
    terms: ReplayTerms | None = None,
    *,
    scenario: Scenario | None = None,
    vehicles: Mapping[str, int] | None = None,
) -> Replay:
    """Play calls against the points of a region, and against those of a scenario.

    Parameters
    ----------
    prepared : Prepared
    definition : ServiceDefinition
        Of response: from the facility, in minutes.
    terms : ReplayTerms, optional
        The calls of the log unless given.
    scenario : Scenario, optional
        A plan, such as one of siting.
    vehicles : mapping of id to int, optional
        At points; those of the facility table unless given, one where it says nothing.

    Raises
    ------
    OptionError
        A definition of something else; no log and no made-up calls; minutes that nothing says; a scenario that does not fit.
    """
    _refuse_other(definition)
    terms = terms or ReplayTerms()
    after = None if scenario is None else with_scenario(prepared, scenario)
    what = plays(prepared, definition, terms)
    sides = {name: _side(one, definition, what, terms, vehicles) for name, one in zip(SIDES, (prepared, after), strict=True) if one}
    return Replay(
        definition=definition,
        terms=terms,
        played=what.played,
        scenario=scenario,
        figures=_figures({name: side.sample for name, side in sides.items()}),
        by_point=_by_point(sides, what.played.runs),
        fleet=_fleet(sides),
        unreached=_unreached(prepared, what, sides),
    )


def replay_points(prepared: Prepared, definition: ServiceDefinition, scenario: Scenario | None) -> tuple[str, ...]:
    """Ids of the points whose vehicles may be given: of the region and of the scenario, without restricted ones."""
    both = [prepared.region, *([] if scenario is None else [with_scenario(prepared, scenario).region])]
    found = [stations(region, definition, None).facilities for region in both]
    return tuple(sorted({one for some in found for one, hidden in zip(some.id, some.restricted, strict=True) if not hidden}))


def _refuse_other(definition: ServiceDefinition) -> None:
    limits = definition.limits.values()
    timed = all(limit.minutes is not None and limit.network_m is None and limit.straight_m is None for limit in limits)
    if not timed or definition.direction != "from_facility":
        zh = f"口径“{definition.name_zh}”不能回放：须从站点出发、按分钟计。请用 --definition response。"
        en = f"Definition {definition.id!r} cannot be replayed: it must go from the point and be in minutes. Try --definition response."
        raise OptionError(Problem(zh, en))


@dataclass(frozen=True, eq=False)
class _Side:
    """One set of points: how it fares, and how often each place is lost (over all runs)."""

    points: Stations
    trips: Roundtrips
    told: tuple[Told, ...]
    sample: Sample
    lost: tuple[Ints, ...]


def _side(prepared: Prepared, definition: ServiceDefinition, what: Plays, terms: ReplayTerms, vehicles: Mapping[str, int] | None) -> _Side:
    points = stations(prepared.region, definition, vehicles)
    trips, handling = roundtrips(prepared, definition, points, what.spots), handling_ms(definition)
    urban_of = np.append(prepared.region.demand.urban, [False])  # a call of no settlement is held against the rural limit
    limits = {name: float(np.rint((limit.minutes or 0) * MS_PER_MINUTE)) for name, limit in definition.limits.items()}
    all_told, lost = [], []
    for jobs in what.runs:
        sent = play(jobs, trips.drives, points.vehicles, handling_ms=handling)
        urban = urban_of[jobs.home]
        limit = np.where(urban, limits["urban"], limits["rural"])
        all_told.append(told(jobs, sent, trips.drives, days=what.played.days, handling_ms=handling, urban=urban, limit_ms=limit))
        lost.append(_lost_jobs(jobs.call, sent, arrives=jobs.arrives))
    is_log = what.played.source == "log"
    sample = sampled(all_told, points.vehicles, days=what.played.days, is_log=is_log, seed=terms.seed)
    return _Side(points, trips, tuple(all_told), sample, tuple(lost))


def _lost_jobs(call: Ints, sent: Sent, *, arrives: Bools) -> Ints:
    """One job of every call that nobody reaches."""
    which = np.flatnonzero(arrives & (sent.vehicle < 0))
    return which[np.unique(call[which], return_index=True)[1]]


def _figures(samples: Mapping[str, Sample]) -> pd.DataFrame:
    table = pd.DataFrame(NAMES, columns=["figure", "group"])
    shown = dict(samples)
    if "after" in shown:
        shown["change"] = _change(samples["after"], samples["before"])
    for name in (*SIDES, "change"):
        columns: tuple[Floats, ...] = (np.full(len(NAMES), np.nan),) * 3
        if name in shown:
            columns = (shown[name].value, *shown[name].interval())
        for suffix, column in zip(("", "_low", "_high"), columns, strict=True):
            table[f"{name}{suffix}"] = column[: len(NAMES)]
    for name in SIDES:  # no share and no time is below nothing, whatever Student says
        table[f"{name}_low"] = table[f"{name}_low"].clip(lower=0)
    return table


def _change(after: Sample, before: Sample) -> Sample:
    """Of the figures that both have: their points differ."""
    count = len(NAMES)
    return Sample(after.value[:count], after.draws[:, :count], after.is_log).minus(
        Sample(before.value[:count], before.draws[:, :count], before.is_log)
    )


def _by_point(sides: Mapping[str, _Side], runs: int) -> pd.DataFrame:
    tables = []
    for name, side in sides.items():
        places, (low, high) = side.points.facilities, side.sample.interval()
        jobs = np.sum([one.jobs for one in side.told], axis=0) / runs
        table = pd.DataFrame({"side": name, "id": places.id, "name": places.name, "external": places.external})
        table = table.assign(vehicles=side.points.vehicles, assumed=side.points.assumed, runs=jobs)
        of = slice(len(NAMES), None)
        table = table.assign(utilisation=side.sample.value[of], utilisation_low=low[of].clip(min=0), utilisation_high=high[of])
        tables.append(table[~places.restricted])
    return pd.concat(tables, ignore_index=True)


def _fleet(sides: Mapping[str, _Side]) -> pd.DataFrame:
    rows = []
    for name, side in sides.items():
        points, shown = side.points, ~side.points.facilities.restricted
        told_of = (shown, points.assumed & shown, points.facilities.external & shown)
        rows.append((name, int(points.vehicles.sum()), *(int(one.sum()) for one in told_of)))
    return pd.DataFrame(rows, columns=["side", "vehicles", "points", "assumed", "external"])


def _unreached(prepared: Prepared, what: Plays, sides: Mapping[str, _Side]) -> pd.DataFrame:
    demand, zones = prepared.region.demand, prepared.region.zones
    rows = []
    for name, side in sides.items():
        for jobs, lost in zip(what.runs, side.lost, strict=True):
            off = side.trips.off_network[jobs.place[lost]]
            cause = np.where(off, OFF_NETWORK, CUT_OFF if side.points.vehicles.any() else NO_FACILITY)
            rows += [(int(home), str(why), name) for home, why in zip(jobs.home[lost], cause, strict=True)]
    count = pd.Series(rows, dtype=object).value_counts() if rows else pd.Series(dtype=np.int64)
    table = []
    for home, cause in sorted({(home, cause) for home, cause, _ in count.index}):
        known = home >= 0
        calls = [count.get((home, cause, name), 0) / what.played.runs if name in sides else np.nan for name in SIDES]
        place = (
            (demand.settlement[home] or demand.id[home], demand.name[home], [*zones.name, ""][demand.zone[home]]) if known else ("",) * 3
        )
        table.append((*place, CLASSES[0] if known and demand.urban[home] else CLASSES[1], cause, *calls))
    frame = pd.DataFrame(table, columns=["id", "name", "zone", "class", "cause", "calls_before", "calls_after"])
    return frame.sort_values(["calls_before", "calls_after", "id"], ascending=[False, False, True], kind="stable", ignore_index=True)
