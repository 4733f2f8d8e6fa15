"""``circle15 curve`` on the example county: its figures, what is said of them, its files."""

import io
import json
from pathlib import Path

import openpyxl
import pytest

from geodata.region import Prepared
from scenarios.cli import main
from scenarios.output.curve_report import curve_files, curve_json, curve_text
from scenarios.output.curve_tables import curve_table, order_said, order_table, year_table
from scenarios.output.writers import file_bytes
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.curve import RegionCurve, Years, region_curve
from scenarios.siting.region.standby import site_standby
from scenarios.siting.stop import Stop


def curve_of(prepared: Prepared, *, most: int = 7, order_sites: int | None = None, years: Years | None = None) -> RegionCurve:
    return region_curve(
        prepared,
        "emergency",
        Choice(sites=1),
        definition_id=None,
        most=most,
        order_sites=order_sites,
        years=years,
        stop=Stop(),
        progress=lambda *_: None,
    )


@pytest.fixture(scope="module")
def found(prepared: Prepared) -> RegionCurve:
    return curve_of(prepared, years=Years({2026: 3, 2028: 4, 2030: 6}, "central"))


def test_five_points_are_those_that_site_chooses(prepared: Prepared, found: RegionCurve) -> None:
    five = found.curve.results[5]
    assert five.sites == site_standby(prepared, "emergency", sites=5).result.sites
    assert [stage.objective for stage in five.stages] == [581_572, 493_457]


def test_the_backstop_has_its_price(found: RegionCurve) -> None:
    """More points may leave fewer within the limits, since those beyond 30 minutes come first."""
    table = curve_table(found).set_index("sites")
    assert (table.loc[5, "fewer_limits"], table.loc[5, "more_backstop"]) == (31_897, 1_791)
    assert table.loc[7, "limits_gain"] < 0
    assert (table["backstop_gain"].dropna() > 0).all()
    assert (table["fewer_limits"] >= 0).all()


def test_building_on_costs_what_the_table_says(found: RegionCurve) -> None:
    table = order_table(found)
    assert list(table["sites"]) == [2, 3, 4, 5, 6, 7]
    last = table.iloc[-1]
    assert last["backstop"] == last["backstop_anew"] == found.curve.results[7].stages[0].objective
    assert (table["backstop"] <= table["backstop_anew"]).all()
    assert set(table["id"]) == set(found.curve.results[7].sites) - {"JJ-0001"}


def test_what_is_built_in_a_year_stays(found: RegionCurve) -> None:
    assert found.years is not None
    assert found.years.status == "optimal"
    table = year_table(found)
    assert list(table["sites"]) == [3, 4, 6]
    assert [len(ids.split("，")) for ids in table["new_ids"]] == [2, 1, 2]
    assert (table["backstop"] <= table["backstop_anew"]).all()
    assert table["backstop"].iloc[0] == found.curve.results[3].stages[0].objective  # 2026 is the region's own year


def test_the_order_is_of_the_number_asked_for_or_the_knee(prepared: Prepared, found: RegionCurve) -> None:
    assert (found.order_sites, found.order_why) == (7, "most")
    asked_for = curve_of(prepared, most=4, order_sites=3)
    assert (asked_for.order_sites, asked_for.order_why) == (3, "sites")


def test_the_text_says_knee_proof_price_and_method(prepared: Prepared, found: RegionCurve) -> None:
    text = curve_text(prepared, found)
    for said in (
        "点数为 7 时符合口径的人反而减少",
        "Kneedle",
        "建设次序已证明最优",
        "已证明：没有另一种只加不撤的分年方案更好",
        "示意数据 illustrative",
        "拐点",
    ):
        assert said in text
    assert text.index("Knee (within the limits): 6 points") > 0


def test_json_has_the_figures_and_no_seconds_among_them(prepared: Prepared, found: RegionCurve) -> None:
    said = json.loads(json.dumps(curve_json(prepared, found)))
    assert said["curve"][4]["limits"] == 493_457
    assert said["knees"] == {"backstop": 3, "limits": 6}
    assert [stage["name"] for stage in said["stages"]] == ["backstop", "limits"]
    assert "seconds" in said
    written = json.loads(file_bytes("curve.json", curve_files(prepared, found)["curve.json"]))
    assert said.pop("seconds") >= 0
    assert written == said


