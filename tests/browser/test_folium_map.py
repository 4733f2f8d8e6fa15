"""The folium map in a real browser, opened from disk: it draws without a network and shows hostile names as they were written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hostile import NAMES as HOSTILE
from playwright.sync_api import Locator, Page, expect

from coverage.circles import circles
from geodata.region import Prepared
from scenarios.compare import compare
from scenarios.model import Open, Scenario
from scenarios.output.maps import coverage_map

MAP = "Object.values(window).find(one => window.L && one instanceof L.Map)"


@pytest.fixture(scope="module")
def hostile(prepared: Prepared) -> Prepared:
    """The example county, with hostile names wherever a file of a user brings one."""
    region, services = prepared.region, prepared.services
    many = HOSTILE * len(region.demand)
    service = services.service("medical")
    named = service.model_copy(
        update={
            "name_zh": HOSTILE[1],
            "definitions": tuple(one.model_copy(update={"name_zh": HOSTILE[7]}) for one in service.definitions),
        }
    )
    kinds = {kind: one.model_copy(update={"zh": name, "en": name}) for (kind, one), name in zip(services.kinds.items(), many, strict=False)}
    return Prepared(
        replace(
            region,
            name=HOSTILE[0],
            zones=replace(region.zones, name=many[: len(region.zones.name)]),
            demand=replace(region.demand, name=many[: len(region.demand)]),
            facilities=replace(region.facilities, name=many[: len(region.facilities)]),
        ),
        services.model_copy(update={"kinds": kinds, "services": services.services | {"medical": named}}),
        prepared.speeds,
    )


@pytest.fixture(scope="module")
def hostile_page(hostile: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    definition = hostile.services.service("medical").definition(None)
    network = hostile.network_of(definition)
    new = Open(id="X1", name=HOSTILE[5], kind="community_health_station", lon=116.25, lat=28.375)
    changed = compare(hostile, Scenario(name=HOSTILE[3]).then(new), definition)
    drawn = circles(definition, network, changed.after.facilities)
    path = tmp_path_factory.mktemp("folium") / "map.html"
    rendered = coverage_map(hostile, "medical", changed.after, circles=drawn, comparison=changed).get_root().render()
    path.write_text(rendered, encoding="utf-8")
    return path


def opened(page: Page, path: Path) -> Page:
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(path.as_uri())
    expect(page.locator(".legend")).to_be_visible()
    expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)  # a map that still moves to the county does not listen
    assert wrong == []
    return page


def point_at(page: Page, sought: Locator) -> None:
    """Move about the middle of the map until it tells: Leaflet overlooks moves that follow too soon on another."""
    for step in range(500):
        page.mouse.move(640 + step % 2, 450)
        if sought.count():
            return


def test_the_map_draws_from_disk_and_says_what_it_shows(page: Page, hostile_page: Path) -> None:
    opened(page, hostile_page)
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator(".leaflet-control-layers-overlays label")).to_have_count(9)
    expect(page.locator(".leaflet-control-attribution")).to_contain_text("未经审图")
    painted = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(value => value > 0)"
    assert page.locator("canvas").evaluate(painted)


def test_hostile_names_of_townships_and_in_the_legend_are_shown_as_they_are(page: Page, hostile_page: Path) -> None:
    opened(page, hostile_page)
    names = page.locator(".leaflet-tooltip.name").all_text_contents()
    assert sorted(set(names)) == sorted(HOSTILE)
    legend = page.locator(".legend").text_content() or ""
    assert [text for text in (HOSTILE[0], HOSTILE[1], HOSTILE[7], HOSTILE[3]) if text not in legend] == []
    assert "49" not in legend
    assert page.evaluate("window.__hit") is None


def test_hostile_names_of_facilities_are_shown_as_they_are(page: Page, hostile_page: Path, hostile: Prepared) -> None:
    opened(page, hostile_page)
    facilities = hostile.region.facilities
    clinics = np.flatnonzero(facilities.of_kinds(["village_clinic"]) & facilities.open_on(hostile.region.date) & ~facilities.restricted)
    for name in HOSTILE:
        at = next(one for one in clinics if facilities.name[one] == name)
        lon, lat = facilities.entrance[facilities.first_entrance[at]]
        page.evaluate(f"void {MAP}.setView([{lat}, {lon}], 18, {{animate: false}})")
        told = page.locator(".leaflet-tooltip.says").get_by_text(name, exact=True)
        point_at(page, told)
        expect(told.first).to_be_visible()
    assert page.evaluate("window.__hit") is None


def test_hostile_names_of_places_and_sites_are_shown_as_they_are(page: Page, hostile_page: Path) -> None:
    opened(page, hostile_page)
    every = page.evaluate(
        """() => Object.values(window).filter(one => one instanceof L.GeoJSON).flatMap(group => group.getLayers())
        .map(layer => layer.feature.properties.says).filter(Boolean)
        .map(says => { const box = document.createElement("div"); box.innerHTML = says; document.body.append(box);
                       return box.querySelector("b").textContent; })"""
    )
    assert len(every) > 300
    assert {name for name in every if not any(hostile in name for hostile in HOSTILE)} == set()
    assert page.locator(".legend img, .leaflet-tooltip img, div img[src=x]").count() == 0
    assert page.evaluate("window.__hit") is None
