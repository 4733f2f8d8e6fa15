"""One plain page: service, definition, minutes; figures, township table, gap list; standby points before and after."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from coverage.gaps import CAUSES
from coverage.stats import CoverageResult
from geodata.errors import Circle15Error
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.app import cache
from scenarios.app.i18n import Language, words
from scenarios.output.report import people, percent, round_up
from scenarios.siting.standby import proof

MOST_MINUTES = 240
MOST_SITES = 200


def run() -> None:
    """Draw the app; an error of ours is shown as its sentence."""
    language: Language = "en" if st.query_params.get("lang") == "en" else "zh"
    st.set_page_config(page_title=words(language)["title"], layout="wide")
    path = os.environ.get("CIRCLE15_REGION", "region.toml")
    try:
        prepared = cache.region(Path(path))
        _page(prepared, language)
    except Circle15Error as error:
        st.error(words(language)["wrong"])
        for problem in error.problems:
            st.text(problem.zh if language == "zh" else problem.en)  # not st.error: that would render names as Markdown


def _page(prepared: Prepared, language: Language) -> None:
    say = words(language)
    region = prepared.region
    left, right = st.columns([6, 1])
    left.title(say["title"])
    other = "en" if language == "zh" else "zh"
    if right.button(say["switch"], key="language"):
        st.query_params["lang"] = other
        st.rerun()
    st.text(f"{region.name} · {region.date}")
    if region.illustrative:
        st.warning(say["illustrative"])
    service_id, definition = _choose(prepared, language)
    result = cache.covered(prepared, definition)
    st.text(definition.name_zh if language == "zh" else definition.name_en)
    if len(result.facilities) == 0:
        st.warning(say["no_facilities"])
    _figures(result, language)
    _township_table(result, language)
    _gaps(result, language)
    if prepared.services.service(service_id).siting:
        _standby(prepared, service_id, language)
    st.text(f"{say['source']}: {definition.source} [{definition.status}] · {say['people_source']}: {region.people_source}")
    st.text(f"{say['fingerprint']}: {region.fingerprint[:16]}")


def _choose(prepared: Prepared, language: Language) -> tuple[str, ServiceDefinition]:
    """Service, definition and minutes."""
    say = words(language)
    services = prepared.services.services
    first, second, third = st.columns(3)
    with first:
        names = {one: (service.name_zh, service.name_en) for one, service in services.items()}
        service_id = _select(say["service"], names, "service", language)
    by_id = {one.id: one for one in services[service_id].definitions}
    with second:
        names = {one: (definition.name_zh, definition.name_en) for one, definition in by_id.items()}
        chosen = _select(say["definition"], names, f"definition-{service_id}", language)
    definition = by_id[chosen]
    limit = definition.urban.minutes
    if limit is None or limit not in range(1, MOST_MINUTES + 1) or limit != definition.rural.minutes:
        return service_id, definition  # other limits are changed in services.toml
    with third:
        minutes = _number(say["minutes"], int(limit), MOST_MINUTES, f"minutes-{service_id}-{chosen}", language)
    return service_id, definition if minutes == limit else definition.with_minutes(float(minutes))


def _select(label: str, names: Mapping[str, tuple[str, str]], key: str, language: Language) -> str:
    """Choose one of several; the choice outlives a change of language, which a widget with other labels does not."""
    ids = list(names)
    before = st.session_state.get(key, ids[0])
    index = ids.index(before) if before in names else 0
    chosen = st.selectbox(label, ids, index=index, format_func=lambda one: names[one][language == "en"], key=f"{key}-{language}")
    st.session_state[key] = chosen
    return chosen


def _number(label: str, default: int, most: int, key: str, language: Language, *, about: str | None = None) -> int:
    """Choose a number; it too outlives a change of language."""
    chosen = st.number_input(label, 1, most, st.session_state.get(key, default), key=f"{key}-{language}", help=about)
    st.session_state[key] = int(chosen)
    return int(chosen)


def _figures(result: CoverageResult, language: Language) -> None:
    say = words(language)
    rows = {row.row: row for row in result.by_zone.itertuples() if row.row != "zone"}
    cells = st.columns(4)
    cells[0].metric(say["share_people"], percent(rows["total"].share_people), help=say["share_people_help"])
    cells[1].metric(say["covered_people"], people(rows["total"].covered_people), help=say["covered_people_help"])
    cells[2].metric(say["urban_share"], percent(rows["urban"].share_people), help=say["class_help"])
    cells[3].metric(say["rural_share"], percent(rows["rural"].share_people), help=say["class_help"])


def _township_table(result: CoverageResult, language: Language) -> None:
    say = words(language)
    table = result.by_zone
    st.subheader(say["by_township"])
    columns = {
        say["township"]: _zone_names(table, language),
        say["people"]: table["people"],
        say["covered_people"]: table["covered_people"],
        say["share_people"]: table["share_people"],
        say["without_external"]: table["share_people_without_external"],
        say["settlements"]: table["settlements"],
        say["covered_settlements"]: table["covered_settlements"],
        say["share_settlements"]: table["share_settlements"],
    }
    shares = (say["share_people"], say["without_external"], say["share_settlements"])
    _table(columns, shares=shares)


def _gaps(result: CoverageResult, language: Language) -> None:
    say = words(language)
    gaps = result.gaps
    st.subheader(say["gaps"].format(count=len(gaps), people=people(gaps["people"].sum())))
    columns = {
        say["settlement"]: gaps["name"],
        say["township"]: gaps["zone"],
        say["people"]: gaps["people"],
        say["cause"]: gaps["cause"].map(lambda cause: CAUSES[cause][language == "en"]),
        say["nearest"]: gaps["nearest_name"],
        say["nearest_minutes"]: gaps["nearest_minutes"].map(round_up, na_action="ignore"),
        say["nearest_metres"]: gaps["nearest_network_m"].round(),
        say["straight"]: gaps["nearest_straight_m"].round(),
    }
    _table(columns, height="auto")


def _table(columns: Mapping[str, Sequence[Any]], *, shares: Sequence[str] = (), height: Literal["auto", "content"] = "content") -> None:
    """Show columns as a table: numbers to the right and sortable, shares as percent, empty columns left out."""
    table = pd.DataFrame(dict(columns)).dropna(axis="columns", how="all")
    shown = [name for name in shares if name in table]
    table[shown] *= 100
    formats = {
        name: st.column_config.NumberColumn(format="%.1f %%" if name in shown else "localized") for name in table.select_dtypes("number")
    }
    st.dataframe(table, hide_index=True, width="stretch", height=height, column_config=formats)


def _zone_names(table: pd.DataFrame, language: Language) -> list[str]:
    """Townships by name, the sums below them in the page's language."""
    say = words(language)
    return [row.zone if row.row == "zone" else say[f"sum_{row.row}"] for row in table.itertuples()]


def _standby(prepared: Prepared, service_id: str, language: Language) -> None:
    """Ask for a number of points, show the proven plan."""
    say = words(language)
    st.subheader(say["standby"])
    sites = _number(say["sites_total"], 5, MOST_SITES, "sites", language, about=say["sites_help"])
    if st.button(say["solve"], key="solve", type="primary"):
        st.session_state["asked"] = sites
    if st.session_state.get("asked") != sites:
        return
    plan = cache.sited(prepared, service_id, sites)
    st.info(proof(plan)[language == "en"])
    _table(
        {
            say["site"]: plan.sites.name,
            say["id"]: plan.sites.id,
            say["new_or_kept"]: [say["new"] if new else say["kept"] for new in plan.is_new],
        }
    )
    columns = {
        say["township"]: _zone_names(plan.before, language),
        say["people"]: plan.before["people"],
        say["before"]: plan.before["share_people"],
        say["after"]: plan.after["share_people"],
        say["gained"]: plan.after["covered_people"] - plan.before["covered_people"],
    }
    _table(columns, shares=(say["before"], say["after"]))
