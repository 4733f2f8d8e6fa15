"""What is told of the reading of a region: problems, questions to the planner, and rows that are not where they should be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from geodata.errors import InputError, Problem, Question, UnconfirmedError
from geodata.model import RowNote, TableNote

Result = TypeVar("Result")


@dataclass
class Ledger:
    """Try every file; keep all problems, questions and notes."""

    problems: list[Problem] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    tables: list[TableNote] = field(default_factory=list)
    mappings: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)
    rows: list[RowNote] = field(default_factory=list)

    def __call__(self, read: Callable[[], Result]) -> Result | None:
        """Read, or keep the problems and give None."""
        try:
            return read()
        except InputError as error:
            self.problems += error.problems
            return None

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
