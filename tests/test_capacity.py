"""Capacity: who is served where room is short. By hand on gridtown, against networkx, invariants, the command on the example county."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import gridtown as town
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE

from coverage.studies.allocate import Allocation, allocate, gains, most_served
from coverage.studies.capacity import CapacityResult, Terms, capacity
from coverage.studies.pairs import Pairs, whole_people
from geodata.errors import InputError, OptionError
from geodata.model import RESOURCES, Region
from geodata.norms import Norm, Norms, default_norms
from geodata.region import Prepared
from geodata.standards import ServiceDefinition, default_services
from scenarios.capacity import people_per_unit
from scenarios.cli import main
from scenarios.output.capacity_report import capacity_files, capacity_text, ties_said

# A street of 40 blocks, ten of which are 15 minutes on foot. West clinic at 5, east clinic at 15, both within ten blocks of "middle" only.
STREET = town.street(*((float(x), 0.0) for x in range(41)))
HOMES = {"west": (0, 0), "middle": (10, 0), "east": (20, 0), "far": (38, 0)}
CLINICS = {"W": (5, 0), "E": (15, 0)}
PEOPLE = {"west": 40, "middle": 100, "east": 60, "far": 7}
PER_BED = Terms("capacity", 10.0)


def county(clinics: dict[str, town.Node] | None = None, people: dict[str, float] | None = None, **columns: object) -> Region:
    columns.setdefault("capacity", [5.0, 8.0])
    return town.region(town.roads(STREET), HOMES, clinics or CLINICS, people=people or PEOPLE, **columns)


def shared(region: Region, terms: Terms = PER_BED, said: ServiceDefinition | None = None) -> CapacityResult:
    return capacity(region, said or town.definition(), town.network(region.roads), terms)


def parts(result: CapacityResult, suffix: str = "") -> dict[str, tuple[int, int, int]]:
    columns = [name + suffix for name in ("served", "over_capacity", "out_of_reach")]
    return {row["id"]: tuple(row[name] for name in columns) for row in result.places.to_dict("records")}


def by_name(result: CapacityResult) -> dict[str, dict[str, float]]:
    return {row["id"]: row for row in result.facilities.to_dict("records")}


def test_the_most_people_are_served_and_then_with_the_least_travel():
    """West has room for 50, east for 80: 130 of 200 in reach. Its own 40 and 60 live as near as the middle; all ways take 5 blocks."""
    result = shared(county())
    total = result.by_zone.iloc[-1]
    assert (total["people"], total["served"], total["over_capacity"], total["out_of_reach"]) == (207, 130, 70, 7)
    assert sum(served for served, _, _ in parts(result).values()) == 130
    assert {name: row["load"] for name, row in by_name(result).items()} == {"W": 50, "E": 80}
    assert result.mean_cost == 7.5, "five blocks on foot"


def test_where_room_is_short_the_nearer_are_served():
    result = shared(county({"W": (2, 0), "E": (15, 0)}, capacity=[5.0, 8.0]))
    served = parts(result)  # west: 40 at 2 blocks, then 10 of the middle at 8; east: 80 of the middle and the east, all at 5
    assert served["west"] == (40, 0, 0)
    assert served["far"] == (0, 0, 7)
    assert served["middle"][0] + served["east"][0] == 90
    assert result.mean_cost * 130 == pytest.approx(1.5 * (40 * 2 + 10 * 8 + 80 * 5))


def test_nobody_is_crowded_out_by_the_order_of_a_table():
    """Greedy in any order may fill the only clinic of one village with people of another who have a choice."""
    region = county({"only": (5, 0), "choice": (15, 0)}, {"west": 50, "middle": 50, "east": 0, "far": 0}, capacity=[5.0, 5.0])
    assert parts(shared(region)) == {"west": (50, 0, 0), "middle": (50, 0, 0), "east": (0, 0, 0), "far": (0, 0, 0)}


def test_one_more_bed_serves_most_where_people_wait_and_helps_until_they_are_served():
    """70 people wait: 30 more could go west (the middle's), all 70 east, by sending the middle there; in the far end nobody is helped."""
    region = county({**CLINICS, "N": (38, 0)}, capacity=[5.0, 8.0, 0.3])
    said = by_name(shared(region))
    assert (said["E"]["gain_one_unit"], said["E"]["units_that_help"], said["E"]["gain_most"]) == (10, 7, 70)
    assert (said["W"]["gain_one_unit"], said["W"]["units_that_help"], said["W"]["gain_most"]) == (10, 7, 70)
    assert (said["N"]["gain_one_unit"], said["N"]["units_that_help"], said["N"]["gain_most"]) == (4, 1, 4)
    assert list(said) == ["E", "W", "N"]


def test_each_bed_more_serves_exactly_what_was_said():
    region = county()
    before, said = shared(region), by_name(shared(region))
    for at, name in enumerate(("W", "E")):
        for more in range(10):
            beds = np.array([5.0, 8.0])
            beds[at] += more
            after = shared(replace(region, facilities=replace(region.facilities, capacity=beds)))
            gained = after.by_zone["served"].iloc[-1] - before.by_zone["served"].iloc[-1]
            assert gained == min(more * 10, said[name]["gain_most"])


def test_what_is_not_stated_is_asked_about_unless_it_is_said_what_it_counts_for():
    region = county(capacity=[5.0, np.nan])
    with pytest.raises(InputError, match="1 of 2 facilities do not state capacity"):
        shared(region)
    assert shared(region, replace(PER_BED, unstated="none")).by_zone["served"].iloc[-1] == 50
    unlimited = shared(region, replace(PER_BED, unstated="unlimited"))
    assert unlimited.by_zone["served"].iloc[-1] == 200
    assert np.isnan(by_name(unlimited)["E"]["room"])
    assert by_name(unlimited)["E"]["gain_most"] == 0


def test_a_restricted_facility_serves_and_is_never_named():
    region = county(restricted=[False, True], capacity=[5.0, np.nan])
    with pytest.raises(InputError) as asked:
        shared(region)
    assert "E name" not in str(asked.value)
    result = shared(region, replace(PER_BED, unstated="unlimited"))
    assert list(by_name(result)) == ["W"]
    assert result.load_not_shown + by_name(result)["W"]["load"] == 200
    prepared = Prepared(region, default_services(), town.speeds())
    per_unit = people_per_unit(prepared, default_norms(), result.definition, "capacity", asked=10.0)
    assert "E name" not in capacity_text(prepared, "medical", result, per_unit)


def test_every_figure_is_given_without_facilities_outside():
    region = county({"W": (5, 0), "E": (15, 0)}, zones={"Z": town.polygon([(-1, -1), (12, -1), (12, 1), (-1, 1)])})
    result = shared(region)
    assert parts(result) == {"west": (40, 0, 0), "middle": (90, 10, 0)}, "only those inside are counted"
    assert parts(result, "_without_external") == {"west": (40, 0, 0), "middle": (10, 90, 0)}
    total = result.by_zone.iloc[-1]
    assert (total["served"], total["served_without_external"]) == (130, 50)
    assert by_name(result)["E"]["load_without_external"] == 0


def test_staff_may_be_what_room_is_counted_in():
    region = county()
    staff = np.full((2, len(RESOURCES)), np.nan)
    staff[:, RESOURCES.index("nurses")] = [1, 3]
    region = replace(region, facilities=replace(region.facilities, resources=staff))
    assert shared(region, Terms("nurses", 12.5)).by_zone["served"].iloc[-1] == 12 + 37, "parts of a person are no room"
    for unit, per, said in (("doctors", 1.0, "No unit 'doctors'"), ("nurses", 0.0, "above 0"), ("nurses", np.inf, "above 0")):
        with pytest.raises(OptionError, match=said):
            Terms(unit, per)


def test_metres_count_where_the_definition_is_in_metres_and_straight_ones_where_classes_differ():
    region = county()
    assert shared(region, said=town.definition(network_m=500)).mean_cost == 500
    straight = shared(region, said=town.definition(straight_m=510))
    assert straight.mean_cost == pytest.approx(500, rel=3e-3)
    mixed = town.definition(minutes=15, rural=town.definition(network_m=500).rural)
    assert shared(region, said=mixed).measure == "straight_m"


def test_people_of_a_raster_become_whole_and_keep_the_total_of_their_township():
    people = np.array([0.3, 0.3, 0.4, 2.5, 0.5, 7.0])
    assert whole_people(people, np.array([0, 0, 0, 1, 1, 1])).tolist() == [0, 0, 1, 3, 0, 7]


def arrays(people: list[int], room: list[int], cost: dict[tuple[int, int], int]) -> tuple[np.ndarray, np.ndarray, Pairs]:
    keys = sorted(cost)
    point, facility = (np.array([key[side] for key in keys], dtype=np.int64) for side in (0, 1))
    pairs = Pairs("minutes", len(people), len(room), point, facility, np.array([cost[key] for key in keys], dtype=np.int64))
    return np.array(people), np.array(room), pairs


@st.composite
def questions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Pairs]:
    people = draw(st.lists(st.integers(0, 9), min_size=1, max_size=6))
    room = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    every = list(itertools.product(range(len(people)), range(len(room))))
    return arrays(people, room, {key: draw(st.integers(0, 5)) for key in every if draw(st.booleans())})