def test_the_plan_by_year_says_why_it_begins_elsewhere_than_the_order_and_whose_facilities_it_has(
    prepared: Prepared, found: RegionCurve
) -> None:
    text = curve_text(prepared, found)
    assert "与建设次序不同：建设次序是对 7 个点的方案排的，各步一样重；分年方案另行选点（末年 6 个）" in text
    assert "当年重新选（机构按 2026-01-01）" in text
    assert "site --year 则按那一年在用的机构" in text
    assert "表中标出的是最后一个目标（符合口径）的拐点" in text


def test_points_chosen_anew_are_more_or_fewer_never_less_than_none(prepared: Prepared) -> None:
    said = [zh for zh, _ in order_said(curve_of(prepared, most=6))]
    assert any("与同样点数重新选址相比，30 分钟内少：" in zh for zh in said)
    better = next(zh for zh in said if "符合口径反而比重新选址多，因为重新选址先顾前面的目标" in zh)
    assert "-" not in better


@pytest.mark.parametrize(("weighted", "named"), [(False, "最远（分钟）"), (True, "单处最大（人×分钟）")])
def test_a_farthest_that_falls_is_a_gain_and_the_curve_ends_where_it_falls_no_more(
    prepared: Prepared, *, weighted: bool, named: str
) -> None:
    choice = Choice(model="p-center", sites=1, weighted=weighted, forbidden=("WS-0009",))
    asked_for = {"definition_id": None, "most": None, "order_sites": None, "years": None}
    told = region_curve(prepared, "emergency", choice, stop=Stop(), progress=lambda *_: None, **asked_for)
    table = curve_table(told)
    assert told.curve.ended == "all"
    assert (table["cost_gain"].iloc[-1], table["cost"].iloc[-1]) == (
        pytest.approx(table["cost"].iloc[-2] - table["cost"].iloc[-1]),
        told.curve.ceiling[1] / 60_000,
    )
    assert table["cost_gain"].iloc[-1] > 0
    text = curve_text(prepared, told)
    assert "减少 less" in text
    assert named in text
    assert " -0" not in text


def test_points_of_the_curve_have_names(found: RegionCurve) -> None:
    first = curve_table(found).iloc[1]
    assert (first["site_ids"], first["site_names"]) == ("JJ-0001，WS-0005", "进贤县急救中心（示意），梅庄镇卫生院")


def test_the_workbook_has_a_chart_of_the_curve_and_the_same_bytes_again(prepared: Prepared, found: RegionCurve) -> None:
    write = curve_files(prepared, found)["curve.xlsx"]
    content = file_bytes("curve.xlsx", write)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["说明", "曲线", "建设次序", "分年"]
    chart = book["曲线"]._charts[0]  # noqa: SLF001  openpyxl shows them in no other way
    assert [series.val.numRef.f for series in chart.series] == ["曲线!$C$3:$C$9", "曲线!$G$3:$G$9"]
    assert file_bytes("curve.xlsx", write) == content


def test_the_command_writes_the_files_that_are_asked_for(prepared: Prepared, example: Path, tmp_path: Path, capsys) -> None:
    assert prepared is not None
    out = tmp_path / "out"
    assert main(["curve", str(example), "--most", "2", "--model", "mclp", "--out", str(out), "--files", "csv", "--json"]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["build_order.csv", "curve.csv"]
    said = capsys.readouterr()
    assert json.loads(said.out)["ended"] == "most"
    assert "2 sites …" in said.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--by-year", "2026:2,2026:3"], "--by-year"),
        (["--by-year", "2026"], "--by-year"),
        (["--by-year", "2026:2", "--year", "2030"], "--year"),
        (["--by-year", "2026:3,2028:2"], "2028"),
        (["--by-year", "2026:3,2028:99"], "it can be 1 to 18"),
        (["--model", "lscp"], "lscp"),
        (["--model", "bacop1", "--most", "2"], "at least 13 needed"),
        (["--most", "2", "--fixed", "WS-0001", "--forbid", "WS-0001"], "WS-0001"),
        (["--equal", "5"], "--equal"),
        (["--most", "2", "--sites", "4"], "--most 2"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_both_languages(example: Path, capsys, options: list[str], said: str) -> None:
    assert main(["curve", str(example), *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert " / " in error


@pytest.mark.parametrize(("option", "given"), [("--by-year", "2026:4,2028:2"), ("--model", "lscp"), ("--model", "bacop2")])
def test_what_needs_no_region_is_refused_before_it_is_read(tmp_path: Path, capsys, option: str, given: str) -> None:
    assert main(["curve", str(tmp_path / "no region"), option, given]) == 2
    assert (given if option == "--model" else option) in capsys.readouterr().err
