"""Why two definitions differ, on gridtown, where each part of the difference is known."""

import json
from pathlib import Path
from typing import Any

import gridtown as town
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE

from geodata.errors import InputError, OptionError
from geodata.model import Region
from geodata.region import Prepared
from geodata.standards import Limit, Service, ServiceDefinition, Services, default_services
from scenarios.cli import main
from scenarios.explain import Explanation, explain, standing_in, steps_between
from scenarios.output.explain_report import explain_text

STREET = town.streets(61, 1)
WALK = town.definition().model_copy(update={"id": "walk"})
limits = st.one_of(
    st.builds(Limit, minutes=st.integers(1, 20)),
    st.builds(Limit, straight_m=st.integers(100, 3000)),
    st.builds(Limit, network_m=st.just(900)),
)
definitions = st.fixed_dictionaries(
    {
        "kinds": st.sampled_from([("hospital",), ("village_clinic",), ("hospital", "village_clinic")]),
        "mode": st.sampled_from(["walk", "bike", "drive"]),
        "urban": limits,
        "rural": limits,
        "direction": st.sampled_from(["to_facility", "from_facility"]),
        "turnout_s": st.sampled_from([0, 120]),
    }
).map(lambda said: WALK.model_copy(update=said))


def changed(identity: str, start: ServiceDefinition = WALK, **said: Any) -> ServiceDefinition:
    return start.model_copy(update={"id": identity} | said)


def prepared(region: Region, *definitions: ServiceDefinition) -> Prepared:
    service = Service(name_zh="医疗", name_en="medical", definitions=definitions)
    return Prepared(region, Services(kinds=default_services().kinds, services={"medical": service}), town.speeds())


def explained(region: Region, a: ServiceDefinition, b: ServiceDefinition, **asked: Any) -> Explanation:
    return explain(prepared(region, a, b), "medical", a.id, b.id, **asked)


def whole(table: pd.DataFrame, *columns: str) -> list[list[Any]]:
    return table.loc[table["row"] == "total", list(columns)].to_numpy().tolist()


def test_each_part_of_the_difference_is_known():
    homes = {"near": (5, 0), "by car": (30, 0), "by clinic": (58, 0)}  # 1, 2 and 4 people
    region = town.region(town.roads(STREET), homes, {"H": (0, 0), "V": (60, 0)}, kind=["hospital", "village_clinic"])
    wider = changed("wider", kinds=("hospital", "village_clinic"), mode="drive", urban=Limit(minutes=5), rural=Limit(minutes=5))
    said = explained(region, WALK, wider)
    assert [step.ingredient for step in said.steps] == ["kinds", "mode", "limit"]
    assert whole(said.by_zone, "people", "both", "only_a", "only_b", "neither") == [[7, 1, 0, 6, 0]]
    # the clinic reaches the last home on foot; 15 minutes by car are 90 blocks, 5 minutes still 30
    assert whole(said.parts, "ingredient", "gained_people", "lost_people", "covered_people") == [
        ["kinds", 4, 0, 5],
        ["mode", 2, 0, 7],
        ["limit", 0, 0, 7],
    ]
    assert said.examples[["ingredient", "change", "id", "people"]].to_numpy().tolist() == [
        ["kinds", "gained", "by clinic", 4],
        ["mode", "gained", "by car", 2],
    ]


def test_who_is_gained_and_lost_again_is_in_no_part():
    region = town.region(town.roads(STREET), {"near": (5, 0), "middle": (20, 0), "far": (40, 0)}, {"H": (0, 0)})
    short_drive = changed("drive", mode="drive", urban=Limit(minutes=5), rural=Limit(minutes=5))  # 30 blocks
    said = explained(region, WALK, short_drive)
    assert whole(said.parts, "ingredient", "gained_people", "lost_people", "covered_people") == [["mode", 2, 0, 7], ["limit", 0, 0, 3]]


