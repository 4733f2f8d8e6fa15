"""What one mode cannot use: people and facilities off the network or far from it, parts that nothing joins, one-way traps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from coverage.snap import ACCESS_RADIUS_M, MAX_SNAP_M, WaysOn, snap_demand, snap_facilities
from geodata.errors import first_few
from geodata.model import OUTSIDE, Demand, Facilities, Region
from geodata.network import Network
from geodata.region import Prepared
from geodata.roads import Bools, Floats, Geometries, Ints, forward_bit
from geodata.standards import Mode
from scenarios.audit.finding import Finding, Marks, at_demand, at_facilities, found, label, marks
from scenarios.audit.roads import pieces_inside, road_label
from scenarios.audit.words import Severity
from scenarios.output.report import people as people_text

ISLAND_KM = 0.5  # nobody misses a shorter part on which nobody lives


@dataclass(frozen=True, eq=False)
class _View:
    """A region through one mode: its network, everybody's ways on, the position of each piece in Roads."""

    region: Region
    mode: Mode
    network: Network
    homes: WaysOn
    gates: WaysOn
    piece: Ints
    inside: Bools


def mode_findings(prepared: Prepared, mode: Mode) -> list[Finding]:
    """Find everything about one mode; only that there is no road, where there is none."""
    region = prepared.region
    bit = forward_bit(mode)
    used = np.flatnonzero(region.roads.permit & (bit | bit << 1))
    if len(used) == 0:
        return [found("no_roads", 1, mode=mode)]
    network = prepared.network(mode)
    view = _View(
        region=region,
        mode=mode,
        network=network,
        homes=snap_demand(network, region.demand),
        gates=snap_facilities(network, region.facilities),
        piece=used,
        inside=pieces_inside(region)[used],
    )
    return [*_access(view), *_islands(view), *(_traps(view) if mode == "drive" else [])]


def _access(view: _View) -> list[Finding]:
    """Demand and facilities off the network, or far from it."""
    region, homes, mode = view.region, view.homes, view.mode
    inside = region.demand.inside
    far = ~homes.off_network & (homes.road_m > ACCESS_RADIUS_M)
    return [
        at_demand("off_network", region, homes.off_network & inside, mode=mode, most=MAX_SNAP_M),
        at_demand("far_from_road", region, far & inside, mode=mode, near=ACCESS_RADIUS_M),
        at_facilities("facility_off_network", region.facilities, view.gates.off_network & ~region.facilities.restricted, mode=mode),
    ]


def _islands(view: _View) -> list[Finding]:
    """Parts that no road joins to the largest one (directions ignored), with the people and facilities on them."""
    network, region = view.network, view.region
    part = connected_components(_graph(network, network.start, network.end), directed=False)[1][network.start]
    main = part == np.bincount(part).argmax()
    lost, stuck = (~_any_way(ways, main) & ~ways.off_network for ways in (view.homes, view.gates))
    lost &= region.demand.inside
    return [
        at_demand("disconnected", region, lost, mode=view.mode),
        at_facilities("facility_disconnected", region.facilities, stuck & ~region.facilities.restricted, mode=view.mode),
        _parts(view, part, ~main & view.inside, lost),
    ]


def _graph(network: Network, start: Ints, end: Ints) -> csr_array:
    """Links as a graph of as many nodes as the network has, and one more: the world outside."""
    size = network.node_count + 1
    return csr_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(size, size))


def _any_way(ways: WaysOn, good: Bools) -> Bools:
    """Which places have a way onto a good piece."""
    return np.asarray(np.bincount(ways.place[good[ways.piece]], minlength=ways.count) > 0)


def _parts(view: _View, part: Ints, apart: Bools, lost: Bools) -> Finding:
    """Each part in the county that nothing joins: kilometres, people, township, as one shape."""
    zones, homes = view.region.zones, view.homes
    people, km = np.zeros(part.max() + 1), np.bincount(part, weights=view.network.length_mm / 1e6)
    way = np.flatnonzero(lost[homes.place])
    place, first = np.unique(homes.place[way], return_index=True)  # everybody on one part, the first of several
    np.add.at(people, part[homes.piece[way[first]]], view.region.demand.people[place])
    every, piece = np.unique(np.where(apart, part, -1), return_index=True)
    every, piece = every[every >= 0], piece[every >= 0]
    told = (people[every] > 0) | (km[every] >= ISLAND_KM)
    which, piece = every[told], piece[told]
    order = np.lexsort((which, -km[which], -people[which]))
    which, piece = which[order], piece[order]
    in_zone = zones.locate(_starts(view, piece))
    names = [f"{zones.name[zone] if zone != OUTSIDE else '–'} {km[one]:.1f} km" for zone, one in zip(in_zone, which, strict=True)]
    where = marks(names, _shapes(view, part, which), people[which])
    small = f" (+ {len(every) - len(which)} < {ISLAND_KM:g} km)" if len(every) > len(which) else ""
    named = first_few(_said(name, count) for name, count in zip(names, people[which], strict=True))
    said = f"{km[which].sum():,.1f} km{small}: {named}"
    return found("islands", len(which), people=math.fsum(where.people), where=where, mode=view.mode, first=said, least=ISLAND_KM)


