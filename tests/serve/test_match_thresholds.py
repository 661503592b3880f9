"""Thresholds: the measured ones belong to weights, others come from synthetic people."""

from __future__ import annotations

from dataclasses import replace

import torch

from campro.models.faces import load_embedder, load_face_detector
from campro.serve import match_thresholds
from campro.serve.match_thresholds import match_threshold


def test_the_measured_threshold_belongs_to_the_shipped_weights(monkeypatch):
    embedder, detector = load_embedder("dlib-resnet29"), load_face_detector("dlib")
    measured = match_threshold(embedder, detector)
    assert (measured.fmr, measured.source.startswith("LFW")) == (0.001, True)
    embedder.card = replace(embedder.card, weights_sha256="0" * 64)
    monkeypatch.setattr(match_thresholds, "PEOPLE", 12)
    other = match_threshold(embedder, detector)
    assert "synthetic people" in other.source and other.fmr == 0.01 and other.fnmr is None
    assert -1 < other.cosine < 1


def test_the_threshold_of_synthetic_people_is_one_of_their_scores(monkeypatch):
    monkeypatch.setattr(match_thresholds, "PEOPLE", 6)
    torch.manual_seed(0)
    made = match_thresholds.synthetic_threshold(load_embedder("mobilefacenet", None).eval(), load_face_detector("dlib"))
    assert made.source.startswith("6 synthetic people, 15 pairs")
