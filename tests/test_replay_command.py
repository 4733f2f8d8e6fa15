"""``circle15 replay`` on the example county: what it says and writes, and what it refuses."""

import json
from pathlib import Path

import pandas as pd
import pytest

from geodata.region import Prepared
from scenarios.cli import main
from scenarios.model import Open, Scenario, read_scenario
from scenarios.replay.replay import replay, replay_points
from scenarios.replay.terms import ReplayTerms

POINTS = ("WS-0002", "WS-0005", "WS-0009", "WS-0012")
FILES = ["replay.csv", "replay.json", "replay.xlsx", "replay_points.csv", "replay_unreached.csv"]


@pytest.fixture(scope="module")
def plan(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of siting with five points."""
    changes = tuple(Open(id=f"plan-{one}", name=one, kind="standby_point", host=one) for one in POINTS)
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    path.write_text(Scenario(name="五个点", region=prepared.region.name, changes=changes).to_json(), encoding="utf-8")
    return path


def test_the_log_is_played_against_the_points_and_the_plan(example, plan, tmp_path, capsys):
    assert main(["replay", str(example), "--scenario", str(plan), "--out", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert said == json.loads((tmp_path / "replay.json").read_text(encoding="utf-8"))
    figures = {(row["figure"], row["group"]): row for row in said["figures"]}
    played = said["played"]
    cancelled = played["cancelled_before"] + played["without_place"]
    assert played["calls"] + cancelled == played["records"]
    assert figures["calls", "all"]["before"] == played["calls"] - played["cancelled_on_way"]
    for figure in ("median_minutes", "p90_minutes", "share_waiting", "utilisation"):
        row = figures[figure, "all"]
        assert row["before_low"] <= row["before"] <= row["before_high"]
        assert row["change_high"] < 0, "the plan is better, beyond doubt"
    assert figures["share_within", "all"]["change_low"] > 0
    observed = played["observed_median_minutes"]
    assert abs(figures["median_minutes", "all"]["before"] - observed) < 2, "what the log itself has, from four bases in the county town"
    points = pd.read_csv(tmp_path / "replay_points.csv")
    assert points["side"].tolist() == ["before"] + ["after"] * 5
    assert points["vehicles"].tolist() == [6, 6, 1, 1, 1, 1]
    sent = points.groupby("side")["runs"].sum()
    assert sent["before"] == sent["after"]
    assert json.dumps(said, ensure_ascii=False).count("五个点") == 1


def test_made_up_calls_are_told_with_their_seed_and_what_theory_says(example, plan, tmp_path, capsys):
    vehicles = tmp_path / "vehicles.csv"
    vehicles.write_text("id,vehicles\nJJ-0001,3\n" + "".join(f"plan-{one},2\n" for one in POINTS), encoding="utf-8")
    asked = ["replay", str(example), "--scenario", str(plan), "--synthetic", "20", "--days", "30", "--runs", "3", "--seed", "7"]
    asked += ["--scene", "12", "--after-scene", "45", "--vehicles", str(vehicles)]
    assert main(asked) == 0
    said = capsys.readouterr().out
    for words in (
        "30 天 × 3 遍，种子 7",
        "30 days × 3 runs, seed 7",
        "12.0 分钟（给定）",
        "45.0",
        "Erlang C",
        "1 个点，3 辆车",
        "5 points, 11 vehicles",
    ):
        assert words in said
    assert main(asked) == 0
    assert capsys.readouterr().out == said, "same question, same answer"


def test_a_table_of_vehicles_may_name_the_points_of_a_plan_by_their_hosts(example, plan, tmp_path, capsys):
    said = []
    for prefix in ("plan-", ""):
        vehicles = tmp_path / "vehicles.csv"
        vehicles.write_text("id,vehicles\nJJ-0001,3\n" + "".join(f"{prefix}{one},2\n" for one in POINTS), encoding="utf-8")
        assert main(["replay", str(example), "--scenario", str(plan), "--vehicles", str(vehicles)]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    vehicles.write_text("id,vehicles\nJJ-0001,3\nWS-0002,2\n", encoding="utf-8")
    assert main(["replay", str(example), "--scenario", str(plan), "--vehicles", str(vehicles)]) == 2
    assert "lacks the vehicles" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--days", "3", "--runs", "2"], "--days, --runs goes with --synthetic"),
        (["--definition", "distance"], "--definition response"),
        (["--vehicles", "0"], "--vehicles"),
        (["--service", "medical"], "cannot be replayed"),
        (["--synthetic", "0"], "--synthetic"),
    ],
)
def test_what_does_not_fit_is_refused(example, options, words, capsys):
    assert main(["replay", str(example), *options]) == 2
    assert words in capsys.readouterr().err


def test_with_vehicles_enough_the_share_in_time_is_that_of_coverage(prepared, plan):
    """Made-up calls where people live, and nobody waits: what siting proves for the plan, 493,457 of 620,254 people."""
    definition = prepared.services.service("emergency").definition(None)
    terms = ReplayTerms(per_day=200, days=100, runs=5, weigh="residents")
    scenario = read_scenario(plan)
    points = replay_points(prepared, definition, scenario)
    result = replay(prepared, definition, terms, scenario=scenario, vehicles=dict.fromkeys(points, 40))
    row = result.figures.set_index(["figure", "group"]).loc[("share_within", "all")]
    assert row["after_low"] < 493_457 / 620_254 < row["after_high"]
    assert result.figures.set_index(["figure", "group"]).loc[("waiting_calls", "all"), "after"] == 0
