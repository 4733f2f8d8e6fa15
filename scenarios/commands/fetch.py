"""``circle15 fetch``."""

from __future__ import annotations

import argparse

from geodata.fetch.county import fetch_county
from scenarios.commands.common import progress


def run(arguments: argparse.Namespace) -> None:
    """Fetch a county from OSM and say where it stands, and what is still missing."""
    path = fetch_county(
        arguments.folder,
        place=arguments.place,
        pbf=arguments.pbf,
        boundary=arguments.boundary,
        buffer_km=arguments.buffer_km,
        overpass=arguments.overpass,
        nominatim=arguments.nominatim,
        say=progress,
    )
    print(path)
    notes = path.parent / "SOURCES.md"
    progress(
        f"OSM 没有人口：请先填 township_population.csv 与 settlements.csv，须补充的都列在 {notes}",
        f"OSM has no population: fill in township_population.csv and settlements.csv first; {notes} lists all that has to be added",
    )
