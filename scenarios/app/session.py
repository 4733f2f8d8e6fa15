"""What a visitor is working on: the scenario, step by step, and the part of the map in view."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from scenarios.model import Open, Scenario

_STEPS, _POINTS, _VIEW, _YEAR = "steps", "points", "view", "year"


class Year(NamedTuple):
    """A target year, and which of the stated rates of growth lead to it."""

    year: int
    variant: str


def scenario() -> Scenario:
    """The scenario as it stands; empty at first."""
    steps = st.session_state.get(_STEPS)
    return steps[-1] if steps else Scenario()


def step(changed: Scenario) -> None:
    """Go on with a changed scenario; the way back stays open."""
    if changed != scenario():
        st.session_state[_STEPS] = [*st.session_state.get(_STEPS, []), changed]


def can_undo() -> bool:
    """Tell whether there is a step to take back."""
    return bool(st.session_state.get(_STEPS))


def undo() -> None:
    """Take the last step back."""
    st.session_state[_STEPS] = st.session_state.get(_STEPS, [])[:-1]


def clear() -> None:
    """Begin anew with the empty scenario; that too can be undone."""
    step(Scenario())


def view() -> tuple[float, float, float, float] | None:
    """West, south, east, north of the part of the map in view, in degrees; None until the map was moved."""
    bounds = st.session_state.get(_VIEW)
    return None if bounds is None else tuple(bounds)


def year() -> Year | None:
    """The target year that is looked at; None for the region's own date."""
    chosen: Year | None = st.session_state.get(_YEAR)
    return chosen


def look_at(chosen: Year | None) -> None:
    """Look at a target year from now on."""
    st.session_state[_YEAR] = chosen


def on_map(event: str, detail: dict[str, Any], *, kind: str, name: str) -> None:
    """Do what was asked on the map.

    Parameters
    ----------
    event : {"add", "move", "close", "reopen", "view"}
    detail : dict
        lat and lon, the id of the facility, or the bounds.
    kind, name : str
        Of a new point; the name is followed by its number.
    """
    now = scenario()
    if event == "add":
        number = st.session_state[_POINTS] = st.session_state.get(_POINTS, 0) + 1
        while f"new-{number}" in now.opened:  # of a scenario that was read from a file
            number = st.session_state[_POINTS] = number + 1
        step(now.then(Open(id=f"new-{number}", name=f"{name}{number}", kind=kind, lon=detail["lon"], lat=detail["lat"])))
    elif event == "move":
        step(now.moved(detail["id"], detail["lon"], detail["lat"]))
    elif event == "close":
        step(now.closed(detail["id"]))
    elif event == "reopen":
        step(now.without(detail["id"]))
    else:
        st.session_state[_VIEW] = detail["bounds"]
