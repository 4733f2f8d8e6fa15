"""Words and looks that pages, pictures, maps and tables share: what is said or coloured alike everywhere is said here, once."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import geopandas as gpd

from coverage.gaps import CUT_OFF, NO_FACILITY, OFF_NETWORK, TOO_FAR
from geodata.model import Demand, Facilities
from geodata.region import Prepared
from geodata.standards import Limit, ServiceDefinition, Services
from scenarios.compare import Comparison

Language = Literal["zh", "en"]
Words = tuple[str, str]  # Chinese, English

# What must be said before a number is believed

ILLUSTRATIVE: Final = ("示意数据", "illustrative")
ILLUSTRATIVE_SAID: Final = (
    "示意数据：地名与总人口为真，其余由程序生成，不能用于决策。",
    "Illustrative data: township names and the county total are real, the rest is generated. Not for decisions.",
)
UNREVIEWED: Final = ("内部资料 未经审图", "for internal use, not reviewed for publication")
COUNTED: Final = (
    "县内常住人口，按居住的村（社区）计；到县外机构的也算。服务圈只是示意图形，人口不按图形计。",
    "Residents of the county, counted where they live; facilities outside count too. A circle is a picture: nobody is counted by it.",
)
NO_FACILITIES: Final = (
    "没有此类机构的数据，覆盖为 0 不代表实际情况。",
    "No facilities of these kinds are in the data: 0 says nothing of the county.",
)

# Names of things

CLASS_WORDS: Final = {"urban": ("城镇", "urban"), "rural": ("农村", "rural")}
ROW_WORDS: Final = CLASS_WORDS | {"total": ("合计", "total"), "old": ("65岁+", "65+")}
MODE_WORDS: Final = {"walk": ("步行", "on foot"), "bike": ("骑行", "by bicycle"), "drive": ("驾车", "by car")}
DIRECTION_WORDS: Final = {
    "to_facility": ("从居民点到机构", "from home to the facility"),
    "from_facility": ("从站点到现场", "from the station to the scene"),
}
STATE_WORDS: Final = {"new": ("新增", "new"), "moved": ("搬迁", "moved"), "closed": ("关闭", "closed"), "kept": ("保留", "kept")}
ROAD_WORDS: Final = {"closed": ("断路", "closed"), "added": ("新路", "added"), "speed": ("改车速", "speed set")}
SITE_WORDS: Final = {"placed": ("新增或搬迁", "new or moved"), "closed": STATE_WORDS["closed"]}
CHANGE_WORDS: Final = {"gained": ("新覆盖", "gained"), "lost": ("不再覆盖", "lost")}
CIRCLE_WORDS: Final = {"all": ("服务圈", "circle"), "urban": ("城镇服务圈", "urban circle"), "rural": ("农村服务圈", "rural circle")}
CAUSE_WORDS: Final = {
    TOO_FAR: ("超过时限或距离", "beyond the limit"),
    OFF_NETWORK: ("附近没有可用道路", "no usable road near"),
    CUT_OFF: ("道路不连通", "no route"),
    NO_FACILITY: ("没有此类机构", "no such facility"),
}
ROLE_WORDS: Final = {
    "roads": ("道路", "roads"),
    "zones": ("乡镇界", "townships"),
    "population": ("乡镇人口", "township population"),
    "growth": ("人口增长率", "growth of people"),
    "demand": ("居民点", "settlements"),
    "spread": ("人口栅格", "population raster"),
    "facilities": ("机构", "facilities"),
    "calls": ("120 记录", "120 log"),
    "mended": ("改正的行", "mended rows"),
    "services": ("口径", "services"),
    "speeds": ("速度", "speeds"),
    "norms": ("标准与指标", "norms"),
}
# What became of a row that is not where it should be (``geodata.model.RowNote``).
NOTE_WORDS: Final = {
    "left_out": ("读不了，未采用", "cannot be read, left out"),
    "unlocated": ("没有坐标，已列出，不上图", "no coordinates: listed, on no map"),
    "placed": ("没有坐标，放在驻地", "no coordinates, put at a seat"),
    "renamed": ("按另一名称对应", "matched through another name"),
    "other_zone": ("坐标不在所写的乡镇", "not in the township that it names"),
}
SPREAD_WORDS: Final = {
    "people": ("村（社区）人数", "people of the settlement table"),
    "raster": ("人口栅格", "population raster"),
    "frontage": ("村居旁道路长度", "road beside the settlements"),
}
PEOPLE_WORDS: Final = ("人口来源", "people")
RANGE_WORDS: Final = ("区间", "range")
SHARE_WORDS: Final = ("乡镇人口覆盖率", "share of people covered, by township")
NOBODY_WORDS: Final = ("无人居住", "nobody lives there")
GAP_WORDS: Final = ("未覆盖的村（社区）", "places out of reach")
OUTSIDE_WORDS: Final = ("县外", "outside the county")
EXTERNAL_WORDS: Final = ("空心：县外", "hollow: outside the county")
WATER_WORDS: Final = ("水面", "water")
BEFORE_AFTER_WORDS: Final = {"before": ("现状", "before"), "after": ("方案", "after")}

# Colours: browns for the townships, darker where fewer are covered, so that red gaps and blue circles stand out, on grey paper too

SHARE_STEPS: Final = (0.50, 0.70, 0.85, 0.95)
SHARE_COLOURS: Final = ("#cda877", "#dfc29c", "#ecd9bf", "#f5ebdd", "#fdfaf5")
NOBODY_COLOUR: Final = "#d4d4d4"
GAP_COLOUR: Final = "#c81e1e"
CIRCLE_COLOURS: Final = {"all": "#1f74e0", "urban": "#1f74e0", "rural": "#9340c2"}
CIRCLE_OPACITY: Final = 0.42
CHANGE_COLOURS: Final = {"gained": "#0a7d4f", "lost": "#6d0f1b"}
CHANGE_SIGNS: Final = {"gained": "+", "lost": "−"}
SITE_COLOURS: Final = {"placed": "#ffd400", "closed": "#4d4d4d"}
WATER_COLOUR: Final = "#bcdcec"
RIVER_COLOUR: Final = "#8fc0da"
BORDER_COLOUR: Final = "#7c6f5c"
COUNTY_COLOUR: Final = "#4a4136"
_KIND_COLOURS: Final = (
    *("#0b3d91", "#7a2a8f", "#00798c", "#8a5a00", "#3f3f46", "#c2589b"),
    *("#2f7d32", "#6b8e00", "#4c6ef5", "#0f766e", "#14328c", "#b45309"),
)


@dataclass(frozen=True)
class RoadLook:
    """How a group of road classes is called and drawn."""

    words: Words
    colour: str
    width_px: float
    classes: frozenset[str]


ROADS: Final = {  # from the lowest up; a class that no other group names is a path
    "path": RoadLook(("小路", "path"), "#b9b2a8", 0.5, frozenset()),
    "local": RoadLook(
        ("一般道路", "local road"), "#a7a297", 0.7, frozenset({"tertiary", "unclassified", "residential", "living_street", "road"})
    ),
    "main": RoadLook(("主要道路", "main road"), "#7d7466", 1.6, frozenset({"trunk", "primary", "secondary"})),
    "motorway": RoadLook(("高速公路", "motorway"), "#d98a3d", 2.8, frozenset({"motorway"})),
}


@dataclass(frozen=True)
class KindLook:
    """A kind of facility on a map: the more there are, the smaller they are drawn."""

    id: str
    words: Words
    colour: str
    count: int
    radius_px: float


def range_said(demand: Demand) -> Words | None:
    """Say over which ways to spread the people a range is; None where only one is known."""
    if len(demand.spread_names) == 1:
        return None
    (first_zh, first_en), *others = (SPREAD_WORDS[name] for name in demand.spread_names)
    zh, en = ("、".join(zh for zh, _ in others), ", ".join(en for _, en in others))
    return (
        f"人口按{first_zh}分到各村（社区）；区间是改按{zh}分摊时的最低与最高。",
        f"People are spread by {first_en}; a range is the least and most if they are spread by {en} instead.",
    )


def range_noted(demand: Demand) -> Words | None:
    """Say it in few words."""
    others = [SPREAD_WORDS[name] for name in demand.spread_names[1:]]
    zh, en = ("、".join(zh for zh, _ in others), ", ".join(en for _, en in others))
    return (f"区间：人口改按{zh}分摊", f"range: people spread by {en}") if others else None


def as_old(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a table of coverage for those of 65 and over in place of all people; ranges and external facilities are not told apart."""
    side = {
        name: name.replace("people", "old")
        for name in row
        if name.startswith(("people", "covered_people", "share_people", "gained", "lost"))
    }
    return {
        **row,
        **{name: row.get(old, math.nan) for name, old in side.items()},
        "row": "old",
        "zone_id": "",
        "zone": both(ROW_WORDS["old"]),
    }


