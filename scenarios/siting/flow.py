"""Recount whom chosen sites of limited capacity can serve: a maximum flow in exact whole numbers, sharing no code with the model.

SOURCE: shortest augmenting paths, Edmonds & Karp 1972, doi:10.1145/321694.321699.
"""

from __future__ import annotations

import math
from collections import deque
from fractions import Fraction

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.question import Mask, Numbers


def served_within(near: csr_array, people: Numbers, capacity: Numbers, chosen: Mask) -> float:
    """Count the most people that the chosen sites can serve within the limit, none more than its capacity.

    Parameters
    ----------
    near : (demand, candidates) sparse bool
    people : (demand,) float64
    capacity : (candidates,) float64
        Infinite (or nan) where any number can be served.
    chosen : (candidates,) bool

    Returns
    -------
    float
        The exact maximum, rounded once.

    Examples
    --------
    >>> near = csr_array(np.array([[True, False], [True, True]]))
    >>> served_within(near, np.array([5.0, 4.0]), np.array([6.0, 3.0]), np.array([True, True]))
    9.0
    """
    sites = np.flatnonzero(chosen)
    reach = np.asarray(csr_array(near)[:, sites].todense()).astype(np.bool_)
    parties: dict[bytes, tuple[list[int], Fraction]] = {}  # people within reach of the same chosen sites
    for row, count in zip(reach, people.tolist(), strict=True):
        if count > 0 and row.any():
            among, so_far = parties.get(row.tobytes(), (np.flatnonzero(row).tolist(), Fraction(0)))
            parties[row.tobytes()] = among, so_far + Fraction(count)
    everybody = sum((count for _, count in parties.values()), Fraction(0))
    room = [Fraction(one) if math.isfinite(one) else everybody for one in capacity[sites].tolist()]
    return float(_most([among for among, _ in parties.values()], [count for _, count in parties.values()], room))


def _most(reach: list[list[int]], waiting: list[Fraction], room: list[Fraction]) -> Fraction:
    """Serve people, moving others to another of their sites where that makes room, until nobody more can be served."""
    at_site: list[dict[int, Fraction]] = [{} for _ in room]  # site → party → people served there
    served = Fraction(0)
    while (path := _path(reach, waiting, room, at_site)) is not None:
        moved = min(waiting[path[0]], room[path[-1]], *(at_site[path[at]][path[at + 1]] for at in range(1, len(path) - 2, 2)))
        waiting[path[0]] -= moved
        room[path[-1]] -= moved
        served += moved
        for at in range(0, len(path), 2):
            party, site = path[at], path[at + 1]
            at_site[site][party] = at_site[site].get(party, Fraction(0)) + moved
            if at:
                before = at_site[path[at - 1]]
                before[party] -= moved
                if not before[party]:
                    del before[party]
    return served


def _path(reach: list[list[int]], waiting: list[Fraction], room: list[Fraction], at_site: list[dict[int, Fraction]]) -> list[int] | None:
    """Find a shortest chain party, site, party, site, …: each party moves to the site after it, the last site has room."""
    came: dict[tuple[str, int], int] = {("party", party): -1 for party, left in enumerate(waiting) if left > 0}
    queue = deque(party for _, party in came)
    while queue:
        party = queue.popleft()
        for site in reach[party]:
            if ("site", site) in came:
                continue
            came["site", site] = party
            if room[site] > 0:
                return _chain(came, site)
            for other in at_site[site]:
                if ("party", other) not in came:
                    came["party", other] = site
                    queue.append(other)
    return None


def _chain(came: dict[tuple[str, int], int], site: int) -> list[int]:
    chain = []
    while site >= 0:
        party = came["site", site]
        chain += [site, party]
        site = came["party", party]
    return chain[::-1]
