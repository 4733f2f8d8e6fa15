"""What the tables for people say beside the central figure: ranges, 65 and over, and who is counted nowhere."""

import argparse
from dataclasses import replace

import gridtown as town
import numpy as np
import pytest

from coverage.stats import CoverageResult, coverage
from geodata.errors import OptionError
from geodata.model import Region, RowNote
from geodata.region import Prepared
from geodata.standards import Kind, Service, Services
from scenarios.commands.common import in_year
from scenarios.compare import compare
from scenarios.model import Close, Open, Scenario
from scenarios.output.report import comparison_text, coverage_json, coverage_text, percent_range, without_place

SERVICES = Services(
    kinds={"hospital": Kind(zh="医院", en="hospital")},
    services={"medical": Service(name_zh="医疗圈", name_en="medical circle", definitions=(town.definition(),))},
)
HOMES = {"near": (2, 0), "far": (28, 0)}


def prepared(*, second: list[float] | None = None, old: list[float] | None = None, notes: tuple[RowNote, ...] = ()) -> Prepared:
    """A village near the clinic and one too far, of 60 and 40 people; `second` is another way in which they may live."""
    region = town.region(town.roads(town.streets(31, 1)), HOMES, {"C": (0, 0)}, people={"near": 60.0, "far": 40.0})
    demand = region.demand
    if second:
        demand = replace(demand, spread_names=("people", "frontage"), spreads=np.array([demand.people, second]))
    if old:
        demand = replace(demand, old=np.array(old))
    return Prepared(replace(region, demand=demand, row_notes=notes), SERVICES, town.speeds())


def counted(given: Prepared) -> CoverageResult:
    return coverage(given.region, town.definition(), given.network("walk"))


def text(given: Prepared) -> str:
    return coverage_text(given, "medical", counted(given))


def note(what: str, people: float, role: str = "demand") -> RowNote:
    return RowNote(what, role, "villages.csv", 7, "v7", "七村", "Z", people, "没有坐标", "no coordinates")


def stated(region: Region, people: float) -> Region:
    return replace(region, zones=replace(region.zones, people=np.array([people])))


def test_a_range_is_told_with_what_it_is_over():
    said = text(prepared(second=[70.0, 30.0]))
    assert "区间 range" in said
    assert "60.0–70.0 %" in said
    assert "村居旁道路长度" in said
    assert "people are spread by" in said.lower()


def test_with_one_spread_nothing_is_said_of_a_range():
    said = text(prepared())
    assert "区间" not in said
    assert "range" not in said
    assert "65" not in said


def test_those_of_65_and_over_have_a_column_where_they_are_known():
    assert "25.0 %" in text(prepared(old=[5.0, 15.0]))


def test_people_without_a_place_are_told_and_counted_nowhere():
    given = prepared(notes=(note("unlocated", 30.0), note("left_out", 5.0), note("left_out", -1.0), note("unlocated", 9.0, "facilities")))
    assert "另有 3 个村（社区）没有位置：35 人（1 个人数不明）未计入。" in text(given)
    assert "3 more settlements have no place: 35 people (1 of unknown size), not counted." in text(given)
    assert coverage_json(given, {"medical": counted(given)})["people_unlocated"] == 35


def test_with_township_totals_the_settlements_that_have_a_place_bear_them():
    given = prepared(notes=(note("unlocated", 30.0),))
    given = replace(given, region=stated(given.region, 100.0))
    assert without_place(given.region) == (1, 0.0, 0)
    assert "乡镇总数由有位置的村（社区）分担" in text(given)


def test_before_and_after_have_the_range_of_after_and_of_the_gain():
    given = prepared(second=[70.0, 30.0], old=[5.0, 15.0])
    lon, lat = town.lonlat([HOMES["far"]])[0].tolist()
    scenario = Scenario(changes=(Open(id="new", name="new", kind="hospital", lon=lon, lat=lat), Close(id="C")))
    found = compare(given, scenario, town.definition())
    total = found.by_zone.iloc[-1]
    assert (total["gained_people_low"], total["gained_people"], total["gained_people_high"]) == (30, 40, 40)
    assert (total["lost_people_low"], total["lost_people"], total["lost_people_high"]) == (60, 60, 70)
    assert (total["gained_old"], total["lost_old"], total["covered_old_after"]) == (15, 5, 15)
    assert (total["covered_people_low_after"], total["covered_people_high_after"]) == (30, 40)
    assert "30.0–40.0 %" in comparison_text(found, given.region.demand)


@pytest.mark.parametrize(("low", "high", "said"), [(0.741, 0.78, "74.1–78.0 %"), (0.5, 0.5004, "50.0 %"), (np.nan, np.nan, "–")])
def test_a_range_whose_ends_read_alike_is_one_number(low, high, said):
    assert percent_range(low, high) == said


def test_the_target_year_is_printed_with_the_results():
    given = prepared()
    zones = replace(given.region.zones, growth=np.array([[0.0, 0.01, 0.02]]))
    later = in_year(argparse.Namespace(year=2036, growth="high"), replace(given, region=replace(given.region, zones=zones)))
    assert later.region.demand.people.tolist() == [73, 49]  # 100 × 1.02 ** 10 = 121.9
    assert "2036 年推算人口" in text(later)


def test_a_variant_of_growth_goes_with_a_year():
    with pytest.raises(OptionError, match="--growth goes with --year"):
        in_year(argparse.Namespace(year=None, growth="high"), prepared())
    given = prepared()
    assert in_year(argparse.Namespace(year=None, growth=None), given) is given
