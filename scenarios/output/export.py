"""Results as files, whole or not at all, the same bytes for the same input."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from coverage.circles import circles
from coverage.stats import CoverageResult
from geodata.errors import OutputError, Problem, os_reason
from geodata.region import Prepared
from scenarios.output.report import coverage_json, rows, site_json, site_table
from scenarios.siting.standby import StandbyPlan

Writer = Callable[[Path], None]
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


def write_coverage(prepared: Prepared, results: Mapping[str, CoverageResult], folder: Path) -> list[Path]:
    """Write coverage.csv, gaps.csv, coverage.gpkg (circles, zones, facilities, gaps) and coverage.json."""
    tables = {name: _joined({key: getattr(result, name) for key, result in results.items()}, results) for name in ("by_zone", "gaps")}
    return write_files(
        folder,
        {
            "coverage.csv": _csv(tables["by_zone"]),
            "gaps.csv": _csv(tables["gaps"]),
            "coverage.gpkg": _geopackage(coverage_layers(prepared, results, tables)),
            "coverage.json": _json(coverage_json(prepared, results)),
        },
    )


def write_site(prepared: Prepared, service: str, plan: StandbyPlan, folder: Path) -> list[Path]:
    """Write sites.csv, site.gpkg (sites, zones before and after, demand) and site.json."""
    said = site_json(prepared, service, plan)
    said.pop("seconds")  # the clock is not part of the result: same input, same bytes
    return write_files(
        folder,
        {"sites.csv": _csv(site_table(plan)), "site.gpkg": _geopackage(site_layers(prepared, plan)), "site.json": _json(said)},
    )


def coverage_layers(
    prepared: Prepared, results: Mapping[str, CoverageResult], tables: Mapping[str, pd.DataFrame]
) -> dict[str, gpd.GeoDataFrame]:
    """Build the layers of coverage.gpkg; `service` and `definition` tell which run a row belongs to."""
    drawn = {
        key: circles(result.definition, prepared.network(result.definition.mode), result.facilities) for key, result in results.items()
    }
    places = {key: result.facilities.to_geodataframe() for key, result in results.items()}
    zones = prepared.region.zones.to_geodataframe()[["id", "geometry"]].rename(columns={"id": "zone_id"})
    by_zone = tables["by_zone"]
    homes = prepared.region.demand.to_geodataframe()[["id", "geometry"]]
    return {
        "circles": _joined(drawn, results),
        "zones": zones.merge(by_zone[by_zone["row"] == "zone"].drop(columns="row"), on="zone_id"),
        "facilities": _joined(places, results),
        "gaps": homes.merge(tables["gaps"], on="id"),
    }


def site_layers(prepared: Prepared, plan: StandbyPlan) -> dict[str, gpd.GeoDataFrame]:
    """Build the layers of site.gpkg: sites, circles of the plan, zones before and after, covered demand points."""
    table = site_table(plan)
    zones = prepared.region.zones.to_geodataframe()[["id", "geometry"]].rename(columns={"id": "zone_id"})
    both = plan.before.merge(plan.after, on=["row", "zone_id", "zone", "people", "settlements"], suffixes=("_before", "_after"))
    homes = prepared.region.demand.to_geodataframe()[["id", "name", "people", "urban", "geometry"]].assign(covered=plan.covered_after)
    return {
        "sites": gpd.GeoDataFrame(
            table.drop(columns=["lon", "lat"]), geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs="EPSG:4326"
        ),
        "circles": circles(plan.definition, prepared.network(plan.definition.mode), plan.sites),
        "zones": zones.merge(both[both["row"] == "zone"].drop(columns="row"), on="zone_id"),
        "demand": homes[prepared.region.demand.inside],
    }


def _joined(frames: Mapping[str, Any], results: Mapping[str, CoverageResult]) -> Any:  # noqa: ANN401 — frames or geoframes alike
    """All runs in one table, each row marked with its service, definition and limit."""
    marked = []
    for key, frame in frames.items():
        copy = frame.copy()
        copy.insert(0, "limit", results[key].definition.limit_text)
        copy.insert(0, "definition", results[key].definition.id)
        copy.insert(0, "service", key)
        marked.append(copy)
    return pd.concat([frame for frame in marked if len(frame)] or marked[:1], ignore_index=True)


def _csv(table: pd.DataFrame) -> Writer:
    """UTF-8 with BOM, so that Excel shows Chinese; text that Excel would run as a formula is set off by an apostrophe."""

    def write(path: Path) -> None:
        safe = pd.DataFrame(rows(table), columns=[str(name) for name in table.columns], dtype=object)
        safe = safe.map(lambda cell: "'" + cell if isinstance(cell, str) and cell.startswith(_FORMULA) else cell)
        safe.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")

    return write


def _json(said: dict[str, Any]) -> Writer:
    def write(path: Path) -> None:
        path.write_bytes(json_text(said).encode())

    return write


def json_text(said: dict[str, Any]) -> str:
    """Lay out JSON for people and programs: Chinese as it is, no nan."""
    return json.dumps(said, ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n"


def _geopackage(layers: Mapping[str, gpd.GeoDataFrame]) -> Writer:
    def write(path: Path) -> None:
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
