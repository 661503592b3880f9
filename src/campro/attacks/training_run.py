"""The training loop of all trained attacks: AdamW, early stopping, and restarts at a lower learning rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from campro.attacks.attack_base import AttackerKnowledge, TrainingResult
from campro.attacks.budget import TrainingSettings
from campro.attacks.training_crops import BATCH, Indices
from campro.core.device import native_bfloat16
from campro.core.progress import Progress
from campro.training.gradient_steps import gradient_step
from campro.training.weight_average import WeightAverage, copied_state, falling_share

LEAST_FACES = 1600
"""Faces between two validations at least: smaller training sets are used several times in between."""
PATIENCE = 5
"""Validations without a better score after which a training stops."""
ATTEMPTS, START_PATIENCE = 3, 3
"""Trainings at most, and validations not above the initial score after which one is given up. The usual cause is a
learning rate that is too high, above all for networks without normalisation.
"""
PERFECT = 0.999
"""Score from which there is nothing left to learn, for example of a copy of the recogniser on raw faces."""
LAST_SHARE = 0.01
"""Share of the newest weights in their average, once it is long: the average over some hundred steps is better than
the last weights at any learning rate."""
averaging_share = falling_share(LAST_SHARE)
"""Share of the newest weights in their average, by the number of earlier updates."""
CONVERGED_SHARE = 0.02
"""A training has converged if its last third gained less than this share of its whole gain."""


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A training of `student` on `count` faces."""

    student: nn.Module
    loss: Callable[[Indices, np.random.Generator], Tensor]
    """The loss of one step on the faces with these indices."""
    score: Callable[[], float]
    """Validation score of `student` at the time of the call; higher is better."""
    count: int
    knowledge: AttackerKnowledge
    label: str
    untrained: bool = False
    """Whether the student starts from random weights; its initial score counts as 0."""
    batch: int = BATCH
    """Faces of one step."""
    annealed: bool = False
    """Whether the learning rate falls to zero, along half a cosine, until the last epoch of the budget."""

    def train(self, settings: TrainingSettings) -> TrainingResult:
        """Train until the validation score stops rising; leaves the best weights in `student`, in evaluation mode.

        A training that does not get above its initial score, or that falls below it later, starts again at a tenth of
        the learning rate, twice at most; the best of these counts. If none is better than its start, the curve shows
        it, and `converged` is False.
        """
        start, attempts = copied_state(self.student), []
        for attempt in range(ATTEMPTS):
            self.student.load_state_dict(start)
            result = self._attempt(settings.learning_rate / 10**attempt, self.knowledge.seed + settings.seed)
            attempts.append((result, copied_state(self.student)))
            if result.converged or result.curve[-1] > result.curve[0]:
                break
        result, best = max(attempts, key=lambda one: max(one[0].curve))
        self.student.load_state_dict(best)
        self.student.eval()
        return result

    def _validate(self) -> float:
        with native_bfloat16(self.knowledge.budget.compiled):
            return self.score()

    def _attempt(self, rate: float, seed: int) -> TrainingResult:
        curve = [0.0 if self.untrained else self._validate()]
        if curve[0] > PERFECT:
            return TrainingResult(tuple(curve), converged=True)
        best, average = copied_state(self.student), WeightAverage(self.student, averaging_share, average_buffers=True)
        steps = max(LEAST_FACES, self.count) // self.batch
        epoch = self._epochs(rate, seed, steps, average)
        with Progress(f"{self.label}, learning rate {rate:g}", self.knowledge.budget.epochs) as progress:
            for finite in epoch:
                if not finite:
                    self.student.load_state_dict(best)
                    return TrainingResult(tuple(curve), converged=False)
                last = copied_state(self.student)
                self.student.load_state_dict(average.state)
                curve.append(self._validate())
                if curve[-1] > max(curve[:-1]):
                    best = deepcopy(average.state)
                self.student.load_state_dict(last)
                progress.advance(score=f"{curve[-1]:.3f}")
                since = len(curve) - 1 - int(np.argmax(curve))
                if since >= (PATIENCE if max(curve) > curve[0] else START_PATIENCE):
                    break
        self.student.load_state_dict(best)
        return TrainingResult(tuple(curve), has_converged(curve))

    def _epochs(self, rate: float, seed: int, steps: int, average: WeightAverage) -> Iterator[bool]:
        """Trains for one epoch at a time; yields whether all losses in it were finite."""
        epochs = self.knowledge.budget.epochs
        optimiser = torch.optim.AdamW([weight for weight in self.student.parameters() if weight.requires_grad], lr=rate)
        # Not `schedules.cosine`: torch computes each rate from the one before, which rounds differently, and earlier
        # results must repeat to the last bit.
        annealing = CosineAnnealingLR(optimiser, epochs * steps) if self.annealed else None
        batches = _batches(self.count, self.batch, np.random.default_rng(seed))
        for _ in range(epochs):
            self.student.train()
            for _ in range(steps):
                if not gradient_step(self.loss(*next(batches)), [optimiser]):
                    yield False
                    return
                if annealing:
                    annealing.step()
                average.update(self.student)
            yield True


def _batches(count: int, batch: int, rng: np.random.Generator) -> Iterator[tuple[Indices, np.random.Generator]]:
    """Indices of the faces of each step, and the generator for all else that is random in it.

    All batches have the same size, since compiled networks are fast at one size only; the few faces left over wait
    until the order is drawn again.
    """
    steps = max(1, count // batch)
    while True:
        for indices in rng.permutation(count)[: steps * batch].reshape(steps, -1):
            yield indices, rng


def has_converged(curve: Sequence[float]) -> bool:
    """Whether the last third of a validation curve gained next to nothing, after a gain that was not lost again."""
    gain = max(curve) - curve[0]
    before = max(curve[: max(1, 2 * len(curve) // 3)])
    return gain > 0 and max(curve) - before < CONVERGED_SHARE * gain and curve[-1] > curve[0]
