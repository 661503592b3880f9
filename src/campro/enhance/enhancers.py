"""The table of enhancers."""

from __future__ import annotations

from collections.abc import Callable

from campro.core.errors import CamproError
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.fast_enhancer import FastEnhancer
from campro.enhance.unet import UNet

ENHANCERS: dict[str, Callable[[], Enhancer]] = {"fast": FastEnhancer, "unet": UNet}


def new_enhancer(name: str) -> Enhancer:
    """An untrained enhancer of the table.

    Raises:
        CamproError: if the table has no such name.
    """
    if name not in ENHANCERS:
        raise CamproError("enhancer", f"one of {', '.join(ENHANCERS)}", repr(name))
    return ENHANCERS[name]()
