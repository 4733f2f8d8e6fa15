"""The one way to compile a loop. Only modules that are brought where something is searched or drawn import it: numba takes a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from numba import njit

_Loop = TypeVar("_Loop", bound=Callable[..., object])


def compiled(loop: _Loop) -> _Loop:
    """Have numba compile a function at its first call, without Python's lock, and keep the result on disk.

    It is kept beside the module, or among the user's caches, or in ``NUMBA_CACHE_DIR``. Where none of them can be written (an installation
    to be read only, by a user without a home) numba would refuse; then every process compiles anew.
    """
    try:
        return njit(cache=True, nogil=True)(loop)  # type: ignore[return-value] # it is called as the loop is
    except RuntimeError:
        return njit(nogil=True)(loop)  # type: ignore[return-value] # the same
