"""The queue of a replay: by hand, by an event queue written differently, and where queueing theory is exact."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.roads import Ints
from scenarios.replay.core import NO_WAY, Drives, Jobs, Sent, play
from scenarios.replay.theory import erlang_c


def jobs(received: list[int] | Ints, hold: list[int] | Ints, place: list[int] | Ints | None = None, **said: object) -> Jobs:
    count = len(received)
    usual = {"arrives": np.ones(count, dtype=bool), "delivered": np.zeros(count, dtype=bool)}
    return Jobs(
        received_ms=np.asarray(received, dtype=np.int64),
        call=np.arange(count),
        place=np.zeros(count, dtype=np.int64) if place is None else np.asarray(place, dtype=np.int64),
        home=np.full(count, -1),
        hold_ms=np.asarray(hold, dtype=np.int64),
        **{name: np.asarray(said.get(name, default)) for name, default in usual.items()},
    )


def drives(go: list[list[int]], scene: list[list[int]] | None = None, hospital: list[list[int]] | None = None) -> Drives:
    out = np.array(go, dtype=np.int64)
    nothing = np.zeros_like(out)
    return Drives(out, np.array([nothing if scene is None else scene, nothing if hospital is None else hospital], dtype=np.int64))


def counter(received: list[int] | Ints, hold: list[int] | Ints, vehicles: int) -> Sent:
    """A counter with so many clerks: nobody drives."""
    return play(jobs(received, hold), drives([[0]]), np.array([vehicles]))


def test_three_calls_and_one_vehicle_by_hand():
    sent = counter([0, 3, 20], [10, 10, 10], 1)
    assert sent.start_ms.tolist() == [0, 10, 20], "the second waits seven, the third comes as the vehicle is back"
    assert sent.until_ms.tolist() == [10, 20, 30]


def test_the_free_vehicle_that_is_there_first_goes_though_a_busy_one_is_nearer():
    sent = play(jobs([0, 1, 2], [100, 100, 1]), drives([[5, 9]]), np.array([1, 2]))
    assert sent.point.tolist() == [0, 1, 1]
    assert sent.start_ms.tolist() == [0, 1, 2]
    assert sent.go_ms.tolist() == [5, 9, 9]


def test_who_waits_gets_the_first_vehicle_that_comes_free_not_the_nearest():
    sent = play(jobs([0, 0, 1], [100, 50, 1]), drives([[5, 9]]), np.array([1, 1]))
    assert sent.until_ms.tolist()[:2] == [105, 59]
    assert (sent.point[2], sent.start_ms[2]) == (1, 59)


def test_of_two_vehicles_that_come_free_at_once_the_nearer_goes():
    sent = play(jobs([0, 0, 1], [10, 6, 1]), drives([[5, 9]]), np.array([1, 1]))
    assert sent.until_ms.tolist()[:2] == [15, 15]
    assert sent.point[2] == 0


def test_a_vehicle_is_free_when_it_is_back_from_the_scene_or_from_the_hospital():
    way = drives([[10]], scene=[[7]], hospital=[[30]])
    sent = play(jobs([0, 1000], [100, 100], delivered=[False, True]), way, np.array([1]))
    assert (sent.until_ms - sent.start_ms).tolist() == [10 + 100 + 7, 10 + 100 + 30]


def test_a_job_that_is_cancelled_on_the_way_holds_its_vehicle_no_longer_than_the_log_says():
    sent = play(jobs([0, 1], [4, 100], arrives=[False, True]), drives([[50]], scene=[[50]]), np.array([1]))
    assert sent.until_ms.tolist() == [4, 4 + 50 + 100 + 50]


def test_call_handling_comes_before_a_vehicle_is_sent():
    sent = play(jobs([0], [1]), drives([[5]]), np.array([1]), handling_ms=60)
    assert sent.start_ms.tolist() == [60]


def test_who_can_be_reached_by_nobody_blocks_nobody():
    way = drives([[NO_WAY, NO_WAY], [5, NO_WAY]])
    sent = play(jobs([0, 0, 0], [10, 10, 10], [0, 1, 1]), way, np.array([1, 1]))
    assert sent.vehicle.tolist() == [-1, 0, 0]
    assert sent.point.tolist() == [-1, 0, 0]
    assert sent.start_ms.tolist() == [0, 0, 15]
    assert sent.until_ms[0] == 0


def test_a_later_call_overtakes_only_with_a_vehicle_that_the_earlier_cannot_use():
    way = drives([[5, NO_WAY], [5, 6]])
    sent = play(jobs([0, 1, 2], [100, 100, 100], [0, 0, 1]), way, np.array([1, 1]))
    assert sent.start_ms.tolist() == [0, 105, 2]
    assert sent.point.tolist() == [0, 0, 1]


def test_without_vehicles_nobody_is_reached():
    sent = play(jobs([0, 1], [1, 1]), drives([[5]]), np.array([0]))
    assert sent.vehicle.tolist() == [-1, -1]


@st.composite
def cases(draw):
    places, points, count = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 12))
    minute = st.integers(0, 12)
    go = draw(st.lists(st.lists(st.integers(-1, 6), min_size=points, max_size=points), min_size=places, max_size=places))
    received = sorted(draw(st.lists(st.integers(0, 40), min_size=count, max_size=count)))
    hold = draw(st.lists(minute, min_size=count, max_size=count))
    place = draw(st.lists(st.integers(0, places - 1), min_size=count, max_size=count))
    vehicles = draw(st.lists(st.integers(0, 2), min_size=points, max_size=points))
    return jobs(received, hold, place), drives(go), np.array(vehicles)


def by_events(todo: Jobs, way: Drives, vehicles: Ints) -> list[tuple[int, int]]:
    """The same queue as a simulation of events: calls come, vehicles come back, and whoever waits is looked at in order."""
    idle = [point for point, count in enumerate(vehicles) for _ in range(count)]
    events = [(int(at), 1, job, 0) for job, at in enumerate(todo.received_ms)]
    heapq.heapify(events)
    waiting: list[int] = []
    done = [(-1, int(at)) for at in todo.received_ms]
    while events:
        now, is_call, job, point = heapq.heappop(events)
        if is_call:
            waiting.append(job)
        else:
            idle.append(point)
        if events and events[0][:2] == (now, 0):
            continue  # all who come back at a moment are there before anybody is sent
        for one in list(waiting):
            able = sorted((way.go_ms[todo.place[one], at], at) for at in idle if way.go_ms[todo.place[one], at] >= 0)
            if able:
                go, at = able[0]
                waiting.remove(one)
                idle.remove(at)
                done[one] = (at, now)
                heapq.heappush(events, (now + int(go) + int(todo.hold_ms[one]), 0, one, at))
    return done


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_loop_is_the_queue_of_events(case):
    todo, way, vehicles = case
    todo_longer = Jobs(**{**todo.__dict__, "hold_ms": todo.hold_ms + 1})  # a service of no length would end where it begins
    sent = play(todo_longer, way, vehicles)
    assert list(zip(sent.point.tolist(), sent.start_ms.tolist(), strict=True)) == by_events(todo_longer, way, vehicles)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_one_vehicle_more_makes_nobody_wait_longer_at_one_point(case):
    """Where every place is reached from one point; from several a nearer vehicle may be gone, and a job may then last longer."""
    todo, way, vehicles = case
    one = Drives(way.go_ms[:, :1], way.back_ms[:, :, :1])
    fewer, more = (play(todo, one, np.array([count])) for count in (max(1, vehicles[0]), max(1, vehicles[0]) + 1))
    assert (more.start_ms <= fewer.start_ms).all()


HOUR = 3_600_000


def calls(load: float, service: Ints, vehicles: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Share that waits, mean wait in mean services, and share of the time that vehicles are out: Poisson calls, one point, no drives."""
    received = np.cumsum(rng.exponential(service.mean() / load, len(service))).astype(np.int64)
    sent = counter(received, service, vehicles)
    wait = sent.start_ms - received
    busy = (sent.until_ms - sent.start_ms).sum() / (vehicles * received[-1])
    return float((wait > 0).mean()), float(wait.mean() / service.mean()), float(busy)


