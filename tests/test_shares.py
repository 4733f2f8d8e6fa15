"""People of catchments: everybody once, with the nearest facility that may be shown, and none lost."""

import geopandas as gpd
import gridtown as town
import numpy as np
import pandas as pd
import pytest
from answers import Covered
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, places, towns

from coverage.serving import question, served
from coverage.studies.shares import catchment_people
from geodata.model import Region
from geodata.region import Prepared
from geodata.standards import Limit, ServiceDefinition
from scenarios.output.shares import catchment_layer

STREET = town.streets(31, 1)


def counted(region: Region, definition: ServiceDefinition) -> pd.DataFrame:
    net = town.network(region.roads, definition.mode)
    return catchment_people(served(question(definition, net, region.demand), region.facilities), region.facilities, region.demand)


def people(region: Region, **said: object) -> dict[str, float]:
    frame = counted(region, town.definition(**said))
    return dict(zip(frame["facility_id"], frame["people"], strict=True))


def test_each_home_belongs_to_the_nearest_clinic_and_at_equal_distance_to_the_first_by_id():
    homes = {"H0": (7, 0), "H1": (10, 0), "H2": (13, 0), "far": (27, 0)}
    assert people(town.region(town.roads(STREET), homes, {"B": (5, 0), "A": (15, 0)})) == {"A": 2 + 4, "B": 1}


def test_nearest_is_by_the_first_measure_of_the_limit():
    region = town.region(town.roads(STREET), {"H": (8, 0)}, {"A": (5, 0), "B": (12, 0)}, turnout_s=[600.0, 60.0])
    assert people(region, minutes=30, direction="from_facility", call_handling_s=30) == {"B": 1}, (
        "3 blocks and 10 minutes, or 4 blocks and 1"
    )
    assert people(region, network_m=800) == people(region, straight_m=800) == {"A": 1}


def test_who_is_served_only_by_a_restricted_base_is_with_nobody_and_who_is_nearest_to_it_with_the_nearest_listed():
    region = town.region(
        town.roads(STREET), {"H0": (1, 0), "H1": (9, 0)}, {"base": (4, 0), "A": (15, 0)}, restricted=[True, False], settlement={}
    )
    frame = counted(region, town.definition())
    assert frame.to_numpy().tolist() == [["A", "A name", "all", 2, 1]]


def test_urban_and_rural_people_are_with_the_catchment_of_their_class():
    region = town.region(town.roads(STREET), {"U": (6, 0), "R": (7, 0), "R2": (14, 0)}, {"A": (5, 0), "B": (15, 0)}, urban=["U"])
    frame = counted(region, town.definition(minutes=3, rural=Limit(minutes=6)))
    assert frame.drop(columns="facility").to_numpy().tolist() == [["A", "urban", 1, 1], ["A", "rural", 2, 1], ["B", "rural", 4, 1]]


def test_a_village_of_two_catchments_counts_once_where_most_of_it_lives_and_one_that_is_not_covered_not_at_all():
    homes = {"V0": (9, 0), "V1": (11, 0), "W0": (12, 0), "W1": (29, 0)}
    settlement = {"V0": "V", "V1": "V", "W0": "W", "W1": "W"}
    region = town.region(town.roads(STREET), homes, {"A": (5, 0), "B": (15, 0)}, settlement=settlement)
    assert counted(region, town.definition())[["people", "settlements"]].to_numpy().tolist() == [[1, 0], [2 + 4, 1]]


def test_a_home_beside_a_clinic_whose_circle_has_no_road_is_in_the_layer_all_the_same(tmp_path):
    region = town.region(town.roads(STREET), {"H": (5, 2)}, {"A": (5, 2), "B": (20, 0)})
    asked = served(question(town.definition(minutes=2), town.network(region.roads), region.demand), region.facilities)
    layer = catchment_layer(asked, region.facilities, region.demand)
    assert layer[["facility_id", "people"]].to_numpy().tolist() == [["B", 0], ["A", 1]]
    assert layer.set_index("facility_id").loc["A", "area_km2"] == 0
    layer.to_file(tmp_path / "layer.gpkg")
    assert gpd.read_file(tmp_path / "layer.gpkg")["people"].sum() == 1


@pytest.mark.parametrize(("homes", "rows"), [({}, 1), ({"H": (5, 0)}, 0)])
def test_without_people_or_without_facilities_the_layer_has_the_same_columns(homes, rows):
    region = town.region(town.roads(STREET), homes, {"A": (5, 0)}, restricted=[rows == 0])
    asked = served(question(town.definition(), town.network(region.roads), region.demand), region.facilities)
    layer = catchment_layer(asked, region.facilities, region.demand)
    assert list(layer.columns) == ["facility_id", "facility", "class", "area_km2", "people", "settlements", "geometry"]
    assert (len(layer), layer["people"].sum()) == (rows, 0)


def test_nobody_has_no_catchment():
    region = town.region(town.roads(STREET), {}, {"A": (5, 0)})
    assert len(counted(region, town.definition())) == 0
    assert counted(town.region(town.roads(STREET), {"H": (5, 0)}, {"A": (5, 0)}, restricted=[True]), town.definition()).empty


@settings(PROFILE, max_examples=25)
@given(towns(), st.lists(places, min_size=1, max_size=6), st.lists(places, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_people_of_catchments_are_all_whom_listed_facilities_cover(said, homes, clinics, chance):
    restricted = [chance.random() < 0.3 for _ in clinics]
    homes_, clinics_ = ({f"{letter}{at}": place for at, place in enumerate(some)} for letter, some in (("H", homes), ("C", clinics)))
    roads = town.roads(**said)
    region = town.region(roads, homes_, clinics_, restricted=restricted, urban=["H0"])
    definition = town.definition(minutes=5, rural=Limit(straight_m=400))
    found = served(question(definition, town.network(roads), region.demand), region.facilities)
    frame = catchment_people(found, region.facilities, region.demand)
    listed = found.covers[:, np.flatnonzero(~region.facilities.restricted)].sum(axis=1) > 0
    assert frame["people"].sum() == region.demand.people[listed & region.demand.inside].sum()
    assert not set(frame["facility_id"]) & set(np.array(region.facilities.id)[region.facilities.restricted])


@pytest.mark.parametrize("service", ["medical", "emergency"])
def test_in_the_example_county_catchments_have_all_who_are_covered(prepared: Prepared, covered: Covered, service: str):
    result = covered(service)
    frame = catchment_people(result.served, result.facilities, prepared.region.demand)
    listed = result.covers[:, np.flatnonzero(~result.facilities.restricted)].sum(axis=1) > 0
    demand = prepared.region.demand
    assert frame["people"].sum() == pytest.approx(demand.people[listed & demand.inside].sum(), abs=1e-6)
    assert frame["settlements"].sum() <= result.by_zone.iloc[-1]["covered_settlements"]
