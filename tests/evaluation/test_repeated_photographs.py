"""The same photograph twice in a set of faces is found, also in another size or encoding."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.data.facemodel import FaceModel
from campro.data.faces import read_faces
from campro.evaluation import repeated_photographs as module
from campro.evaluation.repeated_photographs import repeated_photographs


def picture(seed):
    """A smooth random picture; those of different seeds are different photographs."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (96, 120), interpolation=cv2.INTER_CUBIC)


def _write(folder, files):
    for file, seed in files.items():
        write_image(folder / "faces" / file, picture(seed))
    return read_faces(folder / "faces")


def test_different_photographs_give_no_warning(tmp_path):
    assert repeated_photographs(_write(tmp_path, {"a/0.png": 1, "a/1.png": 2, "b/0.png": 3}), tmp_path) == ()


def test_one_person_under_two_names_and_a_photograph_twice_are_found(tmp_path):
    files = {"a/0.png": 1, "a/1.png": 2, "b/0.png": 1, "b/1.png": 3, "c/0.png": 4, "c/copy.png": 4, "c/2.png": 5}
    across, within = repeated_photographs(_write(tmp_path, files), tmp_path)
    assert across.startswith("2 files of 1 photograph are under the names of several people")
    assert "a/0.png = b/0.png" in across
    assert "under one name" in within
    assert "c/0.png = c/copy.png" in within


def test_copies_of_other_sizes_and_encodings_are_found(tmp_path):
    _write(tmp_path, {"a/0.png": 1, "a/1.png": 2, "b/1.png": 3, "c/0.png": 4, "c/1.png": 5})
    for folder in "bd":
        (tmp_path / "faces" / folder).mkdir(exist_ok=True)
    bgr = picture(1)[:, :, ::-1]
    cv2.imwrite(str(tmp_path / "faces/b/small.jpg"), cv2.resize(bgr, (40, 50)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    cv2.imwrite(str(tmp_path / "faces/d/large.webp"), cv2.resize(bgr, (150, 188)))
    (across,) = repeated_photographs(read_faces(tmp_path / "faces"), tmp_path)
    assert across.startswith("3 files of 1 photograph are under the names of several people")
    assert "a/0.png = b/small.jpg = d/large.webp" in across


def test_similar_faces_are_different_photographs(tmp_path):
    """Frontal faces in even light, all of one size."""
    for person, pictures in enumerate(FaceModel.load().sample(5, 3, seed=1)):
        for number, rgb in enumerate(pictures):
            write_image(tmp_path / "faces" / f"{person}" / f"{number}.png", rgb)
    assert repeated_photographs(read_faces(tmp_path / "faces"), tmp_path) == ()


def test_flat_pictures_are_equal_to_none(tmp_path):
    for level in (10, 90):
        write_image(tmp_path / "faces" / "a" / f"{level}.png", np.full((20, 20, 3), level, np.uint8))
    assert repeated_photographs(read_faces(tmp_path / "faces"), tmp_path) == ()


def test_thumbnails_are_computed_once_per_content(tmp_path, monkeypatch):
    faces, calls = _write(tmp_path, {"a/0.png": 1, "b/0.png": 1, "b/1.png": 2}), []
    make = module.thumbnail
    monkeypatch.setattr(module, "thumbnail", lambda rgb: calls.append(1) or make(rgb))
    first = repeated_photographs(faces, tmp_path)
    assert len(calls) == 2
    assert repeated_photographs(faces, tmp_path) == first
    assert len(calls) == 2
    write_image(tmp_path / "faces" / "b" / "1.png", picture(3))  # another content
    repeated_photographs(read_faces(tmp_path / "faces"), tmp_path)
    assert len(calls) == 3


def test_a_flipped_bit_in_the_cache_is_noticed(tmp_path):
    faces = _write(tmp_path, {"a/0.png": 1, "a/1.png": 2})
    repeated_photographs(faces, tmp_path)
    (file,) = (tmp_path / "thumbnails").iterdir()
    raw = file.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(raw) - 1, 30).tolist():
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(CamproError, match="cached thumbnails"):
            repeated_photographs(faces, tmp_path)
