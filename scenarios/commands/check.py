"""``circle15 check``."""

from __future__ import annotations

import argparse

from geodata.store import open_region
from scenarios.check import check_region
from scenarios.commands.common import progress, shown
from scenarios.output.export import json_text
from scenarios.output.report import align, people

FACTS = {
    "region": "地区 region",
    "illustrative": "示意数据 illustrative",
    "date": "日期 date",
    "crs": "投影坐标系 crs",
    "fingerprint": "数据指纹 fingerprint",
    "zones": "乡镇 zones",
    "demand_points": "村（社区）或栅格单元 demand points",
    "people_inside": "县内人口 people inside",
    "people_outside": "县界外人口（不计） people outside",
    "people_source": "人口来源 people from",
    "facilities_by_kind": "各类机构 facilities",
    "road_pieces": "路段 road pieces",
    "road_km": "道路公里 road km",
}


def run(arguments: argparse.Namespace) -> None:
    """Say what a region holds, and what is doubtful in it."""
    said = check_region(open_region(arguments.region, progress=progress))
    if arguments.json:
        print(json_text(said | {"findings": [finding.__dict__ for finding in said["findings"]]}), end="")
        return
    facts = said["facts"]
    print(
        align(
            ["文件 file", "角色 role", "行数 rows", "sha256", "来源 source"],
            [[s["file"], s["role"], str(s["rows"]), s["sha256"][:12], s["note"]] for s in facts["sources"]],
        )
    )
    print()
    print(align(["项 fact", ""], [[label, shown(facts[name])] for name, label in FACTS.items()]))
    print()
    found = [[f.severity, f"{f.zh} {f.en}", str(f.count), people(f.people) if f.people else "–", f.first] for f in said["findings"]]
    print(
        align(["级别", "发现 finding", "数量 count", "人口 people", "例 first"], found)
        if found
        else "没有发现问题。 Nothing doubtful was found."
    )
