"""What a planner asks of siting on a region: which model, which places, which rules. Checked as a whole, all problems at once."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, NamedTuple

import shapely

from geodata.errors import OptionError, Problem, first_few
from geodata.model import Facilities
from geodata.pack import fingerprint
from scenarios.siting.models import NUMBER_FOUND
from scenarios.siting.question import MODELS, Model
from scenarios.siting.region.weights import COUNTED, Weigh

ALL: Final = ("all",)  # every point that exists
ELIGIBLE, SETTLEMENTS = "eligible", "settlements"
_ROADS: Final = re.compile(r"roads:(\d+(?:\.\d+)?)")
OF_COST: Final = frozenset({"p-median", "p-center"})
OF_WIDE: Final = frozenset({"lexicographic", "dsm"})
OF_VEHICLES: Final = frozenset({"bacop1", "bacop2", "mexclp", "dsm"})
Busy = float | Mapping[str, float] | Literal["log"]

# What belongs to some models only: the option on the command line, and the models.
_TERMS: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "share": ("--share", frozenset({"partial"})),
    "alpha": ("--alpha", frozenset({"bacop2", "dsm"})),
    "busy": ("--busy", frozenset({"mexclp"})),
    "capacity": ("--capacity", frozenset({"cmclp"})),
    "wide_minutes": ("--limit2", OF_WIDE),
    "vehicles": ("--vehicles", OF_VEHICLES),
    "fleet": ("--fleet", OF_VEHICLES),
}
_NEEDED: Final = ("share", "alpha", "busy", "capacity")  # a model to which it belongs cannot do without


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice:
    """A siting question on a region, before anything is looked up there.

    Attributes
    ----------
    model : Model
    sites : int or None
        The TOTAL number of points, kept and forced ones included. None: the model or the budget says.
    fixed, forbidden : tuple of str
        Ids of facilities or candidates: chosen in any case, never chosen.
    closable : tuple of str
        Existing points that may be closed; ``("all",)`` for all of them that `movable` does not name.
    movable : tuple of str
        Existing points that stay, or of which each gives way to a new one; ``("all",)`` likewise.
    move_within_km : float or None
        How far the new one may stand from the old, as the crow flies, inclusive.
    candidates : tuple of str
        ``eligible`` (facilities that may host a point), ``settlements``, ``roads:METRES``, or kinds of facility.
    points : Facilities or None
        Places of a file or clicked on a map; their vehicles are among their resources, their capacity is in people.
    within, exclude : Polygon or MultiPolygon in WGS84, or None
        New points only inside; none inside.
    spacing_m : float or None
        Least distance between a new point and any other, as the crow flies; a pair at exactly the distance is allowed.
    budget : float or None
        The prices of the new points may not add up to more.
    prices : mapping of id to float
    price_unit : str
        Of the prices and the budget, such as 万元; "" if it is not known.
    vehicles : int, mapping of id to int, or None
        At each point; with a `fleet` the most that can stand there. Unless given, as the facility table says, 1 where it says nothing.
    fleet : int or None
        Vehicles in all, which the model spreads.
    busy : float, mapping of id to float, "log", or None
        mexclp: share of the time for which a vehicle is out; "log": as the 120 log tells.
    capacity : float, mapping of id to float, or None
        cmclp: people whom each point can serve.
    share, alpha, weighted
        As in :class:`scenarios.siting.question.Terms`.
    wide_minutes : float or None
        The wider limit of lexicographic and dsm, instead of the service's backstop.
    weigh : "residents", "old" or "calls"
    hour : int or None
        Hour of the day whose traffic holds; that of the definition unless given.
    equals : int
        How many other choices, exactly as good, to look for.
    """

    model: Model = "lexicographic"
    sites: int | None = None
    fixed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    closable: tuple[str, ...] = ()
    movable: tuple[str, ...] = ()
    move_within_km: float | None = None
    candidates: tuple[str, ...] = (ELIGIBLE,)
    points: Facilities | None = None
    within: Any = None
    exclude: Any = None
    spacing_m: float | None = None
    budget: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    price_unit: str = ""
    vehicles: int | Mapping[str, int] | None = None
    fleet: int | None = None
    busy: Busy | None = None
    capacity: float | Mapping[str, float] | None = None
    share: float | None = None
    alpha: float | None = None
    wide_minutes: float | None = None
    weighted: bool = False
    weigh: Weigh = "residents"
    hour: int | None = None
    equals: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be asked, whatever the region."""
        problems = [*_model_problems(self), *_number_problems(self), *_place_problems(self)]
        if problems:
            raise OptionError(*problems)

    @property
    def key(self) -> str:
        """A text that is the same for the same question, in every process: what a cache needs."""
        said = [f"{one.name}={_plain(getattr(self, one.name))}" for one in fields(self)]
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _plain(value: object) -> str:
    """A value as text, whatever the order in which a mapping was filled."""
    if isinstance(value, Facilities):
        return fingerprint(value)
    if isinstance(value, shapely.Geometry):
        return shapely.to_wkb(shapely.normalize(value), hex=True)  # type: ignore[no-any-return]  # shapely has no types
    return repr(sorted(value.items())) if isinstance(value, Mapping) else repr(value)


