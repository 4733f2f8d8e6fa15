"""Workbooks: numbers as numbers, text as text, nothing restricted."""

import datetime as dt
import io
from dataclasses import replace

import numpy as np
import openpyxl
import pytest
from answers import Covered
from openpyxl.workbook import Workbook

from coverage.stats import CoverageResult
from geodata.region import Prepared
from scenarios.compare import Comparison, compare
from scenarios.model import Close, Open, Scenario
from scenarios.output.report import round_up
from scenarios.output.workbook import _sheet_name, coverage_workbook, site_workbook
from scenarios.siting.region.standby import RegionPlan, site_standby
from scenarios.siting.region.words import proof

FORMULA = '=HYPERLINK("x","院")'


@pytest.fixture(scope="module")
def medical(covered: Covered) -> CoverageResult:
    return covered("medical")


@pytest.fixture(scope="module")
def compared(prepared: Prepared, medical: CoverageResult) -> Comparison:
    new = Open(id="X1", name="新建站", kind="community_health_station", lon=116.25, lat=28.375)
    changes = Scenario(name="情景").then(new, Close(id="WS-0016"))
    return compare(prepared, changes, medical.definition, before=medical)


@pytest.fixture(scope="module")
def book(prepared: Prepared, medical: CoverageResult, covered: Covered, compared: Comparison) -> Workbook:
    return opened(coverage_workbook(prepared, {"medical": medical, "fitness": covered("fitness")}, comparisons={"medical": compared}))


@pytest.fixture(scope="module")
def plan(prepared: Prepared) -> RegionPlan:
    return site_standby(prepared, "emergency", sites=3)


def opened(content: bytes) -> Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def texts(book: Workbook) -> list[str]:
    return [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]


def heads(book: Workbook, sheet: str) -> list[str]:
    return [str(cell.value) for cell in book[sheet][2]]


def test_sheets_stand_in_the_order_in_which_a_planner_reads_them(book: Workbook) -> None:
    medical, fitness = ([f"{sheet} {name}" for sheet in ("分乡镇", "未覆盖", "机构", "片区")] for name in ("15分钟医疗圈", "15分钟健身圈"))
    assert book.sheetnames == ["说明", *medical, *fitness, "情景对比 15分钟医疗圈", "变化村居 15分钟医疗圈", "情景机构 15分钟医疗圈"]


def test_township_sheet_holds_the_figures_of_the_result_and_its_sums_in_bold(book: Workbook, medical: CoverageResult) -> None:
    sheet = book["分乡镇 15分钟医疗圈"]
    rows = list(sheet.iter_rows(min_row=3))
    names = ["zone", "people", "covered_people", "share_people", "settlements", "covered_settlements", "share_settlements"]
    assert [[cell.value for cell in (*row[:4], *row[5:8])] for row in rows] == medical.by_zone[names].to_numpy().tolist()
    assert [row[0].font.bold for row in rows] == [row != "zone" for row in medical.by_zone["row"]]
    assert [cell.number_format for cell in rows[0][:4]] == ["@", "#,##0", "#,##0", "0.0%"]


def test_township_sheet_ends_with_65_and_over_and_has_one_column_of_the_range(book: Workbook, medical: CoverageResult) -> None:
    total = [cell.value for cell in list(book["分乡镇 15分钟医疗圈"].iter_rows(min_row=3))[-1]]
    counted = medical.by_zone.iloc[-1]
    assert total[4] == f"{counted['share_people_low'] * 100:.1f}–{counted['share_people_high'] * 100:.1f} %"
    assert total[-2:] == [counted["old"], counted["share_old"]]
    assert "人口按村（社区）人数分到各村（社区）" in " ".join(texts(book))


def test_headers_are_chinese_first_and_english_on_the_next_line(book: Workbook) -> None:
    assert heads(book, "分乡镇 15分钟医疗圈")[:4] == [
        "乡镇\ntownship",
        "人口\npeople",
        "覆盖人口\ncovered people",
        "人口覆盖率\nshare of people",
    ]


def test_every_sheet_is_ready_to_filter_scroll_and_print(book: Workbook) -> None:
    for sheet in book:
        assert sheet.freeze_panes == "B3"
        assert sheet.auto_filter.ref.startswith("A2:")
        assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        assert sheet.print_title_rows == "$2:$2"
        assert "进贤县（示意） [示意数据 illustrative]" in sheet.oddHeader.center.text
        assert "未经审图" in sheet.oddFooter.left.text


def test_sums_stay_below_when_the_rows_are_sorted(book: Workbook) -> None:
    assert book["分乡镇 15分钟医疗圈"].auto_filter.ref == "A2:L23"  # 21 townships


def test_illustrative_data_are_marked_on_every_sheet(book: Workbook) -> None:
    assert all("示意数据" in str(sheet["A1"].value) for sheet in book)


def test_gap_beyond_the_limit_never_reads_as_the_limit(book: Workbook, medical: CoverageResult) -> None:
    column = heads(book, "未覆盖 15分钟医疗圈").index("到最近机构\n分钟\nminutes") + 1
    read = [row[0].value for row in book["未覆盖 15分钟医疗圈"].iter_rows(min_row=3, min_col=column, max_col=column)]
    assert read == ["–" if np.isnan(minutes) else round_up(minutes) for minutes in medical.gaps["nearest_minutes"]]
    assert min(value for value in read if value != "–") > 15


