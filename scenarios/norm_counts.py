"""What a norm is held against: how much stands in each township and in all, and of what base. Unknown is unknown, never 0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import shapely

from coverage.stats import CoverageResult, coverage
from geodata.errors import Circle15Error, Problem
from geodata.model import RESOURCES, Demand, Facilities
from geodata.norms import Measure, Norm, Scope
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints
from scenarios.call_runs import LEGS, leg_s

ROUNDING: Final = 1e-9  # a settlement with exactly the stated share of its people within is covered
COLUMN_WORDS: Final[dict[Measure, str]] = {
    "beds": "床位数 capacity",
    "area_m2": "面积（㎡） capacity",
    "floor_area_each": "业务用房面积 floor_area_m2",
    "physicians": "执业（助理）医师 physicians",
    "tcm_physicians": "中医类别执业（助理）医师 tcm_physicians",
    "nurses": "注册护士 nurses",
    "pharmacists": "药师 pharmacists",
    "general_practitioners": "全科医生 general_practitioners",
    "childcare_places": "托位数 childcare_places",
    "vehicles": "救护车 vehicles",
}
NO_SETTLEMENTS: Final = Problem(
    "人口来自栅格，没有村（社区）：请在 [demand] 给出聚落表",
    "people come from a raster without settlements: give a table of them in [demand]",
)
NO_CALLS: Final = Problem("没有 120 记录：请在 region.toml 写 [calls]", "no 120 log: name it under [calls] in region.toml")


@dataclass(frozen=True, eq=False)
class Counted:
    """How much there is, a number a township, then that of all.

    Attributes
    ----------
    amount : (zones + 1,) float64
        nan where it cannot be told; a lower bound where `stated` is less than `of`.
    stated, of : (zones + 1,) int64
        How many facilities state it, of how many that would have to; both 0 where that is no question.
    missing : Problem or None
        The input without which it cannot be told, and where it would stand.
    """

    amount: Floats
    stated: Ints
    of: Ints
    missing: Problem | None = None


@dataclass(frozen=True, eq=False)
class Stock:
    """A region on its day: the facilities inside that are open, each in its township; coverage is computed once a definition."""

    prepared: Prepared
    zone: Ints  # of each facility, OUTSIDE included
    open_inside: Bools
    _results: dict[tuple[str, str], CoverageResult] = field(default_factory=dict)

    @classmethod
    def of(cls, prepared: Prepared) -> Stock:
        """Put every facility into its township."""
        facilities = prepared.region.facilities
        centre = shapely.get_coordinates(shapely.point_on_surface(facilities.geometry))
        here = facilities.open_on(prepared.region.date) & ~facilities.external
        return cls(prepared, prepared.region.zones.locate(centre), here)

    @property
    def facilities(self) -> Facilities:
        """All facilities of the region."""
        return self.prepared.region.facilities

    @property
    def demand(self) -> Demand:
        """Where people live."""
        return self.prepared.region.demand

    def by_zone(self, zone: Ints, amount: Floats) -> Floats:
        """Sums by township, then of all; what lies in no township is left out."""
        zones = len(self.prepared.region.zones.id)
        inside = zone >= 0
        return np.append(np.bincount(zone[inside], amount[inside], minlength=zones), amount[inside].sum())

    def covered(self, norm: Norm) -> CoverageResult:
        """Coverage by the norm's definition."""
        key = (norm.service, norm.definition)
        if key not in self._results:
            definition = self.prepared.services.service(norm.service).definition(norm.definition)
            self._results[key] = coverage(self.prepared.region, definition, self.prepared.network_of(definition))
        return self._results[key]

    def nothing(self, missing: Problem) -> Counted:
        """Nothing can be told, for want of this."""
        rows = len(self.prepared.region.zones.id) + 1
        return Counted(np.full(rows, np.nan), np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64), missing)

    def whole(self, amount: Floats) -> Counted:
        """It is known of all."""
        none = np.zeros(len(amount), dtype=np.int64)
        return Counted(amount, none, none)

    def stated(self, kinds: Sequence[str], amount: Floats, column: str) -> Counted:
        """Sum what the facilities of these kinds state; how many of them state it decides what the sum is worth."""
        absent = self.absent(kinds)
        if absent:
            return self.nothing(absent)
        mine = self.facilities.of_kinds(kinds) & self.open_inside
        known = mine & ~np.isnan(amount)
        of, stated = (self.by_zone(self.zone, which.astype(float)).astype(np.int64) for which in (mine, known))
        total = self.by_zone(self.zone, np.where(known, amount, 0.0))
        names, gap = self.kind_names(kinds), f"{stated[-1]:,}/{of[-1]:,}"
        missing = Problem(
            f"{gap} 个机构（{names[0]}）给出“{column}”，其余请补填", f"{gap} facilities ({names[1]}) state {column!r}; fill in the rest"
        )
        return Counted(np.where((stated == 0) & (of > 0), np.nan, total), stated, of, missing if stated[-1] < of[-1] else None)

    def absent(self, kinds: Sequence[str]) -> Problem | None:
        """No table of the region has any facility of these kinds: whether there is none cannot be told."""
        if self.facilities.of_kinds(kinds).any():
            return None
        names = self.kind_names(kinds)
        return Problem(
            f"各机构表中没有一个“{names[0]}”：是真的没有，还是缺表？请在 [[facilities]] 给出",
            f"no table has any {names[1]}: is there none, or a table missing? Give it in [[facilities]]",
        )

    def kind_names(self, kinds: Sequence[str]) -> tuple[str, str]:
        """The kinds by name, in both languages."""
        known = [self.prepared.services.kinds[kind] for kind in kinds]
        return "、".join(kind.zh for kind in known), ", ".join(kind.en for kind in known)


