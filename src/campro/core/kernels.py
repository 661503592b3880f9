"""numba's `njit` that also works where compiled kernels cannot be kept: read-only installation and home folder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import numba


def njit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """`numba.njit`, without the cache on disk if no folder for it can be written; one line in the log says so.

    >>> njit(cache=True)(lambda x: x + 1)(1)
    2
    """

    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(**options)(function)
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
        _warn()
        return numba.njit(**{**options, "cache": False})(function)

    return compiled


@cache
def _warn() -> None:
    line = "numba: no writable folder: kernels are compiled at each start; NUMBA_CACHE_DIR=DIR names one"
    logging.getLogger("campro").warning(line)
