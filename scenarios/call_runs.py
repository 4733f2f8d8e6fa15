"""Legs of a run, from stamp to stamp; how busy the vehicles are; which base is which facility (METHOD.md, emergency response)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.calls.model import ARRIVED, AT_HOSPITAL, DEPARTED, DISPATCHED, FINISHED, LEFT_SCENE, MISSING, RECEIVED, Calls
from geodata.model import RESOURCES, Facilities
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints

DAY_S, HOUR_S = 86_400, 3600
TURNOUT_S = 180
MOSTLY = 0.99  # of the time
# The legs of a run, each from one stamp to another. Handing over and the way back have no stamp between them.
LEGS = {
    "dispatch": (RECEIVED, DISPATCHED),
    "turnout": (DISPATCHED, DEPARTED),
    "travel": (DEPARTED, ARRIVED),
    "scene": (ARRIVED, LEFT_SCENE),
    "transport": (LEFT_SCENE, AT_HOSPITAL),
    "handover_return": (AT_HOSPITAL, FINISHED),
    "response": (RECEIVED, ARRIVED),
    "service": (DISPATCHED, FINISHED),
}


@dataclass(frozen=True)
class Busy:
    """How busy the vehicles are: ρ = runs per hour × mean service hours ÷ vehicles.

    Attributes
    ----------
    runs_per_hour, service_h : float
        Service runs from dispatch to finish: turnout + travel + scene + transport + handover + return.
    load : float
        Their product: vehicles out at once, on average.
    vehicles : float
        nan if not known.
    vehicles_from : "given", "facilities" or "unknown"
    share : float
        ρ over all hours; nan without vehicles.
    busiest_hour : int
        Hour of the day with most dispatches.
    busiest_load, busiest_share : float
        Of that hour.
    most_at_once, at_once_99 : int
        Vehicles out at the busiest moment, and in 99 % of the time no more than.
    """

    runs_per_hour: float
    service_h: float
    load: float
    vehicles: float
    vehicles_from: str
    share: float
    busiest_hour: int
    busiest_load: float
    busiest_share: float
    most_at_once: int
    at_once_99: int


def percentile(values: Floats, share: float) -> float:
    """The least observed value that this share of them does not exceed; nan if there is none."""
    return float(np.quantile(values, share, method="inverted_cdf")) if len(values) else float("nan")


def leg_s(calls: Calls, start: int, end: int) -> Floats:
    """Seconds from one stamp to another; nan where one is missing, or they are out of order or more than 24 hours apart."""
    seconds = (calls.stamp_s[:, end] - calls.stamp_s[:, start]).astype(np.float64)
    both = (calls.stamp_s[:, [start, end]] != MISSING).all(axis=1)
    return np.where(both & (seconds >= 0) & (seconds <= DAY_S), seconds, np.nan)


def dispatched(calls: Calls) -> Bools:
    """Records whose vehicle was dispatched."""
    return np.asarray((calls.stamp_s[:, [DISPATCHED, DEPARTED]] != MISSING).any(axis=1))


def days_of(calls: Calls) -> int:
    """Days from the first call to the last, both counted."""
    received = calls.stamp_s[:, RECEIVED] // DAY_S
    return int(received.max() - received.min() + 1)


def legs(calls: Calls) -> pd.DataFrame:
    """Lay out every leg of ``LEGS``: how many, mean and percentiles, and how many pairs of stamps were not used."""
    return pd.DataFrame([_leg(name, calls, *LEGS[name]) for name in LEGS])


def _leg(name: str, calls: Calls, start: int, end: int) -> dict[str, object]:
    seconds, gap = leg_s(calls, start, end), calls.stamp_s[:, end] - calls.stamp_s[:, start]
    both = (calls.stamp_s[:, [start, end]] != MISSING).all(axis=1)
    known = seconds[~np.isnan(seconds)]
    return {
        "leg": name,
        "n": len(known),
        "mean_s": float(known.mean()) if len(known) else np.nan,
        **{f"p{share}_s": percentile(known, share / 100) for share in (50, 90, 95)},
        "share_within": float((known <= TURNOUT_S).mean()) if name == "turnout" and len(known) else np.nan,
        "out_of_order": int((both & (gap < 0)).sum()),
        "too_long": int((both & (gap > DAY_S)).sum()),
    }


def match_bases(bases: Sequence[str], facilities: Facilities) -> Ints:
    """Find the facility of each base: of the same name, else the only one whose name holds the base's or is held by it; -1 if none."""
    found = []
    for base in bases:
        same = [at for at, name in enumerate(facilities.name) if _plain(name) == _plain(base)]
        like = same or _alike(base, facilities)
        found.append(like[0] if len(like) == 1 else -1)
    return np.array(found, dtype=np.int64)


