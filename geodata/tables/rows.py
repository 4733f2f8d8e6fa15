"""The cells of a table → values by column, what is wrong with each row, and ids where a table has none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geodata.errors import InputError, Problem
from geodata.roads import Geometries
from geodata.tables.cells import CellError
from geodata.tables.columns import LAT, LON, Column
from geodata.tables.opened import Opened
from geodata.tables.rejects import Fault

_LEAST_TOWNSHIPS = 3


@dataclass
class Cells:
    """Values by our column name, in the order of the rows; None where a cell could not be read."""

    rows: list[int]
    by_name: dict[str, list[Any]]
    faults: list[Fault]

    def without(self, row: int) -> Cells:
        """Without one row."""
        at = self.rows.index(row)
        values = {name: ones[:at] + ones[at + 1 :] for name, ones in self.by_name.items()}
        return Cells(self.rows[:at] + self.rows[at + 1 :], values, [fault for fault in self.faults if fault.row != row])

    def frame(self, columns: Sequence[Column], shapes: Geometries | None) -> pd.DataFrame | gpd.GeoDataFrame:
        """The rows without a fault, columns in our order; old people from their share."""
        bad = {fault.row for fault in self.faults}
        good = [at for at, row in enumerate(self.rows) if row not in bad]
        index = [self.rows[at] for at in good]
        order = [column.name for column in columns if column.name in self.by_name]
        series = {
            name: pd.Series([self.by_name[name][at] for at in good], index=index, dtype=object if name == "entrances" else None)
            for name in order
        }
        frame = _with_old(pd.DataFrame(series, index=index))
        return frame if shapes is None else gpd.GeoDataFrame(frame, geometry=shapes[good], crs="EPSG:4326")


def _with_old(frame: pd.DataFrame) -> pd.DataFrame:
    """People of 65 and over, where the table gives their share and not their number."""
    if "old_share" not in frame:
        return frame
    if "people" not in frame or not frame["people"].any():
        return frame  # the share waits for the people
    share = frame.pop("old_share")
    by_share = np.rint(share * frame["people"])
    if "old" in frame:
        return frame.assign(old=frame["old"].fillna(by_share))
    frame.insert(frame.columns.get_loc("people") + 1, "old", by_share)
    return frame


def read_columns(opened: Opened, columns: Sequence[Column], constants: Mapping[str, str]) -> Cells:
    """Read every cell of our columns but the coordinates."""
    rows = opened.layout.rows
    zh, en = "单元格比表头多，请检查逗号和引号", "it has more cells than the header; check its commas and quotes"
    cells = Cells(list(rows), {}, [Fault(row, "", zh, en) for row in opened.layout.too_long])
    for column in columns:
        one = opened.matches.get(column.name)
        if column.name in constants:
            texts = [constants[column.name]] * len(rows)
            cells.by_name[column.name] = _read(cells, column, (column.name, ""), texts)
        elif one is not None and column.name not in {LON.name, LAT.name}:
            texts = [row[one.at] for row in rows.values()]
            if not column.required and not any(text.strip() for text in texts):
                continue  # a column that nobody filled in is not there
            cells.by_name[column.name] = _read(cells, column, (one.header, one.unit), texts)
            if column.adds_up:
                cells.faults += _merged(opened, one.header, one.at)
    return cells


def _read(cells: Cells, column: Column, said: tuple[str, str], texts: Sequence[str]) -> list[Any]:
    header, unit = said
    values = []
    for row, text in zip(cells.rows, texts, strict=True):
        try:
            values.append(column.read(text, unit))
        except CellError as error:
            values.append(None)
            cells.faults.append(Fault(row, repr(text), f"“{header}”列：{error.zh}", f"column {header!r}: {error.en}"))
        except ValueError:
            values.append(None)
            zh, en = f"“{header}”列应为{column.fits[0]}", f"column {header!r} must be {column.fits[1]}"
            cells.faults.append(Fault(row, repr(text), zh, en))
    return values


def _merged(opened: Opened, header: str, at: int) -> list[Fault]:
    """Numbers that stand in one cell for several rows: nobody knows how they are divided."""
    zh, en = f"“{header}”列的一个数跨了几行，无法分开", f"column {header!r}: one number stands for several rows"
    return [Fault(row, repr(opened.layout.rows[row][at]), zh, en) for row, column in sorted(opened.layout.doubtful) if column == at]


def county_row(cells: Cells) -> int | None:
    """Find the whole county in a table of its townships: named like a county, with the people of all the others."""
    zone, people = cells.by_name.get("zone"), cells.by_name.get("people")
    of_places = "id" in cells.by_name or "name" in cells.by_name
    if zone is None or people is None or of_places or len(zone) <= _LEAST_TOWNSHIPS or None in people:
        return None
    whole = math.fsum(people)
    found = [
        row
        for row, name, count in zip(cells.rows, zone, people, strict=True)
        if str(name).endswith(("县", "区", "市")) and count > 0 and math.isclose(count * 2, whole)
    ]
    return found[0] if len(found) == 1 else None


def make_ids(cells: Cells, columns: Sequence[Column], opened: Opened) -> str:
    """Make ids of name and township where a table has none, so that sorting it anew changes none; tell so.

    Rows of one name are numbered in the order of what else is in our columns.
    """
    names = {column.name for column in columns}
    if "id" in cells.by_name or not {"id", "name"} <= names:
        return ""
    if "name" not in cells.by_name:
        has = ", ".join(header for header in opened.headers if header)
        headers = " / ".join(next(column for column in columns if column.name == "id").headers)
        zh = f"{opened.file}：既缺少“编码”列，也没有名称列（可用的表头：{headers}；文件中有：{has}）。"
        en = f"{opened.file}: column 'id' is missing, and so is a name (known headers: {headers}; the file has: {has})."
        raise InputError(Problem(zh, en))
    zones = cells.by_name.get("zone") or [""] * len(cells.rows)
    base = [f"{zone} {name}".strip() if name else "" for zone, name in zip(zones, cells.by_name["name"], strict=True)]
    known = sorted({one.at for one in opened.matches.values()})
    order = sorted(range(len(base)), key=lambda at: (base[at], [opened.layout.rows[cells.rows[at]][column] for column in known]))
    seen: dict[str, int] = {}
    ids: list[str | None] = [None] * len(base)
    for at in order:
        seen[base[at]] = seen.get(base[at], 0) + 1
        if base[at]:
            ids[at] = base[at] if seen[base[at]] == 1 else f"{base[at]} #{seen[base[at]]}"
    cells.by_name["id"] = ids
    cells.faults += [
        Fault(row, "", "既无编码也无名称", "it has neither an id nor a name")
        for row, one in zip(cells.rows, ids, strict=True)
        if one is None
    ]
    return "编码由名称（和乡镇）生成 · ids are made of the names (and townships)"


def check_ids(cells: Cells, opened: Opened) -> list[Fault]:
    """Ids that occur twice, and codes shorter than the others, which all begin with 0 or fill their width: a sheet took their zeros."""
    one = opened.matches.get("id")
    if one is None:
        return []
    zh, en = f"“{one.header}”列的编码重复", f"column {one.header!r} has duplicate ids"
    first: dict[str, int] = {}
    faults = []
    given = [(row, value) for row, value in zip(cells.rows, cells.by_name["id"], strict=True) if value is not None]
    for row, value in given:
        if value in first:
            faults.append(Fault(row, f"{value!r}, as row {first[value]}", zh, en))
        first.setdefault(value, row)
    widths = {len(value) for _, value in given if value.isdigit() and value.startswith("0") and len(value) > 1}
    longest = max((len(value) for _, value in given if value.isdigit()), default=0)
    if widths == {longest}:
        zh, en = f"“{one.header}”列的编码丢失了前面的 0", f"column {one.header!r}: the code lost the zeros it began with"
        faults += [Fault(row, repr(value), zh, en) for row, value in given if value.isdigit() and len(value) < longest]
    return faults
