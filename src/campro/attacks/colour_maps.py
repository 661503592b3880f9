"""Colour maps from captured to raw, fitted to photographs of the same scenes with and without the profile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import isotonic_regression

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.attacks.attack_cache import AttackCache
from campro.core.errors import CamproError
from campro.core.lut3d import NODES, Lut3d, colour_pairs
from campro.core.types import Images
from campro.models.persons.recoloured import LutTransform

PAIR_COUNTS = (1, 10, 100, 1000)
"""Image pairs that a map is fitted to: the points of its scaling curve."""
RIDGE = 1e-3
"""Ridge penalty of the polynomial, relative to the mean diagonal of the Gram matrix."""

Colours = Float[np.ndarray, "N 3"]
"""sRGB in [0, 1]."""
ImagePairs = Iterable[tuple[Images, Images]]
"""Captured and raw versions of the same photographs, batch by batch."""


def fit_polynomial(pairs: ImagePairs) -> Lut3d:
    """Least squares over all products of up to two channels."""
    gram, moment = np.zeros((10, 10)), np.zeros((10, 3))
    for captured, raw in pairs:
        terms, target = _terms(_colours(captured)), _colours(raw)
        gram += terms.T @ terms
        moment += terms.T @ target
    weights = np.linalg.solve(gram + RIDGE * np.trace(gram) / 10 * np.eye(10), moment)
    return _as_lut(lambda colours: _terms(colours) @ weights)


def fit_monotone(pairs: ImagePairs) -> Lut3d:
    """For each channel the monotone curve, rising or falling, with the least squared error."""
    sums, counts = np.zeros((3, 256)), np.zeros((3, 256))
    for captured, raw in pairs:
        levels = np.round(255 * _colours(captured)).astype(int)
        for channel in range(3):
            sums[channel] += np.bincount(levels[:, channel], _colours(raw)[:, channel], 256)
            counts[channel] += np.bincount(levels[:, channel], minlength=256)
    curves = [_monotone_curve(total, count) for total, count in zip(sums, counts)]
    axis = np.linspace(0, 1, 256)
    return _as_lut(lambda colours: np.stack([np.interp(colours[:, c], axis, curves[c]) for c in range(3)], 1))


def _monotone_curve(total: Float[np.ndarray, "256"], count: Float[np.ndarray, "256"]) -> Float[np.ndarray, "256"]:
    occurs = count > 0
    mean, weight = total[occurs] / count[occurs], count[occurs]
    fits = [isotonic_regression(mean, weights=weight, increasing=rises).x for rises in (True, False)]
    best = min(fits, key=lambda fit: float((weight * (fit - mean) ** 2).sum()))
    return np.interp(np.arange(256), np.flatnonzero(occurs), best)


def _terms(colours: Colours) -> Float[np.ndarray, "N 10"]:
    r, g, b = colours.T
    return np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], 1)


def _colours(images: Images) -> Colours:
    return np.asarray(images.permute(0, 2, 3, 1).reshape(-1, 3).double().numpy())


def _as_lut(function: Callable[[Colours], Colours]) -> Lut3d:
    """Tabulates a function of colours, so that all maps run by the same code."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    values = function(np.stack([red.ravel(), green.ravel(), blue.ravel()], 1)).clip(0, 1)
    return Lut3d(torch.from_numpy(values.T.reshape(3, NODES, NODES, NODES)).float())


MAPS: dict[str, Callable[[ImagePairs], Lut3d]] = {
    "polynomial": fit_polynomial,
    "monotone curves": fit_monotone,
    "3D LUT": Lut3d.fit,
}


def map_runs(knowledge: AttackerKnowledge, cache: AttackCache) -> Runs:
    """Each kind of map from each number of image pairs; only from most where the budget has no scaling curves."""
    chosen = PAIR_COUNTS if knowledge.budget.subset_sizes else PAIR_COUNTS[-1:]
    counts = sorted({min(count, len(knowledge.photos)) for count in chosen})
    return {
        f"{kind}, {count} image pair{'s' * (count != 1)}": partial(map_adversary, knowledge, cache, kind, count)
        for count in counts
        for kind in MAPS
    }


def map_adversary(
    knowledge: AttackerKnowledge, cache: AttackCache, kind: str, count: int = PAIR_COUNTS[-1], frames: int = 1
) -> Adversary:
    """The off-the-shelf recogniser behind a map from up to `count` image pairs."""
    used = min(count, len(knowledge.photos))
    return Adversary((fitted_map(knowledge, cache, kind, used),), frames=frames, learned_from=used)


def fitted_map(knowledge: AttackerKnowledge, cache: AttackCache, kind: str, count: int) -> LutTransform:
    """A map of this kind (a key of `MAPS`) from `count` image pairs; all kinds use the same pairs.

    Raises:
        CamproError: if the attacker has no photographs.
    """
    return cache.get("colour map", (knowledge.digest, kind, count), partial(_fit, knowledge, kind, count))


def _fit(knowledge: AttackerKnowledge, kind: str, count: int) -> LutTransform:
    if not knowledge.photos:
        raise CamproError("attack", "photographs for image pairs", "none", "give --photos")
    order = np.random.default_rng(knowledge.seed).permutation(len(knowledge.photos))[:count]
    chosen = [knowledge.photos[index] for index in order]
    return LutTransform(MAPS[kind](colour_pairs(chosen, knowledge.camera, whole=True)).requires_grad_(False))


def fitted_lut(knowledge: AttackerKnowledge, cache: AttackCache) -> LutTransform:
    """The most flexible map, the 3D LUT, from most image pairs."""
    return fitted_map(knowledge, cache, "3D LUT", min(PAIR_COUNTS[-1], len(knowledge.photos)))


COLOUR_MAPS = Attack("colour maps", "gray-box", "image pairs from a bought camera", map_runs)
