"""Vector files → attributes as text and shapes as they are: GeoJSON, GeoPackage, shapefiles with their encodings and cut names."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geodata.errors import InputError, Problem
from geodata.roads import Geometries
from geodata.workbooks import Sheet, cell_text

VECTOR_ENDINGS = (".geojson", ".json", ".gpkg", ".shp")
HEADER_ROW = 0  # features count from 1
_DBF_HEAD, _DBF_FIELD = 32, 32


@dataclass(frozen=True, eq=False)
class Features:
    """Attributes as a sheet (header: row 0), shapes in the order of its rows, and their CRS.

    Attributes
    ----------
    sheet : Sheet
    shapes : (rows,) geometries or None
        None for a feature without one; None as a whole if no feature has one.
    crs : str
        "" if the file states none.
    """

    sheet: Sheet
    shapes: Geometries | None
    crs: str


def read_features(path: Path, layer: str | None) -> Features:
    """Read a layer; heights are dropped, and a multipoint of one point is that point.

    Raises
    ------
    InputError
        The layer is not named, or there is no such layer.
    """
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if layer not in (layers if len(layers) > 1 else [None, *layers]):
        named = ", ".join(layers)
        raise InputError(
            Problem(f"{path.name}：请用 layer 指明图层之一：{named}。", f"{path.name}: name one of its layers by layer: {named}.")
        )
    frame = gpd.read_file(path, layer=layer or layers[0], encoding=_encoding(path))
    located = isinstance(frame, gpd.GeoDataFrame) and not frame.geometry.isna().all()
    cells = frame.drop(columns=frame.geometry.name if located else "geometry", errors="ignore").map(cell_text)
    rows = {HEADER_ROW: [str(name) for name in cells.columns]} | dict(enumerate(cells.to_numpy().tolist(), start=1))
    shapes = _simple(np.array(frame.geometry, dtype=object)) if located else None
    crs = frame.crs.to_string() if located and frame.crs is not None else ""
    return Features(Sheet(layer or "", rows), shapes, crs)


def _simple(shapes: Geometries) -> Geometries:
    flat: Geometries = shapely.force_2d(shapes)
    flat[shapely.is_empty(flat)] = None
    lone = (shapely.get_type_id(flat) == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(flat) == 1)
    flat[lone] = shapely.get_geometry(flat[lone], 0)
    return flat


def _encoding(path: Path) -> str | None:
    """How the texts of a shapefile are written, from the texts: its .cpg is often missing, and sometimes wrong."""
    table = path.with_suffix(".dbf")
    if path.suffix.lower() != ".shp" or not table.is_file():
        return None
    texts = _dbf_texts(table.read_bytes())
    return next((encoding for encoding in ("UTF-8", "GB18030") if all(_fits(one, encoding) for one in texts)), None)


def _dbf_texts(content: bytes) -> list[bytes]:
    """Field names and cells of a dBASE table that are more than ASCII."""
    n_records, head_length, record_length = struct.unpack_from("<IHH", content, 4)
    fields = [content[at : at + _DBF_FIELD] for at in range(_DBF_HEAD, head_length - 1, _DBF_FIELD)]
    texts = [one[:11].split(b"\0")[0] for one in fields]
    begins = np.cumsum([1, *(one[16] for one in fields)])
    for record in range(n_records):
        start = head_length + record * record_length
        texts += [content[start + a : start + b].rstrip(b" \0") for a, b in pairwise(begins)]
    return [one for one in texts if not one.isascii()]


def _fits(text: bytes, encoding: str) -> bool:
    """Whether bytes are text in an encoding; the last character may have been cut off."""
    for cut in range(4):
        try:
            text[: len(text) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
