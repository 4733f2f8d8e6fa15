"""Reached road as stretches: which part of which piece, cut where the limit falls, and whose it is.

Along a piece only a few places matter: its ends, and where facilities step on. Between two of them the cost rises from either side as the
search walks, so that the limit, and the place where another facility comes as near, are found by one division.

Cost and facility go together as one whole number, the key: cost × facilities + facility, which orders by both at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely

from coverage.compiled import compiled
from coverage.search import Weight, costs_at_ends, part_ms
from geodata.network import NEVER, Network
from geodata.roads import Bools, Floats, Geometries, Ints
from geodata.standards import Direction

_NOBODY = 1 << 62  # the key of a place that is not reached


class Search(NamedTuple):
    """What was searched: `limit` in ms (weight "time") or mm ("distance"), inclusive; from how many facilities."""

    direction: Direction
    weight: Weight
    limit: float
    facilities: int


class Doors(NamedTuple):
    """Where facilities step on: the piece, how far from its start, and the key there."""

    piece: Ints
    offset_mm: Ints
    key: Ints


class Stretches(NamedTuple):
    """Stretches of road: the piece, between which shares of its length, and the facility that reaches it first."""

    piece: Ints
    low: Floats
    high: Floats
    owner: Ints

    def lines(self, network: Network) -> Geometries:
        """The stretches as lines, in the network's CRS, the corners of the road kept."""
        lines = network.lines[self.piece]
        cut = (self.low > 0) | (self.high < 1)
        lines[cut] = _parts(lines[cut], self.low[cut], self.high[cut])
        return lines


class _Marks(NamedTuple):
    """Places along pieces, in order: share of the length, cost from the start to there and from there to the start, key, is it a door."""

    piece: Ints
    share: Floats
    up: Ints
    down: Ints
    key: Ints
    door: Bools


def reached_stretches(network: Network, search: Search, node_key: Floats, doors: Doors) -> Stretches:
    """Find the stretches of road within the limit.

    Parameters
    ----------
    network : Network
    search : Search
    node_key : (node_count,) float64
        inf where not reached.
    doors : Doors

    Returns
    -------
    Stretches
        Those of one piece do not overlap. A door within the limit is a stretch without length, too: nothing may be left of the limit.
    """
    up, down = _whole_costs(network, search)
    marks = _marks(network, search, node_key, doors, up=up, down=down)
    owner, within = marks.key % search.facilities, _left(search, marks.key) >= 0
    gap = np.flatnonzero((marks.piece[1:] == marks.piece[:-1]) & (within[1:] | within[:-1]))  # each between a mark and the next
    piece, low, high, before, after = marks.piece[gap], marks.share[gap], marks.share[gap + 1], owner[gap], owner[gap + 1]
    up_to, down_to = _cut(search, marks, gap, up[piece], down[piece])
    one = (up_to == down_to) & (before == after)
    up_to, down_to = np.where(one, high, up_to), np.where(one, high, down_to)
    first, last, door = up_to > low, down_to < high, marks.door & within
    return Stretches(
        piece=np.concatenate([piece[first], piece[last], marks.piece[door]]),
        low=np.concatenate([low[first], down_to[last], marks.share[door]]),
        high=np.concatenate([up_to[first], high[last], marks.share[door]]),
        owner=np.concatenate([before[first], after[last], owner[door]]),
    )


def _whole_costs(network: Network, search: Search) -> tuple[Ints, Ints]:
    """Cost of each whole piece as the search walks it from its start, and from its end; NEVER where it may not."""
    forward, backward = network.forward_ms, network.backward_ms
    if search.weight == "distance":
        forward, backward = (np.where(ms == NEVER, NEVER, network.length_mm) for ms in (forward, backward))
    return (forward, backward) if search.direction == "from_facility" else (backward, forward)


