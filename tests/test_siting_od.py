"""Sites from a table of travel costs: what is read, what is refused, and the command."""

import json
import re
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import Circle15Error, InputError, OptionError
from geodata.tables.csv_text import read_csv_text
from scenarios.cli import main
from scenarios.siting.question import MODELS
from scenarios.siting.result import SitingResult
from scenarios.siting.tables.od import OdQuestion, site_from_matrix
from scenarios.siting.tables.od_table import read_od, read_weights

MATRIX = "from_id,to_id,minutes\n060816029.00,007,10\n060816029.00,7,20\nv2,007,15\nv2,7,\nv3,7,16\n"
WEIGHTS = "id,people\n060816029.00,100\nv2,20\nv3,4\nisland,1000\n"


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def ask(folder: Path, matrix: str | bytes = MATRIX, weights: str | bytes = WEIGHTS, **options: object) -> SitingResult:
    question = {"sites": 1, "limit": 15.0} | options
    return site_from_matrix(put(folder, "od.csv", matrix), put(folder, "weights.csv", weights), OdQuestion(**question))


def test_one_site_serves_the_most_people_and_the_island_counts_in_the_total(tmp_path):
    result = ask(tmp_path)
    assert (result.status, result.sites, result.new_sites) == ("optimal", ("007",), ("007",))
    assert (result.objective, result.bound, result.served, result.total) == (120, 120, 120, 1124)
    assert (result.gap, result.unreachable) == (0, ("island",))


def test_the_limit_is_inclusive(tmp_path):
    assert ask(tmp_path, limit=14.999).served == 100
    assert ask(tmp_path, limit=15).served == 120
    assert ask(tmp_path, limit=15.001).served == 120


@settings(deadline=None, max_examples=50)
@given(cost=st.floats(0.001, 1e6))
def test_a_limit_typed_as_in_the_file_includes_that_row(tmp_path_factory, cost):
    folder = tmp_path_factory.mktemp("inclusive")
    assert ask(folder, f"from_id,to_id,minutes\na,s,{cost!r}\n", "id\na\n", limit=cost).served == 1


def test_a_fixed_site_stays_and_is_not_new(tmp_path):
    result = ask(tmp_path, sites=2, fixed=("7",), limit=16)
    assert (result.sites, result.fixed, result.new_sites, result.served) == (("007", "7"), ("7",), ("007",), 124)


def test_a_village_with_blank_costs_only_is_unreachable(tmp_path):
    result = ask(tmp_path, MATRIX + "v4,7,\n", WEIGHTS + "v4,1\n")
    assert result.unreachable == ("island", "v4")


def test_a_village_beyond_the_limit_is_unserved_but_not_unreachable(tmp_path):
    assert "v3" not in ask(tmp_path).unreachable


def test_each_id_weighs_one_where_people_are_absent(tmp_path):
    result = ask(tmp_path, weights="id\n060816029.00\nv2\nv3\n")
    assert (result.served, result.total) == (2, 3)


def test_another_column_may_be_the_cost(tmp_path):
    matrix = "from_id,to_id,minutes,metres\na,x,1,900\na,y,9,100\n"
    assert ask(tmp_path, matrix, "id\na\n", cost="metres", limit=100).sites == ("y",)


def test_the_demand_is_the_side_that_the_weights_name(tmp_path):
    assert ask(tmp_path, "from_id,to_id,minutes\ns1,v,20\ns2,v,5\n", "id,people\nv,8\n").sites == ("s2",)


def test_where_both_sides_are_named_the_demand_is_from_unless_asked_otherwise(tmp_path):
    matrix, weights = "from_id,to_id,minutes\na,b,5\nb,a,50\nb,b,0\na,a,0\n", "id,people\na,1\nb,2\n"
    assert ask(tmp_path, matrix, weights).sites == ("b",)
    assert ask(tmp_path, matrix, weights, demand_side="to").sites == ("a",)


