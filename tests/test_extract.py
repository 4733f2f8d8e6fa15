"""A county out of an OSM extract on disk: a small one by hand, and real ones."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.errors import InputError, OptionError
from geodata.fetch.boundary import read_boundary
from geodata.fetch.county import fetch_county
from geodata.fetch.extract import find_boundary
from geodata.fetch.tags import tag_table
from geodata.roads import Roads
from geodata.standards import default_services
from geodata.store import open_region
from geodata.ways.osm import read_roads
from scenarios.cli import main

SIDE = 0.1


def node(number: int, x: float, y: float, **tags: str) -> str:
    return f'<node id="{number}" version="1" lon="{116 + x * SIDE:.7f}" lat="{28 + y * SIDE:.7f}">{_tags(tags)}</node>'


def way(number: int, *nodes: int, **tags: str) -> str:
    refs = "".join(f'<nd ref="{ref}"/>' for ref in nodes)
    return f'<way id="{number}" version="1" timestamp="2026-03-04T00:00:00Z">{refs}{_tags(tags)}</way>'


def relation(number: int, *ways: int, **tags: str) -> str:
    refs = "".join(f'<member type="way" ref="{ref}" role="outer"/>' for ref in ways)
    return f'<relation id="{number}" version="1">{refs}{_tags(tags)}</relation>'


def _tags(tags: dict[str, str]) -> str:
    return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())


ADMIN = {"type": "boundary", "boundary": "administrative"}
COUNTY = [
    *(node(1, 0, 0), node(2, 1, 0), node(3, 1, 1), node(4, 0, 1)),
    way(1, 1, 2, 3, 4, 1),
    relation(1, 1, **ADMIN, admin_level="6", name="某县"),
    *(node(10, 0.1, 0.5), node(11, 0.9, 0.5), node(12, 9, 0.5)),
    way(10, 10, 11, 12, highway="primary"),  # leaves the buffer
    *(node(20, 5, 5), node(21, 5.1, 5)),
    way(20, 20, 21, highway="primary"),  # far away
    *(node(30, 0.2, 0.6), node(31, 0.3, 0.6), node(32, 8, 8), node(33, 0.2, 0.7)),
    *(way(30, 30, 31, 32), way(31, 32, 33, 30)),
    *(way(13, 10, 14, highway="primary"), node(14, 0.1, 0.9)),
    (
        '<relation id="13" version="1"><member type="way" ref="10" role="from"/><member type="node" ref="10" role="via"/>'
        '<member type="way" ref="13" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation>'
    ),
    relation(30, 30, 31, type="multipolygon", natural="water", name="大湖"),  # one of its ways lies mostly far away
    node(40, 0.5, 0.5, amenity="hospital", name="县医院"),
    node(41, 1.5, 0.5, amenity="hospital", name="邻县医院"),
    node(42, 5, 5, amenity="hospital", name="远方医院"),
    *(node(50, 0.4, 0.4), node(51, 0.6, 0.4), node(52, 0.6, 0.6), node(53, 0.4, 0.6)),
    way(50, 50, 51, 52, 53, 50, amenity="hospital", name="县医院"),  # the same as node 40
    *(node(60, 0.7, 0.2), node(61, 0.8, 0.2), node(62, 0.8, 0.3)),
    way(60, 60, 61, 62, 60, amenity="school"),
    node(63, 0.78, 0.22, leisure="pitch"),
    node(64, 0.5, 0.9, leisure="pitch"),
    node(65, 0.5, 0.95, leisure="pitch", access="private"),
    *(node(70, 1.3, 0.3), node(71, 1.31, 0.3), node(72, 1.31, 0.31)),
    way(70, 70, 71, 72, 70, building="house"),  # in the buffer: nobody of the county lives there
]


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "province.osm"
    path.write_text(f'<osm version="0.6">{"".join(COUNTY)}</osm>', encoding="utf-8")
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_what_lies_near_the_county_is_taken_whole_and_nothing_else(extract: Path, tmp_path: Path) -> None:
    folder = tmp_path / "county"
    fetch_county(folder, place="某县, 江西", pbf=extract, buffer_km=10)
    roads = read_roads(folder / "roads.osm.pbf")
    assert set(roads.way_id.tolist()) == {10, 13}
    assert roads.turns.to_way.tolist() == [13]
    assert roads.missing_nodes == 0
    assert roads.bounds[2] == pytest.approx(116.9)  # the road's far end
    assert len(roads.water) == 1
    assert shapely.area(roads.water[0]) > 0
    assert [row["编码"] for row in table(folder / "medical.csv")] == ["N41", "W50"]
    assert not (folder / "buildings.gpkg").exists()


def test_a_pitch_at_school_is_a_school_ground_and_a_private_one_is_left_out(extract: Path, tmp_path: Path) -> None:
    fetch_county(tmp_path / "county", place="某县", pbf=extract, buffer_km=1)
    grounds = gpd.read_file(tmp_path / "county" / "fitness.gpkg")
    assert dict(zip(grounds["id"], grounds["kind"], strict=True)) == {"N63": "学校场地", "N64": "体育场地"}


def test_a_county_without_townships_is_one_zone_dated_by_the_last_change(extract: Path, tmp_path: Path) -> None:
    path = fetch_county(tmp_path / "county", place="R1", pbf=extract)
    assert gpd.read_file(path.parent / "townships.gpkg")[["id", "name"]].to_numpy().tolist() == [["REST", "某县"]]
    assert "date = 2026-03-04" in path.read_text(encoding="utf-8")


def test_a_boundary_that_is_not_there_is_several_or_is_cut_off_is_an_error(extract: Path) -> None:
    with pytest.raises(OptionError, match="没有名为“无名县”的行政边界"):
        find_boundary(extract, "无名县")
    twice = extract.read_text(encoding="utf-8").replace("</osm>", relation(2, 1, **ADMIN, name="某县") + "</osm>")
    extract.write_text(twice, encoding="utf-8")
    with pytest.raises(OptionError, match=r"R1 某县 .*R2 某县"):
        find_boundary(extract, "某县")
    assert find_boundary(extract, "R2").relation == 2
    extract.write_text(twice.replace('<nd ref="3"/>', ""), encoding="utf-8")
    assert find_boundary(extract, "R1").area.area == pytest.approx(SIDE**2 / 2)
    extract.write_text(twice.replace(node(3, 1, 1), ""), encoding="utf-8")
    with pytest.raises(InputError, match=r"R1.*不完整"):
        find_boundary(extract, "R1")


@pytest.mark.parametrize(("name", "content"), [("a.osm.pbf", b"no pbf"), ("a.osm", b"<osm>"), ("a.txt", b""), ("gone.osm", None)])
def test_a_file_that_is_no_osm_is_an_error(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=name):
        fetch_county(tmp_path / "county", place="某县", pbf=tmp_path / name)
    assert not (tmp_path / "county").exists()


def test_a_boundary_file_must_be_areas_with_a_coordinate_system(tmp_path: Path) -> None:
    box = shapely.box(116, 28, 117, 29)
    gpd.GeoDataFrame(geometry=[box.centroid], crs="EPSG:4326").to_file(tmp_path / "point.gpkg")
    with pytest.warns(UserWarning, match="crs"):
        gpd.GeoDataFrame(geometry=[box]).to_file(tmp_path / "bare.shp")
    (tmp_path / "text.gpkg").write_text("no", encoding="utf-8")
    for name, why in [("point.gpkg", "polygons"), ("bare.shp", "no CRS"), ("text.gpkg", "vector file"), ("gone.gpkg", "not exist")]:
        with pytest.raises(InputError, match=why):
            read_boundary(tmp_path / name, None)


def test_a_boundary_file_of_several_areas_gives_the_zones_their_names(tmp_path: Path) -> None:
    boxes = [shapely.box(116, 28, 116.5, 29), shapely.box(116.5, 28, 117, 29)]
    gpd.GeoDataFrame({"COUNTY_NAME": ["某县"] * 2, "乡镇": ["甲乡", "乙镇"]}, geometry=boxes, crs="EPSG:4490").to_file(
        tmp_path / "two.gpkg"
    )
    boundary = read_boundary(tmp_path / "two.gpkg", "某县, 江西")
    assert boundary.name == "某县"
    assert boundary.parts[["id", "name"]].to_numpy().tolist() == [["Z01", "甲乡"], ["Z02", "乙镇"]]


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"amenity": "hospital", "name": "进贤县人民医院"}, "hospital"),
        ({"amenity": "hospital", "name": "李渡镇中心卫生院"}, "township_health_centre"),
        ({"amenity": "clinic", "name": "民和社区卫生服务中心"}, "community_health_centre"),
        ({"amenity": "doctors", "name": "新村社区卫生服务站"}, "community_health_station"),
        ({"amenity": "clinic", "name": "张家村卫生所"}, "village_clinic"),
        ({"healthcare": "clinic"}, "community_health_station"),
        ({"amenity": "pharmacy", "healthcare": "pharmacy"}, ""),
        ({"amenity": "clinic", "healthcare": "physiotherapist"}, ""),
        ({"emergency": "ambulance_station", "name": "县急救中心"}, "emergency_centre"),
        ({"emergency": "ambulance_station"}, "standby_point"),
        ({"highway": "footway", "name": "青岚湖绿道"}, "greenway"),
        ({"leisure": "fitness_station"}, "sports_ground"),
        ({"disused:amenity": "hospital"}, None),
        ({"highway": "footway"}, None),
    ],
)
def test_the_tag_table_knows_a_facility_by_its_name_and_tags(tags: dict[str, str], kind: str | None) -> None:
    rule = tag_table().rule(tags)
    assert (rule.kind if rule else None) == kind


def test_every_kind_and_service_of_the_tag_table_is_one_of_ours() -> None:
    rules = [rule for rule in tag_table().facilities if rule.service]
    assert {rule.kind for rule in rules} <= default_services().kinds.keys()
    assert {rule.service for rule in rules} <= default_services().services.keys()


@pytest.fixture(scope="module")
def fetched_comoros(data_file: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of three islands, zones from a file of areas."""
    folder = tmp_path_factory.mktemp("comoros") / "county"
    pbf, islands = data_file("comoros/comoros.osm.pbf"), data_file("comoros/islands.gpkg")
    assert main(["fetch", "Comores", str(folder), "--pbf", str(pbf), "--boundary", str(islands)]) == 0
    return folder


