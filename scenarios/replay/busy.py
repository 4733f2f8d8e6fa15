"""Busy shares from a 120 log, a point each: what MEXCLP asks (METHOD.md: ρ = calls per hour × service time ÷ vehicles)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geodata.calls.model import DISPATCHED, FINISHED
from geodata.errors import OptionError, Problem, first_few
from geodata.model import Facilities
from geodata.pack import read_only
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from scenarios.call_runs import HOUR_S, busy, days_of, dispatched, leg_s, match_bases
from scenarios.referral import LEAST_LEGS

HOURS = 24


@dataclass(frozen=True, eq=False)
class BusyShares:
    """How busy a vehicle of each point is.

    Attributes
    ----------
    share : (points,) float64
        0 or more, below 1.
    own : (points,) bool
        From the runs of that point; the others have the share of the county.
    county : float
        All load of the log ÷ all vehicles.
    load : float
        Vehicles out at once, on average.
    vehicles : float
        In all, by which `county` was divided.
    zh, en : str
        How it was worked out, and what is assumed.
    """

    share: Floats
    own: Bools
    county: float
    load: float
    vehicles: float
    zh: str
    en: str

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        read_only(self)


def busy_shares(prepared: Prepared, points: Facilities, vehicles: Ints, *, fleet: float | None = None) -> BusyShares:
    """Work out the busy share of points: from their own runs where the log has 30 or more of them, else one share for the county.

    A new point takes over some of the load of others, which is not known before the plan is; that it will be as busy as the county on
    average is the usual assumption of the model (Daskin 1983, doi:10.1287/trsc.17.1.48). A replay of the plan tells what comes of it.

    Parameters
    ----------
    prepared : Prepared
    points : Facilities
        Places where vehicles stand or may stand; a base of the log is known by its name in the region's facilities.
    vehicles : (points,) int64
        At each point.
    fleet : float, optional
        Vehicles in all once the plan stands; those of today (of the bases of the log and of the emergency points) unless given.

    Raises
    ------
    OptionError
        There is no log, or its runs have no times; the number of vehicles is not known; there is more to do than vehicles can.
    """
    calls = prepared.region.calls
    if len(calls) == 0:
        raise OptionError(
            Problem("--busy log：本地区没有 120 记录，请给出一个数或文件。", "--busy log: there is no 120 log; give a number or a file.")
        )
    facility = match_bases(calls.bases, prepared.region.facilities)
    county = busy(prepared, calls, facility, vehicles=None if fleet is None else float(fleet))
    _refuse_unknown(county.load, county.vehicles)
    load = _own_load(prepared, facility)
    own = np.array([one in load for one in points.id], dtype=bool)
    share = np.array([load.get(one, np.nan) for one in points.id]) / np.maximum(vehicles, 1)
    share = np.where(own, share, county.load / county.vehicles)
    _refuse_overload(points, share, own)
    count, rest = int((own & ~points.restricted).sum()), f"{county.load / county.vehicles:.3f}"
    sum_said = f"{county.load:.2f} ÷ {county.vehicles:g} = {rest}"
    return BusyShares(
        share=share,
        own=own,
        county=county.load / county.vehicles,
        load=county.load,
        vehicles=county.vehicles,
        zh=f"车辆繁忙率取自 120 记录（每小时车次 × 占用小时 ÷ 车辆数）：{count} 个点用自己的记录，其余假定与全县平均相同：{sum_said}。",
        en=(
            f"Busy shares are of the 120 log (runs an hour × hours of service ÷ vehicles): by their own runs {count} points, the others "
            f"assumed to be as busy as the county on average: {sum_said}."
        ),
    )


def _own_load(prepared: Prepared, facility: Ints) -> dict[str, float]:
    """Vehicles out at once, on average, of each facility that the log has enough timed runs of; several bases may be one facility."""
    calls, hours = prepared.region.calls, days_of(prepared.region.calls) * HOURS
    service, sent, at = leg_s(calls, DISPATCHED, FINISHED), dispatched(calls), np.append(facility, -1)[calls.base]
    found = {}
    for one in np.unique(at[at >= 0]).tolist():
        mine = sent & (at == one)
        timed = service[mine & ~np.isnan(service)]
        if len(timed) >= LEAST_LEGS:
            found[prepared.region.facilities.id[one]] = float(mine.sum()) / hours * float(timed.mean()) / HOUR_S
    return found


def _refuse_unknown(load: float, vehicles: float) -> None:
    if np.isnan(load):
        zh = "--busy log：120 记录没有派车与完成的时间，算不出占用。请给出一个数或文件。"
        raise OptionError(Problem(zh, "--busy log: the 120 log has no times of dispatch and finish. Give a number or a file."))
    if not vehicles > 0:
        zh = "--busy log：车辆总数未知。请用 --fleet 给出，或在机构表中填“救护车”列。"
        en = "--busy log: the number of vehicles is not known. Give --fleet, or fill the column 救护车 of the facilities."
        raise OptionError(Problem(zh, en))
    if load >= vehicles:
        zh = f"--busy log：平均有 {load:.2f} 辆车在外，不少于全部 {vehicles:g} 辆：车辆不够，模型无从计算。"
        en = f"--busy log: {load:.2f} vehicles are out on average, no fewer than all {vehicles:g}: there are too few for the model."
        raise OptionError(Problem(zh, en))


def _refuse_overload(points: Facilities, share: Floats, own: Bools) -> None:
    """Refuse a point of which the log asks more than its vehicles can do: in the model a busy share is below 1."""
    over = [one if not hidden else "–" for one, hidden, much in zip(points.id, points.restricted, own & (share >= 1), strict=True) if much]
    if over:
        named = first_few(over)
        zh = f"--busy log：按记录，{named} 的出车量不少于所给车辆的全部时间。请用 --vehicles 给出实际车辆数，或用 --busy 给出一个数或文件。"
        en = (
            f"--busy log: by the log, {named} have more to do than their vehicles can. Give --vehicles as they are, or a number for --busy."
        )
        raise OptionError(Problem(zh, en))
