"""Figures of an attack at one pixel density: probes are shrunk in front of the camera, the gallery is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.attacks.attack_base import Adversary
from campro.audit.audit_config import CAPTURED
from campro.audit.audit_context import AuditContext
from campro.audit.judge import adversary_views, averaged, summed_embeddings, tied
from campro.audit.results import DensityResult, VerificationPoint, group_rates
from campro.evaluation import EvaluationSet, Trial
from campro.isp import RAW, Camera, IspProfile
from campro.isp.camera_settings import settings_of
from campro.metrics.gallery_search import comparison_scores
from campro.metrics.identification import Identification, mate_ranks, summarise, summarise_hits, unit_norm
from campro.metrics.open_set import threshold_at
from campro.models.faces import embed_photos
from campro.models.faces.embedder_card import FaceEmbedder

TRIALS = 1
"""Trials at each density: the interval is over people, and every further trial has other photographs to embed."""
GALLERY_SIZES = (10, 100, 1000)
"""People in smaller galleries: an office, a company, a town."""
FMRS = (0.01, 0.001)
FULL_SIZE, MATCHED = "full size", "shrunk to the density of the probes"
AS_DELIVERED = "shrunk, and through the camera's output settings"
"""The gallery of an attacker who also imitates output size, noise reduction and encoder, if a profile sets them."""


@dataclass(frozen=True)
class _Tables:
    """Embeddings by number of the photograph; rows that no trial needs are zero."""

    gallery: Float[Tensor, "N D"]
    probes: Float[Tensor, "N D"]


def judge_at(
    context: AuditContext, density: float, embedder: FaceEmbedder, camera: str, adversary: Adversary
) -> DensityResult:
    """Identification by the nearest matcher of probes at `density` px/m.

    A raw gallery is tried as the attacker has it, and shrunk to the density of the probes, also with the profile's
    output settings, if it has some; the best one counts.
    """
    evaluation = context.distant(density)
    trials = evaluation.trials[:TRIALS]
    probes = _table(evaluation, adversary.embedder or embedder, context, camera, adversary, trials)
    if adversary.gallery == "captured":
        galleries = {MATCHED: probes}
    else:
        settings = _output_settings(context) if camera == CAPTURED else None
        galleries = _raw_galleries(context, density, embedder, adversary, settings)
    results = {
        name: _result(context, density, _Tables(gallery, probes), evaluation, trials, adversary, name)
        for name, gallery in galleries.items()
    }
    best = max(results.values(), key=lambda result: result.rank1.mean)
    return replace(best, by_gallery={name: result.rank1 for name, result in results.items()})


def _table(
    evaluation: EvaluationSet,
    embedder: FaceEmbedder,
    context: AuditContext,
    camera: str,
    adversary: Adversary,
    trials: Sequence[Trial],
) -> Float[Tensor, "N D"]:
    several = adversary.probe_images > 1 or adversary.gallery == "captured"
    rows = _rows(evaluation, [trial.probe for trial in trials], several)
    photos = [evaluation.photos[row] for row in rows.tolist()]
    views = adversary_views(context, camera, adversary)
    return _placed(summed_embeddings(embedder, photos, evaluation.landmarks, views), rows, evaluation)


def _raw_galleries(
    context: AuditContext, density: float, embedder: FaceEmbedder, adversary: Adversary, settings: Camera | None
) -> dict[str, Float[Tensor, "N D"]]:
    """Full size, shrunk to the density, and as delivered; those of a recogniser off the shelf serve all runs."""
    evaluation, everything = context.distant(density), adversary.gallery_images > 1
    assert evaluation.original is not None
    wanted = [(FULL_SIZE, evaluation.original, RAW), (MATCHED, evaluation, RAW)]
    wanted += [] if settings is None else [(AS_DELIVERED, evaluation, settings)]

    def embedded(enrolling: FaceEmbedder) -> dict[str, Float[Tensor, "N D"]]:
        rows = _rows(evaluation, [trial.gallery for trial in evaluation.trials[:TRIALS]], everything)
        found = {}
        for name, side, view in wanted:
            photos = [side.photos[row] for row in rows.tolist()]
            embeddings = embed_photos(enrolling, photos, side.landmarks, view, bfloat16=True)
            found[name] = _placed(embeddings, rows, evaluation)
        return found

    if adversary.embedder is not None and adversary.gallery_embedder != "off the shelf":
        return embedded(adversary.embedder)
    key = (embedder.card.name, density, everything, settings is not None)
    return context.attack_cache.get("raw galleries", key, lambda: embedded(embedder))


def _output_settings(context: AuditContext) -> Camera | None:
    """The camera with the profile's output settings alone; None for a profile without."""
    settings = settings_of(context.profile)
    return Camera(IspProfile("output settings", settings)) if settings else None


def _rows(evaluation: EvaluationSet, used: Sequence[Int[Tensor, "P"]], everything: bool) -> Int[Tensor, "n"]:
    """Numbers of the photographs to embed."""
    return torch.arange(len(evaluation.photos)) if everything else torch.cat(list(used)).unique()


def _placed(
    embeddings: Float[Tensor, "n D"], rows: Int[Tensor, "n"], evaluation: EvaluationSet
) -> Float[Tensor, "N D"]:
    table = torch.zeros(len(evaluation.photos), embeddings.shape[1])
    table[rows] = unit_norm(embeddings, "adversary")
    return table


def _result(
    context: AuditContext,
    density: float,
    tables: _Tables,
    evaluation: EvaluationSet,
    trials: Sequence[Trial],
    adversary: Adversary,
    gallery: str,
) -> DensityResult:
    subjects, sides = evaluation.subjects, []
    for trial in trials:
        probe = averaged(tables.probes, subjects, trial.probe, trial.gallery, adversary.probe_images, trial.seed)
        entry = averaged(tables.gallery, subjects, trial.gallery, trial.probe, adversary.gallery_images, trial.seed)
        sides.append((entry[trial.gallery], probe[trial.probe]))
    found = summarise([Identification(mate_ranks(entry, probe)) for entry, probe in sides])
    assert evaluation.original is not None
    return DensityResult(
        rank1=found.rate(),
        gallery=gallery,
        by_gallery_size={
            str(size): found.rate_in_gallery_of(size) for size in GALLERY_SIZES if size < evaluation.people
        },
        verification=_verification(sides),
        groups=group_rates(found, context.groups_at(density)),
        tied=tied(tables.gallery, tables.probes, subjects, trials) if adversary.probe_images == 1 else None,
        left_out=len(context.evaluation.photos) - len(evaluation.photos),
    )


def _verification(
    sides: Sequence[tuple[Float[Tensor, "P D"], Float[Tensor, "P D"]]],
) -> tuple[VerificationPoint, ...]:
    """FNMR at fixed FMRs over the pairs of each trial's probes and gallery: each person's own, and all others."""
    accepted: dict[float, list[Tensor]] = {fmr: [] for fmr in FMRS}
    for gallery, probes in sides:
        scores = comparison_scores(unit_norm(probes, "probe"), unit_norm(gallery, "gallery"))
        own = scores.diagonal().clone()
        others = scores[~torch.eye(len(scores), dtype=torch.bool)]
        for fmr in FMRS:
            accepted[fmr].append(own >= threshold_at(others, fmr))
    return tuple(VerificationPoint(fmr, summarise_hits(hits).rate().complement) for fmr, hits in accepted.items())
