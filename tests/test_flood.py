"""Cut roads, floods and bridges: a town on two banks by hand, every bridge against a coverage run anew, the example county, the command."""

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import gridtown as town
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, directions, places, towns

from coverage.cuts import cut
from coverage.snap import snap_facilities
from coverage.stats import coverage
from coverage.studies.bridges import bridge_losses, bridges_of
from coverage.travel_times import nearest_facility
from geodata.errors import InputError, OptionError
from geodata.region import Prepared
from geodata.standards import Limit, default_services
from geodata.store import open_region
from scenarios.cli import main
from scenarios.flood import Flood, bridge_study, flood, read_area, read_ways
from scenarios.output.flood_report import bridge_text, flood_files, flood_json, flood_text
from scenarios.output.writers import write_files

# Two banks, 6 blocks apart, with a bridge at each end: way 21 the western, 22 the eastern one.
SOUTH, NORTH = town.street(*((x, 0) for x in range(11))), town.street(*((x, 6) for x in range(11)))
BANKS = [*SOUTH, *NORTH, ((0, 0), (0, 6)), ((10, 0), (10, 6))]
WEST, EAST = 21, 22
HOMES = {"H0": (0, 6), "H1": (5, 6), "H2": (10, 6), "H3": (5, 0)}  # 1, 2, 4, 8 people
BRIDGES = (20, 21)


def two_banks(homes=None, clinics=None, bridges=BRIDGES, water=(), **columns: object) -> Prepared:
    roads = town.roads(BANKS, bridges=bridges, water=water)
    region = town.region(roads, homes or HOMES, clinics or {"C": (0, 0)}, **columns)
    return Prepared(region, default_services(), town.speeds())


def drive(**said: object):
    return town.definition(mode="drive", **({"minutes": 3} | said))  # 18 blocks


def box(x: float, y: float, half: float) -> shapely.Polygon:
    return town.polygon([(x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)])


def total(study: Flood, column: str) -> float:
    return float(study.by_zone[column].iloc[-1])


def states(study: Flood) -> dict[str, str]:
    return dict(zip(study.places["id"], study.places["state"], strict=True))


def test_whoever_goes_round_too_far_loses_the_service_and_nobody_is_cut_off():
    study = flood(two_banks(), drive(minutes=2.5), ways=[WEST])  # 15 blocks; round by the east H2 has 16, H1 21, H0 26
    assert total(study, "lost_people") == 1 + 2, "H2 had 16 blocks before, too"
    assert total(study, "cut_off_people") == 0
    assert states(study) == {"H0": "lost", "H1": "lost"}
    rows = study.places.set_index("id")
    assert rows.loc["H0", ["minutes_before", "minutes_after"]].tolist() == [1.0, pytest.approx(26 / 6)]


def test_with_both_bridges_cut_the_northern_bank_is_cut_off_whatever_the_limit():
    study = flood(two_banks(), drive(minutes=0.5), ways=[WEST, EAST])
    assert total(study, "lost_people") == 0, "nobody was within half a minute"
    assert total(study, "cut_off_people") == 1 + 2 + 4
    assert states(study) == {"H2": "cut_off", "H1": "cut_off", "H0": "cut_off"}
    assert study.closed["way_id"].tolist() == [WEST, EAST]


def test_homes_and_facilities_in_the_water_are_listed_apart():
    prepared = two_banks(clinics={"C": (0, 0), "D": (5, 6)})
    study = flood(prepared, drive(), area=box(5, 6, 0.5))
    assert states(study) == {"H1": "flooded"}
    assert total(study, "flooded_people") == total(study, "flooded_lost_people") == total(study, "lost_people") == 2
    assert study.facilities[["id", "state", "people"]].to_numpy().tolist() == [["D", "flooded", 15.0]]
    assert "D" not in study.after.facilities.id


def test_a_facility_whose_roads_are_all_cut_serves_nobody_but_is_not_flooded():
    study = flood(two_banks(homes=HOMES | {"H3": (8.5, 0)}, clinics={"C": (5, 2)}), drive(), ways=[*range(1, 11)])
    assert study.facilities[["id", "state"]].to_numpy().tolist() == [["C", "no_access"]]
    assert total(study, "covered_people_after") == 0
    assert total(study, "cut_off_people") == 15


def test_each_figure_is_given_with_and_without_external_facilities():
    zones = {"Z": town.polygon([(-5, -5), (20, -5), (20, 20), (-5, 20)])}
    prepared = two_banks(clinics={"C": (0, 0), "E": (-6, 6)}, zones=zones)
    prepared = replace(prepared, region=replace(prepared.region, roads=town.roads([*BANKS, ((-6, 6), (0, 6))], bridges=BRIDGES)))
    study = flood(prepared, drive(minutes=2), ways=[WEST, EAST])
    assert total(study, "lost_people") == 0, "E is on the northern bank"
    assert total(study, "lost_people_without_external") == 1 + 2


