"""numba's `njit` that also works where compiled kernels cannot be kept: read-only installation and home folder.

Compiled kernels are kept beside the modules of the package, as Python's own compiled code; in a read-only installation
in the cache folder, where numba would write them to ~/.cache/numba.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from campro.core.catalogue import cache_root

if not os.access(Path(__file__).parents[1], os.W_OK):
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache_root() / "numba"))  # read when numba is imported

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
