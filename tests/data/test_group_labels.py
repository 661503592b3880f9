"""Files of group labels."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
def test_other_files_are_refused(tmp_path, text):
    with pytest.raises(CamproError, match=r"groups\.csv"):
        read_groups(written(tmp_path, text), faces(tmp_path, "ann"))


def test_missing_and_binary_files_are_refused(tmp_path):
    with pytest.raises(CamproError, match=r"groups\.csv"):
        read_groups(tmp_path / "groups.csv", faces(tmp_path, "ann"))


@given(st.binary(max_size=40) | st.text(alphabet='person,group\nanx"\r\0', max_size=40).map(str.encode), st.booleans())
def test_any_bytes_give_groups_or_a_campro_error(tmp_path_factory, data, header):
    path = tmp_path_factory.getbasetemp() / "groups.csv"
    path.write_bytes(b"person,group\n" * header + data)
    try:
        groups = read_groups(path, faces(path.parent, "ann", "n"))
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        assert groups and all(set(people) <= {"ann", "n"} for people in groups.values())


def test_files_as_spreadsheet_programs_write_them(tmp_path):
    path = written(tmp_path, "")
    path.write_bytes("\ufeffperson,group\r\nann,Frauen über 60\r\n".encode())
    assert read_groups(path, faces(tmp_path, "ann")) == {"Frauen über 60": ("ann",)}
    path.write_bytes("person,group\nann,Frauen über 60\n".encode("latin-1"))
    with pytest.raises(CamproError, match="save it as CSV UTF-8"):
        read_groups(path, faces(tmp_path, "ann"))
