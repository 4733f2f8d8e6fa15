"""The optima of the literature, agreement with another program, and brute force: every model, asked of files as the command line asks."""

import math
import warnings
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from scenarios.siting.question import MODELS
from scenarios.siting.result import SitingResult
from scenarios.siting.tables.od import OdQuestion, site_from_matrix

Costs = NDArray[np.float64]
PMEDIAN = {"pmed1": 5819, "pmed6": 7824, "pmed11": 7696, "pmed16": 8162, "pmed21": 9138}
PCENTER = {"pmed1": 127, "pmed6": 84, "pmed11": 59, "pmed16": 47, "pmed21": 40}


class Case:
    """A matrix (demand × candidates, nan where there is no route) and people as files; ``ask`` chooses sites."""

    def __init__(self, folder: Path, cost: Costs, people: Costs | None = None) -> None:
        self.cost, self.people = cost, np.ones(len(cost)) if people is None else people
        self.sites = [f"S{at:03d}" for at in range(cost.shape[1])]
        self.demand = [f"D{at:03d}" for at in range(len(cost))]
        self.od, self.weights = folder / "od.parquet", folder / "demand.csv"
        pairs = pd.MultiIndex.from_product([self.demand, self.sites], names=["from_id", "to_id"])
        pd.DataFrame({"cost": cost.ravel()}, index=pairs).dropna().reset_index().to_parquet(self.od)
        pd.DataFrame({"id": self.demand} | ({} if people is None else {"people": people})).to_csv(self.weights, index=False)

    def ask(self, **options: object) -> SitingResult:
        result = site_from_matrix(self.od, self.weights, OdQuestion(cost="cost", **options))
        assert result.status == "optimal", options
        assert result.objective == pytest.approx(result.bound, rel=1e-9)
        return result

    def chosen(self, result: SitingResult) -> list[int]:
        return [self.sites.index(one) for one in result.sites]


def plane(points: pd.DataFrame) -> Costs:
    """Straight distances between points."""
    return np.hypot(*(points[axis].to_numpy()[:, None] - points[axis].to_numpy()[None, :] for axis in ("x", "y")))


def orlib(path: Path) -> tuple[Costs, int]:
    """All distances of a graph of the OR-Library, where the last cost of a repeated edge holds, and how many sites are asked for."""
    (n_nodes, _, sites), *edges = ([int(word) for word in line.split()] for line in path.read_text().splitlines() if line.strip())
    last = {(min(tail, head) - 1, max(tail, head) - 1): cost for tail, head, cost in edges}
    ends = np.array(list(last)).T
    return shortest_path(coo_array((list(last.values()), (ends[0], ends[1])), shape=(n_nodes, n_nodes)).tocsr(), directed=False), sites


