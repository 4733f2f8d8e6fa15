"""Gridtown: a lattice whose answers can be worked out by hand.

Streets every 100 m, whole pieces of exactly 100,000 mm, at coordinates of EPSG:4548 near Jinxian. Walking at 4 km/h a block takes exactly
90,000 ms, so 15 minutes are exactly ten blocks; driving at 36 km/h a block takes 10,000 ms. The leg to the road is charged at 4 km/h,
detour 1, so that 100 m cost 90,000 ms as well: along a street it does not matter where a place steps onto it.
People come in powers of two, so that a total names exactly who was reached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from itertools import chain, pairwise
from unittest import mock

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from coverage.search import Weight, reach
from coverage.snap import snap
from coverage.travel_times import travel_times
from geodata.calls.model import Calls
from geodata.model import Demand, Facilities, Region, Zones
from geodata.network import Network, build_network
from geodata.roads import Floats, Roads
from geodata.standards import Direction, Limit, Mode, ModeSpeeds, ServiceDefinition, Speeds
from geodata.turns import Turns

CRS = "EPSG:4548"
EAST, NORTH = 430_000.0, 3_140_000.0
BLOCK_M = 100.0
BLOCK_MS = 90_000  # on foot
BOTH, FORWARD, BACKWARD = 0b111111, 0b010101, 0b101010
Node = tuple[float, float]
Piece = tuple[Node, ...]

FROM_DEGREES, TO_DEGREES = (pyproj.Transformer.from_crs(*pair, always_xy=True) for pair in (("EPSG:4326", CRS), (CRS, "EPSG:4326")))


def speeds(times: float = 1.0) -> Speeds:
    """Walking 4, cycling 12, driving 36 km/h, and 4 between a place and the road; or so many times as fast."""
    way = {"access_kmh": 4.0 * times, "access_detour": 1.0, "source": "gridtown", "status": "M"}
    return Speeds(
        walk=ModeSpeeds(kmh=4.0 * times, **way), bike=ModeSpeeds(kmh=12.0 * times, **way), drive=ModeSpeeds(kmh=36.0 * times, **way)
    )


def lonlat(places: Sequence[Node]) -> Floats:
    """Degrees of places given in blocks east and north of the town's corner."""
    metres = np.array(places, dtype=float).reshape(-1, 2) * BLOCK_M + [EAST, NORTH]
    return np.column_stack(TO_DEGREES.transform(*metres.T))


def street(*corners: Node) -> list[Piece]:
    """Pieces from each corner to the next."""
    return list(pairwise(corners))


def streets(columns: int, rows: int) -> list[Piece]:
    """Every block of a lattice with `columns` × `rows` corners."""
    across = [((x, y), (x + 1, y)) for x in range(columns - 1) for y in range(rows)]
    return across + [((x, y), (x, y + 1)) for x in range(columns) for y in range(rows - 1)]


def roads(
    pieces: Sequence[Piece],
    *,
    permit: Mapping[int, int] | None = None,
    water: Sequence[shapely.Geometry] = (),
    road_class: Mapping[int, str] | None = None,
    tunnels: Collection[int] = (),
    bridges: Collection[int] = (),
    blocked: Mapping[Node, int] | None = None,
    kmh: Mapping[int, float] | None = None,
    turns: Turns | None = None,
) -> Roads:
    """Roads from pieces, each a line of corners whose first and last are nodes; a piece may have its own permission, class and maxspeed."""
    permit, road_class, blocked, kmh = permit or {}, road_class or {}, blocked or {}, kmh or {}
    nodes = sorted({end for piece in pieces for end in (piece[0], piece[-1])})
    at = {node: position for position, node in enumerate(nodes)}
    classes = tuple(sorted({"residential", *road_class.values()}))
    count = len(pieces)
    blocks = [sum(np.hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(piece)) for piece in pieces]
    return Roads(
        lonlat=lonlat(list(chain.from_iterable(pieces))),
        first_vertex=np.cumsum([0, *(len(piece) for piece in pieces)]),
        tail=np.array([at[piece[0]] for piece in pieces]),
        head=np.array([at[piece[-1]] for piece in pieces]),
        node_id=np.arange(1, len(nodes) + 1),
        way_id=np.arange(1, count + 1),
        road_class=np.array([classes.index(road_class.get(i, "residential")) for i in range(count)]),
        class_names=classes,
        name=np.zeros(count, dtype=np.int64),
        road_names=("",),
        permit=np.array([permit.get(i, BOTH) for i in range(count)], dtype=np.uint8),
        maxspeed_kmh=np.array([[kmh.get(i, np.nan)] * 2 for i in range(count)]),
        enterable=np.array([road_class.get(i) != "motorway" and i not in tunnels for i in range(count)]),
        bridge=np.array([i in bridges for i in range(count)], dtype=bool),
        blocked=np.array([blocked.get(node, 0) for node in nodes], dtype=np.uint8),
        length_mm=np.array([round(length * BLOCK_M * 1000) for length in blocks]),
        water=np.array(list(water), dtype=object),
        ways_of_file=(count,),
        missing_nodes=0,
        unread_maxspeed=(),
        turns=turns or Turns.none(),
    )


