"""``circle15 matrix``: points and roads from files to an origin–destination table on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from coverage.matrix import ODMatrix, od_matrix
from coverage.search import Weight
from coverage.serving import MS_PER_MINUTE
from coverage.snap import MAX_SNAP_M
from geodata.datum.evidence import datum_evidence
from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.hours import bad_hour
from geodata.model import OUTSIDE, Zones
from geodata.network import build_network
from geodata.roads import Floats, Roads, great_circle_m
from geodata.standards import Mode, Speeds, default_speeds
from geodata.tables.load import read_points
from geodata.ways.files import read_roads_of
from scenarios.output.speed_words import no_traffic, unmatched_said
from scenarios.output.writers import write_files

Say = Callable[[str, str], None]


class Traffic(NamedTuple):
    """Speeds, and the hour of the day whose factors hold; None is free flow."""

    speeds: Speeds
    hour: int | None = None


@dataclass(frozen=True, eq=False)
class ODTable:
    """The table, and the points that could not be brought onto the network.

    Attributes
    ----------
    pairs : DataFrame
        from_id, to_id, minutes, metres: of the same chosen way; unreachable pairs have no row.
    off_network : DataFrame
        side ("from" or "to"), id, road_m: distance to the nearest permitted road.
    """

    pairs: pd.DataFrame
    off_network: pd.DataFrame


def od_table(
    roads_file: Path,
    from_file: Path,
    to_file: Path,
    *,
    mode: Mode,
    weight: Weight = "time",
    limit_minutes: float | None = None,
    max_snap_m: float = MAX_SNAP_M,
    access_leg: bool = True,
    traffic: Traffic | None = None,
    say: Say = lambda _zh, _en: None,
) -> ODTable:
    """Read roads (a road file, or a TOML file with [roads]) and points, and find the best way between every pair.

    Travelled at the default speeds in free flow, unless `traffic` says otherwise.

    Raises
    ------
    InputError
        A file is wrong, or a point lies outside the roads' bounding box by more than `max_snap_m`.
    OptionError
        `limit_minutes` or `max_snap_m` is not above 0, or the hour is none of the day.
    """
    speeds, hour = traffic or Traffic(default_speeds())
    if hour is not None and hour not in range(24):
        raise OptionError(bad_hour(hour))
    wrong = [
        name for name, value in (("--limit-minutes", limit_minutes), ("--max-snap", max_snap_m)) if value is not None and not value > 0
    ]
    if wrong:
        raise OptionError(Problem(f"{'、'.join(wrong)} 须大于 0。", f"{', '.join(wrong)} must be more than 0."))
    say(f"正在读取路网 {roads_file.name} ……", f"Reading roads from {roads_file.name} …")
    roads = read_roads_of(roads_file)
    for note in roads.notes:
        say(*note.split(" · ", 1))
    _tell_traffic(roads, mode, Traffic(speeds, hour), say)
    origins, destinations = read_points(from_file), read_points(to_file)
    problems = [*_outside(roads, origins, from_file.name, max_snap_m), *_outside(roads, destinations, to_file.name, max_snap_m)]
    if problems:
        raise InputError(*dict.fromkeys(problems))
    for points, file in ((origins, from_file), (destinations, to_file)):
        _weigh_datum(roads, points, file.name, say)
    crs = str(gpd.GeoSeries(shapely.box(*roads.bounds), crs=4326).estimate_utm_crs())
    network = build_network(roads, mode, speeds, crs, hour=hour)
    say(f"正在计算 {len(origins)} × {len(destinations)} 个点对 ……", f"Searching {len(origins)} × {len(destinations)} pairs …")
    limit_ms = np.inf if limit_minutes is None else float(np.rint(limit_minutes * MS_PER_MINUTE))
    found = od_matrix(
        network, _lonlat(origins), _lonlat(destinations), weight=weight, limit_ms=limit_ms, max_snap_m=max_snap_m, access_leg=access_leg
    )
    return ODTable(_pairs(found, origins, destinations), _off(found, origins, destinations))


def _tell_traffic(roads: Roads, mode: Mode, traffic: Traffic, say: Say) -> None:
    """Tell of an hour of which nothing is known, and of speeds that are not used."""
    speeds, hour = traffic
    unknown = no_traffic(mode, hour) if hour is not None and hour not in speeds.of(mode).hours else None
    for words in (unknown, unmatched_said(roads, speeds, [mode])):
        if words:
            say(*words)


def _weigh_datum(roads: Roads, points: gpd.GeoDataFrame, name: str, say: Say) -> None:
    """Say it where points taken as WGS84 lie clearly better in another datum."""
    crs = str(gpd.GeoSeries(shapely.box(*roads.bounds), crs=4326).estimate_utm_crs())
    nowhere = np.full(len(points), OUTSIDE, dtype=np.int64)
    weighed = datum_evidence(_lonlat(points), roads, crs, Zones.none(), nowhere)
    if weighed.verdict in {"other", "mixed"}:
        zh, en = weighed.text
        say(
            f"注意 {name}：点按 WGS84 读取，但{zh}。请先换算成 WGS84",
            f"Mind {name}: its points are read as WGS84, but {en}: convert them",
        )


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as csv or parquet, by the ending; whole or not at all.

    Raises
    ------
    OptionError
        Another ending.
    OutputError
        It cannot be written.
    """
    check_ending(path)
    if path.suffix.lower() == ".csv":
        write_files(path.parent, {path.name: lambda draft: table.to_csv(draft, index=False, lineterminator="\n")})
    else:
        write_files(path.parent, {path.name: lambda draft: table.to_parquet(draft, index=False)})


