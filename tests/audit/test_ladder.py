"""The ladder on the embedded sample: harness and threat models, not figures about real people."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from campro.audit.ladder_data import fused, open_set
from campro.cli.main import main
from campro.identify import Draw
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise


def rows(out, capsys, *words):
    assert main(["attack", "--out", str(out), "--repeats", "2", "--json", *words]) == 0
    return {row["attack"]: row for row in json.loads(capsys.readouterr().out)}


@pytest.mark.slow
def test_a_sound_ladder(tmp_path, capsys):
    """An invertible profile protects nobody from one who knows it; a constant picture protects everybody."""
    words = ["--attacks", "as it is", "inverse"]
    inverted = rows(tmp_path / "a", capsys, *words, "--profile", "invert")
    assert inverted["as it is"]["best"]["mean"] < 0.3
    assert inverted["inverse"]["best"]["mean"] == pytest.approx(inverted["as it is"]["control"]["mean"])
    black = IspProfile(
        "black", (Degamma(), Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1))), GammaLut(((0.0, 0.0),)), Quantise(8))
    )
    black.save(tmp_path / "black.json")
    constant = rows(tmp_path / "b", capsys, *words, "--profile", str(tmp_path / "black.json"))
    assert constant["inverse"]["best"]["mean"] < 0.03  # chance is one in a hundred


def test_fusion_takes_other_pictures_of_the_same_person():
    """Rows are one-hot: whose they are, and how many were averaged, can be read off."""
    owner = torch.tensor([0, 0, 0, 0, 1, 1])
    draw = Draw(torch.tensor([0, 4]), torch.tensor([1, 5]), seed=0)
    found = fused(torch.eye(6), owner, draw, 3)
    np.testing.assert_allclose(found[1], [0, 1 / 3, 1 / 3, 1 / 3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[5], [0, 0, 0, 0, 0, 1])  # of the second person there is no third picture
    half = fused(torch.eye(6), owner, draw, 2)[1]
    assert sorted(half.tolist()) == [0, 0, 0, 0, 0.5, 0.5]
    assert half[1] == 0.5


def test_open_set_figures_by_hand():
    """Two people, one of whom looks like a stranger: at no false alarm only the other is found."""
    gallery = torch.eye(3)[:2]
    rows = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0.1], [0, 1, 0.9]]))
    strangers = torch.nn.functional.normalize(torch.tensor([[0, 1, 0.5], [0, 0.1, 1]]))
    owner, draw = torch.tensor([0, 1]), Draw(torch.tensor([0, 1]), torch.tensor([0, 1]), 0)
    found = open_set(gallery, rows, strangers, owner, [draw])
    assert {rate: cell["fnir"] for rate, cell in found.items()} == {"0.003": 0.5, "0.01": 0.5, "0.1": 0.5}
    assert found["0.1"]["low"] < 0.5 < found["0.1"]["high"]


def test_bad_input(tmp_path, capsys):
    assert main(["attack", "--out", str(tmp_path), "--attacks", "hope"]) == 1
    assert "one of as it is" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["attack", "--faces"])
