"""How one cell is read: every parser takes the text of a cell and raises ValueError for any text that it cannot be sure of."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import shapely

Parser = Callable[[str], Any]
MOST_LON, MOST_LAT = 180, 90
BLANKS = {"", "-", "--", "–", "—", "——", "/", "\\", "无", "暂无", "空", "不详", "未知", "…", "n/a", "na", "null", "none", "nan"}
MOST_GROWTH = 0.1  # a year, either way: "0.5" is a percentage whose sign was forgotten
LONGEST_BLANK = max(map(len, BLANKS))
_TRUE, _FALSE = {"是", "true", "yes", "1", "y", "有", "√", "✓"}, {"否", "false", "no", "0", "n", "无", "", "×"}
_URBAN, _RURAL = {"城市", "城镇", "城区", "urban"}, {"农村", "乡村", "rural"}
_DIGITS = r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?:e[+-]?\d+)?"
_NUMBER = re.compile(rf"(?=[+-]?\.?\d){_DIGITS}", re.IGNORECASE)  # a digit there must be
_AMOUNT = re.compile(rf"约?({_DIGITS})(.*)", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\d(\.\d+)?e\+?\d+", re.IGNORECASE)
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff]|_x000D_")
_APOSTROPHES = "'‘’`"
_SERIAL_DAYS = range(20000, 80000)  # 1954 to 2119
_SERIAL_ZERO = dt.date(1899, 12, 30)


class CellError(ValueError):
    """A cell that is wrong in a way of its own, said in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        self.zh, self.en = zh, en
        super().__init__(en)


def clean(cell: str) -> str:
    """Take away what nobody sees: spaces around the text, zero-width characters, the apostrophe that makes a number text."""
    if cell.isprintable() and cell[:1] not in _APOSTROPHES and "_x000D_" not in cell:
        return cell.strip()  # a long log has a million cells
    seen = _UNSEEN.sub("", cell).replace("\u00a0", " ").replace("\u3000", " ").strip()
    return re.sub(rf"^[{_APOSTROPHES}](?=\d)", "", seen)


def plain(cell: str) -> str:
    """Take away width, case and spaces: what is left tells whether two texts say the same."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", _UNSEEN.sub("", cell))).casefold()


def text(cell: str) -> str:
    """Any text."""
    return cell


def filled(cell: str) -> str:
    """Text that is not blank."""
    if not cell:
        raise ValueError
    return cell


def code(cell: str) -> str:
    """An id: text that is not blank and kept all its digits."""
    if _SCIENTIFIC.fullmatch(cell):
        raise CellError("编码变成了科学计数，丢失了数字", "the code became a number and lost digits")
    return filled(unicodedata.normalize("NFKC", cell))


def number(cell: str) -> float:
    """A number; full-width digits and thousands separators are read."""
    digits = plain(cell)
    if not _NUMBER.fullmatch(digits):  # float() would read 1_000, and a decimal comma is no separator of thousands
        raise ValueError
    return _finite(digits)


def _finite(digits: str, factor: str = "1") -> float:
    """Multiply as decimals, so that 3.39 times ten thousand is 33900."""
    value = float(digits.replace(",", ""))
    if not math.isfinite(value):
        raise ValueError
    return value if factor == "1" else float(Decimal(digits.replace(",", "")) * Decimal(factor))


def is_number(cell: str) -> bool:
    """Whether a cell holds digits and nothing else."""
    digits = plain(cell)
    return bool(digits) and _NUMBER.fullmatch(digits) is not None


def amount(units: Mapping[str, str], *, may_be_blank: bool = False) -> Parser:
    """Make a parser of numbers that are not negative, in any of these units: 约3,400人, 1.2万; blank is nan, if it may be."""

    def parse(cell: str) -> float:
        if may_be_blank and not cell:
            return math.nan
        found = _AMOUNT.fullmatch(plain(cell))
        if found is None or (found[2] and found[2] not in units):
            raise ValueError
        value = _finite(found[1], units.get(found[2], "1"))
        if value < 0:
            raise ValueError
        return value

    return parse


def share(cell: str) -> float:
    """A share such as 0.145 or 14.5 %; blank is nan."""
    value = _of_hundred(cell) if cell else math.nan
    if value < 0 or value > 1:
        raise ValueError
    return value


def growth(cell: str) -> float:
    """A yearly rate such as 0.5 % or 0.005."""
    value = _of_hundred(cell)
    if abs(value) > MOST_GROWTH:
        raise ValueError
    return value


def _of_hundred(cell: str) -> float:
    digits = plain(cell)
    parts = {"%": "0.01", "‰": "0.001"}
    factor = parts.get(digits[-1:], "1")
    digits = digits.rstrip("%‰")
    if not _NUMBER.fullmatch(digits):
        raise ValueError
    return _finite(digits, factor)


def yes_no(cell: str) -> bool:
    """Yes or no in either language; blank is no."""
    word = plain(cell)
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def iso_date(cell: str) -> str:
    """A date such as 2026-01-01, 2026/1/1, 2026年1月1日 or a sheet's day number, as ISO text; blank stays blank."""
    if not cell:
        return ""
    words = unicodedata.normalize("NFKC", cell)
    if words.isdigit() and int(words) in _SERIAL_DAYS:
        return (_SERIAL_ZERO + dt.timedelta(days=int(words))).isoformat()
    found = re.fullmatch(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?|(\d\d)(\d\d))", words)
    if not found:
        raise ValueError
    return dt.date(*(int(part) for part in found.groups() if part)).isoformat()


def entrances(cell: str) -> shapely.MultiPoint | None:
    """Gates as "lon lat; lon lat"; None if blank."""
    if not cell:
        return None
    texts = [pair.strip() for pair in unicodedata.normalize("NFKC", cell).split(";") if pair.strip()]
    pairs = [tuple(float(part) for part in re.split(r"[,\s]+", pair)) for pair in texts]
    if not pairs or any(len(pair) != len("xy") or not (abs(pair[0]) <= MOST_LON and abs(pair[1]) <= MOST_LAT) for pair in pairs):
        raise ValueError
    return shapely.MultiPoint(pairs)


def urban(cell: str) -> bool:
    """Settlement class: urban or rural."""
    word = plain(cell)
    if word not in _URBAN | _RURAL:
        raise ValueError
    return word in _URBAN
