"""What the columns of a table are called and what their cells must be: the vocabulary of ``geodata.tables.load``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from geodata.standards import Kind
from geodata.tables.cells import (
    BLANKS,
    LONGEST_BLANK,
    Parser,
    amount,
    code,
    entrances,
    filled,
    growth,
    is_number,
    iso_date,
    number,
    plain,
    share,
    text,
    urban,
    yes_no,
)
from geodata.tables.kinds import kind_parser

PERSONS = {"人": "1", "名": "1", "位": "1", "口": "1", "百人": "100", "千": "1000", "千人": "1000", "万人": "10000", "万": "10000"}
THINGS = {"张": "1", "个": "1", "条": "1", "辆": "1", "台": "1", "床": "1"}
AREAS = {"m2": "1", "m²": "1", "平方米": "1", "平米": "1", "平": "1", "万m2": "10000", "万平方米": "10000", "公顷": "10000", "ha": "10000"}
SECONDS = {"秒": "1", "s": "1", "分钟": "60", "分": "60", "min": "60"}
SHARES = {"%": "0.01", "‰": "0.001"}
OTHER_UNITS = {"亩": "", "万亩": "", "km2": "", "平方公里": "", "平方千米": "", "户": "", "万户": "", "元": "", "万元": "", "小时": ""}
UNITS = {**PERSONS, **THINGS, **AREAS, **SECONDS, **SHARES, **OTHER_UNITS}

count = amount({})  # a number that is not negative


@dataclass(frozen=True, eq=False)
class Column:
    """A column that a table has or may have.

    Attributes
    ----------
    name : str
        Ours.
    headers : tuple of str
        What it goes by; the first that is there counts.
    parse : callable
        Reads the text of a cell; ValueError for any other text.
    fits : (zh, en)
        What a cell must be.
    required : bool
    units : mapping
        Units of its numbers → their factor. A header may state one, and so may a cell.
    never : tuple of str
        Words of a header that speak of something else.
    adds_up : bool
        Numbers that are summed: a cell merged over several rows cannot be told apart.
    """

    name: str
    headers: tuple[str, ...]
    parse: Parser
    fits: tuple[str, str]
    required: bool = False
    units: Mapping[str, str] = field(default_factory=dict)
    never: tuple[str, ...] = ()
    adds_up: bool = False

    @property
    def name_zh(self) -> str:
        """The first Chinese header, else our name."""
        return next((header for header in self.headers if not header.isascii()), self.name)

    @cached_property
    def plain_headers(self) -> tuple[str, ...]:
        """The headers without width, case and spaces, each once."""
        return tuple(dict.fromkeys(map(plain, self.headers)))

    def read(self, cell: str, unit: str = "") -> Any:  # noqa: ANN401 — text, number, date, shape
        """Read a cell; a number without a unit of its own is in that of the header."""
        if len(cell) <= LONGEST_BLANK and plain(cell) in BLANKS:
            cell = ""
        return self.parse(f"{cell}{unit}" if unit and is_number(cell) else cell)


_NUMBER = ("数字", "a number")
_COUNT = ("不小于 0 的数字", "a number that is not negative")
_TEXT = ("文字", "text")
_FILLED = ("非空文字", "text that is not blank")
_YES_NO = ("是或否", "yes or no")
_DATE = ("日期（如 2026-01-01）", "a date such as 2026-01-01")
_GATES = ("入口坐标“经度 纬度; 经度 纬度”", 'gates as "lon lat; lon lat"')
_SHARE = ("占比（如 14.5% 或 0.145）", "a share such as 14.5% or 0.145")
_GROWTH = ("年均增长率（如 0.5% 或 0.005）", "a yearly rate such as 0.5% or 0.005")
_CODES = ("行政区划代码", "统计用区划代码", "区划代码")
_NOT_PEOPLE = ("岁", "男", "女", "老", "流动", "外出", "劳动", "暂住", "农业", "户数")

ID = Column("id", ("id", "编码", "代码", "编号", "机构编码", "机构代码", *_CODES, "code", "统计代码"), code, _FILLED, required=True)
_NAMES = (
    "name",
    "名称",
    "全称",
    "机构名称",
    "单位名称",
    "机构全称",
    "设施名称",
    "采样点名称",
    "场地名称",
    "公园名称",
    "医疗机构名称",
    "站点名称",
)
_NAME = Column("name", (*_NAMES, "点位名称", "医疗卫生机构名称"), text, _TEXT)
_VILLAGES = (
    "村名",
    "村（社区）",
    "村（社区）名称",
    "村（居）",
    "村（居）委会",
    "村名称",
    "行政村",
    "行政村名称",
    "社区名称",
    "村委会",
    "居委会",
    "村",
    "社区",
)
_TOWNSHIPS = (
    "乡镇名称",
    "乡镇",
    "乡镇（街道）",
    "乡（镇、街道）",
    "乡（镇）",
    "镇（乡、街道）",
    "乡镇街道",
    "镇街",
    "街道（乡镇）",
    "街道",
)
_TOWNSHIP_CODES = ("乡镇代码", "乡镇编码", "街道代码", "所属乡镇代码")
_OF_TOWNSHIP = ("所属乡镇", "所在乡镇", "所属乡镇（街道）", "所属街道", "所在乡镇（街道）", "所属镇街", "所属乡（镇）")
LON = Column("lon", ("lon", "经度", "东经", "lng", "longitude", "经度坐标", "x坐标", "x"), number, _NUMBER)
LAT = Column("lat", ("lat", "纬度", "北纬", "latitude", "纬度坐标", "y坐标", "y"), number, _NUMBER)
LONLAT = ("经纬度", "坐标", "经纬度坐标", "地理坐标", "坐标（经纬度）", "lnglat", "lonlat")
PEOPLE = Column(
    "people",
    ("people", "常住人口", "常住人口数", "人口", "人口数", "population"),
    amount(PERSONS),
    _COUNT,
    required=True,
    units=PERSONS,
    never=("户籍", *_NOT_PEOPLE),
    adds_up=True,
)
REGISTERED = Column(
    "registered",
    ("registered", "户籍人口", "户籍人口数", "户籍总人口"),
    amount(PERSONS, may_be_blank=True),
    _COUNT,
    units=PERSONS,
    never=("常住", *_NOT_PEOPLE),
    adds_up=True,
)
_ZONE = Column("zone", ("zone", "zone_id", *_TOWNSHIP_CODES, *_OF_TOWNSHIP, *_TOWNSHIPS, *_CODES), text, _TEXT)

POINTS = (ID, LON, LAT)
FEATURES = (replace(ID, required=False), LON, LAT)
_ID_OF_ZONE = replace(ID, headers=(*ID.headers, *_TOWNSHIP_CODES), required=False)
ZONES = (_ID_OF_ZONE, replace(_NAME, headers=("name", "名称", *_TOWNSHIPS)))
_BY_CODE = ("zone", "zone_id", *_TOWNSHIP_CODES, *_CODES, "id", "code", "代码", "编码")
_BY_NAME = (*_TOWNSHIPS, *_OF_TOWNSHIP, "name", "名称", "地区", "单位", "编号")
_ONE_OF = Column("zone", (*_BY_CODE, *_BY_NAME), filled, _FILLED, required=True)
TOWNSHIP_PEOPLE = (_ONE_OF, PEOPLE, REGISTERED)
GROWTH = (
    _ONE_OF,
    Column("low", ("low", "低", "低方案", "低增长", "低增长率", "年均增长率低"), growth, _GROWTH, required=True, units=SHARES),
    Column("central", ("central", "中", "中方案", "中增长", "中增长率", "年均增长率中"), growth, _GROWTH, required=True, units=SHARES),
    Column("high", ("high", "高", "高方案", "高增长", "高增长率", "年均增长率高"), growth, _GROWTH, required=True, units=SHARES),
)
SETTLEMENTS = (
    replace(ID, required=False),
    replace(_NAME, headers=("name", "名称", *_VILLAGES)),
    LON,
    LAT,
    replace(PEOPLE, required=False),
    REGISTERED,
    Column(
        "old",
        (
            "old",
            "65岁及以上人口",
            "65岁以上人口",
            "65岁及以上人口数",
            "65岁及以上",
            "65岁以上",
            "65岁及以上老年人口",
            "老年人口（65岁及以上）",
        ),
        amount(PERSONS, may_be_blank=True),
        _COUNT,
        units=PERSONS,
        never=("占比", "比例", "比重"),
        adds_up=True,
    ),
    Column(
        "old_share",
        ("old_share", "65岁及以上占比", "65岁以上占比", "65岁及以上人口占比", "65岁以上人口占比", "65岁及以上比例", "65岁及以上人口比重"),
        share,
        _SHARE,
        units=SHARES,
    ),
    _ZONE,
    Column("urban", ("urban", "class", "城乡", "城乡分类", "城乡类型", "城乡属性"), urban, ("城市或农村", "urban or rural")),
    Column("settlement", ("settlement", "所属村", "所属社区", "所属村（社区）"), text, _TEXT),
)


def _resource(name: str, headers: tuple[str, ...], units: Mapping[str, str]) -> Column:
    return Column(name, (name, *headers), amount(units, may_be_blank=True), _COUNT, units=units, adds_up=True)


_DOCTORS = ("执业（助理）医师", "执业（助理）医师数", "执业助理医师", "执业医师（含助理）", "医师数", "医师")
_TCM = ("中医", "中医医师", "中医师", "中医类别执业（助理）医师", "中医类执业（助理）医师", "中医类别医师", "中医执业（助理）医师")
_FLOORS = ("业务用房面积", "业务用房建筑面积", "业务用房", "房屋建筑面积", "建筑面积", "用房面积")
_RESOURCES = (
    _resource("physicians", _DOCTORS, PERSONS),
    _resource("nurses", ("注册护士", "注册护士数", "护士", "护士数"), PERSONS),
    _resource("pharmacists", ("药师", "药师（士）", "药师数", "药剂师"), PERSONS),
    _resource("general_practitioners", ("全科医生", "全科医生数", "全科医师", "全科"), PERSONS),
    _resource("tcm_physicians", _TCM, PERSONS),
    _resource("vehicles", ("救护车", "救护车数", "救护车数量", "救护车辆", "急救车", "急救车辆"), THINGS),
    _resource("floor_area_m2", _FLOORS, AREAS),
    _resource("childcare_places", ("托位", "托位数", "托育托位数", "婴幼儿托位数"), {**THINGS, **PERSONS}),
)
_BEDS = ("床位数", "实有床位", "实有床位数", "实际开放床位", "开放床位", "开放床位数", "床位", "编制床位", "编制床位数", "beds")
_ROOM = ("通道数", "通道", "lanes", "面积", "占地面积", "场地面积", "area_m2")


def facility_columns(kinds: Mapping[str, Kind]) -> tuple[Column, ...]:
    """Columns of a facility table; a kind goes by its id, its Chinese and its English name, and what else it is called."""
    known = "机构类别之一：" + "、".join(kind.zh for kind in kinds.values()), f"one of the kinds: {', '.join(kinds)}"
    room = {**THINGS, **AREAS}
    return (
        replace(ID, required=False),
        _NAME,
        Column(
            "kind", ("kind", "类别", "机构类别", "类型", "机构类型", "医疗机构类别", "设施类型"), kind_parser(kinds), known, required=True
        ),
        LON,
        LAT,
        Column("capacity", ("capacity", *_BEDS, *_ROOM), amount(room, may_be_blank=True), _COUNT, units=room, adds_up=True),
        *_RESOURCES,
        Column("open_from", ("open_from", "启用日期", "启用时间", "开业日期"), iso_date, _DATE),
        Column("open_to", ("open_to", "停用日期", "停用时间", "停业日期"), iso_date, _DATE),
        Column("eligible_for", ("eligible_for", "可设服务"), text, _TEXT),
        Column("emergency", ("emergency", "可设急救点"), yes_no, _YES_NO),
        Column("restricted", ("restricted", "涉密"), yes_no, _YES_NO),
        Column("turnout_s", ("turnout_s", "出动秒数"), amount(SECONDS, may_be_blank=True), _COUNT, units=SECONDS),
        Column("entrances", ("entrances", "入口"), entrances, _GATES),
        replace(_ZONE, headers=("zone", *_TOWNSHIP_CODES, *_OF_TOWNSHIP, *_TOWNSHIPS)),
        Column("address", ("address", "地址", "详细地址", "机构地址", "所在地址"), text, _TEXT),
    )
