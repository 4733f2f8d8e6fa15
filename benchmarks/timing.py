"""Timing side by side: several works in turn, round after round, in seconds of CPU, so that a busy machine disturbs all alike."""

from __future__ import annotations

import gc
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """Seconds of several runs of one work.

    Attributes
    ----------
    seconds : tuple of float
    """

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    def said(self, *, unit: float = 1e-3) -> str:
        """Median (least–most), in a unit of so many seconds."""
        middle, least, most = (figures(some / unit) for some in (self.median, min(self.seconds), max(self.seconds)))
        return f"{middle} ({least}–{most})"

    def divided(self, by: float) -> Spread:
        """Per piece of work."""
        return Spread(tuple(one / by for one in self.seconds))

    def times(self, other: Spread) -> str:
        """How many times the other's median this one's is."""
        return f"{figures(self.median / other.median)}×"


def figures(number: float) -> str:
    """Say a number in two figures, or in whole ones."""
    return f"{number:,.{max(0, 1 - math.floor(math.log10(number)))}f}" if number > 0 else "0"


def in_turn(works: Mapping[str, Callable[[], object]], *, rounds: int, clock: Callable[[], float] = time.process_time) -> dict[str, Spread]:
    """Run every work once a round and time it; each has run before, so that nothing is compiled or cached in the time."""
    found: dict[str, list[float]] = {name: [] for name in works}
    with no_collection():
        for _ in range(rounds):
            for name, work in works.items():
                started_s = clock()
                work()
                found[name].append(clock() - started_s)
    return {name: Spread(tuple(seconds)) for name, seconds in found.items()}


@contextmanager
def no_collection() -> Iterator[None]:
    """Without Python's garbage collector, which would walk the graphs that the other libraries keep."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def quiet() -> Iterator[None]:
    """Send what a library's C code prints to stderr: stdout is the report."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The b of seconds = a · size ** b, by least squares of the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
