"""Tables of the page about the data: what is doubtful, how each file was read, which norms are not reached. Pure text, one language."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from geodata.datum.convert import UNDECLARED
from geodata.model import Region, RowNote, TableNote
from geodata.region import Prepared
from scenarios.audit.finding import Finding
from scenarios.audit.words import SEVERITY_WORDS
from scenarios.norms import NormsReport
from scenarios.output.legend import MODE_WORDS, NOTE_WORDS, ROLE_WORDS, Language, Words
from scenarios.output.norms_report import STATUS_WORDS, TIMING_WORDS, UNIT_WORDS, totals_table
from scenarios.output.report import people

MOST_ROWS: Final = 200  # of rows by name; `circle15 tables` has all
NOT_NAMED: Final[Words] = ("机构不在此列名，见 circle15 tables", "facilities are not named here: see circle15 tables")

_FINDING_HEADS: Final = (
    ("级别", "Severity"),
    ("发现", "Finding"),
    ("处", "Count"),
    ("涉及人口", "People"),
    ("例", "First"),
    ("怎么办", "What to do"),
)
_FILE_HEADS: Final = (
    ("表", "Table"),
    ("行", "Rows"),
    ("读入", "Read"),
    ("未采用", "Left out"),
    ("无坐标", "No place"),
    ("列的对应", "Columns"),
    ("坐标系与证据", "Datum and evidence"),
)
_ROW_HEADS: Final = (
    ("情况", "What"),
    ("文件", "File"),
    ("行", "Row"),
    ("名称", "Name"),
    ("乡镇", "Township"),
    ("人口", "People"),
    ("原因", "Reason"),
)
_NORM_HEADS: Final = (
    ("指标", "Norm"),
    ("算式", "Formula"),
    ("应有", "Required"),
    ("现有", "Present"),
    ("缺口", "Shortfall"),
    ("单位", "Unit"),
    ("时效", "Timing"),
    ("文件", "Document"),
)


@dataclass(frozen=True)
class Head:
    """The head of a column, and how its cells stand."""

    label: str
    is_number: bool


@dataclass(frozen=True)
class Row:
    """One row: its cells, its key if it can be chosen, and its tone ("error", "warning", "note" or "")."""

    cells: tuple[str, ...]
    key: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A table ready to be shown; a line break in a cell is one."""

    heads: tuple[Head, ...]
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {"heads": [head.__dict__ for head in self.heads], "rows": [row.__dict__ for row in self.rows]}


def _heads(labels: Sequence[Words], language: Language, *, numbers: Sequence[int]) -> tuple[Head, ...]:
    return tuple(Head(label[language == "en"], is_number=number in numbers) for number, label in enumerate(labels))


