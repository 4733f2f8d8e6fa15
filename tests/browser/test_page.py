"""The page as a planner sees it, in a real browser with every outside request failing the test."""

import csv
import io
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from answers import Covered
from at_rest import at_rest, saved
from county_files import write_county, zones
from hostile import ALL, NAMES
from playwright.sync_api import Locator, Page, expect

from coverage.gaps import TOO_FAR
from geodata.region import Prepared
from scenarios.model import Open, Scenario

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def app(page: Page, streamlit_server: Callable[..., str], example: Path) -> Page:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(streamlit_server(example))
    drawn(page)
    return page


@pytest.fixture(scope="module")
def village(prepared: Prepared, covered: Covered) -> dict[str, float]:
    """Where the largest settlement lies that a road leads to and no clinic is near enough."""
    gaps = covered("medical").gaps
    at = prepared.region.demand.id.index(gaps.loc[gaps["cause"] == TOO_FAR, "id"].iloc[0])
    lon, lat = prepared.region.demand.lonlat[at].tolist()
    return {"lat": lat, "lon": lon}


def drawn(page: Page) -> None:
    """Wait until the map shows what was answered last."""
    expect(page.locator(".c15[data-ready=true]")).to_be_visible(timeout=90_000)


def figure(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True)).get_by_test_id("stMetricValue")


def change(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True)).get_by_test_id("stMetricDelta")


def choose(page: Page, box: str, option: str) -> None:
    at_rest(page)
    page.get_by_role("combobox", name=re.compile(box)).click()
    page.get_by_role("option", name=option).click()


def pixel(page: Page, lat: float, lon: float) -> tuple[float, float]:
    at = page.evaluate("([lat, lon]) => document.querySelector('.c15').circle15.pixel(lat, lon)", [lat, lon])
    return at["x"], at["y"]


def add_point(page: Page, lat: float, lon: float) -> None:
    """Add a point, and wait until its figures and its circle stand."""
    circle = page.locator(".c15").get_attribute("data-circles")
    page.get_by_role("button", name="新增点").click()
    page.mouse.click(*pixel(page, lat, lon))
    expect(page.locator(".c15[data-points='1'][data-waiting='0']")).to_be_visible()
    expect(page.locator(".c15")).not_to_have_attribute("data-circles", circle or "")


def test_page_opens_in_chinese_with_figures_map_and_table_and_says_that_the_county_is_illustrative(app: Page) -> None:
    expect(app.get_by_text("示意数据：地名与总人口为真")).to_be_visible()
    expect(app.get_by_text("进贤县（示意）")).to_be_visible()
    expect(figure(app, "人口覆盖率")).to_have_text(re.compile(r"^\d{2}\.\d %$"))
    expect(app.locator("[data-sum=total]")).to_contain_text("620,254")
    expect(app.locator("[data-zone]")).to_have_count(21)


def test_the_screenshot_of_the_readme(app: Page, tmp_path: Path) -> None:
    choose(app, "服务", "院前急救")
    expect(app.locator(".c15-legend")).to_contain_text("急救中心")
    drawn(app)
    circle = app.locator(".c15").get_attribute("data-circles")
    app.get_by_role("button", name="选址", exact=True).click()
    expect(app.get_by_text("再没有更好的 5 个点")).to_be_visible()
    expect(app.locator(".c15[data-points='4'][data-ready=true]")).to_be_visible()
    expect(app.locator(".c15")).not_to_have_attribute("data-circles", circle or "")
    folder = REPOSITORY / "docs" if os.environ.get("CIRCLE15_SCREENSHOTS") == "1" else tmp_path
    app.screenshot(path=folder / "page.zh-CN.jpg", type="jpeg", quality=80)
    app.get_by_role("button", name="English").click()
    expect(app.get_by_text("No better choice exists.")).to_be_visible()
    expect(app.locator(".c15[lang=en][data-points='4'][data-ready=true]")).to_be_visible()
    app.screenshot(path=folder / "page.jpg", type="jpeg", quality=80)
    assert (folder / "page.jpg").stat().st_size > 50_000


def test_another_service_gives_other_figures(app: Page) -> None:
    before = figure(app, "覆盖人口").inner_text()
    choose(app, "服务", "15分钟健身圈")
    expect(figure(app, "覆盖人口")).not_to_have_text(before)


