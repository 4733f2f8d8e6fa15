"""A printed map sheet, A4 landscape: who is covered by township, the circles, the facilities, the gaps, and the figures beside them."""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib_scalebar.scalebar import ScaleBar

from coverage.stats import CoverageResult
from geodata.errors import OptionError, Problem
from geodata.region import Prepared
from geodata.roads import Floats, Geometries, transformer
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.fonts import find_font
from scenarios.output.legend import Language
from scenarios.output.panel import (
    INK,
    MUTED,
    WIDTH_IN,
    Cell,
    Line,
    Style,
    dot,
    draw_panel,
    figures,
    heading,
    patch,
    shorten,
    stroke,
    two_columns,
    wrapped,
)

__all__ = ["coverage_picture", "find_font"]

PAGE_IN: Final = (11.69, 8.27)
DPI: Final = 200
MAP_IN: Final = (0.35, 0.8, 7.25, 6.54)  # left, bottom, width, height
PANEL_IN: Final = (7.8, 0.8, WIDTH_IN, 6.54)
MARGIN: Final = 1.06  # of the county within its map
CLOSE_UP_M: Final = 15_000.0  # a view less high than this shows footpaths too
LEAST_LABELLED: Final = 0.004  # of the view: a smaller part of a township goes without its name
GAP_PEOPLE: Final = (500, 2_000, 8_000)  # shown in the legend
_MARKERS: Final = ("P", "s", "D", "^", "o", "v", "p", "h", "<", ">")
_GROUND: Final = "#f7f7f5"
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class _View:
    """What the map shows, in metres of the region's CRS."""

    west: float
    south: float
    east: float
    north: float

    @property
    def box(self) -> shapely.Polygon:
        return shapely.box(self.west, self.south, self.east, self.north)

    def clip(self, shapes: Geometries) -> Geometries:
        return np.asarray(shapely.clip_by_rect(shapes, self.west, self.south, self.east, self.north))


def coverage_picture(
    prepared: Prepared,
    service_id: str,
    result: CoverageResult,
    *,
    circles: gpd.GeoDataFrame,
    comparison: Comparison | None = None,
    bounds: Bounds | None = None,
    language: Language = "zh",
) -> bytes:
    """Draw a map sheet: coverage by township, circles, facilities and gaps, with legend, scale and figures.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    result : CoverageResult
        After the changes, if there is a comparison.
    circles : GeoDataFrame
        As from ``coverage.circles.circles``; the merged rows are drawn.
    comparison : Comparison, optional
        Adds the facilities that a scenario changed, and who gains and loses.
    bounds : (west, south, east, north) in degrees, optional
        The part to show; the county if not given.
    language : {'zh', 'en'}

    Returns
    -------
    bytes
        A PNG of A4 landscape at 200 dots an inch; the same bytes for the same input.

    Raises
    ------
    OptionError
        The bounds are not west, south, east, north; or CIRCLE15_FONT does not fit.
    InputError
        No font of this computer can write the names.
    """
    view = _view(prepared, bounds)
    figure = Figure(figsize=PAGE_IN, dpi=DPI, facecolor="white")
    axes = _axes(figure, MAP_IN)
    axes.set(xlim=(view.west, view.east), ylim=(view.south, view.north), xticks=[], yticks=[], facecolor=_GROUND, aspect=1)
    _draw_ground(axes, prepared, result, view)
    _draw_circles(axes, prepared, circles, view)
    _draw_roads(axes, prepared, view)
    _draw_edges(axes, prepared, view)
    _draw_people(axes, prepared, result, comparison)
    _draw_facilities(axes, prepared, result, comparison)
    _draw_names(axes, prepared, view)
    _draw_north(axes, language)
    lines = figures(result, comparison, language) + _legend_lines(prepared, result, circles, comparison, language)
    draw_panel(_axes(figure, PANEL_IN), lines, PANEL_IN[3])
    at = int(language == "en")
    _draw_title(figure, prepared, service_id, result, comparison.scenario.name if comparison else "", at=at)
    _draw_sources(figure, prepared, at=at)
    _set_font(figure, axes)
    file = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})  # neither version nor time: same input, same bytes
    return file.getvalue()