def _alike(base: str, facilities: Facilities) -> list[int]:
    """Facilities whose name holds that of a base, or is held by it."""
    word = _plain(base)
    return [at for at, name in enumerate(map(_plain, facilities.name)) if name and (word in name or name in word)]


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _vehicles(prepared: Prepared, facility: Ints, given: float | None) -> tuple[float, str]:
    """Vehicles: given, or those stated for the bases of the log and the facilities that the emergency service counts."""
    if given is not None:
        return given, "given"
    places = prepared.region.facilities
    kinds = prepared.services.service("emergency").definition(None).kinds
    counted = places.of_kinds(kinds) & places.open_on(prepared.region.date) & ~places.external
    counted[facility[facility >= 0]] = True
    stated = places.resources[counted, RESOURCES.index("vehicles")]
    stated = stated[np.isfinite(stated)]
    return (float(stated.sum()), "facilities") if stated.sum() > 0 else (float("nan"), "unknown")


def busy(prepared: Prepared, calls: Calls, facility: Ints, *, vehicles: float | None) -> Busy:
    """Say how busy the vehicles are; `facility` is that of each base, `vehicles` those given."""
    days = days_of(calls)
    vehicles, source = _vehicles(prepared, facility, vehicles)
    service = leg_s(calls, DISPATCHED, FINISHED)
    runs, timed = dispatched(calls), ~np.isnan(service)
    service_h = float(service[timed].mean()) / HOUR_S if timed.any() else float("nan")
    sent_s = np.where(calls.stamp_s[:, DISPATCHED] != MISSING, calls.stamp_s[:, DISPATCHED], calls.stamp_s[:, DEPARTED])
    by_hour = np.bincount(sent_s[runs] // HOUR_S % 24, minlength=24)
    busiest = int(by_hour.argmax())
    per_hour, busiest_load = float(runs.sum()) / (days * 24), float(by_hour[busiest]) / days * service_h
    most, usual = _at_once(calls.stamp_s[timed, DISPATCHED], calls.stamp_s[timed, FINISHED])
    load = per_hour * service_h
    return Busy(
        runs_per_hour=per_hour,
        service_h=service_h,
        load=load,
        vehicles=vehicles,
        vehicles_from=source,
        share=load / vehicles,
        busiest_hour=busiest,
        busiest_load=busiest_load,
        busiest_share=busiest_load / vehicles,
        most_at_once=most,
        at_once_99=usual,
    )


def _at_once(start_s: Ints, end_s: Ints) -> tuple[int, int]:
    """Most vehicles out at one moment, and the number not exceeded in 99 % of the time; who returns at a moment is free at it."""
    if len(start_s) == 0:
        return 0, 0
    moment, change = np.concatenate([start_s, end_s]), np.repeat([1, -1], len(start_s))
    order = np.lexsort((change, moment))
    out, lasting = np.cumsum(change[order])[:-1], np.diff(moment[order])
    seconds = np.bincount(out, weights=lasting)
    return int(np.flatnonzero(seconds).max(initial=0)), int(np.searchsorted(np.cumsum(seconds) / seconds.sum(), MOSTLY))


def by_base(prepared: Prepared, calls: Calls, facility: Ints) -> pd.DataFrame:
    """Runs and load of each base that may be shown: not of one whose name may mean a restricted facility."""
    places, service, runs = prepared.region.facilities, leg_s(calls, DISPATCHED, FINISHED), dispatched(calls)
    days = days_of(calls)
    rows = []
    for at, (name, found) in enumerate(zip(calls.bases, facility.tolist(), strict=True)):
        if places.restricted[_alike(name, places)].any():
            continue
        mine = runs & (calls.base == at)
        timed = service[mine & ~np.isnan(service)]
        mean_s = float(timed.mean()) if len(timed) else float("nan")
        load = float(mine.sum()) / (days * 24) * mean_s / HOUR_S
        vehicles = float(places.resources[found, RESOURCES.index("vehicles")]) if found >= 0 else float("nan")
        share = load / vehicles if vehicles > 0 else float("nan")
        known = places.id[found] if found >= 0 else ""
        rows.append((name, known, int(mine.sum()), mean_s / 60, load, vehicles, share))
    table = pd.DataFrame(rows, columns=["base", "facility", "runs", "service_min", "load", "vehicles", "share"])
    return table.sort_values(["runs", "base"], ascending=[False, True], kind="stable", ignore_index=True)
