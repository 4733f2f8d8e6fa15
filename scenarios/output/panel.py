"""The side panel of a map sheet: lines of cells in inches, each a text with or without a symbol, laid out from the top."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, Literal

import geopandas as gpd
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from coverage.stats import CoverageResult
from geodata.model import Demand, Facilities
from geodata.region import Prepared
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.legend import Language
from scenarios.output.report import people, percent, percent_range

INK: Final = "#222222"
MUTED: Final = "#666666"
WIDTH_IN: Final = 3.6
LINE_IN: Final = 0.23
SECOND_COLUMN_IN: Final = 1.85
MARKERS: Final = ("P", "s", "D", "^", "o", "v", "p", "h", "<", ">")  # kinds are told apart without colours too
EDGES: Final[dict[str, Style]] = {"all": "-", "urban": "-", "rural": "--"}
SITE_LOOKS: Final = {"placed": ("*", 150.0), "closed": ("X", 60.0)}
GAP_PEOPLE: Final = (500, 2_000, 8_000)  # shown in the legend
_TEXT_IN: Final = 0.42  # where the text of a legend line begins, after its symbol

PT_PER_PX: Final = 0.5  # the sheet is about as large as the page on a screen, and paper bears finer lines
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


def figures(demand: Demand, result: CoverageResult, comparison: Comparison | None, language: Language) -> list[Line]:
    """Say how many people are covered: the share in large, then urban, rural and all, with a range if there is one."""
    rows = _sums(result.by_zone)
    total, at = rows["total"], int(language == "en")
    lines = [heading(("覆盖人口（全县）", "People covered (whole county)")[at])]
    table = rows if comparison is None else _sums(comparison.by_zone)
    columns, body = _figure_table(demand, table, compared=comparison is not None)
    share = percent(total["share_people"])
    if comparison is not None:
        share = f"{percent(table['total']['share_people_before'])} → {percent(table['total']['share_people_after'])}"
    of = (
        f"{people(total['covered_people'])} / {people(total['people'])} 人",
        f"{people(total['covered_people'])} of {people(total['people'])}",
    )
    lines += [Line((Cell(0, share, size=22),), 0.48), Line((Cell(0, of[at], colour=MUTED),))]
    edges = (1.5, 2.55, 3.55) if len(columns) == 3 else (1.05, 1.8, 2.5, 3.55)  # noqa: PLR2004 — a range makes them four
    heads = [Cell(x, words[at], "right", colour=MUTED) for x, words in zip(edges, columns, strict=True)]
    lines.append(Line(heads))
    for key in (key for key in legend.ROW_WORDS if key in body):
        cells = [Cell(x, text, "right") for x, text in zip(edges, body[key], strict=True)]
        lines.append(Line([Cell(0, legend.ROW_WORDS[key][at]), *cells]))
    if noted := legend.range_noted(demand):
        lines.append(Line((Cell(0, shorten(noted[at], 60), size=8, colour=MUTED),)))
    if comparison is not None:
        gained, lost = (people(table["total"][f"{change}_people"]) for change in ("gained", "lost"))
        said = [legend.CHANGE_WORDS[change][at] for change in ("gained", "lost")]
        text = (f"{said[0]} {gained} 人，{said[1]} {lost} 人", f"{said[0]} {gained}, {said[1]} {lost}")[at]
        lines.append(Line((Cell(0, text),)))
    return lines


def _figure_table(
    demand: Demand, table: Mapping[str, Mapping[str, Any]], *, compared: bool
) -> tuple[list[legend.Words], dict[str, list[str]]]:
    """Headings and cells, by urban, rural and total."""
    after = "_after" if compared else ""
    names = ["covered_people_before", "covered_people_after"] if compared else ["people", "covered_people"]
    columns = [*legend.BEFORE_AFTER_WORDS.values()] if compared else [("人口", "people"), ("覆盖", "covered")]
    columns.append(("方案占比", "share") if compared else ("占比", "share"))
    body = {key: [*(people(row[name]) for name in names), percent(row[f"share_people{after}"])] for key, row in table.items()}
    if legend.range_said(demand):
        columns.append(legend.RANGE_WORDS)
        for key, row in table.items():
            body[key].append(percent_range(row[f"share_people_low{after}"], row[f"share_people_high{after}"]))
    return columns, body


def _sums(by_zone: pd.DataFrame) -> dict[str, Mapping[str, Any]]:
    """The rows of the county: urban, rural, all, and those of 65 and over if they are known."""
    rows = {row["row"]: row for row in by_zone.to_dict("records") if row["row"] != "zone"}
    return rows if math.isnan(rows["total"]["old"]) else rows | {"old": legend.as_old(rows["total"])}


def legend_lines(
    prepared: Prepared, result: CoverageResult, circles: gpd.GeoDataFrame, comparison: Comparison | None, *, at: int
) -> list[Line]:
    """Say what the colours, lines and dots of the map mean."""
    lines = [heading(legend.SHARE_WORDS[at].capitalize())]
    shares = [(text, patch(colour)) for text, colour in zip(legend.share_labels(), legend.SHARE_COLOURS, strict=True)]
    if result.by_zone.loc[result.by_zone["row"] == "zone", "share_people"].isna().any():
        shares.append((legend.NOBODY_WORDS[at], patch(legend.NOBODY_COLOUR)))
    lines += [*two_columns(shares), heading(("图例", "Legend")[at])]
    for name in legend.merged(circles)["class"][::-1]:
        colour = legend.CIRCLE_COLOURS[name]
        symbol = patch(colour, colour, alpha=legend.CIRCLE_OPACITY, style=EDGES[name])
        lines.append(_entry(legend.circle_words(result.definition, name)[at], symbol))
    lines += _facility_lines(prepared, (comparison.before if comparison else result).facilities, at=at)
    lines.append(_entry(legend.GAP_WORDS[at], dot("o", legend.GAP_COLOUR, 23)))
    unit = ("人", " people")[at]
    sized = [(x, count, dot("o", "#bbbbbb", place_areas_pt2([count])[0])) for x, count in zip((0.0, 1.15, 2.35), GAP_PEOPLE, strict=True)]
    lines.append(Line([Cell(x, f"{count:,}{unit}", size=8, colour=MUTED, symbol=symbol) for x, count, symbol in sized]))
    if comparison is not None:
        seen = set(comparison.changed["change"])
        changes = [(f"{legend.CHANGE_SIGNS[one]} {legend.CHANGE_WORDS[one][at]}", legend.CHANGE_COLOURS[one]) for one in sorted(seen)]
        lines += two_columns([(text, dot("o", colour, 23)) for text, colour in changes])
        states = {"closed" if state == "closed" else "placed" for state in comparison.sites["state"]}
        sites = [
            (legend.SITE_WORDS[one][at], dot(marker, legend.SITE_COLOURS[one], area, INK))
            for one, (marker, area) in SITE_LOOKS.items()
            if one in states
        ]
        lines += two_columns(sites)
    drawn = [
        (look.words[at], stroke(look.colour, look.width_px * PT_PER_PX))
        for group, look in reversed(legend.ROADS.items())
        if group != "path"
    ]
    drawn += [(legend.WATER_WORDS[at], patch(legend.WATER_COLOUR, legend.WATER_COLOUR))]
    drawn += [
        (("县界", "county")[at], stroke(legend.COUNTY_COLOUR, 1.3)),
        (("乡镇界", "township")[at], stroke(legend.BORDER_COLOUR, 0.8, "--")),
    ]
    return lines + two_columns(drawn)


def _facility_lines(prepared: Prepared, facilities: Facilities, *, at: int) -> list[Line]:
    """Name the kinds with how many are shown, and how many of all these lie outside the county."""
    looks = legend.kind_looks(prepared.services, facilities)
    lines = [
        _entry(f"{look.words[at]} ({look.count:,})", dot(marker, look.colour, area_pt2(look.radius_px)))
        for look, marker in zip(looks, MARKERS * len(looks), strict=False)
    ]
    if external := int((facilities.external & ~facilities.restricted).sum()):
        lines.append(_entry(f"{legend.EXTERNAL_WORDS[at]} ({external:,})", dot("o", "white", 30, INK)))
    return lines


def _entry(text: str, symbol: Symbol) -> Line:
    return Line((Cell(0, shorten(text, 44), symbol=symbol),))


def place_areas_pt2(people: Iterable[float]) -> list[float]:
    """Sizes of the dots of settlements, as matplotlib counts them."""
    return [area_pt2(legend.place_radius_px(one)) for one in people]


def area_pt2(radius_px: float) -> float:
    """Size of a dot as matplotlib counts it: the square of its diameter."""
    return float((2 * radius_px * PT_PER_PX) ** 2)
