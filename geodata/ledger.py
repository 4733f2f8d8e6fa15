"""What is told of the reading of a region: problems, questions to the planner, and rows that are not where they should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from geodata.datum.convert import UNDECLARED
from geodata.errors import InputError, Problem, Question, UnconfirmedError
from geodata.extent import Bounds
from geodata.model import RowNote, TableNote
from geodata.region_file import TableBlock
from geodata.tables.cells import yes_no
from geodata.tables.columns import Column
from geodata.tables.load import Table, load_table
from geodata.tables.rejects import REASON

Result = TypeVar("Result")
Block = tuple[str, int]  # the role of a block of region.toml, and its position among those of that role
_NO_EVIDENCE = Problem("", "")
# Of a restricted facility in place of the reason, which may tell its name or place.
HIDDEN = ("不公开的机构：见原表该行", "a restricted facility: see its row in the table")


class Loaded(NamedTuple):
    """A table as it was read, for which block of region.toml, and whether that says what its coordinates are."""

    where: Block
    table: Table
    declared: bool


@dataclass
class Ledger:
    """Try every file; keep all problems, questions and notes."""

    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    loaded: dict[Block, Loaded] = field(default_factory=dict)
    tables: list[TableNote] = field(default_factory=list)
    rows: list[RowNote] = field(default_factory=list)

    def __call__(self, read: Callable[[], Result]) -> Result | None:
        """Read, or keep the problems and give None."""
        try:
            return read()
        except InputError as error:
            self.problems += error.problems
            return None

    def load(
        self,
        at: Block,
        block: TableBlock,
        folder: Path,
        columns: tuple[Column, ...],
        *,
        constants: Mapping[str, str] | None = None,
        bounds: Bounds | None = None,
    ) -> Loaded | None:
        """Load a table and keep it, its rejected rows too; None if it cannot be read or rows stand in the way."""
        table = self(lambda: load_table(block, folder, columns, constants=constants, bounds=bounds))
        if table is None:
            self._keep_rejected(at, block, folder, columns, constants=constants, bounds=bounds)
            return None
        self.loaded[at] = loaded = Loaded(at, table, declared=table.datum != UNDECLARED and (block.datum is not None or not table.datum))
        self.rows += [_left_out(at[0], table, int(row)) for row in table.rejected.index]
        return loaded

    def tell(self, loaded: Loaded, *, verdict: str = "", evidence: Problem = _NO_EVIDENCE, unlocated: int = 0) -> None:
        """Note how a table was read."""
        table = loaded.table
        self.tables.append(
            TableNote(
                role=loaded.where[0],
                file=table.file,
                sheet=table.sheet,
                header_row=table.header_row,
                rows=table.rows,
                read=len(table.frame),
                left_out=len(table.rejected),
                unlocated=unlocated,
                passed_over="; ".join(table.passed_over),
                mapping="; ".join(f"{ours} = {header}" for ours, header in table.mapping.items()),
                datum=table.datum,
                declared=loaded.declared,
                verdict=verdict,
                evidence_zh=evidence.zh,
                evidence_en=evidence.en,
            )
        )

    def raise_problems(self) -> None:
        """Raise everything that stands in the way, once each.

        Raises
        ------
        InputError
            Something is wrong; the questions stand behind the problems.
        UnconfirmedError
            Nothing is wrong, something is to be confirmed.
        """
        if self.problems:
            raise InputError(*dict.fromkeys([*self.problems, *(question.asked for question in self.questions)]))
        if self.questions:
            raise UnconfirmedError(*self.questions)

    def _keep_rejected(
        self,
        at: Block,
        block: TableBlock,
        folder: Path,
        columns: tuple[Column, ...],
        *,
        constants: Mapping[str, str] | None,
        bounds: Bounds | None,
    ) -> None:
        """Keep what can be read of a table whose rows stand in the way: its rejected rows can then be written out."""
        lenient = block.model_copy(update={"bad_rows": "leave_out"})
        try:
            self.loaded[at] = Loaded(at, load_table(lenient, folder, columns, constants=constants, bounds=bounds), declared=True)
        except InputError:
            return  # the table as a whole is wrong, which is told already


def _left_out(role: str, table: Table, row: int) -> RowNote:
    """Tell of a rejected row: id, name, township and people as far as they can be told; nothing of a facility that may be restricted."""
    cells = dict(reversed(list(zip(table.rejected.columns, table.rejected.loc[row], strict=True))))  # of two equal headers the first
    own = {ours: str(cells.get(header, "")) for ours, header in table.mapping.items()}
    if role == "facilities" and _may_be_restricted(own):
        return RowNote("left_out", role, table.file, row, "", "", "", 0.0, *HIDDEN)
    zh, _, en = str(cells[REASON]).partition(" · ")
    people = own.get("people", "").replace(",", "")
    number = float(people) if people.isdigit() else -1.0 if people else 0.0
    id_, name, zone = (own.get(ours, "") for ours in ("id", "name", "zone"))
    return RowNote("left_out", role, table.file, row, id_, name, zone, number, zh, en or zh)


def _may_be_restricted(own: Mapping[str, str]) -> bool:
    try:
        return yes_no(own.get("restricted", ""))
    except ValueError:
        return True
