"""A bureau's own road layer: link tables of every sort, how their ends become nodes, what their codes mean, and layers joined to OSM."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE

from geodata.datum.convert import from_wgs84
from geodata.errors import InputError
from geodata.region_file import RoadsBlock
from geodata.roads import Roads, blocked_bit, forward_bit, great_circle_m
from geodata.ways.files import read_road_files, read_roads_of
from scenarios.cli import main
from scenarios.od import od_table

EAST, NORTH, STEP = 116.0, 28.0, 0.001  # a step north is 111.195 m
Place = tuple[float, float]


def degrees(*places: Place) -> list[Place]:
    return [(EAST + x * STEP, NORTH + y * STEP) for x, y in places]


def line(*places: Place) -> shapely.LineString:
    """A line of places in steps east and north."""
    return shapely.LineString(degrees(*places))


@pytest.fixture
def layer(tmp_path: Path) -> Callable[..., Roads]:
    """Write links and read them: lines, columns of cells, then what region.toml says."""

    def write_and_read(
        lines: list[shapely.Geometry], cells: dict[str, list[object]] | None = None, *, name: str = "link.gpkg", crs: object = 4326, **said
    ) -> Roads:
        pyogrio.write_dataframe(gpd.GeoDataFrame(cells or {}, geometry=lines, crs=crs), tmp_path / name)
        return read_road_files([RoadsBlock(file=Path(name), **said)], tmp_path)

    return write_and_read


def ends(roads: Roads) -> list[tuple[int, int]]:
    """Node ids at the ends of each piece."""
    return list(zip(roads.node_id[roads.tail].tolist(), roads.node_id[roads.head].tolist(), strict=True))


def drives(roads: Roads) -> list[str]:
    """Which way a car may go along each piece: > as drawn, < back, = both, - none."""
    return ["-><="[int(permit) // forward_bit("drive") & 3] for permit in roads.permit]


def classes(roads: Roads) -> list[str]:
    return [roads.class_names[at] for at in roads.road_class]


def parts(roads: Roads) -> int:
    """How many pieces of road hang together, whatever their direction."""
    graph = nx.Graph(zip(roads.tail.tolist(), roads.head.tolist(), strict=True))
    return nx.number_connected_components(graph)


def noted(roads: Roads, *words: str) -> bool:
    return any(all(word in note for word in words) for note in roads.notes)


CROSS = [line((0, 0), (1, 0)), line((1, 0), (2, 0)), line((1, 0), (1, 1))]


# Ends and nodes


def test_node_ids_of_the_table_are_the_nodes(layer):
    roads = layer(CROSS, {"link_id": [7, 8, 9], "from_node": [11, 12, 12], "to_node": [12, 13, 14]})
    assert ends(roads) == [(11, 12), (12, 13), (12, 14)]
    assert roads.way_id.tolist() == [7, 8, 9]


def test_links_over_a_bridge_meet_only_where_the_table_says(layer):
    bridge = [line((0, 0), (1, 0), (2, 0)), line((1, -1), (1, 0), (1, 1))]
    assert parts(layer(bridge, {"from_node": [1, 3], "to_node": [2, 4]})) == 2
    assert parts(layer(bridge, name="none.gpkg")) == 1, "without node ids a shared vertex is a junction"


def test_lines_that_cross_without_a_shared_vertex_are_a_bridge(layer):
    assert parts(layer([line((0, 0), (2, 0)), line((1, -1), (1, 1))])) == 2


def test_node_ids_may_be_words(layer):
    roads = layer(CROSS, {"起点": ["甲", "乙", "乙"], "终点": ["乙", "丙", "丁"]})
    assert ends(roads) == [(1, 2), (2, 3), (2, 4)]


def test_villages_at_the_ends_of_roads_are_no_nodes(layer):
    roads = layer([*CROSS, line((30, 0), (31, 0))], {"起点": ["张村", "李村", "李村", "张村"], "终点": ["王村", "张村", "王村", "李村"]})
    assert parts(roads) == 2
    assert noted(roads, "起点", "from and to")


@pytest.mark.parametrize(("gap_m", "tolerance_m", "together"), [(0.9, 1.0, True), (1.1, 1.0, False), (8.0, 10.0, True), (0.5, 0.0, False)])
def test_without_node_ids_ends_join_within_the_tolerance_on_the_globe(layer, gap_m, tolerance_m, together):
    gap = gap_m / 111.195
    for far in [line((0, 1 + gap), (0, 2)), line((gap / np.cos(np.radians(NORTH)), 1), (3, 1))]:
        roads = layer([line((0, 0), (0, 1)), far], tolerance_m=tolerance_m)
        assert (parts(roads) == 1) == together


def test_chains_of_ends_that_outgrow_the_tolerance_are_told(layer):
    fan = [line((0, at * 0.9 / 111.195), (5 + at, 5)) for at in range(4)]
    roads = layer(fan)
    assert parts(roads) == 1
    assert noted(roads, "1 ", "2.7")
    assert not noted(layer(CROSS, name="b.gpkg"), "tolerance")


def test_an_end_on_the_middle_of_a_link_is_a_junction(layer):
    roads = layer([line((0, 0), (2, 0)), line((1, 0.004), (1, 1))])
    assert parts(roads) == 1
    assert len(roads) == 3
    assert noted(roads, "1 dead end")


def test_blank_node_ids_join_by_place(layer):
    roads = layer(CROSS, {"from_node": ["1", "", "2"], "to_node": ["2", "3", "4"]})
    assert ends(roads) == [(1, 2), (2, 3), (2, 4)]
    assert noted(roads, "1 ends without node id")


def test_a_link_drawn_against_its_nodes_is_turned_before_its_direction_is_read(layer):
    lines = [CROSS[0], CROSS[1].reverse(), CROSS[2]]
    roads = layer(lines, {"from_node": [1, 2, 2], "to_node": [2, 3, 4], "dir": [1, 1, 1]})
    assert ends(roads) == [(1, 2), (2, 3), (2, 4)]
    assert drives(roads) == [">"] * 3
    assert roads.lonlat[roads.first_vertex[1]].tolist() == list(degrees((1, 0))[0])
    assert noted(roads, "1 links drawn against")


def test_links_of_a_node_that_end_apart_are_told_and_stay_joined(layer):
    roads = layer([line((0, 0), (1, 0)), line((1.1, 0), (2, 0))], {"from_node": [1, 2], "to_node": [2, 3]})
    assert parts(roads) == 1
    assert noted(roads, "1 nodes whose links end more than 1 m apart")


# Geometry


def test_parts_that_follow_each_other_are_one_link_and_others_are_not_joined(layer):
    follows = shapely.MultiLineString([line((0, 0), (1, 0)), line((1, 0), (2, 0))])
    broken = shapely.MultiLineString([line((0, 5), (1, 5)), line((2, 5), (3, 5))])
    roads = layer([follows, broken], {"from_node": [1, 3], "to_node": [2, 4], "link_id": [70, 80]})
    assert roads.way_id.tolist() == [70, 80, 80]
    assert ends(roads)[0] == (1, 2)
    assert (ends(roads)[1][0], ends(roads)[2][1]) == (3, 4)
    assert parts(roads) == 3


@pytest.mark.parametrize("shape", ["LINESTRING Z (116 28 30, 116 28.001 31)", "LINESTRING ZM (116 28 5 0, 116 28.001 5 1)"])
def test_heights_and_measures_are_left_out(tmp_path, shape):
    (tmp_path / "link.csv").write_text(f'wkt\n"{shape}"\n')
    roads = read_roads_of(tmp_path / "link.csv")
    assert roads.lonlat.tolist() == [[116, 28], [116, 28.001]]
    assert roads.length_mm.tolist() == [111_195]


def test_links_without_length_are_kept_only_between_two_nodes(layer):
    dot = shapely.LineString(degrees((1, 0), (1, 0)))
    assert len(layer([CROSS[0], dot])) == 1
    roads = layer([CROSS[0], dot], {"from_node": [1, 2], "to_node": [2, 3]}, name="b.gpkg")
    assert roads.length_mm[1] == 0
    assert ends(roads)[1] == (2, 3)


def test_a_loop_is_a_piece_from_a_node_to_itself(layer):
    roads = layer([CROSS[0], line((1, 0), (2, 0), (2, 1), (1, 0))])
    assert ends(roads)[1] == (2, 2)


def test_a_link_given_twice_is_taken_once(layer):
    roads = layer([CROSS[0], CROSS[0], CROSS[0].reverse()], {"dir": [0, 0, 0]})
    assert len(roads) == 1
    assert noted(roads, "2 links along the course")


def test_two_one_way_links_along_the_same_course_are_a_street_with_a_speed_each_way(layer):
    roads = layer([CROSS[0], CROSS[0].reverse()], {"dir": [1, 1], "限速": [60, 40]})
    assert drives(roads) == ["="]
    assert roads.maxspeed_kmh.tolist() == [[60, 40]]


def test_twins_whose_speeds_contradict_stay_apart(layer):
    assert len(layer([CROSS[0], CROSS[0]], {"speed": [60, 40]})) == 2


def test_rows_without_a_line_are_left_out_and_told(layer):
    roads = layer([CROSS[0], None, CROSS[1]])
    assert len(roads) == 2
    assert noted(roads, "rows without a line", "2")


# Codes and classes


@pytest.mark.parametrize(
    ("header", "codes", "signs"),
    [
        ("dir", ["0", "1", "-1", ""], "=><="),
        ("DIR", [0, 1, -1, 0], "=><="),
        ("oneway", ["yes", "no", "-1", ""], ">=<="),
        ("oneway", ["F", "T", "B", "B"], "><=="),
        ("oneway", ["FT", "TF", "", "B"], "><=="),
        ("oneway", [True, False, False, True], ">==>"),
        ("单行", ["是", "否", "", "是"], ">==>"),
        ("方向", ["双向", "正向", "逆向", "单向"], "=><>"),
    ],
)
def test_direction_codes_that_go_with_a_header_are_known(layer, header, codes, signs):
    roads = layer([line((0, at), (1, at)) for at in range(4)], {header: codes})
    assert drives(roads) == list(signs)


def test_one_way_binds_vehicles_and_not_walkers(layer):
    roads = layer([CROSS[0]], {"dir": [1]})
    assert [int(roads.permit[0]) // forward_bit(mode) & 3 for mode in ("walk", "bike", "drive")] == [3, 1, 1]


@pytest.mark.parametrize(("header", "codes"), [("direction", [1, 2]), ("方向", [0, 3]), ("dir", [2, 3]), ("oneway", ["T", "F"])])
def test_direction_codes_that_differ_between_vendors_have_to_be_said(layer, header, codes):
    with pytest.raises(InputError, match="directions = ") as complaint:
        layer(CROSS[:2], {header: codes})
    assert all(str(code) in str(complaint.value) for code in codes[1:])
    roads = layer(CROSS[:2], {header: codes}, directions={str(codes[0]): "both", str(codes[1]): "backward"})
    assert drives(roads) == ["=", "<"]


def test_closed_links_are_left_out_and_told(layer):
    roads = layer(CROSS[:2], {"dir": [0, 3]}, directions={"3": "closed"})
    assert len(roads) == 1
    assert noted(roads, "1 links that nobody may travel")


@pytest.mark.parametrize(
    ("word", "road_class"),
    [
        ("高速公路", "motorway"),
        ("一级公路", "trunk"),
        ("二级", "primary"),
        ("三级公路", "secondary"),
        ("四级公路", "tertiary"),
        ("等外", "unclassified"),
        ("县道", "secondary"),
        ("城市快速路", "trunk"),
        ("支路", "tertiary"),
        ("residential", "residential"),
        ("Primary_Link", "primary_link"),
        ("track_grade3", "track"),
        ("", "unclassified"),
    ],
)
def test_classes_in_chinese_and_of_osm_are_known(layer, word, road_class):
    assert classes(layer(CROSS[:1], {"技术等级": [word]})) == [road_class]


def test_nobody_walks_or_is_let_onto_a_motorway_or_into_a_tunnel(layer):
    roads = layer(CROSS, {"等级": ["高速公路", "二级公路", "二级公路"], "tunnel": ["F", "T", "F"]})
    assert roads.enterable.tolist() == [False, False, True]
    assert [int(permit) & 3 for permit in roads.permit] == [0, 3, 3]


def test_unknown_classes_have_to_be_said(layer):
    with pytest.raises(InputError, match=r'classes = . "41" = "tertiary"'):
        layer(CROSS[:2], {"class": ["41", "primary"]})
    assert classes(layer(CROSS[:2], {"class": ["41", "primary"]}, classes={"41": "service"})) == ["service", "primary"]
    with pytest.raises(InputError, match="no OSM highway class"):
        layer(CROSS[:2], {"class": ["41", "primary"]}, classes={"41": "country road"})


def test_what_a_table_does_not_say_is_assumed_and_told(layer):
    roads = layer(CROSS)
    assert classes(roads) == ["unclassified"] * 3
    assert drives(roads) == ["="] * 3
    for words in ("no column of class", "no column of direction", "no column of speed", "no node ids"):
        assert noted(roads, words), words
    assert all(note.count(" · ") == 1 and note.startswith("link.gpkg") for note in roads.notes)


def test_speeds_are_read_as_people_write_them(layer):
    roads = layer(CROSS, {"限速": ["60", "０", "很快"]})
    assert roads.maxspeed_kmh[0].tolist() == [60, 60]
    assert np.isnan(roads.maxspeed_kmh[1:]).all()
    assert roads.unread_maxspeed == ("很快",)


def test_headers_chosen_by_the_user_count(layer):
    cells = {"A": [1, 2, 3], "B": [60, 60, 60], "V": ["乡道", "乡道", "县道"]}
    roads = layer(CROSS, cells, columns={"id": "A", "speed": "B", "class": "V"})
    assert roads.way_id.tolist() == [1, 2, 3]
    assert classes(roads) == ["tertiary", "tertiary", "secondary"]
    for columns in ({"speed": "C"}, {"velocity": "B"}):
        with pytest.raises(InputError, match="columns"):
            layer(CROSS, cells, columns=columns)


# Lengths


def test_lengths_are_as_drawn_and_those_of_the_table_are_compared(layer):
    roads = layer([line((0, 0), (0, 1)), line((0, 1), (0, 2))], {"length": [111.2, 120.0]})
    assert roads.length_mm.tolist() == [111_195, 111_195]
    assert noted(roads, "1 differ by more than 1 %", "row 2 (+7.9 %)")


@pytest.mark.parametrize(("header", "said"), [("里程（公里）", {}), ("length", {"length_unit": "km"})])
def test_lengths_in_kilometres_are_understood(layer, header, said):
    roads = layer([line((0, 0), (0, 1))], {header: [0.1112]}, name="link.geojson", **said)
    assert noted(roads, "0 differ by more than 1 %")


def test_lengths_in_another_unit_are_told(layer):
    assert noted(layer([line((0, 0), (0, 1))], {"length": [0.1112]}), "another unit (length_unit)?")


# Coordinates and encodings


@pytest.mark.parametrize("datum", ["gcj02", "bd09", "wgs84", "cgcs2000"])
def test_a_declared_datum_counts_more_than_the_prj(layer, datum):
    shifted = [shapely.LineString(from_wgs84(np.array(degrees((0, 0), (0, 1))), datum))]
    roads = layer(shifted, name="link.shp", datum=datum)
    assert great_circle_m(roads.lonlat, np.array(degrees((0, 0), (0, 1)))) == pytest.approx([0, 0], abs=0.001)


NO_PRJ = pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")  # pyogrio's, on purpose


@NO_PRJ
def test_a_projected_layer_comes_into_degrees_by_its_prj_or_by_what_is_declared(layer, tmp_path):
    metres = gpd.GeoSeries([CROSS[0]], crs=4326).to_crs(4527)
    by_prj = layer(list(metres), crs=4527, name="a.shp")
    (tmp_path / "b.prj").unlink(missing_ok=True)
    with pytest.raises(InputError, match='datum = "EPSG:4527"'):
        layer(list(metres), crs=None, name="b.shp")
    declared = layer(list(metres), crs=None, name="b.shp", datum="EPSG:4527")
    for roads in (by_prj, declared):
        assert great_circle_m(roads.lonlat, np.array(degrees((0, 0), (1, 0)))) == pytest.approx([0, 0], abs=0.001)


@NO_PRJ
def test_degrees_without_prj_are_taken_as_they_are(layer):
    assert layer(CROSS, crs=None, name="link.shp").lonlat[0] == pytest.approx(degrees((0, 0))[0])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # GDAL cuts a field's name within a character, and says so
@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("cpg", [None, "UTF-8", "936", "nonsense"])
def test_chinese_shapefiles_are_read_whatever_their_cpg_says(tmp_path, encoding, cpg):
    frame = gpd.GeoDataFrame({"道路名称": ["人民路", "鲇鱼山大道"], "技术等级": ["二级公路", "县道"]}, geometry=CROSS[:2], crs=4326)
    pyogrio.write_dataframe(frame, tmp_path / "link.shp", encoding=encoding)
    (tmp_path / "link.cpg").unlink(missing_ok=True)
    if cpg:
        (tmp_path / "link.cpg").write_text(cpg)
    roads = read_roads_of(tmp_path / "link.shp")
    if (cpg, encoding) != ("936", "UTF-8"):  # GBK can read nearly anything
        assert set(roads.road_names) == {"人民路", "鲇鱼山大道"}
        assert classes(roads) == ["primary", "secondary"]


def test_a_layer_of_a_geopackage_is_named(tmp_path):
    for name in ("roads", "rivers"):
        pyogrio.write_dataframe(gpd.GeoDataFrame(geometry=CROSS, crs=4326), tmp_path / "two.gpkg", layer=name)
    with pytest.raises(InputError, match="roads, rivers"):
        read_road_files([RoadsBlock(file=Path("two.gpkg"))], tmp_path)
    assert len(read_road_files([RoadsBlock(file=Path("two.gpkg"), layer="roads")], tmp_path)) == 3


def test_a_csv_has_its_links_as_wkt_or_from_end_to_end(tmp_path):
    (tmp_path / "wkt.csv").write_text("编号,等级,wkt\n5,县道," + f'"{line((0, 0), (0, 1), (0, 2)).wkt}"\n', encoding="gb18030")
    roads = read_roads_of(tmp_path / "wkt.csv")
    assert (roads.way_id.tolist(), roads.length_mm.tolist(), classes(roads)) == ([5], [222_390], ["secondary"])
    straight = "起点,终点,起点经度,起点纬度,终点经度,终点纬度\n1,2,116,28,116,28.001\n2,3,116,28.001,116,28.002\n"
    (tmp_path / "ends.csv").write_text(straight)
    assert ends(read_roads_of(tmp_path / "ends.csv")) == [(1, 2), (2, 3)]


# Hostile


def test_what_is_no_layer_of_links_is_refused_with_a_reason(layer, tmp_path):
    (tmp_path / "torn.shp").write_bytes(b"no shapefile at all")
    (tmp_path / "links.csv").write_text("a,b\n1,2\n")
    (tmp_path / "bad.csv").write_text("wkt\nLINESTRING (1\n")
    (tmp_path / "links.xlsx").write_bytes(b"")
    cases = {"torn.shp": "cannot be read", "links.csv": "wkt", "bad.csv": "cannot be read", "links.xlsx": ".shp", "none.shp": "not exist"}
    for name, words in cases.items():
        with pytest.raises(InputError, match=words):
            read_roads_of(tmp_path / name)
    with pytest.raises(InputError, match=r"must be lines.*1, 2"):
        layer([shapely.Point(116, 28), shapely.Point(116, 29)], name="points.gpkg")
    with pytest.raises(InputError, match="not on the globe"):
        layer([shapely.LineString([(116, 28), (116, 128)])], name="far.gpkg")
    with pytest.raises(InputError, match="nobody may travel"):
        layer(CROSS[:1], {"class": ["construction"]}, name="works.gpkg")
    with pytest.raises(InputError, match="no link"):
        layer([], {"class": []}, name="empty.gpkg")


def test_all_problems_of_all_road_files_are_told_at_once(tmp_path):
    with pytest.raises(InputError) as complaint:
        read_road_files([RoadsBlock(file=Path("a.shp")), RoadsBlock(file=Path("b.osm"))], tmp_path)
    assert len(complaint.value.problems) == 2


# Layers joined

OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lon="116.0" lat="28.0"/><node id="2" lon="116.0" lat="28.002"/><node id="3" lon="116.002" lat="28.002"/>
<way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/><tag k="name" v="国道"/></way>
<way id="11"><nd ref="2"/><nd ref="3"/><tag k="highway" v="motorway"/></way></osm>"""


