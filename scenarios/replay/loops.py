"""The compiled loop of a replay, and nothing else: what it means is told in ``scenarios.replay.core``."""

from __future__ import annotations

from typing import NamedTuple

from coverage.compiled import compiled
from geodata.roads import Bools, Ints


class Work(NamedTuple):
    """The columns of ``replay_core.Jobs``, with the moment at which each is ready."""

    ready_ms: Ints
    place: Ints
    hold_ms: Ints
    arrives: Bools
    delivered: Bools


class Answers(NamedTuple):
    """What is filled: from when on each vehicle can go; of each job its vehicle, when that is sent, when it is free again."""

    free_ms: Ints
    vehicle: Ints
    start_ms: Ints
    until_ms: Ints


@compiled
def send(work: Work, go_ms: Ints, back_ms: Ints, vehicle_point: Ints, answers: Answers) -> None:
    """Send a vehicle to one job after another."""
    ready_ms, place, hold_ms, arrives, delivered = work
    free_ms, vehicle, start_ms, until_ms = answers
    for job in range(len(ready_ms)):
        ready, where, best, best_start, best_go = ready_ms[job], place[job], -1, 0, 0
        for one in range(len(vehicle_point)):
            go = go_ms[where, vehicle_point[one]]
            if go < 0:
                continue
            start = max(ready, free_ms[one])
            if best < 0 or start < best_start or (start == best_start and go < best_go):
                best, best_start, best_go = one, start, go
        vehicle[job] = best
        if best < 0:
            continue
        until = best_start + hold_ms[job]
        if arrives[job]:
            until += best_go + back_ms[int(delivered[job]), where, vehicle_point[best]]
        start_ms[job], until_ms[job], free_ms[best] = best_start, until, until
