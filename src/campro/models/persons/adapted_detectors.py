"""Adapted detectors in the cache folder: an audit that is resumed, or that of another profile, adapts none again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import astuple, dataclass

import numpy as np
import torch

from campro.core.array_cache import Arrays, cached_arrays
from campro.core.hashing import json_digest, tensors_sha256
from campro.core.lut3d import Lut3d
from campro.core.types import ImageTransform, Scene
from campro.models.persons.detector_adaptation import AdaptationOutcome, adapt
from campro.models.persons.person_detector import TrainableDetector
from campro.models.persons.recoloured import RecolouredDetector

VERSION = 2
"""To be raised when `adapt` changes."""
WEIGHT, OUTCOME, LUT = "weight ", "outcome", "table.values"
"""Names of the arrays; LUT is the key of a 3D LUT among the weights."""


@dataclass(frozen=True)
class AdaptationInputs:
    """What decides the result beside the detector."""

    scenes: str
    """Digest of the training scenes and their labels."""
    view: ImageTransform
    steps: int
    seed: int


def stored_adaptation(
    detector: TrainableDetector, inputs: AdaptationInputs, scenes: Callable[[], Sequence[Scene]]
) -> tuple[TrainableDetector, AdaptationOutcome]:
    """`adapt` on the training scenes, which are asked for when needed, or its result from the cache folder.

    Raises:
        CamproError: if a photograph cannot be read, or for a damaged file in the cache folder.
    """
    weights, view = tensors_sha256(detector.state_dict()), inputs.view
    parts = [VERSION, weights, list(detector.card.size), inputs.scenes, view.digest, inputs.steps, inputs.seed]

    def compute() -> Arrays:
        adapted, outcome = adapt(detector, scenes(), view, inputs.steps, inputs.seed)
        arrays = {WEIGHT + name: value.cpu().numpy() for name, value in adapted.state_dict().items()}
        chosen, *numbers = astuple(outcome)
        return arrays | {OUTCOME: np.array([chosen, *map(repr, numbers)])}

    arrays = cached_arrays("adapted detectors", json_digest(parts), compute)
    state = {
        name.removeprefix(WEIGHT): torch.from_numpy(value) for name, value in arrays.items() if name.startswith(WEIGHT)
    }
    return _with_weights(detector, state), _outcome(arrays[OUTCOME])


def _with_weights(detector: TrainableDetector, state: dict[str, torch.Tensor]) -> TrainableDetector:
    adapted: TrainableDetector = deepcopy(detector)
    if LUT in state:
        adapted = RecolouredDetector(Lut3d(torch.zeros_like(state[LUT])), adapted)
    adapted.load_state_dict(state)
    return adapted.eval()


def _outcome(texts: np.ndarray) -> AdaptationOutcome:
    chosen, given_ap, ap, held_out = map(str, texts)
    given, best = (None if text == "None" else float(text) for text in (given_ap, ap))
    return AdaptationOutcome(chosen, given, best, int(held_out))
