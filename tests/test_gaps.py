"""The gap list: who is out of reach, of what, and why."""

from dataclasses import replace

import gridtown as town
import numpy as np
import pandas as pd
import pytest

from coverage.gaps import CAUSES, COLUMNS
from coverage.stats import coverage
from geodata.model import Region
from geodata.roads import great_circle_m
from geodata.standards import Limit, ServiceDefinition

STREET = town.streets(31, 1)


def gaps(region: Region, definition: ServiceDefinition | None = None) -> pd.DataFrame:
    definition = definition or town.definition()
    return coverage(region, definition, town.network(region.roads, definition.mode)).gaps.set_index("id")


def test_who_is_too_far_is_told_the_nearest_facility_and_how_far_it_is():
    row = gaps(town.region(town.roads(STREET), {"H": (30, 1)}, {"A": (0, 0), "B": (12, 0)})).loc["H"]
    assert (row["cause"], row["nearest_id"], row["nearest_name"]) == ("too_far", "B", "B name")
    straight_m = great_circle_m(town.lonlat([(30, 1)]), town.lonlat([(12, 0)]))[0]
    assert row["nearest_straight_m"] == pytest.approx(straight_m, abs=0.001)
    leg_ms, blocks = 201_246, 16  # straight to the corner (28, 0), 223.607 m away, then along the street
    assert row["nearest_minutes"] == (leg_ms + blocks * town.BLOCK_MS) / 60_000
    assert np.isnan(row["nearest_network_m"]), "the definition has no such limit"
    assert row["road_m"] == 100


def test_minutes_and_metres_are_each_of_their_own_nearest_facility():
    pieces = [((0, 0), (20, 0)), ((0, 0), (0, 30))]
    roads = town.roads(pieces, kmh={0: 18, 1: 72})
    region = town.region(roads, {"H": (0, 0)}, {"near": (20, 0), "quick": (0, 30)})
    row = gaps(region, town.definition(mode="drive", minutes=1, network_m=100)).loc["H"]
    assert row["nearest_id"] == "quick", "the first measure of the definition names it"
    assert (row["nearest_minutes"], row["nearest_network_m"]) == (150 / 60, 2000)
    row = gaps(region, town.definition(mode="drive", network_m=100)).loc["H"]
    assert (row["nearest_id"], row["nearest_network_m"]) == ("near", 2000)
    assert np.isnan(row["nearest_minutes"])


def test_turnout_is_part_of_the_minutes():
    definition = town.definition(mode="drive", direction="from_facility", minutes=5, call_handling_s=60, turnout_s=180)
    region = town.region(town.roads(STREET), {"H": (30, 0)}, {"slow": (24, 0), "prompt": (0, 0)}, turnout_s=[600.0, np.nan])
    row = gaps(region, definition).loc["H"]
    assert (row["nearest_id"], row["nearest_minutes"]) == ("prompt", 9)


def test_every_cause_has_its_name():
    pieces = [*STREET, ((0, 40), (5, 40))]
    homes = {"far": (30, 0), "lost": (15, 20), "island": (2, 40), "covered": (1, 0)}
    table = gaps(town.region(town.roads(pieces), homes, {"C": (0, 0)}))
    assert table["cause"].to_dict() == {"far": "too_far", "lost": "off_network", "island": "cut_off"}
    assert table["people"].to_dict() == {"far": 1, "lost": 2, "island": 4}
    assert table.loc[["lost", "island"], "nearest_id"].tolist() == ["C", "C"], "as the crow flies"
    assert table.loc[["lost", "island"], "nearest_minutes"].isna().all()
    assert table["road_m"].to_dict() == {"far": 0, "lost": 2000, "island": 0}
    assert set(gaps(town.region(town.roads(pieces), homes, {}))["cause"]) == {"no_facility"}
    assert set(CAUSES) == {"too_far", "off_network", "cut_off", "no_facility"}


def test_behind_a_river_without_a_bridge_one_is_off_the_network_however_near_the_road():
    roads = town.roads(STREET, water=[town.line((-5, 1), (40, 1))])
    row = gaps(town.region(roads, {"H": (5, 2)}, {"C": (5, 0)})).loc["H"]
    assert (row["cause"], row["road_m"]) == ("off_network", 200)


