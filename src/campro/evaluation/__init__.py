"""Evaluation of recognition: subjects, trials, matchers and closed-set identification."""

from __future__ import annotations

from campro.evaluation.closed_set import identify
from campro.evaluation.evaluation_set import EvaluationSet, Trial
from campro.evaluation.linear import LinearMatcher
from campro.evaluation.matchers import MATCHERS, NEAREST, Matcher, NearestMatcher
from campro.evaluation.scorer import Scorer

__all__ = [
    "MATCHERS",
    "NEAREST",
    "EvaluationSet",
    "LinearMatcher",
    "Matcher",
    "NearestMatcher",
    "Scorer",
    "Trial",
    "identify",
]
