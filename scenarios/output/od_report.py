"""What was chosen on an OD table, as text in both languages."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from scenarios.output.report import align
from scenarios.siting.result import SitingResult
from scenarios.siting.words import MODEL_WORDS, notes, proof


def od_text(result: SitingResult) -> str:
    """Lay out the chosen sites, the figures of each stage, the proof, and what is as good.

    Ids that hold a comma are quoted as in a csv: they can be copied into ``--fixed``.
    """
    title = " ".join(MODEL_WORDS[result.model])
    said = "\n".join(proof(result))
    told = [f"{zh} {en}" for zh, en in notes(result)]
    equal = [quoted(choice) for choice in result.equal]
    parts = [title, _sites(result), _figures(result), said, *told, *(["\n".join(equal)] if equal else [])]
    return "\n\n".join([*parts, f"求解 method: {result.method} · {result.seconds:.1f} s"]) + "\n"


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


def _figures(result: SitingResult) -> str:
    """What each stage achieves beside what no choice can beat, and the people served of all."""
    rows = [[stage.name, _number(stage.objective), _number(stage.bound)] for stage in result.stages]
    rows.append(["在限值内 served", _number(result.served), ""])
    rows.append(["合计 total", _number(result.total), ""])
    return align(["", "达到 achieved", "界限 bound"], rows)


def _number(value: float) -> str:
    return f"{value:,.10g}"
