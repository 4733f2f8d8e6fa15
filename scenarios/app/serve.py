"""Serve the app: the server listens at once, and what the first visitor needs is brought while the browser loads the page."""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from streamlit.web import cli

from geodata.errors import Circle15Error, OptionError, Problem

OPTIONS = {
    "server.address": "127.0.0.1",
    "server.showEmailPrompt": "false",
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "theme.base": "light",
    "theme.primaryColor": "#1d5fa6",
}
SERVER_FIRST_S = 0.8  # the server starts meanwhile, and the browser can load the page on another core


def serve(region: Path, *, port: int | None) -> None:
    """Run Streamlit on a region until it is stopped."""
    entry = find_spec("streamlit_app")
    if entry is None or entry.origin is None:
        raise OptionError(Problem("安装不完整：缺少 streamlit_app.py。", "The installation is not complete: streamlit_app.py is missing."))
    os.environ["CIRCLE15_REGION"] = str(region.resolve())
    options = OPTIONS | ({"server.port": str(port)} if port else {})
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    warm = threading.Timer(SERVER_FIRST_S, _warm, args=(region,))
    warm.daemon = True
    warm.start()
    cli.main(["run", entry.origin, *flags], prog_name="streamlit", standalone_mode=False)


def _warm(region: Path) -> None:
    """Bring the libraries, the region and its first figures; what is wrong is told in the terminal too."""
    cache, nothing = import_module("scenarios.app.cache"), import_module("scenarios.model").Scenario()
    try:
        prepared = cache.region(region)
        definition = next(iter(prepared.services.services.values())).definition(None)
        cache.compared(prepared, definition, nothing)
    except Circle15Error as error:
        print(f"circle15: {error}", file=sys.stderr)
