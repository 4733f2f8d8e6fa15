"""Ways onto the network, each answer worked out by hand."""

from dataclasses import replace

import gridtown as town
import numpy as np
import pytest
import shapely

from coverage.snap import WaysOn, snap, snap_facilities
from geodata.network import Network, build_network
from geodata.standards import default_speeds

LONG = [((0, 0), (10, 0))]  # one street of 1,000 m in one piece
AVENUE = town.street(*((x, 0) for x in range(0, 41, 10)))


def ways_on(net: Network, *places: town.Node, **options: object) -> WaysOn:
    return snap(net, town.lonlat(places), np.arange(len(places)), len(places), **options)


def metres(ways: WaysOn) -> list[tuple[int, float, float]]:
    """(piece, offset, leg) of each way on, in metres."""
    return list(zip(ways.piece.tolist(), (ways.offset_mm / 1000).tolist(), (ways.leg_mm / 1000).tolist(), strict=True))


def test_a_place_steps_onto_the_middle_of_a_piece_and_the_leg_is_charged():
    ways = ways_on(town.network(town.roads(LONG)), (4, 1))
    assert metres(ways) == [(0, 400, 100)]
    assert ways.leg_ms.tolist() == [90_000]
    assert ways.road_m.tolist() == [100]


def test_every_piece_within_300_m_is_a_way_on_and_the_edge_counts():
    net = town.network(town.roads([((0, 0), (5, 0)), ((0, 5), (5, 5)), ((0, 6), (5, 6))]))
    assert metres(ways_on(net, (2, 2.5))) == [(0, 200, 250), (1, 200, 250)]
    assert metres(ways_on(net, (2, 3))) == [(0, 200, 300), (1, 200, 200), (2, 200, 300)]
    assert metres(ways_on(net, (2, 2.99999))) == [(0, 200, 299.999), (1, 200, 200.001)]


@pytest.mark.parametrize(
    ("away_m", "found", "far"), [(299.999, 1, False), (300, 1, False), (300.001, 1, True), (1000, 1, True), (1000.001, 0, True)]
)
def test_beyond_300_m_a_place_is_far_from_the_road_and_beyond_1000_m_off_the_network(away_m, found, far):
    ways = ways_on(town.network(town.roads(LONG)), (4, away_m / 100))
    assert len(ways.place) == found
    assert ways.off_network.tolist() == [found == 0]
    assert ways.road_m.tolist() == [away_m]
    assert (ways.road_m[0] > 300) == far


def test_a_far_place_has_only_the_nearest_road():
    net = town.network(town.roads([((0, 0), (5, 0)), ((0, 9), (5, 9))]))
    assert metres(ways_on(net, (2, 4))) == [(0, 200, 400)]
    assert metres(ways_on(net, (2, 4.5))) == [(0, 200, 450), (1, 200, 450)], "of equally near ones none is preferred"


def test_on_foot_the_leg_is_lengthened_by_the_detour_and_a_car_crawls_at_15_kmh():
    roads = town.roads(LONG)
    walk, drive = (ways_on(build_network(roads, mode, default_speeds(), town.CRS), (4, 1)) for mode in ("walk", "drive"))
    assert (walk.leg_mm.tolist(), walk.leg_ms.tolist()) == ([130_000], [117_000])  # 130 m at 4 km/h
    assert (drive.leg_mm.tolist(), drive.leg_ms.tolist()) == ([100_000], [24_000])  # 100 m at 15 km/h


def test_a_leg_across_a_river_does_not_count():
    river = town.line((-5, 1), (15, 1))
    ways = ways_on(town.network(town.roads(LONG, water=[river])), (4, 2), (4, 0.5))
    assert ways.off_network.tolist() == [True, False]
    assert ways.road_m.tolist() == [200, 50], "the distance is told all the same"


def test_behind_a_river_the_next_road_on_the_same_bank_is_the_way_on():
    river = town.line((-5, 1), (15, 1))
    net = town.network(town.roads([*LONG, ((0, 9), (10, 9))], water=[river]))
    assert metres(ways_on(net, (4, 2))) == [(1, 400, 700)]


def test_a_leg_across_a_lake_does_not_count_but_around_it_does():
    lake = town.polygon([(3, 0.5), (5, 0.5), (5, 1.5), (3, 1.5)])
    net = town.network(town.roads([*LONG, ((2, 0), (2, 4))], water=[lake]))
    assert metres(ways_on(net, (4, 2))) == [(1, 200, 200)]


def test_who_stands_in_the_water_may_wade_out():
    lake = town.polygon([(3, 0.5), (5, 0.5), (5, 1.5), (3, 1.5)])
    other = town.polygon([(3, 0.2), (5, 0.2), (5, 0.4), (3, 0.4)])
    assert metres(ways_on(town.network(town.roads(LONG, water=[lake])), (4, 1))) == [(0, 400, 100)]
    assert ways_on(town.network(town.roads(LONG, water=[lake, other])), (4, 1)).off_network.all(), "but not into the next lake"


