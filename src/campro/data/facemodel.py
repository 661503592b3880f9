"""Synthetic faces: a linear model of who someone is and how a picture of them varies.

A picture is mean + basis @ (identity + variation), both Gaussian with covariances of their own: probabilistic linear
discriminant analysis in the space of eigenfaces. Nobody's photograph is in the file, only averages over all.
Sources: Turk and Pentland, Eigenfaces (1991); Ioffe, PLDA (ECCV 2006). Fitted by scripts/fit_face_model.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, Int8, UInt8
from safetensors.numpy import load_file

from campro.core.errors import CamproError

WEIGHTS = Path(__file__).parent / "weights" / "face-model.safetensors"
SIZE, CHROMA = 112, 28
"""Side of a face's luma and of its two colour-difference planes, in pixels."""
CANVAS = 160
"""Side of a finished picture: the face and some plain background."""
IDENTITY, VARIATION = 1.8, 0.38
"""Standard deviations, relative to the fitted ones: people differ more, and pictures of one person less, than the
blurred faces of a linear model would; chosen so that a recogniser tells them apart as it does real people."""


@dataclass(frozen=True)
class FaceModel:
    """D values a face (luma, then two colour differences, row by row), K components."""

    mean: Float[np.ndarray, "D"]
    basis: Int8[np.ndarray, "K D"]
    scale: Float[np.ndarray, "K"]
    """What a step of 1 in a row of the basis is worth, in grey levels."""
    identity: Float[np.ndarray, "K K"]
    """Factor of the covariance between people: identity @ N(0, 1)."""
    variation: Float[np.ndarray, "K K"]
    """Factor of the covariance between pictures of one person."""

    @staticmethod
    def load(path: Path = WEIGHTS) -> FaceModel:
        """Read the model that ships with the package, or another one."""
        try:
            return FaceModel(**{name: _wide(value) for name, value in load_file(path).items()})
        except Exception as error:  # safetensors has its own error classes
            reason = " ".join(str(error).split())[:120]
            raise CamproError(str(path), "a face model", reason, "reinstall campro") from error

    def sample(self, people: int, pictures: int, seed: int) -> Iterator[UInt8[np.ndarray, "pictures H W 3"]]:
        """Draw people, one stack of pictures each; equal seeds give equal people, whatever their number."""
        for person in range(people):
            rng = np.random.default_rng([seed, person])
            who = IDENTITY * self.identity @ rng.standard_normal(len(self.scale))
            how = [VARIATION * self.variation @ rng.standard_normal(len(self.scale)) for _ in range(pictures)]
            yield np.stack([self._picture(who + each, rng) for each in how])

    def _picture(self, latent: Float[np.ndarray, "K"], rng: np.random.Generator) -> UInt8[np.ndarray, "H W 3"]:
        face = self.render(latent)
        alpha = _ellipse()[..., None]
        scaled = CANVAS * rng.uniform(0.85, 1.0) / SIZE
        corner = (CANVAS - scaled * SIZE) * rng.uniform(0.3, 0.7, 2)
        move = np.array([[scaled, 0, corner[0]], [0, scaled, corner[1]]])
        warped = cv2.warpAffine(np.dstack([face, alpha]), move, (CANVAS, CANVAS), flags=cv2.INTER_CUBIC)
        share = warped[..., 3:].clip(0, 1)
        mixed = share * warped[..., :3] + (1 - share) * _background(rng) + rng.normal(0, 2, (CANVAS, CANVAS, 1))
        return np.clip(np.round(mixed), 0, 255).astype(np.uint8)

    def render(self, latent: Float[np.ndarray, "K"]) -> Float[np.ndarray, "S S 3"]:
        """RGB of a face, 0..255, not rounded."""
        values = (self.mean + (latent * self.scale) @ self.basis).astype(np.float32)
        luma, red, blue = np.split(values, [SIZE**2, SIZE**2 + CHROMA**2])
        planes = [cv2.resize(part.reshape(CHROMA, CHROMA), (SIZE, SIZE)) for part in (red, blue)]
        picture = np.dstack([luma.reshape(SIZE, SIZE), *planes]).clip(0, 255) / 255
        return cv2.cvtColor(picture, cv2.COLOR_YCrCb2RGB) * 255


def _wide(array: np.ndarray) -> np.ndarray:
    return array if array.dtype == np.int8 else array.astype(np.float64)


def _ellipse() -> Float[np.ndarray, "S S"]:
    """1 on the face, 0 outside, soft between."""
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) / (SIZE / 2)
    return np.clip((1 - np.hypot(x / 0.88, y / 0.98)) / 0.12, 0, 1)


def _background(rng: np.random.Generator) -> Float[np.ndarray, "H W 3"]:
    """A wall, lit from somewhere."""
    corners = rng.uniform(60, 200, 3) * rng.uniform(0.75, 1.25, (2, 2, 1))
    return cv2.resize(corners.astype(np.float32), (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR)
