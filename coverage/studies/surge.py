"""Surge (sampling) points: communities sent whole to a point within the limits; done in time, how long the queue, where lanes are short.

METHOD: capacity = lanes × rate × hours; done in time if capacity ≥ people; worst wait at most 30 minutes. The queue is that of
``coverage.studies.queues``, in which a late rush counts as it is felt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from coverage.serving import MM_PER_M, MS_PER_MINUTE, Measure
from coverage.studies.balance import NOWHERE, Assignment, balanced, nearest
from coverage.studies.communities import Communities, communities_of, community_pairs
from coverage.studies.pairs import Pairs, counted_by_id, inside_by_id, pairs_within, whole_people
from coverage.studies.queues import ROUNDING, Arrivals, enough_per_lane, finish_h, lanes_to_finish, lanes_to_keep_wait, worst_wait_h
from coverage.tables import groups
from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.model import CLASSES, Facilities, Region, Zones
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition

Assign = Literal["nearest", "balanced"]
ASSIGN: Final[tuple[Assign, ...]] = get_args(Assign)
MOST_WAIT_MIN: Final = 30.0
MINUTES: Final = 60.0
WITHOUT_EXTERNAL: Final = "_without_external"


@dataclass(frozen=True)
class SurgeTerms:
    """What is asked of the points.

    Attributes
    ----------
    rate : float
        People that a lane serves in an hour.
    hours : float
        How long the points are open.
    share : float
        Of the people, 0–1: who comes.
    assign : "nearest" or "balanced"
    arrivals : Arrivals, optional
        When they come; evenly over the opening hours unless given.
    wait_min : float
        How long anybody may wait, in minutes.
    lanes : int, optional
        Of a point that does not state its own.

    Raises
    ------
    OptionError
        All numbers that make no sense, at once.
    """

    rate: float
    hours: float
    share: float = 1.0
    assign: Assign = "nearest"
    arrivals: Arrivals | None = None
    wait_min: float = MOST_WAIT_MIN
    lanes: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be reckoned with."""
        above_0 = {"--rate": self.rate, "--hours": self.hours, "--share": self.share, "--lanes": self.lanes}
        wrong = [name for name, value in above_0.items() if value is not None and not 0 < value < math.inf]
        problems = [
            Problem(f"{name} 须大于 0（给出 {above_0[name]}）。", f"{name} must be above 0 (given: {above_0[name]}).") for name in wrong
        ]
        if self.share > 1:
            problems.append(Problem(f"--share 至多为 1（给出 {self.share}）。", f"--share is at most 1 (given: {self.share})."))
        if not 0 <= self.wait_min < math.inf:
            problems.append(Problem(f"--wait 不得小于 0（给出 {self.wait_min}）。", f"--wait must be 0 or more (given: {self.wait_min})."))
        if self.arrivals is not None and self.arrivals.end > self.hours:
            end = f"{self.arrivals.end:g} > {self.hours:g}"
            problems.append(Problem(f"到达时段超出开放时间（{end} 小时）。", f"People still come after closing ({end} hours)."))
        if problems:
            raise OptionError(*problems)

    @property
    def coming(self) -> Arrivals:
        """When people come."""
        return Arrivals.even(self.hours) if self.arrivals is None else self.arrivals


@dataclass(frozen=True)
class Standing:
    """How the points do as a whole.

    Attributes
    ----------
    people, assigned, out_of_reach : int
        Who is to come; of them who has a point to go to.
    done : int
        People who are done by closing.
    in_time, wait_kept : int
        People at points where the last one is done by closing; at points where nobody waits too long.
    points, late, slow : int
        Points with people; of them those that are not done by closing; those where somebody waits too long.
    last_finish_h, worst_wait_min : float
        Hours after opening; nan without people.
    lanes, more_lanes : int
        Lanes of the points with people; how many more make all of these points finish in time and keep the wait.
    """

    people: int
    assigned: int
    out_of_reach: int
    done: int
    in_time: int
    wait_kept: int
    points: int
    late: int
    slow: int
    last_finish_h: float
    worst_wait_min: float
    lanes: int
    more_lanes: int


