"""How fast a road is: what was measured there, its maxspeed, its class, and the traffic of the hour; worked out by hand on gridtown."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import gridtown as town
import numpy as np
import pandas as pd
import pyproj
import pytest
from conftest import REPOSITORY
from county_files import write_county
from hypothesis import given, settings
from hypothesis import strategies as st
from random_town import PROFILE, towns

from coverage.search import reach
from coverage.snap import snap
from coverage.stats import coverage
from geodata.errors import InputError, OptionError
from geodata.hours import hours_of
from geodata.network import NEVER, Network, build_network
from geodata.piece_speeds import piece_kmh, unmatched
from geodata.region import Prepared
from geodata.roads import Roads
from geodata.standards import ModeSpeeds, Speeds, default_services, default_speeds, read_services, read_speeds
from geodata.store import open_region
from geodata.ways.files import read_roads_of
from scenarios.call_speeds import BandSpeed, ClassSpeed, SpeedFit
from scenarios.cli import main
from scenarios.explain import steps_between
from scenarios.od import Traffic, od_table
from scenarios.output.call_files import speeds_toml
from scenarios.output.speed_words import hour_said, traffic_warnings
from scenarios.siting.region.standby import site_standby

# Four pieces in a row; ways 1 and 2 are a primary road, 平安路, way 2 with a maxspeed of 50; ways 3 and 4 are 李家巷.
STREET = replace(
    town.roads(town.street(*((x, 0) for x in range(5))), road_class={0: "primary", 1: "primary"}, kmh={1: 50}),
    name=np.array([0, 0, 1, 1]),
    road_names=("平安路", "李家巷"),
)


def rush(factor: float = 0.5, *classes: str, hours: str = "7-9") -> dict[str, object]:
    start, end = map(int, hours.split("-"))
    return {"from": start, "to": end, "factor": factor, "classes": classes, "source": "counted"}


def speeds(mode: str = "drive", **fields: object) -> Speeds:
    """Those of gridtown, with more said of a mode."""
    base = town.speeds()
    return base.model_copy(update={mode: ModeSpeeds.model_validate(base.of(mode).model_dump() | fields)})


def kmh(hour: int | None = None, mode: str = "drive", roads: Roads = STREET, **fields: object) -> list[float]:
    both = piece_kmh(roads, mode, speeds(mode, **fields).of(mode), hour)
    assert (both[:, 0] == both[:, 1]).all()
    return both[:, 0].tolist()


def network(roads: Roads, given_speeds: Speeds, hour: int | None = None) -> Network:
    with mock.patch.object(pyproj.Transformer, "from_crs", return_value=town.FROM_DEGREES):  # making one takes longer than any test
        return build_network(roads, "drive", given_speeds, town.CRS, hour=hour)


# --- factors of an hour


def test_a_factor_holds_from_its_first_hour_until_before_its_last():
    assert [kmh(hour, factors=[rush(0.5)])[0] for hour in (None, 6, 7, 8, 9)] == [36, 36, 18, 18, 36]


def test_a_factor_applies_to_the_class_speed_and_to_the_tagged_maxspeed():
    assert kmh(8, factors=[rush(0.5)]) == [18, 25, 18, 18]


def test_hours_may_run_past_midnight_and_over_the_whole_day():
    assert hours_of("22-6") == {22, 23, 0, 1, 2, 3, 4, 5}
    assert hours_of("20-24") == hours_of("20-0") == {20, 21, 22, 23}
    assert hours_of("0-24") == set(range(24))
    assert [kmh(hour, factors=[rush(2.0, hours="22-6")])[0] for hour in (21, 22, 0, 5, 6)] == [36, 72, 72, 72, 36]


def test_a_factor_for_the_class_comes_before_one_for_all_in_whatever_order_they_stand():
    for factors in ([rush(0.5), rush(0.25, "primary")], [rush(0.25, "primary"), rush(0.5)]):
        assert kmh(8, factors=factors) == [9, 12.5, 18, 18]


def test_a_factor_for_one_class_leaves_the_others_alone():
    assert kmh(8, factors=[rush(0.5, "primary")]) == [18, 25, 36, 36]


def test_a_bicycle_keeps_below_the_maxspeed_before_the_factor_and_a_walker_knows_none():
    slow = replace(STREET, maxspeed_kmh=np.full((4, 2), 10.0))
    assert kmh(8, "bike", slow, factors=[rush(0.5)]) == [5] * 4
    assert kmh(8, "walk", slow, factors=[rush(0.5)]) == [2] * 4


# --- measured speeds


def test_measured_on_the_way_comes_before_the_name_before_the_maxspeed_before_the_class():
    assert kmh() == [36, 50, 36, 36]
    assert kmh(names={"平安路": 28}) == [28, 28, 36, 36]
    assert kmh(names={"平安路": 28}, ways={"2": 20}) == [28, 20, 36, 36]


def test_no_factor_touches_a_measured_speed():
    assert kmh(8, names={"平安路": 28}, ways={"2": 20}, factors=[rush(0.5)]) == [28, 20, 18, 18]


def test_a_speed_measured_by_hour_holds_at_its_hours_and_the_free_one_at_the_others():
    ways = {"1": {"free": 45, "7-9": 28, "17-19": 30}}
    assert [kmh(hour, ways=ways)[0] for hour in (None, 3, 8, 9, 18)] == [45, 45, 28, 45, 30]


def test_what_was_measured_at_some_hours_only_says_nothing_of_the_others():
    said = {"ways": {"1": {"7-9": 20}}, "names": {"平安路": {"7-9": 28, "free": 40}}}
    assert [kmh(hour, **said)[:2] for hour in (8, 3)] == [[20, 28], [40, 40]]


def test_speeds_for_ways_names_and_classes_that_are_not_there_are_found():
    way = speeds(ways={"2": 20, "77": 20, "9": 5}, names={"平安路": 28, "昌江大道": 28}, factors=[rush(0.5, "primary", "trunk")]).drive
    assert unmatched(STREET, way) == ((9, 77), ("昌江大道",), ("trunk",))
    assert unmatched(STREET, town.speeds().drive) == ((), (), ())


def test_measured_speeds_hold_on_the_avenue_and_the_way_of_a_real_map_and_nowhere_else(data_file):
    roads = read_roads_of(data_file("monaco/monaco.osm.gz"))
    frame = roads.to_geodataframe()
    avenue = (frame["name"] == "Avenue Princesse Grace").to_numpy()
    assert avenue.sum() > 10
    way = int(frame.loc[avenue, "way_id"].iloc[0])
    usual, said = (
        piece_kmh(roads, "drive", one.drive, 8) for one in (town.speeds(), speeds(names={"Avenue Princesse Grace": 12}, ways={way: 7}))
    )
    on_way = (frame["way_id"] == way).to_numpy()
    assert (said[on_way] == 7).all()
    assert (said[avenue & ~on_way] == 12).all()
    assert (said[~avenue] == usual[~avenue]).all()
    slower = piece_kmh(roads, "drive", speeds(factors=[rush(0.5)]).drive, 8)
    assert (slower == usual / 2).all()


# --- times and networks


def test_half_the_speed_is_twice_the_time():
    said = speeds(factors=[rush(0.5)])
    assert network(STREET, said).forward_ms.tolist() == [10_000, 7_200, 10_000, 10_000]
    assert network(STREET, said, 8).forward_ms.tolist() == [20_000, 14_400, 20_000, 20_000]


def test_the_leg_to_the_road_is_as_slow_at_every_hour():
    said = speeds(factors=[rush(0.5)])
    times = [town.trip(network(STREET, said, hour), (0, 1), (2, 1)) for hour in (3, 8)]
    assert times == [2 * town.BLOCK_MS + 17_200, 2 * town.BLOCK_MS + 34_400]


def test_less_is_reached_in_the_rush_hour_than_at_night():
    said, start = speeds(factors=[rush(0.5)]), town.lonlat([(0, 0)])
    reached = [
        len(reach(net, snap(net, start, np.array([0]), 1), direction="from_facility", weight="time", limit=20_000).node)
        for net in (network(STREET, said, hour) for hour in (3, 8))
    ]
    assert reached == [3, 2]


@settings(PROFILE, max_examples=20)
@given(towns(), st.sampled_from([0.2, 0.25, 0.5, 1.0]))
def test_doubling_the_factor_halves_every_time_and_an_hour_without_one_is_free_flow(given_town, factor):
    roads = town.roads(**given_town)
    once, twice = (network(roads, speeds(factors=[rush(many * factor)]), 8) for many in (1, 2))
    for slow, fast in ((once.forward_ms, twice.forward_ms), (once.backward_ms, twice.backward_ms)):
        assert ((slow == NEVER) == (fast == NEVER)).all()
        assert (np.abs(slow - 2 * fast)[slow != NEVER] <= 1).all()
    free, never = (piece_kmh(roads, "drive", one.drive, 12) for one in (speeds(factors=[rush(factor)]), town.speeds()))
    assert (free == never).all()


# --- a region at an hour

HOMES = {"near": (1, 0), "far": (4, 0)}


def county(given_speeds: Speeds, services: Path | None = None) -> Prepared:
    return Prepared(town.region(STREET, HOMES, {"clinic": (0, 0)}), read_services(services), given_speeds)


def own_services(folder: Path) -> Path:
    """A service whose first definition is at eight, and whose other at no hour."""
    one = 'kinds = ["hospital"]\nmode = "drive"\nurban = { minutes = 0.7 }\nrural = { minutes = 0.7 }\nsource = "s"\nstatus = "M"\n'
    said = 'name_zh = "口径"\nname_en = "definition"\n' + one
    path = folder / "services.toml"
    blocks = (f'[[services.own.definitions]]\nid = "{name}"\n{hour}{said}' for name, hour in (("rush", "hour = 8\n"), ("any", "")))
    path.write_text('[services.own]\nname_zh = "服务"\nname_en = "service"\n' + "".join(blocks), encoding="utf-8")
    return path


def test_a_definition_may_have_an_hour_of_its_own(tmp_path):
    prepared = county(speeds(factors=[rush(0.5)]), own_services(tmp_path))
    found = {}
    for name in ("rush", "any"):
        definition = prepared.services.service("own").definition(name)
        found[name] = coverage(prepared.region, definition, prepared.network_of(definition)).covered.tolist()
    assert found == {"rush": [True, False], "any": [True, True]}


def test_each_hour_has_its_network_and_an_hour_without_data_that_of_free_flow():
    prepared = county(speeds(factors=[rush(0.5)], ways={"1": {"20-21": 10}}))
    eight, free, evening = (prepared.network("drive", hour) for hour in (8, None, 20))
    assert prepared.network("drive", 8) is eight
    assert prepared.network("drive") is prepared.network("drive", 3) is free
    assert [net.forward_ms[0] for net in (eight, free, evening)] == [20_000, 10_000, 36_000]


def test_other_people_share_the_networks_and_other_speeds_do_not():
    prepared = county(town.speeds())
    free = prepared.network("drive")
    assert replace(prepared, region=replace(prepared.region, name="later")).network("drive") is free
    assert replace(prepared, speeds=town.speeds(2.0)).network("drive").forward_ms[0] == free.forward_ms[0] / 2
    closed = replace(prepared.region, roads=replace(STREET, permit=STREET.permit * 0 + np.array([63, 63, 63, 0], dtype=np.uint8)))
    assert len(replace(prepared, region=closed).network("drive")) == 3
    assert prepared.network("drive") is free


def test_the_hour_is_an_ingredient_of_what_differs_between_two_definitions():
    usual = town.definition(mode="drive")
    (step,) = steps_between(usual, usual.at_hour(8))
    assert (step.ingredient, step.before.hour, step.after.hour) == ("hour", None, 8)


def test_asking_twice_for_an_hour_is_asking_once():
    once = town.definition(mode="drive").at_hour(8)
    assert once.at_hour(8) is once
    with pytest.raises(OptionError, match="0-23"):
        once.at_hour(24)


def test_standby_points_are_sited_in_the_traffic_of_the_hour():
    # Of 30 minutes 4 pass before driving. Fifty blocks are 8 minutes; at eight, a block in 100 s, 83 minutes.
    homes = {"near": (0, 0), "far": (50, 0)}
    region = town.region(
        town.roads(town.street(*((x, 0) for x in range(51)))), homes, {"A": (0, 0)}, kind="hospital", eligible_for=["emergency"]
    )
    prepared = Prepared(region, default_services(), speeds(factors=[rush(0.1)]))
    usual, rushed = (site_standby(prepared, "emergency", sites=1, hour=hour) for hour in (None, 8))
    assert (usual.result.served, rushed.result.served) == (3, 1)
    assert rushed.definition.hour == 8


# --- what is said


def test_the_traffic_of_the_hour_is_said_with_its_source():
    said = speeds(factors=[rush(0.5), rush(0.7, "primary")], names={"平安路": {"7-9": 20}})
    zh, en = hour_said(said, town.definition(mode="drive", minutes=5).at_hour(8))
    assert zh == "8 时驾车：全天平均车速 ×0.5（其余等级；counted）；全天平均车速 ×0.7（primary；counted）；该时段有实测车速的路 1 条。"
    assert en.startswith("8:00 by car: usual speeds × 0.5 (all other classes; counted); usual speeds × 0.7 (primary; counted); roads")


def test_nothing_is_said_of_an_hour_that_is_not_asked_for():
    prepared = county(speeds(factors=[rush(0.5)]))
    assert hour_said(prepared.speeds, town.definition(mode="drive")) is None
    assert traffic_warnings(prepared, [town.definition(mode="drive"), town.definition(mode="drive").at_hour(8)]) == ()


def test_an_hour_of_which_nothing_is_known_is_told():
    prepared = county(speeds(factors=[rush(0.5)]))
    ((_, en),) = traffic_warnings(prepared, [town.definition(mode="drive").at_hour(3)])
    assert en == "No factor and no measured speed for 3:00 by car: figures at the usual speeds, the day's average, not those of that hour."
    ((_, en),) = traffic_warnings(prepared, [town.definition(mode="walk").at_hour(8)])
    assert "8:00 on foot" in en
    ((_, en),) = traffic_warnings(prepared, [town.definition(mode="drive", network_m=500).at_hour(3)])
    assert "the hour makes no difference" in en


def test_speeds_that_are_not_used_are_told():
    prepared = county(speeds(ways={"77": 20}, names={"昌江大道": 28}))
    ((zh, en),) = traffic_warnings(prepared, [town.definition(mode="drive")])
    assert "道路编号 77；路名 昌江大道" in zh
    assert en == "Speeds are given for roads that are not there, and not used: way ids 77; names 昌江大道."
    assert traffic_warnings(prepared, [town.definition(mode="walk")]) == ()


# --- a bureau's own file

OWN = '[drive]\nkmh = 36\naccess_kmh = 15\naccess_detour = 1\nsource = "s"\nstatus = "M"\n'
FACTOR = '[[drive.factors]]\nfrom = {}\nto = {}\nfactor = {}\nsource = "s"\n{}\n'


def own_speeds(folder: Path, text: str) -> Path:
    path = folder / "speeds.toml"
    path.write_text(OWN + text, encoding="utf-8")
    return path


def test_an_own_file_may_give_factors_and_measured_speeds(tmp_path):
    text = (
        FACTOR.format(22, 6, 1.1, 'classes = ["primary"]')
        + '[drive.ways]\n123456789 = 35\n[drive.names]\n"昌江大道" = {free = 45, "7-9" = 28}'
    )
    drive = read_speeds(own_speeds(tmp_path, text)).drive
    assert (drive.factors[0].hours, drive.factors[0].classes) == (hours_of("22-6"), ("primary",))
    assert (drive.ways, drive.names) == ({123456789: {"free": 35}}, {"昌江大道": {"free": 45, "7-9": 28}})
    assert drive.hours == tuple(sorted({22, 23, *range(6), 7, 8}))


def test_a_block_without_a_speed_of_its_own_adds_to_the_shipped_one(tmp_path):
    path = tmp_path / "speeds.toml"
    path.write_text('[drive]\nsource = "点测 spot"\nclasses = { trunk = 55 }\nnames = { "昌江大道" = 28 }\n', encoding="utf-8")
    drive, shipped = read_speeds(path).drive, default_speeds().drive
    assert drive.classes == shipped.classes | {"trunk": 55}
    assert (drive.kmh, drive.names) == (shipped.kmh, {"昌江大道": {"free": 28}})
    assert drive.source.startswith("点测 spot；")
    assert shipped.source in drive.source
    path.write_text('[drive]\nnames = { "昌江大道" = 28 }\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"drive\.source：缺少此项"):
        read_speeds(path)


@pytest.mark.parametrize("page", ["docs/data.md", "docs/data.zh-CN.md"])
def test_the_speeds_in_the_pages_can_be_read(tmp_path, page):
    blocks = re.findall(r"^```toml\n(.*?)^```$", (REPOSITORY / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (text,) = [block for block in blocks if "[drive" in block]
    (tmp_path / "speeds.toml").write_text(text, encoding="utf-8")
    drive = read_speeds(tmp_path / "speeds.toml").drive
    assert drive.classes == default_speeds().drive.classes
    assert (drive.factor("primary", 8), drive.factor("residential", 8), drive.factor("primary", 23)) == (0.7, 0.85, 1.1)
    assert drive.ways == {123456789: {"free": 35}}
    assert drive.hours == tuple(sorted({7, 8, *hours_of("22-6")}))


def test_nothing_is_shipped_for_the_hours_for_nothing_is_measured():
    assert [default_speeds().of(mode).hours for mode in ("walk", "bike", "drive")] == [()] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FACTOR.format(7, 7, 0.7, ""), "7-7”不是钟点：应如 7-9"),
        (FACTOR.format(24, 3, 0.7, ""), "drive.factors.0.from：不得大于 23"),
        (FACTOR.format(7, 25, 0.7, ""), "drive.factors.0.to：不得大于 24"),
        (FACTOR.format(7, 9, 0, ""), "drive.factors.0.factor：必须大于 0"),
        (
            FACTOR.format(7, 9, 85, ""),
            "drive.factors.0.factor：系数 85 不在 0.1—2 之间：系数是全天平均车速的倍数，85% 写作 0.85。是不是 0.85？",
        ),
        (FACTOR.format(7, 9, 0.09, ""), "系数 0.09 不在 0.1—2 之间"),
        ("[drive.ways]\n1 = 151", "drive.ways.1.free：实测车速 151 不在每小时 1—150 公里之间"),
        ('[drive.names]\n"a" = { "7-9" = 0.5 }', "drive.names.a.7-9：实测车速 0.5 不在"),
        (FACTOR.format(7, 9, 0.7, "").replace('source = "s"', ""), "drive.factors.0.source：缺少此项"),
        (FACTOR.format(7, 9, 0.7, "") + FACTOR.format(8, 10, 0.8, ""), "同一道路等级有两个系数：7-9 / 8-10"),
        (FACTOR.format(7, 9, 0.7, 'classes = ["trunk"]') + FACTOR.format(8, 10, 0.8, 'classes = ["primary", "trunk"]'), "两个系数"),
        ("[drive.ways]\n昌江大道 = 3".replace("昌江大道", '"昌江大道"'), "应为整数"),
        ("[drive.ways]\n1 = 0", "必须大于 0"),
        ("[drive.ways]\n1 = {}", "至少要有 1 项"),
        ('[drive.ways]\n1 = "35"', "drive.ways.1"),
        ('[drive.names]\n"" = 35', "不能为空"),
        ('[drive.names]\n"a" = { 早高峰 = 35 }'.replace("早高峰", '"早高峰"'), "早高峰”不是钟点"),
        ('[drive.names]\n"a" = { "7-9" = 35, "8-10" = 30 }', "同一钟点给了两个车速：7-9 / 8-10"),
    ],
)
def test_wrong_factors_and_measured_speeds_are_refused_in_both_languages(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        read_speeds(own_speeds(tmp_path, text))
    assert any(said in problem.zh for problem in caught.value.problems), caught.value
    assert all(problem.zh.startswith("speeds.toml：drive") for problem in caught.value.problems)
    assert all(problem.en.startswith("speeds.toml: drive") for problem in caught.value.problems)


def test_factors_for_different_classes_or_hours_do_not_contradict_each_other(tmp_path):
    text = "".join(
        FACTOR.format(*one) for one in ((7, 9, 0.7, ""), (9, 11, 0.8, ""), (8, 10, 0.6, 'classes = ["trunk"]'), (22, 7, 1.1, ""))
    )
    assert len(read_speeds(own_speeds(tmp_path, text)).drive.factors) == 4


def test_the_speeds_of_a_120_log_are_read_back_as_they_were_fitted(tmp_path):
    primary = ClassSpeed("primary", 900.0, 300, 52.0, 51.0, 53.0, 60.0, 0.0, {})
    bands = {"peak": BandSpeed(0.9, 0.88, 0.92, 60), "day": BandSpeed(1.05, 1.0, 1.1, 200), "night": BandSpeed(1.2, 0.9, 1.6, 30)}
    fit = SpeedFit((primary,), 300, 0, 30.0, float("nan"), 0.2, {}, {}, bands)
    study = SimpleNamespace(speeds=fit, counts=SimpleNamespace(first_day="2025-01-01", last_day="2025-12-31"))
    measured = {"ways": {"5": 30}, "names": {'"一"路': {"free": 45, "7-9": 28}}}
    prepared = county(speeds(**measured, classes={"primary": 60.0, "trunk": 70.0}))
    (tmp_path / "speeds.toml").write_text(speeds_toml(prepared, study), encoding="utf-8")
    drive = read_speeds(tmp_path / "speeds.toml").drive
    assert drive.classes == {"primary": 52.0, "trunk": 70.0}
    assert [drive.factor("trunk", hour) for hour in (None, 6, 7, 8, 9, 17, 19, 21)] == [1, 1.05, 0.9, 0.9, 1.05, 0.9, 1.05, 1.05]
    assert {drive.factor("primary", hour) for hour in (22, 0, 5)} == {1}  # too few runs at night to tell
    assert (drive.ways, drive.names) == ({5: {"free": 30}}, {'"一"路': {"free": 45, "7-9": 28}})


# --- the whole line


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two townships of the test files, with traffic at eight and a road that is not there."""
    folder = tmp_path_factory.mktemp("county")
    text = FACTOR.format(7, 9, 0.1, "") + '[drive.names]\n"昌江大道" = 28\n'
    write_county(folder, toml='speeds = "speeds.toml"')
    own_speeds(folder, text)
    return folder


