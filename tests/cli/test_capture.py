from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
import tyro
from PIL import Image

from campro.cli import capture as module
from campro.cli.capture import Config, capture
from campro.core.errors import CamproError
from campro.core.images import read_image, write_image
from campro.isp import load_profile
from campro.isp.rawfile import develop_file


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
    with pytest.raises(CamproError, match=r"to capture 4 files, got 1 that were not \(\.jpg\)"):
        capture(photos, tmp_path / "out", Negative())
    output = capsys.readouterr()
    assert f"skipped {photos}/bad.jpg: expected a whole image file" in output.err
    assert "3 pictures written, 1 skipped" in output.out


def test_nothing_written_is_an_error(tmp_path):
    (tmp_path / "bad.png").write_text("no")
    with pytest.raises(CamproError, match=r"bad\.png: expected a whole image file"):
        capture(tmp_path / "bad.png", tmp_path / "out", Negative())
    (tmp_path / "all").mkdir()
    for name in "ab":
        (tmp_path / "all" / f"{name}.png").write_text("no")
    with pytest.raises(CamproError, match="at least one readable picture, got 2 unreadable"):
        capture(tmp_path / "all", tmp_path / "out", Negative())
    (tmp_path / "empty").mkdir()
    with pytest.raises(CamproError, match="a folder with images or videos, got none"):
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


@pytest.mark.parametrize(
    ("source", "out", "why"),
    [
        ("in/a.png", "r.gif", "one of .jpg"),
        ("in/a.png", "r.HEIC", "one of .jpg"),
        ("in/a.png", "r.mp4", "one of .jpg"),
        ("in/a.png", "r.txt", "one of .jpg"),
        ("in", "result.jpg", "the name of a .jpg file"),
        ("in", "report.html", "the name of a .html file"),
        ("in", "in/a.png", "a folder, got a file"),
        ("v.avi", "film.avi", "one of .mp4"),
        ("v.avi", "film.jpg", "one of .mp4"),
    ],
)
def test_targets_named_like_files_of_another_kind_are_refused(photos, tmp_path, source, out, why):
    film(tmp_path / "v.avi")
    before = names(tmp_path)
    with pytest.raises(CamproError, match=why):
        capture(tmp_path / source, tmp_path / out, Negative())
    assert names(tmp_path) == before and not (tmp_path / out).is_dir()


def test_existing_folders_of_any_name_and_version_numbers_are_folders(photos, tmp_path):
    (tmp_path / "old.jpg").mkdir()
    capture(photos, tmp_path / "old.jpg", Negative())
    capture(photos, tmp_path / "run-1.2", Negative())
    capture(photos / "a.png", tmp_path / "old.jpg", Negative())
    assert names(tmp_path / "old.jpg") == names(tmp_path / "run-1.2") == names(photos)


def test_a_phone_folder(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "DCIM"
    rgb = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    write_image(folder / "a.png", rgb)
    picture = Image.fromarray(rgb)
    picture.save(folder / "b.jfif", "JPEG")
    picture.save(folder / "a.gif")
    picture.save(folder / "c", "PNG")  # by content
    film(folder / "d.MOV")
    film(folder / "e.clip", "mpegts")  # by content
    (folder / "f.HEIC").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    (folder / "g.DNG").write_bytes(b"II*\0")
    (folder / "h.psd").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("text")
    with pytest.raises(CamproError, match=r"9 files, got 3 that were not \(\.dng \.heic \.psd\)"):
        capture(folder, tmp_path / "out", Negative(), develop=partial(develop_file, profile=load_profile("invert")))
    assert names(tmp_path / "out") == ["a.gif.png", "a.png", "b.jfif", "c.png", "d.MOV", "e.mkv"]
    output = capsys.readouterr()
    assert "4 pictures, 2 videos written, 3 skipped" in output.out
    assert "1 other files left out (.txt)" in output.err
    assert all(f"skipped {folder}/{name}" in output.err for name in ("f.HEIC", "g.DNG", "h.psd"))


@pytest.mark.parametrize(("package", "extra", "name"), [("rawpy", "raw", "a.dng"), ("pillow_heif", "heif", "a.heic")])
def test_a_missing_package_is_named_with_its_extra(tmp_path, monkeypatch, package, extra, name):
    monkeypatch.setitem(sys.modules, package, None)
    (tmp_path / name).write_bytes(b"II*\0")
    with pytest.raises(CamproError, match=rf"pip install 'campro\[{extra}\]'"):
        module.run(Config(str(tmp_path / name), tmp_path / "out"))


@pytest.mark.parametrize(("content", "name"), [("ffconcat version 1.0\nfile v.mp4\n", "a.mp4"), ("hello", "a.txt")])
def test_texts_and_lists_of_files_are_not_played(tmp_path, content, name):
    film(tmp_path / "v.mp4")
    (tmp_path / name).write_text(content)
    with pytest.raises(CamproError, match=name):
        capture(tmp_path / name, tmp_path / "out", Negative())
    assert not (tmp_path / "out").exists()


def film(path, container_format=None):
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(5):
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 200, np.uint8), format="rgb24"))
            )
        container.mux(stream.encode(None))


def test_a_video(tmp_path, capsys):
    film(tmp_path / "v.avi")
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
