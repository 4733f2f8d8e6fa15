"""The county folder: files that circle15 reads, templates for the planner to fill in, and what to know about them (SOURCES.md)."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import geopandas as gpd
import osmium
import pyogrio
import shapely
from osmium.osm import mutable

from geodata.errors import OutputError, Problem, first_few, os_reason
from geodata.fetch.boundary import Boundary
from geodata.fetch.elements import Elements, all_nodes
from geodata.fetch.layers import Layers
from geodata.fetch.sources import sources_text
from geodata.fetch.tags import is_network, is_turn
from geodata.standards import default_services

FILES = (
    *("roads.osm.pbf", "townships.gpkg", "boundary.gpkg", "landuse.gpkg", "buildings.gpkg", "medical.csv", "emergency.csv"),
    *("fitness.gpkg", "settlements.csv", "township_population.csv", "SOURCES.md", "region.toml"),
)
CREDIT = "© OpenStreetMap contributors, ODbL"
POINTS = ("编码", "名称", "类别", "经度", "纬度", "床位数", "可设急救点", "涉密", "入口")
REGION = """\
# {name}: fetched from OpenStreetMap (circle15 fetch). Read SOURCES.md first: it says what has to be added and checked.
# 由 circle15 fetch 取自 OpenStreetMap。请先看 SOURCES.md：须补什么、须核对什么。
name = {quoted}
date = {date}
buffer_km = {buffer_km:g}

[roads]
file = "roads.osm.pbf"
source = {source}

[zones]
file = "townships.gpkg"
source = {zone_source}

[population]
file = "township_population.csv" # 常住人口待填 · residents to be filled in
source = "待填 (to be stated)"

[demand]
file = "settlements.csv" # 人口待填，缺的村要补 · people to be filled in, missing villages to be added
datum = "wgs84"
source = {source}
"""
FACILITIES = """
[[facilities]]
file = "{file}"
datum = "wgs84"
source = {source}
"""


def check_free(folder: Path) -> None:
    """Refuse a folder that holds a file which would be written.

    Raises
    ------
    OutputError
        It does; or it is no folder.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(Problem(f"{folder} 是文件，不是文件夹。", f"{folder} is a file, not a folder."))
    there = [name for name in FILES if (folder / name).exists()]
    if there:
        named = first_few(there)
        raise OutputError(
            Problem(
                f"{folder} 中已有 {named}，不会覆盖。请另选文件夹，或先移走这些文件。",
                f"{folder} already holds {named}; nothing is replaced. Choose another folder, or move them away first.",
            )
        )


def write_folder(folder: Path, boundary: Boundary, taken: Elements, layers: Layers, *, buffer_km: float, origin: str) -> Path:
    """Write a county folder, whole or not at all; region.toml comes last.

    Parameters
    ----------
    folder : Path
        Holds none of FILES yet; a draft is made in its ``.cache``.
    boundary : Boundary
        The county.
    taken : Elements
        Roads and water are written from these, with OSM's own geometry and ids.
    layers : Layers
        All tables.
    buffer_km : float
        How far beyond the county roads and facilities reach.
    origin : str
        The file or the servers that the data came from.

    Returns
    -------
    Path
        region.toml.
    """
    draft = folder / ".cache" / "draft"
    try:
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        _write_draft(draft, boundary, taken, layers, buffer_km=buffer_km, origin=origin)
        for name in FILES:
            if (draft / name).exists():
                (draft / name).rename(folder / name)
        draft.rmdir()
    except OSError as error:
        reason = os_reason(error)
        raise OutputError(Problem(f"无法写入 {folder}（{reason.zh}）。", f"Cannot write to {folder} ({reason.en}).")) from error
    return folder / "region.toml"


