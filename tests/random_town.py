"""Random small towns for Hypothesis, and networkx as the judge of their travel times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import gridtown as town
import networkx as nx
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from coverage.search import Weight
from coverage.snap import WaysOn
from geodata.network import NEVER, Network
from geodata.roads import Ints
from geodata.standards import Direction

# The same examples in every run; no deadline, because a busy machine is no failure.
PROFILE = settings(derandomize=True, deadline=None, max_examples=40, database=None, suppress_health_check=[HealthCheck.too_slow])

SIZE = 4  # corners a side
APART = 4  # blocks between corners: farther than the access radius reaches
corners = st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)).map(lambda at: (float(at[0] * APART), float(at[1] * APART)))
permits = st.sampled_from([town.BOTH, town.BOTH, town.FORWARD, town.BACKWARD])
places = st.one_of(corners, st.tuples(*[st.floats(-6, SIZE * APART + 2, width=16)] * 2))  # some far from the road, some off the network
directions = st.sampled_from(["to_facility", "from_facility"])
weights = st.sampled_from(["time", "distance"])


@st.composite
def pieces(draw: st.DrawFn) -> list[town.Piece]:
    """Straight pieces between corners; parallel pieces, loops and pieces without length among them."""
    ends = draw(st.lists(st.tuples(corners, corners), min_size=2, max_size=14))
    return [(a, b) if a != b or draw(st.booleans()) else (a, (a[0] + 2, a[1] + 1), (a[0] + 1, a[1] + 2), a) for a, b in ends]


@st.composite
def towns(draw: st.DrawFn) -> dict[str, object]:
    """What ``gridtown.roads`` takes: pieces with one-ways, speeds and tunnels."""
    lines = draw(pieces())
    each = range(len(lines))
    return {
        "pieces": lines,
        "permit": {i: draw(permits) for i in each},
        "kmh": {i: draw(st.sampled_from([18, 36, 36, 50])) for i in each},
        "tunnels": {i for i in each if draw(st.integers(0, 9)) == 0},
    }


def judge(net: Network, origins: WaysOn, targets: WaysOn, direction: Direction, weight: Weight) -> dict[tuple[int, int], tuple[int, int]]:
    """(facility, demand) → (ms, mm) of the best way, by networkx: every piece cut at every place on it, both costs in one number."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(("leave", side, place) for side in "ft" for place in range(origins.count + targets.count))
    for a, b, ms, mm in (*_pieces(net, origins, targets), *_legs(origins, targets)):
        graph.add_edge(a, b, cost=(ms << 40) + mm if weight == "time" else (mm << 40) + ms)
    found = {}
    for facility in range(origins.count):
        for demand in range(targets.count):
            a, b = (("leave", "f", facility), ("arrive", "t", demand))
            if direction == "to_facility":
                a, b = ("leave", "t", demand), ("arrive", "f", facility)
            if b in graph and nx.has_path(graph, a, b):
                high, low = divmod(nx.dijkstra_path_length(graph, a, b, weight="cost"), 1 << 40)
                found[facility, demand] = (high, low) if weight == "time" else (low, high)
    return found


Edge = tuple[object, object, int, int]


def _pieces(net: Network, *sides: WaysOn) -> Iterator[Edge]:
    """Each piece as a chain of the places on it, in both directions as permitted."""
    for piece in range(len(net)):
        length = int(net.length_mm[piece])
        offsets = sorted({0, length, *(int(at) for ways in sides for at in ways.offset_mm[ways.piece == piece])})
        for a, b in pairwise(offsets):
            for whole, first, second in ((net.forward_ms[piece], a, b), (net.backward_ms[piece], b, a)):
                if whole != NEVER:
                    ms = abs(position(int(whole), b, length) - position(int(whole), a, length))
                    yield (piece, first), (piece, second), ms, b - a
        for node, at in ((int(net.start[piece]), 0), (int(net.end[piece]), length)):
            yield ("node", node), (piece, at), 0, 0
            yield (piece, at), ("node", node), 0, 0


def position(whole_ms: int, at_mm: int, length_mm: int) -> int:
    """Whole milliseconds from the start of a piece."""
    return round(whole_ms * at_mm / length_mm) if length_mm else 0


def _legs(origins: WaysOn, targets: WaysOn) -> Iterator[Edge]:
    """Legs between places and their points on the pieces; none at all between places at the same coordinates."""
    for side, ways in (("f", origins), ("t", targets)):
        for place, piece, at, ms, mm in zip(*(column.tolist() for column in _columns(ways)), strict=True):
            yield ("leave", side, place), (piece, at), ms, mm
            yield (piece, at), ("arrive", side, place), ms, mm
    here, there = (np.rint(ways.lonlat * 1e7) for ways in (origins, targets))  # a centimetre apart is the same place
    for facility, demand in zip(*np.nonzero((here[:, None] == there[None]).all(axis=2)), strict=True):
        if not origins.off_network[facility] and not targets.off_network[demand]:
            yield ("leave", "f", facility), ("arrive", "t", demand), 0, 0
            yield ("leave", "t", demand), ("arrive", "f", facility), 0, 0


def _columns(ways: WaysOn) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    return ways.place, ways.piece, ways.offset_mm, ways.leg_ms, ways.leg_mm
