"""Vector files → attributes as text and shapes as they are: GeoJSON, GeoPackage, shapefiles with their encodings and cut names."""

from __future__ import annotations

import shutil
import struct
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geodata.errors import InputError, Problem
from geodata.roads import Geometries
from geodata.tables.workbooks import Sheet, cell_text

VECTOR_ENDINGS = (".geojson", ".json", ".gpkg", ".shp")
HEADER_ROW = 0  # features count from 1
_DBF_HEAD, _DBF_FIELD, _DBF_NAME = 32, 32, 11


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
    frame = _read_shapefile(path) if path.suffix.lower() == ".shp" else gpd.read_file(path, layer=layer or layers[0])
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


def _read_shapefile(path: Path) -> gpd.GeoDataFrame:
    """Read a shapefile in the encoding that its texts show: its .cpg is often missing, and sometimes wrong.

    Names and cells end after so many bytes, and GDAL refuses a character cut in two: it is given a copy without.
    """
    table = path.with_suffix(".dbf")
    if not table.is_file():
        return gpd.read_file(path)
    content = bytearray(table.read_bytes())
    spans = _dbf_texts(content)
    encoding = next((one for one in ("UTF-8", "GB18030") if all(_whole(content[a:b], one) is not None for a, b in spans)), None)
    cut = [(a + len(whole), b) for a, b in spans if encoding and len(whole := _whole(content[a:b], encoding) or b"") < b - a]
    if not cut:
        return gpd.read_file(path, encoding=encoding)
    for a, b in cut:
        content[a:b] = bytes(b - a)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        for part in (".shp", ".shx", ".prj"):
            if path.with_suffix(part).is_file():
                shutil.copyfile(path.with_suffix(part), copy.with_suffix(part))
        copy.with_suffix(".dbf").write_bytes(content)
        return gpd.read_file(copy, encoding=encoding)


def _dbf_texts(content: bytearray) -> list[tuple[int, int]]:
    """Where the field names and cells of a dBASE table stand that are more than ASCII."""
    n_records, head_length, record_length = struct.unpack_from("<IHH", content, 4)
    fields = range(_DBF_HEAD, head_length - 1, _DBF_FIELD)
    spans = [(at, at + len(content[at : at + _DBF_NAME].split(b"\0")[0])) for at in fields]
    begins = np.cumsum([1, *(content[at + 16] for at in fields)]).tolist()
    for start in range(head_length, head_length + n_records * record_length, record_length):
        cells = ((start + a, start + b) for a, b in pairwise(begins))
        spans += [(a, a + len(content[a:b].rstrip(b" \0"))) for a, b in cells]
    return [(a, b) for a, b in spans if not content[a:b].isascii()]


def _whole(text: bytearray, encoding: str) -> bytes | None:
    """The text without a last character that was cut in two; None if it is no text in this encoding."""
    for end in range(len(text), max(0, len(text) - 4), -1):
        try:
            text[:end].decode(encoding)
        except UnicodeDecodeError:
            continue
        return bytes(text[:end])
    return None
