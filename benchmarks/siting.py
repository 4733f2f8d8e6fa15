"""Time the siting models on seeded counties, beside other libraries on the same questions: ``python benchmarks/siting.py``."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from siting_counties import asked_of, county
from timing import figures, in_turn, quiet

import coverage  # noqa: F401  before numba, which spopt brings (ARCHITECTURE.md, trap 1)
from scenarios.siting.covering.reduce import best_cover
from scenarios.siting.covering.remainder import merge
from scenarios.siting.milp import Program, maximise
from scenarios.siting.models import site
from scenarios.siting.question import Asked, Terms
from scenarios.siting.result import SitingResult
from scenarios.siting.stop import Stop

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pulp
    from spopt.locate import LSCP, MCLP

SECONDS = 10.0  # for a question that may not be proven
LARGE = (
    (2_000, 100_000, 5.0, (10, 20)),
    (2_000, 100_000, 8.0, (5, 10, 20)),
    (2_000, 100_000, 15.0, (5, 10, 15, 20)),
)


class Timed(NamedTuple):
    """What a work returned, and its seconds: of CPU, and on the wall."""

    result: SitingResult
    cpu_s: float
    wall_s: float


def timed(work: Callable[[], SitingResult]) -> Timed:
    """Do it once."""
    began = time.process_time(), time.perf_counter()
    result = work()
    return Timed(result, time.process_time() - began[0], time.perf_counter() - began[1])


def ours(asked: Asked) -> float:
    """The people that our plan serves, from the sparse matrix to the checked result."""
    result = site(asked, "mclp", Terms(), stop=Stop())
    if result.status != "optimal" or result.objective is None:
        raise AssertionError(result)
    return result.objective


def plain_program(asked: Asked) -> Program:
    """The textbook program: y ≤ Σ x, Σ x = p."""
    demand, candidates = asked.near.shape
    rows = sparse.block_array([[np.ones((1, candidates)), None], [-asked.near.astype(np.float64), sparse.eye_array(demand)]], format="csr")
    total = float(asked.sites.total or 0)
    return Program(
        gain=np.concatenate([np.zeros(candidates), asked.people]),
        lower=np.zeros(candidates + demand),
        upper=np.ones(candidates + demand),
        integer=np.arange(candidates + demand) < candidates,
        rows=sparse.csr_array(rows),
        row_lower=np.concatenate([[total], np.full(demand, -np.inf)]),
        row_upper=np.concatenate([[total], np.zeros(demand)]),
    )


def by_highs(asked: Asked) -> float:
    """Plain highspy on the sparse program."""
    return maximise(plain_program(asked), Stop()).bound


def by_scipy(asked: Asked) -> float:
    """``scipy.optimize.milp`` on the sparse program."""
    program = plain_program(asked)
    found = milp(
        -program.gain,
        integrality=program.integer.astype(np.int64),
        bounds=Bounds(program.lower, program.upper),
        constraints=LinearConstraint(program.rows, program.row_lower, program.row_upper),
        options={"mip_rel_gap": 0.0},
    )
    return float(-found.fun)


def by_spopt(asked: Asked, model: type, *options: float) -> float:
    """Ask spopt, with HiGHS, which works in this process; it takes a full matrix, which is not counted."""
    cost = 1.0 - asked.near.toarray()
    began_s = time.process_time()
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        made = model.from_cost_matrix(cost, *options) if model is LSCP else model.from_cost_matrix(cost, asked.people, *options)
        solved = made.solve(pulp.HiGHS(msg=False), results=False)
    SPOPT_S.append(time.process_time() - began_s)
    return float(solved.problem.objective.value())


SPOPT_S: list[float] = []


def beside_others(minutes: float, total: int) -> str:
    """A table row a library: 200 candidates, 5,000 demand points."""
    asked = asked_of(county(200, 5_000, within=minutes), limit=minutes, total=total)
    best = ours(asked)
    works = {
        "circle15, from the sparse matrix to the checked result": lambda: ours(asked),
        "scipy `milp`, sparse": lambda: by_scipy(asked),
        "highspy, sparse": lambda: by_highs(asked),
    }
    for name, work in works.items():
        if abs(work() - best) > 1e-6 * best:
            message = f"{name} found {work()}, not {best}"
            raise AssertionError(message)
    spreads = in_turn(works, rounds=3)
    seconds = {name: spread.median for name, spread in spreads.items()}
    if abs(by_spopt(asked, MCLP, 0.5, total) - best) > 1e-6 * best:
        message = "spopt found another optimum"
        raise AssertionError(message)
    seconds["spopt `MCLP` + HiGHS"] = SPOPT_S[-1]
    least = min(seconds.values())
    lines = [f"| {name} | {figures(one)} | {figures(one / least)}× |" for name, one in seconds.items()]
    head = f"**{minutes:g} minutes, p = {total}**: all found {best:,.0f} of {asked.people.sum():,.0f} people.\n\n"
    return head + "| | s | ÷ least |\n|---|---|---|\n" + "\n".join(lines) + "\n"


def said(model: str, asked: Asked, *, size: str) -> str:
    """A table row: one question, at most ten seconds of the clock."""
    one = timed(lambda: site(asked, model, Terms(), stop=Stop.after(SECONDS)))  # type: ignore[arg-type]
    gap = 0.0 if one.result.gap is None else 100.0 * one.result.gap
    numbers = f"{one.result.objective:,.0f} | {one.result.bound:,.0f} | {one.result.status} | {gap:.2f} %"
    return f"| {model} | {size} | {numbers} | {figures(one.cpu_s)} | {figures(one.wall_s)} |"


def large() -> str:
    """A table of covering questions too large for the others."""
    lines = ["| model | question | found | bound | | gap | CPU s | wall s |", "|---|---|---|---|---|---|---|---|"]
    for candidates, demand, minutes, totals in LARGE:
        there = county(candidates, demand, within=minutes)
        entries = there.minutes.nnz / 1e6
        for total in totals:
            size = f"{candidates:,} × {demand:,}, {minutes:g} minutes ({entries:.1f} million pairs), p = {total}"
            lines.append(said("mclp", asked_of(there, limit=minutes, total=total), size=size))
    asked = asked_of(county(500, 5_000, within=8.0), limit=8.0, total=None)
    lines.append(said("lscp", asked, size="500 × 5,000, 8 minutes"))
    return "\n".join(lines) + "\n"


def one_more() -> str:
    """A table of plans found again after one candidate was added, begun from the plan before."""
    lines = ["| question | from nothing, CPU s | one candidate more, CPU s |", "|---|---|---|"]
    for candidates, demand, minutes, total in ((200, 5_000, 15.0, 10), (500, 20_000, 8.0, 10), (2_000, 100_000, 8.0, 10)):
        asked = asked_of(county(candidates, demand, within=minutes), limit=minutes, total=total)
        rows, people = merge(asked.near, asked.people)
        nobody = np.zeros(candidates, dtype=np.bool_)

        began_s = time.process_time()
        before, _ = best_cover(rows[:, :-1], people, (1.0,), always=nobody[:-1], free=total, stop=Stop())
        first_s = time.process_time() - began_s
        began_s = time.process_time()
        best_cover(rows, people, (1.0,), always=nobody, free=total, stop=Stop(), start=np.append(before, False))
        again_s = time.process_time() - began_s
        size = f"{candidates:,} × {demand:,}, {minutes:g} minutes, p = {total}"
        lines.append(f"| {size} | {figures(first_s)} | {figures(again_s)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the tables."""
    print("CPU time; villages around twelve towns in 60 × 60 km, 2 to 3 km a minute less detours; people are whole.")
    print("Before any time was taken, every library had found the same number of people. spopt's full matrix is not counted.\n")
    print("### Beside other libraries: 200 candidates, 5,000 demand points\n")
    for minutes, total in ((8.0, 10), (15.0, 10)):
        print(beside_others(minutes, total))
    print(f"### Large questions, at most {SECONDS:g} s\n")
    print(large())
    print("### One candidate more\n")
    print(one_more())


if __name__ == "__main__":
    main()
