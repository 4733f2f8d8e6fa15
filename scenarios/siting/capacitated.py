"""Maximal covering with capacities: the most people served when each site can serve so many.

People within the limit of several chosen sites may be split among them:

    maximise    Σ served_i
    subject to  served_i ≤ people_i,   served_i ≤ Σ flow_ij over the chosen sites j that cover i,   Σ_i flow_ij ≤ capacity_j · x_j,
                and the rules of the choice (``rules``), x ∈ {0, 1}

For given sites this is a maximum flow, so that whole people and capacities serve whole people. A site that can serve everybody within its
limit needs no flow: it covers. Demand points of the same candidates are one.

SOURCE: Current & Storbeck 1988, Capacitated covering models, doi:10.1068/b150153; Pirkul & Schilling 1991, The maximal covering location
problem with capacities on total workload, doi:10.1287/mnsc.37.2.233.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.sparse import csc_array, csr_array, diags_array, vstack

from geodata.errors import OptionError, Problem, first_few
from scenarios.siting.milp import Program, maximise
from scenarios.siting.question import Asked, Ints, Mask, Numbers, Sites, Terms
from scenarios.siting.result import Plan, StageValue, Status
from scenarios.siting.rules import SiteRows, site_rows
from scenarios.siting.stop import Stop

STAGE: Final = "served"
METHOD: Final = "greedy, then HiGHS over sites and flows"
PATIENCE_S: Final = 30.0  # to find any plan at all, whatever the time limit
SAME_SHARE: Final = 1e-9  # plans that differ by less than this share of all people are equal, where people are fractions
WHOLE_UP_TO_PEOPLE: Final = 1e8  # larger totals are treated as fractions: the solver's tolerances would hide half a person
UNITS_LOG2: Final = 20  # fractional people are handed to the solver in units (a power of two) of which all are about a million
BINDING: Final = (
    4.0  # flow ≤ people · x tightens the bound where a capacity is not far below the people in reach, and is left out elsewhere
)


def cmclp(asked: Asked, terms: Terms, stop: Stop) -> Plan:
    """Choose the sites that serve the most people, none more than its capacity.

    Parameters
    ----------
    asked : Asked
        `near` says who may be served where.
    terms : Terms
        `capacity`: people that each candidate can serve, infinite for any number. Not known (nan) is any number for background sites only.
    stop : Stop

    Returns
    -------
    Plan
        One stage, ``served``. Empty and ``infeasible`` where the rules of the choice contradict each other.

    Raises
    ------
    OptionError
        The capacity of a candidate is not known, or negative.
    """
    order = np.array(sorted(range(len(asked.sites)), key=asked.sites.id.__getitem__), dtype=np.int64)
    sites = asked.sites.take(order)
    flows = _flows(csr_array(asked.near)[:, order], asked.people, capacities(asked.sites, terms)[order], sites)
    rules = site_rows(sites)
    start = _start(flows, sites, rules)
    if start is None:
        return Plan((), (), "infeasible", (), METHOD)
    bound = _plain_bound(flows, sites)
    found = maximise(_program(flows, rules), stop, start=_with_flows(flows, start, len(sites)))
    values = start if found.values is None else found.values
    served = _served(flows, values[: len(sites)] > 0.5)  # noqa: PLR2004  binary
    bound = min(bound, found.bound / flows.scale)
    if flows.is_whole and math.isfinite(bound):
        bound = math.floor(bound + max(1e-6, SAME_SHARE * bound))
    proven = found.status == "optimal" or bound - served < flows.same_people
    return _plan(sites, rules, values, StageValue(STAGE, served, served if proven else max(bound, served)))


def pinned_flows(asked: Asked, terms: Terms, served: float) -> Program:
    """A program whose feasible choices serve as many people; its first variables are the candidates, in the order of `asked`."""
    flows = _flows(csr_array(asked.near), asked.people, capacities(asked.sites, terms), asked.sites)
    program = _program(flows, site_rows(asked.sites))
    at_least = csr_array(program.gain[None, :])
    return replace(
        program,
        gain=np.zeros_like(program.gain),
        rows=csr_array(vstack([program.rows, at_least], format="csr")),
        row_lower=np.append(program.row_lower, (served - flows.same_people) * flows.scale),
        row_upper=np.append(program.row_upper, np.inf),
    )


def capacities(sites: Sites, terms: Terms) -> Numbers:
    """People that each candidate can serve; infinite where any number can be served.

    Returns
    -------
    (candidates,) float64

    Raises
    ------
    OptionError
        The capacity of a candidate is not known, or negative.
    """
    if terms.capacity is None:
        raise OptionError(Problem("cmclp 需要各点的能力：请给出 --capacity。", "cmclp needs the capacity of each site: give --capacity."))
    unknown, negative = np.isnan(terms.capacity) & sites.counted, terms.capacity < 0
    problems = []
    if unknown.any():
        named = first_few(sorted(sites.id[at] for at in np.flatnonzero(unknown)))
        zh = f"{int(unknown.sum())} 个候选点没有能力：{named}。请补上，不限写 inf。"
        en = f"The capacity of {int(unknown.sum())} candidates is not known: {named}. Add it; inf where there is no limit."
        problems.append(Problem(zh, en))
    if negative.any():
        named = first_few(sorted(sites.id[at] for at in np.flatnonzero(negative & sites.counted)))
        problems.append(Problem(f"能力不能为负：{named}。", f"A capacity cannot be negative: {named}."))
    if problems:
        raise OptionError(*problems)
    return np.where(np.isnan(terms.capacity), np.inf, terms.capacity)


@dataclass(frozen=True, eq=False)
class _Flows:
    """The question without its rules: who may be served where, demand points of the same candidates merged."""

    covers: csr_array  # (groups, candidates) ones, sorted
    by_site: csc_array  # the same by candidate
    people: Numbers  # per group
    room: Numbers  # per candidate: its capacity, at most all the people in reach
    limited: Mask  # per candidate: cannot serve everybody in reach
    scale: float  # from people to the solver's units
    is_whole: bool
    same_people: float


def _flows(near: csr_array, people: Numbers, capacity: Numbers, sites: Sites) -> _Flows:
    covers = csr_array(near.astype(np.bool_)) @ diags_array((~sites.forbidden | sites.always).astype(np.float64))
    covers = csr_array(covers)
    covers.eliminate_zeros()
    covers.sort_indices()
    open_ = (np.diff(covers.indptr) > 0) & (people > 0)
    covers, merged = _merge(covers[open_], people[open_])
    reach = np.asarray(covers.T @ merged, dtype=np.float64)
    finite = capacity[np.isfinite(capacity)]
    total = max(math.fsum(people), 1e-200)
    is_whole = total <= WHOLE_UP_TO_PEOPLE and bool((people == np.floor(people)).all() and (finite == np.floor(finite)).all())
    return _Flows(
        covers=covers,
        by_site=csc_array(covers),
        people=merged,
        room=np.minimum(capacity, reach),
        limited=capacity < reach,
        scale=1.0 if is_whole else 2.0 ** (UNITS_LOG2 - math.frexp(total)[1]),
        is_whole=is_whole,
        same_people=0.5 if is_whole else SAME_SHARE * total,
    )


def _merge(covers: csr_array, people: Numbers) -> tuple[csr_array, Numbers]:
    """Add up the people of demand points that the same candidates cover; rows in the order of those candidates."""
    indices = covers.indices.astype(np.int32)
    keys = [indices[start:end].tobytes() for start, end in pairwise(covers.indptr)]
    members: dict[bytes, list[int]] = {}
    for row, key in enumerate(keys):
        members.setdefault(key, []).append(row)
    ordered = sorted(members)
    merged = np.array([math.fsum(people[members[key]]) for key in ordered], dtype=np.float64)
    return csr_array(covers[[members[key][0] for key in ordered]]), merged


def _program(flows: _Flows, rules: SiteRows) -> Program:
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


def _edges(flows: _Flows) -> tuple[Ints, Ints]:
    """Group and site of each flow: to the sites that cannot serve everybody in reach; sorted by group, then site."""
    group, site = flows.covers.nonzero()
    kept = flows.limited[site]
    return group[kept].astype(np.int64), site[kept].astype(np.int64)


def _pad(rows: csr_array, widths: tuple[int, int, int]) -> csr_array:
    """Rows of the rules, with no part of the other variables."""
    return csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], sum(widths)))


def _served_rows(flows: _Flows, people: Numbers, widths: tuple[int, int, int], group: Ints) -> csr_array:
    """Served ≤ flows of the group + all of its people where a site of no limit is chosen."""
    covering = csr_array(flows.covers @ diags_array((~flows.limited).astype(np.float64))).tocoo()
    number, edge = np.arange(widths[1]), np.arange(widths[2])
    entries = np.concatenate([np.ones(widths[1]), -np.ones(widths[2]), -people[covering.row] * covering.data])
    row = np.concatenate([number, group, covering.row])
    column = np.concatenate([widths[0] + number, widths[0] + widths[1] + edge, covering.col])
    return csr_array((entries, (row, column)), shape=(widths[1], sum(widths)))


def _room_rows(flows: _Flows, room: Numbers, widths: tuple[int, int, int], site: Ints) -> csr_array:
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


def _served(flows: _Flows, chosen: Mask) -> float:
    """People that the chosen sites serve: the linear program of their flows alone."""
    columns = np.flatnonzero(chosen)
    covers = csr_array(flows.covers[:, columns])
    covers.sort_indices()
    open_ = np.diff(covers.indptr) > 0
    covers, people = _merge(covers[open_], flows.people[open_])
    alone = replace(
        flows, covers=covers, by_site=csc_array(covers), people=people, room=flows.room[columns], limited=flows.limited[columns]
    )
    always = Sites.of([str(at) for at in columns], background=[str(at) for at in columns])
    program = _program(alone, site_rows(always))
    most = maximise(replace(program, integer=np.zeros_like(program.integer)), Stop())
    served = most.bound / flows.scale
    return float(round(served)) if flows.is_whole else served


def _plain_bound(flows: _Flows, sites: Sites) -> float:
    """Bound without a solver: everybody in reach, or all the room of as many sites as there may be."""
    room = math.fsum(flows.room[sites.always])
    free = np.sort(flows.room[~sites.always & ~sites.forbidden])[::-1]
    count = len(sites) if sites.total is None else max(0, sites.total - int((sites.fixed & sites.counted).sum()))
    return min(math.fsum(flows.people), room + math.fsum(free[:count]))


def _start(flows: _Flows, sites: Sites, rules: SiteRows) -> Numbers | None:
    """Values of the rules' variables near a greedy choice; None if no choice meets the rules.

    Raises
    ------
    OptionError
        No choice that meets the rules was found in reasonable time.
    """
    worth = _greedy(flows, sites)
    program = Program(
        gain=np.concatenate([worth, np.zeros(rules.lower.size - len(sites))]),
        lower=rules.lower,
        upper=rules.upper,
        integer=rules.integer,
        rows=rules.rows,
        row_lower=rules.row_lower,
        row_upper=rules.row_upper,
    )
    found = maximise(program, Stop.after(PATIENCE_S))
    if found.values is None and found.status == "stopped":
        zh, en = "没有找到任何符合条件的方案：请放宽条件。", "No plan that meets the demands was found in time: demand less."
        raise OptionError(Problem(zh, en))
    return found.values


def _greedy(flows: _Flows, sites: Sites) -> Numbers:
    """People that each candidate would add: those chosen greedily at their turn, the others after them. Nobody is moved for another."""
    left, worth = flows.people.copy(), np.zeros(len(sites))
    open_ = ~sites.always & ~sites.forbidden
    for site in np.flatnonzero(sites.always):
        _fill(flows, left, int(site))
    for _ in range(min(int(open_.sum()), sites.total or len(sites))):
        gain = np.where(open_, np.minimum(flows.covers.T @ left, flows.room), -1.0)
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        worth[best], open_[best] = gain[best], False
        _fill(flows, left, best)
    rest = np.minimum(flows.covers.T @ left, flows.room)
    return np.where(worth > 0, worth, rest * 0.5) / max(1.0, float(flows.people.sum()))


def _fill(flows: _Flows, left: Numbers, site: int) -> tuple[Ints, Numbers]:
    """Serve at one site the people left, group after group, as long as there is room: groups, and people of each."""
    column = flows.by_site[:, [site]]
    groups = column.indices
    before = np.concatenate([[0.0], np.cumsum(left[groups])[:-1]])
    taken = np.clip(flows.room[site] - before, 0.0, left[groups])
    left[groups] -= taken
    return groups, taken


def _with_flows(flows: _Flows, start: Numbers, width: int) -> Numbers:
    """Values of all variables of the program where the sites of `start` serve whom they can, one site after the other."""
    group, site = _edges(flows)
    left, flow = flows.people.copy(), np.zeros(len(group))
    for at in np.flatnonzero(start[:width] > 0.5):  # noqa: PLR2004  binary
        groups, taken = _fill(flows, left, int(at))
        if flows.limited[at]:
            flow[np.searchsorted(group * width + site, groups * width + at)] = taken
    return np.concatenate([start, (flows.people - left) * flows.scale, flow * flows.scale])


def _plan(sites: Sites, rules: SiteRows, values: Numbers, stage: StageValue) -> Plan:
    shown = np.flatnonzero((values[: len(sites)] > 0.5) & sites.counted)  # noqa: PLR2004  binary
    vehicles = np.rint(rules.vehicles @ values[: rules.lower.size]).astype(np.int64)
    status: Status = "optimal" if stage.bound == stage.objective else "feasible"
    return Plan(tuple(sites.id[at] for at in shown), tuple(vehicles[shown].tolist()), status, (stage,), METHOD)
