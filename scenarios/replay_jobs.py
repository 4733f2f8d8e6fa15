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
from scenarios.replay_core import Jobs
from scenarios.replay_log import LogRuns, log_plays, log_runs
from scenarios.replay_terms import Played, Plays, ReplayTerms
from scenarios.siting.weights import Weigh, weights

HOUR_MS, HOURS = 3_600_000, 24


def plays(prepared: Prepared, definition: ServiceDefinition, terms: ReplayTerms) -> Plays:
    """Make the jobs ready: those of the log, or made-up ones.

    Raises
    ------
    OptionError
        No log, and calls are not made up; minutes that neither the log nor an option says; nobody to call.
    """
    has_log = len(prepared.region.calls) > 0
    if terms.per_day is None and not has_log:
        zh = "本地区没有 120 记录：请用 --synthetic 每天次数 产生随机呼救，或在 region.toml 中写 [calls] 和 file = …。"
        en = "This region has no 120 log: make up calls by --synthetic PER_DAY, or write [calls] and file = … into region.toml."
        raise OptionError(Problem(zh, en))
    log = log_runs(prepared, definition, terms) if has_log else None
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


class _Holds(NamedTuple):
    """How long vehicles may be held, one of which is drawn for each made-up call."""

    scene_s: Floats
    after_s: Floats
    delivered: Bools


def _holds(log: LogRuns | None, terms: ReplayTerms) -> _Holds:
    """Runs of the log that say both, as they are; without a log the minutes given, and everybody is taken to a hospital."""
    if log is None:
        scene, after = (np.array([(minutes or 0.0) * 60]) for minutes in (terms.scene_minutes, terms.after_scene_minutes))
        return _Holds(scene, after, np.array([True]))
    after_s = np.where(log.delivered, log.after_s, 0.0)
    told = log.arrives & np.isfinite(log.scene_s) & np.isfinite(after_s)
    return _Holds(log.scene_s[told], after_s[told], log.delivered[told])


def _made_up(prepared: Prepared, terms: ReplayTerms, log: LogRuns | None, per_day: float) -> Plays:
    """Draw calls: Poisson by the hour of the day, each at a settlement by its weight, one vehicle each, none cancelled."""
    demand, holds = prepared.region.demand, _holds(log, terms)
    weigh: Weigh = terms.weigh or ("residents" if log is None else "calls")
    counted = weights(prepared, weigh)
    home = np.flatnonzero(counted > 0)
    if len(home) == 0:
        raise OptionError(Problem("没有可以产生呼救的村（社区）。", "There is no settlement for calls to come from."))
    share = counted[home] / counted[home].sum()
    hourly = _profile(prepared) * per_day
    runs = tuple(
        _drawn(np.random.default_rng([terms.seed, run]), hourly, terms.days, home=home, share=share, holds=holds)
        for run in range(terms.runs)
    )
    played = Played(
        source="synthetic",
        first_day="",
        days=terms.days,
        runs=terms.runs,
        calls=sum(len(jobs) for jobs in runs),
        scene_minutes=float(holds.scene_s.mean()) / 60,
        after_minutes=float(holds.after_s[holds.delivered].mean()) / 60 if holds.delivered.any() else float("nan"),
        scene_from="log" if terms.scene_minutes is None else "given",
        after_from="log" if terms.after_scene_minutes is None else "given",
        profile="even" if log is None else "log",
        weigh=weigh,
    )
    return Plays(demand.lonlat[home], runs, played)


def _profile(prepared: Prepared) -> Floats:
    """Share of the calls in each hour of the day: of the log, else all alike."""
    calls = prepared.region.calls
    if len(calls) == 0:
        return np.full(HOURS, 1 / HOURS)
    first = np.unique(calls.call, return_index=True)[1]
    count = np.bincount(calls.stamp_s[first, RECEIVED] // HOUR_S % HOURS, minlength=HOURS)
    return np.asarray(count / count.sum())


def _drawn(rng: np.random.Generator, hourly: Floats, days: int, *, home: Ints, share: Floats, holds: _Holds) -> Jobs:
    count = rng.poisson(np.tile(hourly, days))
    hour = np.repeat(np.arange(len(count)), count)
    received = np.sort(hour * HOUR_MS + rng.integers(0, HOUR_MS, len(hour)))
    place = rng.choice(len(home), len(hour), p=share)
    of = rng.integers(0, len(holds.scene_s), len(hour))
    return Jobs(
        received_ms=received,
        call=np.arange(len(hour)),
        place=place,
        home=home[place],
        hold_ms=np.rint((holds.scene_s[of] + holds.after_s[of]) * 1000).astype(np.int64),
        arrives=np.ones(len(hour), dtype=bool),
        delivered=holds.delivered[of],
    )
