"""`campro verify` on shots of simulated cameras, and its decisions."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campro.cli.main import main
from campro.core.images import write_image
from campro.deploy.camera_hypotheses import MATRIX_ONLY, NONE, PROFILE, Explanation, hypotheses
from campro.deploy.verification import STATUS, _decided, alone, compared
from campro.isp import Camera, load_profile

from .conftest import NOMINAL, TRUE

STRONG = load_profile("campro-strong")


def explanation(name: str, error: float, level: float) -> Explanation:
    return Explanation(name, error, np.array([2.2, 0, 0, 0, 0]), np.full((4, 3), level / 255))


@pytest.mark.parametrize(
    ("ours", "none", "half", "answer", "reason"),
    [
        ((3, 100), (30, 10), (9, 60), "yes", "explains the shots best"),
        ((3, 100), (30, 10), (3, 101), "yes", "would differ by 1 levels only"),
        ((30, 100), (3, 10), (20, 60), "no", "no profile explains"),
        ((9, 100), (30, 10), (4, 60), "no", "its matrix only explains"),
        ((40, 100), (39, 10), (39, 60), "no", "nothing else explains"),
        ((15, 100), (39, 10), (39, 60), "cannot tell", "15 levels off"),
        ((4, 100), (4.2, 10), (39, 60), "cannot tell", "as well"),
        ((4, 100), (4, 101), (39, 60), "cannot tell", "as well"),
    ],
)
def test_decisions(ours, none, half, answer, reason):
    """Each explanation is (error in levels, predicted level)."""
    found = [explanation(name, *one) for name, one in zip((PROFILE, NONE, MATRIX_ONLY), (ours, none, half))]
    verdict = _decided(found, 100)
    assert verdict.answer == answer
    assert reason in verdict.reason


def test_the_possibilities():
    names = [one.name for one in hypotheses(STRONG)]
    assert names[:2] == [PROFILE, NONE]
    assert {"campro-default", "negative"} <= set(names)
    assert "campro-strong" not in names


def test_simulated_cameras(taken):
    default, protected = taken[0]
    assert compared(protected, default, TRUE).answer == "yes"
    assert compared(default, default, NOMINAL).answer == "no"


def test_different_scenes(taken):
    verdict = compared(taken[4][1], taken[3][0], NOMINAL)
    assert verdict.answer == "cannot tell"
    assert "same scene" in verdict.reason


def test_a_single_shot(taken):
    """The strong profile never gives red and green together, so a single shot can show it."""
    scene = taken[0][0]
    assert alone(Camera(STRONG)(scene), STRONG).answer == "yes"
    assert alone(scene, STRONG).answer == "no"
    assert alone(Camera(NOMINAL)(scene), load_profile("negative")).answer == "cannot tell"
    assert alone(np.full((240, 320, 3), 120, np.uint8), STRONG).answer == "cannot tell"


def test_the_command(taken, tmp_path, capsys):
    write_image(tmp_path / "a.png", Camera(STRONG)(taken[0][0]))
    write_image(tmp_path / "b.png", taken[0][0])
    words = ["verify", "--camera-shot", str(tmp_path / "a.png"), "--profile", "campro-strong"]
    assert main([*words, "--default-shot", str(tmp_path / "b.png")]) == STATUS["yes"]
    output = capsys.readouterr().out
    assert output.startswith("yes: ")
    assert "no profile" in output
    assert main(["verify", "--camera-shot", str(tmp_path / "b.png"), "--profile", "campro-strong", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["answer"] == "no"
    assert main([*words[:-1], "defocus-9-3"]) == 1
