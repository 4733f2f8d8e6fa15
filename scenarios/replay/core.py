"""The queue of a replay: jobs in the order of their calls, vehicles at points, and which vehicle goes to which job, when.

A job gets the vehicle that is free when it is ready and reaches it first. If none is free that can reach it, it waits, first come, first
served, for the first that comes free of those that can reach it (of several at that moment the one that is there first; then by id). A
vehicle is free again when it is back at its base; it is not sent on from a hospital or from the road. As calls are served in order, to
give each the earliest moment at which any vehicle can start is the same as to keep a queue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.pack import read_only
from geodata.roads import Bools, Ints

NO_WAY = -1  # a drive that does not exist


@dataclass(frozen=True, eq=False)
class Jobs:
    """What vehicles are sent to: one job a vehicle that a call needs, by the moment of the call.

    Attributes
    ----------
    received_ms : (jobs,) int64
        When the call came in, since the first midnight; never falling.
    call : (jobs,) int64
        Jobs of one call have the same number.
    place : (jobs,) int64
        A row of the drives.
    home : (jobs,) int64
        Position in the demand of the settlement that the call belongs to, -1 if none.
    hold_ms : (jobs,) int64
        On the scene, then on the way to a hospital and handing over; of a job that was cancelled on the way: from dispatch to free.
    arrives : (jobs,) bool
        Not cancelled on the way.
    delivered : (jobs,) bool
        The vehicle returns from the hospital, not from the scene.
    """

    received_ms: Ints
    call: Ints
    place: Ints
    home: Ints
    hold_ms: Ints
    arrives: Bools
    delivered: Bools

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """How many jobs."""
        return len(self.call)


@dataclass(frozen=True, eq=False)
class Drives:
    """How long the vehicles of each point need.

    Attributes
    ----------
    go_ms : (places, points) int64
        From being sent to arriving: turnout, drive and access; ``NO_WAY`` where there is none.
    back_ms : (2, places, points) int64
        From the scene back to the point; from the hospital of the place back to the point.
    """

    go_ms: Ints
    back_ms: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


@dataclass(frozen=True, eq=False)
class Sent:
    """Which vehicle went to each job, and when.

    Attributes
    ----------
    vehicle : (jobs,) int64
        -1 where none can reach the place.
    point : (jobs,) int64
        Of that vehicle, -1 likewise.
    start_ms : (jobs,) int64
        When it was sent; where none can, when the job was ready.
    until_ms : (jobs,) int64
        When it is free again; where none can, `start_ms`.
    go_ms : (jobs,) int64
        From being sent to arriving, ``NO_WAY`` where none can.
    """

    vehicle: Ints
    point: Ints
    start_ms: Ints
    until_ms: Ints
    go_ms: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def play(jobs: Jobs, drives: Drives, vehicles: Ints, *, handling_ms: int = 0) -> Sent:
    """Send vehicles to jobs; all are at their bases in the beginning.

    Parameters
    ----------
    jobs : Jobs
    drives : Drives
        Points in the order in which equally fast ones are taken.
    vehicles : (points,) int64
        At each point, 0 or more.
    handling_ms : int
        From the call until a vehicle can be sent.

    Returns
    -------
    Sent
    """
    from scenarios.replay.loops import Answers, Work, send  # noqa: PLC0415 — numba takes a second to import: only a replay pays it

    of = np.repeat(np.arange(len(vehicles)), vehicles)
    ready = jobs.received_ms + handling_ms
    answers = Answers(np.zeros(len(of), dtype=np.int64), np.full(len(jobs), -1), ready.copy(), ready.copy())
    work = Work(ready, jobs.place, jobs.hold_ms, jobs.arrives, jobs.delivered)
    send(work, drives.go_ms, drives.back_ms, of, answers)
    vehicle = answers.vehicle
    point = np.append(of, -1)[vehicle]
    go = np.full(len(jobs), NO_WAY)
    reached = np.flatnonzero(point >= 0)
    go[reached] = drives.go_ms[jobs.place[reached], point[reached]]
    return Sent(vehicle, point, answers.start_ms, answers.until_ms, go)
