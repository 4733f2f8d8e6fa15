"""The settlement or township that an address names."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from geodata.model import OUTSIDE, Demand, Zones
from geodata.roads import Ints

_COMMITTEE = re.compile(r"(村|社区)(民委员会|委员会|居民委员会|居委会|委会|委|居委)$|(居民委员会|居委会)$")
_TOWNSHIP = re.compile(r"(镇|乡|街道办事处|街道|办事处)$")
_TOWNSHIP_ENDS = ("镇", "乡", "街道")
_LEAST = 2  # characters of a name that is looked for
NONE = -1


@dataclass(frozen=True)
class Gazetteer:
    """Names of settlements and townships, by their first two characters.

    Attributes
    ----------
    settlements, townships : dict
        First two characters → (name, position) of every name that begins so; a name may belong to several settlements.
    zone_of : (points,) int64
        Township of each point of the demand.
    """

    settlements: dict[str, list[tuple[str, int]]]
    townships: dict[str, list[tuple[str, int]]]
    zone_of: Ints


def gazetteer(demand: Demand, zones: Zones) -> Gazetteer:
    """Collect the names of a region: 前夏村委会 goes by 前夏村 too, 吕蒙街道 by 吕蒙乡 unless that is another township.

    Of a settlement with several points the one with most people stands for it.
    """
    main: dict[tuple[str, str], int] = {}
    for at, (name, settlement) in enumerate(zip(demand.name, demand.settlement, strict=True)):
        if settlement and ((settlement, name) not in main or demand.people[at] > demand.people[main[settlement, name]]):
            main[settlement, name] = at
    villages = [(_village(name), at) for (_, name), at in main.items()]
    townships = {plain(name): at for at, name in enumerate(zones.name)}
    stems = [_TOWNSHIP.sub("", name) for name in townships]
    for (name, at), stem in zip(list(townships.items()), stems, strict=True):
        if stem != name and len(stem) >= _LEAST and stems.count(stem) == 1:
            for end in _TOWNSHIP_ENDS:
                townships.setdefault(stem + end, at)
    return Gazetteer(_by_start(villages), _by_start(townships.items()), demand.zone)


def plain(text: str) -> str:
    """An address without spaces and with half-width digits and brackets."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def find_places(texts: Iterable[str], names: Gazetteer) -> tuple[Ints, Ints]:
    """Find the settlement and the township that each address names.

    The longest settlement name in the text counts, if it belongs to one settlement only: of the township that the text names, or of the
    county where it names none. Where two townships are named, none is taken.

    Returns
    -------
    settlement : (texts,) int64
        Position in the demand, -1 if none.
    zone : (texts,) int64
        Position in the zones, OUTSIDE if none.
    """
    known: dict[str, tuple[int, int]] = {}
    found = []
    for text in texts:
        if text not in known:
            known[text] = _find(plain(text), names)
        found.append(known[text])
    both = np.array(found, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _find(text: str, names: Gazetteer) -> tuple[int, int]:
    zones = {zone for _, zone in _longest(_within(text, names.townships))}
    villages = _within(text, names.settlements)
    if len(zones) == 1:
        (zone,) = zones
        villages = [(name, at) for name, at in villages if names.zone_of[at] == zone]
    elif zones:
        return NONE, OUTSIDE
    best = _longest(villages)
    if len(best) == 1:
        return best[0][1], int(names.zone_of[best[0][1]])
    return NONE, zones.pop() if zones else OUTSIDE


def _longest(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    most = max((len(name) for name, _ in found), default=0)
    return list({at: (name, at) for name, at in found if len(name) == most}.values())


def _within(text: str, by_start: dict[str, list[tuple[str, int]]]) -> list[tuple[str, int]]:
    """All names that occur in a text."""
    found = []
    for at in range(len(text) - 1):
        for name, position in by_start.get(text[at : at + _LEAST], ()):
            if text.startswith(name, at):
                found.append((name, position))
    return found


def _by_start(named: Iterable[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    by_start = defaultdict(list)
    for name, position in named:
        if len(name) >= _LEAST:
            by_start[name[:_LEAST]].append((name, position))
    return dict(by_start)


def _village(name: str) -> str:
    return _COMMITTEE.sub(lambda found: found[1] or "", plain(name))