def test_an_island_is_no_water():
    island = shapely.Polygon(
        town.lonlat([(-1, -1), (11, -1), (11, 3), (-1, 3)]), [town.lonlat([(0, -0.5), (10, -0.5), (10, 0.5), (0, 0.5)])]
    )
    assert metres(ways_on(town.network(town.roads(LONG, water=[island])), (4, 0.25))) == [(0, 400, 25)]


def test_a_leg_across_a_motorway_does_not_count():
    net = town.network(town.roads([*LONG, ((-5, 1), (15, 1))], road_class={1: "motorway"}), "drive")
    assert ways_on(net, (4, 2)).off_network.all()
    assert metres(ways_on(net, (4, 0.5))) == [(0, 400, 50)]


def test_a_place_at_the_foot_of_a_motorway_ramp_or_on_a_bridge_crosses_nothing():
    net = town.network(town.roads([*LONG, ((4, 0), (4, 5))], road_class={1: "motorway"}, water=[town.line((6, -5), (6, 5))]), "drive")
    assert metres(ways_on(net, (4, 0))) == [(0, 400, 0)]
    assert metres(ways_on(net, (6, 0))) == [(0, 600, 0)]


def test_motorways_and_tunnels_are_not_stepped_onto():
    roads = town.roads([((0, 0), (10, 0)), ((0, 1), (10, 1)), ((0, 2), (10, 2))], road_class={0: "motorway"}, tunnels={1})
    assert metres(ways_on(town.network(roads, "drive"), (4, 1))) == [(2, 400, 100)]
    alone = town.network(town.roads(LONG, road_class={0: "motorway"}), "drive")
    assert ways_on(alone, (4, 1)).road_m.tolist() == [np.inf], "no usable road anywhere"


def test_without_access_leg_the_single_nearest_piece_is_taken_motorways_too_and_nothing_is_charged():
    net = town.network(town.roads([*LONG, ((0, 3), (10, 3))], road_class={0: "motorway"}), "drive")
    ways = ways_on(net, (4, 1), (4, 2), (4, 13.1), access_leg=False)
    assert metres(ways) == [(0, 400, 0), (1, 400, 0)]
    assert ways.road_m.tolist() == [100, 100, 1010]


def test_without_access_leg_water_is_no_obstacle_and_max_snap_alone_decides():
    net = town.network(town.roads(LONG, water=[town.line((-5, 1), (15, 1))]))
    assert metres(ways_on(net, (4, 2), access_leg=False)) == [(0, 400, 0)]
    assert ways_on(net, (4, 2), access_leg=False, max_snap_m=199).off_network.all()
    assert not ways_on(net, (4, 2), access_leg=False, max_snap_m=200).off_network.any()


def test_a_smaller_max_snap_also_narrows_the_access_radius():
    net = town.network(town.roads(LONG))
    assert ways_on(net, (4, 1), max_snap_m=99).off_network.all()
    assert not ways_on(net, (4, 1), max_snap_m=100).off_network.any()


def test_a_park_is_entered_at_each_of_its_gates():
    net = town.network(town.roads(AVENUE))
    park = town.region(town.roads(AVENUE), {}, {"P": (0, 0)}, entrances=[town.gates((4, 1), (25, 2))]).facilities
    assert metres(snap_facilities(net, park)) == [(0, 400, 100), (2, 500, 200)]


def test_a_gate_far_from_the_road_does_not_serve_if_another_is_near():
    roads = town.roads([((0, 0), (10, 0)), ((0, 9), (10, 9))])
    park = town.region(roads, {}, {"P": (0, 0)}, entrances=[town.gates((4, 1), (4, 5))]).facilities
    assert metres(snap_facilities(town.network(roads), park)) == [(0, 400, 100)]


def test_a_piece_without_length_is_a_way_on_like_any_other():
    assert metres(ways_on(town.network(town.roads([((0, 0), (0, 0))])), (0, 1))) == [(0, 0, 100)]


def test_a_new_road_adds_ways_on_and_takes_none_away():
    net = town.network(town.roads([((0, 0), (10, 0)), ((0, 3), (10, 3)), ((0, 9), (10, 9))]))
    old_is_far = np.array([False, True, True])
    assert metres(ways_on(net, (4, 4))) == [(1, 400, 100)]
    assert metres(ways_on(replace(net, added=old_is_far), (4, 4))) == [(0, 400, 400), (1, 400, 100)]
    assert metres(ways_on(replace(net, added=np.array([False, False, True])), (4, 4))) == [(1, 400, 100)]


def test_taking_some_places_renumbers_their_ways():
    ways = ways_on(town.network(town.roads(AVENUE)), (5, 1), (35, 2), (25, 3))
    some = ways.take(np.array([2, 0]))
    assert some.count == 2
    assert dict(zip(some.place.tolist(), metres(some), strict=True)) == {0: (2, 500, 300), 1: (0, 500, 100)}
    assert some.road_m.tolist() == [300, 100]
    assert some.owner.tolist() == [1, 0]


def test_no_places_have_no_ways_on():
    ways = ways_on(town.network(town.roads(LONG)))
    assert (ways.count, len(ways.place), len(ways.road_m)) == (0, 0, 0)
