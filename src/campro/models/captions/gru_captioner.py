"""A tiny captioner: object scores of a detector, and a recurrent network that writes the sentence.

Of the kind of Vinyals et al., Show and Tell (CVPR 2015), and much smaller: some 150,000 weights, trained in a minute on
the captions at hand. It shows that captions can be measured; its sentences are simple and often wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.types import Images
from campro.metrics.captions import tokenise
from campro.models.captions.captioner import LONGEST, CaptionerCard
from campro.models.captions.object_scores import object_scores
from campro.models.captions.vocabulary import Vocabulary
from campro.models.persons.yolox import YoloxDetector

WIDTH = 96
STEPS, RATE, BATCH = 600, 3e-3, 64
DROPOUT = 0.3
PADDING = -100
"""Label that the cross-entropy ignores."""


class SentenceNetwork(nn.Module):
    """Object scores and the words so far -> logits of the next word."""

    def __init__(self, features: int, words: int) -> None:
        super().__init__()
        self.start = nn.Linear(features, WIDTH)
        self.words = nn.Embedding(words, WIDTH)
        self.gru = nn.GRU(WIDTH, WIDTH, batch_first=True)
        self.drop = nn.Dropout(DROPOUT)
        self.out = nn.Linear(WIDTH, words)

    def forward(self, features: Float[Tensor, "B F"], numbers: Int[Tensor, "B L"]) -> Float[Tensor, "B L W"]:
        state = self.start(self.drop(features)).tanh()[None]
        hidden, _ = self.gru(self.drop(self.words(numbers)), state)
        return self.out(self.drop(hidden))


class GruCaptioner:
    """See `Captioner`."""

    def __init__(self, detector: YoloxDetector, net: SentenceNetwork, vocabulary: Vocabulary) -> None:
        source = f"tiny recurrent network on the objects of {detector.card.name}"
        self.card = CaptionerCard("tiny-gru", detector.card.licence, source)
        self.detector, self.net, self.vocabulary = detector, net.eval(), vocabulary

    @torch.no_grad()
    def caption(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[str]:
        """The most likely word at each step; see `Captioner.caption`."""
        features = object_scores(self.detector, images)
        numbers = torch.zeros(len(features), 1, dtype=torch.long)
        for _ in range(LONGEST):
            numbers = torch.cat([numbers, self.net(features, numbers)[:, -1:].argmax(2)], 1)
        return [self.vocabulary.text(row[1:]) for row in numbers.tolist()]


def learn_gru(
    detector: YoloxDetector,
    images: Sequence[Float[Tensor, "3 H W"]],
    captions: Sequence[Sequence[str]],
    seed: int = 0,
    steps: int = STEPS,
) -> GruCaptioner:
    """Train the network on raw photographs and their captions; random draws depend on `seed` alone."""
    features = torch.cat([object_scores(detector, [one]) for one in images])
    sentences = [(row, tokenise(text)[: LONGEST - 1]) for row, texts in enumerate(captions) for text in texts]
    vocabulary = Vocabulary.of(words for _, words in sentences)
    numbers = _table([vocabulary.numbers(words) for _, words in sentences])
    owner = torch.tensor([row for row, _ in sentences])
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SentenceNetwork(features.shape[1], len(vocabulary.words))
        optimiser = torch.optim.AdamW(net.parameters(), RATE)
        for _ in range(steps):
            rows = torch.randint(len(owner), (BATCH,))
            inputs, targets = numbers[rows, :-1].clamp_min(0), numbers[rows, 1:]
            logits = net(features[owner[rows]], inputs)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return GruCaptioner(detector, net, vocabulary)


def _table(rows: Sequence[Sequence[int]]) -> Int[Tensor, "N L"]:
    """Rows of one length, filled up with `PADDING`."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[PADDING] * (longest - len(row))] for row in rows])
