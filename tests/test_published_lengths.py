"""Real roads: lengths that GraphHopper publishes for Monaco, and osmnx as a judge."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import pandas as pd
import pytest
import shapely

from coverage.matrix import od_matrix
from geodata.network import build_network
from geodata.roads import Roads, blocked_bit, forward_bit
from geodata.standards import Mode, default_speeds
from geodata.turns import Turns
from geodata.ways.osm import read_roads
from scenarios.od import od_table

CAR = [
    ((43.730729, 7.42135), (43.727697, 7.419199), 2580),
    ((43.727687, 7.418737), (43.74958, 7.436566), 3588),
    ((43.728677, 7.41016), (43.739213, 7.4277), 2561),
    ((43.729445, 7.415063), (43.728856, 7.41472), 103),  # along a one-way street
    ((43.728856, 7.41472), (43.729445, 7.415063), 320),  # and back
]
FOOT = [
    ((43.730729, 7.421288), (43.727697, 7.419199), 1566),
    ((43.727687, 7.418737), (43.74958, 7.436566), 3438),
]


@pytest.mark.parametrize(("mode", "published"), [("drive", CAR), ("walk", FOOT)])
def test_published_lengths_in_monaco_are_met_within_2_metres(mode, published, data_file: Callable[[str], Path], tmp_path: Path):
    for side in (0, 1):
        lat, lon = zip(*(row[side] for row in published), strict=True)
        ids = [f"{row:02d}" for row in range(len(published))]
        pd.DataFrame({"id": ids, "lon": lon, "lat": lat}).to_csv(tmp_path / f"{side}.csv", index=False)
    roads = data_file("monaco/monaco.osm.gz")
    pairs = od_table(roads, tmp_path / "0.csv", tmp_path / "1.csv", mode=mode, weight="distance", access_leg=False).pairs
    found = pairs[pairs["from_id"] == pairs["to_id"]].set_index("from_id")["metres"]
    assert found.to_numpy() == pytest.approx([row[2] for row in published], abs=2)


@pytest.mark.parametrize("mode", ["drive", "walk"])
@pytest.mark.parametrize("place", ["monaco/monaco.osm.gz", "beijing/tsinghua.osm"])
def test_shortest_lengths_agree_with_osmnx(mode: Mode, place: str, data_file: Callable[[str], Path], tmp_path: Path):
    """Osmnx reads the file, its one-way tags and its lengths on its own; two things it is told, because it knows no such rules.

    The ways: those that the mode may use by our access tags (osmnx takes every way, buildings too). The barriers: it passes through
    gates that stop the mode, so these nodes are taken out. Turn restrictions, which it does not read, are left out. What difference is
    left lies with osmnx's radius of 6,371,009 m.
    """
    path = data_file(place)
    roads = replace(read_roads(path), turns=Turns.none())
    network = build_network(
        roads, mode, default_speeds(), str(gpd.GeoSeries(shapely.points(roads.lonlat[[0]]), crs=4326).estimate_utm_crs())
    )
    graph = graph_of_osmnx(path, roads, mode, tmp_path)
    nodes = np.random.default_rng(15).choice(sorted(graph.nodes), 40, replace=False).tolist()
    lonlat = np.array([(graph.nodes[node]["x"], graph.nodes[node]["y"]) for node in nodes])
    found = od_matrix(network, lonlat, lonlat, weight="distance", access_leg=False)
    ours = {(nodes[a], nodes[b]): mm / 1000 for a, b, mm in zip(found.origin, found.destination, found.mm, strict=True)}
    theirs = {
        (a, b): m for a in nodes for b, m in nx.single_source_dijkstra_path_length(graph, a, weight="length").items() if b in set(nodes)
    }
    assert ours.keys() == theirs.keys()
    assert len(ours) > 40, "not only from each to itself"
    assert [ours[pair] for pair in theirs] == pytest.approx(list(theirs.values()), rel=1e-5, abs=0.05)


def graph_of_osmnx(path: Path, roads: Roads, mode: Mode, folder: Path) -> nx.MultiDiGraph:
    plain = folder / "plain.osm"
    plain.write_bytes(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    graph = osmnx.graph_from_xml(plain, bidirectional=mode == "walk", simplify=False, retain_all=True)
    bit = forward_bit(mode)
    ways = set(roads.way_id[(roads.permit & (bit | bit << 1)) > 0].tolist())
    graph.remove_edges_from([(a, b, key) for a, b, key, way in graph.edges(keys=True, data="osmid") if way not in ways])
    graph.remove_nodes_from(roads.node_id[(roads.blocked & blocked_bit(mode)) > 0].tolist())
    graph.remove_nodes_from(list(nx.isolates(graph)))
    return graph
