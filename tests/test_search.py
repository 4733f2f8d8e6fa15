"""The compiled engine against scipy and against brute force, on any small graph: no costs, parallel links, loops, dead ends, islands."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import gridtown as town
import numba
import numpy as np
import pytest
from county_files import write_county
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from coverage import kernels
from coverage.compiled import compiled
from coverage.graph import FAR, Grouped, Seeds
from coverage.search import costs_at_ends, nearest, nearest_two, reach, tree
from coverage.snap import snap


@dataclass(frozen=True)
class Maze:
    """Directed links with two costs, and where each source begins with what costs."""

    size: int
    links: list[tuple[int, int, int, int]]
    sources: list[list[tuple[int, int, int]]]
    limit: int
    queue: tuple[int, int]

    @property
    def graph(self) -> Grouped:
        tail, head, cost, other = np.array(self.links, dtype=np.int64).reshape(-1, 4).T
        order = np.argsort(tail, kind="stable")
        first = np.searchsorted(tail[order], np.arange(self.size + 1))
        return Grouped(first, head[order].astype(np.uint32), cost[order].astype(np.int32), other[order].astype(np.int32))

    @property
    def seeds(self) -> Seeds:
        node, cost, other = np.array([seed for source in self.sources for seed in source], dtype=np.int64).reshape(-1, 3).T
        return Seeds(np.cumsum([0, *map(len, self.sources)]), node.astype(np.uint32), cost, other)

    def least(self) -> np.ndarray:
        """(sources, nodes) of both costs in one number, by scipy; inf where there is no way."""
        best: dict[tuple[int, int], int] = {}
        rows = [
            *((tail, head, cost, other) for tail, head, cost, other in self.links),
            *((self.size + at, node, cost, other) for at, source in enumerate(self.sources) for node, cost, other in source),
        ]
        for tail, head, cost, other in rows:
            best[tail, head] = min((cost << 24) + other + 1, best.get((tail, head), FAR))  # one more: scipy takes 0 for no link
        whole = self.size + len(self.sources)
        graph = csr_array((np.array([*best.values()], dtype=float), np.array([*best]).reshape(-1, 2).T), shape=(whole, whole))
        return dijkstra(graph, indices=self.size + np.arange(len(self.sources)))[:, : self.size]


@st.composite
def mazes(draw: st.DrawFn) -> Maze:
    size = draw(st.integers(1, 12))
    node, cost = st.integers(0, size - 1), st.integers(0, 40)
    return Maze(
        size=size,
        links=draw(st.lists(st.tuples(node, node, cost, cost), max_size=40)),
        sources=draw(st.lists(st.lists(st.tuples(node, cost, cost), max_size=3), min_size=1, max_size=4)),
        limit=draw(st.sampled_from([0, 15, 40, FAR - 1])),
        queue=draw(st.sampled_from([(0, 128), (2, 32), (5, 4), (0, 4), (1, 2)])),  # the last two span less than a link may cost
    )


@PROFILE
@given(mazes())
def test_the_engine_reaches_what_scipy_reaches_at_the_same_costs(maze: Maze):
    first, node, cost, other = kernels.reach_many(maze.graph, maze.seeds, maze.limit, *maze.queue, np.full(maze.size, FAR), paired=True)
    least = maze.least()
    for source in range(len(maze.sources)):
        rows = slice(first[source], first[source + 1])
        within = [int(at) for at in np.flatnonzero(np.isfinite(least[source])) if int(least[source, at]) >> 24 <= maze.limit]
        assert sorted(node[rows].tolist()) == within, "each node once"
        assert dict(zip(node[rows].tolist(), cost[rows].tolist(), strict=True)) == {at: int(least[source, at]) >> 24 for at in within}
        steps = dict(zip(node[rows].tolist(), other[rows].tolist(), strict=True))
        assert all(steps[at] <= int(least[source, at]) % (1 << 24) <= steps[at] + maze.size + 1 for at in within)
    plain = kernels.reach_many(maze.graph, maze.seeds, maze.limit, *maze.queue, np.full(maze.size, FAR), paired=False)
    assert [column.tolist() for column in plain[:1]] == [first.tolist()]
    assert sorted(zip(plain[1].tolist(), plain[2].tolist(), strict=True)) == sorted(zip(node.tolist(), cost.tolist(), strict=True))


@PROFILE
@given(mazes())
def test_the_nearest_two_sources_are_the_least_of_all(maze: Maze):
    least = maze.least()
    cost, owner = kernels.nearest_two(maze.graph, maze.seeds, *maze.queue)
    for node in range(maze.size):
        ranked = sorted((int(least[at, node]) >> 24, at) for at in np.flatnonzero(np.isfinite(least[:, node])))
        ranked += [(FAR, -1)] * 2
        assert list(zip(cost[node].tolist(), owner[node].tolist(), strict=True)) == ranked[:2]


@PROFILE
@given(mazes())
def test_a_way_back_along_the_tree_costs_what_the_tree_says(maze: Maze):
    graph, seeds = maze.graph, maze.seeds
    cost, _, link = kernels.tree(graph, seeds, *maze.queue)
    tail = np.repeat(np.arange(maze.size), np.diff(graph.first))
    for node in np.flatnonzero(cost != FAR).tolist():
        spent, at, steps = 0, node, 0
        while link[at] >= 0:
            spent, at, steps = spent + int(graph.cost[link[at]]), int(tail[link[at]]), steps + 1
            assert steps <= maze.size, "a tree has no rings"
        assert seeds.node[-1 - link[at]] == at
        assert spent + seeds.cost[-1 - link[at]] == cost[node]


def test_a_junction_of_ten_thousand_roads_overfills_a_bucket_and_is_searched_again_with_more_room():
    leaves = 10_000
    star = Grouped(
        np.concatenate([[0], np.full(leaves + 1, leaves)]),
        np.arange(1, leaves + 1, dtype=np.uint32),
        *(np.ones(leaves, dtype=np.int32),) * 2,
    )
    two = Seeds(np.array([0, 1, 2]), np.zeros(2, dtype=np.uint32), np.zeros(2, dtype=np.int64), np.zeros(2, dtype=np.int64))
    first, _, cost, _ = kernels.reach_many(star, two, 5, 0, 4, np.full(leaves + 1, FAR), paired=False)
    assert first.tolist() == [0, leaves + 1, 2 * (leaves + 1)]
    assert cost.sum() == 2 * leaves
    assert kernels.nearest_two(star, two, 0, 4)[1].tolist() == [[0, 1]] * (leaves + 1)
    assert (kernels.tree(star, Seeds(*two), 0, 4)[0] == [0, *[1] * leaves]).all()


def test_links_between_the_same_two_are_one_the_cheapest():
    group, place = np.array([1, 0, 1, 1, 1]), np.array([2, 0, 2, 1, 2])
    found = kernels.grouped(2, 3, group, place, np.array([5, 1, 4, 9, 4]), np.array([0, 0, 7, 0, 6]))
    assert [column.tolist() for column in found] == [[0, 1, 3], [0, 2, 1], [1, 4, 9], [0, 6, 0]]


STREET = town.streets(5, 1)


def test_the_second_nearest_serves_if_the_nearest_is_closed():
    net = town.network(town.roads(STREET))
    ways = snap(net, town.lonlat([(0, 0), (4, 0), (1, 0)]), np.arange(3), 3)
    facility, cost = nearest_two(net, ways, direction="to_facility")
    without = nearest(net, ways.take(np.array([0, 1])), direction="to_facility")
    lost = facility[:, 0] == 2
    assert lost.sum() == 2
    assert (facility[lost, 1] == without[0][lost]).all()
    assert (cost[lost, 1] == without[1][lost]).all()


def test_of_two_at_the_same_distance_the_first_is_the_nearest():
    net = town.network(town.roads(STREET))
    ways = snap(net, town.lonlat([(4, 0), (0, 0)]), np.arange(2), 2)
    facility, cost = nearest_two(net, ways, direction="to_facility")
    middle = cost[:, 0] == 2 * town.BLOCK_MS
    assert facility[middle].tolist() == [[0, 1]]


def test_on_a_one_way_street_the_ends_of_a_piece_are_reached_from_one_side():
    net = town.network(town.roads(STREET, permit={1: town.FORWARD}))
    cost = np.zeros(net.node_count)
    for direction, closed in (("from_facility", 1), ("to_facility", 0)):
        ends = costs_at_ends(net, direction, cost)
        assert np.isinf(ends[closed][1])
        assert ends[1 - closed][1] == 0


def test_the_tree_names_the_link_by_which_each_node_is_reached():
    net = town.network(town.roads(town.street((0, 0), (4, 0), (8, 0), (12, 0))))
    ms, link, _ = tree(net, snap(net, town.lonlat([(0, 0)]), np.zeros(1, dtype=int), 1))
    assert sorted(ms.tolist()) == [4 * at * town.BLOCK_MS for at in range(4)]
    far = int(np.argmax(ms))
    assert net.head[link[far]] == far
    assert ms[net.tail[link[far]]] == 8 * town.BLOCK_MS
    assert link[int(np.argmin(ms))] < 0, "by a link between the place and the road"


def test_many_facilities_in_threads_give_the_same_as_one_after_another():
    net = town.network(town.roads(town.streets(6, 6)))
    here = [(x / 3, float(y)) for x in range(15) for y in range(6)]
    ways = snap(net, town.lonlat(here), np.arange(90), 90)
    whole = reach(net, ways, direction="to_facility", limit=5 * town.BLOCK_MS)
    for at in (0, 15, 16, 89):
        alone = reach(net, ways.take(np.array([at])), direction="to_facility", limit=5 * town.BLOCK_MS)
        assert (whole.node[whole.of(at)] == alone.node).all()
        assert (whole.cost[whole.of(at)] == alone.cost).all()


@pytest.mark.parametrize(
    "first", ["import numba; import coverage.kernels", "import coverage.kernels; import numba", "import hypothesis, numba, coverage"]
)
def test_numba_compiles_in_a_clean_process_in_any_order_of_imports(first: str, tmp_path):
    code = f"{first}\nfrom numba import njit\nassert njit(lambda x: x + 1)(1) == 2\nfrom coverage import kernels\nprint(kernels.FAR)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(FAR)), done.stderr


def test_where_nothing_can_be_kept_loops_are_compiled_all_the_same(tmp_path, monkeypatch):
    no_folder = tmp_path / "file"
    no_folder.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(no_folder / "caches"))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    defined: dict[str, object] = {}
    exec(compile("def twice(x): return 2 * x", str(no_folder / "loops.py"), "exec"), defined)  # noqa: S102 — a module that lies nowhere
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(defined["twice"])
    assert compiled(defined["twice"])(4) == 8


def test_commands_that_do_not_search_do_not_wait_for_numba(tmp_path):
    county = write_county(tmp_path)
    code = (
        "import sys\nfrom scenarios.cli import main\n"
        f"assert main(['tables', {str(county)!r}, '--json']) == 0\n"
        "assert 'numba' not in sys.modules, 'imported by a command that does not search'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr[-2000:]
