"""The side panel of a map sheet: lines of cells in inches, each a text with or without a symbol, laid out from the top."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, Literal

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from coverage.stats import CoverageResult
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.legend import Language
from scenarios.output.report import people, percent

INK: Final = "#222222"
MUTED: Final = "#666666"
WIDTH_IN: Final = 3.6
LINE_IN: Final = 0.23
SECOND_COLUMN_IN: Final = 1.85
_TEXT_IN: Final = 0.42  # where the text of a legend line begins, after its symbol

Style = Literal["-", "--"]
Symbol = Callable[[Axes, float, float], None]  # draws itself with its centre at x, y


@dataclass(frozen=True)
class Cell:
    """A text at `x` inches from the panel's left edge; `symbol` stands before it."""

    x: float
    text: str
    align: Literal["left", "right"] = "left"
    size: float = 9.0
    colour: str = INK
    symbol: Symbol | None = None


@dataclass(frozen=True)
class Line:
    """Cells side by side, in a line so many inches high."""

    cells: Sequence[Cell]
    height_in: float = LINE_IN


def draw_panel(axes: Axes, lines: Sequence[Line], height_in: float) -> None:
    """Draw the lines from the top down; too many of them move closer together."""
    axes.set_xlim(0, WIDTH_IN)
    axes.set_ylim(0, height_in)
    axes.set_axis_off()
    closer = min(1.0, height_in / sum(line.height_in for line in lines))
    y = height_in
    for line in lines:
        y -= line.height_in * closer
        middle = y + line.height_in * closer / 2
        for cell in line.cells:
            if cell.symbol:
                cell.symbol(axes, cell.x + _TEXT_IN / 2 - 0.06, middle)
            x = cell.x + (_TEXT_IN if cell.symbol else 0)
            axes.text(
                x, middle, cell.text, size=cell.size, color=cell.colour, ha=cell.align, va="center_baseline", parse_math=False, clip_on=True
            )


def patch(face: str, edge: str = "#9a9a9a", *, alpha: float = 1.0, style: Style = "-") -> Symbol:
    """A filled rectangle, as a township or a circle is drawn."""

    def draw(axes: Axes, x: float, y: float) -> None:
        axes.add_patch(Rectangle((x - 0.14, y - 0.055), 0.28, 0.11, facecolor=face, alpha=alpha, linewidth=0))
        axes.add_patch(Rectangle((x - 0.14, y - 0.055), 0.28, 0.11, facecolor="none", edgecolor=edge, linewidth=0.7, linestyle=style))

    return draw


def stroke(colour: str, width_pt: float, style: Style = "-") -> Symbol:
    """A stretch of a road or boundary."""

    def draw(axes: Axes, x: float, y: float) -> None:
        axes.add_line(Line2D([x - 0.14, x + 0.14], [y, y], color=colour, linewidth=width_pt, linestyle=style, solid_capstyle="butt"))

    return draw


def dot(marker: str, colour: str, area_pt2: float, edge: str = "white") -> Symbol:
    """A facility, a gap or a site, as large as on the map."""

    def draw(axes: Axes, x: float, y: float) -> None:
        axes.scatter([x], [y], s=area_pt2, marker=marker, c=colour, edgecolors=edge, linewidths=0.5)

    return draw


def heading(text: str) -> Line:
    """Build the line above a part of the panel."""
    return Line((Cell(0, text, size=11),), 0.36)


def two_columns(cells: Sequence[tuple[str, Symbol]]) -> list[Line]:
    """Lay out legend cells two to a line."""
    placed = [Cell(at % 2 * SECOND_COLUMN_IN, text, symbol=symbol) for at, (text, symbol) in enumerate(cells)]
    return [Line(placed[at : at + 2]) for at in range(0, len(placed), 2)]


def shorten(text: str, width: int) -> str:
    """Cut a text to so many narrow letters, a Chinese one counting two; control characters become spaces.

    >>> shorten("乡镇卫生院", 8)
    '乡镇卫…'
    """
    plain = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    ends = list(accumulate(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in plain))
    return plain if not ends or ends[-1] <= width else plain[: bisect_right(ends, width - 1)] + "…"


def wrapped(text: str, width: int, most: int) -> list[str]:
    """Break a text into at most so many lines; the last one says that there is more."""
    lines = []
    for _ in range(most - 1):
        line = shorten(text, width).removesuffix("…")
        lines.append(line)
        text = text[len(line) :]
    return [*lines, shorten(text, width)] if text else lines


def figures(result: CoverageResult, comparison: Comparison | None, language: Language) -> list[Line]:
    """Say how many people are covered: the share in large, then urban, rural and all."""
    rows: dict[str, Mapping[str, Any]] = {row["row"]: row for row in result.by_zone.to_dict("records") if row["row"] != "zone"}
    total, at = rows["total"], int(language == "en")
    lines = [heading(("覆盖人口（全县）", "People covered (whole county)")[at])]
    if comparison is None:
        share = percent(total["share_people"])
        columns = [("人口", "people"), ("覆盖", "covered"), ("占比", "share")]
        body = {key: (people(row["people"]), people(row["covered_people"]), percent(row["share_people"])) for key, row in rows.items()}
    else:
        changed = {row["row"]: row for row in comparison.by_zone.to_dict("records") if row["row"] != "zone"}
        share = f"{percent(changed['total']['share_people_before'])} → {percent(changed['total']['share_people_after'])}"
        columns = [("现状", "before"), ("方案", "after"), ("方案占比", "share")]
        body = {
            key: (people(row["covered_people_before"]), people(row["covered_people_after"]), percent(row["share_people_after"]))
            for key, row in changed.items()
        }
    of = (
        f"{people(total['covered_people'])} / {people(total['people'])} 人",
        f"{people(total['covered_people'])} of {people(total['people'])}",
    )
    lines += [Line((Cell(0, share, size=22),), 0.48), Line((Cell(0, of[at], colour=MUTED),))]
    edges = (1.5, 2.55, 3.55)
    heads = [Cell(x, words[at], "right", colour=MUTED) for x, words in zip(edges, columns, strict=True)]
    lines.append(Line(heads))
    for key in ("urban", "rural", "total"):
        cells = [Cell(x, text, "right") for x, text in zip(edges, body[key], strict=True)]
        lines.append(Line([Cell(0, legend.ROW_WORDS[key][at]), *cells]))
    if comparison is not None:
        gained, lost = (people(changed["total"][f"{change}_people"]) for change in ("gained", "lost"))
        lines.append(Line((Cell(0, (f"新覆盖 {gained} 人，不再覆盖 {lost} 人", f"gained {gained}, lost {lost}")[at]),)))
    return lines
