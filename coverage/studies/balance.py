"""Which community goes to which point, whole: to its nearest, or so that the last point to finish does so as early as it can."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, hstack
from scipy.sparse.csgraph import connected_components

from coverage.studies.pairs import Pairs
from geodata.roads import Floats, Ints

NODES = 200  # of branch and bound, a group of communities: a count, not a clock, so that every run ends alike
ROUNDING = 1e-9
WHOLE = 1e-6  # what the solver's bound may be off a whole number
NOWHERE = -1


@dataclass(frozen=True, eq=False)
class Assignment:
    """Where each community goes.

    Attributes
    ----------
    site : (communities,) int64
        NOWHERE if no point is in reach.
    least_per_lane : float
        No assignment has fewer people than this for each lane of its fullest point, where more than `enough` are; 0 if not sought.
    """

    site: Ints
    least_per_lane: float


def nearest(pairs: Pairs) -> Assignment:
    """Send each community to the point of least cost; of equal ones the first."""
    order = np.lexsort((pairs.facility, pairs.cost, pairs.point))
    community, first = np.unique(pairs.point[order], return_index=True)
    site = np.full(pairs.points, NOWHERE)
    site[community] = pairs.facility[order][first]
    return Assignment(site, 0.0)


def balanced(people: Ints, lanes: Floats, pairs: Pairs, *, enough: float) -> Assignment:
    """Send communities so that the fullest point has the fewest people for each lane, then with the least total travel.

    Exactly this is sought in each group of communities and points that pairs connect, by itself, so that a group is not left uneven
    because another one is worse. Nothing is balanced beyond `enough` people for a lane: from there on the nearer point is better.
    To share out whole communities is NP-hard (scheduling on machines, some of which can do some of the jobs); a mixed-integer program
    finds the best or, after NODES nodes, a good one, and `least_per_lane` says how good it could be at most.

    Parameters
    ----------
    people : (communities,) int64
    lanes : (points,) float64
        Whole, and more than 0 wherever a pair leads.
    pairs : Pairs
    enough : float
        People for each lane.

    Returns
    -------
    Assignment

    Notes
    -----
    SOURCE: minimum makespan with restricted assignment, Lenstra, Shmoys & Tardos 1990, doi:10.1007/BF01585745.
    """
    site, least = nearest(pairs).site, 0.0
    tail, head = pairs.point, pairs.points + pairs.facility
    size = pairs.points + pairs.facilities
    group = connected_components(csr_array((np.ones(len(pairs)), (tail, head)), shape=(size, size)), directed=False)[1]
    for one in np.unique(group[pairs.point[people[pairs.point] > 0]]):
        part = pairs.take((group[pairs.point] == one) & (people[pairs.point] > 0))
        fullest = _per_lane(site, people, lanes, part)
        if fullest <= enough:
            continue
        best, bound = _least_fullest(people, lanes, part, start=site)
        least = max(least, bound)
        cap = max(enough, _per_lane(best, people, lanes, part))
        site = _least_travel(people, lanes * cap, part, start=best)
    return Assignment(site, least)


def _per_lane(site: Ints, people: Ints, lanes: Floats, part: Pairs) -> float:
    """People for each lane at the fullest point of a group."""
    community = np.unique(part.point)
    there = np.bincount(site[community], people[community], minlength=len(lanes))
    return float(np.divide(there, lanes, out=np.zeros(len(lanes)), where=there > 0).max())


def _least_fullest(people: Ints, lanes: Floats, part: Pairs, *, start: Ints) -> tuple[Ints, float]:
    """Minimise the people for each lane at the fullest point; the assignment, and a proven lower bound.

    Counted in parts of a person that make every load a whole number: a program of whole numbers only.
    """
    points = np.unique(part.facility)
    parts = float(math.lcm(*(int(one) for one in lanes[points])))
    most = _per_lane(start, people, lanes, part)
    part = part.take(people[part.point] <= most * lanes[part.facility])  # what is too full by itself is no way to do better
    once, load = _rows(people, part)
    points = np.unique(part.facility)
    heavy = csr_array((parts / lanes[points], (np.arange(len(points)),) * 2)) @ load
    count = len(part)
    found = milp(
        np.append(np.zeros(count), 1.0),
        integrality=np.ones(count + 1),
        bounds=Bounds(0, np.append(np.ones(count), round(most * parts))),
        constraints=[
            LinearConstraint(hstack([once, csr_array((once.shape[0], 1))]), 1, 1),
            LinearConstraint(hstack([heavy, csr_array(-np.ones((len(points), 1)))]), -np.inf, 0),
        ],
        options={"node_limit": NODES, "mip_rel_gap": 0.0},
    )
    site = start if found.x is None else _sites(found.x[:count], part, start)
    better = _per_lane(site, people, lanes, part) < most
    return site if better else start, math.ceil((found.mip_dual_bound or 0.0) - WHOLE) / parts


def _least_travel(people: Ints, most: Floats, part: Pairs, *, start: Ints) -> Ints:
    """Minimise people × cost with at most so many people at each point; `start` fits."""
    once, load = _rows(people, part)
    travel = (people[part.point] * part.cost).astype(np.float64)
    found = milp(
        travel,
        integrality=np.ones(len(part)),
        bounds=Bounds(0, 1),
        constraints=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(load, -np.inf, np.floor(most[np.unique(part.facility)] * (1 + ROUNDING))),
        ],
        options={"node_limit": NODES, "mip_rel_gap": 0.0},
    )
    stays = part.facility == start[part.point]
    return start if found.x is None or found.fun >= travel[stays].sum() else _sites(found.x, part, start)


def _rows(people: Ints, part: Pairs) -> tuple[csr_array, csr_array]:
    """Rows of the program: each community goes once; the people of each point. Both in ascending order, a column a pair."""
    columns = np.arange(len(part))
    community, facility = (np.unique(one, return_inverse=True)[1] for one in (part.point, part.facility))
    once = csr_array((np.ones(len(part)), (community, columns)))
    return once, csr_array((people[part.point].astype(np.float64), (facility, columns)))


def _sites(chosen: Floats, part: Pairs, start: Ints) -> Ints:
    """Put the chosen pairs of a group into an assignment."""
    picked, site = np.flatnonzero(chosen > 0.5), start.copy()  # noqa: PLR2004 — 0 or 1, to the solver's tolerance
    site[part.point[picked]] = part.facility[picked]
    return site
