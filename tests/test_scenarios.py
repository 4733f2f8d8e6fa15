"""Scenarios: small changes on a copy, before and after by township; on gridtown, where people come in powers of two."""

import json
from dataclasses import replace
from pathlib import Path

import gridtown as town
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE, places, towns

from coverage.stats import coverage
from geodata.errors import InputError, OptionError
from geodata.model import RESOURCES
from geodata.region import Prepared
from geodata.standards import default_services
from scenarios.compare import compare
from scenarios.model import Close, Equip, Move, Open, Scenario, changed_region, parse_scenario, read_scenario
from scenarios.siting.region.standby import site_standby

STREET = town.streets(41, 1)  # 4 km
HOMES = {"H0": (0, 0), "H1": (10, 0), "H2": (20, 0), "H3": (30, 0), "H4": (40, 0)}  # 1, 2, 4, 8, 16 people
CLINICS = {"C": (10, 0), "D": (40, 0)}  # C serves H0, H1, H2; D serves H3, H4


def prepared_town(**columns: object) -> Prepared:
    region = town.region(town.roads(STREET), HOMES, CLINICS, **columns)
    return Prepared(region, default_services(), town.speeds())


def opened(one: str, x: float, **said: object) -> Open:
    lon, lat = town.lonlat([(x, 0)])[0].tolist()
    return Open(id=one, name=f"{one} name", kind="hospital", lon=lon, lat=lat, **said)


def moved(one: str, x: float) -> Move:
    lon, lat = town.lonlat([(x, 0)])[0].tolist()
    return Move(id=one, lon=lon, lat=lat)


def people(table, column: str, row: str = "total") -> float:
    return float(table.set_index("row").loc[row, column])


def test_the_empty_scenario_is_the_baseline():
    found = compare(prepared_town(), Scenario(), town.definition())
    assert found.before.by_zone.equals(found.after.by_zone)
    assert (found.before.covers != found.after.covers).nnz == 0
    assert len(found.changed) == len(found.sites) == 0


def test_closing_a_clinic_loses_exactly_those_whom_only_it_served():
    found = compare(prepared_town(), Scenario().then(Close(id="C")), town.definition())
    assert people(found.by_zone, "lost_people") == 1 + 2 + 4
    assert people(found.by_zone, "gained_people") == 0
    assert found.changed[["id", "change"]].to_numpy().tolist() == [["H2", "lost"], ["H1", "lost"], ["H0", "lost"]]
    assert found.sites[["id", "state", "people"]].to_numpy().tolist() == [["C", "closed", 7.0]]


def test_a_moved_clinic_gains_some_and_loses_others():
    found = compare(prepared_town(), Scenario().then(moved("D", 25)), town.definition())
    assert people(found.by_zone, "lost_people") == 16
    assert people(found.by_zone, "gained_people") == 0, "H2 was served before, H3 still is"
    assert found.sites[["id", "state", "people"]].to_numpy().tolist() == [["D", "moved", 4.0 + 8.0]]


def test_a_new_clinic_gains_those_whom_nobody_served():
    found = compare(prepared_town(), Scenario().then(Close(id="D"), opened("N", 30)), town.definition())
    assert people(found.by_zone, "gained_people") == 0
    assert people(found.by_zone, "lost_people") == 0, "N reaches H2, H3 and H4"
    assert found.sites["state"].tolist() == ["closed", "new"]


def test_a_point_in_a_facility_that_exists_has_its_entrances_and_turnout():
    prepared = prepared_town(turnout_s=[np.nan, 300.0])
    changed = changed_region(prepared, Scenario().then(Open(id="P", name="", kind="standby_point", host="D")))
    host, point = (changed.facilities.take(np.array([at])) for at in (1, 2))
    assert (point.entrance == host.entrance).all()
    assert point.turnout_s[0] == 300.0
    assert (point.id, point.name, point.kind) == (("P",), ("P",), ("standby_point",))


def test_changes_apply_in_their_order():
    scenario = Scenario().then(opened("N", 30), moved("N", 0), Close(id="N"))
    assert compare(prepared_town(), scenario, town.definition()).after.by_zone.equals(
        compare(prepared_town(), Scenario(), town.definition()).before.by_zone
    )


def test_a_facility_that_the_definition_does_not_count_changes_nothing():
    scenario = Scenario().then(opened("N", 30).model_copy(update={"kind": "park"}))
    found = compare(prepared_town(), scenario, town.definition())
    assert found.before.by_zone.equals(found.after.by_zone)
    assert len(found.sites) == 0


