"""The roads of a region, from one file or several: OSM, a bureau's link table, a graph saved by osmnx."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from geodata.errors import InputError, Problem
from geodata.extent import Bounds
from geodata.region_file import RoadsBlock, as_list
from geodata.roads import Roads
from geodata.toml import read_toml
from geodata.ways.join import join_roads
from geodata.ways.link_file import LINK_ENDINGS
from geodata.ways.link_table import read_link_table
from geodata.ways.osm import FORMATS, read_roads
from geodata.ways.pieces import keep_within

_GRAPHML = ".graphml"


def read_road_files(blocks: Sequence[RoadsBlock], folder: Path, *, within: Bounds | None = None) -> Roads:
    """Read the roads that region.toml names, and join them.

    Parameters
    ----------
    blocks : sequence of RoadsBlock
        [roads], or each [[roads]].
    folder : Path
        Where their files are.
    within : (west, south, east, north), optional
        Keep only the pieces whose bounding box meets this one, in degrees.

    Raises
    ------
    InputError
        A file is wrong: all problems of all files.
    """
    layers: list[Roads] = []
    problems: list[Problem] = []
    for block in blocks:
        try:
            layers.append(_read(block, folder / block.file, within))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return join_roads(layers, [block.tolerance_m for block in blocks])


class _RoadsOfToml(BaseModel):
    """What a TOML file says of roads, whatever else it says."""

    model_config = ConfigDict(extra="ignore")
    roads: Annotated[tuple[RoadsBlock, ...], Field(min_length=1), BeforeValidator(as_list)]


def read_roads_of(path: Path) -> Roads:
    """Read a road file, or the roads of a TOML file with [roads] as in region.toml, which can say what a link table's columns mean."""
    if path.suffix.lower() == ".toml":
        return read_road_files(read_toml(path, _RoadsOfToml).roads, path.parent)
    return read_road_files([RoadsBlock(file=path)], Path())


def is_osm(path: Path) -> bool:
    """Whether a file is OpenStreetMap's, which is WGS84."""
    return any(path.name.lower().endswith(ending) for ending in FORMATS)


def _read(block: RoadsBlock, path: Path, within: Bounds | None) -> Roads:
    name = path.name.lower()
    if is_osm(path):
        return read_roads(path, within=within)
    if path.is_dir():
        raise InputError(Problem(f"{path} 是文件夹，不是路网文件。", f"{path} is a folder, not a road file."))
    if not path.is_file():
        raise InputError(Problem(f"找不到路网文件 {path}。", f"Road file {path} does not exist."))
    if name.endswith(_GRAPHML):
        from geodata.ways.graphs import read_graphml  # noqa: PLC0415 — networkx takes its time, and few regions need it

        roads = read_graphml(path, datum=block.datum)
    elif name.endswith(LINK_ENDINGS):
        roads = read_link_table(path, block)
    else:
        known = " ".join((*FORMATS, _GRAPHML, *LINK_ENDINGS))
        raise InputError(
            Problem(
                f"{path.name}：不是可读的路网格式；可读的有 {known}。",
                f"{path.name}: not a road format that can be read; these can: {known}.",
            )
        )
    return roads if within is None else keep_within(roads, path.name, within)
