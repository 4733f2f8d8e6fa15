"""The nouns of a region: Zones, Demand, Facilities, Source, Region. Frozen, read-only, each with a fingerprint.

Ids are text outside and positions 0..n-1 inside. Coordinates are WGS84 degrees. The readers (``geodata.tables``) make GeoDataFrames with
documented columns; ``from_geodataframe`` is the one door from them, ``to_geodataframe`` the way back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.calls.model import Calls
from geodata.pack import fingerprint, read_only
from geodata.roads import Bools, Floats, Geometries, Ints, Roads

CLASSES = ("urban", "rural")
OUTSIDE = -1  # the zone of a place outside every zone
ENTRANCE_EVERY_M = 100.0
SPREAD = "as given"  # the only way the people are spread, where no other is known
GROWTH = ("low", "central", "high")
RESOURCES = (
    "physicians",
    "nurses",
    "pharmacists",
    "general_practitioners",
    "tcm_physicians",
    "vehicles",
    "floor_area_m2",
    "childcare_places",
)
_FACILITY_TEXTS = ("id", "name", "kind", "open_from", "open_to", "eligible_for")
_FACILITY_ARRAYS = ("geometry", "assumed_entrances", "capacity", "restricted", "external", "turnout_s", "resources")


@dataclass(frozen=True, eq=False)
class Zones:
    """The townships (乡镇、街道) of the county: what tables are grouped by.

    Attributes
    ----------
    id, name : (zones,) str
    geometry : (zones,) polygons
    people : (zones,) float64
        Stated residents (常住人口) of each township; nan where none are stated.
    registered : (zones,) float64
        Registered people (户籍人口); nan where none are stated. Never mixed with residents.
    growth : (zones, 3) float64
        Yearly growth of the residents as a share, in the variants ``GROWTH``; nan where none is stated.
    """

    id: tuple[str, ...]
    name: tuple[str, ...]
    geometry: Geometries
    people: Floats
    registered: Floats
    growth: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    @classmethod
    def from_geodataframe(cls, frame: gpd.GeoDataFrame) -> Zones:
        """Build from columns id, name, geometry (WGS84) and optionally people, registered, growth_low, growth_central, growth_high."""
        return cls(
            id=tuple(frame["id"]),
            name=tuple(frame["name"]),
            geometry=np.array(frame.geometry, dtype=object),
            people=_number(frame, "people"),
            registered=_number(frame, "registered"),
            growth=np.column_stack([_number(frame, f"growth_{variant}") for variant in GROWTH]),
        )

    @classmethod
    def none(cls) -> Zones:
        """No townships."""
        nothing = np.zeros(0)
        return cls((), (), np.zeros(0, dtype=object), nothing, nothing, np.zeros((0, len(GROWTH))))

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """One row a zone: id, name, people, geometry."""
        return gpd.GeoDataFrame({"id": self.id, "name": self.name, "people": self.people}, geometry=list(self.geometry), crs="EPSG:4326")

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all zones in degrees."""
        west, south, east, north = shapely.total_bounds(self.geometry).tolist()
        return west, south, east, north

    def locate(self, lonlat: Floats) -> Ints:
        """Position of the zone each point lies in, the first of several; OUTSIDE where in none."""
        found = np.full(len(lonlat), OUTSIDE, dtype=np.int64)
        zone, point = shapely.STRtree(shapely.points(lonlat)).query(self.geometry, predicate="intersects")
        order = np.lexsort((zone, point))[::-1]  # the lowest zone is written last
        found[point[order]] = zone[order]
        return found


