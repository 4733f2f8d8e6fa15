"""How much better than by chance a table lies on roads, in its townships and at known places, under each datum.

Chance is measured, not assumed: the same points are moved by some thirty other distances of the size of a datum's shift (*decoys*), and
each row is compared with its own decoys only. A village that stands back from every mapped road, or a town where streets are everywhere,
tells little by itself, and this way counts for little. Rows of one place (a cell of 250 m) share the weight of one row.

The support of a datum is a log likelihood ratio against chance, in nats: the ranks of the rows among their decoys, in six classes, whose
frequencies are estimated from the table itself (shrunk towards chance, falling with distance). A datum is believed when its support stands
out of that of the decoys, which are treated in just the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geodata.model import OUTSIDE, Zones
from geodata.network import transformer
from geodata.roads import Floats, Ints, Roads

FARTHEST_M = 1000.0  # a road farther away is no road of this place
SAME_NAME_M = 3000.0  # a place of the same name farther away is another place
_STEP_M, _REACH_M, _CLEAR_M = 400.0, 1050.0, 320.0  # of the decoys: between them, around the candidates, and off each candidate
_EDGES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 1.0])  # classes of rank among the decoys
_PRIOR_ROWS = 4.0  # so many rows of pure chance are added before frequencies are estimated
_NOISE_M = 8.0  # of any position; below it nearer is no better
_CELL_M = 250.0
_WRONG_ZONE = 0.1  # rows outside their named township under the true datum: drawn boundaries are not exact
_LEAST_CHANCE = 0.1  # of the rows of a mixed table: places that stand back from roads are not taken for another datum
_ROUNDS = 40


@dataclass(frozen=True, eq=False)
class Measured:
    """What each row has under each candidate (first axis; the decoys follow the candidates).

    Attributes
    ----------
    road_m, place_m : (candidates + decoys, rows) float64
        Metres to the nearest road, and to the known place of the same name (nan where there is none); capped.
    in_zone : (candidates + decoys, rows) float64
        1 in the named township, 0 outside, nan where none is named.
    weight : (rows,) float64
    """

    road_m: Floats
    place_m: Floats
    in_zone: Floats
    weight: Floats


def measure(candidates: Floats, roads: Roads, crs: str, *, zones: Zones, zone: Ints, known: Floats) -> Measured:
    """Measure rows under each candidate, (candidates, rows, 2) in degrees, and under decoys around them.

    `zone` is the position of the township named in the table, OUTSIDE where none is; `known` the place of the same name, nan where none is.
    """
    to_crs = transformer(crs).transform
    places = np.stack([np.column_stack(to_crs(*lonlat.T)) for lonlat in candidates])
    places = np.concatenate([places, places[:1] + _decoys(places)[:, None, :]])
    lines = roads.take(np.flatnonzero(roads.enterable)).lines()
    lines = shapely.transform(lines, to_crs, interleaved=False)
    points = shapely.points(places)
    road_m = np.full(points.shape, FARTHEST_M)
    (near, _), metres = shapely.STRtree(lines).query_nearest(
        points.ravel(), max_distance=FARTHEST_M, return_distance=True, all_matches=False
    )
    road_m.flat[near] = metres
    place_m = np.hypot(*np.moveaxis(places - np.column_stack(to_crs(*known.T)), -1, 0))
    place_m = np.where((place_m.min(axis=0) <= SAME_NAME_M) & np.isfinite(place_m), np.minimum(place_m, SAME_NAME_M), np.nan)
    in_zone = np.full(road_m.shape, np.nan)
    shapes = shapely.transform(zones.geometry, to_crs, interleaved=False)
    for at in np.unique(zone[zone != OUTSIDE]):
        rows = zone == at
        shapely.prepare(shapes[at])
        in_zone[:, rows] = shapely.intersects_xy(shapes[at], *np.moveaxis(places[:, rows], -1, 0))
    _, cell, count = np.unique(np.floor(places[0] / _CELL_M), axis=0, return_inverse=True, return_counts=True)
    return Measured(road_m, place_m, in_zone, 1.0 / count[cell.ravel()])


def _decoys(places: Floats) -> Floats:
    """Offsets in metres from the first candidate: a lattice around all candidates, clear of each of them."""
    offset = np.median(places - places[:1], axis=1)
    across, up = np.meshgrid(np.arange(-6, 7), np.arange(-6, 7))
    lattice = np.column_stack([(across + up % 2 / 2).ravel() * _STEP_M, up.ravel() * _STEP_M * np.sqrt(3) / 2]) + offset.mean(axis=0)
    apart = np.hypot(*np.moveaxis(lattice[:, None] - offset, -1, 0))
    return np.asarray(lattice[(apart.min(axis=1) <= _REACH_M) & (apart.min(axis=1) >= _CLEAR_M)])


@dataclass(frozen=True, eq=False)
class Support:
    """What speaks for each candidate and each decoy.

    Attributes
    ----------
    total : (candidates + decoys,) float64
        Log likelihood ratio against chance, in nats.
    road_class, place_class : (candidates + decoys, rows) int64
        Class of rank among the decoys; -1 where nothing is known.
    zone : (candidates + decoys, rows) float64
        Log likelihood ratio of lying in the named township, 0 where none is named.
    """

    total: Floats
    road_class: Ints
    place_class: Ints
    zone: Floats


def support(measured: Measured, candidates: int) -> Support:
    """Weigh every candidate, and every decoy as if it were one."""
    road, place = (_classes(_ranks(metres, candidates)) for metres in (measured.road_m, measured.place_m))
    zone = _zone_ratio(measured.in_zone, candidates)
    weight = measured.weight
    total = [
        float(weight @ (_log_ratio(road[at], weight)[road[at]] + _log_ratio(place[at], weight)[place[at]] + zone[at]))
        for at in range(len(road))
    ]
    return Support(np.array(total), road, place, zone)


def mixture(support_: Support, weight: Floats, parts: Sequence[int]) -> tuple[float, Floats]:
    """Split the rows between candidates, and chance for rows that no candidate explains.

    Returns
    -------
    float
        Log likelihood ratio against chance.
    (parts + 1, rows) float64
        Probability that a row is of each part; the last is chance.
    """
    road, place, zone = (getattr(support_, name)[list(parts)] for name in ("road_class", "place_class", "zone"))
    share = np.full(len(parts) + 1, 1 / (len(parts) + 1))
    owner = np.full(road.shape, 1 / len(parts))
    for _ in range(_ROUNDS):
        road_ratio, place_ratio = (_log_ratio(of, owner * weight) for of in (road, place))
        ratio = np.vstack([np.exp(road_ratio[road] + place_ratio[place] + zone), np.ones(road.shape[1])]) * share[:, None]
        whole = ratio.sum(axis=0)
        owner_all = ratio / whole
        owner = owner_all[:-1]
        share = (owner_all @ weight + 1 / len(share)) / (weight.sum() + 1)
        share = np.append(share[:-1] * min(1.0, (1 - _LEAST_CHANCE) / share[:-1].sum()), max(share[-1], _LEAST_CHANCE))
    return float(weight @ np.log(whole)), owner_all


def _ranks(metres: Floats, candidates: int) -> Floats:
    """Share of chance that is nearer than each distance, (candidates + decoys, rows); nan where there is no distance."""
    noisy = np.hypot(metres, _NOISE_M)
    chance = np.sort(noisy[candidates:], axis=0)
    step = np.arange(len(chance) + 1) / (len(chance) + 1)
    found = np.full(noisy.shape, np.nan)
    for row in np.flatnonzero(np.isfinite(noisy[0])):
        found[:, row] = np.interp(noisy[:, row], np.append(0.0, chance[:, row]), step)
    found[candidates:] -= 0.5 / (len(chance) + 1)  # a decoy meets itself among the decoys
    return found


def _classes(rank: Floats) -> Ints:
    found = np.clip(np.searchsorted(_EDGES, rank) - 1, 0, len(_EDGES) - 2)
    return np.where(np.isnan(rank), -1, found)


def _log_ratio(of: Ints, weight: Floats) -> Floats:
    """Log of frequency / chance of each class, falling with rank; a last 0 for rows about which nothing is known (class -1)."""
    mass = np.diff(_EDGES)
    known = of >= 0
    count = np.bincount(of[known], weights=np.broadcast_to(weight, of.shape)[known], minlength=len(mass)) + _PRIOR_ROWS * mass
    blocks: list[tuple[float, float, int]] = []  # count, mass, classes: neighbours are joined until the ratio falls
    for more in zip(count / count.sum(), mass, (1,) * len(mass), strict=True):
        joined = more
        while blocks and blocks[-1][0] / blocks[-1][1] < joined[0] / joined[1]:
            last = blocks.pop()
            joined = (last[0] + joined[0], last[1] + joined[1], last[2] + joined[2])
        blocks.append(joined)
    return np.append(np.repeat([np.log(share / chance) for share, chance, _ in blocks], [size for _, _, size in blocks]), 0.0)


def _zone_ratio(in_zone: Floats, candidates: int) -> Floats:
    """Log likelihood ratio of being in or out of the named township, where names and boundaries are right in all but some rows."""
    decoys = len(in_zone) - candidates
    chance = (in_zone[candidates:].sum(axis=0) + 0.5) / (decoys + 1)
    ratio = np.where(in_zone == 1, np.log((1 - _WRONG_ZONE) / chance + _WRONG_ZONE), np.log(_WRONG_ZONE))
    return np.where(np.isnan(in_zone), 0.0, ratio)
