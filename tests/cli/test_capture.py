from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import tyro

from campro.cli import capture as module
from campro.cli.capture import Config, capture
from campro.core.errors import CamproError
from campro.core.images import read_image, write_image


class Negative:
    name, digest = "negative", "negative"

    def __call__(self, rgb):
        return 255 - rgb


@pytest.fixture
def photos(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    for name in ("a.png", "people/b.png", "people/deep/c.bmp"):
        write_image(tmp_path / "in" / name, rgb)
    return tmp_path / "in"


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_command_line():
    assert tyro.cli(Config, args=["photos", "-o", "x"]) == Config("photos", Path("x"), "campro-default")
    assert tyro.cli(Config, args=["a.jpg", "--out", "b.png", "--profile", "p.json"]).profile == "p.json"


def test_a_folder_keeps_its_structure(photos, tmp_path, capsys):
    capture(photos, tmp_path / "out", Negative())
    assert names(tmp_path / "out") == names(photos) == ["a.png", "people/b.png", "people/deep/c.bmp"]
    for name in names(photos):
        assert (read_image(tmp_path / "out" / name) == 255 - read_image(photos / name)).all()
    assert "3 pictures written, 0 skipped" in capsys.readouterr().out


def test_one_image_to_a_file_or_a_folder(photos, tmp_path):
    capture(photos / "a.png", tmp_path / "b.bmp", Negative())
    capture(photos / "a.png", tmp_path / "folder", Negative())
    assert (read_image(tmp_path / "b.bmp") == read_image(tmp_path / "folder" / "a.png")).all()


def test_a_bad_image_is_skipped_with_a_line_and_counted(photos, tmp_path, capsys):
    (photos / "bad.jpg").write_bytes(b"\xff\xd8\xff half a picture")
    capture(photos, tmp_path / "out", Negative())
    output = capsys.readouterr()
    assert f"skipped {photos}/bad.jpg: expected a whole image file" in output.err
    assert "3 pictures written, 1 skipped" in output.out


def test_nothing_written_is_an_error(tmp_path):
    (tmp_path / "bad.png").write_text("no")
    with pytest.raises(CamproError, match="at least one readable picture, got 1 unreadable"):
        capture(tmp_path / "bad.png", tmp_path / "out", Negative())
    (tmp_path / "empty").mkdir()
    with pytest.raises(CamproError, match="a folder with images, got none"):
        capture(tmp_path / "empty", tmp_path / "out", Negative())
    assert not (tmp_path / "out").exists()


def test_the_source_is_never_overwritten(photos, tmp_path):
    before = read_image(photos / "a.png")
    (tmp_path / "link").symlink_to(photos)
    choices = [(photos, photos), (photos, photos / "out"), (photos, tmp_path / "link"), (photos / "a.png", photos)]
    for source, out in [*choices, (photos / "a.png", photos / "a.png")]:
        with pytest.raises(CamproError, match="choose another --out"):
            capture(source, out, Negative())
    assert (read_image(photos / "a.png") == before).all() and len(names(photos)) == 3


def test_a_video(tmp_path, capsys):
    with av.open(str(tmp_path / "v.avi"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(5):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 200, np.uint8), format="rgb24"))
            )
        container.mux(stream.encode(None))
    capture(tmp_path / "v.avi", tmp_path / "out", Negative())
    with av.open(str(tmp_path / "out" / "v.mkv")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 5 and np.abs(frames[0].astype(int) - 55).max() <= 4
    assert "5 frames written, 0 damaged" in capsys.readouterr().out


def test_run_uses_the_named_profile(photos, tmp_path, monkeypatch):
    import campro.isp

    monkeypatch.setattr(campro.isp, "load_profile", lambda name: name, raising=False)
    monkeypatch.setattr(campro.isp, "Camera", lambda profile: Negative() if profile == "mine" else None, raising=False)
    module.run(Config(photos / "a.png", tmp_path / "b.png", "mine"))
    assert (read_image(tmp_path / "b.png") == 255 - read_image(photos / "a.png")).all()
