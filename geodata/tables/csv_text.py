"""A csv as people and programs write it → every cell as text."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from geodata.errors import InputError, Problem, first_few, os_reason
from geodata.tables.cells import clean

_SEPARATORS = ",;\t"
_LINES_LOOKED_AT = 40
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_csv_text(path: Path) -> pd.DataFrame:
    """Read a csv with every cell as text, spaces around it removed; a blank cell is "".

    UTF-8 with or without BOM, UTF-16 with BOM, else GB18030; separated by commas, semicolons or tabs, whichever the header has most of.

    Parameters
    ----------
    path : Path
        The first line that is not blank names the columns.

    Returns
    -------
    DataFrame of str
        Indexed by the line number that a text editor shows (the header is line 1); blank lines are passed over.

    Raises
    ------
    InputError
        The file is missing, empty or no text, or rows have not as many cells as the header; each named by its row.
    """
    text = decode(path)
    separator = max(_SEPARATORS, key=_first_line(text).count)
    header = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row), [])
    table = _read_plain(text, separator, len(header))
    if table is None:
        table = _read_rows(path.name, text, separator, len(header))
    table.columns = pd.Index([name.strip() for name in header])
    return table


def read_csv_rows(name: str, text: str) -> dict[int, list[str]]:
    """Read the rows of a csv as spreadsheets write it, titles and notes around the table included; blank rows are left out.

    Parameters
    ----------
    name : str
        Of the file, for errors.
    text : str
        Separated by commas, semicolons or tabs, whichever its first lines have most of.

    Returns
    -------
    dict
        The line on which a row begins → its cells, those at its end that are blank left out.

    Raises
    ------
    InputError
        A quote never ends.
    """
    first_lines = "\n".join(text.splitlines()[:_LINES_LOOKED_AT])
    separator = max(_SEPARATORS, key=first_lines.count)
    rows: dict[int, list[str]] = {}
    before = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            row = [clean(cell) for cell in cells]
            while row and not row[-1]:
                row.pop()
            if row:
                rows[before + 1] = row
            before = reader.line_num
    except csv.Error as error:
        zh = f"{name} 第 {before + 1} 行：引号没有成对。请检查。"
        raise InputError(Problem(zh, f"{name}, row {before + 1}: a quote never ends. Check the quotes.")) from error
    return rows


def decode(path: Path) -> str:
    """Read a text file: UTF-8 with or without BOM, UTF-16 with BOM, else GB18030.

    Raises
    ------
    InputError
        The file is missing, empty or no text.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        problem = Problem(
            f"打不开 {path}：{os_reason(error).zh}。请核对路径。", f"Cannot open {path}: {os_reason(error).en}. Check the path."
        )
        raise InputError(problem) from None
    if not raw.removeprefix(codecs.BOM_UTF8).strip():
        raise InputError(Problem(f"{path.name} 是空文件。请重新导出。", f"{path.name} is empty. Export it again."))
    for encoding in ("utf-16",) if raw.startswith(_UTF16) else ("utf-8-sig", "gb18030"):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text and text.strip():
            return text
    zh = f"{path.name} 不是 UTF-8 或 GB18030 的文本表。请另存为 CSV（UTF-8）。"
    raise InputError(Problem(zh, f"{path.name} is not a text table in UTF-8 or GB18030. Save it as CSV (UTF-8)."))


def _first_line(text: str) -> str:
    return text.lstrip("\r\n").splitlines()[0]


def _read_plain(text: str, separator: str, width: int) -> pd.DataFrame | None:
    """Read fast where every line is a row as wide as the header, and quotes stand around cells only; None for anything else."""
    if text.startswith(("\r", "\n")) or not _quotes_whole_cells(text, separator):
        return None
    names = [str(at) for at in range(width)]
    try:
        cells = arrow_csv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=1),
            parse_options=arrow_csv.ParseOptions(delimiter=separator),
            convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    n_lines = text.count("\n") + (not text.endswith("\n"))
    if cells.num_rows + 1 != n_lines:
        return None
    table: pd.DataFrame = pa.table([pc.utf8_trim_whitespace(column) for column in cells.columns], names=names).to_pandas()
    table.index = pd.RangeIndex(2, 2 + len(table))
    return table


def _quotes_whole_cells(text: str, separator: str) -> bool:
    """Tell whether every quote opens or closes a cell, as many the one as the other: the fast reader lets others pass in silence."""
    opening = text.startswith('"') + text.count(separator + '"') + text.count('\n"')
    closing = text.endswith('"') + text.count('"' + separator) + text.count('"\n') + text.count('"\r')
    return opening == closing and opening + closing == text.count('"')


def _read_rows(name: str, text: str, separator: str, width: int) -> pd.DataFrame:
    """Read slowly, and know on which line each row begins."""
    lines: list[int] = []
    rows: list[list[str]] = []
    wrong: list[int] = []
    before = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if cells:
                lines.append(before + 1)
                rows.append(row)
                wrong += [before + 1] * (len(row) != width)
            before = reader.line_num
    except csv.Error:  # a quote that never ends
        wrong.append(before + 1)
    if wrong:
        zh = f"{name} 第 {first_few(wrong)} 行：列数与表头（{width} 列）不同。请检查逗号和引号。"
        en = f"{name}, row {first_few(wrong)}: not as many cells as the header ({width}). Check its commas and quotes."
        raise InputError(Problem(zh, en))
    return pd.DataFrame(rows[1:], index=lines[1:], columns=range(width), dtype="str")
