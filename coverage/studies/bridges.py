"""Which bridge matters most: what is lost when one bridge alone is cut, each in turn, exactly.

Importance of a link as in Jenelius, Petersen & Mattsson 2006 (doi:10.1016/j.tra.2005.11.003): what is lost, and how much longer ways are,
when it alone is closed. A bridge whose links lie on no best way to a facility, and onto which nobody steps, changes nothing and is not
searched.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from coverage.cuts import cut
from coverage.search import Weight, nearest, start_delay_ms
from coverage.serving import MM_PER_M, MS_PER_MINUTE
from coverage.snap import WaysOn
from coverage.stats import CoverageResult, within_limits
from coverage.travel_times import nearest_facility
from geodata.model import Demand, Facilities
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints, Roads
from geodata.standards import Direction, ServiceDefinition


@dataclass(frozen=True, eq=False)
class Bridges:
    """The bridges of a network.

    Attributes
    ----------
    tagged : bool
        By the tag bridge=* of OSM; False: the map has none, and pieces of road that cross mapped water stand in, each by itself.
    group : (pieces,) int64
        Number of the bridge that a piece belongs to, ascending with the way ids; -1 for the others.
    """

    tagged: bool
    group: Ints

    def __len__(self) -> int:
        """Count the bridges."""
        return int(self.group.max(initial=-1)) + 1

    def without(self, pieces: Bools) -> Bridges:
        """Only the bridges that have none of these pieces, numbered anew in the same order."""
        kept = ~np.isin(self.group, self.group[pieces]) & (self.group >= 0)
        group = np.full(len(self.group), -1)
        group[kept] = np.unique(self.group[kept], return_inverse=True)[1]
        return Bridges(tagged=self.tagged, group=group)


def bridges_of(roads: Roads) -> Bridges:
    """Group the pieces of each bridge: those of one way, and touching ones of one name.

    Parameters
    ----------
    roads : Roads
        The pieces of one network.
    """
    if roads.bridge.any():
        on = np.flatnonzero(roads.bridge)
        return Bridges(tagged=True, group=_numbered(roads, on, _same_bridge(roads, on)))
    found = shapely.STRtree(roads.lines()).query(roads.water, predicate="intersects")[1]
    on = np.unique(found)
    return Bridges(tagged=False, group=_numbered(roads, on, np.arange(len(on))))


def _same_bridge(roads: Roads, on: Ints) -> Ints:
    """A label for each of these pieces, equal for those of one bridge."""
    pairs = [_of_equal(roads.way_id[on], np.arange(len(on)))]
    named = np.array(roads.road_names, dtype=object)[roads.name[on]] != ""
    ends = np.concatenate([roads.tail[on], roads.head[on]])
    alike = ends * len(roads.road_names) + np.tile(roads.name[on], 2)
    both = np.flatnonzero(np.tile(named, 2))
    pairs.append(_of_equal(alike[both], both % len(on)))
    a, b = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(len(on), len(on)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _of_equal(key: Ints, piece: Ints) -> Ints:
    """Pairs of neighbours among the pieces of one key."""
    order = np.argsort(key, kind="stable")
    same = key[order][1:] == key[order][:-1]
    return np.stack([piece[order][:-1][same], piece[order][1:][same]])


def _numbered(roads: Roads, on: Ints, label: Ints) -> Ints:
    """Number the labels by the least way id of their pieces, then by the first piece."""
    group = np.full(len(roads), -1)
    if len(on):
        order = np.lexsort((on, roads.way_id[on]))
        names, first = np.unique(label[order], return_index=True)
        number = np.empty(len(names), dtype=np.int64)
        number[np.argsort(first)] = np.arange(len(names))
        group[on] = number[np.searchsorted(names, label)]
    return group


def bridge_losses(demand: Demand, before: CoverageResult, facility_ways: WaysOn, group: Ints) -> pd.DataFrame:
    """Tell what is lost when each bridge alone is cut, and nothing else.

    Parameters
    ----------
    demand : Demand
    before : CoverageResult
        With all bridges.
    facility_ways : WaysOn
        Of its facilities, onto its network.
    group : (pieces,) int64
        Of :func:`bridges_of`.

    Returns
    -------
    DataFrame
        One row a bridge, in the order of their numbers: bridge, used (whether it lies on any best way at all); of the people inside:
        lost_people and lost_people_without_external (covered before, not after, by all facilities and by those inside), longer_people
        (whose way to the nearest facility grows), person_minutes (by how much, summed over people who still have a way),
        worst_minutes (the most any place loses; 0 if none) and worst (position of that demand point, -1), cut_off_people (a way before,
        none after).
    """
    asked = _Asked(demand, before, facility_ways)
    today, served = asked.of(before.network)
    rows = []
    for bridge, used in enumerate(_used(asked, before.network, group)):
        after, still = asked.of(cut(before.network, group == bridge)) if used else (today, served)
        rows.append({"bridge": bridge, "used": used} | _loss(demand, today, after, list(zip(served, still, strict=True))))
    columns = ["bridge", "used", "lost_people", "lost_people_without_external", "longer_people", "person_minutes", "worst_minutes", "worst"]
    return pd.DataFrame(rows, columns=[*columns, "cut_off_people"])


def _loss(demand: Demand, before: Floats, after: Floats, served: list[tuple[Bools, Bools]]) -> dict[str, float]:
    inside, people = demand.inside, demand.people
    lost = [math.fsum(people[inside & was & ~still]) for was, still in served]
    longer = inside & np.isfinite(after) & (after > before)
    more = np.where(longer, after, 0.0) - np.where(longer, before, 0.0)
    worst = int(np.argmax(more)) if longer.any() else -1
    return {
        "lost_people": lost[0],
        "lost_people_without_external": lost[1],
        "longer_people": math.fsum(people[longer]),
        "person_minutes": math.fsum(people * more),
        "worst_minutes": float(more[worst]) if worst >= 0 else 0.0,
        "worst": worst,
        "cut_off_people": math.fsum(people[inside & np.isfinite(before) & ~np.isfinite(after)]),
    }


class _Question(TypedDict):
    """What a search for the nearest facility is asked."""

    direction: Direction
    weight: Weight
    delay_ms: Ints


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked of every network, that of `before` first: who is covered, and how far the nearest facility is."""

    demand: Demand
    before: CoverageResult
    facility_ways: WaysOn
    known: dict[tuple[int, Weight], tuple[Floats, Floats]] = field(default_factory=dict)  # costs of today at nodes, and at the demand

    @property
    def definition(self) -> ServiceDefinition:
        """The definition that is asked about."""
        return self.before.definition

    @property
    def facilities(self) -> Facilities:
        """Those that are counted."""
        return self.before.facilities

    @property
    def variants(self) -> list[Ints]:
        """All facilities, and those inside."""
        return [np.arange(len(self.facilities)), np.flatnonzero(~self.facilities.external)]

    @property
    def weights(self) -> tuple[Weight, ...]:
        """What the limits measure along roads."""
        limits = self.definition.limits.values()
        measured: dict[Weight, bool] = {
            "time": any(limit.minutes is not None for limit in limits),
            "distance": any(limit.network_m is not None for limit in limits),
        }
        return tuple(weight for weight, is_measured in measured.items() if is_measured)

    @property
    def decided_by_nearest(self) -> bool:
        """Whether the nearest facility decides who is covered: there is one limit along roads, and none in a straight line."""
        return len(self.weights) == 1 and self.definition.urban.straight_m is self.definition.rural.straight_m is None

    def of(self, network: Network) -> tuple[Floats, list[Bools]]:
        """Minutes to the nearest facility (inf: no way), and who is covered by all facilities, and by those inside."""
        everything, inner = self.variants
        to_all = {weight: self.cost(network, everything, weight) for weight in {"time", *self.weights}}
        if not self.decided_by_nearest:
            covered = [self.within(network, which) for which in self.variants]
        else:
            weight = self.weights[0]
            costs = [to_all[weight], to_all[weight] if len(inner) == len(everything) else self.cost(network, inner, weight)]
            covered = [np.asarray(cost <= self.most(weight)) for cost in costs]
        return to_all["time"] / MS_PER_MINUTE, covered

    def cost(self, network: Network, which: Ints, weight: Weight) -> Floats:
        """To the nearest of some facilities, in ms or mm; inf where no way leads. Only those whom a cut can touch are asked anew."""
        delay_ms, gates = start_delay_ms(self.definition, self.facilities.take(which)), self.facility_ways.take(which)
        asked: _Question = {"direction": self.definition.direction, "weight": weight, "delay_ms": delay_ms}
        at_nodes, homes = nearest(network, gates, **asked)[1], self.before.demand_ways
        if network is self.before.network:
            self.known[len(which), weight] = at_nodes, nearest_facility(network, gates, homes, **asked)[1]
            return self.known[len(which), weight][1]
        today_at_nodes, today = self.known[len(which), weight]
        touched = self._touched(network, at_nodes[: len(today_at_nodes)] != today_at_nodes)
        some, cost = np.unique(homes.place[touched[homes.piece]]), today.copy()
        if len(some):
            cost[some] = nearest_facility(network, gates, homes.take(some), **asked)[1]
        return cost

    def _touched(self, network: Network, changed: Bools) -> Bools:
        """Which pieces are cut, or end at a node (or a copy of one) whose cost changed: whoever steps onto no such piece fares as today."""
        today = self.before.network
        moved = np.zeros(today.node_count, dtype=bool)
        moved[today.copy_of[changed]] = True
        return np.asarray(moved[today.start] | moved[today.end] | (network.start != today.start))

    def most(self, weight: Weight) -> Floats:
        """The limit of each point, in ms or mm; nan, which nothing is within, where its class has none."""
        measure, unit = ("minutes", MS_PER_MINUTE) if weight == "time" else ("network_m", MM_PER_M)
        urban, rural = (getattr(limit, measure) for limit in (self.definition.urban, self.definition.rural))
        return np.asarray(np.rint(np.where(self.demand.urban, urban, rural).astype(np.float64) * unit))

    def within(self, network: Network, which: Ints) -> Bools:
        """Who is within all limits of one of some facilities."""
        ways = {"demand_ways": self.before.demand_ways, "facility_ways": self.facility_ways.take(which)}
        return np.asarray(within_limits(self.definition, network, self.demand, self.facilities.take(which), **ways).sum(axis=1) > 0)