def test_ids_stay_text_in_parquet_too(tmp_path):
    path = tmp_path / "od.parquet"
    pd.DataFrame({"from_id": ["007", "7"], "to_id": ["060816029.00", "x"], "minutes": [5.0, np.nan]}).to_parquet(path)
    result = site_from_matrix(path, put(tmp_path, "w.csv", "id\n007\n7\n"), OdQuestion(sites=1, limit=5))
    assert (result.sites, result.unreachable) == (("060816029.00",), ("7",))


def test_whole_number_ids_in_parquet_become_their_digits(tmp_path):
    path = tmp_path / "od.parquet"
    pd.DataFrame({"from_id": [1, 2], "to_id": [3, 3], "minutes": [5, 6]}).to_parquet(path)
    assert site_from_matrix(path, put(tmp_path, "w.csv", "id\n1\n2\n"), OdQuestion(sites=1, limit=5)).served == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_ids_are_read_in_the_usual_encodings(tmp_path, encoding):
    matrix = "from_id,to_id,minutes\r\n石碌镇,县医院,5\r\n"
    assert ask(tmp_path, matrix.encode(encoding), "id\r\n石碌镇\r\n".encode(encoding)).sites == ("县医院",)


def test_quotes_and_spaces_around_cells_are_removed(tmp_path):
    assert ask(tmp_path, 'from_id , to_id,minutes\n"a, b",x , 5\n', 'id\n"a, b"\n').served == 1


def test_line_numbers_are_those_of_a_text_editor(tmp_path):
    assert list(read_csv_text(put(tmp_path, "t.csv", "id\na\nb\n")).index) == [2, 3]
    assert list(read_csv_text(put(tmp_path, "t.csv", "\r\nid\r\na\r\n\r\nb\r\n\r\n")).index) == [3, 5]


@settings(deadline=None, max_examples=25)
@given(st.permutations(MATRIX.splitlines()[1:]), st.permutations(WEIGHTS.splitlines()[1:]))
def test_the_order_of_rows_changes_nothing(tmp_path_factory, matrix, weights):
    folder = tmp_path_factory.mktemp("order")
    ordered = ask(folder, "\n".join([MATRIX.splitlines()[0], *matrix]), "\n".join(["id,people", *weights]), sites=2)
    assert ordered.to_json() | {"seconds": 0} == ask(folder, sites=2).to_json() | {"seconds": 0}


REFUSED_FILES = {
    "a missing column": ("from_id,to_id,metres\na,b,1\n", WEIGHTS, r"od.csv lacks the columns minutes \(it has from_id, to_id, metres\)"),
    "all missing columns": ("a,b\n1,2\n", WEIGHTS, "od.csv lacks the columns from_id, to_id, minutes"),
    "a weights file without ids": (MATRIX, "name,people\nv2,1\n", r"weights.csv lacks the column id"),
    "weights under another name": (MATRIX, "id,households\nv2,1\n", r"weights.csv has no column people \(it has id, households\)"),
    "a repeated column": ("from_id,to_id,minutes,minutes\na,b,1,2\n", WEIGHTS, "od.csv repeats the columns minutes"),
    "a repeated pair": (MATRIX + "v3,7,17\n", WEIGHTS, r"od.csv repeats, with row numbers: v3 → 7 \(6, 7\)"),
    "text as cost": (MATRIX + "v3,007,about ten\n", WEIGHTS, r"od.csv, row 7 \(about ten\): minutes is not a number"),
    "a negative cost": (MATRIX + "v3,007,-1\n", WEIGHTS, r"od.csv, row 7 \(-1\): minutes is negative"),
    "NaN as cost": (MATRIX + "v3,007,NaN\n", WEIGHTS, r"od.csv, row 7 \(NaN\): minutes is not a number"),
    "infinity as cost": (MATRIX + "v3,007,inf\n", WEIGHTS, r"row 7 \(inf\): minutes is not a number"),
    "a cost beyond all numbers": (MATRIX + "v3,007,1e999\n", WEIGHTS, r"row 7 \(1e999\): minutes is not a number"),
    "text after a blank line": (MATRIX + "\nv3,007,x\n", WEIGHTS, r"od.csv, row 8 \(x\)"),
    "a blank id": (MATRIX + ",007,1\n", WEIGHTS, "od.csv, row 7: blank from_id"),
    "a row too long": (MATRIX + "v3,007,1,2\n", WEIGHTS, r"od.csv, row 7: not as many cells as the header \(3\)"),
    "a row too short": (MATRIX + "v3,007\n", WEIGHTS, "od.csv, row 7: not as many cells"),
    "a quote without end": (MATRIX + 'v3,"007,1\nv9,7,2\n', WEIGHTS, "od.csv, row 7: not as many cells"),
    "negative people": (MATRIX, WEIGHTS + "v9,-3\n", r"weights.csv, row 6 \(-3\): people is negative"),
    "people in words": (MATRIX, WEIGHTS + "v9,many\n", r"weights.csv, row 6 \(many\): people is not a number"),
    "blank people": (MATRIX, WEIGHTS + "v9,\n", r"weights.csv, row 6 \(\): people is blank"),
    "a repeated weight": (MATRIX, WEIGHTS + "v2,1\n", r"weights.csv repeats, with row numbers: v2 \(3, 6\)"),
    "an empty matrix": ("", WEIGHTS, "od.csv is empty"),
    "an empty matrix with a BOM": (b"\xef\xbb\xbf\r\n", WEIGHTS, "od.csv is empty"),
    "a matrix without rows": ("from_id,to_id,minutes\n", WEIGHTS, "od.csv has a header but no rows"),
    "empty weights": (MATRIX, "\n", "weights.csv is empty"),
    "a workbook called csv": (b"PK\x03\x04\x00\x00" + bytes(20), WEIGHTS, "od.csv is not a text table"),
    "demand without weight": (MATRIX, "id\nv2\nv3\n", "weights.csv lacks ids that are from_id in od.csv: 060816029.00"),
    "no common id": (MATRIX, "id\n8\n", r"No from_id of od.csv \(060816029.00, v2, v3\) is an id of weights.csv \(8\). Ids are text"),
}


