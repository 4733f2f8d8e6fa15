"""The map as a single file, opened from the disk: whatever it would fetch from elsewhere fails the test."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import Covered, Drawn
from hostile import ALL, NAMES, hostile_map
from playwright.sync_api import ConsoleMessage, Page, expect

from geodata.region import Prepared
from scenarios.compare import compare
from scenarios.model import Open, Scenario
from scenarios.output.webmap import html_map


@pytest.fixture(scope="module")
def files(prepared: Prepared, covered: Covered, drawn: Drawn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Addresses of the maps: the baseline, a scenario, and the town of hostile names."""
    result, circles = covered("medical"), drawn("medical")
    lon, lat = prepared.region.demand.lonlat[prepared.region.demand.id.index(result.gaps["id"].iloc[0])].tolist()
    scenario = Scenario().then(Open(id="N1", name="新站", kind="village_clinic", lon=lon, lat=lat))
    comparison = compare(prepared, scenario, result.definition, before=result)
    pages = {
        "baseline": html_map(prepared, "medical", result, circles=circles),
        "scenario": html_map(prepared, "medical", comparison.after, circles=circles, comparison=comparison),
        "hostile": hostile_map(),
    }
    folder = tmp_path_factory.mktemp("maps")
    for name, html in pages.items():
        (folder / f"{name}.html").write_bytes(html.encode())
    return {name: (folder / f"{name}.html").as_uri() for name in pages}


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page that fails the test if anything goes wrong in it."""
    wrong: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            wrong.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert not wrong


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.locator(".c15")).to_have_attribute("data-ready", "true")
    return page


def click_on(page: Page, place: dict[str, float]) -> None:
    """Point at a place on the map, once the map stands still, then click."""
    expect(page.locator(".leaflet-pan-anim, .leaflet-zoom-anim")).to_have_count(0)
    at = page.evaluate("([lat, lon]) => document.querySelector('.c15').circle15.pixel(lat, lon)", [place["lat"], place["lon"]])
    page.mouse.move(at["x"], at["y"])
    page.mouse.click(at["x"], at["y"])


def painted(page: Page, pane: str) -> int:
    """How many pixels of a pane's canvas are not transparent."""
    return page.evaluate(
        """(pane) => {
            const canvas = document.querySelector(`.leaflet-c15-${pane}-pane canvas, .c15-${pane}-pane canvas`);
            const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
            return data.filter((value, at) => at % 4 === 3 && value > 0).length;
        }""",
        pane,
    )


