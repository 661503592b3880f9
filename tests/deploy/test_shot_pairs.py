"""Registration of pairs of shots, and the reasons for which pairs are rejected."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.deploy.shot_pairs import NoPair, read_pairs, registered, squares
from campro.isp import Camera

from .conftest import NOMINAL, TRUE


def test_a_moved_camera_is_registered(taken):
    """The registered default shot is much closer to the protected one than the unregistered shot."""
    default, protected = taken[0]
    pair = registered("a", default, protected, NOMINAL)
    camera = Camera(TRUE)
    after = np.abs(camera(pair.default).astype(int) - protected)[pair.covered].mean()
    before = np.abs(camera(default).astype(int) - protected)[pair.covered].mean()
    assert after < 0.7 * before
    assert 0.97 < pair.covered.mean() < 1


@pytest.mark.parametrize(
    ("default", "protected", "reason"),
    [
        (0, 1, "sizes differ"),
        (3, 4, "features"),
        (None, None, "too few features"),
    ],
)
def test_unusable_pairs_are_rejected_with_a_reason(taken, default, protected, reason):
    flat = np.full((240, 320, 3), 120, np.uint8)
    first = flat if default is None else taken[default][0]
    second = flat if protected is None else taken[protected][1]
    with pytest.raises(NoPair, match=reason):
        registered("a", first, second, NOMINAL)


def test_pairs_are_matched_by_name(taken, tmp_path):
    for folder, names in (("default", "ab"), ("protected", "bc")):
        for name in names:
            write_image(tmp_path / folder / f"{name}.png", taken[1][folder == "protected"])
    pairs, rejected = read_pairs(tmp_path / "default", tmp_path / "protected", NOMINAL)
    assert [pair.name for pair in pairs] == ["b"]
    assert rejected == {"a": "it has no counterpart", "c": "it has no counterpart"}
    (tmp_path / "protected" / "b.png").unlink()
    with pytest.raises(CamproError, match="same names in both folders"):
        read_pairs(tmp_path / "default", tmp_path / "protected", NOMINAL)


def test_squares_by_hand():
    picture = np.arange(5 * 7).reshape(5, 7, 1)
    cut = squares(picture, 2)
    assert cut.shape == (6, 4, 1)
    assert cut[0, :, 0].tolist() == [0, 1, 7, 8]
    assert cut[5, :, 0].tolist() == [18, 19, 25, 26]