@pytest.mark.parametrize("case", REFUSED_FILES)
def test_a_wrong_file_is_refused_by_name_and_row(tmp_path, case):
    matrix, weights, message = REFUSED_FILES[case]
    with pytest.raises(InputError, match=message) as caught:
        ask(tmp_path, matrix, weights)
    assert all(problem.zh.endswith("。") and problem.en.endswith(".") for problem in caught.value.problems)


def test_everything_wrong_in_a_file_is_said_at_once(tmp_path):
    with pytest.raises(InputError) as caught:
        ask(tmp_path, "from_id,to_id,minutes\n,b,x\na,b,-1\na,b,1\n")
    assert len(caught.value.problems) == 4


def test_without_a_whole_side_the_larger_overlap_is_taken_for_the_demand(tmp_path):
    with pytest.raises(InputError, match=r"to_id in od.csv: v3\."):
        ask(tmp_path, "from_id,to_id,minutes\ns,v1,1\ns,v2,1\ns,v3,1\n", "id\nv1\nv2\n")


def test_the_demand_side_asked_for_must_be_named_whole(tmp_path):
    with pytest.raises(InputError, match=r"No to_id of od\.csv"):
        ask(tmp_path, demand_side="to")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sites": 3}, "only 2 candidates in od.csv"),
        ({"sites": 0}, "--sites must be at least 1, not 0"),
        ({"fixed": ("7", "007")}, "fewer than the 2 fixed"),
        ({"fixed": ("07",)}, "not among the candidates in od.csv: 07"),
        ({"forbidden": ("07",)}, "not among the candidates in od.csv: 07"),
        ({"limit": 0}, "--limit must be more than 0, not 0"),
        ({"limit": float("nan")}, "--limit must be more than 0, not nan"),
        ({"model": "magic"}, "no model magic"),
        ({"demand_side": "left"}, "from or to, not left"),
        ({"model": "partial", "sites": None, "share": 1.1}, "--share must be more than 0 and at most 1, not 1.1"),
        ({"model": "dsm", "limit2": 14, "alpha": 2}, r"--alpha must be from 0 to 1, not 2\.\n.*--limit2 \(14\) is the wider limit"),
        ({"model": "mexclp", "busy": "0.5", "fleet": 0}, "--fleet must be at least 1"),
        ({"budget": -1, "prices": "p.csv"}, "--budget must be 0 or more, not -1"),
        ({"budget": 7}, "--budget needs --prices"),
        ({"prices": "p.csv"}, "--prices needs --budget"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(tmp_path, options, message):
    with pytest.raises(OptionError, match=message):
        ask(tmp_path, **options)


NEEDS = {
    "lexicographic": "--limit, --limit2, --sites",
    "mclp": "--limit, --sites",
    "cmclp": "--limit, --capacity, --sites",
    "lscp": "--limit",
    "partial": "--limit, --share",
    "p-median": "--sites",
    "p-center": "--sites",
    "bacop1": "--limit, --sites",
    "bacop2": "--limit, --alpha, --sites",
    "mexclp": "--limit, --busy, --sites",
    "dsm": "--limit, --limit2, --alpha, --sites",
}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_says_all_that_it_needs(model):
    with pytest.raises(OptionError) as caught:
        OdQuestion(model=model)
    assert [problem.en for problem in caught.value.problems] == [f"{model} needs {NEEDS[model]}."]


USES = {
    "sites": (3, set(MODELS) - {"lscp", "partial"}),
    "limit2": (20.0, {"lexicographic", "dsm"}),
    "share": (0.5, {"partial"}),
    "alpha": (0.0, {"bacop2", "dsm"}),
    "busy": ("0.5", {"mexclp"}),
    "capacity": ("9", {"cmclp"}),
    "vehicles": ("2", {"bacop1", "bacop2", "mexclp", "dsm"}),
    "fleet": (4, {"bacop1", "bacop2", "mexclp", "dsm"}),
    "weighted": (True, {"p-center"}),
}


@pytest.mark.parametrize("model", MODELS)
def test_an_option_that_a_model_has_no_use_for_is_refused_by_name(model):
    needed = {name: value for name, (value, models) in USES.items() if model in models} | {"limit": 9.0}
    OdQuestion(model=model, **needed)
    foreign = {name: value for name, (value, models) in USES.items() if model not in models}
    with pytest.raises(OptionError) as caught:
        OdQuestion(model=model, **needed, **foreign)
    assert len(caught.value.problems) == len(foreign)
    for name in foreign:
        assert f"{model} has no use for --{name} " in str(caught.value)


def test_a_fake_parquet_is_refused(tmp_path):
    path = put(tmp_path, "od.parquet", MATRIX)
    with pytest.raises(InputError, match=r"od\.parquet is no readable Parquet"):
        read_od(path, cost="minutes")


def test_decimal_ids_in_parquet_are_refused(tmp_path):
    path = tmp_path / "od.parquet"
    pd.DataFrame({"from_id": [60816029.0], "to_id": ["x"], "minutes": [5.0]}).to_parquet(path)
    with pytest.raises(InputError, match="from_id is not text"):
        read_od(path, cost="minutes")


def test_rows_of_parquet_count_from_one(tmp_path):
    path = tmp_path / "od.parquet"
    pd.DataFrame({"from_id": ["a", "b"], "to_id": ["x", "x"], "minutes": [5.0, -1.0]}).to_parquet(path)
    with pytest.raises(InputError, match=r"od.parquet, row 2 \(-1.0\): minutes is negative"):
        read_od(path, cost="minutes")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"Cannot open .*nowhere.csv"):
        read_weights(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="or missing"):
        read_od(tmp_path / "nowhere.parquet", cost="minutes")


