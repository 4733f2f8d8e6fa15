"""A real Chromium on a real server. A request that would leave this machine is stopped, and fails the test that made it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, WebSocket, expect, sync_playwright

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SERVER_READY_S = 60

PATIENCE_MS = 60_000  # a busy machine is slow, not wrong
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium (or of the one that CIRCLE15_CHROMIUM names)."""
    named = os.environ.get("CIRCLE15_CHROMIUM")
    candidates = [named] if named else ["chromium", "chromium-browser"]
    path = next(filter(None, map(shutil.which, candidates)), None)
    if path is None:
        reason = f"no Chromium ({' or '.join(candidates)}): install it, or set CIRCLE15_CHROMIUM to its path"
        if os.environ.get("CIRCLE15_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="module")  # not session: Playwright keeps an event loop running in this thread while it lives
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


def stays_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"about", "blob", "data", "file"} or parts.hostname in {"127.0.0.1", "localhost"}


def _close_the_doors(context: BrowserContext, outside: list[str]) -> None:
    def note(url: str) -> None:
        if not stays_here(url):
            outside.append(url)

    def gate(route: Route) -> None:
        if stays_here(route.request.url):
            route.continue_()
        else:
            route.abort()

    def watch_sockets(page: Page) -> None:
        def opened(socket: WebSocket) -> None:
            note(socket.url)

        page.on("websocket", opened)

    context.route("**/*", gate)
    context.on("request", lambda request: note(request.url))  # redirects too, which `route` does not see
    context.on("page", watch_sockets)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page, in Chinese; the test fails if anything on it reached for another host."""
    outside: list[str] = []
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900}, service_workers="block")
    context.set_default_timeout(PATIENCE_MS)
    _close_the_doors(context, outside)
    yield context.new_page()
    context.close()
    if outside:
        pytest.fail("requests left this machine:\n" + "\n".join(sorted(set(outside))))


@pytest.fixture(scope="session")
def streamlit_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """``streamlit_server(region=path, env={...}, args=[...])`` is the address of a running app; equal calls share one server."""
    del chromium  # without a browser there is nothing to serve
    running: dict[tuple[object, ...], tuple[str, subprocess.Popen[bytes]]] = {}

    def start(region: Path | str | None = None, *, env: Mapping[str, str] | None = None, args: Sequence[str] = ()) -> str:
        settings = dict(env or {})
        if region is not None:
            settings["CIRCLE15_REGION"] = str(Path(region).resolve())
        key = (*sorted(settings.items()), *args)
        if key not in running:
            running[key] = _serve(settings, args, tmp_path_factory.mktemp("streamlit") / "server.log")
        return running[key][0]

    yield start
    for _, process in running.values():
        _stop(process)


def _serve(settings: Mapping[str, str], args: Sequence[str], log: Path) -> tuple[str, subprocess.Popen[bytes]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port), "--server.headless", "true"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CIRCLE15_", "STREAMLIT_"))}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, *args],
            cwd=REPOSITORY,
            env=kept | dict(settings),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process, log)
    except BaseException:
        _stop(process)
        raise
    return address, process


def _wait_until_healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + SERVER_READY_S
    while process.poll() is None and time.monotonic() < until:
        try:
            with direct.open(f"{address}/_stcore/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start within {SERVER_READY_S} s (exit code {process.poll()}):\n{log.read_text(errors='replace')[-4000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
