"""Travel times between places on gridtown, each worked out by hand."""

from functools import partial

import gridtown as town
import numpy as np
import pytest
from gridtown import BACKWARD, BLOCK_MS, BOTH, FORWARD, trip

from coverage.search import reach, start_delay_ms
from coverage.snap import snap, snap_facilities
from coverage.travel_times import nearest_facility, times_between, travel_times
from geodata.network import build_network
from geodata.standards import default_speeds

STREET = town.street(*((x, 0) for x in range(0, 41, 4)))  # corners every 400 m, so that no leg reaches past the next corner
DRIVE_BLOCK_MS = 10_000
BOTH_WAYS = pytest.mark.parametrize("direction", ["to_facility", "from_facility"])


def line(permit: dict[int, int] | None = None, **said: object):
    return town.network(town.roads(STREET, permit=permit, **said), "drive")


@BOTH_WAYS
def test_between_corners_time_and_length_are_those_of_the_pieces(direction):
    assert trip(line(), (0, 0), (12, 0), direction=direction) == 12 * DRIVE_BLOCK_MS
    assert trip(line(), (0, 0), (12, 0), direction=direction, weight="distance") == 1_200_000


@BOTH_WAYS
def test_from_mid_piece_only_the_part_to_the_corner_counts(direction):
    assert trip(line(), (1, 0), (11, 0), direction=direction) == 10 * DRIVE_BLOCK_MS
    assert trip(line(), (11, 0), (1, 0), direction=direction) == 10 * DRIVE_BLOCK_MS


@BOTH_WAYS
@pytest.mark.parametrize(("home", "clinic"), [((1, 0), (3, 0)), ((3, 0), (1, 0)), ((0, 0), (4, 0)), ((2, 0), (2, 0))])
def test_on_the_same_piece_the_way_is_along_it(direction, home, clinic):
    assert trip(line(), home, clinic, direction=direction) == abs(home[0] - clinic[0]) * DRIVE_BLOCK_MS


def test_on_a_one_way_piece_back_means_all_the_way_round():
    ring = town.street((0, 0), (8, 0), (8, 8), (0, 8), (0, 0))
    net = town.network(town.roads(ring, permit=dict.fromkeys(range(4), FORWARD)), "drive")
    assert trip(net, (2, 0), (6, 0)) == 4 * DRIVE_BLOCK_MS
    assert trip(net, (6, 0), (2, 0)) == 28 * DRIVE_BLOCK_MS
    assert trip(net, (6, 0), (2, 0), direction="from_facility") == 4 * DRIVE_BLOCK_MS
    assert trip(net, (8, 0), (0, 0)) == 24 * DRIVE_BLOCK_MS


def test_a_piece_drawn_backwards_is_one_way_the_other_way():
    net = town.network(town.roads(town.street((0, 0), (10, 0), (20, 0), (30, 0)), permit={1: BACKWARD}), "drive")
    assert trip(net, (16, 0), (14, 0)) == 2 * DRIVE_BLOCK_MS
    assert trip(net, (14, 0), (16, 0)) is None
    assert trip(net, (24, 0), (8, 0)) == 16 * DRIVE_BLOCK_MS
    assert trip(net, (8, 0), (24, 0)) is None


def test_patients_drive_to_the_clinic_and_ambulances_come_from_their_point():
    net = line({4: FORWARD})
    assert trip(net, (8, 0), (24, 0), direction="to_facility") == 16 * DRIVE_BLOCK_MS
    assert trip(net, (8, 0), (24, 0), direction="from_facility") is None
    assert trip(net, (24, 0), (8, 0), direction="from_facility") == 16 * DRIVE_BLOCK_MS


@BOTH_WAYS
def test_a_place_at_a_corner_is_at_the_corner_whichever_way_its_street_runs(direction):
    out_and_tunnel = [((8, 0), (16, 0)), ((0, 0), (8, 0)), ((8, 0), (8, 8))]
    for permit in (FORWARD, BACKWARD):
        net = town.network(town.roads(out_and_tunnel, permit={0: permit}, tunnels={1, 2}), "drive")
        far_end = snap(net, town.lonlat([(8, 8)]), np.array([0]), 1, access_leg=False)
        corner = snap(net, town.lonlat([(8, 0)]), np.array([0]), 1)
        assert corner.piece.tolist() == [0], "the tunnels are no ways on"
        times = travel_times(net, reach(net, corner, direction=direction), corner, far_end)
        assert times.cost.tolist() == [8 * DRIVE_BLOCK_MS]


