"""People of a target year: whole, exact at every level, and refused where nothing says how they grow."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import gridtown as town
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError, OptionError
from geodata.growth import county_difference, grown, growth_rates
from geodata.model import OUTSIDE, Region
from geodata.region_file import GrowthBlock

ZONES = {"W": town.polygon([(-1, -1), (9, -1), (9, 1), (-1, 1)]), "E": town.polygon([(9, -1), (21, -1), (21, 1), (9, 1)])}
HOMES = {"w1": (0, 0), "w2": (2, 0), "e1": (10, 0), "e2": (12, 0), "out": (26, 0)}
PEOPLE = {"w1": 600.0, "w2": 400.0, "e1": 100.0, "e2": 900.0, "out": 7.0}
TOWNSHIPS = gpd.GeoDataFrame({"id": ["W", "E"], "name": ["西镇", "东镇"]}, geometry=list(ZONES.values()), crs=4326)


def county(
    rates: list[list[float]] | None = None,
    *,
    people: dict[str, float] | None = None,
    spread: list[float] | None = None,
    stated: bool = True,
) -> Region:
    """Two townships of a thousand; `spread` is a second way in which the people may live."""
    region = town.region(town.roads(town.streets(21, 1)), HOMES, {"C": (0, 0)}, people=people or PEOPLE, zones=ZONES)
    demand = replace(region.demand, old=np.rint(region.demand.people / 5))
    if spread:
        demand = replace(demand, spread_names=("people", "frontage"), spreads=np.stack([demand.people, spread]))
    totals = np.array([demand.people[demand.zone == at].sum() for at in (0, 1)]) if stated else np.full(2, np.nan)
    growth = np.array(rates if rates is not None else [[-0.01, 0.0, 0.01], [0.01, 0.02, 0.03]])
    return replace(region, demand=demand, zones=replace(region.zones, people=totals, growth=growth))


def test_each_township_grows_at_its_own_rate_from_the_year_of_the_regions_date():
    later = grown(county(), 2036)
    assert later.zones.people.tolist() == [1000, 1219]  # 1.02 ** 10 = 1.21899
    assert later.demand.people.tolist() == [600, 400, 122, 1097, 7]
    assert later.date == dt.date(2036, 1, 1)


def test_negative_growth_and_the_variants():
    low, high = (grown(county(), 2036, variant) for variant in ("low", "high"))
    assert low.zones.people.tolist() == [904, 1105]  # 0.99 ** 10 = 0.90438, 1.01 ** 10 = 1.10462; the whole county 2,009
    assert high.zones.people.tolist() == [1105, 1344]


def test_the_townships_add_up_to_the_rounded_county():
    rates = [[0.0004] * 3] * 2
    assert grown(county(rates), 2027).zones.people.tolist() == [1001, 1000]  # 2,000.8 people, 1,000.4 in each


def test_the_year_of_the_data_changes_nobody():
    region = county(spread=[500, 500, 500, 500, 7.0])
    now = grown(region, 2026, "high")
    assert now.demand.spreads.tolist() == region.demand.spreads.tolist()
    assert now.demand.old.tolist() == region.demand.old.tolist()
    assert now.date == region.date


def test_the_countys_published_people_are_those_of_its_day_only():
    region = replace(county(), county_people=2000.0)
    assert grown(region, 2026).county_people == 2000
    assert np.isnan(grown(region, 2030).county_people)


def test_people_outside_and_registered_people_stay():
    region = county()
    region = replace(region, zones=replace(region.zones, registered=np.array([5.0, 6.0])))
    later = grown(region, 2046, "high")
    assert later.demand.people[-1] == 7
    assert later.zones.registered.tolist() == [5, 6]


def test_without_stated_totals_the_settlements_are_the_base():
    later = grown(county(stated=False), 2036)
    assert later.demand.people.tolist() == [600, 400, 122, 1097, 7]
    assert np.isnan(later.zones.people).all()


def test_the_fractions_of_a_raster_stay_fractions():
    people = {**PEOPLE, "e1": 0.25, "e2": 0.75}
    assert grown(county(people=people, stated=False), 2036).demand.people[2:4] == pytest.approx([0.25 * 1.02**10, 0.75 * 1.02**10])


def test_the_source_of_the_people_says_year_variant_and_rate_in_both_languages():
    said = grown(county(), 2030, "high").people_source
    assert "2030 年推算人口：2026 年起按高方案年均增长 1–3 %" in said
    assert "people of 2030: high growth from 2026, 1–3 % a year" in said


def test_a_leap_day_has_its_eve_in_other_years():
    region = replace(county(), date=dt.date(2024, 2, 29))
    assert [grown(region, year).date for year in (2025, 2028)] == [dt.date(2025, 2, 28), dt.date(2028, 2, 28)]


@pytest.mark.parametrize(("year", "reason"), [(2025, "must be from 2026"), (20300, "to 2076")])
def test_a_year_before_the_data_or_far_off_is_refused(year, reason):
    with pytest.raises(OptionError, match=reason):
        grown(county(), year)


def test_without_growth_region_toml_is_told_what_to_write():
    with pytest.raises(OptionError, match=r"no \[growth\]: write low, central and high"):
        grown(county([[np.nan] * 3] * 2), 2030)


def test_townships_without_a_rate_are_named():
    with pytest.raises(InputError, match="Townships without a rate of growth: E"):
        grown(county([[0.01] * 3, [np.nan] * 3]), 2030)


RATE = st.floats(-0.1, 0.1)


@settings(deadline=None, max_examples=40)
@given(
    people=st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
    moved=st.lists(st.integers(0, 10**6), min_size=4, max_size=4),
    rates=st.tuples(RATE, RATE),
    year=st.integers(2026, 2076),
)
def test_nobody_is_lost_or_invented_by_growth_under_any_spread(people, moved, rates, year):
    other = np.array([*moved, 7], dtype=float)
    for pair in ((0, 1), (2, 3)):  # the same totals, spread otherwise
        other[list(pair)] = [sum(people[at] for at in pair), 0] if other[list(pair)].sum() == 0 else other[list(pair)]
        part = other[pair[0]] / max(1.0, other[list(pair)].sum())
        other[pair[0]] = np.floor(part * sum(people[at] for at in pair))
        other[pair[1]] = sum(people[at] for at in pair) - other[pair[0]]
    region = county([[rate] * 3 for rate in rates], people=dict(zip(HOMES, map(float, [*people, 7]), strict=True)), spread=other.tolist())
    later = grown(region, year)
    demand, totals = later.demand, later.zones.people
    exact = region.zones.people * (1 + np.array(rates)) ** (year - 2026)
    assert totals.sum() == np.rint(exact.sum())
    assert (np.abs(totals - exact) <= 1 + 1e-6).all()
    for spread in demand.spreads:
        assert [spread[demand.zone == at].sum() for at in (0, 1)] == totals.tolist()
        assert (spread == np.floor(spread)).all()
        assert (spread >= 0).all()
        assert spread[demand.zone == OUTSIDE].tolist() == [7]
    assert ((demand.old >= 0) & (demand.old <= demand.people)).all()


# --- rates


def rates_of(said: str, tmp_path: Path) -> list[list[float]]:
    (tmp_path / "growth.csv").write_text(said, encoding="utf-8")
    return growth_rates(GrowthBlock(file=Path("growth.csv")), tmp_path, TOWNSHIPS).tolist()


def test_one_rate_for_all_townships():
    block = GrowthBlock(low=-0.01, central=0.0, high=0.01)
    assert growth_rates(block, Path(), TOWNSHIPS).tolist() == [[-0.01, 0.0, 0.01]] * 2


def test_a_table_of_rates_is_matched_by_township_whatever_its_order(tmp_path):
    assert rates_of("乡镇,低,中,高\n东镇,0.01,0.02,3%\n西镇,-0.1%,0,0.001\n", tmp_path) == [[-0.001, 0.0, 0.001], [0.01, 0.02, 0.03]]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("东镇,0,0,0\n", "townships without a row: W"),
        ("东镇,0,0,0\n西镇,0.02,0.01,0.03\n", "growth must be low ≤ central ≤ high: 西镇"),
    ],
)
def test_a_table_of_rates_that_cannot_be_is_refused(rows, reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        rates_of("乡镇,低,中,高\n" + rows, tmp_path)


def test_a_percentage_without_its_sign_is_refused():
    with pytest.raises(InputError, match=r"\[growth\]: more than 10% a year: 西镇, 东镇"):
        growth_rates(GrowthBlock(low=0.1, central=0.4, high=0.6), Path(), TOWNSHIPS)


# --- the county's figure


def test_the_townships_are_compared_with_the_county():
    found = county_difference(np.array([600.0, 390.0]), 1000.0)
    assert found is not None
    assert (found.people, found.more, found.share) == (990, -10, -0.01)


@pytest.mark.parametrize(("by_zone", "stated"), [([600.0, np.nan], 1000.0), ([600.0, 400.0], np.nan)])
def test_what_is_not_stated_is_not_compared(by_zone, stated):
    assert county_difference(np.array(by_zone), stated) is None
