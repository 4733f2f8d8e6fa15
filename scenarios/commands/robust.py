"""``circle15 robust``."""

from __future__ import annotations

import argparse


def run(arguments: argparse.Namespace) -> None:
    """Not built yet."""
    raise NotImplementedError(arguments)
