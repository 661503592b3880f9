"""The adversarial game of Algorithm 1: attackers warm up, then attackers and protector are trained in turn.

Source: CamPro (NDSS 2024), V-C.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from campro.core.errors import CamproError
from campro.core.types import Images, Scene
from campro.design.attackers import Attacker
from campro.design.batches import FaceCrops, face_batch, scenes_batch
from campro.design.design_config import Recipe
from campro.design.optimisers import attacker_optimisers, learning_rate, protector_optimisers
from campro.design.protector import Protector
from campro.models.persons.detector_adaptation import CALIBRATION_SCENES
from campro.training.gradient_steps import gradient_step
from campro.training.schedules import set_learning_rate

if TYPE_CHECKING:  # importing it takes seconds
    from lightning_fabric import Fabric

WARMUP, ADVERSARIAL = 0, 1
PROTECTOR = "protector"
ACCURACY_DECAY = 0.9
"""Weight of the past in the running average of the accuracy, which ends warm-up."""


@dataclass
class GameState:
    """Progress of the game: what a resumed run needs besides weights and optimisers."""

    phase: int = WARMUP
    """WARMUP or ADVERSARIAL."""
    round: int = 0
    """Finished rounds of the phase."""
    accuracy: float = 0.0
    """Running average of the best attacker's rank-1 accuracy (0 to 1)."""
    warmup_rounds: int = 0
    missed_threshold: bool = False
    """Whether warm-up ended below the accuracy that the recipe asks for."""

    @property
    def total_rounds(self) -> int:
        """Finished rounds of both phases."""
        return self.warmup_rounds + self.round


