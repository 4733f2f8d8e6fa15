"""Tables as people keep them (xlsx, csv, GeoJSON, GeoPackage) → GeoDataFrames with documented columns.

Every cell is read as text first, so that ids stay as written. Each table has a list of :class:`Column`; what does not fit is reported with
file, row and value, all problems at once. Rows are numbered as the user sees them: in a sheet or csv the header is row 1; features count from 1.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geodata.errors import InputError, Problem, first_few

Parser = Callable[[str], Any]
VECTOR_ENDINGS = (".geojson", ".json", ".gpkg", ".shp")
TABLE_ENDINGS = (".csv", ".xlsx")
_TRUE, _FALSE = {"是", "true", "yes", "1", "y", "有"}, {"否", "false", "no", "0", "n", "无", ""}


@dataclass(frozen=True)
class Column:
    """A column that a table has or may have: our name, the headers it goes by (the first match counts), and how a cell is read.

    `fits` names what a cell must be, in both languages; `parse` raises ValueError for any other text.
    """

    name: str
    headers: tuple[str, ...]
    parse: Parser
    fits: tuple[str, str]
    required: bool = False


def text(cell: str) -> str:
    """Any text."""
    return cell


def filled(cell: str) -> str:
    """Text that is not blank."""
    if not cell:
        raise ValueError
    return cell


def number(cell: str) -> float:
    """A number; full-width digits and thousands separators are read; blank is nan."""
    if not cell:
        return float("nan")
    value = float(re.sub(r"[,\s]", "", unicodedata.normalize("NFKC", cell)))
    if not np.isfinite(value):
        raise ValueError
    return value


def count(cell: str) -> float:
    """A number that is stated and not negative."""
    value = number(cell)
    if not value >= 0:
        raise ValueError
    return value


def seconds(cell: str) -> float:
    """A number that is not negative, or blank."""
    return count(cell) if cell else float("nan")


def yes_no(cell: str) -> bool:
    """Yes or no in either language; blank is no."""
    word = cell.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def iso_date(cell: str) -> str:
    """A date such as 2026-01-01, 2026/1/1 or 2026年1月1日, as ISO text; blank stays blank."""
    if not cell:
        return ""
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?", cell)
    if not found:
        raise ValueError
    return dt.date(*map(int, found.groups())).isoformat()


def entrances(cell: str) -> shapely.MultiPoint | None:
    """Gates as "lon lat; lon lat"; None if blank."""
    if not cell:
        return None
    pairs = [[float(part) for part in re.split(r"[,\s]+", pair.strip())] for pair in re.split(r"[;；]", cell) if pair.strip()]
    if any(len(pair) != 2 or not (abs(pair[0]) <= 180 and abs(pair[1]) <= 90) for pair in pairs):  # noqa: PLR2004 — lon, lat and their ranges
        raise ValueError
    return shapely.MultiPoint(pairs)


_NUMBER = ("数字", "a number")
_COUNT = ("不小于 0 的数字", "a number that is not negative")
_TEXT = ("文字", "text")
_FILLED = ("非空文字", "text that is not blank")
_YES_NO = ("是或否", "yes or no")
_DATE = ("日期（如 2026-01-01）", "a date such as 2026-01-01")
_GATES = ("入口坐标“经度 纬度; 经度 纬度”", 'gates as "lon lat; lon lat"')

_ID = Column("id", ("id", "编码", "代码", "编号", "机构编码", "机构代码", "行政区划代码", "code"), filled, _FILLED, required=True)
_NAME = Column("name", ("name", "名称", "机构名称", "村名", "村（社区）", "乡镇", "乡镇名称"), text, _TEXT)
LON = Column("lon", ("lon", "经度", "lng", "longitude", "x"), number, _NUMBER)
LAT = Column("lat", ("lat", "纬度", "latitude", "y"), number, _NUMBER)
_PEOPLE = Column("people", ("people", "常住人口", "人口", "population"), count, _COUNT, required=True)
_ZONE = Column("zone", ("zone", "zone_id", "乡镇代码", "行政区划代码", "所属乡镇", "乡镇"), text, _TEXT)


def _urban(cell: str) -> bool:
    """Settlement class: urban or rural."""
    word = cell.strip().lower()
    if word not in {"城市", "城镇", "城区", "urban", "农村", "乡村", "rural"}:
        raise ValueError
    return word in {"城市", "城镇", "城区", "urban"}


POINTS = (_ID, LON, LAT)
ZONES = (_ID, _NAME)
TOWNSHIP_PEOPLE = (Column("zone", _ZONE.headers, filled, _FILLED, required=True), _PEOPLE)
SETTLEMENTS = (
    _ID,
    _NAME,
    LON,
    LAT,
    _PEOPLE,
    _ZONE,
    Column("urban", ("urban", "class", "城乡", "城乡分类"), _urban, ("城市或农村", "urban or rural")),
    Column("settlement", ("settlement", "所属村", "所属社区", "所属村（社区）"), text, _TEXT),
)


def facility_columns(kinds: Mapping[str, str]) -> tuple[Column, ...]:
    """Columns of a facility table; `kinds` maps every accepted name of a kind to its id."""

    def kind(cell: str) -> str:
        if cell not in kinds:
            raise ValueError
        return kinds[cell]

    known = ", ".join(dict.fromkeys(kinds))
    return (
        _ID,
        _NAME,
        Column("kind", ("kind", "类别", "机构类别", "类型"), kind, (f"机构类别之一：{known}", f"one of the kinds: {known}"), required=True),
        LON,
        LAT,
        Column("capacity", ("capacity", "床位数", "beds", "通道数", "lanes", "面积", "area_m2"), seconds, _COUNT),
        Column("open_from", ("open_from", "启用日期"), iso_date, _DATE),
        Column("open_to", ("open_to", "停用日期"), iso_date, _DATE),
        Column("eligible_for", ("eligible_for", "可设服务"), text, _TEXT),
        Column("emergency", ("emergency", "可设急救点"), yes_no, _YES_NO),
        Column("restricted", ("restricted", "涉密"), yes_no, _YES_NO),
        Column("turnout_s", ("turnout_s", "出动秒数"), seconds, _COUNT),
        Column("entrances", ("entrances", "入口"), entrances, _GATES),
    )


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
    for name, value in (constants or {}).items():
        raw[name] = value
    found = _match(raw, columns, headers or {}, path.name, has_geometry="geometry" in raw)
    problems: list[Problem] = []
    parsed = {column.name: _parse(raw[header], column, header, path.name, problems) for column, header in found.items()}
    if "id" in parsed:
        problems += duplicates(parsed["id"], found_header(found, "id"), path.name)
    frame = pd.DataFrame(parsed, index=raw.index)
    if "geometry" in raw:
        problems += _check_geometry(raw["geometry"], path.name)
        frame = gpd.GeoDataFrame(frame.drop(columns=["lon", "lat"], errors="ignore"), geometry=raw["geometry"], crs="EPSG:4326")
    elif "lon" in frame and not problems:
        problems += check_lonlat(frame["lon"], frame["lat"], path.name)
        frame = gpd.GeoDataFrame(frame.drop(columns=["lon", "lat"]), geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="EPSG:4326")
    if problems:
        raise InputError(*problems)
    return frame


def read_points(path: Path) -> gpd.GeoDataFrame:
    """Read points for a matrix: a csv or sheet with id, lon, lat, or any vector file; features without an id column are numbered from 1.

    Lines and areas are taken at a point inside them.
    """
    if path.suffix.lower() in VECTOR_ENDINGS:
        numbered = (Column("id", _ID.headers, filled, _FILLED),)
        frame = read_table(path, numbered)
        if "id" not in frame:
            frame["id"] = [str(row) for row in frame.index]
        return frame.set_geometry(frame.representative_point())
    return read_table(path, POINTS)


def found_header(found: Mapping[Column, str], name: str) -> str:
    """Header under which one of our columns was found."""
    return next(header for column, header in found.items() if column.name == name)


def duplicates(ids: pd.Series, header: str, file_name: str) -> list[Problem]:
    """Report ids that occur more than once."""
    twice = ids[ids.duplicated(keep=False) & (ids != "")]
    if twice.empty:
        return []
    named = first_few(f"{value} (row {', '.join(map(str, rows.index))})" for value, rows in twice.groupby(twice, sort=False))
    return [Problem(f"{file_name}：“{header}”列有重复的编码：{named}。", f"{file_name}: column {header!r} has duplicate ids: {named}.")]


def check_lonlat(lon: pd.Series, lat: pd.Series, file_name: str) -> list[Problem]:
    """Report coordinates that are blank, 0,0, swapped or no degrees."""
    swapped = (lat.abs() > 90) & (lat.abs() <= 180) & (lon.abs() <= 90)  # noqa: PLR2004 — degrees
    cases = [
        (lon.isna() | lat.isna(), "缺少经度或纬度", "lon or lat is blank"),
        ((lon == 0) & (lat == 0), "坐标为 0,0", "the coordinates are 0,0"),
        (swapped, "经度与纬度似乎互换了", "lon and lat seem to be swapped"),
        (~swapped & ((lon.abs() > 180) | (lat.abs() > 90)), "经纬度应为十进制度", "lon and lat must be decimal degrees"),  # noqa: PLR2004
    ]
    return [
        Problem(f"{file_name}：{zh}，行：{rows}。", f"{file_name}: {en}, rows: {rows}.")
        for bad, zh, en in cases
        if bad.any()
        for rows in [first_few(f"{row} ({lon[row]}, {lat[row]})" for row in lon.index[bad])]
    ]


def _check_geometry(shapes: gpd.GeoSeries, file_name: str) -> list[Problem]:
    empty = shapes.isna() | shapes.is_empty
    if empty.any():
        rows = first_few(shapes.index[empty])
        return [Problem(f"{file_name}：没有图形的要素：{rows}。", f"{file_name}: features without geometry: {rows}.")]
    centre = shapes.representative_point()
    return check_lonlat(centre.x, centre.y, file_name)


def _match(
    raw: pd.DataFrame, columns: tuple[Column, ...], headers: Mapping[str, str], file_name: str, *, has_geometry: bool
) -> dict[Column, str]:
    """Find the header of each column: the user's choice, else the first known name that is there."""
    plain = {_plain(header): header for header in reversed(list(raw.columns))}
    found, problems = {}, []
    names = {column.name for column in columns}
    for chosen in set(headers) - names:
        problems.append(Problem(f"{file_name}：columns 中没有“{chosen}”这一项。", f"{file_name}: columns knows no {chosen!r}."))
    for column in columns:
        wanted = (headers[column.name],) if column.name in headers else column.headers
        header = next((plain[_plain(name)] for name in wanted if _plain(name) in plain), None)
        if header is not None:
            found[column] = header
        elif column.required or column.name in headers or (column in (LON, LAT) and not has_geometry and LON in columns):
            tried, has = " / ".join(wanted), ", ".join(str(name) for name in raw.columns if name != "geometry")
            problems.append(
                Problem(
                    f"{file_name}：缺少“{column.name}”列（可用的表头：{tried}；文件中有：{has}）。",
                    f"{file_name}: column {column.name!r} is missing (known headers: {tried}; the file has: {has}).",
                )
            )
    if problems:
        raise InputError(*problems)
    return found


