"""Sensitivity: what each assumption decides, by hand on gridtown; worse never covers more; recomputed, never extrapolated."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gridtown as town
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, corners, directions, places, towns

from coverage.stats import coverage
from geodata.errors import OptionError
from geodata.model import Region
from geodata.network import NEVER
from geodata.region import Prepared
from geodata.standards import Limit, Service, ServiceDefinition, Services, default_services
from scenarios.cli import main
from scenarios.output.sensitivity_report import sensitivity_json, sensitivity_text
from scenarios.output.writers import json_text
from scenarios.sensitivity import SWINGS, Sensitivity, at_speed, sensitivity

STREET = town.roads(town.streets(31, 1))


def prepared(region: Region, definition: ServiceDefinition) -> Prepared:
    service = Service(name_zh="医疗", name_en="medical", definitions=(definition,))
    return Prepared(region, Services(kinds=default_services().kinds, services={"medical": service}), town.speeds())


def varied(region: Region, **said: Any) -> Sensitivity:
    definition = town.definition(**said)
    return sensitivity(prepared(region, definition), definition)


def row(found: Sensitivity, parameter: str) -> dict[str, Any]:
    return found.parameters.set_index("parameter").loc[parameter].to_dict()


def flips(found: Sensitivity, parameter: str) -> list[list[str]]:
    return found.flips.loc[found.flips["parameter"] == parameter, ["side", "change", "id"]].to_numpy().tolist()


# --- by hand: walking takes 1.5 minutes a block, so that 15 minutes are ten blocks


def test_the_speed_decides_those_between_eight_and_twelve_blocks():
    homes = {"at 8": (8, 0), "at 9": (9, 0), "at 10": (10, 0), "at 12": (12, 0), "at 13": (13, 0)}  # 1, 2, 4, 8, 16 people
    found = varied(town.region(STREET, homes, {"H": (0, 0)}))
    assert (found.people, found.covered_people) == (31, 7)
    speed = row(found, "speed")
    assert (speed["covered_people_unfavourable"], speed["covered_people_favourable"]) == (1, 15)
    assert (speed["value_unfavourable"], speed["value_base"], speed["value_favourable"]) == ("× 0.8", "× 1", "× 1.2")
    assert speed["swing"] == pytest.approx(14 / 31)
    assert flips(found, "speed") == [
        ["unfavourable", "lost", "at 10"],
        ["unfavourable", "lost", "at 9"],
        ["favourable", "gained", "at 12"],
    ]


def test_a_minute_more_or_less_is_within_inclusive():
    homes = {"at 9": (9, 0), "at 9⅓": (9 + 1 / 3, 0), "at 10": (10, 0), "at 10⅔": (10 + 2 / 3, 0), "at 11": (11, 0)}
    found = varied(town.region(STREET, homes, {"H": (0, 0)}), rural=Limit(minutes=15))
    assert flips(found, "minutes") == [["unfavourable", "lost", "at 10"], ["favourable", "gained", "at 10⅔"]]
    assert row(found, "minutes")["value_unfavourable"] == "14 min"


def test_the_access_radius_decides_who_may_walk_straight_to_a_second_road():
    # a home 1.2 blocks from a street that leads a long way round, 2.5 from the one with the clinic, none within 150 m of both
    roads = town.roads([((0, 0), (4, 0)), ((0, 3.7), (4, 3.7)), ((0, 0), (0, 30)), ((0, 30), (0, 3.7))])
    found = varied(town.region(roads, {"home": (4, 2.5)}, {"H": (4, 0)}, people={"home": 5}))
    radius = row(found, "access_radius_m")
    assert (radius["value_unfavourable"], radius["value_favourable"]) == ("150 m", "500 m")
    assert (found.covered_people, radius["covered_people_unfavourable"], radius["covered_people_favourable"]) == (5, 0, 5)
    assert flips(found, "access_radius_m") == [["unfavourable", "lost", "home"]]


def test_turnout_is_the_facility_s_own_where_it_has_one():
    # 36 km/h: ten seconds a block; ten minutes, of which a minute and a half of turnout leave 51 blocks
    street = town.roads([((0, 0), (80, 0))])
    homes = {"at 48": (48, 0), "at 50": (50, 0), "at 54": (54, 0), "at 55": (55, 0)}
    region = town.region(street, homes, {"P": (0, 0)}, turnout_s=[90.0])
    found = varied(region, mode="drive", direction="from_facility", minutes=10, turnout_s=180)
    turnout = row(found, "turnout")
    assert (turnout["value_unfavourable"], turnout["value_base"], turnout["value_favourable"]) == ("120 s", "90 s", "60 s")
    assert flips(found, "turnout") == [["unfavourable", "lost", "at 50"], ["favourable", "gained", "at 54"]]


def test_metres_have_no_speed_and_straight_lines_no_roads():
    homes = {"at 9": (9, 0), "at 10": (10, 0), "at 11": (11, 0)}
    region = town.region(STREET, homes, {"H": (0, 0)})
    by_road, straight = (varied(region, **{measure: 1000.5}) for measure in ("network_m", "straight_m"))
    assert set(by_road.parameters["parameter"]) == {"metres", "access_radius_m", "together"}
    assert set(straight.parameters["parameter"]) == {"metres", "together"}
    for found in (by_road, straight):
        assert flips(found, "metres") == [["unfavourable", "lost", "at 10"], ["favourable", "gained", "at 11"]]


def test_how_the_people_are_spread_moves_people_and_no_settlement():
    region = town.region(STREET, {"near": (1, 0), "far": (20, 0)}, {"H": (0, 0)}, people={"near": 60, "far": 40})
    demand = replace(
        region.demand, spreads=np.array([[60.0, 40.0], [80.0, 20.0], [50.0, 50.0]]), spread_names=("people", "raster", "frontage")
    )
    found = varied(replace(region, demand=demand))
    people = row(found, "population")
    assert (people["value_unfavourable"], people["value_base"], people["value_favourable"]) == ("frontage", "people", "raster")
    assert (people["share_people_unfavourable"], people["share_people_favourable"]) == (0.5, 0.8)
    assert flips(found, "population") == []
    assert row(found, "together")["share_people_unfavourable"] == 0.5
    assert found.by_zone.iloc[-1][["share_people_unfavourable", "share_people", "share_people_favourable"]].tolist() == [0.5, 0.6, 0.8]


def test_the_widest_swing_comes_first_and_all_together_last():
    homes = {f"at {x}": (x, 0) for x in range(1, 25)}
    found = varied(town.region(STREET, homes, {"H": (0, 0)}, people=dict.fromkeys(homes, 1)))
    assert list(found.parameters["parameter"]) == ["speed", "minutes", "access_radius_m", "together"]
    together = row(found, "together")
    assert together["covered_people_unfavourable"] == 7  # 14 minutes at 3.2 km/h
    assert together["covered_people_favourable"] == 12  # 16 minutes at 4.8 km/h


def test_external_facilities_are_told_apart_at_every_end():
    zones = {"Z": town.polygon([(-1, -5), (12, -5), (12, 5), (-1, 5)])}
    region = town.region(STREET, {"inner": (9, 0), "outer": (11, 0)}, {"A": (0, 0), "X": (20, 0)}, zones=zones)
    speed = row(varied(region), "speed")
    assert (speed["covered_people_favourable"], speed["covered_people_without_external_favourable"]) == (3, 3)
    assert (speed["covered_people_unfavourable"], speed["covered_people_without_external_unfavourable"]) == (0, 0)
    found = varied(region)
    assert (found.covered_people, found.covered_people_without_external) == (3, 1)


def test_a_limit_of_a_minute_cannot_be_lowered():
    with pytest.raises(OptionError, match="more than a minute"):
        varied(town.region(STREET, {"near": (1, 0)}, {"H": (0, 0)}), minutes=1)


def test_a_town_without_facilities_or_people_has_a_report_all_the_same():
    region = town.region(STREET, {"near": (1, 0)}, {}, people={"near": 0}, kind=[])
    definition = town.definition(turnout_s=60)
    ready = prepared(region, definition)
    found = sensitivity(ready, definition)
    assert "出车时间" in sensitivity_text(ready, "medical", found)
    said = json.loads(json_text(sensitivity_json(ready, "medical", found)))
    assert said["base"]["share_people"] is None, "nobody has no share: null, as in the tables"


# --- what always holds


def test_tagged_speeds_and_the_leg_to_the_road_are_scaled_with_all_others():
    roads = town.roads(town.streets(3, 1), kmh={0: 50}, permit={1: town.FORWARD})
    net = town.network(roads, "drive")
    slow = at_speed(net, 0.8)
    assert slow.forward_ms.tolist() == [round(ms / 0.8) for ms in net.forward_ms.tolist()]
    assert slow.backward_ms.tolist() == [round(net.backward_ms[0] / 0.8), NEVER]
    assert slow.access_kmh == net.access_kmh * 0.8
    assert at_speed(net, 1) is net


@settings(PROFILE, max_examples=12)  # nine runs an example
@given(
    said=towns(), homes=st.lists(places, min_size=1, max_size=4), clinics=st.lists(corners, min_size=1, max_size=2), direction=directions
)
def test_worse_never_covers_more_and_the_base_is_plain_coverage(said, homes, clinics, direction):
    at = {f"f{n}": place for n, place in enumerate(clinics)}
    region = town.region(town.roads(**said), {f"h{n}": place for n, place in enumerate(homes)}, at)
    definition = town.definition(mode="drive", direction=direction, minutes=2, turnout_s=30)
    ready = prepared(region, definition)
    found = sensitivity(ready, definition)
    plain = coverage(region, definition, ready.network_of(definition)).by_zone.iloc[-1]
    assert (found.covered_people, found.people) == (plain["covered_people"], plain["people"])
    assert set(found.parameters["parameter"]) == {"speed", "access_radius_m", "minutes", "turnout", "together"}
    low, high = (found.parameters[f"covered_people_{side}"] for side in ("unfavourable", "favourable"))
    assert (low <= found.covered_people).all()
    assert (high >= found.covered_people).all()
    assert low.iloc[-1] == low.min(), "all unfavourable together is at least as bad as any alone"
    assert high.iloc[-1] == high.max()
    moved = found.flips.groupby(["parameter", "side"])["people"].sum()
    for parameter, side in moved.index:
        assert moved[parameter, side] == abs(row(found, parameter)[f"covered_people_{side}"] - found.covered_people)


# --- the command


def test_each_end_is_what_coverage_gives_for_that_value(example: Path, tmp_path: Path, capsys):
    assert main(["sensitivity", str(example), "--service", "medical", "--minutes", "12", "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "■ 由假定决定的村居" in text
    said = json.loads((tmp_path / "sensitivity.json").read_text("utf-8"))
    assert said["swings"] == {name: {"unfavourable": low, "favourable": high} for name, (low, high) in SWINGS.items()}
    minutes = next(one for one in said["parameters"] if one["parameter"] == "minutes")
    assert main(["coverage", str(example), "--service", "medical", "--minutes", "11", "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["services"]["medical"]["total"]
    assert minutes["covered_people_unfavourable"] == total["covered_people"]
    assert minutes["share_people_without_external_unfavourable"] == total["share_people_without_external"]
    written = ["sensitivity.csv", "sensitivity.json", "sensitivity.xlsx", "sensitivity_by_township.csv", "sensitivity_settlements.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == written
