"""Surge points: who goes where, who is done in time, how long the queue. By hand, against a queue stepped by the minute, brute force."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import gridtown as town
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_town import PROFILE

from coverage.studies.balance import balanced, nearest
from coverage.studies.pairs import Pairs
from coverage.studies.queues import Arrivals, enough_per_lane, finish_h, lanes_to_finish, lanes_to_keep_wait, worst_wait_h
from coverage.studies.surge import SurgeResult, SurgeTerms, surge
from geodata.errors import InputError, OptionError
from geodata.model import Region
from geodata.region import Prepared
from geodata.standards import default_services
from scenarios.cli import main
from scenarios.output.surge_report import surge_text
from scenarios.surge import read_arrivals

# A street of 40 blocks, ten of which are 15 minutes on foot; points at 5 and 15, both within reach of the middle only.
STREET = town.street(*((float(x), 0.0) for x in range(41)))
HOMES = {"west": (0, 0), "middle": (9, 0), "east": (20, 0), "far": (38, 0)}
PEOPLE = {"west": 300, "middle": 500, "east": 200, "far": 70}
POINTS = {"W": (5, 0), "E": (15, 0)}
TERMS = SurgeTerms(rate=50, hours=8)


def county(points: dict[str, town.Node] | None = None, **columns: object) -> Region:
    columns.setdefault("capacity", [1.0, 2.0])
    settlement = columns.pop("settlement", None)
    return town.region(town.roads(STREET), HOMES, points or POINTS, people=PEOPLE, kind="sampling_site", settlement=settlement, **columns)


def sent(region: Region, terms: SurgeTerms = TERMS) -> SurgeResult:
    return surge(region, town.definition(kinds=("sampling_site",)), town.network(region.roads), terms)


def where(result: SurgeResult) -> dict[str, str]:
    return dict(zip(result.communities["id"], result.communities["site_id"], strict=True))


def point(result: SurgeResult, name: str) -> dict[str, float]:
    return result.sites.set_index("id").loc[name].to_dict()


def test_each_community_goes_whole_to_its_nearest_point():
    result = sent(county())
    assert where(result) == {"west": "W", "middle": "W", "east": "E", "far": ""}
    far = dict(zip(result.communities["id"], result.communities["minutes"], strict=True))
    assert [far[home] for home in ("west", "middle", "east")] == [7.5, 6.0, 7.5]
    assert (result.standing.people, result.standing.assigned, result.standing.out_of_reach) == (1070, 1000, 70)


def test_a_point_with_one_lane_for_800_people_is_late_and_slow():
    """W: 800 people at 50 an hour take 16 hours of 8; who comes last waits 8 hours; 2 lanes finish in time, and keep the wait too."""
    said = point(sent(county()), "W")
    assert (said["people"], said["capacity_people"], said["done"]) == (800, 400, 400)
    assert (said["finish_h"], said["worst_wait_min"], said["in_time"]) == (16, 480, False)
    assert (said["lanes_to_finish"], said["lanes_to_keep_wait"], said["more_lanes"]) == (2, 2, 1)
    east = point(sent(county()), "E")
    assert (east["finish_h"], east["worst_wait_min"], east["in_time"], east["more_lanes"]) == (8, 0, True, 0)
    standing = sent(county()).standing
    assert (standing.done, standing.in_time, standing.wait_kept) == (600, 200, 200)
    assert (standing.points, standing.late, standing.slow, standing.lanes, standing.more_lanes) == (2, 1, 1, 3, 1)


def test_balanced_sends_the_middle_where_lanes_are_free():
    """W 300 ÷ 1 lane, E 700 ÷ 2 lanes: 350 for a lane at most, done after 8 hours; the nearest way needs 16."""
    result = sent(county(), replace(TERMS, assign="balanced"))
    assert where(result) == {"west": "W", "middle": "E", "east": "E", "far": ""}
    assert result.standing.last_finish_h == result.least_last_finish_h == 8
    assert where(sent(county(), replace(TERMS, assign="balanced", rate=100)))["middle"] == "W", "done in time: near is enough"


def test_part_of_the_people_may_come():
    result = sent(county(), replace(TERMS, share=0.5))
    assert (result.standing.people, point(result, "W")["people"]) == (535, 400)
    assert point(result, "W")["in_time"], "exactly as many as can be served"


def test_a_late_rush_waits_though_lanes_were_idle_before():
    """600 people, 100 an hour: 0, 0, 0, 600 in four hours. Capacity 400; the last of the rush comes as 500 are before him: 5 hours."""
    rush = Arrivals.hourly([0, 0, 0, 1])
    assert worst_wait_h(np.array([600.0]), 100, rush).tolist() == [5]
    assert finish_h(np.array([600.0]), 100, rush).tolist() == [9]
    assert lanes_to_finish(np.array([600]), 100, rush, hours=4).tolist() == [6]
    assert lanes_to_keep_wait(np.array([600]), 100, rush, wait_h=0.5).tolist() == [4]


def test_a_morning_peak_fades_and_is_done_before_closing():
    """400 people at 100 an hour: 300, 0, 100: two hours' queue after the first, one after the second, and one after the third."""
    peak = Arrivals.hourly([0.75, 0, 0.25])
    assert peak.hour.tolist() == [0, 1, 2, 3]
    assert worst_wait_h(np.array([400.0]), 100, peak).tolist() == [2]
    assert finish_h(np.array([400.0]), 100, peak).tolist() == [4]
    assert lanes_to_finish(np.array([400]), 100, peak, hours=4).tolist() == [1]
    result = sent(county(), replace(TERMS, arrivals=peak))
    assert point(result, "W")["finish_h"] == 16


