"""Circles: the reached road, cut exactly where the limit falls; holes and islands stay."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from unittest import mock

import geopandas as gpd
import gridtown as town
import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from gridtown import BACKWARD, BOTH, FORWARD
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, directions, places, towns

from coverage.circles import catchments, circles, merged_circles, reached_lines
from coverage.drawing import raster
from coverage.drawing.raster import around
from coverage.drawing.stretches import Doors, Search, reached_stretches
from coverage.search import nearest, reach
from coverage.snap import WaysOn, snap
from coverage.travel_times import travel_times
from geodata.model import Facilities, Zones
from geodata.network import Network, build_network
from geodata.standards import Limit, default_speeds
from geodata.ways.osm import read_roads

STREET = town.street((0, 0), (10, 0), (20, 0), (30, 0))
RING = town.street((0, 0), (20, 0), (20, 20), (0, 20), (0, 0))
BLOCKS = 10_000  # ms by car


def one(net: Network, *gates: town.Node) -> WaysOn:
    """A facility with these gates."""
    return snap(net, town.lonlat(gates), np.zeros(len(gates), dtype=np.int64), 1)


def reached(net: Network, limit: float, *gates: town.Node, direction="from_facility", weight="time", delay_ms: int = 0) -> shapely.Geometry:
    """The reached road in blocks."""
    ways = one(net, *gates)
    found = reach(net, ways, direction=direction, weight=weight, limit=limit, delay_ms=np.array([delay_ms]))
    lines = shapely.transform(reached_lines(net, ways, found, 0), lambda xy: (xy - [town.EAST, town.NORTH]) / town.BLOCK_M)
    return shapely.line_merge(shapely.union_all(shapely.set_precision(lines, 1e-6)))


def is_line(found: shapely.Geometry, *corners: town.Node) -> bool:
    return bool(shapely.equals(found, shapely.LineString(corners)))


def drive(permit: int = BOTH) -> Network:
    return town.network(town.roads(STREET, permit=dict.fromkeys(range(3), permit)), "drive")


def test_the_road_is_cut_exactly_where_the_limit_falls():
    assert is_line(reached(drive(), 10 * BLOCKS, (15, 0)), (5, 0), (25, 0))
    assert is_line(reached(drive(), 3.5 * BLOCKS, (15, 0)), (11.5, 0), (18.5, 0)), "within the piece it stands on"
    assert is_line(reached(drive(), 5 * BLOCKS, (15, 0)), (10, 0), (20, 0)), "just to the corners"
    assert is_line(reached(drive(), 5.5 * BLOCKS, (15, 0)), (9.5, 0), (20.5, 0))
    assert is_line(reached(drive(), 1000 * BLOCKS, (15, 0)), (0, 0), (30, 0)), "everything"
    assert is_line(reached(drive(), 3 * BLOCKS, (10, 0)), (7, 0), (13, 0)), "from a corner"


def test_on_one_way_streets_an_ambulance_gets_ahead_and_patients_come_from_behind():
    assert is_line(reached(drive(FORWARD), 10 * BLOCKS, (15, 0)), (15, 0), (25, 0))
    assert is_line(reached(drive(FORWARD), 10 * BLOCKS, (15, 0), direction="to_facility"), (5, 0), (15, 0))
    assert is_line(reached(drive(BACKWARD), 10 * BLOCKS, (15, 0)), (5, 0), (15, 0))
    assert is_line(reached(drive(BACKWARD), 10 * BLOCKS, (15, 0), direction="to_facility"), (15, 0), (25, 0))


def test_each_way_has_its_own_reach_where_only_one_piece_is_one_way():
    net = town.network(town.roads(STREET, permit={0: FORWARD}), "drive")
    assert is_line(reached(net, 10 * BLOCKS, (15, 0)), (10, 0), (25, 0))
    assert is_line(reached(net, 10 * BLOCKS, (15, 0), direction="to_facility"), (5, 0), (25, 0))


def test_by_distance_the_cut_falls_on_the_metre():
    assert is_line(reached(drive(), 1_000_000, (15, 0), weight="distance"), (5, 0), (25, 0))
    assert is_line(reached(drive(FORWARD), 1_000_000, (15, 0), weight="distance"), (15, 0), (25, 0))


def test_the_leg_and_the_turnout_come_off_the_limit():
    assert is_line(reached(drive(), 90_000 + BLOCKS, (15, 1)), (14, 0), (16, 0))
    assert is_line(reached(drive(), 11 * BLOCKS, (15, 0), delay_ms=10 * BLOCKS), (14, 0), (16, 0))
    assert reached(drive(), 89_999, (15, 1)).is_empty
    assert reached(drive(), 9 * BLOCKS, (15, 0), delay_ms=10 * BLOCKS).is_empty


def test_two_cuts_that_meet_leave_no_gap_and_two_that_do_not_leave_the_rest():
    net = town.network(town.roads(RING), "drive")
    assert reached(net, 40 * BLOCKS, (0, 0)).length == pytest.approx(80)
    assert reached(net, 39 * BLOCKS, (0, 0)).length == pytest.approx(78)
    assert reached(net, 40 * BLOCKS, (10, 0)).length == pytest.approx(80)


def test_corners_of_a_cut_piece_are_kept():
    bent = town.network(town.roads([((0, 0), (10, 0), (10, 10), (20, 10))]), "drive")
    assert shapely.hausdorff_distance(reached(bent, 13 * BLOCKS, (2, 0)), shapely.LineString([(0, 0), (10, 0), (10, 5)])) < 0.05


def test_a_park_is_reached_from_all_its_gates_together():
    assert is_line(reached(drive(), 2 * BLOCKS, (11, 0), (14, 0)), (9, 0), (16, 0))


def drawn(pieces: list[town.Piece], clinics: dict[str, town.Node], **said: object) -> gpd.GeoDataFrame:
    """Circles by car of each clinic and merged; what ``merged_circles`` draws is always the same as the merged rows."""
    columns = {name: said.pop(name) for name in ("restricted", "entrances", "turnout_s") if isinstance(said.get(name), list)}
    roads = town.roads(pieces, permit=said.pop("permit", None))
    region = town.region(roads, {}, clinics, **columns)
    definition, net = town.definition(mode="drive", **said), town.network(roads, "drive")
    frame, merged = circles(definition, net, region.facilities), merged_circles(definition, net, region.facilities)
    assert_geodataframe_equal(frame[frame["facility_id"] == ""].reset_index(drop=True), merged, check_index_type=False)
    return frame


def circle(frame: gpd.GeoDataFrame, facility_id: str = "") -> shapely.Geometry:
    return frame.to_crs(town.CRS).set_index("facility_id").geometry[facility_id]


def at(*place: float) -> shapely.Point:
    return shapely.Point(town.EAST + place[0] * town.BLOCK_M, town.NORTH + place[1] * town.BLOCK_M)


def test_a_circle_is_the_reached_road_widened_by_what_the_definition_says():
    shape = circle(drawn(STREET, {"C": (15, 0)}, minutes=1, beside_m=50), "C")
    assert shape.contains(at(15, 0.49))
    assert not shape.intersects(at(15, 0.51))
    assert shape.contains(at(21.4, 0))
    assert not shape.intersects(at(21.51, 0))


def test_a_lake_stays_a_hole():
    shape = circle(drawn(RING, {"C": (0, 0)}, minutes=15), "C")
    assert len(shape.interiors) == 1
    assert not shape.intersects(at(10, 10))


def test_an_island_in_the_lake_stays_an_island():
    frame = drawn([*RING, ((8, 10), (12, 10))], {"P": (0, 0)}, minutes=15, entrances=[town.gates((0, 0), (10, 10))])
    shape = circle(frame, "P")
    assert len(shape.geoms) == 2
    assert shape.contains(at(10, 10))
    assert not shape.intersects(at(5, 5))
    assert frame["area_km2"].notna().all()


def test_circles_of_5_10_and_15_minutes_are_nested_and_the_merged_one_is_the_union():
    clinics = {"A": (0, 0), "B": (19, 20)}
    frames = [drawn(RING, clinics, minutes=minutes) for minutes in (0.5, 5, 10, 15)]
    for frame in frames:
        assert frame.geometry.is_valid.all()
        assert frame["facility_id"].tolist() == ["A", "B", ""]
        union = circle(frame, "A").union(circle(frame, "B"))
        assert union.symmetric_difference(circle(frame, "")).area < 0.01
        assert frame["area_km2"].to_numpy() == pytest.approx(frame.to_crs(town.CRS).area.to_numpy() / 1e6)
    for small, large in pairwise(frames):
        for facility_id in ("A", "B", ""):
            assert circle(small, facility_id).difference(circle(large, facility_id)).area < 0.01


def test_where_minutes_and_metres_both_apply_the_circle_keeps_both():
    both = circle(drawn(STREET, {"C": (15, 0)}, minutes=1, network_m=300), "C")
    metres = circle(drawn(STREET, {"C": (15, 0)}, network_m=300), "C")
    assert both.symmetric_difference(metres).area < 0.01


def test_urban_and_rural_limits_are_drawn_apart():
    frame = drawn(STREET, {"C": (15, 0)}, minutes=1, rural=Limit(minutes=1.5))
    assert frame["class"].tolist() == ["urban", "urban", "rural", "rural"]
    assert frame["facility_id"].tolist() == ["C", "", "C", ""]
    assert set(drawn(STREET, {"C": (15, 0)}, minutes=1)["class"]) == {"all"}


def test_a_straight_line_circle_is_a_disc_around_every_gate():
    shape = circle(drawn(STREET, {"P": (0, 0)}, straight_m=500, entrances=[town.gates((0, 0), (30, 0))]), "P")
    assert len(shape.geoms) == 2
    assert shape.area == pytest.approx(2 * np.pi * 500**2, rel=0.01)


def test_the_merged_circle_starts_each_facility_with_its_own_delay():
    frame = drawn(STREET, {"prompt": (12, 0), "slow": (18, 0)}, minutes=2, call_handling_s=30, turnout_s=[60.0, 70.0], beside_m=10)
    reached_by = {"prompt": (9, 15), "slow": (16, 20)}  # 30 s and 20 s of driving are left
    for facility_id, (west, east) in reached_by.items():
        assert circle(frame, facility_id).equals_exact(circle(drawn(STREET, {facility_id: ((west + east) / 2, 0)}, **only(east - west))), 1)
    shape = circle(frame)
    assert [shape.contains(at(x, 0)) for x in (8.8, 9.2, 14.8, 15.2, 15.8, 16.2, 19.8, 20.2)] == [0, 1, 1, 0, 0, 1, 1, 0]


def only(blocks: float) -> dict[str, float]:
    """A circle of so many blocks from end to end."""
    return {"minutes": blocks / 12, "beside_m": 10}


def test_on_one_way_streets_the_merged_circle_lies_ahead_of_every_point():
    street = {"minutes": 0.5, "beside_m": 10, "permit": dict.fromkeys(range(3), FORWARD)}
    out = circle(drawn(STREET, {"A": (5, 0), "B": (15, 0)}, direction="from_facility", **street))
    assert [out.contains(at(x, 0)) for x in (4.8, 5.2, 7.8, 8.2, 14.8, 15.2, 17.8, 18.2)] == [0, 1, 1, 0, 0, 1, 1, 0]
    back = circle(drawn(STREET, {"A": (5, 0), "B": (15, 0)}, direction="to_facility", **street))
    assert [back.contains(at(x, 0)) for x in (1.8, 2.2, 4.8, 5.2, 11.8, 12.2, 14.8, 15.2)] == [0, 1, 1, 0, 0, 1, 1, 0]


def test_a_road_reached_at_the_very_limit_is_drawn():
    assert circle(drawn(STREET, {"C": (15, 1)}, minutes=1.5)).contains(at(15, 0)), "the leg of one block takes 90 s"
    assert len(drawn(STREET, {"C": (15, 1)}, minutes=1.4999)) == 0


def test_a_field_inside_a_ring_of_two_clinics_stays_a_hole_and_an_island_an_island():
    shape = circle(drawn([*RING, ((8, 10), (12, 10))], {"A": (0, 0), "B": (20, 20), "island": (10, 10)}, minutes=4))
    assert [len(part.interiors) for part in shape.geoms] == [1, 0]
    assert shape.contains(at(10, 10))
    assert not shape.intersects(at(5, 5))


def test_minutes_of_one_facility_and_metres_of_another_make_no_circle():
    said = {"minutes": 2.5, "network_m": 500, "call_handling_s": 30, "turnout_s": [600.0, 0.0]}
    shape = circle(drawn(STREET, {"slow": (0, 0), "prompt": (15, 0)}, **said))
    assert [shape.contains(at(x, 0)) for x in (4, 9, 10.2, 19.8, 21)] == [0, 0, 1, 1, 0]


def test_restricted_facilities_are_not_drawn_and_not_merged():
    frame = drawn(STREET, {"base": (0, 0), "C": (30, 0)}, minutes=1, restricted=[True, False])
    assert frame["facility_id"].tolist() == ["C", ""]
    assert not frame.geometry.to_crs(town.CRS).intersects(at(0, 0)).any()


def test_who_reaches_nothing_has_no_circle():
    assert drawn(STREET, {"off": (0, 20), "C": (0, 0)}, minutes=1)["facility_id"].tolist() == ["C", ""]
    for nobody in ({}, {"off": (0, 20)}):
        frame = drawn(STREET, nobody, minutes=1)
        assert len(frame) == 0
        assert list(frame.columns) == ["facility_id", "facility", "class", "area_km2", "geometry"]
        assert frame.crs == "EPSG:4326"


def parts(pieces: list[town.Piece], clinics: dict[str, town.Node], **said: object) -> dict[str, shapely.Geometry]:
    """Catchments by car, in blocks."""
    columns = {name: said.pop(name) for name in ("restricted", "entrances", "turnout_s") if isinstance(said.get(name), list)}
    roads = town.roads(pieces, permit=said.pop("permit", None))
    facilities = town.region(roads, {}, clinics, **columns).facilities
    frame = catchments(town.definition(mode="drive", **said), town.network(roads, "drive"), facilities)
    shapes = shapely.transform(frame.geometry.to_crs(town.CRS), lambda xy: (xy - [town.EAST, town.NORTH]) / town.BLOCK_M)
    return dict(zip(frame["facility_id"], shapes, strict=True))


def east_and_west(shape: shapely.Geometry) -> tuple[float, float]:
    return shape.bounds[0], shape.bounds[2]


def test_two_clinics_share_the_street_between_them_half_and_half():
    shapes = parts(STREET, {"A": (5, 0), "B": (25, 0)}, minutes=5)
    assert east_and_west(shapes["A"]) == pytest.approx((-0.6, 15), abs=0.01)
    assert east_and_west(shapes["B"]) == pytest.approx((15, 30.6), abs=0.01)


def test_a_slow_turnout_moves_the_border_towards_the_slow_one():
    shapes = parts(STREET, {"prompt": (5, 0), "slow": (25, 0)}, minutes=5, call_handling_s=30, turnout_s=[10.0, 30.0])
    assert east_and_west(shapes["prompt"])[1] == pytest.approx(16, abs=0.01), "11 blocks and 10 s, or 9 blocks and 30 s"


def test_on_a_one_way_street_the_clinic_behind_reaches_as_far_as_the_next():
    one_way = dict.fromkeys(range(3), FORWARD)
    shapes = parts(STREET, {"A": (5, 0), "B": (25, 0)}, minutes=5, permit=one_way, direction="from_facility")
    assert east_and_west(shapes["A"])[1] == pytest.approx(25, abs=0.2)
    shapes = parts(STREET, {"A": (5, 0), "B": (25, 0)}, minutes=5, permit=one_way, direction="to_facility")
    assert east_and_west(shapes["B"])[0] == pytest.approx(5, abs=0.2)


def test_of_two_clinics_at_one_place_the_first_by_id_has_it_all():
    assert list(parts(STREET, {"b": (15, 0), "a": (15, 0)}, minutes=1)) == ["a"]


def test_where_circles_do_not_meet_each_keeps_its_own():
    drawn_parts, frame = parts(STREET, {"A": (5, 0), "B": (25, 0)}, minutes=1), drawn(STREET, {"A": (5, 0), "B": (25, 0)}, minutes=1)
    for facility_id, shape in drawn_parts.items():
        assert shape.area * town.BLOCK_M**2 == pytest.approx(circle(frame, facility_id).area)


def test_beside_the_road_the_border_lies_half_way_to_the_road_of_the_other():
    shapes = parts([((0, 0), (10, 0)), ((0, 1), (10, 1))], {"south": (0, -1), "north": (0, 2)}, minutes=15, beside_m=70)
    assert shapes["south"].contains(shapely.box(1, -0.5, 9, 0.49))
    assert shapes["north"].contains(shapely.box(1, 0.51, 9, 1.5))


def test_a_restricted_facility_takes_no_share_and_leaves_no_trace():
    with_base = parts(STREET, {"base": (10, 0), "A": (5, 0), "B": (25, 0)}, minutes=5, restricted=[True, False, False])
    assert with_base == parts(STREET, {"A": (5, 0), "B": (25, 0)}, minutes=5)


def test_straight_line_catchments_meet_where_both_gates_are_equally_far():
    gates = [town.gates((0, 0)), town.gates((6, 0), (30, 0))]
    shapes = parts(STREET, {"P": (0, 0), "Q": (30, 0)}, straight_m=500, entrances=gates)
    assert east_and_west(shapes["P"]) == pytest.approx((-5, 3), abs=0.01)
    assert len(shapes["Q"].geoms) == 2


def test_urban_and_rural_catchments_are_cut_apart_and_nobody_has_none():
    roads = town.roads(STREET)
    facilities = town.region(roads, {}, {"A": (5, 0), "B": (25, 0)}).facilities
    definition, net = town.definition(mode="drive", minutes=1, rural=Limit(minutes=2)), town.network(roads, "drive")
    frame = catchments(definition, net, facilities)
    assert frame[["facility_id", "class"]].to_numpy().tolist() == [["A", "urban"], ["B", "urban"], ["A", "rural"], ["B", "rural"]]
    nobody = catchments(definition, net, facilities.take(np.zeros(0, dtype=np.int64)))
    assert list(nobody.columns) == list(frame.columns)
    assert len(nobody) == 0


def standing(net: Network, points: np.ndarray) -> WaysOn:
    """The points as places on every piece that passes within a centimetre, without legs."""
    place, piece = net.tree.query(points, predicate="dwithin", distance=0.01)
    share = np.nan_to_num(shapely.line_locate_point(net.lines[piece], points[place], normalized=True))
    nothing = np.zeros(len(place), dtype=np.int64)
    offset = np.rint(share * net.length_mm[piece]).astype(np.int64)
    nowhere = np.column_stack([np.arange(len(points)), np.full(len(points), -80.0)]) / 1000  # nobody's coordinates
    return WaysOn(nowhere, np.arange(len(points)), len(points), place, piece, offset, nothing, nothing, np.zeros(len(points)))


limits = st.one_of(st.tuples(st.integers(0, 250_000), st.just("time")), st.tuples(st.integers(0, 2_500_000), st.just("distance")))


@settings(PROFILE, max_examples=30)
@given(towns(), st.lists(places, min_size=1, max_size=2), directions, limits, st.sampled_from([0, 30_000]))
def test_the_drawn_road_is_the_road_whose_travel_time_is_within_the_limit(said, gates, direction, limited, delay):
    limit, weight = limited
    net = town.network(town.roads(**said), "drive")
    ways = one(net, *gates)
    found = reach(net, ways, direction=direction, weight=weight, limit=limit, delay_ms=np.array([delay]))
    lines = reached_lines(net, ways, found, 0)
    everything = reach(net, ways, direction=direction, weight=weight, delay_ms=np.array([delay]))

    def cost(points: np.ndarray) -> np.ndarray:
        times = travel_times(net, everything, ways, standing(net, points))
        costs = np.full(len(points), np.inf)
        costs[times.demand] = times.cost
        return costs

    every = shapely.line_interpolate_point(net.lines[:, None], np.linspace(0, 1, 9), normalized=True).ravel()
    within = every[cost(every) <= limit - 3]
    away = shapely.distance(within[:, None], lines[None, :]).min(axis=1, initial=np.inf)
    assert (away < 0.01).all(), "all that is within is drawn"
    inner = shapely.line_interpolate_point(lines[:, None], np.linspace(0, 1, 9), normalized=True).ravel()
    assert (cost(inner) <= limit + 15).all(), "all that is drawn is within, to the centimetre"


minutes_by_mode = st.sampled_from([("drive", (0.5, 1, 2, 3)), ("walk", (5, 10, 15, 30))])


@settings(PROFILE, max_examples=8)
@given(towns(), st.lists(places, min_size=1, max_size=4), directions, minutes_by_mode, st.randoms(use_true_random=False))
def test_circles_are_valid_nested_and_merged_in_any_order(said, clinics, direction, asked, chance):
    mode, several = asked
    roads = town.roads(**said)
    net = town.network(roads, mode)
    late = [float(chance.choice([0, 30])) for _ in clinics]
    facilities = town.region(roads, {}, {str(i): clinic for i, clinic in enumerate(clinics)}, turnout_s=late).facilities
    definition = town.definition(mode=mode, direction=direction, call_handling_s=1)
    shuffled = facilities.take(np.array(chance.sample(range(len(clinics)), len(clinics))))
    smaller: dict[str, shapely.Geometry] = {}
    for minutes in several:
        frame = circles(definition.with_minutes(minutes), net, facilities)
        assert frame.geometry.is_valid.all()
        shapes = dict(zip(frame["facility_id"], frame.to_crs(town.CRS).geometry, strict=True))
        for facility_id, shape in smaller.items():
            assert shape.difference(shapes[facility_id]).area <= 1e-6 * shape.area, "the bigger contains the smaller"
        if shapes:
            assert likeness(shapely.union_all([shape for facility_id, shape in shapes.items() if facility_id]), shapes[""]) > 0.98
        smaller = shapes
    again = merged_circles(definition.with_minutes(several[-1]), net, shuffled)
    assert again.to_wkb().equals(frame[frame["facility_id"] == ""].reset_index(drop=True).to_wkb())


@settings(PROFILE, max_examples=12)
@given(towns(), st.lists(places, min_size=1, max_size=4), directions, minutes_by_mode, st.randoms(use_true_random=False))
def test_catchments_are_the_merged_circle_in_parts_that_do_not_overlap(said, clinics, direction, asked, chance):
    mode, several = asked
    roads = town.roads(**said)
    net = town.network(roads, mode)
    late = [float(chance.choice([0, 30])) for _ in clinics]
    facilities = town.region(roads, {}, {str(i): clinic for i, clinic in enumerate(clinics)}, turnout_s=late).facilities
    definition = town.definition(mode=mode, direction=direction, call_handling_s=1, minutes=chance.choice(several))
    frame = catchments(definition, net, facilities)
    parts, whole = (drawn.geometry.to_crs(town.CRS) for drawn in (frame, merged_circles(definition, net, facilities)))
    assert parts.is_valid.all()
    assert frame["facility_id"].is_monotonic_increasing
    assert parts.area.sum() == pytest.approx(whole.area.sum()), "nothing twice"
    assert shapely.union_all(parts).symmetric_difference(shapely.union_all(whole)).area <= 1e-6 * whole.area.sum(), "nothing is missing"
    again = catchments(definition, net, facilities.take(np.array(chance.sample(range(len(clinics)), len(clinics)))))
    assert again.to_wkb().equals(frame.to_wkb()), "the order of the facilities decides nothing"


@settings(PROFILE, max_examples=30)
@given(towns(), st.lists(places, min_size=2, max_size=4), directions, limits)
def test_the_road_of_each_part_is_nearest_to_its_facility(said, clinics, direction, limited):
    limit, weight = limited
    net = town.network(town.roads(**said), "drive")
    ways = snap(net, town.lonlat(clinics), np.arange(len(clinics)), len(clinics))
    delay_ms = np.arange(len(clinics), dtype=np.int64) * 7_000
    facility, cost = nearest(net, ways, direction=direction, weight=weight, delay_ms=delay_ms)
    leg = ways.leg_ms + delay_ms[ways.place] if weight == "time" else ways.leg_mm
    doors = Doors(ways.piece, ways.offset_mm, leg * ways.count + ways.place)
    key = np.where(cost <= limit, cost * ways.count + facility, np.inf)
    found = reached_stretches(net, Search(direction, weight, limit, ways.count), key, doors)
    points = shapely.line_interpolate_point(found.lines(net)[:, None], [0.02, 0.5, 0.98], normalized=True).ravel()
    everything = reach(net, ways, direction=direction, weight=weight, delay_ms=delay_ms)
    times = travel_times(net, everything, ways, standing(net, points))
    each = np.full((ways.count, len(points)), np.inf)
    each[times.facility, times.demand] = times.cost
    mine = each[np.repeat(found.owner, 3), np.arange(len(points))]
    assert (mine <= each.min(axis=0, initial=np.inf) + 15).all(), "to the centimetre"
    assert (mine <= limit + 15).all()


def likeness(one: shapely.Geometry, other: shapely.Geometry) -> float:
    """Intersection over union."""
    return float(one.intersection(other).area / one.union(other).area)


WIDTH_M, CELL_M = 60.0, 24.0
winding = st.lists(st.tuples(*[st.integers(200, 1800)] * 2), min_size=2, max_size=5).map(shapely.LineString)
windings = st.lists(winding, min_size=1, max_size=6).map(lambda lines: np.array(lines, dtype=object))


@PROFILE
@given(windings)
def test_the_widened_lines_are_the_union_of_their_buffers_nearly(lines):
    shape, exact = around(lines, WIDTH_M), shapely.union_all(shapely.buffer(lines, WIDTH_M))
    assert shape.is_valid
    if shapely.length(lines).max() > 0:
        assert likeness(shape, exact) > 0.97
    narrower, wider = (shapely.union_all(shapely.buffer(lines, WIDTH_M + off)) for off in (-CELL_M, CELL_M))
    assert wider.contains(shape)
    assert shape.contains(narrower)


def test_a_line_is_widened_evenly_whatever_its_direction():
    for angle in np.linspace(0, np.pi, 25):
        line = shapely.LineString([(3, 7), (3 + 2000 * np.cos(angle), 7 + 2000 * np.sin(angle))])
        outline = shapely.get_coordinates(around(np.array([line]), WIDTH_M))
        assert np.abs(shapely.distance(line, shapely.points(outline)) - WIDTH_M).max() < WIDTH_M / 40, "no staircase"
        assert likeness(around(np.array([line]), WIDTH_M), line.buffer(WIDTH_M)) > 0.995


@settings(PROFILE, max_examples=25)
@given(windings, st.integers(0, 1))
def test_in_many_windows_the_outline_is_the_same_as_in_one(lines, side):
    lines = shapely.transform(lines, lambda xy: xy - side * 256 * CELL_M)  # in the first window, or in that before it
    shape = around(lines, WIDTH_M)
    with mock.patch.object(raster, "_WINDOW", 16):
        assert shapely.equals(around(lines, WIDTH_M), shape)


def test_roads_a_thousand_kilometres_apart_cost_no_more_than_roads_nearby():
    street = shapely.LineString([(0, 0), (600, 0)])
    far = shapely.transform(street, lambda xy: xy + CELL_M * np.array([30_000, 30_000]))
    assert around(np.array([street, far]), WIDTH_M).area == pytest.approx(2 * around(np.array([street]), WIDTH_M).area)


@pytest.fixture(scope="module")
def monaco(data_file: Callable[[str], Path]) -> tuple[Network, Facilities]:
    """Streets of Monaco, with the one-ways and turns of its drivers, and ten points at random corners."""
    network = build_network(read_roads(data_file("monaco/monaco.osm.gz")), "drive", default_speeds(), "EPSG:32632")
    corners = shapely.get_point(np.random.default_rng(15).choice(network.lines, 10, replace=False), 0)
    points = gpd.GeoSeries(corners, crs=network.crs).to_crs("EPSG:4326")
    names = [f"{number:02}" for number in range(len(points))]
    frame = gpd.GeoDataFrame({"id": names, "name": names, "kind": "hospital"}, geometry=points)
    everywhere = gpd.GeoDataFrame({"id": ["Z"], "name": ["Z"]}, geometry=[shapely.box(*points.total_bounds)], crs="EPSG:4326")
    return network, Facilities.from_geodataframe(frame, Zones.from_geodataframe(everywhere), network.crs)


def test_in_monaco_the_circle_is_the_union_of_buffers_and_its_parts_fill_it(monaco):
    network, facilities = monaco
    definition = town.definition(mode="drive", minutes=0.5, direction="from_facility", beside_m=30)
    ways = snap(network, facilities.entrance, np.zeros(len(facilities), dtype=np.int64), 1)
    found = reach(network, ways, direction="from_facility", limit=30_000)
    exact = shapely.union_all(shapely.buffer(reached_lines(network, ways, found, 0), 30))
    whole = merged_circles(definition, network, facilities).geometry.to_crs(network.crs).iloc[0]
    parts = catchments(definition, network, facilities).geometry.to_crs(network.crs)
    assert likeness(whole, exact) > 0.98
    assert parts.is_valid.all()
    assert parts.area.sum() == pytest.approx(whole.area)
    assert likeness(shapely.union_all(parts), whole) > 1 - 1e-6
