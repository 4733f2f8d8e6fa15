"""Rules that a choice of so many sites keeps besides: spacing, budget, moves; what they rule in and out when some sites are chosen."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from scenarios.siting.covering.blocks import SAME_SHARE
from scenarios.siting.question import Ints, Mask, Sites


@dataclass(frozen=True, eq=False)
class Rules:
    """Rules over candidates that are named by their positions in a choice.

    Attributes
    ----------
    sites : Sites
    position : (positions in the choice,) int64
        Which candidate each is.
    binding : bool
        Whether there are any rules.
    """

    sites: Sites
    position: Ints
    binding: bool

    @classmethod
    def of(cls, sites: Sites) -> Rules:
        """Take those of a question."""
        binding = sites.budget is not None or bool(sites.apart.size) or bool(sites.movable.any())
        return cls(sites, np.arange(len(sites)), binding)

    def among(self, kept: Ints) -> Rules:
        """The same with new positions."""
        return replace(self, position=self.position[kept])

    def _mask(self, chosen: Ints) -> Mask:
        mask = self.sites.always.copy()
        mask[self.position[chosen]] = True
        return mask

    def allow(self, chosen: Ints) -> bool:
        """Whether a whole plan keeps the rules."""
        return not self.binding or (self._is_paid(chosen) and not self._too_near(chosen).any() and not self._unreplaced(chosen).size)

    def _is_paid(self, chosen: Ints) -> bool:
        sites = self.sites
        return sites.budget is None or math.fsum(sites.price[self._mask(chosen)]) <= sites.budget * (1.0 + SAME_SHARE)

    def _too_near(self, chosen: Ints) -> Mask:
        return np.asarray(self._mask(chosen)[self.sites.apart].all(axis=1))

    def _unreplaced(self, chosen: Ints) -> Ints:
        """Movable sites that are gone and for which none is left that could take the place."""
        sites, mask = self.sites, self._mask(chosen)
        gone = np.flatnonzero(sites.movable & ~mask)
        if not gone.size:
            return gone
        takes = csr_array(csr_array(sites.replaces, dtype=np.int32)[gone][:, np.flatnonzero(mask)])
        takes.eliminate_zeros()
        return np.asarray(gone[maximum_bipartite_matching(takes, perm_type="column") < 0])

    def excluded(self, opened: Ints, left: Ints) -> Mask:
        """(left,) bool: which of those left cannot be chosen beside those opened."""
        sites, mask, out = self.sites, self._mask(opened), np.zeros(len(self.sites), dtype=np.bool_)
        if not self.binding:
            return np.zeros(left.size, dtype=np.bool_)
        for one, other in ((0, 1), (1, 0)):
            out[sites.apart[mask[sites.apart[:, one]], other]] = True
        if sites.budget is not None:
            out |= math.fsum(sites.price[mask]) + sites.price > sites.budget * (1.0 + SAME_SHARE)
        return out[self.position[left]]

    def is_hopeless(self, opened: Ints, left: Ints) -> bool:
        """Whether no choice beside those opened, from those left, keeps the rules."""
        if not self.binding:
            return False
        all_of_them = np.concatenate([opened, left])
        return not self._is_paid(opened) or bool(self._too_near(opened).any()) or bool(self._unreplaced(all_of_them).size)

    def in_question(self, chosen: Ints, left: Ints) -> Mask:
        """(left,) bool: those of which some must be ruled in or out before a plan like this can keep the rules; none if it does."""
        sites, mask, some = self.sites, self._mask(chosen), np.zeros(len(self.sites), dtype=np.bool_)
        if self.binding:
            some[sites.apart[self._too_near(chosen)].ravel()] = True
            unreplaced = self._unreplaced(chosen)
            some[unreplaced] = True
            some |= np.asarray(csr_array(sites.replaces[unreplaced], dtype=np.int32).sum(axis=0)).ravel() > 0
            if not self._is_paid(chosen):
                some |= mask & (sites.price > 0)
        return some[self.position[left]]