def test_a_facility_off_the_network_leaves_people_cut_off():
    assert gaps(town.region(town.roads(STREET), {"H": (5, 0)}, {"C": (5, 20)}))["cause"].tolist() == ["cut_off"]


def test_a_one_way_street_can_cut_off_from_a_facility_that_is_in_sight():
    pieces = town.street((0, 0), (10, 0), (20, 0))
    roads = town.roads(pieces, permit={0: town.FORWARD, 1: town.FORWARD})
    assert gaps(town.region(roads, {"H": (15, 0)}, {"C": (5, 0)}), town.definition(mode="drive"))["cause"].tolist() == ["cut_off"]


def test_by_straight_line_the_nearest_is_named_by_straight_line():
    row = gaps(town.region(town.roads(STREET), {"H": (5, 20)}, {"B": (5, 0), "A": (30, 0)}), town.definition(straight_m=500)).loc["H"]
    assert (row["cause"], row["nearest_id"]) == ("too_far", "B")
    assert np.isnan([row["nearest_minutes"], row["nearest_network_m"]]).all()


def test_restricted_facilities_are_never_named():
    homes = {"near base": (5, 0), "between": (18, 0), "far": (30, 0)}
    region = town.region(town.roads(STREET), homes, {"base": (0, 0), "open": (2, 0)}, restricted=[True, False])
    table = gaps(region)
    assert sorted(table.index) == ["between", "far"]
    assert set(table["nearest_id"]) == {"open"}
    alone = replace(region, facilities=region.facilities.take(np.array([0])))
    table = gaps(alone)
    assert sorted(table.index) == ["between", "far"], "it serves all the same"
    assert set(table["cause"]) == {"too_far"}, "the true cause, without a name"
    assert set(table["nearest_id"]) == {""}
    assert table[["nearest_minutes", "nearest_straight_m"]].isna().all(axis=None)


def test_gaps_come_with_most_people_first_then_by_id_and_only_from_inside():
    homes = {"b": (30, 0), "a": (29, 0), "many": (28, 0), "outside": (30, 0.5)}
    zones = {"Z": town.polygon([(-1, -1), (31, -1), (31, 0.2), (-1, 0.2)])}
    people = {"b": 5.0, "a": 5.0, "many": 9.0, "outside": 99.0}
    table = gaps(town.region(town.roads(STREET), homes, {"C": (0, 0)}, people=people, zones=zones, urban=["b"]))
    assert table.index.tolist() == ["many", "a", "b"]
    assert table["class"].tolist() == ["rural", "rural", "urban"]
    assert table["zone_id"].tolist() == ["Z", "Z", "Z"]


@pytest.mark.parametrize("clinics", [{"A": (0, 0), "B": (30, 0)}, {"B": (30, 0), "A": (0, 0)}, {"B": (0, 0), "A": (0, 0)}])
def test_of_equally_near_facilities_the_first_by_id_is_named(clinics):
    region = town.region(town.roads(STREET), {"H": (15, 0)}, clinics)
    for definition in (town.definition(minutes=3), town.definition(network_m=100), town.definition(straight_m=100)):
        assert gaps(region, definition)["nearest_id"].tolist() == ["A"]


def test_an_urban_gap_is_measured_as_the_urban_limit_says_and_so_is_a_rural_one():
    region = town.region(town.roads(STREET), {"u": (12, 0), "r": (20, 0)}, {"C": (0, 0)}, urban=["u"])
    table = gaps(region, town.definition(minutes=15, rural=Limit(network_m=1500)))
    assert table["nearest_minutes"].to_dict() == {"u": 18, "r": 30}
    assert table["nearest_network_m"].to_dict() == {"u": 1200, "r": 2000}


def test_without_gaps_the_table_keeps_its_columns():
    table = coverage(
        town.region(town.roads(STREET), {"H": (0, 0)}, {"C": (0, 0)}), town.definition(), town.network(town.roads(STREET))
    ).gaps
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 0
