"""The example county in messy form is read to the same result as the clean one, with the confirmations a planner would give."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from openpyxl import load_workbook

from coverage.stats import coverage
from geodata.confirm import confirm
from geodata.datum.convert import from_wgs84
from geodata.errors import InputError, Question, UnconfirmedError
from geodata.model import Region
from geodata.region import read_region, survey
from geodata.region_file import read_region_file
from geodata.roads import great_circle_m
from geodata.store import FOLDER, open_region
from geodata.tables.rejects import numbered_rows
from scenarios.cli import main

ROUND_TRIP_M = 0.001
HEADER_ROWS = 4


@pytest.fixture(scope="module")
def questions(messy_county: Path) -> Sequence[Question]:
    """What is asked of the messy county."""
    with pytest.raises(UnconfirmedError) as asked:
        open_region(messy_county)
    assert not list(messy_county.parent.glob(f"{FOLDER}/*"))
    return asked.value.questions


@pytest.fixture(scope="module")
def settled(messy_county: Path, questions: Sequence[Question], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that was asked is answered as the data suggest; not to be changed."""
    path = copied(messy_county.parent, tmp_path_factory.mktemp("settled") / "county")
    confirm(path, questions, {})
    return path


@pytest.fixture(scope="module")
def tidy(settled: Path) -> Region:
    """The messy county as it is read once its questions are answered."""
    return read_region(settled)


