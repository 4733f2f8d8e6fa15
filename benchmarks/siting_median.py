"""Time the p-median and the p-center on seeded counties: ``python benchmarks/siting_median.py``."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.sparse import csr_array
from siting_counties import asked_of, county
from timing import figures

from scenarios.siting.models import site
from scenarios.siting.question import Asked, Model, Terms
from scenarios.siting.stop import Stop

EVERYWHERE: Final = 1_000.0  # minutes: every candidate has a route to every demand point
MS_PER_MINUTE: Final = 60_000
QUESTIONS: Final[tuple[tuple[Model, int, int, int, float], ...]] = (
    ("p-median", 200, 2_000, 10, 5.0),
    ("p-median", 1_000, 20_000, 10, 5.0),
    ("p-median", 1_000, 20_000, 10, 60.0),
    ("p-median", 1_000, 20_000, 50, 60.0),
    ("p-center", 200, 2_000, 10, 15.0),
    ("p-center", 500, 5_000, 30, 15.0),
)


def whole_county(candidates: int, demand: int, total: int) -> Asked:
    """All costs of a county, in whole milliseconds."""
    there = county(candidates, demand, within=EVERYWHERE)
    minutes = there.minutes
    cost = csr_array((np.rint(minutes.data * MS_PER_MINUTE), minutes.indices, minutes.indptr), shape=minutes.shape)
    return replace(asked_of(there, limit=0.0, total=total), cost=cost)


def row(model: Model, candidates: int, demand: int, total: int, seconds: float) -> str:
    """A table row: one question, at most so many seconds of the clock."""
    asked = whole_county(candidates, demand, total)
    began = time.process_time(), time.perf_counter()
    result = site(asked, model, Terms(), stop=Stop.after(seconds))
    spent = time.process_time() - began[0], time.perf_counter() - began[1]
    size = f"{candidates:,} × {demand:,}, p = {total}, at most {seconds:g} s"
    gap = 100.0 * (result.gap or 0.0)
    found = f"{result.objective:,.0f} | {result.bound:,.0f} | {result.status} | {gap:.3f} %"
    return f"| {model} | {size} | {found} | {figures(spent[0])} | {figures(spent[1])} |"


def main() -> None:
    """Print the table; loops are compiled before any time is taken."""
    row("p-median", 60, 300, 5, 60.0)
    row("p-center", 60, 300, 5, 60.0)
    print("Every candidate has a route to every demand point; costs are whole milliseconds.\n")
    print("| model | question | found | bound | | gap | CPU s | wall s |\n|---|---|---|---|---|---|---|---|")
    for question in QUESTIONS:
        print(row(*question), flush=True)


if __name__ == "__main__":
    main()
