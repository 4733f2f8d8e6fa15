"""Places to move: parks in town blocks, a lakeside greenway, sports and school grounds, with the gates they are entered by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import ops

from geodata.examples.curves import largest_polygon
from geodata.examples.facts import Facts, Points, to_plane
from geodata.examples.land import Land
from geodata.examples.people import Peopled
from geodata.examples.towns import StreetPlan

GREENWAY_M, BESIDE_LAKE_M, GATE_EVERY_M, PAVEMENT_M = 4200.0, 55.0, 950.0, 9.0
PARKS_OF_CAPITAL, SCHOOLS_OF_CAPITAL = 8, 4
COMMUNITY_SHARE, VILLAGE_SHARE = 0.5, 0.27
PARK_NAMES = ("军山公园", "岚湖公园", "人民公园", "进贤门公园", "子羽公园", "文昌公园", "湿地公园", "青岚公园")


@dataclass(frozen=True, slots=True)
class SportsPlace:
    """A fitness place: code, name, kind, shape in metres, usable area, and its gates (none: entered anywhere)."""

    code: str
    name: str
    kind: str
    shape: shapely.Geometry
    area_m2: int
    gates: Points


def draw_grounds(facts: Facts, land: Land, people: Peopled, rng: np.random.Generator) -> list[SportsPlace]:
    """Choose the county's places to move.

    Parameters
    ----------
    facts : Facts
        Townships.
    land : Land
        The lake of the greenway.
    people : Peopled
        Blocks of the towns, and the larger villages.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    list of SportsPlace
        Parks and school grounds fill a town block; sports grounds are points; the greenway is a line.
    """
    places: list[SportsPlace] = []
    for township in facts.townships:
        town, short = people.towns[township.code], township.name.rstrip("镇乡")
        capital = township.name == facts.county_town
        town_like = township.name.endswith("镇")
        blocks = _blocks(town, (PARKS_OF_CAPITAL + SCHOOLS_OF_CAPITAL) if capital else 2 if town_like else 0, rng)
        parks = PARKS_OF_CAPITAL if capital else 1
        for number, block in enumerate(blocks[:parks]):
            name = PARK_NAMES[number] if capital else f"{short}公园"
            places.append(_fenced("GY", name, "park", block, rng))
        for number, block in enumerate(blocks[parks:]):
            name = f"民和第{'一二三四'[number]}中学操场" if capital else f"{short}中学操场"
            places.append(_fenced("XX", name, "school_ground", block, rng))
    places.append(_greenway(facts, land))
    places.extend(_sports_grounds(facts, people, rng))
    numbers: dict[str, int] = {}
    coded = []
    for place in places:
        numbers[place.code] = numbers.get(place.code, 0) + 1
        code = f"{place.code}-{numbers[place.code]:04d}"
        coded.append(SportsPlace(code, place.name, place.kind, place.shape, place.area_m2, place.gates))
    return coded


def _blocks(town: StreetPlan, count: int, rng: np.random.Generator) -> list[shapely.Polygon]:
    """Blocks of the town that are far from one another, shrunk to leave room for the pavement."""
    if count == 0 or len(town.blocks) == 0:
        return []
    large = sorted(town.blocks, key=lambda block: -block.area)[: max(3 * count, len(town.blocks) // 3)]
    middles = shapely.get_coordinates(shapely.centroid(np.array(large)))
    chosen = [int(rng.integers(len(middles)))]
    while len(chosen) < min(count, len(middles)):
        gaps = np.hypot(*(middles[:, None, :] - middles[chosen][None, :, :]).transpose(2, 0, 1)).min(axis=1)
        chosen.append(int(np.argmax(gaps)))
    order = rng.permutation(len(chosen))
    return [largest_polygon(large[chosen[index]].buffer(-PAVEMENT_M, join_style="mitre")) for index in order]


def _fenced(code: str, name: str, kind: str, shape: shapely.Polygon, rng: np.random.Generator) -> SportsPlace:
    """Fence a block; its gates are in the middle of its longest sides."""
    corners = shapely.get_coordinates(shape.exterior)
    lengths = np.hypot(*np.diff(corners, axis=0).T)
    sides = np.argsort(-lengths, kind="stable")[: 2 if kind == "school_ground" else int(rng.integers(2, 5))]
    share = rng.uniform(0.4, 0.6, len(sides))[:, None]
    gates = corners[sides] * (1 - share) + corners[sides + 1] * share
    usable = 0.35 if kind == "park" else 0.6
    return SportsPlace(code, name, kind, shape, round(shape.area * usable), gates)


def _greenway(facts: Facts, land: Land) -> SportsPlace:
    """Follow the lake's shore on the side of the county town."""
    seat = shapely.Point(to_plane(next(t.seat for t in facts.townships if t.name == facts.county_town))[0])
    rings = [shapely.LineString(part.exterior) for part in shapely.get_parts(land.lakes["青岚湖"].buffer(BESIDE_LAKE_M))]
    ring = min(rings, key=seat.distance)
    middle = ring.project(seat)
    start = max(0.0, min(middle - GREENWAY_M / 2, ring.length - GREENWAY_M))
    line = ops.substring(ring, start, start + GREENWAY_M).simplify(4.0)
    along = np.arange(150.0, line.length - 100.0, GATE_EVERY_M)
    gates = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    return SportsPlace("LD", "青岚湖绿道", "greenway", line, round(line.length * 4), gates)


def _sports_grounds(facts: Facts, people: Peopled, rng: np.random.Generator) -> list[SportsPlace]:
    """One sports ground in each town's seat, and one in many communities and some villages."""
    seats = {township.code: township.name for township in facts.townships}
    urban = [s for s in people.settlements if s.urban and not s.code.endswith("001")]
    villages = [s for s in people.settlements if not s.urban and not s.remote]
    chosen = [s for s in people.settlements if s.code.endswith("001")]
    for homes, share in ((urban, COMMUNITY_SHARE), (villages, VILLAGE_SHARE)):
        chosen += [homes[index] for index in sorted(rng.permutation(len(homes))[: round(share * len(homes))].tolist())]
    none = np.zeros((0, 2))
    places = []
    for settlement in chosen:
        spot = np.array([settlement.x, settlement.y]) + rng.uniform(-60, 60, 2)
        kind = "全民健身中心" if settlement.code.endswith("001") and settlement.urban else "健身广场"
        name = f"{seats[settlement.township]}{kind}" if settlement.code.endswith("001") else f"{settlement.name}{kind}"
        places.append(SportsPlace("TY", name, "sports_ground", shapely.Point(spot), int(rng.integers(6, 40)) * 100, none))
    return places