@pytest.fixture
def joined(tmp_path: Path) -> Callable[..., Roads]:
    """An L-shaped road of OSM from (0, 0) to (0, 2), a motorway from there to (2, 2), and a bureau's links."""

    def write_and_read(lines: list[shapely.Geometry], cells: dict[str, list[object]] | None = None, **said) -> Roads:
        (tmp_path / "base.osm").write_text(OSM)
        pyogrio.write_dataframe(gpd.GeoDataFrame(cells or {}, geometry=lines, crs=4326), tmp_path / "link.gpkg")
        return read_road_files([RoadsBlock(file=Path("base.osm")), RoadsBlock(file=Path("link.gpkg"), **said)], tmp_path)

    return write_and_read


def test_layers_are_joined_at_nodes_near_each_other(joined):
    roads = joined([line((0.003, 0.003), (1, 0))])
    assert parts(roads) == 1
    assert (len(roads), set(roads.class_names)) == (3, {"primary", "motorway", "unclassified"})
    assert noted(roads, "1 nodes (within 1 m), 0 dead ends")


def test_a_link_that_ends_on_an_osm_road_is_joined_there_and_the_road_is_cut(joined):
    roads = joined([line((0.005, 0.5), (1, 0.5))])
    assert parts(roads) == 1
    assert sorted(roads.length_mm[np.array(classes(roads)) == "primary"].tolist()) == [55_597, 166_792]
    assert noted(roads, "0 nodes", "1 dead ends")


