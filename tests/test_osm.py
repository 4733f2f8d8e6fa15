"""Roads from OSM files: what is read, where it is cut, how long it is, and what is refused."""

import bz2
import gzip
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import osmium
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.roads import Roads
from geodata.ways.osm import read_roads

STEP = 0.001  # degrees: on the equator 111.194927 m, whole pieces of 111,195 mm
STEP_MM = 111_195
STREET = {"highway": "residential"}


def node(node_id: int, x: float, y: float = 0, visible: str = "true", **tags: str) -> str:
    """A node x steps east and y steps north of 0,0."""
    return f'<node id="{node_id}" lon="{x * STEP:.7f}" lat="{y * STEP:.7f}" version="1" visible="{visible}">{_tags(tags)}</node>'


def way(way_id: int, nodes: Iterable[int], visible: str = "true", **tags: str) -> str:
    refs = "".join(f'<nd ref="{ref}"/>' for ref in nodes)
    return f'<way id="{way_id}" version="1" visible="{visible}">{refs}{_tags(tags)}</way>'


def relation(relation_id: int, members: Sequence[tuple[int, str]], **tags: str) -> str:
    refs = "".join(f'<member type="way" ref="{ref}" role="{role}"/>' for ref, role in members)
    return f'<relation id="{relation_id}" version="1">{refs}{_tags({"type": "multipolygon"} | tags)}</relation>'


def _tags(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())


def xml(*things: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">{"".join(things)}</osm>'.encode()


@pytest.fixture
def read(tmp_path) -> Callable[..., Roads]:
    def read_things(*things: str, **options: object) -> Roads:
        path = tmp_path / "town.osm"
        path.write_bytes(xml(*things))
        return read_roads(path, **options)

    return read_things


def courses(roads: Roads) -> list[list[tuple[float, float]]]:
    """Each piece as steps east and north, in order."""
    steps = np.rint(roads.lonlat / STEP).astype(int)
    pieces = [steps[a:b].tolist() for a, b in zip(roads.first_vertex[:-1], roads.first_vertex[1:], strict=True)]
    return sorted([tuple(place) for place in piece] for piece in pieces)


def ends(roads: Roads) -> list[tuple[int, int]]:
    """Node ids at the ends of each piece."""
    return list(zip(roads.node_id[roads.tail].tolist(), roads.node_id[roads.head].tolist(), strict=True))


SQUARE = [node(1, 0), node(2, 1), node(3, 1, 1), node(4, 0, 1)]
TOWN = [
    *SQUARE,
    node(5, 2, barrier="bollard"),
    node(6, 3),
    way(10, [1, 2, 5, 6], highway="primary", name="人民路", maxspeed="60", oneway="yes"),
    way(11, [2, 3, 4], **STREET),
    way(12, [1, 2, 3, 4, 1], natural="water"),
]


def same(a: Roads, b: Roads) -> bool:
    return a.fingerprint == b.fingerprint


# --- formats


def save(folder: Path, ending: str, data: bytes) -> Path:
    path = folder / f"town{ending}"
    if ending in {".osm.pbf", ".pbf"}:
        with osmium.SimpleWriter(osmium.io.File(str(path), "pbf")) as writer:
            for thing in osmium.FileProcessor(osmium.io.FileBuffer(data, "osm")):
                writer.add(thing)
    else:
        squeeze = {".osm.gz": gzip.compress, ".osm.bz2": bz2.compress}.get(ending, bytes)
        path.write_bytes(squeeze(data))
    return path


@pytest.mark.parametrize("ending", [".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf", ".xml"])
def test_every_format_gives_the_same_roads(tmp_path, ending):
    assert same(read_roads(save(tmp_path, ending, xml(*TOWN))), read_roads(save(tmp_path, ".osm", xml(*TOWN))))


def test_an_ending_in_capitals_and_a_chinese_name_are_read(tmp_path):
    path = tmp_path / "进贤 路网.OSM.GZ"
    path.write_bytes(gzip.compress(xml(*TOWN)))
    assert len(read_roads(path)) == 4


def test_gzip_in_several_members_is_read_to_its_end(tmp_path):
    data, path = xml(*TOWN), tmp_path / "town.osm.gz"
    path.write_bytes(gzip.compress(data[:300]) + gzip.compress(data[300:]))
    assert len(read_roads(path)) == 4


@given(st.permutations(TOWN))
@settings(max_examples=25)
def test_the_order_of_objects_in_the_file_does_not_matter(tmp_path_factory, things):
    path = tmp_path_factory.mktemp("order") / "town.osm"
    path.write_bytes(xml(*things))
    assert sorted(courses(read_roads(path))) == [[(0, 0), (1, 0)], [(1, 0), (1, 1), (0, 1)], [(1, 0), (2, 0)], [(2, 0), (3, 0)]]


def test_what_a_piece_knows_of_its_way(read):
    roads = read(*TOWN)
    of_primary = roads.way_id == 10
    assert roads.highway_ways == 2
    assert {roads.road_names[i] for i in roads.name[of_primary]} == {"人民路"}
    assert {roads.class_names[i] for i in roads.road_class[of_primary]} == {"primary"}
    assert roads.maxspeed_kmh[of_primary].tolist() == [[60, 60]] * 3
    assert np.isnan(roads.maxspeed_kmh[~of_primary]).all()
    assert set(roads.permit[of_primary].tolist()) == {0b010111}


def test_maxspeed_that_was_not_understood_is_kept(read):
    assert read(*SQUARE, way(1, [1, 2], maxspeed="fast", **STREET), way(2, [2, 3], maxspeed="60", **STREET)).unread_maxspeed == ("fast",)


# --- lengths


def test_the_length_is_a_great_circle_to_the_millimetre(read):
    assert read(*SQUARE, way(1, [1, 2], **STREET)).length_mm.tolist() == [round(6_371_000_000 * np.radians(STEP))]
    assert round(6_371_000_000 * np.radians(STEP)) == STEP_MM


def test_the_length_at_60_degrees_north_is_half_of_that_at_the_equator(read):
    roads = read(node(1, 0, 60_000), node(2, 1, 60_000), way(1, [1, 2], **STREET))
    assert roads.length_mm.tolist() == [pytest.approx(STEP_MM / 2, abs=1)]


def test_the_length_follows_every_bend(read):
    roads = read(*SQUARE, way(1, [1, 2, 3, 4], **STREET))
    assert roads.length_mm.tolist() == [pytest.approx(3 * STEP_MM, abs=2)]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=12))
