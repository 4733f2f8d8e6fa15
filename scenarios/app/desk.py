"""The planning desk: what is asked on the left; figures, map, proof on the right. A change redraws this part of the page only."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from geodata.errors import Circle15Error
from geodata.growth import MOST_YEARS
from geodata.model import GROWTH, Demand
from geodata.pack import fingerprint
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.app import cache, component, data, downloads, session, siting, siting_work, studies
from scenarios.app.asking import complain, number, select
from scenarios.app.i18n import words
from scenarios.compare import Comparison
from scenarios.model import parse_scenario, with_scenario
from scenarios.output.legend import Language
from scenarios.output.report import people, percent
from scenarios.output.weblayers import Layer
from scenarios.output.webmap import figure_range, view

MOST_MINUTES = 240
PLAN_YEARS = 5
SAME = 0.01  # percentage points, or people: a difference that the figures do not show
SENT_S = 0.05  # Streamlit sends what a run has drawn after about 10 ms, and forgets what was not sent when the next run begins


@st.fragment
def desk(prepared: Prepared, path: Path, language: Language) -> None:
    """Draw the desk.

    What comes and goes stands in a box of its own: were it to shift what is below, that would be drawn anew, and a click on it lost.
    """
    siting_work.bring_in()
    asks, shows = st.columns([1, 4.2], gap="small")
    today = prepared
    with asks:
        service_id, definition = _question(prepared, language)
        with st.container():
            try:
                prepared = cache.in_year(today, _year(today, language))
            except Circle15Error as error:  # a township without a rate
                complain(error.problems, language)
        kind = _scenario(prepared, definition, language)
        with st.container():
            filled = siting.box(prepared, service_id, definition, language)
        proven, files = st.container(), st.container()
    with shows:
        try:
            comparison = cache.compared(prepared, definition, session.scenario())
        except Circle15Error as error:  # the data changed under an open scenario
            complain(error.problems, language)
            return
        _figures(prepared.region.demand, comparison, language)
        st.text(f"{definition.name_zh if language == 'zh' else definition.name_en} · {words(language)['counts']}")
        late = _map(prepared, today, service_id, comparison, kind=kind, language=language)
        chosen = st.container()
        studies.show(prepared, path, service_id, definition, language)
        data.show(today, prepared, path, language)
    with proven:
        plan = siting.standing(prepared, comparison, filled, language)
    with chosen:
        siting.results(prepared, definition, filled, plan=plan, language=language)
    with files:
        downloads.show(prepared, path, service_id, comparison, plan=plan, language=language)
    if late:
        time.sleep(SENT_S)
        st.rerun()


def _question(prepared: Prepared, language: Language) -> tuple[str, ServiceDefinition]:
    """Service, definition and minutes."""
    say = words(language)
    services = prepared.services.services
    named = {one: (service.name_zh, service.name_en) for one, service in services.items()}
    service_id = select(say["service"], named, "service", language)
    by_id = {one.id: one for one in services[service_id].definitions}
    named = {one: (definition.name_zh, definition.name_en) for one, definition in by_id.items()}
    chosen = select(say["definition"], named, f"definition-{service_id}", language, place="definition")
    with st.container():
        definition = _hour(prepared, by_id[chosen], f"hour-{service_id}-{chosen}", language)
    limit = definition.urban.minutes
    if limit is None or limit not in range(1, MOST_MINUTES + 1) or limit != definition.rural.minutes:
        st.container()  # other limits are changed in services.toml
        return service_id, definition
    with st.container():
        minutes = number(say["minutes"], int(limit), MOST_MINUTES, f"minutes-{service_id}-{chosen}", language, place="minutes")
    return service_id, definition if minutes == limit else definition.with_minutes(float(minutes))


def _hour(prepared: Prepared, definition: ServiceDefinition, key: str, language: Language) -> ServiceDefinition:
    """The definition in the traffic of an hour; no choice where nothing is known of any."""
    hours = prepared.speeds.of(definition.mode).hours
    if not hours or definition.urban.minutes is definition.rural.minutes is None:
        return definition
    say = words(language)
    own = say["usual"] if definition.hour is None else say["at_hour"].format(hour=definition.hour)
    named = {"": (own, own)} | {str(hour): (say["at_hour"].format(hour=hour),) * 2 for hour in hours if hour != definition.hour}
    chosen = select(say["hour"], named, key, language, place="hour")
    return definition.at_hour(int(chosen)) if chosen else definition


def _year(prepared: Prepared, language: Language) -> session.Year | None:
    """The region's own date, or a target year by one of the stated rates of growth; no choice where none is stated."""
    say, date, chosen = words(language), prepared.region.date, None
    if np.isfinite(prepared.region.zones.growth).any():
        now = say["as_of"].format(date=date)
        named = {"": (now, now), **{one: (say[f"growth_{one}"],) * 2 for one in GROWTH}}
        variant = select(say["people_of"], named, "growth", language)
        if variant:
            ahead = date.year - date.year % PLAN_YEARS + PLAN_YEARS  # plans end in years of 0 and 5
            chosen = session.Year(number(say["year"], ahead, date.year + MOST_YEARS, "year-number", language, least=date.year + 1), variant)
    if chosen != session.year():
        session.look_at(chosen)
        st.rerun()  # the whole page: its head says which year
    return chosen


