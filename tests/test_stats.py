"""Who is covered, by township: on gridtown, where people come in powers of two and each answer is worked out by hand."""

import datetime as dt
from dataclasses import replace

import gridtown as town
import numpy as np
import pandas as pd
import pytest

from coverage.stats import CoverageResult, coverage
from geodata.model import Region
from geodata.roads import great_circle_m
from geodata.standards import Limit, ServiceDefinition

STREET = town.streets(31, 1)  # 3 km, a corner every 100 m
HOMES = {f"H{x:02d}": (x, 0) for x in range(0, 31, 2)}


def counted(region: Region, definition: ServiceDefinition | None = None) -> CoverageResult:
    definition = definition or town.definition()
    return coverage(region, definition, town.network(region.roads, definition.mode))


def covered_homes(result: CoverageResult, region: Region) -> list[str]:
    return [home for home, covered in zip(region.demand.id, result.covered, strict=True) if covered]


def total(result: CoverageResult, column: str, row: str = "total") -> float:
    return float(result.by_zone.set_index("row").loc[row, column])


def test_fifteen_minutes_on_foot_are_ten_blocks_and_the_tenth_counts():
    region = town.region(town.roads(STREET), HOMES, {"C": (10, 0)})
    result = counted(region)
    assert covered_homes(result, region) == [f"H{x:02d}" for x in range(0, 21, 2)]
    assert total(result, "covered_people") == 2**11 - 1
    assert total(result, "people") == 2**16 - 1
    assert total(result, "share_people") == (2**11 - 1) / (2**16 - 1), "a share of people, not of points"
    assert (total(result, "settlements"), total(result, "covered_settlements"), total(result, "share_settlements")) == (16, 11, 11 / 16)


@pytest.mark.parametrize(("minutes", "covered"), [(899 / 60, ["near"]), (15, ["near", "limit"]), (901 / 60, ["near", "limit"])])
def test_at_899_900_and_901_seconds(minutes, covered):
    region = town.region(town.roads(STREET), {"near": (9.98, 0), "limit": (10, 0), "beyond": (10.02, 0)}, {"C": (0, 0)})
    assert covered_homes(counted(region, town.definition(minutes=minutes)), region) == covered


def test_urban_and_rural_homes_have_their_own_limits():
    region = town.region(
        town.roads(STREET), {"u4": (4, 0), "u6": (6, 0), "r6": (0, 0.001), "r12": (12, 0)}, {"C": (0, 0)}, urban=["u4", "u6"]
    )
    definition = town.definition(minutes=5 * 1.5, rural=Limit(minutes=15))
    assert covered_homes(counted(region, definition), region) == ["u4", "r6"]
    swapped = town.definition(minutes=15, rural=Limit(minutes=1.5))
    assert covered_homes(counted(region, swapped), region) == ["u4", "u6", "r6"]


def test_one_class_may_count_minutes_and_the_other_metres_or_a_straight_line():
    homes = {"u": (6, 0), "r": (6, 0.0001), "u_far": (8, 0), "r_far": (8, 0.0001)}
    region = town.region(town.roads(STREET), homes, {"C": (0, 0)}, urban=["u", "u_far"])
    for rural in (Limit(network_m=700), Limit(straight_m=700)):
        assert covered_homes(counted(region, town.definition(minutes=10.5, rural=rural)), region) == ["u", "r"]


def test_minutes_and_metres_each_hold_on_their_own_best_way():
    slow_and_short, fast_and_long = ((0, 0), (20, 0)), ((0, 0), (0, 5), (20, 5), (20, 0))
    roads = town.roads([slow_and_short, fast_and_long], kmh={0: 36, 1: 72})
    region = town.region(roads, {"H": (0, 0)}, {"C": (20, 0)})

    def drive(**limit: float) -> bool:
        return bool(counted(region, town.definition(mode="drive", **limit)).covered[0])

    assert drive(minutes=150 / 60)  # 3,000 m at 72 km/h
    assert not drive(minutes=149 / 60)
    assert drive(network_m=2000)
    assert not drive(network_m=1999.999)
    assert drive(minutes=150 / 60, network_m=2000), "no single way keeps both limits, but each has one"


