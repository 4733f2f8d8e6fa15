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
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array, vstack

from geodata.errors import OptionError, Problem, first_few
from scenarios.siting.capacitated.bound import Market, descend, settled
from scenarios.siting.capacitated.program import SAME_SHARE, Flows, fill, flows_of, merge, program_of, with_flows
from scenarios.siting.milp import Program, Solution, maximise
from scenarios.siting.question import Asked, Mask, Numbers, Sites, Terms
from scenarios.siting.result import Plan, StageValue, Status
from scenarios.siting.rules import SiteRows, site_rows
from scenarios.siting.stop import Stop

STAGE: Final = "served"
METHOD: Final = "greedy, Lagrangian bound, then HiGHS over sites and flows"
PATIENCE_S: Final = 30.0  # to find any plan at all, whatever the time limit
CLOSE: Final = 0.98  # of the people served by the best choice: another is looked at closely if it serves so many at first sight
FEW: Final = 5  # sites that are tried in the place of one


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
    sites, near = asked.sites.take(order), csr_array(asked.near)[:, order]
    flows = flows_of(near, asked.people, capacities(asked.sites, terms)[order], sites)
    start = _start(flows, sites, site_rows(sites))
    if start is None:
        return Plan((), (), "infeasible", (), METHOD)
    best, bound, left = _by_prices(flows, sites, _Best(start, _served(flows, start[: len(sites)] > 0.5)), stop)  # noqa: PLR2004  binary
    proven = bound - best.served < flows.same_people
    if not proven:
        found = _solved(flows_of(near, asked.people, capacities(asked.sites, terms)[order], left), left, best.values, stop)
        if found.values is not None and (served := _served(flows, found.values[: len(sites)] > 0.5)) > best.served:  # noqa: PLR2004  binary
            best = _Best(found.values[: len(start)], served)
        proven = found.status != "stopped"
        bound = min(bound, max(best.served, _rounded(flows, found.bound / flows.scale)))
        proven |= bound - best.served < flows.same_people
    if proven and sites.is_plain:
        best = _tidy(flows, sites, best)
    return _plan(sites, best.values, StageValue(STAGE, best.served, best.served if proven else bound))


class _Best(NamedTuple):
    """The best choice known: values of the rules' variables, and people served."""

    values: Numbers
    served: float


def _rounded(flows: Flows, bound: float) -> float:
    """A bound on people; whole people are served in whole numbers."""
    return math.floor(bound + max(1e-6, SAME_SHARE * bound)) if flows.is_whole and math.isfinite(bound) else bound


def _by_prices(flows: Flows, sites: Sites, best: _Best, stop: Stop) -> tuple[_Best, float, Sites]:
    """Better choices and a bound by prices; and the sites with those ruled out, or in, that no better choice lacks, or has."""
    bound = _plain_bound(flows, sites)
    if sites.total is None:
        return best, bound, sites
    free = ~sites.always & ~sites.forbidden
    market = Market(flows.covers, flows.people, flows.room, sites.always, free, sites.total - int((sites.fixed & sites.counted).sum()))
    prices, looked_at = None, set()
    for prices in descend(market, best.served, stop, best.served + (1.0 if flows.is_whole else flows.same_people)):
        key = prices.chosen.tobytes()
        if sites.is_plain and key not in looked_at and _at_first_sight(flows, prices.chosen) > CLOSE * best.served:
            looked_at.add(key)
            if (served := _served(flows, prices.chosen)) > best.served:
                best = _Best(prices.chosen.astype(np.float64), served)
    if prices is None:
        return best, bound, sites
    if sites.is_plain:
        best = _exchanged(flows, sites, best, stop)
    out, into = settled(market, prices, best.served + (1.0 - 1e-3 if flows.is_whole else flows.same_people))
    bound = max(best.served, min(bound, _rounded(flows, prices.bound)))
    return best, bound, replace(sites, forbidden=sites.forbidden | out, fixed=sites.fixed | into)


def _exchanged(flows: Flows, sites: Sites, best: _Best, stop: Stop) -> _Best:
    """Exchange one site for one of the few that seem to add most, as long as that serves more people."""
    tried: set[bytes] = set()
    while True:
        others = (one for one in _likely(flows, sites, best.values > 0.5) if one.tobytes() not in tried)  # noqa: PLR2004  binary
        for other in others:
            tried.add(other.tobytes())
            if stop.reason is not None:
                return best
            if (served := _served(flows, other)) > best.served:
                best = _Best(other.astype(np.float64), served)
                break
        else:
            return best


def _likely(flows: Flows, sites: Sites, chosen: Mask) -> Iterator[Mask]:
    """Choices with one site exchanged: for each of its sites, the few that would serve most of whom the others leave."""
    for out in np.flatnonzero(chosen & ~sites.always):
        without = chosen.copy()
        without[out] = False
        left = flows.people.copy()
        for at in np.flatnonzero(without):
            fill(flows, left, int(at))
        gain = np.where(chosen | sites.forbidden, -1.0, np.minimum(flows.covers.T @ left, flows.room))
        for into in np.argsort(-gain, kind="stable")[:FEW]:
            if gain[into] >= 0:
                other = without.copy()
                other[into] = True
                yield other


