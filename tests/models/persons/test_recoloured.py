"""A person detector behind a 3D LUT."""

from __future__ import annotations

import numpy as np
import torch

from campro.core.lut3d import Lut3d
from campro.models.persons import load_detector
from campro.models.persons.recoloured import LutTransform, RecolouredDetector


def _inverting_lut():
    axis = torch.linspace(1, 0, 5)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return Lut3d(torch.stack([red, green, blue])).requires_grad_(False)


def test_lut_as_an_image_transform_rounds_to_8_bits():
    rgb = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    transform = LutTransform(_inverting_lut())
    assert (transform(rgb) == 255 - rgb).all()
    assert transform.digest != LutTransform(Lut3d(torch.zeros(3, 5, 5, 5))).digest


def test_recoloured_detector_detects_on_the_mapped_image():
    detector, image = load_detector("campro-person"), torch.rand(3, 64, 64)
    recoloured = RecolouredDetector(_inverting_lut(), detector)
    mapped, plain = recoloured.detect([image])[0], detector.detect([1 - image])[0]
    torch.testing.assert_close(mapped.scores, plain.scores, rtol=1e-3, atol=1e-4)
    assert recoloured.card.name == "campro-person, recoloured"


def test_values_above_one_by_rounding_are_clamped():
    """The interpolated value can exceed 1 by one rounding step; detectors refuse values outside [0, 1]."""
    white = torch.nextafter(torch.ones(3, 5, 5, 5), torch.tensor(2.0))
    detector = RecolouredDetector(Lut3d(white).requires_grad_(False), load_detector("campro-person"))
    assert len(detector.detect([torch.rand(3, 64, 64)])) == 1
