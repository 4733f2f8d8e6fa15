"""The answer of a study on the page: the figures that answer the question, tables, what was assumed, the workbook of the command."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pandas as pd

from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.output.legend import ROW_WORDS, Language, Words, limit_words, range_said
from scenarios.output.report import people, people_not_counted, percent
from scenarios.output.speed_words import hour_said
from scenarios.output.time_words import minutes
from scenarios.output.webtables import Head, Row, Table
from scenarios.output.writers import Writer, file_bytes

INNER: Final = "_without_external"
INNER_WORDS: Final[Words] = ("不含县外 {}", "without external {}")
TOWNSHIPS: Final[Words] = ("分乡镇", "By township")
MOST_ROWS: Final = 10
MOST_NAMED: Final = 3


class Figure(NamedTuple):
    """One figure: what it is, how much, and what stands below it; all of it our own text, never a name from a file."""

    label: Words
    value: Words
    below: Words


@dataclass(frozen=True)
class Grid:
    """A table in both languages; `numbers` are the columns to the right, `sums` the rows of sums."""

    title: Words
    heads: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]
    numbers: frozenset[int]
    sums: frozenset[int]

    def table(self, language: Language) -> Table:
        """Lay it out for the page in one language."""
        at = language == "en"
        heads = tuple(Head(words[at], is_number=number in self.numbers) for number, words in enumerate(self.heads))
        rows = (Row(tuple(cell[at] for cell in row), tone="sum" if n in self.sums else "") for n, row in enumerate(self.rows))
        return Table(heads, tuple(rows))


@dataclass(frozen=True, eq=False)
class Answer:
    """What a study answers.

    Attributes
    ----------
    figures : tuple of Figure
    findings : tuple of Words
        What the figures mean, in sentences; names of places stand only here and in tables.
    grids : tuple of Grid
            The townships first, unless the question is about something else.
    notes : tuple of Words
        What was asked and assumed, by which method, from which source.
    file : str
        The name of the workbook.
    """

    figures: tuple[Figure, ...]
    findings: tuple[Words, ...]
    grids: tuple[Grid, ...]
    notes: tuple[Words, ...]
    file: str
    write: Writer

    def workbook(self) -> bytes:
        """Make the workbook: the bytes that the command writes."""
        return file_bytes(self.file, self.write)


@dataclass(frozen=True)
class Shown:
    """A column of a table: its head, the columns of the data that its cells are made of, and how they are written."""

    head: Words
    names: tuple[str, ...]
    write: Callable[..., str | Words]

    @property
    def is_number(self) -> bool:
        """Whether it stands to the right."""
        return self.write not in (str, word)


def word(cell: Words) -> Words:
    """Words as they are."""
    return cell


def shown(zh: str, en: str, *names: str, write: Callable[..., str | Words] = people) -> Shown:
    """Describe a column; people unless told otherwise."""
    return Shown((zh, en), names, write)


def listed(names: Iterable[str]) -> Words:
    """Put names in a row."""
    every = list(names)
    return "、".join(every), ", ".join(every)


def same(text: str) -> Words:
    """The same text in both languages."""
    return text, text


def grid(title: Words, columns: Sequence[Shown], table: pd.DataFrame) -> Grid:
    """Lay out a table."""
    cells = [tuple(_cell(column, row) for column in columns) for row in table.to_dict("records")]
    numbers = frozenset(at for at, column in enumerate(columns) if column.is_number)
    return Grid(title, tuple(column.head for column in columns), tuple(cells), numbers, frozenset())


def zone_grid(columns: Sequence[Shown], by_zone: pd.DataFrame, title: Words = TOWNSHIPS) -> Grid:
    """Lay out a township table; the whole county stands first, where it is seen without scrolling, then its parts."""
    kind = by_zone["row"].tolist()
    order = sorted(range(len(kind)), key=lambda at: (kind[at] == "zone", kind[at] != "total"))
    table = by_zone.iloc[order]
    laid = grid(title, columns, table)
    names = [same(row["zone"]) if row["row"] == "zone" else ROW_WORDS[row["row"]] for row in table.to_dict("records")]
    cells = tuple((name, *row) for name, row in zip(names, laid.rows, strict=True))
    sums = frozenset(range(len(kind) - kind.count("zone")))
    return Grid(title, (("乡镇", "Township"), *laid.heads), cells, frozenset(at + 1 for at in laid.numbers), sums)


def _cell(column: Shown, row: Mapping[Any, Any]) -> Words:
    written = column.write(*(row[name] for name in column.names))
    return same(written) if isinstance(written, str) else written


def total(by_zone: pd.DataFrame) -> Any:  # noqa: ANN401 — a row of pandas
    """The row of all people."""
    return by_zone[by_zone["row"] == "total"].iloc[0]


def without(value: str) -> Words:
    """Say a figure without the facilities outside the county."""
    zh, en = INNER_WORDS
    return zh.format(value), en.format(value)


def ranged(prepared: Prepared, low: str, high: str) -> Words:
    """Say the range over the ways to spread the people; nothing if there is one way."""
    if range_said(prepared.region.demand) is None or low == high:
        return "", ""
    span = f"{low.removesuffix(' %')}–{high}"
    return f"区间 {span}", f"range {span}"


def joined(*parts: Words) -> Words:
    """Put what is not empty in a row."""
    return " · ".join(zh for zh, _ in parts if zh), " · ".join(en for _, en in parts if en)


def supply(value: float) -> str:
    """Write an amount by three digits that count; a dash where nobody lives."""
    if math.isnan(value) or value == 0:
        return "–" if math.isnan(value) else "0"
    return f"{value:,.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def amount(value: float) -> str:
    """Write what a facility states; a dash where it states nothing."""
    return "–" if math.isnan(value) else f"{value:,.10g}"


def index(value: float) -> str:
    """Write an index between 0 and 1."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def from_to(before: float, after: float) -> str:
    """Write how a share changes."""
    return f"{percent(before)} → {percent(after)}"


def time_said(value: float) -> Words:
    """Write minutes with their unit."""
    return f"{minutes(value)} 分钟", f"{minutes(value)} min"


def persons(value: float) -> Words:
    """Write people with their unit."""
    return f"{people(value)} 人", f"{people(value)} people"


def question_notes(prepared: Prepared, definition: ServiceDefinition) -> list[Words]:
    """What was asked, and of whom: definition, limits, source, hour, range, who is not counted."""
    limits, source = limit_words(definition), f"{definition.source} [{definition.status}]"
    said = [(f"口径：{definition.name_zh}；{limits[0]}", f"Definition: {definition.name_en}; {limits[1]}")]
    said.append((f"口径来源：{source}", f"Source of the definition: {source}"))
    more = (hour_said(prepared.speeds, definition), range_said(prepared.region.demand), *people_not_counted(prepared.region))
    return [*said, *(words for words in more if words)]


def source_note(text: str) -> Words:
    """Say whence a method is taken."""
    return f"方法来源：{text}", f"Source of the method: {text}"


def workbook_of(files: Mapping[str, Writer]) -> tuple[str, Writer]:
    """The workbook among the files of a study."""
    return next((name, write) for name, write in files.items() if name.endswith(".xlsx"))
