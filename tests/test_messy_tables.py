"""Tables as offices hand them in: read to what they say, or given back row by row; never guessed at."""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from geodata.errors import InputError
from geodata.region_file import FacilitiesBlock, PlacesBlock
from geodata.standards import Kind, default_services
from geodata.tables.columns import GROWTH, SETTLEMENTS, TOWNSHIP_PEOPLE, ZONES, facility_columns
from geodata.tables.load import Table, load_table, rejected_csv
from geodata.tables.rejects import numbered_rows

FACILITIES = facility_columns(default_services().kinds)
Rows = Sequence[Sequence[object]]
CLINICS = [["编码", "机构名称", "机构类别", "经度", "纬度"], ["A", "甲院", "医院", 116.2, 28.3], ["B", "乙院", "医院", 116.3, 28.4]]
VILLAGES = [["编码", "村名", "经度", "纬度", "常住人口"], ["1", "甲村", 116.2, 28.3, 100], ["2", "乙村", 116.3, 28.4, 200]]


def sheet_file(folder: Path, rows: Rows, *, merged: str = "", name: str = "t.xlsx") -> Path:
    book = openpyxl.Workbook()
    fill(book.active, rows, merged)
    book.save(folder / name)
    return folder / name


def fill(sheet: Worksheet, rows: Rows, merged: str = "") -> None:
    for row in rows:
        sheet.append(list(row))
    for cells in merged.split():
        sheet.merge_cells(cells)


def csv_file(folder: Path, text: str, *, encoding: str = "utf-8", name: str = "t.csv") -> Path:
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def xls_file(folder: Path, rows: Rows, *, merged: Sequence[tuple[int, int, int, int]] = (), name: str = "t.xls") -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("表")
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            if value != "":
                sheet.write(i, j, value)
    for cells in merged:
        sheet.merge(*cells)
    book.save(str(folder / name))
    return folder / name


def load(path: Path, wanted: tuple = SETTLEMENTS, *, constants: dict | None = None, bounds: tuple | None = None, **block: object) -> Table:
    return load_table(PlacesBlock(file=path.name, **block), path.parent, wanted, constants=constants, bounds=bounds)


def problem(path: Path, wanted: tuple = SETTLEMENTS, **block: object) -> str:
    with pytest.raises(InputError) as caught:
        load(path, wanted, **block)
    assert all(one.zh for one in caught.value.problems)
    return " ".join(one.en for one in caught.value.problems)


def people(table: Table) -> list[float]:
    return table.frame["people"].tolist()


# --- where the header is


def test_the_header_is_found_under_a_title_a_unit_line_and_a_date(tmp_path):
    rows = [["各村人口情况表"], ["填报单位：某县卫健委", "", "", "", "2026年1月"], [], *VILLAGES]
    table = load(sheet_file(tmp_path, rows, merged="A1:E1"))
    assert (table.header_row, people(table)) == (4, [100, 200])
    assert table.passed_over == ("1 各村人口情况表", "2 填报单位：某县卫健委 2026年1月")


def test_a_csv_may_have_titles_above_its_header(tmp_path):
    text = "村（社区）名册\n\n" + "\n".join(",".join(map(str, row)) for row in VILLAGES)
    table = load(csv_file(tmp_path, text, encoding="gb18030"))
    assert (list(table.frame.index), people(table)) == ([4, 5], [100, 200])


def test_a_header_of_two_lines_with_merged_cells(tmp_path):
    rows = [
        ["编码", "村名", "坐标", "", "人口", ""],
        ["", "", "经度", "纬度", "户籍", "常住"],
        ["1", "甲村", 116.2, 28.3, 150, 100],
    ]
    table = load(sheet_file(tmp_path, rows, merged="A1:A2 B1:B2 C1:D1 E1:F1"))
    assert (people(table), table.frame["registered"].tolist()) == ([100], [150])
    assert table.mapping["people"] == "人口/常住"
    assert table.mapping["lon"] == "坐标/经度"


def test_a_header_of_two_lines_in_a_csv_where_merged_cells_are_blank(tmp_path):
    table = load(csv_file(tmp_path, "编码,坐标,,人口,\n,经度,纬度,常住,户籍\n1,116.2,28.3,100,150\n"))
    assert (people(table), table.frame.geometry.x.tolist()) == ([100], [116.2])


def test_a_second_line_of_the_header_that_we_know_nothing_of_is_no_row(tmp_path):
    rows = [[*VILLAGES[0], "备注", ""], ["", "", "", "", "", "来源", "日期"], [*VILLAGES[1], "x", "y"]]
    table = load(sheet_file(tmp_path, rows, merged="A1:A2 B1:B2 C1:C2 D1:D2 E1:E2 F1:G1"))
    assert (table.rows, len(table.rejected)) == (1, 0)


def test_groups_of_the_same_columns_are_told_apart_by_what_stands_above_them(tmp_path):
    rows = [
        ["编码", "经度", "纬度", "户籍人口", "", "常住人口", ""],
        ["", "", "", "合计", "其中：女", "合计", "其中：女"],
        [1, 116.2, 28.3, 9, 4, 7, 3],
    ]
    table = load(sheet_file(tmp_path, rows, merged="A1:A2 B1:B2 C1:C2 D1:E1 F1:G1"))
    assert (people(table), table.frame["registered"].tolist()) == ([7], [9])


def test_a_row_of_units_below_the_header_belongs_to_it(tmp_path):
    table = load(sheet_file(tmp_path, [VILLAGES[0], ["", "", "", "", "万人"], ["1", "甲村", 116.2, 28.3, 1.25]]))
    assert people(table) == [12500]


def test_the_header_repeated_on_each_page_is_no_row(tmp_path):
    rows = [["人口表"], *VILLAGES[:2], ["人口表"], VILLAGES[0], VILLAGES[2]]
    table = load(sheet_file(tmp_path, rows))
    assert people(table) == [100, 200]
    assert [text.split()[0] for text in table.passed_over] == ["1", "4", "5"]


