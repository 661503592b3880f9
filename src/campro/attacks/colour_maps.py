"""Colours learned from photographs of the same scenes with and without the profile, by one who bought a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, partial

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import isotonic_regression

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs
from campro.core.errors import CamproError
from campro.core.lut3d import NODES, Lut3d, colour_pairs
from campro.core.types import Images
from campro.models.persons.recoloured import LutTransform

PAIRS = (1, 10, 100, 1000)
"""Photographs that a map is learned from: its scaling curve."""
RIDGE = 1e-3

Colours = Float[np.ndarray, "N 3"]
Pairs = Iterable[tuple[Images, Images]]


def polynomial(pairs: Pairs) -> Lut3d:
    """Least squares over products of up to two channels."""
    gram, moment = np.zeros((10, 10)), np.zeros((10, 3))
    for captured, raw in pairs:
        terms, wanted = _terms(_flat(captured)), _flat(raw)
        gram += terms.T @ terms
        moment += terms.T @ wanted
    weights = np.linalg.solve(gram + RIDGE * np.trace(gram) / 10 * np.eye(10), moment)
    return _tabulated(lambda colours: _terms(colours) @ weights)


def monotone(pairs: Pairs) -> Lut3d:
    """For each channel the best curve that only rises or only falls."""
    sums, counts = np.zeros((3, 256)), np.zeros((3, 256))
    for captured, raw in pairs:
        levels = np.round(255 * _flat(captured)).astype(int)
        for channel in range(3):
            sums[channel] += np.bincount(levels[:, channel], _flat(raw)[:, channel], 256)
            counts[channel] += np.bincount(levels[:, channel], minlength=256)
    curves = [_one_way(total, count) for total, count in zip(sums, counts)]
    even = np.linspace(0, 1, 256)
    return _tabulated(lambda colours: np.stack([np.interp(colours[:, c], even, curves[c]) for c in range(3)], 1))


def _one_way(total: Float[np.ndarray, "256"], count: Float[np.ndarray, "256"]) -> Float[np.ndarray, "256"]:
    seen = count > 0
    mean, weight = total[seen] / count[seen], count[seen]
    fits = [isotonic_regression(mean, weights=weight, increasing=rises).x for rises in (True, False)]
    best = min(fits, key=lambda fit: float((weight * (fit - mean) ** 2).sum()))
    return np.interp(np.arange(256), np.flatnonzero(seen), best)


def _terms(colours: Colours) -> Float[np.ndarray, "N 10"]:
    r, g, b = colours.T
    return np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], 1)


def _flat(images: Images) -> Colours:
    return np.asarray(images.permute(0, 2, 3, 1).reshape(-1, 3).double().numpy())


def _tabulated(function: Callable[[Colours], Colours]) -> Lut3d:
    """Any map of colours as a table, so that all maps run the same way."""
    axis = np.linspace(0, 1, NODES)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    values = function(np.stack([red.ravel(), green.ravel(), blue.ravel()], 1)).clip(0, 1)
    return Lut3d(torch.from_numpy(values.T.reshape(3, NODES, NODES, NODES)).float())


MAPS: dict[str, Callable[[Pairs], Lut3d]] = {"polynomial": polynomial, "monotone": monotone, "3D LUT": Lut3d.fit}


def map_runs(known: AttackerKnowledge) -> Runs:
    """Every kind of map from every number of pairs; from most alone where nobody asks for scaling curves."""
    chosen = PAIRS if known.budget.sizes else PAIRS[-1:]
    counts = sorted({min(count, len(known.photos)) for count in chosen})
    return {f"{kind}, {count} pairs": partial(mapped, known, kind, count) for count in counts for kind in MAPS}


def mapped(known: AttackerKnowledge, kind: str, count: int = PAIRS[-1], frames: int = 1) -> Adversary:
    """Behind a map that was learned from so many pairs."""
    seen = min(count, len(known.photos))
    return Adversary((learned_map(known, kind, seen),), frames=frames, learned_from=seen)


@lru_cache(maxsize=len(MAPS))
def learned_map(known: AttackerKnowledge, kind: str, count: int) -> LutTransform:
    """A map from that many pairs of photographs; the same ones for every kind."""
    if not known.photos:
        raise CamproError("attack", "photographs to take pairs of", "none", "give --photos")
    order = np.random.default_rng(known.seed).permutation(len(known.photos))[:count]
    chosen = [known.photos[row] for row in order]
    return LutTransform(MAPS[kind](colour_pairs(chosen, known.camera)).requires_grad_(False))


def lut_of(known: AttackerKnowledge) -> LutTransform:
    """The most flexible of the maps, from most pairs."""
    return learned_map(known, "3D LUT", min(PAIRS[-1], len(known.photos)))


COLOUR_MAPS = Attack("colour maps", "gray-box", "pairs of photographs from a bought camera", map_runs)
