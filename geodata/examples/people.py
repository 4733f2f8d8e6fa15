"""Who lives where: people by township, communities and villages with their names, places and street plans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import shapely

from geodata.examples.curves import spline
from geodata.examples.facts import Facts, Points, Township, to_plane
from geodata.examples.land import Land
from geodata.examples.streets import Avenue, Growth, grow, market_town
from geodata.examples.towns import GRADES, RESIDENTIAL, TRACK, StreetPlan, lanes, with_roundabout

FEWEST_PEOPLE, CORNER, PEOPLE_PER_KM2 = 60, 3, 6500
REMOTE, HAMLETS = 4, 430
BORDER_TOWN_M, BORDER_VILLAGE_M, BORDER_WEIGHT = 300.0, (230.0, 240.0), 1.7
FAR_FROM_SEAT_M = 4200.0
SURNAMES = "万邓艾付傅樊陈李王张刘周吴徐胡朱梅何罗章饶熊焦赵雷龚支齐洪汤夏江桂余舒涂杨黄曾谢喻邹聂桑车"
ENDINGS = ("家村", "坊村", "塘村", "家岭村", "溪村", "桥村", "家湾村", "家垅村", "港村", "源村", "埠村", "家山村")
FIRSTS = ("上", "下", "东", "西", "前", "后", "新", "大")
COMMUNITIES = (
    "胜利社区", "人民社区", "岚湖社区", "青岚社区", "城南社区", "城北社区", "东门社区", "西门社区", "南门社区", "北门社区", "进贤门社区",
    "文昌社区", "学前社区", "桂花社区", "站前社区", "建设社区", "和平社区", "子羽社区", "钟灵社区", "云桥社区", "高岭社区", "军民社区",
    "湖滨社区", "民安社区", "崇礼社区", "世纪社区", "金城社区", "锦绣社区",
)  # fmt: skip
TOWN_COMMUNITIES = ("社区", "新街社区", "老街社区", "河东社区", "站前社区", "集镇社区", "南街社区")


@dataclass(frozen=True, slots=True)
class Settlement:
    """A village or community: text code, name, township, place in metres, people, class; remote = off the main roads."""

    code: str
    name: str
    township: str
    x: float
    y: float
    people: int
    urban: bool
    remote: bool


@dataclass(frozen=True, slots=True)
class Peopled:
    """Settlements, and the street plans of towns (by township code), villages (by settlement code) and hamlets."""

    settlements: tuple[Settlement, ...]
    township_people: dict[str, int]
    towns: dict[str, StreetPlan]
    villages: dict[str, StreetPlan]
    hamlets: tuple[StreetPlan, ...]
    outside: dict[str, StreetPlan]
    border_villages: tuple[str, ...]


def share_out(total: int, weights: Points, least: int = 0) -> list[int]:
    """Share whole people out by weight, the total kept exactly (largest remainders, ties to the first).

    Parameters
    ----------
    total : int
        People to share.
    weights : ndarray, shape (n,)
        Positive weights.
    least : int
        What each receives in any case.

    Returns
    -------
    list of int
        People, summing to ``total``.

    Examples
    --------
    >>> share_out(10, np.array([1.0, 1.0, 2.0]), least=1)
    [3, 3, 4]
    """
    exact = weights / weights.sum() * (total - least * len(weights))
    whole = np.floor(exact).astype(np.int64)
    short = total - least * len(weights) - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:short]] += 1
    return [int(number) + least for number in whole]


def settle(facts: Facts, land: Land, rng: np.random.Generator) -> Peopled:
    """Settle the county: people by township and class first, then towns, then villages on the land that is left.

    Parameters
    ----------
    facts : Facts
        Townships, counts and census totals.
    land : Land
        Where people can live.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Peopled
        321 settlements whose people sum to the census by township and by class.
    """
    totals = _township_people(facts, rng)
    urban = _urban_people(facts, totals)
    towns = {t.code: _town(facts, t, urban[t.code], land, rng) for t in facts.townships}
    border, across = _border(facts, land)
    places = _village_places(facts, land, (towns, across), rng)
    remote = _remote(places, land, to_plane([township.seat for township in facts.townships]))
    names = iter(_village_names(rng))
    settlements: list[Settlement] = []
    for township in facts.townships:
        points = _community_places(towns[township.code], township.urban_settlements, land, rng)
        inhabitants = share_out(urban[township.code], rng.lognormal(0, 0.3, len(points)), FEWEST_PEOPLE)
        called = COMMUNITIES if township.name == facts.county_town else [township.name[:-1] + end for end in TOWN_COMMUNITIES]
        settlements += _listed(township, (points, inhabitants), called, first_number=1, urban=True)
        mine = places[township.code]
        lonely = {row for row in range(len(mine)) if (township.code, row) in remote}
        weights = rng.lognormal(0, 0.42, len(mine)) * [0.4 if row in lonely else 1.0 for row in range(len(mine))]
        weights[np.hypot(*(mine - border).T) < BORDER_TOWN_M + sum(BORDER_VILLAGE_M)] *= BORDER_WEIGHT
        inhabitants = share_out(totals[township.code] - urban[township.code], weights, FEWEST_PEOPLE)
        settlements += _listed(township, (mine, inhabitants), list(islice(names, len(mine))), first_number=200, urban=False, remote=lonely)
    villages = {s.code: _village(s, land, rng) for s in settlements if not s.urban}
    hamlets = _hamlets(settlements, towns, land, rng)
    outside = {"示意市": market_town(rng, to_plane(facts.outside["示意市"])[0], 1400.0, land)}
    outside[facts.sketch["border_town"]["name"]] = market_town(rng, border, 290.0, land)
    near = tuple(s.code for s in settlements if any(np.hypot(*(spot - (s.x, s.y))) < 1.0 for spot in across))
    return Peopled(tuple(settlements), totals, towns, villages, hamlets, outside, near)


def _listed(
    township: Township,
    homes: tuple[Points, list[int]],
    called: Sequence[str],
    *,
    first_number: int,
    urban: bool,
    remote: Collection[int] = (),
) -> list[Settlement]:
    return [
        Settlement(f"{township.code}{first_number + row:03d}", called[row], township.code, x, y, people, urban, row in remote)
        for row, ((x, y), people) in enumerate(zip(homes[0].tolist(), homes[1], strict=True))
    ]


def _township_people(facts: Facts, rng: np.random.Generator) -> dict[str, int]:
    known = np.array([township.people for township in facts.townships], dtype=np.float64)
    villages = np.array([township.settlements for township in facts.townships], dtype=np.float64)
    guess = villages * rng.lognormal(0, 0.15, len(known))
    guess *= (facts.people - known.sum()) / guess[known == 0].sum()
    people = share_out(facts.people, np.where(known > 0, known, guess))
    return {township.code: number for township, number in zip(facts.townships, people, strict=True)}


def _urban_people(facts: Facts, totals: dict[str, int]) -> dict[str, int]:
    capital = next(t for t in facts.townships if t.name == facts.county_town)
    others = [t for t in facts.townships if t is not capital]
    inner = round(totals[capital.code] * facts.county_town_urban_share)
    shared = share_out(facts.urban_people - inner, np.array([totals[t.code] * t.urban_weight for t in others]))
    return {capital.code: inner} | {t.code: number for t, number in zip(others, shared, strict=True)}


def _town(facts: Facts, township: Township, people: int, land: Land, rng: np.random.Generator) -> StreetPlan:
    seat = to_plane(township.seat)[0]
    if township.name != facts.county_town:
        return market_town(rng, seat, max(300.0, float(np.sqrt(people / PEOPLE_PER_KM2 / np.pi)) * 1000), land)
    built = shapely.Polygon(seat + spline(np.array(facts.sketch["town"], dtype=np.float64), 120.0, closed=True))
    avenues = tuple(
        Avenue(street.name, GRADES.index(street.grade), seat + spline(np.array(street.course), 80.0), street.one_way)
        for street in facts.avenues
    )
    plan = grow(rng, seat, avenues, Growth(built, 16_000.0, 56_000.0, 0.08), land)
    for first, second in facts.sketch["roundabouts"]:
        plan = with_roundabout(plan, (first, second))
    return plan


def _community_places(town: StreetPlan, count: int, land: Land, rng: np.random.Generator) -> Points:
    """Spread communities over a town: the first at the centre, each next one far from all before; a little off the street."""
    joined = np.unique(town.streets)
    inner = joined[np.bincount(town.streets.ravel(), minlength=len(town.points))[joined] >= CORNER]
    inner = inner if len(inner) >= count else joined
    chosen = [town.centre]
    gap = np.hypot(*(town.points[inner] - town.points[town.centre]).T)
    while len(chosen) < count:
        pick = int(np.argmax(gap))
        chosen.append(int(inner[pick]))
        gap = np.minimum(gap, np.hypot(*(town.points[inner] - town.points[inner[pick]]).T))
    places: Points = town.points[chosen] + rng.uniform(18, 42, (count, 2)) * rng.choice([-1, 1], (count, 2))
    wet = shapely.contains_xy(land.water, places[:, 0], places[:, 1])
    return np.where(wet[:, None], town.points[chosen], places)


def _border(facts: Facts, land: Land) -> tuple[Points, list[Points]]:
    """The market town just outside the county, and the villages that face it on this side."""
    sketch = facts.sketch["border_town"]
    seat = to_plane(next(t.seat for t in facts.townships if t.name == sketch["seat"]))[0]
    away = to_plane(facts.outside[sketch["towards"]])[0] - seat
    away /= np.hypot(*away)
    line = shapely.LineString([seat, seat + 30_000 * away])
    gate = shapely.get_coordinates(line.intersection(land.outline.exterior))[0]
    inward, aside = BORDER_VILLAGE_M
    sideways = np.array([-away[1], away[0]]) * aside
    return gate + BORDER_TOWN_M * away, [gate - inward * away + sideways, gate - inward * away - sideways]


def _village_places(
    facts: Facts, land: Land, known: tuple[dict[str, StreetPlan], list[Points]], rng: np.random.Generator
) -> dict[str, Points]:
    towns, border = known
    kept_clear = shapely.union_all(
        [
            land.water.buffer(190),
            shapely.LineString(land.expressway).buffer(380),
            *(shapely.MultiPoint(town.points).convex_hull.buffer(650) for town in towns.values()),
        ]
    )
    taken = [to_plane(township.seat)[0] for township in facts.townships]
    places = {}
    for township in facts.townships:
        area = land.townships[township.code].difference(kept_clear).buffer(-230)
        count = township.settlements - township.urban_settlements
        places[township.code] = _spread(rng, area, count, taken, _set_places(land, border, township.code))
        taken.extend(places[township.code])
    return places


def _set_places(land: Land, border: list[Points], code: str) -> list[Points]:
    """Villages whose place is given: on the island, and at the border."""
    island = shapely.get_coordinates(land.island.representative_point())[0]
    return [spot for spot in (island, *border) if land.townships[code].contains(shapely.Point(spot))]


def _spread(rng: np.random.Generator, area: shapely.Geometry, count: int, taken: list[Points], first: list[Points]) -> Points:
    """Best of a few candidates each time: apart from one another, but not evenly."""
    west, south, east, north = area.bounds
    pool = rng.uniform((west, south), (east, north), (6000, 2))
    pool = pool[shapely.contains_xy(area, pool[:, 0], pool[:, 1])]
    chosen = list(first)
    for turn in range(count - len(first)):
        candidates = pool[turn * 5 % max(1, len(pool) - 5) :][:5]
        others = np.array([*taken, *chosen])
        gaps = np.hypot(*(candidates[:, None, :] - others[None, :, :]).transpose(2, 0, 1)).min(axis=1)
        chosen.append(candidates[int(np.argmax(gaps))])
    return np.array(chosen)


def _remote(places: dict[str, Points], land: Land, seats: Points) -> set[tuple[str, int]]:
    """The island's village and the loneliest ones of other townships: their tracks meet no road."""
    rows = [(code, row) for code, points in places.items() for row in range(len(points))]
    points = np.vstack(list(places.values()))
    gaps = np.hypot(*(points[:, None, :] - points[None, :, :]).transpose(2, 0, 1))
    np.fill_diagonal(gaps, np.inf)
    from_seat = np.hypot(*(points[:, None, :] - seats[None, :, :]).transpose(2, 0, 1)).min(axis=1)
    loneliness = np.where(from_seat > FAR_FROM_SEAT_M, gaps.min(axis=1), 0.0)
    loneliness[shapely.contains_xy(land.island, points[:, 0], points[:, 1])] = np.inf
    found: dict[str, tuple[str, int]] = {}
    for index in np.argsort(-loneliness, kind="stable"):
        if len(found) < REMOTE:
            found.setdefault(rows[index][0], rows[index])
    return set(found.values())


