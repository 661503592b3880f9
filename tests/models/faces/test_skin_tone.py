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
    """Red and yellow from published tables; for magenta, whose b* is negative, b* is limited to a small value."""
    wanted = np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3)))
    assert typology_angle(np.full((112, 112, 3), colour, np.uint8)) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize("colour", [(241, 194, 167), (198, 134, 94), (141, 85, 54), (60, 36, 26)])
def test_angles_of_skin_colours_agree_with_opencv(colour):
    """OpenCV's CIELAB of float images (L* from 0 to 100, D65), from light to dark skin."""
    lightness, _, yellow = cv2.cvtColor(np.float32([[colour]]) / 255, cv2.COLOR_RGB2LAB)[0, 0]
    wanted = np.degrees(np.arctan2(lightness - 50, yellow))
    assert typology_angle(np.full((112, 112, 3), colour, np.uint8)) == pytest.approx(wanted, abs=0.2)


def test_only_the_cheeks_enter_the_angle():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    for cheek in CHEEKS:
        second[cheek] = first[cheek]
    assert typology_angle(first) == typology_angle(second)


def test_each_class_begins_above_its_bound():
    assert [skin_class(above + 0.1) for _, above in CLASSES] == [name for name, _ in CLASSES]
    assert skin_class(55.0) == "light"


def test_subjects_are_classified_by_the_median_of_their_photographs():
    """Medians 30 (of 12, 30, 80), 70, and 9.5 (of 9 and 10); photographs of a subject need not be adjacent."""
    angles, subjects = np.array([12.0, 70, 80, 9, 30, 10]), torch.tensor([0, 1, 0, 2, 0, 2])
    groups = subjects_by_class(angles, subjects)
    assert {name: people.tolist() for name, people in groups.items()} == {
        "very light": [1],
        "intermediate": [0],
        "brown": [2],
    }
    assert list(groups) == ["very light", "intermediate", "brown"]
