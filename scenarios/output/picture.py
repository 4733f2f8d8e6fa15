"""A printed map sheet, A4 landscape: who is covered by township, the circles, the facilities, the gaps, and the figures beside them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Polygon
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib_scalebar.scalebar import ScaleBar

from coverage.stats import CoverageResult
from geodata.errors import OptionError, Problem
from geodata.network import transformer
from geodata.region import Prepared
from geodata.roads import Floats, Geometries
from scenarios.compare import Comparison
from scenarios.output import legend
from scenarios.output.fonts import find_font
from scenarios.output.ground import Bounds, label_point, road_groups
from scenarios.output.legend import Language
from scenarios.output.panel import (
    EDGES,
    INK,
    MARKERS,
    MUTED,
    PT_PER_PX,
    SITE_LOOKS,
    WIDTH_IN,
    area_pt2,
    draw_panel,
    figures,
    legend_lines,
    place_areas_pt2,
    shorten,
    wrapped,
)

PAGE_IN: Final = (11.69, 8.27)
DPI: Final = 200
MAP_IN: Final = (0.35, 0.8, 7.25, 6.54)  # left, bottom, width, height
PANEL_IN: Final = (7.8, 0.8, WIDTH_IN, 6.54)
MARGIN: Final = 1.06  # of the county within its map
CLOSE_UP_M: Final = 15_000.0  # a view less high than this shows paths too
LEAST_LABELLED: Final = 0.004  # of the view: a smaller part of a township goes without its name
_GROUND: Final = "#f7f7f5"
_SIGNS: Final = {"gained": "+", "lost": "_"}


@dataclass(frozen=True, eq=False)
class Canvas:
    """A map's axes, and what they show in metres of a projected CRS."""

    axes: Axes
    crs: str
    bounds_m: Bounds

    @property
    def frame(self) -> shapely.Polygon:
        """What is shown, as a polygon."""
        return shapely.box(*self.bounds_m)

    @property
    def height_m(self) -> float:
        """From the lower edge to the upper one."""
        return self.bounds_m[3] - self.bounds_m[1]

    def metric(self, shapes: Geometries) -> Geometries:
        """Shapes in degrees as shapes in metres."""
        return np.asarray(shapely.transform(shapes, transformer(self.crs).transform, interleaved=False))

    def clip(self, metric: Geometries) -> Geometries:
        """Leave of shapes in metres what is shown."""
        return np.asarray(shapely.clip_by_rect(metric, *self.bounds_m))

    def fill(self, metric: shapely.Geometry, **look: Any) -> None:  # noqa: ANN401 — the words of a matplotlib patch
        """Fill a polygon with its holes; nothing where it is empty."""
        parts = [part for part in shapely.get_parts(metric) if part.geom_type in {"Polygon", "MultiPolygon"}]
        rings = [ring for part in shapely.get_parts(shapely.orient_polygons(parts)) for ring in (part.exterior, *part.interiors)]
        if rings:
            outline = Path.make_compound_path(*(Path(shapely.get_coordinates(ring), closed=True) for ring in rings))
            self.axes.add_artist(
                PathPatch(outline, **({"linewidth": 0} | look))
            )  # add_patch would measure each curve for limits that are set

    def lines(self, metric: Geometries, **look: Any) -> None:  # noqa: ANN401 — the words of a matplotlib collection
        """Draw lines and outlines as one collection."""
        parts = shapely.get_parts(shapely.get_parts(metric))
        parts = np.where(shapely.get_dimensions(parts) == 2, shapely.boundary(parts), parts)  # noqa: PLR2004 — the dimension of a polygon
        parts = shapely.get_parts(parts)
        coordinates, line = shapely.get_coordinates(parts, return_index=True)
        pieces = np.split(coordinates, np.flatnonzero(np.diff(line)) + 1) if len(coordinates) else []
        self.axes.add_collection(LineCollection(pieces, **look), autolim=False)

    def dots(self, lonlat: Floats, **look: Any) -> None:  # noqa: ANN401 — the words of a matplotlib scatter
        """Draw dots at places in degrees."""
        if len(lonlat):
            x, y = transformer(self.crs).transform(*lonlat.T)
            edged: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.5} | look
            self.axes.scatter(x, y, **edged)


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
    at = int(language == "en")
    figure = Figure(figsize=PAGE_IN, dpi=DPI, facecolor="white")
    canvas = _canvas(figure, prepared, bounds)
    _draw_ground(canvas, prepared, result)
    _draw_circles(canvas, circles)
    _draw_roads(canvas, prepared)
    _draw_edges(canvas, prepared)
    _draw_people(canvas, prepared, result, comparison)
    _draw_facilities(canvas, prepared, result, comparison)
    _draw_names(canvas, prepared)
    _draw_north(canvas.axes, language)
    lines = figures(prepared.region.demand, result, comparison, language) + legend_lines(prepared, result, circles, comparison, at=at)
    draw_panel(_axes(figure, PANEL_IN), lines, PANEL_IN[3])
    _draw_title(figure, prepared, service_id, result, comparison, at=at)
    _draw_sources(figure, prepared, at=at)
    _set_font(figure, canvas.axes)
    file = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})  # neither version nor time: same input, same bytes
    return file.getvalue()


