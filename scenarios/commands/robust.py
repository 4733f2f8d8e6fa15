"""``circle15 robust``."""

from __future__ import annotations

import argparse
from typing import Any, cast

from geodata.errors import OptionError, Problem, first_few
from scenarios.commands.common import cancellable, in_year, progress, warn_of_traffic, write
from scenarios.commands.curve import of_kinds, refuse_equal
from scenarios.commands.site_matrix import ids_in
from scenarios.commands.site_region import by_site, region_choice
from scenarios.output.robust_report import robust_files, robust_json, robust_text
from scenarios.output.writers import json_text
from scenarios.siting.region.robust import OVER, TERMS_OF, Circumstances, Over, refuse_number_found, region_robust


def run(arguments: argparse.Namespace) -> None:
    """Find the plan that is good whatever happens."""
    refuse_equal(arguments)
    refuse_number_found(arguments.model or "lexicographic")
    over, cut = _over(arguments), _ways(arguments)
    terms = _terms_of_others(arguments)
    today, choice = region_choice(argparse.Namespace(**(vars(arguments) | dict.fromkeys(terms) | {"year": None, "growth": None})))
    prepared = in_year(arguments, today)
    circumstances = Circumstances(today=today, over=over, cut=cut, year=arguments.year, growth=arguments.growth or "central", terms=terms)
    with cancellable(arguments.time_limit) as stop:
        result = region_robust(
            prepared,
            arguments.service or "emergency",
            choice,
            circumstances,
            definition_id=arguments.definition,
            stop=stop,
            progress=progress,
        )
    warn_of_traffic(prepared, [result.question.definition])
    if arguments.out:
        write(arguments, of_kinds(robust_files(prepared, result)))
    print(json_text(robust_json(prepared, result)) if arguments.json else robust_text(prepared, result), end="")


def _over(arguments: argparse.Namespace) -> tuple[Over, ...]:
    """What is to differ: all that can, unless it is said."""
    if arguments.over is None:
        return tuple(one for one in OVER if one != "roads" or arguments.cut)
    wanted = ids_in(arguments.over)
    known = ", ".join(OVER)
    if unknown := first_few(sorted(set(wanted) - set(OVER))):
        raise OptionError(Problem(f"--over：没有 {unknown}；可选：{known}。", f"--over: no {unknown}; there are: {known}."))
    if "roads" in wanted and not arguments.cut:
        raise OptionError(Problem("--over roads 须用 --cut 写出断开的道路。", "--over roads needs --cut: which ways are cut."))
    return cast("tuple[Over, ...]", tuple(one for one in OVER if one in wanted))


def _ways(arguments: argparse.Namespace) -> tuple[int | str, ...]:
    """Ids of ways; those of the map are whole numbers."""
    if arguments.cut and arguments.over is not None and "roads" not in ids_in(arguments.over):
        raise OptionError(Problem("--cut 须有 --over roads（或不写 --over）。", "--cut goes with --over roads, or without --over."))
    return tuple(int(one) if one.lstrip("-").isdecimal() else one for one in ids_in(arguments.cut))


def _terms_of_others(arguments: argparse.Namespace) -> dict[str, Any]:
    """Terms that the model itself does not have: of the other models to which the plan is held."""
    own = TERMS_OF.get(arguments.model or "lexicographic", ())
    given: dict[str, Any] = {}
    if arguments.busy is not None and "busy" not in own:
        given["busy"] = "log" if arguments.busy == "log" else by_site(arguments.busy, "busy")
    if arguments.capacity is not None and "capacity" not in own:
        given["capacity"] = by_site(arguments.capacity, "capacity")
    if arguments.alpha is not None and "alpha" not in own:
        given["alpha"] = arguments.alpha
    return given
