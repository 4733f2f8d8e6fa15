"""Rows that cannot be read: named with their reason, given back as a table to mend, and taken again when they are mended."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from geodata.errors import InputError, Problem, first_few
from geodata.tables.cells import clean, is_number, number, plain
from geodata.tables.workbooks import read_sheets, readable

ROW, REASON = "行号 row", "原因 reason"
_SCIENTIFIC = re.compile(r"(\d)(?:\.(\d+))?e\+?\d+", re.IGNORECASE)
_ROWS = re.compile(r"(\d+)(?:[-–—~至到](\d+))?")


class Fault(NamedTuple):
    """What is wrong with one row; `shown` is the cell, or what else tells it."""

    row: int
    shown: str
    zh: str
    en: str


def fault_problems(faults: Iterable[Fault], file_name: str) -> list[Problem]:
    """One problem for all rows with the same fault."""
    by_kind: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        by_kind.setdefault((fault.zh, fault.en), []).append(fault)
    return [
        Problem(f"{file_name}：{zh}，有误的行：{rows}。", f"{file_name}: {en}; wrong rows: {rows}.")
        for (zh, en), ones in by_kind.items()
        for rows in [first_few(f"{one.row} ({one.shown})" if one.shown else one.row for one in ones)]
    ]


def rejected_frame(headers: Sequence[str], rows: Mapping[int, Sequence[str]], faults: Iterable[Fault]) -> pd.DataFrame:
    """Rows with a fault, all their cells as written, their number and the reasons."""
    reasons: dict[int, list[Fault]] = {}
    for one in faults:
        reasons.setdefault(one.row, []).append(one)
    table = [[str(row), _reason(reasons[row]), *rows[row]] for row in sorted(reasons)]
    return pd.DataFrame(table, index=sorted(reasons), columns=[ROW, REASON, *headers], dtype="str")


def _reason(faults: Iterable[Fault]) -> str:
    """All that is wrong with a row, in Chinese, then in English."""
    unique = list(dict.fromkeys(faults))
    zh = "；".join(f"{one.zh}（{one.shown}）" if one.shown else one.zh for one in unique)
    return f"{zh} · {'; '.join(one.en for one in unique)}"


def as_csv(rejected: pd.DataFrame) -> bytes:
    """Write rejected rows as a csv that Excel and WPS open, in UTF-8 with BOM."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(rejected.columns)
    writer.writerows(rejected.to_numpy().tolist())
    return buffer.getvalue().encode("utf-8-sig")


def mend(rows: Mapping[int, Sequence[str]], headers: Sequence[str], path: Path) -> dict[int, list[str]]:
    """Put mended rows in the place of those of their number.

    Parameters
    ----------
    rows : mapping
        Row number → cells.
    headers : sequence of str
    path : Path
        A table with 行号 row and the headers of the file, as :func:`as_csv` writes it.

    Returns
    -------
    dict
        The mended rows alone: number → cells.

    Raises
    ------
    InputError
        The file is missing, has no row numbers, a number that is no row of data, or that of a row that is clearly another.
    """
    head, *body = _sheet_rows(path)
    at_row = next((at for at, cell in enumerate(head) if plain(cell).startswith("行号")), None)
    if at_row is None:
        zh = f"{path.name}：没有“{ROW}”列，无法知道每行改的是哪一行。"
        raise InputError(Problem(zh, f"{path.name}: it has no column {ROW!r} that tells which row each one mends."))
    places = _places(head, headers)
    mended: dict[int, list[str]] = {}
    unknown, strange = [], []
    for cells in body:
        given = cells[at_row] if at_row < len(cells) else ""
        row = int(given) if given.isdecimal() else -1
        if row not in rows or row in mended:
            unknown.append(given)
            continue
        if not _alike(rows[row], {here: clean(cells[there]) for there, here in places.items() if there < len(cells)}):
            strange.append(given)
            continue
        new = list(rows[row])
        for there, here in places.items():
            new[here] = _kept(new[here], clean(cells[there]) if there < len(cells) else "")
        mended[row] = new
    if unknown:
        named = first_few(unknown)
        zh = f"{path.name}：原表没有这些数据行，或一行改了两次：{named}。"
        raise InputError(Problem(zh, f"{path.name}: the table has no such rows of data, or one is mended twice: {named}."))
    if strange:
        named = first_few(strange)
        zh = f"{path.name}：这些行与原表同号的行多半不同，原表的行号可能变了：{named}。"
        en = f"{path.name}: these rows differ from the table's rows of the same number, whose rows may have moved: {named}. "
        again = "请重新退回（circle15 tables REGION --rejected DIR），或删去 mended。"
        raise InputError(
            Problem(zh + again, en + "Write the rows out again (`circle15 tables REGION --rejected DIR`), or take mended away.")
        )
    return mended


def _alike(old: Sequence[str], new: Mapping[int, str]) -> bool:
    """Whether a mended row is the old one with some cells changed: about half of those filled in both are the same."""
    both = [(old[at], cell) for at, cell in new.items() if cell and old[at]]
    return not both or sum(_kept(before, after) == before for before, after in both) >= (len(both) - 1) / 2


def _sheet_rows(path: Path) -> list[list[str]]:
    """Rows of the first sheet that has any."""
    if not path.is_file():
        raise InputError(Problem(f"找不到文件 {path}。", f"File {path} does not exist."))
    with readable(path):
        first = next((sheet for sheet in read_sheets(path) if sheet.rows), None)
    return list(first.rows.values()) if first else [[]]


def _places(head: Sequence[str], headers: Sequence[str]) -> dict[int, int]:
    """Columns of the mended table → columns of the file: one by one if all are there, else by name."""
    own = [at for at, cell in enumerate(head) if plain(cell) not in {plain(ROW), plain(REASON)} and not plain(cell).startswith("行号")]
    trimmed = list(headers)
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    if [plain(head[at]) for at in own if head[at]] == [plain(header) for header in trimmed if header] and len(own) >= len(trimmed):
        return {there: here for here, there in enumerate(own[: len(headers)])}
    names = [plain(header) for header in headers]
    return {at: names.index(plain(head[at])) for at in own if names.count(plain(head[at])) == 1}


def _kept(before: str, after: str) -> str:
    """Keep the cell where a spreadsheet only showed its number otherwise: 007 as 7, 360124100201 as 3.60124E+11."""
    if not (is_number(before) and is_number(after)):
        return after
    found = _SCIENTIFIC.fullmatch(after)
    digits = len(found[2] or "") if found else 0
    same = number(before) == number(after) or (found is not None and f"{number(before):.{digits}e}" == f"{number(after):.{digits}e}")
    return before if same else after


def numbered_rows(text: str) -> list[int]:
    """Row numbers such as "3-9, 12".

    >>> numbered_rows("3-5, 12")
    [3, 4, 5, 12]

    Raises
    ------
    InputError
        It is something else.
    """
    numbers: list[int] = []
    for part in re.split("[,，、;；]", text):
        found = _ROWS.fullmatch(plain(part))
        if found is None or (found[2] and int(found[2]) < int(found[1])):
            raise InputError(Problem(f"datum_rows：“{text}”应如“3-9, 12”。", f"datum_rows: {text!r} should be like '3-9, 12'."))
        numbers += range(int(found[1]), int(found[2] or found[1]) + 1)
    return numbers
