"""``circle15 site``."""

from __future__ import annotations

import argparse

from geodata.errors import OptionError, Problem
from scenarios.commands import site_matrix, site_region


def run(arguments: argparse.Namespace) -> int:
    """Choose sites, on a region or on an OD table."""
    if arguments.matrix:
        return site_matrix.run(arguments)
    if arguments.region is None:
        raise OptionError(Problem("请给出 REGION，或用 --matrix 给出 OD 表。", "Name a REGION, or an OD table by --matrix."))
    return site_region.run(arguments)
