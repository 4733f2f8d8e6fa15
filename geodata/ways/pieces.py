"""What every source of roads shares: pieces made, measured, cut, merged and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import shapely

from geodata.errors import InputError, Problem
from geodata.extent import Bounds
from geodata.roads import Floats, Geometries, Ints, Roads, forward_bit, great_circle_m
from geodata.standards import MODES

# Bits of Roads.permit in the drawn direction: of all modes, and of those that heed a maxspeed.
_FORWARD = sum(forward_bit(mode) for mode in MODES)
_VEHICLES = _FORWARD & ~forward_bit("walk")


@dataclass(frozen=True)
class Piece:
    """What a road piece is, apart from where it runs."""

    way_id: int
    road_class: str
    name: str
    permit: int
    maxspeed_kmh: tuple[float, float]
    enterable: bool
    bridge: bool


def build_roads(lines: Geometries, ends: Ints, pieces: Sequence[Piece], *, notes: tuple[str, ...] = ()) -> Roads:
    """Make roads of lines.

    Parameters
    ----------
    lines : (n,) LineStrings, WGS84
    ends : (n, 2) int64
        Node ids at the first and the last vertex.
    pieces : sequence of Piece
        What each line is.
    notes : tuple of str
        What a planner should know of the source.

    Returns
    -------
    Roads
        Without water, barriers and unread speeds.
    """
    lonlat = shapely.get_coordinates(lines)
    first_vertex = np.concatenate([[0], np.cumsum(shapely.get_num_coordinates(lines), dtype=np.int64)])
    node, position = np.unique(ends, return_inverse=True)
    tail, head = position.reshape(-1, 2).T
    class_names, road_class = coded([piece.road_class for piece in pieces])
    road_names, name = coded([piece.name for piece in pieces])
    return Roads(
        lonlat=lonlat,
        first_vertex=first_vertex,
        tail=np.ascontiguousarray(tail),
        head=np.ascontiguousarray(head),
        node_id=node,
        way_id=np.array([piece.way_id for piece in pieces], dtype=np.int64),
        road_class=road_class,
        class_names=class_names,
        name=name,
        road_names=road_names,
        permit=np.array([piece.permit for piece in pieces], dtype=np.uint8),
        maxspeed_kmh=np.array([piece.maxspeed_kmh for piece in pieces], dtype=np.float64).reshape(-1, 2),
        enterable=np.array([piece.enterable for piece in pieces], dtype=bool),
        bridge=np.array([piece.bridge for piece in pieces], dtype=bool),
        blocked=np.zeros(len(node), dtype=np.uint8),
        length_mm=lengths_mm(lonlat, first_vertex),
        water=np.zeros(0, dtype=object),
        ways_of_file=(len(np.unique([piece.way_id for piece in pieces])),),
        missing_nodes=0,
        unread_maxspeed=(),
        notes=notes,
    )


def lengths_mm(lonlat: Floats, first_vertex: Ints) -> Ints:
    """Great-circle length of each piece, in whole millimetres."""
    if len(lonlat) == 0:
        return np.zeros(0, np.int64)
    step_m = np.append(great_circle_m(lonlat[:-1], lonlat[1:]), 0.0)
    step_m[first_vertex[1:] - 1] = 0.0  # no step from one piece to the next
    return np.asarray(np.rint(np.add.reduceat(step_m, first_vertex[:-1]) * 1000), dtype=np.int64)


def coded(texts: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Distinct texts, sorted, and the position of each text among them."""
    distinct = sorted(set(texts))
    at = {text: position for position, text in enumerate(distinct)}
    return tuple(distinct), np.array([at[text] for text in texts], dtype=np.int64)


def keep_within(roads: Roads, file_name: str, within: Bounds) -> Roads:
    """Only the pieces whose box meets the bounds, and the water there.

    Raises
    ------
    InputError
        There are none.
    """
    west, south, east, north = within
    starts = roads.first_vertex[:-1]
    low, high = np.minimum.reduceat(roads.lonlat, starts), np.maximum.reduceat(roads.lonlat, starts)
    near = (low[:, 0] <= east) & (high[:, 0] >= west) & (low[:, 1] <= north) & (high[:, 1] >= south)
    if not near.any():
        has, wants = (", ".join(f"{degree:.3f}" for degree in bounds) for bounds in (roads.bounds, within))
        raise InputError(
            Problem(
                f"{file_name}：道路（{has}）与本县范围（{wants}，西南东北）不相交。请检查是否选错了文件，或坐标是否为 WGS84。",
                f"{file_name}: its roads ({has}) do not touch the region ({wants}; west, south, east, north). "
                "Is it the right file, and are the region's coordinates WGS84?",
            )
        )
    kept = roads.take(np.flatnonzero(near))
    kept_water = roads.water[shapely.intersects(roads.water, shapely.box(*within))]
    return replace(kept, water=kept_water, turns=roads.turns.on(kept.way_id))


