"""Splits into gallery and probe, and into two sets of people."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.data import FaceSet, assert_disjoint, draw_split, split_identities
from campro.data.faces import read_faces


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """40 people, three photographs of noise of each."""
    folder, rng = tmp_path_factory.mktemp("faces"), np.random.default_rng(0)
    for person in range(40):
        for number in range(3):
            noise = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            write_image(folder / f"person-{person:02d}" / f"{number}.png", noise)
    return read_faces(folder)


def test_the_two_parts_share_no_person(faces):
    rest, held = split_identities(faces, 0.1, seed=1)
    assert_disjoint(rest, held)
    assert len(rest.identities) + len(held.identities) == len(faces.identities)
    assert split_identities(faces, 0.1, seed=1)[1].digest == held.digest
    with pytest.raises(CamproError, match="different people"):
        assert_disjoint(faces, held)


def test_gallery_and_probe_are_seeded_and_differ(faces):
    first, second, other = (draw_split(faces, seed) for seed in (1, 1, 2))
    assert first == second
    assert first != other
    assert all(a != b and a.parent == b.parent for a, b in zip(first.gallery, first.probe))


def test_people_with_one_photograph_cannot_be_split(tmp_path, faces):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        photo = next(iter(faces.photos))
        (tmp_path / name / "1.png").write_bytes(photo.read_bytes())
    with pytest.raises(CamproError, match="two photographs"):
        draw_split(read_faces(tmp_path), 0)


def test_leaving_people_out_does_not_change_the_photographs_of_others(faces):
    all_people, few = draw_split(faces, 3), draw_split(faces.first(5), 3)
    assert len(few) == 5
    assert (few.gallery, few.probe) == (all_people.gallery[:5], all_people.probe[:5])


def test_copies_of_photographs_are_detected(faces, tmp_path):
    (tmp_path / "somebody").mkdir()
    (tmp_path / "somebody" / "copy.png").write_bytes(faces.photos[0].read_bytes())
    with pytest.raises(CamproError, match="different photographs"):
        assert_disjoint(faces, read_faces(tmp_path))


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, float("nan")])
def test_fractions_outside_0_and_1_are_refused(faces, fraction):
    with pytest.raises(CamproError, match="a fraction between 0 and 1"):
        split_identities(faces, fraction, 0)


def test_one_person_cannot_be_split(tmp_path):
    with pytest.raises(CamproError, match="at least two people"):
        split_identities(FaceSet("one", tmp_path, {"ann": ()}), 0.5, 0)
