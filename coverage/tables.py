"""What the tables of all studies have alike: a row a township, then town, country and all; and whom the row of a place tells of."""

from __future__ import annotations

from typing import Any

import numpy as np

from geodata.model import CLASSES, OUTSIDE, Demand, Zones
from geodata.roads import Bools, Ints


def groups(zones: Zones, zone: Ints, urban: Bools) -> list[tuple[str, str, str, Bools]]:
    """Lay out the rows of a table by township: every township, then all urban, all rural, and all, of those inside the county.

    Parameters
    ----------
    zones : Zones
    zone : (points,) int64
        Position in `zones`, OUTSIDE if none.
    urban : (points,) bool

    Returns
    -------
    list of tuple
        row ("zone", "urban", "rural", "total"), zone_id and zone (its name), and which points, (points,) bool.
    """
    inside = np.asarray(zone != OUTSIDE)
    sums = (("urban", "城镇 urban", inside & urban), ("rural", "农村 rural", inside & ~urban), ("total", "合计 total", inside))
    by_zone = [("zone", zones.id[at], zones.name[at], np.asarray(zone == at)) for at in range(len(zones.id))]
    return [*by_zone, *((row, "", name, which) for row, name, which in sums)]


def place_columns(zones: Zones, demand: Demand, at: Ints) -> dict[str, Any]:
    """Say of which places the rows are: id, name, zone_id, zone, class ("urban", "rural"), people of these points, all inside."""
    return {
        "id": np.array(demand.id, dtype=object)[at],
        "name": np.array(demand.name, dtype=object)[at],
        "zone_id": np.array(zones.id, dtype=object)[demand.zone[at]],
        "zone": np.array(zones.name, dtype=object)[demand.zone[at]],
        "class": np.where(demand.urban[at], *CLASSES),
        "people": demand.people[at],
    }
