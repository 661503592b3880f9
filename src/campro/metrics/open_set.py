"""Open-set identification, verification and linkability from comparison scores; ties go to the attacker.

Sources: ISO/IEC 19795-1:2021 and NIST FRTE 1:N (FNIR at a fixed FPIR); LFW's 10 folds (Huang et al., 2007); global
linkability (Gomez-Barrero et al., IEEE TIFS 13(6), 2018, eqs. 6 to 9).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from campro.core.errors import CamproError
from campro.metrics.gallery_search import MatedSearch

FPIRS = (0.003, 0.01, 0.1)
BINS = 100
"""Of scores, for linkability."""

Scores = Float[Tensor, " N"]


def threshold_at(negatives: Scores, rate: float) -> float:
    """The threshold that at most a share `rate` of `negatives` exceeds.

    Raises:
        CamproError: without scores, for scores that are not finite, or a rate outside [0, 1).

    >>> threshold_at(torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.25)
    0.30000001192092896
    """
    _check(negatives, "threshold")
    if not 0 <= rate < 1:
        raise CamproError("threshold", "a rate in [0, 1)", str(rate))
    allowed = int(rate * len(negatives) + 1e-9)
    return float(negatives.topk(allowed + 1).values[-1])  # there may be millions: no sorting


def fnir_at(found: MatedSearch, fpir: float) -> Float[Tensor, ""]:
    """False-negative identification rate at a false-positive identification rate of at most `fpir`.

    A mated search succeeds if its mate is at rank 1 and scores at least the threshold, which at most a share `fpir`
    of the non-mated searches reaches with any gallery entry.

    Args:
        found: searches whose subject is enrolled, and the best scores of those whose subject is not
            (`gallery_search.search` with `non_mated`).
        fpir: the rate, in [0, 1).

    Raises:
        CamproError: for scores that are not finite, or without non-mated searches.
    """
    return 1 - identified_at(found, fpir).double().mean()


def identified_at(found: MatedSearch, fpir: float) -> Bool[Tensor, "P"]:
    """Mated searches that succeed at a false-positive identification rate of `fpir`; see `fnir_at`.

    Raises:
        CamproError: see `fnir_at`.
    """
    _check(found.own, "open set")
    threshold = threshold_at(found.non_mated, fpir)
    return (found.ranks == 1) & (found.own >= threshold)


def fnmr_at(genuine: Scores, impostor: Scores, fmr: float) -> float:
    """False non-match rate at a false match rate of at most `fmr` (ISO/IEC 19795-1:2021).

    Raises:
        CamproError: for scores that are not finite.
    """
    _check(genuine, "verification")
    return 1 - float((genuine >= threshold_at(impostor, fmr)).double().mean())


def folds_accuracy(scores: Scores, same: Bool[Tensor, " N"], fold: Int[Tensor, " N"]) -> tuple[float, float]:
    """Mean and standard error of the balanced accuracy over folds (LFW protocol).

    The threshold of each fold is the best one of the other folds. Mated and non-mated pairs have the same weight, as
    they have the same number in LFW; otherwise, where pairs are missing, the more common answer would be rewarded.

    Raises:
        CamproError: with fewer than two folds, or for scores that are not finite.
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
    """The threshold, among the scores, with the highest balanced accuracy."""
    order = scores.argsort(descending=True, stable=True)
    right = same[order].long().cumsum(0) * (~same).sum() - (~same[order]).long().cumsum(0) * same.sum()
    return float(scores[order[int(right.argmax())]])


def linkability(mated: Scores, non_mated: Scores, bins: int = BINS) -> float:
    """Global linkability D_sys in [0, 1]: 0 if scores do not tell mated from non-mated pairs, 1 if they always do.

    Densities are histograms over the range of all scores; with few scores D_sys is too high, so pass thousands.

    Raises:
        CamproError: for scores that are not finite.
    """
    _check(mated, "linkability")
    _check(non_mated, "linkability")
    both = torch.cat([mated, non_mated])
    edges = np.linspace(float(both.min()), float(both.max()), bins + 1)
    return float(linkability_of(*(torch.from_numpy(np.histogram(side, edges)[0]) for side in (mated, non_mated))))


def linkability_of(mated: Float[Tensor, "*b bins"], non_mated: Float[Tensor, "*b bins"]) -> Float[Tensor, "*b"]:
    """D_sys from counts of scores in equal bins."""
    with_mate, without = (side.double() / side.double().sum(-1, keepdim=True) for side in (mated, non_mated))
    surplus = (with_mate - without).clamp(min=0) / (with_mate + without).clamp(min=1e-300)
    return (with_mate * surplus).sum(-1)


def _check(scores: Scores, label: str) -> None:
    if len(scores) == 0 or not scores.isfinite().all():
        raise CamproError(label, "finite scores", "none, NaN or infinity", "a broken model is not a defence")