def check_ending(path: Path) -> None:
    """Refuse an output that is neither csv nor parquet, before any work is done."""
    if path.suffix.lower() not in {".csv", ".parquet"}:
        raise OptionError(
            Problem(f"--out {path.name}：扩展名应为 .csv 或 .parquet。", f"--out {path.name}: it must end in .csv or .parquet.")
        )


def _lonlat(points: gpd.GeoDataFrame) -> Floats:
    return np.asarray(shapely.get_coordinates(points.geometry))


def _outside(roads: Roads, points: gpd.GeoDataFrame, file_name: str, max_snap_m: float) -> list[Problem]:
    """Points outside the bounding box of the roads by more than the snapping distance."""
    lonlat = _lonlat(points)
    west, south, east, north = roads.bounds
    beyond = great_circle_m(lonlat, np.clip(lonlat, [west, south], [east, north])) > max_snap_m
    if not beyond.any():
        return []
    named = first_few(f"{one} ({lon}, {lat})" for one, (lon, lat) in zip(points["id"][beyond], lonlat[beyond].tolist(), strict=True))
    box = f"{west:.4f}, {south:.4f}, {east:.4f}, {north:.4f}"
    return [
        Problem(
            f"{file_name}：这些点在路网范围（{box}）之外：{named}。请检查坐标（是否互换了经纬度）或换一份路网。",
            f"{file_name}: points outside the extent of the roads ({box}): {named}. "
            "Are lon and lat swapped, or are these another place's roads?",
        )
    ]


def _pairs(found: ODMatrix, origins: gpd.GeoDataFrame, destinations: gpd.GeoDataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "from_id": origins["id"].to_numpy()[found.origin],
            "to_id": destinations["id"].to_numpy()[found.destination],
            "minutes": np.round(found.ms / MS_PER_MINUTE, 6),
            "metres": found.mm / 1000,
        }
    )


def _off(found: ODMatrix, origins: gpd.GeoDataFrame, destinations: gpd.GeoDataFrame) -> pd.DataFrame:
    sides = [("from", origins, found.off_origin_m), ("to", destinations, found.off_destination_m)]
    rows = [(side, points["id"].iloc[at], road_m[at]) for side, points, road_m in sides for at in np.flatnonzero(~np.isnan(road_m))]
    return pd.DataFrame(rows, columns=["side", "id", "road_m"])
