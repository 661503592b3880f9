"""The embedded sample: synthetic people and composed scenes."""

from __future__ import annotations

import pytest

from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.data import assert_disjoint
from campro.data.embedded import embedded_faces, embedded_scenes


@pytest.mark.slow
def test_splits_of_synthetic_people_share_no_person(cache):
    train, test = (embedded_faces(split, cache) for split in ("train", "test"))
    assert len(test.with_at_least(2).identities) == 100
    assert_disjoint(train, test)
    assert embedded_faces("test", cache).digest == test.digest
    with pytest.raises(CamproError, match="train or test"):
        embedded_faces("validation", cache)


@pytest.mark.slow
def test_scenes_have_boxes_inside_their_images(cache):
    scenes = embedded_scenes("test", cache)
    assert scenes.person_count > 10
    assert any(len(scene.truth) == 0 for scene in scenes.scenes)
    for scene in scenes.scenes:
        height, width = read_image(scene.path).shape[:2]
        assert (width, height) == (scene.width, scene.height)
        assert (scene.truth.boxes[:, 2] <= width).all()
    assert embedded_scenes("train", cache).digest != scenes.digest
