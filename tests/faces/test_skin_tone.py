"""The typology angle against published CIELAB coordinates (D65)."""

from __future__ import annotations

import numpy as np
import pytest

from campro.faces.skin_tone import CHEEKS, CLASSES, skin_class, typology_angle


@pytest.mark.parametrize(
    ("colour", "lightness", "yellow"),
    [((255, 0, 0), 53.24, 67.20), ((255, 255, 0), 97.14, 94.48), ((255, 0, 255), 60.32, 0.0)],
)
def test_the_angle_of_one_colour(colour, lightness, yellow):
    """Red and yellow as they stand in tables; magenta, whose b* is negative, counts as hardly yellow."""
    wanted = np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-3)))
    assert typology_angle(np.full((112, 112, 3), colour, np.uint8)) == pytest.approx(wanted, abs=0.05)


def test_only_cheeks_count():
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)
    for cheek in CHEEKS:
        other[cheek] = one[cheek]
    assert typology_angle(one) == typology_angle(other)


def test_classes_in_order():
    assert [skin_class(above + 0.1) for _, above in CLASSES] == [name for name, _ in CLASSES]
    assert skin_class(55.0) == "light"