def test_cutting_loses_no_length(tmp_path_factory, places):
    path = tmp_path_factory.mktemp("length") / "town.osm"
    distinct = sorted(set(places))
    at = {place: i + 1 for i, place in enumerate(distinct)}
    path.write_bytes(
        xml(
            *(node(at[p], *p) for p in distinct),
            node(100, 30),
            node(101, 31),
            way(1, [at[p] for p in places], **STREET),
            way(2, [100, 101], **STREET),
        )
    )
    roads = read_roads(path)
    of_way = roads.way_id == 1
    steps = sum(a != b for a, b in itertools.pairwise(places))
    straight = sum(np.hypot(a[0] - b[0], a[1] - b[1]) for a, b in itertools.pairwise(places))
    assert int(roads.length_mm[of_way].sum()) == pytest.approx(straight * STEP_MM, abs=steps + 1, rel=1e-6)
    assert np.diff(roads.first_vertex)[of_way].sum() - of_way.sum() == steps


# --- where pieces are cut


def test_roads_are_cut_at_a_junction_and_not_at_a_bend(read):
    roads = read(*SQUARE, node(5, 2), way(1, [4, 1, 2, 5], **STREET), way(2, [2, 3], **STREET))
    assert sorted(ends(roads)) == [(2, 3), (2, 5), (4, 2)]


def test_a_way_that_nobody_may_use_makes_no_junction(read):
    roads = read(*SQUARE, node(5, 2), way(1, [1, 2, 5], **STREET), way(2, [2, 3], highway="proposed"))
    assert (ends(roads), roads.highway_ways) == ([(1, 5)], 2)


def test_roads_are_cut_at_a_barrier_that_stops_somebody(read):
    roads = read(node(1, 0), node(2, 1, barrier="bollard"), node(3, 2, barrier="entrance"), node(4, 3), way(1, [1, 2, 3, 4], **STREET))
    assert sorted(ends(roads)) == [(1, 2), (2, 4)]
    assert roads.blocked.tolist() == [0, 0b100, 0]


