"""The page as a planner sees it, in a real browser with every outside request failing the test."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect


@pytest.fixture
def app(page: Page, streamlit_server: Callable[..., str], example: Path) -> Page:
    page.goto(streamlit_server(example))
    expect(page.get_by_text("按乡镇")).to_be_visible(timeout=60_000)
    return page


def metric(page: Page, label: str) -> str:
    return figure(page, label).inner_text()


def figure(page: Page, label: str) -> Locator:
    return page.get_by_test_id("stMetric").filter(has=page.get_by_text(label, exact=True)).get_by_test_id("stMetricValue")


def test_page_opens_in_chinese_with_figures_and_says_that_the_county_is_illustrative(app: Page) -> None:
    expect(app.get_by_text("示意数据")).to_be_visible()
    expect(app.get_by_text("进贤县（示意）")).to_be_visible()
    expect(figure(app, "人口覆盖率")).to_have_text(re.compile(r"^\d{2}\.\d %$"))
    expect(app.get_by_test_id("stDataFrame")).to_have_count(2)


def test_another_service_gives_other_figures(app: Page) -> None:
    before = metric(app, "覆盖人口")
    app.get_by_role("combobox", name=re.compile("服务")).click()
    app.get_by_role("option", name="15分钟健身圈").click()
    expect(figure(app, "覆盖人口")).not_to_have_text(before)


def test_page_speaks_english_by_a_switch(app: Page) -> None:
    app.get_by_role("button", name="English").click()
    expect(app.get_by_text("By township")).to_be_visible()
    expect(app).to_have_url(re.compile("lang=en"))


def test_a_change_of_language_keeps_the_question_and_the_plan(app: Page) -> None:
    app.get_by_role("combobox", name=re.compile("服务")).click()
    app.get_by_role("option", name="院前急救").click()
    app.get_by_role("button", name="选址").click()
    expect(app.get_by_text("再没有更好的 5 个点")).to_be_visible(timeout=30_000)
    share = metric(app, "人口覆盖率")
    app.get_by_role("button", name="English").click()
    expect(app.get_by_text("No better choice exists.")).to_be_visible(timeout=30_000)
    expect(app.get_by_text("response: urban 15 minutes, rural 30 minutes")).to_be_visible()
    expect(figure(app, "People covered, share")).to_have_text(share)


def test_a_changed_limit_is_said(app: Page) -> None:
    app.get_by_role("spinbutton", name=re.compile("时限")).fill("10")
    app.keyboard.press("Enter")
    expect(app.get_by_text("时限改为 10 分钟")).to_be_visible(timeout=30_000)


def test_five_standby_points_are_chosen_with_their_proof(app: Page) -> None:
    app.get_by_role("combobox", name=re.compile("服务")).click()
    app.get_by_role("option", name="院前急救").click()
    app.get_by_role("button", name="选址").click()
    expect(app.get_by_text("再没有更好的 5 个点")).to_be_visible(timeout=30_000)


def test_a_broken_region_is_told_in_a_sentence(page: Page, streamlit_server: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "region.toml").write_text("name = 3", encoding="utf-8")
    page.goto(streamlit_server(tmp_path / "region.toml"))
    expect(page.get_by_text("region.toml：roads：缺少此项")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Traceback")).to_have_count(0)
