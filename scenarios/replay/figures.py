"""The figures of a replay, and how sure they are.

Made-up calls: a figure is the mean over the runs, with Student's 95 % interval of it. A log: the figure of the log as it is, and the middle
95 % of the same figure over ``RESAMPLES`` draws of its days, with replacement: calls of a day stay together, for a queue makes them depend
on each other (bootstrap of blocks: Künsch 1989, doi:10.1214/aos/1176347265). Before and after a plan are played with the same calls, and
drawn with the same days, so that the interval of the change is much narrower than those of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtrit

from geodata.roads import Bools, Floats, Ints
from scenarios.replay.core import Drives, Jobs, Sent
from scenarios.replay.terms import DAY_MS

RESAMPLES: Final = 1000
AT_ONCE: Final = 100  # draws: bounds the memory
CONFIDENCE: Final = 0.95
LEAST_DAYS: Final = 7  # of a log, for an interval
MINUTE_MS: Final = 60_000
GROUPS: Final = ("all", "urban", "rural")
OF_GROUPS: Final = ("calls", "median_minutes", "p90_minutes", "share_within")
OF_ALL: Final = ("unreached_calls", "waiting_calls", "share_waiting", "wait_minutes", "share_not_nearest", "utilisation")
NAMES: Final = (*((figure, group) for group in GROUPS for figure in OF_GROUPS), *((figure, "all") for figure in OF_ALL))


@dataclass(frozen=True, eq=False)
class Told:
    """What became of every call of a run.

    Attributes
    ----------
    day : (calls,) int64
    urban : (calls,) bool
    response_ms : (calls,) float64
        From the call to the first vehicle; inf where none can reach it.
    within : (calls,) bool
        Within the limit of the class of settlement.
    wait_ms : (calls,) int64
        Until that vehicle was sent, beyond call handling; 0 where none can reach it.
    not_nearest : (calls,) bool
        Another point was nearer, but its vehicles were out.
    busy_ms : (days, points) int64
        For which vehicles sent to the calls of a day were out, up to the end of the last day.
    jobs : (points,) int64
        Vehicles sent.
    """

    day: Ints
    urban: Bools
    response_ms: Floats
    within: Bools
    wait_ms: Ints
    not_nearest: Bools
    busy_ms: Ints
    jobs: Ints


def told(jobs: Jobs, sent: Sent, drives: Drives, *, days: int, handling_ms: int, urban: Bools, limit_ms: Floats) -> Told:
    """Tell what became of every call; `urban` and `limit_ms` are of every job, `days` those that utilisation is counted over."""
    points = drives.go_ms.shape[1]
    response = np.where(sent.point >= 0, (sent.start_ms - jobs.received_ms + sent.go_ms).astype(np.float64), np.inf)
    mine = np.flatnonzero(jobs.arrives)
    order = mine[np.lexsort((mine, response[mine], jobs.call[mine]))]
    first = order[np.unique(jobs.call[order], return_index=True)[1]]  # of each call the vehicle that is there first
    reached = sent.point[first] >= 0
    go = np.where(drives.go_ms < 0, np.iinfo(np.int64).max, drives.go_ms)
    nearest = go.min(axis=1, initial=np.iinfo(np.int64).max)[jobs.place[first]]
    day = jobs.received_ms // DAY_MS
    out = np.clip(np.minimum(sent.until_ms, days * DAY_MS) - sent.start_ms, 0, None)
    used = sent.point >= 0
    busy = np.zeros((days, points), dtype=np.int64)
    np.add.at(busy, (day[used], sent.point[used]), out[used])
    return Told(
        day=day[first],
        urban=urban[first],
        response_ms=response[first],
        within=response[first] <= limit_ms[first],
        wait_ms=np.where(reached, sent.start_ms[first] - jobs.received_ms[first] - handling_ms, 0),
        not_nearest=reached & (sent.go_ms[first] > nearest),
        busy_ms=busy,
        jobs=np.bincount(sent.point[used], minlength=points),
    )


def measured(one: Told, vehicles: Ints, weight: Ints) -> Floats:
    """Work out every figure of ``NAMES``, then the utilisation of each point, for several weights of the days.

    Parameters
    ----------
    one : Told
    vehicles : (points,) int64
    weight : (draws, days) int64
        How often each day counts.

    Returns
    -------
    (draws, figures + points) float64
        Minutes and shares, nan where there is nothing to tell: no call, nobody who waits, no vehicle; too few reached for a percentile.
    """
    every, waits = np.ones(len(one.day), dtype=bool), one.wait_ms > 0
    columns: list[Floats] = []
    for mine in (every, one.urban, ~one.urban):
        calls, within = _calls(weight, one.day[mine]), _calls(weight, one.day[mine & one.within])
        columns += [calls, *_percentiles(one.response_ms[mine], one.day[mine], weight), _ratio(within, calls)]
    calls, waiting = columns[0], _calls(weight, one.day[waits])
    waited = _calls(weight, one.day, one.wait_ms / MINUTE_MS)
    out, hours = weight @ one.busy_ms, weight.sum(axis=1) * DAY_MS
    columns += [_calls(weight, one.day[np.isinf(one.response_ms)]), waiting, _ratio(waiting, calls), _ratio(waited, waiting)]
    columns += [_ratio(_calls(weight, one.day[one.not_nearest]), calls), _ratio(out.sum(axis=1), hours * vehicles.sum())]
    return np.column_stack([*columns, _ratio(out, hours[:, None] * vehicles)])


def _calls(weight: Ints, day: Ints, each: Floats | None = None) -> Floats:
    """Count calls, or add up something of each, over the days as they are weighed."""
    return np.asarray(weight @ np.bincount(day, weights=each, minlength=weight.shape[1]), dtype=np.float64)


def _ratio(part: Ints | Floats, whole: Ints | Floats) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _percentiles(response_ms: Floats, day: Ints, weight: Ints) -> tuple[Floats, Floats]:
    """Median and 90th percentile in minutes: the least observed that so many do not exceed; nan where so many are not reached."""
    if len(response_ms) == 0:
        return np.full(len(weight), np.nan), np.full(len(weight), np.nan)
    order = np.argsort(response_ms, kind="stable")
    values, of_day = response_ms[order] / MINUTE_MS, day[order]
    found = np.full((2, len(weight)), np.nan)
    for start in range(0, len(weight), AT_ONCE):
        heap = weight[start : start + AT_ONCE, of_day].cumsum(axis=1)
        for row, tenths in enumerate((5, 9)):
            wanted = -(-heap[:, -1] * tenths // 10)
            at = (heap < wanted[:, None]).sum(axis=1)
            found[row, start : start + AT_ONCE] = np.where(wanted > 0, values[at], np.nan)
    found[~np.isfinite(found)] = np.nan
    return found[0], found[1]


@dataclass(frozen=True, eq=False)
class Sample:
    """Figures and where they may lie.

    Attributes
    ----------
    value : (figures,) float64
        Of the log, or the mean over runs.
    draws : (draws, figures) float64
        Over drawn days, or of each run.
    is_log : bool
        Says what the draws are.
    """

    value: Floats
    draws: Floats
    is_log: bool

    def minus(self, other: Sample) -> Sample:
        """The change from another, draw by draw."""
        return Sample(self.value - other.value, self.draws - other.draws, self.is_log)

    def interval(self) -> tuple[Floats, Floats]:
        """The 95 % interval of every figure; nan where there is none."""
        return _middle(self.draws) if self.is_log else _student(self.value, self.draws)


def sampled(runs: Sequence[Told], vehicles: Ints, *, days: int, is_log: bool, seed: int) -> Sample:
    """Work out the figures of all runs; of a log also those of drawn days."""
    once = np.ones((1, days), dtype=np.int64)
    each = np.vstack([measured(one, vehicles, once) for one in runs])
    if not is_log:
        known = (~np.isnan(each)).sum(axis=0)
        return Sample(np.where(known > 0, np.nansum(each, axis=0) / np.maximum(known, 1), np.nan), each, is_log=False)
    draws = RESAMPLES if days >= LEAST_DAYS else 0
    weight = np.random.default_rng(seed).multinomial(days, np.full(days, 1 / days), size=draws)
    return Sample(each[0], measured(runs[0], vehicles, weight), is_log=True)


def _middle(draws: Floats) -> tuple[Floats, Floats]:
    """The middle of the draws; none where some draws have nothing to tell."""
    low, high = np.full((2, draws.shape[1]), np.nan)
    whole = ~np.isnan(draws).any(axis=0)
    if len(draws):
        beyond = (1 - CONFIDENCE) / 2
        low[whole], high[whole] = np.quantile(draws[:, whole], [beyond, 1 - beyond], axis=0, method="inverted_cdf")
    return low, high


def _student(value: Floats, draws: Floats) -> tuple[Floats, Floats]:
    """Student's interval of the mean over the runs that have something to tell; none of fewer than two."""
    known = (~np.isnan(draws)).sum(axis=0)
    several = np.maximum(known, 2)
    spread = np.sqrt(np.nansum((draws - value) ** 2, axis=0) / (several - 1))
    half = np.where(known > 1, stdtrit(several - 1, (1 + CONFIDENCE) / 2) * spread / np.sqrt(several), np.nan)
    return value - half, value + half