def _axes(figure: Figure, box_in: tuple[float, float, float, float]) -> Axes:
    left, bottom, width, height = box_in
    return figure.add_axes((left / PAGE_IN[0], bottom / PAGE_IN[1], width / PAGE_IN[0], height / PAGE_IN[1]))


def _view(prepared: Prepared, bounds: Bounds | None) -> _View:
    """Fit the county, or the bounds, into the frame of the map without stretching either."""
    degrees = prepared.region.zones.bounds if bounds is None else bounds
    west, south, east, north = degrees
    if not (west < east and south < north and shapely.box(-180, -90, 180, 90).covers(shapely.box(*degrees))):
        raise OptionError(
            Problem(
                f"地图范围应为西、南、东、北（度），给出的是 {degrees}。",
                f"Bounds are west, south, east, north in degrees; given: {degrees}.",
            )
        )
    left, bottom, right, top = transformer(prepared.region.crs).transform_bounds(*degrees)
    size = MARGIN if bounds is None else 1.0
    scale = max((right - left) / MAP_IN[2], (top - bottom) / MAP_IN[3]) * size  # metres an inch
    x, y, half = (left + right) / 2, (bottom + top) / 2, scale / 2
    return _View(x - half * MAP_IN[2], y - half * MAP_IN[3], x + half * MAP_IN[2], y + half * MAP_IN[3])


# The map, from the ground up


def _draw_ground(axes: Axes, prepared: Prepared, result: CoverageResult, view: _View) -> None:
    """Draw townships in the colour of their covered share, and water."""
    shares = result.by_zone.loc[result.by_zone["row"] == "zone", "share_people"]
    for shape, share in zip(view.clip(_zones(prepared)), shares, strict=True):
        _fill(axes, shape, facecolor=legend.share_colour(share), zorder=1)
    water = view.clip(_metric(prepared, prepared.region.roads.water))
    area = shapely.get_dimensions(water) == 2  # noqa: PLR2004 — the dimension of a polygon
    _fill(axes, shapely.union_all(water[area]), facecolor=legend.WATER_COLOUR, zorder=2)
    _lines(axes, water[~area], colors=legend.WATER_COLOUR, linewidths=1.2, zorder=2)


def _draw_circles(axes: Axes, prepared: Prepared, circles: gpd.GeoDataFrame, view: _View) -> None:
    merged = _merged(circles)
    for name, shape in zip(merged["class"], view.clip(_metric(prepared, np.array(merged.geometry))), strict=True):
        _fill(axes, shape, facecolor=legend.CIRCLE_COLOUR, alpha=0.16, zorder=3)
        _fill(axes, shape, facecolor="none", edgecolor=legend.CIRCLE_COLOUR, linewidth=0.6, linestyle=_circle_style(name), zorder=6.5)


def _draw_roads(axes: Axes, prepared: Prepared, view: _View) -> None:
    roads = prepared.region.roads
    lonlat = np.column_stack(transformer(prepared.region.crs).transform(*roads.lonlat.T))
    lines, classes = roads.lines(lonlat), np.array(roads.class_names)[roads.road_class]
    widths = {"motorway": 1.6, "main": 0.9, "local": 0.35}
    grouped = [name for group in legend.ROAD_GROUPS.values() for name in group]
    if view.north - view.south < CLOSE_UP_M:
        _lines(axes, view.clip(lines[~np.isin(classes, grouped)]), colors=legend.ROAD_COLOURS["local"], linewidths=0.3, zorder=4)
    for group in ("local", "main", "motorway"):
        chosen = view.clip(lines[np.isin(classes, legend.ROAD_GROUPS[group])])
        _lines(axes, chosen, colors=legend.ROAD_COLOURS[group], linewidths=widths[group], zorder=4)


def _draw_edges(axes: Axes, prepared: Prepared, view: _View) -> None:
    """Draw boundaries, and pale what lies beyond the county."""
    zones = _zones(prepared)
    county = shapely.union_all(zones, grid_size=1.0)
    _fill(axes, shapely.difference(view.box, county), facecolor="white", alpha=0.6, zorder=5)
    _lines(axes, view.clip(shapely.boundary(zones)), colors="#8a8a8a", linewidths=0.6, linestyles=(0, (5, 2)), zorder=6)
    _lines(axes, view.clip(np.array([shapely.boundary(county)])), colors=INK, linewidths=1.3, zorder=6)