def test_the_straight_line_is_the_great_circle_and_asks_for_no_road():
    clinic, home = (0, 0), (50, 40)
    region = town.region(town.roads(STREET), {"H": home}, {"C": clinic})
    metres = float(great_circle_m(town.lonlat([clinic]), town.lonlat([home]))[0])
    assert metres != pytest.approx(100 * np.hypot(50, 40), rel=1e-4), "another length than on the projected plane"
    assert counted(region, town.definition(straight_m=metres)).covered.all()
    assert not counted(region, town.definition(straight_m=metres - 0.001)).covered.any()


def test_a_straight_line_reaches_a_park_by_its_nearest_gate():
    region = town.region(town.roads(STREET), {"H": (20, 0)}, {"P": (0, 0)}, entrances=[town.gates((0, 0), (15, 0))])
    assert counted(region, town.definition(straight_m=600)).covered.all()
    assert not counted(region, town.definition(straight_m=400)).covered.any()


def test_people_go_to_the_facility_and_ambulances_come_from_it():
    pieces = town.street((0, 0), (10, 0), (20, 0))
    region = town.region(town.roads(pieces, permit={0: town.FORWARD, 1: town.FORWARD}), {"west": (0, 0), "east": (20, 0)}, {"C": (10, 0)})
    there, back = (town.definition(mode="drive", minutes=5, direction=way) for way in ("to_facility", "from_facility"))
    assert covered_homes(counted(region, there), region) == ["west"]
    assert covered_homes(counted(region, back), region) == ["east"]


def test_an_ambulance_that_turns_out_late_covers_less():
    homes = {"near": (6, 0), "far": (24, 0)}
    region = town.region(town.roads(STREET), homes, {"prompt": (0, 0)}, turnout_s=[60.0])
    emergency = town.definition(mode="drive", direction="from_facility", minutes=6, call_handling_s=60, turnout_s=180)
    assert covered_homes(counted(region, emergency), region) == ["near", "far"]  # 60 + 60 + 240 = 360 s
    late = replace(region, facilities=replace(region.facilities, turnout_s=np.array([np.nan])))
    assert covered_homes(counted(late, emergency), late) == ["near"]  # 60 + 180 + 60 = 300 s, and 480 s
    distance = town.definition(mode="drive", direction="from_facility", network_m=2400, call_handling_s=60, turnout_s=180)
    assert covered_homes(counted(late, distance), late) == ["near", "far"], "metres do not wait for the crew"


def test_external_facilities_count_and_every_figure_is_told_without_them_too():
    county = {"Z": town.polygon([(-1, -1), (31, -1), (31, 1), (-1, 1)])}
    roads = town.roads(town.streets(51, 1))
    region = town.region(
        roads, {"west": (0, 0), "middle": (20, 0), "east": (30, 0)}, {"inside": (5, 0), "next door": (35, 0)}, zones=county
    )
    result = counted(region)
    assert region.facilities.external.tolist() == [False, True]
    assert (total(result, "covered_people"), total(result, "covered_people_without_external")) == (1 + 4, 1)
    assert (total(result, "share_people"), total(result, "share_people_without_external")) == (5 / 7, 1 / 7)
    assert (total(result, "covered_settlements"), total(result, "covered_settlements_without_external")) == (2, 1)


def test_a_route_may_leave_the_county_and_come_back():
    around = town.street((0, 0), (0, 4), (4, 4), (4, 0))
    county = {"Z": town.polygon([(-1, -1), (5, -1), (5, 1), (-1, 1)])}
    region = town.region(town.roads(around), {"H": (0, 0)}, {"C": (4, 0)}, zones=county)
    assert counted(region, town.definition(mode="drive", network_m=1200)).covered.all()


