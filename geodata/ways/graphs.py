"""networkx in and out: graphs as osmnx makes them (x, y on nodes; geometry, length, highway, oneway, maxspeed, name on edges).

An edge is a permission: vehicles travel it from its first node to its second. Walkers may also go back along a one-way street. The two
edges of a street become one piece. Edges that say for themselves who may travel them (``walk``, ``bike``, ``drive``, as our own graphs do)
are taken at their word, and bring roads, permissions, speeds, barriers, turn restrictions and water back exactly. Lengths are great-circle
lengths along the geometry, as for every other road; the graph's own are compared with them and reported.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyproj
import shapely

from geodata.datum.convert import to_wgs84
from geodata.errors import InputError, Problem, first_few
from geodata.roads import Floats, Geometries, Ints, Roads, blocked_bit, forward_bit
from geodata.standards import MODES
from geodata.turns import Turn, Turns
from geodata.ways.link_words import OSM_CLASSES, whole_numbers
from geodata.ways.osm_tags import enterable, is_bridge, maxspeed_kmh, permissions
from geodata.ways.pieces import Piece, build_roads, merge_twins

Attributes = Mapping[str, Any]

_WGS84 = "EPSG:4326"
_WATER, _TURNS = "circle15_water", "circle15_turns"
# From the fastest to the slowest: of several classes of one edge the slowest counts, as the lowest of several speeds does.
_RANK = ("motorway", "trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "service", "track")
WORTH_A_WORD = 0.01  # of a length, between the published and the drawn one,
WORTH_A_WORD_M = 0.01  # and metres


def read_graphml(path: Path, *, datum: str | None = None) -> Roads:
    """Read a graph that osmnx saved.

    Parameters
    ----------
    path : Path
        .graphml
    datum : str, optional
        What the coordinates are, if not what the graph says.

    Raises
    ------
    InputError
        The file is no GraphML, or not of roads.
    """
    try:
        graph = nx.read_graphml(path, force_multigraph=True)
    except Exception as error:  # a damaged file fails in the parser and in networkx in every way there is
        raise InputError(
            Problem(
                f"{path.name}：无法作为 GraphML 读取（{error}）。请用 osmnx 的 save_graphml 重新保存。",
                f"{path.name}: cannot be read as GraphML ({error}). Save it again by osmnx's save_graphml.",
            )
        ) from error
    return from_networkx(graph, name=path.name, datum=datum)


def from_networkx(graph: nx.Graph, *, name: str = "graph", datum: str | None = None) -> Roads:
    """Take the roads of a graph, as osmnx makes it or reads it from GraphML.

    Parameters
    ----------
    graph : networkx graph of any sort
        Each edge of an undirected graph is travelled both ways.
    name : str
        What messages call it.
    datum : str, optional
        What the coordinates are, if not what ``graph.graph["crs"]`` says; degrees in WGS84 if neither does.

    Raises
    ------
    InputError
        Nodes lack coordinates, a geometry cannot be read, or nobody may travel any edge.
    """
    nodes = list(graph.nodes)
    edges = [(u, v, _plain(data)) for u, v, data in graph.edges(data=True)]
    places = _node_places(graph, nodes, name)
    position = {node: at for at, node in enumerate(nodes)}
    ends = np.array([(position[u], position[v]) for u, v, _ in edges], dtype=np.int64).reshape(-1, 2)
    lines = _in_wgs84(_lines(edges, ends, places, name), datum or graph.graph.get("crs") or _WGS84, name)
    classless = not any(_several(data.get("highway")) for _, _, data in edges)
    pieces = [_piece(data, at, both_ways=not graph.is_directed(), classless=classless) for at, (_, _, data) in enumerate(edges, start=1)]
    said = _on_classes(pieces, name, classless=classless)
    kept = np.array([piece.permit > 0 for piece in pieces], dtype=bool)
    kept &= (ends[:, 0] != ends[:, 1]) | (shapely.length(lines) > 0)
    if not kept.any():
        raise InputError(Problem(f"{name}：图中没有可通行的边。", f"{name}: nobody may travel any edge of the graph."))
    numbers = _numbers(nodes)
    roads = build_roads(lines[kept], numbers[ends[kept]], [piece for piece, keep in zip(pieces, kept, strict=True) if keep])
    notes = _on_lengths(roads, [data for (_, _, data), keep in zip(edges, kept, strict=True) if keep], name)
    unread = {value for _, _, data in edges for value in maxspeed_kmh(_tags(data))[2]}
    roads, _ = merge_twins(roads)
    blocked = {int(number): _blocked(graph.nodes[node]) for number, node in zip(numbers, nodes, strict=True)}
    return replace(
        roads,
        blocked=np.array([blocked[number] for number in roads.node_id.tolist()], dtype=np.uint8),
        water=_water(graph),
        turns=_turns(graph),
        unread_maxspeed=tuple(sorted(unread)),
        notes=said + notes,
    )


def _on_classes(pieces: Sequence[Piece], name: str, *, classless: bool) -> tuple[str, ...]:
    """Say that classes were assumed, or how many edges are no roads."""
    none = sum(not piece.road_class for piece in pieces)
    if classless:
        return (f"{name}：边没有道路等级（highway），都按 unclassified 算 · {name}: no edge has a class (highway): all unclassified",)
    if none:
        return (f"{name}：{none:,} 条边没有 OSM 的道路等级，不是道路，未采用 · {name}: {none:,} edges of no OSM class are no roads",)
    return ()


def to_networkx(roads: Roads) -> nx.MultiDiGraph:
    """Make a graph that osmnx can route on, plot and save, and that :func:`from_networkx` turns back into the same roads.

    There is an edge for each direction that somebody may travel, and ``walk``, ``bike`` and ``drive`` say who. For the routes of a car take
    the edges with ``drive`` and leave out the nodes whose ``blocked`` names it.

    Returns
    -------
    MultiDiGraph
        Nodes by their ids with x, y and, at a barrier, blocked (modes, separated by commas). Edges with osmid, highway, name, oneway,
        reversed, length (metres), geometry, maxspeed (km/h; where tagged), walk, bike, drive, enterable.
    """
    graph = nx.MultiDiGraph(crs=_WGS84.lower(), simplified=True)
    if len(roads.water):
        graph.graph[_WATER] = shapely.to_wkt(shapely.GeometryCollection(list(roads.water)), rounding_precision=-1)
    if len(roads.turns):
        graph.graph[_TURNS] = json.dumps([asdict(row) for row in roads.turns.rows()])
    lines = roads.lines()
    for piece in range(len(roads)):
        for node, at in ((roads.tail[piece], 0), (roads.head[piece], -1)):
            x, y = lines[piece].coords[at]
            blocked = [mode for mode in MODES if roads.blocked[node] & blocked_bit(mode)]
            graph.add_node(int(roads.node_id[node]), x=x, y=y, **({"blocked": ",".join(blocked)} if blocked else {}))
    for piece in range(len(roads)):
        start, end = (int(roads.node_id[node]) for node in (roads.tail[piece], roads.head[piece]))
        for back, (u, v) in enumerate([(start, end), (end, start)]):
            who = {mode: bool(int(roads.permit[piece]) & forward_bit(mode) << back) for mode in MODES}
            if any(who.values()):
                line = shapely.reverse(lines[piece]) if back else lines[piece]
                graph.add_edge(u, v, geometry=line, reversed=bool(back), **who, **_edge(roads, piece, back))
    return graph


def _edge(roads: Roads, piece: int, back: int) -> dict[str, Any]:
    """What the edges of a piece say beside their course and who may travel them."""
    name, kmh = roads.road_names[roads.name[piece]], roads.maxspeed_kmh[piece, back]
    vehicles = int(roads.permit[piece]) >> 2  # the bits of walkers come first
    said = {"name": name} if name else {}
    said |= {"bridge": "yes"} if roads.bridge[piece] else {}
    said |= {} if np.isnan(kmh) else {"maxspeed": f"{kmh:.10g}"}
    return said | {
        "osmid": int(roads.way_id[piece]),
        "highway": roads.class_names[roads.road_class[piece]],
        "oneway": any((vehicles >> 2 * at & 0b11) in {0b01, 0b10} for at in range(len(MODES) - 1)),
        "length": int(roads.length_mm[piece]) / 1000,
        "enterable": bool(roads.enterable[piece]),
    }


def _plain(data: Attributes) -> dict[str, Any]:
    """Attributes with lists and truths as Python has them: in GraphML osmnx writes them as text."""
    return {key: _value(value) for key, value in data.items()}


def _value(value: Any) -> Any:  # noqa: ANN401 — any attribute
    if not isinstance(value, str):
        return value
    if value in {"True", "False"}:
        return value == "True"
    if value.startswith("[") and value.endswith("]"):
        try:
            return ast.literal_eval(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return value
    return value


def _several(value: Any) -> list[Any]:  # noqa: ANN401 — any attribute
    """One value or a list of them, as a list; nothing as none."""
    many = list(value) if isinstance(value, list | tuple | set) else [value]
    return [one for one in many if one is not None and one == one]  # noqa: PLR0124 — nan is not itself


def _tags(data: Attributes) -> dict[str, str]:
    """An edge as OSM tags."""
    texts = {key: ";".join(str(one) for one in _several(value)) for key, value in data.items() if not isinstance(value, bool)}
    classes = {str(one) for one in _several(data.get("highway"))}
    return {key: text for key, text in texts.items() if text} | {"highway": _slowest(classes)}


def _slowest(classes: Iterable[str]) -> str:
    """Of several classes the slowest; "" for one that OSM does not have, or none."""

    def rank(name: str) -> tuple[int, str]:
        road = name.removesuffix("_link")
        return (_RANK.index(road) if road in _RANK else len(_RANK), name)

    known = sorted((name for name in classes if name in OSM_CLASSES), key=rank)
    return known[-1] if known else ""


def _piece(data: Attributes, at: int, *, both_ways: bool, classless: bool) -> Piece:
    """What an edge is: a piece travelled as drawn, by walkers both ways; by all of them both ways in an undirected graph."""
    tags = _tags(data) | {"oneway": "no" if both_ways else "yes"}
    said = [mode for mode in MODES if mode in data]
    if classless or said:
        tags["highway"] = tags["highway"] or "unclassified"
    own = sum(forward_bit(mode) for mode in said if data[mode] is True)
    permit = (own | own << both_ways) if said else permissions(tags)
    ways = [int(one) for one in _several(data.get("osmid")) if str(one).removeprefix("-").isdecimal()]
    forward, backward, _ = maxspeed_kmh(tags)
    names = "; ".join(dict.fromkeys(str(one) for one in _several(data.get("name"))))
    may_enter = bool(data.get("enterable", enterable(tags)))
    return Piece(min(ways, default=at), tags["highway"], names, permit, (forward, backward), may_enter, is_bridge(tags))


def _node_places(graph: nx.Graph, nodes: list[Any], name: str) -> Floats:
    places = np.full((len(nodes), 2), np.nan)
    for at, node in enumerate(nodes):
        try:
            places[at] = [float(graph.nodes[node][key]) for key in ("x", "y")]
        except (KeyError, TypeError, ValueError):
            continue
    bad = [node for node, place in zip(nodes, places, strict=True) if not np.isfinite(place).all()]
    if bad or not nodes:
        named = first_few(bad) if bad else "—"
        raise InputError(
            Problem(
                f"{name}：图的节点须有 x、y 坐标，缺少的：{named}。请用 osmnx 的 save_graphml 保存的路网。",
                f"{name}: nodes of the graph need x and y; these have none: {named}. Use a graph saved by osmnx's save_graphml.",
            )
        )
    return places


def _lines(edges: list[tuple[Any, Any, dict[str, Any]]], ends: Ints, places: Floats, name: str) -> Geometries:
    """The course of each edge from its first node to its second: its geometry, turned if need be, else a straight line."""
    lines = np.asarray(shapely.linestrings(places[ends])) if len(ends) else np.zeros(0, dtype=object)
    wrong = []
    for at, (u, v, data) in enumerate(edges):
        if (drawn := data.get("geometry")) in {None, ""}:
            continue
        try:
            line = shapely.force_2d(shapely.from_wkt(drawn) if isinstance(drawn, str) else drawn)
        except (shapely.errors.GEOSException, TypeError):
            line = None
        if not isinstance(line, shapely.LineString) or line.is_empty or not np.isfinite(line.coords).all():
            wrong.append(f"{u}–{v}")
            continue
        start, end = (np.hypot(*(places[ends[at, 0]] - line.coords[side])) for side in (0, -1))
        lines[at] = shapely.reverse(line) if end < start else line
    if wrong:
        raise InputError(
            Problem(
                f"{name}：这些边的 geometry 不是线：{first_few(wrong)}。",
                f"{name}: the geometry of these edges is no line: {first_few(wrong)}.",
            )
        )
    return lines


def _in_wgs84(lines: Geometries, datum: str, name: str) -> Geometries:
    """Degrees in WGS84, from the datum or the CRS that the graph names."""
    if str(datum).upper() == _WGS84:
        moved = lines
    else:
        xy = shapely.get_coordinates(lines)
        try:
            moved = shapely.set_coordinates(lines.copy(), to_wgs84(xy[:, 0], xy[:, 1], str(datum)))
        except pyproj.exceptions.CRSError as error:
            raise InputError(Problem(f"{name}：未知的坐标系 crs = {datum}。", f"{name}: unknown crs {datum!r}.")) from error
    lon, lat = shapely.get_coordinates(moved).T
    if not ((np.abs(lon) <= 180) & (np.abs(lat) <= 90)).all():  # noqa: PLR2004 — degrees
        raise InputError(
            Problem(
                f"{name}：坐标不是经纬度（crs = {datum}）。请在 [roads] 中写明 datum。",
                f"{name}: its coordinates are no degrees (crs {datum}). Say datum in [roads].",
            )
        )
    return np.asarray(moved)


def _numbers(nodes: list[Any]) -> Ints:
    """Ids of the nodes: the graph's own if all of them are whole numbers, else 1, 2, 3 and so on."""
    texts = [str(node) for node in nodes]
    numbers = whole_numbers(texts)
    return np.arange(1, len(nodes) + 1) if numbers is None else numbers