def kinds_of_findings(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Findings that differ in nothing but the mode, together under the code of the first; in the order given."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.code.removesuffix(f"_{finding.mode}"), finding.zh), []).append(finding)
    return {group[0].code: group for group in kinds.values()}


def findings_of(findings: Sequence[Finding], key: str) -> list[Finding]:
    """What is to be drawn of a kind: its mode with most places, for the modes mostly find the same ones."""
    group = kinds_of_findings(findings).get(key, [])
    return sorted(group, key=lambda finding: -len(finding.marks))[:1]


def findings_table(findings: Sequence[Finding], language: Language) -> Table:
    """One row a kind of finding, worst first; one that lies somewhere has a key, by which it can be shown on the map."""
    at = language == "en"
    heads = _heads(
        _FINDING_HEADS,
        language,
        numbers=(
            2,
            3,
        ),
    )
    rows = []
    for key, group in kinds_of_findings(findings).items():
        one = group[0]
        count, touched = (_by_mode(group, amount, language) for amount in (_count, _touched))
        said, do = (one.zh, one.do_zh) if language == "zh" else (one.en, one.do_en)
        cells = (SEVERITY_WORDS[one.severity][at], said, count, touched, one.first, do)
        rows.append(Row(cells, key=key if any(len(each.marks) for each in group) else "", tone=one.severity))
    return Table(heads, tuple(rows))


def _count(finding: Finding) -> str:
    return f"{finding.count:,}"


def _touched(finding: Finding) -> str:
    return people(finding.people) if finding.people else ""


def _by_mode(group: Sequence[Finding], amount: Callable[[Finding], str], language: Language) -> str:
    """An amount; where the modes differ, a line for each."""
    said = [amount(finding) for finding in group]
    if len(set(said)) == 1:
        return said[0]
    modes = (MODE_WORDS[finding.mode][language == "en"] if finding.mode else "" for finding in group)
    return "\n".join(f"{mode} {one}" for mode, one in zip(modes, said, strict=True))


def files_table(region: Region, language: Language) -> Table:
    """How each table was read: rows in and out, the columns found, what its coordinates were taken as and why."""
    heads = _heads(
        _FILE_HEADS,
        language,
        numbers=(
            1,
            2,
            3,
            4,
        ),
    )
    rows = tuple(Row(_file_cells(note, language), tone="warning" if note.left_out or note.unlocated else "") for note in region.tables)
    return Table(heads, rows)


def _file_cells(note: TableNote, language: Language) -> tuple[str, ...]:
    zh = language == "zh"
    role = ROLE_WORDS[note.role][not zh] if note.role in ROLE_WORDS else note.role
    name = " · ".join(filter(None, (note.file, note.sheet)))
    header = (f"表头第 {note.header_row} 行" if zh else f"header in row {note.header_row}") if note.header_row else ""
    over = (f"跳过：{note.passed_over}" if zh else f"passed over: {note.passed_over}") if note.passed_over else ""
    undeclared = "未写明，按 WGS84" if zh else "not stated, taken as WGS84"
    datum = undeclared if note.datum == UNDECLARED else note.datum or "–"
    columns = "\n".join(filter(None, (note.mapping.replace("; ", " · "), over)))
    evidence = note.evidence_zh if zh else note.evidence_en
    return (
        "\n".join(filter(None, (name, " · ".join(filter(None, (role, header)))))),
        *(f"{count:,}" if count else "0" for count in (note.rows, note.read, note.left_out, note.unlocated)),
        columns,
        "\n".join(filter(None, (datum, evidence))),
    )


def rows_table(region: Region, language: Language) -> Table:
    """Rows that are not where they should be, by name; a facility by its row only, because it may be restricted."""
    heads = _heads(
        _ROW_HEADS,
        language,
        numbers=(
            2,
            5,
        ),
    )
    rows = tuple(Row(_note_cells(note, language)) for note in region.row_notes[:MOST_ROWS])
    return Table(heads, rows)


def _note_cells(note: RowNote, language: Language) -> tuple[str, ...]:
    at = language == "en"
    said = (NOTE_WORDS[note.what][at], note.file, str(note.row))
    if note.role == "facilities":
        return (*said, "", "", "", NOT_NAMED[at])
    count = people(note.people) if note.people > 0 else ""
    return (*said, note.name or note.id, note.zone, count, note.reason_en if at else note.reason_zh)


def norms_count(prepared: Prepared, report: NormsReport, language: Language) -> str:
    """How many norms in force are short, cannot be told, are met."""
    counts = _current(totals_table(prepared, report))["status"].value_counts()
    return " · ".join(f"{counts.get(status, 0)} {STATUS_WORDS[status][language == 'en']}" for status in ("short", "unknown", "met"))


def norms_table(prepared: Prepared, report: NormsReport, language: Language) -> Table:
    """The norms in force that are not reached: required, present, shortfall, by which document."""
    heads = _heads(
        _NORM_HEADS,
        language,
        numbers=(
            2,
            3,
            4,
        ),
    )
    at = language == "en"
    short = _current(totals_table(prepared, report))
    rows = [
        Row(
            (
                row["name_en"] if at else row["name_zh"],
                row["formula"],
                *(_figure(row[name]) for name in ("required", "present", "shortfall")),
                UNIT_WORDS[report.norms[row["key"]].unit][at],
                " ".join(filter(None, (TIMING_WORDS[row["timing"]][at], str(row["by"])))),
                _half(row["document"], language),
            )
        )
        for row in short[short["status"] == "short"].to_dict("records")
    ]
    return Table(heads, tuple(rows))


def _current(table: pd.DataFrame) -> pd.DataFrame:
    """Without norms that are expired or not yet in force."""
    return table[~table["timing"].isin(["expired", "future"])]


def _half(text: str, language: Language) -> str:
    """One language of a text that has both, parted by a dot."""
    zh, _, en = text.partition(" · ")
    return en or zh if language == "en" else zh


def _figure(value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
