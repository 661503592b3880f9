"""Labels of groups: read as written, and refused where they are no labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from campro.core.errors import CamproError
from campro.data import FaceSet
from campro.data.group_labels import read_groups


def faces(root, *names):
    return FaceSet("few", root, {name: (Path(f"{name}.png"),) for name in names})


def written(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "groups.csv").write_text(text)
    return folder / "groups.csv"


def test_a_person_may_be_in_several_groups(tmp_path):
    path = written(tmp_path, "person,group\nann,women\nbob,men\nann,over 60\ncid,men\nann,women\n")
    found = read_groups(path, faces(tmp_path, "ann", "bob"))
    assert found == {"women": ("ann",), "men": ("bob",), "over 60": ("ann",)}


@pytest.mark.parametrize(
    "text", ["", "name,group\n", "person,group\nann\n", "person,group\nann,\n", "person,group\nzoe,men\n"]
)
def test_what_is_no_list_of_labels_is_refused(tmp_path, text):
    with pytest.raises(CamproError, match=r"groups\.csv"):
        read_groups(written(tmp_path, text), faces(tmp_path, "ann"))


def test_labels_lie_in_the_folder_that_was_told(tmp_path):
    """Which may be the one above LFW's `images`."""
    assert faces(tmp_path, "ann").metadata_file("groups.csv") is None
    path = written(tmp_path, "person,group\nann,women\n")
    assert faces(tmp_path, "ann").metadata_file("groups.csv") == path
    assert faces(tmp_path / "images", "ann").metadata_file("groups.csv") == path
