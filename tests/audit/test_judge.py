"""Figures of an adversary against cases worked out by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch

from campro.audit.audit_context import AuditContext
from campro.audit.judge import JudgedEmbeddings, averaged, linkability, open_set, verification
from campro.data.verification_pairs import VerificationPairs
from campro.evaluation import Trial


def test_linkability_against_its_definition():
    """Two people, three photographs each: if all are far apart all is linkable, if all are alike nothing is."""
    subjects = torch.tensor([0, 0, 0, 1, 1, 1])
    apart = torch.eye(2)[subjects]
    assert linkability(apart, apart, subjects).mean == 1.0
    alike = torch.ones(6, 2) / 2**0.5
    found = linkability(alike, alike, subjects)
    assert found.mean == 0.0
    assert found.low <= found.mean <= found.high


def test_verification_by_hand():
    """Two folds of two pairs; at FMR 0 one of the two mated pairs is above both non-mated ones."""
    gallery = torch.eye(2)[torch.tensor([0, 0, 0, 0])]
    cosines = torch.tensor([0.9, 0.5, 0.3, 0.6])
    embeddings = JudgedEmbeddings(gallery, torch.stack([cosines, (1 - cosines**2).sqrt()], 1))
    photos = tuple(Path(f"{i}") for i in range(4))
    pairs = VerificationPairs(
        photos, photos, torch.tensor([True, False, True, False]), torch.tensor([0, 0, 1, 1]), missing=5
    )
    found = verification(embeddings, photos, pairs)
    point = found.points[0]
    assert (point.fmr, point.fnmr.mean) == (0.001, 0.5)
    assert point.fnmr.low <= 0.5 <= point.fnmr.high
    # Fold 0 (0.9 mated, 0.5 not) at the best threshold of fold 1 (0.3 mated, 0.6 not), 0.3: 0.9 alone is right.
    # Fold 1 at the best threshold of fold 0, 0.9: 0.6 alone is right.
    assert found.balanced_accuracy == 0.5
    assert found.missing_pairs == 5


def test_averages_take_other_images_of_the_same_person():
    """Embeddings are one-hot: whose they are, and how many were averaged, can be read off."""
    subjects = torch.tensor([0, 0, 0, 0, 1, 1])
    trial = Trial(torch.tensor([0, 4]), torch.tensor([1, 5]), seed=0)
    found = averaged(torch.eye(6), subjects, trial.probe, trial.gallery, 3, trial.seed)
    np.testing.assert_allclose(found[1], [0, 1 / 3, 1 / 3, 1 / 3, 0, 0], atol=1e-6)
    np.testing.assert_allclose(found[5], [0, 0, 0, 0, 0, 1])  # of the second person there is no third image
    half = averaged(torch.eye(6), subjects, trial.probe, trial.gallery, 2, trial.seed)[1]
    assert sorted(half.tolist()) == [0, 0, 0, 0, 0.5, 0.5]
    assert half[1] == 0.5
    gallery = averaged(torch.eye(6), subjects, trial.gallery, trial.probe, 20, trial.seed)  # all but the probe
    np.testing.assert_allclose(gallery[0], [1 / 3, 0, 1 / 3, 1 / 3, 0, 0], atol=1e-6)


def test_open_set_figures_by_hand():
    """Two people, one of whom is similar to a person who is not enrolled: at FPIR 0 only the other is identified."""
    gallery = torch.eye(3)[:2]
    probes = torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0.1], [0, 1, 0.9]]))
    non_mated = torch.nn.functional.normalize(torch.tensor([[0, 1, 0.5], [0, 0.1, 1]]))
    trial = Trial(torch.tensor([0, 1]), torch.tensor([0, 1]), 0)
    points = {point.fpir: point for point in open_set(gallery, probes, non_mated, torch.tensor([0, 1]), [trial])}
    assert {fpir: points[fpir].fnir.mean for fpir in (0.003, 0.01, 0.1)} == {0.003: 0.5, 0.01: 0.5, 0.1: 0.5}
    assert points[0.1].fnir.low < 0.5 < points[0.1].fnir.high
    assert points[0.1].non_mated == 2


def test_distractors_are_in_the_gallery_of_open_set_searches():
    """A distractor that looks more like the probe than its mate does, and like the non-mated probe."""
    gallery, probes = torch.eye(3)[:2], torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0.1], [0, 1, 2]]))
    trial = Trial(torch.tensor([0, 1]), torch.tensor([0, 1]), seed=0)
    subjects, other = torch.tensor([0, 1]), torch.tensor([[0.0, 0, 1]])
    without = open_set(gallery, probes, other * 0.5, subjects, [trial])[-1]
    with_one = open_set(gallery, probes, other * 0.5, subjects, [trial], other)[-1]
    assert (without.fnir.mean, with_one.fnir.mean) == (0.0, 0.5)


def test_people_with_one_photograph_are_distractors_and_searches_in_turn():
    """Without the option all of them are searches of people who are not enrolled."""
    evaluation = SimpleNamespace(non_mated=lambda faces: tuple("abcde"))
    for distractors, searches, enrolled in ((False, "abcde", ""), (True, "bd", "ace")):
        context = SimpleNamespace(config=SimpleNamespace(distractors=distractors), faces=None, evaluation=evaluation)
        assert "".join(AuditContext.non_mated.func(context)) == searches
        assert "".join(AuditContext.distractors.func(context)) == enrolled
