"""Sheets of a file → cells as text by row number, with the ranges of merged cells; what a file is shows in its bytes, not in its ending.

xlsx is read by openpyxl, for the sake of its number formats; xls, et and ods by calamine. A page of HTML or a text table that was saved
under the name of a workbook is read as what it is.
"""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geodata.errors import InputError, Problem
from geodata.tables.cells import clean
from geodata.tables.csv_text import decode, read_csv_rows

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell
    from python_calamine import CalamineWorkbook

TABLE_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xls", ".et", ".ods", ".html", ".htm")
MOST_EXACT = 10**15  # Excel keeps fifteen digits
MOST_SPAN = 1000  # rows or columns of one cell of a page
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML = re.compile(r"<(!doctype html|html|table|head|meta|body)\b", re.IGNORECASE)
_XML_SHEET = re.compile(r"<(\w+:)?Workbook\b")


@dataclass(frozen=True)
class Sheet:
    """One table as text.

    Attributes
    ----------
    name : str
        "" for a file of one table.
    rows : dict
        Row number as the user sees it → cells; blank rows are left out.
    merged : tuple of (top, bottom, left, right)
        Ranges of merged cells: rows by number, columns from 0, both ends included.
    hidden : bool
    ragged : bool
        Rows end where they end: one that is longer than the header is wrong.
    """

    name: str
    rows: dict[int, list[str]]
    merged: tuple[tuple[int, int, int, int], ...] = ()
    hidden: bool = False
    ragged: bool = False


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Whatever fails inside tells that this file cannot be read.

    A damaged workbook or geometry fails in openpyxl, calamine and GDAL in every way there is.

    Raises
    ------
    InputError
        Of its own, or that the file cannot be read.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # the libraries' remarks on styles and fields would stand between our messages
            yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            Problem(
                f"{path.name}：无法读取（{error}）。文件可能损坏，或扩展名与内容不符。",
                f"{path.name}: cannot be read ({error}). It may be damaged, or its ending may not tell its format.",
            )
        ) from error


def read_sheets(path: Path) -> list[Sheet]:
    """Read every sheet of a workbook, or the one table of a csv.

    Raises
    ------
    InputError
        The file needs a password, or is of a kind that cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(len(_OLE))
    if start.startswith(_ZIP):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return _read_xlsx(path) if any(name.startswith("xl/") for name in names) else _read_by_calamine(path)
    if start == _OLE:
        _refuse_encrypted(path)
        return _read_by_calamine(path)
    text = decode(path)
    beginning = text[:2000].lstrip()
    if _HTML.search(beginning) and beginning.startswith("<"):
        return _read_html(text)
    if beginning.startswith("<") and _XML_SHEET.search(beginning):
        zh = f"{path.name}：是 XML 表格（2003），请在 WPS 或 Excel 中另存为 xlsx。"
        raise InputError(Problem(zh, f"{path.name}: it is an XML spreadsheet of 2003; save it as xlsx."))
    return [Sheet("", read_csv_rows(path.name, text), ragged=True)]


def cell_text(value: object) -> str:
    """A value as text: whole numbers without a decimal point, nothing as ""."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value)) if abs(value) < MOST_EXACT else f"{value:.14e}"
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return clean(str(value))


def _read_xlsx(path: Path) -> list[Sheet]:
    import openpyxl  # noqa: PLC0415 — takes its time, and a prepared region reads no table

    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheets = []
        for one in book.worksheets:
            one.reset_dimensions()
            rows = _not_blank(enumerate(([_shown(cell) for cell in row] for row in one.iter_rows()), start=1))
            sheets.append((one.title, rows, one.sheet_state != "visible"))
    merged = _merged(path)
    return [Sheet(name, rows, merged.get(name, ()), hidden) for name, rows, hidden in sheets]


def _shown(cell: Cell) -> str:
    """A cell as text; a whole number shown as 007 stays so, and a share shown in percent."""
    text, form = cell_text(cell.value), cell.number_format or ""
    if form.endswith("%") and isinstance(cell.value, (int, float)):
        return f"{(Decimal(repr(cell.value)) * 100).normalize():f}%"
    return text.zfill(len(form)) if text.isdigit() and re.fullmatch("0+", form) else text


def _merged(path: Path) -> dict[str, tuple[tuple[int, int, int, int], ...]]:
    """Merged ranges by sheet: openpyxl tells them only when it keeps the whole workbook in memory."""
    import python_calamine  # noqa: PLC0415 — as above

    book = python_calamine.load_workbook(io.BytesIO(path.read_bytes()))
    return {name: _ranges(book, name) for name in book.sheet_names}