def test_a_changed_limit_is_said_and_widens_the_circle(app: Page) -> None:
    circle = app.locator(".c15").get_attribute("data-circles")
    app.get_by_role("spinbutton", name=re.compile("时限")).fill("20")
    app.keyboard.press("Enter")
    expect(app.get_by_text("时限改为 20 分钟")).to_be_visible()
    expect(app.locator(".c15")).not_to_have_attribute("data-circles", circle or "")


def test_page_speaks_english_by_a_switch_and_keeps_the_question_and_the_plan(app: Page) -> None:
    choose(app, "服务", "院前急救")
    app.get_by_role("button", name="选址", exact=True).click()
    expect(app.get_by_text("再没有更好的 5 个点")).to_be_visible()
    share = figure(app, "人口覆盖率").inner_text()
    app.get_by_role("button", name="English").click()
    expect(app).to_have_url(re.compile("lang=en"))
    expect(app.get_by_text("No better choice exists.")).to_be_visible()
    expect(app.get_by_role("tab", name="By township")).to_be_visible()
    expect(app.get_by_text("response: urban 15 minutes, rural 30 minutes").first).to_be_visible()
    expect(figure(app, "People covered, share")).to_have_text(share)


def test_a_gap_in_the_list_is_shown_on_the_map(app: Page) -> None:
    app.get_by_role("tab", name=re.compile("未覆盖")).click()
    first = app.locator("[data-gap]").first
    name = first.locator("b").inner_text()
    first.get_by_role("button").click()
    expect(app.locator(".leaflet-popup").get_by_role("heading", name=name)).to_be_visible()


def test_a_point_is_added_dragged_and_taken_back(app: Page, village: dict[str, float]) -> None:
    covered = figure(app, "覆盖人口").inner_text()
    add_point(app, **village)
    expect(change(app, "覆盖人口")).to_have_text(re.compile(r"\+[\d,]+ 人"))
    with_point = figure(app, "覆盖人口").inner_text()
    app.mouse.move(*pixel(app, **village))
    app.mouse.down()
    app.mouse.move(*pixel(app, village["lat"] + 0.03, village["lon"]), steps=5)
    app.mouse.up()
    expect(figure(app, "覆盖人口")).not_to_have_text(with_point)
    expect(app.locator(".c15[data-waiting='0']")).to_be_visible()
    app.get_by_role("button", name="撤销").click()
    expect(figure(app, "覆盖人口")).to_have_text(with_point)
    app.get_by_role("button", name="撤销").click()
    expect(figure(app, "覆盖人口")).to_have_text(covered)
    expect(app.locator(".c15[data-points='0']")).to_be_visible()


def test_on_an_office_screen_a_press_on_the_map_scrolls_nothing_and_a_drag_ends_where_it_ended(
    app: Page, village: dict[str, float]
) -> None:
    app.set_viewport_size({"width": 1366, "height": 600})
    app.get_by_role("button", name="全县").click()
    add_point(app, **village)
    scrolled = "() => document.querySelector('[data-testid=stMain]').scrollTop"
    before = app.evaluate(scrolled)
    x, y = pixel(app, **village)
    app.mouse.move(x, y)
    app.mouse.down()
    app.mouse.move(x - 30, y - 20, steps=5)
    app.mouse.up()
    expect(app.locator(".c15[data-waiting='0']")).to_be_visible()
    marker = app.locator("[data-site=new-1]").bounding_box()
    assert marker is not None
    assert abs(marker["x"] + marker["width"] / 2 - x + 30) < 3
    assert abs(marker["y"] + marker["height"] / 2 - y + 20) < 3
    assert app.evaluate(scrolled) == before


