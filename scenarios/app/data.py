"""What is looked at before a figure is trusted: doubtful data, how the tables were read, norms. Computed only when it is opened."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from geodata.errors import Circle15Error
from geodata.region import Prepared
from scenarios.app import cache, component
from scenarios.app.i18n import words
from scenarios.audit.words import SEVERITIES, SEVERITY_WORDS
from scenarios.output.legend import Language
from scenarios.output.weblayers import Layer
from scenarios.output.webtables import MOST_ROWS, files_table, findings_table, kinds_of_findings, norms_count, norms_table, rows_table

_SHOWN = "finding"


def layer(prepared: Prepared) -> Layer | None:
    """Where the finding is that was chosen for the map, if one is."""
    code = st.session_state.get(_SHOWN)
    return cache.finding_layer(prepared, code) if code else None


def show(prepared: Prepared, planned: Prepared, path: Path, language: Language) -> None:
    """Offer the check of the data, the reading of the tables, the norms (held against the people of the planned year)."""
    say = words(language)
    box = st.expander(say["data"], key=f"data-{language}", on_change="rerun")
    if not box.open:
        return
    with box:
        findings, files, norms = st.tabs([say["findings"], say["files_read"], say["norms"]], key=f"data-tabs-{language}", on_change="rerun")
        with findings:
            if findings.open:
                _findings(prepared, language)
        with files:
            if files.open:
                _files(prepared, language)
        with norms:
            if norms.open:
                _norms(planned, path, language)


def _findings(prepared: Prepared, language: Language) -> None:
    """What is doubtful, worst first; one kind at a time on the map."""
    say = words(language)
    with st.spinner(say["checking"]):
        found = cache.audit(prepared).findings
    if not found:
        st.text(say["no_findings"])
        return
    grave = [group[0].severity for group in kinds_of_findings(found).values()]
    st.text(" · ".join(f"{grave.count(one)} {SEVERITY_WORDS[one][language == 'en']}" for one in SEVERITIES))
    table = findings_table(found, language)
    component.table(table, key="findings", show=say["show"], chosen=st.session_state.get(_SHOWN, ""), on_choose=_choose)


def _choose(code: str) -> None:
    st.session_state[_SHOWN] = code


def _files(prepared: Prepared, language: Language) -> None:
    """How each table was read, and the rows that are not where they should be."""
    say, region = words(language), prepared.region
    st.text(say["files_about"])
    component.table(files_table(region, language), key="files")
    if region.row_notes:
        st.text(say["rows_about"].format(count=len(region.row_notes), shown=min(MOST_ROWS, len(region.row_notes))))
        component.table(rows_table(region, language), key="rows")


def _norms(planned: Prepared, path: Path, language: Language) -> None:
    """How many norms are not reached, and which."""
    say = words(language)
    try:
        with st.spinner(say["checking"]):
            report = cache.norms(planned, path)
    except Circle15Error as error:  # a bureau's own norms.toml
        for problem in error.problems:
            st.text(problem.zh if language == "zh" else problem.en)
        return
    st.text(norms_count(planned, report, language))
    st.caption(say["norms_about"])
    component.table(norms_table(planned, report, language), key="norms")
