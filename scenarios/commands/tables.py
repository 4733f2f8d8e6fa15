"""``circle15 tables``: how each table of a region is read, what has to be confirmed, and the rows that cannot be read, to mend."""

from __future__ import annotations

import argparse
from pathlib import Path

from geodata.confirm import confirm
from geodata.datum.convert import UNDECLARED
from geodata.errors import Problem, Question
from geodata.ledger import Ledger
from geodata.model import RowNote, TableNote
from geodata.region import survey
from geodata.tables.load import rejected_csv
from scenarios.commands.common import progress, say
from scenarios.output.legend import NOTE_WORDS
from scenarios.output.writers import Writer, json_text, write_files

_SHOWN = 10


def run(arguments: argparse.Namespace) -> int:
    """Print how each table was read; write rejected rows out, confirm what the data suggest; 2 if anything is wrong."""
    path = arguments.region / "region.toml" if arguments.region.is_dir() else arguments.region
    progress("正在读取各表 ……", "Reading the tables …")
    _, ledger = survey(path)
    print(json_text(_as_json(ledger)) if arguments.json else _as_text(ledger), end="")
    if arguments.rejected:
        _write_rejected(ledger, arguments.rejected)
    if arguments.confirm:
        answers = [*ledger.questions, *_taken_as_wgs84(ledger)]
        confirm(path, answers, {where: loaded.table.mapping for where, loaded in ledger.loaded.items()})
        progress(
            f"已写入 {path}：坐标系 {len(answers)} 项，以及各表的列对应",
            f"{path}: {len(answers)} answers on coordinates, and the columns of each table",
        )
    return 2 if ledger.problems else 0


def _taken_as_wgs84(ledger: Ledger) -> list[Question]:
    """Tables that were taken as WGS84 unasked, because the evidence fits: to be written down too."""
    asked = {(question.role, question.at) for question in ledger.questions}
    fits = {(note.role, note.file) for note in ledger.tables if note.verdict == "fits"}
    undeclared = [(where, loaded.table.file) for where, loaded in ledger.loaded.items() if loaded.table.datum == UNDECLARED]
    undeclared += [(("calls", 0), note.file) for note in ledger.tables if note.role == "calls" and note.datum == UNDECLARED]
    free = [where for where, file in undeclared if where not in asked and (where[0], file) in fits]
    return [Question(*where, "datum", "wgs84", Problem("", "")) for where in free]


def _write_rejected(ledger: Ledger, folder: Path) -> None:
    """Write a csv for each table with rows that cannot be read, as they stand in the table: they are its keeper's own, to be mended."""
    given_back = {where: loaded.table for where, loaded in ledger.loaded.items() if len(loaded.table.rejected)}
    stems = [Path(table.file).stem for table in given_back.values()]
    names = [
        f"{stem}-rejected.csv" if stems.count(stem) == 1 else f"{stem}-{role}-{at + 1}-rejected.csv"
        for stem, (role, at) in zip(stems, given_back, strict=True)
    ]
    files = {name: _writer(rejected_csv(table)) for name, table in zip(names, given_back.values(), strict=True)}
    for path in write_files(folder, files):
        say(str(path))
    if any(role == "facilities" for role, _ in given_back):
        progress(
            "机构的行按原表写出，其中可能有不公开的机构，请勿外传。",
            "Rows of facilities stand as in the table, restricted ones too: keep these files to yourself.",
        )
    if not given_back:
        progress("没有读不了的行。", "No row is rejected.")


def _writer(content: bytes) -> Writer:
    def write(draft: Path) -> None:
        draft.write_bytes(content)

    return write


def _as_json(ledger: Ledger) -> dict[str, object]:
    return {
        "tables": [note.__dict__ for note in ledger.tables],
        "rows": [note.__dict__ for note in ledger.rows],
        "questions": [
            {"block": one.role, "at": one.at, "key": one.key, "value": one.value, **one.asked._asdict()} for one in ledger.questions
        ],
        "problems": [problem._asdict() for problem in dict.fromkeys(ledger.problems)],
    }


def _as_text(ledger: Ledger) -> str:
    parts = [_table_text(note) for note in ledger.tables]
    parts += [_rows_text(what, [note for note in ledger.rows if note.what == what]) for what in NOTE_WORDS]
    parts.append(_listed("待确认 to confirm", [question.asked for question in ledger.questions]))
    parts.append(_listed("有误 wrong", ledger.problems))
    return "\n".join(filter(None, parts))


def _table_text(note: TableNote) -> str:
    sheet = f" · {note.sheet}" if note.sheet else ""
    header = f"，表头第 {note.header_row} 行 header in row {note.header_row}" if note.header_row else ""
    left = f"，未采用 left out {note.left_out}" if note.left_out else ""
    nowhere = f"，无坐标 no coordinates {note.unlocated}" if note.unlocated else ""
    lines = [
        f"■ {note.file}{sheet}（{note.role}）：{note.rows} 行 rows，读入 read {note.read}{left}{nowhere}{header}",
        f"  列 columns: {note.mapping}",
    ]
    if note.passed_over:
        lines.append(f"  跳过 passed over: {note.passed_over}")
    if note.datum:
        lines.append(f"  坐标 datum: {note.datum}")
    if note.evidence_zh:
        lines.append(f"  证据 evidence: {note.evidence_zh}。 {note.evidence_en}.")
    return "\n".join(lines) + "\n"


def _rows_text(what: str, notes: list[RowNote]) -> str:
    if not notes:
        return ""
    zh, en = NOTE_WORDS[what]
    lines = [f"■ {zh} {en}: {len(notes)}"]
    lines += [
        f"  {note.file} {note.row}: {' '.join(filter(None, (note.id, note.name)))} — {note.reason_zh} {note.reason_en}"
        for note in notes[:_SHOWN]
    ]
    if len(notes) > _SHOWN:
        lines.append(f"  … ({len(notes)})")
    return "\n".join(lines) + "\n"


def _listed(head: str, problems: list[Problem]) -> str:
    asked = list(dict.fromkeys(problems))
    return "\n".join([f"■ {head}: {len(asked)}", *(f"  {problem.zh}\n  {problem.en}" for problem in asked)]) + "\n" if asked else ""
