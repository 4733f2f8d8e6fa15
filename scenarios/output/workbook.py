"""Results as an Excel workbook that a planner pastes from: numbers as numbers, every sheet ready to print, text never a formula."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

import xlsxwriter

from coverage.stats import CoverageResult
from geodata.region import Prepared
from scenarios.compare import Comparison
from scenarios.output.legend import ILLUSTRATIVE, UNREVIEWED, both
from scenarios.output.sheets import Chart, Sheet, coverage_sheets
from scenarios.output.site_sheets import site_sheets
from scenarios.siting.region.standby import RegionPlan

FONT: Final = "Microsoft YaHei"  # what Excel has on a planner's desk; another program takes its own
A4: Final = 9
MOST_IN_SHEET_NAME: Final = 31
CHART_ROWS: Final = 23  # that a chart covers below its table
MOST_IN_PAGE_HEADER: Final = 120  # Excel takes 255 characters, marks included, and & is written twice
_NOT_IN_SHEET_NAME: Final = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_FORMS: Final = {
    "text": "@",
    "count": "#,##0",
    "share": "0.0%",
    "tenth": "#,##0.0",
    "figure": "[>=100]#,##0;[>=1]#,##0.00;0.0000",
    "degree": "0.00000",
}


def coverage_workbook(
    prepared: Prepared, results: Mapping[str, CoverageResult], *, comparisons: Mapping[str, Comparison] | None = None
) -> bytes:
    """Write coverage as an Excel workbook: what the numbers mean, then townships, gaps and facilities of each service.

    Parameters
    ----------
    prepared : Prepared
    results : mapping of service id to CoverageResult
    comparisons : mapping of service id to Comparison, optional
        Adds what a scenario changes, by township, by settlement and by facility.

    Returns
    -------
    bytes
        An xlsx file; the same bytes for the same input.
    """
    return write_sheets(prepared, coverage_sheets(prepared, results, comparisons or {}))


def site_workbook(prepared: Prepared, service_id: str, plan: RegionPlan) -> bytes:
    """Write a plan as an Excel workbook: the points, before and after by township, the proof, what is as good, who is out of reach.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    plan : RegionPlan

    Returns
    -------
    bytes
        An xlsx file; the same bytes for the same input.
    """
    return write_sheets(prepared, site_sheets(prepared, service_id, plan))


def write_sheets(prepared: Prepared, sheets: Sequence[Sheet]) -> bytes:
    """Write sheets as an xlsx file."""
    region, file = prepared.region, io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, options)
    created = dt.datetime.combine(region.date, dt.time(), dt.UTC)  # not the clock: same input, same bytes
    book.set_properties({"title": region.name, "comments": both(ILLUSTRATIVE) if region.illustrative else "", "created": created})
    mark = f" [{both(ILLUSTRATIVE)}]" if region.illustrative else ""
    names: list[str] = []
    for sheet in sheets:
        names.append(_sheet_name(sheet.name, names))
        page = _write_sheet(book, names[-1], sheet, f"{region.name}{mark} · {sheet.title} · {region.date}")
        if sheet.chart is not None and sheet.rows:
            _add_chart(book, page, names[-1], sheet, sheet.chart)
    book.close()
    return file.getvalue()


def _sheet_name(wanted: str, taken: Sequence[str]) -> str:
    """Find a name that Excel takes: 31 characters, no brackets, colons, slashes, no apostrophe at an end, told apart whatever the case.

    >>> _sheet_name("机构 a/b", ["机构 A b"])
    '机构 a b 2'
    """
    clean = " ".join(_NOT_IN_SHEET_NAME.sub(" ", wanted).split()).strip("'")
    numbered = (clean[: MOST_IN_SHEET_NAME - len(end)].rstrip(" '") + end for end in ("", *(f" {n}" for n in range(2, len(taken) + 3))))
    used = {name.casefold() for name in taken}
    return next(name for name in numbered if name.casefold() not in used)


def _write_sheet(book: xlsxwriter.Workbook, name: str, sheet: Sheet, title: str) -> xlsxwriter.worksheet.Worksheet:
    """Write the title, the header row and the table; the title prints as the page's header, not as a row."""
    page = book.add_worksheet(name)
    look = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}
    page.set_row(0, 24)
    page.write_string(0, 0, title, book.add_format(look | {"bold": True, "font_size": 12}))
    head = book.add_format(look | {"bold": True, "text_wrap": True, "align": "center", "border": 1, "bg_color": "#DCE6F1"})
    page.set_row(1, 48 if any("\n" in column.zh for column in sheet.columns) else 34)
    for at, column in enumerate(sheet.columns):
        page.set_column(at, at, column.width)
        page.write_string(1, at, f"{column.zh}\n{column.en}", head)
    cells = look | {"border": 1, "border_color": "#BFBFBF"}
    for bold in (False, True):
        rows = [at for at in range(len(sheet.rows)) if (at in sheet.bold) == bold]
        for at, column in enumerate(sheet.columns):
            text = {"text_wrap": True, "align": "left"} if column.form == "text" else {"align": "right"}
            form = book.add_format(cells | text | {"num_format": _FORMS[column.form], "bold": bold})
            for row in rows:
                value = sheet.rows[row][at]
                if isinstance(value, str):
                    page.write_string(row + 2, at, value, form)
                elif value is None or math.isnan(value):
                    page.write_string(row + 2, at, "–", form)
                else:
                    page.write_number(row + 2, at, value, form)
    page.freeze_panes(2, 1)
    page.autofilter(1, 0, 1 + len(sheet.rows) - len(sheet.bold), len(sheet.columns) - 1)  # the sums stay below when rows are sorted
    _print_setup(page, title, len(sheet.rows) + 1 + (CHART_ROWS if sheet.chart else 0), len(sheet.columns) - 1)
    return page