def test_blank_rows_and_columns_are_nothing(tmp_path):
    rows = [[], ["", *VILLAGES[0][:2], "", *VILLAGES[0][2:]], [], ["", *VILLAGES[1][:2], "", *VILLAGES[1][2:]], ["", "", ""]]
    table = load(sheet_file(tmp_path, rows))
    assert (table.rows, people(table), list(table.frame.index)) == (1, [100], [4])


def test_a_column_of_numbers_of_the_rows_is_never_the_id(tmp_path):
    rows = [["序号", "村名", "经度", "纬度", "常住人口"], [1, "甲村", 116.2, 28.3, 5]]
    assert load(sheet_file(tmp_path, rows)).frame["id"].tolist() == ["甲村"]


# --- what a header is called


@pytest.mark.parametrize(
    ("header", "ours"),
    [
        ("床位数", "capacity"),
        ("实有床位（张）", "capacity"),
        ("执业（助理）医师", "physicians"),
        ("执业(助理)医师数（人）", "physicians"),
        ("注册护士", "nurses"),
        ("药师（士）", "pharmacists"),
        ("其中：全科医生", "general_practitioners"),
        ("中医类别执业（助理）医师", "tcm_physicians"),
        ("救护车（辆）", "vehicles"),
        ("业务用房面积\n（㎡）", "floor_area_m2"),
        ("托位数", "childcare_places"),
    ],
)
def test_staff_vehicles_and_areas_go_by_their_usual_names(tmp_path, header, ours):
    table = load(sheet_file(tmp_path, [[*CLINICS[0], header], [*CLINICS[1], "1,234"], [*CLINICS[2], "—"]]), FACILITIES)
    assert table.mapping[ours] == " ".join(header.split())
    assert table.frame[ours].tolist() == pytest.approx([1234, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    "header",
    [
        "常住人口",
        " 常 住人口 ",
        "常住人口\n（人）",
        "2025年末常住人口",
        "常住人口（2025年）",
        "＊常住人口",
        "常住人口数/人",
        "常住人口（七普）",
    ],
)
def test_notes_years_and_line_breaks_in_a_header_hide_nothing(tmp_path, header):
    assert people(load(sheet_file(tmp_path, [[*VILLAGES[0][:-1], header], *VILLAGES[1:]]))) == [100, 200]


@pytest.mark.parametrize(
    ("header", "cell", "value"),
    [
        ("常住人口（万人）", "3.39", 33900),
        ("常住人口(万人)", 0.0007, 7),
        ("常住人口（万人）", "3400人", 3400),
        ("常住人口/万人", 1.2, 12000),
        ("常住人口", "1.2万", 12000),
        ("常住人口", "约3,400人", 3400),
        ("常住人口", "１，０２４", 1024),
        ("常住人口", " 1 024 ", 1024),
        ("常住人口", "'1024", 1024),
        ("常住人口", "1024\u200b\u00a0", 1024),
    ],
)
def test_numbers_are_read_in_the_unit_of_the_header_or_of_the_cell(tmp_path, header, cell, value):
    assert people(load(sheet_file(tmp_path, [[*VILLAGES[0][:-1], header], [*VILLAGES[1][:-1], cell]]))) == [value]


def test_the_unit_may_stand_above_the_table(tmp_path):
    table = load(sheet_file(tmp_path, [["各村人口"], ["", "", "", "", "单位：万人"], VILLAGES[0], [*VILLAGES[1][:-1], 1.5]]))
    assert people(table) == [15000]


def test_a_unit_that_cannot_be_reckoned_with_is_refused(tmp_path):
    path = sheet_file(tmp_path, [[*CLINICS[0], "占地面积（亩）"], [*CLINICS[1], 3]])
    assert "t.xlsx: column '占地面积（亩）': its unit 亩 cannot be reckoned with" in problem(path, FACILITIES)
    path = sheet_file(tmp_path, [[*CLINICS[0], "占地面积（㎡）"], [*CLINICS[1], 3]])
    assert load(path, FACILITIES).frame["capacity"].tolist() == [3]


@pytest.mark.parametrize("cell", ["3400余", "3000-4000", "三百", "100?", "1 2人3", "12,34", "50%", "#REF!", "见附表", "—", ""])
def test_a_number_of_people_is_never_guessed(tmp_path, cell):
    table = load(sheet_file(tmp_path, [VILLAGES[0], [*VILLAGES[1][:-1], cell], VILLAGES[2]]), bad_rows="leave_out")
    assert (people(table), list(table.rejected.index)) == ([200], [2])


def test_registered_and_resident_people_are_never_mixed(tmp_path):
    path = sheet_file(tmp_path, [["乡镇", "户籍人口"], ["民和镇", 8], ["李渡镇", 9]])
    assert 'registered people only, no residents; write columns = { people = "户籍人口" } into region.toml' in problem(
        path, TOWNSHIP_PEOPLE
    )
    assert people(load(path, TOWNSHIP_PEOPLE, columns={"people": "户籍人口"})) == [8, 9]
    path = sheet_file(tmp_path, [["乡镇", "人口（户籍）", "人口（常住）"], ["民和镇", 8, 7]])
    table = load(path, TOWNSHIP_PEOPLE)
    assert people(table) == [7]


def test_two_years_of_people_are_to_be_chosen_from(tmp_path):
    path = sheet_file(tmp_path, [["乡镇", "2024年常住人口", "2025年常住人口"], ["民和镇", 8, 9]])
    assert (
        "several columns may be 'people': 2024年常住人口 / 2025年常住人口. State which in region.toml, like columns = { people ="
        in problem(path, TOWNSHIP_PEOPLE)
    )
    assert people(load(path, TOWNSHIP_PEOPLE, columns={"people": "2025年常住人口"})) == [9]


def test_people_of_an_age_or_sex_are_not_the_people(tmp_path):
    path = sheet_file(
        tmp_path,
        [["乡镇", "男", "女", "60岁以上", ""], ["", "人口", "人口", "人口", "占比"], ["民和镇", 4, 4, 2, 0.25]],
        merged="A1:A2 D1:E1",
    )
    assert "column 'people' is missing" in problem(path, TOWNSHIP_PEOPLE)


def test_old_people_are_given_as_people_or_as_a_share(tmp_path):
    rows = [[*VILLAGES[0], "65岁及以上人口"], [*VILLAGES[1], 15], [*VILLAGES[2], "/"]]
    assert load(sheet_file(tmp_path, rows)).frame["old"].tolist() == pytest.approx([15, np.nan], nan_ok=True)
    for header, cells in (("65岁及以上占比", (0.145, "14.5%")), ("65岁及以上人口占比（%）", (14.5, "14.5%"))):
        rows = [[*VILLAGES[0], header], [*VILLAGES[1], cells[0]], [*VILLAGES[2], cells[1]]]
        assert load(sheet_file(tmp_path, rows)).frame["old"].tolist() == [14, 29]


def test_a_number_of_old_people_stands_before_their_share(tmp_path):
    heads = [*VILLAGES[0], "65岁及以上人口", "65岁及以上占比"]
    rows = [heads, [*VILLAGES[1], 7, "14.5%"], [*VILLAGES[2], "", "14.5%"]]
    assert load(sheet_file(tmp_path, rows)).frame["old"].tolist() == [7, 29]


def test_a_share_shown_in_percent_is_that_share_whatever_the_header_says(tmp_path):
    path = sheet_file(tmp_path, [[*VILLAGES[0], "65岁及以上占比（%）"], [*VILLAGES[1], 0.15]])
    book = openpyxl.load_workbook(path)
    book.active["F2"].number_format = "0.0%"
    book.save(path)
    assert load(path).frame["old"].tolist() == [15]


def test_growth_is_read_in_percent_or_as_a_share_and_never_as_fifty_percent(tmp_path):
    rows = [["乡镇", "年均增长率", "", ""], ["", "低", "中", "高"], ["民和镇", "-0.8%", "0.5‰", 0.002]]
    table = load(sheet_file(tmp_path, rows, merged="A1:A2 B1:D1"), GROWTH)
    assert table.frame[["low", "central", "high"]].to_numpy().tolist() == [[-0.008, 0.0005, 0.002]]
    rows[2] = ["民和镇", -0.5, 0.5, 1]
    assert "a yearly rate such as 0.5% or 0.005" in problem(sheet_file(tmp_path, rows, merged="A1:A2 B1:D1"), GROWTH)
    rows[0][1] = "年均增长率（%）"
    assert load(sheet_file(tmp_path, rows, merged="A1:A2 B1:D1"), GROWTH).frame["high"].tolist() == [0.01]


def test_the_users_own_headers_overrule_ours_line_by_line_or_whole(tmp_path):
    path = sheet_file(
        tmp_path,
        [["编码", "经度", "纬度", "人口", ""], ["", "", "", "常住", "户籍"], ["1", 116.2, 28.3, 7, 9]],
        merged="A1:A2 B1:B2 C1:C2 D1:E1",
    )
    for header in ("人口/户籍", "户籍", "人口户籍"):
        table = load(path, columns={"people": header})
        assert (people(table), table.mapping["people"]) == ([9], "人口/户籍")
    assert "column 'people' is missing (known headers: 总数; the file has: 编码, 经度, 纬度, 人口/常住, 人口/户籍)" in problem(
        path, columns={"people": "总数"}
    )
    assert "columns knows no 'folk'" in problem(path, columns={"folk": "户籍"})


# --- rows that are no data


@pytest.mark.parametrize("total", ["合计", "总 计", "小计：", "合　计", "合计（2个）", "全县合计", "民和镇小计", "县合计", "Total"])
def test_totals_are_passed_over_and_listed(tmp_path, total):
    table = load(sheet_file(tmp_path, [*VILLAGES, [total, "", "", "", 300]]))
    assert people(table) == [100, 200]
    assert [text.split()[0] for text in table.passed_over] == ["4"]


def test_a_total_in_the_second_column_is_one_too(tmp_path):
    assert people(load(sheet_file(tmp_path, [*VILLAGES, ["", "合计", "", "", 300]]))) == [100, 200]


def test_a_township_that_is_called_total_is_data(tmp_path):
    table = load(sheet_file(tmp_path, [["乡镇", "常住人口"], ["合计镇", 5], ["总计乡", 6], ["合计", 11]]), TOWNSHIP_PEOPLE)
    assert table.frame["zone"].tolist() == ["合计镇", "总计乡"]


def test_the_county_among_its_townships_is_their_total(tmp_path):
    rows = [["乡镇", "常住人口"], ["进贤县", 12], ["甲镇", 3], ["乙镇", 4], ["丙乡", 5]]
    table = load(sheet_file(tmp_path, rows), TOWNSHIP_PEOPLE)
    assert (table.frame["zone"].tolist(), table.rows, table.passed_over) == (["甲镇", "乙镇", "丙乡"], 3, ("2 进贤县",))
    villages = [["村名", "经度", "纬度", *rows[0]], *([f"村{at}", 116.2, 28.3, *row] for at, row in enumerate(rows[1:]))]
    assert load(sheet_file(tmp_path, villages)).rows == 4
    rows[1][1] = 13
    assert load(sheet_file(tmp_path, rows), TOWNSHIP_PEOPLE).rows == 4


@pytest.mark.parametrize(
    "note",
    [
        ["注：1. 数据截至2025年底"],
        ["说明: 坐标由手机采集"],
        ["填表人：张三", "", "审核人：李四", "", "2026年1月"],
        ["*为新建机构"],
        ["数据来源：统计年鉴"],
        ["一、县级医院"],
        ["（二）乡镇卫生院"],
        ["第 1 页 共 3 页"],
    ],
)
def test_notes_signatures_and_section_titles_are_passed_over_and_listed(tmp_path, note):
    table = load(sheet_file(tmp_path, [*VILLAGES[:2], note, *VILLAGES[2:]]))
    assert people(table) == [100, 200]
    assert [text.split()[0] for text in table.passed_over] == ["3"]


def test_a_lone_cell_that_is_no_note_is_a_row_that_cannot_be_read(tmp_path):
    table = load(sheet_file(tmp_path, [*VILLAGES, ["", "丙村"]]), bad_rows="leave_out")
    assert (table.rows, list(table.rejected.index)) == (3, [4])


def test_lines_below_a_note_belong_to_it(tmp_path):
    table = load(sheet_file(tmp_path, [*VILLAGES, ["注：1. 甲村含两个自然村"], ["2. 乙村已搬迁"]]))
    assert (table.rows, len(table.passed_over)) == (2, 2)


# --- merged cells in the rows


def test_a_township_merged_over_its_villages_stands_in_each(tmp_path):
    rows = [["所属乡镇", *VILLAGES[0]], ["民和镇", *VILLAGES[1]], ["", *VILLAGES[2]]]
    assert load(sheet_file(tmp_path, rows, merged="A2:A3")).frame["zone"].tolist() == ["民和镇", "民和镇"]
    path = xls_file(tmp_path, rows, merged=[(1, 2, 0, 0)])
    assert load(path).frame["zone"].tolist() == ["民和镇", "民和镇"]


def test_people_merged_over_two_villages_are_not_counted_twice(tmp_path):
    rows = [VILLAGES[0], VILLAGES[1], [*VILLAGES[2][:-1], ""], ["3", "丙村", 116.4, 28.5, 7]]
    table = load(sheet_file(tmp_path, rows, merged="E2:E3"), bad_rows="leave_out")
    assert (people(table), list(table.rejected.index)) == ([7], [2, 3])
    assert "one number stands for several rows" in table.rejected["原因 reason"][2]


def test_a_cell_merged_into_the_total_is_in_doubt_for_its_own_row_only(tmp_path):
    rows = [VILLAGES[0], VILLAGES[1], VILLAGES[2], ["合计", "", "", "", ""]]
    table = load(sheet_file(tmp_path, rows, merged="E3:E4"), bad_rows="leave_out")
    assert (people(table), list(table.rejected.index), table.rows) == ([100], [3], 2)


# --- ids and codes


def test_codes_that_became_numbers_and_lost_digits_are_refused(tmp_path):
    table = load(
        csv_file(tmp_path, "统计用区划代码,经度,纬度,常住人口\n3.60124E+11,116.2,28.3,1\n360124100201,116.3,28.4,2\n"), bad_rows="leave_out"
    )
    assert table.frame["id"].tolist() == ["360124100201"]
    assert "the code became a number and lost digits" in table.rejected["原因 reason"][2]


def test_a_code_of_more_digits_than_a_sheet_keeps_is_refused(tmp_path):
    rows = [VILLAGES[0], [91360124100000123.0, *VILLAGES[1][1:]], VILLAGES[2]]
    assert list(load(sheet_file(tmp_path, rows), bad_rows="leave_out").rejected.index) == [2]


def test_a_code_that_lost_the_zeros_it_began_with_is_refused(tmp_path):
    table = load(csv_file(tmp_path, "编码,经度,纬度,常住人口\n007,116.2,28.3,1\n012,116.3,28.4,2\n13,116.4,28.5,3\n"), bad_rows="leave_out")
    assert table.frame["id"].tolist() == ["007", "012"]
    assert "lost the zeros it began with" in table.rejected["原因 reason"][4]


def test_a_code_with_an_apostrophe_or_in_full_width_is_that_code(tmp_path):
    table = load(csv_file(tmp_path, "编码,经度,纬度,常住人口\n'0071,116.2,28.3,1\n００７２,116.3,28.4,2\n"))
    assert table.frame["id"].tolist() == ["0071", "0072"]


def test_rows_without_a_code_have_ids_that_sorting_does_not_change(tmp_path):
    head, rows = (
        ["所属乡镇", "村名", "经度", "纬度", "常住人口"],
        [["甲镇", "张家", 116.2, 28.3, 1], ["乙镇", "张家", 116.3, 28.4, 2], ["甲镇", "张家", 116.4, 28.5, 3]],
    )
    table = load(sheet_file(tmp_path, [head, *rows]))
    again = load(sheet_file(tmp_path, [head, *reversed(rows)]))
    assert table.frame["id"].tolist() == ["甲镇 张家", "乙镇 张家", "甲镇 张家 #2"]
    assert dict(zip(table.frame["id"], people(table), strict=True)) == dict(zip(again.frame["id"], people(again), strict=True))
    assert "ids are made of the names" in table.passed_over[-1]


def test_neither_code_nor_name_is_refused(tmp_path):
    path = sheet_file(tmp_path, [["经度", "纬度", "常住人口"], [116.2, 28.3, 5]])
    assert "column 'id' is missing, and so is a name" in problem(path)


def test_the_second_of_two_equal_codes_is_refused(tmp_path):
    table = load(sheet_file(tmp_path, [*VILLAGES, ["1", "丙村", 116.4, 28.5, 7]]), bad_rows="leave_out")
    assert (people(table), list(table.rejected.index)) == ([100, 200], [4])


# --- coordinates


def test_places_without_coordinates_are_kept(tmp_path):
    for blank in ("", "—", "/", "无", "－"):
        table = load(sheet_file(tmp_path, [*VILLAGES, ["3", "丙村", blank, blank, 7]]))
        assert people(table) == [100, 200, 7]
        assert table.frame.geometry.isna().tolist() == [False, False, True]
        assert len(table.rejected) == 0


@pytest.mark.parametrize(
    ("x", "y"), [(0, 0), (116.2, ""), ("", 28.3), ("东边", "西边"), (28.3, 116.2), (1162, 283), ("116°61′", "28°10′"), (430000, 3140000)]
)
def test_impossible_coordinates_are_given_back(tmp_path, x, y):
    table = load(sheet_file(tmp_path, [*VILLAGES, ["3", "丙村", x, y, 7]]), bad_rows="leave_out")
    assert (people(table), list(table.rejected.index)) == ([100, 200], [4])
    assert table.rejected.loc[4, "村名"] == "丙村"
    assert table.rejected.loc[4, "原因 reason"].count(" · ") == 1


def test_degrees_minutes_and_seconds_are_degrees(tmp_path):
    rows = [["编码", "东经", "北纬", "常住人口"], ["1", "116°14′36.2″", "28度22分55秒", 5]]
    place = load(sheet_file(tmp_path, rows)).frame.geometry[2]
    assert (place.x, place.y) == pytest.approx((116.2433889, 28.3819444), abs=1e-6)


@pytest.mark.parametrize(
    "cell", ["116.2,28.3", "116.2， 28.3", "28.3 116.2", "(116.2；28.3)", "116.2°E, 28.3°N", "28.3/116.2".replace("/", "、")]
)
def test_both_coordinates_may_stand_in_one_cell(tmp_path, cell):
    table = load(sheet_file(tmp_path, [["编码", "坐标", "常住人口"], ["1", cell, 5]]))
    assert table.frame.geometry[2].coords[0] == pytest.approx((116.2, 28.3))


def test_a_merged_header_over_both_coordinates_is_enough(tmp_path):
    table = load(sheet_file(tmp_path, [["编码", "坐标", "", "常住人口"], ["1", 116.2, 28.3, 5]], merged="B1:C1"))
    assert table.frame.geometry[2].coords[0] == (116.2, 28.3)
    assert load(tmp_path / "t.xlsx", columns=table.mapping).frame.equals(table.frame)


def test_the_datum_is_declared_by_region_toml_or_by_the_header_and_some_rows_may_have_another(tmp_path):
    path = sheet_file(tmp_path, VILLAGES)
    as_written, moved = load(path), load(path, datum="gcj02")
    assert (as_written.datum, moved.datum) == ("undeclared", "gcj02")
    assert 300 < np.hypot(*((as_written.frame.geometry[2].coords[0] - np.array(moved.frame.geometry[2].coords[0])) * 1e5)) < 900
    said = load(sheet_file(tmp_path, [["编码", "村名", "经度（GCJ-02）", "纬度（GCJ-02）", "常住人口"], *VILLAGES[1:]]))
    assert (said.datum, said.frame.geometry.equals(moved.frame.geometry)) == ("gcj02", True)
    mixed = load(sheet_file(tmp_path, VILLAGES), datum_rows={"gcj02": "3"})
    assert (mixed.frame.geometry[2], mixed.frame.geometry[3]) == (as_written.frame.geometry[2], moved.frame.geometry[3])
    assert "datum_rows: no such rows: 9" in problem(path, datum_rows={"gcj02": "9"})


@pytest.mark.parametrize("text", ["", "3-", "9-3", "a", "3..5"])
def test_rows_of_another_datum_are_named_by_number(text):
    assert numbered_rows("3-5，12") == [3, 4, 5, 12]
    with pytest.raises(InputError, match="should be like"):
        numbered_rows(text)


def test_metres_need_a_declared_system_and_it_is_proposed(tmp_path):
    place = gpd.GeoSeries([shapely.Point(116.2, 28.3)], crs=4326).to_crs(4527)[0]
    path = sheet_file(tmp_path, [VILLAGES[0], ["1", "甲村", place.y, place.x, 5]])
    with pytest.raises(InputError, match=r'write datum = "EPSG:4527" into region\.toml'):
        load(path, bounds=(116, 28, 117, 29))
    read = load(path, bounds=(116, 28, 117, 29), datum="EPSG:4527")
    assert read.frame.geometry[2].coords[0] == pytest.approx((116.2, 28.3), abs=1e-9)
    assert "X is the northing" in read.passed_over[-1]


def test_columns_that_changed_places_are_told(tmp_path):
    path = sheet_file(tmp_path, [["编码", "纬度", "经度", "常住人口"], ["1", 116.2, 28.3, 5], ["2", 116.3, 28.4, 5]])
    assert 'seem to be swapped: mend the headers, or write columns = { lon = "…", lat = "…" }' in problem(path)
    assert load(path, columns={"lon": "纬度", "lat": "经度"}).frame.geometry.x.tolist() == [116.2, 116.3]


def test_gates_are_moved_with_their_place(tmp_path):
    rows = [["编码", "名称", "类别", "经度", "纬度", "入口"], ["P", "公园", "公园", 116.2, 28.3, "116.2 28.3"]]
    frame = load(sheet_file(tmp_path, rows), FACILITIES, datum="gcj02").frame
    assert frame["entrances"][2].geoms[0].equals_exact(frame.geometry[2], 1e-12)


# --- facilities


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("综合医院", "hospital"),
        ("中医医院", "hospital"),
        ("妇幼保健院", "hospital"),
        ("中心卫生院", "township_health_centre"),
        ("乡镇卫生院（一般）", "township_health_centre"),
        ("卫生所", "village_clinic"),
        ("村卫生室", "village_clinic"),
        ("社区卫生服务站", "community_health_station"),
        ("HOSPITAL", "hospital"),
    ],
)
def test_kinds_go_by_what_offices_call_them(tmp_path, cell, kind):
    rows = [["名称", "机构类别", "经度", "纬度"], ["甲", cell, 116.2, 28.3]]
    assert load(sheet_file(tmp_path, rows), FACILITIES).frame["kind"].tolist() == [kind]


