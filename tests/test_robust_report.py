"""``circle15 robust`` on the example county: situations, regrets, models, files."""

import io
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from geodata.hours import SpeedFactor
from geodata.region import Prepared
from scenarios.cli import main
from scenarios.output.robust_report import robust_files, robust_json, robust_text
from scenarios.output.robust_tables import chosen_table, model_table, regret_table, situation_table
from scenarios.output.writers import file_bytes
from scenarios.siting.region import robust as module
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.robust import Circumstances, Over, RegionRobust, region_robust
from scenarios.siting.region.standby import site_standby
from scenarios.siting.stop import Stop

MODELS = ("lexicographic", "mclp", "bacop2", "mexclp", "dsm", "cmclp")


def robust_of(prepared: Prepared, *over: Over, **said) -> RegionRobust:
    circumstances = Circumstances(today=prepared, over=over, **said)
    return region_robust(prepared, "emergency", Choice(sites=5), circumstances, definition_id=None, stop=Stop(), progress=lambda *_: None)


@pytest.fixture(scope="module")
def found(prepared: Prepared) -> RegionRobust:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "COMPARED", MODELS)
        return robust_of(prepared, "hours", "speed", "population", "models", terms={"busy": 0.3, "alpha": 0.5})


def test_the_first_situation_is_what_site_answers(prepared: Prepared, found: RegionRobust) -> None:
    assert found.robust.results[0].sites == site_standby(prepared, "emergency", sites=5).result.sites
    assert list(situation_table(found)["en"]) == [
        "as assumed",
        "every speed × 0.8",
        "every speed × 1.2",
        "people spread by road beside the settlements",
    ]


def test_slower_vehicles_serve_fewer_and_faster_ones_more(found: RegionRobust) -> None:
    achieved = found.robust.achieved[:, :, 0]  # plans × situations
    assert (achieved[:, 1] <= achieved[:, 0]).all()
    assert (achieved[:, 2] >= achieved[:, 0]).all()


def test_the_robust_plan_loses_least_at_worst(found: RegionRobust) -> None:
    table = regret_table(found)
    largest = table[table["stage"] == "backstop"].groupby("plan")["regret"].max()
    assert largest.idxmin() in (
        0,
        found.robust.results.index(next(r for r in found.robust.results if r.sites == found.robust.plan.sites)) + 1,
    )
    assert largest[0] == found.robust.plan.regrets[0].objective == largest.min()
    assert found.robust.plan.status == "optimal"
    assert table["regret"].equals(table["best"] - table["achieved"])


def test_what_could_not_differ_is_said(found: RegionRobust) -> None:
    said = " ".join(en for _, en in found.left_out)
    assert "hours do not differ" in said
    assert "cmclp was not asked" in said


def test_models_see_one_anothers_plans(found: RegionRobust) -> None:
    table = model_table(found)
    own = table[table["plan"] == table["model"]]
    assert own["share"].tolist() == pytest.approx([1.0] * len(own))
    first = table[table["stage"].isin(["backstop", "people", "expected"])]
    assert (first["share"].dropna() <= 1 + 1e-9).all()


def test_candidates_are_counted_over_situations_and_models(found: RegionRobust) -> None:
    table = chosen_table(found).set_index("id")
    assert "JJ-0001" not in table.index  # it stands anyway
    assert table["situations"].sum() == 4 * len(found.robust.results)
    assert table["robust"].sum() == 4


def test_hours_with_the_same_traffic_are_one_situation(prepared: Prepared) -> None:
    drive = prepared.speeds.drive
    told = {(7, 9): 0.6, (17, 19): 0.601, (12, 13): 0.8, (22, 2): 1.0}
    factors = [SpeedFactor.model_validate({"from": a, "to": b, "factor": one, "source": "test"}) for (a, b), one in told.items()]
    speeds = prepared.speeds.model_copy(update={"drive": drive.model_copy(update={"factors": tuple(factors)})})
    found = robust_of(replace(prepared, speeds=speeds), "hours")
    assert [one.en for one in found.robust.situations] == ["as assumed", "speeds at 7-9, 17-19 o'clock", "speeds at 12-13 o'clock"]
    assert found.robust.situations[1].zh == "7-9、17-19 时车速"
    assert found.models is None


def test_a_span_past_midnight_is_one() -> None:
    assert module._hours_said([0, 1, 7, 22, 23]) == ("7-8、22-2 时", "7-8, 22-2 o'clock")  # noqa: SLF001
    assert module._hours_said(list(range(24)))[1] == "0-24 o'clock"  # noqa: SLF001


def test_models_are_counted_only_where_they_ran(prepared: Prepared, found: RegionRobust) -> None:
    assert "models" in chosen_table(found)
    speed_only = robust_of(prepared, "speed")
    assert list(chosen_table(speed_only)) == ["id", "name", "situations", "robust"]
    book = openpyxl.load_workbook(io.BytesIO(file_bytes("robust.xlsx", robust_files(prepared, speed_only)["robust.xlsx"])))
    assert not any("模型" in str(cell.value) for cell in book["候选点"][2])


def test_growth_differs_where_a_target_year_is_asked_for(prepared: Prepared) -> None:
    found = robust_of(prepared, "population", year=2035)
    assert [one.en for one in found.robust.situations][2:] == ["growth: low", "growth: high"]
    low, high = (found.robust.situations[at].asked.people.sum() for at in (2, 3))
    assert low < high


def test_text_json_and_workbook_tell_the_same(prepared: Prepared, found: RegionRobust) -> None:
    text, said = robust_text(prepared, found), robust_json(prepared, found)
    assert "已证明：没有另一种选法的最大遗憾更小" in text
    assert "Kouvelis" in text
    assert "示意数据 illustrative" in text
    assert said["robust_plan"]["sites"] == list(found.robust.plan.sites)
    files = robust_files(prepared, found)
    assert sorted(files) == ["robust.csv", "robust.json", "robust.xlsx", "robust_models.csv", "robust_sites.csv", "robust_situations.csv"]
    written = json.loads(file_bytes("robust.json", files["robust.json"]))
    assert written == {name: value for name, value in json.loads(json.dumps(said)).items() if name != "seconds"}
    book = openpyxl.load_workbook(io.BytesIO(file_bytes("robust.xlsx", files["robust.xlsx"])))
    assert book.sheetnames == ["说明", "情形", "遗憾 30 分钟内", "遗憾 符合口径", "候选点", "模型"]
    assert book["遗憾 30 分钟内"].max_row == 2 + len({one.sites for one in found.robust.results}) + 1


def test_the_command_cuts_a_road(prepared: Prepared, example: Path, capsys) -> None:
    way = str(prepared.region.roads.way_id[0])
    assert main(["robust", str(example), "--sites", "3", "--model", "mclp", "--over", "roads", "--cut", way, "--json"]) == 0
    assert [one["en"] for one in json.loads(capsys.readouterr().out)["situations"]] == ["as assumed", f"road {way} cut"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--over", "weather"], "weather"),
        (["--over", "roads"], "--cut"),
        (["--over", "speed", "--cut", "1"], "--over roads"),
        (["--growth", "low"], "--year"),
        (["--spacing", "90000"], "at most 1 possible"),
        (["--equal", "2"], "--equal"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_both_languages(example: Path, capsys, options: list[str], said: str) -> None:
    assert main(["robust", str(example), "--sites", "3", *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert " / " in error


def test_a_model_that_finds_the_number_is_refused_before_the_region_is_read(tmp_path: Path, capsys) -> None:
    assert main(["robust", str(tmp_path / "no region"), "--model", "lscp"]) == 2
    assert "lscp" in capsys.readouterr().err