@dataclass(frozen=True, eq=False)
class Demand:
    """Where people live: settlements, or the cells of a raster.

    Attributes
    ----------
    id, name : (points,) str
    lonlat : (points, 2) float64
    people : (points,) float64
        Residents: whole numbers from a table, fractions from a raster. The central spread.
    zone : (points,) int64
        Position in Zones, OUTSIDE if none; only people inside are counted.
    urban : (points,) bool
    settlement : (points,) str
        Points with the same text are one community or village; "" for raster cells, which are no settlement.
    spread_names : (spreads,) str
        How the totals may plausibly be spread over the points; the first is the central one.
    spreads : (spreads, points) float64
        Residents of each point under each spread; the first row is `people`.
    old : (points,) float64
        Residents aged 65 or more; nan where not known.
    """

    id: tuple[str, ...]
    name: tuple[str, ...]
    lonlat: Floats
    people: Floats
    zone: Ints
    urban: Bools
    settlement: tuple[str, ...]
    spread_names: tuple[str, ...]
    spreads: Floats
    old: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the points."""
        return len(self.id)

    @classmethod
    def from_geodataframe(cls, frame: gpd.GeoDataFrame, zones: Zones) -> Demand:
        """Build from columns id, people, geometry (points) and optionally name, zone (an id), urban (bool), settlement, old.

        A point without a zone id belongs to the zone it lies in. Without an urban column every point is rural.
        """
        lonlat = shapely.get_coordinates(frame.geometry)
        zone = zones.locate(lonlat)
        if "zone" in frame:
            position = {zone_id: at for at, zone_id in enumerate(zones.id)}
            zone = np.array([position.get(given, at) for given, at in zip(frame["zone"], zone, strict=True)], dtype=np.int64)
        ids, people = tuple(frame["id"]), np.array(frame["people"], dtype=np.float64)
        return cls(
            id=ids,
            name=tuple(frame["name"]) if "name" in frame else ids,
            lonlat=lonlat,
            people=people,
            zone=zone,
            urban=np.array(frame["urban"], dtype=bool) if "urban" in frame else np.zeros(len(frame), dtype=bool),
            settlement=tuple(frame["settlement"]) if "settlement" in frame else ids,
            spread_names=(SPREAD,),
            spreads=people[None, :],
            old=_number(frame, "old"),
        )

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """One row a point: id, name, people, zone (position), urban, settlement, geometry."""
        columns = {name: getattr(self, name) for name in ("id", "name", "people", "zone", "urban", "settlement")}
        return gpd.GeoDataFrame(columns, geometry=shapely.points(self.lonlat), crs="EPSG:4326")

    def peopled(self) -> Demand:
        """Without the raster cells in which nobody lives; a settlement stays, however empty."""
        kept = np.flatnonzero((self.spreads > 0).any(axis=0) | (np.array(self.settlement, dtype=str) != ""))
        texts: dict[str, Any] = {name: tuple(getattr(self, name)[at] for at in kept) for name in ("id", "name", "settlement")}
        arrays: dict[str, Any] = {name: getattr(self, name)[kept] for name in ("lonlat", "people", "zone", "urban", "old")}
        return replace(self, spreads=self.spreads[:, kept], **texts, **arrays)

    @property
    def inside(self) -> Bools:
        """Which points lie in a zone, and are counted."""
        return np.asarray(self.zone != OUTSIDE)


@dataclass(frozen=True, eq=False)
class Facilities:
    """The places that give a service, with their entrances.

    Attributes
    ----------
    id, name, kind : (facilities,) str
    geometry : (facilities,) points, lines or polygons
    entrance : (entrances, 2) float64
        Where each may be reached, in degrees: a point itself, the gates of a park.
    first_entrance : (facilities + 1,) int64
        Facility i has the entrances ``first_entrance[i]:first_entrance[i + 1]``.
    assumed_entrances : (facilities,) bool
        No gate was given for this line or polygon: points along its outline stand in.
    capacity : (facilities,) float64
        In the kind's own unit (beds, m², lanes); nan if not stated.
    open_from, open_to : (facilities,) str
        ISO dates, "" for open-ended; `open_to` is the first day on which it is no longer there.
    eligible_for : (facilities,) str
        Services whose new points may stand here, separated by spaces ("emergency").
    restricted : (facilities,) bool
        Counted in results, shown in no map, table or file.
    external : (facilities,) bool
        Outside the county.
    turnout_s : (facilities,) float64
        Seconds until its vehicle moves; nan for the definition's.
    resources : (facilities, resources) float64
        Staff, vehicles, areas in the order of ``RESOURCES``; nan where not stated.
    """

    id: tuple[str, ...]
    name: tuple[str, ...]
    kind: tuple[str, ...]
    geometry: Geometries
    entrance: Floats
    first_entrance: Ints
    assumed_entrances: Bools
    capacity: Floats
    open_from: tuple[str, ...]
    open_to: tuple[str, ...]
    eligible_for: tuple[str, ...]
    restricted: Bools
    external: Bools
    turnout_s: Floats
    resources: Floats

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the facilities."""
        return len(self.id)

    @classmethod
    def from_geodataframe(cls, frame: gpd.GeoDataFrame, zones: Zones, crs: str) -> Facilities:
        """Build from columns id, name, kind, geometry and optionally entrances (MultiPoint or None) and the other attributes.

        `crs` is a projected CRS in which missing entrances are spaced along an outline.
        """
        given = frame["entrances"] if "entrances" in frame else [None] * len(frame)
        assumed = np.array([gates is None and place.geom_type != "Point" for gates, place in zip(given, frame.geometry, strict=True)], bool)
        outlines = _along_outline(frame.geometry[assumed], crs)
        entrances = [
            next(outlines) if guess else shapely.get_coordinates(place if gates is None else gates)
            for guess, gates, place in zip(assumed, given, frame.geometry, strict=True)
        ]
        centre = shapely.get_coordinates(shapely.point_on_surface(np.array(frame.geometry, dtype=object)))
        texts = {name: _text(frame, name) for name in ("open_from", "open_to", "eligible_for")}
        return cls(
            id=tuple(frame["id"]),
            name=tuple(frame["name"]),
            kind=tuple(frame["kind"]),
            geometry=np.array(frame.geometry, dtype=object),
            entrance=np.concatenate([np.zeros((0, 2)), *entrances]),
            first_entrance=np.cumsum([0, *(len(gates) for gates in entrances)], dtype=np.int64),
            assumed_entrances=assumed,
            capacity=_number(frame, "capacity"),
            open_from=texts["open_from"],
            open_to=texts["open_to"],
            eligible_for=texts["eligible_for"],
            restricted=np.array(frame["restricted"], dtype=bool) if "restricted" in frame else np.zeros(len(frame), dtype=bool),
            external=zones.locate(centre) == OUTSIDE,
            turnout_s=_number(frame, "turnout_s"),
            resources=np.column_stack([_number(frame, name) for name in RESOURCES]),
        )

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """One row a facility that may be shown; the restricted ones are left out."""
        names = ("id", "name", "kind", "capacity", "open_from", "open_to", "eligible_for", "external", "assumed_entrances")
        frame = gpd.GeoDataFrame({name: getattr(self, name) for name in names}, geometry=list(self.geometry), crs="EPSG:4326")
        return frame[~self.restricted].reset_index(drop=True)

    def take(self, which: Ints) -> Facilities:
        """Only these facilities, in this order."""
        size = np.diff(self.first_entrance)[which]
        first = np.concatenate([[0], np.cumsum(size)])
        entrance = self.entrance[np.arange(first[-1]) + np.repeat(self.first_entrance[which] - first[:-1], size)]
        texts: dict[str, Any] = {name: tuple(getattr(self, name)[i] for i in which) for name in _FACILITY_TEXTS}
        arrays: dict[str, Any] = {name: getattr(self, name)[which] for name in _FACILITY_ARRAYS}
        return replace(self, entrance=entrance, first_entrance=first, **texts, **arrays)

    def joined(self, more: Facilities) -> Facilities:
        """These facilities, then `more`."""
        first = np.concatenate([self.first_entrance, self.first_entrance[-1] + more.first_entrance[1:]])
        texts: dict[str, Any] = {name: getattr(self, name) + getattr(more, name) for name in _FACILITY_TEXTS}
        arrays: dict[str, Any] = {
            name: np.concatenate([getattr(self, name), getattr(more, name)]) for name in (*_FACILITY_ARRAYS, "entrance")
        }
        return replace(self, first_entrance=first, **texts, **arrays)

    def open_on(self, day: dt.date) -> Bools:
        """Which facilities are there on a day."""
        text = day.isoformat()
        return np.array(
            [(not start or start <= text) and (not end or text < end) for start, end in zip(self.open_from, self.open_to, strict=True)],
            bool,
        )

    def of_kinds(self, kinds: Sequence[str]) -> Bools:
        """Which facilities are of one of these kinds."""
        return np.isin(np.array(self.kind, dtype=str), list(kinds))

    def eligible(self, service_id: str) -> Bools:
        """Which facilities may host a new point of a service."""
        return np.array([service_id in services.split() for services in self.eligible_for], bool)


