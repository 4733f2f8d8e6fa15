"""Roads as a scenario changes them, and the networks on them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from coverage.cuts import cut
from geodata.hours import FREE
from geodata.network import NEVER, Network, build_network
from geodata.region import Prepared
from geodata.roads import MOTORWAYS, Bools, Ints, Roads, forward_bit
from geodata.standards import Mode, Speeds
from geodata.turns import Turns, expand, forbidden_runs
from geodata.ways.added import with_parts

ROAD_COLUMNS = ["change", "id", "name", "highway", "km", "kmh", "geometry"]


@dataclass(frozen=True, eq=False)
class RoadWorks:
    """What a scenario does to the roads.

    Attributes
    ----------
    roads : Roads
        First the roads as they are, then parts of pieces that new roads join, then the new roads; closed ones among them.
    whole : (pieces,) int64
        The piece that a part is part of; -1 for the others.
    line : (pieces,) int64
        Position in `new` of the road that a piece belongs to; -1 for the others.
    closed : (pieces,) bool
    new : tuple of str
        Ids of the roads that the scenario adds.
    kmh : tuple of (int, float)
        Way ids, and the driving speed set on each.
    networks : dict
        Those built so far.
    """

    roads: Roads
    whole: Ints
    line: Ints
    closed: Bools
    new: tuple[str, ...]
    kmh: tuple[tuple[int, float], ...]
    networks: dict[tuple[Mode, int | None, str, str, Network | None], Network] = field(default_factory=dict)

    @cached_property
    def added(self) -> Bools:
        """Which pieces were not there: parts and new roads."""
        return np.asarray((self.whole >= 0) | (self.line >= 0))

    def table(self, mode: Mode) -> gpd.GeoDataFrame:
        """List the roads of a mode that change: one row a way and change, closed ones first.

        Returns
        -------
        GeoDataFrame, WGS84
            change ("closed", "added" or "speed"), id (way id, or the scenario's own), name, highway, km, kmh (stated by the scenario; nan
            if none is), geometry.
        """
        roads, set_kmh = self.roads, dict(self.kmh)
        kmh = np.array([set_kmh.get(way, np.nan) for way in roads.way_id.tolist()]) if set_kmh else np.full(len(roads), np.nan)
        here_before = (self.line < 0) & ~self.closed
        said = {"closed": self.closed, "added": (self.line >= 0) & ~self.closed, "speed": here_before & ~np.isnan(kmh) & (mode == "drive")}
        kmh = np.where(self.closed, np.nan, np.where((self.line >= 0) & np.isnan(kmh), roads.maxspeed_kmh[:, 0], kmh))
        here = self.pieces(mode)
        here = here[self.whole[here] < 0]
        lines, found = roads.lines(), []
        for change, which in said.items():
            mine = here[which[here]]
            for way in np.unique(roads.way_id[mine]).tolist():
                own = mine[roads.way_id[mine] == way]
                one, line = int(own[0]), int(self.line[own[0]])
                labels = (change, self.new[line] if line >= 0 else str(way), roads.road_names[roads.name[one]])
                shape = shapely.line_merge(shapely.multilinestrings(lines[own]))
                found.append((*labels, roads.class_names[roads.road_class[one]], roads.length_mm[own].sum() / 1e6, kmh[one], shape))
        return gpd.GeoDataFrame(pd.DataFrame(found, columns=ROAD_COLUMNS), geometry="geometry", crs="EPSG:4326")

    def pieces(self, mode: Mode) -> Ints:
        """Which of the pieces a network of a mode has, in its order."""
        bit = forward_bit(mode)
        return np.flatnonzero(self.roads.permit & (bit | bit << 1))

    def speeds(self, speeds: Speeds) -> Speeds:
        """The speeds, with those that the scenario sets in place of what was measured, tagged or assumed for these ways, at every hour."""
        if not self.kmh:
            return speeds
        ways = speeds.drive.ways | {way: {FREE: kmh} for way, kmh in self.kmh}
        return speeds.model_copy(update={"drive": speeds.drive.model_copy(update={"ways": ways})})

    def touch(self, mode: Mode) -> bool:
        """Whether anything changes for a mode."""
        faster_or_slower = np.isin(self.roads.way_id, [way for way, _ in self.kmh]) & (mode == "drive")
        return bool((self.added | self.closed | faster_or_slower)[self.pieces(mode)].any())


def works_network(works: RoadWorks, today: Prepared, prepared: Prepared, mode: Mode, hour: int | None) -> Network:
    """Build the network of a mode on changed roads: its first pieces are those of the network of today, the closed ones among them.

    Parameters
    ----------
    works : RoadWorks
    today : Prepared
        The roads as they are.
    prepared : Prepared
        With the speeds as they are to be.
    mode : "walk", "bike" or "drive"
    hour : int or None
        Hour of the day whose traffic holds.
    """
    earlier = None if today.build is None else today.network(mode, hour)  # of an earlier scenario
    key = mode, hour, prepared.region.crs, prepared.speeds.model_dump_json(), earlier
    if key not in works.networks:
        if works.added.any():
            network = _with_new_roads(works, mode, prepared.speeds, prepared.region.crs, hour)
        elif prepared.speeds == today.speeds:
            network = today.network(mode, hour)
        else:
            network = build_network(works.roads, mode, prepared.speeds, prepared.region.crs, hour=hour)
        closed = works.closed[works.pieces(mode)]
        if earlier is not None:  # what it closed stays closed
            closed[: len(earlier)] |= (earlier.forward_ms == NEVER) & (earlier.backward_ms == NEVER)
        works.networks[key] = cut(network, closed) if closed.any() else network
    return works.networks[key]


def _with_new_roads(works: RoadWorks, mode: Mode, speeds: Speeds, crs: str, hour: int | None) -> Network:
    """The network with parts and new roads: the turns of a piece are forbidden to its parts too, and a new motorway fences nobody in."""
    network = build_network(replace(works.roads, turns=Turns.none()), mode, speeds, crs, hour=hour)
    used = works.pieces(mode)
    whole, count = works.whole[used], int((~works.added[used]).sum())
    open_ = [ms != NEVER for ms in (network.forward_ms, network.backward_ms)]
    if mode == "drive" and len(works.roads.turns):
        runs = forbidden_runs(works.roads.take(used[:count]), works.roads.turns, *(side[:count] for side in open_))
        of_roads = np.full(len(works.roads), -1)
        of_roads[used] = np.arange(len(used))
        parts = defaultdict(list)
        for part in np.flatnonzero(whole >= 0).tolist():
            parts[int(of_roads[whole[part]])].append(part)
        links = expand(network.start, network.end, open_[0], open_[1], *with_parts(*runs, parts))
        named = {name: getattr(links, name) for name in ("tail", "head", "run", "copy_of", "entered")}
        network = replace(network, node_count=len(links.copy_of), **named)
    is_motorway = np.array([name in MOTORWAYS for name in works.roads.class_names])[works.roads.road_class]
    fenced = len(network.obstacles) - int((is_motorway & works.added).sum())
    return replace(network, added=works.added[used], obstacles=network.obstacles[:fenced])
