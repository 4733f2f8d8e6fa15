"""``circle15 site``."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence

from geodata.errors import OptionError, Problem
from geodata.store import open_region
from scenarios.commands import site_matrix
from scenarios.commands.common import file_kinds, in_year, progress, warn_of_traffic, write
from scenarios.output.export import site_files
from scenarios.output.site_report import site_json, site_text
from scenarios.output.writers import json_text
from scenarios.siting.standby import site_standby


def run(arguments: argparse.Namespace) -> int:
    """Choose sites, on a region or on an OD table."""
    fixed = [one.strip() for one in arguments.fixed.split(",") if one.strip()]
    if arguments.matrix:
        return site_matrix.run(arguments)
    _refuse_foreign(arguments, ("cost", "demand", "demand_side", "model", "limit"))
    if arguments.region is None:
        raise OptionError(Problem("请给出 REGION，或用 --matrix 给出 OD 表。", "Name a REGION, or an OD table by --matrix."))
    file_kinds(arguments)  # what is wrong with the question is told before the work
    prepared = in_year(arguments, open_region(arguments.region, progress=progress))
    progress("正在选址 ……", "Choosing sites …")
    service = arguments.service or "emergency"
    plan = site_standby(
        prepared,
        service,
        sites=arguments.sites,
        definition_id=arguments.definition,
        fixed=fixed,
        time_limit_s=arguments.time_limit,
        weigh=arguments.weigh or "residents",
        hour=arguments.hour,
    )
    warn_of_traffic(prepared, [plan.definition])
    if arguments.out:
        write(arguments, functools.partial(site_files, prepared, service, plan))
    print(json_text(site_json(prepared, service, plan)) if arguments.json else site_text(prepared, plan), end="")
    return 0


def _refuse_foreign(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse the options of an OD table, rather than pass them over."""
    given = ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None)
    if given:
        raise OptionError(Problem(f"{given} 不能与 REGION 一起使用。", f"{given} cannot be used with a REGION."))
