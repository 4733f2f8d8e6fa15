"""Floating catchments: shares worked out by hand on gridtown, nobody's share lost, and pysal's access as the judge."""

import json
import math
from dataclasses import replace
from pathlib import Path

import gridtown as town
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, corners, directions, places, towns

from coverage.studies.floating import AccessResult, Pairs, Step, default_steps, floating_access, two_steps
from geodata.errors import InputError, OptionError
from geodata.model import Region
from geodata.region import Prepared
from geodata.standards import Limit, default_services
from scenarios.cli import main
from scenarios.commands.access import read_steps
from scenarios.output.access_report import access_text

STREET = town.roads(town.streets(21, 1))
STEPS = (Step(4.5, 1.0), Step(9.0, 0.5), Step(13.5, 0.25))  # 3, 6 and 9 blocks
ALL_TOWN = {"Z": town.polygon([(-50, -50), (100, -50), (100, 100), (-50, 100)])}


def access(region: Region, *, steps=STEPS, supply="capacity", **said: object) -> AccessResult:
    definition = town.definition(**said)
    return floating_access(region, definition, town.network(region.roads, definition.mode), supply=supply, steps=steps)


def per_1000(found: AccessResult, suffix: str = "") -> dict[str, float]:
    return dict(zip(found.settlements["id"], found.settlements[f"per_1000{suffix}"], strict=True))


# --- by hand


def test_supply_is_shared_among_the_people_in_reach_by_their_weights():
    homes = {"near": (3, 0), "middle": (6, 0), "far": (9, 0), "beyond": (10, 0)}
    people = {"near": 100, "middle": 200, "far": 400, "beyond": 800}
    found = access(town.region(STREET, homes, {"H": (0, 0)}, people=people, capacity=[30.0]))
    # 30 beds for 100 × 1 + 200 × 0.5 + 400 × 0.25 = 300 weighted people: 100 for 1,000; each limit itself is within
    assert per_1000(found) == pytest.approx({"near": 100, "middle": 50, "far": 25, "beyond": 0})
    assert found.by_facility[["people", "weighted_people", "per_1000"]].to_numpy().tolist() == [[700, 300, pytest.approx(100)]]
    total = found.by_zone.iloc[-1]
    assert total["per_1000"] == pytest.approx(30 / 1500 * 1000)
    assert total["people_none"] == 800
    assert found.gaps[["id", "cause", "nearest_id", "nearest_minutes"]].to_numpy().tolist() == [["beyond", "too_far", "H", 15]]


def test_two_facilities_add_up_and_compete_for_nobody_twice():
    homes, clinics = {"west": (1, 0), "between": (6, 0), "east": (11, 0)}, {"A": (0, 0), "B": (12, 0)}
    people = {"west": 100, "between": 200, "east": 400}
    found = access(town.region(STREET, homes, clinics, people=people, capacity=[10.0, 30.0]))
    # A: 10 for 100 + 100, B: 30 for 400 + 100
    assert per_1000(found) == pytest.approx({"west": 50, "between": 0.5 * 50 + 0.5 * 60, "east": 60})
    ratios = found.settlements["ratio"].to_numpy()
    assert ratios == pytest.approx(np.array([50, 55, 60]) / (40 / 700 * 1000))
    assert (ratios * people_of(found)).sum() / 700 == pytest.approx(1)


def people_of(found: AccessResult) -> np.ndarray:
    return found.settlements["people"].to_numpy()


def test_one_step_of_weight_1_is_the_method_of_luo_and_wang():
    homes, clinics = {"west": (1, 0), "between": (6, 0), "east": (11, 0)}, {"A": (0, 0), "B": (12, 0)}
    people = {"west": 100, "between": 300, "east": 100}
    found = access(town.region(STREET, homes, clinics, people=people, capacity=[8.0, 4.0]), steps=[Step(9, 1)])
    assert per_1000(found) == pytest.approx({"west": 20, "between": 30, "east": 10})


