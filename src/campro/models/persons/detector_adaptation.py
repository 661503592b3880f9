"""Training batches of scenes, adaptation of a person detector to a camera, and detection over a set of scenes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from campro.core.chain import Chain
from campro.core.errors import CamproError
from campro.core.images import read_image, read_image_cached, to_tensor
from campro.core.lut3d import Lut3d, colour_pairs
from campro.core.progress import Progress, track
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.metrics.detection import average_precision
from campro.models.persons.person_detector import TrainableDetector, confident_detections
from campro.models.persons.recoloured import LutTransform, RecolouredDetector
from campro.training.gradient_steps import gradient_step
from campro.training.schedules import set_learning_rate, warmup_then_cosine
from campro.training.weight_average import WeightAverage, constant_share

GREY = 114
"""Level of the padding around scenes, 0 to 255 (YOLOX's)."""
CALIBRATION_SCENES = 16
"""Raw scenes from which the statistics of batch normalisation are taken before training."""
MAX_NORM = 30.0
"""Gradients are clipped to this norm: scenes with very few persons give large ones."""
COLOUR_SCENES = 300
"""Scenes from whose colours the 3D LUT is fitted; more scenes change the LUT little."""
VALIDATION_SCENES = 128
"""Largest size of the validation set; half of the scenes if there are few."""
VALIDATE_EVERY = 50
"""Training steps between two validations; a validation takes about as long as ten steps."""
EMA_DECAY = 0.98
"""Decay of the exponential moving average of the weights: a mean over some fifty steps."""
ZOOM = (0.6, 1.5)
"""Range of the random scale, relative to the largest scale at which the scene fits."""
VISIBLE = 0.35
"""A person whose visible part is smaller than this share becomes a crowd region: neither person nor background."""


@dataclass(frozen=True)
class _Schedule:
    """Settings of one adaptation."""

    steps: int
    seed: int
    batch: int
    lr: float


def scene_batch(
    scenes: Sequence[Scene],
    size: tuple[int, int],
    count: int,
    rng: np.random.Generator,
    view: ImageTransform | None = None,
) -> tuple[UInt8[np.ndarray, "B H W 3"], list[Detections]]:
    """`count` random scenes through `view` (raw if None), mirrored, scaled and placed on gray images of `size` (H, W).

    Returns:
        8-bit sRGB images, and the ground truth of each with boxes in pixels of these images.

    Raises:
        CamproError: if there are no scenes, or a photograph cannot be read.
    """
    if not scenes:
        raise CamproError("training scenes", "at least one scene", "none")
    indices = rng.choice(len(scenes), count, replace=len(scenes) < count)
    photos = [read_image_cached(scenes[index].path) for index in indices]
    views = photos if view is None else [view(photo) for photo in photos]
    pairs = [augment(rgb, scenes[index].truth, size, rng) for rgb, index in zip(views, indices)]
    return np.stack([rgb for rgb, _ in pairs]), [truth for _, truth in pairs]


def augment(rgb: Rgb8, truth: Detections, size: tuple[int, int], rng: np.random.Generator) -> tuple[Rgb8, Detections]:
    """Mirror a scene at random, scale it by a factor drawn from ZOOM, and place it on a gray image of `size` (H, W).

    Boxes follow the pixels; see VISIBLE for boxes that are cut off.
    """
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
    visible = scaled[max(-y, 0) : size[0] - y, max(-x, 0) : size[1] - x]
    canvas[max(y, 0) : max(y, 0) + visible.shape[0], max(x, 0) : max(x, 0) + visible.shape[1]] = visible
    return canvas, _clip(boxes + torch.tensor([x, y, x, y]), truth.crowd, size)


def _clip(boxes: torch.Tensor, crowd: torch.Tensor, size: tuple[int, int]) -> Detections:
    """Clip boxes to the image; mostly invisible ones become crowd regions, invisible ones are removed."""
    limits = torch.tensor([size[1], size[0], size[1], size[0]], dtype=boxes.dtype)
    cut = torch.minimum(boxes.clamp(min=0), limits)
    visible = (cut[:, 2:] - cut[:, :2]).clamp(min=0).prod(1)
    whole = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    keep = visible > 1
    return Detections.truth(cut[keep], (crowd | (visible < VISIBLE * whole))[keep])


def adapt(
    detector: TrainableDetector,
    scenes: Sequence[Scene],
    view: ImageTransform,
    steps: int,
    seed: int,
    batch: int = 6,
    lr: float = 2e-4,
) -> TrainableDetector:
    """A copy of the detector that is adapted to images of `view`, so that it detects what it detects on raw images.

    This is what an operator of such a camera would do; it needs photographs but no labels (the labels of `scenes` are
    not used). First a 3D LUT is fitted that maps the colours of `view` back to raw colours. If the detector is better
    behind the LUT, the weights behind the LUT are trained, otherwise those of the plain detector. A part of the scenes
    is the validation set. The result is the candidate of highest average precision there: the plain detector, the
    detector behind the LUT, or the trained weights of some step.

    Args:
        detector: stays unchanged.
        scenes: training scenes; at least one.
        view: the camera.
        steps: training steps; with 0 only the LUT is fitted.
        seed: seed of the split, the batches and their augmentation.
        batch: scenes per step.
        lr: peak learning rate of Adam.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    rng = np.random.default_rng(seed)
    groups = _with_and_without_people(detector.eval(), [scenes[index] for index in rng.permutation(len(scenes))])
    held_out = [min(VALIDATION_SCENES // len(groups), len(group) // 2) for group in groups]
    validation = [scene for group, count in zip(groups, held_out) for scene in group[:count]]
    training = _alternate([group[count:] for group, count in zip(groups, held_out)])
    selection = _Selection(validation or training, view, detector)
    lut = Lut3d.fit(colour_pairs((scene.path for scene in training[:COLOUR_SCENES]), view)).requires_grad_(False)
    plain, behind = deepcopy(detector), RecolouredDetector(lut, deepcopy(detector))
    if selection.evaluate(plain) >= selection.evaluate(behind):
        candidate, network, network_view = plain, plain, view
    else:
        candidate, network, network_view = behind, behind.inner, Chain(view.name, view, LutTransform(lut))
    network.calibrate(to_tensor(scene_batch(training, detector.card.size, CALIBRATION_SCENES, rng)[0]))
    _train(candidate, network, network_view, detector, training, selection, _Schedule(steps, seed, batch, lr))
    return selection.best


def _with_and_without_people(model: TrainableDetector, scenes: Sequence[Scene]) -> list[list[Scene]]:
    """Scenes in which the model detects persons, and scenes in which it detects none; without empty groups."""
    groups: tuple[list[Scene], list[Scene]] = [], []
    for scene, detections in zip(scenes, detect_scenes(model, scenes, Chain("raw"))):
        groups[not len(confident_detections(detections).boxes)].append(scene)
    return [group for group in groups if group]


def _alternate(groups: Sequence[Sequence[Scene]]) -> list[Scene]:
    """One scene of each group in turn; scenes of the smaller group are repeated."""
    return [group[turn % len(group)] for turn in range(max(map(len, groups))) for group in groups]


def _train(
    candidate: TrainableDetector,
    network: TrainableDetector,
    view: ImageTransform,
    model: TrainableDetector,
    scenes: Sequence[Scene],
    selection: _Selection,
    schedule: _Schedule,
) -> None:
    """Train the weights of `network`, which is `candidate` or a part of it; validate their moving average at times.

    The moving average is more accurate than the weights of a single step.
    """
    averaged = deepcopy(candidate)
    average = WeightAverage(candidate, constant_share(EMA_DECAY))
    optimiser = torch.optim.Adam(network.parameters(), lr=schedule.lr)
    with Progress(f"adapt to {view.name}", schedule.steps) as progress:
        for step in range(schedule.steps):
            set_learning_rate(optimiser, schedule.lr * warmup_then_cosine(step, schedule.steps))
            raw, viewed = (_training_images(scenes, model, schedule, step, each) for each in (None, view))
            loss = network.train().imitate(viewed, raw, model)
            if not gradient_step(loss, [optimiser], MAX_NORM):
                return  # no later weights can be better: all of them would be NaN
            average.update(candidate)
            if (step + 1) % VALIDATE_EVERY == 0 or step + 1 == schedule.steps:
                averaged.load_state_dict(average.state)
                selection.evaluate(averaged)
            progress.advance(loss=f"{float(loss.detach()):.3f}", validation=f"{selection.ap:.3f}")


def _training_images(
    scenes: Sequence[Scene], model: TrainableDetector, schedule: _Schedule, step: int, view: ImageTransform | None
) -> torch.Tensor:
    """(B, 3, H, W) in [0, 1]; the same scenes in the same places for every view."""
    rng = np.random.default_rng([schedule.seed, step])
    return to_tensor(scene_batch(scenes, model.card.size, schedule.batch, rng, view)[0])


class _Selection:
    """Keeps the detector of highest average precision on the views of the validation scenes.

    The ground truth are the confident detections of `model` on the raw photographs.
    """

    def __init__(self, scenes: Sequence[Scene], view: ImageTransform, model: TrainableDetector) -> None:
        photos = [read_image_cached(scene.path) for scene in scenes]
        targets = [confident_detections(boxes) for boxes in model.detect([to_tensor(rgb)[0] for rgb in photos])]
        self._views = [to_tensor(view(rgb))[0] for rgb in photos]
        self._scenes = [
            replace(scene, truth=truth, areas=tuple(_areas(truth)))
            for scene, truth in zip(scenes, targets, strict=True)
        ]
        self.ap = -1.0
        self.best = model

    @torch.no_grad()
    def evaluate(self, candidate: TrainableDetector) -> float:
        """Average precision of a detector in [0, 1]; a copy is kept if no earlier candidate was better."""
        ap = average_precision(self._scenes, candidate.eval().detect(self._views))[0]
        if ap > self.ap or self.ap < 0:  # NaN, if the model detects no person at all, is never better
            self.ap, self.best = ap, deepcopy(candidate)
        return ap


def _areas(truth: Detections) -> list[float]:
    return (truth.boxes[:, 2:] - truth.boxes[:, :2]).prod(1).tolist()


def detect_scenes(detector: TrainableDetector, scenes: Sequence[Scene], view: ImageTransform) -> list[Detections]:
    """Persons detected on every scene through `view`; boxes in pixels of the photograph.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    return [
        detector.detect(to_tensor(view(read_image(scene.path))))[0] for scene in track(scenes, f"detect, {view.name}")
    ]