@pytest.mark.parametrize(("vehicles", "load"), [(1, 0.6), (2, 1.2), (5, 3.5), (10, 7.0)])
def test_exponential_services_wait_as_erlang_says(vehicles, load):
    rng = np.random.default_rng(15)
    waits, mean, busy = calls(load, rng.exponential(HOUR, 400_000).astype(np.int64), vehicles, rng)
    assert waits == pytest.approx(erlang_c(load, vehicles), rel=0.03)
    assert mean == pytest.approx(erlang_c(load, vehicles) / (vehicles - load), rel=0.05)
    assert busy == pytest.approx(load / vehicles, rel=0.01)


@pytest.mark.parametrize("shape", ["all alike", "even", "two kinds"])
def test_one_vehicle_waits_as_pollaczek_and_khinchine_say(shape):
    """M/G/1: mean wait = ρ (1 + cv²) ÷ (2 (1 − ρ)) services, whatever the services are (Pollaczek 1930, doi:10.1007/BF01194620)."""
    rng = np.random.default_rng(15)
    count, load = 400_000, 0.5
    service = {
        "all alike": np.full(count, HOUR),
        "even": rng.uniform(0, 2 * HOUR, count).astype(np.int64),
        "two kinds": np.where(rng.random(count) < 0.9, HOUR // 2, 11 * HOUR // 2),
    }[shape]
    variation = service.std() / service.mean()
    waits, mean, _ = calls(load, service, 1, rng)
    assert waits == pytest.approx(load, rel=0.02), "who comes waits with the share of the time in which the vehicle is out"
    assert mean == pytest.approx(load * (1 + variation**2) / (2 * (1 - load)), rel=0.05)


def test_erlang_s_formula_as_worked_out_by_hand():
    assert erlang_c(0.5, 1) == pytest.approx(0.5)
    assert erlang_c(1.0, 2) == pytest.approx(1 / 3)
    assert erlang_c(2.0, 3) == pytest.approx(4 / 9)
    assert erlang_c(3.0, 3) == 1.0
    assert erlang_c(0.0, 2) == 0.0
    assert erlang_c(1.0, 2) * 60.0 / (2 - 1.0) == pytest.approx(20.0)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_with_a_vehicle_for_every_job_everybody_is_served_at_once_from_the_nearest_point(case):
    todo, way, vehicles = case
    sent = play(todo, way, np.full(len(vehicles), len(todo)))
    assert (sent.start_ms == todo.received_ms).all()
    mine = way.go_ms[todo.place]
    nearest = np.where(mine < 0, 99, mine).min(axis=1)
    assert sent.go_ms.tolist() == np.where(nearest == 99, NO_WAY, nearest).tolist()
