"""Which model answers which question; the one door: ask, solve, check, look for equals and contradictions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from scenarios.siting.question import Asked, Model, Terms
from scenarios.siting.result import Plan, SitingResult
from scenarios.siting.stop import Stop

Solve = Callable[[Asked, Terms, Stop], Plan]
EQUALS: Final = 20  # equal optima that are looked for on a region


def site(asked: Asked, model: Model, terms: Terms, *, stop: Stop, equals: int = 0) -> SitingResult:
    """Choose sites.

    Parameters
    ----------
    asked : Asked
    model : str
    terms : Terms
    stop : Stop
        When to end; the best so far is kept.
    equals : int
        How many other choices, exactly as good, to look for.

    Returns
    -------
    SitingResult
        Demand that nobody can reach is listed; it makes nothing infeasible. If what is demanded contradicts itself, the status is
        ``infeasible`` and `conflict` has an irreducible set of demands.

    Raises
    ------
    OptionError
        A term that the model needs is missing or out of range, or the sites asked for cannot be had.
    """
    raise NotImplementedError(asked, model, terms, stop, equals, math, time)
