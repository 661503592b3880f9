"""CIDEr-D against the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.metrics.captions import cider_d, score_captions, tokenise

CAPTIONED = [
    (
        "a man is riding a horse",
        [
            "a man rides a brown horse on a beach",
            "a person on a horse near the sea",
            "man riding a horse along the water",
        ],
    ),
    ("two dogs play in the snow", ["two dogs are playing in the snow", "a pair of dogs run through snow"]),
    (
        "a kitchen with a table",
        [
            "a kitchen with a stove and a table and two chairs",
            "the table in the kitchen is set for dinner",
            "a small kitchen with white cabinets",
        ],
    ),
    ("a a a a a a a", ["a street sign on a pole", "a sign on a street corner in a city"]),
    ("people", ["a group of people standing around a kitchen", "people are talking in a room"]),
]
CAPTIONS, REFERENCES = [caption for caption, _ in CAPTIONED], [texts for _, texts in CAPTIONED]
EXPECTED = [1.7975032850358506, 2.2848981936837305, 1.6713536535482163, 0.0, 0.7766479405456738]
"""Of pycocoevalcap 1.2, `CiderScorer(n=4, sigma=6.0)`, on the same tokens."""


def test_values_of_the_reference_implementation():
    np.testing.assert_allclose(cider_d(CAPTIONS, REFERENCES), EXPECTED, atol=1e-9)


def test_the_reference_implementation_itself():
    scorer_of = pytest.importorskip("pycocoevalcap.cider.cider_scorer").CiderScorer
    scorer = scorer_of(n=4, sigma=6.0)
    for caption, texts in CAPTIONED:
        scorer += (" ".join(tokenise(caption)), [" ".join(tokenise(text)) for text in texts])
    np.testing.assert_allclose(cider_d(CAPTIONS, REFERENCES), scorer.compute_score()[1], atol=1e-9)


def test_a_reference_itself_has_the_highest_score_and_a_foreign_caption_none():
    """Identical to the only reference: cosine 1 for each n, so 10; without a common word 0."""
    references = [["one two three four five"], ["six seven eight nine ten"]]
    assert cider_d(["one two three four five", "one two three four five"], references) == pytest.approx([10, 0])
    assert cider_d(["", "."], references).tolist() == [0, 0]


def test_the_interval_contains_the_mean():
    found = score_captions(CAPTIONS, REFERENCES)
    assert found.cider == pytest.approx(np.mean(EXPECTED))
    assert found.low < found.cider < found.high and found.photographs == 5


@pytest.mark.parametrize(("captions", "references"), [([], []), (["a"], []), (["a"], [[]])])
def test_unusable_captions_are_refused(captions, references):
    with pytest.raises(CamproError, match="CIDEr-D"):
        cider_d(captions, references)
