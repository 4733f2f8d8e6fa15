"""Names of townships and villages in one table → those of another: by code, else by name, else through what an office changed in it.

Never by order. A name that could be two is no match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from geodata.errors import Problem, first_few
from geodata.tables.cells import BLANKS, plain

_TOWNSHIP = re.compile(r"(?:人民政府|民族乡|街道办事处|街道办|办事处|街办|街道|镇|乡)$")
_VILLAGE = re.compile(r"(?:村民委员会|居民委员会|社区居委会|社区居民委员会|村委会|居委会|行政村|社区|村|居)$")
_ABOVE = re.compile(r"^.*[省市县区旗](?=.{2,})")
_LEAST_STEM = 2


class Renamed(NamedTuple):
    """A row whose name is not quite that of what it was matched to."""

    row: int
    given: str
    taken: str


@dataclass(frozen=True, eq=False)
class ZoneMatch:
    """Which township each row names.

    Attributes
    ----------
    code : Series of str
        The id of the township; nan where the cell is blank or unknown. Index as given.
    renamed : tuple of Renamed
        Matched through another name.
    problems : tuple of Problem
        Rows that name no township, or one of several; no file is named in them, and they end without a stop.
    """

    code: pd.Series
    renamed: tuple[Renamed, ...]
    problems: tuple[Problem, ...]


def match_zones(given: pd.Series, ids: Sequence[str], names: Sequence[str]) -> ZoneMatch:
    """Find the township of each row: by code, else by name, else by the stem of the name (吕蒙乡 → 吕蒙街道).

    Parameters
    ----------
    given : Series of str
        Codes or names as a table has them, "" for none; index: the row.
    ids, names : sequence of str
        Of the townships.
    """
    find = _Finder(ids, names, _township_stem)
    found = {cell: find(cell) for cell in given.unique()}
    code = pd.Series([found[cell].id for cell in given], index=given.index, dtype=object)
    name_of = dict(zip(ids, names, strict=True))
    matched = [(int(row), str(cell), one) for row, cell in given.items() if (one := found[cell].id) is not None]
    renamed = tuple(Renamed(row, cell, name_of[one]) for row, cell, one in matched if plain(cell) not in {plain(one), plain(name_of[one])})
    problems = []
    for why, (zh, en) in _WHY.items():
        rows = [f"{row} ({cell})" for row, cell in given.items() if found[cell].why == why]
        if rows:
            problems.append(Problem(f"{zh}，行：{first_few(rows)}", f"{en}: {first_few(rows)}"))
    return ZoneMatch(code, renamed, tuple(problems))


def match_villages(given: pd.Series, zone: pd.Series, names: Sequence[str], zones: Sequence[str]) -> pd.Series:
    """Find the village or community that each row names: by name, else by its stem, in the row's township where that is known.

    Parameters
    ----------
    given, zone : Series of str
        Names as a table has them, and the id of the township of each, "" or nan where not known.
    names, zones : sequence of str
        Of the villages, and of their townships.

    Returns
    -------
    Series of int
        The position of the village; -1 where there is none, or more than one.
    """
    finders: dict[str, _Finder] = {}
    found = []
    for name, within in zip(given, zone.fillna(""), strict=True):
        if within not in finders:
            mine = [at for at, one in enumerate(zones) if not within or one == within]
            finders[within] = _Finder([str(at) for at in mine], [names[at] for at in mine], _village_stem, by_id=False)
        at = finders[within](name).id
        found.append(-1 if at is None else int(at))
    return pd.Series(found, index=given.index, dtype="int64")


_UNKNOWN, _SEVERAL, _ZEROS = "unknown", "several", "zeros"
_WHY = {
    _SEVERAL: ("有同名的乡镇，请填代码", "township names that are not unique, give the code"),
    _ZEROS: ("乡镇代码丢失了前面的 0", "township codes that lost the zeros they began with"),
    _UNKNOWN: ("找不到乡镇", "rows of no known township"),
}


class _Found(NamedTuple):
    id: str | None
    why: str = ""


class _Finder:
    """Finds one of several places by what a cell says."""

    def __init__(self, ids: Sequence[str], names: Sequence[str], stem: Callable[[str], str], *, by_id: bool = True) -> None:
        self._stem = stem
        self._by_id = {plain(one): one for one in ids} if by_id else {}
        self._short = {plain(one).lstrip("0") for one in ids if one.startswith("0")} if by_id else set()
        self._by_name = _gathered(zip(map(plain, names), ids, strict=True))
        self._by_stem = _gathered(zip((stem(plain(name)) for name in names), ids, strict=True))

    def __call__(self, cell: str) -> _Found:
        word = plain(cell)
        if word in BLANKS:
            return _Found(None)
        if word in self._by_id:
            return _Found(self._by_id[word])
        for key, known in self._ways(word):
            if key in known:
                ids = known[key]
                return _Found(ids[0]) if len(ids) == 1 else _Found(None, _SEVERAL)
        return _Found(None, _ZEROS if word.lstrip("0") in self._short else _UNKNOWN)

    def _ways(self, word: str) -> list[tuple[str, dict[str, list[str]]]]:
        """From the surest to the least sure: the name, the name without what stands above it, the stem of either."""
        lower = _ABOVE.sub("", word)
        own = [one for one in (self._stem(word), self._stem(lower)) if len(one) >= _LEAST_STEM]
        return [(word, self._by_name), (lower, self._by_name), *((one, self._by_stem) for one in own)]


def _gathered(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for key, one in pairs:
        gathered.setdefault(key, []).append(one)
    return gathered


def _township_stem(name: str) -> str:
    bare = re.sub(r"\([^()]*\)", "", name)
    while (shorter := _TOWNSHIP.sub("", bare)) != bare and len(shorter) >= _LEAST_STEM:
        bare = shorter
    return bare


def _village_stem(name: str) -> str:
    return _VILLAGE.sub("", re.sub(r"\([^()]*\)", "", name))
