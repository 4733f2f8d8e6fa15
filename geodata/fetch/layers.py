"""From OSM's elements to the tables of a county: zones, settlements, facilities, residential land, buildings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geodata.extent import Bounds
from geodata.fetch.boundary import Boundary
from geodata.fetch.elements import Elements, Placed
from geodata.fetch.tags import is_administrative, name_of, tag_table
from geodata.roads import Ints, forward_bit, great_circle_m
from geodata.ways.osm_tags import maxspeed_kmh, permissions

WGS84 = "EPSG:4326"
REST = "REST"
_LEAST_REST = 0.01  # of the county: less is two drawings of one line
_MOSTLY = 0.5
_GATES = {"gate", "entrance", "lift_gate", "swing_gate", "sliding_gate", "kissing_gate", "turnstile"}


@dataclass(frozen=True, eq=False)
class Layers:
    """A county as tables; geometry in WGS84, rows in the order of their ids.

    Attributes
    ----------
    zones : id, name
        Townships; the part of the county without one is the zone REST.
    settlements : id, name, zone, urban
        Points without people.
    facilities : id, name, kind, service, beds, emergency, entrances
        Points, lines and areas.
    residential : id, name
    buildings : id, type, area_m2
        Points inside.
    broken_townships : tuple of str
        Township boundaries that have a gap and could not be used.
    doubles : int
        Facilities left out because the same place is drawn as an area too.
    road_km, tagged_km : float
        Roads that cars may use, and those of them with a maxspeed.
    """

    zones: gpd.GeoDataFrame
    settlements: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    residential: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    broken_townships: tuple[str, ...]
    doubles: int
    road_km: float
    tagged_km: float

    @property
    def rest_share(self) -> float:
        """Share of the county that no township of OSM covers."""
        rest = self.zones.loc[self.zones["id"] == REST].geometry
        return float(rest.union_all().area / self.zones.geometry.union_all().area) if len(rest) else 0.0


def make_layers(taken: Elements, boundary: Boundary, within: Bounds) -> Layers:
    """Sort what was taken into tables.

    Parameters
    ----------
    taken : Elements
        Of OSM.
    boundary : Boundary
        The county.
    within : Bounds
        The county with its buffer: facilities outside it are left out.
    """
    things = list(taken.placed())
    zones, broken = _zones(taken, boundary)
    facilities, doubles = _facilities(taken, things, within)
    road_km, tagged_km = _road_km(taken)
    inside = _inside([thing for thing in things if tag_table().is_local(thing.tags)], boundary.area)
    return Layers(
        zones=zones,
        settlements=_settlements(inside, zones),
        facilities=facilities,
        residential=_frame(
            (_row(thing, name=name_of(thing.tags)) for thing in inside if tag_table().is_built(thing.tags) and _is_area(thing.shape)),
            ("id", "name"),
        ),
        buildings=_buildings(inside),
        broken_townships=broken,
        doubles=doubles,
        road_km=road_km,
        tagged_km=tagged_km,
    )


def _row(thing: Placed, **columns: object) -> dict[str, object]:
    return {"id": thing.id, **columns, "geometry": thing.shape}


def _frame(rows: Iterable[dict[str, object]], columns: Sequence[str]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.DataFrame(list(rows), columns=[*columns, "geometry"]), geometry="geometry", crs=WGS84)


def _is_area(shape: shapely.Geometry) -> bool:
    return shape.geom_type in {"Polygon", "MultiPolygon"}


def _inside(things: list[Placed], area: shapely.Geometry) -> list[Placed]:
    """Those with a point of theirs inside."""
    shapely.prepare(area)
    points = shapely.point_on_surface(np.array([thing.shape for thing in things], dtype=object))
    return [thing for thing, kept in zip(things, shapely.contains(area, points), strict=True) if kept]


def _zones(taken: Elements, boundary: Boundary) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """The areas of the planner's own file if it has several, else OSM's townships and what they leave over."""
    if boundary.parts is not None:
        return boundary.parts, ()
    by_level: dict[str, list[dict[str, object]]] = {level: [] for level in tag_table().townships.levels}
    broken = []
    for number, relation in taken.relations.items():
        level = relation.tags.get("admin_level", "")
        if not is_administrative(relation.tags) or level not in by_level or number == boundary.relation:
            continue
        shape, name = taken.relation_shape(relation), name_of(relation.tags) or f"R{number}"
        if shape is None:
            broken.append(f"{name} (R{number})")
        elif shape.intersection(boundary.area).area > _MOSTLY * shape.area and shape.area < (1 - _LEAST_REST) * boundary.area.area:
            by_level[level].append({"id": f"R{number}", "name": name, "geometry": shape})
    preferred, *others = by_level
    level = preferred if by_level[preferred] else next((one for one in sorted(others, key=int) if by_level[one]), preferred)
    zones = _frame(by_level[level], ("id", "name"))
    rest = shapely.difference(boundary.area, zones.geometry.union_all()) if len(zones) else boundary.area
    if rest.area > _LEAST_REST * boundary.area.area:
        name = "未划乡镇的部分 (no township in OSM)" if len(zones) else boundary.name
        zones = pd.concat([zones, _frame([{"id": REST, "name": name, "geometry": rest}], ("id", "name"))], ignore_index=True)
    return zones, tuple(sorted(broken))


def _settlements(inside: list[Placed], zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Places by name; one that is drawn as an area as well counts once, at its point."""
    classes = tag_table().settlements
    places = [thing for thing in inside if thing.tags.get("place") in (*classes.urban, *classes.rural) and name_of(thing.tags)]
    points = {name_of(thing.tags): thing.shape for thing in places if thing.shape.geom_type == "Point"}
    rows = []
    for thing in places:
        name, point = name_of(thing.tags), shapely.point_on_surface(thing.shape)
        if _is_area(thing.shape) and name in points and thing.shape.contains(points[name]):
            continue
        zone = next((row.id for row in zones.itertuples() if row.geometry.contains(point)), "")
        urban = thing.tags["place"] in classes.urban
        rows.append({"id": thing.id, "name": name, "zone": zone, "urban": urban, "geometry": point})
    return _frame(rows, ("id", "name", "zone", "urban"))


