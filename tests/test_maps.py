"""The folium map as text: no host, nothing restricted, nothing executed."""

import json
import re

import numpy as np
import pytest
from answers import Covered, Drawn

from coverage.circles import circles
from coverage.stats import CoverageResult
from geodata.region import Prepared
from scenarios.compare import compare
from scenarios.model import Close, Open, Scenario
from scenarios.output.maps import coverage_map, escape
from scenarios.output.weblayers import place_layer
from scenarios.output.webmap import view


@pytest.fixture(scope="module")
def medical(covered: Covered) -> CoverageResult:
    return covered("medical")


@pytest.fixture(scope="module")
def page(prepared: Prepared, medical: CoverageResult, drawn: Drawn) -> str:
    return str(coverage_map(prepared, "medical", medical, circles=drawn("medical")).get_root().render())


def test_every_letter_that_html_javascript_or_jinja_reads_becomes_a_number() -> None:
    assert re.sub(r"&#\d+;", "", escape("<>&\"'{}$\\`")) == ""
    assert escape("进贤县 a-b_c") == "进贤县 a-b_c"
    assert escape(escape("<")) == "&#38;#60;"


def test_the_page_names_no_host_and_loads_nothing(page: str) -> None:
    assert re.findall(r"\w://|//\w+\.\w+", page) == []
    assert set(re.findall(r'(?:src|href)="(\w+):', page)) == {"data"}
    assert "jquery" not in page.lower()
    assert "bootstrap" not in page.lower()


def test_a_restricted_facility_is_not_on_the_map(prepared: Prepared, medical: CoverageResult, page: str) -> None:
    facilities = medical.facilities
    hidden = int(np.flatnonzero(facilities.restricted)[0])
    lon, lat = facilities.entrance[facilities.first_entrance[hidden]]
    assert facilities.name[hidden] not in decoded(page)
    assert json.dumps([round(lon, 5), round(lat, 5)]) not in page
    neighbour = facilities.entrance[facilities.first_entrance[hidden + 1]]
    assert json.dumps(np.round(neighbour, 5).tolist()) in page
    shown = facilities.to_geodataframe()["kind"].value_counts()["hospital"]
    assert f"医院 hospital ({shown})" in decoded(page)
    assert shown == np.sum(np.array(facilities.kind) == "hospital") - 1
    assert prepared.region.illustrative
    assert "示意数据" in decoded(page)


def test_map_is_drawn_in_the_colours_that_the_page_is_given(prepared: Prepared, medical: CoverageResult, page: str) -> None:
    on_the_page = view(prepared, "medical", medical)
    levels = {zone["level"] for zone in on_the_page["zones"] if zone["row"] == "zone"}
    colours = {on_the_page["looks"]["levels"][level]["colour"] for level in levels}
    colours |= {kind["colour"] for kind in place_layer(prepared.services, medical.facilities).data["kinds"]}
    colours |= {on_the_page["looks"]["gap"], on_the_page["looks"]["water"], on_the_page["looks"]["circles"]["all"]}
    assert [colour for colour in sorted(colours) if f'"fillColor": "{colour}"' not in page] == []


def test_facilities_outside_the_county_are_hollow_and_counted_apart(medical: CoverageResult, page: str) -> None:
    outside = int((medical.facilities.external & ~medical.facilities.restricted).sum())
    assert outside
    assert f"空心：县外 hollow: outside the county ({outside})" in decoded(page)


def test_a_scenario_adds_its_facilities_and_who_gains_and_loses(prepared: Prepared, medical: CoverageResult, page: str) -> None:
    new = Open(id="X1", name="新建北门站", kind="community_health_station", lon=116.25, lat=28.375)
    changed = compare(prepared, Scenario(name="北门方案").then(new, Close(id="WS-0016")), medical.definition, before=medical)
    circle = circles(medical.definition, prepared.network_of(medical.definition), changed.after.facilities)
    with_changes = decoded(coverage_map(prepared, "medical", changed.after, circles=circle, comparison=changed).get_root().render())
    words = ["情景机构 scenario", "情景变化 changes", "新建北门站", "北门方案", "关闭 closed"]
    assert [word for word in words if word not in with_changes] == []
    assert [word for word in words if word in decoded(page)] == []


def decoded(page: str) -> str:
    """The page with the characters that JSON wrote as escapes."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), page)
