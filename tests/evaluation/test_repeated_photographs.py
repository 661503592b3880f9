"""Equal files in a set of faces are found."""

from __future__ import annotations

import numpy as np

from campro.core.images import write_image
from campro.data.faces import read_faces
from campro.evaluation.repeated_photographs import repeated_photographs


def _write(folder, files):
    for file, level in files.items():
        write_image(folder / file, np.full((8, 8, 3), level, np.uint8))
    return read_faces(folder)


def test_different_photographs_give_no_warning(tmp_path):
    assert repeated_photographs(_write(tmp_path, {"a/0.png": 1, "a/1.png": 2, "b/0.png": 3})) == ()


def test_one_person_under_two_names_and_a_photograph_twice_are_found(tmp_path):
    files = {"a/0.png": 1, "a/1.png": 2, "b/0.png": 1, "b/1.png": 3, "c/0.png": 4, "c/copy.png": 4, "c/2.png": 5}
    across, within = repeated_photographs(_write(tmp_path, files))
    assert across.startswith("2 files of 1 photograph are under the names of several people")
    assert "a/0.png = b/0.png" in across
    assert "under one name" in within
    assert "c/0.png = c/copy.png" in within
