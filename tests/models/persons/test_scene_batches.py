"""Training batches of scenes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.core.types import Detections, Scene
from campro.isp import Camera
from campro.models.persons.scene_batches import augment, scene_batch


@pytest.fixture
def scene(tmp_path):
    """A white box on black, so that the pixels give the box."""
    rgb = np.zeros((120, 200, 3), np.uint8)
    rgb[30:90, 50:110] = 255
    write_image(tmp_path / "scene.png", rgb)
    return Scene(tmp_path / "scene.png", 200, 120, Detections.truth([[50, 30, 110, 90]]), (3600.0,))


@pytest.mark.parametrize("seed", range(12))
def test_boxes_are_transformed_like_the_pixels(scene, seed):
    pixels, truths = scene_batch([scene], (160, 160), 1, np.random.default_rng(seed))
    rows, columns = np.nonzero(pixels[0].min(2) > 200)
    if len(truths[0]) == 0:
        assert len(rows) == 0
        return
    x0, y0, x1, y1 = truths[0].boxes[0].tolist()
    np.testing.assert_allclose(
        [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], [x0, y0, x1, y1], atol=1.5
    )


def test_boxes_are_clipped_to_the_image():
    rgb, truth = np.zeros((100, 100, 3), np.uint8), Detections.truth([[0, 0, 10, 100], [0, 0, 100, 100]])
    for seed in range(20):
        _, clipped = augment(rgb, truth, (60, 60), np.random.default_rng(seed))
        area = (clipped.boxes[:, 2:] - clipped.boxes[:, :2]).prod(1)
        assert (area > 1).all()
        assert (clipped.boxes >= 0).all()
        assert (clipped.boxes <= 60).all()


def test_a_view_changes_colours_but_not_positions(scene):
    raw, inverted = (
        scene_batch([scene], (96, 96), 3, np.random.default_rng(4), view) for view in (None, Camera("invert"))
    )
    assert all(torch.equal(a.boxes, b.boxes) for a, b in zip(raw[1], inverted[1]))
    white = raw[0].min(3) == 255
    assert (inverted[0][white] == 0).all()


def test_a_batch_of_no_scenes_is_refused():
    with pytest.raises(CamproError, match="at least one scene"):
        scene_batch([], (32, 32), 1, np.random.default_rng(0))
