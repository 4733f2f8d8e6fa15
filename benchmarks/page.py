"""Time the page as a planner meets it, and the files it gives: ``python benchmarks/page.py``. A stopwatch runs inside Chromium."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

from coverage.gaps import TOO_FAR
from coverage.stats import coverage
from geodata.errors import FontError
from geodata.examples.county import write_county
from geodata.region import Prepared
from geodata.store import open_region
from scenarios.output.export import coverage_files
from scenarios.output.writers import FileKind, file_bytes

Seconds = defaultdict[str, list[float]]  # by what was waited for
Journey = tuple[list[float], list[float]]  # longitude and latitude of two places

ROUNDS = 3
PLACES = 8
LONELY_M = 1_000  # a click nearer to a facility may hit that one, and the point is then placed on it
SCREEN = {"width": 1440, "height": 900}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ZH_SERVICES = {"medical": "15分钟医疗圈", "fitness": "15分钟健身圈", "sampling": "15分钟采样圈", "emergency": "院前急救"}
FILES: dict[FileKind, str] = {
    "html": "map-medical.html",
    "png": "map-medical.png",
    "xlsx": "coverage.xlsx",
    "gpkg": "coverage.gpkg",
    "folium": "folium-medical.html",
}

START = "`circle15 app` as a new process, until the figures stand"
START_MAP = "… until the map is drawn"
FIRST, FIRST_CIRCLE = "a service for the first time, until its figures stand", "… until its circle is drawn"
AGAIN, AGAIN_CIRCLE = "a service seen before, until its figures stand", "… until its circle is drawn again"
SITING = "five standby points, until the proof stands"
MARKER = "a click on the map, until the marker stands"
CLICK, CLICK_CIRCLE = "… until the new figures stand", "… until the new circle is drawn"
DRAG, DRAG_CIRCLE = "a point dragged, until the new figures stand", "… until its new circle is drawn"
TARGETS_S = {START: 10, FIRST: 1, AGAIN: 1, SITING: 3, MARKER: 0.5, CLICK: 0.5, DRAG: 0.5}
ROWS = (START, START_MAP, FIRST, FIRST_CIRCLE, AGAIN, AGAIN_CIRCLE, SITING, MARKER, CLICK, CLICK_CIRCLE, DRAG, DRAG_CIRCLE)

# `stopwatch(names)` starts when the mouse button is next released, looks before every frame that is drawn, and keeps in `marked` after how
# many milliseconds each of the named things was another than before.
STOPWATCH = """
const look = () => {
  const map = document.querySelector(".c15")?.dataset ?? {};
  const texts = (name) => [...document.querySelectorAll(`[data-testid="${name}"]`)].map((one) => one.textContent).join();
  return { figures: texts("stMetricValue"), proof: texts("stAlert"), marker: map.points, circle: map.circles };
};
window.stopwatch = (names) => {
  const before = look();
  window.marked = {};
  addEventListener("pointerup", (released) => {
    const frame = () => {
      const now = look();
      for (const name of names) if (now[name] !== before[name]) marked[name] ??= performance.now() - released.timeStamp;
      if (names.some((name) => !(name in marked))) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }, { capture: true, once: true });
};
"""
FIGURES = "() => document.querySelectorAll('[data-testid=stMetricValue]').length === 4"
MAP = "() => document.querySelector('.c15')?.dataset.ready === 'true'"
AT_REST = f"() => ({MAP})() && document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"


def row(what: str, seconds: list[float], target: str) -> str:
    """One markdown row: how often, least, median, worst, and the target."""
    found = sorted(seconds)
    return f"| {what} | {len(found)} | {found[0]:.2f} | {found[len(found) // 2]:.2f} | {found[-1]:.2f} | {target} |"


def find_chromium() -> str | None:
    """Find the system's Chromium, or the one that CIRCLE15_CHROMIUM names."""
    named = os.environ.get("CIRCLE15_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else ["chromium", "chromium-browser"])), None)


def gap_pairs(prepared: Prepared) -> list[Journey]:
    """The two largest gaps of each of some townships: a point on the first brings people, dragged to the second it brings others."""
    definition = prepared.services.service("medical").definition(None)
    gaps = coverage(prepared.region, definition, prepared.network_of(definition)).gaps
    lonlat = dict(zip(prepared.region.demand.id, prepared.region.demand.lonlat.tolist(), strict=True))
    lonely = (gaps["cause"] == TOO_FAR) & (gaps["nearest_straight_m"] > LONELY_M)
    by_zone = [rows for _, rows in gaps.assign(lonlat=gaps["id"].map(lonlat))[lonely].groupby("zone_id", sort=False) if len(rows) > 1]
    return [(rows["lonlat"].iloc[0], rows["lonlat"].iloc[1]) for rows in by_zone[:PLACES]]


@contextmanager
def server(region: Path) -> Iterator[str]:
    """Run the app as a user does; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("circle15")), "app", str(region), "--port", str(port)]
    environment = os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def watch(page: Page, seconds: Seconds, *names: tuple[str, str]) -> None:
    """Wait for what the stopwatch was set to, and until the page is at rest; keep the seconds."""
    wanted = [mark for mark, _ in names]
    page.wait_for_function("(wanted) => wanted.every((name) => name in window.marked)", arg=wanted)
    page.wait_for_function(AT_REST)
    for mark, what in names:
        seconds[what].append(page.evaluate("(name) => window.marked[name]", mark) / 1000)


def set_stopwatch(page: Page, *names: str) -> None:
    """Have the stopwatch wait for the next release of the mouse."""
    page.evaluate("(names) => window.stopwatch(names)", list(names))


def open_page(page: Page, address: str, started_s: float, seconds: Seconds) -> None:
    """Open the page as soon as the server listens."""
    while True:
        try:
            page.goto(address)
            break
        except Error:  # nothing listens yet
            time.sleep(0.02)
    page.wait_for_function(FIGURES)
    seconds[START].append(time.perf_counter() - started_s)
    page.wait_for_function(MAP)
    seconds[START_MAP].append(time.perf_counter() - started_s)
    page.wait_for_function(AT_REST)
    page.evaluate(STOPWATCH)


def choose_services(page: Page, seconds: Seconds) -> None:
    """Ask for every service, twice round; the first was there when the page opened."""
    seen = {"medical"}
    for service in ("fitness", "sampling", "emergency", "medical") * 2:
        page.get_by_role("combobox", name=re.compile("服务")).click()
        option = page.get_by_role("option", name=ZH_SERVICES[service])
        option.wait_for()
        set_stopwatch(page, "figures", "circle")
        option.click()
        watch(
            page, seconds, ("figures", AGAIN if service in seen else FIRST), ("circle", AGAIN_CIRCLE if service in seen else FIRST_CIRCLE)
        )
        seen.add(service)


def place_points(page: Page, seconds: Seconds, at: list[Journey]) -> None:
    """Click points onto the map, one after another, then drag each to another village."""
    for here, _ in at:
        page.get_by_role("button", name="＋ 新增点").click()
        set_stopwatch(page, "marker", "figures", "circle")
        page.mouse.click(*pixel(page, here))
        watch(page, seconds, ("marker", MARKER), ("figures", CLICK), ("circle", CLICK_CIRCLE))
    for here, there in at:
        page.mouse.move(*pixel(page, here))
        page.mouse.down()
        page.mouse.move(*pixel(page, there), steps=5)
        set_stopwatch(page, "figures", "circle")
        page.mouse.up()
        watch(page, seconds, ("figures", DRAG), ("circle", DRAG_CIRCLE))


def pixel(page: Page, lonlat: list[float]) -> tuple[float, float]:
    """Where a place lies on the screen."""
    at = page.evaluate("([lon, lat]) => document.querySelector('.c15').circle15.pixel(lat, lon)", lonlat)
    return at["x"], at["y"]


def choose_sites(page: Page, seconds: Seconds) -> None:
    """Ask for five standby points."""
    page.get_by_role("combobox", name=re.compile("服务")).click()
    page.get_by_role("option", name=ZH_SERVICES["emergency"]).click()
    solve = page.get_by_role("button", name="选址", exact=True)
    solve.wait_for()
    page.wait_for_function(AT_REST)
    set_stopwatch(page, "proof")
    solve.click()
    watch(page, seconds, ("proof", SITING))


def time_page(browser: Browser, region: Path, at: list[Journey]) -> Seconds:
    """Measure a visit, a few times, each with a new server and a new page."""
    seconds = Seconds(list)
    for _ in range(ROUNDS):
        page = browser.new_context(locale="zh-CN", viewport=SCREEN).new_page()
        started_s = time.perf_counter()
        with server(region) as address:
            open_page(page, address, started_s, seconds)
            choose_services(page, seconds)
            place_points(page, seconds, at)
            page.get_by_role("button", name="清空").click()
            page.locator(".c15[data-points='0']").wait_for()
            choose_sites(page, seconds)
            page.context.close()
    return seconds


def page_rows(chromium: str, region: Path, at: list[Journey]) -> list[str]:
    """One markdown row for each thing waited for on the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        seconds = time_page(browser, region, at)
        browser.close()
    return [row(what, seconds[what], f"≤ {TARGETS_S[what]} s" if what in TARGETS_S else "") for what in ROWS]


def file_row(prepared: Prepared, kind: FileKind) -> str:
    """One markdown row: seconds for one file of the medical circle, the circle drawn for it included."""
    definition = prepared.services.service("medical").definition(None)
    result = coverage(prepared.region, definition, prepared.network_of(definition))
    name = FILES[kind]
    found = []
    for _ in range(ROUNDS):
        writers = coverage_files(prepared, {"medical": result}, kinds=(kind,))
        started_s = time.perf_counter()
        try:
            content = file_bytes(name, writers[name])
        except FontError:
            return f"| {name}: (skipped: no Chinese font) | | | | | |"
        found.append(time.perf_counter() - started_s)
    return row(f"{name}, {len(content) / 1e6:.2f} MB", found, "≤ 3 MB" if kind == "html" else "")


def print_table() -> None:
    """Print one markdown row a measurement."""
    chromium = find_chromium()
    with tempfile.TemporaryDirectory() as folder:
        region = write_county(Path(folder))
        prepared = open_region(region)
        rows = [] if chromium is None else page_rows(chromium, region, gap_pairs(prepared))
        rows += [file_row(prepared, kind) for kind in FILES]
    if chromium is None:
        print("(page skipped: no Chromium; install it, or set CIRCLE15_CHROMIUM to its path)\n")
    print("| example county | times | least s | median s | worst s | target |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    print_table()
