"""A finding: one doubtful thing in the data, how many times, how many people it touches, where, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.errors import first_few
from geodata.model import OUTSIDE, Facilities, Region
from geodata.network import transformer
from geodata.roads import Bools, Floats, Geometries
from geodata.standards import Mode
from scenarios.audit.words import SEVERITIES, WORDS, Severity
from scenarios.output.report import people as people_text
from scenarios.output.weblayers import Layer

MOST_DRAWN = 500  # places of one finding on the page, and corners of one place of many cells: the files have all
SIMPLIFY_DEGREES = 5e-5  # five metres, as the rest of the map
COLUMNS = ("severity", "code", "mode", "count", "people", "zh", "en", "first", "do_zh", "do_en")


@dataclass(frozen=True, eq=False)
class Marks:
    """Where a finding is: names, residents touched and shapes in degrees, one each; never a restricted facility."""

    name: tuple[str, ...]
    people: Floats
    geometry: Geometries

    def __len__(self) -> int:
        """Count the places."""
        return len(self.name)

    def joined(self, more: Marks) -> Marks:
        """These places, then `more`."""
        return Marks(self.name + more.name, np.concatenate([self.people, more.people]), np.concatenate([self.geometry, more.geometry]))


def marks(name: Sequence[str], geometry: Sequence[shapely.Geometry] | Geometries, people: Floats | None = None) -> Marks:
    """Places of a finding that has nothing to do with demand points."""
    shapes = np.empty(len(geometry), dtype=object)
    shapes[:] = list(geometry)
    return Marks(tuple(name), np.zeros(len(name)) if people is None else np.asarray(people, dtype=np.float64), shapes)


@dataclass(frozen=True, eq=False)
class Finding:
    """One doubtful thing.

    Attributes
    ----------
    severity : "error", "warning" or "note"
        See :mod:`scenarios.audit.words`.
    code : str
        Stable name for programs; one that looks at a mode ends with it.
    mode : Mode or ""
        "" where it is not about a mode.
    count : int
    people : float
        Residents touched; 0 where none.
    zh, en : str
        What was found.
    first : str
        The first offenders.
    do_zh, do_en : str
        What to do about it.
    marks : Marks
        Where.
    """

    severity: Severity
    code: str
    mode: Mode | Literal[""]
    count: int
    people: float
    zh: str
    en: str
    first: str
    do_zh: str
    do_en: str
    marks: Marks

    def to_json(self) -> dict[str, Any]:
        """Everything but the geometry."""
        return {name: getattr(self, name) for name in COLUMNS}

    @property
    def rank(self) -> tuple[int, float, str]:
        """Graver first, then more people, then by code."""
        return SEVERITIES.index(self.severity), -self.people, self.code


def found(
    code: str,
    count: int,
    *,
    people: float = 0.0,
    first: str = "",
    where: Marks | None = None,
    mode: Mode | None = None,
    severity: Severity | None = None,
    **said: Any,  # noqa: ANN401 — the numbers of the sentence
) -> Finding:
    """Make a finding, its sentences filled with the numbers `said`.

    Parameters
    ----------
    code : str
        One of :data:`scenarios.audit.words.WORDS`.
    count : int
        0: nothing was found, and nothing is told.
    people : float
        Residents touched.
    first : str
        The first offenders; those of `where` unless given.
    where : Marks, optional
    mode : Mode, optional
        The finding is about this mode: its code ends with it.
    severity : str, optional
        Instead of the usual one.
    **said
        What the braces of the sentences stand for.

    Returns
    -------
    Finding
    """
    words, where = WORDS[code], where or marks((), ())
    return Finding(
        severity=severity or words.severity,
        code=f"{code}_{mode}" if mode else code,
        mode=mode or "",
        count=int(count),
        people=float(people),
        zh=words.zh.format(**said),
        en=words.en.format(**said),
        first=first or first_few(_named(where)),
        do_zh=words.do_zh,
        do_en=words.do_en,
        marks=where,
    )


def _named(where: Marks) -> Iterable[str]:
    return (f"{name} ({people_text(people)})" if people else name for name, people in zip(where.name, where.people, strict=True))


def at_demand(code: str, region: Region, mask: Bools, *, mode: Mode | None = None, **said: Any) -> Finding:  # noqa: ANN401 — as `found`
    """Make a finding about demand points, those with most people first; raster cells are told by township."""
    demand = region.demand
    cells = np.array([not text for text in demand.settlement], dtype=bool) & mask
    order = np.flatnonzero(mask & ~cells)
    order = order[np.argsort(-demand.people[order], kind="stable")]
    where = marks([demand.name[at] for at in order], shapely.points(demand.lonlat[order]), demand.people[order])
    where = where.joined(_by_township(region, cells)) if cells.any() else where
    return found(code, int(mask.sum()), people=math.fsum(demand.people[mask]), where=where, mode=mode, **said)


def _by_township(region: Region, cells: Bools) -> Marks:
    """Raster cells as one shape a township, those with most people first."""
    demand, zones = region.demand, region.zones
    each = [(int(zone), np.flatnonzero(cells & (demand.zone == zone))) for zone in np.unique(demand.zone[cells])]
    each.sort(key=lambda one: -math.fsum(demand.people[one[1]]))
    names = [zones.name[zone] if zone != OUTSIDE else "县外 outside" for zone, _ in each]
    people = np.array([math.fsum(demand.people[mine]) for _, mine in each])
    return marks(names, [shapely.multipoints(demand.lonlat[mine]) for _, mine in each], people)


def at_facilities(code: str, places: Facilities, mask: Bools, *, mode: Mode | None = None, **said: Any) -> Finding:  # noqa: ANN401 — as `found`
    """Make a finding about facilities; restricted ones are counted, and neither named nor placed."""
    shown = np.flatnonzero(mask & ~places.restricted)
    where = marks([label(places, at) for at in shown], places.geometry[shown])
    return found(code, int(mask.sum()), where=where, mode=mode, **said)


def label(places: Facilities, at: int | np.integer[Any]) -> str:
    """A facility's name and id, once if they are the same."""
    return places.id[at] if places.id[at] == places.name[at] else f"{places.name[at]} {places.id[at]}"


