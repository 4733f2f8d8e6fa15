"""Street plans: the lattices of streets of county town, towns, villages and hamlets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.examples.curves import warp
from geodata.examples.facts import Indices, Points
from geodata.examples.land import Land

GRADES = ("", "track", "pedestrian", "residential", "unclassified", "tertiary", "secondary", "primary", "trunk")
TRACK, PEDESTRIAN, RESIDENTIAL, UNCLASSIFIED, TERTIARY, SECONDARY = 1, 2, 3, 4, 5, 6
WATERSIDE_M = 70.0


@dataclass(frozen=True, slots=True)
class Layout:
    """How a lattice is to look: half sizes and spacing in metres, every n-th line an avenue, share of streets left out."""

    half_m: tuple[float, float]
    gap_m: tuple[float, float]
    avenue_every: int = 99
    avenue_grade: int = TERTIARY
    street_grade: int = RESIDENTIAL
    dropped: float = 0.1


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
    blocks: Indices
    centre: int


def lattice(rng: np.random.Generator, centre: Points, layout: Layout, land: Land) -> StreetPlan:
    """Lay out a slightly crooked lattice of streets around a centre, clear of the water.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    centre : ndarray, shape (2,)
        The central crossing, in metres.
    layout : Layout
        Sizes and grades.
    land : Land
        Its water, where no street may be.

    Returns
    -------
    StreetPlan
        One connected piece that holds the central crossing.
    """
    columns, rows = _lines(rng, layout.half_m[0], layout.gap_m), _lines(rng, layout.half_m[1], layout.gap_m)
    across, up = np.meshgrid(np.arange(len(columns[0])), np.arange(len(rows[0])))
    local = np.column_stack((columns[0][across.ravel()], rows[0][up.ravel()]))
    bearing = np.arctan2(local[:, 1], local[:, 0])
    rim = 1 + 0.14 * np.sin(2 * bearing + rng.uniform(0, 6)) + 0.1 * np.sin(3 * bearing + rng.uniform(0, 6))
    inside = (np.abs(local / np.maximum(layout.half_m, 1.0)) ** 2.4).sum(axis=1) <= rim
    angle = rng.uniform(-0.45, 0.45)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = centre + local @ turn
    bend = warp(rng, ((900.0, 0.08 * layout.gap_m[0]), (3000.0, 0.25 * layout.gap_m[0])))
    points += (bend.of(points) - points) - (bend.of(centre[None, :]) - centre)
    inside &= ~land.is_near_water(points, WATERSIDE_M)
    ids = np.arange(len(points)).reshape(across.shape)
    names = np.array([[f"u{i - columns[1]}" for i in range(across.shape[1])]] * across.shape[0])
    names_up = np.array([[f"v{j - rows[1]}"] * across.shape[1] for j in range(across.shape[0])])
    streets = np.vstack(
        (
            np.column_stack((ids[:, :-1].ravel(), ids[:, 1:].ravel())),
            np.column_stack((ids[:-1].ravel(), ids[1:].ravel())),
        )
    )
    label = np.concatenate((names_up[:, :-1].ravel(), names[:-1].ravel()))
    number = np.array([int(text[1:]) for text in label])
    grade = np.where(number % layout.avenue_every == 0, layout.avenue_grade, layout.street_grade)
    kept = (rng.random(len(streets)) >= layout.dropped) | (grade != layout.street_grade)
    kept &= inside[streets].all(axis=1)
    blocks = np.column_stack([corner.ravel() for corner in (ids[:-1, :-1], ids[:-1, 1:], ids[1:, 1:], ids[1:, :-1])])
    middle = int(ids[rows[1], columns[1]])
    return _connected(points, (streets[kept], grade[kept], label[kept]), blocks, middle)


def with_roundabout(plan: StreetPlan, crossing: int, radius_m: float = 30.0) -> StreetPlan:
    """Turn a crossing into a roundabout, driven counter-clockwise as in all countries that keep right.

    Parameters
    ----------
    plan : StreetPlan
        The streets.
    crossing : int
        The crossing that becomes a ring; it remains in ``points`` without a street.
    radius_m : float
        Radius of the ring.

    Returns
    -------
    StreetPlan
        The streets with a ring of eight.
    """
    count = 8
    angles = 2 * np.pi * np.arange(count) / count
    first = len(plan.points)
    ring = plan.points[crossing] + radius_m * np.column_stack((np.cos(angles), np.sin(angles)))
    points = np.vstack((plan.points, ring))
    streets = plan.streets.copy()
    for row, column in np.argwhere(streets == crossing):
        other = points[streets[row, 1 - column]]
        streets[row, column] = first + int(np.argmin(np.hypot(*(ring - other).T)))
    around = np.column_stack((first + np.arange(count), first + (np.arange(count) + 1) % count))
    return replace(
        plan,
        points=points,
        streets=np.vstack((streets, around)),
        grade=np.concatenate((plan.grade, np.full(count, TERTIARY))),
        label=plan.label + ("ring",) * count,
        flow=np.concatenate((plan.flow, np.ones(count, dtype=np.int64))),
        ring=np.concatenate((plan.ring, np.ones(count, dtype=np.int64))),
    )


def with_one_way_pair(plan: StreetPlan, lines: tuple[str, str]) -> StreetPlan:
    """Make two parallel streets one-way, each in the other's opposite direction."""
    label = np.array(plan.label)
    flow, streets, grade = plan.flow.copy(), plan.streets.copy(), plan.grade.copy()
    for line in lines:
        grade[label == line] = TERTIARY
        flow[label == line] = 1
    streets[label == lines[1]] = streets[label == lines[1]][:, ::-1]
    return replace(plan, flow=flow, streets=streets, grade=grade)


