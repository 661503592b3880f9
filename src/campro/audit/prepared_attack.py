"""One run of an attack on one camera, prepared with what its threat model allows."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import lru_cache

from campro.attacks.attack_base import Adversary, Attack
from campro.attacks.attack_table import find_attack
from campro.audit.audit_config import AuditConfig
from campro.audit.audit_context import AuditContext
from campro.audit.run_rows import R
from campro.core.device import retain_freed_memory
from campro.models.faces.embedder_card import FaceEmbedder


@dataclass(frozen=True)
class Task:
    """One run of an attack on one camera."""

    model: str
    attack: str
    camera: str
    run: str


@dataclass(frozen=True)
class PreparedAttack:
    """A run whose trainings, if any, are finished."""

    attack: Attack
    embedder: FaceEmbedder
    """The recogniser off the shelf."""
    adversary: Adversary
    seconds: float
    """Time of the preparation, trainings of earlier processes included."""

    @staticmethod
    def of(context: AuditContext, task: Task, distant: bool = False) -> PreparedAttack:
        """Prepare a run; with `distant`, networks are trained on faces at all densities of the audit."""
        retain_freed_memory()
        attack, start = find_attack(task.attack), time.monotonic()
        knowledge = context.knowledge(attack, task.model, task.camera, distant)
        adversary = attack.runs(knowledge, context.attack_cache)[task.run]()
        seconds = time.monotonic() - start + (adversary.training.earlier_s if adversary.training else 0)
        return PreparedAttack(attack, knowledge.embedder, adversary, seconds)

    def described(self, result: R, judge_s: float) -> R:
        """The result with what the attacker had, whether the training converged, and the time of both steps."""
        training = self.adversary.training
        return replace(
            result,
            threat_model=self.attack.threat_model,
            given=self.attack.given,
            training_images=self.adversary.learned_from,
            converged=None if training is None else training.converged,
            fit_s=round(self.seconds, 1),
            judge_s=round(judge_s, 1),
        )


@lru_cache(maxsize=1)
def process_context(config: AuditConfig) -> AuditContext:
    """The context of this process, for work that was sent to it."""
    return AuditContext(config)
