"""Communities as they are sent somewhere, whole: settlements joined from their demand points, raster cells each by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coverage.stats import ROUNDING
from coverage.studies.pairs import Pairs
from geodata.model import Demand
from geodata.pack import read_only
from geodata.roads import Bools, Ints


@dataclass(frozen=True, eq=False)
class Communities:
    """Settlements, or raster cells.

    Attributes
    ----------
    id, name : (communities,) str
    zone : (communities,) int64
    urban : (communities,) bool
    people : (communities,) int64
    of_point : (points,) int64
        The community of each demand point.
    people_of_point : (points,) int64
    """

    id: tuple[str, ...]
    name: tuple[str, ...]
    zone: Ints
    urban: Bools
    people: Ints
    of_point: Ints
    people_of_point: Ints

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def communities_of(demand: Demand, people: Ints) -> Communities:
    """Join the points of each settlement of a township, in the order of its first point."""
    keys = [(zone, text, "" if text else one) for zone, text, one in zip(demand.zone, demand.settlement, demand.id, strict=True)]
    number = {key: at for at, key in enumerate(dict.fromkeys(keys))}
    of_point = np.array([number[key] for key in keys], dtype=np.int64)
    first = np.unique(of_point, return_index=True)[1]
    several = np.bincount(of_point, minlength=len(number)) > 1
    return Communities(
        id=tuple(demand.settlement[at] if many else demand.id[at] for at, many in zip(first, several, strict=True)),
        name=tuple(demand.settlement[at] if many else demand.name[at] for at, many in zip(first, several, strict=True)),
        zone=demand.zone[first],
        urban=demand.urban[first],
        people=np.bincount(of_point, people, minlength=len(number)).astype(np.int64),
        of_point=of_point,
        people_of_point=people,
    )


def community_pairs(communities: Communities, pairs: Pairs, share: float) -> Pairs:
    """Pairs of community and point from those of demand point and point: enough of its people are within, the farthest of them counts."""
    keys, at = np.unique(communities.of_point[pairs.point] * pairs.facilities + pairs.facility, return_inverse=True)
    community, facility = np.divmod(keys, max(1, pairs.facilities))
    people = np.bincount(at, communities.people_of_point[pairs.point], minlength=len(keys))
    points, all_points = np.bincount(at, minlength=len(keys)), np.bincount(communities.of_point, minlength=len(communities.id))
    wanted = communities.people[community]
    cost = np.zeros(len(keys), dtype=np.int64)
    np.maximum.at(cost, at, pairs.cost)
    enough = np.where(wanted > 0, people >= share * wanted * (1 - ROUNDING), points == all_points[community])
    return Pairs(pairs.measure, len(communities.id), pairs.facilities, community, facility, cost).take(enough)