def _marks(network: Network, search: Search, node_key: Floats, doors: Doors, *, up: Ints, down: Ints) -> _Marks:
    """The ends of the pieces that are reached, and the doors, each with the least key from either side along its piece."""
    ends = np.column_stack(costs_at_ends(network, search.direction, node_key))
    mine = np.union1d(np.flatnonzero(np.isfinite(ends).any(axis=1)), doors.piece)
    keys = np.where(np.isfinite(ends[mine]), ends[mine], _NOBODY).astype(np.int64)
    none, all_ = np.zeros(len(mine), dtype=np.int64), network.length_mm[mine]
    piece, at_mm = np.concatenate([mine, mine, doors.piece]), np.concatenate([none, all_, doors.offset_mm])
    share = np.concatenate([none, none + 1, doors.offset_mm / np.maximum(network.length_mm[doors.piece], 1)])
    order = np.lexsort((share, piece))
    piece, at_mm = piece[order], at_mm[order]
    marks = _Marks(
        piece=piece,
        share=share[order],
        up=part_ms(up[piece], at_mm, network.length_mm[piece]),
        down=part_ms(down[piece], at_mm, network.length_mm[piece]),
        key=np.concatenate([*keys.T, doors.key])[order],
        door=order >= 2 * len(mine),
    )
    _relax(marks, up[piece] != NEVER, down[piece] != NEVER, search.facilities)
    return marks


@compiled
def _relax(marks: _Marks, may_up: Bools, may_down: Bools, facilities: int) -> None:
    """Lower each key to what is reached along its piece from the mark before or after it."""
    piece, key = marks.piece, marks.key
    for mark in range(1, len(piece)):
        if piece[mark] == piece[mark - 1] and may_up[mark]:
            key[mark] = min(key[mark], key[mark - 1] + (marks.up[mark] - marks.up[mark - 1]) * facilities)
    for mark in range(len(piece) - 2, -1, -1):
        if piece[mark] == piece[mark + 1] and may_down[mark]:
            key[mark] = min(key[mark], key[mark + 1] + (marks.down[mark + 1] - marks.down[mark]) * facilities)


def _left(search: Search, key: Ints) -> Floats:
    """What is left of the limit, below 0 where it is not reached."""
    return np.where(key < _NOBODY, search.limit - key // search.facilities, -1.0)


def _cut(search: Search, marks: _Marks, gap: Ints, up: Ints, down: Ints) -> tuple[Floats, Floats]:
    """How far each gap is reached from its first mark, and from where on from its second; one place where the two meet."""
    cost, left = marks.key // search.facilities, _left(search, marks.key)
    low, high = marks.share[gap], marks.share[gap + 1]
    up_to = np.minimum(low + _run(left[gap], up), high)
    down_to = np.maximum(high - _run(left[gap + 1], down), low)
    each_up, each_down = np.maximum(up, 1), np.maximum(down, 1)
    even = (cost[gap + 1] - cost[gap] + each_up * low + each_down * high) / (each_up + each_down)
    meeting = np.clip(even, down_to, np.maximum(up_to, down_to))
    met = up_to >= down_to
    return np.where(met, meeting, up_to), np.where(met, meeting, down_to)


def _run(left: Floats, whole: Ints) -> Floats:
    """Which share of a piece the rest of the limit covers; 0 where the direction is closed or nothing is left."""
    return np.where((whole == NEVER) | (left < 0), 0.0, left / np.maximum(whole, 1))


def _parts(lines: Geometries, low: Floats, high: Floats) -> Geometries:
    """Part of each line between two shares of its length, its corners kept."""
    coordinates, line = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(coordinates, axis=0, prepend=coordinates[:1]).T)
    first = np.searchsorted(line, np.arange(len(lines)))
    step[first] = 0.0
    run = np.cumsum(step)
    share = (run - run[first][line]) / np.maximum(shapely.length(lines), 1e-9)[line]
    inner = (share > low[line]) & (share < high[line])
    rows = np.arange(len(lines))
    ends = [shapely.get_coordinates(shapely.line_interpolate_point(lines, at, normalized=True)) for at in (low, high)]
    owner = np.concatenate([rows, line[inner], rows])
    order = np.lexsort((np.concatenate([low, share[inner], high]), owner))
    return np.asarray(shapely.linestrings(np.concatenate([ends[0], coordinates[inner], ends[1]])[order], indices=owner[order]))
