"""Figures of an adversary: all are judged by the same code, on the same draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from campro.attacks.attack_base import Adversary
from campro.audit.experiments import NEAREST, groups_value, identification_value
from campro.audit.suite_context import SuiteContext
from campro.core.chain import Chain
from campro.core.run_folder import Json
from campro.core.types import ImageTransform, Rgb8
from campro.data.verification_pairs import VerificationPairs
from campro.evaluation import MATCHERS, Draw, identify
from campro.isp import RAW
from campro.metrics.identification import Identification, only_tied, summarise, summarise_hits, unit_rows
from campro.metrics.open_set import FPIRS, finds_at, folds_accuracy, linkability_of, tar_at
from campro.models.faces import embed_photos
from campro.models.faces.embedder_card import FaceEmbedder

CURVE = (0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""FPIRs of the detection error trade-off."""
FARS = (0.001, 0.01, 0.1)
DRAWS, BINS = 500, 100
"""Of bootstraps, and of histograms of scores."""
MOVES, TURNS, NOISE = 1.5, 1.0, 2.0
"""Frames of a video: moved by up to so many pixels, turned by up to so many degrees, levels of noise."""


@dataclass(frozen=True)
class Sight:
    """Unit rows of the same photographs, those of the roll first."""

    gallery: Float[Tensor, "N D"]
    """As people are known."""
    probes: Float[Tensor, "N D"]
    """As the adversary sees them."""


class Frame:
    """One of several frames of the same moment, before the camera: moved, turned, with a sensor's noise."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = self.digest = f"frame {number}, {MOVES:g} pixels, {TURNS:g} degrees, noise {NOISE:g}"

    def __call__(self, rgb: Rgb8) -> Rgb8:
        """The frame; a pure function of picture and number."""
        height, width = rgb.shape[:2]
        rng = np.random.default_rng((self.number, int(rgb[::16, ::16].sum())))
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-TURNS, TURNS), 1)
        turn = turn + [[0, 0, rng.uniform(-MOVES, MOVES)] for _ in range(2)]
        moved = cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return (moved + NOISE * rng.standard_normal(rgb.shape, np.float32) + 0.5).clip(0, 255).astype(np.uint8)


def judge(data: SuiteContext, embedder: FaceEmbedder, side: str, adversary: Adversary) -> dict[str, Json]:
    """Identification by each matcher and the rest of the figures.

    Where pictures are fused, matching is to the nearest gallery photograph alone: a classifier is trained on all
    known photographs anyway, raw versions of the fused ones among them.
    """
    sight = see(data, embedder, side, adversary)
    count, owner = len(data.roll.photos), data.roll.owner
    gallery, probes = sight.gallery[:count], sight.probes[:count]
    alone = adversary.probe_images == adversary.gallery_images == 1
    matchers = data.config.matchers if alone else (NEAREST,)
    found: dict[str, Json] = {"matchers": {}}
    for matcher in matchers:
        trials: list[Identification] = []
        for draw in data.draws:
            seen = fused(probes, owner, draw.query, draw.gallery, adversary.probe_images, draw.seed)
            enrolled = fused(gallery, owner, draw.gallery, draw.query, adversary.gallery_images, draw.seed)
            trials += identify(enrolled, {"view": seen}, owner, [draw], MATCHERS[matcher]())["view"].trials
        result = summarise(trials)
        found["matchers"][matcher] = identification_value(result)
        if matcher == NEAREST:
            found["groups"] = groups_value(result, data.groups)
    if not alone:
        return found
    found["tied"] = tied(gallery, probes, owner, data.draws)
    found["linkability"] = linkability(gallery, probes, owner)
    if data.strangers:
        found["open set"] = open_set(gallery, probes, sight.probes[count:], owner, data.draws)
    if data.pairs is not None:
        found["verification"] = verification(sight, data.judged, data.pairs)
    return found


def see(data: SuiteContext, embedder: FaceEmbedder, side: str, adversary: Adversary) -> Sight:
    """Embeddings of all judged photographs, as they are known and as the adversary looks at them."""
    photos, camera = data.judged, data.cameras[side]
    own = adversary.embedder or embedder
    moments: list[tuple[ImageTransform, ...]] = [(Frame(number),) for number in range(adversary.frames)]
    looks: list[tuple[ImageTransform, ...]] = [(one,) for one in adversary.transforms]
    views = [
        Chain(", ".join(link.name for link in links), *links)
        for moment in (moments if adversary.frames > 1 else [()])
        for look in looks or [()]
        for links in [(*moment, camera, *look)]
    ]
    rows = partial(embed_photos, photos=photos, landmarks=data.landmarks, bfloat16=True)
    total = sum(rows(own, view=view) for view in views)
    probes = unit_rows(torch.as_tensor(total), "adversary")
    if adversary.gallery == "captured":
        return Sight(probes, probes)
    enrolling = embedder if adversary.gallery_embedder == "off the shelf" else own
    return Sight(unit_rows(rows(enrolling, view=RAW), "gallery"), probes)


def tied(
    gallery: Float[Tensor, "N D"], probes: Float[Tensor, "N D"], owner: Int[Tensor, "N"], draws: Sequence[Draw]
) -> float:
    """Share of queries that are found only because ties go to the attacker."""
    shares = [
        only_tied(probes[draw.query] @ gallery[draw.gallery].T, owner[draw.query]).double().mean() for draw in draws
    ]
    return float(torch.stack(shares).mean())


def open_set(
    gallery: Float[Tensor, "N D"],
    probes: Float[Tensor, "N D"],
    unknown: Float[Tensor, "Q D"],
    owner: Int[Tensor, "N"],
    draws: Sequence[Draw],
) -> dict[str, Json]:
    """FNIR at fixed FPIRs: searches of each draw's queries and of strangers, by cosine to the gallery photographs."""
    scores = [(probes[draw.query] @ gallery[draw.gallery].T, unknown @ gallery[draw.gallery].T) for draw in draws]
    found: dict[str, Json] = {}
    for fpir in sorted({*FPIRS, *CURVE}):
        hits = [finds_at(mated, owner[draw.query], other, fpir) for draw, (mated, other) in zip(draws, scores)]
        hit = summarise_hits(hits)
        low, high = hit.interval(1)
        found[f"{fpir:g}"] = {"fnir": 1 - hit.mean(1), "low": 1 - high, "high": 1 - low, "strangers": len(unknown)}
    return found


