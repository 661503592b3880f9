"""Train and judge person detectors on scenes: batches, adaptation to a camera's pictures, detection over a set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.lut3d import Lut3d
from campro.core.progress import Progress, track
from campro.core.types import Detections, Images, ImageTransform, Rgb8, Scene
from campro.utility.detector import TrainableDetector
from campro.utility.letterbox import letterbox
from campro.utility.recoloured import Recoloured, RecolouredDetector

GREY = 114
CALIBRATION = 16
"""Raw scenes from which statistics are taken before training."""
MAX_NORM = 30.0
"""Gradients are cut to this norm: a scene with hardly anybody in it must not throw the detector off."""
COLOUR_SCENES = 300
"""Scenes from whose colours the 3D LUT is fitted; more change nothing."""
KEPT_ASIDE = 32
"""Scenes that decide which weights are best; half of the scenes where there are few."""
JUDGE_EVERY = 20
"""Steps between two looks at these."""
ZOOM = (0.6, 1.5)
"""Range of the random scale, relative to the largest at which a scene just fits."""
VISIBLE = 0.35
"""A person of whom less than this part is left by the crop is ignored: neither a person nor background."""


@lru_cache(maxsize=2048)
def _decoded(path: Path) -> Rgb8:
    return read_image(path)


def scene_batch(
    scenes: Sequence[Scene],
    size: tuple[int, int],
    count: int,
    rng: np.random.Generator,
    view: ImageTransform | None = None,
) -> tuple[UInt8[np.ndarray, "B H W 3"], list[Detections]]:
    """`count` random scenes (as `view` shows them), mirrored, scaled and placed on grey pictures of `size` (H, W)."""
    if not scenes:
        raise CamproError("training scenes", "at least one scene", "none")
    rows = rng.choice(len(scenes), count, replace=len(scenes) < count)
    photos = [_decoded(scenes[row].path) for row in rows]
    seen = photos if view is None else [view(photo) for photo in photos]
    pairs = [augment(rgb, scenes[row].truth, size, rng) for rgb, row in zip(seen, rows)]
    return np.stack([rgb for rgb, _ in pairs]), [truth for _, truth in pairs]


def augment(rgb: Rgb8, truth: Detections, size: tuple[int, int], rng: np.random.Generator) -> tuple[Rgb8, Detections]:
    """One scene mirrored or not, at a random scale, somewhere on a grey picture of `size` (H, W)."""
    height, width = rgb.shape[:2]
    scale = min(size[0] / height, size[1] / width) * np.exp(rng.uniform(*np.log(ZOOM)))
    shape = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = cv2.resize(rgb, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    boxes = truth.boxes * torch.tensor([shape[0] / width, shape[1] / height]).repeat(2).float()
    if rng.random() < 0.5:
        scaled = scaled[:, ::-1]
        boxes = torch.stack([shape[0] - boxes[:, 2], boxes[:, 1], shape[0] - boxes[:, 0], boxes[:, 3]], 1)
    x, y = (int(rng.integers(min(room, 0), max(room, 0) + 1)) for room in (size[1] - shape[0], size[0] - shape[1]))
    canvas = np.full((*size, 3), GREY, np.uint8)
    seen = scaled[max(-y, 0) : size[0] - y, max(-x, 0) : size[1] - x]
    canvas[max(y, 0) : max(y, 0) + seen.shape[0], max(x, 0) : max(x, 0) + seen.shape[1]] = seen
    return canvas, _clip(boxes + torch.tensor([x, y, x, y]), truth.crowd, size)


def _clip(boxes: torch.Tensor, crowd: torch.Tensor, size: tuple[int, int]) -> Detections:
    """Boxes cut at the border; those of which little is left become regions to ignore, empty ones go."""
    limits = torch.tensor([size[1], size[0], size[1], size[0]], dtype=boxes.dtype)
    cut = torch.minimum(boxes.clamp(min=0), limits)
    left = (cut[:, 2:] - cut[:, :2]).clamp(min=0).prod(1)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    keep = left > 1
    return Detections.truth(cut[keep], (crowd | (left < VISIBLE * whole))[keep])


def adapt(
    detector: TrainableDetector,
    scenes: Sequence[Scene],
    view: ImageTransform,
    steps: int,
    seed: int,
    batch: int = 6,
    lr: float = 2e-4,
) -> TrainableDetector:
    """A copy of the detector that has learned to see through `view` what it saw on raw pictures.

    What a user of that camera would do: any photographs serve, no labels are needed, and none are looked at. First a
    3D LUT is fitted that brings the colours back as far as it can, then the weights behind it are trained. A share of
    the scenes is kept aside, and the weights are those that did best there, the untrained ones included.
    """
    rng = np.random.default_rng(seed)
    order = [scenes[row] for row in rng.permutation(len(scenes))]
    aside = min(KEPT_ASIDE, len(order) // 2)
    rest = order[aside:]
    table = Lut3d.fit(_colour_pairs(rest[:COLOUR_SCENES], view)).requires_grad_(False)
    recoloured = Recoloured(view, table)
    learner, model = deepcopy(detector), detector.eval()
    learner.calibrate(to_tensor(scene_batch(rest, detector.card.size, CALIBRATION, rng)[0]))
    judge = _Judge(_whole_pairs(order[:aside] or order, detector.card.size, recoloured), model)
    _learn(learner, model, rest, recoloured, judge, steps, seed, batch, lr)
    return RecolouredDetector(table, learner).eval()


def _learn(
    learner: TrainableDetector,
    model: TrainableDetector,
    scenes: Sequence[Scene],
    view: ImageTransform,
    judge: _Judge,
    steps: int,
    seed: int,
    batch: int,
    lr: float,
) -> None:
    """Train the learner, and leave it with the weights that the judge likes best."""
    judge.look(learner)
    optimiser = torch.optim.Adam(learner.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_then_cosine(steps))
    with Progress(f"adapt to {view.name}", steps) as progress:
        for step in range(steps):
            # the same generator twice: the same scenes, placed the same way
            raw, seen = (
                to_tensor(scene_batch(scenes, model.card.size, batch, np.random.default_rng([seed, step]), each)[0])
                for each in (None, view)
            )
            loss = learner.train().imitate(seen, raw, model)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learner.parameters(), MAX_NORM)
            optimiser.step()
            schedule.step()
            if (step + 1) % JUDGE_EVERY == 0 or step + 1 == steps:
                judge.look(learner)
            progress.advance(loss=f"{float(loss.detach()):.3f}", aside=f"{judge.best:.3f}")
    learner.load_state_dict(judge.weights)


def _colour_pairs(scenes: Sequence[Scene], view: ImageTransform) -> Iterator[tuple[Images, Images]]:
    """Every third row and column of each scene, as the view shows it and raw."""
    for scene in scenes:
        rgb = np.ascontiguousarray(_decoded(scene.path)[::3, ::3])
        yield to_tensor(view(rgb)), to_tensor(rgb)


def _whole_pairs(scenes: Sequence[Scene], size: tuple[int, int], view: ImageTransform) -> list[tuple[Images, Images]]:
    """Scenes as the detector gets them, whole: (seen through the view, raw)."""
    photos = [_decoded(scene.path) for scene in scenes]
    return [(letterbox([to_tensor(view(rgb))[0]], size), letterbox([to_tensor(rgb)[0]], size)) for rgb in photos]


class _Judge:
    """Remembers the weights with the smallest loss on scenes kept aside."""

    def __init__(self, pairs: list[tuple[Images, Images]], model: TrainableDetector) -> None:
        self._pairs, self._model = pairs, model
        self.best = float("inf")
        self.weights: dict[str, Tensor] = {}

    @torch.no_grad()
    def look(self, learner: TrainableDetector) -> None:
        learner.eval()
        losses = [float(learner.imitate(seen, raw, self._model)) for seen, raw in self._pairs]
        loss = sum(losses) / len(losses)
        if not self.weights or loss < self.best:
            self.best, self.weights = loss, deepcopy(learner.state_dict())


def _warm_then_cosine(steps: int) -> Callable[[int], float]:
    """Learning-rate factor: up over the first tenth, then down to zero along a cosine."""
    warm = max(1, steps // 10)
    return lambda step: min((step + 1) / warm, 0.5 * (1 + np.cos(np.pi * min(step / max(steps, 1), 1.0))))


def detect_scenes(detector: TrainableDetector, scenes: Sequence[Scene], view: ImageTransform) -> list[Detections]:
    """Persons found in every scene as `view` shows it, boxes in pixels of the photograph."""
    return [
        detector.detect(to_tensor(view(read_image(scene.path))))[0] for scene in track(scenes, f"detect, {view.name}")
    ]
