"""networkx graphs in and out: as osmnx makes and saves them, and our own roads there and back."""

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path

import gridtown as town
import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely
from hypothesis import given
from random_town import PROFILE, towns

from coverage.matrix import od_matrix
from geodata.errors import InputError
from geodata.network import build_network
from geodata.region_file import RoadsBlock
from geodata.roads import Roads, forward_bit, great_circle_m
from geodata.standards import MODES, Mode, default_speeds
from geodata.ways.files import read_road_files, read_roads_of
from geodata.ways.graphs import from_networkx, read_graphml, to_networkx
from geodata.ways.osm import read_roads

CAR = [
    ((43.730729, 7.42135), (43.727697, 7.419199), 2580),
    ((43.727687, 7.418737), (43.74958, 7.436566), 3588),
    ((43.728677, 7.41016), (43.739213, 7.4277), 2561),
    ((43.729445, 7.415063), (43.728856, 7.41472), 103),
    ((43.728856, 7.41472), (43.729445, 7.415063), 320),
]
FOOT = [
    ((43.730729, 7.421288), (43.727697, 7.419199), 1566),
    ((43.727687, 7.418737), (43.74958, 7.436566), 3438),
]


@pytest.fixture(scope="module")
def monaco(data_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Monaco as plain XML, as osmnx reads it."""
    path = tmp_path_factory.mktemp("monaco") / "monaco.osm"
    path.write_bytes(gzip.decompress(data_file("monaco/monaco.osm.gz").read_bytes()))
    return path


@pytest.fixture(scope="module")
def saved(monaco: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """``saved(mode, simplify)``: a graph of the ways that a mode may use, saved by osmnx, each one once."""

    @cache
    def graph_of(mode: Mode) -> nx.MultiDiGraph:
        """Which ways these are is told to osmnx, for it does not ask access tags."""
        graph = osmnx.graph_from_xml(monaco, bidirectional=mode == "walk", simplify=False, retain_all=True)
        roads, bits = read_roads(monaco), forward_bit(mode) * 3
        open_ways = set(roads.way_id[(roads.permit & bits) > 0].tolist())
        graph.remove_edges_from([edge[:3] for edge in graph.edges(keys=True, data="osmid") if edge[3] not in open_ways])
        graph.remove_nodes_from(list(nx.isolates(graph)))
        return graph

    @cache
    def save(mode: Mode, *, simplify: bool) -> Path:
        path = tmp_path_factory.mktemp("saved") / "monaco.graphml"
        osmnx.io.save_graphml(osmnx.simplify_graph(graph_of(mode)) if simplify else graph_of(mode), path)
        return path

    return save


def network_of(roads: Roads, mode: Mode, crs: str = "EPSG:32632"):
    return build_network(roads, mode, default_speeds(), crs)


@pytest.mark.parametrize("simplify", [True, False])
@pytest.mark.parametrize(("mode", "published"), [("drive", CAR), ("walk", FOOT)])
def test_a_graph_saved_by_osmnx_gives_the_published_lengths_in_monaco_within_2_metres(saved, mode, published, simplify):
    roads = read_roads_of(saved(mode, simplify=simplify))
    assert roads.notes == (), "osmnx measures as we do"
    origins, destinations = (np.array([row[side][::-1] for row in published]) for side in (0, 1))
    found = od_matrix(network_of(roads, mode), origins, destinations, weight="distance", access_leg=False)
    metres = dict(zip(zip(found.origin.tolist(), found.destination.tolist(), strict=True), found.mm / 1000, strict=True))
    assert [metres[at, at] for at in range(len(published))] == pytest.approx([row[2] for row in published], abs=2)


def test_roads_that_osmnx_read_have_the_lengths_of_roads_read_by_ourselves(monaco, saved):
    graph, ours = read_graphml(saved("drive", simplify=False)), read_roads(monaco)
    open_to_cars = (ours.permit & forward_bit("drive") * 3) > 0
    assert graph.length_mm.sum() == pytest.approx(ours.length_mm[open_to_cars].sum(), rel=1e-6)
    assert set(graph.way_id.tolist()) == set(ours.way_id[open_to_cars].tolist())


def times(roads: Roads, mode: Mode, crs: str, places: np.ndarray) -> dict[tuple[int, int], tuple[int, int]]:
    found = od_matrix(network_of(roads, mode, crs), places, places)
    keys = zip(found.origin.tolist(), found.destination.tolist(), strict=True)
    return dict(zip(keys, zip(found.ms.tolist(), found.mm.tolist(), strict=True), strict=True))


@pytest.mark.parametrize("through_a_file", [False, True])
def test_roads_there_and_back_give_the_same_times(monaco, tmp_path, through_a_file):
    roads = read_roads(monaco)
    graph = to_networkx(roads)
    if through_a_file:
        osmnx.io.save_graphml(graph, tmp_path / "back.graphml")
    back = read_graphml(tmp_path / "back.graphml") if through_a_file else from_networkx(graph)
    places = np.random.default_rng(15).choice(roads.lonlat, 30, replace=False)
    for mode in MODES:
        assert times(back, mode, "EPSG:32632", places) == times(roads, mode, "EPSG:32632", places)
    assert len(back.water) == len(roads.water) > 0
    assert sorted(back.blocked[back.blocked > 0]) == sorted(roads.blocked[roads.blocked > 0])
    assert back.notes == ()


@PROFILE
@given(said=towns())
def test_random_towns_there_and_back_give_the_same_times(said):
    roads = from_networkx(to_networkx(town.roads(**said)))  # lengths in the plane become those on the globe
    back = from_networkx(to_networkx(roads))
    places = roads.lonlat[roads.first_vertex[:-1]]
    for mode in MODES:
        assert times(back, mode, town.CRS, places) == times(roads, mode, town.CRS, places)


def test_our_graph_is_one_that_osmnx_routes_on_and_draws(monaco):
    roads = read_roads(monaco)
    graph = to_networkx(roads)
    cars = graph.edge_subgraph([(u, v, key) for u, v, key, drive in graph.edges(keys=True, data="drive") if drive]).copy()
    cars = osmnx.add_edge_travel_times(osmnx.add_edge_speeds(cars))
    places = np.array([(data["x"], data["y"]) for _, data in cars.nodes(data=True)])
    start, end = (list(cars)[int(np.argmin(great_circle_m(places, np.array([[lon, lat]]))))] for lat, lon in CAR[1][:2])
    route = osmnx.routing.shortest_path(cars, start, end, weight="length")
    assert osmnx.routing.route_to_gdf(cars, route, weight="length")["length"].sum() == pytest.approx(3588, abs=100)
    nodes, edges = osmnx.graph_to_gdfs(graph)
    assert (len(nodes), len(edges)) == (len(roads.node_id), graph.number_of_edges())
    figure, _ = osmnx.plot_graph(cars, show=False, close=True)
    assert figure is not None


def edge_graph(*edges: tuple[int, int, dict[str, object]], sort: type = nx.MultiDiGraph, **attributes: object) -> nx.Graph:
    graph = sort(**attributes)
    for node, (x, y) in {1: (116.0, 28.0), 2: (116.001, 28.0), 3: (116.001, 28.001)}.items():
        graph.add_node(node, x=x, y=y)
    graph.add_edges_from(edges)
    return graph


STREET = {"osmid": 5, "highway": "residential", "length": 98.2}
CURVE = shapely.LineString([(116.0, 28.0), (116.0005, 28.0002), (116.001, 28.0)])


def signs(roads: Roads, mode: Mode = "drive") -> str:
    return "".join("-><="[int(permit) // forward_bit(mode) & 3] for permit in roads.permit)


def test_both_directions_of_a_street_are_one_piece():
    roads = from_networkx(edge_graph((1, 2, STREET), (2, 1, STREET)))
    assert (len(roads), signs(roads)) == (1, "=")
    curved = from_networkx(edge_graph((1, 2, STREET | {"geometry": CURVE}), (2, 1, STREET | {"geometry": CURVE.reverse()})))
    assert (len(curved), signs(curved)) == (1, "=")
    other_course = from_networkx(edge_graph((1, 2, STREET | {"geometry": CURVE}), (2, 1, STREET)))
    assert signs(other_course) == ">>"


def test_an_edge_without_its_way_back_is_one_way_for_vehicles_and_not_for_walkers():
    roads = from_networkx(edge_graph((1, 2, STREET)))
    assert [signs(roads, mode) for mode in MODES] == ["=", ">", ">"]


@pytest.mark.parametrize("sort", [nx.Graph, nx.MultiGraph])
def test_an_undirected_graph_is_travelled_both_ways(sort):
    assert signs(from_networkx(edge_graph((1, 2, STREET), (3, 2, STREET), sort=sort))) == "=="


def test_a_geometry_drawn_against_its_edge_is_turned():
    roads = from_networkx(edge_graph((2, 1, STREET | {"geometry": CURVE})))
    assert roads.lonlat[0].tolist() == [116.001, 28.0]
    assert roads.node_id[[roads.tail[0], roads.head[0]]].tolist() == [2, 1]


def test_lists_that_simplifying_left_are_read():
    said = {"osmid": [9, 7], "highway": ["primary", "tertiary"], "name": ["人民路", "人民路", "解放路"], "maxspeed": ["60", "40"]}
    for data in (said, {key: str(value) for key, value in said.items()}):
        roads = from_networkx(edge_graph((1, 2, data)))
        assert (roads.way_id.tolist(), roads.class_names, roads.road_names) == ([7], ("tertiary",), ("人民路; 解放路",))
        assert roads.maxspeed_kmh[0].tolist() == [40, 40]


def test_tags_that_osmnx_keeps_are_heeded():
    private, tunnel = from_networkx(edge_graph((1, 2, STREET | {"access": "private"}), (2, 3, STREET))), STREET | {"tunnel": "yes"}
    assert len(private) == 1
    assert from_networkx(edge_graph((1, 2, tunnel))).enterable.tolist() == [False]


def test_a_projected_graph_comes_back_into_degrees(tmp_path):
    graph = osmnx.project_graph(edge_graph((1, 2, STREET | {"geometry": CURVE}), crs="epsg:4326"))
    osmnx.io.save_graphml(graph, tmp_path / "projected.graphml")
    for roads in (from_networkx(graph), read_graphml(tmp_path / "projected.graphml")):
        assert roads.lonlat == pytest.approx(shapely.get_coordinates(CURVE), abs=1e-8)


def test_a_graph_in_another_datum_is_moved(tmp_path):
    osmnx.io.save_graphml(edge_graph((1, 2, STREET), crs="epsg:4326"), tmp_path / "g.graphml")
    moved = read_road_files([RoadsBlock(file=Path("g.graphml"), datum="gcj02")], tmp_path)
    assert 0.003 < abs(moved.lonlat[0, 0] - 116.0) < 0.007


def test_lengths_that_contradict_the_geometry_are_told_and_not_used():
    roads = from_networkx(edge_graph((1, 2, STREET | {"length": 500.0})), name="G")
    assert roads.length_mm.tolist() == [98_179]
    assert "length of 1 edges" in roads.notes[0]


def test_nodes_may_have_names():
    graph = nx.relabel_nodes(edge_graph((1, 2, STREET), (2, 3, STREET)), {1: "a", 2: "b", 3: "c"})
    assert from_networkx(graph).node_id.tolist() == [1, 2, 3]


def test_what_is_no_graph_of_roads_is_refused_with_a_reason(tmp_path):
    for name, content in (("torn.graphml", "<graphml"), ("empty.graphml", ""), ("other.graphml", "<html></html>")):
        (tmp_path / name).write_text(content)
        with pytest.raises(InputError, match=name):
            read_graphml(tmp_path / name)
    nowhere = edge_graph((1, 2, STREET))
    nowhere.add_edge(8, 9)
    with pytest.raises(InputError, match="8, 9"):
        from_networkx(nowhere)
    with pytest.raises(InputError, match="x and y"):
        from_networkx(nx.MultiDiGraph())
    with pytest.raises(InputError, match="may travel"):
        from_networkx(edge_graph((1, 2, {"highway": "construction"})))
    with pytest.raises(InputError, match="no line"):
        from_networkx(edge_graph((1, 2, STREET | {"geometry": "POINT (1 2)"})))
    with pytest.raises(InputError, match="unknown crs"):
        from_networkx(edge_graph((1, 2, STREET), crs="moon"))
    with pytest.raises(InputError, match="no degrees"):
        from_networkx(nx.relabel_nodes(edge_graph((1, 2, STREET), crs="epsg:4527"), {}))
    with pytest.raises(InputError, match="not exist"):
        read_roads_of(tmp_path / "none.graphml")


def test_an_edge_without_a_class_is_no_road_where_others_have_one_and_it_is_said():
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for node in range(4):
        graph.add_node(node, x=116 + node / 1000, y=28.0)
    graph.add_edge(0, 1, highway="residential")
    graph.add_edge(1, 2)
    graph.add_edge(2, 3, highway="rail")
    roads = from_networkx(graph)
    assert len(roads) == 1
    assert "2 edges of no OSM class are no roads" in roads.notes[0]
    plain = from_networkx(_classless(graph))
    assert len(plain) == 3
    assert "all unclassified" in plain.notes[0]


def _classless(graph: nx.MultiDiGraph) -> nx.MultiDiGraph:
    bare = graph.copy()
    for _, _, data in bare.edges(data=True):
        data.pop("highway", None)
    return bare
