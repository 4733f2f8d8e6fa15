"""Generated counties for the benchmarks: a jittered grid of streets with arterials, expressways and one-ways, seeded."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csgraph

from coverage.snap import WaysOn
from geodata.network import Network, build_network
from geodata.roads import Floats, Ints, Roads
from geodata.standards import Mode, Speeds, default_speeds

CRS = "EPSG:4548"
CENTRE = np.array([116.3, 28.4])  # degrees: Jinxian
M_PER_DEGREE = np.array([97_800.0, 111_195.0])  # there
STREET_M = 130.0  # between corners, of which real counties have about 57 a km²
CLASSES = ("residential", "tertiary", "secondary", "primary", "trunk")
EVERY = ((10, 1), (20, 2), (40, 3))  # every so many lines one of a class; later ones win
EXPRESSWAY_EVERY, RAMP_EVERY = 80, 10  # lines apart; corners between two ramps
SHARE_OF_STREETS, SHARE_ONE_WAY = 0.70, 0.10
LONGER_BY = 0.3  # at most, than a straight line
E_BIKE_KMH = 20.0
BOTH, FORWARD, DRIVE_BOTH = 0b111111, 0b011111, 0b110000  # on a one-way street those on foot and on bicycles go both ways

Columns = tuple[Ints, Ints, Ints]  # of pieces: tail, head, class


def town(side: int, *, seed: int = 15) -> Roads:
    """Make the roads of a town with `side` × `side` corners, all of which can be driven to and from: some 98 % of them are kept."""
    rng = np.random.default_rng(seed)
    corner = np.arange(side * side)
    metres = (np.column_stack([corner % side, corner // side]) - side / 2 + rng.uniform(-0.2, 0.2, (side * side, 2))) * STREET_M
    lonlat = CENTRE + metres / M_PER_DEGREE
    tail, head, kind = _joined(_streets(side, rng), _expressways(side))
    one_way = (kind == 0) & (rng.random(len(tail)) < SHARE_ONE_WAY)
    kept = _held_together(tail, head, one_way, side * side)
    length_m = np.hypot(*(metres[tail] - metres[head]).T) * rng.uniform(1.0, 1.0 + LONGER_BY, len(tail))
    count, express = len(tail), kind == CLASSES.index("trunk")
    roads = Roads(
        lonlat=lonlat[np.column_stack([tail, head]).ravel()],
        first_vertex=np.arange(0, 2 * count + 1, 2),
        tail=tail,
        head=head,
        node_id=corner + 1,
        way_id=np.arange(1, count + 1),
        road_class=kind,
        class_names=CLASSES,
        name=np.zeros(count, dtype=np.int64),
        road_names=("",),
        permit=np.where(express, DRIVE_BOTH, np.where(one_way, FORWARD, BOTH)).astype(np.uint8),
        maxspeed_kmh=np.full((count, 2), np.nan),
        enterable=~express,
        bridge=np.zeros(count, dtype=bool),
        blocked=np.zeros(side * side, dtype=np.uint8),
        length_mm=np.rint(length_m * 1000).astype(np.int64),
        water=np.zeros(0, dtype=object),
        ways_of_file=(count,),
        missing_nodes=0,
        unread_maxspeed=(),
    )
    return roads.take(np.flatnonzero(kept))


def _joined(*several: Columns) -> Columns:
    tail, head, kind = (np.concatenate(columns) for columns in zip(*several, strict=True))
    return tail, head, kind


def _streets(side: int, rng: np.random.Generator) -> Columns:
    """From each corner to the next; arterials whole, of the other streets a share."""
    corner = np.arange(side * side).reshape(side, side)
    tail = np.concatenate([corner[:, :-1].ravel(), corner[:-1, :].ravel()])
    head = np.concatenate([corner[:, 1:].ravel(), corner[1:, :].ravel()])
    line = np.concatenate([np.repeat(np.arange(side), side - 1), np.tile(np.arange(side), side - 1)])
    kind = np.zeros(len(tail), dtype=np.int64)
    for every, which in EVERY:
        kind[line % every == 0] = which
    kept = (kind > 0) | (rng.random(len(tail)) < SHARE_OF_STREETS)
    return tail[kept], head[kept], kind[kept]


def _expressways(side: int) -> Columns:
    """From each ramp to the next."""
    ramp, line = np.meshgrid(np.arange(0, side, RAMP_EVERY), np.arange(EXPRESSWAY_EVERY // 2, side, EXPRESSWAY_EVERY))
    rows, columns = line * side + ramp, ramp * side + line
    tail, head = (np.concatenate([rows[:, part].ravel(), columns[:, part].ravel()]) for part in (slice(-1), slice(1, None)))
    return tail, head, np.full(len(tail), CLASSES.index("trunk"))


def _held_together(tail: Ints, head: Ints, one_way: Ints, corners: int) -> Ints:
    """Which pieces lie in the largest part of the town in which one can drive from everywhere to everywhere."""
    links = np.concatenate([tail, head[~one_way]]), np.concatenate([head, tail[~one_way]])
    _, part = csgraph.connected_components(coo_array((np.ones(len(links[0])), links), shape=(corners, corners)), connection="strong")
    largest = part == np.bincount(part).argmax()
    return largest[tail] & largest[head]


def speeds() -> Speeds:
    """Those of the defaults, with e-bikes for bicycles."""
    given = default_speeds()
    return given.model_copy(update={"bike": given.bike.model_copy(update={"kmh": E_BIKE_KMH, "classes": {}})})


def network(roads: Roads, mode: Mode) -> Network:
    """Make the network of one mode."""
    return build_network(roads, mode, speeds(), CRS)


def at_nodes(net: Network, nodes: Ints) -> WaysOn:
    """Places that stand on these nodes of a network."""
    ends, at = np.unique(np.concatenate([net.start, net.end]), return_index=True)
    way = at[np.searchsorted(ends, nodes)]
    piece, at_end = way % len(net), way >= len(net)
    none = np.zeros(len(nodes), dtype=np.int64)
    return WaysOn(
        lonlat=np.column_stack([nodes * 1e-6, none]),  # no two at the same place
        owner=np.arange(len(nodes)),
        count=len(nodes),
        place=np.arange(len(nodes)),
        piece=piece,
        offset_mm=net.length_mm[piece] * at_end,
        leg_mm=none,
        leg_ms=none,
        road_m=np.zeros(len(nodes)),
    )


def places(roads: Roads, count: int, *, seed: int) -> Floats:
    """Coordinates scattered over the town, each within a street's length of a corner."""
    rng = np.random.default_rng(seed)
    corner = roads.lonlat[roads.first_vertex[rng.integers(0, len(roads), count)]]
    return corner + rng.uniform(-STREET_M / 2, STREET_M / 2, (count, 2)) / M_PER_DEGREE
