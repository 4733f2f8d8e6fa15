"""The file of a bureau's link table (shapefile, GeoPackage, GeoJSON, csv) → lines in WGS84 and their cells as text, by our names."""

from __future__ import annotations

import codecs
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyproj
import shapely

from geodata.datum.convert import to_wgs84
from geodata.errors import InputError, Problem, first_few
from geodata.region_file import DATUMS, RoadsBlock
from geodata.roads import Geometries
from geodata.tables.csv_text import read_csv_text
from geodata.ways.link_words import match_headers

VECTOR_ENDINGS = (".shp", ".gpkg", ".geojson", ".json")
LINK_ENDINGS = (*VECTOR_ENDINGS, ".csv")

_ENDS = ("from_lon", "from_lat", "to_lon", "to_lat")
_MOST_LON, _MOST_LAT = 180, 90
_CODE_PAGES = {"65001": "utf-8", "936": "gb18030", "cp936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "54936": "gb18030"}


@dataclass(frozen=True, eq=False)
class Links:
    """The rows of a link table as they are in the file.

    Attributes
    ----------
    file_name : str
    cells : DataFrame of str
        A column for each of ours that was found; index: the row as the user sees it.
    headers : mapping
        Our name → header in the file.
    shapes : (rows,) LineStrings and MultiLineStrings without height, WGS84
    left_out : tuple of int
        Rows without a line.
    """

    file_name: str
    cells: pd.DataFrame
    headers: Mapping[str, str]
    shapes: Geometries
    left_out: tuple[int, ...]


def read_links(path: Path, block: RoadsBlock) -> Links:
    """Read a link table.

    Raises
    ------
    InputError
        The file is missing or damaged, holds no lines, its coordinates are not known, or a header that the user chose is not there.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # GDAL's remarks on fields and rings would stand between our messages
            raw = _read_csv(path, block) if path.suffix.lower() == ".csv" else _read_vector(path, block.layer)
    except InputError:
        raise
    except Exception as error:  # a damaged file fails in GDAL and pyproj in every way there is
        raise InputError(
            Problem(
                f"{path.name}：无法读取（{error}）。文件可能损坏，或缺少同名的 .shx、.dbf 文件。",
                f"{path.name}: cannot be read ({error}). It may be damaged, or lack its .shx or .dbf beside it.",
            )
        ) from error
    headers = match_headers([str(name) for name in raw.columns if name != "geometry"], block.columns, path.name)
    shapes = shapely.force_2d(np.array(raw.geometry, dtype=object))
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    _check_lines(shapes[there], raw.index[there], path.name)
    cells = pd.DataFrame({ours: raw[header].map(_cell) for ours, header in headers.items()}, index=raw.index)[there]
    lines = _degrees(shapes[there], cells.index, raw.crs, block.datum, path.name)
    return Links(path.name, cells, headers, lines, tuple(raw.index[~there].tolist()))


def _check_lines(shapes: Geometries, rows: pd.Index, file_name: str) -> None:
    if len(shapes) == 0:
        raise InputError(Problem(f"{file_name}：没有一条路段。", f"{file_name}: it holds no link."))
    lines = np.isin(shapely.get_type_id(shapes), [shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING])
    if not lines.all():
        named = first_few(rows[~lines])
        raise InputError(
            Problem(
                f"{file_name}：路段应为线，不是线的要素：{named}。节点文件不必给出。",
                f"{file_name}: links must be lines; features that are not: {named}. A file of nodes is not needed.",
            )
        )


def _degrees(shapes: Geometries, rows: pd.Index, crs: pyproj.CRS | None, datum: str | None, file_name: str) -> Geometries:
    """Coordinates in WGS84. What region.toml declares counts, then the file's own CRS, then plain degrees."""
    own_grid = crs is not None and crs.is_projected and (datum is None or datum in DATUMS)
    if crs is not None and (own_grid or datum is None):
        shapes = np.array(gpd.GeoSeries(shapes, crs=crs).to_crs("EPSG:4326"), dtype=object)
    elif datum is None and not _are_degrees(shapes).all():
        raise InputError(
            Problem(
                f'{file_name}：坐标不是经纬度，文件也没有坐标系（.prj）。请在 [roads] 中写明，如 datum = "EPSG:4527"。',
                f'{file_name}: its coordinates are no degrees, and it has no CRS (.prj). Say in [roads], such as datum = "EPSG:4527".',
            )
        )
    if datum is not None:
        xy = shapely.get_coordinates(shapes)
        shapes = shapely.set_coordinates(shapes.copy(), to_wgs84(xy[:, 0], xy[:, 1], datum))
    valid = _are_degrees(shapes)
    if not valid.all():
        named, used = first_few(rows[~valid]), datum or (crs.to_string() if crs is not None else "WGS84")
        raise InputError(
            Problem(
                f"{file_name}：按 {used} 理解时坐标不在地球上，行：{named}。请检查 datum。",
                f"{file_name}: taken as {used} the coordinates are not on the globe, rows: {named}. Check datum.",
            )
        )
    return np.asarray(shapes)


def _are_degrees(shapes: Geometries) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether each line has finite coordinates that can be lon and lat."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    good = (np.abs(xy[:, 0]) <= _MOST_LON) & (np.abs(xy[:, 1]) <= _MOST_LAT)
    return np.asarray(np.bincount(owner[~good], minlength=len(shapes)) == 0)


def _read_csv(path: Path, block: RoadsBlock) -> gpd.GeoDataFrame:
    """Lines as WKT, or straight from one end to the other."""
    frame = read_csv_text(path)
    headers = match_headers(list(frame.columns), block.columns, path.name)
    if "wkt" in headers:
        shapes = shapely.from_wkt(frame[headers["wkt"]].replace("", None).to_numpy(dtype=object))
    elif set(_ENDS) <= headers.keys():
        ends = np.column_stack([pd.to_numeric(frame[headers[name]]) for name in _ENDS])
        shapes = shapely.linestrings(ends.reshape(-1, 2, 2))
    else:
        raise InputError(
            Problem(
                f"{path.name}：csv 路段表须有 wkt 列，或起点经度、起点纬度、终点经度、终点纬度四列。",
                f"{path.name}: a csv of links needs a column wkt, or from_lon, from_lat, to_lon and to_lat.",
            )
        )
    frame = frame.rename(columns={"geometry": "wkt"})  # the name is taken
    return gpd.GeoDataFrame(frame, geometry=shapes)


def _read_vector(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if layer not in (layers if len(layers) > 1 else [None, *layers]):
        named = ", ".join(layers)
        raise InputError(
            Problem(f"{path.name}：请用 layer 指明图层之一：{named}。", f"{path.name}: name one of its layers by layer: {named}.")
        )
    is_shapefile = path.suffix.lower() == ".shp"
    frame = gpd.read_file(path, layer=layer or layers[0], encoding="ISO-8859-1" if is_shapefile else None)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Problem(f"{path.name}：没有图形。", f"{path.name}: it has no geometry."))
    if frame.geometry.name != "geometry":
        frame = frame.drop(columns="geometry", errors="ignore").rename_geometry("geometry")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return _decoded(frame, path) if is_shapefile else frame


def _decoded(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """A shapefile, read byte by character, in the encoding that fits: the one its .cpg says, else UTF-8, else GB18030.

    A header that dBase cut off within a character loses the broken character.
    """
    texts = frame.select_dtypes(["object", "str"]).columns
    said = path.with_suffix(".cpg").read_text("ascii", "ignore").strip().lower() if path.with_suffix(".cpg").is_file() else "utf-8"
    for encoding in (_CODE_PAGES.get(said, said), "utf-8", "gb18030"):
        try:
            codecs.lookup(encoding)
            for column in texts:
                frame[column].map(lambda cell: _bytes_as(cell, encoding))  # noqa: B023 — used at once
        except (UnicodeError, LookupError):
            continue
        break
    else:
        raise InputError(
            Problem(
                f"{path.name}：文字既不是 .cpg 所说的编码，也不是 UTF-8 或 GB18030。请用 UTF-8 重新导出。",
                f"{path.name}: its text is neither in the encoding of its .cpg nor UTF-8 nor GB18030. Export it again as UTF-8.",
            )
        )
    for column in texts:
        frame[column] = frame[column].map(lambda cell: _bytes_as(cell, encoding))
    return frame.rename(columns=lambda name: name if name == "geometry" else name.encode("latin-1").decode(encoding, "ignore"))


def _bytes_as(cell: object, encoding: str) -> object:
    return cell.encode("latin-1").decode(encoding) if isinstance(cell, str) else cell


def _cell(value: object) -> str:
    """A cell as text: whole numbers without a decimal point, nothing as ""."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
