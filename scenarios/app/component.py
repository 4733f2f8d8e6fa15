"""The map and the tables in the page; the map stands in ``scenarios/output/web`` and gets its layers by the hash of their content."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v1 import declare_component

from scenarios.output.legend import Language
from scenarios.output.weblayers import Layer
from scenarios.output.webmap import LEAFLET, SCRIPTS, WEB
from scenarios.output.webtables import Table

MOST_LAYERS = 200  # kept on disk; a page that still shows an older one has it in memory

# Sent at every rerun, so it is short: it brings the scripts once, then hands each new state to the map that stands.
_STUB = """
const bring = (tag, attributes) => new Promise((done, failed) => {
  const made = Object.assign(document.createElement(tag), attributes, { onload: done, onerror: failed });
  document.head.append(made);
});
async function scripts({ styles, scripts }) {
  await Promise.all(styles.map((href) => bring("link", { rel: "stylesheet", href })));
  for (const src of scripts) await bring("script", { src });
}
export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.circle15Given = { ...data.options, on: (events) => setTriggerValue("said", events) };
  window.circle15Scripts ??= scripts(data.files);
  window.circle15Scripts.then(() => {
    if (!parentElement.isConnected) return;
    const given = parentElement.circle15Given;
    if (parentElement.circle15) parentElement.circle15.update(given);
    else parentElement.circle15 = window.circle15.mount(parentElement, given);
  });
  return () => {
    if (parentElement.isConnected) return;
    parentElement.circle15?.destroy();
    delete parentElement.circle15;
  };
}
"""
# Cells come from files: they become text nodes. A row with a key can be chosen, and chosen again to take it back.
_TABLE_STUB = """
export default function ({ data, parentElement, setTriggerValue }) {
  const made = (tag, name, ...children) => {
    const one = document.createElement(tag);
    one.className = name;
    one.append(...children);
    return one;
  };
  const kind = (at) => (data.heads[at].is_number ? "c15-number" : "");
  const heads = data.heads.map((head, at) => made("th", kind(at), head.label));
  const rows = data.rows.map((row) => {
    const cells = row.cells.map((cell, at) => made("td", kind(at), cell));
    const tr = made("tr", row.tone ? `c15-tone-${row.tone}` : "", ...cells);
    if (!row.key) return tr;
    const button = made("button", "c15-show", data.show);
    button.type = "button";
    button.setAttribute("aria-pressed", String(row.key === data.shown));
    button.onclick = () => setTriggerValue("chosen", row.key === data.shown ? "" : row.key);
    cells[1].append(button);
    tr.dataset.key = row.key;
    return tr;
  });
  const table = made("table", "", made("thead", "", made("tr", "", ...heads)), made("tbody", "", ...rows));
  parentElement.replaceChildren(made("div", "c15-data", table));
}
"""
_mount_table = st.components.v2.component("circle15_table", js=_TABLE_STUB, isolate_styles=False)
_mount = st.components.v2.component("circle15_map", js=_STUB, isolate_styles=False)


def show(
    layers: Mapping[str, Layer],
    view: Mapping[str, Any],
    *,
    language: Language,
    key: str,
    on_event: Callable[[str, dict[str, Any]], None],
    editable: bool = True,
) -> None:
    """Show the map and the panel beside it.

    Parameters
    ----------
    layers : mapping of Layer
        "base", "circles", "places" (see ``scenarios.output.weblayers``) and, where some are shown, "findings"; one that did not
        change is not sent again.
    view : mapping
        See ``scenarios.output.webmap.view``.
    language : {"zh", "en"}
    key : str
        Of this map in the session.
    on_event : callable
        Called before the rerun, with what was done on the map ("add", "move", "close", "reopen", "view") and its details.
    editable : bool
        Whether the map lets people add, move and close.
    """
    options = {
        "language": language,
        "editable": editable,
        "layers": {name: {"id": layer.id, "url": _served().url(layer)} for name, layer in layers.items()},
        "view": dict(view),
        "heard": st.session_state.get(_heard(key), 0),
    }
    leaflet, web = _folder("leaflet", LEAFLET), _folder("web", WEB)
    files = {
        "styles": [f"{leaflet}/leaflet.css", f"{web}/map.css"],
        "scripts": [f"{leaflet}/leaflet.js", *(f"{web}/{name}" for name in SCRIPTS)],
    }
    _mount(key=key, data={"files": files, "options": options}, on_said_change=lambda: _hear(key, on_event))


def table(shown: Table, *, key: str, show: str = "", chosen: str = "", on_choose: Callable[[str], None] | None = None) -> None:
    """Show a table.

    Parameters
    ----------
    shown : Table
    key : str
        Of this table in the session.
    show : str
        What stands on the button of a row that can be chosen.
    chosen : str
        Key of the row that is.
    on_choose : callable, optional
        Called before the rerun with the key of a row, or "" when it is taken back.
    """

    def hear() -> None:
        if on_choose is not None and st.session_state[key].get("chosen") is not None:
            on_choose(st.session_state[key]["chosen"])

    _mount_table(key=key, data=shown.to_json() | {"show": show, "shown": chosen}, on_chosen_change=hear)


def _hear(key: str, on_event: Callable[[str, dict[str, Any]], None]) -> None:
    """Tell each event once: the map repeats what was not answered yet, in case a rerun swallowed it."""
    for event in st.session_state[key].get("said") or []:
        number = event["n"]
        if number <= st.session_state.get(_heard(key), 0):
            continue
        st.session_state[_heard(key)] = number
        on_event(event["kind"], {name: value for name, value in event.items() if name not in {"n", "kind"}})


def _heard(key: str) -> str:
    return f"{key}-heard"


def _folder(name: str, path: Path) -> str:
    """Have Streamlit serve a folder: its address, relative to the page's host."""
    component = declare_component(name, path=path)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/component/{component.name}"


@dataclass
class _Served:
    """A temporary folder of layers, each under the hash of its content."""

    folder: Path
    ids: dict[str, None] = field(default_factory=dict)  # the one used last stands last
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, layer: Layer) -> str:
        address = _folder("layers", self.folder)
        with self.lock:
            if layer.id not in self.ids:
                draft = self.folder / f"{layer.id}.draft"
                draft.write_bytes(layer.content)
                draft.replace(self.folder / f"{layer.id}.json")
            self.ids.pop(layer.id, None)
            self.ids[layer.id] = None
            while len(self.ids) > MOST_LAYERS:
                oldest = next(iter(self.ids))
                del self.ids[oldest]
                (self.folder / f"{oldest}.json").unlink(missing_ok=True)
        return f"{address}/{layer.id}.json"


@cache
def _served() -> _Served:
    folder = Path(tempfile.mkdtemp(prefix="circle15-layers-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _Served(folder)
