"""Roads: every piece of road once, for all modes; ``geodata.network`` has the pieces of one mode, with times.

A *piece* is a stretch of one OSM way between two nodes where something can happen: a junction, a barrier, an end.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geodata.pack import fingerprint, read_only
from geodata.standards import MODES, Mode
from geodata.turns import Turns

EARTH_RADIUS_M = 6_371_000.0
MOTORWAYS = {"motorway", "motorway_link"}


Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[np.object_]


def forward_bit(mode: Mode) -> int:
    """Bit of ``Roads.permit`` that lets `mode` travel a piece in its drawn direction; the next higher bit is the way back."""
    return 1 << (2 * MODES.index(mode))


def blocked_bit(mode: Mode) -> int:
    """Bit of ``Roads.blocked`` that stops `mode` at a node."""
    return 1 << MODES.index(mode)


def great_circle_m(a: Floats, b: Floats) -> Floats:
    """Great-circle distance in metres between rows of lon, lat in degrees (R = 6,371,000 m).

    >>> great_circle_m(np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]])).round(1).tolist()
    [111194.9]
    """
    lon_a, lat_a, lon_b, lat_b = (np.radians(column) for column in (*a.T, *b.T))
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(half)))


@dataclass(frozen=True, eq=False)
class Roads:
    """Every road piece of a region, for all modes.

    Attributes
    ----------
    lonlat : (vertices, 2) float64, degrees WGS84
    first_vertex : (pieces + 1,) int64
        Piece i runs along ``lonlat[first_vertex[i]:first_vertex[i + 1]]``.
    tail, head : (pieces,) int64
        Node positions at the first and the last vertex.
    node_id : (nodes,) int64
        OSM node ids, or those of a link table.
    way_id : (pieces,) int64
        OSM way ids, or link ids.
    road_class, name : (pieces,) int64
        Positions in `class_names` and `road_names`; an unnamed road has the name "".
    permit : (pieces,) uint8
        Two bits a mode, see :func:`forward_bit`.
    maxspeed_kmh : (pieces, 2) float64
        Tagged speed forward and backward; nan where untagged.
    enterable : (pieces,) bool
        False for motorways and tunnels: travelled, but not stepped onto between their ends.
    bridge : (pieces,) bool
    blocked : (nodes,) uint8
        One bit a mode, see :func:`blocked_bit`.
    length_mm : (pieces,) int64
        Great-circle length of the original geometry.
    water : (k,) geometries, WGS84
        Mapped water that no access leg may cross.
    ways_of_file : tuple of int
        Ways with a highway tag, or links, of each file.
    missing_nodes : int
        Node references that the files do not contain.
    unread_maxspeed : tuple of str
        maxspeed values that could not be understood (the class speed is used).
    notes : tuple of str
        What a planner should know of the sources and of how they were joined, "zh · en".
    turns : Turns
        What a driver may not do at a junction.
    """

    lonlat: Floats
    first_vertex: Ints
    tail: Ints
    head: Ints
    node_id: Ints
    way_id: Ints
    road_class: Ints
    class_names: tuple[str, ...]
    name: Ints
    road_names: tuple[str, ...]
    permit: npt.NDArray[np.uint8]
    maxspeed_kmh: Floats
    enterable: Bools
    bridge: Bools
    blocked: npt.NDArray[np.uint8]
    length_mm: Ints
    water: Geometries
    ways_of_file: tuple[int, ...]
    missing_nodes: int
    unread_maxspeed: tuple[str, ...]
    notes: tuple[str, ...] = ()
    turns: Turns = field(default_factory=Turns.none)

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the pieces."""
        return len(self.tail)

    @cached_property
    def fingerprint(self) -> str:
        """Sha256 of the content, equal on every machine."""
        return fingerprint(self)

    @property
    def highway_ways(self) -> int:
        """Count the ways with a highway tag, or links, of all files."""
        return sum(self.ways_of_file)

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        west, south = self.lonlat.min(axis=0)
        east, north = self.lonlat.max(axis=0)
        return float(west), float(south), float(east), float(north)

    def lines(self, lonlat: Floats | None = None) -> Geometries:
        """One LineString a piece, in degrees or along other coordinates of the same vertices."""
        coordinates = self.lonlat if lonlat is None else lonlat
        return np.asarray(shapely.linestrings(coordinates, indices=np.repeat(np.arange(len(self)), np.diff(self.first_vertex))))

    def take(self, pieces: Ints) -> Roads:
        """Only these pieces, with the nodes at their ends."""
        size = np.diff(self.first_vertex)[pieces]
        first_vertex = np.concatenate([[0], np.cumsum(size)])
        vertices = np.arange(first_vertex[-1]) + np.repeat(self.first_vertex[pieces] - first_vertex[:-1], size)
        node, ends_at = np.unique(np.concatenate([self.tail[pieces], self.head[pieces]]), return_inverse=True)
        return replace(
            self,
            lonlat=self.lonlat[vertices],
            first_vertex=first_vertex,
            tail=ends_at[: len(pieces)],
            head=ends_at[len(pieces) :],
            node_id=self.node_id[node],
            blocked=self.blocked[node],
            **{
                name: getattr(self, name)[pieces]
                for name in ("way_id", "road_class", "name", "permit", "maxspeed_kmh", "enterable", "bridge", "length_mm")
            },
        )

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """One row a piece: way_id, highway, name, length_m, geometry (WGS84)."""
        columns = {
            "way_id": self.way_id,
            "highway": np.array(self.class_names, dtype=object)[self.road_class],
            "name": np.array(self.road_names, dtype=object)[self.name],
            "length_m": self.length_mm / 1000,
        }
        return gpd.GeoDataFrame(columns, geometry=self.lines(), crs="EPSG:4326")
