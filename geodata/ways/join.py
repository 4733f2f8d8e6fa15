"""Several road layers as one: nodes near each other are one node, and a road that ends on another is joined to it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geodata.extent import KM_PER_DEGREE
from geodata.roads import Floats, Ints, Roads, great_circle_m
from geodata.turns import Turns
from geodata.ways.link_ends import chord_m, on_sphere_m
from geodata.ways.pieces import cut_pieces, join_nodes, merge_twins

_WIDER = 1.05  # the plane in which pieces are looked for is not exact; what is found is measured on the globe
_PIECE_FIELDS = ("permit", "maxspeed_kmh", "enterable", "bridge", "length_mm")


class _Touches(NamedTuple):
    """Places that lie on a piece between its ends: which place, and the segment of the piece and the share along it."""

    place: Ints
    segment: Ints
    share: Floats


def join_roads(layers: Sequence[Roads], tolerance_m: Sequence[float]) -> Roads:
    """Join road layers.

    A node is joined to the nearest node of the earlier layers within the tolerance. A dead end that has none is joined to the piece of the
    other layer on which it lies: the piece is cut there. What both layers have is taken once. No piece changes its length.

    Parameters
    ----------
    layers : sequence of Roads
        Ids of a later layer that clash with those of an earlier one are moved beyond them.
    tolerance_m : sequence of float
        Of each layer; the largest so far counts.

    Returns
    -------
    Roads
        With a note on the joints of each layer.
    """
    roads = layers[0]
    for number, (layer, within_m) in enumerate(zip(layers[1:], list(accumulate(tolerance_m, max))[1:], strict=True), start=2):
        roads = _join(roads, layer, within_m, number)
    return roads


def join_dead_ends(roads: Roads, tolerance_m: float) -> tuple[Roads, int]:
    """Join dead ends to the pieces on which they lie within the tolerance, and tell how many there were."""
    ends, piece = _dead_ends(roads)
    touches = _touching(_places(roads)[ends], piece, roads, roads, tolerance_m, same=True)
    if len(touches.place) == 0:
        return roads, 0
    cut, node = cut_pieces(roads, touches.segment, touches.share)
    stands_for = np.arange(len(cut.node_id))
    stands_for[node] = ends[touches.place]
    return join_nodes(cut, stands_for), len(node)


def _join(roads: Roads, layer: Roads, within_m: float, number: int) -> Roads:
    """Join one more layer."""
    near = _nearest(_places(roads), _places(layer), within_m)
    roads, on_roads = _cut_where_touched(roads, layer, near[:, 1], within_m)
    layer, on_layer = _cut_where_touched(layer, roads, near[:, 0], within_m)
    joints = np.concatenate([near, on_roads, on_layer[:, ::-1]]) + np.array([0, len(roads.node_id)])
    both, merged = merge_twins(join_nodes(_beside(roads, layer), _first_of_joined(joints, len(roads.node_id) + len(layer.node_id))))
    touching = len(on_roads) + len(on_layer)
    note = (
        f"第 {number} 份路网与前面的相连：{len(near)} 处节点（{within_m:g} 米内），"
        f"{touching} 处断头端点落在对方路段上；{merged} 段重复的只取一次"
        f" · road layer {number} joined to the earlier: {len(near)} nodes (within {within_m:g} m), {touching} dead ends on a piece; "
        f"{merged} pieces given twice taken once"
    )
    return replace(both, notes=(*both.notes, note))


def _cut_where_touched(roads: Roads, other: Roads, joined: Ints, within_m: float) -> tuple[Roads, Ints]:
    """Cut the pieces on which dead ends of another layer lie, except those joined to a node; pairs of (new node, node of the other)."""
    ends, piece = _dead_ends(other)
    free = ~np.isin(ends, joined)
    ends, piece = ends[free], piece[free]
    touches = _touching(_places(other)[ends], piece, other, roads, within_m, same=False)
    if len(touches.place) == 0:
        return roads, np.zeros((0, 2), dtype=np.int64)
    cut, node = cut_pieces(roads, touches.segment, touches.share)
    return cut, np.column_stack([node, ends[touches.place]])


def _places(roads: Roads) -> Floats:
    """Coordinates of each node, as one of its pieces has them."""
    places = np.empty((len(roads.node_id), 2))
    places[roads.head] = roads.lonlat[roads.first_vertex[1:] - 1]
    places[roads.tail] = roads.lonlat[roads.first_vertex[:-1]]
    return places


def _nearest(places: Floats, others: Floats, within_m: float) -> Ints:
    """Pairs of (place, other) for each other that has a place within so many metres, inclusive."""
    away, nearest = cKDTree(on_sphere_m(places)).query(on_sphere_m(others), distance_upper_bound=chord_m(within_m))
    found = np.flatnonzero(np.isfinite(away))
    return np.column_stack([nearest[found], found]).astype(np.int64)


def _dead_ends(roads: Roads) -> tuple[Ints, Ints]:
    """Nodes where one piece ends, and that piece."""
    ends = np.concatenate([roads.tail, roads.head])
    node, first, times = np.unique(ends, return_index=True, return_counts=True)
    return node[times == 1], first[times == 1] % len(roads)


def _touching(places: Floats, own: Ints, of: Roads, roads: Roads, within_m: float, *, same: bool) -> _Touches:
    """Which places, ends of the pieces `own` of a layer, lie on a piece of `roads` between its ends; on the nearest if on several.

    A motorway or a tunnel is joined by nothing but another of its sort.
    """
    scale = KM_PER_DEGREE * 1000 * np.array([np.cos(np.radians(roads.lonlat[:, 1].mean())), 1.0])
    tree = shapely.STRtree(roads.lines(roads.lonlat * scale))
    place, piece = tree.query(shapely.points(places * scale), predicate="dwithin", distance=within_m * _WIDER)
    allowed = roads.enterable[piece] | ~of.enterable[own[place]]
    allowed &= (piece != own[place]) | (not same)
    best: dict[int, tuple[float, int, float]] = {}
    for at, on in zip(place[allowed].tolist(), piece[allowed].tolist(), strict=True):
        start, end = roads.first_vertex[on : on + 2]
        segment, share, inside = _foot(places[at] * scale, roads.lonlat[start:end] * scale)
        foot = roads.lonlat[start + segment] * (1 - share) + roads.lonlat[start + segment + 1] * share
        away = float(great_circle_m(places[[at]], foot[None])[0])
        if inside and away <= within_m:
            best[at] = min(best.get(at, (np.inf, 0, 0.0)), (away, int(start) + segment, share))
    found = sorted(best)
    return _Touches(np.array(found, np.int64), np.array([best[at][1] for at in found], np.int64), np.array([best[at][2] for at in found]))


def _foot(place: Floats, line: Floats) -> tuple[int, float, bool]:
    """The nearest place on a line: its segment, the share along it, and whether it lies between the line's ends."""
    along = np.diff(line, axis=0)
    square = (along**2).sum(axis=1)
    share = np.clip(((place - line[:-1]) * along).sum(axis=1) / np.where(square > 0, square, 1), 0, 1)
    segment = int(np.argmin(((line[:-1] + share[:, None] * along - place) ** 2).sum(axis=1)))
    at_start, at_end = segment == 0 and share[0] == 0, segment == len(along) - 1 and share[-1] == 1
    return segment, float(share[segment]), not (at_start or at_end)


