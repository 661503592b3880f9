"""What anybody tries on an odd picture before it goes to a recogniser: no knowledge of the camera at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.core.types import Rgb8

TAIL = 1.0
"""Per cent of a channel's pixels that auto-contrast lets clip at either end."""
CHANNELS = ("red", "green", "blue")
GAMMAS = (0.4, 0.6, 1.6, 2.5)

Plane = UInt8[np.ndarray, "H W"]


class Filter:
    """A function of pictures as an `ImageTransform`."""

    def __init__(self, name: str, function: Callable[[Rgb8], Rgb8]) -> None:
        self.name = self.digest = name
        self._function = function

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return self._function(rgb)


def _by_channel(function: Callable[[Plane], Plane]) -> Callable[[Rgb8], Rgb8]:
    return lambda rgb: np.dstack([function(np.ascontiguousarray(rgb[..., channel])) for channel in range(3)])


def _thrice(plane: Plane) -> Rgb8:
    return np.repeat(plane[..., None], 3, 2)


def invert(rgb: Rgb8) -> Rgb8:
    """The negative."""
    return 255 - rgb


def grey(rgb: Rgb8) -> Rgb8:
    """Luma."""
    return _thrice(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))


def stretched(plane: Plane) -> Plane:
    """Auto-contrast: the middle of the histogram over the whole range."""
    low, high = np.percentile(plane, (TAIL, 100 - TAIL))
    return np.clip((plane - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)


def local_contrast(rgb: Rgb8) -> Rgb8:
    """CLAHE of the lightness."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def principal_grey(rgb: Rgb8) -> Rgb8:
    """The direction in which colours differ most, as grey; brighter where green is."""
    colours: Float[np.ndarray, "N 3"] = rgb.reshape(-1, 3).astype(float)
    centred = colours - colours.mean(0)
    _, _, axes = np.linalg.svd(centred.T @ centred)
    projected = centred @ (axes[0] * np.sign(axes[0, 1] or 1.0))
    low, high = np.percentile(projected, (TAIL, 100 - TAIL))
    plane = np.clip((projected - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return _thrice(plane.reshape(rgb.shape[:2]))


def _gamma(power: float) -> Callable[[Rgb8], Rgb8]:
    table = np.round(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return lambda rgb: table[rgb]


def _channel(index: int, negative: bool = False) -> Callable[[Rgb8], Rgb8]:
    return lambda rgb: _thrice(255 - rgb[..., index] if negative else rgb[..., index])


FILTERS: tuple[Filter, ...] = (
    Filter("invert", invert),
    Filter("grey", grey),
    Filter("invert, grey", lambda rgb: grey(invert(rgb))),
    Filter("equalise", _by_channel(lambda plane: np.asarray(cv2.equalizeHist(plane), np.uint8))),
    Filter("auto-contrast", _by_channel(stretched)),
    Filter("CLAHE", local_contrast),
    Filter("principal grey", principal_grey),
    Filter("principal grey, inverted", lambda rgb: invert(principal_grey(rgb))),
    *(Filter(name, _channel(i)) for i, name in enumerate(CHANNELS)),
    *(Filter(f"{name}, inverted", _channel(i, negative=True)) for i, name in enumerate(CHANNELS)),
    *(Filter(f"gamma {power:g}", _gamma(power)) for power in GAMMAS),
)  # fmt: skip


def filter_runs(known: AttackerKnowledge) -> Runs:
    """Each filter alone, and all of them together."""
    chosen = {one.name: (one,) for one in FILTERS} | {"all filters": FILTERS}
    return {name: partial(Adversary, some) for name, some in chosen.items()}


def restorer_runs(known: AttackerKnowledge) -> Runs:
    """Each restorer that was at hand."""
    return {one.name: partial(Adversary, (one,)) for one in known.restorers}


NO_ATTACK = Attack("no attack", "none", "nothing", lambda known: {"no attack": Adversary})
PREPROCESSED = Attack("filters", "black-box", "nothing", filter_runs)
RESTORERS = Attack("restorers", "black-box", "networks for image restoration that somebody else trained", restorer_runs)
