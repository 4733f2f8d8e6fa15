"""What the columns and codes of a bureau's link table mean; pure functions of text.

Direction codes differ between vendors, so that only those are known whose meaning goes with the header; any other has to be said.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from geodata.errors import InputError, Problem, first_few
from geodata.roads import Ints

Direction = str  # "both", "forward", "backward" or "closed"

HEADERS: Mapping[str, tuple[str, ...]] = {
    "id": ("link_id", "linkid", "id", "osm_id", "osmid", "路段编号", "路段编码", "路段id", "编号", "编码"),
    "from_node": ("from_node", "from", "fnode", "fnode_", "snodeid", "u", "起点", "起点编号", "起点编码", "起始节点", "起节点"),
    "to_node": ("to_node", "to", "tnode", "tnode_", "enodeid", "v", "终点", "终点编号", "终点编码", "终止节点", "止节点"),
    "direction": ("dir", "direction", "oneway", "one_way", "方向", "通行方向", "单行", "单行线", "是否单行"),
    "length": ("length", "length_m", "length_km", "shape_leng", "shape_length", "长度", "路段长度", "里程"),
    "name": ("name", "road_name", "roadname", "道路名称", "路线名称", "路名", "名称"),
    "class": ("highway", "fclass", "class", "road_class", "等级", "道路等级", "公路等级", "技术等级", "行政等级"),
    "speed": ("maxspeed", "speed", "speed_kmh", "限速", "车速", "设计速度", "设计时速"),
    "tunnel": ("tunnel", "隧道", "是否隧道"),
    "wkt": ("wkt", "geometry", "geom", "the_geom"),
    "from_lon": ("from_lon", "from_x", "x1", "起点经度"),
    "from_lat": ("from_lat", "from_y", "y1", "起点纬度"),
    "to_lon": ("to_lon", "to_x", "x2", "终点经度"),
    "to_lat": ("to_lat", "to_y", "y2", "终点纬度"),
}

# geodata.ways.osm_tags says who may use these; the kinds of "link" are ramps.
_LINKED = ("motorway", "trunk", "primary", "secondary", "tertiary")
OSM_CLASSES = {
    *(*_LINKED, *(f"{road}_link" for road in _LINKED)),
    *("unclassified", "residential", "living_street", "service", "road", "track", "busway"),
    *("pedestrian", "footway", "path", "steps", "cycleway", "bridleway", "corridor", "platform"),
    *("construction", "proposed", "raceway", "rest_area", "services", "escape", "elevator", "bus_guideway"),  # nobody travels these
}
# Technical and administrative classes of JTG B01-2014 and of GB/T 51328-2018 as OSM classes.
# Status M: the pairs follow how OSM maps China (wiki, "China tagging guidelines"), read by nobody for this file; `classes` overrides each.
_CHINESE_CLASSES = {
    "高速公路": "motorway",
    "高速": "motorway",
    "国家高速": "motorway",
    "省级高速": "motorway",
    "一级公路": "trunk",
    "一级": "trunk",
    "国道": "trunk",
    "城市快速路": "trunk",
    "快速路": "trunk",
    "二级公路": "primary",
    "二级": "primary",
    "省道": "primary",
    "主干路": "primary",
    "主干道": "primary",
    "三级公路": "secondary",
    "三级": "secondary",
    "县道": "secondary",
    "次干路": "secondary",
    "次干道": "secondary",
    "四级公路": "tertiary",
    "四级": "tertiary",
    "乡道": "tertiary",
    "支路": "tertiary",
    "等外公路": "unclassified",
    "等外路": "unclassified",
    "等外": "unclassified",
    "专用公路": "unclassified",
    "村道": "unclassified",
    "街巷": "residential",
    "巷道": "residential",
    "小区道路": "residential",
    "内部道路": "service",
    "机耕路": "track",
    "机耕道": "track",
    "步行街": "pedestrian",
    "人行道": "footway",
    "步道": "footway",
    "自行车道": "cycleway",
    "小路": "path",
}
_MOST_DIGITS = 18  # of an id that fits 64 bits
_TRACK_GRADE = re.compile(r"track_grade[1-5]")

_WORDS: Mapping[str, Direction] = {
    **dict.fromkeys(("both", "双向", "双向通行", "双行", "双"), "both"),
    **dict.fromkeys(("forward", "正向", "顺向", "正向通行", "单向", "单行"), "forward"),
    **dict.fromkeys(("backward", "reverse", "逆向", "反向", "逆向通行"), "backward"),
    **dict.fromkeys(("closed", "禁行", "封闭", "禁止通行"), "closed"),
}
_SIGNED: Mapping[str, Direction] = {"0": "both", "1": "forward", "-1": "backward"}
_ONE_WAY: Mapping[str, Direction] = {
    **_SIGNED,
    **dict.fromkeys(("no", "false", "n", "否"), "both"),
    **dict.fromkeys(("yes", "true", "y", "是"), "forward"),
}
_ESRI: Mapping[str, Direction] = {"b": "both", "f": "forward", "t": "backward", "ft": "forward", "tf": "backward"}
_CODES_OF_HEADER: Mapping[str, Mapping[str, Direction]] = {
    "dir": _SIGNED,
    "oneway": {**_ONE_WAY, **_ESRI},
    "one_way": {**_ONE_WAY, **_ESRI},
    "单行": _ONE_WAY,
    "单行线": _ONE_WAY,
    "是否单行": _ONE_WAY,
}


def plain(text: str) -> str:
    """Text without spaces, full-width forms and capitals, to be compared.

    >>> plain(" Ｄir ")
    'dir'
    """
    return re.sub(r"[\s\u200b\ufeff]", "", unicodedata.normalize("NFKC", text)).lower()


def without_unit(header: str) -> str:
    """A header without the unit or remark in its brackets.

    >>> without_unit("长度（米）")
    '长度'
    """
    return re.sub(r"\(.*?\)|\[.*?\]", "", plain(header))


def whole_numbers(texts: Sequence[str]) -> Ints | None:
    """Ids as numbers, if all of them are whole and written plainly.

    >>> whole_numbers(["12", "7"]).tolist(), whole_numbers(["12", "012"])
    ([12, 7], None)
    """
    whole = all(text.removeprefix("-").isdecimal() and len(text) <= _MOST_DIGITS and str(int(text)) == text for text in texts)
    return np.array([int(text) for text in texts], dtype=np.int64) if whole else None


def match_headers(headers: Collection[str], chosen: Mapping[str, str], file_name: str) -> dict[str, str]:
    """Find the header of each of our columns: the user's choice, else the first known name, also one cut off at 10 bytes by dBase.

    Raises
    ------
    InputError
        The user chose a column we do not know, or a header that is not there.
    """
    there = {plain(header): header for header in reversed(list(headers))}
    there |= {without_unit(header): header for header in reversed(list(headers)) if without_unit(header) not in there}
    has = ", ".join(headers)
    problems = [
        Problem(
            f"{file_name}：columns 中没有“{name}”这一项；可用：{', '.join(HEADERS)}。",
            f"{file_name}: columns knows no {name!r}; use {', '.join(HEADERS)}.",
        )
        for name in chosen
        if name not in HEADERS
    ]
    problems += [
        Problem(
            f"{file_name}：没有 columns 所说的“{header}”列；文件中有：{has}。",
            f"{file_name}: no column {header!r} as columns says; the file has: {has}.",
        )
        for name, header in chosen.items()
        if name in HEADERS and plain(header) not in there
    ]
    if problems:
        raise InputError(*problems)
    found = {name: there[plain(header)] for name, header in chosen.items()}
    for name, known in HEADERS.items():
        free = {key: header for key, header in there.items() if header not in found.values()}
        header = next((free[key] for one in known for key in (one, *_cut_off(one)) if key in free), None)
        if name not in found and header is not None:
            found[name] = header
    return found


def _cut_off(header: str) -> tuple[str, ...]:
    """What dBase, which has room for 10 bytes, leaves of a header in the encodings of Chinese offices."""
    room = 10
    cut = (header.encode(encoding)[:room].decode(encoding, "ignore") for encoding in ("utf-8", "gb18030"))
    return tuple(one for one in cut if one != header)


def directions_of(header: str, codes: Collection[str], said: Mapping[str, Direction], file_name: str) -> dict[str, Direction]:
    """What each code in a direction column means; blank is both ways.

    Raises
    ------
    InputError
        A code is not known to go with this header, and `directions` does not say it.
    """
    known = {"": "both", **_WORDS, **_CODES_OF_HEADER.get(without_unit(header), {}), **{plain(code): way for code, way in said.items()}}
    short = {plain(code) for code in codes}
    if short & {"t", "f"} and "b" not in short:  # true and false, or towards and from?
        known = {code: way for code, way in known.items() if code not in {"t", "f"} or code in map(plain, said)}
    unknown = sorted({code for code in codes if plain(code) not in known})
    if unknown:
        listed, line = first_few(unknown), ", ".join(f'"{code}" = "both"' for code in unknown[:3])
        raise InputError(
            Problem(
                f"{file_name}：“{header}”列的方向代码 {listed} 含义不明，请在 [roads] 中写明，如 "
                f"directions = {{ {line} }}（both 双向，forward 顺绘制方向，backward 逆向，closed 禁行）。",
                f"{file_name}: the direction codes {listed} of column {header!r} may mean different things; say in [roads], such as "
                f"directions = {{ {line} }} (both, forward, backward or closed).",
            )
        )
    return {code: known[plain(code)] for code in codes}


def classes_of(header: str, words: Collection[str], said: Mapping[str, str], file_name: str) -> dict[str, str]:
    """The OSM highway class of each word in a class column; blank is unclassified.

    Raises
    ------
    InputError
        A word is not known, and `classes` does not say it; or `classes` names no OSM class.
    """
    wrong = sorted({name for name in said.values() if name not in OSM_CLASSES})
    if wrong:
        raise InputError(
            Problem(
                f"{file_name}：classes 中的 {first_few(wrong)} 不是 OSM 道路类别；可用：{', '.join(sorted(OSM_CLASSES))}。",
                f"{file_name}: {first_few(wrong)} in classes is no OSM highway class; use {', '.join(sorted(OSM_CLASSES))}.",
            )
        )
    chosen = {plain(word): name for word, name in said.items()}
    found = {word: chosen.get(plain(word)) or _known_class(plain(word)) for word in words}
    unknown = sorted(word for word, name in found.items() if name is None)
    if unknown:
        example = f'classes = {{ "{unknown[0]}" = "tertiary" }}'
        raise InputError(
            Problem(
                f"{file_name}：“{header}”列有未知的道路等级：{first_few(unknown)}。请在 [roads] 中写明，如 {example}。",
                f"{file_name}: column {header!r} has unknown road classes: {first_few(unknown)}. Say in [roads], such as {example}.",
            )
        )
    return {word: name for word, name in found.items() if name is not None}


def _known_class(word: str) -> str | None:
    if word in {"", "unknown"}:
        return "unclassified"
    if _TRACK_GRADE.fullmatch(word):
        return "track"
    return word if word in OSM_CLASSES else _CHINESE_CLASSES.get(re.sub(r"\(.*?\)", "", word))