def judged(people: np.ndarray, room: np.ndarray, pairs: Pairs) -> tuple[int, int]:
    """People served and total cost, by networkx."""
    graph = nx.DiGraph()
    graph.add_nodes_from("st")
    graph.add_edges_from(("s", ("p", at), {"capacity": int(some), "weight": 0}) for at, some in enumerate(people))
    graph.add_edges_from((("f", at), "t", {"capacity": int(some), "weight": 0}) for at, some in enumerate(room))
    for point, facility, cost in zip(pairs.point.tolist(), pairs.facility.tolist(), pairs.cost.tolist(), strict=True):
        graph.add_edge(("p", point), ("f", facility), weight=cost)
    flow = nx.max_flow_min_cost(graph, "s", "t")
    return sum(flow["s"].values()), nx.cost_of_flow(graph, flow)


@PROFILE
@given(questions())
def test_networkx_serves_no_more_people_and_at_no_less_cost(question):
    people, room, pairs = question
    plan = allocate(people, room, pairs)
    assert (int(plan.flow.sum()), plan.cost) == judged(people, room, pairs)
    recount(plan, people, room)


def recount(plan: Allocation, people: np.ndarray, room: np.ndarray) -> None:
    """From the raw arrays: nobody twice, no facility beyond its room, three parts that add up."""
    served, load = [0] * len(people), [0] * len(room)
    for point, facility, some in zip(plan.pairs.point, plan.pairs.facility, plan.flow.tolist(), strict=True):
        assert some >= 0
        served[point] += some
        load[facility] += some
    assert all(one <= most for one, most in zip(load, room, strict=True))
    assert (plan.served + plan.over_capacity + plan.out_of_reach).tolist() == people.tolist()
    assert served == plan.served.tolist()
    assert min(plan.over_capacity) >= 0


