"""What the page says about the data it rests on: doubtful places on the map, how the tables were read, norms; a county in a later year."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from at_rest import at_rest, saved
from county_files import FILES, write_county
from hostile import NAMES
from playwright.sync_api import Locator, Page, expect

from geodata.growth import grown
from geodata.store import open_region

HIDDEN = "机密点"


@pytest.fixture
def app(page: Page, streamlit_server: Callable[..., str], example: Path) -> Page:
    return opened(page, streamlit_server(example))


def opened(page: Page, address: str) -> Page:
    page.set_viewport_size({"width": 1366, "height": 768})
    page.goto(address)
    expect(page.locator(".c15[data-ready=true]")).to_be_visible(timeout=90_000)
    return page


def open_data(page: Page, tab: str = "数据检查") -> Locator:
    """Open the box below the map, and one of its tabs."""
    page.get_by_test_id("stExpander").filter(has_text="各表如何读入").locator("summary").click()
    page.get_by_role("tab", name=tab).click()
    table = page.locator(".c15-data").first
    expect(table).to_be_visible()
    return table


def finding(page: Page, text: str) -> Locator:
    return page.locator(".c15-data tr").filter(has_text=text)


def test_nothing_about_the_data_is_on_the_page_until_it_is_opened(app: Page) -> None:
    expect(app.locator(".c15-data")).to_have_count(0)
    open_data(app)
    expect(app.get_by_text(re.compile(r"^\d+ 错误 · \d+ 警告 · \d+ 提示$"))).to_be_visible()


def test_findings_stand_worst_first_with_what_to_do(app: Page) -> None:
    open_data(app)
    grades = app.locator(".c15-data tbody td:first-child").all_inner_texts()
    assert grades == sorted(grades, key=["错误", "警告", "提示"].index)
    expect(finding(app, "不与主路网相连的路")).to_contain_text("有人居住的先接通")


def test_a_finding_is_shown_on_the_map_names_its_places_and_is_taken_away_again(app: Page) -> None:
    open_data(app)
    gaps = app.locator(".c15").get_attribute("data-gaps")
    finding(app, "所在道路与主路网不连通").get_by_role("button").click()
    expect(app.locator(".c15[data-findings]")).to_be_visible()
    expect(app.locator(".c15-legend")).to_contain_text("所在道路与主路网不连通")
    expect(app.locator(".c15-map")).to_be_in_viewport(ratio=0.9)
    place = app.evaluate("document.querySelector('.c15').circle15.finding(0)")
    app.mouse.click(place["x"] + 8, place["y"])  # on the ring: what lies inside is still to be clicked
    expect(app.locator(".leaflet-popup").get_by_role("heading", name=place["name"])).to_be_visible()
    expect(app.locator(".leaflet-popup")).to_contain_text("缺桥、缺路的补上")
    finding(app, "所在道路与主路网不连通").get_by_role("button", pressed=True).click()
    expect(app.locator(".c15[data-findings]")).to_have_count(0)
    expect(app.locator(".leaflet-popup")).to_have_count(0)
    expect(app.locator(".c15-legend")).not_to_contain_text("数据检查")
    assert app.locator(".c15").get_attribute("data-gaps") == gaps


def test_a_finding_stays_on_the_map_while_one_goes_on_planning(app: Page) -> None:
    open_data(app)
    finding(app, "所在道路与主路网不连通").get_by_role("button").click()
    shown = app.locator(".c15[data-findings]")
    expect(shown).to_be_visible()
    expect(finding(app, "所在道路与主路网不连通").get_by_role("button", pressed=True)).to_be_visible()
    layer = shown.get_attribute("data-findings")
    app.get_by_role("spinbutton", name=re.compile("时限")).fill("20")
    app.keyboard.press("Enter")
    expect(app.get_by_text("时限改为 20 分钟")).to_be_visible()
    expect(app.locator(".c15[data-ready=true]")).to_be_visible()
    assert shown.get_attribute("data-findings") == layer


def test_each_table_is_told_of_with_its_rows_and_its_datum(app: Page) -> None:
    table = open_data(app, "各表如何读入")
    settlements = table.locator("tr").filter(has_text="settlements.xlsx")
    expect(settlements.locator("td").nth(1)).to_have_text("321")
    expect(settlements.locator("td").nth(2)).to_have_text("321")
    expect(settlements).to_contain_text("未写明，按 WGS84")
    expect(settlements).to_contain_text("最近道路的中位距离")


def test_norms_are_counted_the_short_ones_listed_and_all_of_them_are_a_file(app: Page) -> None:
    table = open_data(app, "标准与规划指标")
    count = app.get_by_text(re.compile(r"^\d+ 不足 · \d+ 无法判断 · \d+ 达到$"))
    expect(count).to_be_visible()
    expect(table.locator("tbody tr")).to_have_count(int(count.inner_text().split(" ")[0]))
    app.get_by_text("导出文件", exact=True).click()
    file = saved(app, "标准与规划指标对照")
    assert file.suggested_filename == "norms.xlsx"
    assert file.path().read_bytes().startswith(b"PK")


@pytest.fixture(scope="module")
def far_county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten villages with hostile names more than 500 m from the only road, and a restricted hospital as far."""
    villages = [[f"{n:03}", name, 116.002 + 0.0016 * n, 28.3099, n + 1, "W" if n < 5 else "E", "农村"] for n, name in enumerate(NAMES)]
    hospitals = FILES["hospitals.csv"].splitlines()[:2]
    hospitals = f"{hospitals[0]},涉密\n{hospitals[1]},否\nH3,{HIDDEN},医院,116.010,28.3099,,否,是\n"
    files = {"villages.csv": _csv(FILES["villages.csv"].splitlines()[0].split(","), villages), "hospitals.csv": hospitals}
    return write_county(tmp_path_factory.mktemp("far"), files)


