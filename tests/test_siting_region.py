"""Sites on a region, on a street where every place serves only the home beside it: whom a plan serves names what was chosen."""

import itertools
from dataclasses import replace

import gridtown as town
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.errors import InputError, OptionError
from geodata.model import RESOURCES
from geodata.region import Prepared
from geodata.standards import Kind, Service, Services, Siting
from scenarios.compare import compare
from scenarios.model import changed_region
from scenarios.output.site_report import lost_lines, site_json, site_table, site_text
from scenarios.output.site_sheets import site_sheets
from scenarios.replay.drives import stations
from scenarios.siting.region.candidate_file import read_candidates
from scenarios.siting.region.candidates import places_at
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.question import ask
from scenarios.siting.region.standby import RegionPlan, plan_scenario, site_region
from scenarios.siting.region.words import proof

DEFINITION = town.definition(kinds=("centre",), mode="drive", minutes=0.5)
SERVICES = Services(
    kinds={name: Kind(zh=name, en=name) for name in ("centre", "hospital", "clinic")},
    services={
        "emergency": Service(
            name_zh="急救",
            name_en="emergency",
            definitions=(DEFINITION,),
            siting=Siting(backstop_minutes=60, source="gridtown", status="M"),
        )
    },
)
# A home every ten blocks, of 1, 2, 4 and 8 people. C is there, W and X may host a point, Y is no candidate unless its kind is asked for.
HOMES = {"h0": (0, 0), "h1": (10, 0), "h2": (20, 0), "h3": (30, 0)}
PLACES = {"C": (0, 0), "W": (10, 0), "X": (20, 0), "Y": (30, 0)}
KINDS = ("centre", "hospital", "hospital", "hospital")
ELIGIBLE = ("", "emergency", "emergency", "")


def street(**columns) -> Prepared:
    """The street with its four homes and four places; `columns` are of the facilities."""
    said = {"homes": HOMES, "clinics": PLACES, "kind": KINDS, "eligible_for": ELIGIBLE} | columns
    region = town.region(town.roads(town.streets(31, 1)), **said)
    return Prepared(region, SERVICES, town.speeds())


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return street()


def plan(prepared: Prepared, **said) -> RegionPlan:
    return site_region(prepared, "emergency", Choice(**said))


def chosen(prepared: Prepared, **said) -> tuple[tuple[str, ...], float]:
    found = plan(prepared, **said)
    return found.sites.id, found.result.served


def test_existing_points_stay_and_eligible_places_are_chosen_from(prepared: Prepared):
    found = plan(prepared, sites=2)
    assert (found.sites.id, found.is_new.tolist(), found.result.served) == (("C", "X"), [False, True], 5)
    assert (found.candidates, found.result.status, found.beyond_backstop) == (2, "optimal", ())


def test_facilities_of_a_kind_are_candidates_if_it_is_named(prepared: Prepared):
    assert chosen(prepared, sites=2, candidates=("hospital",)) == (("C", "Y"), 9)


def test_a_forced_place_is_in_and_a_forbidden_one_is_not(prepared: Prepared):
    assert chosen(prepared, sites=2, fixed=("W",)) == (("C", "W"), 3)
    assert chosen(prepared, sites=2, fixed=("Y",)) == (("C", "Y"), 9), "any facility may be forced, whether it is a candidate or not"
    assert chosen(prepared, sites=2, forbidden=("X",)) == (("C", "W"), 3)


def test_forced_against_forbidden_is_told_as_a_contradiction(prepared: Prepared):
    with pytest.raises(OptionError, match="contradict") as told:
        plan(prepared, sites=2, fixed=("W",), forbidden=("W",))
    assert "W" in told.value.problems[0].zh


def test_a_closable_point_is_given_up_where_others_serve_more(prepared: Prepared):
    found = plan(prepared, sites=2, closable=("all",), candidates=("hospital",))
    assert (found.sites.id, found.closed.id, found.result.served) == (("X", "Y"), ("C",), 12)
    assert "撤销 1 个" in proof(found)[0]
    assert chosen(prepared, sites=4, closable=("C",), candidates=("hospital",)) == (("C", "W", "X", "Y"), 15)
    assert chosen(prepared, sites=2, closable=("all",), fixed=("C",), candidates=("hospital",)) == (("C", "Y"), 9)