def _tidy(flows: Flows, sites: Sites, best: _Best) -> _Best:
    """Exchange chosen sites for smaller ids as long as nobody is lost: ties go to the smaller id."""
    chosen = best.values > 0.5  # noqa: PLR2004  binary
    for at in np.flatnonzero(chosen & ~sites.always)[::-1]:
        without = chosen.copy()
        without[at] = False
        may = ~chosen & ~sites.forbidden & (_served(flows, without) + flows.room > best.served - flows.same_people)
        for into in np.flatnonzero(may[:at]):
            other = without.copy()
            other[into] = True
            if abs(_served(flows, other) - best.served) < flows.same_people:
                chosen = other
                break
    return _Best(chosen.astype(np.float64), _served(flows, chosen))


def _at_first_sight(flows: Flows, chosen: Mask) -> float:
    """People served if one site after the other takes whom it can."""
    left = flows.people.copy()
    for at in np.flatnonzero(chosen):
        fill(flows, left, int(at))
    return float((flows.people - left).sum())


def _solved(flows: Flows, sites: Sites, start: Numbers, stop: Stop) -> Solution:
    """The rest by the solver; from a start that keeps what was ruled out or in, if it does."""
    rules = site_rows(sites)
    keeps = bool((start >= rules.lower).all() and (start <= rules.upper).all())
    return maximise(program_of(flows, rules), stop, start=with_flows(flows, start, len(sites)) if keeps else None)


def pinned_flows(asked: Asked, terms: Terms, served: float) -> Program:
    """A program whose feasible choices serve as many people; its first variables are the candidates, in the order of `asked`."""
    flows = flows_of(csr_array(asked.near), asked.people, capacities(asked.sites, terms), asked.sites)
    program = program_of(flows, site_rows(asked.sites))
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


def _served(flows: Flows, chosen: Mask) -> float:
    """People that the chosen sites serve: the linear program of their flows alone."""
    columns = np.flatnonzero(chosen)
    if not len(columns):
        return 0.0
    covers = csr_array(flows.covers[:, columns])
    covers.sort_indices()
    open_ = np.diff(covers.indptr) > 0
    covers, people = merge(covers[open_], flows.people[open_])
    alone = replace(
        flows, covers=covers, by_site=csc_array(covers), people=people, room=flows.room[columns], limited=flows.limited[columns]
    )
    always = Sites.of([str(at) for at in columns], background=[str(at) for at in columns])
    program = program_of(alone, site_rows(always))
    most = maximise(replace(program, integer=np.zeros_like(program.integer)), Stop())
    served = most.bound / flows.scale
    return float(round(served)) if flows.is_whole else served


def _plain_bound(flows: Flows, sites: Sites) -> float:
    """Bound without a solver: everybody in reach, or all the room of as many sites as there may be."""
    room = math.fsum(flows.room[sites.always])
    free = np.sort(flows.room[~sites.always & ~sites.forbidden])[::-1]
    count = len(sites) if sites.total is None else max(0, sites.total - int((sites.fixed & sites.counted).sum()))
    return min(math.fsum(flows.people), room + math.fsum(free[:count]))


def _start(flows: Flows, sites: Sites, rules: SiteRows) -> Numbers | None:
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


def _greedy(flows: Flows, sites: Sites) -> Numbers:
    """People that each candidate would add: those chosen greedily at their turn, the others after them. Nobody is moved for another."""
    left, worth = flows.people.copy(), np.zeros(len(sites))
    open_ = ~sites.always & ~sites.forbidden
    for site in np.flatnonzero(sites.always):
        fill(flows, left, int(site))
    for _ in range(min(int(open_.sum()), sites.total or len(sites))):
        gain = np.where(open_, np.minimum(flows.covers.T @ left, flows.room), -1.0)
        best = int(np.argmax(gain))
        if gain[best] <= 0:
            break
        worth[best], open_[best] = gain[best], False
        fill(flows, left, best)
    rest = np.minimum(flows.covers.T @ left, flows.room)
    return np.where(worth > 0, worth, rest * 0.5) / max(1.0, float(flows.people.sum()))


def _plan(sites: Sites, values: Numbers, stage: StageValue) -> Plan:
    rules = site_rows(sites)
    shown = np.flatnonzero((values[: len(sites)] > 0.5) & sites.counted)  # noqa: PLR2004  binary
    vehicles = np.rint(rules.vehicles @ values[: rules.lower.size]).astype(np.int64)
    status: Status = "optimal" if stage.bound == stage.objective else "feasible"
    return Plan(tuple(sites.id[at] for at in shown), tuple(vehicles[shown].tolist()), status, (stage,), METHOD)
