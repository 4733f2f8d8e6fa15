"""Which kind of facility a cell names: our ids, the names in both languages, and what offices and sheets write instead."""

from __future__ import annotations

import re
from collections.abc import Mapping

from geodata.standards import Kind
from geodata.tables.cells import Parser, plain

_ALSO = {
    "hospital": "综合医院 中医医院 中医院 中西医结合医院 专科医院 民营医院 公立医院 人民医院 县级医院 妇幼保健院 妇幼保健所 妇幼保健站 "
    "妇幼保健计划生育服务中心 妇幼保健院(所、站) 精神病医院 精神专科医院 传染病医院 口腔医院 眼科医院 骨科医院 康复医院",
    "township_health_centre": "卫生院 中心卫生院 乡卫生院 镇卫生院 乡(镇)卫生院 乡镇中心卫生院 一般卫生院 街道卫生院",
    "community_health_centre": "社区卫生中心 社区卫生服务机构",
    "community_health_station": "社区卫生站 社区服务站 卫生服务站",
    "village_clinic": "卫生室 卫生所 村卫生所 村卫生站 村级卫生室 村医务室 行政村卫生室 中心村卫生室 村卫生室(所)",
    "clinic": "诊所 门诊部 门诊 个体诊所 西医诊所 中医诊所 口腔诊所 中医馆",
    "sports_ground": "体育场 体育馆 运动场 球场 篮球场 足球场 健身广场 健身苑 健身中心 全民健身中心 多功能运动场 体育设施 健身场地",
    "park": "综合公园 社区公园 游园 口袋公园 街头绿地",
    "greenway": "健身步道 步道 绿道(步道) 城市绿道 慢行道",
    "school_ground": "学校 学校操场 学校运动场 校园操场",
    "sampling_site": "核酸采样点 便民采样点 采样亭 采样屋 核酸采样亭",
    "emergency_centre": "120急救中心 紧急救援中心 医疗急救中心 急救指挥中心",
    "standby_point": "急救点 急救站 急救分站 急救站点 待命点 120急救站 120急救点 急救网点",
}


def kind_parser(kinds: Mapping[str, Kind]) -> Parser:
    """Make a parser of kinds; the names of these kinds come before what else they are called."""
    known = {plain(name): kind for kind, names in _ALSO.items() if kind in kinds for name in names.split()}
    known |= {plain(name): kind_id for kind_id, kind in kinds.items() for name in (kind_id, kind.zh, kind.en)}

    def parse(cell: str) -> str:
        word = plain(cell)
        bare = re.sub(r"\([^()]*\)", "", word)
        found = known.get(word) or known.get(bare)
        if found is None:
            raise ValueError
        return found

    return parse
