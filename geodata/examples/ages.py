"""How many old people live in each settlement: more in villages than in town, the county's share of 65 and over as in the census."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geodata.examples.facts import Facts
from geodata.examples.people import Settlement, share_out

RURAL_WEIGHT, REMOTE_WEIGHT, UNEVEN, MOST_SHARE = 1.45, 1.9, 0.14, 0.45


def old_people(facts: Facts, settlements: Sequence[Settlement], rng: np.random.Generator) -> dict[str, tuple[int, int]]:
    """Share the county's old people out over its settlements.

    Parameters
    ----------
    facts : Facts
        The county's shares; that of 65 and over is the census's.
    settlements : sequence of Settlement
        Communities and villages.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict
        By code of the settlement, how many are 60 and over, and how many of these 65 and over.
    """
    class_weight = np.array([REMOTE_WEIGHT if s.remote else 1.0 if s.urban else RURAL_WEIGHT for s in settlements])
    people = np.array([s.people for s in settlements], dtype=np.float64)
    weights = people * class_weight * np.exp(rng.normal(0, UNEVEN, len(people)))
    over_65 = share_out(round(facts.people * facts.over_65_share), weights)
    between = share_out(round(facts.people * facts.over_60_share) - sum(over_65), weights**0.9 * people**0.1)
    shares = [(old + young, old) for old, young in zip(over_65, between, strict=True)]
    if max(most / home.people for (most, _), home in zip(shares, settlements, strict=True)) > MOST_SHARE:
        raise AssertionError("a settlement of the example has too many old people")
    return {settlement.code: pair for settlement, pair in zip(settlements, shares, strict=True)}
