"""The map as it is written: nodes, ways and relations with OSM tags, and the smoothing of laid roads into natural lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely

from geodata.examples.curves import Noise, hermite, noise
from geodata.examples.facts import Indices, Points
from geodata.examples.ground import Ground
from geodata.examples.land import Land
from geodata.examples.towns import GRADES, SECONDARY

INNER_M, STREET_INNER_M, BRIDGE_INNER_M = 150.0, 105.0, 180.0
SWING_M = 13.0
SMOOTH_ROUNDS = 9


@dataclass(slots=True)
class Way:
    """A way: positions of its nodes in ``Drawing.points``, and its tags."""

    nodes: list[int]
    tags: dict[str, str]


@dataclass(slots=True)
class Drawing:
    """What is drawn so far, in metres; grows as roads, water and barriers are added."""

    points: list[tuple[float, float]] = field(default_factory=list)
    node_tags: dict[int, dict[str, str]] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    relations: list[tuple[list[tuple[int, str]], dict[str, str]]] = field(default_factory=list)

    def add_node(self, point: Points, tags: dict[str, str] | None = None) -> int:
        """Add a node and say its position."""
        self.points.append((float(point[0]), float(point[1])))
        if tags:
            self.node_tags[len(self.points) - 1] = tags
        return len(self.points) - 1

    def add_line(self, line: Points, tags: dict[str, str], *, closed: bool = False) -> int:
        """Add a way with nodes of its own and say its position."""
        nodes = [self.add_node(point) for point in line]
        self.ways.append(Way(nodes + nodes[:1] if closed else nodes, tags))
        return len(self.ways) - 1

    def at(self, nodes: list[int]) -> Points:
        """Where nodes are, shape (n, 2) in metres."""
        return np.array([self.points[node] for node in nodes])


def draw_ways(ground: Ground, land: Land, rng: np.random.Generator) -> tuple[Drawing, dict[int, int]]:
    """Turn laid road pieces into ways that bend as roads do and stay out of the water.

    Parameters
    ----------
    ground : Ground
        Laid roads.
    land : Land
        The water.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Drawing
        The ways, split where grade, name or number changes and where three or more of a kind meet.
    dict
        Position in the drawing of each node of the ground that carries a road.
    """
    chains = _chains(ground)
    lines = _dry_lines(ground, chains, land, (noise(rng, 420.0), noise(rng, 420.0)))
    drawing = Drawing()
    node_of: dict[int, int] = {}
    for chain, pieces in zip(chains, lines, strict=True):
        nodes: list[int] = []
        for start, piece in zip(chain, pieces, strict=False):
            nodes.append(_placed(drawing, node_of, start, piece[0]))
            nodes.extend(map(drawing.add_node, piece[1:-1]))
        nodes.append(_placed(drawing, node_of, chain[-1], pieces[-1][-1]))
        drawing.ways.append(Way(nodes, _tags(ground, chain)))
    return drawing, node_of


def _placed(drawing: Drawing, node_of: dict[int, int], node: int, point: Points) -> int:
    if node not in node_of:
        node_of[node] = drawing.add_node(point)
    return node_of[node]


def _row(ground: Ground, start: int, end: int) -> int:
    return ground.row_of[min(start, end), max(start, end)]


def _tags(ground: Ground, chain: list[int]) -> dict[str, str]:
    row = _row(ground, chain[0], chain[1])
    tags = {"highway": GRADES[ground.grade[row]]}
    if ground.name[row]:
        tags["name"] = ground.name[row]
    if ground.ref[row]:
        tags["ref"] = ground.ref[row]
        tags["note"] = "示意"
    if ground.ring[row]:
        tags["junction"] = "roundabout"
    elif ground.flow[row]:
        tags["oneway"] = "yes"
    if ground.bridge[row]:
        tags |= {"bridge": "yes", "layer": "1"}
    return tags


def _chains(ground: Ground) -> list[list[int]]:
    """Join pieces of the same kind end to end, one-way ones in their direction."""
    kinds: dict[tuple[int, str, str, str, bool, int], dict[int, list[int]]] = {}
    for row in np.flatnonzero(ground.grade).tolist():
        grade, flow, ring = int(ground.grade[row]), bool(ground.flow[row]), int(ground.ring[row])
        kind = (grade, ground.name[row], ground.ref[row], ground.bridge[row], flow, ring)
        for end in ground.pairs[row].tolist():
            kinds.setdefault(kind, {}).setdefault(end, []).append(row)
    chains = []
    for kind in sorted(kinds, key=repr):
        rows_at = kinds[kind]
        done: set[int] = set()
        ends = [node for node in sorted(rows_at) if len(rows_at[node]) != 2]  # noqa: PLR2004 - a node within a line has two pieces
        for node in [*ends, *sorted(rows_at)]:
            for row in rows_at[node]:
                if row not in done:
                    chains.extend(_directed(ground, _follow(ground, rows_at, done, (node, row))))
    return chains


def _follow(ground: Ground, rows_at: dict[int, list[int]], done: set[int], start: tuple[int, int]) -> list[int]:
    node, row = start
    chain = [node]
    while row not in done:
        done.add(row)
        ends = ground.pairs[row].tolist()
        node = ends[1] if ends[0] == node else ends[0]
        chain.append(node)
        onward = [other for other in rows_at[node] if other not in done]
        if len(rows_at[node]) == 2 and onward:  # noqa: PLR2004 - see above
            row = onward[0]
    return chain


def _directed(ground: Ground, chain: list[int]) -> list[list[int]]:
    flows = []
    for start, end in pairwise(chain):
        row = _row(ground, start, end)
        flows.append(int(ground.flow[row]) * (1 if ground.pairs[row][0] == start else -1))
    if all(flow >= 0 for flow in flows):
        return [chain]
    if all(flow <= 0 for flow in flows):
        return [chain[::-1]]
    return [[a, b] if flow > 0 else [b, a] for a, b, flow in zip(chain, chain[1:], flows, strict=False)]


def _smoothed(ground: Ground) -> Points:
    """Pull mesh nodes towards their neighbours along the road: main roads first, then the rest."""
    points = ground.points.copy()
    held = ground.fixed.copy()
    for least in (SECONDARY, 1):
        pairs = ground.pairs[ground.grade >= least]
        degree = np.bincount(pairs.ravel(), minlength=len(points))
        free = (degree >= 2) & ~held  # noqa: PLR2004 - the end of a road has nothing to be pulled between
        pull = np.where(degree == 2, 0.5, 0.25)[free, None]  # noqa: PLR2004 - gentler at junctions
        for _ in range(SMOOTH_ROUNDS):
            total = np.zeros_like(points)
            np.add.at(total, pairs[:, 0], points[pairs[:, 1]])
            np.add.at(total, pairs[:, 1], points[pairs[:, 0]])
            points[free] += pull * (total[free] / degree[free, None] - points[free])
        held |= degree > 0
    return points


def _dry_lines(ground: Ground, chains: list[list[int]], land: Land, swing: tuple[Noise, Noise]) -> list[list[Points]]:
    """Draw each piece as a curve; where a line would touch water go back to the mesh, which is dry."""
    points = _smoothed(ground)
    bridges = {index for index, chain in enumerate(chains) if ground.bridge[_row(ground, chain[0], chain[1])]}
    ends_at: dict[int, set[int]] = {}
    for index, chain in enumerate(chains):
        for node in chain:
            ends_at.setdefault(node, set()).add(index)
    plain: set[int] = set()
    lines: list[list[Points]] = [[]] * len(chains)
    stale = sorted(set(range(len(chains))))
    while stale:
        for index in stale:
            lines[index] = _curved(ground, chains[index], points, None if index in plain else swing)
        whole = np.array([shapely.LineString(np.vstack(lines[index])) for index in stale], dtype=object)
        wet = {index for index, hit in zip(stale, land.cross_shore(whole).tolist(), strict=True) if hit} - bridges - plain
        plain |= wet
        for index in wet:
            points[chains[index]] = ground.points[chains[index]]
        stale = sorted({other for index in wet for node in chains[index] for other in ends_at[node]})
    return lines


def _curved(ground: Ground, chain: list[int], points: Points, swing: tuple[Noise, Noise] | None) -> list[Points]:
    knots = points[chain]
    steps = knots[1:] - knots[:-1]
    lengths = np.hypot(*steps.T)
    before = np.vstack((knots[:1], knots[:-1]))
    after = np.vstack((knots[1:], knots[-1:]))
    slope = after - before
    slope /= np.maximum(np.hypot(*slope.T), 1e-9)[:, None]
    pieces = []
    for index, length in enumerate(lengths):
        row = _row(ground, chain[index], chain[index + 1])
        street = ground.plan[chain[index]] >= 0 and ground.plan[chain[index]] == ground.plan[chain[index + 1]]
        straight = bool(street or ground.bridge[row] or swing is None)
        inner = BRIDGE_INNER_M if ground.bridge[row] else STREET_INNER_M if street else INNER_M
        along = np.linspace(0, 1, max(1, int(np.ceil(length / inner))) + 1)
        tangents = (steps[index], steps[index]) if straight else (slope[index] * length, slope[index + 1] * length)
        line = hermite(knots[index], knots[index + 1], tangents, along)
        if swing is not None and not straight:
            fade = (4 * along * (1 - along))[:, None]
            line = line + SWING_M * fade * np.column_stack((swing[0].at(line), swing[1].at(line)))
        line[0], line[-1] = knots[index], knots[index + 1]
        pieces.append(line)
    return pieces


def segments(drawing: Drawing, ways: list[int]) -> tuple[npt.NDArray[np.object_], Indices]:
    """Straight sides of ways, and for each the position of its way and of its first node within the way, shape (n, 2)."""
    counts = np.array([len(drawing.ways[way].nodes) - 1 for way in ways])
    starts = np.concatenate([drawing.ways[way].nodes[:-1] for way in ways])
    ends = np.concatenate([drawing.ways[way].nodes[1:] for way in ways])
    first = np.repeat(np.cumsum(counts) - counts, counts)
    owner = np.column_stack((np.repeat(ways, counts), np.arange(len(starts)) - first))
    places = np.array(drawing.points)
    return shapely.linestrings(np.stack((places[starts], places[ends]), axis=1)), owner