def test_an_osm_road_that_ends_on_a_link_is_joined_as_well(joined):
    assert parts(joined([line((-1, -0.005), (1, -0.005))])) == 1


def test_beyond_the_tolerance_layers_stay_apart_and_it_may_be_wider(joined):
    far = [line((0.05, 0.5), (1, 0.5))]
    assert parts(joined(far)) == 2
    assert parts(joined(far, tolerance_m=6)) == 1


def test_a_street_that_ends_at_a_motorway_is_not_let_onto_it(joined):
    assert parts(joined([line((1, 1.999), (1, 1))])) == 2
    assert parts(joined([line((1, 1.999), (1, 1))], {"class": ["motorway_link"]})) == 1


def test_a_bridge_over_an_osm_road_is_not_joined(joined):
    assert parts(joined([line((-1, 1), (1, 1))])) == 2


def test_node_and_way_ids_of_two_files_do_not_clash(joined):
    roads = joined([line((5, 5), (6, 5)), line((6, 5), (7, 5))], {"link_id": [10, 11], "from_node": [1, 2], "to_node": [2, 3]})
    assert len(set(roads.node_id.tolist())) == len(roads.node_id) == 6
    assert len(set(roads.way_id.tolist())) == 4
    assert roads.node_id[:3].tolist() == [1, 2, 3]


