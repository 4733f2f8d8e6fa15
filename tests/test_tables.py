"""Tables as people keep them: formats, encodings, headers, cells, and what is refused, by file, row and value."""

import datetime as dt
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import example, given
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.standards import Kind
from geodata.tables.cells import entrances, iso_date, number, urban, yes_no
from geodata.tables.columns import POINTS, SETTLEMENTS, TOWNSHIP_PEOPLE, ZONES, count, facility_columns
from geodata.tables.csv_text import decode, read_csv_rows, read_csv_text
from geodata.tables.load import read_points, read_table

HEADER = ["编码", "村名", "经度", "纬度", "常住人口", "城乡"]
ROWS = [
    ["060816029.00", "张家村", "116.21", "28.31", "1024", "农村"],
    ["007", "民和社区", "116.22", "28.32", "2048", "城市"],
    ["360124100201", "李家", "116.23", "28.33", "1", "农村"],
]
KINDS = {"hospital": Kind(zh="医院", en="Hospital"), "park": Kind(zh="公园", en="park")}
FACILITIES = facility_columns(KINDS)


def write_csv(
    folder: Path, rows: Sequence[Sequence[object]], encoding: str = "utf-8", separator: str = ",", name: str = "table.csv"
) -> Path:
    path = folder / name
    path.write_bytes("\n".join(separator.join(map(str, row)) for row in rows).encode(encoding))
    return path


def write_xlsx(folder: Path, rows: Sequence[Sequence[object]], title: str = "表") -> Path:
    book, path = openpyxl.Workbook(), folder / "table.xlsx"
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path


def write_vector(folder: Path, rows: Sequence[Sequence[str]], ending: str) -> Path:
    table, path = pd.DataFrame(rows, columns=HEADER), folder / f"table{ending}"
    points = gpd.points_from_xy(table.pop("经度").astype(float), table.pop("纬度").astype(float))
    gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326").to_file(path)
    return path


