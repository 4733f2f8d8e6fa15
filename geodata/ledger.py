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
from geodata.tables.columns import Column
from geodata.tables.load import Table, load_table
from geodata.tables.rejects import REASON

Result = TypeVar("Result")
Block = tuple[str, int]  # the role of a block of region.toml, and its position among those of that role
_NO_EVIDENCE = Problem("", "")


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
        for row in table.rejected.index:
            zh, _, en = str(table.rejected.loc[row, REASON]).partition(" · ")
            self.rows.append(RowNote("left_out", at[0], table.file, int(row), *self._cells(table, row), reason_zh=zh, reason_en=en or zh))
        return loaded

    def tell(self, loaded: Loaded, *, evidence: Problem = _NO_EVIDENCE, unlocated: int = 0) -> None:
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

    @staticmethod
    def _cells(table: Table, row: int) -> tuple[str, str, str, float]:
        """Id, name, township and people of a rejected row, as far as they can be told."""
        id_, name, zone, people = (
            str(table.rejected.loc[row, header]) if (header := table.mapping.get(ours)) in table.rejected.columns else ""
            for ours in ("id", "name", "zone", "people")
        )
        number = people.replace(",", "")
        return id_, name, zone, float(number) if number.isdigit() else -1.0 if people else 0.0
