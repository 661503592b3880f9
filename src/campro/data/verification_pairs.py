"""Pairs of photographs for verification, as LFW defines them: do both show the same person?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from campro.core.errors import CamproError
from campro.data.faces import FaceSet


@dataclass(frozen=True)
class VerificationPairs:
    """Pair i: `first[i]` and `second[i]`, both at hand."""

    first: tuple[Path, ...]
    second: tuple[Path, ...]
    mated: Bool[Tensor, "N"]
    fold: Int[Tensor, "N"]
    """From 0; no person is in two folds."""
    missing: int
    """Pairs left out because a photograph of theirs is not at hand."""

    @property
    def folds_complete(self) -> bool:
        """Pairs of one person and of two: without them a fold cannot be judged."""
        kinds = torch.stack([self.fold, self.mated.long()], 1).unique(dim=0)
        return len(self.fold.unique()) >= 2 and len(kinds) == 2 * len(self.fold.unique())


def read_pairs(path: Path, faces: FaceSet) -> VerificationPairs:
    """Read LFW's pairs.txt (Huang et al., 2007): folds of N pairs of one person each, then N of two.

    Raises:
        CamproError: where the file is of another form, or not one pair is at hand.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        folds, each = map(int, lines[0].split())
        found = [_pair(line) for line in lines[1:] if line.strip()]
        if len(found) != 2 * folds * each:
            raise ValueError(f"{len(found)} pairs for {folds} folds of 2 x {each}")
    except (ValueError, IndexError) as error:
        raise CamproError(str(path), "pairs in the form of LFW's pairs.txt", str(error)) from error
    photos = {(name, photo.stem): photo for name, own in faces.identities.items() for photo in own}
    rows = []
    for place, ((one, first), (two, second)) in enumerate(found):
        ends = photos.get((one, f"{one}_{first:04d}")), photos.get((two, f"{two}_{second:04d}"))
        if ends[0] is not None and ends[1] is not None:
            rows.append((*ends, one == two, place // (2 * each)))
    if not rows:
        raise CamproError(str(path), f"pairs of photographs of {faces.name}", "not one that is at hand")
    first_ones, second_ones, same, fold = zip(*rows)
    return VerificationPairs(first_ones, second_ones, torch.tensor(same), torch.tensor(fold), len(found) - len(rows))


def _pair(line: str) -> tuple[tuple[str, int], tuple[str, int]]:
    match line.split():
        case [name, one, two]:
            return (name, int(one)), (name, int(two))
        case [first, one, second, two]:
            return (first, int(one)), (second, int(two))
    raise ValueError(f"the line {line[:60]!r}")