def present(stock: Stock, norm: Norm) -> Counted:
    """Count what there is of a norm's measure."""
    facilities, column = stock.facilities, COLUMN_WORDS.get(norm.measure, "")
    if norm.measure == "facilities":
        return _sites(stock, norm.kinds)
    if norm.measure in {"beds", "area_m2"}:
        return stock.stated(norm.kinds, facilities.capacity, column)
    if norm.measure == "floor_area_each":
        area = facilities.resources[:, RESOURCES.index("floor_area_m2")]
        large = np.where(np.isnan(area), np.nan, (area >= (norm.value or 0.0)).astype(float))
        return stock.stated(norm.kinds, large, column)
    if norm.measure in RESOURCES:
        return stock.stated(norm.kinds, facilities.resources[:, RESOURCES.index(norm.measure)], column)
    if norm.measure == "turnout":
        return _prompt_calls(stock, norm.within_s or 0.0)
    return _stated_figure(stock, norm) if norm.measure == "stated" else _served(stock, norm)


def base(stock: Stock, norm: Norm) -> Counted:
    """Count what the norm is reckoned on: people, townships, villages, facilities, calls, or the area as one."""
    zones = stock.prepared.region.zones
    streets = np.array(["街道" in name or "subdistrict" in name.lower() for name in zones.name], dtype=bool)
    counts: dict[str, Callable[[], Counted]] = {
        "people": lambda: stock.whole(_people(stock, _of_class(stock.demand, norm.scope))),
        "township": lambda: stock.whole(np.append(~streets, (~streets).sum()).astype(float)),
        "subdistrict": lambda: stock.whole(np.append(streets, streets.sum()).astype(float)),
        "village": lambda: _settlement_count(stock, "rural"),
        "settlement": lambda: _settlement_count(stock, norm.scope),
        "facilities": lambda: _sites(stock, norm.of_kinds or norm.kinds),
        "vehicles": lambda: stock.stated(
            norm.of_kinds, stock.facilities.resources[:, RESOURCES.index("vehicles")], COLUMN_WORDS["vehicles"]
        ),
        "calls": lambda: _prompt_calls(stock, np.inf),
        "area": lambda: stock.whole(np.append(np.zeros(len(zones.id)), 1.0)),
    }
    return counts[norm.base]()


def _of_class(demand: Demand, scope: Scope) -> Bools:
    """The points inside that a scope speaks of."""
    if scope in {"urban", "rural"}:
        return np.asarray(demand.inside & (demand.urban == (scope == "urban")))
    return demand.inside


def _people(stock: Stock, which: Bools) -> Floats:
    return stock.by_zone(stock.demand.zone, np.where(which, stock.demand.people, 0.0))


def _sites(stock: Stock, kinds: Sequence[str]) -> Counted:
    absent = stock.absent(kinds)
    if absent:
        return stock.nothing(absent)
    return stock.whole(stock.by_zone(stock.zone, (stock.facilities.of_kinds(kinds) & stock.open_inside).astype(float)))


def _stated_figure(stock: Stock, norm: Norm) -> Counted:
    """The bureau's own figure for the whole; by township it is not known."""
    zh, en = (norm.needs.split(" · ") * 2)[:2]
    unknown = stock.nothing(Problem(zh, en))
    if norm.present is None:
        return unknown
    return Counted(np.append(unknown.amount[:-1], norm.present), unknown.stated, unknown.of)


def _served(stock: Stock, norm: Norm) -> Counted:
    """People or settlements within the limits of the norm's definition."""
    try:
        result = stock.covered(norm)
    except Circle15Error as error:  # no such definition any more, or no road of that mode
        return stock.nothing(Problem("".join(one.zh for one in error.problems), " ".join(one.en for one in error.problems)))
    absent = stock.absent(result.definition.kinds)
    if absent:
        return stock.nothing(absent)
    if norm.measure == "people_covered":
        return stock.whole(_people(stock, _of_class(stock.demand, norm.scope) & result.covered))
    return _settlement_count(stock, norm.scope, covered=result.covered, share=result.definition.settlement_share)


def _settlement_count(stock: Stock, scope: Scope, *, covered: Bools | None = None, share: float = 1.0) -> Counted:
    """Settlements of a class by township; only those of which at least the share of their people is covered, if that is given."""
    demand = stock.demand
    names, number = np.unique(np.array(demand.settlement, dtype=str), return_inverse=True)
    mine = np.flatnonzero(_of_class(demand, scope) & (names[number] != ""))
    if not (demand.inside & (names[number] != "")).any():
        return stock.nothing(NO_SETTLEMENTS)
    keys = demand.zone[mine] * len(names) + number[mine]  # villages of two townships may have one name
    _, first, member = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.ones(len(first))
    if covered is not None:
        people, points = np.bincount(member, demand.people[mine]), np.bincount(member)
        people_in, points_in = np.bincount(member, (demand.people * covered)[mine]), np.bincount(member, covered[mine])
        counts = np.where(people > 0, people_in >= share * people * (1 - ROUNDING), points_in == points).astype(float)
    return stock.whole(stock.by_zone(demand.zone[mine[first]], counts))


def _prompt_calls(stock: Stock, within_s: float) -> Counted:
    """Runs whose vehicle left within so many seconds of being sent, of those with both stamps; by township where the call has one."""
    calls = stock.prepared.region.calls
    turnout_s = leg_s(calls, *LEGS["turnout"])
    timed = ~np.isnan(turnout_s)
    if not timed.any():
        return stock.nothing(NO_CALLS)
    prompt = (timed & (turnout_s <= within_s)).astype(float)
    amount = stock.by_zone(calls.zone, prompt)
    amount[-1] = prompt.sum()  # a call without a place was a call all the same
    return stock.whole(amount)
