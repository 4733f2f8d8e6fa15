"""Network: the pieces of the roads that one mode may use, with times, and how it is built from Roads, speeds and an hour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from geodata.errors import InputError, Problem
from geodata.pack import read_only
from geodata.piece_speeds import piece_kmh
from geodata.roads import MOTORWAYS, Bools, Floats, Geometries, Ints, Roads, blocked_bit, forward_bit, great_circle_m
from geodata.standards import Mode, Speeds
from geodata.turns import Turns, expand, forbidden_runs

NEVER = -1  # the time of a direction that is not permitted


@dataclass(frozen=True, eq=False)
class Network:
    """The pieces that one mode may use, with times; nodes are positions 0..node_count-1.

    A node that a barrier blocks is split, one for each piece that ends there: both sides can be reached, it cannot be passed. Nodes are
    numbered along a Hilbert curve, so that neighbours lie side by side in memory. For turn restrictions there are copies of nodes, behind
    the nodes: who stands on a copy has just driven the beginning of a forbidden manoeuvre (:func:`geodata.turns.expand`).

    Attributes
    ----------
    mode : str
    crs : str
        The projected CRS, in metres, in which points are brought onto roads.
    lines : (pieces,) LineStrings in `crs`
    corner_m, corner_share : (vertices of all lines,) float64
        Projected length run so far, all pieces in one row, and the piece's position + the share of its great-circle length run so far:
        between them they tell where on the original geometry a place on the projected line lies.
    start, end : (pieces,) int64
        Nodes at the first and last vertex.
    node_count : int
        Of the search: copies included.
    tail, head, run : (links,) int64
        Directed links between nodes or copies; run = 2 × piece along the piece, 2 × piece + 1 against it.
    copy_of : (node_count,) int64
        The node that each node or copy stands for.
    entered : (pieces, 2) int64
        Where one arrives who began on the piece: at its end, at its start.
    forward_ms, backward_ms : (pieces,) int64
        Milliseconds along the whole piece; ``NEVER`` where that direction is not permitted.
    length_mm : (pieces,) int64
    enterable : (pieces,) bool
    added : (pieces,) bool
        A scenario put it there: such a piece adds ways on, and takes none away from anybody.
    obstacles : (k,) geometries in `crs`
        Water and motorways, which no access leg may cross.
    access_kmh, access_detour : float
        Speed on the leg between a point and the road, and the factor on its straight length.
    """

    mode: Mode
    crs: str
    lines: Geometries
    corner_m: Floats
    corner_share: Floats
    start: Ints
    end: Ints
    node_count: int
    tail: Ints
    head: Ints
    run: Ints
    copy_of: Ints
    entered: Ints
    forward_ms: Ints
    backward_ms: Ints
    length_mm: Ints
    enterable: Bools
    added: Bools
    obstacles: Geometries
    access_kmh: float
    access_detour: float

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)

    def __len__(self) -> int:
        """Count the pieces."""
        return len(self.start)

    def offset_mm(self, piece: Ints, along_m: Floats) -> Ints:
        """Where on these pieces a place lies, from their start: great-circle millimetres of metres along the projected lines."""
        share = np.interp(self.corner_m[self.first_corner[piece]] + along_m, self.corner_m, self.corner_share) - piece
        return np.asarray(np.rint(np.clip(share, 0.0, 1.0) * self.length_mm[piece]), dtype=np.int64)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of `lines`."""
        return shapely.STRtree(self.lines)

    @cached_property
    def first_corner(self) -> Ints:
        """Where the vertices of each piece begin, in the row of all."""
        return np.asarray(np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(self.lines))]))

    @cached_property
    def permitted(self) -> Bools:
        """Which runs may be travelled."""
        return np.asarray(np.column_stack([self.forward_ms, self.backward_ms]).ravel() != NEVER)

    @cached_property
    def links_of_run(self) -> Groups:
        """The links of each run: one, none where it is not permitted, several where copies of its node have it too."""
        return Groups.of(self.run, 2 * len(self))

    @cached_property
    def copies(self) -> Groups:
        """Each node and its copies."""
        return Groups.of(self.copy_of, self.node_count)

    @cached_property
    def outward(self) -> Adjacency:
        """The links by the node they leave."""
        return self._adjacency(self.tail, self.head)

    @cached_property
    def inward(self) -> Adjacency:
        """The links by the node they arrive at: for a search against the direction of travel."""
        return self._adjacency(self.head, self.tail)

    @cached_property
    def mean_and_largest(self) -> dict[str, tuple[int, int]]:
        """Mean and largest cost of a link, whole, by weight: what decides how a search queues."""
        costs = {"time": self.outward.ms, "distance": self.outward.mm}
        return {weight: (int(cost.mean()) if len(cost) else 1, int(cost.max(initial=0))) for weight, cost in costs.items()}

    def _adjacency(self, here: Ints, there: Ints) -> Adjacency:
        order = np.lexsort((self.run, there, here))
        piece, against = np.divmod(self.run[order], 2)
        ms = np.where(against, self.backward_ms[piece], self.forward_ms[piece])
        first = np.searchsorted(here[order], np.arange(self.node_count + 1))
        return Adjacency(first, there[order].astype(np.uint32), _narrow(ms), _narrow(self.length_mm[piece]), order)


