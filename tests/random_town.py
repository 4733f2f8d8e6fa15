"""Random small towns for Hypothesis, and networkx as the judge of their travel times."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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
from geodata.turns import Turn, Turns

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
def towns(draw: st.DrawFn, *, restricted: bool = False) -> dict[str, object]:
    """What ``gridtown.roads`` takes: pieces with one-ways, speeds and tunnels, and turn restrictions if wanted."""
    lines = draw(pieces())
    each = range(len(lines))
    said: dict[str, object] = {
        "pieces": lines,
        "permit": {i: draw(permits) for i in each},
        "kmh": {i: draw(st.sampled_from([18, 36, 36, 50])) for i in each},
        "tunnels": {i for i in each if draw(st.integers(0, 9)) == 0},
    }
    return said | {"turns": draw(restrictions(lines))} if restricted else said


@st.composite
def restrictions(draw: st.DrawFn, lines: list[town.Piece]) -> Turns:
    """Some of the turns that the pieces offer, forbidden or the only ones; ids as ``gridtown.roads`` gives them."""
    nodes = sorted({end for piece in lines for end in (piece[0], piece[-1])})
    meet = [(i, j, node) for i in range(len(lines)) for j in range(len(lines)) for node in {*_ends(lines[i])} & {*_ends(lines[j])}]
    chosen = draw(st.lists(st.tuples(st.sampled_from(meet), st.sampled_from([False, False, True])), max_size=8))
    rows = [Turn(1, i + 1, (nodes.index(node) + 1,), j + 1, via_ways=False, only=only) for (i, j, node), only in chosen]
    return Turns.of(rows)


def _ends(piece: town.Piece) -> tuple[town.Node, town.Node]:
    return piece[0], piece[-1]


def judge(
    net: Network,
    origins: WaysOn,
    targets: WaysOn,
    direction: Direction,
    weight: Weight,
    *,
    forbidden: Collection[tuple[int, int]] = (),
) -> dict[tuple[int, int], tuple[int, int]]:
    """(facility, demand) → (ms, mm) of the best way, by networkx: every piece cut at every place on it, both costs in one number.

    Who stands on a node remembers the run by which he came: pairs of runs may be forbidden.
    """
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(("leave", side, place) for side in "ft" for place in range(origins.count + targets.count))
    for a, b, ms, mm in (*_pieces(net, forbidden, origins, targets), *_legs(net, origins, targets)):
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


def _arrivals(net: Network) -> dict[int, list[int | None]]:
    """The runs by which one may come to each node, and None for who starts there."""
    by: dict[int, list[int | None]] = {node: [None] for node in {*net.start.tolist(), *net.end.tolist()}}
    for piece in range(len(net)):
        for run, ms, end in ((2 * piece, net.forward_ms, net.end), (2 * piece + 1, net.backward_ms, net.start)):
            if ms[piece] != NEVER:
                by[int(end[piece])].append(run)
    return by


def _pieces(net: Network, forbidden: Collection[tuple[int, int]], *sides: WaysOn) -> Iterator[Edge]:
    """Each permitted run as a chain of the places on it, from every way to come to its first node."""
    arrivals = _arrivals(net)
    for piece in range(len(net)):
        length = int(net.length_mm[piece])
        offsets = sorted({0, length, *(int(at) for ways in sides for at in ways.offset_mm[ways.piece == piece])})
        runs = (
            (2 * piece, net.forward_ms, net.start, net.end, offsets),
            (2 * piece + 1, net.backward_ms, net.end, net.start, offsets[::-1]),
        )
        for run, all_ms, start, end, along in runs:
            whole = int(all_ms[piece])
            if whole == NEVER:
                continue
            for came in arrivals[int(start[piece])]:
                if (came, run) not in forbidden:
                    yield ("node", int(start[piece]), came), (run, along[0]), 0, 0
            for a, b in pairwise(along):
                yield (run, a), (run, b), abs(position(whole, b, length) - position(whole, a, length)), abs(b - a)
            yield (run, along[-1]), ("node", int(end[piece]), run), 0, 0


def position(whole_ms: int, at_mm: int, length_mm: int) -> int:
    """Whole milliseconds from the start of a piece."""
    return round(whole_ms * at_mm / length_mm) if length_mm else 0


def _legs(net: Network, origins: WaysOn, targets: WaysOn) -> Iterator[Edge]:
    """Legs between places and their points on the pieces; none at all between places at the same coordinates."""
    arrivals = _arrivals(net)
    for side, ways in (("f", origins), ("t", targets)):
        for place, piece, at, ms, mm in zip(*(column.tolist() for column in _columns(ways)), strict=True):
            on = [(run, at) for run, whole in ((2 * piece, net.forward_ms), (2 * piece + 1, net.backward_ms)) if whole[piece] != NEVER]
            nodes = [int(node[piece]) for node, end in ((net.start, 0), (net.end, int(net.length_mm[piece]))) if at == end]
            for door in (*on, *(("node", node, None) for node in nodes)):
                yield ("leave", side, place), door, ms, mm
            for door in (*on, *(("node", node, came) for node in nodes for came in arrivals[node])):
                yield door, ("arrive", side, place), ms, mm
    here, there = (np.rint(ways.lonlat * 1e7) for ways in (origins, targets))  # a centimetre apart is the same place
    for facility, demand in zip(*np.nonzero((here[:, None] == there[None]).all(axis=2)), strict=True):
        if not origins.off_network[facility] and not targets.off_network[demand]:
            yield ("leave", "f", facility), ("arrive", "t", demand), 0, 0
            yield ("leave", "t", demand), ("arrive", "f", facility), 0, 0


def _columns(ways: WaysOn) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    return ways.place, ways.piece, ways.offset_mm, ways.leg_ms, ways.leg_mm
