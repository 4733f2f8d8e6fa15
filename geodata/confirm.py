"""Write into region.toml what the planner has confirmed; comments and order of the file stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from geodata.errors import OutputError, Problem, Question, os_reason


def confirm(path: Path, questions: Sequence[Question], mappings: Mapping[tuple[str, int], Mapping[str, str]]) -> None:
    """Write answers, and how each table's columns were read, into region.toml; whole or not at all.

    Parameters
    ----------
    path : Path
        region.toml.
    questions : sequence of Question
        Answered as the data suggest.
    mappings : mapping
        (role, position among the blocks of that role) → our column name → header in the file.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    document = tomlkit.parse(path.read_bytes().decode("utf-8-sig"))
    for question in questions:
        _write(document, (question.role, question.at), question.key, question.value)
    for block, mapping in mappings.items():
        _write(document, block, "columns", dict(mapping))
    draft = path.with_name(path.name + ".tmp")
    try:
        draft.write_bytes(tomlkit.dumps(document).encode())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        reason = os_reason(error)
        raise OutputError(Problem(f"无法写入 {path}（{reason.zh}）。", f"Cannot write {path} ({reason.en}).")) from error


def _write(document: tomlkit.TOMLDocument, block: tuple[str, int], key: str, value: str | dict[str, str]) -> None:
    role, at = block
    there: Any = document[role]
    table = there[at] if isinstance(there, list) else there
    if isinstance(value, dict):
        inline = tomlkit.inline_table()
        inline.update(value)
        table[key] = inline
    else:
        table[key] = value
