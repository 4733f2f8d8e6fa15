"""Roads in a scenario: closed, added, faster; on gridtown by hand, and what must hold in every town."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import gridtown as town
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, corners, directions, places, towns

from coverage.circles import circles
from coverage.stats import CoverageResult, coverage
from geodata.errors import InputError, OptionError
from geodata.network import NEVER
from geodata.region import Prepared
from geodata.standards import ServiceDefinition, default_services
from geodata.turns import Turn, Turns
from scenarios.compare import compare
from scenarios.model import Close, Open, Scenario, changed, parse_scenario, with_scenario
from scenarios.output.export import coverage_files
from scenarios.output.report import comparison_text
from scenarios.output.writers import write_files
from scenarios.road_changes import AddRoad, CloseRoad, MultiPolygon, Polygon, SetSpeed

# Two streets of 20 blocks, 6 blocks apart, joined at x = 0 only: way 1-20 the southern one, 21-40 the northern, 41 the link.
# New roads are measured on the globe, where a block of the town's projection is 100.3 m long.
SOUTH, NORTH = town.street(*((x, 0) for x in range(21))), town.street(*((x, 6) for x in range(21)))
LADDER = [*SOUTH, *NORTH, ((0, 0), (0, 6))]
LINK = 41
HOMES = {"H0": (0, 0), "H1": (10, 0), "H2": (10, 6), "H3": (20, 6)}  # 1, 2, 4, 8 people


def prepared_town(homes=None, clinics=None, pieces=None, **said: object) -> Prepared:
    region = town.region(town.roads(pieces or LADDER, **said), homes or HOMES, clinics or {"C": (0, 0)})
    return Prepared(region, default_services(), town.speeds())


def road(one: str, *corners_: town.Node, **said: object) -> AddRoad:
    return AddRoad(id=one, highway="residential", line=tuple(map(tuple, town.lonlat(list(corners_)).tolist())), **said)


def area(*corners_: town.Node) -> Polygon:
    return Polygon(coordinates=(tuple(map(tuple, town.lonlat([*corners_, corners_[0]]).tolist())),))


def square(x: float, y: float, half: float) -> Polygon:
    return area((x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half))


def served(prepared: Prepared, *changes: object, **said: object) -> set[str]:
    """Homes that reach the clinic after some changes, driving (10 s a block)."""
    definition = town.definition(mode="drive", **({"minutes": 5} | said))
    after = compare(prepared, Scenario().then(*changes), definition).after
    return {home for home, is_served in zip(prepared.region.demand.id, after.covered, strict=True) if is_served}


def test_closing_the_only_link_cuts_off_the_north():
    assert served(prepared_town()) == {"H0", "H1", "H2", "H3"}
    assert served(prepared_town(), CloseRoad(ways=(LINK,))) == {"H0", "H1"}


def test_whoever_lives_on_a_closed_road_is_cut_off_and_walks_to_no_farther_one():
    prepared = prepared_town(homes={"H": (15, 2.5)})  # 250 m from the south, 350 from the north
    scenario = Scenario().then(CloseRoad(ways=tuple(range(11, 21))))
    found = compare(prepared, scenario, town.definition(mode="drive", minutes=60))
    assert found.before.covered.all()
    assert not found.after.covered.any()
    assert found.after.gaps["cause"].tolist() == ["cut_off"], "on a road, but no route"


def test_all_that_touches_an_area_is_closed():
    assert served(prepared_town(), CloseRoad(area=square(5.5, 6, 0.2))) == {"H0", "H1"}, "piece 5-6 of the north is under water"
    assert served(prepared_town(), CloseRoad(area=square(5.5, 3, 0.2))) == {"H0", "H1", "H2", "H3"}, "between the streets"
    both = MultiPolygon(coordinates=(square(5.5, 6, 0.2).coordinates, square(5.5, 0, 0.2).coordinates))
    assert served(prepared_town(), CloseRoad(area=both)) == {"H0"}


def test_a_new_road_joins_where_it_crosses_and_where_it_ends():
    prepared = prepared_town(homes={"H": (20, 6)}, clinics={"C": (20, 0)})
    assert served(prepared, minutes=460 / 60) == {"H"}, "20 + 6 + 20 blocks round by the link"
    bypass = road("bypass", (10.5, -1), (10.5, 7))  # crosses both streets between their junctions
    assert served(prepared, bypass, minutes=251 / 60) == {"H"}, "9.5 + 6 + 9.5 blocks"
    assert served(prepared, bypass, minutes=249 / 60) == set()
    short = road("short", (10.5, 0.05), (10.5, 5.95))  # ends 5 m before both streets
    assert served(prepared, short, minutes=251 / 60) == {"H"}
    assert served(prepared, road("far", (10.5, 0.2), (10.5, 6)), minutes=300 / 60) == set(), "ends 20 m before the south"


def test_a_new_road_passes_over_bridges_and_under_motorways():
    for said in ({"bridges": range(20)}, {"road_class": dict.fromkeys(range(20), "motorway")}):
        prepared = prepared_town(homes={"H": (20, 6)}, clinics={"C": (20, 0)}, **said)
        assert served(prepared, road("over", (10.5, -1), (10.5, 7)), minutes=300 / 60) == set()


def test_a_one_way_road_serves_its_own_direction_only():
    prepared = prepared_town(homes={"H": (20, 6)}, clinics={"C": (20, 0)})
    down, up = (road("one-way", *line, oneway=True) for line in (((20, 6), (20, 0)), ((20, 0), (20, 6))))
    assert served(prepared, down, minutes=61 / 60) == {"H"}
    assert served(prepared, up, minutes=61 / 60) == set()
    assert served(prepared, up, minutes=61 / 60, direction="from_facility") == {"H"}


def test_two_new_roads_meet_where_they_cross():
    prepared = prepared_town(homes={"H": (20, 6)}, clinics={"C": (10, 0)})
    east_west, north_south = road("a", (0, 3), (20, 3)), road("b", (10, 0), (10, 3.02))
    last = road("c", (20, 3), (20, 6))
    assert served(prepared, east_west, north_south, last, minutes=161 / 60) == {"H"}, "3 + 10 + 3 blocks"
    assert served(prepared, last, north_south, minutes=300 / 60) == set(), "without the road between them"


def test_a_speed_set_on_ways_or_on_a_name_holds_before_all_other_speeds():
    prepared = prepared_town(homes={"H": (20, 0)}, kmh=dict.fromkeys(range(20), 18))
    assert served(prepared, minutes=400 / 60) == {"H"}
    assert served(prepared, minutes=399 / 60) == set()
    assert served(prepared, SetSpeed(ways=tuple(range(1, 21)), kmh=72), minutes=100 / 60) == {"H"}
    assert served(prepared, SetSpeed(ways=tuple(range(1, 21)), kmh=72), minutes=99 / 60) == set()
    region = prepared.region
    named = replace(region, roads=replace(region.roads, road_names=("", "大街"), name=np.array([1] * 20 + [0] * 21)))
    assert served(replace(prepared, region=named), SetSpeed(name="大街", kmh=72), minutes=100 / 60) == {"H"}
    assert served(prepared, SetSpeed(ways=(1,), kmh=72), SetSpeed(ways=tuple(range(1, 21)), kmh=36), minutes=200 / 60) == {"H"}, (
        "the later one"
    )


def test_a_speed_changes_nothing_for_those_on_foot():
    prepared = prepared_town()
    found = compare(prepared, Scenario().then(SetSpeed(ways=(1,), kmh=5)), town.definition())
    assert found.after.network is found.before.network, "nothing is searched anew"
    assert len(found.roads) == 0


def test_a_new_road_keeps_the_turn_restrictions_of_the_roads_it_joins():
    pieces = [((0, 0), (10, 0)), ((10, 0), (20, 0)), ((10, 0), (10, 10))]  # ways 1, 2, 3
    no_turn = Turns.of([Turn(1, 1, (3,), 3, via_ways=False, only=False)])  # from 1 into 3 at (10, 0), the third of the sorted nodes
    region = town.region(town.roads(pieces, turns=no_turn), {"H": (0, 0)}, {"C": (10, 10)})
    assert region.roads.node_id[region.roads.tail[1]] == 2
    no_turn = Turns.of([Turn(1, 1, (2,), 3, via_ways=False, only=False)])
    prepared = Prepared(replace(region, roads=town.roads(pieces, turns=no_turn)), default_services(), town.speeds())
    assert served(prepared, minutes=200 / 60) == set()
    assert served(prepared, minutes=400 / 60) == {"H"}, "on to the end of way 2, and back"
    side = road("side", (5, 0), (5, -5))
    beside = road("beside", (10, 5), (15, 5))
    assert served(prepared, side, beside, minutes=399 / 60) == set(), "parts of ways 1 and 3 are bound as these are"
    assert served(prepared, side, beside, minutes=400 / 60) == {"H"}


def test_a_road_that_was_added_and_closed_leaves_no_trace():
    prepared = prepared_town()
    assert changed(prepared, Scenario().then(road("n", (10, 0), (10, 6)), CloseRoad(ways=("n",)))).works.added.sum() == 0
    found = compare(prepared, Scenario().then(road("n", (10, 0), (10, 6)), CloseRoad(ways=("n",))), town.definition(mode="drive"))
    assert not found.differs


def test_a_flood_closes_the_stretch_of_a_new_road_that_it_touches():
    prepared = prepared_town(homes={"H": (20, 6)}, clinics={"C": (20, 0)})
    new = road("n", (20, 0), (20, 6))
    assert served(prepared, new, CloseRoad(area=square(20, 3, 0.5)), minutes=61 / 60) == set()
    assert served(prepared, CloseRoad(area=square(20, 3, 0.5)), new, minutes=61 / 60) == {"H"}, "built after the flood"


def test_changes_of_facilities_and_of_roads_go_together():
    prepared = prepared_town()
    lon, lat = town.lonlat([(20, 6)])[0].tolist()
    there = Open(id="N", name="", kind="hospital", lon=lon, lat=lat)
    assert served(prepared, CloseRoad(ways=(LINK,)), Close(id="C"), there) == {"H2", "H3"}


def test_a_scenario_changes_the_networks_of_every_study():
    after = with_scenario(prepared_town(), Scenario().then(CloseRoad(ways=(LINK,))))
    result = coverage(after.region, town.definition(mode="drive"), after.network("drive"))
    assert result.covered.tolist() == [True, True, False, False]
    again = with_scenario(after, Scenario().then(CloseRoad(ways=(5,))))
    assert coverage(again.region, town.definition(mode="drive"), again.network("drive")).covered.tolist() == [True, False, False, False]


def test_what_an_earlier_scenario_closed_stays_closed_whoever_asked_first():
    today = prepared_town()
    first, then = Scenario().then(CloseRoad(ways=(1,))), Scenario().then(CloseRoad(ways=(2,)))
    alone, both = with_scenario(today, then), with_scenario(with_scenario(today, first), then)
    closed = [np.flatnonzero(each.network("drive").forward_ms == NEVER).tolist() for each in (alone, both, alone)]
    assert closed == [[1], [0, 1], [1]]


def test_what_changes_is_listed_way_by_way():
    scenario = Scenario().then(CloseRoad(ways=(LINK, 1)), road("n", (10, 0), (10, 6), name="新路", kmh=60), SetSpeed(ways=(2,), kmh=20))
    table = compare(prepared_town(), scenario, town.definition(mode="drive")).roads
    assert table[["change", "id", "name"]].to_numpy().tolist() == [
        ["closed", "1", ""],
        ["closed", "41", ""],
        ["added", "n", "新路"],
        ["speed", "2", ""],
    ]
    assert table["km"].round(3).tolist() == [0.1, 0.6, 0.602, 0.1]
    assert table["kmh"].iloc[-1] == 20
    assert len(compare(prepared_town(), Scenario(), town.definition(mode="drive")).roads) == 0


def test_a_scenario_of_roads_alone_is_told_in_text_and_files(tmp_path: Path):
    prepared, definition = prepared_town(), town.definition(mode="drive")
    found = compare(prepared, Scenario().then(CloseRoad(ways=(LINK,)), road("n", (10, 0), (10, 6), kmh=60)), definition)
    assert found.differs
    assert len(found.sites) == 0, "the clinic serves others, and stands where it stood"
    text = comparison_text(found, prepared.region.demand)
    assert "改动的道路 roads changed: 2，1.2 km" in text
    assert [line.split() for line in text.splitlines() if "added" in line] == [["新路", "added", "n", "residential", "0.6", "60"]]
    files = coverage_files(prepared, {"medical": found.after}, comparisons={"medical": found}, kinds=("gpkg", "json"))
    write_files(tmp_path, files)
    assert gpd.read_file(tmp_path / "coverage.gpkg", layer="roads")["change"].tolist() == ["closed", "added"]
    assert [row["id"] for row in json.loads((tmp_path / "coverage.json").read_text("utf-8"))["comparisons"]["medical"]["roads"]] == [
        "41",
        "n",
    ]
    drawn, before = (
        gpd.read_file(tmp_path / "coverage.gpkg", layer="circles"),
        circles(definition, found.before.network, found.before.facilities),
    )
    assert drawn["area_km2"].sum() != pytest.approx(before["area_km2"].sum()), "drawn on the roads of the scenario"


def test_all_road_changes_that_do_not_fit_are_told_at_once():
    scenario = Scenario().then(
        CloseRoad(ways=(7777, 1, "x")),
        CloseRoad(),
        road("n", (10, 0), (10, 6)),
        road("n", (11, 0), (11, 6)),
        road("1", (11, 0), (11, 6)),
        road("far", (10, 50), (20, 50)),
        road("dot", (10, 0), (10.1, 0)),
        road("n2", (10, 0), (10, 6)).model_copy(update={"highway": "canal"}),
        SetSpeed(kmh=30),
        SetSpeed(name="nowhere", kmh=30),
        Close(id="nobody"),
    )
    with pytest.raises(OptionError) as error:
        changed(prepared_town(), scenario)
    numbered = [problem.en for problem in error.value.problems if problem.en.startswith("Change ")]
    told = {int(one.split(":")[0].removeprefix("Change ")): one for one in numbered}
    assert sorted(told) == [1, 2, 4, 5, 7, 8, 9, 10, 11]
    assert "in use" in told[5], "an OSM way bears that id: a closing would not know which is meant"
    assert "7777, x" in told[1]
    assert any("new road 'far' meets no road" in problem.en for problem in error.value.problems)


def test_a_file_with_road_changes_comes_back_as_it_was():
    scenario = Scenario(name="桥").then(
        CloseRoad(ways=(1, "n"), area=square(1, 1, 1)), road("n", (1, 0), (1, 6)), SetSpeed(name="大街", kmh=30.5)
    )
    assert parse_scenario(scenario.to_json(), "s.json") == scenario


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"do": "add_road", "id": "n", "highway": "primary", "line": [[116, 28]]}, "line"),
        ({"do": "add_road", "id": "n", "highway": "primary", "line": [[116, 28], [28, 116]]}, "line.1.1"),
        ({"do": "close_road", "area": {"type": "Point", "coordinates": [1, 2]}}, "area"),
        ({"do": "close_road", "area": {"type": "Polygon", "coordinates": [[[1, 2], [2, 2], [1, 2]]]}}, "coordinates.0"),
        ({"do": "set_speed", "name": "x", "kmh": 0}, "kmh"),
        ({"do": "set_speed", "name": "x", "kmh": 500}, "kmh"),
    ],
)
def test_a_road_change_that_says_too_little_is_told_by_its_key(change, told):
    with pytest.raises(InputError, match=told.replace(".", r"\.")):
        parse_scenario(json.dumps({"circle15": "scenario", "changes": [change]}), "s.json")


# What must hold in every town

FEW = settings(PROFILE, max_examples=15)
minutes = st.floats(0.5, 20).map(lambda value: round(value, 2))
spots = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda at: (float(at[0]), float(at[1])))
targets = st.lists(st.tuples(st.integers(0, 99), spots), min_size=1, max_size=3)


@dataclass(frozen=True)
class Case:
    """A town, and what is asked of it."""

    prepared: Prepared
    definition: ServiceDefinition
    nodes: list[town.Node]

    def roads(self, ends: list[tuple[int, town.Node]]) -> list[AddRoad]:
        """New roads, each from a node of the town."""
        pairs = [(self.nodes[at % len(self.nodes)], end) for at, end in ends]
        return [road(f"n{at}", *pair, kmh=36.0) for at, pair in enumerate(pairs) if pair[0] != pair[1]]

    def after(self, *changes: object) -> CoverageResult:
        """Coverage after some changes."""
        planned = changed(self.prepared, Scenario().then(*changes))
        network = planned.prepared.network_of(self.definition)
        return coverage(planned.prepared.region, self.definition, network)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    said = draw(towns())
    homes, clinics = (draw(st.lists(places, min_size=1, max_size=most)) for most in (6, 3))
    region = town.region(town.roads(**said), {f"H{i}": at for i, at in enumerate(homes)}, {f"C{i}": at for i, at in enumerate(clinics)})
    definition = town.definition(mode="drive", direction=draw(directions), minutes=draw(minutes))
    nodes = sorted({end for piece in said["pieces"] for end in (piece[0], piece[-1])})
    return Case(Prepared(region, default_services(), town.speeds()), definition, nodes)


@FEW
@given(cases(), targets)
def test_adding_a_road_never_lowers_coverage(case, ends):
    assert (case.after(*case.roads(ends)).covered >= case.after().covered).all()


@FEW
@given(cases(), st.lists(st.integers(0, 13), min_size=1, max_size=4), st.tuples(corners, st.sampled_from([0.5, 2, 5])))
def test_closing_roads_never_raises_coverage(case, ways, flood):
    known, before = set(case.prepared.region.roads.way_id.tolist()), case.after()
    closures = [CloseRoad(ways=tuple(way + 1 for way in ways if way + 1 in known)), CloseRoad(area=square(*flood[0], flood[1]))]
    for closure in closures:
        if closure.ways or closure.area:
            assert (case.after(closure).covered <= before.covered).all()


@FEW
@given(cases(), targets, st.sampled_from([18, 36, 50]))
def test_a_faster_road_never_lowers_coverage(case, ends, kmh):
    ways = tuple(case.prepared.region.roads.way_id.tolist())
    slow, fast = (case.after(*case.roads(ends), SetSpeed(ways=ways, kmh=value)) for value in (kmh, 2 * kmh))
    assert (fast.covered >= slow.covered).all()


@FEW
@given(cases(), targets)
def test_adding_roads_and_closing_them_changes_nothing(case, ends):
    roads = case.roads(ends)
    before, same = case.after(), case.after(*roads, *([CloseRoad(ways=tuple(one.id for one in roads))] if roads else []))
    assert (before.covers != same.covers).nnz == 0
    assert before.gaps.equals(same.gaps)


@FEW
@given(cases(), targets, st.randoms(use_true_random=False))
def test_the_order_of_independent_changes_does_not_matter(case, ends, chance):
    way = int(case.prepared.region.roads.way_id[0])
    changes = [
        *case.roads(ends),
        SetSpeed(ways=(way,), kmh=20),
        CloseRoad(ways=(int(case.prepared.region.roads.way_id[-1]),)),
        Close(id="C0"),
    ]
    first, second = (case.after(*order) for order in (changes, chance.sample(changes, len(changes))))
    assert (first.covers != second.covers).nnz == 0
    assert first.gaps.equals(second.gaps)


@FEW
@given(cases(), targets, places)
def test_what_is_kept_is_what_would_be_found_anew(case, ends, new):
    lon, lat = town.lonlat([new])[0].tolist()
    scenario = Scenario().then(*case.roads(ends), Close(id="C0"), Open(id="N", name="", kind="hospital", lon=lon, lat=lat))
    found, anew = compare(case.prepared, scenario, case.definition), case.after(*scenario.changes)
    assert (found.after.covers != anew.covers).nnz == 0
    assert found.after.gaps.equals(anew.gaps)
