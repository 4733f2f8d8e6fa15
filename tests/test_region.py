"""One region.toml → one Region; all that is wrong in all its files at once, by file, row and value."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from county_files import FILES, TOML, roads, write_county, zones

from geodata.errors import InputError
from geodata.model import OUTSIDE
from geodata.region import read_region


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_region(path)
    assert all(problem.zh for problem in caught.value.problems)
    assert len(set(caught.value.problems)) == len(caught.value.problems)
    return [problem.en for problem in caught.value.problems]


# --- what is read


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    return read_region(write_county(tmp_path_factory.mktemp("county")))


def test_township_totals_are_kept_and_shared_by_the_settlements_own_counts(county):
    assert dict(zip(county.demand.id, county.demand.people.tolist(), strict=True)) == {"001": 750, "002": 250, "003": 2000}
    assert "township totals spread over the settlement table" in county.people_source


def test_settlements_know_their_township_and_class(county):
    assert [county.zones.name[zone] for zone in county.demand.zone] == ["西镇", "西镇", "东镇"]
    assert county.demand.urban.tolist() == [False, True, False]


def test_facilities_of_several_tables_are_one_list(county):
    facilities = county.facilities
    assert (facilities.id, facilities.kind) == (("H1", "H2", "P1"), ("hospital", "township_health_centre", "park"))
    assert np.diff(facilities.first_entrance).tolist() == [1, 1, 2]
    assert facilities.eligible("emergency").tolist() == [True, False, False]
    assert facilities.capacity[0] == 400
    assert np.isnan(facilities.capacity[1:]).all()
    assert facilities.name[2] == "P1"


def test_every_file_is_named_with_its_rows_and_its_sha256(county):
    assert [(source.role, source.file, source.rows) for source in county.sources] == [
        ("roads", "roads.osm", 1),
        ("zones", "zones.geojson", 2),
        ("population", "people.csv", 2),
        ("demand", "villages.csv", 3),
        ("facilities", "hospitals.csv", 2),
        ("facilities", "parks.csv", 1),
    ]
    assert {len(source.sha256) for source in county.sources} == {64}


def test_the_projected_crs_is_the_utm_zone_unless_it_is_given(tmp_path, county):
    assert county.crs == "EPSG:32650"
    assert read_region(write_county(tmp_path, toml='crs = "EPSG:4548"')).crs == "EPSG:4548"


def test_a_folder_stands_for_its_region_toml(tmp_path, county):
    assert read_region(write_county(tmp_path).parent).fingerprint == county.fingerprint


def test_reading_twice_gives_the_same_fingerprint(tmp_path, county):
    assert read_region(write_county(tmp_path)).fingerprint == county.fingerprint


@pytest.mark.parametrize(
    "people", ["乡镇代码,人口\nE,2000\nW,1000\n", "zone,people\n西镇,1000\nE,2000\n", "乡镇名称,常住人口\n东镇,2000\n西镇,1000\n"]
)
def test_townships_are_matched_by_code_or_by_name_in_any_order(tmp_path, county, people):
    region = read_region(write_county(tmp_path, {"people.csv": people}))
    assert region.demand.people.tolist() == county.demand.people.tolist()
    assert region.zones.people.tolist() == [1000, 2000]


def test_settlements_are_matched_by_the_name_of_their_township(tmp_path, county):
    named = FILES["villages.csv"].replace("乡镇代码", "所属乡镇").replace(",W,", ",西镇,").replace(",E,", ",东镇,")
    assert read_region(write_county(tmp_path, {"villages.csv": named})).demand.zone.tolist() == county.demand.zone.tolist()


def test_a_settlement_without_a_township_belongs_where_it_lies(tmp_path, county):
    blank = FILES["villages.csv"].replace(",W,", ",,")
    assert read_region(write_county(tmp_path, {"villages.csv": blank})).demand.zone.tolist() == county.demand.zone.tolist()


def test_without_township_totals_the_settlements_count_as_they_say(tmp_path):
    region = read_region(write_county(tmp_path, {"region.toml": TOML.replace('[population]\nfile = "people.csv"\n', "")}))
    assert region.demand.people.tolist() == [3, 1, 5]
    assert region.people_source.endswith("settlement table")


def test_a_blank_settlement_name_is_a_settlement_of_its_own(tmp_path):
    table = "id,lon,lat,people,settlement\na,116.002,28.305,1,大村\nb,116.003,28.305,1,大村\nc,116.018,28.305,1,\n"
    assert read_region(write_county(tmp_path, {"villages.csv": table})).demand.settlement == ("大村", "大村", "c")


def test_a_facility_far_away_is_external_and_no_error(tmp_path):
    more = FILES["hospitals.csv"] + "H3,省医院,医院,115.9,28.7,,\n"
    assert read_region(write_county(tmp_path, {"hospitals.csv": more})).facilities.external.tolist() == [False, False, True, False]


def test_a_table_of_facilities_without_any_place_is_told_and_the_others_are_read(tmp_path):
    nowhere = "编码,名称,类别,经度,纬度\nH1,县医院,医院,,\nH2,东镇卫生院,乡镇卫生院,,\n"
    region = read_region(write_county(tmp_path, {"hospitals.csv": nowhere}))
    assert region.facilities.id == ("P1",)
    assert [(source.file, source.rows) for source in region.sources if source.role == "facilities"] == [
        ("hospitals.csv", 0),
        ("parks.csv", 1),
    ]
    assert [(note.what, note.id) for note in region.row_notes] == [("unlocated", "H1"), ("unlocated", "H2")]


def test_settlements_of_a_whole_province_are_cut_to_the_county(tmp_path):
    table = "id,lon,lat,people\na,116.002,28.305,1\nb,116.018,28.305,1\nc,113.0,27.0,100\n"
    region = read_region(write_county(tmp_path, {"villages.csv": table}))
    assert region.demand.zone.tolist() == [0, 1, OUTSIDE]


def test_people_of_a_raster_keep_the_township_totals_too(tmp_path):
    with rasterio.open(
        tmp_path / "people.tif", "w", driver="GTiff", height=1, width=40, count=1, dtype="float32", crs="EPSG:4326",
        transform=rasterio.Affine(0.0005, 0, 116.0, 0, -0.01, 28.31),
    ) as raster:  # fmt: skip
        raster.write(np.ones((1, 40), np.float32), 1)
    region = read_region(write_county(tmp_path, {"region.toml": TOML.replace('file = "villages.csv"', 'raster = "people.tif"')}))
    assert [region.demand.people[region.demand.zone == zone].sum() for zone in (0, 1)] == [1000, 2000]
    assert set(region.demand.settlement) == {""}


def test_a_township_that_crosses_itself_is_mended(tmp_path):
    bow = {"type": "Polygon", "coordinates": [[[116.01, 28.30], [116.02, 28.31], [116.02, 28.30], [116.01, 28.31], [116.01, 28.30]]]}
    frame = gpd.read_file(zones())
    frame.loc[frame["id"] == "E", "geometry"] = shapely.geometry.shape(bow)
    region = read_region(write_county(tmp_path, {"zones.geojson": frame.to_json()}))
    assert shapely.is_valid(region.zones.geometry).all()


# --- what is refused, one by one

VILLAGES, PEOPLE, HOSPITALS = FILES["villages.csv"], FILES["people.csv"], FILES["hospitals.csv"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"villages.csv": "编码,经度,纬度\n1,116.002,28.305\n"}, "townships with people but no settlement: 东镇"),
        ({"villages.csv": ""}, "villages.csv is empty"),
        ({"villages.csv": VILLAGES.replace("002,", "001,")}, "column '编码' has duplicate ids; wrong rows: 3 ('001', as row 2)"),
        ({"villages.csv": VILLAGES.replace(",5,E", ",五,E")}, "wrong rows: 4 ('五')"),
        ({"villages.csv": VILLAGES.replace(",5,E", ",-5,E")}, "wrong rows: 4 ('-5')"),
        ({"villages.csv": VILLAGES.replace(",5,E", ",,E")}, "wrong rows: 4 ('')"),
        ({"villages.csv": VILLAGES.replace("116.018,28.305", "28.305,116.018")}, "lon and lat seem to be swapped; wrong rows: 4"),
        ({"villages.csv": VILLAGES.replace("116.018,28.305", "0,0")}, "villages.csv: the coordinates are 0,0; wrong rows: 4"),
        ({"villages.csv": VILLAGES.replace("116.018", "117.018")}, "coordinates far outside the county, rows: 4 (117.018, 28.305)"),
        ({"villages.csv": VILLAGES.replace(",E,", ",X,")}, "villages.csv: rows of no known township: 4 (X)"),
        ({"villages.csv": "\n".join(VILLAGES.split("\n")[:3])}, "villages.csv: townships with people but no settlement: 东镇"),
        ({"people.csv": PEOPLE + "南镇,3000\n"}, "people.csv: rows of no known township: 4 (南镇)"),
        ({"people.csv": PEOPLE + "E,3000\n"}, "people.csv: townships named twice: E"),
        ({"people.csv": "乡镇,人口\n西镇,1\n"}, "people.csv: townships without a row: E"),
        ({"people.csv": PEOPLE.replace("2000", "")}, "column '常住人口' must be a number that is not negative; wrong rows: 3 ('')"),
        ({"people.csv": "乡镇,人口\n西镇,0\n东镇,0\n"}, "villages.csv: nobody lives inside the zones"),
        ({"hospitals.csv": HOSPITALS.replace(",医院,", ",医馆,")}, "wrong rows: 2 ('医馆')"),
        ({"hospitals.csv": HOSPITALS.replace("116.015,28.305", "28.305,116.015")}, "hospitals.csv: lon and lat seem to be swapped"),
        ({"parks.csv": FILES["parks.csv"].replace("P1", "H1")}, "Duplicate facility ids: H1 (hospitals.csv), H1 (parks.csv)"),
        ({"parks.csv": None}, "parks.csv does not exist"),
        ({"roads.osm": None}, "roads.osm does not exist"),
        ({"roads.osm": b"<osm"}, "roads.osm: cannot be read as OSM data"),
        ({"roads.osm": roads(lon=100)}, "roads.osm: its roads (100.000, 28.305, 100.020, 28.305) do not touch the region (115.949,"),
        ({"zones.geojson": "{}"}, "zones.geojson: cannot be read"),
        ({"zones.geojson": zones(W=(116.0, 116.01), E=(116.01, 116.01))}, "zones.geojson: zones without area, rows: 2"),
        ({"region.toml": None}, "Cannot read"),
        ({"region.toml": TOML.replace("公园", "动物园")}, "wrong rows: 2 ('动物园')"),
    ],
)  # fmt: skip
def test_one_wrong_thing_is_one_problem_that_names_it(tmp_path, changed, said):
    path = write_county(tmp_path, {name: content for name, content in changed.items() if name != "region.toml" or content})
    if changed.get("region.toml", "") is None:
        path.unlink()
    found = problems(path)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("crs = 'EPSG:4326'", "not projected in metres"),
        ("crs = 'EPSG:2263'", "not projected in metres"),
        ("crs = 'EPSG:999999'", "Unknown crs"),
        ("crs = 'nonsense'", "Unknown crs"),
        ("crs = 'EPSG:32630'", "crs 'EPSG:32630' is for (-6.000, 0.000, 0.000, 84.000), the county lies at (116.000,"),
        ("buffer = 3", "buffer: Extra inputs"),
        ("illustrative = 'perhaps'", "illustrative"),
        ("services = 'own.toml'", "Cannot read"),
        ("speeds = 'own.toml'", "Cannot read"),
    ],
)
def test_a_wrong_line_of_region_toml_is_named(tmp_path, toml, said):
    found = problems(write_county(tmp_path, toml=toml))
    assert len(found) == 1
    assert said in found[0]


def test_either_settlements_or_a_raster(tmp_path):
    both = TOML.replace('file = "villages.csv"', 'file = "villages.csv"\nraster = "people.tif"')
    neither = TOML.replace('[demand]\nfile = "villages.csv"', "[demand]")
    for toml in (both, neither):
        assert "Give either file" in problems(write_county(tmp_path, {"region.toml": toml}))[0]


def test_settlements_and_townships_of_the_wrong_shape_are_refused(tmp_path):
    toml = TOML.replace("villages.csv", "zones.geojson").replace('[zones]\nfile = "zones.geojson"', '[zones]\nfile = "hospitals.csv"')
    area = gpd.read_file(zones()).assign(people=1).to_json()
    found = problems(write_county(tmp_path, {"region.toml": toml, "zones.geojson": area}))
    assert found == ["hospitals.csv: zones must be polygons.", "zones.geojson: settlements must be points (lon, lat)."]


# --- several problems in several files


def test_all_that_is_wrong_in_all_files_is_said_at_once(tmp_path):
    path = write_county(
        tmp_path,
        {
            "roads.osm": roads(lon=100),
            "people.csv": PEOPLE + "南镇,3000\n",
            "villages.csv": VILLAGES.replace(",5,E", ",?,E").replace("116.002,28.305", "0,0"),
            "hospitals.csv": HOSPITALS.replace(",医院,", ",医馆,"),
            "parks.csv": "id,lon\nP1,116\n",
        },
    )
    assert [problem.split(":")[0] for problem in problems(path)] == [
        "roads.osm",
        "people.csv",
        "villages.csv",
        "villages.csv",
        "hospitals.csv",
        "parks.csv",
    ]


def test_all_that_is_wrong_in_region_toml_is_said_at_once(tmp_path):
    toml = TOML.replace('name = "某县"', "").replace("date = 2026-01-01", 'date = "soon"').replace("buffer_km = 5", "buffer_km = -1")
    found = problems(write_county(tmp_path, {"region.toml": toml + "colour = 1\n"}))
    assert [problem.split(": ")[1] for problem in found] == ["name", "date", "buffer_km", "facilities.1.colour"]


def test_missing_files_are_all_named(tmp_path):
    missing = ["roads.osm", "zones.geojson", "villages.csv", "hospitals.csv", "parks.csv"]
    found = problems(write_county(tmp_path, dict.fromkeys(missing)))
    assert [next(name for name in missing if name in problem) for problem in found] == [
        "zones.geojson",
        "roads.osm",
        "villages.csv",
        "hospitals.csv",
        "parks.csv",
    ]


# --- what would move people or lengths in silence


def test_a_township_name_that_two_have_needs_the_code(tmp_path):
    twins = json.loads(zones())
    for feature in twins["features"]:
        feature["properties"] = {key: "西镇" if value == "东镇" else value for key, value in feature["properties"].items()}
    changed = {
        "zones.geojson": json.dumps(twins),
        "villages.csv": FILES["villages.csv"].replace(",W,", ",西镇,").replace(",E,", ",西镇,"),
        "region.toml": TOML.replace('[population]\nfile = "people.csv"\n', ""),
    }
    (said,) = problems(write_county(tmp_path, changed))
    assert "villages.csv: township names that are not unique, give the code: 2 (西镇), 3 (西镇), 4 (西镇)" in said


def test_a_village_code_under_the_header_of_area_codes_is_its_id(tmp_path):
    villages = FILES["villages.csv"].replace("编码", "行政区划代码").replace("乡镇代码", "备注")
    region = read_region(write_county(tmp_path, {"villages.csv": villages}))
    assert region.demand.id == ("001", "002", "003")
    assert [region.zones.id[zone] for zone in region.demand.zone] == ["W", "W", "E"]


def test_a_kind_for_every_row_does_not_overrule_the_kind_of_each(tmp_path):
    both = TOML.replace('file = "hospitals.csv"\n', 'file = "hospitals.csv"\nkind = "公园"\n')
    (said,) = problems(write_county(tmp_path, {"region.toml": both}))
    assert "hospitals.csv: it has a column '类别', and region.toml says kind = '公园': keep one" in said


def test_a_crs_that_stretches_lengths_is_refused(tmp_path):
    (said,) = problems(write_county(tmp_path, toml='crs = "EPSG:3857"'))
    assert "crs 'EPSG:3857' scales lengths by 1.13" in said


def test_two_road_files_are_one_network_and_each_is_told_with_its_rows(tmp_path):
    links = "from_lon,from_lat,to_lon,to_lat\n116.020,28.305,116.021,28.305\n"
    toml = TOML.replace('[roads]\nfile = "roads.osm"', '[[roads]]\nfile = "roads.osm"\n[[roads]]\nfile = "links.csv"')
    region = read_region(write_county(tmp_path, {"region.toml": toml, "links.csv": links}))
    assert [(source.file, source.rows) for source in region.sources if source.role == "roads"] == [("roads.osm", 1), ("links.csv", 1)]
    assert len(set(region.roads.tail) | set(region.roads.head)) == 3  # the street's two ends and the end of the link