def test_the_parts_of_every_township_add_up_to_its_difference():
    zones = {f"Z{at}": town.polygon([(at * 10 - 5, -5), (at * 10 + 5, -5), (at * 10 + 5, 5), (at * 10 - 5, 5)]) for at in range(7)}
    homes = {f"H{x:02d}": (x, 0) for x in range(61)}
    clinics = {"A": (3, 0), "B": (27, 0), "C": (50, 0)}
    kinds = ["hospital", "village_clinic", "hospital"]
    region = town.region(
        town.roads(STREET), homes, clinics, zones=zones, urban=list(homes)[::3], kind=kinds, people=dict.fromkeys(homes, 3)
    )
    other = changed(
        "other",
        kinds=("village_clinic",),
        mode="bike",
        urban=Limit(minutes=3),
        rural=Limit(minutes=6),
        turnout_s=30,
        direction="from_facility",
    )
    said = explained(region, WALK, other)
    sums = said.parts.groupby(["row", "zone_id"], sort=False)[["gained_people", "lost_people", "gained_settlements"]].sum()
    table = said.by_zone.set_index(["row", "zone_id"])
    assert (sums["gained_people"] == table["only_b"]).all()
    assert (sums["lost_people"] == table["only_a"]).all()
    assert (sums["gained_settlements"] == table["settlements_b"] - table["settlements_a"]).all()
    assert (table[["both", "only_a", "only_b", "neither"]].sum(axis=1) == table["people"]).all()
    assert table.loc[("total", ""), "only_a"] > 0
    assert table.loc[("total", ""), "only_b"] > 0


def test_a_definition_against_itself_has_no_parts():
    region = town.region(town.roads(STREET), {"near": (5, 0)}, {"H": (0, 0)})
    said = explained(region, WALK, changed("same", kinds=("hospital", "hospital")))
    assert said.steps == ()
    assert said.parts.empty
    assert whole(said.by_zone, "both", "only_a", "only_b") == [[1, 0, 0]]
    assert "The two definitions are the same" in explain_text(prepared(region, WALK), said)


def test_only_the_share_of_a_settlement_differs():
    homes = {"p": (5, 0), "q": (30, 0)}  # one village of 1 + 2 people, a third of them near
    region = town.region(town.roads(STREET), homes, {"H": (0, 0)}, settlement={"p": "v", "q": "v"})
    said = explained(region, WALK, changed("third", settlement_share=0.33))
    assert whole(said.parts, "ingredient", "gained_people", "gained_settlements") == [["settlement_share", 0, 1]]


def test_mode_and_delays_are_judged_while_minutes_are_counted():
    straight = changed("straight", urban=Limit(straight_m=500), rural=Limit(straight_m=500))
    drive = changed("drive", mode="drive", turnout_s=60)
    assert [step.ingredient for step in steps_between(straight, drive)] == ["limit", "mode", "delays"]
    assert [step.ingredient for step in steps_between(drive, straight)] == ["mode", "delays", "limit"]
    for start, end in ((straight, drive), (drive, straight)):
        assert steps_between(start, end)[-1].after.model_copy(update={"id": end.id}) == end


def test_a_facility_stands_in_the_nearest_settlement_of_its_own_township():
    zones = {"W": town.polygon([(-5, -5), (10, -5), (10, 5), (-5, 5)]), "E": town.polygon([(10, -5), (70, -5), (70, 5), (10, 5)])}
    homes = {"w": (0, 0), "e": (11, 0), "far": (40, 0), "none": (50, 0)}
    clinics = {"edge": (9, 0), "park": (38, 0), "outside": (-80, 0)}  # the first is nearer to e, but stands in the west
    region = town.region(town.roads(STREET), homes, clinics, zones=zones, urban=["w", "e"])
    assert standing_in(region.demand, region.facilities, region.zones) == {"total": 0.5, "urban": 0.5, "rural": 0.5}


def test_a_published_share_is_held_against_every_way_to_count():
    homes = {"a": (5, 0), "b": (6, 0), "c": (30, 0), "d": (60, 0)}
    people = {"a": 10, "b": 10, "c": 10, "d": 70}
    region = town.region(town.roads(STREET), homes, {"H": (0, 0)}, people=people)
    drive = changed("drive", mode="drive", urban=Limit(minutes=5), rural=Limit(minutes=5))
    said = explained(region, WALK, drive, published=0.76).reconciled
    assert said is not None
    nearest = said.figures.iloc[0]
    assert (nearest["definition"], nearest["row"], nearest["count"], nearest["share"]) == ("drive", "total", "settlements", 0.75)
    assert nearest["gap"] == pytest.approx(-0.01)
    assert said.walk["ingredient"].tolist() == ["mode", "limit", "settlements"]
    assert said.walk["change"].tolist() == pytest.approx([0.8, -0.7, 0.45])  # 20 % on foot, all by car, 30 % in 5 minutes, 3 places of 4
    assert said.walk["change"].sum() == pytest.approx(0.75 - 0.20)


