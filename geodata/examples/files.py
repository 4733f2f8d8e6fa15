"""Tables of the example county as files, the same bytes each time."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook

WRITTEN_AT = "2026-01-01T00:00:00Z"
ZIP_DATE = (2026, 1, 1, 0, 0, 0)


def write_csv(path: Path, encoding: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


def write_xlsx(path: Path, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a workbook of one sheet; columns of shares are shown as percent."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    sheet.append(list(columns))
    for row in rows:
        sheet.append(list(row))
    for number, column in enumerate(columns, start=1):
        if column.endswith("占比"):
            for (cell,) in sheet.iter_rows(min_row=2, min_col=number, max_col=number):
                cell.number_format = "0.0%"
    sheet.freeze_panes = "A2"
    save_workbook(book, path)


def save_workbook(book: Workbook, path: Path) -> None:
    """Save without the hour it was written: a workbook is a zip file and would carry it."""
    buffer = io.BytesIO()
    book.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", WRITTEN_AT.encode(), content)
            target.writestr(zipfile.ZipInfo(name, ZIP_DATE), content, zipfile.ZIP_DEFLATED)