def _axes(figure: Figure, box_in: tuple[float, float, float, float]) -> Axes:
    left, bottom, width, height = box_in
    return figure.add_axes((left / PAGE_IN[0], bottom / PAGE_IN[1], width / PAGE_IN[0], height / PAGE_IN[1]))


def _canvas(figure: Figure, prepared: Prepared, bounds: Bounds | None) -> Canvas:
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
    west_m, south_m, east_m, north_m = x - half * MAP_IN[2], y - half * MAP_IN[3], x + half * MAP_IN[2], y + half * MAP_IN[3]
    axes = _axes(figure, MAP_IN)
    axes.set(xlim=(west_m, east_m), ylim=(south_m, north_m), xticks=[], yticks=[], facecolor=_GROUND, aspect=1)
    return Canvas(axes, prepared.region.crs, (west_m, south_m, east_m, north_m))


# The map, from the ground up


def _draw_ground(canvas: Canvas, prepared: Prepared, result: CoverageResult) -> None:
    """Draw townships in the colour of their covered share, and water."""
    shares = result.by_zone.loc[result.by_zone["row"] == "zone", "share_people"]
    for shape, share in zip(canvas.clip(canvas.metric(prepared.region.zones.geometry)), shares, strict=True):
        canvas.fill(shape, facecolor=legend.share_colour(share), zorder=1)
    water = canvas.clip(canvas.metric(prepared.region.roads.water))
    area = shapely.get_dimensions(water) == 2  # noqa: PLR2004 — the dimension of a polygon
    canvas.fill(shapely.union_all(water[area]), facecolor=legend.WATER_COLOUR, zorder=2)
    canvas.lines(water[~area], colors=legend.RIVER_COLOUR, linewidths=1.2, zorder=2)


def _draw_circles(canvas: Canvas, circles: gpd.GeoDataFrame) -> None:
    drawn = legend.merged(circles)
    for name, shape in zip(drawn["class"], canvas.clip(canvas.metric(np.array(drawn.geometry))), strict=True):
        colour = legend.CIRCLE_COLOURS[name]
        canvas.fill(shape, facecolor=colour, alpha=legend.CIRCLE_OPACITY, zorder=3)
        canvas.fill(shape, facecolor="none", edgecolor=colour, linewidth=0.6, linestyle=EDGES[name], zorder=3)


def _draw_roads(canvas: Canvas, prepared: Prepared) -> None:
    lines, groups = prepared.region.roads.lines(), road_groups(prepared.region)
    for group, look in legend.ROADS.items():
        if group == "path" and canvas.height_m > CLOSE_UP_M:
            continue
        shown = canvas.clip(canvas.metric(lines[groups == group]))
        canvas.lines(shown, colors=look.colour, linewidths=look.width_px * PT_PER_PX, zorder=4)


