"""Synthetic faces: a linear model of identities and of the variation between images of one identity.

An image is mean + basis @ (identity + variation), both Gaussian with a covariance each: probabilistic linear
discriminant analysis in the space of eigenfaces. The weight file contains averages only, no photographs.
Sources: Turk and Pentland, Eigenfaces (1991); Ioffe, PLDA (ECCV 2006). Fitted by examples/fit_face_model.py.
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
"""Side of an image, face and background, in pixels."""
IDENTITY, VARIATION = 1.8, 0.38
"""Factors of the fitted standard deviations between identities and within one. Chosen so that a face embedder separates
synthetic people about as well as real ones; with 1 the blurred faces of a linear model are too similar."""


@dataclass(frozen=True)
class FaceModel:
    """D values per face (luma, then two colour differences, row by row), K components."""

    mean: Float[np.ndarray, "D"]
    basis: Int8[np.ndarray, "K D"]
    scale: Float[np.ndarray, "K"]
    """Factor of each component of the basis, in levels (0 to 255)."""
    identity: Float[np.ndarray, "K K"]
    """Factor of the covariance between people: the identity is drawn as identity @ N(0, 1)."""
    variation: Float[np.ndarray, "K K"]
    """Factor of the covariance between images of one person."""

    @staticmethod
    def load(path: Path = WEIGHTS) -> FaceModel:
        """Read the model of the package, or another one.

        Raises:
            CamproError: if the file is missing, damaged or not a face model.
        """
        try:
            return FaceModel(**{name: _wide(value) for name, value in load_file(path).items()})
        except Exception as error:  # safetensors raises errors of several classes
            reason = " ".join(str(error).split())[:120]
            raise CamproError(str(path), "a face model", reason, "reinstall campro") from error

    def sample(self, people: int, pictures: int, seed: int) -> Iterator[UInt8[np.ndarray, "pictures H W 3"]]:
        """Draw people, 8-bit sRGB images (pictures, 160, 160, 3) each; person i depends on the seed and i only."""
        for person in range(people):
            rng = np.random.default_rng([seed, person])
            centre = IDENTITY * self.identity @ rng.standard_normal(len(self.scale))
            offsets = [VARIATION * self.variation @ rng.standard_normal(len(self.scale)) for _ in range(pictures)]
            yield np.stack([self._picture(centre + offset, rng) for offset in offsets])

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
        """RGB of a face (112, 112, 3), 0 to 255, not rounded."""
        values = (self.mean + (latent * self.scale) @ self.basis).astype(np.float32)
        luma, red, blue = np.split(values, [SIZE**2, SIZE**2 + CHROMA**2])
        planes = [cv2.resize(part.reshape(CHROMA, CHROMA), (SIZE, SIZE)) for part in (red, blue)]
        picture = np.dstack([luma.reshape(SIZE, SIZE), *planes]).clip(0, 255) / 255
        return cv2.cvtColor(picture, cv2.COLOR_YCrCb2RGB) * 255


def _wide(array: np.ndarray) -> np.ndarray:
    return array if array.dtype == np.int8 else array.astype(np.float64)


def _ellipse() -> Float[np.ndarray, "S S"]:
    """Soft mask: 1 on the face, 0 outside."""
    y, x = (np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2) / (SIZE / 2)
    return np.clip((1 - np.hypot(x / 0.88, y / 0.98)) / 0.12, 0, 1)


def _background(rng: np.random.Generator) -> Float[np.ndarray, "H W 3"]:
    """A smooth random background."""
    corners = rng.uniform(60, 200, 3) * rng.uniform(0.75, 1.25, (2, 2, 1))
    return cv2.resize(corners.astype(np.float32), (CANVAS, CANVAS), interpolation=cv2.INTER_LINEAR)
