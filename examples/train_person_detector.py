"""Train `campro-person`, the small person detector that ships with CamPro, from random weights.

It imitates YOLOX-nano cell by cell on unlabelled photographs: the teacher's score and box are the target everywhere.
Needs CAMPRO_DATA. Never sees COCO val2017, on which its card is measured.

    python -m examples.train_person_detector runs/person                          # about an hour on one core
    python -m examples.train_person_detector runs/person --export                 # writes the weights and the card
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import tyro
from safetensors.torch import save

from campro.core.atomic_io import atomic_write
from campro.core.catalogue import data_root
from campro.core.device import seed_everything
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.core.images import list_images, to_tensor
from campro.core.progress import Progress
from campro.core.provenance import source_commit
from campro.core.run_folder import RunFolder
from campro.core.types import Detections, Scene
from campro.data import read_scenes
from campro.isp import RAW
from campro.metrics.detection import DetectionScores, score_detections
from campro.models.persons import load_detector
from campro.models.persons.detector_adaptation import detect_scenes
from campro.models.persons.person_detectors import PERSON_WEIGHTS
from campro.models.persons.scene_batches import scene_batch
from campro.models.persons.yolox import YoloxDetector

FOLDERS = ("coco/train2017", "scenes/voc2012", "scenes/construction_ppe", "scenes/flickr8k")
PORTRAITS, PORTRAIT_SHARE = "celeba", 0.2
SIZES = (224, 256, 288, 320)
EMA = 0.998
SAVE_EVERY = 50


@dataclass(frozen=True)
class Config:
    """Train, or export what was trained."""

    out: Annotated[Path, tyro.conf.Positional]
    """Run folder; the same command goes on where it was stopped."""
    steps: int = 2600
    batch: int = 16
    lr: float = 2e-3
    seed: int = 0
    threads: int = 1
    export: bool = False
    """Write the weights into the package, measure them on COCO val2017 and write the card."""


def main(config: Config) -> None:
    """Train to the end, or export."""
    torch.set_num_threads(config.threads)
    seed_everything(config.seed)
    student = load_detector("campro-person", weights=None)
    assert isinstance(student, YoloxDetector)
    averaged = deepcopy(student)
    settings = {name: getattr(config, name) for name in ("steps", "batch", "lr", "seed")}
    run = RunFolder.open(config.out, settings)
    if config.export:
        export(run, averaged)
    else:
        train(config, run, student, averaged)


def train(config: Config, run: RunFolder, student: YoloxDetector, averaged: YoloxDetector) -> None:
    """Imitate the teacher; `averaged` follows the weights slowly and is what ships."""
    teacher = load_detector("yolox-nano")
    photographs, portraits = pictures()
    optimiser = torch.optim.AdamW(student.parameters(), lr=config.lr, weight_decay=1e-3)
    first = resume(run, student, averaged, optimiser)
    with Progress("person detector", config.steps, done=first) as progress:
        for step in range(first, config.steps):
            for group in optimiser.param_groups:
                group["lr"] = config.lr * min(
                    (step + 1) / 100, 0.5 * (1 + math.cos(math.pi * step / config.steps)) + 0.01
                )
            images = to_tensor(batch_of(photographs, portraits, config, step))
            loss = student.train().imitate(images, images, teacher)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(student.parameters(), 10)
            optimiser.step()
            follow(averaged, student, min(EMA, (step + 1) / (step + 10)))
            progress.advance(loss=f"{float(loss.detach()):.3f}")
            if (step + 1) % SAVE_EVERY == 0 or step + 1 == config.steps:
                run.log({"step": step, "loss": float(loss.detach())})
                state = {"student": student.state_dict(), "averaged": averaged.state_dict()}
                run.save_state({"step": step + 1, "optimiser": optimiser.state_dict(), **state})


def resume(run: RunFolder, student: YoloxDetector, averaged: YoloxDetector, optimiser: torch.optim.Optimizer) -> int:
    """Take up the saved state, if there is one; returns the next step."""
    state = run.load_state()
    if state is None:
        return 0
    student.load_state_dict(state["student"])
    averaged.load_state_dict(state["averaged"])
    optimiser.load_state_dict(state["optimiser"])
    run.rewind(state["step"] - 1)
    return int(state["step"])


@torch.no_grad()
def follow(averaged: YoloxDetector, student: YoloxDetector, memory: float) -> None:
    """Exponential moving average of weights and statistics."""
    for slow, fast in zip(averaged.state_dict().values(), student.state_dict().values(), strict=True):
        slow.copy_(fast if not slow.is_floating_point() else memory * slow + (1 - memory) * fast)


def batch_of(photographs: list[Scene], portraits: list[Scene], config: Config, step: int) -> np.ndarray:
    """One augmented batch at a random size, a pure function of seed and step."""
    rng = np.random.default_rng([config.seed, step])
    size = int(rng.choice(SIZES))
    few = round(config.batch * PORTRAIT_SHARE)
    scenes, _ = scene_batch(photographs, (size, size), config.batch - few, rng)
    faces, _ = scene_batch(portraits, (size, size), few, rng)
    return np.concatenate([scenes, faces])


def pictures() -> tuple[list[Scene], list[Scene]]:
    """Photographs and portraits to imitate on; their labels are not used."""
    root = data_root()
    if root is None:
        raise CamproError("train_person_detector", "CAMPRO_DATA to point at the research data", "nothing")
    photographs = [path for folder in FOLDERS for path in list_images(root / folder)]
    portraits = list_images(root / PORTRAITS)[::4]  # a quarter is variety enough, and fits into memory
    unknown = Detections.truth([])
    photos, faces = ([Scene(path, 0, 0, unknown, ()) for path in paths] for paths in (photographs, portraits))
    return photos, faces


def export(run: RunFolder, averaged: YoloxDetector) -> None:
    """Weights in half precision into the package, and the card with their figures."""
    state = run.load_state()
    if state is None:
        raise CamproError(str(run.path), "a trained state", "none yet", "train first")
    tensors = {
        name: value.half().contiguous() if value.is_floating_point() else value
        for name, value in state["averaged"].items()
    }
    atomic_write(PERSON_WEIGHTS, save({name.removeprefix("net."): value for name, value in tensors.items()}))
    root = data_root()
    assert root is not None
    scenes = read_scenes(root / "coco" / "annotations" / "instances_val2017.json").scenes
    detector = load_detector("campro-person")
    scores = score_detections(scenes, detect_scenes(detector, scenes, RAW))
    atomic_write(PERSON_WEIGHTS.with_suffix(".md"), card(run, state["step"], scores))
    print(scores)


def card(run: RunFolder, steps: int, scores: DetectionScores) -> str:
    """The model card."""
    config = run.config
    trained = f"{steps} of {config['steps']} steps, batch {config['batch']}, seed {config['seed']}, from random weights"
    photographs = "COCO train2017, Pascal VOC 2012, Flickr8k, CelebA and construction sites"
    figures = (
        f"person AP {scores.ap:.3f} [{scores.ap_low:.3f}, {scores.ap_high:.3f}], AP50 {scores.ap50:.3f}, "
        f"recall {scores.recall:.3f} at score 0.25, on 210 photographs of COCO val2017"
    )
    return f"""# campro-person

A small person detector (YOLOX-nano architecture, one class, input 320 x 320) for demonstrations and tests without a
download. Its accuracy is low; use another detector for real work.

| | |
|---|---|
| Trained by | `examples/train_person_detector.py`: {trained}, commit {source_commit()} |
| Method | distillation of the scores and boxes of YOLOX-nano (Apache-2.0) on unlabelled photographs |
| Training set | subsets of {photographs}; none is in the file |
| Accuracy | {figures} |
| Licence | Apache-2.0 |
| SHA-256 | {file_sha256(PERSON_WEIGHTS)} |
"""


if __name__ == "__main__":
    main(tyro.cli(Config, description=__doc__))
