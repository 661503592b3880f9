"""The training loop of all trained attacks: AdamW, early stopping, and restarts at a lower learning rate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from campro.attacks.attack_base import AttackerKnowledge, TrainingResult
from campro.attacks.budget import TrainingSettings
from campro.attacks.stored_training import StoredTraining
from campro.attacks.training_crops import BATCH, CropPairs, Indices
from campro.core.device import native_bfloat16
from campro.core.hashing import tensors_sha256
from campro.core.progress import Progress
from campro.core.run_folder import Json
from campro.training.gradient_steps import gradient_step
from campro.training.weight_average import WeightAverage, copied_state, falling_share

State = dict[str, Any]
LEAST_FACES = 1600
"""Faces between two validations at least: smaller training sets are used several times in between."""
PATIENCE = 5
"""Validations without a better score after which a training stops."""
ATTEMPTS, START_PATIENCE = 3, 3
"""Trainings at most, and validations not above the initial score after which one is given up. The usual cause is a
learning rate that is too high, above all for networks without normalisation.
"""
LEAST_KEPT = 0.5
"""Share of the initial score below which an attempt is given up at once: the student has lost what it knew. None of
the 103 trainings in benchmarks/results was ever that low in its best attempt.
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
    """What is trained and by which loss, in words. Part of the key of a stored training."""
    faces: tuple[CropPairs, CropPairs] | None = None
    """Training set and validation set; None: the training is not stored."""
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
        it, and `converged` is False. One that was interrupted goes on; see `StoredTraining`.
        """
        stored = StoredTraining.of(None if self.faces is None else partial(self._key, self.faces, settings))
        finished = stored.load() or {}
        if "weights" not in finished:
            finished = self._attempts(settings, stored, finished)
            stored.finish(finished)
        self.student.load_state_dict(finished["weights"])
        self.student.eval()
        return TrainingResult(tuple(finished["curve"]), finished["converged"], stored.earlier_s)

    def _key(self, faces: tuple[CropPairs, CropPairs], settings: TrainingSettings) -> list[Json]:
        """All that decides the result, beside the code and the libraries."""
        options: list[Json] = [self.label, str(settings), self.count, self.untrained, self.batch, self.annealed]
        digests = [crops.digest for crops in faces]
        return [self.knowledge.digest, tensors_sha256(self.student.state_dict()), *digests, *options]

    def _attempts(self, settings: TrainingSettings, stored: StoredTraining, saved: State) -> State:
        """The best attempt as `_Attempt.result` has it; those of a saved state are not repeated."""
        start, results = copied_state(self.student), list(saved.get("results", []))
        for number in range(len(results), ATTEMPTS):
            self.student.load_state_dict(start)
            attempt = _Attempt(self, settings.learning_rate / 10**number, self.knowledge.seed + settings.seed)
            if saved:
                attempt.load(saved["attempt"])
                saved = {}
            for _ in attempt.steps():
                stored.save_if_due(lambda: {"results": results, "attempt": attempt.state()})  # noqa: B023
            results.append(attempt.result())
            if results[-1]["converged"] or results[-1]["curve"][-1] > results[-1]["curve"][0]:
                break
        return max(results, key=lambda one: float(max(one["curve"])))

    def validate(self) -> float:
        """The score of the student as it is."""
        with native_bfloat16(self.knowledge.budget.compiled):
            return self.score()


class _Attempt:
    """One training from the initial weights, and all that changes during it."""

    def __init__(self, run: TrainingRun, rate: float, seed: int) -> None:
        self._run, self._rate = run, rate
        self._curve = [0.0 if run.untrained else run.validate()]
        self._finite, self._done = True, 0
        self._best = copied_state(run.student)
        self._average = WeightAverage(run.student, averaging_share, average_buffers=True)
        trained = [weight for weight in run.student.parameters() if weight.requires_grad]
        self._optimiser = torch.optim.AdamW(trained, lr=rate)
        self._epoch = max(LEAST_FACES, run.count) // run.batch
        # Not `schedules.cosine`: torch computes each rate from the one before, which rounds differently, and earlier
        # results must repeat to the last bit.
        total = run.knowledge.budget.epochs * self._epoch
        self._annealing = CosineAnnealingLR(self._optimiser, total) if run.annealed else None
        self._batches = Batches(run.count, run.batch, np.random.default_rng(seed))

    def steps(self) -> Iterator[None]:
        """Trains until the attempt is over; yields after each step, when `state` is complete."""
        label, epochs = f"{self._run.label}, learning rate {self._rate:g}", self._run.knowledge.budget.epochs
        with Progress(label, epochs, done=len(self._curve) - 1) as progress:
            while not self._is_over():
                self._step()
                if self._finite and self._done % self._epoch == 0:
                    self._validate()
                    progress.advance(score=f"{self._curve[-1]:.3f}")
                yield

    def result(self) -> State:
        """The validation curve, whether the attempt converged, and its best weights."""
        converged = self._finite and (self._curve[0] > PERFECT or has_converged(self._curve))
        return {"curve": self._curve, "converged": converged, "weights": self._best}

    def _is_over(self) -> bool:
        curve, epochs = self._curve, self._run.knowledge.budget.epochs
        without_gain = len(curve) - 1 - int(np.argmax(curve))
        patience = PATIENCE if max(curve) > curve[0] else START_PATIENCE
        lost = curve[0] > 0 and curve[-1] < LEAST_KEPT * curve[0]
        return not self._finite or curve[0] > PERFECT or len(curve) > epochs or without_gain >= patience or lost

    def _step(self) -> None:
        student = self._run.student.train()
        self._finite = gradient_step(self._run.loss(*self._batches.draw()), [self._optimiser])
        if self._finite:
            if self._annealing:
                self._annealing.step()
            self._average.update(student)
        self._done += 1

    def _validate(self) -> None:
        """Score the averaged weights, and keep them if they are the best."""
        student = self._run.student
        last = copied_state(student)
        student.load_state_dict(self._average.state)
        self._curve.append(self._run.validate())
        if self._curve[-1] > max(self._curve[:-1]):
            self._best = deepcopy(self._average.state)
        student.load_state_dict(last)

    def state(self) -> State:
        """All that the next steps depend on, as `write_state` takes it."""
        return {
            "curve": self._curve,
            "finite": self._finite,
            "done": self._done,
            "student": self._run.student.state_dict(),
            "best": self._best,
            "average": self._average.state,
            "optimiser": self._optimiser.state_dict(),
            "annealing": self._annealing and self._annealing.state_dict(),
            "batches": self._batches.state(),
            "random": torch.get_rng_state(),
        }

    def load(self, state: State) -> None:
        """Continue from a saved state."""
        self._curve, self._finite, self._done = state["curve"], state["finite"], state["done"]
        self._run.student.load_state_dict(state["student"])
        self._best = {name: value.to(self._best[name].device) for name, value in state["best"].items()}
        self._average.load(state["average"], self._done)
        self._optimiser.load_state_dict(state["optimiser"])
        if self._annealing:
            self._annealing.load_state_dict(state["annealing"])
        self._batches.load(state["batches"])
        torch.set_rng_state(state["random"])


class Batches:
    """Indices of the faces of each step, and the generator for all else that is random in it.

    All batches have the same size, since compiled networks are fast at one size only; the few faces left over wait
    until the order is drawn again.
    """

    def __init__(self, count: int, batch: int, rng: np.random.Generator) -> None:
        self._count, self._steps, self._batch, self._rng = count, max(1, count // batch), batch, rng
        self._left: list[Indices] = []

    def draw(self) -> tuple[Indices, np.random.Generator]:
        """The next batch."""
        if not self._left:
            order = self._rng.permutation(self._count)[: self._steps * self._batch]
            self._left = list(order.reshape(self._steps, -1))
        return self._left.pop(0), self._rng

    def state(self) -> State:
        """What the next batches depend on."""
        return {"left": [one.tolist() for one in self._left], "rng": json.dumps(self._rng.bit_generator.state)}

    def load(self, state: State) -> None:
        """Continue from a saved state."""
        self._left = [np.array(one) for one in state["left"]]
        self._rng.bit_generator.state = json.loads(state["rng"])


def has_converged(curve: Sequence[float]) -> bool:
    """Whether the last third of a validation curve gained next to nothing, after a gain that was not lost again."""
    gain = max(curve) - curve[0]
    before = max(curve[: max(1, 2 * len(curve) // 3)])
    return gain > 0 and max(curve) - before < CONVERGED_SHARE * gain and curve[-1] > curve[0]
