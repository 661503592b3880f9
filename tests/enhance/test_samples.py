"""Training samples: the raw piece, the captured piece and the mask stay aligned."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.images import write_image
from campro.enhance import samples
from campro.enhance.recolouring import Recoloured, without_recolouring
from campro.enhance.samples import MARGIN, NOISE, TrainingPhoto, background_of, draw_samples
from campro.isp import RAW, Camera


@pytest.fixture
def photo(tmp_path):
    """A white face on black; its box is smaller than the face by the margin, so that the face is exactly the mask."""
    rgb = np.zeros((120, 160, 3), np.uint8)
    rgb[40:72, 60:92] = 255
    write_image(tmp_path / "photo.png", rgb)
    return TrainingPhoto(tmp_path / "photo.png", np.array([[66.0, 46, 86, 66]]))


@given(st.integers(0, 2**31))
def test_face_boxes_are_enlarged_by_the_margin_and_stay_inside(seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(5, 60, 2)
    x0, y0 = rng.uniform(-5, width), rng.uniform(-5, height)
    box = np.array([[x0, y0, x0 + rng.uniform(1, 30), y0 + rng.uniform(1, 30)]])
    background = background_of(box, height, width)
    y, x = np.mgrid[:height, :width] + 0.5
    (left, top, right, bottom), grown = box[0], MARGIN
    inside = (
        (x > left - grown * (right - left))
        & (x < right + grown * (right - left))
        & (y > top - grown * (bottom - top))
        & (y < bottom + grown * (bottom - top))
    )
    assert not background[inside].any()
    assert background.shape == (height, width)


@pytest.mark.parametrize("seed", range(8))
def test_the_mask_stays_on_the_face(photo, seed, monkeypatch):
    monkeypatch.setattr(samples, "JPEG_PROBABILITY", 0.0)
    negative = Camera("invert")
    inverse = lambda rgb: Recoloured(negative(rgb), np.full(rgb.shape[:2], 0b100100, np.uint8), True)  # noqa: E731
    drawn = draw_samples([photo], negative, inverse, 64, 2, np.random.default_rng(seed))
    uncompressed, captured, recoloured, ambiguity, raw, background = drawn
    assert [round(3 * float(part.mean()), 6) for part in ambiguity.unbind(1)] == [0, 1, 2]
    assert torch.equal(captured, uncompressed)
    torch.testing.assert_close(recoloured, 1 - captured)
    assert captured.shape == raw.shape == (2, 3, 64, 64)
    assert background.shape == (2, 1, 64, 64)
    torch.testing.assert_close(captured, 1 - raw, atol=6 * NOISE / 255, rtol=0)  # six standard deviations
    # every pixel that is partly white is masked, and few black ones
    assert float((raw * background).max()) == 0
    black = (raw.amax(1, keepdim=True) == 0).float()
    assert float((black * (1 - background)).mean()) < 0.06


def test_captured_pieces_have_noise_and_targets_have_none(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "JPEG_PROBABILITY", 0.0)
    write_image(tmp_path / "grey.png", np.full((64, 64, 3), 120, np.uint8))
    plain = [TrainingPhoto(tmp_path / "grey.png", np.zeros((0, 4)))]
    captured, _, _, _, raw, _ = draw_samples(plain, RAW, without_recolouring, 64, 20, np.random.default_rng(0))
    assert raw.unique().numel() == 1
    spread = 255 * (captured - raw).flatten(1).std(1)
    assert float(spread.max()) <= NOISE + 0.3
    assert float(spread.max()) > 2 * float(spread.min())
    assert abs(255 * float((captured - raw).mean())) < 0.1


def test_jpeg_changes_captured_pieces_a_little(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "JPEG_PROBABILITY", 1.0)
    monkeypatch.setattr(samples, "NOISE", 0.0)
    rgb = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8), (64, 64))
    write_image(tmp_path / "smooth.png", rgb)
    smooth = [TrainingPhoto(tmp_path / "smooth.png", np.zeros((0, 4)))]
    uncompressed, captured, _, _, raw, _ = draw_samples(
        smooth, RAW, without_recolouring, 64, 8, np.random.default_rng(0)
    )
    assert torch.equal(uncompressed, raw)
    assert 0.5 < 255 * float((captured - raw).square().mean().sqrt()) < 20


def test_samples_depend_on_the_seed_alone(photo):
    first, again, other = (
        draw_samples([photo], Camera("invert"), without_recolouring, 32, 1, np.random.default_rng(seed)).raw
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