def test_a_road_is_cut_where_it_crosses_itself(read):
    roads = read(*SQUARE, node(5, 2), node(6, 1, -1), way(1, [1, 2, 5, 3, 2, 6], **STREET))
    assert sorted(ends(roads)) == [(1, 2), (2, 2), (2, 6)]


def test_a_closed_way_is_one_piece_that_ends_where_it_begins(read):
    roads = read(*SQUARE, way(1, [1, 2, 3, 4, 1], **STREET))
    assert ends(roads) == [(1, 1)]
    assert roads.length_mm.tolist() == [pytest.approx(4 * STEP_MM, abs=2)]


def test_a_closed_way_with_a_side_street_is_cut_there_and_at_its_start(read):
    roads = read(*SQUARE, node(5, 2), way(1, [1, 2, 3, 4, 1], **STREET), way(2, [2, 5], **STREET))
    assert sorted(ends(roads)) == [(1, 2), (2, 1), (2, 5)]


def test_two_roads_between_the_same_nodes_are_two_pieces(read):
    assert len(read(*SQUARE, way(1, [1, 2], **STREET), way(2, [1, 4, 3, 2], **STREET))) == 2


def test_a_node_named_twice_running_adds_nothing(read):
    roads = read(*SQUARE, way(1, [1, 1, 2, 2, 2, 3, 3], **STREET))
    assert (sorted(ends(roads)), int(roads.length_mm.sum())) == ([(1, 2), (2, 3)], 2 * STEP_MM)


def test_nodes_at_the_same_place_are_a_piece_without_length(read):
    roads = read(node(1, 0), node(2, 0), node(3, 1), way(1, [1, 2], **STREET), way(2, [2, 3], **STREET))
    assert roads.length_mm.tolist() == [0, STEP_MM]


def test_a_way_of_one_node_or_none_is_no_road(read):
    roads = read(*SQUARE, way(1, [1], **STREET), way(2, [], **STREET), way(3, [2, 2], **STREET), way(4, [1, 2], **STREET))
    assert (ends(roads), roads.highway_ways) == ([(1, 2)], 4)


# --- gaps, versions, ids


def test_missing_nodes_split_a_way_and_are_counted(read):
    roads = read(*SQUARE, way(1, [98, 1, 2, 99, 3, 4], **STREET))
    assert (sorted(ends(roads)), roads.missing_nodes) == ([(1, 2), (3, 4)], 2)


def test_a_node_beyond_the_globe_is_missing(read):
    roads = read(node(1, 0), node(2, 1), node(3, 2, 95_000), way(1, [1, 2, 3], **STREET))
    assert (ends(roads), roads.missing_nodes) == ([(1, 2)], 1)


def test_deleted_ways_and_nodes_are_not_there(read):
    roads = read(node(1, 0), node(2, 1), node(3, 2, 0, "false"), way(1, [1, 2, 3], **STREET), way(2, [1, 2], "false", **STREET))
    assert (ends(roads), roads.highway_ways, roads.missing_nodes) == ([(1, 2)], 1, 1)


def test_of_a_way_that_occurs_twice_the_last_counts(read):
    roads = read(*SQUARE, way(1, [1, 2], **STREET), way(1, [3, 4], **STREET))
    assert (ends(roads), roads.highway_ways) == ([(3, 4)], 1)


def test_negative_ids_of_an_editor_are_ids(read):
    roads = read(node(-1, 0), node(-2, 1), node(3, 2), way(-7, [-1, -2, 3], **STREET), way(8, [-2, -1], highway="footway"))
    assert sorted(ends(roads)) == [(-2, -1), (-2, 3), (-1, -2)]
    assert roads.way_id.tolist() == [-7, -7, 8]


def test_ids_of_any_size_do_not_fill_the_memory(read):
    assert len(read(node(1, 0), node(2**62, 1), way(1, [1, 2**62], **STREET))) == 1


# --- within


def test_only_pieces_near_the_county_are_kept(read):
    things = [*SQUARE, node(5, 50), node(6, 51), way(1, [1, 2], **STREET), way(2, [2, 3], **STREET), way(3, [5, 6], **STREET)]
    roads = read(*things, within=(-0.0001, -0.0001, 0.002, 0.002))
    assert sorted(ends(roads)) == [(1, 2), (2, 3)]
    assert roads.highway_ways == 3


