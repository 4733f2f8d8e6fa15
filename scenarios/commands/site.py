"""``circle15 site``."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence

from geodata.errors import OptionError, Problem
from geodata.store import open_region
from scenarios.commands.common import file_kinds, in_year, progress, shown, warn_of_traffic, write
from scenarios.output.export import site_files
from scenarios.output.report import align, site_json, site_text
from scenarios.output.writers import json_text
from scenarios.siting.od import site_from_matrix
from scenarios.siting.standby import site_standby


def run(arguments: argparse.Namespace) -> None:
    """Choose sites, on a region or on an OD table."""
    fixed = [one.strip() for one in arguments.fixed.split(",") if one.strip()]
    _refuse_foreign(
        arguments,
        ("service", "definition", "time_limit", "out", "files", "year", "growth", "weigh", "hour")
        if arguments.matrix
        else ("cost", "demand", "demand_side", "model", "limit"),
    )
    if arguments.matrix:
        if arguments.region or arguments.demand is None or arguments.limit is None:
            raise OptionError(
                Problem("--matrix 须有 --demand 与 --limit，且不与 REGION 同用。", "--matrix needs --demand and --limit, and no REGION.")
            )
        result = site_from_matrix(
            arguments.matrix,
            arguments.demand,
            cost=arguments.cost or "minutes",
            model=arguments.model or "mclp",
            sites=arguments.sites,
            limit=arguments.limit,
            fixed=fixed,
            demand_side=arguments.demand_side,
        )
        said = result.to_json()
        print(
            json_text(said) if arguments.json else align(["", ""], [[key, shown(value)] for key, value in said.items()]),
            end="\n" * (not arguments.json),
        )
        return
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


def _refuse_foreign(arguments: argparse.Namespace, names: Sequence[str]) -> None:
    """Refuse the options of the other way to site, rather than pass them over."""
    given = ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) is not None)
    if given:
        zh, en = ("OD 表", "an OD table (--matrix)") if arguments.matrix else ("REGION", "a REGION")
        raise OptionError(Problem(f"{given} 不能与 {zh} 一起使用。", f"{given} cannot be used with {en}."))
