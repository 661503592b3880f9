"""Typed results: by hand, and through JSON and back."""

from __future__ import annotations

import json

import torch
from support.fake_attacks import result

from campro.audit.results import MIN_GROUP, AttackResult, IdentificationResult, group_rates
from campro.core.typed_json import as_plain, from_json
from campro.metrics.identification import Identification, RepeatedIdentification
from campro.metrics.rates import Rate, wilson

RANKS = torch.tensor([1] * 18 + [2] * 12)
TWICE = RepeatedIdentification((Identification(RANKS), Identification(RANKS)))


def test_groups_by_hand():
    """The first 18 of thirty people are identified, the others have rank 2; six people are too few for a rate."""
    groups = {"light": torch.arange(0, 24), "dark": torch.arange(24, 30)}
    light, dark = group_rates(TWICE, groups)
    assert (light.name, light.people, light.rank1) == ("light", 24, Rate(0.75, *wilson(18.0, 24), 24, 0.0))
    assert (dark.name, dark.people, dark.rank1) == ("dark", 6, None)
    assert len(groups["dark"]) < MIN_GROUP <= len(groups["light"])


def test_identification_by_hand():
    found = IdentificationResult.of(TWICE)
    assert (found.people, found.rank1.mean, found.rank5.mean, found.cmc[:2]) == (30, 0.6, 1.0, (0.6, 1.0))
    assert [(trial.probes, trial.hits) for trial in found.trials] == [(30, 18)] * 2


def test_results_survive_json():
    for value in (IdentificationResult.of(TWICE), result("gray-box", 0.5, 400, (0.1, 0.2), True)):
        assert from_json(type(value), json.loads(json.dumps(as_plain(value))), "test") == value


def test_the_best_matcher_is_the_attackers_choice():
    low, high = (IdentificationResult.of(RepeatedIdentification((Identification(r),))) for r in (RANKS + 1, RANKS))
    found = AttackResult({"nearest": low, "linear": high})
    assert (found.best_matcher, found.rank1.mean) == ("linear", 0.6)
