"""CIDEr-D: agreement of captions with those that people wrote, by n-grams weighted by how rare they are.

Source: Vedantam et al., CIDEr: Consensus-based Image Description Evaluation (CVPR 2015), section 4 and 6.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from campro.core.errors import CamproError

ORDERS = 4
"""Longest n-gram."""
SIGMA = 6.0
"""Of the penalty for a length that differs from that of the reference."""
SCALE = 10.0
"""Of the result, as in the reference implementation."""
TOKEN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*|n't|'s|'m|'re|'ve|'ll|'d")

Gram = tuple[str, ...]
Weights = list[dict[Gram, float]]


@dataclass(frozen=True)
class CaptionScores:
    """CIDEr-D of captions; 0 for captions without a common word, about 1 for those of people."""

    cider: float
    low: float
    """Lower bound of the 95 % interval: percentile bootstrap over photographs."""
    high: float
    photographs: int


def tokenise(text: str) -> list[str]:
    """Words of a caption in lower case, without punctuation.

    The reference implementation calls the Penn Treebank tokeniser (Java) and drops punctuation; this one differs for
    words such as "don't", which that one splits before "n't", and for characters outside a to z.

    >>> tokenise("A man's red T-shirt, on 2 dogs.")
    ['a', 'man', "'s", 'red', 't-shirt', 'on', '2', 'dogs']
    """
    return TOKEN.findall(text.lower())


def score_captions(
    captions: Sequence[str], references: Sequence[Sequence[str]], resamples: int = 1000, seed: int = 0
) -> CaptionScores:
    """Mean CIDEr-D over photographs, and its interval; the frequencies of n-grams are those of all references.

    Args:
        captions: one per photograph.
        references: per photograph, captions that people wrote, at least one.
        resamples: bootstrap samples.
        seed: of the bootstrap.

    Raises:
        CamproError: see `cider_d`.
    """
    values = cider_d(captions, references)
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (resamples, len(values)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return CaptionScores(float(values.mean()), low, high, len(values))


def cider_d(captions: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """CIDEr-D of each caption, at least 0.

    Raises:
        CamproError: without photographs, for numbers that differ, or a photograph without references.
    """
    if not captions or len(captions) != len(references) or not all(references):
        got = f"{len(captions)} captions, {len(references)} photographs"
        raise CamproError("CIDEr-D", "one caption and at least one reference per photograph", got)
    known = [[ngrams(tokenise(text)) for text in texts] for texts in references]
    frequency = Counter(gram for texts in known for gram in set().union(*texts))
    documents = float(np.log(len(references)))
    return np.array(
        [
            _score(ngrams(tokenise(caption)), texts, frequency, documents)
            for caption, texts in zip(captions, known, strict=True)
        ]
    )


def ngrams(words: Sequence[str]) -> Counter[Gram]:
    """Number of each n-gram of 1 to `ORDERS` words."""
    spans = ((start, n) for n in range(1, ORDERS + 1) for start in range(len(words) - n + 1))
    return Counter(tuple(words[start : start + n]) for start, n in spans)


def _score(
    caption: Counter[Gram], texts: list[Counter[Gram]], frequency: Mapping[Gram, int], documents: float
) -> float:
    own = _weights(caption, frequency, documents)
    return SCALE * float(np.mean([_similarity(own, caption, text, frequency, documents) for text in texts]))


def _similarity(
    own: Weights, caption: Counter[Gram], text: Counter[Gram], frequency: Mapping[Gram, int], documents: float
) -> float:
    """Mean over n of the clipped cosine, times the length penalty."""
    other, total = _weights(text, frequency, documents), 0.0
    for mine, theirs in zip(own, other):
        norms = _norm(mine) * _norm(theirs)
        if norms > 0:
            total += (
                sum(min(weight, theirs.get(gram, 0.0)) * theirs.get(gram, 0.0) for gram, weight in mine.items()) / norms
            )
    gap = _length(caption) - _length(text)
    return total / ORDERS * float(np.exp(-(gap**2) / (2 * SIGMA**2)))


def _weights(grams: Counter[Gram], frequency: Mapping[Gram, int], documents: float) -> Weights:
    """Per n, count times inverse document frequency of each n-gram."""
    found: Weights = [{} for _ in range(ORDERS)]
    for gram, count in grams.items():
        found[len(gram) - 1][gram] = count * (documents - float(np.log(max(1, frequency.get(gram, 0)))))
    return found


def _norm(weights: Mapping[Gram, float]) -> float:
    return float(np.sqrt(sum(weight**2 for weight in weights.values())))


def _length(grams: Counter[Gram]) -> int:
    """Number of pairs of words, which the reference implementation takes for the length."""
    return sum(count for gram, count in grams.items() if len(gram) == 2)