FORMATS = {
    "xlsx": lambda folder: write_xlsx(folder, [HEADER, *ROWS]),
    "xlsx with numbers": lambda folder: write_xlsx(
        folder, [HEADER, *([r[0], r[1], float(r[2]), float(r[3]), int(r[4]), r[5]] for r in ROWS)]
    ),
    "xlsx with a title": lambda folder: write_xlsx(folder, [["附件1：村庄一览表"], [], HEADER, *ROWS]),
    "csv UTF-8": lambda folder: write_csv(folder, [HEADER, *ROWS]),
    "csv UTF-8 BOM": lambda folder: write_csv(folder, [HEADER, *ROWS], "utf-8-sig"),
    "csv GB18030": lambda folder: write_csv(folder, [HEADER, *ROWS], "gb18030"),
    "csv GBK": lambda folder: write_csv(folder, [HEADER, *ROWS], "gbk"),
    "csv UTF-16": lambda folder: write_csv(folder, [HEADER, *ROWS], "utf-16", "\t"),
    "csv semicolons": lambda folder: write_csv(folder, [HEADER, *ROWS], separator=";"),
    "csv tabs": lambda folder: write_csv(folder, [HEADER, *ROWS], separator="\t"),
    "csv CAPITALS": lambda folder: write_csv(folder, [HEADER, *ROWS], name="TABLE.CSV"),
    "GeoJSON": lambda folder: write_vector(folder, ROWS, ".geojson"),
    "GeoPackage": lambda folder: write_vector(folder, ROWS, ".gpkg"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_geodataframe_and_ids_stay_text(tmp_path, form):
    frame = read_table(FORMATS[form](tmp_path), SETTLEMENTS).reset_index(drop=True)
    expected = gpd.GeoDataFrame(
        {
            "id": ["060816029.00", "007", "360124100201"],
            "name": ["张家村", "民和社区", "李家"],
            "people": [1024.0, 2048.0, 1.0],
            "urban": [False, True, False],
        },
        geometry=gpd.points_from_xy([116.21, 116.22, 116.23], [28.31, 28.32, 28.33]),
        crs="EPSG:4326",
    )
    assert_geodataframe_equal(frame, expected, check_like=True)


# --- rows are numbered as the user sees them


def test_rows_of_a_csv_are_its_lines(tmp_path):
    assert list(read_table(write_csv(tmp_path, [["id", "lon", "lat"], [], ["a", 1, 2], ["", "", ""], ["b", 3, 4]]), POINTS).index) == [3, 5]


def test_rows_of_a_sheet_are_those_of_the_sheet(tmp_path):
    path = write_xlsx(tmp_path, [["医疗机构一览表"], [], ["id", "lon", "lat"], ["a", 1, 2], [], ["b", 3, 4]])
    assert list(read_table(path, POINTS).index) == [4, 6]


def test_features_count_from_1(tmp_path):
    assert list(read_table(write_vector(tmp_path, ROWS, ".gpkg"), SETTLEMENTS).index) == [1, 2, 3]


# --- sheets


def test_a_whole_number_in_a_sheet_has_no_decimal_point_and_keeps_the_zeros_it_shows(tmp_path):
    path = write_xlsx(tmp_path, [["id", "lon", "lat"], [360124100201, 1, 2], [7.0, 3, 4], [8, 5, 6]])
    book = openpyxl.load_workbook(path)
    book.active["A4"].number_format = "000"
    book.save(path)
    assert read_table(path, POINTS)["id"].tolist() == ["360124100201", "7", "008"]


def test_dates_of_a_sheet_are_dates(tmp_path):
    rows = [["id", "kind", "lon", "lat", "启用日期", "停用日期"], ["a", "医院", 1, 2, dt.datetime(2026, 3, 1), dt.date(2027, 1, 2)]]  # noqa: DTZ001 — a sheet knows no zone
    frame = read_table(write_xlsx(tmp_path, rows), FACILITIES)
    assert frame[["open_from", "open_to"]].to_numpy().tolist() == [["2026-03-01", "2027-01-02"]]


def test_a_sheet_is_chosen_by_name(tmp_path):
    path = write_xlsx(tmp_path, [["id", "lon", "lat"], ["first", 1, 2]], "甲")
    book = openpyxl.load_workbook(path)
    for row in (["id", "lon", "lat"], ["second", 1, 2]):
        (book["乙"] if "乙" in book.sheetnames else book.create_sheet("乙")).append(row)
    book.save(path)
    with pytest.raises(InputError, match=r"table\.xlsx: several sheets fit: 甲、乙\. Name one in region\.toml, like sheet = \"甲\""):
        read_table(path, POINTS)
    assert read_table(path, POINTS, sheet="甲")["id"].tolist() == ["first"]
    assert read_table(path, POINTS, sheet="乙")["id"].tolist() == ["second"]
    with pytest.raises(InputError, match=r"table\.xlsx: no sheet '丙'; there are: 甲, 乙"):
        read_table(path, POINTS, sheet="丙")


def test_an_error_in_a_cell_of_a_sheet_is_named(tmp_path):
    with pytest.raises(InputError, match=r"column 'people' must be a number that is not negative; wrong rows: 2 \('#DIV/0!'\)"):
        read_table(write_xlsx(tmp_path, [["id", "lon", "lat", "people"], ["a", 1, 2, "#DIV/0!"]]), SETTLEMENTS)


# --- vector files


def test_a_layer_must_be_named_where_there_are_several(tmp_path):
    path = tmp_path / "two.gpkg"
    for layer in ("villages", "clinics"):
        gpd.GeoDataFrame({"id": [layer]}, geometry=[shapely.Point(1, 2)], crs=4326).to_file(path, layer=layer)
    assert read_table(path, POINTS, layer="clinics")["id"].tolist() == ["clinics"]
    for layer in (None, "roads"):
        with pytest.raises(InputError, match=r"two\.gpkg: name one of its layers by layer: villages, clinics"):
            read_table(path, POINTS, layer=layer)


def test_other_coordinates_are_brought_to_wgs84(tmp_path):
    path = tmp_path / "points.gpkg"
    gpd.GeoDataFrame({"id": ["a"]}, geometry=[shapely.Point(116.2, 28.3)], crs=4326).to_crs(4548).to_file(path)
    assert read_table(path, POINTS).geometry[1].coords[0] == pytest.approx((116.2, 28.3), abs=1e-9)


def test_heights_are_dropped_and_a_lone_multipoint_is_a_point(tmp_path):
    path = tmp_path / "points.gpkg"
    shapes = [shapely.MultiPoint([(116.2, 28.3, 40.0)]), shapely.MultiPoint([(116, 28, 1), (117, 28, 1)])]
    gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=shapes, crs=4326).to_file(path)
    assert read_table(path, POINTS).geometry.to_wkt().tolist() == ["POINT (116.2 28.3)", "MULTIPOINT ((116 28), (117 28))"]


def test_townships_need_no_geometry_even_in_a_geopackage_or_geojson(tmp_path):
    gpkg, geojson = tmp_path / "people.gpkg", tmp_path / "people.geojson"
    gpd.pd.DataFrame({"乡镇": ["民和镇"], "人口": [8]}).pipe(lambda table: gpd.GeoDataFrame(table, geometry=[None], crs=4326)).to_file(gpkg)
    geojson.write_text(
        json.dumps(
            {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": None, "properties": {"zone": "Z", "people": 8}}]}
        )
    )
    assert read_table(gpkg, TOWNSHIP_PEOPLE).to_dict("list") == {"zone": ["民和镇"], "people": [8.0]}
    assert read_table(geojson, TOWNSHIP_PEOPLE).to_dict("list") == {"zone": ["Z"], "people": [8.0]}


def test_a_feature_without_geometry_is_named(tmp_path):
    path = tmp_path / "points.geojson"
    gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[shapely.Point(1, 2), None], crs=4326).to_file(path)
    with pytest.raises(InputError, match=r"points\.geojson: features without geometry; wrong rows: 2"):
        read_table(path, POINTS)


def test_a_shapefile_without_crs_is_in_degrees_or_refused(tmp_path):
    path = tmp_path / "points.shp"
    for place, crs in ((shapely.Point(116.2, 28.3), 4326), (shapely.Point(39421594.1, 3131829.4), 4527)):
        gpd.GeoDataFrame({"id": ["a"]}, geometry=[place], crs=crs).to_file(path)
        path.with_suffix(".prj").unlink()
        if crs == 4326:
            assert read_table(path, POINTS).geometry.to_wkt().tolist() == ["POINT (116.2 28.3)"]
        else:
            with pytest.raises(InputError, match=r"points\.shp: The coordinates are metres .* state it in region\.toml, like datum ="):
                read_table(path, POINTS)


def test_points_for_a_matrix_are_numbered_where_they_have_no_id(tmp_path):
    path = tmp_path / "parks.gpkg"
    gpd.GeoDataFrame({"label": ["x", "y"]}, geometry=[shapely.Point(1, 2), shapely.box(3, 3, 5, 5)], crs=4326).to_file(path)
    points = read_points(path)
    assert (points["id"].tolist(), points.geometry.to_wkt().tolist()) == (["1", "2"], ["POINT (1 2)", "POINT (4 4)"])


# --- headers


def test_headers_are_found_in_any_width_case_and_spacing(tmp_path):
    assert read_table(write_csv(tmp_path, [[" ID ", "ＬＯＮ", "La t"], ["a", 1, 2]]), POINTS)["id"].tolist() == ["a"]


def test_the_users_own_headers_come_first(tmp_path):
    path = write_csv(tmp_path, [["id", "序号", "lon", "lat"], ["a", "9", 1, 2]])
    assert read_table(path, POINTS, headers={"id": "序号"})["id"].tolist() == ["9"]


def test_a_chosen_header_that_is_not_there_and_an_unknown_column_are_refused_together(tmp_path):
    with pytest.raises(InputError) as caught:
        read_table(write_csv(tmp_path, [["id", "lon", "lat"], ["a", 1, 2]]), POINTS, headers={"id": "序号", "colour": "x"})
    assert [p.en for p in caught.value.problems] == [
        "table.csv: columns knows no 'colour'.",
        "table.csv: column 'id' is missing (known headers: 序号; the file has: id, lon, lat).",
    ]


def test_missing_columns_are_all_named_with_the_headers_they_may_have(tmp_path):
    with pytest.raises(InputError) as caught:
        read_table(write_csv(tmp_path, [["编码", "电话"], ["a", "1"]]), SETTLEMENTS)
    assert [re.search("column '(\\w+)' is missing", p.en)[1] for p in caught.value.problems] == ["lon", "lat"]
    assert "东经" in caught.value.problems[0].zh
    assert "文件中有：编码, 电话" in caught.value.problems[1].zh


@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_column_that_occurs_twice_is_refused_only_if_it_is_needed(tmp_path, write):
    rows = [["id", "note", "note", "lon", "lat"], ["a", "x", "y", 1, 2]]
    assert read_table(write(tmp_path, rows), POINTS)["id"].tolist() == ["a"]
    with pytest.raises(InputError, match="column 'lon' occurs twice"):
        read_table(write(tmp_path, [["id", "lon", "lon", "lat"], ["a", 1, 1, 2]]), POINTS)


def test_a_constant_stands_for_every_row(tmp_path):
    path = write_csv(tmp_path, [["id", "lon", "lat"], ["a", 1, 2], ["b", 3, 4]])
    assert read_table(path, FACILITIES, constants={"kind": "医院"})["kind"].tolist() == ["hospital", "hospital"]


# --- what is wrong in the rows: file, row, value


def problems_of(path: Path, columns: tuple = SETTLEMENTS) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_table(path, columns)
    assert all(path.name in problem.zh for problem in caught.value.problems)
    return [problem.en for problem in caught.value.problems]


SETTLEMENT = ["id", "lon", "lat", "people"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["b", 1, 2, "many"], "column 'people' must be a number that is not negative; wrong rows: 3 ('many')."),
        (["b", 1, 2, -5], "column 'people' must be a number that is not negative; wrong rows: 3 ('-5')."),
        (["b", 1, 2, ""], "column 'people' must be a number that is not negative; wrong rows: 3 ('')."),
        (["b", 1, 2, "nan"], "column 'people' must be a number that is not negative; wrong rows: 3 ('nan')."),
        (["b", "east", 2, 8], "the coordinates cannot be read; wrong rows: 3 (east , 2)."),
        (["b", "", 2, 8], "half of the coordinates is missing; wrong rows: 3 ( , 2)."),
        (["b", "", "", 8], "no coordinates; wrong rows: 3."),
        (["", 1, 2, 8], "column 'id' must be text that is not blank; wrong rows: 3 ('')."),
        (["a", 1, 2, 8], "column 'id' has duplicate ids; wrong rows: 3 ('a', as row 2)."),
        (["b", 0, 0, 8], "the coordinates are 0,0; wrong rows: 3."),
        (["b", 28.3, 116.2, 8], "lon and lat seem to be swapped; wrong rows: 3 (28.3, 116.2)."),
        (["b", 430000, 3140000, 8], "the coordinates are no degrees; wrong rows: 3 (430000, 3140000)."),
        (["b", 200, 28, 8], "the coordinates are no degrees; wrong rows: 3 (200, 28)."),
    ],
)
def test_a_wrong_row_is_named_with_its_value(tmp_path, row, said):
    assert problems_of(write_csv(tmp_path, [SETTLEMENT, ["a", 1, 2, 4], row, ["z", 1, 2, 4]])) == [f"table.csv: {said}"]


