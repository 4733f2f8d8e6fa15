"""Township totals spread over settlements: by their own counts, a raster, or built frontage. Nobody is lost, nobody invented."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import gridtown as town
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from coverage.stats import zone_table
from geodata.demand import aged, place_demand
from geodata.errors import InputError
from geodata.extent import widened
from geodata.frontage import frontage_m, gathered
from geodata.model import OUTSIDE, Demand, Zones
from geodata.region_file import DemandBlock
from geodata.roads import Roads

WEST = town.polygon([(-1, -5), (10, -5), (10, 5), (-1, 5)])
EAST = town.polygon([(10, -5), (41, -5), (41, 5), (10, 5)])
STREET = town.roads(town.streets(21, 1))  # 2 km from west to east, half of it in either township
TABLE = DemandBlock(file=Path("villages.csv"))


def townships(*people: float) -> Zones:
    frame = {"id": ["W", "E"], "name": ["西镇", "东镇"], "people": people or (np.nan, np.nan)}
    return Zones.from_geodataframe(gpd.GeoDataFrame(frame, geometry=[WEST, EAST], crs=4326))


def villages(at: Sequence[town.Node], **columns: Sequence[object]) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame({"id": [f"v{n}" for n in range(len(at))]}, geometry=shapely.points(town.lonlat(at)), crs=4326)
    return frame.assign(**columns)


def placed(frame: gpd.GeoDataFrame, zones: Zones, block: DemandBlock = TABLE, **more: object) -> Demand:
    return place_demand(frame, zones, widened(zones.bounds, 5), block, **more)


def frontage(roads: Roads, at: Sequence[town.Node]) -> list[float]:
    lonlat = town.lonlat(at)
    """To ten metres: the grid of the town is projected."""
    return [round(float(metres), -1) for metres in frontage_m(roads, townships(), lonlat, townships().locate(lonlat))]


# --- built frontage


def test_each_bit_of_road_counts_for_the_nearest_settlement_of_its_township():
    assert frontage(STREET, [(2, 0), (8, 0), (15, 0)]) == [500, 500, 1000], "the border at 10 and the middle at 5 part them"


def test_a_settlement_of_the_next_township_has_no_part_in_it_however_near():
    assert frontage(STREET, [(5, 0), (10.1, 0)]) == [1000, 500], "only 500 m of the east lie within 500 m"


def test_a_road_far_from_every_settlement_leads_through_fields():
    assert frontage(STREET, [(0, 0), (40, 0)])[0] == 500


def test_settlements_at_one_place_share_alike():
    assert frontage(STREET, [(5, 0), (5, 0), (15, 0)]) == [500, 500, 1000]


def test_no_road_mapped_near_counts_as_much_as_the_least_of_the_township():
    assert frontage(STREET, [(2, 0), (6, 0), (5, 4.9), (15, 0)]) == [400, 600, 400, 1000]


def test_houses_stand_along_local_roads_that_may_be_walked():
    pieces = town.streets(21, 1)
    motorway = town.roads(pieces, road_class=dict.fromkeys(range(20), "primary"))
    private = town.roads(pieces, permit=dict.fromkeys(range(10), 0))
    assert frontage(motorway, [(5, 0), (15, 0)]) == [0, 0]
    assert frontage(private, [(5, 0), (15, 0)]) == [0, 1000]


def test_a_road_of_long_pieces_is_cut_into_bits():
    assert frontage(town.roads([((0, 0), (10, 0))]), [(2, 0), (8, 0)]) == [500, 500]


def test_the_pieces_of_a_road_are_not_joined_across_a_gap():
    assert sum(frontage(town.roads([((0, 0), (2, 0)), ((8, 0), (9, 0))]), [(1, 0), (8.5, 0)])) == 300


def test_cells_of_a_raster_are_gathered_by_the_nearest_settlement_and_nobody_outside_is():
    cells = town.lonlat([(0, 1), (1, 1), (9, 1), (11, 1), (60, 60)])
    lonlat = town.lonlat([(2, 0), (8, 0)])
    assert gathered(cells, np.array([1.0, 2.0, 4.0, 8.0, 16.0]), townships(), lonlat, np.array([0, 0])).tolist() == [3, 4]
    assert gathered(cells, np.ones(5), townships(), lonlat, np.array([OUTSIDE, 1])).tolist() == [0, 1]


# --- which spreads there are


def test_the_counts_of_the_table_are_central_and_frontage_widens_the_range():
    demand = placed(villages([(2, 0), (8, 0), (15, 0)], people=[3.0, 1.0, 5.0]), townships(1000, 2000), roads=STREET)
    assert demand.spread_names == ("people", "frontage")
    assert demand.people.tolist() == demand.spreads[0].tolist() == [750, 250, 2000]
    assert demand.spreads[1].tolist() == [500, 500, 2000]


def test_a_table_without_counts_is_spread_by_the_raster_and_else_by_frontage():
    frame, zones = villages([(2, 0), (8, 0), (15, 0)]), townships(1000, 2000)
    cells = villages([(0, 1), (9, 1), (11, 1)], people=[9.0, 1.0, 1.0])
    demand = placed(frame, zones, roads=STREET, cells=cells)
    assert demand.spread_names == ("raster", "frontage")
    assert demand.people.tolist() == [900, 100, 2000]
    assert placed(frame, zones, roads=STREET).people.tolist() == [500, 500, 2000]


def test_region_toml_says_which_spread_is_central():
    frame = villages([(2, 0), (8, 0), (15, 0)], people=[3.0, 1.0, 5.0])
    block = TABLE.model_copy(update={"spread": "frontage"})
    demand = placed(frame, townships(1000, 2000), block, roads=STREET)
    assert demand.spread_names == ("frontage", "people")
    assert demand.people.tolist() == [500, 500, 2000]


@pytest.mark.parametrize(
    ("columns", "spread", "reason"),
    [
        ({"people": [1.0]}, "raster", "name the raster: spread_raster"),
        ({"people": [1.0]}, "frontage", "there are no roads to go by"),
        ({}, "people", "have no people of their own"),
        ({}, None, "nothing to spread the totals by"),
    ],
)
def test_a_spread_that_the_data_do_not_allow_is_refused(columns, spread, reason):
    with pytest.raises(InputError, match=reason):
        placed(villages([(2, 0)], **columns), townships(10, 0), TABLE.model_copy(update={"spread": spread}))


def test_without_township_totals_there_is_one_spread_and_it_needs_counts():
    demand = placed(villages([(2, 0), (15, 0)], people=[3.0, 5.0]), townships(), roads=STREET)
    assert (len(demand.spreads), demand.people.tolist()) == (1, [3, 5])
    with pytest.raises(InputError, match="need a column of people"):
        placed(villages([(2, 0)]), townships(), roads=STREET)
    with pytest.raises(InputError, match="need a column of people"):
        placed(villages([(2, 0)], people=[1.0]), townships(), TABLE.model_copy(update={"spread": "frontage"}), roads=STREET)


def test_the_cells_of_a_raster_are_spread_by_their_own_people_only():
    cells = villages([(2, 0), (8, 0), (15, 0)], people=[0.3, 0.1, 2.0], settlement=[""] * 3)
    demand = placed(cells, townships(1000, 2000), DemandBlock(raster=Path("people.tif")), roads=STREET)
    assert (demand.spread_names, demand.people.tolist()) == (("raster",), [750, 250, 2000])


def test_a_township_without_a_total_and_people_outside_keep_their_counts_under_every_spread():
    frame = villages([(2, 0), (8, 0), (15, 0), (16, 0), (60, 0)], people=[3.0, 1.0, 5.0, 6.0, 7.0], zone=["W", "W", "E", "E", ""])
    zones = townships(1000, np.nan)
    demand = place_demand(frame, zones, widened(zones.bounds, 50), TABLE, roads=STREET)
    assert demand.spreads.tolist() == [[750, 250, 5, 6, 7], [500, 500, 5, 6, 7]]


# --- 65 and over


def test_people_of_65_and_over_grow_with_their_village_and_stay_whole():
    demand = placed(villages([(2, 0), (8, 0), (15, 0)], people=[3.0, 1.0, 5.0], old=[1.0, 0.0, 1.0]), townships(1000, 2000))
    assert demand.old.tolist() == [250, 0, 400]


def test_more_old_people_than_people_are_refused_by_row():
    with pytest.raises(InputError, match=r"villages\.csv: more people of 65 and over than people, rows: 1 \(5 > 4\)\."):
        placed(villages([(2, 0), (8, 0)], people=[9.0, 4.0], old=[1.0, 5.0]), townships())


def test_where_the_old_are_not_known_they_stay_unknown():
    demand = placed(villages([(2, 0), (8, 0), (15, 0)], people=[3.0, 1.0, 5.0], old=[1.0, np.nan, 1.0]), townships(1000, 2000))
    assert np.isnan(demand.old).tolist() == [False, True, False]
    assert demand.old[[0, 2]].tolist() == [250, 400]


# --- in general

VILLAGE = st.tuples(st.integers(-1, 20), st.integers(-4, 4), st.integers(0, 3000), st.integers(0, 1000))
TOTALS = st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))


def county(rows: Sequence[tuple[int, int, int, int]], totals: tuple[int, int]) -> tuple[gpd.GeoDataFrame, Zones]:
    """Villages with counts and shares of 65+, one at least in each township."""
    rows = [(3, 0, 5, 100), (15, 0, 7, 200), *rows]
    people = [float(people) for _, _, people, _ in rows]
    frame = villages(
        [(x, y) for x, y, _, _ in rows], people=people, old=[p * share / 1000 for p, (_, _, _, share) in zip(people, rows, strict=True)]
    )
    return frame, townships(*map(float, totals))


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(VILLAGE, max_size=12), totals=TOTALS, masks=st.randoms(use_true_random=False))
def test_nobody_is_lost_or_invented_from_the_table_to_coverage_under_any_spread(rows, totals, masks):
    frame, zones = county(rows, totals)
    cells = villages([(x, 1) for x in range(20)], people=[float(x + 1) for x in range(20)])
    demand = placed(frame, zones, roads=STREET, cells=cells)
    assert demand.spread_names == ("people", "raster", "frontage")
    for people in demand.spreads:
        assert [people[demand.zone == at].sum() for at in (0, 1)] == list(totals)
        assert (people == np.floor(people)).all()
        assert (people >= 0).all()
    assert ((demand.old >= 0) & (demand.old <= demand.people)).all()
    covered = np.array([masks.random() < 0.5 for _ in demand.id])
    for served in (covered, ~covered, np.ones_like(covered), np.zeros_like(covered)):
        table = zone_table(zones, demand, served, served, 0.9)
        assert (table["covered_people_low"] <= table["covered_people"]).all()
        assert (table["covered_people"] <= table["covered_people_high"]).all()
        known = table[table["share_people"].notna()]
        assert ((known["share_people_low"] <= known["share_people"]) & (known["share_people"] <= known["share_people_high"])).all()
    total, rest = (zone_table(zones, demand, served, served, 0.9).iloc[-1] for served in (covered, ~covered))
    assert total["covered_people"] + rest["covered_people"] == sum(totals)
    assert total["covered_people_low"] + rest["covered_people_high"] == sum(totals)
    assert total["covered_old"] + rest["covered_old"] == total["old"] == demand.old.sum()


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(VILLAGE, max_size=10), totals=TOTALS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_is_of_no_matter(rows, totals, order):
    frame, zones = county(rows, totals)
    at = list(range(len(frame)))
    order.shuffle(at)
    one, other = (placed(table, zones, roads=STREET) for table in (frame, frame.iloc[at]))
    back = [other.id.index(name) for name in one.id]
    assert one.spreads.tolist() == other.spreads[:, back].tolist()
    assert one.old.tolist() == other.old[back].tolist()


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(VILLAGE, max_size=8), totals=TOTALS)
def test_with_one_spread_low_central_and_high_are_one(rows, totals):
    frame, zones = county(rows, totals)
    demand = placed(frame, zones)
    covered = np.arange(len(demand)) % 2 == 0
    table = zone_table(zones, demand, covered, covered, 0.9)
    for counted in ("covered_people", "share_people"):
        for end in ("_low", "_high"):
            assert table[counted].equals(table[counted + end])


def test_the_least_of_the_county_is_not_the_sum_of_the_least():
    zones = townships(100, 100)
    demand = placed(villages([(2, 0), (8, 0), (12, 0), (18, 0)], people=[9.0, 1.0, 1.0, 9.0]), zones)
    demand = replace(demand, spread_names=("people", "other"), spreads=np.array([[90.0, 10, 10, 90], [10, 90, 90, 10]]))
    covered = np.array([True, False, True, False])
    table = zone_table(zones, demand, covered, covered, 0.9)
    assert table["covered_people_low"].tolist() == [10, 10, 0, 100, 100]
    assert table["covered_people_high"].tolist() == [90, 90, 0, 100, 100]


def test_a_zone_where_the_old_are_not_known_says_so_and_the_others_are_told():
    zones = townships()
    demand = placed(villages([(2, 0), (15, 0)], people=[10.0, 20.0], old=[np.nan, 4.0]), zones)
    table = zone_table(zones, demand, np.array([True, True]), np.array([True, True]), 0.9)
    assert np.isnan(table["old"].tolist()).tolist() == [True, False, False, True, True]
    assert (table["covered_old"][1], table["share_old"][1]) == (4, 1)
    assert aged(demand, 2 * demand.people)[1] == 8


def test_shares_of_the_old_wait_for_the_people_that_the_townships_give():
    frame, zones = villages([(2, 0), (8, 0), (15, 0)], old_share=[0.1, 0.2, 0.15]), townships(1000, 2000)
    demand = placed(frame, zones, roads=STREET)
    assert demand.people.tolist() == [500, 500, 2000]
    assert demand.old.tolist() == [50, 100, 300]