def test_a_road_through_the_county_is_kept_whole(read):
    roads = read(node(1, -50), node(2, 0), node(3, 50), way(1, [1, 2, 3], **STREET), within=(-0.001, -0.001, 0.001, 0.001))
    assert courses(roads) == [[(-50, 0), (0, 0), (50, 0)]]


def test_water_far_away_is_left_out(read):
    far = [node(5, 50), node(6, 51), node(7, 51, 1), way(5, [5, 6, 7, 5], natural="water")]
    assert len(read(*TOWN, *far).water) == 2
    assert len(read(*TOWN, *far, within=(0, 0, 0.001, 0.001)).water) == 1


def test_roads_that_do_not_touch_the_county_are_refused_with_both_boxes(read):
    with pytest.raises(
        InputError, match=r"town\.osm: its roads \(0\.000, .*\) do not touch the region \(116\.000, 28\.000, 117\.000, 29\.000"
    ):
        read(*TOWN, within=(116, 28, 117, 29))


# --- water


def wet(roads: Roads, x: float, y: float) -> bool:
    return bool(shapely.intersects(roads.water, shapely.Point(x * STEP, y * STEP)).any())


ISLAND = [node(21, 0.2, 0.2), node(22, 0.4, 0.2), node(23, 0.4, 0.4)]
SHORE, BEACH = way(30, [1, 2, 3, 4, 1]), way(31, [21, 22, 23, 21])
ROAD = way(1, [1, 2], **STREET)


def test_a_lake_is_an_area(read):
    assert wet(read(*SQUARE, ROAD, way(2, [1, 2, 3, 4, 1], natural="water")), 0.5, 0.5)


def test_the_island_in_a_lake_is_dry(read):
    roads = read(*SQUARE, *ISLAND, ROAD, SHORE, BEACH, relation(1, [(30, "outer"), (31, "inner")], natural="water"))
    assert (wet(roads, 0.6, 0.6), wet(roads, 0.35, 0.25)) == (True, False)


def test_a_shore_in_several_ways_is_joined(read):
    halves = [way(30, [1, 2, 3]), way(31, [1, 4, 3])]
    assert wet(read(*SQUARE, ROAD, *halves, relation(1, [(30, "outer"), (31, "outer")], natural="water")), 0.5, 0.5)


@pytest.mark.parametrize(
    "broken",
    [
        [way(30, [1, 2, 3]), BEACH],
        [BEACH],
        [way(30, [1, 2, 3, 99, 1]), BEACH],
        [way(30, []), BEACH],
    ],
    ids=["the shore is open", "the shore is not in the file", "a node is not in the file", "the shore has no nodes"],
)
def test_a_broken_multipolygon_is_left_out(read, broken):
    roads = read(*SQUARE, *ISLAND, ROAD, *broken, relation(1, [(30, "outer"), (31, "inner")], natural="water"))
    assert (len(roads), len(roads.water)) == (1, 0)


def test_a_pond_that_crosses_itself_is_left_out(read):
    assert len(read(*SQUARE, ROAD, way(2, [1, 3, 2, 4, 1], natural="water")).water) == 0


def test_a_river_is_a_line_in_parts_where_nodes_are_missing(read):
    roads = read(*SQUARE, node(5, 2), ROAD, way(2, [3, 4, 99, 2, 5], waterway="river"), way(3, [98, 1], waterway="river"))
    assert sorted(shapely.to_wkt(line, rounding_precision=3) for line in roads.water) == [
        "LINESTRING (0.001 0, 0.002 0)",
        "LINESTRING (0.001 0.001, 0 0.001)",
    ]


def test_missing_nodes_of_rivers_are_not_missing_nodes_of_roads(read):
    assert read(*SQUARE, ROAD, way(2, [3, 99, 4], waterway="river")).missing_nodes == 0


def test_a_relation_without_members_changes_nothing(read):
    assert len(read(*SQUARE, ROAD, relation(1, [], natural="water")).water) == 0


# --- refusals


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_roads(path)
    assert path.name in str(caught.value)
    assert all(problem.zh and problem.en for problem in caught.value.problems)
    return caught.value.problems[0].en


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_file_cut_off_is_refused(tmp_path, ending, part):
    path = save(tmp_path, ending, xml(*TOWN))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    assert "cannot be read as OSM data" in refused(path)


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
@pytest.mark.parametrize(
    "content", [b"hello", b"<html><body>404</body></html>", bytes(100), b"\xff" * 1000, b"PK\x03\x04" + bytes(60), b"\n"]
)
def test_a_file_that_is_something_else_is_refused(tmp_path, ending, content):
    path = tmp_path / f"fake{ending}"
    path.write_bytes(content)
    assert "cannot be read as OSM data" in refused(path)