def test_a_road_in_both_files_is_taken_once(tmp_path):
    for name in ("a.osm", "b.osm"):
        (tmp_path / name).write_text(OSM)
    roads = read_road_files([RoadsBlock(file=Path("a.osm")), RoadsBlock(file=Path("b.osm"))], tmp_path)
    assert (len(roads), roads.node_id.tolist()) == (2, [1, 2, 3])
    assert noted(roads, "2 pieces given twice")


def test_a_barrier_still_blocks_where_a_link_joins_it(tmp_path):
    (tmp_path / "base.osm").write_text(
        OSM.replace(
            '<node id="2" lon="116.0" lat="28.002"/>', '<node id="2" lon="116.0" lat="28.002"><tag k="barrier" v="bollard"/></node>'
        )
    )
    pyogrio.write_dataframe(gpd.GeoDataFrame(geometry=[line((0, 2), (0, 3))], crs=4326), tmp_path / "link.gpkg")
    roads = read_road_files([RoadsBlock(file=Path(name)) for name in ("link.gpkg", "base.osm")], tmp_path)
    assert (roads.blocked & blocked_bit("drive") > 0).sum() == 1


def test_only_what_meets_the_bounds_is_kept(layer, tmp_path):
    layer([line((0, 0), (1, 0)), line((50, 0), (51, 0))])
    block = [RoadsBlock(file=Path("link.gpkg"))]
    assert len(read_road_files(block, tmp_path, within=(115.999, 27.999, 116.002, 28.001))) == 1
    with pytest.raises(InputError, match="do not touch"):
        read_road_files(block, tmp_path, within=(100, 20, 101, 21))


