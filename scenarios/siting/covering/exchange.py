"""Better plans by exchange (Teitz & Bart 1968): a chosen site, or a vehicle of a fleet, moves to where it is worth more, until none is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.covering.blocks import Block, Covering, gains_of, served_people
from scenarios.siting.question import Mask, Numbers, Sites
from scenarios.siting.stop import Stop


def exchanged(asked: Covering, blocks: Sequence[Block], floors: Sequence[float], vehicles: Numbers, stop: Stop) -> Numbers:
    """Improve a plan in the last block, keeping the rules, `must`, `floor` and the floors (people) of the blocks before it.

    Parameters
    ----------
    asked : Covering
        The floor of a covering question is its first of `blocks` here, with its threshold among `floors`.
    blocks : sequence of Block
    floors : sequence of float
        One for each block but the last.
    vehicles : (candidates,) float64
    stop : Stop
    """
    if not _is_simple(asked.sites):
        return vehicles
    best, again = vehicles, True
    while again:
        again = False
        for at in np.flatnonzero(_movable(asked.sites, best)):
            if stop.reason is not None:
                return best
            better = _moved(asked, blocks, floors, best, int(at))
            if better is not None:
                best, again = better, True
    return best


def with_small_ids(asked: Covering, blocks: Sequence[Block], floors: Sequence[tuple[Block, float]], vehicles: Numbers) -> Numbers:
    """Exchange chosen sites for ones before them as long as no block loses or gains anything: ties go to the smaller id.

    Parameters
    ----------
    asked : Covering
        Its candidates sorted by id.
    blocks : sequence of Block
    floors : sequence of Block and float
        What else must not fall to this number of people.
    vehicles : (candidates,) float64
    """
    sites, again = asked.sites, _is_simple(asked.sites) and asked.sites.fleet is None
    chosen = vehicles.copy()
    while again:
        again = False
        for at in np.flatnonzero((chosen > 0) & ~sites.always)[::-1]:
            without = chosen.copy()
            without[at] = 0.0
            same = _may_take(sites, without, is_last=True) & (sites.price == sites.price[at])
            same[at:] = False
            if same.any():
                same &= _keeping(asked, [block for block, _ in floors], [people for _, people in floors], without)
            for block in blocks if same.any() else ():
                gain = gains_of(block, without)
                same &= np.abs(gain - gain[at]) < block.same_people
            if same.any():
                without[np.flatnonzero(same)[0]] = 1.0
                chosen, again = without, True
    return chosen


def _is_simple(sites: Sites) -> bool:
    """Whether one site more or less is one vehicle more or less, and no rule ties candidates to each other but spacing."""
    one_each = sites.fleet is not None or bool((sites.vehicles == 1).all())
    return one_each and sites.budget is None and not sites.movable.any()


def _movable(sites: Sites, vehicles: Numbers) -> Mask:
    stays = sites.always if sites.fleet is None else sites.background | (sites.always & (vehicles <= 1))
    return np.asarray((vehicles > 0) & ~stays)


def _moved(asked: Covering, blocks: Sequence[Block], floors: Sequence[float], vehicles: Numbers, at: int) -> Numbers | None:
    """One vehicle of this site where it is worth more; None if it is worth most here."""
    goal, without = blocks[-1], vehicles.copy()
    without[at] -= 1.0
    may = _may_take(asked.sites, without, is_last=without[at] == 0) & _keeping(asked, blocks[:-1], floors, without)
    gain = np.where(may, gains_of(goal, without), -np.inf)
    to = int(np.argmax(gain))
    if not gain[to] > served_people(goal, vehicles) - served_people(goal, without) + goal.same_people:
        return None
    without[to] += 1.0
    return without


def _may_take(sites: Sites, without: Numbers, *, is_last: bool) -> Mask:
    """Where one more vehicle may stand: at a new site if its own is given up, at a chosen one of a fleet otherwise."""
    new = (without == 0) & ~sites.forbidden
    for pair in sites.apart:
        new[pair[without[pair[::-1]] > 0]] = False
    if is_last:
        return np.asarray(new)
    return np.asarray((without > 0) & (without < sites.vehicles) & sites.counted)


def _keeping(asked: Covering, blocks: Sequence[Block], floors: Sequence[float], without: Numbers) -> Mask:
    """Where one more vehicle keeps the floors of the blocks and what must be covered."""
    keeps = np.ones(len(without), dtype=np.bool_)
    for block, floor in zip(blocks, floors, strict=True):
        keeps &= served_people(block, without) + gains_of(block, without) > floor
    if asked.must is not None:
        must = csr_array(asked.must, dtype=np.float64)
        missing = csr_array(must[np.flatnonzero(must @ without == 0)])
        keeps &= missing.T @ np.ones(missing.shape[0]) == missing.shape[0]
    return keeps
