"""Inputs whose answer outlives a change of language, and what is said when something is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from geodata.errors import Problem
from scenarios.app.i18n import words
from scenarios.output.legend import Language


def complain(problems: Iterable[Problem], language: Language, heading: str = "wrong") -> None:
    """Show what is wrong; as plain text, for names are in it, which st.error would render as Markdown."""
    st.error(words(language)[heading])
    for problem in problems:
        st.text(problem.zh if language == "zh" else problem.en)


def select(label: str, names: Mapping[str, tuple[str, str]], key: str, language: Language, about: str | None = None) -> str:
    """Choose one of several; the choice outlives a change of language, which a widget with other labels does not."""
    ids = list(names)
    before = st.session_state.get(key, ids[0])
    index = ids.index(before) if before in names else 0
    chosen = st.selectbox(
        label, ids, index=index, format_func=lambda one: names[one][language == "en"], key=f"{key}-{language}", help=about
    )
    st.session_state[key] = chosen
    return chosen


def number(label: str, default: int, most: int, key: str, language: Language, *, least: int = 1) -> int:
    """Choose a number; it too outlives a change of language."""
    before = min(max(st.session_state.get(key, default), least), most)
    chosen = st.number_input(label, least, most, before, key=f"{key}-{language}")
    st.session_state[key] = int(chosen)
    return int(chosen)
