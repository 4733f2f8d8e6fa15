"""How fast each piece of road is at an hour: what was measured there, the tagged maxspeed, the class of the road, the hour's factor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from geodata.hours import measured_at
from geodata.roads import Floats, Roads
from geodata.standards import Mode, ModeSpeeds


class Unmatched(NamedTuple):
    """What speeds are given for and the roads do not have: way ids, names of roads, classes that a factor names."""

    ways: tuple[int, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...]


def piece_kmh(roads: Roads, mode: Mode, way: ModeSpeeds, hour: int | None) -> Floats:
    """Speed of every piece, forward and backward.

    A speed measured on the way comes first, then one measured on roads of its name, then the tagged maxspeed, then that of the class. A
    tagged maxspeed is the driving speed; for a bicycle it is a ceiling; walking ignores it. The factor of the hour applies to all but
    measured speeds, which hold in both directions.

    Parameters
    ----------
    roads : Roads
    mode : "walk", "bike" or "drive"
    way : ModeSpeeds
        Of that mode.
    hour : int or None
        Hour of the day, 0-23; None is the usual speeds, the day's average.

    Returns
    -------
    (pieces, 2) float64
        In km/h.
    """
    classes = [(way.classes.get(name, way.kmh), way.factor(name, hour)) for name in roads.class_names]
    by_class, factor = np.array(classes, dtype=np.float64).reshape(-1, 2)[roads.road_class].T
    kmh = np.column_stack([by_class, by_class])
    if mode == "drive":
        kmh = np.where(np.isnan(roads.maxspeed_kmh), kmh, roads.maxspeed_kmh)
    elif mode == "bike":
        kmh = np.fmin(kmh, roads.maxspeed_kmh)
    measured = _measured_kmh(roads, way, hour)[:, None]
    return np.where(np.isnan(measured), kmh * factor[:, None], measured)


def _measured_kmh(roads: Roads, way: ModeSpeeds, hour: int | None) -> Floats:
    """Measured speed of every piece; nan where none was measured at that hour."""
    by_name = [measured_at(way.names.get(name, {}), hour) for name in roads.road_names] if way.names else [np.nan] * len(roads.road_names)
    kmh = np.array(by_name, dtype=np.float64)[roads.name]
    ids = np.array(sorted(way.ways), dtype=np.int64)
    if len(ids) == 0:
        return kmh
    at = np.searchsorted(ids, roads.way_id).clip(max=len(ids) - 1)
    by_way = np.array([measured_at(way.ways[one], hour) for one in ids.tolist()])[at]
    return np.where((ids[at] == roads.way_id) & ~np.isnan(by_way), by_way, kmh)


def unmatched(roads: Roads, way: ModeSpeeds) -> Unmatched:
    """List what speeds are given for and the roads do not have, so that a slip of the pen is not passed over."""
    missing_ways = np.setdiff1d(np.array(sorted(way.ways), dtype=np.int64), roads.way_id)
    in_factors = {name for factor in way.factors for name in factor.classes}
    return Unmatched(
        ways=tuple(missing_ways.tolist()),
        names=tuple(sorted(set(way.names) - set(roads.road_names))),
        classes=tuple(sorted(in_factors - set(roads.class_names))),
    )
