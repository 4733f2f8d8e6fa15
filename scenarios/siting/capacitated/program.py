"""Who may be served where, and the mixed-integer program of maximal covering with capacities."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, vstack

from scenarios.siting.milp import Program
from scenarios.siting.question import Ints, Mask, Numbers, Sites
from scenarios.siting.rules import SiteRows

SAME_SHARE: Final = 1e-9  # plans that differ by less than this share of all people are equal, where people are fractions
WHOLE_UP_TO_PEOPLE: Final = 1e8  # larger totals are treated as fractions: the solver's tolerances would hide half a person
UNITS_LOG2: Final = 20  # fractional people are handed to the solver in units (a power of two) of which all are about a million
BINDING: Final = 1.5  # flow ≤ people · x tightens the bound unless the people in reach are many times the capacity; there it costs time


@dataclass(frozen=True, eq=False)
class Flows:
    """The question without its rules: who may be served where, demand points of the same candidates merged.

    Attributes
    ----------
    covers : (groups, candidates) sparse float64 of ones
    by_site : csc_array
        The same by candidate.
    people : (groups,) float64
    room : (candidates,) float64
        Capacity, at most all the people in reach.
    limited : (candidates,) bool
        Cannot serve everybody in reach.
    scale : float
        From people to the solver's units.
    is_whole : bool
        Whether people and capacities are whole numbers, so that whole people are served.
    same_people : float
        Choices closer than this are equal.
    """

    covers: csr_array
    by_site: csc_array
    people: Numbers
    room: Numbers
    limited: Mask
    scale: float
    is_whole: bool
    same_people: float


def flows_of(near: csr_array, people: Numbers, capacity: Numbers, sites: Sites) -> Flows:
    """Leave out forbidden candidates and whom nobody reaches, and merge the rest."""
    usable = (~sites.forbidden | sites.always).astype(np.float64)
    covers = csr_array(csr_array(near.astype(np.bool_)) @ diags_array(usable))
    covers.eliminate_zeros()
    covers.sort_indices()
    open_ = (np.diff(covers.indptr) > 0) & (people > 0)
    covers, merged = merge(covers[open_], people[open_])
    reach = np.asarray(covers.T @ merged, dtype=np.float64)
    finite = capacity[np.isfinite(capacity)]
    total = max(math.fsum(people), 1e-200)
    is_whole = total <= WHOLE_UP_TO_PEOPLE and bool((people == np.floor(people)).all() and (finite == np.floor(finite)).all())
    return Flows(
        covers=covers,
        by_site=csc_array(covers),
        people=merged,
        room=np.minimum(capacity, reach),
        limited=capacity < reach,
        scale=1.0 if is_whole else 2.0 ** (UNITS_LOG2 - math.frexp(total)[1]),
        is_whole=is_whole,
        same_people=0.5 if is_whole else SAME_SHARE * total,
    )


def merge(covers: csr_array, people: Numbers) -> tuple[csr_array, Numbers]:
    """Add up the people of demand points that the same candidates cover; rows in the order of those candidates."""
    indices = covers.indices.astype(np.int32)
    keys = [indices[start:end].tobytes() for start, end in pairwise(covers.indptr)]
    members: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys):
        members.setdefault(key, []).append(row)
    ordered = sorted(members)
    merged = np.array([math.fsum(people[members[key]]) for key in ordered], dtype=np.float64)
    return csr_array(covers[[members[key][0] for key in ordered]]), merged


def program_of(flows: Flows, rules: SiteRows) -> Program:
    """Variables: those of the rules, people served of each group, then flows from groups to the sites of limited room."""
    group, site = _edges(flows)
    people, room = flows.people * flows.scale, flows.room * flows.scale
    widths = rules.lower.size, people.size, group.size
    strong = np.flatnonzero((flows.covers.T @ people < BINDING * room)[site])
    blocks = [_pad(rules.rows, widths), _served_rows(flows, people, widths, group), _room_rows(flows, room, widths, site)]
    blocks.append(_strong_rows(np.minimum(people[group], room[site]), widths, site, strong))
    below = sum(block.shape[0] for block in blocks[1:])
    return Program(
        gain=np.concatenate([np.zeros(widths[0]), np.ones(widths[1]), np.zeros(widths[2])]),
        lower=np.concatenate([rules.lower, np.zeros(widths[1] + widths[2])]),
        upper=np.concatenate([rules.upper, people, np.minimum(people[group], room[site])]),
        integer=np.concatenate([rules.integer, np.zeros(widths[1] + widths[2], dtype=np.bool_)]),
        rows=csr_array(vstack(blocks, format="csr")),
        row_lower=np.concatenate([rules.row_lower, np.full(below, -np.inf)]),
        row_upper=np.concatenate([rules.row_upper, np.zeros(below)]),
    )


def _edges(flows: Flows) -> tuple[Ints, Ints]:
    """Group and site of each flow: to the sites that cannot serve everybody in reach; sorted by group, then site."""
    group, site = flows.covers.nonzero()
    kept = flows.limited[site]
    return group[kept].astype(np.int64), site[kept].astype(np.int64)


def _pad(rows: csr_array, widths: tuple[int, int, int]) -> csr_array:
    """Rows of the rules, with no part of the other variables."""
    return csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], sum(widths)))


def _served_rows(flows: Flows, people: Numbers, widths: tuple[int, int, int], group: Ints) -> csr_array:
    """Served ≤ flows of the group + all of its people where a site of no limit is chosen."""
    covering = csr_array(flows.covers @ diags_array((~flows.limited).astype(np.float64))).tocoo()
    number, edge = np.arange(widths[1]), np.arange(widths[2])
    entries = np.concatenate([np.ones(widths[1]), -np.ones(widths[2]), -people[covering.row] * covering.data])
    row = np.concatenate([number, group, covering.row])
    column = np.concatenate([widths[0] + number, widths[0] + widths[1] + edge, covering.col])
    return csr_array((entries, (row, column)), shape=(widths[1], sum(widths)))


def _room_rows(flows: Flows, room: Numbers, widths: tuple[int, int, int], site: Ints) -> csr_array:
    """Flows to a site ≤ its room if it is chosen."""
    limited = np.flatnonzero(flows.limited)
    entries = np.concatenate([np.ones(widths[2]), -room[limited]])
    row = np.concatenate([np.searchsorted(limited, site), np.arange(len(limited))])
    column = np.concatenate([widths[0] + widths[1] + np.arange(widths[2]), limited])
    return csr_array((entries, (row, column)), shape=(len(limited), sum(widths)))


def _strong_rows(most: Numbers, widths: tuple[int, int, int], site: Ints, strong: Ints) -> csr_array:
    """A flow ≤ what it can be at most if its site is chosen."""
    number = np.arange(len(strong))
    entries = np.concatenate([np.ones(len(strong)), -most[strong]])
    row, column = np.tile(number, 2), np.concatenate([widths[0] + widths[1] + strong, site[strong]])
    return csr_array((entries, (row, column)), shape=(len(strong), sum(widths)))


def fill(flows: Flows, left: Numbers, site: int) -> tuple[Ints, Numbers]:
    """Serve at one site the people left, group after group, as long as there is room: groups, and people of each."""
    groups = flows.by_site.indices[flows.by_site.indptr[site] : flows.by_site.indptr[site + 1]]
    before = np.concatenate([[0.0], np.cumsum(left[groups])[:-1]])
    taken = np.clip(flows.room[site] - before, 0.0, left[groups])
    left[groups] -= taken
    return groups, taken


def with_flows(flows: Flows, start: Numbers, width: int) -> Numbers:
    """Values of all variables of the program where the sites of `start` serve whom they can, one site after the other."""
    group, site = _edges(flows)
    left, flow = flows.people.copy(), np.zeros(len(group))
    for at in np.flatnonzero(start[:width] > 0.5):  # noqa: PLR2004  binary
        groups, taken = fill(flows, left, int(at))
        if flows.limited[at]:
            flow[np.searchsorted(group * width + site, groups * width + at)] = taken
    return np.concatenate([start, (flows.people - left) * flows.scale, flow * flows.scale])