def _model_problems(choice: Choice) -> list[Problem]:
    """What does not go with the model, and what it lacks."""
    model = choice.model
    if model not in MODELS:
        known = ", ".join(MODELS)
        return [Problem(f"没有模型 {model}；可选：{known}。", f"There is no model {model!r}; there are: {known}.")]
    problems = []
    if choice.sites is None and choice.budget is None and model not in NUMBER_FOUND:
        zh = f"模型 {model} 须给出站点总数 --sites（或费用上限 --budget）。"
        problems.append(Problem(zh, f"Model {model} needs the number of sites, --sites (or a --budget)."))
    if choice.sites is not None and model in NUMBER_FOUND:
        zh, en = f"模型 {model} 自己求最少的站点数：请去掉 --sites。", f"Model {model} finds the fewest sites itself: leave --sites out."
        problems.append(Problem(zh, en))
    for name, (option, models) in _TERMS.items():
        given = getattr(choice, name) is not None
        named = ", ".join(sorted(models))
        if given and model not in models:
            problems.append(Problem(f"{option} 只用于模型 {named}。", f"{option} goes with the models {named} only."))
        if not given and model in models and name in _NEEDED and not (name == "capacity" and choice.points is not None):
            problems.append(Problem(f"模型 {model} 须给出 {option}。", f"Model {model} needs {option}."))
    if choice.weighted and model != "p-center":
        problems.append(Problem("--weighted 只用于模型 p-center。", "--weighted goes with the model p-center only."))
    if choice.weigh not in COUNTED:
        known = ", ".join(COUNTED)
        problems.append(Problem(f"--weigh：没有 {choice.weigh}；可选：{known}。", f"--weigh: no {choice.weigh!r}; there are: {known}."))
    return problems


class _Range(NamedTuple):
    """What the numbers of an option must be: from, to, whole or not, and that in words."""

    least: float
    most: float
    zh: str
    en: str
    whole: bool = False

    def holds(self, value: float) -> bool:
        return self.least <= value <= self.most and math.isfinite(value) and (not self.whole or float(value).is_integer())


_COUNT: Final = _Range(1, math.inf, "不小于 1 的整数", "a whole number of 1 or more", whole=True)
_NOT_NEGATIVE: Final = _Range(0, math.inf, "不小于 0 的数", "a number of 0 or more")
_ABOVE_0: Final = _Range(math.ulp(0.0), math.inf, "大于 0 的数", "a number above 0")
_RANGES: Final[Mapping[str, tuple[str, _Range]]] = {
    "sites": ("--sites", _COUNT),
    "fleet": ("--fleet", _COUNT),
    "vehicles": ("--vehicles", _COUNT),
    "equals": ("--equal", _Range(0, math.inf, "不小于 0 的整数", "a whole number of 0 or more", whole=True)),
    "share": ("--share", _Range(math.ulp(0.0), 1, "大于 0、不大于 1 的数", "above 0 and at most 1")),
    "alpha": ("--alpha", _Range(0, 1, "0 到 1 的数", "a number from 0 to 1")),
    "busy": ("--busy", _Range(0, math.nextafter(1, 0), "不小于 0、小于 1 的数", "0 or more and below 1")),
    "capacity": ("--capacity", _NOT_NEGATIVE),
    "budget": ("--budget", _NOT_NEGATIVE),
    "prices": ("--prices", _NOT_NEGATIVE),
    "spacing_m": ("--spacing", _ABOVE_0),
    "move_within_km": ("--move-within", _ABOVE_0),
    "wide_minutes": ("--limit2", _ABOVE_0),
}


def _number_problems(choice: Choice) -> list[Problem]:
    """Numbers out of range."""
    problems = []
    for name, (option, allowed) in _RANGES.items():
        given = getattr(choice, name)
        values = tuple(given.values()) if isinstance(given, Mapping) else () if given is None or given == "log" else (given,)
        wrong = first_few(one for one in values if not allowed.holds(one))
        if wrong:
            problems.append(Problem(f"{option} 须为{allowed.zh}，现为 {wrong}。", f"{option} must be {allowed.en}, not {wrong}."))
    return problems


def _place_problems(choice: Choice) -> list[Problem]:
    """Rules about places that contradict each other or say nothing."""
    problems = []
    if not choice.candidates and choice.points is None:
        problems.append(Problem("没有候选点：请给出 --candidates。", "There are no candidates: say which by --candidates."))
    wrong = first_few(one for one in choice.candidates if one.startswith("roads") and not road_metres(one))
    if wrong:
        zh, en = f"候选点 {wrong}：请写成 roads:米数，如 roads:2000。", f"Candidates {wrong}: write roads:METRES, such as roads:2000."
        problems.append(Problem(zh, en))
    if sum(one.startswith("roads") for one in choice.candidates) > 1:
        problems.append(Problem("roads:米数 只能写一次。", "Say roads:METRES once only."))
    both = choice.closable if choice.closable == choice.movable == ALL else sorted(set(choice.closable) & set(choice.movable) - set(ALL))
    if both:
        zh = f"既可撤销又可迁走：{first_few(both)}。请只写一处。"
        problems.append(Problem(zh, f"Both closable and movable: {first_few(both)}. Say one of the two."))
    if choice.move_within_km is not None and not choice.movable:
        problems.append(Problem("--move-within 须与 --movable 一起使用。", "--move-within goes with --movable."))
    return problems


def road_metres(candidates: str) -> float:
    """METRES of ``roads:METRES``; 0 if it is anything else."""
    found = _ROADS.fullmatch(candidates)
    return float(found[1]) if found else 0.0