@dataclass(frozen=True, eq=False)
class SurgeResult:
    """Communities sent to surge points, and how the points do.

    Attributes
    ----------
    definition : ServiceDefinition
    terms : SurgeTerms
    measure : "minutes", "network_m" or "straight_m"
        What "near" means.
    standing, standing_without_external : Standing
    least_last_finish_h : float
        For "balanced": no assignment of whole communities finishes earlier; equal to the last finish if that is proven to be best. nan
        for "nearest".
    by_zone : DataFrame
        A row a township, then all urban, all rural, and all: row, zone_id, zone, people, assigned, out_of_reach, share_assigned, in_time
        and wait_kept (people whose point is done by closing, or keeps the wait), then all but people again ``_without_external``.
    sites : DataFrame
        A row a point that may be shown, those that lack most lanes first: id, name, kind, external, lanes, communities, people,
        done (by closing), capacity_people, share_used, in_time, finish_h, worst_wait_min (nan without people), lanes_to_finish,
        lanes_to_keep_wait, more_lanes.
    communities : DataFrame
        In the order of their first point's id: id, name, zone_id, zone, class, people, state ("assigned" or "out_of_reach"), site_id,
        site_name, minutes or metres (to its farthest place within the limits); the last three "" and nan if the point may not be shown:
        even how far it is would tell where it stands.
    people_not_shown : int
        People who go to restricted points.
    """

    definition: ServiceDefinition
    terms: SurgeTerms
    measure: Measure
    standing: Standing
    standing_without_external: Standing
    least_last_finish_h: float
    by_zone: pd.DataFrame
    sites: pd.DataFrame
    communities: pd.DataFrame
    people_not_shown: int


def surge(region: Region, definition: ServiceDefinition, network: Network, terms: SurgeTerms) -> SurgeResult:
    """Send each community to a surge point within the limits, and compute when the points finish and how long people wait.

    A community may go to a point if at least the definition's share of its people is within the limits of it; how far it is, is how far
    the farthest of those are. Raster cells are communities by themselves.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
    network : Network
        Of the definition's mode and hour.
    terms : SurgeTerms

    Raises
    ------
    InputError
        Points do not state their lanes, and the terms do not say how many such a point has; or lanes are no whole numbers.
    """
    demand, facilities = inside_by_id(region.demand), counted_by_id(region, definition)
    lanes = _lanes(facilities, terms)
    communities = communities_of(demand, whole_people(demand.people * terms.share, demand.zone))
    pairs = community_pairs(communities, pairs_within(definition, network, demand, facilities), definition.settlement_share)
    pairs = pairs.take(lanes[pairs.facility] > 0)
    plan = _plan(communities, lanes, pairs, terms)
    alone = _plan(communities, lanes, pairs.take(~facilities.external[pairs.facility]), terms) if facilities.external.any() else plan
    bound = finish_h(np.array([plan.least_per_lane]), terms.rate, terms.coming)[0] if terms.assign == "balanced" else math.nan
    return SurgeResult(
        definition=definition,
        terms=terms,
        measure=pairs.measure,
        standing=_standing(plan, communities),
        standing_without_external=_standing(alone, communities),
        least_last_finish_h=float(bound) if (plan.people > 0).any() else math.nan,
        by_zone=_by_zone(region.zones, communities, plan, alone),
        sites=_site_table(facilities, plan, terms),
        communities=_community_table(region.zones, facilities, communities, plan, pairs),
        people_not_shown=int(plan.people[facilities.restricted].sum()),
    )