def test_the_map_draws_ground_circles_and_facilities(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    for pane in ("zones", "water", "circles", "roads", "borders", "places"):
        assert painted(page, pane) > 1000, pane
    expect(page.locator(".c15-name", has_text="民和镇")).to_be_visible()


def test_a_layer_that_is_switched_off_is_no_longer_drawn(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    page.get_by_role("checkbox", name="乡镇人口覆盖率").uncheck()
    page.wait_for_function("() => !document.querySelector('.c15').circle15.draws('zones')")
    page.get_by_role("checkbox", name="乡镇人口覆盖率").check()
    page.wait_for_function("() => document.querySelector('.c15').circle15.draws('zones')")
    expect(page.get_by_role("checkbox", name="乡镇人口覆盖率")).to_be_checked()


def test_the_table_ends_with_the_sums(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    expect(page.locator("[data-sum=total]")).to_contain_text("620,254")
    expect(page.get_by_role("rowheader", name="民和镇")).to_be_visible()


def test_a_click_on_a_heading_sorts_and_the_sums_stay_below(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    page.get_by_role("button", name="按“占比”排序").click()
    shares = [float(text.removesuffix(" %")) for text in page.locator("tr[data-zone] td:nth-child(4)").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    expect(page.locator("tfoot [data-sum]:not([data-sum=old])")).to_have_count(3)


def test_a_click_on_a_township_goes_there(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    before = page.evaluate("document.querySelector('.c15').circle15.zoom()")
    page.get_by_role("button", name="李渡镇").click()
    expect(page.locator(".c15-popup h2")).to_have_text("李渡镇")
    assert page.evaluate("document.querySelector('.c15').circle15.zoom()") > before
    page.get_by_role("button", name="全县").click()
    assert page.evaluate("document.querySelector('.c15').circle15.zoom()") == before


def test_a_click_on_a_gap_opens_it_on_the_map(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    page.get_by_role("tab", name=re.compile("未覆盖")).click()
    first = page.locator("[data-gap]").first
    name = first.locator("b").inner_text()
    first.get_by_role("button").click()
    expect(page.locator(".c15-popup h2")).to_have_text(name)
    expect(page.locator(".c15-popup")).to_contain_text("分钟")


def test_a_click_on_the_map_marks_the_gap_in_the_list(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    gap = page.evaluate("JSON.parse(document.getElementById('circle15-data').textContent).view.gaps[6]")
    click_on(page, gap)
    row = page.locator(f"[data-gap='{gap['id']}']")
    expect(row).to_have_class(re.compile("c15-picked"))
    expect(row).to_be_in_viewport()


def test_the_filter_keeps_what_matches(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    page.get_by_role("tab", name=re.compile("未覆盖")).click()
    page.get_by_role("searchbox").fill("三里乡")
    texts = page.locator("[data-gap]").all_inner_texts()
    assert texts
    assert all("三里" in text for text in texts)


def test_a_scenario_shows_before_and_after(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["scenario"])
    expect(page.locator(".c15")).to_have_attribute("data-points", "1")
    expect(page.locator("[data-sum=total]")).to_contain_text("+")
    page.get_by_role("tab", name="变化").click()
    page.locator(".c15-tab-changes .c15-item").first.click()
    expect(page.locator(".c15-popup")).to_contain_text("新覆盖")


def test_the_language_switches_and_the_tab_stays(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    page.get_by_role("tab", name=re.compile("未覆盖")).click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("tab", name=re.compile("Gaps"))).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("heading", name="15-minute medical circle")).to_be_visible()


def test_the_tabs_answer_to_the_keyboard(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["baseline"])
    page.get_by_role("tab", name="乡镇").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name=re.compile("未覆盖"))).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_printed_map_shows_the_whole_county(quiet: Page, files: dict[str, str], tmp_path: Path):
    page = opened(quiet, files["baseline"])
    page.pdf(path=tmp_path / "map.pdf", prefer_css_page_size=True)
    pages = (tmp_path / "map.pdf").read_bytes().count(b"/Type /Page\n")
    assert 1 <= pages <= 3


def test_hostile_names_are_shown_as_they_are_and_run_nothing(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["hostile"])
    assert page.title() == f"{ALL} · {ALL}"
    expect(page.locator("h1")).to_have_text(f"{ALL} · {ALL}")
    expect(page.locator(".c15-title p")).to_contain_text(ALL)
    expect(page.locator(".c15-legend")).to_contain_text(ALL)
    assert page.locator("tr[data-zone] th").all_text_contents() == list(NAMES)
    assert sorted(page.locator(".c15-name").all_text_contents()) == sorted(NAMES)
    page.get_by_role("tab", name=re.compile("未覆盖")).click()
    assert page.locator("[data-gap] b").all_text_contents() == list(reversed(NAMES))
    page.get_by_text("口径、参数与来源").click()
    expect(page.locator(".c15-footer")).to_contain_text(ALL)
    for at, name in enumerate(NAMES):
        page.locator(f"[data-gap=H{at}] button").click()
        expect(page.locator(".c15-popup h2")).to_have_text(name)
        expect(page.locator(".c15-popup")).to_contain_text("最近")
    assert page.evaluate("window.__hit") is None


def test_a_facility_with_a_hostile_name_shows_it_too(quiet: Page, files: dict[str, str]):
    page = opened(quiet, files["hostile"])
    places = page.evaluate("JSON.parse(document.getElementById('circle15-data').textContent).layers.places.data.places")
    for place in places:
        click_on(page, place)
        expect(page.locator(".leaflet-tooltip-top")).to_have_text(place["name"])
        expect(page.locator(".c15-popup h2")).to_have_text(place["name"])
        page.get_by_role("button", name="关闭窗口").click()
        expect(page.locator(".c15-popup")).to_have_count(0)  # while it fades it may lie over the next place
    assert len(places) == len(NAMES)
    assert page.evaluate("window.__hit") is None
