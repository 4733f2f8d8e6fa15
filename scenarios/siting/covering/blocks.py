"""A covering question as the solver sees it: candidates sorted by id, what stands anyway settled, identical demand rows merged."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.covering.remainder import merge, merge_alike
from scenarios.siting.question import CoverStage, Mask, Numbers, Sites

# Two plans that differ by less than this share of all people are the same plan, where people are fractions (raster cells): 0.001
# person in a million. It must exceed what the solver's own tolerances (1e-9 on integers and rows) can hide, or a later stage would cut
# off the very plan that the stage before found; anything below a hundredth of a person would do for planning.
SAME_SHARE = 1e-9
# Whole people cannot differ by less than 1, so half a person separates equal from worse, with the widest margin on both sides. That
# holds while the solver's tolerances hide much less than half a person; larger totals than this (no county) are treated as fractions.
SAME_WHOLE_PEOPLE = 0.5
WHOLE_UP_TO_PEOPLE = 1e8
# Fractional people are handed to the solver in units (a power of two, hence exact) in which all of them are about a million:
# its tolerances are absolute, and would otherwise be coarse for small weights and unreachable for large ones.
TOTAL_UNITS_LOG2 = 20
LEAST_PEOPLE = 1e-200  # a smaller total is taken for this one, so that the unit stays a finite float
SURE = 30.0  # −ln of a busy share that is as good as none: 1 − e⁻³⁰ is 1 to 13 digits


@dataclass(frozen=True, kw_only=True, eq=False)
class Covering:
    """A covering question.

    Attributes
    ----------
    sites : Sites
    stages : tuple of CoverStage
        The most important first; all have the candidates of `sites`.
    must : (points, candidates) sparse bool, optional
        Each of these points must be covered.
    floor : tuple of CoverStage and float, optional
        What the stage must come to at least, in people.
    """

    sites: Sites
    stages: tuple[CoverStage, ...]
    must: csr_array | None = None
    floor: tuple[CoverStage, float] | None = None


def sorted_by_id(asked: Covering) -> tuple[Covering, tuple[str, ...]]:
    """The same question with the candidates in the order of their ids."""
    order = np.array(sorted(range(len(asked.sites)), key=asked.sites.id.__getitem__), dtype=np.int64)

    def ordered(stage: CoverStage) -> CoverStage:
        covers = csr_array(stage.covers, dtype=np.bool_)[:, order].sorted_indices()
        covers.eliminate_zeros()
        return replace(stage, covers=covers, busy=None if stage.busy is None else stage.busy[order])

    sites = asked.sites.take(order)
    must = asked.must
    if must is not None:  # each set of candidates once, in an order that does not depend on that of the demand
        must = csr_array(must, dtype=np.float64)[:, order].sorted_indices()
        must.eliminate_zeros()
        must = csr_array(merge(must, np.ones(must.shape[0]))[0], dtype=np.bool_)
    floor = None if asked.floor is None else (ordered(asked.floor[0]), asked.floor[1])
    return Covering(sites=sites, stages=tuple(map(ordered, asked.stages)), must=must, floor=floor), sites.id


@dataclass(frozen=True, eq=False)
class Block:
    """A stage as the model sees it: what background and fixed sites leave open, identical demand rows merged.

    Attributes
    ----------
    rows : (merged demand, candidates) sparse float64 of ones
        In a canonical order; sites that are there anyway have no entries.
    people, base : (merged demand,) float64
        People, and how much cover is there anyway.
    gains : tuple of float
    weight : (candidates,) float64
        How much cover a vehicle of each gives: 1, or −ln of its busy share, with which F = 1 − exp(−n) and `gains` play no part.
    is_expected : bool
        Whether `weight` is of the second sort.
    settled_people : float
        Of demand points that no choice can change.
    same_people : float
        Plans closer than this are equal.
    scale : float
        From people to the solver's units.
    is_whole : bool
        Whether values are whole numbers.
    """

    rows: csr_array
    people: Numbers
    base: Numbers
    gains: tuple[float, ...]
    weight: Numbers
    is_expected: bool
    settled_people: float
    same_people: float
    scale: float
    is_whole: bool

    def worth(self, cover: Numbers) -> Numbers:
        """F of an amount of cover, per person."""
        if self.is_expected:
            return np.asarray(-np.expm1(-cover))
        steps = np.concatenate([[0.0], np.cumsum(self.gains)])
        return np.asarray(steps[np.minimum(np.rint(cover).astype(np.int64), len(self.gains))])

    def cover(self, vehicles: Numbers) -> Numbers:
        """How much cover each row has when so many vehicles stand at each candidate."""
        return np.asarray(self.base + self.rows @ (self.weight * vehicles))


def block_of(stage: CoverStage, sites: Sites) -> Block:
    """Settle what no choice can change, and merge the rest; candidates in the order of `sites`."""
    weight = np.ones(len(sites)) if stage.busy is None else np.minimum(-np.log(np.maximum(stage.busy, np.exp(-SURE))), SURE)
    stays = sites.background if sites.fleet is not None else sites.always
    covers = csr_array(stage.covers, dtype=np.float64)
    base = covers @ np.where(stays, weight * sites.vehicles, 0.0)
    rows = _only(covers, ~stays & ~sites.forbidden)
    gains = tuple(np.trim_zeros(stage.gains, "b")) or (0.0,)
    full = SURE if stage.busy is not None else len(gains)
    is_open = (stage.people > 0) & (np.diff(rows.indptr) > 0) & (base < full)
    total = max(math.fsum(stage.people), LEAST_PEOPLE)
    whole = total <= WHOLE_UP_TO_PEOPLE and bool((stage.people == np.floor(stage.people)).all())
    is_whole = whole and stage.busy is None and all(gain in {0.0, 1.0} for gain in gains)
    merged, people, level = _merge(rows[is_open], stage.people[is_open], base[is_open])
    block = Block(
        rows=merged,
        people=people,
        base=level,
        gains=gains,
        weight=weight,
        is_expected=stage.busy is not None,
        settled_people=0.0,
        same_people=SAME_WHOLE_PEOPLE if is_whole else SAME_SHARE * total,
        scale=1.0 if is_whole else 2.0 ** (TOTAL_UNITS_LOG2 - math.frexp(total)[1]),
        is_whole=is_whole,
    )
    return replace(block, settled_people=math.fsum(stage.people[~is_open] * block.worth(base[~is_open])))


def _only(covers: csr_array, which: Mask) -> csr_array:
    """The same matrix without the entries of the other candidates."""
    if which.all():
        return covers
    kept = which[covers.indices]
    first = np.concatenate([[0], np.cumsum(kept)])[covers.indptr]
    return csr_array((covers.data[kept], covers.indices[kept], first), shape=covers.shape)


def _merge(rows: csr_array, people: Numbers, base: Numbers) -> tuple[csr_array, Numbers, Numbers]:
    """Add up the people of demand points that the same candidates cover, and that have the same cover anyway."""
    levels, label = np.unique(base, return_inverse=True)
    merged, together, labels = merge_alike(rows, people, label)
    return merged, together, levels[labels]


def served_people(block: Block, vehicles: Numbers) -> float:
    """What a stage comes to when so many vehicles stand at each candidate."""
    return block.settled_people + math.fsum(block.people * block.worth(block.cover(vehicles)))


def enough(block: Block, people: float) -> float:
    """The threshold above which a value counts as at least so many people."""
    if block.is_whole:
        return math.ceil(people - SAME_SHARE * max(people, 1.0)) - block.same_people
    return people - block.same_people


def counted_people(stage: CoverStage, vehicles: Numbers) -> float:
    """The same on the demand points as they came in, not merged: the exactly rounded sum, whatever the order of the input."""
    reached = csr_array(stage.covers, dtype=np.float64)
    if stage.busy is not None:
        with np.errstate(divide="ignore"):
            free = -np.log(stage.busy)
        return math.fsum(stage.people * -np.expm1(-(reached @ np.where(vehicles > 0, np.minimum(free, 1e9) * vehicles, 0.0))))
    steps = np.concatenate([[0.0], np.cumsum(stage.gains)])
    times = np.rint(reached @ vehicles).astype(np.int64)
    return math.fsum(stage.people * steps[np.minimum(times, len(stage.gains))])


def is_rising(block: Block) -> bool:
    """Whether a later vehicle can be worth more than an earlier one (backup alone)."""
    return not block.is_expected and any(later > earlier for earlier, later in pairwise(block.gains))


def gains_of(block: Block, chosen: Numbers) -> Numbers:
    """What one more vehicle at each candidate would add."""
    now = block.cover(chosen)
    if block.is_expected:
        left = block.people * np.exp(-now)
        return np.asarray((block.rows.T @ left) * -np.expm1(-block.weight))
    return np.asarray(block.rows.T @ (block.people * (block.worth(now + 1.0) - block.worth(now))))
