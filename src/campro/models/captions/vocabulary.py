"""Words and their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

START, END, UNKNOWN = "<start>", "<end>", "<unknown>"


@dataclass(frozen=True)
class Vocabulary:
    """Words in the order of their numbers, `START`, `END` and `UNKNOWN` first."""

    words: tuple[str, ...]

    @staticmethod
    def of(sentences: Iterable[Sequence[str]], at_least: int = 2) -> Vocabulary:
        """The words that occur `at_least` times, the most frequent first.

        >>> Vocabulary.of([["a", "dog"], ["a", "cat"]]).words
        ('<start>', '<end>', '<unknown>', 'a')
        """
        counts = Counter(word for sentence in sentences for word in sentence)
        kept = sorted((word for word, count in counts.items() if count >= at_least), key=lambda w: (-counts[w], w))
        return Vocabulary((START, END, UNKNOWN, *kept))

    def numbers(self, words: Sequence[str]) -> list[int]:
        """Numbers of `START`, the words, `END`."""
        known = {word: number for number, word in enumerate(self.words)}
        return [known[START], *(known.get(word, known[UNKNOWN]) for word in words), known[END]]

    def text(self, numbers: Iterable[int]) -> str:
        """The words up to the first `END`, without special ones."""
        words = []
        for number in numbers:
            if self.words[number] == END:
                break
            words.append(self.words[number])
        return " ".join(word for word in words if word not in (START, UNKNOWN))
