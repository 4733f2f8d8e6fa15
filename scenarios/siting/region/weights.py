"""What a siting question counts at each settlement: residents, people of 65 and over, or recorded calls (METHOD.md, emergency response)."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd

from geodata.errors import OptionError, Problem
from geodata.region import Prepared
from geodata.roads import Floats
from scenarios.call_study import call_study

Weigh = Literal["residents", "old", "calls"]
COUNTED: Final[dict[Weigh, tuple[str, str]]] = {
    "residents": ("人", "people"),
    "old": ("位 65 岁及以上的人", "people of 65 and over"),
    "calls": ("次呼救", "calls"),
}


def weights(prepared: Prepared, weigh: Weigh) -> Floats:
    """Count what is asked at each demand point inside the county; 0 outside.

    Calls are those that the log puts at a settlement; where a settlement has several points they are shared by people. Calls of no
    settlement are left out.

    Returns
    -------
    (demand points,) float64

    Raises
    ------
    OptionError
        Ages are not known of every settlement.
    InputError
        There is no 120 log.
    """
    demand = prepared.region.demand
    if weigh == "calls":
        return _calls(prepared)
    counted = demand.people if weigh == "residents" else np.where(demand.people > 0, demand.old, 0.0)
    unknown = int((np.isnan(counted) & demand.inside).sum())
    if unknown:
        zh = f"有 {unknown:,} 个村（社区）没有 65 岁及以上人口：请在聚落表中加一列“65岁及以上人口”或“65岁及以上占比”。"
        en = f"People of 65 and over are not known of {unknown:,} settlements: add a column 65岁及以上人口 or 65岁及以上占比."
        raise OptionError(Problem(zh, en))
    if not counted[demand.inside].sum() > 0:
        zh = "65 岁及以上人口合计为 0，不能据以选址：请核对聚落表。"
        raise OptionError(Problem(zh, "Nobody is 65 or over: there is nothing to weigh by. Check the settlement table."))
    return np.where(demand.inside, counted, 0.0)


def _calls(prepared: Prepared) -> Floats:
    demand, table = prepared.region.demand, call_study(prepared).by_settlement
    calls = {(row.id, row.zone): float(row.calls) for row in table.itertuples()}
    zone_names = [*prepared.region.zones.name, ""]  # OUTSIDE is the last
    settlement = list(zip(demand.settlement, (zone_names[at] for at in demand.zone), strict=True))
    number, _ = pd.factorize(pd.Series(settlement, dtype=object))
    share = np.where(demand.inside, np.maximum(demand.people, 1e-9), 0.0)  # one point alone has all, however few its people
    whole = np.bincount(number, share)[number]
    of = np.array([calls.get(one, 0.0) for one in settlement])
    shared: Floats = np.divide(of * share, whole, out=np.zeros(len(demand)), where=whole > 0)
    return shared
