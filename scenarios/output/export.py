"""Results as files, whole or not at all, the same bytes for the same input."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd

from coverage.circles import circles, merged_circles
from coverage.serving import question, served
from coverage.stats import CoverageResult
from geodata.region import Prepared
from scenarios.compare import Comparison, compare
from scenarios.output.ground import Bounds
from scenarios.output.legend import Language
from scenarios.output.report import coverage_json
from scenarios.output.shares import catchment_layer
from scenarios.output.site_report import before_and_after, site_json, site_table
from scenarios.output.webmap import html_map
from scenarios.output.workbook import coverage_workbook, site_workbook
from scenarios.output.writers import FILE_KINDS, FileKind, Writer, bytes_writer, csv_writer, geopackage_writer, json_writer
from scenarios.siting.region.standby import RegionPlan, plan_scenario


def coverage_files(
    prepared: Prepared,
    results: Mapping[str, CoverageResult],
    *,
    comparisons: Mapping[str, Comparison] | None = None,
    kinds: Sequence[FileKind] = FILE_KINDS,
    bounds: Bounds | None = None,
    language: Language = "zh",
) -> dict[str, Writer]:
    """Lay out the files of a coverage run: their names, and what writes each.

    Parameters
    ----------
    prepared : Prepared
    results : mapping of service id to CoverageResult
        With `comparisons`: those after the scenario.
    comparisons : mapping of service id to Comparison, optional
        Before and after a scenario: every file then tells the changes, and the scenario itself is among them.
    kinds : sequence of FileKind
    bounds : (west, south, east, north), optional
        The part that the pictures show, in degrees; the county unless given.
    language : "zh" or "en"
        Of the maps.
    """
    comparisons = comparisons or {}
    tables = {"coverage": _joined({key: result.by_zone for key, result in results.items()}, results)}
    tables |= {"gaps": _joined({key: result.gaps for key, result in results.items()}, results)}
    if comparisons:
        tables["comparison"] = _joined({key: one.by_zone for key, one in comparisons.items()}, results)
    files: dict[FileKind, dict[str, Writer]] = {
        "csv": {f"{name}.csv": csv_writer(table) for name, table in tables.items()},
        "gpkg": {"coverage.gpkg": geopackage_writer(lambda: coverage_layers(prepared, results, tables, comparisons))},
        "json": {"coverage.json": json_writer(lambda: coverage_json(prepared, results, comparisons))},
        "xlsx": {"coverage.xlsx": bytes_writer(lambda: coverage_workbook(prepared, results, comparisons=comparisons))},
    }
    if comparisons:
        scenario = next(iter(comparisons.values())).scenario
        files["json"]["scenario.json"] = bytes_writer(lambda: scenario.to_json().encode())
    for key, result in results.items():
        maps = _map_files(prepared, key, result, comparison=comparisons.get(key), bounds=bounds, language=language)
        for kind, writers in maps.items():
            files[kind] = files.get(kind, {}) | writers
    return {name: writer for kind in kinds for name, writer in files[kind].items()}


def site_files(
    prepared: Prepared, service_id: str, plan: RegionPlan, *, kinds: Sequence[FileKind] = FILE_KINDS, language: Language = "zh"
) -> dict[str, Writer]:
    """Lay out the files of a siting run; the plan is among them as a scenario, and the maps show it before and after."""
    said = site_json(prepared, service_id, plan)
    said.pop("seconds")  # the clock is not part of the result: same input, same bytes
    scenario = plan_scenario(prepared, plan, language)
    comparison = compare(prepared, scenario, plan.definition)
    files: dict[FileKind, dict[str, Writer]] = {
        "csv": {"sites.csv": csv_writer(site_table(plan)), "out_of_reach.csv": csv_writer(plan.out_of_reach)},
        "gpkg": {"site.gpkg": geopackage_writer(lambda: site_layers(prepared, plan))},
        "json": {"site.json": json_writer(lambda: said), "scenario.json": bytes_writer(lambda: scenario.to_json().encode())},
        "xlsx": {"site.xlsx": bytes_writer(lambda: site_workbook(prepared, service_id, plan))},
    }
    files |= _map_files(prepared, service_id, comparison.after, comparison=comparison, bounds=None, language=language)
    return {name: writer for kind in kinds for name, writer in files[kind].items()}


def _map_files(
    prepared: Prepared, service_id: str, result: CoverageResult, *, comparison: Comparison | None, bounds: Bounds | None, language: Language
) -> dict[FileKind, dict[str, Writer]]:
    """The maps of one service; its circle is drawn once for all of them."""

    @functools.cache
    def merged() -> gpd.GeoDataFrame:
        return merged_circles(result.definition, result.network, result.facilities)

    def page() -> bytes:
        return html_map(prepared, service_id, result, circles=merged(), comparison=comparison, language=language).encode()

    def picture() -> bytes:
        from scenarios.output.picture import coverage_picture  # noqa: PLC0415 — matplotlib takes its time, and most runs draw no picture

        return coverage_picture(prepared, service_id, result, circles=merged(), comparison=comparison, bounds=bounds, language=language)

    def folium() -> bytes:
        from scenarios.output.maps import coverage_map  # noqa: PLC0415 — so does folium

        return coverage_map(prepared, service_id, result, circles=merged(), comparison=comparison).get_root().render().encode()

    return {
        "html": {f"map-{service_id}.html": bytes_writer(page)},
        "png": {f"map-{service_id}.png": bytes_writer(picture)},
        "folium": {f"folium-{service_id}.html": bytes_writer(folium)},
    }


def coverage_layers(
    prepared: Prepared,
    results: Mapping[str, CoverageResult],
    tables: Mapping[str, pd.DataFrame],
    comparisons: Mapping[str, Comparison],
) -> dict[str, gpd.GeoDataFrame]:
    """Build the layers of coverage.gpkg; `service` and `definition` tell which run a row belongs to."""
    asked = {key: (one.definition, one.network, one.facilities) for key, one in results.items()}
    places = {key: result.facilities.to_geodataframe() for key, result in results.items()}
    zones = prepared.region.zones.to_geodataframe()[["id", "geometry"]].rename(columns={"id": "zone_id"})
    by_zone = tables["coverage"]
    demand = prepared.region.demand
    homes = demand.to_geodataframe()[["id", "geometry"]]
    roads = {key: one.roads for key, one in comparisons.items() if len(one.roads)}
    layers = {
        "circles": _joined({key: circles(*one) for key, one in asked.items()}, results),
        "catchments": _joined({key: catchment_layer(one.served, one.facilities, demand) for key, one in results.items()}, results),
        "zones": zones.merge(by_zone[by_zone["row"] == "zone"].drop(columns="row"), on="zone_id"),
        "facilities": _joined(places, results),
        "gaps": homes.merge(tables["gaps"], on="id"),
    } | {
        name: _joined({key: _points(getattr(one, name)) for key, one in comparisons.items()}, results)
        for name in ("changed", "sites")
        if comparisons
    }
    return layers | ({"roads": _joined(roads, results)} if roads else {})


def site_layers(prepared: Prepared, plan: RegionPlan) -> dict[str, gpd.GeoDataFrame]:
    """Build the layers of site.gpkg: sites, circles and catchments of the plan, zones before and after, covered demand points."""
    table, network, demand = site_table(plan), prepared.network_of(plan.definition), prepared.region.demand
    zones = prepared.region.zones.to_geodataframe()[["id", "geometry"]].rename(columns={"id": "zone_id"})
    both = before_and_after(plan)
    homes = demand.to_geodataframe()[["id", "name", "people", "urban", "geometry"]].assign(covered=plan.covered_after)
    return {
        "sites": _points(table),
        "circles": circles(plan.definition, network, plan.sites),
        "catchments": catchment_layer(served(question(plan.definition, network, demand), plan.sites), plan.sites, demand),
        "zones": zones.merge(both[both["row"] == "zone"].drop(columns="row"), on="zone_id"),
        "demand": homes[demand.inside],
    }


def _points(table: pd.DataFrame) -> gpd.GeoDataFrame:
    """A table with lon and lat as points."""
    return gpd.GeoDataFrame(table.drop(columns=["lon", "lat"]), geometry=gpd.points_from_xy(table["lon"], table["lat"]), crs="EPSG:4326")


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
