"""The compiled loops of the p-median: who is nearest, what a swap changes, what a bound is made of.

What they mean is told in ``scenarios.siting.median.swaps`` and ``scenarios.siting.median.bound``.

A demand point's *outside* is what it costs to leave it to nobody who is still to be chosen: the cost to the nearest site that is chosen in
any case, or the charge for being without a route. Costs beyond it are never looked at.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coverage.compiled import compiled
from scenarios.siting.question import Ints, Mask, Numbers

OUTSIDE = -1  # the place of what is not among the chosen
PATIENCE = 10  # rounds without a better bound before steps become shorter,
SLOWER = 0.7  # by this factor
LEAST_RISE = 1e-5  # a bound that rises by less than this share is not better
FRESH_STEP = 0.7  # how much a round's own direction counts in its step; the rest are the rounds before
FRESH = 0.1  # how much a round counts in the share of openings


class Rows(NamedTuple):
    """Of each demand point the candidates and their costs: the places ``first[i]:first[i + 1]``."""

    first: Ints
    at: Ints
    cost: Numbers


class Served(NamedTuple):
    """Of each demand point the places, among the chosen, of its nearest two, and what they cost (times people)."""

    one: Ints
    one_cost: Numbers
    two: Ints
    two_cost: Numbers


class Worth(NamedTuple):
    """What changes the total: a candidate more saves `gain`, a chosen one less loses `loss`; both at once save `extra` besides."""

    gain: Numbers
    loss: Numbers
    extra: Numbers


class Ascent(NamedTuple):
    """Where the ascent of a bound stands.

    Prices that demand points pay (now, and the best), how freely each moves, what candidates are worth at the best ones, how often each
    was among those opened lately, and the last direction.
    """

    price: Numbers
    scale: Numbers
    best_price: Numbers
    best_reduced: Numbers
    share: Numbers
    step: Numbers


@compiled
def room(rows: Rows, outside: Numbers, is_open: Mask, enough: int) -> tuple[Ints, Numbers]:
    """How many candidates of each demand point are kept (about so many, the nearest), and the cost from which on none is."""
    first, at, cost = rows
    kept, cap = np.zeros(outside.size, dtype=np.int64), outside.copy()
    buffer = np.empty(is_open.size)
    for person in range(outside.size):
        count = 0
        for entry in range(first[person], first[person + 1]):
            if is_open[at[entry]] and cost[entry] < outside[person]:
                buffer[count] = cost[entry]
                count += 1
        kept[person] = count
        if count > 2 * enough:
            limit = np.partition(buffer[:count], enough)[enough]
            kept[person] = 0
            for entry in range(count):
                if buffer[entry] <= limit:
                    kept[person] += 1
                else:
                    cap[person] = min(cap[person], buffer[entry])
    return kept, cap


@compiled
def nearest(rows: Rows, people: Numbers, cap: Numbers, is_open: Mask, near: Rows) -> None:
    """Fill `near` with the open candidates below the cap, the nearest first; costs times people."""
    first, at, cost = rows
    start, near_at, near_cost = near
    for person in range(cap.size):
        fill = start[person]
        for entry in range(first[person], first[person + 1]):
            if is_open[at[entry]] and cost[entry] < cap[person]:
                near_at[fill], near_cost[fill] = at[entry], cost[entry] * people[person]
                fill += 1
        order = np.argsort(near_cost[start[person] : fill], kind="mergesort")
        near_cost[start[person] : fill] = near_cost[start[person] : fill][order]
        near_at[start[person] : fill] = near_at[start[person] : fill][order]


@compiled
def among(rows: Rows, number: Ints) -> Rows:
    """Keep the candidates that have a new number."""
    first, at, cost = rows
    start = np.zeros_like(first)
    for person in range(first.size - 1):
        start[person + 1] = start[person]
        for entry in range(first[person], first[person + 1]):
            start[person + 1] += number[at[entry]] >= 0
    kept_at, kept_cost, fill = np.empty(start[-1], dtype=at.dtype), np.empty(start[-1]), 0
    for entry in range(at.size):
        if number[at[entry]] >= 0:
            kept_at[fill], kept_cost[fill] = number[at[entry]], cost[entry]
            fill += 1
    return Rows(start, kept_at, kept_cost)


@compiled
def _cost_to(first: Ints, at: Ints, cost: Numbers, person: int, site: int) -> float:
    low, high = first[person], first[person + 1]
    if low + site < high and at[low + site] == site:  # every candidate before it has a route
        return float(cost[low + site])
    while low < high:
        middle = (low + high) >> 1
        if at[middle] < site:
            low = middle + 1
        else:
            high = middle
    return float(cost[low]) if low < first[person + 1] and at[low] == site else np.inf


@compiled
def serve(rows: Rows, people: Numbers, outside: Numbers, chosen: Ints, persons: Ints, served: Served) -> None:  # noqa: PLR0917  called by position
    """Find the nearest two of the chosen for some demand points; of equal ones the first."""
    first, at, cost = rows
    one, one_cost, two, two_cost = served
    for person in persons:
        best, second = OUTSIDE, OUTSIDE
        best_cost, second_cost = outside[person], outside[person]
        for place in range(chosen.size):
            if chosen[place] == OUTSIDE:
                continue
            new = _cost_to(first, at, cost, person, chosen[place])
            if new < best_cost:
                best, second, best_cost, second_cost = place, best, new, best_cost
            elif new < second_cost:
                second, second_cost = place, new
        one[person], one_cost[person] = best, best_cost * people[person]
        two[person], two_cost[person] = second, second_cost * people[person]


@compiled
def affected(rows: Rows, people: Numbers, served: Served, place: int, site: int) -> Ints:
    """Which demand points have another nearest or second when the one chosen at `place` goes and `site` comes."""
    first, at, cost = rows
    one, _, two, two_cost = served
    found, count = np.empty(people.size, dtype=np.int64), 0
    for person in range(people.size):
        if one[person] == place or two[person] == place or _cost_to(first, at, cost, person, site) * people[person] < two_cost[person]:
            found[count] = person
            count += 1
    return found[:count]


@compiled
def weigh(rows: Rows, near: Rows, cap: Numbers, people: Numbers, served: Served, persons: Ints, sign: float, worth: Worth) -> None:  # noqa: PLR0917  called by position
    """Add (sign 1) or take away (-1) what some demand points contribute to the worth of swaps (Resende & Werneck 2007)."""
    first, at, cost = rows
    near_first, near_at, near_cost = near
    one, one_cost, _, two_cost = served
    gain, loss, extra = worth
    for person in persons:
        place, nearest_cost, second_cost = one[person], one_cost[person], two_cost[person]
        if place != OUTSIDE:
            loss[place] += sign * (second_cost - nearest_cost)
        if second_cost <= cap[person] * people[person]:
            for entry in range(near_first[person], near_first[person + 1]):
                if near_cost[entry] >= second_cost:
                    break
                _weigh_one(gain, extra, near_at[entry], near_cost[entry], place, nearest_cost, second_cost, sign)
        else:
            for entry in range(first[person], first[person + 1]):
                if cost[entry] * people[person] < second_cost:
                    _weigh_one(gain, extra, at[entry], cost[entry] * people[person], place, nearest_cost, second_cost, sign)


@compiled
def _weigh_one(  # noqa: PLR0917  called by position
    gain: Numbers, extra: Numbers, site: int, cost: float, place: int, nearest_cost: float, second_cost: float, sign: float
) -> None:
    if cost < nearest_cost:
        gain[site] += sign * (nearest_cost - cost)
    if place != OUTSIDE:
        extra[site, place] += sign * (second_cost - max(cost, nearest_cost))


@compiled
def reduce_costs(near: Rows, price: Numbers, reduced: Numbers) -> float:
    """Fill what opening each candidate is worth at the prices that demand points pay to be served (0 or less); the sum of the prices."""
    first, at, cost = near
    reduced[:] = 0.0
    total = 0.0
    for person in range(price.size):
        total += price[person]
        for entry in range(first[person], first[person + 1]):
            if cost[entry] >= price[person]:
                break
            reduced[at[entry]] += cost[entry] - price[person]
    return total


@compiled
def ascend(  # noqa: C901, PLR0917  a compiled loop is written out, and called by position
    near: Rows, turned: Rows, cap: Numbers, need: int, upper: float, pace: float, rounds: int, ascent: Ascent
) -> tuple[float, float]:
    """Go some rounds up the bound by a deflected subgradient (Camerini, Fratta & Maffioli 1975); the best bound and the pace at the end."""
    column, row, column_cost = turned
    first, _, near_cost = near
    price, scale, best_price, best_reduced, share, step = ascent
    reduced, times = np.zeros(best_reduced.size), np.zeros(price.size)
    best, since = -np.inf, 0
    for _ in range(rounds):
        bound = reduce_costs(near, price, reduced)
        order = np.argsort(reduced, kind="mergesort")[:need]
        for site in order:
            bound += reduced[site]
        since += 1
        if bound > best:
            if bound > best + LEAST_RISE * abs(best):
                since = 0
            best = bound
            best_price[:], best_reduced[:] = price, reduced
        if since >= PATIENCE:
            pace, since = pace * SLOWER, 0
        share *= 1.0 - FRESH
        share[order] += FRESH
        times[:] = 1.0
        for site in order:
            for entry in range(column[site], column[site + 1]):
                if column_cost[entry] < price[row[entry]]:
                    times[row[entry]] -= 1.0
        norm = 0.0
        for person in range(price.size):
            step[person] = FRESH_STEP * times[person] + (1.0 - FRESH_STEP) * step[person]
            if not (step[person] > 0.0 and price[person] >= cap[person]):
                norm += (scale[person] * step[person]) ** 2
        if norm == 0.0:
            break
        length = pace * max(upper - bound, 1e-9 * abs(upper)) / norm
        for person in range(price.size):
            least = near_cost[first[person]] if first[person] < first[person + 1] else cap[person]
            new = price[person] + length * scale[person] ** 2 * step[person]
            price[person] = min(max(new, least), cap[person])
    return best, pace


@compiled
def lower_caps(near: Rows, is_in: Mask, cap: Numbers) -> None:
    """Whoever is near an opened candidate pays no more than that."""
    first, at, cost = near
    for person in range(cap.size):
        for entry in range(first[person], first[person + 1]):
            if is_in[at[entry]]:  # the nearest opened one: entries are sorted
                cap[person] = min(cap[person], cost[entry])
                break


@compiled
def strike(near: Rows, cap: Numbers, number: Ints, count: int) -> tuple[Rows, Rows]:
    """Keep the candidates that have a new number, where they cost less than the cap; by demand point and by candidate."""
    first, at, cost = near
    start, column = np.zeros(cap.size + 1, dtype=np.int64), np.zeros(count + 1, dtype=np.int64)
    for person in range(cap.size):
        start[person + 1] = start[person]
        for entry in range(first[person], first[person + 1]):
            if cost[entry] >= cap[person]:
                break
            if number[at[entry]] >= 0:
                start[person + 1] += 1
                column[number[at[entry]] + 1] += 1
    column = np.cumsum(column)
    kept_at, kept_cost = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
    turned_row, turned_cost = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
    _fill(near, cap, number, (start, column[:-1].copy()), (kept_at, kept_cost, turned_row, turned_cost))
    return Rows(start, kept_at, kept_cost), Rows(column, turned_row, turned_cost)


@compiled
def _fill(near: Rows, cap: Numbers, number: Ints, starts: tuple[Ints, Ints], filled: tuple[Ints, Numbers, Ints, Numbers]) -> None:
    first, at, cost = near
    start, column = starts
    kept_at, kept_cost, turned_row, turned_cost = filled
    for person in range(cap.size):
        fill = start[person]
        for entry in range(first[person], first[person + 1]):
            if cost[entry] >= cap[person]:
                break
            site = number[at[entry]]
            if site >= 0:
                kept_at[fill], kept_cost[fill] = site, cost[entry]
                turned_row[column[site]], turned_cost[column[site]] = person, cost[entry]
                fill += 1
                column[site] += 1
