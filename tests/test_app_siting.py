"""Siting on the page, what is behind it: names to choose by, a choice that is as good, work in the background, words of the page."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from conftest import REPOSITORY
from streamlit.testing.v1 import AppTest

from geodata.errors import OptionError, Problem
from geodata.region import Prepared
from scenarios.app.background import Task, begin
from scenarios.app.siting_question import Question, is_same, question_said
from scenarios.app.siting_words import MODEL_ASKS, in_words_of_the_page
from scenarios.app.siting_work import choice_of, counted
from scenarios.model import with_scenario
from scenarios.output.site_webtables import curve_steps, equal_choices, given_up, points_table
from scenarios.siting.question import MODELS
from scenarios.siting.region.alternatives import choosable, taking, with_definition
from scenarios.siting.region.candidates import places_at
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.curve import region_curve
from scenarios.siting.region.standby import RegionPlan, plan_scenario, proof, site_region
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
    demand = prepared.region.demand
    (row,) = equal_choices(plan, demand, "en").rows
    assert row.key == "0"
    assert row.cells[0] == "1"
    other = taking(prepared, plan, 0)
    tables = (other.after, other.after_backstop)
    assert row.cells[3:] == tuple(f"{table['covered_people'].iloc[-1]:,.0f}" for table in tables)
    assert [head.label for head in equal_choices(plan, demand, "zh").heads[3:]] == ["时限以内", "30 分钟以内"]
    choice, stop = Choice(sites=3), Stop()
    options = {"definition_id": None, "most": 3, "order_sites": None, "years": None}
    curve = region_curve(prepared, "emergency", choice, stop=stop, progress=lambda _zh, _en: None, **options)
    table = curve_steps(curve, "zh")
    assert [row.cells[0] for row in table.rows] == ["1", "2", "3"]
    assert [row.cells[4] for row in table.rows] == ["315,212", "375,800", "433,936"]
    assert {len(row.cells) for row in table.rows} == {len(table.heads)}


def test_a_point_that_moves_is_a_move_wherever_it_is_told(prepared: Prepared) -> None:
    plan = site_region(prepared, "emergency", Choice(sites=3, movable=("all",), forbidden=("JJ-0001",)))
    (moved,) = plan.moved
    stood, stands = (plan.question.places.name[at] for at in moved[:2])
    rows = [row.cells for row in points_table(plan, "zh").rows]
    assert sorted(cells[2:4] for cells in rows) == sorted([("搬迁", stood), ("新增", ""), ("新增", "")])
    assert given_up(plan, "zh") == [f"搬迁：{stood}（JJ-0001） → {stands}（{plan.question.places.id[moved.stands]}） · {moved.km:,.1f} km"]
    scenario = plan_scenario(prepared, plan)
    assert counted(scenario, plan) == {"open": 2, "move": 1, "close": 0}
    assert {one.do for one in scenario.changes} == {"close", "open"}
    assert counted(scenario.without(f"plan-{plan.question.places.id[moved.stands]}"), plan) == {"open": 2, "move": 0, "close": 1}


def asked(prepared: Prepared, **fields: object) -> Question:
    definition = prepared.services.service("emergency").definition(None)
    plain = {"model": "mclp", "sites": 5, "candidates": ("eligible",), "fixed": (), "forbidden": (), "weigh": "residents"}
    return Question(plain | fields, {"WS-0004": "文港镇中心卫生院（WS-0004）"}, definition, 30.0)


def test_a_question_is_said_in_words_of_the_form(prepared: Prepared) -> None:
    definition = prepared.services.service("emergency").definition(None)
    question = asked(prepared, forbidden=("WS-0004",), movable=("all",), move_within_km=8.0, spacing_m=None)
    assert question_said(question, "zh").splitlines() == [
        f"所问：{definition.name_zh}",
        "要什么：达标的人最多",
        "总数（含保留的点）：5",
        "迁址不超过（公里）：8",
        "不得有：文港镇中心卫生院（WS-0004）",
        "现有的点：可以迁走",
    ]
    dsm = asked(prepared, model="dsm", alpha=0.7, wide_minutes=20.0, candidates=("settlements",), weigh="old", busy="log")
    assert question_said(dsm.without("sites"), "en").splitlines()[1:] == [
        "Goal: double standard: all in 20 min, a share within, most twice",
        "Share or weight (%): 70",
        "Share of time busy (%): of the 120 log",
        "Backstop (minutes): 20",
        "Candidates: every settlement",
        "What counts: people of 65 and over",
    ]


def test_a_question_is_another_once_a_term_or_the_limits_differ(prepared: Prepared) -> None:
    question = asked(prepared)
    assert is_same(question, asked(prepared))
    assert not is_same(question, asked(prepared, forbidden=("WS-0004",)))
    assert not is_same(question, asked(prepared, sites=6))
    assert is_same(question.without("sites"), asked(prepared, sites=6).without("sites"))
    assert not is_same(question, question._replace(definition=question.definition.with_minutes(45.0)))
    here = [places_at(prepared.region, ["new-1"], ["新增点1"], np.array([[116.2 + east, 28.4]])) for east in (0.0, 0.0, 0.01)]
    first, again, other = (asked(prepared, points=one) for one in here)
    assert is_same(first, again)
    assert not is_same(first, other)


def test_room_for_people_is_to_be_filled_in_on_the_page_also_where_a_table_could_state_it() -> None:
    with pytest.raises(OptionError) as caught:
        choice_of({"model": "cmclp", "sites": 5, "capacity": None})
    (said,) = in_words_of_the_page(caught.value.problems)
    assert said == Problem("请填写“每点可服务的人数”。", "Fill in “People each point can serve”.")


class AfterAsking(threading.Event):
    """A switch that somebody turns while work is under way: once it was asked so often."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def is_set(self) -> bool:
        self.times -= 1
        return self.times < 0


