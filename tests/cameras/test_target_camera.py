"""Reading the camera's own file: required, superfluous, missing and binary."""

from __future__ import annotations

from pathlib import Path

import pytest

from campro.cameras.camera_table import CAMERAS
from campro.core.errors import CamproError

NEEDS_BASE, NEEDS_NONE = CAMERAS["rpi-vc4"], CAMERAS["software"]


def test_the_text_is_read_as_it_is(tmp_path):
    (tmp_path / "a.json").write_bytes(b"{}\r\n")
    assert NEEDS_BASE.read_base(tmp_path / "a.json") == "{}\r\n"
    assert NEEDS_NONE.read_base(None) == ""


@pytest.mark.parametrize(
    ("camera", "path", "reason"),
    [
        (NEEDS_BASE, None, "--base FILE, a libcamera tuning file"),
        (NEEDS_NONE, Path("a.json"), "no --base"),
        (NEEDS_BASE, Path("/nowhere/a.json"), "No such file"),
    ],
)
def test_a_missing_or_superfluous_base_is_refused(camera, path, reason):
    with pytest.raises(CamproError, match=reason):
        camera.read_base(path)


def test_a_binary_base_is_refused(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CamproError, match="not text"):
        NEEDS_BASE.read_base(tmp_path / "a.bin")