def _used(asked: _Asked, network: Network, group: Ints) -> Bools:
    """Which bridges lie on a best way to the nearest facility, or are stepped onto; all of them if several limits must hold at once.

    A best way consists of links along which the cost to the nearest facility falls by just their own cost.
    """
    used = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
    for piece in (asked.facility_ways.piece, asked.before.demand_ways.piece):
        used[group[piece][group[piece] >= 0]] = True
    if asked.weights and not asked.decided_by_nearest:
        return np.ones_like(used)
    link = np.flatnonzero(group[network.run // 2] >= 0)
    piece, against = np.divmod(network.run[link], 2)
    there, here = (network.tail, network.head) if asked.definition.direction == "from_facility" else (network.head, network.tail)
    for weight in {"time", *asked.weights}:
        own = np.where(against, network.backward_ms[piece], network.forward_ms[piece]) if weight == "time" else network.length_mm[piece]
        for which in asked.variants:
            delay_ms, ways = start_delay_ms(asked.definition, asked.facilities.take(which)), asked.facility_ways.take(which)
            cost = nearest(network, ways, direction=asked.definition.direction, weight=weight, delay_ms=delay_ms)[1]
            used[group[piece[np.isfinite(cost[there[link]]) & (cost[there[link]] + own == cost[here[link]])]]] = True
    return used
