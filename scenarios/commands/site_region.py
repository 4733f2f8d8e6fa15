"""``circle15 site`` on a region; what its options ask, for the other siting commands too."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from geodata.errors import Circle15Error, OptionError, Problem
from geodata.model import Facilities
from geodata.region import Prepared
from geodata.store import open_region
from scenarios.commands.common import cancellable, file_kinds, in_year, progress, warn_of_traffic, write
from scenarios.commands.site_matrix import ids_in
from scenarios.flood import read_area
from scenarios.output.export import site_files
from scenarios.output.site_report import site_json, site_text
from scenarios.output.writers import json_text
from scenarios.siting.region.candidate_file import read_candidates
from scenarios.siting.region.choice import ELIGIBLE, Choice
from scenarios.siting.region.standby import site_region
from scenarios.siting.tables.site_numbers import Numbered, price_unit, site_ids, site_numbers

OF_A_TABLE = ("cost", "demand", "demand_side", "limit")
EQUALS = 10  # other choices, exactly as good, that are looked for unless more or fewer are asked for


def run(arguments: argparse.Namespace) -> int:
    """Choose sites on a region."""
    prepared, choice = region_choice(arguments)
    if arguments.equal is None:
        choice = replace(choice, equals=EQUALS)
    service = arguments.service or "emergency"
    progress("正在选址 ……", "Choosing sites …")
    with cancellable(arguments.time_limit) as stop:
        plan = site_region(prepared, service, choice, definition_id=arguments.definition, stop=stop)
    warn_of_traffic(prepared, [plan.definition])
    if arguments.out:
        write(arguments, functools.partial(site_files, prepared, service, plan))
    print(json_text(site_json(prepared, service, plan)) if arguments.json else site_text(prepared, plan), end="")
    return 0


def region_choice(arguments: argparse.Namespace) -> tuple[Prepared, Choice]:
    """Open the region that siting options name, in its year, and make a choice of the options.

    Raises
    ------
    Circle15Error
        Any of them does not fit; of what can be told before the region is read, all at once.
    """
    _refuse_foreign(arguments)
    file_kinds(arguments)  # what is wrong with the question is told before the work
    files = [Path(one) for one in arguments.candidates or () if Path(one).is_file()]
    said = _said(arguments, files)
    prepared = in_year(arguments, open_region(arguments.region, progress=progress))
    if not files:
        return prepared, Choice(**said)
    points, prices = _points(files, prepared)
    return prepared, Choice(**said | {"points": points, "prices": prices | said["prices"]})


def _said(arguments: argparse.Namespace, files: Sequence[Path]) -> dict[str, Any]:
    """The terms of a choice as the options say them; unless places of files are still to be read, checked as a whole."""
    problems: list[Problem] = []

    def told(text: str | Path | None, column: Numbered) -> float | dict[str, float] | None:
        try:
            return None if text is None else by_site(str(text), column)
        except Circle15Error as error:
            problems.extend(error.problems)
            return None

    said: dict[str, Any] = {
        "model": arguments.model or "lexicographic",
        "sites": arguments.sites,
        "fixed": ids_in(arguments.fixed),
        "forbidden": ids_in(arguments.forbid),
        "closable": ids_in(arguments.closable),
        "movable": ids_in(arguments.movable),
        "move_within_km": arguments.move_within,
        "candidates": tuple(one for one in arguments.candidates or [ELIGIBLE] if Path(one) not in files),
        "within": read_area(arguments.within) if arguments.within else None,
        "exclude": read_area(arguments.exclude) if arguments.exclude else None,
        "spacing_m": arguments.spacing,
        "budget": arguments.budget,
        "prices": told(arguments.prices, "price") or {},
        "vehicles": told(arguments.vehicles, "vehicles"),
        "fleet": arguments.fleet,
        "busy": "log" if arguments.busy == "log" else told(arguments.busy, "busy"),
        "capacity": told(arguments.capacity, "capacity"),
        "share": arguments.share,
        "alpha": arguments.alpha,
        "wide_minutes": arguments.limit2,
        "weighted": arguments.weighted,
        "weigh": arguments.weigh or "residents",
        "hour": arguments.hour,
        "equals": arguments.equal or 0,
    }
    if said["prices"] and arguments.prices.is_file():
        said["price_unit"] = price_unit(arguments.prices)
    if isinstance(said["prices"], float):
        problems.append(Problem("--prices 须是一张表（id,price）。", "--prices must be a table (id,price)."))
    try:
        if not files and not problems:
            Choice(**said)
    except OptionError as error:
        problems.extend(error.problems)
    if problems:
        raise OptionError(*problems)
    return said


def by_site(text: str, column: Numbered) -> float | dict[str, float]:
    """Read one number for all sites, or a table of id and number."""
    path = Path(text)
    ids = site_ids(path) if path.is_file() else ["all"]
    read = site_numbers(text, ids, column)
    numbers = [int(one) for one in read] if column == "vehicles" else read.tolist()
    return dict(zip(ids, numbers, strict=True)) if path.is_file() else numbers[0]


def _points(files: Sequence[Path], prepared: Prepared) -> tuple[Facilities, dict[str, float]]:
    """The places of all files in a row, and their prices; what is to be known of the files is told."""
    places: Facilities | None = None
    prices: dict[str, float] = {}
    for path in files:
        read = read_candidates(path, prepared.region)
        places = read.places if places is None else places.joined(read.places)
        prices |= read.prices
        for words in read.notes:
            progress(*words)
    if places is None:
        raise AssertionError  # there is a file
    return places, prices


def _refuse_foreign(arguments: argparse.Namespace) -> None:
    """Refuse the options of an OD table, rather than pass them over."""
    names = [name for name in OF_A_TABLE if getattr(arguments, name, None) is not None]
    if given := ", ".join(f"--{name.replace('_', '-')}" for name in names):
        raise OptionError(Problem(f"{given} 不能与 REGION 一起使用。", f"{given} cannot be used with a REGION."))
