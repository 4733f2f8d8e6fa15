"""Files, whole or not at all, the same bytes for the same input: csv, JSON, GeoPackage and whatever else is made as bytes."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import geopandas as gpd
import pandas as pd
import pyogrio

from geodata.errors import OutputError, Problem, os_reason
from scenarios.output.report import rows

Writer = Callable[[Path], None]
FileKind = Literal["csv", "gpkg", "json", "xlsx", "html", "png", "folium"]
FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_files(folder: Path, writers: Mapping[str, Writer]) -> list[Path]:
    """Write several files into a folder: all are made beside their places first, then moved there.

    Raises
    ------
    OutputError
        The folder cannot be made or written; nothing was changed in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder, prefix=".circle15-"))
    except OSError as error:
        raise OutputError(
            Problem(
                f"无法写入 {folder}（{os_reason(error).zh}）。请换一个文件夹。",
                f"Cannot write to {folder} ({os_reason(error).en}). Choose another folder.",
            )
        ) from error
    try:
        for name, write in writers.items():
            write(draft / name)
        _move(draft, folder, list(writers))
    except OSError as error:
        raise OutputError(
            Problem(
                f"写入 {folder} 时出错（{os_reason(error).zh}）：文件是否正被其他程序打开，或磁盘已满？",
                f"Writing to {folder} failed ({os_reason(error).en}): is a file open in another program, or the disk full?",
            )
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return [folder / name for name in writers]


def _move(draft: Path, folder: Path, names: list[str]) -> None:
    """Move files into their places; if one cannot be (open in another program), every older file is put back."""
    old = draft / "old"
    old.mkdir()
    try:
        for name in names:
            if (folder / name).exists():
                (folder / name).replace(old / name)
        for name in names:
            (draft / name).replace(folder / name)
    except OSError:
        for name in names:
            if (old / name).exists():
                (old / name).replace(folder / name)
        raise


def file_bytes(name: str, writer: Writer) -> bytes:
    """Give what a writer writes, for a download."""
    with tempfile.TemporaryDirectory(prefix="circle15-") as folder:
        write_files(Path(folder), {name: writer})
        return (Path(folder) / name).read_bytes()


def csv_writer(table: pd.DataFrame) -> Writer:
    """UTF-8 with BOM, so that Excel shows Chinese; text that Excel would run as a formula is set off by an apostrophe."""

    def write(path: Path) -> None:
        safe = pd.DataFrame(rows(table), columns=[str(name) for name in table.columns], dtype=object)
        safe = safe.map(lambda cell: "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell)
        safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")

    return write


def bytes_writer(make: Callable[[], bytes]) -> Writer:
    """Write what is made when the file's turn comes."""

    def write(path: Path) -> None:
        path.write_bytes(make())

    return write


def json_writer(make: Callable[[], dict[str, Any]]) -> Writer:
    """Write a dictionary as JSON when its turn comes."""
    return bytes_writer(lambda: json_text(make()).encode())


def json_text(said: dict[str, Any]) -> str:
    """Lay out JSON for people and programs: Chinese as it is, no nan."""
    return json.dumps(said, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"


def geopackage_writer(make: Callable[[], Mapping[str, gpd.GeoDataFrame]]) -> Writer:
    """Write layers as a GeoPackage when its turn comes."""

    def write(path: Path) -> None:
        layers = make()
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2000-01-01T00:00:00.000Z"})  # same input, same bytes
        try:
            for name, layer in layers.items():
                geometry = "MultiPolygon" if layer.geom_type.isin(["Polygon", "MultiPolygon"]).all() and len(layer) else "Unknown"
                pyogrio.write_dataframe(
                    layer, path, layer=name, driver="GPKG", geometry_type=geometry, promote_to_multi=geometry == "MultiPolygon"
                )
        except pyogrio.errors.DataSourceError as error:
            raise OSError(str(error)) from error
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})

    return write
