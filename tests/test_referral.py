"""The chain from the call to the hospital's door: worked out by hand on gridtown, judged by networkx, and on the example county."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gridtown as town
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, corners, judge, towns

from coverage.gaps import CUT_OFF, NO_FACILITY, OFF_NETWORK
from coverage.search import reach
from coverage.snap import snap_demand, snap_facilities
from coverage.stats import coverage
from coverage.studies.referral import PARTS, Referral, capable_hospitals, referral
from coverage.travel_times import travel_times
from geodata.calls.model import ARRIVED, LEFT_SCENE, MISSING, Calls
from geodata.errors import OptionError
from geodata.model import Region
from geodata.network import Network, build_network
from geodata.region import Prepared
from geodata.roads import Roads
from geodata.standards import ServiceDefinition, default_services
from geodata.ways.osm import read_roads
from scenarios.cli import main
from scenarios.referral import referral_study, scene_time

STREET = town.roads(town.streets(41, 1))
HOMES = {"a": (5, 0), "b": (15, 0)}
POINT, HOSPITAL = "standby_point", "hospital"
PLACES = {"point": ((0, 0), POINT), "hospital": ((20, 0), HOSPITAL)}
CAR = town.network(STREET, "drive")


def response(**said: Any) -> ServiceDefinition:
    """A minute at the telephone, three to turn out, then by car: a block takes ten seconds."""
    about = {"kinds": (POINT,), "mode": "drive", "direction": "from_facility", "call_handling_s": 60, "turnout_s": 180}
    return town.definition(**about | said)


def county(
    places: Mapping[str, tuple[town.Node, str]] = PLACES, homes: Mapping[str, town.Node] = HOMES, roads: Roads = STREET, **more: Any
) -> Region:
    kinds = [kind for _, kind in places.values()]
    return town.region(roads, homes, {one: at for one, (at, _) in places.items()}, kind=kinds, **more)


def chain(region: Region | None = None, net: Network = CAR, **said: Any) -> Referral:
    region = region or county()
    asked = {"scene_minutes": 10.0} | {name: said.pop(name) for name in ("scene_minutes", "within_minutes") if name in said}
    hospitals = capable_hospitals(region, **{name: said.pop(name) for name in ("kinds", "beds", "ids") if name in said})
    return referral(region, response(**said), net, hospitals, **asked)


def of(result: Referral, home: str) -> pd.Series:
    return result.by_settlement.set_index("id").loc[home]


def total(result: Referral) -> pd.Series:
    return result.by_zone.set_index("row").loc["total"]


def test_every_part_of_the_chain_is_told_apart_and_they_add_up():
    home = of(chain(), "a")
    parts = [home[f"{name}_minutes"] for name in PARTS]
    assert parts == [1, 3, pytest.approx(50 / 60), 10, pytest.approx(150 / 60)], "five blocks out, fifteen in"
    assert (home["point_id"], home["hospital_id"]) == ("point", "hospital")
    assert home["response_minutes"] == pytest.approx(sum(parts[:3]))
    assert home["total_minutes"] == pytest.approx(sum(parts))


def test_the_means_of_the_parts_add_up_to_the_mean_of_the_total():
    row = total(chain())
    assert row["mean_minutes"] == pytest.approx(14 + (1 * 200 + 2 * 200) / 3 / 60), "20 blocks in all, from wherever they called"
    assert row["mean_minutes"] == pytest.approx(sum(row[f"{name}_mean_minutes"] for name in PARTS))


def test_a_point_with_a_turnout_of_its_own_may_come_before_a_nearer_one():
    places = {"near": ((4, 0), POINT), "quick": ((9, 0), POINT), "hospital": ((20, 0), HOSPITAL)}
    home = of(chain(county(places, turnout_s=[180, 90, math.nan])), "a")
    assert (home["point_id"], home["turnout_minutes"], home["to_scene_minutes"]) == ("quick", 1.5, 40 / 60)


def test_the_way_out_and_the_way_in_follow_one_way_roads_each_in_its_direction():
    ring = town.street((0, 0), (8, 0), (8, 8), (0, 8), (0, 0))
    roads = town.roads(ring, permit=dict.fromkeys(range(4), town.FORWARD))
    region = county({"point": ((0, 0), POINT), "hospital": ((0, 0), HOSPITAL)}, {"a": (8, 0)}, roads)
    home = of(chain(region, town.network(roads, "drive")), "a")
    assert (home["to_scene_minutes"], home["to_hospital_minutes"]) == (80 / 60, 240 / 60), "one side out, three sides in"


def test_a_place_that_can_be_reached_but_not_left_says_which_leg_is_missing():
    roads = town.roads([*town.streets(21, 1), ((10, 0), (10, 9))], permit={20: town.FORWARD})
    result = chain(county(homes={"dead end": (10, 9), "nowhere": (10, 80)}, roads=roads), town.network(roads, "drive"))
    home, lost = of(result, "dead end"), of(result, "nowhere")
    assert (home["response_cause"], home["hospital_cause"]) == ("", CUT_OFF)
    assert (lost["response_cause"], lost["hospital_cause"]) == (OFF_NETWORK, OFF_NETWORK)
    assert home["response_minutes"] == pytest.approx(4 + 190 / 60), "ten blocks along, nine up"
    assert math.isnan(home["total_minutes"])
    row = total(result)
    assert (row["unreached_people"], row["share_within"], row["share_response"]) == (3, 0, 1 / 3)


def test_the_limit_of_the_whole_chain_counts_as_within():
    whole = 14 + 200 / 60
    assert total(chain(within_minutes=whole))["share_within"] == 1
    assert total(chain(within_minutes=whole - 0.0001))["share_within"] == 0


def test_settlements_beyond_the_limit_or_not_reached_are_marked_each():
    homes = {**HOMES, "island": (200, 200)}
    everywhere = {"Z": town.polygon([(-50, -50), (300, -50), (300, 300), (-50, 300)])}
    marked = chain(county(homes=homes, zones=everywhere), within_minutes=17.5).by_settlement.set_index("id")["over_limit"]
    assert marked.to_dict() == {"island": True, "a": False, "b": False}
    assert chain(within_minutes=17).by_settlement["over_limit"].all(), "14 minutes, and 20 blocks"
    assert not chain(within_minutes=14 + 200 / 60).by_settlement["over_limit"].any(), "the limit itself is within"


def test_the_response_is_held_against_the_limits_as_in_coverage():
    region = county()
    result = chain(region, minutes=5)
    assert total(result)["share_response"] == 1 / 3, "the first home after 4 min 50 s, the second after 6 min 30 s"
    assert total(result)["response_within_people"] == coverage(region, response(minutes=5), CAR).by_zone["covered_people"].iloc[-1]
    assert total(chain(region, minutes=5, network_m=499))["share_response"] == 0, "metres hold as well where they are stated: it has 500"
    assert total(chain(region, minutes=5, network_m=500))["share_response"] == 1 / 3


def test_ambulances_at_the_hospitals_start_from_there():
    result = chain(minutes=5)
    assert of(result, "b")["stationed_response_minutes"] == 4 + 50 / 60
    row = total(result)
    assert (row["share_response"], row["share_stationed_response"]) == (1 / 3, 2 / 3)
    assert row["stationed_response_mean_minutes"] == pytest.approx(4 + (150 + 2 * 50) / 3 / 60)


def test_hospitals_outside_count_and_the_shares_stand_without_them_too():
    west = {"west": town.polygon([(-50, -50), (20.5, -50), (20.5, 100), (-50, 100)])}
    region = county({**PLACES, "hospital": ((2, 0), HOSPITAL), "city": ((22, 0), HOSPITAL)}, zones=west)
    row = total(chain(region, within_minutes=14 + 230 / 60))
    assert (row["share_within"], row["share_within_without_external"]) == (1, 1 / 3)
    assert (row["external_people"], row["worst_id"]) == (2, "b")
    assert of(chain(region), "b")["hospital_external"]
    only = chain(county({"point": ((0, 0), POINT), "city": ((22, 0), HOSPITAL)}, zones=west))
    assert (total(only)["share_within_without_external"], total(only)["unreached_people_without_external"]) == (0, 3)


def test_a_restricted_hospital_counts_and_is_told_nowhere():
    region = county({**PLACES, "secret": ((5, 0), HOSPITAL)}, restricted=[False, False, True])
    result = chain(region, within_minutes=16)
    assert total(result)["within_people"] == 1, "the first home: 14 minutes, 50 s out, 0 in; to the other hospital 150 s"
    assert set(result.by_settlement["hospital_id"]) == set(result.by_settlement["stationed_id"]) == {"hospital"}
    with pytest.raises(OptionError, match="secret"):
        capable_hospitals(region, ids=["secret"])


def test_capable_is_by_kind_by_beds_or_by_name():
    places = {"small": ((1, 0), HOSPITAL), "large": ((2, 0), HOSPITAL), "silent": ((3, 0), HOSPITAL), "centre": ((4, 0), "park")}
    region = county(places, capacity=[50, 100, math.nan, 900])
    assert capable_hospitals(region).tolist() == [0, 1, 2]
    assert capable_hospitals(region, beds=100).tolist() == [1], "one that does not state its beds does not count"
    assert capable_hospitals(region, kinds=("park", "hospital"), beds=60).tolist() == [1, 3]
    assert capable_hospitals(region, ids=["centre", "small"]).tolist() == [0, 3]
    with pytest.raises(OptionError, match="No capable hospital"):
        capable_hospitals(region, beds=101)


def test_a_hospital_that_is_not_open_yet_receives_nobody():
    places = {**PLACES, "new": ((5, 0), HOSPITAL)}
    assert of(chain(county(places, open_from=["", "", "2028-01-01"])), "a")["hospital_id"] == "hospital"


def test_without_points_nobody_comes_and_the_cause_is_said():
    result = chain(county({"hospital": ((20, 0), HOSPITAL)}))
    assert set(result.by_settlement["response_cause"]) == {NO_FACILITY}
    assert math.isnan(total(result)["mean_minutes"])
    assert total(result)["share_stationed"] == 1


@pytest.mark.parametrize(
    "wrong", [{"mode": "walk"}, {"direction": "to_facility"}, {"network_m": 5000}, {"scene_minutes": -1}, {"within_minutes": math.nan}]
)
def test_a_definition_that_is_none_of_response_or_impossible_minutes_are_refused(wrong):
    with pytest.raises(OptionError):
        chain(**wrong)


@settings(PROFILE, max_examples=20)  # the judge takes its time
@given(towns(), *(st.lists(corners, min_size=1, max_size=3) for _ in range(3)))
def test_the_total_is_the_least_over_all_pairs_of_point_and_hospital(pieces, points, hospitals, homes):
    roads = town.roads(**pieces)
    net = town.network(roads, "drive")
    places = {f"p{i}": (at, POINT) for i, at in enumerate(points)} | {f"h{i}": (at, HOSPITAL) for i, at in enumerate(hospitals)}
    region = county(places, {f"a{i}": at for i, at in enumerate(homes)}, roads)
    result = chain(region, net)
    gates, ways = snap_facilities(net, region.facilities), snap_demand(net, region.demand)
    first, last = (gates.take(np.flatnonzero(region.facilities.of_kinds([kind]))) for kind in (POINT, HOSPITAL))
    out, back = (judge(net, some, ways, way, "time") for some, way in ((first, "from_facility"), (last, "to_facility")))
    for home in range(len(homes)):
        pairs = [a[0] + b[0] for (_, x), a in out.items() if x == home for (_, y), b in back.items() if y == home]
        least = (min(pairs) / 60_000 + 14) if pairs else math.nan
        assert of(result, f"a{home}")["total_minutes"] == pytest.approx(least, nan_ok=True)


def test_in_a_real_city_of_one_way_streets_the_total_is_the_least_over_all_pairs(data_file: Callable[[str], Path]):
    roads = read_roads(data_file("monaco/monaco.osm.gz"))
    net = build_network(roads, "drive", town.speeds(), "EPSG:32632")
    spots = roads.lonlat[np.random.default_rng(15).integers(len(roads.lonlat), size=24)]
    places = {f"p{i}": ((i, 0), POINT) for i in range(4)} | {f"h{i}": ((i, 1), HOSPITAL) for i in range(4)}
    lattice = county(places, {f"a{i:02}": (i, 2) for i in range(16)})
    demand, facilities = replace(lattice.demand, lonlat=spots[8:]), replace(lattice.facilities, entrance=spots[:8])
    region = replace(lattice, roads=roads, demand=demand, facilities=facilities)
    ways, gates = snap_demand(net, demand), snap_facilities(net, facilities)
    least = np.full((2, len(demand)), np.inf)
    for leg, (which, direction) in enumerate(((np.arange(4), "from_facility"), (np.arange(4, 8), "to_facility"))):
        found = travel_times(net, reach(net, gates.take(which), direction=direction), gates.take(which), ways)
        np.minimum.at(least[leg], found.demand, found.cost)
    told = chain(region, net).by_settlement.set_index("id").loc[list(demand.id)]
    assert np.isfinite(least).sum() > 20
    assert (least[0] != least[1]).any()
    expected = np.where(np.isfinite(least.sum(axis=0)), 14 + least.sum(axis=0) / 60_000, np.nan)
    assert told["total_minutes"].to_numpy() == pytest.approx(expected, nan_ok=True)


def prepared(region: Region) -> Prepared:
    return Prepared(region, default_services(), town.speeds())


def test_the_time_on_the_scene_is_given_or_of_the_log_or_assumed_and_says_which():
    region = county()
    log = Calls.none()
    stamps = np.full((40, 7), MISSING)
    stamps[:, ARRIVED], stamps[:, LEFT_SCENE] = 0, np.arange(40) * 60
    logged = replace(region, calls=replace(log, row=np.arange(40), stamp_s=stamps))
    assert scene_time(prepared(logged), 7).minutes == 7
    assert scene_time(prepared(logged), None).minutes == 19, "the least that half of the runs do not exceed"
    assumed = scene_time(prepared(region), None)
    assert assumed.minutes == 15
    assert "[M]" in assumed.en


def test_options_that_do_not_go_together_are_refused():
    for wrong in ({"kinds": ["temple"]}, {"hospitals": ["hospital"], "beds": 5}, {"hospitals": ["elsewhere"]}):
        with pytest.raises(OptionError):
            referral_study(prepared(county()), response(), **wrong)


def test_the_command_tells_the_example_county_part_by_part_and_names_no_restricted_hospital(example: Path, tmp_path: Path, capsys):
    asked = ["referral", str(example), "--service", "emergency", "--scene", "12", "--within", "75", "--beds", "400", "--out", str(tmp_path)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    table = pd.read_csv(tmp_path / "referral_settlements.csv")
    whole = table["total_minutes"]
    assert table["people"].sum() == 620_254
    assert whole.to_numpy() == pytest.approx(sum(table[f"{name}_minutes"] for name in PARTS).to_numpy(), nan_ok=True)
    answer = json.loads((tmp_path / "referral.json").read_text("utf-8"))
    assert {one["id"] for one in answer["question"]["hospitals"]} == {"YY-0001", "YY-0003", "YY-0006"}, "of 400 beds and open"
    assert answer["total"]["within_people"] == table.loc[whole <= 75, "people"].sum(), "the restricted hospital has 120 beds"
    assert answer["total"]["unreached_people"] == table.loc[whole.isna(), "people"].sum()
    assert "驻地医院" not in said + "".join(path.read_text("utf-8-sig") for path in tmp_path.glob("referral*") if path.suffix != ".xlsx")
    assert "75 分钟" in said
    beyond = table[table["over_limit"] & (table["people"] > 0)]
    assert (beyond["total_minutes"].isna() | (beyond["total_minutes"] > 75)).all()
    assert f"{len(beyond):,} 处 places" in said
    assert "by points and hospitals that may be listed" not in said, "of the hospitals asked for none is restricted"
