"""Better plans by exchange (Teitz & Bart 1968): a chosen site, or a vehicle of a fleet, moves to where it is worth more, until none is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.blocks import Block, Covering, gains_of, served_people
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