def test_every_wrong_row_is_reported_at_once(tmp_path):
    rows = [["a", 1, 2, "x"], ["a", "y", 2, 4], ["", 0, 0, 4], ["c", 28, 116, -1]]
    said = problems_of(write_csv(tmp_path, [SETTLEMENT, *rows]))
    assert said == [
        "table.csv: column 'id' must be text that is not blank; wrong rows: 4 ('').",
        "table.csv: column 'people' must be a number that is not negative; wrong rows: 2 ('x'), 5 ('-1').",
        "table.csv: column 'id' has duplicate ids; wrong rows: 3 ('a', as row 2).",
        "table.csv: the coordinates cannot be read; wrong rows: 3 (y , 2).",
        "table.csv: the coordinates are 0,0; wrong rows: 4.",
        "table.csv: lon and lat seem to be swapped; wrong rows: 5 (28, 116).",
    ]


def test_the_first_five_offenders_are_named_and_the_rest_counted(tmp_path):
    said = problems_of(write_csv(tmp_path, [SETTLEMENT, *([f"v{i}", 1, 2, "?"] for i in range(7))]))
    assert said == [
        "table.csv: column 'people' must be a number that is not negative; wrong rows: 2 ('?'), 3 ('?'), 4 ('?'), 5 ('?'), 6 ('?') … (7)."
    ]


