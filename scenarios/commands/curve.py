"""``circle15 curve``."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence

from geodata.errors import OptionError, Problem
from scenarios.commands.common import cancellable, progress, warn_of_traffic, write
from scenarios.commands.site_region import region_choice
from scenarios.output.curve_report import curve_files, curve_json, curve_text
from scenarios.output.writers import FileKind, Writer, json_text
from scenarios.siting.region.curve import Years, region_curve
from scenarios.siting.several.curve import refuse_number_found
from scenarios.siting.several.years import check_totals


def run(arguments: argparse.Namespace) -> None:
    """Tell how much each number of points serves, and in which order to build them."""
    refuse_equal(arguments)
    refuse_number_found(arguments.model or "lexicographic")
    years = _years(arguments)
    prepared, choice = region_choice(_of_one_number(arguments))
    with cancellable(arguments.time_limit) as stop:
        result = region_curve(
            prepared,
            arguments.service or "emergency",
            choice,
            definition_id=arguments.definition,
            most=arguments.most,
            order_sites=arguments.sites,
            years=years,
            stop=stop,
            progress=progress,
        )
    warn_of_traffic(prepared, [result.question.definition])
    if arguments.out:
        write(arguments, of_kinds(curve_files(prepared, result)))
    print(json_text(curve_json(prepared, result)) if arguments.json else curve_text(prepared, result), end="")


def refuse_equal(arguments: argparse.Namespace) -> None:
    """Refuse --equal, which is of one plan."""
    if arguments.equal is not None:
        raise OptionError(Problem("--equal 用于 site，不用于本命令。", "--equal goes with site, not with this command."))


def of_kinds(files: Mapping[str, Writer]) -> Callable[..., dict[str, Writer]]:
    """Only the files of the kinds that are asked for; they have no maps, hence no language."""

    def wanted(*, kinds: Sequence[FileKind], language: str) -> dict[str, Writer]:  # noqa: ARG001  of maps
        return {name: writer for name, writer in files.items() if name.rpartition(".")[2] in kinds}

    return wanted


def _of_one_number(arguments: argparse.Namespace) -> argparse.Namespace:
    """The same options for one number of points, any: the curve asks for all; people of several years are grown there."""
    given = dict(vars(arguments))
    if given["sites"] is None:
        given["sites"] = given["most"] or 1
    if given["by_year"] is not None:
        given |= {"year": None, "growth": None}
    return argparse.Namespace(**given)


def _years(arguments: argparse.Namespace) -> Years | None:
    """Read YEAR:N,YEAR:N."""
    if arguments.by_year is None:
        return None
    if arguments.year is not None:
        raise OptionError(Problem("--by-year 已写明各年，不与 --year 同用。", "--by-year names the years: leave --year out."))
    totals = {}
    for one in arguments.by_year.split(","):
        year, _, number = (part.strip() for part in one.partition(":"))
        if not (year.isdecimal() and number.isdecimal() and int(number) >= 1 and int(year) not in totals):
            zh = f"--by-year：读不懂“{one.strip()}”。写成 年:总数，每年一次，如 2026:2,2028:4,2030:5。"
            en = f"--by-year: cannot read {one.strip()!r}. Write YEAR:TOTAL, each year once, such as 2026:2,2028:4,2030:5."
            raise OptionError(Problem(zh, en))
        totals[int(year)] = int(number)
    check_totals(totals)
    return Years(totals, arguments.growth or "central")
