"""Algorithm 1: warm the attacker up, then let attacker and protector take turns (CamPro, NDSS 2024, V-C)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from campro.core.errors import CamproError
from campro.core.progress import Progress
from campro.core.run_folder import RunFolder
from campro.core.types import Scene
from campro.design.attackers import Attacker
from campro.design.batches import FaceCrops, face_batch, scenes_batch
from campro.design.design_config import Recipe
from campro.design.monitor import Monitor
from campro.design.players import Protector
from campro.models.persons.detector_adaptation import CALIBRATION_SCENES

WARMUP, ADVERSARIAL = 0, 1
PROTECTOR = "protector"
ACCURACY_MEMORY = 0.9  # weight of the past in the running average that ends warm-up
SAVE_EVERY_S = 60.0
MAX_NORM = 30.0  # of each player's gradient, so that one odd batch throws nobody off


@dataclass
class Progressed:
    """Where the game stands; everything but the weights that a resumed run needs."""

    phase: int = WARMUP
    round: int = 0
    accuracy: float = 0.0
    """Running average of the best attacker's accuracy on captured faces."""
    warmup_rounds: int = 0
    missed_threshold: bool = False


@dataclass
class Game:
    """The players, their optimisers, the data, and the rules."""

    fabric: Fabric
    recipe: Recipe
    attackers: Mapping[str, Attacker]
    """By name; all play in every round."""
    protector: Protector
    faces: FaceCrops
    scenes: tuple[Scene, ...]
    seed: int
    protector_only: bool
    renew: int | None = None
    """Rounds after which one attacker, each in turn, begins anew from where all began."""
    state: Progressed = field(default_factory=Progressed)

    def __post_init__(self) -> None:
        recipe, pipeline = self.recipe, self.protector.pipeline
        if not any(p.requires_grad for p in pipeline.parameters()):
            raise CamproError("design", "a start profile with a CCM or a gamma LUT", "one with nothing to learn")
        camera = Adam(list(pipeline.parameters()), lr=recipe.pipeline_lr)
        detect = Adam(self.protector.detector.parameters(), lr=recipe.detector_lr)
        self.camera = pipeline
        self.model = self.fabric.to_device(deepcopy(self.protector.detector)).eval().requires_grad_(False)
        size = self.protector.detector.card.size
        self.protector.detector.calibrate(
            scenes_batch(self.scenes, size, CALIBRATION_SCENES, np.random.default_rng(self.seed))
        )
        self.protector.detector.train()
        self.players: dict[str, tuple[nn.Module, Sequence[Optimizer]]] = {}
        self.starts = {name: deepcopy(attacker.state_dict()) for name, attacker in self.attackers.items()}
        for name, attacker in self.attackers.items():
            learns = [weight for weight in attacker.parameters() if weight.requires_grad]
            self._seat(name, attacker, [SGD(learns, lr=recipe.recogniser_lr, momentum=0.9)] if learns else [])
        self._seat(PROTECTOR, self.protector, [camera, detect])

    def _seat(self, name: str, module: nn.Module, optimisers: Sequence[Optimizer]) -> None:
        """Make a player of a module; one without optimisers has nothing to learn by gradients."""
        if not optimisers:
            self.players[name] = (self.fabric.to_device(module), ())
            return
        player, *own = self.fabric.setup(module, *optimisers)
        self.players[name] = (player, own)

    # One move of each player ---------------------------------------------------------------------------------

    def attack(self, *key: int) -> dict[str, Tensor]:
        """One step of each attacker: on raw faces during warm-up, on captured ones in the game.

        A plain start profile captures what is there, so in the paper the two are the same; from any other start the
        attackers should come as recognisers are in the world, trained on raw faces.
        """
        raw, person = self._faces(*key)
        crops, rng, losses = raw, self._generator(*key, 2), {}
        if key[0] == ADVERSARIAL:
            with torch.no_grad():
                crops = self.camera(raw)
        for name in self.attackers:
            player, optimisers = self.players[name]
            losses[name] = player(crops, raw, person, rng)
            if optimisers:
                self._step(losses[name].loss, optimisers)
        together = {f"attacker {name}": one.loss for name, one in losses.items()}
        return together | {"accuracy": torch.stack([one.accuracy for one in losses.values()]).max()}

    def begin_anew(self, name: str) -> None:
        """Put an attacker back to its start: one that has followed the game to where it is may be stuck there."""
        self.attackers[name].load_state_dict(self.starts[name])
        for optimiser in self.players[name][1]:
            optimiser.load_state_dict({**optimiser.state_dict(), "state": {}})

    def protect(self, *key: int) -> dict[str, Tensor]:
        """One step of pipeline and detector against the attacker as it stands."""
        player, optimisers = self.players[PROTECTOR]
        crops, person = self._faces(*key)
        size = self.protector.detector.card.size
        raw = scenes_batch(self.scenes, size, self.recipe.scene_batch, self._generator(*key, 1))
        scenes, rng = self.fabric.to_device(raw), self._generator(*key, 2)
        attackers = list(self.attackers.values())
        losses = player(attackers, crops, person, scenes, self.model, self.recipe.omega, rng)
        self._step(losses.loss, optimisers)
        self.protector.pipeline.project_()
        return {"face": losses.face, "detection": losses.detection}

    def _faces(self, *key: int) -> tuple[Tensor, Tensor]:
        batch = face_batch(self.faces, self.recipe.face_batch, self._generator(*key, 0))
        return self.fabric.to_device(batch)

    def _generator(self, *key: int) -> np.random.Generator:
        """Random numbers of one draw: a pure function of where it stands in the game, so resuming changes nothing."""
        return np.random.default_rng([self.seed, self.fabric.global_rank, *key])

    def _step(self, loss: Tensor, optimisers: Sequence[Optimizer]) -> None:
        if not torch.isfinite(loss):
            raise CamproError("design", "a finite loss", str(float(loss)), "lower the learning rates of the preset")
        for optimiser in optimisers:
            optimiser.zero_grad()
        self.fabric.backward(loss)
        for optimiser in optimisers:
            nn.utils.clip_grad_norm_([p for group in optimiser.param_groups for p in group["params"]], MAX_NORM)
            optimiser.step()

    # The two phases ------------------------------------------------------------------------------------------

    def rounds(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Play to the end from wherever the state stands; yields the phase and the losses of each round."""
        while self.state.phase == WARMUP:
            yield WARMUP, self._warmup_round()
        while self.state.round < self.recipe.rounds(len(self.faces)):
            yield ADVERSARIAL, self._adversarial_round()

    def _warmup_round(self) -> dict[str, float]:
        state = self.state
        losses = _floats(self.attack(WARMUP, state.round, 0))
        state.round += 1
        self._remember(losses["accuracy"])
        reached = state.accuracy >= self.recipe.warmup_accuracy
        if reached or state.round >= self.recipe.max_warmup:
            state.missed_threshold = not reached
            state.warmup_rounds, state.round, state.phase = state.round, 0, ADVERSARIAL
        return losses

    def _adversarial_round(self) -> dict[str, float]:
        state, names = self.state, list(self.attackers)
        if self.renew and state.round and state.round % self.renew == 0:
            self.begin_anew(names[(state.round // self.renew - 1) % len(names)])
        losses: dict[str, Tensor] = {}
        attacker_steps = 0 if self.protector_only else self.recipe.attacker_steps
        for turn in range(attacker_steps):
            losses |= self.attack(ADVERSARIAL, state.round, turn)
        for turn in range(self.recipe.protector_steps):
            losses |= self.protect(ADVERSARIAL, state.round, attacker_steps + turn)
        state.round += 1
        numbers = _floats(losses)
        if "accuracy" in numbers:
            self._remember(numbers["accuracy"])
        return numbers

    def _remember(self, accuracy: float) -> None:
        self.state.accuracy = ACCURACY_MEMORY * self.state.accuracy + (1 - ACCURACY_MEMORY) * accuracy

    # Checkpoints ---------------------------------------------------------------------------------------------

    def state_dict(self) -> dict:
        """Everything a resumed run needs, as plain tensors and numbers."""
        players = {
            name: (player.state_dict(), [optimiser.state_dict() for optimiser in optimisers])
            for name, (player, optimisers) in self.players.items()
        }
        return {"progressed": vars(self.state).copy(), "players": players}

    def load_state_dict(self, state: dict) -> None:
        """Take up a game where `state_dict` left it."""
        self.state = Progressed(**state["progressed"])
        for name, (weights, moments) in state["players"].items():
            player, optimisers = self.players[name]
            player.load_state_dict(weights)
            for optimiser, moment in zip(optimisers, moments, strict=True):
                optimiser.load_state_dict(moment)


def _floats(losses: dict[str, Tensor]) -> dict[str, float]:
    return {name: float(value.detach()) for name, value in losses.items()}


def play(game: Game, run: RunFolder, monitor: Monitor) -> None:
    """Run the game to its end, saving now and then; a finished or killed run goes on from its last save."""
    saved = run.load_state()
    if saved is not None:
        game.load_state_dict(saved)
    run.rewind(_total(game.state))
    last_save = time.monotonic()
    with Progress("design", game.recipe.rounds(len(game.faces)), done=game.state.round) as progress:
        for phase, losses in game.rounds():
            monitor.record(_total(game.state), phase, game, losses)
            warming = phase == WARMUP
            progress.advance(0 if warming else 1, phase="warm-up" if warming else "game", **_short(losses))
            if time.monotonic() - last_save > SAVE_EVERY_S:
                run.save_state(game.state_dict())
                last_save = time.monotonic()
    run.save_state(game.state_dict())


def _short(losses: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:.3f}" for name, value in losses.items()}


def _total(state: Progressed) -> int:
    """Rounds played since the start, warm-up included."""
    return state.warmup_rounds + state.round
