"""Choose sites from a table of travel costs, by any model: what may be asked, and the question it makes."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from geodata.errors import OptionError, Problem
from scenarios.siting.models import check_ids, site
from scenarios.siting.question import MODELS, Asked, Model, Sites, Terms
from scenarios.siting.result import SitingResult
from scenarios.siting.stop import Stop
from scenarios.siting.tables.od_table import OdTable, Side, choose_demand_side, other_side, read_od, read_weights
from scenarios.siting.tables.site_numbers import site_numbers

_ALL: Final = frozenset(MODELS)
_FEWEST: Final = frozenset({"lscp", "partial"})  # these say how many sites there must be
_BY_COST: Final = frozenset({"p-median", "p-center"})
_BY_VEHICLE: Final = frozenset({"bacop1", "bacop2", "mexclp", "dsm"})
NEEDED: Final[dict[str, frozenset[str]]] = {
    "limit": _ALL - _BY_COST,
    "limit2": frozenset({"lexicographic", "dsm"}),
    "share": frozenset({"partial"}),
    "alpha": frozenset({"bacop2", "dsm"}),
    "busy": frozenset({"mexclp"}),
    "capacity": frozenset({"cmclp"}),
}
ALLOWED: Final[dict[str, frozenset[str]]] = NEEDED | {
    "limit": _ALL,
    "sites": _ALL - _FEWEST,
    "vehicles": _BY_VEHICLE,
    "fleet": _BY_VEHICLE,
    "weighted": frozenset({"p-center"}),
}


@dataclass(frozen=True, kw_only=True)
class OdQuestion:
    """What is asked of a table of travel costs, in the words of ``circle15 site --matrix``.

    ::

        OdQuestion(model="mclp", sites=5, limit=15)
        OdQuestion(model="p-median", sites=5, cost="metres", fixed=("H1",))
        OdQuestion(model="partial", share=0.9, limit=15)
        OdQuestion(model="dsm", sites=5, fleet=7, limit=8, limit2=15, alpha=0.8)
        OdQuestion(model="mexclp", sites=5, vehicles="vehicles.csv", busy="0.3", limit=15)

    Attributes
    ----------
    model : str
        One of ``MODELS``. An option that the model has no use for is refused.
    cost : str
        Column of the table that `limit` is in.
    demand_side : {'from', 'to'}, optional
        Which column holds the demand; found from the weights unless given.
    sites : int, optional
        How many sites in total, fixed ones included. Needed without a budget, but for lscp and partial, which find it.
    fixed, forbidden : tuple of str
        Candidates that are chosen in any case, or never.
    limit, limit2 : float, optional
        Inclusive, in the unit of the cost; the second is the wider one.
    share, alpha : float, optional
        See :class:`~scenarios.siting.question.Terms`.
    busy, vehicles, capacity : str, optional
        A number for all sites, or a table: see :func:`~scenarios.siting.tables.site_numbers.site_numbers`.
    fleet : int, optional
        Vehicles in all; `vehicles` are then the most at each site.
    prices : path, optional
        Table of what each site costs. lscp then finds the least price, other models need a `budget`.
    budget : float, optional
        What they may cost together.
    weighted : bool
        p-center: times people.
    """

    model: Model = "mclp"
    cost: str = "minutes"
    demand_side: Side | None = None
    sites: int | None = None
    fixed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    limit: float | None = None
    limit2: float | None = None
    share: float | None = None
    alpha: float | None = None
    busy: str | None = None
    vehicles: str | None = None
    fleet: int | None = None
    capacity: str | None = None
    prices: Path | str | None = None
    budget: float | None = None
    weighted: bool = False

    def __post_init__(self) -> None:
        """Refuse what the model has no use for, what it lacks, and what is out of range: all at once."""
        if self.model not in MODELS:
            names = ", ".join(MODELS)
            raise OptionError(Problem(f"没有模型 {self.model}；可用：{names}。", f"There is no model {self.model}; choose from: {names}."))
        if problems := [*_foreign(self), *_lacking(self), *_out_of_range(self)]:
            raise OptionError(*problems)


def site_from_matrix(
    od_path: Path | str, weights_path: Path | str, question: OdQuestion, *, stop: Stop | None = None, equals: int = 0
) -> SitingResult:
    """Choose sites from a table of travel costs.

    Parameters
    ----------
    od_path : path
        CSV or ``.parquet`` with ``from_id``, ``to_id`` and the cost; a blank cost means no route.
    weights_path : path
        The demand: ``id`` and, if they differ, ``people`` (1 each otherwise).
    question : OdQuestion
    stop : Stop, optional
        When to end with the best so far; never unless given.
    equals : int
        How many other choices, exactly as good, to look for.

    Returns
    -------
    SitingResult
        A weighted id without any route counts in `total` and is listed in `unreachable`.

    Raises
    ------
    InputError
        If a file, column or row is wrong, or the matrix has demand that the weights do not name.
    OptionError
        If the sites asked for cannot be had.
    """
    started_s = time.perf_counter()
    od, people = read_od(od_path, cost=question.cost), read_weights(weights_path).sort_index()
    side = choose_demand_side(od, people.index, demand_side=question.demand_side, weights_name=Path(weights_path).name)
    asked, terms = as_asked(od, people, side, question)
    result = site(asked, question.model, terms, stop=stop or Stop(), equals=equals)
    return replace(result, seconds=time.perf_counter() - started_s)


def as_asked(od: OdTable, people: pd.Series, side: Side, question: OdQuestion) -> tuple[Asked, Terms]:
    """Make of a table and a question what the models are asked: demand in the order of `people`, candidates by id.

    Raises
    ------
    OptionError
        There are not so many candidates, or one that is named is none.
    InputError
        A table of numbers by site is wrong.
    """
    ids: tuple[str, ...] = tuple(od.ids[other_side(side)])
    check_ids(ids, sites=question.sites, fixed=question.fixed, forbidden=question.forbidden, source=od.name)
    route = ~np.isnan(od.cost)
    rows = people.index.get_indexer(od.ids[side])[od.positions[side]][route]
    columns, cost = od.positions[other_side(side)][route], od.cost[route]
    has_route = np.zeros(len(people), dtype=np.bool_)
    has_route[rows] = True

    def within(limit: float | None) -> csr_array:
        is_within = cost <= (math.inf if limit is None else limit)
        pairs = rows[is_within], columns[is_within]
        return csr_array((np.ones(len(pairs[0]), dtype=np.bool_), pairs), shape=(len(people), len(ids)))

    asked = Asked(
        sites=_sites(ids, question),
        demand=tuple(people.index),
        people=people.to_numpy(dtype=np.float64),
        near=within(question.limit),
        wide=None if question.limit2 is None else within(question.limit2),
        cost=csr_array((cost, (rows, columns)), shape=(len(people), len(ids))) if question.model in _BY_COST else None,
        has_route=has_route,
    )
    return asked, _terms(ids, question)


def _sites(ids: tuple[str, ...], question: OdQuestion) -> Sites:
    most = question.vehicles or (None if question.fleet is None else str(question.fleet))
    return Sites.of(
        ids,
        total=question.sites,
        fixed=question.fixed,
        forbidden=question.forbidden,
        price=None if question.prices is None else site_numbers(str(question.prices), ids, "price"),
        budget=question.budget,
        vehicles=None if most is None else site_numbers(most, ids, "vehicles").astype(np.int64),
        fleet=question.fleet,
    )


def _terms(ids: tuple[str, ...], question: OdQuestion) -> Terms:
    return Terms(
        share=question.share,
        alpha=question.alpha,
        busy=None if question.busy is None else site_numbers(question.busy, ids, "busy"),
        capacity=None if question.capacity is None else site_numbers(question.capacity, ids, "capacity"),
        weighted=question.weighted,
    )


def _foreign(question: OdQuestion) -> list[Problem]:
    """Options that the model has no use for."""
    given = [
        name
        for name, models in ALLOWED.items()
        if question.model not in models and getattr(question, name) is not None and getattr(question, name) is not False
    ]
    problems = []
    for name in given:
        models = ", ".join(model for model in MODELS if model in ALLOWED[name])
        zh = f"{question.model} 用不到 --{name}（用它的模型：{models}）。请去掉，或换一个模型。"
        en = f"{question.model} has no use for --{name} (models that have: {models}). Leave it out, or change the model."
        problems.append(Problem(zh, en))
    return problems


def _lacking(question: OdQuestion) -> list[Problem]:
    """Options that are needed and not given."""
    missing = [f"--{name}" for name, models in NEEDED.items() if question.model in models and getattr(question, name) is None]
    if question.sites is None and question.budget is None and question.model not in _FEWEST:
        missing.append("--sites")
    problems = []
    if missing:
        names, model = ", ".join(missing), question.model
        problems.append(Problem(f"{model} 须给出 {names}。", f"{model} needs {names}."))
    if question.prices is None and question.budget is not None:
        problems.append(Problem("--budget 须与 --prices（每点的费用）一起使用。", "--budget needs --prices: what each site costs."))
    if question.prices is not None and question.budget is None and question.model != "lscp":
        zh = f"--prices 须与 --budget 一起使用（只有 lscp 不用预算，直接求最省的），现在的模型是 {question.model}。"
        en = f"--prices needs --budget (lscp alone does without: it finds the least price), and the model is {question.model}."
        problems.append(Problem(zh, en))
    return problems


def _out_of_range(question: OdQuestion) -> list[Problem]:
    """Numbers that cannot be."""
    share = ("须大于 0、不大于 1", "must be more than 0 and at most 1")
    positive = ("须大于 0", "must be more than 0")
    least_one = ("须至少为 1", "must be at least 1")
    checks = (
        ("sites", question.sites, question.sites is None or question.sites >= 1, least_one),
        ("limit", question.limit, question.limit is None or 0 < question.limit < math.inf, positive),
        ("limit2", question.limit2, question.limit2 is None or 0 < question.limit2 < math.inf, positive),
        ("share", question.share, question.share is None or 0 < question.share <= 1, share),
        ("alpha", question.alpha, question.alpha is None or 0 <= question.alpha <= 1, ("须在 0 与 1 之间", "must be from 0 to 1")),
        ("fleet", question.fleet, question.fleet is None or question.fleet >= 1, least_one),
        ("budget", question.budget, question.budget is None or 0 <= question.budget < math.inf, ("须不小于 0", "must be 0 or more")),
        ("demand-side", question.demand_side, question.demand_side in {None, "from", "to"}, ("须为 from 或 to", "must be from or to")),
    )
    problems = [
        Problem(f"--{name} {zh}，现为 {value}。", f"--{name} {en}, not {value}.")
        for name, value, is_right, (zh, en) in checks
        if not is_right
    ]
    if question.limit is not None and question.limit2 is not None and question.limit2 < question.limit:
        zh = f"--limit2（{question.limit2}）是较宽的时限，不能小于 --limit（{question.limit}）。"
        en = f"--limit2 ({question.limit2}) is the wider limit: it cannot be less than --limit ({question.limit})."
        problems.append(Problem(zh, en))
    return problems