def test_people_outside_every_zone_are_in_no_denominator():
    zones = {"W": town.polygon([(-1, -1), (9, -1), (9, 1), (-1, 1)]), "E": town.polygon([(9, -1), (21, -1), (21, 1), (9, 1)])}
    homes = {"w": (0, 0), "e": (10, 0), "out": (26, 0), "w2": (2, 0)}
    region = town.region(town.roads(STREET), homes, {"C": (4, 0), "D": (26, 0)}, zones=zones, urban=["w"])
    table = counted(region, town.definition(minutes=6)).by_zone
    assert table["row"].tolist() == ["zone", "zone", "urban", "rural", "total"]
    assert table["zone_id"].tolist() == ["W", "E", "", "", ""]
    assert table["people"].tolist() == [1 + 8, 2, 1, 2 + 8, 11]
    assert table["covered_people"].tolist() == [9, 0, 1, 8, 9]
    assert table["settlements"].tolist() == [2, 1, 1, 2, 3]
    assert table["covered_settlements"].tolist() == [2, 0, 1, 1, 2]
    columns = ["people", "covered_people", "covered_people_without_external", "settlements", "covered_settlements"]
    zones_only = table[table["row"] == "zone"][columns].sum()
    pd.testing.assert_series_equal(zones_only, table[columns].iloc[-1], check_names=False, check_dtype=False)
    pd.testing.assert_series_equal(table[columns].iloc[2:4].sum(), table[columns].iloc[-1], check_names=False, check_dtype=False)


@pytest.mark.parametrize(("near", "counts"), [(90.0, True), (89.999, False), (0.9, True)])
def test_a_settlement_counts_when_exactly_90_percent_of_its_people_are_within(near, counts):
    people = {"near": near, "far": 10.0 if near > 1 else 0.1}
    region = town.region(
        town.roads(STREET), {"near": (0, 0), "far": (20, 0)}, {"C": (0, 0)}, people=people, settlement={"near": "V", "far": "V"}
    )
    result = counted(region)
    assert total(result, "settlements") == 1
    assert total(result, "covered_settlements") == counts
    assert total(result, "covered_people") == near, "its people are counted where they live all the same"


def test_a_settlement_without_people_counts_when_all_its_points_are_within():
    nobody = dict.fromkeys(["a", "b", "c"], 0.0)
    places = {"a": (0, 0), "b": (20, 0), "c": (1, 0)}
    region = town.region(town.roads(STREET), places, {"C": (0, 0)}, people=nobody, settlement={"a": "V", "b": "V", "c": "W"})
    result = counted(region)
    assert (total(result, "settlements"), total(result, "covered_settlements")) == (2, 1)
    assert np.isnan(total(result, "share_people"))


def test_raster_cells_are_people_but_no_settlements():
    region = town.region(town.roads(STREET), {"c1": (0, 0), "c2": (20, 0), "V": (2, 0)}, {"C": (0, 0)}, settlement={"c1": "", "c2": ""})
    result = counted(region)
    assert (total(result, "people"), total(result, "covered_people")) == (7, 5)
    assert (total(result, "settlements"), total(result, "covered_settlements")) == (1, 1)


def test_facilities_of_other_kinds_or_not_open_on_the_day_do_not_count():
    clinics = {"old": (0, 0), "moved here": (30, 0), "park": (15, 0)}
    opened = {"open_from": ["", "2026-01-01", ""], "open_to": ["2026-01-01", "", ""]}
    region = town.region(town.roads(STREET), HOMES, clinics, kind=["hospital", "hospital", "park"], **opened)
    eve = replace(region, date=dt.date(2025, 12, 31))
    west, east = [f"H{x:02d}" for x in range(0, 11, 2)], [f"H{x:02d}" for x in range(20, 31, 2)]
    assert covered_homes(counted(eve), eve) == west
    assert covered_homes(counted(region), region) == east
    assert counted(region).facilities.id == ("moved here",)


