"""Networks compiled to run faster, where the work is long enough and a compiler is there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, cast

import torch
from torch import Tensor

CHANNELS_LAST: dict[str, str | int | bool | Callable[..., object]] = {"force_layout_optimization": True}
"""Lets convolutions lie channels last where some are depthwise, too: a MobileFaceNet learns a fifth faster."""
Network = TypeVar("Network", bound=Callable[..., Tensor])


def compiled(network: Network, worth_it: bool = True) -> Network:
    """The same network and weights, on a CPU; compiling takes up to a minute, then it is two or three times as fast.

    It is fast at one batch size alone. Sums come in another order, so the last bits of a result depend on the machine,
    as they do anyway.
    """
    if not worth_it or compiler() is None:
        return network
    return cast(Network, torch.compile(network, options=CHANNELS_LAST))


@lru_cache(maxsize=1)
def compiler() -> str | None:
    """The C++ compiler that torch would use, None with a line where there is none."""
    found = shutil.which(os.environ.get("CXX", "g++"))
    if found is None:
        print("torch: no C++ compiler (g++, or CXX): networks run at half their speed", file=sys.stderr)
    return found
