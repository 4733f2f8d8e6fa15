"""Seeded counties for the siting benchmarks: villages around towns, candidates in villages, minutes that roads might take."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.spatial import cKDTree

from scenarios.siting.question import Asked, Numbers, Sites

SIDE_KM, TOWNS, SPREAD_KM, IN_TOWNS, KMH = 60.0, 12, 5.0, 0.7, 40.0
DETOUR, START_MINUTES = (1.1, 1.6), 1.5  # how much longer than straight the way to a village is; what a candidate needs to set out


class County(NamedTuple):
    """Minutes from candidates to demand points, where no more than was asked for, and people.

    Attributes
    ----------
    minutes : (demand, candidates) sparse float64
    people : (demand,) float64
    """

    minutes: csr_array
    people: Numbers


def county(candidates: int, demand: int, *, within: float, seed: int = 1) -> County:
    """Scatter villages around a few towns and over the country between them."""
    rng = np.random.default_rng(seed)
    towns = rng.uniform(0.0, SIDE_KM, (TOWNS, 2))
    around = towns[rng.integers(0, TOWNS, demand)] + rng.normal(0.0, SPREAD_KM, (demand, 2))
    places = np.clip(np.where(rng.random((demand, 1)) < IN_TOWNS, around, rng.uniform(0.0, SIDE_KM, (demand, 2))), 0.0, SIDE_KM)
    sites = places[rng.choice(demand, candidates, replace=False)]
    people = np.floor(rng.lognormal(4.5, 1.1, demand)) + 1.0
    detour, delay = rng.uniform(*DETOUR, demand), rng.uniform(0.0, START_MINUTES, candidates)
    tree = cKDTree(places)
    rows, minutes = [], []
    for site, late in zip(sites, delay, strict=True):
        near = np.sort(tree.query_ball_point(site, within / 60.0 * KMH / DETOUR[0]))
        takes = np.hypot(*(places[near] - site).T) * detour[near] / KMH * 60.0 + late
        rows.append(near[takes <= within])
        minutes.append(takes[takes <= within])
    first = np.concatenate([[0], np.cumsum([len(one) for one in rows])])
    whole = csc_array((np.concatenate(minutes), np.concatenate(rows), first), shape=(demand, candidates))
    return County(csr_array(whole), people)


def asked_of(one: County, *, limit: float, total: int | None, candidates: int | None = None) -> Asked:
    """The covering question of a county, with all candidates or the first so many."""
    minutes = one.minutes[:, : candidates or one.minutes.shape[1]]
    near = csr_array((minutes.data <= limit, minutes.indices, minutes.indptr), shape=minutes.shape)
    near.eliminate_zeros()
    return Asked(
        sites=Sites.of((f"C{at:05d}" for at in range(minutes.shape[1])), total=total),
        demand=tuple(f"D{at:06d}" for at in range(minutes.shape[0])),
        people=one.people,
        near=near,
        has_route=np.diff(minutes.indptr) > 0,
    )