def _plain(header: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", header)).lower()


def _parse(cells: pd.Series, column: Column, header: str, file_name: str, problems: list[Problem]) -> pd.Series:
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
                f"{file_name}：“{header}”列应为{column.fits[0]}，有误的行：{rows}。",
                f"{file_name}: column {header!r} must be {column.fits[1]}; wrong rows: {rows}.",
            )
        )
    return pd.Series(values, index=cells.index, dtype=object if not bad and column.parse is entrances else None)


def _read_text(path: Path, sheet: str | None, layer: str | None) -> pd.DataFrame:
    """All cells as stripped text, blank as "", plus geometry in WGS84 if the file has any."""
    if not path.is_file():
        raise InputError(Problem(f"找不到文件 {path}。", f"File {path} does not exist."))
    ending = path.suffix.lower()
    if ending not in TABLE_ENDINGS + VECTOR_ENDINGS:
        known = " ".join(TABLE_ENDINGS + VECTOR_ENDINGS)
        raise InputError(Problem(f"{path.name}：不支持的格式；可用：{known}。", f"{path.name}: not a format that can be read; these can: {known}."))
    try:
        if ending in VECTOR_ENDINGS:
            return _read_vector(path, layer)
        table = read_csv_text(path) if ending == ".csv" else pd.read_excel(path, sheet_name=sheet or 0, dtype=str, keep_default_na=False)
    except InputError:
        raise
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, pd.errors.ParserError, pyogrio.errors.DataSourceError) as error:
        raise InputError(
            Problem(
                f"{path.name}：无法读取（{error}）。文件可能损坏，或扩展名与内容不符。",
                f"{path.name}: cannot be read ({error}). It may be damaged, or its ending may not tell its format.",
            )
        ) from error
    table.columns = [str(name) for name in table.columns]
    table.index = pd.RangeIndex(2, len(table) + 2)
    table = table.fillna("").apply(lambda cells: cells.str.strip())
    return table[(table != "").any(axis=1)]


