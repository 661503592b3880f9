"""Simulated video frames of one moment: slightly moved and rotated, with sensor noise."""

from __future__ import annotations

import cv2
import numpy as np

from campro.core.types import Rgb8

SHIFT, ROTATION, NOISE = 1.5, 1.0, 2.0
"""Largest shift in pixels, largest rotation in degrees, standard deviation of the noise in levels of 255."""


class Frame:
    """One of several frames of the same moment, as an `ImageTransform` in front of the camera."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = self.digest = f"frame {number}, {SHIFT:g} pixels, {ROTATION:g} degrees, noise {NOISE:g}"

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The frame; a pure function of picture and number."""
        height, width = rgb.shape[:2]
        rng = np.random.default_rng((self.number, int(rgb[::16, ::16].sum())))
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-ROTATION, ROTATION), 1)
        turn = turn + [[0, 0, rng.uniform(-SHIFT, SHIFT)] for _ in range(2)]
        moved = cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return (moved + NOISE * rng.standard_normal(rgb.shape, np.float32) + 0.5).clip(0, 255).astype(np.uint8)
