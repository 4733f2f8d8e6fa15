"""Norms and plan indicators as data (``defaults/norms.toml``); a bureau's own file overrides by key and adds.

A norm asks for ``value`` of something (``measure``) for every ``per`` of a ``base``: 1 vehicle for 30,000 people, 8.20 beds for 1,000.
What stands there is found by ``scenarios.norms``, which has code behind each measure.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, PositiveFloat, model_validator

from geodata.errors import InputError, Problem, first_few
from geodata.standards import DEFAULTS, Services, Status
from geodata.toml import Strict, check_toml, read_toml

Measure = Literal[
    "facilities",
    "beds",
    "area_m2",
    "floor_area_each",
    "physicians",
    "tcm_physicians",
    "nurses",
    "pharmacists",
    "general_practitioners",
    "childcare_places",
    "vehicles",
    "people_covered",
    "settlements_covered",
    "turnout",
    "stated",
]
Unit = Literal[
    "people", "sites", "beds", "staff", "vehicles", "m2", "places", "settlements", "calls", "townships", "circles", "min", "share"
]
Base = Literal["people", "township", "subdistrict", "village", "settlement", "facilities", "vehicles", "calls", "area"]
Scope = Literal["county", "urban", "rural", "township"]
Area = Literal["county", "district"]
Force = Literal["binding", "expected", "unstated", "reported"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
UNITS: dict[Measure, Unit] = {
    "facilities": "sites",
    "beds": "beds",
    "area_m2": "m2",
    "floor_area_each": "sites",
    "physicians": "staff",
    "tcm_physicians": "staff",
    "nurses": "staff",
    "pharmacists": "staff",
    "general_practitioners": "staff",
    "childcare_places": "places",
    "vehicles": "vehicles",
    "people_covered": "people",
    "settlements_covered": "settlements",
    "turnout": "calls",
}
COVERAGE: tuple[Measure, ...] = ("people_covered", "settlements_covered")
_BASE: dict[Measure, Base] = {
    "people_covered": "people",
    "settlements_covered": "settlement",
    "turnout": "calls",
    "floor_area_each": "facilities",
}  # what these count is a part of that, and of nothing else
_NO_KINDS: tuple[Measure, ...] = (*COVERAGE, "turnout", "stated")
_Day = Annotated[str, Field(pattern=r"^\d{4}(-\d\d(-\d\d)?)?$")]


def _as_list(given: Any) -> Any:  # noqa: ANN401 — what TOML may hold
    """`per` is a number, or the two ends of a range."""
    return given if isinstance(given, list | tuple) else [given]


class Norm(Strict):
    """One requirement of one document.

    Attributes
    ----------
    document, clause, note, needs : str
        In both languages, separated by `` · ``. `needs` says what input a "stated" measure waits for.
    area : "any", "county" or "district"
        Whom it speaks to.
    place : str
        A local plan: only where the region's name holds this text; "" everywhere.
    scope : "county", "urban", "rural" or "township"
        Over what it is summed: the whole, one class of settlement, or each township for itself.
    measure, unit, value, base, per
        ``value`` of the measure for every ``per`` of the base; two numbers of `per` are a range. Without a value the document gives no
        figure. For "floor_area_each" the value is the least area in m² that each must have; for a share it is 0–1.
    sense : "at_least" or "at_most"
    kinds, of_kinds : tuple of str
        Kinds of facility that count for the measure, and for the bases "facilities" and "vehicles".
    service, definition : str
        Whose coverage is meant.
    within_s : float
        The time that "turnout" is held against, in seconds.
    present, present_source
        A figure that no table holds: the bureau states it, with its source.
    county_factor : float
        What the people of a county (never of a city district) are multiplied by, unless asked otherwise.
    force : "binding" (约束性), "expected" (预期性), "unstated" or "reported" (a figure that a plan reports, no requirement)
    status : "V", "S" or "M"
        Read in a primary source, a secondary one only, unchecked.
    date, expiry : str
        From when and until when, as exactly as is known: 2022, 2022-12, 2022-12-31.
    by : int
        Year by which it is to be reached.
    conflicts : tuple of str
        Keys of norms that contradict this one; all are kept.
    yields_to : str
        Key of the norm that comes first where both apply.
    """

    name_zh: str
    name_en: str
    document: str
    clause: str = ""
    area: Literal["any", "county", "district"] = "any"
    place: str = ""
    scope: Scope = "county"
    measure: Measure
    unit: Unit
    value: Annotated[float, Field(ge=0)] | None = None
    base: Base
    per: Annotated[tuple[PositiveFloat, ...], Field(min_length=1, max_length=2), BeforeValidator(_as_list)] = (1.0,)
    sense: Literal["at_least", "at_most"] = "at_least"
    kinds: tuple[str, ...] = ()
    of_kinds: tuple[str, ...] = ()
    service: str = ""
    definition: str = ""
    within_s: PositiveFloat | None = None
    present: Annotated[float, Field(ge=0)] | None = None
    present_source: str = ""
    county_factor: PositiveFloat = 1.0
    force: Force = "unstated"
    status: Status
    date: _Day | None = None
    expiry: _Day | None = None
    by: int | None = None
    note: str = ""
    needs: str = ""
    conflicts: tuple[str, ...] = ()
    yields_to: str = ""

    @model_validator(mode="after")
    def _fits_its_measure(self) -> Norm:
        unit, base = UNITS.get(self.measure, self.unit), _BASE.get(self.measure, self.base)
        wrong = [
            ("unit", self.unit != unit, f"须为 {unit}", f"must be {unit}"),
            ("base", self.base != base, f"须为 {base}", f"must be {base}"),
            ("kinds", (not self.kinds) != (self.measure in _NO_KINDS), "机构类数据才有，且必有", "goes with what facilities have"),
            (
                "of_kinds",
                bool(self.of_kinds) != (self._base_is_other_facilities),
                "base = facilities 或 vehicles 时必有",
                "goes with base facilities or vehicles",
            ),
            ("definition", bool(self.service and self.definition) != (self.measure in COVERAGE), "覆盖类必有", "goes with coverage"),
            ("within_s", (self.within_s is not None) != (self.measure == "turnout"), "turnout 才有，且必有", "goes with turnout"),
            ("present", (self.present is not None) != bool(self.present_source), "须与 present_source 同写", "goes with present_source"),
            ("present", self.present is not None and self.measure != "stated", "stated 才有", "goes with stated"),
            ("needs", bool(self.needs) != (self.measure == "stated"), "stated 才有，且必有", "goes with stated"),
        ]
        problems = [
            Problem(f"measure = {self.measure}：{key} {zh}。", f"measure {self.measure}: {key} {en}.")
            for key, is_wrong, zh, en in wrong
            if is_wrong
        ]
        if problems:
            raise InputError(*problems)
        return self

    @property
    def _base_is_other_facilities(self) -> bool:
        return self.base in {"facilities", "vehicles"} and self.measure != "floor_area_each"


class Norms(Strict):
    """All norms by key."""

    norms: dict[str, Norm] = Field(default_factory=dict)


class _OwnNorms(Strict):
    """A bureau's own file: whole entries, or only what differs from the entry of the same key."""

    norms: dict[str, dict[str, Any]] = Field(default_factory=dict)