def _first_of_joined(joints: Ints, count: int) -> Ints:
    """The first node of those that each node is joined with, so that an earlier layer's ids stay."""
    graph = coo_array((np.ones(len(joints), dtype=bool), (joints[:, 0], joints[:, 1])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    _, first = np.unique(label, return_index=True)
    return np.asarray(first[label])


def _beside(roads: Roads, layer: Roads) -> Roads:
    """All pieces of two layers, nothing joined."""
    class_names = tuple(sorted({*roads.class_names, *layer.class_names}))
    road_names = tuple(sorted({*roads.road_names, *layer.road_names}))
    node_id, way_id = _beyond(layer.node_id, roads.node_id), _beyond(layer.way_id, roads.way_id)
    moved = ((layer.way_id, way_id), (layer.node_id, node_id))
    ways, nodes = (dict(zip(old.tolist(), new.tolist(), strict=True)) for old, new in moved)
    both = (roads, layer)
    columns: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in both]) for name in _PIECE_FIELDS}
    return replace(
        roads,
        lonlat=np.concatenate([one.lonlat for one in both]),
        first_vertex=np.concatenate([roads.first_vertex, layer.first_vertex[1:] + roads.first_vertex[-1]]),
        tail=np.concatenate([roads.tail, layer.tail + len(roads.node_id)]),
        head=np.concatenate([roads.head, layer.head + len(roads.node_id)]),
        node_id=np.concatenate([roads.node_id, node_id]),
        way_id=np.concatenate([roads.way_id, way_id]),
        road_class=np.concatenate([_recoded(one.road_class, one.class_names, class_names) for one in both]),
        class_names=class_names,
        name=np.concatenate([_recoded(one.name, one.road_names, road_names) for one in both]),
        road_names=road_names,
        blocked=np.concatenate([one.blocked for one in both]),
        water=np.concatenate([one.water for one in both]),
        ways_of_file=roads.ways_of_file + layer.ways_of_file,
        missing_nodes=roads.missing_nodes + layer.missing_nodes,
        unread_maxspeed=tuple(sorted({*roads.unread_maxspeed, *layer.unread_maxspeed})),
        notes=roads.notes + layer.notes,
        turns=Turns.of([*roads.turns.rows(), *layer.turns.renamed(ways, nodes).rows()]),
        **columns,
    )


def _beyond(ids: Ints, taken: Ints) -> Ints:
    """Ids moved beyond those taken, if one of them is."""
    return ids - ids.min() + taken.max() + 1 if np.isin(ids, taken).any() else ids


def _recoded(codes: Ints, names: tuple[str, ...], wanted: tuple[str, ...]) -> Ints:
    at = {name: position for position, name in enumerate(wanted)}
    return np.array([at[name] for name in names], dtype=np.int64)[codes]
