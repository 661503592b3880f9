"""Protected pictures on both sides: people are enrolled by captured photographs, too."""

from __future__ import annotations

from campro.attacks.attack import Adversary, Attack

RE_ENROLMENT = Attack(
    "re-enrolment",
    "grey",
    "captured photographs of the people it looks for",
    lambda known: {"captured gallery": lambda: Adversary(gallery="captured")},
)
