"""Rasters as demand, and township totals kept exactly."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import InputError
from geodata.population import read_raster, spread

WHOLE = st.integers(0, 10**7)
WEIGHT = st.one_of(st.floats(0, 1e6), st.just(0.0), st.floats(0, 1e300), st.integers(0, 10**6).map(float))


# --- spread


def test_people_left_over_go_to_the_largest_fractions_ties_to_the_first():
    assert spread(np.array([10.0]), np.zeros(3, int), np.ones(3)).tolist() == [4, 3, 3]
    assert spread(np.array([10.0]), np.zeros(3, int), np.array([1.0, 1.0, 2.0])).tolist() == [3, 2, 5]


def test_each_zone_has_its_own_total():
    assert spread(np.array([4.0, 9.0]), np.array([0, 1, 0, 1]), np.array([1.0, 1.0, 3.0, 2.0])).tolist() == [1, 3, 3, 6]


def test_a_zone_without_weights_shares_equally():
    assert spread(np.array([3.0]), np.zeros(2, int), np.zeros(2)).tolist() == [2, 1]


def test_nobody_stays_nobody():
    assert spread(np.array([0.0]), np.zeros(2, int), np.ones(2)).tolist() == [0, 0]


def test_places_outside_and_zones_without_a_total_keep_their_people():
    assert spread(np.array([np.nan, 5.0]), np.array([-1, 0, 1]), np.array([1.5, 2.5, 1.0])).tolist() == [1.5, 2.5, 5]


def test_the_weights_are_not_changed():
    weight = np.ones(2)
    spread(np.array([5.0]), np.zeros(2, int), weight)
    assert weight.tolist() == [1, 1]


@given(total=WHOLE, weight=st.lists(WEIGHT, min_size=1, max_size=30))
def test_the_total_is_kept_exactly_in_whole_people_within_one_of_the_exact_share(total, weight):
    weights = np.array(weight)
    people = spread(np.array([float(total)]), np.zeros(len(weights), int), weights)
    assert people.sum() == total
    assert (people == np.floor(people)).all()
    assert (people >= 0).all()
    parts = weights / weights.max() if weights.any() else np.ones(len(weights))
    assert np.abs(people - total * parts / parts.sum()).max() <= 1 + 1e-6


@given(total=WHOLE, weight=st.lists(st.integers(0, 1000), min_size=1, max_size=8))
def test_twice_the_weights_are_the_same_shares(total, weight):
    weights = np.array(weight, dtype=float)
    assert np.array_equal(*(spread(np.array([float(total)]), np.zeros(len(weights), int), factor * weights) for factor in (1, 2)))


@given(total=st.floats(0, 1e6), weight=st.lists(st.floats(0, 1e3), min_size=1, max_size=10))
def test_a_total_with_a_fraction_is_kept_too(total, weight):
    assert math.fsum(spread(np.array([total]), np.zeros(len(weight), int), np.array(weight))) == pytest.approx(total, rel=1e-12)


# --- rasters


def save(folder: Path, people: list[list[float]], *, crs: str | None = "EPSG:4326", west=116.0, north=28.3, cell=0.1, nodata=None) -> Path:
    path = folder / "people.tif"
    data = np.array(people, dtype=np.float32)
    shape = {"height": data.shape[0], "width": data.shape[1], "count": 1, "dtype": "float32"}
    where = {} if crs is None else {"crs": crs, "transform": rasterio.Affine(cell, 0, west, 0, -cell, north)}
    with warnings.catch_warnings(action="ignore"), rasterio.open(path, "w", driver="GTiff", nodata=nodata, **shape, **where) as raster:
        raster.write(data, 1)
    return path


def test_each_populated_cell_is_a_point_at_its_centre(tmp_path):
    cells = read_raster(save(tmp_path, [[1, 0], [2.5, 4]]))
    assert cells["id"].tolist() == ["r0c0", "r1c0", "r1c1"]
    assert cells["people"].tolist() == [1, 2.5, 4]
    assert np.round([cells.geometry.x, cells.geometry.y], 6).tolist() == [[116.05, 116.05, 116.15], [28.25, 28.15, 28.15]]
    assert cells["settlement"].tolist() == ["", "", ""]
    assert cells.crs.to_epsg() == 4326


@pytest.mark.parametrize("nodata", [-99999, -3.4028234663852886e38, float("nan"), 255])
def test_cells_without_data_have_nobody(tmp_path, nodata):
    assert read_raster(save(tmp_path, [[1, nodata], [nodata, 4]], nodata=nodata))["people"].tolist() == [1, 4]


def test_a_projected_raster_is_brought_to_degrees(tmp_path):
    cells = read_raster(save(tmp_path, [[8]], crs="EPSG:32650", west=500_000, north=3_100_000, cell=100))
    assert cells.geometry.x[0] == pytest.approx(117.0005, abs=1e-3)
    assert cells.geometry.y[0] == pytest.approx(28.02, abs=1e-2)


def test_only_the_part_around_the_county_is_read_and_cells_keep_their_ids(tmp_path):
    path = save(tmp_path, [[1, 2, 4, 8]] * 3)
    part = read_raster(path, within=(116.21, 28.11, 116.29, 28.19))
    assert part.drop(columns="geometry").to_dict("list") == {"id": ["r1c2"], "people": [4.0], "settlement": [""]}
    assert part.geometry[0].coords[0] == pytest.approx((116.25, 28.15))


def test_bounds_wider_than_the_raster_read_it_whole(tmp_path):
    path = save(tmp_path, [[1, 2], [4, 8]])
    assert read_raster(path, within=(110, 20, 120, 30)).equals(read_raster(path))


@pytest.mark.parametrize(
    ("raster", "reason"),
    [
        ({"people": [[1, -2]]}, r"negative or infinite people \(-2.0\): is its nodata value set"),
        ({"people": [[1, -99999]]}, "nodata"),
        ({"people": [[1, float("inf")]]}, "negative or infinite"),
        ({"people": [[0, 0]]}, "there is nobody"),
        ({"people": [[float("nan")]]}, "there is nobody"),
        ({"people": [[1]], "crs": None}, "has no CRS"),
    ],
)
def test_a_raster_that_cannot_be_people_is_refused(tmp_path, raster, reason):
    with pytest.raises(InputError, match=rf"people\.tif.*{reason}"):
        read_raster(save(tmp_path, **raster))


def test_a_raster_of_another_county_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"people\.tif: the raster .* does not touch the region \(10\.000"):
        read_raster(save(tmp_path, [[1]]), within=(10, 50, 11, 51))


@pytest.mark.parametrize("content", [b"", b"hello", b"II*\x00" + bytes(20)])
def test_a_file_that_is_no_raster_is_refused(tmp_path, content):
    path = tmp_path / "people.tif"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"people\.tif: cannot be read"):
        read_raster(path)


def test_a_raster_cut_off_or_missing_is_refused(tmp_path):
    path = save(tmp_path, [[1.0] * 200] * 200)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(InputError, match=r"people\.tif: cannot be read"):
        read_raster(path)
    with pytest.raises(InputError, match=r"none\.tif does not exist"):
        read_raster(tmp_path / "none.tif")


def test_worldpop_of_the_comoros(data_file):
    assert round(math.fsum(read_raster(data_file("comoros/worldpop_2020.tif"))["people"]), 1) == 869_595.0
