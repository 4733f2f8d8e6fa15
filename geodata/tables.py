"""Tables as people keep them (xlsx, csv, GeoJSON, GeoPackage) → GeoDataFrames with documented columns.

Every cell is read as text first, so that ids stay as written. Each table has a list of columns (``geodata.columns``); what does not fit is
reported with file, row and value, all problems at once. Rows are numbered as the user sees them: in a sheet or csv by the line, so that
the header is usually row 1; features count from 1.
"""

from __future__ import annotations

import math
import re
import unicodedata
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geodata.columns import FEATURES, LAT, LON, MOST_LAT, MOST_LON, POINTS, Column, entrances
from geodata.csv_text import read_csv_text
from geodata.errors import InputError, Problem, first_few

if TYPE_CHECKING:
    from openpyxl.cell.cell import Cell

VECTOR_ENDINGS = (".geojson", ".json", ".gpkg", ".shp")
TABLE_ENDINGS = (".csv", ".xlsx")


def read_table(
    path: Path,
    columns: tuple[Column, ...],
    *,
    headers: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    sheet: str | None = None,
    layer: str | None = None,
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read a table and check every cell.

    Parameters
    ----------
    path : Path
        .csv, .xlsx, .geojson, .gpkg or .shp.
    columns : tuple of Column
        What to look for. Columns that are not listed are left out.
    headers : mapping, optional
        The user's own choice: our name → header in the file.
    constants : mapping, optional
        Our name → one text for every row, instead of a column.
    sheet, layer : str, optional
        Which sheet of a workbook, which layer of a GeoPackage.

    Returns
    -------
    DataFrame, or GeoDataFrame in WGS84 if the file has geometry or the table has lon and lat
        The columns that were found, by our names; blank text is "". Index: the row as the user sees it.

    Raises
    ------
    InputError
        All that is wrong: file, row, column, value.
    """
    raw = _read_text(path, sheet, layer)
    if raw.empty:
        raise InputError(Problem(f"{path.name}：没有数据行。", f"{path.name}: it has no rows."))
    has_geometry = isinstance(raw, gpd.GeoDataFrame)
    for name, value in (constants or {}).items():
        column = next(column for column in columns if column.name == name)
        if header := next((header for header in raw.columns if _plain(str(header)) in map(_plain, column.headers)), None):
            zh = f"{path.name}：表中已有“{header}”列，又在 region.toml 中写了 {name} = {value}，请只留一个。"
            raise InputError(Problem(zh, f"{path.name}: it has a column {header!r}, and region.toml says {name} = {value!r}: keep one."))
        raw[name] = value
    found = _match(raw, columns, headers or {}, path.name, has_geometry=has_geometry)
    problems: list[Problem] = []
    frame = pd.DataFrame(
        {column.name: _parse(raw[header], column, path.name, problems) for column, header in found.items()}, index=raw.index
    )
    if "id" in frame:
        problems += duplicates(frame["id"], next(header for column, header in found.items() if column.name == "id"), path.name)
    if has_geometry:
        problems += _check_geometry(raw.geometry, path.name)
        frame = gpd.GeoDataFrame(frame, geometry=raw.geometry, crs=raw.crs)
    elif "lon" in frame and "lat" in frame:
        problems += check_lonlat(frame["lon"], frame["lat"], path.name)
        points = gpd.points_from_xy(frame.pop("lon"), frame.pop("lat"), crs="EPSG:4326")
        frame = gpd.GeoDataFrame(frame, geometry=points)
    if problems:
        raise InputError(*problems)
    return frame


def read_points(path: Path) -> gpd.GeoDataFrame:
    """Read points for a matrix: a csv or sheet with id, lon, lat, or any vector file; features without an id column are numbered from 1.

    Lines and areas are taken at a point inside them.
    """
    is_vector = path.suffix.lower() in VECTOR_ENDINGS
    frame = read_table(path, FEATURES if is_vector else POINTS)
    if "id" not in frame:
        frame["id"] = [str(row) for row in frame.index]
    return frame.set_geometry(frame.representative_point())


def duplicates(ids: pd.Series, header: str, file_name: str) -> list[Problem]:
    """Report ids that occur more than once."""
    twice = ids[ids.duplicated(keep=False) & ids.notna()]
    if twice.empty:
        return []
    named = first_few(f"{value} (row {', '.join(map(str, rows.index))})" for value, rows in twice.groupby(twice, sort=False))
    return [Problem(f"{file_name}：“{header}”列有重复的编码：{named}。", f"{file_name}: column {header!r} has duplicate ids: {named}.")]


def check_lonlat(lon: pd.Series, lat: pd.Series, file_name: str) -> list[Problem]:
    """Report coordinates that are blank (nan), 0,0, swapped or no degrees; cells that are no numbers (None) are reported elsewhere."""
    read = lon.notna() & lat.notna()
    lon, lat = lon[read], lat[read]
    swapped = (lat.abs() > MOST_LAT) & (lat.abs() <= MOST_LON) & (lon.abs() <= MOST_LAT)
    cases = [
        ((lon == 0) & (lat == 0), "坐标为 0,0", "the coordinates are 0,0"),
        (swapped, "经度与纬度似乎互换了", "lon and lat seem to be swapped"),
        (~swapped & ((lon.abs() > MOST_LON) | (lat.abs() > MOST_LAT)), "经纬度应为十进制度", "lon and lat must be decimal degrees"),
    ]
    return [
        Problem(f"{file_name}：{zh}，行：{rows}。", f"{file_name}: {en}, rows: {rows}.")
        for bad, zh, en in cases
        if bad.any()
        for rows in [first_few(f"{row} ({lon[row]}, {lat[row]})" for row in lon.index[bad])]
    ]


def _check_geometry(shapes: gpd.GeoSeries, file_name: str) -> list[Problem]:
    empty = shapes.isna() | shapes.is_empty
    problems = []
    if empty.any():
        rows = first_few(shapes.index[empty])
        problems.append(Problem(f"{file_name}：没有图形的要素：{rows}。", f"{file_name}: features without geometry: {rows}."))
    centre = shapes[~empty].representative_point()
    return problems + check_lonlat(centre.x, centre.y, file_name)


def _match(
    raw: pd.DataFrame, columns: tuple[Column, ...], headers: Mapping[str, str], file_name: str, *, has_geometry: bool
) -> dict[Column, str]:
    """Find the header of each column: the user's choice, else the first known name that is there."""
    there = [str(header) for header in raw.columns if not (has_geometry and header == raw.geometry.name)]
    plain = {_plain(header): header for header in reversed(there)}
    unknown = set(headers) - {column.name for column in columns}
    problems = [
        Problem(f"{file_name}：columns 中没有“{name}”这一项。", f"{file_name}: columns knows no {name!r}.") for name in sorted(unknown)
    ]
    found: dict[Column, str] = {}
    for column in columns:
        if has_geometry and column in (LON, LAT):
            continue
        wanted = (headers[column.name],) if column.name in headers else column.headers
        taken = set() if column.name in headers else {header for other, header in found.items() if other.name == "id"}
        header = next((plain[_plain(name)] for name in wanted if _plain(name) in plain and plain[_plain(name)] not in taken), None)
        if header is not None and there.count(header) > 1:
            problems.append(
                Problem(f"{file_name}：有两个“{header}”列，请只留一个。", f"{file_name}: column {header!r} occurs twice; keep one.")
            )
        elif header is not None:
            found[column] = header
        elif column.required or column.name in headers or column in (LON, LAT):
            tried, has = " / ".join(wanted), ", ".join(there)
            problems.append(
                Problem(
                    f"{file_name}：缺少“{column.name_zh}”列（可用的表头：{tried}；文件中有：{has}）。",
                    f"{file_name}: column {column.name!r} is missing (known headers: {tried}; the file has: {has}).",
                )
            )
    if problems:
        raise InputError(*problems)
    return found


def _plain(header: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", header)).lower()


def _parse(cells: pd.Series, column: Column, file_name: str, problems: list[Problem]) -> pd.Series:
    values, bad = [], []
    for row, cell in cells.items():
        try:
            values.append(column.parse(cell))
        except ValueError:
            values.append(None)
            bad.append(f"{row} ({cell!r})")
    if bad:
        rows = first_few(bad)
        problems.append(
            Problem(
                f"{file_name}：“{cells.name}”列应为{column.fits[0]}，有误的行：{rows}。",
                f"{file_name}: column {cells.name!r} must be {column.fits[1]}; wrong rows: {rows}.",
            )
        )
    return pd.Series(values, index=cells.index, dtype=object if column.parse is entrances else None)


def _read_text(path: Path, sheet: str | None, layer: str | None) -> pd.DataFrame | gpd.GeoDataFrame:
    """All cells as stripped text, blank as "", plus geometry in WGS84 if the file has any."""
    if path.is_dir():
        raise InputError(Problem(f"{path} 是文件夹，不是表格。", f"{path} is a folder, not a table."))
    if not path.is_file():
        raise InputError(Problem(f"找不到文件 {path}。", f"File {path} does not exist."))
    ending = path.suffix.lower()
    if ending not in TABLE_ENDINGS + VECTOR_ENDINGS:
        known = " ".join(TABLE_ENDINGS + VECTOR_ENDINGS)
        raise InputError(
            Problem(f"{path.name}：不支持的格式；可用：{known}。", f"{path.name}: not a format that can be read; these can: {known}.")
        )
    try:
        with warnings.catch_warnings(action="ignore"):  # the libraries' remarks on styles and fields would stand between our messages
            if ending in VECTOR_ENDINGS:
                return _read_vector(path, layer)
            cells = read_csv_text(path, pad=True) if ending == ".csv" else _read_sheet(path, sheet)
    except InputError:
        raise
    except Exception as error:  # a damaged workbook or geometry fails in openpyxl and GDAL in every way there is
        raise InputError(
            Problem(
                f"{path.name}：无法读取（{error}）。文件可能损坏，或扩展名与内容不符。",
                f"{path.name}: cannot be read ({error}). It may be damaged, or its ending may not tell its format.",
            )
        ) from error
    return cells[(cells != "").any(axis=1)]


def _read_sheet(path: Path, sheet: str | None) -> pd.DataFrame:
    """Read a sheet, the first if none is named; the header is the first row with more than one filled cell: titles have one."""
    import openpyxl  # noqa: PLC0415 — takes its time, and a prepared region reads no table

    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        sheets = {one.title: one for one in book.worksheets}
        if sheet is not None and sheet not in sheets:
            known = ", ".join(sheets)
            raise InputError(
                Problem(f"{path.name}：没有工作表“{sheet}”；有：{known}。", f"{path.name}: no sheet {sheet!r}; there are: {known}.")
            )
        chosen = book.worksheets[0] if sheet is None else sheets[sheet]
        chosen.reset_dimensions()
        rows = {number: [_sheet_cell(cell) for cell in row] for number, row in enumerate(chosen.iter_rows(), start=1)}
    filled = {number: sum(map(bool, row)) for number, row in rows.items() if any(row)}
    header = next((number for number, cells in filled.items() if cells > 1), next(iter(filled), None))
    if header is None:
        raise InputError(Problem(f"{path.name}：工作表是空的。", f"{path.name}: the sheet is empty."))
    width = max(map(len, rows.values()))
    body = {number: row + [""] * (width - len(row)) for number, row in rows.items() if number >= header}
    table = pd.DataFrame.from_dict(body, orient="index", dtype="str")
    table.columns = pd.Index(table.loc[header])
    return table.loc[:, table.columns != ""].drop(index=header)


def _sheet_cell(cell: Cell) -> str:
    """A cell as text; a whole number shown as 007 stays so."""
    text = _cell(cell.value)
    return text.zfill(len(cell.number_format)) if text.isdigit() and re.fullmatch("0+", cell.number_format or "") else text


def _read_vector(path: Path, layer: str | None) -> pd.DataFrame | gpd.GeoDataFrame:
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if layer not in (layers if len(layers) > 1 else [None, *layers]):
        named = ", ".join(layers)
        raise InputError(
            Problem(f"{path.name}：请用 layer 指明图层之一：{named}。", f"{path.name}: name one of its layers by layer: {named}.")
        )
    frame = gpd.read_file(path, layer=layer or layers[0])
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    if not isinstance(frame, gpd.GeoDataFrame) or frame.geometry.isna().all():
        return pd.DataFrame(frame.drop(columns="geometry", errors="ignore")).map(_cell)
    if frame.crs is None:
        raise InputError(Problem(f"{path.name}：没有坐标系，请先定义坐标系。", f"{path.name}: it has no CRS; define one first."))
    shapes = shapely.force_2d(np.array(frame.to_crs("EPSG:4326").geometry, dtype=object))
    lone = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(shapes) == 1)
    shapes[lone] = shapely.get_geometry(shapes[lone], 0)
    cells = frame.drop(columns=frame.geometry.name).map(_cell)
    return gpd.GeoDataFrame(cells, geometry=shapes, crs="EPSG:4326")


def _cell(value: object) -> str:
    """An attribute as text: whole numbers without a decimal point, nothing as ""."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
