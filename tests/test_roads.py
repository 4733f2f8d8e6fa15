"""Roads and the network of one mode: speeds, directions, barriers, selections, fingerprints."""

from dataclasses import fields, replace

import gridtown
import numpy as np
import pytest
import shapely
from gridtown import BACKWARD, BOTH, CRS, FORWARD
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.model import Region
from geodata.network import NEVER, build_network, travel_ms
from geodata.pack import fingerprint, pack, unpack
from geodata.roads import Roads, forward_bit, great_circle_m
from geodata.standards import default_speeds

ROW = [((0, 0), (1, 0)), ((1, 0), (2, 0)), ((2, 0), (3, 0))]
WALK, BIKE, DRIVE = 0b000011, 0b001100, 0b110000


def with_maxspeed(town: Roads, forward: float, backward: float) -> Roads:
    return replace(town, maxspeed_kmh=np.tile([forward, backward], (len(town), 1)))


# --- speeds


def test_a_block_of_100_m_takes_90_s_on_foot_30_s_by_bicycle_and_10_s_by_car():
    town = gridtown.roads(ROW)
    assert {mode: gridtown.network(town, mode).forward_ms.tolist() for mode in ("walk", "bike", "drive")} == {
        "walk": [90_000] * 3,
        "bike": [30_000] * 3,
        "drive": [10_000] * 3,
    }


def test_each_class_has_its_own_speed():
    speeds = gridtown.speeds()
    speeds = speeds.model_copy(update={"drive": speeds.drive.model_copy(update={"classes": {"trunk": 72.0}})})
    town = gridtown.roads(ROW, road_class={1: "trunk"})
    assert build_network(town, "drive", speeds, CRS).forward_ms.tolist() == [10_000, 5_000, 10_000]


def test_a_tagged_limit_is_the_driving_speed_even_where_it_is_higher():
    network = gridtown.network(with_maxspeed(gridtown.roads(ROW), 72, 18), "drive")
    assert (network.forward_ms.tolist(), network.backward_ms.tolist()) == ([5_000] * 3, [20_000] * 3)


def test_a_tagged_limit_is_a_ceiling_for_a_bicycle():
    network = gridtown.network(with_maxspeed(gridtown.roads(ROW), 72, 6), "bike")
    assert (network.forward_ms.tolist(), network.backward_ms.tolist()) == ([30_000] * 3, [60_000] * 3)


def test_a_walker_ignores_speed_limits():
    assert gridtown.network(with_maxspeed(gridtown.roads(ROW), 1, 1)).forward_ms.tolist() == [90_000] * 3


def test_a_limit_for_one_direction_leaves_the_other_at_its_class_speed():
    network = gridtown.network(with_maxspeed(gridtown.roads(ROW), np.nan, 18), "drive")
    assert (network.forward_ms[0], network.backward_ms[0]) == (10_000, 20_000)


@given(st.integers(0, 10**9), st.floats(0.5, 200))
def test_doubling_the_speed_halves_the_time(length_mm, kmh):
    assert abs(travel_ms([length_mm], [kmh])[0] - 2 * travel_ms([length_mm], [2 * kmh])[0]) <= 1


# --- directions and modes


def test_a_direction_that_is_not_permitted_takes_forever():
    network = gridtown.network(gridtown.roads(ROW, permit={0: FORWARD, 1: BACKWARD}))
    assert network.forward_ms.tolist() == [90_000, NEVER, 90_000]
    assert network.backward_ms.tolist() == [NEVER, 90_000, 90_000]


def test_a_mode_has_only_the_pieces_it_may_use():
    town = gridtown.roads(ROW, permit={0: WALK, 1: WALK | BIKE, 2: DRIVE})
    assert {mode: len(gridtown.network(town, mode)) for mode in ("walk", "bike", "drive")} == {"walk": 2, "bike": 1, "drive": 1}


def test_each_mode_has_two_bits_of_its_own():
    assert [forward_bit(mode) for mode in ("walk", "bike", "drive")] == [1, 4, 16]