def _lanes(facilities: Facilities, terms: SurgeTerms) -> Floats:
    """Lanes of each point: its own, else those of the terms."""
    silent = np.flatnonzero(np.isnan(facilities.capacity))
    if len(silent) and terms.lanes is None:
        named = first_few(_shown(facilities, silent))
        raise InputError(
            Problem(
                f"{len(silent)}/{len(facilities)} 个点没有通道数（capacity）：{named}。请补上，或用 --lanes 说明这些点各有几条。",
                f"{len(silent)} of {len(facilities)} points do not state their lanes (capacity): {named}. Fill them in, or say with "
                "--lanes how many such a point has.",
            )
        )
    lanes = np.where(np.isnan(facilities.capacity), terms.lanes or 0.0, facilities.capacity)
    if len(parts := np.flatnonzero(lanes % 1)):
        named = first_few(_shown(facilities, parts))
        raise InputError(Problem(f"通道数应为整数：{named}。", f"Lanes must be whole numbers: {named}."))
    return lanes


def _shown(facilities: Facilities, which: Ints) -> list[str]:
    return ["不列名 not shown" if facilities.restricted[at] else facilities.name[at] for at in which]


@dataclass(frozen=True, eq=False)
class _Plan:
    """Where the communities go, and what that makes of each point."""

    site: Ints
    least_per_lane: float
    lanes: Floats
    people: Ints
    communities: Ints
    done: Ints
    in_time: Bools
    wait_kept: Bools
    finish_h: Floats
    worst_wait_h: Floats
    to_finish: Ints
    to_keep_wait: Ints

    @property
    def more_lanes(self) -> Ints:
        """Lanes that a point needs more, to finish in time and to keep the wait."""
        needed = np.maximum(self.to_finish, self.to_keep_wait)
        return np.maximum(0, np.ceil(needed - self.lanes)).astype(np.int64)


def _plan(communities: Communities, lanes: Floats, pairs: Pairs, terms: SurgeTerms) -> _Plan:
    wait_h, coming = terms.wait_min / MINUTES, terms.coming
    goes = _assignment(communities.people, lanes, pairs, terms)
    sent = goes.site != NOWHERE
    people = np.bincount(goes.site[sent], communities.people[sent], minlength=len(lanes)).astype(np.int64)
    per_lane = np.divide(people, lanes, out=np.zeros(len(lanes)), where=people > 0)
    finish, wait = finish_h(per_lane, terms.rate, coming), worst_wait_h(per_lane, terms.rate, coming)
    return _Plan(
        site=goes.site,
        least_per_lane=goes.least_per_lane,
        lanes=lanes,
        people=people,
        communities=np.bincount(goes.site[sent], minlength=len(lanes)),
        done=np.floor(people - lanes * terms.rate * np.maximum(0.0, finish - terms.hours) + ROUNDING).astype(np.int64),
        in_time=finish <= terms.hours * (1 + ROUNDING),
        wait_kept=wait <= wait_h + ROUNDING,
        finish_h=np.where(people > 0, finish, np.nan),
        worst_wait_h=np.where(people > 0, wait, np.nan),
        to_finish=lanes_to_finish(people, terms.rate, coming, hours=terms.hours),
        to_keep_wait=lanes_to_keep_wait(people, terms.rate, coming, wait_h=wait_h),
    )


def _assignment(people: Ints, lanes: Floats, pairs: Pairs, terms: SurgeTerms) -> Assignment:
    if terms.assign == "nearest":
        return nearest(pairs)
    return balanced(people, lanes, pairs, enough=enough_per_lane(terms.rate, terms.coming, wait_h=terms.wait_min / MINUTES))


def _standing(plan: _Plan, communities: Communities) -> Standing:
    used = plan.people > 0
    assigned = int(plan.people.sum())
    return Standing(
        people=int(communities.people.sum()),
        assigned=assigned,
        out_of_reach=int(communities.people.sum()) - assigned,
        done=int(plan.done.sum()),
        in_time=int(plan.people[plan.in_time].sum()),
        wait_kept=int(plan.people[plan.wait_kept].sum()),
        points=int(used.sum()),
        late=int((used & ~plan.in_time).sum()),
        slow=int((used & ~plan.wait_kept).sum()),
        last_finish_h=float(plan.finish_h[used].max()) if used.any() else math.nan,
        worst_wait_min=float(plan.worst_wait_h[used].max()) * MINUTES if used.any() else math.nan,
        lanes=int(plan.lanes[used].sum()),
        more_lanes=int(plan.more_lanes[used].sum()),
    )