def test_a_facility_next_door_is_counted_and_left_out():
    zones = {"Z": town.polygon([(-5, -5), (40, -5), (40, 5), (-5, 5)])}
    region = town.region(town.roads(STREET), {"a": (5, 0), "b": (39, 0)}, {"H": (0, 0), "next door": (45, 0)}, zones=zones)
    said = explained(region, WALK, changed("b", settlement_share=0.5), published=1 / 3).reconciled
    assert said is not None
    assert said.figures.iloc[0][["definition", "count", "external"]].tolist() == ["walk", "people", False]
    assert said.walk.to_numpy().tolist() == [["external", 1.0, pytest.approx(1 / 3), pytest.approx(-2 / 3)]]


def test_what_cannot_be_asked_is_refused():
    region = town.region(town.roads(STREET), {"a": (5, 0)}, {"H": (0, 0)}, people={"a": 0}, settlement={"a": ""})
    with pytest.raises(OptionError, match="from 0 to 100"):
        explained(region, WALK, changed("b"), published=95)
    with pytest.raises(InputError, match="Nobody lives there"):
        explained(region, WALK, changed("b"), published=0.95)
    with pytest.raises(OptionError, match="No definition 'x'"):
        explain(prepared(region, WALK), "medical", None, "x")


def test_a_restricted_facility_is_not_named():
    region = town.region(town.roads(STREET), {"a": (5, 0)}, {"secret": (0, 0)}, restricted=[True])
    said = explained(region, WALK, changed("b", mode="drive"), published=0.5)
    assert whole(said.by_zone, "both") == [[1]]
    assert "secret" not in explain_text(prepared(region, WALK, changed("b")), said)


def test_the_command_explains_and_writes_the_same_bytes_twice(example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    ask = ["explain", str(example), "--service", "medical", "--against", "straight", "--published", "95"]
    assert main(ask) == 0
    text = capsys.readouterr().out
    assert "示意数据" in text
    assert "第 1 步 时限或距离：15 分钟 → 直线 1000 米" in text
    for name in ("one", "two"):
        assert main([*ask, "--out", str(tmp_path / name), "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
    total, parts = said["total"], [part for part in said["parts"] if part["row"] == "total"]
    assert total["both"] + total["only_a"] + total["only_b"] + total["neither"] == total["people"] == 620_254
    assert sum(part["gained_people"] for part in parts) == total["only_b"]
    assert said["published"]["nearest"]["share"] == pytest.approx(0.95, abs=0.1)
    written = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert written == ["explain.csv", "explain.json", "explain.xlsx", "explain_figures.csv", "explain_parts.csv"]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in written)


@PROFILE
@given(
    homes=st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True),
    clinics=st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["hospital", "village_clinic"])), min_size=1, max_size=4),
    ends=st.tuples(definitions, definitions),
)
def test_whatever_the_two_definitions_the_parts_add_up(homes, clinics, ends):
    places = {f"C{at}": (x, 0) for at, (x, _) in enumerate(clinics)}
    region = town.region(town.roads(STREET), {f"H{x}": (x, 0) for x in homes}, places, kind=[kind for _, kind in clinics])
    a, b = ends
    said = explained(region, a.model_copy(update={"id": "a"}), b.model_copy(update={"id": "b"}))
    (groups,) = whole(said.by_zone, "only_a", "only_b", "settlements_a", "settlements_b")
    parts = whole(said.parts, "lost_people", "gained_people", "gained_settlements")
    assert sum(part[0] for part in parts) == groups[0]
    assert sum(part[1] for part in parts) == groups[1]
    assert sum(part[2] for part in parts) == groups[3] - groups[2]


def test_a_share_is_not_taken_for_a_percentage(example: Path, capsys: pytest.CaptureFixture[str]):
    ask = ["explain", str(example), "--service", "medical", "--against", "straight", "--published"]
    assert main([*ask, "0.95"]) == 2
    assert "is a percentage such as 95 or 95%" in capsys.readouterr().err
