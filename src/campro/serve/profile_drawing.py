"""A profile as a table of numbers and a curve that a page draws as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from campro.isp.profile import BUILTIN_PROFILES, Ccm, GammaLut, IspProfile

POINTS = 65
"""Points of a drawn curve."""
CHANNELS = ("red", "green", "blue")
IN_DRAWING = ("degamma", "measured_degamma", "ccm", "gamma_lut", "quantise")
"""Blocks that the matrix and the curve show."""


@dataclass(frozen=True)
class DrawnCurve:
    """One gamma curve."""

    name: str
    """A channel, or "all channels"."""
    points: str
    """The attribute `points` of an SVG polyline in a square of side 100, origin at the top left."""


@dataclass(frozen=True)
class ProfileDrawing:
    """What the page shows of a profile."""

    name: str
    digest: str
    matrix: tuple[tuple[float, ...], ...] | None
    """Row = output channel; None where the profile has no matrix."""
    curves: tuple[DrawnCurve, ...]
    other_blocks: tuple[str, ...]
    """Names of blocks beside matrix and curve."""
    worst_case: str
    """From the profile's card; empty where it was not audited with all attacks."""


def profile_drawing(name: str, profile: IspProfile) -> ProfileDrawing:
    """The drawing of a profile."""
    lut = next((block for block in profile.blocks if isinstance(block, GammaLut)), None)
    ccm = next((block for block in profile.blocks if isinstance(block, Ccm)), None)
    drawn: tuple[DrawnCurve, ...] = ()
    if lut is not None:
        names = CHANNELS if len(lut.values) == 3 else ("all channels",)
        drawn = tuple(DrawnCurve(one, polyline(lut.positions, curve)) for one, curve in zip(names, lut.values))
    others = tuple(block.block.replace("_", " ") for block in profile.blocks if block.block not in IN_DRAWING)
    matrix = None if ccm is None else ccm.matrix
    return ProfileDrawing(name, profile.digest, matrix, drawn, others, _worst_case(name))


def polyline(positions: Sequence[float], values: Sequence[float]) -> str:
    """Points of a curve from [0, 1] to [0, 1], x to the right and y to the top, as SVG.

    >>> polyline((0, 1), (0, 1)).split()[0], polyline((0, 1), (0, 1)).split()[-1]
    ('0.0,100.0', '100.0,0.0')
    """
    x = np.linspace(0, 1, POINTS)
    y = np.interp(x, positions, values)
    return " ".join(f"{100 * a:.1f},{100 * (1 - b):.1f}" for a, b in zip(x, y))


def _worst_case(name: str) -> str:
    """The row of the card of a built-in profile."""
    card = files("campro.isp") / "profiles" / f"{name}.md"
    if name not in BUILTIN_PROFILES or not card.is_file():
        return ""
    lines = card.read_text("utf-8").splitlines()
    return next((line.split(" | ", 1)[1].rstrip(" |") for line in lines if line.startswith("| Worst case | ")), "")
