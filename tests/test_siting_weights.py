"""What a siting question counts: residents, people of 65 and over, or calls."""

from dataclasses import replace

import gridtown as town
import numpy as np
import pandas as pd
import pytest

from geodata.errors import InputError, OptionError
from geodata.region import Prepared
from geodata.standards import Kind, Service, Services, Siting
from scenarios.siting.region import weights as siting_weights
from scenarios.siting.region.standby import proof, site_standby
from scenarios.siting.region.weights import weights

SERVICES = Services(
    kinds={"centre": Kind(zh="急救中心", en="emergency centre"), "hospital": Kind(zh="医院", en="hospital")},
    services={
        "emergency": Service(
            name_zh="急救",
            name_en="emergency",
            definitions=(town.definition(kinds=("centre",), mode="drive", minutes=1.0),),
            siting=Siting(backstop_minutes=60, source="gridtown", status="M"),
        )
    },
)


def prepared(*, old: list[float] | None = None, people: tuple[float, float, float] = (90.0, 10.0, 5.0)) -> Prepared:
    """A town of the young in the west, a village of the old in the east, too far apart for one point; a third home outside."""
    region = town.region(
        town.roads(town.streets(31, 1)),
        {"west": (0, 0), "east": (30, 0), "out": (31, 0)},
        {"W": (1, 0), "E": (29, 0)},
        people=dict(zip(("west", "east", "out"), people, strict=True)),
        zones={"Z": town.polygon([(-1, -1), (30.5, -1), (30.5, 1), (-1, 1)])},
        eligible_for=["emergency", "emergency"],
    )
    return Prepared(replace(region, demand=replace(region.demand, old=np.array(old or [np.nan] * 3))), SERVICES, town.speeds())


def test_the_best_point_for_all_is_not_the_best_for_the_old():
    given = prepared(old=[2.0, 8.0, 5.0])
    assert site_standby(given, "emergency", sites=1).sites.id == ("W",)
    plan = site_standby(given, "emergency", sites=1, weigh="old")
    assert (plan.sites.id, plan.result.served, plan.result.total) == (("E",), 8, 10)
    assert plan.after["covered_people"].iloc[-1] == 10, "the tables go on counting residents"
    assert "8 位 65 岁及以上的人" in proof(plan)[0]
    assert "serves more than 8 people of 65 and over" in proof(plan)[1]


def test_nobody_outside_is_counted_whatever_is_counted():
    given = prepared(old=[2.0, 8.0, 5.0])
    assert weights(given, "residents").tolist() == [90, 10, 0]
    assert weights(given, "old").tolist() == [2, 8, 0]


def test_where_ages_are_not_known_the_question_is_refused_and_an_empty_village_needs_none():
    with pytest.raises(OptionError, match="not known of 2 settlements: add a column"):
        weights(prepared(), "old")
    assert weights(prepared(old=[2.0, np.nan, np.nan], people=(90.0, 0.0, 5.0)), "old").tolist() == [2, 0, 0]


def test_calls_are_shared_among_the_points_of_a_settlement(monkeypatch):
    given = prepared()
    demand = replace(given.region.demand, settlement=("S", "S", "T"))
    given = replace(given, region=replace(given.region, demand=demand))

    class Study:
        by_settlement = pd.DataFrame({"id": ["S"], "zone": given.region.zones.name[:1], "calls": [20]})

    monkeypatch.setattr(siting_weights, "call_study", lambda _: Study)
    assert weights(given, "calls").tolist() == [18, 2, 0]


def test_without_a_log_there_are_no_calls_to_count():
    with pytest.raises(InputError, match="no 120 log"):
        weights(prepared(), "calls")


def test_where_nobody_is_old_there_is_nothing_to_weigh_by():
    with pytest.raises(OptionError, match="Nobody is 65 or over"):
        weights(prepared(old=[0.0, 0.0, 5.0]), "old")
