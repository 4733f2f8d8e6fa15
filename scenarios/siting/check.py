"""Recount every plan from the raw matrix, sharing no code with the model that found it.

A solver, a merge of rows or a rounding can be wrong without any sign of it; a recount on the numbers as they came in cannot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from scenarios.siting.question import CoverStage

SHARE_TOLERANCE = 1e-9


class PlanMismatchError(AssertionError):
    """circle15 has contradicted itself: a fault of the program, never of the data."""


def check_plan(
    stages: Sequence[CoverStage],
    *,
    candidate_ids: Sequence[str],
    sites: int,
    fixed: Sequence[str],
    chosen: Sequence[str],
    claimed_people: Sequence[float],
) -> tuple[float, ...]:
    """Count again whom the chosen sites serve, and refuse a plan that is not what it claims to be.

    Parameters
    ----------
    stages : sequence of CoverStage
        The question as it was asked.
    candidate_ids : sequence of str
        One per column of the stages' matrices.
    sites : int
        How many sites there must be, fixed included.
    fixed : sequence of str
        Sites that must be among the chosen.
    chosen : sequence of str
        The plan.
    claimed_people : sequence of float
        What the model says each stage serves.

    Returns
    -------
    tuple of float
        People served, per stage: the exactly rounded sum, whatever the order of the input.

    Raises
    ------
    PlanMismatchError
        If a site is unknown, missing, chosen twice, or the people differ by more than 1e-9 of all people.
    """
    if len(chosen) != sites or len(set(chosen)) != sites:
        msg = f"asked for {sites} sites, got {len(set(chosen))} different ones in {len(chosen)}"
        raise PlanMismatchError(msg)
    if missing := set(fixed) - set(chosen):
        msg = f"fixed sites are not in the plan: {sorted(missing)}"
        raise PlanMismatchError(msg)
    if unknown := set(chosen) - set(candidate_ids):
        msg = f"the plan names sites that are no candidates: {sorted(unknown)}"
        raise PlanMismatchError(msg)
    columns = np.flatnonzero(np.isin(np.asarray(candidate_ids, dtype=object), list(chosen)))
    recount = []
    for stage, claimed in zip(stages, claimed_people, strict=True):
        is_served = stage.covers[:, columns].toarray().any(axis=1)
        people = math.fsum(stage.people[is_served])
        if abs(people - claimed) > SHARE_TOLERANCE * math.fsum(stage.people):
            msg = f"stage {stage.name}: the model serves {claimed} people, the recount {people}"
            raise PlanMismatchError(msg)
        recount.append(people)
    return tuple(recount)