@PROFILE
@given(questions(), st.integers(0, 3), st.integers(1, 9))
def test_more_room_never_serves_fewer_and_exactly_as_many_more_as_was_said(question, which, more):
    people, room, pairs = question
    plan, which = allocate(people, room, pairs), which % len(room)
    room = room + more * (np.arange(len(room)) == which)
    assert most_served(people, room, pairs) - plan.flow.sum() == min(more, gains(plan)[which])


@PROFILE
@given(questions(), st.randoms(use_true_random=False))
def test_another_facility_or_a_longer_limit_never_serves_fewer(question, random):
    people, room, pairs = question
    kept = np.array([random.random() < 0.7 for _ in range(len(pairs))], dtype=bool)
    assert most_served(people, room, pairs.take(kept)) <= most_served(people, room, pairs)


@PROFILE
@given(questions())
def test_without_limits_of_room_capacity_is_plain_coverage(question):
    people, room, pairs = question
    plan = allocate(people, np.full(len(room), people.sum()), pairs)
    assert plan.served.tolist() == np.where(pairs.in_reach, people, 0).tolist()
    nearest = pd.Series(pairs.cost).groupby(pairs.point).min()
    assert plan.cost == int((people[nearest.index] * nearest).sum())
    assert not gains(plan).any()


def test_the_order_of_the_tables_changes_nothing():
    region = county()
    demand, facilities = region.demand, region.facilities
    frame, back = demand.to_geodataframe().iloc[::-1], facilities.take(np.array([1, 0]))
    turned = replace(region, facilities=back, demand=type(demand).from_geodataframe(frame.drop(columns="zone"), region.zones))
    prepared = Prepared(region, default_services(), town.speeds())
    per_unit = people_per_unit(prepared, default_norms(), town.definition(), "capacity", asked=10.0)
    for name in ("by_zone", "places", "facilities"):
        pd.testing.assert_frame_equal(getattr(shared(region), name), getattr(shared(turned), name))
    assert set(capacity_files(prepared, "medical", shared(region), per_unit)) == {
        *("capacity.csv", "capacity.json", "capacity.xlsx", "capacity_by_township.csv", "capacity_facilities.csv")
    }