@pytest.mark.parametrize(("mode", "zh"), [("walk", "步行"), ("bike", "骑行"), ("drive", "驾车")])
def test_no_road_of_a_mode_is_refused(mode, zh):
    town = gridtown.roads(ROW, permit=dict.fromkeys(range(3), BOTH & ~(3 * forward_bit(mode))))
    with pytest.raises(InputError, match=f"{zh}.*No road is open to mode {mode}"):
        gridtown.network(town, mode)


def test_the_network_keeps_lengths_and_lines_in_metres():
    network = gridtown.network(gridtown.roads(ROW))
    assert network.length_mm.tolist() == [100_000] * 3
    assert shapely.length(network.lines) == pytest.approx([100] * 3, abs=1e-3)


def test_water_and_motorways_are_obstacles_for_every_mode():
    lake = gridtown.polygon([(0, 1), (1, 1), (1, 2)])
    town = gridtown.roads(ROW, water=[lake], road_class={2: "motorway"}, permit={2: DRIVE})
    for mode in ("walk", "drive"):
        network = gridtown.network(town, mode)
        assert sorted(shapely.get_dimensions(network.obstacles).tolist()) == [1, 2]


# --- barriers


def neighbours(network) -> list[set[int]]:
    """Nodes joined to each other, whatever the direction."""
    groups = [{node} for node in range(network.node_count)]
    for a, b in zip(network.start, network.end, strict=True):
        joined = next(g for g in groups if a in g) | next(g for g in groups if b in g)
        groups = [g for g in groups if not g & joined] + [joined]
    return groups


def test_a_barrier_is_reached_from_both_sides_and_not_passed():
    town = gridtown.roads(ROW, blocked={(1, 0): 0b100})
    assert [len(neighbours(gridtown.network(town, mode))) for mode in ("walk", "bike", "drive")] == [1, 1, 2]
    assert gridtown.network(town, "drive").node_count == gridtown.network(town, "walk").node_count + 1


def test_a_barrier_at_a_crossing_parts_all_its_arms():
    cross = [((1, 1), arm) for arm in ((0, 1), (2, 1), (1, 0), (1, 2))]
    assert len(neighbours(gridtown.network(gridtown.roads(cross, blocked={(1, 1): 0b001})))) == 4


def test_a_loop_that_starts_at_a_barrier_does_not_join_its_ends():
    network = gridtown.network(gridtown.roads([((0, 0), (1, 0)), ((1, 0), (1, 0))], blocked={(1, 0): 1}))
    assert network.start[1] != network.end[1]


# --- Roads


def test_taking_pieces_keeps_geometry_length_and_nodes():
    town = gridtown.roads(gridtown.streets(3, 3), road_class={4: "primary"}, blocked={(1, 1): 1})
    pieces = np.array([4, 1])
    taken = town.take(pieces)
    assert shapely.equals(taken.lines(), town.lines()[pieces]).all()
    assert taken.length_mm.tolist() == town.length_mm[pieces].tolist()
    assert taken.node_id[taken.tail].tolist() == town.node_id[town.tail[pieces]].tolist()
    assert taken.node_id[taken.head].tolist() == town.node_id[town.head[pieces]].tolist()
    assert taken.blocked[taken.head].tolist() == town.blocked[town.head[pieces]].tolist()


def test_taking_every_piece_changes_nothing_and_taking_none_leaves_none():
    town = gridtown.roads(gridtown.streets(3, 3))
    assert town.take(np.arange(len(town))).fingerprint == town.fingerprint
    assert len(town.take(np.zeros(0, np.int64))) == 0


def test_roads_as_a_table():
    table = gridtown.roads(ROW, road_class={0: "primary"}).to_geodataframe()
    assert list(table.columns) == ["way_id", "highway", "name", "length_m", "geometry"]
    assert table["highway"].tolist() == ["primary", "residential", "residential"]
    assert table["length_m"].tolist() == [100.0] * 3
    assert table.crs.to_epsg() == 4326


def test_bounds_are_west_south_east_north():
    town = gridtown.roads([((0, 0), (2, 0)), ((2, 0), (2, 3))])
    west, south, east, north = town.bounds
    assert (west < east, south < north) == (True, True)


