"""Optimisers of the game's players, and the attackers' learning rate."""

from __future__ import annotations

from torch import nn
from torch.optim import SGD, Adam, Optimizer

from campro.design.design_config import Recipe
from campro.design.protector import Protector


def attacker_optimisers(recipe: Recipe, attacker: nn.Module) -> list[Optimizer]:
    """SGD of an attacker's trainable weights; none if it has no such weights."""
    weights = [weight for weight in attacker.parameters() if weight.requires_grad]
    return [SGD(weights, lr=recipe.recogniser_lr, momentum=recipe.momentum)] if weights else []


def protector_optimisers(recipe: Recipe, protector: Protector) -> list[Optimizer]:
    """Adam of the camera pipeline, and the recipe's optimiser of the person detector."""
    camera = Adam(list(protector.pipeline.parameters()), lr=recipe.pipeline_lr)
    weights = list(protector.detector.parameters())
    if recipe.detector_optimiser == "SGD":
        return [camera, SGD(weights, lr=recipe.detector_lr, momentum=recipe.momentum)]
    return [camera, Adam(weights, lr=recipe.detector_lr)]


def learning_rate(recipe: Recipe, finished: int) -> float:
    """Learning rate of the attackers after `finished` rounds of both phases; see `Recipe.rate_rise`.

    >>> from campro.design.design_config import PRESETS
    >>> from dataclasses import replace
    >>> rising = replace(PRESETS["cpu"], recogniser_lr=0.1, rate_rise=4)
    >>> learning_rate(rising, 0), learning_rate(rising, 3), learning_rate(rising, 9)
    (0.025, 0.1, 0.1)
    """
    return recipe.recogniser_lr * min(1.0, (finished + 1) / max(1, recipe.rate_rise))
