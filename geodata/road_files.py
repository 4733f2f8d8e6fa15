"""The roads of a region, from one file or several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geodata.extent import Bounds
from geodata.osm import read_roads
from geodata.region_file import RoadsBlock
from geodata.roads import Roads


def read_road_files(blocks: Sequence[RoadsBlock], folder: Path, *, within: Bounds | None = None) -> Roads:
    """Read the roads that region.toml names."""
    return read_roads(folder / blocks[0].file, within=within)
