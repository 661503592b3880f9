"""Pose estimators and captioners of a run of `campro paper`, and the captions that the tiny ones learn from."""

from __future__ import annotations

from collections.abc import Sequence

from campro.core.errors import CamproError
from campro.core.images import read_image, to_tensor
from campro.core.types import ImageTransform
from campro.data.captioned_photos import CaptionedPhoto, read_captions
from campro.models.captions import Captioner, load_captioner
from campro.models.captions.gru_captioner import learn_gru
from campro.models.captions.retrieval_captioner import learn_retrieval
from campro.models.model_table import models_at_hand
from campro.models.persons import load_detector
from campro.models.persons.yolox import YoloxDetector
from campro.models.poses import PoseEstimator, load_pose_estimator
from campro.paper.paper_context import PaperContext

CAPTIONS = ("coco/annotations/captions_train2017.json", "coco/annotations/captions_val2017.json")
"""Files below --data."""
OBJECTS = "yolox-nano"
"""The detector whose objects the tiny captioners describe."""


def pose_estimators(context: PaperContext) -> list[PoseEstimator]:
    """Those of --pose-models, or else those whose weights and packages are on this machine.

    Raises:
        CamproError: where there are none.
    """
    names = context.config.pose_models or models_at_hand("pose estimator")
    if not names:
        remedy = "name one: --pose-models onnx/CARD.json (docs/howto/models.md)"
        raise CamproError("paper", "a pose estimator", "none on this machine", remedy)
    return [load_pose_estimator(name) for name in names]


def captioned(context: PaperContext) -> tuple[list[CaptionedPhoto], list[CaptionedPhoto]]:
    """Photographs to learn from (COCO train2017, every second one of val2017), and the others of val2017 to describe.

    Raises:
        CamproError: where a captions file or its photographs are missing.
    """
    if (root := context.root) is None:
        remedy = "--scale small, with COCO's captions below --data"
        raise CamproError("paper", "photographs with captions", "the embedded sample, which has none", remedy)
    train, val = (list(read_captions(root / file).photos) for file in CAPTIONS)
    if context.sizes.scenes is not None:
        val = val[: 2 * context.sizes.scenes]
    return train + val[::2], val[1::2]


def captioners(context: PaperContext, photos: Sequence[CaptionedPhoto]) -> list[Captioner]:
    """Those of --captioners, and the two tiny ones, which learn from raw `photos` here.

    Raises:
        CamproError: if weights are missing.
    """
    detector = load_detector(OBJECTS)
    assert isinstance(detector, YoloxDetector)
    images = [to_tensor(read_image(photo.path))[0] for photo in photos]
    texts = [photo.captions for photo in photos]
    tiny: list[Captioner] = [
        learn_gru(detector, images, texts, context.config.seed),
        learn_retrieval(detector, images, texts),
    ]
    return [*(load_captioner(name) for name in context.config.captioners), *tiny]


def describe(captioner: Captioner, photos: Sequence[CaptionedPhoto], view: ImageTransform) -> list[str]:
    """A caption of what `view` makes of each photograph."""
    return [captioner.caption(to_tensor(view(read_image(photo.path))))[0] for photo in photos]
