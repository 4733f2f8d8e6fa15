"""A prepared region on disk: found again while nothing changed, made anew when anything did or when it is damaged."""

import logging

import geopandas as gpd
import pytest
from county_files import FILES, TOML, roads, write_county, zones

import geodata.store
from geodata.errors import InputError
from geodata.store import FOLDER, open_region


@pytest.fixture
def reads(monkeypatch):
    """Count how often a region is read from its files."""
    times = []
    read = geodata.store.read_region
    monkeypatch.setattr(geodata.store, "read_region", lambda path: times.append(path) or read(path))
    return times


def test_the_second_opening_reads_no_file_again_and_gives_the_same_region(tmp_path, monkeypatch):
    path = write_county(tmp_path)
    first = open_region(path)
    monkeypatch.setattr(geodata.store, "read_region", lambda path: pytest.fail(f"{path} was read again"))
    assert open_region(path).region.fingerprint == first.region.fingerprint
    assert open_region(tmp_path).region.fingerprint == first.region.fingerprint


def test_what_is_being_done_is_told_in_both_languages_only_when_it_takes_time(tmp_path):
    path, told = write_county(tmp_path), []
    for _ in range(2):
        open_region(path, progress=lambda zh, en: told.append((zh, en)))
    assert len(told) == 1
    assert all(told[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("region.toml", TOML.replace("某县", "另县")),
        ("roads.osm", roads(lat=28.306)),
        ("zones.geojson", zones(W=(116.0, 116.011), E=(116.011, 116.02))),
        ("people.csv", FILES["people.csv"].replace("2000", "2001")),
        ("villages.csv", FILES["villages.csv"].replace("西村", "北村")),
        ("hospitals.csv", FILES["hospitals.csv"].replace("400", "401")),
        ("parks.csv", FILES["parks.csv"].replace("P1", "P2")),
    ],
)
def test_any_changed_input_is_read_again(tmp_path, reads, name, content):
    path = write_county(tmp_path)
    before = open_region(path).region
    (tmp_path / name).write_text(content, encoding="utf-8")
    after = open_region(path).region
    assert len(reads) == 2
    assert after.fingerprint != before.fingerprint


@pytest.mark.parametrize("name", ["zones.shp", "zones [2025].shp"])
def test_every_file_of_a_shapefile_counts(tmp_path, reads, name):
    by_code = "乡镇,常住人口\nW,1000\nE,2000\n"
    path = write_county(tmp_path, {"region.toml": TOML.replace("zones.geojson", name), "people.csv": by_code})
    frame = gpd.read_file(tmp_path / "zones.geojson")
    frame.to_file(tmp_path / name)
    open_region(path)
    frame.assign(name=["西乡", "东镇"]).to_file(tmp_path / name)
    assert open_region(path).region.zones.name == ("西乡", "东镇")
    assert len(reads) == 2


def test_changed_speeds_hold_at_once(tmp_path):
    path = write_county(tmp_path, toml='speeds = "speeds.toml"')
    speeds = '[walk]\nkmh = {}\naccess_kmh = 4\naccess_detour = 1\nsource = "x"\nstatus = "M"\n'
    for kmh in (4, 5):
        (tmp_path / "speeds.toml").write_text(speeds.format(kmh), encoding="utf-8")
        assert open_region(path).speeds.walk.kmh == kmh


def test_a_changed_reader_reads_again(tmp_path, reads, monkeypatch):
    path = write_county(tmp_path)
    open_region(path)
    monkeypatch.setattr(geodata.store, "_code_fingerprint", lambda: "another version of the program")
    open_region(path)
    assert len(reads) == 2


def test_only_the_newest_prepared_form_is_kept(tmp_path):
    path = write_county(tmp_path)
    open_region(path)
    (tmp_path / "parks.csv").write_text(FILES["parks.csv"] + "\n", encoding="utf-8")
    open_region(path)
    assert len(list((tmp_path / FOLDER).iterdir())) == 1


def test_two_regions_of_one_folder_do_not_drive_each_other_out(tmp_path, reads):
    one = write_county(tmp_path)
    other = tmp_path / "region-2030.toml"
    other.write_bytes(one.read_bytes())
    for path in (one, other, one, other):
        open_region(path)
    assert len(reads) == 2


DAMAGE = {
    "empty": lambda data: data[:0],
    "junk": lambda data: b"junk" + data[:0],
    "half": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "bytes exchanged": lambda data: data.replace(b"\x00\x01", b"\x01\x00"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_prepared_form_is_made_anew(tmp_path, reads, damage):
    path = write_county(tmp_path)
    before = open_region(path).region
    [prepared] = (tmp_path / FOLDER).iterdir()
    prepared.write_bytes(damage(prepared.read_bytes()))
    assert open_region(path).region.fingerprint == before.fingerprint
    assert open_region(path).region.fingerprint == before.fingerprint
    assert len(reads) == 2


def test_a_folder_that_cannot_be_written_only_warns(tmp_path, reads, caplog):
    path = write_county(tmp_path)
    (tmp_path / FOLDER).write_text("a file stands where the folder should be")
    with caplog.at_level(logging.WARNING):
        open_region(path)
        open_region(path)
    assert len(reads) == 2
    assert [FOLDER in record.message and "cannot be written" in record.message for record in caplog.records] == [True, True]


def test_a_disk_that_fills_up_leaves_nothing_half_written(tmp_path, monkeypatch, caplog):
    def full(*_args: object, **_arrays: object) -> None:
        raise OSError(28, "No space left on device")

    path = write_county(tmp_path)
    monkeypatch.setattr(geodata.store.np, "savez", full)
    with caplog.at_level(logging.WARNING):
        open_region(path)
    assert "No space left" in caplog.text
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_wrong_region_is_not_kept(tmp_path):
    path = write_county(tmp_path, {"parks.csv": None})
    for _ in range(2):
        with pytest.raises(InputError, match=r"parks\.csv"):
            open_region(path)
    assert not (tmp_path / FOLDER).exists()


def test_a_region_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "none.toml"):
        with pytest.raises(InputError, match="Cannot read"):
            open_region(path)
