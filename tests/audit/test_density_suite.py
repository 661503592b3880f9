"""Attacks by pixel density, on people whose faces are flat colours: shrinking changes nothing but the size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from support.fake_audit import POINTS, MeanColour

from campro.attacks.attack_base import Adversary, AttackerKnowledge
from campro.attacks.attack_cache import AttackCache
from campro.attacks.training_crops import training_crops
from campro.audit import cell_keys
from campro.audit.audit_config import CAPTURED, AuditConfig
from campro.audit.audit_context import CONTROL, NIGHT, AuditContext
from campro.audit.density_rows import density_rows
from campro.audit.density_suite import SCREENED, measure_densities
from campro.audit.judge_density import AS_DELIVERED, FULL_SIZE, MATCHED, judge_at
from campro.core.images import write_image
from campro.core.run_folder import RunFolder
from campro.isp import Camera, IspProfile, Jpeg
from campro.models.faces import Landmarks
from campro.models.faces.landmarks import Face

HUES = np.random.default_rng(0).integers(30, 226, (22, 3))
FACE = 2 * POINTS
LOW, HIGH = 150.0, 300.0
"""The pupils of FACE are 24 pixels apart: 381 px/m."""


class OneFace:
    """Finds a face at fixed places of pictures of 40 x 40 pixels, in proportion in others."""

    name, scheme, digest, confident_score = "one", "five", "one", 0.5

    def detect(self, rgb):
        return [Face((0, 0, rgb.shape[1], rgb.shape[0]), 1.0, FACE * rgb.shape[0] / 40)]


@pytest.fixture
def context(tmp_path, monkeypatch):
    monkeypatch.setenv("CAMPRO_CACHE", str(tmp_path / "cache"))
    for person, hue in enumerate(HUES):
        for number in range(2):
            face = np.full((40, 40, 3), hue, np.uint8)
            face[-1, -1 - number] = 0  # two different files
            write_image(tmp_path / f"faces/p{person:02}/{number}.png", face)
    (tmp_path / "photos").mkdir()
    write_image(tmp_path / "photos/a.png", np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    monkeypatch.setattr("campro.audit.audit_context.load_embedder", lambda name, weights=None: MeanColour())
    monkeypatch.setattr("campro.audit.audit_context.load_face_detector", lambda name: OneFace())
    config = AuditConfig(
        profile="invert",
        faces=tmp_path / "faces",
        photos=(tmp_path / "photos",),
        face_models=("colour",),
        landmarks="dlib",
        enhancer="none",
        attacks=("no-attack", "filters"),
        densities=(LOW, HIGH),
        repeats=2,
        out=tmp_path / "run",
    )
    return AuditContext(config)


def test_flat_colours_are_identified_at_every_density(context):
    """Raw: all people. Captured: each colour is its negative. Both are as at full size."""
    for density in (LOW, HIGH):
        raw = judge_at(context, density, MeanColour(), CONTROL, Adversary())
        captured = judge_at(context, density, MeanColour(), CAPTURED, Adversary())
        assert raw.rank1.mean == 1.0 and captured.rank1.mean < 0.5
        assert set(raw.by_gallery) == {FULL_SIZE, MATCHED}
        assert raw.rank1.mean == max(rate.mean for rate in raw.by_gallery.values())
        assert raw.by_gallery_size["10"].mean == 1.0
        assert [point.fnmr.mean for point in raw.verification] == [0.0, 0.0]
        assert raw.left_out == 0


def test_smaller_galleries_are_easier(context):
    captured = judge_at(context, LOW, MeanColour(), CAPTURED, Adversary())
    assert captured.by_gallery_size["10"].mean >= captured.rank1.mean


def test_re_enrolment_compares_captured_with_captured(context):
    found = judge_at(context, LOW, MeanColour(), CAPTURED, Adversary(gallery="captured"))
    assert found.rank1.mean == 1.0 and found.gallery == MATCHED


def test_a_gallery_that_went_through_the_output_settings_is_tried(context):
    """Only for probes of the camera with the profile, and only if the profile has such settings."""
    context.profile = IspProfile("coded", (*context.profile.blocks, Jpeg(20)))
    assert set(judge_at(context, LOW, MeanColour(), CONTROL, Adversary()).by_gallery) == {FULL_SIZE, MATCHED}
    coded = judge_at(context, LOW, MeanColour(), CAPTURED, Adversary())
    assert set(coded.by_gallery) == {FULL_SIZE, MATCHED, AS_DELIVERED}


@pytest.mark.slow
def test_cells_by_density_with_controls_and_night(context):
    run = RunFolder.open(context.config.out, {})
    measure_densities(run, context)
    every = density_rows(run.cells())
    rows = [row for row in every if row.camera == CAPTURED]
    places = sorted((row.density, row.attack) for row in rows)
    assert places == [(density, attack) for density in (LOW, HIGH) for attack in ("filters", "no attack")]
    filters = {row.density: len(row.runs) for row in rows if row.attack == "filters"}
    assert filters[HIGH] > filters[LOW] == SCREENED  # all at the highest density, the best of them at the others
    best = {row.attack: row for row in rows if row.density == LOW}
    assert best["filters"].best.name == "invert" and best["filters"].rank1.mean == 1.0
    assert best["filters"].control is not None and best["filters"].control.mean == 1.0
    assert {row.attack for row in every if row.camera == NIGHT} == {"no attack", "filters"}
    assert run.cell(cell_keys.face_detection_at(LOW, "dlib", CAPTURED))["mean"] == 1.0
    count = len(run.cells())
    measure_densities(run, context)
    assert len(run.cells()) == count


@pytest.mark.slow
def test_only_the_best_runs_at_full_size_are_judged_at_densities(context, monkeypatch):
    from campro.audit.attack_suite import measure_attacks

    monkeypatch.setattr("campro.audit.attack_suite.control_recogniser", lambda context, model: None)
    run = RunFolder.open(context.config.out, {})
    measure_attacks(run, context)
    measure_densities(run, context)
    wanted = (LOW, "filters", CAPTURED)
    (filters,) = (row for row in density_rows(run.cells()) if (row.density, row.attack, row.camera) == wanted)
    assert len(filters.runs) == SCREENED
    assert "invert" in {each.name for each in filters.runs}


def test_training_crops_show_the_faces_at_all_densities(context, monkeypatch):
    faces = context.faces
    landmarks = Landmarks("five", "one", {photo: FACE for photo in faces.photos})
    knowledge = AttackerKnowledge(MeanColour(), 0, (), faces, landmarks, (Camera("invert"),))
    plain = [len(side) for side in training_crops(knowledge, AttackCache())]
    distant = replace(knowledge, densities=(LOW, HIGH))
    training, validation = training_crops(distant, AttackCache())
    assert [len(training), len(validation)] == [3 * count for count in plain]
    assert distant.digest != knowledge.digest
    centres = [crops[:, 56, 56].astype(int) for crops in (training.raw, training.captured)]
    assert np.abs(centres[0] + centres[1] - 255).max() <= 1  # each captured crop is the negative of its raw one
    assert torch.equal(training.subjects.unique(), torch.arange(int(training.subjects.max()) + 1))


def test_densities_that_too_few_photographs_have_are_left_out(context, capsys):
    context.config = replace(context.config, densities=(LOW, 400.0))
    assert context.densities == (LOW,)
    assert "400 px/m left out: 0 people" in capsys.readouterr().err