def _starts(view: _View, pieces: Ints) -> Floats:
    """Where these pieces of the network start, in degrees."""
    roads = view.region.roads
    return np.asarray(roads.lonlat[roads.first_vertex[view.piece[pieces]]])


def _shapes(view: _View, part: Ints, which: Ints) -> Geometries:
    """All pieces of each of these parts as one shape."""
    rank = np.full(part.max() + 1, -1)
    rank[which] = np.arange(len(which))
    pieces = np.flatnonzero(rank[part] >= 0)
    pieces = pieces[np.argsort(rank[part[pieces]], kind="stable")]
    lines = view.region.roads.take(view.piece[pieces]).lines() if len(pieces) else np.zeros(0, dtype=object)
    return np.asarray(shapely.multilinestrings(lines, indices=rank[part[pieces]]))


def _traps(view: _View) -> list[Finding]:
    """Pieces and places that the directions let nobody leave, or reach, though they are joined to the main part.

    A dead end outside the county leads on beyond the file: all of those are joined with the world outside.
    """
    network = view.network
    forth, back = network.forward_ms >= 0, network.backward_ms >= 0
    world = _leads_on(view)
    outer = np.full(len(world), network.node_count)
    start = np.concatenate([network.start[forth], network.end[back], world, outer])
    end = np.concatenate([network.end[forth], network.start[back], outer, world])
    graph = _graph(network, start, end)
    reached, leaves = _both_ways(graph, network)
    part = connected_components(graph, directed=False)[1]
    joined = part[network.start] == part[np.flatnonzero(reached & leaves)[0]]
    can_reach = (forth & reached[network.start]) | (back & reached[network.end])
    can_leave = (forth & leaves[network.end]) | (back & leaves[network.start])
    return [_trap(view, code, joined, good) for code, good in (("one_way_in", can_leave), ("one_way_out", can_reach))]


def _leads_on(view: _View) -> Ints:
    """Dead ends outside every township."""
    network = view.network
    ends = np.concatenate([network.start, network.end])
    dead = np.bincount(ends, minlength=network.node_count) == 1
    lines = view.region.roads.take(view.piece).lines()
    corner = shapely.get_coordinates(np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)]))
    mine = np.flatnonzero(dead[ends])
    return np.asarray(ends[mine[view.region.zones.locate(corner[mine]) == OUTSIDE]])


def _both_ways(graph: csr_array, network: Network) -> tuple[Bools, Bools]:
    """Which nodes the main part (the largest in which every node reaches every other) leads to, and which lead to it."""
    strong = connected_components(graph, directed=True, connection="strong")[1]
    ends = np.concatenate([network.start, network.end])
    main = int(np.flatnonzero(strong == np.bincount(strong[ends]).argmax())[0])
    reached, leaves = np.zeros((2, graph.shape[0]), dtype=bool)
    reached[breadth_first_order(graph, main, directed=True, return_predecessors=False)] = True
    leaves[breadth_first_order(graph.T.tocsr(), main, directed=True, return_predecessors=False)] = True
    return reached, leaves


def _trap(view: _View, code: str, joined: Bools, good: Bools) -> Finding:
    """People and facilities none of whose ways on is good, and the pieces; a note where nobody is touched."""
    region = view.region
    demand, places = region.demand, region.facilities
    homes = _any_way(view.homes, joined) & ~_any_way(view.homes, good) & demand.inside
    gates = np.flatnonzero(_any_way(view.gates, joined) & ~_any_way(view.gates, good) & ~places.restricted)
    pieces = view.piece[joined & ~good & view.inside]
    named = _people_and_places(demand, homes, places, gates)
    roads = [road_label(region.roads, at) for at in pieces]
    where = named.joined(marks(roads, region.roads.take(pieces).lines()))
    first = first_few([*(_said(name, count) for name, count in zip(named.name, named.people, strict=True)), *dict.fromkeys(roads)])
    people = math.fsum(named.people)
    severity: Severity = "warning" if len(named) else "note"
    return found(code, max(len(pieces), len(named)), people=people, first=first, where=where, mode=view.mode, severity=severity)


def _people_and_places(demand: Demand, homes: Bools, places: Facilities, gates: Ints) -> Marks:
    order = np.flatnonzero(homes)[np.argsort(-demand.people[homes], kind="stable")]
    living = marks([demand.name[at] for at in order], shapely.points(demand.lonlat[order]), demand.people[order])
    return living.joined(marks([label(places, at) for at in gates], places.geometry[gates]))


def _said(name: str, people: float) -> str:
    return f"{name} ({people_text(people)})" if people else name
