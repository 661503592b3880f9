"""Controls: an audit stops where a model does not work on raw photographs, since other figures then show nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from campro.audit.audit_config import CAPTURED, ENHANCED, RAW
from campro.audit.audit_context import AuditContext
from campro.core.catalogue import cache_root
from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.core.types import ImageTransform, Rgb8
from campro.data.embedded import embedded_scenes
from campro.enhance.samples import background_of
from campro.evaluation import MATCHERS, NEAREST, EvaluationSet, identify
from campro.metrics.identification import unit_norm
from campro.models.faces import load_face_detector
from campro.models.faces.face_boxes import find_face_boxes

RANK1_FLOOR = 0.3
"""Least rank-1 rate of a recogniser on raw photographs, as a share of the way from chance to 1."""
COLLAPSED = 0.99
"""Largest mean cosine between raw photographs of different people."""
AP50_FLOOR = 0.2
"""Least AP50 of a person detector on raw photographs."""
CORRELATION_FLOOR = 0.5
"""Least correlation of enhanced with raw pictures outside faces."""
CONTROL_PICTURES = 8
"""Pictures on which an enhancer is checked."""


def control_recogniser(context: AuditContext, model: str) -> None:
    """Check a recogniser by the nearest matcher on raw photographs.

    Raises:
        CamproError: as `check_recogniser`.
    """
    raw, evaluation = context.embed(model, [])[RAW], context.evaluation
    result = identify(raw, {RAW: raw}, evaluation.subjects, evaluation.trials, MATCHERS[NEAREST]())[RAW]
    check_recogniser(model, raw, evaluation, result.mean())


def check_recogniser(model: str, raw: Float[Tensor, "N D"], evaluation: EvaluationSet, rank1: float) -> None:
    """Check that a recogniser recognises people on raw photographs.

    Args:
        model: name, for the message.
        raw: embeddings of the raw photographs.
        evaluation: their subjects and trials.
        rank1: mean rank-1 rate on raw probes, in [0, 1].

    Raises:
        CamproError: for a rank-1 rate below `RANK1_FLOOR` of the way from chance to 1, or a mean cosine between
            different people above `COLLAPSED`.
    """
    chance = 1 / evaluation.people
    floor = chance + RANK1_FLOOR * (1 - chance)
    remedy = "a wrong card is the likely cause: check mean, std, scale, order, template, output and the weights"
    if rank1 < floor:
        wanted = f"rank-1 of at least {floor:.1%} on raw photographs (chance {chance:.1%})"
        raise CamproError(f"control of {model}", wanted, f"{rank1:.1%}", remedy)
    gallery = unit_norm(raw[evaluation.trials[0].gallery], "raw").double()
    people = len(gallery)
    cosine = (float(gallery.sum(0).square().sum()) - people) / (people * (people - 1))
    if cosine > COLLAPSED:
        wanted = f"a mean cosine between different people of at most {COLLAPSED}"
        raise CamproError(f"control of {model}", wanted, f"{cosine:.4f}", remedy)


def check_person_detector(name: str, ap50: float) -> None:
    """Check that a person detector detects people on raw photographs; `ap50` is NaN if the scenes contain no person.

    Raises:
        CamproError: for an AP50 below `AP50_FLOOR`, or NaN.
    """
    if ap50 >= AP50_FLOOR:
        return
    wanted = f"AP50 of at least {AP50_FLOOR:.0%} on raw photographs"
    if np.isnan(ap50):
        raise CamproError(f"control of {name}", wanted, "none: no person is labelled in --scenes", "label the people")
    remedy = "check --detector-weights, and that the boxes of --scenes belong to these photographs"
    raise CamproError(f"control of {name}", wanted, f"{ap50:.1%}", remedy)


def control_enhancer(context: AuditContext) -> float:
    """Check that the enhancer restores pictures outside faces, on at most `CONTROL_PICTURES` scenes.

    The scenes are those of the audit, or the embedded ones of an audit of faces alone.

    Returns:
        Mean correlation of enhanced with raw pictures outside faces, -1 to 1; see `mean_correlation`.

    Raises:
        CamproError: as `check_enhancer`.
    """
    on_scenes = context.config.measures("detection") or context.config.measures("quality")
    scenes = context.scenes if on_scenes else embedded_scenes("test", cache_root()).scenes
    photos = [scene.path for scene in scenes[:CONTROL_PICTURES]]
    found = mean_correlation(photos, context.views[ENHANCED], context.config.landmarks)
    check_enhancer(found)
    return found


def mean_correlation(photos: Sequence[Path], view: ImageTransform, face_detector: str) -> float:
    """Mean correlation of a view with raw pictures outside the faces that `face_detector` finds, -1 to 1.

    Pictures without any contrast there are left out; the result is 1 if no others are given.
    """
    boxes = find_face_boxes(photos, load_face_detector(face_detector), cache_root())
    values = []
    for photo in photos:
        raw = read_image(photo)
        background = background_of(boxes[photo].numpy(), *raw.shape[:2])
        if background.any() and raw[background].std() > 0:
            values.append(correlation(view(raw), raw, background))
    return float(np.mean(values)) if values else 1.0


def check_enhancer(found: float) -> None:
    """Check `found`, the mean correlation of enhanced with raw pictures outside faces.

    Raises:
        CamproError: if it is below `CORRELATION_FLOOR`.
    """
    if found < CORRELATION_FLOOR:
        wanted = f"a correlation of enhanced with raw pictures outside faces of at least {CORRELATION_FLOOR}"
        remedy = f"train it longer, or audit the {CAPTURED} view alone: --enhancer none"
        raise CamproError("control of the enhancer", wanted, f"{found:.2f}", remedy)


def correlation(rgb: Rgb8, other: Rgb8, mask: Bool[np.ndarray, "H W"]) -> float:
    """Pearson correlation of the masked pixels of two pictures, over all channels; 0 if one of them is constant.

    >>> picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    >>> round(correlation(255 - picture, picture, np.ones((4, 4), bool)), 6)
    -1.0
    """
    one, two = (picture[mask].astype(np.float64) for picture in (rgb, other))
    if one.std() == 0 or two.std() == 0:
        return 0.0
    return float(np.mean((one - one.mean()) * (two - two.mean())) / (one.std() * two.std()))
