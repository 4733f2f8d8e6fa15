"""What the map in the browser draws, as compact layers: ground, circles, facilities. Equal content has an equal id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.model import Facilities, Region
from geodata.roads import Geometries
from geodata.standards import Services

UNITS_PER_DEGREE = 100_000  # coordinates have five decimals, about a metre
_SIMPLIFY_M = 5.0
_ZONE_SIMPLIFY_M = 15.0
_CIRCLE_SIMPLIFY_DEGREES = 2e-5  # two metres: it is a picture, drawn anew after every click
_MINOR_BEYOND_DEGREES = 0.02  # minor roads are drawn about 2 km beyond the county, larger ones as far as they were read
_MAIN = {"motorway", "trunk", "primary"}
_MIDDLE = {"secondary", "tertiary"}

Line = list[int]


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer of the map.

    Attributes
    ----------
    data : dict
        Ready for JSON. A line is a flat list of whole numbers: lon and lat in 1e-5 degrees, the first as they are, each further pair
        as the step from the pair before. A polygon is its outline, then its holes.
    """

    data: dict[str, Any]

    @cached_property
    def content(self) -> bytes:
        """The data as JSON, the same bytes for the same data."""
        return json.dumps(self.data, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()

    @cached_property
    def id(self) -> str:
        """Hash of the content."""
        return hashlib.sha256(self.content).hexdigest()[:24]


def base_layer(region: Region) -> Layer:
    """The ground: townships whose borders still touch, water, roads in three classes."""
    west, south, east, north = region.zones.bounds
    return Layer(
        {
            "bounds": [round(degree, 5) for degree in (west, south, east, north)],
            "zones": _zones(region),
            "water": _water(region),
            "roads": _roads(region),
        }
    )


def circle_layer(circles: gpd.GeoDataFrame) -> Layer:
    """The merged circles, one shape a class; holes and islands stay."""
    merged = circles[circles["facility_id"] == ""].sort_values("class", kind="stable")
    shapes = shapely.simplify(np.array(merged.geometry, dtype=object), _CIRCLE_SIMPLIFY_DEGREES, preserve_topology=False)
    return Layer({"classes": [{"class": name, "polygons": _polygons(shape)} for name, shape in zip(merged["class"], shapes, strict=True)]})


def place_layer(services: Services, facilities: Facilities) -> Layer:
    """The facilities that may be shown, in the order of their kinds; lines and polygons with their outline."""
    frame = facilities.to_geodataframe()
    at = shapely.get_coordinates(shapely.point_on_surface(np.array(frame.geometry, dtype=object)))
    kinds = [kind for kind in services.kinds if kind in set(frame["kind"])]
    order = sorted(range(len(frame)), key=lambda row: (kinds.index(frame["kind"][row]), frame["id"][row]))
    places = []
    for row in order:
        facility = frame.iloc[row]
        places.append(
            {
                "id": facility["id"],
                "name": facility["name"],
                "kind": facility["kind"],
                "lon": round(float(at[row, 0]), 5),
                "lat": round(float(at[row, 1]), 5),
                "capacity": None if np.isnan(facility["capacity"]) else float(facility["capacity"]),
                "external": bool(facility["external"]),
                "lines": _outlines(facility.geometry),
            }
        )
    names = [{"id": kind, "zh": services.kinds[kind].zh, "en": services.kinds[kind].en} for kind in kinds]
    return Layer({"kinds": names, "places": places})


def _zones(region: Region) -> list[dict[str, Any]]:
    zones = region.zones
    metric = np.array(gpd.GeoSeries(zones.geometry, crs="EPSG:4326").to_crs(region.crs), dtype=object)
    labels = gpd.GeoSeries([_label_point(shape) for shape in metric], crs=region.crs).to_crs("EPSG:4326")
    shapes = gpd.GeoSeries(shapely.coverage_simplify(metric, _ZONE_SIMPLIFY_M), crs=region.crs).to_crs("EPSG:4326")
    return [
        {"id": id_, "name": name, "lon": round(label.x, 5), "lat": round(label.y, 5), "polygons": _polygons(shape)}
        for id_, name, label, shape in zip(zones.id, zones.name, labels, shapes, strict=True)
    ]


def _label_point(shape: shapely.Geometry) -> shapely.Point:
    """The middle of the widest part, where a name has most room."""
    widest = max(_parts(shape), key=shapely.area)
    return shapely.get_point(shapely.maximum_inscribed_circle(widest, tolerance=50), 0)


def _water(region: Region) -> dict[str, Any]:
    shapes = _simplified(region.roads.water, region)
    areas, lines = (shapes[np.isin(shapely.get_type_id(shapes), types)] for types in ([3, 6], [1, 5]))
    return {
        "polygons": [ring for shape in areas for ring in _polygons(shape)],
        "lines": [line for shape in lines for line in _lines(shape)],
    }


def _roads(region: Region) -> dict[str, list[Line]]:
    roads = region.roads
    classes = np.array([_road_class(name) for name in roads.class_names], dtype=str)[roads.road_class]
    lines = roads.lines()
    west, south, east, north = region.zones.bounds
    more = _MINOR_BEYOND_DEGREES
    near = shapely.intersects(lines, shapely.box(west - more, south - more, east + more, north + more))
    drawn = {}
    for name in ("main", "middle", "minor"):
        which = lines[(classes == name) & (near if name == "minor" else True)]
        joined = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(which))) if len(which) else which
        drawn[name] = [line for shape in _simplified(joined, region) for line in _lines(shape)]
    return drawn


def _road_class(highway: str) -> str:
    name = highway.removesuffix("_link")
    return "main" if name in _MAIN else "middle" if name in _MIDDLE else "minor"


def _simplified(shapes: Geometries, region: Region) -> Geometries:
    metric = gpd.GeoSeries(list(shapes), crs="EPSG:4326").to_crs(region.crs)
    return np.array(metric.simplify(_SIMPLIFY_M).to_crs("EPSG:4326"), dtype=object)


def _outlines(shape: shapely.Geometry) -> list[Line]:
    """The lines of a line, the rings of a polygon, nothing of a point."""
    lines = shapely.boundary(shape) if shape.geom_type in {"Polygon", "MultiPolygon"} else shape
    return _lines(lines) if lines.geom_type != "Point" else []


def _lines(shape: shapely.Geometry) -> list[Line]:
    return [_steps(line) for line in _parts(shape)]


def _polygons(shape: shapely.Geometry) -> list[list[Line]]:
    return [[_steps(ring) for ring in shapely.get_rings(part)] for part in _parts(shape) if part.geom_type == "Polygon"]


_parts: Callable[[shapely.Geometry], Geometries] = shapely.get_parts


def _steps(line: shapely.Geometry) -> Line:
    """Coordinates as whole numbers, each pair as the step from the one before."""
    units = np.rint(shapely.get_coordinates(line) * UNITS_PER_DEGREE).astype(np.int64)
    moved = np.concatenate([[True], (np.diff(units, axis=0) != 0).any(axis=1)])
    steps: Line = np.diff(units[moved], axis=0, prepend=0).ravel().tolist()
    return steps
