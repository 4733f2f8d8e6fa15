"""Replay of a 120 log and of made-up calls: worked out by hand on a street, and on the example county."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import gridtown as town
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.calls.model import BY_SETTLEMENT, CANCELLED, DELIVERED, FINISHED, MISSING, STAMPS, TREATED, Calls
from geodata.errors import InputError, OptionError
from geodata.model import RESOURCES, Region
from geodata.region import Prepared
from geodata.standards import ServiceDefinition, default_services
from scenarios.call_runs import percentile
from scenarios.model import Close, Open, Scenario
from scenarios.output.replay_report import replay_json, replay_text, shared_figures, shared_unreached
from scenarios.output.writers import json_text
from scenarios.replay.figures import LEAST_DAYS, NAMES, Sample, Told, measured
from scenarios.replay.replay import Replay, replay, replay_points
from scenarios.replay.terms import ReplayTerms

DAY = 1_735_689_600  # 2025-01-01 0:00
STREET = town.roads(town.streets(41, 1))
POINT = "standby_point"
HOMES = {"a": (5, 0), "b": (15, 0)}
PLACES = {"P": ((0, 0), POINT), "H": ((20, 0), "hospital")}
HELD = ReplayTerms(scene_minutes=10, after_scene_minutes=20)
GO_S = 180 + 50  # turnout, then five blocks
BUSY_S = GO_S + 1800 + 200  # the scene and the hospital, then twenty blocks back from it


def response(**said: Any) -> ServiceDefinition:
    """A minute at the telephone, three to turn out, then by car: a block takes ten seconds."""
    about = {"kinds": (POINT,), "mode": "drive", "direction": "from_facility", "call_handling_s": 60, "turnout_s": 180}
    return town.definition(**about | said)


def county(
    places: Mapping[str, tuple[town.Node, str]] = PLACES, homes: Mapping[str, town.Node] = HOMES, **columns: Sequence[object]
) -> Region:
    at = {one: place for one, (place, _) in places.items()}
    return town.region(STREET, homes, at, kind=[kind for _, kind in places.values()], urban=["b"], **columns)


def log(region: Region, home: Sequence[int], received_s: Sequence[float], **said: Any) -> Calls:
    """Calls at settlements, with the moment of the call and no other stamp unless given."""
    count, at = len(home), np.array(home, dtype=np.int64)
    stamps = np.full((count, len(STAMPS)), MISSING)
    stamps[:, 0] = DAY + np.array(received_s)
    usual = {
        "row": np.arange(count),
        "call": np.arange(count),
        "lonlat": np.where(at[:, None] >= 0, region.demand.lonlat[at], np.nan),
        "placed": np.where(at >= 0, BY_SETTLEMENT, 0),
        "settlement": at,
        "zone": np.where(at >= 0, 0, -1),
        "stamp_s": stamps,
        "base": np.zeros(count, dtype=np.int64),
        "bases": ("P name",),
        "outcome": np.full(count, DELIVERED),
        "far": np.zeros(count, dtype=bool),
        "unread": np.zeros(len(STAMPS), dtype=np.int64),
        "dropped": (),
    }
    return Calls(**usual | said)


def ready(region: Region, calls: Calls | None = None) -> Prepared:
    return Prepared(region if calls is None else replace(region, calls=calls), default_services(), town.speeds())


def played(home: Sequence[int], received_s: Sequence[float], region: Region | None = None, **said: Any) -> Replay:
    region = region or county()
    calls = log(region, home, received_s, **{name: said.pop(name) for name in list(said) if name in Calls.__dataclass_fields__})
    return replay(ready(region, calls), said.pop("definition", response()), said.pop("terms", HELD), **said)


def figure(result: Replay, name: str, group: str = "all", column: str = "before") -> float:
    return float(result.figures.set_index(["figure", "group"]).loc[(name, group), column])


def at(lon_lat: town.Node) -> dict[str, float]:
    lon, lat = town.lonlat([lon_lat])[0]
    return {"lon": lon, "lat": lat}


TWO = Scenario(name="two", changes=(Open(id="Q", name="Q name", kind=POINT, **at((10, 0))),))


def test_response_is_call_handling_turnout_and_drive():
    result = played([0], [0])
    assert figure(result, "median_minutes") == pytest.approx((60 + GO_S) / 60)
    assert figure(result, "waiting_calls") == 0
    assert math.isnan(figure(result, "wait_minutes"))


def test_the_second_call_waits_until_the_only_vehicle_is_back():
    result = played([0, 0], [0, 60])
    wait = BUSY_S - 60
    assert figure(result, "waiting_calls") == 1
    assert figure(result, "share_waiting") == 0.5
    assert figure(result, "wait_minutes") == pytest.approx(wait / 60)
    assert figure(result, "p90_minutes") == pytest.approx((60 + wait + GO_S) / 60)
    assert figure(result, "utilisation") == pytest.approx(2 * BUSY_S / 86_400)


def test_a_plan_is_played_with_the_same_calls_beside_the_points_as_they_are():
    result = played([0, 0], [0, 60], scenario=TWO)
    assert figure(result, "waiting_calls", column="after") == 0
    assert figure(result, "p90_minutes", column="after") == pytest.approx((60 + GO_S) / 60)
    assert figure(result, "waiting_calls", column="change") == -1
    assert result.by_point[["side", "id", "vehicles", "runs"]].to_numpy().tolist() == [
        ["before", "P", 1, 2],
        ["after", "P", 1, 1],
        ["after", "Q", 1, 1],
    ], "equally near, P goes first"
    assert result.fleet.to_dict("records")[1] == {"side": "after", "vehicles": 2, "points": 2, "assumed": 2, "external": 0}


def test_the_empty_plan_changes_nothing():
    result = played([0, 0, 1], [0, 60, 90], scenario=Scenario())
    table = result.figures
    pd.testing.assert_series_equal(table["before"], table["after"], check_names=False)
    assert (table["change"].dropna() == 0).all()


def test_vehicles_are_those_of_the_table_or_as_given():
    columns = {name: [np.nan, np.nan] for name in RESOURCES} | {"vehicles": [2, np.nan]}
    two = county(**columns)
    assert figure(played([0, 0], [0, 60], two), "waiting_calls") == 0
    assert figure(played([0, 0], [0, 60], two, vehicles={"P": 1}), "waiting_calls") == 1
    assert played([0], [0], two).fleet["assumed"].tolist() == [0]
    assert replay_points(ready(two), response(), TWO) == ("P", "Q")


def test_a_point_has_its_own_turnout():
    assert figure(played([0], [0], county(turnout_s=[30.0, np.nan])), "median_minutes") == pytest.approx((60 + 30 + 50) / 60)


def test_who_is_treated_on_the_spot_needs_no_hospital_and_the_vehicle_returns_from_there():
    result = played([0], [0], outcome=np.array([TREATED]))
    assert figure(result, "utilisation") == pytest.approx((GO_S + 600 + 50) / 86_400)


def test_without_a_hospital_the_vehicle_returns_from_the_scene():
    alone = county({"P": ((0, 0), POINT)})
    assert figure(played([0], [0], alone), "utilisation") == pytest.approx((GO_S + 1800 + 50) / 86_400)


def test_a_run_that_is_cancelled_on_the_way_holds_a_vehicle_and_has_no_response():
    region = county()
    calls = log(region, [0, 0], [0, 60], outcome=np.array([CANCELLED, DELIVERED]))
    stamps = calls.stamp_s.copy()
    stamps[0, 1], stamps[0, FINISHED] = DAY + 60, DAY + 660
    result = replay(ready(region, replace(calls, stamp_s=stamps)), response(), HELD)
    assert figure(result, "calls") == 1
    assert figure(result, "wait_minutes") == pytest.approx((60 + 600 - 120) / 60)
    assert (result.played.calls, result.played.cancelled_on_way, result.played.cancelled_before) == (2, 1, 0)


def test_what_is_cancelled_before_or_nowhere_is_not_played_and_told():
    result = played([0, 0, -1], [0, 60, 120], outcome=np.array([DELIVERED, CANCELLED, DELIVERED]))
    assert (result.played.calls, result.played.cancelled_before, result.played.without_place) == (1, 1, 1)


def test_of_two_vehicles_sent_to_a_call_the_first_to_arrive_counts():
    result = played([0, 0], [0, 0], call=np.array([0, 0]), scenario=TWO)
    assert figure(result, "calls", column="after") == 1
    assert figure(result, "median_minutes", column="after") == pytest.approx((60 + GO_S) / 60)
    assert result.by_point.set_index(["side", "id"]).loc["after", "runs"].tolist() == [1, 1]
    assert figure(result, "waiting_calls") == 0, "the second vehicle of a call keeps nobody waiting"


def test_limits_are_those_of_the_class_and_inclusive():
    exact = (60 + 180 + 150) / 60  # to b, fifteen blocks away
    limits = {"urban": town.definition(minutes=exact).urban, "rural": town.definition(minutes=1).rural}
    result = played([0, 1], [0, 86_400], definition=response().model_copy(update=limits))
    assert figure(result, "share_within", "urban") == 1
    assert figure(result, "share_within", "rural") == 0
    assert figure(result, "share_within") == 0.5


def test_whom_no_vehicle_can_reach_is_counted_and_listed():
    far = county(homes=HOMES | {"c": (5, 30)})
    result = played([0, 2, 2], [0, 86_400, 90_000], far)
    assert figure(result, "calls") == 3
    assert figure(result, "unreached_calls") == 2
    assert figure(result, "share_within") == pytest.approx(1 / 3)
    assert math.isnan(figure(result, "p90_minutes"))
    row = result.unreached.to_dict("records")
    assert [(one["id"], one["class"], one["cause"], one["calls_before"]) for one in row] == [("c", "rural", "off_network", 2)]


def test_without_any_point_everybody_is_unreached():
    result = played([0], [0], scenario=Scenario(changes=(Close(id="P"),)))
    assert figure(result, "unreached_calls", column="after") == 1
    assert result.unreached.to_dict("records")[0]["cause"] == "no_facility"
    assert result.by_point["side"].tolist() == ["before"]


def test_a_restricted_point_serves_and_is_not_told():
    both = PLACES | {"R": ((5, 0), POINT)}
    result = played([0], [0], county(both, restricted=[False, False, True]))
    assert figure(result, "median_minutes") == pytest.approx((60 + 180) / 60)
    assert result.by_point["id"].tolist() == ["P"]
    prepared = ready(county(both, restricted=[False, False, True]))
    assert replay_points(prepared, response(), None) == ("P",)
    assert "R name" not in replay_text(prepared, result) + json_text(replay_json(prepared, "emergency", result))


def by_the_rules(region: Region, count: int) -> Calls:
    """A log as its vehicles would have made it: a call every six hours, each by turns from a and b, taken to the hospital."""
    home = np.arange(count) % 2
    calls = log(region, home.tolist(), (np.arange(count) * 21_600).tolist())
    drive, back = np.where(home == 0, 50, 150), 200
    legs = np.column_stack(
        [np.full(count, 60), np.full(count, 180), drive, np.full(count, 600), np.full(count, 300), np.full(count, 900 + back)]
    )
    stamps = np.column_stack([calls.stamp_s[:, 0], calls.stamp_s[:, :1] + legs.cumsum(axis=1)])
    return replace(calls, stamp_s=stamps)


def test_a_log_that_was_made_by_the_rules_is_replayed_as_it_was():
    region = county()
    calls = by_the_rules(region, 60)
    result = replay(ready(region, calls), response())
    assert result.played.after_minutes == pytest.approx((300 + 900) / 60), "the way back is taken off, and driven again"
    assert result.played.scene_minutes == 10
    observed = (calls.stamp_s[:, 3] - calls.stamp_s[:, 0]) / 60
    assert figure(result, "median_minutes") == percentile(observed, 0.5) == result.played.observed_median_minutes
    held = (calls.stamp_s[:, FINISHED] - calls.stamp_s[:, 1]).sum()
    assert figure(result, "utilisation") == pytest.approx(held / (15 * 86_400))


def test_missing_stamps_are_the_median_of_the_others_and_told():
    region = county()
    calls = by_the_rules(region, 60)
    stamps = calls.stamp_s.copy()
    stamps[0, 4] = MISSING
    result = replay(ready(region, replace(calls, stamp_s=stamps)), response())
    assert (result.played.scene_assumed, result.played.after_assumed) == (1, 1)
    assert result.played.scene_minutes == 10


def test_the_order_of_the_records_makes_no_difference():
    region = county()
    calls = by_the_rules(region, 60)
    order = np.random.default_rng(1).permutation(60)
    columns = [field.name for field in dataclasses.fields(Calls) if getattr(calls, field.name) is not calls.bases]
    mixed = replace(calls, **{name: getattr(calls, name)[order] for name in columns if len(getattr(calls, name)) == 60})
    one, other = (replay(ready(region, some), response(), scenario=TWO) for some in (calls, mixed))
    pd.testing.assert_frame_equal(one.figures, other.figures)
    pd.testing.assert_frame_equal(one.by_point, other.by_point)


def test_days_that_are_all_alike_leave_no_doubt():
    days = LEAST_DAYS + 1
    result = played([0, 0] * days, [day * 86_400 + s for day in range(days) for s in (0, 60)])
    assert figure(result, "p90_minutes", column="before_low") == figure(result, "p90_minutes", column="before_high")
    assert figure(result, "share_waiting", column="before_low") == 0.5
    short = played([0, 0], [0, 60])
    assert math.isnan(figure(short, "share_waiting", column="before_low")), "of one day nothing can be drawn"


def test_days_that_differ_leave_some_doubt():
    days = 4 * LEAST_DAYS
    calls = [(day * 86_400 + s, home) for day in range(days) for s in (0, 60)[: 1 + day % 2] for home in (day % 4 // 2,)]
    result = played([home for _, home in calls], [s for s, _ in calls], scenario=TWO)
    low, high = (figure(result, "share_waiting", column=f"before_{end}") for end in ("low", "high"))
    assert low < figure(result, "share_waiting") < high


MADE_UP = replace(HELD, per_day=50, days=20, runs=4)


def test_made_up_calls_are_the_same_for_a_seed_and_others_for_another():
    prepared = ready(county())
    one, again, other = (replay(prepared, response(), replace(MADE_UP, seed=seed)) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one.figures, again.figures)
    assert not one.figures["before"].equals(other.figures["before"])
    assert one.played.weigh == "residents"
    assert one.played.profile == "even"


def test_made_up_calls_come_as_often_as_asked_and_where_people_live():
    result = replay(ready(county()), response(), replace(MADE_UP, runs=20))
    calls = figure(result, "calls")
    assert abs(calls - 1000) < 4 * math.sqrt(1000 / 20), "Poisson"
    assert figure(result, "calls", "urban") / calls == pytest.approx(2 / 3, abs=0.02), "b has two people, a one"
    assert figure(result, "calls", column="before_low") < 1000 < figure(result, "calls", column="before_high")


def test_made_up_calls_follow_the_hours_and_the_services_of_the_log():
    region = county()
    calls = by_the_rules(region, 60)
    result = replay(ready(region, calls), response(), ReplayTerms(per_day=20, days=30, runs=2))
    assert result.played.profile == "log"
    assert result.played.weigh == "calls"
    assert result.played.scene_minutes == 10
    assert result.played.after_minutes == pytest.approx(20)


def test_made_up_calls_of_a_log_come_from_its_places_those_that_nobody_reaches_too():
    far = county(homes=HOMES | {"c": (5, 30)})
    calls = by_the_rules(far, 60)
    there = np.full((60, 2), far.demand.lonlat[2])
    half = replace(
        calls, lonlat=np.where(np.arange(60)[:, None] % 2 == 0, there, calls.lonlat), settlement=np.where(np.arange(60) % 2, 1, 2)
    )
    result = replay(ready(far, half), response(), ReplayTerms(per_day=20, days=30, runs=2))
    assert figure(result, "unreached_calls") / figure(result, "calls") == pytest.approx(0.5, abs=0.05)
    assert result.unreached["id"].tolist() == ["c"]


def test_a_vehicle_more_lowers_the_wait_of_made_up_calls():
    prepared = ready(county())
    one, two = (replay(prepared, response(), MADE_UP, vehicles={"P": count}) for count in (1, 2))
    assert figure(two, "share_waiting") < figure(one, "share_waiting")
    assert figure(two, "utilisation") < figure(one, "utilisation")


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"per_day": 0.0}, "--synthetic"),
        ({"per_day": 1.0, "days": 0, "runs": 0}, "--runs"),
        ({"seed": -1}, "--seed"),
        ({"scene_minutes": -1.0}, "--scene"),
        ({"after_scene_minutes": math.inf}, "--after-scene"),
        ({"per_day": 1e6, "days": 100}, "--days"),
    ],
)
def test_terms_that_cannot_be_are_refused(terms, words):
    with pytest.raises(OptionError, match=words):
        ReplayTerms(**terms)


def test_what_cannot_be_replayed_is_refused():
    prepared = ready(county())
    with pytest.raises(OptionError, match="--synthetic"):
        replay(prepared, response(), HELD)
    with pytest.raises(OptionError, match=r"(?s)--scene.*--after-scene"):
        replay(prepared, response(), ReplayTerms(per_day=3))
    with pytest.raises(OptionError, match="--after-scene"):
        played([0], [0], terms=ReplayTerms(scene_minutes=1))
    with pytest.raises(OptionError, match="response"):
        replay(prepared, response(network_m=500), MADE_UP)
    with pytest.raises(OptionError, match="response"):
        replay(prepared, response(direction="to_facility"), MADE_UP)
    with pytest.raises((InputError, OptionError), match="120"):
        replay(prepared, response(), replace(MADE_UP, weigh="calls"))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([60_000.0, 120_000.0, 300_000.0, np.inf]), st.booleans()), min_size=1, max_size=15
    ),
    st.lists(st.integers(0, 3), min_size=4, max_size=4),
)
def test_figures_of_weighed_days_are_those_of_the_days_so_many_times(calls, weight):
    """Brute force: the calls of a day that counts twice, written twice."""
    day, ms, urban = (np.array(column) for column in zip(*calls, strict=True))
    one = told_of(day, ms, urban)
    repeated = np.repeat(np.arange(len(day)), np.array(weight)[day])
    found = dict(zip(NAMES, measured(one, np.array([1]), np.array([weight]))[0], strict=False))
    some = ms[repeated] / 60_000
    assert found["calls", "all"] == len(repeated)
    for name, share in (("median_minutes", 0.5), ("p90_minutes", 0.9)):
        expected = percentile(some, share)
        assert found[name, "all"] == expected or (math.isnan(found[name, "all"]) and not math.isfinite(expected))
    mine = urban[repeated].astype(bool)
    if mine.any():
        assert found["share_within", "urban"] == pytest.approx((some[mine] <= 2).mean())
    else:
        assert math.isnan(found["share_within", "urban"])


def told_of(day: Any, ms: Any, urban: Any) -> Told:
    nothing = np.zeros(len(day), dtype=np.int64)
    return Told(day, urban.astype(bool), ms, ms <= 120_000, nothing, nothing.astype(bool), np.zeros((4, 1), dtype=np.int64), np.zeros(1))


def test_the_interval_of_several_runs_is_student_s():
    low, high = Sample(np.array([2.0]), np.array([[1.0], [2.0], [3.0]]), is_log=False).interval()
    half = 4.302653 / math.sqrt(3)
    assert (low[0], high[0]) == (pytest.approx(2 - half), pytest.approx(2 + half))
    low, _ = Sample(np.array([2.0]), np.array([[2.0]]), is_log=False).interval()
    assert math.isnan(low[0]), "one run tells nothing of the spread"


def test_few_calls_of_a_log_are_withheld():
    far = county(homes=HOMES | {"c": (5, 30), "d": (6, 30)})
    homes = [0] * 8 + [1] * 3 + [2] * 2 + [3] * 6
    result = played(homes, [n * 21_600 for n in range(len(homes))], far)
    shown = shared_figures(result).set_index(["figure", "group"])["before"]
    assert math.isnan(shown["median_minutes", "urban"])
    assert shown["calls", "rural"] == 16
    assert shared_unreached(result).set_index("id")["calls_before"].to_dict() == {"c": "<5", "d": "≥5"}
    made_up = replay(ready(far), response(), MADE_UP)
    assert shared_unreached(made_up)["calls_before"].dtype == np.float64
