"""How a time is distributed over people: mean, percentiles, the worst-off tenth, Gini, Theil. Who is not reached is given no time."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from coverage.serving import MS_PER_MINUTE
from geodata.roads import Floats, Ints

TENTHS = 10
ROUNDING = 1e-9  # sums of parts of people (raster cells) are not exact


class TimeFigures(NamedTuple):
    """What is told of a time over people; nan where nobody lives, or nobody is reached.

    Attributes
    ----------
    people, unreached_people : float
        All, and those without any way.
    mean_minutes : float
        Of those reached.
    mean_at_least_minutes : float
        Of all, if whoever is not reached needs at least as long as the slowest who is.
    median_minutes, p90_minutes : float
        The least time within which half and nine tenths of *all* are; nan where so many are not reached.
    tenth_least_minutes, tenth_mean_minutes : float
        The tenth of people with the longest times, those not reached first: the time at which it begins, the mean of those reached in it.
    tenth_mean_at_least_minutes : float
        Of the whole tenth, as `mean_at_least_minutes`.
    tenth_unreached_people : float
    gini, gini_at_least, theil : float
        Of those reached, and of all as `mean_at_least_minutes`: see :func:`gini` and :func:`theil`. Raising the longest times lowers the
        Lorenz curve everywhere, so that the Gini of all is not less than `gini_at_least`.
    """

    people: float
    unreached_people: float
    mean_minutes: float
    mean_at_least_minutes: float
    median_minutes: float
    p90_minutes: float
    tenth_least_minutes: float
    tenth_mean_minutes: float
    tenth_mean_at_least_minutes: float
    tenth_unreached_people: float
    gini: float
    gini_at_least: float
    theil: float


def time_figures(ms: Floats, people: Floats) -> TimeFigures:
    """Tell how a time is distributed over people.

    Parameters
    ----------
    ms : (points,) float64
        Milliseconds; inf where there is no way.
    people : (points,) float64
        Not negative.
    """
    lived = people > 0
    ms, people = ms[lived], people[lived]
    reached = np.isfinite(ms)
    minutes = np.where(reached, ms, 0.0) / MS_PER_MINUTE
    slowest = float(minutes.max(initial=0.0)) if reached.any() else math.nan
    at_least = np.where(reached, minutes, slowest)
    tenth = worst_off(ms, people)
    begins = minutes[reached & (tenth > ROUNDING * people.sum())]
    return TimeFigures(
        people=math.fsum(people),
        unreached_people=math.fsum(people[~reached]),
        mean_minutes=_mean(minutes[reached], people[reached]),
        mean_at_least_minutes=_mean(at_least, people),
        median_minutes=quantile(ms, people, 0.5) / MS_PER_MINUTE,
        p90_minutes=quantile(ms, people, 0.9) / MS_PER_MINUTE,
        tenth_least_minutes=float(begins.min()) if len(begins) else math.nan,
        tenth_mean_minutes=_mean(minutes[reached], tenth[reached]),
        tenth_mean_at_least_minutes=_mean(at_least, tenth),
        tenth_unreached_people=math.fsum(tenth[~reached]),
        gini=gini(minutes[reached], people[reached]),
        gini_at_least=gini(at_least, people),
        theil=theil(minutes[reached], people[reached]),
    )


def quantile(values: Floats, people: Floats, share: float) -> float:
    """The least value that this share of the people does not exceed; nan if there is nobody, or the value is inf.

    >>> quantile(np.array([5.0, 9.0, np.inf]), np.array([5.0, 4.0, 1.0]), 0.9)
    9.0
    """
    order = np.argsort(values, kind="stable")
    upto = np.cumsum(people[order])
    if len(upto) == 0 or upto[-1] == 0:
        return math.nan
    at = int(np.searchsorted(upto, share * upto[-1] * (1 - ROUNDING)))
    found = float(values[order][at])
    return found if math.isfinite(found) else math.nan


def worst_off(values: Floats, people: Floats) -> Floats:
    """How many people of each point belong to the tenth with the highest values: the last point is split, equal ones in proportion.

    Returns
    -------
    (points,) float64
        Adds up to a tenth of the people.

    Examples
    --------
    >>> worst_off(np.array([3.0, 9.0, 7.0]), np.array([15.0, 1.0, 4.0])).tolist()
    [0.0, 1.0, 1.0]
    """
    at, weight = _levels(values, people)[1:]
    above = np.append(np.cumsum(weight[::-1])[::-1][1:], 0.0)
    taken = np.clip(weight.sum() / TENTHS - above, 0.0, weight)
    share = np.divide(taken, weight, out=np.zeros(len(weight)), where=weight > 0)
    return np.asarray(people * share[at])


def gini(values: Floats, people: Floats) -> float:
    """Gini coefficient: half the mean difference between two people drawn at random, as a share of the mean. 0: all need as long.

    G = Σᵢ Σⱼ wᵢ wⱼ |tᵢ − tⱼ| ÷ (2 W² t̄), in one pass over the sorted values. It is relative: twice the time for all leaves it as it is,
    and a low one can go with long times for everybody. nan if there is nobody; 0 if all values are 0.

    Source: C. Gini (1912); weighted as in C. Damgaard and J. Weiner (2000), doi:10.1890/0012-9658(2000)081[1139:DIIPSO]2.0.CO;2; on travel
    A. Delbosc and G. Currie (2011), doi:10.1016/j.jtrangeo.2011.02.008.

    >>> gini(np.array([0.0, 10.0]), np.array([1.0, 1.0]))
    0.5
    """
    value, _, weight = _levels(values, people)
    total = float(weight @ value)
    if total == 0:
        return 0.0 if weight.sum() > 0 else math.nan
    below, of_them = (np.append(0.0, np.cumsum(some)[:-1]) for some in (weight, weight * value))
    return float(weight @ (value * below - of_them) / (weight.sum() * total))


def theil(values: Floats, people: Floats) -> float:
    """Theil's T: Σ wᵢ ÷ W · (tᵢ ÷ t̄) ln(tᵢ ÷ t̄). 0: all need as long; nan if there is nobody.

    Source: H. Theil (1967); A. Shorrocks (1980), doi:10.2307/1913126.
    """
    ratio = _ratio(values, people)
    return max(0.0, float(people @ xlogy(ratio, ratio) / people.sum())) if people.sum() > 0 else math.nan


def theil_between(values: Floats, people: Floats, group: Ints) -> float:
    """The part of Theil's T that stands between groups: T if everybody needed the mean of his group; the rest stands within them.

    Source: A. Shorrocks (1980), doi:10.2307/1913126.
    """
    at, of = np.unique(group, return_inverse=True)
    there, total = (np.asarray(np.bincount(of, some, len(at)), dtype=np.float64) for some in (people, people * values))
    return theil(np.divide(total, there, out=np.zeros(len(at)), where=there > 0), there)


def _ratio(values: Floats, people: Floats) -> Floats:
    """Each value as a share of the mean; 1 if all are 0."""
    mean = _mean(values, people)
    return np.asarray(values / mean) if mean > 0 else np.ones(len(values))


def _mean(values: Floats, people: Floats) -> float:
    whole = math.fsum(people)
    return math.fsum(values * people) / whole if whole > 0 else math.nan


def _levels(values: Floats, people: Floats) -> tuple[Floats, Ints, Floats]:
    """The distinct values in ascending order, which of them each point has, and the people at each."""
    value, at = np.unique(values, return_inverse=True)
    return value, at, np.asarray(np.bincount(at, people, len(value)), dtype=np.float64)