def test_an_unknown_kind_is_given_back_with_the_known_ones(tmp_path):
    rows = [["名称", "机构类别", "经度", "纬度"], ["甲", "诊所", 116.2, 28.3], ["乙", "医院", 116.2, 28.3]]
    table = load(sheet_file(tmp_path, rows), FACILITIES, bad_rows="leave_out")
    assert "one of the kinds: hospital" in table.rejected["原因 reason"][2]
    own = facility_columns({**default_services().kinds, "clinic": Kind(zh="诊所", en="clinic")})
    assert load(sheet_file(tmp_path, rows), own).frame["kind"].tolist() == ["clinic", "hospital"]


def test_dates_may_be_day_numbers_of_a_sheet(tmp_path):
    rows = [[*CLINICS[0], "启用日期", "停用日期"], [*CLINICS[1], 46023, "2027年1月2日"], [*CLINICS[2], dt.date(2026, 3, 1), "20280101"]]
    frame = load(sheet_file(tmp_path, rows), FACILITIES).frame
    assert frame[["open_from", "open_to"]].to_numpy().tolist() == [["2026-01-01", "2027-01-02"], ["2026-03-01", "2028-01-01"]]


def test_beds_on_paper_and_beds_there_are_told_apart(tmp_path):
    rows = [["名称", "类别", "经度", "纬度", "床位", ""], ["", "", "", "", "编制", "实有"], ["甲", "医院", 116.2, 28.3, 100, 120]]
    assert load(sheet_file(tmp_path, rows, merged="A1:A2 B1:B2 C1:C2 D1:D2 E1:F1"), FACILITIES).frame["capacity"].tolist() == [120]