def test_passing_a_place_costs_nothing_even_where_milliseconds_do_not_divide():
    third = [((0, 0), (10.00003, 0))]
    net = town.network(town.roads(third), "drive")
    whole = int(net.forward_ms[0])
    for home in np.arange(0.5, 10, 0.71):
        assert trip(net, (0, 0), (home, 0)) + trip(net, (home, 0), (10.00003, 0)) == whole
        assert trip(net, (0, 0), (home, 0)) == trip(net, (home, 0), (0, 0))


def test_of_parallel_pieces_the_fastest_counts_and_they_are_not_added_up():
    roads = town.roads([((0, 0), (8, 0)), ((0, 0), (8, 0)), ((0, 0), (8, 0))], kmh={0: 36, 1: 72, 2: 18})
    assert trip(town.network(roads, "drive"), (0, 0), (8, 0)) == 8 * DRIVE_BLOCK_MS // 2


def test_a_loop_is_entered_from_either_side_and_a_one_way_loop_from_one():
    loop = ((0, 0), (8, 0), (8, 8), (0, 8), (0, 0))  # one piece that ends where it starts
    roads = [loop, ((-8, 0), (0, 0))]
    both, one = (town.network(town.roads(roads, permit={0: permit}), "drive") for permit in (BOTH, FORWARD))
    near = partial(pytest.approx, rel=0.003)  # a place on a bend is measured by great circle, the lattice by its blocks
    assert [trip(both, (-8, 0), (0, 6)), trip(both, (0, 6), (-8, 0))] == near([14 * DRIVE_BLOCK_MS] * 2)
    assert trip(one, (-8, 0), (0, 6)) == near((8 + 26) * DRIVE_BLOCK_MS)
    assert trip(one, (0, 6), (-8, 0)) == near((6 + 8) * DRIVE_BLOCK_MS)
    assert trip(one, (8, 2), (2, 0)) == near((32 - 10 + 2) * DRIVE_BLOCK_MS)


@pytest.mark.parametrize("permit", [BOTH, FORWARD, BACKWARD])
def test_a_piece_without_length_costs_nothing(permit):
    roads = [((0, 0), (8, 0)), ((8, 0), (8.000001, 0)), ((8.000001, 0), (16, 0)), ((8, 0), (8, 0))]
    net = town.network(town.roads(roads, permit={1: permit}), "drive")
    assert net.length_mm[1] == net.length_mm[3] == 0
    assert trip(net, (0, 0), (16, 0)) == (None if permit == BACKWARD else 16 * DRIVE_BLOCK_MS)
    assert trip(net, (8, 0), (16, 0)) == 8 * DRIVE_BLOCK_MS, "who stands on it is at both of its ends"


def test_the_best_of_several_gates_serves():
    roads = town.roads(STREET)
    park = town.region(roads, {"A": (12, 0), "B": (40, 0)}, {"P": (5, 0)}, entrances=[town.gates((4, 0), (24, 0))])
    net = town.network(roads, "drive")
    gates = snap_facilities(net, park.facilities)
    homes = snap(net, park.demand.lonlat, np.arange(2), 2)
    assert travel_times(net, reach(net, gates, direction="to_facility"), gates, homes).cost.tolist() == [80_000, 160_000]


def test_facilities_at_one_corner_each_keep_their_own_column():
    net = line()
    clinics = snap(net, town.lonlat([(8, 0), (8, 0), (0, 0)]), np.arange(3), 3)
    homes = snap(net, town.lonlat([(16, 0)]), np.arange(1), 1)
    times = travel_times(net, reach(net, clinics, direction="to_facility"), clinics, homes)
    assert times.facility.tolist() == [0, 1, 2]
    assert times.cost.tolist() == [80_000, 80_000, 160_000]


def test_home_and_clinic_at_the_same_place_need_no_leg():
    assert trip(line(), (10, 2), (10, 2)) == 0
    assert trip(line(), (10, 2), (10, 2.001)) == 2 * 2 * BLOCK_MS + 90, "a hand's breadth apart both legs are charged"


def test_the_other_cost_is_told_only_where_it_is_asked_for_even_if_nothing_but_the_own_door_is_reached():
    net, here = line(), np.zeros(1, dtype=np.int64)
    clinic, home = (snap(net, town.lonlat([(10, 2)]), here, 1) for _ in range(2))
    for asked in (False, True):
        times = times_between(net, clinic, home, direction="to_facility", limit=0, second=asked)
        assert (times.cost.tolist(), times.second.tolist()) == ([0], [0] if asked else [])


def test_off_the_network_nobody_is_given_a_time_not_even_at_the_clinic_s_own_door():
    assert trip(line(), (10, 11), (10, 11)) is None


def test_a_barrier_can_be_reached_from_both_sides_but_not_passed():
    net = line(blocked={(16, 0): 0b111})
    assert trip(net, (8, 0), (24, 0)) is None
    assert trip(net, (8, 0), (16, 0)) == trip(net, (24, 0), (16, 0)) == 8 * DRIVE_BLOCK_MS


