"""Registration of pairs of shots, and the reasons for which pairs are rejected."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.deploy import shot_pairs
from campro.deploy.shot_pairs import WORK_SIDE, NoPair, read_pairs, registered, squares
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


def test_pairs_are_matched_by_name_then_by_content(taken, tmp_path):
    """b has the same name in both folders; a and d show the same scene; c of one folder has no counterpart."""
    files = {"default": {"a": taken[0][0], "b": taken[1][0]}, "protected": {"b": taken[1][1], "d": taken[0][1]}}
    files["protected"]["c"] = taken[2][1]
    for folder, shots in files.items():
        for name, shot in shots.items():
            write_image(tmp_path / folder / f"{name}.png", shot)
    pairs, rejected = read_pairs(tmp_path / "default", tmp_path / "protected", NOMINAL)
    assert [pair.name for pair in pairs] == ["a = d", "b"]
    assert pairs[1].source == tmp_path / "default" / "b.png"
    assert rejected == {"c": "it has no counterpart"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(CamproError, match="a folder with pictures"):
        read_pairs(tmp_path / "empty", tmp_path / "protected", NOMINAL)


def test_large_turned_shots_of_another_size_are_registered(taken):
    """A portrait of 12 megapixels, stored sideways, with a default shot of a fifth of its width."""
    default, protected = (cv2.resize(shot, (4000, 3000), interpolation=cv2.INTER_LINEAR) for shot in taken[1])
    small = cv2.resize(default, (800, 600), interpolation=cv2.INTER_AREA)
    pair = registered("a", small, np.rot90(protected), NOMINAL)
    assert pair.protected.shape == pair.default.shape == (WORK_SIDE, WORK_SIDE * 3 // 4, 3)
    off = np.abs(Camera(TRUE)(pair.default).astype(int) - pair.protected)[pair.covered].mean()
    assert off < 12


def test_edges_register_shots_without_common_features(taken, monkeypatch):
    monkeypatch.setattr(shot_pairs, "RATIO", 0.0)
    with pytest.raises(NoPair, match="features in common"):
        registered("a", *taken[1], NOMINAL)
    pair = registered("a", *taken[1], NOMINAL, correlated=False)
    assert np.abs(Camera(TRUE)(pair.default).astype(int) - pair.protected)[pair.covered].mean() < 15
    with pytest.raises(NoPair):
        registered("a", taken[4][0], taken[3][1], NOMINAL, correlated=False)


def test_squares_by_hand():
    picture = np.arange(5 * 7).reshape(5, 7, 1)
    cut = squares(picture, 2)
    assert cut.shape == (6, 4, 1)
    assert cut[0, :, 0].tolist() == [0, 1, 7, 8]
    assert cut[5, :, 0].tolist() == [18, 19, 25, 26]
