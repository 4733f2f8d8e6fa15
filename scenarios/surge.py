"""When people come to a surge point: a profile by the hour, read from a small table."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coverage.queues import Arrivals
from geodata.errors import InputError, Problem
from geodata.tables.cells import number, share
from geodata.tables.csv_text import read_csv_text

COLUMNS: Final = ("hour", "share")
OFF_ONE: Final = 0.01  # shares in whole percent need not add up exactly


def read_arrivals(path: Path) -> Arrivals:
    """Read the share of people that come in each hour.

    Parameters
    ----------
    path : Path
        A csv with the columns hour and share: an hour a row without gaps, by the clock or counted from opening; the first is when the
        points open. The shares (0.25 or 25 %) add up to 1, within 0.01.

    Raises
    ------
    InputError
        The file is none of that.
    """
    table = read_csv_text(path)
    if missing := [name for name in COLUMNS if name not in table]:
        names = ", ".join(missing)
        raise InputError(Problem(f"{path.name} 缺少列：{names}。", f"{path.name} lacks the columns {names}."))
    hours, shares, problems = [], [], []
    for line, hour, part in table[list(COLUMNS)].itertuples():
        try:
            hours.append(number(hour))
            shares.append(share(part))
        except ValueError:
            zh = f"{path.name} 第 {line} 行：hour 应为整点，share 应为 0—1 或百分数（{hour}，{part}）。"
            problems.append(Problem(zh, f"{path.name} line {line}: hour is a whole hour, share 0-1 or a percentage ({hour}, {part})."))
    if not problems and (not hours or hours != [hours[0] + at for at in range(len(hours))] or hours[0] % 1):
        problems.append(Problem(f"{path.name}：每小时一行，整点，不得间断。", f"{path.name}: one row an hour, whole hours, no gaps."))
    if not problems and not abs(sum(shares) - 1) <= OFF_ONE:
        total = f"{sum(shares):g}"
        problems.append(Problem(f"{path.name}：share 之和应为 1（现为 {total}）。", f"{path.name}: the shares must add up to 1 ({total})."))
    if problems:
        raise InputError(*problems)
    return Arrivals.hourly(shares)
