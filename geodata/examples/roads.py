"""Which roads the example county has: main roads between towns, village roads, links between neighbours."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geodata.examples.facts import Facts, Points
from geodata.examples.ground import Ground, lay, survey
from geodata.examples.land import Land, neighbours
from geodata.examples.people import Peopled
from geodata.examples.towns import GRADES, RESIDENTIAL, TERTIARY, TRACK, UNCLASSIFIED

STREETS = (
    "民和路", "站前路", "云桥路", "钟灵路", "高岭路", "和平路", "学前街", "云岭路", "岚山路", "书院路", "聚贤路", "桂花路",
    "崇礼路", "中山街", "世纪路", "金城路", "锦绣路", "团结路", "新华路", "光明路", "振兴路", "幸福路", "朝阳路",
    "文化路", "解放路", "迎宾路", "春晖路",
)  # fmt: skip
LINK_SHARE, LINK_REACH_M, WIDE_SHARE, TRACK_SHARE, NEIGHBOURS = 0.6, 4800.0, 0.6, 0.2, 5


def draw_roads(facts: Facts, land: Land, people: Peopled, rng: np.random.Generator) -> Ground:
    """Lay the county's roads, the main ones first.

    Parameters
    ----------
    facts : Facts
        Main roads and the places they pass.
    land : Land
        Water and the expressway.
    people : Peopled
        Places to join.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Ground
        With a grade on each piece that is a road.
    """
    ground = survey(facts, land, people, _street_names(facts, people), rng)
    code_of = {township.name: township.code for township in facts.townships}
    for link in facts.links:
        stops = [ground.place[code_of.get(stop, stop)] for stop in link.stops]
        for pair in pairwise(stops):
            lay(ground, pair, GRADES.index(link.grade), name=link.name, ref=link.ref, follow=TERTIARY)
    _join_villages(facts, ground, people)
    _join_border(facts, ground, people)
    _join_neighbours(ground, people, rng)
    _join_hamlets(ground, rng)
    _drop_strays(ground, people)
    return ground


def _street_names(facts: Facts, people: Peopled) -> dict[str, dict[str, str]]:
    names = {}
    for township in facts.townships:
        short = township.name.rstrip("镇乡")
        names[township.code] = {"main": f"{short}大街", "cross": f"{short}路", "old": "老街", "shore": "滨水路"}
        if township.name == facts.county_town:
            avenues = {street.name: street.name for street in facts.avenues}
            plan = people.towns[township.code]
            lengths = Counter(label for label, grade in zip(plan.label, plan.grade.tolist(), strict=True) if grade == RESIDENTIAL)
            longest = [label for label, _ in lengths.most_common() if label not in avenues]
            names[township.code] = dict(zip(longest, STREETS, strict=False)) | avenues | {"shore": "湖滨路"}
    return names


def _join_villages(facts: Facts, ground: Ground, people: Peopled) -> None:
    """Join each village to its township's seat, the nearest first; where a lake is in between, to a village that has a road."""
    seat_name = {township.code: township.name for township in facts.townships}
    rural = [s for s in people.settlements if not s.urban and not s.remote]
    away = {s.code: _gap(ground, ground.place[s.code], ground.place[s.township]) for s in rural}
    joined = [ground.place[code] for code in people.towns]
    for settlement in sorted(rural, key=lambda s: (away[s.code], s.code)):
        ends = (ground.place[settlement.code], ground.place[settlement.township])
        name = f"{seat_name[settlement.township][0]}{settlement.name[0]}线"
        if not lay(ground, ends, UNCLASSIFIED, name=name, reach_m=1.3 * away[settlement.code] + 3000):
            others = sorted(joined, key=lambda node: (_gap(ground, ends[0], node), node))[:NEIGHBOURS]
            near = (lay(ground, (ends[0], node), UNCLASSIFIED, reach_m=1.6 * _gap(ground, ends[0], node) + 800) for node in others)
            if not any(near):
                lay(ground, ends, UNCLASSIFIED, name=name)
        joined.append(ends[0])


def _join_border(facts: Facts, ground: Ground, people: Peopled) -> None:
    """Join the villages at the border to the market town on the other side."""
    for code in people.border_villages:
        lay(ground, (ground.place[code], ground.place[facts.sketch["border_town"]["name"]]), UNCLASSIFIED, name="界溪路")


def _join_neighbours(ground: Ground, people: Peopled, rng: np.random.Generator) -> None:
    """Link about half of the neighbouring settlements directly, so that the village roads are no mere tree."""
    places = [ground.place[s.code] for s in people.settlements if not s.urban and not s.remote]
    places += [ground.place[code] for code in people.towns]
    points = ground.points[places]
    for start, end in neighbours(points):
        gap = float(np.hypot(*(points[start] - points[end])))
        if gap < LINK_REACH_M and rng.random() < LINK_SHARE:
            grade = UNCLASSIFIED if rng.random() < WIDE_SHARE else RESIDENTIAL
            lay(ground, (places[start], places[end]), grade, reach_m=1.4 * gap)


def _join_hamlets(ground: Ground, rng: np.random.Generator) -> None:
    """Join each hamlet to a road nearby, some by a track only."""
    used = np.unique(ground.pairs[(ground.grade >= UNCLASSIFIED) & (ground.plan[ground.pairs] < 0).any(axis=1)])
    ways_on = cKDTree(ground.points[used]).query(ground.points[list(ground.hamlets)], k=4)[1]
    for hamlet, nearest in zip(ground.hamlets, ways_on, strict=True):
        grade = TRACK if rng.random() < TRACK_SHARE else RESIDENTIAL
        for node in used[nearest]:
            if lay(ground, (hamlet, int(node)), grade, reach_m=2.0 * _gap(ground, hamlet, int(node)) + 600):
                break


def _drop_strays(ground: Ground, people: Peopled) -> None:
    """Forget lanes of hamlets that no road could reach; only remote villages may lie off the network."""
    laid = ground.grade > 0
    pairs, count = ground.pairs[laid], len(ground.points)
    part = connected_components(coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count)), directed=False)[1]
    kept = {int(part[ground.place[next(iter(people.towns))]])}
    kept |= {int(part[ground.place[s.code]]) for s in people.settlements if s.remote}
    ground.grade[~np.isin(part[ground.pairs[:, 0]], sorted(kept))] = 0


def _gap(ground: Ground, start: int, end: int) -> float:
    apart: Points = ground.points[start] - ground.points[end]
    return float(np.hypot(*apart))