@pytest.mark.parametrize("ending", [".osm", ".osm.gz", ".osm.bz2", ".osm.pbf"])
def test_an_empty_file_is_refused(tmp_path, ending):
    path = tmp_path / f"empty{ending}"
    path.touch()
    assert "is empty" in refused(path)


def test_a_pbf_called_osm_is_refused(tmp_path):
    assert "cannot be read" in refused(save(tmp_path, ".osm.pbf", xml(*TOWN)).rename(tmp_path / "town.osm"))


def test_a_missing_file_a_folder_and_another_ending_are_refused(tmp_path):
    folder, shapefile = tmp_path / "folder.osm", tmp_path / "roads.shp"
    folder.mkdir()
    shapefile.write_bytes(b"x")
    assert "does not exist" in refused(tmp_path / "none.osm.pbf")
    assert "is a folder" in refused(folder)
    assert "not a road format" in refused(shapefile)


@pytest.mark.parametrize(
    ("things", "reason"),
    [
        ([], "no passable road"),
        (SQUARE, "no passable road"),
        ([*SQUARE, way(1, [1, 2], building="yes")], "no passable road"),
        ([*SQUARE, way(1, [1, 2], highway="proposed")], "no passable road"),
        ([*SQUARE, way(1, [1, 2], access="no", **STREET)], "no passable road"),
        ([ROAD], "nodes of its roads are not in the file"),
        ([node(1, 0), way(1, [1, 99, 1], **STREET)], "nodes of its roads are not in the file"),
    ],
)
def test_a_file_without_roads_is_refused(tmp_path, things, reason):
    path = tmp_path / "town.osm"
    path.write_bytes(xml(*things))
    assert reason in refused(path)


def test_coordinates_that_are_no_numbers_are_refused(tmp_path):
    path = tmp_path / "town.osm"
    path.write_bytes(xml('<node id="1" lon="here" lat=""/>', node(2, 1), ROAD))
    assert "cannot be read" in refused(path)


def test_xml_entities_are_refused_not_expanded(tmp_path):
    path = tmp_path / "town.osm"
    path.write_bytes(xml(*TOWN).replace(b"<osm ", b'<!DOCTYPE osm [<!ENTITY a "aaaa">]><osm ', 1))
    assert "cannot be read" in refused(path)


FUZZ = """
import random, sys
from pathlib import Path
from geodata.errors import InputError
from geodata.ways.osm import read_roads
good, path = Path(sys.argv[1]).read_bytes(), Path(sys.argv[1]).with_name("damaged.osm.pbf")
for seed in range(60):
    rng, data = random.Random(seed), bytearray(good)
    for _ in range(rng.choice([1, 3, 10])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    path.write_bytes(data)
    try:
        read_roads(path)
    except InputError:
        pass
print("alive")
"""


def test_damaged_bytes_never_bring_the_process_down(tmp_path):
    path = tmp_path / "town.osm.pbf"
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf,pbf_compression=none")) as writer:  # no checksum would find the damage
        for thing in osmium.FileProcessor(osmium.io.FileBuffer(xml(*TOWN), "osm")):
            writer.add(thing)
    root = Path(__file__).resolve().parent.parent
    run = subprocess.run([sys.executable, "-c", FUZZ, str(path)], cwd=root, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout.strip(), run.stderr) == (0, "alive", "")


# --- real files


def test_tsinghua_has_its_chinese_names_and_few_speed_limits(data_file):
    roads = read_roads(data_file("beijing/tsinghua.osm"))
    assert roads.highway_ways == 684
    assert {"光华路", "成府路", "中关村东路"} <= set(roads.road_names)
    assert len(np.unique(roads.way_id[np.isfinite(roads.maxspeed_kmh).any(axis=1)])) == 5
    assert roads.unread_maxspeed == ()


def test_comoros_has_its_highway_ways_its_coast_and_no_gaps(comoros_roads):
    assert (comoros_roads.highway_ways, comoros_roads.missing_nodes) == (4378, 0)
    assert len(comoros_roads.water) > 100
