"""Tables as offices keep them (xlsx, xls, et, ods, csv, GeoJSON, GeoPackage, shapefiles) → GeoDataFrames with documented columns.

Every cell is read as text first, so that ids stay as written. Each table has a list of columns (``columns``); the header is found
under titles, and totals and notes are passed over. A row that cannot be read is never guessed at: it is given back with its reason. Rows
are numbered as the user sees them, in a sheet or csv by the line; features count from 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geodata.datum.convert import UNDECLARED
from geodata.errors import InputError, Problem, first_few
from geodata.extent import Bounds
from geodata.region_file import PlacesBlock, TableBlock
from geodata.tables.columns import FEATURES, LAT, LON, POINTS, Column
from geodata.tables.features import VECTOR_ENDINGS
from geodata.tables.opened import Opened, Wanted, open_table
from geodata.tables.place_cells import Places, convert_gates, datum_in_header, datums_of, read_cells, read_shapes, split_pairs
from geodata.tables.rejects import Fault, as_csv, fault_problems, numbered_rows, rejected_frame
from geodata.tables.rows import Cells, check_ids, county_row, make_ids, read_columns

_HINT = Problem(
    ' 可用 circle15 tables REGION --rejected DIR 把这些行写成表，改好后在 region.toml 中写 mended = "…"；'
    '或写 bad_rows = "leave_out"，不读这些行。',
    ' `circle15 tables REGION --rejected DIR` writes these rows out; mend them and write mended = "…" into region.toml, '
    'or bad_rows = "leave_out" to go on without them.',
)


@dataclass(frozen=True, eq=False)
class Table:
    """A table, read.

    Attributes
    ----------
    frame : DataFrame, or GeoDataFrame in WGS84 if the table has coordinates or shapes
        The rows taken, by our names; blank text is "". Index: the row as the user sees it. A place without coordinates has the geometry
        None.
    file, sheet : str
    header_row : int
        The first line of the header.
    rows : int
        Rows of data: taken and rejected.
    mapping : dict
        Our name → header in the file.
    passed_over : tuple of str
        Rows that are no data, by number (titles, 合计, notes), and what else was done unasked.
    rejected : DataFrame
        Rows that cannot be read: 行号 row, 原因 reason, and all cells as written. Index: the row.
    datum : str
        What the coordinates were taken as: the declared datum, the CRS of the file, "undeclared" degrees as written, "" without any.
    """

    frame: pd.DataFrame | gpd.GeoDataFrame
    file: str
    sheet: str
    header_row: int
    rows: int
    mapping: dict[str, str]
    passed_over: tuple[str, ...]
    rejected: pd.DataFrame
    datum: str


def load_table(
    block: TableBlock,
    folder: Path,
    columns: tuple[Column, ...],
    *,
    constants: Mapping[str, str] | None = None,
    bounds: Bounds | None = None,
) -> Table:
    """Read a table as region.toml describes it.

    Parameters
    ----------
    block : TableBlock
        Where it is, and what the planner has confirmed of it.
    folder : Path
        Of region.toml.
    columns : tuple of Column
        What to look for. Columns that are not listed are left out.
    constants : mapping, optional
        Our name → one text for every row, instead of a column.
    bounds : tuple, optional
        Where the county lies, in degrees: tells changed columns, and the system of metres.

    Raises
    ------
    InputError
        The table cannot be understood, has nothing to read, or has rows that cannot be read, unless they are to be left out.
    """
    to_seat = isinstance(block, PlacesBlock) and block.unlocated == "seat"
    placeless = tuple(replace(column, required=False) if column in (LON, LAT) else column for column in columns) if to_seat else columns
    opened = _opened(block, folder, columns, constants or {}, placeless=placeless)
    if block.mended is not None:
        opened = opened.mended(folder / block.mended)
    table, faults = _read(opened, block, placeless, constants or {}, bounds)
    if faults and block.bad_rows == "stop":
        *first, last = fault_problems(faults, table.file)
        raise InputError(*first, Problem(last.zh + _HINT.zh, last.en + _HINT.en))
    if table.frame.empty:
        raise InputError(*fault_problems(faults, table.file))
    if to_seat and not isinstance(table.frame, gpd.GeoDataFrame):
        return replace(table, frame=gpd.GeoDataFrame(table.frame, geometry=[None] * len(table.frame), crs="EPSG:4326"))
    return table


def _opened(
    block: TableBlock, folder: Path, columns: tuple[Column, ...], constants: Mapping[str, str], *, placeless: tuple[Column, ...]
) -> Opened:
    """Find the sheet and its header: one with coordinates, else one that can do without."""
    path = folder / block.file
    try:
        return open_table(path, Wanted(columns, block.columns, constants), sheet=block.sheet, layer=block.layer)
    except InputError:
        if placeless == columns:
            raise
    return open_table(path, Wanted(placeless, block.columns, constants), sheet=block.sheet, layer=block.layer)


def read_table(
    path: Path,
    columns: tuple[Column, ...],
    *,
    headers: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
    sheet: str | None = None,
    layer: str | None = None,
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read a table in which every row has to be right, and every place to have coordinates.

    Parameters
    ----------
    path : Path
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
    DataFrame, or GeoDataFrame in WGS84 if the table has coordinates or shapes
        As the frame of :class:`Table`.

    Raises
    ------
    InputError
        All that is wrong: file, row, column, value.
    """
    block = TableBlock(file=path, columns=dict(headers or {}))
    opened = open_table(path, Wanted(columns, block.columns, constants or {}), sheet=sheet, layer=layer)
    table, faults = _read(opened, block, columns, constants or {}, None)
    if isinstance(table.frame, gpd.GeoDataFrame):
        nowhere = table.frame.index[table.frame.geometry.isna()]
        zh, en = ("没有图形的要素", "features without geometry") if opened.shapes is not None else ("没有坐标", "no coordinates")
        faults = faults + [Fault(row, "", zh, en) for row in nowhere]
    if faults:
        raise InputError(*fault_problems(faults, table.file))
    return table.frame