def _draw_people(axes: Axes, prepared: Prepared, result: CoverageResult, comparison: Comparison | None) -> None:
    """Draw the places out of reach, and those that a scenario changed; the area of a dot grows with the people."""
    at = dict(zip(prepared.region.demand.id, prepared.region.demand.lonlat, strict=True))
    lonlat = np.array([at[one] for one in result.gaps["id"]], dtype=np.float64).reshape(-1, 2)
    _dots(axes, prepared, lonlat, s=_gap_area(result.gaps["people"].to_numpy()), c=legend.GAP_COLOUR, alpha=0.85, zorder=7)
    if comparison is not None:
        for change, colour in legend.CHANGE_COLOURS.items():
            some = comparison.changed[comparison.changed["change"] == change]
            area = _gap_area(some["people"].to_numpy())
            _dots(axes, prepared, some[["lon", "lat"]].to_numpy(), s=area, c=colour, alpha=0.9, zorder=7.5)


def _draw_facilities(axes: Axes, prepared: Prepared, result: CoverageResult, comparison: Comparison | None) -> None:
    shown = result.facilities.to_geodataframe()
    looks = _kind_looks(result)
    shapes = np.array(shown.geometry, dtype=object)
    for kind, (marker, colour, area, _) in reversed(looks.items()):  # the first kinds of a definition lie on top
        mine = shapes[shown["kind"] == kind]
        extended = _metric(prepared, mine[shapely.get_dimensions(mine) > 0])
        _lines(axes, extended, colors=colour, linewidths=1.2, zorder=8)
        lonlat = shapely.get_coordinates(shapely.point_on_surface(mine))
        _dots(axes, prepared, lonlat, s=area, marker=marker, c=colour, zorder=8)
    if comparison is not None:
        for state, (marker, colour, area) in _STATE_LOOKS.items():
            some = comparison.sites[comparison.sites["state"] == state]
            _dots(axes, prepared, some[["lon", "lat"]].to_numpy(), s=area, marker=marker, c=colour, edge=INK, zorder=9)


def _draw_names(axes: Axes, prepared: Prepared, view: _View) -> None:
    """Write each township's name where the part of it that is shown is widest."""
    halo = [patheffects.withStroke(linewidth=2.2, foreground="white")]
    for name, shape in zip(prepared.region.zones.name, view.clip(_zones(prepared)), strict=True):
        if shapely.area(shape) < LEAST_LABELLED * shapely.area(view.box):
            continue
        centre = shapely.get_point(shapely.maximum_inscribed_circle(shape, tolerance=200.0), 0)
        axes.text(
            centre.x,
            centre.y,
            shorten(name, 24),
            size=7.5,
            ha="center",
            va="center",
            path_effects=halo,
            zorder=10,
            parse_math=False,
            clip_on=True,
        )


def _draw_north(axes: Axes, language: Language) -> None:
    """Draw an arrow whose point is up: north of the projected CRS."""
    x, base, tip, half = 0.955, 0.90, 0.955, 0.011
    for side, colour in ((-half, INK), (half, "white")):
        corners = [(x, tip), (x + side, base), (x, base + 0.012)]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor=INK, linewidth=0.7, transform=axes.transAxes, zorder=11))
    word = "北" if language == "zh" else "N"
    axes.text(x, tip + 0.006, word, size=10, ha="center", va="bottom", transform=axes.transAxes, zorder=11)


def _zones(prepared: Prepared) -> Geometries:
    return _metric(prepared, prepared.region.zones.geometry)


def _metric(prepared: Prepared, shapes: Geometries) -> Geometries:
    """Shapes in the region's projected CRS."""
    return np.asarray(shapely.transform(shapes, transformer(prepared.region.crs).transform, interleaved=False))