def metric(shapes: Geometries, crs: str) -> Geometries:
    """Shapes in metres of the region's own CRS, from degrees."""
    return np.asarray(shapely.transform(shapes, lambda lon, lat: transformer(crs).transform(lon, lat), interleaved=False))


def degrees(shapes: Geometries, crs: str) -> Geometries:
    """Shapes in degrees, from metres of the region's own CRS."""
    back = transformer(crs)
    return np.asarray(shapely.transform(shapes, lambda x, y: back.transform(x, y, direction="INVERSE"), interleaved=False))


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """One row a finding, without geometry."""
    return pd.DataFrame([finding.to_json() for finding in findings], columns=list(COLUMNS))


def findings_layers(findings: Sequence[Finding]) -> dict[str, gpd.GeoDataFrame]:
    """Every place of every finding as points, lines and polygons: code, severity, name, people, zh, en, do_zh, do_en."""
    with_places = [finding for finding in findings if len(finding.marks)]
    said = ("code", "severity", "zh", "en", "do_zh", "do_en")
    rows = [{name: getattr(finding, name) for name in said} for finding in with_places]
    size = [len(finding.marks) for finding in with_places]
    table = pd.DataFrame(rows, columns=list(said)).loc[np.repeat(np.arange(len(rows)), size)].reset_index(drop=True)
    every = marks((), ())
    for finding in with_places:
        every = every.joined(finding.marks)
    table.insert(2, "name", every.name)
    table.insert(3, "people", every.people)
    frame = gpd.GeoDataFrame(table, geometry=every.geometry, crs="EPSG:4326")
    dimension = shapely.get_dimensions(every.geometry)
    return {
        name: frame[dimension == number].reset_index(drop=True)
        for number, name in enumerate(("points", "lines", "polygons"))
        if (dimension == number).any()
    }


def audit_layer(findings: Sequence[Finding]) -> Layer:
    """The findings as a layer for the page: GeoJSON, one feature a place with code, severity, mode, name, people and words.

    The page adds it as any :class:`Layer` (by its id, under its own URL); ``L.geoJSON(data)`` draws it, with the colour by `severity` and
    ``feature.properties`` as text nodes of the popup. At most 500 places a finding, those with most people; `count` tells of all.
    """
    features = []
    for finding in findings:
        said = {name: getattr(finding, name) for name in ("code", "severity", "mode", "count", "zh", "en", "do_zh", "do_en")}
        shapes = [_few(shape) for shape in finding.marks.geometry[:MOST_DRAWN]]
        for name, people, shape in zip(finding.marks.name, finding.marks.people.tolist(), shapes, strict=False):
            features.append(
                {
                    "type": "Feature",
                    "properties": said | {"name": name, "people": round(people)},
                    "geometry": shapely.geometry.mapping(shape),
                }
            )
    return Layer({"type": "FeatureCollection", "features": features})


def _few(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape with coordinates of a metre and fewer corners, of many cells only some."""
    parts = shapely.get_num_geometries(shape)
    if shape.geom_type == "MultiPoint" and parts > MOST_DRAWN:
        shape = shapely.multipoints(shapely.get_parts(shape)[:: -(-parts // MOST_DRAWN)])
    return shapely.set_precision(shapely.simplify(shape, SIMPLIFY_DEGREES), 1e-5, mode="pointwise")
