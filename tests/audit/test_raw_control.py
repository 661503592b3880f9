"""Audits and attacks stop where a model does not work on raw photographs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.fake_attacks import result
from support.fake_audit import AP, FakeContext, View

from campro.audit import attack_suite, cell_keys, raw_control
from campro.audit.audit_config import ENHANCED, RAW
from campro.audit.audit_run import run_audit
from campro.audit.experiments import measure_enhancer_control
from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.core.run_folder import RunFolder

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def attacking(audit_config, audit_context, tmp_path, monkeypatch):
    """An audit of one attack, whose figures are made up."""
    monkeypatch.setattr(FakeContext, "knowledge", lambda self, attack, model, camera: None)
    monkeypatch.setattr(attack_suite, "measure", lambda context, task: result("none", 0.1))
    config = replace(audit_config, attacks=("no attack",), measure=("attacks",))
    return FakeContext(config, tmp_path)


def test_attacks_stop_where_raw_photographs_are_not_recognised(attacking, tmp_path, monkeypatch):
    run = RunFolder.open(tmp_path / "attacks", {})
    monkeypatch.setattr(FakeContext, "_colours", lambda self, view: torch.randn(len(self.evaluation.photos), 64))
    with pytest.raises(CamproError, match=r"control of colour.*rank-1 of at least 41\.7%.*card"):
        attack_suite.measure_attacks(run, attacking)
    assert run.cells() == []


def test_attacks_are_measured_where_they_are(attacking, tmp_path):
    run = RunFolder.open(tmp_path / "attacks", {})
    attack_suite.measure_attacks(run, attacking)
    assert [cell.key["camera"] for cell in run.cells()] == ["captured", "control"]
    attacking.calls.clear()
    attack_suite.measure_attacks(run, attacking)
    assert attacking.calls == []  # nothing to measure, nothing to check


def test_an_audit_stops_where_no_people_are_detected(audit_config, audit_context, monkeypatch):
    monkeypatch.setitem(AP, RAW, 0.1)
    with pytest.raises(CamproError, match=r"control of campro-person: expected AP50 of at least 20%.*10\.0%.*boxes"):
        run_audit(audit_config, audit_context)
    assert not [call for call in audit_context.calls if call == "detect people captured False"]


def test_scenes_without_people_are_no_control():
    with pytest.raises(CamproError, match="no person is labelled"):
        raw_control.check_person_detector("campro-person", float("nan"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rgb: rgb, 1.0),
        (lambda rgb: rgb // 2 + 60, 1.0),
        (lambda rgb: 255 - rgb, -1.0),
        (lambda rgb: np.full_like(rgb, 128), 0.0),
    ],
)
def test_correlation_of_views(change, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(raw_control, "load_face_detector", lambda name: None)
    face = torch.tensor([[20.0, 10, 40, 30]])
    monkeypatch.setattr(raw_control, "find_face_boxes", lambda photos, *_: dict.fromkeys(photos, face))
    write_image(tmp_path / "a.png", RGB)
    write_image(tmp_path / "black.png", np.zeros_like(RGB))

    def masked(rgb):
        out = change(rgb).copy()
        out[10:30, 20:40] = 0  # in the face
        return out

    photos = [tmp_path / "a.png", tmp_path / "black.png"]
    assert raw_control.mean_correlation(photos, View("v", masked), "x") == pytest.approx(expected, abs=1e-4)


def test_an_audit_stops_where_the_enhancer_restores_nothing(audit_config, audit_context, tmp_path, monkeypatch):
    monkeypatch.setattr(raw_control, "load_face_detector", lambda name: None)
    monkeypatch.setattr(raw_control, "find_face_boxes", lambda photos, *_: dict.fromkeys(photos, torch.zeros(0, 4)))
    write_image(tmp_path / "scene.png", RGB)
    audit_context.views[ENHANCED] = View(ENHANCED, lambda rgb: rgb * 0 + 90)
    with pytest.raises(CamproError, match=r"control of the enhancer.*at least 0\.5.*0\.00.*--enhancer none"):
        run_audit(audit_config, audit_context)
    run = RunFolder.open(tmp_path / "working", {})
    audit_context.views[ENHANCED] = View(ENHANCED, lambda rgb: rgb)
    measure_enhancer_control(run, audit_context)
    assert run.cell(cell_keys.ENHANCER_CONTROL) == pytest.approx(1)
