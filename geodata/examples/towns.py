"""Street plans: what a town, a village or a hamlet looks like to the roads that lead there, and lanes of small places."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.examples.curves import wander
from geodata.examples.facts import Indices, Points
from geodata.examples.land import Land

GRADES = (
    "", "track", "footway", "pedestrian", "living_street", "residential", "unclassified", "tertiary", "secondary", "primary", "trunk",
)  # fmt: skip
TRACK, FOOTWAY, PEDESTRIAN, LIVING, RESIDENTIAL, UNCLASSIFIED, TERTIARY, SECONDARY = range(1, 9)
ON_FOOT = (FOOTWAY, PEDESTRIAN)
WATERSIDE_M = 70.0
SIDES, SIDE_SHARE, LOOP_SHARE = (-1, 0, 1), (0.27, 0.46, 0.27), 0.5


@dataclass(frozen=True, slots=True)
class StreetPlan:
    """Streets of one place: crossings, streets between them (with their line's label), and the blocks they enclose.

    ``flow`` is 1 where traffic runs one way from the first crossing to the second, else 0; ``ring`` marks a roundabout.
    """

    points: Points
    streets: Indices
    grade: Indices
    label: tuple[str, ...]
    flow: Indices
    ring: Indices
    blocks: tuple[shapely.Polygon, ...]
    centre: int


def lanes(rng: np.random.Generator, centre: Points, reach_m: float, grade: int, land: Land) -> StreetPlan:
    """Draw the lanes of a village: one that winds through it, side lanes, now and then a loop.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    centre : ndarray, shape (2,)
        Middle of the village, in metres.
    reach_m : float
        How far the main lane goes each way.
    grade : int
        Position of the lanes' class in ``GRADES``.
    land : Land
        Its water, where no lane may be.

    Returns
    -------
    StreetPlan
        One connected piece that holds the centre.
    """
    heading, step_m = rng.uniform(0, 2 * np.pi), rng.uniform(52, 84)
    steps = max(1, round(reach_m / step_m))
    halves = [wander(rng, centre, heading + turn, (steps, step_m)) for turn in (np.pi, 0.0)]
    points = [*halves[0][:0:-1], *halves[1]]
    spine = len(points)
    pairs = [(at, at + 1) for at in range(spine - 1)]
    tips: dict[tuple[int, int], int] = {}
    for at in range(spine):
        side = int(rng.choice(SIDES, p=SIDE_SHARE))
        if side:
            onward = points[min(at + 1, spine - 1)] - points[max(at - 1, 0)]
            away = np.arctan2(onward[1], onward[0]) + side * np.pi / 2 + rng.uniform(-0.35, 0.35)
            branch = wander(rng, points[at], away, (int(rng.integers(1, 3)), step_m))[1:]
            pairs += list(zip((at, *range(len(points), len(points) + len(branch) - 1)), range(len(points), len(points) + len(branch))))  # noqa: B905
            points.extend(branch)
            tips[at, side] = len(points) - 1
            if (at - 1, side) in tips and rng.random() < LOOP_SHARE:
                pairs.append((tips[at - 1, side], tips[at, side]))
    return plan_of(np.array(points), (np.array(pairs), np.full(len(pairs), grade), np.zeros(len(pairs), dtype=np.int64)), steps, land)


def plan_of(points: Points, streets: tuple[Indices, Indices, Indices], centre: int, land: Land, labels: tuple[str, ...] = ()) -> StreetPlan:
    """Keep what is dry and hangs together with the centre, or with the largest part if the centre lost its streets.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Crossings, in metres.
    streets : (ndarray, ndarray, ndarray)
        Pairs of crossings, their grades, and 1 where traffic runs one way.
    centre : int
        The central crossing.
    land : Land
        Its water.
    labels : tuple of str
        A label each street; none: all are nameless.

    Returns
    -------
    StreetPlan
        Without blocks.
    """
    pairs, grade, flow = streets
    dry = ~land.is_near_water(points, WATERSIDE_M)
    kept = dry[pairs].all(axis=1)
    label = np.array(labels or [""] * len(pairs), dtype=object)
    pairs, grade, flow, label = pairs[kept], grade[kept], flow[kept], label[kept]
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    part = connected_components(links, directed=False)[1]
    if len(pairs) and not (pairs == centre).any():
        members = np.flatnonzero(part == np.argmax(np.bincount(part)))
        centre = int(members[np.argmin(np.hypot(*(points[members] - points[centre]).T))])
    mine = part == part[centre]
    number = np.cumsum(mine) - 1
    chosen = mine[pairs[:, 0]]
    return StreetPlan(
        points=points[mine],
        streets=number[pairs[chosen]].reshape(-1, 2),
        grade=grade[chosen].astype(np.int64),
        label=tuple(label[chosen].tolist()),
        flow=flow[chosen].astype(np.int64),
        ring=np.zeros(int(chosen.sum()), dtype=np.int64),
        blocks=(),
        centre=int(number[centre]),
    )


def with_roundabout(plan: StreetPlan, streets: tuple[str, str], radius_m: float = 30.0) -> StreetPlan:
    """Turn the crossing of two streets into a roundabout, driven counter-clockwise as in all countries that keep right.

    Parameters
    ----------
    plan : StreetPlan
        The streets.
    streets : (str, str)
        Labels of the two; a plan where they do not cross is given back as it is.
    radius_m : float
        Radius of the ring.

    Returns
    -------
    StreetPlan
        The streets with a ring of eight; the crossing remains in ``points`` without a street.
    """
    label = np.array(plan.label, dtype=object)
    crossings = set.intersection(*(set(plan.streets[label == street].ravel().tolist()) for street in streets))
    if not crossings:
        return plan
    crossing = min(crossings)
    count = 8
    angles = 2 * np.pi * np.arange(count) / count
    first = len(plan.points)
    ring = plan.points[crossing] + radius_m * np.column_stack((np.cos(angles), np.sin(angles)))
    points = np.vstack((plan.points, ring))
    pairs = plan.streets.copy()
    for row, column in np.argwhere(pairs == crossing):
        other = points[pairs[row, 1 - column]]
        pairs[row, column] = first + int(np.argmin(np.hypot(*(ring - other).T)))
    around = np.column_stack((first + np.arange(count), first + (np.arange(count) + 1) % count))
    return replace(
        plan,
        points=points,
        streets=np.vstack((pairs, around)),
        grade=np.concatenate((plan.grade, np.full(count, TERTIARY))),
        label=plan.label + ("ring",) * count,
        flow=np.concatenate((plan.flow, np.ones(count, dtype=np.int64))),
        ring=np.concatenate((plan.ring, np.ones(count, dtype=np.int64))),
    )