def test_a_kind_for_every_row_is_read_like_a_cell(tmp_path):
    path = sheet_file(tmp_path, [["名称", "经度", "纬度"], ["甲", 116.2, 28.3]])
    block = FacilitiesBlock(file=path.name, kind="卫生室")
    assert load_table(block, tmp_path, FACILITIES, constants={"kind": block.kind}).frame["kind"].tolist() == ["village_clinic"]


def test_a_table_without_coordinates_is_read_if_its_places_are_to_be_put_at_their_seat(tmp_path):
    path = sheet_file(tmp_path, [["名称", "类别", "所属乡镇", "地址"], ["甲", "医院", "民和镇", "胜利路1号"]])
    assert "column 'lon' is missing" in problem(path, FACILITIES)
    frame = load(path, FACILITIES, unlocated="seat").frame
    assert frame[["zone", "address"]].to_numpy().tolist() == [["民和镇", "胜利路1号"]]
    assert frame.geometry.isna().tolist() == [True]


# --- sheets and formats


def test_the_sheet_that_fits_is_chosen_and_a_hidden_one_is_not(tmp_path):
    book = openpyxl.Workbook()
    fill(book.active, [["填表说明"], ["本表由各单位填报。"]])
    fill(book.create_sheet("旧数据"), VILLAGES)
    book["旧数据"].sheet_state = "hidden"
    fill(book.create_sheet("名册"), [*VILLAGES, ["3", "丙村", 116.4, 28.5, 7]])
    book.save(tmp_path / "t.xlsx")
    table = load(tmp_path / "t.xlsx")
    assert (table.sheet, table.rows) == ("名册", 3)
    assert load(tmp_path / "t.xlsx", sheet="旧数据").rows == 2


