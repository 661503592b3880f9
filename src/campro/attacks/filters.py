"""No attack, and simple image filters and restoration networks, which need no knowledge about the camera."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache
from campro.core.types import Rgb8

CLIPPED = 1.0
"""Per cent of the pixels that auto-contrast clips at either end of the histogram."""
CHANNELS = ("red", "green", "blue")
GAMMAS = (0.4, 0.6, 1.6, 2.5)

Plane = UInt8[np.ndarray, "H W"]


class Filter:
    """A function of pictures as an `ImageTransform`."""

    def __init__(self, name: str, function: Callable[[Rgb8], Rgb8], digest: str | None = None) -> None:
        """`digest` is the key of cached embeddings, if it is not the name: some filters had other names before."""
        self.name, self.digest = name, digest or name
        self._function = function

    def __call__(self, rgb: Rgb8) -> Rgb8:
        return self._function(rgb)


def _per_channel(function: Callable[[Plane], Plane]) -> Callable[[Rgb8], Rgb8]:
    return lambda rgb: np.dstack([function(np.ascontiguousarray(rgb[..., channel])) for channel in range(3)])


def _as_rgb(plane: Plane) -> Rgb8:
    return np.repeat(plane[..., None], 3, 2)


def invert(rgb: Rgb8) -> Rgb8:
    """The negative: 255 minus each level."""
    return 255 - rgb


def greyscale(rgb: Rgb8) -> Rgb8:
    """Luma (ITU-R BT.601) in all three channels."""
    return _as_rgb(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))


def stretch(plane: Plane) -> Plane:
    """Auto-contrast: the histogram of a channel without its ends, stretched to 0 .. 255."""
    low, high = np.percentile(plane, (CLIPPED, 100 - CLIPPED))
    return np.clip((plane - low) * (255 / max(high - low, 1)), 0, 255).astype(np.uint8)


def local_contrast(rgb: Rgb8) -> Rgb8:
    """CLAHE of the CIELAB lightness (8 x 8 tiles, clip limit 2)."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def principal_component(rgb: Rgb8) -> Rgb8:
    """The first principal component of the colours as greyscale; its sign is such that more green is brighter."""
    colours: Float[np.ndarray, "N 3"] = rgb.reshape(-1, 3).astype(float)
    centred = colours - colours.mean(0)
    _, _, axes = np.linalg.svd(centred.T @ centred)
    projected = centred @ (axes[0] * np.sign(axes[0, 1] or 1.0))
    low, high = np.percentile(projected, (CLIPPED, 100 - CLIPPED))
    plane = np.clip((projected - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return _as_rgb(plane.reshape(rgb.shape[:2]))


def _gamma(power: float) -> Callable[[Rgb8], Rgb8]:
    table = np.round(255 * (np.arange(256) / 255) ** power).astype(np.uint8)
    return lambda rgb: table[rgb]


def _channel(index: int, negative: bool = False) -> Callable[[Rgb8], Rgb8]:
    return lambda rgb: _as_rgb(255 - rgb[..., index] if negative else rgb[..., index])


FILTERS: tuple[Filter, ...] = (
    Filter("invert", invert),
    Filter("greyscale", greyscale, "grey"),
    Filter("invert, greyscale", lambda rgb: greyscale(invert(rgb)), "invert, grey"),
    Filter(
        "histogram equalisation",
        _per_channel(lambda plane: np.asarray(cv2.equalizeHist(plane), np.uint8)),
        "equalise",
    ),
    Filter("auto-contrast", _per_channel(stretch)),
    Filter("CLAHE", local_contrast),
    Filter("principal component", principal_component, "principal grey"),
    Filter(
        "principal component, inverted", lambda rgb: invert(principal_component(rgb)), "principal grey, inverted"
    ),
    *(Filter(f"{name} channel", _channel(i), name) for i, name in enumerate(CHANNELS)),
    *(
        Filter(f"{name} channel, inverted", _channel(i, negative=True), f"{name}, inverted")
        for i, name in enumerate(CHANNELS)
    ),
    *(Filter(f"gamma {power:g}", _gamma(power)) for power in GAMMAS),
)  # fmt: skip


def filter_runs(_knowledge: AttackerKnowledge, _cache: AttackCache) -> Runs:
    """Each filter alone, and the mean embedding after each of them."""
    chosen = {one.name: (one,) for one in FILTERS} | {"all filters": FILTERS}
    return {name: partial(Adversary, transforms) for name, transforms in chosen.items()}


def restorer_runs(knowledge: AttackerKnowledge, _cache: AttackCache) -> Runs:
    """Each of the attacker's restoration networks, by file name and content: files of one name are told apart."""
    return {f"{one.name} ({one.digest[:8]})": partial(Adversary, (one,)) for one in knowledge.restorers}


def no_attack_runs(_knowledge: AttackerKnowledge, _cache: AttackCache) -> Runs:
    """The off-the-shelf recogniser on captured photographs."""
    return {"no attack": Adversary}


NO_ATTACK = Attack("no attack", "none", "nothing", no_attack_runs)
IMAGE_FILTERS = Attack("filters", "black-box", "nothing", filter_runs)
PRETRAINED_RESTORATION = Attack(
    "pretrained restoration", "black-box", "image restoration networks that others have trained", restorer_runs
)
