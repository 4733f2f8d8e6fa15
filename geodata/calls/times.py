"""Moments as dispatch systems and spreadsheets write them → whole seconds, a column at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.calls.model import MISSING
from geodata.roads import Bools, Ints

DAY_S = 86_400
_BLANK = ("", "-", "--", "—", "/", "无", "空", "null", "NULL", "None", "NaT")
# What one cell of a column fits, the whole column most often does: pandas then reads it fast. All else goes through the patterns.
# A length stands beside a form whose digits would else be shared out wrongly.
_FAST = (
    ("%Y-%m-%d %H:%M:%S", 0),
    ("%Y/%m/%d %H:%M:%S", 0),
    ("%Y/%m/%d %H:%M", 0),
    ("%Y-%m-%d %H:%M", 0),
    ("%Y%m%d%H%M%S", 14),
    ("%Y年%m月%d日 %H:%M:%S", 0),
)
_CLOCK = r"(?P<hour>\d{1,2})[:时点](?P<minute>\d{1,2})(?:[:分](?P<second>\d{1,2}(?:\.\d+)?))?[分秒]?"
_SPELLED = r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?[T\s]*" + _CLOCK + r"(?:\+08:?00)?"
_PACKED = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)[T\s_-]?(?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d)?"
_DATE = r"(?P<year>\d{4})[-/.年]?(?P<month>\d{1,2})[-/.月]?(?P<day>\d{1,2})日?(?:[T\s]+0?0:00(?::00)?)?"
_FIRST_S, _LAST_S = (int(np.datetime64(day, "s").astype(np.int64)) for day in ("2000-01-01", "2100-01-01"))
_MOST_SERIAL = 1e5
_SERIAL_ZERO = int(np.datetime64("1899-12-30", "D").astype(np.int64))  # Excel counts days from here


@dataclass(frozen=True, eq=False)
class Moments:
    """A column of moments.

    Attributes
    ----------
    seconds : (rows,) int64
        Since 1970-01-01, without a time zone; of the day alone where `clock_only`; MISSING where blank or unread.
    clock_only : (rows,) bool
        A time of day without its date.
    unread : (rows,) bool
        Not blank, and no moment.
    """

    seconds: Ints
    clock_only: Bools
    unread: Bools


def read_moments(cells: pd.Series) -> Moments:
    """Read a column of moments: spelled or packed, with dashes, slashes or 年月日, Excel serials, or a time of day alone.

    A day without a time is no moment; years outside 2000 to 2099 and times beyond 23:59:59 are not read.

    Parameters
    ----------
    cells : Series of str

    Returns
    -------
    Moments
    """
    cells = cells.reset_index(drop=True)
    seconds = np.full(len(cells), MISSING, dtype=np.int64)
    left = _read_fast(cells, seconds, np.flatnonzero(~cells.isin(_BLANK)))
    for read in (_spelled, _packed, _serial):
        plain = cells.iloc[left].str.normalize("NFKC").str.strip()
        found = read(plain)
        found = np.where((found >= _FIRST_S) & (found < _LAST_S), found, MISSING)
        seconds[left] = found
        left = left[found == MISSING]
    clock = _clock(cells.iloc[left].str.normalize("NFKC").str.strip())
    clock_only, unread = (np.zeros(len(cells), dtype=bool) for _ in range(2))
    seconds[left], clock_only[left], unread[left] = clock, clock != MISSING, clock == MISSING
    return Moments(seconds, clock_only, unread)


def read_days(cells: pd.Series) -> Ints:
    """Read a column of dates: seconds since 1970-01-01 at 0:00, MISSING where blank or unread."""
    plain = cells.reset_index(drop=True).str.normalize("NFKC").str.strip()
    days = _moments(plain, _DATE)
    serial = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    whole = np.isfinite(serial) & (serial < _MOST_SERIAL) & (serial % 1 == 0)
    days = np.where(whole, np.where(whole, serial + _SERIAL_ZERO, 0).astype(np.int64) * DAY_S, days)
    return np.where((days >= _FIRST_S) & (days < _LAST_S), days, MISSING)


def _read_fast(cells: pd.Series, seconds: Ints, left: Ints) -> Ints:
    """Fill `seconds` by the formats that fit the first cell that is left; what is still left then."""
    for form, length in _FAST:
        if len(left) == 0:
            return left
        first = cells.iloc[left[0]]
        if (length and len(first) != length) or pd.isna(pd.to_datetime(first, format=form, errors="coerce")):
            continue
        mine = left[(cells.iloc[left].str.len() == length).to_numpy()] if length else left
        read = pd.to_datetime(cells.iloc[mine], format=form, errors="coerce").to_numpy().astype("datetime64[s]")
        moment = read.astype(np.int64)
        known = ~np.isnat(read) & (moment >= _FIRST_S) & (moment < _LAST_S)
        seconds[mine[known]] = moment[known]
        left = np.setdiff1d(left, mine[known], assume_unique=True)
    return left


def _spelled(plain: pd.Series) -> Ints:
    return _moments(plain, _SPELLED)


def _packed(plain: pd.Series) -> Ints:
    return _moments(plain, _PACKED)


def _serial(plain: pd.Series) -> Ints:
    """Read the days of Excel with their fraction; a whole number of days has no time."""
    days = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=np.float64)
    sound = np.isfinite(days) & (days >= 1) & (days < _MOST_SERIAL) & (days % 1 != 0)
    return np.where(sound, np.rint((np.where(sound, days, 0.0) + _SERIAL_ZERO) * DAY_S), MISSING).astype(np.int64)


def _moments(plain: pd.Series, pattern: str) -> Ints:
    """Seconds since 1970 of the cells that fit a pattern whole and are in the calendar; MISSING for the others."""
    parts = plain.str.extract(f"^{pattern}$").apply(pd.to_numeric)
    for name in ("hour", "minute", "second"):
        parts[name] = parts[name].fillna(0) if name in parts else 0
    sound = parts["year"].notna() & _on_the_clock(parts)
    days = pd.to_datetime(parts.loc[sound, ["year", "month", "day"]], errors="coerce").reindex(parts.index)
    clock = parts["hour"] * 3600 + parts["minute"] * 60 + parts["second"].round()
    known = days.notna().to_numpy()
    moment = np.full(len(parts), MISSING, dtype=np.int64)
    moment[known] = days[known].to_numpy().astype("datetime64[s]").astype(np.int64) + clock[known].to_numpy().astype(np.int64)
    return moment


def _clock(plain: pd.Series) -> Ints:
    """Seconds of the day of the cells that are a time of day, spelled or as the fraction that Excel keeps; MISSING for the others."""
    parts = plain.str.extract(f"^{_CLOCK}$").apply(pd.to_numeric)
    sound = (parts["hour"].notna() & _on_the_clock(parts.fillna(0))).to_numpy()
    spelled = (parts.fillna(0) @ [3600, 60, 1]).to_numpy()
    day = pd.to_numeric(plain.where(plain.str.contains(".", regex=False)), errors="coerce").to_numpy(dtype=np.float64)
    part = np.isfinite(day) & (day >= 0) & (day < 1)
    seconds = np.where(sound, spelled, np.where(part, np.where(part, day, 0.0) * DAY_S, MISSING))
    return np.rint(seconds).astype(np.int64)


def _on_the_clock(parts: pd.DataFrame) -> pd.Series:
    return (parts["hour"] < 24) & (parts["minute"] < 60) & (parts["second"] < 60)  # noqa: PLR2004 — hours, minutes, seconds
