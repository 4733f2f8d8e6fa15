"""Tables of travel costs between two sets of ids (circle15's own, of map services, of the literature), and people of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import parquet

from geodata.errors import InputError, Problem, first_few
from geodata.tables.columns import ID, PEOPLE
from geodata.tables.csv_text import read_csv_text

Side = Literal["from", "to"]
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
COST_REMEDY = Problem("请填不小于 0 的数；没有路线则留空。", "Write a number of 0 or more; leave it blank where there is no route.")
PEOPLE_REMEDY = Problem("请填不小于 0 的人数。", "Write the people, 0 or more.")


@dataclass(frozen=True, eq=False)
class OdTable:
    """A table of costs between two sets of ids, as it stands in the file.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    ids : dict of Side to Index
        The distinct ids of each side, sorted.
    positions : dict of Side to ndarray of int64, shape (rows,)
        Which id each row has, per side.
    cost : ndarray of float64, shape (rows,)
        In the unit of the column; NaN where there is no route.
    """

    name: str
    ids: dict[Side, pd.Index]
    positions: dict[Side, NDArray[np.int64]]
    cost: NDArray[np.float64]


def read_od(path: Path | str, *, cost: str) -> OdTable:
    """Read a table of travel costs, CSV or ``.parquet``: one row per pair, ids as text.

    Raises
    ------
    InputError
        If the file cannot be read, lacks a column, repeats a pair, or has a cost that is not a number of 0 or more.
    """
    name = Path(path).name
    table = _read_table(Path(path), ("from_id", "to_id", cost))
    from_id, from_problems = _ids(table, "from_id", name)
    to_id, to_problems = _ids(table, "to_id", name)
    values, cost_problems = _numbers(table, cost, name, remedy=COST_REMEDY, may_be_blank=True)
    from_position, from_ids = pd.factorize(from_id, sort=True)
    to_position, to_ids = pd.factorize(to_id, sort=True)
    pairs = pd.Series(from_position * np.int64(len(to_ids)) + to_position, index=table.index)
    repeats = _repeats(pairs, from_id + " → " + to_id, name) if pairs.duplicated().any() else []
    if problems := [*from_problems, *to_problems, *cost_problems, *repeats]:
        raise InputError(*problems)
    return OdTable(name, {"from": from_ids, "to": to_ids}, {"from": from_position, "to": to_position}, values)


def read_weights(path: Path | str) -> pd.Series:
    """Read the people of each demand id (the index, as text): 1 each where the file has no ``people``.

    Raises
    ------
    InputError
        If the file cannot be read, an id is repeated or blank, people are not a number of 0 or more, or no column is people among others.
    """
    name = Path(path).name
    table = _read_table(Path(path), ())
    columns = _named(table, name)
    table = table.rename(columns=columns)
    ids, problems = _ids(table, "id", name)
    if ids.duplicated().any():
        problems += _repeats(ids, ids, name)
    people = np.ones(len(table))
    if "people" in table:
        people, people_problems = _numbers(table, "people", name, remedy=PEOPLE_REMEDY, may_be_blank=False)
        problems += people_problems
    if problems:
        raise InputError(*problems)
    return pd.Series(people, index=pd.Index(ids))


def has_people(path: Path | str) -> bool:
    """Whether a table of demand says how many people there are, or counts each place as 1."""
    return "people" in _named(_read_table(Path(path), ()), Path(path).name).values()


def _named(table: pd.DataFrame, name: str) -> dict[str, str]:
    """Which headers are ``id`` and ``people``, by the usual names; other columns without people are refused: they may be the weights."""
    headers = {header.strip().casefold(): header for header in reversed(list(table.columns))}
    found = {
        headers[known]: column.name
        for column in (PEOPLE, ID)
        for known in [next((header for header in column.headers if header in headers), None)]
        if known
    }
    has = ", ".join(table.columns)
    if "id" not in found.values():
        zh = f"{name} 缺少“编码”列（id；现有列：{has}）。请补上列或改正列名。"
        raise InputError(Problem(zh, f"{name} lacks the column id (it has {has}). Add or rename it."))
    if "people" not in found.values() and len(table.columns) > 1:
        zh = f"{name} 没有“常住人口”列（people；现有列：{has}）。请改正列名；若每处都算 1，请只留编码一列。"
        en = f"{name} has no column people (it has {has}). Rename it; to count each place as 1, keep the id column only."
        raise InputError(Problem(zh, en))
    return found


def choose_demand_side(od: OdTable, weighted: pd.Index, *, demand_side: Side | None, weights_name: str) -> Side:
    """Find which column of the matrix is the demand: the one whose ids the weights name, ``from`` if both.

    Raises
    ------
    InputError
        If some demand ids have no weight: they are named.
    """
    unnamed = {side: ids[~ids.isin(weighted)] for side, ids in od.ids.items()}
    n_named = {side: len(od.ids[side]) - len(unnamed[side]) for side in unnamed}
    side: Side = demand_side or ("from" if n_named["from"] >= n_named["to"] else "to")
    if demand_side is None:
        side = next((whole for whole in ("from", "to") if unnamed[whole].empty), side)
    if n_named[side] == 0:
        of_matrix, of_weights = first_few(od.ids[side]), first_few(weighted)
        raise InputError(
            Problem(
                f"{od.name} 的 {side}_id（{of_matrix}）与 {weights_name} 的 id（{of_weights}）没有一个相同。"
                "编号是文本：007 与 7 不同。请核对两个文件。",
                f"No {side}_id of {od.name} ({of_matrix}) is an id of {weights_name} ({of_weights}). "
                "Ids are text: 007 is not 7. Check the two files.",
            )
        )
    if not unnamed[side].empty:
        names = first_few(unnamed[side])
        raise InputError(
            Problem(
                f"{od.name} 的 {side}_id 中，{weights_name} 没有这些编号：{names}。请补上它们的人数，或从矩阵中删去。",
                f"{weights_name} lacks ids that are {side}_id in {od.name}: {names}. Add their people, or remove them from the matrix.",
            )
        )
    return side


def _read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV as text or a Parquet file as it is (rows counted from 1), and make sure of its columns."""
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else read_csv_text(path)
    found = ", ".join(table.columns)
    problems = []
    if missing := [column for column in columns if column not in table]:
        names = first_few(missing)
        zh = f"{path.name} 缺少列：{names}（现有列：{found}）。请补上列或改正列名。"
        problems.append(Problem(zh, f"{path.name} lacks the columns {names} (it has {found}). Add or rename them."))
    if repeated := sorted(set(table.columns[table.columns.duplicated()])):
        names = first_few(repeated)
        problems.append(Problem(f"{path.name} 的列名重复：{names}。请只留一列。", f"{path.name} repeats the columns {names}. Keep one."))
    if not problems and table.empty:
        problems.append(Problem(f"{path.name} 只有表头，没有数据。请重新导出。", f"{path.name} has a header but no rows. Export it again."))
    if problems:
        raise InputError(*problems)
    return table


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table: pd.DataFrame = parquet.read_table(path).to_pandas(ignore_metadata=True, strings_to_categorical=False)
    except (pa.ArrowException, OSError):
        zh = f"{path.name} 不是可读的 Parquet 文件（或不存在）。请核对路径，或重新导出。"
        raise InputError(Problem(zh, f"{path.name} is no readable Parquet file (or missing). Check the path or export it again.")) from None
    table.index = pd.RangeIndex(1, 1 + len(table))
    return table