def norm(**said: object) -> Norm:
    base = {"name_zh": "指标", "name_en": "norm", "document": "d", "measure": "beds", "unit": "beds", "value": 5, "base": "people"}
    return Norm(**{**base, "per": 1000, "kinds": ("hospital",), "status": "M", **said})


def per_unit_of(*norms: Norm, unit: str = "capacity", name: str = "进贤县") -> float:
    prepared = Prepared(replace(county(), name=name), default_services(), town.speeds())
    return people_per_unit(prepared, Norms(norms={f"n{at}": one for at, one in enumerate(norms)}), town.definition(), unit).people


def test_one_norm_says_for_how_many_people_a_bed_is():
    assert per_unit_of(norm()) == 200
    assert per_unit_of(norm(), norm(measure="nurses", unit="staff", value=4), unit="nurses") == 250
    passed_over = [
        *(norm(value=4, force="reported"), norm(value=4, place="昌江"), norm(value=4, area="district")),
        *(norm(value=4, expiry="2022"), norm(value=4, kinds=("park",)), norm(value=4, yields_to="n0"), norm(value=4, county_factor=3)),
    ]
    assert per_unit_of(norm(), *passed_over) == 200


def test_a_norm_for_more_kinds_than_the_definition_has_is_said_to_be_for_all_together():
    prepared = Prepared(county(), default_services(), town.speeds())
    both = Norms(norms={"beds": norm(kinds=("hospital", "village_clinic"))})
    assert "口径未含 村卫生室" in people_per_unit(prepared, both, town.definition(), "capacity").said.zh
    own = Norms(norms={"beds": norm(kinds=town.definition().kinds)})
    assert "合计而言" not in people_per_unit(prepared, own, town.definition(), "capacity").said.zh


def test_facilities_at_which_one_more_unit_serves_as_many_are_said_to_tie():
    assert [len(ties_said(shared(county(capacity=rooms)))) for rooms in ([5.0, 5.0], [500.0, 5.0])] == [1, 0]


def test_where_no_norm_says_it_or_norms_differ_the_planner_must():
    with pytest.raises(OptionError, match="--per-unit"):
        per_unit_of()
    with pytest.raises(OptionError, match="n0 200; n1 250"):
        per_unit_of(norm(), norm(value=4))
    assert per_unit_of(norm(), norm(place="进贤")) == 200, "two that agree"
    with pytest.raises(OptionError, match="No unit 'doctors'"):
        per_unit_of(unit="doctors")


def test_the_command_tells_who_is_served_and_writes_the_same_bytes_twice(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    asked = ["capacity", str(example), "--service", "medical"]
    assert main(asked) == 2
    assert "--unstated none" in capsys.readouterr().err
    asked += ["--unit", "physicians", "--unstated", "none"]
    assert main([*asked, "--per-unit", "300", "--out", str(tmp_path / "one")]) == 0
    text = capsys.readouterr().out
    assert "示意数据" in text
    assert "多一个单位" in text
    assert main([*asked, "--per-unit", "300", "--out", str(tmp_path / "two"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["total"]["people"] == 620254
    assert sum(said["total"][part] for part in ("served", "over_capacity", "out_of_reach")) == 620254
    assert said["served_low"] <= said["total"]["served"] <= said["served_high"]
    assert sum(row["load"] for row in said["facilities"]) + said["load_not_shown"] == said["total"]["served"]
    written = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in written)
