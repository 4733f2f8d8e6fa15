"""What must hold in every town: more never hurts, less never helps, names and order do not matter, and networkx agrees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import gridtown as town
import numpy as np
import pandas as pd
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, directions, judge, places, towns, weights

from coverage.circles import circles
from coverage.search import Weight, reach
from coverage.snap import snap_demand, snap_facilities
from coverage.stats import CoverageResult, coverage
from coverage.travel_times import nearest_facility, times_between, travel_times
from geodata.model import Region
from geodata.network import NEVER, Network
from geodata.roads import Roads
from geodata.standards import Direction, Limit, ServiceDefinition
from geodata.turns import forbidden_runs


@dataclass(frozen=True)
class Case:
    """A town, who lives in it, its clinics, and what is asked of them."""

    said: dict[str, object]
    homes: dict[str, town.Node]
    clinics: dict[str, town.Node]
    definition: ServiceDefinition

    @property
    def region(self) -> Region:
        return town.region(town.roads(**self.said), self.homes, self.clinics, urban=[*self.homes][::2])


minutes = st.floats(0.5, 20).map(lambda value: round(value, 2))


@st.composite
def cases(draw: st.DrawFn, *, restricted: bool = False) -> Case:
    homes = draw(st.lists(places, min_size=1, max_size=6))
    clinics = draw(st.lists(places, min_size=1, max_size=3))
    limit = {"urban": draw(minutes), "rural": Limit(minutes=draw(minutes))}
    late = draw(st.sampled_from([0, 60]))
    return Case(
        said=draw(towns(restricted=restricted)),
        homes={f"H{i}": home for i, home in enumerate(homes)},
        clinics={f"C{i}": clinic for i, clinic in enumerate(clinics)},
        definition=town.definition(mode="drive", direction=draw(directions), minutes=limit["urban"], rural=limit["rural"], turnout_s=late),
    )


def drive(roads: Roads) -> Network:
    return town.network(roads, "drive")


def covered(region: Region, definition: ServiceDefinition) -> CoverageResult:
    return coverage(region, definition, drive(region.roads))


def people(result: CoverageResult) -> float:
    return float(result.by_zone["covered_people"].iloc[-1])


def assert_same(first: CoverageResult, second: CoverageResult) -> None:
    pd.testing.assert_frame_equal(first.by_zone, second.by_zone, check_exact=True)
    pd.testing.assert_frame_equal(first.gaps, second.gaps, check_exact=True)


@PROFILE
@given(cases())
def test_coverage_and_the_gap_list_agree_with_networkx(case: Case):
    region, definition = case.region, case.definition
    net = drive(region.roads)
    result = covered(region, definition)
    best = judge(net, snap_facilities(net, region.facilities), snap_demand(net, region.demand), definition.direction, "time")
    turnout_ms = round(definition.turnout_s * 1000)
    limit_ms = [round(definition.limits["urban" if urban else "rural"].minutes * 60_000) for urban in region.demand.urban]
    expected = {(home, clinic) for (clinic, home), (ms, _) in best.items() if ms + turnout_ms <= limit_ms[home]}
    assert set(zip(*(at.tolist() for at in result.covers.nonzero()), strict=True)) == expected
    for row in result.gaps.itertuples():
        home = region.demand.id.index(row.id)
        times = {
            case_id: best[clinic, home][0] + turnout_ms for clinic, case_id in enumerate(region.facilities.id) if (clinic, home) in best
        }
        assert (row.cause == "too_far") == bool(times)
        if times:
            assert row.nearest_minutes == min(times.values()) / 60_000
            assert row.nearest_id == min(times, key=lambda clinic: (times[clinic], clinic))


@PROFILE
@given(cases(restricted=True), weights)
def test_travel_times_with_turn_restrictions_agree_with_networkx(case: Case, weight: Weight):
    region = case.region
    net = drive(region.roads)
    runs, first = forbidden_runs(region.roads, region.roads.turns, net.forward_ms != NEVER, net.backward_ms != NEVER)
    assert (np.diff(first) == 2).all(), "over a node each is a pair of runs"
    pairs = {*zip(runs[::2].tolist(), runs[1::2].tolist(), strict=True)}
    gates, homes = snap_facilities(net, region.facilities), snap_demand(net, region.demand)
    asked = {"direction": case.definition.direction, "weight": weight}
    times = times_between(net, gates, homes, second=True, **asked)
    costs = zip(times.cost.tolist(), times.second.tolist(), strict=True)
    found = dict(zip(zip(times.facility.tolist(), times.demand.tolist(), strict=True), costs, strict=True))
    expected = judge(net, gates, homes, forbidden=pairs, **asked)
    assert found == {pair: both if weight == "time" else both[::-1] for pair, both in expected.items()}
    facility, cost = nearest_facility(net, gates, homes, **asked)
    for home in range(homes.count):
        ranked = sorted((both[weight == "distance"], clinic) for (clinic, at), both in expected.items() if at == home)
        assert (cost[home], facility[home]) == (ranked[0] if ranked else (np.inf, -1))


@PROFILE
@given(cases(), st.lists(st.tuples(places, places), min_size=1, max_size=5))
def test_adding_a_road_never_lowers_coverage(case: Case, new: list[town.Piece]):
    before = case.region
    after = replace(before, roads=town.roads(**case.said | {"pieces": [*case.said["pieces"], *new]}))
    added = np.arange(len(after.roads)) >= len(before.roads)
    result = coverage(after, case.definition, replace(drive(after.roads), added=added))
    assert (result.covered >= covered(before, case.definition).covered).all()


@PROFILE
@given(cases(), places)
def test_opening_a_clinic_never_lowers_coverage_and_closing_one_never_raises_it(case: Case, place: town.Node):
    more = replace(case, clinics=case.clinics | {"new": place}).region
    result, before = covered(more, case.definition), covered(case.region, case.definition)
    assert (result.covered >= before.covered).all()
    assert (result.covers[:, : len(case.clinics)] != before.covers).nnz == 0, "opening one adds a column and changes no other"
    closed = replace(more, facilities=more.facilities.take(np.arange(1, len(more.facilities))))
    assert (covered(closed, case.definition).covered <= result.covered).all()


@PROFILE
@given(cases())
def test_closing_a_clinic_never_shortens_a_trip(case: Case):
    without = replace(case, clinics=dict([*case.clinics.items()][1:]))
    nobody = case.definition.with_minutes(0.0001)  # so that every home is in the gap list
    before, after = (covered(one.region, nobody).gaps.set_index("id")["nearest_minutes"].fillna(np.inf) for one in (case, without))
    assert (after[before.index.intersection(after.index)] >= before[before.index.intersection(after.index)]).all()


@PROFILE
@given(cases(), st.floats(0, 3))
def test_a_longer_limit_never_lowers_coverage(case: Case, more: float):
    short, long = (case.definition.with_minutes(value) for value in (2, 2 + more))
    assert (covered(case.region, long).covered >= covered(case.region, short).covered).all()


@PROFILE
@given(cases())
def test_an_empty_change_changes_nothing(case: Case):
    region = case.region
    everything = np.arange(len(region.facilities))
    again = replace(region, facilities=region.facilities.take(everything), roads=region.roads.take(np.arange(len(region.roads))))
    assert_same(covered(region, case.definition), covered(again, case.definition))


@PROFILE
@given(cases(), st.randoms(use_true_random=False))
def test_names_and_order_of_nodes_pieces_clinics_and_homes_do_not_matter(case: Case, chance):
    region = case.region
    nodes = np.array(chance.sample(range(len(region.roads.node_id)), len(region.roads.node_id)))
    at = np.argsort(nodes)
    order = [np.array(chance.sample(range(size), size), dtype=int) for size in (len(region.roads), len(region.facilities))]
    renumbered = replace(
        region.roads,
        tail=at[region.roads.tail],
        head=at[region.roads.head],
        node_id=region.roads.node_id[nodes],
        blocked=region.roads.blocked[nodes],
    )
    again = replace(region, roads=renumbered.take(order[0]), facilities=region.facilities.take(order[1]))
    first, second = covered(region, case.definition), covered(again, case.definition)
    assert_same(first, second)
    assert (first.covers[:, order[1]] != second.covers).nnz == 0


@PROFILE
@given(cases())
def test_doubling_every_speed_halves_every_time(case: Case):
    region = case.region
    unmarked = replace(region.roads, maxspeed_kmh=np.full((len(region.roads), 2), np.nan))
    slow, fast = (all_times(town.network(unmarked, "drive", times=times), region, case.definition.direction) for times in (1, 2))
    assert slow.keys() == fast.keys()
    rounded = len(region.roads) + 4  # half a millisecond for each piece and leg on the way, and as much again
    assert all(abs(slow[pair] - 2 * fast[pair]) <= rounded for pair in slow)


def all_times(net: Network, region: Region, direction: Direction) -> dict[tuple[int, int], int]:
    gates = snap_facilities(net, region.facilities)
    times = travel_times(net, reach(net, gates, direction=direction), gates, snap_demand(net, region.demand))
    return dict(zip(zip(times.facility.tolist(), times.demand.tolist(), strict=True), times.cost.tolist(), strict=True))


@settings(PROFILE, max_examples=30)
@given(cases())
def test_circles_are_valid_nested_and_merge_to_their_union(case: Case):
    region = case.region
    net = drive(region.roads)
    drawn = [circles(case.definition.with_minutes(value), net, region.facilities).to_crs(town.CRS) for value in (1, 2, 3)]
    for frame in drawn:
        assert frame.geometry.is_valid.all()
        each = frame["facility_id"] != ""
        union, merged = (shapely.union_all(frame.geometry[rows]) for rows in (each, ~each))
        assert union.difference(merged).area <= 1e-6 * union.area
        assert merged.difference(union).area <= 0.02 * union.area  # drawn from a raster: the notch between two circles is rounded
    for small, large in pairwise(frame.set_index("facility_id").geometry for frame in drawn):
        assert set(small.index) <= set(large.index)
        for facility_id in small.index:
            assert small[facility_id].difference(large[facility_id]).area <= 1e-6 * small[facility_id].area
