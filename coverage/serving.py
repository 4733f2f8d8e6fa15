"""Who is served by which facility, kept so that one facility more or less is a small step: a column each, and how many serve each point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import shapely
from scipy.sparse import csr_array

from coverage.search import Weight, start_delay_ms
from coverage.snap import WaysOn, projected, snap_demand, snap_facilities
from coverage.travel_times import Destinations, destinations, times_to
from geodata.model import Demand, Facilities
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints, great_circle_m
from geodata.standards import ServiceDefinition

Measure = Literal["minutes", "network_m", "straight_m"]
MEASURES: tuple[Measure, ...] = ("minutes", "network_m", "straight_m")
MS_PER_MINUTE = 60_000
MM_PER_M = 1_000
ELLIPSOID = 1.01  # a projected distance and the great circle differ by less than this


@dataclass(frozen=True, eq=False)
class Question:
    """A definition on a network, with demand points made ready: what every facility is asked.

    Attributes
    ----------
    definition : ServiceDefinition
    network : Network
    ways : WaysOn
        Of the demand points.
    limits : dict
        By measure: (demand points,) float64, in ms, mm or metres in a straight line; nan where the point's class has no such limit.
    ready : dict
        By measure along roads: the demand points to arrive at.
    """

    definition: ServiceDefinition
    network: Network
    ways: WaysOn
    limits: dict[Measure, Floats]
    ready: dict[Measure, Destinations]

    @property
    def stated(self) -> Ints:
        """How many limits hold for each demand point."""
        return np.asarray(np.sum([~np.isnan(limit) for limit in self.limits.values()], axis=0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class Served:
    """Whom each facility serves.

    Attributes
    ----------
    question : Question
    columns : tuple of (points,) int64
        For each facility the demand points within every limit of their class, in no order that means anything.
    times : (demand points,) int64
        How many facilities serve each.
    """

    question: Question
    columns: tuple[Ints, ...]
    times: Ints

    @property
    def covered(self) -> Bools:
        """Which demand points are served by any facility."""
        return np.asarray(self.times > 0)

    @cached_property
    def covers(self) -> csr_array:
        """(demand points, facilities) sparse bool."""
        facility = np.repeat(np.arange(len(self.columns)), [len(column) for column in self.columns])
        point = np.concatenate([np.zeros(0, dtype=np.int64), *self.columns])
        return csr_array((np.ones(len(point), dtype=bool), (point, facility)), shape=(len(self.times), len(self.columns)))


def question(definition: ServiceDefinition, network: Network, demand: Demand, *, ways: WaysOn | None = None) -> Question:
    """Make demand points ready to be asked about under a definition; `ways` are theirs, if they are known already."""
    ways = snap_demand(network, demand) if ways is None else ways
    limits: dict[Measure, Floats] = {}
    for measure in MEASURES:
        urban, rural = (getattr(limit, measure) for limit in (definition.urban, definition.rural))
        if urban is not None or rural is not None:
            said = np.where(demand.urban, urban, rural).astype(np.float64)  # None becomes nan, which nothing is within
            limits[measure] = said if measure == "straight_m" else np.rint(said * (MS_PER_MINUTE if measure == "minutes" else MM_PER_M))
    ready: dict[Measure, Destinations] = {
        measure: destinations(network, ways, direction=definition.direction, weight=_weight(measure))
        for measure in limits
        if measure != "straight_m"
    }
    return Question(definition, network, ways, limits, ready)


def served(asked: Question, facilities: Facilities, *, ways: WaysOn | None = None) -> Served:
    """Find whom each facility serves: every limit of the point's class holds, each on its own best way, inclusive."""
    columns = _columns(asked, facilities, snap_facilities(asked.network, facilities) if ways is None else ways)
    return Served(asked, columns, _times(asked, columns))


def opened(before: Served, facilities: Facilities, *, ways: WaysOn | None = None) -> Served:
    """With these facilities more, behind the others; nothing else is searched anew."""
    new = _columns(before.question, facilities, snap_facilities(before.question.network, facilities) if ways is None else ways)
    times = before.times.copy()
    for column in new:
        times[column] += 1
    return replace(before, columns=before.columns + new, times=times)


def closed(before: Served, facility: int) -> Served:
    """Without the facility at this position."""
    times = before.times.copy()
    times[before.columns[facility]] -= 1
    return replace(before, columns=before.columns[:facility] + before.columns[facility + 1 :], times=times)


def chosen(before: Served, facilities: Ints) -> Served:
    """Only the facilities at these positions, in this order."""
    columns = tuple(before.columns[at] for at in facilities)
    return Served(before.question, columns, _times(before.question, columns))


def _times(asked: Question, columns: tuple[Ints, ...]) -> Ints:
    points = np.concatenate([np.zeros(0, dtype=np.int64), *columns])
    return np.bincount(points, minlength=asked.ways.count).astype(np.int64)


def _weight(measure: Measure) -> Weight:
    return "time" if measure == "minutes" else "distance"


def _columns(asked: Question, facilities: Facilities, ways: WaysOn) -> tuple[Ints, ...]:
    """The demand points that each facility serves."""
    pairs = [_pairs(asked, measure, facilities, ways) for measure in asked.limits]
    point, facility = pairs[0] if len(pairs) == 1 else _in_all(pairs, asked.stated, max(1, len(facilities)))
    order = np.argsort(facility, kind="stable")
    ends = np.cumsum(np.bincount(facility, minlength=len(facilities)))
    return tuple(np.split(point[order], ends[:-1])) if len(facilities) else ()


def _in_all(pairs: list[tuple[Ints, Ints]], stated: Ints, facilities: int) -> tuple[Ints, Ints]:
    """The pairs of point and facility that hold in every measure in which the point has a limit."""
    keys, how_many = np.unique(np.concatenate([point * facilities + facility for point, facility in pairs]), return_counts=True)
    point, facility = np.divmod(keys[how_many == stated[keys // facilities]], facilities)
    return point, facility


def _pairs(asked: Question, measure: Measure, facilities: Facilities, ways: WaysOn) -> tuple[Ints, Ints]:
    """Pairs of demand point and facility within each point's limit by one measure; each once."""
    limits = asked.limits[measure]
    if measure == "straight_m":
        return _within_straight(asked, ways, limits)
    largest = float(np.fmax.reduce(limits, initial=0.0))
    times = times_to(asked.ready[measure], ways, limit=largest, delay_ms=start_delay_ms(asked.definition, facilities))
    near = times.cost <= limits[times.demand]
    return times.demand[near], times.facility[near]


def _within_straight(asked: Question, ways: WaysOn, limits_m: Floats) -> tuple[Ints, Ints]:
    """In a straight line, by great circle and any entrance."""
    homes, gates = (projected(some.lonlat, asked.network.crs) for some in (asked.ways, ways))
    largest = float(np.fmax.reduce(limits_m, initial=0.0)) * ELLIPSOID
    gate, home = shapely.STRtree(homes).query(gates, predicate="dwithin", distance=largest)
    point, facility = asked.ways.owner[home], ways.owner[gate]
    near = great_circle_m(ways.lonlat[gate], asked.ways.lonlat[home]) <= limits_m[point]
    pairs = np.unique(np.column_stack([point[near], facility[near]]), axis=0)
    return pairs[:, 0], pairs[:, 1]