def test_an_unknown_kind_is_named_with_the_known_ones(tmp_path):
    said = problems_of(write_csv(tmp_path, [["id", "kind", "lon", "lat"], ["a", "hopsital", 1, 2]]), FACILITIES)
    assert said == ["table.csv: column 'kind' must be one of the kinds: hospital, park; wrong rows: 2 ('hopsital')."]


def test_a_kind_goes_by_its_id_or_name_in_both_languages(tmp_path):
    rows = [["id", "类别", "lon", "lat"], ["a", "医院", 1, 2], ["b", "HOSPITAL", 1, 2], ["c", "公园", 1, 2]]
    assert read_table(write_csv(tmp_path, rows), FACILITIES)["kind"].tolist() == ["hospital", "hospital", "park"]


# --- files that are no tables


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".geojson", ".gpkg", ".shp"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"PK\x03\x04\x00\x00broken", b"\x00\x01\x02", b"SQLite format 3\x00", b'{"type":'])
def test_a_damaged_file_is_refused_by_name(tmp_path, ending, content):
    path = tmp_path / f"broken{ending}"
    path.write_bytes(content)
    assert problems_of(path, POINTS)


@pytest.mark.parametrize("ending", [".xlsx", ".gpkg"])
def test_a_file_cut_off_is_refused_by_name(tmp_path, ending):
    path = write_xlsx(tmp_path, [HEADER, *ROWS]) if ending == ".xlsx" else write_vector(tmp_path, ROWS, ending)
    path.write_bytes(path.read_bytes()[:2000])
    assert problems_of(path, SETTLEMENTS)


