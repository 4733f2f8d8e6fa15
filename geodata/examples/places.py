"""The facilities of the example county: medical, sampling and emergency; each a row as the bureau's sheets have it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np

from geodata.examples.facts import Facts, Points, to_degrees
from geodata.examples.people import Peopled, Settlement
from geodata.examples.towns import StreetPlan

MOVE = date(2028, 1, 1)
CLINIC_SHARE, CLINIC_OFF_M, NEW_SHARE = 0.75, 140.0, 0.02
SAMPLING_SITES, KEEN_SHARE = 76, 0.8
BIG_TOWNS = ("李渡镇", "温圳镇", "文港镇")
MEDICAL_COLUMNS = (
    "编码", "名称", "类别", "经度", "纬度", "床位数", "启用日期", "停用日期", "可设急救点", "涉密", "出动秒数",
)  # fmt: skip
SAMPLING_COLUMNS = ("编码", "名称", "类别", "经度", "纬度", "通道数")


@dataclass(frozen=True, slots=True)
class MedicalPlace:
    """One row of the medical sheet; place in metres, ``None`` where the cell stays empty."""

    code: str
    name: str
    kind: str
    x: float
    y: float
    beds: int | None = None
    open_from: date | None = None
    open_to: date | None = None
    eligible: bool = False
    restricted: bool = False
    turnout_s: int | None = None

    def row(self) -> list[object]:
        """Give the cells in the order of ``MEDICAL_COLUMNS``."""
        lon, lat = to_degrees([(self.x, self.y)])[0].tolist()
        flags = ["是" if flag else "否" for flag in (self.eligible, self.restricted)]
        return [self.code, self.name, self.kind, lon, lat, self.beds, self.open_from, self.open_to, *flags, self.turnout_s]


@dataclass(slots=True)
class _Register:
    """Numbers the places of each kind."""

    rng: np.random.Generator
    rows: list[MedicalPlace] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)

    def add(self, prefix: str, name: str, kind: str, spot: Points, **more: object) -> None:
        self.last[prefix] = self.last.get(prefix, 0) + 1
        code = f"{prefix}-{self.last[prefix]:04d}"
        self.rows.append(MedicalPlace(code, name, kind, float(spot[0]), float(spot[1]), **more))  # type: ignore[arg-type]


def place_medical(facts: Facts, people: Peopled, rng: np.random.Generator) -> list[MedicalPlace]:
    """Place hospitals, health centres, stations, village clinics and the emergency centre.

    Parameters
    ----------
    facts : Facts
        Townships and the town across the border.
    people : Peopled
        Settlements and street plans.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of MedicalPlace
        Sorted by kind and number; one hospital moves on 2028-01-01, one is restricted, two lie outside the county.
    """
    register = _Register(rng)
    capital = next(t for t in facts.townships if t.name == facts.county_town)
    border = people.outside[facts.sketch["border_town"]["name"]]
    _hospitals(register, people.towns[capital.code], (people.outside["示意市"], border))
    _health_centres(register, facts, people)
    _community_care(register, facts, people)
    _village_clinics(register, people)
    return register.rows


def place_sampling(people: Peopled, rng: np.random.Generator) -> list[list[object]]:
    """Place sampling sites in communities, township seats and some large villages.

    Parameters
    ----------
    people : Peopled
        Settlements.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of list
        Rows in the order of ``SAMPLING_COLUMNS``.
    """
    urban = [s for s in people.settlements if s.urban]
    villages = sorted((s for s in people.settlements if not s.urban and not s.remote), key=lambda s: (-s.people, s.code))
    keen = [s for s in urban if s.code.endswith("001") or rng.random() < KEEN_SHARE]
    chosen = keen + villages[: max(0, SAMPLING_SITES - len(keen))]
    rows: list[list[object]] = []
    for number, settlement in enumerate(chosen, start=1):
        lon, lat = to_degrees(_beside(settlement, rng, 60.0)).tolist()[0]
        lanes = int(np.clip(round(settlement.people / 2500), 1, 6))
        rows.append([f"CY-{number:04d}", f"{settlement.name}采样点", "采样点", lon, lat, lanes])
    return rows


def _beside(settlement: Settlement, rng: np.random.Generator, most_m: float) -> Points:
    angle, away = rng.uniform(0, 2 * np.pi), most_m * np.sqrt(rng.random())
    spot: Points = np.array([settlement.x + away * np.cos(angle), settlement.y + away * np.sin(angle)])
    return spot


def _street(town: StreetPlan, rng: np.random.Generator, offset_m: tuple[float, float]) -> Points:
    """Find a plot beside the crossing nearest to an offset from the town's centre."""
    used = np.unique(town.streets)
    target = town.points[town.centre] + offset_m
    nearest = used[int(np.argmin(np.hypot(*(town.points[used] - target).T)))]
    spot: Points = town.points[nearest] + rng.uniform(25, 45, 2) * rng.choice([-1, 1], 2)
    return spot


