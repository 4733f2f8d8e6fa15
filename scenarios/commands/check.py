"""``circle15 check``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from geodata.datum.convert import UNDECLARED
from geodata.standards import MODES
from geodata.store import open_region
from scenarios.audit.check import Audit, check_region
from scenarios.audit.files import audit_files
from scenarios.audit.finding import Finding
from scenarios.audit.words import SEVERITIES, SEVERITY_WORDS
from scenarios.commands.common import progress, say, shown
from scenarios.output.legend import MODE_WORDS
from scenarios.output.report import align, people
from scenarios.output.writers import json_text, write_files

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
    "county_people": "全县公布的常住人口 published residents",
    "county_registered": "全县公布的户籍人口 published registered",
    "facilities_by_kind": "各类机构 facilities",
    "calls": "120 记录 calls",
    "road_pieces": "路段 road pieces",
    "road_km": "道路公里 road km",
}


def run(arguments: argparse.Namespace) -> None:
    """Say what a region holds, and what is doubtful in it."""
    audit = check_region(open_region(arguments.region, progress=progress))
    print(json_text(audit.to_json()) if arguments.json else audit_text(audit), end="")
    if arguments.out:
        for path in write_files(arguments.out, audit_files(audit)):
            say(str(path))


def audit_text(audit: Audit) -> str:
    """Lay out files, tables, facts, roads by class and findings for a terminal."""
    facts = audit.facts
    sources = [[s["file"], s["role"], str(s["rows"]), s["sha256"][:12], s["note"]] for s in facts["sources"]]
    known = [[label, shown(facts[name])] for name, label in FACTS.items() if facts[name] is not None]
    parts = [
        align(["文件 file", "角色 role", "行数 rows", "sha256", "来源 source"], sources),
        *_tables(audit),
        align(["项 fact", ""], known),
        _classes(audit),
        _findings(audit.findings),
    ]
    return "\n\n".join(parts) + "\n"


def _tables(audit: Audit) -> list[str]:
    """What became of the rows of each table, and the evidence for its datum."""
    if not audit.tables:
        return []
    heads = ["表 table", "表头行 header", "行 rows", "用 read", "未用 left out", "无坐标 unlocated", "坐标系 datum"]
    table = [
        [
            f"{note.file} {note.sheet}".strip(),
            *(str(count) for count in (note.header_row, note.rows, note.read, note.left_out, note.unlocated)),
            "未写明 undeclared" if note.datum == UNDECLARED else note.datum or "–",
        ]
        for note in audit.tables
    ]
    evidence = [f"{note.file}：{note.evidence_zh} {note.evidence_en}" for note in audit.tables if note.evidence_zh]
    return [align(heads, table), *(["\n".join(evidence)] if evidence else [])]


def _classes(audit: Audit) -> str:
    """Kilometres by class, and where driving speeds come from."""
    heads = ["道路等级 class", "公里 km", "可驾车 drive km", "有限速 tagged km", "假定 assumed km/h", "标注中位 tagged km/h"]
    table = [
        [row.highway, *(f"{km:,.1f}" for km in (row.km, row.drive_km, row.tagged_km)), f"{row.assumed_kmh:g}", _kmh(row.tagged_kmh)]
        for row in audit.classes.itertuples()
    ]
    return align(heads, table)


def _kmh(value: float) -> str:
    return f"{value:g}" if value == value else "–"  # noqa: PLR0124 — nan


def _findings(findings: Sequence[Finding]) -> str:
    """Three lines or four for each kind of finding, however many modes have it."""
    if not findings:
        return "没有发现问题。 Nothing doubtful was found."
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.code.removesuffix(f"_{finding.mode}"), finding.zh), []).append(finding)
    count = [sum(group[0].severity == one for group in kinds.values()) for one in SEVERITIES]
    total = "，".join(f"{zh} {en} {number}" for (zh, en), number in zip(SEVERITY_WORDS.values(), count, strict=True))
    return "\n".join([f"发现 findings：{total}", *(_kind(code, group) for (code, _), group in kinds.items())])


def _kind(code: str, group: Sequence[Finding]) -> str:
    """What was found, how often and by which modes, the first offenders, what to do."""
    one = group[0]
    lines = [f"{' '.join(SEVERITY_WORDS[one.severity])}  {one.zh}  [{code}]", f"    {one.en}"]
    lines += [f"    {_amounts(group)}"] if one.mode or one.people or one.count > 1 else []
    lines += [f"    例 first: {one.first}"] if one.first else []
    return "\n".join([*lines, f"    → {one.do_zh}  {one.do_en}"])


def _amounts(group: Sequence[Finding]) -> str:
    """How many and how many people; modes that find the same are named together."""
    amounts: dict[str, list[str]] = {}
    for mode in ("", *MODES):
        for finding in (one for one in group if one.mode == mode):
            touched = f"，{people(finding.people)} 人 people" if finding.people else ""
            words = [f"{MODE_WORDS[mode][0]} {mode}"] if mode else []
            amounts.setdefault(f"{finding.count:,} 处 found{touched}", []).extend(words)
    return "；".join(" ".join((*("、".join(modes),) * bool(modes), amount)) for amount, modes in amounts.items())