def both(words: Words) -> str:
    """Say something in both languages, Chinese first."""
    return " ".join(words)


def share_level(share: float) -> int | None:
    """Class of a covered share of 0–1, from 0; a lower bound belongs to its class; none where nobody lives.

    >>> share_level(0.95), share_level(0.4999), share_level(math.nan)
    (4, 0, None)
    """
    return None if math.isnan(share) else bisect_right(SHARE_STEPS, share)


def share_colour(share: float) -> str:
    """Colour of a covered share of 0–1; grey where nobody lives."""
    level = share_level(share)
    return NOBODY_COLOUR if level is None else SHARE_COLOURS[level]


def share_labels() -> list[str]:
    """Write the classes of share, the lowest first.

    >>> share_labels()
    ['< 50 %', '50–70 %', '70–85 %', '85–95 %', '≥ 95 %']
    """
    whole = [f"{share * 100:g}" for share in SHARE_STEPS]
    return [f"< {whole[0]} %", *(f"{low}–{high} %" for low, high in itertools.pairwise(whole)), f"≥ {whole[-1]} %"]


def road_group(road_class: str) -> str:
    """Group of an OSM road class, a link with what it links."""
    name = road_class.removesuffix("_link")
    return next((group for group, look in ROADS.items() if name in look.classes), "path")