@pytest.mark.parametrize(("km", "stands", "served"), [(None, "X", 4), (1.0, "W", 2), (0.999, "C", 1)])
def test_a_movable_point_gives_way_to_one_within_the_distance_inclusive(prepared: Prepared, km: float | None, stands: str, served: int):
    found = plan(prepared, sites=1, movable=("all",), move_within_km=km)
    assert (found.sites.id, found.result.served, len(found.closed)) == ((stands,), served, 0)
    places = found.question.places.id
    assert [(places[one.stood], places[one.stands]) for one in found.moved] == ([] if stands == "C" else [("C", stands)])
    if found.moved:
        assert found.moved[0].km == pytest.approx(PLACES[stands][0] / 10, abs=1e-3)


def test_new_points_keep_their_distance_from_each_other_and_from_old_ones_inclusive(prepared: Prepared):
    assert chosen(prepared, sites=3, candidates=("hospital",), spacing_m=1000) == (("C", "X", "Y"), 13)
    assert chosen(prepared, sites=2, candidates=("hospital",), spacing_m=1000.5) == (("C", "Y"), 9)
    assert chosen(prepared, sites=2, candidates=("hospital",), forbidden=("Y",), spacing_m=1000.5) == (("C", "X"), 5)
    with pytest.raises(OptionError, match="contradict"):
        plan(prepared, sites=2, spacing_m=1000.5, forbidden=("X",))


def test_candidates_stand_inside_one_area_and_outside_another(prepared: Prepared):
    middle = town.polygon([(5, -1), (25, -1), (25, 1), (5, 1)])
    found = plan(prepared, sites=2, candidates=("hospital",), within=middle)
    assert (found.sites.id, found.candidates) == (("C", "X"), 2)
    assert found.notes[0][1].startswith("1 candidates outside the area")
    assert chosen(prepared, sites=2, candidates=("hospital",), exclude=middle) == (("C", "Y"), 9)
    with pytest.raises(OptionError, match="ruled out: X"):
        plan(prepared, sites=2, fixed=("X",), exclude=middle)


def test_every_settlement_may_be_a_candidate_and_a_place_counts_once(prepared: Prepared):
    found = plan(prepared, sites=2, candidates=("settlements",))
    assert (found.sites.id, found.result.served, found.candidates) == (("C", "V:h3"), 9, 3)
    assert "同在一处" in found.notes[0][0]


def test_a_settlement_of_several_points_is_one_candidate_where_most_people_are():
    homes = {"a": (0, 0), "b": (10, 0), "c": (20, 0)}
    region = town.region(town.roads(town.streets(31, 1)), homes, PLACES, kind=KINDS, eligible_for=ELIGIBLE, settlement={"a": "b"})
    found = ask(Prepared(region, SERVICES, town.speeds()), "emergency", None, Choice(sites=2, candidates=("settlements",)))
    assert found.places.id == ("C", "V:b", "V:c")


def test_places_along_roads_are_apart_and_not_on_motorways_or_in_tunnels():
    def along(**said) -> list[str]:
        region = town.region(town.roads(town.streets(31, 1), **said), HOMES, PLACES, kind=KINDS, eligible_for=ELIGIBLE)
        found = ask(
            Prepared(region, SERVICES, town.speeds()), "emergency", None, Choice(sites=2, candidates=("roads:2000",), closable=("all",))
        )
        return [one for one in found.places.id if one.startswith("R:")]

    assert along() == ["R:11+0", "R:21+0"], "every block is a way; the first, R:1+0, is where C stands"
    assert along(road_class={10: "motorway"}) == ["R:12+0", "R:22+0"]
    assert along(tunnels=(10,)) == ["R:12+0", "R:22+0"]


def test_a_long_way_has_a_place_every_so_many_metres():
    region = town.region(town.roads([((0, 0), (30, 0))]), HOMES, PLACES, kind=KINDS, eligible_for=ELIGIBLE)
    found = ask(Prepared(region, SERVICES, town.speeds()), "emergency", None, Choice(sites=2, candidates=("roads:700",)))
    assert found.places.id == ("C", "R:1+700", "R:1+1400", "R:1+2100", "R:1+2800")
    assert found.places.entrance[1:] == pytest.approx(town.lonlat([(7, 0), (14, 0), (21, 0), (28, 0)]), abs=1e-6)


def test_a_budget_takes_the_place_of_a_number(prepared: Prepared):
    assert chosen(prepared, budget=2.0, prices={"W": 1.0, "X": 3.0}) == (("C", "W"), 3)
    assert chosen(prepared, budget=4.0, prices={"W": 1.0, "X": 3.0}) == (("C", "W", "X"), 7)
    for said in ({"budget": 4.0}, {"model": "lscp"}):
        with pytest.raises(OptionError, match="missing: X"):
            plan(prepared, prices={"W": 1.0}, **said)


