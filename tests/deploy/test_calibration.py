"""Calibration against simulated cameras whose parameters it does not know: they are recovered."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from skimage import data
from sklearn.datasets import load_sample_images

from campro.cli.main import main
from campro.core.images import read_image, write_image
from campro.deploy.colour_fit import fit_colours, sampled
from campro.deploy.noise_fit import fit_noise
from campro.deploy.shot_pairs import NoPair, registered
from campro.isp import Camera, Ccm, Degamma, GammaLut, IspProfile, MeasuredDegamma, Quantise, load_profile
from campro.isp.raw import RawCamera, Sensor

SCENES = (data.astronaut(), data.coffee(), data.chelsea(), *load_sample_images().images, data.rocket())
SENSOR = Sensor.with_noise(1e-4)
LIGHT = np.linspace(0, 1, 65)
TONE = (0.9 * LIGHT**0.5 + 0.1 * np.sin(np.pi * LIGHT / 2)).clip(0, 1)
"""The unknown tone curve of the default shots."""
MIXED = ((0.8, 0.3, -0.1), (-0.2, 0.9, 0.3), (0.3, -0.2, 0.9))
NEGATIVE = load_profile("negative").blocks[2]
TOLD = IspProfile("told", (Degamma(), Ccm(MIXED), NEGATIVE, Quantise(8)))
MATRIX = np.array(MIXED) + np.random.default_rng(0).normal(0, 0.04, (3, 3))
VALUES = np.array(NEGATIVE.values) ** 1.15


def with_blocks(matrix, values, knots):
    lut = GammaLut(tuple(tuple(curve) for curve in np.array(values).tolist()), knots)
    return IspProfile("camera", (Degamma(), Ccm(tuple(map(tuple, np.array(matrix).tolist()))), lut, Quantise(8)))


DEFAULT = RawCamera(with_blocks(np.eye(3), [TONE], None), SENSOR)
TRUE = with_blocks(MATRIX, VALUES, NEGATIVE.knots)
PROTECTED = RawCamera(TRUE, SENSOR, seed=1)


def shots(scene):
    """A pair, between which the camera moved by two or three pixels and turned by a third of a degree."""
    height, width = scene.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 0.3, 1.0)
    turn[:, 2] += (2.3, -1.7)
    moved = cv2.warpAffine(scene, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return DEFAULT(np.ascontiguousarray(scene)), PROTECTED(moved)


@pytest.fixture(scope="module")
def taken():
    return [shots(scene) for scene in SCENES]


@pytest.mark.slow
def test_unknown_parameters_are_recovered(taken):
    pairs = [registered(str(i), *pair, TOLD) for i, pair in enumerate(taken)]
    found = fit_colours(sampled(pairs), TOLD)
    tone, ccm, lut, _ = found.blocks
    assert isinstance(tone, MeasuredDegamma)
    even = np.linspace(0, 1, len(tone.values))
    np.testing.assert_allclose(tone.values, np.interp(even, TONE, LIGHT), atol=0.03)
    np.testing.assert_allclose(ccm.matrix, MATRIX, atol=0.04)
    assert np.abs(ccm.matrix - MATRIX).mean() < np.abs(np.array(MIXED) - MATRIX).mean() / 2
    np.testing.assert_allclose(lut.values, VALUES, atol=0.04)


def test_a_moved_camera_is_followed(taken):
    """Where the pair overlaps, the default shot lies on the other one: beside an unregistered one it is much closer."""
    default, protected = taken[0]
    pair = registered("a", default, protected, TOLD)
    camera = Camera(TRUE)
    after = np.abs(camera(pair.default).astype(int) - protected)[pair.covered].mean()
    before = np.abs(camera(default).astype(int) - protected)[pair.covered].mean()
    assert after < 0.7 * before
    assert 0.97 < pair.covered.mean() < 1


@pytest.mark.parametrize(
    ("default", "protected", "reason"),
    [
        (0, 1, "sizes differ"),
        (3, 4, "features"),
        (None, None, "too little"),
    ],
)
def test_what_is_no_pair_is_rejected_with_a_reason(taken, default, protected, reason):
    flat = np.full((240, 320, 3), 120, np.uint8)
    first = flat if default is None else taken[default][0]
    second = flat if protected is None else taken[protected][1]
    with pytest.raises(NoPair, match=reason):
        registered("a", first, second, TOLD)


def test_white_noise_is_recovered():
    """Noise of a known variance on plain patches of many levels, seen through the curve by hand."""
    tone, rng = MeasuredDegamma(tuple((np.linspace(0, 1, 256) ** 2.2).tolist())), np.random.default_rng(0)
    shot, read = 2e-3, 5e-3
    light = np.linspace(0.05, 0.8, 40)[:, None, None, None] * np.ones((40, 128, 128, 3))
    noisy = light + np.sqrt(shot * light + read**2) * rng.standard_normal(light.shape)
    pictures = np.floor(255 * noisy.clip(0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)
    found = fit_noise(pictures, tone)
    assert found is not None
    assert found.shot == pytest.approx(shot, rel=0.1)
    assert found.read == pytest.approx(read, rel=0.5)  # little of it shows beside shot noise
    assert fit_noise(pictures[:1], tone) is None


@pytest.mark.slow
def test_the_command(taken, tmp_path, capsys):
    """Two scenes with nothing wrong, one that was swapped: it is left out, and said to be."""
    for name, (default, protected) in zip("abcd", (*taken[:1], *taken[3:5], (taken[2][0], taken[3][1]))):
        write_image(tmp_path / "default" / f"{name}.png", default)
        write_image(tmp_path / "protected" / f"{name}.png", protected)
    TOLD.save(tmp_path / "told.json")
    words = ["--default", str(tmp_path / "default"), "--protected", str(tmp_path / "protected")]
    words += ["--profile", str(tmp_path / "told.json"), "-o", str(tmp_path / "out")]
    assert main(["calibrate", *words]) == 0
    said = capsys.readouterr().out
    assert "rejected d: sizes differ" in said
    figures = json.loads((tmp_path / "out" / "calibration.json").read_text())
    assert figures["calibrated"]["psnr"] > figures["as_told"]["psnr"] + 2
    assert figures["fitted"] == ["a", "b", "c"]
    assert not figures["kept_aside"]
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
    assert calibrated.name == "told-calibrated"


def test_nothing_to_calibrate_with(tmp_path, capsys):
    for folder, name in (("default", "a"), ("protected", "b")):
        write_image(tmp_path / folder / f"{name}.png", np.full((240, 320, 3), 120, np.uint8))
    words = ["--default", str(tmp_path / "default"), "--protected", str(tmp_path / "protected"), "-o", str(tmp_path)]
    assert main(["calibrate", *words]) == 1
    assert "same name" in capsys.readouterr().err
    write_image(tmp_path / "protected" / "a.png", np.full((240, 320, 3), 120, np.uint8))
    assert main(["calibrate", *words]) == 1
    assert "a: too little" in capsys.readouterr().err
    assert not (tmp_path / "calibrated.json").exists()