@st.composite
def profiles(draw: st.DrawFn) -> Arrivals:
    shares = draw(st.lists(st.integers(0, 4), min_size=1, max_size=6).filter(any))
    return Arrivals.hourly([one / sum(shares) for one in shares])


def stepped(people: int, lanes: int, rate: float, arrivals: Arrivals) -> tuple[float, float]:
    """Worst wait and finish in hours, by moving a queue on from corner to corner."""
    backlog, worst = 0.0, 0.0
    for at, span in enumerate(np.diff(arrivals.hour)):
        backlog = max(0.0, backlog + people * (arrivals.share[at + 1] - arrivals.share[at]) / (lanes * rate) - span)
        worst = max(worst, backlog)
    return worst, arrivals.end + backlog


@PROFILE
@given(profiles(), st.integers(1, 900), st.integers(1, 4), st.sampled_from([40.0, 60.0]))
def test_the_queue_is_that_of_a_queue_moved_on_step_by_step(arrivals, people, lanes, rate):
    each = np.array([people / lanes])
    found = worst_wait_h(each, rate, arrivals)[0], finish_h(each, rate, arrivals)[0]
    assert found == pytest.approx(stepped(people, lanes, rate, arrivals))


@PROFILE
@given(profiles(), st.integers(1, 900), st.integers(0, 60))
def test_the_lanes_that_are_needed_are_enough_and_one_less_is_not(arrivals, people, wait_min):
    rate, wait_h, hours = 60.0, wait_min / 60, arrivals.end + 1
    finish = int(lanes_to_finish(np.array([people]), rate, arrivals, hours=hours)[0])
    keep = int(lanes_to_keep_wait(np.array([people]), rate, arrivals, wait_h=wait_h)[0])
    assert stepped(people, finish, rate, arrivals)[1] <= hours + 1e-6
    assert stepped(people, keep, rate, arrivals)[0] <= wait_h + 1e-6
    assert finish == 1 or stepped(people, finish - 1, rate, arrivals)[1] > hours
    assert keep == 1 or stepped(people, keep - 1, rate, arrivals)[0] > wait_h
    enough = enough_per_lane(rate, arrivals, wait_h=wait_h)
    assert worst_wait_h(np.array([enough]), rate, arrivals)[0] <= wait_h + 1e-9
    assert finish_h(np.array([enough]), rate, arrivals)[0] == pytest.approx(arrivals.end)


