"""Figures of an attack: every adversary is judged by the same code on the same trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.attacks.attack_base import Adversary
from campro.audit.audit_context import AuditContext
from campro.audit.frames import Frame
from campro.audit.results import (
    AttackResult,
    IdentificationResult,
    OpenSetPoint,
    VerificationPoint,
    VerificationResult,
    group_rates,
)
from campro.core.chain import Chain
from campro.core.types import ImageTransform
from campro.data.verification_pairs import VerificationPairs
from campro.evaluation import MATCHERS, NEAREST, Trial, identify
from campro.evaluation.closed_set import tracked
from campro.isp import RAW
from campro.metrics.gallery_search import search
from campro.metrics.identification import (
    Identification,
    RepeatedIdentification,
    summarise,
    summarise_hits,
    unit_norm,
)
from campro.metrics.open_set import FPIRS, fnmr_at, folds_accuracy, identified_at, linkability_of
from campro.metrics.rates import Rate
from campro.models.faces import Landmarks, embed_photos
from campro.models.faces.embedder_card import FaceEmbedder

CURVE = (0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""False-positive identification rates of the detection error trade-off."""
FMRS = (0.001, 0.01, 0.1)
DRAWS, BINS = 500, 100
"""Bootstrap samples, and bins of the score histograms."""


@dataclass(frozen=True)
class JudgedEmbeddings:
    """Unit-norm embeddings of the judged photographs, those of the subjects first."""

    gallery: Float[Tensor, "N D"]
    """As people are enrolled."""
    probes: Float[Tensor, "N D"]
    """As the adversary sees them."""


def judge(context: AuditContext, embedder: FaceEmbedder, camera: str, adversary: Adversary) -> AttackResult:
    """Identification by each matcher, and the other figures of one adversary on one camera.

    With several images per probe or gallery entry only the nearest matcher is used: a classifier is trained on all
    enrolled photographs anyway, among them raw versions of the averaged ones.
    """
    embeddings = embed_judged(context, embedder, camera, adversary)
    evaluation = context.evaluation
    count, subjects, trials = len(evaluation.photos), evaluation.subjects, evaluation.trials
    gallery, probes = embeddings.gallery[:count], embeddings.probes[:count]
    distractors = embeddings.gallery[count + len(context.non_mated) :]
    single = adversary.probe_images == adversary.gallery_images == 1
    found = {
        matcher: _identified(gallery, probes, subjects, trials, matcher, adversary, distractors)
        for matcher in (context.config.attack_matchers if single else (NEAREST,))
    }
    rates = {matcher: IdentificationResult.of(result) for matcher, result in found.items()}
    groups = group_rates(found[NEAREST], context.groups) if NEAREST in found else ()
    result = partial(AttackResult, rates, groups)
    if not single:
        return result()
    non_mated = embeddings.probes[count : count + len(context.non_mated)]
    return result(
        tied=tied(gallery, probes, subjects, trials),
        linkability=linkability(gallery, probes, subjects),
        open_set=open_set(gallery, probes, non_mated, subjects, trials, distractors) if context.non_mated else (),
        verification=None if context.pairs is None else verification(embeddings, context.judged_photos, context.pairs),
    )


def _identified(
    gallery: Float[Tensor, "N D"],
    probes: Float[Tensor, "N D"],
    subjects: Int[Tensor, "N"],
    trials: Sequence[Trial],
    matcher: str,
    adversary: Adversary,
    distractors: Float[Tensor, "M D"],
) -> RepeatedIdentification:
    outcomes: list[Identification] = []
    for trial in tracked(trials, matcher):
        seen = averaged(probes, subjects, trial.probe, trial.gallery, adversary.probe_images, trial.seed)
        enrolled = averaged(gallery, subjects, trial.gallery, trial.probe, adversary.gallery_images, trial.seed)
        found = identify(enrolled, {"view": seen}, subjects, [trial], MATCHERS[matcher](), distractors)
        outcomes += found["view"].trials
    return summarise(outcomes)


def embed_judged(context: AuditContext, embedder: FaceEmbedder, camera: str, adversary: Adversary) -> JudgedEmbeddings:
    """Embeddings of all judged photographs, as they are enrolled and as the adversary sees them."""
    photos, landmarks = context.judged_photos, context.evaluation.landmarks
    own = adversary.embedder or embedder
    total = summed_embeddings(own, photos, landmarks, adversary_views(context, camera, adversary))
    probes = unit_norm(total, "adversary")
    if adversary.gallery == "captured":
        return JudgedEmbeddings(probes, probes)
    enrolling = embedder if adversary.gallery_embedder == "off the shelf" else own
    raw = embed_photos(enrolling, photos, landmarks, RAW, bfloat16=True)
    return JudgedEmbeddings(unit_norm(raw, "gallery"), probes)


def adversary_views(context: AuditContext, camera: str, adversary: Adversary) -> list[ImageTransform]:
    """What the adversary makes of a photograph in front of a camera: a view per frame and transform."""
    frames: list[tuple[ImageTransform, ...]] = [(Frame(number),) for number in range(adversary.frames)]
    transforms: list[tuple[ImageTransform, ...]] = [(one,) for one in adversary.transforms]
    return [
        Chain(", ".join(link.name for link in links), *links)
        for frame in (frames if adversary.frames > 1 else [()])
        for transform in transforms or [()]
        for links in [(*frame, context.cameras[camera], *transform)]
    ]


def summed_embeddings(
    embedder: FaceEmbedder, photos: Sequence[Path], landmarks: Landmarks, views: Sequence[ImageTransform]
) -> Float[Tensor, "N D"]:
    """Sum of the embeddings of each photograph under several views; see `embed_photos`."""
    embed = partial(embed_photos, photos=photos, landmarks=landmarks, bfloat16=True)
    return torch.as_tensor(sum(embed(embedder, view=view) for view in views))


