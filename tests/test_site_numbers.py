"""A number for each site: one for all, or a table as an office writes it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.errors import Circle15Error, InputError, OptionError
from scenarios.siting.tables.site_numbers import Numbered, site_numbers

SITES = ("007", "7", "WS")


def table(folder: Path, content: str, name: str = "站点.csv") -> str:
    (folder / name).write_text(content, "utf-8")
    return str(folder / name)


@pytest.mark.parametrize(
    ("text", "column", "number"),
    [("2", "vehicles", 2), ("0.3", "busy", 0.3), ("30%", "busy", 0.3), ("0", "busy", 0), ("1.2万", "capacity", 12_000), ("0", "price", 0)],
)
def test_one_number_is_that_of_every_site(text: str, column: Numbered, number: float) -> None:
    assert site_numbers(text, SITES, column).tolist() == [number] * 3


@pytest.mark.parametrize(
    ("text", "column"), [("0", "vehicles"), ("1.5", "vehicles"), ("-1", "capacity"), ("1", "busy"), ("-0.1", "busy"), ("-3", "price")]
)
def test_a_number_that_cannot_be_is_refused_by_the_name_of_its_option(text: str, column: Numbered) -> None:
    with pytest.raises(OptionError, match=rf"--{column.removesuffix('s')}.* not {text}"):
        site_numbers(text, SITES, column)


def test_what_is_neither_a_number_nor_a_file_is_refused() -> None:
    with pytest.raises(OptionError, match="--busy: there is no file log"):
        site_numbers("log", SITES, "busy")


@pytest.mark.parametrize(
    ("content", "column", "numbers"),
    [
        ("id,vehicles\n7,2\nWS,1\n007,3\n", "vehicles", [3, 2, 1]),
        ("站点一览表,,\n编码,名称,车辆数（辆）\n007,甲,3\n7,乙,2辆\nWS,丙,1\n", "vehicles", [3, 2, 1]),
        ("编码,繁忙率（%）\n007,30\n7,0\nＷＳ,12.5\n", "busy", [0.3, 0, 0.125]),
        ("编码;能力\n007;300人\n7;1.2万\nWS;0\n", "capacity", [300, 12_000, 0]),
        ("编码,费用（万元）\n007,30\n7,12.5\nWS,0\n", "price", [30, 12.5, 0]),
    ],
)
def test_a_table_is_put_in_the_order_of_the_sites(tmp_path: Path, content: str, column: Numbered, numbers: list[float]) -> None:
    assert site_numbers(table(tmp_path, content), SITES, column).tolist() == numbers


def test_a_workbook_is_read_too(tmp_path: Path) -> None:
    pd.DataFrame({"编码": SITES, "车辆数": [3, 2, 1]}).to_excel(tmp_path / "车辆.xlsx", index=False)
    assert site_numbers(str(tmp_path / "车辆.xlsx"), SITES, "vehicles").tolist() == [3, 2, 1]


def test_the_order_of_the_sites_is_that_of_the_caller(tmp_path: Path) -> None:
    text = table(tmp_path, "id,capacity\n007,1\n7,2\nWS,4\n")
    assert np.array_equal(site_numbers(text, SITES[::-1], "capacity"), site_numbers(text, SITES, "capacity")[::-1])


@pytest.mark.parametrize(
    ("content", "column", "said"),
    [
        (
            "id,vehicles\n007,2\n7,0\nWS,\n",
            "vehicles",
            r"column 'vehicles' must be a whole number of 1 or more; wrong rows: 3 \('0'\), 4 \(''\)",
        ),
        ("id,busy\n007,1\n7,x\nWS,0\n", "busy", r"wrong rows: 2 \('1'\), 3 \('x'\)"),
        ("id,price\n007,300元\n7,-1\nWS,0\n", "price", r"its unit in the header; wrong rows: 2 \('300元'\), 3 \('-1'\)"),
        ("id,people\n007,1\n", "capacity", "column 'capacity' is missing"),
        ("id,capacity\n007,1\n7,1\nWS,1\nWS,2\n", "capacity", r"repeats ids, with row numbers: WS \(5\)"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, content: str, column: Numbered, said: str) -> None:
    with pytest.raises(InputError, match=said):
        site_numbers(table(tmp_path, content), SITES, column)


def test_unknown_and_missing_ids_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        site_numbers(table(tmp_path, "id,price\n007,1\nX,1\n"), SITES, "price")
    assert [problem.en.split(":")[0] for problem in caught.value.problems] == [
        "站点.csv has ids of no site",
        "站点.csv lacks the price of these sites",
    ]


def test_every_complaint_is_in_both_languages(tmp_path: Path) -> None:
    for text in ("x", "-1", table(tmp_path, "id,price\nX,1\n"), table(tmp_path, "a,b\n1,2\n", "b.csv")):
        with pytest.raises(Circle15Error) as caught:
            site_numbers(text, SITES, "price")
        assert all(problem.zh.endswith("。") and problem.en.endswith(".") for problem in caught.value.problems)
