"""Network: the pieces of the roads that one mode may use, with times, and how it is built from Roads, speeds and an hour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from geodata.errors import InputError, Problem
from geodata.pack import read_only
from geodata.piece_speeds import piece_kmh
from geodata.roads import MOTORWAYS, Bools, Floats, Geometries, Ints, Roads, blocked_bit, forward_bit, great_circle_m
from geodata.standards import Mode, Speeds

NEVER = -1  # the time of a direction that is not permitted


@dataclass(frozen=True, eq=False)
class Network:
    """The pieces that one mode may use, with times; nodes are positions 0..node_count-1.

    A node that a barrier blocks is split, one copy for each piece that ends there: both sides can be reached, it cannot be passed.

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
    forward_ms, backward_ms : (pieces,) int64
        Milliseconds along the whole piece; ``NEVER`` where that direction is not permitted.
    length_mm : (pieces,) int64
    enterable : (pieces,) bool
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
    forward_ms: Ints
    backward_ms: Ints
    length_mm: Ints
    enterable: Bools
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
        first = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(self.lines))])[piece]
        share = np.interp(self.corner_m[first] + along_m, self.corner_m, self.corner_share) - piece
        return np.asarray(np.rint(np.clip(share, 0.0, 1.0) * self.length_mm[piece]), dtype=np.int64)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Index of `lines`."""
        return shapely.STRtree(self.lines)


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
    start, end, node_count = _split_at_barriers(roads, used, mode)
    mine = roads.take(used)
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
        node_count=node_count,
        forward_ms=np.where(permit & bit, travel_ms(length_mm, kmh[:, 0]), NEVER),
        backward_ms=np.where(permit & (bit << 1), travel_ms(length_mm, kmh[:, 1]), NEVER),
        length_mm=length_mm,
        enterable=roads.enterable[used],
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


def _split_at_barriers(roads: Roads, used: Ints, mode: Mode) -> tuple[Ints, Ints, int]:
    """Start and end nodes of the used pieces, 0..n-1, a copy of its own for each piece end at a blocked node."""
    ends = np.concatenate([roads.tail[used], roads.head[used]])
    blocked = (roads.blocked[ends] & blocked_bit(mode)) > 0
    ends[blocked] = len(roads.node_id) + np.arange(blocked.sum())
    nodes, position = np.unique(ends, return_inverse=True)
    return position[: len(used)], position[len(used) :], len(nodes)


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
