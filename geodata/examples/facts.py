"""The facts and the hand-drawn sketch of the example county, read from ``jinxian.toml``.

Everything is drawn on a plane in metres around the middle of the county (equirectangular, good to 0.3 % over its extent) and
goes back to WGS84 degrees, rounded to 1e-7, when it is written.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Points: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]

MIDDLE_LON, MIDDLE_LAT = 116.296, 28.4575
LAT_DEGREE_M = math.pi * 6_371_000 / 180
LON_DEGREE_M = LAT_DEGREE_M * math.cos(math.radians(MIDDLE_LAT))
DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Township:
    """One township: real name, code, seat and number of settlements, and how urban the example makes it."""

    code: str
    name: str
    seat: tuple[float, float]
    settlements: int
    people: int
    urban_settlements: int
    urban_weight: float


@dataclass(frozen=True, slots=True)
class Link:
    """A main road of the sketch: its name, its OSM class and the places it passes."""

    name: str
    ref: str
    grade: str
    stops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Street:
    """An avenue of the county town: its name, its OSM class, its course in metres from the seat, whether it runs one way."""

    name: str
    grade: str
    course: tuple[tuple[float, float], ...]
    one_way: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known or decided before anything is drawn; coordinates in WGS84 degrees."""

    name: str
    people: int
    urban_people: int
    over_65_share: float
    over_60_share: float
    county_town: str
    county_town_urban_share: float
    extent: tuple[float, float, float, float]
    townships: tuple[Township, ...]
    sketch: dict[str, Any]
    lakes: dict[str, list[list[list[float]]]]
    bridges: dict[str, list[list[float]]]
    outside: dict[str, tuple[float, float]]
    links: tuple[Link, ...]
    avenues: tuple[Street, ...]
    interchanges: dict[str, tuple[float, float]]


def read_facts() -> Facts:
    """Read the facts that lie beside this module.

    Returns
    -------
    Facts
        Real names and numbers, and the illustrative sketch.

    Examples
    --------
    >>> facts = read_facts()
    >>> len(facts.townships), sum(t.settlements for t in facts.townships), facts.people
    (21, 321, 620254)
    """
    raw = tomllib.loads(files(__package__).joinpath("jinxian.toml").read_text(encoding="utf-8"))
    extent = raw["extent"]
    return Facts(
        name=raw["name"],
        people=raw["census"]["people"],
        urban_people=raw["census"]["urban_people"],
        over_65_share=raw["census"]["over_65_share"],
        over_60_share=raw["census"]["over_60_share"],
        county_town=raw["county_town"]["name"],
        county_town_urban_share=raw["county_town"]["urban_share"],
        extent=(extent["west"], extent["south"], extent["east"], extent["north"]),
        townships=tuple(Township(**{**row, "seat": tuple(row["seat"])}) for row in raw["townships"]),
        sketch=raw["sketch"],
        lakes={lake["name"]: lake["arms"] for lake in raw["lakes"]},
        bridges={bridge["name"]: bridge["ends"] for bridge in raw["bridges"]},
        outside={name: (lon, lat) for name, (lon, lat) in raw["outside"].items()},
        links=tuple(Link(**{**row, "stops": tuple(row["stops"])}) for row in raw["links"]),
        avenues=tuple(Street(**{**row, "course": tuple((east, north) for east, north in row["course"])}) for row in raw["avenues"]),
        interchanges={row["name"]: (row["at"][0], row["at"][1]) for row in raw["interchanges"]},
    )


def to_plane(degrees: npt.ArrayLike) -> Points:
    """Bring longitudes and latitudes onto the drawing plane.

    Parameters
    ----------
    degrees : array_like, shape (n, 2)
        WGS84 longitude and latitude.

    Returns
    -------
    ndarray, shape (n, 2)
        Metres east and north of the middle of the county.
    """
    lonlat = np.asarray(degrees, dtype=np.float64).reshape(-1, 2)
    return (lonlat - (MIDDLE_LON, MIDDLE_LAT)) * (LON_DEGREE_M, LAT_DEGREE_M)


def to_degrees(plane: npt.ArrayLike) -> Points:
    """Bring metres of the drawing plane back to WGS84 degrees, rounded to 1e-7 (about 1 cm).

    Parameters
    ----------
    plane : array_like, shape (n, 2)
        Metres east and north of the middle of the county.

    Returns
    -------
    ndarray, shape (n, 2)
        Longitude and latitude.
    """
    xy = np.asarray(plane, dtype=np.float64).reshape(-1, 2)
    return np.round(xy / (LON_DEGREE_M, LAT_DEGREE_M) + (MIDDLE_LON, MIDDLE_LAT), DECIMALS)