def test_a_dragged_point_of_a_plan_says_so_and_what_it_costs_and_stays_when_asked_again(app: Page) -> None:
    choose(app, "服务", "院前急救")
    app.get_by_role("button", name="选址", exact=True).click()
    expect(app.get_by_text("再没有更好的 5 个点")).to_be_visible()
    expect(app.locator(".c15[data-points='4'][data-ready=true]")).to_be_visible()
    best = figure(app, "覆盖人口").inner_text()
    marker = app.locator("[data-site^=plan-]").first.bounding_box()
    assert marker is not None
    x, y = marker["x"] + marker["width"] / 2, marker["y"] + marker["height"] / 2
    app.mouse.move(x, y)
    app.mouse.down()
    app.mouse.move(x + 20, y - 60, steps=5)
    app.mouse.up()
    expect(app.locator("[data-site=moved-1]")).to_have_attribute("aria-label", re.compile("移位"))
    expect(app.get_by_text(f"与选址结果（时限以内 {best} 人）相比")).to_be_visible()
    at_rest(app)
    app.get_by_role("button", name="选址", exact=True).click()
    expect(app.get_by_text("保留 2 个")).to_be_visible()
    expect(app.locator("[data-site=moved-1]")).to_be_visible()


def test_closing_the_emergency_centre_loses_people_by_township_and_opening_it_again_brings_them_back(app: Page, prepared: Prepared) -> None:
    choose(app, "服务", "院前急救")
    expect(app.locator(".c15-legend")).to_contain_text("急救中心")
    drawn(app)
    covered = figure(app, "覆盖人口").inner_text()
    centre = prepared.region.facilities.to_geodataframe().set_index("kind").geometry["emergency_centre"]
    app.mouse.click(*pixel(app, centre.y, centre.x))
    app.get_by_role("button", name="关闭此机构").click()
    expect(figure(app, "覆盖人口")).to_have_text("0")
    expect(change(app, "覆盖人口")).to_have_text(f"-{covered} 人")
    app.get_by_role("tab", name="变化").click()
    expect(app.locator(".c15-tab-changes")).to_contain_text(covered)
    app.get_by_role("button", name="恢复").click()
    expect(figure(app, "覆盖人口")).to_have_text(covered)


def test_a_scenario_is_kept_as_a_file_and_opened_again(app: Page, tmp_path: Path, village: dict[str, float]) -> None:
    add_point(app, **village)
    with_point = figure(app, "覆盖人口").inner_text()
    saved(app, "保存").save_as(tmp_path / "scenario.json")
    said = json.loads((tmp_path / "scenario.json").read_text(encoding="utf-8"))
    assert [one["do"] for one in said["changes"]] == ["open"]
    app.get_by_role("button", name="清空").click()
    expect(figure(app, "覆盖人口")).not_to_have_text(with_point)
    app.get_by_role("button", name="打开").click()
    app.locator("input[type=file]").set_input_files(tmp_path / "scenario.json")
    expect(figure(app, "覆盖人口")).to_have_text(with_point)
    drawn(app)  # a file given while the page is drawn anew may be lost
    (tmp_path / "wrong.json").write_text('{"circle15": "scenario", "changes": [{"do": "close", "id": "<b>没有"}]}', encoding="utf-8")
    complaint = app.get_by_text("第 1 项改动：没有机构 <b>没有（或已关闭）。")
    for _ in range(3):  # Streamlit may drop a file that is given while a run ends
        app.locator("input[type=file]").set_input_files(tmp_path / "wrong.json")
        app.wait_for_timeout(5_000)
        if complaint.is_visible():
            break
    expect(complaint).to_be_visible()


BEGINS = {"HTML": b"<!doctype html>", "表格（Excel）": b"PK", "GeoPackage": b"SQLite"}


@pytest.mark.parametrize("label", BEGINS)
def test_what_is_shown_can_be_taken_along_as_a_file(app: Page, tmp_path: Path, village: dict[str, float], label: str) -> None:
    add_point(app, **village)
    app.get_by_text("导出文件").click()
    saved(app, label).save_as(tmp_path / "file")
    assert (tmp_path / "file").read_bytes().lower().startswith(BEGINS[label].lower())


@pytest.mark.usefixtures("chinese_font")
def test_the_current_view_can_be_taken_along_as_a_picture(app: Page, tmp_path: Path) -> None:
    app.get_by_text("导出文件").click()
    saved(app, "PNG").save_as(tmp_path / "file")
    assert (tmp_path / "file").read_bytes().startswith(b"\x89PNG")


