"""Letterboxing of images and boxes, and non-maximum suppression."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.types import Detections
from campro.models.persons.letterbox import GREY, fit_scale, fit_truth, fitted, from_letterbox, letterbox, suppress


def test_letterbox_keeps_the_aspect_ratio_and_pads_with_gray():
    boxed = letterbox([torch.ones(3, 40, 80)], (64, 64))
    assert boxed.shape == (1, 3, 64, 64)
    assert boxed[0, :, :32].min() == 1
    assert boxed[0, :, 32:].unique().tolist() == pytest.approx([GREY])


@given(st.integers(1, 500), st.integers(1, 500))
def test_fitted_image_is_inside_the_letterbox_and_not_empty(height, width):
    rows, columns = fitted(height, width, (64, 96))
    assert 1 <= rows <= 64 and 1 <= columns <= 96


@given(st.integers(20, 500), st.integers(20, 500))
def test_boxes_are_the_same_after_letterboxing_and_back(height, width):
    truth = Detections.truth([[2, 3, 15, 18]])
    boxed = fit_truth(truth, height, width, (64, 96))
    back = from_letterbox(boxed.boxes, height, width, fit_scale(height, width, (64, 96)))
    torch.testing.assert_close(back, truth.boxes, atol=1e-3, rtol=1e-4)


def test_suppression_keeps_the_best_of_overlapping_boxes_in_image_pixels():
    boxes = torch.tensor([[0.0, 0, 20, 20], [1.0, 0, 21, 20], [40.0, 40, 90, 60], [60.0, 60, 64, 64]])
    scores = torch.tensor([0.5, 0.9, 0.3, 0.2])
    found = suppress(torch.zeros(3, 100, 200), boxes, scores, (64, 128), 0.6)
    scale = 0.64
    wanted = torch.tensor([[1.0, 0, 21, 20], [40.0, 40, 90, 60], [60.0, 60, 64, 64]]) / scale
    torch.testing.assert_close(
        found.boxes, wanted.clamp(max=100).where(torch.tensor([False, True, False, True]), wanted)
    )
    torch.testing.assert_close(found.scores, torch.tensor([0.9, 0.3, 0.2]))
    assert not found.crowd.any()


def test_boxes_outside_the_image_are_removed():
    # the image covers the left half of the letterbox; the second box is in the padding
    boxes, scores = torch.tensor([[0.0, 0, 20, 20], [40.0, 0, 60, 20]]), torch.tensor([0.5, 0.9])
    found = suppress(torch.zeros(3, 64, 32), boxes, scores, (64, 64), 0.6)
    assert found.boxes.tolist() == [[0, 0, 20, 20]]
