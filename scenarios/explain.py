"""Why two definitions of a service give different figures: one ingredient changed after another, the parts add up exactly.

The order of the changes (:func:`steps_between`) matters: of two changes that only together reach somebody, the later one is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from coverage.stats import CoverageResult, coverage
from geodata.errors import InputError, OptionError, Problem
from geodata.model import Demand, Facilities, Zones
from geodata.region import Prepared
from geodata.roads import Bools, Ints
from geodata.standards import ServiceDefinition

Ingredient = Literal["kinds", "mode", "hour", "direction", "delays", "limit", "settlement_share"]
INGREDIENTS: Final[dict[Ingredient, tuple[str, ...]]] = {
    "kinds": ("kinds",),
    "mode": ("mode",),
    "hour": ("hour",),
    "direction": ("direction",),
    "delays": ("call_handling_s", "turnout_s"),
    "limit": ("urban", "rural"),
    "settlement_share": ("settlement_share",),
}
Count = Literal["people", "settlements", "standing"]
MOST_EXAMPLES: Final = 5


@dataclass(frozen=True)
class Step:
    """One ingredient changed: the definitions before and after it."""

    ingredient: Ingredient
    before: ServiceDefinition
    after: ServiceDefinition


@dataclass(frozen=True)
class Figure:
    """A way to count coverage that a document may have meant.

    Attributes
    ----------
    definition : str
        Its id.
    row : "total", "urban" or "rural"
    count : "people", "settlements" (enough of whose people are covered) or "standing" (a facility of the kinds stands in it)
    external : bool
        Facilities outside the county count too.
    """

    definition: str
    row: str
    count: Count
    external: bool


@dataclass(frozen=True, eq=False)
class Reconciled:
    """A published share beside every figure that the definitions give.

    Attributes
    ----------
    share : float
        As published, 0–1.
    figures : DataFrame
        definition, row, count, external, share, gap (share − published); the nearest first.
    walk : DataFrame
        From the first definition's share of people to the nearest figure: ingredient, share_before, share_after, change; the changes
        add up.
    """

    share: float
    figures: pd.DataFrame
    walk: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Explanation:
    """Two definitions of a service compared, and why they differ.

    Attributes
    ----------
    service_id : str
    a, b : ServiceDefinition
    steps : tuple of Step
        From `a` to `b`, only ingredients that differ.
    by_zone : DataFrame
        A row a township, then urban, rural, total: row, zone_id, zone, people, both, only_a, only_b, neither, share_a, share_b,
        settlements, settlements_a, settlements_b.
    parts : DataFrame
        A row a step and row of `by_zone`: step, ingredient, row, zone_id, zone, gained_people, lost_people, gained_settlements (net),
        covered_people (after the step). Somebody under only one of the definitions belongs to the last step that changed it: over the
        steps, gained_people adds up to only_b, lost_people to only_a, gained_settlements to settlements_b − settlements_a.
    examples : DataFrame
        The largest settlements of each step: step, ingredient, change ("gained", "lost"), id, name, zone, people.
    figures : DataFrame
        How both definitions count: definition, row, count, external, share.
    reconciled : Reconciled or None
    """

    service_id: str
    a: ServiceDefinition
    b: ServiceDefinition
    steps: tuple[Step, ...]
    by_zone: pd.DataFrame
    parts: pd.DataFrame
    examples: pd.DataFrame
    figures: pd.DataFrame
    reconciled: Reconciled | None


def explain(prepared: Prepared, service_id: str, a_id: str | None, b_id: str, *, published: float | None = None) -> Explanation:
    """Tell by township who is covered under only one of two definitions, and because of which ingredient.

    Parameters
    ----------
    prepared : Prepared
    service_id : str
    a_id : str or None
        The service's first definition if None.
    b_id : str
    published : float, optional
        A published share, 0–1, to be held against all definitions of the service.

    Raises
    ------
    OptionError
        No such service or definition, or a share that is none.
    InputError
        Nobody lives there, or there is no road of a mode.
    """
    service = prepared.services.service(service_id)
    a, b = service.definition(a_id), service.definition(b_id)
    if published is not None and not 0 <= published <= 1:
        raise OptionError(
            Problem(f"占比须在 0 与 100 之间（给出 {published:.0%}）。", f"A share is from 0 to 100 % (given: {published:.0%}).")
        )
    runs = _Runs(prepared)
    steps = steps_between(a, b)
    results = [runs.of(a), *(runs.of(step.after) for step in steps)]
    covered = np.array([result.covered for result in results])
    return Explanation(
        service_id=service_id,
        a=a,
        b=b,
        steps=steps,
        by_zone=_groups(prepared, results[0], results[-1]),
        parts=_parts(prepared, steps, results, covered),
        examples=_examples(prepared, steps, covered),
        figures=pd.concat([_figures(prepared, runs.of(one), one.id) for one in dict.fromkeys((a, b))], ignore_index=True),
        reconciled=None if published is None else _reconcile(runs, a, service.definitions, published),
    )


def steps_between(a: ServiceDefinition, b: ServiceDefinition) -> tuple[Step, ...]:
    """Change one ingredient of `a` after another into that of `b`, only what differs.

    The order is that of ``INGREDIENTS``, but from a definition without minutes to one with minutes the limit is changed right after the
    kinds: mode, direction and delays mean little to metres, so they are judged while minutes are counted.
    """
    order = list(INGREDIENTS)
    if _by_minutes(b) and not _by_minutes(a):
        order.remove("limit")
        order.insert(order.index("mode"), "limit")
    steps, now = [], a
    for ingredient in order:
        after = now.model_copy(update={name: getattr(b, name) for name in INGREDIENTS[ingredient]})
        same_kinds = ingredient == "kinds" and set(after.kinds) == set(now.kinds)
        if not same_kinds and any(getattr(after, name) != getattr(now, name) for name in INGREDIENTS[ingredient]):
            steps.append(Step(ingredient, now, after))
            now = after
    return tuple(steps)


def _by_minutes(definition: ServiceDefinition) -> bool:
    return any(limit.minutes is not None for limit in definition.limits.values())


@dataclass(frozen=True, eq=False)
class _Runs:
    """Coverage of a region, computed once for what decides it."""

    prepared: Prepared
    done: dict[str, CoverageResult] = field(default_factory=dict)

    def of(self, definition: ServiceDefinition) -> CoverageResult:
        names = [name for several in INGREDIENTS.values() for name in several]
        key = repr([getattr(definition, name) for name in names])
        if key not in self.done:
            self.done[key] = coverage(self.prepared.region, definition, self.prepared.network_of(definition))
        return self.done[key]


def _masks(zones: Zones, demand: Demand) -> list[Bools]:
    """The points of each row of a township table: townships, urban, rural, total."""
    inside = demand.inside
    townships = [np.asarray(demand.zone == at) for at in range(len(zones.id))]
    return [*townships, inside & demand.urban, inside & ~demand.urban, inside]


def _sum(demand: Demand, which: Bools) -> float:
    return math.fsum(demand.people[which])


def _groups(prepared: Prepared, first: CoverageResult, last: CoverageResult) -> pd.DataFrame:
    """People covered under both definitions, one, or none, by township."""
    demand, table, after = prepared.region.demand, first.by_zone, last.by_zone
    rows = _masks(prepared.region.zones, demand)
    a, b = first.covered, last.covered
    groups = {"both": a & b, "only_a": a & ~b, "only_b": ~a & b, "neither": ~a & ~b}
    people = {name: [_sum(demand, which & mask) for which in rows] for name, mask in groups.items()}
    shares = {"share_a": table["share_people"], "share_b": after["share_people"], "settlements": table["settlements"]}
    settlements = {"settlements_a": table["covered_settlements"], "settlements_b": after["covered_settlements"]}
    return table[["row", "zone_id", "zone", "people"]].assign(**people, **shares, **settlements)


def _last_change(covered: Bools) -> Ints:
    """For each point the last step that changed it, -1 for none: points covered alike at both ends are not asked about."""
    changed = covered[1:] != covered[:-1]
    if len(changed) == 0:
        return np.full(covered.shape[1], -1)
    last = len(changed) - 1 - np.argmax(changed[::-1], axis=0)
    return np.where(covered[0] != covered[-1], last, -1)


def _parts(prepared: Prepared, steps: Sequence[Step], results: Sequence[CoverageResult], covered: Bools) -> pd.DataFrame:
    demand, last = prepared.region.demand, _last_change(covered)
    labels = results[0].by_zone[["row", "zone_id", "zone"]]
    masks = _masks(prepared.region.zones, demand)
    columns = ["step", "ingredient", *labels.columns, "gained_people", "lost_people", "gained_settlements", "covered_people"]
    tables = [pd.DataFrame(columns=columns)] if not steps else []
    for at, step in enumerate(steps):
        here = last == at
        before, after = (results[number].by_zone for number in (at, at + 1))
        tables.append(
            labels.assign(
                step=at + 1,
                ingredient=step.ingredient,
                gained_people=[_sum(demand, which & here & covered[-1]) for which in masks],
                lost_people=[_sum(demand, which & here & ~covered[-1]) for which in masks],
                gained_settlements=after["covered_settlements"] - before["covered_settlements"],
                covered_people=after["covered_people"],
            )
        )
    return pd.concat(tables, ignore_index=True)[columns]


def _examples(prepared: Prepared, steps: Sequence[Step], covered: Bools) -> pd.DataFrame:
    """The settlements with most people, of each step and direction."""
    demand, zones, last = prepared.region.demand, prepared.region.zones, _last_change(covered)
    found = []
    for at, step in enumerate(steps):
        for change, mask in (("gained", covered[-1]), ("lost", ~covered[-1])):
            places = np.flatnonzero((last == at) & mask & demand.inside)
            largest = places[np.lexsort((np.array(demand.id, dtype=str)[places], -demand.people[places]))][:MOST_EXAMPLES]
            labels = {"step": at + 1, "ingredient": step.ingredient, "change": change}
            found += [
                labels
                | {"id": demand.id[place], "name": demand.name[place]}
                | {"zone": zones.name[demand.zone[place]], "people": float(demand.people[place])}
                for place in largest
            ]
    return pd.DataFrame(found, columns=["step", "ingredient", "change", "id", "name", "zone", "people"])


def _figures(prepared: Prepared, result: CoverageResult, definition_id: str) -> pd.DataFrame:
    """Every way to count one definition that gives a figure."""
    said = []
    table = result.by_zone.set_index("row")
    standing = standing_in(prepared.region.demand, result.facilities, prepared.region.zones)
    for row in ("total", "urban", "rural"):
        for count in ("people", "settlements"):
            for external in (True, False):
                share = float(table.loc[row, f"share_{count}" + ("" if external else "_without_external")])
                said.append((definition_id, row, count, external, share))
        said.append((definition_id, row, "standing", False, standing[row]))
    frame = pd.DataFrame(said, columns=["definition", "row", "count", "external", "share"])
    return frame[frame["share"].notna()]


def standing_in(demand: Demand, facilities: Facilities, zones: Zones) -> dict[str, float]:
    """Share of settlements in which a facility stands, by class and in all; nan where there are none.

    A facility stands in the settlement of its own township that is nearest to one of its entrances, in a straight line; it has no limit,
    since every place of a township belongs to one of its villages.
    """
    names, number = np.unique(np.array(demand.settlement, dtype=str), return_inverse=True)
    points = np.flatnonzero(demand.inside & (names[number] != ""))
    village = demand.zone[points] * len(names) + number[points]
    gates = facilities.entrance[np.repeat(~facilities.external, np.diff(facilities.first_entrance))]
    gate_zone = zones.locate(gates)
    hosts: set[int] = set()
    for zone in np.unique(gate_zone[gate_zone >= 0]):
        mine = np.flatnonzero(demand.zone[points] == zone)
        if len(mine):
            north = np.cos(np.radians(zones.bounds[1]))  # a degree of longitude is shorter
            tree = KDTree(demand.lonlat[points[mine]] * [north, 1.0])
            hosts.update(village[mine[tree.query(gates[gate_zone == zone] * [north, 1.0])[1]]].tolist())
    _, first = np.unique(village, return_index=True)
    hosting = np.isin(village[first], sorted(hosts))
    urban = demand.urban[points[first]]
    rows = {"total": np.ones(len(first), dtype=bool), "urban": urban, "rural": ~urban}
    return {row: float(hosting[which].mean()) if which.any() else math.nan for row, which in rows.items()}


def _reconcile(runs: _Runs, a: ServiceDefinition, definitions: Sequence[ServiceDefinition], share: float) -> Reconciled:
    """All figures of all definitions, the nearest to the published one first, and the walk to it."""
    prepared = runs.prepared
    every = pd.concat([_figures(prepared, runs.of(one), one.id) for one in definitions], ignore_index=True)
    if every.empty:
        raise InputError(Problem("没有人口，无从比较。", "Nobody lives there: no share can be compared."))
    every["gap"] = every["share"] - share
    order = every["gap"].abs().round(9).sort_values(kind="stable").index  # of equals the first definition, all people before a class
    figures = every.loc[order].reset_index(drop=True)
    nearest = figures.iloc[0]
    target = next(one for one in definitions if one.id == nearest["definition"])
    figure = Figure(target.id, str(nearest["row"]), nearest["count"], bool(nearest["external"]))
    return Reconciled(share, figures, _walk(runs, a, target, figure))


def _walk(runs: _Runs, a: ServiceDefinition, target: ServiceDefinition, figure: Figure) -> pd.DataFrame:
    """Change the definition step by step, then leave out external facilities, then take the class, then the unit that is counted."""

    def share(definition: ServiceDefinition, row: str, count: Count, *, external: bool) -> float:
        table = _figures(runs.prepared, runs.of(definition), "")
        here = table[(table["row"] == row) & (table["count"] == count) & (table["external"] == external)]
        return float(here["share"].iloc[0]) if len(here) else math.nan

    stations = [("start", share(a, "total", "people", external=True))]
    stations += [(step.ingredient, share(step.after, "total", "people", external=True)) for step in steps_between(a, target)]
    if not figure.external:
        stations.append(("external", share(target, "total", "people", external=False)))
    if figure.row != "total":
        stations.append((figure.row, share(target, figure.row, "people", external=figure.external)))
    if figure.count != "people":
        stations.append((figure.count, share(target, figure.row, figure.count, external=figure.external)))
    walked = [(name, before, after, after - before) for (_, before), (name, after) in pairwise(stations)]
    return pd.DataFrame(walked, columns=["ingredient", "share_before", "share_after", "change"])
