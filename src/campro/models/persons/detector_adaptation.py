"""Adaptation of a person detector to a camera, and detection over a set of scenes."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from campro.core.chain import Chain
from campro.core.images import read_image, read_image_cached, to_tensor
from campro.core.lut3d import Lut3d, colour_pairs
from campro.core.progress import Progress, track
from campro.core.types import Detections, ImageTransform, Rgb8, Scene
from campro.metrics.detection import average_precision
from campro.models.persons.person_detector import TrainableDetector, confident_detections
from campro.models.persons.recoloured import LutTransform, RecolouredDetector
from campro.models.persons.scene_batches import scene_batch
from campro.training.gradient_steps import gradient_step
from campro.training.schedules import set_learning_rate, warmup_then_cosine
from campro.training.weight_average import WeightAverage, falling_share

CALIBRATION_SCENES = 16
"""Raw scenes from which the statistics of batch normalisation are taken before training."""
MAX_NORM = 30.0
"""Gradients are clipped to this norm: scenes with very few persons give large ones."""
COLOUR_SCENES = 300
"""Scenes from whose colours the 3D LUT is fitted; more scenes change the LUT little."""
HELD_OUT_SCENES = 128
"""Largest number of held-out scenes; half of the scenes if there are few."""
VALIDATE_EVERY = 50
"""Training steps between two validations; a validation takes about as long as ten steps."""
LAST_SHARE = 0.02
"""Share of the newest weights in their moving average: in the end a mean over some fifty steps."""
MOST_REPEATS = 4
"""How often the scenes of the smaller group, with or without people, are repeated at most in one pass."""
KEPT, RECOLOURED = "kept as given", "3D LUT"
"""Results without training."""


@dataclass(frozen=True)
class AdaptationOutcome:
    """Which candidate an adaptation chose, and the average precision on the held-out scenes in [0, 1]."""

    chosen: str
    """`KEPT`, `RECOLOURED`, or after which training step."""
    given_ap: float | None
    """Of the detector as given; None where no held-out scene has a person."""
    ap: float | None
    """Of the chosen candidate; never lower."""
    held_out: int
    """Number of held-out scenes."""


@dataclass(frozen=True)
class _Schedule:
    """Settings of one adaptation."""

    steps: int
    seed: int
    batch: int
    lr: float


class AtSize:
    """A camera in front of which small photographs are enlarged; its pictures are shrunk back to their size.

    Low resolution and defocus act in pixels: on a photograph of half the size they remove twice as much of a person.
    """

    def __init__(self, view: ImageTransform, side: int) -> None:
        self.name, self.view, self.side = view.name, view, side
        self.digest = f"{view.digest} at {side}"

    def __call__(self, rgb: Rgb8) -> Rgb8:
        height, width = rgb.shape[:2]
        scale = self.side / max(height, width)
        if scale <= 1:
            return self.view(rgb)
        large = cv2.resize(rgb, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_CUBIC)
        seen = self.view(np.asarray(large, np.uint8))
        return np.asarray(cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def with_pseudo_labels(detector: TrainableDetector, scenes: Sequence[Scene]) -> tuple[Scene, ...]:
    """The scenes, of which those without labels get the detector's confident detections on the raw photograph.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    unlabelled = [index for index, scene in enumerate(scenes) if not scene.labelled]
    found = detect_scenes(detector.eval(), [scenes[index] for index in unlabelled], Chain("raw")) if unlabelled else []
    labels = {index: confident_detections(boxes) for index, boxes in zip(unlabelled, found, strict=True)}
    return tuple(
        scene
        if index not in labels
        else replace(scene, truth=labels[index], areas=tuple(_areas(labels[index])), labelled=True)
        for index, scene in enumerate(scenes)
    )