@pytest.fixture
def confirmed(settled: Path, tmp_path: Path) -> Path:
    """A copy of the settled county, to be changed; without the 120 log, which takes long and plays no part in what follows."""
    path = copied(settled.parent, tmp_path / "confirmed")
    path.write_text(re.sub(r"^\[calls\][^\[]*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE), encoding="utf-8")
    return path


def copied(county: Path, to: Path) -> Path:
    """A copy of a county that was not read yet: the path of its region.toml."""
    return Path(shutil.copytree(county, to, ignore=shutil.ignore_patterns(FOLDER))) / "region.toml"


def in_order(region: Region) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Settlements and facilities by id."""
    people = region.demand.to_geodataframe().assign(old=region.demand.old).sort_values("id").reset_index(drop=True)
    return people, region.facilities.to_geodataframe().sort_values("id").reset_index(drop=True)


def test_an_undeclared_table_in_another_datum_is_not_read_until_it_is_confirmed(questions):
    files = {"村（社区）名册.csv": "gcj02", "医疗卫生机构一览表.xlsx": "gcj02", "采样点.xlsx": "bd09"}
    assert {question.asked.zh.split("：")[0]: question.value for question in questions} == files
    for question in questions:
        assert re.search(r"到最近道路的中位距离由 \d+ 米降为 \d+ 米", question.asked.zh)
        assert f'datum = "{question.value}"' in question.asked.en


def test_the_messy_county_gives_the_same_figures_as_the_clean_one(prepared, covered, tidy):
    (homes, places), (same_homes, same_places) = in_order(prepared.region), in_order(tidy)
    for mine, other in ((homes, same_homes), (places, same_places)):
        lonlat = [np.column_stack([shape.x, shape.y]) for shape in (mine.representative_point(), other.representative_point())]
        assert great_circle_m(*lonlat).max() < ROUND_TRIP_M
        pd.testing.assert_frame_equal(mine.drop(columns="geometry"), other.drop(columns="geometry"))
    by_zone = dict(zip(prepared.region.zones.id, prepared.region.zones.people, strict=True))
    assert dict(zip(tidy.zones.id, tidy.zones.people, strict=True)) == by_zone
    read = replace(prepared, region=tidy)
    for name, service in read.services.services.items():
        definition = service.definition(None)
        pd.testing.assert_frame_equal(coverage(tidy, definition, read.network_of(definition)).by_zone, covered(name).by_zone)


def test_registered_people_stand_beside_residents_and_never_for_them(tidy):
    zones = tidy.zones
    assert (zones.registered != zones.people).all()
    assert zones.registered.sum() > zones.people.sum() == 620254


def test_confirming_by_command_keeps_the_comments_and_writes_the_mapping(messy, capsys):
    comments = [line for line in messy.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    assert main(["tables", str(messy), "--confirm"]) == 0
    said = capsys.readouterr().out
    assert "合 计" in said
    text = messy.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line.startswith("#")] == comments
    described = read_region_file(messy)
    assert described.demand.datum == "gcj02"
    assert described.facilities[0].columns["lon"] == "坐标/经度"
    assert described.population.columns == {"zone": "乡镇名称", "people": "常住人口（万人）", "registered": "户籍人口（万人）"}
    assert main(["tables", str(messy), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["questions"] == []


def test_saying_that_a_table_is_wgs84_is_taken_and_told(messy):
    text = messy.read_text(encoding="utf-8")
    messy.write_text(re.sub(r'(file = "(村|医|采).*")', r'\1\ndatum = "wgs84"', text), encoding="utf-8")
    region = read_region(messy)
    told = {note.file: note for note in region.tables}
    assert told["采样点.xlsx"].datum == "wgs84"
    assert "BD-09" in told["采样点.xlsx"].evidence_zh
    assert {note.file for note in region.tables if note.verdict == "other"} == {
        "村（社区）名册.csv",
        "医疗卫生机构一览表.xlsx",
        "采样点.xlsx",
    }


def test_a_datum_in_a_header_is_held_against_the_evidence_too(messy):
    path = messy.parent / "采样点.xlsx"
    book = load_workbook(path)
    header = next(cell for row in book["采样点"].iter_rows() for cell in row if cell.value == "东经")
    header.value = "东经（高德）"
    book.save(path)
    (question,) = (one for one in survey(messy)[1].questions if one.asked.zh.startswith("采样点.xlsx"))
    assert question.value == "bd09"
    assert "文件写的是 gcj02。若为 BD-09" in question.asked.zh
    assert question.asked.en.endswith('if not, datum = "gcj02".')


def spoil(path: Path, change: Callable[[list[list[object]]], None]) -> None:
    """Change cells of the list of medical places."""
    book = load_workbook(path)
    sheet = book["一览表"]
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    change(rows)
    for at, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            if at > HEADER_ROWS:
                sheet.cell(at, column).value = cell
    book.save(path)


def test_rows_that_cannot_be_read_are_given_back_mended_and_read_again(confirmed, tmp_path, capsys):
    table = confirmed.parent / "医疗卫生机构一览表.xlsx"

    def two_slips(rows: list[list[object]]) -> None:
        rows[9][6], rows[12][3] = "若干", "按摩店"

    spoil(table, two_slips)
    with pytest.raises(InputError, match="若干") as stopped:
        read_region(confirmed)
    assert "--rejected" in str(stopped.value)
    assert main(["tables", str(confirmed), "--rejected", str(tmp_path / "back")]) == 2
    capsys.readouterr()
    given_back = tmp_path / "back" / "医疗卫生机构一览表-rejected.csv"
    with given_back.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[0] for row in rows[1:]] == ["10", "13"]
    header = rows[0]
    rows[1][header.index("床位数（张）")], rows[2][header.index("机构类别")] = "12", "村卫生室"
    mended = confirmed.parent / "mended.csv"
    with mended.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(rows)
    text = confirmed.read_text(encoding="utf-8").replace('一览表.xlsx"\n', '一览表.xlsx"\nmended = "mended.csv"\n')
    confirmed.write_text(text, encoding="utf-8")
    assert len(read_region(confirmed).facilities) == 450


def test_rows_left_out_on_demand_are_listed(confirmed):
    spoil(confirmed.parent / "医疗卫生机构一览表.xlsx", lambda rows: rows[9].__setitem__(6, "若干"))
    text = confirmed.read_text(encoding="utf-8").replace('一览表.xlsx"\n', '一览表.xlsx"\nbad_rows = "leave_out"\n')
    confirmed.write_text(text, encoding="utf-8")
    region = read_region(confirmed)
    assert len(region.facilities) == 449
    assert [(note.what, note.row) for note in region.row_notes if note.what == "left_out"] == [("left_out", 10)]


def test_places_without_coordinates_are_listed_or_put_at_their_village_if_asked(confirmed):
    path = confirmed.parent / "采样点.xlsx"
    book = load_workbook(path)
    sheet = book["采样点"]
    name = sheet["B5"].value
    sheet["D5"], sheet["E5"] = None, None
    book.save(path)
    region = read_region(confirmed)
    assert [(note.what, note.row, note.name) for note in region.row_notes] == [("unlocated", 5, name)]
    text = confirmed.read_text(encoding="utf-8").replace('kind = "采样点"\n', 'kind = "采样点"\nunlocated = "seat"\n')
    confirmed.write_text(text, encoding="utf-8")
    region, ledger = survey(confirmed)
    assert not ledger.problems
    assert [note.what for note in region.row_notes] == ["placed"]
    home = region.demand.name.index(name.removesuffix("采样点"))
    at = region.facilities.name.index(name)
    assert great_circle_m(region.demand.lonlat[[home]], region.facilities.entrance[[region.facilities.first_entrance[at]]])[0] < 1


def test_rows_in_another_datum_than_the_rest_are_found(example, tmp_path):
    folder = copied(example.parent, tmp_path / "mixed").parent
    book = load_workbook(folder / "medical.xlsx")
    sheet = book.worksheets[0]
    for row in range(100, 200):
        lonlat = np.array([[sheet.cell(row, 4).value, sheet.cell(row, 5).value]])
        sheet.cell(row, 4).value, sheet.cell(row, 5).value = from_wgs84(lonlat, "gcj02")[0].tolist()
    book.save(folder / "medical.xlsx")
    with pytest.raises(UnconfirmedError) as asked:
        read_region(folder / "region.toml")
    answers = {question.key: question.value for question in asked.value.questions}
    assert answers["datum"] == "wgs84"
    assert list(answers["datum_rows"]) == ["gcj02"]
    assert len(set(numbered_rows(answers["datum_rows"]["gcj02"])) ^ set(range(100, 200))) <= 2
    confirm(folder / "region.toml", asked.value.questions, {})
    assert len(read_region(folder / "region.toml").facilities) == 450


def test_a_bureaus_roads_in_another_datum_are_asked_about_and_read_where_they_are(example, prepared, tmp_path):
    folder = copied(example.parent, tmp_path / "bureau").parent
    clean = prepared.region
    layer = clean.roads.to_geodataframe().rename(columns={"highway": "class"})
    moved = shapely.transform(np.array(layer.geometry), lambda lonlat: from_wgs84(lonlat, "gcj02"))
    layer.set_geometry(gpd.GeoSeries(moved, crs=4326)).drop(columns=["way_id", "length_m"]).to_file(folder / "roads.gpkg", layer="links")
    toml = (folder / "region.toml").read_text(encoding="utf-8").replace("roads.osm.pbf", "roads.gpkg")
    (folder / "region.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(UnconfirmedError) as asked:
        read_region(folder / "region.toml")
    assert [(question.role, question.key, question.value) for question in asked.value.questions] == [("roads", "datum", "gcj02")]
    confirm(folder / "region.toml", asked.value.questions, {})
    read = read_region(folder / "region.toml")
    assert {note.verdict for note in read.tables if note.role == "demand"} == {"fits"}
    assert read.roads.length_mm.sum() == pytest.approx(clean.roads.length_mm.sum(), rel=1e-6)
