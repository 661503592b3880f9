"""`campro calibrate` on pairs of shots by simulated cameras."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campro.cli.main import main
from campro.core.images import read_image, write_image
from campro.deploy.calibration import Agreement, agreement
from campro.deploy.shot_pairs import Pair
from campro.isp import Camera, load_profile

from .conftest import NOMINAL


@pytest.mark.slow
def test_the_command(taken, tmp_path, capsys):
    """Three usable pairs and one of different scenes, which is rejected and reported."""
    for name, (default, protected) in zip("abcd", (*taken[:1], *taken[3:5], (taken[2][0], taken[3][1]))):
        write_image(tmp_path / "default" / f"{name}.png", default)
        write_image(tmp_path / "protected" / f"{name}.png", protected)
    NOMINAL.save(tmp_path / "nominal.json")
    words = ["--default", str(tmp_path / "default"), "--protected", str(tmp_path / "protected")]
    words += ["--profile", str(tmp_path / "nominal.json"), "-o", str(tmp_path / "out")]
    assert main(["calibrate", *words]) == 0
    output = capsys.readouterr().out
    assert "rejected d: only" in output
    figures = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert figures["calibrated"]["psnr"] > figures["nominal"]["psnr"] + 2
    assert figures["training"] == ["a", "b", "c"]
    assert not figures["held_out"]
    assert read_image(tmp_path / "out" / "comparison.png").shape[0] == 3 * 240
    calibrated = load_profile(tmp_path / "out" / "calibrated.json")
    assert (
        main(
            [
                "capture",
                str(tmp_path / "default"),
                "-o",
                str(tmp_path / "seen"),
                "--profile",
                str(tmp_path / "out" / "calibrated.json"),
            ]
        )
        == 0
    )
    assert calibrated.name == "nominal-calibrated"


def test_without_usable_pairs_nothing_is_written(tmp_path, capsys):
    for folder, name in (("default", "a"), ("protected", "b")):
        write_image(tmp_path / folder / f"{name}.png", np.full((240, 320, 3), 120, np.uint8))
    words = ["--default", str(tmp_path / "default"), "--protected", str(tmp_path / "protected"), "-o", str(tmp_path)]
    assert main(["calibrate", *words]) == 1
    assert "a: it has no counterpart" in capsys.readouterr().err
    write_image(tmp_path / "protected" / "a.png", np.full((240, 320, 3), 120, np.uint8))
    assert main(["calibrate", *words]) == 1
    assert "a: too few features" in capsys.readouterr().err
    assert not (tmp_path / "calibrated.json").exists()


def test_a_perfect_simulation_has_no_finite_psnr():
    """JSON has no infinity."""
    shot = np.random.default_rng(0).integers(0, 256, (180, 200, 3), dtype=np.uint8)
    profile = load_profile("negative")
    pair = Pair("a", shot, Camera(profile)(shot), np.ones(shot.shape[:2], bool))
    assert agreement([pair], profile, np.zeros((1, 3))) == Agreement(0.0, None, pytest.approx(1))
