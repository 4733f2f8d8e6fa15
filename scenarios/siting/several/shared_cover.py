"""Several questions to one choice of sites, or to choices that grow, as rows of one program: who is covered, settled and merged.

Used where scenarios or years are answered together: demand points that the same candidates cover share one variable, whatever the
question they stand in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, csr_array, eye_array

from scenarios.siting.milp import Program
from scenarios.siting.question import Ints, Numbers, Sites
from scenarios.siting.rules import site_rows


@dataclass(frozen=True, eq=False)
class SharedCover:
    """Whom each candidate covers, over several questions.

    Attributes
    ----------
    rows : (patterns, candidates) sparse float64 of ones
        Each a set of candidates that covers somebody whom no site covers that is there anyway; none twice.
    people : (questions, patterns) float64
        Of each question, the people covered by exactly that set.
    settled_people : (questions,) float64
        Covered by sites that are there anyway.
    """

    rows: csr_array
    people: Numbers
    settled_people: Numbers

    def served(self, chosen: Numbers) -> Numbers:
        """(questions,) float64: people covered by the chosen sites (1 or 0 a candidate) and those that are there anyway."""
        return np.asarray(self.settled_people + self.people @ (self.rows @ chosen > 0).astype(np.float64))


def shared_cover(covers: Sequence[csr_array], people: Sequence[Numbers], sites: Sites) -> SharedCover:
    """Settle what the sites that are there anyway cover, and merge what the same candidates cover, over all questions.

    Parameters
    ----------
    covers : sequence of (demand, candidates) sparse bool
        A question each; their demand points may differ, their candidates are those of `sites`.
    people : sequence of (demand,) float64
    sites : Sites
    """
    anyway = sites.always.astype(np.float64)
    may = (~sites.always & ~sites.forbidden).astype(np.float64)
    patterns: dict[bytes, Ints] = {}
    by_question: list[dict[bytes, list[float]]] = []
    settled = []
    for matrix, weights in zip(covers, people, strict=True):
        whole = csr_array(matrix, dtype=np.float64)
        is_settled = whole @ anyway > 0
        settled.append(float(np.sort(weights[is_settled]).sum()))
        free = csr_array(whole.multiply(may[None, :])).sorted_indices()
        free.eliminate_zeros()
        found: dict[bytes, list[float]] = {}
        for at in np.flatnonzero(~is_settled & (weights > 0) & (np.diff(free.indptr) > 0)).tolist():
            pattern = free.indices[free.indptr[at] : free.indptr[at + 1]].astype(np.int64)
            key = pattern.astype(">i8").tobytes()  # big-endian: sorted as numbers are
            patterns.setdefault(key, pattern)
            found.setdefault(key, []).append(float(weights[at]))
        by_question.append(found)
    ordered = sorted(patterns)
    lengths = [len(patterns[key]) for key in ordered]
    indices = np.concatenate([np.zeros(0, dtype=np.int64), *(patterns[key] for key in ordered)])
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64)
    rows = csr_array((np.ones(len(indices)), indices, starts), shape=(len(ordered), len(sites)))
    counts = np.array([[sum(sorted(found.get(key, ()))) for key in ordered] for found in by_question], dtype=np.float64)
    return SharedCover(rows, counts.reshape(len(covers), len(ordered)), np.array(settled))


@dataclass(frozen=True, kw_only=True, eq=False)
class Floors:
    """Rows that demand: people · y + slack · s ≥ least, with s one variable that is added to the program.

    Attributes
    ----------
    people : (floors, patterns) sparse float64
    slack : (floors,) float64
    least : (floors,) float64
    """

    people: csr_array
    slack: Numbers
    least: Numbers


def cover_program(choices: Program, reach: csr_array, gain: Numbers, floors: Floors, *, slack_gain: float) -> Program:
    """Extend a program of choices by who is covered: variables of the choices, then one a pattern, then the slack of the floors.

    Parameters
    ----------
    choices : Program
        What may be chosen; its gain plays no part.
    reach : (patterns, variables of the choices) sparse float64
        A pattern is covered where one of these variables is 1.
    gain : (patterns,) float64
        What each is worth if it is covered.
    floors : Floors
    slack_gain : float
        What a unit of the slack is worth.
    """
    patterns, width = reach.shape
    free, room = floors.slack.any(), choices.rows.shape[0]
    rows = block_array(
        [
            [choices.rows, csr_array((room, patterns)), csr_array((room, 1))],
            [-reach, eye_array(patterns), csr_array((patterns, 1))],
            [csr_array((len(floors.least), width)), floors.people, csr_array(floors.slack[:, None])],
        ],
        format="csr",
    )
    return Program(
        gain=np.concatenate([np.zeros(width), gain, [slack_gain]]),
        lower=np.concatenate([choices.lower, np.zeros(patterns), [-np.inf if free else 0.0]]),
        upper=np.concatenate([choices.upper, np.ones(patterns), [np.inf if free else 0.0]]),
        integer=np.concatenate([choices.integer, np.zeros(patterns + 1, dtype=np.bool_)]),
        rows=csr_array(rows),
        row_lower=np.concatenate([choices.row_lower, np.full(patterns, -np.inf), floors.least]),
        row_upper=np.concatenate([choices.row_upper, np.zeros(patterns), np.full(len(floors.least), np.inf)]),
    )


def choices_of(sites: Sites) -> Program:
    """Write the rules of a choice as a program that is worth nothing yet; the first variables are the candidates."""
    rules = site_rows(sites)
    return Program(
        gain=np.zeros(len(rules.lower)),
        lower=rules.lower,
        upper=rules.upper,
        integer=rules.integer,
        rows=rules.rows,
        row_lower=rules.row_lower,
        row_upper=rules.row_upper,
    )
