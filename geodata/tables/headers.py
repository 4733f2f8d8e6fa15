"""Which column of a file is which of ours: headers with units, notes, years, groups above them, and names cut off by a shapefile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from geodata.errors import Problem
from geodata.tables.cells import is_number, plain
from geodata.tables.columns import LAT, LON, LONLAT, UNITS, Column

_BRACKETED = re.compile(r"[(\[【〔{<]([^()\[\]【】〔〕{}<>]*)[)\]】〕}>]")
_LEADING = re.compile(r"^(?:其中:?|[#*]+|(?:19|20)\d\d年?(?:末|底|度)?|(?:第?七(?:次全国人口普查|普)|人口普查)|现有|年末|合计)")
_EDGES = "*:·.、_#-|"
_TOTALS = {"合计", "小计", "总计", "总数", "计", "数量", "人数"}
_CUT_BYTES = range(8, 11)  # a shapefile keeps ten bytes of a name, and a character may be cut in two
HAS = Problem("；文件中有：", "; the file has: ")  # before the headers of the file, in a message that a column is missing
_LEAST_CUT = 3
Index = dict[str, list[tuple[int, int]]]
_GROUPED = 10  # worse than any way to write a header of its own


@dataclass(frozen=True)
class Heading:
    """The header of one column of a file.

    Attributes
    ----------
    shown : str
        As the user sees it; lines of a header of several lines joined by "/".
    keys : dict
        What it may be called, plain → how far that is from what is written.
    remarks : str
        All of it, plain: notes and units too.
    """

    shown: str
    keys: Mapping[str, int]
    remarks: str


@dataclass(frozen=True)
class Match:
    """One of our columns, found: its position in the file, its header, and the unit that the header states."""

    column: Column
    at: int
    header: str
    unit: str


def heading(parts: Sequence[str]) -> Heading:
    """Read the lines of one header, the topmost first."""
    lines = [part for at, part in enumerate(parts) if part and part not in parts[:at]]
    keys: dict[str, int] = {}
    own = [line for line in lines if plain(line) not in _TOTALS or len(lines) == 1]
    texts = [("".join(own), 0), ("".join(reversed(own)), 0)] + [(own[-1], _GROUPED)] * (len(own) > 1) if own else []
    for written, far in texts:
        for farther, key in enumerate(_variants(plain(written))):
            keys.setdefault(key, far + farther)
    return Heading("/".join(" ".join(line.split()) for line in lines), keys, plain("".join(lines)))


def _variants(written: str) -> list[str]:
    """As written, without edges, without brackets, without a year before it; the nearest first."""
    bare = _BRACKETED.sub("", written)
    last = re.sub(rf"{_BRACKETED.pattern}$", "", written)
    forms = [written, written.strip(_EDGES), last.strip(_EDGES), bare.strip(_EDGES)]
    for form in (last, bare):
        shorter = form.strip(_EDGES)
        while (cut := _LEADING.sub("", shorter).strip(_EDGES)) != shorter:
            shorter = cut
            forms.append(shorter)
    return forms


def match(
    headings: Sequence[Heading],
    columns: Iterable[Column],
    chosen: Mapping[str, str],
    *,
    has_geometry: bool = False,
    cut: bool = False,
    unit_above: str = "",
) -> tuple[dict[str, Match], list[Problem]]:
    """Find the header of each column: the user's choice, else the nearest to the first known name that is there.

    Parameters
    ----------
    headings : sequence of Heading
    columns : iterable of Column
    chosen : mapping
        The user's own: our name → header in the file.
    has_geometry : bool
        The file knows where its places are: lon and lat are not looked for.
    cut : bool
        Names may be cut off after ten bytes.
    unit_above : str
        The unit that a line above the table states for all of it.

    Returns
    -------
    (matches by our name, problems that name no file)
    """
    wanted = [column for column in columns if not (has_geometry and column.name in {LON.name, LAT.name})]
    known = {column.name for column in columns}
    problems = [Problem(f"columns 中没有“{name}”这一项。", f"columns knows no {name!r}.") for name in sorted(set(chosen) - known)]
    index, beginnings = _indexed(headings), _beginnings(headings, wanted) if cut else {}
    found: dict[str, Match] = {}
    taken: set[int] = set()
    for column in sorted(wanted, key=lambda column: column.name not in chosen):
        own = chosen.get(column.name)
        at = _known(headings, index, column, taken, beginnings) if own is None else _chosen(headings, index, own)
        if not at or (own is not None and len(at) > 1):
            at = _half_of_pair(column, at if own is not None else _pair(index)) or at
        if len(at) > 1:
            problems.append(_several(column, [headings[one].shown for one in at]))
        elif at:
            unit, wrong = _unit(headings[at[0]], column, unit_above)
            problems += wrong
            found[column.name] = Match(column, at[0], headings[at[0]].shown, unit)
            taken.add(at[0])
        elif column.required or own is not None or column in (LON, LAT):
            problems.append(_missing(column, column.headers if own is None else [own], headings))
    order = [column.name for column in wanted]
    return {name: found[name] for name in order if name in found}, problems


def _half_of_pair(column: Column, pair: list[int]) -> list[int]:
    """Where lon or lat stands in a column that holds both, or in two below one merged header."""
    if column.name not in {LON.name, LAT.name} or not 1 <= len(pair) <= len("xy"):
        return []
    return pair[:1] if column.name == LON.name else pair[-1:]


def _chosen(headings: Sequence[Heading], index: Index, header: str) -> list[int]:
    """Columns whose header the user may have meant: all lines of it, or the last one."""
    wanted = re.sub(r"[/|·、]", "", plain(header))
    whole = [at for at, one in enumerate(headings) if one.remarks and re.sub(r"[/|·、]", "", one.remarks) == wanted]
    return whole or _nearest(index, [wanted], set())


def _known(headings: Sequence[Heading], index: Index, column: Column, taken: set[int], cut: Mapping[int, set[str]]) -> list[int]:
    away = taken | {at for at, one in enumerate(headings) if any(word in one.remarks for word in column.never)}
    away |= {at for at, names in cut.items() if names - {column.name}}  # even in full it may be the beginning of another
    by_name = (_nearest(index, [name], away) for name in column.plain_headers)
    by_unit = (
        _nearest(index, [f"{name}{mark}{unit}" for unit in column.units for mark in ("", "/")], away) for name in column.plain_headers
    )
    by_start = [at for at, names in cut.items() if names == {column.name} and at not in away]
    return next((at for way in (by_name, by_unit) for at in way if at), by_start)


def _pair(index: Index) -> list[int]:
    """Find the column that holds both coordinates, or the two columns below one merged header."""
    return next((at for name in LONLAT if (at := _nearest(index, [plain(name)], set()))), [])


def _indexed(headings: Sequence[Heading]) -> Index:
    index: Index = {}
    for at, one in enumerate(headings):
        for key, distance in one.keys.items():
            index.setdefault(key, []).append((distance, at))
    return index


def _nearest(index: Index, names: Sequence[str], away: set[int]) -> list[int]:
    there = [(distance, at) for name in names for distance, at in index.get(name, ()) if at not in away]
    least = min(there, default=(0, 0))[0]
    return sorted({at for distance, at in there if distance == least})


def _beginnings(headings: Sequence[Heading], columns: Sequence[Column]) -> dict[int, set[str]]:
    """Which of our columns each name that was cut off may begin."""
    return {
        at: {one.name for one in columns if any(_is_cut(head.shown, name) for name in one.plain_headers)}
        for at, head in enumerate(headings)
    }


def _is_cut(header: str, name: str) -> bool:
    """Whether a header is the beginning of a name, as long as a shapefile lets it be."""
    whole = header.rstrip("�?")
    start, lengths = plain(whole), {len(whole.encode()), len(whole.encode("gb18030"))}
    return len(start) >= _LEAST_CUT and bool(lengths & set(_CUT_BYTES)) and name != start and name.startswith(start)


def _unit(one: Heading, column: Column, unit_above: str) -> tuple[str, list[Problem]]:
    """Find the unit of a header, in brackets or at its end, else that of the whole table; a unit we cannot reckon with is a problem."""
    said = [part.removeprefix("单位:") for note in _BRACKETED.findall(one.remarks) for part in re.split(r"[,;、/:。]", note)]
    said += [unit for unit in column.units for key in one.keys if key.endswith(unit) and _ends_with(key, unit, column)]
    units = [unit for unit in said if unit in UNITS]
    wrong = [unit for unit in units if column.units and unit not in column.units]
    if wrong:
        known = "、".join(column.units)
        return "", [
            Problem(
                f"“{one.shown}”列的单位 {wrong[0]} 不能换算；可用：{known}。",
                f"column {one.shown!r}: its unit {wrong[0]} cannot be reckoned with; use one of {known}.",
            )
        ]
    own = [unit for unit in units if unit in column.units]
    return (own[0] if own else unit_above if unit_above in column.units else ""), []


def _ends_with(key: str, unit: str, column: Column) -> bool:
    return key[: -len(unit)].rstrip("/") in column.plain_headers


def _several(column: Column, headers: list[str]) -> Problem:
    if len(set(headers)) == 1:
        return Problem(f"有两个“{headers[0]}”列，请只留一个。", f"column {headers[0]!r} occurs twice; keep one.")
    listed, line = " / ".join(headers), f'columns = {{ {column.name} = "{headers[0]}" }}'
    return Problem(
        f"有几列都可作“{column.name_zh}”：{listed}。请在 region.toml 中写明，如 {line}。",
        f"several columns may be {column.name!r}: {listed}. State which in region.toml, like {line}.",
    )


def _missing(column: Column, tried: Sequence[str], headings: Sequence[Heading]) -> Problem:
    known, has = " / ".join(tried), ", ".join(one.shown for one in headings if one.shown)
    registered = next((one.shown for one in headings if plain("户籍人口") in one.remarks), None)
    if column.name == "people" and registered is not None:
        line = f'columns = {{ people = "{registered}" }}'
        return Problem(
            f"只有户籍人口，没有常住人口，二者不可混用；若确实要以户籍人口代替，请在 region.toml 中写 {line}。",
            f"it has registered people only, no residents; write {line} into region.toml if you mean it.",
        )
    return Problem(
        f"缺少“{column.name_zh}”列（可用的表头：{known}{HAS.zh}{has}）。",
        f"column {column.name!r} is missing (known headers: {known}{HAS.en}{has}).",
    )


def header_words(matches: Mapping[str, Match]) -> set[str]:
    """Texts of which a repeated header holds at least two."""
    return {word for one in matches.values() for word in (*one.header.split("/"), one.header, *one.column.headers)}


def looks_like_header(cells: Sequence[str], matches: Mapping[str, Match]) -> bool:
    """Whether a row repeats the header: at least two cells, and half of those of our columns, are names of their own column."""
    here = [(plain(cells[one.at]), one) for one in matches.values() if one.at < len(cells) and cells[one.at]]
    same = sum(
        word in {plain(part) for part in (one.header, *one.header.split("/"))} or word in one.column.plain_headers for word, one in here
    )
    return same > 1 and same * 2 >= len(here) and not any(is_number(word) for word, _ in here)