def test_a_missing_file_a_folder_and_another_format_are_refused(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "table.doc").write_bytes(b"x")
    assert "does not exist" in problems_of(tmp_path / "none.csv")[0]
    assert "is a folder" in problems_of(tmp_path / "folder.csv")[0]
    assert "not a format that can be read" in problems_of(tmp_path / "table.doc")[0]


@pytest.mark.parametrize("rows", [[HEADER], [HEADER, [], []], [HEADER, [""] * 6]])
@pytest.mark.parametrize("write", [write_csv, write_xlsx])
def test_a_header_without_rows_is_refused(tmp_path, write, rows):
    assert problems_of(write(tmp_path, rows)) == [f"table.{'csv' if write is write_csv else 'xlsx'}: it has no rows."]


def test_an_empty_sheet_is_refused(tmp_path):
    assert problems_of(write_xlsx(tmp_path, [])) == ["table.xlsx: the sheet is empty."]


# --- csv


def csv_rows(folder: Path, text: str | bytes) -> dict[int, list[str]]:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    table = read_csv_text(path)
    return dict(zip(table.index.tolist(), table.to_numpy().tolist(), strict=True))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2\n", {2: ["1", "2"]}),
        ("a,b\r\n1,2\r\n3,4", {2: ["1", "2"], 3: ["3", "4"]}),
        ("a,b\r1,2\r", {2: ["1", "2"]}),
        ("\n\na,b\n\n1,2\n\n", {5: ["1", "2"]}),
        ('a,b\n"x, y","say ""hi"""\n', {2: ["x, y", 'say "hi"']}),
        ('a,b\n5" pipe,6\n', {2: ['5" pipe', "6"]}),
        ('a,b\n"two\nlines",2\n3,4\n', {2: ["two\nlines", "2"], 4: ["3", "4"]}),
        ("a,b\n 1 , 2\t\n", {2: ["1", "2"]}),
        ("a,b\nNA,null\n,NaN\n", {2: ["NA", "null"], 3: ["", "NaN"]}),
        ("a,b\n007,1e5\n0.10,TRUE\n", {2: ["007", "1e5"], 3: ["0.10", "TRUE"]}),
        ("a\n1\n2\n", {2: ["1"], 3: ["2"]}),
        ("a;b\n1,5;2\n", {2: ["1,5", "2"]}),
        ("a,b\n", {}),
        ("a,b", {}),
    ],
)
def test_a_csv_is_read_as_text_by_line(tmp_path, text, rows):
    assert csv_rows(tmp_path, text) == rows


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("a,b\n1,2\n3,4,5\n", 3),
        ("a,b\n1,2,3\n4,5,6\n", "2, 3"),
        ("a,b\n\n1,2,3\n", 3),
        ('a,b\n1,2\n"3,4\n5,6\n', 3),
        ('a,b\n1,"x\n2,"y"\n', 2),
        ('a,b\n"1"x,2\n,"', 2),
    ],
)
def test_rows_too_long_and_lone_quotes_are_errors_that_name_the_row(tmp_path, text, row):
    with pytest.raises(InputError, match=rf"t\.csv, row {row}: not as many cells as the header \(2\)"):
        csv_rows(tmp_path, text)


