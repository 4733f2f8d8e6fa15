"""Single lines of a link table, where they are cut, and which nodes they run between."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import shapely

from geodata.roads import Bools, Floats, Geometries, Ints, great_circle_m
from geodata.ways.link_ends import drawn_against, join_places
from geodata.ways.link_file import Links
from geodata.ways.link_words import whole_numbers

VERTEX_DECIMALS = 9  # of degrees, a tenth of a millimetre: the same vertex
FAR_APART_M = 100.0  # more than a junction's ends are


@dataclass(frozen=True, eq=False)
class Lines:
    """Single lines, each a link or a part of one.

    Attributes
    ----------
    shapes : (n,) LineStrings
    row : (n,) int64
        Position of its link in the table.
    first, last : (n,) bool
        Whether the line starts or ends where its link does.
    """

    shapes: Geometries
    row: Ints
    first: Bools
    last: Bools


Note = tuple[str, str]


def if_any(number: int, zh: str, en: str) -> list[Note]:
    """Make a note of a number, unless it is 0."""
    return [(f"{number} {zh}", f"{number} {en}")] if number else []


def single_lines(links: Links) -> Lines:
    """Parts that follow each other are one line; others stay lines of their own, in their order."""
    many = shapely.get_type_id(links.shapes) == shapely.GeometryType.MULTILINESTRING
    shapes = links.shapes.copy()
    shapes[many] = shapely.line_merge(shapes[many], directed=True)
    parts, row = shapely.get_parts(shapes, return_index=True)
    changes = row[1:] != row[:-1]
    return Lines(parts, row, np.append(True, changes), np.append(changes, True))


def cut_at_shared_vertices(lines: Lines) -> Lines:
    """Cut lines where they share a vertex, as OSM's junctions are exported: a bridge shares none with the road below."""
    lonlat, line = shapely.get_coordinates(shapely.remove_repeated_points(lines.shapes), return_index=True)
    _, vertex = np.unique(lonlat.round(VERTEX_DECIMALS), axis=0, return_inverse=True)
    inner = np.concatenate([[False], (line[1:-1] == line[:-2]) & (line[1:-1] == line[2:]), [False]])
    cut = np.flatnonzero(inner & (np.bincount(vertex.ravel())[vertex.ravel()] > 1))
    changes = np.concatenate([[0], np.cumsum(np.diff(line))]).astype(np.int64)
    part = changes + np.searchsorted(cut, np.arange(len(line)), side="left")
    indices = np.insert(part, cut + 1, part[cut] + 1)  # the vertex ends one part and begins the next
    shapes = shapely.linestrings(np.insert(lonlat, cut + 1, lonlat[cut], axis=0), indices=indices)
    whole = np.repeat(np.arange(len(lines.row)), 1 + np.bincount(line[cut], minlength=len(lines.row)))
    begins = np.append(True, whole[1:] != whole[:-1])
    ends = np.append(whole[1:] != whole[:-1], True)
    return Lines(shapes, lines.row[whole], lines.first[whole] & begins, lines.last[whole] & ends)


def by_node_ids(links: Links, lines: Lines, tolerance_m: float) -> tuple[Lines, Ints, list[Note]] | None:
    """Ends are the nodes that the table names; a link drawn against them is turned; ends without a name join what lies near.

    None if these are no names of nodes (起点 may be the village where a road begins): most that stand at several ends stand far apart.
    """
    names, known = _named_nodes(links, lines)
    place = join_places(_end_places(lines), tolerance_m).node.reshape(-1, 2)
    whole = lines.first & lines.last & (known >= 0).all(axis=1)
    turned = np.zeros(len(lines.row), dtype=bool)
    turned[whole] = drawn_against(known[whole, 0], known[whole, 1], place[whole, 0], place[whole, 1])
    lines = replace(lines, shapes=np.where(turned, shapely.reverse(lines.shapes), lines.shapes))
    node = join_places(_end_places(lines), tolerance_m, known=known.ravel()).node
    spread_m = _spread_m(lines, node)
    if 2 * (spread_m > FAR_APART_M).sum() > (np.bincount(node) > 1).sum():
        return None
    unnamed, apart = int((known < 0).sum()), int((spread_m > tolerance_m).sum())
    notes = [
        *if_any(int(turned.sum()), "条路段与起终点反向绘制，已掉头", "links drawn against their nodes turned"),
        *if_any(unnamed, f"个端点没有节点编号，按 {tolerance_m:g} 米内相连", f"ends without node id joined within {tolerance_m:g} m"),
        *if_any(apart, f"个节点的各路段端点相距超过 {tolerance_m:g} 米", f"nodes whose links end more than {tolerance_m:g} m apart"),
    ]
    return lines, _node_ids(names, known.ravel(), node)[node].reshape(-1, 2), notes


def by_tolerance(lines: Lines, tolerance_m: float) -> tuple[Ints, list[Note]]:
    """Ends are one node where they lie within the tolerance of each other."""
    joined = join_places(_end_places(lines), tolerance_m)
    chains = joined.chain_m
    notes = [(f"没有节点编号，{tolerance_m:g} 米内的端点相连", f"no node ids: ends within {tolerance_m:g} m joined")]
    if chains:
        notes.append(
            (
                f"{len(chains)} 处端点接连相邻，合并后跨度超过容差，最大 {chains[0]:.1f} 米",
                f"{len(chains)} nodes of ends one near the next extend beyond the tolerance, up to {chains[0]:.1f} m",
            )
        )
    return joined.node.reshape(-1, 2) + 1, notes


def _named_nodes(links: Links, lines: Lines) -> tuple[pd.Index, Ints]:
    """Names of nodes, and which of them is at the start and end of each line; -1 in blank cells and at the inner ends of a broken link."""
    cells = links.cells[["from_node", "to_node"]].to_numpy()[lines.row]
    position, names = pd.factorize(cells.ravel())
    named = np.column_stack([lines.first, lines.last]) & (cells != "")
    return pd.Index(names), np.where(named, position.reshape(-1, 2), -1)


def _node_ids(names: pd.Index, known: Ints, node: Ints) -> Ints:
    """Ids of nodes 0..n-1: the table's own if they are whole numbers, and new ones beyond them."""
    numbers = whole_numbers([name or "0" for name in names])
    own = np.arange(1, len(names) + 1) if numbers is None else numbers
    ids = int(own.max()) + 1 + np.arange(int(node.max()) + 1)
    ids[node[known >= 0]] = own[known[known >= 0]]
    return ids


def _spread_m(lines: Lines, node: Ints) -> Floats:
    """How far the ends at each node lie from the first of them, at most."""
    places = _end_places(lines)
    _, first, back = np.unique(node, return_index=True, return_inverse=True)
    spread = np.zeros(len(first))
    np.maximum.at(spread, back, great_circle_m(places, places[first[back]]))
    return spread


def _end_places(lines: Lines) -> Floats:
    """Coordinates of the start and the end of each line, in turn."""
    ends = np.column_stack([shapely.get_point(lines.shapes, 0), shapely.get_point(lines.shapes, -1)]).ravel()
    return np.asarray(shapely.get_coordinates(ends))