def _blocked(data: Attributes) -> int:
    modes = str(data.get("blocked", "")).split(",")
    return sum(blocked_bit(mode) for mode in MODES if mode in modes)


def _water(graph: nx.Graph) -> Geometries:
    text = graph.graph.get(_WATER)
    return np.array(list(shapely.from_wkt(text).geoms) if text else [], dtype=object)


def _turns(graph: nx.Graph) -> Turns:
    rows = json.loads(graph.graph.get(_TURNS, "[]"))
    return Turns.of([Turn(**row | {"via": tuple(row["via"])}) for row in rows])


def _on_lengths(roads: Roads, edges: list[dict[str, Any]], name: str) -> tuple[str, ...]:
    """Compare the graph's lengths with those of the geometry; a word if any differ."""
    said_m = np.array([_metres(data.get("length")) for data in edges])
    drawn_m = roads.length_mm / 1000
    apart_m = np.abs(said_m - drawn_m)
    off = int(((apart_m > WORTH_A_WORD * drawn_m) & (apart_m > WORTH_A_WORD_M) & (said_m > 0)).sum())
    if off == 0:
        return ()
    zh = f"{name}：{off} 条边的 length 与图形长度相差超过 1 %；按图形量算"
    return (f"{zh} · {name}: length of {off} edges differs from the drawn one by more than 1 %; the drawn one is used",)


def _metres(value: Any) -> float:  # noqa: ANN401 — any attribute
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")
