"""Studies on the page: nothing runs before the button, an answer stands for what is in view, its workbook is that of the command."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import REPOSITORY
from county_files import FILES, write_county
from streamlit.testing.v1 import AppTest

from geodata.errors import Circle15Error, Problem
from geodata.norms import read_norms
from geodata.region import Prepared
from geodata.store import open_region
from scenarios.cli import main
from scenarios.model import Open, Scenario
from scenarios.studies.answer import Answer, supply
from scenarios.studies.run import answer
from scenarios.studies.terms import Access, Capacity, Chain, Cuts, Equity, Question, Sensitivity, Surge, Terms, unfit, units_stated
from scenarios.studies.words import on_the_page

MORE = "E1,急救中心,急救中心,116.003,28.305,,是\nS1,采样点,采样点,116.017,28.305,2,否\n"
AS_IT_IS = Scenario()
CLINIC = Scenario(changes=(Open(id="new-1", name="新点", kind="village_clinic", lon=116.018, lat=28.3051),))
ROOM = Capacity("capacity", per_unit=10, unstated="none")


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 people in the west beside a hospital of 400 beds, 2,000 in the east beside a health centre that states none."""
    return write_county(tmp_path_factory.mktemp("county"), {"hospitals.csv": FILES["hospitals.csv"] + MORE})


@pytest.fixture(scope="module")
def prepared(county: Path) -> Prepared:
    return open_region(county)


def ask(
    prepared: Prepared, terms: Terms, service: str = "medical", *, minutes: float | None = None, scenario: Scenario = AS_IT_IS
) -> Answer:
    definition = prepared.services.service(service).definition(None)
    definition = definition if minutes is None else definition.with_minutes(minutes)
    return answer(prepared, Question(service, definition, scenario, terms), read_norms(None, prepared.services))


def values(found: Answer, language: int = 0) -> list[str]:
    return [figure.value[language] for figure in found.figures]


@pytest.mark.parametrize(
    ("service", "terms", "words"),
    [
        ("medical", Equity(), "equity"),
        ("medical", Sensitivity(), "sensitivity"),
        ("medical", Access("capacity"), "access --supply capacity"),
        ("medical", ROOM, "capacity --per-unit 10 --unstated none"),
        ("medical", Cuts(ways="1", bridges=False), "flood --ways 1"),
        ("emergency", Chain(12, 45), "referral --scene 12 --within 45"),
        ("sampling", Surge(60, 8, 0.5), "surge --rate 60 --hours 8 --share 0.5"),
    ],
)
def test_the_workbook_is_the_one_that_the_command_writes(county: Path, tmp_path: Path, service: str, terms: Terms, words: str) -> None:
    (tmp_path / "scenario.json").write_text(CLINIC.to_json(), "utf-8")
    command, *options = words.split()
    changed = ["--scenario", str(tmp_path / "scenario.json")]
    minutes = None if command in {"equity", "referral"} else 20
    changed += [] if minutes is None else ["--minutes", "20"]
    assert main([command, str(county), "--service", service, *options, *changed, "--out", str(tmp_path)]) == 0
    found = ask(open_region(county), terms, service, minutes=minutes, scenario=CLINIC)
    assert found.workbook() == (tmp_path / found.file).read_bytes()


def test_equity_does_not_follow_the_limit_in_view(prepared: Prepared) -> None:
    assert ask(prepared, Equity(), minutes=5).workbook() == ask(prepared, Equity()).workbook()


def test_room_for_the_west_alone_serves_1000_of_3000(prepared: Prepared) -> None:
    found = ask(prepared, ROOM)
    assert values(found) == ["1,000 人", "2,000 人", "0 人"]
    assert values(found, 1) == ["1,000 people", "2,000 people", "0 people"]
    assert [row.cells[:3] for row in found.grids[0].table("zh").rows] == [
        ("合计", "3,000", "1,000"),
        ("城镇", "250", "250"),
        ("农村", "2,750", "750"),
        ("西镇", "1,000", "1,000"),
        ("东镇", "2,000", "0"),
    ]
    assert found.findings[0][1] == "No more room anywhere would serve anybody more."  # of the places that state how much they have


def test_the_scenario_in_view_is_part_of_the_answer(prepared: Prepared) -> None:
    lanes = Surge(60, 8)
    closer = Scenario(changes=(Open(id="new-1", name="新点", kind="sampling_site", lon=116.002, lat=28.305),))
    assert ask(prepared, lanes, "sampling").figures[0].below[0].startswith("应检 3,000 · 够不到 750")
    with pytest.raises(Circle15Error, match="--lanes"):
        ask(prepared, lanes, "sampling", scenario=closer)
    assert ask(prepared, Surge(60, 8, lanes=1), "sampling", scenario=closer).figures[0].below[0].startswith("应检 3,000 · 够不到 0")