def test_a_short_row_is_refused_as_a_matrix_and_padded_as_an_offices_table(tmp_path):
    with pytest.raises(InputError, match=r"row 2, 3: not as many cells as the header \(3\)"):
        csv_rows(tmp_path, "a,b,c\n1,2\n3,4,5,,\n")
    assert read_csv_rows("t.csv", "a,b,c\n1,2\n,,\n3,4,5,,\n") == {1: ["a", "b", "c"], 2: ["1", "2"], 4: ["3", "4", "5"]}
    with pytest.raises(InputError, match=r"t\.csv, row 2: a quote never ends"):
        read_csv_rows("t.csv", 'a,b\n1,"2\n')


@pytest.mark.parametrize("content", [b"a,b\n1,\x002\n", b"PK\x03\x04\x00\x00", "a,b\n1,2".encode("utf-16-le"), b"\xff\xff\xff\n\x80"])
def test_bytes_that_are_no_text_are_refused(tmp_path, content):
    with pytest.raises(InputError, match=r"t\.csv is not a text table"):
        csv_rows(tmp_path, content)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='",;\t\ufeff'), max_size=6), min_size=2, max_size=2
        ),
        max_size=6,
    )
)
@example([["", ""], ["x", ""]])
def test_what_is_written_is_read(tmp_path_factory, rows):
    text = "\n".join(["id,name", *(",".join(f'"{cell}"' for cell in row) for row in rows)])
    read = csv_rows(tmp_path_factory.mktemp("csv"), text)
    assert list(read.values()) == [[cell.strip() for cell in row] for row in rows]


