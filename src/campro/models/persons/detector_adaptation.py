"""Train and judge person detectors on scenes: batches, adaptation to a camera's pictures, detection over a set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import torch
from jaxtyping import UInt8
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from campro.core.chain import Chain
from campro.core.errors import CamproError
from campro.core.images import read_image, read_image_once, to_tensor
from campro.core.lut3d import Lut3d, colour_pairs
from campro.core.progress import Progress, track
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.metrics.detection import average_precision
from campro.models.persons.person_detector import TrainableDetector, sure_finds
from campro.models.persons.recoloured import Recolour, RecolouredDetector

GREY = 114
CALIBRATION = 16
"""Raw scenes from which statistics are taken before training."""
MAX_NORM = 30.0
"""Gradients are cut to this norm: a scene with hardly anybody in it must not throw the detector off."""
COLOUR_SCENES = 300
"""Scenes from whose colours the 3D LUT is fitted; more change nothing."""
KEPT_ASIDE = 128
"""Scenes that decide what is best; half of the scenes where there are few."""
JUDGE_EVERY = 50
"""Steps between two looks at these; each takes about as long as ten steps."""
MEMORY = 0.98
"""Weights are averaged over some fifty steps."""
ZOOM = (0.6, 1.5)
"""Range of the random scale, relative to the largest at which a scene just fits."""
VISIBLE = 0.35
"""A person of whom less than this part is left by the crop is ignored: neither a person nor background."""


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
    photos = [read_image_once(scenes[row].path) for row in rows]
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

    What a user of that camera would do: any photographs serve, no labels are needed, and none are looked at. A 3D
    LUT is fitted that brings the colours back as far as it can, and if that helps, the weights behind it are trained,
    else those of the detector as it is. A share of the scenes is kept aside, and what comes out is what finds most
    there: the trained weights of some step, the untrained ones behind the table, or the detector as it was.
    """
    rng = np.random.default_rng(seed)
    kinds = _with_and_without_people(detector.eval(), [scenes[row] for row in rng.permutation(len(scenes))])
    shares = [min(KEPT_ASIDE // len(kinds), len(kind) // 2) for kind in kinds]
    aside = [scene for kind, share in zip(kinds, shares) for scene in kind[:share]]
    rest = _by_turns([kind[share:] for kind, share in zip(kinds, shares)])
    judge = _Judge(aside or rest, view, detector)
    table = Lut3d.fit(colour_pairs((scene.path for scene in rest[:COLOUR_SCENES]), view)).requires_grad_(False)
    plain, behind = deepcopy(detector), RecolouredDetector(table, deepcopy(detector))
    if judge.look(plain) >= judge.look(behind):
        learner, own, seen = plain, plain, view
    else:
        learner, own, seen = behind, behind.inner, Chain(view.name, view, Recolour(table))
    own.calibrate(to_tensor(scene_batch(rest, detector.card.size, CALIBRATION, rng)[0]))
    _learn(learner, own, seen, detector, rest, judge, steps, seed, batch, lr)
    return judge.best


def _with_and_without_people(model: TrainableDetector, scenes: Sequence[Scene]) -> list[list[Scene]]:
    """By whether the model finds anybody; only the kinds that occur."""
    kinds: tuple[list[Scene], list[Scene]] = [], []
    for scene, found in zip(scenes, detect_scenes(model, scenes, Chain("raw"))):
        kinds[not len(sure_finds(found).boxes)].append(scene)
    return [kind for kind in kinds if kind]


def _by_turns(kinds: Sequence[Sequence[Scene]]) -> list[Scene]:
    """One of each kind after the other; those of the rarer kind several times."""
    return [kind[turn % len(kind)] for turn in range(max(map(len, kinds))) for kind in kinds]


def _learn(
    learner: TrainableDetector,
    own: TrainableDetector,
    view: ImageTransform,
    model: TrainableDetector,
    scenes: Sequence[Scene],
    judge: _Judge,
    steps: int,
    seed: int,
    batch: int,
    lr: float,
) -> None:
    """Train the weights of `own`, a part of `learner` or all of it; their average is shown to the judge now and then.

    The average over many steps sees better than the weights of any one of them, at once and at the end.
    """
    average = AveragedModel(learner, multi_avg_fn=get_ema_multi_avg_fn(MEMORY))
    optimiser = torch.optim.Adam(own.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _warm_then_cosine(steps))
    with Progress(f"adapt to {view.name}", steps) as progress:
        for step in range(steps):
            # the same generator twice: the same scenes, placed the same way
            raw, seen = (
                to_tensor(scene_batch(scenes, model.card.size, batch, np.random.default_rng([seed, step]), each)[0])
                for each in (None, view)
            )
            loss = own.train().imitate(seen, raw, model)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(own.parameters(), MAX_NORM)
            optimiser.step()
            schedule.step()
            average.update_parameters(learner)
            if (step + 1) % JUDGE_EVERY == 0 or step + 1 == steps:
                judge.look(cast(TrainableDetector, average.module))
            progress.advance(loss=f"{float(loss.detach()):.3f}", aside=f"{judge.ap:.3f}")


class _Judge:
    """Remembers the detector that, through the view, agrees best with what the model sees in the raw pictures."""

    def __init__(self, scenes: Sequence[Scene], view: ImageTransform, model: TrainableDetector) -> None:
        photos = [read_image_once(scene.path) for scene in scenes]
        truth = [sure_finds(found) for found in model.detect([to_tensor(rgb)[0] for rgb in photos])]
        self._seen = [to_tensor(view(rgb))[0] for rgb in photos]
        self._scenes = [
            replace(scene, truth=one, areas=tuple(_areas(one))) for scene, one in zip(scenes, truth, strict=True)
        ]
        self.ap = -1.0
        self.best = model

    @torch.no_grad()
    def look(self, learner: TrainableDetector) -> float:
        """Average precision of a detector; a copy is kept if none was better before."""
        ap = average_precision(self._scenes, learner.eval().detect(self._seen))[0]
        if ap > self.ap or self.ap < 0:  # NaN, where the model sees nobody, is never better
            self.ap, self.best = ap, deepcopy(learner)
        return ap


def _areas(truth: Detections) -> list[float]:
    return (truth.boxes[:, 2:] - truth.boxes[:, :2]).prod(1).tolist()


def _warm_then_cosine(steps: int) -> Callable[[int], float]:
    """Learning-rate factor: up over the first tenth, then down to zero along a cosine."""
    warm = max(1, steps // 10)
    return lambda step: min((step + 1) / warm, 0.5 * (1 + np.cos(np.pi * min(step / max(steps, 1), 1.0))))


def detect_scenes(detector: TrainableDetector, scenes: Sequence[Scene], view: ImageTransform) -> list[Detections]:
    """Persons found in every scene as `view` shows it, boxes in pixels of the photograph."""
    return [
        detector.detect(to_tensor(view(read_image(scene.path))))[0] for scene in track(scenes, f"detect, {view.name}")
    ]
