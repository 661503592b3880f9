"""Pairs of photographs for verification, in folds, as LFW defines them."""

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
    """Pair i consists of the photographs `first[i]` and `second[i]`."""

    first: tuple[Path, ...]
    second: tuple[Path, ...]
    mated: Bool[Tensor, "N"]
    """Whether both photographs are of the same person."""
    fold: Int[Tensor, "N"]
    """Index of the fold, from 0; no person is in two folds."""
    missing: int
    """Number of pairs of the file that are left out because a photograph is missing."""

    @property
    def folds_complete(self) -> bool:
        """Whether there are two or more folds, each with mated and non-mated pairs, as the accuracy requires."""
        kinds = torch.stack([self.fold, self.mated.long()], 1).unique(dim=0)
        return len(self.fold.unique()) >= 2 and len(kinds) == 2 * len(self.fold.unique())


def read_pairs(path: Path, faces: FaceSet) -> VerificationPairs:
    """Read LFW's pairs.txt (Huang et al., 2007): per fold N mated pairs, then N non-mated pairs.

    Raises:
        CamproError: if the file cannot be read or has another format, or the photographs of all pairs are missing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        folds, each = map(int, lines[0].split())
        listed = [_pair(line) for line in lines[1:] if line.strip()]
        if min(folds, each) < 1 or len(listed) != 2 * folds * each:
            raise ValueError(f"{len(listed)} pairs for {folds} folds of 2 x {each}")
    except (OSError, ValueError, IndexError) as error:
        raise CamproError(str(path), "pairs in the form of LFW's pairs.txt", " ".join(str(error).split())) from error
    photos = {(name, photo.stem): photo for name, own_photos in faces.identities.items() for photo in own_photos}
    pairs = []
    for place, ((first_name, first), (second_name, second)) in enumerate(listed):
        images = (
            photos.get((first_name, f"{first_name}_{first:04d}")),
            photos.get((second_name, f"{second_name}_{second:04d}")),
        )
        if images[0] is not None and images[1] is not None:
            pairs.append((*images, first_name == second_name, place // (2 * each)))
    if not pairs:
        raise CamproError(str(path), f"pairs of photographs of {faces.name}", "none of the pairs of the file")
    first_photos, second_photos, mated, fold = zip(*pairs)
    return VerificationPairs(
        first_photos, second_photos, torch.tensor(mated), torch.tensor(fold), len(listed) - len(pairs)
    )


def _pair(line: str) -> tuple[tuple[str, int], tuple[str, int]]:
    match line.split():
        case [name, first, second]:
            return (name, int(first)), (name, int(second))
        case [first_name, first, second_name, second]:
            return (first_name, int(first)), (second_name, int(second))
    raise ValueError(f"the line {line[:60]!r}")