def test_points_of_a_file_have_their_own_price_vehicles_and_turnout(prepared: Prepared, tmp_path):
    lon, lat = town.lonlat([(15, 0)])[0]
    far = town.lonlat([(500, 0)])[0]
    (tmp_path / "p.csv").write_text(
        f"编码,名称,经度,纬度,费用,车辆数,出动秒数\nP,甲,{lon},{lat},70,2,15\nQ,乙,{far[0]},{far[1]},,,\n", encoding="utf-8"
    )
    read = read_candidates(tmp_path / "p.csv", prepared.region)
    assert read.prices == {"P": 70.0}
    found = plan(prepared, sites=2, candidates=(), points=read.places, prices=read.prices, model="mexclp", busy=0.0)
    assert (found.sites.id, found.sites.name[1], found.vehicles.tolist()) == (("C", "P"), "甲", [1, 2])
    assert "1 candidates outside the county" in found.notes[0][1]
    scenario = plan_scenario(prepared, found)
    assert (scenario.changes[-1].turnout_s, scenario.changes[-1].vehicles, scenario.changes[-1].host) == (15, 2, None)


def test_a_point_with_a_turnout_of_its_own_reaches_as_far_in_the_plan_as_in_its_scenario() -> None:
    """Half a minute is three blocks without turnout, two with the definition's ten seconds: the point stands three from h2."""
    slow = DEFINITION.model_copy(update={"turnout_s": 10.0})
    service = SERVICES.service("emergency").model_copy(update={"definitions": (slow,)})
    prepared = replace(street(), services=SERVICES.model_copy(update={"services": {"emergency": service}}))
    at = places_at(prepared.region, ["P"], ["P"], town.lonlat([(17, 0)]))
    for turnout_s, served in ((0.0, 5), (np.nan, 1)):
        points = replace(at, turnout_s=np.array([turnout_s]))
        found = plan(prepared, sites=2, candidates=(), points=points)
        assert (found.sites.id, found.result.served) == (("C", "P"), served)
        assert compare(prepared, plan_scenario(prepared, found), slow).after.by_zone.equals(found.after)


def test_a_file_of_points_with_wrong_rows_is_refused(prepared: Prepared, tmp_path):
    (tmp_path / "p.csv").write_text("id,lon,lat,vehicles\nP,116.2,28.4,0\nQ,116.2,28.4,1.5\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"row 2 \(0\), 3 \(1.5\): vehicles must be a whole number"):
        read_candidates(tmp_path / "p.csv", prepared.region)
    lon, lat = town.lonlat([(15, 0)])[0]
    (tmp_path / "q.csv").write_text(f"id,lon,lat\nC,{lon},{lat}\n", encoding="utf-8")
    with pytest.raises(OptionError, match="in use or repeated: C"):
        plan(prepared, sites=2, points=read_candidates(tmp_path / "q.csv", prepared.region).places)


def test_restricted_and_outside_points_serve_without_being_counted_or_named():
    given = street(
        clinics=PLACES | {"secret": (30, 0), "away": (9, 5)},
        kind=(*KINDS, "centre", "centre"),
        eligible_for=(*ELIGIBLE, "", ""),
        restricted=[False] * 4 + [True, False],
        zones={"Z": town.polygon([(-1, -1), (31, -1), (31, 1), (-1, 1)])},
    )
    for spacing_m in (None, 1000):
        found = plan(given, sites=2, candidates=("hospital",), spacing_m=spacing_m)
        assert (found.sites.id, found.result.served, found.background) == (("C", "X"), 13, 2), "Y would serve nobody new"
    assert "secret" not in str(proof(found)) + str(found.result)
    with pytest.raises(OptionError, match="no such points: secret"):
        plan(given, sites=2, fixed=("secret",))
    with pytest.raises(OptionError, match="contradict") as told:
        plan(given, sites=2, fixed=("W",), spacing_m=600)
    assert "secret" not in str(told.value)


def test_the_vehicles_of_the_table_stand_at_points_and_a_fleet_is_spread():
    vehicles = np.full((4, len(RESOURCES)), np.nan)
    vehicles[:, RESOURCES.index("vehicles")] = [3, 5, np.nan, np.nan]
    given = street()
    facilities = replace(given.region.facilities, resources=vehicles)
    given = replace(given, region=replace(given.region, facilities=facilities))
    busy = {"model": "mexclp", "busy": 0.5, "sites": 2}
    assert plan(given, **busy).vehicles.tolist() == [3, 1], "those of a host are its own"
    assert plan(given, **busy, vehicles={"X": 2}).vehicles.tolist() == [3, 2]
    assert plan(given, **busy, fleet=4).vehicles.tolist() == [1, 3]
    assert plan(given, **busy, fleet=4, vehicles=2).vehicles.tolist() == [2, 2]
    assert plan(given, sites=2).vehicles.tolist() == [1, 1], "a model that does not ask for vehicles is told of none"


def with_vehicles(prepared: Prepared, *vehicles: float) -> Prepared:
    """The street with vehicles at its four places."""
    resources = np.full((4, len(RESOURCES)), np.nan)
    resources[:, RESOURCES.index("vehicles")] = vehicles
    return replace(prepared, region=replace(prepared.region, facilities=replace(prepared.region.facilities, resources=resources)))


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ({"sites": 2, "fleet": 4, "vehicles": 2}, [("equip", "C", 2), ("open", "plan-X", 2)]),
        ({"sites": 2, "vehicles": {"C": 3}}, [("open", "plan-X", 1)]),
        ({"sites": 1, "movable": ("all",), "fleet": 5}, [("move", "C", None), ("equip", "C", 5)]),
    ],
)
def test_the_vehicles_of_a_plan_are_those_of_its_scenario(prepared: Prepared, said: dict, changes: list[tuple]):
    given = with_vehicles(prepared, 3, 5, np.nan, np.nan)
    found = plan(given, model="mexclp", busy=0.5, **said)
    scenario = plan_scenario(given, found)
    assert [(change.do, change.id, getattr(change, "vehicles", None)) for change in scenario.changes] == changes
    after = stations(changed_region(given, scenario), DEFINITION, None)
    assert (after.vehicles.sum(), after.assumed.sum()) == (found.vehicles.sum(), 0)


