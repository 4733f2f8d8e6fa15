"""Gridtown: a lattice whose answers can be worked out by hand.

Streets every 100 m, whole pieces of exactly 100,000 mm, at coordinates of EPSG:4548 near Jinxian. Walking at 4 km/h a block takes exactly
90,000 ms, so 15 minutes are exactly ten blocks. People come in powers of two, so that a total names exactly who was reached.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geodata.model import Demand, Facilities, Region, Zones
from geodata.roads import Network, Roads, build_network
from geodata.standards import ModeSpeeds, Speeds

CRS = "EPSG:4548"
EAST, NORTH = 430_000.0, 3_140_000.0
BLOCK_M = 100.0
BOTH, FORWARD, BACKWARD = 0b111111, 0b010101, 0b101010
Node = tuple[float, float]

_SPEED = {"access_kmh": 4.0, "access_detour": 1.0, "source": "gridtown", "status": "M"}
SPEEDS = Speeds(
    walk=ModeSpeeds(kmh=4.0, **_SPEED),
    bike=ModeSpeeds(kmh=12.0, **_SPEED),
    drive=ModeSpeeds(kmh=36.0, **_SPEED),
)


def lonlat(places: Sequence[Node]) -> np.ndarray:
    """Degrees of places given in blocks east and north of the town's corner."""
    metres = np.array(places, dtype=float).reshape(-1, 2) * BLOCK_M + [EAST, NORTH]
    return np.column_stack(pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(*metres.T))


def streets(columns: int, rows: int) -> list[tuple[Node, Node]]:
    """Every block of a lattice with `columns` × `rows` corners."""
    across = [((x, y), (x + 1, y)) for x in range(columns - 1) for y in range(rows)]
    return across + [((x, y), (x, y + 1)) for x in range(columns) for y in range(rows - 1)]


def roads(
    pieces: Sequence[tuple[Node, Node]],
    *,
    permit: Mapping[int, int] | None = None,
    water: Sequence[shapely.Geometry] = (),
    road_class: Mapping[int, str] | None = None,
    blocked: Mapping[Node, int] | None = None,
) -> Roads:
    """Roads from straight pieces; piece i may have its own permission and class, a node its own barrier."""
    permit, road_class, blocked = permit or {}, road_class or {}, blocked or {}
    nodes = sorted({node for piece in pieces for node in piece})
    at = {node: position for position, node in enumerate(nodes)}
    classes = tuple(sorted({"residential", *road_class.values()}))
    count = len(pieces)
    length_mm = [round(np.hypot(b[0] - a[0], b[1] - a[1]) * BLOCK_M * 1000) for a, b in pieces]
    return Roads(
        lonlat=lonlat([node for piece in pieces for node in piece]),
        first_vertex=np.arange(count + 1) * 2,
        tail=np.array([at[a] for a, _ in pieces]),
        head=np.array([at[b] for _, b in pieces]),
        node_id=np.arange(1, len(nodes) + 1),
        way_id=np.arange(1, count + 1),
        road_class=np.array([classes.index(road_class.get(i, "residential")) for i in range(count)]),
        class_names=classes,
        name=np.zeros(count, dtype=np.int64),
        road_names=("",),
        permit=np.array([permit.get(i, BOTH) for i in range(count)], dtype=np.uint8),
        maxspeed_kmh=np.full((count, 2), np.nan),
        enterable=np.array([road_class.get(i) != "motorway" for i in range(count)]),
        blocked=np.array([blocked.get(node, 0) for node in nodes], dtype=np.uint8),
        length_mm=np.array(length_mm),
        water=np.array(list(water), dtype=object),
        highway_ways=count,
        missing_nodes=0,
        unread_maxspeed=(),
    )


def network(town: Roads, mode: str = "walk") -> Network:
    """The town for one mode."""
    return build_network(town, mode, SPEEDS, CRS)


def polygon(corners: Sequence[Node]) -> shapely.Polygon:
    """A polygon in degrees from corners in blocks."""
    return shapely.Polygon(lonlat(corners))


def region(
    town: Roads,
    homes: Mapping[str, Node],
    clinics: Mapping[str, Node],
    *,
    people: Mapping[str, float] | None = None,
    urban: Sequence[str] = (),
    zones: Mapping[str, shapely.Polygon] | None = None,
    kind: str = "hospital",
    **columns: Sequence[object],
) -> Region:
    """A region of homes and clinics; the n-th home has 2**n people unless stated; `columns` are of the facilities."""
    everywhere = polygon([(-50, -50), (100, -50), (100, 100), (-50, 100)])
    zones_frame = gpd.GeoDataFrame(
        {"id": list(zones or {"Z": 0}), "name": list(zones or {"Z": 0})}, geometry=list((zones or {"Z": everywhere}).values()), crs=4326
    )
    zone_noun = Zones.from_geodataframe(zones_frame)
    counts = [2.0**n for n in range(len(homes))] if people is None else [people[home] for home in homes]
    demand = gpd.GeoDataFrame(
        {"id": list(homes), "people": counts, "urban": [home in urban for home in homes]},
        geometry=shapely.points(lonlat(list(homes.values()))),
        crs=4326,
    )
    places = gpd.GeoDataFrame(
        {"id": list(clinics), "name": list(clinics), "kind": kind, **columns}, geometry=shapely.points(lonlat(list(clinics.values()))), crs=4326
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
    )
