"""What was chosen on an OD table, as text in both languages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from scenarios.output.report import align
from scenarios.siting.result import SitingResult
from scenarios.siting.words import MODEL_WORDS, Units, Words, notes, proof

STAGE_WORDS: Final[dict[str, Words]] = {
    "backstop": ("较宽时限内", "within the wider limit"),
    "limits": ("时限内", "within the limit"),
    "people": ("时限内", "within the limit"),
    "served": ("按能力服务", "with room for them"),
    "twice": ("双重覆盖", "covered twice"),
    "weighted cover": ("加权覆盖", "weighted cover"),
    "expected": ("期望覆盖", "expected cover"),
    "sites": ("点数", "sites"),
    "price": ("费用", "price"),
    "reached": ("到得了", "reached"),
    "p-median": ("总成本", "cost in all"),
    "p-center": ("最远", "the farthest"),
}
PLACES: Final = Units(people=("处", "places"))


def od_text(result: SitingResult, *, has_people: bool, has_limit: bool) -> str:
    """Lay out the chosen sites, the figures of each stage, the proof, and what is as good.

    Ids that hold a comma are quoted as in a csv: they can be copied into ``--fixed``.

    Parameters
    ----------
    result : SitingResult
        Not infeasible.
    has_people : bool
        Demand is people; places otherwise.
    has_limit : bool
        Whoever is served is so within a limit; has a route otherwise.
    """
    title = " ".join(MODEL_WORDS[result.model])
    said = "\n".join(proof(result, None if has_people else PLACES))
    told = [f"{zh} {en}" for zh, en in notes(result)]
    equal = [quoted(choice) for choice in result.equal]
    parts = [title, _sites(result), _figures(result, has_limit=has_limit), said, *told, *(["\n".join(equal)] if equal else [])]
    return "\n\n".join([*parts, f"求解 method: {result.method}"]) + "\n"


def quoted(ids: Iterable[str]) -> str:
    """Ids in a row, as a csv has them.

    >>> quoted(["H1", "a, b"])
    'H1,"a, b"'
    """
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(ids)
    return row.getvalue()


def _sites(result: SitingResult) -> str:
    """A row a site; the vehicles where they are not one each."""
    shows_vehicles = any(number != 1 for number in result.vehicles)
    rows = [
        [str(at), quoted([one]), "必选 fixed" if one in result.fixed else "新选 chosen", *([str(vehicles)] if shows_vehicles else [])]
        for at, (one, vehicles) in enumerate(zip(result.sites, result.vehicles, strict=True), 1)
    ]
    return align(["", "编码 id", "", *(["车辆 vehicles"] if shows_vehicles else [])], rows)


def _figures(result: SitingResult, *, has_limit: bool) -> str:
    """What each stage achieves beside what no choice can beat, and who is served of all."""
    rows = [[_stage(result, stage.name), _number(stage.objective), _number(stage.bound)] for stage in result.stages]
    rows.append([" ".join(("时限内", "within the limit") if has_limit else ("有路线", "with a route")), _number(result.served), ""])
    rows.append(["合计 total", _number(result.total), ""])
    return align(["", "达到 achieved", "界限 bound"], [row for at, row in enumerate(rows) if row[0] not in {one[0] for one in rows[:at]}])


def _stage(result: SitingResult, name: str) -> str:
    return " ".join(STAGE_WORDS.get(name) or STAGE_WORDS.get(result.model) or (name,))


def _number(value: float) -> str:
    return f"{value:,.10g}"
