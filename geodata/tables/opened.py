"""A file of any kind → the one table in it that is meant: its sheet, its header, its rows of data, and where they lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from geodata.errors import InputError, Problem, first_few
from geodata.roads import Geometries
from geodata.tables.columns import Column
from geodata.tables.features import HEADER_ROW, VECTOR_ENDINGS, read_features
from geodata.tables.headers import Heading, Match, match
from geodata.tables.layout import Layout, lay_out
from geodata.tables.rejects import mend
from geodata.tables.workbooks import TABLE_ENDINGS, Sheet, read_sheets, readable

ROWS_A_SHEET = 100_000  # row 3 of the second of several sheets is row 100003
_EVERY = "*"


class Wanted(NamedTuple):
    """What is looked for: our columns, the user's own headers for them, and those that one text stands for in every row."""

    columns: tuple[Column, ...]
    chosen: Mapping[str, str]
    constants: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Opened:
    """One table, before its cells are read.

    Attributes
    ----------
    file : str
    layout : Layout
    matches : dict
        Our name → its column in the file.
    shapes : geometries, optional
        In the order of the rows.
    crs : str
        Of the shapes; "" if not stated.
    """

    file: str
    layout: Layout
    matches: dict[str, Match]
    shapes: Geometries | None
    crs: str

    @property
    def headers(self) -> list[str]:
        """All headers of the file."""
        return [one.shown for one in self.layout.headings]

    def without(self, row: int) -> Opened:
        """The same table without one row."""
        at = list(self.layout.rows).index(row)
        layout = replace(self.layout, rows={number: cells for number, cells in self.layout.rows.items() if number != row})
        return replace(self, layout=layout, shapes=None if self.shapes is None else np.delete(self.shapes, at))

    def mended(self, path: Path) -> Opened:
        """The same table with the rows of another in place of its own."""
        mended = mend(self.layout.rows, self.headers, path)
        layout = replace(
            self.layout,
            rows=self.layout.rows | mended,
            doubtful={(row, at) for row, at in self.layout.doubtful if row not in mended},
            too_long=[row for row in self.layout.too_long if row not in mended],
        )
        return replace(self, layout=layout)


def open_table(path: Path, wanted: Wanted, *, sheet: str | None, layer: str | None) -> Opened:
    """Open a table and find the columns that are wanted.

    Raises
    ------
    InputError
        The file cannot be read, holds no such table, or lacks a column.
    """
    ending = path.suffix.lower()
    if path.is_dir():
        raise InputError(Problem(f"{path} 是文件夹，不是表格。", f"{path} is a folder, not a table."))
    if not path.is_file():
        raise InputError(Problem(f"找不到文件 {path}。", f"File {path} does not exist."))
    if ending not in TABLE_ENDINGS + VECTOR_ENDINGS:
        known = " ".join(TABLE_ENDINGS + VECTOR_ENDINGS)
        raise InputError(
            Problem(f"{path.name}：不支持的格式；可用：{known}。", f"{path.name}: not a format that can be read; these can: {known}.")
        )
    with readable(path):
        opened = _open_features(path, wanted, layer) if ending in VECTOR_ENDINGS else _open_sheets(path, wanted, sheet)
    if not opened.layout.rows:
        raise InputError(Problem(f"{path.name}：没有数据行。", f"{path.name}: it has no rows."))
    return opened


def _open_features(path: Path, wanted: Wanted, layer: str | None) -> Opened:
    features = read_features(path, layer)
    located, cut = features.shapes is not None, path.suffix.lower() == ".shp"

    def fit(headings: Sequence[Heading], unit: str) -> dict[str, Match]:
        return _match(headings, wanted, has_geometry=located, cut=cut, unit=unit)[0]

    layout = lay_out(features.sheet, fit, header_row=HEADER_ROW)
    shapes = None if features.shapes is None else features.shapes[np.array(list(layout.rows), dtype=np.int64) - 1]
    matches, problems = _match(layout.headings, wanted, has_geometry=located, cut=cut, unit="")
    _refuse(path.name, layout, wanted, problems)
    return Opened(path.name, layout, matches, shapes, features.crs)