@pytest.fixture(scope="module")
def hostile_county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten townships, villages and hospitals along one street, and a service; each bears a hostile name."""
    step = 0.002
    codes = [f"T{n}" for n in range(len(NAMES))]
    boxes = json.loads(zones(**{code: (116.0 + n * step, 116.0 + (n + 1) * step) for n, code in enumerate(codes)}))
    for feature, name in zip(boxes["features"], NAMES, strict=True):
        feature["properties"]["name"] = name
    rows = [(n, name, 116.0 + (n + 0.5) * step) for n, name in enumerate(NAMES)]
    said = json.dumps(ALL, ensure_ascii=False)  # TOML's text and JSON's are written alike
    services = f"""
[kinds]
hospital = {{ zh = {said}, en = {said} }}
[services.medical]
name_zh = {said}
name_en = {said}
[[services.medical.definitions]]
id = "walk"
name_zh = {said}
name_en = {said}
kinds = ["hospital"]
mode = "walk"
urban = {{ minutes = 1 }}
rural = {{ minutes = 1 }}
source = {said}
status = "M"
"""
    files = {
        "zones.geojson": json.dumps(boxes),
        "people.csv": "乡镇,常住人口\n" + "".join(f"{code},100\n" for code in codes),
        "villages.csv": _csv(("编码", "村名", "经度", "纬度", "人口"), [(f"V{n}", name, lon, 28.3065, 1) for n, name, lon in rows]),
        "hospitals.csv": _csv(("编码", "名称", "类别", "经度", "纬度"), [(f"H{n}", name, ALL, lon, 28.305) for n, name, lon in rows]),
        "parks.csv": "id,lon,lat\nP1,116.010,28.305\n",
        "mine.toml": services,
    }
    folder = tmp_path_factory.mktemp("hostile")
    path = write_county(folder, files, toml='services = "mine.toml"')
    path.write_text(path.read_text(encoding="utf-8").replace('"某县"', said), encoding="utf-8")
    return path


def _csv(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    return text.getvalue()


def test_hostile_names_are_shown_as_they_are_everywhere_and_run_nothing(
    page: Page, streamlit_server: Callable[..., str], hostile_county: Path, tmp_path: Path
) -> None:
    page.goto(streamlit_server(hostile_county))
    drawn(page)
    assert page.locator("[data-zone] button").all_inner_texts() == list(NAMES)
    for name in NAMES:
        expect(page.locator(".c15-map").get_by_text(name, exact=True).first).to_be_attached()
    page.get_by_role("tab", name=re.compile("未覆盖")).click()
    assert sorted(page.locator("[data-gap] b").all_inner_texts()) == sorted(NAMES)
    for number in range(len(NAMES)):
        page.locator("[data-gap] button").nth(number).click()
        expect(page.locator(".leaflet-popup h2")).to_have_text(page.locator("[data-gap] b").nth(number).inner_text())
    expect(page.get_by_text(ALL).first).to_be_visible()
    page.get_by_role("combobox", name=re.compile("口径")).click()
    expect(page.get_by_role("option", name=ALL)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("来源与参数").click()
    expect(page.get_by_text(f"口径来源：{ALL}")).to_be_visible()
    scenario = Scenario().then(*(Open(id=f"N{n}", name=name, kind="hospital", host=f"H{n}") for n, name in enumerate(NAMES)))
    (tmp_path / "{{7*7}}.json").write_text(scenario.to_json(), encoding="utf-8")
    page.get_by_role("button", name="打开").click()
    page.locator("input[type=file]").set_input_files(tmp_path / "{{7*7}}.json")
    expect(page.locator(".c15[data-points='10'][data-ready=true]")).to_be_visible()
    for name in NAMES:
        expect(page.locator(".c15-map").get_by_text(name, exact=True).last).to_be_attached()
    page.get_by_text("导出文件").click()
    saved(page, "HTML").save_as(tmp_path / "map.html")
    assert page.evaluate("window.__hit") is None
    page.goto((tmp_path / "map.html").as_uri())
    drawn(page)
    assert page.locator("[data-zone] button").all_inner_texts() == list(NAMES)
    assert page.evaluate("window.__hit") is None


def test_a_broken_region_is_told_in_a_sentence(page: Page, streamlit_server: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "region.toml").write_text("name = 3", encoding="utf-8")
    page.goto(streamlit_server(tmp_path / "region.toml"))
    expect(page.get_by_text("region.toml：roads：缺少此项")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Traceback")).to_have_count(0)