def test_no_refusal_is_a_bare_exception(tmp_path):
    for matrix, weights in product([MATRIX[:-9], "x", "\x01", ",", '"', "from_id,to_id,minutes\n,,\n"], ["id", ",\n", "id\n\n\n"]):
        with pytest.raises(Circle15Error):
            ask(tmp_path, matrix, weights)


def test_weights_may_have_the_usual_chinese_headers(tmp_path: Path) -> None:
    weights = put(tmp_path, "w.csv", "编码,名称,常住人口\nv2,张家村,120\n007,李家村,3\n")
    assert read_weights(weights).to_dict() == {"v2": 120.0, "007": 3.0}


def run(folder: Path, *options: object, matrix: str = MATRIX, weights: str = WEIGHTS) -> int:
    od, demand = put(folder, "od.csv", matrix), put(folder, "weights.csv", weights)
    return main(["site", "--matrix", str(od), "--demand", str(demand), *map(str, options)])


def test_the_command_answers_in_both_languages(tmp_path, capsys):
    assert run(tmp_path, "--sites", 1, "--limit", 15) == 0
    said = capsys.readouterr().out
    assert "已证明：不存在更好的 1 个点。" in said
    assert "Proven: no other site is better." in said
    assert "1 have no route to any candidate; they count: island." in said


