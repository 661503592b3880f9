"""Compiled networks: faster, where the work is long enough and a compiler is installed."""

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
"""Options of torch.compile: channels-last layout for depthwise convolutions too; MobileFaceNet trains 1.2 times as
fast."""
Network = TypeVar("Network", bound=Callable[..., Tensor])


def compiled(network: Network, enabled: bool = True) -> Network:
    """The same network with the same weights, compiled for a CPU; the network itself if not `enabled` or no compiler.

    Compilation takes up to a minute and applies to one batch size; the network is then two or three times as fast.
    The order of summation changes, so the last bits of a result may differ.
    """
    if not enabled or compiler() is None:
        return network
    return cast(Network, torch.compile(network, options=CHANNELS_LAST))


@lru_cache(maxsize=1)
def compiler() -> str | None:
    """Path of the C++ compiler that torch uses; None, with one line on stderr, if there is none."""
    path = shutil.which(os.environ.get("CXX", "g++"))
    if path is None:
        print("torch: no C++ compiler (g++, or CXX): networks run at half their speed", file=sys.stderr)
    return path
