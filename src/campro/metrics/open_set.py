"""Identification among strangers, verification and linkability: figures from scores, ties to the attacker.

Sources: ISO/IEC 19795-1:2021 and NIST FRTE 1:N (FNIR at a fixed FPIR); LFW's 10 folds (Huang et al., 2007); global
linkability (Gomez-Barrero et al., IEEE TIFS 13(6), 2018, eqs. 6 to 9).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from campro.core.errors import CamproError

FPIRS = (0.003, 0.01, 0.1)
BINS = 100
"""Of scores, for linkability."""

Scores = Float[Tensor, " N"]


def threshold_at(negatives: Scores, rate: float) -> float:
    """The score that at most this share of `negatives` exceeds.

    >>> threshold_at(torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.25)
    0.30000001192092896
    """
    _check(negatives, "threshold")
    if not 0 <= rate < 1:
        raise CamproError("threshold", "a rate in [0, 1)", str(rate))
    allowed = int(rate * len(negatives) + 1e-9)
    return float(negatives.sort(descending=True).values[allowed])


def fnir_at(
    mated: Float[Tensor, "P G"], mate: Int[Tensor, "P"], strangers: Float[Tensor, "Q G"], fpir: float
) -> Float[Tensor, ""]:
    """Share of searches that miss the mate when at most `fpir` of the strangers' searches find anybody.

    A search finds its mate if the mate comes first and scores no less than the threshold.
    """
    return 1 - finds_at(mated, mate, strangers, fpir).double().mean()


def finds_at(
    mated: Float[Tensor, "P G"], mate: Int[Tensor, "P"], strangers: Float[Tensor, "Q G"], fpir: float
) -> Bool[Tensor, "P"]:
    """Which searches find their mate at that rate of false alarms; see `fnir_at`."""
    _check(mated.ravel(), "open set")
    threshold = threshold_at(strangers.max(1).values, fpir)
    own = mated.gather(1, mate[:, None])[:, 0]
    return (own >= mated.max(1).values) & (own >= threshold)


def tar_at(genuine: Scores, impostor: Scores, far: float) -> float:
    """True accept rate of pairs where at most `far` of the impostor pairs are accepted."""
    _check(genuine, "verification")
    return float((genuine >= threshold_at(impostor, far)).double().mean())


def folds_accuracy(scores: Scores, same: Bool[Tensor, " N"], fold: Int[Tensor, " N"]) -> tuple[float, float]:
    """Mean and standard error of LFW's protocol: each fold judged at the threshold that suits the others best.

    Pairs of one person and of two weigh alike, as they are alike in number in LFW: where pairs are missing, always
    saying the commoner answer would else be rewarded.
    """
    _check(scores, "verification")
    found = []
    for one in fold.unique().tolist():
        held = fold == one
        threshold = best_threshold(scores[~held], same[~held])
        right = ((scores[held] >= threshold) == same[held]).double()
        found.append(float(right[same[held]].mean() + right[~same[held]].mean()) / 2)
    if len(found) < 2:
        raise CamproError("verification", "two folds or more", str(len(found)))
    return float(np.mean(found)), float(np.std(found, ddof=1) / len(found) ** 0.5)


def best_threshold(scores: Scores, same: Bool[Tensor, " N"]) -> float:
    """Of all scores the one from which on "the same" is most often right, both answers weighing alike."""
    order = scores.argsort(descending=True, stable=True)
    right = same[order].long().cumsum(0) * (~same).sum() - (~same[order]).long().cumsum(0) * same.sum()
    return float(scores[order[int(right.argmax())]])


def linkability(mated: Scores, strangers: Scores, bins: int = BINS) -> float:
    """D_sys in [0, 1]: 0 if scores say nothing about whether two pictures show one person, 1 if they always do.

    Densities are histograms over the range of all scores, so with few scores it is too high: pass thousands.
    """
    _check(mated, "linkability")
    _check(strangers, "linkability")
    both = torch.cat([mated, strangers])
    edges = np.linspace(float(both.min()), float(both.max()), bins + 1)
    return float(linkability_of(*(torch.from_numpy(np.histogram(side, edges)[0]) for side in (mated, strangers))))


def linkability_of(mated: Float[Tensor, "*b bins"], strangers: Float[Tensor, "*b bins"]) -> Float[Tensor, "*b"]:
    """D_sys from counts of scores in equal bins."""
    with_mate, without = (side.double() / side.double().sum(-1, keepdim=True) for side in (mated, strangers))
    surplus = (with_mate - without).clamp(min=0) / (with_mate + without).clamp(min=1e-300)
    return (with_mate * surplus).sum(-1)


def _check(scores: Scores, who: str) -> None:
    if len(scores) == 0 or not scores.isfinite().all():
        raise CamproError(who, "finite scores", "none, NaN or infinity", "a broken model is not a defence")
