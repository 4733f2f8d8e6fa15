"""What a 120 log tells, against figures worked out by hand, and against the speeds that the example county's log was made with."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gridtown as town
import numpy as np
import pandas as pd
import pytest

from coverage.routes import network_pieces, routes
from coverage.snap import snap
from geodata.calls.log import read_calls
from geodata.calls.model import BY_COORDINATES, BY_SETTLEMENT, CANCELLED, DELIVERED, MISSING, STAMPS, Calls
from geodata.errors import InputError, OptionError
from geodata.examples.calls import KMH, PEAK, TURNOUT
from geodata.extent import widened
from geodata.model import RESOURCES, Region
from geodata.region import Prepared
from geodata.region_file import PlacesBlock
from geodata.standards import default_services, read_speeds
from geodata.store import open_region
from scenarios.call_runs import match_bases, percentile
from scenarios.call_speeds import fit_speeds
from scenarios.call_study import call_study
from scenarios.output.call_files import call_files, calls_json, speeds_toml
from scenarios.output.call_report import calls_text, settlement_table, withheld
from scenarios.output.writers import json_text, write_files
from scenarios.siting.region.weights import weights

DAY = 1_735_689_600  # 2025-01-01 0:00
MINUTES = (0, 1, 3, 13, 23, 43, 63)  # of the stamps after the call
HOMES = {"甲村": (1, 1), "乙村": (1, 9), "丙村": (9, 1), "丁村": (9, 9)}
STREETS = town.streets(11, 11)
FAST = {at: "primary" for at, piece in enumerate(STREETS) if piece[0][1] == piece[1][1] == 5}


def county(**columns: Sequence[object]) -> Region:
    return town.region(town.roads(STREETS, road_class=FAST), HOMES, {"A": (0, 5)}, kind="emergency_centre", urban=["甲村"], **columns)


def log(region: Region, home: Sequence[int], start_s: Sequence[int], **given: object) -> Calls:
    """Calls at settlements, each with its stamps some minutes after it, all sent from base A."""
    count = len(home)
    at = np.array(home, dtype=np.int64)
    placed = np.where(at >= 0, BY_SETTLEMENT, 0)
    calls = Calls(
        row=np.arange(2, count + 2),
        call=np.arange(count),
        lonlat=np.where(at[:, None] >= 0, region.demand.lonlat[at], np.nan),
        placed=placed,
        settlement=at,
        zone=np.where(at >= 0, 0, -1),
        stamp_s=np.array(start_s)[:, None] + 60 * np.array(MINUTES)[None, :],
        base=np.zeros(count, dtype=np.int64),
        bases=("A name",),
        outcome=np.full(count, DELIVERED),
        far=np.zeros(count, dtype=bool),
        unread=np.zeros(len(STAMPS), dtype=np.int64),
        dropped=("姓名",),
    )
    return replace(calls, **given)


def prepared(region: Region, calls: Calls) -> Prepared:
    return Prepared(replace(region, calls=calls), default_services(), town.speeds())


REGION = county()
TEN = log(REGION, [0] * 6 + [1] * 3 + [-1], [DAY + 3600 * n for n in range(10)])


def test_every_leg_is_the_time_between_its_stamps() -> None:
    legs = call_study(prepared(REGION, TEN)).legs.set_index("leg")
    minutes = {
        "dispatch": 1,
        "turnout": 2,
        "travel": 10,
        "scene": 10,
        "transport": 20,
        "handover_return": 20,
        "response": 13,
        "service": 62,
    }
    for leg, expected in minutes.items():
        assert legs.loc[leg, ["n", "mean_s", "p50_s", "p95_s"]].tolist() == [10, expected * 60, expected * 60, expected * 60]
    assert legs.loc["turnout", "share_within"] == 1.0


def test_service_time_is_the_sum_of_its_parts() -> None:
    legs = call_study(prepared(REGION, TEN)).legs.set_index("leg")["mean_s"]
    assert legs["service"] == legs[["turnout", "travel", "scene", "transport", "handover_return"]].sum()


def test_a_stamp_out_of_order_or_days_apart_leaves_out_its_legs_only() -> None:
    stamp_s = TEN.stamp_s.copy()
    stamp_s[0, 3] = stamp_s[0, 2] - 60
    stamp_s[1, 6] += 2 * 86_400
    stamp_s[2, 5] = MISSING
    legs = call_study(prepared(REGION, replace(TEN, stamp_s=stamp_s))).legs.set_index("leg")
    assert legs.loc["travel", ["n", "out_of_order"]].tolist() == [9, 1]
    assert legs.loc["scene", ["n", "p50_s", "p95_s"]].tolist() == [10, 600, 1260]
    assert legs.loc["handover_return", ["n", "too_long"]].tolist() == [8, 1]
    assert legs.loc["transport", "n"] == 9
    assert legs.loc["turnout", "n"] == 10


def test_a_percentile_is_an_observed_value_that_so_many_do_not_exceed() -> None:
    values = np.arange(1.0, 11.0)
    assert [percentile(values, share) for share in (0.5, 0.9, 0.95)] == [5.0, 9.0, 10.0]
    assert np.isnan(percentile(np.zeros(0), 0.5))


def test_the_busy_share_is_runs_an_hour_times_service_over_vehicles() -> None:
    busy = call_study(prepared(REGION, TEN), vehicles=2).busy
    assert busy.runs_per_hour == pytest.approx(10 / 24)
    assert busy.service_h == pytest.approx(62 / 60)
    assert busy.share == pytest.approx(10 / 24 * 62 / 60 / 2)
    assert (busy.most_at_once, busy.at_once_99) == (2, 2)


def test_vehicles_come_from_the_facilities_or_are_said_to_be_unknown() -> None:
    assert call_study(prepared(REGION, TEN)).busy.vehicles_from == "unknown"
    resources = np.full((1, len(RESOURCES)), np.nan)
    resources[0, RESOURCES.index("vehicles")] = 4
    known = replace(REGION, facilities=replace(REGION.facilities, resources=resources))
    busy = call_study(prepared(known, TEN)).busy
    assert (busy.vehicles, busy.vehicles_from) == (4.0, "facilities")
    assert busy.share == pytest.approx(busy.load / 4)


def test_a_vehicle_back_at_a_moment_is_free_at_it() -> None:
    apart = log(REGION, [0] * 5, [DAY + 62 * 60 * n for n in range(5)])
    assert call_study(prepared(REGION, apart)).busy.most_at_once == 1


def test_two_vehicles_to_one_call_are_one_call_and_the_first_to_arrive_answers_it() -> None:
    stamp_s = TEN.stamp_s.copy()
    stamp_s[1, :] = stamp_s[0, :]
    stamp_s[1, 3] -= 240
    calls = replace(TEN, call=np.array([0, 0, *range(1, 9)]), stamp_s=stamp_s)
    study = call_study(prepared(REGION, calls))
    assert (study.counts.records, study.counts.calls, study.counts.runs) == (10, 9, 10)
    assert study.by_hour["calls"].sum() == 9
    total = study.response.iloc[0]
    assert total["calls"] == 9
    assert study.response.set_index("name").loc["urban", "calls"] == 5
    assert total["p50_min"] == 13


def test_a_cancelled_call_is_a_call_and_no_run() -> None:
    stamp_s = TEN.stamp_s.copy()
    stamp_s[9, 1:6] = MISSING
    outcome = TEN.outcome.copy()
    outcome[9] = CANCELLED
    counts = call_study(prepared(REGION, replace(TEN, stamp_s=stamp_s, outcome=outcome))).counts
    assert (counts.calls, counts.runs, counts.cancelled) == (10, 9, 1)


def test_calls_by_settlement_and_of_none_are_all_calls() -> None:
    study = call_study(prepared(REGION, TEN))
    assert study.by_settlement.set_index("id")["calls"].to_dict() == {"甲村": 6, "乙村": 3, "丙村": 0, "丁村": 0}
    assert study.by_settlement["calls"].sum() + study.unassigned == study.counts.calls
    rate = study.by_settlement.set_index("id")["per_1000"]
    assert rate["甲村"] == pytest.approx(6 * 365 / 1 * 1000)


def test_a_call_by_coordinates_belongs_to_the_named_settlement_else_the_nearest_within_two_kilometres() -> None:
    spots = town.lonlat([(2, 2), (2, 2), (9, 28), (9, 40)])
    calls = log(REGION, [-1, 1, -1, -1], [DAY] * 4)
    calls = replace(calls, lonlat=spots, placed=np.full(4, BY_COORDINATES), zone=np.zeros(4, dtype=np.int64))
    study = call_study(prepared(REGION, calls))
    assert study.by_settlement.set_index("id")["calls"].to_dict() == {"甲村": 1, "乙村": 1, "丙村": 0, "丁村": 1}
    assert study.unassigned == 1


def test_coordinates_far_from_the_named_settlement_are_doubted() -> None:
    calls = log(REGION, [0], [DAY])
    calls = replace(calls, lonlat=town.lonlat([(60, 60)]), placed=np.array([BY_COORDINATES]))
    study = call_study(prepared(REGION, calls))
    assert study.counts.disagree == 1
    assert study.unassigned == 1


def test_months_without_a_call_are_in_the_table() -> None:
    study = call_study(prepared(REGION, log(REGION, [0, 0], [DAY, DAY + 65 * 86_400])))
    assert study.by_month.to_numpy().tolist() == [["2025-01", 1], ["2025-02", 0], ["2025-03", 1]]


def test_a_region_without_a_log_says_what_to_write() -> None:
    with pytest.raises(InputError, match="calls"):
        call_study(Prepared(REGION, default_services(), town.speeds()))


def test_no_vehicles_is_no_number_of_vehicles() -> None:
    with pytest.raises(OptionError):
        call_study(prepared(REGION, TEN), vehicles=0)


def test_a_base_is_found_by_name_or_by_the_only_name_that_holds_it() -> None:
    names = ("进贤县中医院", "进贤县人民医院（老院区）", "进贤县人民医院（新院区）", "李渡镇卫生院")
    places = replace(town.region(town.roads(STREETS), HOMES, {name: (n, 5) for n, name in enumerate(names)}).facilities, name=names)
    found = match_bases(["中医院", "进贤县人民医院(老院区)", "人民医院", "李渡镇 卫生院", "某站"], places)
    assert found.tolist() == [0, 1, -1, 3, -1]


def test_a_base_that_may_be_a_restricted_facility_is_not_shown() -> None:
    places = replace(REGION.facilities, restricted=np.array([True]))
    hidden = replace(REGION, facilities=places)
    for name in ("A name", "A nameless branch", "A"):
        assert call_study(prepared(hidden, replace(TEN, bases=(name,)))).by_base.empty
    two = replace(REGION, facilities=REGION.facilities.joined(places))  # of one name: neither is the base for certain
    assert call_study(prepared(two, TEN)).by_base.empty


def test_villages_of_one_name_in_two_townships_are_two() -> None:
    zones = {"West": town.polygon([(-1, -1), (5, -1), (5, 11), (-1, 11)]), "East": town.polygon([(5, -1), (11, -1), (11, 11), (5, 11)])}
    region = town.region(town.roads(STREETS, road_class=FAST), HOMES, {"A": (0, 5)}, kind="emergency_centre", zones=zones)
    region = replace(region, demand=replace(region.demand, settlement=("新村", "甲村", "新村", "甲村")))
    given = prepared(region, log(region, [0] * 6 + [2] * 3, [DAY + 3600 * n for n in range(9)]))
    calls = {(row.id, row.zone): row.calls for row in call_study(given).by_settlement.itertuples()}
    west, east = region.zones.name
    assert calls == {("新村", west): 6, ("新村", east): 3, ("甲村", west): 0, ("甲村", east): 0}
    assert weights(given, "calls").tolist() == [6, 0, 3, 0]


def test_few_calls_are_withheld_wherever_they_are_shown() -> None:
    table = pd.DataFrame({"calls": [0, 1, 4, 5], "rate": [0.0, 1.0, 4.0, 5.0]})
    assert withheld(table, "calls", ["rate"]).to_numpy().tolist() == [[0, None], ["<5", None], ["<5", None], [5, 5.0]]


def test_the_one_small_count_of_a_township_cannot_be_found_by_subtraction() -> None:
    shown = settlement_table(call_study(prepared(REGION, TEN))).set_index("id")["calls"].to_dict()
    assert shown == {"甲村": "≥5", "乙村": "<5", "丙村": 0, "丁村": 0}


def test_files_show_no_count_below_five(tmp_path: Path) -> None:
    calls = log(REGION, [0] * 6 + [1] * 3 + [2] * 2, [DAY + 3600 * n for n in range(11)])
    one = prepared(REGION, calls)
    study = call_study(one)
    write_files(tmp_path, call_files(one, study))
    written = (tmp_path / "calls_by_settlement.csv").read_text(encoding="utf-8-sig")
    assert "乙村,乙村,Z,2,<5," in written
    said = json.loads((tmp_path / "study.json").read_text(encoding="utf-8"))
    assert {row["name"]: row["calls"] for row in said["by_settlement"]} == {"甲村": 6, "乙村": "<5", "丙村": "<5", "丁村": 0}
    assert "<5" in calls_text(one, study)
    assert "姓名" in calls_text(one, study)


def test_a_restricted_base_appears_in_no_output_and_its_calls_count() -> None:
    region = county(restricted=[True])
    one = prepared(region, TEN)
    study = call_study(one)
    assert study.counts.runs == 10
    assert "A name" not in calls_text(one, study) + json_text(calls_json(one, study))


def test_a_route_is_as_long_by_class_as_it_is() -> None:
    roads = town.roads(STREETS, road_class=FAST)
    net = town.network(roads, "drive")
    classes = roads.road_class[network_pieces(roads, net)]
    origin, targets = (
        snap(net, town.lonlat(places), np.arange(len(places)), len(places)) for places in ([(0, 5)], [(7, 5), (3, 8), (10, 0)])
    )
    way = routes(net, classes, len(roads.class_names), origin, targets)
    assert (way.class_mm.sum(axis=1) + way.access_mm).tolist() == [700_000, 600_000, 1_500_000]
    assert way.ms.tolist() == [70_000, 60_000, 150_000]
    assert way.class_mm[0].tolist() == [700_000 if name == "primary" else 0 for name in roads.class_names]


def test_a_place_that_no_road_leads_to_has_no_route() -> None:
    roads = town.roads([*town.street((0, 0), (1, 0), (2, 0)), *town.street((20, 0), (21, 0))])
    net = town.network(roads, "drive")
    origin, targets = (snap(net, town.lonlat([place]), np.array([0]), 1) for place in ((0, 0), (21, 0)))
    way = routes(net, roads.road_class[network_pieces(roads, net)], 1, origin, targets)
    assert np.isinf(way.ms).all()
    assert not way.class_mm.any()


def _driven(kmh: dict[str, float], constant_s: float, noise: float = 0.0) -> Prepared:
    """Runs from A to places all over a town 22 km across, at given speeds, on the ways that are fastest at them."""
    wide = [tuple((x * 20, y * 20) for x, y in piece) for piece in STREETS]
    roads = town.roads(wide, road_class=FAST)
    homes = {name: (x * 20, y * 20) for name, (x, y) in HOMES.items()}
    region = town.region(
        roads,
        homes,
        {"A": (0, 100)},
        kind="emergency_centre",
        zones={"Z": town.polygon([(-300, -300), (300, -300), (300, 300), (-300, 300)])},
    )
    net = town.network(roads, "drive")
    classes = roads.road_class[network_pieces(roads, net)]
    rng = np.random.default_rng(15)
    spots = town.lonlat([(20 * x, y) for x, y in zip(rng.integers(0, 11, 400), rng.integers(0, 200, 400), strict=True)])
    pace = np.array([3600 / kmh[name] for name in roads.class_names])
    net = replace(net, **{way: np.rint(net.length_mm * pace[classes] / 1000).astype(np.int64) for way in ("forward_ms", "backward_ms")})
    origin, targets = snap(net, town.lonlat([(0, 100)]), np.array([0]), 1), snap(net, spots, np.arange(400), 400)
    way = routes(net, classes, len(pace), origin, targets)
    seconds = way.class_mm @ pace / 1e6 * np.exp(rng.normal(0, noise, 400)) + constant_s
    calls = log(region, [0] * 400, [DAY + 3600 * n for n in range(400)])
    stamp_s = calls.stamp_s.copy()
    stamp_s[:, 3] = stamp_s[:, 2] + np.rint(seconds).astype(np.int64)
    return prepared(region, replace(calls, lonlat=spots, placed=np.full(400, BY_COORDINATES), stamp_s=stamp_s))


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_the_speeds_that_runs_were_driven_at_are_found_again(noise: float) -> None:
    truth = {"primary": 66.0, "residential": 30.0}
    one = _driven(truth, 45.0, noise)
    fit = fit_speeds(one, one.region.calls, np.zeros(400, dtype=np.int64))
    assert fit is not None
    assert {speed.road_class: speed.kmh for speed in fit.classes} == pytest.approx(truth, rel=0.01 + noise / 2)
    assert fit.constant_s == pytest.approx(45, abs=3 + 300 * noise)
    assert {speed.assumed_kmh for speed in fit.classes} == {36.0}


def test_the_example_countys_log_gives_back_the_speeds_it_was_made_with(example: Path) -> None:
    county_ = open_region(example)
    region = county_.region
    block = PlacesBlock(file=Path("calls_120_2025.csv"), datum="wgs84")
    read = read_calls(block, example.parent, region.demand, region.zones, bounds=widened(region.zones.bounds, 20))
    study = call_study(replace(county_, region=replace(region, calls=read.calls)))
    assert study.counts.records == study.counts.calls == read.note.rows
    assert study.by_settlement["calls"].sum() + study.unassigned == study.counts.calls
    assert study.legs.set_index("leg").loc["turnout", "p50_s"] == pytest.approx(TURNOUT[0], rel=0.03)
    assert study.speeds is not None
    fitted = {one.road_class: one for one in study.speeds.classes}
    for name in ("secondary", "primary", "unclassified", "tertiary", "trunk", "residential"):  # in rush hours all are slower
        assert fitted[name].band_kmh["day"] == pytest.approx(KMH[name], rel=0.18), name
    factor = study.speeds.band_factor
    assert factor["peak"] / factor["day"] == pytest.approx(PEAK, abs=0.03)
    speed = study.speeds.band_speed
    assert speed["day"].factor / speed["peak"].factor == pytest.approx(PEAK, abs=0.03)
    assert all(one.good and one.low < one.factor < one.high for one in speed.values())


def test_too_few_runs_give_no_speeds_and_no_speeds_file() -> None:
    study = call_study(prepared(REGION, TEN))
    assert study.speeds is None
    assert "speeds.toml" not in call_files(prepared(REGION, TEN), study)


def test_the_speeds_file_is_read_back_with_the_fitted_speeds(tmp_path: Path) -> None:
    one = _driven({"primary": 66.0, "residential": 30.0}, 45.0)
    one = replace(one, region=replace(one.region, illustrative=False))
    (tmp_path / "speeds.toml").write_text(speeds_toml(one, call_study(one)), encoding="utf-8")
    drive = read_speeds(tmp_path / "speeds.toml").drive
    assert drive.classes == pytest.approx({"primary": 66.0, "residential": 30.0}, rel=0.01)
    assert (drive.kmh, drive.status) == (36.0, "V")
    assert f"{call_study(one).speeds.runs:,} 次出车" in drive.source


def test_the_same_log_gives_the_same_bytes(tmp_path: Path) -> None:
    one = _driven({"primary": 66.0, "residential": 30.0}, 45.0)
    files = [{path.name: path.read_bytes() for path in write_files(tmp_path / name, call_files(one, call_study(one)))} for name in "ab"]
    assert files[0] == files[1]
    assert set(files[0]) == {"calls_by_settlement.csv", "calls.xlsx", "study.json", "speeds.toml"}