def test_sheets_of_one_shape_are_read_as_one_only_if_they_are_named(tmp_path):
    book = openpyxl.Workbook()
    for at, name in enumerate(("甲镇", "乙镇")):
        fill(book.create_sheet(name), [VILLAGES[0], [str(at), "村", 116.2, 28.3, 5 + at]])
    book["乙镇"]["H2"] = "备用"
    fill(book.create_sheet("说明"), [["无关", "内容"], ["a", "b"]])
    book.save(tmp_path / "t.xlsx")
    assert "several sheets fit: 甲镇、乙镇" in problem(tmp_path / "t.xlsx")
    for named in ("*", "甲镇,乙镇"):
        table = load(tmp_path / "t.xlsx", sheet=named)
        assert (people(table), list(table.frame.index)) == ([5, 6], [2, 100002])
    assert "no sheet '丙镇'; there are: " in problem(tmp_path / "t.xlsx", sheet="甲镇,丙镇")
    assert "has other headers than" in problem(tmp_path / "t.xlsx", sheet="甲镇,说明")


@pytest.mark.parametrize("name", ["t.xls", "t.et", "t.xlsx", "t.csv"])
def test_an_old_workbook_is_read_under_any_name(tmp_path, name):
    path = xls_file(tmp_path, [["名册"], *VILLAGES, ["合计", "", "", "", 300]], merged=[(0, 0, 0, 4)], name=name)
    table = load(path)
    assert (people(table), table.frame["id"].tolist(), list(table.frame.index)) == ([100, 200], ["1", "2"], [3, 4])