small = st.tuples(st.integers(0, 3), st.integers(0, 3))


@PROFILE
@given(links=st.lists(st.tuples(small, small).filter(lambda link: link[0] != link[1]), min_size=1, max_size=10, unique_by=frozenset))
def test_the_order_of_links_and_whether_nodes_are_named_change_no_distance(links, tmp_path_factory):
    folder = tmp_path_factory.mktemp("links")
    number = {place: at for at, place in enumerate(sorted({place for link in links for place in link}), start=1)}
    straight = [(a, b) for a, b in links if max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1]  # longer ones would run through other nodes
    if not straight:
        return
    found = []
    for at, (order, named) in enumerate([(straight, True), (straight, False), (straight[::-1], False)]):
        columns = {"from_node": [number[a] for a, _ in order], "to_node": [number[b] for _, b in order]} if named else {}
        frame = gpd.GeoDataFrame(columns, geometry=[line(*link) for link in order], crs=4326)
        pyogrio.write_dataframe(frame, folder / f"{at}.gpkg")
        roads = read_roads_of(folder / f"{at}.gpkg")
        places = {
            int(end): tuple(np.rint((roads.lonlat[vertex] - [EAST, NORTH]) / STEP).astype(int).tolist())
            for ends_at, vertices in ((roads.tail, roads.first_vertex[:-1]), (roads.head, roads.first_vertex[1:] - 1))
            for end, vertex in zip(ends_at, vertices, strict=True)
        }
        graph = nx.Graph()
        for a, b, mm in zip(roads.tail.tolist(), roads.head.tolist(), roads.length_mm.tolist(), strict=True):
            graph.add_edge(places[a], places[b], mm=mm)
        found.append({(a, b): mm for a, row in nx.all_pairs_dijkstra_path_length(graph, weight="mm") for b, mm in row.items()})
    assert found[0] == found[1] == found[2]


