"""Rows that are not where they should be are told: by name, unless it is a restricted facility."""

from pathlib import Path

import pytest
from county_files import FILES, TOML, write_county, zones

from geodata.model import Region, RowNote
from geodata.region import read_region
from scenarios.cli import main

HEAD = "编码,名称,类别,经度,纬度,乡镇,涉密\n"
OPEN_PLACES = "H1,县医院,医院,116.005,28.305,西镇,否\n"


def read(folder: Path, hospitals: str, **said: str) -> Region:
    return read_region(county(folder, hospitals, **said))


def county(folder: Path, hospitals: str, **said: str) -> Path:
    lines = "".join(f'{name} = "{value}"\n' for name, value in said.items())
    toml = TOML.replace('file = "hospitals.csv"\n', f'file = "hospitals.csv"\n{lines}')
    return write_county(folder, {"hospitals.csv": HEAD + hospitals, "region.toml": toml})


def told(region: Region, what: str) -> list[RowNote]:
    return [note for note in region.row_notes if note.what == what]


def test_a_township_of_the_population_table_that_was_renamed_is_told(tmp_path):
    changed = {
        "zones.geojson": zones(吕蒙街道=(116.0, 116.01), 东岭镇=(116.01, 116.02)),
        "people.csv": "乡镇,常住人口\n吕蒙乡,1000\n东岭镇,2000\n",
        "villages.csv": FILES["villages.csv"].replace(",W,", ",吕蒙街道,").replace(",E,", ",东岭镇,"),
    }
    (note,) = told(read_region(write_county(tmp_path, changed)), "renamed")
    assert (note.role, note.file, note.row, note.zone) == ("population", "people.csv", 2, "吕蒙乡")
    assert "“吕蒙乡”按“吕蒙街道”对应" in note.reason_zh


def test_a_facility_outside_the_township_that_it_names_is_told(tmp_path):
    region = read(tmp_path, OPEN_PLACES + "H2,东镇卫生院,乡镇卫生院,116.005,28.305,东镇,否\nH3,站,医院,115.98,28.305,西镇,否\n")
    inside_out, outside = told(region, "other_zone")
    assert (inside_out.row, inside_out.name) == (3, "东镇卫生院")
    assert inside_out.reason_zh == "写在东镇，坐标在西镇（相距 0.5 公里）"
    assert "in 县外 outside by its place (2.0 km away)" in outside.reason_en


def test_a_facility_as_near_to_its_township_as_a_border_is_exact_is_in_it(tmp_path):
    assert not told(read(tmp_path, "H2,东镇卫生院,乡镇卫生院,116.0085,28.305,东镇,否\n"), "other_zone")


@pytest.mark.parametrize(
    ("row", "what", "said"),
    [
        ("H9,某部医院,医院,,,西镇,是\n", "placed", {"unlocated": "seat"}),
        ("H9,某部医院,医院,,,西镇,是\n", "unlocated", {}),
        ("H9,某部医院,医院,116.005,28.305,东镇,是\n", "other_zone", {}),
        ("H9,某部医院,看护所,116.005,28.305,西镇,是\n", "left_out", {"bad_rows": "leave_out"}),
        ("H9,某部医院,医院,116.005,28.305,西镇,保密\n", "left_out", {"bad_rows": "leave_out"}),
    ],
)
def test_of_a_restricted_facility_only_the_row_is_told(tmp_path, capsys, row, what, said):
    path = county(tmp_path, OPEN_PLACES + row, **said)
    (note,) = told(read_region(path), what)
    assert (note.row, note.id, note.name, note.zone) == (3, "", "", "")
    for options in ([], ["--json"]):
        assert main(["tables", str(path), *options]) == 0
        printed = capsys.readouterr().out
        assert "H9" not in printed
        assert "某部" not in printed
        assert "西村" not in printed


def test_a_facility_that_is_not_restricted_is_told_by_name(tmp_path):
    (note,) = told(read(tmp_path, OPEN_PLACES + "H2,新医院,看护所,116.005,28.305,西镇,否\n", bad_rows="leave_out"), "left_out")
    assert (note.row, note.id, note.name, note.zone) == (3, "H2", "新医院", "西镇")


def test_rejected_rows_of_facilities_are_given_back_with_a_warning(tmp_path, capsys):
    path = county(tmp_path / "county", OPEN_PLACES + "H9,某部医院,看护所,116.005,28.305,西镇,是\n")
    assert main(["tables", str(path), "--rejected", str(tmp_path / "back")]) == 2
    assert "restricted ones too" in capsys.readouterr().err
    assert "某部医院" in (tmp_path / "back" / "hospitals-rejected.csv").read_text(encoding="utf-8-sig")