def test_all_changes_that_do_not_fit_are_told_at_once():
    scenario = Scenario().then(
        Close(id="nowhere"),
        opened("C", 3),
        Open(id="Q", name="", kind="cinema", lon=116.0, lat=28.0),
        Open(id="R", name="", kind="hospital"),
        Close(id="D"),
        moved("D", 3),
        Open(id="S", name="", kind="hospital", host="nowhere"),
    )
    with pytest.raises(OptionError) as error:
        changed_region(prepared_town(), scenario)
    assert [problem.en.split(":")[0] for problem in error.value.problems] == [f"Change {n}" for n in (1, 2, 3, 4, 6, 7)]


def test_a_restricted_facility_is_not_there_to_be_changed_and_never_listed():
    prepared = prepared_town(restricted=[True, False])
    for change in (Close(id="C"), moved("C", 3), Open(id="P", name="", kind="hospital", host="C")):
        with pytest.raises(OptionError, match=r"no facility 'C'"):
            changed_region(prepared, Scenario().then(change))
    found = compare(prepared, Scenario().then(Close(id="D")), town.definition())
    assert found.sites["id"].tolist() == ["D"]
    assert people(found.by_zone, "covered_people_after") == 7, "it still serves"


def test_a_scenario_file_comes_back_as_it_was(tmp_path: Path):
    scenario = Scenario(name="甲\u003cb\\ {{7*7}}", region="县", region_fingerprint="f").then(opened("N", 30), moved("C", 2), Close(id="D"))
    (tmp_path / "s.json").write_text(scenario.to_json(), encoding="utf-8")
    assert read_scenario(tmp_path / "s.json") == scenario


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no json", "no scenario file"),
        ("[" * 100_000, "no scenario file"),
        ('{"a": NaN}', '"circle15": "scenario" is missing'),
        ("[1]", '"circle15": "scenario" is missing'),
        ('{"circle15": "scenario", "changes": [{"do": "explode", "id": "C"}]}', "change 1"),
        ('{"circle15": "scenario", "changes": [{"do": "move", "id": "C", "lon": 500, "lat": 1}]}', "change 1: move.lon"),
        (
            '{"circle15": "scenario", "changes": [{"do": "move", "id": "C", "lon": 28.4, "lat": 116.2}]}',
            "change 1: move.lat: A latitude of 116.2",
        ),
        ('{"circle15": "scenario", "changes": [{"do": "close", "id": "C", "why": 1}], "colour": 2}', "colour"),
        ('{"circle15": "scenario", "changes": [{"do": "open", "id": "N", "name": "", "kind": "x", "lon": NaN, "lat": 1}]}', "lon"),
    ],
)
def test_a_file_that_is_no_scenario_is_told_by_its_name_and_key(text: str, told: str):
    with pytest.raises(InputError) as error:
        parse_scenario(text, "plan.json")
    assert told in str(error.value)
    assert "plan.json" in str(error.value)


def test_a_missing_scenario_file_is_an_error_of_ours(tmp_path: Path):
    with pytest.raises(InputError, match=r"none\.json"):
        read_scenario(tmp_path / "none.json")


def test_moving_a_new_point_opens_it_there_and_closing_it_leaves_no_trace():
    scenario = Scenario().then(opened("N", 30)).moved("N", 116.0, 28.0).moved("N", 116.1, 28.1)
    assert [(change.do, change.lon, change.lat) for change in scenario.changes] == [("open", 116.1, 28.1)]
    assert scenario.closed("N") == Scenario()
    assert scenario.closed("C").without("C") == scenario


def test_of_a_facility_that_is_moved_again_only_the_last_move_is_kept():
    scenario = Scenario().moved("C", 116.0, 28.0).then(opened("N", 30)).moved("C", 116.1, 28.1)
    assert scenario.changes[1:] == (Move(id="C", lon=116.1, lat=28.1),)


def test_a_point_dragged_out_of_its_host_says_so_and_is_no_longer_of_the_plan():
    scenario = Scenario().then(Open(id="plan-D", name="D name", kind="hospital", host="D"))
    moved_once = scenario.moved("plan-D", 116.0, 28.0)
    assert moved_once.changes == (Open(id="moved-1", name="D name（移位 moved）", kind="hospital", lon=116.0, lat=28.0),)
    twice = moved_once.then(*scenario.changes).moved("plan-D", 116.1, 28.1)
    assert twice.opened == ("moved-1", "moved-2")


def test_a_scenario_of_another_county_is_told_first():
    with pytest.raises(OptionError) as error:
        changed_region(prepared_town(), Scenario(region="别县").then(Close(id="X")))
    assert error.value.problems[0].zh == "这个情景是在“别县”上做的，不是“gridtown”。"