# The Xi'an layer


@pytest.fixture(scope="module")
def xian(data_file: Callable[[str], Path]) -> Path:
    return data_file("xian/link.shp")


@pytest.fixture(scope="module")
def published(xian: Path) -> tuple[gpd.GeoDataFrame, nx.MultiDiGraph]:
    """The table, and a graph on the lengths that it states."""
    table = gpd.read_file(xian)
    graph = nx.MultiDiGraph()
    for a, b, direction, metres in zip(table["from_node"], table["to_node"], table["dir"], table["length"], strict=True):
        graph.add_edge(a, b, m=metres)
        if direction == 0:
            graph.add_edge(b, a, m=metres)
    return table, graph


def graph_of(roads: Roads) -> nx.MultiDiGraph:
    """Roads as cars may go along them, on our lengths, by node ids."""
    graph = nx.MultiDiGraph()
    for (a, b), sign, mm in zip(ends(roads), drives(roads), roads.length_mm.tolist(), strict=True):
        if sign in ">=":
            graph.add_edge(a, b, m=mm / 1000)
        if sign in "<=":
            graph.add_edge(b, a, m=mm / 1000)
    return graph


def test_the_lengths_of_routes_in_xian_are_the_published_ones_within_one_percent(xian, published):
    roads = read_roads_of(xian)
    assert (len(roads.node_id), len(roads)) == (8_469, 9_842)
    table, theirs = published
    assert {"雁塔南路", "长安南路", "G3002西安绕城高速"} <= set(roads.road_names)
    assert noted(roads, "0 differ by more than 1 %")
    ours = graph_of(roads)
    for start in sorted(set(table["from_node"]))[::700]:
        said = nx.single_source_dijkstra_path_length(theirs, start, weight="m")
        found = nx.single_source_dijkstra_path_length(ours, start, weight="m")
        assert found.keys() == said.keys()
        assert [found[node] for node in said] == pytest.approx(list(said.values()), rel=0.01)


