"""What is played: the runs of a 120 log, or calls that are made up from a seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.calls.model import RECEIVED
from geodata.errors import OptionError, Problem
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition
from scenarios.call_runs import HOUR_S
from scenarios.referral import LEAST_LEGS
from scenarios.replay.core import Jobs
from scenarios.replay.log import LogRuns, held_s, log_plays, log_runs
from scenarios.replay.terms import Played, Plays, ReplayTerms
from scenarios.siting.region.weights import Weigh, weights

HOUR_MS, HOURS = 3_600_000, 24


def plays(prepared: Prepared, definition: ServiceDefinition, terms: ReplayTerms) -> Plays:
    """Make the jobs ready: those of the log, or made-up ones.

    Raises
    ------
    OptionError
        No log, and calls are not made up; minutes that neither the log nor an option says; nobody to call.
    """
    log = log_runs(prepared, definition, terms) if len(prepared.region.calls) else None
    if log is not None and not log.arrives.any():
        log = None  # nothing in it can be played: no place is known, or all were cancelled
    if terms.per_day is None and log is None:
        zh = "本地区没有可回放的 120 记录：请用 --synthetic 每天次数 产生随机呼救，或在 region.toml 中写 [calls] 和 file = …。"
        en = "This region has no 120 log that can be played: make up calls by --synthetic PER_DAY, or write [calls] and file = … into "
        raise OptionError(Problem(zh, f"{en}region.toml."))
    _refuse_unknown(log, terms)
    if terms.per_day is not None:
        return _made_up(prepared, terms, log, terms.per_day)
    if log is None:
        raise AssertionError  # refused above
    return log_plays(prepared, log, terms)


def _refuse_unknown(log: LogRuns | None, terms: ReplayTerms) -> None:
    """Refuse to guess how long a vehicle is held."""
    lacking = []
    if terms.scene_minutes is None and (log is None or _known(log.scene_s, log.arrives) < LEAST_LEGS):
        lacking.append(("--scene", "现场停留", "on the scene"))
    if terms.after_scene_minutes is None and (log is None or _known(log.after_s, log.delivered) < LEAST_LEGS):
        lacking.append(("--after-scene", "送院与交接合计", "of transport and handover"))
    if lacking:
        why = (
            ("没有 120 记录", "There is no 120 log")
            if log is None
            else (f"120 记录中写明的不足 {LEAST_LEGS} 次", f"Fewer than {LEAST_LEGS} runs of the 120 log say so")
        )
        raise OptionError(
            *(
                Problem(f"{why[0]}：请用 {option} 给出{zh}的分钟数。", f"{why[1]}: give the minutes {en} by {option}.")
                for option, zh, en in lacking
            )
        )


def _known(seconds: Floats, which: Bools) -> int:
    return int(np.isfinite(seconds[which]).sum())


class _Source(NamedTuple):
    """What made-up calls are drawn from: how long a vehicle is held, and where; a place of its own for each if there are no `shares`."""

    scene_s: Floats
    after_s: Floats
    delivered: Bools
    spots: Floats
    spot: Ints
    home: Ints
    shares: Floats | None


def _source(prepared: Prepared, log: LogRuns | None, terms: ReplayTerms, weigh: Weigh) -> _Source:
    """Runs of the log, or the minutes given, everybody taken to a hospital; their places, or settlements by weight."""
    if log is None:
        scene, after = (np.array([(minutes or 0.0) * 60]) for minutes in (terms.scene_minutes, terms.after_scene_minutes))
        held = (scene, after, np.array([True]))
    else:
        mine = np.flatnonzero(log.arrives)
        scene, after = held_s(log)
        held = (scene[mine], after[mine], log.delivered[mine])
        if weigh == "calls":
            return _Source(*held, log.spots, log.spot[mine], log.home[mine], None)
    counted = weights(prepared, weigh)
    home = np.flatnonzero(counted > 0)
    if len(home) == 0:
        raise OptionError(Problem("没有可以产生呼救的村（社区）。", "There is no settlement for calls to come from."))
    return _Source(*held, prepared.region.demand.lonlat[home], np.arange(len(home)), home, counted[home] / counted[home].sum())


def _made_up(prepared: Prepared, terms: ReplayTerms, log: LogRuns | None, per_day: float) -> Plays:
    """Draw calls: Poisson by the hour of the day, one vehicle each, none cancelled."""
    weigh: Weigh = terms.weigh or ("residents" if log is None else "calls")
    source, hourly = _source(prepared, log, terms, weigh), _profile(prepared) * per_day
    runs = tuple(_drawn(np.random.default_rng([terms.seed, run]), hourly, terms.days, source) for run in range(terms.runs))
    played = Played(
        source="synthetic",
        first_day="",
        days=terms.days,
        runs=terms.runs,
        calls=sum(len(jobs) for jobs in runs),
        scene_minutes=float(source.scene_s.mean()) / 60,
        after_minutes=float(source.after_s[source.delivered].mean()) / 60 if source.delivered.any() else float("nan"),
        scene_from="log" if terms.scene_minutes is None else "given",
        after_from="log" if terms.after_scene_minutes is None else "given",
        profile="log" if len(prepared.region.calls) else "even",
        weigh=weigh,
    )
    return Plays(source.spots, runs, played)


def _profile(prepared: Prepared) -> Floats:
    """Share of the calls in each hour of the day: of the log, else all alike."""
    calls = prepared.region.calls
    if len(calls) == 0:
        return np.full(HOURS, 1 / HOURS)
    first = np.unique(calls.call, return_index=True)[1]
    count = np.bincount(calls.stamp_s[first, RECEIVED] // HOUR_S % HOURS, minlength=HOURS)
    return np.asarray(count / count.sum())


def _drawn(rng: np.random.Generator, hourly: Floats, days: int, source: _Source) -> Jobs:
    count = rng.poisson(np.tile(hourly, days))
    hour = np.repeat(np.arange(len(count)), count)
    received = np.sort(hour * HOUR_MS + rng.integers(0, HOUR_MS, len(hour)))
    of = rng.integers(0, len(source.scene_s), len(hour))
    place = of if source.shares is None else rng.choice(len(source.spot), len(hour), p=source.shares)
    return Jobs(
        received_ms=received,
        call=np.arange(len(hour)),
        place=source.spot[place],
        home=source.home[place],
        hold_ms=np.rint((source.scene_s[of] + source.after_s[of]) * 1000).astype(np.int64),
        arrives=np.ones(len(hour), dtype=bool),
        delivered=source.delivered[of],
    )
