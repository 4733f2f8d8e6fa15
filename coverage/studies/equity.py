"""Equity: how unevenly the time to the nearest facility falls on people: townships, urban and rural, the worst-off tenth, Gini, Theil."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from coverage.search import start_delay_ms
from coverage.snap import WaysOn, snap_demand
from coverage.stats import counted
from coverage.studies.inequality import theil_between, time_figures, worst_off
from coverage.studies.trips import Trips, causes, minutes_of, trips
from coverage.tables import groups, place_columns
from geodata.model import Demand, Facilities, Region, Zones
from geodata.network import Network
from geodata.roads import Bools, Floats
from geodata.standards import ServiceDefinition

OLD: Final = ("old", "", "65岁及以上 65+")
RANGED: Final = ("mean_minutes", "p90_minutes", "tenth_mean_minutes", "gini")


@dataclass(frozen=True, eq=False)
class EquityResult:
    """How the time to the nearest facility is distributed under one definition.

    Attributes
    ----------
    definition : ServiceDefinition
    facilities : Facilities
        Those counted: of the definition's kinds and open on the region's day.
    by_zone : DataFrame
        A row a township, then "urban", "rural", "total", and "old" (people of 65 and over in the whole county; only if they are known of
        every point with people). Columns row, zone_id, zone; ``inequality.TimeFigures``; the same ``_without_external``; those of
        ``RANGED`` as ``_low`` and ``_high``, the least and most over ``demand.spreads`` (nan for 65+); old and old_mean_minutes.
    by_settlement : DataFrame
        The demand points inside, longest first, those not reached before all: id, name, zone_id, zone, class, people, old, minutes,
        nearest_id, nearest_name (the nearest that may be shown; its time), cause ("" where it is reached, else a key of
        ``coverage.gaps.CAUSES``, or ``trips.NOT_LISTED``), tenth_people (how many of its people are in the county's worst-off
        tenth, by the nearest of all).
    theil_between : float
        The part of the county's Theil index that stands between townships.
    """

    definition: ServiceDefinition
    facilities: Facilities
    by_zone: pd.DataFrame
    by_settlement: pd.DataFrame
    theil_between: float


def equity(region: Region, definition: ServiceDefinition, network: Network) -> EquityResult:
    """Tell who needs how long to the nearest facility, and how unevenly that is distributed. Limits play no part.

    The time is that of the definition's mode, direction and hour, its delays (call handling, turnout) included.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
    network : Network
        Of the definition's mode and hour.
    """
    facilities = counted(region, definition)
    homes = snap_demand(network, region.demand)
    delay_ms = start_delay_ms(definition, facilities)
    found = trips(network, facilities, homes, direction=definition.direction, delay_ms=delay_ms)
    demand = region.demand
    reached = np.flatnonzero(demand.inside & np.isfinite(found.ms))
    return EquityResult(
        definition=definition,
        facilities=facilities,
        by_zone=_zone_table(region.zones, demand, found),
        by_settlement=_settlement_table(region, found, homes),
        theil_between=theil_between(found.ms[reached], demand.people[reached], demand.zone[reached]),
    )


def worst_townships(by_zone: pd.DataFrame) -> pd.DataFrame:
    """The townships with people, the longest mean first: those where nobody is reached, then by the mean of all (at least), then by id."""
    lived = by_zone[(by_zone["row"] == "zone") & (by_zone["people"] > 0)]
    order = lived.assign(_at=lived["mean_at_least_minutes"].fillna(np.inf)).sort_values(["_at", "zone_id"], ascending=[False, True])
    return order.drop(columns="_at")


def old_known(demand: Demand) -> bool:
    """Whether the people of 65 and over are known of every point inside that has people."""
    return not bool(np.isnan(demand.old[demand.inside & (demand.people > 0)]).any())


def _zone_table(zones: Zones, demand: Demand, found: Trips) -> pd.DataFrame:
    old = np.where(demand.people > 0, demand.old, 0.0)
    table = []
    for row, zone_id, zone, which in groups(zones, demand.zone, demand.urban):
        figures = _figures(found, demand.people, which) | _range(found, demand.spreads, which)
        table.append({"row": row, "zone_id": zone_id, "zone": zone, **figures, **_old(found, old, which)})
    if old_known(demand):
        inside = demand.inside
        table.append(
            {**dict(zip(("row", "zone_id", "zone"), OLD, strict=True)), **_figures(found, old, inside), **_old(found, old, inside)}
        )
    return pd.DataFrame(table)


def _figures(found: Trips, people: Floats, which: Bools) -> dict[str, float]:
    """All figures with and without the facilities outside the county."""
    with_, without = (time_figures(ms[which], people[which])._asdict() for ms in (found.ms, found.ms_without_external))
    return with_ | {f"{name}_without_external": value for name, value in without.items() if name != "people"}


def _range(found: Trips, spreads: Floats, which: Bools) -> dict[str, float]:
    """Least and most of the ranged figures over the spreads; nan where a spread gives none."""
    each = [time_figures(found.ms[which], people[which])._asdict() for people in spreads]
    low = {f"{name}_low": float(np.min([figures[name] for figures in each])) for name in RANGED}
    return low | {f"{name}_high": float(np.max([figures[name] for figures in each])) for name in RANGED}


def _old(found: Trips, old: Floats, which: Bools) -> dict[str, float]:
    if np.isnan(old[which]).any():
        return {"old": math.nan, "old_mean_minutes": math.nan}
    figures = time_figures(found.ms[which], old[which])
    return {"old": figures.people, "old_mean_minutes": figures.mean_minutes}


def _settlement_table(region: Region, found: Trips, homes: WaysOn) -> pd.DataFrame:
    demand, places = region.demand, found.facilities
    inside = np.flatnonzero(demand.inside)
    tenth = worst_off(found.ms[inside], demand.people[inside])
    order = np.lexsort((np.array(demand.id, dtype=str)[inside], -found.shown_ms[inside]))
    mine = inside[order]
    return pd.DataFrame(
        {
            **place_columns(region.zones, demand, mine),
            "old": demand.old[mine],
            "minutes": minutes_of(found.shown_ms[mine]),
            "nearest_id": np.array([*places.id, ""], dtype=object)[found.shown[mine]],
            "nearest_name": np.array([*places.name, ""], dtype=object)[found.shown[mine]],
            "cause": np.array(causes(found, homes), dtype=object)[mine],
            "tenth_people": tenth[order],
        }
    )