@pytest.mark.parametrize(("direction", "expected"), [("to_facility", {"W": 0.0, "E": 10.0}), ("from_facility", {"W": 10.0, "E": 0.0})])
def test_times_are_one_way_in_the_direction_of_the_definition(direction, expected):
    one_way = town.roads([((10 - x, 0), (9 - x, 0)) for x in range(10)], permit=dict.fromkeys(range(10), town.FORWARD))  # westwards
    region = town.region(one_way, {"W": (2, 0), "E": (8, 0)}, {"H": (5, 0)}, people={"W": 100, "E": 100}, capacity=[1.0])
    assert per_1000(access(region, mode="drive", direction=direction, steps=[Step(1, 1)])) == expected


def test_the_delay_before_the_vehicle_moves_is_part_of_the_time():
    region = town.region(STREET, {"h": (3, 0)}, {"H": (0, 0)}, people={"h": 100}, capacity=[1.0])
    late = access(region, steps=[Step(4.5, 1), Step(6, 0.5)], turnout_s=60, call_handling_s=30)
    assert late.by_facility["weighted_people"].tolist() == [50]


def test_facilities_outside_are_told_apart_and_their_supply_is_not_lost():
    zones = {"Z": town.polygon([(-1, -5), (10, -5), (10, 5), (-1, 5)])}
    homes, people = {"a": (1, 0), "b": (9, 0), "abroad": (11, 0)}, {"a": 100, "b": 100, "abroad": 300}
    region = town.region(STREET, homes, {"A": (0, 0), "X": (12, 0)}, people=people, zones=zones, capacity=[10.0, 40.0])
    found = access(region, steps=[Step(4.5, 1)])
    assert found.by_facility["external"].tolist() == [False, True]
    assert per_1000(found) == pytest.approx({"a": 100, "b": 100})  # X: 40 for b and those abroad, who are in no table
    assert per_1000(found, "_without_external") == pytest.approx({"a": 100, "b": 0})
    total = found.by_zone.iloc[-1]
    assert (total["people"], total["people_none"], total["people_none_without_external"]) == (200, 0, 100)
    assert found.people_outside == 300
    assert found.supply_in_reach == 50


def test_a_restricted_facility_counts_and_is_never_named():
    homes, clinics = {"near": (3, 0), "far": (20, 0)}, {"secret": (5, 0), "open": (0, 0)}
    region = town.region(STREET, homes, clinics, people={"near": 100, "far": 100}, capacity=[50.0, 10.0], restricted=[True, False])
    found = access(region)
    assert per_1000(found)["near"] == pytest.approx(600)
    assert found.supply_total == 60
    for table in (found.settlements, found.by_zone, found.by_facility, found.gaps):
        assert "secret" not in table.to_csv()
    unknown = access(town.region(STREET, homes, clinics, capacity=[math.nan, 10.0], restricted=[True, False]))
    assert unknown.unstated == ()
    assert unknown.unstated_not_shown == 1


def test_a_restricted_facility_that_states_no_supply_is_told_by_number_only():
    homes, clinics = {"near": (3, 0)}, {"secret": (5, 0), "open": (0, 0), "silent": (1, 0)}
    region = town.region(STREET, homes, clinics, capacity=[math.nan, 10.0, math.nan], restricted=[True, False, False])
    prepared = Prepared(region, default_services(), town.speeds())
    text = access_text(prepared, "medical", access(region))
    assert "另有 1 家不列名机构未给出" in text
    assert "another 1 not listed state none" in text
    assert "合计至少 in all at least 10" in text
    assert "secret" not in text
    unlisted = access_text(prepared, "medical", access(replace(region, facilities=region.facilities.take([0, 1]))))
    assert "1 家不列名机构未给出" in unlisted
    assert "at least" not in access_text(prepared, "medical", access(replace(region, facilities=region.facilities.take([1]))))


def test_a_supply_that_is_not_stated_counts_as_none_and_is_named():
    homes, clinics = {"near": (3, 0), "far": (20, 0)}, {"A": (0, 0), "B": (20, 0)}
    found = access(town.region(STREET, homes, clinics, people={"near": 100, "far": 100}, capacity=[10.0, math.nan]))
    assert found.unstated == ("B name",)
    assert found.by_zone.iloc[-1]["people_none"] == 100
    assert found.gaps[["id", "nearest_id"]].to_numpy().tolist() == [["far", "A"]]
    assert found.by_facility.set_index("id").loc["B"].isna()[["supply", "per_1000"]].all()