def _draw_edges(canvas: Canvas, prepared: Prepared) -> None:
    """Draw boundaries, and pale what lies beyond the county."""
    zones = canvas.metric(prepared.region.zones.geometry)
    county = shapely.union_all(zones, grid_size=1.0)
    canvas.fill(shapely.difference(canvas.frame, county), facecolor="white", alpha=0.6, zorder=5)
    canvas.lines(canvas.clip(shapely.boundary(zones)), colors=legend.BORDER_COLOUR, linewidths=0.6, linestyles=(0, (5, 2)), zorder=6)
    canvas.lines(canvas.clip(np.array([shapely.boundary(county)])), colors=legend.COUNTY_COLOUR, linewidths=1.3, zorder=6)


def _draw_people(canvas: Canvas, prepared: Prepared, result: CoverageResult, comparison: Comparison | None) -> None:
    """Draw the places out of reach, and those that a scenario changed; the area of a dot grows with the people."""
    at = dict(zip(prepared.region.demand.id, prepared.region.demand.lonlat, strict=True))
    lonlat = np.array([at[one] for one in result.gaps["id"]], dtype=np.float64).reshape(-1, 2)
    canvas.dots(lonlat, s=place_areas_pt2(result.gaps["people"]), c=legend.GAP_COLOUR, alpha=0.85, zorder=7)
    if comparison is not None:
        for change, colour in legend.CHANGE_COLOURS.items():
            some = comparison.changed[comparison.changed["change"] == change]
            lonlat = some[["lon", "lat"]].to_numpy()
            canvas.dots(lonlat, s=place_areas_pt2(some["people"]), c=colour, zorder=7.5)
            canvas.dots(lonlat, s=20.0, marker=_SIGNS[change], c="white", linewidths=1.2, edgecolors=None, zorder=7.6)


def _draw_facilities(canvas: Canvas, prepared: Prepared, result: CoverageResult, comparison: Comparison | None) -> None:
    stood = result.facilities if comparison is None else comparison.before.facilities
    shown = stood.to_geodataframe()
    shapes, external = np.array(shown.geometry, dtype=object), shown["external"].to_numpy(dtype=bool)
    looks = legend.kind_looks(prepared.services, stood)
    for look, marker in reversed(list(zip(looks, MARKERS * len(looks), strict=False))):  # the first kinds lie on top
        mine = (shown["kind"] == look.id).to_numpy()
        extended = canvas.metric(shapes[mine & (shapely.get_dimensions(shapes) > 0)])
        canvas.lines(extended, colors=look.colour, linewidths=1.2, zorder=8)
        area = area_pt2(look.radius_px)
        canvas.dots(_places(shapes[mine & ~external]), s=area, marker=marker, c=look.colour, zorder=8)
        canvas.dots(_places(shapes[mine & external]), s=area, marker=marker, c="white", edgecolors=look.colour, linewidths=1.2, zorder=8)
    if comparison is not None:
        closed = comparison.sites["state"] == "closed"
        for name, some in (("placed", comparison.sites[~closed]), ("closed", comparison.sites[closed])):
            marker, area = SITE_LOOKS[name]
            colour = legend.SITE_COLOURS[name]
            canvas.dots(some[["lon", "lat"]].to_numpy(), s=area, marker=marker, c=colour, edgecolors=INK, zorder=11)  # above the names
        _draw_site_names(canvas, comparison.sites[~closed])


def _draw_site_names(canvas: Canvas, sites: pd.DataFrame) -> None:
    """Write the name of each new or moved facility beside its sign."""
    box = {"boxstyle": "square,pad=0.25", "facecolor": "white", "edgecolor": INK, "linewidth": 0.6}
    x, y = transformer(canvas.crs).transform(sites["lon"].to_numpy(), sites["lat"].to_numpy())
    for name, at in zip(sites["name"], zip(x, y, strict=True), strict=True):
        beside: dict[str, Any] = {"xytext": (7, 0), "textcoords": "offset points", "va": "center", "annotation_clip": True}
        canvas.axes.annotate(shorten(name, 24), at, bbox=box, fontsize=7, zorder=11, parse_math=False, clip_on=True, **beside)