def cut_pieces(roads: Roads, segment: Ints, share: Floats) -> tuple[Roads, Ints]:
    """Cut pieces in two, each at a place on one of its segments.

    Parameters
    ----------
    roads : Roads
    segment : (cuts,) int64
        Position in ``roads.lonlat`` of the vertex before each place.
    share : (cuts,) float64
        How far between this vertex and the next, 0 to 1.

    Returns
    -------
    roads : Roads
        The pieces in their old order, each followed by its further parts.
    node : (cuts,) int64
        Position of the new node of each cut.
    """
    order = np.lexsort([share, segment])
    segment, share = segment[order], share[order]
    place = roads.lonlat[segment] + share[:, None] * (roads.lonlat[segment + 1] - roads.lonlat[segment])
    twice = np.repeat(np.arange(len(segment)), 2)  # a place is the end of one part and the start of the next
    lonlat = np.insert(roads.lonlat, segment[twice] + 1, place[twice], axis=0)
    moved = roads.first_vertex + 2 * np.searchsorted(segment, roads.first_vertex - 1, side="left")
    first_vertex = np.sort(np.concatenate([moved, segment + 2 + 2 * np.arange(len(segment))]))
    cut_piece = np.searchsorted(roads.first_vertex, segment, side="right") - 1
    part_of = np.repeat(np.arange(len(roads)), 1 + np.bincount(cut_piece, minlength=len(roads)))
    node = len(roads.node_id) + np.arange(len(segment))
    tail, head = roads.tail[part_of], roads.head[part_of]
    after = np.flatnonzero(part_of[1:] == part_of[:-1]) + 1  # the parts behind a cut, in the order of the cuts
    tail[after], head[after - 1] = node, node
    length_mm = roads.length_mm[part_of]
    changed = np.isin(part_of, cut_piece)
    length_mm[changed] = lengths_mm(lonlat, first_vertex)[changed]
    new_id = int(roads.node_id.max()) + 1 + np.arange(len(segment))
    carried = ("way_id", "road_class", "name", "permit", "maxspeed_kmh", "enterable", "bridge")
    cut = replace(
        roads,
        lonlat=lonlat,
        first_vertex=first_vertex,
        tail=tail,
        head=head,
        node_id=np.concatenate([roads.node_id, new_id]),
        blocked=np.concatenate([roads.blocked, np.zeros(len(segment), dtype=np.uint8)]),
        length_mm=length_mm,
        **{field: getattr(roads, field)[part_of] for field in carried},
    )
    node_of_cut = np.empty_like(node)
    node_of_cut[order] = node
    return cut, node_of_cut


def join_nodes(roads: Roads, node: Ints) -> Roads:
    """The same pieces with ``node[i]`` in place of node i; a node that stands for several blocks whom any of them blocks."""
    blocked = np.zeros(len(roads.node_id), dtype=np.uint8)
    np.bitwise_or.at(blocked, node, roads.blocked)
    used, ends = np.unique(np.concatenate([node[roads.tail], node[roads.head]]), return_inverse=True)
    moved = np.flatnonzero(node != np.arange(len(node)))
    return replace(
        roads,
        tail=ends[: len(roads)],
        head=ends[len(roads) :],
        node_id=roads.node_id[used],
        blocked=blocked[used],
        turns=roads.turns.renamed({}, dict(zip(roads.node_id[moved].tolist(), roads.node_id[node[moved]].tolist(), strict=True))),
    )


def merge_twins(roads: Roads) -> tuple[Roads, int]:
    """Merge pieces between the same nodes along the very same course: the two directions of a street, or one road given twice.

    Pieces that differ in class, name, or the speed of a direction stay apart. If every piece of a way is merged, turn restrictions name the
    other way in its place.

    Returns
    -------
    roads : Roads
    merged : int
        How many pieces were merged into another.
    """
    permit, maxspeed, bridge = roads.permit.copy(), roads.maxspeed_kmh.copy(), roads.bridge.copy()
    twins: dict[int, int] = {}
    first: dict[tuple[object, ...], int] = {}
    kept: list[int] = []
    for piece, (start, end) in enumerate(zip(roads.first_vertex[:-1].tolist(), roads.first_vertex[1:].tolist(), strict=True)):
        course = roads.lonlat[start:end]
        drawn, back = course.tobytes(), course[::-1].tobytes()
        ends = (int(roads.tail[piece]), int(roads.head[piece]))
        as_drawn = (drawn, ends) <= (back, ends[::-1])
        key = (drawn, ends) if as_drawn else (back, ends[::-1])
        alike = (*key, int(roads.road_class[piece]), int(roads.name[piece]), bool(roads.enterable[piece]))
        twin = first.setdefault(alike, piece)
        if twin == piece or not _merge_into(permit, maxspeed, twin, piece, turned=_turned(roads, twin, course, ends)):
            kept.append(piece)
        else:
            bridge[twin] |= bridge[piece]
            twins[int(roads.way_id[piece])] = int(roads.way_id[twin])
    left = set(roads.way_id[kept].tolist())
    gone = {way: twin for way, twin in twins.items() if way not in left}
    merged = replace(roads, permit=permit, maxspeed_kmh=maxspeed, bridge=bridge, turns=roads.turns.renamed(gone, {}))
    return merged.take(np.array(kept, dtype=np.int64)), len(roads) - len(kept)


def _turned(roads: Roads, twin: int, course: Floats, ends: tuple[int, int]) -> bool:
    """Tell whether a twin is drawn the other way round."""
    other = roads.lonlat[roads.first_vertex[twin] : roads.first_vertex[twin + 1]]
    return (int(roads.tail[twin]), int(roads.head[twin])) != ends or not np.array_equal(other, course)


def _merge_into(permit: npt.NDArray[np.uint8], maxspeed: Floats, twin: int, piece: int, *, turned: bool) -> bool:
    """Give a piece's directions and speeds to its twin, unless they contradict."""
    bits, speed = int(permit[piece]), maxspeed[piece]
    if turned:
        bits, speed = (bits & _FORWARD) << 1 | (bits >> 1) & _FORWARD, speed[::-1]
    mine = [bool(bits & _VEHICLES << side) for side in (0, 1)]
    theirs = [bool(int(permit[twin]) & _VEHICLES << side) for side in (0, 1)]
    for side in (0, 1):
        if mine[side] and theirs[side] and not np.array_equal(speed[side], maxspeed[twin, side], equal_nan=True):
            return False
    maxspeed[twin] = [speed[side] if mine[side] else maxspeed[twin, side] for side in (0, 1)]
    permit[twin] |= bits
    return True
