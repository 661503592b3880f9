"""The programs of examples/ and benchmarks/figures: each can be imported, and those that need little are run."""

from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.figures import sensor_noise, white_balance
from campro.core.images import read_image, write_image
from campro.deploy.simulated_pairs import shifted
from campro.isp import Camera, load_profile
from examples import fit_face_model, simulate_calibration_pairs, train_person_detector

ROOT = Path(__file__).parents[1]
PROGRAMS = sorted(
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for folder in ("examples", "benchmarks", "benchmarks/figures")
    for file in (ROOT / folder).glob("[a-z]*.py")
)
LIBRARIES = ("benchmarks.common", "benchmarks.simulated_shots", "benchmarks.figures.page_browser")
"""What several programs share."""
RGB = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(12, 0).repeat(16, 1)


@pytest.fixture
def photographs(tmp_path):
    """A folder with one picture of 96 x 128 pixels."""
    write_image(tmp_path / "photos" / "one.png", RGB)
    return tmp_path / "photos"


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.slow
def test_program_says_what_it_does_and_has_a_main(name):
    module = importlib.import_module(name)
    assert module.__doc__
    assert name in LIBRARIES or callable(module.main)


def test_the_readme_lists_every_example():
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert all(f"python -m {name}" in page for name in PROGRAMS if name.startswith("examples."))


def test_calibration_pairs(photographs, tmp_path):
    simulate_calibration_pairs.main(photographs, tmp_path / "pairs", "campro-default", 1)
    default, protected = (read_image(tmp_path / "pairs" / kind / "one.png") for kind in ("default", "protected"))
    truth = load_profile(tmp_path / "pairs" / "truth.json")
    assert truth.digest != load_profile("campro-default").digest
    expected = Camera(truth)(shifted(RGB)).astype(int)
    assert np.abs(protected - expected).mean() < np.abs(default - expected).mean() / 2


def test_covariances_of_a_layout_that_is_known():
    """People 4 apart in the first of two directions, pictures 1 apart in the second."""
    latent = np.array([[-2.0, -1], [-2, 1], [2, -1], [2, 1]])
    between, within = fit_face_model.covariances(latent, np.array([0, 0, 1, 1]))
    np.testing.assert_allclose(within, [[0, 0], [0, 2]], atol=1e-12)
    np.testing.assert_allclose(between, [[8, 0], [0, -1]], atol=1e-12)
    root = fit_face_model.factor(between)
    np.testing.assert_allclose(root @ root.T, [[8, 0], [0, 0]], atol=1e-12)  # the negative estimate counts as zero


def test_weights_are_averaged():
    slow, fast = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    before = slow.weight.detach().clone()
    train_person_detector.follow(slow, fast, 0.75)
    torch.testing.assert_close(slow.weight.detach(), 0.75 * before + 0.25 * fast.weight.detach())


def test_right_white_balance_means_no_drift():
    profile = load_profile("campro-default")
    assert white_balance.drift(profile, RGB, 1.0) == (0.0, 0.0)
    assert white_balance.drift(profile, RGB, 1.1)[0] > 1


def test_table_of_sensor_noise(photographs, capsys):
    sensor_noise.main(photographs, ["negative"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| shot noise | no profile | negative |"
    assert len(lines) == 2 + len(sensor_noise.SHOTS)