def _add_chart(book: xlsxwriter.Workbook, page: xlsxwriter.worksheet.Worksheet, name: str, sheet: Sheet, chart: Chart) -> None:
    """Draw the lines of a chart from the cells of the table, so that they follow when a planner changes a cell."""
    drawn, last = book.add_chart({"type": "line"}), 1 + len(sheet.rows)
    font = {"name": FONT, "size": 10}
    for column in chart.columns:
        points = [{"fill": {"color": "#C00000"}} if row == chart.mark else None for row in range(len(sheet.rows))]
        drawn.add_series(
            {
                "name": sheet.columns[column].zh.replace("\n", ""),
                "categories": [name, 2, chart.along, last, chart.along],
                "values": [name, 2, column, last, column],
                "marker": {"type": "circle", "size": 6},
                "points": points,
            }
        )
    drawn.set_title({"name": chart.title, "name_font": font | {"size": 12}, "overlay": False})
    drawn.set_x_axis({"name": sheet.columns[chart.along].zh.replace("\n", ""), "name_font": font, "num_font": font})
    drawn.set_y_axis({"num_font": font, "num_format": _FORMS["count"], "major_gridlines": {"visible": True, "line": {"color": "#D9D9D9"}}})
    drawn.set_legend({"position": "bottom", "font": font})
    drawn.set_size({"width": 760, "height": 380})
    page.insert_chart(last + 2, 0, drawn)


def _print_setup(page: xlsxwriter.worksheet.Worksheet, title: str, last_row: int, last_column: int) -> None:
    page.set_landscape()
    page.set_paper(A4)
    page.fit_to_pages(1, 0)
    page.repeat_rows(1)
    page.print_area(1, 0, last_row, last_column)
    page.set_margins(left=0.5, right=0.5, top=0.8, bottom=0.7)
    page.set_header("&C&B" + title[:MOST_IN_PAGE_HEADER].replace("&", "&&"))
    page.set_footer("&L" + UNREVIEWED[0] + "&R&P / &N")
