"""The example county holds to its facts, is the same each time, and makes a sound map."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from answers import Covered
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.examples.county import write_county
from geodata.examples.facts import read_facts, to_plane
from geodata.store import FOLDER

KINDS = {
    "医院", "乡镇卫生院", "社区卫生服务中心", "社区卫生服务站", "村卫生室", "急救中心", "急救待命点",
}  # fmt: skip
OFF_THE_NETWORK = 4
STAMPS = ["受理时间", "派车时间", "出车时间", "到达现场时间", "离开现场时间", "到达医院时间", "完成时间"]
TEXT_CODES = {"编码": str, "乡镇代码": str}


@dataclass
class Extract:
    """What osmium reads from the roads file."""

    nodes: dict[int, tuple[float, float]] = field(default_factory=dict)
    node_tags: dict[int, dict[str, str]] = field(default_factory=dict)
    ways: dict[int, tuple[list[int], dict[str, str]]] = field(default_factory=dict)
    relations: dict[int, tuple[list[tuple[str, int, str]], dict[str, str]]] = field(default_factory=dict)
    order: list[tuple[str, int]] = field(default_factory=list)

    def highways(self) -> list[tuple[list[int], dict[str, str]]]:
        return [way for way in self.ways.values() if "highway" in way[1]]

    def line(self, nodes: list[int]) -> shapely.LineString:
        return shapely.LineString([self.nodes[node] for node in nodes])

    def water(self) -> shapely.Geometry:
        closed = [(nodes, tags) for nodes, tags in self.ways.values() if nodes[0] == nodes[-1] and "highway" not in tags]
        rings = [(tags, shapely.Polygon(self.line(nodes))) for nodes, tags in closed]
        islands = shapely.union_all([ring for tags, ring in rings if "place" in tags])
        return shapely.union_all([ring for tags, ring in rings if "place" not in tags]).difference(islands)


def read_extract(path: Path) -> Extract:
    extract = Extract()
    for thing in osmium.FileProcessor(str(path)):
        tags = dict(thing.tags)
        extract.order.append((thing.type_str(), thing.id))
        if isinstance(thing, osmium.osm.Node):
            extract.nodes[thing.id] = (thing.lon, thing.lat)
            if tags:
                extract.node_tags[thing.id] = tags
        elif isinstance(thing, osmium.osm.Way):
            extract.ways[thing.id] = ([node.ref for node in thing.nodes], tags)
        elif isinstance(thing, osmium.osm.Relation):
            extract.relations[thing.id] = ([(m.type, m.ref, m.role) for m in thing.members], tags)
    return extract


@pytest.fixture(scope="module")
def county(example: Path) -> Path:
    return example.parent


@pytest.fixture(scope="module")
def extract(county: Path) -> Extract:
    return read_extract(county / "roads.osm.pbf")


@pytest.fixture(scope="module")
def settlements(county: Path) -> pd.DataFrame:
    return pd.read_excel(county / "settlements.xlsx", dtype=TEXT_CODES, engine="openpyxl")


@pytest.fixture(scope="module")
def zones(county: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(county / "townships.gpkg").set_index("行政区划代码")


@pytest.fixture(scope="module")
def medical(county: Path) -> pd.DataFrame:
    return pd.read_excel(county / "medical.xlsx", engine="openpyxl")


def test_the_names_and_seats_are_the_real_ones(zones: gpd.GeoDataFrame) -> None:
    facts = read_facts()
    assert list(zones["乡镇"]) == [township.name for township in facts.townships]
    assert all(zones.geometry[township.code].contains(shapely.Point(township.seat)) for township in facts.townships)


def test_township_population_sums_to_the_census(county: Path) -> None:
    with (county / "township_population.csv").open(encoding="gb18030", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 21
    assert sum(int(row["常住人口"]) for row in rows) == 620_254


def test_settlements_keep_counts_and_totals(county: Path, settlements: pd.DataFrame) -> None:
    facts = read_facts()
    table = pd.read_csv(county / "township_population.csv", encoding="gb18030", dtype={"行政区划代码": str})
    totals = table.set_index("行政区划代码")["常住人口"]
    by_township = settlements.groupby("乡镇代码")
    assert by_township.size().to_dict() == {township.code: township.settlements for township in facts.townships}
    assert by_township["常住人口"].sum().to_dict() == totals.to_dict()
    assert settlements["常住人口"].min() >= 60
    assert settlements.groupby("城乡")["常住人口"].sum().to_dict() == {"城市": 315_258, "农村": 304_996}


def test_codes_and_names_of_settlements_are_unique(settlements: pd.DataFrame) -> None:
    assert settlements["编码"].is_unique
    assert settlements["名称"].is_unique
    assert (settlements["编码"].str[:9] == settlements["乡镇代码"]).all()
    assert (settlements["编码"].str.len() == 12).all()


def test_townships_tile_the_county(zones: gpd.GeoDataFrame) -> None:
    assert zones.crs == "EPSG:4490"
    assert zones.is_valid.all()
    whole = zones.union_all()
    assert shapely.area(zones.geometry.to_numpy()).sum() == pytest.approx(whole.area, rel=1e-9)
    assert isinstance(whole, shapely.Polygon)
    assert not whole.interiors
    assert whole.bounds == pytest.approx((116.026, 28.157, 116.566, 28.758), abs=1e-6)
    assert zones.to_crs("EPSG:4548").area.sum() / 1e6 == pytest.approx(1946, rel=0.02)


def test_each_settlement_stands_dry_in_its_own_township(settlements: pd.DataFrame, zones: gpd.GeoDataFrame, extract: Extract) -> None:
    points = gpd.GeoSeries(gpd.points_from_xy(settlements["经度"], settlements["纬度"]))
    own = gpd.GeoSeries(zones.geometry[settlements["乡镇代码"]].to_numpy())
    assert own.contains(points).all()
    assert not points.intersects(extract.water()).any()


def test_another_seed_makes_a_sound_but_different_county(other_example: Path, settlements: pd.DataFrame) -> None:
    folder = other_example.parent
    other = pd.read_excel(folder / "settlements.xlsx", dtype=TEXT_CODES, engine="openpyxl")
    assert len(other) == 321
    assert other["常住人口"].sum() == 620_254
    assert (other["经度"] != settlements["经度"]).any()
    zones = gpd.read_file(folder / "townships.gpkg").set_index("行政区划代码")
    points = gpd.GeoSeries(gpd.points_from_xy(other["经度"], other["纬度"]))
    assert gpd.GeoSeries(zones.geometry[other["乡镇代码"]].to_numpy()).contains(points).all()
    roads = read_extract(folder / "roads.osm.pbf")
    assert not points.intersects(roads.water()).any()
    assert component_sizes(roads)[0] > 0.97 * sum(component_sizes(roads))


def test_the_same_seed_makes_the_same_county(tmp_path: Path, county: Path, extract: Extract) -> None:
    again = write_county(tmp_path / "again").parent
    names = sorted(file.name for file in again.iterdir())
    assert names == sorted(file.name for file in county.iterdir() if file.name != FOLDER)
    assert [name for name in names if (again / name).read_bytes() != (county / name).read_bytes()] == []
    assert read_extract(again / "roads.osm.pbf") == extract
    one, two = gpd.read_file(county / "townships.gpkg"), gpd.read_file(again / "townships.gpkg")
    assert one.equals(two)


def test_the_extract_is_sorted_and_refers_to_what_exists(extract: Extract) -> None:
    rank = {"n": 0, "w": 1, "r": 2}
    assert extract.order == sorted(extract.order, key=lambda item: (rank[item[0]], item[1]))
    assert min(number for _, number in extract.order) > 0
    assert 20_000 <= len(extract.nodes) <= 33_000
    assert all(node in extract.nodes for nodes, _ in extract.ways.values() for node in nodes)
    assert all(len(nodes) >= 2 for nodes, _ in extract.ways.values())
    assert all(kind == "w" and ref in extract.ways for members, _ in extract.relations.values() for kind, ref, _ in members)
    assert any({"outer", "inner"} == {role for _, _, role in members} for members, _ in extract.relations.values())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("highway", "motorway"), ("highway", "motorway_link"), ("highway", "trunk"), ("highway", "primary"), ("highway", "secondary"),
        ("highway", "tertiary"), ("highway", "unclassified"), ("highway", "residential"), ("highway", "living_street"),
        ("highway", "service"), ("highway", "track"), ("highway", "footway"), ("highway", "steps"), ("highway", "pedestrian"),
        ("highway", "path"), ("highway", "cycleway"), ("oneway", "yes"), ("junction", "roundabout"), ("bridge", "yes"), ("route", "ferry"),
        ("natural", "water"), ("waterway", "river"), ("maxspeed", "60"), ("maxspeed", "40"), ("maxspeed", "CN:urban"),
    ],
)  # fmt: skip
def test_the_map_has_ways_of_every_sort(extract: Extract, key: str, value: str) -> None:
    assert any(tags.get(key) == value for _, tags in extract.ways.values())


def test_each_bridge_of_the_sketch_carries_a_road_by_its_name(extract: Extract) -> None:
    names = {tags.get("name") for _, tags in extract.highways() if tags.get("bridge") == "yes"}
    assert set(read_facts().bridges) <= names


def test_every_sort_of_main_road_has_a_chinese_name_and_is_marked_illustrative(extract: Extract) -> None:
    numbered = [tags for _, tags in extract.highways() if "ref" in tags]
    assert {tags["ref"] for tags in numbered} >= {"G60", "G316", "G320", "S315"}
    assert all(tags["note"] == "示意" and tags["name"] for tags in numbered)


def test_most_ordinary_roads_have_no_speed_limit(extract: Extract) -> None:
    ordinary = [tags for _, tags in extract.highways() if not tags["highway"].startswith("motorway")]
    assert sum("maxspeed" in tags for tags in ordinary) < 0.1 * len(ordinary)


def test_gates_and_bollards_stand_on_ways(extract: Extract) -> None:
    on_ways = {node for nodes, _ in extract.highways() for node in nodes}
    barriers = {node: tags["barrier"] for node, tags in extract.node_tags.items() if "barrier" in tags}
    assert set(barriers.values()) == {"gate", "bollard"}
    assert set(barriers) <= on_ways
    assert any(tags.get("access") == "private" for tags in extract.node_tags.values())


def test_only_bridges_cross_the_water(extract: Extract) -> None:
    water = extract.water()
    shapely.prepare(water)
    wet = [tags for nodes, tags in extract.highways() if water.intersects(extract.line(nodes))]
    assert wet
    assert all(tags.get("bridge") == "yes" for tags in wet)


def test_roads_that_cross_share_a_node_unless_one_is_on_a_bridge(extract: Extract) -> None:
    sides = [(a, b) for nodes, tags in extract.highways() if "bridge" not in tags for a, b in pairwise(nodes)]
    lines = np.array([shapely.LineString([extract.nodes[a], extract.nodes[b]]) for a, b in sides])
    one, two = shapely.STRtree(lines).query(lines, predicate="crosses")
    assert not [(sides[i], sides[j]) for i, j in zip(one, two, strict=True) if i < j and not set(sides[i]) & set(sides[j])]


def component_sizes(extract: Extract) -> list[int]:
    number = {node: at for at, node in enumerate(sorted({node for nodes, _ in extract.highways() for node in nodes}))}
    pairs = np.array([(number[a], number[b]) for nodes, _ in extract.highways() for a, b in pairwise(nodes)])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(number), len(number)))
    return sorted(np.bincount(connected_components(graph, directed=False)[1]).tolist(), reverse=True)


def test_all_roads_hang_together_save_the_remote_villages(extract: Extract) -> None:
    sizes = component_sizes(extract)
    assert len(sizes) == 1 + OFF_THE_NETWORK
    assert sizes[0] > 0.97 * sum(sizes)


def test_medical_places_are_as_described(medical: pd.DataFrame, settlements: pd.DataFrame) -> None:
    count = medical["类别"].value_counts()
    assert set(count.index) <= KINDS
    assert medical["编码"].is_unique
    assert count["乡镇卫生院"] == 21
    assert count["急救中心"] == 1
    assert 0.65 < count["村卫生室"] / (settlements["城乡"] == "农村").sum() < 0.85
    eligible = medical[medical["类别"] == "乡镇卫生院"]["可设急救点"] == "是"
    assert 12 <= eligible.sum() <= 16
    assert (medical["涉密"] == "是").sum() == 1
    assert medical["停用日期"].notna().sum() == 1


def test_the_hospital_that_moves_closes_when_its_successor_opens(medical: pd.DataFrame) -> None:
    old = medical[medical["停用日期"].notna()].iloc[0]
    new = medical[medical["名称"].str.contains("新院区")].iloc[0]
    assert pd.Timestamp(old["停用日期"]) == pd.Timestamp(new["启用日期"]) == pd.Timestamp("2028-01-01")


def test_two_hospitals_lie_beyond_the_border_and_one_faces_it(medical: pd.DataFrame, zones: gpd.GeoDataFrame) -> None:
    hospitals = medical[medical["类别"] == "医院"]
    points = gpd.GeoSeries(gpd.points_from_xy(hospitals["经度"], hospitals["纬度"]))
    county = shapely.transform(zones.union_all(), to_plane)
    away = [county.distance(shapely.transform(point, to_plane)) for point in points]
    near, far = sorted(distance for distance in away if distance > 0)
    assert near < 600
    assert 5_000 < far < 15_000


def _gates(text: str) -> np.ndarray:
    return np.array([[float(number) for number in gate.split()] for gate in text.split(";")])


def test_parks_and_greenway_are_entered_at_gates_on_their_edge(county: Path) -> None:
    places = gpd.read_file(county / "fitness.geojson")
    assert 120 <= len(places) <= 160
    assert set(places["kind"]) == {"sports_ground", "park", "greenway", "school_ground"}
    assert places["id"].is_unique
    for place in places[places["kind"].isin(["park", "greenway"])].itertuples():
        edge = place.geometry.boundary if place.kind == "park" else place.geometry
        gates = _gates(place.entrances)
        assert 2 <= len(gates) <= 5
        assert shapely.distance(shapely.points(gates), edge).max() < 2e-6


def test_old_people_are_as_many_as_in_the_census_and_more_in_villages(settlements: pd.DataFrame) -> None:
    over_60, over_65 = (settlements[f"{age}岁及以上占比"] for age in (60, 65))
    people = settlements["常住人口"]
    assert (over_65 * people).round().sum() / people.sum() == pytest.approx(0.1451, abs=1e-5)
    assert over_65.between(0.05, 0.4).all()
    assert over_60.between(over_65, 0.5).all()
    urban = settlements["城乡"] == "城市"
    assert np.average(over_65[urban], weights=people[urban]) < 0.8 * np.average(over_65[~urban], weights=people[~urban])


@pytest.fixture(scope="module")
def calls(county: Path) -> pd.DataFrame:
    return pd.read_csv(county / "calls_120_2025.csv", encoding="gb18030", parse_dates=STAMPS, dtype={"流水号": str})


def test_calls_are_a_year_of_a_county_of_this_size_in_order(calls: pd.DataFrame) -> None:
    assert 8_000 < len(calls) < 15_000
    assert (calls["受理时间"].dt.year == 2025).all()
    assert calls["受理时间"].is_monotonic_increasing
    assert calls["流水号"].is_unique
    assert calls["受理时间"].dt.month.nunique() == 12
    by_hour = calls["受理时间"].dt.hour.value_counts()
    assert by_hour[range(8, 12)].sum() > 3 * by_hour[range(1, 5)].sum()


def test_each_step_of_a_call_follows_the_one_before(calls: pd.DataFrame) -> None:
    whole = calls.dropna(subset=STAMPS)
    assert len(whole) > 0.8 * len(calls)
    assert all((whole[later] >= whole[earlier]).all() for earlier, later in pairwise(STAMPS))


def test_calls_have_the_gaps_of_a_real_log(calls: pd.DataFrame) -> None:
    assert 0.05 < calls["经度"].isna().mean() < 0.09
    assert (calls["经度"].isna() == calls["纬度"].isna()).all()
    cancelled = calls[calls["出车结果"].str.contains("取消")]
    assert 0.01 < len(cancelled) / len(calls) < 0.06
    assert cancelled["到达现场时间"].isna().all()


def test_calls_name_no_person_and_are_marked_illustrative(calls: pd.DataFrame) -> None:
    assert not [column for column in calls.columns if any(word in column for word in ("姓名", "电话", "身份证"))]
    assert (calls["备注"] == "示意").all()


def test_far_calls_take_longer_to_reach(calls: pd.DataFrame) -> None:
    drive = (calls["到达现场时间"] - calls["出车时间"]).dt.total_seconds() / 60
    township = calls["地点"].str[:3]
    assert drive[township == "民和镇"].median() < 10 < drive[township == "三里乡"].median() < 90


def test_no_restricted_place_is_named_in_the_calls(calls: pd.DataFrame, medical: pd.DataFrame) -> None:
    hidden = medical.loc[medical["涉密"] == "是", "名称"]
    assert len(hidden)
    assert not calls["出车单位"].isin(hidden).any()
    assert calls["出车单位"].dropna().isin(medical["名称"]).all()


def test_the_emergency_centre_sends_nobody_before_it_opens(calls: pd.DataFrame, medical: pd.DataFrame) -> None:
    centre = medical[medical["类别"] == "急救中心"].iloc[0]
    sent = calls.loc[calls["出车单位"] == centre["名称"], "受理时间"]
    assert len(sent) > 1000
    assert sent.min() >= pd.Timestamp(centre["启用日期"])


def test_streets_of_the_county_town_run_in_many_directions_and_meet_at_tees(extract: Extract) -> None:
    town = shapely.Point(to_plane([116.24339, 28.38208])[0]).buffer(1800)
    kinds = {"residential", "living_street", "tertiary", "secondary", "primary"}
    sides = [side for nodes, tags in extract.highways() if tags["highway"] in kinds for side in pairwise(nodes)]
    ends = to_plane([extract.nodes[node] for side in sides for node in side]).reshape(-1, 2, 2)
    inside = shapely.contains_xy(town, *ends.mean(axis=1).T)
    along = (ends[:, 1] - ends[:, 0])[inside]
    bearing = np.degrees(np.arctan2(along[:, 1], along[:, 0])) % 90
    share = np.histogram(bearing, bins=9, range=(0, 90), weights=np.hypot(*along.T))[0]
    assert share.max() / share.sum() < 0.45
    arms = pd.Series([node for side, near in zip(sides, inside, strict=True) if near for node in side]).value_counts()
    assert (arms == 3).sum() > 2 * (arms == 4).sum()


def test_the_hospital_across_the_border_matters_to_one_township(covered: Covered) -> None:
    table = covered("medical").by_zone.set_index("zone")
    lost = table["covered_people"] - table["covered_people_without_external"]
    assert lost["衙前乡"] > 0.05 * table.loc["衙前乡", "people"]


def test_sampling_sites_have_lanes(county: Path) -> None:
    sites = pd.read_csv(county / "sampling.csv", encoding="utf-8-sig")
    assert 60 <= len(sites) <= 90
    assert sites["通道数"].between(1, 8).all()
    assert sites["编码"].is_unique


def test_every_source_says_that_it_is_illustrative(county: Path) -> None:
    text = (county / "region.toml").read_text(encoding="utf-8").splitlines()
    sources = [line for line in text if line.startswith("source")]
    assert len(sources) == 9
    assert all("示意" in line for line in sources)
