"""The words of the app in Simplified Chinese and English."""

from __future__ import annotations

from typing import Literal

Language = Literal["zh", "en"]

_WORDS = {
    "title": ("十五分钟服务圈", "15-minute service circles"),
    "switch": ("English", "中文"),
    "no_facilities": (
        "没有此类机构的数据，覆盖为 0 不代表实际情况。",
        "No facilities of these kinds are in the data: 0 says nothing of the county.",
    ),
    "wrong": ("数据或问题有误：", "Something is wrong with the data or the question:"),
    "illustrative": (
        "示意数据：地名与总人口为真，其余由程序生成，不能用于决策。",
        "Illustrative data: names and totals are real, the rest is generated. Not for decisions.",
    ),
    "service": ("服务", "Service"),
    "definition": ("口径", "Definition"),
    "minutes": ("时限（分钟，含）", "Limit (minutes, inclusive)"),
    "share_people": ("人口覆盖率", "People covered, share"),
    "share_people_help": ("县内常住人口中，在时限或距离以内的比例", "Of the residents of the county, the share within the limit"),
    "covered_people": ("覆盖人口", "People covered"),
    "covered_people_help": ("县内常住人口，含到县外机构的", "Residents of the county, served by facilities inside or outside it"),
    "urban_share": ("城镇人口覆盖率", "Urban people covered, share"),
    "rural_share": ("农村人口覆盖率", "Rural people covered, share"),
    "class_help": ("按村（社区）的城乡分类", "By the class of the village or community"),
    "by_township": ("按乡镇", "By township"),
    "township": ("乡镇", "Township"),
    "people": ("常住人口", "Residents"),
    "sum_urban": ("城镇", "urban"),
    "sum_rural": ("农村", "rural"),
    "sum_total": ("合计", "total"),
    "without_external": ("人口覆盖率（不含县外机构）", "People covered, share (without facilities outside)"),
    "settlements": ("村（社区）", "Settlements"),
    "covered_settlements": ("覆盖村（社区）", "Settlements covered"),
    "share_settlements": ("村（社区）覆盖率", "Settlements covered, share"),
    "gaps": ("未覆盖：{count} 处，{people} 人", "Out of reach: {count} places, {people} people"),
    "settlement": ("村（社区）", "Settlement"),
    "cause": ("原因", "Cause"),
    "nearest": ("最近的机构", "Nearest facility"),
    "nearest_minutes": ("到达（分钟）", "Minutes"),
    "nearest_metres": ("沿路（米）", "Metres by road"),
    "straight": ("直线（米）", "Metres straight"),
    "standby": ("急救待命点", "Ambulance standby points"),
    "sites_total": ("总数（含保留的点）", "Total (kept points included)"),
    "sites_help": (
        "先使兜底时限以外的人最少，再使符合口径的人最多",
        "First the fewest people beyond the backstop, then the most within the definition's limits",
    ),
    "solve": ("选址", "Choose sites"),
    "site": ("站点", "Site"),
    "id": ("编码", "Id"),
    "new_or_kept": ("新增或保留", "New or kept"),
    "new": ("新增", "new"),
    "kept": ("保留", "kept"),
    "before": ("现状覆盖率", "Share before"),
    "after": ("方案覆盖率", "Share after"),
    "gained": ("新增覆盖人口", "People gained"),
    "source": ("口径来源", "Source of the definition"),
    "people_source": ("人口来源", "Source of people"),
    "fingerprint": ("数据指纹", "Fingerprint of the data"),
}


def words(language: Language) -> dict[str, str]:
    """All words in one language."""
    return {key: pair[language == "en"] for key, pair in _WORDS.items()}