@st.composite
def assignments(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Pairs]:
    people = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5))
    lanes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    keys = [key for key in itertools.product(range(len(people)), range(len(lanes))) if draw(st.booleans())]
    community, at = (np.array([key[side] for key in keys], dtype=np.int64) for side in (0, 1))
    cost = np.array([draw(st.integers(0, 5)) for _ in keys], dtype=np.int64)
    return np.array(people), np.array(lanes, dtype=float), Pairs("minutes", len(people), len(lanes), community, at, cost)


@PROFILE
@given(assignments())
def test_no_assignment_at_all_has_a_less_full_fullest_point(question):
    people, lanes, pairs = question
    found = balanced(people, lanes, pairs, enough=0.0)
    choices = [pairs.facility[pairs.point == one].tolist() or [-1] for one in range(len(people))]
    best = min(fullest(np.array(site), people, lanes) for site in itertools.product(*choices))
    assert fullest(found.site, people, lanes) == pytest.approx(best)
    assert found.least_per_lane <= best + 1e-9
    assert [site in choice for site, choice in zip(found.site, choices, strict=True)] == [True] * len(people)


def fullest(site: np.ndarray, people: np.ndarray, lanes: np.ndarray) -> float:
    there = np.bincount(site[site >= 0], people[site >= 0], minlength=len(lanes))
    return float((there / lanes).max())


@PROFILE
@given(assignments())
def test_balance_is_never_worse_than_the_nearest_and_stays_near_where_that_is_enough(question):
    people, lanes, pairs = question
    near = nearest(pairs).site
    assert fullest(balanced(people, lanes, pairs, enough=0.0).site, people, lanes) <= fullest(near, people, lanes)
    assert balanced(people, lanes, pairs, enough=1e9).site.tolist() == near.tolist()


def test_of_equally_near_points_the_first_by_id_is_chosen():
    assert where(sent(county({"b": (5, 0), "a": (5, 0)})))["west"] == "a"


def test_a_settlement_of_several_places_stays_together():
    """West and middle are one village: W is within 15 minutes of both, E of the middle only, which has 62 % of the people, not 90 %."""
    one = sent(county(settlement={"west": "village", "middle": "village"}))
    assert where(one) == {"village": "W", "east": "E", "far": ""}
    assert one.communities["minutes"].tolist()[0] == 7.5, "as far as its farthest place"
    east_only = sent(county({"E": (15, 0)}, capacity=[2.0], settlement={"west": "village", "middle": "village"}))
    assert where(east_only) == {"village": "", "east": "E", "far": ""}


def test_restricted_points_serve_and_are_never_named():
    region = county(restricted=[True, False])
    result = sent(region)
    assert where(result) == {"west": "", "middle": "", "east": "E", "far": ""}
    out = result.communities.set_index("id")["state"] == "out_of_reach"
    assert out[out].index.tolist() == ["far"]
    assert result.communities.set_index("id")["minutes"].dropna().to_dict() == {"east": 7.5}, "how far it is would tell where it stands"
    assert (result.people_not_shown, result.standing.last_finish_h) == (800, 16)
    assert "W name" not in surge_text(Prepared(region, default_services(), town.speeds()), "sampling", result)


def test_every_figure_is_given_without_points_outside():
    region = county(zones={"Z": town.polygon([(-1, -1), (12, -1), (12, 1), (-1, 1)])})
    region = replace(region, demand=replace(region.demand, zone=np.zeros(4, dtype=np.int64)))
    result = sent(region)
    assert (result.standing.assigned, result.standing_without_external.assigned) == (1000, 800)
    total = result.by_zone.iloc[-1]
    assert (total["in_time"], total["in_time_without_external"]) == (200, 0)


def test_lanes_that_are_not_stated_are_asked_about_and_none_at_all_serve_nobody():
    silent = county(capacity=[1.0, np.nan])
    with pytest.raises(InputError, match="E name"):
        sent(silent)
    assert point(sent(silent, replace(TERMS, lanes=2)), "E")["lanes"] == 2
    with pytest.raises(InputError, match="whole numbers"):
        sent(county(capacity=[1.0, 1.5]))
    assert sent(county(capacity=[1.0, 0.0])).standing.assigned == 800
    nobody = sent(county(capacity=[0.0, 0.0])).standing
    assert (nobody.assigned, nobody.more_lanes) == (0, 0)
    assert np.isnan(nobody.last_finish_h)