@given(said=towns(), homes=st.lists(places, min_size=1, max_size=6), clinics=st.lists(places, min_size=2, max_size=4), new=places)
@PROFILE
def test_a_column_kept_is_the_column_searched_anew(said, homes, clinics, new):
    region = town.region(town.roads(**said), {f"H{i}": at for i, at in enumerate(homes)}, {f"C{i}": at for i, at in enumerate(clinics)})
    lon, lat = town.lonlat([new])[0].tolist()
    scenario = Scenario().then(Close(id="C0"), Open(id="N", name="", kind="hospital", lon=lon, lat=lat))
    definition = town.definition(mode="drive", minutes=1)
    network = town.network(region.roads, "drive")
    prepared = Prepared(region, default_services(), town.speeds(), {"drive": network})
    found = compare(prepared, scenario, definition)
    anew = coverage(changed_region(prepared, scenario), definition, network)
    assert (found.after.covers != anew.covers).nnz == 0
    assert found.after.by_zone.equals(anew.by_zone)
    assert found.after.gaps.equals(anew.gaps)
    grown = compare(prepared, scenario.without("C0"), definition)
    assert not (grown.before.covered & ~grown.after.covered).any(), "a facility more never lowers coverage"
    shrunk = compare(prepared, scenario.without("N"), definition)
    assert not (shrunk.after.covered & ~shrunk.before.covered).any(), "closing one never raises it"


def test_the_five_points_as_a_scenario_give_the_figures_of_the_plan(prepared: Prepared):
    plan = site_standby(prepared, "emergency", sites=5)
    new = [(one, name) for one, name, is_new in zip(plan.sites.id, plan.sites.name, plan.is_new, strict=True) if is_new]
    scenario = Scenario().then(*(Open(id=f"plan-{one}", name=name, kind="standby_point", host=one) for one, name in new))
    found = compare(prepared, scenario, plan.definition)
    assert found.before.by_zone.equals(plan.before)
    assert found.after.by_zone.equals(plan.after)


def test_without_any_candidate_the_column_that_makes_one_is_told():
    with pytest.raises(OptionError, match="可设急救点"):
        site_standby(prepared_town(), "emergency", sites=1)


def test_the_scenario_survives_json_of_its_own_kind_only():
    said = json.loads(Scenario().to_json())
    assert said == {"circle15": "scenario", "name": "", "region": "", "region_fingerprint": "", "changes": []}


def test_a_closed_facility_is_gone_from_the_region_and_the_region_itself_is_untouched():
    prepared = prepared_town()
    changed = changed_region(prepared, Scenario().then(Close(id="C")))
    assert changed.facilities.id == ("D",)
    assert prepared.region.facilities.id == ("C", "D")
    assert replace(changed, facilities=prepared.region.facilities).fingerprint == prepared.region.fingerprint


def test_a_facility_gets_other_vehicles_and_nothing_else_changes():
    prepared = prepared_town()
    scenario = parse_scenario(Scenario().then(Equip(id="C", vehicles=3)).to_json(), "s.json")
    facilities = changed_region(prepared, scenario).facilities
    assert facilities.resources[:, RESOURCES.index("vehicles")].tolist()[0] == 3
    assert np.isnan(prepared.region.facilities.resources).all(), "the region itself is untouched"
    found = compare(prepared, scenario, town.definition(kinds=("hospital",)))
    assert found.sites.empty
    with pytest.raises(OptionError, match="no facility 'Z'"):
        changed_region(prepared, Scenario().then(Equip(id="Z", vehicles=1)))
    with pytest.raises(InputError, match=r"change 1: equip\.vehicles"):
        parse_scenario('{"circle15": "scenario", "changes": [{"do": "equip", "id": "C", "vehicles": 0}]}', "s.json")


def test_a_line_with_lon_and_lat_swapped_is_asked_about_and_one_of_a_single_point_is_told_how_many_it_needs():
    road = {"do": "add_road", "id": "N", "highway": "primary", "line": [[28.4, 116.2], [28.5, 116.2]]}
    lines = (road["line"], [[116.2, 28.4]])
    said = []
    for line in lines:
        with pytest.raises(InputError) as caught:
            parse_scenario(json.dumps({"circle15": "scenario", "changes": [road | {"line": line}]}), "s.json")
        said.append(caught.value.problems[0].zh)
    assert said[0] == "s.json：第 1 项改动：add_road.line.0.1：纬度 116.2 超出 ±90：是不是经纬度写反了？经度在前。"
    assert said[1].startswith("s.json：第 1 项改动：add_road.line：至少要有 2 项")
