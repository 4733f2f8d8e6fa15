"""Fetch a county: the boundary, what lies in it, the folder; from the internet or from an extract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from geodata.errors import InputError, OptionError, Problem
from geodata.extent import Bounds, widened
from geodata.fetch.boundary import Boundary, read_boundary
from geodata.fetch.elements import Elements
from geodata.fetch.extract import find_boundary, read_elements
from geodata.fetch.layers import make_layers
from geodata.fetch.write import check_free, write_folder

Say = Callable[[str, str], None]
MOST_BUFFER_KM = 200


def fetch_county(
    folder: Path,
    *,
    place: str | None = None,
    pbf: Path | None = None,
    boundary: Path | None = None,
    buffer_km: float = 20,
    overpass: str | None = None,
    nominatim: str | None = None,
    say: Say = lambda _zh, _en: None,
) -> Path:
    """Fetch a county from OpenStreetMap into a folder.

    Parameters
    ----------
    folder : Path
        Made if need be. Answers of servers are kept in its ``.cache``, so that the next run goes on where this one stopped.
    place : str, optional
        The county's name, province behind a comma, or its number in OSM as R123.
    pbf : Path, optional
        An extract that holds the county: nothing is asked of any server.
    boundary : Path, optional
        The county's boundary as a vector file, instead of the one in OSM.
    buffer_km : float
        How far beyond the county roads and facilities are taken.
    overpass, nominatim : str, optional
        Other servers.
    say : callable
        Told, in both languages, what is being done.

    Returns
    -------
    Path
        region.toml; what has to be added before it can be opened stands in SOURCES.md beside it.

    Raises
    ------
    OptionError
        The place is not found, or is several; options contradict each other.
    InputError
        A file cannot be read, a server cannot be reached, there is no road.
    OutputError
        The folder already holds a file of this name, or cannot be written.
    """
    _check(place, pbf, boundary, buffer_km, servers=overpass or nominatim)
    check_free(folder)
    given = read_boundary(boundary, place) if boundary else None
    if pbf is not None:
        origin = f"OpenStreetMap 提取文件 extract: {pbf.name}"
        county = given or find_boundary(pbf, place or "")
        within = widened(county.bounds, buffer_km)
        taken = read_elements(pbf, within=within, core=county.bounds, say=say)
    else:
        origin = "OpenStreetMap，经 Nominatim 与 Overpass 服务 through Nominatim and Overpass"
        county, within, taken = _from_servers(folder, place or "", given, buffer_km, overpass=overpass, nominatim=nominatim, say=say)
    if not any("highway" in way.tags for way in taken.ways.values()):
        raise InputError(
            Problem(
                f"{county.name} 一带没有一条道路：数据不含这个县，请换文件或服务器。",
                f"There is no road around {county.name}: the data does not hold this county; use another file or server.",
            )
        )
    say("正在写文件……", "Writing files …")
    layers = make_layers(taken, county, within)
    return write_folder(folder, county, taken, layers, buffer_km=buffer_km, origin=origin)


def _check(place: str | None, pbf: Path | None, boundary: Path | None, buffer_km: float, *, servers: str | None) -> None:
    if not place and boundary is None:
        raise OptionError(
            Problem(
                "请给出县名（如“进贤县, 江西”）或 --boundary 县界文件。", "Give the county's name as PLACE, or its boundary by --boundary."
            )
        )
    if pbf is not None and servers:
        raise OptionError(
            Problem("--pbf 不用服务器，请去掉 --overpass、--nominatim。", "--pbf asks no server: leave out --overpass and --nominatim.")
        )
    if not 0 <= buffer_km <= MOST_BUFFER_KM:
        raise OptionError(Problem(f"--buffer-km 应在 0 与 {MOST_BUFFER_KM} 之间。", f"--buffer-km must be between 0 and {MOST_BUFFER_KM}."))


def _from_servers(
    folder: Path, place: str, given: Boundary | None, buffer_km: float, *, overpass: str | None, nominatim: str | None, say: Say
) -> tuple[Boundary, Bounds, Elements]:
    from geodata.fetch.osm import Server  # noqa: PLC0415 — osmnx takes seconds, and an extract needs none of it

    server = Server(folder / ".cache", say, overpass=overpass, nominatim=nominatim)
    if given is None:
        say(f"查找 {place}……", f"Looking for {place} …")
    county = given or server.find_boundary(place)
    within = widened(county.bounds, buffer_km)
    return county, within, server.read_elements(within=within, core=county.bounds)
