"""Demands that contradict each other, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np

from geodata.errors import first_few
from scenarios.siting.contradictions.demands import Demand, Demands, Kind
from scenarios.siting.question import Asked, Model, Terms
from scenarios.siting.result import Conflict

Words = tuple[str, str]
WITHIN: Final[dict[str, Words]] = {
    "dsm": ("第二个（较宽的）时限", "the wider limit"),
    "lscp": ("时限", "the limit"),
    "bacop1": ("时限", "the limit"),
}


class Group(NamedTuple):
    """The demands of one kind in a contradiction; `is_whole`: only all of them together are known to be needed."""

    kind: Kind
    demands: tuple[Demand, ...]
    is_whole: bool


class Nearest(NamedTuple):
    """The nearest number that would do, on one side; None: there is none. Not `is_sure`: it is no nearer than that, or nothing is known."""

    number: float | None
    is_sure: bool


class Possible(NamedTuple):
    """Which numbers would do, all other demands staying."""

    below: Nearest = Nearest(None, is_sure=False)
    above: Nearest = Nearest(None, is_sure=False)


class _Case(NamedTuple):
    """What the words are about: the question, the sites or demand points named, how many there are in all, what number would do."""

    asked: Asked
    model: Model
    terms: Terms
    demands: Demands
    group: Group
    named: tuple[str, ...]
    in_all: int
    possible: Possible


def conflict_words(asked: Asked, model: Model, terms: Terms, demands: Demands, group: Group, possible: Possible) -> Conflict:  # noqa: PLR0917
    """Say one kind of demands of a contradiction in Chinese and in English.

    Returns
    -------
    Conflict
        Background sites are not named.
    """
    ids = asked.demand if group.kind == "cover" else asked.sites.id
    has_list = group.kind in {"fixed", "forbidden", "movable", "apart", "cover"}
    hidden = np.zeros(len(ids), dtype=np.bool_) if group.kind == "cover" else asked.sites.background
    about = [sorted(one.about, key=ids.__getitem__) for one in group.demands if has_list and not group.is_whole]
    named = tuple(ids[at] for some in about for at in some if not hidden[at])
    in_all = sum(one.kind == group.kind for one in demands.demands)
    case = _Case(asked, model, terms, demands, group, named, in_all, possible)
    return Conflict(group.kind, named, *_SAID[group.kind](case))


def _number(value: float, *, up: bool = False) -> str:
    """A number as people write it; to six decimals, up or down."""
    millionths = math.ceil(value * 1e6 - 1e-3) if up else math.floor(value * 1e6 + 1e-3)
    return f"{millionths / 1e6:,.15g}"


def _would_do(possible: Possible, zh: str, en: str = "") -> Words:
    """Which number (of things or a sign, behind it) would do instead, in brackets; nothing where that is not known."""
    below, above = possible
    if below == (None, True) and above.number is not None:
        least = _number(above.number, up=True)
        return f"（至少要 {least}{zh}）", f" (at least {least}{en} needed)"
    if above == (None, True) and below.number is not None:
        most = _number(below.number)
        return f"（最多只能 {most}{zh}）", f" (at most {most}{en} possible)"
    if below.number is not None and above.number is not None and below.is_sure and above.is_sure:
        less, more = _number(below.number), _number(above.number, up=True)
        return f"（{less} 或 {more}{zh}可行）", f" ({less} or {more}{en} would do)"
    return "", ""


def _sites(case: _Case) -> Words:
    zh, en = _would_do(case.possible, " 个")
    return f"总数为 {case.asked.sites.total} 个点{zh}", f"{case.asked.sites.total} sites in total{en}"


def _fleet(case: _Case) -> Words:
    zh, en = _would_do(case.possible, " 辆")
    fleet = case.asked.sites.fleet
    return (
        f"共 {fleet} 辆车，每个入选的点至少 1 辆、至多其停得下的辆数{zh}",
        f"{fleet} vehicles in all, at least one at each chosen site and no more than there is room for{en}",
    )


def _budget(case: _Case) -> Words:
    zh, en = _would_do(case.possible, "")
    budget = _number(case.asked.sites.budget or 0.0)
    return f"费用不超过 {budget}{zh}", f"a cost of no more than {budget}{en}"


def _share(case: _Case) -> Words:
    asked = {"partial": case.terms.share, "dsm": case.terms.alpha}[case.model] or 0.0
    zh_most, en_most = _would_do(
        Possible(*(one._replace(number=None if one.number is None else one.number * 100) for one in case.possible)), " %", " %"
    )
    if case.model == "partial":
        return f"时限内至少覆盖 {_percent(asked)} 的人{zh_most}", f"at least {_percent(asked)} of the people within the limit{en_most}"
    zh = f"较宽时限可及的人中，至少 {_percent(asked)} 在第一个时限内{zh_most}"
    return zh, f"of those whom the wider limit can cover, at least {_percent(asked)} within the first limit{en_most}"


def _percent(share: float) -> str:
    return f"{share * 100:.10g} %"


def _shown(asked: Asked, ids: Iterable[str]) -> str:
    """The first few ids, each with its name if it has one."""
    names = asked.names
    return first_few(f"{one} {names[one]}" if names.get(one, one) != one else one for one in ids)


def _listed(case: _Case) -> Words:
    """Those named, and of how many; or that they are meant as a whole."""
    if case.group.is_whole:
        return f"全部 {case.in_all} 个", f"all {case.in_all}"
    more = case.in_all - len(case.group.demands)
    zh, en = (f"（另有 {more} 个同类要求与此矛盾无关）", f" ({more} more of this kind play no part)") if more else ("", "")
    shown = _shown(case.asked, case.named)
    return shown + zh, shown + en


def _fixed(case: _Case) -> Words:
    zh, en = _listed(case)
    return f"必须入选或保留：{zh}", f"forced in or kept: {en}"


def _forbidden(case: _Case) -> Words:
    zh, en = _listed(case)
    return f"不得入选：{zh}", f"not to be chosen: {en}"


def _apart(case: _Case) -> Words:
    if case.group.is_whole:
        return f"最小间距（{case.in_all} 对候选点过近）", f"the least distance between sites ({case.in_all} pairs are too near each other)"
    ids, hidden, asked = case.asked.sites.id, case.asked.sites.background, case.asked
    zh_pairs, en_pairs = (
        [" – ".join(sorted((said if hidden[at] else _shown(asked, [ids[at]])) for at in one.about)) for one in case.group.demands]
        for said in ("一个照常服务的点", "a site that serves anyway")
    )
    return f"距离过近、不能同时入选：{first_few(zh_pairs)}", f"too near each other to be chosen both: {first_few(en_pairs)}"


def _movable(case: _Case) -> Words:
    sites = case.asked.sites
    zh, en = _listed(case)
    if len(case.group.demands) != 1 or case.group.is_whole:
        return f"迁走的点须各有一个点代替：{zh}", f"each that moves is replaced by a site of its own: {en}"
    (at,) = case.group.demands[0].about
    others = _shown(case.asked, sorted(sites.id[one] for one in sites.replaces[[at]].nonzero()[1] if not sites.background[one]))
    zh_by, en_by = (f"只能由 {others} 代替", f"only {others} can replace it") if others else ("没有点可以代替它", "nothing can replace it")
    return f"{zh} 须保留或由一个点代替（{zh_by}）", f"{en} stays or is replaced ({en_by})"


def _cover(case: _Case) -> Words:
    (zh_within, en_within), (zh, en) = WITHIN[case.model], _listed(case._replace(in_all=len(case.group.demands)))
    return f"{zh_within}内须覆盖这些需求点：{zh}", f"these demand points are covered within {en_within}: {en}"


_SAID: Final[dict[Kind, Callable[[_Case], Words]]] = {
    "sites": _sites,
    "fixed": _fixed,
    "forbidden": _forbidden,
    "apart": _apart,
    "movable": _movable,
    "budget": _budget,
    "fleet": _fleet,
    "share": _share,
    "cover": _cover,
}
