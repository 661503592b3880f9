"""Files for software, run by FFmpeg itself and by NumPy."""

from __future__ import annotations

from itertools import pairwise

import av
import numpy as np
import pytest

from campro.cameras.software import LARGEST_ERROR, Software, smallest_table, table_error
from campro.isp import Camera, Ccm, Degamma, GammaLut, IspProfile, Quantise, load_profile
from campro.isp.lookup import colour_table


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


def written_to(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("start", ["campro-default", "negative"])
def test_ffmpeg_makes_the_same_picture(start, tmp_path):
    wanted = load_profile(start)
    files = Software().write(wanted, "")
    written_to(tmp_path, files)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    found = ffmpeg(files["ffmpeg.txt"].splitlines()[0], rgb, tmp_path)
    apart = np.abs(found.astype(int) - Camera(wanted)(rgb))
    assert apart.max() <= 1
    assert apart.mean() < 0.1


def test_the_numpy_module_makes_the_same_picture():
    wanted = load_profile("campro-default")
    module: dict = {}
    exec(Software().write(wanted, "")["profile.py"], module)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    apart = np.abs(module["protect"](rgb).astype(int) - Camera(wanted)(rgb))
    assert apart.max() <= 1
    assert (apart == 0).mean() > 0.999


def test_a_table_is_shipped_only_where_it_is_good_enough(tmp_path):
    even = np.linspace(0, 1, 32)
    blocks = (Degamma(), Ccm(((0.9, 0.1, 0), (0, 1, 0), (0, 0.1, 0.9))), GammaLut((tuple(even),), tuple(even**2.2)))
    gentle = IspProfile("gentle", (*blocks, Quantise(8)))
    files = Software().write(gentle, "")
    written_to(tmp_path, files)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    found = ffmpeg("format=gbrp," + files["ffmpeg.txt"].splitlines()[1], rgb, tmp_path)
    assert np.abs(found.astype(int) - Camera(gentle)(rgb)).max() <= LARGEST_ERROR + 1  # FFmpeg cuts, we round
    exact = colour_table(gentle.blocks)
    size = smallest_table(gentle)
    assert table_error(exact, size) <= LARGEST_ERROR
    assert "profile.cube" not in Software().write(load_profile("campro-default"), "")
