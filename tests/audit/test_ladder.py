"""The ladder on the embedded sample: harness and threat models, not figures about real people."""

from __future__ import annotations

import json

import pytest

from campro.cli.main import main
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


def test_bad_input(tmp_path, capsys):
    assert main(["attack", "--out", str(tmp_path), "--attacks", "hope"]) == 1
    assert "one of as it is" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["attack", "--faces"])
