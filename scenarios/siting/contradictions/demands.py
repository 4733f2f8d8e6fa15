"""What a question demands, demand by demand, as labelled rows of a program: to find out which of them cannot be met together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, hstack, vstack

from scenarios.siting.covering.models import coverable
from scenarios.siting.milp import Program
from scenarios.siting.question import Asked, Mask, Model, Numbers, Sites, Terms
from scenarios.siting.rules import site_rows

Kind = Literal["sites", "fixed", "forbidden", "apart", "movable", "budget", "fleet", "share", "cover"]
KINDS: Final[tuple[Kind, ...]] = ("sites", "fixed", "forbidden", "apart", "movable", "budget", "fleet", "share", "cover")
MUST_COVER: Final[frozenset[Model]] = frozenset({"lscp", "bacop1", "dsm"})


class Demand(NamedTuple):
    """One demand: its kind, the positions of the sites (of the demand point, for ``cover``) it is about, and its row."""

    kind: Kind
    about: tuple[int, ...]
    row: int


@dataclass(frozen=True, eq=False)
class Demands:
    """All demands of a question, and the rows without which none of them means anything.

    Attributes
    ----------
    demands : tuple of Demand
        By kind, simple ones first; within a kind by id.
    program : Program
        All rows; nothing to maximise. The first variables are the candidates.
    always : (rows,) bool
        Rows that are no demand.
    people : float
        All people whom `share` is a share of; 0 without one.
    measure : dict of kind to (variables,) float64
        What the number of a demand counts: sites, price, vehicles, people covered.
    """

    demands: tuple[Demand, ...]
    program: Program
    always: Mask
    people: float
    measure: dict[Kind, Numbers]

    def only(self, some: Iterable[Demand]) -> Program:
        """The program with these demands alone."""
        rows = self.always.copy()
        rows[[one.row for one in some]] = True
        kept = np.flatnonzero(rows)
        whole = self.program
        return replace(whole, rows=csr_array(whole.rows[kept]), row_lower=whole.row_lower[kept], row_upper=whole.row_upper[kept])


class _Rows(NamedTuple):
    """Rows over the candidates (and, of `share`, over who is covered), each a demand about something; None: no demand."""

    rows: csr_array
    lower: Numbers
    upper: Numbers
    labels: list[tuple[Kind, tuple[int, ...]] | None]


def demands_of(asked: Asked, model: Model, terms: Terms) -> Demands:
    """List what a question demands.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms

    Returns
    -------
    Demands
        Background sites are chosen in any case: that is no demand.
    """
    sites = asked.sites
    nothing = np.zeros(len(sites), dtype=np.bool_)
    rules = site_rows(replace(sites, fixed=nothing, forbidden=nothing))
    width = rules.lower.size
    parts = [_rules(rules.rows, rules.row_lower, rules.row_upper, rules.labels), *_named(sites, width), *_cover(asked, model, width)]
    share, people = _share(asked, model, terms, width)
    extra = 0 if share is None else share.rows.shape[1] - width
    if share is not None:
        parts.append(share)
    rows = csr_array(vstack([_widened(part.rows, width + extra) for part in parts], format="csr"))
    lower, upper = np.concatenate([part.lower for part in parts]), np.concatenate([part.upper for part in parts])
    labels = [label for part in parts for label in part.labels]
    demands = [Demand(*label, row) for row, label in enumerate(labels) if label is not None]
    demands.sort(key=lambda one: (KINDS.index(one.kind), _names(asked, one)))
    program = Program(
        gain=np.zeros(width + extra),
        lower=np.concatenate([rules.lower, np.zeros(extra)]),
        upper=np.concatenate([rules.upper, np.ones(extra)]),
        integer=np.concatenate([rules.integer, np.zeros(extra, dtype=np.bool_)]),
        rows=rows,
        row_lower=lower,
        row_upper=upper,
    )
    numbers = [one for one in demands if one.kind in {"sites", "budget", "fleet", "share"}]
    measure = {one.kind: rows[[one.row]].toarray().ravel() for one in numbers}
    return Demands(tuple(demands), program, np.array([label is None for label in labels]), people, measure)


def _names(asked: Asked, one: Demand) -> tuple[str, ...]:
    ids = asked.demand if one.kind == "cover" else asked.sites.id
    return tuple(sorted(ids[at] for at in one.about)) if one.kind not in {"sites", "budget", "fleet"} else ()


def _widened(rows: csr_array, width: int) -> csr_array:
    return csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], width))


def _rules(rows: csr_array, lower: Numbers, upper: Numbers, labels: Iterable[tuple[str, tuple[int, ...]]]) -> _Rows:
    """The rules of the choice; of moves and fleets, rows that are no equation only hang variables together: they are no demand."""
    pairs = zip(labels, lower == upper, strict=True)
    said = [(kind, about) if equal or kind not in {"movable", "fleet"} else None for (kind, about), equal in pairs]
    return _Rows(rows, lower, upper, said)  # type: ignore[arg-type]  # rules label what they demand by these kinds


def _named(sites: Sites, width: int) -> list[_Rows]:
    """Sites that must be chosen, and that must not."""
    parts = []
    kinds: tuple[tuple[Kind, Mask, float, float], ...] = (("fixed", sites.fixed, 1.0, np.inf), ("forbidden", sites.forbidden, -np.inf, 0.0))
    for kind, which, lower, upper in kinds:
        at = np.flatnonzero(which & sites.counted)
        rows = csr_array((np.ones(len(at)), (np.arange(len(at)), at)), shape=(len(at), width))
        parts.append(_Rows(rows, np.full(len(at), lower), np.full(len(at), upper), [(kind, (int(one),)) for one in at]))
    return parts


def _cover(asked: Asked, model: Model, width: int) -> list[_Rows]:
    """Demand points that must be covered: all that can be; of those with the same candidates, the first by id."""
    if model not in MUST_COVER:
        return []
    covers = csr_array(asked.wide if model == "dsm" else asked.near, dtype=np.float64)
    covers.sum_duplicates()
    covers.eliminate_zeros()
    first: dict[bytes, int] = {}
    for row in sorted(np.flatnonzero(coverable(covers, asked.sites)).tolist(), key=asked.demand.__getitem__):
        first.setdefault(covers.indices[covers.indptr[row] : covers.indptr[row + 1]].tobytes(), row)
    at = list(first.values())
    rows = _widened(csr_array(covers[at]), width)
    return [_Rows(rows, np.ones(len(at)), np.full(len(at), np.inf), [("cover", (one,)) for one in at])]


def _share(asked: Asked, model: Model, terms: Terms, width: int) -> tuple[_Rows | None, float]:
    """The share of the people that must be covered, as people; and all of whom it is a share."""
    share = {"partial": terms.share, "dsm": terms.alpha}.get(model)
    if share is None:
        return None, 0.0
    reach = coverable(asked.near, asked.sites)
    taking_part = coverable(asked.wide, asked.sites) if model == "dsm" and asked.wide is not None else np.ones(len(reach), dtype=np.bool_)
    people = math.fsum(asked.people[taking_part])
    goal = share * people
    if model == "partial":
        goal = min(goal, math.fsum(asked.people[reach]))
    at = np.flatnonzero(reach & (asked.people > 0))
    number = len(at)
    covers = csr_array(asked.near[at], dtype=np.float64)
    covered = hstack([_widened(covers, width), csr_array(-eye_array(number))])
    sums = hstack([csr_array((1, width)), csr_array(asked.people[at][None, :] / max(people, 1e-200))])
    rows = csr_array(vstack([covered, sums], format="csr"))
    least = goal / max(people, 1e-200) - 1e-9
    labels: list[tuple[Kind, tuple[int, ...]] | None] = [*([None] * number), ("share", ())]
    return _Rows(rows, np.append(np.zeros(number), least), np.full(number + 1, np.inf), labels), people
