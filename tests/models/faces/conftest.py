"""Fixtures of the tests of face models."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.images import write_image
from campro.data.facemodel import FaceModel


@pytest.fixture
def photos(tmp_path):
    """Three faces, a gray image without a face, and a damaged file."""
    paths = []
    for i, person in enumerate(FaceModel.load().sample(3, 1, seed=1)):
        paths.append(tmp_path / f"photos/{i}.png")
        write_image(paths[-1], person[0])
    write_image(tmp_path / "photos/nobody.png", np.full((160, 160, 3), 90, np.uint8))
    (tmp_path / "photos/broken.png").write_bytes(b"not a picture")
    return [*paths, tmp_path / "photos/nobody.png", tmp_path / "photos/broken.png"]