def _csv(head: list[str], rows: list[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([head, *rows])
    return text.getvalue()


def test_names_of_findings_are_shown_as_they_are_and_run_nothing_and_a_restricted_place_is_not_named(
    page: Page, streamlit_server: Callable[..., str], far_county: Path
) -> None:
    opened(page, streamlit_server(far_county))
    open_data(page)
    rows = page.locator(".c15-data tr").filter(has=page.get_by_role("button"))
    assert any(name in row for row in rows.all_inner_texts() for name in NAMES)
    for number in range(rows.count()):
        rows.nth(number).get_by_role("button").click()
        expect(rows.nth(number).get_by_role("button", pressed=True)).to_be_visible()
        expect(page.locator(".c15-legend")).to_contain_text("数据检查")
        named = page.evaluate("document.querySelector('.c15').circle15.findings()")
        assert HIDDEN not in " ".join(named)
    page.get_by_role("tab", name="各表如何读入").click()
    expect(page.locator(".c15-data").first).to_contain_text("hospitals.csv")
    assert HIDDEN not in page.content()
    assert page.evaluate("window.__hit") is None


def test_without_rates_of_growth_there_is_no_choice_of_a_year(page: Page, streamlit_server: Callable[..., str], far_county: Path) -> None:
    opened(page, streamlit_server(far_county))
    expect(page.get_by_role("combobox", name=re.compile("服务"))).to_be_visible()
    expect(page.get_by_role("combobox", name=re.compile("人口年份"))).to_have_count(0)


def test_in_a_target_year_figures_siting_and_files_follow_and_the_page_says_which_year(
    page: Page, streamlit_server: Callable[..., str], example: Path
) -> None:
    opened(page, streamlit_server(example))
    expect(page.locator("[data-sum=total]")).to_contain_text("620,254")
    page.get_by_role("combobox", name=re.compile("人口年份")).click()
    page.get_by_role("option", name="规划年 · 低方案").click()
    expect(page.get_by_text("2030 年推算人口（低方案）")).to_be_visible()
    people = grown(open_region(example).region, 2030, "low").zones.people.sum()
    expect(page.locator("[data-sum=total]")).to_contain_text(f"{people:,.0f}")
    page.get_by_text("导出文件", exact=True).click()
    assert "2030 年推算人口：2026 年起按低方案" in saved(page, "HTML").path().read_text(encoding="utf-8")
    page.get_by_role("combobox", name=re.compile("服务")).click()
    page.get_by_role("option", name="院前急救").click()
    at_rest(page)
    page.get_by_role("button", name="选址", exact=True).click()
    expect(page.get_by_text("再没有更好的 5 个点")).to_be_visible()
    page.get_by_role("combobox", name=re.compile("人口年份")).scroll_into_view_if_needed()  # a list closes when the page scrolls under it
    at_rest(page)
    page.get_by_role("combobox", name=re.compile("人口年份")).click()
    page.get_by_role("option", name="现状").click()
    expect(page.locator("[data-sum=total]")).to_contain_text("620,254")
    expect(page.get_by_text("请重新选址")).to_be_visible()
    expect(page.get_by_text("2030 年推算人口")).to_have_count(0)
