"""Names of townships and villages: by code, by name, through what offices changed in them, never by order, never by a guess."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.tables.names import match_villages, match_zones

IDS = ("360124100", "360124101", "360124102", "360124103", "360124104", "001")
NAMES = ("民和镇", "吕蒙街道", "三里乡", "前坊镇", "前坊乡", "李渡镇")


def code_of(cell: str) -> str | None:
    return match_zones(pd.Series([cell], index=[7]), IDS, NAMES).code[7]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("360124100", "360124100"),
        ("３６０１２４１００", "360124100"),
        ("民和镇", "360124100"),
        ("民 和镇", "360124100"),
        ("进贤县民和镇", "360124100"),
        ("江西省南昌市进贤县民和镇", "360124100"),
        ("民和镇人民政府", "360124100"),
        ("民和", "360124100"),
        ("吕蒙乡", "360124101"),
        ("吕蒙街道办事处", "360124101"),
        ("吕蒙街办", "360124101"),
        ("三里镇", "360124102"),
        ("前坊镇", "360124103"),
        ("前坊乡", "360124104"),
        ("001", "001"),
    ],
)
def test_a_township_is_found_by_code_name_or_stem(cell, code):
    assert code_of(cell) == code


@pytest.mark.parametrize("cell", ["前坊街道", "前坊", "民", "镇", "合计", "360124999", "", "—", "1", "01", "和镇"])
def test_a_name_that_could_be_two_or_none_is_no_match(cell):
    assert code_of(cell) is None


def test_what_is_wrong_is_told_by_row_and_a_blank_is_not_wrong():
    given = pd.Series(["", "无", "前坊街道", "南镇", "01"], index=[2, 3, 4, 5, 6])
    assert [problem.en for problem in match_zones(given, IDS, NAMES).problems] == [
        "township names that are not unique, give the code: 4 (前坊街道)",
        "township codes that lost the zeros they began with: 6 (01)",
        "rows of no known township: 5 (南镇)",
    ]


def test_a_name_that_two_townships_bear_needs_the_code():
    match = match_zones(pd.Series(["西镇", "E"]), ["W", "E"], ["西镇", "西镇"])
    assert (match.code.tolist(), len(match.problems)) == ([None, "E"], 1)


def test_a_change_of_the_name_is_listed_and_a_space_is_none():
    match = match_zones(pd.Series(["吕蒙乡", "民 和镇", "360124102"], index=[3, 4, 5]), IDS, NAMES)
    assert match.renamed == ((3, "吕蒙乡", "吕蒙街道"),)


@given(st.permutations(range(len(IDS))), st.permutations(["民和镇", "吕蒙乡", "三里乡", "360124103", "前坊乡", "进贤县李渡镇"]))
def test_the_order_of_rows_and_of_townships_is_of_no_matter(order, cells):
    expected = {"民和镇": 0, "吕蒙乡": 1, "三里乡": 2, "360124103": 3, "前坊乡": 4, "进贤县李渡镇": 5}
    found = match_zones(pd.Series(cells), [IDS[at] for at in order], [NAMES[at] for at in order]).code
    assert found.tolist() == [IDS[expected[cell]] for cell in cells]


@given(st.text(max_size=6))
def test_any_cell_is_a_township_or_none(cell):
    assert code_of(cell) in {None, *IDS}


VILLAGES, OF = ("张家村", "张家", "李家居委会", "王家村", "王家社区"), ("A", "B", "A", "B", "B")


@pytest.mark.parametrize(
    ("name", "zone", "at"),
    [
        ("张家村", "", 0),
        ("张家村民委员会", "A", 0),
        ("张家村委会", "B", 1),
        ("张家村委会", "", -1),
        ("李家社区居委会", "", 2),
        ("李家社区居民委员会", "A", 2),
        ("王家", "B", -1),
        ("王家社区", "B", 4),
        ("赵家村", "A", -1),
        ("", "A", -1),
        ("李家社区", "B", -1),
    ],
)
def test_a_village_is_found_by_name_within_its_township(name, zone, at):
    assert match_villages(pd.Series([name]), pd.Series([zone]), VILLAGES, OF).tolist() == [at]
