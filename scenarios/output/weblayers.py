"""What the map in the browser draws, as compact layers: ground, circles, facilities. Equal content has an equal id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.model import Facilities, Region
from geodata.roads import Geometries
from geodata.standards import Services
from scenarios.output.ground import road_lines, water_shapes, zone_shapes
from scenarios.output.legend import ROADS, kind_looks, merged

UNITS_PER_DEGREE = 100_000  # coordinates have five decimals, about a metre
_CIRCLE_SIMPLIFY_DEGREES = 2e-5  # two metres: it is a picture, drawn anew after every click
_MINOR_BEYOND_DEGREES = 0.02  # minor roads are drawn about 2 km beyond the county, larger ones as far as they were read
_MINOR = ("path", "local")

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
    """The ground: townships whose borders still touch, water, roads in groups."""
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
    drawn = merged(circles)
    shapes = shapely.simplify(np.array(drawn.geometry, dtype=object), _CIRCLE_SIMPLIFY_DEGREES, preserve_topology=False)
    return Layer({"classes": [{"class": name, "polygons": _polygons(shape)} for name, shape in zip(drawn["class"], shapes, strict=True)]})


def place_layer(services: Services, facilities: Facilities) -> Layer:
    """The facilities that may be shown, in the order of their kinds; lines and polygons with their outline."""
    frame, looks = facilities.to_geodataframe(), kind_looks(services, facilities)
    at = shapely.get_coordinates(shapely.point_on_surface(np.array(frame.geometry, dtype=object)))
    kinds = [look.id for look in looks]
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
    named = [
        {"id": look.id, "zh": look.words[0], "en": look.words[1], "colour": look.colour, "count": look.count, "radius": look.radius_px}
        for look in looks
    ]
    return Layer({"kinds": named, "places": places})


def _zones(region: Region) -> list[dict[str, Any]]:
    zones = region.zones
    shapes, labels = zone_shapes(region)
    return [
        {"id": id_, "name": name, "lon": round(label.x, 5), "lat": round(label.y, 5), "polygons": _polygons(shape)}
        for id_, name, label, shape in zip(zones.id, zones.name, labels, shapes, strict=True)
    ]


def _water(region: Region) -> dict[str, Any]:
    areas, lines = water_shapes(region)
    return {
        "polygons": [ring for shape in areas for ring in _polygons(shape)],
        "lines": _lines(lines),
    }


def _roads(region: Region) -> dict[str, list[Line]]:
    west, south, east, north = region.zones.bounds
    more = _MINOR_BEYOND_DEGREES
    near = shapely.box(west - more, south - more, east + more, north + more)
    drawn = {group: road_lines(region, group, within=near if group in _MINOR else None) for group in ROADS}
    return {group: _lines(lines) for group, lines in drawn.items()}


def _outlines(shape: shapely.Geometry) -> list[Line]:
    """The lines of a line, the rings of a polygon, nothing of a point."""
    lines = shapely.boundary(shape) if shape.geom_type in {"Polygon", "MultiPolygon"} else shape
    return _lines(lines) if lines.geom_type != "Point" else []


def _lines(shapes: Geometries | shapely.Geometry) -> list[Line]:
    """Every line of the shapes as ``_steps`` writes it, all in one go: a county has thousands."""
    degrees, line = shapely.get_coordinates(_parts(shapes), return_index=True)
    units = np.rint(degrees * UNITS_PER_DEGREE).astype(np.int64)
    begins = np.diff(line, prepend=-1) != 0
    moved = begins | (np.diff(units, axis=0, prepend=0) != 0).any(axis=1)
    units, first = units[moved], np.flatnonzero(begins[moved])
    steps = np.diff(units, axis=0, prepend=0)
    steps[first] = units[first]
    flat = steps.ravel().tolist()
    bounds = [*(2 * first).tolist(), len(flat)]
    return [flat[start:end] for start, end in pairwise(bounds)]


def _polygons(shape: shapely.Geometry) -> list[list[Line]]:
    return [[_steps(ring) for ring in shapely.get_rings(part)] for part in _parts(shape) if part.geom_type == "Polygon"]


_parts: Callable[[Geometries | shapely.Geometry], Geometries] = shapely.get_parts


def _steps(line: shapely.Geometry) -> Line:
    """Coordinates as whole numbers, each pair as the step from the one before."""
    units = np.rint(shapely.get_coordinates(line) * UNITS_PER_DEGREE).astype(np.int64)
    moved = np.concatenate([[True], (np.diff(units, axis=0) != 0).any(axis=1)])
    steps: Line = np.diff(units[moved], axis=0, prepend=0).ravel().tolist()
    return steps
