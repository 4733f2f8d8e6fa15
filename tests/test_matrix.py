"""Origin-destination tables: minutes and metres of the same chosen way."""

import gridtown as town
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE, judge, places, towns, weights

from coverage.matrix import ODMatrix, od_matrix
from coverage.search import Weight
from coverage.snap import snap
from geodata.network import Network

SLOW_AND_SHORT, FAST_AND_LONG = ((0, 0), (20, 0)), ((0, 0), (0, 5), (20, 5), (20, 0))
ENDS = ((0, 0), (20, 0))


def table(
    net: Network, origins: list[town.Node], destinations: list[town.Node], **options: object
) -> dict[tuple[int, int], tuple[int, int]]:
    """(origin, destination) → (ms, mm)."""
    found = od_matrix(net, town.lonlat(origins), town.lonlat(destinations), **options)
    return rows(found)


def rows(found: ODMatrix) -> dict[tuple[int, int], tuple[int, int]]:
    keys = zip(found.origin.tolist(), found.destination.tolist(), strict=True)
    return dict(zip(keys, zip(found.ms.tolist(), found.mm.tolist(), strict=True), strict=True))


def two_ways(kmh: float) -> Network:
    return town.network(town.roads([SLOW_AND_SHORT, FAST_AND_LONG], kmh={0: 36, 1: kmh}), "drive")


def test_minutes_and_metres_belong_to_the_same_way():
    assert table(two_ways(72), [ENDS[0]], [ENDS[1]]) == {(0, 0): (150_000, 3_000_000)}
    assert table(two_ways(72), [ENDS[0]], [ENDS[1]], weight="distance") == {(0, 0): (200_000, 2_000_000)}


def test_of_equally_fast_ways_the_shortest_is_chosen_and_of_equally_short_ones_the_fastest():
    assert table(two_ways(54), [ENDS[0]], [ENDS[1]]) == {(0, 0): (200_000, 2_000_000)}
    parallel = town.network(town.roads([SLOW_AND_SHORT] * 2, kmh={0: 36, 1: 72}), "drive")
    assert table(parallel, [ENDS[0]], [ENDS[1]], weight="distance") == {(0, 0): (100_000, 2_000_000)}


@pytest.mark.parametrize(("limit_ms", "found"), [(149_999, 0), (150_000, 1)])
def test_the_limit_is_inclusive_and_in_minutes(limit_ms, found):
    assert len(table(two_ways(72), [ENDS[0]], [ENDS[1]], limit_ms=limit_ms)) == found


@pytest.mark.parametrize(("limit_ms", "found"), [(199_999, 0), (200_000, 1)])
def test_by_distance_the_limit_is_on_the_minutes_of_the_shortest_way(limit_ms, found):
    assert len(table(two_ways(72), [ENDS[0]], [ENDS[1]], limit_ms=limit_ms, weight="distance")) == found


def test_legs_are_part_of_both_unless_told_otherwise():
    net = town.network(town.roads([SLOW_AND_SHORT]), "drive")
    assert table(net, [(5, 1)], [(15, 2)]) == {(0, 0): (100_000 + 3 * 90_000, 1_300_000)}
    assert table(net, [(5, 1)], [(15, 2)], access_leg=False) == {(0, 0): (100_000, 1_000_000)}


def test_without_access_leg_a_point_at_a_corner_is_at_the_corner_whichever_street_is_nearest():
    ring = town.street((0, 0), (10, 0), (10, 10), (0, 10), (0, 0))
    net = town.network(town.roads([((10, 0), (30, 0)), *ring], permit=dict.fromkeys(range(1, 5), town.FORWARD)), "drive")
    assert table(net, [(10, 0)], [(30, 0)], access_leg=False) == {(0, 0): (200_000, 2_000_000)}
    assert table(net, [(30, 0)], [(10, 0)], access_leg=False) == {(0, 0): (200_000, 2_000_000)}
    assert table(net, [(0, 0)], [(10, 0)], access_leg=False) == {(0, 0): (100_000, 1_000_000)}
    assert table(net, [(10, 0)], [(0, 0)], access_leg=False) == {(0, 0): (300_000, 3_000_000)}


def test_points_beyond_max_snap_have_no_rows_and_are_told_apart():
    net = town.network(town.roads([SLOW_AND_SHORT]), "drive")
    found = od_matrix(net, town.lonlat([(5, 0), (5, 11)]), town.lonlat([(5, 11), (15, 0)]), max_snap_m=500)
    assert rows(found) == {(0, 1): (100_000, 1_000_000)}
    np.testing.assert_equal(found.off_origin_m, [np.nan, 1100])
    np.testing.assert_equal(found.off_destination_m, [1100, np.nan])


def test_unreachable_pairs_have_no_row():
    net = town.network(town.roads([SLOW_AND_SHORT], permit={0: town.FORWARD}), "drive")
    assert table(net, [(5, 0)], [(15, 0), (4, 0)]) == {(0, 0): (100_000, 1_000_000)}


def test_a_point_to_itself_takes_no_time():
    assert table(two_ways(72), [(3, 2)], [(3, 2)]) == {(0, 0): (0, 0)}


def test_no_origins_or_no_destinations_give_an_empty_table():
    assert table(two_ways(72), [], [(0, 0)]) == table(two_ways(72), [(0, 0)], []) == table(two_ways(72), [], []) == {}


def test_rows_come_by_origin_then_destination():
    places_ = [(0, 0), (10, 0), (20, 0)]
    for destinations in (places_, places_[:2]):
        found = od_matrix(two_ways(72), town.lonlat(places_), town.lonlat(destinations))
        assert found.origin.tolist() == [origin for origin in range(3) for _ in destinations]
        assert found.destination.tolist() == [*range(len(destinations))] * 3


some_places = st.lists(places, min_size=1, max_size=4)


@PROFILE
@given(towns(), some_places, some_places, weights, st.booleans())
def test_every_pair_agrees_with_networkx(said, origins, destinations, weight: Weight, access_leg):
    net = town.network(town.roads(**said), "drive")
    sides = [snap(net, town.lonlat(side), np.arange(len(side)), len(side), access_leg=access_leg) for side in (origins, destinations)]
    found = table(net, origins, destinations, weight=weight, access_leg=access_leg)
    assert found == judge(net, *sides, "from_facility", weight)


@PROFILE
@given(towns(), some_places, some_places, weights)
def test_searching_from_the_destinations_gives_the_same_table(said, origins, destinations, weight: Weight):
    net = town.network(town.roads(**said), "drive")
    together = table(net, origins, destinations, weight=weight)
    for at, origin in enumerate(origins):
        assert table(net, [origin], destinations, weight=weight) == {(0, d): cost for (o, d), cost in together.items() if o == at}
    for at, destination in enumerate(destinations):
        assert table(net, origins, [destination], weight=weight) == {(o, 0): cost for (o, d), cost in together.items() if d == at}


def test_searching_in_small_blocks_gives_the_same_table(monkeypatch: pytest.MonkeyPatch):
    net = town.network(town.roads(town.streets(5, 5)))
    here = [(float(x), y / 3) for x in range(5) for y in range(4)]
    whole = table(net, here, here)
    monkeypatch.setattr("coverage.travel_times.AT_ONCE", 6)
    monkeypatch.setattr("coverage.search.AT_ONCE", 4)
    assert table(net, here, here) == whole
    assert len(whole) == len(here) ** 2
