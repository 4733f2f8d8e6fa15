"""Before and after: who gains and who loses, by township and by settlement. The baseline is the empty scenario: one road for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from coverage.stats import CoverageResult, coverage, zone_table
from geodata.model import Region
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.model import Scenario, changed_region

State = Literal["new", "moved", "closed"]
_SIDES = (
    *("covered_people", "share_people", "covered_settlements", "share_settlements"),
    *("covered_people_low", "covered_people_high", "share_people_low", "share_people_high", "covered_old", "share_old"),
)


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
    """

    scenario: Scenario
    before: CoverageResult
    after: CoverageResult
    by_zone: pd.DataFrame
    changed: pd.DataFrame
    sites: pd.DataFrame


def compare(prepared: Prepared, scenario: Scenario, definition: ServiceDefinition, *, before: CoverageResult | None = None) -> Comparison:
    """Compute coverage before and after a scenario, and the difference.

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
        Changes that do not fit, see :func:`scenarios.model.changed_region`.
    """
    region, network = prepared.region, prepared.network_of(definition)
    changed = changed_region(prepared, scenario)
    before = before or coverage(region, definition, network)
    after = coverage(changed, definition, network, before=before)
    return Comparison(
        scenario=scenario,
        before=before,
        after=after,
        by_zone=_by_zone(region, before, after),
        changed=_changed(region, before, after),
        sites=_sites(region, before, after),
    )


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
    states |= {one: "moved" for one in new if one in old and new[one] != old[one]}
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
