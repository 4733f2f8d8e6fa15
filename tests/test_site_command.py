"""``circle15 site`` on the example county: what is asked, what is said, what is written, and how it is stopped."""

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
import shapely

from geodata.errors import OptionError
from geodata.region import Prepared
from scenarios.cli import main
from scenarios.commands.common import cancellable
from scenarios.output.export import site_files
from scenarios.output.site_report import counted_lines, equal_table, site_json, site_text
from scenarios.output.site_sheets import site_sheets
from scenarios.output.writers import write_files
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.standby import RegionPlan, site_region
from scenarios.siting.region.words import proof

Ask = Callable[..., str]


@pytest.fixture
def ask(example: Path, prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> Ask:
    """``ask("--sites", "5")`` is what the command prints; `code` is how it should end."""

    def run(*options: object, code: int = 0) -> str:
        assert main(["site", str(example), *map(str, options)]) == code
        said = capsys.readouterr()
        return said.out if code == 0 else said.err

    assert prepared.region.name
    return run


@pytest.fixture(scope="module")
def moved(prepared: Prepared) -> RegionPlan:
    """The emergency centre moves."""
    return site_region(prepared, "emergency", Choice(sites=5, movable=("all",)))


@pytest.fixture(scope="module")
def tied(prepared: Prepared) -> RegionPlan:
    """So many points that several choices are as good."""
    return site_region(prepared, "emergency", Choice(model="mclp", sites=15, movable=("all",), equals=3))


def test_the_known_answer_of_the_county_stands(ask: Ask) -> None:
    said = ask("--sites", 5)
    assert "先兜底、再达标（默认）" in said
    assert "本方案正是 38,682 人；在做到这一点的选法中，没有一种能让符合口径的超过 493,457 人。再没有更好的 5 个点。" in said
    assert "within the limits of no candidate: 6 处 places" in said
    assert "没有同样好的其他方案。" in said


def test_models_and_their_terms_stand_in_the_answer(ask: Ask) -> None:
    said = json.loads(ask("--model", "partial", "--share", "0.9", "--forbid", "WS-0004", "--json"))
    assert (said["model"], said["question"]["terms"]) == ("partial", {"forbidden": ["WS-0004"], "share": 0.9})
    assert "WS-0004" not in said["sites"]
    assert said["served"] >= 0.9 * said["total"]
    assert said["backstop"] is None


def test_files_of_points_prices_vehicles_and_areas_are_read(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(
        '编码,名称,经度,纬度,费用\nA,甲地,116.24,28.40,100\n"B, b",乙地,116.40,28.50,80\n', encoding="utf-8"
    )
    (tmp_path / "vehicles.csv").write_text('id,vehicles\nJJ-0001,3\n"B, b",2\n', encoding="utf-8")
    gpd.GeoDataFrame(geometry=[shapely.box(116.3, 28.4, 116.5, 28.6)], crs=4326).to_file(tmp_path / "east.geojson")
    options = ("--candidates", tmp_path / "points.csv", "--model", "mexclp", "--busy", "0.2", "--vehicles", tmp_path / "vehicles.csv")
    said = json.loads(ask(*options, "--budget", "100", "--fixed", '"B, b"', "--within", tmp_path / "east.geojson", "--json"))
    assert (said["sites"], said["vehicles"]) == (["B, b", "JJ-0001"], {"B, b": 2, "JJ-0001": 3})
    assert [site["price"] for site in said["site_list"]] == [0, 80]
    assert "1 candidates outside the area" in said["notes"][0]["en"]


def test_wrong_options_are_told_together_before_the_region_is_read(ask: Ask) -> None:
    said = ask("--model", "dsm", "--share", "0.5", "--spacing", "-3", code=2)
    assert all(words in said for words in ("needs the number of sites", "needs --alpha", "--share goes with", "--spacing must"))
    assert "Choosing" not in said
    assert "no file nowhere.csv" in ask("--sites", "5", "--busy", "nowhere.csv", "--model", "mexclp", code=2)
    assert "--time-limit must be above 0" in ask("--sites", "5", "--time-limit", "0", code=2)


def test_a_contradiction_ends_with_its_demands_in_both_languages(ask: Ask) -> None:
    said = ask("--sites", "5", "--fixed", "WS-0003", "--forbid", "WS-0003", code=2)
    assert "互相矛盾" in said
    assert "contradict each other" in said
    assert "WS-0003" in said


def test_what_moves_is_told(prepared: Prepared, moved: RegionPlan) -> None:
    assert [one["id"] for one in site_json(prepared, "emergency", moved)["moved"]] == ["JJ-0001"]
    text = site_text(prepared, moved)
    assert "迁址 moved: 进贤县急救中心（示意）（JJ-0001） → 罗溪镇卫生院（WS-0007），9.6 km" in text
    assert "共 5 个：保留 0 个、新设 4 个、搬迁 1 个；撤销 0 个" in text


def test_what_is_as_good_is_told(prepared: Prepared, tied: RegionPlan) -> None:
    assert "选择同样好的方案 choices that are exactly as good: 3（可能还有 there may be more）" in site_text(prepared, tied)
    assert "15 sites (14 new)" in proof(tied)[1], "the centre may move, and stays"
    for row, other in zip(equal_table(tied).itertuples(), tied.result.equal, strict=True):
        assert all(one in row.instead for one in set(other) - set(tied.result.sites))
        assert all(one in row.without for one in set(tied.result.sites) - set(other))


def test_the_files_say_it_too_and_are_the_same_bytes_again(prepared: Prepared, moved: RegionPlan, tied: RegionPlan, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_files(tmp_path / name, site_files(prepared, "emergency", moved, kinds=("csv", "json", "xlsx")))
    assert all((tmp_path / "two" / path.name).read_bytes() == path.read_bytes() for path in (tmp_path / "one").iterdir())
    book = openpyxl.load_workbook(tmp_path / "one" / "site.xlsx")
    told = {row[0]: row[1] for row in book["证明"].iter_rows(min_row=3, values_only=True)}
    assert told["可迁走 movable"] == "all"
    assert told["模型 model"].startswith("先兜底")
    assert "JJ-0001" in told["迁址 moved"]
    names = [sheet.name for sheet in site_sheets(prepared, "emergency", tied)]
    assert names == ["说明", "急救点", "前后对比", "证明", "选择同样好的方案", "够不着的村居"]


def test_calls_are_told_with_how_many_there_are_and_how_many_today(prepared: Prepared) -> None:
    found = site_region(prepared, "emergency", Choice(sites=3, model="mclp", weigh="calls"))
    [(what, said)] = counted_lines(found)
    today, after, total = (float(number.replace(",", "")) for number in re.findall(r"[\d,]+(?=（)|(?<=of )[\d,]+", said))
    assert (after, total) == (round(found.result.served), round(found.result.total))
    assert today < after < total
    assert f"{what}: {said}" in site_text(prepared, found)
    assert said.endswith("次呼救 calls")


def test_ctrl_c_stops_the_search_and_a_second_one_the_program() -> None:
    before = signal.getsignal(signal.SIGINT)
    with cancellable() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.reason == "cancelled"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(OptionError), cancellable(-1.0):
        pass
