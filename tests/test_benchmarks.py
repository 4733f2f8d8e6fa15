"""The benchmarks measure what they say: generated towns are as described, and a part of the report leaves the others as they are."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csgraph, csr_array

from coverage.search import reach
from geodata.network import Network

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def towns(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("towns")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("run")


def links_of(net: Network) -> csr_array:
    links = net.outward
    return csr_array((links.ms.astype(float), links.node.astype(np.int32), links.first), shape=(net.node_count, net.node_count))


def test_a_town_can_be_driven_from_everywhere_to_everywhere_and_is_as_dense_as_real_roads(towns) -> None:
    net = towns.network(towns.town(60), "drive")
    assert csgraph.connected_components(links_of(net), connection="strong")[0] == 1
    assert net.node_count > 0.95 * 60 * 60
    assert 2.6 < len(net.tail) / net.node_count < 3.0


def test_a_town_has_no_parallel_links_which_other_libraries_would_add_up(towns) -> None:
    for mode in ("walk", "bike", "drive"):
        net = towns.network(towns.town(90), mode)
        assert len(np.unique(net.tail * net.node_count + net.head)) == len(net.tail)


def test_a_town_is_the_same_for_the_same_seed_and_another_for_another(towns) -> None:
    assert towns.town(20).fingerprint == towns.town(20).fingerprint != towns.town(20, seed=1).fingerprint


def test_a_search_from_a_place_at_a_node_is_a_search_from_the_node(towns) -> None:
    net = towns.network(towns.town(20), "drive")
    nodes = np.arange(0, net.node_count, 37)
    found = reach(net, towns.at_nodes(net, nodes), direction="from_facility", limit=120_000)
    expected = csgraph.dijkstra(links_of(net), indices=nodes, limit=120_000)
    for at, costs in enumerate(expected.tolist()):
        rows = found.of(at)
        reached = dict(zip(found.node[rows].tolist(), found.cost[rows].tolist(), strict=True))
        assert reached == {node: cost for node, cost in enumerate(costs) if cost < np.inf}


def test_a_part_of_the_report_leaves_the_other_parts_as_they_are(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("# Benchmarks\n\n## The example county\n\n| a |\n|---|\n\n### More\n\n1\n\n## Siting: x\n\n2\n", encoding="utf-8")
    monkeypatch.setattr(run, "DOCUMENT", document)
    assert run.kept_sections() == {"The example county": "| a |\n|---|\n\n### More\n\n1\n", "Siting: x": "2\n"}


def test_what_runs_is_there(run) -> None:
    assert all((BENCHMARKS / part.script).is_file() for part in run.PARTS.values())