def network(town: Roads, mode: Mode = "walk", *, times: float = 1.0) -> Network:
    """The town for one mode, or so many times as fast."""
    with mock.patch.object(pyproj.Transformer, "from_crs", return_value=FROM_DEGREES):  # making one takes longer than any test
        return build_network(town, mode, speeds(times), CRS)


def trip(net: Network, home: Node, clinic: Node, *, direction: Direction = "to_facility", weight: Weight = "time") -> int | None:
    """Milliseconds (or millimetres) of the best way between two places; None where there is none."""
    homes, clinics = (snap(net, lonlat([place]), np.array([0]), 1) for place in (home, clinic))
    found = travel_times(net, reach(net, clinics, direction=direction, weight=weight), clinics, homes)
    return int(found.cost[0]) if len(found.cost) else None


def polygon(corners: Sequence[Node]) -> shapely.Polygon:
    """A polygon in degrees from corners in blocks."""
    return shapely.Polygon(lonlat(corners))


def line(*corners: Node) -> shapely.LineString:
    """A line in degrees from corners in blocks."""
    return shapely.LineString(lonlat(corners))


def gates(*corners: Node) -> shapely.MultiPoint:
    """Entrances in degrees from corners in blocks."""
    return shapely.MultiPoint(lonlat(corners))


def definition(
    *, rural: Limit | None = None, mode: Mode = "walk", kinds: tuple[str, ...] = ("hospital",), **said: object
) -> ServiceDefinition:
    """Fifteen minutes on foot to a hospital, or what is said; `minutes`, `network_m` and `straight_m` are the limit of both classes."""
    measures = {name: said.pop(name) for name in ("minutes", "network_m", "straight_m") if name in said}
    limit = Limit(**(measures or {"minutes": 15}))
    named = {"id": "d", "name_zh": "定义", "name_en": "definition", "source": "gridtown", "status": "M"}
    return ServiceDefinition(kinds=kinds, mode=mode, urban=limit, rural=rural or limit, **named, **said)


def region(
    town: Roads,
    homes: Mapping[str, Node],
    clinics: Mapping[str, Node],
    *,
    people: Mapping[str, float] | None = None,
    urban: Collection[str] = (),
    settlement: Mapping[str, str] | None = None,
    zones: Mapping[str, shapely.Polygon] | None = None,
    kind: str | Sequence[str] = "hospital",
    **columns: Sequence[object],
) -> Region:
    """A region of homes and clinics; the n-th home has 2**n people unless stated; `columns` are of the facilities."""
    zones = zones or {"Z": polygon([(-50, -50), (100, -50), (100, 100), (-50, 100)])}
    zone_noun = Zones.from_geodataframe(gpd.GeoDataFrame({"id": list(zones), "name": list(zones)}, geometry=list(zones.values()), crs=4326))
    counts = [2.0**n for n in range(len(homes))] if people is None else [people[home] for home in homes]
    demand = gpd.GeoDataFrame(
        {
            "id": list(homes),
            "people": counts,
            "urban": np.array([home in urban for home in homes], dtype=bool),
            "settlement": [(settlement or {}).get(home, home) for home in homes],
        },
        geometry=shapely.points(lonlat(list(homes.values()))),
        crs=4326,
    )
    places = gpd.GeoDataFrame(
        {"id": list(clinics), "name": [f"{clinic} name" for clinic in clinics], "kind": kind, **columns},
        geometry=shapely.points(lonlat(list(clinics.values()))),
        crs=4326,
    )
    return Region(
        name="gridtown",
        illustrative=True,
        date=dt.date(2026, 1, 1),
        crs=CRS,
        roads=town,
        zones=zone_noun,
        demand=Demand.from_geodataframe(demand, zone_noun),
        facilities=Facilities.from_geodataframe(places, zone_noun, CRS),
        people_source="gridtown",
        sources=(),
        tables=(),
        row_notes=(),
        calls=Calls.none(),
        county_people=float("nan"),
        county_registered=float("nan"),
    )
