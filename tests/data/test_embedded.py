"""The sample that ships: synthetic people and composed scenes."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.data import assert_disjoint, draw_split, split_identities
from campro.data.embedded import embedded_faces, embedded_scenes
from campro.data.facemodel import CANVAS, FaceModel
from campro.data.faces import read_faces


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_faces_are_drawn_once_and_splits_share_nobody(cache):
    train, test = (embedded_faces(split, cache) for split in ("train", "test"))
    assert len(test.with_at_least(2).identities) == 100
    assert_disjoint(train, test)
    assert embedded_faces("test", cache).digest == test.digest
    with pytest.raises(CamproError, match="train or test"):
        embedded_faces("validation", cache)


def test_people_do_not_depend_on_how_many_are_drawn():
    few, more = ([picture for person in FaceModel.load().sample(n, 2, seed=9) for picture in person] for n in (1, 3))
    assert few[0].shape == (CANVAS, CANVAS, 3)
    np.testing.assert_array_equal(few[0], more[0])
    assert np.abs(few[0].astype(int) - few[1]).mean() > 1  # two pictures of a person differ


def test_scenes_have_people_where_the_boxes_are(cache):
    scenes = embedded_scenes("test", cache)
    assert scenes.person_count > 10
    assert any(len(scene.truth) == 0 for scene in scenes.scenes)
    for scene in scenes.scenes:
        height, width = read_image(scene.path).shape[:2]
        assert (width, height) == (scene.width, scene.height)
        assert (scene.truth.boxes[:, 2] <= width).all()
    assert embedded_scenes("train", cache).digest != scenes.digest


def test_split_identities_share_nobody(cache):
    faces = embedded_faces("train", cache)
    rest, held = split_identities(faces, 0.1, seed=1)
    assert_disjoint(rest, held)
    assert len(rest.identities) + len(held.identities) == len(faces.identities)
    assert split_identities(faces, 0.1, seed=1)[1].digest == held.digest
    with pytest.raises(CamproError, match="different people"):
        assert_disjoint(faces, held)


def test_draws_are_seeded_and_never_pair_a_photograph_with_itself(cache):
    faces = embedded_faces("test", cache)
    one, two, other = (draw_split(faces, seed) for seed in (1, 1, 2))
    assert one == two
    assert one != other
    assert all(a != b and a.parent == b.parent for a, b in zip(one.gallery, one.probe))


def test_single_pictures_cannot_be_paired(tmp_path, cache):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        photo = next(iter(embedded_faces("test", cache).photos))
        (tmp_path / name / "1.png").write_bytes(photo.read_bytes())
    with pytest.raises(CamproError, match="two photographs"):
        draw_split(read_faces(tmp_path), 0)