def read_points(path: Path) -> gpd.GeoDataFrame:
    """Read points for a matrix: a csv or sheet with id, lon, lat, or any vector file; features without an id column are numbered from 1.

    Lines and areas are taken at a point inside them.
    """
    is_vector = path.suffix.lower() in VECTOR_ENDINGS
    frame = read_table(path, FEATURES if is_vector else POINTS)
    if "id" not in frame:
        frame["id"] = [str(row) for row in frame.index]
    return frame.set_geometry(frame.representative_point())


def rejected_csv(table: Table) -> bytes:
    """Write the rows that cannot be read as a csv to mend: ``mended`` of region.toml takes it back."""
    return as_csv(table.rejected)


def _read(
    opened: Opened, block: TableBlock, columns: tuple[Column, ...], constants: Mapping[str, str], bounds: Bounds | None
) -> tuple[Table, list[Fault]]:
    """Read all cells: the table of the rows that are right, and what is wrong with the others."""
    passed_over = list(opened.layout.passed_over)
    cells = read_columns(opened, columns, constants)
    county = county_row(cells)
    if county is not None:
        passed_over.append(f"{county} {cells.by_name['zone'][cells.rows.index(county)]}")
        cells, opened = cells.without(county), opened.without(county)
    made = make_ids(cells, columns, opened)
    cells.faults += check_ids(cells, opened)
    datum, places = _places(opened, block, cells, bounds)
    cells.faults += places.faults if places else []
    notes = [f"{note.zh} · {note.en}" for note in places.notes] if places else []
    table = Table(
        frame=cells.frame(columns, places.shapes if places else None),
        file=opened.file,
        sheet=opened.layout.sheet,
        header_row=opened.layout.header_row,
        rows=len(cells.rows),
        mapping={name: one.header for name, one in opened.matches.items()},
        passed_over=(*passed_over, *filter(None, (made, *notes))),
        rejected=rejected_frame(opened.headers, opened.layout.rows, cells.faults),
        datum=datum,
    )
    return table, cells.faults


def _places(opened: Opened, block: TableBlock, cells: Cells, bounds: Bounds | None) -> tuple[str, Places | None]:
    """Where the rows are, and what their coordinates were taken as; gates are brought along."""
    exceptions = {datum: numbered_rows(text) for datum, text in block.datum_rows.items()}
    unknown = sorted({row for rows in exceptions.values() for row in rows} - set(opened.layout.rows))
    if unknown:
        named = first_few(unknown)
        raise InputError(
            Problem(f"{opened.file}：datum_rows 中没有这些行：{named}。", f"{opened.file}: datum_rows: no such rows: {named}.")
        )
    x, y = opened.matches.get(LON.name), opened.matches.get(LAT.name)
    if opened.shapes is None and (x is None or y is None):
        return "", None
    said = None if x is None else datum_in_header(opened.layout.headings[x.at].remarks)
    datums = datums_of(cells.rows, block.datum or said, exceptions)
    if opened.shapes is not None:
        places = read_shapes(opened.shapes, opened.crs, cells.rows, datums, bounds)
        used = block.datum or opened.crs or UNDECLARED
    elif x is not None and y is not None:
        east, north = ([row[one.at] for row in opened.layout.rows.values()] for one in (x, y))
        if x.at == y.at:
            east, north = split_pairs(east)
        places = read_cells(east, north, cells.rows, datums, bounds)
        used = block.datum or said or UNDECLARED
    if places.problems:
        raise InputError(*(Problem(f"{opened.file}：{zh}。", f"{opened.file}: {en}.") for zh, en in dict.fromkeys(places.problems)))
    if "entrances" in cells.by_name:
        cells.by_name["entrances"] = convert_gates(cells.by_name["entrances"], datums)
    return used, places
