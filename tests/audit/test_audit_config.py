from __future__ import annotations

from pathlib import Path

import pytest

from campro.audit.audit_config import AuditConfig
from campro.core.errors import CamproError


@pytest.mark.parametrize(
    "options",
    [
        {"repeats": 0},
        {"adapt_steps": -1},
        {"face_models": ()},
        {"attacks": ()},
        {"scenes": Path("x")},
        {"train_faces": Path("x")},
        {"photos": (Path("x"),)},
        {"faces": Path("x"), "scenes": Path("y")},
        {"sensor_noise": 2.0},
    ],
)
def test_unusable_options_are_refused(options):
    with pytest.raises(CamproError, match="audit"):
        AuditConfig(**options)


def test_people_alone_have_no_part_on_scenes():
    config = AuditConfig(faces=Path("x"))
    assert [config.measures(part) for part in config.measure] == [True, False, False, True, True]
    without = AuditConfig(attacks=("none",))
    assert not without.measures("attacks") and not without.measures("densities") and not without.attacked
    assert not AuditConfig(densities=()).measures("densities")


def test_attacks_at_densities_are_a_part_of_their_own():
    config = AuditConfig(measure=("densities",))
    assert config.attacked and not config.measures("attacks")


def test_faces_alone_measure_people_only(tmp_path):
    config = AuditConfig(faces=tmp_path)
    assert [part for part in ("identification", "attacks", "detection", "quality") if config.measures(part)] == [
        "identification",
        "attacks",
    ]


def test_available_recognisers_are_those_on_this_machine(tmp_path, monkeypatch):
    """dlib's is in a package; others count as soon as their file and their package are there."""
    monkeypatch.delenv("CAMPRO_DATA", raising=False)
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path))
    assert AuditConfig(face_models=("available",)).face_models == ("dlib-resnet29",)
    assert AuditConfig(face_models=("onnx/a.json", "available")).face_models == ("onnx/a.json", "dlib-resnet29")
    (tmp_path / "models").mkdir()
    for file in ("mobilefacenet_casia.ckpt", "edgeface_xs_fp16.safetensors"):
        (tmp_path / "models" / file).touch()
    monkeypatch.setattr("campro.models.model_table.find_spec", lambda name: None)
    assert set(AuditConfig(face_models=("available",)).face_models) == {"dlib-resnet29", "mobilefacenet"}


def test_densities_are_positive():
    with pytest.raises(CamproError, match="--densities"):
        AuditConfig(densities=(40.0, 0.0))


def test_weights_by_name():
    config = AuditConfig(
        face_models=("dlib-resnet29", "frbench/irse-50_arcface_ms1m"),
        face_weights=("frbench/irse-50_arcface_ms1m=a=b.pt",),
    )
    assert config.weights_of("frbench/irse-50_arcface_ms1m") == Path("a=b.pt")
    assert config.weights_of("dlib-resnet29") == "auto"
    for wrong in ("sface=x", "dlib-resnet29", "dlib-resnet29="):
        with pytest.raises(CamproError, match="NAME=PATH"):
            AuditConfig(face_weights=(wrong,)).weights_of("dlib-resnet29")