def _hospitals(register: _Register, town: StreetPlan, beyond: tuple[StreetPlan, StreetPlan]) -> None:
    rng = register.rng
    at = {name: _street(town, rng, offset) for name, offset in (
        ("old", (-150, 250)), ("new", (1500, 1650)), ("tcm", (650, -800)), ("mother", (-900, -450)), ("army", (-1250, 1200)),
        ("120", (350, 500)),
    )}  # fmt: skip
    register.add("YY", "进贤县人民医院（老院区·示意）", "医院", at["old"], beds=520, open_to=MOVE, eligible=True, turnout_s=150)
    register.add("YY", "进贤县人民医院（新院区·示意）", "医院", at["new"], beds=900, open_from=MOVE, eligible=True, turnout_s=120)
    register.add("YY", "进贤县中医院（示意）", "医院", at["tcm"], beds=450, eligible=True, turnout_s=180)
    register.add("YY", "进贤县妇幼保健院（示意）", "医院", at["mother"], beds=220, eligible=True, turnout_s=180)
    register.add("YY", "驻地医院（示意）", "医院", at["army"], beds=120, restricted=True)
    register.add("YY", "示意市人民医院", "医院", _street(beyond[0], rng, (100, 200)), beds=1800)
    register.add("YY", "示意市第二医院（界溪院区）", "医院", _street(beyond[1], rng, (0, 0)), beds=300)
    register.add("JJ", "进贤县急救中心（示意）", "急救中心", at["120"], open_from=date(2025, 6, 1), eligible=True, turnout_s=90)


def _health_centres(register: _Register, facts: Facts, people: Peopled) -> None:
    """One township health centre each; two thirds can hold a standby point."""
    rng = register.rng
    unfit = set(rng.permutation(len(facts.townships))[: len(facts.townships) // 3].tolist())
    for order, township in enumerate(facts.townships):
        town = people.towns[township.code]
        spot = _street(town, rng, (-1100.0, 900.0) if township.name == facts.county_town else (120.0, -130.0))
        beds = int(np.clip(round(people.township_people[township.code] / 900), 12, 99))
        eligible = order not in unfit
        turnout = int(rng.choice([180, 210, 240])) if eligible else None
        name = f"{township.name}{'中心' if township.name in BIG_TOWNS else ''}卫生院"
        register.add("WS", name, "乡镇卫生院", spot, beds=beds, eligible=eligible, turnout_s=turnout)


def _community_care(register: _Register, facts: Facts, people: Peopled) -> None:
    """Community health centres and stations in the county town and the large towns."""
    rng = register.rng
    for township in facts.townships:
        mine = [s for s in people.settlements if s.urban and s.township == township.code]
        if township.name == facts.county_town:
            for settlement, beds in zip(mine[1:3], (30, 20), strict=True):
                register.add("SQ", f"{settlement.name}卫生服务中心", "社区卫生服务中心", _beside(settlement, rng, 60.0), beds=beds)
            stations = mine[4::3]
        else:
            stations = mine[1::2] if township.name in BIG_TOWNS else []
        for settlement in stations:
            register.add("ZD", f"{settlement.name}卫生服务站", "社区卫生服务站", _beside(settlement, rng, 80.0))


def _village_clinics(register: _Register, people: Peopled) -> None:
    rng = register.rng
    rural = [s for s in people.settlements if not s.urban]
    reached = [at for at, settlement in enumerate(rural) if not settlement.remote and settlement.code not in people.border_villages]
    served = set(rng.permutation(reached)[: round(CLINIC_SHARE * len(rural))].tolist())
    for at, settlement in enumerate(rural):
        if at in served:
            opened = date(2027, 3, 1) if rng.random() < NEW_SHARE else None
            register.add("CW", f"{settlement.name}卫生室", "村卫生室", _beside(settlement, rng, CLINIC_OFF_M), open_from=opened)