def _by_zone(zones: Zones, communities: Communities, plan: _Plan, alone: _Plan) -> pd.DataFrame:
    labels = ("row", "zone_id", "zone")
    rows = groups(zones, communities.zone, communities.urban)
    return pd.DataFrame([dict(zip(labels, said, strict=True)) | _counts(communities, plan, alone, which) for *said, which in rows])


def _counts(communities: Communities, plan: _Plan, alone: _Plan, which: Bools) -> dict[str, float]:
    """Sums over the communities `which`."""
    people = int(communities.people[which].sum())
    counts: dict[str, float] = {"people": people}
    for suffix, one in (("", plan), (WITHOUT_EXTERNAL, alone)):
        sent = which & (one.site != NOWHERE)
        in_time, wait_kept = (sent & np.append(fine, False)[one.site] for fine in (one.in_time, one.wait_kept))
        assigned, done, short = (int(communities.people[some].sum()) for some in (sent, in_time, wait_kept))
        counts |= {
            "assigned" + suffix: assigned,
            "out_of_reach" + suffix: people - assigned,
            "share_assigned" + suffix: assigned / people if people else math.nan,
            "in_time" + suffix: done,
            "wait_kept" + suffix: short,
        }
    return counts


def _site_table(facilities: Facilities, plan: _Plan, terms: SurgeTerms) -> pd.DataFrame:
    capacity = plan.lanes * terms.rate * terms.hours
    table = pd.DataFrame(
        {
            "id": facilities.id,
            "name": facilities.name,
            "kind": facilities.kind,
            "external": facilities.external,
            "lanes": plan.lanes,
            "communities": plan.communities,
            "people": plan.people,
            "done": plan.done,
            "capacity_people": np.floor(capacity * (1 + ROUNDING)),
            "share_used": np.divide(plan.people, capacity, out=np.full(len(capacity), np.nan), where=capacity > 0),
            "in_time": plan.in_time,
            "finish_h": plan.finish_h,
            "worst_wait_min": plan.worst_wait_h * MINUTES,
            "lanes_to_finish": plan.to_finish,
            "lanes_to_keep_wait": plan.to_keep_wait,
            "more_lanes": plan.more_lanes,
        }
    )
    order = np.lexsort((-plan.people, -np.nan_to_num(plan.finish_h), -plan.more_lanes))
    return table.iloc[order[~facilities.restricted[order]]].reset_index(drop=True)


def _community_table(zones: Zones, facilities: Facilities, communities: Communities, plan: _Plan, pairs: Pairs) -> pd.DataFrame:
    shown = np.append(~facilities.restricted, False)[plan.site]  # nowhere is the last
    cost = {(point, site): cost for point, site, cost in zip(pairs.point, pairs.facility, pairs.cost, strict=True)}
    far = np.array([cost.get(pair, math.nan) if named else math.nan for pair, named in zip(enumerate(plan.site), shown, strict=True)])
    columns: Mapping[str, object] = {
        "id": communities.id,
        "name": communities.name,
        "zone_id": np.array(zones.id, dtype=object)[communities.zone],
        "zone": np.array(zones.name, dtype=object)[communities.zone],
        "class": np.where(communities.urban, *CLASSES),
        "people": communities.people,
        "state": np.where(plan.site == NOWHERE, "out_of_reach", "assigned"),
        "site_id": np.where(shown, np.array([*facilities.id, ""], dtype=object)[plan.site], ""),
        "site_name": np.where(shown, np.array([*facilities.name, ""], dtype=object)[plan.site], ""),
        "minutes" if pairs.measure == "minutes" else "metres": far / (MS_PER_MINUTE if pairs.measure == "minutes" else MM_PER_M),
    }
    return pd.DataFrame(columns)