def adapt(
    detector: TrainableDetector,
    scenes: Sequence[Scene],
    view: ImageTransform,
    steps: int,
    seed: int,
    batch: int = 6,
    lr: float = 5e-4,
) -> tuple[TrainableDetector, AdaptationOutcome]:
    """A copy of the detector that is adapted to images of `view`, as an operator of such a camera would do.

    First a 3D LUT is fitted that maps the colours of `view` back to raw colours. If the detector is better behind the
    LUT, the weights behind the LUT are trained, otherwise those of the plain detector: by its training loss on the
    boxes of the scenes, plus `TrainableDetector.imitate` of the detector on raw images. The result is the candidate of
    highest average precision on held-out scenes, which are not trained on: the plain detector, the detector behind the
    LUT, or the weights after some step. So it is never worse there than the detector as given.

    Args:
        detector: stays unchanged.
        scenes: training scenes; at least one. Those without labels get pseudo-labels, see `with_pseudo_labels`.
        view: the camera.
        steps: training steps; with 0 only the LUT is fitted.
        seed: seed of the split, the batches and their augmentation.
        batch: scenes per step.
        lr: peak learning rate of Adam.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    rng = np.random.default_rng(seed)
    targets = with_pseudo_labels(detector, scenes)
    groups = _with_and_without_people([targets[index] for index in rng.permutation(len(targets))])
    aside = [min(HELD_OUT_SCENES // len(groups), len(group) // 2) for group in groups]
    held_out = [scene for group, count in zip(groups, aside) for scene in group[:count]]
    training = _alternate([group[count:] for group, count in zip(groups, aside)])
    selection = _Selection(held_out or training, view)
    lut = Lut3d.fit(colour_pairs((scene.path for scene in training[:COLOUR_SCENES]), view)).requires_grad_(False)
    plain, behind = deepcopy(detector), RecolouredDetector(lut, deepcopy(detector))
    given_ap = selection.evaluate(plain, KEPT)
    if given_ap >= selection.evaluate(behind, RECOLOURED):
        candidate, network, network_view = plain, plain, view
    else:
        candidate, network, network_view = behind, behind.inner, Chain(view.name, view, LutTransform(lut))
    network.calibrate(to_tensor(scene_batch(training, detector.card.size, CALIBRATION_SCENES, rng)[0]))
    _train(candidate, network, network_view, detector, training, selection, _Schedule(steps, seed, batch, lr))
    outcome = AdaptationOutcome(selection.chosen, _number(given_ap), _number(selection.ap), len(held_out))
    return selection.best, outcome


def _number(ap: float) -> float | None:
    """None for NaN."""
    return ap if ap == ap else None


def _with_and_without_people(scenes: Sequence[Scene]) -> list[list[Scene]]:
    """Scenes with persons, and scenes without any; without empty groups."""
    groups: tuple[list[Scene], list[Scene]] = [], []
    for scene in scenes:
        groups[not len(scene.truth)].append(scene)
    return [group for group in groups if group]


def _alternate(groups: Sequence[Sequence[Scene]]) -> list[Scene]:
    """One scene of each group in turn; scenes of the smaller group are repeated, up to `MOST_REPEATS` times."""
    turns = range(max(map(len, groups)))
    return [group[turn % len(group)] for turn in turns for group in groups if turn < MOST_REPEATS * len(group)]


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
    average = WeightAverage(candidate, falling_share(LAST_SHARE))
    optimiser = torch.optim.Adam(network.parameters(), lr=schedule.lr)
    kind = "" if candidate is network else f"{RECOLOURED}, "
    with Progress(f"adapt to {view.name}", schedule.steps) as progress:
        for step in range(schedule.steps):
            set_learning_rate(optimiser, schedule.lr * warmup_then_cosine(step, schedule.steps))
            (raw, _), (viewed, truth) = (_batch(scenes, model, schedule, step, each) for each in (None, view))
            loss = network.train().adaptation_loss(viewed, raw, model, truth)
            if not gradient_step(loss, [optimiser], MAX_NORM):
                return  # no later weights can be better: all of them would be NaN
            average.update(candidate)
            if (step + 1) % VALIDATE_EVERY == 0 or step + 1 == schedule.steps:
                averaged.load_state_dict(average.state)
                selection.evaluate(averaged, f"{kind}training step {step + 1}")
            progress.advance(loss=f"{float(loss.detach()):.3f}", validation=f"{selection.ap:.3f}")


def _batch(
    scenes: Sequence[Scene], model: TrainableDetector, schedule: _Schedule, step: int, view: ImageTransform | None
) -> tuple[torch.Tensor, list[Detections]]:
    """(B, 3, H, W) in [0, 1] and the boxes on it; the same scenes in the same places for every view."""
    rng = np.random.default_rng([schedule.seed, step])
    pixels, truth = scene_batch(scenes, model.card.size, schedule.batch, rng, view)
    return to_tensor(pixels), truth


class _Selection:
    """Keeps the detector of highest average precision on the views of scenes."""

    def __init__(self, scenes: Sequence[Scene], view: ImageTransform) -> None:
        self._scenes = scenes
        self._views = [to_tensor(view(read_image_cached(scene.path)))[0] for scene in scenes]
        self.ap, self.chosen = -1.0, ""
        self.best: TrainableDetector

    @torch.no_grad()
    def evaluate(self, candidate: TrainableDetector, name: str) -> float:
        """Average precision of a detector in [0, 1]; a copy is kept if no earlier candidate was better."""
        ap = average_precision(self._scenes, candidate.eval().detect(self._views))[0]
        if not self.chosen or ap > self.ap:  # NaN, if no scene has a person, is never better
            self.ap, self.chosen, self.best = ap, name, deepcopy(candidate)
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