def test_a_restricted_facility_is_in_no_cell(prepared: Prepared, book: Workbook, medical: CoverageResult, plan: RegionPlan) -> None:
    hidden = {name for names in (medical.facilities.id, medical.facilities.name) for name in np.array(names)[medical.facilities.restricted]}
    assert hidden
    assert not [text for text in texts(book) for name in hidden if name in text]
    assert book["机构 15分钟医疗圈"].max_row - 2 == int((~medical.facilities.restricted).sum())
    sites = opened(site_workbook(prepared, "emergency", plan))
    assert not [text for text in texts(sites) for name in hidden if name in text]


def test_people_in_reach_are_those_of_each_facility_itself(prepared: Prepared, book: Workbook, medical: CoverageResult) -> None:
    demand = prepared.region.demand
    sheet = book["机构 15分钟医疗圈"]
    reached = {row[-1].value: row[3].value for row in sheet.iter_rows(min_row=3)}
    for at in (0, 100, len(medical.facilities) - 1):
        assert not medical.facilities.restricted[at]
        assert reached[medical.facilities.id[at]] == demand.people[demand.inside & medical.covers[:, [at]].toarray()[:, 0]].sum()


def test_scenario_sheets_tell_who_gains_and_which_facilities_changed(book: Workbook, compared: Comparison) -> None:
    total = [cell.value for cell in book["情景对比 15分钟医疗圈"][book["情景对比 15分钟医疗圈"].max_row]]
    assert total[-3:-1] == compared.by_zone[["gained_people", "lost_people"]].iloc[-1].tolist()
    assert book["变化村居 15分钟医疗圈"].max_row - 2 == len(compared.changed)
    assert [[row[0].value, row[2].value] for row in book["情景机构 15分钟医疗圈"].iter_rows(min_row=3)] == [
        ["七里乡卫生院", "关闭 closed"],
        ["新建站", "新增 new"],
    ]


def test_standby_workbook_gives_the_points_before_and_after_and_the_proof(prepared: Prepared, plan: RegionPlan) -> None:
    book = opened(site_workbook(prepared, "emergency", plan))
    assert book.sheetnames == ["说明", "急救点", "前后对比", "证明", "够不着的村居"]
    assert [row[1].value for row in book["急救点"].iter_rows(min_row=3)] == list(plan.sites.name)
    totals = [row for row in book["前后对比"].iter_rows(min_row=3, values_only=True) if row[0] == "合计 total"]
    assert totals[0][2:4] == (plan.before["covered_people"].iloc[-1], plan.after["covered_people"].iloc[-1])
    assert book["证明"]["B3"].value == proof(plan)[0]


def test_what_the_numbers_rest_on_is_written_with_them(prepared: Prepared, book: Workbook) -> None:
    said = "\n".join(str(cell.value) for row in book["说明"].iter_rows(min_row=3) for cell in row)
    assert prepared.region.fingerprint in said
    for source in prepared.region.sources:
        assert source.file in said
        assert source.sha256[:16] in said
    assert "15 分钟" in said
    assert "circle15 " in said


def test_a_name_that_looks_like_a_formula_a_link_or_a_number_stays_text(prepared: Prepared, medical: CoverageResult) -> None:
    names = (FORMULA, "https://example.org", "0012", "@SUM(1)", "-1+1")
    facilities = replace(medical.facilities, name=names + medical.facilities.name[len(names) :])
    book = opened(coverage_workbook(prepared, {"medical": replace(medical, facilities=facilities)}))
    cells = [row[0] for row in book["机构 15分钟医疗圈"].iter_rows(min_row=3, max_col=1)]
    shown = [name for name, restricted in zip(names, facilities.restricted, strict=False) if not restricted]
    assert [cell.value for cell in cells[: len(shown)]] == shown
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell for cell in cells if cell.hyperlink]


def test_sheet_names_are_legal_and_told_apart_whatever_the_service_is_called() -> None:
    taken: list[str] = []
    for _ in range(3):
        taken.append(_sheet_name("分乡镇 '" + "[a:b*c?]/\\" * 6, taken))
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in taken)
    assert len({name.casefold() for name in taken}) == 3


def test_workbook_is_dated_by_the_region_not_by_the_clock(prepared: Prepared, book: Workbook) -> None:
    assert book.properties.created == dt.datetime.combine(prepared.region.date, dt.time())


def test_catchment_sheet_ends_with_the_people_whom_all_listed_facilities_cover(book: Workbook, medical: CoverageResult) -> None:
    rows = [[cell.value for cell in row] for row in book["片区 15分钟医疗圈"].iter_rows(min_row=3)]
    assert heads(book, "片区 15分钟医疗圈") == [
        "机构\nfacility",
        "面积\n（平方公里）\narea km²",
        "人口\npeople",
        "村居数\nplaces",
        "编码\nid",
    ]
    for column in (1, 2, 3):
        assert sum(row[column] for row in rows[:-1]) == pytest.approx(rows[-1][column])
    assert rows[-1][2] == pytest.approx(medical.by_zone.iloc[-1]["covered_people"]), "nobody here is served by a restricted facility alone"
