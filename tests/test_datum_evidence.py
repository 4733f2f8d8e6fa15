"""Which datum a table is in: judged on a country town by hand, on the example county, and on real roads."""

import pickle
from dataclasses import replace
from functools import cache

import geopandas as gpd
import numpy as np
import pytest
import shapely
from gridtown import CRS, lonlat, polygon, roads, street

from geodata.datum.convert import from_wgs84
from geodata.datum.evidence import CANDIDATES, VERDICTS, Evidence, datum_evidence, same_named
from geodata.model import OUTSIDE, Region, Zones
from geodata.region import Prepared
from geodata.roads import Floats, Roads

EAST_OF_CHINA = 480.0  # metres of a shift where no datum shifts
TOWN = 120  # blocks across the country town


@cache
def country() -> Roads:
    """Lanes every kilometre or two, 12 km across: most of the land is hundreds of metres from any."""
    gaps = np.random.default_rng(15).integers(9, 22, 24).cumsum()
    lanes = [int(at) for at in gaps if at < TOWN]
    across = [piece for y in lanes for piece in street((0, y), (TOWN, y))]
    return roads(across + [piece for x in lanes for piece in street((x, 0), (x, TOWN))])


@cache
def two_townships() -> Zones:
    shapes = [polygon([(west, -20), (west + 80, -20), (west + 80, 140), (west, 140)]) for west in (-20, 60)]
    return Zones.from_geodataframe(gpd.GeoDataFrame({"id": ["1", "2"], "name": ["西乡", "东乡"]}, geometry=shapes, crs=4326))


def farms(count: int, *, seed: int = 0, off_m: float = 20.0) -> Floats:
    """Degrees of places beside a lane, some metres off it."""
    rng = np.random.default_rng(seed)
    lines = shapely.transform(country().lines(), lambda at: at)
    piece = rng.integers(0, len(lines), count)
    on = shapely.get_coordinates(shapely.line_interpolate_point(lines[piece], rng.random(count), normalized=True))
    return on + rng.normal(0, off_m, (count, 2)) / (np.cos(np.radians(28.4)) * 111_195)


def judge(places: Floats, **said: object) -> Evidence:
    return datum_evidence(places, country(), CRS, two_townships(), nobody(places), **said)


def nobody(places: Floats) -> np.ndarray:
    """No row names its township."""
    return np.full(len(places), OUTSIDE)


def thinned(places: Floats, count: int, seed: int = 0) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(len(places))[:count])


@pytest.fixture(scope="module")
def county(prepared: Prepared) -> Region:
    return prepared.region


def tables(region: Region) -> dict[str, tuple[Floats, np.ndarray]]:
    """Places of the example county by table, with the township that its rows name."""
    place = shapely.get_coordinates(shapely.point_on_surface(region.facilities.geometry))
    kind = np.array(region.facilities.kind)
    sampling, fitness = kind == "sampling_site", np.isin(kind, ["park", "sports_ground", "school_ground", "greenway"])
    facilities = {"sampling": place[sampling], "fitness": place[fitness], "medical": place[~sampling & ~fitness]}
    return {"settlements": (region.demand.lonlat, region.demand.zone)} | {
        name: (at, np.full(len(at), OUTSIDE)) for name, at in facilities.items()
    }


@pytest.mark.parametrize("datum", CANDIDATES)
def test_farms_beside_lanes_tell_their_datum(datum):
    found = judge(from_wgs84(farms(60), datum))
    assert found.best == datum
    assert found.verdict == ("fits" if datum == "wgs84" else "other")
    assert set(found.datum_of_row) == {datum}


@pytest.mark.parametrize("taken_as", CANDIDATES)
def test_a_declared_datum_is_weighed_against_the_others(taken_as):
    right = judge(farms(60), taken_as=taken_as)
    assert (right.verdict, right.best, right.taken_as) == ("fits", taken_as, taken_as)


def test_a_table_wrongly_declared_as_gcj02_is_found_out():
    wrongly_converted = 2 * farms(60) - from_wgs84(farms(60), "gcj02")  # as GCJ-02 undone once too often, to a metre
    found = judge(wrongly_converted, taken_as="gcj02")
    assert (found.verdict, found.best) == ("other", "wgs84")


def test_three_rows_rarely_tell():
    verdicts = [judge(from_wgs84(farms(3, seed=seed), "gcj02")).verdict for seed in range(8)]
    assert set(verdicts) == {"cannot_tell"}