def test_a_barrier_for_cars_lets_walkers_pass():
    roads = town.roads(STREET, blocked={(16, 0): 0b100})
    assert trip(town.network(roads, "drive"), (8, 0), (24, 0)) is None
    assert trip(town.network(roads, "walk"), (8, 0), (24, 0)) == 16 * BLOCK_MS


def test_over_the_bridge_the_other_bank_is_reached():
    banks = [*STREET, *town.street(*((x, 5) for x in range(0, 41, 4))), ((20, 0), (20, 5))]
    river = town.line((-5, 2.5), (45, 2.5))
    net = town.network(town.roads(banks, water=[river]))
    assert trip(net, (8, 0), (8, 5)) == (12 + 5 + 12) * BLOCK_MS


def test_the_motorway_is_travelled_between_its_ends_only():
    roads = town.roads([((0, 0), (0, 8)), ((0, 0), (40, 0)), ((40, 0), (40, 8))], road_class={1: "motorway"})
    net = town.network(roads, "drive")
    assert trip(net, (0, 4), (40, 4)) == 48 * DRIVE_BLOCK_MS
    assert trip(net, (20, 1), (40, 4)) is None


@pytest.mark.parametrize(("limit_s", "reached"), [(899, False), (900, True), (901, True)])
def test_the_limit_is_inclusive(limit_s, reached):
    net = town.network(town.roads(town.streets(11, 1)))
    clinic, home = (snap(net, town.lonlat([place]), np.array([0]), 1) for place in ((0, 0), (10, 0)))
    times = travel_times(net, reach(net, clinic, direction="to_facility", limit=limit_s * 1000), clinic, home)
    assert times.cost.tolist() == ([900_000] if reached else [])


def test_call_handling_and_turnout_start_the_clock():
    places = town.region(town.roads(STREET), {}, {"A": (0, 0), "B": (0, 0), "C": (0, 0)}, turnout_s=[np.nan, 60.0, 0.0]).facilities
    moving = town.definition(mode="drive", direction="from_facility", call_handling_s=60, turnout_s=180)
    assert start_delay_ms(moving, places).tolist() == [240_000, 120_000, 60_000]
    assert start_delay_ms(town.definition(), places).tolist() == [0, 0, 0], "who goes on foot waits for no crew"


@pytest.mark.parametrize(("weight", "expected"), [("time", [300_000, 380_000]), ("distance", [0, 800_000])])
def test_turnout_is_added_to_minutes_and_not_to_metres_even_at_the_point_s_own_door(weight, expected):
    net = line()
    point = snap(net, town.lonlat([(8, 0)]), np.array([0]), 1)
    homes = snap(net, town.lonlat([(8, 0), (16, 0)]), np.arange(2), 2)
    found = reach(net, point, direction="from_facility", weight=weight, delay_ms=np.array([300_000]))
    assert travel_times(net, found, point, homes).cost.tolist() == expected
    facility, cost = nearest_facility(net, point, homes, direction="from_facility", weight=weight, delay_ms=np.array([300_000]))
    assert (facility.tolist(), cost.tolist()) == ([0, 0], expected)


def test_of_equally_near_facilities_the_first_is_nearest():
    net = line()
    for order in ([(0, 0), (16, 0)], [(16, 0), (0, 0)]):
        clinics = snap(net, town.lonlat(order), np.arange(2), 2)
        homes = snap(net, town.lonlat([(8, 0), (7, 0), (4, 0)]), np.arange(3), 3)
        facility, cost = nearest_facility(net, clinics, homes, direction="to_facility")
        assert cost.tolist() == [80_000, 70_000, 40_000]
        west = order.index((0, 0))
        assert facility.tolist() == [0, west, west]


def test_the_nearest_of_no_facilities_is_none():
    net, nobody = line(), np.zeros((0, 2))
    homes = snap(net, town.lonlat([(8, 0)]), np.arange(1), 1)
    facility, cost = nearest_facility(net, snap(net, nobody, np.zeros(0, int), 0), homes, direction="to_facility")
    assert (facility.tolist(), cost.tolist()) == ([-1], [np.inf])


def test_doubling_speeds_halves_times():
    roads = town.roads(STREET)
    slow, fast = (trip(town.network(roads, "drive", times=times), (3, 1), (33, 2)) for times in (1, 2))
    assert slow == 2 * fast == 30 * DRIVE_BLOCK_MS + 3 * BLOCK_MS


def test_at_the_shipped_speeds_a_kilometre_on_foot_takes_15_minutes():
    net = build_network(town.roads(STREET), "walk", default_speeds(), town.CRS)
    assert trip(net, (0, 0), (10, 0)) == 900_000
