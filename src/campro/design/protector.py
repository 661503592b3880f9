"""The protector of Algorithm 1: the camera pipeline and the person detector.

`forward` returns the loss, so that data-parallel wrappers synchronise every gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from campro.core.types import Detections, Images
from campro.design.attackers import Attacker
from campro.design.game_losses import protector_face_loss, protector_loss
from campro.isp import IspPipeline
from campro.models.persons import TrainableDetector

Boxes = tuple[Float[Tensor, "N 4"], Bool[Tensor, "N"]]
"""Ground truth of a scene: boxes in its pixels and crowd marks; see `Detections`, which Fabric cannot pass on."""


class ProtectorLosses(NamedTuple):
    """The loss that is minimised (eq. 6), and its two parts."""

    loss: Tensor
    face: Tensor
    detection: Tensor


class Protector(nn.Module):
    """The camera pipeline and the person detector behind it, trained together."""

    def __init__(self, pipeline: IspPipeline, detector: TrainableDetector) -> None:
        super().__init__()
        self.pipeline, self.detector = pipeline, detector

    def forward(
        self,
        attackers: Sequence[Attacker],
        faces: Images,
        person: Int[Tensor, "B"],
        scenes: Images,
        target: TrainableDetector | Sequence[Boxes],
        omega: float,
        rng: np.random.Generator,
    ) -> ProtectorLosses:
        """Losses on faces and scenes that the pipeline captures.

        Args:
            attackers: Attackers whose logits of the right person are lowered. The face loss is the mean over them;
                the most confident attacker dominates it.
            faces: Raw crops, (B, 3, h, w) in [0, 1].
            person: Index of the person in each crop.
            scenes: Raw scenes, (S, 3, H, W) in [0, 1].
            target: Target of the detection loss: the ground truth of each scene, or the original detector, whose
                outputs for the raw scenes are then the target.
            omega: Weight of the detection loss.
            rng: Source of the attackers' random transforms.
        """
        captured = self.pipeline(faces)
        with ExitStack() as stack:
            for attacker in attackers:
                stack.enter_context(frozen(attacker))
            losses = [protector_face_loss(attacker.logits(captured, rng), person) for attacker in attackers]
        face = torch.stack(losses).mean()
        detection = self._detection_loss(self.pipeline(scenes), scenes, target)
        return ProtectorLosses(protector_loss(face, detection, omega), face, detection)

    def _detection_loss(self, captured: Images, raw: Images, target: TrainableDetector | Sequence[Boxes]) -> Tensor:
        if isinstance(target, Sequence):
            return self.detector.loss(captured, [Detections.truth(*boxes) for boxes in target])
        return self.detector.imitate(captured, raw, target)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Let gradients pass through the module without computing those of its weights, which saves a third of the time."""
    trainable = [p for p in module.parameters() if p.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
