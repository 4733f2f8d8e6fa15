"""Equity of travel time: figures worked out by hand on gridtown, a naive Gini and numpy as judges, and what must always hold."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gridtown as town
import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE, corners, directions, towns

from coverage.gaps import CUT_OFF, NO_FACILITY, OFF_NETWORK
from coverage.search import start_delay_ms
from coverage.snap import snap_demand
from coverage.studies.equity import EquityResult, equity, worst_townships
from coverage.studies.inequality import gini, quantile, theil, theil_between, time_figures, worst_off
from coverage.studies.trips import NOT_LISTED, trips
from geodata.model import Region
from scenarios.cli import main

STREET = town.roads(town.streets(41, 1))
FEET = town.network(STREET)
HOMES = {"a": (2, 0), "b": (4, 0), "c": (10, 0)}  # 3, 6 and 15 minutes from the corner
PEOPLE = {"a": 1, "b": 2, "c": 4}
AT_CORNER = {"clinic": (0, 0)}
WEST = {"west": town.polygon([(-50, -50), (20.5, -50), (20.5, 100), (-50, 100)])}
times = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)), min_size=1, max_size=12)


def county(homes: Mapping[str, Any] = HOMES, clinics: Mapping[str, Any] = AT_CORNER, **more: Any) -> Region:
    return town.region(STREET, homes, clinics, people=more.pop("people", PEOPLE), **more)


def study(region: Region | None = None, **said: Any) -> EquityResult:
    return equity(region or county(), town.definition(**said), FEET)


def row(result: EquityResult, name: str = "total") -> pd.Series:
    return result.by_zone.set_index("row").loc[name]


def ms(minutes: list[float]) -> np.ndarray:
    return np.array(minutes, dtype=float) * 60_000


def arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    values, people = np.array(pairs, dtype=float).T
    return values, people


def naive_gini(values: np.ndarray, people: np.ndarray) -> float:
    """Over all pairs of people, as the definition has it."""
    everybody = np.repeat(values, people.astype(int))
    mean = everybody.mean()
    return float(np.abs(everybody[:, None] - everybody[None]).mean() / (2 * mean)) if mean else 0.0


def test_mean_median_and_gini_of_three_homes_are_those_worked_out_by_hand():
    total = row(study())
    assert total["people"] == 7
    assert total["mean_minutes"] == pytest.approx((1 * 3 + 2 * 6 + 4 * 15) / 7)
    assert (total["median_minutes"], total["p90_minutes"]) == (15, 15), "3 of 7 people are no half"
    pairs = 1 * 2 * (6 - 3) + 1 * 4 * (15 - 3) + 2 * 4 * (15 - 6)
    assert total["gini"] == pytest.approx(pairs / (7 * 75)), "126 minutes between all pairs, 7 people, 75 minutes in all"
    assert (total["unreached_people"], total["gini_at_least"]) == (0, total["gini"])


def test_the_worst_off_tenth_splits_a_settlement():
    result = study(county(people={"a": 15, "b": 4, "c": 1}))
    total = row(result)
    assert result.by_settlement.set_index("id")["tenth_people"].to_dict() == {"c": 1, "b": 1, "a": 0}
    assert (total["tenth_least_minutes"], total["tenth_mean_minutes"]) == (6, (15 + 6) / 2)


def test_equal_times_share_the_end_of_the_tenth_by_their_people():
    assert worst_off(ms([5, 5, 1]), np.array([3.0, 1.0, 36.0])).tolist() == [3, 1, 0]
    assert worst_off(ms([5, 5, 1]), np.array([6.0, 2.0, 12.0])).tolist() == [1.5, 0.5, 0]


def test_people_without_a_way_are_told_apart_and_given_no_time():
    result = study(county({**HOMES, "far": (2, 60)}, people={**PEOPLE, "far": 3}))
    total, first = row(result), result.by_settlement.iloc[0]
    assert (total["people"], total["unreached_people"]) == (10, 3)
    assert total["mean_minutes"] == pytest.approx(75 / 7)
    assert total["mean_at_least_minutes"] == pytest.approx((75 + 3 * 15) / 10)
    assert math.isnan(total["p90_minutes"]), "nine tenths are not reached in any time"
    assert (total["tenth_unreached_people"], first["id"], first["cause"]) == (1, "far", OFF_NETWORK)
    assert math.isnan(total["tenth_mean_minutes"])
    assert total["tenth_mean_at_least_minutes"] == 15


def test_an_island_is_cut_off_and_without_facilities_nobody_is_reached():
    island = town.roads([*town.streets(41, 1), ((0, 20), (5, 20))])
    region = town.region(island, {"a": (2, 0), "far": (2, 20)}, AT_CORNER)
    assert equity(region, town.definition(), town.network(island)).by_settlement["cause"].tolist() == [CUT_OFF, ""]
    none = equity(region, town.definition(kinds=("park",)), town.network(island))
    assert none.by_settlement["cause"].tolist() == [NO_FACILITY] * 2
    assert row(none)["unreached_people"] == 3
    assert math.isnan(row(none)["gini"])


def test_a_facility_outside_counts_and_every_figure_stands_without_it_too():
    homes, clinics = {"a": (2, 0), "b": (20, 0)}, {"in": (0, 0), "out": (22, 0)}
    result = study(county(homes, clinics, zones=WEST, people={"a": 3, "b": 1}))
    total = row(result)
    assert (total["mean_minutes"], total["mean_minutes_without_external"]) == (3, (3 * 3 + 30) / 4)
    assert (total["gini"], total["gini_without_external"]) == (0, pytest.approx(3 * 27 / (4 * 39)))


def test_a_restricted_facility_counts_and_is_told_nowhere():
    clinics = {"open": (40, 0), "secret": (0, 0)}
    result = study(county(clinics=clinics, restricted=[False, True]))
    assert row(result)["mean_minutes"] == pytest.approx(75 / 7)
    assert set(result.by_settlement["nearest_id"]) == {"open"}
    assert result.by_settlement.set_index("id").loc["a", "minutes"] == 38 * 1.5, "its time would tell where it stands"
    alone = study(county(clinics={"secret": (0, 0)}, restricted=[True])).by_settlement
    assert (alone["nearest_id"].tolist(), set(alone["cause"])) == ([""] * 3, {NOT_LISTED})


def test_the_worst_township_is_the_one_with_the_longest_mean_and_nobody_reached_comes_first():
    zones = {name: town.polygon([(x, -50), (x + 5, -50), (x + 5, 100), (x, 100)]) for name, x in (("near", 0), ("far", 5.5), ("empty", 30))}
    result = study(county({**HOMES, "lost": (32, 60)}, zones=zones, people={**PEOPLE, "lost": 1}))
    assert worst_townships(result.by_zone)["zone"].tolist() == ["empty", "far", "near"]


def test_the_old_have_a_row_of_their_own_unless_their_number_is_not_known():
    region = county()
    known = replace(region, demand=replace(region.demand, old=np.array([1.0, 0.0, 1.0])))
    assert row(study(known), "old")["mean_minutes"] == (3 + 15) / 2
    assert row(study(known), "total")["old_mean_minutes"] == 9
    assert "old" not in study(region).by_zone["row"].to_list()


def test_the_range_is_over_the_ways_to_spread_the_people():
    region = county()
    spreads = np.array([[1.0, 2.0, 4.0], [7.0, 0.0, 0.0]])
    total = row(study(replace(region, demand=replace(region.demand, spreads=spreads, spread_names=("people", "raster")))))
    assert (total["mean_minutes_low"], total["mean_minutes_high"]) == (3, total["mean_minutes"])
    assert (total["gini_low"], total["gini_high"]) == (0, total["gini"])


def test_the_delay_of_a_station_is_part_of_the_time():
    told = town.definition(mode="drive", direction="from_facility", call_handling_s=60, turnout_s=180)
    late = equity(county(), told, town.network(STREET, "drive"))
    assert late.by_settlement.set_index("id").loc["b", "minutes"] == 4 + 40 / 60


@PROFILE
@given(times)
def test_gini_is_that_of_all_pairs_of_people(pairs):
    values, people = arrays(pairs)
    assert gini(values, people) == pytest.approx(naive_gini(values, people), abs=1e-12)
    assert 0 <= gini(values, people) < 1


@PROFILE
@given(times, st.integers(1, 50))
def test_scaling_all_times_or_all_people_leaves_gini_and_theil(pairs, factor):
    values, people = arrays(pairs)
    for figure in (gini, theil):
        assert figure(values * factor, people) == pytest.approx(figure(values, people), abs=1e-12)
        assert figure(values, people * factor) == pytest.approx(figure(values, people), abs=1e-12)


@PROFILE
@given(st.integers(0, 99), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_equal_times_are_perfectly_even(minutes, people):
    same = np.full(len(people), float(minutes))
    assert gini(same, np.array(people, dtype=float)) == 0
    assert theil(same, np.array(people, dtype=float)) == pytest.approx(0, abs=1e-12)


@PROFILE
@given(times, st.sampled_from([0.1, 0.25, 0.5, 0.9, 1.0]))
def test_percentiles_are_those_of_numpy(pairs, share):
    values, people = arrays(pairs)
    assert quantile(values, people, share) == np.quantile(np.repeat(values, people.astype(int)), share, method="inverted_cdf")


@PROFILE
@given(times)
def test_the_worst_tenth_is_the_last_tenth_of_all_people_in_a_row(pairs):
    values, people = arrays(pairs)
    tenth, tens = worst_off(values, people), np.sort(np.repeat(values, (people * 10).astype(int)))
    assert tenth.sum() == pytest.approx(people.sum() / 10)
    assert (tenth @ values) / tenth.sum() == pytest.approx(tens[-int(people.sum()) :].mean()), "every person ten times, the last tenth"


@PROFILE
@given(times, st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), min_size=1, max_size=4))
def test_whatever_the_unreached_need_beyond_the_slowest_gini_and_mean_are_no_less_than_said(pairs, lost):
    values, people = arrays(pairs)
    more, of_them = arrays(lost)
    unknown = np.concatenate([values * 60_000, np.full(len(more), np.inf)])
    everybody = np.concatenate([people, of_them])
    figures, true = time_figures(unknown, everybody), np.concatenate([values, values.max() + more])
    assert gini(true, everybody) >= figures.gini_at_least - 1e-12
    assert np.average(true, weights=everybody) >= figures.mean_at_least_minutes - 1e-9


@PROFILE
@given(times, st.data())
def test_theil_is_the_sum_of_what_stands_between_groups_and_within_them(pairs, data):
    values, people = arrays(pairs)
    group = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(values), max_size=len(values))))
    mine = [group == one for one in range(3) if (group == one).any()]
    spent = [float(values[one] @ people[one]) for one in mine]
    within = sum(part * theil(values[one], people[one]) for one, part in zip(mine, spent, strict=True)) / max(sum(spent), 1)
    assert theil_between(values, people, group) + within == pytest.approx(theil(values, people), abs=1e-9)


@PROFILE
@given(towns(), st.lists(corners, min_size=2, max_size=4), st.lists(corners, min_size=1, max_size=5), directions)
def test_one_more_facility_never_raises_anybodys_time_and_their_order_does_not_matter(pieces, clinics, homes, direction):
    net = town.network(town.roads(**pieces))
    region = town.region(town.roads(**pieces), {f"h{i}": at for i, at in enumerate(homes)}, {f"c{i}": at for i, at in enumerate(clinics)})
    ways, places = snap_demand(net, region.demand), region.facilities
    backwards = places.take(np.arange(len(places))[::-1])
    every, fewer, turned = (
        trips(net, some, ways, direction=direction, delay_ms=start_delay_ms(town.definition(), some))
        for some in (places, places.take(np.arange(len(places) - 1)), backwards)
    )
    assert (every.ms <= fewer.ms).all()
    assert every.ms.tolist() == turned.ms.tolist()
    assert [[*places.id, ""][at] for at in every.nearest] == [[*backwards.id, ""][at] for at in turned.nearest]


def test_the_command_tells_the_example_county_and_names_no_restricted_facility(example: Path, tmp_path: Path, capsys):
    assert main(["equity", str(example), "--service", "medical", "--definition", "drive", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    table = pd.read_csv(tmp_path / "equity_settlements.csv")
    total = json.loads((tmp_path / "equity.json").read_text("utf-8"))["total"]
    assert total["people"] == table["people"].sum() == 620_254
    assert total["unreached_people"] == table.loc[table["minutes"].isna(), "people"].sum()
    assert table["tenth_people"].sum() == pytest.approx(62_025.4)
    reached = table[table["minutes"].notna()]
    some = reached["minutes"].to_numpy(), reached["people"].to_numpy()
    pairs = np.abs(np.subtract.outer(some[0], some[0])) * np.multiply.outer(some[1], some[1])
    naive = pairs.sum() / (2 * some[1].sum() ** 2 * np.average(some[0], weights=some[1]))
    assert total["gini"] == pytest.approx(naive, abs=0.002), "the restricted hospital counts, and is nobody's nearest in the table"
    assert "驻地医院" not in said + "".join(path.read_text("utf-8-sig") for path in tmp_path.glob("equity*") if path.suffix != ".xlsx")
    assert "Gini 0." in said
    sheets = openpyxl.load_workbook(tmp_path / "equity.xlsx").worksheets
    cells = [str(cell) for sheet in sheets for line in sheet.iter_rows(values_only=True) for cell in line]
    assert not any("驻地医院" in cell for cell in cells)
    assert any("sha256" in cell for cell in cells), "a workbook goes without the text: it tells its sources itself"


def test_a_limit_plays_no_part_in_equity(example: Path, capsys):
    assert main(["equity", str(example), "--service", "medical", "--minutes", "10"]) == 2
    assert "--minutes" in capsys.readouterr().err
