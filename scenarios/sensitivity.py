"""How far a coverage figure moves with what it assumes: one assumption at a time, then all together, each recomputed as a whole.

With f the covered share and b the base, the swing of assumption i is f(b₁, …, favourableᵢ, …) − f(b₁, …, unfavourableᵢ, …). The swings
are assumptions themselves (status M): they say how the figure answers, not how likely they are.

SOURCE: one at a time, the widest first (tornado diagram): Borgonovo 2017, Sensitivity Analysis, doi:10.1007/978-3-319-52259-3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from coverage.snap import ACCESS_RADIUS_M, snap_demand, snap_facilities
from coverage.stats import counted, within_limits
from coverage.tables import groups, place_columns
from geodata.errors import OptionError, Problem
from geodata.model import Demand, Facilities, Region
from geodata.network import NEVER, Network
from geodata.region import Prepared
from geodata.roads import Bools, Floats
from geodata.standards import Limit, ServiceDefinition

Side = Literal["unfavourable", "favourable"]
SIDES: Final[tuple[Side, Side]] = ("unfavourable", "favourable")
POPULATION, TOGETHER = "population", "together"


@dataclass(frozen=True)
class Assumptions:
    """What a figure assumes, as far as it is varied here.

    Attributes
    ----------
    speed : float
        Factor on every speed, that of tagged and measured roads and of the leg to the road included.
    access_radius_m : float
        Every road within it is a way on, see ``coverage.snap``.
    minutes : float
        Added to the limit in minutes.
    metres : float
        Factor on limits in metres.
    turnout : float
        Factor on the time until a vehicle moves, a facility's own included.
    """

    speed: float = 1.0
    access_radius_m: float = ACCESS_RADIUS_M
    minutes: float = 0.0
    metres: float = 1.0
    turnout: float = 1.0


SWINGS: Final[dict[str, tuple[float, float]]] = {  # unfavourable, favourable
    "speed": (0.8, 1.2),
    "access_radius_m": (150.0, 500.0),
    "minutes": (-1.0, 1.0),
    "metres": (0.9, 1.1),
    "turnout": (4 / 3, 2 / 3),
}


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """A coverage figure under one definition, and how far it moves.

    Attributes
    ----------
    definition : ServiceDefinition
    people : float
        Inside the county.
    covered_people, share_people : float
        As computed, and both again ``_without_external``.
    parameters : DataFrame
        A row an assumption, the widest swing first, "together" last: parameter ("speed", "access_radius_m", "minutes", "metres", "turnout",
        "population", "together"); value_unfavourable, value_base, value_favourable (text; the population's are of
        ``demand.spread_names``); then ``_unfavourable`` and ``_favourable``: covered_people, share_people, both ``_without_external``,
        settlements and moved_people (demand points whose answer changes, and their people); swing (of the share, favourable less
        unfavourable).
    flips : DataFrame
        A row a demand point whose answer changes: parameter, side, change ("lost", "gained"), id, name, zone_id, zone, class, people; by
        parameter and side, most people first.
    by_zone : DataFrame
        A row a township, then urban, rural, total: row, zone_id, zone, people, covered_people, share_people, both ``_without_external``,
        then these four again ``_unfavourable`` and ``_favourable``: all assumptions together, the people by the spread that covers the
        least, and the most, of the row.
    """

    definition: ServiceDefinition
    people: float
    covered_people: float
    share_people: float
    covered_people_without_external: float
    share_people_without_external: float
    parameters: pd.DataFrame
    flips: pd.DataFrame
    by_zone: pd.DataFrame


def sensitivity(prepared: Prepared, definition: ServiceDefinition) -> Sensitivity:
    """Vary the assumptions of a coverage figure, one at a time and all together; nothing is extrapolated.

    Unfavourable is the value that is expected to cover fewer. Assumptions that the definition does not make are left out: speeds and
    turnout where no minutes count, the access radius where everything is a straight line, the population where one spread is known.

    Raises
    ------
    OptionError
        The limit is a minute or less.
    InputError
        There is no road of the mode.
    """
    if any(limit.minutes is not None and limit.minutes <= -SWINGS["minutes"][0] for limit in definition.limits.values()):
        raise OptionError(Problem("时限须大于 1 分钟，才能减 1 分钟。", "The limit must be more than a minute to be lowered by one."))
    runs = _Runs(prepared.region, definition, prepared.network_of(definition))
    swings = {name: SWINGS[name] for name in _applicable(definition)}
    base, demand = runs.of(Assumptions()), prepared.region.demand
    rows, flips = [], []
    for name, values in swings.items():
        low, high = (Assumptions(**{name: value}) for value in values)
        ends = _Ends((runs.of(low), runs.of(high)))
        texts = [runs.text(name, one) for one in (low, Assumptions(), high)]
        rows.append(_row(demand, name, texts, base, ends))
        flips.append(_flips(prepared.region, name, base, ends))
    if len(demand.spread_names) > 1:
        rows.append(_population_row(demand, base))
    rows.sort(key=lambda row: -row["swing"])
    worst, best = (Assumptions(**{name: values[side] for name, values in swings.items()}) for side in range(2))
    ends = _Ends((runs.of(worst), runs.of(best)), spreads=True)
    rows.append(_row(demand, TOGETHER, ("", "", ""), base, ends))
    flips.append(_flips(prepared.region, TOGETHER, base, ends))
    return Sensitivity(
        definition=definition,
        people=math.fsum(demand.people[demand.inside]),
        **_figures(base, demand.inside, demand.people),
        parameters=pd.DataFrame(rows),
        flips=pd.concat(flips, ignore_index=True),
        by_zone=_by_zone(prepared.region, base, ends),
    )


def at_speed(network: Network, factor: float) -> Network:
    """Build the same network with every speed times a factor, tagged, measured and those of the leg to the road alike; whole ms.

    Parameters
    ----------
    network : Network
    factor : float
    """
    if factor == 1:
        return network
    both = network.forward_ms, network.backward_ms
    forward, backward = (np.where(ms == NEVER, NEVER, np.rint(ms / factor)).astype(np.int64) for ms in both)
    return replace(network, forward_ms=forward, backward_ms=backward, access_kmh=network.access_kmh * factor)


def varied(definition: ServiceDefinition, assumed: Assumptions) -> ServiceDefinition:
    """Put the assumptions on limits and turnout into a definition."""
    limits = {name: _varied_limit(limit, assumed) for name, limit in definition.limits.items()}
    return definition.model_copy(update={**limits, "turnout_s": definition.turnout_s * assumed.turnout})


def _varied_limit(limit: Limit, assumed: Assumptions) -> Limit:
    parts = {name: getattr(limit, name) for name in ("network_m", "straight_m")}
    longer = {name: metres * assumed.metres for name, metres in parts.items() if metres is not None}
    if limit.minutes is not None:
        longer["minutes"] = limit.minutes + assumed.minutes
    return Limit(**longer)


def _applicable(definition: ServiceDefinition) -> list[str]:
    """Which assumptions the definition makes."""
    minutes, network_m, straight_m = (
        any(getattr(limit, measure) is not None for limit in definition.limits.values())
        for measure in ("minutes", "network_m", "straight_m")
    )
    made = {
        "speed": minutes,
        "access_radius_m": minutes or network_m,
        "minutes": minutes,
        "metres": network_m or straight_m,
        "turnout": minutes and definition.turnout_s > 0,
    }
    return [name for name in SWINGS if made[name]]


class _Run(NamedTuple):
    """Who is covered, (points,): by any facility, by any inside the county."""

    covered: Bools
    inner: Bools


class _Ends(NamedTuple):
    """The runs at the two ends of a swing; `spreads`: of the people too the spread that covers least, and most."""

    runs: tuple[_Run, _Run]
    spreads: bool = False

    def people(self, demand: Demand, which: Bools) -> tuple[Floats, Floats]:
        """People of every point at each end, for figures on some of them."""
        if not self.spreads:
            return demand.people, demand.people
        least, most = (_spreads(demand, run, which) for run in self.runs)
        return demand.spreads[least[0]], demand.spreads[most[1]]


@dataclass(frozen=True, eq=False)
class _Runs:
    """Coverage under assumptions."""

    region: Region
    definition: ServiceDefinition
    network: Network

    def facilities(self, assumed: Assumptions) -> Facilities:
        """Those counted, at their turnout."""
        places = counted(self.region, self.definition)
        return replace(places, turnout_s=places.turnout_s * assumed.turnout)

    def of(self, assumed: Assumptions) -> _Run:
        """Compute who is covered."""
        demand, facilities = self.region.demand, self.facilities(assumed)
        network = at_speed(self.network, assumed.speed)
        ways = {
            "demand_ways": snap_demand(network, demand, access_radius_m=assumed.access_radius_m),
            "facility_ways": snap_facilities(network, facilities, access_radius_m=assumed.access_radius_m),
        }
        covers = within_limits(varied(self.definition, assumed), network, demand, facilities, **ways)
        inner = covers[:, np.flatnonzero(~facilities.external)]
        return _Run(covers.sum(axis=1) > 0, inner.sum(axis=1) > 0)

    def text(self, name: str, assumed: Assumptions) -> str:
        """The value of an assumption, with its unit."""
        definition = varied(self.definition, assumed)
        if name == "speed":
            return f"× {assumed.speed:g}"
        if name == "access_radius_m":
            return f"{assumed.access_radius_m:g} m"
        if name == "turnout":
            shown = self.facilities(assumed)
            own = np.where(np.isnan(shown.turnout_s), definition.turnout_s, shown.turnout_s)[~shown.restricted]
            seconds = sorted({round(float(one)) for one in own}) or [round(definition.turnout_s)]
            return "–".join(dict.fromkeys(f"{one:g}" for one in (seconds[0], seconds[-1]))) + " s"
        measures = ("minutes",) if name == "minutes" else ("network_m", "straight_m")
        values = (getattr(limit, measure) for limit in definition.limits.values() for measure in measures)
        return "/".join(dict.fromkeys(f"{value:g}" for value in values if value is not None)) + (" min" if name == "minutes" else " m")


def _row(demand: Demand, name: str, texts: Sequence[str], base: _Run, ends: _Ends) -> dict[str, Any]:
    row: dict[str, Any] = {"parameter": name, "value_unfavourable": texts[0], "value_base": texts[1], "value_favourable": texts[2]}
    for side, run, people in zip(SIDES, ends.runs, ends.people(demand, demand.inside), strict=True):
        moved = demand.inside & (run.covered != base.covered)
        figures = _figures(run, demand.inside, people)
        figures |= {"settlements": float(moved.sum()), "moved_people": math.fsum(demand.people[moved])}
        row |= {f"{key}_{side}": value for key, value in figures.items()}
    return row | {"swing": row["share_people_favourable"] - row["share_people_unfavourable"]}


def _population_row(demand: Demand, base: _Run) -> dict[str, Any]:
    """The people spread in the way that covers least, and most."""
    spreads = _spreads(demand, base, demand.inside)
    texts = (demand.spread_names[spreads[0]], demand.spread_names[0], demand.spread_names[spreads[1]])
    return _row(demand, POPULATION, texts, base, _Ends((base, base), spreads=True))


def _spreads(demand: Demand, run: _Run, which: Bools) -> tuple[int, int]:
    """Which spread covers the least share of some people, and which the most; of equal ones the first."""
    shares = [_share(math.fsum(people[which & run.covered]), math.fsum(people[which])) for people in demand.spreads]
    known = np.nan_to_num(np.array(shares))
    return int(np.argmin(known)), int(np.argmax(known))


def _figures(run: _Run, which: Bools, people: Floats) -> dict[str, float]:
    """Covered people and share of some points, with and without external facilities."""
    total = math.fsum(people[which])
    served, inner = (math.fsum(people[which & mask]) for mask in run)
    return {
        "covered_people": served,
        "share_people": _share(served, total),
        "covered_people_without_external": inner,
        "share_people_without_external": _share(inner, total),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _flips(region: Region, name: str, base: _Run, ends: _Ends) -> pd.DataFrame:
    """The demand points inside whose answer changes, most people first."""
    demand = region.demand
    parts = []
    for side, run in zip(SIDES, ends.runs, strict=True):
        at = np.flatnonzero(demand.inside & (run.covered != base.covered))
        at = at[np.lexsort((np.array(demand.id, dtype=str)[at], -demand.people[at]))]
        columns = {
            "parameter": name,
            "side": side,
            "change": np.where(run.covered[at], "gained", "lost"),
            **place_columns(region.zones, demand, at),
        }
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _by_zone(region: Region, base: _Run, ends: _Ends) -> pd.DataFrame:
    demand = region.demand
    said = []
    for row, zone_id, zone, which in groups(region.zones, demand.zone, demand.urban):
        figures = {"row": row, "zone_id": zone_id, "zone": zone, "people": math.fsum(demand.people[which])}
        figures |= _figures(base, which, demand.people)
        for side, run, people in zip(SIDES, ends.runs, ends.people(demand, which), strict=True):
            figures |= {f"{key}_{side}": value for key, value in _figures(run, which, people).items()}
        said.append(figures)
    return pd.DataFrame(said)