def test_numbers_that_make_no_sense_are_refused_all_at_once():
    with pytest.raises(OptionError) as refused:
        SurgeTerms(rate=0, hours=-1, share=1.5, wait_min=-1)
    assert len(refused.value.problems) == 4
    with pytest.raises(OptionError, match="after closing"):
        SurgeTerms(rate=1, hours=1, arrivals=Arrivals.hourly([0.5, 0.5]))


def test_the_order_of_the_tables_changes_nothing():
    region = county()
    frame = region.demand.to_geodataframe().iloc[::-1].drop(columns="zone")
    turned = replace(
        region, facilities=region.facilities.take(np.array([1, 0])), demand=type(region.demand).from_geodataframe(frame, region.zones)
    )
    for assign in ("nearest", "balanced"):
        terms = replace(TERMS, assign=assign)
        for name in ("by_zone", "sites", "communities"):
            pd.testing.assert_frame_equal(getattr(sent(region, terms), name), getattr(sent(turned, terms), name))


def profile_file(folder: Path, text: str) -> Path:
    (folder / "arrivals.csv").write_text(text, encoding="utf-8")
    return folder / "arrivals.csv"


def test_a_profile_is_read_by_the_clock_or_from_opening(tmp_path: Path):
    clock = read_arrivals(profile_file(tmp_path, "hour,share\n8,50 %\n9,25%\n10,25%\n11,0\n"))
    assert (clock.hour.tolist(), clock.share.tolist()) == ([0, 1, 2, 3], [0, 0.5, 0.75, 1])


@pytest.mark.parametrize("header", ["小时,比例", "小时,占比", "hour,share"])
def test_the_first_row_is_the_opening_whatever_number_it_has(tmp_path: Path, header: str):
    for first in (0, 1, 8):
        come = read_arrivals(profile_file(tmp_path, f"{header}\n{first},50%\n{first + 1},50%\n"))
        assert (come.hour.tolist(), come.share.tolist()) == ([0, 1, 2], [0, 0.5, 1])


def test_the_text_says_for_whom_the_lanes_are_and_that_nobody_sleeps():
    region = county()
    text = surge_text(Prepared(region, default_services(), town.speeds()), "sampling", sent(region))
    assert "only for the 1,000 people (of 1,070) who have a point within reach" in text
    days = next(line for line in text.splitlines() if "days of opening" in line and line.startswith("折合"))
    assert days.split()[-2:] == ["2.0", "2.0"], "16 hours are two days of 8"
    assert "without a pause at night" in text
    rested = surge_text(Prepared(region, default_services(), town.speeds()), "sampling", sent(region, replace(TERMS, rate=200)))
    assert "days of opening" not in rested


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hour,part\n1,1\n", "lacks the columns share"),
        ("小时,比例\n1,50\n2,50\n", "a percentage written 50%"),
        ("hour,share\n1,half\n", "line 2"),
        ("hour,share\n1,0.5\n3,0.5\n", "no gaps"),
        ("hour,share\n1,0.5\n2,0.3\n", "add up to 1"),
        ("hour,share\n", "no gaps"),
    ],
)
def test_a_profile_that_is_none_is_refused_and_says_why(tmp_path: Path, text: str, said: str):
    with pytest.raises(InputError, match=said):
        read_arrivals(profile_file(tmp_path, text))


def test_the_command_tells_where_lanes_are_short_and_writes_the_same_bytes_twice(
    example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    asked = ["surge", str(example), "--service", "sampling", "--rate", "60", "--hours", "12", "--share", "0.2"]
    assert main([*asked, "--out", str(tmp_path / "one")]) == 0
    text = capsys.readouterr().out
    assert "示意数据" in text
    assert "通道不足之处" in text
    assert main([*asked, "--out", str(tmp_path / "two"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert sum(row["people"] for row in said["points"]) == said["standing"]["assigned"]
    assert all(row["in_time"] == (row["people"] <= row["capacity_people"]) for row in said["points"])
    written = sorted(file.name for file in (tmp_path / "one").iterdir())
    assert written == ["surge.csv", "surge.json", "surge.xlsx", "surge_by_township.csv", "surge_points.csv"]
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in written)