def _open_sheets(path: Path, wanted: Wanted, sheet: str | None) -> Opened:
    sheets = [one for one in read_sheets(path) if one.rows or one.name == sheet]
    candidates = _named(sheets, sheet, path.name) if sheet else [one for one in sheets if not one.hidden]
    if not any(one.rows for one in candidates):
        raise InputError(Problem(f"{path.name}：工作表是空的。", f"{path.name}: the sheet is empty."))

    def fit(headings: Sequence[Heading], unit: str) -> dict[str, Match]:
        return _match(headings, wanted, unit=unit)[0]

    read = [(layout, *_match(layout.headings, wanted, unit=layout.unit_above)) for one in candidates for layout in [lay_out(one, fit)]]
    fitting = [one for one in read if not one[2]]
    if sheet and len(read) > 1:
        together = fitting if sheet == _EVERY and fitting else read
        chosen = (_joined(together, path.name), *together[0][1:])
    elif len(fitting) > 1:
        names, first = "、".join(layout.sheet for layout, _, _ in fitting), fitting[0][0].sheet
        raise InputError(
            Problem(
                f'{path.name}：有几个工作表都合适：{names}。请在 region.toml 中写明，如 sheet = "{first}"；合并读取写 sheet = "*"。',
                f'{path.name}: several sheets fit: {names}. Name one in region.toml, like sheet = "{first}", or all: sheet = "*".',
            )
        )
    else:
        chosen = fitting[0] if fitting else max(read, key=lambda one: len(one[1]))
    layout, matches, problems = chosen
    _refuse(path.name, layout, wanted, problems)
    return Opened(path.name, layout, matches, None, "")


def _match(
    headings: Sequence[Heading], wanted: Wanted, *, has_geometry: bool = False, cut: bool = False, unit: str = ""
) -> tuple[dict[str, Match], list[Problem]]:
    columns = tuple(column for column in wanted.columns if column.name not in wanted.constants)
    return match(headings, columns, wanted.chosen, has_geometry=has_geometry, cut=cut, unit_above=unit)


def _refuse(name: str, layout: Layout, wanted: Wanted, problems: Sequence[Problem]) -> None:
    """Raise what stands in the way of the table as a whole."""
    for column in wanted.columns:
        if column.name in wanted.constants and (there := match(layout.headings, (column,), {})[0].get(column.name)):
            value = wanted.constants[column.name]
            zh = f"{name}：表中已有“{there.header}”列，又在 region.toml 中写了 {column.name} = {value}，请只留一个。"
            en = f"{name}: it has a column {there.header!r}, and region.toml says {column.name} = {value!r}: keep one."
            raise InputError(Problem(zh, en))
    if problems:
        raise InputError(*(Problem(f"{name}：{zh}", f"{name}: {en}") for zh, en in problems))


def _named(sheets: Sequence[Sheet], sheet: str, name: str) -> list[Sheet]:
    """Find the sheets that region.toml names: one, several separated by commas, or all by ``*``."""
    by_name = {one.name: one for one in sheets}
    if sheet in by_name:
        return [by_name[sheet]]
    if sheet == _EVERY:
        return [one for one in sheets if not one.hidden]
    names = [part.strip() for part in sheet.replace("，", ",").replace("、", ",").split(",")]
    missing = [one for one in names if one not in by_name]
    if missing:
        known = ", ".join(by_name)
        first = first_few(missing)
        raise InputError(Problem(f"{name}：没有工作表“{first}”；有：{known}。", f"{name}: no sheet {first!r}; there are: {known}."))
    return [by_name[one] for one in names]


def _joined(read: Sequence[tuple[Layout, dict[str, Match], list[Problem]]], name: str) -> Layout:
    """Sheets of the same shape as one; rows of the second count from 100000, of the third from 200000."""
    first = read[0][0]
    other = [layout.sheet for layout, _, _ in read if _shape(layout) != _shape(first)]
    long = [layout.sheet for layout, _, _ in read if max(layout.rows, default=0) >= ROWS_A_SHEET]
    if other or long:
        named = first_few(other or long)
        raise InputError(
            Problem(
                f"{name}：工作表“{named}”与“{first.sheet}”的表头不同或太长，不能合并读取。",
                f"{name}: sheet {named!r} has other headers than {first.sheet!r} or is too long; they cannot be read as one.",
            )
        )
    from_row = [at * ROWS_A_SHEET for at in range(len(read))]
    layouts = [(start, layout) for start, (layout, _, _) in zip(from_row, read, strict=True)]
    headings = max((layout.headings for _, layout in layouts), key=len)  # beyond the last header there may be cells without one
    return replace(
        first,
        headings=headings,
        sheet="、".join(layout.sheet for _, layout in layouts),
        rows={start + row: cells + [""] * (len(headings) - len(cells)) for start, layout in layouts for row, cells in layout.rows.items()},
        passed_over=[f"{layout.sheet} {text}" for _, layout in layouts for text in layout.passed_over],
        doubtful={(start + row, at) for start, layout in layouts for row, at in layout.doubtful},
        too_long=[start + row for start, layout in layouts for row in layout.too_long],
    )


def _shape(layout: Layout) -> list[str]:
    """All headers, and the unit above them."""
    heads = [one.shown for one in layout.headings]
    while heads and not heads[-1]:
        heads.pop()
    return [*heads, layout.unit_above]