def _fill(axes: Axes, shape: shapely.Geometry, **look: Any) -> None:  # noqa: ANN401 — the words of a matplotlib patch
    """Fill a polygon with its holes; nothing where it is empty."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in {"Polygon", "MultiPolygon"}]
    rings = [ring for part in shapely.get_parts(shapely.orient_polygons(parts)) for ring in (part.exterior, *part.interiors)]
    if rings:
        outline = Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))
        axes.add_artist(PathPatch(outline, **({"linewidth": 0} | look)))  # add_patch would measure each curve for limits that are set


def _lines(axes: Axes, shapes: Geometries, **look: Any) -> None:  # noqa: ANN401 — the words of a matplotlib collection
    """Draw lines and outlines as one collection."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    parts = np.where(shapely.get_dimensions(parts) == 2, shapely.boundary(parts), parts)  # noqa: PLR2004 — the dimension of a polygon
    parts = shapely.get_parts(parts)
    coordinates, line = shapely.get_coordinates(parts, return_index=True)
    pieces = np.split(coordinates, np.flatnonzero(np.diff(line)) + 1) if len(coordinates) else []
    axes.add_collection(LineCollection(pieces, **look), autolim=False)


def _dots(axes: Axes, prepared: Prepared, lonlat: Floats, *, edge: str = "white", **look: Any) -> PathCollection | None:  # noqa: ANN401
    if len(lonlat) == 0:
        return None
    x, y = transformer(prepared.region.crs).transform(*lonlat.T)
    return axes.scatter(x, y, edgecolors=edge, linewidths=0.5, **look)


# What map and legend share

_STATE_LOOKS: Final = {
    "new": ("*", legend.STATE_COLOURS["new"], 150.0),
    "moved": ("D", legend.STATE_COLOURS["moved"], 60.0),
    "closed": ("X", legend.STATE_COLOURS["closed"], 60.0),
}


_FEW_MANY: Final = (10, 60)  # facilities of a kind
_KIND_AREAS: Final = (55.0, 28.0, 9.0)


def _gap_area(people_there: Floats) -> Floats:
    return np.asarray(3 + people_there / 100)


def _circle_style(name: str) -> Style:
    return "--" if name == "rural" else "-"


