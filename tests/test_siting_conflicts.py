"""Contradictions: what is named contradicts itself, and no longer does without any one of it; against brute force."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from scenarios.siting.contradictions import conflicts as module
from scenarios.siting.contradictions.conflicts import conflicts
from scenarios.siting.question import Asked, Sites, Terms
from scenarios.siting.result import Conflict
from scenarios.siting.stop import Stop


def asked_of(sites, near=None, people=None, wide=None):
    near = np.ones((1, len(sites)), dtype=np.bool_) if near is None else np.array(near, dtype=np.bool_)
    people = np.ones(len(near)) if people is None else np.array(people, dtype=np.float64)
    demand = tuple(f"d{number}" for number in range(len(near)))
    wide = None if wide is None else csr_array(np.array(wide, dtype=np.bool_))
    return Asked(sites=sites, demand=demand, people=people, near=csr_array(near), wide=wide, has_route=np.ones(len(near), dtype=np.bool_))


def are_replaced(sites, gone, chosen):
    takes = [[to for to in np.flatnonzero(chosen) if sites.replaces[one, to]] for one in gone]
    return any(all(to in some for to, some in zip(order, takes, strict=True)) for order in permutations(np.flatnonzero(chosen), len(gone)))


def covered_share(asked, model, chosen):
    near = np.asarray(asked.near.todense())
    usable = ~asked.sites.forbidden
    part = np.asarray(asked.wide.todense())[:, usable].any(axis=1) if model == "dsm" else np.ones(len(near), dtype=np.bool_)
    whole = asked.people[part].sum()
    reach = asked.people[near[:, usable].any(axis=1)].sum()
    return asked.people[near[:, chosen].any(axis=1) & near[:, usable].any(axis=1)].sum(), whole, reach


def is_met(asked, model, terms, conflict, chosen):
    """Whether a choice meets the demands that one conflict names; written down from the definitions."""
    sites, ids = asked.sites, conflict.ids
    at = [(asked.demand if conflict.kind == "cover" else sites.id).index(one) for one in ids]
    if conflict.kind == "share":
        covered, whole, reach = covered_share(asked, model, chosen)
        return covered >= (min(terms.share * whole, reach) if model == "partial" else terms.alpha * whole) - 1e-9
    covers = asked.wide if model == "dsm" else asked.near
    return {
        "sites": lambda: chosen.sum() == sites.total,
        "fixed": lambda: bool(chosen[at].all()),
        "forbidden": lambda: not chosen[at].any(),
        "apart": lambda: not any(chosen[list(pair)].all() for pair in zip(at[::2], at[1::2], strict=True)),
        "movable": lambda: are_replaced(sites, [one for one in at if not chosen[one]], chosen),
        "budget": lambda: sites.price[chosen].sum() <= sites.budget + 1e-9,
        "fleet": lambda: chosen.sum() <= sites.fleet <= sites.vehicles[chosen].sum(),
        "cover": lambda: np.asarray(covers.todense())[at][:, chosen].any(axis=1).all(),
    }[conflict.kind]()


def can_be_met(asked, model, terms, some):
    every = [
        np.isin(np.arange(len(asked.sites)), one) for k in range(len(asked.sites) + 1) for one in combinations(range(len(asked.sites)), k)
    ]
    return any(all(is_met(asked, model, terms, one, chosen) for one in some) for chosen in every)


def without_one(found):
    """Each set that is left when one member is dropped: a site, a demand point, a pair, or a number."""
    for at, one in enumerate(found):
        step = 2 if one.kind == "apart" else 1
        parts = [one.ids[:k] + one.ids[k + step :] for k in range(0, len(one.ids), step)] or [()]
        for ids in parts:
            yield [*found[:at], *([one._replace(ids=ids)] if ids else []), *found[at + 1 :]]


def whole_question(asked, model):
    """All demands of a question, as conflicts."""
    sites = asked.sites

    def named(which):
        return tuple(sites.id[at] for at in np.flatnonzero(which))

    usable = ~sites.forbidden
    covers = np.asarray((asked.wide if model == "dsm" else asked.near).todense())[:, usable].any(axis=1)
    kinds = {
        "fixed": named(sites.fixed),
        "forbidden": named(sites.forbidden),
        "movable": named(sites.movable),
        "apart": tuple(sites.id[at] for at in sites.apart.ravel()),
        "cover": tuple(np.array(asked.demand)[covers]) if model in {"lscp", "bacop1", "dsm"} else (),
    }
    numbers = {"sites": sites.total, "budget": sites.budget, "fleet": sites.fleet, "share": 1 if model in {"partial", "dsm"} else None}
    some = [Conflict(kind, ids, "", "") for kind, ids in kinds.items() if ids]
    return some + [Conflict(kind, (), "", "") for kind, number in numbers.items() if number is not None]


@st.composite
def questions(draw):
    count, demand = draw(st.integers(2, 5)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    model = draw(st.sampled_from(["mclp", "lscp", "partial", "bacop1", "dsm"]))
    ids = list("abcde"[:count])
    pairs = [pair for pair in combinations(range(count), 2) if random.random() < draw(st.sampled_from([0.0, 0.5]))]
    sites = Sites.of(
        ids,
        total=None if model in {"lscp", "partial"} else draw(st.integers(0, count + 1)),
        fixed=[one for one in ids if random.random() < 0.2],
        forbidden=[one for one in ids if random.random() < 0.2],
        movable=[one for one in ids if random.random() < 0.3],
        replaces=csr_array(random.random((count, count)) < 0.4),
        apart=np.array(pairs, dtype=np.int64).reshape(-1, 2),
        price=random.integers(0, 4, count).astype(float),
        budget=draw(st.sampled_from([None, 0.0, 2.0, 5.0])),
        vehicles=random.integers(1, 3, count),
        fleet=draw(st.sampled_from([None, 1, 3, 6])),
    )
    near = random.random((demand, count)) < 0.4
    wide = near | (random.random((demand, count)) < 0.3)
    asked = asked_of(sites, near, random.integers(0, 5, demand), wide)
    return asked, model, Terms(share=draw(st.sampled_from([0.5, 1.0])), alpha=draw(st.sampled_from([0.0, 0.5, 1.0])))


@settings(max_examples=30, deadline=None)
@given(questions())
def test_what_is_named_contradicts_itself_and_no_longer_does_without_any_one_of_it(question):
    asked, model, terms = question
    found = conflicts(asked, model, terms, Stop())
    assert bool(found) != can_be_met(asked, model, terms, whole_question(asked, model))
    if found:
        assert not can_be_met(asked, model, terms, found)
        assert all(can_be_met(asked, model, terms, fewer) for fewer in without_one(found))


NEAR = np.array([(0, 1), (1, 2), (0, 2), (3, 4)])
EIGHT = "abcdefgh"


def said(sites, model="mclp", near=None, wide=None, **terms):
    """Kinds, ids and Chinese words of a contradiction."""
    return [(one.kind, "".join(one.ids), one.zh) for one in conflicts(asked_of(sites, near, None, wide), model, Terms(**terms), Stop())]


def test_a_site_that_is_forced_and_forbidden_is_named_alone():
    assert said(Sites.of(EIGHT, total=3, fixed="ab", forbidden="bc")) == [
        ("fixed", "b", "必须入选或保留：b（另有 1 个同类要求与此矛盾无关）"),
        ("forbidden", "b", "不得入选：b（另有 1 个同类要求与此矛盾无关）"),
    ]


def test_two_forced_sites_that_are_too_near_each_other_are_named_as_a_pair():
    assert said(Sites.of(EIGHT, total=3, fixed="ab", apart=NEAR)) == [
        ("fixed", "ab", "必须入选或保留：a, b"),
        ("apart", "ab", "距离过近、不能同时入选：a – b"),
    ]


def test_a_total_smaller_than_what_is_forced_says_how_many_it_takes():
    assert said(Sites.of(EIGHT, total=2, fixed="abcd"))[0] == ("sites", "", "总数为 2 个点（至少要 4 个）")


def test_a_total_that_spacing_does_not_allow_says_how_many_are_possible():
    total, apart = said(Sites.of(EIGHT, total=7, apart=NEAR))
    assert total == ("sites", "", "总数为 7 个点（最多只能 5 个）")
    assert apart[:2] == ("apart", "abacbc")


def test_a_budget_too_small_says_what_it_takes():
    found = said(Sites.of(EIGHT, total=3, price=np.arange(10.0, 18.0), budget=20.0))
    assert [words for _, _, words in found] == ["总数为 3 个点（最多只能 1 个）", "费用不超过 20（至少要 33）"]


@pytest.mark.parametrize(("fleet", "words"), [(2, "（至少要 3 辆）"), (7, "（最多只能 6 辆）")])
def test_a_fleet_too_small_or_too_large_says_what_would_do(fleet, words):
    found = said(Sites.of(EIGHT, total=3, fleet=fleet, vehicles=np.full(8, 2)))
    assert [kind for kind, _, _ in found] == ["sites", "fleet"]
    assert found[1][2].endswith(words)


def test_more_sites_than_there_are_candidates_says_how_many_there_are():
    assert said(Sites.of(EIGHT, total=9)) == [("sites", "", "总数为 9 个点（最多只能 8 个）")]


def test_a_number_between_two_that_would_do_says_both():
    apart = np.array([(0, 1), (0, 2), (0, 3)])  # a alone, or b, c and d
    near = [[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]
    assert said(Sites.of("abcd", total=2, apart=apart), "bacop1", near)[0][2] == "总数为 2 个点（1 或 3 个可行）"


def test_a_movable_site_that_may_not_stay_and_that_nothing_can_replace():
    assert said(Sites.of(EIGHT, total=3, movable="a", forbidden="a"))[1] == (
        "movable",
        "a",
        "a 须保留或由一个点代替（没有点可以代替它）",
    )


def test_backup_coverage_names_demand_points_that_so_few_sites_cannot_cover():
    total, cover = said(Sites.of(EIGHT, total=2), "bacop1", np.eye(8)[:5])
    assert total[2] == "总数为 2 个点（至少要 5 个）"
    assert cover == ("cover", "d0d1d2", "时限内须覆盖这些需求点：d0, d1, d2")


def test_a_share_within_the_first_limit_says_how_much_is_possible():
    found = said(Sites.of(EIGHT, total=2), "dsm", np.eye(8)[:5], np.ones((5, 8)), alpha=0.8)
    assert [words for _, _, words in found] == [
        "总数为 2 个点（至少要 4 个）",
        "较宽时限可及的人中，至少 80 % 在第一个时限内（最多只能 40 %）",
    ]


def test_a_site_that_serves_anyway_is_never_named():
    asked = asked_of(Sites.of("abc", total=1, fixed="a", background="b", apart=np.array([(0, 1)])))
    found = conflicts(asked, "mclp", Terms(), Stop())
    assert [one.ids for one in found] == [("a",), ("a",)]
    assert not any("b" in one.zh for one in found)


def test_a_kind_that_is_hard_to_narrow_is_named_as_a_whole(monkeypatch):
    monkeypatch.setattr(module, "MOST_TRIALS", 2)
    assert said(Sites.of(EIGHT, total=5, forbidden="abcdef"))[1] == ("forbidden", "", "不得入选：全部 6 个")


def test_what_can_be_met_contradicts_nothing():
    assert said(Sites.of(EIGHT, total=3, fixed="a", forbidden="b", apart=NEAR)) == []


def test_demand_that_no_candidate_can_cover_is_no_reason():
    assert said(Sites.of("ab", total=1, forbidden="b"), "bacop1", [[1, 0], [0, 1], [0, 0]]) == []