@pytest.mark.parametrize("name", ["t.xls", "t.et", "t.csv"])
def test_a_new_workbook_is_read_under_any_name(tmp_path, name):
    assert people(load(sheet_file(tmp_path, VILLAGES, name=name))) == [100, 200]


@pytest.mark.parametrize(("encoding", "separator"), [("utf-16", "\t"), ("gb18030", "\t"), ("utf-8-sig", ",")])
def test_text_saved_as_a_workbook_is_read(tmp_path, encoding, separator):
    text = "\r\n".join(separator.join(map(str, row)) for row in VILLAGES)
    assert people(load(csv_file(tmp_path, text, encoding=encoding, name="t.xls"))) == [100, 200]


def test_a_page_saved_as_a_workbook_is_read(tmp_path):
    page = """<html><head><meta charset="gb2312"></head><body><table><tr><td colspan=5>名册</td></tr>
    <tr><th rowspan=2>编码<th rowspan=2>村名<th colspan=2>坐标<th rowspan=2>常住<br>人口</tr><tr><th>经度</th><th>纬度</th></tr>
    <tr><td>001</td><td>甲&amp;村&nbsp;</td><td>116.2</td><td>28.3</td><td>1,024</td></tr></table></body></html>"""
    table = load(csv_file(tmp_path, page, encoding="gb18030", name="t.xls"))
    assert table.frame[["id", "name", "people"]].to_numpy().tolist() == [["001", "甲&村", 1024]]


def test_an_xml_spreadsheet_and_a_workbook_with_a_password_are_refused_in_words(tmp_path):
    path = csv_file(tmp_path, '<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', name="t.xls")
    assert "an XML spreadsheet of 2003; save it as xlsx" in problem(path)
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500
    (tmp_path / "p.xlsx").write_bytes(start + "EncryptedPackage".encode("utf-16-le") + b"\0" * 500)
    assert "p.xlsx: it needs a password" in problem(tmp_path / "p.xlsx")
    (tmp_path / "b.et").write_bytes(start)
    assert "b.et: cannot be read" in problem(tmp_path / "b.et")