def _merged(circles: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return circles[circles["facility_id"] == ""]


def _kind_looks(result: CoverageResult) -> dict[str, tuple[str, str, float, int]]:
    """Marker, colour, area and number of each kind of the definition that is there; the more there are, the smaller."""
    kinds = np.array(result.facilities.kind, dtype=str)[~result.facilities.restricted]
    looks = {}
    for at, (kind, colour) in enumerate(legend.kind_colours(result.definition.kinds).items()):
        count = int((kinds == kind).sum())
        if count:
            looks[kind] = _MARKERS[at % len(_MARKERS)], colour, _KIND_AREAS[bisect_right(_FEW_MANY, count)], count
    return looks


# Legend and texts


def _legend_lines(
    prepared: Prepared, result: CoverageResult, circles: gpd.GeoDataFrame, comparison: Comparison | None, language: Language
) -> list[Line]:
    at = int(language == "en")
    lines = [heading(("乡镇人口覆盖率", "Share of people covered, by township")[at])]
    lines += two_columns([(text, patch(colour)) for text, colour in zip(legend.SHARE_LABELS, legend.SHARE_COLOURS, strict=True)])
    if result.by_zone.loc[result.by_zone["row"] == "zone", "share_people"].isna().any():
        lines += two_columns([(("无人居住", "nobody lives there")[at], patch(legend.NOBODY_COLOUR))])
    lines.append(heading(("图例", "Legend")[at]))
    words = {"all": ("服务圈", "circle"), "urban": ("城镇服务圈", "urban circle"), "rural": ("农村服务圈", "rural circle")}
    for name in _merged(circles)["class"]:
        symbol = patch(legend.CIRCLE_COLOUR, legend.CIRCLE_COLOUR, alpha=0.2, style=_circle_style(name))
        text = f"{words[name][at]} {legend.class_limit_words(result.definition, name)[at]}"
        lines.append(Line((Cell(0, shorten(text, 44), symbol=symbol),)))
    for kind, (marker, colour, area, count) in _kind_looks(result).items():
        text = f"{legend.kind_words(prepared)[kind][at]} ({count:,})"
        lines.append(Line((Cell(0, shorten(text, 44), symbol=dot(marker, colour, area)),)))
    unit, gaps = (("人", "未覆盖的村居"), (" people", "places out of reach"))[at]
    lines.append(Line((Cell(0, gaps, symbol=dot("o", legend.GAP_COLOUR, 23)),)))
    sizes = zip((0.0, 1.15, 2.35), GAP_PEOPLE, strict=True)
    sized = [(x, count, dot("o", "#bbbbbb", float(3 + count / 100))) for x, count in sizes]
    lines.append(Line([Cell(x, f"{count:,}{unit}", size=8, colour=MUTED, symbol=symbol) for x, count, symbol in sized]))
    if comparison is not None:
        lines += two_columns([(legend.CHANGE_WORDS[key][at], dot("o", colour, 23)) for key, colour in legend.CHANGE_COLOURS.items()])
        lines += two_columns([(legend.STATE_WORDS[key][at], dot(*look, edge=INK)) for key, look in _STATE_LOOKS.items()])
    widths = {"motorway": 1.6, "main": 1.0, "local": 0.5}
    drawn = [(legend.ROAD_WORDS[key][at], stroke(legend.ROAD_COLOURS[key], width)) for key, width in widths.items()]
    drawn += [(("水面", "water")[at], patch(legend.WATER_COLOUR, legend.WATER_COLOUR))]
    drawn += [(("县界", "county")[at], stroke(INK, 1.3)), (("乡镇界", "township")[at], stroke("#8a8a8a", 0.8, "--"))]
    return lines + two_columns(drawn)


def _draw_title(figure: Figure, prepared: Prepared, service_id: str, result: CoverageResult, scenario: str, *, at: int) -> None:
    """Write what is shown, by which definition and for which day; data that are not real are marked."""
    region, definition, service = prepared.region, result.definition, prepared.services.service(service_id)
    title = [region.name, (service.name_zh, service.name_en)[at], *([scenario] if scenario else [])]
    limit = f"{legend.way_words(definition)[at]} {legend.limit_words(definition)[at]}".strip()
    about = (
        f"口径：{definition.name_zh} · 时限：{limit} · 日期：{region.date}",
        f"Definition: {definition.name_en} · limit: {limit} · date: {region.date}",
    )
    _write(figure, 0.35, 7.8, shorten(" · ".join(title), 76), size=18)
    _write(figure, 0.35, 7.5, shorten(about[at], 180), size=9, colour=MUTED)
    if region.illustrative:
        mark = ("示意数据 非真实情况", "illustrative data, not real")[at]
        box = {"facecolor": "white", "edgecolor": legend.GAP_COLOUR, "boxstyle": "square,pad=0.35"}
        figure.text(1 - 0.35 / PAGE_IN[0], 7.8 / PAGE_IN[1], mark, size=11, ha="right", va="center", color=legend.GAP_COLOUR, bbox=box)


def _draw_sources(figure: Figure, prepared: Prepared, *, at: int) -> None:
    """Write the mark of use and the sources, files of one source together."""
    picture = ("圈仅为示意：人口按居民点计。", "Circles are a picture: people are counted where they live.")[at]
    _write(figure, 0.35, 0.6, f"{legend.UNREVIEWED[at]}  ·  {picture}", size=9)
    notes = dict.fromkeys(source.note for source in prepared.region.sources)
    files = {
        note: [f"{legend.ROLE_WORDS[one.role][at]} {one.file}" for one in prepared.region.sources if one.note == note] for note in notes
    }
    said = [", ".join(named) + (f" ({note})" if note else "") for note, named in files.items()]
    for n, line in enumerate(wrapped(("数据来源：", "Sources: ")[at] + "; ".join(said), 245, 3)):
        _write(figure, 0.35, 0.42 - 0.13 * n, line, size=6.2, colour=MUTED)


def _write(figure: Figure, x_in: float, y_in: float, text: str, *, size: float, colour: str = INK) -> None:
    figure.text(x_in / PAGE_IN[0], y_in / PAGE_IN[1], text, size=size, color=colour, va="center", parse_math=False)


def _set_font(figure: Figure, axes: Axes) -> None:
    """Find a font for what was written, give it to every text, and draw the scale bar with it."""
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    font = find_font("".join(text.get_text() for text in texts) + "0123456789 km")
    for text in texts:
        text.get_fontproperties().set_file(font)
    small = {"fname": font, "size": 8}
    bar = ScaleBar(1, "m", location="lower left", font_properties=small, box_alpha=0.75, length_fraction=0.22, pad=0.4, border_pad=0.6)
    bar.set_zorder(11)
    axes.add_artist(bar)