def _draw_names(canvas: Canvas, prepared: Prepared) -> None:
    """Write each township's name where the part of it that is shown is widest."""
    halo = [patheffects.withStroke(linewidth=2.2, foreground="white")]
    for name, shape in zip(prepared.region.zones.name, canvas.clip(canvas.metric(prepared.region.zones.geometry)), strict=True):
        if shapely.area(shape) < LEAST_LABELLED * shapely.area(canvas.frame):
            continue
        at = label_point(shape, tolerance_m=200)
        middle: dict[str, Any] = {"ha": "center", "va": "center"}
        canvas.axes.text(at.x, at.y, shorten(name, 24), size=7.5, path_effects=halo, zorder=10, parse_math=False, clip_on=True, **middle)


def _draw_north(axes: Axes, language: Language) -> None:
    """Draw an arrow whose point is up: north of the projected CRS."""
    x, base, tip, half = 0.955, 0.90, 0.955, 0.011
    for side, colour in ((-half, INK), (half, "white")):
        corners = [(x, tip), (x + side, base), (x, base + 0.012)]
        axes.add_patch(Polygon(corners, facecolor=colour, edgecolor=INK, linewidth=0.7, transform=axes.transAxes, zorder=11))
    word = "北" if language == "zh" else "N"
    axes.text(x, tip + 0.006, word, size=10, ha="center", va="bottom", transform=axes.transAxes, zorder=11)


def _places(shapes: Geometries) -> Floats:
    """One place in degrees for each shape."""
    return np.asarray(shapely.get_coordinates(shapely.point_on_surface(shapes)))


# Texts


def _draw_title(
    figure: Figure, prepared: Prepared, service_id: str, result: CoverageResult, comparison: Comparison | None, *, at: int
) -> None:
    """Write what is shown, by which definition and for which day; data that are not real are marked."""
    _write(figure, 0.35, 7.8, shorten(legend.title_words(prepared, service_id, comparison)[at], 76), size=18)
    _write(figure, 0.35, 7.5, shorten(legend.about_words(prepared, result.definition)[at], 180), size=9, colour=MUTED)
    if prepared.region.illustrative:
        look: dict[str, Any] = {"size": 11, "color": legend.GAP_COLOUR, "ha": "right", "va": "center"}
        box = {"facecolor": "white", "edgecolor": legend.GAP_COLOUR, "boxstyle": "square,pad=0.35"}
        figure.text(1 - 0.35 / PAGE_IN[0], 7.8 / PAGE_IN[1], legend.ILLUSTRATIVE[at], bbox=box, **look)


def _draw_sources(figure: Figure, prepared: Prepared, *, at: int) -> None:
    """Write the mark of use, who is counted, and the sources, files of one source together."""
    mark = [f"·  {legend.ILLUSTRATIVE_SAID[at]}"] if prepared.region.illustrative else []
    _write(figure, 0.35, 0.65, "  ".join([legend.UNREVIEWED[at], *mark]), size=8)
    _write(figure, 0.35, 0.51, legend.COUNTED[at], size=8)
    people = f"{legend.PEOPLE_WORDS[at].capitalize()}: {prepared.region.people_source}"
    notes = dict.fromkeys(source.note for source in prepared.region.sources)
    files = {
        note: [f"{legend.ROLE_WORDS[one.role][at]} {one.file}" for one in prepared.region.sources if one.note == note] for note in notes
    }
    said = [", ".join(named) + (f" ({note})" if note else "") for note, named in files.items()]
    sources = wrapped(("数据来源：", "Sources: ")[at] + "; ".join(said), 245, 2)
    for n, line in enumerate([shorten(people, 245), *sources]):
        _write(figure, 0.35, 0.38 - 0.12 * n, line, size=6.2, colour=MUTED)


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
