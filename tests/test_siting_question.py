"""What a planner is told of a question on a region: names, places cut off, forced ones, budgets, hours of which nothing is known."""

from dataclasses import replace

import gridtown as town
import numpy as np
import pytest
from scipy.sparse import csr_array
from test_siting_region import DEFINITION, HOMES, KINDS, PLACES, SERVICES, plan, street

from coverage.snap import snap_demand, snap_facilities
from geodata.errors import OptionError
from geodata.region import Prepared
from scenarios.commands.site_region import by_site
from scenarios.siting.contradictions.conflicts import conflicts
from scenarios.siting.question import Model, Terms
from scenarios.siting.region.choice import Choice
from scenarios.siting.region.cut_off import people_cut_off
from scenarios.siting.region.question import ask
from scenarios.siting.region.words import proof
from scenarios.siting.stop import Stop
from scenarios.siting.tables.site_numbers import price_unit, site_numbers


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return street()


@pytest.fixture(scope="module")
def island() -> Prepared:
    """The street, and another one of three blocks that no road leads to, with a home of one and an eligible place."""
    streets = [*town.streets(31, 1), ((40, 9), (41, 9)), ((41, 9), (42, 9))]
    region = town.region(
        town.roads(streets),
        {"far": (40, 9)} | HOMES,
        PLACES | {"Z": (41, 9)},
        kind=(*KINDS, "hospital"),
        eligible_for=("", "emergency", "emergency", "", "emergency"),
    )
    return Prepared(region, SERVICES, town.speeds())


def test_people_of_places_cut_off_are_counted_and_nobody_of_the_main_roads(island: Prepared) -> None:
    network, region = island.network_of(DEFINITION), island.region
    ways = snap_demand(network, region.demand), snap_facilities(network, region.facilities)
    found = people_cut_off(network, ways[0], region.demand.people, ways[1])
    said = dict(zip(region.facilities.id, np.nan_to_num(found, nan=-1).tolist(), strict=True))
    assert said == {"C": -1, "W": -1, "X": -1, "Y": -1, "Z": 1}


def test_a_chosen_place_that_is_cut_off_is_warned_of_with_its_people(island: Prepared) -> None:
    zh, en = proof(plan(island, sites=2))
    assert "不与主要路网连通，车辆只能到达附近几处：Z Z name（1 人）" in zh
    assert "reach only: Z Z name (1 people)" in en
    assert "Mind" not in proof(plan(island, sites=2, forbidden=("Z",)))[1]


@pytest.mark.parametrize(("model", "warns"), [("p-median", 1), ("p-center", 1), ("mclp", 0)])
def test_models_that_look_first_at_routes_warn_of_candidates_that_are_cut_off(island: Prepared, model: Model, warns: int) -> None:
    notes = ask(island, "emergency", None, Choice(sites=2, model=model)).notes
    assert sum("1 candidates are cut off" in en for _, en in notes) == warns


def test_a_forced_facility_that_may_not_host_a_point_is_accepted_and_told(prepared: Prepared) -> None:
    assert "may host a point: Y Y name." in ask(prepared, "emergency", None, Choice(sites=2, fixed=("Y",))).notes[0][1]
    for said in ({"fixed": ("W",)}, {"fixed": ("Y",), "candidates": ("hospital",)}, {"fixed": ("C",)}):
        assert not ask(prepared, "emergency", None, Choice(sites=2, **said)).notes


def test_a_budget_is_in_the_proof_with_its_unit() -> None:
    given = street()
    zh, en = proof(plan(given, budget=3.0, prices={"W": 1.0, "X": 3.0}, price_unit="万元"))
    assert "本方案费用合计 3 万元；以下只与费用合计不超过 3 万元的选法相比。" in zh
    assert zh.endswith("再没有更好的选法。")
    assert "costs 3 万元; what follows compares it with the choices that cost no more than 3 万元. " in en
    assert "不超过 3 的选法" in proof(plan(given, budget=3.0, prices={"W": 1.0, "X": 3.0}, model="mclp"))[0]


