"""Which model answers which question; the one door: ask, solve, recount, look for equals and contradictions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Final

import numpy as np

from geodata.errors import OptionError, Problem, first_few
from scenarios.siting.check import check_plan, covered
from scenarios.siting.question import Asked, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.result import Conflict, Plan, SitingResult
from scenarios.siting.stop import Stop

Solve = Callable[[Asked, Terms, Stop], Plan]
NUMBER_FOUND: Final[frozenset[Model]] = frozenset({"lscp", "partial"})  # these say how many sites it takes
COUNTS_VEHICLES: Final[frozenset[Model]] = frozenset({"bacop1", "bacop2", "mexclp", "dsm"})
PATIENCE_S: Final = 20.0  # to find what contradicts what, beyond the time allowed for the plan
LEAST: Final[frozenset[Model]] = frozenset({"lscp", "partial", "p-median", "p-center"})  # their objective is to be small
_OWN: Final[dict[Model, tuple[str, str]]] = {
    "cmclp": ("capacitated.capacitated", "cmclp"),
    "p-median": ("median.median", "p_median"),
    "p-center": ("center.center", "p_center"),
}


def site(asked: Asked, model: Model, terms: Terms, *, stop: Stop, equals: int = 0) -> SitingResult:
    """Choose sites.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms
    stop : Stop
        When to end; the best so far is kept.
    equals : int
        How many other choices, exactly as good, to look for.

    Returns
    -------
    SitingResult
        Demand that nobody can reach is listed; it makes nothing infeasible. If what is demanded contradicts itself, the status is
        ``infeasible`` and `conflict` has an irreducible set of demands.

    Raises
    ------
    OptionError
        A term that the model needs is missing or out of range, or it was stopped before any plan was found.
    """
    started_s = time.perf_counter()
    check_terms(asked, model, terms)
    whole = asked
    if model not in COUNTS_VEHICLES:  # one or several at a site are the same to it
        asked = replace(asked, sites=replace(asked.sites, vehicles=np.ones(len(asked.sites), dtype=np.int64)))
    plan = _solve(model)(asked, terms, stop) if _can_be_chosen(asked.sites) else Plan((), (), "infeasible", (), "")
    if plan.status == "infeasible":
        conflicts = import_module("scenarios.siting.contradictions.conflicts").conflicts
        return _result(
            whole,
            model,
            plan,
            stop,
            conflict=conflicts(asked, model, terms, Stop(cancelled=stop.cancelled).within(PATIENCE_S)),
            seconds=time.perf_counter() - started_s,
        )
    check_plan(asked, model, terms, plan)
    equal: tuple[tuple[str, ...], ...] = ()
    complete = False
    if equals and plan.status == "optimal":
        equal, complete = import_module("scenarios.siting.equals.equal").equal_optima(asked, model, terms, plan, equals, stop)
    return _result(whole, model, plan, stop, equal=equal, complete=complete, share=terms.share, seconds=time.perf_counter() - started_s)


def check_ids(ids: Sequence[str], *, sites: int | None, fixed: Sequence[str] = (), forbidden: Sequence[str] = (), source: str = "") -> None:
    """Refuse a number of sites that cannot be chosen and ids that do not exist, all reasons at once.

    Parameters
    ----------
    ids : sequence of str
        All that may be chosen.
    sites : int or None
        How many sites in total; None: as many as it takes.
    fixed, forbidden : sequence of str
        Candidates that are chosen in any case, or in none.
    source : str
        Where the candidates come from (a file's name), for the message.

    Raises
    ------
    OptionError
        If sites < 1, there are fewer candidates or more fixed sites than that, an id is unknown, or a candidate appears twice.
    """
    known, kept = set(ids), set(fixed)
    zh_in, en_in = (f" {source} 中", f" in {source}") if source else ("", "")
    problems = []
    if sites is not None and sites < 1:
        problems.append(Problem(f"站点总数须至少为 1，现为 {sites}。", f"The number of sites must be at least 1, not {sites}."))
    if len(known) < len(ids):
        problems.append(Problem(f"{zh_in}候选点编号有重复：请去重。", f"Candidate ids are repeated{en_in}: keep each once."))
    if sites is not None and sites > len(known):
        zh = f"要选 {sites} 个站点，但{zh_in}只有 {len(known)} 个候选点：请减少站点或增加候选点。"
        en = f"{sites} sites are asked for, but there are only {len(known)} candidates{en_in}: ask for fewer, or add candidates."
        problems.append(Problem(zh, en))
    if sites is not None and 1 <= sites < len(kept):
        zh = f"站点总数 {sites} 少于固定点 {len(kept)} 个：总数包括固定点，请增大总数。"
        en = f"{sites} sites in total are fewer than the {len(kept)} fixed ones, which count towards the total: ask for more."
        problems.append(Problem(zh, en))
    for said_zh, said_en, some in (("固定点", "Fixed", kept), ("禁用点", "Forbidden", set(forbidden))):
        if unknown := sorted(some - known):
            wrong, right = first_few(unknown), first_few(sorted(known))
            zh = f"{said_zh}不在{zh_in}候选点之列：{wrong}。候选点有：{right}。请改正编号（编号是文本，007 与 7 不同）。"
            en = f"{said_en} sites that are not among the candidates{en_in}: {wrong}. Candidates are: {right}. Correct the ids "
            problems.append(Problem(zh, en + "(they are text: 007 is not 7)."))
    if problems:
        raise OptionError(*problems)


def check_terms(asked: Asked, model: Model, terms: Terms) -> None:
    """Refuse a question that lacks what its model needs, all reasons at once.

    Raises
    ------
    OptionError
        Naming each term, as the options of the command line do.
    """
    sites = asked.sites
    needs = {
        "--sites / --budget": (sites.total is sites.budget is None and model not in NUMBER_FOUND, "总数或费用上限", "how many sites"),
        "--limit2": (asked.wide is None and model in {"lexicographic", "dsm"}, "第二个时限", "the wider limit"),
        "--share": (model == "partial" and not _is_share(terms.share), "人口比例（0–1）", "a share of the people (0–1)"),
        "--alpha": (model in {"dsm", "bacop2"} and not _is_share(terms.alpha, zero=True), "比例（0–1）", "a share (0–1)"),
        "--busy": (model == "mexclp" and not _is_busy(terms.busy), "繁忙率（0 至 1，不含 1）", "busy shares (0 to less than 1)"),
        "--capacity": (model == "cmclp" and terms.capacity is None, "每点的服务能力", "the capacity of each site"),
    }
    problems = [
        Problem(f"模型 {model} 需要{zh}：请给出 {option}。", f"Model {model} needs {en}: give {option}.")
        for option, (lacks, zh, en) in needs.items()
        if lacks
    ]
    if model not in COUNTS_VEHICLES and sites.fleet is not None:
        zh = f"模型 {model} 不计车辆数：请去掉 --fleet，或用 mexclp、dsm、bacop1、bacop2。"
        problems.append(Problem(zh, f"Model {model} counts no vehicles: leave out --fleet, or use mexclp, dsm, bacop1 or bacop2."))
    if model in NUMBER_FOUND and sites.total is not None:
        zh = f"模型 {model} 自己求需要几个点：请去掉 --sites；要限定点数请用 mclp。"
        problems.append(Problem(zh, f"Model {model} finds how many sites it takes: leave out --sites, or use mclp for a given number."))
    if problems:
        raise OptionError(*problems)


def _is_share(share: float | None, *, zero: bool = False) -> bool:
    return share is not None and (share > 0.0 or (zero and share == 0.0)) and share <= 1.0


def _is_busy(busy: Numbers | None) -> bool:
    return busy is not None and bool(((busy >= 0) & (busy < 1)).all())


def _solve(model: Model) -> Solve:
    """The function of a model; those with compiled loops are brought when they are asked for."""
    if model in _OWN:
        module, name = _OWN[model]
        found: Solve = getattr(import_module(f"scenarios.siting.{module}"), name)
        return found
    covering: Solve = import_module("scenarios.siting.covering.models").solve_covering(model)
    return covering


def _can_be_chosen(sites: Sites) -> bool:
    """Whether nothing obvious contradicts itself: the quick ways to solve rely on it."""
    free = int((~sites.forbidden & sites.counted).sum())
    fits = sites.total is None or int((sites.fixed & sites.counted).sum()) <= sites.total <= free
    return fits and not (sites.fixed & sites.forbidden).any()


def _result(
    asked: Asked,
    model: Model,
    plan: Plan,
    stop: Stop,
    *,
    seconds: float,
    share: float | None = None,
    equal: tuple[tuple[str, ...], ...] = (),
    complete: bool = False,
    conflict: tuple[Conflict, ...] = (),
) -> SitingResult:
    sites = asked.sites
    chosen = np.isin(np.array(sites.id, dtype=object), list(plan.chosen)) | sites.background
    within = covered(asked.near, chosen.astype(np.float64)) > 0
    reachable, usable = asked.has_route, (~sites.forbidden | sites.background).astype(np.float64)
    beyond = reachable & ~(covered(asked.near, usable) > 0)
    goal = None if not plan.stages else plan.stages[0] if model == "partial" else plan.stages[-1]
    return SitingResult(
        model=model,
        status=plan.status,
        stopped=stop.reason if plan.status == "feasible" else None,
        objective=None if goal is None else goal.objective,
        bound=None if goal is None else goal.bound,
        sites=plan.chosen,
        fixed=tuple(sorted(one for one, is_fixed in zip(sites.id, sites.fixed, strict=True) if is_fixed)),
        vehicles=plan.vehicles if model in COUNTS_VEHICLES else _standing(sites, plan),
        served=math.fsum(asked.people[within]),
        total=math.fsum(asked.people),
        unreachable=_named(asked, ~reachable),
        beyond=_named(asked, beyond),
        stages=plan.stages,
        equal=equal,
        equal_complete=complete,
        conflict=conflict,
        method=plan.method,
        share=share,
        seconds=seconds,
    )


def _standing(sites: Sites, plan: Plan) -> tuple[int, ...]:
    """Vehicles at each chosen site, as the question states them."""
    stated = dict(zip(sites.id, sites.vehicles.tolist(), strict=True))
    return tuple(stated[one] for one in plan.chosen)


def _named(asked: Asked, which: Mask) -> tuple[str, ...]:
    return tuple(sorted(asked.demand[at] for at in np.flatnonzero(which)))
