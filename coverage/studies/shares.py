"""People of catchments: whose nearest facility each one is, so that catchments have people as well as areas.

A catchment (``coverage.circles.catchments``) is a picture, and people are counted at the people: who is covered by a facility that may be
shown belongs to the nearest of these by the first measure of the limit, of equally near ones to the first by id. Everybody counts once.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from coverage.search import start_delay_ms
from coverage.serving import ELLIPSOID, MEASURES, Measure, Question, Served, chosen
from coverage.snap import WaysOn, projected, snap_facilities
from coverage.stats import ROUNDING
from coverage.travel_times import nearest_facility
from geodata.model import CLASSES, Demand, Facilities
from geodata.roads import Bools, Ints, great_circle_m


def catchment_people(served: Served, facilities: Facilities, demand: Demand) -> pd.DataFrame:
    """Count the people and settlements of each catchment; the sum of people is what all facilities that may be shown cover together.

    A settlement counts once: if the definition's share of its people is covered by facilities that may be shown, where most of these belong
    (of equal parts the first row). Restricted facilities have no catchment; whom they serve is with the nearest that may be shown, if one
    covers them, else nowhere. Only residents inside the county are counted.

    Parameters
    ----------
    served : Served
    facilities : Facilities
        Those of `served`, in its order.
    demand : Demand
        The points of `served`.

    Returns
    -------
    DataFrame
        facility_id, facility, class (as in ``coverage.circles.catchments``, in its order), people, settlements; a row for each catchment
        to which any demand point inside belongs.
    """
    definition = served.question.definition
    listed = [at for at in sorted(range(len(facilities)), key=facilities.id.__getitem__) if not facilities.restricted[at]]
    shown = facilities.take(np.array(listed, dtype=np.int64))
    names = ("all",) if definition.urban == definition.rural else CLASSES
    covered = chosen(served, np.array(listed, dtype=np.int64)).covered & demand.inside
    key = _nearest(served.question, shown, demand, covered) + len(shown) * (~demand.urban if len(names) > 1 else 0)
    keys, row_of = np.unique(key[covered], return_inverse=True)
    class_, owner = np.divmod(keys, max(1, len(shown)))
    row = np.full(len(demand), -1)
    row[covered] = row_of
    return pd.DataFrame(
        {
            "facility_id": [shown.id[at] for at in owner],
            "facility": [shown.name[at] for at in owner],
            "class": [names[at] for at in class_],
            "people": np.bincount(row_of, demand.people[covered], minlength=len(keys)),
            "settlements": np.bincount(_rows_of_settlements(demand, row, definition.settlement_share), minlength=len(keys)),
        }
    )


def _nearest(asked: Question, shown: Facilities, demand: Demand, covered: Bools) -> Ints:
    """The nearest facility of every covered demand point by the first measure of the limit of its class; -1 for the others."""
    owner, ways = np.full(len(demand), -1), snap_facilities(asked.network, shown)
    delay_ms = start_delay_ms(asked.definition, shown)
    for limit, of_class in ((asked.definition.urban, demand.urban), (asked.definition.rural, ~demand.urban)):
        mine = np.flatnonzero(covered & of_class)
        measure = next(one for one in MEASURES if getattr(limit, one) is not None)
        if len(mine) and measure == "straight_m":
            owner[mine] = _nearest_straight(asked, measure, ways, mine)
        elif len(mine):
            weight, homes = asked.ready[measure].weight, asked.ways.take(mine)
            direction = asked.definition.direction
            owner[mine] = nearest_facility(asked.network, ways, homes, direction=direction, weight=weight, delay_ms=delay_ms)[0]
    return owner


def _nearest_straight(asked: Question, measure: Measure, ways: WaysOn, mine: Ints) -> Ints:
    """The nearest facility of some covered points by great circle and any entrance."""
    homes = asked.ways.take(mine)
    most_m = float(asked.limits[measure][mine].max()) * ELLIPSOID
    gates = shapely.STRtree(projected(ways.lonlat, asked.network.crs))
    point, gate = gates.query(projected(homes.lonlat, asked.network.crs), predicate="dwithin", distance=most_m)
    home, facility = homes.owner[point], ways.owner[gate]
    order = np.lexsort((facility, great_circle_m(ways.lonlat[gate], homes.lonlat[point]), home))
    return np.asarray(facility[order][np.unique(home[order], return_index=True)[1]])


def _rows_of_settlements(demand: Demand, row: Ints, share: float) -> Ints:
    """The row to which each covered settlement belongs, given that of each point (-1: none)."""
    names, number = np.unique(np.array(demand.settlement, dtype=str), return_inverse=True)
    mine = np.flatnonzero(demand.inside & (names[number] != ""))
    _, home = np.unique(demand.zone[mine] * len(names) + number[mine], return_inverse=True)  # villages of two townships may have one name
    within, people, points = row[mine] >= 0, np.bincount(home, demand.people[mine]), np.bincount(home)
    people_in, points_in = np.bincount(home, demand.people[mine] * within), np.bincount(home, within)
    enough = np.where(people > 0, people_in >= share * people * (1 - ROUNDING), points_in == points)
    points_of = pd.DataFrame({"home": home, "row": row[mine], "people": demand.people[mine]})[within & enough[home]]
    parts = points_of.groupby(["home", "row"], as_index=False)["people"].sum()
    largest = parts.sort_values("people", ascending=False, kind="stable").drop_duplicates("home")
    return np.asarray(largest["row"], dtype=np.int64)
