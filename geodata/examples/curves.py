"""Natural-looking lines: smooth noise, warped shapes, splines and wandering paths.

Everything random comes from the generator that is passed in; the same generator state gives the same line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from geodata.examples.facts import Points

WAVES = 14


@dataclass(frozen=True, slots=True)
class Noise:
    """A smooth random field: a sum of plane waves, mean 0 and standard deviation 1."""

    waves: Points
    phases: Points

    def at(self, points: Points) -> Points:
        """Value of the field at points, shape (n, 2) in metres, as shape (n,)."""
        phase = points @ self.waves.T + self.phases
        field: Points = np.cos(phase).sum(axis=1) * np.sqrt(2 / len(self.phases))
        return field


def noise(rng: np.random.Generator, wavelength_m: float) -> Noise:
    """Draw a smooth random field with about this wavelength.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    wavelength_m : float
        Distance over which the field goes once up and down.

    Returns
    -------
    Noise
        The field.
    """
    angle = rng.uniform(0, 2 * np.pi, WAVES)
    number = 2 * np.pi / (wavelength_m * rng.uniform(0.7, 1.6, WAVES))
    return Noise(np.column_stack((np.cos(angle), np.sin(angle))) * number[:, None], rng.uniform(0, 2 * np.pi, WAVES))


@dataclass(frozen=True, slots=True)
class Warp:
    """A smooth random displacement of the plane, the same for every shape that passes through it."""

    layers: tuple[tuple[Noise, Noise, float], ...]

    def of(self, points: Points) -> Points:
        """Displace points, shape (n, 2) in metres."""
        moved = points.copy()
        for east, north, amplitude_m in self.layers:
            moved += amplitude_m * np.column_stack((east.at(points), north.at(points)))
        return moved


def warp(rng: np.random.Generator, scales: tuple[tuple[float, float], ...]) -> Warp:
    """Draw a displacement field from pairs of wavelength and amplitude, both in metres.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    scales : tuple of (float, float)
        Wavelength and amplitude of each layer.

    Returns
    -------
    Warp
        The displacement.
    """
    return Warp(tuple((noise(rng, length), noise(rng, length), amplitude) for length, amplitude in scales))


def spline(points: Points, step_m: float, *, closed: bool = False) -> Points:
    """Draw a smooth curve through points, with a vertex about every ``step_m``.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        Control points in metres; the curve passes through each.
    step_m : float
        Distance between vertices.
    closed : bool
        Join the last point to the first.

    Returns
    -------
    ndarray, shape (m, 2)
        The curve; a closed one does not repeat its first vertex.
    """
    if closed:
        points = np.vstack((points[-1:], points, points[:2]))
    else:
        points = np.vstack((2 * points[0] - points[1], points, 2 * points[-1] - points[-2]))
    pieces = []
    for before, start, end, after in zip(points, points[1:], points[2:], points[3:], strict=False):
        length = float(np.hypot(*(end - start)))
        along = np.arange(0, 1, 1 / max(1, int(np.ceil(length / step_m))))
        pieces.append(hermite(start, end, (_unit(end - before) * length, _unit(after - start) * length), along))
    if not closed:
        pieces.append(points[-2:-1])
    return np.vstack(pieces)


def hermite(start: Points, end: Points, tangents: tuple[Points, Points], along: Points) -> Points:
    """Points of a cubic curve between two points with given tangents, at shares ``along`` (0–1) of its course."""
    t = along[:, None]
    square, cube = t * t, t * t * t
    return (
        (2 * cube - 3 * square + 1) * start
        + (cube - 2 * square + t) * tangents[0]
        + (3 * square - 2 * cube) * end
        + (cube - square) * tangents[1]
    )


def wander(rng: np.random.Generator, start: Points, heading: float, steps: tuple[int, float]) -> Points:
    """Walk with a slowly changing heading, as a field track does.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    start : ndarray, shape (2,)
        First vertex, in metres.
    heading : float
        First direction, in radians from east.
    steps : (int, float)
        Number of steps and the length of one in metres.

    Returns
    -------
    ndarray, shape (steps + 1, 2)
        The path.
    """
    count, length_m = steps
    headings = heading + np.cumsum(rng.normal(0, 0.28, count))
    strides = length_m * rng.uniform(0.7, 1.3, count)
    moves = np.column_stack((np.cos(headings), np.sin(headings))) * strides[:, None]
    return np.vstack((start, start + np.cumsum(moves, axis=0)))


def chaikin(line: Points, rounds: int) -> Points:
    """Cut the corners of an open line, keeping both ends.

    Examples
    --------
    >>> chaikin(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]), 1).tolist()
    [[0.0, 0.0], [3.0, 0.0], [4.0, 1.0], [4.0, 4.0]]
    """
    for _ in range(rounds):
        near = 0.75 * line[:-1] + 0.25 * line[1:]
        far = 0.25 * line[:-1] + 0.75 * line[1:]
        inner = np.stack((near, far), axis=1).reshape(-1, 2)[1:-1]
        line = np.vstack((line[:1], inner, line[-1:]))
    return line


def largest_polygon(shape: shapely.Geometry) -> shapely.Polygon:
    """Mend a shape and keep its largest polygon."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(shapely.make_valid(shape))) if isinstance(part, shapely.Polygon)]
    return max(parts, key=lambda part: part.area)


def _unit(vector: Points) -> Points:
    length = float(np.hypot(*vector))
    return vector / length if length else vector
