"""What a replay is asked, and what it plays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from geodata.errors import OptionError, Problem
from geodata.pack import read_only
from geodata.roads import Floats
from scenarios.replay.core import Jobs
from scenarios.siting.region.weights import Weigh

DAY_MS: Final = 86_400_000
MOST_CALLS: Final = 5_000_000  # a run: more is a slip of the pen


@dataclass(frozen=True, kw_only=True)
class ReplayTerms:
    """How a replay is asked.

    Attributes
    ----------
    per_day : float or None
        Made-up calls a day; None: the calls of the log.
    days, runs : int
        Of made-up calls; a log has its own days and is played once.
    seed : int
        Of made-up calls, and of the confidence of a log.
    weigh : "residents", "old", "calls" or None
        Where made-up calls come from: settlements by their weight, or ("calls") the place of a call of the log, with its times; None: calls
        where there is a log, else residents.
    scene_minutes, after_scene_minutes : float or None
        On the scene; transport and handing over of those who are taken to a hospital. None: of the log.
    """

    per_day: float | None = None
    days: int = 365
    runs: int = 20
    seed: int = 15
    weigh: Weigh | None = None
    scene_minutes: float | None = None
    after_scene_minutes: float | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be, all problems at once."""
        problems = []
        if self.per_day is not None and not 0 < self.per_day < math.inf:
            given = f"{self.per_day:g}"
            problems.append(
                Problem(
                    f"--synthetic：每天的呼救次数须大于 0（给出 {given}）。", f"--synthetic: calls a day must be more than 0 ({given})."
                )
            )
        for option, value, least in (("--days", self.days, 1), ("--runs", self.runs, 1), ("--seed", self.seed, 0)):
            if value < least:
                problems.append(Problem(f"{option} 须不小于 {least}（给出 {value}）。", f"{option} must be {least} or more ({value})."))
        for option, minutes in (("--scene", self.scene_minutes), ("--after-scene", self.after_scene_minutes)):
            if minutes is not None and not 0 <= minutes < math.inf:
                problems.append(
                    Problem(f"{option} 须为不小于 0 的分钟数（给出 {minutes:g}）。", f"{option} must be 0 minutes or more ({minutes:g}).")
                )
        if not problems and self.per_day is not None and self.per_day * self.days > MOST_CALLS:
            zh = f"--synthetic × --days 至多 {MOST_CALLS:,} 次呼救。"
            problems.append(Problem(zh, f"--synthetic times --days may be {MOST_CALLS:,} calls at most."))
        if problems:
            raise OptionError(*problems)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What was played.

    Attributes
    ----------
    source : "log" or "synthetic"
    first_day : str
        Of the log; "" for made-up calls.
    days, runs : int
    calls : int
        Of all runs: those that a vehicle was sent to and that could be placed.
    records, cancelled_before, without_place : int
        Of the log: rows; those that were cancelled before a vehicle was sent, and those whose place is not known, which are not played.
    cancelled_on_way : int
        Of the log: played, and counted in no response.
    no_settlement : int
        Calls played that belong to no settlement; they are held against the rural limit.
    scene_minutes, after_minutes : float
        Means: on the scene; transport and handing over of those who are taken to a hospital.
    scene_from, after_from : "given" or "log"
    scene_assumed, after_assumed : int
        Jobs of a log without the stamps: the median of the others.
    observed_calls : int
        Calls of a log that say when the first vehicle arrived,
    observed_median_minutes, observed_p90_minutes : float
        and their response.
    profile : "log" or "even"
        When made-up calls come.
    weigh : "residents", "old", "calls" or ""
        Where made-up calls come from; "" for a log.
    """

    source: Literal["log", "synthetic"]
    first_day: str
    days: int
    runs: int
    calls: int
    records: int = 0
    cancelled_before: int = 0
    without_place: int = 0
    cancelled_on_way: int = 0
    no_settlement: int = 0
    scene_minutes: float
    after_minutes: float
    scene_from: Literal["given", "log"]
    after_from: Literal["given", "log"]
    scene_assumed: int = 0
    after_assumed: int = 0
    observed_calls: int = 0
    observed_median_minutes: float = math.nan
    observed_p90_minutes: float = math.nan
    profile: Literal["log", "even"]
    weigh: Weigh | Literal[""] = ""


@dataclass(frozen=True, eq=False)
class Plays:
    """The jobs of every run, and where they are.

    Attributes
    ----------
    spots : (spots, 2) float64, degrees WGS84
    runs : tuple of Jobs
    played : Played
    """

    spots: Floats
    runs: tuple[Jobs, ...]
    played: Played

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)
