"""Compiled parts of ``raster``: distances at the nodes of a grid, where an outline crosses its edges, and rings of crossings.

Everything is measured in cells. Nodes have whole numbers as coordinates, the same in every window, so that two windows that share a node
compute the same bits for it. Imported only where circles are drawn: numba takes half a second to import.
"""

from __future__ import annotations

import math

import numpy as np

from coverage.compiled import compiled
from geodata.roads import Floats, Ints

WIDTH = 2.5  # the width that lines are widened by
FAR = WIDTH + math.sqrt(2)  # no node farther from the lines than this has a say in where the outline runs
_AWAY = 1 / 1024  # no outline comes nearer to a node
INSIDE = (WIDTH + _AWAY) ** 2  # squared distance below which a node is inside
_ROWS_APART = 31  # bits between the numbers of two nodes, one above the other
_RIGHT, _UP = (0, 1, 1, 0), (0, 0, 1, 1)  # corners of a cell, counter-clockwise from the south-west; edge k goes from k to the next


@compiled
def lower(squared: Floats, left: int, bottom: int, segments: Floats, which: Ints) -> None:
    """Lower the squared distance of every node of a window to that from the nearest of some straight segments.

    Parameters
    ----------
    squared : (rows, columns) float64
        Changed in place; nodes farther than ``FAR`` from all the segments stay as they are.
    left, bottom : int
        Column and row of the first node.
    segments : (segments, 4) float64
        x and y of both ends.
    which : (k,) int64
        The segments that may come near.
    """
    for segment in which:
        x, y = segments[segment, 0], segments[segment, 1]
        east, north = segments[segment, 2] - x, segments[segment, 3] - y
        length_squared = east * east + north * north
        low, high = min(y, y + north) - FAR, max(y, y + north) + FAR
        for row in range(max(bottom, math.ceil(low)), min(bottom + squared.shape[0] - 1, math.floor(high)) + 1):
            up = row - y
            begin, end = 0.0, 1.0  # the part of the segment that is near this row
            if north != 0.0:
                one, other = (up - FAR) / north, (up + FAR) / north
                begin, end = max(0.0, min(one, other)), min(1.0, max(one, other))
            west, far_east = x + min(begin * east, end * east) - FAR, x + max(begin * east, end * east) + FAR
            for column in range(max(left, math.ceil(west)), min(left + squared.shape[1] - 1, math.floor(far_east)) + 1):
                right = column - x
                share = 0.0
                if length_squared > 0.0:
                    share = min(1.0, max(0.0, (right * east + up * north) / length_squared))
                aside, beyond = right - share * east, up - share * north
                squared[row - bottom, column - left] = min(squared[row - bottom, column - left], aside * aside + beyond * beyond)


@compiled
def crossings(squared: Floats, left: int, bottom: int, edge: Ints, corner: Floats) -> int:
    """Find the steps of the outline through the cells of a window, the inside on their left.

    A step begins where the way around its cell, counter-clockwise, leaves the inside, and ends where it comes back. Of the four crossings
    of a cell whose opposite corners are alike, those are joined that leave the middle where the mean of the corners puts it.

    Parameters
    ----------
    squared : (rows, columns) float64
        Squared distances.
    left, bottom : int
        Column and row of the first node.
    edge : (enough, 2) int64
        Filled with the number of the grid's edge on which each step begins, and of that on which it ends.
    corner : (enough, 2) float64
        Filled with where it begins.

    Returns
    -------
    int
        How many steps there are.
    """
    count = 0
    for row in range(squared.shape[0] - 1):
        for column in range(squared.shape[1] - 1):
            code = 0
            for k in range(4):
                code |= (squared[row + _UP[k], column + _RIGHT[k]] < INSIDE) << k
            if code in (0, 15):
                continue
            for k in range(4):
                if code >> k & 1 and not code >> (k + 1) % 4 & 1:
                    edge[count, 0] = _edge(bottom + row, left + column, k)
                    edge[count, 1] = _edge(bottom + row, left + column, _end(squared[row : row + 2, column : column + 2], code, k))
                    near = squared[row + _UP[k], column + _RIGHT[k]]
                    far = squared[row + _UP[(k + 1) % 4], column + _RIGHT[(k + 1) % 4]]
                    share = _share(near, far)
                    corner[count, 0] = left + column + _RIGHT[k] + share * (_RIGHT[(k + 1) % 4] - _RIGHT[k])
                    corner[count, 1] = bottom + row + _UP[k] + share * (_UP[(k + 1) % 4] - _UP[k])
                    count += 1
    return count


@compiled
def _edge(row: int, column: int, k: int) -> int:
    """Number of the k-th edge of a cell: that of the node at its beginning, and whether it goes up."""
    node = ((row + (k == 2)) << _ROWS_APART) + column + (k == 1)  # noqa: PLR2004 — the upper edge
    return node * 2 + k % 2


@compiled
def _end(squared: Floats, code: int, k: int) -> int:
    """The edge of a cell on which the step that begins on edge k ends."""
    middle = (math.sqrt(squared[0, 0]) + math.sqrt(squared[0, 1]) + math.sqrt(squared[1, 0]) + math.sqrt(squared[1, 1])) / 4
    onwards = 1 if middle <= WIDTH else 3
    k = (k + onwards) % 4
    while code >> k & 1 or not code >> (k + 1) % 4 & 1:
        k = (k + onwards) % 4
    return k


@compiled
def _share(near_squared: float, far_squared: float) -> float:
    """Where between two nodes the distance passes the width."""
    near, far = min(math.sqrt(near_squared), WIDTH - _AWAY), math.sqrt(far_squared)
    return (WIDTH - near) / (far - near)


@compiled
def rings(following: Ints) -> tuple[Ints, Ints]:
    """Follow a permutation around: its elements ring by ring, each ring from its first element on, and where each ring begins.

    >>> [part.tolist() for part in rings(np.array([2, 1, 0]))]
    [[0, 2, 1], [0, 2, 3]]
    """
    around, first = np.empty_like(following), np.empty(len(following) + 1, dtype=np.int64)
    seen = np.zeros(len(following), dtype=np.bool_)
    count = length = 0
    for start in range(len(following)):
        if seen[start]:
            continue
        first[count] = length
        count += 1
        at = start
        while not seen[at]:
            seen[at] = True
            around[length] = at
            length += 1
            at = following[at]
    first[count] = length
    return around, first[: count + 1]