def test_the_command_line_counts_at_the_hour_and_tells_what_it_does_not_know(folder, capsys):
    shares = []
    for hour in ("8", "3"):
        assert main(["coverage", str(folder), "--service", "medical", "--definition", "drive", "--minutes", "2", "--hour", hour]) == 0
        out, err = capsys.readouterr()
        shares.append(out.split("合计 total")[1].split()[1])
        assert ("No factor and no measured speed" in err) == ("No factor and no measured speed" in out) == (hour == "3")
        assert "names 昌江大道" in err
        assert f"at {hour}:00" in out
    assert shares == ["0", "3,000"]  # 300 m to the nearest: 29 s, and 294 s
    assert [finding.code for finding in audit_of(folder) if finding.code == "unused_speeds"] == ["unused_speeds"]


def audit_of(folder: Path) -> tuple[object, ...]:
    from scenarios.audit.check import check_region  # noqa: PLC0415 — one test needs it

    return check_region(open_region(folder)).findings


def test_a_matrix_takes_speeds_from_a_file_at_an_hour(folder, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("id,lon,lat\na,116.002,28.305\nb,116.012,28.305\n", encoding="utf-8")
    told: list[str] = []
    minutes = {}
    for hour in (8, 3):
        traffic = Traffic(read_speeds(folder / "speeds.toml"), hour)
        found = od_table(folder / "roads.osm", points, points, mode="drive", traffic=traffic, say=lambda _zh, en: told.append(en))
        minutes[hour] = _of(found.pairs, "a", "b")
    assert minutes[8] == pytest.approx(10 * minutes[3], abs=1e-4)
    assert sum("No factor" in line for line in told) == 1
    with pytest.raises(OptionError, match="0-23"):
        od_table(folder / "roads.osm", points, points, mode="drive", traffic=Traffic(default_speeds(), -1))


def _of(pairs: pd.DataFrame, origin: str, destination: str) -> float:
    return float(pairs.loc[(pairs["from_id"] == origin) & (pairs["to_id"] == destination), "minutes"].iloc[0])


def test_the_least_and_the_most_factor_and_measured_speed_are_taken(tmp_path):
    path = tmp_path / "speeds.toml"
    text = (
        '[drive]\nsource = "s"\nstatus = "M"\n'
        + FACTOR.format(7, 9, 0.1, "")
        + FACTOR.format(9, 10, 2, "")
        + "[drive.ways]\n1 = 1\n2 = 150\n"
    )
    path.write_text(text, encoding="utf-8")
    drive = read_speeds(path).drive
    assert ([one.factor for one in drive.factors], drive.ways) == ([0.1, 2], {1: {"free": 1}, 2: {"free": 150}})
