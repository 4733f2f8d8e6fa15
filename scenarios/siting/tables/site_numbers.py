"""A number for each site, as an option gives it: one for all, or a table of id and number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pandas as pd

from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.region_file import TableBlock
from geodata.tables.cells import amount, filled, is_number, number, share
from geodata.tables.columns import ID, PERSONS, SHARES, THINGS, Column
from geodata.tables.load import load_table, read_table
from scenarios.siting.question import Numbers

Numbered = Literal["vehicles", "busy", "capacity", "price"]


def _whole(cell: str) -> float:
    value: float = amount(THINGS)(cell)
    if value < 1 or not value.is_integer():
        raise ValueError
    return value


def _below_one(cell: str) -> float:
    value = share(filled(cell))
    if value >= 1:
        raise ValueError
    return value


def _price(cell: str) -> float:
    value = number(cell)  # without a unit: all are in that of the header, and so is the budget
    if value < 0:
        raise ValueError
    return value


class _Verbatim(Column):
    """A column of ids: NA, null and the like are ids as any other, not blank cells."""

    def read(self, cell: str, unit: str = "") -> str:  # noqa: ARG002  ids have no unit
        return str(self.parse(cell))


_SITE: Final = _Verbatim("site", ID.headers, filled, ID.fits, required=True)
_CODE: Final = _Verbatim("site", ID.headers, ID.parse, ID.fits, required=True)
_UNIT: Final = re.compile(r"[（(](?:单位[:：]?)?\s*([^（）()]+?)\s*[)）]")
COLUMNS: Final[Mapping[str, Column]] = {
    column.name: column
    for column in (
        Column(
            "vehicles",
            ("vehicles", "车辆数", "车辆", "救护车", "救护车数", "救护车数量"),
            _whole,
            ("不小于 1 的整数", "a whole number of 1 or more"),
            required=True,
            units=THINGS,
        ),
        Column(
            "busy",
            ("busy", "繁忙率", "占用率"),
            _below_one,
            ("不小于 0、小于 1 的占比（如 0.3 或 30%）", "a share of 0 or more and below 1, such as 0.3 or 30%"),
            required=True,
            units=SHARES,
        ),
        Column(
            "capacity",
            ("capacity", "能力", "服务能力", "可服务人数"),
            amount(PERSONS),
            ("不小于 0 的人数", "people, 0 or more"),
            required=True,
            units=PERSONS,
        ),
        Column(
            "price",
            ("price", "费用", "造价", "投资", "建设费用"),
            _price,
            ("不小于 0 的数，单位写在表头", "a number of 0 or more, its unit in the header"),
            required=True,
        ),
    )
}


def site_numbers(text: str, ids: Sequence[str], column: Numbered) -> Numbers:
    """Read what an option such as ``--vehicles`` says of every site: one number, or a table with a row for each.

    Parameters
    ----------
    text : str
        A number, or the path of a csv or workbook with an id (``id``, 编码) and the number (``vehicles`` 车辆数, ``busy`` 繁忙率,
        ``capacity`` 能力, ``price`` 费用); other columns are passed over.
    ids : sequence of str
        The sites. Ids are text: 007 is not 7.
    column : {'vehicles', 'busy', 'capacity', 'price'}
        Whole numbers of 1 or more; shares below 1; people, 0 or more; amounts in any one unit, 0 or more.

    Returns
    -------
    (sites,) float64
        In the order of `ids`.

    Raises
    ------
    OptionError
        The one number cannot be, or there is no such file.
    InputError
        What is wrong in the table: rows, repeated ids, ids that are no site, sites that it lacks.

    Examples
    --------
    >>> site_numbers("2", ["east", "west"], "vehicles")
    array([2., 2.])
    """
    wanted, path = COLUMNS[column], Path(text)
    try:
        return np.full(len(ids), wanted.read(text.strip()))
    except ValueError:
        if is_number(text.rstrip("%")) or not path.is_file():
            raise OptionError(_no_number(text, wanted)) from None
    return _aligned(read_table(path, (_SITE, wanted)), ids, wanted, path.name)


def site_ids(path: Path) -> list[str]:
    """Read the ids of a table of numbers, in the order of its rows; full-width letters as plain ones.

    Raises
    ------
    InputError
        There is no column of ids, or rows have none.
    """
    return [str(one) for one in read_table(path, (_CODE,))["site"]]


def price_unit(path: Path) -> str:
    """Read the unit that the header of a table of prices states in brackets, such as 万元; "" if it states none."""
    header = load_table(TableBlock(file=path), Path(), (_SITE, COLUMNS["price"])).mapping["price"]
    found = _UNIT.search(header)
    return found[1] if found else ""


def _no_number(text: str, wanted: Column) -> Problem:
    option = "--prices" if wanted.name == "price" else f"--{wanted.name}"
    zh, en = wanted.fits
    if is_number(text.rstrip("%")):
        return Problem(f"{option}：{wanted.name_zh}须为{zh}，现为 {text}。", f"{option} must be {en}, not {text}.")
    return Problem(
        f"{option}：没有文件 {text}。请写一个数（{zh}），或一张表的路径（列：编码、{wanted.name_zh}）。",
        f"{option}: there is no file {text}. Write a number ({en}), or the path of a table with the columns id and {wanted.name}.",
    )


def _aligned(table: pd.DataFrame, ids: Sequence[str], wanted: Column, file: str) -> Numbers:
    """Put the numbers of a table in the order of the sites; name what does not fit, all at once."""
    plain = {unicodedata.normalize("NFKC", one): one for one in ids}  # an office may type full-width letters
    known = set(ids)
    named = [one if one in known else plain.get(unicodedata.normalize("NFKC", one), one) for one in table["site"]]
    of = pd.Series(table[wanted.name].to_numpy(dtype=np.float64), index=pd.Index(named, dtype=object))
    problems = []
    if of.index.has_duplicates:
        rows = first_few(f"{one} ({row})" for one, row, again in zip(named, table.index, of.index.duplicated(), strict=True) if again)
        zh = f"{file} 有重复的编码（括号内为行号）：{rows}。请每个只留一行。"
        problems.append(Problem(zh, f"{file} repeats ids, with row numbers: {rows}. Keep one row of each."))
    if unknown := sorted(set(named) - known):
        has = first_few(sorted(known))
        zh = f"{file} 中有不是站点的编码：{first_few(unknown)}（站点有：{has}）。请改正或删去（编码是文本，007 与 7 不同）。"
        en = f"{file} has ids of no site: {first_few(unknown)} (sites are: {has}). Correct or remove them (ids are text: 007 is not 7)."
        problems.append(Problem(zh, en))
    if missing := sorted(known - set(named)):
        zh = f"{file} 没有这些站点的{wanted.name_zh}：{first_few(missing)}。请补上。"
        problems.append(Problem(zh, f"{file} lacks the {wanted.name} of these sites: {first_few(missing)}. Add them."))
    if problems:
        raise InputError(*problems)
    numbers: Numbers = of.loc[list(ids)].to_numpy()
    return numbers
