"""The audit: every finding appears where it was planted, with its people, and none on a clean town."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import gridtown as town
import numpy as np
import pandas as pd
import pytest
import shapely

from geodata.calls.model import BY_COORDINATES, BY_TOWNSHIP, NOWHERE, STAMPS, Calls
from geodata.model import OUTSIDE, Demand, Region, RowNote, TableNote
from geodata.region import Prepared
from geodata.standards import ModeSpeeds, read_services
from scenarios.audit.check import check_region
from scenarios.audit.files import audit_files
from scenarios.audit.finding import Finding, audit_layer, findings_layers
from scenarios.audit.words import SEVERITIES, WORDS
from scenarios.cli import main
from scenarios.commands.check import audit_text
from scenarios.output.writers import file_bytes, write_files

LATTICE = town.streets(11, 11)
ARMS = [
    *town.street(*((x, 0.0) for x in range(0, -80, -10))),
    *town.street(*((x, 10.0) for x in range(10, 90, 10))),
    *town.street(*((0.0, y) for y in range(10, 90, 10))),
    *town.street(*((10.0, y) for y in range(0, -80, -10))),
]
HOMES = {"甲": (1, 1), "乙": (2, 8), "丙": (3, 4), "丁": (7, 2), "戊": (8, 8), "己": (9, 5)}
PLACES = {"H": (1, 2.5), "S": (4, 4.5), "C": (6, 6.5), "E": (8, 3.5)}
HIDDEN = [True, False, False, False]
KINDS = ("hospital", "sports_ground", "sampling_site", "emergency_centre")
WEST, EAST = [(-0.5, -0.5), (5, -0.5), (5, 10.5), (-0.5, 10.5)], [(5, -0.5), (10.5, -0.5), (10.5, 10.5), (5, 10.5)]
FAR_WEST = [(-20, -0.5), (5, -0.5), (5, 10.5), (5, 20), (-20, 20)]


def county(
    *,
    homes: Mapping[str, town.Node] | None = None,
    places: Mapping[str, town.Node] | None = None,
    pieces: list[town.Piece] | None = None,
    permit: Mapping[int, int] | None = None,
    kmh: float | None = 36,
    people: Mapping[str, float] | None = None,
    zones: Mapping[str, list[town.Node]] | None = None,
    **columns: object,
) -> Region:
    """A town of two townships where nothing is doubtful, but for what is said."""
    homes, places = HOMES if homes is None else homes, PLACES if places is None else places
    pieces = LATTICE + ARMS if pieces is None else pieces
    facts = {"kind": KINDS, "capacity": [100, 500, 2, np.nan], "vehicles": [np.nan, np.nan, np.nan, 2], "urban": ["甲"]} | columns
    return town.region(
        town.roads(pieces, permit=permit, kmh={} if kmh is None else dict.fromkeys(range(len(pieces)), kmh)),
        homes,
        places,
        people={home: (people or {}).get(home, 100.0) for home in homes},
        zones={name: town.polygon(corners) for name, corners in (zones or {"西镇": WEST, "东镇": EAST}).items()},
        **facts,
    )


def audit(region: Region | Prepared) -> dict[str, Finding]:
    """The findings by code."""
    given = region if isinstance(region, Prepared) else prepared(region)
    return {finding.code: finding for finding in check_region(given).findings}


def prepared(region: Region) -> Prepared:
    return Prepared(region, read_services(None), town.speeds())


def with_drive(**fields: object) -> Prepared:
    """The clean town, with other speeds for driving."""
    speeds = town.speeds()
    drive = ModeSpeeds.model_validate(speeds.drive.model_dump() | fields)
    return replace(prepared(county()), speeds=speeds.model_copy(update={"drive": drive}))


def moved(region: Region, home: str, place: town.Node) -> Region:
    """One home elsewhere, as its coordinates say; its township stays."""
    lonlat = region.demand.lonlat.copy()
    lonlat[region.demand.id.index(home)] = town.lonlat([place])[0]
    return replace(region, demand=replace(region.demand, lonlat=lonlat))


def with_zones(**arrays: list[float]) -> Region:
    region = county()
    return replace(region, zones=replace(region.zones, **{name: np.array(values, dtype=float) for name, values in arrays.items()}))


def with_demand(**fields: object) -> Region:
    region = county()
    return replace(region, demand=replace(region.demand, **fields))


def with_roads(**fields: object) -> Region:
    region = county()
    return replace(region, roads=replace(region.roads, **fields))


def with_facilities(**fields: object) -> Region:
    region = county()
    return replace(region, facilities=replace(region.facilities, **fields))


def four(first: object, other: object) -> list[object]:
    """A value for the hospital, another for the three other facilities."""
    return [first, other, other, other]


def note(**said: object) -> Region:
    base = {"role": "demand", "file": "villages.xlsx", "sheet": "", "header_row": 1, "rows": 6, "read": 6, "left_out": 0, "unlocated": 0}
    words = {"passed_over": "", "mapping": "", "datum": "wgs84", "declared": True, "verdict": "", "evidence_zh": "", "evidence_en": ""}
    return replace(county(), tables=(TableNote(**(base | words | said)),))


def row(what: str, *, people: float = 7.0) -> Region:
    said = RowNote(what, "demand", "villages.xlsx", 17, "x", "某村", "西镇", people, "没有坐标", "no coordinates")
    return replace(county(), row_notes=(said,))


def log(*, placed: int = BY_COORDINATES, place: town.Node = (3, 3), zone: int = 0, **fields: object) -> Region:
    """A log of one call."""
    known = placed == BY_COORDINATES
    one = {
        "row": np.array([2]),
        "call": np.array([0]),
        "lonlat": town.lonlat([place]) if known else np.full((1, 2), np.nan),
        "placed": np.array([placed]),
        "settlement": np.array([-1]),
        "zone": np.array([zone]),
        "stamp_s": np.zeros((1, len(STAMPS)), dtype=np.int64),
        "base": np.array([-1]),
        "bases": (),
        "outcome": np.array([0]),
        "far": np.array([False]),
        "unread": np.zeros(len(STAMPS), dtype=np.int64),
        "dropped": (),
    }
    return replace(county(), calls=Calls(**(one | fields)))


def named(*names: str) -> Region:
    region = county(kind=("hospital", "hospital", "sampling_site", "emergency_centre"))
    return replace(region, facilities=replace(region.facilities, name=names))


def rounded(noun: str) -> Region:
    """The first home, or facility, with three decimals."""
    region = county()
    if noun == "demand":
        lonlat = region.demand.lonlat.copy()
        lonlat[0] = lonlat[0].round(3)
        return replace(region, demand=replace(region.demand, lonlat=lonlat))
    geometry = region.facilities.geometry.copy()
    geometry[0] = shapely.set_precision(geometry[0], 0.001)
    return replace(region, facilities=replace(region.facilities, geometry=geometry))


def lonely(home: town.Node, *pieces: town.Piece, permit: int = town.BOTH) -> Region:
    """A home in the wide west, with a road of its own."""
    every = [*LATTICE, *ARMS, *pieces]
    wide = {"西镇": FAR_WEST, "东镇": EAST}
    return county(
        homes=HOMES | {"庚": home}, pieces=every, zones=wide, permit=dict.fromkeys(range(len(LATTICE + ARMS), len(every)), permit)
    )


SPLIT = {"西镇": [*WEST[:2], (5, 3), (-0.5, 3)], "北镇": [(-0.5, 3), (5, 3), *WEST[2:]], "东镇": EAST}
ZIGZAG = tuple((x, y) for x in range(1, 8) for y in ((0.2, 9.8) if x % 2 else (9.8, 0.2)))
HOLED = shapely.Polygon(town.lonlat(WEST), [town.lonlat([(2, 2), (4, 2), (4, 5), (2, 5)])])


def holed() -> Region:
    region = county()
    zones = replace(region.zones, geometry=np.array([HOLED, region.zones.geometry[1]], dtype=object))
    zone = region.demand.zone.copy()
    zone[region.demand.id.index("丙")] = OUTSIDE
    return replace(region, zones=zones, demand=replace(region.demand, zone=zone))


def overlapping(x: float) -> dict[str, list[town.Node]]:
    return {"西镇": WEST, "东镇": [(x, -0.5), (10.5, -0.5), (10.5, 10.5), (x, 10.5)]}


# code → a town in which it was planted, how many there are, how many people they touch
PLANTED: dict[str, tuple[Callable[[], Region], int, float]] = {
    "rows_lost": (lambda: note(rows=9), 1, 0),
    "rows_left_out": (lambda: row("left_out"), 1, 7),
    "rows_unlocated": (lambda: row("unlocated"), 1, 7),
    "rows_placed": (lambda: row("placed"), 1, 7),
    "rows_renamed": (lambda: row("renamed", people=0), 1, 0),
    "rows_passed_over": (lambda: note(passed_over="1 标题; 8 合计"), 1, 0),
    "rows_other_zone": (lambda: row("other_zone", people=0), 1, 0),
    "datum_mixed": (lambda: note(verdict="perhaps_mixed"), 1, 0),
    "datum_contradicted": (lambda: note(verdict="other"), 1, 0),
    "datum_undeclared": (lambda: note(datum="undeclared", declared=False), 1, 0),
    "calls_unlocated": (lambda: log(placed=NOWHERE, zone=OUTSIDE), 1, 0),
    "calls_township": (lambda: log(placed=BY_TOWNSHIP), 1, 0),
    "calls_outside": (lambda: log(place=(40, 10), zone=OUTSIDE), 1, 0),
    "calls_far": (lambda: log(placed=NOWHERE, far=np.array([True])), 1, 0),
    "calls_unread": (lambda: log(unread=np.arange(len(STAMPS))), 21, 0),
    "calls_dropped": (lambda: log(dropped=("姓名", "电话")), 2, 0),
    "outside_zones": (lambda: county(homes=HOMES | {"庚": (30, 10)}), 1, 100),
    "other_zone": (lambda: moved(county(), "甲", (8, 1)), 1, 100),
    "nobody_urban": (lambda: county(urban=()), 6, 600),
    "no_people": (lambda: county(people={"甲": 0}), 1, 0),
    "crowded": (lambda: county(people=dict.fromkeys(HOMES, 100_001.0)), 6, 600_006),
    "half_of_zone": (lambda: county(people={"甲": 201}), 1, 201),
    "odd_density": (lambda: county(people={"丁": 0, "戊": 0, "己": 0.5}), 1, 0.5),
    "zone_sum": (lambda: with_zones(people=[300, 310]), 1, 10),
    "county_sum": (lambda: replace(county(), county_people=700.0), 1, 100),
    "registered_gap": (lambda: with_zones(registered=[300, 400]), 1, 100),
    "registered_equal": (lambda: with_zones(registered=[300, 300]), 2, 600),
    "repeated_settlement": (lambda: with_demand(name=("甲", "甲", "丙", "丁", "戊", "甲")), 2, 200),
    "stacked_settlements": (lambda: moved(county(), "乙", HOMES["甲"]), 2, 200),
    "coarse_settlements": (lambda: rounded("demand"), 1, 100),
    "no_road_500m": (lambda: lonely((-7, 9)), 1, 100),
    "no_road_1km": (lambda: lonely((-15, 15)), 1, 100),
    "zones_overlap": (lambda: county(zones=overlapping(2.5)), 1, 100),
    "zone_holes": (holed, 1, 100),
    "zone_slivers": (lambda: county(zones=overlapping(4.9)), 1, 0),
    "zones_apart": (lambda: county(zones={"西镇": WEST, "东镇": EAST, "远乡": [(400, 0), (405, 0), (405, 5)]}), 1, 0),
    "no_facilities": (lambda: county(kind="hospital"), 3, 0),
    "outside_roads": (lambda: county(places=PLACES | {"H": (300, 300)}), 1, 0),
    "external": (lambda: county(places=PLACES | {"H": (30, 10)}), 1, 0),
    "not_open": (lambda: county(open_from=four("2027-01-01", "")), 1, 0),
    "restricted": (lambda: county(restricted=HIDDEN), 1, 0),
    "assumed_entrances": (lambda: with_facilities(assumed_entrances=np.array(HIDDEN)), 1, 0),
    "other_township": (lambda: named("东镇卫生院", "S", "C", "E"), 1, 0),
    "duplicate_facilities": (lambda: named("卫生院", "卫生院", "C", "E"), 2, 0),
    "same_name_facilities": (lambda: replace(named("卫生院", "卫生院", "C", "E"), zones=county(zones=SPLIT).zones), 2, 0),
    "near_facilities": (lambda: county(kind=("hospital", *KINDS[1:3], "hospital"), places=PLACES | {"E": (1.2, 2.5)}), 1, 0),
    "stacked_facilities": (lambda: county(places=PLACES | {"E": PLACES["H"]}), 2, 0),
    "at_settlement": (lambda: county(places=PLACES | {"E": HOMES["甲"]}), 1, 0),
    "coarse_facilities": (lambda: rounded("facilities"), 1, 0),
    "no_capacity": (lambda: county(capacity=[np.nan, 500, 2, np.nan], vehicles=[np.nan] * 4), 2, 0),
    "roads_end_at_border": (lambda: county(pieces=LATTICE), 1, 0),
    "missing_nodes": (lambda: with_roads(missing_nodes=3), 3, 0),
    "unread_maxspeed": (lambda: with_roads(unread_maxspeed=("quick",)), 1, 0),
    "unused_speeds": (lambda: with_drive(ways={"1": 30, "7777": 20}, names={"平安路": 30}), 2, 0),
    "road_notes": (lambda: with_roads(notes=("等级按假定 · class assumed",)), 1, 0),
    "long_pieces": (lambda: county(pieces=[*LATTICE, *ARMS, ZIGZAG]), 1, 0),
    "assumed_speeds": (lambda: county(kmh=None), 1, 0),
    "speed_gap": (lambda: county(kmh=50), 1, 0),
    "no_roads": (lambda: county(permit=dict.fromkeys(range(len(LATTICE + ARMS)), 0b000011)), 1, 0),
    "off_network": (lambda: lonely((-15, 15)), 1, 100),
    "far_from_road": (lambda: lonely((-4, 9)), 1, 100),
    "disconnected": (lambda: lonely((-7, 9), ((-8, 9), (-6, 9))), 1, 100),
    "islands": (lambda: lonely((-7, 9), ((-8, 9), (-6, 9))), 1, 100),
    "facility_off_network": (lambda: county(places=PLACES | {"H": (-30, 30)}), 1, 0),
    "facility_disconnected": (lambda: county(pieces=[*LATTICE, *ARMS, ((-30, 30), (-28, 30))], places=PLACES | {"H": (-29, 30)}), 1, 0),
    "one_way_in": (lambda: lonely((-8, 9), ((0, 9), (-8, 9)), permit=town.FORWARD), 1, 100),
    "one_way_out": (lambda: lonely((-8, 9), ((0, 9), (-8, 9)), permit=town.BACKWARD), 1, 100),
}


def test_a_clean_town_has_no_finding() -> None:
    assert audit(county()) == {}


def test_every_kind_of_finding_is_planted_once() -> None:
    assert set(PLANTED) == set(WORDS)


@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_finding_is_found_with_its_count_and_people(code: str) -> None:
    plant, count, people = PLANTED[code]
    found = audit(plant())
    finding = found.get(code) or found[f"{code}_drive"]
    assert (finding.count, finding.people) == (count, pytest.approx(people))
    assert all((finding.zh, finding.en, finding.do_zh, finding.do_en))
    assert finding.severity in SEVERITIES


def test_findings_come_graver_first_then_by_people() -> None:
    said = check_region(prepared(lonely((-7, 9), ((-8, 9), (-6, 9))))).findings
    ranks = [(SEVERITIES.index(finding.severity), -finding.people) for finding in said]
    assert ranks == sorted(ranks)
    assert len(said) > 3


@pytest.mark.parametrize(
    ("open_from", "open_to"),
    [(("", "2027-01-01", "", ""), ("2027-01-01", "", "", "")), (("2020-05-01", "", "", ""), ("", "2020-05-01", "", ""))],
)
def test_the_old_and_the_new_site_of_a_hospital_are_no_double(open_from: tuple[str, ...], open_to: tuple[str, ...]) -> None:
    region = named("县医院", "县医院", "C", "E")
    region = replace(region, facilities=replace(region.facilities, open_from=open_from, open_to=open_to))
    assert "duplicate_facilities" not in audit(region)


@pytest.mark.parametrize("name", ["西镇卫生院", "西镇中心卫生院", "东镇西镇联合卫生院", "大东镇路卫生室", "县医院"])
def test_a_facility_in_the_township_of_its_name_is_not_misplaced(name: str) -> None:
    region = named(name, "S", "C", "E")
    names = ("西镇", "东镇") if name != "大东镇路卫生室" else ("大东镇路", "东镇")
    assert "other_township" not in audit(replace(region, zones=replace(region.zones, name=names)))


def test_a_facility_a_little_beyond_the_border_of_its_township_is_not_misplaced() -> None:
    region = county(places=PLACES | {"H": (4, 2.5)})
    assert "other_township" not in audit(replace(region, facilities=replace(region.facilities, name=("东镇卫生院", "S", "C", "E"))))


def test_a_health_centre_is_known_by_the_stem_of_its_township() -> None:
    region = named("文港中心卫生院", "S", "C", "E")
    found = audit(replace(region, zones=replace(region.zones, name=("李渡镇", "文港镇"))))["other_township"]
    assert "文港中心卫生院" in found.first
    assert "李渡镇" in found.first


def test_a_one_way_that_leaves_the_county_leads_on_and_is_no_trap() -> None:
    away = ((0, 9), (-30, 9))
    pieces = [*LATTICE, *ARMS, away]
    assert not {"one_way_in_drive", "one_way_out_drive"} & set(audit(county(pieces=pieces, permit={len(pieces) - 1: town.FORWARD})))


def test_a_trap_without_anybody_is_a_note() -> None:
    pieces = [*LATTICE, *ARMS, ((4, 4), (4.5, 4.5))]
    finding = audit(county(pieces=pieces, places=PLACES | {"S": (2, 6.5)}, permit={len(pieces) - 1: town.FORWARD}))["one_way_in_drive"]
    assert (finding.severity, finding.count, finding.people) == ("note", 1, 0)


def test_an_undeclared_datum_is_a_note_if_the_evidence_fits_and_a_warning_if_it_cannot_tell() -> None:
    for verdict, severity in (("fits", "note"), ("cannot_tell", "warning"), ("", "warning")):
        assert audit(note(datum="undeclared", declared=False, verdict=verdict))["datum_undeclared"].severity == severity
    assert "datum_undeclared" not in audit(note(datum="EPSG:4490", declared=False))  # the file itself says so


def test_rows_passed_over_are_told_by_their_numbers() -> None:
    assert audit(note(passed_over="1 各乡镇; 人口; 24 合 计"))["rows_passed_over"].first == "villages.xlsx 1+24"


def test_a_row_of_facilities_is_told_by_its_number_only() -> None:
    said = RowNote("left_out", "facilities", "medical.xlsx", 17, "X1", "某医院", "西镇", 0.0, "类别不明", "unknown kind")
    first = audit(replace(county(), row_notes=(said,)))["rows_left_out"].first
    assert first == "medical.xlsx 17"


def test_road_classes_tell_kilometres_and_the_tagged_median() -> None:
    region = county(kmh=None)
    speed = region.roads.maxspeed_kmh.copy()
    speed[:3] = [[30, 30], [50, 50], [50, 50]]
    table = check_region(prepared(replace(region, roads=replace(region.roads, maxspeed_kmh=speed)))).classes
    row = table.set_index("highway").loc["residential"]
    assert row["km"] == pytest.approx(len(LATTICE) * 0.1 + len(ARMS))
    assert (row["tagged_km"], row["tagged_kmh"], row["assumed_kmh"]) == (pytest.approx(0.3), 50, 36)


def test_cells_of_a_raster_are_told_by_township_and_are_no_settlements() -> None:
    region = lonely((-15, 15))
    cells = replace(region.demand, settlement=("",) * len(region.demand), name=tuple(f"r{n}" for n in range(len(region.demand))))
    found = audit(replace(region, demand=cells))
    assert found["off_network_drive"].first == "西镇 (100)"
    assert "nobody_urban" not in found


RESTRICTED = [
    lambda **said: county(places=PLACES | {"H": (300, 300)}, **said),
    lambda **said: county(places=PLACES | {"H": (30, 10)}, open_from=four("2027-01-01", ""), **said),
    lambda **said: county(places=PLACES | {"H": PLACES["S"]}, **said),
    lambda **said: county(places=PLACES | {"H": HOMES["甲"]}, capacity=[np.nan] * 4, **said),
    lambda **said: county(kind=(*KINDS[:3], "hospital"), places=PLACES | {"E": (1.1, 2.5)}, **said),
    lambda **said: county(pieces=[*LATTICE, *ARMS, ((-30, 30), (-28, 30))], places=PLACES | {"H": (-29, 30)}, **said),
    lambda **said: county(
        pieces=[*LATTICE, *ARMS, ((0, 9), (-8, 9))], permit={len(LATTICE + ARMS): town.FORWARD}, places=PLACES | {"H": (-8, 9)}, **said
    ),
]


@pytest.mark.parametrize("plant", RESTRICTED)
def test_a_restricted_facility_is_neither_named_nor_placed(plant: Callable[..., Region]) -> None:
    region = plant(restricted=HIDDEN)
    region = replace(region, facilities=replace(region.facilities, id=("机密", "S", "C", "E"), name=("机密医院", "东镇S", "C", "E")))
    done = check_region(prepared(region))
    said = audit_text(done) + json.dumps(done.to_json(), ensure_ascii=False, default=str) + audit_layer(done.findings).content.decode()
    assert "机密" not in said
    here = region.facilities.geometry[0]
    marks = [shape for finding in done.findings if finding.severity != "none" for shape in finding.marks.geometry]
    others = {tuple(place) for place in (*region.demand.lonlat.tolist(), *shapely.get_coordinates(region.facilities.geometry[1:]).tolist())}
    assert tuple(shapely.get_coordinates(here)[0].tolist()) in others or not any(shape.equals(here) for shape in marks)


def test_the_layers_hold_every_place_with_its_words() -> None:
    findings = check_region(prepared(lonely((-7, 9), ((-8, 9), (-6, 9))))).findings
    layers = findings_layers(findings)
    assert sum(map(len, layers.values())) == sum(len(finding.marks) for finding in findings)
    assert set(layers) == {"points", "lines"}
    point = layers["points"].set_index("code").loc["disconnected_drive"]
    assert (point["name"], point["people"]) == ("庚", 100)
    assert point.geometry.equals_exact(shapely.Point(town.lonlat([(-7, 9)])[0]), 1e-9)
    page = audit_layer(findings).data
    assert len(page["features"]) == sum(map(len, layers.values()))
    assert {"code", "severity", "name", "people", "zh", "do_zh"} <= set(page["features"][0]["properties"])


def test_a_shape_of_many_cells_is_thinned_for_the_page() -> None:
    region = lonely((-15, 15))
    count = 2_000
    cells = pd.DataFrame({"id": [f"c{n}" for n in range(count)], "people": 1.0, "settlement": ""})
    far = np.column_stack([np.linspace(-18, -14, count), np.full(count, 15.0)])
    frame = gpd.GeoDataFrame(cells, geometry=shapely.points(town.lonlat(far.tolist())), crs=4326)
    found = audit(replace(region, demand=Demand.from_geodataframe(frame, region.zones)))["off_network_walk"]
    assert shapely.get_num_geometries(found.marks.geometry[0]) == count
    feature = audit_layer([found]).data["features"][0]
    assert 400 <= len(feature["geometry"]["coordinates"]) <= 500


def test_files_are_whole_and_the_same_twice(tmp_path: Path) -> None:
    done = check_region(prepared(lonely((-7, 9), ((-8, 9), (-6, 9)))))
    names = {path.name for path in write_files(tmp_path, audit_files(done))}
    assert names == {"findings.csv", "findings.gpkg", "check.json"}
    again = audit_files(check_region(prepared(lonely((-7, 9), ((-8, 9), (-6, 9))))))
    assert all(file_bytes(name, writer) == (tmp_path / name).read_bytes() for name, writer in again.items())
    assert (tmp_path / "findings.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(pd.read_csv(tmp_path / "findings.csv")["code"]) == [finding.code for finding in done.findings]


def test_a_clean_town_is_told_to_be_clean() -> None:
    done = check_region(prepared(county()))
    assert "没有发现问题" in audit_text(done)
    assert "findings.gpkg" not in audit_files(done)


def test_modes_that_find_the_same_are_told_once() -> None:
    text = audit_text(check_region(prepared(lonely((-7, 9), ((-8, 9), (-6, 9))))))
    assert text.count("[disconnected]") == 1
    assert "步行 walk、骑行 bike、驾车 drive 1 处 found，100 人 people" in text


def test_the_day_stands_in_what_is_not_open() -> None:
    region = replace(county(open_from=four("2027-01-01", "")), date=dt.date(2026, 5, 1))
    assert "2026-05-01" in audit(region)["not_open"].zh


# Each is explained: four villages on roads made without a link, a lake path and service drives apart, two hospitals next door, a hospital
# and three clinics with dates, one military hospital, and short one-way streets that end where nobody can turn.
EXAMPLE = {
    "disconnected_walk",
    "disconnected_bike",
    "disconnected_drive",
    "islands_walk",
    "islands_bike",
    "islands_drive",
    "assumed_speeds",
    "external",
    "not_open",
    "one_way_in_drive",
    "one_way_out_drive",
    "restricted",
}
CALLS = {code for code in WORDS if code.startswith("calls")}
AS_HANDED_IN = CALLS | {"datum_undeclared", "rows_passed_over", "registered_gap", "road_notes"}


def test_the_findings_of_the_example_county_are_all_explained(prepared: Prepared) -> None:
    found = {finding.code: finding for finding in check_region(prepared).findings}
    assert set(found) - AS_HANDED_IN == EXAMPLE
    assert found["disconnected_drive"].people == 2_213
    assert found["islands_drive"].people == 2_213
    assert {found[code].severity for code in EXAMPLE} == {"warning", "note"}


def test_check_writes_its_files_beside_what_it_prints(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(example), "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert len(gpd.read_file(tmp_path / "findings.gpkg", layer="points")) > 0
    medical = pd.read_excel(example.parent / "medical.xlsx", dtype=str, engine="openpyxl")
    secret = medical[medical["涉密"] == "是"]
    said = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(text.encode() in said for text in [*secret["名称"], *secret["编码"]])


def thinned(demand: Demand, every: int) -> Demand:
    """Some of the cells of a raster."""
    texts = {name: getattr(demand, name)[::every] for name in ("id", "name", "settlement")}
    arrays = {name: getattr(demand, name)[::every] for name in ("lonlat", "people", "zone", "urban", "old")}
    return replace(demand, spreads=demand.spreads[:, ::every], **texts, **arrays)


def test_three_islands_that_no_road_joins_are_told_as_such(comoros: Prepared) -> None:
    region = replace(comoros.region, demand=thinned(comoros.region.demand, 50))
    found = {finding.code: finding for finding in check_region(replace(comoros, region=region)).findings}
    assert {"Nzwani", "Mwali"} <= {name.split()[0] for name in found["zones_apart"].marks.name}
    assert [name.split()[0] for name in found["islands_drive"].marks.name[:2]] == ["Nzwani", "Mwali"]
    share = found["disconnected_drive"].people / region.demand.people[region.demand.inside].sum()
    assert share == pytest.approx(287_944 / 845_399, rel=0.05)
    assert "Dispensaire Caritas H21" in found["duplicate_facilities"].marks.name
    assert "(8 m)" in found["near_facilities"].first
    assert "primary 60 ↔ 40 km/h" in found["speed_gap"].first
    assert not {"nobody_urban", "outside_zones", "other_zone", "repeated_settlement"} & set(found)