@pytest.mark.parametrize("rows", [4, 6, 10, 20, 60])
def test_a_clean_table_is_never_called_otherwise(rows):
    verdicts = {judge(farms(rows, seed=seed)).verdict for seed in range(6)}
    assert verdicts <= {"fits", "cannot_tell"}


@pytest.mark.parametrize("off_m", [100.0, 400.0])
def test_places_that_stand_back_from_the_roads_raise_no_alarm(off_m):
    verdicts = {judge(farms(40, seed=seed, off_m=off_m)).verdict for seed in range(6)}
    assert verdicts <= {"fits", "cannot_tell"}


def test_places_that_keep_to_no_road_cannot_tell():
    rng = np.random.default_rng(3)
    anywhere = lonlat((rng.random((80, 2)) * TOWN).tolist())
    assert judge(anywhere).verdict == "cannot_tell"


def test_a_shift_that_no_datum_makes_is_not_taken_for_one():
    north_west = farms(60) + np.array([-EAST_OF_CHINA, EAST_OF_CHINA]) / 111_195
    assert judge(north_west).verdict == "cannot_tell"


def test_one_address_repeated_a_hundred_times_is_one_piece_of_evidence():
    address = from_wgs84(np.repeat(farms(2), 100, axis=0), "gcj02")
    assert judge(address).verdict == "cannot_tell"


def test_named_townships_tell_where_there_is_no_road_nearby():
    quarters = [polygon([(x, y), (x + 80, y), (x + 80, y + 80), (x, y + 80)]) for x in (-20, 60) for y in (-20, 60)]
    zones = Zones.from_geodataframe(gpd.GeoDataFrame({"id": list("abcd"), "name": list("abcd")}, geometry=quarters, crs=4326))
    rng = np.random.default_rng(5)
    along, beside = rng.uniform(0, TOWN, 120), 60 + rng.uniform(-6, 6, 120)
    crossed = np.arange(120) % 2 == 0
    places = lonlat(np.column_stack([np.where(crossed, beside, along), np.where(crossed, along, beside)]).tolist())
    found = datum_evidence(from_wgs84(places, "gcj02"), country(), CRS, zones, zones.locate(places))
    assert (found.verdict, found.best) == ("other", "gcj02")
    assert found.fits[1].share_in_zone == 1.0 > found.fits[0].share_in_zone
    assert "lie in their township" in found.text.en


def test_places_of_the_same_name_tell():
    rng = np.random.default_rng(6)
    places = lonlat((rng.random((30, 2)) * TOWN).tolist())
    beside = places + rng.normal(0, 100, places.shape) / 111_195
    found = judge(from_wgs84(places, "bd09"), known=beside)
    assert (found.verdict, found.best) == ("other", "bd09")
    assert found.fits[2].median_place_m < 200 < found.fits[0].median_place_m


def test_rows_without_coordinates_are_of_no_datum():
    places = np.insert(from_wgs84(farms(60), "gcj02"), 7, np.nan, axis=0)
    found = judge(places)
    assert found.rows == 60
    assert found.datum_of_row[7] == ""
    assert found.verdict == "other"
    nothing = judge(np.full((3, 2), np.nan))
    assert (nothing.verdict, nothing.rows, nothing.datum_of_row) == ("cannot_tell", 0, ("", "", ""))


def test_two_datums_in_one_table_are_told_apart_row_by_row():
    places = farms(160, seed=2)
    beside = places + np.random.default_rng(7).normal(0, 60, places.shape) / 111_195
    shifted = np.arange(160) % 3 == 0
    found = judge(np.where(shifted[:, None], from_wgs84(places, "gcj02"), places), known=beside)
    assert found.verdict == "mixed"
    told = np.array(found.datum_of_row)
    assert (told[shifted] == "gcj02").sum() > 40
    assert (told[~shifted] == "wgs84").sum() > 80
    assert (told[shifted] == "wgs84").sum() + (told[~shifted] == "gcj02").sum() <= 4
    assert "GCJ-02" in found.text.zh


def test_a_few_misplaced_rows_do_not_make_a_table_mixed():
    places = farms(80)
    places[::20] += 0.01
    assert judge(places).verdict == "fits"


def test_the_same_table_gives_the_same_evidence():
    places = from_wgs84(farms(60), "gcj02")
    assert pickle.dumps(judge(places)) == pickle.dumps(judge(places))


