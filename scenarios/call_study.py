"""What a 120 log tells: how many calls, from where and when, how fast, how busy (METHOD.md, emergency response).

A *call* is one event, a *run* one vehicle sent to it. A stamp that is missing, out of order or more than 24 hours away leaves out the leg
it belongs to, and nothing else; nothing is guessed. Percentiles are the least observed value that so many do not exceed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from coverage.snap import projected
from geodata.calls.model import (
    ARRIVED,
    BY_COORDINATES,
    CANCELLED,
    OUTCOMES,
    PLACED,
    RECEIVED,
    Calls,
)
from geodata.errors import InputError, OptionError, Problem
from geodata.model import OUTSIDE
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints, great_circle_m
from scenarios.call_runs import HOUR_S, Busy, busy, by_base, days_of, dispatched, leg_s, legs, match_bases, percentile
from scenarios.call_speeds import SpeedFit, fit_speeds

NEAR_M = 2000.0  # a call without the name of a settlement belongs to the nearest within
NAMED_NEAR_M = 5000.0  # farther from the settlement its address names, a call's coordinates are doubted
FEW = 5  # fewer calls may point to a person: no figure of theirs is shown
WITHIN_MINUTES = (15, 30)


@dataclass(frozen=True)
class Counts:
    """What is in the log, before anything is computed from it.

    Attributes
    ----------
    first_day, last_day : str
        Of the calls; `days` counts both.
    records, calls, runs : int
        Rows; events; vehicles that were dispatched and not cancelled before they left.
    cancelled : int
        Records whose outcome says so.
    placed : dict
        Calls by how their place is known, names as in ``PLACED``.
    outside, far : int
        Calls outside every township; with coordinates beyond the roads, which are not used.
    disagree : int
        Calls whose coordinates are more than 5 km from the settlement that their address names.
    outcomes : dict
        Records by outcome.
    unread : int
        Times that could not be read.
    """

    first_day: str
    last_day: str
    days: int
    records: int
    calls: int
    runs: int
    cancelled: int
    placed: dict[str, int]
    outside: int
    far: int
    disagree: int
    outcomes: dict[str, int]
    unread: int


@dataclass(frozen=True, eq=False)
class CallStudy:
    """What the log tells. Tables hold all figures; those of fewer than five calls are withheld where they are shown.

    Attributes
    ----------
    counts : Counts
    by_month, by_hour : DataFrame
        month ("2025-01") or hour (0–23), calls.
    legs : DataFrame
        leg, n, mean_s, p50_s, p90_s, p95_s, share_within (turnout: of 180 s), out_of_order, too_long.
    response : DataFrame
        row ("total", "class", "zone"), name, calls, p50_min, p90_min, p95_min, share_15, share_30; from the call to the first vehicle.
    busy : Busy
    by_base : DataFrame
        base, facility ("" if unknown), runs, service_min, load, vehicles, share; without restricted facilities.
    by_settlement : DataFrame
        id, name, zone, people, calls, per_1000 (a year, 1,000 residents); all settlements inside, the most calls first.
    by_zone : DataFrame
        zone, people, calls, per_1000.
    unassigned : int
        Calls that belong to no settlement.
    speeds : SpeedFit or None
        None where too few runs can be routed.
    """

    counts: Counts
    by_month: pd.DataFrame
    by_hour: pd.DataFrame
    legs: pd.DataFrame
    response: pd.DataFrame
    busy: Busy
    by_base: pd.DataFrame
    by_settlement: pd.DataFrame
    by_zone: pd.DataFrame
    unassigned: int
    speeds: SpeedFit | None


def call_study(prepared: Prepared, *, vehicles: float | None = None) -> CallStudy:
    """Study the 120 log of a region.

    Parameters
    ----------
    prepared : Prepared
    vehicles : float, optional
        Vehicles on duty at once; those of the emergency facilities in the tables unless given.

    Returns
    -------
    CallStudy

    Raises
    ------
    InputError
        The region has no log.
    OptionError
        No vehicles.
    """
    calls = prepared.region.calls
    if len(calls) == 0:
        zh = "本地区没有 120 记录：请在 region.toml 中写 [calls] 和 file = …。"
        raise InputError(Problem(zh, "This region has no 120 log: write [calls] and file = … into region.toml."))
    if vehicles is not None and not vehicles > 0:
        raise OptionError(Problem(f"车辆数必须大于 0（给出 {vehicles:g}）。", f"Vehicles must be more than 0 (given: {vehicles:g})."))
    facility = match_bases(calls.bases, prepared.region.facilities)
    base = np.append(facility, -1)[calls.base]
    first = np.unique(calls.call, return_index=True)[1]  # one record for each call
    home, disagree = homes(prepared, calls)
    days = days_of(calls)
    return CallStudy(
        counts=_counts(calls, first, disagree),
        by_month=_by_month(calls.stamp_s[first, RECEIVED]),
        by_hour=_by_hour(calls.stamp_s[first, RECEIVED]),
        legs=legs(calls),
        response=_response(prepared, calls, home),
        busy=busy(prepared, calls, facility, vehicles=vehicles),
        by_base=by_base(prepared, calls, facility),
        by_settlement=_by_settlement(prepared, home[first], days),
        by_zone=_by_zone(prepared, calls.zone[first], days),
        unassigned=int((home[first] < 0).sum()),
        speeds=fit_speeds(prepared, calls, base),
    )


def _counts(calls: Calls, first: Ints, disagree: Bools) -> Counts:
    days = calls.stamp_s[:, RECEIVED].astype("datetime64[s]").astype("datetime64[D]")
    placed = np.bincount(calls.placed[first], minlength=len(PLACED)).tolist()
    return Counts(
        first_day=str(days.min()),
        last_day=str(days.max()),
        days=days_of(calls),
        records=len(calls),
        calls=len(first),
        runs=int(dispatched(calls).sum()),
        cancelled=int((calls.outcome == CANCELLED).sum()),
        placed=dict(zip(PLACED, placed, strict=True)),
        outside=int(((calls.zone == OUTSIDE) & (calls.placed == BY_COORDINATES))[first].sum()),
        far=int(calls.far[first].sum()),
        disagree=int(disagree[first].sum()),
        outcomes=dict(zip(OUTCOMES, np.bincount(calls.outcome, minlength=len(OUTCOMES)).tolist(), strict=True)),
        unread=int(calls.unread.sum()),
    )


def _by_month(received_s: Ints) -> pd.DataFrame:
    month = received_s.astype("datetime64[s]").astype("datetime64[M]")
    every = np.arange(month.min(), month.max() + 1)
    return pd.DataFrame({"month": every.astype(str), "calls": [int((month == one).sum()) for one in every]})


def _by_hour(received_s: Ints) -> pd.DataFrame:
    return pd.DataFrame({"hour": range(24), "calls": np.bincount(received_s // HOUR_S % 24, minlength=24)})


def homes(prepared: Prepared, calls: Calls) -> tuple[Ints, Bools]:
    """Position in the demand of the settlement each record belongs to, -1 if none; and where address and coordinates disagree.

    The settlement that the address names, unless the coordinates are more than 5 km away; else the nearest within 2 km.
    """
    demand = prepared.region.demand
    named = np.flatnonzero((calls.settlement >= 0) & (calls.placed == BY_COORDINATES))
    away_m = np.zeros(len(calls))
    away_m[named] = great_circle_m(calls.lonlat[named], demand.lonlat[calls.settlement[named]])
    disagree = away_m > NAMED_NEAR_M
    home = np.where(disagree, -1, calls.settlement)
    open_ = np.flatnonzero((home < 0) & ~disagree & (calls.placed == BY_COORDINATES))
    settled = np.flatnonzero(np.array(demand.settlement, dtype=str) != "")
    if len(open_) and len(settled):
        crs = prepared.region.crs
        spots, homes = (np.array([(p.x, p.y) for p in projected(lonlat, crs)]) for lonlat in (calls.lonlat[open_], demand.lonlat[settled]))
        metres, nearest = cKDTree(homes).query(spots)
        home[open_] = np.where(metres <= NEAR_M, settled[nearest], -1)
    return home, disagree


def _response(prepared: Prepared, calls: Calls, home: Ints) -> pd.DataFrame:
    """Response by class of settlement and by township: of each call the first vehicle to arrive."""
    zones, demand = prepared.region.zones, prepared.region.demand
    seconds = leg_s(calls, RECEIVED, ARRIVED)
    known = np.flatnonzero(~np.isnan(seconds))
    order = known[np.lexsort((seconds[known], calls.call[known]))]
    best = order[np.unique(calls.call[order], return_index=True)[1]]
    urban = np.append(demand.urban, False)[home[best]]
    groups = [("total", "", np.ones(len(best), dtype=bool))]
    groups += [("class", name, (home[best] >= 0) & (urban == (name == "urban"))) for name in ("urban", "rural")]
    groups += [("zone", name, calls.zone[best] == at) for at, name in enumerate(zones.name)]
    rows = []
    for row, name, mine in groups:
        minutes = seconds[best[mine]] / 60
        shares = {f"share_{limit}": float((minutes <= limit).mean()) if len(minutes) else np.nan for limit in WITHIN_MINUTES}
        percentiles = {f"p{share}_min": percentile(minutes, share / 100) for share in (50, 90, 95)}
        rows.append({"row": row, "name": name, "calls": len(minutes)} | percentiles | shares)
    return pd.DataFrame(rows)


def _by_settlement(prepared: Prepared, home: Ints, days: int) -> pd.DataFrame:
    """Calls of each settlement inside; points of one settlement together. Villages of two townships may have one name."""
    demand, zones = prepared.region.demand, prepared.region.zones
    settled = np.flatnonzero(demand.inside & (np.array(demand.settlement, dtype=str) != ""))
    calls = np.bincount(home[home >= 0], minlength=len(demand))
    points = pd.DataFrame(
        {
            "id": [demand.settlement[at] for at in settled],
            "name": [demand.name[at] for at in settled],
            "zone": [zones.name[demand.zone[at]] for at in settled],
            "people": demand.people[settled],
            "calls": calls[settled],
        }
    )
    table = points.groupby(["id", "zone"], sort=True, as_index=False).agg({"name": "first", "people": "sum", "calls": "sum"})
    table = table[list(points.columns)]
    table["per_1000"] = _per_1000(table, days)
    return table.sort_values(["calls", "id"], ascending=[False, True], kind="stable", ignore_index=True)


def _by_zone(prepared: Prepared, zone: Ints, days: int) -> pd.DataFrame:
    zones, demand = prepared.region.zones, prepared.region.demand
    people = np.bincount(demand.zone[demand.inside], weights=demand.people[demand.inside], minlength=len(zones.id))
    table = pd.DataFrame({"zone": zones.name, "people": people, "calls": np.bincount(zone[zone >= 0], minlength=len(zones.id))})
    table["per_1000"] = _per_1000(table, days)
    return table


def _per_1000(table: pd.DataFrame, days: int) -> Floats:
    """Calls a year for 1,000 residents; nan where nobody lives."""
    people = table["people"].to_numpy(dtype=np.float64)
    return np.where(people > 0, table["calls"] * 365 / days / np.maximum(people, 1) * 1000, np.nan)
