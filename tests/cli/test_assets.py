"""`campro models` and `campro data`: what they list, and what they fetch."""

from __future__ import annotations

import json
import os

import pytest
import tyro

from campro.cli import data, models
from campro.core.catalogue import ASSETS, asset, find_asset
from campro.core.errors import CamproError
from campro.models.faces import load_embedder, load_face_detector
from campro.models.model_table import MODELS, models_at_hand
from campro.models.poses import load_pose_estimator


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A machine without research data and downloads."""
    monkeypatch.delenv("CAMPRO_DATA", raising=False)
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    return tmp_path


def test_every_model_is_listed_by_the_name_that_options_accept(empty, capsys):
    models.run(models.Config())
    page = capsys.readouterr().out
    lines = {line.split()[0]: line.split()[1] for line in page.splitlines() if line.strip() and " " in line.strip()}
    assert set(MODELS) <= set(lines)
    assert all(lines[name] == "yes" for name in ("dlib-resnet29", "dlib", "campro-person"))
    assert all(lines[name] == "fetch" for name in ("mobilefacenet", "sface", "yunet", "yolox-nano"))
    assert lines["edgeface-xs"] == "no"
    assert "campro models fetch mobilefacenet sface yunet yolox-nano" in page


def test_json_has_steps_for_every_model_that_is_not_here(empty, capsys):
    models.run(models.Config(json=True))
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(MODELS)
    assert all(row["here"] or row["how_to_get"] for row in rows)
    assert all(row["sha256"] for row in rows if row.get("url"))


def test_models_that_are_here_can_be_loaded_by_their_names(empty):
    here = [name for name, entry in MODELS.items() if entry.here]
    assert here == ["dlib-resnet29", "dlib", "campro-person"]
    assert load_embedder("dlib-resnet29").card.name == "dlib-resnet29"
    assert load_face_detector("dlib").name == "dlib"


@pytest.mark.parametrize("name", [name for name, entry in MODELS.items() if entry.kind != "person detector"])
def test_absent_weights_are_an_error_with_the_steps(name, empty):
    entry = MODELS[name]
    if not entry.assets or entry.here:
        return
    loaders = {"face recogniser": load_embedder, "face detector": load_face_detector.__wrapped__}
    load = (loaders | {"pose estimator": load_pose_estimator})[entry.kind]
    with pytest.raises(CamproError, match=r"campro models fetch|no public address"):
        load(name)


def test_every_data_set_is_listed_with_its_folder(empty, capsys):
    data.run(data.Config())
    page = capsys.readouterr().out
    names = [name for name, entry in ASSETS.items() if entry.kind == "data"]
    assert all(name in page and f"$CAMPRO_DATA/{ASSETS[name].path}" in page for name in names)
    data.run(data.Config(json=True))
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == names


def test_fetch_goes_through_the_catalogue(monkeypatch, tmp_path, capsys):
    def fake(name, progress):
        progress(5, 10)
        return tmp_path / name

    monkeypatch.setattr("campro.cli._assets.fetch", fake)
    models.run(tyro.cli(models.Config, args=["fetch", "yolox-s", "yolox-nano"]))
    assert capsys.readouterr().out.split() == [str(tmp_path / "yolox-s"), str(tmp_path / "yolox-nano")]


@pytest.mark.parametrize("words", [("fetch",), ("fetch", "lfw"), ("fetch", "campro-person"), ("list", "yunet")])
def test_calls_that_fetch_nothing_are_refused(words, empty):
    with pytest.raises(CamproError):
        models.run(tyro.cli(models.Config, args=list(words)))


def test_models_without_an_address_name_the_steps(empty):
    with pytest.raises(CamproError, match=r"no public address: .*edgeface_xs_fp16\.safetensors"):
        models.run(models.Config("fetch", ("edgeface-xs",)))


def test_a_file_of_the_publisher_stands_in_for_the_one_of_the_figures(empty):
    """`yolox-nano` is the ONNX file below CAMPRO_DATA, or else the fetched checkpoint."""
    assert MODELS["yolox-nano"].path is None
    for name in reversed(MODELS["yolox-nano"].assets):
        file = empty / asset(name).path
        os.makedirs(file.parent, exist_ok=True)
        file.touch()
        assert MODELS["yolox-nano"].path == find_asset(asset(name)) == file


@pytest.mark.parametrize("installed", [False, True])
def test_a_model_without_its_package_is_not_at_hand(empty, monkeypatch, installed):
    """Its file alone is no reason to choose it by default."""
    file = empty / asset("mediapipe-pose").path
    file.parent.mkdir(parents=True)
    file.touch()
    monkeypatch.setattr("campro.models.model_table.find_spec", lambda name: object() if installed else None)
    assert models_at_hand("pose estimator") == (("mediapipe-pose",) if installed else ())