def place_radius_px(people: float) -> float:
    """Radius of the dot of a settlement: its area grows with the people."""
    return round(min(16.0, max(3.0, 0.22 * math.sqrt(people))), 1)


def kind_looks(services: Services, facilities: Facilities) -> list[KindLook]:
    """Looks of the kinds of facility that may be shown, in the order of the services; a kind has one colour on every map."""
    shown = [kind for kind, restricted in zip(facilities.kind, facilities.restricted, strict=True) if not restricted]
    looks = []
    for at, (kind, named) in enumerate(services.kinds.items()):
        if count := shown.count(kind):
            radius_px = (7.0, 5.5, 4.0)[bisect_left((10, 60), count)]
            looks.append(KindLook(kind, (named.zh, named.en), _KIND_COLOURS[at % len(_KIND_COLOURS)], count, radius_px))
    return looks


def kind_words(prepared: Prepared) -> Mapping[str, Words]:
    """Name of each kind of facility in both languages."""
    return {kind: (named.zh, named.en) for kind, named in prepared.services.kinds.items()}


def merged(circles: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Of circles, those that are drawn: the merged one of each class, the wider rural one first."""
    return circles[circles["facility_id"] == ""].sort_values("class", kind="stable")


def title_words(prepared: Prepared, service_id: str, comparison: Comparison | None) -> Words:
    """Name what a map shows: the county, the service, the scenario."""
    service = prepared.services.service(service_id)
    named = [comparison.scenario.name] if comparison and comparison.scenario.name else []
    zh, en = (" · ".join([prepared.region.name, name, *named]) for name in (service.name_zh, service.name_en))
    return zh, en


def about_words(prepared: Prepared, definition: ServiceDefinition) -> Words:
    """Say by which definition, within which limit and for which day."""
    limits = [f"{way} {limit}".strip() for way, limit in zip(way_words(definition), limit_words(definition), strict=True)]
    return (
        f"口径：{definition.name_zh} · 时限：{limits[0]} · 日期：{prepared.region.date}",
        f"Definition: {definition.name_en} · limit: {limits[1]} · date: {prepared.region.date}",
    )


def limit_words(definition: ServiceDefinition) -> Words:
    """Say the limits of a definition."""
    if definition.urban == definition.rural:
        return _limit_zh(definition.urban), definition.limit_text
    return f"城镇 {_limit_zh(definition.urban)}；农村 {_limit_zh(definition.rural)}", definition.limit_text


def way_words(definition: ServiceDefinition) -> Words:
    """Say how the limits are travelled; nothing where they are straight lines."""
    travelled = any(limit.minutes or limit.network_m for limit in definition.limits.values())
    return MODE_WORDS[definition.mode] if travelled else ("", "")


def circle_words(definition: ServiceDefinition, name: str) -> Words:
    """Name the circle of one settlement class with its limit; ``all`` where both classes have the same."""
    limit = definition.rural if name == "rural" else definition.urban
    zh, en = CIRCLE_WORDS[name]
    return f"{zh} {_limit_zh(limit)}", f"{en} {limit.text}"


def _limit_zh(limit: Limit) -> str:
    parts = [(limit.minutes, "分钟", ""), (limit.network_m, "米", "沿道路 "), (limit.straight_m, "米", "直线 ")]
    return "且 ".join(f"{before}{value:g} {unit}" for value, unit, before in parts if value is not None)