def verification(sight: Sight, photos: Sequence[Path], pairs: VerificationPairs) -> dict[str, Json]:
    """Are both the same person? The first photograph as known, the second as the adversary sees it.

    Intervals: bootstrap over folds, which share no people.
    """
    row = {photo: i for i, photo in enumerate(photos)}
    first, second = (torch.tensor([row[photo] for photo in side]) for side in (pairs.first, pairs.second))
    scores = (sight.gallery[first] * sight.probes[second]).sum(1)
    accuracy, error = folds_accuracy(scores, pairs.mated, pairs.fold)
    found: dict[str, Json] = {"balanced_accuracy": accuracy, "standard_error": error, "missing_pairs": pairs.missing}
    members = [torch.nonzero(pairs.fold == fold)[:, 0] for fold in pairs.fold.unique()]
    rng = np.random.default_rng(0)
    drawn = [torch.cat([members[i] for i in rng.integers(len(members), size=len(members))]) for _ in range(DRAWS)]
    for far in FARS:
        tars = [tar_at(scores[some][pairs.mated[some]], scores[some][~pairs.mated[some]], far) for some in drawn]
        low, high = np.quantile(tars, (0.025, 0.975))
        mean = tar_at(scores[pairs.mated], scores[~pairs.mated], far)
        found[f"{far:g}"] = {"tar": mean, "low": float(low), "high": float(high)}
    return found


def linkability(
    gallery: Float[Tensor, "N D"], probes: Float[Tensor, "N D"], owner: Int[Tensor, "N"]
) -> dict[str, Json]:
    """Global linkability of two photographs, one as known and one as seen; interval by bootstrap over people."""
    people = int(owner.max()) + 1
    mated, strangers = torch.zeros(2, people, BINS, dtype=torch.float64)
    for who in range(people):
        own = owner == who
        scores = probes[own] @ gallery.T
        mine = scores[:, own]
        mated[who] = _counts(mine[~torch.eye(len(mine), dtype=torch.bool)])
        strangers[who] = _counts(scores[:, ~own])
    low, high = _used(mated + strangers)
    mated, strangers = mated[:, low:high], strangers[:, low:high]
    rng = np.random.default_rng(0)
    weights = torch.from_numpy(rng.multinomial(people, np.full(people, 1 / people), DRAWS)).double()
    drawn = linkability_of(weights @ mated, weights @ strangers)
    ends = drawn.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return {"mean": float(linkability_of(mated.sum(0), strangers.sum(0))), "low": ends[0], "high": ends[1]}


def _counts(cosines: Float[Tensor, "..."]) -> Float[Tensor, "bins"]:
    return torch.histc(cosines.float().clamp(-1, 1), BINS, -1, 1).double()


def _used(counts: Float[Tensor, "people bins"]) -> tuple[int, int]:
    bins = torch.nonzero(counts.sum(0))[:, 0]
    return int(bins.min()), int(bins.max()) + 1


def fused(
    rows: Float[Tensor, "N D"],
    owner: Int[Tensor, "N"],
    replaced: Int[Tensor, "I"],
    left_out: Int[Tensor, "I"],
    pictures: int,
    seed: int,
) -> Float[Tensor, "N D"]:
    """Rows of which some are the mean of several of their person: the row itself first, the one left out never."""
    if pictures == 1:
        return rows
    out, rng = rows.clone(), np.random.default_rng(seed)
    for row, never in zip(replaced.tolist(), left_out.tolist()):
        others = [one for one in torch.nonzero(owner == owner[row])[:, 0].tolist() if one not in (row, never)]
        chosen = rng.permutation(others)[: pictures - 1].astype(int).tolist()
        out[row] = rows[[row, *chosen]].mean(0)
    return out
