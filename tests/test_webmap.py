"""What the map in the browser is given: layers, numbers, and one page that holds both."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from answers import Covered, Drawn
from gridtown import definition, region, roads, speeds, streets
from hostile import NAMES, hostile_map

from coverage.circles import circles
from coverage.stats import CoverageResult, coverage
from geodata.model import RowNote
from geodata.norms import read_norms
from geodata.region import Prepared
from geodata.standards import Kind, Service, ServiceDefinition, Services
from geodata.store import open_region
from scenarios.audit.check import check_region
from scenarios.compare import Comparison, compare
from scenarios.model import Open, Scenario
from scenarios.norms import norms_report
from scenarios.output.norms_report import norms_text
from scenarios.output.report import round_up
from scenarios.output.weblayers import base_layer, circle_layer, place_layer
from scenarios.output.webmap import SCRIPTS, WEB, html_map, view, web_style
from scenarios.output.webtables import findings_of, findings_table, norms_count, norms_table, rows_table

MB = 1_000_000


@dataclass(frozen=True)
class County:
    prepared: Prepared
    definition: ServiceDefinition
    result: CoverageResult
    comparison: Comparison
    circles: gpd.GeoDataFrame


@pytest.fixture(scope="module")
def county(prepared: Prepared, covered: Covered, drawn: Drawn) -> County:
    result = covered("medical")
    worst = result.gaps.iloc[0]
    lon, lat = prepared.region.demand.lonlat[prepared.region.demand.id.index(worst["id"])].tolist()
    closed = next(one for one, kind in zip(result.facilities.id, result.facilities.kind, strict=True) if kind == "village_clinic")
    scenario = Scenario().then(Open(id="N1", name="新站", kind="community_health_station", lon=lon, lat=lat)).closed(closed)
    comparison = compare(prepared, scenario, result.definition, before=result)
    return County(prepared, result.definition, result, comparison, drawn("medical"))


def clinic_town(**columns: Any) -> Prepared:
    """Two clinics on a street; the columns are of the facilities."""
    town = region(roads(streets(21, 2)), {"甲村": (0, 0), "乙村": (20, 0)}, {"K1": (1, 0), "K2": (2, 0)}, **columns)
    services = Services(
        kinds={"hospital": Kind(zh="医院", en="hospital")},
        services={"medical": Service(name_zh="医疗", name_en="medical", definitions=(definition(),))},
    )
    return Prepared(town, services, speeds())


def covered_in(prepared: Prepared) -> CoverageResult:
    return coverage(prepared.region, definition(), prepared.network("walk"))


def page(prepared: Prepared) -> str:
    result = covered_in(prepared)
    return html_map(prepared, "medical", result, circles=circles(definition(), prepared.network("walk"), result.facilities))


def line(steps: list[int]) -> list[tuple[float, float]]:
    """The pairs of a compact line."""
    lon, lat = accumulate(steps[0::2]), accumulate(steps[1::2])
    return [(x / 1e5, y / 1e5) for x, y in zip(lon, lat, strict=True)]


def polygon(rings: list[list[int]]) -> shapely.Polygon:
    outline, *holes = [line(ring) for ring in rings]
    return shapely.Polygon(outline, holes)


def page_data(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="circle15-data">(.*?)</script>', html, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_a_restricted_facility_appears_in_no_layer_and_nowhere_on_the_page():
    town = clinic_town(restricted=[False, True])
    layer = place_layer(town.services, town.region.facilities)
    assert [place["id"] for place in layer.data["places"]] == ["K1"]
    assert "K2" not in page(town)


def test_a_restricted_facility_counts_all_the_same():
    town = clinic_town(restricted=[True, True])
    total = view(town, "medical", covered_in(town))["zones"][-1]
    assert (total["people"], total["covered"]) == (3, 1)


def test_equal_regions_have_equal_layers(county: County, example: Path):
    again = open_region(example)
    for make in (lambda p: base_layer(p.region), lambda p: place_layer(p.services, p.region.facilities)):
        one, two = make(county.prepared), make(again)
        assert (one.id, one.content) == (two.id, two.content)


def test_the_same_input_gives_the_same_page(county: County):
    pages = {html_map(county.prepared, "medical", county.result, circles=county.circles) for _ in range(2)}
    assert len(pages) == 1


def test_a_county_without_such_facilities_still_has_a_map_that_says_so():
    town = clinic_town(kind="park")
    town = replace(town, services=town.services.model_copy(update={"kinds": town.services.kinds | {"park": Kind(zh="公园", en="park")}}))
    data = page_data(page(town))
    assert data["layers"]["places"]["data"]["places"] == []
    assert data["layers"]["circles"]["data"]["classes"] == []
    assert "没有此类机构的数据" in data["view"]["warnings"][-1]["zh"]
    assert {gap["cause"] for gap in data["view"]["gaps"]} == {"no_facility"}


def test_a_circle_keeps_its_hole():
    ring = shapely.Point(116.2, 28.4).buffer(0.02, 32) - shapely.Point(116.2, 28.4).buffer(0.01, 32)
    drawn = circle_layer(gpd.GeoDataFrame({"facility_id": [""], "class": ["all"]}, geometry=[ring], crs="EPSG:4326"))
    (shape,) = [polygon(rings) for rings in drawn.data["classes"][0]["polygons"]]
    assert len(shape.interiors) == 1
    assert shape.intersection(ring).area / shape.union(ring).area > 0.99


def test_only_the_merged_circles_are_drawn(county: County):
    merged = county.circles[county.circles["facility_id"] == ""]
    assert [one["class"] for one in circle_layer(county.circles).data["classes"]] == sorted(merged["class"])


def test_townships_still_touch_when_drawn_with_fewer_corners(county: County):
    zones = county.prepared.region.zones
    drawn = [shapely.union_all([polygon(rings) for rings in zone["polygons"]]) for zone in base_layer(county.prepared.region).data["zones"]]
    whole = shapely.union_all(zones.geometry)
    slits = whole.buffer(-0.0005).difference(shapely.union_all(drawn))
    assert shapely.get_num_coordinates(drawn).sum() < shapely.get_num_coordinates(zones.geometry).sum()
    assert slits.area < 1e-6 * whole.area


def test_the_table_says_what_the_result_says(county: County):
    *rows, old = view(county.prepared, "medical", county.result)["zones"]
    for row, truth in zip(rows, county.result.by_zone.to_dict("records"), strict=True):
        assert (row["row"], row["id"]) == (truth["row"], truth["zone_id"])
        assert (row["people"], row["covered"]) == (truth["people"], truth["covered_people"])
        assert row["percent"] == pytest.approx(truth["share_people"] * 100, abs=0.05)
        assert row["range"].split("–")[0] == f"{truth['share_people_low'] * 100:.1f}"
    assert (old["row"], old["people"], old["covered"], old["range"]) == ("old", truth["old"], truth["covered_old"], "")


def test_the_figures_have_a_range_where_the_people_may_be_spread_in_several_ways(county: County):
    said = view(county.prepared, "medical", county.result)
    total = county.result.by_zone.iloc[-1]
    assert said["ranged"]
    assert said["figures"][0]["range"] == f"{total['share_people_low'] * 100:.1f}–{total['share_people_high'] * 100:.1f} %"
    assert said["figures"][1]["range"] == f"{total['covered_people_low']:,.0f}–{total['covered_people_high']:,.0f}"
    after = view(county.prepared, "medical", county.comparison.after, comparison=county.comparison)["figures"][0]["range"]
    assert after.startswith(f"{county.comparison.by_zone['share_people_low_after'].iloc[-1] * 100:.1f}–")


def test_with_one_way_to_spread_the_people_nothing_is_said_of_a_range():
    said = view(clinic_town(), "medical", covered_in(clinic_town()))
    assert not said["ranged"]
    assert {figure["range"] for figure in said["figures"]} == {row["range"] for row in said["zones"]} == {""}
    assert [row["row"] for row in said["zones"]] == ["zone", "urban", "rural", "total"]


def test_people_gained_and_lost_are_those_of_the_comparison(county: County):
    said = view(county.prepared, "medical", county.comparison.after, comparison=county.comparison)
    *rows, old = said["zones"]
    for row, truth in zip(rows, county.comparison.by_zone.to_dict("records"), strict=True):
        assert (row["gained"], row["lost"]) == (truth["gained_people"], truth["lost_people"])
        assert row["covered"] == row["covered_before"] + row["gained"] - row["lost"]
    assert old["covered"] == old["covered_before"] + old["gained"] - old["lost"]
    assert {site["id"]: site["state"] for site in said["sites"]}["N1"] == "new"
    assert len(said["changed"]) == len(county.comparison.changed)


def test_a_township_has_the_colour_of_its_share(county: County):
    rows = view(county.prepared, "medical", county.result)["zones"][:-1]
    shares = county.result.by_zone["share_people"]
    assert [row["level"] for row in rows] == [sum(share >= limit for limit in (0.5, 0.7, 0.85, 0.95)) for share in shares]


def test_a_township_without_people_has_no_colour_and_no_share():
    town = clinic_town()
    empty = covered_in(town).by_zone.assign(people=0.0, covered_people=0.0, share_people=math.nan)
    object.__setattr__(result := covered_in(town), "by_zone", empty)
    assert {(row["level"], row["percent"]) for row in view(town, "medical", result)["zones"]} == {(None, None)}


def test_a_kind_keeps_its_colour_when_others_join_it(county: County):
    services, facilities = county.prepared.services, county.prepared.region.facilities
    some = facilities.take(np.flatnonzero(facilities.of_kinds(["park", "village_clinic"])))
    alone, among = ({kind["id"]: kind["colour"] for kind in place_layer(services, one).data["kinds"]} for one in (some, facilities))
    assert alone == {kind: among[kind] for kind in alone}
    assert len(set(among.values())) == len(among)


def test_minutes_beyond_the_limit_never_read_as_the_limit(county: County):
    gaps = view(county.prepared, "medical", county.result)["gaps"]
    reached = county.result.gaps["nearest_minutes"].notna()
    assert [gap["minutes"] for gap in gaps if gap["minutes"] is not None] == [
        round_up(minutes) for minutes in county.result.gaps["nearest_minutes"][reached]
    ]
    assert min(gap["minutes"] for gap in gaps if gap["minutes"] is not None) > 15


def test_of_many_gaps_the_first_are_listed_and_the_rest_are_dots(county: County, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scenarios.output.webmap.MOST_GAPS_LISTED", 10)
    monkeypatch.setattr("scenarios.output.webmap.MOST_GAPS_DRAWN", 25)
    said = view(county.prepared, "medical", county.result)
    assert (len(said["gaps"]), len(said["gaps_beyond"]), said["gap_count"]) == (10, 15, len(county.result.gaps))
    assert said["gap_people"] == county.result.gaps["people"].sum()


def test_of_a_scenario_the_page_draws_what_was_closed(county: County):
    html = html_map(county.prepared, "medical", county.comparison.after, circles=county.circles, comparison=county.comparison)
    data = page_data(html)
    (closed,) = [site["id"] for site in data["view"]["sites"] if site["state"] == "closed"]
    assert closed in {place["id"] for place in data["layers"]["places"]["data"]["places"]}


def test_the_page_is_small_and_fetches_nothing(county: County):
    html = html_map(county.prepared, "medical", county.result, circles=county.circles)
    assert len(html.encode()) < 3 * MB
    markup = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    assert not re.search(r"\b(src|href)\s*=|@import", markup)
    assert "url(" not in web_style()


def test_the_page_opens_in_the_language_asked_for(county: County):
    html = html_map(county.prepared, "medical", county.result, circles=county.circles, language="en")
    assert '<html lang="en">' in html
    assert page_data(html)["language"] == "en"


def test_no_name_ends_the_script_it_stands_in():
    html = hostile_map()
    assert html.count("</script>") == 3  # the data, the scripts, the start
    data = page_data(html)
    assert [zone["name"] for zone in data["layers"]["base"]["data"]["zones"]] == list(NAMES)
    assert [gap["name"] for gap in data["view"]["gaps"]] == list(reversed(NAMES))  # most people first


def test_our_scripts_put_no_text_in_as_html():
    for name in SCRIPTS:
        script = (WEB / name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|</script|<!--", script), name


def test_every_word_of_the_map_is_there_and_none_is_said_twice(county: County):
    words = (WEB / "words.js").read_text(encoding="utf-8")
    own = set(re.findall(r"^    (\w+): \[", words, re.MULTILINE))
    shared = set(view(county.prepared, "medical", county.result)["words"])
    known = own | shared
    used = {key for name in SCRIPTS for key in re.findall(r'\bsay\(\s*"(\w+)"', (WEB / name).read_text(encoding="utf-8"))}
    assert used <= known | {"add", "move", "close", "reopen", "view"}  # those are events
    assert own & shared == set()


def test_findings_that_differ_in_the_mode_alone_stand_in_one_row(county: County):
    findings = check_region(county.prepared).findings
    table = findings_table(findings, "zh")
    assert len(table.rows) < len(findings)
    assert len({row.cells[1] for row in table.rows}) == len(table.rows)
    (islands,) = [row for row in table.rows if "不与主路网相连的路" in row.cells[1]]
    assert [line.split()[0] for line in islands.cells[2].splitlines()] == ["骑行", "驾车", "步行"]
    assert len(findings_of(findings, islands.key)[0].marks) == max(int(line.split()[1]) for line in islands.cells[2].splitlines())


def test_of_rows_that_are_not_where_they_should_be_a_facility_is_not_named():
    notes = [
        RowNote("unlocated", role, "a.xlsx", 7, "F1", "某机构", "某镇", 3.0, "没有坐标：116.2", "no coordinates: 116.2")
        for role in ("demand", "facilities")
    ]
    town = replace(clinic_town().region, row_notes=tuple(notes))
    home, facility = rows_table(town, "en").rows
    assert home.cells == ("no coordinates: listed, on no map", "a.xlsx", "7", "某机构", "某镇", "3", "no coordinates: 116.2")
    assert not {"F1", "某机构", "某镇", "no coordinates: 116.2"} & set(facility.cells)


def test_norms_on_the_page_are_those_of_the_report(county: County):
    report = norms_report(county.prepared, read_norms(None, county.prepared.services))
    short = norms_table(county.prepared, report, "zh").rows
    said = re.fullmatch(r"(\d+) 不足 · (\d+) 无法判断 · (\d+) 达到", norms_count(county.prepared, report, "zh"))
    assert said
    assert int(said[1]) == len(short) > 0
    table = norms_text(county.prepared, report)
    assert all(row.cells[0] in table for row in short)
