"""A bureau's own road layer: links with or without node ids → Roads.

Lengths are great-circle lengths along the drawn lines, as for every other road; a length column is compared with them and reported, never
used. Directions bind vehicles; walkers may go both ways. Who may use which class is decided as for OSM (``geodata.ways.osm_tags``).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

from geodata.errors import InputError, Problem, first_few
from geodata.region_file import RoadsBlock
from geodata.roads import Ints, Roads
from geodata.tables.columns import count
from geodata.ways.join import join_dead_ends
from geodata.ways.link_file import Links, read_links
from geodata.ways.link_lines import Lines, Note, by_node_ids, by_tolerance, cut_at_shared_vertices, if_any, single_lines
from geodata.ways.link_words import classes_of, directions_of, plain, whole_numbers
from geodata.ways.osm_tags import enterable, maxspeed_kmh, permissions
from geodata.ways.pieces import Piece, build_roads, lengths_mm, merge_twins

ASSUMED_CLASS = "unclassified"
WORTH_A_WORD = 0.01  # of a link's length, between the published and the drawn one
MOST_RATIO = 2  # of published to drawn lengths: more is another unit
_ONE_WAY = {"both": "no", "forward": "yes", "backward": "-1", "closed": "no"}
_YES = {"t", "true", "yes", "1", "y", "是", "有", "隧道"}


def read_link_table(path: Path, block: RoadsBlock) -> Roads:
    """Read a link table.

    Parameters
    ----------
    path : Path
        .shp, .gpkg, .geojson or .csv.
    block : RoadsBlock
        What region.toml says of it: columns, directions, classes, datum, tolerance.

    Returns
    -------
    Roads
        With notes on what was assumed, compared and joined.

    Raises
    ------
    InputError
        The file cannot be read, or a direction code or a class is not known.
    """
    links = read_links(path, block)
    lines, ends, notes = _placed(links, block)
    pieces, unread, closed = _pieces(links, block)
    kept = np.array([pieces[row].permit > 0 for row in lines.row])
    kept &= (ends[:, 0] != ends[:, 1]) | (shapely.length(lines.shapes) > 0)
    if not kept.any():
        raise InputError(Problem(f"{path.name}：没有一条可通行的路段。", f"{path.name}: nobody may travel any of its links."))
    roads = build_roads(lines.shapes[kept], ends[kept], [pieces[row] for row in lines.row[kept]])
    roads, merged = merge_twins(roads)
    if not {"from_node", "to_node"} <= links.headers.keys():
        roads, touching = join_dead_ends(roads, block.tolerance_m)
        notes += if_any(touching, "处断头端点落在另一条路段中间，已在该处相连", "dead ends joined to the link they touch")
    notes += if_any(merged, "条重复或往返同线的路段已合并", "links along the course of another merged with it")
    notes += if_any(closed, "条禁行或不通行类别的路段未用", "links that nobody may travel left out")
    notes = [*_notes_on_cells(links), *_on_lengths(links, lines, block), *notes]
    named = tuple(f"{path.name}：{zh} · {path.name}: {en}" for zh, en in notes)
    return replace(roads, ways_of_file=(len(links.cells),), unread_maxspeed=unread, notes=named)


def _placed(links: Links, block: RoadsBlock) -> tuple[Lines, Ints, list[Note]]:
    """Single lines, the nodes at their ends, and how these were found."""
    lines, notes = single_lines(links), []
    if {"from_node", "to_node"} <= links.headers.keys():
        placed = by_node_ids(links, lines, block.tolerance_m)
        if placed is not None:
            return placed
        notes = [("起点、终点列不是节点编号（同名端点相距很远），改按位置相连", "from and to are no node ids (their ends lie far apart)")]
    lines = cut_at_shared_vertices(lines)
    ends, more = by_tolerance(lines, block.tolerance_m)
    return lines, ends, notes + more


def _notes_on_cells(links: Links) -> list[Note]:
    """What had to be assumed because the table does not say it."""
    notes = []
    if links.left_out:
        rows = first_few(links.left_out)
        notes.append((f"没有图形的行未用：{rows}", f"rows without a line left out: {rows}"))
    if "class" not in links.headers:
        notes.append((f"没有等级列，全部按 {ASSUMED_CLASS} 假定", f"no column of class: all assumed {ASSUMED_CLASS}"))
    else:
        blank = int((links.cells["class"] == "").sum())
        notes += if_any(blank, f"条路段等级为空，按 {ASSUMED_CLASS} 假定", f"links without class assumed {ASSUMED_CLASS}")
    if "direction" not in links.headers:
        notes.append(("没有方向列，全部按双向假定", "no column of direction: all assumed two-way"))
    if "speed" not in links.headers:
        notes.append(("没有限速列，按等级取车速", "no column of speed: speeds by class"))
    return notes


def _pieces(links: Links, block: RoadsBlock) -> tuple[list[Piece], tuple[str, ...], int]:
    """What each link is; the speeds that could not be read; how many links nobody may travel."""
    cells, size, name = links.cells, len(links.cells), links.file_name
    text = {ours: cells[ours].tolist() if ours in cells else [""] * size for ours in ("class", "direction", "speed", "name", "tunnel")}
    classes = classes_of(links.headers.get("class", ""), set(text["class"]), block.classes, name)
    ways = directions_of(links.headers.get("direction", ""), set(text["direction"]), block.directions, name)
    numbers = whole_numbers(cells["id"].tolist()) if "id" in cells else None
    ids = cells.index.to_numpy() if numbers is None else numbers
    unread: set[str] = set()
    pieces = []
    for row in range(size):
        tags = {"highway": classes[text["class"][row]], "oneway": _ONE_WAY[ways[text["direction"][row]]]}
        tags |= {"tunnel": "yes"} if plain(text["tunnel"][row]) in _YES else {}
        tags |= {"maxspeed": text["speed"][row]} if plain(text["speed"][row]) not in {"", "0"} else {}
        forward, backward, not_read = maxspeed_kmh(tags)
        unread.update(not_read)
        permit = 0 if ways[text["direction"][row]] == "closed" else permissions(tags)
        pieces.append(Piece(int(ids[row]), tags["highway"], text["name"][row], permit, (forward, backward), enterable(tags), bridge=False))
    return pieces, tuple(sorted(unread)), sum(piece.permit == 0 for piece in pieces)


def _on_lengths(links: Links, lines: Lines, block: RoadsBlock) -> list[Note]:
    """Compare the table's own lengths with the drawn ones."""
    if "length" not in links.headers:
        return []
    lonlat, first = shapely.get_coordinates(lines.shapes), np.append(0, np.cumsum(shapely.get_num_coordinates(lines.shapes)))
    drawn_m = np.bincount(lines.row, weights=lengths_mm(lonlat, first) / 1000, minlength=len(links.cells))
    header = plain(links.headers["length"])
    unit_m = 1000 if block.length_unit == "km" or any(unit in header for unit in ("km", "公里", "千米")) else 1
    said_m = np.array([_length(cell) * unit_m for cell in links.cells["length"]])
    told = np.flatnonzero((said_m > 0) & (drawn_m > 0))
    if len(told) == 0:
        return [("长度列没有可用的数字", "no length in the column of length can be read")]
    ratio = said_m[told] / drawn_m[told]
    median, worst = float(np.median(ratio)), int(np.argmax(np.abs(np.log(ratio))))
    if not 1 / MOST_RATIO < median < MOST_RATIO:
        return [
            (
                f"长度列与图形长度之比为 {median:.4g}，单位不符（length_unit）；长度按图形量算",
                f"lengths in the table are {median:.4g} times the drawn ones: another unit (length_unit)? The drawn lengths are used",
            )
        ]
    off, row = int((np.abs(ratio - 1) > WORTH_A_WORD).sum()), links.cells.index[told[worst]]
    most = f"{100 * (ratio[worst] - 1):+.1f} %"
    zh = f"长度按图形量算；表中长度为其 {median:.4f} 倍（中位数），{off} 条相差超过 1 %，最多的是第 {row} 行（{most}）"
    en = f"lengths are as drawn; those in the table are {median:.4f} times as long (median), {off} differ by more than 1 %"
    return [(zh, f"{en}, most in row {row} ({most})")]


def _length(cell: str) -> float:
    try:
        return count(cell) if cell else float("nan")
    except ValueError:
        return float("nan")
