"""The rules of a choice as rows of a program: how many, how far apart, how dear, who takes whose place, how many vehicles where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, diags_array, eye_array, vstack

from scenarios.siting.question import Ints, Mask, Numbers, Sites


class Label(NamedTuple):
    """What a row demands, and of which candidates (positions)."""

    kind: str
    sites: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SiteRows:
    """Variables and rows of a choice, before anything is asked of it.

    The variables are x (chosen or not, one a candidate), then with a fleet v (vehicles at each), then what replaces what.

    Attributes
    ----------
    lower, upper : (variables,) float64
    integer : (variables,) bool
    rows : (rows, variables) sparse float64
    row_lower, row_upper : (rows,) float64
    labels : tuple of Label, length (rows,)
    vehicles : (candidates, variables) sparse float64
        Vehicles at each candidate, as a combination of the variables.
    """

    lower: Numbers
    upper: Numbers
    integer: Mask
    rows: csr_array
    row_lower: Numbers
    row_upper: Numbers
    labels: tuple[Label, ...]
    vehicles: csr_array


def site_rows(sites: Sites) -> SiteRows:
    """Write the rules of :class:`Sites` as linear rows over its candidates."""
    count, has_fleet = len(sites), sites.fleet is not None
    pairs = sites.replaces.tocoo()
    moves = np.flatnonzero(sites.movable[pairs.row] & pairs.data.astype(np.bool_))
    sizes = (count, count if has_fleet else 0, len(moves))
    parts = [*_counts(sites, sizes), *_apart(sites, sizes), *_moves(sites, sizes, pairs.row[moves], pairs.col[moves])]
    if has_fleet:
        parts += _fleet(sites, sizes)
    width, start = sum(sizes), sizes[0]
    least, most = sites.always.astype(np.float64), (~sites.forbidden | sites.background).astype(np.float64)
    stay = np.where(sites.background, sites.vehicles, 0.0)[: sizes[1]]
    room = np.where(sites.forbidden, 0.0, sites.vehicles.astype(np.float64))[: sizes[1]]
    of_site = csr_array((np.ones(count), (np.arange(count), np.arange(count) + start)), shape=(count, width)) if has_fleet else None
    if of_site is None:
        of_site = csr_array((sites.vehicles.astype(np.float64), (np.arange(count), np.arange(count))), shape=(count, width))
    return SiteRows(
        lower=np.concatenate([least, stay, np.zeros(sizes[2])]),
        upper=np.concatenate([most, np.maximum(room, stay), np.ones(sizes[2])]),
        integer=np.arange(width) < sizes[0] + sizes[1],
        rows=csr_array(vstack([part.rows for part in parts], format="csr")) if parts else csr_array((0, width)),
        row_lower=np.concatenate([np.zeros(0), *(part.lower for part in parts)]),
        row_upper=np.concatenate([np.zeros(0), *(part.upper for part in parts)]),
        labels=tuple(label for part in parts for label in part.labels),
        vehicles=of_site,
    )


class _Part(NamedTuple):
    rows: csr_array
    lower: Numbers
    upper: Numbers
    labels: list[Label]


def _part(sizes: tuple[int, ...], blocks: list[csr_array | None], lower: float, upper: float, labels: list[Label]) -> _Part:
    """Rows that take from each sort of variables one block, or none."""
    height = len(labels)
    filled = [csr_array((height, size)) if block is None else block for size, block in zip(sizes, blocks, strict=True)]
    return _Part(csr_array(block_array([filled], format="csr")), np.full(height, lower), np.full(height, upper), labels)


def _counts(sites: Sites, sizes: tuple[int, ...]) -> list[_Part]:
    parts = []
    if sites.total is not None:
        counted = csr_array(sites.counted.astype(np.float64)[None, :])
        total = float(sites.total)
        parts.append(_part(sizes, [counted, None, None], total, total, [Label("sites", tuple(np.flatnonzero(sites.counted).tolist()))]))
    if sites.budget is not None:
        paid = np.flatnonzero(sites.price)
        prices = csr_array(sites.price[None, :])
        parts.append(_part(sizes, [prices, None, None], -np.inf, sites.budget, [Label("budget", tuple(paid.tolist()))]))
    return parts


def _apart(sites: Sites, sizes: tuple[int, ...]) -> list[_Part]:
    if not len(sites.apart):
        return []
    row = np.repeat(np.arange(len(sites.apart)), 2)
    both = csr_array((np.ones(len(row)), (row, sites.apart.ravel())), shape=(len(sites.apart), len(sites)))
    return [_part(sizes, [both, None, None], -np.inf, 1.0, [Label("apart", (int(a), int(b))) for a, b in sites.apart])]


def _moves(sites: Sites, sizes: tuple[int, ...], stays: Ints, goes: Ints) -> list[_Part]:
    """A movable site stays or one takes its place; nobody takes two places, nor one without being chosen."""
    movable = np.flatnonzero(sites.movable)
    if not len(movable):
        return []
    number = np.arange(len(stays))
    own = csr_array((np.ones(len(movable)), (np.arange(len(movable)), movable)), shape=(len(movable), len(sites)))
    instead = coo_array((np.ones(len(stays)), (np.searchsorted(movable, stays), number)), shape=(len(movable), len(stays)))
    once = _part(sizes, [own, None, csr_array(instead)], 1.0, 1.0, [Label("movable", (int(at),)) for at in movable])
    targets, target = np.unique(goes, return_inverse=True)
    taken = csr_array((np.ones(len(goes)), (target, number)), shape=(len(targets), len(goes)))
    chosen = csr_array((-np.ones(len(targets)), (np.arange(len(targets)), targets)), shape=(len(targets), len(sites)))
    return [once, _part(sizes, [chosen, None, taken], -np.inf, 0.0, [Label("movable", (int(at),)) for at in targets])]


def _fleet(sites: Sites, sizes: tuple[int, ...]) -> list[_Part]:
    """Vehicles stand at chosen sites only, at least one each and no more than there is room for."""
    count, fleet = len(sites), float(sites.fleet or 0)
    eye, room = csr_array(eye_array(count)), csr_array(diags_array(sites.vehicles.astype(np.float64)))
    each = [Label("fleet", (at,)) for at in range(count)]
    counted = csr_array(sites.counted.astype(np.float64)[None, :])
    return [
        _part(sizes, [-room, eye, None], -np.inf, 0.0, each),
        _part(sizes, [-eye, eye, None], 0.0, np.inf, each),
        _part(sizes, [None, counted, None], fleet, fleet, [Label("fleet", tuple(np.flatnonzero(sites.counted).tolist()))]),
    ]
