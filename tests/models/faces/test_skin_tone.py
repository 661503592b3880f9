"""The typology angle against published CIELAB coordinates (D65)."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from campro.models.faces.skin_tone import CHEEKS, CLASSES, skin_class, subjects_by_class, typology_angle


@pytest.mark.parametrize(
    ("colour", "lightness", "yellow"),
    [((255, 0, 0), 53.24, 67.20), ((255, 255, 0), 97.14, 94.48), ((255, 0, 255), 60.32, 0.0)],
)
def test_the_angle_of_one_colour(colour, lightness, yellow):
    """Red and yellow as they stand in tables; magenta, whose b* is negative, counts as hardly yellow."""
    wanted = np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3)))
    assert typology_angle(np.full((112, 112, 3), colour, np.uint8)) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("colour", [(241, 194, 167), (198, 134, 94), (141, 85, 54), (60, 36, 26)])
def test_skin_by_another_library(colour):
    """OpenCV's CIELAB of float pictures (L* of 0 to 100, D65), from light skin to dark."""
    lightness, _, yellow = cv2.cvtColor(np.float32([[colour]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    wanted = np.degrees(np.arctan2(lightness - 50, yellow))
    assert typology_angle(np.full((112, 112, 3), colour, np.uint8)) == pytest.approx(wanted, abs=0.2)


def test_only_cheeks_count():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    for cheek in CHEEKS:
        other[cheek] = one[cheek]
    assert typology_angle(one) == typology_angle(other)


def test_classes_in_order():
    assert [skin_class(above + 0.1) for _, above in CLASSES] == [name for name, _ in CLASSES]
    assert skin_class(55.0) == "light"


def test_people_by_the_median_of_their_photographs():
    """Medians 30 (of 12, 30, 80), 70, and 9.5 (of 9 and 10); photographs of one person need not be neighbours."""
    angles, owner = np.array([12.0, 70, 80, 9, 30, 10]), torch.tensor([0, 1, 0, 2, 0, 2])
    groups = subjects_by_class(angles, owner)
    assert {name: people.tolist() for name, people in groups.items()} == {
        "very light": [1],
        "intermediate": [0],
        "brown": [2],
    }
    assert list(groups) == ["very light", "intermediate", "brown"]