@pytest.mark.parametrize("times", [0, 1, 5, 20])
@pytest.mark.parametrize("model", ["lexicographic", "mclp", "p-median"])
def test_a_search_that_is_cancelled_gives_the_best_so_far_with_a_bound_that_holds(
    prepared: Prepared, model: Literal["lexicographic", "mclp", "p-median"], times: int
) -> None:
    choice = Choice(model=model, sites=5, candidates=("settlements",))
    best = site_region(prepared, "emergency", choice)
    found = site_region(prepared, "emergency", choice, stop=Stop(cancelled=AfterAsking(times)))
    assert len(found.result.sites) == 5
    assert "JJ-0001" in found.result.sites
    assert found.result.status == "optimal" or found.result.stopped == "cancelled"
    for stage, least in zip(found.result.stages, best.result.stages, strict=True):
        assert sorted([stage.objective, least.objective, stage.bound])[1] == least.objective
    assert ("取消" in proof(found)[0]) == (found.result.status != "optimal")


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


def solved(page: AppTest) -> AppTest:
    """Press, and wait for the answer."""
    page.button(key="solve").click().run()
    if "siting-task" in page.session_state:
        task: Task[object] = page.session_state["siting-task"]
        with suppress(OptionError):
            task.answer()
        page.run()
    assert not page.exception
    return page


def opened(example: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Open the page at standby points, three of them."""
    monkeypatch.setenv("CIRCLE15_REGION", str(example))
    page = AppTest.from_file(str(REPOSITORY / "streamlit_app.py"), default_timeout=60).run()
    page.selectbox(key="service-zh").select("emergency").run()
    page.number_input(key="sites-zh").set_value(3)
    return page


def questions(page: AppTest) -> list[str]:
    return [one.value for one in page.text if one.value.startswith("所问：")]


def test_the_page_seeks_in_the_background_and_shows_the_proof_with_its_question(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = solved(opened(example, monkeypatch))
    (said,) = [one.value for one in page.info]
    assert said.endswith("再没有更好的 3 个点。")
    assert len(questions(page)) == 2  # beside the proof, and above the points
    assert all("总数（含保留的点）：3" in one for one in questions(page))
    assert not page.warning
    page.button(key="undo").click().run()
    assert not page.info


def test_a_result_is_marked_once_the_form_asks_something_else_and_when_that_has_no_answer(
    example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = solved(opened(example, monkeypatch))
    page.selectbox(key="siting-model-zh").select("bacop1").run()
    assert [one.value.split("：")[0] for one in page.warning] == ["条件已改"] * 2
    solved(page)
    assert [one.value for one in page.error] == ["不能这样选址："]
    mine, *others = questions(page)
    assert "人人达标" in mine
    assert all("先使 30 分钟以外的人最少" in one for one in others)
    assert len(page.warning) == len(others) == 2
    page.selectbox(key="siting-model-zh").select("lexicographic").run()
    assert len(page.warning) == 1  # of the question without an answer


def test_what_is_stopped_on_the_page_becomes_the_plan_and_says_so(example: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(example, monkeypatch)
    stop = Stop()
    stop.cancelled.set()
    monkeypatch.setattr(Stop, "after", lambda _seconds: stop)
    (said,) = [one.value for one in solved(page).info]
    assert "求解被取消，未证明最优：" in said
    assert len(page.session_state["steps"][-1].opened) == 2