@dataclass(frozen=True)
class Source:
    """Where a part of the region came from: printed with every result."""

    role: str
    file: str
    sha256: str
    rows: int
    note: str


@dataclass(frozen=True)
class TableNote:
    """How one table was read: what `check` and `tables` tell of it.

    Attributes
    ----------
    rows, read, left_out, unlocated : int
        Rows of data in the file; taken; rejected and left out; without coordinates.
    passed_over : str
        Rows that are no data (titles, 合计, notes), by number.
    mapping : str
        ``our name = header``, separated by ``; ``.
    datum : str
        The datum that the coordinates were taken as, "" for a table without any.
    declared : bool
        region.toml states the datum.
    verdict : str
        What the evidence says of that datum, one of ``geodata.datum.evidence.VERDICTS``; "" where nothing was weighed.
    evidence_zh, evidence_en : str
        What speaks for and against that datum.
    """

    role: str
    file: str
    sheet: str
    header_row: int
    rows: int
    read: int
    left_out: int
    unlocated: int
    passed_over: str
    mapping: str
    datum: str
    declared: bool
    verdict: str
    evidence_zh: str
    evidence_en: str


@dataclass(frozen=True)
class RowNote:
    """A row of a table that is not where it should be: nothing is lost in silence.

    Attributes
    ----------
    what : str
        "left_out" (rejected), "unlocated" (no coordinates: kept here, on no map), "placed" (no coordinates: put at the seat of its village
        or township, as region.toml asks), "renamed" (matched to a township through another name), "other_zone" (a facility that does not
        lie in the township named in its row).
    row : int
        As the user sees it.
    id, name, zone : str
        As far as they can be told; "" for a restricted facility, and for a row of the 120 log.
    people : float
        Of a settlement; 0 for others; -1 if the cell could not be read.
    """

    what: str
    role: str
    file: str
    row: int
    id: str
    name: str
    zone: str
    people: float
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, eq=False)
class Region:
    """Everything known about a county on a day.

    Attributes
    ----------
    crs : str
        Projected CRS in metres, for areas, buffers and drawing.
    illustrative : bool
        Invented data: labelled 示意 wherever it is shown.
    people_source : str
        How the people of each settlement were obtained.
    sources : tuple of Source
        The files it was read from.
    tables : tuple of TableNote
    row_notes : tuple of RowNote
    calls : Calls
        The 120 log; empty where there is none.
    county_people, county_registered : float
        The county's own published totals; nan where region.toml states none.
    """

    name: str
    illustrative: bool
    date: dt.date
    crs: str
    roads: Roads
    zones: Zones
    demand: Demand
    facilities: Facilities
    people_source: str
    sources: tuple[Source, ...]
    tables: tuple[TableNote, ...]
    row_notes: tuple[RowNote, ...]
    calls: Calls
    county_people: float
    county_registered: float

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of the content, equal on every machine."""
        return fingerprint(self)


def _text(frame: gpd.GeoDataFrame, column: str) -> tuple[str, ...]:
    return tuple(frame[column]) if column in frame else ("",) * len(frame)


def _number(frame: gpd.GeoDataFrame, column: str) -> Floats:
    return np.array(frame[column], dtype=np.float64) if column in frame else np.full(len(frame), np.nan)


def _along_outline(shapes: gpd.GeoSeries, crs: str) -> Iterator[Floats]:
    """Coordinates in degrees of points at most 100 m apart along each line or outline."""
    if len(shapes) == 0:
        return iter(())  # the projection itself takes a tenth of a second
    metric = shapes.to_crs(crs)
    lines = metric.boundary.where(metric.geom_type.isin(["Polygon", "MultiPolygon"]), metric)
    dense = gpd.GeoSeries(lines.segmentize(ENTRANCE_EVERY_M), crs=crs).to_crs("EPSG:4326")
    return (shapely.get_coordinates(line) for line in dense)