def test_the_command_takes_every_term_of_a_model(tmp_path, capsys):
    table = put(tmp_path, "sites.csv", "编码,车辆数,繁忙率,费用（万元）\n007,2,50%,30\n7,1,20%,10\n")
    options = ["--sites", 1, "--limit", 20, "--fleet", 1, "--equal", 3, "--time-limit", 60, "--forbid", "007"]
    options += ["--busy", table, "--vehicles", table, "--prices", table, "--budget", 30]
    assert run(tmp_path, "--model", "mexclp", *options, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["sites"], said["vehicles"], said["objective"], said["status"]) == (["7"], {"7": 1}, 0.8 * 104, "optimal")


def test_without_people_the_median_is_of_places(tmp_path, capsys):
    assert run(tmp_path, "--model", "p-median", "--sites", 1, "--json", weights="id\n060816029.00\nv2\nv3\n") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["sites"], said["objective"], said["total"]) == (["007"], 25, 3)


def test_ids_with_commas_are_quoted_going_in_and_coming_out(tmp_path, capsys):
    matrix = 'from_id,to_id,minutes\nv,"a, b",5\nv,c,4\n'
    assert run(tmp_path, "--sites", 2, "--limit", 5, "--fixed", 'c,"a, b"', matrix=matrix, weights="id\nv\n") == 0
    assert '"a, b"' in capsys.readouterr().out


def test_what_contradicts_itself_is_said_in_words_and_ends_with_2(tmp_path, capsys):
    assert run(tmp_path, "--sites", 1, "--limit", 15, "--fixed", "7", "--forbid", "7", "--json") == 2
    out, err = capsys.readouterr()
    said = json.loads(out)
    assert (said["status"], said["sites"], said["objective"]) == ("infeasible", [], None)
    assert {one["kind"] for one in said["conflict"]} == {"fixed", "forbidden"}
    assert "无解" in err
    assert "No choice meets all demands" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--sites", "1", "--limit", "3", "--hour", "0", "--spacing", "300", "--closable", "all"],
            "--closable, --spacing, --hour cannot be",
        ),
        (["--sites", "1", "--limit", "3", "--time-limit", "0"], "--time-limit must be more than 0"),
        (["--sites", "1", "--limit", "3", "--equal", "0"], "--equal must be more than 0"),
        (["--model", "mexclp", "--busy", "log", "--sites", "1", "--limit", "3"], "--busy log is of a region's 120 log"),
        (["--model", "lscp", "--busy", "0.3", "--out", "x"], r"(?s)--out cannot.*lscp has no use for --busy.*lscp needs --limit"),
        (["--model", "mexclp", "--busy", "2", "--sites", "1", "--limit", "3"], "--busy must be a share of 0 or more and below 1"),
    ],
)
def test_the_command_refuses_by_name_all_at_once(tmp_path, capsys, options, said):
    assert run(tmp_path, *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(said, err)


def test_the_demand_is_needed(tmp_path, capsys):
    assert main(["site", "--matrix", str(put(tmp_path, "od.csv", MATRIX)), "--sites", "1", "--limit", "3"]) == 2
    assert "--matrix needs --demand" in capsys.readouterr().err


def test_places_are_not_called_people(tmp_path, capsys):
    assert run(tmp_path, "--sites", 1, "--limit", 15, weights="id\n060816029.00\nv2\nv3\n") == 0
    said = capsys.readouterr().out
    assert "时限内 2 处（66.7%）" in said
    assert "people" not in said
