"""Referral: standby point → scene → capable hospital, every part of the time apart (METHOD.md, emergency response).

total = call handling + turnout + drive to the scene + time on the scene + drive to the hospital. Handing over is not counted: the chain
ends at the hospital's door. Which point comes and which hospital receives are independent, so that the sum of the two least times is the
least over all pairs of them. The drives have opposite directions: out from the point, in to the hospital.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from coverage.search import start_delay_ms
from coverage.serving import MS_PER_MINUTE, Served, chosen, question, served
from coverage.snap import WaysOn, snap_demand
from coverage.stats import counted
from coverage.studies.equity import old_known
from coverage.studies.inequality import time_figures
from coverage.studies.trips import Trips, causes, minutes_of, trips
from coverage.tables import groups, place_columns
from geodata.errors import OptionError, Problem, first_few
from geodata.model import CLASSES, Demand, Facilities, Region
from geodata.network import Network
from geodata.roads import Bools, Floats, Ints
from geodata.standards import ServiceDefinition

PARTS = ("call_handling", "turnout", "to_scene", "scene", "to_hospital")


@dataclass(frozen=True, eq=False)
class Referral:
    """The chain from the call to the hospital's door under one definition of response.

    Attributes
    ----------
    definition : ServiceDefinition
    points, hospitals : Facilities
        All that count; restricted ones are told nowhere.
    scene_minutes, within_minutes : float
        On the scene; the total that is held against (golden hour), inclusive.
    by_zone : DataFrame
        A row a township, then "urban", "rural", "total": row, zone_id, zone, people, old · of the total: within_people, share_within
        (of all people, those not reached too), each ``_low`` and ``_high`` over ``demand.spreads`` and ``_without_external`` (neither
        points nor hospitals outside the county);
        old_within_people, share_old; mean_minutes (of those reached), median_minutes and p90_minutes (of all, nan where so many are not
        reached), each ``_without_external``; the mean of each of ``PARTS``, call_handling_mean_minutes and so on, which add up to
        mean_minutes; unreached_people · external_people: whom a hospital outside the county serves fastest ·
        response_mean_minutes, response_p90_minutes, response_within_people, share_response (within the definition's limits), the last two
        ``_without_external`` as well · the same if the ambulances stood at the hospitals, ``stationed_response_…``, and of that total
        stationed_within_people and share_stationed, with and ``_without_external`` · worst_id, worst_name, worst_minutes: the settlement
        that waits longest, as in `by_settlement`.
    by_settlement : DataFrame
        The demand points inside, longest total first, those not reached before all: id, name, zone_id, zone, class, people, point_id,
        point_name, hospital_id, hospital_name (the nearest that may be shown), hospital_external, call_handling_minutes, turnout_minutes,
        to_scene_minutes, response_minutes (their sum), scene_minutes, to_hospital_minutes, total_minutes, over_limit (the total is above
        within_minutes, or there is no way; by those that may be shown: it tells no more than the row), stationed_id, stationed_name,
        stationed_response_minutes (an ambulance at the hospital nearest in time), response_cause and hospital_cause ("" or why
        there is no way, see ``coverage.studies.trips.causes``). nan where there is no way.
    """

    definition: ServiceDefinition
    points: Facilities
    hospitals: Facilities
    scene_minutes: float
    within_minutes: float
    by_zone: pd.DataFrame
    by_settlement: pd.DataFrame


def capable_hospitals(
    region: Region, *, kinds: Sequence[str] = ("hospital",), beds: float | None = None, ids: Sequence[str] | None = None
) -> Ints:
    """Find the facilities that can receive a patient, open on the region's day.

    Parameters
    ----------
    region : Region
    kinds : sequence of str
        Kinds that count, unless `ids` are given.
    beds : float, optional
        At least so many; one that does not state its beds does not count.
    ids : sequence of str, optional
        These and no others, of whatever kind; a restricted one cannot be named.

    Returns
    -------
    (hospitals,) int64
        Positions in ``region.facilities``.

    Raises
    ------
    OptionError
        An id that is not there or not open, or nothing is left.
    """
    places = region.facilities
    able = places.open_on(region.date)
    if ids is not None:
        known = set(np.array(places.id, dtype=object)[able & ~places.restricted])
        if unknown := first_few(one for one in ids if one not in known):
            zh = f"没有这些机构，或在 {region.date} 未开放：{unknown}。请核对 --hospitals。"
            raise OptionError(Problem(zh, f"No such facilities, or not open on {region.date}: {unknown}. Check --hospitals."))
        able &= np.isin(np.array(places.id, dtype=str), list(ids))
    else:
        able &= places.of_kinds(kinds)
        if beds is not None:
            able &= places.capacity >= beds
    if not able.any():
        zh = "没有能够收治的医院：请放宽 --kinds、--beds 或 --hospitals。"
        raise OptionError(Problem(zh, "No capable hospital is left: widen --kinds, --beds or --hospitals."))
    return np.flatnonzero(able)


def referral(
    region: Region,
    definition: ServiceDefinition,
    network: Network,
    hospitals: Ints,
    *,
    scene_minutes: float,
    within_minutes: float = 60.0,
) -> Referral:
    """Follow the chain from the call to the hospital's door for every settlement.

    Parameters
    ----------
    region : Region
    definition : ServiceDefinition
        Of response: driven, from the facility, in minutes.
    network : Network
        Of the definition's mode and hour; both drives are on it.
    hospitals : (hospitals,) int64
        See :func:`capable_hospitals`.
    scene_minutes, within_minutes : float

    Raises
    ------
    OptionError
        The definition is none of response, or a number of minutes is not possible.
    """
    _check(definition, scene_minutes, within_minutes)
    points, able = counted(region, definition), region.facilities.take(hospitals)
    homes = snap_demand(network, region.demand)
    asked = question(definition, network, region.demand, ways=homes)
    legs = _Legs(
        homes=homes,
        near=_near(served(asked, points), points),
        stationed_near=_near(served(asked, able), able),
        out=trips(network, points, homes, direction="from_facility", delay_ms=start_delay_ms(definition, points)),
        stationed=trips(network, able, homes, direction="from_facility", delay_ms=start_delay_ms(definition, able)),
        back=trips(network, able, homes, direction="to_facility"),
        scene_ms=float(np.rint(scene_minutes * MS_PER_MINUTE)),
    )
    within_ms = float(np.rint(within_minutes * MS_PER_MINUTE))
    by_settlement = _settlement_table(region, definition, legs, within_ms=within_ms)
    return Referral(
        definition=definition,
        points=points,
        hospitals=able,
        scene_minutes=scene_minutes,
        within_minutes=within_minutes,
        by_zone=_zone_table(region, definition, legs, by_settlement, within_ms=within_ms),
        by_settlement=by_settlement,
    )


def _check(definition: ServiceDefinition, scene_minutes: float, within_minutes: float) -> None:
    limits = definition.limits.values()
    if definition.mode != "drive" or definition.direction != "from_facility" or any(limit.minutes is None for limit in limits):
        zh = f"口径“{definition.name_zh}”不是急救反应口径：须为驾车、从站点到现场、按分钟计，如 emergency 的 response。"
        en = f"Definition {definition.id!r} is none of response: by car, from the station, in minutes, such as 'response' of emergency."
        raise OptionError(Problem(zh, en))
    if not 0 <= scene_minutes < math.inf:
        zh = f"现场时间不能小于 0 分钟（给出 {scene_minutes:g}）。"
        raise OptionError(Problem(zh, f"Minutes on the scene cannot be less than 0 (given: {scene_minutes:g})."))
    if not 0 < within_minutes < math.inf:
        zh = f"全程时限必须大于 0 分钟（给出 {within_minutes:g}）。"
        raise OptionError(Problem(zh, f"The limit of the total must be more than 0 minutes (given: {within_minutes:g})."))


@dataclass(frozen=True)
class _Legs:
    """Both drives of every demand point, and the drive out if the ambulances stood at the hospitals.

    Who is within every limit of the response (of all facilities, of those inside) is asked as coverage asks it: some may be of metres.
    """

    homes: WaysOn
    near: tuple[Bools, Bools]
    stationed_near: tuple[Bools, Bools]
    out: Trips
    stationed: Trips
    back: Trips
    scene_ms: float

    def total(self, out_ms: Floats, back_ms: Floats) -> Floats:
        return out_ms + self.scene_ms + back_ms


def _zone_table(
    region: Region, definition: ServiceDefinition, legs: _Legs, by_settlement: pd.DataFrame, *, within_ms: float
) -> pd.DataFrame:
    demand, out, back, stationed = region.demand, legs.out, legs.back, legs.stationed
    total = legs.total(out.ms, back.ms)
    inside = legs.total(out.ms_without_external, back.ms_without_external)
    alone = legs.total(stationed.ms_without_external, back.ms_without_external)
    parts = _parts(definition, legs, out.nearest, out.ms, back.ms)
    table = []
    for row, zone_id, zone, which in groups(region.zones, demand.zone, demand.urban):
        table.append(
            {"row": row, "zone_id": zone_id, "zone": zone, "people": math.fsum(demand.people[which])}
            | _within(demand, which, total <= within_ms, "within_people", "share_within")
            | _range(demand, which, total <= within_ms)
            | _old(demand, which, total <= within_ms)
            | _within(demand, which, inside <= within_ms, "within_people_without_external", "share_within_without_external")
            | _times(demand, which, total, "")
            | _times(demand, which, inside, "_without_external")
            | _part_means(demand, which, parts)
            | {"unreached_people": math.fsum(demand.people[which & ~np.isfinite(total)])}
            | {"unreached_people_without_external": math.fsum(demand.people[which & ~np.isfinite(inside)])}
            | {"external_people": math.fsum(demand.people[which & (back.ms < back.ms_without_external)])}
            | _response(demand, which, out, legs.near, "response")
            | _response(demand, which, stationed, legs.stationed_near, "stationed_response")
            | _within(demand, which, legs.total(stationed.ms, back.ms) <= within_ms, "stationed_within_people", "share_stationed")
            | _within(demand, which, alone <= within_ms, "stationed_within_people_without_external", "share_stationed_without_external")
            | _worst(by_settlement, row, zone_id)
        )
    return pd.DataFrame(table)


def _near(serving: Served, facilities: Facilities) -> tuple[Bools, Bools]:
    """Who is within the limits of any of these, and of any inside the county."""
    return serving.covered, chosen(serving, np.flatnonzero(~facilities.external)).covered


def _within(demand: Demand, which: Bools, near: Bools, people: str, share: str) -> dict[str, float]:
    some, every = math.fsum(demand.people[which & near]), math.fsum(demand.people[which])
    return {people: some, share: some / every if every else math.nan}


def _range(demand: Demand, which: Bools, near: Bools) -> dict[str, float]:
    """Least and most over the spreads; a share is of the people whom the same spread puts there."""
    some = [math.fsum(people[which & near]) for people in demand.spreads]
    every = [math.fsum(people[which]) for people in demand.spreads]
    shares = [part / whole for part, whole in zip(some, every, strict=True) if whole] or [math.nan]
    people = {"within_people_low": min(some), "within_people_high": max(some)}
    return people | {"share_within_low": min(shares), "share_within_high": max(shares)}


def _old(demand: Demand, which: Bools, near: Bools) -> dict[str, float]:
    homes = which & (demand.people > 0)
    old, some = (math.fsum(demand.old[mine]) if old_known(demand) else math.nan for mine in (homes, homes & near))
    return {"old": old, "old_within_people": some, "share_old": some / old if old else math.nan}


def _times(demand: Demand, which: Bools, ms: Floats, suffix: str) -> dict[str, float]:
    figures = time_figures(ms[which], demand.people[which])._asdict()
    return {f"{name}{suffix}": figures[name] for name in ("mean_minutes", "median_minutes", "p90_minutes")}


def _part_means(demand: Demand, which: Bools, parts: dict[str, Floats]) -> dict[str, float]:
    """Mean of each part over those whom the whole chain reaches, so that they add up to the mean of the total."""
    through = which & np.isfinite(parts["total"])
    return {f"{name}_mean_minutes": time_figures(parts[name][through], demand.people[through]).mean_minutes for name in PARTS}


def _response(demand: Demand, which: Bools, trip: Trips, near: tuple[Bools, Bools], name: str) -> dict[str, float]:
    figures = time_figures(trip.ms[which], demand.people[which])
    times = {f"{name}_mean_minutes": figures.mean_minutes, f"{name}_p90_minutes": figures.p90_minutes}
    suffixed = zip(("", "_without_external"), near, strict=True)
    within = [_within(demand, which, some, f"{name}_within_people{suffix}", f"share_{name}{suffix}") for suffix, some in suffixed]
    return times | within[0] | within[1]


def _worst(by_settlement: pd.DataFrame, row: str, zone_id: str) -> dict[str, object]:
    """The first of the row that somebody lives in and that is reached: whoever is not reached is counted apart."""
    mine = by_settlement[(by_settlement["people"] > 0) & by_settlement["total_minutes"].notna()]
    mine = mine[mine["zone_id"] == zone_id] if row == "zone" else mine[mine["class"] == row] if row in CLASSES else mine
    if len(mine) == 0:
        return {"worst_id": "", "worst_name": "", "worst_minutes": math.nan}
    worst = mine.iloc[0]
    return {"worst_id": worst["id"], "worst_name": worst["name"], "worst_minutes": float(worst["total_minutes"])}


def _settlement_table(region: Region, definition: ServiceDefinition, legs: _Legs, *, within_ms: float) -> pd.DataFrame:
    demand, out, back, stationed = region.demand, legs.out, legs.back, legs.stationed
    total = legs.total(out.shown_ms, back.shown_ms)
    inside = np.flatnonzero(demand.inside)
    mine = inside[np.lexsort((np.array(demand.id, dtype=str)[inside], -total[inside]))]
    parts = _parts(definition, legs, out.shown, out.shown_ms, back.shown_ms)
    return pd.DataFrame(
        {
            **place_columns(region.zones, demand, mine),
            **_named("point", out, mine),
            **_named("hospital", back, mine),
            "hospital_external": np.append(back.facilities.external, False)[back.shown[mine]],
            **{f"{name}_minutes": minutes_of(ms[mine]) for name, ms in parts.items()},
            "over_limit": total[mine] > within_ms,
            **_named("stationed", stationed, mine),
            "stationed_response_minutes": minutes_of(stationed.shown_ms[mine]),
            "response_cause": np.array(causes(out, legs.homes), dtype=object)[mine],
            "hospital_cause": np.array(causes(back, legs.homes), dtype=object)[mine],
        }
    )


def _parts(definition: ServiceDefinition, legs: _Legs, point: Ints, out_ms: Floats, back_ms: Floats) -> dict[str, Floats]:
    """Each part of the time of every demand point in ms, in the order in which it passes; inf where nobody comes."""
    delay_ms = np.append(start_delay_ms(definition, legs.out.facilities), 0)[point]
    call_ms = np.rint(definition.call_handling_s * 1000)
    nobody = np.where(point >= 0, 0.0, np.inf)
    return {
        "call_handling": call_ms + nobody,
        "turnout": delay_ms - call_ms + nobody,
        "to_scene": out_ms - delay_ms,
        "response": out_ms,
        "scene": np.where(np.isfinite(out_ms), legs.scene_ms, np.inf),
        "to_hospital": back_ms,
        "total": legs.total(out_ms, back_ms),
    }


def _named(what: str, trip: Trips, mine: Ints) -> dict[str, object]:
    """Id and name of the nearest that may be shown."""
    places = trip.facilities
    ids, names = (np.array([*some, ""], dtype=object)[trip.shown[mine]] for some in (places.id, places.name))
    return {f"{what}_id": ids, f"{what}_name": names}
