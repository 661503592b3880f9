"""Random scenes with random detections."""

from __future__ import annotations

import numpy as np
import torch

from campro.core.types import Detections, Scene


def scene_of(boxes, crowd=None):
    truth = Detections.truth(boxes, crowd)
    areas = tuple((truth.boxes[:, 2:] - truth.boxes[:, :2]).prod(1).tolist())
    return Scene(None, 200, 200, truth, areas)


def found_at(boxes, scores):
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Detections(boxes, torch.tensor(scores), torch.zeros(len(boxes), dtype=torch.bool))


def random_scenes(seed, images=12):
    rng = np.random.default_rng(seed)
    scenes, found = [], []
    for _ in range(images):
        corner = rng.uniform(0, 120, (rng.integers(0, 6), 2))
        boxes = np.concatenate([corner, corner + rng.uniform(8, 80, corner.shape)], 1)
        scenes.append(scene_of(boxes.tolist(), (rng.random(len(boxes)) < 0.2).tolist()))
        near = boxes + rng.normal(0, 5, boxes.shape)
        stray = rng.uniform(0, 100, (rng.integers(0, 4), 2))
        guess = np.concatenate([near, np.concatenate([stray, stray + 30], 1)])
        found.append(found_at(guess.tolist(), rng.random(len(guess)).round(2).tolist()))
    return scenes, found
