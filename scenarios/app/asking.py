"""Inputs whose answer outlives a change of language, and what is said when something is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

import streamlit as st

from geodata.errors import Problem
from scenarios.app.i18n import words
from scenarios.output.legend import Language

# “Select all” is English in every language, and nobody wants it here; Streamlit of before has no such switch.
_ONE_BY_ONE: Final[dict[str, Any]] = {"select_all": False} if "select_all" in inspect.signature(st.multiselect).parameters else {}


def complain(problems: Iterable[Problem], language: Language, heading: str = "wrong") -> None:
    """Show what is wrong; as plain text, for names are in it, which st.error would render as Markdown."""
    st.error(words(language)[heading])
    for problem in problems:
        st.text(problem.zh if language == "zh" else problem.en)


def select(
    label: str,
    names: Mapping[str, tuple[str, str]],
    key: str,
    language: Language,
    about: str | None = None,
    *,
    place: str | None = None,
) -> str:
    """Choose one of several; the choice outlives a change of language, which a widget with other labels does not.

    Questions that take turns in one `place` of the page share a widget there: were it replaced, a click made meanwhile would be lost.
    """
    ids = list(names)
    before = st.session_state.get(key)
    widget = _widget(place or key, key, before if before in names else ids[0], language)
    chosen: str = st.selectbox(label, ids, format_func=lambda one: names[one][language == "en"], key=widget, help=about)
    st.session_state[key] = chosen
    return chosen


def number(
    label: str, default: int, most: int, key: str, language: Language, *, least: int = 1, about: str | None = None, place: str | None = None
) -> int:
    """Choose a number; it too outlives a change of language."""
    widget = _widget(place or key, key, min(max(st.session_state.get(key, default), least), most), language)
    chosen = st.number_input(label, least, most, key=widget, help=about)
    st.session_state[key] = int(chosen)
    return int(chosen)


def _widget(place: str, key: str, value: object, language: Language) -> str:
    """Key of the widget in a place; it begins with a value when another question comes there, or it was away."""
    widget, whose = f"{place}-{language}", f"{place}-asks"
    if widget not in st.session_state or st.session_state.get(whose) != key:
        st.session_state[widget] = value
    st.session_state[whose] = key
    return widget


def optional(
    label: str,
    key: str,
    language: Language,
    *,
    default: float | None = None,
    most: float | None = None,
    whole: bool = False,
    empty: str | None = None,
    about: str | None = None,
) -> float | None:
    """Choose a number of 0 or more that may be left empty; it outlives a change of language."""
    widget = _widget(key, key, st.session_state.get(key, default), language)
    chosen: float | None = st.number_input(
        label, 0.0, most, None, key=widget, help=about, placeholder=empty, format="%.0f" if whole else "%g", step=1.0
    )
    st.session_state[key] = chosen
    return chosen


def several(
    label: str, names: Mapping[str, str], key: str, language: Language, *, default: tuple[str, ...] = (), empty: str = ""
) -> tuple[str, ...]:
    """Choose some of several by name; the choice outlives a change of language, and what is no longer there is forgotten."""
    kept = [one for one in st.session_state.get(key, default) if one in names]
    widget = _widget(key, key, kept, language)
    if gone := set(st.session_state[widget]) - set(
        names
    ):  # not otherwise: what is set here is set in the browser too, over a choice just made
        st.session_state[widget] = [one for one in st.session_state[widget] if one not in gone]
    chosen = st.multiselect(label, list(names), format_func=names.__getitem__, key=widget, placeholder=empty, **_ONE_BY_ONE)
    st.session_state[key] = tuple(chosen)
    return tuple(chosen)