@given(st.binary(max_size=60))
@example(b'a,b\n"')
@example(b"\xff\xfe")
@example(b"\xff\xfea")
@example(b",\n,,")
@example(b'"')
@example(b'"\n')
@example(b"\r")
def test_any_bytes_are_a_table_or_an_input_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "t.csv"
    path.write_bytes(content)
    try:
        table = read_csv_text(path)
        rows = read_csv_rows("t.csv", decode(path))
    except InputError:
        return
    assert all(any(cells) for cells in rows.values())
    assert all(isinstance(cell, str) for row in table.to_numpy() for cell in row)


# --- cells


def refuses(parse: Callable[[str], object], cell: str) -> bool:
    try:
        parse(cell)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,234", 1234), ("１２３", 123), ("1 234", 1234), ("1e3", 1000), ("-0.5", -0.5), ("+5", 5), ("1,234,567.5", 1234567.5), (".5", 0.5)],
)
def test_numbers_as_people_write_them(cell, value):
    assert number(cell) == value


@pytest.mark.parametrize("cell", ["", "12,5", "1,2,3", "1_000", "nan", "inf", "1e999", "0x10", "五", "1.2万", "e5", ".", "-"])
def test_what_is_no_number(cell):
    assert refuses(number, cell)


@given(st.floats(0, 1e15))
def test_a_number_is_read_as_python_writes_it(value):
    assert count(repr(value)) == value


@given(st.text(max_size=12))
def test_any_cell_is_a_finite_number_or_refused(cell):
    assert refuses(number, cell) or np.isfinite(number(cell))


@pytest.mark.parametrize("cell", ["2026-03-01", "2026/3/1", "2026.3.1", "2026年3月1日", "2026-03-01 00:00:00", "２０２６-３-１"])
def test_dates_as_people_write_them(cell):
    assert iso_date(cell) == "2026-03-01"


@pytest.mark.parametrize("cell", ["2026", "2026-13-01", "2026-02-30", "01/03/2026", "soon"])
def test_what_is_no_date(cell):
    assert refuses(iso_date, cell)


def test_yes_no_and_the_settlement_class():
    assert [yes_no(cell) for cell in ("是", "Yes", "1", "否", "no", "")] == [True, True, True, False, False, False]
    assert [urban(cell) for cell in ("城市", "Urban", "农村", "rural")] == [True, True, False, False]
    for parse in (yes_no, urban):
        assert refuses(parse, "perhaps")


def test_gates_are_pairs_of_degrees():
    assert entrances("116.2 28.3; 116.3,28.4").wkt == "MULTIPOINT ((116.2 28.3), (116.3 28.4))"
    assert entrances("116.2，28.3；116.3，28.4").wkt == "MULTIPOINT ((116.2 28.3), (116.3 28.4))"
    assert entrances("") is None


@pytest.mark.parametrize("cell", ["116.2", "116.2 28.3 5", "28.3 116.2", "a b", "nan nan", ";"])
def test_what_is_no_gate(cell):
    assert refuses(entrances, cell)


def test_zones_take_any_of_the_usual_headers(tmp_path):
    path = tmp_path / "zones.geojson"
    gpd.GeoDataFrame({"行政区划代码": [360124100], "乡镇名称": ["民和镇"]}, geometry=[shapely.box(116, 28, 117, 29)], crs=4326).to_file(
        path
    )
    assert read_table(path, ZONES)[["id", "name"]].to_numpy().tolist() == [["360124100", "民和镇"]]


def test_a_blank_first_line_is_not_a_row(tmp_path):
    (tmp_path / "t.csv").write_text("\nid,people\na,1\n")
    assert read_csv_text(tmp_path / "t.csv").to_dict("index") == {3: {"id": "a", "people": "1"}}
