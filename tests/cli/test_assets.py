from __future__ import annotations

import json

import pytest
import tyro

from campro.cli import data, models
from campro.core.catalogue import ASSETS
from campro.core.errors import CamproError


@pytest.mark.parametrize("module, kind", [(models, "model"), (data, "data")])
def test_lists_every_asset_of_its_kind(module, kind, capsys):
    module.run(tyro.cli(module.Config, args=["--json"]))
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [name for name, entry in ASSETS.items() if entry.kind == kind]
    assert {"licence", "size", "sha256", "source", "here"} <= set(rows[0])
    module.run(tyro.cli(module.Config, args=[]))
    table = capsys.readouterr().out
    assert all(row["name"] in table and row["licence"] in table for row in rows)


def test_models_here_are_marked(capsys):
    models.run(models.Config())
    lines = {line.split()[0]: line.split()[-1] for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert lines["mmod_human_face_detector.dat"] == "yes"


def test_fetch_goes_through_the_catalogue(monkeypatch, tmp_path, capsys):
    def fake(name, progress, sha256):
        progress(5, 10)
        return tmp_path / name / str(sha256)

    monkeypatch.setattr("campro.cli._assets.fetch", fake)
    models.run(tyro.cli(models.Config, args=["fetch", "yolox-s-official", "--sha256", "ab"]))
    assert capsys.readouterr().out.strip() == str(tmp_path / "yolox-s-official" / "ab")
    for wrong in ("", "lfw", "nothing"):  # data sets are fetched by `campro data`
        with pytest.raises(CamproError, match="one of"):
            models.run(models.Config("fetch", wrong))
