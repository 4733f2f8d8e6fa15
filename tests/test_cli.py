"""The command line as a planner and as a program use it."""

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from matplotlib import font_manager

from coverage.stats import within_limits
from geodata.errors import OutputError
from geodata.region import Prepared
from geodata.standards import Limit
from scenarios.cli import main
from scenarios.model import Close, Scenario, read_scenario
from scenarios.output.report import round_up
from scenarios.output.writers import write_files
from scenarios.siting.region.standby import site_standby


@dataclass(frozen=True)
class Written:
    """What a command wrote and said."""

    folder: Path
    out: str
    err: str


@pytest.fixture(scope="module")
def medical(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Every file of the medical circle, and the JSON that was printed beside them."""
    folder = tmp_path_factory.mktemp("cli") / "a b"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        assert main(["coverage", str(example), "--service", "medical", "--out", str(folder), "--json"]) == 0
    return Written(folder, out.getvalue(), err.getvalue())


@pytest.fixture
def run_json(example: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict]:
    """Run ``circle15 COMMAND example ... --json`` and read its answer; another region if one is given."""

    def run(command: str, *options: str, region: Path = example) -> dict:
        assert main([command, str(region), *options, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command that ends with 2 says on stderr, a line each."""
    assert main([str(argument) for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    complaint = [line for line in err.splitlines() if "……" not in line]
    assert complaint
    return "\n".join(complaint)


def test_coverage_writes_every_file_and_the_tables_agree(medical: Written) -> None:
    said = json.loads(medical.out)
    out = medical.folder
    pages = ["folium-medical.html", "gaps.csv", "map-medical.html"]
    picture = [] if "fonts-noto-cjk" in medical.err else ["map-medical.png"]  # without a Chinese font it says so, and goes without
    assert sorted(file.name for file in out.iterdir()) == [
        "coverage.csv",
        "coverage.gpkg",
        "coverage.json",
        "coverage.xlsx",
        *pages,
        *picture,
    ]
    assert json.loads((out / "coverage.json").read_text(encoding="utf-8")) == said
    table = pd.read_csv(out / "coverage.csv")
    total = table[table["row"] == "total"].iloc[0]
    assert total["people"] == 620_254
    assert total["people"] == table.loc[table["row"] == "zone", "people"].sum()
    assert total["covered_people"] + pd.read_csv(out / "gaps.csv")["people"].sum() == 620_254
    assert 0.5 < total["share_people"] < 0.95
    assert said["services"]["medical"]["total"]["covered_people"] == total["covered_people"]
    layers = sorted(pyogrio.list_layers(out / "coverage.gpkg")[:, 0])
    assert layers == ["catchments", "circles", "facilities", "gaps", "zones"]
    circles = gpd.read_file(out / "coverage.gpkg", layer="circles")
    assert circles.is_valid.all()
    assert (circles["facility_id"].fillna("") == "").sum() == 1


def test_people_of_a_target_year_are_counted_and_said(run_json: Callable[..., dict]) -> None:
    said = run_json("coverage", "--service", "medical", "--year", "2030", "--growth", "low")
    total = said["services"]["medical"]["total"]
    assert total["people"] == round(620_254 * (1 - 0.008) ** 4)
    assert total["covered_people_low"] <= total["covered_people"] <= total["covered_people_high"]
    assert total["covered_old"] < total["old"] < total["people"]
    assert "people of 2030: low growth from 2026, -0.8 % a year" in said["people_source"]
    assert (said["spreads"], said["people_unlocated"], said["date"]) == (["people", "frontage"], 0, "2030-01-01")


def test_sites_may_be_weighed_by_those_of_65_and_over(run_json: Callable[..., dict]) -> None:
    said = run_json("site", "--sites", "3", "--weigh", "old")
    assert said["question"]["weigh"] == "old"
    assert said["served"] < said["total"] < 0.2 * 620_254
    assert "people of 65 and over" in said["proof"]["en"]


def test_json_carries_parameters_sources_and_fingerprints(run_json: Callable[..., dict]) -> None:
    said = run_json("coverage", "--service", "emergency")
    assert said["illustrative"]
    assert len(said["region_fingerprint"]) == 64
    assert {source["role"] for source in said["sources"]} == {"roads", "zones", "population", "demand", "facilities", "calls"}
    assert all(len(source["sha256"]) == 64 for source in said["sources"])
    assert said["definitions"]["emergency"]["turnout_s"] == 180
    assert said["definitions"]["emergency"]["source"]
    assert said["parameters"]["speeds"]["drive"]["access_kmh"] == 15


def test_a_scenario_is_compared_with_the_region_as_it_is(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = Scenario(name="关闭急救中心").then(Close(id="JJ-0001"))
    (tmp_path / "s.json").write_text(scenario.to_json(), encoding="utf-8")
    ask = ["coverage", str(example), "--service", "emergency", "--scenario", str(tmp_path / "s.json")]
    assert main([*ask, "--out", str(tmp_path / "out"), "--files", "csv,json,gpkg,xlsx", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    total = said["comparisons"]["emergency"]["by_zone"][-1]
    assert total["covered_people_before"] == total["lost_people"] > 300_000
    assert total["covered_people_after"] == said["services"]["emergency"]["total"]["covered_people"] == 0
    assert [site["state"] for site in said["comparisons"]["emergency"]["sites"]] == ["closed"]
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert written == {"coverage.csv", "gaps.csv", "comparison.csv", "coverage.gpkg", "coverage.json", "scenario.json", "coverage.xlsx"}
    assert read_scenario(tmp_path / "out" / "scenario.json") == scenario
    assert {"changed", "sites"} <= set(pyogrio.list_layers(tmp_path / "out" / "coverage.gpkg")[:, 0])
    assert main(ask) == 0
    assert "关闭 closed" in " ".join(capsys.readouterr().out.split())


def test_the_files_of_a_plan_hold_it_as_a_scenario(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["site", str(example), "--sites", "5", "--out", str(tmp_path), "--files", "json"]) == 0
    capsys.readouterr()
    said = json.loads((tmp_path / "site.json").read_text(encoding="utf-8"))
    ask = ["coverage", str(example), "--service", "emergency", "--scenario", str(tmp_path / "scenario.json"), "--json"]
    assert main(ask) == 0
    assert json.loads(capsys.readouterr().out)["services"]["emergency"]["by_zone"] == said["after"]


def test_wrong_kinds_of_file_are_told_before_the_work(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "pdf" in fails(capsys, "coverage", example, "--out", tmp_path, "--files", "csv,pdf")
    assert "--out" in fails(capsys, "coverage", example, "--files", "csv")
    assert "none.json" in fails(capsys, "coverage", example, "--scenario", tmp_path / "none.json")


def test_without_a_chinese_font_all_but_the_picture_is_written(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    ask = ["coverage", example, "--service", "sampling", "--out", tmp_path]
    assert "fonts-noto-cjk" in fails(capsys, *ask, "--files", "csv,png")
    assert list(tmp_path.iterdir()) == [], "whole files or none"
    assert main([str(one) for one in ask]) == 0
    assert "fonts-noto-cjk" in capsys.readouterr().err
    assert {file.suffix for file in tmp_path.iterdir()} == {".csv", ".gpkg", ".json", ".xlsx", ".html"}


def test_all_services_are_asked_unless_one_is_named(run_json: Callable[..., dict]) -> None:
    assert list(run_json("coverage")["services"]) == ["medical", "fitness", "sampling", "emergency"]


def test_more_minutes_never_cover_fewer(run_json: Callable[..., dict]) -> None:
    shares = [
        run_json("coverage", "--service", "fitness", "--minutes", m)["services"]["fitness"]["total"]["share_people"]
        for m in ("10", "15", "30")
    ]
    assert shares == sorted(shares)
    assert shares[0] < shares[2]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_command_works_from_any_folder_and_gives_the_same_bytes(example: Path, medical: Written, tmp_path: Path) -> None:
    command = Path(sys.executable).parent / ("circle15.exe" if os.name == "nt" else "circle15")
    ask = [command, "coverage", str(example.parent), "--service", "medical", "--out", "again"]
    other_order = os.environ | {"PYTHONHASHSEED": "15"}  # of sets
    done = subprocess.run(ask, cwd=tmp_path, env=other_order, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert "进贤县（示意）" in done.stdout.decode()
    again, first = bytes_of(tmp_path / "again"), bytes_of(medical.folder)
    assert again.keys() == first.keys()
    assert [name for name in first if again[name] != first[name]] == []


def test_a_plan_asked_for_twice_gives_the_same_bytes(example: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert main(["site", str(example), "--sites", "3", "--out", str(tmp_path / name)]) == 0
    assert len(bytes_of(tmp_path / "one")) >= 6
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")


def test_restricted_facilities_are_named_in_no_output(
    example: Path, medical: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.read_excel(example.parent / "medical.xlsx", dtype=str, engine="openpyxl")
    secret = table[table["涉密"] == "是"]
    assert len(secret) >= 1
    files = ["--out", str(tmp_path), "--files", "csv,gpkg,json,html,folium"]
    for command, out in (
        (["coverage"], []),
        (["coverage", "--service", "emergency"], files),
        (["site", "--sites", "5"], files),
        (["check"], []),
    ):
        assert main([command[0], str(example), *command[1:], *out]) == 0
        assert main([command[0], str(example), *command[1:], "--json"]) == 0
    said = capsys.readouterr().out.encode() + b"".join([*bytes_of(medical.folder).values(), *bytes_of(tmp_path).values()])
    for name in [*secret["名称"], *secret["编码"]]:
        assert name.encode() not in said


def test_site_gives_the_number_asked_for_keeps_what_exists_and_proves_it(run_json: Callable[..., dict]) -> None:
    said = run_json("site", "--service", "emergency", "--sites", "5")
    assert len(said["sites"]) == 5
    assert said["status"] == "optimal"
    assert said["gap"] == 0
    kept = [site for site in said["site_list"] if not site["new"]]
    assert [site["kind"] for site in kept] == ["emergency_centre"]
    assert said["new_sites"] == [site for site in said["sites"] if site != kept[0]["id"]]
    before, after = (next(row for row in said[when] if row["row"] == "total") for when in ("before", "after"))
    assert before["covered_people"] < after["covered_people"] == said["served"]
    assert "再没有更好的 5 个点" in said["proof"]["zh"]


def test_site_equals_brute_force_over_all_choices(prepared: Prepared) -> None:
    region = prepared.region
    plan = site_standby(prepared, "emergency", sites=3)
    definition = plan.definition
    eligible = region.facilities.eligible("emergency") & region.facilities.open_on(region.date) & ~region.facilities.restricted
    exists = region.facilities.of_kinds(definition.kinds)
    places = region.facilities.take(np.flatnonzero((eligible & ~region.facilities.external) | exists))
    backstop = definition.model_copy(update={"urban": Limit(minutes=30), "rural": Limit(minutes=30)})
    wide, near = (within_limits(one, prepared.network("drive"), region.demand, places).toarray() for one in (backstop, definition))
    kept = [at for at in range(len(places)) if places.kind[at] in definition.kinds]
    free = [at for at in range(len(places)) if at not in kept]
    best = max(
        (region.demand.people[wide[:, [*kept, *two]].any(axis=1)].sum(), region.demand.people[near[:, [*kept, *two]].any(axis=1)].sum())
        for two in combinations(free, 2)
    )
    assert (plan.backstop.objective, plan.result.objective) == best


def test_a_forced_point_is_in_and_counts_towards_the_total(run_json: Callable[..., dict]) -> None:
    forced = run_json("site", "--sites", "3", "--fixed", "WS-0003")
    assert "WS-0003" in forced["sites"]
    assert len(forced["sites"]) == 3
    assert len(forced["new_sites"]) == 2
    assert "WS-0003" in forced["new_sites"], "it is forced, and it is new"
    assert "另保留 1 个、指定 1 个，共 3 个" in forced["proof"]["zh"]


def test_check_tells_rows_people_and_what_is_doubtful(run_json: Callable[..., dict]) -> None:
    said = run_json("check")
    assert said["facts"]["people_inside"] == 620_254
    found = {finding["code"]: finding for finding in said["findings"]}
    assert found["external"]["count"] == 2
    assert found["disconnected_drive"]["people"] > 0


def test_matrix_keeps_ids_as_text_and_reports_points_off_the_network(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    homes = pd.read_excel(example.parent / "settlements.xlsx", dtype=str, engine="openpyxl")[["经度", "纬度"]].head(3).to_numpy().tolist()
    points = [["060816029.00", *homes[0]], ["007", *homes[1]], ["x", *homes[2]], ["lost", "116.45", "28.6505"]]
    table = tmp_path / "points.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["id", "lon", "lat"], *points])
    ask = [
        "matrix",
        str(example.parent / "roads.osm.pbf"),
        "--mode",
        "drive",
        "--from",
        str(table),
        "--to",
        str(table),
        "--max-snap",
        "150",
    ]
    for out in ("od.csv", "od.parquet"):
        assert main([*ask, "--max-snap", "150", "--out", str(tmp_path / out)]) == 0
    err = capsys.readouterr().err
    found = pd.read_csv(tmp_path / "od.csv", dtype={"from_id": str, "to_id": str})
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "od.parquet"), check_dtype=False)
    assert list(found.columns) == ["from_id", "to_id", "minutes", "metres"]
    assert {"060816029.00", "007"} <= set(found["from_id"])
    assert "lost" not in set(found["from_id"])
    assert "from lost" in err
    assert (found.loc[found["from_id"] == found["to_id"], "minutes"] == 0).all()


def test_an_example_of_another_seed_says_where_it_is_and_opens(other_example: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(other_example.parent), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"]["people_inside"] == 620_254


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--service", "dental"], ["dental", "medical"]),
        (["--service", "medical", "--definition", "swim"], ["swim", "walk"]),
        (["--service", "medical", "--minutes", "0"], ["0"]),
        (["--service", "medical", "--minutes", "-3"], ["-3"]),
        (["--service", "medical", "--minutes", "nan"], ["nan"]),
        (["--service", "emergency", "--definition", "distance", "--minutes", "9"], ["distance"]),
        (["--definition", "walk"], ["--service"]),
    ],
)
def test_coverage_refuses_impossible_questions(
    example: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: list[str]
) -> None:
    complaint = fails(capsys, "coverage", example, *options)
    assert all(word in complaint for word in words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sites", "500"], ["500"]),
        (["--sites", "0"], ["0"]),
        (["--sites", "5", "--fixed", "nowhere"], ["nowhere"]),
        (["--sites", "5", "--service", "fitness"], ["fitness"]),
        (["--sites", "1", "--fixed", "WS-0003"], ["1"]),
    ],
)
def test_site_refuses_impossible_questions(example: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: list[str]) -> None:
    complaint = fails(capsys, "site", example, *options)
    assert all(word in complaint for word in words)


def test_unwritable_folder_is_told_and_nothing_is_left_behind(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("here")
    complaint = fails(capsys, "coverage", example, "--service", "sampling", "--out", tmp_path / "file" / "out")
    assert "file" in complaint
    complaint = fails(capsys, "example", tmp_path / "file")
    assert "file" in complaint


def test_matrix_refuses_what_it_cannot_answer(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    roads = example.parent / "roads.osm.pbf"
    near, far = tmp_path / "near.csv", tmp_path / "far.csv"
    near.write_text("id,lon,lat\na,116.25,28.38\n")
    far.write_text("id,lon,lat\nb,28.38,116.25\nc,0,0\n")
    away = tmp_path / "away.csv"
    away.write_text("id,lon,lat\nd,10.5,50.5\n")
    base = ["matrix", roads, "--mode", "walk", "--out", tmp_path / "od.csv"]
    assert "far.csv" in fails(capsys, *base, "--from", near, "--to", far)
    assert "d (10.5, 50.5)" in fails(capsys, *base, "--from", near, "--to", away)
    assert "missing.csv" in fails(capsys, *base, "--from", near, "--to", tmp_path / "missing.csv")
    assert "od.txt" in fails(capsys, "matrix", roads, "--mode", "walk", "--from", near, "--to", near, "--out", tmp_path / "od.txt")
    assert "--limit-minutes" in fails(capsys, *base, "--from", near, "--to", near, "--limit-minutes", "0")
    assert not (tmp_path / "od.csv").exists()


@pytest.mark.parametrize("arguments", [[], ["coverage"], ["site", "r", "--sites", "five"], ["matrix", "r", "--mode", "fly"], ["dance"]])
def test_a_wrong_command_is_told_in_one_paragraph(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert "--help" in fails(capsys, *arguments)


def test_missing_region_is_told_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere" in fails(capsys, "check", tmp_path / "nowhere" / "region.toml")


def test_a_changed_limit_stands_in_every_output(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", str(example), "--service", "fitness", "--minutes", "10", "--out", str(tmp_path), "--files", "csv,html"]) == 0
    assert "时限改为 10 分钟" in capsys.readouterr().out
    for file in ("coverage.csv", "gaps.csv"):
        assert set(pd.read_csv(tmp_path / file)["limit"]) == {"10 min"}
    gaps = pd.read_csv(tmp_path / "gaps.csv")
    assert (gaps.loc[gaps["cause"] == "too_far", "nearest_minutes"] > 10).all()


def test_what_is_beyond_the_limit_never_reads_as_the_limit() -> None:
    assert [round_up(minutes) for minutes in (15.0, 15.0047, 14.96, 15.1)] == [15.0, 15.1, 15.0, 15.1]


def test_both_definitions_are_sited_with_the_same_backstop(run_json: Callable[..., dict]) -> None:
    within = [run_json("site", "--sites", "5", "--definition", one)["backstop"]["within"] for one in ("response", "distance")]
    assert within[0] == within[1]


@pytest.fixture(scope="module")
def changed(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The county without fitness, one settlement outside all townships, one in another than it says."""
    county = tmp_path_factory.mktemp("changed") / "county"
    shutil.copytree(example.parent, county)
    table = pd.read_excel(county / "settlements.xlsx", dtype=str, engine="openpyxl")
    table.loc[9, "乡镇代码"] = "360124211"
    table.loc[5, ["乡镇代码", "经度"]] = ["", "115.9"]
    table.to_excel(county / "settlements.xlsx", index=False)
    described = (county / "region.toml").read_text(encoding="utf-8")
    kept = [block for block in described.split("[[facilities]]") if "fitness" not in block]
    (county / "region.toml").write_text("[[facilities]]".join(kept), encoding="utf-8")
    return county


def test_check_names_settlements_outside_and_in_another_township(changed: Path, run_json: Callable[..., dict]) -> None:
    names = pd.read_excel(changed / "settlements.xlsx", engine="openpyxl")["名称"]
    found = {finding["code"]: finding for finding in run_json("check", region=changed)["findings"]}
    assert found["outside_zones"]["count"] == 1
    assert names[5] in found["outside_zones"]["first"]
    assert found["other_zone"]["count"] == 1
    assert names[9] in found["other_zone"]["first"]


def test_a_service_without_facilities_is_not_passed_off_as_0_percent(
    changed: Path, run_json: Callable[..., dict], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["coverage", str(changed), "--service", "fitness"]) == 0
    assert "没有此类机构的数据" in capsys.readouterr().out
    found = {finding["code"]: finding for finding in run_json("check", region=changed)["findings"]}
    assert found["no_facilities"]["first"] == "fitness"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["site", "REGION", "--sites", "5", "--limit", "3", "--cost", "metres"], "--cost, --limit"),
        (["site", "--matrix", "od.csv", "--demand", "w.csv", "--sites", "1", "--limit", "3", "--spacing", "300"], "--spacing"),
    ],
)
def test_options_of_the_other_way_to_site_are_refused(
    example: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in fails(capsys, *(str(example) if one == "REGION" else one for one in arguments))


def test_older_files_are_put_back_if_one_cannot_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old a")
    (tmp_path / "b.csv").mkdir()
    (tmp_path / "b.csv" / "kept").write_text("a folder where a file should go")
    with pytest.raises(OutputError):
        write_files(tmp_path, {"a.csv": lambda path: path.write_text("new a"), "b.csv": lambda _path: None})
    assert (tmp_path / "a.csv").read_text() == "old a"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "b.csv"]
