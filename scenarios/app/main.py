"""The page: whose county it is, in which language, the planning desk, and what every number rests on."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from geodata.confirm import confirm
from geodata.errors import Circle15Error, UnconfirmedError
from geodata.growth import VARIANT_WORDS
from geodata.region import Prepared
from scenarios.app import cache, session
from scenarios.app.asking import complain
from scenarios.app.desk import desk
from scenarios.app.i18n import words
from scenarios.output.legend import Language

# Streamlit leaves a fifth of an office screen empty; the map needs it.
_STYLE = """
<style>
[data-testid="stHeader"] { display: none; }
[data-testid="stMainBlockContainer"] { padding: 0.6rem 1.4rem 1.5rem; }
[data-testid="stMainBlockContainer"] [data-testid="stVerticalBlock"] { gap: 0.6rem; }
[data-testid="stMetricValue"] { font-size: 1.7rem; }
[data-testid="stAlert"] p { font-size: 0.9rem; }
</style>
"""


def run() -> None:
    """Draw the app; an error of ours is shown as its sentence."""
    language: Language = "en" if st.query_params.get("lang") == "en" else "zh"
    st.set_page_config(page_title=words(language)["title"], layout="wide")
    path = Path(os.environ.get("CIRCLE15_REGION", "region.toml"))
    path = path / "region.toml" if path.is_dir() else path
    try:
        prepared = cache.region(path)
        _header(prepared, language)
        desk(prepared, path, language)
    except UnconfirmedError as error:
        _ask(error, path, language)
    except Circle15Error as error:
        complain(error.problems, language)


def _ask(open_questions: UnconfirmedError, path: Path, language: Language) -> None:
    """Show what the data suggest; a press writes it into region.toml, and the page opens."""
    say = words(language)
    st.warning(say["to_confirm"])
    for problem in open_questions.problems:
        st.text(problem.zh if language == "zh" else problem.en)
    if st.button(say["confirm"], type="primary", key="confirm"):
        confirm(path, open_questions.questions, {})
        st.rerun()


def _header(prepared: Prepared, language: Language) -> None:
    """Title, region, date; the mark of illustrative data; the switch of language."""
    say, region = words(language), prepared.region
    st.html(_STYLE)
    title, county, mark, switch = st.columns([2.2, 3, 5, 1], vertical_alignment="center")
    title.subheader(say["title"], anchor=False)
    county.text(f"{region.name} · {_of_year(language) or region.date}")
    if region.illustrative:
        mark.badge(say["illustrative"], color="orange")
    other: Language = "en" if language == "zh" else "zh"
    switch.button(say["switch"], key="language", width="stretch", on_click=_speak, args=(other,))


def _speak(language: Language) -> None:
    st.query_params["lang"] = language


def _of_year(language: Language) -> str:
    """Which year's people are shown, if not those of the region's date."""
    planned = session.year()
    if planned is None:
        return ""
    variant = VARIANT_WORDS[planned.variant][language == "en"]
    return words(language)["planned"].format(year=planned.year, variant=variant)
