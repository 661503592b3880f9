"""Warm-up of the attacker of Algorithm 1 under changed settings.

`python -m benchmarks.figures.warm_up PEOPLE/ SETTINGS [SETTINGS ...]`, for example `"published"
"published head_start=templates" "published recogniser_lr=0.01 rate_rise=20"`. Faces are captured by the recipe's start
profile; a line every ten rounds.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from campro.core.device import seed_everything
from campro.data import read_faces
from campro.design.batches import FaceCrops, face_batch
from campro.design.design_config import PRESETS, DesignConfig, Recipe
from campro.design.designer import attackers_for, crop_faces
from campro.design.game import ACCURACY_DECAY
from campro.design.optimisers import attacker_optimisers, learning_rate
from campro.design.start import start_profile
from campro.isp import IspPipeline
from campro.models.faces import load_embedder
from campro.training.gradient_steps import gradient_step
from campro.training.schedules import set_learning_rate

BEFORE: dict[str, Any] = {"head": "cosine", "momentum": 0.9, "max_norm": 30.0, "recogniser_lr": 0.1}
"""Settings of the preset `paper` before it followed the paper; `before` in the command line."""
SEED = 0


def recipe_of(settings: str) -> Recipe:
    """The preset `paper` with batches of 8 faces, and the changes that a text names."""
    base, *words = settings.split()
    changes: dict[str, Any] = {}
    for name, text in (word.split("=") for word in words):
        kind = type(getattr(PRESETS["paper"], name))
        changes[name] = text if kind is str else float(text) if kind in (float, type(None)) else int(text)
    return replace(PRESETS["paper"], **({"face_batch": 8} | (BEFORE if base == "before" else {}) | changes))


def warm_up(recipe: Recipe, crops: FaceCrops, config: DesignConfig, rounds: int) -> None:
    """Print the course of `rounds` rounds, and the round in which the threshold is passed."""
    seed_everything(SEED)
    embedder = load_embedder(config.face_model)
    (attacker,) = attackers_for(config, recipe, embedder, crops).values()
    (optimiser,) = attacker_optimisers(recipe, attacker)
    camera = IspPipeline.from_profile(start_profile(recipe.start, recipe.lut_points, ()))
    average, passed = 0.0, None
    for step in range(rounds):
        raw, person = face_batch(crops, recipe.face_batch, np.random.default_rng([SEED, 0, 0, step, 0, 0]))
        with torch.no_grad():
            captured = camera(raw)
        losses = attacker(captured, raw, person, np.random.default_rng(SEED))
        set_learning_rate(optimiser, learning_rate(recipe, step))
        if not gradient_step(losses.loss, [optimiser], recipe.max_norm):
            print(f"  {step + 1}: the loss is not finite", flush=True)
            return
        average = ACCURACY_DECAY * average + (1 - ACCURACY_DECAY) * float(losses.accuracy)
        if passed is None and average >= recipe.warmup_accuracy:
            passed = step + 1
        if step % 10 == 9:
            loss = float(losses.loss.detach())
            print(f"  {step + 1}: average accuracy {average:.2f}, loss {loss:.2f}, passed {passed}", flush=True)


def main() -> None:
    """Command line: PEOPLE/ or PEOPLE/:ROUNDS, then the settings."""
    folder, _, rounds = sys.argv[1].partition(":")
    config = DesignConfig(face_model="mobilefacenet", landmarks="yunet")
    crops = crop_faces(read_faces(Path(folder)), load_embedder(config.face_model), config)
    for settings in sys.argv[2:]:
        print(f"{settings}; {crops.people} people, {len(crops)} photographs", flush=True)
        warm_up(recipe_of(settings), crops, config, int(rounds or 100))


if __name__ == "__main__":
    main()
