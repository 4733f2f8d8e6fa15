"""Which relations of OSM (type=restriction) bind a car driver: tags and members → Turns; what cannot be taken is counted, never guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import product
from typing import NamedTuple

from geodata.roads import Roads, forward_bit
from geodata.turns import Turn, Turns, unclear
from geodata.ways.osm_tags import Tags

_KEYS = ("restriction:motorcar", "restriction:motor_vehicle", "restriction")  # the most specific one decides
TURN_KEYS = (*_KEYS, *(f"{key}:conditional" for key in _KEYS))
_TIMES = {"day_on", "day_off", "hour_on", "hour_off"}  # how conditions were tagged formerly
_CARS = {"motorcar", "motor_vehicle", "vehicle"}
_TURNS = {f"no_{way}_turn" for way in ("left", "right", "u")} | {"no_straight_on", "no_entry", "no_exit"}
_TURNS |= {f"only_{way}_turn" for way in ("left", "right", "u")} | {"only_straight_on"}
_SEVERAL = {"no_entry": "from", "no_exit": "to"}  # the kinds that may have several members of a role

_WHY = {
    "conditional": ("有时段等条件", "hold under conditions only"),
    "kind": ("种类不明", "of unknown kind"),
    "incomplete": ("成员缺少或多余，或不是文件中可通行的道路", "with members missing or too many, or on no passable roads of the file"),
    "unclear": ("各成员在路口不相接，或有几种理解", "whose members do not meet, or that allow of several readings"),
}


class Restriction(NamedTuple):
    """A relation as the file has it: members as (type, id, role)."""

    tags: Tags
    members: Sequence[tuple[str, int, str]]


def take_turns(relations: Mapping[int, Restriction], courses: Mapping[int, Sequence[int]]) -> tuple[Turns, Counter[str]]:
    """Take the restrictions for cars.

    Parameters
    ----------
    relations : mapping
        By id.
    courses : mapping
        Node ids along each way that somebody may travel, by way id.

    Returns
    -------
    turns : Turns
        Several for a no_entry or no_exit with several ways.
    left : Counter
        How many relations were not taken, by a key of the reasons.
    """
    left: Counter[str] = Counter()
    rows: list[Turn] = []
    for number, relation in relations.items():
        if _binds_cars(relation.tags):
            found = _turns(number, relation, courses)
            if isinstance(found, str):
                left[found] += 1
            else:
                rows += found
    return Turns.of(rows), left


def keep_clear(roads: Roads, left: Counter[str], file_name: str) -> tuple[Turns, tuple[str, ...]]:
    """Leave out the restrictions that cannot be told at the junction, and say how many were read and how many not."""
    bit = forward_bit("drive")
    vague = unclear(roads, roads.turns, roads.permit & bit > 0, roads.permit & (bit << 1) > 0)
    rows = roads.turns.rows()
    kept = [row for row, doubtful in zip(rows, vague, strict=True) if not doubtful]
    numbers = {row.relation_id for row in kept}
    left = left + Counter(unclear=len({row.relation_id for row in rows} - numbers))
    if not rows and not left:
        return roads.turns, ()
    told = [(left[why], *words) for why, words in _WHY.items() if left[why]]
    zh = "".join(f"；未采用 {number} 条：{reason}" for number, reason, _ in told)
    en = "".join(f"; {number} not taken, {reason}" for number, _, reason in told)
    note = f"{file_name}：采用驾车转向限制 {len(numbers)} 条{zh} · {file_name}: {len(numbers)} turn restrictions for driving taken{en}"
    return Turns.of(kept), (note,)


def _binds_cars(tags: Tags) -> bool:
    excepted = {part.strip() for part in tags.get("except", "").split(";")}
    return tags.get("type") == "restriction" and not _CARS & excepted and any(key in tags for key in TURN_KEYS)


def _turns(number: int, relation: Restriction, courses: Mapping[int, Sequence[int]]) -> list[Turn] | str:
    """The restrictions of a relation, or why there are none."""
    tags = relation.tags
    kind = next((tags[key] for key in _KEYS if key in tags), None)
    if kind is None or _TIMES & tags.keys():
        return "conditional"
    if kind not in _TURNS:
        return "kind"
    by_role = {role: [(sort, ref) for sort, ref, mine in relation.members if mine == role] for role in ("from", "via", "to")}
    if not _is_complete(kind, by_role, courses):
        return "incomplete"
    via_ways = by_role["via"][0][0] == "w"
    rows = []
    for (_, from_way), (_, to_way) in product(by_role["from"], by_role["to"]):
        via = [ref for _, ref in by_role["via"]]
        chain = _chained(courses, from_way, via, to_way) if via_ways else via
        if chain is None or (from_way == to_way and not via_ways and not kind.endswith("u_turn")):
            return "unclear"
        rows.append(Turn(number, from_way, tuple(chain), to_way, via_ways=via_ways, only=kind.startswith("only")))
    return rows


def _is_complete(kind: str, by_role: Mapping[str, Sequence[tuple[str, int]]], courses: Mapping[int, Sequence[int]]) -> bool:
    """Whether there is one from, one to (or several, as the kind has it), and via either one node or only ways."""
    sorts = {role: {sort for sort, _ in members} for role, members in by_role.items()}
    one = all(len(by_role[role]) == 1 or _SEVERAL.get(kind) == role for role in ("from", "to"))
    via_fits = sorts["via"] == {"w"} or (sorts["via"] == {"n"} and len(by_role["via"]) == 1)
    ways = [ref for members in by_role.values() for sort, ref in members if sort == "w"]
    return one and sorts["from"] == sorts["to"] == {"w"} and via_fits and all(way in courses for way in ways)


def _chained(courses: Mapping[int, Sequence[int]], from_way: int, vias: Sequence[int], to_way: int) -> list[int] | None:
    """The via ways in the order in which they lead from one way to the other, end to end; None if they do not."""
    ends = {way: (courses[way][0], courses[way][-1]) for way in vias}
    for node in courses[from_way]:
        left, chain, at = list(vias), list[int](), node
        while (via := next((way for way in left if at in ends[way]), None)) is not None:
            left.remove(via)
            chain.append(via)
            at = sum(ends[via]) - at
        if not left and at in courses[to_way]:
            return chain
    return None