def test_restricted_facilities_are_counted():
    region = town.region(town.roads(STREET), HOMES, {"base": (0, 0)}, restricted=[True])
    assert total(counted(region), "covered_people") == 2**6 - 1


def test_without_facilities_nobody_is_covered_and_without_people_nothing_is_divided():
    assert total(counted(town.region(town.roads(STREET), HOMES, {})), "covered_people") == 0
    empty = counted(town.region(town.roads(STREET), {}, {"C": (0, 0)}))
    assert total(empty, "people") == 0
    assert np.isnan(total(empty, "share_people"))
    assert len(empty.gaps) == 0


def test_without_a_road_in_reach_of_the_facility_nobody_is_covered():
    result = counted(town.region(town.roads(STREET), HOMES, {"C": (0, 40)}))
    assert not result.covered.any()
    assert result.covers.shape == (16, 1)


def test_the_ram_mistake_a_new_road_never_takes_anybody_s_road_away():
    new = ((0, 4), (5, 4))  # joined to nothing, and nearer to the home than the old street
    homes, clinics = {"H": (2, 5)}, {"C": (4, 0)}
    before = town.region(town.roads(town.streets(31, 1)), homes, clinics)
    after = town.region(town.roads([*town.streets(31, 1), new]), homes, clinics)
    net = town.network(after.roads)
    definition = town.definition(minutes=12)
    assert counted(before, definition).covered.all()
    assert coverage(after, definition, replace(net, added=np.arange(31) == 30)).covered.all()
    assert not coverage(after, definition, net).covered.any(), "unless it is said that the road is new, only the nearer road is seen"


def test_villages_of_one_name_in_two_townships_are_two_settlements():
    halves = {"W": town.polygon([(-1, -1), (10.5, -1), (10.5, 1), (-1, 1)]), "E": town.polygon([(10.5, -1), (40, -1), (40, 1), (10.5, 1)])}
    region = town.region(town.roads(STREET), {"a": (4, 0), "b": (30, 0)}, {"C": (4, 0)}, zones=halves)
    region = replace(region, demand=replace(region.demand, settlement=("新民村", "新民村")))
    table = counted(region).by_zone.set_index("zone_id")
    assert table.loc[["W", "E"], "settlements"].tolist() == [1, 1]
    assert table.loc[["W", "E"], "covered_settlements"].tolist() == [1, 0]


def test_the_fastest_way_may_leave_the_county_and_come_back():
    """A county in two arms around a neighbour: the road between the arms runs through the neighbour."""
    arms = {"W": town.polygon([(-2, -2), (6, -2), (6, 3), (-2, 3)]), "E": town.polygon([(14, -2), (22, -2), (22, 3), (14, 3)])}
    straight = town.street((0, 0), (10, 0), (20, 0))
    region = town.region(town.roads(straight), {"H": (0, 0)}, {"C": (20, 0)}, zones=arms)
    result = counted(region, town.definition(minutes=30))
    assert result.by_zone["covered_people_without_external"].iloc[-1] == 1, "20 blocks of 100 m at 4 km/h are 30 minutes"
    assert counted(region, town.definition(minutes=29.99)).by_zone["covered_people"].iloc[-1] == 0


def test_the_hospital_of_a_district_that_lies_inside_ours_is_external():
    ring = town.polygon([(-9, -9), (9, -9), (9, 9), (-9, 9)]).difference(town.polygon([(-1, -1), (1, -1), (1, 1), (-1, 1)]))
    roads = town.roads([((-5, 0), (0, 0)), ((0, 0), (5, 0))])
    region = town.region(roads, {"W": (-5, 0), "E": (5, 0), "inside the other": (0.5, 0)}, {"C": (0, 0)}, zones={"Z": ring})
    total = counted(region, town.definition()).by_zone.iloc[-1]
    assert region.facilities.external.tolist() == [True]
    assert (total["people"], total["covered_people"], total["covered_people_without_external"]) == (3, 3, 0)
