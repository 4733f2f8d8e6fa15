"""Siting on the page: another goal, a point that must not be, a search that is stopped, a choice that is as good, names as they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from at_rest import PATIENCE_MS, at_rest
from county_files import FILES, write_county
from hostile import NAMES
from playwright.sync_api import Locator, Page, expect

HIDDEN = "机密院"
COMPILING_MS = 90_000  # on a fresh machine the loops of siting are compiled when first asked for


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    expect.set_options(timeout=COMPILING_MS)
    yield
    expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def app(page: Page, streamlit_server: Callable[..., str], example: Path) -> Page:
    opened(page, streamlit_server(example))
    pick(page, "服务", "院前急救")
    return page


def opened(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 2000})  # a list of choices closes when the page scrolls under it
    page.goto(address)
    expect(page.locator(".c15[data-ready=true]")).to_be_visible(timeout=90_000)
    at_rest(page)


def pick(page: Page, box: str, option: str, *, times: int = 3) -> None:
    """Choose an option of a list, of one that keeps several too; once more if it was lost while the page was being drawn."""
    at_rest(page)
    entry = page.get_by_role("combobox", name=re.compile(box))
    entry.click()
    page.get_by_role("option", name=option, exact=True).click()
    page.keyboard.press("Escape")
    at_rest(page)
    kept = entry.input_value() == option or page.get_by_role("button", name=f"Remove {option}").count() > 0
    if not kept and times > 1:
        pick(page, box, option, times=times - 1)


def fill(page: Page, box: str, value: str) -> None:
    at_rest(page)
    page.get_by_role("spinbutton", name=re.compile(box)).fill(value)
    page.keyboard.press("Enter")
    at_rest(page)
    expect(page.get_by_role("spinbutton", name=re.compile(box))).to_have_value(value)


def press(page: Page, button: str | re.Pattern[str]) -> None:
    at_rest(page)
    page.get_by_role("button", name=button, exact=isinstance(button, str)).click()


def conditions(page: Page) -> None:
    at_rest(page)
    page.get_by_text("条件", exact=True).click()


def result(page: Page) -> Locator:
    return page.get_by_test_id("stExpander").filter(has_text=re.compile("选址结果|Chosen points"))


def points(page: Page) -> list[str]:
    """Names of the chosen points, once they stand."""
    at_rest(page)
    return result(page).locator(".c15-data").first.locator("tbody tr td:first-child").all_inner_texts()


def people(page: Page) -> str:
    return page.get_by_test_id("stMetric").nth(1).get_by_test_id("stMetricValue").inner_text()


def test_another_goal_gives_other_points_and_a_point_that_must_not_be_is_not_chosen(app: Page) -> None:
    press(app, "选址")
    expect(app.get_by_text("再没有更好的 5 个点")).to_be_visible()
    assert "李渡镇中心卫生院" in points(app)
    expect(result(app).get_by_text("已证明：没有同样好的其他方案。")).to_be_visible()
    assert people(app) == "493,457"
    pick(app, "要什么", "达标的人最多")
    press(app, "选址")
    expect(app.get_by_text("时限内 525,354 人（84.7%）。已证明：不存在更好的 5 个点。")).to_be_visible()
    assert "文港镇中心卫生院" in points(app)
    conditions(app)
    pick(app, "不得有", "文港镇中心卫生院（WS-0004）")
    expect(result(app).get_by_text("条件已改")).to_be_visible()
    press(app, "选址")
    expect(app.get_by_text("525,354 人（84.7%）")).to_have_count(0)
    expect(app.get_by_text("条件已改")).to_have_count(0)
    expect(result(app).get_by_text("不得有：文港镇中心卫生院（WS-0004）")).to_be_visible()
    expect(app.get_by_text("已证明：不存在更好的 5 个点。")).to_be_visible()
    assert "文港镇中心卫生院" not in points(app)
    assert int(people(app).replace(",", "")) < 525_354


def test_of_choices_that_are_as_good_one_is_taken_and_the_question_outlives_the_language(app: Page) -> None:
    fill(app, "总数", "13")
    press(app, "选址")
    expect(app.get_by_text("还有 1 个同样好的方案")).to_be_visible()
    before, served = points(app), people(app)
    row = result(app).locator(".c15-data").nth(1).locator("tbody tr")
    _, *changed, within, _backstop = row.locator("td").all_inner_texts()
    gone, comes = (cell.split("（")[0] for cell in changed)
    assert within == served
    assert gone in before
    row.get_by_role("button", name="采用").click()
    expect(result(app).locator(".c15-data").first.get_by_text(comes, exact=True)).to_be_visible()
    assert set(points(app)) == {*before, comes} - {gone}
    assert people(app) == served
    expect(app.locator(".c15[data-points='12'][data-ready=true]")).to_be_visible()
    press(app, "English")
    expect(app.get_by_text("Other choices that are exactly as good: 1")).to_be_visible()
    expect(app.get_by_role("spinbutton", name=re.compile("Total"))).to_have_value("13")
    press(app, "Undo")
    expect(result(app)).to_have_count(0)


def test_a_search_that_is_stopped_gives_the_best_so_far_with_its_gap_and_the_page_stays_usable(app: Page) -> None:
    pick(app, "要什么", "达标的人最多")
    fill(app, "总数", "12")
    conditions(app)
    pick(app, "候选点", "每个村、社区")
    press(app, "选址")
    cancel = app.get_by_role("button", name="停止，用目前最好的")
    expect(cancel).to_be_visible()
    expect(app.get_by_role("button", name="选址", exact=True)).to_be_disabled()
    app.get_by_role("tab", name=re.compile("未覆盖")).click()
    expect(app.locator("[data-gap]").first).to_be_visible()
    expect(app.get_by_text(re.compile(r"正在选址，已 [2-9] 秒"))).to_be_visible()
    cancel.click()
    expect(app.get_by_text(re.compile(r"已取消，未证明最优：任何别的 12 个点至多再多 0\.\d+%（上界 6\d\d,\d{3} 人）"))).to_be_visible()
    assert len(points(app)) == 12
    expect(app.get_by_role("button", name="选址", exact=True)).to_be_enabled()


def test_what_is_found_after_the_scenario_was_changed_waits_until_it_is_taken(app: Page) -> None:
    fill(app, "总数", "4")
    press(app, "选址")
    expect(app.get_by_text("再没有更好的 4 个点")).to_be_visible()
    pick(app, "要什么", "达标的人最多")
    fill(app, "总数", "12")
    conditions(app)
    pick(app, "候选点", "每个村、社区")
    press(app, "选址")
    expect(app.get_by_role("button", name="停止，用目前最好的")).to_be_visible()
    app.get_by_role("button", name="撤销").click()
    expect(app.locator(".c15[data-points='0']")).to_be_visible()
    app.get_by_role("button", name="停止，用目前最好的").click()
    expect(app.get_by_text("求解期间情景有了改动")).to_be_visible()
    expect(app.locator(".c15[data-points='0']")).to_be_visible()
    press(app, "采用")
    expect(app.locator(".c15[data-points='11'][data-ready=true]")).to_be_visible()


def test_what_cannot_be_is_said_in_words_of_the_page(app: Page) -> None:
    pick(app, "要什么", "人人达标，再使有两辆车够得着的人最多")
    press(app, "选址")
    expect(app.get_by_text("不能这样选址：")).to_be_visible()
    expect(app.get_by_text("总数为 5 个点（至少要 13 个）")).to_be_visible()
    pick(app, "要什么", "每个点只能服务这么多人时，服务的人最多")
    press(app, "选址")
    expect(app.get_by_text("请填写“每点可服务的人数”。")).to_be_visible()


def test_the_curve_says_where_more_points_add_little(app: Page) -> None:
    press(app, re.compile("建几个点合适"))
    expect(result(app).get_by_text("拐点（符合口径）：6 个点，曲线从 1 到 13 个点。")).to_be_visible()
    rows = result(app).locator(".c15-data tbody tr")
    expect(rows).to_have_count(13)
    expect(rows.nth(4)).to_contain_text("493,457")
    expect(rows.nth(5)).to_contain_text("拐点")


def hostile_county(folder: Path) -> Path:
    """Ten hospitals with hostile names in a row that may host a point, as may a restricted one."""
    text = io.StringIO()
    hospitals = [[f"H{n}", name, "医院", 116.0005 + 0.0015 * n, 28.305, "是", "否"] for n, name in enumerate(NAMES)]
    csv.writer(text).writerows(
        [["编码", "名称", "类别", "经度", "纬度", "可设急救点", "涉密"], *hospitals, ["H99", HIDDEN, "医院", 116.01, 28.305, "是", "是"]]
    )
    return write_county(folder, {"hospitals.csv": text.getvalue(), "parks.csv": FILES["parks.csv"]})


def test_names_of_candidates_and_points_are_shown_as_they_are_and_run_nothing(
    page: Page, streamlit_server: Callable[..., str], tmp_path: Path
) -> None:
    opened(page, streamlit_server(hostile_county(tmp_path / "county")))
    pick(page, "服务", "院前急救")
    conditions(page)
    at_rest(page)
    page.get_by_role("combobox", name=re.compile("必须有")).click()
    for number, name in enumerate(NAMES):
        expect(page.get_by_role("option", name=f"{name}（H{number}）", exact=True)).to_be_attached()
    expect(page.get_by_role("option", name=re.compile(HIDDEN))).to_have_count(0)
    page.keyboard.press("Escape")
    for number in (0, 1, 7):
        pick(page, "必须有", f"{NAMES[number]}（H{number}）")
    fill(page, "总数", "9")
    press(page, "选址")
    expect(result(page).get_by_text("个同样好的方案")).to_be_visible()
    assert {NAMES[0], NAMES[1], NAMES[7]} <= set(points(page))
    table = result(page).locator(".c15-data").nth(1).inner_text()
    assert all(name in " ".join(points(page)) + table for name in NAMES)
    assert HIDDEN not in page.content()
    assert page.evaluate("window.__hit") is None
