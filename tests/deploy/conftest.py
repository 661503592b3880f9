"""Pairs of shots by simulated cameras with known parameters."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise, load_profile
from campro.isp.raw import RawCamera, Sensor


def sample_images():
    """The two photographs of scikit-learn, whose import takes seconds."""
    folder = Path(find_spec("sklearn").origin).parent / "datasets" / "images"
    return [np.array(Image.open(folder / name)) for name in ("china.jpg", "flower.jpg")]


SCENES = (data.astronaut(), data.coffee(), data.chelsea(), *sample_images(), data.rocket())
SENSOR = Sensor.with_noise(1e-4)
LIGHT = np.linspace(0, 1, 65)
TONE = (0.9 * LIGHT**0.5 + 0.1 * np.sin(np.pi * LIGHT / 2)).clip(0, 1)
"""The unknown tone curve of the default shots."""
MIXED = ((0.8, 0.3, -0.1), (-0.2, 0.9, 0.3), (0.3, -0.2, 0.9))
NEGATIVE = load_profile("negative").blocks[2]
NOMINAL = IspProfile("nominal", (Degamma(), Ccm(MIXED), NEGATIVE, Quantise(8)))
MATRIX = np.array(MIXED) + np.random.default_rng(0).normal(0, 0.04, (3, 3))
VALUES = np.array(NEGATIVE.values) ** 1.15


def with_blocks(matrix, values, knots):
    lut = GammaLut(tuple(tuple(curve) for curve in np.array(values).tolist()), knots)
    return IspProfile("camera", (Degamma(), Ccm(tuple(map(tuple, np.array(matrix).tolist()))), lut, Quantise(8)))


DEFAULT = RawCamera(with_blocks(np.eye(3), [TONE], None), SENSOR)
TRUE = with_blocks(MATRIX, VALUES, NEGATIVE.knots)
PROTECTED = RawCamera(TRUE, SENSOR, seed=1)


def shots(scene):
    """A pair of shots between which the camera moved by two or three pixels and turned by a third of a degree."""
    height, width = scene.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0.3, 1.0)
    turn[:, 2] += (2.3, -1.7)
    moved = cv2.warpAffine(scene, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return DEFAULT(np.ascontiguousarray(scene)), PROTECTED(moved)


@pytest.fixture(scope="session")
def taken():
    """One pair of shots of each scene."""
    return [shots(scene) for scene in SCENES]