def _facilities(taken: Elements, things: list[Placed], within: Bounds) -> tuple[gpd.GeoDataFrame, int]:
    table = tag_table()
    ruled = [(thing, rule) for thing in things if (rule := table.rule(thing.tags)) is not None and rule.kind]
    schools = shapely.union_all([thing.shape for thing, rule in ruled if not rule.service and _is_area(thing.shape)])
    roads = np.unique(np.concatenate([np.zeros(0, np.int64), *(way.nodes for way in taken.ways.values() if "highway" in way.tags)]))
    box, rows = shapely.box(*within), []
    shapely.prepare(schools)
    for thing, rule in ruled:
        centre = shapely.point_on_surface(thing.shape)
        if not rule.service or (rule.service == "fitness" and table.is_closed(thing.tags)) or not box.contains(centre):
            continue
        at_school = rule.kind == "sports_ground" and schools.contains(centre)
        columns = {
            "name": name_of(thing.tags),
            "kind": "school_ground" if at_school else rule.kind,
            "service": rule.service,
            "beds": thing.tags.get("beds", "") if thing.tags.get("beds", "").isdecimal() else "",
            "emergency": thing.tags.get("emergency") == "yes",
            "entrances": _entrances(taken, thing, roads),
        }
        rows.append(_row(thing, **columns))
    frame = _frame(rows, ("id", "name", "kind", "service", "beds", "emergency", "entrances"))
    doubled = _doubled(frame)
    return frame[~doubled].reset_index(drop=True), int(doubled.sum())


def _doubled(frame: gpd.GeoDataFrame) -> pd.Series:
    """Points inside an area of the same kind that has the same name, or where one of the two has none."""
    is_point = frame.geom_type == "Point"
    points, areas = frame[is_point], frame[~is_point]
    pairs = gpd.sjoin(points, areas, predicate="within")
    same = (pairs["kind_left"] == pairs["kind_right"]) & (
        (pairs["name_left"] == pairs["name_right"]) | (pairs["name_left"] == "") | (pairs["name_right"] == "")
    )
    return pd.Series(frame.index.isin(pairs.index[same]), index=frame.index)


def _entrances(taken: Elements, thing: Placed, roads: Ints) -> str:
    """Gates on an area's outline, and where a road crosses it, as "lon lat; lon lat"; "" if there is none."""
    if not _is_area(thing.shape):
        return ""
    number = int(thing.id[1:])
    ways = [number] if thing.id.startswith("W") else taken.relations[number].ways
    outline = np.unique(np.concatenate([taken.ways[way].nodes for way in ways]))
    gates = [node for node in outline.tolist() if _is_gate(taken.node_tags.get(node, {}))]
    crossed = outline[np.isin(outline, roads, assume_unique=True)].tolist()
    places = taken.course(np.array(sorted({*gates, *crossed}), dtype=np.int64))
    return "; ".join(f"{lon:.7f} {lat:.7f}" for lon, lat in places.tolist())


def _is_gate(tags: object) -> bool:
    return isinstance(tags, dict) and (tags.get("barrier") in _GATES or tags.get("entrance", "no") != "no")


def _buildings(inside: list[Placed]) -> gpd.GeoDataFrame:
    """A point in each building, and its floor's area in m²."""
    things = [thing for thing in inside if "building" in thing.tags and _is_area(thing.shape)]
    frame = _frame((_row(thing, type=thing.tags["building"]) for thing in things), ("id", "type"))
    if frame.empty:
        return frame.assign(area_m2=pd.Series(dtype=float))
    area = frame.to_crs(frame.estimate_utm_crs()).area.round(1)
    return frame.assign(area_m2=area, geometry=frame.representative_point())


def _road_km(taken: Elements) -> tuple[float, float]:
    """Kilometres that cars may use, and those with a maxspeed that can be read."""
    driven = [way for way in taken.ways.values() if "highway" in way.tags and permissions(way.tags) & (forward_bit("drive") * 3)]
    km = tagged = 0.0
    for way in driven:
        course = taken.course(way.nodes)
        length = float(np.nansum(great_circle_m(course[:-1], course[1:]))) / 1000
        km += length
        tagged += 0.0 if np.isnan(maxspeed_kmh(way.tags)[:2]).all() else length
    return km, tagged
