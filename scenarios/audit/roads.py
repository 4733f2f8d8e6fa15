"""The roads as a whole: what was read of them, how fast they are taken to be, and where one is probably missing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import shapely

from coverage.snap import projected
from geodata.errors import first_few
from geodata.extent import widened
from geodata.model import OUTSIDE, Region
from geodata.piece_speeds import unmatched
from geodata.region import Prepared
from geodata.roads import MOTORWAYS, Bools, Floats, Roads, forward_bit
from geodata.standards import MODES, Speeds
from scenarios.audit.finding import Finding, at_demand, found, marks, metric
from scenarios.audit.people import by_township

LEAST_MARGIN_KM = 5.0
LONG_PIECE_KM = 5.0
NEAR_M, FAR_M = 500.0, 1000.0
SPEED_GAP = 0.25
LEAST_TAGGED_KM = 5.0  # below, a median says little


def road_findings(prepared: Prepared, classes: pd.DataFrame) -> list[Finding]:
    """What the road file lacks, what was assumed, and how far people are from any road.

    Parameters
    ----------
    prepared : Prepared
    classes : DataFrame
        Of :func:`road_classes`.

    Returns
    -------
    list of Finding
    """
    region = prepared.region
    roads = region.roads
    drive_km, tagged_km = classes["drive_km"].sum(), classes["tagged_km"].sum()
    share = 1 - tagged_km / drive_km if drive_km else 0.0
    ratio = classes["tagged_kmh"] / classes["assumed_kmh"]
    off = classes[(classes["tagged_km"] >= LEAST_TAGGED_KM) & ((ratio - 1).abs() > SPEED_GAP)]
    return [
        found("roads_end_at_border", int(_short_of_the_buffer(region)), km=LEAST_MARGIN_KM),
        found("missing_nodes", roads.missing_nodes),
        found("unread_maxspeed", len(roads.unread_maxspeed), first=first_few(roads.unread_maxspeed)),
        _unused_speeds(prepared),
        found("road_notes", len(roads.notes), first=first_few(roads.notes)),
        _long_pieces(region),
        found("assumed_speeds", int(share > 0), share=share, first=f"{drive_km - tagged_km:,.0f} / {drive_km:,.0f} km"),
        found(
            "speed_gap",
            len(off),
            most=SPEED_GAP,
            first=first_few(
                f"{row.highway} {row.assumed_kmh:g} ↔ {row.tagged_kmh:g} km/h ({row.tagged_km:,.0f} km)" for row in off.itertuples()
            ),
        ),
        *_no_road(region),
    ]


def _unused_speeds(prepared: Prepared) -> Finding:
    """Speeds given for ways, names or classes that the roads do not have."""
    given = [unmatched(prepared.region.roads, prepared.speeds.of(mode)) for mode in MODES]
    missing = list(dict.fromkeys(str(one) for kind in zip(*given, strict=True) for several in kind for one in several))
    return found("unused_speeds", len(missing), first=first_few(missing))


def road_classes(roads: Roads, speeds: Speeds) -> pd.DataFrame:
    """Kilometres by class, and the speed assumed for driving beside the tagged one.

    Returns
    -------
    DataFrame
        highway, km, drive_km (open to cars), tagged_km (those with a maxspeed), assumed_kmh,
        tagged_kmh (median by length; nan if none).
    """
    km = roads.length_mm / 1e6
    bit = forward_bit("drive")
    drive = (roads.permit & (bit | bit << 1)) > 0
    tagged = np.fmax(roads.maxspeed_kmh[:, 0], roads.maxspeed_kmh[:, 1])
    rows = []
    for number, name in enumerate(roads.class_names):
        mine = roads.road_class == number
        read = mine & drive & np.isfinite(tagged)
        rows.append(
            {
                "highway": name,
                "km": km[mine].sum(),
                "drive_km": km[mine & drive].sum(),
                "tagged_km": km[read].sum(),
                "assumed_kmh": speeds.drive.classes.get(name, speeds.drive.kmh),
                "tagged_kmh": _median(tagged[read], km[read]),
            }
        )
    return pd.DataFrame(rows).sort_values(["km", "highway"], ascending=[False, True], ignore_index=True)


def _median(values: Floats, weights: Floats) -> float:
    """The value at which half of the weight is reached; nan of nothing."""
    if len(values) == 0:
        return math.nan
    order = np.argsort(values, kind="stable")
    run = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(run, run[-1] / 2)])


def _short_of_the_buffer(region: Region) -> bool:
    """Tell whether the roads end less than 5 km beyond the county on some side."""
    west, south, east, north = widened(region.zones.bounds, LEAST_MARGIN_KM)
    has = region.roads.bounds
    return has[0] > west or has[1] > south or has[2] < east or has[3] < north


def pieces_inside(region: Region) -> Bools:
    """Which road pieces have their middle vertex in a township."""
    first = region.roads.first_vertex
    return np.asarray(region.zones.locate(region.roads.lonlat[(first[:-1] + first[1:] - 1) // 2]) != OUTSIDE)


def _long_pieces(region: Region) -> Finding:
    """Pieces without a junction for kilometres; a motorway has none between its exits."""
    roads = region.roads
    closed = np.array([name in MOTORWAYS for name in roads.class_names], dtype=bool)[roads.road_class]
    long = np.flatnonzero((roads.length_mm > LONG_PIECE_KM * 1e6) & ~closed)
    long = long[pieces_inside(region)[long]]
    long = long[np.argsort(-roads.length_mm[long], kind="stable")]
    names = [f"{road_label(roads, at)} {roads.length_mm[at] / 1e6:.1f} km" for at in long]
    return found("long_pieces", len(long), where=marks(names, roads.lines()[long]), km=LONG_PIECE_KM)


def road_label(roads: Roads, piece: np.integer[Any]) -> str:
    """A road's name, or else its class, and the number of its way."""
    name = roads.road_names[roads.name[piece]] or roads.class_names[roads.road_class[piece]]
    return f"{name} ({roads.way_id[piece]})"


def _no_road(region: Region) -> list[Finding]:
    """People far from any mapped road, whoever may use it, by township."""
    demand = region.demand
    tree = shapely.STRtree(metric(region.roads.lines(), region.crs))
    peopled = np.flatnonzero(demand.inside & (demand.people > 0))
    road_m = np.zeros(len(demand))
    point, metres = tree.query_nearest(projected(demand.lonlat[peopled], region.crs), all_matches=False, return_distance=True)
    road_m[peopled[point[0]]] = metres
    return [
        _beyond("no_road_500m", region, (road_m > NEAR_M) & (road_m <= FAR_M)),
        _beyond("no_road_1km", region, road_m > FAR_M),
    ]


def _beyond(code: str, region: Region, mask: Bools) -> Finding:
    return at_demand(code, region, mask, first=by_township(region, mask), near=NEAR_M, far=FAR_M)
