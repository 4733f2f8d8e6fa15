"""Norms as data and held against gridtown, where every requirement is reckoned by hand."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gridtown as town
import numpy as np
import pandas as pd
import pytest
from county_files import TOML, write_county

from geodata.calls.model import MISSING, STAMPS
from geodata.errors import InputError, OptionError
from geodata.model import RESOURCES, Region
from geodata.norms import MEASURES, Norm, Norms, default_norms, read_norms
from geodata.region import Prepared
from geodata.standards import Service, Services, default_services
from scenarios.cli import main
from scenarios.norms import NormsReport, area_kind, norms_report, timing
from scenarios.output.norms_report import norms_text

STREET = town.streets(31, 1)
TOWNSHIPS = {
    "甲镇": town.polygon([(-50, -50), (10.5, -50), (10.5, 100), (-50, 100)]),
    "乙街道": town.polygon([(10.5, -50), (100, -50), (100, 100), (10.5, 100)]),
}
HOMES = {"a": (2, 0), "b": (8, 0), "c": (20, 0)}
PEOPLE = {"a": 20_000, "b": 30_000, "c": 40_000}


def norm(**said: object) -> Norm:
    """One hospital for every 30,000 people, or what is said."""
    about = {"name_zh": "指标", "name_en": "norm", "document": "d", "status": "M", "unit": "sites", "base": "people", "value": 1.0}
    measured = {"measure": "facilities", "kinds": ("hospital",), "per": (30_000,)}
    return Norm.model_validate(about | measured | said)


def resources(**columns: list[float]) -> np.ndarray:
    count = len(next(iter(columns.values())))
    return np.column_stack([columns.get(name, [np.nan] * count) for name in RESOURCES])


def county(clinics: Mapping[str, tuple[float, float]] | None = None, **columns: Any) -> Region:
    clinics = {"one": (2, 0)} if clinics is None else clinics
    return town.region(town.roads(STREET), HOMES, clinics, people=PEOPLE, urban=["c"], zones=TOWNSHIPS, **columns)


def held(region: Region, one: Norm, **asked: Any) -> pd.DataFrame:
    """The rows of one norm by name of township, "合计 total" for the whole."""
    return report(region, one, **asked).rows.set_index("zone")


def report(region: Region, *norms: Norm, **asked: Any) -> NormsReport:
    services = Services(
        kinds=default_services().kinds,
        services={"medical": Service(name_zh="医疗", name_en="medical", definitions=(town.definition(),))},
    )
    prepared = Prepared(region, services, town.speeds())
    return norms_report(prepared, Norms(norms={f"n{at}": one for at, one in enumerate(norms)}), **asked)


def whole(region: Region, one: Norm, *columns: str, **asked: Any) -> tuple[Any, ...]:
    return tuple(held(region, one, **asked).loc["合计 total", list(columns)])


def test_a_requirement_is_rounded_up_to_whole_sites_and_a_whole_number_stays():
    assert whole(county(), norm(), "base", "required", "present", "shortfall", "status") == (90_000, 3, 1, 2, "short")
    assert whole(county(), norm(per=29_999), "required") == (4,)
    assert whole(county(), norm(value=0.1, per=3_000), "required") == (3,), "0.1 × 90,000 ÷ 3,000 is not quite 3 in floating point"


def test_each_township_is_reckoned_on_its_own_people():
    rows = held(county(), norm())
    assert rows["base"].tolist() == [50_000, 40_000, 90_000]
    assert rows["required"].tolist() == [2, 2, 3]
    assert rows["present"].tolist() == [1, 0, 1]
    assert rows["held"].tolist() == [False, False, True]


def test_the_urban_norm_speaks_of_urban_people_only():
    assert whole(county(), norm(scope="urban", per=10_000), "base", "required") == (40_000, 4)


def test_a_range_has_two_requirements_and_the_lower_one_decides():
    assert whole(county(), norm(per=[10_000, 90_000]), "required", "required_most", "shortfall_most", "status") == (1, 9, 8, "met")


def test_a_surplus_in_one_township_does_not_help_another():
    every = norm(scope="township", base="township", per=1)
    both_townships = {name: TOWNSHIPS[old] for name, old in (("甲镇", "甲镇"), ("乙乡", "乙街道"))}
    region = town.region(town.roads(STREET), HOMES, {"one": (2, 0), "two": (3, 0)}, people=PEOPLE, zones=both_townships)
    assert whole(region, every, "required", "present", "shortfall", "status") == (2, 2, 1, "short")


def test_a_subdistrict_is_no_township():
    assert whole(county(), norm(scope="township", base="township", per=1), "required", "status") == (1, "met")
    assert whole(county(), norm(scope="township", base="subdistrict", per=1), "required", "shortfall") == (1, 1)


def test_villages_are_counted_and_townships_without_one_need_nothing():
    rows = held(county(), norm(scope="township", base="village", per=1))
    assert rows["required"].tolist() == [2, 0, 2]
    assert rows["status"].tolist() == ["short", "none", "short"]


def test_a_facility_closed_or_outside_the_county_is_not_the_countys_own():
    clinics = {"open": (2, 0), "closed": (3, 0), "outside": (200, 0)}
    assert whole(county(clinics, open_to=["", "2025-12-31", ""]), norm(), "present") == (1,)


def test_a_restricted_facility_counts_and_is_not_named():
    region = county({"open": (2, 0), "secret": (3, 0)}, restricted=[False, True], capacity=[100.0, 60.0])
    beds = norm(measure="beds", unit="beds", per=1_000)
    assert whole(region, beds, "present", "required") == (160, 90)
    made = report(region, beds)
    assert "secret" not in norms_text(Prepared(region, default_services(), town.speeds()), made) + made.rows.to_csv()


def test_what_no_facility_states_cannot_be_told_and_is_not_nought():
    physicians = norm(measure="physicians", unit="staff", per=1_000)
    present, shortfall, status, missing = whole(county(), physicians, "present", "shortfall", "status", "missing_en")
    assert np.isnan(present)
    assert np.isnan(shortfall)
    assert status == "unknown"
    assert "0/1 facilities (hospital) state" in missing
    assert "physicians" in missing


def test_what_some_facilities_state_is_a_lower_bound():
    region = county({"one": (2, 0), "two": (20, 0)})
    region = replace(region, facilities=replace(region.facilities, resources=resources(physicians=[70.0, np.nan])))
    physicians = norm(measure="physicians", unit="staff", per=1_000)
    columns = ("stated", "of", "present", "required", "shortfall", "status")
    assert whole(region, physicians, *columns) == (1, 2, 70, 90, 20, "unknown")
    assert whole(region, norm(measure="physicians", unit="staff", per=2_000), *columns[2:]) == (70, 45, 0, "met"), "enough is enough"
    by_township = held(region, physicians)
    assert by_township["status"].tolist() == ["met", "unknown", "unknown"]


def test_a_kind_that_no_table_lists_cannot_be_told():
    status, missing = whole(county(), norm(kinds=("park",)), "status", "missing_en")
    assert status == "unknown"
    assert "no table has any park" in missing


def test_each_centre_must_be_large_enough():
    region = county({"large": (2, 0), "small": (3, 0), "exact": (20, 0)})
    region = replace(region, facilities=replace(region.facilities, resources=resources(floor_area_m2=[1500, 999, 1000])))
    large = norm(measure="floor_area_each", base="facilities", value=1000, per=1)
    assert whole(region, large, "required", "present", "shortfall") == (3, 2, 1)


def test_people_within_fifteen_minutes_are_counted_by_class_and_township():
    near = {"measure": "people_covered", "kinds": (), "unit": "people", "service": "medical", "definition": "d", "per": 1}
    rows = held(county(), norm(**near))
    assert rows["present"].tolist() == [50_000, 0, 50_000]  # the third home is 18 blocks from the clinic
    assert rows["shortfall"].tolist() == [0, 40_000, 40_000]
    assert whole(county(), norm(**near, scope="rural"), "base", "present", "status") == (50_000, 50_000, "met")
    counted = near | {"measure": "settlements_covered", "unit": "settlements", "base": "settlement"}
    assert whole(county(), norm(**counted), "required", "present", "shortfall") == (3, 2, 1)
    assert whole(county(), norm(**counted, scope="urban"), "required", "present") == (1, 0)


def test_a_definition_that_is_gone_and_a_document_without_a_figure_are_said():
    near = {"measure": "people_covered", "kinds": (), "unit": "people", "service": "medical", "per": 1}
    status, missing = whole(county(), norm(**near, definition="gone"), "status", "missing_en")
    assert status == "unknown"
    assert "gone" in missing
    assert whole(county(), norm(**near, definition="d", value=None), "status", "present") == ("no_figure", 50_000)


def test_the_people_of_a_county_are_multiplied_and_those_of_a_district_are_not():
    vehicles = norm(measure="vehicles", unit="vehicles", county_factor=3)
    jinxian, changjiang = (replace(county(), name=name) for name in ("进贤县（示意）", "昌江区"))
    assert whole(jinxian, vehicles, "required") == (9,)
    assert whole(changjiang, vehicles, "required") == (3,)
    assert whole(county(), vehicles, "required") == (3,), "a name that does not say is never taken for a county's"
    assert whole(jinxian, vehicles, "required", ambulance_base=1.0) == (3,)
    assert whole(changjiang, vehicles, "required", ambulance_base=3.0) == (9,)
    assert whole(county(), vehicles, "required", area="county") == (9,)
    with pytest.raises(OptionError, match="above 0"):
        report(county(), vehicles, ambulance_base=0.0)


@pytest.mark.parametrize(
    ("name", "kind"), [("进贤县", "county"), ("瑞昌市", "county"), ("昌江区", "district"), ("Changjiang District", "district")]
)
def test_the_name_tells_a_county_from_a_district(name, kind):
    assert area_kind(name).kind == kind


def test_turnout_is_counted_in_the_log_and_without_one_it_cannot_be_told():
    turnout = norm(measure="turnout", kinds=(), unit="calls", base="calls", value=0.95, per=1, within_s=180)
    assert whole(county(), turnout, "status") == ("unknown",)
    stamps = np.full((4, len(STAMPS)), MISSING, dtype=np.int64)
    stamps[:, STAMPS.index("dispatched")] = 1000
    stamps[:, STAMPS.index("departed")] = [1100, 1180, 1181, MISSING]
    log = replace(county().calls, stamp_s=stamps, zone=np.array([0, 1, -1, -1]))
    rows = held(replace(county(), calls=log), turnout)
    assert rows["base"].tolist() == [1, 1, 3]
    assert rows["present"].tolist() == [1, 1, 2]
    assert rows["required"].tolist()[-1] == 3


def test_a_figure_that_no_table_holds_is_stated_with_its_source():
    stated = {"measure": "stated", "kinds": (), "base": "area", "value": 5, "per": 1, "needs": "缺 · lacks it"}
    assert whole(county(), norm(**stated), "status", "missing_zh", "missing_en") == ("unknown", "缺", "lacks it")
    known = norm(**stated, present=3, present_source="局 2025")
    assert whole(county(), known, "required", "present", "shortfall", "status") == (5, 3, 2, "short")
    assert held(county(), known)["status"].tolist() == ["none", "none", "short"]
    queue = norm(**stated | {"unit": "min", "value": 30, "sense": "at_most"}, present=42, present_source="局")
    assert whole(county(), queue, "shortfall", "status") == (12, "short")


@pytest.mark.parametrize(("sense", "value", "status"), [("at_least", 90, "met"), ("at_least", 110, "unknown"), ("at_most", 90, "short")])
def test_a_lower_bound_tells_only_what_the_rest_cannot_turn(sense: str, value: int, status: str):
    region = county({"said": (2, 0), "unsaid": (3, 0)}, capacity=[100.0, np.nan])
    assert whole(region, norm(measure="beds", unit="beds", base="area", per=1, value=value, sense=sense), "status") == (status,)
    assert whole(region, norm(measure="beds", unit="beds", base="area", per=1, value=110, sense="at_most"), "status") == ("unknown",)


def test_a_norm_lapses_and_comes_into_force_as_exactly_as_its_dates_are_known():
    day = dt.date(2026, 1, 1)
    assert timing(norm(expiry="2022-12"), day) == "expired"
    assert timing(norm(expiry="2026"), day) == "in_force"
    assert timing(norm(date="2026-02"), day) == "future"
    assert timing(norm(date="2026", by=2030), day) == "due"
    assert timing(norm(by=2025), day) == "passed"


def test_the_plan_of_one_county_is_not_held_against_another():
    made = report(replace(county(), name="进贤县"), norm(place="进贤"), norm(place="昌江"), norm(area="district"))
    assert list(made.norms) == ["n0"]
    assert made.elsewhere == ("n1", "n2")


def test_every_default_norm_states_its_document_and_keeps_contradictions():
    norms = default_norms().norms
    assert all(one.document and one.name_zh and one.name_en for one in norms.values())
    assert {one.measure for one in norms.values()} <= set(MEASURES)
    assert norms["jinxian_physicians_2020_text"].value == 2.32
    assert norms["jinxian_physicians_2020_table"].value == 2.88
    assert norms["jinxian_general_practitioners"].force == "binding"
    assert [key for key, one in norms.items() if one.force == "binding"] == ["jinxian_general_practitioners"]
    assert norms["sports_area"].yields_to == "changjiang_sports_area"
    assert norms["ambulances"].county_factor == 3
    for key, one in norms.items():
        assert all(key in norms[other].conflicts for other in one.conflicts if norms[other].yields_to != key)


def own_file(folder: Path, text: str) -> Norms:
    (folder / "norms.toml").write_text(text, encoding="utf-8")
    return read_norms(folder / "norms.toml", default_services())


def test_a_bureaus_own_file_overrides_by_key_and_adds(tmp_path: Path):
    changed = '[norms.jinxian_beds]\nvalue = 7.5\ndocument = "正式文本"\nstatus = "V"\n'
    added = (
        '[norms.own]\nname_zh = "献血点"\nname_en = "o"\ndocument = "d"\nmeasure = "facilities"\nunit = "sites"\n'
        'value = 1\nbase = "area"\nkinds = ["hospital"]\nstatus = "V"\n'
    )
    norms = own_file(tmp_path, changed + added).norms
    assert norms["jinxian_beds"].value == 7.5
    assert norms["jinxian_beds"].per == (1000,), "what is not said stays"
    assert norms["own"].name_zh == "献血点"
    assert norms["ambulances"] == default_norms().norms["ambulances"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[norms.jinxian_beds]\nvalue = 7.5\n", "by which document"),
        ('[norms.ambulances]\nmeasure = "helicopters"\n', "tcm_physicians"),
        ('[norms.ambulances]\nkinds = ["hangar"]\n', "'hangar' does not exist"),
        ('[norms.ambulances]\nunit = "beds"\n', "must be vehicles"),
        ("[norms.ambulances]\ncolour = 1\n", "colour"),
        ('[norms.ambulances]\nconflicts = ["nothing"]\n', "'nothing' does not exist"),
        ("[norms.jinxian_elder_friendly]\npresent = 3\n", "present_source"),
    ],
)
def test_an_own_file_that_does_not_fit_is_refused_and_says_why(tmp_path: Path, text: str, said: str):
    with pytest.raises(InputError, match=said):
        own_file(tmp_path, text)


def test_the_command_shows_both_ambulance_bases_and_writes_the_same_bytes_twice(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["norms", str(example)]) == 0
    text = capsys.readouterr().out
    assert "× 1 → 21, × 3 → 63" in text
    assert "示意数据" in text
    for name in ("one", "two"):
        assert main(["norms", str(example), "--ambulance-base", "1", "--out", str(tmp_path / name), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
    by_key = {row["key"]: row for row in said["norms"]}
    assert by_key["ambulances"]["required"] == 21
    assert by_key["jinxian_beds"]["required"] == 5087  # 8.2 × 620,254 ÷ 1,000 = 5,086.08
    assert said["ambulance_base"] == 1
    written = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert written == ["norms.csv", "norms.json", "norms.xlsx", "norms_by_township.csv"]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in written)


def test_the_command_reads_the_file_that_the_region_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    region = write_county(tmp_path, {"region.toml": TOML.replace('name = "某县"', 'name = "进贤县"\nnorms = "own.toml"')})
    (tmp_path / "own.toml").write_text('[norms.jinxian_elder_friendly]\npresent = 5\npresent_source = "局 2025"\n', encoding="utf-8")
    assert main(["norms", str(region), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {row["key"]: row["status"] for row in said["norms"]}["jinxian_elder_friendly"] == "met"