def test_a_restricted_facility_counts_and_is_not_listed():
    study = flood(two_banks(restricted=[True]), drive(), area=box(0, 0, 0.2))
    assert total(study, "lost_people") == 15
    assert len(study.facilities) == 0
    assert study.places["minutes_before"].isna().all(), "how far it was would tell where it is"


def test_ways_and_areas_that_are_nowhere_are_told():
    with pytest.raises(OptionError, match="way id 99, 100"):
        flood(two_banks(), drive(), ways=[99, 100, WEST])
    with pytest.raises(OptionError, match="check its coordinates"):
        flood(two_banks(), drive(), area=box(40, 40, 1))


def test_a_flood_that_touches_no_road_still_floods_homes(tmp_path: Path):
    prepared = two_banks(homes=HOMES | {"H3": (5, 3)})
    study = flood(prepared, drive(), area=box(5, 3, 0.2))
    assert states(study) == {"H3": "flooded"}
    assert len(study.closed) == 0
    assert "0 条 ways" in flood_text(prepared, "medical", study)
    assert len(write_files(tmp_path, flood_files(prepared, "medical", study, None))) == 6


def test_the_pieces_of_one_bridge_are_one_way_or_touch_under_one_name():
    roads = town.roads(town.street(*((x, 0) for x in range(8))), bridges=[0, 1, 2, 4, 5, 6])
    assert bridges_of(roads).group.tolist() == [
        0,
        1,
        2,
        -1,
        3,
        4,
        5,
    ], "unnamed ones of several ways stand by themselves"
    named = replace(roads, road_names=("", "大桥", "小桥"), name=np.array([1, 1, 0, 0, 1, 1, 2]))
    assert bridges_of(named).group.tolist() == [0, 0, 1, -1, 2, 2, 3]
    one_way = replace(named, way_id=np.array([7, 8, 9, 10, 7, 11, 12]))
    assert bridges_of(one_way).group.tolist() == [0, 0, 1, -1, 0, 0, 2]


def test_the_bridge_that_matters_most_comes_first():
    table = bridge_study(two_banks(), drive(minutes=2.5)).table
    assert table["way_id"].tolist() == [WEST, EAST]
    assert table["lost_people"].tolist() == [3, 0], "H0, H1 lose it without the west; H2 has 16 blocks by either way"
    assert table["longer_people"].tolist() == [3, 0]
    assert table["person_minutes"].tolist() == pytest.approx([(20 * 1 + 10 * 2) / 6, 0])
    assert table["worst_minutes"].tolist() == pytest.approx([20 / 6, 0])
    assert table["worst"].tolist() == ["H0", ""]


def test_bridges_are_ranked_on_the_roads_that_remain_after_the_cut():
    prepared = two_banks()
    definition = drive(minutes=0.5)
    assert bridge_study(prepared, definition).table["cut_off_people"].tolist() == [0, 0], "there is a way round"
    study = bridge_study(prepared, definition, after=flood(prepared, definition, ways=[WEST]))
    assert study.table[["way_id", "cut_off_people"]].to_numpy().tolist() == [[EAST, 7]], "the western one is gone: the east is the last"
    assert "once the roads above are cut" in bridge_text(prepared, "medical", study)
    assert flood_json(prepared, "medical", None, study)["bridges_after_cut"]
    wet = bridge_study(prepared, definition, after=flood(prepared, definition, ways=[WEST], area=box(0, 6, 0.2)))
    assert wet.table["cut_off_people"].tolist() == [6], "H0 stands in the flood and has lost all already"
    with pytest.raises(OptionError, match="All bridges are among the cut"):
        bridge_study(prepared, definition, after=flood(prepared, definition, ways=[WEST, EAST]))


def test_the_only_bridge_cuts_people_off():
    prepared = two_banks()
    region = replace(prepared.region, roads=town.roads(BANKS[:-1], bridges=[20]))
    table = bridge_study(replace(prepared, region=region), drive(minutes=0.5)).table
    assert table[["lost_people", "cut_off_people", "person_minutes"]].to_numpy().tolist() == [[0, 7, 0]]


def test_without_bridge_tags_roads_over_water_stand_in():
    river = town.line((-5, 3), (15, 3))
    study = bridge_study(two_banks(bridges=(), water=[river]), drive(minutes=2.5))
    assert not study.tagged
    assert study.table["way_id"].tolist() == [WEST, EAST]
    assert study.table["over_water"].all()
    assert "no bridge tags" in bridge_text(two_banks(), "medical", study)
    with pytest.raises(OptionError, match="neither bridges"):
        bridge_study(two_banks(bridges=()), drive())


limits = st.sampled_from(
    [{"minutes": 2}, {"minutes": 5}, {"network_m": 1500}, {"minutes": 4, "network_m": 1500}, {"minutes": 4, "straight_m": 900}]
)


