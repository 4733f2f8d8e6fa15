"""The runs of a 120 log as jobs: how long each holds its vehicle, as far as the log says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.snap import snap_facilities
from geodata.calls.model import (
    ARRIVED,
    BY_SETTLEMENT,
    CANCELLED,
    DELIVERED,
    DISPATCHED,
    FINISHED,
    LEFT_SCENE,
    MISSING,
    RECEIVED,
    UNKNOWN,
    Calls,
)
from geodata.pack import read_only
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition
from scenarios.call_runs import DAY_S, days_of, dispatched, leg_s, match_bases, percentile
from scenarios.call_study import FEW, homes
from scenarios.replay.core import NO_WAY, Jobs
from scenarios.replay.drives import drive_ms, nearest_hospital, ways_of
from scenarios.replay.terms import Played, Plays, ReplayTerms


@dataclass(frozen=True, eq=False)
class LogRuns:
    """The records of a log that can be played, by time: a vehicle was sent, and the place is known.

    Attributes
    ----------
    record : (runs,) int64
        Position in the log.
    home : (runs,) int64
        Settlement, a position in the demand; -1 if none.
    spots : (spots, 2) float64, degrees WGS84
    spot : (runs,) int64
        A row of `spots`.
    scene_s : (runs,) float64
        On the scene; nan if the log does not say.
    after_s : (runs,) float64
        Transport and handing over, without the way back; nan if the log does not say.
    whole_s : (runs,) float64
        From dispatch to finish.
    arrives, delivered : (runs,) bool
        As in ``replay_core.Jobs``. Where the outcome is not stated, the patient is taken to a hospital.
    cancelled_before, without_place : int
        Records that cannot be played: cancelled before a vehicle was sent; of unknown place.
    """

    record: Ints
    home: Ints
    spots: Floats
    spot: Ints
    scene_s: Floats
    after_s: Floats
    whole_s: Floats
    arrives: Bools
    delivered: Bools
    cancelled_before: int
    without_place: int

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def log_runs(prepared: Prepared, definition: ServiceDefinition, terms: ReplayTerms) -> LogRuns:
    """Read from the log what can be played, and how long each vehicle was held; minutes of the terms replace those of the log."""
    calls = prepared.region.calls
    needed = (calls.outcome != CANCELLED) | dispatched(calls)
    placed = calls.placed >= BY_SETTLEMENT
    order = np.lexsort((np.arange(len(calls)), calls.lonlat[:, 1], calls.lonlat[:, 0], calls.stamp_s[:, RECEIVED]))
    record = order[(needed & placed)[order]]
    spots, spot = np.unique(calls.lonlat[record], axis=0, return_inverse=True)
    spot = spot.reshape(-1)
    arrives = (calls.outcome != CANCELLED) | (calls.stamp_s[:, ARRIVED] != MISSING)
    delivered = arrives & np.isin(calls.outcome, (DELIVERED, UNKNOWN))
    scene = leg_s(calls, ARRIVED, LEFT_SCENE)[record]
    if terms.scene_minutes is not None:
        scene = np.full(len(record), terms.scene_minutes * 60)
    if terms.after_scene_minutes is not None:
        after = np.full(len(record), terms.after_scene_minutes * 60)
    else:
        after = leg_s(calls, LEFT_SCENE, FINISHED)[record] - _back_s(prepared, definition, spots, spot, calls.base[record])
    return LogRuns(
        record=record,
        home=homes(prepared, calls)[0][record],
        spots=spots,
        spot=spot,
        scene_s=scene,
        after_s=np.maximum(after, 0.0),
        whole_s=leg_s(calls, DISPATCHED, FINISHED)[record],
        arrives=arrives[record],
        delivered=delivered[record],
        cancelled_before=int((~needed).sum()),
        without_place=int((needed & ~placed).sum()),
    )


def _back_s(prepared: Prepared, definition: ServiceDefinition, spots: Floats, spot: Ints, base: Ints) -> Floats:
    """Seconds of the way back of each run: from the hospital nearest to the call (from the call, where there is none) to its own base.

    It is taken off what the log has between leaving the scene and the end, for no stamp tells when a vehicle left the hospital; nan where
    the base or a way is not known.
    """
    network, facilities = prepared.network_of(definition), prepared.region.facilities
    facility = match_bases(prepared.region.calls.bases, facilities)
    known, column = np.unique(facility[facility >= 0], return_inverse=True)
    column_of = np.full(len(facility) + 1, len(known))
    column_of[np.flatnonzero(facility >= 0)] = column
    targets, gates = ways_of(network, spots), snap_facilities(network, facilities.take(known))
    hospital, wards = nearest_hospital(prepared, network, targets)
    start, row = (wards, hospital[spot]) if wards.count else (targets, spot)
    table = np.full((start.count + 1, len(known) + 1), NO_WAY, dtype=np.int64)  # the last row and column: no hospital, no base
    table[:-1, :-1] = drive_ms(network, gates, start, direction="to_facility")
    ms = table[row, column_of[base]]
    return np.where(ms == NO_WAY, np.nan, ms / 1000)


def log_plays(prepared: Prepared, log: LogRuns, terms: ReplayTerms) -> Plays:
    """Make the jobs of a log: what a run does not say of itself is the median of the others."""
    calls = prepared.region.calls
    midnight = int(calls.stamp_s[:, RECEIVED].min()) // DAY_S * DAY_S
    scene, after = held_s(log)
    hold_s = np.where(log.arrives, scene + after, _filled(log.whole_s, ~log.arrives))
    jobs = Jobs(
        received_ms=(calls.stamp_s[log.record, RECEIVED] - midnight) * 1000,
        call=np.unique(calls.call[log.record], return_inverse=True)[1].reshape(-1),
        place=log.spot,
        home=log.home,
        hold_ms=np.rint(hold_s * 1000).astype(np.int64),
        arrives=log.arrives,
        delivered=log.delivered,
    )
    first, observed = np.unique(jobs.call, return_index=True)[1], _observed_minutes(calls)
    played = Played(
        source="log",
        first_day=str(np.datetime64(midnight, "s").astype("datetime64[D]")),
        days=days_of(calls),
        runs=1,
        calls=len(first),
        records=len(calls),
        cancelled_before=log.cancelled_before,
        without_place=log.without_place,
        cancelled_on_way=int((~log.arrives).sum()),
        no_settlement=int((log.home[first] < 0).sum()),
        scene_minutes=_mean_minutes(scene[log.arrives]),
        after_minutes=_mean_minutes(after[log.delivered]),
        scene_from="log" if terms.scene_minutes is None else "given",
        after_from="log" if terms.after_scene_minutes is None else "given",
        scene_assumed=int(np.isnan(log.scene_s[log.arrives]).sum()),
        after_assumed=int(np.isnan(log.after_s[log.delivered]).sum()),
        profile="log",
        observed_calls=len(observed),
        observed_median_minutes=percentile(observed, 0.5),
        observed_p90_minutes=percentile(observed, 0.9),
    )
    return Plays(log.spots, (jobs,), played)


def held_s(log: LogRuns) -> tuple[Floats, Floats]:
    """Seconds on the scene, and after it (0 of who is not taken to a hospital): what a run does not say is the median of the others."""
    return _filled(log.scene_s, log.arrives), np.where(log.delivered, _filled(log.after_s, log.delivered), 0.0)


def _observed_minutes(calls: Calls) -> Floats:
    """From each call to its first vehicle, as the log has it; nothing of fewer than five, which may point to a person."""
    seconds = leg_s(calls, RECEIVED, ARRIVED)
    known = np.flatnonzero(~np.isnan(seconds))
    order = known[np.lexsort((seconds[known], calls.call[known]))]
    first = order[np.unique(calls.call[order], return_index=True)[1]]
    return seconds[first] / 60 if len(first) >= FEW else np.zeros(0)


def _filled(seconds: Floats, mine: Bools) -> Floats:
    """Seconds, with the median of mine that are known in the place of those that are not; 0 where none is known."""
    known = seconds[mine & np.isfinite(seconds)]
    return np.where(np.isnan(seconds), np.median(known) if len(known) else 0.0, seconds)


def _mean_minutes(seconds: Floats) -> float:
    return float(seconds.mean()) / 60 if len(seconds) else float("nan")
