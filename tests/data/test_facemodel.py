"""The linear model of synthetic faces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.data.facemodel import CANVAS, SIZE, WEIGHTS, FaceModel


def test_people_do_not_depend_on_their_number():
    few, more = ([picture for person in FaceModel.load().sample(n, 2, seed=9) for picture in person] for n in (1, 3))
    assert few[0].shape == (CANVAS, CANVAS, 3)
    np.testing.assert_array_equal(few[0], more[0])
    assert np.abs(few[0].astype(int) - few[1]).mean() > 1  # two images of a person differ


def test_the_mean_face_is_a_valid_image():
    model = FaceModel.load()
    face = model.render(np.zeros(len(model.scale)))
    assert face.shape == (SIZE, SIZE, 3)
    assert face.min() >= 0 and face.max() <= 255


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
def test_damaged_weights_give_a_model_or_a_campro_error(tmp_path_factory, place, damage):
    raw = bytearray(WEIGHTS.read_bytes()[:4096])  # truncated, so that every file is damaged
    raw[place : place + len(damage)] = damage
    file = tmp_path_factory.getbasetemp() / "model.safetensors"
    file.write_bytes(raw)
    with pytest.raises(CamproError, match="a face model"):
        FaceModel.load(file)
