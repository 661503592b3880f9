"""The protector of Algorithm 1, and the company of attackers that it faces.

All are moved by a loss that their own `forward` returns, so that data-parallel wrappers see every gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from campro.core.types import Images
from campro.design.attackers import Attacker
from campro.design.game_losses import protector_face_loss, protector_loss
from campro.isp import IspPipeline
from campro.models.persons import TrainableDetector


class ProtectorLosses(NamedTuple):
    """What a protector step reports: the sum that is minimised and its two parts."""

    loss: Tensor
    face: Tensor
    detection: Tensor


class Protector(nn.Module):
    """The camera pipeline and the person detector behind it, which learn together."""

    def __init__(self, pipeline: IspPipeline, detector: TrainableDetector) -> None:
        super().__init__()
        self.pipeline, self.detector = pipeline, detector

    def forward(
        self,
        attackers: Sequence[Attacker],
        faces: Images,
        person: Int[Tensor, "B"],
        scenes: Images,
        model: TrainableDetector,
        omega: float,
        rng: np.random.Generator,
    ) -> ProtectorLosses:
        """Losses of the protector on raw faces and raw scenes, both seen through the pipeline.

        The face loss is the mean over attackers, which the surest of them dominates. `model` is the detector as it
        was: what it finds on the raw scenes is what the protector's should find.
        """
        captured = self.pipeline(faces)
        with ExitStack() as stack:
            for attacker in attackers:
                stack.enter_context(frozen(attacker))
            losses = [protector_face_loss(attacker.logits(captured, rng), person) for attacker in attackers]
        face = torch.stack(losses).mean()
        detection = self.detector.imitate(self.pipeline(scenes), scenes, model)
        return ProtectorLosses(protector_loss(face, detection, omega), face, detection)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Gradients pass through the module but none are kept for its weights: a third of the work saved."""
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