class Groups(NamedTuple):
    """Rows by a number they carry: group g has the members ``member[first[g]:first[g + 1]]``."""

    first: Ints
    member: Ints

    @classmethod
    def of(cls, number: Ints, count: int) -> Groups:
        """Group the rows of a column of numbers, 0..count-1."""
        order = np.argsort(number, kind="stable")
        return cls(np.searchsorted(number[order], np.arange(count + 1)), order)


class Adjacency(NamedTuple):
    """Links grouped by a node: node n has the rows ``first[n]:first[n + 1]``; the other node, both costs, the link."""

    first: Ints
    node: npt.NDArray[np.uint32]
    ms: Ints | npt.NDArray[np.int32]
    mm: Ints | npt.NDArray[np.int32]
    link: Ints


def _narrow(cost: Ints) -> Ints | npt.NDArray[np.int32]:
    """In half the memory, which a search runs through the faster, unless a cost is too large for that."""
    return cost.astype(np.int32) if cost.max(initial=0) <= np.iinfo(np.int32).max else cost


def build_network(roads: Roads, mode: Mode, speeds: Speeds, crs: str, *, hour: int | None = None) -> Network:
    """Take the pieces that `mode` may use, with travel times at the speeds of :func:`geodata.piece_speeds.piece_kmh`.

    Parameters
    ----------
    roads : Roads
    mode : "walk", "bike" or "drive"
    speeds : Speeds
    crs : str
        A projected CRS in metres.
    hour : int, optional
        Hour of the day whose traffic holds; free flow unless given.

    Raises
    ------
    InputError
        No road is open to the mode.
    """
    bit, way = forward_bit(mode), speeds.of(mode)
    used = np.flatnonzero(roads.permit & (bit | bit << 1))
    if len(used) == 0:
        raise no_roads(mode)
    kmh = piece_kmh(roads, mode, way, hour)[used]
    length_mm, permit = roads.length_mm[used], roads.permit[used]
    start, end = _nodes(roads, used, mode)
    forward, backward = permit & bit > 0, permit & (bit << 1) > 0
    mine = roads.take(used)
    forbidden = forbidden_runs(mine, mine.turns if mode == "drive" else Turns.none(), forward, backward)
    links = expand(start, end, forward, backward, *forbidden)
    lines = _projected(mine.lines(), crs)
    motorways = np.flatnonzero(np.array([name in MOTORWAYS for name in roads.class_names])[roads.road_class])
    return Network(
        mode=mode,
        crs=crs,
        lines=lines,
        corner_m=_run(np.hypot(*np.diff(shapely.get_coordinates(lines), axis=0, prepend=0.0).T), mine.first_vertex),
        corner_share=_corner_share(mine),
        start=start,
        end=end,
        node_count=len(links.copy_of),
        tail=links.tail,
        head=links.head,
        run=links.run,
        copy_of=links.copy_of,
        entered=links.entered,
        forward_ms=np.where(forward, travel_ms(length_mm, kmh[:, 0]), NEVER),
        backward_ms=np.where(backward, travel_ms(length_mm, kmh[:, 1]), NEVER),
        length_mm=length_mm,
        enterable=roads.enterable[used],
        added=np.zeros(len(used), dtype=bool),
        obstacles=_projected(np.concatenate([roads.water, roads.take(motorways).lines()]), crs),
        access_kmh=way.access_kmh,
        access_detour=way.access_detour,
    )


