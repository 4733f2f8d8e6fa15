"""Before and after: who gains and who loses, by township and by settlement. The baseline is the empty scenario: one way for both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from coverage.stats import CoverageResult, coverage, zone_table
from geodata.model import Region
from geodata.network import Network
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.model import Scenario, changed
from scenarios.roadworks import ROAD_COLUMNS

State = Literal["new", "moved", "closed"]
_SIDES = (
    *("covered_people", "share_people", "covered_settlements", "share_settlements"),
    *("covered_people_low", "covered_people_high", "share_people_low", "share_people_high", "covered_old", "share_old"),
)


_NO_ROADS = gpd.GeoDataFrame({name: [] for name in ROAD_COLUMNS}, geometry="geometry", crs="EPSG:4326")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Coverage under one definition before and after a scenario.

    Attributes
    ----------
    scenario : Scenario
    before, after : CoverageResult
    by_zone : DataFrame
        row, zone_id, zone, people, settlements, old as in ``coverage.stats.zone_table``; its covered and share columns without
        ``_without_external``, each ``_before`` and ``_after``; gained_people (covered after, not before) and lost_people (the reverse),
        and the least and most of both, ``_low`` and ``_high``; gained_old and lost_old.
    changed : DataFrame
        The demand points inside the county that gained or lost, most people first: id, name, zone_id, zone, people, change
        ("gained" or "lost"), lon, lat.
    sites : DataFrame
        The facilities of the definition that the scenario changed, in the order of their ids: id, name, kind, lon, lat (of the first
        entrance), state ("new", "moved" or "closed"), people (within its limits, of those inside the county, whoever else serves them).
    roads : GeoDataFrame
        The roads of the definition's mode that the scenario changed, see :meth:`scenarios.roadworks.RoadWorks.table`.
    """

    scenario: Scenario
    before: CoverageResult
    after: CoverageResult
    by_zone: pd.DataFrame
    changed: pd.DataFrame
    sites: pd.DataFrame
    roads: gpd.GeoDataFrame

    @property
    def differs(self) -> bool:
        """Whether the scenario changes anything that the definition asks about."""
        return len(self.sites) + len(self.roads) > 0


def compare(prepared: Prepared, scenario: Scenario, definition: ServiceDefinition, *, before: CoverageResult | None = None) -> Comparison:
    """Compute coverage before and after a scenario, and the difference.

    What a change cannot touch is not searched anew: facilities that stand as they did on roads of the mode that are as they were.

    Parameters
    ----------
    prepared : Prepared
    scenario : Scenario
    definition : ServiceDefinition
    before : CoverageResult, optional
        Of the same region and definition, if it is there already.

    Raises
    ------
    OptionError
        Changes that do not fit, see :func:`scenarios.model.changed`.
    """
    region, planned = prepared.region, changed(prepared, scenario)
    before = before or coverage(region, definition, prepared.network_of(definition))
    works = planned.works if planned.works is not None and planned.works.touch(definition.mode) else None
    if works is None:
        after = coverage(planned.prepared.region, definition, before.network, before=before)
    else:
        on_roads = _on_changed_roads(planned.prepared.network_of(definition), region, before)
        after = coverage(planned.prepared.region, definition, on_roads.network, before=on_roads)
    return Comparison(
        scenario=scenario,
        before=before,
        after=after,
        by_zone=_by_zone(region, before, after),
        changed=_changed(region, before, after),
        sites=_sites(region, before, after),
        roads=_NO_ROADS if works is None else works.table(definition.mode),
    )


@lru_cache(maxsize=4)  # so that a click on a page with changed roads costs no more than one with those of today
def _on_changed_roads(network: Network, region: Region, before: CoverageResult) -> CoverageResult:
    """Coverage by the facilities of today on the roads of a scenario."""
    return coverage(region, before.definition, network, before=before)


def _by_zone(region: Region, before: CoverageResult, after: CoverageResult) -> pd.DataFrame:
    share = after.definition.settlement_share
    table = before.by_zone[["row", "zone_id", "zone", "people", "settlements", "old"]].copy()
    for column in _SIDES:
        table[f"{column}_before"], table[f"{column}_after"] = before.by_zone[column], after.by_zone[column]
    for change, which in (("gained", after.covered & ~before.covered), ("lost", before.covered & ~after.covered)):
        changed = zone_table(region.zones, region.demand, which, which, share)
        for counted in ("people", "people_low", "people_high", "old"):
            table[f"{change}_{counted}"] = changed[f"covered_{counted}"]
    return table


def _changed(region: Region, before: CoverageResult, after: CoverageResult) -> pd.DataFrame:
    demand, zones = region.demand, region.zones
    at = np.flatnonzero(demand.inside & (before.covered != after.covered))
    at = at[np.lexsort((np.array(demand.id, dtype=str)[at], -demand.people[at]))]
    columns = {
        "id": np.array(demand.id, dtype=object)[at],
        "name": np.array(demand.name, dtype=object)[at],
        "zone_id": np.array(zones.id, dtype=object)[demand.zone[at]],
        "zone": np.array(zones.name, dtype=object)[demand.zone[at]],
        "people": demand.people[at],
        "change": np.where(after.covered[at], "gained", "lost"),
        "lon": demand.lonlat[at, 0],
        "lat": demand.lonlat[at, 1],
    }
    return pd.DataFrame(columns)


def _sites(region: Region, before: CoverageResult, after: CoverageResult) -> pd.DataFrame:
    """What the scenario changed among the facilities of the definition."""
    old, new = _places(region, before), _places(region, after)
    states: dict[str, State] = {one: "new" for one in new if one not in old}
    states |= {one: "moved" for one in new if one in old and new[one][:-1] != old[one][:-1]}
    states |= {one: "closed" for one in old if one not in new}
    rows = [(one, *(new.get(one) or old[one]), state) for one, state in sorted(states.items())]
    return pd.DataFrame(rows, columns=["id", "name", "kind", "lon", "lat", "people", "state"])


def _places(region: Region, result: CoverageResult) -> dict[str, tuple[str, str, float, float, float]]:
    """Name, kind, lon, lat and people within the limits of each facility that may be shown, by id."""
    places = result.facilities
    people = result.covers.T @ (region.demand.people * region.demand.inside)
    lonlat = places.entrance[places.first_entrance[:-1]]
    every = zip(places.id, places.name, places.kind, *lonlat.T.tolist(), people.tolist(), places.restricted, strict=True)
    return {one: (name, kind, lon, lat, of) for one, name, kind, lon, lat, of, restricted in every if not restricted}
