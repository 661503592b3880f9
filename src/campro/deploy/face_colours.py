"""Fast check of a realised profile on colours of skin: does it do to them what the profile does that was asked for?

No photographs are needed: ten skin tones, in 32 lights from shadow to highlight and three casts. The check finds gross
misses (a curve that the camera cannot hold); it does not replace an audit of realised.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import UInt8

from campro.isp.camera import Camera
from campro.isp.profile import IspProfile

TONES = ("f6ede4", "f3e7db", "f7ead0", "eadaba", "d7bd96", "a07e56", "825c43", "604134", "3a312a", "292420")
"""sRGB colours of the Monk Skin Tone scale (Monk, 2019)."""
CASTS = ((1.0, 1.0, 1.0), (1.15, 1.0, 0.8), (0.9, 1.0, 1.15))
"""Neutral, warm and cold light, as factors of the linear colour."""
LIGHTS = 32
NEAR = 16
"""Largest difference in 8-bit levels of colours that count as the same."""
MOVED = 0.25
"""Largest share of colours that may differ by more than `NEAR` from the profile that was asked for."""
MORE = 0.1
"""Largest increase of the share that collapses, or that stays as it was."""


@dataclass(frozen=True)
class FaceColours:
    """Shares of the colours of skin."""

    kept: float
    """Output within `NEAR` of the input: such a camera hides nothing."""
    collapsed: float
    """Neighbours from shadow to highlight that differ in the input and not in the output: no shape is left."""


@cache
def face_colours() -> UInt8[np.ndarray, "30 32 3"]:
    """Colours of skin: tones in casts, from shadow to highlight."""
    tones = np.array([[int(tone[at : at + 2], 16) for at in (0, 2, 4)] for tone in TONES]) / 255
    linear = np.where(tones <= 0.04045, tones / 12.92, ((tones + 0.055) / 1.055) ** 2.4)
    lights = np.geomspace(0.1, 1.2, LIGHTS)
    lit = linear[:, None, None] * np.array(CASTS)[None, :, None] * lights[None, None, :, None]
    encoded = np.where(lit <= 0.0031308, 12.92 * lit, 1.055 * np.maximum(lit, 1e-9) ** (1 / 2.4) - 0.055)
    return np.round(encoded.clip(0, 1) * 255).astype(np.uint8).reshape(-1, LIGHTS, 3)


def shares(profile: IspProfile) -> FaceColours:
    """What a profile does to the colours of skin."""
    source, output = face_colours().astype(int), Camera(profile)(face_colours()).astype(int)
    before, after = (np.abs(np.diff(one, axis=1)).max(-1) for one in (source, output))
    kept = np.abs(output - source).max(-1) <= NEAR
    return FaceColours(float(kept.mean()), float((after[before >= 2] <= 1).mean()))


def misses(wanted: IspProfile, realised: IspProfile) -> list[str]:
    """The reasons why the figures of a profile's card do not hold for the realised one; empty if none is found."""
    outputs = [Camera(profile)(face_colours()).astype(int) for profile in (wanted, realised)]
    moved = float((np.abs(outputs[0] - outputs[1]).max(-1) > NEAR).mean())
    asked, got = shares(wanted), shares(realised)
    found = []
    if moved > MOVED:
        found.append(f"{moved:.0%} of the colours of skin are off by more than {NEAR} levels")
    if got.collapsed > asked.collapsed + MORE:
        found.append(f"{got.collapsed:.0%} of their shades collapse (profile: {asked.collapsed:.0%})")
    if got.kept > asked.kept + MORE:
        found.append(f"{got.kept:.0%} of them stay as they were (profile: {asked.kept:.0%})")
    return found