def test_an_open_document_is_read(tmp_path):
    cell = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    cells = "".join(f"<table:table-row>{''.join(map(cell.format, row))}</table:table-row>" for row in VILLAGES)
    names = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    names += 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    table = f'<office:body><office:spreadsheet><table:table table:name="表">{cells}</table:table></office:spreadsheet></office:body>'
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as archive:
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml", f"<?xml version='1.0' encoding='UTF-8'?><office:document-content {names}>{table}</office:document-content>"
        )
    assert people(load(tmp_path / "t.ods")) == [100, 200]


def test_a_row_cut_in_two_by_a_comma_is_given_back(tmp_path):
    table = load(csv_file(tmp_path, "编码,经度,纬度,常住人口\n1,116.2,28.3,1,024\n2,116.3,28.4,5,,,\n"), bad_rows="leave_out")
    assert (people(table), list(table.rejected.index)) == ([5], [2])
    assert "more cells than the header" in table.rejected["原因 reason"][2]


# --- vector files


def test_a_shapefile_with_cut_names_in_any_encoding_without_cpg_and_prj(tmp_path):
    rows = {"行政区划代码": ["360124100"], "执业（助理）医师": [7], "机构名称": ["进贤县民和镇中心卫生院"], "机构类别": ["中心卫生院"]}
    for encoding, least in (("GB18030", 5), ("UTF-8", 3)):
        path = tmp_path / f"{encoding}.shp"
        write_shapefile(path, rows, encoding)
        table = load(path, FACILITIES)
        assert table.frame[["id", "physicians", "kind"]].to_numpy().tolist() == [["360124100", 7.0, "township_health_centre"]]
        assert table.frame["name"].tolist() == ["进贤县民和镇中心卫生院"]
        assert len(table.mapping["physicians"]) >= least
        assert table.datum == "undeclared"


def test_a_cut_name_that_may_be_people_or_a_share_is_neither(tmp_path):
    write_shapefile(tmp_path / "t.shp", {"编码": ["1"], "65岁及以上占比": ["0.5"], "常住人口": ["8"]}, "GB18030")
    table = load(tmp_path / "t.shp")
    assert sorted(table.mapping) == ["id", "people"]


def write_shapefile(path: Path, rows: dict[str, list], encoding: str) -> None:
    """A point shapefile as other programs write it: names cut at ten bytes, in the middle of a character if need be."""
    gpd.GeoDataFrame({"x": [1]}, geometry=[shapely.Point(116.2, 28.3)], crs=4326).to_file(path)
    for ending in (".prj", ".cpg"):
        path.with_suffix(ending).unlink(missing_ok=True)
    width = 60
    head = struct.pack("<B3BIHH20x", 3, 126, 1, 1, 1, 32 + 32 * len(rows) + 1, 1 + width * len(rows))
    fields = b"".join(name.encode(encoding)[:10].ljust(11, b"\0") + b"C\0\0\0\0" + bytes([width, 0]) + b"\0" * 14 for name in rows)
    record = b" " + b"".join(str(values[0]).encode(encoding)[:width].ljust(width) for values in rows.values())
    path.with_suffix(".dbf").write_bytes(head + fields + b"\r" + record + b"\x1a")


def test_lines_and_polygons_keep_their_gates_and_a_feature_without_shape_is_kept(tmp_path):
    frame = gpd.GeoDataFrame(
        {"名称": ["绿道", "公园", "待建"], "类别": ["绿道", "公园", "公园"], "入口": ["", "116.2 28.3; 116.21 28.3", ""]},
        geometry=[shapely.LineString([(116.2, 28.3), (116.3, 28.3)]), shapely.box(116.2, 28.3, 116.21, 28.31), None],
        crs=4326,
    )
    frame.to_file(tmp_path / "t.geojson")
    table = load(tmp_path / "t.geojson", FACILITIES)
    assert table.frame.geom_type.dropna().tolist() == ["LineString", "Polygon"]
    assert [len(gates.geoms) if gates else 0 for gates in table.frame["entrances"]] == [0, 2, 0]


def test_shapes_move_with_a_declared_datum(tmp_path):
    gpd.GeoDataFrame({"名称": ["甲"]}, geometry=[shapely.box(116.2, 28.3, 116.3, 28.4)], crs=4326).to_file(tmp_path / "t.gpkg")
    as_written, moved = load(tmp_path / "t.gpkg", ZONES), load(tmp_path / "t.gpkg", ZONES, datum="bd09")
    assert (as_written.datum, moved.datum) == ("EPSG:4326", "bd09")
    assert 0.005 < as_written.frame.geometry[1].hausdorff_distance(moved.frame.geometry[1]) < 0.02
    assert as_written.frame["id"].tolist() == ["甲"]


# --- rows given back, mended, and read again


def test_a_wrong_row_stops_the_reading_and_the_way_on_is_told(tmp_path):
    said = problem(sheet_file(tmp_path, [*VILLAGES, ["3", "丙村", 0, 0, "?"]]))
    assert "`circle15 tables REGION --rejected DIR` writes these rows out" in said
    assert 'bad_rows = "leave_out"' in said


def test_a_table_of_which_no_row_can_be_read_is_refused_even_if_bad_rows_are_left_out(tmp_path):
    assert "wrong rows: 2 ('?')" in problem(sheet_file(tmp_path, [VILLAGES[0], ["3", "丙村", 0, 0, "?"]]), bad_rows="leave_out")


def test_rejected_rows_are_mended_and_read_in_their_place(tmp_path):
    path = sheet_file(
        tmp_path, [["名册"], VILLAGES[0], ["007", "甲村", 116.2, 28.3, "一百"], ["360124100201", "乙村", 0, 0, 200], VILLAGES[2]]
    )
    table = load(path, bad_rows="leave_out")
    back = rejected_csv(table)
    assert back.startswith("\ufeff行号 row,原因 reason,编码,村名,经度,纬度,常住人口".encode())
    text = back.decode("utf-8-sig").replace("一百", "100").replace(",0,0,", ",116.4,28.5,")
    csv_file(tmp_path, text.replace("007", "7").replace("360124100201", "3.60124E+11"), encoding="gb18030", name="m.csv")
    again = load(path, mended="m.csv")
    assert again.frame[["id", "people"]].to_numpy().tolist() == [["007", 100], ["360124100201", 200], ["2", 200]]
    assert (len(again.rejected), again.rows, list(again.frame.index)) == (0, 3, [3, 4, 5])


