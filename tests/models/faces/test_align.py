"""Alignment: the similarity transform in closed form, and crops against dlib."""

from __future__ import annotations

import dlib
import numpy as np
import pytest
import skimage

from campro.core.errors import CamproError
from campro.models.faces import align, load_embedder, load_face_detector
from campro.models.faces.align import TEMPLATES, crop_with, similarity
from campro.models.faces.landmarks import main_face


def test_similarity_recovers_rotation_scale_and_shift():
    template = TEMPLATES["arcface-112", "five"]
    angle, scale = 0.4, 2.5
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (template - (7, -3)) @ np.linalg.inv(turn).T  # so that turn @ p + (7, -3) is the template
    estimate = similarity(points, template)
    np.testing.assert_allclose(estimate, np.column_stack([turn, (7, -3)]), atol=1e-8)


def test_coinciding_landmarks_are_refused():
    with pytest.raises(CamproError, match="distinct"):
        similarity(np.ones((5, 2)), TEMPLATES["arcface-112", "five"])


def test_crops_equal_those_of_dlib():
    rgb = skimage.data.astronaut()
    detector = load_face_detector("dlib")
    face = main_face(detector.detect(rgb), *rgb.shape[:2])
    ours = crop_with(rgb, face.points, "dlib", load_embedder("dlib-resnet29", weights=None).card)
    shape = dlib.full_object_detection(
        dlib.rectangle(*(int(v) for v in face.box)), [dlib.point(int(x), int(y)) for x, y in face.points]
    )
    chip = dlib.get_face_chip(rgb, shape, size=150, padding=0.25)
    # dlib resamples by an image pyramid, so that levels differ a little; a shift by two pixels gives a larger error
    shifts = [(x, y) for x in (-2, 0, 2) for y in (-2, 0, 2)]
    inner = ours[4:-4, 4:-4].astype(int)
    error = {(x, y): np.abs(inner - chip[4 + y : 146 + y, 4 + x : 146 + x]).mean() for x, y in shifts}
    assert min(error, key=error.get) == (0, 0)
    assert error[0, 0] < 6


def test_align_returns_one_crop_per_face():
    card = load_embedder("mobilefacenet", weights=None).card
    assert align(skimage.data.astronaut(), card).shape == (1, 3, *card.size)
    assert align(np.dstack([skimage.data.gravel()] * 3), card).shape == (0, 3, *card.size)
    with pytest.raises(CamproError, match="align"):
        align(skimage.data.gravel(), card)


@pytest.mark.parametrize(("template", "scheme"), TEMPLATES)
def test_templates_lie_inside_their_crops(template, scheme):
    sizes = {"arcface-112": (112, 112), "arcface-112x96": (96, 112), "dlib-150": (150, 150), "facenet-160": (160, 160)}
    points = TEMPLATES[template, scheme]
    assert points.shape == (5, 2)
    assert (points > 0).all() and (points < sizes[template]).all()


def test_strongly_reduced_faces_are_averaged():
    """A fine checkerboard becomes gray; without averaging, black and white pixels would remain."""
    card = load_embedder("dlib-resnet29", weights=None).card
    y, x = np.mgrid[:1200, :1200]
    rgb = np.repeat(((x + y) % 2 * 255).astype(np.uint8)[..., None], 3, 2)
    crop = crop_with(rgb, 8 * TEMPLATES["dlib-150", "five"], "five", card)
    assert np.abs(crop[4:-4, 4:-4].astype(int) - 127).max() <= 2  # the border mixes with black
