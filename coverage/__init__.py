"""Travel times, circles and coverage: arithmetic on the nouns of ``geodata``.

The name also belongs to coverage.py (the test-coverage tool). The two can never share an environment; see ARCHITECTURE.md.

numba asks a module of this name for ``types.Tracer`` (to subclass it) and ``Coverage.current()`` (None: nothing is being measured), and
cannot be imported without an answer: the two classes below are that answer, and nothing else.
"""

from __future__ import annotations

import sys
from types import ModuleType


class _Types(ModuleType):
    """``coverage.types`` as numba needs it: any name of a type is an empty class."""

    def __getattr__(self, name: str) -> type:
        """An empty class for ``Tracer`` and the names of type hints."""
        if name.startswith("T"):
            return type(name, (), {})
        raise AttributeError(name)


class Coverage:
    """``coverage.Coverage`` as numba needs it: no measurement is running."""

    @staticmethod
    def current() -> None:
        """No measurement."""


types = sys.modules[f"{__name__}.types"] = _Types(f"{__name__}.types")