def test_a_study_that_does_not_fit_says_which_definition_it_is_for(prepared: Prepared) -> None:
    definition = {name: service.definition(None) for name, service in prepared.services.services.items()}
    straight = prepared.services.service("medical").definition("straight")
    assert "院前急救" in str(unfit("referral", definition["medical"]))
    assert "通道" in str(unfit("surge", definition["medical"]))
    assert "分钟" in str(unfit("access", straight))
    assert [unfit("referral", definition["emergency"]), unfit("surge", definition["sampling"]), unfit("equity", straight)] == [None] * 3


def test_only_what_facilities_state_can_be_shared(prepared: Prepared) -> None:
    assert units_stated(prepared, prepared.services.service("medical").definition(None)) == ("capacity",)


def test_errors_speak_of_the_inputs_of_the_page() -> None:
    (said,) = on_the_page([Problem("请用 --per-unit 选定。", "Facilities: --unstated none or --unstated unlimited.")])
    assert said == Problem("请用“每单位服务人数”选定。", "Facilities: “count as none” or “count as unlimited”.")


def test_no_study_names_an_option_of_a_command(prepared: Prepared) -> None:
    definition = prepared.services.service("medical").definition(None)
    for terms in (Capacity("vehicles"), Capacity("capacity", 0.0), Cuts(bridges=False), Cuts("x"), Surge(None, 1), Surge(-1, 1)):
        with pytest.raises(Circle15Error) as caught:
            answer(prepared, Question("medical", definition, Scenario(), terms), read_norms(None, prepared.services))
        assert "--" not in str(on_the_page(caught.value.problems))


@pytest.mark.parametrize(("value", "written"), [(1227.4, "1,227"), (3.776, "3.78"), (0.01523, "0.0152"), (0.0, "0"), (float("nan"), "–")])
def test_supply_has_three_digits_that_count(value: float, written: str) -> None:
    assert supply(value) == written


# The page itself


@pytest.fixture
def page(county: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("CIRCLE15_REGION", str(county))
    return AppTest.from_file(str(REPOSITORY / "streamlit_app.py"), default_timeout=60)


def opened(page: AppTest, language: str = "zh") -> AppTest:
    page.session_state[f"studies-{language}"] = True
    page.query_params["lang"] = language
    return page.run()


def press(page: AppTest, label: str = "计算") -> AppTest:
    (button,) = [one for one in page.button if one.label == label]
    return button.click().run()


def figures(page: AppTest) -> Sequence[str]:
    """Those of the study, which stand after the four of the desk."""
    return [one.value for one in page.metric][4:]


def test_nothing_is_computed_before_the_button_is_pressed_and_an_answer_leaves_with_its_question(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Question] = []
    monkeypatch.setattr("scenarios.studies.run.answer", lambda *given: asked.append(given[1]) or answer(*given))
    opened(page)
    page.selectbox(key="study-zh").set_value("capacity").run()
    page.number_input(key="per-unit-capacity-zh").set_value(10.0).run()
    page.selectbox(key="unstated-zh").set_value("none").run()
    assert (asked, figures(page)) == ([], [])
    press(page)
    assert [one.terms for one in asked] == [ROOM]
    assert figures(page) == ["1,000 人", "2,000 人", "0 人"]
    page.number_input(key="per-unit-capacity-zh").set_value(1.0).run()
    assert (figures(page), len(page.info)) == ([], 1)
    page.number_input(key="per-unit-capacity-zh").set_value(10.0).run()
    assert (len(asked), figures(page)) == (1, ["1,000 人", "2,000 人", "0 人"])
    assert not page.exception


@pytest.mark.parametrize(("language", "button", "said"), [("zh", "计算", "“每单位服务人数”"), ("en", "Compute", "“People per unit”")])
def test_what_is_missing_is_said_in_the_language_of_the_page(page: AppTest, language: str, button: str, said: str) -> None:
    opened(page, language)
    page.selectbox(key=f"study-{language}").set_value("capacity").run()
    press(page, button)
    assert any(said in one.value for one in page.text)
    assert (len(page.error), len(page.exception)) == (1, 0)


def test_an_unfit_study_has_no_button(page: AppTest) -> None:
    opened(page)
    page.selectbox(key="study-zh").set_value("referral").run()
    assert "院前急救" in page.info[0].value
    assert "计算" not in [one.label for one in page.button]
