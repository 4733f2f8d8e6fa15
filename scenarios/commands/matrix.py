"""``circle15 matrix``."""

from __future__ import annotations

import argparse

from geodata.standards import read_speeds
from scenarios.commands.common import progress
from scenarios.od import Traffic, check_ending, od_table, write_table
from scenarios.output.report import rows


def run(arguments: argparse.Namespace) -> None:
    """Write travel times between points."""
    check_ending(arguments.out)
    table = od_table(
        arguments.roads,
        arguments.origins,
        arguments.destinations,
        mode=arguments.mode,
        weight=arguments.weight,
        limit_minutes=arguments.limit_minutes,
        max_snap_m=arguments.max_snap,
        access_leg=arguments.access_leg,
        traffic=Traffic(read_speeds(arguments.speeds), arguments.hour),
        say=progress,
    )
    write_table(table.pairs, arguments.out)
    for point in rows(table.off_network):
        away = f"{point['road_m']:,.0f} m"
        progress(
            f"{point['side']} {point['id']}：距最近的可用道路 {away}，没有结果行",
            f"{point['side']} {point['id']}: {away} from any permitted road, no rows",
        )
    progress(f"{len(table.pairs)} 个可达点对写入 {arguments.out}", f"{len(table.pairs)} reachable pairs written to {arguments.out}")