def test_a_number_that_the_table_does_not_state_is_stated_by_the_scenario(prepared: Prepared):
    found = plan(prepared, model="mexclp", busy=0.5, sites=1)
    assert [(change.do, change.id, change.vehicles) for change in plan_scenario(prepared, found).changes] == [("equip", "C", 1)]


def test_vehicles_and_prices_stand_in_the_table_only_where_they_say_something(prepared: Prepared):
    given = with_vehicles(prepared, 3, 5, np.nan, np.nan)
    usual = site_table(plan(given, sites=2))
    assert not {"vehicles", "price"} & set(usual)
    assert all(change.vehicles is None for change in plan_scenario(given, plan(given, sites=2)).changes)
    told = site_table(plan(given, model="mexclp", busy=0.5, sites=2, prices={"X": 7.0}))
    assert told[["vehicles", "price"]].to_numpy().tolist() == [[3, 0], [1, 7]]


def test_the_table_tells_whom_each_point_covers_and_who_of_them_is_not_covered_today():
    table = site_table(plan(street(clinics=PLACES | {"W": (2, 0)}), sites=3))
    columns = ["id", "covered_people", "uncovered_today"]
    assert table[columns].to_numpy().tolist() == [["C", 1, 0], ["W", 1, 0], ["X", 4, 4]]


def test_who_is_no_longer_within_the_limits_is_told(prepared: Prepared):
    found = plan(prepared, sites=2, closable=("all",), candidates=("hospital",))
    assert (found.lost_people, lost_lines(found)) == (1, [("不再符合口径 no longer within the limits", "1 人 people")])
    assert "no longer within the limits: 1 人 people" in site_text(prepared, found)
    assert site_json(prepared, "emergency", found)["people_no_longer_within_limits"] == 1
    proof_sheet = next(sheet for sheet in site_sheets(prepared, "emergency", found) if sheet.name == "证明")
    assert ["不再符合口径 no longer within the limits", "1 人 people"] in proof_sheet.rows
    assert lost_lines(plan(prepared, sites=2)) == []


def test_a_chosen_host_that_will_be_given_up_is_told():
    found = plan(street(open_to=["", "2028-01-01", "2028-01-01", ""]), sites=2)
    assert [words for words in found.notes if "X" in words[0]] == [
        (
            "入选的点所在机构将停用：X name（X）自 2028-01-01 起停用（机构表）。",
            "Chosen, and no longer there by the facility table: X name (X) from 2028-01-01 on.",
        )
    ]


