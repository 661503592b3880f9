"""How much of the raw colours of faces a profile leaves in a picture: an estimate that needs no attacker."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from campro.audit.audit_context import AuditContext
from campro.core.images import read_image
from campro.core.types import Rgb8
from campro.evaluation.pixel_density import PUPIL_DISTANCE
from campro.inversion.inverse import BIN_BITS, colour_histogram
from campro.isp.lookup import colour_table
from campro.isp.pointwise import is_pointwise
from campro.metrics.colour_entropy import colour_entropy, fano_bound
from campro.models.faces.embedding import crop_photos

PICTURES = 300
"""Photographs from which the colours are counted."""
FACE_WIDTH = 3.2
"""Width of a face crop in distances of the pupils: 112 over 35.2 pixels of the ArcFace template."""
FACES, ANYTHING = "faces of the training photographs", "photographs of anything"


@dataclass(frozen=True)
class RemainingInformation:
    """Entropies of the colour of one pixel, in bits; estimates, since the distribution of colours is estimated."""

    raw_bits: float
    captured_bits: float
    unknown_bits: float
    """Of the raw colour, given the captured one alone. Neighbours say more: an upper bound for a whole picture."""
    source: str
    """Whose colours were counted."""
    pictures: int
    fano_rank1: float
    """Bound on rank-1 by Fano's inequality at the lowest density that is audited; 1 says nothing."""


def remaining_information(context: AuditContext) -> RemainingInformation | None:
    """Count all 2^24 colours, weighted by how often they occur in faces; None for profiles that are not pointwise.

    Within a bin of 8 levels a channel all colours have the same weight.
    """
    if not is_pointwise(context.profile.blocks):
        return None
    pictures, source = _pictures(context)
    prior = colour_histogram(pictures)
    found = colour_entropy(colour_table(context.profile.blocks), spread(prior))
    pixels = max(1.0, (FACE_WIDTH * PUPIL_DISTANCE * min(context.config.densities, default=500.0)) ** 2)
    bound = fano_bound(pixels * found.captured, context.evaluation.people)
    return RemainingInformation(found.raw, found.captured, found.unknown, source, len(pictures), bound)


def spread(prior: Float[np.ndarray, "32768"]) -> Float[np.ndarray, "16777216"]:
    """The weight of each colour: that of its bin, in equal parts."""
    side, step = 1 << BIN_BITS, 1 << (8 - BIN_BITS)
    cube = prior.reshape(side, side, side) / step**3
    for axis in range(3):
        cube = cube.repeat(step, axis)
    return cube.ravel()


def _pictures(context: AuditContext) -> tuple[list[Rgb8], str]:
    rng = np.random.default_rng(context.config.seed)
    if context.train_faces is None:
        return list(map(read_image, _drawn(context.photos, rng))), ANYTHING
    landmarks = context.landmarks(context.train_faces)
    found = context.train_faces.only(landmarks.found).photos
    crops = crop_photos(_drawn(found, rng), landmarks, context.embedder(context.config.face_models[0]).card)
    return list(crops), FACES


def _drawn(photos: Iterable, rng: np.random.Generator) -> list:
    listed = list(photos)
    return [listed[index] for index in rng.permutation(len(listed))[:PICTURES]]
