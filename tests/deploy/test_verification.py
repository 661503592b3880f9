"""`campro verify` on shots of simulated cameras, and its decisions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from campro.cli.main import main
from campro.core.images import write_image
from campro.deploy.camera_hypotheses import MATRIX_ONLY, NONE, PROFILE, Explanation, hypotheses, significance
from campro.deploy.verification import STATUS, _decided, alone, compared
from campro.isp import Camera, load_profile

from .conftest import NOMINAL, SCENES, TRUE

STRONG = load_profile("campro-strong")


def explanation(name: str, error: float, level: float, spread: float = 0.2) -> Explanation:
    """An explanation whose errors in four places differ by `spread`."""
    by_place = error + spread * np.array([-1, 1, 1, -1])
    return Explanation(name, error, np.array([2.2, 0, 0, 0, 0]), np.full((4, 3), level / 255), by_place)


@pytest.mark.parametrize(
    ("ours", "none", "half", "answer", "reason"),
    [
        ((3, 100), (30, 10), (9, 60), "yes", "explains the shots best"),
        ((3, 100), (30, 10), (3, 101), "cannot tell", "its matrix only explains the shots as well"),
        ((3, 100), (30, 10), (3.1, 110), "cannot tell", "differs by 10.0 levels, the shots from both by 3.0"),
        ((3, 100), (30, 10), (3.31, 103), "yes", "explains the shots best"),
        ((0.1, 100), (30, 10), (0.3, 100, 0.01), "cannot tell", "its matrix only explains the shots as well"),
        ((3, 100), (30, 10), (3.3, 103, 2), "cannot tell", "its matrix only explains the shots as well"),
        ((30, 100), (3, 10), (20, 60), "no", "no profile explains"),
        ((9, 100), (30, 10), (4, 60), "no", "its matrix only explains"),
        ((40, 100), (39, 10), (39, 60), "no", "nothing else explains"),
        ((15, 100), (39, 10), (39, 60), "cannot tell", "15 levels off"),
        ((4, 100), (4.2, 10), (39, 60), "cannot tell", "as well"),
        ((4, 100), (4, 101), (39, 60), "cannot tell", "as well"),
    ],
)
def test_decisions(ours, none, half, answer, reason):
    """Each explanation is (error in levels, predicted level, and how much its errors differ between places)."""
    found = [explanation(name, *one) for name, one in zip((PROFILE, NONE, MATRIX_ONLY), (ours, none, half))]
    verdict = _decided(found, 100)
    assert verdict.answer == answer
    assert reason in verdict.reason


def test_another_profile_of_the_same_picture_is_named():
    found = [explanation(PROFILE, 4, 100), explanation("negative", 4.1, 102), explanation(NONE, 30, 10)]
    verdict = _decided(found, 100)
    assert verdict.answer == "yes"
    assert "negative would differ by 2 levels only" in verdict.reason
    assert _decided([found[0], explanation("negative", 3, 102), found[2]], 100).answer == "cannot tell"


def test_significance_needs_places():
    one, other = explanation(PROFILE, 3, 100), explanation(MATRIX_ONLY, 4, 100, 0.5)
    assert significance(one, other) == pytest.approx(1 / (0.3 * np.sqrt(4 / 3) / 2))
    few = replace(one, by_place=one.by_place[:2]), replace(other, by_place=other.by_place[:2])
    assert significance(*few) == 0


def test_the_possibilities():
    names = [one.name for one in hypotheses(STRONG)]
    assert names[:2] == [PROFILE, NONE]
    assert {"campro-default", "negative"} <= set(names)
    assert "campro-strong" not in names


@pytest.mark.slow
def test_simulated_cameras(taken):
    default, protected = taken[0]
    assert compared(protected, default, TRUE).answer == "yes"
    assert compared(default, default, NOMINAL).answer == "no"


def test_different_scenes(taken):
    verdict = compared(taken[4][1], taken[3][0], NOMINAL)
    assert verdict.answer == "cannot tell"
    assert "same scene" in verdict.reason


def test_a_single_shot(taken):
    """The strong profile never gives red and green together, so a single shot can show that it is missing.

    Its matrix alone gives the same colours, so that a single shot never shows all of it.
    """
    scene = taken[0][0]
    verdict = alone(Camera(STRONG)(scene), STRONG)
    assert verdict.answer == "cannot tell"
    assert "its matrix only gives all of the shot's colours, too" in verdict.reason
    assert alone(scene, STRONG).answer == "no"
    assert alone(Camera(NOMINAL)(scene), load_profile("negative")).answer == "cannot tell"
    assert alone(np.full((240, 320, 3), 120, np.uint8), STRONG).answer == "cannot tell"


@pytest.mark.slow
def test_the_command(taken, tmp_path, capsys):
    """A camera with a tone curve of its own: with a plain one the strong profile's matrix gives the same picture."""
    write_image(tmp_path / "a.png", Camera(STRONG)(SCENES[0]))
    write_image(tmp_path / "b.png", taken[0][0])
    words = ["verify", "--camera-shot", str(tmp_path / "a.png"), "--profile", "campro-strong"]
    assert main([*words, "--default-shot", str(tmp_path / "b.png")]) == STATUS["yes"]
    output = capsys.readouterr().out
    assert output.startswith("yes: ")
    assert "no profile" in output
    assert main(["verify", "--camera-shot", str(tmp_path / "b.png"), "--profile", "campro-strong", "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["answer"] == "no"
    write_image(tmp_path / "c.png", SCENES[0])
    assert main([*words, "--default-shot", str(tmp_path / "c.png")]) == STATUS["cannot tell"]
    assert "its matrix only explains the shots as well" in capsys.readouterr().out
    assert main([*words[:-1], "defocus-9-3"]) == 1
