"""What the commands share: what is said beside the answer, which files are written."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import Any

from geodata.errors import FontError, OptionError, Problem, first_few
from geodata.growth import grown
from geodata.region import Prepared
from geodata.standards import ServiceDefinition
from geodata.store import open_region
from scenarios.model import read_scenario, with_scenario
from scenarios.output.speed_words import traffic_warnings
from scenarios.output.writers import FILE_KINDS, FileKind, Writer, write_files
from scenarios.siting.stop import Stop


def say(text: str) -> None:
    """Say something beside the answer."""
    print(f"circle15: {text}", file=sys.stderr)


def progress(zh: str, en: str) -> None:
    """Say what is being done."""
    say(f"{zh} / {en}")


def shown(value: Any) -> str:  # noqa: ANN401 — any fact
    """A fact or figure for people: thousands set off, lists and counts in a row."""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items())
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:,.10g}" if isinstance(value, int | float) else str(value)


@contextmanager
def cancellable(time_limit_s: float | None = None) -> Iterator[Stop]:
    """While this lasts, Ctrl-C ends the search and the best so far is kept; a second one interrupts the program as ever.

    Raises
    ------
    OptionError
        The time limit is not above 0.
    """
    if time_limit_s is not None and not time_limit_s > 0:
        zh, en = f"--time-limit 须大于 0，现为 {time_limit_s:g}。", f"--time-limit must be above 0, not {time_limit_s:g}."
        raise OptionError(Problem(zh, en))
    stop = Stop.after(time_limit_s)

    def cancel(number: int, frame: FrameType | None) -> None:
        if stop.cancelled.is_set():
            signal.default_int_handler(number, frame)
        stop.cancelled.set()
        progress(
            "正在停止，保留已找到的最好方案（再按一次 Ctrl-C 立即退出）……",
            "Stopping with the best so far (Ctrl-C again to leave at once) …",
        )

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class Question:
    """What a study asks: a region with its scenario and year, a service, and the definition with its minutes and hour."""

    prepared: Prepared
    service_id: str
    definition: ServiceDefinition


def asked(arguments: argparse.Namespace) -> Question:
    """Open the region that the options of a study name, and find the definition they ask for.

    Raises
    ------
    Circle15Error
        Any of them does not fit.
    """
    scenario = read_scenario(arguments.scenario) if arguments.scenario else None
    prepared = in_year(arguments, open_region(arguments.region, progress=progress))
    if scenario is not None:
        prepared = with_scenario(prepared, scenario)
    definition = prepared.services.service(arguments.service).definition(arguments.definition)
    definition = as_asked(arguments, definition)
    warn_of_traffic(prepared, [definition])
    return Question(prepared, arguments.service, definition)


def as_asked(arguments: argparse.Namespace, definition: ServiceDefinition) -> ServiceDefinition:
    """Put the minutes and the hour of the options into a definition."""
    if arguments.minutes is not None:
        definition = definition.with_minutes(arguments.minutes)
    return definition if arguments.hour is None else definition.at_hour(arguments.hour)


def warn_of_traffic(prepared: Prepared, definitions: Sequence[ServiceDefinition]) -> None:
    """Tell of hours of which nothing is known, and of speeds that are not used."""
    for words in traffic_warnings(prepared, definitions):
        progress(*words)


def in_year(arguments: argparse.Namespace, prepared: Prepared) -> Prepared:
    """Put the people of the target year in place of those of today, if there is one."""
    if arguments.year is None:
        if arguments.growth is not None:
            raise OptionError(Problem("--growth 须与 --year 一起使用。", "--growth goes with --year."))
        return prepared
    return replace(prepared, region=grown(prepared.region, arguments.year, arguments.growth or "central"))


def file_kinds(arguments: argparse.Namespace) -> tuple[FileKind, ...]:
    """The kinds of file wanted, in the order of FILE_KINDS."""
    if arguments.files is None:
        return FILE_KINDS
    wanted = {one.strip() for one in arguments.files.split(",")}
    unknown, known = first_few(sorted(wanted - set(FILE_KINDS))), ",".join(FILE_KINDS)
    if unknown:
        raise OptionError(Problem(f"--files：没有 {unknown}；可选：{known}。", f"--files: no {unknown}; there are: {known}."))
    if arguments.out is None:
        raise OptionError(Problem("--files 须与 --out 一起使用。", "--files goes with --out."))
    return tuple(kind for kind in FILE_KINDS if kind in wanted)


def write(arguments: argparse.Namespace, files: Callable[..., dict[str, Writer]]) -> None:
    """Write files; a machine without a Chinese font goes without pictures, unless they were asked for by name."""
    kinds = file_kinds(arguments)
    try:
        paths = write_files(arguments.out, files(kinds=kinds, language=arguments.lang))
    except FontError as error:
        if arguments.files:
            raise
        say(str(error))
        kinds = tuple(kind for kind in kinds if kind != "png")
        paths = write_files(arguments.out, files(kinds=kinds, language=arguments.lang))
    for path in paths:
        say(str(path))