def test_costs_have_no_limit_and_are_in_milliseconds(prepared: Prepared):
    asked = ask(prepared, "emergency", None, Choice(sites=2, model="p-median")).asked
    assert asked.cost is not None
    assert asked.cost.toarray()[:, 0].tolist() == [0, 100_000, 200_000, 300_000]
    assert asked.cost.nnz == 12, "a route that costs nothing is one too"
    assert asked.near.toarray().sum(axis=0).tolist() == [1, 1, 1]


def test_who_has_no_route_is_listed_with_the_reason():
    homes = HOMES | {"island": (30, 40)}
    found = plan(street(homes=homes), sites=3)
    assert (found.result.unreachable, found.result.beyond) == (("island",), ("h3",))
    assert dict(zip(found.out_of_reach["id"], found.out_of_reach["cause"], strict=True)) == {"island": "off_network", "h3": "too_far"}
    assert (found.beyond_backstop, found.beyond_all_people, found.result.total) == (("island",), 16, 31)


@pytest.mark.parametrize(
    "said",
    [
        {"sites": 3},
        {"sites": 2, "closable": ("all",), "candidates": ("hospital",)},
        {"sites": 1, "movable": ("all",)},
        {"sites": 2, "candidates": ("settlements", "roads:1000"), "movable": ("C",)},
    ],
)
def test_a_plan_as_a_scenario_gives_the_same_figures(prepared: Prepared, said: dict):
    found = plan(prepared, **said)
    told = compare(prepared, plan_scenario(prepared, found), DEFINITION)
    assert told.before.by_zone.equals(found.before)
    assert told.after.by_zone.equals(found.after)
    assert told.by_zone.set_index("row").loc["total", "lost_people"] == found.lost_people


def test_a_move_in_a_scenario_is_one_where_the_point_stays_what_it_was(prepared: Prepared):
    changes = plan_scenario(prepared, plan(prepared, sites=1, movable=("all",))).changes
    assert [(change.do, change.id) for change in changes] == [("move", "C")]
    slow = street(turnout_s=[60.0, np.nan, np.nan, np.nan])
    changes = plan_scenario(slow, plan(slow, sites=1, movable=("all",))).changes
    assert [(change.do, change.id) for change in changes] == [("close", "C"), ("open", "plan-X")]


def test_unknown_ids_are_all_told_at_once(prepared: Prepared):
    with pytest.raises(OptionError) as told:
        plan(prepared, sites=2, fixed=("nix",), forbidden=("nada",), closable=("X",), prices={"no": 1.0})
    said = str(told.value)
    assert all(one in said for one in ("--fixed", "nix", "--forbid", "nada", "--closable", "X", "--prices", "no"))


@settings(max_examples=12, deadline=None)
@given(
    people=st.lists(st.integers(0, 5), min_size=4, max_size=4),
    ends=st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=3, max_size=5, unique_by=lambda one: one[0]),
    sites=st.integers(1, 3),
    spacing=st.sampled_from([None, 300.0, 1200.0]),
    order=st.randoms(use_true_random=False),
)
def test_a_plan_equals_brute_force_whatever_the_order_of_the_table(people, ends, sites, spacing, order):
    named = [(f"P{number}", at, forced) for number, (at, forced) in enumerate(ends)]
    order.shuffle(named)
    places = {name: (at, 0) for name, at, _ in named}
    region = town.region(
        town.roads(town.streets(31, 1)),
        HOMES,
        places,
        people=dict(zip(HOMES, map(float, people), strict=True)),
        kind=["hospital"] * len(places),
        eligible_for=["emergency"] * len(places),
    )
    given = Prepared(region, SERVICES, town.speeds())
    fixed = tuple(name for name, _, forced in named if forced)[:1]

    def served(some: tuple[str, ...]) -> float:
        return sum(
            number for number, (at, _) in zip(people, HOMES.values(), strict=True) if any(abs(places[one][0] - at) <= 3 for one in some)
        )

    def allowed(some: tuple[str, ...]) -> bool:
        apart = [abs(places[a][0] - places[b][0]) * 100 for a, b in itertools.combinations(some, 2)]
        return set(fixed) <= set(some) and (spacing is None or all(gap >= spacing for gap in apart))

    best = max((served(some) for some in itertools.combinations(places, min(sites, len(places))) if allowed(some)), default=None)
    if not sum(people):
        return
    if best is None or sites > len(places):
        with pytest.raises(OptionError):
            plan(given, sites=sites, fixed=fixed, spacing_m=spacing)
        return
    found = plan(given, sites=sites, fixed=fixed, spacing_m=spacing)
    assert (found.result.served, len(found.sites)) == (best, sites)
    assert allowed(found.sites.id)