def _village(settlement: Settlement, land: Land, rng: np.random.Generator) -> StreetPlan:
    spot = np.array([settlement.x, settlement.y]) + rng.uniform(15, 45, 2) * rng.choice([-1, 1], 2)
    grown = 1.2 if settlement.remote else min(1.6, max(0.6, np.sqrt(settlement.people / 1000)))
    return lanes(rng, spot, 150 * grown * rng.uniform(0.7, 1.3), TRACK if settlement.remote else RESIDENTIAL, land)


def _hamlets(settlements: list[Settlement], towns: dict[str, StreetPlan], land: Land, rng: np.random.Generator) -> tuple[StreetPlan, ...]:
    """Clusters of houses without a figure of their own, between the villages."""
    kept_clear = shapely.union_all(
        [
            land.water.buffer(160),
            shapely.LineString(land.expressway).buffer(300),
            *(shapely.MultiPoint(town.points).convex_hull.buffer(450) for town in towns.values()),
            *(shapely.Point(s.x, s.y).buffer(1300 if s.remote else 520) for s in settlements),
        ]
    )
    area = land.outline.buffer(-250).difference(kept_clear).difference(land.island)
    taken = [np.array([s.x, s.y]) for s in settlements]
    spots = _spread(rng, area, HAMLETS, taken, [])
    return tuple(lanes(rng, spot, rng.uniform(60, 130), RESIDENTIAL, land) for spot in spots)


def _village_names(rng: np.random.Generator) -> list[str]:
    names = [surname + ending for surname in SURNAMES for ending in ENDINGS]
    names += [first + surname + "村" for first in FIRSTS for surname in SURNAMES]
    return [names[index] for index in rng.permutation(len(names))]
