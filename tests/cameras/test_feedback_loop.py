"""White balance and exposure as a closed loop: raw statistics are safe, those behind a steep matrix are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from campro.cameras.camera_table import CAMERAS
from campro.cameras.feedback_loop import RELEASES, simulate_loop
from campro.isp import load_profile
from campro.isp.limits import parts

ROOT = Path(__file__).parents[2]


def loop_of(name, statistics):
    return simulate_loop(np.array(parts(load_profile(name))[0].matrix), statistics, scenes=1)


@pytest.mark.parametrize("name", ["campro-default", "campro-strong"])
def test_raw_statistics_do_not_see_the_matrix(name):
    assert loop_of(name, "raw").gain_error == 0
    assert loop_of(name, "raw").settled


def test_campro_default_settles_where_the_inverse_is_applied():
    assert loop_of("campro-default", "behind-matrix-inverted").settled


def test_campro_strong_freezes_the_gains():
    """Grey becomes (0, g, g) after clipping, and its inverse image is dark: no frame is measured."""
    loop = loop_of("campro-strong", "behind-matrix-inverted")
    assert loop.frozen == 1
    assert not loop.settled


def test_campro_strong_runs_away_without_the_inverse():
    loop = loop_of("campro-strong", "behind-matrix")
    assert loop.gain_error > 1
    assert not loop.settled


def test_the_identity_settles_everywhere():
    for statistics in RELEASES:
        assert simulate_loop(np.eye(3), statistics, scenes=1).settled


def test_every_stack_says_where_it_measures():
    """Raw statistics are declared, not assumed: a camera without any states what must be checked."""
    raw = {name for name, camera in CAMERAS.items() if camera.statistics == ("raw",)}
    behind = {name for name, camera in CAMERAS.items() if "behind-matrix" in camera.statistics}
    assert {"rpi-vc4", "rpi-pisp", "libcamera-simple", "rockchip-rkaiq", "rockchip-isp32"} <= raw
    assert behind == {"rkisp1", "rkisp1-log", "rkisp1-equal"}
    for name in CAMERAS.keys() - raw - behind:
        assert CAMERAS[name].statistics == ()
        assert len(CAMERAS[name].measuring) > 40


ROWS = {
    "raw": "raw: Raspberry Pi, rkaiq, software ISP",
    "behind-matrix-inverted": "RkISP1, libcamera from 0.5.1 on",
    "behind-matrix": "RkISP1, libcamera up to 0.5.0",
    "exposure-behind-matrix": "ESP32-P4, esp_video: exposure behind the profile",
}


@pytest.mark.parametrize("name", ["campro-default", "campro-strong"])
def test_the_table_of_the_page_has_these_figures(name):
    """docs/cameras.md, White balance: every row of the closed-loop table is what the simulation gives."""
    page = (ROOT / "docs" / "cameras.md").read_text()
    for statistics, title in ROWS.items():
        loop = simulate_loop(np.array(parts(load_profile(name))[0].matrix), statistics)
        (row,) = [line for line in page.splitlines() if line.startswith(f"| {name} (") and f"| {title} |" in line]
        cells = [cell.strip() for cell in row.split("|")[3:-1]]
        numbers = [float(cell.removesuffix(" %")) for cell in cells[:3]]
        found = [100 * loop.gain_error, 100 * loop.exposure_error, 100 * loop.frozen]
        np.testing.assert_allclose(numbers, found, rtol=0.05, atol=0.05, err_msg=title)
        assert cells[3].startswith("yes" if loop.settled else "no"), title