@cache
def default_norms() -> Norms:
    """Read the norms that circle15 ships."""
    return read_toml(DEFAULTS / "norms.toml", Norms)


def read_norms(path: Path | None, services: Services) -> Norms:
    """Read the default norms; what a bureau's own file says stands in place of the same keys, and new norms are added.

    Parameters
    ----------
    path : Path or None
        The bureau's own norms.toml.
    services : Services
        Of the region: the kinds and services that norms may name.

    Raises
    ------
    InputError
        The file does not fit, changes a figure without saying by which document, or names an unknown kind, service or norm.
    """
    if path is None:
        return default_norms()
    own = read_toml(path, _OwnNorms).norms
    base = {key: norm.model_dump(exclude_unset=True) for key, norm in default_norms().norms.items()}
    unsourced = [
        key for key, entry in own.items() if key in base and {"value", "per"} & entry.keys() and not {"document", "status"} <= entry.keys()
    ]
    if unsourced:
        named = first_few(unsourced)
        raise InputError(
            Problem(
                f"{path.name}：{named}：改了数值，请同时写明 document（依据）与 status（V、S 或 M）。",
                f"{path.name}: {named}: the figure is changed; say by which document, and its status (V, S or M).",
            )
        )
    merged = check_toml({"norms": {key: base.get(key, {}) | own.get(key, {}) for key in {**base, **own}}}, Norms, path.name)
    problems = _unknown(merged, services, path.name)
    if problems:
        raise InputError(*problems)
    return merged


def _unknown(norms: Norms, services: Services, file_name: str) -> list[Problem]:
    """Names that stand nowhere; a definition may be gone with a bureau's own services: its norm then cannot be told."""
    return [
        Problem(f"{file_name}：{key}：{field} = “{name}” 不存在。", f"{file_name}: {key}: {field} {name!r} does not exist.")
        for key, norm in norms.norms.items()
        for field, names, known in (
            ("kinds", norm.kinds + norm.of_kinds, services.kinds),
            ("service", (norm.service,) if norm.service else (), services.services),
            ("conflicts", norm.conflicts, norms.norms),
            ("yields_to", (norm.yields_to,) if norm.yields_to else (), norms.norms),
        )
        for name in names
        if name not in known
    ]