def test_the_sentence_says_from_how_many_metres_to_how_many():
    found = judge(from_wgs84(farms(60), "gcj02"))
    before, after = (f"{found.fits[at].median_road_m:.0f} m" for at in (0, 1))
    assert f"as GCJ-02 the median distance to a road falls from {before} to {after}" in found.text.en
    assert f"由 {before[:-2]} 米降为 {after[:-2]} 米" in found.text.zh
    assert set(VERDICTS) == {"fits", "other", "mixed", "perhaps_mixed", "cannot_tell"}


@pytest.mark.parametrize("datum", CANDIDATES)
def test_every_table_of_the_example_tells_its_datum_whole_and_by_half(county, datum):
    for name, (places, zone) in tables(county).items():
        for rows in (np.arange(len(places)), thinned(places, len(places) // 2)):
            found = datum_evidence(from_wgs84(places[rows], datum), county.roads, county.crs, county.zones, zone[rows])
            assert (name, found.best, found.verdict) == (name, datum, "fits" if datum == "wgs84" else "other")


def test_no_sample_of_a_clean_table_of_the_example_raises_an_alarm(county):
    for places, zone in tables(county).values():
        for seed, count in enumerate((3, 5, 8, 12, 30)):
            rows = thinned(places, count, seed)
            found = datum_evidence(places[rows], county.roads, county.crs, county.zones, zone[rows])
            assert found.verdict in {"fits", "cannot_tell"}


def test_clinics_named_after_their_village_tell_by_themselves(county):
    clinic = np.flatnonzero(county.facilities.of_kinds(["village_clinic"]))
    places = shapely.get_coordinates(county.facilities.geometry[clinic])
    names = [county.facilities.name[at] for at in clinic]
    known = same_named(names, nobody(places), county.demand.name, county.demand.zone, county.demand.lonlat)
    assert np.isfinite(known[:, 0]).mean() > 0.5
    shifted = np.arange(len(places)) % 4 == 0
    mixed = np.where(shifted[:, None], from_wgs84(places, "gcj02"), places)
    found = datum_evidence(mixed, county.roads, county.crs, county.zones, nobody(places), known=known)
    told = np.array(found.datum_of_row)
    assert found.verdict == "mixed"
    assert (told[shifted] == "gcj02").sum() > 25
    assert (told[~shifted] == "gcj02").sum() <= 3


def test_a_name_that_several_villages_bear_is_known_only_with_its_township():
    villages, zone = ["胜利村", "胜利社区", "红星村委会"], np.array([0, 1, 0])
    at = lonlat([(0, 0), (5, 5), (9, 9)])
    names = ["胜利村卫生室", "胜利村卫生室", "红星村文化广场", "县人民医院"]
    found = same_named(names, np.array([OUTSIDE, 1, OUTSIDE, 0]), villages, zone, at)
    np.testing.assert_array_equal(found, [[np.nan, np.nan], at[1], at[2], [np.nan, np.nan]])


def test_real_health_points_outside_china_fit_whatever_their_shift(data_file, comoros_roads):
    places = shapely.get_coordinates(gpd.read_file(data_file("comoros/health_points.gpkg")).geometry)
    for east_m in (0.0, EAST_OF_CHINA):
        found = datum_evidence(places + np.array([east_m / 108_800, 0]), comoros_roads, "EPSG:32738", two_townships(), nobody(places))
        assert found.verdict == "fits"
        assert "not in mainland China" in found.text.en


@pytest.mark.parametrize("datum", CANDIDATES)
def test_real_roads_and_health_points_moved_to_china_tell_their_datum(data_file, comoros_roads, datum):
    places = shapely.get_coordinates(gpd.read_file(data_file("comoros/health_points.gpkg")).geometry)

    def moved(at: Floats) -> Floats:
        """Metres stay metres, to a percent or two."""
        return np.column_stack([(at[:, 0] - 43.9) * np.cos(np.radians(12)) / np.cos(np.radians(28.4)) + 116.3, at[:, 1] + 40.4])

    there = replace(comoros_roads, lonlat=moved(comoros_roads.lonlat))
    found = datum_evidence(from_wgs84(moved(places), datum), there, CRS, two_townships(), nobody(places))
    assert (found.best, found.verdict) == (datum, "fits" if datum == "wgs84" else "other")
