"""What a choice comes to with one site more, for every candidate at once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array

from scenarios.siting.covering.blocks import Block
from scenarios.siting.question import Ints, Mask, Numbers


def added_worth(block: Block, chosen: Mask, vehicles: Ints) -> Numbers:
    """People of a stage when one candidate is chosen too.

    Parameters
    ----------
    block : Block
    chosen : (candidates,) bool
    vehicles : (candidates,) int64
        At each candidate if it is chosen.

    Returns
    -------
    (candidates,) float64
    """
    now = block.cover(np.where(chosen, vehicles, 0).astype(np.float64))
    gain = np.zeros(len(chosen))
    if block.is_expected:
        gain = (block.rows.T @ (block.people * np.exp(-now))) * -np.expm1(-block.weight * vehicles)
    else:
        for number in np.unique(vehicles):
            more = block.people * (block.worth(now + float(number)) - block.worth(now))
            gain = np.where(vehicles == number, block.rows.T @ more, gain)
    return np.asarray(block.settled_people + math.fsum(block.people * block.worth(now)) + gain)


class Costs(NamedTuple):
    """The routes of a p-median question by candidate; people of whom none has any count nothing.

    Attributes
    ----------
    routes : (demand, candidates) sparse float64
        Entries are stored where there is a route, those that cost 0 too.
    people : (demand,) float64
    """

    routes: csc_array
    people: Numbers

    def nearest(self, chosen: Mask) -> Numbers:
        """(demand,) float64: cost of the nearest chosen site, infinite without a route."""
        found = np.full(len(self.people), np.inf)
        for site in np.flatnonzero(chosen):
            part = slice(self.routes.indptr[site], self.routes.indptr[site + 1])
            rows = self.routes.indices[part]
            found[rows] = np.minimum(found[rows], self.routes.data[part])
        return found

    def total(self, chosen: Mask) -> tuple[float, float]:
        """People who have a route to a chosen site, and the sum of people times cost."""
        nearest = self.nearest(chosen)
        reached = np.isfinite(nearest)
        return math.fsum(self.people[reached]), math.fsum(self.people[reached] * nearest[reached])

    def added(self, chosen: Mask) -> tuple[Numbers, Numbers]:
        """The same two for every candidate, when it is chosen too: (candidates,) float64 each."""
        nearest, (reached, cost) = self.nearest(chosen), self.total(chosen)
        site = np.repeat(np.arange(len(chosen)), np.diff(self.routes.indptr))
        before, people = nearest[self.routes.indices], self.people[self.routes.indices]
        new = ~np.isfinite(before)
        saved = np.where(new, self.routes.data, np.minimum(self.routes.data - np.where(new, 0.0, before), 0.0)) * people
        more = np.bincount(site, weights=np.where(new, people, 0.0), minlength=len(chosen))
        return np.asarray(reached + more), np.asarray(cost + np.bincount(site, weights=saved, minlength=len(chosen)))