def read_csv_text(path: Path) -> pd.DataFrame:
    """Read a csv, every cell as text: UTF-8 with or without BOM, UTF-16 with BOM, else GB18030; commas, semicolons or tabs."""
    data = path.read_bytes()
    if not data.strip():
        raise InputError(Problem(f"{path.name}：文件是空的。", f"{path.name}: the file is empty."))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        try:
            data.decode("utf-8")
            encoding = "utf-8-sig"
        except UnicodeDecodeError:
            encoding = "gb18030"
    first_line = data.decode(encoding).splitlines()[0]
    separator = max(",;\t", key=first_line.count)
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding, sep=separator, skip_blank_lines=False)


def _read_vector(path: Path, layer: str | None) -> gpd.GeoDataFrame:
    layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if layer is None and len(layers) > 1:
        named = ", ".join(layers)
        raise InputError(
            Problem(f"{path.name}：有多个图层（{named}），请用 layer 指明。", f"{path.name}: it has several layers ({named}): name one by layer.")
        )
    frame = gpd.read_file(path, layer=layer or layers[0])
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(Problem(f"{path.name}：没有图形。", f"{path.name}: it has no geometry."))
    if frame.crs is None:
        raise InputError(Problem(f"{path.name}：没有坐标系，请先定义坐标系。", f"{path.name}: it has no CRS; define one first."))
    frame = frame.to_crs("EPSG:4326")
    if frame.geometry.name != "geometry":
        frame = frame.rename_geometry("geometry")
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    for name in frame.columns.drop("geometry"):
        frame[name] = [_cell(value) for value in frame[name]]
    return frame


def _cell(value: object) -> str:
    """An attribute as text: whole numbers without a decimal point, nothing as ""."""
    if value is None or (isinstance(value, float) and np.isnan(value)) or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