def with_pedestrian_street(plan: StreetPlan, line: str, count: int) -> StreetPlan:
    """Close the ``count`` stretches of a street that are nearest to the centre to all vehicles."""
    rows = np.flatnonzero(np.array(plan.label) == line)
    middles = plan.points[plan.streets[rows]].mean(axis=1)
    nearest = rows[np.argsort(np.hypot(*(middles - plan.points[plan.centre]).T), kind="stable")[:count]]
    grade = plan.grade.copy()
    grade[nearest] = PEDESTRIAN
    return replace(plan, grade=grade)


def _lines(rng: np.random.Generator, half_m: float, gap_m: tuple[float, float]) -> tuple[Points, int]:
    """Positions of parallel streets on both sides of the central one, and the index of the central one."""
    count = max(1, int(np.ceil(half_m / gap_m[0])))
    sides = [np.cumsum(rng.uniform(*gap_m, count)) for _ in range(2)]
    east, west = (side[: max(1, int((side <= half_m).sum()))] if half_m > 0 else side[:0] for side in sides)
    return np.concatenate((-west[::-1], [0.0], east)), len(west)


def _connected(points: Points, streets: tuple[Indices, Indices, Indices], blocks: Indices, middle: int) -> StreetPlan:
    """Keep the part that hangs together with the middle (or the largest part, if the middle has no street)."""
    pairs, grade, label = streets
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(points), len(points)))
    part = connected_components(links, directed=False)[1]
    if not (pairs == middle).any() and len(pairs):
        largest = np.argmax(np.bincount(part))
        members = np.flatnonzero(part == largest)
        middle = int(members[np.argmin(np.hypot(*(points[members] - points[middle]).T))])
    kept = part == part[middle]
    number = np.cumsum(kept) - 1
    whole = kept[blocks].all(axis=1)
    chosen = kept[pairs[:, 0]]
    return StreetPlan(
        points=points[kept],
        streets=number[pairs[chosen]],
        grade=grade[chosen].astype(np.int64),
        label=tuple(str(text) for text in label[chosen]),
        flow=np.zeros(int(chosen.sum()), dtype=np.int64),
        ring=np.zeros(int(chosen.sum()), dtype=np.int64),
        blocks=number[blocks[whole]],
        centre=int(number[middle]),
    )