def tied(
    gallery: Float[Tensor, "N D"], probes: Float[Tensor, "N D"], subjects: Int[Tensor, "N"], trials: Sequence[Trial]
) -> float:
    """Share of probes that are hits only because ties go to the attacker, in [0, 1]."""
    shares = [
        search(probes[trial.probe], gallery[trial.gallery], subjects[trial.probe]).tied.double().mean()
        for trial in trials
    ]
    return float(torch.stack(shares).mean())


def open_set(
    gallery: Float[Tensor, "N D"],
    probes: Float[Tensor, "N D"],
    non_mated: Float[Tensor, "Q D"],
    subjects: Int[Tensor, "N"],
    trials: Sequence[Trial],
    distractors: Float[Tensor, "M D"] | None = None,
) -> tuple[OpenSetPoint, ...]:
    """FNIR at fixed FPIRs, by cosine to the gallery photographs, over the trials' probes and non-mated searches.

    `distractors` are in the gallery of every trial, behind the subjects.
    """
    extra = gallery[:0] if distractors is None else distractors
    searches = [
        search(probes[t.probe], torch.cat([gallery[t.gallery], extra]), subjects[t.probe], non_mated) for t in trials
    ]
    points = []
    for fpir in sorted({*FPIRS, *CURVE}):
        hits = [identified_at(found, fpir) for found in searches]
        points.append(OpenSetPoint(fpir, summarise_hits(hits).rate().complement, len(non_mated)))
    return tuple(points)


def verification(embeddings: JudgedEmbeddings, photos: Sequence[Path], pairs: VerificationPairs) -> VerificationResult:
    """Verification of listed pairs: the first photograph as enrolled, the second as the adversary sees it.

    Intervals: bootstrap over folds, which share no people.
    """
    row = {photo: i for i, photo in enumerate(photos)}
    first, second = (torch.tensor([row[photo] for photo in side]) for side in (pairs.first, pairs.second))
    scores = (embeddings.gallery[first] * embeddings.probes[second]).sum(1)
    accuracy, error = folds_accuracy(scores, pairs.mated, pairs.fold)
    members = [torch.nonzero(pairs.fold == fold)[:, 0] for fold in pairs.fold.unique()]
    rng = np.random.default_rng(0)
    drawn = [torch.cat([members[i] for i in rng.integers(len(members), size=len(members))]) for _ in range(DRAWS)]

    def fnmr(fmr: float, rows: Tensor | slice = slice(None)) -> float:
        some, same = scores[rows], pairs.mated[rows]
        return fnmr_at(some[same], some[~same], fmr)

    points = []
    for fmr in FMRS:
        low, high = np.quantile([fnmr(fmr, rows) for rows in drawn], (0.025, 0.975)).tolist()
        points.append(VerificationPoint(fmr, Rate(fnmr(fmr), low, high, len(members))))
    return VerificationResult(accuracy, error, pairs.missing, tuple(points))


def linkability(gallery: Float[Tensor, "N D"], probes: Float[Tensor, "N D"], subjects: Int[Tensor, "N"]) -> Rate:
    """Global linkability of an enrolled and a captured photograph; interval by bootstrap over people."""
    people = int(subjects.max()) + 1
    mated, non_mated = torch.zeros(2, people, BINS, dtype=torch.float64)
    for subject in range(people):
        own = subjects == subject
        scores = probes[own] @ gallery.T
        same = scores[:, own]
        mated[subject] = _counts(same[~torch.eye(len(same), dtype=torch.bool)])
        non_mated[subject] = _counts(scores[:, ~own])
    low, high = _occupied(mated + non_mated)
    mated, non_mated = mated[:, low:high], non_mated[:, low:high]
    rng = np.random.default_rng(0)
    weights = torch.from_numpy(rng.multinomial(people, np.full(people, 1 / people), DRAWS)).double()
    drawn = linkability_of(weights @ mated, weights @ non_mated)
    ends = drawn.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Rate(float(linkability_of(mated.sum(0), non_mated.sum(0))), ends[0], ends[1], people)


def _counts(cosines: Float[Tensor, "..."]) -> Float[Tensor, "bins"]:
    return torch.histc(cosines.float().clamp(-1, 1), BINS, -1, 1).double()


def _occupied(counts: Float[Tensor, "people bins"]) -> tuple[int, int]:
    bins = torch.nonzero(counts.sum(0))[:, 0]
    return int(bins.min()), int(bins.max()) + 1


def averaged(
    embeddings: Float[Tensor, "N D"],
    subjects: Int[Tensor, "N"],
    replaced: Int[Tensor, "I"],
    excluded: Int[Tensor, "I"],
    images: int,
    seed: int,
) -> Float[Tensor, "N D"]:
    """Embeddings of which some are replaced by the mean of several images of the same person.

    Args:
        embeddings: of all photographs.
        subjects: number of the person on each photograph.
        replaced: rows to replace; each mean contains the row itself.
        excluded: for each of them the row that never enters the mean: the trial's other photograph.
        images: number of images in a mean; of people with fewer, all there are.
        seed: of the choice.
    """
    if images == 1:
        return embeddings
    out, rng = embeddings.clone(), np.random.default_rng(seed)
    for row, never in zip(replaced.tolist(), excluded.tolist()):
        others = [one for one in torch.nonzero(subjects == subjects[row])[:, 0].tolist() if one not in (row, never)]
        chosen = rng.permutation(others)[: images - 1].astype(int).tolist()
        out[row] = embeddings[[row, *chosen]].mean(0)
    return out