@pytest.fixture(scope="module")
def swain(data_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Case:
    points = pd.read_csv(data_file("siting/swain55.txt"), sep=r"\s+", skiprows=1, names=["id", "x", "y", "people"])
    return Case(tmp_path_factory.mktemp("swain"), plane(points), points["people"].to_numpy(dtype=np.float64))


def test_swain_covering_optima_are_found(swain):
    assert [swain.ask(model="mclp", sites=sites, limit=10).objective for sites in (1, 2, 3, 4)] == [425, 502, 548, 581]
    assert [swain.ask(model="lscp", limit=limit).objective for limit in (8, 15, 20)] == [13, 5, 3]
    assert swain.ask(model="mclp", sites=1, limit=10).total == 640


def test_nine_sites_cover_all_of_swain_within_10(swain):
    """The list of optima says 13, which is that of 8: these nine are enough, and no eight are."""
    nine = [13, 17, 20, 21, 27, 30, 36, 50, 55]
    assert swain.cost[:, [number - 1 for number in nine]].min(axis=1).max() <= 10
    assert swain.ask(model="lscp", limit=10).objective == 9


def test_swain_p_median_and_p_center_optima_are_found(swain):
    medians = [swain.ask(model="p-median", sites=sites).objective for sites in (1, 2, 3)]
    centers = [swain.ask(model="p-center", sites=sites).objective for sites in (1, 2, 3)]
    assert medians == pytest.approx([5773.962, 4614.765, 3870.244], abs=5e-4)
    assert centers == pytest.approx([28.2843, 23.1948, 17.4642], abs=5e-5)


def test_san_jose_dos_campos_optima_are_found(tmp_path, data_file):
    points = pd.read_csv(data_file("siting/SJC324.txt"), sep=r"\s+", skiprows=1, names=["x", "y", "people"])
    case = Case(tmp_path, plane(points), points["people"].to_numpy(dtype=np.float64))
    objectives = [case.ask(model="mclp", sites=sites, limit=800).objective for sites in (1, 2, 3, 4, 5)]
    assert objectives == [5461, 8790, 11604, 12106, 12152]


@pytest.mark.parametrize("name", PMEDIAN)
def test_or_library_optima_are_found(tmp_path, data_file, name):
    cost, sites = orlib(data_file(f"siting/{name}.txt"))
    case = Case(tmp_path, cost)
    assert case.ask(model="p-median", sites=sites).objective == PMEDIAN[name]
    assert case.ask(model="p-center", sites=sites).objective == PCENTER[name]


@pytest.fixture(scope="module", params=[1, 2, 3])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Forty villages and ten places for sites scattered over 10 × 10; every route is there."""
    rng = np.random.default_rng(request.param)
    villages, sites = rng.uniform(0, 10, (40, 2)), rng.uniform(0, 10, (10, 2))
    cost = np.hypot(*(villages[:, None, axis] - sites[None, :, axis] for axis in (0, 1))).round(3)
    return Case(tmp_path_factory.mktemp("town"), cost, rng.integers(1, 100, 40).astype(np.float64))


def by_spopt(cost: Costs, people: Costs, limit: float, reached: float) -> list[float]:
    """What spopt finds: mclp of three sites, lscp, p-median and p-center of three sites."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what its solver's next version will change
        import pulp  # noqa: PLC0415 — these take seconds
        from spopt.locate import LSCP, MCLP, PCenter, PMedian  # noqa: PLC0415

        models = (
            MCLP.from_cost_matrix(cost, people, service_radius=limit, p_facilities=3),
            LSCP.from_cost_matrix(cost, service_radius=reached),
            PMedian.from_cost_matrix(cost, people, p_facilities=3),
            PCenter.from_cost_matrix(cost, p_facilities=3),
        )
        return [model.solve(pulp.PULP_CBC_CMD(msg=False), results=False).problem.objective.value() for model in models]


def test_spopt_finds_the_same_optima(town):
    reached = float(town.cost.min(axis=1).max())
    ours = [
        town.ask(model="mclp", sites=3, limit=2.5),
        town.ask(model="lscp", limit=reached),
        town.ask(model="p-median", sites=3),
        town.ask(model="p-center", sites=3),
    ]
    assert [result.objective for result in ours] == pytest.approx(by_spopt(town.cost, town.people, 2.5, reached))


@pytest.fixture(scope="module", params=[4, 5, 6])
def hamlets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Nine villages and six places for sites: few enough to try all; some routes are missing, and one village has none."""
    rng = np.random.default_rng(request.param)
    cost = rng.integers(1, 20, (9, 6)).astype(np.float64)
    cost[rng.random(cost.shape) < 0.2] = np.nan
    cost[8] = np.nan
    return Case(tmp_path_factory.mktemp("hamlets"), cost, rng.integers(1, 100, 9).astype(np.float64))


def choices(case: Case, sites: int) -> list[tuple[int, ...]]:
    return list(combinations(range(len(case.sites)), sites))


def covers(case: Case, choice: tuple[int, ...], limit: float) -> NDArray[np.int64]:
    """How many of the chosen sites serve each village."""
    return (case.cost[:, list(choice)] <= limit).sum(axis=1)


def test_partial_is_the_fewest_sites_for_a_share_of_the_people(hamlets):
    reached = hamlets.people[(hamlets.cost <= 8).any(axis=1)].sum()
    share = 0.6
    wanted = min(share * hamlets.people.sum(), reached)
    fewest = next(n for n in range(7) for one in choices(hamlets, n) if hamlets.people[covers(hamlets, one, 8) > 0].sum() >= wanted)
    result = hamlets.ask(model="partial", share=share, limit=8)
    assert len(result.sites) == result.objective == fewest
    assert result.unreachable == ("D008",)


def test_backup_coverage_serves_everybody_once_and_the_most_twice(hamlets):
    reached = (hamlets.cost <= 12).any(axis=1)
    twice = [hamlets.people @ (times > 1) for one in choices(hamlets, 4) if (times := covers(hamlets, one, 12))[reached].all()]
    assert hamlets.ask(model="bacop1", sites=4, limit=12).objective == pytest.approx(max(twice))


def test_backup_coverage_is_weighed_against_the_first(hamlets):
    counted = [
        0.3 * hamlets.people @ (covers(hamlets, one, 8) > 0) + 0.7 * hamlets.people @ (covers(hamlets, one, 8) > 1)
        for one in choices(hamlets, 3)
    ]
    assert hamlets.ask(model="bacop2", alpha=0.3, sites=3, limit=8).objective == pytest.approx(max(counted))


def test_expected_coverage_counts_busy_vehicles_of_each_site(hamlets, tmp_path):
    busy, vehicles = np.array([0.5, 0.2, 0.3, 0.4, 0.1, 0.6]), np.array([1, 2, 1, 3, 1, 2])
    table = tmp_path / "sites.csv"
    pd.DataFrame({"编码": hamlets.sites, "繁忙率": busy, "车辆数": vehicles}).to_csv(table, index=False)
    all_busy = [np.where(hamlets.cost[:, list(one)] <= 8, (busy**vehicles)[list(one)], 1.0).prod(axis=1) for one in choices(hamlets, 3)]
    result = hamlets.ask(model="mexclp", sites=3, limit=8, busy=str(table), vehicles=str(table))
    assert result.objective == pytest.approx(max(hamlets.people @ (1 - missed) for missed in all_busy))


def test_expected_coverage_spreads_a_fleet_over_the_sites(hamlets):
    best = 0.0
    for one in choices(hamlets, 2):
        for spread in (spread for spread in product((1, 2, 3), repeat=2) if sum(spread) == 4):
            vehicles = (hamlets.cost[:, list(one)] <= 8) @ np.array(spread)
            best = max(best, hamlets.people @ (1 - 0.4**vehicles))
    result = hamlets.ask(model="mexclp", sites=2, fleet=4, limit=8, busy="0.4")
    assert (result.objective, sum(result.vehicles)) == (pytest.approx(best), 4)


@pytest.mark.parametrize("alpha", [0.5, 0.9])
def test_double_standard_serves_everybody_widely_a_share_nearby_and_the_most_twice_nearby(hamlets, alpha):
    reached = (hamlets.cost <= 16).any(axis=1)
    counted = [(covers(hamlets, one, 16), covers(hamlets, one, 9)) for one in choices(hamlets, 3)]
    floor = alpha * hamlets.people[reached].sum()
    twice = [hamlets.people @ (near > 1) for wide, near in counted if wide[reached].all() and hamlets.people @ (near > 0) >= floor]
    question = OdQuestion(cost="cost", model="dsm", sites=3, limit=9, limit2=16, alpha=alpha)
    result = site_from_matrix(hamlets.od, hamlets.weights, question)
    assert (result.status, result.objective) == (("optimal", max(twice)) if twice else ("infeasible", None))


def test_limited_capacity_is_filled_as_full_as_can_be(hamlets):
    capacity = 60.0

    def served(choice: tuple[int, ...]) -> float:
        """As many as the least cut lets through: some sites are full, the villages of the others are all served."""
        is_near = hamlets.cost[:, list(choice)] <= 8
        return min(
            capacity * is_full.sum() + hamlets.people[is_near[:, ~is_full].any(axis=1)].sum()
            for is_full in map(np.array, product([False, True], repeat=len(choice)))
        )

    result = hamlets.ask(model="cmclp", sites=2, limit=8, capacity=str(capacity))
    assert result.objective == pytest.approx(max(served(one) for one in choices(hamlets, 2)))


def test_p_median_first_reaches_the_most_people(hamlets):
    def value(choice: tuple[int, ...]) -> tuple[float, float]:
        least = np.nanmin(np.column_stack([hamlets.cost[:, list(choice)], np.full(9, math.inf)]), axis=1)
        has = np.isfinite(least)
        return hamlets.people[~has].sum(), hamlets.people[has] @ least[has]

    assert hamlets.ask(model="p-median", sites=2).objective == pytest.approx(min(map(value, choices(hamlets, 2)))[1])


ASKED = {
    "lexicographic": {"sites": 2, "limit": 6, "limit2": 12},
    "mclp": {"sites": 2, "limit": 6},
    "cmclp": {"sites": 2, "limit": 8, "capacity": "70"},
    "lscp": {"limit": 8},
    "partial": {"share": 0.5, "limit": 8},
    "p-median": {"sites": 2},
    "p-center": {"sites": 2, "weighted": True},
    "bacop1": {"sites": 4, "limit": 12, "vehicles": "2"},
    "bacop2": {"sites": 2, "limit": 8, "alpha": 0.5},
    "mexclp": {"sites": 2, "limit": 8, "busy": "0.3", "fleet": 3},
    "dsm": {"sites": 4, "limit": 9, "limit2": 16, "alpha": 0.5, "fleet": 6},
}


@pytest.mark.parametrize("model", MODELS)
def test_the_order_of_the_files_changes_no_answer(hamlets, tmp_path, model):
    pairs, weights = pd.read_parquet(hamlets.od), pd.read_csv(hamlets.weights)
    pairs[::-1].to_parquet(tmp_path / "od.parquet")
    weights.sample(frac=1, random_state=1).to_csv(tmp_path / "demand.csv", index=False)
    question = OdQuestion(model=model, cost="cost", **ASKED[model])
    said = [
        site_from_matrix(od, demand, question, equals=3).to_json() | {"seconds": 0}
        for od, demand in ((hamlets.od, hamlets.weights), (tmp_path / "od.parquet", tmp_path / "demand.csv"))
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("model", sorted(set(MODELS) - {"lscp", "partial"}))
def test_what_is_fixed_is_chosen_and_what_is_forbidden_is_not(hamlets, model):
    free = site_from_matrix(hamlets.od, hamlets.weights, OdQuestion(model=model, cost="cost", **ASKED[model]))
    assert free.status == "optimal"
    kept, gone = next(one for one in hamlets.sites if one not in free.sites), free.sites[0]
    question = OdQuestion(model=model, cost="cost", fixed=(kept,), forbidden=(gone,), **ASKED[model])
    bound = site_from_matrix(hamlets.od, hamlets.weights, question)
    if bound.status != "infeasible":
        assert kept in bound.sites
        assert gone not in bound.sites
        assert kept not in bound.new_sites
