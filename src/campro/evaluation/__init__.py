"""Gallery and probe protocols, and the matchers that an identifying attacker may use."""

from __future__ import annotations

from campro.evaluation.linear import LinearMatcher
from campro.evaluation.matchers import MATCHERS, Matcher, NearestMatcher, Scorer
from campro.evaluation.protocol import Draw, Roll, call_roll, draw_repeats, identify

__all__ = [
    "MATCHERS",
    "Draw",
    "LinearMatcher",
    "Matcher",
    "NearestMatcher",
    "Roll",
    "Scorer",
    "call_roll",
    "draw_repeats",
    "identify",
]