def _write_draft(draft: Path, boundary: Boundary, taken: Elements, layers: Layers, *, buffer_km: float, origin: str) -> None:
    _write_roads(draft / "roads.osm.pbf", taken)
    whole = gpd.GeoDataFrame({"id": ["county"], "name": [boundary.name]}, geometry=[boundary.area], crs="EPSG:4326")
    fitness = layers.facilities[layers.facilities["service"] == "fitness"]
    tables = {
        "townships": layers.zones,
        "boundary": whole,
        "landuse": layers.residential,
        "buildings": layers.buildings,
        "fitness": fitness.drop(columns=["service", "beds", "emergency"]).assign(kind=[_kind(kind) for kind in fitness["kind"]]),
    }
    with _dated(taken):
        for name, table in tables.items():
            if len(table):
                table.to_file(draft / f"{name}.gpkg", driver="GPKG", layer=name)
    services = ["fitness"] if len(fitness) else []
    for service in ("emergency", "medical"):  # an empty table of hospitals is there to be filled in
        places = layers.facilities[layers.facilities["service"] == service]
        if len(places) or service == "medical":
            services.insert(0, service)
            _write_csv(draft / f"{service}.csv", POINTS, _point_rows(places))
    codes = [[zone.id, zone.name, ""] for zone in layers.zones.itertuples(index=False)]
    _write_csv(draft / "township_population.csv", ("乡镇代码", "乡镇", "常住人口"), codes)
    _write_csv(draft / "settlements.csv", ("编码", "名称", "乡镇代码", "经度", "纬度", "人口", "城乡"), _settlement_rows(layers))
    (draft / "SOURCES.md").write_text(sources_text(boundary, taken, layers, origin), encoding="utf-8", newline="\n")
    (draft / "region.toml").write_text(_region_text(boundary, taken, services, buffer_km), encoding="utf-8", newline="\n")


@contextmanager
def _dated(taken: Elements) -> Iterator[None]:
    """A GeoPackage carries an hour: that of the data, so that the same data gives the same bytes."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{taken.date.isoformat()}T00:00:00Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _region_text(boundary: Boundary, taken: Elements, services: Sequence[str], buffer_km: float) -> str:
    source = _quoted(f"{CREDIT}; {taken.date.isoformat()}")
    zone_source = _quoted(f"{boundary.source} ({CREDIT})，非法定界线 not official" if boundary.parts is None else boundary.source)
    endings = {"fitness": "gpkg"}
    head = REGION.format(
        name=" ".join(boundary.name.split()),
        quoted=_quoted(boundary.name),
        date=taken.date.isoformat(),
        buffer_km=buffer_km,
        source=source,
        zone_source=zone_source,
    )
    return head + "".join(FACILITIES.format(file=f"{service}.{endings.get(service, 'csv')}", source=source) for service in services)


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "")


def _kind(kind: str) -> str:
    return default_services().kinds[kind].zh


def _point_rows(places: gpd.GeoDataFrame) -> Iterator[Sequence[object]]:
    for place in places.itertuples(index=False):
        point = shapely.point_on_surface(place.geometry)
        eligible = "是" if place.emergency else "否"
        yield place.id, place.name, _kind(place.kind), f"{point.x:.7f}", f"{point.y:.7f}", place.beds, eligible, "", place.entrances


def _settlement_rows(layers: Layers) -> Iterator[Sequence[object]]:
    for one in layers.settlements.itertuples(index=False):
        point = one.geometry
        yield one.id, one.name, one.zone, f"{point.x:.7f}", f"{point.y:.7f}", "", "城市" if one.urban else "农村"


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """In UTF-8 with a mark, as Excel expects it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _write_roads(path: Path, taken: Elements) -> None:
    """Roads and water as OSM has them: ids, tags, and every node of the line."""
    lakes = {n: one for n, one in taken.relations.items() if one.tags.get("type") == "multipolygon" and is_network(one.tags)}
    relations = {n: one for n, one in taken.relations.items() if n in lakes or is_turn(one.tags)}
    members = {way for relation in lakes.values() for way in relation.ways}
    ways = {number: way for number, way in taken.ways.items() if number in members or is_network(way.tags)}
    header = osmium.io.Header()
    header.set("generator", f"circle15 fetch ({CREDIT})")
    nodes = all_nodes(ways.values())
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for node, (lon, lat) in zip(nodes.tolist(), taken.course(nodes).tolist(), strict=True):
            if lon == lon:  # noqa: PLR0124 — nan: the source lacks this node, and the reader leaves the gap
                tags = dict(taken.node_tags.get(node, {}))
                writer.add_node(mutable.Node(id=node, version=1, visible=True, location=(lon, lat), tags=tags))
        for number, way in ways.items():
            writer.add_way(mutable.Way(id=number, version=1, visible=True, nodes=way.nodes.tolist(), tags=dict(way.tags)))
        for number, relation in relations.items():
            parts = [(kind, ref, role) for kind, ref, role in relation.members]
            writer.add_relation(mutable.Relation(id=number, version=1, visible=True, members=parts, tags=dict(relation.tags)))