def _ids(table: pd.DataFrame, column: str, name: str) -> tuple[pd.Series, list[Problem]]:
    ids = table[column]
    if isinstance(ids.dtype, pd.CategoricalDtype) or pd.api.types.is_integer_dtype(ids.dtype):
        ids = ids.astype("str")
    if not pd.api.types.is_string_dtype(ids.dtype):
        zh = f"{name} 的 {column} 不是文本（{ids.dtype}），前导 0 等可能已丢失。请以文本导出编号。"
        raise InputError(Problem(zh, f"{name}: {column} is not text ({ids.dtype}); leading zeros may be lost. Export ids as text."))
    is_blank = (ids.isna() | (ids == "")).to_numpy(dtype=np.bool_)
    if not is_blank.any():
        return ids, []
    rows = first_few(table.index[is_blank])
    return ids, [Problem(f"{name} 第 {rows} 行：{column} 为空。请补上编号。", f"{name}, row {rows}: blank {column}. Fill in the id.")]


def _numbers(
    table: pd.DataFrame, column: str, name: str, *, remedy: Problem, may_be_blank: bool
) -> tuple[NDArray[np.float64], list[Problem]]:
    """Turn a column into numbers of 0 or more, NaN where it is blank; name every cell that is neither."""
    cells = table[column]
    if pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        is_text = np.zeros(len(cells), dtype=np.bool_)
    else:
        text = pa.array(cells.where(cells.notna(), "").astype("str"), type=pa.string())
        is_number = pc.match_substring_regex(text, NUMBER)
        values = pc.cast(pc.if_else(is_number, text, None), pa.float64()).to_numpy(zero_copy_only=False)
        is_text = ~np.asarray(pc.or_(is_number, pc.equal(text, "")), dtype=np.bool_)
    is_blank = np.isnan(values) & ~is_text & (not may_be_blank)
    problems = []
    for is_wrong, zh, en in (
        (is_blank, "为空", "blank"),
        (is_text | np.isinf(values), "不是数字", "not a number"),
        (np.isfinite(values) & (values < 0), "为负数", "negative"),
    ):
        if is_wrong.any():
            rows = first_few(f"{row} ({cell})" for row, cell in cells[is_wrong].items())
            zh_problem = f"{name} 第 {rows} 行：{column} {zh}。{remedy.zh}"
            problems.append(Problem(zh_problem, f"{name}, row {rows}: {column} is {en}. {remedy.en}"))
    return values, problems


def _repeats(keys: pd.Series, labels: pd.Series, name: str) -> list[Problem]:
    is_again = keys.duplicated()
    first_row = {key: row for row, key in keys[~is_again].items()}
    named = first_few(f"{labels[row]} ({first_row[key]}, {row})" for row, key in keys[is_again].items())
    zh = f"{name} 有重复（括号内为行号）：{named}。请每个只留一行。"
    return [Problem(zh, f"{name} repeats, with row numbers: {named}. Keep one row of each.")]


def other_side(side: Side) -> Side:
    """The side of the candidates, given that of the demand."""
    return "to" if side == "from" else "from"
