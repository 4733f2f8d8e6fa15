"""Coordinates: the vectors of FACTS.md, the way there and back, degrees in every notation, metres recognised by their size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.datum.convert import UNDECLARED, from_wgs84, is_projected, parse_degrees, projected_candidates, read_coordinates, to_wgs84
from geodata.datum.gcj02 import (
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_mainland,
    mainland,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from geodata.roads import Floats, great_circle_m

JINXIAN = (116.026, 28.157, 116.566, 28.758)
SEATS = np.array([[116.24339, 28.38208], [116.17580, 28.22954], [116.37828, 28.68137]])
MILLIMETRE = 1e-3
ABROAD = {
    "Seoul": (126.978, 37.567),
    "Hanoi": (105.854, 21.028),
    "Taipei": (121.565, 25.033),
    "Kathmandu": (85.324, 27.717),
    "Ulaanbaatar": (106.917, 47.918),
    "Vladivostok": (131.886, 43.115),
    "London": (-0.128, 51.507),
}
BORDER_TOWNS = {
    "丹东": (124.385, 40.125),
    "珲春防川": (130.62, 42.43),
    "抚远": (134.30, 48.365),
    "黑河": (127.50, 50.245),
    "漠河北极村": (122.36, 53.48),
    "满洲里": (117.455, 49.60),
    "二连浩特": (111.977, 43.653),
    "霍尔果斯": (80.41, 44.21),
    "樟木": (85.98, 27.99),
    "亚东": (88.91, 27.48),
    "墨脱": (95.33, 29.33),
    "瑞丽": (97.85, 24.01),
    "河口": (103.96, 22.51),
    "东兴": (107.97, 21.54),
    "三亚": (109.51, 18.25),
    "深圳": (114.06, 22.54),
    "平潭": (119.79, 25.50),
    "嵊山": (122.82, 30.72),
    "成山头": (122.69, 37.40),
}


def place(lon: float, lat: float) -> Floats:
    return np.array([[lon, lat]])


def metres_of(lonlat: Floats, code: int) -> tuple[Floats, Floats]:
    easting, northing = from_wgs84(lonlat, f"EPSG:{code}").T
    return easting, northing


def cells(numbers: Floats) -> list[str]:
    return [f"{number:.4f}" for number in numbers]


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_gcj02_follows_the_vectors_of_the_facts(wgs84, gcj02):
    np.testing.assert_allclose(wgs84_to_gcj02(place(*wgs84)), place(*gcj02), rtol=0, atol=1e-9)


def test_bd09_follows_the_vectors_of_the_facts():
    here = place(128.543, 37.065)
    np.testing.assert_allclose(gcj02_to_bd09(here), place(128.54944656269413, 37.07113427883019), rtol=0, atol=1e-9)
    np.testing.assert_allclose(bd09_to_gcj02(here), place(128.5365893261212, 37.058754503281534), rtol=0, atol=1e-9)


@settings(deadline=None)  # the outline is read once
@given(st.floats(73.5, 135.1), st.floats(17.9, 53.6))
def test_the_way_there_and_back_ends_within_a_millimetre(lon, lat):
    here = place(lon, lat)
    if in_mainland(here)[0]:
        assert great_circle_m(here, gcj02_to_wgs84(wgs84_to_gcj02(here)))[0] < MILLIMETRE
        assert great_circle_m(here, bd09_to_wgs84(wgs84_to_bd09(here)))[0] < MILLIMETRE


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_nothing_flips_near_the_outline(along, east, north):
    outline = mainland().exterior
    on = outline.interpolate(along, normalized=True)
    here = place(on.x + east, on.y + north)
    shifted = wgs84_to_gcj02(here)
    if in_mainland(here)[0]:
        assert great_circle_m(here, gcj02_to_wgs84(shifted))[0] < MILLIMETRE
    else:
        assert (shifted == here).all()


def test_the_meridian_where_the_shift_has_a_corner_goes_there_and_back():
    here = np.column_stack([105 + np.array([-1e-3, -1e-6, -1e-9, 0, 1e-12, 1e-9, 1e-6]), np.full(7, 34.2)])
    assert great_circle_m(here, gcj02_to_wgs84(wgs84_to_gcj02(here))).max() < MILLIMETRE


@pytest.mark.parametrize("city", ABROAD)
def test_abroad_gcj02_changes_nothing(city):
    here = place(*ABROAD[city])
    assert (wgs84_to_gcj02(here) == here).all()
    assert (gcj02_to_wgs84(here) == here).all()


@pytest.mark.parametrize("town", BORDER_TOWNS)
def test_a_border_town_is_shifted_as_the_rest_of_its_county(town):
    lon, lat = BORDER_TOWNS[town]
    around = np.array([[lon + east, lat + north] for east in (-0.02, 0, 0.02) for north in (-0.02, 0, 0.02)])
    assert in_mainland(around).all()


def test_a_place_without_coordinates_stays_without():
    nowhere = place(np.nan, np.nan)
    for datum in ("wgs84", "cgcs2000", "gcj02", "bd09", "EPSG:4527"):
        assert np.isnan(to_wgs84(nowhere[:, 0], nowhere[:, 1], datum)).all()


@pytest.mark.parametrize("datum", ["wgs84", "cgcs2000", "gcj02", "bd09", "EPSG:4490", "EPSG:4527", "EPSG:4498"])
def test_every_datum_goes_there_and_back(datum):
    there = from_wgs84(SEATS, datum)
    assert great_circle_m(SEATS, to_wgs84(there[:, 0], there[:, 1], datum)).max() < MILLIMETRE
    assert is_projected(datum) == (abs(there[0, 0]) > 180)


def test_cgcs2000_is_wgs84_for_this_work():
    assert (from_wgs84(SEATS, "cgcs2000") == SEATS).all()
    np.testing.assert_allclose(from_wgs84(SEATS, "EPSG:4490"), SEATS, rtol=0, atol=1e-12)


def test_metres_beyond_their_system_are_no_place():
    assert np.isnan(to_wgs84(np.array([1e12]), np.array([1e12]), "EPSG:4527")).all()


DMS = 116 + 14 / 60 + 36.2 / 3600


@pytest.mark.parametrize(
    ("cell", "degrees"),
    [
        ("116.2434", 116.2434),
        (" 116.2434 ", 116.2434),
        ("１１６．２４３４", 116.2434),
        ("116.2434°", 116.2434),
        ("116.2434E", 116.2434),
        ("E116.2434", 116.2434),
        ("东经116.2434度", 116.2434),
        ("116°14′36.2″E", DMS),
        ("116°14′36.2″", DMS),
        ("116° 14' 36.2\"", DMS),
        ("116°14'36.2''", DMS),
        ("116º14’36.2”", DMS),
        ("116˚14`36.2″ E", DMS),
        ("116度14分36.2秒", DMS),
        ("东经116度14分36.2秒", DMS),
        ("１１６度１４分３６．２秒", DMS),
        ("116-14-36.2", DMS),
        ("116—14—36.2", DMS),
        ("116 14 36.2", DMS),
        ("116:14:36.2", DMS),
        ("116：14：36.2", DMS),
        ("116 : 14 : 36.2", DMS),
        ("E116°14.6033333333′", DMS),
        ("116:14.6033333333", DMS),
        ("116°14′", 116 + 14 / 60),
        ("116°", 116.0),
        ("北纬28°22′55″", 28 + 22 / 60 + 55 / 3600),
        ("28°22′55″N", 28 + 22 / 60 + 55 / 3600),
        ("73°12′W", -73.2),
        ("西经73.2", -73.2),
        ("南纬12°30′", -12.5),
        ("12.5S", -12.5),
        ("-12.5", -12.5),
        ("−12.5", -12.5),
        ("-116-14-36.2", -DMS),
        ("116.1436", 116.1436),
        ("39,438,356.94", 39_438_356.94),
        ("438356.94", 438_356.94),
        ("1e-05", 1e-05),
    ],
)
def test_degrees_are_read_in_every_usual_notation(cell, degrees):
    assert parse_degrees(cell) == pytest.approx(degrees, abs=1e-9)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "不详",
        "nan",
        "inf",
        "E",
        "1.2万",
        "116,2434",
        "116°60′",
        "116°14′60″",
        "116°75′10″",
        "116-14",
        "116 28",
        "116.2434 28.3821",
        "116.5°14′",
        "200°10′",
        "-116.2434W",
        "--116",
        "116E14",
        "116°14′36″28°",
    ],
)
def test_what_is_no_number_of_degrees_is_refused(cell):
    with pytest.raises(ValueError, match=r".*"):
        parse_degrees(cell)


@given(st.floats(-180, 180), st.sampled_from(["{d}°{m}′{s:.6f}″", "{d}度{m}分{s:.6f}秒", "{d}-{m}-{s:.6f}", "{d}:{m}:{s:.6f}"]))
def test_degrees_written_out_are_read_back(degrees, notation):
    milliseconds = round(abs(degrees) * 3_600_000)
    whole, rest = divmod(milliseconds, 3_600_000)
    minutes, thousandths = divmod(rest, 60_000)
    text = ("-" if degrees < 0 else "") + notation.format(d=whole, m=minutes, s=thousandths / 1000)
    assert parse_degrees(text) == pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("written_in", "recognised"),
    [(4527, 4527), (4526, 4526), (4498, 4498), (4548, 4548), (4547, 4547), (4509, 4548)],
    ids=["3-degree zone 39", "3-degree zone 38", "6-degree zone 20", "117 E", "114 E", "6-degree 117 E, the same numbers"],
)
def test_gauss_kruger_metres_are_recognised_by_their_size_in_either_order(written_in, recognised, swapped):
    easting, northing = metres_of(SEATS, written_in)
    columns = (northing, easting) if swapped else (easting, northing)
    assert projected_candidates(*columns, JINXIAN) == [(recognised, swapped)]


@settings(deadline=None, max_examples=40)  # pyproj makes a transformer for each of some twenty systems
@given(st.floats(74, 134), st.floats(19, 53), st.booleans(), st.booleans())
def test_a_zone_number_before_the_easting_names_the_system(lon, lat, six_degrees, swapped):
    code = 4491 + int(lon // 6) + 1 - 13 if six_degrees else 4513 + int((lon + 1.5) // 3) - 25
    easting, northing = metres_of(place(lon, lat), code)
    columns = (northing, easting) if swapped else (easting, northing)
    assert projected_candidates(*columns, (lon - 0.2, lat - 0.2, lon + 0.2, lat + 0.2)) == [(code, swapped)]


def test_metres_of_another_county_fit_nothing():
    easting, northing = metres_of(SEATS, 4548)
    assert projected_candidates(easting, northing, (102.0, 35.0, 102.5, 35.5)) == []
    assert projected_candidates(np.zeros(0), np.zeros(0), JINXIAN) == []


def test_degrees_without_a_datum_stay_as_written():
    read = read_coordinates(["116°14′36″", "116.2434"], ["28.3821", "28°22′55″"], datum=None, bounds=JINXIAN)
    assert read.used == UNDECLARED
    assert read.problem is None
    np.testing.assert_allclose(read.lonlat, [[116.2433333, 28.3821], [116.2434, 28.3819444]], atol=1e-7)


def test_a_declared_datum_counts():
    written = wgs84_to_gcj02(SEATS)
    read = read_coordinates([f"{x:.9f}" for x in written[:, 0]], [f"{y:.9f}" for y in written[:, 1]], datum="gcj02", bounds=JINXIAN)
    assert read.used == "gcj02"
    assert great_circle_m(read.lonlat, SEATS).max() < MILLIMETRE


def test_metres_without_a_datum_are_proposed_and_put_nowhere():
    easting, northing = metres_of(SEATS, 4527)
    read = read_coordinates(cells(northing), cells(easting), datum=None, bounds=JINXIAN)
    assert read.used == ""
    assert np.isnan(read.lonlat).all()
    assert 'datum = "EPSG:4527"' in read.problem.zh
    assert 'datum = "EPSG:4527"' in read.problem.en


@pytest.mark.parametrize("bounds", [None, (102.0, 35.0, 102.5, 35.5)])
def test_metres_that_fit_nothing_ask_for_the_datum(bounds):
    read = read_coordinates(*map(cells, metres_of(SEATS, 4548)), datum=None, bounds=bounds)
    assert np.isnan(read.lonlat).all()
    assert "not recognised" in read.problem.en


@pytest.mark.parametrize("swapped", [False, True])
def test_declared_metres_are_read_with_x_as_the_northing_or_the_easting(swapped):
    easting, northing = metres_of(SEATS, 4548)
    columns = (northing, easting) if swapped else (easting, northing)
    read = read_coordinates(*map(cells, columns), datum="EPSG:4548", bounds=JINXIAN)
    assert great_circle_m(read.lonlat, SEATS).max() < MILLIMETRE
    assert (read.note is not None) == swapped


@pytest.mark.parametrize("datum", [None, "wgs84", "gcj02"])
def test_swapped_columns_are_recognised_and_said(datum):
    written = from_wgs84(SEATS, datum or "wgs84")
    read = read_coordinates([f"{y:.9f}" for y in written[:, 1]], [f"{x:.9f}" for x in written[:, 0]], datum=datum, bounds=JINXIAN)
    assert "swapped" in read.problem.en
    assert not read.rejected
    assert great_circle_m(read.lonlat, SEATS).max() < MILLIMETRE


def test_a_single_swapped_row_is_given_back():
    read = read_coordinates(["116.24", "28.38", "116.37"], ["28.38", "116.24", "28.68"], datum=None, bounds=JINXIAN)
    assert read.problem is None
    assert list(read.rejected) == [1]
    assert "swapped" in read.rejected[1].en
    assert np.isnan(read.lonlat[1]).all()


def test_a_place_of_another_province_is_neither_swapped_nor_lost():
    read = read_coordinates(["116.24", "116.17", "121.47"], ["28.38", "28.22", "31.23"], datum=None, bounds=JINXIAN)
    assert not read.rejected
    assert np.isfinite(read.lonlat).all()


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ("116.24", "", "half"),
        ("", "28.38", "half"),
        ("0", "0", "0,0"),
        ("不详", "28.38", "cannot be read"),
        ("116°70′", "28.38", "cannot be read"),
        ("39438356.9", "3161857.4", "no degrees"),
        ("1162434", "28.38", "no degrees"),
    ],
)
def test_a_row_whose_cells_are_no_coordinates_is_given_back_with_the_reason(x, y, reason):
    read = read_coordinates(["116.24", "116.17", x, "116.37"], ["28.38", "28.22", y, "28.68"], datum="wgs84", bounds=JINXIAN)
    assert list(read.rejected) == [2]
    assert reason in read.rejected[2].en
    assert np.isnan(read.lonlat[2]).all()
    assert np.isfinite(read.lonlat[[0, 1, 3]]).all()


@pytest.mark.parametrize("blank", ["", "—", "/", "无"])
def test_a_row_without_coordinates_is_no_bad_row(blank):
    read = read_coordinates(["116.24", blank], ["28.38", blank], datum=None, bounds=JINXIAN)
    assert not read.rejected
    assert np.isnan(read.lonlat[1]).all()


def test_a_table_without_any_coordinates_is_read():
    for datum in (None, "gcj02", "EPSG:4527"):
        read = read_coordinates(["", ""], ["", ""], datum=datum, bounds=JINXIAN)
        assert np.isnan(read.lonlat).all()
        assert read.problem is None
        assert not read.rejected


def test_a_declared_datum_that_the_size_contradicts_is_refused():
    metres = read_coordinates(*map(cells, metres_of(SEATS, 4527)), datum="gcj02", bounds=JINXIAN)
    assert 'datum = "EPSG:4527"' in metres.problem.en
    degrees = read_coordinates(*map(cells, SEATS.T), datum="EPSG:4527", bounds=JINXIAN)
    assert "mend the datum" in degrees.problem.en
    assert np.isnan(degrees.lonlat).all()


def test_metres_outside_their_declared_system_are_given_back():
    easting, northing = metres_of(SEATS, 4527)
    read = read_coordinates([*cells(easting), "1e+30"], [*cells(northing), "1e+30"], datum="EPSG:4527", bounds=JINXIAN)
    assert list(read.rejected) == [3]
