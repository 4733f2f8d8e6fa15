"""Which rows of a sheet are title, header, data, total and note; cells that were merged are filled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from geodata.tables.cells import is_number, plain
from geodata.tables.columns import UNITS
from geodata.tables.headers import Heading, Match, header_words, heading, looks_like_header
from geodata.tables.workbooks import Sheet

MOST_ABOVE = 40  # rows above the header
MOST_BELOW = 5  # rows looked at below the best header so far
MOST_LINES = 3  # of a header
_SHOWN = 24  # characters of a row that is passed over
_TOTALS = {"合计", "总计", "小计", "共计", "累计", "计", "全县", "全区", "全市", "平均", "total", "totals", "subtotal", "sum"}
_MAY_BE_TOTAL = re.compile("计|全|平|total|sum", re.IGNORECASE)
_LONGEST_TOTAL = 24
_TOTAL = re.compile(r".{0,14}(?:合计|小计|总计|共计)")
_NOTE = re.compile(
    r"(?:(?:注|备注|附注|说明|填表说明|备\s*注|数据来源|资料来源|来源|note|notes|source)\s*\d*\s*[:：.、．]|[*※]"
    r"|(?:填表|制表|审核|复核|填报|统计|报送|联系|经办|审批)(?:人|单位|日期|时间|部门|电话|负责人)|单位(?:负责人|盖章|\(盖章\)|（盖章）)|(?:第\s*\d+\s*页))",
    re.IGNORECASE,
)
_SECTION = re.compile(r"[（(][一二三四五六七八九十]{1,3}[)）]|[一二三四五六七八九十]{1,3}[、.．]")
_UNIT_LINE = re.compile(r"(?<![报制盖表])单位\s*[:：]\s*([^\s，,。）)]+)")

Fit = Callable[[Sequence[Heading], str], Mapping[str, Match]]


@dataclass(frozen=True, eq=False)
class Layout:
    """A sheet, understood.

    Attributes
    ----------
    sheet : str
    header_row : int
        The first line of the header.
    headings : list of Heading
    rows : dict
        Row number → cells, as many as headings: the rows of data.
    passed_over : list of str
        Rows that are no data, by number.
    doubtful : set of (row, column)
        Cells that are one cell over several rows.
    too_long : list of int
        Rows with more cells than the header.
    unit_above : str
    """

    sheet: str
    header_row: int
    headings: list[Heading]
    rows: dict[int, list[str]]
    passed_over: list[str]
    doubtful: set[tuple[int, int]]
    too_long: list[int]
    unit_above: str


def lay_out(sheet: Sheet, fit: Fit, *, header_row: int | None = None) -> Layout:
    """Find the header of a sheet, and tell the rows below it apart.

    Parameters
    ----------
    sheet : Sheet
        Not blank.
    fit : callable
        Which of our columns a header would give; the one that gives most is the header.
    header_row : int, optional
        Where it is known.
    """
    first, n_lines = (header_row, 1) if header_row is not None else _find_header(sheet, fit)
    numbers = [number for number in sheet.rows if number < first + n_lines]
    above = [number for number in numbers if number < first]
    headings = _headings(sheet, first, n_lines)
    unit = _unit_above([cell for number in above for cell in sheet.rows[number]])
    body = {number: cells for number, cells in sheet.rows.items() if number >= first + n_lines}
    width = max([len(headings), *(len(cells) for cells in body.values() if not sheet.ragged)])
    headings += [heading([])] * (width - len(headings))
    padded = {number: cells + [""] * (width - len(cells)) for number, cells in body.items()}
    filled, doubtful = _fill_down(padded, sheet)
    kept, passed_over = _tell_apart(filled, fit(headings, unit), sheet)
    return Layout(
        sheet=sheet.name,
        header_row=first,
        headings=headings,
        rows={number: cells[:width] for number, cells in kept.items()},
        passed_over=[f"{number} {_shown(sheet.rows[number])}" for number in above] + passed_over,
        doubtful={(number, at) for number, at in doubtful if number in kept},
        too_long=[number for number, cells in kept.items() if any(cells[width:])],
        unit_above=unit,
    )


def _find_header(sheet: Sheet, fit: Fit) -> tuple[int, int]:
    """First line and number of lines of the header that gives most columns; without any, the first row of more than one cell."""
    numbers = list(sheet.rows)[:MOST_ABOVE]
    wide = [number for number in numbers if sum(map(bool, sheet.rows[number])) > 1] or numbers
    best, best_found = (wide[0], 1), 0
    for first in wide:
        if best_found and first > best[0] + MOST_BELOW:
            break
        for n_lines in range(1, MOST_LINES + 1):
            if any(number not in sheet.rows for number in range(first, first + n_lines)) or not _are_words(sheet, first, n_lines):
                break
            found = len(fit(_headings(sheet, first, n_lines), ""))
            if (found, -n_lines) > (best_found, -best[1]):
                best, best_found = (first, n_lines), found
    first, n_lines = best
    while n_lines < MOST_LINES and _belongs_below(sheet, first, n_lines):
        n_lines += 1
    return first, n_lines


def _are_words(sheet: Sheet, first: int, n_lines: int) -> bool:
    """Whether no lower line of a header holds a number."""
    return not any(is_number(cell) for number in range(first + 1, first + n_lines) for cell in sheet.rows[number])


def _belongs_below(sheet: Sheet, first: int, n_lines: int) -> bool:
    """Whether the next row is one more line of the header: cells of the header reach into it, or it holds units only."""
    below = first + n_lines
    cells = [cell for cell in sheet.rows.get(below, []) if cell]
    reached = any(top < below <= bottom and top >= first for top, bottom, _, _ in sheet.merged)
    units = [re.sub(r"[()（）]|单位[:：]", "", plain(cell)) for cell in cells]
    return (reached and bool(cells) and _are_words(sheet, below - 1, 2)) or (bool(units) and all(unit in UNITS for unit in units))


def _headings(sheet: Sheet, first: int, n_lines: int) -> list[Heading]:
    lines = [list(sheet.rows[number]) for number in range(first, first + n_lines)]
    width = max(map(len, lines))
    lines = [line + [""] * (width - len(line)) for line in lines]
    for top, bottom, left, right in sheet.merged:
        for number in range(max(top, first), min(bottom, first + n_lines - 1) + 1):
            for at in range(left, min(right, width - 1) + 1):
                lines[number - first][at] = sheet.rows.get(top, [""] * width)[left] if top >= first else ""
    if not sheet.merged:
        for upper, lower in pairwise(lines):
            for at in range(1, width):
                if not upper[at] and lower[at] and lower[at - 1] and upper[at - 1]:
                    upper[at] = upper[at - 1]
    bracketed = lines[-1] if n_lines > 1 else []
    lines[-1] = [f"({cell})" if cell and plain(cell) in UNITS else cell for cell in bracketed] or lines[-1]
    return [heading([line[at] for line in lines]) for at in range(width)]


def _unit_above(cells: Sequence[str]) -> str:
    """Find the unit that a line above the table states, such as 单位：万人."""
    said = [unit for cell in cells for found in _UNIT_LINE.findall(cell) for unit in re.split("[、,，/;；]", found)]
    return next((plain(unit) for unit in said if UNITS.get(plain(unit), "1") not in {"1", ""}), "")


def _fill_down(rows: dict[int, list[str]], sheet: Sheet) -> tuple[dict[int, list[str]], set[tuple[int, int]]]:
    """Repeat a cell that is merged over several rows in each of them."""
    filled = {number: list(cells) for number, cells in rows.items()}
    doubtful: set[tuple[int, int]] = set()
    for top, bottom, left, _ in sheet.merged:
        here = [number for number in range(top, bottom + 1) if number in filled and left < len(filled[number])]
        if top in filled and len(here) > 1 and filled[top][left]:
            for number in here:
                filled[number][left] = filled[top][left]
            doubtful |= {(number, left) for number in here}
    return filled, doubtful


def _tell_apart(rows: Mapping[int, list[str]], matches: Mapping[str, Match], sheet: Sheet) -> tuple[dict[int, list[str]], list[str]]:
    """Rows of data, and those that are none: totals, notes, section titles, headers repeated on a page."""
    kept, passed_over = {}, []
    lone = {number: own[0] for number, cells in sheet.rows.items() if len(own := [cell for cell in cells if cell]) == 1}
    across = {top for top, bottom, left, right in sheet.merged if right > left and top == bottom}
    titles: set[str] = {text for number, text in lone.items() if number not in rows}
    words = header_words(matches)
    noted = False
    for number, cells in rows.items():
        own = [cell for cell in sheet.rows[number] if cell]
        note = bool(_NOTE.match(own[0])) and (number in lone or _is_signature(own))
        aside = number in lone and (number in across or noted or own[0] in titles or bool(_SECTION.match(own[0])))
        if note or aside or _is_total(own) or (not words.isdisjoint(own) and looks_like_header(cells, matches)):
            passed_over.append(f"{number} {_shown(own)}")
            noted |= note
        else:
            kept[number] = cells
    return kept, passed_over


def _is_signature(cells: Sequence[str]) -> bool:
    """Whether most cells of a row are of the kind 填表人：张三."""
    signed = sum(bool(_NOTE.match(cell)) or ":" in plain(cell) for cell in cells)
    return signed * 2 >= len(cells)


def _is_total(cells: Sequence[str]) -> bool:
    if not _MAY_BE_TOTAL.search(" ".join(cells[:3])):  # a log has a hundred thousand rows
        return False
    for cell in cells[:3]:
        if len(cell) > _LONGEST_TOTAL:
            continue
        word = re.sub(r"\([^()]*\)|[:。.]", "", plain(cell))
        if word in _TOTALS or (_TOTAL.fullmatch(word) and not is_number(word)):
            return True
    return False


def _shown(cells: Sequence[str]) -> str:
    text = " ".join(" ".join(cell for cell in cells if cell).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
