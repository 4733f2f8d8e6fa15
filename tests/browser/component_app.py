"""A page with nothing but the map, for test_component.py: what is done on the map becomes a scenario, and is listed below."""

import os
from pathlib import Path
from typing import Any

import streamlit as st

from coverage.circles import circles
from coverage.stats import coverage
from geodata.store import open_region
from scenarios.app import component
from scenarios.compare import compare
from scenarios.model import Open, Scenario
from scenarios.output.weblayers import base_layer, circle_layer, place_layer
from scenarios.output.webmap import view


@st.cache_resource
def opened():
    prepared = open_region(Path(os.environ["CIRCLE15_REGION"]))
    definition = prepared.services.service("medical").definition(None)
    network = prepared.network_of(definition)
    before = coverage(prepared.region, definition, network)
    layers = {
        "base": base_layer(prepared.region),
        "circles": circle_layer(circles(definition, network, before.facilities)),
        "places": place_layer(prepared.services, before.facilities),
    }
    return prepared, definition, before, layers


def heard(kind: str, detail: dict[str, Any]) -> None:
    scenario: Scenario = st.session_state["scenario"]
    st.session_state["said"].append(kind)
    if kind == "add":
        number = len(scenario.opened) + 1
        change = Open(id=f"N{number}", name=f"新点{number}", kind="village_clinic", lon=detail["lon"], lat=detail["lat"])
        st.session_state["scenario"] = scenario.then(change)
    elif kind == "move":
        st.session_state["scenario"] = scenario.moved(detail["id"], detail["lon"], detail["lat"])
    elif kind == "close":
        st.session_state["scenario"] = scenario.closed(detail["id"])
    elif kind == "reopen":
        st.session_state["scenario"] = scenario.without(detail["id"])


@st.fragment
def page() -> None:
    prepared, definition, before, layers = opened()
    scenario = st.session_state["scenario"]
    comparison = compare(prepared, scenario, definition, before=before) if scenario.changes else None
    shown = view(prepared, "medical", comparison.after if comparison else before, comparison=comparison)
    component.show(layers, shown, language="zh", key="map", on_event=heard)
    st.text("said: " + " ".join(st.session_state["said"]))
    st.text("changes: " + " ".join(f"{change.do}:{change.id}" for change in scenario.changes))


st.set_page_config(layout="wide")
st.session_state.setdefault("scenario", Scenario())
st.session_state.setdefault("said", [])
page()
