"""What an answer says to people, in Chinese and in English: what was found, how sure that is, what is as good, what cannot be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from geodata.errors import first_few
from scenarios.siting.models import NUMBER_FOUND
from scenarios.siting.result import SitingResult

Words = tuple[str, str]
TINY: Final = 1e-9
MODEL_WORDS: Final[dict[str, Words]] = {
    "lexicographic": ("先兜底、再达标（默认）", "backstop first, then the limits (default)"),
    "mclp": ("最大覆盖", "maximal covering (MCLP)"),
    "cmclp": ("有能力上限的最大覆盖", "capacitated maximal covering (CMCLP)"),
    "lscp": ("最少点全覆盖", "set covering, fewest sites (LSCP)"),
    "partial": ("最少点覆盖一定比例", "partial covering, fewest sites for a share"),
    "p-median": ("总行程最小（p-中位）", "p-median"),
    "p-center": ("最远者最近（p-中心）", "p-center"),
    "bacop1": ("全覆盖后双重覆盖最多", "backup coverage, all once (BACOP1)"),
    "bacop2": ("一次与双重覆盖加权", "weighted first and backup coverage (BACOP2)"),
    "mexclp": ("计入车辆繁忙的期望覆盖", "maximum expected covering (MEXCLP)"),
    "dsm": ("双标准", "double standard (DSM)"),
}


def _plain(cost: float) -> Words:
    said = f"{cost:,.0f}" if float(cost).is_integer() else f"{cost:,.4f}".rstrip("0")
    return said, said


@dataclass(frozen=True)
class Units:
    """How amounts are written.

    Attributes
    ----------
    people : tuple of str
        What is counted, in Chinese and in English.
    cost : function
        Writes a cost with its unit, in Chinese and in English.
    """

    people: Words = ("人", "people")
    cost: Callable[[float], Words] = _plain


def proof(result: SitingResult, units: Units | None = None) -> Words:
    """Say what was found and how sure that is, in Chinese and in English."""
    units = units or Units()
    if result.status == "infeasible":
        return contradiction(result)
    found, certain = _found(result, units), _certain(result, units)
    return found[0] + certain[0], found[1] + " " + certain[1]


def contradiction(result: SitingResult) -> Words:
    """Say which demands contradict each other, if that was found out."""
    if not result.conflict:
        return (
            "无解：要求互相矛盾；没等查明是哪几条就停止了，请不要中途取消，再算一次。",
            "No choice meets all demands; it was stopped before it was known which contradict each other: ask again, and let it end.",
        )
    zh, en = "；".join(one.zh for one in result.conflict), "; ".join(one.en for one in result.conflict)
    return (
        f"无解：下列要求互相矛盾，去掉其中任何一条，其余几条就不再矛盾：{zh}。",
        f"No choice meets all demands. These contradict each other; without any one of them the rest would not: {en}.",
    )


def notes(result: SitingResult) -> list[Words]:
    """Say which other choices are as good, and whom nobody can reach."""
    said = []
    if result.equal:
        count = len(result.equal)
        zh, en = ("", "") if result.equal_complete else ("至少", "at least ")
        said.append(
            (f"还有{zh} {count} 种同样好的选法，可任选。", f"There are {en}{count} other choices that are exactly as good: take any.")
        )
    elif result.equal_complete:
        said.append(("没有同样好的其他选法。", "No other choice is as good."))
    if result.unreachable:
        count, named = len(result.unreachable), first_few(result.unreachable)
        said.append(
            (f"{count} 处没有通往任何候选点的路线，计入总数：{named}。", f"{count} have no route to any candidate; they count: {named}.")
        )
    if result.beyond:
        count, named = len(result.beyond), first_few(result.beyond)
        zh = f"{count} 处任何候选点都不在时限内，计入总数：{named}。"
        said.append((zh, f"{count} have no candidate within the limit; they count in the total: {named}."))
    return said


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole > 0 else "–"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 or float(value).is_integer() else f"{value:,.4g}"  # noqa: PLR2004  as people write


def _found(result: SitingResult, units: Units) -> Words:
    """What the plan achieves."""
    count, goal, (unit, units_en) = len(result.sites), result.objective or 0.0, units.people
    served, share = _amount(result.served), _share(result.served, result.total)
    new = len(result.new_sites)
    zh, en = f"{count} 个点（其中 {new} 个新点）", f"{count} site{_s(count)} ({new} new)"
    amount, part = _amount(goal), _share(goal, result.total)
    cost = units.cost(goal)
    reached = result.stages[0].objective if len(result.stages) > 1 else result.total
    each = units.cost(goal / reached) if reached else ("–", "–")
    cost = cost if reached else ("–", "–")
    said: dict[str, Words] = {
        "p-median": (f"{zh}，人均 {each[0]}（总计 {cost[0]}）。", f"{en}: {each[1]} per person on average ({cost[1]} in all)."),
        "p-center": (f"{zh}，最远 {cost[0]}。", f"{en}: the farthest is {cost[1]} away."),
        "bacop1": (f"{zh}，双重覆盖 {amount} {unit}（{part}）。", f"{en} cover {amount} {units_en} twice ({part})."),
        "dsm": (f"{zh}，双重覆盖 {amount} {unit}（{part}）。", f"{en} cover {amount} {units_en} twice ({part})."),
        "bacop2": (f"{zh}，加权覆盖 {amount} {unit}。", f"{en}: weighted cover {amount} {units_en}."),
        "mexclp": (f"{zh}，期望覆盖 {amount} {unit}（{part}）。", f"{en} are expected to cover {amount} {units_en} ({part})."),
        "cmclp": (f"{zh}，按能力服务 {amount} {unit}（{part}）。", f"{en} have room for {amount} {units_en} ({part}) within the limit."),
    }
    usual = (f"{zh}，时限内 {served} {unit}（{share}）。", f"{en} serve {served} {units_en} within the limit ({share}).")
    return said.get(result.model, usual)


def _certain(result: SitingResult, units: Units) -> Words:
    """Whether that is the best there is, or how much better another choice could be."""
    count, gap = len(result.sites), f"{result.gap or 0.0:.2%}"
    if result.status == "optimal":
        return _proven(result)
    zh, en = {
        "time": ("到时限停止，", "Stopped at the time limit, "),
        "cancelled": ("已取消，", "Cancelled, "),
    }.get(result.stopped or "", ("", ""))
    zh, en = f"{zh}未证明最优：", f"{en}not proven best: " if en else "Not proven best: "
    bound = result.bound if result.bound is not None else 0.0
    if result.model == "partial" and result.objective == result.bound:
        most = _amount(result.stages[-1].bound)
        return (
            f"{zh}但已证明少于 {bound:,.10g} 个点达不到这一比例；这么多点至多服务 {most}。",
            f"{en}but it is proven that fewer than {bound:,.10g} do not reach the share; so many serve at most {most}.",
        )
    if result.model in NUMBER_FOUND:
        return f"{zh}至少需要 {bound:,.10g}。", f"{en}at least {bound:,.10g} are needed."
    if result.model in {"p-median", "p-center"}:
        least = units.cost(bound)
        return f"{zh}任何选法都不会小于 {least[0]}（至多再少 {gap}）。", f"{en}no choice is below {least[1]} (at most {gap} less)."
    more = (bound - (result.objective or 0.0)) / (result.objective or 1.0)
    unit, units_en = units.people
    return (
        f"{zh}任何别的 {count} 个点至多再多 {more:.2%}（上界 {_amount(bound)} {unit}）。",
        f"{en}at most {more:.2%} more could be covered by any other {count} sites (bound {_amount(bound)} {units_en}).",
    )


def _proven(result: SitingResult) -> Words:
    if result.model in NUMBER_FOUND:
        return _proven_number(result)
    count, stages = len(result.sites), result.stages
    no_other = "no other site is" if count == 1 else f"no other {count} sites are"
    if result.model == "lexicographic":
        first = _amount(stages[0].objective)
        return (
            f"已证明：先求宽时限内最多（{first}），再求时限内最多，再没有更好的 {count} 个点。",
            f"Proven: first the most people within the wide limit ({first}), then within the limits; {no_other} better.",
        )
    return f"已证明：不存在更好的 {count} 个点。", f"Proven: {no_other} better."


def _proven_number(result: SitingResult) -> Words:
    """Of the models that find how many sites it takes."""
    goal = f"{result.objective or 0:,.10g}"
    if not result.sites:
        return "任何候选点都够不着任何人，不需要点。", "No candidate can serve anybody: no site is needed."
    if result.stages[0].name == "price":
        return (
            f"已证明：覆盖所有够得着的地方，费用不能少于 {goal}。",
            f"Proven: no cheaper choice than {goal} covers everybody who can be covered.",
        )
    if result.model == "lscp":
        return (
            f"已证明：少于 {goal} 个点不能覆盖所有够得着的地方。",
            f"Proven: fewer than {goal} sites cannot cover everybody who can be covered.",
        )
    if result.share is not None and result.served < result.share * result.total * (1 - TINY):
        return (
            f"所求的 {result.share:.1%} 达不到：任何选法都到不了；已证明少于 {goal} 个点覆盖不了所有够得着的人。",
            f"The share of {result.share:.1%} cannot be had by any choice; proven: fewer than {goal} sites do not cover all who can be.",
        )
    return (
        f"已证明：少于 {goal} 个点达不到这一比例，{goal} 个点也没有比这更多的。",
        f"Proven: fewer than {goal} sites do not reach the share, and no {goal} sites serve more than these.",
    )
