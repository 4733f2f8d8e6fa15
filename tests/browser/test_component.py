"""The map inside a Streamlit page: what is done on it reaches Python once, and an answer disturbs nothing."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

HERE = Path(__file__).resolve().parent
SERVER_READY_S = 60
HANDLE = "document.querySelector('.c15').circle15"


@pytest.fixture(scope="module")
def server(chromium: str, example: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of component_app.py on the example county."""
    del chromium  # without a browser there is nothing to serve
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(HERE / "component_app.py"),
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    log = tmp_path_factory.mktemp("component") / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=HERE.parent.parent, env=os.environ | {"CIRCLE15_REGION": str(example)}, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _wait_until_healthy(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + SERVER_READY_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with direct.open(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the page did not start (exit code {process.poll()}):\n{log.read_text(errors='replace')[-4000:]}")


@pytest.fixture
def app(page: Page, server: str) -> Page:
    page.goto(server)
    expect(page.locator(".c15")).to_have_attribute("data-ready", "true", timeout=60_000)
    return page


def pixel(page: Page, lat: float, lon: float) -> tuple[float, float]:
    expect(page.locator(".leaflet-pan-anim, .leaflet-zoom-anim")).to_have_count(0)
    at = page.evaluate(f"([lat, lon]) => {HANDLE}.pixel(lat, lon)", [lat, lon])
    return at["x"], at["y"]


def add_point(page: Page, lat: float, lon: float) -> None:
    page.get_by_role("button", name="新增点").click()
    page.mouse.click(*pixel(page, lat, lon))


def answered(page: Page, said: str) -> None:
    """Python heard exactly this, and the map heard that it did."""
    expect(page.get_by_text("said:")).to_have_text(f"said: {said}".strip())
    expect(page.locator(".c15")).to_have_attribute("data-waiting", "0")
    expect(page.locator(".c15")).to_have_attribute("data-ready", "true")


def test_a_click_adds_a_point_and_ends_the_mode(app: Page):
    add_point(app, 28.40, 116.25)
    answered(app, "add")
    expect(app.locator(".c15")).to_have_attribute("data-points", "1")
    expect(app.locator("[data-site=N1]")).to_contain_text("新点1")
    expect(app.get_by_role("button", name="新增点")).to_have_attribute("aria-pressed", "false")
    expect(app.get_by_role("tab", name="变化")).to_be_visible()


def test_two_equal_clicks_count_twice(app: Page):
    add_point(app, 28.40, 116.25)
    answered(app, "add")
    add_point(app, 28.40, 116.25)
    answered(app, "add add")
    expect(app.locator(".c15")).to_have_attribute("data-points", "2")


def test_clicks_faster_than_the_answer_are_all_heard(app: Page):
    for lat in (28.35, 28.40, 28.45):
        add_point(app, lat, 116.25)
    answered(app, "add add add")
    expect(app.locator(".c15")).to_have_attribute("data-points", "3")


def test_escape_leaves_the_mode(app: Page):
    app.get_by_role("button", name="新增点").click()
    expect(app.get_by_text("点击地图放置新点")).to_be_visible()
    app.keyboard.press("Escape")
    expect(app.get_by_text("点击地图放置新点")).to_be_hidden()
    app.mouse.click(*pixel(app, 28.40, 116.25))
    answered(app, "")


def test_a_point_that_is_dragged_moves(app: Page):
    add_point(app, 28.40, 116.25)
    answered(app, "add")
    x, y = pixel(app, 28.40, 116.25)
    app.mouse.move(x, y)
    app.mouse.down()
    app.mouse.move(x + 60, y + 30, steps=4)
    app.mouse.up()
    answered(app, "add move")
    expect(app.get_by_text("changes:")).to_have_text("changes: open:N1")
    marker = app.locator("[data-site=N1]").bounding_box()
    assert marker is not None
    assert abs(marker["x"] + marker["width"] / 2 - x - 60) < 3
    assert abs(marker["y"] + marker["height"] / 2 - y - 30) < 3


def test_a_point_is_removed_through_its_popup(app: Page):
    add_point(app, 28.40, 116.25)
    answered(app, "add")
    app.locator("[data-site=N1]").click()
    app.get_by_role("button", name="移除此点").click()
    answered(app, "add reopen")
    expect(app.locator(".c15")).to_have_attribute("data-points", "0")


def test_a_facility_is_closed_and_reopened_through_its_popup(app: Page):
    at = app.evaluate(f"{HANDLE}.place('WS-0019')")
    app.mouse.click(*pixel(app, at["lat"], at["lon"]))
    expect(app.locator(".c15-popup h2")).to_have_text(at["name"])
    app.get_by_role("button", name="关闭此机构").click()
    answered(app, "close")
    expect(app.locator(".c15-cross")).to_have_count(1)
    app.get_by_role("button", name="恢复").click()  # the popup is still open
    answered(app, "close reopen")
    expect(app.locator(".c15-cross")).to_have_count(0)


def test_a_facility_moves_to_where_the_next_click_is(app: Page):
    at = app.evaluate(f"{HANDLE}.place('WS-0019')")
    app.mouse.click(*pixel(app, at["lat"], at["lon"]))
    app.get_by_role("button", name="搬迁").click()
    app.mouse.click(*pixel(app, 28.28, 116.27))
    answered(app, "move")
    expect(app.locator("[data-site=WS-0019]")).to_be_visible()
    expect(app.locator(".c15-cross")).to_have_count(1)


def test_an_answer_keeps_zoom_layers_and_popup(app: Page):
    app.get_by_role("tab", name=re.compile("未覆盖")).click()
    first = app.locator("[data-gap]").last
    first.get_by_role("button").click()
    name = app.locator(".c15-popup h2").inner_text()
    zoom = app.evaluate(f"{HANDLE}.zoom()")
    layers = app.locator(".c15").get_attribute("data-base")
    fetched: list[str] = []
    app.on("request", lambda request: fetched.append(request.url))
    app.evaluate(f"{HANDLE}.say('close', {{id: 'WS-0019'}})")
    answered(app, "close")
    expect(app.locator(".c15-popup h2")).to_have_text(name)
    assert app.evaluate(f"{HANDLE}.zoom()") == zoom
    assert app.locator(".c15").get_attribute("data-base") == layers
    assert not [url for url in fetched if "/component/" in url]
    expect(app.get_by_role("tab", name=re.compile("未覆盖"))).to_have_attribute("aria-selected", "true")


def test_where_the_map_looks_is_said_when_the_pointer_leaves_it_changed(app: Page):
    app.mouse.move(*pixel(app, 28.40, 116.25))
    app.mouse.move(5, 5)
    answered(app, "")
    app.get_by_role("button", name="放大").click()
    app.mouse.move(*pixel(app, 28.40, 116.25))
    app.mouse.move(5, 5)
    answered(app, "view")
