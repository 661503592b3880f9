"""Files for software, run by FFmpeg itself and by NumPy."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import av
import numpy as np
import pytest

from campro.cameras.cube_table import tables
from campro.cameras.software import Software
from campro.isp import Camera, load_profile


def ffmpeg(chain: str, rgb: np.ndarray, folder) -> np.ndarray:
    """The real filters of FFmpeg, through PyAV."""
    graph = av.filter.Graph()
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    links = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=1)]
    for part in chain.split(","):
        kind, _, arguments = part.partition("=")
        links.append(graph.add(kind, arguments.replace("file=", f"file={folder}/")))
    links.append(graph.add("buffersink"))
    for one, other in pairwise(links):
        one.link_to(other)
    graph.configure()
    graph.push(frame)
    return graph.pull().to_ndarray(format="rgb24")


@cache
def files_of(name):
    """A built-in profile and its files."""
    profile = load_profile(name)
    return profile, Software().write(profile, "")


def written_to(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["campro-default", "negative"])
def test_ffmpeg_makes_the_same_picture(start, tmp_path):
    wanted, files = files_of(start)
    written_to(tmp_path, files)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    found = ffmpeg(files["ffmpeg.txt"].splitlines()[0], rgb, tmp_path)
    apart = np.abs(found.astype(int) - Camera(wanted)(rgb))
    assert apart.max() <= 1
    assert apart.mean() < 0.1


@pytest.mark.slow
def test_the_numpy_module_makes_the_same_picture():
    wanted, files = files_of("campro-default")
    module: dict = {}
    exec(files["profile.py"], module)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    apart = np.abs(module["protect"](rgb).astype(int) - Camera(wanted)(rgb))
    assert apart.max() <= 1
    assert (apart == 0).mean() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("start", ["campro-strong", "campro-default"])
def test_the_table_is_read_by_ffmpeg_with_the_stated_error(start, tmp_path):
    wanted, files = files_of(start)
    written_to(tmp_path, files)
    best = tables(wanted)[0]
    assert f"{best.size} nodes per axis (profile.cube)" in files["cube-errors.txt"]
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    for interpolation, error in (("trilinear", best.trilinear), ("tetrahedral", best.tetrahedral)):
        chain = files["ffmpeg.txt"].splitlines()[1].replace("trilinear", interpolation)
        found = ffmpeg("format=gbrp," + chain, rgb, tmp_path)
        apart = np.abs(found.astype(int) - Camera(wanted)(rgb))
        assert apart.mean() == pytest.approx(error.mean, abs=0.5)  # FFmpeg cuts, we round
        assert apart.max() <= error.largest + 2
        assert f"off by {error.mean:.2f} of 255 levels" in files["profile.cube"][:400]
