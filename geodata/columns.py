"""What the columns of a table are called and what their cells must be: the vocabulary of ``geodata.tables``."""

from __future__ import annotations

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import shapely

from geodata.standards import Kind

Parser = Callable[[str], Any]
MOST_LON, MOST_LAT = 180, 90
_TRUE, _FALSE = {"是", "true", "yes", "1", "y", "有"}, {"否", "false", "no", "0", "n", "无", ""}
_URBAN, _RURAL = {"城市", "城镇", "城区", "urban"}, {"农村", "乡村", "rural"}
_DIGITS = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)?(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column that a table has or may have: our name, the headers it goes by (the first match counts), and how a cell is read.

    `fits` names what a cell must be, in both languages; `parse` raises ValueError for any other text.
    """

    name: str
    headers: tuple[str, ...]
    parse: Parser
    fits: tuple[str, str]
    required: bool = False

    @property
    def name_zh(self) -> str:
        """The first Chinese header, else our name."""
        return next((header for header in self.headers if not header.isascii()), self.name)


def text(cell: str) -> str:
    """Any text."""
    return cell


def filled(cell: str) -> str:
    """Text that is not blank."""
    if not cell:
        raise ValueError
    return cell


def number(cell: str) -> float:
    """A number; full-width digits and thousands separators are read."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", cell))
    if not _DIGITS.fullmatch(plain):  # float() would read 1_000, and a decimal comma is no separator of thousands
        raise ValueError
    value = float(plain.replace(",", ""))
    if not math.isfinite(value):
        raise ValueError
    return value


def count(cell: str) -> float:
    """A number that is not negative."""
    value = number(cell)
    if value < 0:
        raise ValueError
    return value


def seconds(cell: str) -> float:
    """A number that is not negative, or blank."""
    return count(cell) if cell else float("nan")


def yes_no(cell: str) -> bool:
    """Yes or no in either language; blank is no."""
    word = cell.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def iso_date(cell: str) -> str:
    """A date such as 2026-01-01, 2026/1/1 or 2026年1月1日, as ISO text; blank stays blank."""
    if not cell:
        return ""
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?", unicodedata.normalize("NFKC", cell))
    if not found:
        raise ValueError
    return dt.date(*map(int, found.groups())).isoformat()


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
    word = cell.lower()
    if word not in _URBAN | _RURAL:
        raise ValueError
    return word in _URBAN


_NUMBER = ("数字", "a number")
_COUNT = ("不小于 0 的数字", "a number that is not negative")
_TEXT = ("文字", "text")
_FILLED = ("非空文字", "text that is not blank")
_YES_NO = ("是或否", "yes or no")
_DATE = ("日期（如 2026-01-01）", "a date such as 2026-01-01")
_GATES = ("入口坐标“经度 纬度; 经度 纬度”", 'gates as "lon lat; lon lat"')

ID = Column("id", ("id", "编码", "代码", "编号", "机构编码", "机构代码", "行政区划代码", "code"), filled, _FILLED, required=True)
_NAME = Column("name", ("name", "名称", "机构名称", "村名", "村（社区）", "社区名称", "乡镇名称", "乡镇"), text, _TEXT)
LON = Column("lon", ("lon", "经度", "lng", "longitude", "x"), number, _NUMBER)
LAT = Column("lat", ("lat", "纬度", "latitude", "y"), number, _NUMBER)
PEOPLE = Column("people", ("people", "常住人口", "人口", "population"), count, _COUNT, required=True)
_ZONE = Column("zone", ("zone", "zone_id", "乡镇代码", "行政区划代码", "所属乡镇", "乡镇"), text, _TEXT)


POINTS = (ID, LON, LAT)
FEATURES = (replace(ID, required=False), LON, LAT)
ZONES = (ID, _NAME)
TOWNSHIP_PEOPLE = (Column("zone", (*_ZONE.headers, *ID.headers, *_NAME.headers), filled, _FILLED, required=True), PEOPLE)
SETTLEMENTS = (
    ID,
    _NAME,
    LON,
    LAT,
    PEOPLE,
    _ZONE,
    Column("urban", ("urban", "class", "城乡", "城乡分类"), urban, ("城市或农村", "urban or rural")),
    Column("settlement", ("settlement", "所属村", "所属社区", "所属村（社区）"), text, _TEXT),
)


def facility_columns(kinds: Mapping[str, Kind]) -> tuple[Column, ...]:
    """Columns of a facility table; a kind goes by its id, its Chinese and its English name."""
    plain = {name.casefold(): kind_id for kind_id, kind in kinds.items() for name in (kind_id, kind.zh, kind.en)}

    def kind(cell: str) -> str:
        if cell.casefold() not in plain:
            raise ValueError
        return plain[cell.casefold()]

    known = "机构类别之一：" + "、".join(kind.zh for kind in kinds.values()), f"one of the kinds: {', '.join(kinds)}"
    return (
        ID,
        _NAME,
        Column("kind", ("kind", "类别", "机构类别", "类型"), kind, known, required=True),
        LON,
        LAT,
        Column("capacity", ("capacity", "床位数", "beds", "通道数", "lanes", "面积", "area_m2"), seconds, _COUNT),
        Column("open_from", ("open_from", "启用日期"), iso_date, _DATE),
        Column("open_to", ("open_to", "停用日期"), iso_date, _DATE),
        Column("eligible_for", ("eligible_for", "可设服务"), text, _TEXT),
        Column("emergency", ("emergency", "可设急救点"), yes_no, _YES_NO),
        Column("restricted", ("restricted", "涉密"), yes_no, _YES_NO),
        Column("turnout_s", ("turnout_s", "出动秒数"), seconds, _COUNT),
        Column("entrances", ("entrances", "入口"), entrances, _GATES),
    )
