"""For how many people one unit of capacity is meant: as the planner says, else as one norm or plan says, never by a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from coverage.studies.capacity import check_unit
from geodata.errors import OptionError, Problem
from geodata.norms import Norm, Norms
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from scenarios.norms import area_kind, timing

MEASURES: Final = {"capacity": ("beds", "area_m2")}  # of other units the one of the same name


@dataclass(frozen=True)
class PerUnit:
    """How many people one unit is for, and who says so."""

    people: float
    said: Problem


def people_per_unit(prepared: Prepared, norms: Norms, definition: ServiceDefinition, unit: str, *, asked: float | None = None) -> PerUnit:
    """Find how many people one unit of capacity is for.

    A norm speaks to it if it asks for so much of the unit for so many people, of kinds of the definition, here and on the region's day;
    8.2 beds for 1,000 people make 1,000 ÷ 8.2 people a bed. Reported figures and norms with several factors are no such answer. Where the
    norm is for kinds beyond those of the definition, too, what is said of it says so.

    Parameters
    ----------
    prepared : Prepared
    norms : Norms
    definition : ServiceDefinition
    unit : str
        "capacity" or a resource.
    asked : float, optional
        What the planner says.

    Raises
    ------
    OptionError
        The unit is unknown, nothing says it, or norms differ.
    """
    check_unit(unit)
    if asked is not None:
        return PerUnit(asked, Problem("由 --per-unit 给出", "as stated by --per-unit"))
    found = _speaking(prepared, norms, definition, MEASURES.get(unit, (unit,)))
    figures = {norm.per[0] / norm.value for norm in found.values() if norm.value}
    if len(figures) != 1:
        raise OptionError(_choose(unit, found))
    key, norm = next(iter(found.items()))
    said = f"{norm.value:g} / {norm.per[0]:,g}，{norm.document} [{norm.status}]"
    whole_zh, whole_en = _of_all(prepared, norm, definition)
    return PerUnit(figures.pop(), Problem(f"{norm.name_zh}（{key}）：{said}{whole_zh}", f"{norm.name_en}{whole_en}"))


def _of_all(prepared: Prepared, norm: Norm, definition: ServiceDefinition) -> tuple[str, str]:
    """Say that a norm is for all institutions together, where the definition has only some of their kinds."""
    missing = [prepared.services.kinds[kind] for kind in norm.kinds if kind not in definition.kinds]
    if not missing:
        return "", ""
    zh, en = "、".join(kind.zh for kind in missing), ", ".join(kind.en for kind in missing)
    return f"；该标准就各类机构合计而言，口径未含 {zh}", f"; the norm is for all institutions together, the definition leaves out {en}"


def _speaking(prepared: Prepared, norms: Norms, definition: ServiceDefinition, measures: Sequence[str]) -> dict[str, Norm]:
    """Norms that say how many people a unit is for; of two that apply the one that comes first."""
    region = prepared.region
    area = area_kind(region.name).kind
    found = {
        key: norm
        for key, norm in norms.norms.items()
        if norm.measure in measures
        and (norm.base, norm.county_factor, len(norm.per)) == ("people", 1, 1)
        and norm.force != "reported"
        and norm.value
        and norm.area in {"any", area}
        and norm.place in region.name
        and timing(norm, region.date) not in {"expired", "future"}
        and set(norm.kinds) & set(definition.kinds)
    }
    return {key: norm for key, norm in found.items() if norm.yields_to not in found}


def _choose(unit: str, found: dict[str, Norm]) -> Problem:
    if not found:
        return Problem(
            f"没有标准说明一个单位（{unit}）服务多少人：请用 --per-unit 给出。",
            f"No norm says how many people one unit ({unit}) is for: say it with --per-unit.",
        )
    zh = "；".join(f"{norm.name_zh} {norm.per[0] / norm.value:g}" for norm in found.values() if norm.value)
    en = "; ".join(f"{key} {norm.per[0] / norm.value:g}" for key, norm in found.items() if norm.value)
    return Problem(
        f"各标准每单位（{unit}）服务的人数不一：{zh}。请用 --per-unit 选定。", f"Norms differ ({unit}): {en}. Choose with --per-unit."
    )