def test_on_comoros_every_road_and_every_place_of_treatment_is_found(
    fetched_comoros: Path, comoros_roads: Roads, data_file: Callable[[str], Path]
) -> None:
    whole, fetched = comoros_roads, read_roads(fetched_comoros / "roads.osm.pbf")
    assert fetched.highway_ways == whole.highway_ways == 4_378
    assert fetched.length_mm.sum() == whole.length_mm.sum()
    points = gpd.read_file(data_file("comoros/health_points.gpkg"))
    treating = points[points["amenity"].isin(["hospital", "clinic", "doctors"])].to_crs("EPSG:32738")
    ours = table(fetched_comoros / "medical.csv")
    found = gpd.GeoSeries(gpd.points_from_xy([row["经度"] for row in ours], [row["纬度"] for row in ours]), crs="EPSG:4326")
    away_m = treating.distance(found.to_crs("EPSG:32738").union_all())
    assert (len(points), len(treating), len(ours)) == (70, 39, 35)
    assert away_m.max() < 300  # within the grounds of the same hospital


def test_the_fetched_comoros_opens_once_people_are_filled_in(fetched_comoros: Path, tmp_path: Path) -> None:
    shutil.copytree(fetched_comoros, tmp_path / "county")
    with pytest.raises(InputError, match=r"township_population\.csv"):
        open_region(tmp_path / "county")
    fill(tmp_path / "county" / "township_population.csv", "常住人口", "1000")
    fill(tmp_path / "county" / "settlements.csv", "人口", "1")
    region = open_region(tmp_path / "county").region
    assert region.zones.name == ("Mwali", "Njazídja", "Nzwani")
    assert region.demand.people[region.demand.inside].sum() == 3000
    assert len(region.facilities) == 35 + 85