def _scenario(prepared: Prepared, definition: ServiceDefinition, language: Language) -> str:
    """Undo, begin anew, save, open; the kind of facility that a new point is."""
    say, region, now = words(language), prepared.region, session.scenario()
    with st.container(border=True):
        st.markdown(f"**{say['scenario']}**", help=say["scenario_help"])
        kinds = {one: (prepared.services.kinds[one].zh, prepared.services.kinds[one].en) for one in reversed(definition.kinds)}
        kind = select(say["new_kind"], kinds, f"kind-{definition.kinds}", language, place="kind")
        left, right = st.columns(2, gap="small")
        left.button(say["undo"], on_click=session.undo, disabled=not session.can_undo(), key="undo", width="stretch")
        right.button(say["clear"], on_click=session.clear, disabled=not now.changes, key="clear", width="stretch")
        kept = now.model_copy(update={"region": region.name, "region_fingerprint": region.fingerprint}).to_json()
        left.download_button(
            say["save"], kept, "scenario.json", "application/json", on_click="ignore", disabled=not now.changes, key="save", width="stretch"
        )
        with right.popover(say["open"], width="stretch"):
            given = st.file_uploader(say["open_help"], type=["json"], key="open")
            if given is not None and st.session_state.get("opened") != given.file_id:
                _take(prepared, given, language)
        if now.changes:
            st.caption(say["changes"].format(**siting_work.counts(), roads=len(now.of_roads.changes)))
    return kind


def _take(prepared: Prepared, given: UploadedFile, language: Language) -> None:
    """Go on with the scenario of a file, if it fits; once, for the file stays in its box."""
    try:
        found = parse_scenario(given.getvalue().decode("utf-8-sig", errors="replace"), given.name)
        with_scenario(prepared, found)
    except Circle15Error as error:
        complain(error.problems, language, "not_opened")
        return
    st.session_state["opened"] = given.file_id
    session.step(found)
    st.toast(words(language)["opened"].format(count=len(found.changes)))
    st.rerun()


def _figures(demand: Demand, comparison: Comparison, language: Language) -> None:
    """People within the limits: as they are, or after the scenario and by how much the figures shown differ from those before.

    Beside it the range, if there is more than one way to spread the people.
    """
    say = words(language)
    without = "as_is" if session.year() is None else "no_scenario"
    rows = {row.row: row for row in comparison.by_zone.itertuples() if row.row != "zone"}
    figures = {}
    for name, row in rows.items():
        after, before = round(row.share_people_after * 100, 1), round(row.share_people_before * 100, 1)
        figures[name] = percent(row.share_people_after), after - before, say["points"].format(value=f"{after - before:+.1f}")
    total, more = rows["total"].covered_people_after, rows["total"].covered_people_after - rows["total"].covered_people_before
    figures["people"] = people(total), more, say["more_people"].format(value=f"{more:+,.0f}")
    shown = {"total": "share_people", "people": "covered_people", "urban": "urban_share", "rural": "rural_share"}
    for cell, (name, label) in zip(st.columns(4), shown.items(), strict=True):
        value, difference, text = figures[name]
        quiet = not comparison.differs or not abs(difference) > SAME
        change = text if not quiet else say[without if not comparison.differs else "no_difference"]
        row, column = ("total", "covered_people") if name == "people" else (name, "share_people")
        if spread := figure_range(demand, rows[row]._asdict(), column):
            change += f" · {say['range']} {spread}"
        colour: Literal["off", "normal"] = "off" if quiet else "normal"
        arrow: Literal["off", "auto"] = "off" if quiet else "auto"
        cell.metric(say[label], value, change, delta_color=colour, delta_arrow=arrow, help=say[f"{label}_help"])


def _notes(prepared: Prepared, comparison: Comparison, language: Language) -> None:
    """What must be said beside the figures; below the map, which therefore stays where it is."""
    say = words(language)
    if len(comparison.after.facilities) == 0:
        st.warning(say["all_closed" if len(comparison.before.facilities) else "no_facilities"])
    useless = comparison.sites[(comparison.sites["state"] != "closed") & (comparison.sites["people"] == 0)]
    if len(useless):
        st.text(say["useless"].format(names=", ".join(useless["name"])))
    made_on = session.scenario().region_fingerprint
    if made_on and made_on != prepared.region.fingerprint:
        st.warning(say["other_data"])


def _map(prepared: Prepared, today: Prepared, service_id: str, comparison: Comparison, *, kind: str, language: Language) -> bool:
    """The map with its panel; whether the circle on it is the one before the change, for drawing it anew takes longer than figures."""
    result = comparison.after
    circle, late = _circle(prepared, comparison)
    layers = {
        "base": cache.base_layer(today),
        "circles": circle,
        "places": cache.place_layer(prepared, comparison.before.facilities),
    }
    if found := data.layer(today):
        layers["findings"] = found
    shown = view(prepared, service_id, result, comparison=comparison if comparison.differs else None)
    component.show(
        layers,
        shown,
        language=language,
        key="map",
        on_event=functools.partial(session.on_map, kind=kind, name=words(language)["new_point"]),
    )
    with st.container():
        _notes(prepared, comparison, language)
    with st.expander(words(language)["sources"]):
        for line in shown["notes"]:
            st.text(line[language])
    return late


def _circle(prepared: Prepared, comparison: Comparison) -> tuple[Layer, bool]:
    """The merged circle; at first the one before the change, and whether that is so."""
    result, roads = comparison.after, comparison.scenario.of_roads
    wanted = result.definition, fingerprint(result.facilities), roads
    drawn, layer = st.session_state.get("circle", (None, None))
    late = drawn is not None and drawn[0] == wanted[0] and drawn != wanted and st.session_state.get("late") != wanted
    st.session_state["late"] = wanted if late else None
    if not late:
        layer = cache.circle_layer(prepared, result, roads)
        st.session_state["circle"] = wanted, layer
    return layer, late