def test_a_facility_that_reaches_nobody_gives_nothing_away():
    region = town.region(
        STREET, {"empty": (0, 0), "home": (20, 0)}, {"A": (0, 0), "B": (20, 0)}, people={"empty": 0, "home": 10}, capacity=7.0
    )
    found = access(region)
    assert per_1000(found) == pytest.approx({"empty": 0, "home": 700})
    assert (found.supply_total, found.supply_in_reach) == (14, 7)
    assert found.by_zone.iloc[-1]["people_none"] == 0
    assert found.gaps.empty


def test_the_range_is_that_of_the_spreads():
    region = town.region(STREET, {"a": (1, 0), "b": (8, 0)}, {"H": (0, 0)}, people={"a": 100, "b": 100}, capacity=[10.0])
    other = np.array([[100.0, 100.0], [200.0, 0.0]])
    found = access(replace(region, demand=replace(region.demand, spreads=other, spread_names=("people", "frontage"))))
    first = found.settlements.iloc[0]
    assert (first["per_1000"], first["per_1000_low"], first["per_1000_high"]) == pytest.approx((80, 50, 80))
    total = found.by_zone.iloc[-1]
    assert (total["per_1000_low"], total["per_1000_high"]) == pytest.approx((50, 50))  # 10 beds, 200 people, however they live


def test_a_township_without_people_has_no_mean():
    zones = {"W": town.polygon([(-1, -5), (5, -5), (5, 5), (-1, 5)]), "E": town.polygon([(5, -5), (30, -5), (30, 5), (5, 5)])}
    found = access(town.region(STREET, {"a": (1, 0)}, {"H": (0, 0)}, people={"a": 100}, zones=zones, capacity=[10.0]))
    assert found.by_zone["per_1000"].tolist() == pytest.approx([100, math.nan, math.nan, 100, 100], nan_ok=True)


def test_the_steps_are_thirds_of_the_longer_limit_unless_given():
    assert default_steps(town.definition(minutes=15, rural=Limit(minutes=30))) == (Step(10, 1), Step(20, 0.68), Step(30, 0.22))


# --- what is asked wrongly


def test_a_definition_without_minutes_and_an_unknown_supply_are_told_at_once():
    region = town.region(STREET, {"a": (1, 0)}, {"H": (0, 0)}, capacity=[1.0])
    with pytest.raises(OptionError) as caught:
        access(region, supply="magic", straight_m=1000)
    assert "has no minutes" in str(caught.value)
    assert "No supply 'magic'" in str(caught.value)


@pytest.mark.parametrize("said", ["5:1,5:0.5", "5:0.5,10:1", "5:0", "0:1", "5:nan", "inf:1", "", "5", "a:b"])
def test_steps_that_do_not_fit_are_refused_with_an_example(said):
    region = town.region(STREET, {"a": (1, 0)}, {"H": (0, 0)}, capacity=[1.0])
    with pytest.raises(OptionError, match=r"5:1,10:0\.68,15:0\.22"):
        access(region, steps=read_steps(said))


def test_facilities_without_the_supply_are_told():
    with pytest.raises(InputError, match="states nurses above 0"):
        access(town.region(STREET, {"a": (1, 0)}, {"H": (0, 0)}), supply="nurses")


# --- what always holds

pairs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.sampled_from([1.0, 0.68, 0.22])), unique_by=lambda one: one[:2])
some_places = st.lists(places, min_size=1, max_size=4)
amounts = st.floats(0, 1e6, allow_subnormal=False).map(lambda value: round(value, 2))


def as_pairs(rows: list[tuple[int, int, float]]) -> Pairs:
    point, facility, weight = np.array(rows, dtype=float).reshape(-1, 3).T
    return Pairs(point.astype(int), facility.astype(int), weight)


@PROFILE
@given(rows=pairs, supply=st.lists(amounts, min_size=4, max_size=4), people=st.lists(amounts, min_size=6, max_size=6))
def test_what_the_people_have_is_what_the_facilities_that_reach_anybody_give(rows, supply, people):
    near, given_, living = as_pairs(rows), np.array(supply), np.array(people)
    ratio, found = two_steps(near, given_, living)
    reaching = np.bincount(near.facility, living[near.point], minlength=4) > 0
    assert math.fsum(living * found) == pytest.approx(math.fsum(given_[reaching]))
    assert (ratio[~reaching] == 0).all()
    doubled = two_steps(Pairs(near.point, near.facility, near.weight * 2), given_, living)[1]
    assert doubled == pytest.approx(found), "only what the weights are to each other counts"