def fill(path: Path, column: str, value: str) -> None:
    rows = [row | {column: value} for row in table(path)]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_monaco_has_several_boundaries_of_its_name_and_one_is_fetched_by_number(data_file: Callable[[str], Path], tmp_path: Path) -> None:
    monaco = data_file("monaco/monaco.osm.gz")
    with pytest.raises(OptionError, match="R2220322"):
        fetch_county(tmp_path, place="Monaco", pbf=monaco)
    folder = fetch_county(tmp_path, place="R2220322", pbf=monaco, buffer_km=1).parent
    assert (gpd.read_file(folder / "townships.gpkg").to_crs("EPSG:32632").area.sum() / 1e6) > 1.9
    assert len(table(folder / "medical.csv")) > 0


def test_every_road_of_a_part_of_porto_is_taken(data_file: Callable[[str], Path], tmp_path: Path) -> None:
    box = gpd.GeoDataFrame({"name": ["Porto"]}, geometry=[shapely.box(-8.63, 41.14, -8.60, 41.16)], crs="EPSG:4326")
    box.to_file(tmp_path / "box.gpkg")
    porto = data_file("porto/porto.osm.pbf")
    fetch_county(tmp_path / "county", pbf=porto, boundary=tmp_path / "box.gpkg", buffer_km=1)
    whole, part = read_roads(porto), read_roads(tmp_path / "county" / "roads.osm.pbf")
    assert len(part) < len(whole) / 4
    assert np.array_equal(np.unique(whole.way_id[_meets(whole)]), np.unique(part.way_id[_meets(part)]))


def _meets(roads: Roads) -> np.ndarray:
    """Pieces with a vertex inside the box."""
    lon, lat = roads.lonlat.T
    inside = (lon > -8.63) & (lon < -8.60) & (lat > 41.14) & (lat < 41.16)
    return np.logical_or.reduceat(inside, roads.first_vertex[:-1])
