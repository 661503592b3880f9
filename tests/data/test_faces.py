"""Folders of faces: what is read, what is left out, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.data import FaceSet, read_faces


@pytest.fixture
def folder(tmp_path):
    """Three people with two, one and three photographs."""
    for person, (name, count) in enumerate((("ann", 2), ("bob", 1), ("cid", 3))):
        for i in range(count):
            write_image(tmp_path / "people" / name / f"{i}.png", np.full((4, 4, 3), 50 * person + i, np.uint8))
    return tmp_path / "people"


def test_people_and_photographs_are_sorted_by_name(folder):
    faces = read_faces(folder)
    assert faces.counts == {"ann": 2, "bob": 1, "cid": 3}
    assert [photo.name for photo in faces.identities["cid"]] == ["0.png", "1.png", "2.png"]
    assert len(faces.photos) == 6
    assert str(faces) == "people: 6 photographs of 3 people, 2 with two or more"


def test_the_folder_above_images_may_be_named_as_for_lfw(folder):
    folder.rename(folder.parent / "images")
    faces = read_faces(folder.parent)
    assert faces.root == folder.parent / "images"
    assert faces.folder == folder.parent
    assert faces.name == folder.parent.name


def test_other_files_are_listed_as_problems(folder):
    (folder / "notes.txt").touch()
    (folder / ".hidden").mkdir()
    (folder / "dee").mkdir()
    (folder / "ann" / "inner").mkdir()
    (folder / "ann" / "notes.txt").touch()
    (folder / "ann" / "empty.png").touch()
    (folder / "ann" / "link.png").symlink_to(folder / "absent.png")
    (folder / "bob" / "broken.png").write_bytes(b"no image")
    faces = read_faces(folder)
    reasons = ("a folder inside", "not a picture (.txt)", "a broken link", "an empty file", "an empty folder", "not a")
    assert len(faces.problems) == 6
    assert all(any(reason in problem for problem in faces.problems) for reason in reasons)
    assert faces.counts["bob"] == 2
    checked = read_faces(folder, check=True)
    assert checked.counts["bob"] == 1 and len(checked.problems) == 7


def test_folders_without_people_are_refused(tmp_path):
    with pytest.raises(CamproError, match="nothing there"):
        read_faces(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(CamproError, match="a file"):
        read_faces(tmp_path / "file")
    with pytest.raises(CamproError, match=r"other entries .*file"):
        read_faces(tmp_path)
    (tmp_path / "file").unlink()
    with pytest.raises(CamproError, match="an empty folder"):
        read_faces(tmp_path)


def test_subsets_by_count_name_and_photograph(folder):
    faces = read_faces(folder)
    assert list(faces.with_at_least(2).identities) == ["ann", "cid"]
    assert list(faces.first(2).identities) == ["ann", "bob"]
    assert faces.only([folder / "cid" / "1.png"]).identities == {"cid": (folder / "cid" / "1.png",)}
    with pytest.raises(CamproError, match=r"4\+ photographs"):
        faces.with_at_least(4)
    with pytest.raises(CamproError, match="at least one person"):
        faces.first(0)
    with pytest.raises(CamproError, match="detectable face"):
        faces.only([])


def test_the_digest_depends_on_names_and_contents_only(folder, tmp_path):
    digest = read_faces(folder).digest
    folder.rename(tmp_path / "renamed")
    assert read_faces(tmp_path / "renamed").digest == digest
    (tmp_path / "renamed" / "bob").rename(tmp_path / "renamed" / "rob")
    assert read_faces(tmp_path / "renamed").digest != digest


def test_metadata_files_are_in_the_folder_that_the_user_named(tmp_path):
    """For LFW this is the folder above `images`."""
    faces = FaceSet("few", tmp_path, {})
    assert faces.metadata_file("groups.csv") is None
    (tmp_path / "groups.csv").touch()
    assert faces.metadata_file("groups.csv") == tmp_path / "groups.csv"
    assert FaceSet("few", tmp_path / "images", {}).metadata_file("groups.csv") == tmp_path / "groups.csv"