def test_a_degree_of_latitude_is_111_195_metres():
    assert great_circle_m(np.array([[116.0, 28.0]]), np.array([[116.0, 29.0]]))[0] == pytest.approx(6_371_000 * np.pi / 180)


# --- frozen, fingerprinted, stored


@pytest.fixture(scope="module")
def county() -> Region:
    town = gridtown.roads(gridtown.streets(3, 3), water=[gridtown.polygon([(0, 1), (1, 1), (1, 2)])])
    return gridtown.region(town, {"a": (0, 0), "b": (1, 1)}, {"H": (2, 2)}, capacity=[7.0])


@pytest.mark.parametrize("noun", ["roads", "zones", "demand", "facilities"])
def test_the_arrays_of_a_noun_are_read_only(county, noun):
    part = getattr(county, noun)
    arrays = [getattr(part, field.name) for field in fields(part) if isinstance(getattr(part, field.name), np.ndarray)]
    assert arrays
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[...] = array


def test_the_arrays_of_a_network_are_read_only(county):
    with pytest.raises(ValueError, match="read-only"):
        gridtown.network(county.roads).forward_ms[0] = 0


def test_a_region_stored_and_read_has_the_same_fingerprint(county):
    again = unpack(Region, pack(county))
    assert fingerprint(again) == county.fingerprint == again.fingerprint
    assert (again.date, again.sources, again.zones.name) == (county.date, county.sources, county.zones.name)


def test_the_same_content_has_the_same_fingerprint():
    assert gridtown.roads(ROW).fingerprint == gridtown.roads(ROW).fingerprint


@pytest.mark.parametrize(
    "change",
    [
        {"length_mm": np.array([100_000, 100_000, 100_001])},
        {"permit": np.array([BOTH, BOTH, FORWARD], dtype=np.uint8)},
        {"maxspeed_kmh": np.array([[np.nan, np.nan]] * 2 + [[60, np.nan]])},
        {"blocked": np.array([0, 1, 0, 0], dtype=np.uint8)},
        {"road_names": ("人民路",)},
        {"class_names": ("service",)},
        {"water": np.array([shapely.Point(0, 0)], dtype=object)},
        {"enterable": np.array([True, True, False])},
        {"missing_nodes": 1},
        {"unread_maxspeed": ("fast",)},
        {"lonlat": gridtown.lonlat([place for piece in ROW for place in piece]) + 1e-9},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_changes_the_fingerprint(change):
    town = gridtown.roads(ROW)
    assert replace(town, **change).fingerprint != town.fingerprint


def test_a_fingerprint_of_a_part_is_not_that_of_another_cut():
    """Text that moves from one field to the next is another noun."""
    town = gridtown.roads(ROW)
    assert replace(town, road_names=("a", "b")).fingerprint != replace(town, road_names=("ab",)).fingerprint


def test_what_cannot_be_stored_is_said():
    with pytest.raises(TypeError, match="unread_maxspeed: cannot pack a set"):
        pack(replace(gridtown.roads(ROW), unread_maxspeed={"fast"}))


def test_the_shipped_speeds_build_a_network_of_every_mode():
    town = gridtown.roads(ROW)
    assert [len(build_network(town, mode, default_speeds(), CRS)) for mode in ("walk", "bike", "drive")] == [3, 3, 3]


def test_a_place_on_a_bent_piece_is_measured_along_the_original_geometry() -> None:
    bend = [(0, 0), (7, 0), (7, 9)]
    network = gridtown.network(gridtown.roads([bend, [(20, 0), (21, 0)]]))
    corner, along = gridtown.lonlat(bend), shapely.length(shapely.LineString([(0, 0), (700, 0)]))
    legs = great_circle_m(corner[:-1], corner[1:])
    expected = network.length_mm[0] * legs[0] / legs.sum()
    assert network.offset_mm(np.array([0]), np.array([along])).tolist() == [round(expected)]
    assert network.offset_mm(np.array([0, 0, 1, 1]), np.array([0.0, 1600.0, 0.0, 100.0])).tolist() == [0, 1_600_000, 0, 100_000]
