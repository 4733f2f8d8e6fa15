"""Rows in and out, datums, and the 120 log: what became of everything that was handed in."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from geodata.calls.model import BY_TOWNSHIP, NOWHERE, STAMPS
from geodata.datum.convert import UNDECLARED
from geodata.errors import first_few
from geodata.model import OUTSIDE, Region, RowNote
from geodata.roads import Bools
from scenarios.audit.finding import Finding, found
from scenarios.audit.words import Severity
from scenarios.output.report import people as people_text

WHAT = {
    "left_out": "rows_left_out",
    "unlocated": "rows_unlocated",
    "placed": "rows_placed",
    "renamed": "rows_renamed",
    "other_zone": "rows_other_zone",
}
MOST_UNLOCATED = 0.05  # of the calls


def table_findings(region: Region) -> list[Finding]:
    """What became of the rows of every table, and what their coordinates were taken as."""
    tables = region.tables
    lost = [note for note in tables if note.rows not in {note.read + note.left_out, note.read + note.left_out + note.unlocated}]
    over = [note for note in tables if note.passed_over]
    bare = [note for note in tables if note.datum == UNDECLARED]
    unsure = [note.file for note in bare if note.verdict != "fits"]
    grave: Severity = "warning" if unsure else "note"
    mixed, otherwise = (
        [f"{note.file}: {note.evidence_zh} {note.evidence_en}" for note in tables if note.verdict in verdicts]
        for verdicts in (("mixed", "perhaps_mixed"), ("other",))
    )
    return [
        found("rows_lost", len(lost), first=first_few(f"{note.file}: {note.read} / {note.rows}" for note in lost)),
        *(_rows(code, [note for note in region.row_notes if note.what == what]) for what, code in WHAT.items()),
        found("rows_passed_over", len(over), first=first_few(f"{note.file} {_numbers(note.passed_over)}" for note in over)),
        found("datum_undeclared", len(bare), first=first_few(unsure or [note.file for note in bare]), severity=grave),
        found("datum_mixed", len(mixed), first=first_few(mixed)),
        found("datum_contradicted", len(otherwise), first=first_few(otherwise)),
    ]


def _numbers(passed_over: str) -> str:
    """The row numbers of "1 title; 24 合计"."""
    return "+".join(number for part in passed_over.split("; ") if (number := part.split(" ", 1)[0]).isdigit())


def _rows(code: str, notes: Sequence[RowNote]) -> Finding:
    """Tell of rows; a facility by file and row only, because it may be restricted."""
    notes = sorted(notes, key=lambda note: -note.people)
    first = first_few(_row(note) for note in notes)
    return found(code, len(notes), people=math.fsum(max(note.people, 0.0) for note in notes), first=first)


def _row(note: RowNote) -> str:
    name = note.name or note.id if note.role != "facilities" else ""
    count = f" ({people_text(note.people)})" if note.people > 0 else ""
    return " ".join(part for part in (note.file, str(note.row), name) if part) + count


def call_findings(region: Region) -> list[Finding]:
    """How many calls have no place or lie outside, and what was not read of the log. No call is placed on a map."""
    calls = region.calls
    every = max(len(np.unique(calls.call)), 1)

    def count(mask: Bools) -> int:
        return len(np.unique(calls.call[mask]))

    share = count(calls.placed == NOWHERE) / every
    unread = [f"{stamp} {number}" for stamp, number in zip(STAMPS, calls.unread.tolist(), strict=True) if number]
    severity: Severity = "warning" if share > MOST_UNLOCATED else "note"
    return [
        found("calls_unlocated", count(calls.placed == NOWHERE), severity=severity, share=share),
        found("calls_township", count(calls.placed == BY_TOWNSHIP)),
        found("calls_outside", count(np.isfinite(calls.lonlat).all(axis=1) & (calls.zone == OUTSIDE))),
        found("calls_far", count(calls.far)),
        found("calls_unread", int(calls.unread.sum()), first=first_few(unread)),
        found("calls_dropped", len(calls.dropped), first=first_few(calls.dropped)),
    ]
