"""A bound for maximal covering with capacities, and good choices on the way (Lagrangian relaxation, subgradients).

That nobody is served beyond the people there are is paid for instead of demanded, at a price u between 0 and 1 for each demand point. What
is left falls apart: each site fills its room with the dearest people within its limit (a continuous knapsack), and the best sites are
chosen. Whatever the prices, no choice serves more than  Σ people · (1 − u) + the worth of the best sites.

SOURCE: Pirkul & Schilling 1991, doi:10.1287/mnsc.37.2.233; Held, Wolfe & Crowder 1974, doi:10.1007/BF01580223.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from scenarios.siting.question import Mask, Numbers
from scenarios.siting.stop import Stop

ROUNDS: Final = 250
PATIENCE: Final = 15  # rounds without a better bound before the step is halved
SAFE: Final = 1e-12  # what rounding may take from a sum, as a share


class Prices(NamedTuple):
    """Prices of the demand points, and what they say.

    Attributes
    ----------
    bound : float
        No choice serves more.
    worth : (candidates,) float64
        Of each site at these prices.
    chosen : (candidates,) bool
        The best sites at these prices.
    excess : (groups,) float64
        People served beyond those there are.
    """

    bound: float
    worth: Numbers
    chosen: Mask
    excess: Numbers


class Market(NamedTuple):
    """Who may be served where, and which sites may be chosen.

    Attributes
    ----------
    covers : (groups, candidates) sparse float64 of ones
    people : (groups,) float64
    room : (candidates,) float64
    always, free : (candidates,) bool
        Chosen in any case; may be chosen beside them.
    number : int
        How many of the free ones are chosen.
    """

    covers: csr_array
    people: Numbers
    room: Numbers
    always: Mask
    free: Mask
    number: int


def priced(market: Market, price: Numbers) -> Prices:
    """Fill every site with the dearest people, and choose the best sites."""
    order = np.argsort(-price, kind="stable")
    columns = csr_array(market.covers[order]).tocsc()
    columns.sort_indices()
    group = order[columns.indices]
    site = np.repeat(np.arange(len(market.room)), np.diff(columns.indptr))
    upto = np.concatenate([[0.0], np.cumsum(market.people[group])])
    before = upto[:-1] - upto[columns.indptr[site]]
    taken = np.clip(market.room[site] - before, 0.0, market.people[group])
    worth = np.bincount(site, weights=taken * price[group], minlength=len(market.room)).astype(np.float64)
    ranked = np.lexsort((-worth, ~market.free))[: market.number]
    chosen = market.always.copy()
    chosen[ranked] = True
    served = np.bincount(group, weights=taken * chosen[site], minlength=len(market.people))
    whole = math.fsum(market.people * (1.0 - price)) + math.fsum(worth[chosen])
    return Prices(whole + SAFE * math.fsum(market.people), worth, chosen, served - market.people)


def descend(market: Market, best: float, stop: Stop, enough: float) -> Iterator[Prices]:
    """Lower the bound round by round, towards what is known to be served; every set of prices that is the best so far.

    Parameters
    ----------
    market : Market
    best : float
        People whom the best choice known serves.
    stop : Stop
    enough : float
        A bound below this proves that nothing is better.
    """
    price, step, since = np.full(len(market.people), 0.5), 2.0, 0
    lowest = math.inf
    for _ in range(ROUNDS):
        now = priced(market, price)
        since += 1
        if now.bound < lowest:
            lowest, since = now.bound, 0
            yield now
        norm = float(now.excess @ now.excess)
        if stop.reason is not None or norm == 0 or lowest < enough:
            return
        if since >= PATIENCE:
            step, since = step / 2, 0
        price = np.clip(price - step * max(now.bound - best, 1e-9 * now.bound) / norm * now.excess, 0.0, 1.0)


def settled(market: Market, prices: Prices, needed: float) -> tuple[Mask, Mask]:
    """Which sites no choice that serves `needed` people has, and which every such choice has.

    Returns
    -------
    out : (candidates,) bool
    into : (candidates,) bool
    """
    inside, outside = prices.chosen & market.free, market.free & ~prices.chosen
    worst = prices.worth[inside].min(initial=math.inf)
    next_best = prices.worth[outside].max(initial=-math.inf)
    out = outside & (prices.bound - worst + prices.worth < needed)
    into = inside & (prices.bound - prices.worth + next_best < needed)
    return out, into
