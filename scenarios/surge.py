"""When people come to a surge point: a profile by the hour, read from a small table."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from coverage.studies.queues import Arrivals
from geodata.errors import InputError, Problem
from geodata.tables.cells import number, share
from geodata.tables.csv_text import read_csv_text

COLUMNS: Final = {"hour": ("hour", "小时"), "share": ("share", "比例", "占比")}  # the headers by which each is known
OFF_ONE: Final = 0.01  # shares in whole percent need not add up exactly


def read_arrivals(path: Path) -> Arrivals:
    """Read the share of people that come in each hour.

    Parameters
    ----------
    path : Path
        A csv with the columns hour and share (小时, 比例 or 占比): an hour a row without gaps, by the clock (8, 9, 10 …) or counted from
        opening (0, 1, 2 … or 1, 2, 3 …), which comes to the same: the first row is always the hour that begins with opening. The shares
        (0.25 or 25 %) add up to 1, within 0.01.

    Raises
    ------
    InputError
        The file is none of that.
    """
    hours, shares, problems = [], [], []
    for line, hour, part in _columns(path).itertuples():
        try:
            hours.append(number(hour))
            shares.append(share(part))
        except ValueError:
            zh = f"{path.name} 第 {line} 行：小时应为整点，比例应为 0—1，或带百分号，如 50%（现为 {hour}，{part}）。"
            en = f"{path.name} line {line}: hour is a whole hour, share 0-1, or a percentage written 50% ({hour}, {part})."
            problems.append(Problem(zh, en))
    if not problems and (not hours or hours != [hours[0] + at for at in range(len(hours))] or hours[0] % 1):
        problems.append(Problem(f"{path.name}：每小时一行，整点，不得间断。", f"{path.name}: one row an hour, whole hours, no gaps."))
    if not problems and not abs(sum(shares) - 1) <= OFF_ONE:
        total = f"{sum(shares):g}"
        problems.append(
            Problem(f"{path.name}：比例之和应为 1，即 100%（现为 {total}）。", f"{path.name}: the shares must add up to 1 ({total}).")
        )
    if problems:
        raise InputError(*problems)
    return Arrivals.hourly(shares)


def _columns(path: Path) -> pd.DataFrame:
    """Find hour and share by their headers, in either language."""
    table = read_csv_text(path)
    found = {name: next((header for header in headers if header in table), None) for name, headers in COLUMNS.items()}
    if missing := ", ".join("/".join(COLUMNS[name]) for name, header in found.items() if header is None):
        raise InputError(Problem(f"{path.name} 缺少列：{missing}。", f"{path.name} lacks the columns {missing}."))
    return table[[header for header in found.values() if header is not None]]