def _run(step: Floats, first_vertex: Ints) -> Floats:
    """Sum of steps up to each vertex, no step from one piece to the next."""
    step[first_vertex[:-1]] = 0.0
    return np.asarray(np.cumsum(step))


def _corner_share(roads: Roads) -> Floats:
    """Position of the piece + share of its great-circle length up to each vertex."""
    step = np.append(0.0, great_circle_m(roads.lonlat[:-1], roads.lonlat[1:]))
    run, size = _run(step, roads.first_vertex), np.diff(roads.first_vertex)
    start, end = (run[at] for at in (roads.first_vertex[:-1], roads.first_vertex[1:] - 1))
    whole = np.where(end > start, end - start, 1.0)
    return np.asarray(np.repeat(np.arange(len(roads)), size) + (run - np.repeat(start, size)) / np.repeat(whole, size))


@cache
def transformer(crs: str) -> pyproj.Transformer:
    """From degrees to a projected CRS; making one takes 60 ms."""
    return pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)


def _projected(shapes: Geometries, crs: str) -> Geometries:
    def to_crs(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        x, y = transformer(crs).transform(lon, lat)
        return x, y

    return np.asarray(shapely.transform(shapes, to_crs, interleaved=False))


def _nodes(roads: Roads, used: Ints, mode: Mode) -> tuple[Ints, Ints]:
    """Start and end nodes of the used pieces, 0..n-1 along a Hilbert curve; at a blocked node each piece end has a node of its own."""
    ends = np.concatenate([roads.tail[used], roads.head[used]])
    blocked = (roads.blocked[ends] & blocked_bit(mode)) > 0
    ends[blocked] = len(roads.node_id) + np.arange(blocked.sum())
    nodes, first, position = np.unique(ends, return_index=True, return_inverse=True)
    lonlat = roads.lonlat[np.concatenate([roads.first_vertex[used], roads.first_vertex[used + 1] - 1])[first]]
    curve = gpd.GeoSeries(shapely.points(lonlat)).hilbert_distance()
    number = np.empty(len(nodes), dtype=np.int64)
    number[np.lexsort((lonlat[:, 1], lonlat[:, 0], curve))] = np.arange(len(nodes))
    return number[position[: len(used)]], number[position[len(used) :]]


def travel_ms(length_mm: npt.ArrayLike, kmh: npt.ArrayLike) -> Ints:
    """Whole milliseconds to travel a length.

    >>> travel_ms([1_000_000], [60.0]).tolist()
    [60000]
    """
    return np.asarray(np.rint(np.asarray(length_mm) * 3.6 / np.asarray(kmh)), dtype=np.int64)


def no_roads(mode: Mode) -> InputError:
    """Say that no road is open to a mode."""
    zh = {"walk": "步行", "bike": "骑行", "drive": "驾车"}[mode]
    return InputError(
        Problem(
            f"路网中没有一条可{zh}的道路：请检查 highway 与 access 标签，或换一种出行方式。",
            f"No road is open to mode {mode}: check the highway and access tags, or choose another mode.",
        )
    )