def _ranges(book: CalamineWorkbook, name: str) -> tuple[tuple[int, int, int, int], ...]:
    found = book.get_sheet_by_name(name).merged_cell_ranges or []
    return tuple(sorted((top + 1, bottom + 1, left, right) for (top, left), (bottom, right) in found))


def _read_by_calamine(path: Path) -> list[Sheet]:
    import python_calamine  # noqa: PLC0415 — as above

    try:
        book = python_calamine.load_workbook(io.BytesIO(path.read_bytes()))  # by its content, whatever its ending
    except python_calamine.PasswordError as error:
        raise _needs_password(path) from error
    sheets = []
    for about in book.sheets_metadata:
        if about.typ is python_calamine.SheetTypeEnum.WorkSheet:
            cells = book.get_sheet_by_name(about.name).to_python(skip_empty_area=False)
            rows = _not_blank(enumerate(([cell_text(value) for value in row] for row in cells), start=1))
            hidden = about.visible is not python_calamine.SheetVisibleEnum.Visible
            sheets.append(Sheet(about.name, rows, _ranges(book, about.name), hidden))
    return sheets


def _refuse_encrypted(path: Path) -> None:
    """An xlsx with a password is wrapped in the container of an xls."""
    if "EncryptedPackage".encode("utf-16-le") in path.read_bytes():
        raise _needs_password(path)


def _needs_password(path: Path) -> InputError:
    zh = f"{path.name}：文件有密码。请在 WPS 或 Excel 中打开，去掉密码后另存。"
    return InputError(Problem(zh, f"{path.name}: it needs a password. Open it, remove the password and save it."))


def _not_blank(rows: Iterable[tuple[int, list[str]]]) -> dict[int, list[str]]:
    return {number: cells for number, cells in rows if any(cells)}


def _read_html(text: str) -> list[Sheet]:
    reader = _Tables()
    reader.feed(text)
    reader.close()
    return [Sheet(f"表{number}", rows, merged) for number, (rows, merged) in enumerate(reader.tables(), start=1)]


class _Tables(HTMLParser):
    """The tables of a page; a table inside a cell is read as a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[list[list[tuple[list[str], int, int]]]] = []
        self._done: list[list[list[tuple[list[str], int, int]]]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, row or cell."""
        if tag == "table":
            self._open.append([])
            self._done.append(self._open[-1])
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in {"td", "th"} and self._open and self._open[-1]:
            spans = {name: value or "" for name, value in attrs}
            down, right = (int(spans[name]) if spans.get(name, "").isdecimal() else 1 for name in ("rowspan", "colspan"))
            self._open[-1][-1].append(([], min(max(1, down), MOST_SPAN), min(max(1, right), MOST_SPAN)))
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        """Close a table or cell."""
        if tag == "table" and self._open:
            self._open.pop()
        self._in_cell = self._in_cell and tag not in {"td", "th", "tr", "table"}

    def handle_data(self, data: str) -> None:
        """Keep the text of a cell."""
        if self._in_cell and self._open and self._open[-1] and self._open[-1][-1]:
            self._open[-1][-1][-1][0].append(data)

    def tables(self) -> list[tuple[dict[int, list[str]], tuple[tuple[int, int, int, int], ...]]]:
        """Rows from 1, and the ranges of merged cells, of each table."""
        return [_on_a_grid(table) for table in self._done if table]


def _on_a_grid(table: list[list[Any]]) -> tuple[dict[int, list[str]], tuple[tuple[int, int, int, int], ...]]:
    """Put cells with row and column spans on a grid."""
    taken: dict[tuple[int, int], str] = {}
    merged = []
    for row, cells in enumerate(table, start=1):
        at = 0
        for words, down, right in cells:
            while (row, at) in taken:
                at += 1
            taken |= {(row + i, at + j): "" for i in range(down) for j in range(right)}
            taken[row, at] = clean(" ".join("".join(words).split()))
            if down > 1 or right > 1:
                merged.append((row, row + down - 1, at, at + right - 1))
            at += right
    width = max((at for _, at in taken), default=-1) + 1
    rows = {row: [taken.get((row, at), "") for at in range(width)] for row in range(1, len(table) + 1)}
    return {row: cells for row, cells in rows.items() if any(cells)}, tuple(merged)
