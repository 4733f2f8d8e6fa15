"""A study on the page: pressed for, shown in both languages with names as they are, handed over as the workbook of the command."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

from at_rest import at_rest, saved
from county_files import FILES, write_county
from hostile import NAMES
from playwright.sync_api import Page, expect

from scenarios.cli import main

HIDDEN = "机密医院"


def hostile_county(folder: Path) -> Path:
    """Ten hospitals with hostile names in a row, a bed each, and a restricted one; people enough that every bed helps."""
    text = io.StringIO()
    hospitals = [[f"H{n}", name, "医院", 116.0005 + 0.0015 * n, 28.305, 1, "否"] for n, name in enumerate(NAMES)]
    csv.writer(text).writerows(
        [["编码", "名称", "类别", "经度", "纬度", "床位数", "涉密"], *hospitals, ["H99", HIDDEN, "医院", 116.01, 28.305, 1, "是"]]
    )
    return write_county(folder, {"hospitals.csv": text.getvalue(), "parks.csv": FILES["parks.csv"]})


def test_a_study_is_pressed_for_shows_names_as_they_are_and_hands_over_the_workbook_of_the_command(
    page: Page, streamlit_server: Callable[..., str], tmp_path: Path
) -> None:
    county = hostile_county(tmp_path / "county")
    page.set_viewport_size({"width": 1366, "height": 2000})  # a list of choices closes when the page scrolls under it
    page.goto(streamlit_server(county))
    expect(page.locator(".c15[data-ready=true]")).to_be_visible(timeout=90_000)
    expect(page.get_by_role("combobox", name=re.compile("专题"))).to_have_count(0)
    page.get_by_test_id("stExpander").filter(has_text="专题分析").locator("summary").click()
    expect(page.get_by_role("button", name="计算", exact=True)).to_be_visible()
    at_rest(page)
    page.get_by_role("combobox", name=re.compile("专题")).fill("能力有限")
    page.keyboard.press("Enter")
    page.get_by_role("spinbutton", name="每单位服务人数").fill("10")
    page.keyboard.press("Tab")
    expect(page.locator(".c15-data")).to_have_count(0)
    page.get_by_role("button", name="计算", exact=True).click()
    expect(page.get_by_text("110 人", exact=True)).to_be_visible()
    rows = page.locator(".c15-data").nth(1).locator("tbody tr")
    expect(rows).to_have_count(len(NAMES))
    assert sorted(row.locator("td").first.inner_text() for row in rows.all()) == sorted(NAMES)
    file = saved(page, "下载 Excel")
    assert main(["capacity", str(county), "--service", "medical", "--per-unit", "10", "--out", str(tmp_path / "out")]) == 0
    assert file.path().read_bytes() == (tmp_path / "out" / "capacity.xlsx").read_bytes()
    page.get_by_role("button", name="English").click()
    page.get_by_test_id("stExpander").filter(has_text="Studies:").locator("summary").click()
    expect(page.get_by_text("110 people", exact=True)).to_be_visible()
    assert HIDDEN not in page.content()
    assert page.evaluate("window.__hit") is None