@pytest.mark.parametrize(("budget", "told"), [(0.5, 1), (1.0, 0)])
def test_a_budget_that_pays_for_nothing_is_told(prepared: Prepared, budget: float, told: int) -> None:
    notes = ask(prepared, "emergency", None, Choice(budget=budget, prices={"W": 1.0, "X": 3.0})).notes
    zh = "预算 0.5 不够新设任何一个候选点（最便宜的须 1）。"
    assert notes == ((zh, "The budget of 0.5 does not pay for any candidate (the cheapest costs 1)."),) * told


def test_an_hour_of_which_nothing_is_known_is_noted(prepared: Prepared) -> None:
    (note,) = ask(prepared, "emergency", None, Choice(sites=2, hour=8)).notes
    assert "8" in note[0]
    assert "8" in note[1]


def test_the_id_is_told_to_who_writes_the_only_facility_of_a_name() -> None:
    given = street(name=["站", "西院", "分院", "分院"])
    with pytest.raises(OptionError) as told:
        plan(given, sites=2, fixed=("西院", "分院"))
    assert told.value.problems[0].zh.endswith("西院 的编码是 W。")
    assert told.value.problems[0].en.endswith("By id, 西院 is W.")
    secret = street(name=["站", "西院", "分院", "分院"], restricted=[False, True, False, False])
    with pytest.raises(OptionError) as told:
        plan(secret, sites=2, fixed=("西院",))
    assert "W" not in str(told.value)


def test_to_forbid_what_is_kept_is_answered_with_how_to_close_it(prepared: Prepared) -> None:
    with pytest.raises(OptionError, match="name them by --closable too"):
        plan(prepared, sites=2, forbidden=("C",))
    assert plan(prepared, sites=2, forbidden=("C",), closable=("C",)).sites.id == ("W", "X")
    assert plan(prepared, sites=1, forbidden=("C",), movable=("all",)).sites.id == ("X",)


def test_contradictions_on_a_region_name_places_beside_their_ids() -> None:
    given = street(name=["站", "西院", "东院", "南院"])
    asked = ask(given, "emergency", None, Choice(sites=2, fixed=("W",), forbidden=("W",))).asked
    found = {one.kind: one for one in conflicts(asked, "mclp", Terms(), Stop())}
    assert (found["fixed"].ids, found["fixed"].zh) == (("W",), "必须入选或保留：W 西院（另有 1 个同类要求与此矛盾无关）")


@pytest.mark.parametrize("odd", ["NA", "nan", "None", "null"])
def test_ids_that_look_blank_are_ids(tmp_path, odd: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"编码,费用（单位：万元）\n007,1\n{odd},2\n", encoding="utf-8")
    assert site_numbers(str(path), [odd, "007"], "price").tolist() == [2, 1]
    assert by_site(str(path), "price") == {"007": 1, odd: 2}


@pytest.mark.parametrize(("header", "unit"), [("费用（万元）", "万元"), ("费用(单位:元)", "元"), ("price", "")])
def test_the_unit_of_prices_is_that_of_the_header(tmp_path, header: str, unit: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"id,{header}\nW,1\n", encoding="utf-8")
    assert price_unit(path) == unit


def test_pairs_too_near_each_other_are_named_too() -> None:
    given = street(name=["站", "西院", "东院", "南院"])
    with pytest.raises(OptionError) as told:
        plan(given, sites=3, fixed=("W", "X"), spacing_m=1000.5, closable=("all",))
    assert "C 站 – W 西院" in told.value.problems[0].zh


def test_a_share_that_cannot_be_had_is_told_in_percent_in_both_languages(prepared: Prepared) -> None:
    asked = replace(ask(prepared, "emergency", None, Choice(sites=1, model="dsm", alpha=0.5)).asked, near=csr_array((4, 3), dtype=np.bool_))
    (found,) = conflicts(asked, "dsm", Terms(alpha=0.5), Stop())
    assert found.zh.endswith("至少 50 % 在第一个时限内（最多只能 0 %）")
    assert found.en.endswith("at least 50 % within the first limit (at most 0 % possible)")


def test_as_the_crow_flies_no_place_is_cut_off(prepared: Prepared) -> None:
    straight = town.definition(kinds=("centre",), straight_m=500)
    service = SERVICES.service("emergency").model_copy(update={"definitions": (straight,)})
    given = replace(prepared, services=SERVICES.model_copy(update={"services": {"emergency": service}}))
    assert np.isnan(ask(given, "emergency", None, Choice(sites=2, model="mclp")).cut_off).all()
