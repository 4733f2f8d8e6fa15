"""Siting on the page, what is behind it: names to choose by, a choice that is as good, work in the background, words of the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import REPOSITORY
from streamlit.testing.v1 import AppTest

from geodata.errors import OptionError, Problem
from geodata.region import Prepared
from scenarios.app.background import Task, begin
from scenarios.app.siting_words import MODEL_ASKS, in_words_of_the_page
from scenarios.model import with_scenario
from scenarios.output.site_webtables import curve_steps, equal_choices, points_table
from scenarios.siting.alternatives import choosable, taking, with_definition
from scenarios.siting.choice import Choice
from scenarios.siting.question import MODELS
from scenarios.siting.region_curve import region_curve
from scenarios.siting.standby import RegionPlan, plan_scenario, site_region
from scenarios.siting.stop import Stop


@pytest.fixture(scope="module")
def plan(prepared: Prepared) -> RegionPlan:
    """Thirteen points serve all whom any can; one of them may be another."""
    return site_region(prepared, "emergency", Choice(sites=13, equals=5))


def test_places_are_chosen_by_name_and_id_those_that_exist_first_and_restricted_ones_never(prepared: Prepared) -> None:
    names = choosable(prepared, "emergency", None, Choice(sites=1))
    assert next(iter(names.items())) == ("JJ-0001", "进贤县急救中心（示意）（JJ-0001）")
    assert list(names.values())[1:] == sorted(list(names.values())[1:])
    facilities = prepared.region.facilities
    assert not {one for one, hidden in zip(facilities.id, facilities.restricted, strict=True) if hidden} & set(names)


def test_a_choice_that_is_as_good_serves_as_many_and_the_first_one_is_among_the_others_then(prepared: Prepared, plan: RegionPlan) -> None:
    other = taking(prepared, plan, 0)
    assert other.result.sites == plan.result.equal[0] != plan.result.sites
    assert other.result.equal == (plan.result.sites,)
    assert other.result.objective == other.after["covered_people"].iloc[-1] == plan.after["covered_people"].iloc[-1]
    assert taking(prepared, other, 0).result == plan.result
    changed = with_scenario(prepared, plan_scenario(prepared, other)).region.facilities
    assert {f"plan-{one}" for one in other.result.sites if one != "JJ-0001"} <= set(changed.id)


def test_the_fewest_points_too_may_be_others(prepared: Prepared) -> None:
    fewest = site_region(prepared, "emergency", Choice(model="lscp", equals=5))
    assert len(taking(prepared, fewest, 0).result.sites) == len(fewest.result.sites) == 13


def test_tables_of_the_page_name_points_what_is_as_good_and_what_each_number_achieves(prepared: Prepared, plan: RegionPlan) -> None:
    shown = points_table(plan, "zh")
    assert shown.rows[0].cells == ("进贤县急救中心（示意）", "JJ-0001", "保留")
    (row,) = equal_choices(plan, "en").rows
    assert row.key == "0"
    assert row.cells[0] == "1"
    choice, stop = Choice(sites=3), Stop()
    options = {"definition_id": None, "most": 3, "order_sites": None, "years": None}
    curve = region_curve(prepared, "emergency", choice, stop=stop, progress=lambda _zh, _en: None, **options)
    table = curve_steps(curve, "zh")
    assert [row.cells[0] for row in table.rows] == ["1", "2", "3"]
    assert [row.cells[4] for row in table.rows] == ["315,212", "375,800", "433,936"]
    assert {len(row.cells) for row in table.rows} == {len(table.heads)}


def test_siting_asks_for_the_limits_in_view(prepared: Prepared) -> None:
    definition = prepared.services.service("emergency").definition(None)
    longer = definition.with_minutes(45.0)
    asked = with_definition(prepared, "emergency", longer)
    assert site_region(asked, "emergency", Choice(sites=1), definition_id=longer.id).definition == longer
    assert prepared.services.service("emergency").definition(None) == definition


def test_work_in_the_background_ends_when_it_is_stopped_and_hands_over_errors() -> None:
    def until_stopped(task: Task[str]) -> str:
        task.stop.cancelled.wait()
        return "the best so far"

    def refused(_task: Task[str]) -> str:
        raise OptionError(Problem("不行", "no"))

    task = begin(until_stopped, limit_s=60)
    assert not task.done
    task.stop.cancelled.set()
    assert task.answer() == "the best so far"
    assert task.done
    with pytest.raises(OptionError, match="不行"):
        begin(refused, limit_s=1).answer()


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_a_goal_in_plain_words_and_what_it_lacks_is_said_in_them(model: str) -> None:
    assert model in MODEL_ASKS
    with pytest.raises(OptionError) as caught:
        Choice(model=model, sites=0 if model not in {"lscp", "partial"} else 3, spacing_m=-1.0)  # type: ignore[arg-type]
    assert "--" not in str(in_words_of_the_page(caught.value.problems))


def test_the_page_seeks_in_the_background_and_shows_the_proof(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIRCLE15_REGION", str(example))
    page = AppTest.from_file(str(REPOSITORY / "streamlit_app.py"), default_timeout=60).run()
    page.selectbox(key="service-zh").select("emergency").run()
    page.number_input(key="sites-zh").set_value(3)
    page.button(key="solve").click().run()
    if "siting-task" in page.session_state:
        task: Task[object] = page.session_state["siting-task"]
        task.answer()
        page.run()
    assert not page.exception
    (said,) = [one.value for one in page.info]
    assert said.endswith("再没有更好的 3 个点。")
    page.button(key="undo").click().run()
    assert not page.info
