"""What a bound decides about all choices that are worth so much: the sites that none of them has, and those that each of them has."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.covering import loops
from scenarios.siting.covering.blocks import Block, is_rising
from scenarios.siting.covering.loops import Descent
from scenarios.siting.covering.remainder import Left, Scale, left_of, matrix_of, scale_of, without
from scenarios.siting.question import Mask, Sites
from scenarios.siting.stop import Stop

ROUNDS: Final = 10  # of multipliers at a time
TIRED: Final = 6  # times in turn that decided nothing
STEP: Final = 0.1  # of the first steps, as in ``reduce``


def decided(block: Block, sites: Sites, least: float, stop: Stop) -> tuple[Mask, Mask]:
    """Find the sites that no choice, or that every choice, worth at least so much has; Lagrangian bounds, as in ``reduce``.

    Rules of the choice beside the number of sites are not looked at: they only make choices fewer.

    Parameters
    ----------
    block : Block
    sites : Sites
        With one vehicle a site, and a number of sites.
    least : float
        People.
    stop : Stop

    Returns
    -------
    out : (candidates,) bool
        Free candidates that none has.
    into : (candidates,) bool
        Free candidates that all have.
    """
    free = np.flatnonzero(~sites.always & ~sites.forbidden)
    nothing = np.zeros(len(sites), dtype=np.bool_)
    number = (sites.total or 0) - int((sites.fixed & sites.counted).sum())
    if block.is_expected or is_rising(block) or not block.people.size or not 0 < number < len(free):
        return nothing, nothing
    rows = csr_array(block.rows[:, free]).sorted_indices()
    scale = scale_of(block.people, block.gains, rows.shape)
    left = left_of(rows, block.people, scale, always=np.zeros(len(free), dtype=np.bool_), free=number, level=block.base.astype(np.int64))
    left = _narrowed(left, scale, least - block.settled_people - scale.margin, stop)
    taken, open_ = left.taken, left.candidate
    into, out = nothing.copy(), nothing.copy()
    into[free[taken]] = True
    out[np.setdiff1d(free, free[np.concatenate([taken, open_])])] = True
    return out, into


def _narrowed(left: Left, scale: Scale, least: float, stop: Stop) -> Left:
    """Improve multipliers, and take or leave out what they decide, until they decide nothing more."""
    tired = 0
    descent = _begin(left, STEP)
    while 0 < left.free < left.candidate.size and left.people.size and tired < TIRED and stop.reason is None:
        before = int(np.count_nonzero(descent.mark))
        descent.state[1:3] = least - left.base, 0.0
        loops.descend(ROUNDS, matrix_of(left, scale), descent)
        count = int(np.count_nonzero(descent.mark))
        tired = 0 if count > before else tired + 1
        if count > left.candidate.size // 10 or (tired == TIRED and count):
            left = without(left._replace(multiplier=descent.best_multiplier), descent.mark, scale)
            descent, tired = _begin(left, float(descent.state[3])), 0
    return left


def _begin(left: Left, length: float) -> Descent:
    rows, columns = left.people.size, left.candidate.size
    state = np.array([np.inf, 0.0, 0.0, length, 0.0])
    plan, mark = np.zeros(left.free, dtype=np.int64), np.zeros(columns, dtype=np.int8)
    return Descent(left.multiplier.copy(), left.multiplier.copy(), np.zeros(rows), np.zeros(columns), mark, plan, state)
