"""Time the covering model on seeded counties: ``python benchmarks/siting.py``."""

from __future__ import annotations

import time

import numpy as np
from scipy import sparse

from scenarios.siting.cover import CoverPlan, solve
from scenarios.siting.question import CoverStage

SIDE_KM = 60.0


def generate_stages(n_candidates: int, n_demand: int, *, limits_km: tuple[float, ...], seed: int) -> list[CoverStage]:
    """Scatter villages around a few towns; one stage per limit, the widest first."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform(0.0, SIDE_KM, (12, 2))
    demand = towns[rng.integers(0, 12, n_demand)] + rng.normal(0.0, 6.0, (n_demand, 2))
    sites = demand[rng.choice(n_demand, n_candidates, replace=False)]
    people = np.floor(rng.lognormal(5.0, 1.2, n_demand)) + 1.0
    km = np.hypot(demand[:, None, 0] - sites[None, :, 0], demand[:, None, 1] - sites[None, :, 1])
    return [CoverStage(f"{limit:g} km", sparse.csr_array(km <= limit), people) for limit in limits_km]


def time_solve(stages: list[CoverStage], *, sites: int) -> tuple[CoverPlan, float]:
    """Solve once, and say how many seconds it took."""
    ids = [f"C{position:04d}" for position in range(stages[0].covers.shape[1])]
    started_s = time.perf_counter()
    plan = solve(stages, candidate_ids=ids, sites=sites, fixed=ids[:1], time_limit_s=120.0)
    return plan, time.perf_counter() - started_s


def print_table() -> None:
    """Print one markdown row per case."""
    print("| candidates | demand | sites | limits km | status | people, per stage | seconds |")
    print("|---|---|---|---|---|---|---|")
    for n_candidates, n_demand, sites, limits_km in (
        (100, 3_000, 5, (10.0,)),
        (100, 3_000, 5, (20.0, 10.0)),
        (200, 5_000, 10, (10.0,)),
        (200, 5_000, 10, (15.0, 7.5)),
    ):
        stages = generate_stages(n_candidates, n_demand, limits_km=limits_km, seed=15)
        plan, seconds = time_solve(stages, sites=sites)
        people = " · ".join(f"{value.objective:,.0f} (≤ {value.bound:,.0f})" for value in plan.stages)
        limits = " · ".join(f"{limit:g}" for limit in limits_km)
        print(f"| {n_candidates} | {n_demand:,} | {sites} | {limits} | {plan.status} | {people} | {seconds:.2f} |")


if __name__ == "__main__":
    print_table()