@settings(PROFILE, max_examples=12)
@given(towns(), st.lists(places, min_size=1, max_size=5), st.lists(places, min_size=1, max_size=3), limits, directions)
def test_every_bridge_costs_what_a_coverage_run_anew_tells(said, homes, clinics, limit, direction):
    roads = town.roads(**said)
    roads = replace(roads, bridge=np.arange(len(roads)) % 3 == 0)
    region = town.region(roads, {f"H{i}": at for i, at in enumerate(homes)}, {f"C{i}": at for i, at in enumerate(clinics)}, urban=["H0"])
    rural = Limit(minutes=1) if set(limit) == {"minutes"} else None
    definition = town.definition(mode="drive", direction=direction, rural=rural, turnout_s=30, **limit)
    net = town.network(roads, "drive")
    before, group = coverage(region, definition, net), bridges_of(roads).group
    losses = bridge_losses(region.demand, before, snap_facilities(net, region.facilities), group)
    for row in losses.itertuples():
        without = cut(net, group == row.bridge)
        after = coverage(region, definition, without, before=before)
        assert row.lost_people == region.demand.people[before.covered & ~after.covered].sum()
        assert not (after.covered & ~before.covered).any()
        gates = snap_facilities(without, region.facilities)
        was, now = (nearest_facility(one, gates, before.demand_ways, direction=direction)[1] for one in (net, without))
        assert row.cut_off_people == region.demand.people[np.isfinite(was) & ~np.isfinite(now)].sum()
        stays = np.isfinite(now)
        assert row.person_minutes == pytest.approx(float(((now[stays] - was[stays]) / 60_000 * region.demand.people[stays]).sum()))


@settings(PROFILE, max_examples=8)
@given(towns(), st.lists(places, min_size=1, max_size=5), st.lists(places, min_size=1, max_size=3), st.sampled_from([1.0, 3.0, 8.0]))
def test_a_larger_flood_never_costs_less(said, homes, clinics, half):
    region = town.region(town.roads(**said), {f"H{i}": at for i, at in enumerate(homes)}, {f"C{i}": at for i, at in enumerate(clinics)})
    prepared, middle = Prepared(region, default_services(), town.speeds()), said["pieces"][0][0]
    small, large = (flood(prepared, drive(minutes=5), area=box(*middle, size)) for size in (half, half + 4))
    for column in ("lost_people", "flooded_people"):
        assert total(small, column) <= total(large, column)
    assert total(small, "lost_people") == total(small, "covered_people_before") - total(small, "covered_people_after")


def test_an_area_is_read_from_polygons_only(tmp_path: Path):
    gpd.GeoDataFrame(geometry=[box(0, 0, 1), box(1, 0, 1)], crs=4326).to_file(tmp_path / "a.geojson")
    assert read_area(tmp_path / "a.geojson").geom_type == "Polygon"
    gpd.GeoDataFrame(geometry=[town.line((0, 0), (1, 1))], crs=4326).to_file(tmp_path / "line.geojson")
    (tmp_path / "text.geojson").write_text("nothing")
    for name, told in (("line.geojson", "must hold polygons"), ("text.geojson", "cannot be read"), ("none.gpkg", "no file")):
        with pytest.raises(InputError, match=told):
            read_area(tmp_path / name)
    assert read_ways(" 1, 2,") == (1, 2)
    with pytest.raises(OptionError, match="way ids"):
        read_ways("1,x")


def test_text_files_and_json_tell_the_same(tmp_path: Path):
    prepared = two_banks()
    study, bridges = flood(prepared, drive(minutes=2.5), ways=[WEST]), bridge_study(prepared, drive(minutes=2.5))
    text = flood_text(prepared, "medical", study) + bridge_text(prepared, "medical", bridges)
    assert "失去服务 lose it: 3 人 people" in text
    assert "H0" in text
    written = write_files(tmp_path, flood_files(prepared, "medical", study, bridges))
    assert [path.name for path in written] == [
        *("flood.csv", "flood_places.csv", "flood_facilities.csv", "bridges.csv", "flood.xlsx", "flood.json", "flood.gpkg")
    ]
    said = json.loads((tmp_path / "flood.json").read_text("utf-8"))
    assert said["total"]["lost_people"] == 3
    assert [row["way_id"] for row in said["bridges"]] == [WEST, EAST]
    assert said["definitions"]["medical"]["source"] == "gridtown"
    assert len(gpd.read_file(tmp_path / "flood.gpkg", layer="cut_roads")) == 1
    assert flood_json(prepared, "medical", None, bridges)["bridges_tagged"]


def test_the_bridges_of_the_example_are_those_of_its_map(example: Path):
    prepared = open_region(example)
    definition = prepared.services.service("emergency").definition(None)
    table = bridge_study(prepared, definition).table
    wet = set(table.loc[table["over_water"], "name"]) - {"沪昆高速", ""}
    assert wet == {"温圳抚河大桥", "文港抚河大桥", "李渡抚河大桥", "架桥抚河大桥", "军山湖大桥", "岚北大桥"}
    lake = table[table["name"] == "军山湖大桥"].iloc[0]
    study = flood(prepared, definition, ways=[int(lake["way_id"])])
    assert total(study, "lost_people") == lake["lost_people"] > 0


def test_the_command_needs_to_know_what_is_cut(example: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["flood", str(example), "--service", "emergency"]) == 2
    assert "--bridges" in capsys.readouterr().err
