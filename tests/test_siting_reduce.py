"""Large covering problems: brute force on small ones, bounds that hold whenever it is stopped, and the order of the input."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.covering.reduce import best_cover
from scenarios.siting.covering.remainder import merge, merge_alike
from scenarios.siting.stop import Stop

PATIENT = settings(deadline=None)  # the first call may compile
GAINS = [(1.0,), (1.0, 1.0), (0.7, 0.3), (0.8, 0.16, 0.032), (0.5, 0.5, 0.0)]


def value(covers, people, gains, chosen):
    """People gained, the long way."""
    worth = np.concatenate([[0.0], np.cumsum(gains)])
    times = covers[:, list(chosen)].sum(axis=1)
    return math.fsum(people * worth[np.minimum(times, len(gains))])


def best_by_hand(covers, people, gains, always, free):
    rest = [one for one in range(covers.shape[1]) if one not in always]
    return max(value(covers, people, gains, (*always, *more)) for more in combinations(rest, free))


def greedy(covers, people, gains, always, free):
    chosen = list(always)
    for _ in range(free):
        rest = [one for one in range(covers.shape[1]) if one not in chosen]
        chosen.append(max(rest, key=lambda one: value(covers, people, gains, [*chosen, one])))
    return value(covers, people, gains, chosen)


def mask(size, which):
    chosen = np.zeros(size, dtype=np.bool_)
    chosen[list(which)] = True
    return chosen


def asked(covers, people, gains, always, free, *, stop=None, start=None):
    rows = csr_array(covers)
    return best_cover(rows, people, gains, always=mask(covers.shape[1], always), free=free, stop=stop or Stop(), start=start)


def cancelled():
    stop = Stop()
    stop.cancelled.set()
    return stop


@st.composite
def questions(draw):
    n_candidates, n_rows = draw(st.integers(1, 9)), draw(st.integers(0, 14))
    bits = draw(st.lists(st.booleans(), min_size=n_candidates * n_rows, max_size=n_candidates * n_rows))
    covers = np.array(bits, dtype=np.int64).reshape(n_rows, n_candidates)
    if draw(st.booleans()):
        covers[:, 0] = covers[:, -1]
    many = st.integers(0, 50).map(lambda number: number * 1e7)
    person = draw(st.sampled_from([st.integers(0, 20).map(float), many, st.floats(1e-3, 1e3), st.floats(1e-12, 1e-6), st.just(0.0)]))
    people = np.array(draw(st.lists(person, min_size=n_rows, max_size=n_rows)), dtype=np.float64)
    always = draw(st.permutations(range(n_candidates)))[: draw(st.integers(0, min(2, n_candidates)))]
    free = draw(st.integers(0, n_candidates - len(always)))
    return covers, people, draw(st.sampled_from(GAINS)), tuple(always), free


def rough(people, gains):
    """The share of all people within which plans are equal."""
    return 1e-9 * math.fsum(people) * math.fsum(gains)


@PATIENT
@given(questions())
def test_the_best_choice_is_found_and_proven(question):
    covers, people, gains, always, free = question
    chosen, bound = asked(*question)
    best = best_by_hand(*question)
    assert chosen.sum() == len(always) + free
    assert chosen[list(always)].all()
    assert value(covers, people, gains, np.flatnonzero(chosen)) == pytest.approx(best, rel=0, abs=rough(people, gains))
    assert best <= bound <= best + rough(people, gains)


@PATIENT
@given(questions())
def test_whole_people_are_proven_to_the_last_one(question):
    covers, people, _, always, free = question
    people = np.minimum(np.floor(people), 1000.0)
    chosen, bound = asked(covers, people, (1.0,), always, free)
    assert value(covers, people, (1.0,), np.flatnonzero(chosen)) == bound


@PATIENT
@given(questions(), st.sampled_from([lambda: Stop.after(0), cancelled]))
def test_stopped_at_once_there_is_a_plan_no_worse_than_greedy_and_a_bound_that_holds(question, ended):
    covers, people, gains, always, free = question
    chosen, bound = asked(*question, stop=ended())
    assert chosen.sum() == len(always) + free
    assert chosen[list(always)].all()
    found = value(covers, people, gains, np.flatnonzero(chosen))
    assert greedy(*question) <= found + rough(people, gains)
    assert found <= best_by_hand(*question) + rough(people, gains) <= bound + 2 * rough(people, gains)


@PATIENT
@given(questions(), st.randoms(use_true_random=False))
def test_the_order_of_the_demand_changes_nothing(question, random):
    covers, people, gains, always, free = question
    order = random.sample(range(people.size), people.size)

    def answer(covers, people):
        chosen, bound = best_cover(*merge(csr_array(covers), people), gains, always=mask(covers.shape[1], always), free=free, stop=Stop())
        return chosen.tolist(), bound

    assert answer(covers, people) == answer(covers[order], people[order])


@PATIENT
@given(questions(), st.randoms(use_true_random=False))
def test_any_plan_may_be_begun_from(question, random):
    covers, people, gains, always, free = question
    rest = [one for one in range(covers.shape[1]) if one not in always]
    start = mask(covers.shape[1], (*always, *random.sample(rest, free)))
    chosen, bound = asked(*question, start=start)
    best = best_by_hand(*question)
    assert value(covers, people, gains, np.flatnonzero(chosen)) == pytest.approx(best, rel=0, abs=rough(people, gains))
    assert best <= bound


@PATIENT
@given(questions(), st.data())
def test_rows_that_are_covered_anyway_count_as_if_candidates_covered_them(question, data):
    covers, people, gains, always, free = question
    level = np.array(data.draw(st.lists(st.integers(0, 4), min_size=people.size, max_size=people.size)), dtype=np.int64)
    there = (np.arange(4)[None, :] < level[:, None]).astype(np.int64)
    with_them = np.hstack([covers, there])
    chosen, bound = best_cover(
        *merge_alike(csr_array(covers), people, level)[:2],
        gains,
        always=mask(covers.shape[1], always),
        free=free,
        stop=Stop(),
        level=merge_alike(csr_array(covers), people, level)[2],
    )
    anyway = tuple(range(covers.shape[1], covers.shape[1] + 4))
    best = best_by_hand(with_them, people, gains, (*always, *anyway), free)
    assert value(with_them, people, gains, (*np.flatnonzero(chosen), *anyway)) == pytest.approx(best, rel=0, abs=rough(people, gains))
    assert best - rough(people, gains) <= bound <= best + 2 * rough(people, gains)


@PATIENT
@given(questions())
def test_merging_keeps_every_person(question):
    covers, people = question[:2]
    rows, merged = merge(csr_array(covers), people)
    assert math.fsum(merged) == pytest.approx(math.fsum(people))
    by_row = {}
    for row, count in zip(covers.tolist(), people, strict=True):
        by_row.setdefault(tuple(row), []).append(count)
    found = {tuple(row): count for row, count in zip(rows.toarray().tolist(), merged, strict=True)}
    assert found.keys() == by_row.keys()
    assert len(found) == merged.size
    for row, counts in by_row.items():
        assert found[row] == pytest.approx(math.fsum(counts))


def town(seed, n_candidates, n_rows, radius):
    rng = np.random.default_rng(seed)
    places, sites = rng.uniform(size=(n_rows, 2)), rng.uniform(size=(n_candidates, 2))
    near = np.hypot(places[:, None, 0] - sites[None, :, 0], places[:, None, 1] - sites[None, :, 1]) <= radius
    return near.astype(np.int64), np.floor(rng.lognormal(3.0, 1.0, n_rows)) + 1.0


@pytest.mark.parametrize(("seed", "free", "radius"), [(1, 4, 0.15), (2, 4, 0.25), (3, 3, 0.3)])
def test_a_town_of_thirty_candidates_agrees_with_all_its_choices(seed, free, radius):
    covers, people = town(seed, 30, 300, radius)
    chosen, bound = asked(covers, people, (1.0,), (), free)
    best = 0.0
    served = covers.astype(np.bool_)
    for first in combinations(range(30), free - 1):
        rest = ~served[:, first].any(axis=1)
        best = max(best, people[~rest].sum() + (people[rest] @ covers[rest]).max())
    assert value(covers, people, (1.0,), np.flatnonzero(chosen)) == best == bound


@pytest.mark.parametrize("gains", [(1.0,), (0.7, 0.3), (0.8, 0.16, 0.032)])
def test_a_search_of_many_halves_ends_with_a_proof(gains):
    covers, people = town(4, 60, 400, 0.22)
    chosen, bound = asked(covers, people, gains, (5,), 9)
    found = value(covers, people, gains, np.flatnonzero(chosen))
    assert 0 <= bound - found <= 1e-9 * people.sum()
    again, same_bound = asked(covers, people, gains, (5,), 9, start=chosen)
    assert value(covers, people, gains, np.flatnonzero(again)) == pytest.approx(found)
    assert same_bound == pytest.approx(bound)


class Countdown(Stop):
    """Over when it has been asked so many times: every place where the search may be stopped."""

    asked_times = 0
    limit = 0

    @property
    def reason(self):
        object.__setattr__(self, "asked_times", self.asked_times + 1)
        return "time" if self.asked_times > self.limit else None


@pytest.mark.parametrize("looks", [1, 2, 3, 5, 8, 13, 21, 34, 55, 89])
def test_wherever_it_is_stopped_the_bound_holds(looks):
    covers, people = town(4, 60, 400, 0.22)
    stop = Countdown()
    object.__setattr__(stop, "limit", looks)
    chosen, bound = asked(covers, people, (1.0,), (), 8, stop=stop)
    best, proven = asked(covers, people, (1.0,), (), 8)
    assert chosen.sum() == 8
    assert value(covers, people, (1.0,), np.flatnonzero(chosen)) <= value(covers, people, (1.0,), np.flatnonzero(best)) == proven <= bound
