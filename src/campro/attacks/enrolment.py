"""Protected pictures on both sides: people are enrolled by captured photographs, too."""

from __future__ import annotations

from functools import partial

from campro.attacks.attack_base import Adversary, Attack, AttackerKnowledge, Runs

ENROLLED = (1, 2, 5, 20)
"""Captured photographs of each person that is looked for."""


def enrolment_runs(known: AttackerKnowledge) -> Runs:
    """Templates of more and more photographs."""
    return {f"{count} of each": partial(Adversary, gallery="captured", enrolled=count) for count in ENROLLED}


RE_ENROLMENT = Attack("re-enrolment", "gray-box", "captured photographs of the people it looks for", enrolment_runs)