def test_mended_rows_must_say_which_they_mend(tmp_path):
    path = sheet_file(tmp_path, VILLAGES)
    csv_file(tmp_path, "行号 row,常住人口\n9,5\n", name="m.csv")
    assert "the table has no such rows of data, or one is mended twice: 9" in problem(path, mended="m.csv")
    csv_file(tmp_path, "编码,常住人口\n1,5\n", name="m.csv")
    assert "it has no column '行号 row'" in problem(path, mended="m.csv")
    assert "does not exist" in problem(path, mended="none.csv")
    csv_file(tmp_path, "行号 row,常住人口\n2,5\n2,6\n", name="m.csv")
    assert "or one is mended twice: 2" in problem(path, mended="m.csv")
    (tmp_path / "m.xlsx").write_bytes(path.read_bytes()[:900])
    assert "m.xlsx: cannot be read" in problem(path, mended="m.xlsx")
    csv_file(tmp_path, "行号 row,常住人口\n2,5\n", name="m.csv")
    assert people(load(path, mended="m.csv")) == [5, 200]


# --- any table, clean and messy

WORDS = st.text(st.sampled_from("甲乙丙丁戊张王李赵民和渡"), min_size=1, max_size=4)


@st.composite
def clean_rows(draw: st.DrawFn) -> list[dict[str, object]]:
    rows = draw(st.lists(st.tuples(WORDS, st.integers(0, 99999), st.booleans(), st.integers(0, 9999)), min_size=1, max_size=8))
    return [
        {
            "编码": f"{360124100000 + at}",
            "村名": f"{name}村",
            "经度": 116 + east / 1e4,
            "纬度": 28 + east / 2e4,
            "常住人口": count,
            "城乡": "城市" if urban else "农村",
        }
        for at, (name, count, urban, east) in enumerate(rows)
    ]


def written(count: int, how: int) -> object:
    digits = f"{count:,}"
    return [
        count,
        digits,
        digits.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789,"}),
        f" {count}人",
        f"{count / 10000}万",
        f"约{count}",
    ][how]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(clean_rows(), st.data())
def test_any_clean_table_made_messy_reads_to_the_same_frame(tmp_path_factory, rows, data):
    folder = tmp_path_factory.mktemp("messy")
    heads = list(rows[0])
    clean = load(sheet_file(folder, [heads, *([row[head] for head in heads] for row in rows)]))
    mixed = data.draw(st.permutations(heads))
    shown = {head: data.draw(st.sampled_from([head, f" {head}", f"{head}\n（示意）", f"*{head}"])) for head in heads}
    table: list[list[object]] = [["名册"]] * data.draw(st.integers(0, 2)) + [[]] * data.draw(st.integers(0, 2))
    table.append(["序号", *(shown[head] for head in mixed)])
    for at, row in enumerate(rows, start=1):
        how = data.draw(st.integers(0, 5))
        table += [[]] * data.draw(st.integers(0, 1)) + [
            [at, *(written(row[head], how) if head == "常住人口" else row[head] for head in mixed)]
        ]
    if data.draw(st.booleans()):
        table.append(["合计", *(sum(row["常住人口"] for row in rows) if head == "常住人口" else "" for head in mixed)])
    table += data.draw(st.sampled_from([[], [["注：示意数据。"]], [["填表人：甲"]]]))
    messy = load(sheet_file(folder, table))
    pd.testing.assert_frame_equal(
        pd.DataFrame(messy.frame.reset_index(drop=True)), pd.DataFrame(clean.frame.reset_index(drop=True)), check_like=True
    )
    again = load(folder / "t.xlsx", columns=messy.mapping)
    assert again.mapping == messy.mapping
    pd.testing.assert_frame_equal(pd.DataFrame(again.frame), pd.DataFrame(messy.frame))
    assert messy.rows == len(rows)
    assert messy.frame["people"].sum() == sum(row["常住人口"] for row in rows)


PRINTED = st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
CELLS = st.one_of(
    st.sampled_from(["", "—", "0", "116.2", "28.3", "合计", "注：", "甲村", "1.2万", "1e5", "经度", "常住人口", "?", "3.6E+11"]),
    st.text(PRINTED, max_size=5),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=7))
def test_every_row_of_any_table_is_taken_given_back_or_passed_over(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    buffer = io.StringIO()
    pd.DataFrame([VILLAGES[0], VILLAGES[1], *rows]).to_csv(buffer, header=False, index=False)
    path.write_text(buffer.getvalue(), encoding="utf-8")
    try:
        table = load(path, bad_rows="leave_out")
    except InputError:
        return
    named = [int(text.split()[0]) for text in table.passed_over if text[0].isdigit()]
    assert table.rows == len(table.frame) + len(table.rejected)
    assert not set(table.frame.index) & set(table.rejected.index)
    assert table.rows + len(named) <= len(rows) + 2
    for row, count in table.frame["people"].items():
        assert count == 100 or row > 2
    (path.parent / "m.csv").write_bytes(rejected_csv(table))
    again = load(path, bad_rows="leave_out", mended="m.csv")
    pd.testing.assert_frame_equal(pd.DataFrame(again.frame), pd.DataFrame(table.frame))
    pd.testing.assert_frame_equal(again.rejected, table.rejected)


def test_a_mended_row_whose_number_is_another_rows_by_now_is_refused(tmp_path):
    path = sheet_file(tmp_path, VILLAGES)
    csv_file(tmp_path, "行号 row,编码,村名,经度,纬度,常住人口\n2,别处9,别村,117.1,29.1,77\n", name="m.csv")
    assert "these rows differ from the table's rows of the same number, whose rows may have moved: 2" in problem(path, mended="m.csv")


def test_a_column_that_nobody_filled_in_is_not_there(tmp_path):
    rows = "编码,名称,经度,纬度,常住人口\na,甲村,116.2,28.3,\nb,乙村,116.3,28.4,\n"
    assert "people" not in load(csv_file(tmp_path, rows, name="v.csv")).frame