def test_xian_without_its_node_ids_is_the_same_network(xian, published, tmp_path):
    table, _ = published
    pyogrio.write_dataframe(table.drop(columns=["from_node", "to_node"]), tmp_path / "plain.shp", encoding="UTF-8")
    named = read_roads_of(xian)
    plain = read_road_files([RoadsBlock(file=Path("plain.shp"), tolerance_m=0.01)], tmp_path)
    number = dict(zip(plain.node_id[plain.tail].tolist(), named.node_id[named.tail].tolist(), strict=True))
    number |= dict(zip(plain.node_id[plain.head].tolist(), named.node_id[named.head].tolist(), strict=True))
    assert [(number[a], number[b]) for a, b in ends(plain)] == ends(named)
    assert (plain.length_mm.tolist(), plain.permit.tolist()) == (named.length_mm.tolist(), named.permit.tolist())
    assert noted(read_roads_of(tmp_path / "plain.shp"), "3 dead ends"), "which touch another link within the metre that is usual"


def test_xian_lies_where_wgs84_says_and_not_gcj02(xian):
    """The Great Wild Goose Pagoda stands at 108.9592 E in WGS84 (108.9638 in GCJ-02), and 雁塔南路 runs south from it on its axis."""
    roads = read_roads_of(xian)
    piece = np.isin(roads.name, [roads.road_names.index("雁塔南路")])
    lon = shapely.get_coordinates(roads.lines()[piece])[:, 0]
    assert np.median(lon) == pytest.approx(108.9592, abs=0.001)


def test_matrix_takes_a_link_table_and_a_toml_that_says_what_it_means(xian, tmp_path, capsys):
    points = tmp_path / "points.csv"
    points.write_text("id,lon,lat\na,108.9593,34.2100\nb,108.90,34.20\n")
    assert (
        main(["matrix", str(xian), "--mode", "drive", "--from", str(points), "--to", str(points), "--out", str(tmp_path / "od.csv")]) == 0
    )
    assert "no column of class" in capsys.readouterr().err
    said = f'[roads]\nfile = "{xian}"\ndatum = "gcj02"\nclasses = {{ "" = "primary" }}\n'
    (tmp_path / "roads.toml").write_text(said)
    moved = od_table(tmp_path / "roads.toml", points, points, mode="drive", max_snap_m=1000)
    assert len(pd.read_csv(tmp_path / "od.csv")) == len(moved.pairs) == 4
    assert not np.array_equal(pd.read_csv(tmp_path / "od.csv")["metres"], moved.pairs["metres"])
    (tmp_path / "roads.toml").write_text("[road]\n")
    with pytest.raises(InputError, match="roads"):
        read_roads_of(tmp_path / "roads.toml")
