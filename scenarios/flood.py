"""Roads cut by a flood or a closure: who loses a service, who is cut off altogether, and which bridge matters most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from coverage.cuts import cut, touching
from coverage.routes import network_pieces
from coverage.search import start_delay_ms
from coverage.serving import MS_PER_MINUTE
from coverage.snap import WaysOn, snap_facilities
from coverage.stats import CoverageResult, coverage, zone_table
from coverage.studies.bridges import Bridges, bridge_losses, bridges_of
from coverage.tables import place_columns
from coverage.travel_times import nearest_facility
from geodata.errors import InputError, OptionError, Problem, first_few
from geodata.model import OUTSIDE, Facilities, Region
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Ints, Roads
from geodata.standards import ServiceDefinition

FLOODED, CUT_OFF, LOST = "flooded", "cut_off", "lost"
NO_ACCESS = "no_access"


@dataclass(frozen=True, eq=False)
class Flood:
    """What cut roads cost under one definition.

    Attributes
    ----------
    definition : ServiceDefinition
    closed : GeoDataFrame
        The ways that are cut: way_id, name, highway, km, geometry (WGS84).
    before, after : CoverageResult
        After: roads cut, flooded facilities gone; who lives in the flood is still counted where they can be reached.
    cut : (pieces of the network,) bool
    flooded : (points,) bool
        Demand points in the flood.
    by_zone : DataFrame
        row, zone_id, zone, people as in ``coverage.stats.zone_table``; covered_people, share_people, both ``_without_external``, each
        ``_before`` and ``_after``; then people who lose it (lost_people, ``_low`` and ``_high`` over the spreads, ``_without_external``),
        of them those whose homes are flooded (flooded_lost_people); all people in the flood (flooded_people), and those who are dry but cut
        off from every facility that they could reach before (cut_off_people).
    places : DataFrame
        Demand points inside that are flooded, cut off, or lose the service, most people first: id, name, zone_id, zone, class, people,
        state (the first of these that holds), covered_before, minutes_before, minutes_after (to the nearest facility that may be shown;
        nan for none), lon, lat.
    facilities : DataFrame
        Facilities of the definition that stand in the flood ("flooded") or whose roads are all cut ("no_access"): id, name, kind, external,
        state, people (within its limits before), lon, lat.
    """

    definition: ServiceDefinition
    closed: gpd.GeoDataFrame
    before: CoverageResult
    after: CoverageResult
    cut: Bools
    flooded: Bools
    by_zone: pd.DataFrame
    places: pd.DataFrame
    facilities: pd.DataFrame


@dataclass(frozen=True, eq=False)
class BridgeStudy:
    """Which bridge matters most under one definition.

    Attributes
    ----------
    definition : ServiceDefinition
    before : CoverageResult
        With all these bridges.
    after_cut : bool
        The bridges are ranked on roads of which some are cut already, and those are not among them.
    tagged : bool
        Bridges by their tag; False: there is none in the roads, pieces over mapped water stand in.
    table : GeoDataFrame
        One row a bridge, the worst loss first (lost people, then people cut off, then person-minutes, then way id): way_id, way_ids (all
        of it, in a row), name, highway, over_water (crosses mapped water), m, and the columns of ``coverage.studies.bridges.bridge_losses``
        (worst: the name of the place), geometry.
    """

    definition: ServiceDefinition
    before: CoverageResult
    after_cut: bool
    tagged: bool
    table: gpd.GeoDataFrame


def read_ways(text: str) -> tuple[int, ...]:
    """Read way ids as they are written on the command line.

    >>> read_ways("500123, 500124")
    (500123, 500124)
    """
    try:
        return tuple(int(one) for one in text.split(",") if one.strip())
    except ValueError as error:
        zh, en = f"--ways 应为 OSM 道路编号，以逗号分隔（给出 {text}）。", f"--ways are OSM way ids, separated by commas (given: {text})."
        raise OptionError(Problem(zh, en)) from error


def read_area(path: Path) -> shapely.Geometry:
    """Read the polygons of a vector file as one area, WGS84.

    Raises
    ------
    InputError
        It cannot be read, holds anything but polygons, or says nothing of its coordinate system.
    """
    if not path.is_file():
        raise InputError(Problem(f"找不到文件 {path}。", f"There is no file {path}."))
    try:
        frame = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError(
            Problem(f"{path.name}：无法作为矢量文件读取（{error}）。", f"{path.name}: cannot be read as a vector file ({error}).")
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame) or frame.empty or not frame.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputError(Problem(f"{path.name}：应为面。", f"{path.name}: it must hold polygons."))
    if frame.crs is None:
        raise InputError(Problem(f"{path.name}：没有坐标系，请先定义。", f"{path.name}: it has no CRS; define one first."))
    shapes = shapely.force_2d(np.array(frame.to_crs("EPSG:4326").geometry))
    return shapely.union_all(shapely.make_valid(shapes, method="structure", keep_collapsed=False))


def flood(prepared: Prepared, definition: ServiceDefinition, *, ways: Sequence[int] = (), area: shapely.Geometry | None = None) -> Flood:
    """Cut roads, and tell what that costs.

    Every piece of road that touches the area is cut, and nobody steps onto a farther road instead. A facility all of whose entrances stand
    in the area serves nobody; people whose homes do are served by nobody.

    Parameters
    ----------
    prepared : Prepared
    definition : ServiceDefinition
    ways : sequence of int
        OSM way ids.
    area : Polygon or MultiPolygon, WGS84, optional

    Raises
    ------
    OptionError
        A way that is not there, or an area that touches no road, no home and no facility.
    """
    region, network = prepared.region, prepared.network_of(definition)
    closed = _closed(region.roads, ways, area)
    flooded = _in_area(region.demand.lonlat, area)
    drowned = _drowned(region.facilities, area)
    if not (closed.any() or flooded.any() or drowned.any()):
        zh, en = "淹没范围内没有道路、村居和机构，请检查坐标。", "The area holds no road, home or facility: check its coordinates."
        raise OptionError(Problem(zh, en))
    before = coverage(region, definition, network)
    dry = replace(region, facilities=region.facilities.take(np.flatnonzero(~drowned)))
    on_network = closed[network_pieces(region.roads, network)]
    after = coverage(dry, definition, cut(network, on_network), before=before)
    reached = [_minutes(result, region.demand.inside, shown=False) for result in (before, after)]
    cut_off = np.isfinite(reached[0]) & ~np.isfinite(reached[1]) & ~flooded
    return Flood(
        definition=definition,
        closed=_ways(region.roads, np.flatnonzero(closed)),
        before=before,
        after=after,
        cut=on_network,
        flooded=flooded,
        by_zone=_by_zone(region, before, after, flooded, cut_off),
        places=_places(region, before, after, flooded, cut_off),
        facilities=_facilities(region, before, on_network, area),
    )


def bridge_study(prepared: Prepared, definition: ServiceDefinition, *, after: Flood | None = None) -> BridgeStudy:
    """Cut each bridge alone, and rank the bridges by what that costs.

    Parameters
    ----------
    prepared : Prepared
    definition : ServiceDefinition
    after : Flood, optional
        Of the same region and definition: its roads are cut and its facilities gone before any bridge is; people in it are served by
        nobody, and can lose nothing more. Bridges that it cuts, be it in part, are not ranked.

    Raises
    ------
    OptionError
        There is neither a bridge nor a road over mapped water, or all of them are cut already.
    """
    region, network = prepared.region, prepared.network_of(definition)
    pieces = network_pieces(region.roads, network)
    bridges = bridges_of(region.roads.take(pieces))
    if len(bridges) == 0:
        zh, en = "路网中没有桥（bridge），也没有跨水面的道路。", "The roads have neither bridges nor pieces over mapped water."
        raise OptionError(Problem(zh, en))
    if after is None:
        before, demand = coverage(region, definition, network), region.demand
    else:
        before, demand = after.after, replace(region.demand, zone=np.where(after.flooded, OUTSIDE, region.demand.zone))
        bridges = bridges.without(after.cut)
        if len(bridges) == 0:
            zh, en = (
                "所有的桥都已在断路之中，没有可排序的桥：请去掉 --bridges。",
                "All bridges are among the cut roads: leave out --bridges.",
            )
            raise OptionError(Problem(zh, en))
    losses = bridge_losses(demand, before, snap_facilities(before.network, before.facilities), bridges.group)
    return BridgeStudy(definition, before, after is not None, bridges.tagged, _ranked(region, bridges, pieces, losses))


def _closed(roads: Roads, ways: Sequence[int], area: shapely.Geometry | None) -> Bools:
    unknown = first_few(np.setdiff1d(np.array(ways, dtype=np.int64), roads.way_id).tolist())
    if unknown:
        raise OptionError(Problem(f"没有编号为 {unknown} 的道路（OSM way id）。", f"There is no road with the way id {unknown}."))
    closed = np.isin(roads.way_id, np.array(ways, dtype=np.int64))
    return closed if area is None else closed | touching(roads, area)


def _in_area(lonlat: Floats, area: shapely.Geometry | None) -> Bools:
    return np.zeros(len(lonlat), dtype=bool) if area is None else np.asarray(shapely.intersects(area, shapely.points(lonlat)))


def _drowned(facilities: Facilities, area: shapely.Geometry | None) -> Bools:
    """Facilities all of whose entrances stand in the area."""
    dry = ~_in_area(facilities.entrance, area)
    owner = np.repeat(np.arange(len(facilities)), np.diff(facilities.first_entrance))
    return np.asarray(np.bincount(owner, dry, minlength=len(facilities)) == 0)


def _minutes(result: CoverageResult, inside: Bools, *, shown: bool) -> Floats:
    """To the nearest facility, or the nearest that may be shown; inf where there is no way."""
    which = np.flatnonzero(~result.facilities.restricted) if shown else np.arange(len(result.facilities))
    places, homes = result.facilities.take(which), np.flatnonzero(inside)
    delay_ms, ways = start_delay_ms(result.definition, places), snap_facilities(result.network, places)
    found = nearest_facility(result.network, ways, result.demand_ways.take(homes), direction=result.definition.direction, delay_ms=delay_ms)
    minutes = np.full(len(inside), np.inf)
    minutes[homes] = found[1] / MS_PER_MINUTE
    return minutes


def _by_zone(region: Region, before: CoverageResult, after: CoverageResult, flooded: Bools, cut_off: Bools) -> pd.DataFrame:
    zones, demand, share = region.zones, region.demand, before.definition.settlement_share
    still, still_inside = after.covered & ~flooded, after.covered_without_external & ~flooded
    table = before.by_zone[["row", "zone_id", "zone", "people"]].copy()
    sides = {"before": before.by_zone, "after": zone_table(zones, demand, still, still_inside, share)}
    for name in ("covered_people", "share_people", "covered_people_without_external", "share_people_without_external"):
        for side, found in sides.items():
            table[f"{name}_{side}"] = found[name]
    lost = zone_table(zones, demand, before.covered & ~still, before.covered_without_external & ~still_inside, share)
    for name in ("", "_low", "_high", "_without_external"):
        table[f"lost_people{name}"] = lost[f"covered_people{name}"]
    for name, which in (("flooded_lost", flooded & before.covered), ("flooded", flooded), ("cut_off", cut_off)):
        table[f"{name}_people"] = zone_table(zones, demand, which, which, share)["covered_people"]
    return table


def _places(region: Region, before: CoverageResult, after: CoverageResult, flooded: Bools, cut_off: Bools) -> pd.DataFrame:
    demand = region.demand
    lost = before.covered & ~after.covered
    state = np.select([flooded, cut_off, lost], [FLOODED, CUT_OFF, LOST], "")
    at = np.flatnonzero(demand.inside & (state != ""))
    at = at[np.lexsort((np.array(demand.id, dtype=str)[at], -demand.people[at]))]
    minutes = [_minutes(result, demand.inside, shown=True)[at] for result in (before, after)]
    columns = {
        **place_columns(region.zones, demand, at),
        "state": state[at],
        "covered_before": before.covered[at],
        "minutes_before": np.where(np.isfinite(minutes[0]), minutes[0], np.nan),
        "minutes_after": np.where(np.isfinite(minutes[1]) & ~flooded[at], minutes[1], np.nan),
        "lon": demand.lonlat[at, 0],
        "lat": demand.lonlat[at, 1],
    }
    return pd.DataFrame(columns)


def _facilities(region: Region, before: CoverageResult, closed: Bools, area: shapely.Geometry | None) -> pd.DataFrame:
    places, ways = before.facilities, snap_facilities(before.network, before.facilities)
    drowned, stranded = _drowned(places, area), _stranded(ways, closed)
    at = np.flatnonzero((drowned | stranded) & ~places.restricted)
    at = at[np.argsort(np.array(places.id, dtype=str)[at], kind="stable")]
    people = (region.demand.people * region.demand.inside) @ before.covers
    columns = {
        "id": np.array(places.id, dtype=object)[at],
        "name": np.array(places.name, dtype=object)[at],
        "kind": np.array(places.kind, dtype=object)[at],
        "external": places.external[at],
        "state": np.where(drowned[at], FLOODED, NO_ACCESS),
        "people": np.asarray(people)[at],
        "lon": places.entrance[places.first_entrance[at], 0],
        "lat": places.entrance[places.first_entrance[at], 1],
    }
    return pd.DataFrame(columns)


def _stranded(ways: WaysOn, closed: Bools) -> Bools:
    """Places that had a way onto the network and have none now."""
    open_ = np.bincount(ways.place, ~closed[ways.piece], minlength=ways.count)
    return np.asarray(~ways.off_network & (open_ == 0))


def _ways(roads: Roads, pieces: Ints) -> gpd.GeoDataFrame:
    """Some pieces, a row a way."""
    frame = roads.take(pieces).to_geodataframe()
    joined = frame.dissolve("way_id", aggfunc={"name": "first", "highway": "first", "length_m": "sum"}).reset_index()
    joined["km"] = joined.pop("length_m") / 1000
    return joined[["way_id", "name", "highway", "km", "geometry"]]


def _ranked(region: Region, bridges: Bridges, pieces: Ints, losses: pd.DataFrame) -> gpd.GeoDataFrame:
    roads, lines, names = region.roads, region.roads.lines(), (*region.demand.name, "")
    wet = set(shapely.STRtree(lines).query(roads.water, predicate="intersects")[1].tolist())
    said = []
    for bridge in range(len(bridges)):
        own = pieces[bridges.group == bridge]
        ways = sorted(set(roads.way_id[own].tolist()))
        named = sorted({roads.road_names[at] for at in roads.name[own].tolist()} - {""})
        said.append(
            {
                "way_id": ways[0],
                "way_ids": " ".join(map(str, ways)),
                "name": "、".join(named),
                "highway": roads.class_names[int(roads.road_class[own[0]])],
                "over_water": not wet.isdisjoint(own.tolist()),
                "m": math.fsum(roads.length_mm[own] / 1000),
                "geometry": shapely.line_merge(shapely.multilinestrings(lines[own])),
            }
        )
    table = pd.concat([pd.DataFrame(said), losses.drop(columns="bridge")], axis=1)
    table["worst"] = [names[at] for at in losses["worst"]]
    order = np.lexsort((table["way_id"], *(-table[name] for name in ("person_minutes", "cut_off_people", "lost_people"))))
    return gpd.GeoDataFrame(table.iloc[order].reset_index(drop=True), geometry="geometry", crs="EPSG:4326")
