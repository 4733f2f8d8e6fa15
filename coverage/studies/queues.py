"""Waiting at a service point with lanes: a fluid queue, first come, first served.

Of n people the share A(t) has come t hours after opening; lanes × rate people are served an hour. Who comes at t waits

    W(t) = max over s ≤ t of  n (A(t) − A(s)) ÷ (lanes × rate) − (t − s)

hours: the queue has lasted since s. While people come so fast that the queue has lasted since opening, s = 0, and the worst wait is
max over t of n A(t) ÷ (lanes × rate) − t; an idle lane before a late rush helps nobody, which that shorter formula would not see.
A is straight between the corners of a profile, so that every maximum is at corners, and lanes that are needed follow in closed form.

SOURCE: Newell, Applications of Queueing Theory, 1982, doi:10.1007/978-94-009-5970-5, chapter 2; Lindley 1952,
doi:10.1017/S0305004100027638.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geodata.pack import read_only
from geodata.roads import Floats, Ints

ROUNDING = 1e-9  # 600 people at exactly 600 an hour are done within the hour


@dataclass(frozen=True, eq=False)
class Arrivals:
    """When people come: in each stretch of time evenly.

    Attributes
    ----------
    hour : (stretches + 1,) float64
        Corners, in hours after opening; the first is 0.
    share : (stretches + 1,) float64
        Of all people, how many have come by then: from 0 to 1.
    """

    hour: Floats
    share: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    @classmethod
    def even(cls, hours: float) -> Arrivals:
        """Evenly from opening, for so many hours."""
        return cls(np.array([0.0, hours]), np.array([0.0, 1.0]))

    @classmethod
    def hourly(cls, shares: Sequence[float]) -> Arrivals:
        """By the share of each hour after opening; the last hours without anybody are left out."""
        come = np.trim_zeros(np.asarray(shares, dtype=np.float64), "b")
        return cls(np.arange(len(come) + 1.0), np.append(0.0, np.cumsum(come) / come.sum()))

    @property
    def end(self) -> float:
        """Hours after opening when the last one comes."""
        return float(self.hour[-1])

    @property
    def spans(self) -> tuple[Floats, Floats]:
        """Hours and share between every two corners."""
        first, last = np.triu_indices(len(self.hour), 1)
        return self.hour[last] - self.hour[first], self.share[last] - self.share[first]


def worst_wait_h(per_lane: Floats, rate: float, arrivals: Arrivals) -> Floats:
    """Longest time that anybody waits.

    Parameters
    ----------
    per_lane : (sites,) float64
        People for each lane.
    rate : float
        People that a lane serves in an hour.
    arrivals : Arrivals

    Returns
    -------
    (sites,) float64
        Hours; 0 where nobody waits or nobody comes.
    """
    hours, share = arrivals.spans
    return np.asarray(np.maximum(0.0, (np.outer(per_lane / rate, share) - hours).max(axis=1)))


def finish_h(per_lane: Floats, rate: float, arrivals: Arrivals) -> Floats:
    """Hours after opening when the last one is done: max over s of s + n (1 − A(s)) ÷ (lanes × rate), never before the last one comes."""
    return np.asarray((arrivals.hour + np.outer(per_lane / rate, 1.0 - arrivals.share)).max(axis=1))


def lanes_to_finish(people: Ints, rate: float, arrivals: Arrivals, *, hours: float) -> Ints:
    """Fewest lanes with which the last one is done within so many hours after opening; 0 where nobody comes."""
    before = arrivals.hour < hours
    return _whole_lanes(people * ((1.0 - arrivals.share[before]) / (hours - arrivals.hour[before])).max() / rate)


def lanes_to_keep_wait(people: Ints, rate: float, arrivals: Arrivals, *, wait_h: float) -> Ints:
    """Fewest lanes with which nobody waits longer than so many hours; 0 where nobody comes."""
    hours, share = arrivals.spans
    return _whole_lanes(people * (share / (hours + wait_h)).max() / rate)


def enough_per_lane(rate: float, arrivals: Arrivals, *, wait_h: float) -> float:
    """Most people for a lane that make nobody wait longer, and are done when the last one comes."""
    hours, share = arrivals.spans
    busy = arrivals.share < 1.0
    to_finish = ((1.0 - arrivals.share[busy]) / (arrivals.end - arrivals.hour[busy])).max()
    return rate / max(float(to_finish), float((share / (hours + wait_h)).max()))


def _whole_lanes(lanes: Floats) -> Ints:
    return np.asarray(np.ceil(lanes * (1 - ROUNDING)), dtype=np.int64)