@settings(PROFILE, max_examples=20)
@given(
    said=towns(), homes=st.lists(places, min_size=1, max_size=4), clinics=st.lists(corners, min_size=1, max_size=3), direction=directions
)
def test_nobody_s_share_is_lost_in_any_town_and_the_order_of_the_facilities_decides_nothing(said, homes, clinics, direction):
    at_home = {f"h{n}": place for n, place in enumerate(homes)}
    at = {f"f{n}": place for n, place in enumerate(clinics)}
    region = town.region(town.roads(**said), at_home, at, zones=ALL_TOWN, capacity=np.arange(1.0, len(at) + 1))
    found = access(region, mode="drive", direction=direction, steps=[Step(1, 1), Step(2, 0.5)])
    shared = (people_of(found) * found.settlements["per_1000"]).sum() / 1000
    assert shared == pytest.approx(found.supply_in_reach)
    turned = replace(region, facilities=region.facilities.take(np.arange(len(at))[::-1]))
    assert per_1000(access(turned, mode="drive", direction=direction, steps=[Step(1, 1), Step(2, 0.5)])) == pytest.approx(per_1000(found))


@pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")  # of pandas, in pysal's access
@pytest.mark.filterwarnings("ignore:The inplace keyword:PendingDeprecationWarning")
def test_pysal_gives_the_same_access():
    from access import Access, weights  # noqa: PLC0415 — takes its time

    random = np.random.default_rng(15)
    minutes, people, supply = random.integers(1, 20, (40, 6)), random.integers(0, 500, 40), random.integers(1, 90, 6)
    home, clinic = (at.ravel() for at in np.indices(minutes.shape))
    judge = Access(
        demand_df=pd.DataFrame({"id": range(40), "people": people}),
        demand_index="id",
        demand_value="people",
        supply_df=pd.DataFrame({"id": range(6), "supply": supply}),
        supply_index="id",
        supply_value="supply",
        cost_df=pd.DataFrame({"from": home, "to": clinic, "minutes": minutes.ravel()}),
        cost_origin="from",
        cost_dest="to",
        cost_name="minutes",
    )
    steps = {5: 1.0, 10: 0.68, 15: 0.22}
    judged = judge.enhanced_two_stage_fca(cost="minutes", supply_values="supply", max_cost=15, weight_fn=weights.step_fn(steps))
    weight = np.array([*steps.values(), 0.0])[np.searchsorted(list(steps), minutes.ravel())]
    ours = two_steps(Pairs(home, clinic, weight).take(weight > 0), supply.astype(float), people.astype(float))[1]
    assert ours == pytest.approx(judged["e_supply" if "e_supply" in judged else judged.columns[0]].reindex(range(40), fill_value=0.0))
    assert (ours > 0).sum() > 30


# --- the command


def test_the_command_tells_the_method_and_writes_tables_that_add_up(example: Path, tmp_path: Path, capsys):
    asked = ["access", str(example), "--service", "medical", "--definition", "drive", "--supply", "physicians"]
    assert main([*asked, "--out", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "doi:10.1016/j.healthplace.2009.06.002" in text
    assert "≤ 5 min: 1，≤ 10 min: 0.68，≤ 15 min: 0.22" in text
    assert "县外机构的供给" in text, "the figures with external facilities are warned of"
    said = json.loads((tmp_path / "access.json").read_text("utf-8"))
    shared = math.fsum(one["people"] * one["per_1000"] for one in said["settlements"]) / 1000
    assert shared == pytest.approx(said["supply_in_reach"])
    inner = math.fsum(one["supply"] for one in said["facilities"] if one["supply"] and not one["external"])
    assert math.fsum(one["people"] * one["per_1000_without_external"] for one in said["settlements"]) / 1000 == pytest.approx(inner)
    assert said["total"]["people_none"] == math.fsum(gap["people"] for gap in said["gaps"])
    written = ["access.csv", "access.json", "access.xlsx", "access_by_township.csv", "access_facilities.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == written
    assert main([*asked, "--steps", "15-1"]) == 2
    assert "--steps" in capsys.readouterr().err
