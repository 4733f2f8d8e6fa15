"""A year of emergency calls (120) as a dispatch system exports them: made up, with the gaps and cancelled runs that real ones have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from geodata.examples.facts import Facts, Indices, Points, to_degrees
from geodata.examples.ground import Ground
from geodata.examples.people import Peopled
from geodata.examples.places import MedicalPlace
from geodata.examples.towns import GRADES

CALL_COLUMNS = (
    "流水号", "受理时间", "派车时间", "出车时间", "到达现场时间", "离开现场时间", "到达医院时间", "完成时间",
    "地点", "经度", "纬度", "呼救类型", "年龄", "出车单位", "出车结果", "备注",
)  # fmt: skip
YEAR = 2025
# calls a person and year below 60, from 60 to 64, from 65 on: assumed, so that the county has about 17 for 1,000 people
RATES = (0.0115, 0.021, 0.050)
AGE_SPANS = ((0, 60), (60, 65), (65, 98))
MONTHS = (1.22, 1.12, 1.02, 0.95, 0.93, 0.94, 1.03, 1.02, 0.91, 0.90, 0.96, 1.12)
HOURS = (20, 16, 13, 12, 13, 20, 34, 50, 60, 61, 60, 56, 50, 47, 50, 52, 53, 55, 57, 57, 53, 45, 36, 27)
KINDS = ("心脑血管急症", "呼吸系统急症", "神经系统急症", "消化系统急症", "交通事故伤", "跌倒与其他外伤", "产科", "中毒", "其他")
KIND_SHARES = ((9, 7, 8, 12, 25, 18, 6, 6, 9), (25, 12, 14, 10, 12, 15, 0, 3, 9), (32, 18, 15, 8, 4, 15, 0, 1, 7))
OUTCOMES, OUTCOME_SHARES = ("送达医院", "现场处置", "空车返回", "途中取消", "派车前取消"), (0.875, 0.07, 0.02, 0.026, 0.009)
DELIVERED, ON_WAY, BEFORE = 0, 3, 4
KMH = {"living_street": 15, "residential": 28, "unclassified": 38, "tertiary": 48, "secondary": 58, "primary": 66, "trunk": 72}
CROSS_COUNTRY_KMH, SECOND_CHOICE, NO_PLACE, TOWNSHIP_ONLY = 20.0, 0.12, 0.07, 0.03
# as long as there are no standby points, all vehicles stand in the county town
BASES = ("（老院区", "中医院", "妇幼保健院", "急救中心")
# seconds by which a vehicle of the emergency centre may be later and is sent all the same
OWN_S = 240.0
SPREAD_M, PEAK_HOURS, PEAK = 380.0, (7, 8, 17, 18), 1.12
# median seconds and spread of: answering to dispatch, turnout, at the scene, handing over, and the way back
DISPATCH, TURNOUT, SCENE, HANDOVER, BACK = (62, 0.4), (135, 0.35), (700, 0.42), (840, 0.35), (900, 0.5)


@dataclass(frozen=True, slots=True)
class _Calls:
    """Who calls from where, a value each call: settlement, age, kind of emergency."""

    home: Indices
    age: Indices
    kind: Indices


def log_calls(
    facts: Facts,
    living: tuple[Peopled, dict[str, tuple[int, int]]],
    medical: Sequence[MedicalPlace],
    ground: Ground,
    rng: np.random.Generator,
) -> list[list[object]]:
    """Make up a year of calls; vehicles take the roads that are laid, at usual speeds.

    Parameters
    ----------
    facts : Facts
        Names of the townships.
    living : (Peopled, dict)
        Settlements, and their people of 60 and over and of 65 and over by code.
    medical : sequence of MedicalPlace
        Where vehicles stand and where they go.
    ground : Ground
        Laid roads.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of list
        Rows in the order of ``CALL_COLUMNS``, by time; no names of persons, no telephone numbers.
    """
    people, old = living
    calls = _calls(people, old, rng)
    received = _moments(len(calls.home), rng)
    order = np.argsort(received, kind="stable")
    calls = _Calls(calls.home[order], calls.age[order], calls.kind[order])
    received = received[order]
    bases = [place for place in medical if any(word in place.name for word in BASES)]
    hospitals = [place for place in medical if place.kind == "医院" and not place.restricted and place.open_from is None]
    out = _drive_s(ground, people, bases)[:, calls.home]
    onward = _drive_s(ground, people, hospitals)[:, calls.home]
    opened = np.array([np.datetime64(place.open_from or date(YEAR, 1, 1), "s") for place in bases])
    own = np.array([[OWN_S if place.kind == "急救中心" else 0.0] for place in bases])
    base = _chosen(np.where(opened[:, None] <= received, out - own, np.inf), rng)
    outcome = rng.choice(len(OUTCOMES), len(received), p=OUTCOME_SHARES)
    legs = (np.take_along_axis(out, base[None, :], 0)[0], onward.min(axis=0))
    stamps = _stamps(received, legs, outcome, rng)
    wheres = _wheres(facts, people, calls, rng)
    numbers = _numbers(received)
    words = [np.datetime_as_string(stamp).astype(object) for stamp in stamps]
    rows: list[list[object]] = []
    for at, (number, where) in enumerate(zip(numbers, wheres, strict=True)):
        times = ["" if word[at] == "NaT" else word[at].replace("T", " ") for word in words]
        unit = "" if outcome[at] == BEFORE else bases[base[at]].name
        rows.append([number, *times, *where, KINDS[calls.kind[at]], int(calls.age[at]), unit, OUTCOMES[outcome[at]], "示意"])
    return rows


def _calls(people: Peopled, old: dict[str, tuple[int, int]], rng: np.random.Generator) -> _Calls:
    """Draw calls by settlement and age."""
    bands = np.array([(s.people - old[s.code][0], old[s.code][0] - old[s.code][1], old[s.code][1]) for s in people.settlements])
    counts = rng.poisson(bands * RATES)
    homes, ages, kinds = [], [], []
    for band, ((youngest, oldest), shares) in enumerate(zip(AGE_SPANS, KIND_SHARES, strict=True)):
        home = np.repeat(np.arange(len(bands)), counts[:, band])
        homes.append(home)
        ages.append(rng.integers(youngest, oldest, len(home)))
        kinds.append(rng.choice(len(KINDS), len(home), p=np.array(shares) / sum(shares)))
    return _Calls(np.concatenate(homes), np.concatenate(ages), np.concatenate(kinds))


def _moments(count: int, rng: np.random.Generator) -> npt.NDArray[np.datetime64]:
    """Draw the moments at which calls come in: more in winter, fewest before dawn."""
    days = np.arange(f"{YEAR}-01-01", f"{YEAR + 1}-01-01", dtype="datetime64[D]")
    weight = np.array(MONTHS)[days.astype("datetime64[M]").astype(int) % 12]
    day = days[rng.choice(len(days), count, p=weight / weight.sum())]
    hour = rng.choice(24, count, p=np.array(HOURS) / sum(HOURS))
    seconds = hour * 3600 + rng.integers(0, 3600, count)
    moments: npt.NDArray[np.datetime64] = day.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return moments


def _drive_s(ground: Ground, people: Peopled, places: Sequence[MedicalPlace]) -> Points:
    """Seconds by road between each place and each settlement, shape (places, settlements); slow where no road leads."""
    speed = np.array([KMH.get(grade, 0) for grade in GRADES], dtype=np.float64)[ground.grade]
    laid = speed > 0
    pairs = ground.pairs[laid]
    seconds = np.hypot(*(ground.points[pairs[:, 0]] - ground.points[pairs[:, 1]]).T) * 3.6 / speed[laid]
    graph = csr_array((seconds, (pairs[:, 0], pairs[:, 1])), shape=(len(ground.points), len(ground.points)))
    used = np.unique(pairs)
    tree = cKDTree(ground.points[used])
    spots = np.array([(place.x, place.y) for place in places])
    homes = np.array([(s.x, s.y) for s in people.settlements])
    driven = dijkstra(graph, directed=False, indices=used[tree.query(spots)[1]])[:, used[tree.query(homes)[1]]]
    straight = np.hypot(*(spots[:, None, :] - homes[None, :, :]).transpose(2, 0, 1))
    remote = np.array([s.remote for s in people.settlements])
    seconds_away: Points = np.where(np.isfinite(driven) & ~remote, driven, straight * 3.6 / CROSS_COUNTRY_KMH)
    return seconds_away


def _chosen(seconds: Points, rng: np.random.Generator) -> Indices:
    """Choose the nearest base, now and then the second, whose vehicle was free."""
    ranked = np.argsort(seconds, axis=0, kind="stable")
    chosen: Indices = np.where(rng.random(seconds.shape[1]) < SECOND_CHOICE, ranked[1], ranked[0])
    return chosen


def _stamps(
    received: npt.NDArray[np.datetime64], legs: tuple[Points, Points], outcome: Indices, rng: np.random.Generator
) -> list[npt.NDArray[np.datetime64]]:
    """Eight moments of each run; those that never came are missing."""

    def about(typical: tuple[float, float] | Points, spread: float = 0.16) -> Points:
        median, sigma = typical if isinstance(typical, tuple) else (typical, spread)
        drawn: Points = median * np.exp(rng.normal(0, sigma, len(received)))
        return drawn

    hour = (received - received.astype("datetime64[D]")).astype(int) // 3600
    slower = np.where(np.isin(hour, PEAK_HOURS), PEAK, 1.0)
    steps = [about(DISPATCH), about(TURNOUT), about(legs[0] * slower) + 45, about(SCENE), about(legs[1] * slower) + 60]
    stamps = [received]
    for step in steps:
        stamps.append(stamps[-1] + np.round(step).astype("timedelta64[s]"))
    last = np.select([outcome == BEFORE, outcome == ON_WAY, outcome == DELIVERED], [1, 2, 5], 4)
    ended = np.stack(stamps)[last, np.arange(len(received))]
    ended = ended + np.round(np.where(outcome == BEFORE, 0, about(BACK) + (outcome == DELIVERED) * about(HANDOVER))).astype(
        "timedelta64[s]"
    )
    for at, stamp in enumerate(stamps[1:], start=1):
        stamps[at] = np.where((at <= last) & (outcome != BEFORE), stamp, np.datetime64("NaT"))
    return [*stamps, ended]


def _wheres(facts: Facts, people: Peopled, calls: _Calls, rng: np.random.Generator) -> list[tuple[str, float | str, float | str]]:
    """Township and village in words, longitude, latitude; some without coordinates, some with the township alone."""
    names = {township.code: township.name for township in facts.townships}
    homes = np.array([(s.x, s.y) for s in people.settlements])[calls.home]
    count = len(homes)
    angle, away = rng.uniform(0, 2 * np.pi, count), SPREAD_M * np.sqrt(rng.random(count))
    lonlat = np.round(to_degrees(homes + away[:, None] * np.column_stack((np.cos(angle), np.sin(angle)))), 6).tolist()
    unplaced, vague = rng.random(count) < NO_PLACE, rng.random(count) < TOWNSHIP_ONLY
    wheres: list[tuple[str, float | str, float | str]] = []
    for home, (lon, lat), blank, short in zip(calls.home.tolist(), lonlat, unplaced.tolist(), vague.tolist(), strict=True):
        settlement = people.settlements[home]
        words = names[settlement.township] + ("" if short else settlement.name)
        wheres.append((words, "", "") if blank else (words, lon, lat))
    return wheres


def _numbers(received: npt.NDArray[np.datetime64]) -> list[str]:
    """Number the calls of each day."""
    days = received.astype("datetime64[D]")
    first = np.searchsorted(days, days)
    return [f"{str(day).replace('-', '')}{at - start + 1:03d}" for at, (day, start) in enumerate(zip(days, first.tolist(), strict=True))]