@dataclass
class Game:
    """Attackers and protector with their optimisers, the training data and the schedule."""

    fabric: Fabric
    recipe: Recipe
    attackers: Mapping[str, Attacker]
    """Name -> attacker; all are trained in every round."""
    protector: Protector
    faces: FaceCrops
    scenes: tuple[Scene, ...]
    seed: int
    protector_only: bool
    """Train the attackers during warm-up only."""
    reset_every: int | None = None
    """Rounds after which one attacker, each in turn, is reset to its start weights; None: never."""
    state: GameState = field(default_factory=GameState)

    def __post_init__(self) -> None:
        recipe = self.recipe
        self.camera = self.protector.pipeline
        self.teacher = self.fabric.to_device(deepcopy(self.protector.detector)).eval().requires_grad_(False)
        size = self.protector.detector.card.size
        self.protector.detector.calibrate(
            scenes_batch(self.scenes, size, CALIBRATION_SCENES, np.random.default_rng(self.seed))[0]
        )
        self.protector.detector.train()
        self.optimised: dict[str, tuple[nn.Module, Sequence[Optimizer]]] = {}
        self.start_weights = {name: deepcopy(attacker.state_dict()) for name, attacker in self.attackers.items()}
        for name, attacker in self.attackers.items():
            self._add_module(name, attacker, attacker_optimisers(recipe, attacker))
        self._add_module(PROTECTOR, self.protector, protector_optimisers(recipe, self.protector))

    def _add_module(self, name: str, module: nn.Module, optimisers: Sequence[Optimizer]) -> None:
        """Set a module up on the device; without optimisers it has no weights that gradients train."""
        if not optimisers:
            self.optimised[name] = (self.fabric.to_device(module), ())
            return
        wrapped, *own = self.fabric.setup(module, *optimisers)
        self.optimised[name] = (wrapped, own)

    def capture(self, raw: Images) -> Images:
        """Raw images (B, 3, H, W) in [0, 1] through the camera pipeline in its present state, on the CPU."""
        captured: Images = self.camera(self.fabric.to_device(raw)).cpu()
        return captured

    # One optimisation step -----------------------------------------------------------------------------------

    def attack(self, *key: int) -> dict[str, Tensor]:
        """One step of each attacker, on captured faces; during warm-up on the faces that the recipe names.

        The presets of Algorithm 1 take captured faces throughout. With a start profile that changes pictures much,
        warm-up on raw faces gives recognisers as they are available to an attacker.

        Args:
            key: Phase, round and turn: the key of the random numbers.

        Returns:
            The loss of each attacker, and the accuracy of the best one.

        Raises:
            CamproError: If a loss is not finite.
        """
        raw, person = self._faces(*key)
        crops, rng, losses = raw, self._generator(*key, 2), {}
        if key[0] == ADVERSARIAL or self.recipe.warmup_faces == "captured":
            with torch.no_grad():
                crops = self.camera(raw)
        for name in self.attackers:
            module, optimisers = self.optimised[name]
            losses[name] = module(crops, raw, person, rng)
            for optimiser in optimisers:
                set_learning_rate(optimiser, learning_rate(self.recipe, self.state.total_rounds))
            if optimisers:
                self._step(losses[name].loss, optimisers)
        together = {f"attacker {name}": one.loss for name, one in losses.items()}
        return together | {"accuracy": torch.stack([one.accuracy for one in losses.values()]).max()}

    def reset_attacker(self, name: str) -> None:
        """Set an attacker back to its start weights and clear its optimiser's momentum."""
        self.attackers[name].load_state_dict(self.start_weights[name])
        for optimiser in self.optimised[name][1]:
            optimiser.load_state_dict({**optimiser.state_dict(), "state": {}})

    def protect(self, *key: int) -> dict[str, Tensor]:
        """One step of pipeline and detector against the present attackers; see `attack` for the key and `Raises`."""
        module, optimisers = self.optimised[PROTECTOR]
        crops, person = self._faces(*key)
        size = self.protector.detector.card.size
        raw, truth = scenes_batch(self.scenes, size, self.recipe.scene_batch, self._generator(*key, 1))
        scenes, rng = self.fabric.to_device(raw), self._generator(*key, 2)
        target = [(boxes.boxes, boxes.crowd) for boxes in truth] if self.recipe.labels else self.teacher
        attackers = list(self.attackers.values())
        losses = module(attackers, crops, person, scenes, target, self.recipe.omega, rng)
        self._step(losses.loss, optimisers)
        self.protector.pipeline.project_()
        return {"face": losses.face, "detection": losses.detection}

    def _faces(self, *key: int) -> tuple[Tensor, Tensor]:
        batch = face_batch(self.faces, self.recipe.face_batch, self._generator(*key, 0))
        return self.fabric.to_device(batch)

    def _generator(self, *key: int) -> np.random.Generator:
        """Generator that depends on seed, process and key only, so that a resumed run draws the same numbers."""
        return np.random.default_rng([self.seed, self.fabric.global_rank, *key])

    def _step(self, loss: Tensor, optimisers: Sequence[Optimizer]) -> None:
        if not gradient_step(loss, optimisers, self.recipe.max_norm, self.fabric.backward):
            raise CamproError(
                "design", "a finite loss", str(float(loss.detach())), "lower the learning rates of the preset"
            )

    # The two phases ------------------------------------------------------------------------------------------

    def rounds(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Train from the present state to the end; yields the phase and the losses of each round.

        Raises:
            CamproError: If a loss is not finite.
        """
        while self.state.phase == WARMUP:
            yield WARMUP, self._warmup_round()
        while self.state.round < self.recipe.rounds(len(self.faces)):
            yield ADVERSARIAL, self._adversarial_round()

    def _warmup_round(self) -> dict[str, float]:
        state = self.state
        losses = _floats(self.attack(WARMUP, state.round, 0))
        state.round += 1
        self._average_accuracy(losses["accuracy"])
        reached = state.accuracy >= self.recipe.warmup_accuracy
        if reached or state.round >= self.recipe.max_warmup:
            state.missed_threshold = not reached
            state.warmup_rounds, state.round, state.phase = state.round, 0, ADVERSARIAL
        return losses

    def _adversarial_round(self) -> dict[str, float]:
        state, names = self.state, list(self.attackers)
        if self.reset_every and state.round and state.round % self.reset_every == 0:
            self.reset_attacker(names[(state.round // self.reset_every - 1) % len(names)])
        losses: dict[str, Tensor] = {}
        attacker_steps = 0 if self.protector_only else self.recipe.attacker_steps
        for turn in range(attacker_steps):
            losses |= self.attack(ADVERSARIAL, state.round, turn)
        for turn in range(self.recipe.protector_steps):
            losses |= self.protect(ADVERSARIAL, state.round, attacker_steps + turn)
        state.round += 1
        numbers = _floats(losses)
        if "accuracy" in numbers:
            self._average_accuracy(numbers["accuracy"])
        return numbers

    def _average_accuracy(self, accuracy: float) -> None:
        self.state.accuracy = ACCURACY_DECAY * self.state.accuracy + (1 - ACCURACY_DECAY) * accuracy

    # Checkpoints ---------------------------------------------------------------------------------------------

    def state_dict(self) -> dict:
        """Everything that a resumed run needs, as tensors and numbers."""
        modules = {
            name: (module.state_dict(), [optimiser.state_dict() for optimiser in optimisers])
            for name, (module, optimisers) in self.optimised.items()
        }
        return {"progress": vars(self.state).copy(), "modules": modules}

    def load_state_dict(self, state: Mapping) -> None:
        """Restore a state of `state_dict`."""
        self.state = GameState(**state["progress"])
        for name, (weights, moments) in state["modules"].items():
            module, optimisers = self.optimised[name]
            module.load_state_dict(weights)
            for optimiser, moment in zip(optimisers, moments, strict=True):
                optimiser.load_state_dict(moment)


def _floats(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value.detach()) for name, value in losses.items()}
